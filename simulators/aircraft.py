"""Aircraft: from stand to stand between real airports, with what transponder and engines say on the way.

A flight is three ways (taxi out, flight, taxi in) and one timetable over them; a reading is a look at it. Pure and seeded.
Runways are not in `airportsdata`: each airport here has one, its direction drawn from its code. Neighbours: `motion` below,
`world` above.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import airportsdata
import numpy as np
import numpy.typing as npt

from simulators.element import NO_LAG, Body, Lag, SimulatedAsset, rfc3339
from simulators.identity import aircraft_state, icao24, registration
from simulators.motion import (
    GEOD,
    KN_MPS,
    NM_M,
    Knot,
    LonLat,
    Moment,
    Noise,
    Timetable,
    UnevenClock,
    Wave,
    Way,
    hash64,
    turn_deg,
    uniform,
)
from simulators.rounds import Hop, Line, Phase, Round, joined
from simulators.scenario import AircraftPlan

TAXI_KN = 16.0  # chosen: usual taxi speed on a straight
LIFT_OFF_KN, TOUCH_DOWN_KN = 150.0, 136.0  # chosen: single-aisle at medium weight
ROLL_S, ROLL_OUT_S = 34.0, 48.0
UNEVENNESS = 0.02  # chosen: wind changes ground speed by 2 % within a flight
LOOK_EVERY_S = 120.0  # chosen: sixteen miles in cruise
CLOCK_PERIODS_S = (2_600.0, 9_000.0, 31_000.0)
STAND_SHARE_S = 240.0  # engine start and push-back
AIRPORTS_CACHE_MAX = 1


class AircraftType(NamedTuple):
    """Cruise speed (kn over ground) and level (ft), climb and descent (ft/min), fuel at full thrust (kg/h), turnaround."""

    designator: str
    cruise_kn: float
    cruise_ft: float
    climb_fpm: float
    descent_fpm: float
    fuel_max_kg_h: float
    turnaround_min: float


_TYPES = {
    "A320": AircraftType("A320", 447.0, 36_000, 2_300, 1_900, 6_800, 50),
    "B738": AircraftType("B738", 452.0, 37_000, 2_400, 2_000, 7_000, 50),
    "A21N": AircraftType("A21N", 449.0, 35_000, 2_200, 1_900, 6_500, 55),
    "E190": AircraftType("E190", 435.0, 36_000, 2_500, 2_000, 4_200, 40),
    "A333": AircraftType("A333", 470.0, 39_000, 2_000, 1_900, 15_500, 95),
    "B77W": AircraftType("B77W", 486.0, 36_000, 2_100, 2_000, 21_000, 110),
    "B789": AircraftType("B789", 484.0, 40_000, 2_200, 2_000, 13_000, 100),
    "A359": AircraftType("A359", 486.0, 40_000, 2_200, 2_000, 13_500, 100),
}


class Flight(NamedTuple):
    """One flight and the stay before it, in own time from `start_s`; `cuts_m` are where taxi out and flight end."""

    start_s: float
    ways: tuple[Way, Way, Way]
    cuts_m: tuple[float, float]
    timetable: Timetable
    stand_heading_deg: float  # as it was parked on arrival
    callsign: str
    squawk: str
    destination: str


class Aircraft:
    """A simulated aircraft; implements `element.Simulated`."""

    def __init__(self, plan: AircraftPlan, *, seed: int, start_us: int) -> None:
        """Lay out its round. Errors: KeyError for an unknown airport or type, ValueError for a hop under 60 nm."""
        self._seed = hash64(seed, plan.name)
        self._start_us = start_us
        self._type = _TYPES[plan.type]
        self.asset = _registered(plan)
        self._airports = plan.airports
        self._flights = _lay_out(plan, self._type, self._seed)
        self._starts = [flight.start_s for flight in self._flights]
        self._round_s = self._flights[-1].start_s + self._flights[-1].timetable.duration_s
        self._clock = UnevenClock(self._seed, UNEVENNESS, CLOCK_PERIODS_S)
        self._offset_s = self._offset(plan)
        self._pressure = Wave(180.0, 90_000.0, 6.28 * uniform(self._seed, "qnh"))  # ft, about ±6.6 hPa
        self._warmth = Wave(0.015, 60_000.0, 6.28 * uniform(self._seed, "isa"))

    def _offset(self, plan: AircraftPlan) -> float:
        flight = self._flights[plan.leg % len(self._flights)]
        airborne = [k.time_s for k in flight.timetable.knots if k.phase in _AIRBORNE]
        if plan.flown is not None:
            return flight.start_s + airborne[0] + plan.flown * (airborne[-1] - airborne[0])
        if plan.stand_left_min is not None:
            push_s = next(k.time_s for k in flight.timetable.knots if k.phase == "push_back")
            return flight.start_s + push_s - 60.0 * plan.stand_left_min
        return uniform(self._seed, "offset") * self._round_s

    def _look(self, time_us: int) -> tuple[Flight, Moment, float, float, float]:
        since_s = (time_us - self._start_us) / 1e6
        own_s, rate = self._clock.own(since_s)
        own_s = (own_s + self._offset_s) % self._round_s
        flight = self._flights[bisect_right(self._starts, own_s) - 1]
        in_flight_s = own_s - flight.start_s
        return flight, flight.timetable.at(in_flight_s), rate, since_s, in_flight_s

    def round(self) -> Round:
        """Its whole round, for long histories."""
        hops, phases, parts = [], [], []
        for n, flight in enumerate(self._flights):
            knots = flight.timetable.knots
            at = {phase: flight.start_s + next(k.time_s for k in knots if k.phase == phase)
                  for phase in ("push_back", "initial_climb", "landing_roll", "shut_down")}  # fmt: skip
            hops.append(Hop(self._airports[n], flight.destination, at["initial_climb"], at["landing_roll"],
                            flight.ways[1].length_m, None, (at["push_back"], at["shut_down"])))  # fmt: skip
            end_s = flight.start_s + knots[-1].time_s
            phases += [Phase("ground", flight.start_s, at["initial_climb"]),
                       Phase("airborne", at["initial_climb"], at["landing_roll"]),
                       Phase("ground", at["landing_roll"], end_s)]  # fmt: skip
            parts.append(_line(flight))
        own_s, lat_deg, lon_deg, speed_kn, course_deg = (np.concatenate(column) for column in zip(*parts, strict=True))
        line = Line(own_s, lat_deg, np.unwrap(lon_deg, period=360.0), speed_kn, course_deg)
        return Round(self._round_s, self._offset_s, self._clock, tuple(hops), joined(phases), line)

    def under_way(self, time_us: int) -> bool:
        """In flight, between the initial climb and the approach."""
        return self._look(time_us)[1].phase in ("climb", "cruise", "descent")

    def static(self, time_us: int, lag: Lag = NO_LAG) -> Body:
        """Identity, and the airport it is bound for."""
        del lag  # an aircraft keeps its timetable
        flight = self._look(time_us)[0]
        return {"time": rfc3339(time_us), **self.asset.particulars, "destination": flight.destination}

    def reading(self, time_us: int, lag: Lag = NO_LAG) -> Body:
        """Position, motion, transponder and engines at an instant."""
        del lag
        flight, moment, rate, since_s, in_flight_s = self._look(time_us)
        noise = Noise(self._seed, time_us)
        lon_deg, lat_deg, track_deg = _place(flight, moment)
        gs_kn = moment.speed_mps * rate / KN_MPS
        on_ground = moment.phase not in _AIRBORNE
        # a step of the timetable's climb is smoothed over the 16 s an inertial vertical speed would need
        ahead, behind = flight.timetable.at(in_flight_s + 8), flight.timetable.at(in_flight_s - 8)
        climb_fpm = (ahead.altitude_ft - behind.altitude_ft) / 16.0 * 60.0 * rate
        baro_ft = moment.altitude_ft + self._pressure.at(since_s) * max(0.0, 1.0 - moment.altitude_ft / 18_000)
        geom_ft = moment.altitude_ft * (1.0 + self._warmth.at(since_s)) + 60.0 * math.sin(math.radians(lon_deg * 2))
        if gs_kn > 0:
            gs_kn += 0.4 * noise.next()
        return {
            "time": rfc3339(time_us),
            "lat_deg": round(lat_deg + 1e-5 * noise.next(), 6),
            "lon_deg": round(lon_deg + 1e-5 * noise.next(), 6),
            "on_ground": on_ground,
            "gs_kn": round(max(0.0, gs_kn), 1),
            "track_deg": round((track_deg + (0.2 * noise.next() if gs_kn > 1 else 0.0)) % 360.0, 1) % 360.0,
            "alt_baro_ft": round(baro_ft / 25) * 25,
            "alt_geom_ft": round(geom_ft / 25) * 25,
            "vertical_rate_fpm": 0 if on_ground else round((climb_fpm + 20 * noise.next()) / 64) * 64,
            "squawk": flight.squawk,
            "nic": 8,
            "nac_p": 10 if noise.next() < 1.5 else 9,
            "sil": 3,
            "callsign": flight.callsign,
            "channels": _channels(self._type, moment, noise),
        }


_AIRBORNE = frozenset({"initial_climb", "climb", "cruise", "descent", "approach"})


@lru_cache(maxsize=AIRPORTS_CACHE_MAX)
def _airports() -> Mapping[str, Mapping[str, Any]]:
    return airportsdata.load("ICAO")


class _Field(NamedTuple):
    point: LonLat
    elevation_ft: float
    runway_deg: float


def _field(icao: str) -> _Field:
    row = _airports()[icao]
    lon_lat = (float(row["lon"]), float(row["lat"]))
    return _Field(lon_lat, float(row["elevation"]), uniform("runway", icao) * 180.0)


def _registered(plan: AircraftPlan) -> SimulatedAsset:
    state = aircraft_state(plan.name)
    identifiers = {
        "icao24": icao24(plan.name, state),
        "registration": registration(plan.name, state),
        "msn": str(hash64("msn", plan.name) % 60_000 + 1_000),
    }
    particulars: Body = {
        "name": plan.name,
        "flag": state.country,
        "registration": identifiers["registration"],
        "icao24": identifiers["icao24"],
        "type": plan.type,
    }
    hex_code = identifiers["icao24"]
    return SimulatedAsset(plan.tenant, "aircraft", plan.name, plan.type, identifiers, "icao24", hex_code, particulars, plan.name)


def _lay_out(plan: AircraftPlan, kind: AircraftType, seed: int) -> list[Flight]:
    flights: list[Flight] = []
    count, start_s = len(plan.airports), 0.0
    number = 100 + hash64(plan.name, "flight") % 800
    headings: list[float] = []
    for i, origin in enumerate(plan.airports):
        a, b = _field(origin), _field(plan.airports[(i + 1) % count])
        ways = _ways(a, b)
        cuts_m = (ways[0].length_m, ways[0].length_m + ways[1].length_m)
        stay_s = kind.turnaround_min * 60.0 * (0.8 + 0.5 * uniform(seed, "turn", i))
        timetable = _timetable(ways, a, b, kind, stay_s)
        headings.append(ways[2].at(ways[2].length_m).bearing_deg)
        code = hash64(seed, "squawk", i)
        squawk = f"{code % 6 + 1}{code // 6 % 7}{code // 64 % 8}{code // 512 % 8}"
        flights.append(Flight(start_s, ways, cuts_m, timetable, 0.0, f"KWL{number + i}", squawk, plan.airports[(i + 1) % count]))
        start_s += timetable.duration_s
    return [flight._replace(stand_heading_deg=headings[i - 1]) for i, flight in enumerate(flights)]


def _ways(a: _Field, b: _Field) -> tuple[Way, Way, Way]:
    """Taxi out, flight and taxi in; runway ends are chosen so that neither end turns more than 90 degrees."""
    course_deg, back_deg, _ = GEOD.inv(*a.point, *b.point)
    out_deg = _nearer_end(a.runway_deg, course_deg)
    in_deg = _nearer_end(b.runway_deg, back_deg + 180.0)
    line_up = _off(a.point, out_deg + 180.0, 0.75 * NM_M)
    start = _off(line_up, out_deg, 120.0)
    taxi_out = Way([_stand(a), _off(_stand(a), a.runway_deg + 180.0, 200.0), *_parallel(a, line_up), line_up, start], 45.0)
    touch_down = _off(b.point, in_deg + 180.0, 0.6 * NM_M)
    end = _off(touch_down, in_deg, (TOUCH_DOWN_KN + TAXI_KN) / 2 * KN_MPS * ROLL_OUT_S)
    corners = [start, _off(start, out_deg, 8 * NM_M), _off(touch_down, in_deg + 180.0, 11 * NM_M), end]
    flight = Way(corners, 3 * NM_M)
    turn_off = _off(end, in_deg, 200.0)
    stand = _stand(b)
    taxi_in = Way([end, turn_off, *reversed(_parallel(b, turn_off)), _off(stand, b.runway_deg + 180.0, 200.0), stand], 45.0)
    return taxi_out, flight, taxi_in


def _stand(field: _Field) -> LonLat:
    return _off(field.point, field.runway_deg + 90.0, 900.0)


def _parallel(field: _Field, runway_point: LonLat) -> list[LonLat]:
    """The taxiway 400 m beside the runway: abeam the stands, then abeam a point of the runway."""
    side_deg = field.runway_deg + 90.0
    return [_off(_off(field.point, side_deg, 400.0), field.runway_deg + 180.0, 200.0), _off(runway_point, side_deg, 400.0)]


def _nearer_end(runway_deg: float, course_deg: float) -> float:
    return runway_deg if abs(turn_deg(runway_deg, course_deg)) <= 90.0 else (runway_deg + 180.0) % 360.0


def _off(point: LonLat, bearing_deg: float, distance_m: float) -> LonLat:
    lon_deg, lat_deg, _ = GEOD.fwd(*point, bearing_deg, distance_m)
    return lon_deg, lat_deg


def _timetable(ways: tuple[Way, Way, Way], a: _Field, b: _Field, kind: AircraftType, stay_s: float) -> Timetable:
    """Stand to stand. Cruise fills the way; a hop too short for the level takes a lower one."""
    for cruise_ft in (kind.cruise_ft, 33_000, 29_000, 25_000, 21_000, 17_000, 13_000):
        up = _up(a, cruise_ft, kind)
        down = _down(b, cruise_ft, kind)
        cruise_m = ways[1].length_m - Timetable(up).length_m - Timetable(down).length_m
        speed_mps = up[-1].speed_mps
        if cruise_m > 60 * speed_mps:
            break
    else:
        raise ValueError(f"too short a hop for {kind.designator}: {ways[1].length_m / NM_M:.0f} nm")
    knots = [
        Knot(0.0, 0.0, a.elevation_ft, 0.0, "stand"),
        Knot(stay_s, 0.0, a.elevation_ft, 0.0, "push_back"),
        Knot(stay_s + STAND_SHARE_S, 0.0, a.elevation_ft, 22.0, "taxi_out"),
    ]
    knots += _taxi(ways[0].length_m, knots[-1].time_s, a.elevation_ft, "taxi_out")
    knots.append(knots[-1]._replace(phase="line_up"))
    hold_s = knots[-1].time_s + 45.0
    knots += [knot._replace(time_s=hold_s + knot.time_s) for knot in up]
    down_s = knots[-1].time_s + cruise_m / speed_mps
    knots += [knot._replace(time_s=down_s + knot.time_s) for knot in down]
    knots += _taxi_in(ways[2].length_m, knots[-1].time_s, b.elevation_ft)
    return Timetable([knot for i, knot in enumerate(knots) if i == 0 or knot.time_s > knots[i - 1].time_s + 1e-6])


def _up(a: _Field, cruise_ft: float, kind: AircraftType) -> list[Knot]:
    """From brake release to the top of climb; climb rate fades with height as thrust does."""
    low_ft, cruise_kn = a.elevation_ft + 10_000, _cruise_kn(kind, cruise_ft)
    middle_ft = max(low_ft + 500, 0.68 * cruise_ft)
    t1_s = ROLL_S + 60 * 1_500 / kind.climb_fpm
    t2_s = t1_s + 60 * 8_500 / (1.05 * kind.climb_fpm)
    t3_s = t2_s + 60 * (middle_ft - low_ft) / (0.8 * kind.climb_fpm)
    t4_s = t3_s + 60 * max(500.0, cruise_ft - middle_ft) / (0.5 * kind.climb_fpm)
    return [
        Knot(0.0, 0.0, a.elevation_ft, 22.0, "take_off"),
        Knot(8.0, 30 * KN_MPS, a.elevation_ft, 95.0, "take_off"),
        Knot(ROLL_S, LIFT_OFF_KN * KN_MPS, a.elevation_ft, 95.0, "initial_climb"),
        Knot(t1_s, 185 * KN_MPS, a.elevation_ft + 1_500, 93.0, "climb"),
        Knot(t2_s, 280 * KN_MPS, low_ft, 91.0, "climb"),
        Knot(t3_s, 0.9 * cruise_kn * KN_MPS, middle_ft, 91.0, "climb"),
        Knot(t4_s, cruise_kn * KN_MPS, cruise_ft, 90.0, "cruise"),
        Knot(t4_s + 40, cruise_kn * KN_MPS, cruise_ft, 84.0, "cruise"),
    ]


def _down(b: _Field, cruise_ft: float, kind: AircraftType) -> list[Knot]:
    """From the top of descent to the turn-off: the last 3,000 ft on a 3 degree slope."""
    final_ft, low_ft = b.elevation_ft + 2_600, b.elevation_ft + 10_000
    cruise_kn = _cruise_kn(kind, cruise_ft)
    t1_s = 60 * (cruise_ft - low_ft) / kind.descent_fpm
    t2_s = t1_s + 60 * (low_ft - final_ft) / 1_250
    t3_s = t2_s + 60 * 1_100 / 830  # 3 degrees at 160 kn mean
    t4_s = t3_s + 60 * 1_500 / 725  # 3 degrees at 137 kn
    end_s = t4_s + ROLL_OUT_S
    return [
        Knot(0.0, cruise_kn * KN_MPS, cruise_ft, 84.0, "descent"),
        Knot(25.0, cruise_kn * KN_MPS, cruise_ft - 25 * kind.descent_fpm / 60, 42.0, "descent"),
        Knot(t1_s, 290 * KN_MPS, low_ft, 40.0, "descent"),
        Knot(t2_s, 185 * KN_MPS, final_ft, 52.0, "approach"),
        Knot(t3_s, 138 * KN_MPS, b.elevation_ft + 1_500, 58.0, "approach"),
        Knot(t4_s, TOUCH_DOWN_KN * KN_MPS, b.elevation_ft, 45.0, "landing_roll"),
        Knot(t4_s + 6, (TOUCH_DOWN_KN - 15) * KN_MPS, b.elevation_ft, 70.0, "landing_roll"),
        Knot(end_s, TAXI_KN * KN_MPS, b.elevation_ft, 24.0, "taxi_in"),
    ]


def _cruise_kn(kind: AircraftType, cruise_ft: float) -> float:
    """Lower levels are flown slower: 0.5 kn for each hundred feet (chosen)."""
    return kind.cruise_kn - 0.005 * (kind.cruise_ft - cruise_ft)


def _taxi(length_m: float, time_s: float, altitude_ft: float, phase: str) -> list[Knot]:
    """From a standstill to a standstill over length_m, 12 s to speed and 12 s to stop."""
    taxi_mps = TAXI_KN * KN_MPS
    steady_s = (length_m - 12 * taxi_mps) / taxi_mps
    return [
        Knot(time_s, 0.0, altitude_ft, 22.0, phase),
        Knot(time_s + 12, taxi_mps, altitude_ft, 26.0, phase),
        Knot(time_s + 12 + steady_s, taxi_mps, altitude_ft, 22.0, phase),
        Knot(time_s + 24 + steady_s, 0.0, altitude_ft, 22.0, phase),
    ]


def _taxi_in(length_m: float, time_s: float, altitude_ft: float) -> list[Knot]:
    taxi_mps = TAXI_KN * KN_MPS
    steady_s = (length_m - 6 * taxi_mps) / taxi_mps
    stop_s = time_s + steady_s + 12
    return [
        Knot(time_s + steady_s, taxi_mps, altitude_ft, 22.0, "taxi_in"),
        Knot(stop_s, 0.0, altitude_ft, 22.0, "shut_down"),
        Knot(stop_s + 60, 0.0, altitude_ft, 0.0, "stand"),
        Knot(stop_s + 61, 0.0, altitude_ft, 0.0, "stand"),
    ]


def _line(flight: Flight) -> tuple[npt.NDArray[np.float64], ...]:
    """A flight and the stay before it as columns of a `Line`, every `LOOK_EVERY_S` and at every knot."""
    knots = [knot.time_s for knot in flight.timetable.knots]
    times = np.unique(np.concatenate([np.arange(0.0, knots[-1], LOOK_EVERY_S), knots]))
    rows = []
    for time_s in times:
        moment = flight.timetable.at(float(time_s))
        lon_deg, lat_deg, track_deg = _place(flight, moment)
        rows.append((flight.start_s + time_s, lat_deg, lon_deg, moment.speed_mps / KN_MPS, track_deg))
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def _place(flight: Flight, moment: Moment) -> tuple[float, float, float]:
    """Longitude, latitude and track (on stand: where the nose points)."""
    distance_m = moment.distance_m
    if distance_m < flight.cuts_m[0]:
        fix = flight.ways[0].at(distance_m)
    elif distance_m < flight.cuts_m[1]:
        fix = flight.ways[1].at(distance_m - flight.cuts_m[0])
    else:
        fix = flight.ways[2].at(distance_m - flight.cuts_m[1])
    nose_deg = fix.bearing_deg
    if distance_m == 0.0 and moment.phase in ("stand", "push_back"):
        pushed = 0.0 if moment.phase == "stand" else moment.phase_age_s / STAND_SHARE_S
        nose_deg = flight.stand_heading_deg + pushed * turn_deg(flight.stand_heading_deg, fix.bearing_deg)
    return fix.lon_deg, fix.lat_deg, nose_deg


def _channels(kind: AircraftType, moment: Moment, noise: Noise) -> dict[str, float]:
    """What the engines' sensors say, mean of all engines.

    Exhaust gas temperature rises with the cube of fan speed; fuel with its power 2.6 and with air density (15 % of sea
    level's effect per 10,000 ft); oil pressure follows speed, oil temperature load. Curves chosen to pass idle, cruise
    and take-off of a high-bypass engine; at rest everything cools with a time constant of 20 min.
    """
    n1_pct = max(0.0, moment.thrust)
    spool, n1 = min(1.0, n1_pct / 20.0), n1_pct / 100.0
    cold = math.exp(-moment.phase_age_s / 1200.0) if moment.phase == "stand" else 0.0
    thin = max(0.25, 1.0 - 0.15 * moment.altitude_ft / 10_000)
    egt_c = spool * (375 + 480 * n1**3) + (1 - spool) * (22 + 240 * cold)
    fuel_kg_h = spool * kind.fuel_max_kg_h * (0.05 + 0.95 * n1**2.6) * thin
    oil_psi = spool * (24 + 42 * n1)
    oil_c = spool * (58 + 44 * n1) + (1 - spool) * (22 + 50 * cold)
    vibration_ips = spool * (0.04 + 0.3 * n1**2)
    running = 1.0 if n1_pct > 0.5 else 0.0
    return {
        "n1_pct": round(max(0.0, n1_pct + running * 0.12 * noise.next()), 1),
        "egt_c": round(egt_c + 1.5 * noise.next(), 1),
        "fuel_flow_kg_h": round(max(0.0, fuel_kg_h * (1 + 0.005 * noise.next())), 1),
        "oil_pressure_psi": round(max(0.0, oil_psi + running * 0.35 * noise.next()), 1),
        "oil_temp_c": round(oil_c + 0.4 * noise.next(), 1),
        "vibration_ips": round(max(0.0, vibration_ips + running * 0.006 * noise.next()), 3),
    }
