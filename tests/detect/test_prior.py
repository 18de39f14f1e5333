"""What sister ships teach a cold one, in whatever order they speak."""

from __future__ import annotations

import random
from typing import Any

import pytest

from detect import prior
from detect.state import Contribution, WarmingUp
from detect.step import initial_state
from fleet.instants import HOUR_US

HOUR = 3600.0


def sail(
    bench: Any, hours: float, offset_c: float, seed: int, from_hour: float = 0.0, spike_at: float | None = None
) -> list[Any]:
    rng, readings = random.Random(seed), []
    for minute in range(round(hours * 60)):
        second = from_hour * HOUR + minute * 60.0
        speed = 13.0 + rng.gauss(0, 0.4)
        temp_c = 200 + offset_c + 150 * (speed / 14) ** 3 + rng.gauss(0, 2)
        if spike_at is not None and second >= spike_at:
            temp_c += 120
        readings.append(bench.ship(second, sog_kn=speed, draught_m=11.0, channels={"me_exhaust_temp_c": temp_c}))
    return readings


def fleet_contributions(bench: Any, ships: int = 6) -> list[Contribution]:
    given: list[Contribution] = []
    for ship in range(ships):
        state = initial_state(f"ship-{ship}", "vessel")
        for reading in sail(bench, 4.1, offset_c=(ship - 2.5) * 4, seed=ship):
            bench.run([reading], state=state)
            given.extend(state.take_contributions())
    return given


def test_an_asset_gives_what_it_has_learned_at_each_hour_once(bench: Any) -> None:
    given = fleet_contributions(bench, ships=1)
    assert [entry.hour_us for entry in given] == [bench.start_us + hour * HOUR_US for hour in (1, 2, 3)]
    assert all(set(entry.channels) == {"me_exhaust_temp_c"} for entry in given)


def test_any_order_gives_the_same_prior_to_the_bit(bench: Any) -> None:
    given = fleet_contributions(bench)
    packed = []
    for seed in range(5):
        random.Random(seed).shuffle(given)
        merged = prior.merge(given)
        assert merged is not None
        packed.append(merged.to_bytes())
    assert len(set(packed)) == 1
    assert prior.from_bytes(packed[0]) == merged


def test_two_assets_are_no_fleet(bench: Any) -> None:
    assert prior.merge(fleet_contributions(bench, ships=2)) is None
    assert prior.merge([]) is None


def test_a_prior_of_another_version_is_none(bench: Any) -> None:
    merged = prior.merge(fleet_contributions(bench, ships=3))
    assert merged is not None
    assert prior.from_bytes(merged.to_bytes().replace(b"\xa7version\x01", b"\xa7version\x63")) is None


def test_a_cold_ship_with_a_prior_is_judged_after_minutes_and_without_warms_up(bench: Any, surroundings: Any) -> None:
    merged = prior.merge(fleet_contributions(bench))
    readings = sail(bench, 0.4, offset_c=5.0, seed=99, from_hour=30.0, spike_at=30 * HOUR + 1000)
    alone, told = bench.state(), bench.state()
    assert bench.run(readings, state=alone) == []
    assert isinstance(alone.warm_up()["channel_anomaly", "me_exhaust_temp_c"], WarmingUp)
    (finding,) = bench.run(readings, state=told, around=surroundings(prior=merged))
    assert (finding.rule, finding.evidence["from_prior"]) == ("channel_anomaly", True)
    assert ("channel_anomaly", "me_exhaust_temp_c") not in told.warm_up()


@pytest.mark.parametrize("seed", range(5))
def test_a_healthy_cold_sister_does_not_alarm(bench: Any, surroundings: Any, seed: int) -> None:
    merged = prior.merge(fleet_contributions(bench))
    readings = sail(bench, 6, offset_c=(seed - 2) * 5.0, seed=50 + seed, from_hour=30.0)
    findings = bench.run(readings, around=surroundings(prior=merged))
    assert [finding for finding in findings if finding.severity != "info"] == []
