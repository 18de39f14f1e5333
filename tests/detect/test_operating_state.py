"""When a model may judge at all: steady work only, and the world and the helm with more patience."""

from __future__ import annotations

import random
from typing import Any

import pytest

HOUR = 3600.0


def flight(bench: Any, second: float, rng: random.Random, channels: dict[str, float], **more: Any) -> Any:
    fields = {"on_ground": False, "gs_kn": 450 + rng.gauss(0, 2), "alt_baro_ft": 36_000.0, "vertical_rate_fpm": 0.0, **more}
    return bench.plane(second, channels=channels, **fields)


def cruise(bench: Any, minutes: int, rng: random.Random) -> list[Any]:
    return [flight(bench, minute * 60, rng, {"egt_c": 600 + rng.gauss(0, 2)}) for minute in range(minutes)]


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"on_ground": True, "gs_kn": 0.0, "alt_baro_ft": None},
        {"vertical_rate_fpm": 2000.0, "alt_baro_ft": 20_000.0},
        {"vertical_rate_fpm": -2000.0, "alt_baro_ft": 20_000.0},
    ],
)
def test_an_engine_is_not_judged_on_the_ground_or_in_climb_or_descent(bench: Any, elsewhere: dict[str, Any]) -> None:
    rng = random.Random(1)
    flights = cruise(bench, 90, rng)
    flights += [flight(bench, (90 + minute) * 60, rng, {"egt_c": 100.0}, **elsewhere) for minute in range(40)]
    assert bench.run(flights) == []


def test_the_same_reading_in_cruise_is_an_anomaly(bench: Any) -> None:
    rng = random.Random(1)
    flights = [*cruise(bench, 90, rng), *(flight(bench, (90 + minute) * 60, rng, {"egt_c": 700.0}) for minute in range(3))]
    assert [finding.subject for finding in bench.run(flights)] == ["egt_c"]


def test_a_vertical_rate_that_is_not_reported_is_measured(bench: Any) -> None:
    state = bench.state("aircraft")
    climb = [
        bench.plane(s, on_ground=False, gs_kn=300.0, alt_baro_ft=round((5_000 + s * 30) / 25) * 25) for s in range(0, 120, 5)
    ]
    bench.run(climb, state=state)
    assert state.seen is not None
    assert state.seen.vertical_rate_fpm == pytest.approx(1800, abs=150)


@pytest.mark.parametrize(("channel", "found"), [("seawater_temp_c", False), ("lube_oil_temp_c", True)])
def test_the_world_must_be_three_times_as_far_off(bench: Any, channel: str, found: bool) -> None:
    rng = random.Random(2)
    track = [
        bench.ship(minute * 60, sog_kn=13.0, channels={channel: 15 + rng.gauss(0, 0.2) + (2.4 if minute >= 90 else 0.0)})
        for minute in range(94)
    ]
    assert bool(bench.run(track)) is found


@pytest.mark.parametrize(
    ("channel", "minutes", "found"), [("rudder_deg", 5, False), ("rudder_deg", 13, True), ("valve_pct", 5, True)]
)
def test_how_an_asset_is_steered_may_be_off_for_ten_minutes(bench: Any, channel: str, minutes: int, found: bool) -> None:
    rng = random.Random(3)
    track = [
        bench.ship(
            minute * 60, sog_kn=13.0, channels={channel: rng.gauss(0, 0.5) + (20.0 if 90 <= minute < 90 + minutes else 0.0)}
        )
        for minute in range(110)
    ]
    assert bool(bench.run(track)) is found
