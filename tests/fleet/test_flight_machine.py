"""Flights as the machine finds them in readings: worked recordings, gaps, unseen flights, and the same facts however cut."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.aircraft import AircraftReading
from fleet.airport import Airport, Airports
from fleet.flight import limits
from fleet.flight_machine import MACHINE, FlightState
from fleet.geodesy import destination
from fleet.instants import DAY_US, HOUR_US, SECOND_US
from fleet.practice_book import HOUSE
from fleet.use import Activity, Fact, Journey, Place, UseContext, used
from tests.fleet.fix_vectors import vector

AIRPORTS = Airports(
    [
        Airport(icao="AAAA", name="Here", lat_deg=50.0, lon_deg=8.0, elevation_ft=300.0),
        Airport(icao="BBBB", name="There", lat_deg=50.0, lon_deg=12.0, elevation_ft=1200.0),
    ]
)


class World:
    """Places with airports alone."""

    def airport_near(self, lat_deg: float, lon_deg: float, within_m: float) -> Place | None:
        return AIRPORTS.nearest(lat_deg, lon_deg, within_m)

    def places_near(self, lat_deg: float, lon_deg: float, time_us: int) -> tuple[Place, ...]:
        del lat_deg, lon_deg, time_us
        return ()


CONTEXT = UseContext(limits=limits(HOUSE, date(2026, 11, 26), "A320"), places=World())


def reading(time_s: float, **fields: Any) -> AircraftReading:
    return AircraftReading(scheme="icao24", value="3c6444", time_us=round(time_s * SECOND_US), seq=0, source="adsb", **fields)


def of_rows(rows: list[list[Any]]) -> list[AircraftReading]:
    """(t s, on_ground, gs kn, agl ft, vertical rate ft/min) at a field whose pressure altitude is 0."""
    return [reading(t, on_ground=flag, gs_kn=gs, alt_baro_ft=agl, vertical_rate_fpm=rate) for t, flag, gs, agl, rate in rows]


def flown_by(readings: list[AircraftReading], state: FlightState | None = None) -> tuple[FlightState, list[tuple[int, Fact]]]:
    """The state after readings, and each fact with the instant of the reading that said it."""
    state = state or FlightState(method="AC-DET-1/1")
    found: list[tuple[int, Fact]] = []
    for one in readings:
        out: list[Fact] = []
        MACHINE.at_reading(state, one, CONTEXT, out)
        found += [(one.time_us, fact) for fact in out]
    return state, found


def journeys(found: list[tuple[int, Fact]]) -> list[Journey]:
    return [fact for _, fact in found if isinstance(fact, Journey)]


def test_take_off_and_landing_of_the_worked_flight() -> None:
    said = vector("AC17_detector")
    _, found = flown_by(of_rows(said["rows"]))
    (at_off_us, opened), (at_on_us, closed) = [(at_us, fact) for at_us, fact in found if isinstance(fact, Journey)]
    off, on = said["events"]
    assert opened.started_us / SECOND_US == off["t"]
    assert opened.quality == off["quality"]
    assert at_off_us == off["confirmed_at"] * SECOND_US
    assert closed.ended_us is not None
    assert closed.ended_us / SECOND_US == pytest.approx(on["t"], abs=0.005)
    assert closed.quality == on["quality"]
    assert at_on_us == on["confirmed_at"] * SECOND_US
    assert closed.figures["flight_s"] == pytest.approx(said["fh_s"], abs=0.005)
    assert closed.cycles == said["cycles"]


@pytest.mark.parametrize("name", ["AC18_go_around", "AC19_bad_ground_flag"])
def test_a_go_around_and_a_false_flag_are_no_landing(name: str) -> None:
    said = vector(name)
    # A flight under way goes on: its beginning is known from before.
    before = [[-60 - n, False, 300, 5000, 0] for n in (30, 15, 0)]
    _, found = flown_by(of_rows([*before, *said["rows"]]))
    assert [one.ended_us for one in journeys(found)] == [None]
    assert sum(one.cycles for one in journeys(found)) == said["cycles"]


def test_a_parked_aircraft_is_on_the_ground_whatever_its_pressure_altitude() -> None:
    said = vector("AC20_pressure_altitude")
    field = Airports([Airport(icao="CCCC", name="C", lat_deg=0, lon_deg=0, elevation_ft=said["field_elev_ft"])])
    assert field.nearest(0, 0, 1) is not None
    altitude_ft = said["field_elev_ft"] + (1013.25 - said["qnh_hpa"]) * said["ft_per_hpa"]
    assert altitude_ft == pytest.approx(said["reported_pressure_alt_ft"], abs=0.05)
    parked = [reading(60 * n, on_ground=True, gs_kn=0.0, alt_baro_ft=altitude_ft) for n in range(5)]
    state, found = flown_by(parked)
    assert state.phase == "ground"
    assert journeys(found) == []
    # It takes off: the height is counted from the altitude that it told on the ground.
    rolled = [
        reading(300 + 10 * n, on_ground=False, gs_kn=150.0, alt_baro_ft=altitude_ft + 400 * n, vertical_rate_fpm=2400.0)
        for n in (4, 5, 6)
    ]
    _, found = flown_by(rolled, state)
    assert (journeys(found)[0].started_us, journeys(found)[0].quality) == (300 * SECOND_US, "extrapolated")


def along(
    from_s: float, to_s: float, step_s: float, lon_from: float, lon_to: float, gs_kn: float, alt_ft: float
) -> list[AircraftReading]:
    """Level flight along latitude 50."""
    steps = int((to_s - from_s) / step_s)
    return [
        reading(
            from_s + n * step_s,
            on_ground=False,
            gs_kn=gs_kn,
            alt_baro_ft=alt_ft,
            vertical_rate_fpm=0.0,
            lat_deg=50.0,
            lon_deg=lon_from + (lon_to - lon_from) * n / steps,
        )
        for n in range(steps + 1)
    ]


def stand(from_s: float, to_s: float, lon_deg: float, step_s: float = 60.0) -> list[AircraftReading]:
    steps = int((to_s - from_s) / step_s)
    return [reading(from_s + n * step_s, on_ground=True, gs_kn=0.0, lat_deg=50.0, lon_deg=lon_deg) for n in range(steps + 1)]


FLIGHT = [
    *stand(0, 900, 8.0),
    *along(930, 2700, 10, 8.02, 11.98, 300.0, 2000.0),
    *stand(2760, 3600, 12.0),
]


def test_a_flight_knows_its_airports_and_the_calendar_is_covered() -> None:
    state, found = flown_by(FLIGHT)
    (flight,) = [one for one in journeys(found) if one.ended_us is not None]
    assert (flight.from_place, flight.to_place) == ("AAAA", "BBBB")
    assert flight.coverage == pytest.approx(1.0)
    assert flight.distance_m == pytest.approx(286_000, rel=0.02)
    activities = [fact for _, fact in found if isinstance(fact, Activity)]
    activities += [fact for fact in MACHINE.standing(state) if isinstance(fact, Activity)]
    use = used([], activities, 0, 3600 * SECOND_US)
    assert flight.ended_us is not None
    assert use.states_us["airborne"] == flight.ended_us - flight.started_us
    assert use.states_us["ground"] == 3600 * SECOND_US - use.states_us["airborne"]
    assert use.coverage == pytest.approx(1.0)
    assert [one.place for one in activities] == ["AAAA", None, "BBBB"]


def test_a_slow_gap_hides_a_landing_and_an_ocean_does_not() -> None:
    before = [*stand(0, 600, 8.0), *along(630, 3000, 10, 8.02, 11.9, 300.0, 2500.0)]
    landed = [*before, *along(3000 + 3 * 3600, 3000 + 3 * 3600 + 600, 10, 12.05, 13.0, 300.0, 2500.0)]
    _, found = flown_by(landed)
    ends = journeys(found)
    assert [(one.from_place, one.to_place) for one in ends] == [("AAAA", None), ("AAAA", "BBBB"), ("BBBB", None)]
    assert ends[1].quality == "inferred_gap"
    ocean = [*before, *along(3000 + 3600, 3000 + 4200, 10, 19.0, 20.0, 300.0, 2500.0)]
    assert len(journeys(flown_by(ocean)[1])) == 1


def test_a_gap_in_the_ambiguous_band_is_said_to_be_ambiguous_and_unknown() -> None:
    before = [*stand(0, 600, 8.0), *along(630, 3000, 10, 8.02, 11.9, 300.0, 2500.0)]
    after = [*along(3000 + 7200, 3000 + 7800, 10, 19.5, 20.5, 300.0, 5000.0), *stand(3000 + 7860, 3000 + 8400, 20.6)]
    _, found = flown_by([*before, *after])
    flight = journeys(found)[-1]
    assert flight.ended_us is not None
    assert flight.quality == "ambiguous"
    assert flight.figures["ambiguous_gap_s"] == 7200
    assert flight.coverage is not None
    assert flight.coverage < 0.9
    assert any(
        isinstance(fact, Activity) and fact.state == "unknown" and fact.to_us - fact.from_us == 7200 * SECOND_US
        for _, fact in found
    )


def test_a_height_without_a_speed_is_another_aircrafts() -> None:
    mixed = [reading(600 + n, on_ground=False, alt_baro_ft=36_000.0, lat_deg=50.0, lon_deg=8.0) for n in range(1, 60, 3)]
    assert journeys(flown_by([*stand(0, 600, 8.0), *mixed, *stand(720, 1200, 8.0)])[1]) == []


def test_an_aircraft_found_elsewhere_flew_unseen() -> None:
    _, found = flown_by([*stand(0, 600, 8.0), *stand(9 * 3600, 9 * 3600 + 600, 12.0)])
    (flight,) = journeys(found)
    assert (flight.from_place, flight.to_place, flight.cycles, flight.quality) == ("AAAA", "BBBB", 1, "inferred_gap")
    assert flight.coverage == 0.0


def test_a_night_on_the_stand_is_vouched_for_and_a_week_is_not() -> None:
    night, _ = flown_by([*stand(0, 600, 8.0), *stand(12 * 3600, 12 * 3600 + 60, 8.001)])
    (kept,) = [fact for fact in MACHINE.standing(night) if isinstance(fact, Activity)]
    assert (kept.state, kept.observed_us) == ("ground", kept.to_us - kept.from_us)
    _, found = flown_by([*stand(0, 600, 8.0), *stand(7 * 86400, 7 * 86400 + 60, 8.001)])
    unknown_us = sum(fact.to_us - fact.from_us for _, fact in found if isinstance(fact, Activity) and fact.state == "unknown")
    assert unknown_us == 7 * DAY_US - 600 * SECOND_US


def test_up_again_at_once_is_a_touch_and_go_with_a_cycle_of_its_own() -> None:
    rolling = [reading(t, on_ground=True, gs_kn=120.0, lat_deg=50.0, lon_deg=12.0) for t in range(2760, 2780, 5)]
    away = along(2790, 3300, 10, 12.01, 12.8, 200.0, 3000.0)
    landing = [one for one in FLIGHT if one.time_us < 2760 * SECOND_US]
    _, found = flown_by([*landing, *rolling, *away, *stand(3400, 4000, 12.0)])
    ended = [one for one in journeys(found) if one.ended_us is not None]
    assert sum(one.cycles for one in ended) == 2
    assert ended[1].figures.get("touch_and_go") is True


def test_a_leg_faster_than_any_aircraft_is_dropped() -> None:
    away = destination(50.0, 9.0, 0.0, 400_000)
    wild = reading(1500.5, on_ground=False, gs_kn=300.0, alt_baro_ft=2000.0, lat_deg=away[0], lon_deg=away[1])
    honest = journeys(flown_by(FLIGHT)[1])[-1]
    bent = journeys(flown_by(sorted([*FLIGHT, wild], key=lambda one: one.time_us))[1])[-1]
    assert bent.distance_m == pytest.approx(honest.distance_m, rel=0.06)


@settings(max_examples=60)
@given(st.lists(st.integers(1, len(FLIGHT) - 1), max_size=4), st.integers(0, 20 * HOUR_US))
def test_cut_and_resumed_from_its_bytes_it_finds_the_same(cuts: list[int], shift_us: int) -> None:
    """Also across midnight: the flight is shifted to any hour of the day."""
    shifted = [msgspec.structs.replace(one, time_us=one.time_us + shift_us) for one in FLIGHT]
    whole = flown_by(shifted)
    state, found = FlightState(method="AC-DET-1/1"), list[tuple[int, Fact]]()
    edges = [0, *sorted(set(cuts)), len(shifted)]
    for from_n, to_n in pairwise(edges):
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=MACHINE.state_type)  # type: ignore[assignment]
        state, more = flown_by(shifted[from_n:to_n], state)
        found += more
    assert found == whole[1]
    assert msgspec.msgpack.encode(state) == msgspec.msgpack.encode(whole[0])


def test_the_memory_of_an_aircraft_is_small() -> None:
    state, _ = flown_by([*FLIGHT, *along(3700, 9000, 60, 12.1, 30.0, 450.0, 36000.0)])
    assert len(msgspec.msgpack.encode(state)) < 1024
