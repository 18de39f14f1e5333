"""When the worker listened to which origin: time outside these intervals is unknown, not silence (design 4.2)."""

from __future__ import annotations

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("listening")


async def extend(conn: Connection, tenant: str, origin: str, from_us: int, to_us: int, gap_max_us: int) -> None:
    """Note that we listened in [from, to); intervals no further away than `gap_max_us` become one with it.

    Several listeners of one origin must take turns (the worker that owns shard 0 does it); two at once may conflict.
    """
    if to_us <= from_us:
        return
    binds = {"tenant": tenant, "origin": origin, "from": to_datetime(from_us), "to": to_datetime(to_us)}
    await conn.execute(SQL["extend"], {**binds, "gap_max_us": gap_max_us})


async def during(conn: Connection, tenant: str, origin: str, from_us: int, to_us: int) -> list[tuple[int, int]]:
    """The intervals, (from, to) in microseconds, that reach into [from, to), oldest first, uncut."""
    binds = {"tenant": tenant, "origin": origin, "from": to_datetime(from_us), "to": to_datetime(to_us)}
    cursor = await conn.execute(SQL["during"], binds)
    return [(row["from_time"], row["to_time"]) for row in await cursor.fetchall()]
