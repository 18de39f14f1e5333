"""Closing hours: what each field and sensor of an hour that is over spans, kept so that buckets need not read its readings.

A spread is a cache of the log. It remembers of how many readings it was made and is believed only while `reading_hour`, which
is written with every commit, counts as many; so a late reading is never left out, whoever closes when. `rollups` marks the
hours, this closes them, `reads` asks for them. The only text that is put together is from names of `fleet`.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from fleet.asset_class import ASSET_CLASSES
from fleet.instants import HOUR_US, to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("spreads")
OPEN_S = 4200.0  # chosen: an hour is over an hour after its start, and ten minutes later its stragglers have come
QUIET_S = 60.0  # chosen: a fast replay of old readings closes an hour at most once a minute
HOURS_MAX = 500
READINGS_MAX = 40_000  # chosen: a transaction of about a third of a second


async def close_hours(conn: Connection, *, open_s: float = OPEN_S, quiet_s: float = QUIET_S) -> int:
    """Close the oldest hours that are due, a bounded number of them, in this transaction; returns how many.

    Args:
        conn: of the worker's role.
        open_s: seconds after its start (wall time) at which an hour may be closed. Must be more than the hour that
            `rollups.MARKED_AFTER_S` lets pass, or a reading could come in between without a mark.
        quiet_s: seconds for which a mark is left alone.
    """
    binds = {"open_s": open_s, "quiet_s": quiet_s, "hours_max": HOURS_MAX, "readings_max": READINGS_MAX}
    due = await (await conn.execute(SQL["take"], binds)).fetchall()
    for name in ASSET_CLASSES:
        of_class = [row for row in due if row["class"] == name]
        if of_class:
            await conn.execute(_closing(name), _keys([(row["stream_id"], row["hour"]) for row in of_class]), prepare=False)
    return len(due)


def _keys(hours: Sequence[tuple[int, int]]) -> dict[str, list[object]]:
    return {"stream_ids": [stream_id for stream_id, _ in hours], "hours": [to_datetime(hour) for _, hour in hours]}


def _closing(asset_class: str) -> sql.Composed:
    fields: list[sql.Composable] = []
    for name, kind in kinds_of(asset_class).items():
        shape = _SPREAD if kind in {"number", "integer"} else _LAST
        fields.append(shape.format(name=sql.Literal(name), value=sql.Identifier("r", name)))
    return sql.SQL(SQL["close"]).format(table=sql.Identifier(f"reading_{asset_class}"), fields=sql.SQL(", ").join(fields))


def kinds_of(asset_class: str) -> dict[str, str]:
    """Name and kind of each field whose spread is kept: the position's, then the class's own."""
    place = {"lat_deg": "number", "lon_deg": "number"}
    return place | {field.name: field.kind for field in ASSET_CLASSES[asset_class].fields}


_SPREAD = sql.SQL(
    "{name}, CASE WHEN count({value}) > 0 THEN"
    " jsonb_build_array(count({value}), min({value}), max({value}), sum({value}::float8)) END"
)
_LAST = sql.SQL(
    "{name}, CASE WHEN count({value}) > 0 THEN jsonb_build_array((array_agg({value} ORDER BY r.time DESC)"
    " FILTER (WHERE {value} IS NOT NULL))[1], max(r.time) FILTER (WHERE {value} IS NOT NULL)) END"
)
assert HOUR_US == 3600 * 1_000_000  # noqa: S101 - the interval in the statements
