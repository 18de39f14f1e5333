"""Trainsets: out and back on a line from early morning to late evening, and a night in the yard, day after day.

A day is laid out once, as a timetable over the line and back; a reading is a look at it. Odometer and counters are functions of
what was run since the train was new. Pure and seeded. Knows no other train. Neighbours: `motion` below, `world` above.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from typing import NamedTuple

from simulators.element import NO_LAG, Body, Lag, SimulatedAsset, rfc3339
from simulators.motion import GEOD, Knot, LonLat, Moment, Noise, Timetable, Way, hash64, uniform
from simulators.scenario import TrainsetPlan

DAY_S = 86_400.0
BUILT_DAY = 19_723  # 1 January 2024, in days since 1970: counters grow from there
FIRST_TRAIN_S, LAST_TRAIN_S = 4.5 * 3600.0, 23.5 * 3600.0  # chosen: usual hours of a suburban line, UTC
DWELL_S, TURN_BACK_S = 40.0, 480.0  # chosen: a stop, and a driver's walk to the other cab
GAIN_MPS2 = 0.8  # chosen: a suburban train's service acceleration and braking
BEND_M = 600.0
METRES_PER_SECOND_IN_KMH = 3.6
HOUSE_KW = 42.0  # chosen: heating, air and light of a six-car train in service
COMPRESSOR_EVERY_S, COMPRESSOR_ON_S = 157.0, 9.42  # domain.md 4: a duty of 0.06; in step with no usual cadence
YARD_SHARE = 0.25  # chosen: of its house load, a stabled train keeps a quarter

LINES: dict[str, tuple[tuple[str, float, float], ...]] = {
    "S1": (
        ("Blankenese", 53.5646, 9.8147), ("Othmarschen", 53.5586, 9.8853), ("Altona", 53.5519, 9.9350),
        ("Landungsbruecken", 53.5460, 9.9713), ("Hauptbahnhof", 53.5527, 10.0067), ("Barmbek", 53.5873, 10.0445),
        ("Poppenbuettel", 53.6525, 10.0939),
    ),
    "C5": (
        ("Humanes", 40.2849, -3.7438), ("Leganes", 40.3286, -3.7703), ("Villaverde Alto", 40.3415, -3.7123),
        ("Atocha", 40.4065, -3.6894), ("Embajadores", 40.4050, -3.7024), ("Mostoles", 40.3282, -3.8630),
    ),
}  # fmt: skip
"""Stations of each line in order: name, latitude, longitude (WGS 84, to some hundred metres; written for this simulation)."""


class TrainsetType(NamedTuple):
    """One train's particulars: cars, door leaves, length (m), line speed (m/s), traction (kWh a car-km), share fed back."""

    cars: int
    door_leaves: int
    length_m: float
    speed_mps: float
    traction_kwh_car_km: float
    fed_back: float


_TYPES = {
    "emu_4": TrainsetType(4, 32, 82.0, 30.0, 2.6, 0.28),
    "emu_6": TrainsetType(6, 48, 132.0, 33.0, 2.5, 0.25),
}


