"""Areas: ports, anchorages, berths, yards, and what leases and insurers name; GeoJSON in and out, dated and versioned."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from api import examples
from api.documents import answer, answer_list, problem_answers
from api.keys import Editor, Insider
from api.listing import (
    JSON_TYPE,
    NumberKey,
    TextKey,
    decode_cursor,
    json_response,
    list_response,
    next_link,
    preferred,
)
from api.once import Answer, IdempotencyKey, write_once
from api.paging import next_cursor
from api.parameters import Box, DatedQuery, Instant, PageQuery, Text
from api.problem import Fault, Problem, not_found
from api.shapes import AreaShape, ImportedShape
from api.states import area_shape
from fleet.area_entry import KINDS, entries_of_geojson
from store import areas
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["areas"])
GEOJSON = "application/geo+json"
FEATURES_MAX = 1000
AreaId = Annotated[Text, Path(min_length=1, max_length=64, description="The area's id: a UN/LOCODE, or its issuer's.")]
Kind = Annotated[Text | None, Query(description=f"Of these kinds, by commas: {', '.join(KINDS)}.", max_length=200)]


class NewAreas(BaseModel):
    """A GeoJSON FeatureCollection; each feature an area with `id`, `name`, `kind`, `issuer`, `version` among its properties."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [examples.AREA_COLLECTION]})

    type: Text = Field(pattern="^FeatureCollection$")
    features: list[JsonValue] = Field(min_length=1, max_length=FEATURES_MAX)


class AreaEnd(BaseModel):
    """When an area ceased to be in force."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"at": examples.LATER}]})

    at: Instant


_LIST_ANSWERS = answer_list(AreaShape, examples.AREA)
_LIST_ANSWERS[200]["content"][GEOJSON] = {"schema": {"type": "object"}, "example": examples.AREA_COLLECTION}


@router.get("/areas", responses=_LIST_ANSWERS, response_model=None)
async def list_areas(
    request: Request, asker: Insider, page: PageQuery, dated: DatedQuery, kind: Kind = None,
    area_set: Annotated[Text | None, Query(max_length=100, description="Of this list: a notice, an insurer's limits.")] = None,
    q: Annotated[Text | None, Query(min_length=1, max_length=100, description="Part of an id or a name.")] = None,
    bbox: Annotated[Box | None, Query(description="Touching west,south,east,north; west > east crosses 180°.")] = None,
) -> Response:  # fmt: skip
    """Areas of the tenant and of everybody, every version or those in force at `valid_at`; GeoJSON by `Accept`."""
    kinds = None if kind is None else tuple(part.strip() for part in kind.split(",") if part.strip())
    if kinds is not None and (not kinds or set(kinds) - set(KINDS)):
        fault = Fault(part="query", pointer="#/kind", detail=f"must be one or more of {', '.join(KINDS)}, separated by commas")
        raise Problem(422, "The request was understood but is not valid.", reason="invalid", errors=[fault])
    which = areas.AreaFilter(kinds=kinds, area_set=area_set, text=q, bbox=bbox, at_us=dated.at_us, known_us=dated.known_us)
    after = decode_cursor(page.cursor, tuple[TextKey, NumberKey])
    async with asker.desk() as conn:
        rows = await areas.areas(conn, which, after, page.limit + 1)
    cursor = next_cursor(rows, page, "area_id", "area_row_id")
    shapes = [area_shape(row) for row in rows[: page.limit]]
    if preferred(request, JSON_TYPE, GEOJSON, "text/csv") == GEOJSON:
        collection = {"type": "FeatureCollection", "features": [feature_of(shape) for shape in shapes]}
        headers = {"Content-Type": GEOJSON, "Vary": "Accept", **next_link(request, cursor)}
        return json_response(collection, headers=headers)
    return list_response(request, AreaShape, shapes, cursor)


def feature_of(shape: AreaShape) -> dict[str, Any]:
    """An area as a GeoJSON feature, as an import takes it."""
    words = (
        "id",
        "name",
        "kind",
        "issuer",
        "version",
        "severity",
        "area_set",
        "radius_m",
        "applies_to",
        "valid_from",
        "valid_to",
    )
    said = {word: getattr(shape, word) for word in words if getattr(shape, word) is not None}
    return {"type": "Feature", "id": shape.id, "geometry": shape.geometry, "properties": said}


@router.post(
    "/areas", responses=answer(ImportedShape, examples.IMPORTED, 200, 400, 409, 413), response_model=None
)  # fmt: skip
async def import_areas(request: Request, asker: Editor, body: NewAreas, idempotency_key: IdempotencyKey = None) -> Response:
    """Import areas: all, or none with every fault named. What they replace in their period stays readable by `known_at`."""
    entries, faults = entries_of_geojson(body.model_dump())
    if faults:
        errors = [Fault(part="body", pointer=f"#{each.pointer}", detail=each.detail) for each in faults]
        raise Problem(422, "The request was understood but is not valid.", reason="invalid", errors=errors)

    async def work(conn: Connection) -> Answer:
        done = await areas.import_areas(conn, asker.tenant, entries, source=asker.name)
        return Answer(body=ImportedShape(added=done.added, replaced=done.replaced, unchanged=done.unchanged))

    return await write_once(request, asker, idempotency_key, work)


@router.get("/areas/{area_id}", responses=answer(AreaShape, examples.AREA, 200, 404), response_model=None)
async def get_area(asker: Insider, area_id: AreaId, dated: DatedQuery) -> Response:
    """One area as it is in force at `valid_at`, else its newest version; the tenant's own before everybody's."""
    which = areas.AreaFilter(area_id=area_id, at_us=dated.at_us, known_us=dated.known_us)
    async with asker.desk() as conn:
        row = await newest(conn, which)
    return json_response(area_shape(row))


async def newest(conn: Connection, which: areas.AreaFilter) -> areas.Row:
    """The newest version of one area, the tenant's own before everybody's. Raises Problem 404."""
    rows = await areas.areas(conn, which, None, 1000)
    if not rows:
        raise not_found("area")
    return max(rows, key=lambda row: (row["tenant"] != "_", row["valid_from"] or -(1 << 60), row["area_row_id"]))


@router.post(
    "/areas/{area_id}/close", status_code=204, response_model=None,
    responses={204: {"description": "Done."}, **problem_answers(400, 401, 403, 404, 409, 413, 422, 503)},
)  # fmt: skip
async def end_area(
    request: Request, asker: Editor, area_id: AreaId, body: AreaEnd, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Say that an area of the tenant is not in force from an instant on."""

    async def work(conn: Connection) -> Answer:
        if not await areas.end(conn, asker.tenant, area_id, body.at):
            fault = Fault(part="body", pointer="#/at", detail="not in force at or after `at`, or not the tenant's own")
            raise Problem(409, "The area is not in force then.", reason="not_in_force", errors=[fault])
        return Answer(body=None, status=204)

    return await write_once(request, asker, idempotency_key, work)
