"""Positions that no hull made: each manner on both sides of its thresholds, and seeded twins of what real tracks do not hold."""

from __future__ import annotations

from math import cos, radians, sin
from random import Random
from typing import Any

import msgspec
import pytest

from detect.circle import fitted
from detect.replay import KEPT_MAX, Replay, remember
from tests.detect.test_position_jump import NM_DEG, fly, sail, voyage


class Inland:
    """A mask on which everything north of 1° N is land, and a degree of latitude 111 km."""

    def is_land(self, lat_deg: float, _lon_deg: float) -> bool:
        return lat_deg > 1.0

    def off_coast_km(self, lat_deg: float, _lon_deg: float) -> float:
        return (1.0 - lat_deg) * 111.0


def spoofs(bench: Any, readings: list[Any], around: Any = None, until: float | None = None) -> list[Any]:
    found: list[Any] = bench.last(bench.run(readings, until=until, around=around), "spoofed_track")
    return found


def ring(bench: Any, from_s: int, to_s: int, **shape: float) -> list[Any]:
    """A circle about a centre north of the voyage: `north_nm`, `radius_nm`, `turn_s`, `noise` (share of the radius)."""
    given = {"north_nm": 100.0, "radius_nm": 1.0, "turn_s": 1800.0, "noise": 0.01} | shape
    rng, readings = Random(7), []
    for second in range(from_s, to_s, 30):
        angle = radians(second / given["turn_s"] * 360.0)
        radius = given["radius_nm"] * (1 + rng.gauss(0, given["noise"])) * NM_DEG
        lat_deg = given["north_nm"] * NM_DEG + radius * cos(angle)
        lon_deg = radius * sin(angle) / cos(radians(lat_deg))
        readings.append(bench.ship(second, lat_deg=lat_deg, lon_deg=lon_deg, sog_kn=12.0, cog_deg=second % 360))
    return readings


@pytest.mark.parametrize(
    ("shape", "minutes", "found"),
    [
        ({}, 40, 1),
        ({}, 28, 0),  # not yet once around
        ({"noise": 0.30}, 60, 0),  # no circle
        ({"north_nm": 45.0}, 60, 0),  # too near to where it would be
        ({"north_nm": 58.0}, 60, 1),
        ({"radius_nm": 0.03}, 60, 0),  # a receiver's noise
    ],
)
def test_a_full_turn_about_a_point_far_off_after_a_jump_is_a_circle(
    bench: Any, shape: dict[str, float], minutes: int, found: int
) -> None:
    circles = spoofs(bench, [*voyage(bench, 0, 600), *ring(bench, 600, 600 + 60 * minutes, **shape)])
    assert len(circles) == found
    for circle in circles:
        assert (circle.severity, circle.evidence["manner"], circle.closed_at_us) == ("warning", "circle", None)
        assert circle.evidence["radius_nm"] == pytest.approx(shape.get("radius_nm", 1.0), rel=0.05)
        assert abs(circle.evidence["turns"]) >= 1.0


def test_a_circle_is_over_when_it_is_left_and_none_without_a_jump(bench: Any) -> None:
    whole = [*voyage(bench, 0, 600), *ring(bench, 600, 4200), *voyage(bench, 4200, 5400)]
    (circle,) = spoofs(bench, whole)
    assert bench.at(4200) <= circle.closed_at_us <= bench.at(4500)
    assert spoofs(bench, ring(bench, 0, 7200)) == []


@pytest.mark.parametrize(
    ("north_nm", "minutes", "found"),
    [(63.0, 30, 0), (66.0, 30, 1), (90.0, 9, 0), (90.0, 12, 1)],  # 8 km inland lies 64.3 nm north
)
def test_after_a_jump_far_inland_for_ten_minutes_a_ship_is_on_land(
    bench: Any, surroundings: Any, north_nm: float, minutes: int, found: int
) -> None:
    readings = [*voyage(bench, 0, 600), *voyage(bench, 600, 600 + minutes * 60, north_nm=north_nm, every_s=30)]
    lands = spoofs(bench, readings, surroundings(land=Inland()))
    assert len(lands) == found
    assert [land.evidence["manner"] for land in lands] == ["on_land"] * found
    assert spoofs(bench, readings) == []  # no mask of land, no statement


