"""What a sensor did lately: the level of its residuals, how they scatter around it, how often it repeats itself and stays away.

A baseline (`detect.baseline`) knows what an operating point lets expect, as far as what it is told explains it; tides, trim and
weather it is not told, so it must be wide. What they do they do slowly. Beside it stands the level of the last minutes, which
may be narrow: it sees a step that the baseline takes for weather, and cannot see what creeps. Plain numbers, updated in place.
Knows no channel by name.
"""

from __future__ import annotations

from math import comb, sqrt

import msgspec

from detect import tail

LEVEL_ROWS = 20  # chosen: the level's memory, twenty minutes
SLOPE_SHARE = 1.0 / 30.0  # chosen: what goes on for an hour, tanks that empty and weather that comes, is followed (Holt's trend)
SETTLE_ROWS = 5  # chosen: rows after a change of regime until there is a level again
NOISE_ROWS = 20  # chosen: rows until the scatter is believed
NOISE_STEP = 0.05  # chosen: as the baseline's noise, twenty rows to settle
NOISE_SLOW = 4  # chosen: the first steps are a fifth, they begin from a fair guess
NOISE_SHARE = 0.7  # chosen: as the baseline's: a quarter of faulty rows does not widen it
NOISE_QUANTILE = 1.036433  # that quantile of |N(0, 1)|
FLOOR = 0.0015  # chosen: 0.15 % of the level, the finest class of industrial instruments (IEC 60051 begins at 0.05)
ODD_Z = 4.0  # chosen: beyond this a row neither moves the level nor is learned
GLITCH_ROWS = 2  # chosen: rows in a row that may be glitches before there is a level
ODD_ROWS_MAX = 30  # chosen: half an hour so, and no episode: that is the level now
MEAN_SHARE = 0.1  # chosen: the running mean and roughness look back at ten scores
ROUGH_SHARE = 0.05  # and twenty
CLIP_Z = 8.0  # chosen: one wild score moves the mean by less than one
WANDER_UP = 0.02  # chosen: learned within an hour, as a tide lasts, and not within a fault's first minutes
WANDER_DOWN = 0.001  # chosen: and kept for a day
ROUGH_HEALTHY = 0.8  # E|N(0, 1)| = 0.798
UNEASY = 1.5  # chosen: six deviations of the running mean, twice the healthy roughness: what is seen now may be a fault
UNEASY_SHARE = 0.1  # chosen: meanwhile the scatter follows ten times slower, or noise would hide itself
WAIT_ROWS = 20  # chosen: the level's memory, in which a creeping fault shows
COUNTS_MAX = 500  # chosen: repeats and absences are halved at so many, to follow a sensor that changes its ways
MOVES_MIN = 20  # chosen: a sensor that moved less often than this is not known to move
WILD_PRIOR, WILD_ROWS = 0.001, 100.0  # chosen: one glitch in a thousand scores, in the weight of a hundred
COUNTER_SHARE = 50  # chosen: what turns less than once in fifty moves counts, and is no measurement


class Recent(msgspec.Struct, kw_only=True, array_like=True):
    """The recent level of the residuals, and what the sensor did since.

    `level` is theirs, `slope` its change a row, `spread` their scatter about it (unit of the channel), `sigma` what is judged by;
    `at` is the magnitude at which the spread was learned, `rows` those behind it, `since` rows since the operating point settled.
    `odd` counts rows in a row too far off to move the level. `mean` and `rough` are running means of scores and of their size
    about it, `wander` how far that mean went while all was well. `value` is the last one scored, `run` how often it was repeated
    since, `longest` the longest such run so far; `repeats`, `moves` and `falls` count pairs of scores, `heard` and `missed` rows
    with and without the channel, `absent` rows without in a row. `scores` are the healthy scores kept for `detect.tail`,
    `waiting` the sizes of the last ones (twentieths), of which it is not known yet that they were healthy. `wild` counts far
    scores that opened no episode, `held` rows in a row that repeated the last.
    """

    level: float = 0.0
    slope: float = 0.0
    spread: float = 0.0
    sigma: float = 0.0
    at: float = 0.0
    rows: int = 0
    since: int = 0
    odd: int = 0
    mean: float = 0.0
    rough: float = ROUGH_HEALTHY
    wander: float = 0.0
    value: float | None = None
    run: int = 0
    longest: int = 0
    repeats: int = 0
    moves: int = 0
    falls: int = 0
    heard: int = 0
    missed: int = 0
    absent: int = 0
    scores: bytes = b""
    waiting: bytes = b""
    wild: int = 0
    held: int = 0


