"""Static reports: what is the newest of each stream."""

from __future__ import annotations

from collections.abc import Collection

from store.pool import Connection
from store.queries import load

SQL = load("statics")


async def newest(conn: Connection, stream_ids: Collection[int]) -> dict[int, int]:
    """Event time (microseconds) of the newest static report of each stream; a stream without one is left out."""
    cursor = await conn.execute(SQL["newest"], {"stream_ids": list(stream_ids)})
    return {row["stream_id"]: row["time"] for row in await cursor.fetchall()}
