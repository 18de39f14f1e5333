"""Fixtures: a tenant with assets, and real `keelwing worker` processes that a test may kill, pause and watch."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import pytest

from ingest.crew import Crew
from ingest.metrics import WorkerMetrics
from ingest.mqtt import BrokerAddress, Inbox, Receiver
from ingest.pipeline import Pipeline, PipelineConfig
from ingest.wire import device_topic, encode_json
from ingest.worker import WorkerConfig, run
from simulators.publish import Outgoing, Publisher
from store import registry
from store.pool import Pool, open_pool
from tests.fix_proxy import TcpProxy

IMO = "9074729"
NOW_MS = time.time_ns() // 1_000_000


async def until(what: str, condition: Callable[[], Awaitable[Any]], timeout_s: float = 60.0) -> None:
    """Wait for a condition; fails, saying what was waited for, at the deadline."""
    deadline_s = time.monotonic() + timeout_s
    while not await condition():
        assert time.monotonic() < deadline_s, f"{what}: not within {timeout_s:g} s"
        await asyncio.sleep(0.05)


class Fleet:
    """One tenant's ship, a database to look into, and a device that publishes."""

    def __init__(self, pool: Pool, url: str, tenant: str) -> None:
        self.pool = pool
        self.url = url
        self.tenant = tenant
        self.client_id = f"worker-{tenant}"
        self.topic = device_topic(tenant, "vessel", "imo", IMO)

    def readings(self, first: int, count: int) -> list[tuple[str, bytes]]:
        """Readings number `first` and on, half a second apart, the first an hour ago."""
        return [
            (self.topic, encode_json({"time": NOW_MS - 3_600_000 + number * 500, "sog_kn": 12.0, "seq": number}))
            for number in range(first, first + count)
        ]

    async def publish(self, url: str, messages: list[tuple[str, bytes]], protocol: Literal[4, 5] = 4) -> None:
        """Publish messages in order; returns when the broker has all of them."""
        async with Publisher(url, tenant=self.tenant, protocol=protocol) as publisher:
            for topic, payload in messages:
                await publisher.send(Outgoing(topic, payload, False, 1, NOW_MS * 1000, ""))
            await publisher.settled()

    async def rows(self, query: str) -> list[dict[str, Any]]:
        async with self.pool.connection() as conn:
            return await (await conn.execute(query)).fetchall()

    async def stored(self) -> int:
        return int((await self.rows("SELECT count(*) FROM reading_vessel"))[0]["count"])

    async def stores(self, count: int, timeout_s: float = 60.0) -> None:
        """Wait until so many readings are stored."""

        async def enough() -> bool:
            return await self.stored() >= count

        await until(f"{count} readings stored", enough, timeout_s)

    async def holds_each_once(self, count: int) -> None:
        """Every reading from number 0 on is there, once, and the books say so."""
        rows = await self.rows("SELECT count(*), count(DISTINCT seq) AS different, max(seq) AS last FROM reading_vessel")
        assert rows == [{"count": count, "different": count, "last": count - 1}]
        books = await self.rows(
            "SELECT sum(stored)::int AS stored, sum(received - stored - duplicate)::int AS rest FROM ingest_count"
            f" WHERE tenant = '{self.tenant}'"
        )
        assert books == [{"stored": count, "rest": 0}]

    def config(self, broker_url: str, **fields: Any) -> WorkerConfig:
        """A worker's configuration for this tenant alone; `fields` are of `WorkerConfig`, or of `BrokerAddress`."""
        address = {name: fields.pop(name) for name in ("protocol", "keepalive_s", "in_flight_max") if name in fields}
        given: dict[str, Any] = {
            "database_url": self.url,
            "broker": BrokerAddress(url=broker_url, client_id=self.client_id, **address),
            "pipeline": PipelineConfig(retry_s_max=90),
            "rederive_quiet_s": 0.1,
        }
        return WorkerConfig(**given | fields)


