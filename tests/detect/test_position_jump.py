"""Positions that cannot have been reached, and those that only look like it."""

from __future__ import annotations

from math import cos, degrees, pi, sin
from typing import Any

import msgspec
import pytest

from detect.tracks import TRACKS_MAX

NM_DEG = 1 / 60


def sail(bench: Any, second: float, north_nm: float = 0.0, **more: Any) -> Any:
    where = {"lat_deg": north_nm * NM_DEG, "lon_deg": 12.0 * second / 3600 * NM_DEG}
    return bench.ship(second, **(where | {"sog_kn": 12.0, "cog_deg": 90.0} | more))


def fly(bench: Any, second: float, north_nm: float = 0.0, **more: Any) -> Any:
    fields = {"gs_kn": 450.0, "track_deg": 90.0, "on_ground": False, "alt_baro_ft": 36_000.0, **more}
    return bench.plane(second, lat_deg=north_nm * NM_DEG, lon_deg=450.0 * second / 3600 * NM_DEG, **fields)


def circling(bench: Any, second: float, flown_s: float) -> Any:
    """An aircraft at 200 kn round a circle of four minutes, as it was when it had flown for so many seconds."""
    angle, radius_deg = 2 * pi * flown_s / 240, 200.0 * 240 / 3600 / (2 * pi) * NM_DEG
    where = {"lat_deg": radius_deg * sin(angle), "lon_deg": radius_deg * cos(angle)}
    return bench.plane(second, **where, gs_kn=200.0, track_deg=-degrees(angle) % 360, on_ground=False, alt_baro_ft=9_000.0)


def voyage(bench: Any, from_s: int, to_s: int, north_nm: float = 0.0, every_s: int = 10, **more: Any) -> list[Any]:
    return [sail(bench, second, north_nm, **more) for second in range(from_s, to_s, every_s)]


def jumps(bench: Any, readings: list[Any], until: float | None = None) -> list[Any]:
    return [finding for finding in bench.run(readings, until=until) if finding.rule == "position_jump"]


def test_a_steady_track_has_no_jump(bench: Any) -> None:
    assert jumps(bench, voyage(bench, 0, 7200)) == []


def test_a_glitch_that_returns_is_info_and_over_when_it_came_back(bench: Any) -> None:
    track = [*voyage(bench, 0, 60), sail(bench, 60, north_nm=40), *voyage(bench, 70, 120)]
    opened, _, closed = jumps(bench, track, until=2 * 3600)
    assert (opened.severity, opened.closed_at_us, opened.opened_at_us) == ("info", None, bench.at(60))
    assert (closed.closed_at_us, closed.severity, closed.evidence["ended"]) == (bench.at(70), "info", "returned")
    assert closed.evidence["jumps"] == 2
    assert opened.evidence["distance_nm"] > opened.evidence["limit_nm"]


def test_within_the_tolerance_for_clocks_is_no_jump_and_beyond_is(bench: Any) -> None:
    assert jumps(bench, [*voyage(bench, 0, 60), sail(bench, 60, north_nm=6.0), sail(bench, 70)]) == []
    assert jumps(bench, [*voyage(bench, 0, 60), sail(bench, 60, north_nm=6.6), sail(bench, 70)]) != []


@pytest.mark.parametrize(("last_s", "severities"), [(650, ["info"]), (660, ["info", "warning"])])
def test_a_jump_not_returned_from_after_ten_minutes_is_a_warning(bench: Any, last_s: int, severities: list[str]) -> None:
    track = [*voyage(bench, 0, 60), *voyage(bench, 60, last_s + 10, north_nm=40)]
    found = jumps(bench, track)
    assert [finding.severity for finding in found] == severities
    assert len({finding.id for finding in found}) == 1
    assert found[-1].evidence.get("unresolved_min") == (10.0 if len(found) > 1 else None)


def test_a_jump_followed_by_silence_is_decided_by_a_tick(bench: Any) -> None:
    track = [*voyage(bench, 0, 60), sail(bench, 60, north_nm=40), sail(bench, 70, north_nm=40)]
    assert [finding.severity for finding in jumps(bench, track, until=1800)] == ["info", "warning"]


def test_one_lone_position_is_never_a_warning_there_or_before(bench: Any) -> None:
    track = [*voyage(bench, 0, 60), sail(bench, 60, north_nm=40)]
    assert [finding.severity for finding in jumps(bench, track, until=1800)] == ["info"]
    first = [sail(bench, 0, north_nm=40), *voyage(bench, 10, 1800)]
    (episode,) = bench.last(jumps(bench, first), "position_jump")
    assert (episode.severity, episode.evidence["ended"]) == ("info", "disbelieved")


