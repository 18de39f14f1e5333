"""Adrift: how fast, how far across, how long and how far; who is not judged; and seeded engine failures on a plain passage."""

from __future__ import annotations

from math import exp
from random import Random
from typing import Any

import msgspec
import pytest

from detect.drifting import deviation_deg
from tests.detect.sailing import Track, last


def adrift(bench: Any, minutes: float = 30.0, **fields: Any) -> Track:
    """A passage at 12 kn, then adrift to the east at 2 kn with the bow to the north, as far as not said otherwise."""
    said = {"sog_kn": 2.0, "heading_deg": 10.0} | fields
    return Track(bench).sail(30, sog_kn=12.0).sail(minutes, **said)


def test_a_ship_carried_along_across_her_course_is_told_from_the_first_report_on(bench: Any) -> None:
    track = adrift(bench).sail(10, sog_kn=12.0)
    (found,) = last(bench, track.readings, "drifting")
    assert (found.severity, found.opened_at_us, found.closed_at_us) == ("warning", bench.at(31 * 60), bench.at(63 * 60))
    assert found.detected_at_us == bench.at(41 * 60)
    said = found.evidence
    assert (said["sog_kn"], said["least_deviation_deg"], said["lasted_min"], said["reports"]) == (2.0, 80.0, 29.0, 30)
    assert 600 < said["displaced_m"] < 640


@pytest.mark.parametrize(("sog_kn", "found"), [(0.9, 0), (1.0, 1), (5.0, 1), (5.1, 0)])
def test_it_drifts_from_one_knot_to_five(bench: Any, sog_kn: float, found: int) -> None:
    assert len(last(bench, adrift(bench, minutes=40, sog_kn=sog_kn).readings, "drifting")) == found


@pytest.mark.parametrize(("made_good_kn", "found"), [(0.88, 0), (0.92, 1)])
def test_a_knot_said_in_whole_knots_must_be_made_good_by_positions(bench: Any, made_good_kn: float, found: int) -> None:
    track = Track(bench).sail(30, sog_kn=12.0).sail(40, sog_kn=made_good_kn, heading_deg=10.0)
    whole = [msgspec.structs.replace(one, sog_kn=float(round(one.sog_kn or 0.0))) for one in track.readings]
    assert len(last(bench, whole, "drifting")) == found


@pytest.mark.parametrize(
    ("heading_deg", "found"), [(45.0, 0), (44.0, 1), (135.0, 0), (136.0, 1), (225.0, 0), (224.0, 1), (90.0, 0)]
)
def test_it_lies_more_than_45_degrees_off_its_course_and_off_the_opposite(bench: Any, heading_deg: float, found: int) -> None:
    assert len(last(bench, adrift(bench, heading_deg=heading_deg).readings, "drifting")) == found
    assert deviation_deg(heading_deg, 90.0) == deviation_deg((heading_deg + 180.0) % 360.0, 90.0)


@pytest.mark.parametrize(("dip_kn", "swell_kn", "found"), [(0.7, 1.3, 1), (0.6, 1.4, 0), (0.7, 1.2, 0)])
def test_single_reports_may_dip_below_a_knot_if_the_mean_does_not(bench: Any, dip_kn: float, swell_kn: float, found: int) -> None:
    track = Track(bench).sail(30, sog_kn=12.0)
    for _ in range(15):
        track.sail(1, sog_kn=swell_kn, heading_deg=0.0).sail(1, sog_kn=dip_kn, heading_deg=0.0)
    assert len(last(bench, track.readings, "drifting")) == found


@pytest.mark.parametrize(("minutes", "found"), [(10, 0), (11, 1)])
def test_nine_minutes_are_a_manoeuvre_and_ten_are_a_drift(bench: Any, minutes: int, found: int) -> None:
    assert len(last(bench, adrift(bench, minutes=minutes, sog_kn=3.0).readings, "drifting")) == found


@pytest.mark.parametrize(("minutes", "found"), [(16, 0), (18, 1)])
def test_it_must_be_carried_more_than_500_metres(bench: Any, minutes: int, found: int) -> None:
    assert len(last(bench, adrift(bench, minutes=minutes, sog_kn=1.0).readings, "drifting")) == found