class Trainset:
    """A simulated trainset; implements `element.Simulated`."""

    def __init__(self, plan: TrainsetPlan, *, seed: int, start_us: int) -> None:
        """Lay out its day. Errors: KeyError for an unknown line or type."""
        del start_us  # its day is the calendar's
        self._seed = hash64(seed, plan.name)
        self._type = _TYPES[plan.type]
        self._line = plan.line
        self.asset = _registered(plan, self._type)
        stations = LINES[plan.line]
        points: list[LonLat] = [(lon, lat) for _, lat, lon in stations]
        self._names = [name for name, _, _ in stations]
        self._out, self._back = Way(points, BEND_M), Way(points[::-1], BEND_M)
        self._stops_m = _stations_m(points, self._out)
        hop = _timetable(self._stops_m, self._type)
        headway_s = hop.duration_s + TURN_BACK_S
        late_s = uniform(self._seed, "first train") * headway_s
        self._trips = max(2, int((LAST_TRAIN_S - FIRST_TRAIN_S - late_s) / headway_s) // 2 * 2)
        self._hop, self._headway_s, self._first_s = hop, headway_s, FIRST_TRAIN_S + late_s
        self._day_km = self._trips * self._out.length_m / 1000.0
        self._begun_km = round(150_000.0 + 700_000.0 * uniform(self._seed, "odometer"))

    def _look(self, time_us: int) -> tuple[int, int, Moment]:
        """The day, the trip of it (even is out, odd is back), and the moment in that trip: before it the first stop's."""
        second = time_us / 1e6
        day = math.floor(second / DAY_S)
        since_s = second - day * DAY_S - self._first_s
        trip = min(max(math.floor(since_s / self._headway_s), 0), self._trips - 1)
        return day, trip, self._hop.at(max(0.0, since_s - trip * self._headway_s))

    def in_service(self, time_us: int) -> bool:
        """Between the first departure of its day and the last arrival."""
        since_s = time_us / 1e6 % DAY_S - self._first_s
        return 0.0 <= since_s < self._trips * self._headway_s - TURN_BACK_S

    def under_way(self, time_us: int) -> bool:
        """Between two stations, and moving."""
        return self._look(time_us)[2].speed_mps > 1.0

    def static(self, time_us: int, lag: Lag = NO_LAG) -> Body:
        """Identity fields."""
        del lag
        return {"time": rfc3339(time_us), **self.asset.particulars}

    def reading(self, time_us: int, lag: Lag = NO_LAG) -> Body:
        """Place, speed, odometer and what the train management system counts. Delays of `lag` are not simulated."""
        del lag
        day, trip, moment = self._look(time_us)
        day -= BUILT_DAY
        noise = Noise(self._seed, time_us)
        way = self._out if trip % 2 == 0 else self._back
        fix = way.at(moment.distance_m)
        lon_deg, lat_deg, _ = GEOD.fwd(fix.lon_deg, fix.lat_deg, uniform(self._seed, time_us) * 360.0, abs(noise.next()) * 3.0)
        run_km = day * self._day_km + (trip * self._out.length_m + moment.distance_m) / 1000.0
        body: Body = {
            "time": rfc3339(time_us),
            "lat_deg": round(lat_deg, 6),
            "lon_deg": round(lon_deg, 6),
            "speed_kmh": round(moment.speed_mps * METRES_PER_SECOND_IN_KMH, 1),
            "odometer_km": round(self._begun_km + run_km, 3),
            "line": self._line,
            "channels": self._channels(time_us, day, trip, moment, run_km, noise),
        }
        if moment.speed_mps == 0.0:
            body["station"] = self._station(trip, moment)
        return body

    def _station(self, trip: int, moment: Moment) -> str:
        stops_m = self._stops_m if trip % 2 == 0 else [self._out.length_m - m for m in reversed(self._stops_m)]
        names = self._names if trip % 2 == 0 else self._names[::-1]
        return min(zip(stops_m, names, strict=True), key=lambda stop: abs(stop[0] - moment.distance_m))[1]

    def _channels(self, time_us: int, day: int, trip: int, moment: Moment, run_km: float, noise: Noise) -> dict[str, float]:
        """Counters since it was new, the compressor and the motors."""
        stops_m = self._stops_m if trip % 2 == 0 else [self._out.length_m - m for m in reversed(self._stops_m)]
        stops = (day * self._trips + trip) * len(stops_m) + bisect_right(stops_m, moment.distance_m + 1.0)
        serving = self.in_service(time_us)
        day_s = time_us / 1e6 % DAY_S
        served_s = min(max(day_s - self._first_s, 0.0), self._trips * self._headway_s)
        house_h = (day * (DAY_S * YARD_SHARE + self._trips * self._headway_s * (1 - YARD_SHARE))
                   + day_s * YARD_SHARE + served_s * (1 - YARD_SHARE)) / 3600.0  # fmt: skip
        traction_kwh = run_km * self._type.cars * self._type.traction_kwh_car_km
        return {
            "door_cycles": float(stops * self._type.door_leaves),
            "traction_kwh": round(traction_kwh, 2),
            "regen_kwh": round(traction_kwh * self._type.fed_back, 2),
            "aux_kwh": round(house_h * HOUSE_KW, 2),
            "compressor_on": float(serving and day_s % COMPRESSOR_EVERY_S < COMPRESSOR_ON_S),
            "air_pressure_bar": round(
                8.6 + 0.9 * (day_s % COMPRESSOR_EVERY_S) / COMPRESSOR_EVERY_S * -1 + 0.02 * noise.next(), 2
            ),
            "motor_current_a": round(moment.speed_mps / self._type.speed_mps * 210.0 + 4.0 * noise.next(), 1),
        }


def _registered(plan: TrainsetPlan, kind: TrainsetType) -> SimulatedAsset:
    value = plan.name.replace(" ", "-")
    particulars = {"name": plan.name, "type": plan.type, "length_m": kind.length_m}
    return SimulatedAsset(plan.tenant, "trainset", plan.name, plan.type, {"local": value}, "local", value, particulars, plan.name)


def _stations_m(points: list[LonLat], way: Way) -> list[float]:
    """Where along the way the stations are: the ends exactly, those between by their share of the straight legs."""
    legs = [GEOD.inv(*a, *b)[2] for a, b in pairwise(points)]
    total = sum(legs)
    return [0.0, *(way.length_m * sum(legs[: i + 1]) / total for i in range(len(legs) - 1)), way.length_m]


def _timetable(stops_m: list[float], kind: TrainsetType) -> Timetable:
    """From the first station to the last: each hop up to line speed or what its length allows, then a stop."""
    knots = [Knot(0.0, 0.0, phase="stop")]
    time_s = DWELL_S
    for begin_m, end_m in pairwise(stops_m):
        length_m = end_m - begin_m
        top_mps = min(kind.speed_mps, math.sqrt(length_m * GAIN_MPS2))
        ramp_s = top_mps / GAIN_MPS2
        cruise_s = (length_m - top_mps * ramp_s) / top_mps
        knots += [Knot(time_s, 0.0, phase="run"), Knot(time_s + ramp_s, top_mps, phase="run")]
        if cruise_s > 0:
            knots.append(Knot(time_s + ramp_s + cruise_s, top_mps, phase="run"))
        time_s += 2 * ramp_s + max(0.0, cruise_s)
        knots.append(Knot(time_s, 0.0, phase="stop"))
        time_s += DWELL_S
    knots.append(Knot(time_s, 0.0, phase="stop"))
    return Timetable(knots)
