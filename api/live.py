"""The live stream's hub: one LISTEN connection, one pull per audience, a bounded queue per client.

An audience is everybody with the same scope (tenant, or tenant and lessee). The hub pulls what is new for each audience that
has a client: findings and alerts when the database says so, states at most once in `state_interval_s`. A client whose queue is
full is dropped: it comes back with `Last-Event-ID` and is replayed what it missed. The id of every event is that of the last
finding or alert at or before it, so resuming from a state's id is resuming from the right place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import msgspec
import structlog

from api.metrics import Metrics
from api.settings import ApiSettings
from api.states import state_shape
from fleet.instants import SECOND_US
from store import milestones, reads
from store.pool import Connection, Pool
from store.walled import DatabaseAway, listen, walled

LIVE_CHANNEL = "keelwing_live"
REPLAY_PAGE = 500
STATES_MAX = 5000  # assets of one audience told in one pull; the rest are told in the next
TURN_STATES = 200  # chosen: some 10 ms
OVERLAP_US = 60 * SECOND_US  # a commit may follow the reception it tells of by so much; repeats are recognised
LISTEN_WAIT_S = 0.5
RETRY_S = 1.0

log = structlog.get_logger("api.live")


class LiveEvent(NamedTuple):
    """One server-sent event, its data already JSON."""

    event: str
    event_id: int
    data: bytes


HELLO = LiveEvent("", 0, b"")  # says that the client is in line: whatever is committed from now on will be told


class Audience(NamedTuple):
    """A scope: whose events these are."""

    tenant: str
    party: str | None


class Client:
    """One open stream: a bounded queue and whether it overflowed."""

    def __init__(self, queue_max: int) -> None:
        self.queue: asyncio.Queue[LiveEvent | None] = asyncio.Queue(queue_max + 1)  # one place for the end
        self.queue_max = queue_max
        self.dropped = False

    def offer(self, event: LiveEvent) -> bool:
        """Put an event in line; False when the client is too slow, which ends it."""
        if self.dropped:
            return False
        if self.queue.qsize() >= self.queue_max:
            self.dropped = True
            self.end()
            return False
        self.queue.put_nowait(event)
        return True

    def end(self) -> None:
        """Let the stream finish after what is in line, or at once when there is no room."""
        with suppress(asyncio.QueueFull):
            self.queue.put_nowait(None)


class _Group:
    """What the hub knows of one audience: its clients, and how far it has told them."""

    def __init__(self, after: int, now_us: int) -> None:
        self.clients: set[Client] = set()
        self.after = after
        self.heard_us = now_us
        self.told: dict[str, tuple[int, int]] = {}  # asset → (event time, reception) of its last told state


class LiveHub:
    """Feeds every open stream of one process.

    Args:
        settings: bounds and intervals.
        pool: of role `keelwing_api`.
        metrics: where clients, drops and events are counted.
    """

    def __init__(self, settings: ApiSettings, pool: Pool, metrics: Metrics) -> None:
        self._settings = settings
        self._pool = pool
        self._metrics = metrics
        self._groups: dict[Audience, _Group] = {}
        self._rung = asyncio.Event()
        self.stopping = False
        self.fault: BaseException | None = None
        """What ended a task of ours that must not end: a programmer's error, for which the process is to end."""

    @property
    def full(self) -> bool:
        """Whether another client would be one too many."""
        return sum(len(group.clients) for group in self._groups.values()) >= self._settings.stream_clients_max

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen and pull while the block runs; afterwards every stream is ended."""
        tasks = [asyncio.create_task(self._listen(), name="live-listen"), asyncio.create_task(self._pull(), name="live-pull")]
        for task in tasks:
            task.add_done_callback(self._note_fault)
        try:
            yield
        finally:
            self.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _note_fault(self, ended: asyncio.Task[None]) -> None:
        if not ended.cancelled() and ended.exception() is not None:
            self.fault = self.fault or ended.exception()
            log.error("live_ended", task=ended.get_name(), exc_info=ended.exception())
            self.stop()  # a stream that is never fed again would look like a quiet fleet

    def stop(self) -> None:
        """End every stream; new ones are refused."""
        self.stopping = True
        for group in self._groups.values():
            for client in group.clients:
                client.end()

    async def events(self, audience: Audience, after: int | None) -> AsyncGenerator[LiveEvent]:
        """Events for one client: HELLO, what it missed since `after` (a `Last-Event-ID`), what comes. Ends when it is too slow.

        Raises:
            DatabaseAway: before the first event, when what was missed cannot be read.
        """
        client = Client(self._settings.stream_queue_max)
        async with self._pull_of(audience) as conn:
            newest = await reads.last_live_event(conn)
        group = self._groups.setdefault(audience, _Group(newest, time.time_ns() // 1000))
        group.clients.add(client)
        self._metrics.stream_clients.inc()
        try:
            yield HELLO
            last = newest if after is None or after > newest else after
            async for event in self._missed(audience, last):
                last = event.event_id
                yield event
            while (following := await client.queue.get()) is not None:
                if following.event == "state" or following.event_id > last:
                    last = max(last, following.event_id)
                    yield following._replace(event_id=last)
        finally:
            self._leave(audience, group, client)

    def _leave(self, audience: Audience, group: _Group, client: Client) -> None:
        group.clients.discard(client)
        self._metrics.stream_clients.dec()
        if client.dropped:
            self._metrics.stream_dropped.inc()
        if not group.clients and self._groups.get(audience) is group:
            del self._groups[audience]

    async def _missed(self, audience: Audience, after: int) -> AsyncIterator[LiveEvent]:
        while True:
            async with self._pull_of(audience) as conn:
                rows = await reads.live_events(conn, after, REPLAY_PAGE)
            for row in rows:
                after = row["event_id"]
                yield LiveEvent(row["kind"], after, msgspec.json.encode(row["body"]))
            if len(rows) < REPLAY_PAGE:
                return

    @asynccontextmanager
    async def _pull_of(self, audience: Audience) -> AsyncIterator[Connection]:
        async with walled(self._pool, audience.tenant, audience.party) as conn:
            yield conn

    async def _listen(self) -> None:
        """Ring whenever the database says there is something new; come back after a lost connection."""
        while not self.stopping:
            try:
                async for channel in listen(self._settings.database_url, (LIVE_CHANNEL,), LISTEN_WAIT_S):
                    self._metrics.listener.set(1)
                    if channel:
                        self._rung.set()
            except DatabaseAway as error:
                self._metrics.listener.set(0)
                log.warning("live_listener_lost", error=str(error))
                self._rung.set()  # what was said meanwhile is pulled as soon as the pool has a connection
                await asyncio.sleep(RETRY_S)

    async def _pull(self) -> None:
        """Give every audience what is new, at once when rung and once an interval for states."""
        states_due_s = 0.0
        while not self.stopping:
            interval_s = self._settings.state_interval_s
            with suppress(TimeoutError):  # not wait_for: before Python 3.12 it may swallow the cancellation that stops us
                async with asyncio.timeout(interval_s):
                    await self._rung.wait()
            self._rung.clear()
            with_states = time.monotonic() >= states_due_s
            if with_states:
                states_due_s = time.monotonic() + interval_s
            for audience, group in list(self._groups.items()):
                try:
                    await self._pull_for(audience, group, with_states=with_states)
                except DatabaseAway as error:
                    log.warning("live_pull_failed", error=str(error))
                    await asyncio.sleep(RETRY_S)

    async def _pull_for(self, audience: Audience, group: _Group, *, with_states: bool) -> None:
        async with self._pull_of(audience) as conn:
            rows = await reads.live_events(conn, group.after, REPLAY_PAGE)
            states = await self._states(conn, audience, group) if with_states else []
        for row in rows:
            group.after = row["event_id"]
            self._tell(group, LiveEvent(row["kind"], group.after, msgspec.json.encode(row["body"])))
        for data in states:
            self._tell(group, LiveEvent("state", group.after, data))
        if len(rows) == REPLAY_PAGE:
            self._rung.set()

    def _tell(self, group: _Group, event: LiveEvent) -> None:
        for client in list(group.clients):
            if client.offer(event):
                self._metrics.stream_events.labels(event.event).inc()

    async def _states(self, conn: Connection, audience: Audience, group: _Group) -> list[bytes]:
        """States of the assets heard since the last pull, each told once, those that waited longest first."""
        now_us = time.time_ns() // 1000
        heard = await reads.moved_since(conn, group.heard_us - OVERLAP_US)
        moved = [asset_id for asset_id, mark in heard.items() if group.told.get(str(asset_id)) != mark]
        moved = sorted(moved, key=lambda asset_id: heard[asset_id][1])[:STATES_MAX]
        if not moved:
            return []
        assets = {row["asset_id"]: row for row in await reads.assets_of(conn, moved)}
        leases = {row["asset_id"]: row for row in await reads.leases(conn, moved, now_us, None)}
        statuses = await milestones.open_statuses(conn, [str(asset_id) for asset_id in moved], now_us, None)
        said: dict[Any, list[reads.Row]] = {}
        for row in await reads.latest(conn, moved):
            said.setdefault(row["asset_id"], []).append(row)
        told: list[bytes] = []
        for n, (asset_id, rows) in enumerate(said.items()):
            if asset_id not in assets:
                continue
            group.told[str(asset_id)] = heard[asset_id]
            asset = {**assets[asset_id], "statuses": statuses.get(str(asset_id), ())}
            shape = state_shape(asset, rows, leases.get(asset_id), now_us, insider=audience.party is None)
            told.append(msgspec.json.encode(shape))
            if n % TURN_STATES == TURN_STATES - 1:
                await asyncio.sleep(0)  # let requests have their turn
        group.heard_us = max(group.heard_us, *(heard[asset_id][1] for asset_id in moved))
        return told
