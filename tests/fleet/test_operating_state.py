"""Operating states: which wins, what must last first, and that they cover the calendar to the microsecond."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.instants import DAY_US, HOUR_US, MINUTE_US
from fleet.operating_state import (
    STATES,
    USE_OF_STATE,
    Interval,
    StateLimits,
    Surroundings,
    Timeline,
    Way,
    contradicts,
    edge,
    look_at_state,
    shares,
    state_at,
)
from fleet.practice_book import HOUSE
from tests.fleet.fix_vectors import vector

SEA, PORT, BERTH = Surroundings(), Surroundings(port=True), Surroundings(port=True, berth=True)
ANCHORAGE, YARD = Surroundings(anchorage=True), Surroundings(port=True, yard=True)
Look = tuple[float, Surroundings, float | None, int | None]


def looked(looks: list[Look]) -> list[tuple[str, float, float]]:
    """(state, from, to) in minutes, of all that was let go and all that is kept back."""
    line = Timeline()
    said: list[Interval] = []
    for minute, here, sog_kn, nav_status in looks:
        said += look_at_state(line, round(minute * MINUTE_US), here, sog_kn, nav_status)
    return together([*said, *edge(line)])


def together(said: list[Interval]) -> list[tuple[str, float, float]]:
    found: list[tuple[str, float, float]] = []
    for one in said:
        begin, end = one.piece.start_us / MINUTE_US, one.end_us / MINUTE_US
        if found and found[-1][0] == one.piece.state and begin % (24 * 60):
            begin = found.pop()[1]
        found.append((one.piece.state, begin, end))
    return found


def test_the_golden_june_is_shared_by_calendar_and_by_known_time() -> None:
    golden = vector("SH7_util")
    assert sum(golden["hours"].values()) == golden["total"]
    calendar, known = shares(golden["hours"])["at_sea"]
    assert calendar * 100 == pytest.approx(golden["sea_pct"], rel=1e-6)
    assert known is not None
    assert known * 100 == pytest.approx(golden["sea_pct_known"], rel=1e-6)
    assert shares(golden["hours"])["unknown"][1] is None


def test_every_state_is_one_of_the_six_classes_of_use() -> None:
    assert set(USE_OF_STATE) == set(STATES)
    assert set(USE_OF_STATE.values()) == set(vector("SH7_util")["hours"])


@pytest.mark.parametrize(
    ("here", "sog_kn", "nav_status", "state"),
    [
        (BERTH, 0.4, 0, "moored"), (SEA, 0.4, 5, "moored"), (SEA, 0.5, 5, "at_sea"), (SEA, 0.9, 1, "anchored"),
        (SEA, 1.0, 1, "at_sea"), (PORT, 5.0, 0, "manoeuvring"), (PORT, 5.1, 0, "at_sea"), (SEA, 0.0, 0, "at_sea"),
        (BERTH, 0.1, 1, "moored"), (PORT, None, 5, "unknown"),
    ],
)  # fmt: skip
def test_what_one_look_says(here: Surroundings, sog_kn: float | None, nav_status: int | None, state: str) -> None:
    assert state_at(here, sog_kn, nav_status) == state


def test_adrift_is_known_after_half_an_hour_and_then_from_the_beginning() -> None:
    line = Timeline()
    said = [one for minute in (0, 10, 29) for one in look_at_state(line, minute * MINUTE_US, SEA, 2.9 if minute else 12.0, 0)]
    assert together(said) == [("at_sea", 0, 10)]
    assert together(edge(line)) == [("at_sea", 10, 29)]
    said = look_at_state(line, 40 * MINUTE_US, SEA, 12.0, 0)
    assert together(said) == [("drifting", 10, 40)]
    assert edge(line) == []


def test_less_than_half_an_hour_adrift_is_still_at_sea() -> None:
    assert looked([(0, SEA, 12, 0), (10, SEA, 1, 0), (39, SEA, 12, 0), (60, SEA, 12, 0)]) == [("at_sea", 0, 60)]


def test_slow_in_an_anchorage_for_half_an_hour_is_anchored_whatever_the_status() -> None:
    assert looked([(0, ANCHORAGE, 0.3, 0), (20, ANCHORAGE, 0.3, 0), (30, ANCHORAGE, 8, 0), (40, SEA, 12, 0)]) == [
        ("anchored", 0, 30), ("at_sea", 30, 40),
    ]  # fmt: skip


def test_two_days_on_the_blocks_turn_into_drydock_and_less_does_not() -> None:
    slow: list[Look] = [(60 * hour, YARD, 0.0, 5) for hour in range(0, 49, 4)]
    assert {state for state, _, _ in looked([*slow, (2884, PORT, 6, 0)])} == {"drydock"}
    assert {state for state, _, _ in looked([*slow[:-1], (2879, PORT, 6, 0)])} == {"moored"}


def test_in_a_port_without_berths_on_the_map_half_an_hour_still_is_moored() -> None:
    assert looked([(0, PORT, 0.1, 0), (29, PORT, 3, 0), (60, PORT, 0.1, 0), (90, PORT, 3, 0), (95, PORT, 3, 0)]) == [
        ("manoeuvring", 0, 60), ("moored", 60, 90), ("manoeuvring", 90, 95),
    ]  # fmt: skip


def test_six_hours_without_a_look_are_unknown_and_less_is_not() -> None:
    assert looked([(0, SEA, 12, 0), (360, SEA, 12, 0), (719, SEA, 12, 0)]) == [("unknown", 0, 360), ("at_sea", 360, 719)]


def test_a_moored_ship_at_speed_is_a_conflict_and_not_moored() -> None:
    assert contradicts(5, 3.1)
    assert not contradicts(5, 3.0)
    line = Timeline()
    look_at_state(line, 0, SEA, 9.0, 5)
    (only,) = look_at_state(line, HOUR_US, SEA, 9.0, 0)
    assert (only.piece.state, only.piece.conflicts) == ("at_sea", 1)


def test_pieces_end_at_midnight_and_share_the_distance_by_time() -> None:
    line = Timeline()
    look_at_state(line, DAY_US - HOUR_US, SEA, 12.0, 0)
    said = [*look_at_state(line, DAY_US + 3 * HOUR_US, SEA, 12.0, 0, Way(distance_m=8000.0)), *edge(line)]
    assert [(one.piece.distance_m, one.end_us) for one in said] == [(2000.0, DAY_US), (6000.0, DAY_US + 3 * HOUR_US)]


def test_the_limits_are_the_house_s_figures() -> None:
    assert StateLimits.of(HOUSE, date(2026, 11, 22)) == StateLimits()


LOOKS = st.lists(
    st.tuples(
        st.integers(1, 9 * 60),
        st.sampled_from([SEA, PORT, BERTH, ANCHORAGE, YARD]),
        st.sampled_from([0.0, 0.3, 0.8, 2.0, 4.0, 12.0, None]),
        st.sampled_from([None, 0, 1, 5]),
        st.floats(0, 1e5),
    ),
    min_size=2,
    max_size=60,
)


@settings(max_examples=100, deadline=None)
@given(LOOKS, st.integers(0, 2_000_000))
def test_states_lie_end_to_end_and_keep_every_metre(
    looks: list[tuple[int, Surroundings, float | None, int | None, float]], start_min: int
) -> None:
    line = Timeline()
    said: list[Interval] = []
    first_us = time_us = start_min * MINUTE_US
    sailed_m = 0.0
    for index, (minutes, here, sog_kn, nav_status, metres) in enumerate(looks):
        time_us += minutes * MINUTE_US
        first_us = time_us if index == 0 else first_us
        sailed_m += metres if index else 0.0
        said += look_at_state(line, time_us, here, sog_kn, nav_status, Way(distance_m=metres if index else 0.0))
    said += edge(line)
    assert said[0].piece.start_us == first_us
    assert all(one.end_us == after.piece.start_us for one, after in pairwise(said))
    assert said[-1].end_us == time_us
    assert all(one.piece.start_us // DAY_US == (one.end_us - 1) // DAY_US for one in said)
    assert sum(one.piece.distance_m for one in said) == pytest.approx(sailed_m, abs=1e-6)
    assert sum(one.end_us - one.piece.start_us for one in said if one.piece.state == "unknown") == sum(
        one.end_us - one.piece.start_us - one.observed_us for one in said
    )
