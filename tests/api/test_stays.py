"""Stays through the API: calls and still states, what lasts, what a lessee sees, and what was known before."""

from __future__ import annotations

from datetime import UTC, datetime

from fleet.instants import HOUR_US, from_datetime, to_rfc3339
from fleet.shards import shard_of
from fleet.use import Activity, Journey
from store.pool import open_pool
from store.rows import StepBatch, UseRow, UseTailRow
from tests.api.fix_world import NOON_US, Asking, World, commit


def call(world: World, confidence: int, from_h: int, to_h: int | None) -> UseRow:
    fact = Journey(
        kind="port_call", started_us=NOON_US + from_h * HOUR_US, ended_us=None if to_h is None else NOON_US + to_h * HOUR_US,
        from_place="NLRTM", to_place="NLRTM", quality="observed", confidence=confidence, method="vessel_use/1", coverage=1.0,
        observed_us=HOUR_US, sources={"device": HOUR_US},
    )  # fmt: skip
    return UseRow(tenant="alpha", asset_id=world.ship, shard=shard_of(world.ship), asset="imo:9074729", fact=fact)


def moored(from_h: float, to_h: float, state: str = "moored") -> Activity:
    span_us = round((to_h - from_h) * HOUR_US)
    return Activity(
        from_us=NOON_US + round(from_h * HOUR_US), to_us=NOON_US + round(to_h * HOUR_US), state=state, method="vessel_use/1",
        place="NLRTM", observed_us=span_us // 2, sources={"device": span_us // 2},
    )  # fmt: skip


async def test_stays_are_calls_and_still_stretches_put_together(ask: Asking, world: World) -> None:
    facts = [moored(-1, 0), moored(0, 1), moored(1, 2, "at_sea"), moored(12, 13)]
    rows = [call(world, 4, -2, 1), call(world, 1, 3, 4)]
    rows += [
        UseRow(tenant="alpha", asset_id=world.ship, shard=shard_of(world.ship), asset="imo:9074729", fact=fact) for fact in facts
    ]
    tail = UseTailRow(tenant="alpha", asset_id=world.ship, shard=shard_of(world.ship), activity=moored(13, 15))
    before = to_rfc3339(from_datetime(datetime.now(UTC)))
    pool = await open_pool(world.url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            await commit(conn, world, StepBatch(uses=rows, use_tails=[tail]), {shard_of(world.ship)})
    finally:
        await pool.close()
    path = f"/v1/assets/{world.ship}/stays"
    answer = await ask("viewer").get(path)
    assert answer.status_code == 200, answer.text
    found = answer.json()["items"]
    assert [(one["kind"], one["duration_h"], one["ended_at"] is None) for one in found] == [
        ("port_call", 3.0, False), ("moored", 2.0, False), ("moored", 3.0, True),
    ]  # fmt: skip
    assert (found[1]["coverage"], found[1]["is_estimate"]) == (0.5, True)
    assert found[2]["reason"] == {"ended_at": "nothing_known_after", "confidence": "not_a_call", "quality": "not_a_call"}
    assert [one["kind"] for one in (await ask("viewer").get(path, params={"min_confidence": "1"})).json()["items"]].count(
        "port_call"
    ) == 2
    assert len((await ask("viewer").get(path, params={"kind": "moored", "min_duration": "PT3H"})).json()["items"]) == 1
    assert (await ask("viewer").get(path, params={"known_at": before})).json()["items"] == []
    one = (await ask("viewer").get(path, params={"limit": "1"})).json()
    two = (await ask("viewer").get(path, params={"limit": "1", "cursor": one["next_cursor"]})).json()
    assert [one["items"][0], two["items"][0]] == found[:2]
    inside = (await ask("lessee").get(path)).json()["items"]
    assert [(one["kind"], one["started_at"]) for one in inside] == [(one["kind"], one["started_at"]) for one in found[:2]]
    assert (await ask("beta").get(path)).status_code == 404
    bad = await ask("viewer").get(path, params={"kind": "hovering"})
    assert bad.status_code == 422
