"""What opens, updates, resolves and retracts an alert, as rules and as properties."""

import itertools
from typing import Any

import msgspec
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import assume, given
from hypothesis import strategies as st

from alerts.lifecycle import (
    ACTIVE_STATUSES,
    FINDING_IDS_MAX,
    Alert,
    AlertChange,
    IllegalTransition,
    acknowledge,
    apply,
    body_of,
    dismiss,
    event_of,
    resolve,
    tell,
)
from store.rows import FindingRow
from tests.alerts.fix_findings import HOUR_US, OPENED_US, finding

NOW_US = OPENED_US + 2 * HOUR_US


def applied(alert: Alert | None, emission: FindingRow, at_us: int = NOW_US) -> AlertChange:
    change = apply(alert, emission, at_us, "lease-1")
    assert change is not None
    return change


def opened(**fields: Any) -> Alert:
    return applied(None, finding(**fields)).alert


def done(outcome: AlertChange | IllegalTransition) -> Alert:
    assert isinstance(outcome, AlertChange)
    return outcome.alert


def test_info_opens_nothing_and_warning_opens_with_its_evidence_and_lease() -> None:
    assert apply(None, finding(severity="info"), NOW_US) is None
    change = applied(None, finding(score=0.97))
    assert (change.kind, change.notify, change.alert.status, change.alert.revision) == ("opened", True, "open", 1)
    assert (change.alert.lease_id, change.alert.opened_us, change.alert.finding_ids) == ("lease-1", OPENED_US, ("f1",))
    assert change.alert.evidence["silent_h"] == 6.5
    assert change.alert.evidence["score"] == 0.97
    assert change.alert.evidence["detected_at"] == "2026-11-22T08:00:00Z"


def test_an_older_episode_told_late_does_not_end_the_open_alert_of_a_newer_one() -> None:
    """It makes a resolved alert of its own, as it would have in time."""
    newer = opened(finding_id="f2", opened_us=OPENED_US + 10 * HOUR_US)
    change = tell([newer], finding(closed_us=OPENED_US + HOUR_US), NOW_US)
    assert change is not None
    assert (change.kind, change.alert.status, change.alert.finding_ids) == ("resolved", "resolved", ("f1",))


def test_a_revision_of_an_episode_that_is_over_does_not_end_the_open_alert_of_a_newer_one() -> None:
    """A late reading derived both again: the older one's word is its own alert's matter."""
    older = applied(opened(), finding(closed_us=OPENED_US + HOUR_US)).alert
    newer = opened(finding_id="f2", opened_us=OPENED_US + 10 * HOUR_US)
    change = tell([older, newer], finding(closed_us=OPENED_US + 2 * HOUR_US), NOW_US)
    assert change is not None
    assert (change.alert.alert_id, change.alert.status) == (older.alert_id, "resolved")


def test_an_episode_that_turns_out_to_go_on_joins_the_alert_that_is_open_already() -> None:
    older = applied(opened(), finding(closed_us=OPENED_US + HOUR_US)).alert
    newer = opened(finding_id="f2", opened_us=OPENED_US + 10 * HOUR_US)
    change = tell([older, newer], finding(), NOW_US)
    assert change is not None
    assert (change.alert.alert_id, change.alert.finding_ids) == (newer.alert_id, ("f2", "f1"))


def test_an_emission_told_twice_changes_nothing() -> None:
    assert apply(opened(), finding(), NOW_US + 5) is None


def test_more_evidence_is_written_quietly_under_a_new_revision() -> None:
    change = applied(opened(), finding(evidence={"silent_h": 7.0}))
    assert (change.kind, change.notify, change.alert.revision) == ("updated", False, 2)
    assert change.alert.evidence["silent_h"] == 7.0


def test_a_later_finding_of_the_key_joins_the_open_alert() -> None:
    change = applied(opened(), finding(finding_id="f2", opened_us=OPENED_US + HOUR_US))
    assert change.alert.alert_id == opened().alert_id
    assert change.alert.finding_ids == ("f1", "f2")
    assert change.alert.opened_us == OPENED_US


