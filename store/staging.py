"""Rows by COPY in the server's binary form, the fastest way into a table; what is to be upserted comes in by `arrays`.

Instants go over the wire as what a binary `timestamptz` is: whole microseconds since 2000-01-01 UTC in eight bytes
(PostgreSQL documentation, "Date/Time Types"; integer since version 10). No datetime is built for any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString

import msgspec
from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb

POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01T00:00:00Z
INSTANT = "instant"
"""In a column list: a timestamptz given as microseconds since 1970."""


def instant(time_us: int) -> int:
    """An instant as COPY wants it."""
    return time_us - POSTGRES_EPOCH_US


def json(value: Any) -> Jsonb:
    """A value for a jsonb column."""
    return Jsonb(value, dumps=msgspec.json.encode)


async def copy_rows(
    conn: AsyncConnection[Any], table: LiteralString, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    """COPY rows into a table.

    Args:
        conn: inside a transaction.
        table: its name.
        columns: name to type (`INSTANT`, or PostgreSQL's name of a type), in the order of each row's values.
        rows: the values; instants already through `instant`.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    async with conn.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(["int8" if kind == INSTANT else kind for kind in columns.values()])
        write_row = copy.formatter.write_row  # which `copy.write_row` wraps in a coroutine for each row
        for row in rows:
            if filled := write_row(row):
                await copy.writer.write(filled)
