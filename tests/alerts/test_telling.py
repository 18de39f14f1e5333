"""What is told: once an incident and severity, never against a hold, models within their budget, ends to whom it began for."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.budget import Account
from alerts.hold import (
    LISTED_MAX,
    SLACK_US,
    Hold,
    hold_of,
    release_event_id,
    summary_of,
)
from alerts.lifecycle import EVIDENCE_BYTES_MAX, SEVERITY_RANK, AlertChange
from alerts.telling import Candidate, Notice, Verdict, decide, severities_told, told_later
from ingest.alerting import Raised, raise_alerts
from store.rows import FindingRow
from tests.alerts.fix_findings import OPENED_US, finding
from tests.alerts.test_budget import account
from tests.alerts.test_lifecycle import NOW_US, applied, opened

HELD = Hold(finding_id="r1", rule="gnss_interference", about="region:54.2N019.7E", reason="region_jammed")
REGION = finding(
    finding_id="r1", asset_id="", asset="region:54.2N019.7E", rule="gnss_interference", severity="info",
    evidence={"lat_deg": 54.3, "lon_deg": 19.9, "radius_nm": 60.0},
)  # fmt: skip
SILENT_FEED = finding(finding_id="s1", asset_id="", asset="feed:coast", rule="feed_silent")


def candidate(number: int, severity: str = "warning", incident: str = "i1", **fields: Any) -> Candidate:
    change = applied(None, finding(finding_id=f"f{number}", severity=severity, subject=str(number)))
    return Candidate(change=change, finding_id=f"f{number}", incident_id=incident, **fields)


def following(first: Candidate, emission: FindingRow) -> Candidate:
    """The change that an emission makes of the alert of another candidate."""
    return msgspec.structs.replace(first, change=applied(first.change.alert, emission))


def verdicts(notices: list[Notice]) -> dict[str, str]:
    return {one.finding_id: one.verdict for one in notices}


def test_an_incident_is_told_once_at_its_highest_severity_whatever_the_order_within_it() -> None:
    four = [candidate(1), candidate(2), candidate(3, "critical"), candidate(4, incident="other")]
    for order in permutations(four):
        notices, _ = decide(order, {}, {}, None)
        told = verdicts(notices)
        assert (told["f3"], told["f4"]) == ("told", "told")
        assert (told["f1"], told["f2"]) == ("same_incident", "same_incident")


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["warning", "critical"]), min_size=1, max_size=8), st.integers(0, 99))
def test_over_transactions_each_rise_is_told_and_nothing_twice(severities: list[str], seed: int) -> None:
    draw, members, notices = Random(seed), {f"f{number}": "i1" for number in range(8)}, list[Notice]()
    waiting = [candidate(number, severity) for number, severity in enumerate(severities)]
    while waiting:
        now, waiting = waiting[: (cut := draw.randint(1, 3))], waiting[cut:]
        notices += decide(now, {}, severities_told(notices, members), None)[0]
    told = [SEVERITY_RANK[one.severity] for one in notices if one.verdict == "told"]
    assert told == sorted(set(told))
    assert max(told) == max(SEVERITY_RANK[one] for one in severities)
    assert len(notices) == len(severities)


def test_an_end_is_told_to_those_who_heard_the_beginning() -> None:
    first, second = candidate(1), candidate(2)
    notices, _ = decide([first, second], {}, {}, None)
    over = [
        following(one, finding(finding_id=one.finding_id, subject=one.change.alert.subject, closed_us=NOW_US))
        for one in (first, second)
    ]
    before = {one.alert_id: [one] for one in notices}
    ends, _ = decide(over, before, {"i1": "warning"}, None)
    assert sorted((one.finding_id, one.verdict) for one in ends) == [("f1", "told"), ("f2", "never_told")]


def test_of_equals_what_was_known_first_is_told_however_they_come_together() -> None:
    """A jump is known with its first reading, the circle after it later; both began with that reading."""
    for jump_id, track_id in permutations(["f1", "f2"]):  # ids are drawn, and decide nothing
        found = [
            finding(finding_id=jump_id, rule="position_jump", detected_us=OPENED_US),
            finding(finding_id=track_id, rule="spoofed_track", detected_us=OPENED_US + 1),
        ]
        both = [Candidate(change=applied(None, one), finding_id=one.finding_id, incident_id="i1") for one in found]
        apart, severities = list[Notice](), dict[str, str]()
        for one in both:
            apart += decide([one], {}, severities, None)[0]
            severities = severities_told(apart, {"f1": "i1", "f2": "i1"})
        for order in (both, both[::-1]):
            assert verdicts(decide(order, {}, {}, None)[0]) == verdicts(apart) == {jump_id: "told", track_id: "same_incident"}


@pytest.mark.parametrize(
    ("first", "then", "end"),
    [
        ("held", "released", "told"),
        ("over_budget", "told", "told"),
        ("same_incident", "told", "told"),
        ("held", "let_go", "never_told"),
        ("over_budget", "same_incident", "never_told"),
    ],
)
def test_an_end_is_told_where_the_beginning_was_told_later(first: Verdict, then: Verdict, end: Verdict) -> None:
    one = candidate(1)
    (opening,) = decide([one], {}, {}, None)[0]
    before = [msgspec.structs.replace(opening, verdict=verdict) for verdict in (first, then)]
    over = following(one, finding(finding_id="f1", subject="1", closed_us=NOW_US))
    assert verdicts(decide([over], {opening.alert_id: before}, {"i1": "warning"}, None)[0]) == {"f1": end}


async def test_a_batch_without_findings_asks_the_database_nothing() -> None:
    nothing_can_be_asked: Any = object()
    assert await raise_alerts(nothing_can_be_asked, [], {}, NOW_US) == Raised()


def test_the_end_of_an_alert_older_than_the_records_is_told() -> None:
    over = following(candidate(1), finding(finding_id="f1", subject="1", closed_us=NOW_US))
    assert verdicts(decide([over], {}, {}, None)[0]) == {"f1": "told"}


def test_begin_and_end_in_one_transaction_are_told_in_their_order() -> None:
    first = candidate(1)
    over = following(first, finding(finding_id="f1", subject="1", closed_us=NOW_US))
    notices, _ = decide([first, over], {}, {}, None)
    assert [(one.kind, one.verdict) for one in notices] == [("opened", "told"), ("resolved", "told")]


def test_a_told_alert_that_opens_again_goes_on() -> None:
    first = candidate(1)
    over = following(first, finding(finding_id="f1", subject="1", closed_us=NOW_US))
    again = following(over, finding(finding_id="f1", subject="1"))
    assert again.change.kind == "opened"
    before = decide([first, over], {}, {}, None)[0]
    notices, _ = decide([again], {first.change.alert.alert_id: before}, {"i1": "warning"}, None)
    assert [(one.verdict, one.why["because"]) for one in notices] == [("told", "goes_on")]


def test_what_a_retraction_took_back_speaks_for_nobody() -> None:
    first, members = candidate(1), {"f2": "i1"}
    gone = following(first, finding(finding_id="f1", subject="1", retracted=True))
    notices = decide([first, gone], {}, {}, None)[0]
    assert severities_told(notices, {"f1": "i1", **members}) == {}
    assert severities_told(notices[:1], {"f1": "i1"}) == {"i1": "warning"}


def test_a_held_one_waits_and_speaks_for_nobody_and_a_rise_is_told() -> None:
    first = candidate(1, hold=HELD)
    notices, _ = decide([first, candidate(2)], {}, {}, None)
    assert verdicts(notices) == {"f1": "held", "f2": "told"}
    assert (notices[-1].hold_id, notices[-1].why["because"]) == ("r1", "region_jammed")
    risen = following(first, finding(finding_id="f1", subject="1", severity="critical"))
    risen = msgspec.structs.replace(risen, hold=None)
    assert verdicts(decide([risen], {}, {"i1": "warning"}, None)[0]) == {"f1": "told"}


def week(**fields: Any) -> Account:
    return account(**({"allowance": 2.0} | fields))


def test_the_budget_never_holds_back_what_is_critical_or_plain() -> None:
    empty = week(allowance=0.0)
    notices, after = decide([candidate(1, "critical", "a", p_value=1.0), candidate(2, "warning", "b")], {}, {}, empty)
    assert set(verdicts(notices).values()) == {"told"}
    assert after == empty


def test_models_take_the_allowance_in_order_of_exposure_and_the_rest_waits() -> None:
    fleet = [
        candidate(1, incident="a", p_value=1e-9, exposure=(True, 5e6)),
        candidate(2, incident="b", p_value=1e-12, exposure=(False, 9e9)),
        candidate(3, incident="c", p_value=1e-9, exposure=(True, 4e7)),
        candidate(4, incident="d", p_value=1e-5, exposure=(True, 9e9)),
    ]
    for order in permutations(fleet):
        notices, after = decide(order, {}, {}, week())
        assert verdicts(notices) == {"f4": "not_significant", "f3": "told", "f1": "told", "f2": "over_budget"}
        assert after is not None
        assert (after.told, after.held_back) == (2, 2)
    waited = [one for one in notices if one.verdict == "over_budget"]
    assert {"p_value", "p_week", "level", "wealth", "test", "left", "agreed_value"} <= waited[0].why.keys()
    later, after = told_later([fleet[1], candidate(5, incident="e", p_value=1e-9)], {}, week(allowance=1.0))
    assert verdicts(later) == {"f2": "told"}
    assert after.told == 1


def test_a_model_speaks_through_the_incident_that_was_told_and_spends_nothing() -> None:
    notices, after = decide([candidate(1, p_value=1e-9)], {}, {"i1": "warning"}, week())
    assert (verdicts(notices), after) == ({"f1": "same_incident"}, week())


def jump(**fields: Any) -> FindingRow:
    return finding(
        **(
            {
                "rule": "position_jump",
                "detected_us": OPENED_US,
                "evidence": {"from_lat_deg": 54.5, "from_lon_deg": 20.0, "to_lat_deg": 44.0, "to_lon_deg": 33.0},
            }
            | fields
        )
    )


def test_a_region_holds_position_alerts_inside_it_and_no_others() -> None:
    assert hold_of(jump(), [REGION], None) == HELD
    assert hold_of(finding(evidence={"last_lat_deg": 54.3, "last_lon_deg": 19.9}), [REGION], None) == HELD
    assert hold_of(jump(rule="drifting"), [REGION], None) is None
    assert hold_of(jump(severity="critical"), [REGION], None) is None
    assert hold_of(jump(tenant="other"), [REGION], None) is None
    assert hold_of(jump(evidence={"lat_deg": 56.0, "lon_deg": 19.9}), [REGION], None) is None
    assert hold_of(jump(evidence={}), [REGION], None) is None
    named = msgspec.structs.replace(REGION, evidence=REGION.evidence | {"aircraft": ["imo:9074729"]})
    assert hold_of(jump(evidence={}), [named], None) == HELD
    over = msgspec.structs.replace(REGION, closed_us=NOW_US)
    assert hold_of(jump(), [over], None) is None


def test_a_region_explains_what_came_half_an_hour_before_it_was_seen() -> None:
    later = msgspec.structs.replace(REGION, opened_us=OPENED_US + SLACK_US)
    assert hold_of(jump(), [later], None) == HELD
    assert hold_of(jump(), [msgspec.structs.replace(later, opened_us=OPENED_US + SLACK_US + 1)], None) is None


def test_the_edge_of_a_region_is_its_radius() -> None:
    for lat_deg, held in ((55.29, True), (55.31, False)):  # 60 nm north of 54.3 on the ellipsoid: 55.298
        assert (hold_of(jump(evidence={"lat_deg": lat_deg, "lon_deg": 19.9}), [REGION], None) is not None) is held


def test_a_silent_feed_holds_the_gaps_of_its_assets_and_nothing_else() -> None:
    held = hold_of(finding(), [SILENT_FEED], "feed:coast")
    assert held is not None
    assert held.reason == "feed_silent"
    assert hold_of(finding(), [SILENT_FEED], "feed:other") is None
    assert hold_of(finding(), [SILENT_FEED], None) is None
    assert hold_of(jump(), [SILENT_FEED], "feed:coast") is None


def test_a_summary_names_what_stands_and_fits_into_an_event() -> None:
    alerts = [msgspec.structs.replace(opened(subject=str(number)), asset=f"icao24:{number:06x}") for number in range(300)]
    event = summary_of(REGION, alerts, 12, NOW_US)
    assert (event["type"], event["subject"]) == ("keelwing.hold.released.v1", "region:54.2N019.7E")
    told = event["data"]
    assert (told["standing"], told["ended"], len(told["alerts"]), told["more"]) == (300, 12, LISTED_MAX, 200)
    assert len(msgspec.json.encode(event)) < EVIDENCE_BYTES_MAX + 4_000
    assert event["id"] == release_event_id(REGION, alerts[::-1])


def test_a_change_nobody_must_hear_has_no_candidate() -> None:
    grown = applied(opened(), finding(evidence={"silent_h": 7.0}))
    assert isinstance(grown, AlertChange)
    assert not grown.notify
