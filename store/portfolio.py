"""What a portfolio shows beside states and leases: use of a period, and alerts that are open. Inside a scope; writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("portfolio")
Row = dict[str, Any]


async def use(
    conn: Connection, asset_ids: Sequence[str], from_day: date, to_day: date, known_us: int | None
) -> dict[str, Row]:  # fmt: skip
    """Use of assets over the whole UTC days of [from, to), by asset id; an asset of which no day is known is absent.

    `days` of them are known, `state_s` and `sources` hold seconds; distances are metres.
    """
    binds = {
        "assets": list(asset_ids), "from_day": from_day, "to_day": to_day,
        "known": None if known_us is None else to_datetime(known_us),
    }  # fmt: skip
    return {str(row["asset_id"]): row for row in await (await conn.execute(SQL["use"], binds)).fetchall()}


async def alerts(conn: Connection, asset_ids: Sequence[str]) -> dict[str, Row]:
    """How many alerts of assets wait for somebody now, by asset id and severity."""
    rows = await (await conn.execute(SQL["alerts"], {"assets": list(asset_ids)})).fetchall()
    return {str(row["asset_id"]): row for row in rows}
