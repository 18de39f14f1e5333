"""The worker between a real broker and a real database: acknowledged after commit, whatever goes down."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import pytest

from fleet.instants import SECOND_US
from ingest.metrics import WorkerMetrics
from ingest.mqtt import BrokerAddress, Inbox
from ingest.pipeline import PipelineConfig
from ingest.wire import device_topic, encode_json, feed_topic
from ingest.worker import Worker, WorkerConfig, run
from keelwing.embedded.nats import EmbeddedNats
from simulators.publish import Outgoing, Publisher
from store import registry
from store.pool import Pool, open_pool
from tests.fix_broker import Broker
from tests.fix_proxy import TcpProxy

NOW_MS = time.time_ns() // 1_000_000


KINDS: tuple[Literal["telemetry", "static"], ...] = ("telemetry", "static")


class Shop:
    """One tenant's ship, a database to look into, and a device that publishes."""

    def __init__(self, pool: Pool, url: str, tenant: str) -> None:
        self.pool = pool
        self.url = url
        self.tenant = tenant
        self.topic = device_topic(tenant, "vessel", "imo", "9074729")

    async def publish(self, url: str, messages: list[tuple[str, bytes]], protocol: Literal[4, 5] = 4) -> None:
        """Publish messages in order; returns when the broker has all of them."""
        async with Publisher(url, tenant=self.tenant, protocol=protocol) as publisher:
            for topic, payload in messages:
                await publisher.send(Outgoing(topic, payload, False, 1, NOW_MS * 1000, ""))
            await publisher.settled()

    async def count(self, query: str) -> int:
        async with self.pool.connection() as conn:
            rows = await (await conn.execute(query)).fetchall()
            return int(rows[0]["count"])

    async def stored(self) -> int:
        return await self.count("SELECT count(*) FROM reading_vessel")


def readings(shop: Shop, first: int, count: int) -> list[tuple[str, bytes]]:
    return [
        (shop.topic, encode_json({"time": NOW_MS - 3_600_000 + number * 1000, "sog_kn": 12.0, "seq": number}))
        for number in range(first, first + count)
    ]


async def until(what: str, condition: Callable[[], Awaitable[bool]], timeout_s: float = 60.0) -> None:
    """Wait for a condition; fails, saying what was waited for, at the deadline."""
    deadline_s = time.monotonic() + timeout_s
    while not await condition():
        assert time.monotonic() < deadline_s, f"{what}: not within {timeout_s:g} s"
        await asyncio.sleep(0.05)


async def stores(shop: Shop, count: int, timeout_s: float = 60.0) -> None:
    async def enough() -> bool:
        return await shop.stored() >= count

    await until(f"{count} readings stored", enough, timeout_s)


def config(shop: Shop, broker_url: str, *, database_url: str | None = None, protocol: str = "3.1.1") -> WorkerConfig:
    return WorkerConfig(
        database_url=database_url or shop.url,
        broker=BrokerAddress(url=broker_url, protocol=protocol, client_id=f"worker-{shop.tenant}"),
        pipeline=PipelineConfig(retry_s_max=60),
        rederive_quiet_s=0.1,
    )


class Running:
    """A worker as a task."""

    def __init__(self, wanted: WorkerConfig) -> None:
        self.stop = asyncio.Event()
        self.subscribed = asyncio.Event()
        self.metrics = WorkerMetrics()
        self.task = asyncio.create_task(run(wanted, self.stop, self.subscribed.set, self.metrics))

    def metric(self, name: str, **labels: str) -> float:
        """A metric of the worker as Prometheus would read it now."""
        return self.metrics.registry.get_sample_value(f"keelwing_worker_{name}", labels) or 0.0

    @classmethod
    async def begin(cls, wanted: WorkerConfig) -> Running:
        """A worker that the broker keeps messages for."""
        worker = cls(wanted)
        await asyncio.wait_for(worker.subscribed.wait(), 20)
        return worker

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(self.task, 15)


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    tenant = f"t{secrets.token_hex(4)}"
    pool = await open_pool(database_url, "keelwing_worker", 2)
    async with pool.connection() as conn:
        await registry.create_tenant(conn, tenant, tenant)
        await registry.register_asset(conn, tenant, "vessel", "Anna", None, [("imo", "9074729")])
        await registry.register_asset(conn, tenant, "vessel", "Berta", None, [("imo", "7625811")])
    yield Shop(pool, database_url, tenant)
    await pool.close()


async def test_readings_of_devices_and_feeds_are_stored(shop: Shop, broker: Broker) -> None:
    worker = await Running.begin(config(shop, broker.url))
    feed = feed_topic(shop.tenant, "coast")
    element = {"time": NOW_MS, "class": "vessel", "scheme": "imo", "value": "7625811", "lat_deg": 1, "lon_deg": 2}
    backfill = device_topic(shop.tenant, "vessel", "imo", "9074729", "backfill")
    old = encode_json([{"time": NOW_MS - 86_400_000 + number, "sog_kn": 1.0} for number in range(50)])
    static = device_topic(shop.tenant, "vessel", "imo", "9074729", "static")
    await shop.publish(
        broker.url,
        [
            *readings(shop, 0, 200),
            (feed, encode_json([element])),
            (backfill, old),
            (static, encode_json({"time": NOW_MS, "name": "ANNA"})),
        ],
    )
    await stores(shop, 251)
    await worker.end()
    assert await shop.count("SELECT count(*) FROM static_report") == 1


