"""A round says the same as the readings that devices send, all at once."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from pyproj import Geod

from simulators.element import unix_us
from simulators.scenario import load_scenario
from simulators.world import World

START = datetime(2026, 11, 1, tzinfo=UTC)
GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def world() -> World:
    return World(load_scenario("small"), seed=3, start=START)


def things(world: World) -> dict[str, object]:
    return {thing.asset.plan: thing for thing in world._things}


def test_a_round_lies_on_the_readings(world: World) -> None:
    since_s = np.linspace(-900 * 86400.0, 3 * 86400.0, 60)
    for plan, round_ in world.rounds().items():
        thing = things(world)[plan]
        looks = round_.look(since_s)
        for n, second in enumerate(since_s):
            said = thing.reading(unix_us(START) + round(float(second) * 1e6))  # type: ignore[attr-defined]
            _, _, metres = GEOD.inv(said["lon_deg"], said["lat_deg"], looks.lon_deg[n], looks.lat_deg[n])
            assert metres < 3_000, (plan, second)


def test_own_time_and_time_are_each_others_inverse(world: World) -> None:
    for round_ in world.rounds().values():
        since_s = np.linspace(-3.0e8, 1.0e6, 200)
        assert np.allclose(round_.since_s(round_.own_s(since_s)), since_s, atol=1e-3)


def test_hops_follow_one_another_round(world: World) -> None:
    for round_ in world.rounds().values():
        assert all(a.arrives_s < b.leaves_s for a, b in zip(round_.hops, round_.hops[1:], strict=False))
        assert [hop.destination for hop in round_.hops] == [hop.origin for hop in (*round_.hops[1:], round_.hops[0])]
        assert round_.phases[0].begin_s == 0.0
        assert abs(round_.phases[-1].end_s - round_.length_s) < 1e-6
