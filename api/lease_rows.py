"""Which lease a request means, and which of its months."""

from __future__ import annotations

from datetime import date
from typing import Any

from api.problem import Fault, Problem, invalid, not_found
from fleet.practice import Practice
from fleet.reconciliation import LeaseMonth
from store import billing
from store.pool import Connection

Row = dict[str, Any]


async def lease_row(conn: Connection, lease_id: Any, known_us: int | None = None) -> Row:
    """The lease with its asset, terms and tenure. Raises Problem 404 where the key cannot see it."""
    rows = await billing.leases(conn, str(lease_id), None, None, known_us)
    if not rows:
        raise not_found("lease")
    return rows[0]


async def lease_month(
    conn: Connection, row: Row, first: date, practice: Practice, known_us: int | None = None, *, part: str = "query"
) -> LeaseMonth:  # fmt: skip
    """One month of a lease, by the tenant's practice. Raises Problem 422 where the lease did not hold its asset in it.

    `part` names where the month was asked.
    """
    found = await billing.months(conn, [row], [first], known_us, practice)
    if not found:
        raise invalid(part, "month", "the lease did not hold its asset in this month")
    return found[0]


async def refuse_foreign_asset(conn: Connection, row: Row, month: tuple[int, int], asset_id: str, pointer: str) -> None:
    """422 unless the asset is the lease's own or sat on it at some time of [from, to)."""
    if asset_id == str(row["asset_id"]):
        return
    stretches = await billing.installed(conn, [str(row["asset_id"])], *month, None)
    if not any(each.asset_id == asset_id and each.parent_id == str(row["asset_id"]) for each in stretches):
        detail = "is neither the lease's asset nor was it installed on it then"
        fault = Fault(part="body", pointer=pointer, detail=detail)
        raise Problem(422, "The request was understood but is not valid.", reason="invalid", errors=[fault])
