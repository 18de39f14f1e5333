"""Several step processes end with what one pipeline ends with, and none of them outlives or outruns the others."""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fleet.shards import shard_of
from ingest.crew import Crew, StepProcessEndedError
from ingest.decode import decode
from ingest.parcels import split, unpacked
from ingest.pipeline import PipelineConfig
from ingest.registering import roster_of
from ingest.roster import Roster
from ingest.routing import Message, route
from ingest.step_process import StepConfig
from ingest.wire import device_topic, encode_json, feed_topic
from store import commits, registry
from store.pool import open_pool
from store.transaction import PostgresStore
from tests.ingest.test_any_order import (
    FEED,
    NOW_US,
    QUERIES,
    SHIPS,
    Reading,
    Standing,
    delayed,
    doubled,
    final_form,
    in_batches,
    recording,
)

PROCESSES = 2
BOOKS = (
    "SELECT sum(received)::int AS received, sum(stored + duplicate + rejected + traffic)::int AS accounted,"
    " sum(stored)::int AS stored, sum(rejected)::int AS rejected, sum(traffic)::int AS traffic FROM ingest_count"
)


def spawn(end: socket.socket) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "keelwing.cli", "step-process", str(end.fileno())]
    return subprocess.Popen(command, pass_fds=(end.fileno(),))


class Ship:
    """A crew on a database with five ships, and the words to say to it."""

    def __init__(self, crew: Crew, store: PostgresStore) -> None:
        self.crew = crew
        self.store = store

    async def send(self, *sent: tuple[str, Any], drain: bool = False) -> Any:
        messages = []
        for topic, body in sent:
            payload = body if isinstance(body, bytes) else encode_json(body)
            messages.append(Message(topic, decode(topic, payload, NOW_US), NOW_US))
        return await self.crew.process(messages, drain=drain)

    async def rows(self, query: str) -> list[dict[str, Any]]:
        async with self.store.transaction() as tx:
            return await (await tx.conn.execute(query)).fetchall()

    async def until_nothing_is_dirty(self) -> None:
        """The processes derive again by themselves."""
        deadline_s = time.monotonic() + 60
        while (await self.rows("SELECT count(*) AS count FROM dirty"))[0]["count"] or self.crew.has_due(None):
            assert time.monotonic() < deadline_s, "still dirty"
            await self.send()


@asynccontextmanager
async def ship_of(database_url: str, processes: int = PROCESSES) -> AsyncIterator[Ship]:
    pool = await open_pool(database_url, "keelwing_worker", 4)
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        await registry.set_feed(conn, "demo", "coast", "recording")
        for number in range(SHIPS):
            await registry.register_asset(conn, "demo", "vessel", f"Ship {number}", None, [("mmsi", f"53800123{number}")])
    store = PostgresStore(pool)
    config = StepConfig(database_url=database_url, pipeline=PipelineConfig(retry_s_max=30), rederive_quiet_us=0)
    crew = Crew(store, config, Standing(), processes, spawn)
    try:
        await crew.start()
        yield Ship(crew, store)
    finally:
        await crew.end()
        await pool.close()


async def crew_form(database_url: str, batches: Sequence[Sequence[Reading]]) -> dict[str, list[Any]]:
    """What a database holds after a crew was given these batches."""
    async with ship_of(database_url) as ship:
        for batch in batches:
            await ship.send((FEED, list(batch)))
        await ship.until_nothing_is_dirty()
        await ship.send(drain=True)
        return {name: await ship.rows(query) for name, query in QUERIES.items()}


def ordered(readings: list[Reading], _: random.Random) -> list[list[Reading]]:
    return in_batches(readings, 150)


@pytest.mark.parametrize("order", [ordered, doubled, delayed])
async def test_a_crew_ends_like_one_pipeline(
    database_url: str, second_database_url: str, order: Callable[[list[Reading], random.Random], list[list[Reading]]]
) -> None:
    readings = recording(7)
    alone = await final_form(database_url, in_batches(readings, 100))
    together = await crew_form(second_database_url, order(readings, random.Random(5)))
    for part in QUERIES:
        assert together[part] == alone[part], part


