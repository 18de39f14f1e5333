"""What became of everything received, per origin and hour, and whether the tables agree.

received = stored + duplicate + rejected + traffic, and stored = what the reading tables and their rollups hold.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable

import msgspec
from psycopg import sql

from fleet.instants import to_datetime
from store import arrays
from store.columns import COLUMNS as COLUMNS_OF_CLASSES
from store.pool import Connection
from store.queries import load
from store.rows import CountRow
from store.staging import INSTANT

SQL = load("counts")
_COUNTERS = (
    "received",
    "stored",
    "late",
    "duplicate",
    "rejected",
    "traffic",
    "static_received",
    "static_duplicate",
    "unknown_fields",
)
_counters_of = operator.attrgetter(*_COUNTERS)
COLUMNS = {"tenant": "text", "origin": "text", "hour": INSTANT, **dict.fromkeys(_COUNTERS, "int4")}


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """The books of one origin: what was counted, and what the reading tables (`held`) and hourly rollups (`rolled_up`) hold."""

    tenant: str
    origin: str
    received: int = 0
    stored: int = 0
    late: int = 0
    duplicate: int = 0
    rejected: int = 0
    traffic: int = 0
    held: int = 0
    rolled_up: int = 0

    @property
    def is_balanced(self) -> bool:
        """Nothing lost, nothing invented. False after readings were deleted by a retention policy."""
        accounted = self.stored + self.duplicate + self.rejected + self.traffic
        return self.received == accounted and self.stored == self.held == self.rolled_up


async def add(conn: Connection, rows: Iterable[CountRow]) -> None:
    """Add increments, in this transaction."""
    sums: dict[tuple[str, str, int], tuple[int, ...]] = {}
    nulled: dict[tuple[str, str, int, str, str], int] = {}
    for row in rows:
        key = (row.tenant, row.origin, row.hour_us)
        counters = _counters_of(row)
        if key in sums:
            counters = tuple(map(operator.add, sums[key], counters))
        sums[key] = counters
        for field_reason, count in row.nulled.items():
            field, _, reason = field_reason.partition(":")
            nulled[(*key, field, reason)] = nulled.get((*key, field, reason), 0) + count
    if sums:
        await conn.execute(SQL["add"], arrays.columns(COLUMNS, [(*key, *counters) for key, counters in sums.items()]))
    if nulled:
        keys = list(nulled)
        binds = {
            "tenant": [key[0] for key in keys],
            "origin": [key[1] for key in keys],
            "hour": [to_datetime(key[2]) for key in keys],
            "field": [key[3] for key in keys],
            "reason": [key[4] for key in keys],
            "count": list(nulled.values()),
        }
        await conn.execute(SQL["add_nulled"], binds)


async def reconcile(conn: Connection) -> list[Balance]:
    """The books of every origin, sorted; reads all readings, so it takes its time. One snapshot if repeatable read."""
    await conn.execute("SET LOCAL statement_timeout TO 0")  # a year of readings takes longer than any other question may
    books: dict[tuple[str, str], dict[str, int]] = {}
    for row in await (await conn.execute(SQL["counted"])).fetchall():
        books[row.pop("tenant"), row.pop("origin")] = row
    for name, query in (("rolled_up", sql.SQL(SQL["rolled_up"])), ("held", _held())):
        for row in await (await conn.execute(query)).fetchall():
            books.setdefault((row["tenant"], row["origin"]), {})[name] = row["count"]
    return [Balance(tenant=tenant, origin=origin, **books[tenant, origin]) for tenant, origin in sorted(books)]


def _held() -> sql.Composed:
    """What the reading tables hold of each origin, as `rolled_up` tells it of the rollups."""
    tables = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT stream_id, count(*) AS count FROM {} GROUP BY stream_id").format(sql.Identifier(columns.table))
        for columns in COLUMNS_OF_CLASSES.values()
    )
    return sql.SQL(
        "SELECT stream.tenant, CASE stream.origin WHEN 'device' THEN stream.scheme || ':' || stream.value ELSE stream.origin END"
        " AS origin, sum(held.count)::bigint AS count FROM ({}) AS held JOIN stream USING (stream_id) GROUP BY 1, 2"
    ).format(tables)
