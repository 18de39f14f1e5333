"""A slow change against the asset's own frozen baseline: what is found, after how long, and what must not be taken for one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from detect import performance as model
from detect.checkpoint import from_checkpoint, to_checkpoint
from detect.performance import CYCLES, DAYS, Change, Performance
from detect.state import WarmingUp

Wear = Callable[[int], float]


def cycles(count: int, wear: Wear, seed: int, sensors: int = 6) -> list[Change]:
    """An engine with `sensors` sensors, of which two feel `wear(cycle)`, in deviations of one reading; one row a cycle."""
    rng, state, told = random.Random(seed), Performance(), list[Change]()
    for cycle in range(count):
        setting = rng.gauss(0, 1)
        values = {f"s{i}": 500.0 + 3.0 * setting + rng.gauss(0, 1) + (wear(cycle) if i < 2 else 0.0) for i in range(sensors)}
        values["constant"] = 21.6
        change = model.take(state, CYCLES, cycle, (1.0, setting), values)
        if isinstance(change, Change):
            told.append(change)
    return told


def first_alarm(told: list[Change]) -> Change | None:
    return next((change for change in told if change.alarm), None)


@pytest.mark.parametrize("seed", range(6))
def test_an_engine_that_does_not_wear_never_drifts(seed: int) -> None:
    assert first_alarm(cycles(300, lambda _cycle: 0.0, seed)) is None


@pytest.mark.parametrize("seed", range(6))
def test_wear_is_found_and_named_by_the_sensors_that_feel_it(seed: int) -> None:
    told = first_alarm(cycles(200, lambda cycle: max(0.0, 0.1 * (cycle - 80)), seed))
    assert told is not None
    assert 90 <= told.period <= 130
    assert {off.channel for off in told.top[:2]} == {"s0", "s1"}
    assert 50 <= told.since <= told.period
    assert told.p_value < 1e-5


def test_what_has_worn_for_long_is_not_learned_away() -> None:
    told = cycles(900, lambda cycle: min(max(0.0, 0.02 * (cycle - 50)), 5.0), 1)
    assert all(change.alarm for change in told[-500:])


def test_it_ends_when_the_level_is_back() -> None:
    told = cycles(300, lambda cycle: 5.0 if 80 <= cycle < 140 else 0.0, 1)
    alarms = [change.period for change in told if change.alarm]
    assert 80 <= alarms[0] <= 100
    assert 140 <= alarms[-1] <= 200
    assert alarms == list(range(alarms[0], alarms[-1] + 1))


def test_the_warm_up_is_counted_in_periods_and_never_judged() -> None:
    rng, state = random.Random(1), Performance()
    told = [model.take(state, CYCLES, cycle, (1.0,), {"egt_c": rng.gauss(600, 3)}) for cycle in range(42)]
    assert told[0] is None
    assert told[1] == WarmingUp(1, 40)
    assert told[39] == WarmingUp(39, 40)
    assert [isinstance(one, Change) for one in told[39:]] == [False, False, True]


def test_a_period_of_too_few_rows_does_not_count() -> None:
    state = Performance()
    for day in range(30):
        for _ in range(DAYS.rows_min - 1):
            assert model.take(state, DAYS, day, (1.0,), {"shaft_power_kw": 9000.0}) is None
    assert state.periods == 0


def test_one_wild_row_and_what_is_not_a_number_neither_alarm_nor_spoil() -> None:
    rng, state = random.Random(3), Performance()
    for cycle in range(200):
        value = {60: 9e6, 90: float("nan")}.get(cycle, rng.gauss(600, 3))
        told = model.take(state, CYCLES, cycle, (1.0,), {"egt_c": value})
        assert not (isinstance(told, Change) and told.alarm)
    assert state.channels["egt_c"].history != b""


def ship(bench: Any, days: int, fouling: Callable[[float], float], seed: int) -> list[Any]:
    """A reading every two hours at two speeds; `fouling(day)` multiplies power and fuel."""
    rng, readings, weather = random.Random(seed), [], 0.0
    for hour in range(0, days * 24, 2):
        weather = 0.9 * weather + rng.gauss(0, 0.007)
        speed = (13.0 if (hour // 40) % 2 == 0 else 11.0) + rng.gauss(0, 0.1)
        load = (speed / 14.0) ** 3 * (1.0 + weather) * fouling(hour / 24)
        channels = {
            "shaft_power_kw": 9000.0 * load + rng.gauss(0, 60),
            "fuel_rate_t_h": 1.6 * load + rng.gauss(0, 0.01),
            "me_exhaust_temp_c": 220.0 + 140.0 * load + rng.gauss(0, 2),
            "me_lube_oil_pressure_bar": 4.2 + rng.gauss(0, 0.03),
        }
        place = {"lat_deg": 30.0 + hour * 0.01, "lon_deg": -20.0}
        readings.append(bench.ship(hour * 3600.0, **place, sog_kn=round(speed, 1), draught_m=11.2, channels=channels))
    return readings


def test_a_hull_that_fouls_by_a_tenth_is_a_warning(bench: Any) -> None:
    fouled = bench.run(ship(bench, 55, lambda day: 1.0 + 0.005 * max(0.0, min(day - 25, 20)), 1))
    (episode,) = bench.last(fouled, "performance_drift")
    assert (episode.severity, episode.subject, episode.evidence["period"]) == ("warning", None, "day")
    assert bench.at(35 * 86_400) <= episode.opened_at_us < episode.detected_at_us <= bench.at(50 * 86_400)
    assert {entry["feature"] for entry in episode.evidence["top"]} >= {"shaft_power_kw", "fuel_rate_t_h"}
    assert episode.evidence["top"][0]["change_pct"] >= episode.evidence["least_change_pct"] == 5.0
    assert episode.evidence["p_value"] <= 1e-5


@pytest.mark.parametrize(("fouling", "found"), [(1.0, 0), (1.04, 0), (1.08, 1)])
def test_below_five_percent_it_is_not_told(bench: Any, fouling: float, found: int) -> None:
    findings = bench.run(ship(bench, 50, lambda day: fouling if day > 25 else 1.0, 1))
    assert len(bench.last(findings, "performance_drift")) == found


def test_cut_and_restored_every_day_it_goes_on_the_same_and_a_cleaned_hull_ends_it(bench: Any) -> None:
    readings = ship(bench, 65, lambda day: 1.15 if 22 <= day < 40 else 1.0, 2)
    whole, parts, state = bench.run(readings), [], bench.state()
    for at in range(0, len(readings), 13):
        parts += bench.run(readings[at : at + 13], state=state)
        state.take_contributions()
        state.take_sightings()
        restored = from_checkpoint(to_checkpoint(state))
        assert restored == state
        state = restored
    assert parts == whole
    drifts = [(one.closed_at_us is None, one.evidence.get("ended")) for one in whole if one.rule == "performance_drift"]
    assert drifts == [(True, None), (False, "returned")]


def flights(bench: Any, count: int, hotter_c: float, seed: int) -> list[Any]:
    """A flight every four hours, a quarter of an hour of cruise; after the 45th each is hotter than the one before."""
    rng, readings = random.Random(seed), []
    for flight in range(count):
        level_ft, hot_c = rng.choice([34_000.0, 36_000.0]), rng.gauss(0, 2) + hotter_c * max(0, flight - 45)
        for minute in range(15):
            gs = 450.0 + rng.gauss(0, 8)
            channels = {
                "egt_c": 640.0 + hot_c + 0.0005 * (level_ft - 34_000) + rng.gauss(0, 1.5),
                "fuel_flow_kg_h": 2400.0 + 2.0 * (gs - 450.0) + rng.gauss(0, 12),
            }
            fields = {"lat_deg": 40.0, "lon_deg": minute / 10.0, "gs_kn": gs, "alt_baro_ft": level_ft, "on_ground": False}
            second = flight * 4 * 3600.0 + minute * 60.0
            readings.append(bench.plane(second, **fields, vertical_rate_fpm=0.0, channels=channels))
    return readings


@pytest.mark.parametrize("hotter_c", [0.0, 0.7])
def test_an_engine_that_runs_hotter_flight_by_flight_is_a_warning(bench: Any, hotter_c: float) -> None:
    episodes = bench.last(bench.run(flights(bench, 75, hotter_c, 1)), "performance_drift")
    assert [(one.evidence["period"], one.evidence["top"][0]["feature"]) for one in episodes] == [("flight", "egt_c")] * (
        hotter_c > 0
    )