@pytest.mark.mosquitto
async def test_mqtt_5_works_where_the_broker_speaks_it(shop: Shop, mosquitto_broker: Broker) -> None:
    worker = await Running.begin(config(shop, mosquitto_broker.url, protocol="5"))
    await shop.publish(mosquitto_broker.url, readings(shop, 0, 100), protocol=5)
    await stores(shop, 100)
    await worker.end()


async def test_what_came_while_the_worker_was_away_is_stored_when_it_comes(shop: Shop, broker: Broker) -> None:
    worker = await Running.begin(config(shop, broker.url))
    await shop.publish(broker.url, readings(shop, 0, 10))
    await stores(shop, 10)
    await worker.end()
    await shop.publish(broker.url, readings(shop, 10, 100))
    assert await shop.stored() == 10
    worker = await Running.begin(config(shop, broker.url))
    await stores(shop, 110)
    await worker.end()


async def test_a_database_that_is_away_costs_nothing(
    shop: Shop, nats_broker: Broker, proxy: Callable[[str, int], TcpProxy]
) -> None:
    parts = urlsplit(shop.url)
    cable = proxy(parts.hostname or "127.0.0.1", parts.port or 5432)
    login = f"{parts.username}:{parts.password}@" if parts.password else ""
    through = urlunsplit(parts._replace(netloc=f"{login}{cable.host}:{cable.port}"))
    worker = await Running.begin(config(shop, nats_broker.url, database_url=through))
    await shop.publish(nats_broker.url, readings(shop, 0, 10))
    await stores(shop, 10)
    cable.cut()
    await shop.publish(nats_broker.url, readings(shop, 10, 3000))

    async def seen() -> bool:
        held = worker.metric("in_flight_messages", session="devices")
        return worker.metric("database_away_seconds") > 0 and held >= 2000 and worker.metric("oldest_held_seconds") > 0

    await until("the metrics say that the database is away and what is held", seen)
    assert worker.metric("broker_connected", session="devices") == 1
    assert not worker.task.done()
    assert await shop.stored() == 10
    cable.restore()
    await stores(shop, 3010, 60)
    assert worker.metric("database_away_seconds") == 0
    assert worker.metric("database_refusals_total") > 0
    await worker.end()
    assert await shop.stored() == 3010


async def test_a_poisoned_device_does_not_hold_up_the_others(shop: Shop, nats_broker: Broker) -> None:
    worker = await Running.begin(config(shop, nats_broker.url))
    poison = device_topic(shop.tenant, "vessel", "imo", "7625811")
    draw = Random("poison")
    mixed: list[tuple[str, bytes]] = []
    for number, good in enumerate(readings(shop, 0, 200)):
        # Bytes may happen to be an array of MessagePack, as the first of these are: each of its elements is a rejection.
        noise = draw.randbytes(1 + number) if number else b"\x93\x01\x02\x03"
        mixed += [(poison, noise), (poison, b"[" * 2000), good]
    await shop.publish(nats_broker.url, mixed)
    await stores(shop, 200)

    async def all_kept() -> bool:
        query = f"SELECT count(*) FROM rejection WHERE topic = '{poison}' AND coalesce(element, 0) = 0"
        return await shop.count(query) == 400

    await until("every poisoned message is a rejection", all_kept)
    await worker.end()


def process(shop: Shop, broker_url: str, log_path: Path, ready: Path, processes: int = 0) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "KEELWING_DATABASE_URL": shop.url,
        "KEELWING_MQTT_URL": broker_url,
        "KEELWING_MQTT_CLIENT_ID": f"worker-{shop.tenant}",
    }
    with log_path.open("ab") as log:
        command = [sys.executable, "-m", "keelwing.cli", "worker", "--ready-file", str(ready), "--processes", str(processes)]
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


@pytest.mark.timeout(300)  # it starts four workers, and each wait for one has a deadline of its own
@pytest.mark.parametrize(("processes", "kills"), [(0, 3), (2, 1)])
async def test_a_worker_killed_again_and_again_stores_each_reading_once(
    shop: Shop, nats_broker: Broker, tmp_path: Path, processes: int, kills: int
) -> None:
    log_path = tmp_path / "worker.log"
    ready = tmp_path / "ready"
    worker = process(shop, nats_broker.url, log_path, ready, processes)

    async def subscribed() -> bool:
        return ready.exists()

    await until("the worker is subscribed", subscribed)
    await shop.publish(nats_broker.url, readings(shop, 0, 1))
    await stores(shop, 1)
    for round_ in range(kills):
        publishing = asyncio.create_task(shop.publish(nats_broker.url, readings(shop, 1 + round_ * 500, 500)))
        await stores(shop, 2 + round_ * 500)
        worker.kill()
        worker.wait(10)
        await publishing
        ready.unlink(missing_ok=True)  # the worker may have been killed before it was subscribed
        worker = process(shop, nats_broker.url, log_path, ready, processes)
    stored = 1 + 500 * kills
    await stores(shop, stored, 60)
    await until("the last worker is subscribed", subscribed)
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 15) == 0, log_path.read_text()[-2000:]
    assert await shop.stored() == stored
    assert await shop.count("SELECT count(DISTINCT seq) FROM reading_vessel") == stored


