"""A trainset's figures through the API: the golden day, a car that changed trains at noon, and what cannot be said."""

from __future__ import annotations

import pytest

from fleet.instants import DAY_US, HOUR_US, to_datetime, to_rfc3339
from fleet.shards import shard_of
from fleet.use import Activity, Fact, UseDay
from store import registry
from store.pool import Connection, open_pool
from store.rows import StepBatch, UseRow
from tests.api.fix_world import NOON_US, Asking, World, commit
from tests.fleet.fix_vectors import vector

DAY = NOON_US // DAY_US * DAY_US
GOLDEN = vector("RL1")


async def install(conn: Connection, train: str, car: str, position: int, from_us: int | None, to_us: int | None) -> None:
    moments = [None if bound is None else to_datetime(bound) for bound in (from_us, to_us)]
    await conn.execute(
        "INSERT INTO installation (tenant, asset_id, parent_asset_id, position, valid)"
        " VALUES ('alpha', %s, %s, %s, tstzrange(%s, %s))",
        (car, train, str(position), *moments),
    )


def half(from_us: int, to_us: int, train_km: float) -> Activity:
    return Activity(from_us=from_us, to_us=to_us, state="running", method="train_use/1", figures={"train_km": train_km})


async def prepare(world: World) -> str:
    """A train of six cars; the golden day in two halves, and the day before, on which car 6 came at noon."""
    figures = {
        "train_km": GOLDEN["train_km"], "door_cycles": float(GOLDEN["door_cycles"]), "traction_kwh": GOLDEN["energy_kwh"],
        "compressor_on_s": float(GOLDEN["compressor_on_s"]), "chargeable_failures": 0.0,
    }  # fmt: skip
    pool = await open_pool(world.url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            particulars = {"door_leaves": GOLDEN["doors"]}
            train = await registry.register_asset(conn, "alpha", "trainset", "ET 1", "emu_6", [("local", "ET-1")], particulars)
            for position in range(1, GOLDEN["cars"] + 1):
                car = await registry.register_asset(
                    conn, "alpha", "car", f"Car {position}", None, [("local", f"C{position}")], {}
                )
                await install(conn, train, car, position, DAY - DAY_US // 2 if position == 6 else None, None)
            served_us = GOLDEN["in_service_s"] * 1_000_000
            before, noon = DAY - DAY_US, DAY - DAY_US // 2
            running = {DAY: {"running": served_us, "stabled": DAY_US - served_us}, before: {"running": DAY_US}}
            facts: list[Fact] = [
                UseDay(day_us=DAY, method="train_use/1", observed_us=DAY_US, sources={"device": DAY_US}, figures=figures,
                       states_us=running[DAY]),
                half(before, noon, 100.0), half(noon, DAY, 200.0),
                UseDay(day_us=before, method="train_use/1", states_us=running[before], figures={"train_km": 300.0}),
            ]  # fmt: skip
            rows = [
                UseRow(tenant="alpha", asset_id=train, shard=shard_of(train), asset="local:ET-1", fact=fact) for fact in facts
            ]
            await commit(conn, world, StepBatch(uses=rows), {shard_of(train)})
    finally:
        await pool.close()
    return train


async def test_the_figures_of_a_train_are_the_golden_ones_and_cars_have_their_time(ask: Asking, world: World) -> None:
    train = await prepare(world)
    path = f"/v1/assets/{train}/train-use"
    day = {"from": to_rfc3339(DAY), "to": to_rfc3339(DAY + DAY_US)}
    answer = await ask("viewer").get(path, params=day)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["car_km"] == pytest.approx(GOLDEN["car_km"], rel=1e-6)
    assert found["door_cycles_per_leaf"] == GOLDEN["cycles_per_door"]
    assert found["compressor_duty"] == pytest.approx(GOLDEN["duty"], rel=1e-6)
    assert found["kwh_per_car_km"] == pytest.approx(GOLDEN["kwh_per_car_km"], rel=1e-6)
    assert (found["mdbf_car_km"], found["mdbf_at_least_car_km"]) == (None, found["car_km"])
    assert found["reason"] == {"mdbf_car_km": "no_failures"}
    assert (found["coverage"], found["is_estimate"]) == (1.0, False)

    both = (await ask("viewer").get(path, params={**day, "from": to_rfc3339(DAY - DAY_US)})).json()
    by_car = {car["position"]: car["car_km"] for car in both["cars"]}
    assert by_car["1"] == pytest.approx(GOLDEN["train_km"] + 300.0)
    assert by_car["6"] == pytest.approx(GOLDEN["train_km"] + 200.0)  # what was run after noon, not half of the day
    assert both["is_estimate"] is True

    early = (
        await ask("viewer").get(path, params={"from": to_rfc3339(DAY - DAY_US), "to": to_rfc3339(DAY - 20 * HOUR_US)})
    ).json()
    assert early["train_km"] == pytest.approx(100.0 * 4 / 12)
    assert early["reason"]["energy_kwh"] == "not_reported"
    assert (await ask("viewer").get(f"/v1/assets/{world.ship}/train-use")).status_code == 404
    assert (await ask("lessee").get(path)).status_code == 403
