"""An asset's own baseline of one quantity over its operating point: river's Bayesian linear regression, held as plain numbers.

A `Baseline` is nothing but numbers; river's model is filled from them for the time of one row and read back, so that a checkpoint
is exact and an asset costs kilobytes, not megabytes. Scoring uses the same numbers without building a model. Knows no channel by
name.

Why this model: it needs no scaler to be ruined, has converged when the rows suffice to determine it, and its posterior says how
little it knows about an operating point it has not seen. Its noise is estimated here, with a floor (detection.md 3, traps 1, 2,
5).
"""

from __future__ import annotations

from functools import cache
from math import inf, isfinite, sqrt
from statistics import median
from struct import Struct
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from detect.state import Learned, WarmingUp

Matrix = npt.NDArray[Any]

HEAD_ROWS = 10  # chosen: enough for a median that one wild row cannot move
LEARN_ROWS = 20  # chosen: three to four rows for each of the at most six features
NEEDED_ROWS = HEAD_ROWS + LEARN_ROWS
PRECISION = 1e-6  # chosen: a feature never seen is known to a thousand times the noise, that is, not at all
FLOOR = 0.01  # chosen: one percent of the level; an instrument of class 1 (IEC 60051) may be off by as much
REJECT_Z = 5.0  # chosen: below the 6 that opens an episode, so that what may become one is not learned first
EARLY_ROWS = 5  # chosen: rows after which the warm-up itself tells what is wild
EARLY_SHARE = 0.2  # chosen: ten spreads of the head, or a tenth of its median: no row leaps so far off the one before
EARLY_Z = 8.0  # chosen: wider than later, the noise is hardly known yet
RELEASE_ROWS = 120  # chosen: two hours at a new level are a new regime
HEAD_SHARE = 0.5  # chosen: and by what share of their median at least
HEAD_WIDTH = 50.0  # chosen: how many spreads of the head a row may lie off while the dependence is not known yet
SCALE_MAX = 10.0  # chosen: ten times the largest value ever learned is not learned, however new the operating point
MEMORY_ROWS = 480  # chosen: a day, every third row of it; older ones fade, so that a season's slow change is followed
FADE_ROWS = 20  # chosen: fading takes a matrix inverse, so once an hour of rows
SURE_ROWS = 120  # chosen: after two hours of rows one more changes little
LEARN_EVERY = 3  # chosen: from then on every third row, which a fleet on two cores can pay
LEVEL_ROWS = 120  # chosen: the level's own memory
NOISE_HEAD = 8  # chosen: misses from which the noise begins
NOISE_STEP = 0.05  # chosen: the noise follows by this share a row, twenty rows to settle
NOISE_SHARE = 0.7  # chosen: the noise is read off this quantile of the misses, so that a quarter of faulty rows does not widen it
NOISE_QUANTILE = 1.036433  # that quantile of |N(0, 1)|
SURE_Z = 2.0  # chosen: a miss below this needs no exact leverage, it decides nothing


class Baseline(msgspec.Struct, kw_only=True, array_like=True):
    """What is known of one quantity: `inverse` is the posterior covariance over the noise variance, `moments` the sums of x y.

    Both are little-endian doubles in a row, which numpy reads as they are and a checkpoint keeps to the bit; `weights` follow.
    `head` holds the first rows' values until there are `HEAD_ROWS`, then their median and allowed distance are `center` and
    `width`; `rows` counts rows learned, `noise_rows` those that told of the noise (`misses` the first of them); `level` is the
    mean magnitude, `scale` the greatest; `resolution` the smallest step ever seen between rows (inf: it never moved); `rejected`
    rows in a row; `sigma` is the noise to judge by; `turn` counts rows between those learned; `released` says that it began again
    once.
    """

    head: tuple[float, ...] = ()
    center: float = 0.0
    width: float = -1.0
    rows: int = 0
    noise_rows: int = 0
    variance: float = 0.0
    misses: tuple[float, ...] = ()
    level: float = 0.0
    scale: float = 0.0
    resolution: float = inf
    last: float | None = None
    rejected: int = 0
    sigma: float = 0.0
    turn: int = 0
    seeded: bool = False
    released: bool = False
    inverse: bytes = b""
    moments: bytes = b""
    weights: list[float] = msgspec.field(default_factory=list)


