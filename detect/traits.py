"""What the rules ask of an asset class: the small protocol behind which `vessel`, `aircraft` and `trainset` stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from detect.state import Seen, Track

STEADY = 1


class Silence(NamedTuple):
    """How long an asset in its present circumstances may be silent, in microseconds.

    `limit_us` without regard to others; `heard_limit_us` where enough neighbours were heard (None: does not apply);
    `circumstance` is the word for the evidence; `parked` says that silence means nothing here.
    """

    limit_us: int
    heard_limit_us: int | None
    circumstance: str
    parked: bool = False


class Fit(NamedTuple):
    """How a fix continues a track: `fits` says within the limit, `off_m` how far it lies from where it was to be."""

    fits: bool
    off_m: float
    distance_m: float
    limit_m: float
    implied_speed_kn: float


class Traits(NamedTuple):
    """One asset class as the rules see it.

    `observe(before, reading)` gives the motion known after a reading; `silence(seen, use)` the silence allowed, None when silence
    is never a gap, with what the use machine remembers beside it (None: nothing); `fit(track, fix)` how a fix continues a track
    and `reach_m(track, time_us, speed_kn)` how far from its last fix the next may lie at an instant, saying a speed;
    `phase(seen)` a small number that names the operating phase, 0 when the asset does not work (stopped, on the ground) and no
    model looks at it;
    `features(seen, speed_kn)` the operating point as numbers of order one, first a constant 1; `speed_features(seen)` the same
    without the speed itself; `cell(seen, speed_kn)` the operating point in coarse steps, for counting where the asset has been.
    `unsteady_phases` are those in which a channel's dependence is far from the straight lines of `features`. `reach_kn` is the
    speed that none of the class exceeds for long (`fleet.presence`); `reach_decides` says that a prohibited area within reach
    raises a silence.
    """

    name: str
    observe: Callable[[Seen | None, Any], Seen]
    silence: Callable[[Seen, Any], Silence | None]
    fit: Callable[[Track, Track], Fit]
    reach_m: Callable[[Track, int, float | None], float]
    phase: Callable[[Seen], int]
    features: Callable[[Seen, float], tuple[float, ...]]
    speed_features: Callable[[Seen], tuple[float, ...]]
    cell: Callable[[Seen, float], int]
    settle_us: int
    settle_speed_kn: float
    moving_kn: float
    speed_floor_kn: float
    dark_warning_us: int
    ask_every_us: int
    ask_until_us: int
    reach_kn: float
    reach_decides: bool = True
