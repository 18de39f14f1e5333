"""One month of one asset: what was saved and done in it. One set query each, inside a scope, each bounded."""

from __future__ import annotations

from typing import Any, NamedTuple

from psycopg import sql

from fleet.instants import DAY_US, to_datetime
from store.lifecycle import believed
from store.pool import Connection
from store.queries import load

SQL = load("months")
Row = dict[str, Any]
ENTRIES_MAX, JOURNEYS_MAX = 20_000, 400  # chosen: forty years of buckets, thirteen flights a day
JOURNEY_US_MAX = 200 * DAY_US  # a journey that reaches into the month began no longer before it; chosen


class Month(NamedTuple):
    """Which asset's month, [from_us, to_us), as known when (None: now)."""

    asset_id: str
    from_us: int
    to_us: int
    known_us: int | None = None


async def reserves(conn: Connection, month: Month, lease_ids: list[str]) -> list[Row]:
    """The reserve ledger of leases up to the end of the month, oldest first; `inside` says which entries are the month's."""
    return await _rows(conn, "reserves", month, leases=lease_ids, limit=ENTRIES_MAX)


async def days(conn: Connection, month: Month) -> list[Row]:
    """Use of each UTC day of the month."""
    first, last = to_datetime(month.from_us).date(), to_datetime(month.to_us - 1 + DAY_US).date()
    return await _rows(conn, "days", month, day_from=first, day_to=last)


async def journeys(conn: Connection, month: Month) -> list[Row]:
    """Flights, port calls and voyages that meet the month, earliest first."""
    return await _rows(conn, "journeys", month, since=to_datetime(month.from_us - JOURNEY_US_MAX), limit=JOURNEYS_MAX)


async def _rows(conn: Connection, query: str, month: Month, **more: Any) -> list[Row]:
    binds = {"asset": month.asset_id, "from": to_datetime(month.from_us), "to": to_datetime(month.to_us), **more}
    entered = sql.SQL("true")
    if month.known_us is not None:
        binds["known"] = to_datetime(month.known_us)
        entered = sql.SQL("entered_at <= %(known)s")
    text = sql.SQL(SQL[query]).format(entered=entered, **believed(month.known_us))
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(text, binds, prepare=False)
        return await cursor.fetchall()
