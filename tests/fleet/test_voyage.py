"""Distance sailed, draught believed, and what was laden: golden figures, impossible legs, the date line and the poles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.geodesy import NM_M, destination, distance_m
from fleet.instants import HOUR_US, MINUTE_US, SECOND_US
from fleet.practice_book import HOUSE
from fleet.voyage import Draught, Leg, Track, VoyageLimits, loading, sail, type_draught
from tests.fleet.fix_vectors import vector


def sailed(points: Sequence[tuple[float, float, float]]) -> tuple[float, list[Leg]]:
    """Metres and legs of (minute, lat, lon)."""
    track = Track()
    legs = [sail(track, round(minute * MINUTE_US), lat_deg, lon_deg) for minute, lat_deg, lon_deg in points]
    return sum(leg.distance_m for leg in legs), legs


def test_the_golden_jump_is_dropped_with_its_implied_speed() -> None:
    golden = vector("SH10_jump")
    metres, legs = sailed([(0, *golden["a"]), (golden["dt_s"] / 60, *golden["b"])])
    assert (metres, legs[1].dropped, legs[1].believed) == (0.0, 1, False)
    assert legs[1].implied_kn == pytest.approx(golden["implied_kn"], rel=1e-6)


def test_the_golden_route_is_the_sum_of_its_legs() -> None:
    golden = vector("SH9_route")
    metres, _ = sailed([(index * 10 * 24 * 60, *point) for index, point in enumerate(golden["points"])])
    assert metres / NM_M == pytest.approx(golden["nm"], abs=1e-4)


def test_the_golden_ballast_ratio() -> None:
    golden = vector("SH7_util")
    found = loading([(golden["laden_nm"] * NM_M, "laden"), (golden["ballast_nm"] * NM_M, "ballast"), (9e9, "partial")])
    assert found.ballast_ratio == pytest.approx(golden["ballast_ratio"], rel=1e-6)
    assert loading([(1.0, "unknown")]).ballast_ratio is None


def test_one_false_position_costs_one_leg_and_no_distance() -> None:
    way = [(minute, 50.0, minute / 60 * 0.2) for minute in range(0, 60, 10)]
    honest, _ = sailed(way)
    spoofed, legs = sailed([*way[:3], (21, 55.0, 30.0), *way[3:]])
    assert spoofed == pytest.approx(honest)
    assert sum(leg.dropped for leg in legs) == 1


def test_a_ship_that_stays_off_her_track_is_believed_at_the_third_look() -> None:
    _, legs = sailed([(0, 50.0, 0.0), (10, 55.0, 30.0), (20, 55.0, 30.01), (30, 55.0, 30.02), (40, 55.0, 30.03)])
    assert [leg.believed for leg in legs] == [True, False, False, True, True]
    assert sum(leg.dropped for leg in legs) == 1
    assert sum(leg.distance_m for leg in legs) == pytest.approx(distance_m(55.0, 30.02, 55.0, 30.03))


def test_a_ship_at_a_berth_sails_nowhere() -> None:
    swaying = [(minute, 51.9 + (minute % 3) * 1e-5, 4.0 - (minute % 2) * 1e-5) for minute in range(600)]
    assert sailed(swaying)[0] == 0.0


@pytest.mark.parametrize("heading_deg", [0.0, 45.0, 90.0, 270.0])
@pytest.mark.parametrize("start", [(0.0, 179.95), (-60.0, -179.99), (89.9, 10.0), (-89.95, -170.0)])
def test_distance_knows_no_date_line_and_no_pole(start: tuple[float, float], heading_deg: float) -> None:
    points, at = [(0.0, *start)], start
    for minute in range(10, 200, 10):
        after = destination(*at, heading_deg, 3000.0)
        points.append((minute, *after))
        at = after
    assert sailed(points)[0] == pytest.approx(19 * 3000.0, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-89, 89), st.floats(-180, 179.9), st.integers(1, 5000)), min_size=1, max_size=40))
def test_no_leg_is_faster_than_the_limit(points: list[tuple[float, float, int]]) -> None:
    track, time_us, dropped = Track(), 0, 0
    for lat_deg, lon_deg, minutes in points:
        before_us = track.from_us
        time_us += minutes * MINUTE_US
        leg = sail(track, time_us, lat_deg, lon_deg)
        dropped += leg.dropped
        if before_us is not None and leg.distance_m:
            assert leg.distance_m / NM_M / ((time_us - before_us) / HOUR_US) <= 50.0 + 1e-9
    assert dropped < len(points)


def test_a_draught_is_believed_near_a_stop_and_when_it_differs_by_half_a_metre() -> None:
    draught = Draught()
    assert type_draught(draught, 0, 9.0)
    draught.stopped_us = 0
    assert not type_draught(draught, HOUR_US, 9.4)
    assert type_draught(draught, 2 * HOUR_US, 9.5)
    assert not type_draught(draught, 12 * HOUR_US + SECOND_US, 14.0)
    assert (draught.believed_m, draught.typed_m, draught.refused) == (9.5, 14.0, 1)


def test_a_draught_without_any_stop_is_refused_once_however_often_it_is_repeated() -> None:
    draught = Draught()
    for minute, typed_m in enumerate((9.0, 12.0, 12.0, 12.0)):
        type_draught(draught, minute * MINUTE_US, typed_m)
    assert (draught.believed_m, draught.refused) == (9.0, 1)


def test_the_limits_are_the_house_s_figures() -> None:
    assert VoyageLimits.of(HOUSE, date(2026, 11, 22)) == VoyageLimits()
