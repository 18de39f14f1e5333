"""A few figures of a running stack, for a line on somebody's terminal."""

from __future__ import annotations

import time

import msgspec
import psycopg

from store.pool import Connection
from store.queries import load

SQL = load("figures")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a database knows of its stack. `lag_ms` is from reception to commit, of the last minute; `at_s` is monotonic."""

    at_s: float
    stored: int
    rejected: int
    alerts_open: int
    alerts_critical: int
    lag_ms: float | None


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """What waits to be delivered to enabled endpoints, and how the endpoints stand.

    `age_s`: of the oldest event that waits, for its first attempt or for another; `overdue_s`: how long ago the delivery that is
    due longest should have been attempted.
    """

    pending: int
    age_s: float
    overdue_s: float
    enabled: int
    disabled: int


async def outbox(conn: Connection) -> Outbox:
    """The figures of this instant, for the notifier."""
    row = await (await conn.execute(SQL["outbox"])).fetchone()
    return Outbox(pending=0, age_s=0.0, overdue_s=0.0, enabled=0, disabled=0) if row is None else Outbox(**row)


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What only the database knows of a worker: assets that wait to be derived again, and its own size."""

    dirty: int
    database_bytes: int


async def backlog(conn: Connection) -> Backlog:
    """The figures of this instant, for the worker's role."""
    row = await (await conn.execute(SQL["backlog"])).fetchone()
    return Backlog(dirty=0, database_bytes=0) if row is None else Backlog(**row)


async def feeds_heard(conn: Connection) -> dict[tuple[str, str], int]:
    """When (wall time, microseconds) each live feed was last heard; feeds that never were are left out.

    As well as the tables know it: to the hour where a feed carried traffic or duplicates alone.
    """
    rows = await (await conn.execute(SQL["feeds_heard"])).fetchall()
    return {(row["tenant"], row["feed"]): row["heard_at"] for row in rows}


def read_figures(url: str) -> Figures | None:
    """The figures now, over a connection of its own; None while the database is away."""
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            row = connection.execute(SQL["read"]).fetchone()
    except psycopg.OperationalError:
        return None
    if row is None:
        return None
    stored, rejected, alerts_open, alerts_critical, lag_ms = row
    return Figures(
        at_s=time.monotonic(),
        stored=stored,
        rejected=rejected,
        alerts_open=alerts_open,
        alerts_critical=alerts_critical,
        lag_ms=lag_ms,
    )
