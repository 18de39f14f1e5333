"""What went wrong once between two batches, two clocks or two claims, and must not again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from detect.model import Listening
from fleet.instants import HOUR_US
from ingest.alerting import raise_alerts
from ingest.mqtt import BrokerAddress, Inbox
from ingest.pipeline import Pipeline
from ingest.ports import SystemClock
from ingest.wire import device_topic, feed_topic
from ingest.worker import Worker, WorkerConfig
from store import commits, counts, desk, registry, scenes
from store.pool import Connection
from store.rows import FindingRow
from store.transaction import PostgresStore, PostgresTransaction
from tests.fix_bench import FEED, SHIP, START_US, Bench, at, sailing


def onfeed(seconds: float, mmsi: str = "538001234", **fields: Any) -> dict[str, Any]:
    return {**sailing(seconds), "class": "vessel", "scheme": "mmsi", "value": mmsi, **fields}


async def gaps(bench: Bench) -> list[tuple[str, bool]]:
    rows = await bench.rows("SELECT evidence, retracted FROM finding WHERE superseded_by IS NULL AND rule = 'gap'")
    return [(row["evidence"]["verdict"], row["retracted"]) for row in rows]


async def test_neighbours_that_come_late_change_the_verdict_of_a_silence(bench: Bench) -> None:
    async with bench.pool.connection() as conn:
        await registry.set_feed(conn, "demo", "coast", "recording")
        for number in range(1, 4):
            await registry.register_asset(conn, "demo", "vessel", f"N{number}", None, [("mmsi", f"53800199{number}")])
    await bench.send((FEED, [onfeed(second) for second in (0, 600, 1200)]))
    await bench.send((FEED, [onfeed(8 * 3600, "538001991", lon_deg=90.0)]))
    assert await gaps(bench) == [("unknown", False)]
    near = [
        onfeed(second, f"53800199{number}", lat_deg=0.1, lon_deg=5.0 + number / 100)
        for second in range(0, 3 * 3600, 600)
        for number in (1, 2, 3)
    ]
    await bench.send((FEED, near))
    await bench.settle()
    assert ("dark", False) in await gaps(bench)


async def test_a_silence_found_before_a_restart_outlives_a_late_reading_before_it(bench: Bench) -> None:
    bench.listen()
    await bench.send((SHIP, [sailing(0), sailing(600)]))
    await bench.send(frontier_us=START_US + 8 * HOUR_US)
    assert len(await gaps(bench)) == 1
    await bench.send((SHIP, [sailing(300)]))
    await bench.restart()
    bench.listen()
    await bench.settle()
    assert [retracted for _, retracted in await gaps(bench)] == [False]


async def test_a_recordings_silence_outlives_a_restart_and_a_late_reading(bench: Bench) -> None:
    async with bench.pool.connection() as conn:
        await registry.set_feed(conn, "demo", "coast", "recording")
        await registry.register_asset(conn, "demo", "vessel", "Clock", None, [("mmsi", "538001999")])
    await bench.send((FEED, [onfeed(0), onfeed(600)]))
    await bench.send((FEED, [onfeed(8 * 3600, "538001999", lon_deg=90.0)]))
    await bench.send((FEED, [onfeed(300)]))
    await bench.restart()
    await bench.settle()
    assert [retracted for _, retracted in await gaps(bench)] == [False]


async def test_a_message_of_a_stranger_is_rejected_whole(bench: Bench) -> None:
    topic = device_topic("stranger", "vessel", "imo", "9074729")
    outcome = await bench.send((topic, [sailing(0), {"time": "x"}]))
    assert (outcome.received, outcome.rejected) == (1, 1)
    async with bench.pool.connection() as conn:
        assert all(balance.is_balanced for balance in await counts.reconcile(conn))


async def test_the_same_message_over_two_feeds_is_stored_twice_and_judged_once(bench: Bench) -> None:
    other = feed_topic("demo", "other")
    late = 0
    for second in (0, 60, 120):
        await bench.send((FEED, [onfeed(second)]))
        late += (await bench.send((other, [onfeed(second)]))).late
    assert late == 0
    assert await bench.rows("SELECT 1 FROM dirty") == []
    assert len(await bench.rows("SELECT 1 FROM reading_vessel")) == 6


@pytest.mark.timeout(240)  # two hundred and forty commits
async def test_wakes_take_no_more_room_than_there_are_assets(bench: Bench) -> None:
    for minute in range(0, 720, 3):
        await bench.send((SHIP, [at(minute * 60, lat_deg=1, lon_deg=1, sog_kn=0, nav_status=5)]))
    assert len(bench.pipeline.watch._heaps["live"]) <= 2


async def test_a_feed_of_the_operator_does_not_speak_for_a_tenants_feed_of_its_name(bench: Bench) -> None:
    bench.listen()
    await bench.send((FEED, [onfeed(0)]))
    bench.now_us = START_US + HOUR_US
    await bench.send((feed_topic("_", "coast", "status"), b"offline"))
    await bench.send(frontier_us=START_US + 8 * HOUR_US)
    assert await gaps(bench) == [("unknown", False)]


async def test_a_threshold_of_tomorrow_does_not_hold_today(bench: Bench) -> None:
    bench.listen()
    async with bench.pool.connection() as conn:
        await registry.change_setting(conn, "demo", "gap", "limit_min", 30, START_US + 1000 * HOUR_US)
    await bench.send((SHIP, [sailing(0)]))
    await bench.send((SHIP, [sailing(3600)]))
    assert await gaps(bench) == []


async def test_a_retraction_reaches_the_alert_that_holds_it_though_another_is_open(bench: Bench) -> None:
    asset = (await bench.rows("SELECT asset_id::text, shard FROM asset WHERE name = 'Anna'"))[0]

    def row(finding_id: str, opened_s: int, closed_s: int | None, *, retracted: bool = False) -> FindingRow:
        return FindingRow(
            finding_id=finding_id,
            tenant="demo",
            asset_id=asset["asset_id"],
            shard=asset["shard"],
            asset="imo:9074729",
            rule="gap",
            rule_version=1,
            severity="warning",
            subject=None,
            opened_us=START_US + opened_s * 1_000_000,
            closed_us=None if closed_s is None else START_US + closed_s * 1_000_000,
            detected_us=START_US + opened_s * 1_000_000,
            score=None,
            evidence={},
            retracted=retracted,
        )

    for one in (row("f1", 1, None), row("f1", 1, 20), row("f2", 30, None), row("f1", 1, 20, retracted=True)):
        async with bench.pool.connection() as conn:
            numbers = await commits.begin(conn, bench.pipeline.owned(), [asset["shard"]])
            await raise_alerts(PostgresTransaction(conn), [one], numbers, bench.now_us)
    alerts = await bench.rows("SELECT finding_ids, status FROM alert ORDER BY opened_at")
    assert [(alert["finding_ids"], alert["status"]) for alert in alerts] == [(["f1"], "retracted"), (["f2"], "open")]


async def test_a_commit_still_under_way_when_its_reply_was_lost_counts_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt's COMMIT reaches the server a second after we gave up on it."""
    real = bench.pool.connection
    finishing: list[asyncio.Task[None]] = []

    @contextlib.asynccontextmanager
    async def connection(*arguments: Any) -> AsyncIterator[Connection]:
        if finishing:
            async with real(*arguments) as conn:
                yield conn
            return
        conn = await bench.pool.getconn()
        yield conn

        async def finish() -> None:
            await asyncio.sleep(1.0)  # what the server takes; nothing is waited for here
            await conn.commit()
            await bench.pool.putconn(conn)

        finishing.append(asyncio.create_task(finish()))
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(bench.pool, "connection", connection)
    await bench.send((SHIP, [sailing(0), sailing(100)]))
    await asyncio.gather(*finishing)
    async with real() as conn:
        balances = await counts.reconcile(conn)
    assert sum(balance.received for balance in balances) == 2
    assert all(balance.is_balanced for balance in balances)


