"""Events, written in the transaction that made them true: to endpoints (`insert`) and to open pages (`insert_live`).

Write them last: from the first one to the commit, other transactions with events wait, which is what puts them in commit
order. The deliveries to endpoints are made by a trigger.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleet.instants import to_datetime
from store import staging
from store.pool import Connection
from store.queries import load
from store.rows import EventRow, LiveRow

SQL = load("outbox")


async def insert(conn: Connection, rows: Sequence[EventRow]) -> None:
    """Add events in their order; one whose id is there already is left out, for the same id is the same event."""
    if not rows:
        return
    binds = {
        "event_id": [row.event_id for row in rows],
        "tenant": [row.tenant for row in rows],
        "type": [row.type for row in rows],
        "subject": [row.subject for row in rows],
        "severity": [row.severity for row in rows],
        "time": [to_datetime(row.time_us) for row in rows],
        "body": [staging.json(row.body) for row in rows],
        "commit_no": [row.commit_no for row in rows],
    }
    await conn.execute(SQL["insert"], binds)


async def insert_live(conn: Connection, rows: Sequence[LiveRow]) -> None:
    """Add events for open pages in their order."""
    if not rows:
        return
    binds = {
        "tenant": [row.tenant for row in rows],
        "kind": [row.kind for row in rows],
        "asset_id": [row.asset_id or None for row in rows],
        "body": [staging.json(row.body) for row in rows],
    }
    await conn.execute(SQL["insert_live"], binds)
