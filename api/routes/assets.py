"""Assets: list, one, make, change, and what is known of each now: state and identifiers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from api import examples
from api.documents import answer, answer_list
from api.keys import Anyone, Asker, Editor
from api.listing import decode_cursor, json_response, list_response
from api.once import Answer, IdempotencyKey, write_once
from api.paging import next_cursor
from api.parameters import (
    AssetClassName,
    AssetId,
    Box,
    ClassName,
    Dated,
    DatedQuery,
    IdentifierPair,
    Instant,
    PageQuery,
    Text,
)  # fmt: skip
from api.problem import Fault, Problem, not_found, pointer_of
from api.shapes import AssetDetailShape, AssetShape, IdentifierShape, StateShape
from api.states import asset_shape, identifier_shape, said_of, state_shape
from fleet.asset_class import ASSET_CLASSES
from fleet.identifiers import identifier_fault
from store import desk, leases, milestones, reads, registry
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["assets"])
PARTICULARS_MAX = 100
IDENTIFIERS_MAX = 50


class NewIdentifier(BaseModel):
    """An identifier to register; null bounds are open."""

    model_config = ConfigDict(extra="forbid")

    scheme: Text = Field(max_length=20, examples=["imo"])
    value: Text = Field(min_length=1, max_length=64, examples=["9074729"])
    valid_from: Instant | None = None
    valid_to: Instant | None = None


class NewAsset(BaseModel):
    """An asset to register."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True,
        json_schema_extra={"examples": [{
            "class": "vessel", "name": "Blue Heron", "type": "bulk carrier",
            "identifiers": [{"scheme": "imo", "value": "9074729"}], "particulars": {"length_m": 225, "beam_m": 32.26},
        }]},
    )  # fmt: skip

    asset_class: AssetClassName = Field(alias="class")
    name: Text = Field(min_length=1, max_length=200)
    type: Text | None = Field(default=None, max_length=60)
    identifiers: list[NewIdentifier] = Field(min_length=1, max_length=IDENTIFIERS_MAX)
    particulars: dict[Text, JsonValue] = Field(default_factory=dict, max_length=PARTICULARS_MAX)


class AssetChange(BaseModel):
    """A JSON merge patch (RFC 7396): what is absent stays, null removes."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "Blue Heron II", "particulars": {"beam_m": None}}]}
    )  # fmt: skip

    name: Text | None = Field(default=None, min_length=1, max_length=200)
    type: Text | None = Field(default=None, max_length=60)
    particulars: dict[Text, JsonValue] = Field(default_factory=dict, max_length=PARTICULARS_MAX)


def now_us() -> int:
    """Wall time, by which ages are counted."""
    return time.time_ns() // 1000


def by_asset(rows: Sequence[reads.Row]) -> dict[Any, list[reads.Row]]:
    """Rows grouped by their asset."""
    found: dict[Any, list[reads.Row]] = {}
    for row in rows:
        found.setdefault(row["asset_id"], []).append(row)
    return found


async def shapes_of(conn: Connection, rows: Sequence[reads.Row], dated: Dated) -> list[AssetShape]:
    """Asset rows with their identifiers, leases and stages; a few set queries for the lot."""
    rows = await staged(conn, rows, dated)
    ids = [row["asset_id"] for row in rows]
    names = by_asset(await reads.identifiers(conn, ids, dated.at_us, dated.known_us))
    at_us = now_us() if dated.at_us is None else dated.at_us
    under = by_asset(await reads.leases(conn, ids, at_us, dated.known_us))
    return [asset_shape(row, names.get(row["asset_id"], ()), next(iter(under.get(row["asset_id"], ())), None)) for row in rows]


async def staged(conn: Connection, rows: Sequence[reads.Row], dated: Dated) -> list[reads.Row]:
    """Asset rows with the stage of `valid_at` as known at `known_at`; as they are where neither is given."""
    if dated.at_us is None and dated.known_us is None:
        return list(rows)
    at_us = now_us() if dated.at_us is None else dated.at_us
    found = await leases.stages(conn, [str(row["asset_id"]) for row in rows], at_us, dated.known_us)
    return [{**row, "stage": found.get(str(row["asset_id"]), row["stage"])} for row in rows]


async def said_parts(conn: Connection, asker: Asker, asset_id: Any, dated: Dated) -> tuple[dict[str, Any], dict[str, str]]:
    """What the air last reported of an asset's identity and what its device says of itself, with reasons for the nulls."""
    until_us = min((each for each in (dated.at_us, dated.known_us) if each is not None), default=None)
    report = await reads.reported(conn, str(asset_id), dated.at_us, dated.known_us)
    statuses = await reads.device_statuses(conn, str(asset_id), until_us)
    return said_of(report, next(iter(statuses), None), insider=asker.party is None)


async def detail_of(conn: Connection, asker: Asker, row: reads.Row, dated: Dated) -> AssetDetailShape:
    """One asset row with all that is said of it."""
    shape = (await shapes_of(conn, [row], dated))[0]
    parts, reason = await said_parts(conn, asker, row["asset_id"], dated)
    known = msgspec.structs.asdict(shape)
    return AssetDetailShape(**{**known, **parts, "reason": known["reason"] | reason})


