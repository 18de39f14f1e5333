"""One stream of values with times and nothing else: how strange each is, by what the stream itself did before.

For a sensor of which no operating point is known. Three views, which miss different things: the value against the profile of its
time of day, a short mean against the long run (a level that moves), and how restless the values are against how they were before
(noise, bursts, a flat line). Each is brought to the chance of it by `detect.tail`, so that one setting serves any stream, and the
chances are combined as Fisher did, by their logarithms. A run of strange values is told once. Plain numbers, updated in place.
"""

from __future__ import annotations

from math import isfinite, log, log10, sqrt

import msgspec

from detect import tail

BINS = 48  # chosen: half hours of a day
DAY_US = 86_400_000_000
PROFILE_SHARE = 0.05  # chosen: a profile's memory of twenty values in a bin
PROFILE_DAYS = 20  # chosen: until a bin has seen some twenty values each weighs alike
SCATTER_SHARE = 0.001  # chosen: the profile's scatter has a memory of a thousand values
FLOOR = 0.02  # chosen: the scatter is at least a fiftieth of the whole spread, a profile that fits to a hair is no measure
CUT = 4.0  # chosen: a value moves the profile by no more than four of its scatters
SHORT = 10  # chosen: values in the short mean
LONG_SHARE = 0.003  # chosen: some three hundred values in the long run
RESTLESS = 20  # chosen: values in the short restlessness
RESTLESS_SHARE = 0.002  # chosen: five hundred in the long one
OUT = 10.0  # chosen: a value moves what is learned by no more than ten spreads
Z_MAX = 50.0  # beyond this more size says nothing
WARM_ROWS = 50  # chosen: half of what the refractory time is
CAP = 8.0  # chosen: a view counts at most as a chance of 1e-8, so that no one of the three decides alone
REFRACTORY_ROWS = 100  # detection.md 3: a run of alarms is one event; within it only a stranger value is told


class ValueStream(msgspec.Struct, kw_only=True, array_like=True):
    """What is known of one stream: `profile` by half hours of the day, running means and spreads, and each view's scores."""

    rows: int = 0
    last: float = 0.0
    profile: list[float | None] = msgspec.field(default_factory=lambda: [None] * BINS)
    scatter: float = 0.0
    mean: float = 0.0
    squares: float = 0.0
    short: float = 0.0
    long: float = 0.0
    spread: float = 1e-9
    moves: float = 0.0
    calm: float = 0.0
    calm_spread: float = 1.0
    scores: list[bytes] = msgspec.field(default_factory=lambda: [b"", b"", b""])
    told: float = 0.0
    since: int = 0


def take(stream: ValueStream, time_us: int, value: float) -> float:
    """Score a value, then learn it; in [0, 1], 0 while warming up and for what the last hundred rows told already.

    Args:
        stream: updated in place.
        time_us: microseconds UTC, only its time of day counts.
        value: any unit; what is not finite is scored 0 and not learned.
    """
    if not isfinite(value):
        return 0.0
    if stream.rows == 0:
        stream.last = stream.short = stream.long = stream.mean = value
    stream.rows += 1
    views = (_by_profile(stream, time_us, value), _by_level(stream, value), _by_restlessness(stream, value))
    stream.last = value
    total = 0.0
    for at, z in enumerate(views):
        if stream.rows > WARM_ROWS + 1:
            total += min(-log10(tail.chance(stream.scores[at], z)[0]), CAP)
        stream.scores[at] = tail.add(stream.scores[at], z)
    stream.since += 1
    if stream.since >= REFRACTORY_ROWS:
        stream.told = 0.0
    if total <= stream.told:
        return 0.0
    stream.told, stream.since = total, 0
    return total / (len(views) * CAP)


def _by_profile(stream: ValueStream, time_us: int, value: float) -> float:
    """How far the value is off what this half hour of the day was, in scatters of the profile."""
    at = time_us % DAY_US * BINS // DAY_US
    known = stream.profile[at]
    off = _cut(stream, value - stream.mean, sqrt(stream.squares / stream.rows))
    stream.squares += off * off * (1.0 - 1.0 / stream.rows)
    stream.mean += off / stream.rows
    if known is None:
        stream.profile[at] = value
        return 0.0
    scatter = sqrt(stream.scatter) + FLOOR * sqrt(stream.squares / stream.rows) + 1e-9
    miss = value - known
    moved = max(min(miss, CUT * scatter), -CUT * scatter)
    early = stream.rows <= BINS * PROFILE_DAYS
    share = max(PROFILE_SHARE, 1.0 / (stream.rows / BINS + 2.0)) if early else PROFILE_SHARE
    stream.profile[at] = known + share * moved
    stream.scatter += (moved * moved - stream.scatter) * max(SCATTER_SHARE, 1.0 / stream.rows)
    return min(abs(miss) / scatter, Z_MAX)


def _cut(stream: ValueStream, off: float, spread: float) -> float:
    """What of a deviation is learned: once warm no more than `OUT` spreads, so that one wild value does not blind."""
    if stream.rows <= WARM_ROWS or spread <= 0.0:
        return off
    return max(min(off, OUT * spread), -OUT * spread)


def _by_level(stream: ValueStream, value: float) -> float:
    """How far the short mean is off the long one, in the long run's spread."""
    stream.short += _cut(stream, value - stream.short, sqrt(stream.squares / stream.rows)) / SHORT
    z = min(abs(stream.short - stream.long) / (sqrt(stream.spread) + 1e-9), Z_MAX) if stream.rows > SHORT // 2 else 0.0
    share = max(LONG_SHARE, 1.0 / stream.rows)
    off = _cut(stream, value - stream.long, sqrt(stream.spread))
    stream.long += share * off
    stream.spread = (1.0 - share) * (stream.spread + share * off * off)
    return z


def _by_restlessness(stream: ValueStream, value: float) -> float:
    """How the logarithm of the mean step between values is off what it was."""
    stream.moves += (_cut(stream, abs(value - stream.last), sqrt(stream.squares / stream.rows)) - stream.moves) / RESTLESS
    now = log(stream.moves + 1e-6 * (abs(value) + 1.0))
    if stream.rows < RESTLESS:
        stream.calm = now
        return 0.0
    z = min(abs(now - stream.calm) / (sqrt(stream.calm_spread) + 0.05), Z_MAX)
    share = max(RESTLESS_SHARE, 1.0 / (stream.rows - RESTLESS + 1))
    off = now - stream.calm
    stream.calm += share * off
    stream.calm_spread = (1.0 - share) * (stream.calm_spread + share * off * off)
    return z
