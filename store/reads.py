"""What the API reads, one function a question, each inside a scope (`store.pool.scope`). It writes nothing.

Rows come as dictionaries named as the columns are: instants in microseconds UTC, ids as uuids. A filter that is None does
not filter. `known_us` asks what was known then: dated rows by their `recorded` range, commits by their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from importlib.resources import files
from typing import Any, LiteralString, NamedTuple

import msgspec
from psycopg import sql

from fleet.asset_class import ASSET_CLASSES
from fleet.instants import SECOND_US
from fleet.trainset import KMH_PER_KN
from store.moments import moment
from store.pool import Connection
from store.queries import load
from store.spreads import kinds_of

SQL = load("reads")
AS_OF_LOOKBACK = timedelta(days=30)  # chosen: a part of a state not heard for a month is unknown, and the search stays short
HOUR_S = 3600
BOX_ASSETS_MAX = 2000  # chosen: two of the largest pages
FIXES_READ_MAX = 4000  # fixes of one asset that are read one after another rather than picked; measured, see docs/performance.md
READS_A_PROBE = 5  # readings passed over in the time that one probe of the key takes; measured there too

Row = dict[str, Any]


class AssetFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which assets: `identifier` is (scheme, value); `bbox` west, south, east, north in degrees, west > east over 180°."""

    asset_class: str | None = None
    among_classes: tuple[str, ...] | None = None
    identifier: tuple[str, str] | None = None
    lessee: str | None = None
    text: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    at_us: int | None = None
    known_us: int | None = None


class FindingFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which findings; `from_us` and `to_us` bound `detected_at`, half-open; `at_us` asks for episodes running then."""

    finding_id: str | None = None
    asset_id: str | None = None
    rule: str | None = None
    severities: tuple[str, ...] | None = None
    from_us: int | None = None
    to_us: int | None = None
    at_us: int | None = None
    known_us: int | None = None
    retracted: bool = False
    descending: bool = False


class AlertFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts; `from_us` and `to_us` bound `opened_at`, half-open."""

    alert_id: str | None = None
    incident_id: str | None = None
    statuses: tuple[str, ...] | None = None
    severities: tuple[str, ...] | None = None
    asset_id: str | None = None
    rule: str | None = None
    from_us: int | None = None
    to_us: int | None = None


class Period(NamedTuple):
    """A half-open stretch of event time and what was known of it when (None: what is known now)."""

    from_us: int
    to_us: int
    known_us: int | None = None


class _StateColumns(NamedTuple):
    """Where a class keeps the parts of a state, as SQL over a row `r`."""

    speed: LiteralString = "NULL::float8"
    course: LiteralString = "NULL::float8"
    altitude: LiteralString = "NULL::float8"
    nav_status: LiteralString = "NULL::int"
    on_ground: LiteralString = "NULL::bool"
    draught: LiteralString = "NULL::float8"


_STATE_COLUMNS = {
    "vessel": _StateColumns("r.sog_kn", "r.cog_deg", nav_status="r.nav_status", draught="r.draught_m"),
    "aircraft": _StateColumns("r.gs_kn", "r.track_deg", "r.alt_baro_ft", on_ground="r.on_ground"),
    "trainset": _StateColumns(speed="r.speed_kmh / 1.852"),
}
assert KMH_PER_KN == 1.852  # noqa: S101 - the literal above
_STATE_PARTS: dict[str, tuple[str | None, ...]] = {
    "vessel": (None, "lat_deg", "sog_kn", "nav_status", "draught_m", "channels"),
    "aircraft": (None, "lat_deg", "gs_kn", "on_ground", "channels"),
    "trainset": (None, "lat_deg", "speed_kmh", "channels"),
}


async def assets(conn: Connection, which: AssetFilter, after: str | None, limit: int) -> list[Row]:
    """Assets in order of their id.

    Of a box it is asked first who is in it: if they are few, only they are looked at; if they are many, a page is soon full.
    """
    west, south, east, north = which.bbox or (None, None, None, None)
    scheme, value = which.identifier or (None, None)
    box = {"west": west, "south": south, "east": east, "north": north}
    among = None
    if which.bbox is not None:
        found = await _rows(conn, SQL["in_box"], {**box, "wanted": BOX_ASSETS_MAX + 1})
        among = [row["asset_id"] for row in found] if len(found) <= BOX_ASSETS_MAX else None
    return await _rows(
        conn,
        SQL["assets"],
        {
            "class": which.asset_class, "classes": _array(which.among_classes),
            "scheme": scheme, "value": value, "lessee": which.lessee,
            "q": None if which.text is None else f"%{_like(which.text)}%", **box, "among": among,
            "at": moment(which.at_us), "known": moment(which.known_us), "after": after, "limit": limit,
        },
    )  # fmt: skip


