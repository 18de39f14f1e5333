"""Under which stored id a derived episode goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from store.pool import Connection
from store.queries import load

SQL = load("aliases")


async def of_assets(conn: Connection, asset_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Stored id by derived id, by asset; an asset without any is left out."""
    found: dict[str, dict[str, str]] = {}
    cursor = await conn.execute(SQL["of_assets"], {"asset_ids": list(asset_ids)})
    for row in await cursor.fetchall():
        found.setdefault(row["asset_id"], {})[row["derived_id"]] = row["finding_id"]
    return found


async def write(conn: Connection, asset_id: str, renamed: Mapping[str, str]) -> None:
    """Remember derived ids of an asset and the stored ids they go on under."""
    if renamed:
        binds = {"asset_id": asset_id, "derived_ids": list(renamed), "finding_ids": list(renamed.values())}
        await conn.execute(SQL["write"], binds)
