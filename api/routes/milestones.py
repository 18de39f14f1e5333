"""Milestones and maintenance of an asset: what was promised, reported and observed of its life, and its shop visits."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from api import lease_examples as examples
from api import leases as shaped
from api.documents import answer, answer_list
from api.keys import Editor, Insider
from api.lease_shapes import AssetEventShape, AssetTransitionShape, MaintenanceShape
from api.listing import TimeKey, decode_cursor, encode_cursor, list_response
from api.once import Answer, IdempotencyKey, write_once
from api.paging import page_response
from api.parameters import AssetId, DatedQuery, Instant, PageQuery, Text
from api.problem import invalid, not_found
from api.routes.assets import asset_row, now_us
from api.routes.leases import FUTURE_US, MEMBERS_MAX, Bounded, Evidence, Superseded, ordered
from fleet.dated import Span
from fleet.lease_phase import Refusal
from fleet.stage import EVENT_KINDS
from store import leases, milestones
from store.pool import Connection

router = APIRouter(prefix="/v1/assets", tags=["assets"])
EventId = Annotated[UUID, Path(description="The event's id.")]
Basis = Literal["contract", "reported", "observed"]


class NewAssetEvent(BaseModel):
    """A milestone. Only a reported one moves the stage; a promise (`contract`) may lie ahead. `corrects`: in whose place."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "kind": "manufacturer_delivery", "basis": "reported", "at": "2024-05-02T06:00:00Z",
            "evidence": {"title_document": "BOS-7741"},
        }]},
    )  # fmt: skip

    kind: Literal[*EVENT_KINDS]  # type: ignore[valid-type]
    basis: Basis = "reported"
    at: Instant
    evidence: Evidence = Field(default_factory=dict)
    corrects: UUID | None = None


class NewMaintenance(BaseModel):
    """A check, shop visit, dry-docking or survey: planned, done, or both; `corrects` names the one whose place it takes."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "kind": "drydock", "planned_from": "2026-05-20T00:00:00Z", "planned_to": "2026-06-05T00:00:00Z", "place": "SGSIN",
        }]},
    )  # fmt: skip

    kind: Text = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,39}$")
    planned_from: Instant | None = None
    planned_to: Instant | None = None
    actual_from: Instant | None = None
    actual_to: Instant | None = None
    place: Bounded | None = None
    use_at: dict[Text, JsonValue] = Field(default_factory=dict, max_length=MEMBERS_MAX)
    cost: Text | None = Field(default=None, pattern=r"^[0-9]{1,16}(\.[0-9]{1,2})?$")
    currency: Text | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    evidence: Evidence = Field(default_factory=dict)
    corrects: UUID | None = None


@router.get("/{asset_id}/events", responses=answer_list(AssetEventShape, examples.ASSET_EVENT, 404), response_model=None)
async def list_asset_events(
    request: Request, asker: Insider, asset_id: AssetId, page: PageQuery, dated: DatedQuery,
    basis: Annotated[Basis | None, Query(description="On this basis alone.")] = None, superseded: Superseded = False,
) -> Response:  # fmt: skip
    """Milestones of an asset, earliest first, up to `valid_at`, as known at `known_at`."""
    after = decode_cursor(page.cursor, tuple[TimeKey, UUID])
    async with asker.desk() as conn:
        await asset_row(conn, asset_id)
        rows = await milestones.events(
            conn, str(asset_id), dated.at_us, dated.known_us, basis=basis, superseded=superseded,
            after=(after[0], str(after[1])) if after else None, limit=page.limit + 1,
        )  # fmt: skip
    return page_response(request, AssetEventShape, shaped.asset_event_shape, rows, page, "at", "asset_event_id")


@router.post(
    "/{asset_id}/events", status_code=201,
    responses=answer(AssetTransitionShape, examples.ASSET_TRANSITION, 201, 400, 404, 409, 413), response_model=None,
)  # fmt: skip
async def tell_asset_event(
    request: Request, asker: Editor, asset_id: AssetId, body: NewAssetEvent, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Tell a milestone. A reported one that cannot have happened is refused with its guard (`illegal-transition`)."""
    if body.basis != "contract" and body.at > now_us() + FUTURE_US:
        raise invalid("body", "at", "lies in the future: only a promise may")

    async def work(conn: Connection) -> Answer:
        await asset_row(conn, asset_id)
        wanted = milestones.NewMilestone(
            asset_id=str(asset_id), kind=body.kind, basis=body.basis, at_us=body.at, evidence=body.evidence, actor=asker.name,
            corrects=None if body.corrects is None else str(body.corrects),
        )  # fmt: skip
        try:
            found = await leases.record_milestone(conn, asker.tenant, wanted, now_us())
        except KeyError:
            raise invalid("body", "corrects", "no such event of the asset") from None
        return Answer(body=await _transition(conn, asset_id, found), status=201)

    return await write_once(request, asker, idempotency_key, work)