async def asset(conn: Connection, asset_id: str, known_us: int | None = None) -> Row | None:
    """One asset, or None where it is not there or not in the scope."""
    found = await _rows(conn, SQL["asset"], {"asset": asset_id, "known": moment(known_us)})
    return found[0] if found else None


async def assets_of(conn: Connection, assets: Sequence[Any]) -> list[Row]:
    """These assets, those of them in the scope."""
    return await _rows(conn, SQL["assets_of"], {"assets": list(assets)})


async def identifiers(conn: Connection, assets: Sequence[Any], at_us: int | None, known_us: int | None) -> list[Row]:
    """Identifiers of assets; all there ever were, or those valid at an instant."""
    return await _rows(
        conn, SQL["identifiers"], {"assets": list(assets), "at": moment(at_us), "known": moment(known_us)}
    )  # fmt: skip


async def leases(conn: Connection, assets: Sequence[Any], at_us: int | None, known_us: int | None) -> list[Row]:
    """Head leases of assets; all there ever were, or those in force at an instant."""
    return await _rows(conn, SQL["leases"], {"assets": list(assets), "at": moment(at_us), "known": moment(known_us)})


async def latest(conn: Connection, assets: Sequence[Any]) -> list[Row]:
    """The last word of each stream of the assets: several rows an asset, none for one never heard."""
    return await _rows(conn, SQL["latest"], {"assets": list(assets)})


async def as_of(conn: Connection, asset_class: str, assets: Sequence[Any], at_us: int, known_us: int | None) -> list[Row]:
    """Rows as of `latest`, from the readings at or before an instant; parts older than `AS_OF_LOOKBACK` are not looked for."""
    columns = _STATE_COLUMNS[asset_class]
    part = sql.SQL(SQL["as_of_part"])
    function = _function("last_readings", asset_class)
    parts = sql.SQL(" UNION ALL ").join(
        part.format(function=function, part=sql.Literal(column)) for column in _STATE_PARTS[asset_class]
    )
    query = sql.SQL(SQL["as_of"]).format(
        parts=parts, **{name: sql.SQL(expression) for name, expression in columns._asdict().items()}
    )
    wanted = {"assets": list(assets), "at": moment(at_us), "known": moment(known_us), "lookback": AS_OF_LOOKBACK}
    return await _rows(conn, query, wanted)


async def moved_since(conn: Connection, since_us: int) -> dict[Any, tuple[int, int]]:
    """The assets that were heard after an instant (wall time of reception): greatest event time and reception of each."""
    rows = await _rows(conn, SQL["moved_since"], {"since": moment(since_us)})
    return {row["asset_id"]: (row["last_time"], row["last_received_at"]) for row in rows}


async def heard(conn: Connection, asset_id: str, asset_class: str) -> Row:
    """`first_time`, `last_time` and number of `streams` of an asset as far as the scope reaches; of a component none."""
    if asset_class not in ASSET_CLASSES:
        return {"first_time": None, "last_time": None, "streams": 0}
    query = sql.SQL(SQL["heard"]).format(function=_function("heard", asset_class))
    return (await _rows(conn, query, {"asset": asset_id}))[0]


async def coverage(conn: Connection, asset_id: str) -> list[Row]:
    """Origins that speak of an asset (`feed:NAME`, `scheme:value` of a device), what was heard, and what became of it.

    `readings` and `positions` count the hours that lie wholly inside the scope. Counters and `nulled` are a device's; they are
    None for a feed, whose counters are not split by asset.
    """
    return await _rows(conn, SQL["coverage"], {"asset": asset_id})


async def device_statuses(conn: Connection, asset_id: str, until_us: int | None = None) -> list[Row]:
    """What the devices of an asset last said of themselves (`online`, `since`), the latest first; `until_us` is of reception."""
    return await _rows(conn, SQL["device_statuses"], {"asset": asset_id, "until": moment(until_us)})


async def reported(conn: Connection, asset_id: str, at_us: int | None, known_us: int | None) -> Row | None:
    """The newest identity or voyage report of an asset as far as the scope reaches; None where there is none."""
    found = await _rows(conn, SQL["reported"], {"asset": asset_id, "at": moment(at_us), "known": moment(known_us)})
    return found[0] if found else None