async def test_a_worker_whose_shards_were_claimed_stops_before_it_writes(shop: Shop, nats_broker: Broker) -> None:
    from store import commits

    worker = await Running.begin(config(shop, nats_broker.url))
    await shop.publish(nats_broker.url, readings(shop, 0, 5))
    await stores(shop, 5)
    async with shop.pool.connection() as conn:
        await commits.claim(conn, range(64), "usurper")
    await shop.publish(nats_broker.url, readings(shop, 5, 5))
    with pytest.raises(commits.Fenced):
        await asyncio.wait_for(worker.task, 20)
    assert await shop.stored() == 5


async def test_a_task_beside_the_loop_that_ends_in_a_fault_ends_the_worker(
    shop: Shop, nats_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = asyncio.Event()

    async def close_hours(_pool: Pool) -> None:
        await broken.wait()
        raise ZeroDivisionError

    monkeypatch.setattr("ingest.worker.close_hours", close_hours)
    worker = await Running.begin(config(shop, nats_broker.url))
    await shop.publish(nats_broker.url, readings(shop, 0, 5))
    await stores(shop, 5)
    broken.set()
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(worker.task, 20)


async def test_a_fault_beside_the_loop_ends_a_worker_that_still_waits_to_start(
    shop: Shop, nats_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def close_hours(_pool: Pool) -> None:
        raise ZeroDivisionError

    async def start(_worker: Worker) -> None:
        await asyncio.Event().wait()  # for a database that went away

    monkeypatch.setattr("ingest.worker.close_hours", close_hours)
    monkeypatch.setattr("ingest.worker.DRAIN_S_MAX", 0.1)
    monkeypatch.setattr(Worker, "start", start)
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(run(config(shop, nats_broker.url), asyncio.Event()), 20)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_fault_in_the_thread_that_receives_ends_the_worker(
    shop: Shop, nats_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await Running.begin(config(shop, nats_broker.url))

    def deaf(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("ingest.mqtt.Delivery", deaf)
    await shop.publish(nats_broker.url, readings(shop, 0, 1))
    with pytest.raises(RuntimeError, match="ended") as ended:
        await asyncio.wait_for(worker.task, 20)
    assert isinstance(ended.value.__cause__, ZeroDivisionError)


async def test_silence_is_noticed_although_nothing_comes(shop: Shop, nats_broker: Broker) -> None:
    """A trainset is silent after 30 min; the worker is told that it listened all the while."""
    tenant = shop.tenant
    async with shop.pool.connection() as conn:
        await registry.register_asset(conn, tenant, "trainset", "T1", None, [("local", "t1")])
        from store import listening

        hour_us = 3600 * SECOND_US
        await listening.extend(conn, "_", "device", NOW_MS * 1000 - 2 * hour_us, NOW_MS * 1000, 5 * SECOND_US)
    worker = await Running.begin(config(shop, nats_broker.url))
    topic = device_topic(tenant, "trainset", "local", "t1")
    await shop.publish(nats_broker.url, [(topic, encode_json({"time": NOW_MS - 3_000_000, "speed_kmh": 80}))])

    async def found() -> bool:
        return await shop.count("SELECT count(*) FROM finding WHERE rule = 'gap'") == 1

    await until("the gap is found by a tick", found)
    await worker.end()


async def test_a_burst_on_many_topics_waits_for_no_redelivery(tmp_path: Path) -> None:
    """NATS sends what exceeds a session's window again only after 30 s: no session of ours may exceed it."""
    with EmbeddedNats(tmp_path, ack_wait_s=30) as nats:
        inbox = Inbox(BrokerAddress(url=nats.url, client_id="burst"))
        inbox.start()
        try:
            await until("subscribed", lambda: asyncio.sleep(0, inbox.is_subscribed))
            topics = [device_topic("t", "vessel", "imo", f"{number:07d}", kind) for number in range(40) for kind in KINDS]
            topics += [feed_topic("t", f"feed{number}") for number in range(10)]
            async with Publisher(nats.url, tenant="t") as publisher:
                for number in range(4000):
                    message = Outgoing(topics[number % len(topics)], b"%d" % number, False, 1, 0, "")
                    await publisher.send(message)
                await publisher.settled()
                seen: set[bytes] = set()
                async with asyncio.timeout(15):
                    while len(seen) < 4000:
                        taken = await inbox.take(2000, 0.25)
                        seen |= {delivery.payload for delivery in taken if delivery.payload.isdigit()}
                        inbox.acknowledge(taken)
        finally:
            inbox.stop()
