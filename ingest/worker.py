"""The worker process: broker on one side, pipeline on the other, and the housekeeping between two batches.

It owns the only loop: take a batch, commit it, acknowledge it; then, as time allows, derive again what late readings touched,
load assets that moved on before a restart, send probes, note that we listened, take up replays, prune. A failing part ends the
process: whoever supervises it starts another, and the broker still has everything that was not acknowledged.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import structlog

from detect.model import Listening
from fleet.instants import DAY_US, SECOND_US
from ingest import collector
from ingest.closing import close_hours
from ingest.crew import Crew, Spawn
from ingest.daily_pass import keep_calendar
from ingest.decode import decode
from ingest.feed_watch import watch_feeds
from ingest.metrics import WorkerMetrics, follow_database
from ingest.mqtt import BrokerAddress, Inbox
from ingest.patience import open_pool_patiently
from ingest.pipeline import Outcome, Pipeline, PipelineConfig
from ingest.ports import Clock, Held, Mailbox, Store, SystemClock, Transaction
from ingest.rederive import rederive_due
from ingest.routing import Message
from ingest.scene_pass import keep_scenes
from ingest.step_process import StepConfig
from store import desk, pruning
from store.transaction import PostgresStore

log = structlog.get_logger(__name__)

PROBE_EVERY_S = 1.0  # chosen: ticks are on whole minutes, a second behind them is soon enough
LISTENING_EVERY_S = 10.0  # chosen: what a crash may forget of our listening
PRUNE_EVERY_S = 300.0
REPLAYS_EVERY_S = 2.0
REDERIVE_EVERY_S = 0.5
REPLAY_PAGE = 500
LISTENING_KEPT_US = 30 * DAY_US  # longest silence whose listening is looked back at
LISTENING_GAP_US = 5 * SECOND_US  # frontiers are a second apart; a longer pause was no listening
LISTENER = ("_", "device")  # we listen to every live origin at once
UNLOGGED = frozenset({"rejected_by", "found", "opened", "heard"})  # by kind: for the metrics
DRAIN_S_MAX = 6.0  # SIGTERM to goodbye, within the ten seconds of the whole stack


class WorkerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told: where things are and how much it may hold. Durations carry their unit.

    `broker_resend_s`: after a session was resumed, how long what was in flight at its end may take to come again; until then
    silence is not judged. 35 s: NATS resends after `ack_wait`, 30 s unless set. `processes`: how many step processes; 0 steps
    in this one.
    """

    database_url: str
    broker: BrokerAddress
    pipeline: PipelineConfig = PipelineConfig()
    pool_max: int = 4
    batch_readings_max: int = 2000
    batch_wait_s: float = 0.03
    rederive_quiet_s: float = 2.0
    broker_resend_s: float = 35.0
    limits: pruning.Limits = pruning.Limits()
    processes: int = 0
    daily_pass_hour_utc: int = 5


