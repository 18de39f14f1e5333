"""Assets to derive again because a reading came late (design 5.7): marked with the reading, cleared with the revisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load
from store.rows import DirtyRow

SQL = load("dirty")
WAIT_MAX_US = 60_000_000  # chosen: a second, slower feed is late with every reading, and a minute of them serves as one


class Dirty(msgspec.Struct, frozen=True):
    """An asset to derive again from `from_us` (event time); `marked_us` (wall time) tells this mark from a later one."""

    asset_id: str
    from_us: int
    marked_us: int


def marks(rows: Sequence[DirtyRow], commit_nos: Mapping[int, int]) -> dict[str, list[Any]]:
    """What a `mark` query binds: one mark an asset, with the earliest instant of all of its rows."""
    earliest: dict[str, DirtyRow] = {}
    for row in rows:
        held = earliest.get(row.asset_id)
        if held is None or row.from_us < held.from_us:
            earliest[row.asset_id] = row
    marked = earliest.values()
    return {
        "asset_id": [row.asset_id for row in marked],
        "shard": [row.shard for row in marked],
        "from": [to_datetime(row.from_us) for row in marked],
        "commit_no": [commit_nos[row.shard] for row in marked],
    }


async def mark(conn: Connection, rows: Sequence[DirtyRow], commit_nos: Mapping[int, int]) -> None:
    """Mark assets; each keeps the earliest instant of all its marks, and its quiet begins anew."""
    if rows:
        await conn.execute(SQL["mark"], marks(rows, commit_nos))


async def due(conn: Connection, shards: Iterable[int], quiet_us: int, limit: int) -> list[Dirty]:
    """Assets of these shards not marked again for `quiet_us` (wall time), or waiting for `WAIT_MAX_US`; the longest first."""
    binds = {"shards": sorted(shards), "quiet_us": quiet_us, "wait_max_us": WAIT_MAX_US, "limit": limit}
    cursor = await conn.execute(SQL["due"], binds)
    return [Dirty(row["asset_id"], row["from_time"], row["marked_at"]) for row in await cursor.fetchall()]


async def next_due(conn: Connection, shards: Iterable[int], quiet_us: int) -> int | None:
    """When `due` will next give something (wall time, microseconds), None while nothing is marked."""
    cursor = await conn.execute(SQL["next_due"], {"shards": sorted(shards), "quiet_us": quiet_us})
    row = await cursor.fetchone()
    return None if row is None else row["time"]


async def begin(conn: Connection, dirty: Dirty) -> bool:
    """Keep what marks the asset from now on apart, because its derivation takes a while; False: marked again already."""
    binds = {"asset_id": dirty.asset_id, "marked_at": to_datetime(dirty.marked_us)}
    return (await conn.execute(SQL["begin"], binds)).rowcount == 1


async def clear(conn: Connection, dirty: Dirty) -> bool:
    """Take the mark away, in the transaction that writes what was derived; False: marked again meanwhile, and it stays."""
    binds = {"asset_id": dirty.asset_id, "marked_at": to_datetime(dirty.marked_us)}
    return (await conn.execute(SQL["clear"], binds)).rowcount == 1


async def narrow(conn: Connection, asset_id: str) -> None:
    """Leave of an asset's marks those set since `begin`: the earlier ones were derived, in this transaction."""
    await conn.execute(SQL["narrow"], {"asset_id": asset_id})


async def mark_tenant(conn: Connection, tenant: str, asset_id: str | None, from_us: int | None, *, apply: bool) -> int:
    """Mark a tenant's assets that have readings (or one of them) from an instant on (None: their first reading).

    Returns:
        How many are, or without `apply` would be, marked.
    """
    binds = {"tenant": tenant, "asset_id": asset_id, "from": None if from_us is None else to_datetime(from_us)}
    cursor = await conn.execute(SQL["mark_tenant" if apply else "count_tenant"], binds)
    row = await cursor.fetchone()
    return 0 if row is None else int(row["count"])
