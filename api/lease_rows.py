"""Which lease a request means, and which of its months."""

from __future__ import annotations

from datetime import date
from typing import Any

from api.problem import Fault, Problem, invalid, not_found
from fleet.lease import UNREADABLE, Terms, UnreadableTerms, stored_terms
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


def readable_terms(row: Row) -> Terms:
    """The terms of a row of leases. Raises Problem 409 with every fault where they cannot be read."""
    found = stored_terms(row["terms"])
    if isinstance(found, UnreadableTerms):
        raise Problem(
            409, f"The terms of the lease cannot be read; change them with PATCH /v1/leases/{row['lease_id']}: {found.words}.",
            reason=UNREADABLE,
        )  # fmt: skip
    return found


async def lease_month(
    conn: Connection, row: Row, first: date, practice: Practice, known_us: int | None = None, *, part: str = "query"
) -> LeaseMonth:  # fmt: skip
    """One month of a lease, by the tenant's practice.

    `part` names where the month was asked. Raises Problem 409 where the lease's terms cannot be read, 422 where it did not hold
    its asset in the month.
    """
    readable_terms(row)
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
