"""How an asset performs over its life: each quantity against a baseline that is learned once and then frozen.

Rows of (operating point, values) gather into periods: a day of a ship, a flight of an aircraft, a cycle of a test bench. The
first periods teach each quantity's dependence on the operating point (river's Bayesian regression, `detect.baseline`), the next
tell how much a period's median residual scatters when all is well; both are then kept as they are, so that no drift is learned.
From there on each period moves an exponentially weighted mean of what every quantity is off, and the quantities are looked at
together. Plain numbers only; knows no rule and no asset class.
"""

from __future__ import annotations

from array import array
from math import erfc, isfinite, log1p, sqrt
from statistics import median
from typing import Any, NamedTuple

import msgspec

from detect import baseline as model
from detect.baseline import Baseline
from detect.joint import deviate
from detect.state import WarmingUp

FOLLOW = 0.1  # chosen: a memory of ten periods; Montgomery (2013, 9.2) recommends 0.05 to 0.25 for small lasting shifts
CLIP_Z = 5.0  # chosen: one wild period moves the mean by half a deviation and no more
CLIP_SHARES = 4.0  # chosen: nor by more than four tenths of the least change
OPEN_Z, OPEN_ALONE_Z = 3.0, 3.0  # chosen: 3, and 3 shared among the quantities: one alone must be 6 off, twenty 3.2 each
CLOSE_Z = 1.5  # chosen: half of what opens
CLOSE_PERIODS = 5  # chosen: half of the mean's own memory
ADWIN_DELTA = 0.05  # chosen: it confirms what is 9 deviations off already, so it need not be as sure as alone (0.002)
ADWIN_GRACE = 5  # periods before it looks; chosen
ADWIN_LEAST = 2  # periods in the shorter part; chosen, its default of 5 meets river's buckets only after weeks
HISTORY = 64  # periods kept for ADWIN; chosen: two months of days
SAMPLES_MAX = 24  # rows of one period that enter its median; chosen: one an hour at sea
CHANNELS_MAX = 32  # bounds a state; chosen: more than the 21 sensors of a C-MAPSS engine
SAMPLE_MAX = 32_000  # a sample is kept in hundredths of the baseline's noise, as a 16-bit number
TOP = 3  # quantities named
CONFIRMERS = 3  # quantities farthest off that ADWIN is asked about


class Plan(NamedTuple):
    """What a period is worth: periods to learn, periods of reference, rows that make a period count, the least change.

    `share_min` is the least lasting change in shares of the expected value; `ridge` how firmly each dependence begins at none, in
    rows at distance one.
    """

    learn_periods: int
    reference_periods: int
    rows_min: int
    share_min: float
    ridge: float


DAYS = Plan(10, 10, 4, 0.05, 1e-3)  # ISO 19030-1 in spirit: a reference period, then 5 % (detection.md S15); days chosen
FLIGHTS = Plan(20, 20, 3, 0.01, 1e-3)  # chosen: two to four weeks of flights; 1 % of an exhaust temperature is some 7 degrees
CYCLES = Plan(20, 20, 1, 0.0, 1.0)  # chosen: one row a cycle, so settings that only scatter must not be believed


class Followed(msgspec.Struct, kw_only=True, array_like=True):
    """One quantity: its baseline, the reference of period medians, where its mean is now, and the period being filled.

    `noise` is the baseline's scatter of single rows, unit of `samples`; `count`, `mean`, `spread` (sum of squares) are the
    reference in that unit; `level` the weighted mean in reference deviations, `share` in shares of the expected value;
    `observed` and `expected` are of the last row; `samples` 16-bit numbers, `history` 8-bit ones (twentieths of a deviation).
    """

    baseline: Baseline = msgspec.field(default_factory=Baseline)
    noise: float = 0.0
    count: int = 0
    mean: float = 0.0
    spread: float = 0.0
    level: float = 0.0
    share: float = 0.0
    observed: float = 0.0
    expected: float = 0.0
    samples: bytes = b""
    history: bytes = b""


class Performance(msgspec.Struct, kw_only=True, array_like=True):
    """One asset: the period being filled and its rows, how many periods counted, its quantities, and whether it is off."""

    period: int | None = None
    rows: int = 0
    periods: int = 0
    channels: dict[str, Followed] = msgspec.field(default_factory=dict)
    alarm: bool = False
    calm: int = 0
    since: int = 0


