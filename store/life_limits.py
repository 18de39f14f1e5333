"""Intervals and lives of assets, components and parts. A new count closes the old row and appends; nothing is edited."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("life_limits")
Row = dict[str, Any]


class NewLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit as it was counted at an instant: `limit_value` and `used_value` in the driver's unit, the cost of the event."""

    asset_id: str
    item: str
    serial_no: str | None
    kind: str
    driver: str
    limit_value: Decimal
    used_value: Decimal
    counted_us: int
    cost_amount: Decimal | None
    currency: str | None


async def limits(
    conn: Connection, asset_ids: Sequence[str], known_us: int | None, after: int | None, limit: int
) -> list[Row]:  # fmt: skip
    """Limits of assets in order of their number, as believed now or known then."""
    binds = {
        "assets": list(asset_ids), "known": None if known_us is None else to_datetime(known_us), "after": after, "limit": limit
    }  # fmt: skip
    return await (await conn.execute(SQL["limits"], binds)).fetchall()


async def write(conn: Connection, new: NewLimit) -> int:
    """Keep a count; the one that stood for the same asset, item, part and driver is closed. Returns its number."""
    binds = {
        "asset": new.asset_id, "item": new.item, "serial_no": new.serial_no, "kind": new.kind, "driver": new.driver,
        "limit_value": new.limit_value, "used_value": new.used_value, "counted_at": to_datetime(new.counted_us),
        "cost_amount": new.cost_amount, "currency": new.currency,
    }  # fmt: skip
    await conn.execute(SQL["close"], binds)
    row = await (await conn.execute(SQL["insert"], binds)).fetchone()
    assert row is not None  # noqa: S101 - an insert that does not fail returns its row
    return int(row["life_limit_id"])
