"""A few figures of a running stack, for a line on somebody's terminal."""

from __future__ import annotations

import time

import msgspec
import psycopg

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
