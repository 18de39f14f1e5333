"""Ships in use: a round between two ports, what silence and false positions do to it, and that nothing depends on the cut."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.geodesy import distance_m
from fleet.instants import DAY_US, HOUR_US, MINUTE_US
from fleet.practice_book import HOUSE
from fleet.use import UseDay, used
from fleet.vessel import VesselReading
from fleet.vessel_use import MACHINE, VesselLimits
from tests.fleet.fix_ships import START_US, Harbours, activities, after, journeys, lying, reading, run, sailing

A, B = (51.0, 1.0), (52.5, 3.5)
PORTS = Harbours({"A": A, "B": B})


def round_trip() -> list[VesselReading]:
    stay = lying(A, START_US, 20, nav_status=5, draught_m=7.0)
    out = sailing(A, B, after(stay), 12.0, nav_status=0, draught_m=11.5)
    berth = lying(B, after(out), 30, nav_status=5, draught_m=11.5)
    back = sailing(B, A, after(berth), 14.0, nav_status=0, draught_m=7.2)
    return [*stay, *out, *berth, *back, *lying(A, after(back), 5, nav_status=5, draught_m=7.2)]


def test_a_round_is_three_calls_and_two_voyages_of_the_distance_between_the_limits_of_the_ports() -> None:
    facts, state = run(round_trip(), PORTS)
    found = journeys(facts, state)
    assert [(one.kind, one.from_place, one.to_place, one.confidence) for one in found] == [
        ("port_call", "A", "A", 3), ("voyage", "A", "B", None), ("port_call", "B", "B", 4), ("voyage", "B", "A", None),
        ("port_call", "A", "A", 3),
    ]  # fmt: skip
    voyage = found[1]
    assert voyage.coverage == 1.0
    assert voyage.quality == "observed"
    assert distance_m(*A, *B) - 8000 < voyage.distance_m < distance_m(*A, *B) - 4000
    assert [one.figures["draught_m"] for one in found if one.kind == "voyage"] == [11.5, 7.2]


def test_what_she_did_covers_her_time_and_adds_up_over_days_and_over_any_cut() -> None:
    facts, state = run(round_trip(), PORTS)
    done = activities(facts, state)
    first_us, last_us = done[0].from_us, done[-1].to_us
    assert all(one.to_us == two.from_us for one, two in pairwise(done))
    days = [fact for fact in facts if isinstance(fact, UseDay)]
    whole = used(days, done, first_us, last_us)
    assert sum(whole.states_us.values()) == last_us - first_us
    assert whole.coverage == 1.0
    cut_us = first_us + 31 * HOUR_US + 7
    parts = [used(days, done, first_us, cut_us), used(days, done, cut_us, last_us)]
    assert sum(part.distance_m for part in parts) == pytest.approx(whole.distance_m)
    assert sum(part.observed_us for part in parts) == pytest.approx(whole.observed_us, abs=2)
    assert set(whole.states_us) == {"moored", "at_sea"}


def test_a_silence_of_a_day_at_sea_is_unknown_and_the_voyage_says_how_much_was_seen() -> None:
    heard = [one for one in round_trip() if not START_US + 25 * HOUR_US < one.time_us < START_US + 32 * HOUR_US]
    facts, state = run(heard, PORTS)
    (voyage, _) = [one for one in journeys(facts, state) if one.kind == "voyage"]
    unknown_us = sum(one.to_us - one.from_us for one in activities(facts, state) if one.state == "unknown")
    assert voyage.ended_us is not None
    assert 7 * HOUR_US <= unknown_us < 7.5 * HOUR_US
    assert voyage.coverage == pytest.approx(1 - unknown_us / (voyage.ended_us - voyage.started_us), abs=1e-9)


def test_positions_elsewhere_make_no_call_no_distance_and_are_counted() -> None:
    honest = round_trip()
    false = [reading(START_US + minute * MINUTE_US, 60.0, 25.0, 12.0, nav_status=0) for minute in (26 * 60 + 3, 26 * 60 + 5)]
    spoofed = sorted([*honest, *false], key=lambda one: one.time_us)
    far = Harbours({"A": A, "B": B, "FAR": (60.0, 25.0)})
    facts, state = run(spoofed, far)
    plain, plain_state = run(honest, far)
    assert [one.to_place for one in journeys(facts, state)] == [one.to_place for one in journeys(plain, plain_state)]
    voyage = journeys(facts, state)[1]
    assert voyage.figures["legs_dropped"] == 1
    assert voyage.distance_m == pytest.approx(journeys(plain, plain_state)[1].distance_m, rel=1e-9)


def test_a_port_that_is_only_passed_ends_no_voyage() -> None:
    passed = Harbours({"A": A, "B": B, "PASSED": (51.75, 2.22)})
    facts, state = run(round_trip(), passed)
    found = journeys(facts, state)
    assert {one.confidence for one in found if one.from_place == "PASSED"} == {1}
    voyages = [(one.from_place, one.to_place, round(one.distance_m)) for one in found if one.kind == "voyage"]
    plain_facts, plain = run(round_trip(), PORTS)
    assert voyages == [
        (one.from_place, one.to_place, round(one.distance_m)) for one in journeys(plain_facts, plain) if one.kind == "voyage"
    ]


def test_areas_tell_a_berth_an_anchorage_and_a_yard_apart() -> None:
    areas = Harbours(
        {},
        [
            ("PORT", "port", *A, 6000.0), ("YARD", "yard", 51.0, 1.05, 300.0), ("ROADS", "anchorage", 51.0, 1.3, 4000.0),
        ],
    )  # fmt: skip
    roads = lying((51.0, 1.3), START_US, 10, nav_status=0, sog_kn=0.1)
    inward = sailing((51.0, 1.3), (51.0, 1.05), after(roads), 8.0, nav_status=0)
    blocks = lying((51.0, 1.05), after(inward), 60, nav_status=0)
    facts, state = run([*roads, *inward, *blocks], areas)
    done = activities(facts, state)
    assert [(one.state, one.place) for one, two in pairwise(done) if (one.state, one.place) != (two.state, two.place)] == [
        ("anchored", "ROADS"), ("at_sea", "ROADS"), ("at_sea", None), ("at_sea", "PORT"),
    ]  # fmt: skip
    assert (done[-1].state, done[-1].place) == ("drydock", "PORT")


def test_ten_second_readings_at_a_berth_sail_nowhere_and_one_look_a_minute_is_enough() -> None:
    swaying = [
        reading(START_US + second * 1_000_000, 51.0 + (second % 7) * 1e-5, 1.0 - (second % 5) * 1e-5, 0.0, nav_status=5)
        for second in range(0, 7200, 10)
    ]
    facts, state = run(swaying, PORTS)
    assert sum(one.distance_m for one in activities(facts, state)) == 0.0


@pytest.mark.parametrize(
    ("start", "end"),
    [((10.0, 179.0), (10.0, -179.0)), ((-17.0, -179.5), (-18.0, 178.5)), ((89.5, 0.0), (89.5, 180.0))],
)
def test_the_date_line_and_the_pole_are_sailed_like_any_water(start: tuple[float, float], end: tuple[float, float]) -> None:
    way = sailing(start, end, START_US, 15.0)
    facts, state = run(way, Harbours({}))
    done = activities(facts, state)
    last = way[-1]
    assert sum(one.distance_m for one in done) == pytest.approx(distance_m(*start, last.lat_deg or 0, last.lon_deg or 0), abs=1.0)
    assert {one.state for one in done} == {"at_sea"}


def test_a_leap_day_is_a_day() -> None:
    leap = 19_782 * DAY_US  # 29 February 2024
    facts, _ = run(lying(B, leap - 12 * HOUR_US, 48, nav_status=5), PORTS)
    days = {fact.day_us: fact for fact in facts if isinstance(fact, UseDay)}
    assert sum(days[leap].states_us.values()) == DAY_US


def test_the_machine_s_limits_are_the_house_s_figures() -> None:
    assert MACHINE.limits(HOUSE, date(2026, 11, 22), None) == VesselLimits()


WHERE = st.sampled_from([A, (51.01, 1.02), (51.2, 1.3), B, (52.4, 3.4), (55.0, 9.0)])
LOOKS = st.lists(
    st.tuples(
        st.integers(1, 8 * 60), WHERE, st.sampled_from([0.0, 0.3, 2.0, 9.0, None]), st.sampled_from([None, 0, 1, 5]),
        st.sampled_from([None, 7.0, 7.3, 11.0]), st.sampled_from(["device", "ais_satellite"]),
    ),
    min_size=2, max_size=50,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(LOOKS, st.sets(st.integers(0, 50), max_size=6))
def test_facts_do_not_depend_on_where_a_run_was_cut(looks: list[Any], cuts: set[int]) -> None:
    time_us, readings = START_US, []
    for minutes, (lat_deg, lon_deg), sog_kn, nav_status, draught_m, source in looks:
        time_us += minutes * MINUTE_US
        readings.append(reading(time_us, lat_deg, lon_deg, sog_kn, nav_status=nav_status, draught_m=draught_m, source=source))
    facts, state = run(readings, PORTS)
    again, resumed = run(readings, PORTS, sorted(cuts))
    assert again == facts
    assert msgspec.msgpack.encode(resumed) == msgspec.msgpack.encode(state)
    assert len(msgspec.msgpack.encode(state)) < 4096
    done = activities(facts, state)
    assert all(one.to_us == two.from_us for one, two in pairwise(done))
    voyages = [one for one in journeys(facts, state) if one.kind == "voyage"]
    assert all(one.ended_us is not None and one.ended_us <= two.started_us for one, two in pairwise(voyages))
    assert all(one.coverage is None or 0.0 <= one.coverage <= 1.0 for one in voyages)