def z_of(recent: Recent, residual: float) -> float | None:
    """How far a residual lies off the level lately, in standard deviations; None while there is no level to speak of."""
    if recent.since < SETTLE_ROWS or recent.rows < NOISE_ROWS:
        return None
    return (residual - recent.level) / recent.sigma


def follow(recent: Recent, residual: float, noise: float, expected: float, floor: float, *, wild: bool = False) -> bool:
    """Let a closed row move level and scatter; False when it is too odd for that (and must not be learned elsewhere either).

    `wild` says that the row lies far off what the operating point lets expect: before there is a level to hold it against, a
    single such row or two are glitches.

    `noise` is the baseline's own scatter, with which this one begins; `expected` the baseline's word: at a greater load the
    scatter is taken to be greater by as much, until it is known; `floor` is the least scatter to judge by.
    """
    has_level = recent.since >= SETTLE_ROWS and recent.rows >= NOISE_ROWS
    if wild and not has_level and recent.odd < GLITCH_ROWS:
        recent.odd += 1
        return False
    if recent.since == 0:
        magnitude = abs(expected)
        if magnitude > recent.at > 0.0:
            recent.spread *= magnitude / recent.at
            recent.sigma *= magnitude / recent.at
        recent.at = magnitude
    off = residual - recent.level
    settled = recent.since >= SETTLE_ROWS
    recent.level += recent.slope
    off -= recent.slope
    if has_level and abs(off) >= ODD_Z * recent.sigma:
        recent.odd += 1
        if recent.odd < ODD_ROWS_MAX:
            return False
        recent.level, recent.slope, recent.since = residual, 0.0, 0
    recent.odd = 0
    recent.since += 1
    recent.level += off / min(recent.since, LEVEL_ROWS)
    if not settled:
        return True
    recent.slope += off * SLOPE_SHARE / LEVEL_ROWS
    off_mean = abs(recent.mean) - recent.wander
    recent.wander += off_mean * (WANDER_UP if off_mean > 0.0 else WANDER_DOWN)
    recent.rows = min(recent.rows + 1, COUNTS_MAX)
    if recent.rows == 1:
        recent.spread = noise
    step = max(1.0 / (NOISE_SLOW + recent.rows), NOISE_STEP) * (1.0 if recent.rough < UNEASY else UNEASY_SHARE)
    up = abs(off) > recent.spread * NOISE_QUANTILE
    recent.spread = max(recent.spread, 1e-9) * (1.0 + step * (NOISE_SHARE if up else NOISE_SHARE - 1.0))
    recent.sigma = max(recent.spread * (1.0 + 4.0 / recent.rows), floor, 1e-9)
    return True


def is_easy(recent: Recent) -> bool:
    """Whether the last scores look healthy: neither off on average nor rougher than usual."""
    return recent.rough < UNEASY and -UNEASY < recent.mean < UNEASY


def keep_score(recent: Recent, size: float) -> None:
    """Keep the size of a row's score as a healthy one, once the rows after it looked healthy too: faults begin small."""
    if not is_easy(recent):
        recent.waiting = b""
        return
    waiting = recent.waiting + bytes((min(int(20.0 * size + 0.5), 255),))
    if len(waiting) > WAIT_ROWS:
        recent.scores = tail.add(recent.scores, waiting[0] / 20.0)
        waiting = waiting[1:]
    recent.waiting = waiting


