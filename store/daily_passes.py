"""The daily pass as the tables know it: who is judged, what stands, which days were done. What is due is `fleet`'s matter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from fleet.calendar_rules import COVENANT_RULE, RULES, Standing
from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("daily_passes")
RULE_NAMES = sorted([COVENANT_RULE, *(rule.name for rule in RULES)])


class DailyPass(msgspec.Struct, frozen=True, kw_only=True):
    """One pass over a tenant's assets: the day judged, as known when, and what it came to."""

    tenant: str
    day: date
    known_us: int
    assets: int = 0
    conditions: int = 0
    written: int = 0
    actor: str = "keelwing"


async def hold(conn: Connection, tenant: str) -> None:
    """Let no other pass of this tenant run until this transaction ends."""
    await conn.execute(SQL["hold"], {"tenant": tenant})


async def tenants(conn: Connection) -> list[str]:
    """Lessors that have assets, by name."""
    return [row["tenant"] for row in await (await conn.execute(SQL["tenants"])).fetchall()]


async def first_known_us(conn: Connection, tenant: str, day: date) -> int | None:
    """As known when a day was first judged; None where it never was."""
    row = await (await conn.execute(SQL["first"], {"tenant": tenant, "day": day})).fetchone()
    return None if row is None else int(row["known_at"])


async def newest_day(conn: Connection, tenant: str) -> date | None:
    """The newest day that was judged."""
    row = await (await conn.execute(SQL["newest"], {"tenant": tenant})).fetchone()
    found: date | None = None if row is None else row["day"]
    return found


async def write(conn: Connection, done: DailyPass) -> None:
    """Note a pass."""
    binds = {
        "tenant": done.tenant, "day": done.day, "known_at": to_datetime(done.known_us), "assets": done.assets,
        "conditions": done.conditions, "written": done.written, "actor": done.actor,
    }  # fmt: skip
    await conn.execute(SQL["insert"], binds)


async def standing(conn: Connection, asset_ids: Sequence[str]) -> dict[str, list[Standing]]:
    """Open episodes of calendar rules, by asset id."""
    rows = await (await conn.execute(SQL["standing"], {"assets": list(asset_ids), "rules": RULE_NAMES})).fetchall()
    found: dict[str, list[Standing]] = {}
    for row in rows:
        found.setdefault(row["asset_id"], []).append(
            Standing(
                finding_id=row["finding_id"], rule=row["rule"], subject=row["subject"], asset=row["asset"],
                severity=row["severity"], opened_us=row["opened_at"], evidence=row["evidence"],
            )
        )  # fmt: skip
    return found