def test_a_ship_of_inland_waters_and_one_that_sails_up_a_river_are_not_on_land(bench: Any, surroundings: Any) -> None:
    inland = [*voyage(bench, 0, 600, north_nm=120), *voyage(bench, 600, 3600, north_nm=150)]
    assert spoofs(bench, inland, surroundings(land=Inland())) == []
    upriver = [bench.ship(60.0 * i, lat_deg=0.5 + 0.2 * i / 60, lon_deg=0.0, sog_kn=12.0, cog_deg=0.0) for i in range(400)]
    assert spoofs(bench, upriver, surroundings(land=Inland())) == []


def test_a_second_hull_on_a_river_is_not_on_land(bench: Any, surroundings: Any) -> None:
    both = [sail(bench, second, north_nm=90.0 if second % 60 else 0.0) for second in range(0, 3600, 30)]
    assert spoofs(bench, [*voyage(bench, -600, 0), *both], surroundings(land=Inland())) == []


def still(bench: Any, from_s: int, to_s: int, speeds: int, every_s: int = 60, **more: Any) -> list[Any]:
    """The same position again and again, with so many different speeds."""
    return [
        bench.ship(second, **({"lat_deg": 0.0, "lon_deg": 0.05, "sog_kn": 12.0 + 0.1 * (i % speeds), "cog_deg": 90.0} | more))
        for i, second in enumerate(range(from_s, to_s, every_s))
    ]


@pytest.mark.parametrize(
    ("minutes", "speeds", "more", "found"),
    [
        (29, 5, {}, 0),
        (33, 5, {}, 1),
        (60, 2, {}, 0),  # a receiver that repeats itself
        (60, 5, {"sog_kn": 2.9}, 0),
        (60, 5, {"sog_kn": None}, 0),
    ],
)
def test_a_position_that_stands_while_the_ship_moves_is_frozen(
    bench: Any, minutes: int, speeds: int, more: dict[str, Any], found: int
) -> None:
    frozen = spoofs(bench, [*voyage(bench, 0, 600), *still(bench, 600, 600 + 60 * minutes, speeds, **more)])
    assert [finding.evidence["manner"] for finding in frozen] == ["frozen"] * found


def test_frozen_is_over_when_the_position_moves(bench: Any) -> None:
    (frozen,) = spoofs(bench, [*still(bench, 0, 3600, 5), *voyage(bench, 3600, 4200)])
    assert (frozen.opened_at_us, frozen.closed_at_us) == (bench.at(60), bench.at(3600))


@pytest.mark.parametrize(("minutes", "found"), [(9, 0), (14, 1)])
def test_an_aircraft_that_flies_on_the_spot_is_frozen(bench: Any, minutes: int, found: int) -> None:
    readings = [
        fly(bench, second, gs_kn=400.0 + i % 7, track_deg=80.0 + i % 5) for i, second in enumerate(range(0, 60 * minutes, 20))
    ]
    stuck = [msgspec.structs.replace(one, lon_deg=0.0) for one in readings]
    assert len(spoofs(bench, stuck)) == found


def wander(bench: Any, from_s: int, to_s: int, seed: int, shift_s: int = 0, every_s: int = 20) -> list[Any]:
    """A ship's seeded way, or the same way reported later."""
    rng, lat_deg, lon_deg, course, readings = Random(seed), 10.0, 20.0, 40.0, []
    for second in range(from_s, to_s, every_s):
        course += rng.uniform(-3, 3)
        run_deg = 12.0 * every_s / 3600 * NM_DEG
        lat_deg, lon_deg = lat_deg + run_deg * cos(radians(course)), lon_deg + run_deg * sin(radians(course))
        where = {"lat_deg": round(lat_deg, 6), "lon_deg": round(lon_deg, 6)}
        readings.append(bench.ship(second + shift_s, **where, sog_kn=12.0, cog_deg=course % 360))
    return readings


def test_a_past_hour_played_again_is_a_repeated_track_and_its_first_time_is_not(bench: Any) -> None:
    first = wander(bench, 0, 3600, seed=3)
    assert spoofs(bench, first) == []
    again = [*first, *wander(bench, 0, 3600, seed=3, shift_s=3605)]
    (repeated,) = spoofs(bench, again)
    assert (repeated.severity, repeated.evidence["manner"], repeated.evidence["shift_min"]) == ("warning", "repeated", 60.08)
    assert repeated.evidence["repeated_positions"] >= 6
    assert repeated.detected_at_us <= bench.at(3605 + 1800)
    (over,) = spoofs(bench, [*again, *wander(bench, 7300, 9000, seed=4)])
    assert over.closed_at_us is not None