@pytest.mark.parametrize(("minutes", "ended"), [(60, None), (61, "accepted")])
def test_after_an_hour_the_new_track_is_believed(bench: Any, minutes: int, ended: str | None) -> None:
    track = [*voyage(bench, 0, 60), *voyage(bench, 60, 60 + minutes * 60, north_nm=40, every_s=60)]
    (episode,) = bench.last(jumps(bench, track), "position_jump")
    assert (episode.evidence.get("ended"), episode.severity) == (ended, "warning")


def test_an_old_message_with_a_new_time_lies_on_the_own_course_and_is_no_warning(bench: Any) -> None:
    late = [
        bench.ship(5400.0 + i * 60, lat_deg=0.0, lon_deg=12.0 * 60 * i / 3600 * NM_DEG, sog_kn=12.0, cog_deg=90.0)
        for i in range(16)
    ]
    (episode,) = bench.last(jumps(bench, [*voyage(bench, 0, 5400), *late]), "position_jump")
    assert (episode.severity, episode.evidence["wrong_clock"]) == ("info", True)
    aside = [*voyage(bench, 0, 7200), *voyage(bench, 7200, 8200, north_nm=10)]
    (episode,) = bench.last(jumps(bench, aside), "position_jump")
    assert (episode.severity, episode.evidence["wrong_clock"]) == ("warning", False)


def test_two_hulls_under_one_number_are_one_episode_that_never_warns(bench: Any) -> None:
    track = [sail(bench, second, north_nm=300.0 if second % 20 else 0.0) for second in range(0, 14_400, 10)]
    state = bench.state()
    found = [finding for finding in bench.run(track, state=state) if finding.rule == "position_jump"]
    (episode,) = bench.last(found, "position_jump")
    assert (episode.severity, episode.closed_at_us) == ("info", None)
    assert len(found) < 14  # told when the count has doubled
    assert len(state.tracks.others) <= TRACKS_MAX


def test_noise_all_day_is_one_story_and_every_jump_of_it_counts(bench: Any) -> None:
    glitches = {1200 + 1800 * i: 60.0 * (i % 7 + 1) for i in range(40)}
    track = [sail(bench, second, north_nm=glitches.get(second, 0.0)) for second in range(0, 86_400, 60)]
    (episode,) = bench.last(jumps(bench, track, until=90_000), "position_jump")
    assert (episode.evidence["jumps"], episode.severity, episode.evidence["ended"]) == (80, "info", "returned")


@pytest.mark.parametrize(("again_min", "episodes"), [(60, 1), (80, 2)])
def test_a_place_jumped_to_again_after_an_hour_at_home_is_another_episode(bench: Any, again_min: int, episodes: int) -> None:
    away = {*range(10, 14), *range(again_min, again_min + 4)}
    track = [sail(bench, minute * 60, north_nm=60.0 if minute in away else 0.0) for minute in range(120)]
    assert len(bench.last(jumps(bench, track), "position_jump")) == episodes


def test_a_coast_station_in_two_places_is_no_warning(bench: Any) -> None:
    import msgspec

    track = [*voyage(bench, 0, 60), *voyage(bench, 60, 1800, north_nm=40)]
    station = [msgspec.structs.replace(reading, value="002442000") for reading in track]
    assert {finding.severity for finding in jumps(bench, station)} == {"info"}


def test_duplicates_at_the_same_instant_and_coarse_positions_are_no_jump(bench: Any) -> None:
    track = [sail(bench, second, north_nm=0.1 if second % 60 == 0 else 0.0) for second in range(0, 600, 10) for _ in range(2)]
    assert jumps(bench, track) == []


def test_a_track_over_the_antimeridian_is_no_jump(bench: Any) -> None:
    longitudes = (179.99, 179.998, -179.994, -179.986)
    track = [bench.ship(i * 60, lat_deg=10.0, lon_deg=lon, sog_kn=28.0, cog_deg=90.0) for i, lon in enumerate(longitudes)]
    assert jumps(bench, track) == []


def test_a_gap_of_hours_sailed_round_a_headland_or_fast_is_no_jump(bench: Any) -> None:
    ends = [bench.ship(0, lat_deg=0.0, lon_deg=0.0, sog_kn=18.0, cog_deg=0.0)]
    ends.append(bench.ship(5 * 3600, lat_deg=0.2, lon_deg=0.9, sog_kn=18.0, cog_deg=180.0))
    assert jumps(bench, ends) == []
    fast = [bench.ship(hour * 3600, lat_deg=0.0, lon_deg=hour * 38 * NM_DEG, sog_kn=38.0) for hour in range(4)]
    assert jumps(bench, fast) == []


def test_a_receiver_that_repeats_an_old_position_of_an_aircraft_is_no_jump(bench: Any) -> None:
    stale = fly(bench, 100)
    track = [fly(bench, second) for second in range(0, 101, 5)]
    track += [
        bench.plane(s, lat_deg=stale.lat_deg, lon_deg=stale.lon_deg, gs_kn=450.0, track_deg=90.0) for s in range(105, 160, 5)
    ]
    track += [fly(bench, second) for second in range(160, 300, 5)]
    assert jumps(bench, track) == []


