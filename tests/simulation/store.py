"""A store in memory behind the port: connections that break, commits whose reply is lost, locks that are waited for.

Each worker has its own `MemoryStore`, as each has its own connections; the tables behind them are one. Every word is a round
trip: it takes time, and anything may happen meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from random import Random
from typing import Any, cast

import msgspec
import psycopg

from ingest.ports import Transaction
from store.rows import CountRow
from tests.simulation.faults import Faults
from tests.simulation.loop import VirtualClock
from tests.simulation.tables import Tables, Words

ROUND_TRIP_S = (0.0001, 0.001)
DEADLOCK_S = 5.0  # PostgreSQL looks after one second; a commit under way may take three here
LATE_S = (0.01, 3.0)  # how long a commit may be under way after its connection broke
NOTICED_S = (0.001, 0.5)  # how long a server holds the locks of a client that vanished


class Committed(msgspec.Struct, frozen=True):
    """One committed transaction as the auditor sees it: by which worker, what it counted."""

    worker: int
    counts: list[CountRow]


class Database:
    """The tables, the locks on them, what was committed in order, and whether anybody gets in."""

    def __init__(self, tables: Tables, clock: VirtualClock, note: Callable[[str], None]) -> None:
        self.tables = tables
        self.clock = clock
        self.note = note
        self.committed: list[Committed] = []
        self.up = asyncio.Event()
        self.up.set()
        self.calls: list[list[tuple[str, tuple[Any, ...], dict[str, Any], Any]]] | None = None
        self._locks: dict[Any, asyncio.Lock] = {}

    def lock(self, key: Any) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())


class MemoryStore:
    """The store of one worker. `crash` is called when this worker is to die at a commit."""

    def __init__(self, database: Database, worker: int, faults: Callable[[], Faults], draw: Random) -> None:
        self.database = database
        self.worker = worker
        self.faults = faults
        self.draw = draw
        self.is_dead = False
        self.crash: Callable[[], None] = lambda: None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction around a block."""
        self._look()
        attempt = _Remote(self, Words(self.database.tables, self.database.clock.true_us()))
        try:
            yield cast("Transaction", attempt)
            await attempt.finish()
        except asyncio.CancelledError:
            attempt.abandon()
            raise
        finally:
            attempt.release()

    async def hop(self) -> None:
        """A round trip to the server."""
        self._look()
        if self.faults().cut and self.draw.random() < self.faults().cut:
            self.database.note("cut")
            raise psycopg.OperationalError("the connection was cut")
        await asyncio.sleep(self.draw.uniform(*ROUND_TRIP_S) if self.draw.random() < 0.2 else 0)
        self._look()

    def _look(self) -> None:
        if self.is_dead:
            raise asyncio.CancelledError
        if not self.database.up.is_set():
            raise psycopg.OperationalError("the database is away")


class _Remote:
    """A transaction over the network: each word waits for its locks and its round trip."""

    def __init__(self, store: MemoryStore, words: Words) -> None:
        self._store = store
        self._words = words
        self._held: list[asyncio.Lock] = []
        self._calls: list[tuple[str, tuple[Any, ...], dict[str, Any], Any]] = []

    def __getattr__(self, word: str) -> Any:
        answer = getattr(self._words, word)

        async def ask(*arguments: Any, **named: Any) -> Any:
            await self._store.hop()
            await self._lock(word, arguments)
            self._words.now_us = self._store.database.clock.true_us()
            said = answer(*arguments, **named)
            if self._store.database.calls is not None:
                self._calls.append(deepcopy((word, arguments, named, said)))  # as they are now
            return said

        return ask

    async def _lock(self, word: str, arguments: tuple[Any, ...]) -> None:
        """Wait for the rows that a word locks, in one order: shards for numbers, streams for those that are made."""
        if word in {"begin", "claim"}:
            shards = arguments[0] if word == "claim" else arguments[1]
            await self._hold([("shard", shard) for shard in sorted(set(shards))])
        elif word == "resolve_streams":
            await self._hold(
                [("stream", key) for key in sorted(set(arguments[0]) - self._store.database.tables.table("stream").keys())]
            )

    async def _hold(self, keys: list[Any]) -> None:
        for key in keys:
            lock = self._store.database.lock(key)
            if lock not in self._held:
                try:
                    await asyncio.wait_for(lock.acquire(), DEADLOCK_S)
                except TimeoutError:
                    raise psycopg.errors.DeadlockDetected("waited too long for a lock") from None
                self._held.append(lock)

    async def finish(self) -> None:
        """Commit, and hear of it, or not."""
        store, faults = self._store, self._store.faults()
        await store.hop()
        fate = store.draw.random()
        if fate < faults.failed_commit:
            store.database.note("commit failed")
            raise psycopg.OperationalError("the connection broke before the commit")
        if fate < faults.failed_commit + faults.late_commit:
            if self._words.has_written:
                self._commit_later()
            raise psycopg.OperationalError("the connection broke during the commit")
        self._apply()
        if fate < faults.failed_commit + faults.late_commit + faults.lost_reply:
            store.database.note("reply lost")
            raise psycopg.OperationalError("the connection broke after the commit")
        if faults.crash_at_commit and self._words.counted and store.draw.random() < faults.crash_at_commit:
            store.crash()
        self.release()
        await asyncio.sleep(store.draw.uniform(*ROUND_TRIP_S))

    def _apply(self) -> None:
        database = self._store.database
        self._words.commit()
        database.committed.append(Committed(self._store.worker, list(self._words.counted)))
        if database.calls is not None:
            database.calls.append(self._calls)
        database.note(f"commit {self._store.worker} {sum(row.received for row in self._words.counted)}")

    def _commit_later(self) -> None:
        """The server has the commit, the client has no connection any more: it is done some time from now."""
        held, self._held = self._held, []

        def done() -> None:
            self._apply()
            for lock in held:
                lock.release()

        self._store.database.note("commit under way")
        asyncio.get_running_loop().call_later(self._store.draw.uniform(*LATE_S), done)

    def abandon(self) -> None:
        """The worker died inside: the server rolls back when it notices."""
        held, self._held = self._held, []
        loop = asyncio.get_running_loop()
        for lock in held:
            loop.call_later(self._store.draw.uniform(*NOTICED_S), lock.release)

    def release(self) -> None:
        for lock in self._held:
            lock.release()
        self._held = []
