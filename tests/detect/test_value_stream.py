"""A stream of values and nothing else: what is strange in it, told once, by one setting for any stream."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import msgspec
import pytest

from detect import value_stream as model
from detect.value_stream import ValueStream, take

STEP_US = 300 * 1_000_000  # five minutes
DAY_ROWS = 288


def daily(row: int, rng: random.Random) -> float:
    return 60.0 + 20.0 * math.sin(2 * math.pi * row / DAY_ROWS) + rng.gauss(0, 1)


def scores(value: Callable[[int, random.Random], float], rows: int, seed: int = 1) -> list[float]:
    rng, stream = random.Random(seed), ValueStream()
    return [take(stream, row * STEP_US, value(row, rng)) for row in range(rows)]


def strangest(told: list[float], after: int = 600) -> int:
    return max(range(after, len(told)), key=told.__getitem__)


def test_a_constant_is_never_strange() -> None:
    assert max(scores(lambda _row, _rng: 36.0, 1500)) < 0.1


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
def test_a_value_off_its_hour_of_the_day_is_the_strangest_in_any_unit(scale: float) -> None:
    told = scores(lambda row, rng: scale * (60.0 if 2232 <= row < 2235 else daily(row, rng)), 2500)
    assert strangest(told) in range(2232, 2235)


def test_a_level_that_moved_is_told_early() -> None:
    told = scores(lambda row, rng: daily(row, rng) + (25.0 if row >= 1900 else 0.0), 2300)
    assert 1900 <= strangest(told) < 1930


def test_a_stream_that_goes_flat_is_told() -> None:
    told = scores(lambda row, rng: daily(min(row, 2016), rng if row < 2016 else random.Random(1)), 2300)
    assert 2016 <= strangest(told) < 2200


def test_what_was_told_is_not_told_again_for_a_hundred_rows_unless_it_is_stranger() -> None:
    told = scores(lambda row, rng: daily(row, rng) + (60.0 if 2000 <= row < 2040 else 0.0), 2300)
    first = next(row for row in range(2000, 2300) if told[row] > 0.4)
    later = [told[row] for row in range(first + 1, 2040) if told[row] > 0]
    assert all(one > told[first] for one in later)
    assert len(later) < 10


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_neither_scored_nor_learned(bad: float) -> None:
    stream = ValueStream()
    rng = random.Random(1)
    for row in range(300):
        take(stream, row * STEP_US, daily(row, rng))
    before = msgspec.msgpack.encode(stream)
    assert take(stream, 300 * STEP_US, bad) == 0.0
    assert msgspec.msgpack.encode(stream) == before


def test_one_huge_outlier_does_not_blind() -> None:
    told = scores(lambda row, rng: 1e9 if row == 400 else 60.0 if 2500 <= row < 2503 else daily(row, rng), 2700)
    assert max(told[2500:2503]) == max(told[1500:])


def test_it_is_its_own_checkpoint() -> None:
    rng, stream = random.Random(1), ValueStream()
    for row in range(500):
        take(stream, row * STEP_US, daily(row, rng))
    packed = msgspec.msgpack.encode(stream)
    again = msgspec.msgpack.decode(packed, type=ValueStream)
    assert again == stream
    assert len(packed) < 1024
    assert take(again, 500 * STEP_US, 99.0) == take(stream, 500 * STEP_US, 99.0)


def test_a_warm_up_scores_nothing() -> None:
    assert max(scores(lambda row, _rng: float(row % 7) * 100, model.WARM_ROWS)) == 0.0
