"""Events for endpoints, written in the transaction that made them true; a trigger makes the deliveries.

Write them last: from the first one to the commit, other transactions with events wait, which is what puts them in commit
order.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleet.instants import to_datetime
from store import staging
from store.pool import Connection
from store.queries import load
from store.rows import EventRow

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