class Judged(msgspec.Struct, frozen=True):
    """A score: `z` in standard deviations (with sign), what was `expected` and the `sigma` it was judged by."""

    z: float
    expected: float
    sigma: float


def warm_up(baseline: Baseline) -> WarmingUp | None:
    """How far the warm-up is, or None when the baseline can score. One seeded with a prior can score at once."""
    if baseline.seeded or (baseline.rows >= LEARN_ROWS and baseline.noise_rows >= NOISE_HEAD):
        return None
    n = len(baseline.head) if baseline.width < 0.0 else HEAD_ROWS + min(baseline.rows, LEARN_ROWS - 1)
    return WarmingUp(n, NEEDED_ROWS)


def judge(baseline: Baseline, x: tuple[float, ...], y: float, floor: float = 0.0) -> Judged | WarmingUp | None:
    """Score a value at an operating point; changes nothing.

    `floor` is the least noise to assume, in the value's unit. None when nothing can be said: the quantity has never moved, so
    that its noise is not known (a constant sensor does not alarm), or the value is not finite.
    """
    waiting = warm_up(baseline)
    if waiting is not None:
        return waiting
    if baseline.resolution == inf or not isfinite(y):
        return None
    weights = baseline.weights
    expected = 0.0
    for weight, feature in zip(weights, x, strict=True):
        expected += weight * feature
    sigma = max(baseline.sigma, floor)
    if abs(y - expected) > SURE_Z * sigma:
        sigma *= sqrt(1.0 + leverage(baseline.inverse, x))
    return Judged((y - expected) / sigma, expected, sigma)


def learn(baseline: Baseline, x: tuple[float, ...], y: float, judged: Judged | None, *, frozen: bool = False) -> bool:
    """Take a closed row in, unless it looks wrong; True when a new regime was accepted and the baseline begins again.

    `judged` is the row's own score where its operating point is known, else None; `frozen` keeps the row out whatever its score
    (an episode is open). After `RELEASE_ROWS` rows in a row that were kept out, they are right and the baseline is wrong.
    """
    if not isfinite(y):
        return False
    last = baseline.last
    if baseline.resolution == inf and baseline.rows > 0 and y != last:
        _begin_again(baseline)  # what was learned of a single value says nothing of what it depends on
        baseline.released = False
    _note_step(baseline, y)
    if baseline.width < 0.0:
        _learn_head(baseline, y)
        return False
    if warm_up(baseline) is not None:
        wrong, release = abs(y - baseline.center) > baseline.width or _wild(baseline, x, y, last), HEAD_ROWS
    elif judged is not None:
        wrong, release = frozen or abs(judged.z) >= REJECT_Z, RELEASE_ROWS
    else:
        wrong = frozen or abs(y) > SCALE_MAX * baseline.scale or _stands_alone(baseline, x, y, last)
        release = RELEASE_ROWS
    if not wrong:
        baseline.rejected = 0
        baseline.turn = (baseline.turn + 1) % LEARN_EVERY
        if baseline.rows < SURE_ROWS or baseline.turn == 0:
            _learn_row(baseline, x, y)
        return False
    baseline.rejected += 1
    if baseline.rejected < release:
        return False
    _begin_again(baseline)
    return True


def seed(baseline: Baseline, precision: Matrix, moments: Matrix, variance: float, level: float) -> None:
    """Begin from what the fleet knows: precision and moments in the weight of the rows they stand for, and its noise."""
    inverse = np.linalg.inv(precision + np.eye(len(moments)) * PRECISION)
    baseline.inverse, baseline.moments = inverse.tobytes(), moments.tobytes()
    baseline.weights = (inverse @ moments).tolist()
    baseline.variance, baseline.noise_rows = variance, LEARN_ROWS
    baseline.level = baseline.scale = level
    baseline.head, baseline.center, baseline.width = (), 0.0, 0.0
    baseline.resolution = min(baseline.resolution, sqrt(variance))
    baseline.seeded = True
    baseline.sigma = _sigma(baseline)


