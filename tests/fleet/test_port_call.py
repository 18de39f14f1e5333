"""Port calls: the golden call, its hysteresis, its confidence, and what silence does to it."""

from __future__ import annotations

from datetime import date

import pytest

from fleet.instants import MINUTE_US
from fleet.port_call import PortCall, PortCallState, PortDistance, PortEvent, PortLimits, call_confidence, look_at_port
from fleet.practice_book import HOUSE
from tests.fleet.fix_vectors import vector

Look = tuple[float, float, float | None]


def walked(looks: list[Look], state: PortCallState | None = None) -> tuple[list[PortEvent], list[PortCall], PortCallState]:
    """Looks at one port as (minute, km, kn), as the golden vector has them."""
    state = state or PortCallState()
    events: list[PortEvent] = []
    calls: list[PortCall] = []
    for minute, km, sog_kn in looks:
        near = [PortDistance("P", km)] if km < 4.0 else []
        step = look_at_port(state, round(minute * MINUTE_US), near, sog_kn)
        events += step.events
        calls += [step.ended] if step.ended else []
    return events, calls, state


def kinds(events: list[PortEvent]) -> list[tuple[float, str]]:
    return [(event.time_us / MINUTE_US, event.kind.upper()) for event in events]


def test_the_golden_call_has_its_six_events_and_confidence_four() -> None:
    golden = vector("SH11_portcall")
    events, calls, _ = walked([tuple(look) for look in golden["seq_min_km_kn"]])
    assert kinds(events) == [tuple(event) for event in golden["events"]]
    assert [call.confidence for call in calls] == [4]


@pytest.mark.parametrize(
    ("entered", "left", "stopped", "confidence"),
    [
        (True, True, True, 4), (True, False, True, 3), (False, True, True, 3), (False, False, True, 2),
        (True, True, False, 1), (False, False, False, 1),
    ],
)  # fmt: skip
def test_confidence_is_what_was_seen_of_a_call(entered: bool, left: bool, stopped: bool, confidence: int) -> None:
    assert call_confidence(entered, left, stopped) == confidence


def test_between_three_and_four_kilometres_nothing_changes() -> None:
    events, _, _ = walked([(0, 9.0, 12.0), (10, 3.4, 8.0), (20, 2.9, 8.0), (30, 3.9, 8.0), (40, 2.0, 8.0), (50, 4.0, 9.0)])
    assert kinds(events) == [(20, "PORT_ENTRY"), (50, "PORT_EXIT")]


def test_between_two_and_five_tenths_of_a_knot_a_stop_neither_begins_nor_ends() -> None:
    events, _, _ = walked([(0, 9.0, 9.0), (9, 1.0, 0.4), (10, 1.0, 0.2), (20, 1.0, 0.49), (30, 1.0, 0.5), (40, 1.0, 0.3)])
    assert [kind for _, kind in kinds(events)] == ["PORT_ENTRY", "PORT_STOP_BEGIN", "PORT_STOP_END"]


def test_an_unknown_speed_neither_stops_a_ship_nor_sets_her_moving() -> None:
    events, _, state = walked([(0, 9.0, 9.0), (10, 1.0, None), (20, 1.0, 0.1), (30, 1.0, None)])
    assert [kind for _, kind in kinds(events)] == ["PORT_ENTRY", "PORT_STOP_BEGIN"]
    assert state.call is not None
    assert state.call.stopped


def test_a_ship_that_was_there_at_first_sight_has_no_entry() -> None:
    events, calls, _ = walked([(0, 1.0, 0.0), (60, 1.0, 0.0), (90, 9.0, 9.0)])
    assert [kind for _, kind in kinds(events)] == ["PORT_STOP_BEGIN", "PORT_STOP_END", "PORT_EXIT"]
    assert (calls[0].entry_us, calls[0].confidence) == (None, 3)


def test_a_silence_of_four_hours_in_port_is_a_gap_and_one_of_less_is_not() -> None:
    just, _, _ = walked([(0, 9.0, 9.0), (1, 1.0, 5.0), (241, 1.0, 5.0)])
    less, _, _ = walked([(0, 9.0, 9.0), (1, 1.0, 5.0), (240.99, 1.0, 5.0)])
    assert kinds(just)[1:] == [(241, "PORT_GAP_BEGIN"), (241, "PORT_GAP_END")]
    assert [kind for _, kind in kinds(less)] == ["PORT_ENTRY"]


def test_a_ship_that_left_in_a_silence_left_when_she_was_seen_outside_and_the_call_says_so() -> None:
    _, calls, _ = walked([(0, 9.0, 9.0), (1, 1.0, 0.0), (601, 30.0, 12.0)])
    assert (calls[0].exit_us, calls[0].across_gap, calls[0].confidence) == (601 * MINUTE_US, True, 4)


def test_the_next_look_in_another_port_leaves_the_voyage_its_time() -> None:
    state = PortCallState()
    look_at_port(state, 0, [], 9.0)
    look_at_port(state, 10 * MINUTE_US, [PortDistance("A", 1.0)], 0.0)
    step = look_at_port(state, 90 * MINUTE_US, [PortDistance("B", 0.5)], 0.0)
    assert step.ended is not None
    assert (step.ended.port_id, step.ended.exit_us) == ("A", 10 * MINUTE_US)
    assert state.call is not None
    assert (state.call.port_id, state.call.entry_us) == ("B", 90 * MINUTE_US)


def test_a_call_is_named_by_where_she_stopped_not_by_what_she_passed() -> None:
    state = PortCallState()
    look_at_port(state, 0, [], 9.0)
    look_at_port(state, 10, [PortDistance("PASSED", 2.0), PortDistance("STOPPED", 3.5)], 6.0)
    look_at_port(state, 20, [PortDistance("STOPPED", 0.2), PortDistance("PASSED", 3.0)], 0.1)
    assert state.call is not None
    assert state.call.port_id == "STOPPED"


def test_the_limits_are_the_house_s_figures() -> None:
    assert PortLimits.of(HOUSE, date(2026, 11, 22)) == PortLimits()
