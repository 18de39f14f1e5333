"""The notifier: a process that delivers the outbox.

It claims due deliveries for a while, sends them side by side within bounds, and records each attempt with what follows. A
claim that is not recorded lapses, so a notifier killed at any moment loses nothing: the delivery is made again under the same
webhook-id. While the database is away it waits; what it sent meanwhile it records when the database is back.

It wakes when an event enters the outbox (LISTEN), when an attempt ends, when the next retry is due, and every `poll_max_s`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TypeVar

import structlog

from alerts.delivery import ATTEMPT_TIMEOUT_S, Message, Sender, encode_event
from alerts.lifecycle import event_id
from alerts.metrics import NotifierMetrics
from alerts.policy import ENDPOINT_GRACE_US, Answer, Judgement, judge
from fleet.instants import from_datetime, to_rfc3339
from store import dispatch, figures
from store.deliveries import Attempt, Delivery, Outcome, State
from store.faults import AWAY
from store.pool import Connection, Pool, open_pool
from store.rows import EventRow
from store.walled import DatabaseAway, listen

Result = TypeVar("Result")

log = structlog.get_logger(__name__)

POOL_MAX = 4
"""Connections beside the listening one: a claim and a few records at a time; a record takes milliseconds."""

AWAY_WAITS_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits between tries while the database is away; the last repeats. Chosen: back within seconds of the database's return."""

RECORD_TRIES_S = 120.0
"""How long an attempt that was made waits to be recorded while the database is away; then its claim has lapsed long since and it
is made again. Chosen: an ordinary restart of a server fits, and memory stays bounded by the places anyway."""

LEASE_MARGIN_S = 10.0
"""A claim outlasts its attempt by this, for recording it."""

TELL_EVERY_S = 1.0
"""Least time between two records of rounds while attempts are under way. Chosen: what a person can follow."""

FIGURES_EVERY_S = 15.0
"""Time between two looks at what waits, for the metrics. Chosen: as often as Prometheus asks by habit."""

_STATES: dict[str, State] = {"sent": "sent", "retry": "pending", "exhausted": "exhausted", "refused": "failed"}


@dataclass(frozen=True, kw_only=True)
class NotifierSettings:
    """What a notifier needs to know.

    Attributes:
        database_url: the worker's login.
        allow_private: whether webhooks may go to private addresses and by plain http.
        concurrency_max: attempts under way at most. 16: they wait for others, not for us.
        endpoint_concurrency_max: attempts under way to one endpoint at most. 4: a slow one leaves places to the others.
        attempt_timeout_s: time for one attempt.
        lease_s: how long a claim lasts; after a kill, deliveries in hand wait this long.
        poll_max_s: longest wait without looking, should a notification be lost with its connection.
        drain_s: time attempts under way get when the notifier is told to stop; below the 10 s that the whole stack has.
    """

    database_url: str
    allow_private: bool = False
    concurrency_max: int = 16
    endpoint_concurrency_max: int = 4
    attempt_timeout_s: float = ATTEMPT_TIMEOUT_S
    lease_s: float = ATTEMPT_TIMEOUT_S + LEASE_MARGIN_S
    poll_max_s: float = 30.0
    drain_s: float = 5.0


async def run(
    settings: NotifierSettings,
    stop: asyncio.Event,
    random: Random | None = None,
    metrics: NotifierMetrics | None = None,
) -> None:
    """Deliver the outbox until `stop` is set, then let attempts under way end within `drain_s`.

    Waits for a database that is away, at the start too. Several notifiers may run on one database.

    Args:
        settings: see there.
        stop: set it on SIGTERM.
        random: for the jitter of retries; unseeded when None.
        metrics: told of every attempt; None when nobody will ask.

    Raises:
        ExceptionGroup: a programmer's error in a task; claims lapse and the next notifier goes on.
    """
    pool = await _pool_when_up(settings.database_url, stop)
    if pool is None:
        return
    try:
        async with Sender(allow_private=settings.allow_private, timeout_s=settings.attempt_timeout_s) as sender:
            random = random or Random()  # noqa: S311  jitter is no secret
            await _Notifier(settings, stop, pool, sender, random, metrics or NotifierMetrics()).run()
    finally:
        await pool.close()


