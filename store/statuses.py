"""Who said online or offline, and when."""

from __future__ import annotations

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("statuses")


async def offline_feeds(conn: Connection, tenant: str, at_us: int) -> set[tuple[str, str]]:
    """(tenant, `feed:NAME`) of a tenant's own feeds, and the operator's granted to it, that last said `offline` at an instant."""
    cursor = await conn.execute(SQL["offline_feeds"], {"tenant": tenant, "at": to_datetime(at_us)})
    return {(row["tenant"], row["origin"]) for row in await cursor.fetchall()}
