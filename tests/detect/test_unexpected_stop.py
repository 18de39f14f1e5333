"""From full speed to nothing: how hard she must brake, how long she must stay, what explains it, and seeded groundings."""

from __future__ import annotations

from math import cos, radians, sin
from random import Random
from typing import Any

import pytest

from detect.unexpected_stop import BRAKING_KN_S, Motion, braking_kn_s
from tests.detect.sailing import Track, last


def struck(bench: Any, fast_kn: float = 12.0, slow_kn: float = 0.3, stays_min: float = 5.0, **fields: Any) -> Track:
    """Under way with a report every ten seconds, then fast aground."""
    track = Track(bench, every_s=10.0).sail(20, sog_kn=fast_kn)
    return track.sail(stays_min, sog_kn=slow_kn, moves=False, **fields)


def test_a_ship_that_stands_still_within_seconds_is_told_until_she_goes_again(bench: Any) -> None:
    track = struck(bench, nav_status=6).sail(5, sog_kn=5.0)
    (found,) = last(bench, track.readings, "unexpected_stop")
    assert (found.severity, found.opened_at_us, found.detected_at_us) == ("warning", bench.at(1210), bench.at(1270))
    assert found.closed_at_us == bench.at(1510)
    said = found.evidence
    assert (said["from_sog_kn"], said["to_sog_kn"], said["decay_s"], said["stayed_s"]) == (12.0, 0.3, 10.0, 300.0)
    assert (said["braking_kn_s"], said["nav_status"]) == (1.482, 6)


@pytest.mark.parametrize(("fast_kn", "slow_kn", "found"), [(7.1, 0.9, 1), (7.0, 0.9, 0), (7.1, 1.0, 0)])
def test_from_above_seven_knots_to_below_one(bench: Any, fast_kn: float, slow_kn: float, found: int) -> None:
    assert len(last(bench, struck(bench, fast_kn, slow_kn).readings, "unexpected_stop")) == found


@pytest.mark.parametrize(("decay_s", "found"), [(29.0, 1), (31.0, 0)])
def test_six_knots_in_thirty_seconds_are_the_limit(decay_s: float, found: int) -> None:
    start, fast = Motion(-60_000_000, 0.0, 0.0, 9.0), Motion(0, 0.0, 0.0, 7.0)
    half_way_deg = 7.0 * decay_s / 3600.0 / 60.0 / 2.0
    stop = Motion(round(decay_s * 1e6), half_way_deg, 0.0, 1.0)
    assert (braking_kn_s(start, fast, stop) > BRAKING_KN_S) == bool(found)


@pytest.mark.parametrize(("gone", "found"), [(0.02, 1), (0.5, 0), (0.98, 1), (3.0, 0)])
def test_between_reports_two_minutes_apart_the_place_tells_how_she_braked(gone: float, found: int) -> None:
    way_deg = 12.0 * 120.0 / 3600.0 / 60.0
    start, fast = Motion(-120_000_000, -way_deg, 0.0, 12.0), Motion(0, 0.0, 0.0, 12.0)
    stop = Motion(120_000_000, gone * way_deg, 0.0, 0.0)
    assert (braking_kn_s(start, fast, stop) > BRAKING_KN_S) == bool(found)


@pytest.mark.parametrize(("turned_deg", "found"), [(15.0, 1), (30.0, 0)])
def test_the_place_tells_nothing_of_a_ship_that_turned_on_her_way_there(turned_deg: float, found: int) -> None:
    way_deg = 20.0 * 180.0 / 3600.0 / 60.0
    start, fast = Motion(-180_000_000, -way_deg, 0.0, 20.0), Motion(0, 0.0, 0.0, 20.0)
    away_deg = 0.2 * way_deg
    stop = Motion(180_000_000, away_deg * cos(radians(turned_deg)), away_deg * sin(radians(turned_deg)), 0.4)
    assert (braking_kn_s(start, fast, stop) > BRAKING_KN_S) == bool(found)


@pytest.mark.parametrize(("minutes", "drifts_kn", "found"), [(10, 0.0, 0), (12, 0.0, 1), (30, 0.4, 0)])
def test_where_reports_are_a_minute_apart_she_must_lie_still_for_ten(
    bench: Any, minutes: float, drifts_kn: float, found: int
) -> None:
    track = Track(bench).sail(20, sog_kn=12.0).sail(minutes, sog_kn=drifts_kn)
    assert len(last(bench, track.readings, "unexpected_stop")) == found


@pytest.mark.parametrize(("readings", "found"), [(6, 0), (7, 1)])
def test_she_must_stay_for_a_minute(bench: Any, readings: int, found: int) -> None:
    assert len(last(bench, struck(bench, stays_min=readings / 6).readings, "unexpected_stop")) == found


def test_a_ship_that_slows_down_as_ships_do_is_none(bench: Any) -> None:
    track = Track(bench, every_s=10.0).sail(20, sog_kn=12.0).sail(2, sog_kn=lambda minute: 12.0 - 6.0 * minute)
    assert last(bench, track.sail(10, sog_kn=0.0).readings, "unexpected_stop") == []