async def asset_row(conn: Connection, asset_id: Any, dated: Dated | None = None) -> reads.Row:
    """The asset's row. Raises Problem 404 where the key cannot see it."""
    found = await reads.asset(conn, str(asset_id), None if dated is None else dated.known_us)
    if found is None:
        raise not_found("asset")
    return found


async def sending_row(conn: Connection, asset_id: Any, dated: Dated | None = None) -> reads.Row:
    """The row of an asset that can be heard. Raises Problem 404 for a component, and where the key cannot see it."""
    row = await asset_row(conn, asset_id, dated)
    if row["class"] not in ASSET_CLASSES:
        raise Problem(404, "A component never sends; ask the asset that it sits on.", reason="never_sends")
    return row


@router.get("/assets", responses=answer_list(AssetShape, examples.ASSET), response_model=None)
async def list_assets(
    request: Request, asker: Anyone, page: PageQuery, dated: DatedQuery,
    identifier: Annotated[IdentifierPair | None, Query(description="Bears this identifier at `valid_at`: `imo:9074729`.")] = None,
    asset_class: Annotated[
        AssetClassName | None, Query(alias="class", description="Of this class, one of components among them.")
    ] = None,
    lessee: Annotated[Text | None, Query(max_length=200, description="Under lease to this party: its id or name.")] = None,
    q: Annotated[Text | None, Query(min_length=1, max_length=100, description="Part of a name, type or identifier.")] = None,
    bbox: Annotated[Box | None, Query(description="Last heard inside west,south,east,north; west > east crosses 180°.")] = None,
) -> Response:  # fmt: skip
    """Assets in the key's scope, in order of their id."""
    after = decode_cursor(page.cursor, tuple[UUID])
    which = reads.AssetFilter(
        asset_class=asset_class, identifier=identifier, lessee=lessee, text=q, bbox=bbox,
        at_us=dated.at_us, known_us=dated.known_us,
    )  # fmt: skip
    async with asker.desk() as conn:
        rows = await reads.assets(conn, which, str(after[0]) if after else None, page.limit + 1)
        shapes = await shapes_of(conn, rows[: page.limit], dated)
    return list_response(request, AssetShape, shapes, next_cursor(rows, page, "asset_id"))


@router.post(
    "/assets", status_code=201, responses=answer(AssetDetailShape, examples.ASSET_DETAIL, 201, 400, 409, 413), response_model=None
)  # fmt: skip
async def create_asset(request: Request, asker: Editor, body: NewAsset, idempotency_key: IdempotencyKey = None) -> Response:
    """Register an asset. Streams that already speak of its identifiers become its own, past readings included."""
    faults = [
        Fault(part="body", pointer=pointer_of(["identifiers", n]), detail=fault)
        for n, each in enumerate(body.identifiers)
        if (fault := _identifier_fault(each)) is not None
    ]
    faults += [
        Fault(part="body", pointer=pointer_of(["identifiers", n]), detail="named twice for the same time")
        for n, each in enumerate(body.identifiers)
        if any(_same(each, earlier) for earlier in body.identifiers[:n])
    ]
    if faults:
        raise Problem(422, "The request was understood but is not valid.", reason="invalid", errors=faults)

    async def work(conn: Connection) -> Answer:
        await _refuse_borne(conn, body)
        asset_id = await registry.register_asset(
            conn, asker.tenant, body.asset_class, body.name, body.type,
            [registry.Identifier(each.scheme, each.value, each.valid_from, each.valid_to) for each in body.identifiers],
            body.particulars,
        )  # fmt: skip
        made = await detail_of(conn, asker, await asset_row(conn, asset_id), Dated())
        return Answer(body=made, status=201, headers={"Location": f"/v1/assets/{asset_id}"})

    return await write_once(request, asker, idempotency_key, work)


def _same(one: NewIdentifier, other: NewIdentifier) -> bool:
    """Whether two identifiers are equal at some instant; null bounds are open."""

    def begins_before_end(first: NewIdentifier, second: NewIdentifier) -> bool:
        return first.valid_from is None or second.valid_to is None or first.valid_from < second.valid_to

    equal = (one.scheme, one.value) == (other.scheme, other.value)
    return equal and begins_before_end(one, other) and begins_before_end(other, one)


def _identifier_fault(each: NewIdentifier) -> str | None:
    if each.valid_from is not None and each.valid_to is not None and each.valid_from >= each.valid_to:
        return "valid_from must be before valid_to"
    return identifier_fault(each.scheme, each.value)


async def _refuse_borne(conn: Connection, body: NewAsset) -> None:
    """409 where an asset of the tenant bears one of the identifiers: making it again would be another asset's life."""
    for n, each in enumerate(body.identifiers):
        which = reads.AssetFilter(asset_class=body.asset_class, identifier=(each.scheme, each.value), at_us=each.valid_from)
        borne = await reads.assets(conn, which, None, 1)
        if borne:
            fault = Fault(part="body", pointer=pointer_of(["identifiers", n]), detail=f"borne by asset {borne[0]['asset_id']}")
            raise Problem(409, "An asset bears this identifier already.", reason="identifier_borne", errors=[fault])