async def track(conn: Connection, asset_id: str, asset_class: str, period: Period, points_max: int) -> list[Row]:
    """Fixes in order of time, thinned evenly to at most `points_max` (≥ 2); each row says how many there were (`total`).

    Few fixes are all read and every n-th is given. Of many the rollups say how many lie where, and only those given are looked
    up: evenly by number from day to day (at the period's edges from hour to hour), evenly by time within one. The first and the
    last are always among them. What was known at an instant (`known_us`) no rollup can say: then all are read.
    """
    query = sql.SQL(SQL["track"]).format(view=_view(asset_class))
    binds = {"asset": asset_id, "points_max": points_max, **_period(period)}
    if period.known_us is not None or period.from_us >= period.to_us:
        return await _rows(conn, query, binds)
    counts = await _rows(conn, sql.SQL(SQL["fix_counts"]).format(view=_view(asset_class)), binds)
    total = sum(part["count"] for part in counts)
    if total <= max(FIXES_READ_MAX, READS_A_PROBE * points_max):
        return await _rows(conn, query, binds)
    binds["instants_us"] = evenly(counts, total, points_max)
    found = await _rows(conn, sql.SQL(SQL["fixes_from"]).format(function=_function("fixes_after", asset_class)), binds)
    return [{**row, "total": total} for row in found]


