"""Restatements: a month that somebody reported or invoiced turned out otherwise, and receivers are told both versions.

Whatever corrects a fact (a lease's delivery, a lessee's report, use derived again) asks `closed_months` what it touches, and
leaves one `keelwing.utilization.restated.v1` for each in the outbox, in its own transaction (domain.md 5.3, design 4.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from fleet.instants import to_rfc3339
from store import outbox
from store.moments import moment
from store.pool import Connection
from store.queries import load
from store.rows import EventRow

SQL = load("restated")
TYPE = "keelwing.utilization.restated.v1"
MONTHS_MAX = 600  # fifty years of months: a correction that touches more is told of the earliest

Cause = Literal["lease_corrected", "report_corrected", "use_rederived", "accrual_adjusted"]


class ClosedMonth(msgspec.Struct, frozen=True, kw_only=True):
    """A month that was reported or invoiced (`closed_by`), half-open in microseconds UTC."""

    from_us: int
    to_us: int
    closed_by: tuple[str, ...]


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of what is restated: the row that holds it (`TABLE/KEY/REVISION`), when it was recorded, and its figures.

    `figures` are plain (money and quantities as text or numbers, unit in the name); None: there was, or is, nothing.
    """

    row: str | None
    recorded_us: int | None
    figures: dict[str, Any] | None


class Restatement(msgspec.Struct, frozen=True, kw_only=True):
    """One closed month of one lease and asset, as it was believed and as it is believed now; who corrected it, and why."""

    tenant: str
    lease_id: str
    asset_id: str
    cause: Cause
    month: ClosedMonth
    before: Version
    after: Version
    revision: int
    actor: str


async def closed_months(conn: Connection, lease_id: str, from_us: int | None, to_us: int | None) -> list[ClosedMonth]:
    """The months of a lease that are reported or invoiced and that [from, to) touches, earliest first; None is open."""
    binds = {"lease_id": lease_id, "from": moment(from_us), "to": moment(to_us), "limit": MONTHS_MAX}
    rows = await (await conn.execute(SQL["closed_months"], binds)).fetchall()
    return [
        ClosedMonth(from_us=row["from_time"], to_us=row["to_time"], closed_by=tuple(row["closed_by"])) for row in rows
    ]  # fmt: skip


async def tell(conn: Connection, restatements: Sequence[Restatement], at_us: int) -> None:
    """Leave one event for each in the outbox. Last in a transaction: other writers of events wait from here to its end.

    The same restatement told again (same rows) is the same event. `at_us` is wall time.
    """
    rows = [
        EventRow(
            event_id=event["id"], tenant=each.tenant, type=TYPE, subject=event["subject"], severity="info", time_us=at_us,
            body=event, commit_no=None,
        )
        for each in restatements
        for event in (event_of(each, at_us),)
    ]  # fmt: skip
    await outbox.insert(conn, rows)


def event_of(restatement: Restatement, at_us: int) -> dict[str, Any]:
    """The restatement as a CloudEvents 1.0 structured JSON object; its id is a hash of the rows it replaces and brings."""
    month = restatement.month
    key = (restatement.lease_id, restatement.asset_id, str(month.from_us), restatement.before.row, restatement.after.row)
    digest = blake2b("\x1f".join(str(part) for part in key).encode(), digest_size=16).hexdigest()
    return {
        "specversion": "1.0",
        "id": f"evt_{digest}",
        "source": f"/keelwing/{restatement.tenant}",
        "type": TYPE,
        "subject": f"asset/{restatement.asset_id}",
        "time": to_rfc3339(at_us),
        "datacontenttype": "application/json",
        "data": {
            "lease_id": restatement.lease_id, "asset_id": restatement.asset_id, "cause": restatement.cause,
            "period": {"from": to_rfc3339(month.from_us), "to": to_rfc3339(month.to_us)}, "closed_by": list(month.closed_by),
            "before": _told(restatement.before), "after": _told(restatement.after), "revision": restatement.revision,
            "actor": restatement.actor,
        },
    }  # fmt: skip


def _told(version: Version) -> dict[str, Any]:
    recorded = None if version.recorded_us is None else to_rfc3339(version.recorded_us)
    return {"row": version.row, "recorded_at": recorded, "figures": version.figures}
