"""Deeper or shallower with no port between: how much, how often said, what explains it; and seeded transfers at sea."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from detect.drive import drive
from detect.said import hear
from tests.detect.conftest import Surroundings
from tests.detect.sailing import Track, last, report

DEEP: dict[str, Any] = {"draught_m": 12.0}
SHALLOW: dict[str, Any] = {"draught_m": 9.0}


class Coast:
    """Land whose coast is everywhere the same way off."""

    def __init__(self, off_nm: float) -> None:
        self.off_nm = off_nm

    def off_coast_km(self, _lat_deg: float, _lon_deg: float) -> float:
        return self.off_nm * 1.852


def test_a_draught_that_changes_under_way_is_told_until_she_stops(bench: Any) -> None:
    track = Track(bench).sail(600, sog_kn=12.0, **DEEP).sail(300, sog_kn=12.0, **SHALLOW)
    track.sail(60, sog_kn=0.1, nav_status=5, **SHALLOW)
    (found,) = last(bench, track.readings, "draught_change")
    assert (found.severity, found.opened_at_us, found.detected_at_us) == ("warning", bench.at(601 * 60), bench.at(631 * 60))
    assert found.closed_at_us == bench.at(902 * 60)
    said = found.evidence
    assert (said["draught_before_m"], said["draught_after_m"], said["change_m"], said["change_limit_m"]) == (12.0, 9.0, -3.0, 0.6)
    assert (said["across_gap"], said["confirmed_after_min"], said["source"], said["ended"]) == (
        False,
        30.0,
        "readings",
        "stopped",
    )


@pytest.mark.parametrize(
    ("before_m", "after_m", "found"), [(8.0, 8.5, 1), (8.0, 8.4, 0), (14.0, 14.7, 0), (14.0, 14.8, 1), (20.0, 19.1, 0)]
)
def test_half_a_metre_and_a_twentieth_of_the_greatest_draught(bench: Any, before_m: float, after_m: float, found: int) -> None:
    track = Track(bench, every_s=300).sail(300, sog_kn=12.0, draught_m=before_m).sail(120, sog_kn=12.0, draught_m=after_m)
    assert len(last(bench, track.readings, "draught_change")) == found


@pytest.mark.parametrize(("minutes", "found"), [(30, 0), (31, 1)])
def test_it_must_be_said_twice_half_an_hour_apart(bench: Any, minutes: int, found: int) -> None:
    track = Track(bench).sail(300, sog_kn=12.0, **DEEP).sail(minutes, sog_kn=12.0, **SHALLOW).sail(60, sog_kn=12.0, **DEEP)
    assert len(last(bench, track.readings, "draught_change")) == found


def in_time(bench: Any, track: Track, reports: dict[float, dict[str, Any]]) -> list[Any]:
    """What the rule says when static reports come at minutes between the readings of a track."""
    state, found, begin = bench.state(), [], 0
    for minute, said in sorted(reports.items()):
        cut = next((i for i, one in enumerate(track.readings) if one.time_us > bench.at(minute * 60)), len(track.readings))
        found += drive(state, track.readings[begin:cut], None, Surroundings())
        hear(state, report(bench, minute * 60, **said))
        begin = cut
    return list(bench.last([*found, *drive(state, track.readings[begin:], None, Surroundings())], "draught_change"))


@pytest.mark.parametrize(("again_min", "found"), [(329, 0), (330, 1)])
def test_static_reports_are_heard_too_and_a_value_carried_on_is_not_said_again(bench: Any, again_min: float, found: int) -> None:
    track = Track(bench).sail(400, sog_kn=12.0)
    reports = {0.0: DEEP, 200.0: DEEP, 300.0: SHALLOW, again_min: SHALLOW}
    findings = in_time(bench, track, reports)
    assert len(findings) == found
    if findings:
        assert (findings[0].opened_at_us, findings[0].evidence["source"]) == (bench.at(300 * 60), "static_reports")


@pytest.mark.parametrize(
    "stop",
    [
        lambda track: track.sail(60, sog_kn=0.1, nav_status=5),
        lambda track: track.sail(60, sog_kn=0.8, nav_status=1),
        lambda track: track.sail(60, sog_kn=0.2),
    ],
    ids=["moored", "anchored", "still"],
)
def test_a_stop_since_the_old_draught_explains_it_however_late_it_is_typed(bench: Any, stop: Callable[[Track], Track]) -> None:
    track = Track(bench).sail(60, sog_kn=12.0, **DEEP)
    stop(track).sail(20 * 60, sog_kn=12.0).sail(120, sog_kn=12.0, **SHALLOW)
    assert last(bench, track.readings, "draught_change") == []


@pytest.mark.parametrize(("hours", "found"), [(11, 0), (13, 1)])
def test_what_was_typed_in_port_is_corrected_until_twelve_hours_after_it(bench: Any, hours: int, found: int) -> None:
    track = Track(bench).sail(60, sog_kn=0.0, nav_status=5).sail(60, sog_kn=0.0, nav_status=5, **DEEP)
    track.sail(hours * 60, sog_kn=12.0, **DEEP).sail(120, sog_kn=12.0, **SHALLOW)
    assert len(last(bench, track.readings, "draught_change")) == found


@pytest.mark.parametrize(("off_nm", "found"), [(None, 0), (9.9, 0), (10.1, 1)])
def test_a_stop_far_off_the_coast_explains_nothing_where_land_is_known(bench: Any, off_nm: float | None, found: int) -> None:
    track = Track(bench).sail(60, sog_kn=12.0, **DEEP).sail(240, sog_kn=0.3, **DEEP).sail(120, sog_kn=12.0, **SHALLOW)
    around = Surroundings(land=None if off_nm is None else Coast(off_nm))
    assert len(last(bench, track.readings, "draught_change", around=around)) == found


def test_a_change_across_a_silence_says_so_and_when(bench: Any) -> None:
    track = Track(bench).sail(600, sog_kn=12.0, **DEEP).silent(20 * 60, sog_kn=8.0).sail(120, sog_kn=12.0, **SHALLOW)
    (found,) = last(bench, track.readings, "draught_change")
    said = found.evidence
    assert (said["across_gap"], said["gap_started_at"], said["gap_ended_at"]) == (
        True,
        "2023-11-15T08:00:00Z",
        "2023-11-16T04:01:00Z",
    )


def test_who_fell_silent_in_port_may_have_stayed_there(bench: Any) -> None:
    track = Track(bench).sail(120, sog_kn=12.0, **DEEP).sail(60, sog_kn=0.0, nav_status=5, **DEEP).silent(40 * 60)
    assert last(bench, track.sail(120, sog_kn=12.0, **SHALLOW).readings, "draught_change") == []


def test_a_gauge_that_swings_or_follows_the_fuel_is_no_change(bench: Any) -> None:
    rng = Random(3)
    track = Track(bench, every_s=600.0)
    for hour in range(24 * 20):
        for _ in range(6):
            track.sail(10, sog_kn=12.0, draught_m=round(12.0 - hour / 24 * 0.05 + rng.gauss(0, 0.25), 2))
    assert last(bench, track.readings, "draught_change") == []


def test_the_old_draught_again_ends_it_and_a_third_one_opens_another(bench: Any) -> None:
    track = Track(bench).sail(120, sog_kn=12.0, **DEEP).sail(120, sog_kn=12.0, **SHALLOW)
    (found,) = last(bench, [*track.readings, *track.sail(120, sog_kn=12.0, **DEEP).readings[240:]], "draught_change")
    assert (found.evidence["ended"], found.closed_at_us) == ("corrected", bench.at(271 * 60))
    track = Track(bench).sail(120, sog_kn=12.0, **DEEP).sail(120, sog_kn=12.0, **SHALLOW).sail(120, sog_kn=12.0, draught_m=7.0)
    first, second = last(bench, track.readings, "draught_change")
    assert (first.evidence["ended"], first.closed_at_us) == ("changed_again", second.detected_at_us)
    assert (second.evidence["change_m"], second.closed_at_us) == (-2.0, None)


@pytest.mark.parametrize("every_s", [60.0, 600.0])
def test_seeded_transfers_at_sea_are_found_and_plain_voyages_say_nothing(bench: Any, every_s: float) -> None:
    for seed in range(8):
        rng = Random(seed)
        before_m = rng.uniform(6, 20)
        after_m = round(before_m + rng.choice([-1, 1]) * max(0.6, 0.08 * before_m) * rng.uniform(1, 3), 1)
        track = Track(bench, every_s=every_s, seed=seed)
        track.sail(60, sog_kn=0.0, nav_status=5, draught_m=before_m + 1.5).sail(60, sog_kn=12.0, draught_m=round(before_m, 1))
        track.sail(16 * 60, sog_kn=13.0, draught_m=round(before_m, 1), noise=1.0)
        assert last(bench, track.readings, "draught_change") == []
        if rng.random() < 0.5:
            track.silent(rng.uniform(3, 30) * 60, sog_kn=6.0)
        track.sail(120, sog_kn=13.0, draught_m=after_m, noise=1.0)
        (found,) = last(bench, track.readings, "draught_change")
        assert found.severity == "warning"
