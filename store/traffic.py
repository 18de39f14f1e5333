"""Who else is around: last fixes of what is on a tenant's feeds and is none of its assets."""

from __future__ import annotations

import msgspec

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("traffic")


class TrafficFix(msgspec.Struct, frozen=True):
    """The last position of something that is no asset of the feed's tenant; speed in knots, or None.

    `kind` is its type in words (`tug`), where it said one.
    """

    tenant: str
    origin: str
    asset_class: str
    name: str
    time_us: int
    lat_deg: float
    lon_deg: float
    speed_kn: float | None
    kind: str | None = None


async def fixes_at(conn: Connection, tenant: str, at_us: int, window_us: int) -> list[TrafficFix]:
    """Last fixes in (at − window, at] on the tenant's own feeds and on those of the operator granted to it at their time.

    Only the last fix is kept of each: one that moved on since the instant is left out, so that too few are named rather than
    too many.
    """
    binds = {"tenant": tenant, "at": to_datetime(at_us), "since": to_datetime(at_us - window_us)}
    cursor = await conn.execute(SQL["fixes_at"], binds)
    return [
        TrafficFix(
            tenant=row["tenant"],
            origin=row["origin"],
            asset_class=row["class"],
            name=f"{row['scheme']}:{row['value']}",
            time_us=row["time"],
            lat_deg=row["lat_deg"],
            lon_deg=row["lon_deg"],
            speed_kn=row["speed_kn"],
            kind=row["kind"],
        )
        for row in await cursor.fetchall()
    ]


async def is_known(conn: Connection, tenant: str) -> bool:
    """Whether anything on a tenant's feeds, or on those of the operator granted to it, is no asset of anybody there."""
    row = await (await conn.execute(SQL["is_known"], {"tenant": tenant})).fetchone()
    return row is not None and bool(row["known"])
