"""A past put into an empty database at once: facts that no worker heard, under numbered commits of their own months.

For demos and trials, where ten years of a fleet must be there in seconds. What a commit writes beside the readings (rollups and
last words) is summed up from them here. Text in PostgreSQL's COPY form comes from the caller, who knows what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg import sql

from store import staging
from store.pool import Connection
from store.queries import load

SQL = load("history")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


async def is_untouched(conn: Connection) -> bool:
    """Whether nothing was ever committed here: only then may a past be put in."""
    row = await (await conn.execute(SQL["is_untouched"])).fetchone()
    return row is not None and bool(row["untouched"])


async def number(conn: Connection, months: Sequence[datetime]) -> None:
    """One commit of each shard for each month, number 1 the first, known at the month's instant: `n * 64 + shard`.

    Raises:
        psycopg.errors.UniqueViolation: something was committed before.
    """
    await conn.execute(SQL["number"], {"months": list(months)})


async def copy_text(conn: Connection, table: LiteralString, columns: Sequence[str], blocks: Iterable[str]) -> None:
    """COPY blocks of whole lines, tab-separated and escaped, into a table without row security."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _listed(columns))
    async with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            await copy.write(block)


async def insert_text(conn: Connection, table: LiteralString, columns: Sequence[str], blocks: Iterable[str]) -> None:
    """The same into a walled table, by way of a temporary one: COPY goes into none that has row security."""
    staged: LiteralString = "past"
    names = {"staged": sql.Identifier(staged), "table": sql.Identifier(table), "columns": _listed(columns)}
    create = sql.SQL("CREATE TEMPORARY TABLE {staged} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA")
    await conn.execute(create.format(**names))
    await copy_text(conn, staged, columns, blocks)
    await conn.execute(sql.SQL("INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged}").format(**names))
    await conn.execute(sql.SQL("DROP TABLE {staged}").format(**names))


def _listed(columns: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


async def insert_rows(conn: Connection, table: LiteralString, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows given by column name, a column that a row lacks as its default; values as the text of their type."""
    by_columns: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        by_columns.setdefault(tuple(row), []).append(line_of(row.values()))
    for columns, lines in by_columns.items():
        await insert_text(conn, table, columns, ["".join(lines)])


def line_of(values: Iterable[Any]) -> str:
    """One line of COPY's text form: None is NULL, booleans are t and f, anything else its text."""
    return "\t".join(map(_text, values)) + "\n"


def _text(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).translate(_ESCAPES)


async def sum_up(conn: Connection) -> None:
    """Rollups and last words of every stream, out of the readings that are there."""
    for name in ("hours_vessel", "hours_aircraft", "days_vessel", "days_aircraft", "latest_vessel", "latest_aircraft"):
        await conn.execute(SQL[name])


async def seat_party(conn: Connection, party_id: str, country: str) -> None:
    """Say in which country (ISO 3166-1 alpha-2) a party has its seat."""
    await conn.execute(SQL["seat_party"], {"party_id": party_id, "country": country})


async def describe(conn: Connection, asset_id: str, particulars: Mapping[str, Any]) -> None:
    """Give an asset particulars beside those it has."""
    await conn.execute(SQL["describe"], {"asset_id": asset_id, "particulars": staging.json(particulars)})


async def end_identifiers(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Identifiers that an asset bore until an instant, before those it bears now: the present ones begin there."""
    for row in rows:
        await conn.execute(SQL["end_identifier"], dict(row))


async def last_reading(conn: Connection, tenant: str, name: str) -> tuple[int, str, str, int] | None:
    """Canonical key (microseconds, `scheme:value`, source, seq) of the last reading of a tenant's device; None without one."""
    row = await (await conn.execute(SQL["last_reading"], {"tenant": tenant, "name": name})).fetchone()
    return None if row is None else (row["time"], name, row["source"], row["seq"])
