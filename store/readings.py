"""The log of readings: in by COPY, out in canonical order. It knows streams and attributions; not what readings mean."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from psycopg import errors, sql

from fleet.asset_class import ASSET_CLASSES, class_of
from fleet.instants import to_datetime
from fleet.reading import Reading
from store import arrays, rollups, staging
from store.columns import COLUMNS, KEY_COLUMNS, ClassColumns, reading_of, row_of
from store.pool import Connection
from store.queries import load
from store.rows import ReadingRow

SQL = load("readings")
PAGE_MAX = 50_000  # readings in one page of `of_asset`; chosen: some 50 MB as structs

ReadingKey = tuple[str, int, int, str, int]
"""(class, stream_id, time_us, source, seq): what makes a reading the same reading."""
CanonicalKey = tuple[int, str, str, int]
"""(time_us, `scheme:value`, source, seq): the order in which an asset's readings are stepped."""
BEFORE_ALL: CanonicalKey = (-62_135_596_800_000_000, "", "", -1)  # year 1: what Python and the table can both say


class StoredReading(msgspec.Struct, frozen=True):
    """A reading as the log holds it."""

    stream_id: int
    reading: Reading
    received_us: int
    commit_no: int

    @property
    def key(self) -> CanonicalKey:
        """Where it stands in its asset's order."""
        return (self.reading.time_us, self.reading.name, self.reading.source, self.reading.seq)


class Fix(msgspec.Struct, frozen=True):
    """An asset's last position as of an instant: where, when, how fast and whereto (over ground), and whose feed said so."""

    asset_id: str
    asset_class: str
    asset: str
    tenant: str
    origin: str
    time_us: int
    lat_deg: float
    lon_deg: float
    speed_kn: float | None
    course_deg: float | None


def key_of(row: ReadingRow) -> ReadingKey:
    """The idempotent key of a reading."""
    reading = row.reading
    return (class_of(reading), row.stream_id, reading.time_us, reading.source, reading.seq)


async def insert(conn: Connection, rows: Iterable[ReadingRow], commit_nos: Mapping[int, int]) -> list[ReadingRow]:
    """`append`, and let rollups and last words grow by what was really inserted."""
    inserted = await append(conn, rows, commit_nos)
    await rollups.add(conn, inserted)
    return inserted


async def append(conn: Connection, rows: Iterable[ReadingRow], commit_nos: Mapping[int, int]) -> list[ReadingRow]:
    """Store readings; those whose key is there already (or twice in `rows`) are left out, the first one stays.

    Straight COPY within a savepoint; only when a key was there, COPY to a temporary table and INSERT … ON CONFLICT.
    Rollups and last words are the caller's to add, in the same transaction.

    Args:
        conn: inside the transaction that `commits.begin` numbered.
        rows: readings of any classes.
        commit_nos: the commit number of each row's shard.

    Returns:
        The rows that were not there before.
    """
    first: dict[str, dict[ReadingKey, ReadingRow]] = {asset_class: {} for asset_class in ASSET_CLASSES}
    for row in rows:
        key = key_of(row)
        first[key[0]].setdefault(key, row)
    values = {
        asset_class: [row_of(COLUMNS[asset_class], row, commit_nos[row.shard]) for row in of_class.values()]
        for asset_class, of_class in first.items()
        if of_class
    }
    if not values:
        return []
    try:
        async with conn.transaction():
            for asset_class, of_class in values.items():
                await staging.copy_rows(conn, COLUMNS[asset_class].table, COLUMNS[asset_class].columns, of_class)
    except errors.UniqueViolation:
        new = {
            (asset_class, *key)
            for asset_class, of_class in values.items()
            for key in await _insert_missing(conn, COLUMNS[asset_class], of_class)
        }
        return [row for of_class in first.values() for key, row in of_class.items() if key in new]
    return [row for of_class in first.values() for row in of_class.values()]


async def _insert_missing(
    conn: Connection, columns: ClassColumns, values: Sequence[Sequence[Any]]
) -> set[tuple[int, int, str, int]]:
    """The slow way for a batch with a duplicate; returns the keys inserted."""
    await conn.execute(sql.SQL("CREATE TEMPORARY TABLE staged_reading (LIKE {})").format(sql.Identifier(columns.table)))
    await staging.copy_rows(conn, "staged_reading", columns.columns, values)
    cursor = await conn.execute(insert_staged(columns))
    new = {(row["stream_id"], row["time"], row["source"], row["seq"]) for row in await cursor.fetchall()}
    await conn.execute("DROP TABLE staged_reading")
    return new


