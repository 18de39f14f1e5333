"""The figures of practice that hold for a tenant: the house's, and over them the tenant's own settings of rule `practice`."""

from __future__ import annotations

from datetime import date
from typing import Any

from fleet.instants import to_datetime
from fleet.practice import Figure, Practice
from fleet.practice_book import HOUSE
from store.pool import Connection
from store.queries import load

SQL = load("practices")
FIGURES_MAX = 10_000  # chosen: a figure is a line somebody wrote


async def practice(conn: Connection, known_us: int | None = None) -> Practice:
    """The scope's figures, as believed now or known then."""
    binds = {"known": None if known_us is None else to_datetime(known_us), "limit": FIGURES_MAX}
    rows = await (await conn.execute(SQL["figures"], binds)).fetchall()
    own = [
        Figure(
            name=row["name"], value=row["value"], source="tenant's setting", valid_from=_day(row["from_time"]),
            valid_to=_day(row["to_time"]),
        )
        for row in rows
    ]  # fmt: skip
    return HOUSE.overlaid(own)


def _day(time_us: Any) -> date | None:
    return None if time_us is None else to_datetime(time_us).date()