def owner_name() -> str:
    """Host and process, for people who ask who owns a shard."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def run(
    config: WorkerConfig,
    stop: asyncio.Event,
    on_subscribed: Callable[[], None] | None = None,
    metrics: WorkerMetrics | None = None,
    spawn: Spawn | None = None,
) -> None:
    """Work until told to stop; then finish the batch at hand, write checkpoints, and leave the rest to the broker.

    Args:
        config: where things are and how much may be held.
        stop: set from outside, or by us at a fault.
        on_subscribed: called once, when the broker keeps everything for us from now on, whatever happens to this process.
        metrics: told of every batch; a registry that nobody asks when None.
        spawn: starts a step process; needed where `config.processes` is not 0.

    Raises:
        store.commits.Fenced: another worker claimed our shards.
        crew.StepProcessEndedError: a step process ended by itself.
        TimeoutError: the database stayed away beyond the bound.
        Exception: a fault of ours in a task beside the loop.
    """
    collector.calm()
    metrics = metrics or WorkerMetrics()
    pool = await open_pool_patiently(config.database_url, config.pool_max, config.pipeline.retry_s_max, stop)
    if pool is None:
        return
    beside: list[asyncio.Task[None]] = []

    def begin(name: str, work: Coroutine[Any, Any, None]) -> None:
        beside.append(asyncio.create_task(work, name=name))
        beside[-1].add_done_callback(lambda ended: _stop_at_fault(ended, stop))

    begin("figures", follow_database(pool, metrics))
    begin("hours", close_hours(pool))
    begin("calendar", keep_calendar(pool, config.daily_pass_hour_utc, metrics.passed, metrics.failed("calendar")))
    begin("feeds", watch_feeds(pool, metrics.looked, metrics.failed("feeds")))
    try:
        inbox = Inbox(config.broker)
        store, clock = PostgresStore(pool), SystemClock()
        crew = None
        if spawn is not None and config.processes:
            crew = Crew(store, _step_config(config), clock, config.processes, spawn)
        worker = Worker(config, store, inbox, clock, on_subscribed, metrics, crew)
        metrics.watch(inbox, worker.pipeline, config.broker.in_flight_max)
        clocks, horizon_us = lambda: worker.pipeline.clocks, config.pipeline.horizon_us
        working = asyncio.create_task(worker.run(stop), name="worker")
        begin("scenes", keep_scenes(pool, clocks, horizon_us, metrics.compared, metrics.failed("scenes")))
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await _drain(worker, working, crew)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        await pool.close()
    for task in beside:
        if not task.cancelled():
            task.result()  # none ends by itself but by a fault of ours, which must not pass unseen


async def _drain(worker: Worker, working: asyncio.Task[None], crew: Crew | None) -> None:
    """Let the worker finish what it holds, for a while, and end what it works with."""
    try:
        await asyncio.wait_for(working, DRAIN_S_MAX)
    except TimeoutError:
        log.warning("worker.not_drained", after_s=DRAIN_S_MAX)  # nothing of it was acknowledged
    finally:
        worker.inbox.stop()
        if crew is not None:
            await crew.end()


def _stop_at_fault(ended: asyncio.Task[None], stop: asyncio.Event) -> None:
    """A task beside the loop that ended by a fault of ours ends the worker: half of it running would look like all of it."""
    if not ended.cancelled() and ended.exception() is not None:
        stop.set()


def _step_config(config: WorkerConfig) -> StepConfig:
    return StepConfig(
        database_url=config.database_url,
        pipeline=config.pipeline,
        rederive_quiet_us=int(config.rederive_quiet_s * SECOND_US),
    )


class Worker:
    """One worker's parts and what it must not forget between two batches."""

    def __init__(
        self,
        config: WorkerConfig,
        store: Store,
        inbox: Mailbox,
        clock: Clock,
        on_subscribed: Callable[[], None] | None = None,
        metrics: WorkerMetrics | None = None,
        crew: Crew | None = None,
    ) -> None:
        self.config = config
        self.metrics = metrics or WorkerMetrics()
        self._on_subscribed = on_subscribed
        self.pipeline: Pipeline | Crew = crew or Pipeline(store, config.pipeline, clock)
        self._under_way: asyncio.Task[None] | None = None
        self.inbox = inbox
        self.clock = clock
        self._carry: deque[Held] = deque()
        self._heard: list[tuple[int, int]] = []
        self._frontier_us: int | None = None
        self._ahead_us: int | None = None
        self._leapt_us = 0
        self._listened_to_us = 0
        self._since_us: int | None = None
        self._next_s: dict[str, float] = {}

    async def start(self) -> None:
        """Claim the shards, learn what was going on, connect to the broker."""
        await self.pipeline.start()
        now_us = self.clock.wall_us()

        async def heard(tx: Transaction) -> list[tuple[int, int]]:
            return await tx.listened(*LISTENER, now_us - LISTENING_KEPT_US, now_us)

        self._heard = await self.pipeline.patiently(heard)
        self.pipeline.listen(Listening(tuple(self._heard)))
        self.inbox.start()
        log.info("worker.started", owner=self.config.pipeline.owner, behind=self.pipeline.assets_behind)

    async def run(self, stop: asyncio.Event) -> None:
        """Start and work until told to stop; one task, for to start may wait for the database as long, and must end as soon."""
        await self.start()
        await self.work(stop)

    async def work(self, stop: asyncio.Event) -> None:
        """The loop; returns after `stop` with everything at hand committed."""
        while not stop.is_set():
            deliveries, messages = await self._gather()
            await self._settle()
            moved = self._frontier_moved()
            if moved and self.pipeline.has_due(self._frontier_us):
                await self._note_listening()  # what ticks are judged by is on record before they are
            if messages or self._session_moved() or (moved and self.pipeline.has_due(self._frontier_us)):
                self._under_way = asyncio.create_task(self._commit(deliveries, messages), name="commit")
                if isinstance(self.pipeline, Pipeline):
                    await self._settle()  # else step processes work while the next batch is gathered and decoded here
            else:
                self.inbox.acknowledge(deliveries)
            await self._keep_house(idle=not messages)
        await self._settle()
        self._tell(await self.pipeline.process([], None, drain=True), [])
        await self._note_listening()
        log.info("worker.drained")

    async def _commit(self, deliveries: list[Held], messages: list[Message]) -> None:
        """Commit a batch, and only then acknowledge it."""
        self._tell(await self.pipeline.process(messages, self._frontier_us), deliveries)
        self.inbox.acknowledge(deliveries)

    async def _settle(self) -> None:
        """Wait for the batch that is under way, if one is; its failure is ours."""
        if self._under_way is not None:
            under_way, self._under_way = self._under_way, None
            await under_way

    async def _gather(self) -> tuple[list[Held], list[Message]]:
        """One batch: deliveries to acknowledge, and what the ones that are no probes hold."""
        if not self._carry:
            wait_s = 0.25 if isinstance(self.pipeline, Crew) or not self.pipeline.behind else 0.0
            # Half a window: while one half is committed, the broker fills the other.
            count_max = max(1, min(self.config.batch_readings_max, self.config.broker.in_flight_max // 2))
            self._carry.extend(await self.inbox.take(count_max, wait_s))
            if self._carry and len(self._carry) < count_max:
                waited_s = (self.clock.wall_us() - self._carry[0].received_us) / SECOND_US
                if 0 <= waited_s < self.config.batch_wait_s:  # the rest of a burst, so that one commit serves it
                    await asyncio.sleep(self.config.batch_wait_s - waited_s)
                self._carry.extend(await self.inbox.take(count_max - len(self._carry), 0.0))
        deliveries: list[Held] = []
        messages: list[Message] = []
        readings, now_us = 0, self.clock.wall_us()
        while self._carry and readings < self.config.batch_readings_max:
            delivery = self._carry.popleft()
            deliveries.append(delivery)
            if self.inbox.probe_us(delivery) is not None:
                continue
            decoded = decode(delivery.topic, delivery.payload, now_us)
            readings += decoded.received
            messages.append(Message(delivery.topic, decoded, delivery.received_us))
        return deliveries, messages

    def _tell(self, outcome: Outcome, deliveries: list[Held]) -> None:
        """One wide record per batch that held messages; the metrics hear of every batch."""
        lag_us = None if not deliveries else self.clock.wall_us() - min(delivery.received_us for delivery in deliveries)
        self.metrics.committed(outcome, lag_us)
        if outcome.messages and lag_us is not None:
            fields = {name: value for name, value in msgspec.structs.asdict(outcome).items() if name not in UNLOGGED}
            waiting = len(self.inbox) + len(self._carry)
            log.info("batch.committed", **fields, waiting=waiting, lag_ms=round(lag_us / 1000, 1))

    def _session_moved(self) -> bool:
        """Whether a live session came or went: then even a batch of nothing is committed, to hear whether we are fenced.

        A worker of our client id takes our sessions and claims our shards; without a commit two idle ones would take the
        sessions from each other for ever.
        """
        before_us, self._since_us = self._since_us, self.inbox.listening_since_us
        return before_us != self._since_us

    def _frontier_moved(self) -> bool:
        """Take over the probes that came back: everything published before them is in this batch or an earlier one."""
        self._watch_clock()
        frontier_us, since_us = self.inbox.frontier_us, self.inbox.listening_since_us
        if frontier_us is None or since_us is None or frontier_us == self._frontier_us or self.inbox.may_miss:
            return False
        since_us = max(since_us, self._leapt_us)
        resend_us = int(self.config.broker_resend_s * SECOND_US) if self.inbox.resumed else 0
        if frontier_us <= since_us + resend_us:
            return False
        self._frontier_us = frontier_us
        if self._heard and since_us <= self._heard[-1][1] + LISTENING_GAP_US:
            self._heard[-1] = (self._heard[-1][0], frontier_us)
        else:
            self._heard.append((since_us, frontier_us))
        self.pipeline.listen(Listening(tuple(self._heard)))
        return True

    def _watch_clock(self) -> None:
        """Notice that somebody set the wall clock on (or the machine slept): what it leapt over was not listened to."""
        now_us = self.clock.wall_us()
        ahead_us = now_us - int(self.clock.monotonic_s() * SECOND_US)
        if self._ahead_us is not None and ahead_us - self._ahead_us > LISTENING_GAP_US:
            self._leapt_us = now_us
            log.warning("clock.leapt", by_s=round((ahead_us - self._ahead_us) / SECOND_US, 1))
        self._ahead_us = ahead_us

    async def _keep_house(self, *, idle: bool) -> None:
        if self._on_subscribed is not None and self.inbox.is_subscribed:
            self._on_subscribed()
            self._on_subscribed = None
        if self._is_time("probe", PROBE_EVERY_S) and self.inbox.listening_since_us is not None:
            self.inbox.probe(self.clock.wall_us())
        if self._is_time("listening", LISTENING_EVERY_S):
            await self._note_listening()
        if isinstance(self.pipeline, Crew):
            self.metrics.rederived(self.pipeline.take_rederived())  # step processes keep house by themselves
        else:
            if idle and self.pipeline.behind:
                await self.pipeline.catch_up()
            if self._is_time("rederive", REDERIVE_EVERY_S):
                self.metrics.rederived(await rederive_due(self.pipeline, int(self.config.rederive_quiet_s * SECOND_US)))
        if self._is_time("replays", REPLAYS_EVERY_S):
            await self._take_up_replays()
        if self._is_time("prune", PRUNE_EVERY_S):
            await self.pipeline.patiently(lambda tx: tx.prune(self.config.limits))

    def _is_time(self, what: str, every_s: float) -> bool:
        now_s = self.clock.monotonic_s()
        if now_s < self._next_s.get(what, 0.0):
            return False
        self._next_s[what] = now_s + every_s
        return True

    async def _note_listening(self) -> None:
        if not self._heard or self._heard[-1][1] <= self._listened_to_us:
            return
        from_us, to_us = self._heard[-1]

        async def extend(tx: Transaction) -> None:
            await tx.extend_listening(*LISTENER, from_us, to_us, LISTENING_GAP_US)

        await self.pipeline.patiently(extend)
        self._listened_to_us = to_us

    async def _take_up_replays(self) -> None:
        """Give rejected messages that somebody asked for another try, the same way in as if they had just arrived.

        Only those that were there when the request was taken up: what is rejected again must not come round for ever.
        """
        for request in await self.pipeline.patiently(lambda tx: tx.pending_replays(1)):
            await self._settle()
            newest = await self.pipeline.patiently(lambda tx: tx.newest_rejection())
            taken: list[int] = []

            async def page(tx: Transaction, request: desk.PendingReplay = request, taken: list[int] = taken) -> list[desk.Row]:
                return await tx.replayable(request, taken[-1] if taken else 0, REPLAY_PAGE)

            while rows := [row for row in await self.pipeline.patiently(page) if row["rejection_id"] <= newest]:
                now_us = self.clock.wall_us()
                messages = [Message(row["topic"], decode(row["topic"], bytes(row["payload"]), now_us), now_us) for row in rows]
                self._tell(await self.pipeline.process(messages, None), [])
                taken += [row["rejection_id"] for row in rows]
            await self._finish_replay(request.request_id, taken)

    async def _finish_replay(self, request_id: int, rejection_ids: list[int]) -> None:
        async def finish(tx: Transaction) -> None:
            await tx.finish_replay(request_id, rejection_ids)

        await self.pipeline.patiently(finish)
        log.info("rejections.replayed", request_id=request_id, count=len(rejection_ids))
