"""Each tenant's week of models' warnings, and what ranks them. Decided by `alerts.budget`; this keeps it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from fleet.asset_class import ASSET_CLASSES
from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load
from store.rows import BudgetRow

SQL = load("budgets")


class Fleet(msgspec.Struct, frozen=True):
    """What a tenant's allowance is made of: its assets, and the rate it set (None: the house's)."""

    assets: int
    rate: float | None


class Measured(msgspec.Struct, frozen=True):
    """Warnings of models of one tenant over a time: told, and held back when they came; `rate` None: the house's."""

    tenant: str
    assets: int
    rate: float | None
    told: int
    held_back: int


async def hold(conn: Connection, tenant: str) -> BudgetRow | None:
    """A tenant's newest week, None before its first; nobody else decides about it until this transaction ends."""
    await conn.execute(SQL["lock"], {"tenant": tenant})
    return await last(conn, tenant)


async def last(conn: Connection, tenant: str) -> BudgetRow | None:
    """A tenant's newest week, to be read alone."""
    cursor = await conn.execute(SQL["last"], {"tenant": tenant})
    row = await cursor.fetchone()
    if row is None:
        return None
    numbers: dict[str, Any] = dict(row)
    numbers["week_us"] = numbers.pop("week")
    return BudgetRow(**numbers | {"rejections": tuple(row["rejections"])})


async def fleet(conn: Connection, tenant: str, at_us: int) -> Fleet:
    """What a tenant's allowance is made of at an instant."""
    cursor = await conn.execute(SQL["fleet"], {"tenant": tenant, "at": to_datetime(at_us), "classes": list(ASSET_CLASSES)})
    row = await cursor.fetchone()
    return Fleet(0, None) if row is None else Fleet(row["assets"], None if row["rate"] is None else float(row["rate"]))


async def write(conn: Connection, row: BudgetRow) -> None:
    """Write a week as it stands."""
    plain = msgspec.structs.asdict(row)
    plain["week"] = to_datetime(plain.pop("week_us"))
    await conn.execute(SQL["write"], plain | {"rejections": list(row.rejections)})


async def exposures(conn: Connection, asset_ids: Collection[str], at_us: int) -> dict[str, tuple[bool, float]]:
    """Of each asset whether a head lease is in force, and the agreed value of the hull (0 where none is insured)."""
    cursor = await conn.execute(SQL["exposures"], {"asset_ids": sorted(asset_ids), "at": to_datetime(at_us)})
    return {row["asset_id"]: (row["on_lease"], row["agreed_value"] or 0.0) for row in await cursor.fetchall()}


async def measured(conn: Connection, from_us: int, tenant: str | None = None) -> list[Measured]:
    """What became of warnings of models since an instant of wall time, of every tenant or of one."""
    cursor = await conn.execute(SQL["measured"], {"from": to_datetime(from_us), "tenant": tenant, "classes": list(ASSET_CLASSES)})
    return [
        Measured(
            row["tenant"], row["assets"], None if row["rate"] is None else float(row["rate"]), row["told"], row["held_back"]
        )
        for row in await cursor.fetchall()
    ]  # fmt: skip
