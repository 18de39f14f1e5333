"""Off her own lanes: how well she must know them, how far and how long she must be off, and what ends it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from detect.route_anomaly import CELLS_MAX, cell_of
from tests.detect.sailing import Track, last


def ferry(bench: Any, trips: int = 6, spread_deg: float = 0.0, seed: int = 0) -> Track:
    """Back and forth over 72 nm at 18 kn, eight hours in port at either end, each trip a little beside the last."""
    rng = Random(seed)
    track = Track(bench, every_s=300.0)
    for trip in range(2 * trips):
        track.lat_deg = 40.0 + rng.uniform(-spread_deg, spread_deg)
        track.sail(240, sog_kn=18.0, cog_deg=90.0 if trip % 2 == 0 else 270.0).silent(8 * 60)
    return track


def astray(track: Track, minutes: float = 60.0) -> Track:
    """An hour along the lane, then off to the north."""
    return track.sail(60, sog_kn=18.0, cog_deg=90.0).sail(minutes, sog_kn=18.0, cog_deg=0.0)


def test_a_ship_that_leaves_the_lane_she_keeps_is_told_until_she_is_back(bench: Any) -> None:
    track = astray(ferry(bench), 120.0)
    track.sail(120, sog_kn=18.0, cog_deg=180.0)
    (found,) = last(bench, track.readings, "route_anomaly")
    assert (found.severity, found.evidence["ended"]) == ("info", "returned")
    left_us = track.readings[-48].time_us
    assert 0 < found.opened_at_us - left_us < 60 * 60 * 1_000_000
    assert 30 * 60 * 1_000_000 <= found.detected_at_us - found.opened_at_us <= 40 * 60 * 1_000_000
    assert found.evidence["off_lane_nm"] > 5.0


@pytest.mark.parametrize(("trips", "found"), [(4, 0), (5, 1)])
def test_she_is_judged_once_she_has_kept_to_it_for_a_day_under_way(bench: Any, trips: int, found: int) -> None:
    assert len(last(bench, astray(ferry(bench, trips=trips), 120).readings, "route_anomaly")) == found


@pytest.mark.parametrize(("off_deg", "found"), [(0.08, 0), (0.25, 1)])
def test_beside_the_lane_is_on_it_and_a_cell_of_strange_waters_between_is_not(bench: Any, off_deg: float, found: int) -> None:
    track = ferry(bench)
    track.lat_deg += off_deg
    assert len(last(bench, track.sail(120, sog_kn=18.0, cog_deg=90.0).readings, "route_anomaly")) == found


@pytest.mark.parametrize(("minutes", "found"), [(50, 0), (80, 1)])
def test_half_an_hour_of_strange_waters(bench: Any, minutes: float, found: int) -> None:
    assert len(last(bench, astray(ferry(bench), minutes).readings, "route_anomaly")) == found


def test_a_fishing_craft_goes_where_the_fish_is(bench: Any) -> None:
    assert last(bench, astray(ferry(bench), 80).readings, "route_anomaly", {"type": "fishing"}) == []


@pytest.mark.parametrize(("every_s", "found"), [(1800.0, 1), (1860.0, 0)])
def test_reports_more_than_half_an_hour_apart_count_nothing(bench: Any, every_s: float, found: int) -> None:
    track = ferry(bench)
    track.every_s = every_s
    track.sail(62, sog_kn=10.0, cog_deg=90.0).sail(6 * 31, sog_kn=10.0, cog_deg=0.0)
    assert len(last(bench, track.readings, "route_anomaly")) == found


def test_a_tramp_that_is_always_somewhere_else_is_never_told(bench: Any) -> None:
    rng = Random(5)
    track = Track(bench, every_s=600.0)
    for _ in range(25):
        track.sail(rng.uniform(6, 30) * 60, sog_kn=13.0, cog_deg=rng.uniform(0, 360)).silent(24 * 60)
    assert last(bench, track.readings, "route_anomaly") == []


def test_a_day_in_strange_waters_is_a_new_route_and_its_memory_is_bounded(bench: Any) -> None:
    state = bench.state()
    readings = ferry(bench).sail(30 * 60, sog_kn=18.0, cog_deg=0.0).sail(80 * 60, sog_kn=18.0, cog_deg=180.0).readings
    (found,) = bench.last(bench.run(readings, state=state), "route_anomaly")
    assert found.evidence["ended"] == "new_route"
    assert len(state.memories["route_anomaly"].cells) == CELLS_MAX


def test_cells_are_as_wide_as_they_are_high_and_go_round_the_world() -> None:
    assert cell_of(0.05, 0.01) == cell_of(0.05, 0.09) != cell_of(0.05, 0.11)
    assert cell_of(60.05, 0.11) == cell_of(60.05, 0.29) != cell_of(60.05, 0.31)
    assert cell_of(0.05, 179.99) + 1 - 3600 == cell_of(0.05, -180.0)
    assert len({cell_of(90.0, 0.0), cell_of(89.99, 0.0), cell_of(-90.0, 0.0)}) == 2


def test_seeded_excursions_are_found_and_plain_trips_say_nothing(bench: Any) -> None:
    for seed in range(3):
        track = ferry(bench, spread_deg=0.05, seed=seed)
        assert last(bench, track.readings, "route_anomaly") == []
        assert len(last(bench, astray(track, 90).readings, "route_anomaly")) == 1