@pytest.mark.parametrize(("minutes", "found"), [(14, 0), (30, 1)])
def test_a_repetition_must_last(bench: Any, minutes: int, found: int) -> None:
    again = wander(bench, 0, 60 * minutes, seed=5, shift_s=2700)
    assert len(spoofs(bench, [*wander(bench, 0, 2400, seed=5), *again])) == found


@pytest.mark.parametrize(("shift_s", "run"), [(599, 0), (600, 20)])
def test_what_comes_again_within_ten_minutes_is_a_receivers(shift_s: int, run: int) -> None:
    replay = Replay()
    for again_s in (0, shift_s):
        for i in range(20):
            remember(replay, (again_s + i * 20) * 1_000_000, 10.0 + i * 1e-2, 20.0, 12.0)
    assert replay.run == run


@pytest.mark.parametrize(("shift_s", "run"), [(3 * 3600, 12), (3 * 3600 + 1, 0)])
def test_what_comes_again_after_more_than_three_hours_is_new_of_a_ship_heard_seldom_too(shift_s: int, run: int) -> None:
    replay = Replay()
    for again_s in (0, shift_s):
        for i in range(12):  # every five minutes: far fewer than are kept
            remember(replay, (again_s + i * 300) * 1_000_000, 10.0 + i * 1e-2, 20.0, 12.0)
    assert replay.run == run


def test_a_track_that_is_played_again_and_again_is_one_run_and_not_forgotten() -> None:
    replay = Replay()
    for turn in range(6):
        for i in range(12):
            remember(replay, (turn * 3600 + i * 300) * 1_000_000, 10.0 + i * 1e-2, 20.0, 12.0)
    assert (replay.run, replay.shift_s) == (5 * 12, 3600)


def test_messages_that_come_twice_between_new_ones_are_no_repeated_track(bench: Any) -> None:
    new, old = wander(bench, 0, 7200, seed=6), wander(bench, 0, 5400, seed=6, shift_s=1807)
    assert spoofs(bench, sorted([*new, *old], key=lambda one: one.time_us)) == []


def test_a_ship_at_her_berth_repeats_positions_and_no_track(bench: Any) -> None:
    rng = Random(8)
    places = [(round(10 + rng.gauss(0, 1e-5), 5), round(20 + rng.gauss(0, 1e-5), 5)) for _ in range(20)]
    berth = [bench.ship(60.0 * i, lat_deg=places[i % 20][0], lon_deg=places[i % 20][1], sog_kn=0.1) for i in range(600)]
    assert spoofs(bench, berth) == []


def test_the_memory_of_past_positions_is_bounded_and_thins_itself() -> None:
    replay = Replay()
    for i in range(5000):
        remember(replay, i * 2_000_000, 10.0 + i * 1e-4, 20.0, 12.0)
    assert KEPT_MAX // 4 < len(replay.kept) <= KEPT_MAX
    assert replay.every > 1
    for i in range(40):
        remember(replay, (40_000 + i * 1800) * 1_000_000, 30.0 + i * 1e-2, 20.0, 12.0)
    assert len(replay.kept) <= KEPT_MAX


@pytest.mark.parametrize(
    ("apart_ft", "nic", "found"), [(2000.0, 6, 0), (2100.0, 6, 1), (2100.0, 7, 0), (-2100.0, 0, 1), (4000.0, None, 0)]
)
def test_altitudes_far_apart_with_a_bad_position_are_spoofed(bench: Any, apart_ft: float, nic: int | None, found: int) -> None:
    readings = [fly(bench, second, alt_geom_ft=36_000.0 + apart_ft, nic=nic) for second in range(0, 300, 10)]
    altitudes = spoofs(bench, readings)
    assert [finding.evidence["manner"] for finding in altitudes] == ["altitudes"] * found
    well = [*readings, *(fly(bench, second, alt_geom_ft=36_200.0, nic=8) for second in range(300, 600, 10))]
    assert all(finding.closed_at_us is not None for finding in spoofs(bench, well))


def test_a_circle_is_fitted_through_its_points() -> None:
    points = [(i, 50.0 + 0.1 * cos(radians(30 * i)), 8.0 + 0.1 * sin(radians(30 * i)) / cos(radians(50.0))) for i in range(13)]
    circle = fitted(points)
    assert circle is not None
    assert circle.lat_deg == pytest.approx(50.0, abs=1e-3)
    assert circle.lon_deg == pytest.approx(8.0, abs=2e-3)
    assert circle.radius_m == pytest.approx(11_132, rel=0.01)
    assert abs(circle.turns) == pytest.approx(1.0, abs=0.01)
    assert fitted([(i, 50.0, 8.0 + i / 100) for i in range(8)]) is None
