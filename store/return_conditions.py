"""What must be so at redelivery, and whether it is. A change closes what was believed and appends a revision."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from fleet.instants import to_datetime
from store import staging
from store.pool import Connection
from store.queries import load

SQL = load("return_conditions")
Row = dict[str, Any]


class NewCondition(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement as it stands: `evidence` names documents, `due_on` is a day."""

    lease_id: str
    condition_id: str
    requirement: str
    status: str
    evidence: dict[str, Any]
    due_on: date | None
    actor: str


async def conditions(
    conn: Connection, lease_id: str, known_us: int | None, *, condition_id: str | None = None,
    statuses: tuple[str, ...] | None = None, after: str | None = None, limit: int,
) -> list[Row]:  # fmt: skip
    """A lease's conditions in order of id, as believed now or known then."""
    binds = {
        "lease": lease_id, "known": None if known_us is None else to_datetime(known_us), "condition": condition_id,
        "statuses": None if statuses is None else list(statuses), "after": after, "limit": limit,
    }  # fmt: skip
    return await (await conn.execute(SQL["conditions"], binds)).fetchall()


async def write(conn: Connection, new: NewCondition, revision: int) -> None:
    """Append a revision; one that stood is closed."""
    binds = {
        "lease": new.lease_id, "condition": new.condition_id, "revision": revision, "requirement": new.requirement,
        "status": new.status, "evidence": staging.json(new.evidence), "due_on": new.due_on, "actor": new.actor,
    }  # fmt: skip
    if revision > 1:
        await conn.execute(SQL["close"], {"lease": new.lease_id, "condition": new.condition_id})
    await conn.execute(SQL["insert"], binds)