class Off(NamedTuple):
    """One quantity of a change: its mean's deviation `z`, the last observed and expected, and the lasting share of change."""

    channel: str
    z: float
    observed: float
    expected: float
    share: float


class Change(NamedTuple):
    """A closed period judged: `z` is the root mean square of all deviations, `open_z` what opens, `top` worst first.

    `alarm` stays True from the period that decides until the level is back; `since` is the first period of the change as ADWIN
    places it (0 while there is no alarm).
    """

    period: int
    alarm: bool
    z: float
    open_z: float
    p_value: float
    top: tuple[Off, ...]
    since: int


def take(
    state: Performance, plan: Plan, period: int, point: tuple[float, ...], values: dict[str, float]
) -> Change | WarmingUp | None:
    """Take a row in. What the period before it came to when this row begins a new one, else None.

    Args:
        state: updated in place.
        plan: `DAYS`, `FLIGHTS` or `CYCLES`.
        period: number of the day, flight or cycle; never smaller than before.
        point: operating point, first a constant 1, all of order one.
        values: quantities by name, any unit; what is not finite is passed over.
    """
    told = None
    if state.period is not None and period != state.period:
        told = close(state, plan)
    state.period = period
    if not all(map(isfinite, point)):
        return told
    state.rows += 1
    for name, value in values.items():
        followed = state.channels.get(name)
        if followed is None:
            if len(state.channels) >= CHANNELS_MAX or state.periods > 0:
                continue
            followed = state.channels[name] = Followed()
        if isfinite(value):
            _take_value(followed, point, value, learning=state.periods < plan.learn_periods, ridge=plan.ridge)
    return told


def close(state: Performance, plan: Plan) -> Change | WarmingUp | None:
    """End the period being filled: judge it, or count it towards the warm-up. None when it had too few rows to count."""
    period, rows = state.period, state.rows
    state.period, state.rows = None, 0
    if period is None or rows < plan.rows_min:
        for followed in state.channels.values():
            followed.samples = b""
        return None
    state.periods += 1
    if state.periods == plan.learn_periods:
        for followed in state.channels.values():
            _freeze(followed)
    if state.periods <= plan.learn_periods:
        return warm_up(state, plan)
    medians = {name: _median(followed) for name, followed in state.channels.items() if len(followed.samples) >= 2 * plan.rows_min}
    for followed in state.channels.values():
        followed.samples = b""
    if state.periods <= plan.learn_periods + plan.reference_periods:
        for name, value in medians.items():
            _refer(state.channels[name], value)
        if state.periods == plan.learn_periods + plan.reference_periods:
            for followed in state.channels.values():
                _settle(followed)
        return warm_up(state, plan)
    return _judge(state, plan, period, medians)


def warm_up(state: Performance, plan: Plan) -> WarmingUp | None:
    """How many periods of learning and reference have counted; None once changes are looked for."""
    needed = plan.learn_periods + plan.reference_periods
    return None if state.periods >= needed else WarmingUp(state.periods, needed)


def _take_value(followed: Followed, point: tuple[float, ...], value: float, *, learning: bool, ridge: float) -> None:
    baseline = followed.baseline
    if learning:
        model.teach(baseline, point, value, ridge)
        return
    if followed.noise <= 0.0 or len(baseline.weights) != len(point):
        return
    expected = sum(weight * feature for weight, feature in zip(baseline.weights, point, strict=True))
    followed.observed, followed.expected = value, expected
    if len(followed.samples) < 2 * SAMPLES_MAX:
        hundredths = round(_clipped((value - expected) / followed.noise * 100.0, SAMPLE_MAX))
        followed.samples += hundredths.to_bytes(2, "little", signed=True)


def _freeze(followed: Followed) -> None:
    """Keep the weights and the noise of what was learned; what only learning needs is dropped. A constant is not followed."""
    learned = followed.baseline
    moved = learned.variance > 0.0 and bool(learned.weights)
    followed.noise = max(sqrt(learned.variance), 1e-6 * learned.level) if moved else 0.0
    followed.baseline = Baseline(weights=learned.weights, rows=learned.rows)


def _median(followed: Followed) -> float:
    """The period's median residual, in units of the noise."""
    samples = array("h")
    samples.frombytes(followed.samples)
    return median(samples) / 100.0


def _refer(followed: Followed, value: float) -> None:
    """Welford's running mean and sum of squares of the reference."""
    followed.count += 1
    delta = value - followed.mean
    followed.mean += delta / followed.count
    followed.spread += delta * (value - followed.mean)
    followed.history += _twentieths(value)


