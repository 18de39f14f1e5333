"""Detector states as bytes: the newest per asset, and the last of each 6 h before it to derive again from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fleet.instants import to_datetime
from store import arrays
from store.pool import Connection
from store.queries import load
from store.rows import CheckpointRow
from store.staging import INSTANT

SQL = load("checkpoints")
COLUMNS = {"asset_id": "uuid", "time": INSTANT, "shard": "int2", "wake_at": INSTANT, "state": "bytea", "commit_no": "int8"}
EARLIEST_US = -62_135_596_800_000_000  # year 1: what Python and the table can both say
LATEST_US = 253_402_300_799_999_999  # the end of year 9999


class Checkpoint(msgspec.Struct, frozen=True):
    """A state that has stepped everything up to and including `time_us`; `wake_at_us` is the next tick it asked for."""

    asset_id: str
    time_us: int
    wake_at_us: int | None
    state: bytes


async def write(conn: Connection, rows: Sequence[CheckpointRow], commit_nos: Mapping[int, int]) -> None:
    """Keep states; of each 6 h of an asset the last one stays, and only the newest of all asks to be woken."""
    if not rows:
        return
    last = {(row.asset_id, row.time_us): row for row in rows}.values()
    held = [(row.asset_id, row.time_us, row.shard, row.wake_at_us, row.state, commit_nos[row.shard]) for row in last]
    await conn.execute(SQL["write"], arrays.columns(COLUMNS, held))
    asset_ids = sorted({row.asset_id for row in rows})
    await conn.execute(SQL["thin"], {"asset_ids": asset_ids})
    await conn.execute(SQL["settle"], {"asset_ids": asset_ids})


async def latest_before(conn: Connection, asset_id: str, at_us: int) -> Checkpoint | None:
    """The newest state of an asset that has stepped nothing at or after an instant; None: begin with its first reading."""
    cursor = await conn.execute(SQL["latest_before"], {"asset_id": asset_id, "at": _moment(at_us)})
    row = await cursor.fetchone()
    return None if row is None else _checkpoint_of(row)


async def since(conn: Connection, asset_id: str, from_us: int) -> list[Checkpoint]:
    """The states of an asset that have stepped something at or after an instant, in order; at most one per 6 h of the horizon."""
    cursor = await conn.execute(SQL["since"], {"asset_id": asset_id, "from": _moment(from_us)})
    return [_checkpoint_of(row) for row in await cursor.fetchall()]


async def newest(conn: Connection, asset_ids: Collection[str]) -> dict[str, Checkpoint]:
    """The state of each asset as it stands; an asset without one is left out."""
    cursor = await conn.execute(SQL["newest"], {"asset_ids": list(asset_ids)})
    return {row["asset_id"]: _checkpoint_of(row) for row in await cursor.fetchall()}


async def due(conn: Connection, shards: Iterable[int], until_us: int, limit: int) -> list[tuple[str, int]]:
    """(asset_id, wake_at_us) of assets that asked for a tick at or before an instant, the most overdue first."""
    binds = {"shards": sorted(shards), "until": _moment(until_us), "limit": limit}
    cursor = await conn.execute(SQL["due"], binds)
    return [(row["asset_id"], row["wake_at"]) for row in await cursor.fetchall()]


async def drop_from(conn: Connection, asset_id: str, from_us: int) -> None:
    """Forget an asset's states at and after an instant: a late reading made them wrong."""
    await conn.execute(SQL["drop_from"], {"asset_id": asset_id, "from": _moment(from_us)})


def _moment(time_us: int) -> Any:
    return to_datetime(min(max(time_us, EARLIEST_US), LATEST_US))


def _checkpoint_of(row: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(row["asset_id"], row["time"], row["wake_at"], row["state"])
