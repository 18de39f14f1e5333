"""Hours that are over get closed beside the worker's loop, without anybody asking."""

import asyncio
import time

from fleet.instants import HOUR_US
from fleet.vessel import VesselReading
from ingest.closing import close_hours
from store import commits, readings, registry
from store.pool import open_pool
from store.rows import ReadingRow

DEADLINE_S = 20.0
KEY = ("demo", "device", "vessel", "imo", "9074729")


async def test_an_hour_that_is_over_is_closed(database_url: str) -> None:
    pool = await open_pool(database_url, "keelwing_worker", 2)
    at_us = time.time_ns() // 1000 - 3 * HOUR_US
    said = VesselReading(scheme="imo", value="9074729", time_us=at_us, seq=1, sog_kn=12.0)
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        stream_id = (await registry.resolve_streams(conn, [KEY]))[KEY]
        numbers = await commits.begin(conn, await commits.claim(conn, commits.ALL_SHARDS, "test"), {0})
        await readings.insert(conn, [ReadingRow(stream_id=stream_id, shard=0, received_us=at_us, reading=said)], numbers)
        await conn.execute("UPDATE hour_pending SET marked_at = now() - interval '1 hour'")
    closing = asyncio.create_task(close_hours(pool))
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                async with pool.connection() as conn:
                    rows = await (await conn.execute("SELECT count, fields FROM reading_hour_spread")).fetchall()
                if rows:
                    break
                await asyncio.sleep(0.02)
    finally:
        closing.cancel()
        await asyncio.wait((closing,))
        await pool.close()

    assert [(row["count"], row["fields"]["sog_kn"]) for row in rows] == [(1, [1, 12, 12, 12])]