def test_a_rise_in_severity_notifies_and_takes_the_acknowledgement_back() -> None:
    seen = done(acknowledge(opened(), "ann", None, NOW_US))
    change = applied(seen, finding(severity="critical"))
    assert (change.kind, change.notify, change.before_severity) == ("updated", True, "warning")
    assert (change.alert.status, change.alert.severity) == ("open", "critical")


def test_the_end_of_an_episode_resolves_a_warning_also_an_acknowledged_one() -> None:
    closing = finding(closed_us=OPENED_US + HOUR_US)
    for alert in (opened(), done(acknowledge(opened(), "ann", None, NOW_US))):
        change = applied(alert, closing)
        assert (change.kind, change.notify, change.alert.status) == ("resolved", True, "resolved")
        assert change.alert.closed_us == OPENED_US + HOUR_US


def test_a_critical_alert_waits_for_a_person_even_when_its_finding_was_eased() -> None:
    critical = opened(severity="critical")
    over = applied(critical, finding(severity="critical", closed_us=OPENED_US + HOUR_US))
    assert (over.kind, over.notify, over.alert.status) == ("updated", False, "open")
    assert over.alert.evidence["closed_at"] == "2026-11-22T08:00:00Z"
    eased = applied(critical, finding(severity="warning", closed_us=OPENED_US + HOUR_US))
    assert (eased.alert.status, eased.alert.severity) == ("open", "critical")
    assert done(resolve(over.alert, "ann", "called the master", NOW_US)).closed_us == NOW_US


def test_a_point_event_waits_for_a_person() -> None:
    alert = opened(closed_us=OPENED_US)
    assert alert.status == "open"
    assert apply(alert, finding(closed_us=OPENED_US), NOW_US) is None


def test_an_episode_that_was_over_when_first_told_ends_as_the_one_seen_live() -> None:
    closing = finding(closed_us=OPENED_US + HOUR_US)
    late, live = applied(None, closing).alert, applied(opened(), closing).alert
    assert late == msgspec.structs.replace(live, revision=1)


def test_a_retracted_or_eased_finding_retracts_its_alert() -> None:
    for gone in (finding(retracted=True), finding(severity="info")):
        change = applied(opened(), gone)
        assert (change.kind, change.notify, change.alert.status) == ("retracted", True, "retracted")
        assert change.alert.closed_us == NOW_US


def test_an_alert_with_another_finding_outlives_a_retraction() -> None:
    alert = applied(opened(), finding(finding_id="f2")).alert
    change = applied(alert, finding(retracted=True))
    assert (change.kind, change.notify, change.alert.status) == ("updated", False, "open")
    assert change.alert.evidence["retracted_finding_ids"] == ["f1"]
    assert applied(change.alert, finding(finding_id="f2", retracted=True)).alert.status == "retracted"


def test_a_retraction_of_a_strange_finding_changes_nothing() -> None:
    assert apply(opened(), finding(finding_id="f9", retracted=True), NOW_US) is None
    assert apply(None, finding(retracted=True), NOW_US) is None


def test_what_a_person_ended_opens_again_only_when_severity_rises() -> None:
    for ended in (done(resolve(opened(), "ann", None, NOW_US)), done(dismiss(opened(), "ann", "a dock", NOW_US))):
        assert apply(ended, finding(evidence={"silent_h": 9.0}), NOW_US) is None
        assert apply(ended, finding(closed_us=OPENED_US + HOUR_US), NOW_US) is None
        again = applied(ended, finding(severity="critical"))
        assert (again.kind, again.alert.status, again.alert.closed_us) == ("opened", "open", None)
        assert again.alert.alert_id == ended.alert_id
        assert again.alert.revision == ended.revision + 1


def test_an_episode_that_was_not_over_after_all_opens_its_alert_again() -> None:
    ended = applied(opened(), finding(closed_us=OPENED_US + HOUR_US)).alert
    again = applied(ended, finding())
    assert (again.kind, again.alert.status, again.alert.closed_us) == ("opened", "open", None)
    moved = applied(ended, finding(closed_us=OPENED_US + 2 * HOUR_US))
    assert (moved.kind, moved.notify, moved.alert.closed_us) == ("updated", False, OPENED_US + 2 * HOUR_US)


