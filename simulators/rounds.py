"""Rounds: what a simulated ship or aircraft does again and again, as events and as a line to be read at many instants at once.

`Vessel` and `Aircraft` say what their devices send at one instant; whoever wants the positions of ten years, or every take-off in
them, asks for the round instead. Own time runs with the asset (`motion.UnevenClock`); numpy arrays all through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.motion import UnevenClock

Instants = npt.NDArray[np.float64]


class Phase(NamedTuple):
    """A part of a round: its name (`berth`, `sea`, `anchored`, `stand`, `flight` …), begin and end in own seconds."""

    name: str
    begin_s: float
    end_s: float


class Hop(NamedTuple):
    """One voyage or flight of a round and the stay before it.

    `leaves_s` and `arrives_s` are in own seconds of the round: cast off and made fast, or lift-off and touch-down; `blocks_s`
    are push-back and shut-down of an aircraft. `origin` and `destination` are UN/LOCODE or ICAO; `length_m` is what is sailed
    or flown; `draught_m` a ship's.
    """

    origin: str
    destination: str
    leaves_s: float
    arrives_s: float
    length_m: float
    draught_m: float | None = None
    blocks_s: tuple[float, float] | None = None


class Line(NamedTuple):
    """Where the asset is over a round: own seconds ascending, degrees (longitude unwrapped), knots and degrees of course."""

    own_s: Instants
    lat_deg: Instants
    lon_deg: Instants
    speed_kn: Instants
    course_deg: Instants


class Looks(NamedTuple):
    """A line read at instants: the same fields, longitude in [-180, 180)."""

    lat_deg: Instants
    lon_deg: Instants
    speed_kn: Instants
    course_deg: Instants


def joined(phases: Sequence[Phase]) -> tuple[Phase, ...]:
    """Phases that follow one another under one name, made one."""
    out: list[Phase] = []
    for phase in phases:
        if out and out[-1].name == phase.name:
            out[-1] = out[-1]._replace(end_s=phase.end_s)
        else:
            out.append(phase)
    return tuple(out)


class Round(NamedTuple):
    """A whole round, `length_s` own seconds; at the world's start the asset is `offset_s` into it."""

    length_s: float
    offset_s: float
    clock: UnevenClock
    hops: tuple[Hop, ...]
    phases: tuple[Phase, ...]
    line: Line

    def own_s(self, since_s: Instants) -> Instants:
        """Own seconds since the first round's beginning, for seconds since the world's start (negative before it)."""
        return np.asarray(self.clock.own_many(since_s) + self.offset_s)

    def since_s(self, own_s: Instants) -> Instants:
        """Seconds since the world's start at which own times are reached; to a millisecond (own time runs within 3 % of time)."""
        wanted = np.asarray(own_s, dtype=np.float64) - self.offset_s
        guess = wanted.copy()
        for _ in range(6):  # each step leaves 3 % of the error, which is an hour at most
            guess -= self.clock.own_many(guess) - wanted
        return guess

    def look(self, since_s: Instants) -> Looks:
        """Where the asset is at instants."""
        own = self.own_s(since_s) % self.length_s
        line = self.line
        lon = np.interp(own, line.own_s, line.lon_deg)
        nearest = np.clip(np.searchsorted(line.own_s, own), 0, len(line.own_s) - 1)
        return Looks(
            np.interp(own, line.own_s, line.lat_deg),
            (lon + 180.0) % 360.0 - 180.0,
            np.maximum(0.0, np.interp(own, line.own_s, line.speed_kn)),
            line.course_deg[nearest],
        )
