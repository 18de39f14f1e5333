"""The scoring of the Numenta Anomaly Benchmark, written from its description and checked on windows worked by hand.

A detection in a window earns by how early in it the first one lies, a window without costs, a detection outside costs the
more the farther behind the last window. One threshold serves all files; it is the best one for each profile. The result is placed
between the score of saying nothing (0) and that of saying one thing at the first row of each window (100).

Source: Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms" (2015), and NAB's profiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import NamedTuple

PROBATION_SHARE, PROBATION_ROWS = 0.15, 750
FAR = 3.0  # window lengths behind a window, from which on a false positive costs all that it can


class Profile(NamedTuple):
    """Weights of a true positive, a missed window and a false positive."""

    name: str
    tp: float
    fn: float
    fp: float


PROFILES = (
    Profile("standard", 1.0, 1.0, 0.11),
    Profile("reward_low_FP_rate", 1.0, 1.0, 0.22),
    Profile("reward_low_FN_rate", 1.0, 2.0, 0.11),
)


class Scored(NamedTuple):
    """One file: a score for each row, and its windows as (first row, last row), ascending and disjoint."""

    scores: Sequence[float]
    windows: Sequence[tuple[int, int]]


def scaled_sigmoid(position: float) -> float:
    """What a detection is worth at a position in window lengths: -1 is a window's left edge, 0 its right, beyond is behind it."""
    return -1.0 if position > FAR else 2.0 / (1.0 + exp(5.0 * position)) - 1.0


EARLIEST = scaled_sigmoid(-1.0)


def probation(rows: int) -> int:
    """How many rows at the beginning are not scored."""
    return int(min(PROBATION_SHARE * rows, PROBATION_ROWS))


def worths(rows: int, windows: Sequence[tuple[int, int]]) -> list[tuple[float, int | None]]:
    """What a detection at each row is worth, and in which window it lies (None: outside)."""
    out: list[tuple[float, int | None]] = []
    before: tuple[int, int] | None = None
    number = 0
    for row in range(rows):
        if number < len(windows) and row > windows[number][1]:
            before = windows[number]
            number += 1
        if number < len(windows) and windows[number][0] <= row:
            first, last = windows[number]
            out.append((scaled_sigmoid(-(last - row + 1) / (last - first + 1)) / EARLIEST, number))
        elif before is None:
            out.append((-1.0, None))
        else:
            out.append((scaled_sigmoid((row - before[1]) / max(before[1] - before[0], 1)), None))
    return out


def score(files: Sequence[Scored], profile: Profile) -> tuple[float, float]:
    """The final score of a detector over all files, and the threshold at which it is reached (above all scores: say nothing)."""
    points: list[tuple[float, float, tuple[int, int] | None]] = []
    count = 0
    for number, one in enumerate(files):
        count += len(one.windows)
        skipped = probation(len(one.scores))
        for row, (worth, window) in enumerate(worths(len(one.scores), one.windows)):
            if row >= skipped:
                points.append((one.scores[row], worth, None if window is None else (number, window)))
    points.sort(key=lambda point: -point[0])
    gained: dict[tuple[int, int], float] = {}
    total = -profile.fn * count
    best, threshold = total, float("inf")
    for index, (value, worth, where) in enumerate(points):
        if where is None:
            total += profile.fp * worth
        else:
            had = gained.get(where, -profile.fn)
            gained[where] = max(had, profile.tp * worth)
            total += gained[where] - had
        if (index + 1 == len(points) or points[index + 1][0] != value) and total > best:
            best, threshold = total, value
    null, perfect = -profile.fn * count, profile.tp * count
    return (100.0 * (best - null) / (perfect - null) if count else 0.0), threshold