def evenly(counts: Sequence[Row], total: int, points_max: int) -> list[int]:
    """Instants at which to look for fixes: at most `points_max` − 1, the place of the last is left free.

    Args:
        counts: rows of `count`, `first_time` and `last_time` (microseconds), earliest first.
        total: the sum of their counts.
        points_max: fixes wanted at most, 2 or more.

    Returns:
        Where every n-th fix is, if those of each row are evenly spread between its first and its last; ascending.
    """
    step = max(1, -(-(total - 1) // (points_max - 1)))
    instants: list[int] = []
    before, wanted = 0, 0
    for part in counts:
        spread_us = part["last_time"] - part["first_time"]
        while wanted < min(before + part["count"], total - 1):
            instants.append(part["first_time"] + spread_us * (wanted - before) // part["count"])
            wanted += step
        before += part["count"]
    return instants


async def telemetry(
    conn: Connection, asset_id: str, asset_class: str, period: Period, fields: Sequence[str],
    after: tuple[int, str, int, int] | None, limit: int,
) -> list[Row]:  # fmt: skip
    """Readings in order of (time, source, seq, stream), with the class's `fields` and `channels`."""
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in (*fields, "channels"))
    query = sql.SQL(SQL["telemetry"]).format(view=_view(asset_class), columns=columns)
    time_us, source, seq, stream = after or (None, None, None, None)
    page = {
        "after_time": moment(time_us), "after_source": source, "after_seq": seq, "after_stream": stream, "limit": limit,
    }  # fmt: skip
    return await _rows(conn, query, {"asset": asset_id, **_period(period), **page})


async def telemetry_buckets(
    conn: Connection, asset_id: str, asset_class: str, period: Period, fields: Sequence[str], channels: Sequence[str],
    bucket_s: int, after_us: int | None, limit: int,
) -> list[Row]:  # fmt: skip
    """Readings gathered in buckets of event time (whole multiples of `bucket_s` since 1970 UTC), earliest first.

    A row holds `time`, `count` and a column for each name, `f0…` for fields and `c0…` for channels in the order given: the
    array `[count, min, mean, max]` of a number, the last value of anything else. Buckets of whole hours are made of closed
    hours as far as there are any, and of readings for the rest.
    """
    page = {"bucket": timedelta(seconds=bucket_s), "after_time": moment(after_us), "limit": limit}
    if bucket_s % HOUR_S or period.known_us is not None:
        query = _reading_buckets(asset_class, fields, channels)
        return await _rows(conn, query, {"asset": asset_id, **_period(period), **page})
    if after_us is not None:
        period = period._replace(from_us=max(period.from_us, after_us + bucket_s * SECOND_US))
    if period.from_us >= period.to_us:
        return []
    return await _rows(conn, _hour_buckets(asset_class, fields, channels), {"asset": asset_id, **_period(period), **page})


def _reading_buckets(asset_class: str, fields: Sequence[str], channels: Sequence[str]) -> sql.Composed:
    kinds = kinds_of(asset_class)
    columns: list[sql.Composable] = []
    for n, name in enumerate(fields):
        shape = _NUMBER if kinds[name] in NUMBERS else _LAST
        columns.append(shape.format(value=sql.Identifier(name), column=sql.Identifier(f"f{n}")))
    for n, name in enumerate(channels):
        value = sql.SQL("(channels ->> {})::float8").format(sql.Literal(name))
        columns.append(_NUMBER.format(value=value, column=sql.Identifier(f"c{n}")))
    columns = columns or [sql.SQL("NULL AS nothing")]
    return sql.SQL(SQL["telemetry_buckets"]).format(view=_view(asset_class), columns=sql.SQL(", ").join(columns))


def _hour_buckets(asset_class: str, fields: Sequence[str], channels: Sequence[str]) -> sql.Composed:
    """The statement's three lists of columns: out of a closed hour, out of a reading, and both gathered in a bucket."""
    kinds = kinds_of(asset_class)
    asked = [(f"f{n}", "fields", name, kinds[name]) for n, name in enumerate(fields)]
    asked += [(f"c{n}", "channels", name, "number") for n, name in enumerate(channels)]
    closed: list[sql.Composable] = [sql.SQL("NULL AS nothing")]
    opened: list[sql.Composable] = [sql.SQL("NULL")]
    gathered: list[sql.Composable] = []
    for column, kept_in, name, kind in asked:
        value = sql.Identifier("r", name) if kept_in == "fields" else sql.SQL("(r.channels ->> {})").format(sql.Literal(name))
        names = {part: sql.Identifier(f"{column}_{part}") for part in ("n", "low", "high", "sum", "value", "at")}
        parts = _HOUR_NUMBER if kind in NUMBERS else _HOUR_LAST
        kept = sql.SQL("({} -> {})").format(sql.Identifier(kept_in), sql.Literal(name))
        for shape, columns in zip(parts, (closed, opened, gathered), strict=True):
            columns.append(shape.format(
                kept=kept, value=value, type=sql.SQL("boolean" if kind == "boolean" else "text"),
                column=sql.Identifier(column), **{f"its_{part}": each for part, each in names.items()},
            ))  # fmt: skip
    lists = {"closed_parts": closed, "open_parts": opened, "columns": gathered or [sql.SQL("NULL AS nothing")]}
    joined = {name: sql.SQL(", ").join(columns) for name, columns in lists.items()}
    return sql.SQL(SQL["hour_buckets"]).format(view=_view(asset_class), **joined)


NUMBERS = frozenset({"number", "integer"})
_NUMBER = sql.SQL("ARRAY[count({value}), min({value}), avg({value}), max({value})]::float8[] AS {column}")
_LAST = sql.SQL("(array_agg({value} ORDER BY time DESC) FILTER (WHERE {value} IS NOT NULL))[1] AS {column}")
_HOUR_NUMBER = (
    sql.SQL(
        "({kept} ->> 0)::float8 AS {its_n}, ({kept} ->> 1)::float8 AS {its_low}, ({kept} ->> 2)::float8 AS {its_high},"
        " ({kept} ->> 3)::float8 AS {its_sum}"
    ),
    sql.SQL("({value} IS NOT NULL)::integer::float8, {value}::float8, {value}::float8, {value}::float8"),
    sql.SQL(
        "ARRAY[coalesce(sum({its_n}), 0), min({its_low}), sum({its_sum}) / nullif(sum({its_n}), 0), max({its_high})] AS {column}"
    ),
)
_HOUR_LAST = (
    sql.SQL("({kept} ->> 0)::{type} AS {its_value}, ({kept} ->> 1)::timestamptz AS {its_at}"),
    sql.SQL("{value}, r.time"),
    sql.SQL("(array_agg({its_value} ORDER BY {its_at} DESC) FILTER (WHERE {its_value} IS NOT NULL))[1] AS {column}"),
)


async def findings(
    conn: Connection, which: FindingFilter, after: tuple[int, str, str, str, str] | None, limit: int
) -> list[Row]:  # fmt: skip
    """Findings in order of (detected_at, asset, rule, subject, id), in their final revision or as known then."""
    time_us, asset, rule, subject, finding_id = after or (None, None, None, None, None)
    return await _rows(
        conn,
        SQL["findings"],
        {
            "finding": which.finding_id, "asset": which.asset_id, "rule": which.rule, "severities": _array(which.severities),
            "from": moment(which.from_us), "to": moment(which.to_us), "at": moment(which.at_us),
            "known": moment(which.known_us), "retracted": which.retracted, "descending": which.descending,
            "after_time": moment(time_us), "after_asset": asset, "after_rule": rule, "after_subject": subject,
            "after_id": finding_id, "limit": limit,
        },
    )  # fmt: skip


async def alerts(conn: Connection, which: AlertFilter, after: tuple[int, str] | None, limit: int) -> list[Row]:
    """Alerts, the latest opened first."""
    time_us, alert_id = after or (None, None)
    return await _rows(
        conn,
        SQL["alerts"],
        {
            "alert": which.alert_id, "incident": which.incident_id,
            "statuses": _array(which.statuses), "severities": _array(which.severities),
            "asset": which.asset_id, "rule": which.rule, "from": moment(which.from_us), "to": moment(which.to_us),
            "after_time": moment(time_us), "after_id": alert_id, "limit": limit,
        },
    )  # fmt: skip


async def alert_revisions(conn: Connection, alert_id: str, after: int | None, limit: int) -> list[Row]:
    """What changed an alert, oldest first."""
    return await _rows(conn, SQL["alert_revisions"], {"alert": alert_id, "after": after, "limit": limit})


async def alert_comments(conn: Connection, alert_id: str, after: int | None, limit: int) -> list[Row]:
    """What people wrote under an alert, oldest first."""
    return await _rows(conn, SQL["alert_comments"], {"alert": alert_id, "after": after, "limit": limit})


async def webhooks(conn: Connection, webhook_id: str | None, after: str | None, limit: int) -> list[Row]:
    """Endpoints in order of their id, never with a secret."""
    return await _rows(conn, SQL["webhooks"], {"webhook": webhook_id, "after": after, "limit": limit})


async def webhook_attempts(
    conn: Connection, webhook_id: str, event_id: str | None, after: int | None, limit: int
) -> list[Row]:  # fmt: skip
    """Requests made to an endpoint, newest first."""
    wanted = {"webhook": webhook_id, "event": event_id, "after": after, "limit": limit}
    return await _rows(conn, SQL["webhook_attempts"], wanted)


async def feeds(conn: Connection, after: tuple[str, str] | None, limit: int) -> list[Row]:
    """Feeds of the tenant and those granted to it: what they last said, when they were heard, what became of their readings."""
    tenant, feed = after or (None, None)
    return await _rows(conn, SQL["feeds"], {"after_tenant": tenant, "after_feed": feed, "limit": limit})


async def rejections(
    conn: Connection, reason: str | None, from_us: int | None, to_us: int | None, after: int | None, limit: int
) -> list[Row]:  # fmt: skip
    """Rejected messages, newest first, `payload` as bytes."""
    wanted = {"reason": reason, "from": moment(from_us), "to": moment(to_us), "after": after, "limit": limit}
    return await _rows(conn, SQL["rejections"], wanted)


async def rejection_counts(conn: Connection, from_us: int | None, to_us: int | None) -> list[Row]:
    """Rejections kept, by reason."""
    return await _rows(conn, SQL["rejection_counts"], {"from": moment(from_us), "to": moment(to_us)})


async def live_events(conn: Connection, after: int, limit: int) -> list[Row]:
    """Findings and alerts of the scope for open pages after an event id, in commit order."""
    return await _rows(conn, SQL["live_events"], {"after": after, "limit": limit})


async def last_live_event(conn: Connection) -> int:
    """Id of the scope's newest live event, 0 before the first."""
    return int((await _rows(conn, SQL["last_live_event"], {}))[0]["event_id"])


async def missing_migrations(conn: Connection) -> list[str]:
    """Names of the migrations in the package that the database lacks; empty when it is current. Needs no scope."""
    applied = {row["migration_id"] for row in await _rows(conn, SQL["applied_migrations"], {})}
    folder = files("store") / "migrations"
    shipped = {entry.name.removesuffix(".sql") for entry in folder.iterdir() if entry.name.endswith(".sql")}
    return sorted(name for name in shipped - applied if not name.endswith(".rollback"))


async def _rows(conn: Connection, query: LiteralString | sql.Composed, wanted: dict[str, Any]) -> list[Row]:
    # Never a prepared statement: "NULL means no filter" is folded away only when the planner sees the values.
    # In binary: a year of a track is hundreds of instants, and reading one from text costs as much as ten from eight bytes.
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(query, wanted, prepare=False)
        return await cursor.fetchall()


def _view(asset_class: str) -> sql.Identifier:
    if asset_class not in ASSET_CLASSES:
        raise KeyError(asset_class)
    return sql.Identifier(f"asset_reading_{asset_class}")


def _function(name: str, asset_class: str) -> sql.Identifier:
    """A function of the wall that takes one step in the key of a class's readings."""
    if asset_class not in ASSET_CLASSES:
        raise KeyError(asset_class)
    return sql.Identifier(f"{name}_{asset_class}")


def _array(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _period(period: Period) -> dict[str, Any]:
    return {"from": moment(period.from_us), "to": moment(period.to_us), "known": moment(period.known_us)}
