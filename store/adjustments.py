"""Thresholds of single assets that people's dismissals have widened; which and by how much is decided by `alerts.verdict`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from fleet.dated import Span
from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("adjustments")
Row = dict[str, Any]
HORIZON = timedelta(hours=72)  # design 5.7: beyond it rules are not judged again


class AdjustmentEntry(msgspec.Struct, frozen=True):
    """A threshold of one asset and when it holds."""

    asset_id: str
    rule: str
    name: str
    value: float
    valid: Span


class Held(NamedTuple):
    """What a threshold of an asset is made of: the tenant's setting, and base and value of the last dismissal; None for none."""

    setting: float | None
    held: tuple[float, float] | None


class AdjustmentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which adjustments; `withdrawn`: also those that are believed no more."""

    adjustment_id: int | None = None
    asset_id: str | None = None
    alert_id: str | None = None
    rule: str | None = None
    withdrawn: bool = False


class NewAdjustment(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold to put on record: of which asset, by whose dismissal of what, from when on (event time)."""

    tenant: str
    asset_id: str
    rule: str
    name: str
    base: float
    value: float
    at_bound: bool
    alert_id: str
    finding_id: str
    reason: str | None
    actor: str
    from_us: int


async def believed(conn: Connection) -> list[AdjustmentEntry]:
    """Thresholds of every asset as believed now, in the order in which they were made: of two the later counts."""
    cursor = await conn.execute(SQL["believed"])
    return [
        AdjustmentEntry(row["asset_id"], row["rule"], row["name"], row["value"], Span(row["from_time"], row["to_time"]))
        for row in await cursor.fetchall()
    ]


async def held(conn: Connection, asset_id: str, rule: str, name: str, at_us: int) -> Held:
    """What a threshold of an asset is made of at an instant of event time."""
    cursor = await conn.execute(SQL["held"], {"asset": asset_id, "rule": rule, "name": name, "at": to_datetime(at_us)})
    row = await cursor.fetchone()
    if row is None:
        return Held(None, None)
    setting = None if row["setting"] is None else float(row["setting"])
    return Held(setting, None if row["value"] is None else (row["base"], row["value"]))


async def add(conn: Connection, new: NewAdjustment) -> int:
    """Put a threshold on record and mark its asset to be derived again from then on; returns its id."""
    binds = {
        "tenant": new.tenant, "asset": new.asset_id, "rule": new.rule, "name": new.name, "base": new.base, "value": new.value,
        "at_bound": new.at_bound, "alert": new.alert_id, "finding": new.finding_id, "reason": new.reason, "actor": new.actor,
        "from": to_datetime(new.from_us),
    }  # fmt: skip
    cursor = await conn.execute(SQL["add"], binds)
    row = await cursor.fetchone()
    await derive_again(conn, new.asset_id, new.from_us)
    return 0 if row is None else int(row["adjustment_id"])


async def page(conn: Connection, which: AdjustmentFilter, after: int | None, limit: int) -> list[Row]:
    """Adjustments, the newest first."""
    binds = {
        "adjustment": which.adjustment_id, "asset": which.asset_id, "alert": which.alert_id, "rule": which.rule,
        "withdrawn": which.withdrawn, "after": after, "limit": limit,
    }  # fmt: skip
    cursor = await conn.execute(SQL["page"], binds)
    return await cursor.fetchall()


async def withdraw(conn: Connection, adjustment_id: int, actor: str, reason: str | None) -> int:
    """Believe neither an adjustment nor those made on top of it, and mark the asset to be derived again; how many they were."""
    cursor = await conn.execute(SQL["withdraw"], {"adjustment": adjustment_id, "actor": actor, "reason": reason})
    rows = await cursor.fetchall()
    if rows:
        await derive_again(conn, str(rows[0]["asset_id"]), min(row["valid_from"] for row in rows))
    return len(rows)


async def derive_again(conn: Connection, asset_id: str, from_us: int) -> None:
    """Mark an asset to be derived again from an instant on, within `HORIZON` of its newest reading."""
    await conn.execute(SQL["derive_again"], {"asset": asset_id, "from": to_datetime(from_us), "horizon": HORIZON})
