"""Nothing lost, nothing twice: a worker killed again and again, a database cut off, a broker restarted, and the same end."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from simulators.publish import Outgoing, Publisher
from store.pool import open_pool
from tests.faults.fix_fleet import WorkerProcess, until, workers
from tests.faults.fix_world import EXACT, READINGS, TENANT, World, final_form, people, undisturbed
from tests.fix_broker import Broker
from tests.fix_postgres import PostgresServer
from tests.fix_proxy import TcpProxy

SEED = 20
KILLS_MIN = 10
CUT_S = 20.0
EARLY = 0.15  # share of workers that are given little time to come to work
RATE_HZ = 800.0  # messages a second while there is trouble, each death worth its share of them; the rest goes as fast as it can
COUNT = (
    "SELECT (SELECT count(*) FROM reading_vessel) + (SELECT count(*) FROM reading_aircraft)"
    " + (SELECT count(*) FROM reading_trainset) AS count"
)


class Truth(NamedTuple):
    """A world, and what it ends as when nothing happens."""

    world: World
    form: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def truth(postgres_server: PostgresServer, template_database: str) -> Iterator[Truth]:
    """One undisturbed run for all brokers."""
    name = f"keelwing_undisturbed_{SEED}"
    postgres_server.drop_database(name)
    url = postgres_server.create_database(name, template=template_database)
    world = World(SEED)
    try:
        yield Truth(world, asyncio.run(undisturbed(world, url)))
    finally:
        postgres_server.drop_database(name)


class Trouble:
    """What goes wrong, at moments that a seed draws."""

    def __init__(self, worker: WorkerProcess, broker: Broker, cable: TcpProxy, seed: int) -> None:
        self.worker = worker
        self.broker = broker
        self.cable = cable
        self.deaths = 0
        self.kills = 0
        self.is_cut = False
        self.draw = random.Random(seed)
        self.over = asyncio.Event()

    async def run(self) -> None:
        """All of it, side by side; ends with a worker started that nobody kills."""
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(self._cut_the_database()), group.create_task(self._restart_the_broker())]
            group.create_task(self._kill_the_worker(others))
        self.over.set()

    async def _kill_the_worker(self, others: list[asyncio.Task[None]]) -> None:
        while self.kills < KILLS_MIN or not all(task.done() for task in others):
            # A worker is killed at some moment of its work; now and then, and while it waits for its database, before that.
            early = self.is_cut or self.draw.random() < EARLY
            with contextlib.suppress(AssertionError):
                await until("it is at work", self.worker.subscribed, self.draw.uniform(1, 6) if early else 60)
            at_work = await self.worker.subscribed()
            await asyncio.sleep(self.draw.uniform(0, 1.2))
            assert self.worker.process is not None
            assert self.worker.process.poll() is None, self.worker.log()[-3000:]
            self.worker.kill()
            self.deaths += 1
            self.kills += at_work
            self.worker.start()

    async def _cut_the_database(self) -> None:
        await asyncio.sleep(self.draw.uniform(2, 6))
        self.cable.cut()
        self.is_cut = True
        await asyncio.sleep(CUT_S)
        self.is_cut = False
        self.cable.restore()

    async def _restart_the_broker(self) -> None:
        """NATS dies of SIGKILL; Mosquitto, which keeps its memory in its own process, is asked to end."""
        await asyncio.sleep(self.draw.uniform(1, CUT_S + 6))
        await asyncio.to_thread(self.broker.kill if self.broker.name == "nats" else self.broker.stop)
        self.broker.start()  # on the main thread: the kernel ends the broker with the thread that started it


async def publish(world: World, url: str, protocol: Literal[4, 5], trouble: Trouble) -> None:
    """Publish the world so that it lasts as long as the trouble does; after that as fast as the broker takes it."""
    begun_s, count, left = time.monotonic(), len(world.messages), deque(world.messages)

    async def its_turn() -> bool:
        share, passed_s = count / (KILLS_MIN + 2) * (trouble.deaths + 1), time.monotonic() - begun_s
        return trouble.over.is_set() or count - len(left) <= min(share, RATE_HZ * passed_s)

    async with Publisher(url, tenant=TENANT, protocol=protocol) as publisher:
        while left:
            await until("the turn of the next message", its_turn, 400)
            topic, payload = left.popleft()
            await publisher.send(Outgoing(topic, payload, False, 1, 0, ""))
        await publisher.settled()


def differing(form: dict[str, list[dict[str, Any]]], wanted: dict[str, list[dict[str, Any]]], broker: Broker) -> str | None:
    """The first part in which two ends differ.

    NATS sends again after `ack_wait` and newer messages meanwhile, so an episode may come in another order, and a receiver be
    told of its end alone; it ends with the same (parts `outbox` and `notices`). Mosquitto keeps the order, and every event and
    decision is the same (`EXACT`).
    """
    parts = [part for part in wanted if part not in EXACT or broker.name == "mosquitto"]
    return next((part for part in parts if form[part] != wanted[part]), None)


@pytest.mark.timeout(600)
async def test_killed_cut_off_and_restarted_it_ends_like_the_undisturbed_run(
    truth: Truth, database_url: str, broker: Broker, through: Callable[[str], tuple[TcpProxy, str]], tmp_path: Path
) -> None:
    """20,000 readings at QoS 1; 10 kills of a worker at work; 20 s without a database; a broker that goes and comes."""
    five = broker.name == "mosquitto"
    cable, cabled_url = through(database_url)
    environment = {
        "KEELWING_DATABASE_URL": cabled_url,
        "KEELWING_MQTT_URL": broker.url,
        "KEELWING_MQTT_PROTOCOL": "5" if five else "3.1.1",
        "KEELWING_MQTT_CLIENT_ID": f"chaos-{time.time_ns()}",
        "KEELWING_MQTT_RESEND_S": "3",  # `ack_wait` is 2 s here
        "KEELWING_REDERIVE_QUIET_S": "0.5",
        "KEELWING_CHECKPOINT_AGE_MAX_S": "2",
    }
    begun_s = time.monotonic()
    pool = await open_pool(database_url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            await people(conn, truth.world)
        with workers(tmp_path, environment) as make:
            worker = make("worker")
            worker.start()
            await until("the worker is subscribed", worker.subscribed)
            trouble = Trouble(worker, broker, cable, SEED)
            async with asyncio.TaskGroup() as group:
                group.create_task(trouble.run())
                group.create_task(publish(truth.world, broker.url, 5 if five else 4, trouble))
            print(f"{broker.name}: {trouble.kills} kills at work of {trouble.deaths} in {time.monotonic() - begun_s:.1f} s")

            async def all_stored() -> bool:
                async with pool.connection() as conn:
                    return await (await conn.execute(COUNT)).fetchall() == [{"count": READINGS}]

            await until("every reading is stored", all_stored, 120)

            async def settled() -> bool:
                return differing(await final_form(pool), truth.form, broker) is None

            with contextlib.suppress(AssertionError):  # what differs is said below
                await until("it ends like the undisturbed run", settled, 60)
            await until("the last worker is subscribed", worker.subscribed)
            assert await worker.terminate() == 0, worker.log()[-3000:]
        books = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "keelwing.cli", "reconcile"],
            env={**worker.environment, "KEELWING_DATABASE_URL": database_url},
            capture_output=True,
            check=False,
        )
        assert books.returncode == 0, books.stdout
        form = await final_form(pool)
    finally:
        await pool.close()
    if (part := differing(form, truth.form, broker)) is not None:
        assert form[part] == truth.form[part], part
    print(f"{broker.name}: done after {time.monotonic() - begun_s:.1f} s")


def test_the_undisturbed_run_holds_everything_that_is_to_be_kept(truth: Truth) -> None:
    """The comparison would be worth little if there were little to compare."""
    assert sum(len(truth.form[part]) for part in ("vessels", "aircraft", "trainsets")) == READINGS == 20_000
    assert {row["rule"] for row in truth.form["findings"]} >= {"gap", "position_jump", "squawk_emergency", "channel_anomaly"}
    assert {row["status"] for row in truth.form["alerts"]} == {"open", "resolved"}
    assert {row["severity"] for row in truth.form["alerts"]} == {"warning", "critical"}


def test_the_undisturbed_run_tells_of_each_alert_what_was_decided(truth: Truth) -> None:
    """Each alert has its decision; events are exactly those of the alerts that were told; a model is asked once."""
    alerts, notices, outbox = (truth.form[part] for part in ("alerts", "notices", "outbox"))
    assert len(notices) == len(alerts)
    silent = {(row["rule"], row["verdict"]) for row in notices if not row["told"]}
    assert silent == {("spoofed_track", "same_incident")}  # the jump that began it was known first
    assert {row["verdict"] for row in notices if row["told"]} == {"told"}
    told = Counter((row["rule"], row["asset"], row["subject"]) for row in notices if row["told"])
    assert Counter((row["rule"], row["asset"], row["subject"]) for row in outbox) == told
    assert truth.form["amiss"] == []
    assert [(row["tests"], row["told"], row["rejections"]) for row in truth.form["budget"]] == [(1, 1, [1])]
