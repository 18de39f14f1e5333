"""Listened time: when enough of it has passed, and that years in which nobody listened cost no ticks."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect.drive import drive
from detect.model import ALWAYS_LISTENING, Finding, Listening, SceneContext
from fleet.instants import HOUR_US, MINUTE_US
from tests.detect.conftest import Bench, Surroundings

HOUR = 3600.0
YEARS_16 = 16 * 365.25 * 24 * HOUR
INTERVALS = st.lists(st.integers(1, 50), max_size=16).map(
    lambda widths: Listening(tuple(list(pairwise(accumulate(widths, initial=0)))[::2]))
)


@given(listening=INTERVALS, from_us=st.integers(-20, 500), needed_us=st.integers(-5, 400))
def test_reached_is_the_earliest_instant_with_enough_listened(listening: Listening, from_us: int, needed_us: int) -> None:
    at_us = listening.reached_at_us(from_us, needed_us)
    end_us = max([from_us, *(end for _start, end in listening.intervals)])
    known_us = listening.listened_us(from_us, end_us)
    if needed_us <= 0:
        assert at_us == from_us
    elif needed_us <= known_us:
        assert listening.listened_us(from_us, at_us) >= needed_us
        assert listening.listened_us(from_us, at_us - 1) < needed_us
    else:
        assert at_us == end_us + needed_us - known_us


def test_always_listening_reaches_as_soon_as_time_does() -> None:
    assert ALWAYS_LISTENING.reached_at_us(1_000, 234) == 1_234


def ships(bench: Bench) -> list[Any]:
    return [bench.ship(second, lat_deg=50.0, lon_deg=0.0, sog_kn=8.0, cog_deg=90.0) for second in (-20, -10, 0)]


def planes(bench: Bench) -> list[Any]:
    fields = {"on_ground": False, "gs_kn": 450.0, "track_deg": 90.0, "alt_baro_ft": 36_000.0, "vertical_rate_fpm": 0.0}
    return [bench.plane(second, lat_deg=50.0, lon_deg=0.0, **fields) for second in (-20, -10, 0)]


def test_sixteen_years_in_which_nobody_listened_cost_a_few_ticks() -> None:
    bench, around = Bench(), Surroundings()
    around.listening = Listening(
        ((bench.at(YEARS_16 - 90 * HOUR), bench.at(YEARS_16 - 89 * HOUR)), (bench.at(YEARS_16 - 2 * HOUR), bench.at(YEARS_16)))
    )
    assert bench.run(ships(bench), until=YEARS_16, around=around) == []
    assert 0 < len(around.asked) < 20
    assert min(around.asked) > bench.at(YEARS_16 - 90 * HOUR)


@pytest.mark.parametrize("listening", [Listening(()), Listening(((Bench().at(-HOUR), Bench().at(HOUR / 2)),))])
def test_years_of_which_no_listening_is_known_cost_a_few_ticks(listening: Listening) -> None:
    bench, around = Bench(), Surroundings(listening=listening)
    later = bench.ship(YEARS_16, lat_deg=50.0, lon_deg=0.0, sog_kn=8.0, cog_deg=90.0)
    assert [finding.rule for finding in bench.run([*ships(bench), later], around=around)] == []
    assert 0 < len(around.asked) < 20


@pytest.mark.parametrize(("readings", "ticks_max"), [(ships, 72), (planes, 36)])
def test_a_silence_without_end_stops_asking(readings: Any, ticks_max: int) -> None:
    bench, around = Bench(), Surroundings()
    findings = bench.run(readings(bench), until=20 * 24 * HOUR, around=around)
    assert len({finding.id for finding in findings}) == 1
    assert len(around.asked) <= ticks_max


def test_a_gap_opened_years_later_asks_no_more() -> None:
    bench, around = Bench(), Surroundings()
    around.listening = Listening(((bench.at(YEARS_16), bench.at(YEARS_16 + 900 * HOUR)),))
    (gap,) = bench.run(ships(bench), until=YEARS_16 + 900 * HOUR, around=around)
    assert gap.detected_at_us == bench.at(YEARS_16 + 6 * HOUR + 60)
    assert len(around.asked) == 6


def test_an_aircraft_becomes_a_warning_after_an_hour_that_was_listened_to() -> None:
    bench = Bench()
    around = Surroundings(scene=lambda _t: SceneContext(neighbours_heard=3, neighbours_known=5))
    around.listening = Listening(((bench.at(-HOUR), bench.at(1_800)), (bench.at(2 * HOUR), bench.at(9 * HOUR))))
    opened, warned = bench.run(planes(bench), until=9 * HOUR, around=around)
    assert (opened.detected_at_us, opened.severity, warned.severity) == (bench.at(660), "info", "warning")
    assert max(around.asked) == bench.at(2 * HOUR + 31 * 60)


@given(
    minutes=st.lists(st.integers(1, 300), min_size=4, max_size=12),
    aircraft=st.booleans(),
    second=st.integers(0, 59),
    heard=st.lists(st.integers(0, 4), min_size=5, max_size=5),
)
def test_an_outage_known_only_afterwards_ends_like_one_known_before(
    minutes: list[int], aircraft: bool, second: int, heard: list[int]
) -> None:
    bench = Bench()
    bench.start_us += second * 1_000_000
    edges = [bench.start_us + at * MINUTE_US + 7 * at for at in accumulate(minutes, initial=-1)]
    whole = Listening(tuple(list(pairwise(edges))[::2]))

    def scene(time_us: int) -> SceneContext:
        return SceneContext(neighbours_heard=heard[time_us // HOUR_US % 5], neighbours_known=4)

    def live() -> list[Finding]:
        """Driven a few minutes at a time, knowing at each only of the listening so far."""
        state, findings = bench.state("aircraft" if aircraft else "vessel"), []
        around = Surroundings(scene=scene, listening=Listening((whole.intervals[0],)))
        findings += drive(state, readings, None, around)
        for count, (start_us, end_us) in enumerate(whole.intervals):
            for frontier_us in range(start_us + MINUTE_US // 2, end_us + 1, 7 * MINUTE_US):
                around.listening = Listening((*whole.intervals[:count], (start_us, frontier_us)))
                findings += drive(state, [], frontier_us, around)
            around.listening = Listening(whole.intervals[: count + 1])
            findings += drive(state, [], end_us, around)
        return findings

    readings = (planes if aircraft else ships)(bench)
    known = bench.state("aircraft" if aircraft else "vessel")
    around = Surroundings(scene=scene, listening=whole)
    assert live() == drive(known, readings, whole.intervals[-1][1], around)
