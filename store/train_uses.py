"""What a trainset's figures are counted from: its days, the activities at the edges, and the cars that were in it.

Inside a scope (`store.pool.scope`); facts come as `fleet.use` has them. Neighbours: `uses` writes them, `lifecycle` says what was
believed when.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg import sql

from fleet.instants import DAY_US, to_datetime
from fleet.use import Activity, UseDay
from store.lifecycle import Told, believed
from store.pool import Connection
from store.queries import load
from store.uses import activity_of, day_of

SQL = load("train_uses")
Row = dict[str, Any]
CARS_MAX = 1000  # chosen: sixteen cars, each changed every month for five years


async def use_between(
    conn: Connection, told: Told, from_us: int, to_us: int, cuts_us: Collection[int] = ()
) -> tuple[list[UseDay], list[Activity]]:
    """Days and activities that together are the use in [from_us, to_us), for `fleet.use.used` and for cuts at any of `cuts_us`.

    Whole days are given by their sums; a day that is cut, or has no sums yet, by its activities.
    """
    edges = {cut_us // DAY_US for cut_us in (from_us, to_us, *cuts_us) if cut_us % DAY_US}
    binds = {
        "from": to_datetime(from_us),
        "to": to_datetime(to_us),
        "day_from": to_datetime(from_us).date(),
        "day_to": to_datetime(-(-to_us // DAY_US) * DAY_US).date(),
        "edges": [to_datetime(day * DAY_US).date() for day in sorted(edges)],
    }
    days = [day_of(row) for row in await _rows(conn, "days", told, binds)]
    return days, [activity_of(row) for row in await _rows(conn, "activities", told, binds)]


async def cars(conn: Connection, told: Told, from_us: int, to_us: int) -> list[Row]:
    """Cars that were in the trainset within [from_us, to_us): `asset_id`, `name`, `position`, `valid_from`, `valid_to`."""
    return await _rows(
        conn, "cars", told, {"from": to_datetime(from_us), "to": to_datetime(to_us), "limit": CARS_MAX}
    )  # fmt: skip


async def _rows(conn: Connection, query: str, told: Told, binds: dict[str, Any]) -> list[Row]:
    known = None if told.known_us is None else to_datetime(told.known_us)
    async with conn.cursor(binary=True) as cursor:
        text = sql.SQL(SQL[query]).format(**believed(told.known_us))
        await cursor.execute(text, {"asset": told.asset_id, "known": known, **binds}, prepare=False)
        return await cursor.fetchall()
