"""Reports of use by lessees and masters, every revision. A correction closes what was believed and appends; nothing is edited."""

from __future__ import annotations

from typing import Any

import msgspec

from store import staging
from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("utilization_reports")
Row = dict[str, Any]


class ReportFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which reports: of leases, by id, of assets, of kinds, whose period meets [from_us, to_us) or holds `at_us`.

    `superseded` gives every revision instead of the one believed (at `known_us`).
    """

    lease_ids: tuple[str, ...] | None = None
    report_ids: tuple[str, ...] | None = None
    asset_ids: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    from_us: int | None = None
    to_us: int | None = None
    at_us: int | None = None
    known_us: int | None = None
    superseded: bool = False


class NewReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report to keep: of [from_us, to_us), its figures as the lessee gave them."""

    lease_id: str
    asset_id: str
    kind: str
    from_us: int
    to_us: int
    figures: dict[str, Any]
    signed_by: str | None
    received_us: int
    actor: str


async def hold(conn: Connection, lease_id: str) -> None:
    """Let nobody else change this lease's reports and ledger until the transaction ends."""
    await conn.execute(SQL["hold"], {"lease": lease_id})


async def reports(
    conn: Connection, which: ReportFilter, after: tuple[int, str, int] | None, limit: int
) -> list[Row]:  # fmt: skip
    """Reports in order of (period's begin, id, revision)."""
    time_us, report_id, revision = after or (None, None, None)
    binds = {
        "leases": _array(which.lease_ids), "assets": _array(which.asset_ids),
        "reports": _array(which.report_ids), "kinds": _array(which.kinds),
        "from": moment(which.from_us), "to": moment(which.to_us), "at": moment(which.at_us), "known": moment(which.known_us),
        "superseded": which.superseded, "after_time": moment(time_us), "after_id": report_id, "after_revision": revision,
        "limit": limit,
    }  # fmt: skip
    return await (await conn.execute(SQL["reports"], binds)).fetchall()


async def standing(conn: Connection, new: NewReport) -> list[Row]:
    """Reports of the same asset and kind whose period a new one meets, two at most."""
    binds = {
        "lease": new.lease_id, "asset": new.asset_id, "kind": new.kind, "from": moment(new.from_us), "to": moment(new.to_us)
    }  # fmt: skip
    return await (await conn.execute(SQL["standing"], binds)).fetchall()


async def write(conn: Connection, new: NewReport, corrects: Row | None) -> tuple[str, int]:
    """Append a report, or a revision of the standing one it corrects; returns its id and revision."""
    report_id = None if corrects is None else str(corrects["utilization_report_id"])
    revision = 1 if corrects is None else corrects["revision"] + 1
    if corrects is not None:
        await conn.execute(SQL["close"], {"report": report_id, "revision": corrects["revision"]})
    binds = {
        "report": report_id, "revision": revision, "lease": new.lease_id, "asset": new.asset_id, "kind": new.kind,
        "from": moment(new.from_us), "to": moment(new.to_us), "figures": staging.json(new.figures),
        "signed_by": new.signed_by, "received": moment(new.received_us), "actor": new.actor,
    }  # fmt: skip
    row = await (await conn.execute(SQL["insert"], binds)).fetchone()
    assert row is not None  # noqa: S101 - an insert that does not fail returns its row
    return str(row["utilization_report_id"]), int(row["revision"])


def _array(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)
