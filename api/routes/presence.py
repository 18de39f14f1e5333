"""Presence: which assets were inside an area, which could have been while nobody heard them, and the evidence for both."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
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
from api.paging import next_cursor
from api.parameters import ClassName, Dated, DatedQuery, Instant, Page, PageQuery, Text
from api.problem import Fault, Problem, invalid
from api.routes.areas import newest
from api.routes.assets import now_us
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
AROUND_US = 2 * DAY_US  # chosen: a silence over the period's edge is seen whole if it ends within two days
EVIDENCE_MAX = 50  # stretches inside and silences of one asset that are listed: the first, and the longest (DECISIONS 197)


class Question(msgspec.Struct, frozen=True):
    """What is asked: the area's shape, the period in microseconds, of which class."""

    shape: Shape
    from_us: int
    to_us: int
    asset_class: str | None

    @property
    def on(self) -> date:
        """The day whose figures count: the last of the period."""
        return to_datetime(self.to_us - 1).date()


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
    inside, is_short = await _inside(conn, question, rows)
    silent, passed = await _silent(conn, question, rows)
    found: list[PresenceShape] = []
    for row in rows:
        asset_id = row["asset_id"]
        stretches, near = inside.get(asset_id, []), passed.get(asset_id, [])
        if not stretches and not near:
            continue
        coverage = presence.coverage_of(silent.get(asset_id, ()), question.from_us, question.to_us)
        found.append(PresenceShape(
            asset_id=str(asset_id), class_=row["class"], name=row["name"], verdict="inside" if stretches else "possible",
            inside=[_stretch(each) for each in stretches[:EVIDENCE_MAX]],
            silences=sorted(near[:EVIDENCE_MAX], key=lambda one: one.from_),
            coverage=round(coverage, 6), is_estimate=coverage < presence.ESTIMATE_BELOW, method=presence.METHOD,
            sources=["asset_reading_hour", f"asset_reading_{row['class']}"], reason=_reason(stretches, near, is_short=is_short),
        ))  # fmt: skip
    return found


def _reason(stretches: Sequence[presence.Inside], near: Sequence[PassedSilenceShape], *, is_short: bool) -> dict[str, str]:
    """What of the evidence is not listed, and why."""
    reason: dict[str, str] = {}
    if len(stretches) > EVIDENCE_MAX:
        reason["inside"] = "more_than_are_listed"
    if is_short:
        reason["inside"] = "more_fixes_than_are_looked_at"
    if len(near) > EVIDENCE_MAX:
        reason["silences"] = "the_longest_of_more"
    return reason


async def _inside(
    conn: Connection, question: Question, rows: Sequence[reads.Row]
) -> tuple[dict[Any, list[presence.Inside]], bool]:
    """The stretches inside by asset, and whether there were more fixes than are looked at."""
    ids, shape = [row["asset_id"] for row in rows], question.shape
    span = (question.from_us, question.to_us)
    boxes = await store_presence.boxes(conn, ids, *span, shape.bbox)
    unclosed = await store_presence.unclosed(conn, ids, *span)
    gap_us = presence.gap_us(HOUSE, question.on)
    found: dict[Any, list[presence.Inside]] = {}
    is_short = False
    for asset_class, some in _by_class(rows).items():
        settled = {asset_id: presence.settled(shape, boxes.get(asset_id, ())) for asset_id in some}
        unsure = [(asset_id, hour) for asset_id in some for hour in (*settled[asset_id][1], *unclosed.get(asset_id, ()))]
        fixes = await store_presence.fixes(conn, asset_class, unsure, *span, shape.bbox)
        is_short |= sum(map(len, fixes.values())) >= store_presence.FIXES_MAX
        for asset_id in some:
            found[asset_id] = presence.inside_of(shape, settled[asset_id][0], fixes.get(asset_id, ()), gap_us)
    return found, is_short


async def _silent(
    conn: Connection, question: Question, rows: Sequence[reads.Row]
) -> tuple[dict[Any, list[tuple[int, int]]], dict[Any, list[PassedSilenceShape]]]:
    """Every silence of the period by asset, and as evidence those in which it could have been inside, the longest first.

    One more than are listed at most, so that it can be said that there are more.
    """
    gap_us = presence.gap_us(HOUSE, question.on)
    around = (question.from_us - AROUND_US, question.to_us + AROUND_US)
    heard = await store_presence.silences(conn, [row["asset_id"] for row in rows], *around, gap_us)
    silent: dict[Any, list[tuple[int, int]]] = {}
    passed: dict[Any, list[PassedSilenceShape]] = {}
    for asset_class, some in _by_class(rows).items():
        given: list[tuple[Any, int | None, int | None]] = []
        for asset_id in some:
            for first, last in heard.get(asset_id, [(None, None)]):
                bounds = (question.from_us if first is None else first, question.to_us if last is None else last)
                if bounds[1] - bounds[0] >= gap_us and bounds[0] < question.to_us and bounds[1] > question.from_us:
                    given.append((asset_id, first, last))
                    silent.setdefault(asset_id, []).append(bounds)
        ended = await store_presence.with_ends(conn, asset_class, given, question.from_us, question.to_us)
        lost = {asset_id for (asset_id, first, _), one in zip(given, ended, strict=True) if first is None and one.before is None}
        last_fixes = await _last_fixes(conn, asset_class, lost, question.from_us)
        whole = [
            one if one.before is not None else one._replace(before=last_fixes.get(asset_id))
            for (asset_id, _, _), one in zip(given, ended, strict=True)
        ]
        limit_kn = presence.speed_kn(HOUSE, asset_class, question.on)
        near = {id(one) for one in presence.may_reach(question.shape, whole, limit_kn)}
        told_of = [(asset_id, one) for (asset_id, _, _), one in zip(given, whole, strict=True) if id(one) in near]
        for asset_id, one in sorted(told_of, key=lambda each: _length_us(each[1]), reverse=True):
            told = passed.setdefault(asset_id, [])
            said = _silence(question.shape, one, asset_class, limit_kn) if len(told) <= EVIDENCE_MAX else None
            if said is not None:
                told.append(said)
    return silent, passed


async def _last_fixes(conn: Connection, asset_class: str, asset_ids: Collection[Any], at_us: int) -> dict[Any, presence.Fix]:
    """Where assets were last heard before an instant, looked for a month back."""
    found: dict[Any, presence.Fix] = {}
    for row in await reads.as_of(conn, asset_class, list(asset_ids), at_us, None) if asset_ids else ():
        held = found.get(row["asset_id"])
        if row["position_time"] is not None and (held is None or held.time_us < row["position_time"]):
            found[row["asset_id"]] = presence.Fix(row["position_time"], row["lat_deg"], row["lon_deg"])
    return found


def _by_class(rows: Sequence[reads.Row]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row["class"], []).append(row["asset_id"])
    return found


def _stretch(one: presence.Inside) -> InsideShape:
    return InsideShape(from_=to_rfc3339(one.from_us), to=to_rfc3339(one.to_us), fixes=one.fixes)


def _length_us(silence: presence.Silence) -> int:
    from_us, to_us = presence.bounds_of(silence)
    return to_us - from_us


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