def teach(baseline: Baseline, x: tuple[float, ...], y: float, ridge: float = PRECISION) -> None:
    """Learn a row without asking whether it looks wrong; no row fades.

    `ridge` is how firmly each dependence (all but the constant) begins at none, in rows at distance one. Whoever teaches has seen
    to it that the rows are sound and few enough (a bounded time of learning).
    """
    if not baseline.weights:
        size = len(x)
        known = np.full(size, 1.0 / ridge)
        known[0] = 1.0 / PRECISION
        baseline.inverse, baseline.moments = np.diag(known).tobytes(), np.zeros(size).tobytes()
        baseline.weights = [0.0] * size
    _learn_row(baseline, x, y, fading=False)


def learned(baseline: Baseline) -> Learned | None:
    """What the baseline can tell the fleet: None before an hour of rows of its own."""
    if baseline.rows < 60 or warm_up(baseline) is not None or baseline.resolution == inf:
        return None
    return Learned(baseline.rows, baseline.variance, baseline.inverse, baseline.moments)


def square(doubles: bytes) -> Matrix:
    """The square matrix of little-endian doubles, row by row; read-only."""
    flat = vector(doubles)
    return flat.reshape(-1, round(sqrt(len(flat))))


def vector(doubles: bytes) -> Matrix:
    """The vector of little-endian doubles; read-only."""
    return np.frombuffer(doubles, dtype="<f8")


def _sigma(baseline: Baseline) -> float:
    """The noise to judge by: estimated, widened while few rows told of it, and never below the floors."""
    estimated = sqrt(baseline.variance) * (1.0 + 4.0 / max(baseline.noise_rows, 1))
    return max(estimated, FLOOR * baseline.level, 0.0 if baseline.resolution == inf else baseline.resolution, 1e-9)


def leverage(inverse: bytes, x: tuple[float, ...]) -> float:
    """How uncertain the expectation is at this operating point, in noise variances: the quadratic form of x."""
    doubles = _DOUBLES[len(x)].unpack(inverse)
    total, at = 0.0, 0
    for row, feature in enumerate(x):
        partial = doubles[at + row] * feature
        for column in range(row):
            partial += 2.0 * doubles[at + column] * x[column]
        total += feature * partial
        at += len(x)
    return max(total, 0.0)


def _stands_alone(baseline: Baseline, x: tuple[float, ...], y: float, last: float | None) -> bool:
    """Where the operating point is new: whether a row is near neither what is expected there nor the row before it.

    A glitch is learned nowhere; a new level, which the next row repeats, costs one row.
    """
    judged = judge(baseline, x, y)
    if not isinstance(judged, Judged) or last is None:
        return False
    return abs(judged.z) >= REJECT_Z and abs(y - last) >= REJECT_Z * max(baseline.sigma, FLOOR * abs(last))


def _wild(baseline: Baseline, x: tuple[float, ...], y: float, last: float | None) -> bool:
    """During the warm-up: whether a row is far off what few rows already say with some certainty, or off the row before it."""
    if last is not None and abs(y - last) > EARLY_SHARE * baseline.width:
        return True
    if baseline.noise_rows < EARLY_ROWS:
        return False
    uncertain = leverage(baseline.inverse, x)
    missed = y - sum(weight * feature for weight, feature in zip(baseline.weights, x, strict=True))
    return uncertain < 1.0 and abs(missed) > EARLY_Z * baseline.sigma * sqrt(1.0 + uncertain)


def _note_step(baseline: Baseline, y: float) -> None:
    if baseline.last is not None and y != baseline.last:
        baseline.resolution = min(baseline.resolution, abs(y - baseline.last))
    baseline.last = y


def _learn_head(baseline: Baseline, y: float) -> None:
    """Collect the first values; their median and spread say what is absurd while nothing else is known."""
    baseline.head = (*baseline.head, y)
    if len(baseline.head) < HEAD_ROWS:
        return
    center = median(baseline.head)
    spread = 1.4826 * median(abs(value - center) for value in baseline.head)
    baseline.center, baseline.width = center, max(HEAD_WIDTH * spread, HEAD_SHARE * abs(center))
    baseline.head = ()


def _begin_again(baseline: Baseline) -> None:
    last = baseline.last
    for name, value in zip(Baseline.__struct_fields__, msgspec.structs.astuple(Baseline()), strict=True):
        setattr(baseline, name, value)
    baseline.last = last
    baseline.released = True