def test_a_resolved_alert_is_retracted_when_its_finding_was_wrong_a_dismissed_one_stays() -> None:
    ended = applied(opened(), finding(closed_us=OPENED_US + HOUR_US)).alert
    assert applied(ended, finding(retracted=True)).kind == "retracted"
    assert apply(done(dismiss(opened(), "ann", "a dock", NOW_US)), finding(retracted=True), NOW_US) is None


def test_another_finding_after_the_end_opens_another_alert() -> None:
    ended = applied(opened(), finding(closed_us=OPENED_US + HOUR_US)).alert
    again = applied(ended, finding(finding_id="f2", opened_us=OPENED_US + 5 * HOUR_US))
    assert again.kind == "opened"
    assert again.alert.alert_id != ended.alert_id


def test_what_a_person_may_not_do_is_a_value() -> None:
    ended = done(resolve(opened(), "ann", None, NOW_US))
    codes = [
        acknowledge(done(acknowledge(opened(), "ann", None, NOW_US)), "bob", None, NOW_US),
        acknowledge(ended, "ann", None, NOW_US),
        resolve(ended, "ann", None, NOW_US),
        dismiss(ended, "ann", "why", NOW_US),
        dismiss(opened(), "ann", "  ", NOW_US),
    ]
    assert [one.code for one in codes if isinstance(one, IllegalTransition)] == [
        "already_acknowledged",
        "not_open",
        "not_open",
        "not_open",
        "reason_missing",
    ]


def test_an_alert_forgets_its_oldest_findings_and_stays_bounded() -> None:
    alert = opened()
    for number in range(FINDING_IDS_MAX + 5):
        alert = applied(alert, finding(finding_id=f"g{number}")).alert
    assert len(alert.finding_ids) == FINDING_IDS_MAX
    assert alert.finding_ids[0] == "f1"
    assert alert.finding_ids[-1] == f"g{FINDING_IDS_MAX + 4}"


def test_the_event_is_a_cloud_event_with_the_whole_alert() -> None:
    change = applied(None, finding())
    event = JSONFormat().read(CloudEvent, msgspec.json.encode(event_of(change)))
    assert event.get_type() == "keelwing.alert.opened.v1"
    assert event.get_source() == "/keelwing/acme"
    assert event.get_subject() == f"asset/{change.alert.asset_id}"
    assert "." not in event.get_id()
    assert event.get_data() == body_of(change.alert)
    assert body_of(change.alert).keys() == {
        *("id", "rule", "subject", "severity", "status", "asset_id", "asset", "lease_id", "incident_id"),
        *("opened_at", "updated_at", "closed_at", "revision", "evidence"),
    }


def test_the_event_of_a_revision_has_one_id_and_every_revision_another() -> None:
    first = applied(None, finding())
    second = applied(first.alert, finding(severity="critical"))
    assert event_of(first)["id"] == event_of(applied(None, finding()))["id"] != event_of(second)["id"]


def test_a_dismissal_is_told_as_resolved_with_its_own_status() -> None:
    change = dismiss(opened(), "ann", "a dock", NOW_US)
    assert isinstance(change, AlertChange)
    assert event_of(change)["type"] == "keelwing.alert.resolved.v1"
    assert event_of(change)["data"]["status"] == "dismissed"


@given(st.dictionaries(st.from_regex(r"x_\w{1,30}", fullmatch=True), st.text(max_size=8_000), max_size=40))
def test_an_event_stays_below_twenty_kilobytes(evidence: dict[str, str]) -> None:
    event = event_of(applied(None, finding(evidence=evidence)))
    assert len(msgspec.json.encode(event)) < 20_000
    if "truncated" not in event["data"]["evidence"]:
        assert evidence.items() <= event["data"]["evidence"].items()


# -- properties over histories ------------------------------------------------------------------------------------------

