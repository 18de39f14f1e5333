"""On whose clock an asset lives, where recordings' clocks stand, and which assets moved on since their last checkpoint."""

from __future__ import annotations

from collections.abc import Collection

from store.pool import Connection
from store.queries import load

SQL = load("clocks")

RecordingClock = tuple[str, str]
"""(tenant, feed) of a feed whose clock is a recording's."""


async def of_assets(conn: Connection, asset_ids: Collection[str]) -> dict[str, RecordingClock]:
    """The recording's feed that spoke last of each asset; an asset whose last word was live is left out."""
    cursor = await conn.execute(SQL["of_assets"], {"asset_ids": list(asset_ids)})
    return {row["asset_id"]: (row["tenant"], row["feed"]) for row in await cursor.fetchall()}


async def recordings(conn: Connection) -> dict[RecordingClock, int]:
    """Greatest event time (microseconds) stored of each recording's feed: where its clock stands after a restart."""
    cursor = await conn.execute(SQL["recordings"])
    return {(row["tenant"], row["feed"]): row["time"] for row in await cursor.fetchall()}


async def behind(conn: Connection, shards: Collection[int], limit: int) -> list[str]:
    """Assets of these shards with a reading after their newest checkpoint (or without one), longest silent first.

    After a restart their wakes are not on record; loading them finds out.
    """
    cursor = await conn.execute(SQL["behind"], {"shards": list(shards), "limit": limit})
    return [row["asset_id"] for row in await cursor.fetchall()]
