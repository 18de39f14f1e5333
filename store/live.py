"""Findings and alerts for open pages, written in the transaction that made them true, in commit order; read by `reads`."""

from __future__ import annotations

from collections.abc import Sequence

from store import staging
from store.pool import Connection
from store.queries import load
from store.rows import LiveRow

SQL = load("live")


async def insert(conn: Connection, rows: Sequence[LiveRow]) -> None:
    """Add events in their order, at the end of the transaction: others with events wait from here to the commit."""
    if not rows:
        return
    binds = {
        "tenant": [row.tenant for row in rows],
        "kind": [row.kind for row in rows],
        "asset_id": [row.asset_id or None for row in rows],
        "body": [staging.json(row.body) for row in rows],
    }
    await conn.execute(SQL["insert"], binds)
