"""The obvious ingester, a reference: what one writes first with aiomqtt and psycopg. No detection, no promise.

aiomqtt's message iterator, `json.loads`, `executemany`, a commit for every 500 rows or 50 ms. The library acknowledges at
reception, so a crash loses what is not committed yet. A process of its own; its gauge says how many rows are committed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import psycopg
from psycopg.types.json import Jsonb

from bench.gauge import Gauge

COMMITTED, READY = range(2)
ROWS_MAX = 500
WAIT_S = 0.05
TABLE = """
CREATE TABLE IF NOT EXISTS reading (
    asset text NOT NULL, time timestamptz NOT NULL, lat_deg double precision, lon_deg double precision,
    speed_kn double precision, course_deg double precision, alt_ft double precision, nav_status integer, squawk text,
    channels jsonb
)
"""
INDEX = "CREATE INDEX IF NOT EXISTS reading_by_asset ON reading (asset, time)"
INSERT = (
    "INSERT INTO reading (asset, time, lat_deg, lon_deg, speed_kn, course_deg, alt_ft, nav_status, squawk, channels)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
Row = tuple[Any, ...]


def rows_of(topic: str, payload: bytes) -> list[Row]:
    """The rows of one message."""
    body = json.loads(payload)
    if isinstance(body, list):
        return [_row(f"{element['scheme']}:{element['value']}", element) for element in body]
    parts = topic.split("/")
    return [_row(f"{parts[4]}:{parts[5]}", body)]


def _row(asset: str, element: dict[str, Any]) -> Row:
    channels = element.get("channels")
    return (
        asset,
        datetime.fromtimestamp(element["time"] / 1000, UTC),
        element.get("lat_deg"),
        element.get("lon_deg"),
        element.get("sog_kn", element.get("gs_kn")),
        element.get("cog_deg", element.get("track_deg")),
        element.get("alt_baro_ft"),
        element.get("nav_status"),
        element.get("squawk"),
        None if channels is None else Jsonb(channels),
    )


class Ingester:
    """Rows that wait for their commit."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], gauge: Gauge) -> None:
        self._connection = connection
        self._gauge = gauge
        self._rows: list[Row] = []
        self._since_s = 0.0
        self._committing = asyncio.Lock()

    async def take(self, topic: str, payload: bytes) -> None:
        """Take one message's rows; commit when there are enough or the first has waited long enough."""
        if not self._rows:
            self._since_s = time.monotonic()
        self._rows += rows_of(topic, payload)
        if len(self._rows) >= ROWS_MAX or time.monotonic() - self._since_s >= WAIT_S:
            await self.commit()

    async def commit(self) -> None:
        """Insert and commit what waits."""
        async with self._committing:
            rows, self._rows = self._rows, []
            if rows:
                async with self._connection.transaction(), self._connection.cursor() as cursor:
                    await cursor.executemany(INSERT, rows)
                self._gauge[COMMITTED] += len(rows)

    async def commit_leftovers(self) -> None:
        """What is left when messages stop coming is committed too."""
        while True:
            await asyncio.sleep(WAIT_S)
            if self._rows and time.monotonic() - self._since_s >= WAIT_S:
                await self.commit()


async def run(url: str, port: int, topic_filter: str, gauge: Gauge) -> None:
    """Ingest until cancelled."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(TABLE)
        await connection.execute(INDEX)
        ingester = Ingester(connection, gauge)
        async with aiomqtt.Client("127.0.0.1", port, identifier="bench-obvious", clean_session=False) as client:
            await client.subscribe(topic_filter, qos=1)
            gauge[READY] = 1
            leftovers = asyncio.create_task(ingester.commit_leftovers())
            try:
                async for message in client.messages:
                    await ingester.take(str(message.topic), bytes(message.payload))
            finally:
                leftovers.cancel()


def main() -> None:
    """Ingest until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--filter", required=True)
    parser.add_argument("--gauge", type=Path, required=True)
    given = parser.parse_args()

    async def until_stopped() -> None:
        working = asyncio.create_task(run(given.database, given.port, given.filter, Gauge(given.gauge)))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
        await asyncio.gather(working, return_exceptions=False)

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(until_stopped())


if __name__ == "__main__":
    main()
