"""One run: the real worker, started again as a supervisor would, over a broker and a store in memory, while faults happen.

After the last publication the faults end, and the run must come to rest: everything acknowledged, nothing left to derive again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from hashlib import blake2b
from random import Random
from typing import Any, cast

import pytest
import structlog

from ingest import rederive, worker
from ingest.mqtt import BrokerAddress, Delivery, Inbox
from ingest.pipeline import PipelineConfig
from ingest.ports import Held
from ingest.worker import Worker, WorkerConfig
from store.commits import Fenced
from tests.simulation.broker import Broker, Client
from tests.simulation.faults import NONE, Faults, drawn
from tests.simulation.loop import VirtualClock, VirtualLoop
from tests.simulation.store import Database, MemoryStore
from tests.simulation.tables import Tables
from tests.simulation.world import ACTIVE_S, World

REST_S_MAX = 200.0  # virtual seconds after the last fault within which everything must be done
STEPS_S = (
    3600.0,
    45.0,
    -30.0,
    -200.0,
    0.0,
)  # wall clock beside the true one; below 5 min back, or readings would be of the future


class NeverAtRest(AssertionError):  # noqa: N818  said as it is
    """The faults are over, and still something is not done."""


class Counting(Inbox):
    """The real inbox, with what it handed out and what was acknowledged counted by elements."""

    def __init__(self, *arguments: Any, elements: dict[tuple[str, bytes], int]) -> None:
        super().__init__(*arguments)
        self._elements = elements
        self.taken = 0
        self.acknowledged = 0

    @property
    def receivers(self) -> tuple[Any, ...]:
        return (*self._live, self._backfill)

    async def take(self, count_max: int, wait_s: float) -> list[Delivery]:
        deliveries = await super().take(count_max, wait_s)
        self.taken += sum(self._weight(delivery) for delivery in deliveries)
        return deliveries

    def _weight(self, delivery: Held) -> int:
        return self._elements.get((delivery.topic, delivery.payload), 0)

    def acknowledge(self, deliveries: Iterable[Held]) -> None:
        of_one_batch = list(deliveries)
        self.acknowledged += sum(self._weight(delivery) for delivery in of_one_batch)
        super().acknowledge(of_one_batch)


class Incarnation:
    """One life of a worker process."""

    def __init__(self, run: Run, number: int) -> None:
        self.number = number
        self.store = MemoryStore(run.database, number, run.faults_now, run.luck)
        self.store.crash = self.crash
        address = BrokerAddress(url="mqtt://memory", client_id="worker")
        self.inbox = Counting(address, run.clock, run.broker.client_type(), elements=run.elements)
        pipeline = PipelineConfig(owner=f"worker {number}", retry_s_max=600)
        config = WorkerConfig(
            database_url="memory",
            broker=address,
            pipeline=pipeline,
            batch_readings_max=run.batch_max,
            rederive_quiet_s=1.0,
            broker_resend_s=(run.faults.ack_wait_s or 1.0) + 1.0,
        )
        self.worker = Worker(config, self.store, self.inbox, run.clock, run.subscribed.set)
        self.stop = asyncio.Event()
        self.ended_well = False
        self.task = asyncio.create_task(self._live(), name=f"worker {number}")

    async def _live(self) -> None:
        try:
            await self.worker.start()
            await self.worker.work(self.stop)
            self.ended_well = True
        finally:
            self._die()

    def crash(self) -> None:
        """SIGKILL: nothing more is said, to nobody."""
        if not self.task.done():
            self._die()
            self.task.cancel()

    def _die(self) -> None:
        self.store.is_dead = True
        for receiver in self.inbox.receivers:
            cast("Client", receiver._client).die()


class Run:
    """A world, its faults, and what became of it."""

    def __init__(self, seed: int, faults: Faults, world: World, *, recorded: bool = False) -> None:
        self.seed = seed
        self.faults = faults
        self.world = world
        self.luck = Random(f"run {seed}")
        self.batch_max = self.luck.choice([7, 50, 2000])
        self.page = None if faults is NONE else Random(f"page {seed}").choice([3, 20, None])
        self.elements = {(one.topic, one.payload): one.received for one in world.publications}
        self.incarnations: list[Incarnation] = []
        self.is_calm = False
        plan = Random(f"steps {seed}")
        self.steps_s = [plan.choice(STEPS_S) for _ in range(drawn(seed).clock_steps)]
        self._recorded = recorded
        self._trace = blake2b(digest_size=16)

    @property
    def trace(self) -> str:
        """A hash of everything that happened, in order, with its virtual instant."""
        return self._trace.hexdigest()

    @property
    def tables(self) -> Tables:
        return self.database.tables

    def faults_now(self) -> Faults:
        return NONE if self.is_calm else self.faults

    def note(self, what: str) -> None:
        self._trace.update(f"{self.clock.monotonic_s():.6f} {what}\n".encode())

    def live(self) -> Run:
        """Live it through, in virtual time. Raises `NeverAtRest`, or whatever the code under test raised."""
        with asyncio.Runner(loop_factory=VirtualLoop) as runner, quiet(), in_slices(self.page):
            runner.run(self._live())
        return self

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        self.clock = VirtualClock(loop)
        self.broker = Broker(loop, self.faults, self.luck, self.note)
        self.database = Database(Tables(self.world.registry), self.clock, self.note)
        if self._recorded:
            self.database.calls = []
        self.subscribed = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            supervising = group.create_task(self._supervise())
            mischief = [group.create_task(one) for one in self._mischief()]
            await self._publish()
            await asyncio.gather(*mischief)
            self.is_calm = True
            for old in self.incarnations[:-1]:
                old.crash()  # an operator ends what was replaced
            await self._come_to_rest()
            if self.latest_step_s():  # every run of a seed ends at the same wall time
                self.clock.step_to(self.latest_step_s())
                await asyncio.sleep(10)  # a clock set on is believed after what may still be sent again has come
                await self._come_to_rest()
            self.incarnations[-1].stop.set()
            await asyncio.wait_for(supervising, REST_S_MAX)

    def latest_step_s(self) -> float:
        """How far ahead of the true time the wall clock is at most in a run of this seed."""
        return max([0.0, *self.steps_s])

    async def _supervise(self) -> None:
        """Start a worker, and another whenever it ends before its time."""
        while True:
            incarnation = self._start()
            while True:
                await asyncio.wait([incarnation.task])
                newest = self.incarnations[-1]
                if newest is incarnation:
                    break
                incarnation = newest
            self._outcome(incarnation)
            if incarnation.ended_well:
                break
            await asyncio.sleep(self.luck.uniform(0.2, 2.0))
        for other in self.incarnations:
            await asyncio.wait([other.task])
            self._outcome(other)

    def _start(self) -> Incarnation:
        self.note("start")
        self.incarnations.append(Incarnation(self, len(self.incarnations)))
        return self.incarnations[-1]

    def _outcome(self, incarnation: Incarnation) -> None:
        """A crash and a fence are lived with; anything else is a fault of the code under test."""
        with contextlib.suppress(asyncio.CancelledError, Fenced):
            incarnation.task.result()

    async def _publish(self) -> None:
        await asyncio.wait_for(self.subscribed.wait(), REST_S_MAX)
        began_s = self.clock.monotonic_s()
        for publication in self.world.publications:
            await asyncio.sleep(max(0.0, began_s + publication.at_s - self.clock.monotonic_s()))
            await self.broker.up.wait()
            self.broker.publish(publication.topic, publication.payload)

    def _mischief(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Faults that have their instant, drawn before anything happens."""
        plan, faults = Random(f"mischief {self.seed}"), self.faults

        def some_time() -> float:
            return (
                plan.uniform(0.001, 0.02) if plan.random() < 0.1 else plan.uniform(0.2, ACTIVE_S)
            )  # before or after subscribing

        for _ in range(faults.crashes):
            yield self._at(some_time(), self._crash)
        for _ in range(faults.outages):
            yield self._away(some_time(), plan.uniform(0.5, 10), self.database.up)
        for _ in range(faults.restarts):
            yield self._at(instant_s := some_time(), self.broker.cut_all)
            yield self._away(instant_s, plan.uniform(0.2, 4), self.broker.up)
        for offset_s in self.steps_s[: faults.clock_steps]:
            yield self._at(some_time(), partial(self.clock.step_to, offset_s))
        if faults.second_worker:
            yield self._at(some_time(), self._start)

    def _crash(self) -> None:
        self.incarnations[-1].crash()

    async def _at(self, instant_s: float, what: Callable[[], object]) -> None:
        await asyncio.sleep(instant_s)
        what()

    async def _away(self, instant_s: float, for_s: float, up: asyncio.Event) -> None:
        await asyncio.sleep(instant_s)
        self.note("away")
        up.clear()
        await asyncio.sleep(for_s)
        up.set()

    async def _come_to_rest(self) -> None:
        deadline_s = self.clock.monotonic_s() + REST_S_MAX
        while (left := self._left()) is not None:
            if self.clock.monotonic_s() > deadline_s:
                raise NeverAtRest(f"never at rest: {left}")
            await asyncio.sleep(0.5)

    def _left(self) -> str | None:
        """What still has to happen, None when nothing."""
        worker = self.incarnations[-1].worker
        if self.incarnations[-1].store.is_dead:
            return "no worker runs"
        if not self.broker.is_drained:
            return "the broker still has messages"
        if self.tables.table("dirty"):
            return "assets are still to be derived again"
        if worker.pipeline.assets_behind or worker._carry or len(worker.inbox):
            return "the worker still has something in hand"
        return None


@contextlib.contextmanager
def in_slices(page: int | None) -> Iterator[None]:
    """Derive again so few readings at a time, two turns a round, that batches and faults come between. None: as it is.

    A round at every occasion, so that a derivation takes no longer than on a machine that steps whole pages.
    """
    if page is None:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rederive, "PAGE_READINGS_MAX", page)
        patch.setattr(rederive, "ROUND_S_MAX", -1.0)
        patch.setattr(worker, "REDERIVE_EVERY_S", 0.0)
        yield


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No log lines meanwhile: a thousand runs have nothing to say to anybody."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
