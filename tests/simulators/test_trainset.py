"""Simulated trains: a day in service and a night in the yard, and what they count is what they ran."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from simulators.element import unix_us
from simulators.scenario import ScenarioError, TrainsetPlan, load_scenario
from simulators.trainset import LINES, Trainset
from simulators.world import World

DAY = datetime(2026, 5, 4, tzinfo=UTC)
DAY_US = unix_us(DAY)
TRAIN = Trainset(TrainsetPlan(tenant="demo", name="ET 4711", type="emu_6", line="S1"), seed=7, start_us=DAY_US)


def day_of(train: Trainset, every_s: int = 30) -> list[dict[str, Any]]:
    return [train.reading(DAY_US + second * 1_000_000) for second in range(0, 86_401, every_s)]


def test_nothing_that_is_counted_ever_falls_and_nothing_is_counted_at_night() -> None:
    readings = day_of(TRAIN)
    for before, after in pairwise(readings):
        assert after["odometer_km"] >= before["odometer_km"]
        assert all(after["channels"][name] >= before["channels"][name] for name in ("door_cycles", "traction_kwh", "aux_kwh"))
    night = readings[: 4 * 120]
    assert {one["odometer_km"] for one in night} == {readings[0]["odometer_km"]}
    assert {one["channels"]["compressor_on"] for one in night} == {0.0}


def test_the_odometer_is_the_integral_of_the_speed() -> None:
    readings = day_of(TRAIN, 10)
    ran_km = sum((a["speed_kmh"] + b["speed_kmh"]) / 2 * 10 / 3600 for a, b in pairwise(readings))
    assert readings[-1]["odometer_km"] - readings[0]["odometer_km"] == pytest.approx(ran_km, rel=0.01)
    assert ran_km > 500


def test_it_stops_at_every_station_of_its_line_and_names_it() -> None:
    assert {one["station"] for one in day_of(TRAIN) if "station" in one} == {name for name, _, _ in LINES["S1"]}


def test_a_world_of_trains_says_the_same_twice_and_an_unknown_line_is_refused() -> None:
    scenario = load_scenario("rail")
    span = (DAY + timedelta(hours=6), DAY + timedelta(hours=6, minutes=5))
    one, other = (list(World(scenario, seed=1, start=DAY).elements(*span)) for _ in range(2))
    assert one == other
    assert {element.asset_class for element in one} == {"trainset"}
    bad = TrainsetPlan(tenant="demo", name="X", type="emu_6", line="nowhere")
    with pytest.raises(ScenarioError, match="nowhere"):
        World(type(scenario)(name="bad", seed=1, tenants=["demo"], trainsets=[bad]), seed=1, start=DAY)
