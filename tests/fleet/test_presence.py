"""Presence: inside by fixes, or possible where nobody heard it and its speed would have sufficed."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.area import shape_of
from fleet.geodesy import NM_M, destination
from fleet.instants import HOUR_US, MINUTE_US
from fleet.practice_book import HOUSE
from fleet.presence import (
    Fix,
    HourBox,
    Inside,
    Silence,
    coverage_of,
    gap_us,
    inside_of,
    may_reach,
    reach_of,
    settled,
    speed_kn,
)

ON = date(2026, 11, 26)
GAP_US = gap_us(HOUSE, ON)
SQUARE = shape_of({"type": "Polygon", "coordinates": [[[10, 50], [11, 50], [11, 51], [10, 51], [10, 50]]]})


def fix(minute: float, lat: float, lon: float) -> Fix:
    return Fix(round(minute * MINUTE_US), lat, lon)


def hour(number: int, *sides: float) -> HourBox:
    """The hour of that number, with south, north, west and east."""
    return HourBox(number * HOUR_US, *sides)


WITHIN = (50.2, 50.4, 10.2, 10.4)


def test_only_hours_between_others_inside_need_no_look() -> None:
    boxes = [hour(n, *WITHIN) for n in range(1, 5)] + [hour(6, 49.9, 50.1, 10.2, 10.4), hour(7, 52.0, 52.4, 10.2, 10.4)]
    whole, looked_at = settled(SQUARE, boxes)
    assert [each // HOUR_US for each in whole] == [2, 3]
    assert [each // HOUR_US for each in looked_at] == [1, 4, 6]


def test_of_two_streams_both_must_lie_inside() -> None:
    boxes = [hour(n, *WITHIN) for n in range(3)] + [hour(1, 50.5, 51.5, 10.2, 10.4)]
    assert settled(SQUARE, boxes)[0] == []


def test_an_hour_over_180_is_looked_at() -> None:
    assert settled(SQUARE, [hour(1, 50.2, 50.4, -179.9, 179.9)]) == ([], [HOUR_US])


def test_fixes_inside_are_one_stretch_until_one_lies_outside() -> None:
    fixes = [fix(0, 49, 10.5), fix(10, 50.5, 10.5), fix(20, 50.5, 10.6), fix(30, 52, 10.6), fix(40, 50.5, 10.6)]
    assert inside_of(SQUARE, [], fixes, GAP_US) == [
        Inside(10 * MINUTE_US, 20 * MINUTE_US, 2), Inside(40 * MINUTE_US, 40 * MINUTE_US, 1),
    ]  # fmt: skip


def test_whole_hours_and_fixes_join_and_a_gap_parts_them() -> None:
    fixes = [fix(130, 50.5, 10.5), fix(300, 50.5, 10.5)]
    assert inside_of(SQUARE, [0, HOUR_US], fixes, GAP_US) == [
        Inside(0, 130 * MINUTE_US, 1), Inside(300 * MINUTE_US, 300 * MINUTE_US, 1),
    ]  # fmt: skip


def test_coverage_is_what_lies_in_no_silence() -> None:
    assert coverage_of([(0, 70 * MINUTE_US), (130 * MINUTE_US, 200 * MINUTE_US)], 0, 400 * MINUTE_US) == pytest.approx(260 / 400)
    assert coverage_of([(-HOUR_US, 2 * HOUR_US)], 0, HOUR_US) == 0.0


def test_the_speed_needed_is_that_of_the_detour() -> None:
    """Sixty miles south of the edge and back there two hours later: sixty miles an hour, and no less."""
    south = destination(50.0, 10.5, 180.0, 60 * NM_M)
    silence = Silence(0, 2 * HOUR_US, fix(0, *south), fix(120, *south))
    reach = reach_of(SQUARE, silence)
    assert reach.needed_kn == pytest.approx(60.0, rel=1e-3)
    assert (reach.before_m or 0) / NM_M == pytest.approx(60.0, rel=1e-3)
    assert reach.needed_kn > speed_kn(HOUSE, "vessel", ON)
    assert reach_of(SQUARE, silence._replace(to_us=5 * HOUR_US, after=fix(300, *south))).needed_kn == pytest.approx(
        24.0, rel=1e-3
    )


def test_who_passes_through_needs_the_straight_way_alone() -> None:
    south, north = destination(50.0, 10.5, 180.0, 30 * NM_M), destination(51.0, 10.5, 0.0, 30 * NM_M)
    reach = reach_of(SQUARE, Silence(0, 10 * HOUR_US, fix(0, *south), fix(600, *north)))
    assert reach.needed_kn == pytest.approx(12.0, rel=0.01)


def test_an_end_inside_needs_no_speed_and_no_end_says_nothing() -> None:
    assert reach_of(SQUARE, Silence(0, HOUR_US, fix(0, 50.5, 10.5), None)).needed_kn == 0.0
    assert reach_of(SQUARE, Silence(0, HOUR_US, None, None)).needed_kn == math.inf


def test_who_is_silent_still_may_have_come_as_far_as_time_allows() -> None:
    south = destination(50.0, 10.5, 180.0, 50 * NM_M)
    assert reach_of(SQUARE, Silence(0, 2 * HOUR_US, fix(0, *south), None)).needed_kn == pytest.approx(25.0, rel=1e-3)


def test_over_180_the_near_side_counts() -> None:
    fiji = shape_of(
        {"type": "Polygon", "coordinates": [[[178.5, -19], [-178.5, -19], [-178.5, -17], [178.5, -17], [178.5, -19]]]}
    )
    reach = reach_of(fiji, Silence(0, HOUR_US, fix(0, -18, -178.0), fix(60, -18, -178.0)))
    assert (reach.before_m or 0) / NM_M == pytest.approx(28.6, rel=0.01)


@settings(max_examples=60, deadline=None)
@given(st.floats(-80, 80), st.floats(-180, 179.9), st.floats(0.5, 400), st.floats(5, 40))
def test_the_cheap_test_never_loses_a_silence_that_reaches(lat: float, lon: float, hours: float, knots: float) -> None:
    silence = Silence(0, round(hours * HOUR_US), fix(0, lat, lon), fix(hours * 60, lat / 2, lon))
    reaches = reach_of(SQUARE, silence).needed_kn <= knots
    assert not reaches or may_reach(SQUARE, [silence], knots) == [silence]


MARKS = st.lists(st.tuples(st.integers(0, 500), st.booleans()), max_size=40)


@settings(max_examples=100)
@given(MARKS)
def test_every_fix_inside_lies_in_one_stretch_and_none_outside_does(marks: list[tuple[int, bool]]) -> None:
    at = dict(marks)
    fixes = [fix(minute, 50.5 if inside else 40.0, 10.5) for minute, inside in sorted(at.items())]
    stretches = inside_of(SQUARE, [], fixes, GAP_US)
    for one in fixes:
        within = [stretch for stretch in stretches if stretch.from_us <= one.time_us <= stretch.to_us]
        assert len(within) == (one.lat_deg == 50.5)
    assert sum(stretch.fixes for stretch in stretches) == sum(at.values())