Step = FindingRow | str


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Emissions of three findings of one key, as a rule may emit and revise them, with people acting in between."""
    emissions = st.builds(
        lambda number, severity, hours, retracted, silent: finding(
            finding_id=f"f{number}",
            opened_us=OPENED_US + number * HOUR_US,
            closed_us=None if hours is None else OPENED_US + (number + hours) * HOUR_US,
            severity=severity,
            retracted=retracted,
            evidence={"silent_h": silent},
        ),
        st.integers(1, 3),
        st.sampled_from(["info", "warning", "warning", "critical"]),
        st.sampled_from([None, None, 0, 1, 2]),
        st.sampled_from([False, False, False, True]),
        st.integers(1, 2),
    )
    return draw(st.lists(st.one_of(emissions, emissions, st.sampled_from(["acknowledge", "resolve", "dismiss"])), max_size=25))


class Table:
    """The alert table as the store keeps it, in memory: what `apply` is given and where its result goes."""

    def __init__(self, rows: dict[str, Alert] | None = None) -> None:
        self.rows = dict(rows or {})
        self.changes: list[AlertChange] = []

    def active(self) -> Alert | None:
        found = [one for one in self.rows.values() if one.status in ACTIVE_STATUSES]
        assert len(found) <= 1, "two open alerts of one key"
        return found[0] if found else None

    def play(self, steps: list[Step], first_us: int) -> None:
        for number, step in enumerate(steps):
            outcome = self.turn(step, first_us + number)
            if isinstance(outcome, AlertChange):
                self.rows[outcome.alert.alert_id] = outcome.alert
                self.changes.append(outcome)

    def turn(self, step: Step, at_us: int) -> AlertChange | IllegalTransition | None:
        active = self.active()
        if isinstance(step, str):
            action = {"acknowledge": acknowledge, "resolve": resolve, "dismiss": dismiss}[step]
            return action(active, "ann", "because", at_us) if active else None
        return tell(list(self.rows.values()), step, at_us)


@given(histories())
def test_opened_and_closed_alternate_one_is_open_and_revisions_grow_by_one(steps: list[Step]) -> None:
    table = Table()
    table.play(steps, NOW_US)
    for _, group in itertools.groupby(sorted(table.changes, key=lambda one: one.alert.alert_id), lambda one: one.alert.alert_id):
        changes = sorted(group, key=lambda one: one.alert.revision)
        assert [one.alert.revision for one in changes] == list(range(1, len(changes) + 1))
        assert all(later.alert.updated_us >= earlier.alert.updated_us for earlier, later in itertools.pairwise(changes))
    for change in table.changes:
        was_active, is_active = change.before_status in ACTIVE_STATUSES, change.alert.status in ACTIVE_STATUSES
        if change.kind == "opened":
            assert not was_active
            assert is_active
        elif change.kind == "updated":
            assert was_active == is_active
        elif change.kind == "acknowledged":
            assert was_active
            assert is_active
        else:
            assert not is_active
        assert change.notify or change.kind == "updated"
        assert is_active == (change.alert.closed_us is None)


@given(histories())
def test_a_critical_alert_is_ended_by_a_person_or_by_retraction_alone(steps: list[Step]) -> None:
    table = Table()
    table.play(steps, NOW_US)
    for change in table.changes:
        if change.before_severity == "critical" and change.before_status in ACTIVE_STATUSES and change.kind == "resolved":
            assert change.who == "ann"


@given(histories(), st.lists(st.integers(0, 25), max_size=4))
def test_the_cut_into_batches_makes_no_difference(steps: list[Step], cuts: list[int]) -> None:
    whole = Table()
    whole.play(steps, NOW_US)
    rows: dict[str, Alert] = {}
    edges = sorted({0, len(steps), *(min(cut, len(steps)) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        stored = {key: msgspec.convert(msgspec.json.decode(msgspec.json.encode(row)), Alert) for key, row in rows.items()}
        batch = Table(stored)  # what a later process reads back
        batch.play(steps[start:end], NOW_US + start)
        rows = batch.rows
    assert rows == whole.rows


@given(histories())
def test_redelivering_the_last_emission_changes_nothing(steps: list[Step]) -> None:
    emissions: list[Step] = [step for step in steps if isinstance(step, FindingRow)]
    table = Table()
    table.play(emissions, NOW_US)
    before = dict(table.rows)
    # A finding that came back and joined a later alert is in two; its retraction, told twice, ends one after the other.
    assume(all(sum(f"f{number}" in row.finding_ids for row in before.values()) <= 1 for number in (1, 2, 3)))
    table.play(emissions[-1:], NOW_US + 100)
    assert table.rows == before