@router.get("/assets/{asset_id}", responses=answer(AssetDetailShape, examples.ASSET_DETAIL, 200, 404), response_model=None)
async def get_asset(asker: Anyone, asset_id: AssetId, dated: DatedQuery) -> Response:
    """One asset, with its identifiers, the lease in force, and what the air last reported of it."""
    async with asker.desk() as conn:
        return json_response(await detail_of(conn, asker, await asset_row(conn, asset_id, dated), dated))


@router.patch(
    "/assets/{asset_id}", responses=answer(AssetDetailShape, examples.ASSET_DETAIL, 200, 400, 404, 409, 413), response_model=None
)  # fmt: skip
async def change_asset(
    request: Request, asker: Editor, asset_id: AssetId, body: AssetChange, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Rename, retype, or merge particulars."""
    given = body.model_fields_set
    if "name" in given and body.name is None:
        fault = Fault(part="body", pointer="#/name", detail="cannot be removed")
        raise Problem(422, "The request was understood but is not valid.", reason="invalid", errors=[fault])

    async def work(conn: Connection) -> Answer:
        await asset_row(conn, asset_id)
        await desk.change_asset(
            conn, str(asset_id), name=body.name, asset_type=body.type, type_given="type" in given, particulars=body.particulars
        )  # fmt: skip
        return Answer(body=await detail_of(conn, asker, await asset_row(conn, asset_id), Dated()))

    return await write_once(request, asker, idempotency_key, work)


@router.get(
    "/assets/{asset_id}/identifiers", responses=answer_list(IdentifierShape, examples.IDENTIFIER, 404), response_model=None
)
async def list_identifiers(request: Request, asker: Anyone, asset_id: AssetId, dated: DatedQuery) -> Response:
    """Every name the asset ever had, or those valid at `valid_at`; as recorded at `known_at`."""
    async with asker.desk() as conn:
        row = await asset_row(conn, asset_id, dated)
        rows = await reads.identifiers(conn, [row["asset_id"]], dated.at_us, dated.known_us)
    return list_response(request, IdentifierShape, [identifier_shape(each) for each in rows], None)


async def states_of(conn: Connection, asker: Asker, rows: Sequence[reads.Row], dated: Dated) -> list[StateShape]:
    """States of assets, now or as of an instant.

    Now is the streams' last words; a lessee's are looked up in the readings instead, because the last word may lie behind
    the end of its lease while an earlier one does not.
    """
    at_us = now_us() if dated.at_us is None else dated.at_us
    told = await milestones.open_statuses(conn, [str(row["asset_id"]) for row in rows], at_us, dated.known_us)
    rows = [{**row, "statuses": told.get(str(row["asset_id"]), ())} for row in await staged(conn, rows, dated)]
    said: dict[Any, list[reads.Row]] = {}
    if dated.at_us is None and dated.known_us is None and asker.party is None:
        said = by_asset(await reads.latest(conn, [row["asset_id"] for row in rows]))
    else:
        for name in sorted({row["class"] for row in rows} & set(ASSET_CLASSES)):
            ids = [row["asset_id"] for row in rows if row["class"] == name]
            said |= by_asset(await reads.as_of(conn, name, ids, at_us, dated.known_us))
    under = by_asset(await reads.leases(conn, [row["asset_id"] for row in rows], at_us, dated.known_us))
    return [
        state_shape(
            row, said.get(row["asset_id"], ()), next(iter(under.get(row["asset_id"], ())), None), at_us,
            insider=asker.party is None,
        )
        for row in rows
    ]  # fmt: skip


@router.get("/assets/{asset_id}/state", responses=answer(StateShape, examples.STATE, 200, 404), response_model=None)
async def get_state(asker: Anyone, asset_id: AssetId, dated: DatedQuery) -> Response:
    """The last word about an asset, or the last at or before `valid_at`; every null part has its reason."""
    async with asker.desk() as conn:
        row = await asset_row(conn, asset_id, dated)
        return json_response((await states_of(conn, asker, [row], dated))[0])


@router.get("/states", responses=answer_list(StateShape, examples.STATE), response_model=None)
async def list_states(
    request: Request, asker: Anyone, page: PageQuery, dated: DatedQuery,
    asset_class: Annotated[ClassName | None, Query(alias="class", description="Of this class.")] = None,
) -> Response:  # fmt: skip
    """States of all assets in the key's scope, in order of asset id."""
    after = decode_cursor(page.cursor, tuple[UUID])
    which = reads.AssetFilter(asset_class=asset_class, among_classes=tuple(ASSET_CLASSES), known_us=dated.known_us)
    async with asker.desk() as conn:
        rows = await reads.assets(conn, which, str(after[0]) if after else None, page.limit + 1)
        shapes = await states_of(conn, asker, rows[: page.limit], dated)
    return list_response(request, StateShape, shapes, next_cursor(rows, page, "asset_id"))