@pytest.mark.parametrize(("length_m", "found"), [(49.9, 0), (50.0, 1), (None, 1)])
def test_a_small_craft_is_not_judged_and_one_of_unknown_length_is(bench: Any, length_m: float | None, found: int) -> None:
    said = {"type": "cargo"} | ({} if length_m is None else {"length_m": length_m})
    assert len(last(bench, adrift(bench).readings, "drifting", said)) == found


@pytest.mark.parametrize("kind", ["tug", "fishing", "towing_long_wide", "search_and_rescue", "52"])
def test_a_craft_that_lies_across_by_trade_is_not_judged(bench: Any, kind: str) -> None:
    assert last(bench, adrift(bench).readings, "drifting", {"type": kind}) == []


@pytest.mark.parametrize("status", [3, 7, 8, 11, 12])
def test_a_ship_at_work_by_her_status_does_not_drift(bench: Any, status: int) -> None:
    assert last(bench, adrift(bench, nav_status=status).readings, "drifting") == []


@pytest.mark.parametrize(("minutes", "found"), [(32, 0), (36, 1)])
def test_a_ship_at_anchor_may_swing_over_two_kilometres(bench: Any, minutes: int, found: int) -> None:
    assert len(last(bench, adrift(bench, minutes=minutes, nav_status=1).readings, "drifting")) == found


def test_without_a_heading_nobody_knows_how_she_lies(bench: Any) -> None:
    assert last(bench, adrift(bench, heading_deg=None).readings, "drifting") == []


@pytest.mark.parametrize(("wrong_min", "found"), [(29, 1), (31, 0)])
def test_a_compass_that_was_wrong_under_way_for_half_an_hour_is_not_believed(bench: Any, wrong_min: int, found: int) -> None:
    track = Track(bench).sail(20, sog_kn=12.0).sail(wrong_min, sog_kn=12.0, heading_deg=0.0).sail(30, sog_kn=2.0, heading_deg=0.0)
    assert len(last(bench, track.readings, "drifting")) == found


@pytest.mark.parametrize(("steady", "found"), [(9, 1), (8, 0)])
def test_one_report_in_ten_may_stray(bench: Any, steady: int, found: int) -> None:
    track = Track(bench).sail(30, sog_kn=12.0)
    track.sail(steady, sog_kn=2.0, heading_deg=0.0).sail(1, sog_kn=2.0).sail(9, sog_kn=2.0, heading_deg=0.0)
    assert len(last(bench, track.readings, "drifting")) == found


def test_reports_more_than_half_an_hour_apart_are_of_no_one_run(bench: Any) -> None:
    track = Track(bench, every_s=31 * 60).sail(60 * 8, sog_kn=2.0, heading_deg=0.0)
    assert last(bench, track.readings, "drifting") == []
    track = Track(bench, every_s=29 * 60).sail(60 * 8, sog_kn=2.0, heading_deg=0.0)
    assert len(last(bench, track.readings, "drifting")) == 1


def test_a_jump_is_no_drift(bench: Any) -> None:
    track = Track(bench).sail(6, sog_kn=1.0, heading_deg=0.0)
    track.lat_deg += 0.2
    assert last(bench, track.sail(5, sog_kn=1.0, heading_deg=0.0).readings, "drifting") == []


@pytest.mark.parametrize("every_s", [10.0, 60.0, 180.0])
def test_seeded_engine_failures_are_found_and_plain_passages_say_nothing(bench: Any, every_s: float) -> None:
    for seed in range(8):
        rng = Random(seed)
        speed_kn, ends_kn, across_deg = rng.uniform(9, 16), rng.uniform(1.4, 3.0), rng.choice([-1, 1]) * rng.uniform(60, 120)
        track = Track(bench, every_s=every_s, seed=seed, lat_deg=rng.uniform(-50, 60))
        track.sail(60, sog_kn=speed_kn, noise=1.0)
        assert last(bench, track.readings, "drifting") == []

        def failing(minute: float, speed_kn: float = speed_kn, ends_kn: float = ends_kn) -> float:
            return ends_kn + (speed_kn - ends_kn) * exp(-minute / 4.0)

        track.sail(20, sog_kn=failing, heading_deg=90.0 + across_deg, noise=1.0, nav_status=rng.choice([0, 2]))
        track.sail(60, sog_kn=ends_kn, heading_deg=90.0 + across_deg, noise=1.0, nav_status=rng.choice([0, 2]))
        (found,) = last(bench, track.readings, "drifting")
        assert found.severity == "warning"
        assert found.detected_at_us - bench.at(60 * 60) < 40 * 60 * 1_000_000