def _learn_row(baseline: Baseline, x: tuple[float, ...], y: float, *, fading: bool = True) -> None:
    size = len(x)
    if len(baseline.weights) != size:
        baseline.inverse = (np.eye(size) / PRECISION).tobytes()
        baseline.moments = np.zeros(size).tobytes()
        baseline.weights = [0.0] * size
    uncertain = leverage(baseline.inverse, x)
    if uncertain < 1.0:  # the model already says something here: the miss is noise
        missed = y - sum(weight * feature for weight, feature in zip(baseline.weights, x, strict=True))
        _learn_noise(baseline, abs(missed) / sqrt(1.0 + uncertain))
    _scratch(size).learn(baseline, x, y)
    baseline.rows += 1
    baseline.level += (abs(y) - baseline.level) / min(baseline.rows, LEVEL_ROWS)
    baseline.scale = max(baseline.scale, abs(y))
    if fading and baseline.rows >= MEMORY_ROWS + FADE_ROWS:
        _fade(baseline, size)
    baseline.sigma = _sigma(baseline)


def _learn_noise(baseline: Baseline, miss: float) -> None:
    """Follow the quantile `NOISE_SHARE` of the misses: exact over the first rows, then a small step up or down a row.

    A mean of squares would be widened by every fault that it meets, and a fault would hide itself; a quantile is not.
    """
    baseline.noise_rows += 1
    if baseline.noise_rows <= NOISE_HEAD:
        baseline.misses = tuple(sorted([*baseline.misses, miss]))
        spread = baseline.misses[int(NOISE_SHARE * len(baseline.misses))] / NOISE_QUANTILE
    else:
        baseline.misses = ()
        spread = sqrt(baseline.variance)
        step = max(1.0 / baseline.noise_rows, NOISE_STEP)
        up = miss > spread * NOISE_QUANTILE
        spread = max(spread, 1e-9) * (1.0 + step * (NOISE_SHARE if up else NOISE_SHARE - 1.0))
    baseline.variance = spread * spread


def _fade(baseline: Baseline, size: int) -> None:
    """Let the rows beyond the memory fade towards knowing nothing: precision and moments shrink, the prior's share grows."""
    keep = MEMORY_ROWS / baseline.rows
    precision = np.linalg.inv(square(baseline.inverse)) * keep + np.eye(size) * (PRECISION * (1.0 - keep))
    inverse, moments = np.linalg.inv(precision), vector(baseline.moments) * keep
    baseline.inverse, baseline.moments = inverse.tobytes(), moments.tobytes()
    baseline.weights = (inverse @ moments).tolist()
    baseline.rows = MEMORY_ROWS


_DOUBLES = {size: Struct(f"<{size * size}d") for size in range(1, 9)}


class _Scratch:
    """One river model of a size, filled from a baseline, taught one row and read back; it keeps nothing in between."""

    def __init__(self, size: int) -> None:
        # Here and not above: river's linear models bring all of scipy.stats, half the start of a process that may never learn.
        from river.linear_model import BayesianLinearRegression

        self._names = [str(at) for at in range(size)]
        self._size = size
        model: Any = BayesianLinearRegression(alpha=PRECISION, beta=1.0)
        self._model = model
        model.learn_one(dict.fromkeys(self._names, 0.0), 0.0)

    def learn(self, baseline: Baseline, x: tuple[float, ...], y: float) -> None:
        """One row through river's `learn_one`. River has no public way in or out of its matrices: hence the private names."""
        model: Any = self._model
        size = self._size
        model._ss_arr.fill(0.0)  # noqa: SLF001  the plain precision is not read by what is used here
        model._ss_inv_arr[:size, :size] = vector(baseline.inverse).reshape(size, size)  # noqa: SLF001
        model._eta_arr[:size] = vector(baseline.moments)  # noqa: SLF001
        model.learn_one(dict(zip(self._names, x, strict=True)), y)
        model._ensure_m()  # noqa: SLF001
        baseline.inverse = model._ss_inv_arr[:size, :size].tobytes()  # noqa: SLF001
        baseline.moments = model._eta_arr[:size].tobytes()  # noqa: SLF001
        baseline.weights = model._m_arr[:size].tolist()  # noqa: SLF001


@cache
def _scratch(size: int) -> _Scratch:
    """The model of a size; made when the first row of that size is learned."""
    return _Scratch(size)
