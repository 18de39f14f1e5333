"""A feed falls silent for five hours while we listen: one alert of the feed, none of its assets, and what its return changes."""

from __future__ import annotations

import asyncio
from typing import Any

from fleet.instants import HOUR_US, MINUTE_US
from ingest import feed_watch
from ingest.feed_watch import look
from ingest.wire import feed_topic
from store import listening, registry
from tests.fix_bench import FEED, START_US, Bench

SHIPS = [f"53800100{number}" for number in range(6)]


def ships(minute: float, mmsis: list[str] = SHIPS) -> list[dict[str, Any]]:
    return [
        {
            "class": "vessel", "scheme": "mmsi", "value": mmsi, "time": (START_US + round(minute * MINUTE_US)) // 1000,
            "lat_deg": 50.0 + number / 50, "lon_deg": minute / 600, "sog_kn": 6.0, "cog_deg": 90.0, "nav_status": 0,
        }
        for number, mmsi in enumerate(mmsis)
    ]  # fmt: skip


def plane(minute: float) -> dict[str, Any]:
    return {
        "class": "aircraft", "scheme": "icao24", "value": "3c6444", "time": (START_US + round(minute * MINUTE_US)) // 1000,
        "lat_deg": 50.0, "lon_deg": minute / 60, "gs_kn": 400.0, "track_deg": 90.0, "alt_baro_ft": 36000, "on_ground": False,
    }  # fmt: skip


async def fleet(bench: Bench) -> None:
    async with bench.pool.connection() as conn:
        for mmsi in SHIPS:
            await registry.register_asset(conn, "demo", "vessel", mmsi, None, [("mmsi", mmsi)])


async def on_air(bench: Bench, topic: str = FEED, minutes: range = range(0, 61, 5), mmsis: list[str] = SHIPS) -> None:
    for minute in minutes:
        bench.now_us = START_US + minute * MINUTE_US
        await bench.send((topic, [*ships(minute, mmsis), plane(minute)]))


async def pass_time(bench: Bench, minutes: range, *, heard: bool = True) -> int:
    """Minutes in which nothing comes: pings are answered (or not), ticks fire, feeds are looked at; the alerts opened."""
    opened = 0
    for minute in minutes:
        bench.now_us = START_US + minute * MINUTE_US
        if heard:
            async with bench.pool.connection() as conn:
                await listening.extend(conn, "_", "device", START_US, bench.now_us, HOUR_US)
            bench.listen()
            await bench.send(frontier_us=bench.now_us)
        opened += sum((await look(bench.pool, bench.now_us)).values())
    return opened


async def current(bench: Bench, rule: str) -> list[dict[str, Any]]:
    return await bench.rows(
        "SELECT asset, severity, opened_at, closed_at, evidence FROM finding WHERE superseded_by IS NULL AND rule = %s"
        " ORDER BY opened_at, asset",
        rule,
    )


async def test_a_feed_silent_for_five_hours_is_one_alert_and_none_of_its_assets(bench: Bench) -> None:
    await fleet(bench)
    await on_air(bench)
    assert await pass_time(bench, range(60, 70)) == 0
    assert await pass_time(bench, range(70, 361, 10)) == 1
    (silent,) = await current(bench, "feed_silent")
    assert (silent["asset"], silent["severity"], silent["closed_at"]) == ("feed:coast", "warning", None)
    assert silent["opened_at"] == START_US + HOUR_US
    held = {"assets_heard": 7, "listened_min": 10.0, "gaps_held": 1, "last_reading_at": "2026-11-22T08:00:00Z"}
    assert held.items() <= silent["evidence"].items()
    gaps = await current(bench, "gap")
    assert [(gap["asset"], gap["severity"], gap["evidence"]["verdict"]) for gap in gaps] == [
        ("icao24:3c6444", "info", "feed_down")
    ]

    for minute in range(361, 420, 9):  # one ship does not come back with the others
        await on_air(bench, minutes=range(minute, minute + 1), mmsis=SHIPS[:5])
        assert await pass_time(bench, range(minute + 1, minute + 2)) == 0
    (over,) = await current(bench, "feed_silent")
    assert over["closed_at"] == START_US + 361 * MINUTE_US
    assert over["evidence"]["silent_h"] == 5.02
    alerts = await bench.rows("SELECT rule, asset, asset_id, status FROM alert ORDER BY opened_at")
    assert alerts == [{"rule": "feed_silent", "asset": "feed:coast", "asset_id": None, "status": "resolved"}]
    assert {gap["severity"] for gap in await current(bench, "gap")} == {"info"}
    events = await bench.rows("SELECT type, subject FROM outbox ORDER BY time")
    assert [event["type"] for event in events] == ["keelwing.feed.silent.v1", "keelwing.feed.recovered.v1"]
    assert {event["subject"] for event in events} == {"feed:coast"}


async def test_a_worker_that_does_not_listen_concludes_nothing(bench: Bench) -> None:
    await fleet(bench)
    await on_air(bench)
    assert await pass_time(bench, range(60, 61)) == 0
    assert await pass_time(bench, range(61, 200, 30), heard=False) == 0


async def test_an_operators_feed_is_told_to_those_it_is_granted_to_and_a_recording_to_nobody(bench: Bench) -> None:
    await fleet(bench)
    async with bench.pool.connection() as conn:
        await registry.create_tenant(conn, "other", "Other")
        await registry.set_feed(conn, "_", "world", "live")
        await registry.grant_feed(conn, "world", "demo", None, None)
        await registry.set_feed(conn, "demo", "coast", "recording")
    await on_air(bench, feed_topic("_", "world"))
    await on_air(bench)
    await bench.send((feed_topic("_", "world", "status"), b"offline"))
    assert await pass_time(bench, range(61, 90, 5)) == 1
    rows = await bench.rows("SELECT tenant, asset, evidence FROM finding WHERE rule = 'feed_silent' AND superseded_by IS NULL")
    assert [(row["tenant"], row["asset"], row["evidence"]["because"]) for row in rows] == [("demo", "feed:world", "offline")]


async def test_a_look_that_fails_is_counted_and_looked_at_again(bench: Bench, monkeypatch: Any) -> None:
    looks: list[int] = []
    done = asyncio.Event()

    async def fails_once(_pool: Any, at_us: int) -> dict[str, int]:
        looks.append(at_us)
        if len(looks) == 1:
            raise ValueError("odd")
        done.set()
        return {"warning": 1}

    told: list[Any] = []
    failed: list[None] = []
    monkeypatch.setattr(feed_watch, "look", fails_once)
    monkeypatch.setattr(feed_watch, "LOOK_EVERY_S", 0.0)
    watching = asyncio.create_task(
        feed_watch.watch_feeds(bench.pool, told.append, lambda: failed.append(None), lambda: START_US + 90_000_000)
    )
    await asyncio.wait_for(done.wait(), 10)
    watching.cancel()
    assert looks == [START_US + MINUTE_US] * 2
    assert told == [{"warning": 1}]
    assert len(failed) == 1