def insert_staged(columns: ClassColumns) -> sql.Composed:
    """The statement that moves what `staged_reading` holds to a class's table and returns the keys that were not there."""
    return sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {names} FROM staged_reading ORDER BY stream_id, time"
        " ON CONFLICT (stream_id, time, source, seq) DO NOTHING RETURNING stream_id, time, source, seq"
    ).format(table=sql.Identifier(columns.table), names=sql.SQL(", ").join(map(sql.Identifier, columns.columns)))


async def duplicates(conn: Connection, keys: Collection[ReadingKey]) -> set[ReadingKey]:
    """Which of these keys are stored already: one query per class among them."""
    found: set[ReadingKey] = set()
    for asset_class, columns in COLUMNS.items():
        wanted = [key for key in keys if key[0] == asset_class]
        if not wanted:
            continue
        cursor = await conn.execute(
            sql.SQL(
                "SELECT held.stream_id, held.time, held.source, held.seq FROM unnest(%(stream_id)s::bigint[],"
                " %(time)s::timestamptz[], %(source)s::text[], %(seq)s::bigint[]) AS wanted (stream_id, time, source, seq)"
                " JOIN {} AS held ON held.stream_id = wanted.stream_id AND held.time = wanted.time"
                " AND held.source = wanted.source AND held.seq = wanted.seq"
            ).format(sql.Identifier(columns.table)),
            arrays.columns(KEY_COLUMNS, [key[1:] for key in wanted]),
        )
        rows = await cursor.fetchall()
        found |= {(asset_class, row["stream_id"], row["time"], row["source"], row["seq"]) for row in rows}
    return found


async def high_water(conn: Connection, stream_ids: Collection[int]) -> dict[int, int]:
    """Greatest event time (microseconds) stored of each stream; a stream without readings is left out."""
    cursor = await conn.execute(SQL["high_water"], {"stream_ids": arrays.array("int8", list(stream_ids))})
    return {row["stream_id"]: row["time"] for row in await cursor.fetchall()}


async def feed_clock(conn: Connection, tenant: str, origin: str) -> int | None:
    """Greatest event time stored of an origin (`feed:NAME`, `device`): where a recording's clock stands after a restart."""
    cursor = await conn.execute(SQL["feed_clock"], {"tenant": tenant, "origin": origin})
    row = await cursor.fetchone()
    return None if row is None else row["time"]


async def of_asset(
    conn: Connection,
    asset_id: str,
    asset_class: str,
    from_us: int,
    to_us: int,
    *,
    after: CanonicalKey | None = None,
    limit: int = PAGE_MAX,
) -> list[StoredReading]:
    """An asset's readings of [from, to) in canonical order, by today's attributions, one page at a time.

    Args:
        conn: of the worker's role.
        asset_id: the asset.
        asset_class: its class, which says which table.
        from_us: first instant.
        to_us: first instant not wanted.
        after: `key` of the last reading of the page before.
        limit: readings at most, `PAGE_MAX` at most; fewer mean that there are no more.
    """
    columns = COLUMNS[asset_class]
    beyond = (
        sql.SQL("")
        if after is None
        else sql.SQL(
            ' AND (reading.time, (stream.scheme || \':\' || stream.value) COLLATE "C", reading.source COLLATE "C", reading.seq)'
            " > (%(after_time)s, %(after_name)s, %(after_source)s, %(after_seq)s)"
        )
    )
    statement = sql.SQL(
        "SELECT stream.scheme, stream.value, reading.* FROM attribution JOIN stream USING (stream_id)"
        " JOIN {table} AS reading ON reading.stream_id = attribution.stream_id"
        " AND reading.time >= %(from)s AND reading.time < %(to)s AND attribution.valid @> reading.time"
        " WHERE attribution.asset_id = %(asset_id)s AND upper_inf(attribution.recorded){beyond}"
        ' ORDER BY reading.time, (stream.scheme || \':\' || stream.value) COLLATE "C", reading.source COLLATE "C", reading.seq'
        " LIMIT %(limit)s"
    ).format(table=sql.Identifier(columns.table), beyond=beyond)
    binds: dict[str, Any] = {
        "asset_id": asset_id,
        "from": to_datetime(from_us if after is None else max(from_us, after[0])),
        "to": to_datetime(to_us),
        "limit": min(limit, PAGE_MAX),
    }
    if after is not None:
        binds |= {"after_time": to_datetime(after[0]), "after_name": after[1], "after_source": after[2], "after_seq": after[3]}
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(statement, binds)
        return [
            StoredReading(row["stream_id"], reading_of(asset_class, row), row["received_at"], row["commit_no"])
            for row in await cursor.fetchall()
        ]


