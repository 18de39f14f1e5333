"""Circles in the air: how far round, how fast and how near they must be, and what ends them."""

from __future__ import annotations

from math import cos, radians, sin
from typing import Any

import pytest

NAME = "holding"


def flight(bench: Any, legs: list[tuple[int, float]], **fields: object) -> list[Any]:
    """Readings every 10 s over legs of (seconds, degrees a second), flown at 240 kn."""
    lat_deg, lon_deg, track_deg, second, readings = 48.0, 11.0, 90.0, 0, []
    told = {"on_ground": False, "gs_kn": 240.0, "alt_baro_ft": 9000.0} | fields
    for seconds, turn_deg_s in legs:
        for _ in range(seconds // 10):
            readings.append(bench.plane(second, lat_deg=lat_deg, lon_deg=lon_deg, track_deg=track_deg % 360.0, **told))
            run_deg = 240.0 / 3600.0 / 60.0 * 10.0
            lat_deg += run_deg * cos(radians(track_deg))
            lon_deg += run_deg * sin(radians(track_deg)) / cos(radians(lat_deg))
            track_deg += turn_deg_s * 10.0
            second += 10
    return readings


RACETRACK = [(60, 3.0), (60, 0.0)]


def test_a_racetrack_is_one_episode_with_its_side_and_its_turns(bench: Any) -> None:
    readings = flight(bench, [(600, 0.0), *RACETRACK * 8, (900, 0.0)])
    (finding,) = bench.last(bench.run(readings), NAME)
    assert (finding.severity, finding.evidence["side"]) == ("info", "right")
    assert finding.evidence["turned_deg"] == pytest.approx(8 * 180, abs=40)
    assert bench.at(540) <= finding.opened_at_us <= bench.at(720)
    assert bench.at(1560) < finding.closed_at_us <= bench.at(1560 + 360 + 120)


@pytest.mark.parametrize(("turned_deg", "found"), [(380, 1), (340, 0)])
def test_a_full_turn_is_needed(bench: Any, turned_deg: int, found: int) -> None:
    readings = flight(bench, [(300, 0.0), (turned_deg // 2, 2.0), (300, 0.0)])
    assert len(bench.last(bench.run(readings), NAME)) == found


@pytest.mark.parametrize(("deg_s", "found"), [(0.55, 1), (0.45, 0)])
def test_it_must_be_flown_within_twelve_minutes(bench: Any, deg_s: float, found: int) -> None:
    assert len(bench.last(bench.run(flight(bench, [(1500, deg_s)], gs_kn=120.0)), NAME)) == found


def test_turns_to_the_other_side_count_against_it(bench: Any) -> None:
    assert bench.last(bench.run(flight(bench, [(100, 2.0), (100, -2.0)] * 6)), NAME) == []


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"gs_kn": 100.0}, 1),
        ({"gs_kn": 99.0}, 0),
        ({"alt_baro_ft": 2000.0}, 1),
        ({"alt_baro_ft": 1999.0}, 0),
    ],
)
def test_low_and_slow_circles_are_something_else(bench: Any, fields: dict[str, object], found: int) -> None:
    assert len(bench.last(bench.run(flight(bench, RACETRACK * 6, **fields)), NAME)) == found


def test_circles_that_drift_15_nm_away_in_between_are_none(bench: Any) -> None:
    readings = flight(bench, [(60, 3.0), (500, 0.0), (60, 3.0)])  # out and back would be near; on and on is not
    assert bench.last(bench.run(readings), NAME) == []
