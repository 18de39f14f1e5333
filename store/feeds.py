"""Feeds as such: when each was heard last and with how many, who is told of it, and the silences that stand."""

from __future__ import annotations

from typing import Any

import msgspec

from fleet.instants import MINUTE_US, to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("feeds")


class HeardFeed(msgspec.Struct, frozen=True, kw_only=True):
    """A live feed that was ever heard. `tenant` owns it (`_`: the operator), `audience` are the tenants that it speaks to.

    `last_us` is its newest reading by event time, `received_us` by reception, `assets` how many it carried in the hour up to
    `last_us`; `offline_us` when it said `offline`, None where that is not its last word.
    """

    tenant: str
    feed: str
    last_us: int
    received_us: int
    assets: int
    offline_us: int | None
    audience: tuple[str, ...]


class SilentFeed(msgspec.Struct, frozen=True, kw_only=True):
    """An open finding of a silent feed: whom it was told, `feed:NAME`, and what it says."""

    tenant: str
    name: str
    opened_us: int
    detected_us: int
    evidence: dict[str, Any]


async def heard(conn: Connection, at_us: int) -> list[HeardFeed]:
    """Every live feed that was ever heard, as it stands; its audience as of an instant."""
    cursor = await conn.execute(SQL["words"], {"at": to_datetime(at_us)})
    return [
        HeardFeed(
            tenant=row["tenant"], feed=row["feed"], last_us=row["time"], received_us=row["received_at"], assets=row["assets"],
            offline_us=row["offline_at"], audience=tuple(sorted(row["audience"])),
        )
        for row in await cursor.fetchall()
    ]  # fmt: skip


async def silent(conn: Connection) -> dict[tuple[str, str], SilentFeed]:
    """The silences that stand, by (tenant told, `feed:NAME`)."""
    rows = await (await conn.execute(SQL["silent"])).fetchall()
    return {
        (row["tenant"], row["asset"]): SilentFeed(
            tenant=row["tenant"], name=row["asset"], opened_us=row["opened_at"], detected_us=row["detected_at"],
            evidence=row["evidence"],
        )
        for row in rows
    }  # fmt: skip


async def back_us(conn: Connection, tenant: str, origin: str, opened_us: int, received_us: int) -> int | None:
    """Event time of the first reading of a feed that reached us after an instant; None while none did.

    Where only older readings came, when they came. Only each stream's newest reading is looked at, so it may be late by as much
    as is looked away.
    """
    binds = {"tenant": tenant, "origin": origin, "opened": to_datetime(opened_us), "received": to_datetime(received_us)}
    row = await (await conn.execute(SQL["back"], binds)).fetchone()
    if row is None or row["received_at"] is None:
        return None
    return int(row["received_at"] if row["time"] is None else row["time"])


async def quiet_us(conn: Connection, tenant: str, at_us: int) -> int | None:
    """For how long a tenant lets its feeds be quiet, microseconds; None: as long as everybody."""
    row = await (await conn.execute(SQL["quiet"], {"tenant": tenant, "at": to_datetime(at_us)})).fetchone()
    return None if row is None else round(row["quiet_min"] * MINUTE_US)


async def gaps_held(conn: Connection, tenant: str, origin: str, since_us: int) -> int:
    """How many open gaps of a tenant, decided from an instant on, say that this feed is down."""
    binds = {"tenant": tenant, "origin": origin, "since": to_datetime(since_us)}
    row = await (await conn.execute(SQL["gaps_held"], binds)).fetchone()
    return 0 if row is None else int(row["gaps"])