class _Notifier:
    """The places, the wake-up and the counts of one running notifier."""

    def __init__(
        self,
        settings: NotifierSettings,
        stop: asyncio.Event,
        pool: Pool,
        sender: Sender,
        random: Random,
        metrics: NotifierMetrics,
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._pool = pool
        self._sender = sender
        self._random = random
        self._wake = asyncio.Event()
        self._under_way: dict[asyncio.Task[None], Delivery] = {}
        self._metrics = metrics
        self._metrics.under_way.set_function(lambda: len(self._under_way))
        self._counts: Counter[str] = Counter()
        self._told_s = 0.0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            side = [
                group.create_task(self._listen(), name="notifier-listen"),
                group.create_task(self._wake_on_stop(), name="notifier-stop"),
                group.create_task(self._look_at_outbox(), name="notifier-figures"),
            ]
            while not self._stop.is_set():
                await self._round(group)
            await self._drain()
            for task in side:
                task.cancel()

    async def _round(self, group: asyncio.TaskGroup) -> None:
        """Claim what there are places for, begin it, tell the counts, wait for a reason to look again."""
        self._wake.clear()
        began_s = time.monotonic()
        free = self._settings.concurrency_max - len(self._under_way)

        async def claim(conn: Connection) -> dispatch.Turn:
            return await dispatch.claim(conn, free, self._settings.lease_s, self._settings.endpoint_concurrency_max)

        turn = await self._with_database(claim, "claim", self._stop)
        if turn is None:
            return
        in_hand = {(one.webhook_id, one.event_id) for one in self._under_way.values()}
        for delivery in turn.deliveries:
            if (delivery.webhook_id, delivery.event_id) in in_hand:
                continue  # its claim lapsed while its attempt waits to be recorded; it is still ours
            task = group.create_task(self._deliver(delivery), name=f"deliver-{delivery.event_id}")
            self._under_way[task] = delivery
            task.add_done_callback(self._ended)
        self._counts["claimed"] += len(turn.deliveries)
        self._tell(began_s)
        due_in_s = self._settings.poll_max_s if turn.due_in_s is None else min(turn.due_in_s, self._settings.poll_max_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), max(due_in_s, 0.001))

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._wake.set()

    async def _deliver(self, delivery: Delivery) -> None:
        """One attempt, whatever comes of it, and its record."""
        started_us, began_s = _now_us(), time.monotonic()
        message = Message(
            event_id=delivery.event_id,
            url=delivery.url,
            secrets=delivery.secrets,
            body=encode_event(delivery.body, delivery.sequence),
        )
        answer = await self._sender.send(message, started_us)
        attempt = Attempt(
            event_id=delivery.event_id,
            webhook_id=delivery.webhook_id,
            tenant=delivery.tenant,
            attempt=delivery.attempts + 1,
            started_us=started_us,
            duration_ms=round((time.monotonic() - began_s) * 1000),
            status_code=answer.status_code,
            error=answer.error,
            response_excerpt=answer.excerpt,
        )

        async def record(conn: Connection) -> Judgement:
            return await self._record(conn, delivery, attempt, answer)

        judgement = await self._with_database(record, "record", None)
        verdict = "unrecorded" if judgement is None else judgement.verdict
        self._counts[verdict] += 1
        self._metrics.attempted(verdict, attempt.duration_ms)

    async def _record(self, conn: Connection, delivery: Delivery, attempt: Attempt, answer: Answer) -> Judgement:
        """Judge within the transaction that records, so that what is told is what was written."""
        now_us = _now_us()
        succeeded = answer.status_code is not None and 200 <= answer.status_code < 300
        failing_since_us = None
        if not succeeded:
            failing_since_us = await dispatch.failing_since(conn, delivery, now_us - ENDPOINT_GRACE_US)
        judgement = judge(answer, attempt.attempt, now_us, failing_since_us, self._random)
        outcome = Outcome(
            state=_STATES[judgement.verdict], next_attempt_us=judgement.next_attempt_us, disable_reason=judgement.disable
        )
        event = None
        if judgement.disable is not None:
            event = disabled_event(delivery, judgement.disable, now_us, failing_since_us)
        if await dispatch.finish(conn, attempt, outcome, event):
            self._counts["disabled"] += 1
            self._metrics.disabled.inc()
        return judgement

    async def _with_database(
        self, work: Callable[[Connection], Awaitable[Result]], action: str, until: asyncio.Event | None
    ) -> Result | None:
        """Do `work` in a transaction, again and again while the database is away.

        The one place where the notifier retries the database. Gives up, with None, when `until` is set, or without one after
        `RECORD_TRIES_S`.
        """
        began_s, tries = time.monotonic(), 0
        while until is None or not until.is_set():
            try:
                async with self._pool.connection() as conn:
                    result = await work(conn)
            except AWAY as error:
                self._metrics.refused()
                wait_s = AWAY_WAITS_S[min(tries, len(AWAY_WAITS_S) - 1)]
                log.warning("notifier", action=action, database="away", reason=str(error), tries=tries + 1, wait_s=wait_s)
            else:
                self._metrics.answered()
                return result
            if until is None and time.monotonic() - began_s > RECORD_TRIES_S:
                return None
            tries += 1
            await _pause(until, wait_s)
        return None

    async def _listen(self) -> None:
        """Wake the rounds at every event, and once when listening begins, for what came before."""
        tries = 0
        while True:
            try:
                async for _ in listen(self._settings.database_url, (dispatch.CHANNEL,), self._settings.poll_max_s):
                    tries = 0
                    self._metrics.listening.set(1)
                    self._wake.set()
            except DatabaseAway:  # the rounds log it, with the number of their tries
                self._metrics.listening.set(0)
                await asyncio.sleep(AWAY_WAITS_S[min(tries, len(AWAY_WAITS_S) - 1)])
                tries += 1

    async def _look_at_outbox(self) -> None:
        """Count what waits, now and then."""
        while not self._stop.is_set():
            found = await self._with_database(figures.outbox, "figures", self._stop)
            if found is not None:
                self._metrics.counted(found)
            await _pause(self._stop, FIGURES_EVERY_S)

    async def _wake_on_stop(self) -> None:
        await self._stop.wait()
        self._wake.set()

    async def _drain(self) -> None:
        """Let attempts end; cut the rest off and give their claims back, so that the next notifier has them at once."""
        began_s = time.monotonic()
        cut: dict[asyncio.Task[None], Delivery] = {}
        if self._under_way:
            await asyncio.wait(list(self._under_way), timeout=self._settings.drain_s)
            cut = dict(self._under_way)
        for task in cut:
            task.cancel()
        if cut:
            await asyncio.wait(list(cut))
            with contextlib.suppress(*AWAY):  # then they lapse
                async with self._pool.connection(timeout=1.0) as conn:
                    await dispatch.release(conn, list(cut.values()))
        self._counts["cut"] += len(cut)
        self._tell(began_s, action="drain")

    def _tell(self, began_s: float, action: str = "round") -> None:
        """One wide record of what happened since the last one: none when nothing did, at most one a second while busy."""
        counts = {name: count for name, count in self._counts.items() if count}
        now_s = time.monotonic()
        busy = bool(self._under_way) and now_s - self._told_s < TELL_EVERY_S
        if action == "round" and (busy or not counts):
            return
        log.info("notifier", action=action, took_ms=round((now_s - began_s) * 1000), under_way=len(self._under_way), **counts)
        self._told_s = now_s
        self._counts.clear()


