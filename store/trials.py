"""What a trial of a clause reads of the log: an asset's readings of a period and what others said of it, inside a scope."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from fleet.asset_class import ASSET_CLASSES, AnyReading
from fleet.instants import to_datetime
from store.columns import reading_of
from store.pool import Connection

Row = dict[str, Any]
OTHERS_MAX = 1000  # silences and meetings of one asset; chosen: thirty a day for a month


async def readings_of(
    conn: Connection, asset_class: str, asset_id: str, from_us: int, to_us: int, limit: int
) -> list[AnyReading]:  # fmt: skip
    """An asset's readings of [from, to) in canonical order, as far as the scope reaches; so many at most."""
    if asset_class not in ASSET_CLASSES:
        raise KeyError(asset_class)
    statement = sql.SQL(
        "SELECT reading.* FROM {view} AS reading WHERE reading.asset_id = %(asset)s AND reading.time >= %(from)s"
        " AND reading.time < %(to)s ORDER BY reading.time, (reading.scheme || ':' || reading.value) COLLATE \"C\","
        ' reading.source COLLATE "C", reading.seq LIMIT %(limit)s'
    ).format(view=sql.Identifier(f"asset_reading_{asset_class}"))
    binds = {"asset": asset_id, "from": to_datetime(from_us), "to": to_datetime(to_us), "limit": limit}
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(statement, binds, prepare=False)
        return [reading_of(asset_class, row) for row in await cursor.fetchall()]


async def others_of(conn: Connection, asset_id: str, from_us: int, to_us: int) -> list[Row]:
    """Silences and meetings of an asset that touch a period, in their current revision, the earliest first."""
    statement = sql.SQL(
        "SELECT finding_id, asset, rule, rule_version, subject, severity, opened_at, closed_at, detected_at, evidence"
        " FROM finding WHERE asset_id = %(asset)s AND rule IN ('gap', 'encounter') AND superseded_by IS NULL AND NOT retracted"
        " AND opened_at < %(to)s AND (closed_at IS NULL OR closed_at >= %(from)s) ORDER BY opened_at, finding_id LIMIT %(limit)s"
    )
    binds = {"asset": asset_id, "from": to_datetime(from_us), "to": to_datetime(to_us), "limit": OTHERS_MAX}
    return await (await conn.execute(statement, binds, prepare=False)).fetchall()