@router.delete(
    "/{asset_id}/events/{event_id}", responses=answer(AssetTransitionShape, examples.ASSET_TRANSITION, 200, 404, 409),
    response_model=None,
)  # fmt: skip
async def withdraw_asset_event(
    request: Request, asker: Editor, asset_id: AssetId, event_id: EventId, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Believe a milestone no longer, with what followed from it. It stays on record (`superseded`, `known_at`)."""

    async def work(conn: Connection) -> Answer:
        await asset_row(conn, asset_id)
        if await milestones.event(conn, str(asset_id), str(event_id)) is None:
            raise not_found("event")
        found = await leases.withdraw(conn, asker.tenant, str(asset_id), str(event_id), asker.name, now_us())
        return Answer(body=await _transition(conn, asset_id, found))

    return await write_once(request, asker, idempotency_key, work)


async def _transition(conn: Connection, asset_id: UUID, found: leases.Entered | Refusal) -> AssetTransitionShape:
    if isinstance(found, Refusal):
        raise shaped.refused(found)
    stage, ownership = (await asset_row(conn, asset_id))["stage"], found.life.ownership
    reason = {} if stage is not None else {"stage": "no_milestones"}
    return AssetTransitionShape(
        event_id=found.event_id, asset_id=str(asset_id), stage=stage, ownership_phase=ownership,
        following=[f"{each.kind} of lease {each.lease_id}" for each in found.following], restated_months=found.restated,
        reason=reason if ownership is not None else reason | {"ownership_phase": "not_recorded"},
    )  # fmt: skip


@router.get("/{asset_id}/maintenance", responses=answer_list(MaintenanceShape, examples.MAINTENANCE, 404), response_model=None)
async def list_maintenance(
    request: Request, asker: Insider, asset_id: AssetId, page: PageQuery, dated: DatedQuery
) -> Response:  # fmt: skip
    """Maintenance planned and done, by when it began or shall; with `valid_at` what was under way then."""
    after = decode_cursor(page.cursor, tuple[TimeKey, UUID])
    async with asker.desk() as conn:
        await asset_row(conn, asset_id)
        rows = await milestones.maintenance(
            conn, str(asset_id), dated.at_us, dated.known_us, after=(after[0], str(after[1])) if after else None,
            limit=page.limit + 1,
        )  # fmt: skip
    cursor = None
    if len(rows) > page.limit:
        last = rows[page.limit - 1]
        began = last["planned_from"] if last["actual_from"] is None else last["actual_from"]
        cursor = encode_cursor(began, last["maintenance_event_id"])
    return list_response(request, MaintenanceShape, [shaped.maintenance_shape(row) for row in rows[: page.limit]], cursor)


@router.post(
    "/{asset_id}/maintenance", status_code=201, responses=answer(MaintenanceShape, examples.MAINTENANCE, 201, 400, 404, 409, 413),
    response_model=None,
)  # fmt: skip
async def tell_maintenance(
    request: Request, asker: Editor, asset_id: AssetId, body: NewMaintenance, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """A shop visit or survey, planned or done. While it lasts the asset's stage is `in_maintenance`; its lease goes on."""
    _refuse_odd(body)
    wanted = milestones.NewMaintenance(
        asset_id=str(asset_id), kind=body.kind, place=body.place, use_at=body.use_at, currency=body.currency,
        planned=None if body.planned_from is None else Span(body.planned_from, body.planned_to),
        actual=None if body.actual_from is None else Span(body.actual_from, body.actual_to),
        cost_amount=None if body.cost is None else Decimal(body.cost), evidence=body.evidence, actor=asker.name,
    )  # fmt: skip

    async def work(conn: Connection) -> Answer:
        await asset_row(conn, asset_id)
        await leases.lock(conn, str(asset_id))
        if body.corrects is not None and not await milestones.close_maintenance(conn, str(asset_id), str(body.corrects)):
            raise invalid("body", "corrects", "no such maintenance of the asset")
        made = await milestones.add_maintenance(conn, asker.tenant, wanted)
        await leases.refresh_stage(conn, str(asset_id))
        rows = await milestones.maintenance(conn, str(asset_id), None, None, maintenance_event_id=made, limit=1)
        return Answer(body=shaped.maintenance_shape(rows[0]), status=201)

    return await write_once(request, asker, idempotency_key, work)


def _refuse_odd(body: NewMaintenance) -> None:
    """422 for periods without a beginning or the wrong way round, and for money without a currency."""
    if body.planned_from is None and body.actual_from is None:
        raise invalid("body", "planned_from", "give planned_from or actual_from")
    for name, begin, end in (
        ("planned_to", body.planned_from, body.planned_to), ("actual_to", body.actual_from, body.actual_to)
    ):  # fmt: skip
        if begin is None and end is not None:
            raise invalid("body", name, "has no beginning")
        ordered(begin, end, name)
    if body.actual_from is not None and max(body.actual_from, body.actual_to or 0) > now_us() + FUTURE_US:
        raise invalid("body", "actual_from", "lies in the future: plan it")
    if (body.cost is None) != (body.currency is None):
        raise invalid("body", "currency", "goes with cost, and only with it")