async def beyond(
    conn: Connection, asset_class: str, keys: Mapping[str, CanonicalKey | None], limit: int
) -> dict[str, list[StoredReading]]:
    """The readings of several assets of a class, each beyond a key of its own (None: all), in canonical order, by one query.

    A stream whose latest reading lies not beyond is not looked into, so asking of assets with nothing new costs next to nothing.

    Args:
        conn: of the worker's role.
        asset_class: the class of all of them.
        keys: by asset.
        limit: readings at most. When as many come, the greatest asset id among the answers may lack some, and greater ones all.

    Returns: by asset, in the order of their ids; those with nothing beyond are left out.
    """
    ids = sorted(keys)
    known = [keys[asset_id] or BEFORE_ALL for asset_id in ids]
    statement = sql.SQL(
        "WITH streams AS MATERIALIZED (SELECT wanted.*, attribution.valid, stream.stream_id, stream.scheme, stream.value"
        " FROM unnest(%(ids)s::uuid[], %(time)s::timestamptz[], %(name)s::text[], %(source)s::text[], %(seq)s::bigint[])"
        " AS wanted (asset_id, key_time, key_name, key_source, key_seq) JOIN attribution USING (asset_id)"
        " JOIN stream USING (stream_id) JOIN stream_latest AS latest USING (stream_id)"
        " WHERE upper_inf(attribution.recorded) AND (latest.time, (stream.scheme || ':' || stream.value) COLLATE \"C\","
        ' latest.source COLLATE "C", latest.seq) > (key_time, key_name, key_source, key_seq))'
        " SELECT streams.asset_id::text, streams.scheme, streams.value, reading.*"
        " FROM streams JOIN {table} AS reading ON reading.stream_id = streams.stream_id"
        " AND reading.time >= streams.key_time AND streams.valid @> reading.time"
        ' WHERE (reading.time, (streams.scheme || \':\' || streams.value) COLLATE "C", reading.source COLLATE "C", reading.seq)'
        " > (key_time, key_name, key_source, key_seq)"
        " ORDER BY streams.asset_id, reading.time, (streams.scheme || ':' || streams.value) COLLATE \"C\","
        ' reading.source COLLATE "C", reading.seq LIMIT %(limit)s'
    ).format(table=sql.Identifier(COLUMNS[asset_class].table))
    binds: dict[str, Any] = {
        "ids": ids,
        "time": [to_datetime(key[0]) for key in known],
        "name": [key[1] for key in known],
        "source": [key[2] for key in known],
        "seq": [key[3] for key in known],
        "limit": limit,
    }
    found: dict[str, list[StoredReading]] = {}
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(statement, binds)
        for row in await cursor.fetchall():
            stored = StoredReading(row["stream_id"], reading_of(asset_class, row), row["received_at"], row["commit_no"])
            found.setdefault(row["asset_id"], []).append(stored)
    return found


async def fixes_at(conn: Connection, tenant: str, at_us: int, window_us: int) -> list[Fix]:
    """Last position of each of a tenant's assets in (at − window, at], by event time; assets without one are left out.

    Of several streams of an asset the latest fix counts; at one instant the greatest (`scheme:value`, source, seq).
    """
    fixes: list[Fix] = []
    for asset_class, columns in COLUMNS.items():
        statement = sql.SQL(
            "SELECT DISTINCT ON (attribution.asset_id) attribution.asset_id::text, stream.scheme, stream.value, stream.tenant,"
            " stream.origin, fix.*"
            " FROM asset JOIN attribution USING (asset_id) JOIN stream USING (stream_id)"
            " CROSS JOIN LATERAL (SELECT * FROM {table} AS reading"
            " WHERE reading.stream_id = stream.stream_id AND reading.time <= %(at)s AND reading.time > %(since)s"
            " AND lat_deg IS NOT NULL AND attribution.valid @> reading.time"
            ' ORDER BY time DESC, source COLLATE "C" DESC, seq DESC LIMIT 1) AS fix'
            " WHERE asset.tenant = %(tenant)s AND asset.class = %(class)s AND upper_inf(attribution.recorded)"
            " ORDER BY attribution.asset_id, fix.time DESC, (stream.scheme || ':' || stream.value) COLLATE \"C\" DESC,"
            ' fix.source COLLATE "C" DESC, fix.seq DESC'
        ).format(table=sql.Identifier(columns.table))
        binds = {"tenant": tenant, "class": asset_class, "at": to_datetime(at_us), "since": to_datetime(at_us - window_us)}
        cursor = await conn.execute(statement, binds)
        fixes += [_fix_of(asset_class, row) for row in await cursor.fetchall()]
    return fixes


def _fix_of(asset_class: str, row: Mapping[str, Any]) -> Fix:
    reading = reading_of(asset_class, row)
    return Fix(
        asset_id=row["asset_id"],
        asset_class=asset_class,
        asset=reading.name,
        tenant=row["tenant"],
        origin=row["origin"],
        time_us=reading.time_us,
        lat_deg=row["lat_deg"],
        lon_deg=row["lon_deg"],
        speed_kn=reading.speed_kn,
        course_deg=reading.course_deg,
    )
