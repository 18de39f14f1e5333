"""What late readings cost the live ones: a device's buffer of three days, and one late position of every asset at once.

A fleet of ships speaks live, each every ten seconds. First alone; then while one ship's device sends what it stored in three days
at ten seconds, a message a reading, on its backfill topic; then while a satellite feed brings one position of each ship, an hour
old. Measured is how long from publication to commit of the live readings, how long until the late ones are stored and everything
they touched is derived again, and how many readings were stepped again for that.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import psycopg

from bench.command import run
from bench.contenders import Keelwing
from bench.report import Report, Target, say
from bench.servers import broker_of, database_server
from fleet.instants import HOUR_US, MINUTE_US, SECOND_US
from ingest.decode import decode
from ingest.pipeline import Pipeline, PipelineConfig
from ingest.ports import SystemClock
from ingest.routing import Message
from ingest.wire import device_topic, encode_json, feed_topic
from simulators.publish import Outgoing, Publisher
from store import registry
from store.pool import open_pool
from store.transaction import PostgresStore

TENANT = "bench"
EVERY_US = 10 * SECOND_US  # a class A ship under way reports at least that often (ITU-R M.1371-5, table 1)
STORED_US = 3 * 24 * HOUR_US  # what the device kept
HISTORY_US = 6 * HOUR_US  # what is stored of every ship before the bench begins, one reading a minute
BORN_US = 4 * 24 * HOUR_US  # when each ship was first heard: before the device's buffer, so that no prior is read at its side
SELDOM_US = 30 * MINUTE_US  # how often it spoke then; chosen: below every limit of silence, so that no scene was asked for
LATE_US = HOUR_US  # chosen: what an orbit and a ground station cost a satellite position
POLL_S = 0.004
SETTLE_S_MAX = 300.0
LIVE_P99_MS_MAX = 1000.0  # the bound of the whole way to the webhook at half load
FEED_READINGS = 100


class Size(NamedTuple):
    """How large a run is."""

    ships: int
    stored: int
    alone_s: float


class Phase(NamedTuple):
    """What was seen while something went on: live delays (ms), seconds until stored and until derived again, readings stepped."""

    live_ms: list[float]
    stored_s: float
    derived_s: float
    assets: int
    stepped: int

    def live(self, percent: float) -> float:
        """The delay that so many percent of the live readings did not exceed."""
        return float(np.percentile(self.live_ms, percent))


class _Rederived(msgspec.Struct):
    readings: int


class Fleet:
    """The ships that speak, and who looks when what they say is committed.

    A live reading's `seq` is its number in the whole fleet, so the greatest one of the newest readings says which are safe.
    """

    def __init__(self, publisher: Publisher, connection: psycopg.AsyncConnection, ships: int) -> None:
        self._publisher = publisher
        self._connection = connection
        self._ships = ships
        self._sent_us: list[int] = []
        self._safe_us: list[int] = []

    @property
    def mark(self) -> int:
        """How many live readings were sent so far."""
        return len(self._sent_us)

    async def speak(self) -> None:
        """Publish one ship's reading after the other, at the fleet's own pace, until cancelled."""
        begun_s = time.monotonic()
        while True:
            number = len(self._sent_us)
            await asyncio.sleep(max(0.0, begun_s + number * EVERY_US / 1e6 / self._ships - time.monotonic()))
            now_us = time.time_ns() // 1000
            body = {**_sailing(number % self._ships, now_us), "seq": number + 1}
            self._sent_us.append(now_us)
            await self._publisher.send(Outgoing(_topic(number % self._ships), encode_json(body), False, 1, now_us, ""))

    async def look(self) -> None:
        """Note when each live reading was seen committed, until cancelled."""
        while True:
            cursor = await self._connection.execute("SELECT coalesce(max(seq), 0) FROM stream_latest WHERE source = 'live'")
            row = await cursor.fetchone()
            now_us = time.time_ns() // 1000
            self._safe_us += [now_us] * ((row[0] if row else 0) - len(self._safe_us))
            await asyncio.sleep(POLL_S)

    async def delays_ms(self, first: int) -> list[float]:
        """Delays of the live readings sent from number `first` until now, as soon as all are safe."""
        last = self.mark

        async def all_safe() -> bool:
            return len(self._safe_us) >= last

        await _until(all_safe, POLL_S)
        return [(safe - sent) / 1000 for sent, safe in zip(self._sent_us[first:last], self._safe_us[first:last], strict=True)]


def measure_all(report: Report, *, quick: bool = False) -> None:
    """Measure the three phases and report them."""
    size = Size(40, 1_000, 3.0) if quick else Size(500, STORED_US // EVERY_US, 20.0)
    alone, backfill, burst = asyncio.run(_measure(size))
    bound = Target(of="value", bound=LIVE_P99_MS_MAX, at_most=True)
    for percent in (50, 99, 100):
        report.add(f"live publish to commit, alone: p{percent}", alone.live(percent), "ms", readings=len(alone.live_ms))
        for name, phase in ((f"{size.stored:,} readings on backfill", backfill), (f"{size.ships} late positions", burst)):
            report.add(
                f"live publish to commit, with {name}: p{percent}",
                phase.live(percent),
                "ms",
                reference=("alone", alone.live(percent)),
                target=bound if percent == 99 else None,
                readings=len(phase.live_ms),
            )
    for name, phase in (("backfill", backfill), ("late positions", burst)):
        report.add(f"{name}: until all are stored", phase.stored_s, "s")
        report.add(f"{name}: until all is derived again", phase.derived_s, "s", assets=phase.assets, readings=phase.stepped)


async def _measure(size: Size) -> tuple[Phase, Phase, Phase]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keelwing-bench-")))
        url = stack.enter_context(stack.enter_context(database_server()).fresh(migrated=True))
        broker = stack.enter_context(broker_of("nats"))
        await _prepare(url, size, time.time_ns() // 1000)
        worker = Keelwing(directory, url)
        stack.callback(worker.stop)
        worker.start(broker.port)
        async with _speaking(f"mqtt://127.0.0.1:{broker.port}", url, size) as (publisher, fleet):
            await asyncio.sleep(size.alone_s)  # every state is in memory then
            alone = await _phase(url, fleet, directory, [], publisher, size.alone_s)
            say(f"alone: p99 {alone.live(99):.0f} ms")
            backfill = await _phase(url, fleet, directory, _stored(size), publisher)
            say(f"backfill: stored in {backfill.stored_s:.1f} s, derived in {backfill.derived_s:.1f} s")
            burst = await _phase(url, fleet, directory, _late(size), publisher)
            say(f"late positions: derived in {burst.derived_s:.1f} s")
    return alone, backfill, burst


async def _phase(
    url: str, fleet: Fleet, directory: Path, late: list[Outgoing], publisher: Publisher, seconds: float = 0.0
) -> Phase:
    """Publish late messages, and wait until they are stored and nothing is left to derive again; at least so many seconds."""
    first, begun_s = fleet.mark, time.monotonic()
    stepped_before = _rederived(directory)
    wanted = await _late_rows(url) + sum(message.readings for message in late)
    for message in late:
        await publisher.send(message)

    async def all_stored() -> bool:
        return await _late_rows(url) >= wanted

    async def all_derived() -> bool:
        return not await _dirty(url) and time.monotonic() - begun_s >= seconds

    await _until(all_stored)
    stored_s = time.monotonic() - begun_s
    await _until(all_derived)
    derived_s = time.monotonic() - begun_s
    stepped = _rederived(directory)[len(stepped_before) :]
    return Phase(await fleet.delays_ms(first), stored_s, derived_s, len(stepped), sum(stepped))


async def _until(condition: Callable[[], Awaitable[bool]], every_s: float = 0.1) -> None:
    """Wait for a condition. Raises TimeoutError after `SETTLE_S_MAX`."""
    deadline_s = time.monotonic() + SETTLE_S_MAX
    while not await condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {SETTLE_S_MAX:g} s")
        await asyncio.sleep(every_s)


def _rederived(directory: Path) -> list[int]:
    """Readings stepped again by each re-derivation so far, from the worker's log."""
    lines = (directory / "worker.log").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=_Rederived).readings for line in lines if b'"asset.rederived"' in line]


