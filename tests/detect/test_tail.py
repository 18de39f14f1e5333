"""The chance of a score: uniform while all is well, falling as the score grows, never nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from detect import recent as lately
from detect import tail
from detect.recent import Recent


def chances_of(draw: Callable[[random.Random], float], count: int, seed: int = 1) -> list[float]:
    rng, kept, chances = random.Random(seed), b"", []
    for at in range(count):
        score = abs(draw(rng))
        if at >= 200:
            chances.append(tail.chance(kept, score)[0])
        kept = tail.add(kept, score)
    return chances


def shares(chances: list[float], parts: int = 10) -> list[float]:
    counts = [0] * parts
    for chance in chances:
        counts[min(int(chance * parts), parts - 1)] += 1
    return [count / len(chances) for count in counts]


@pytest.mark.parametrize(
    "draw",
    [lambda rng: rng.gauss(0, 1), lambda rng: rng.gauss(0, 0.3), lambda rng: rng.expovariate(1.2), lambda rng: rng.uniform(0, 2)],
)
def test_chances_of_healthy_scores_are_uniform_whatever_their_shape(draw: Callable[[random.Random], float]) -> None:
    chances = chances_of(draw, 5000)
    assert all(0.08 < share < 0.12 for share in shares(chances))
    assert sum(chance < 0.01 for chance in chances) / len(chances) < 0.02


def test_chances_of_the_scores_of_a_healthy_ship_are_uniform(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    chances: list[float] = []
    keep = lately.keep_score

    def watch(recent: Recent, size: float) -> None:
        if sum(recent.scores) >= 100:
            chances.append(tail.chance(recent.scores, size)[0])
        keep(recent, size)

    monkeypatch.setattr(lately, "keep_score", watch)
    rng = random.Random(4)
    for _ship in range(2):
        bench.run(
            [
                bench.ship(
                    minute * 60.0,
                    sog_kn=round(13.0 + rng.gauss(0, 0.05), 1),
                    channels={
                        "egt_c": round(310 + rng.gauss(0, 2), 1),
                        "oil_bar": 4.2 + rng.gauss(0, 0.03),
                        "power_kw": 9000 * (1 + rng.gauss(0, 0.02)),
                        "vibration_mm_s": round(3 + rng.gauss(0, 0.08), 2),
                    },
                )
                for minute in range(700)
            ]
        )
    assert len(chances) > 2000
    assert all(0.07 < share < 0.13 for share in shares(chances))


def test_a_greater_score_has_a_smaller_chance_down_to_the_smallest() -> None:
    rng, kept = random.Random(2), b""
    for _ in range(500):
        kept = tail.add(kept, abs(rng.gauss(0, 1)))
    chances = [tail.chance(kept, score)[0] for score in (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 100.0)]
    assert chances == sorted(chances, reverse=True)
    assert chances[-1] == tail.SMALLEST
    assert [tail.chance(kept, score)[1] for score in (1.0, 9.0)] == ["conformal", "tail"]


def test_few_scores_say_little_and_it_is_told_how_few() -> None:
    kept = b""
    for _ in range(tail.FEW - 1):
        kept = tail.add(kept, 0.5)
    chance, method, count = tail.chance(kept, 2.0)
    assert (method, count) == ("normal", tail.FEW - 1)
    assert chance == pytest.approx(0.0455, abs=1e-3)
    kept = tail.add(kept, 0.5)
    chance, method, count = tail.chance(kept, 2.0)
    assert (method, count) == ("tail", tail.FEW)
    assert chance > 1e-4  # twenty healthy scores do not make six of a million


def test_a_full_count_halves_all_and_forgets_slowly() -> None:
    kept = b""
    for _ in range(tail.FULL + 1):
        kept = tail.add(kept, 1.0)
    assert sum(kept) == tail.FULL // 2 + 1
    assert len(kept) == tail.BINS
