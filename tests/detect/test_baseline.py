"""The baseline of one quantity: what river learned, and each way in which a plain model would have failed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from river.linear_model import BayesianLinearRegression

from detect import baseline as model
from detect.baseline import Baseline, Judged
from detect.state import WarmingUp

Point = tuple[float, ...]


def taught(rows: int, value: Callable[[float, random.Random], float], seed: int = 1) -> Baseline:
    """A baseline after rows at speeds between 0.4 and 0.8 of the scale."""
    rng, baseline = random.Random(seed), Baseline()
    for _ in range(rows):
        teach(baseline, rng, value)
    return baseline


def teach(baseline: Baseline, rng: random.Random, value: Callable[[float, random.Random], float]) -> bool:
    s = rng.uniform(0.4, 0.8)
    x, y = (1.0, s, s**3), value(s, rng)
    judged = model.judge(baseline, x, y)
    return model.learn(baseline, x, y, judged if isinstance(judged, Judged) else None)


def judged(baseline: Baseline, y: float, s: float = 0.6) -> Judged:
    found = model.judge(baseline, (1.0, s, s**3), y)
    assert isinstance(found, Judged)
    return found


def exhaust(s: float, rng: random.Random) -> float:
    return 200.0 + 400.0 * s**3 + rng.gauss(0, 2.0)


def test_what_it_expects_is_what_rivers_own_model_predicts() -> None:
    rng, baseline = random.Random(3), Baseline()
    river: Any = BayesianLinearRegression(alpha=model.PRECISION, beta=1.0)
    for row in range(model.HEAD_ROWS + 100):
        s = rng.uniform(0.4, 0.8)
        x, y = (1.0, s, s**3), exhaust(s, rng)
        model.learn(baseline, x, y, None)
        if row >= model.HEAD_ROWS:
            river.learn_one(dict(enumerate(x)), y)
    x = (1.0, 0.7, 0.343)
    told = river.predict_one(dict(enumerate(x)), with_dist=True)
    found = model.judge(baseline, x, 1000.0)
    assert isinstance(found, Judged)
    assert found.expected == pytest.approx(told.mu, rel=1e-9)
    leverage = told.sigma**2 - 1.0  # river's own noise variance is 1/beta = 1
    assert found.sigma == pytest.approx(baseline.sigma * math.sqrt(1.0 + leverage), rel=1e-9)


def test_the_warm_up_says_how_far_it_is_and_is_never_a_score() -> None:
    rng, baseline = random.Random(1), Baseline()
    for n in range(model.NEEDED_ROWS):
        assert model.warm_up(baseline) == WarmingUp(n, 30)
        assert model.judge(baseline, (1.0, 0.6, 0.216), 300.0) == WarmingUp(n, 30)
        teach(baseline, rng, exhaust)
    assert model.warm_up(baseline) is None
    assert abs(judged(baseline, 286.4).z) < 2.0


def test_a_value_far_off_is_scored_far_off_without_saturating() -> None:
    baseline = taught(100, exhaust)
    assert abs(judged(baseline, 286.4).z) < 1.0
    assert judged(baseline, 316.4).z > 6.0
    assert judged(baseline, 386.4).z > 3 * judged(baseline, 316.4).z  # |z| 9 and 50 are not the same score


def test_not_a_number_is_neither_scored_nor_learned() -> None:
    baseline = taught(100, exhaust)
    before = msgspec.structs.asdict(baseline)
    for bad in (math.nan, math.inf, -math.inf):
        assert model.judge(baseline, (1.0, 0.6, 0.216), bad) is None
        assert model.learn(baseline, (1.0, 0.6, 0.216), bad, None) is False
    assert msgspec.structs.asdict(baseline) == before


@pytest.mark.parametrize("at_row", [0, 4, 9, 10, 15, 29, 60])
def test_one_huge_outlier_at_any_row_does_not_blind(at_row: int) -> None:
    rng, baseline = random.Random(2), Baseline()
    for row in range(90):
        teach(baseline, rng, (lambda _s, _r: 9.9e6) if row == at_row else exhaust)
    assert abs(judged(baseline, 286.4).z) < 2.0
    assert judged(baseline, 330.0).z > 6.0


def test_a_constant_sensor_is_not_scored_and_its_first_step_is_no_anomaly() -> None:
    baseline = taught(200, lambda _s, _r: 5.0)
    assert model.judge(baseline, (1.0, 0.6, 0.216), 5.0) is None
    assert model.judge(baseline, (1.0, 0.6, 0.216), 6.0) is None


def test_a_sensor_of_whole_steps_is_judged_by_its_step() -> None:
    baseline = taught(200, lambda _s, r: 5.0 + (r.random() < 0.1))
    assert abs(judged(baseline, 7.0).z) < 6.0
    assert judged(baseline, 15.0).z > 6.0


def test_a_constant_zero_that_begins_to_move_is_learned_anew() -> None:
    rng, baseline = random.Random(1), taught(60, lambda _s, _r: 0.0)
    for _ in range(200):
        teach(baseline, rng, lambda _s, r: 3.0 + r.gauss(0, 0.1))
    assert abs(judged(baseline, 3.0).z) < 3.0


def test_a_level_shift_is_kept_out_for_120_rows_and_then_absorbed() -> None:
    rng, baseline = random.Random(4), taught(100, exhaust)
    released = [teach(baseline, rng, lambda s, r: exhaust(s, r) + 80.0) for _ in range(120)]
    assert released == [False] * 119 + [True]
    assert isinstance(model.warm_up(baseline), WarmingUp)
    for _ in range(40):
        teach(baseline, rng, lambda s, r: exhaust(s, r) + 80.0)
    assert abs(judged(baseline, 366.4).z) < 3.0


def test_an_operating_point_never_seen_is_known_to_be_unknown() -> None:
    baseline = taught(200, exhaust)
    near, far = judged(baseline, 600.0, s=0.6).sigma, judged(baseline, 6000.0, s=1.4).sigma
    assert far > 5 * near


def test_a_day_of_rows_is_remembered_and_older_ones_fade() -> None:
    rng, baseline = random.Random(5), taught(1500, exhaust)
    assert baseline.rows <= model.MEMORY_ROWS + model.FADE_ROWS
    for step in range(3000):
        teach(baseline, rng, lambda s, r, step=step: exhaust(s, r) + step * 0.01)  # type: ignore[misc]
    assert 300.0 < judged(baseline, 300.0).expected < 310.0  # 316 is true now; a memory of a day lags by half a day's change


def test_a_slow_drift_does_not_widen_the_noise_with_it() -> None:
    rng, baseline = random.Random(6), taught(150, exhaust)
    for step in range(60):
        teach(baseline, rng, lambda s, r, step=step: exhaust(s, r) + step * 0.7)  # type: ignore[misc]
    assert judged(baseline, 286.4 + 42.0).z > 6.0