def unsettle(recent: Recent) -> None:
    """The operating point changed: the level is another one now, the scatter stays."""
    recent.since, recent.odd, recent.slope = 0, 0, 0.0
    recent.mean, recent.rough = 0.0, ROUGH_HEALTHY


def note_score(recent: Recent, z: float) -> None:
    """Take a score off the recent level into the running mean and roughness, which is about that mean."""
    clipped = min(max(z, -CLIP_Z), CLIP_Z)
    recent.rough += ROUGH_SHARE * (abs(clipped - recent.mean) - recent.rough)
    recent.mean += MEAN_SHARE * (clipped - recent.mean)


def mean_z(recent: Recent) -> float:
    """The running mean as a normal deviate: of independent scores its variance is share / (2 - share)."""
    return recent.mean / sqrt(MEAN_SHARE / (2.0 - MEAN_SHARE))


def rough_z(recent: Recent) -> float:
    """The roughness as a normal deviate: the size of N(0, 1) has the variance 1 - 2/pi = 0.363."""
    return (recent.rough - ROUGH_HEALTHY) / sqrt(0.363 * ROUGH_SHARE / (2.0 - ROUGH_SHARE))


def note_value(recent: Recent, value: float) -> None:
    """Count a repeat or a move since the last value scored."""
    before, recent.value = recent.value, value
    if before is None:
        return
    if value == before:
        recent.run += 1
        return
    recent.repeats += recent.run
    recent.longest = max(recent.longest, recent.run)
    recent.run = 0
    recent.moves += 1
    recent.falls += value < before
    if recent.repeats + recent.moves > COUNTS_MAX:
        recent.repeats, recent.moves, recent.falls = recent.repeats // 2, recent.moves // 2, recent.falls // 2
        recent.wild //= 2


def is_counter(recent: Recent) -> bool:
    """Whether the channel only ever rises or falls, as an odometer or a fuel tank: its value is a sum and no measurement."""
    moves, falls = recent.moves, recent.falls
    return moves >= MOVES_MIN and (falls * COUNTER_SHARE < moves or (moves - falls) * COUNTER_SHARE < moves)


def repeat_chance(recent: Recent) -> float:
    """The chance of as many repeats in a row as now, by how often it repeated itself before; 1 when it is not known to move."""
    if recent.moves < MOVES_MIN or recent.run == 0:
        return 1.0
    share = (recent.repeats + 1.0) / (recent.repeats + recent.moves + 2.0)
    return max(share**recent.run, tail.SMALLEST)


def wild_chance(recent: Recent, far: int, of: int, now: int) -> float:
    """The chance of at least so many far scores among so many, by how often the channel glitched before.

    `now` is how many of the far scores counted so far are among those asked about: they tell nothing of before.
    """
    share = (max(recent.wild - now, 0) + WILD_PRIOR * WILD_ROWS) / (recent.repeats + recent.moves + WILD_ROWS)
    return sum(comb(of, some) * share**some * (1.0 - share) ** (of - some) for some in range(far, of + 1))


def note_presence(recent: Recent, heard: bool) -> None:
    """Count a row with or without the channel."""
    if heard:
        recent.missed += recent.absent
        recent.absent = 0
        recent.heard += 1
        if recent.heard + recent.missed > COUNTS_MAX:
            recent.heard, recent.missed = recent.heard // 2, recent.missed // 2
    else:
        recent.absent += 1


def absence_chance(recent: Recent) -> float:
    """The chance of as many rows without the channel as now, by how often it was missing before; 1 when it was hardly known."""
    if recent.heard < MOVES_MIN or recent.absent == 0:
        return 1.0
    share = (recent.missed + 1.0) / (recent.heard + recent.missed + 2.0)
    return max(share**recent.absent, tail.SMALLEST)
