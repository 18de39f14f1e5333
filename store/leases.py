"""Leases: which one an asset was under."""

from __future__ import annotations

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("leases")


async def at(conn: Connection, asset_id: str, at_us: int) -> str | None:
    """Id of the head lease in force for an asset at an instant, as believed now; None when there was none."""
    cursor = await conn.execute(SQL["at"], {"asset_id": asset_id, "at": to_datetime(at_us)})
    row = await cursor.fetchone()
    return None if row is None else str(row["lease_id"])
