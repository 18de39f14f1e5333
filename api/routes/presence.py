"""Presence: which assets were inside an area, which could have been while nobody heard them, and the evidence for both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from api import examples
from api.documents import answer_list
from api.keys import Asker, Insider
from api.listing import decode_cursor, list_response
from api.parameters import ClassName, Dated, DatedQuery, Instant, Page, PageQuery, Text
from api.problem import Fault, Problem, invalid
from api.routes.areas import newest
from api.routes.assets import next_cursor, now_us
from api.shapes import InsideShape, PassedSilenceShape, PointShape, PresenceShape
from fleet import presence
from fleet.area import GeometryError, Shape, shape_of
from fleet.asset_class import ASSET_CLASSES
from fleet.instants import DAY_US, to_datetime, to_rfc3339
from fleet.practice_book import HOUSE
from store import areas, reads
from store import presence as store_presence
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["areas"])
AREA_CHARS_MAX = 8000  # of an area in a query; larger ones are posted
SPAN_US_MAX = 3660 * DAY_US
SAME_PLACE_M = 5_000.0  # chosen: an aircraft heard again so near was parked
EVIDENCE_MAX = 100  # inside and silences of one asset that are listed


class Question(msgspec.Struct, frozen=True):
    """What is asked: the area's shape, the period in microseconds, of which class."""

    shape: Shape
    from_us: int
    to_us: int
    asset_class: str | None