async def test_the_books_of_a_crew_balance_whatever_a_message_holds(database_url: str) -> None:
    async with ship_of(database_url) as ship:
        time_ms = NOW_US // 1000 - 60_000
        known = [{"class": "vessel", "scheme": "mmsi", "value": f"53800123{number}", "time": time_ms} for number in range(SHIPS)]
        stranger = {**known[0], "value": "211111111", "lat_deg": 1, "lon_deg": 2}
        bad = [{**known[0], "time": "yesterday"}, 7, {**known[1], "sog_kn": "fast", "extra": 1}]
        device = device_topic("demo", "vessel", "mmsi", "538001234")
        outcome = await ship.send(
            (FEED, [*known, stranger, *bad]),
            (FEED, b"{"),
            (device, [{"time": time_ms + 1}, {"time": time_ms + 2, "seq": 3}]),
            (device_topic("demo", "vessel", "mmsi", "999999999"), {"time": time_ms}),
            ("keelwing/v1/nobody/feed/x/telemetry", known),
            (feed_topic("demo", "coast", "status"), b"online"),
            (feed_topic("demo", "new"), known),
        )
        books = (await ship.rows(BOOKS))[0]
    assert books["received"] == books["accounted"] == outcome.received
    assert (books["stored"], books["traffic"], outcome.messages) == (SHIPS + 2 + SHIPS, 1, 7)
    assert outcome.rejected_by.total() == books["rejected"]
    assert outcome.heard == {("demo", "new"): SHIPS}  # for the metrics: `coast` is a recording, a status says nothing of an asset


async def test_a_value_that_the_tables_refuse_costs_its_message_alone(database_url: str) -> None:
    async with ship_of(database_url) as ship:
        await ship.rows("SELECT 1")
        async with ship.store.transaction() as tx:
            await tx.conn.execute("RESET ROLE")
            await tx.conn.execute("ALTER TABLE reading_vessel ADD CONSTRAINT slow CHECK (sog_kn < 50)")
        time_ms = NOW_US // 1000 - 60_000
        sent = [
            (device_topic("demo", "vessel", "mmsi", f"53800123{n}"), {"time": time_ms, "sog_kn": 10 + 45 * (n == 2)})
            for n in range(SHIPS)
        ]
        await ship.send(*sent)
        books = (await ship.rows(BOOKS))[0]
        reasons = await ship.rows("SELECT reason FROM rejection")
    assert (books["stored"], books["received"], books["accounted"]) == (SHIPS - 1, SHIPS, SHIPS)
    assert [row["reason"] for row in reasons] == ["unstorable"]


async def test_a_crew_ends_when_one_of_it_is_killed(database_url: str) -> None:
    async with ship_of(database_url) as ship:
        ship.crew._running[1].kill()
        with pytest.raises(StepProcessEndedError):
            await asyncio.wait_for(ship.send((FEED, recording(1)[:50])), 20)


async def test_a_crew_whose_shard_was_claimed_is_fenced(database_url: str) -> None:
    async with ship_of(database_url) as ship:
        async with ship.store.transaction() as tx:
            await tx.claim([shard for shard in range(64) if shard % PROCESSES == 1], "usurper")
        with pytest.raises(commits.Fenced):
            await asyncio.wait_for(ship.send(*[(FEED, batch) for batch in in_batches(recording(1), 50)[:4]]), 20)


async def test_step_processes_end_with_their_receiver(database_url: str) -> None:
    async with ship_of(database_url) as ship:
        running = list(ship.crew._running)
        for channel in ship.crew._channels:
            channel.close()  # as the kernel does when the receiver is killed
        for one in running:
            assert await asyncio.to_thread(one.wait, 20) == 0


async def test_parts_of_a_message_go_to_the_processes_of_their_assets(database_url: str) -> None:
    pool = await open_pool(database_url, "keelwing_worker", 2)
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        for number in range(40):
            await registry.register_asset(conn, "demo", "vessel", f"S{number}", None, [("mmsi", f"5380010{number:02}")])
        roster: Roster = roster_of(await registry.load(conn))
    await pool.close()
    elements = [
        {"class": "vessel", "scheme": "mmsi", "value": f"5380010{number:02}", "time": NOW_US // 1000, "sog_kn": number}
        for number in range(40)
    ]
    message = Message(FEED, decode(FEED, encode_json(elements), NOW_US), NOW_US)
    whole = route([message], roster)
    seen = 0
    for process, parcels in enumerate(split([message], roster, PROCESSES)):
        part = route(unpacked(parcels), roster)
        seen += len(part.readings)
        for routed in part.readings:
            assert shard_of(routed.holders[0].asset_id) % PROCESSES == process
            assert routed in whole.readings
    assert seen == len(whole.readings) == 40
