"""How anything moves: ways of straights and bends, timetables, a clock that is never quite even, and seeded noise.

Everything here is a pure function of its arguments, so that a world can be asked for any instant in any order. It knows no
ship and no aircraft. Neighbours: `vessel` and `aircraft` compose it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pyproj import Geod

GEOD = Geod(ellps="WGS84")
NM_M = 1852.0  # international nautical mile
KN_MPS = 1852.0 / 3600.0
LonLat = tuple[float, float]
_MASK = (1 << 64) - 1


def hash64(*parts: int | str) -> int:
    """Mix integers and texts into 64 even bits; the same on every machine and run (splitmix64 over FNV-1a)."""
    state = 0xCBF29CE484222325
    for part in parts:
        if isinstance(part, str):
            for byte in part.encode():
                state = ((state ^ byte) * 0x100000001B3) & _MASK
        else:
            state = _mix(state ^ (part & _MASK))
    return _mix(state)


def _mix(z: int) -> int:
    z = (z + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def uniform(*parts: int | str) -> float:
    """A number in [0, 1) that depends on the parts alone."""
    return hash64(*parts) / 2.0**64


class Noise:
    """Near-normal numbers of mean 0 and deviation 1 for one (asset, instant).

    Irwin-Hall sum of four 16-bit uniforms, scaled by sqrt(3): bounded at ±3.46, which a sensor's noise should be.
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int, time_us: int) -> None:
        self._state = _mix((seed ^ (time_us * 0x9E3779B97F4A7C15)) & _MASK)

    def next(self) -> float:
        """The next number of this instant."""
        self._state = bits = _mix(self._state)
        total = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        return (total / 65536.0 - 2.0) * 1.7320508


class Wave(NamedTuple):
    """A slow swing: amplitude in the unit of what swings, period and phase in seconds and radians."""

    amplitude: float
    period_s: float
    phase: float

    def at(self, time_s: float) -> float:
        """Value at an instant."""
        return self.amplitude * math.sin(2 * math.pi * time_s / self.period_s + self.phase)