class Watching(WorkerMetrics):
    """Metrics that keep hold of what they are told to watch, so that a test may look at it too."""

    inbox: Inbox
    pipeline: Pipeline | Crew

    def watch(self, inbox: Inbox, pipeline: Pipeline | Crew, in_flight_max: int) -> None:
        self.inbox, self.pipeline = inbox, pipeline
        super().watch(inbox, pipeline, in_flight_max)


class Running:
    """A worker as a task of the test."""

    def __init__(self, config: WorkerConfig) -> None:
        self.stop = asyncio.Event()
        self.metrics = Watching()
        self._subscribed = asyncio.Event()
        self.task = asyncio.create_task(run(config, self.stop, self._subscribed.set, self.metrics))

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """Its sessions."""
        inbox = self.metrics.inbox
        return (inbox._devices, inbox._feeds, inbox._backfill)

    @property
    def refusals(self) -> int:
        """How often the database refused or was away."""
        return self.metrics.pipeline.refusals

    @property
    def held(self) -> int:
        """Messages in hand, not acknowledged."""
        return sum(len(receiver._held) for receiver in self.receivers)

    @classmethod
    async def begin(cls, config: WorkerConfig) -> Running:
        """A worker that the broker keeps messages for."""
        worker = cls(config)
        await asyncio.wait_for(worker._subscribed.wait(), 30)
        return worker

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(self.task, 20)


class WorkerProcess:
    """`keelwing worker` as a process: started, killed, paused; its log is one file over all its lives."""

    def __init__(self, directory: Path, name: str, environment: dict[str, str]) -> None:
        self.log_path = directory / f"{name}.log"
        self._ready = directory / f"{name}.ready"
        self.environment = {**os.environ, "KEELWING_DATA_DIR": str(directory), **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; `subscribed` says when it is at work."""
        self._ready.unlink(missing_ok=True)
        with self.log_path.open("ab") as log:
            command = [sys.executable, "-m", "keelwing.cli", "worker", "--ready-file", str(self._ready)]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    async def subscribed(self) -> bool:
        return self._ready.exists()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    async def wait(self, timeout_s: float = 30.0) -> int:
        """Its exit status."""
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, timeout_s)

    async def terminate(self) -> int:
        """SIGTERM; its exit status."""
        self.signal(signal.SIGTERM)
        return await self.wait()

    def log(self) -> str:
        return self.log_path.read_text()

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
            self.kill()


@pytest.fixture
async def fleet(database_url: str) -> AsyncIterator[Fleet]:
    """A tenant with one ship, in a database of its own."""
    tenant = f"t{secrets.token_hex(4)}"
    pool = await open_pool(database_url, "keelwing_worker", 2)
    async with pool.connection() as conn:
        await registry.create_tenant(conn, tenant, tenant)
        await registry.register_asset(conn, tenant, "vessel", "Anna", None, [("imo", IMO)])
    yield Fleet(pool, database_url, tenant)
    await pool.close()


@pytest.fixture
def through(proxy: Callable[[str, int], TcpProxy]) -> Callable[[str], tuple[TcpProxy, str]]:
    """Makes a cable in front of a server: `through(url)` gives the proxy and the URL that leads through it."""

    def make(url: str) -> tuple[TcpProxy, str]:
        parts = urlsplit(url)
        cable = proxy(parts.hostname or "127.0.0.1", parts.port or 5432)
        login = f"{parts.username}:{parts.password or ''}@" if parts.username else ""
        return cable, urlunsplit(parts._replace(netloc=f"{login}{cable.host}:{cable.port}"))

    return make


@contextlib.contextmanager
def workers(directory: Path, fleet_environment: dict[str, str]) -> Iterator[Callable[[str], WorkerProcess]]:
    """Makes worker processes of one configuration; all are ended afterwards."""
    made: list[WorkerProcess] = []

    def make(name: str) -> WorkerProcess:
        made.append(WorkerProcess(directory, name, fleet_environment))
        return made[-1]

    try:
        yield make
    finally:
        for one in made:
            one.close()
