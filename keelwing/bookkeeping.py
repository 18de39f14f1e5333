"""What the operator's small commands ask of the store: books, keys, marks. Prints tables; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from rich.console import Console
from rich.table import Table

from fleet.instants import from_datetime
from ingest.wire import OPERATOR_TENANT
from store import counts, dirty, faults, keys, registry, sightings
from store.counts import Balance
from store.keys import Role
from store.pool import open_pool

TABLE_CHARS = 140
FIGURES = ("received", "stored", "late", "duplicate", "rejected", "traffic", "held", "rolled_up")


async def balances(database_url: str) -> list[Balance]:
    """The books of every origin, read from one snapshot."""
    pool = await open_pool(database_url, "keelwing_worker", 1)
    try:
        async with pool.connection() as conn:
            await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return await counts.reconcile(conn)
    finally:
        await pool.close()


def as_lines(rows: Sequence[Balance]) -> list[dict[str, Any]]:
    """The books as JSON objects, each with `balanced`."""
    return [{**msgspec.structs.asdict(row), "balanced": row.is_balanced} for row in rows]


def table(rows: Sequence[Balance]) -> None:
    """Print the books: received = stored + duplicate + rejected + traffic, stored = held = rolled up."""
    shown = Table("tenant", "origin", *FIGURES, "balanced")
    for row in rows:
        figures = [f"{getattr(row, name):,}" for name in FIGURES]
        shown.add_row(row.tenant, row.origin, *figures, "yes" if row.is_balanced else "NO")
    console = Console()
    if console.width < TABLE_CHARS:
        console = Console(width=TABLE_CHARS)  # a wrapped line can be read, a name cut to its first letters cannot
    console.print(shown)


async def create_key(database_url: str, tenant: str, role: str, party_id: str | None) -> str:
    """A new key of a tenant, which is made if need be. Errors: those of `known_error`."""
    pool = await open_pool(database_url, "keelwing_worker", 1)
    try:
        async with pool.connection() as conn:
            await registry.create_tenant(conn, tenant, tenant)
            return await keys.create(conn, tenant, cast("Role", role), party_id)
    finally:
        await pool.close()


async def create_tenant(database_url: str, tenant: str, name: str) -> None:
    """A tenant, made if need be. Errors: those of `known_error`."""
    pool = await open_pool(database_url, "keelwing_worker", 1)
    try:
        async with pool.connection() as conn:
            await registry.create_tenant(conn, tenant, name)
    finally:
        await pool.close()


async def grant_feed(database_url: str, feed: str, tenant: str, since: datetime | None, until: datetime | None) -> None:
    """Grant a feed of the operator, made if need be, to a tenant in [since, until). Errors: those of `known_error`."""
    pool = await open_pool(database_url, "keelwing_worker", 1)
    try:
        async with pool.connection() as conn:
            if (OPERATOR_TENANT, feed) not in (await registry.load(conn)).feeds:
                await registry.set_feed(conn, OPERATOR_TENANT, feed, "live")
            from_us, to_us = (None if moment is None else from_datetime(moment) for moment in (since, until))
            await registry.grant_feed(conn, feed, tenant, from_us, to_us)
    finally:
        await pool.close()


def known_error() -> tuple[type[Exception], ...]:
    """What a wrong tenant, role or party raises."""
    return faults.REFUSED


async def mark_for_rederivation(
    database_url: str, tenant: str, asset_id: str | None, since: datetime | None, *, apply: bool
) -> int:
    """Mark a tenant's assets (or one) to be derived again from an instant on; how many. Without `apply` only counts."""
    pool = await open_pool(database_url, "keelwing_worker", 1)
    try:
        async with pool.connection() as conn:
            since_us = None if since is None else from_datetime(since)
            if apply and asset_id is None:
                await sightings.mark_tenant(conn, tenant, since_us)
            return await dirty.mark_tenant(conn, tenant, asset_id, since_us, apply=apply)
    finally:
        await pool.close()