async def _late_rows(url: str) -> int:
    """Readings that did not come live, from the counts that each commit keeps."""
    return await _number(
        url,
        "SELECT coalesce(sum(stored), 0)::bigint - (SELECT coalesce(max(seq), 0) FROM stream_latest"
        " WHERE source = 'live') FROM ingest_count",
    )


async def _dirty(url: str) -> int:
    return await _number(url, "SELECT count(*) FROM dirty")


async def _number(url: str, query: str) -> int:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        row = await (await connection.execute(query.encode())).fetchone()
        return int(row[0]) if row else 0


@asynccontextmanager
async def _speaking(broker_url: str, url: str, size: Size) -> AsyncIterator[tuple[Publisher, Fleet]]:
    """The fleet speaking, and a device and a satellite feed that may; they have connections of their own."""
    async with (
        Publisher(broker_url, tenant=TENANT, feed="live") as live,
        Publisher(broker_url, tenant=TENANT, feed="satellite") as publisher,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as connection,
    ):
        fleet = Fleet(live, connection, size.ships)
        tasks = [asyncio.create_task(fleet.speak(), name="speak"), asyncio.create_task(fleet.look(), name="look")]
        try:
            yield publisher, fleet
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _prepare(url: str, size: Size, now_us: int) -> None:
    """Register the ships and store their history, as the worker would have."""
    pool = await open_pool(url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            await registry.create_tenant(conn, TENANT, "Bench")
            await registry.set_feed(conn, TENANT, "history", "live")
            for ship in range(size.ships):
                await registry.register_asset(conn, TENANT, "vessel", f"Ship {ship}", "bulk", [("mmsi", _mmsi(ship))])
        pipeline = Pipeline(PostgresStore(pool), PipelineConfig(owner="bench"), SystemClock())
        await pipeline.start()
        topic = feed_topic(TENANT, "history")
        say(f"storing {size.ships * (HISTORY_US // MINUTE_US + (BORN_US - HISTORY_US) // SELDOM_US):,} readings of history")
        before = range(now_us - BORN_US, now_us - HISTORY_US, SELDOM_US)
        for time_us in (*before, *range(now_us - HISTORY_US, now_us - MINUTE_US, MINUTE_US)):
            rows = [_named(ship, time_us) for ship in range(size.ships)]
            parts = [encode_json(rows[at : at + FEED_READINGS]) for at in range(0, len(rows), FEED_READINGS)]
            await pipeline.process([Message(topic, decode(topic, part, now_us), now_us) for part in parts])
        await pipeline.process([], None, drain=True)
    finally:
        await pool.close()


def _stored(size: Size) -> list[Outgoing]:
    """What the first ship's device kept, oldest first, a message a reading, until a minute ago."""
    topic = device_topic(TENANT, "vessel", "mmsi", _mmsi(0), "backfill")
    end_us = time.time_ns() // 1000 - MINUTE_US
    times_us = [end_us - (size.stored - number) * EVERY_US + 3 * SECOND_US for number in range(size.stored)]
    return [
        Outgoing(topic, encode_json({**_sailing(0, time_us), "source": "device", "seq": number}), False, 1, time_us, "")
        for number, time_us in enumerate(times_us)
    ]


def _late(size: Size) -> list[Outgoing]:
    """One position of each ship, an hour old, in messages of a hundred."""
    time_us = time.time_ns() // 1000 - LATE_US
    rows = [{**_named(ship, time_us), "source": "ais_satellite"} for ship in range(size.ships)]
    parts = [rows[at : at + FEED_READINGS] for at in range(0, len(rows), FEED_READINGS)]
    topic = feed_topic(TENANT, "satellite")
    return [Outgoing(topic, encode_json(part), False, len(part), time_us, "") for part in parts]


def _mmsi(ship: int) -> str:
    return f"538{ship:06d}"


def _topic(ship: int) -> str:
    return device_topic(TENANT, "vessel", "mmsi", _mmsi(ship))


def _named(ship: int, time_us: int) -> dict[str, object]:
    return {"class": "vessel", "scheme": "mmsi", "value": _mmsi(ship), **_sailing(ship, time_us), "source": "history"}


def _sailing(ship: int, time_us: int) -> dict[str, object]:
    """A ship at twelve knots due north on a meridian of its own, with two sensors."""
    hours = time_us / HOUR_US % 100
    wave = (time_us // SECOND_US * 7 + ship) % 13 / 13
    return {
        "time": time_us // 1000,
        "source": "live",
        "lat_deg": round(-10 + hours * 0.2, 6),
        "lon_deg": round(ship * 0.3 % 180, 6),
        "sog_kn": round(12 + wave / 5, 1),
        "cog_deg": 0.0,
        "nav_status": 0,
        "channels": {"me_exhaust_temp_c": round(360 + wave, 2), "shaft_power_kw": round(6900 + 30 * wave, 1)},
    }


if __name__ == "__main__":
    run("backfill", __doc__, measure_all)