def _settle(followed: Followed) -> None:
    """The reference is over: its periods go into the history in deviations of their own."""
    values = array("b")
    values.frombytes(followed.history)
    followed.history = b"".join(_twentieths((value / 20.0 - followed.mean) / _scatter(followed)) for value in values)


def _scatter(followed: Followed) -> float:
    """How much period medians scatter when all is well, in units of the noise; at least a hundredth of it."""
    return max(sqrt(followed.spread / max(followed.count - 1, 1)), 0.01)


def _twentieths(value: float) -> bytes:
    return round(_clipped(20.0 * value, 100.0)).to_bytes(1, "little", signed=True)


def _judge(state: Performance, plan: Plan, period: int, medians: dict[str, float]) -> Change | None:
    """Move each quantity's mean by its median, and look at all together: a diagonal MEWMA (Lowry et al. 1992)."""
    squared, offs = 0.0, list[Off]()
    needed = max(plan.reference_periods // 2, 3)
    for name, value in medians.items():
        followed = state.channels[name]
        if followed.count < needed:
            continue
        z = _clipped((value - followed.mean) / _scatter(followed), CLIP_Z)
        followed.level += FOLLOW * (z - followed.level)
        share = (value - followed.mean) * followed.noise / max(abs(followed.expected), 1e-9)
        followed.share += FOLLOW * (_clipped(share, CLIP_SHARES * plan.share_min or 1.0) - followed.share)
        followed.history = (followed.history + _twentieths(z))[-HISTORY:]
        off = followed.level / sqrt(FOLLOW / (2.0 - FOLLOW) + 1.0 / followed.count)
        squared += off * off
        offs.append(Off(name, off, followed.observed, followed.expected, followed.share))
    if not offs:
        return None
    z = sqrt(squared / len(offs))
    offs.sort(key=lambda one: (-abs(one.z), one.channel))
    _decide(state, plan, period, z, offs)
    return Change(
        period, state.alarm, z, open_z(len(offs)), p_of(offs, plan.reference_periods - 1), tuple(offs[:TOP]), state.since
    )


def open_z(size: int) -> float:
    """The root mean square of `size` deviations at which a change is one: the more of them the less can chance do."""
    return OPEN_Z + OPEN_ALONE_Z / size


def _clipped(value: float, limit: float) -> float:
    return max(min(value, limit), -limit)


def _decide(state: Performance, plan: Plan, period: int, z: float, offs: list[Off]) -> None:
    """Alarm once all is far off, some leading quantity by its least share, and ADWIN agrees that it changed."""
    if state.alarm:
        state.calm = state.calm + 1 if z < CLOSE_Z else 0
        if state.calm >= CLOSE_PERIODS:
            state.alarm, state.calm, state.since = False, 0, 0
        return
    if z < open_z(len(offs)):
        return
    for off in offs[:CONFIRMERS]:
        ago = _changed(state.channels[off.channel].history) if abs(off.share) >= plan.share_min else None
        if ago is not None:
            state.alarm, state.calm, state.since = True, 0, max(period - ago, 0)
            return


def _changed(history: bytes) -> int | None:
    """How many periods ago ADWIN (Bifet and Gavalda 2007) says that the level changed; None when it does not.

    River's detector is fed what is kept, anew each time that it is asked: its own state is no plain number.
    """
    from river.drift import ADWIN  # here and not above: it brings all of scipy.stats (see `detect.baseline`)

    detector: Any = ADWIN(delta=ADWIN_DELTA, clock=1, grace_period=ADWIN_GRACE, min_window_length=ADWIN_LEAST)  # type: ignore[no-untyped-call]
    values, changed = array("b"), False
    values.frombytes(history)
    for value in values:
        detector.update(value / 20.0)
        changed = changed or detector.drift_detected
    return int(detector.width) - 1 if changed else None


def p_of(offs: list[Off], freedom: int) -> float:
    """Chance of deviations so large together, never below 1e-12: nothing is known better.

    Each is a Student t of `freedom` degrees, for its scatter is known from as many periods; Wallace's approximation (1959) makes
    it a normal deviate, Wilson and Hilferty one of all.
    """
    shrink = (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
    squared = sum(shrink * shrink * freedom * log1p(off.z * off.z / freedom) for off in offs)
    return max(erfc(deviate(squared, len(offs)) / sqrt(2.0)) / 2.0, 1e-12)