def disabled_event(delivery: Delivery, reason: str, now_us: int, failing_since_us: int | None) -> EventRow:
    """The operational event that tells a tenant's other endpoints that one was disabled: why, and since when it failed."""
    made_id = event_id(f"webhook/{delivery.webhook_id}", now_us)
    subject = f"webhook/{delivery.webhook_id}"
    body = {
        "specversion": "1.0",
        "id": made_id,
        "source": f"/keelwing/{delivery.tenant}",
        "type": dispatch.DISABLED_TYPE,
        "subject": subject,
        "time": to_rfc3339(now_us),
        "datacontenttype": "application/json",
        "data": {
            "id": delivery.webhook_id,
            "status": "disabled",
            "disabled_at": to_rfc3339(now_us),
            "disabled_reason": reason,
            "failing_since": None if failing_since_us is None else to_rfc3339(failing_since_us),
        },
    }
    return EventRow(
        event_id=made_id,
        tenant=delivery.tenant,
        type=dispatch.DISABLED_TYPE,
        subject=subject,
        severity=None,
        time_us=now_us,
        body=body,
    )


async def _pool_when_up(url: str, stop: asyncio.Event) -> Pool | None:
    """The pool, as soon as the database answers; None when told to stop before."""
    tries = 0
    while not stop.is_set():
        try:
            return await open_pool(url, "keelwing_worker", POOL_MAX, wait_s=5.0)
        except AWAY as error:
            log.warning("notifier", action="start", database="away", reason=str(error), tries=tries + 1)
        await _pause(stop, AWAY_WAITS_S[min(tries, len(AWAY_WAITS_S) - 1)])
        tries += 1
    return None


async def _pause(until: asyncio.Event | None, wait_s: float) -> None:
    """Wait, or less when `until` is set meanwhile."""
    if until is None:
        await asyncio.sleep(wait_s)
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(until.wait(), wait_s)


def _now_us() -> int:
    return from_datetime(datetime.now(UTC))
