"""Ships: from berth to berth on sea lanes, with what their sensors say on the way.

A ship's whole round is laid out once, as legs of a way and a timetable in her own time; a reading is a look at it. Pure and
seeded. Knows no other ship. Neighbours: `lanes`, `motion`, `vessel_engine` below; `world` above.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.element import NO_LAG, Body, Lag, SimulatedAsset, rfc3339
from simulators.identity import imo_number, mmsi, ship_call_sign, ship_flag
from simulators.lanes import CANALS, PORTS, lane
from simulators.motion import (
    GEOD,
    KN_MPS,
    NM_M,
    Fix,
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
from simulators.scenario import VesselPlan
from simulators.vessel_engine import EngineInput, ShipType, channels, ship_type

HARBOUR_KN = 8.0  # chosen: usual limit in port approaches; also the Suez convoy's speed over ground
PORT_ZONE_M = 5 * NM_M
GAIN_MPS2 = 0.006  # chosen: 8 to 16 kn in 11 minutes, a loaded ship's engine programme
TURN_RADIUS_M = 0.6 * NM_M  # chosen: about five lengths, 20 degrees a minute at 14 kn
LATITUDE_M_MIN = 110_000.0  # a degree of latitude is nowhere shorter (110,574 m at the equator)
WARPING_S = 900.0  # chosen: tugs take a quarter of an hour to berth or to turn her
SWING_M = 150.0  # chosen: five shackles of chain less the depth
UNEVENNESS = 0.03  # chosen: wind and current change speed over ground by 3 %
LOOK_EVERY_S = 1800.0  # chosen: a ship's way bends little in eight miles
CLOCK_PERIODS_S = (11_000.0, 40_000.0, 133_000.0)
NAV_UNDER_WAY, NAV_ANCHORED, NAV_MOORED = 0, 1, 5  # ITU-R M.1371-5, table 45


class Leg(NamedTuple):
    """One voyage and the berth stay before it, in own time from `start_s`."""

    start_s: float
    way: Way
    timetable: Timetable
    draught_before_m: float
    draught_m: float
    berth_heading_deg: float  # alongside at the origin
    arrival_heading_deg: float  # alongside at the destination
    destination: str


class Vessel:
    """A simulated ship; implements `element.Simulated`."""

    def __init__(self, plan: VesselPlan, *, seed: int, start_us: int) -> None:
        """Lay out her round. Errors: KeyError for an unknown port or type."""
        self._seed = hash64(seed, plan.name)
        self._start_us = start_us
        self._type = ship_type(plan.type, plan.name)
        self.asset = _registered(plan, self._type)
        self._ports = plan.ports
        self._legs = _lay_out(plan, self._type, self._seed)
        self._starts = [leg.start_s for leg in self._legs]
        self._round_s = self._legs[-1].start_s + self._legs[-1].timetable.duration_s
        self._clock = UnevenClock(self._seed, UNEVENNESS, CLOCK_PERIODS_S)
        self._offset_s = self._offset(plan)
        self._leeway = Wave(3.5, 17_000 + 9_000 * uniform(self._seed, "leeway"), 6.28 * uniform(self._seed, "l0"))
        self._current = Wave(0.25, 44_700.0, 6.28 * uniform(self._seed, "tide"))  # kn; semidiurnal tide, 12.42 h
        self._weather = Wave(0.02, 70_000.0, 6.28 * uniform(self._seed, "weather"))

    def _offset(self, plan: VesselPlan) -> float:
        leg = self._legs[plan.leg % len(self._legs)]
        if plan.near is not None:
            distance_m = leg.way.nearest_m((plan.near[1], plan.near[0]))
            return leg.start_s + leg.timetable.time_at(distance_m)
        if plan.berth_left_min is not None:
            stay_end_s = next(k.time_s for k in leg.timetable.knots if k.phase == "unmooring")
            return leg.start_s + stay_end_s - 60 * plan.berth_left_min
        return uniform(self._seed, "offset") * self._round_s

    def _look(self, time_us: int, lag: Lag) -> tuple[Leg, Moment, float, float]:
        since_s = (time_us - self._start_us) / 1e6 - lag.behind_s
        own_s, rate = self._clock.own(since_s)
        own_s = (own_s + self._offset_s) % self._round_s
        leg = self._legs[bisect_right(self._starts, own_s) - 1]
        return leg, leg.timetable.at(own_s - leg.start_s), rate, since_s

    def round(self) -> Round:
        """Her whole round, for long histories."""
        hops, phases, parts = [], [], []
        for n, leg in enumerate(self._legs):
            knots = leg.timetable.knots
            sails_s = next(k.time_s for k in knots if k.phase == "sea")
            end_s = knots[-1].time_s
            hops.append(Hop(self._ports[n], self._ports[(n + 1) % len(self._ports)], leg.start_s + sails_s, leg.start_s + end_s,
                            leg.way.length_m, leg.draught_m))  # fmt: skip
            phases += [Phase(a.phase, leg.start_s + a.time_s, leg.start_s + b.time_s) for a, b in pairwise(knots)]
            parts.append(_line(leg))
        own_s, lat_deg, lon_deg, speed_kn, course_deg = (np.concatenate(column) for column in zip(*parts, strict=True))
        line = Line(own_s, lat_deg, np.unwrap(lon_deg, period=360.0), speed_kn, course_deg)
        return Round(self._round_s, self._offset_s, self._clock, tuple(hops), joined(phases), line)

    def under_way(self, time_us: int) -> bool:
        """At sea and clear of both ports' zones."""
        leg, moment, _, _ = self._look(time_us, NO_LAG)
        return moment.phase == "sea" and PORT_ZONE_M < moment.distance_m < leg.way.length_m - PORT_ZONE_M

    def draught_m(self, time_us: int, lag: Lag = NO_LAG) -> float:
        """Draught as her crew types it, steps of 0.1 m; changes alongside only."""
        leg, moment, _, _ = self._look(time_us, lag)
        return _draught(leg, moment)

    def static(self, time_us: int, lag: Lag = NO_LAG) -> Body:
        """Identity and voyage fields: the timetable's arrival is her ETA."""
        leg, moment, _, _ = self._look(time_us, lag)
        left_s = leg.timetable.duration_s - leg.timetable.time_at(moment.distance_m)
        eta_us = time_us + round(left_s * 1e6)
        return {
            "time": rfc3339(time_us),
            **self.asset.particulars,
            "draught_m": _draught(leg, moment),
            "destination": leg.destination,
            "eta": rfc3339(eta_us // 600_000_000 * 600_000_000),
        }

    def reading(self, time_us: int, lag: Lag = NO_LAG) -> Body:
        """Position, motion and engine room at an instant."""
        leg, moment, rate, since_s = self._look(time_us, lag)
        noise = Noise(self._seed, time_us)
        fix, speed_mps, heading_deg, rot_deg_s = self._motion(leg, moment, rate * (1.0 - lag.rate), since_s)
        lon_deg, lat_deg, _ = GEOD.fwd(fix.lon_deg, fix.lat_deg, uniform(self._seed, time_us) * 360.0, abs(noise.next()) * 1.5)
        draught_m = _draught(leg, moment)
        sog_kn = max(0.0, speed_mps / KN_MPS + (0.05 * noise.next() if speed_mps > 0 else 0.0))
        intended_kn = moment.speed_mps * rate / KN_MPS
        through_kn = max(0.0, intended_kn + self._current.at(since_s) * min(1.0, intended_kn / 4))
        engine = EngineInput(through_kn, draught_m, lat_deg, 1.0 + self._weather.at(since_s), _warm(moment), since_s)
        return {
            "time": rfc3339(time_us),
            "lat_deg": round(lat_deg, 6),
            "lon_deg": round(lon_deg, 6),
            "sog_kn": round(sog_kn, 1),
            "cog_deg": round((fix.bearing_deg + 0.3 * noise.next()) % 360.0, 1) % 360.0,
            "heading_deg": round(heading_deg) % 360,
            "rot_deg_min": round(60 * rot_deg_s + 0.2 * noise.next(), 1),
            "nav_status": _nav_status(moment),
            "draught_m": draught_m,
            "channels": channels(self._type, engine, noise),
        }

    def _motion(self, leg: Leg, moment: Moment, rate: float, since_s: float) -> tuple[Fix, float, float, float]:
        """Place, speed over ground (m/s), heading and rate of turn (deg/s)."""
        fix = leg.way.at(moment.distance_m)
        if moment.phase == "anchored":
            return self._swinging(fix, moment, rate)
        speed_mps = moment.speed_mps * rate
        heading_deg, rot_deg_s = _alongside(leg, moment, fix, rate)
        if moment.speed_mps > 0:
            leeway_deg = self._leeway.at(since_s) * min(1.0, speed_mps / (4 * KN_MPS))
            heading_deg, rot_deg_s = fix.bearing_deg + leeway_deg, fix.bend_deg_m * speed_mps
        return fix, speed_mps, heading_deg, rot_deg_s

    def _swinging(self, fix: Fix, moment: Moment, rate: float) -> tuple[Fix, float, float, float]:
        """At anchor she yaws about the anchor ahead of her and lies to the tide."""
        anchor_lon, anchor_lat, _ = GEOD.fwd(fix.lon_deg, fix.lat_deg, fix.bearing_deg, SWING_M)
        tide, yaw = Wave(50.0, 22_350.0, 0.0), Wave(4.0, 900.0, 0.0)

        def swung_deg(age_s: float) -> float:
            # eased in and out, so that she lies where she let go when she lets go and when she weighs
            left_s = moment.phase_age_s + moment.phase_left_s - age_s
            ease = min(1.0, max(0.0, age_s) / 1800.0, max(0.0, left_s) / 1800.0)
            return ease * (tide.at(age_s) + yaw.at(age_s))

        swing_deg = swung_deg(moment.phase_age_s)
        rate_deg_s = (swung_deg(moment.phase_age_s + 1) - swung_deg(moment.phase_age_s - 1)) / 2 * rate
        astern_deg = fix.bearing_deg + 180.0 + swing_deg
        lon_deg, lat_deg, _ = GEOD.fwd(anchor_lon, anchor_lat, astern_deg, SWING_M)
        moving_deg = astern_deg + (90.0 if rate_deg_s >= 0 else -90.0)
        speed_mps = abs(rate_deg_s) * SWING_M * math.pi / 180.0
        return Fix(lon_deg, lat_deg, moving_deg % 360.0, 0.0), speed_mps, astern_deg - 180.0, rate_deg_s


def _line(leg: Leg) -> tuple[npt.NDArray[np.float64], ...]:
    """A leg as columns of a `Line`, every `LOOK_EVERY_S` and at every knot."""
    knots = [knot.time_s for knot in leg.timetable.knots]
    times = np.unique(np.concatenate([np.arange(0.0, knots[-1], LOOK_EVERY_S), knots]))
    rows = []
    for time_s in times:
        moment = leg.timetable.at(float(time_s))
        fix = leg.way.at(moment.distance_m)
        rows.append((leg.start_s + time_s, fix.lat_deg, fix.lon_deg, moment.speed_mps / KN_MPS, fix.bearing_deg))
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def _registered(plan: VesselPlan, kind: ShipType) -> SimulatedAsset:
    flag = ship_flag(plan.name)
    identifiers = {
        "imo": imo_number(plan.name),
        "mmsi": mmsi(plan.name, flag),
        "callsign": ship_call_sign(plan.name, flag),
    }
    particulars: Body = {
        "name": plan.name,
        "call_sign": identifiers["callsign"],
        "flag": flag.country,
        "imo": identifiers["imo"],
        "mmsi": identifiers["mmsi"],
        "type": plan.type,
        "length_m": kind.length_m,
        "beam_m": kind.beam_m,
    }
    return SimulatedAsset(
        plan.tenant, "vessel", plan.name, plan.type, identifiers, "imo", identifiers["imo"], particulars, plan.name
    )


def _lay_out(plan: VesselPlan, kind: ShipType, seed: int) -> list[Leg]:
    count = len(plan.ports)
    draughts = [_voyage_draught(kind, seed, i) for i in range(count)]
    headings = [round(uniform(seed, "berth", port) * 360.0, 1) for port in plan.ports]
    legs: list[Leg] = []
    start_s = 0.0
    for i, origin in enumerate(plan.ports):
        destination = plan.ports[(i + 1) % count]
        points = lane(origin, destination)
        way = Way(points, TURN_RADIUS_M)
        timetable = _timetable(way, kind, seed, i)
        legs.append(
            Leg(
                start_s,
                way,
                timetable,
                draughts[i - 1],
                draughts[i],
                headings[i],
                headings[(i + 1) % count],
                PORTS[destination].name,
            )
        )
        start_s += timetable.duration_s
    return legs


def _voyage_draught(kind: ShipType, seed: int, leg: int) -> float:
    """Laden out and ballast home for bulk trades; a liner's draught varies within the laden band."""
    share = uniform(seed, "cargo", leg)
    if kind.liner:
        return round(kind.summer_draught_m * (0.78 + 0.18 * share), 1)
    full = leg % 2 == 0
    return round(kind.summer_draught_m * (0.96 + 0.03 * share) if full else kind.ballast_draught_m + 0.4 * share, 1)


def _timetable(way: Way, kind: ShipType, seed: int, leg: int) -> Timetable:
    """Berth stay, unmooring, the voyage (for some with a wait at anchor before the port), mooring."""
    stay_s = kind.stay_h * 3600.0 * (0.7 + 0.6 * uniform(seed, "stay", leg))
    knots = [Knot(0.0, 0.0, phase="berth"), Knot(stay_s, 0.0, phase="unmooring")]
    time_s = stay_s + WARPING_S
    pieces = _speed_zones(way, kind.speed_kn * KN_MPS * (0.95 + 0.08 * uniform(seed, "service", leg)))
    anchor_m = way.length_m - 1.3 * PORT_ZONE_M
    if uniform(seed, "anchor", leg) < 0.4 and way.length_m > 4 * PORT_ZONE_M:
        before = [(a, min(b, anchor_m), v) for a, b, v in pieces if a < anchor_m]
        after = [(max(a, anchor_m), b, v) for a, b, v in pieces if b > anchor_m]
        knots += _run(before, time_s)
        time_s = knots[-1].time_s
        knots[-1] = knots[-1]._replace(phase="anchored")
        time_s += 3600.0 * (4.0 + 14.0 * uniform(seed, "wait", leg))
        pieces = after
    knots += _run(pieces, time_s)
    knots[-1] = knots[-1]._replace(phase="mooring")
    knots.append(Knot(knots[-1].time_s + WARPING_S, 0.0, phase="mooring"))
    return Timetable(knots)


def _speed_zones(way: Way, service_mps: float) -> list[tuple[float, float, float]]:
    """Pieces (from m, to m, m/s): harbour speed near ports and in canals, service speed between."""
    slow_mps = HARBOUR_KN * KN_MPS
    zone_m = min(PORT_ZONE_M, way.length_m / 4)
    cuts: list[tuple[float, float, float]] = [(0.0, zone_m, slow_mps)]
    at_m, last_m = zone_m, way.length_m - zone_m
    inside_from: float | None = None
    step_m = NM_M
    clear_m = 0.0  # as far along as no canal can be
    while at_m < last_m:
        inside = False
        if at_m >= clear_m:
            point = way.at(at_m)[:2]
            inside = _in_canal(point)
            clear_m = at_m + _away_m(point)
        if inside and inside_from is None:
            inside_from = at_m
            cuts.append((cuts[-1][1], at_m, service_mps))
        if not inside and inside_from is not None:
            cuts.append((inside_from, at_m, slow_mps))
            inside_from = None
        at_m += step_m
    if inside_from is not None:
        cuts.append((inside_from, way.length_m, slow_mps))
        return cuts
    cuts.append((cuts[-1][1], last_m, service_mps))
    cuts.append((last_m, way.length_m, slow_mps))
    return cuts


def _in_canal(point: LonLat) -> bool:
    return any(w <= point[0] <= e and s <= point[1] <= n for w, s, e, n in CANALS.values())


def _away_m(point: LonLat) -> float:
    """How far a canal is away at least, by latitude alone."""
    return min(max(south - point[1], point[1] - north, 0.0) for _, south, _, north in CANALS.values()) * LATITUDE_M_MIN


def _run(pieces: list[tuple[float, float, float]], time_s: float) -> list[Knot]:
    """Knots from a standstill over the pieces to a standstill; every change of speed lies in the faster piece."""
    lengths = [b - a for a, b, _ in pieces]
    speeds = [v for _, _, v in pieces]
    while True:
        around = [0.0, *speeds, 0.0]
        ramps = [
            sum((v * v - u * u) / (2 * GAIN_MPS2) for u in (around[i], around[i + 2]) if u < v) for i, v in enumerate(speeds)
        ]
        short = next((i for i, ramp_m in enumerate(ramps) if ramp_m > 0.98 * lengths[i]), None)
        if short is None:
            break
        speeds[short] *= 0.9  # too short a piece to reach its speed in
    knots = []
    for i, v in enumerate(speeds):
        if around[i] < v:
            knots.append(Knot(time_s, around[i], phase="sea"))
            time_s += (v - around[i]) / GAIN_MPS2
        knots.append(Knot(time_s, v, phase="sea"))
        time_s += (lengths[i] - ramps[i]) / v
        if around[i + 2] < v:
            knots.append(Knot(time_s, v, phase="sea"))
            time_s += (v - around[i + 2]) / GAIN_MPS2
    knots.append(Knot(time_s, 0.0, phase="sea"))
    return knots


def _draught(leg: Leg, moment: Moment) -> float:
    if moment.phase != "berth":
        return leg.draught_m
    # cargo is worked in the middle eight tenths of the stay
    share = moment.phase_age_s / (moment.phase_age_s + moment.phase_left_s)
    worked = min(1.0, max(0.0, (share - 0.1) / 0.8))
    return round(leg.draught_before_m + worked * (leg.draught_m - leg.draught_before_m), 1)


def _alongside(leg: Leg, moment: Moment, fix: Fix, rate: float) -> tuple[float, float]:
    """Heading and rate of turn (deg/s) while she does not move: in the berth, or being turned by tugs."""
    if moment.phase == "unmooring":
        sweep_deg = turn_deg(leg.berth_heading_deg, fix.bearing_deg)
        return leg.berth_heading_deg + sweep_deg * moment.phase_age_s / WARPING_S, sweep_deg / WARPING_S * rate
    if moment.phase == "mooring":
        sweep_deg = turn_deg(fix.bearing_deg, leg.arrival_heading_deg)
        return fix.bearing_deg + sweep_deg * moment.phase_age_s / WARPING_S, sweep_deg / WARPING_S * rate
    return (leg.berth_heading_deg if moment.phase == "berth" else fix.bearing_deg), 0.0


def _warm(moment: Moment) -> float:
    """How warm the main engine is, 0..1: cools in a quarter of an hour after it stops, is warmed through before it starts."""
    if moment.phase in ("berth", "anchored"):
        cooling = math.exp(-moment.phase_age_s / 900.0)
        heating = max(0.0, 1.0 - moment.phase_left_s / 900.0)
        return max(cooling, heating)
    return 1.0


def _nav_status(moment: Moment) -> int:
    if moment.phase == "anchored":
        return NAV_ANCHORED
    return NAV_MOORED if moment.phase == "berth" else NAV_UNDER_WAY
