"""The three rules with models, through `drive`: what they find, how soon, and what they must leave alone."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from detect import channel_anomaly
from detect.state import WarmingUp

Fault = Callable[[float, dict[str, float]], None]
HOUR = 3600.0


def cruise(
    bench: Any,
    hours: float,
    period_s: float = 60.0,
    fault: Fault | None = None,
    seed: int = 1,
    kn: Callable[[float], float] | None = None,
) -> list[Any]:
    """A laden ship with six sensors that follow speed; `fault(second, channels)` may tamper with them."""
    rng, readings = random.Random(seed), []
    for step in range(round(hours * HOUR / period_s)):
        second = step * period_s
        speed = (kn(second) if kn else 13.0) + rng.gauss(0, 0.12)
        load = (max(speed, 0.0) / 14.0) ** 3
        weather = rng.gauss(0, 0.02)
        channels = {
            "me_exhaust_temp_c": 220 + 140 * load + rng.gauss(0, 2),
            "shaft_power_kw": 9000 * load * (1 + weather) + rng.gauss(0, 15),
            "fuel_rate_t_h": 1.6 * load * (1 + weather) + rng.gauss(0, 0.003),
            "me_rpm": 6 * speed + rng.gauss(0, 0.3),
            "lube_oil_pressure_bar": 4.2 + rng.gauss(0, 0.03),
            "cooling_water_temp_c": 36.0,
        }
        if fault:
            fault(second, channels)
        position = {"lat_deg": 45.0 + second / HOUR * 13 / 60, "lon_deg": -20.0}
        readings.append(bench.ship(second, **position, sog_kn=round(speed, 1), cog_deg=0.0, draught_m=11.2, channels=channels))
    return readings


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("period_s", [10.0, 60.0])
def test_a_day_of_a_healthy_ship_has_no_warning(bench: Any, seed: int, period_s: float) -> None:
    def kn(second: float) -> float:
        return 13.0 if (second // (5 * HOUR)) % 2 == 0 else 9.0

    hours = 24.0 if period_s == 60.0 else 6.0
    findings = bench.run(cruise(bench, hours, period_s, seed=seed, kn=kn))
    assert [finding for finding in findings if finding.severity != "info"] == []


@pytest.mark.parametrize("period_s", [10.0, 60.0])
def test_a_spike_of_three_minutes_after_an_hour_opens_within_a_minute(bench: Any, period_s: float) -> None:
    begin = HOUR

    def spike(second: float, channels: dict[str, float]) -> None:
        if begin <= second < begin + 180:
            channels["me_exhaust_temp_c"] += 60

    opened, closed = bench.run(cruise(bench, 1.5, period_s, spike))
    assert (opened.rule, opened.subject, opened.severity) == ("channel_anomaly", "me_exhaust_temp_c", "warning")
    assert opened.opened_at_us == bench.at(begin)
    assert bench.at(begin) < opened.detected_at_us <= bench.at(begin + 60)
    assert closed.id == opened.id
    assert closed.evidence["ended"] == "returned"
    assert bench.at(begin + 180) <= closed.closed_at_us <= bench.at(begin + 360)
    (top,) = opened.evidence["top"]
    assert (top["feature"], top["observed"] - top["expected"]) == ("me_exhaust_temp_c", pytest.approx(60, abs=10))


def test_one_glitch_opens_nothing(bench: Any) -> None:
    def glitch(second: float, channels: dict[str, float]) -> None:
        if second in {HOUR, 2 * HOUR}:
            channels["shaft_power_kw"] = 1e9
        if second == 1.5 * HOUR:
            channels["shaft_power_kw"] *= 3

    assert bench.run(cruise(bench, 3, 60.0, glitch)) == []


def test_a_drift_is_found_though_the_baseline_learns(bench: Any) -> None:
    def drift(second: float, channels: dict[str, float]) -> None:
        if second > 2 * HOUR:
            channels["lube_oil_pressure_bar"] -= (second - 2 * HOUR) / HOUR

    (first, *_) = bench.run(cruise(bench, 3, 60.0, drift))
    assert (first.subject, first.detected_at_us <= bench.at(2.5 * HOUR)) == ("lube_oil_pressure_bar", True)
    assert first.evidence["top"][0]["z"] < 0


def test_a_new_regime_closes_the_episode_after_two_hours_and_is_learned(bench: Any) -> None:
    def shift(second: float, channels: dict[str, float]) -> None:
        if second > 2 * HOUR:
            channels["lube_oil_pressure_bar"] += 1.0

    opened, closed = bench.run(cruise(bench, 8, 60.0, shift))
    assert closed.evidence["ended"] == "regime_accepted"
    assert 119 <= (closed.closed_at_us - opened.opened_at_us) / 60e6 <= 122


def test_a_ship_that_slows_down_for_the_first_time_is_not_judged(bench: Any) -> None:
    findings = bench.run(cruise(bench, 5, 60.0, kn=lambda second: 14.0 if second < 3 * HOUR else 6.0))
    assert [finding for finding in findings if finding.severity != "info"] == []


@pytest.mark.parametrize("minutes", [6, 60])
def test_a_small_change_of_speed_explains_the_power_at_once(bench: Any, minutes: int) -> None:
    rng, readings, ordered_kn, east_deg = random.Random(7), [], 13.0, 0.0
    for row in range(1500):
        if row * minutes % 360 == 0:
            ordered_kn = rng.uniform(11.0, 14.0)
        speed_kn = ordered_kn + rng.gauss(0, 0.05)
        east_deg += ordered_kn * minutes / 3600.0
        channels = {"shaft_power_kw": 3.3 * speed_kn**3 * (1 + rng.gauss(0, 0.01))}
        motion = {"lat_deg": 0.0, "lon_deg": east_deg % 360.0 - 180.0, "sog_kn": round(speed_kn, 1), "draught_m": 11.2}
        readings.append(bench.ship(row * minutes * 60.0, **motion, channels=channels))
    assert bench.last(bench.run(readings), "channel_anomaly") == []


def test_not_a_number_in_a_channel_neither_alarms_nor_spoils(bench: Any) -> None:
    def broken(second: float, channels: dict[str, float]) -> None:
        if second % 300 == 0:
            channels["me_rpm"] = math.nan
        if 2 * HOUR <= second < 2 * HOUR + 300:
            channels["me_rpm"] = 40.0 if second % 300 else math.nan

    findings = bench.run(cruise(bench, 2.5, 60.0, broken))
    assert {finding.subject for finding in findings} == {"me_rpm"}


def test_a_motion_that_is_not_a_number_neither_crashes_nor_spoils(bench: Any) -> None:
    readings = cruise(bench, 3)
    for at in range(60, 100):
        fields = {"sog_kn": math.nan, "draught_m": math.nan, "lat_deg": None, "lon_deg": None}
        readings[at] = msgspec.structs.replace(readings[at], **fields)
    state = bench.state()
    assert [finding for finding in bench.run(readings, state=state) if finding.severity != "info"] == []
    weights = [watched.baseline.weights for watched in state.memories["channel_anomaly"].channels.values()]
    assert all(map(math.isfinite, itertools.chain.from_iterable(weights)))


def test_the_warm_up_is_told_by_rule_and_channel(bench: Any) -> None:
    state = bench.state()
    bench.run(cruise(bench, 0.25), state=state)
    waiting = state.warm_up()
    assert waiting["channel_anomaly", "me_rpm"] == WarmingUp(10, 30)  # four of 15 minutes are spent settling, the last is open
    assert ("speed_anomaly", "") in waiting
    bench.run(cruise(bench, 3)[20:], state=state)
    assert set(state.warm_up()) == {("performance_drift", "")}  # that one is told in days


def test_readings_ten_times_a_minute_are_learned_once_a_minute(bench: Any) -> None:
    fast, slow = bench.state(), bench.state()
    bench.run(cruise(bench, 2, 6.0), state=fast)
    bench.run(cruise(bench, 2, 60.0), state=slow)
    rows = [state.memories["channel_anomaly"].channels["me_rpm"].baseline.rows for state in (fast, slow)]
    assert abs(rows[0] - rows[1]) <= 2


def test_channels_beyond_the_bound_are_counted_and_an_unheard_one_gives_way(bench: Any) -> None:
    state = bench.state()

    def ship(second: float, names: range) -> Any:
        return bench.ship(second, sog_kn=12.0, channels={f"sensor_{i}_c": 20.0 + i for i in names})

    bench.run([ship(minute * 60, range(30)) for minute in range(10)], state=state)
    memory = state.memories["channel_anomaly"]
    assert len(memory.channels) == channel_anomaly.CHANNELS_MAX
    assert memory.unwatched > 0
    bench.run([ship(minute * 60 + 2 * 86_400, range(40, 43)) for minute in range(10)], state=state)
    assert {"sensor_40_c", "sensor_41_c", "sensor_42_c"} <= set(memory.channels)
    assert len(memory.channels) == channel_anomaly.CHANNELS_MAX


def test_power_and_fuel_that_no_longer_go_together_are_a_behaviour_anomaly(bench: Any) -> None:
    def broken(second: float, channels: dict[str, float]) -> None:
        if second >= 6 * HOUR:
            channels["shaft_power_kw"] *= 1.06
            channels["fuel_rate_t_h"] *= 0.94

    findings = bench.run(cruise(bench, 6.5, 60.0, broken))
    (episode,) = bench.last(findings, "behaviour_anomaly")
    assert episode.severity == "warning"
    assert {entry["feature"] for entry in episode.evidence["top"][:2]} == {"shaft_power_kw", "fuel_rate_t_h"}
    assert bench.last(findings, "channel_anomaly") == []


def test_one_sensor_alone_is_not_a_behaviour_anomaly(bench: Any) -> None:
    def spike(second: float, channels: dict[str, float]) -> None:
        if second >= 4 * HOUR:
            channels["lube_oil_pressure_bar"] = 2.0

    findings = bench.run(cruise(bench, 5, 60.0, spike))
    assert {finding.rule for finding in findings} == {"channel_anomaly"}


def test_a_speed_off_its_own_regime_is_info_after_ten_minutes(bench: Any) -> None:
    findings = bench.run(cruise(bench, 6, 60.0, kn=lambda second: 14.0 if second < 5 * HOUR else 9.0))
    (episode,) = bench.last(findings, "speed_anomaly")
    assert (episode.severity, episode.opened_at_us) == ("info", bench.at(5 * HOUR))
    assert 10 <= (episode.detected_at_us - episode.opened_at_us) / 60e6 <= 12
    (top,) = episode.evidence["top"]
    assert (top["feature"], top["expected"]) == ("speed_kn", pytest.approx(14.0, abs=0.3))


def test_a_ship_at_berth_is_not_judged_by_its_speed(bench: Any) -> None:
    findings = bench.run(cruise(bench, 8, 60.0, kn=lambda second: 14.0 if second < 5 * HOUR else 0.0))
    assert bench.last(findings, "speed_anomaly") == []
