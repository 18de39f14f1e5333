"""Positions told apart before any rule looks: whose motion the rules see, and when another track takes over."""

from __future__ import annotations

from typing import Any

import pytest

from detect.tracks import PATH_MAX, POINT, is_late, is_twin
from tests.detect.test_position_jump import NM_DEG, sail, voyage


def run(bench: Any, readings: list[Any]) -> Any:
    state = bench.state()
    bench.run(readings, state=state)
    return state


def test_a_position_of_another_hull_moves_nothing_but_the_clock(bench: Any) -> None:
    state = run(bench, [*voyage(bench, 0, 60), sail(bench, 60, north_nm=40, sog_kn=3.0, nav_status=1)])
    assert state.seen.time_us == bench.at(60)
    assert (state.seen.lat_deg, state.seen.speed_kn, state.seen.fix_time_us) == (0.0, 12.0, bench.at(50))
    assert state.seen.nav_status is None


@pytest.mark.parametrize(("last_s", "north_nm"), [(640, 0.0), (650, 40.0)])
def test_after_ten_minutes_of_silence_on_the_old_track_the_new_one_is_followed(bench: Any, last_s: int, north_nm: float) -> None:
    state = run(bench, [*voyage(bench, 0, 60), *voyage(bench, 60, last_s + 10, north_nm=40)])
    assert state.seen.lat_deg == pytest.approx(north_nm * NM_DEG)
    assert state.tracks.home.number == 1


def test_back_on_the_old_track_it_is_followed_at_once(bench: Any) -> None:
    state = run(bench, [*voyage(bench, 0, 60), *voyage(bench, 60, 1800, north_nm=40), sail(bench, 1800)])
    assert (state.seen.lat_deg, state.tracks.newest) == (0.0, 1)


def test_a_first_position_that_was_wrong_is_given_up_for_three_right_ones(bench: Any) -> None:
    two = run(bench, [sail(bench, 0, north_nm=40), *voyage(bench, 10, 30)])
    three = run(bench, [sail(bench, 0, north_nm=40), *voyage(bench, 10, 40)])
    assert (two.seen.lat_deg, three.seen.lat_deg) == (pytest.approx(40 * NM_DEG), 0.0)
    assert three.tracks.home.number == 2


def test_two_hulls_are_kept_apart_until_one_has_been_silent_for_six_hours(bench: Any) -> None:
    both = [sail(bench, second, north_nm=40.0 if second % 20 else 0.0) for second in range(0, 1800, 10)]
    state = run(bench, [*both, *voyage(bench, 1800, 6 * 3600, north_nm=40, every_s=300)])
    assert is_twin(state.tracks.others[0], state.tracks.home, "vessel")
    assert state.seen.lat_deg == 0.0
    bench.run(voyage(bench, 6 * 3600, 7 * 3600, north_nm=40, every_s=300), state=state)
    assert state.seen.lat_deg == pytest.approx(40 * NM_DEG)


def test_what_nothing_continues_within_an_hour_is_forgotten(bench: Any) -> None:
    state = run(bench, [*voyage(bench, 0, 60), sail(bench, 60, north_nm=60), *voyage(bench, 120, 3600, every_s=60)])
    assert len(state.tracks.others) == 1
    bench.run(voyage(bench, 3600, 3900, every_s=60), state=state)
    assert state.tracks.others == []


def test_readings_without_a_position_belong_to_the_asset(bench: Any) -> None:
    state = run(bench, [*voyage(bench, 0, 60), sail(bench, 60, north_nm=40), bench.ship(70, nav_status=5)])
    assert (state.seen.nav_status, state.seen.lat_deg) == (5, 0.0)


def old(bench: Any, from_s: int, to_s: int, late_s: int, every_s: int = 60) -> list[Any]:
    """Where the ship was so many seconds before, said now."""
    return [sail(bench, second, lon_deg=12.0 * (second - late_s) / 3600 * NM_DEG) for second in range(from_s, to_s, every_s)]


@pytest.mark.parametrize(("off_nm", "late"), [(1.9, True), (2.1, False)])
def test_positions_where_the_ship_was_before_are_old_messages_and_not_followed(bench: Any, off_nm: float, late: bool) -> None:
    before = voyage(bench, 0, 7200, every_s=60)
    aside = [
        sail(bench, second, north_nm=off_nm, lon_deg=12.0 * (second - 3600) / 3600 * NM_DEG) for second in range(7200, 9000, 60)
    ]
    state = run(bench, [*before, *aside])
    (other,) = state.tracks.others
    assert is_late(other) is late
    assert (state.seen.lat_deg == 0.0) is late
    assert len(state.tracks.path) <= PATH_MAX * POINT.size


def test_the_path_remembered_is_three_hours_long(bench: Any) -> None:
    before = voyage(bench, 0, 5 * 3600, every_s=60)
    (recent,) = run(bench, [*before, *old(bench, 5 * 3600, 5 * 3600 + 600, 7200)]).tracks.others
    (ancient,) = run(bench, [*before, *old(bench, 5 * 3600, 5 * 3600 + 600, 4 * 3600)]).tracks.others
    assert (is_late(recent), is_late(ancient)) == (True, False)
