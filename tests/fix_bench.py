"""Fixture: a pipeline on a database of its own, driven without a broker, with a clock that the test sets."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from detect.model import Listening
from fleet.instants import HOUR_US, SECOND_US
from ingest.decode import decode
from ingest.pipeline import Outcome, Pipeline, PipelineConfig
from ingest.rederive import rederive_due
from ingest.routing import Message
from ingest.wire import device_topic, encode_json, feed_topic
from store import registry
from store.pool import Pool, open_pool
from store.transaction import PostgresStore

START_US = 1_795_330_800_000_000  # 2026-11-22T07:00:00Z
SHIP = device_topic("demo", "vessel", "imo", "9074729")
PLANE = device_topic("demo", "aircraft", "icao24", "3c6444")
FEED = feed_topic("demo", "coast")


class Bench:
    """A pipeline and the words to say to it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.now_us = START_US + 20 * HOUR_US
        self.pipeline = Pipeline(PostgresStore(pool), PipelineConfig(retry_s_max=20), self)

    def wall_us(self) -> int:
        """The pipeline's wall clock: what the test says."""
        return self.now_us

    def monotonic_s(self) -> float:
        """The pipeline's other clock: the machine's."""
        return time.monotonic()

    async def restart(self) -> None:
        """A new pipeline takes over; the old one said no goodbye."""
        self.pipeline = Pipeline(PostgresStore(self.pool), PipelineConfig(retry_s_max=20), self)
        await self.pipeline.start()

    def listen(self) -> None:
        """We listened all the while."""
        self.pipeline.contexts.listen(Listening(((0, self.now_us),)))

    async def send(self, *sent: tuple[str, Any], frontier_us: int | None = None) -> Outcome:
        messages = []
        for topic, body in sent:
            payload = body if isinstance(body, bytes) else encode_json(body)
            messages.append(Message(topic, decode(topic, payload, self.now_us), self.now_us))
        return await self.pipeline.process(messages, frontier_us)

    async def settle(self) -> int:
        """Derive again until nothing is dirty; how many assets were."""
        count = 0
        while (done := await rederive_due(self.pipeline, 0)) or self.pipeline.derivations:
            count += len(done)
        return count

    async def rows(self, query: str, *binds: Any) -> list[dict[str, Any]]:
        async with self.pool.connection() as conn:
            return await (await conn.execute(query, binds)).fetchall()


@asynccontextmanager
async def bench_on(database_url: str) -> AsyncIterator[Bench]:
    """A pipeline on a database, with a ship and an aircraft registered."""
    pool = await open_pool(database_url, "keelwing_worker", 4)
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        await registry.register_asset(conn, "demo", "vessel", "Anna", None, [("imo", "9074729"), ("mmsi", "538001234")])
        await registry.register_asset(conn, "demo", "aircraft", "D-ABCD", None, [("icao24", "3c6444")])
    bench = Bench(pool)
    await bench.pipeline.start()
    try:
        yield bench
    finally:
        await pool.close()


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    async with bench_on(database_url) as bench:
        yield bench


def at(seconds: float, **fields: Any) -> dict[str, Any]:
    return {"time": (START_US + int(seconds * SECOND_US)) // 1000, **fields}


def sailing(seconds: float, **fields: Any) -> dict[str, Any]:
    """A ship at 12 kn due north from the equator."""
    return at(seconds, lat_deg=seconds * 12 / 3600 / 60, lon_deg=5.0, sog_kn=12.0, cog_deg=0.0, nav_status=0, **fields)
