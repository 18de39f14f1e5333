"""Each way in which a River detector was seen to fail (detection.md, section 3), and that what is built on it here does not."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import detect
from detect import baseline as model
from detect import performance, tail
from detect import recent as lately
from detect.baseline import Baseline, Judged
from detect.performance import CYCLES, Change, Performance
from detect.recent import Recent

Values = Callable[[int, random.Random], dict[str, float]]


def ship(bench: Any, minutes: int, values: Values, seed: int = 1, sog_kn: float = 13.0) -> list[Any]:
    rng = random.Random(seed)
    return [
        bench.ship(minute * 60.0, lat_deg=40.0, lon_deg=minute / 300.0, sog_kn=sog_kn, channels=values(minute, rng))
        for minute in range(minutes)
    ]


def channels_of(findings: list[Any]) -> list[tuple[str | None, str]]:
    return [(one.subject, one.evidence["kind"]) for one in findings if one.rule == "channel_anomaly" and one.closed_at_us is None]


@pytest.mark.parametrize("sog_kn", [0.0, 13.0])
def test_1_a_sensor_that_is_constant_neither_raises_nor_alarms(bench: Any, sog_kn: float) -> None:
    """GaussianScorer: complex sigma on a constant window, and 1.0 for the constant itself."""
    constant = ship(bench, 300, lambda _minute, _rng: {"cooling_water_temp_c": 36.0, "pump_on": 0.0}, sog_kn=sog_kn)
    assert bench.run(constant) == []


def test_2_far_and_farther_are_not_the_same_score() -> None:
    """GaussianScorer: |z| of 9 and of 50 both give exactly 1.0."""
    rng, baseline, kept = random.Random(1), Baseline(), b""
    for _ in range(200):
        model.learn(baseline, (1.0, 0.5), 100.0 + rng.gauss(0, 2), None)
        kept = tail.add(kept, abs(rng.gauss(0, 1)))
    near, far = (model.judge(baseline, (1.0, 0.5), value) for value in (118.0, 200.0))
    assert isinstance(near, Judged)
    assert isinstance(far, Judged)
    assert far.z > 4 * near.z > 0
    assert [tail.chance(kept, z)[0] for z in (3.0, 6.0, 9.0)] == sorted(
        (tail.chance(kept, z)[0] for z in (3.0, 6.0, 9.0)), reverse=True
    )
    assert tail.chance(kept, 9.0)[0] < tail.chance(kept, 6.0)[0] < tail.chance(kept, 3.0)[0]


def test_3_after_a_shift_of_level_it_is_neither_deaf_nor_alarmed_for_ever(bench: Any) -> None:
    """QuantileFilter: a quantile that never forgets flags for hundreds of points after a shift, then nothing for thousands."""

    def shifted(minute: int, rng: random.Random) -> dict[str, float]:
        level = 60.0 + (20.0 if minute >= 200 else 0.0) + (20.0 if minute >= 600 else 0.0)
        return {"oil_temp_c": level + rng.gauss(0, 0.4)}

    told = [(one.closed_at_us is None, one.evidence.get("ended")) for one in bench.run(ship(bench, 800, shifted))]
    assert told == [(True, None), (False, "regime_accepted")] * 2


@pytest.mark.parametrize("features", [2, 8])
def test_4_pure_noise_is_no_anomaly_however_few_the_features(bench: Any, features: int) -> None:
    """HalfSpaceTrees: 2.5 % (8 features) to 15.3 % (2 features) of Gaussian noise exceeds a fixed threshold of 0.95."""

    def noise(_minute: int, rng: random.Random) -> dict[str, float]:
        return {f"sensor_{i}_c": 50.0 + rng.gauss(0, 1) for i in range(features)}

    assert bench.run(ship(bench, 1500 // features, noise)) == []


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e9, -1e300])
def test_5_one_bad_value_does_not_spoil_what_comes_after(bench: Any, bad: float) -> None:
    """NaN poisons a scaler for ever, one outlier of 1e9 maps everything to zero."""

    def broken(minute: int, rng: random.Random) -> dict[str, float]:
        value = 60.0 + rng.gauss(0, 0.4) + (8.0 if minute >= 200 else 0.0)
        return {"oil_temp_c": bad if minute in (0, 5, 15, 40, 120) else value, "rpm": 80.0 + rng.gauss(0, 0.3)}

    state = bench.state()
    findings = bench.run(ship(bench, 210, broken), state=state)
    assert channels_of(findings) == [("oil_temp_c", "off")]
    assert findings[0].opened_at_us == bench.at(200 * 60)
    for watched in state.memories["channel_anomaly"].channels.values():
        assert all(map(math.isfinite, watched.baseline.weights))


def test_6_scoring_changes_nothing() -> None:
    """PredictiveAnomalyDetection learns while it scores."""
    rng, baseline, recent = random.Random(1), Baseline(), Recent()
    for _ in range(100):
        value = 100.0 + rng.gauss(0, 2)
        model.learn(baseline, (1.0,), value, None)
        lately.follow(recent, value - 100.0, 2.0, 100.0, 0.1)
        recent.scores = tail.add(recent.scores, 1.0)
    before = msgspec.msgpack.encode((baseline, recent))
    for _ in range(3):
        first = (model.judge(baseline, (1.0,), 120.0), lately.z_of(recent, 20.0), tail.chance(recent.scores, 5.0))
    assert msgspec.msgpack.encode((baseline, recent)) == before
    assert first == (model.judge(baseline, (1.0,), 120.0), lately.z_of(recent, 20.0), tail.chance(recent.scores, 5.0))


def test_7_noise_without_a_change_is_no_drift_and_a_change_of_one_part_is() -> None:
    """PageHinkley raises 60, KSWIN 121 false alarms on 100,000 values of noise, ADWIN none."""
    for seed in range(8):
        rng, state, alarms = random.Random(seed), Performance(), []
        for cycle in range(600):
            value = 600.0 + rng.gauss(0, 3) + (12.0 if cycle >= 400 else 0.0)
            told = performance.take(state, CYCLES, cycle, (1.0,), {"egt_c": value})
            if isinstance(told, Change) and told.alarm:
                alarms.append(told.period)
        assert 400 < alarms[0] < 440
    sources = "".join(path.read_text() for path in Path(detect.__file__).parent.glob("*.py"))
    assert "PageHinkley(" not in sources
    assert "KSWIN(" not in sources


def test_8_a_value_out_of_all_range_is_far_and_a_missing_one_is_tolerated(bench: Any) -> None:
    """HalfSpaceTrees clamps what is out of range to its outer leaf."""

    def ranged(minute: int, rng: random.Random) -> dict[str, float]:
        values = {"egt_c": 400.0 + rng.gauss(0, 2), "oil_bar": 4.0 + rng.gauss(0, 0.05), "rpm": 80.0 + rng.gauss(0, 0.3)}
        if minute >= 150:
            values["egt_c"] = 90_000.0
        if minute % 7 == 3:
            del values["oil_bar"]
        return values

    findings = bench.run(ship(bench, 160, ranged))
    assert channels_of(findings) == [("egt_c", "off")]
    assert findings[0].score > 1000


def test_a_warm_up_says_that_it_is_one_and_never_a_score(bench: Any) -> None:
    """Zero scores in a warm-up make a quantile of zero, and the first point after it an alarm."""
    wild = ship(bench, 25, lambda minute, rng: {"egt_c": 400.0 + rng.gauss(0, 2) + (300.0 if minute == 24 else 0.0)})
    state = bench.state()
    assert bench.run(wild, state=state) == []
    assert ("channel_anomaly", "egt_c") in state.warm_up()