class PresenceQuestion(BaseModel):
    """An area too large for an address: its id, or a GeoJSON Polygon or MultiPolygon; and the period, half-open."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, json_schema_extra={"examples": [examples.PRESENCE_QUESTION]})

    area: Text | dict[Text, JsonValue]
    from_: Instant = Field(alias="from")
    to: Instant | None = None
    asset_class: ClassName | None = Field(default=None, alias="class")


@router.get("/presence", responses=answer_list(PresenceShape, examples.PRESENCE, 404), response_model=None)
async def get_presence(
    request: Request, asker: Insider, page: PageQuery, dated: DatedQuery,
    area: Annotated[Text, Query(max_length=AREA_CHARS_MAX, description="An area's id, or a GeoJSON Polygon or MultiPolygon.")],
    from_: Annotated[Instant, Query(alias="from", description="Inclusive beginning.")],
    to: Annotated[Instant | None, Query(description="Exclusive end; none: now.")] = None,
    asset_class: Annotated[ClassName | None, Query(alias="class", description="Of this class.")] = None,
) -> Response:  # fmt: skip
    """Assets that were inside in [from, to), or silent so near that they could have been; a page goes through `limit` assets.

    `valid_at` and `known_at` say which version of an area that is named by its id.
    """
    given: Any = area
    if area.lstrip()[:1] == "{":
        try:
            given = msgspec.json.decode(area)
        except msgspec.DecodeError as error:
            raise invalid("query", "area", f"no JSON: {error}") from None
    return await _answer(request, asker, page, dated, given, "query", from_, to, asset_class)


@router.post("/presence", responses=answer_list(PresenceShape, examples.PRESENCE, 400, 404, 413), response_model=None)
async def ask_presence(request: Request, asker: Insider, page: PageQuery, dated: DatedQuery, body: PresenceQuestion) -> Response:
    """The same with the area in the body, for one too large for an address; nothing is written."""
    return await _answer(request, asker, page, dated, body.area, "body", body.from_, body.to, body.asset_class)


async def _answer(
    request: Request, asker: Asker, page: Page, dated: Dated, area: Any, part: str, from_us: int, to_us: int | None,
    asset_class: str | None,
) -> Response:  # fmt: skip
    until_us = now_us() if to_us is None else to_us
    if not 0 < until_us - from_us <= SPAN_US_MAX:
        raise invalid(part, "to", "must be after `from`, by ten years at most")
    after = decode_cursor(page.cursor, tuple[UUID])
    which = reads.AssetFilter(asset_class=asset_class, among_classes=tuple(ASSET_CLASSES))
    async with asker.desk() as conn:
        question = Question(await _shape(conn, area, part, dated), from_us, until_us, asset_class)
        rows = await reads.assets(conn, which, str(after[0]) if after else None, page.limit + 1)
        items = await _presences(conn, question, rows[: page.limit])
    return list_response(request, PresenceShape, items, next_cursor(rows, page, "asset_id"))


async def _shape(conn: Connection, area: Any, part: str, dated: Dated) -> Shape:
    """The shape that is asked about. Raises Problem 404 for no such area, 422 for a geometry that is none."""
    radius_m = None
    if isinstance(area, str):
        row = await newest(conn, areas.AreaFilter(area_id=area, at_us=dated.at_us, known_us=dated.known_us))
        area, radius_m = row["geometry"], row["radius_m"]
    try:
        return shape_of(area, radius_m)
    except GeometryError as error:
        faults = [Fault(part=part, pointer=f"#/area{error.pointer}", detail=error.detail)]
        raise Problem(422, "The request was understood but is not valid.", reason="invalid", errors=faults) from None


async def _presences(conn: Connection, question: Question, rows: Sequence[reads.Row]) -> list[PresenceShape]:
    """What is to be said of these assets; those that were neither inside nor silent nearby are left out."""
    heard = await store_presence.hours(conn, [row["asset_id"] for row in rows], question.from_us, question.to_us)
    found = [await _presence(conn, question, row, heard.get(row["asset_id"], [])) for row in rows]
    return [each for each in found if each is not None]


async def _presence(
    conn: Connection, question: Question, row: reads.Row, hours: Sequence[presence.HourBox]
) -> PresenceShape | None:
    shape, asset_id, asset_class, on = question.shape, row["asset_id"], row["class"], to_datetime(question.to_us - 1).date()
    gap_us = presence.gap_us(HOUSE, on)
    sorted_hours = sorted(hours)
    where = [(hour, presence.placed(shape, hour)) for hour in sorted_hours]
    unsure = [(max(hour.first_us, question.from_us), min(hour.last_us, question.to_us - 1)) for hour, at in where if at is None]
    fixes = await store_presence.fixes(conn, asset_id, asset_class, unsure)
    inside = presence.inside_of(shape, [hour for hour, at in where if at], fixes, gap_us)
    stretches = presence.silences_of(sorted_hours, question.from_us, question.to_us, gap_us)
    silences = await store_presence.silences(conn, asset_id, asset_class, stretches)
    limit_kn = presence.speed_kn(HOUSE, asset_class, on)
    near = [_silence(shape, silence, asset_class, limit_kn) for silence in silences]
    passed = [each for each in near if each is not None]
    if not inside and not passed:
        return None
    coverage = presence.coverage_of(stretches, question.from_us, question.to_us)
    reason = {} if len(fixes) < store_presence.FIXES_MAX else {"inside": "more_fixes_than_are_looked_at"}
    return PresenceShape(
        asset_id=str(asset_id), class_=asset_class, name=row["name"], verdict="inside" if inside else "possible",
        inside=[_stretch(each) for each in inside[:EVIDENCE_MAX]],
        silences=passed[:EVIDENCE_MAX], coverage=round(coverage, 6), is_estimate=coverage < presence.ESTIMATE_BELOW,
        method=presence.METHOD, sources=["asset_reading_hour", f"asset_reading_{asset_class}"], reason=reason,
    )  # fmt: skip


def _stretch(one: presence.Inside) -> InsideShape:
    return InsideShape(from_=to_rfc3339(one.from_us), to=to_rfc3339(one.to_us), fixes=one.fixes)


def _silence(shape: Shape, silence: presence.Silence, asset_class: str, limit_kn: float) -> PassedSilenceShape | None:
    """A silence as evidence; None where the asset could not have been there, or was parked."""
    before, after = silence.before, silence.after
    if before is None and after is None:
        return None
    if asset_class != "vessel" and before is not None and after is not None and presence.apart_m(before, after) <= SAME_PLACE_M:
        return None
    reach = presence.reach_of(shape, silence)
    if reach.needed_kn > limit_kn:
        return None
    from_us, to_us = presence.bounds_of(silence)
    return PassedSilenceShape(
        from_=to_rfc3339(from_us), to=to_rfc3339(to_us), silent_h=round(presence.hours_between(from_us, to_us), 3),
        last_position=None if before is None else PointShape(coordinates=(before.lon_deg, before.lat_deg)),
        next_position=None if after is None else PointShape(coordinates=(after.lon_deg, after.lat_deg)),
        last_distance_nm=_rounded(presence.nautical_miles(reach.before_m)),
        next_distance_nm=_rounded(presence.nautical_miles(reach.after_m)),
        needed_speed_kn=round(reach.needed_kn, 3), limit_speed_kn=limit_kn,
    )  # fmt: skip


def _rounded(miles: float | None) -> float | None:
    return None if miles is None else round(miles, 3)
