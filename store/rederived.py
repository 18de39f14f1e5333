"""Closed months whose observed use is another by now: late readings came, or a rule was mended. Receivers are told both versions.

Asked by the daily pass. What a month was closed on is known (`closed_month`), and what its use was then is answerable
(`known_at`), so nothing has to be remembered in between; told again, the same restatement is the same event.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from fleet.lease import UNREADABLE
from fleet.months import add_months
from fleet.practice import Practice
from fleet.practice_book import HOUSE
from store import billing, dossiers, restated
from store.pool import Connection
from store.queries import load

SQL = load("rederived")
MONTHS_BACK = 24  # chosen: what is older has been audited twice
TOUCHED_MAX = 5000  # chosen: two years of two hundred leases


async def tell(conn: Connection, tenant: str, on: date, at_us: int) -> int:
    """Leave an event for each closed month whose observed figures changed since; how many. `at_us` is wall time."""
    from_month = add_months(on.replace(day=1), -MONTHS_BACK)
    binds = {"tenant": tenant, "from_month": from_month, "limit": TOUCHED_MAX}
    told: list[restated.Restatement] = []
    practice = await dossiers.practice_of(conn, tenant, HOUSE)
    for row in await (await conn.execute(SQL["touched"], binds)).fetchall():
        practice_then = await dossiers.practice_of(conn, tenant, HOUSE, row["closed_at"])
        then = await _figures(conn, row, row["closed_at"], practice_then)
        now = await _figures(conn, row, None, practice)
        if then == now or isinstance(then, str) or isinstance(now, str):
            continue
        month = restated.ClosedMonth(from_us=row["from_time"], to_us=row["to_time"], closed_by=("invoiced",))
        name = f"{row['month']:%Y-%m}"
        before = restated.Version(
            row=f"closed_month/{row['lease_id']}/{name}/{row['revision']}", recorded_us=row["closed_at"], figures=then
        )  # fmt: skip
        after = restated.Version(row=f"use_day/{row['asset_id']}/{name}/{row['commit_no']}", recorded_us=at_us, figures=now)
        told.append(
            restated.Restatement(
                tenant=tenant, lease_id=row["lease_id"], asset_id=row["asset_id"], cause="use_rederived", month=month,
                before=before, after=after, revision=row["revision"], actor="keelwing",
            )
        )  # fmt: skip
    await restated.tell(conn, told, at_us)
    return len(told)


async def _figures(
    conn: Connection, row: Mapping[str, Any], known_us: int | None, practice: Practice
) -> dict[str, Any] | str | None:  # fmt: skip
    """What was observed of the lease's asset in the month, by what was known and set then; None where nothing was.

    `UNREADABLE` where the lease's terms do not say which month is meant.
    """
    leases = await billing.leases(conn, row["lease_id"], None, None, known_us)
    months = await billing.months(conn, leases, [row["month"]], known_us, practice, priced=False)
    if not months:
        return None
    if months[0].unreadable is not None:
        return UNREADABLE
    seen = months[0].observed[row["asset_id"]]
    if seen.coverage is None:
        return None
    figures = {name: float(round(value, 6)) for name, value in seen.figures.items()}
    return {**figures, "coverage": float(round(Decimal(seen.coverage), 6))}
