"""The API's bench: its fleet, made by SQL, is what the store would have written; and its smallest run goes through."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
from psycopg.rows import dict_row

from bench.api import close_all, measure
from bench.api_fleet import Fleet, Size, load
from bench.report import Report, say
from fleet.asset_class import ASSET_CLASSES
from fleet.shards import shard_of
from store import batches, commits, readings, registry
from store.pool import Pool, open_pool
from store.rows import ReadingRow, StepBatch
from tests.fix_postgres import PostgresServer

SIZE = Size(assets=12, readings=300, days=3, findings=40, alerts=30)
TABLES = {
    "reading_hour": "hour", "reading_day": "day", "stream_latest": "time", "reading_hour_spread": "hour",
    "reading_vessel": "time", "reading_aircraft": "time",
}  # fmt: skip


async def as_the_store_writes_it(pool: Pool, from_pool: Pool, fleet: Fleet) -> None:
    """Read every reading back and write it through the store, in batches over all assets as a worker would."""
    rows: list[ReadingRow] = []
    async with from_pool.connection() as conn:
        for kind, assets in (("vessel", fleet.vessels), ("aircraft", fleet.aircraft)):
            for asset in assets:
                stored = await readings.of_asset(conn, asset, kind, 0, 4_000_000_000_000_000)
                rows += [
                    ReadingRow(stream_id=one.stream_id, shard=shard_of(asset), received_us=one.received_us, reading=one.reading)
                    for one in stored
                ]
        cursor = await conn.execute("SELECT tenant, origin, class, scheme, value FROM stream ORDER BY stream_id")
        streams = await cursor.fetchall()
    rows.sort(key=lambda row: row.reading.time_us)
    async with pool.connection() as conn:
        ownership = await commits.claim(conn, commits.ALL_SHARDS, "test")
        await registry.resolve_streams(conn, [tuple(row.values()) for row in streams])  # the same numbers again
    for first in range(0, len(rows), 700):
        batch = rows[first : first + 700]
        async with pool.connection() as conn:
            numbers = await commits.begin(conn, ownership, {row.shard for row in batch})
            assert len((await batches.write(conn, StepBatch(readings=batch), numbers)).readings) == len(batch)


def tables(url: str) -> dict[str, list[dict[str, Any]]]:
    """Everything of the tables but commit numbers, which follow how batches were cut, by what the air calls a stream."""
    found = {}
    with psycopg.connect(url, row_factory=dict_row) as conn:
        for table, time in TABLES.items():
            rows = conn.execute(
                f"SELECT stream.origin, stream.scheme, stream.value AS said, held.* FROM {table} AS held"
                f" JOIN stream USING (stream_id) ORDER BY stream.origin, stream.scheme, stream.value, held.{time}"
            ).fetchall()
            found[table] = [{name: each for name, each in row.items() if name not in {"commit_no", "stream_id"}} for row in rows]
    return found


async def test_the_fleet_is_what_the_store_would_have_written(database_url: str, second_database_url: str) -> None:
    fleet = await asyncio.to_thread(load, database_url, SIZE, say)
    from_pool = await open_pool(database_url, "keelwing_worker", 2)
    pool = await open_pool(second_database_url, "keelwing_worker", 2)
    try:
        await as_the_store_writes_it(pool, from_pool, fleet)
    finally:
        await from_pool.close()
        await pool.close()
    for url in (database_url, second_database_url):
        assert await asyncio.to_thread(close_all, url) > 0
    made, written = tables(database_url), tables(second_database_url)
    for table in TABLES:
        assert made[table] == written[table], table
    assert sum(len(made[f"reading_{name}"]) for name in ASSET_CLASSES if f"reading_{name}" in made) == SIZE.assets * SIZE.readings
    with psycopg.connect(database_url) as conn, psycopg.connect(second_database_url) as other:
        named = [one.execute("SELECT name, unit FROM channel ORDER BY name").fetchall() for one in (conn, other)]
    assert named[0] == named[1]


def test_the_smallest_run_asks_everything(postgres_server: PostgresServer, database_url: str) -> None:
    fleet = load(database_url, SIZE, say)
    close_all(database_url)
    report = Report("api", quick=True)
    embedded = postgres_server.embedded
    measure(report, fleet, database_url, 0 if embedded is None else embedded.pid or 0, requests=2)
    report.close()
    assert len(report.figures) == 16
    assert all(one.value > 0 for one in report.figures)
    assert all(one.beside["body_bytes"] > 100 for one in report.figures[1:])
