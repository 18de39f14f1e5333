"""TimescaleDB, when the server has it: hypertables, and columnstore behind the horizon where the edition allows it.

Without it the same tables are plain ones and every query is the same. It runs after the migrations at every start and
changes nothing that is already so. Retention stays off until an operator chooses one: readings are the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg

from store.columns import COLUMNS

TABLES: tuple[LiteralString, ...] = tuple(columns.table for columns in COLUMNS.values())
CHUNK_DAYS = 1  # chosen for a thousand assets: the index of a day is 1.7 GB (docs/database.md has other sizes)
COLUMNSTORE_AFTER_DAYS = 4  # behind the 72 h horizon (design 5.7) and one chunk
PAST_CHUNK_DAYS = 30  # chosen: ten years are 120 chunks a table; each day its own would be more than a server has locks for
SEGMENT_BY: LiteralString = "stream_id"
ORDER_BY: LiteralString = "time DESC, source, seq"
"""The key's columns, asked by. Measured (bench/columnstore.py), a reading every 10 s: no other takes a hundredth less."""


def edition(connection: psycopg.Connection[Any]) -> str | None:
    """`timescale` (all features), `apache` (no columnstore, no policies), or None when the extension cannot be used."""
    installed = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    if installed is None and not _installable(connection):
        return None
    if installed is None:
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    row = connection.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    return row[0] if row and row[0] else None


def set_up(connection: psycopg.Connection[Any]) -> str | None:
    """Make the reading tables hypertables and, in the full edition, move what the horizon left into the columnstore.

    Args:
        connection: of the tables' owner, in autocommit.

    Returns:
        The edition found, as `edition` names it.
    """
    found = edition(connection)
    if found is None:
        return None
    for table in TABLES:
        connection.execute(
            "SELECT create_hypertable(%s::regclass, by_range('time', %s * interval '1 day'),"
            " create_default_indexes => false, if_not_exists => true, migrate_data => true)",
            (table, CHUNK_DAYS),
        )
        if found == "timescale":
            _columnstore(connection, table)
    return found


@contextmanager
def long_chunks(url: str) -> Iterator[None]:
    """While it lasts, chunks that are made are `PAST_CHUNK_DAYS` long, for a past of years written in one transaction.

    Each chunk and its index are locked by a transaction that writes them, and by a question that reads them all. Afterwards the
    intervals are what they were. Without hypertables, or as somebody who does not own them, nothing is changed.

    Args:
        url: `postgresql://…` of the tables' owner.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        before = _intervals(connection)
        _set_intervals(connection, [(table, f"{PAST_CHUNK_DAYS} days") for table, _ in before])
    try:
        yield
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            _set_intervals(connection, before)


def _intervals(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """How long the next chunk of each reading table will be, as text; of those that are hypertables and the role's own."""
    if connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is None:
        return []
    return connection.execute(
        "SELECT hypertable_name::text, time_interval::text FROM timescaledb_information.dimensions JOIN pg_class"
        " ON relname = hypertable_name AND relnamespace = 'public'::regnamespace"
        " WHERE hypertable_schema = 'public' AND hypertable_name = ANY (%s) AND pg_has_role(relowner, 'USAGE')",
        (list(TABLES),),
    ).fetchall()


def _set_intervals(connection: psycopg.Connection[Any], intervals: Iterable[tuple[str, str]]) -> None:
    for table, length in intervals:
        connection.execute("SELECT set_chunk_time_interval(%s::regclass, %s::interval)", (table, length))


def _columnstore(connection: psycopg.Connection[Any], table: LiteralString) -> None:
    """Switch the columnstore on, with its policy; one that is on stays as it is set."""
    enabled = connection.execute(
        "SELECT 1 FROM timescaledb_information.hypertables WHERE hypertable_schema = 'public' AND hypertable_name = %s"
        " AND compression_enabled",
        (table,),
    ).fetchone()
    if enabled is not None:
        return
    connection.execute(
        "ALTER TABLE " + table + " SET (timescaledb.enable_columnstore = true,"
        " timescaledb.segmentby = '" + SEGMENT_BY + "', timescaledb.orderby = '" + ORDER_BY + "')"
    )
    connection.execute(
        "CALL add_columnstore_policy(%s::regclass, after => %s * interval '1 day', if_not_exists => true)",
        (table, COLUMNSTORE_AFTER_DAYS),
    )


def _installable(connection: psycopg.Connection[Any]) -> bool:
    """The extension's files are there and its loader is preloaded: creating it otherwise ends the connection.

    The loader is known by a setting of its own; `timescaledb.license` comes with the library that only an installed
    extension loads.
    """
    available = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'").fetchone()
    preloaded = connection.execute("SELECT 1 FROM pg_settings WHERE name = 'timescaledb.disable_load'").fetchone()
    return available is not None and preloaded is not None
