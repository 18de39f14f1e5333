"""What the scene told each asset's step, as dated rows, so that deriving again reads the same (design 5.5, 5.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fleet.instants import to_datetime
from fleet.shards import SHARDS
from store.pool import Connection
from store.queries import load
from store.rows import SceneRow

SQL = load("scenes")


async def write(conn: Connection, rows: Sequence[SceneRow], commit_nos: Mapping[int, int]) -> None:
    """Keep contexts; one of the same asset and bucket is replaced, the last of `rows` counts."""
    if not rows:
        return
    last = {(row.asset_id, row.at_us): row for row in rows}.values()
    binds = {
        "tenant": [row.tenant for row in last],
        "asset_id": [row.asset_id for row in last],
        "at": [to_datetime(row.at_us) for row in last],
        "neighbours_heard": [row.neighbours_heard for row in last],
        "neighbours_known": [row.neighbours_known for row in last],
        "feed_down": [row.feed_down for row in last],
        "neighbours_still": [row.neighbours_still for row in last],
        "neighbours_behind": [row.neighbours_behind for row in last],
        "neighbours_lost": [row.neighbours_lost for row in last],
        "commit_no": [commit_nos[row.shard] for row in last],
    }
    await conn.execute(SQL["write"], binds)


async def at(conn: Connection, asset_id: str, from_us: int, to_us: int) -> list[SceneRow]:
    """What an asset was told in [from, to) of event time, oldest first."""
    binds = {"asset_id": asset_id, "from": to_datetime(from_us), "to": to_datetime(to_us)}
    return [_scene_of(row) for row in await (await conn.execute(SQL["at"], binds)).fetchall()]


async def of_tenant(conn: Connection, tenant: str, from_us: int, limit: int) -> list[SceneRow]:
    """What a tenant's assets were told from an instant of event time on, newest first, at most `limit`."""
    binds = {"tenant": tenant, "from": to_datetime(from_us), "limit": limit}
    return [_scene_of(row) for row in await (await conn.execute(SQL["of_tenant"], binds)).fetchall()]


async def newest(conn: Connection) -> dict[str, int]:
    """The newest bucket (microseconds) that any asset of each tenant was told of."""
    return {row["tenant"]: row["at"] for row in await (await conn.execute(SQL["newest"])).fetchall()}


def _scene_of(row: Mapping[str, Any]) -> SceneRow:
    return SceneRow(
        tenant=row["tenant"],
        asset_id=row["asset_id"],
        shard=row["commit_no"] % SHARDS,
        at_us=row["at"],
        neighbours_heard=row["neighbours_heard"],
        neighbours_known=row["neighbours_known"],
        feed_down=row["feed_down"],
        neighbours_still=row["neighbours_still"],
        neighbours_behind=row["neighbours_behind"],
        neighbours_lost=row["neighbours_lost"],
    )
