"""One identity in two places: how long and how often both must speak, and when it is over."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.detect.test_position_jump import fly, sail, voyage


def both(bench: Any, seconds: range, north_nm: float = 40.0, every: int = 2) -> list[Any]:
    return [sail(bench, second, north_nm=0.0 if i % every else north_nm) for i, second in enumerate(seconds)]


def conflicts(bench: Any, readings: list[Any], until: float | None = None) -> list[Any]:
    return [finding for finding in bench.run(readings, until=until) if finding.rule == "position_conflict"]


@pytest.mark.parametrize(("last_s", "found"), [(650, 0), (670, 1)])
def test_ten_minutes_of_two_hulls_are_a_conflict(bench: Any, last_s: int, found: int) -> None:
    readings = [*voyage(bench, 0, 60), *both(bench, range(60, last_s, 10))]
    opened = conflicts(bench, readings)
    assert len(opened) == found
    if found:
        (finding,) = opened
        assert (finding.severity, finding.opened_at_us, finding.closed_at_us) == ("warning", bench.at(60), None)
        assert finding.evidence["distance_nm"] == pytest.approx(40.0, abs=0.4)
        assert min(finding.evidence["own_fixes"], finding.evidence["other_fixes"]) >= 5
        assert finding.evidence["implied_speed_kn"] > 1000


@pytest.mark.parametrize(("rounds", "found"), [(4, 0), (5, 1)])
def test_each_side_proves_itself_by_five_positions(bench: Any, rounds: int, found: int) -> None:
    readings = [*voyage(bench, 0, 600, every_s=60), *both(bench, range(600, 600 + 360 * rounds, 180))]
    assert len(conflicts(bench, readings)) == found


def test_an_excursion_that_comes_back_is_no_conflict(bench: Any) -> None:
    away = [*voyage(bench, 0, 600), *voyage(bench, 600, 2400, north_nm=40), *voyage(bench, 2400, 7200)]
    assert conflicts(bench, away) == []


def test_one_story_is_told_once_and_over_when_a_side_has_been_silent_for_six_hours(bench: Any) -> None:
    together = [*voyage(bench, 0, 60), *both(bench, range(60, 7200, 30))]
    after = voyage(bench, 7200, 12 * 3600, every_s=600)
    opened, closed = conflicts(bench, [*together, *after])
    assert opened.id == closed.id
    assert (closed.closed_at_us, closed.evidence["silent_side"]) == (bench.at(7140), "other")
    assert conflicts(bench, together, until=7170 + 6 * 3600 + 120)[-1].closed_at_us == bench.at(7140)
    assert conflicts(bench, together, until=7170 + 6 * 3600 - 120)[-1].closed_at_us is None


def test_two_sources_of_one_asset_that_do_not_agree_are_named(bench: Any) -> None:
    readings = [*voyage(bench, 0, 60), *both(bench, range(60, 1200, 10))]
    told = [msgspec.structs.replace(one, source="ais_satellite") if one.lat_deg else one for one in readings]
    (finding,) = conflicts(bench, told)
    assert (finding.evidence["own_source"], finding.evidence["other_source"]) == ("device", "ais_satellite")


def test_a_flipped_sign_and_a_coast_station_are_no_second_hull(bench: Any) -> None:
    readings = voyage(bench, 0, 3600, every_s=30)
    flipped = [
        msgspec.structs.replace(one, lat_deg=8.0 if i % 3 else -8.0, lon_deg=one.lon_deg) for i, one in enumerate(readings)
    ]
    assert conflicts(bench, flipped) == []
    station = [msgspec.structs.replace(one, value="002442000") for one in both(bench, range(0, 3600, 30))]
    assert conflicts(bench, station) == []


@pytest.mark.parametrize(("north_nm", "found"), [(22.0, 0), (24.0, 1)])
def test_two_aircraft_under_one_address_must_be_farther_apart_than_a_late_clock_makes(
    bench: Any, north_nm: float, found: int
) -> None:
    readings = [fly(bench, second, north_nm=north_nm if second % 10 else 0.0) for second in range(0, 1500, 5)]
    assert len(conflicts(bench, readings)) == found


def test_old_messages_between_new_ones_are_no_second_hull(bench: Any) -> None:
    late = [
        sail(bench, second, lon_deg=12.0 * (second - (3600 if i % 3 else 0)) / 3600 / 60)
        for i, second in enumerate(range(3600, 4 * 3600, 60))
    ]
    found = bench.run([*voyage(bench, 0, 3600), *late])
    assert {(finding.rule, finding.severity) for finding in found} == {("position_jump", "info")}


@pytest.mark.parametrize(("every", "found"), [(2, 1), (30, 0)])
def test_within_two_hours_way_two_hulls_must_take_turns_all_the_time(bench: Any, every: int, found: int) -> None:
    near = [sail(bench, second, north_nm=0.0 if i % every else 20.0) for i, second in enumerate(range(600, 6 * 3600, 30))]
    assert len(conflicts(bench, [*voyage(bench, 0, 600), *near])) == found
    far = [sail(bench, second, north_nm=0.0 if i % every else 30.0) for i, second in enumerate(range(600, 6 * 3600, 30))]
    assert len(conflicts(bench, [*voyage(bench, 0, 600), *far])) == 1


@pytest.mark.parametrize(("every", "found"), [(3, 1), (12, 0)])
def test_a_few_positions_of_a_hundred_in_a_wrong_zone_are_no_second_aircraft(bench: Any, every: int, found: int) -> None:
    readings = [fly(bench, second, north_nm=0.0 if second // 5 % every else 300.0) for second in range(5, 3600, 5)]
    assert len(conflicts(bench, readings)) == found
