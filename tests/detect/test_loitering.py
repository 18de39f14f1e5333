"""About one place on the open sea: how slow, how long, how far from land, what is not; and seeded waits on a passage."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.detect.conftest import Surroundings
from tests.detect.sailing import Track, last


class Coast:
    """Land whose coast is everywhere the same way off."""

    def __init__(self, off_nm: float) -> None:
        self.off_nm = off_nm

    def off_coast_km(self, _lat_deg: float, _lon_deg: float) -> float:
        return self.off_nm * 1.852


AT_SEA = Surroundings(land=Coast(50.0))


def waiting(bench: Any, hours: float = 6.0, sog_kn: float = 1.0, **fields: Any) -> Track:
    return Track(bench).sail(60, sog_kn=12.0).sail(hours * 60, sog_kn=sog_kn, **fields).sail(120, sog_kn=12.0)


def test_a_ship_that_waits_at_sea_is_told_from_her_first_slow_minute_to_the_end_of_her_last_slow_hour(bench: Any) -> None:
    (found,) = last(bench, waiting(bench).readings, "loitering", around=AT_SEA)
    assert (found.severity, found.opened_at_us) == ("info", bench.at(61 * 60))
    assert found.detected_at_us == bench.at(302 * 60)
    assert 0 <= bench.at(420 * 60) - (found.closed_at_us or 0) <= 60 * 60 * 1_000_000
    said = found.evidence
    assert (said["average_speed_kn"], said["off_coast_nm"], said["lasting_limit_h"]) == (1.0, 50.0, 4.0)


@pytest.mark.parametrize(("sog_kn", "found"), [(1.9, 1), (2.05, 0)])
def test_below_two_knots_by_positions(bench: Any, sog_kn: float, found: int) -> None:
    track = waiting(bench, sog_kn=sog_kn)
    assert len(last(bench, track.readings, "loitering", around=AT_SEA)) == found


@pytest.mark.parametrize(("hours", "found"), [(3.9, 0), (4.1, 1)])
def test_four_hours_of_it(bench: Any, hours: float, found: int) -> None:
    assert len(last(bench, waiting(bench, hours=hours).readings, "loitering", around=AT_SEA)) == found


@pytest.mark.parametrize(("off_nm", "found"), [(20.0, 0), (20.1, 1), (-5.0, 0)])
def test_more_than_twenty_miles_off_the_coast(bench: Any, off_nm: float, found: int) -> None:
    around = Surroundings(land=Coast(off_nm))
    assert len(last(bench, waiting(bench).readings, "loitering", around=around)) == found


def test_where_no_land_is_known_nobody_can_tell_the_open_sea_from_a_roadstead(bench: Any) -> None:
    assert last(bench, waiting(bench).readings, "loitering") == []


@pytest.mark.parametrize(("status", "sog_kn"), [(1, 0.9), (5, 0.4), (7, 1.0), (3, 1.0)])
def test_a_ship_at_anchor_moored_or_at_work_does_not_loiter(bench: Any, status: int, sog_kn: float) -> None:
    assert last(bench, waiting(bench, sog_kn=sog_kn, nav_status=status).readings, "loitering", around=AT_SEA) == []


def test_a_craft_whose_trade_it_is_does_not_loiter(bench: Any) -> None:
    assert last(bench, waiting(bench).readings, "loitering", {"type": "fishing"}, AT_SEA) == []


def test_an_hour_under_way_ends_it_and_a_short_spurt_within_an_hour_too(bench: Any) -> None:
    track = Track(bench).sail(180, sog_kn=1.0).sail(5, sog_kn=6.5).sail(180, sog_kn=1.0)
    assert last(bench, track.readings, "loitering", around=AT_SEA) == []


@pytest.mark.parametrize(("silent_h", "found"), [(5.9, 1), (6.1, 0)])
def test_a_silence_that_is_a_gap_is_not_known_to_be_slow(bench: Any, silent_h: float, found: int) -> None:
    track = Track(bench).sail(120, sog_kn=1.0).silent(silent_h * 60, sog_kn=0.5).sail(120, sog_kn=1.0)
    assert len(last(bench, track.readings, "loitering", around=AT_SEA)) == found


@pytest.mark.parametrize("every_s", [60.0, 180.0, 900.0])
def test_seeded_waits_are_found_and_plain_passages_say_nothing(bench: Any, every_s: float) -> None:
    for seed in range(5):
        rng = Random(seed)
        track = Track(bench, every_s=every_s, seed=seed, lat_deg=rng.uniform(-50, 50))
        track.sail(300, sog_kn=rng.uniform(8, 18), noise=1.0)
        assert last(bench, track.readings, "loitering", around=AT_SEA) == []
        for _ in range(8):
            track.sail(60, sog_kn=rng.uniform(0.3, 1.6), cog_deg=rng.uniform(0, 360), noise=1.0)
        track.sail(120, sog_kn=12.0, noise=1.0)
        assert len(last(bench, track.readings, "loitering", around=AT_SEA)) == 1