def test_a_speed_that_drops_while_positions_go_on_is_a_fault_of_the_sensor(bench: Any) -> None:
    track = Track(bench, every_s=10.0).sail(20, sog_kn=12.0)
    for reading in Track(bench, every_s=10.0, lat_deg=track.lat_deg, lon_deg=track.lon_deg).sail(5, sog_kn=12.0).readings:
        second = track.second + (reading.time_us - bench.start_us) / 1e6
        track.readings.append(bench.ship(second, lat_deg=reading.lat_deg, lon_deg=reading.lon_deg, sog_kn=0.0))
    assert last(bench, track.readings, "unexpected_stop") == []


def test_a_speed_that_was_never_made_good_is_none(bench: Any) -> None:
    track = Track(bench, every_s=10.0).sail(20, sog_kn=12.0, moves=False).sail(5, sog_kn=0.1, moves=False)
    assert last(bench, track.readings, "unexpected_stop") == []


@pytest.mark.parametrize(("before_kn", "found"), [(19.9, 1), (20.1, 0)])
def test_a_ship_that_has_come_down_from_her_speed_is_coming_in(bench: Any, before_kn: float, found: int) -> None:
    track = Track(bench, every_s=10.0).sail(20, sog_kn=before_kn).sail(3, sog_kn=12.0).sail(5, sog_kn=0.2, moves=False)
    assert len(last(bench, track.readings, "unexpected_stop")) == found


@pytest.mark.parametrize(("slows_s", "found"), [(40, 1), (50, 0)])
def test_what_is_heard_while_she_loses_her_way_is_no_approach(bench: Any, slows_s: float, found: int) -> None:
    """From 18 kn to 9 at 0.225 kn/s is harder than 0.2, at 0.18 it is not: the first strikes, the second comes in."""
    track = Track(bench, every_s=10.0).sail(20, sog_kn=18.0)
    track.sail(slows_s / 60.0, sog_kn=lambda minute: 18.0 - 9.0 * (minute * 60.0 + 10.0) / slows_s)
    assert len(last(bench, track.sail(5, sog_kn=0.2, moves=False).readings, "unexpected_stop")) == found


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ({"length_m": 49.0}, 0),
        ({"length_m": 50.0}, 1),
        ({"type": "high_speed_craft"}, 0),
        ({"type": "tug"}, 0),
        ({"type": "45"}, 0),
        ({"type": "tanker"}, 1),
    ],
)
def test_small_fast_and_working_craft_stop_as_they_like(bench: Any, declared: dict[str, Any], found: int) -> None:
    assert len(last(bench, struck(bench).readings, "unexpected_stop", declared)) == found


@pytest.mark.parametrize(("fast_kn", "found"), [(30.0, 1), (30.1, 0)])
def test_above_thirty_knots_brakes_are_part_of_the_trade(bench: Any, fast_kn: float, found: int) -> None:
    assert len(last(bench, struck(bench, fast_kn).readings, "unexpected_stop")) == found


@pytest.mark.parametrize("status", [1, 5, 7, 3, 12])
def test_a_status_that_explains_it_is_believed(bench: Any, status: int) -> None:
    assert last(bench, struck(bench, nav_status=status).readings, "unexpected_stop") == []


def test_a_burst_of_speed_at_anchor_is_none(bench: Any) -> None:
    track = Track(bench, every_s=10.0).sail(10, sog_kn=0.0).sail(1, sog_kn=25.0, moves=False).sail(10, sog_kn=0.0)
    assert last(bench, track.readings, "unexpected_stop") == []


@pytest.mark.parametrize(("silent_min", "found"), [(9, 1), (11, 0)])
def test_what_is_heard_again_after_more_than_ten_minutes_is_not_judged(bench: Any, silent_min: int, found: int) -> None:
    track = Track(bench, every_s=10.0).sail(20, sog_kn=12.0).sail(1 / 6, sog_kn=0.1, moves=False).silent(silent_min)
    assert len(last(bench, track.sail(1, sog_kn=0.0).readings, "unexpected_stop")) == found


@pytest.mark.parametrize("every_s", [5.0, 10.0, 20.0])
def test_seeded_groundings_are_found_and_plain_passages_say_nothing(bench: Any, every_s: float) -> None:
    for seed in range(10):
        rng = Random(seed)
        track = Track(bench, every_s=every_s, seed=seed, lat_deg=rng.uniform(-50, 60))
        track.sail(40, sog_kn=rng.uniform(8, 20), noise=1.0)
        assert last(bench, track.readings, "unexpected_stop") == []
        track.sail(10, sog_kn=0.2, moves=False, noise=1.0)
        (found,) = last(bench, track.readings, "unexpected_stop")
        assert found.detected_at_us <= bench.at(40 * 60 + 60 + 2 * every_s)