class UnevenClock:
    """A moving thing's own time: it runs up to a few per cent fast or slow, as winds and currents have it.

    own(t) = t + sum of swings, so its rate is 1 ± the given unevenness and own(t) never runs back.
    """

    def __init__(self, seed: int, unevenness: float, periods_s: Sequence[float]) -> None:
        share = unevenness / len(periods_s)
        self._waves = [
            (share * period_s / (2 * math.pi), 2 * math.pi / period_s, 2 * math.pi * uniform(seed, "clock", i))
            for i, period_s in enumerate(periods_s)
        ]
        self._zero = sum(a * math.sin(phase) for a, _, phase in self._waves)

    def own(self, time_s: float) -> tuple[float, float]:
        """Own time (s; 0 at 0) and its rate (own seconds per second) at time_s."""
        own_s, rate = time_s - self._zero, 1.0
        for a, w, phase in self._waves:
            own_s += a * math.sin(w * time_s + phase)
            rate += a * w * math.cos(w * time_s + phase)
        return own_s, rate

    def own_many(self, time_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """`own` of many instants, without the rate."""
        own_s = np.asarray(time_s, dtype=np.float64) - self._zero
        for a, w, phase in self._waves:
            own_s = own_s + a * np.sin(w * time_s + phase)
        return own_s


class Fix(NamedTuple):
    """A place on a way: degrees, direction of travel, and bend (degrees turned per metre, right positive)."""

    lon_deg: float
    lat_deg: float
    bearing_deg: float
    bend_deg_m: float


class _Piece(NamedTuple):
    start_m: float
    length_m: float
    lon_deg: float  # of the start of a straight, or the centre of a bend
    lat_deg: float
    bearing_deg: float  # at the start
    bend_deg_m: float  # 0 for a straight


def turn_deg(from_deg: float, to_deg: float) -> float:
    """Smallest turn from one direction to another, in [-180, 180), right positive."""
    return (to_deg - from_deg + 180.0) % 360.0 - 180.0


class Way:
    """A line of geodesics whose corners are rounded by circles.

    The radius at a corner is the wished one or what 45 % of the shorter leg leaves room for.
    """

    def __init__(self, points: Sequence[LonLat], radius_m: float) -> None:
        # one place written twice (180 and -180 degrees) would be a corner without legs
        points = [points[0], *(b for a, b in pairwise(points) if GEOD.inv(*a, *b)[2] > 1.0)]
        count = len(points)
        legs = [GEOD.inv(*a, *b) for a, b in pairwise(points)]
        self._pieces: list[_Piece] = []
        self.length_m = 0.0
        at = points[0]
        for i in range(1, count):
            back_deg, length_m = legs[i - 1][1], legs[i - 1][2]
            if i == count - 1:
                self._straight(at, points[i])
                break
            inbound_deg = (back_deg + 180.0) % 360.0
            sweep_deg = turn_deg(inbound_deg, legs[i][0])
            room_m = 0.45 * min(length_m, legs[i][2])
            half = math.tan(math.radians(min(abs(sweep_deg), 170.0)) / 2)
            if abs(sweep_deg) < 0.5 or half * radius_m < 1.0:
                self._straight(at, points[i])
                at = points[i]
                continue
            fitting_m = min(radius_m, room_m / half)
            begin = GEOD.fwd(*points[i], back_deg, fitting_m * half)[:2]
            self._straight(at, begin)
            at = self._bend(begin, fitting_m, sweep_deg)

    def _straight(self, a: LonLat, b: LonLat) -> None:
        bearing_deg, _, length_m = GEOD.inv(*a, *b)
        if length_m > 0.01:
            self._pieces.append(_Piece(self.length_m, length_m, *a, bearing_deg, 0.0))
            self.length_m += length_m

    def _bend(self, begin: LonLat, radius_m: float, sweep_deg: float) -> LonLat:
        last = self._pieces[-1]
        bearing_deg = self.at(last.start_m + last.length_m).bearing_deg
        side = math.copysign(90.0, sweep_deg)
        lon_deg, lat_deg, _ = GEOD.fwd(*begin, bearing_deg + side, radius_m)
        length_m = math.radians(abs(sweep_deg)) * radius_m
        bend = math.copysign(math.degrees(1 / radius_m), sweep_deg)
        self._pieces.append(_Piece(self.length_m, length_m, lon_deg, lat_deg, bearing_deg, bend))
        self.length_m += length_m
        end_lon, end_lat, _ = GEOD.fwd(lon_deg, lat_deg, bearing_deg + sweep_deg - side, radius_m)
        return end_lon, end_lat

    def at(self, distance_m: float) -> Fix:
        """Where one is after distance_m from the beginning; clamped to the ends."""
        distance_m = min(max(distance_m, 0.0), self.length_m)
        index = bisect_right(self._pieces, distance_m, key=_start_of) - 1
        piece = self._pieces[index]
        along_m = distance_m - piece.start_m
        if piece.bend_deg_m == 0.0:
            lon_deg, lat_deg, back_deg = GEOD.fwd(piece.lon_deg, piece.lat_deg, piece.bearing_deg, along_m)
            return Fix(lon_deg, lat_deg, (back_deg + 180.0) % 360.0, 0.0)
        bearing_deg = piece.bearing_deg + piece.bend_deg_m * along_m
        side = math.copysign(90.0, piece.bend_deg_m)
        radius_m = math.degrees(1 / abs(piece.bend_deg_m))
        lon_deg, lat_deg, _ = GEOD.fwd(piece.lon_deg, piece.lat_deg, bearing_deg - side, radius_m)
        return Fix(lon_deg, lat_deg, bearing_deg % 360.0, piece.bend_deg_m)

    def nearest_m(self, point: LonLat) -> float:
        """Distance along the way at which it passes nearest to a point, to half a mile; sought at 20 nm, then finer."""

        def away_m(distance_m: float) -> float:
            return float(GEOD.inv(*self.at(distance_m)[:2], *point)[2])

        rough_m = min((20 * NM_M * k for k in range(int(self.length_m / (20 * NM_M)) + 1)), key=away_m)
        return min((min(max(rough_m + NM_M * k / 2, 0.0), self.length_m) for k in range(-40, 41)), key=away_m)


def _start_of(piece: _Piece) -> float:
    return piece.start_m


class Knot(NamedTuple):
    """An instant of a timetable: what holds then; between knots everything runs in straight lines."""

    time_s: float
    speed_mps: float
    altitude_ft: float = 0.0
    thrust: float = 0.0
    phase: str = ""  # from this knot to the next


class Moment(NamedTuple):
    """A timetable at an instant: distance since its beginning, values, rates per second and the phase."""

    distance_m: float
    speed_mps: float
    altitude_ft: float
    altitude_rate_ft_s: float
    thrust: float
    phase: str
    phase_age_s: float
    phase_left_s: float


class Timetable:
    """Knots in ascending time; distance is the integral of speed (trapezoids: speed runs in straight lines)."""

    def __init__(self, knots: Sequence[Knot]) -> None:
        self.knots = list(knots)
        self._times = [knot.time_s for knot in self.knots]
        self._distances = [0.0]
        for a, b in pairwise(self.knots):
            self._distances.append(self._distances[-1] + (a.speed_mps + b.speed_mps) / 2 * (b.time_s - a.time_s))

    @property
    def duration_s(self) -> float:
        """From the first knot to the last."""
        return self._times[-1] - self._times[0]

    @property
    def length_m(self) -> float:
        """Distance covered from the first knot to the last."""
        return self._distances[-1]

    def at(self, time_s: float) -> Moment:
        """What holds at time_s, which is clamped to the timetable."""
        time_s = min(max(time_s, self._times[0]), self._times[-1])
        i = min(bisect_right(self._times, time_s), len(self._times) - 1) - 1
        a, b = self.knots[i], self.knots[i + 1]
        span_s, since_s = b.time_s - a.time_s, time_s - a.time_s
        share = since_s / span_s
        gain_mps2 = (b.speed_mps - a.speed_mps) / span_s
        climb_ft_s = (b.altitude_ft - a.altitude_ft) / span_s
        return Moment(
            self._distances[i] + a.speed_mps * since_s + gain_mps2 * since_s * since_s / 2,
            a.speed_mps + gain_mps2 * since_s,
            a.altitude_ft + climb_ft_s * since_s,
            climb_ft_s,
            a.thrust + (b.thrust - a.thrust) * share,
            a.phase,
            since_s,
            span_s - since_s,
        )

    def time_at(self, distance_m: float) -> float:
        """First time at which distance_m has been covered (bisection to a millisecond)."""
        low_s, high_s = self._times[0], self._times[-1]
        while high_s - low_s > 1e-3:
            middle_s = (low_s + high_s) / 2
            if self.at(middle_s).distance_m < distance_m:
                low_s = middle_s
            else:
                high_s = middle_s
        return high_s