async def test_a_value_the_tables_refuse_costs_no_other_asset_its_silence(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.listen()
    await bench.send((SHIP, [sailing(0)]))
    refused = False

    async def refuse_once(transaction: PostgresTransaction, *arguments: Any) -> None:
        nonlocal refused
        if not refused:
            refused = True
            raise psycopg.DataError("refused")
        await scenes.write(transaction.conn, *arguments)

    monkeypatch.setattr(PostgresTransaction, "write_scenes", refuse_once)
    strangers = [(FEED, [onfeed(60, f"11111111{number}")]) for number in (1, 2)]
    await bench.send(*strangers, frontier_us=START_US + 7 * HOUR_US)
    assert refused
    assert await gaps(bench) == [("unknown", False)]


async def test_a_replay_of_what_is_rejected_again_ends(bench: Bench, database_url: str) -> None:
    config = WorkerConfig(database_url=database_url, broker=BrokerAddress(url="mqtt://127.0.0.1:1"))
    worker = Worker(config, PostgresStore(bench.pool), Inbox(config.broker), SystemClock())
    await worker.pipeline.start()
    assert isinstance(worker.pipeline, Pipeline)
    bench.pipeline = worker.pipeline
    await bench.send((device_topic("demo", "vessel", "imo", "7625811"), sailing(0)))
    async with bench.pool.connection() as conn:
        wanted = desk.ReplayRequest(reason="unregistered_identifier", rejection_ids=None, from_us=None, to_us=None)
        await conn.execute("RESET ROLE")
        await conn.execute("SELECT set_config('keelwing.tenant', 'demo', true), set_config('keelwing.party', '*', true)")
        await desk.request_rejection_replay(conn, wanted, "test")
        await conn.execute("SET ROLE keelwing_worker")
    await asyncio.wait_for(worker._take_up_replays(), 20)
    assert len(await bench.rows("SELECT 1 FROM rejection")) == 2


async def test_a_number_json_does_not_have_costs_its_own_field_only(bench: Bench) -> None:
    payload = b'[{"time": %d, "sog_kn": NaN, "channels": {"me_rpm": 1e999}}, {"time": %d, "sog_kn": 3}]'
    time_ms = START_US // 1000
    outcome = await bench.send((SHIP, payload % (time_ms, time_ms + 1000)))
    assert (outcome.stored, outcome.rejected) == (2, 0)
    rows = await bench.rows("SELECT sog_kn FROM reading_vessel ORDER BY time")
    assert [row["sog_kn"] for row in rows] == [None, 3.0]


async def test_a_first_reading_of_sixteen_years_ago_asks_for_few_ticks(bench: Bench) -> None:
    bench.pipeline.contexts.listen(Listening(((START_US, bench.now_us),)))
    await bench.send((SHIP, {"time": "2010-01-01T00:00:00Z", "lat_deg": 1, "lon_deg": 2, "sog_kn": 10}))
    await bench.send((SHIP, [sailing(3600)]))
    await bench.send(frontier_us=START_US + 2 * HOUR_US)
    assert len(await bench.rows("SELECT 1 FROM scene_context")) < 30
