"""Which findings are one incident: the table of pairs, the distances in time, and that nothing depends on order."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.incident import (
    CONDITION_SLACK_US,
    EMERGENCY_SLACK_US,
    PAIRED,
    REACH_US,
    SILENCE_SLACK_US,
    SLACK_US,
    Member,
    explains,
    incident_id_of,
    incidents_of,
)
from fleet.instants import HOUR_US

START_US = 1_795_330_800_000_000


def member(rule: str, from_h: float, to_h: float | None = None, severity: str = "warning") -> Member:
    """A finding of a rule from one hour to another; without the second a point event."""
    opened_us = START_US + int(from_h * HOUR_US)
    closed_us = opened_us if to_h is None else START_US + int(to_h * HOUR_US)
    return Member(finding_id=f"{rule}@{from_h}", rule=rule, severity=severity, opened_us=opened_us, closed_us=closed_us)


def open_since(rule: str, from_h: float) -> Member:
    return Member(
        finding_id=f"{rule}@{from_h}", rule=rule, severity="warning", opened_us=START_US + int(from_h * HOUR_US), closed_us=None
    )


def rules_of(members: list[Member]) -> list[list[str]]:
    return [[one.rule for one in incident.members] for incident in incidents_of("acme", "ship", members)]


def test_a_silence_the_jump_on_return_the_changed_draught_and_the_clause_are_one_incident() -> None:
    story = [
        member("gap", 0, 30),
        member("position_jump", 30),
        member("draught_change", 0, 33),
        member("covenant_breach", 2, 30, "critical"),
    ]
    found = incidents_of("acme", "ship", story)
    assert len(found) == 1
    assert (found[0].severity, found[0].opened_us, found[0].closed_us) == ("critical", START_US, START_US + 33 * HOUR_US)
    assert found[0].incident_id == incident_id_of("acme", "ship", story[2])  # of two that begin together the first by id


def test_what_lies_apart_or_explains_nothing_stays_apart() -> None:
    assert rules_of([member("gap", 0, 10), member("position_jump", 10 + 6.01)]) == [["gap"], ["position_jump"]]
    assert rules_of([member("gap", 0, 10), member("channel_anomaly", 5, 8)]) == [["gap"], ["channel_anomaly"]]
    assert rules_of([member("survey_due", 0, 10), member("survey_due", 5, 8)]) == [["survey_due"], ["survey_due"]]


def test_the_slack_ends_where_it_says() -> None:
    hours = SILENCE_SLACK_US / HOUR_US
    assert explains(member("gap", 0, 10), member("position_jump", 10 + hours))
    assert not explains(member("gap", 0, 10), member("position_jump", 10 + hours + 0.001))
    hours = EMERGENCY_SLACK_US / HOUR_US
    assert explains(member("squawk_emergency", 0, 1), member("diversion", 1 + hours))
    assert not explains(member("squawk_emergency", 0, 1), member("diversion", 1 + hours + 0.001))


def test_faults_of_one_machine_begin_together_and_their_mere_overlap_ties_nothing() -> None:
    hours = CONDITION_SLACK_US / HOUR_US
    assert explains(open_since("channel_anomaly", 0), open_since("behaviour_anomaly", hours))
    assert not explains(open_since("channel_anomaly", 0), open_since("behaviour_anomaly", hours + 0.001))


def test_a_long_episode_explains_what_begins_in_its_first_days_and_around_its_end_alone() -> None:
    reach = (REACH_US + SILENCE_SLACK_US) / HOUR_US
    breach = open_since("covenant_breach", 0)
    assert explains(breach, member("gap", reach, reach + 8))
    assert not explains(breach, member("gap", reach + 0.001, reach + 8))
    over = member("gap", 0, 300)
    assert explains(over, member("position_jump", 300))
    assert explains(over, member("position_jump", 294))
    assert not explains(over, member("position_jump", 200))


def test_info_is_listed_and_ties_nothing() -> None:
    story = [member("loitering", 0, 20, "info"), member("encounter", 1, 3), member("encounter", 15, 18)]
    assert rules_of(story) == [["loitering", "encounter"], ["encounter"]]
    assert rules_of([member("gap", 0, 10, "info"), member("position_jump", 10, severity="info")]) == []


def test_every_rule_of_a_pair_is_one_that_exists_or_is_named_by_the_design() -> None:
    from detect.step import RULES

    named = {
        "gap", "position_jump", "position_conflict", "spoofed_track", "squawk_emergency", "speed_anomaly", "route_anomaly",
        "loitering", "drifting", "unexpected_stop", "draught_change", "encounter", "holding", "go_around", "rapid_descent",
        "diversion", "area_entered", "area_exited", "port_call_prohibited", "landing_prohibited", "covenant_breach",
        "channel_anomaly", "behaviour_anomaly", "performance_drift", "identity_changed",
    }  # fmt: skip
    assert named >= PAIRED
    assert all(rule.name in named or rule.name not in PAIRED for rule in RULES)
    assert all(len(pair) in {1, 2} for pair in SLACK_US)


MEMBERS = st.builds(
    member,
    st.sampled_from(sorted(PAIRED | {"survey_due"})),
    st.integers(0, 120).map(float),
    st.one_of(st.none(), st.integers(121, 200).map(float)),
    st.sampled_from(["info", "warning", "critical"]),
)


@settings(max_examples=25)
@given(st.lists(MEMBERS, max_size=12, unique_by=lambda one: one.finding_id), st.integers(0, 1000))
def test_the_order_of_findings_does_not_matter_and_each_serious_one_is_in_exactly_one(members: list[Member], seed: int) -> None:
    shuffled = Random(seed).sample(members, len(members))
    found = incidents_of("acme", "ship", members)
    assert incidents_of("acme", "ship", shuffled) == found
    listed = [one.finding_id for incident in found for one in incident.members if one.severity != "info"]
    assert sorted(listed) == sorted(one.finding_id for one in members if one.severity != "info")
    assert len({incident.incident_id for incident in found}) == len(found)
