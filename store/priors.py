"""What assets add to the priors of their type, hour by hour of event time, as bytes that only `detect` can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load
from store.rows import ContributionRow

SQL = load("priors")
KEPT_DAYS = 8  # chosen: a prior is made of the last week's hours, and the horizon may ask for one of some days ago


async def write(conn: Connection, rows: Sequence[ContributionRow], commit_nos: Mapping[int, int]) -> None:
    """Keep contributions; one of the same asset and hour is replaced, the last of `rows` counts."""
    if not rows:
        return
    last = {(row.asset_id, row.hour_us): row for row in rows}.values()
    binds = {
        "asset_id": [row.asset_id for row in last],
        "hour": [to_datetime(row.hour_us) for row in last],
        "contribution": [row.contribution for row in last],
        "commit_no": [commit_nos[row.shard] for row in last],
    }
    await conn.execute(SQL["write"], binds)


async def of_group(conn: Connection, tenant: str, asset_class: str, asset_type: str | None) -> list[bytes]:
    """What the assets of a tenant, class and type (None and "" are the same) gave lately, oldest hour first."""
    binds = {"tenant": tenant, "class": asset_class, "type": asset_type or "", "days": KEPT_DAYS}
    return [row["contribution"] for row in await (await conn.execute(SQL["of_group"], binds)).fetchall()]
