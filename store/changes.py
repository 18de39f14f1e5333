"""What changed since an instant: out of recorded ranges, revisions of findings, journeys and alerts, entries and events."""

from __future__ import annotations

from typing import Any

import msgspec

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("changes")
Row = dict[str, Any]

KINDS = (
    "alert", "area", "asset", "asset_event", "closed_month", "covenant", "designation", "finding", "identifier", "installation",
    "insurance", "journey", "lease_contract", "lease_event", "lease_party", "life_limit", "maintenance", "off_hire", "party",
    "party_group", "reserve_entry", "reserve_rate", "return_condition", "tenure", "territory_rule", "use", "utilization_report",
)  # fmt: skip
"""What can change, in the words of the list."""

CHANGES = ("became_known", "restated", "retracted", "changed")
"""How: a new fact, another version of one, one that is no more, and a step that somebody took about an alert."""


class ChangeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which changes: of [since_us, until_us), of these kinds, about one asset (its leases included)."""

    since_us: int
    until_us: int | None = None
    kinds: tuple[str, ...] | None = None
    changes: tuple[str, ...] | None = None
    asset_id: str | None = None


async def since(
    conn: Connection, which: ChangeFilter, after: tuple[int, str, str, int] | None, limit: int
) -> list[Row]:  # fmt: skip
    """Changes in order of (at, kind, key, revision), `at` being when they were recorded or committed; inside a scope."""
    at_us, kind, key, revision = after or (None, None, None, None)
    binds = {
        "since": to_datetime(which.since_us), "until": None if which.until_us is None else to_datetime(which.until_us),
        "kinds": None if which.kinds is None else list(which.kinds),
        "changes": None if which.changes is None else list(which.changes), "asset": which.asset_id,
        "after_time": None if at_us is None else to_datetime(at_us), "after_kind": kind, "after_key": key,
        "after_revision": revision, "limit": limit,
    }  # fmt: skip
    return await (await conn.execute(SQL["since"], binds)).fetchall()
