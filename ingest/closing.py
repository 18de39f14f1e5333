"""Hours that are over get their spreads, beside the worker's loop and over a connection of its own.

Nothing waits for it: an hour that is not closed yet is read from its readings. It takes at most half of a connection's time.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from store import spreads
from store.faults import AWAY
from store.pool import Pool

IDLE_S = 30.0  # chosen: an hour is closed ten minutes after its end at the earliest, so half a minute more is nothing
REST_S_MIN = 0.1


async def close_hours(pool: Pool) -> None:
    """Close hours until cancelled; nothing while the database is away."""
    while True:
        began_s, closed = time.monotonic(), 0
        with contextlib.suppress(*AWAY):
            async with pool.connection() as conn:
                closed = await spreads.close_hours(conn)
        await asyncio.sleep(max(REST_S_MIN, time.monotonic() - began_s) if closed else IDLE_S)