def test_an_aircraft_that_is_suddenly_elsewhere_has_jumped(bench: Any) -> None:
    track = [fly(bench, second) for second in range(0, 100, 5)]
    track += [fly(bench, second, north_nm=30) for second in range(100, 900, 5)]
    (episode,) = bench.last(jumps(bench, track), "position_jump")
    assert (episode.severity, episode.closed_at_us) == ("warning", None)


@pytest.mark.parametrize(("off_nm", "severity", "ended"), [(9.0, "info", "returned"), (11.0, "warning", None)])
def test_an_aircraft_a_minute_off_its_way_had_a_wrong_clock_and_farther_off_it_jumped(
    bench: Any, off_nm: float, severity: str, ended: str | None
) -> None:
    before = [fly(bench, second) for second in range(0, 60, 5)]
    after = [fly(bench, second, off_nm) for second in range(60, 1200, 5)]
    (episode,) = bench.last(jumps(bench, [*before, *after], until=7200), "position_jump")
    assert (episode.severity, episode.evidence.get("ended")) == (severity, ended)


@pytest.mark.parametrize(("stamped_s", "severity"), [(35, {"info"}), (0, {"info", "warning"})])
def test_an_aircraft_without_a_course_is_looked_for_as_far_off_as_it_flies(
    bench: Any, stamped_s: int, severity: set[str]
) -> None:
    before = [fly(bench, second, track_deg=None) for second in range(0, 121, 60)]
    off_nm = 0.0 if stamped_s else 25.0
    flown = [fly(bench, second, off_nm, track_deg=None) for second in range(180 + 2 * stamped_s, 1500, 60)]
    early = [msgspec.structs.replace(one, time_us=one.time_us - 2 * stamped_s * 1_000_000) for one in flown]
    found = {one.severity for one in jumps(bench, [*before, *early], until=7200)}
    assert found == severity


def test_positions_of_an_aircraft_that_come_late_and_under_a_new_time_orphan_no_track(bench: Any) -> None:
    track = []
    for second in range(0, 3600, 5):
        late_s = 50 if second % 35 == 0 else 0
        track.append(circling(bench, second, second - late_s))
    assert {finding.severity for finding in jumps(bench, track, until=7200)} <= {"info"}


def test_a_ground_speed_that_lies_is_no_jump(bench: Any) -> None:
    assert jumps(bench, [fly(bench, second, gs_kn=50.0) for second in range(0, 1200, 40)]) == []


def alone(bench: Any, from_s: int, to_s: int, every_s: int = 60) -> list[Any]:
    """The voyage as a source of positions alone tells it."""
    return voyage(bench, from_s, to_s, every_s=every_s, sog_kn=None, cog_deg=None)


def test_where_an_old_position_under_a_new_time_stood_for_one_message_the_ship_has_not_jumped(bench: Any) -> None:
    stale = sail(bench, 1790, north_nm=8.5, sog_kn=None, cog_deg=None)  # within reach of the one before, not of the next
    (told,) = bench.last(jumps(bench, [*alone(bench, 0, 1201), stale, *alone(bench, 1800, 7200)], until=12000), "position_jump")
    assert (told.severity, told.evidence["ended"], told.opened_at_us) == ("info", "disbelieved", bench.at(1800))
    assert told.closed_at_us == bench.at(1920)  # the third position there


@pytest.mark.parametrize(("back_s", "severity"), [(3600, "info"), (3601, "warning")])
def test_the_position_before_the_last_tells_for_an_hour_where_a_ship_may_be(bench: Any, back_s: int, severity: str) -> None:
    stale = sail(bench, back_s - 10, north_nm=20.0, sog_kn=None, cog_deg=None)
    track = [*alone(bench, -3600, 1), stale, *alone(bench, back_s, back_s + 3000)]
    (told,) = bench.last(jumps(bench, track, until=back_s + 9000), "position_jump")
    assert told.severity == severity


@pytest.mark.parametrize("strays", [1, 2])
def test_a_ship_that_passes_where_strays_of_her_lie_has_not_gone_over_to_them(bench: Any, strays: int) -> None:
    ahead = [sail(bench, 600 + i, lon_deg=9.0 * NM_DEG + 1e-4 * i, sog_kn=None, cog_deg=None) for i in range(strays)]
    found = bench.last(jumps(bench, [*alone(bench, 0, 601), *ahead, *alone(bench, 660, 9000)], until=12000), "position_jump")
    assert [(one.severity, one.evidence["ended"], one.closed_at_us) for one in found] == [("info", "returned", bench.at(660))]
