"""The one place where the database's absence is waited out: the same transaction again, within bounds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from ingest.ports import Clock, Store, Transaction
from store import faults
from store.pool import Pool, open_pool

log = structlog.get_logger(__name__)
T = TypeVar("T")

RETRY_FIRST_S = 0.05
RETRY_LAST_S = 5.0
OPEN_S_MAX = 2.0  # for a first connection, before the log says that the database is away


class Patience:
    """A store that may be away.

    `away_since_s` (monotonic) is None while it answers, `refusals` counts failed attempts, `commit_ms` is how long the last
    commit took.
    """

    def __init__(self, store: Store, clock: Clock, retry_s_max: float) -> None:
        self.store = store
        self.clock = clock
        self.away_since_s: float | None = None
        self.refusals = 0
        self.commit_ms = 0.0
        self._retry_s_max = retry_s_max

    async def patiently(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run work in one transaction, again and again while the database is away, up to `retry_s_max`."""
        deadline_s = self.clock.monotonic_s() + self._retry_s_max
        wait_s = RETRY_FIRST_S
        while True:
            try:
                async with self.store.transaction() as tx:
                    result = await work(tx)
                    worked_s = self.clock.monotonic_s()
            except faults.AWAY as error:
                self.refusals += 1
                self.away_since_s = self.away_since_s or self.clock.monotonic_s()
                if self.clock.monotonic_s() > deadline_s:
                    raise TimeoutError("the database stayed away") from error
                log.warning("database.away", error=str(error)[:200], retry_in_s=wait_s)
            else:
                self.commit_ms = (self.clock.monotonic_s() - worked_s) * 1000
                self.away_since_s = None
                return result
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RETRY_LAST_S)


async def open_pool_patiently(
    database_url: str, pool_max: int, retry_s_max: float, stop: asyncio.Event | None = None
) -> Pool | None:
    """The worker's pool, as soon as the database is there; None when told to stop before.

    Raises:
        store.faults.AWAY: it is not there within `retry_s_max`.
    """
    deadline_s = time.monotonic() + retry_s_max
    while stop is None or not stop.is_set():
        try:
            return await open_pool(database_url, "keelwing_worker", pool_max, wait_s=OPEN_S_MAX)
        except faults.AWAY as error:
            if time.monotonic() > deadline_s:
                raise
            log.warning("database.away", error=str(error)[:200])
    return None
