"""What an asset did: its track, and its readings raw or in buckets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import examples
from api.documents import problem_answers
from api.keys import Anyone
from api.listing import (
    CSV_TYPE,
    JSON_TYPE,
    NumberKey,
    TextKey,
    TimeKey,
    csv_cell,
    decode_cursor,
    encode_cursor,
    json_response,
    next_link,
    preferred,
)
from api.parameters import AssetId, Duration, KnownAt, PageQuery, Span, SpanQuery, Text, ValidAt
from api.problem import Problem, invalid
from api.routes.assets import sending_row
from api.tracks import Fix, feature, moving_feature
from fleet.asset_class import ASSET_CLASSES
from fleet.instants import DAY_US, from_datetime, to_rfc3339
from store import reads
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["assets"])
GEOJSON = "application/geo+json"
MF_JSON = "application/mf-json"
MF_JSON_ALSO = "application/mf+json"
POINTS_MAX = 20_000
FIELDS_MAX = 100
BUCKETS_MAX = 200_000  # chosen: 22 years of hours, or 55 hours of seconds, in one question
CHANNEL = re.compile(r"[a-z0-9_]{1,64}")
PLACE = ("lat_deg", "lon_deg")
NOT_CHANNELS = frozenset({"time", "source", "readings"})  # a row's own names; a sensor of that name is not shown here
ALWAYS_US = (from_datetime(datetime(1900, 1, 1, tzinfo=UTC)), from_datetime(datetime(2200, 1, 1, tzinfo=UTC)))


class GeoJsonResponse(Response):
    """Names the type that a track has when nobody asks for another."""

    media_type = GEOJSON


async def _period(conn: Connection, asset: reads.Row, span: Span, known_us: int | None, at_us: int | None) -> reads.Period:
    """[from, to) with what was left out: `to` just behind the last reading (or `valid_at`), `from` a day before `to`."""
    to_us = span.to_us
    if at_us is not None:
        to_us = at_us + 1 if to_us is None else min(to_us, at_us + 1)
    if to_us is None:
        last_us = (await reads.heard(conn, str(asset["asset_id"]), asset["class"]))["last_time"]
        to_us = ALWAYS_US[1] if last_us is None else last_us + 1
    from_us = to_us - DAY_US if span.from_us is None else span.from_us
    return reads.Period(from_us, to_us, known_us)


_TRACK_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A GeoJSON Feature, or one of Moving Features JSON.",
        "content": {
            GEOJSON: {"schema": {"type": "object"}, "example": examples.TRACK},
            JSON_TYPE: {"schema": {"type": "object"}, "example": examples.TRACK},
            MF_JSON: {"schema": {"type": "object"}, "example": examples.MOVING_TRACK},
            MF_JSON_ALSO: {"schema": {"type": "object"}, "example": examples.MOVING_TRACK},
        },
    },
    **problem_answers(401, 403, 404, 422, 503),
}


@router.get("/assets/{asset_id}/track", responses=_TRACK_ANSWERS, response_model=None, response_class=GeoJsonResponse)
async def get_track(
    request: Request, asker: Anyone, asset_id: AssetId, span: SpanQuery,
    max_points: Annotated[int, Query(ge=2, le=POINTS_MAX, description="Thinned evenly to at most so many fixes.")] = 1000,
    valid_at: ValidAt = None, known_at: KnownAt = None,
) -> Response:  # fmt: skip
    """Where the asset was in [from, to); without them the day before its last reading. Cut at 180° into a MultiLineString.

    `Accept: application/mf-json` gives OGC Moving Features JSON instead. `valid_at` ends the track at that instant.
    """
    async with asker.desk() as conn:
        row = await sending_row(conn, asset_id)
        period = await _period(conn, row, span, known_at, valid_at)
        rows = await reads.track(conn, str(asset_id), row["class"], period, max_points)
    fixes = [Fix(each["time"], each["lon_deg"], each["lat_deg"]) for each in rows]
    total = rows[0]["total"] if rows else 0
    wanted = preferred(request, GEOJSON, JSON_TYPE, MF_JSON, MF_JSON_ALSO)
    make = moving_feature if wanted in {MF_JSON, MF_JSON_ALSO} else feature
    document = make(str(asset_id), fixes, total, period.from_us, period.to_us)
    return json_response(document, headers={"Vary": "Accept", "Content-Type": wanted})


def _split(row: reads.Row, names: str | None, *, insider: bool) -> tuple[list[str], list[str] | None]:
    """Fields of the class and channels out of the `fields` parameter; channels None: all there are. A lessee has no channels.

    Raises:
        Problem: 422 for what can be neither, or too many; 403 for a lessee who names a channel.
    """
    known = [*PLACE, *(field.name for field in ASSET_CLASSES[row["class"]].fields)]
    if names is None:
        return [name for name in known if insider or name != "draught_m"], None if insider else []
    wanted = list(dict.fromkeys(part.strip() for part in names.split(",") if part.strip()))
    if len(wanted) > FIELDS_MAX or not wanted:
        raise invalid("query", "fields", f"name one to {FIELDS_MAX} fields")
    for name in wanted:
        if name not in known and (not CHANNEL.fullmatch(name) or name in NOT_CHANNELS):
            raise invalid("query", "fields", f"{name[:64]!r} is no field of a {row['class']} and no channel")
    channels = [name for name in wanted if name not in known]
    if not insider and (channels or "draught_m" in wanted):
        raise Problem(403, "Sensors and draught are not shared with a lessee's key.", reason="forbidden")
    return [name for name in wanted if name in known], channels


_TELEMETRY_SCHEMA = {
    "type": "object",
    "required": ["items", "next_cursor"],
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["time"],
                "properties": {"time": {"type": "string", "format": "date-time"}},
                "additionalProperties": True,
            },
        },
        "next_cursor": {"type": ["string", "null"]},
    },
}
_TELEMETRY_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Readings, or buckets of them, in order of time.",
        "content": {
            JSON_TYPE: {"schema": _TELEMETRY_SCHEMA, "example": examples.TELEMETRY},
            CSV_TYPE: {"schema": {"type": "string"}, "example": "time,sog_kn\r\n2026-11-22T07:00:00Z,12.3\r\n"},
        },
    },
    **problem_answers(401, 403, 404, 422, 503),
}


@router.get("/assets/{asset_id}/telemetry", responses=_TELEMETRY_ANSWERS, response_model=None)
async def get_telemetry(
    request: Request, asker: Anyone, asset_id: AssetId, span: SpanQuery, page: PageQuery,
    fields: Annotated[
        Text | None, Query(max_length=8000, description="Names of the class's fields and of channels, by commas; none: all.")
    ] = None,
    bucket: Annotated[Duration | None, Query(description="Gather in buckets of this length, whole multiples since 1970.")] = None,
    valid_at: ValidAt = None, known_at: KnownAt = None,
) -> Response:  # fmt: skip
    """Readings in [from, to); without them the day before the last. Raw, or with `bucket` count, min, mean and max of each number
    (of text and flags the last value). A bucket that crosses the edge of a lessee's scope is made of the readings inside it.
    """  # noqa: D205 - one paragraph for the documentation
    async with asker.desk() as conn:
        row = await sending_row(conn, asset_id)
        own, channels = _split(row, fields, insider=asker.party is None)
        period = await _period(conn, row, span, known_at, valid_at)
        if bucket is None:
            items, cursor = await _raw(conn, row, period, own, channels, page.cursor, page.limit)
        else:
            items, cursor = await _buckets(conn, row, period, own, channels, bucket, page.cursor, page.limit)
    return _telemetry_response(request, items, cursor)


async def _raw(
    conn: Connection, asset: reads.Row, period: reads.Period, own: Sequence[str], channels: Sequence[str] | None,
    cursor: str | None, limit: int,
) -> tuple[list[dict[str, Any]], str | None]:  # fmt: skip
    after = decode_cursor(cursor, tuple[TimeKey, TextKey, NumberKey, NumberKey])
    rows = await reads.telemetry(conn, str(asset["asset_id"]), asset["class"], period, own, after, limit + 1)
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = encode_cursor(last["time"], last["source"], last["seq"], last["stream_id"])
    items = []
    for row in rows[:limit]:
        item = {"time": to_rfc3339(row["time"]), "source": row["source"], **{name: row[name] for name in own}}
        heard = row["channels"] or {}
        sensors = heard if channels is None else {name: heard.get(name) for name in channels}
        items.append({**{name: value for name, value in sensors.items() if name not in NOT_CHANNELS}, **item})
    return [_time_first(item) for item in items], following


async def _buckets(
    conn: Connection, asset: reads.Row, period: reads.Period, own: Sequence[str], channels: Sequence[str] | None, bucket_s: int,
    cursor: str | None, limit: int,
) -> tuple[list[dict[str, Any]], str | None]:  # fmt: skip
    if (period.to_us - period.from_us) // (bucket_s * 1_000_000) > BUCKETS_MAX:
        raise invalid("query", "bucket", f"makes more than {BUCKETS_MAX} buckets of this period")
    after = decode_cursor(cursor, tuple[TimeKey])
    if channels is None:
        said = await reads.latest(conn, [asset["asset_id"]])
        channels = sorted({name for row in said for name in row["channels"] or ()} - NOT_CHANNELS - set(own))[:FIELDS_MAX]
    rows = await reads.telemetry_buckets(
        conn, str(asset["asset_id"]), asset["class"], period, own, channels, bucket_s, after[0] if after else None, limit + 1
    )  # fmt: skip
    numbers = {field.name for field in ASSET_CLASSES[asset["class"]].fields if field.kind in {"number", "integer"}} | set(PLACE)
    asked = [(f"f{n}", name, name in numbers) for n, name in enumerate(own)]
    asked += [(f"c{n}", name, True) for n, name in enumerate(channels)]
    items = []
    for row in rows[:limit]:
        item: dict[str, Any] = {"time": to_rfc3339(row["time"]), "readings": {"count": row["count"]}}
        for column, name, is_number in asked:
            if is_number:
                count, low, mean, high = row[column]
                item[name] = {"count": int(count), "min": low, "mean": mean, "max": high} if count else None
            else:
                item[name] = row[column]
        items.append(item)
    return items, encode_cursor(rows[limit - 1]["time"]) if len(rows) > limit else None


def _time_first(item: dict[str, Any]) -> dict[str, Any]:
    return {"time": item["time"], "source": item["source"], **item}


def _telemetry_response(request: Request, items: list[dict[str, Any]], cursor: str | None) -> Response:
    headers = {"Vary": "Accept", **next_link(request, cursor)}
    if preferred(request, JSON_TYPE, CSV_TYPE) == JSON_TYPE:
        return json_response({"items": items, "next_cursor": cursor}, headers=headers)
    flat = [_flat(item) for item in items]
    columns = list(dict.fromkeys(name for item in flat for name in item)) or ["time"]
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(columns)
    for item in flat:
        writer.writerow(csv_cell(item.get(name)) for name in columns)
    return Response(lines.getvalue(), 200, headers, CSV_TYPE + "; charset=utf-8")


def _flat(item: dict[str, Any]) -> dict[str, Any]:
    """A bucket's `{min, mean, …}` as columns of their own, `sog_kn.min` and so on."""
    flat: dict[str, Any] = {}
    for name, value in item.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{part}": number for part, number in value.items()})
        else:
            flat[name] = value
    return flat
