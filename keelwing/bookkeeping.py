"""What the operator's small commands ask of the store: books, keys, marks. Prints tables; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from rich.console import Console
from rich.table import Table

from fleet.instants import from_datetime
from store import counts, dirty, faults, keys
from store.counts import Balance
from store.keys import Role
from store.pool import open_pool

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
    Console().print(shown)


async def create_key(database_url: str, tenant: str, role: str, party_id: str | None) -> str:
    """A new key. Errors: those of `known_error`."""
    pool = await open_pool(database_url, "keelwing_worker", 1)
    try:
        async with pool.connection() as conn:
            return await keys.create(conn, tenant, cast("Role", role), party_id)
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
            return await dirty.mark_tenant(conn, tenant, asset_id, since_us, apply=apply)
    finally:
        await pool.close()
