"""Positions that cannot have been reached, and those that only look like it."""

from __future__ import annotations

from typing import Any

from detect.position_jump import EPISODES_MAX, TRACKS_MAX

NM_DEG = 1 / 60


def sail(bench: Any, second: float, north_nm: float = 0.0, **more: Any) -> Any:
    fields = {"sog_kn": 12.0, "cog_deg": 90.0, **more}
    return bench.ship(second, lat_deg=north_nm * NM_DEG, lon_deg=12.0 * second / 3600 * NM_DEG, **fields)


def fly(bench: Any, second: float, north_nm: float = 0.0, **more: Any) -> Any:
    fields = {"gs_kn": 450.0, "track_deg": 90.0, "on_ground": False, "alt_baro_ft": 36_000.0, **more}
    return bench.plane(second, lat_deg=north_nm * NM_DEG, lon_deg=450.0 * second / 3600 * NM_DEG, **fields)


def test_a_steady_track_has_no_jump(bench: Any) -> None:
    assert bench.run([sail(bench, second) for second in range(0, 7200, 10)]) == []


def test_a_glitch_that_returns_is_info_and_closed(bench: Any) -> None:
    track = [sail(bench, 0), sail(bench, 10), sail(bench, 20, north_nm=40), sail(bench, 30), sail(bench, 40)]
    opened, closed = bench.run(track, until=3600)
    assert (opened.severity, opened.closed_at_us, opened.opened_at_us) == ("info", None, bench.at(20))
    assert (closed.closed_at_us, closed.severity, closed.evidence["ended"]) == (bench.at(30), "info", "returned")
    assert opened.evidence["distance_nm"] > opened.evidence["limit_nm"]


def test_within_the_tolerance_for_clocks_is_no_jump_and_beyond_is(bench: Any) -> None:
    assert bench.run([sail(bench, 0), sail(bench, 10, north_nm=6.0), sail(bench, 20)]) == []
    assert bench.run([sail(bench, 0), sail(bench, 10, north_nm=6.6), sail(bench, 20)]) != []


def test_a_jump_not_returned_from_after_ten_minutes_is_a_warning(bench: Any) -> None:
    track = [sail(bench, 0), *(sail(bench, second, north_nm=40) for second in range(10, 640, 10))]
    opened, warned = bench.run(track)
    assert (opened.severity, warned.severity, opened.id) == ("info", "warning", warned.id)
    assert warned.evidence["unresolved_min"] == 10.0


def test_a_jump_followed_by_silence_is_decided_by_a_tick(bench: Any) -> None:
    track = [sail(bench, 0), sail(bench, 10, north_nm=40), sail(bench, 20, north_nm=40)]
    opened, warned = bench.run(track, until=1800)
    assert (opened.severity, warned.severity) == ("info", "warning")


def test_one_lone_position_is_never_a_warning(bench: Any) -> None:
    assert [f.severity for f in bench.run([sail(bench, 0), sail(bench, 10, north_nm=40)], until=1800)] == ["info"]


def test_after_an_hour_the_new_track_is_believed(bench: Any) -> None:
    track = [sail(bench, 0), *(sail(bench, second, north_nm=40) for second in range(60, 7200, 60))]
    (episode,) = bench.last(bench.run(track), "position_jump")
    assert (episode.evidence["ended"], episode.severity) == ("accepted", "warning")


def test_two_hulls_under_one_number_do_not_explode(bench: Any) -> None:
    track = [sail(bench, second, north_nm=300.0 if second % 20 else 0.0) for second in range(0, 14_400, 10)]
    state = bench.state()
    episodes = bench.last(bench.run(track, state=state), "position_jump")
    assert len(episodes) == 1
    assert len(state.memories["position_jump"].others) <= TRACKS_MAX


def test_no_asset_opens_more_than_a_bounded_number_a_day(bench: Any) -> None:
    hop = [sail(bench, minute * 60, north_nm=60.0 * (minute // 16 % 7) if minute % 16 < 2 else 0.0) for minute in range(1100)]
    episodes = bench.last(bench.run(hop), "position_jump")
    days = [episode.opened_at_us // 86_400_000_000 for episode in episodes]
    assert len(days) > EPISODES_MAX / 2
    assert max(days.count(day) for day in days) <= EPISODES_MAX


def test_a_place_jumped_to_again_half_an_hour_later_is_another_episode(bench: Any) -> None:
    away = {*range(10, 14), *range(45, 49)}
    track = [sail(bench, minute * 60, north_nm=60.0 if minute in away else 0.0) for minute in range(80)]
    assert len(bench.last(bench.run(track), "position_jump")) == 2


def test_duplicates_at_the_same_instant_and_coarse_positions_are_no_jump(bench: Any) -> None:
    track = [sail(bench, second, north_nm=0.1 if second % 60 == 0 else 0.0) for second in range(0, 600, 10) for _ in range(2)]
    assert bench.run(track) == []


def test_a_track_over_the_antimeridian_is_no_jump(bench: Any) -> None:
    longitudes = (179.99, 179.998, -179.994, -179.986)
    track = [bench.ship(i * 60, lat_deg=10.0, lon_deg=lon, sog_kn=28.0, cog_deg=90.0) for i, lon in enumerate(longitudes)]
    assert bench.run(track) == []


def test_a_gap_of_hours_sailed_round_a_headland_is_no_jump(bench: Any) -> None:
    ends = [bench.ship(0, lat_deg=0.0, lon_deg=0.0, sog_kn=18.0, cog_deg=0.0)]
    ends.append(bench.ship(5 * 3600, lat_deg=0.2, lon_deg=0.9, sog_kn=18.0, cog_deg=180.0))
    assert bench.last(bench.run(ends), "position_jump") == []


def test_a_receiver_that_repeats_an_old_position_of_an_aircraft_is_no_jump(bench: Any) -> None:
    stale = fly(bench, 100)
    track = [fly(bench, second) for second in range(0, 101, 5)]
    track += [
        bench.plane(s, lat_deg=stale.lat_deg, lon_deg=stale.lon_deg, gs_kn=450.0, track_deg=90.0) for s in range(105, 160, 5)
    ]
    track += [fly(bench, second) for second in range(160, 300, 5)]
    assert bench.run(track) == []


def test_an_aircraft_that_is_suddenly_elsewhere_has_jumped(bench: Any) -> None:
    track = [fly(bench, second) for second in range(0, 100, 5)]
    track += [fly(bench, second, north_nm=30) for second in range(100, 900, 5)]
    (episode,) = bench.last(bench.run(track), "position_jump")
    assert (episode.severity, episode.closed_at_us) == ("warning", None)
