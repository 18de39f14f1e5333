"""Redelivery: the checklist and how far it is met, and the compensation for life used, item by item."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from api import money_examples as examples
from api.documents import answer, answer_list
from api.keys import Editor, Insider
from api.lease_rows import lease_row, readable_terms
from api.listing import TextKey, decode_cursor, json_response, list_response
from api.money_shapes import ReturnCompensationShape, ReturnConditionShape
from api.once import Answer, IdempotencyKey, write_once
from api.paging import page_response
from api.parameters import DatedQuery, LeaseId, PageQuery, Text
from api.problem import invalid
from api.return_shapes import Weighed, compensation_shape
from api.routes.assets import now_us
from api.states import time_of
from fleet.practice_book import HOUSE
from fleet.return_condition import CHECKLIST, Basis, Direction, ReturnTerms
from store import billing, dossiers, return_conditions, wear
from store import utilization_reports as reports
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["money"])
StatusName = Literal["open", "met", "waived", "failed"]
CONDITIONS_MAX = 500
EVIDENCE_MAX = 50


class ConditionChange(BaseModel):
    """A requirement as it now stands; what is absent stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "id": "fresh_check", "requirement": "Fresh 6Y check", "status": "met", "due_on": "2026-11-30",
            "evidence": {"document": "CRS 2026-118", "signed_on": "2026-11-12"},
        }]},
    )  # fmt: skip

    id: str = Field(pattern="^[a-z0-9][a-z0-9_]{0,59}$", examples=["fresh_check"])
    requirement: Text | None = Field(default=None, min_length=1, max_length=500)
    status: StatusName | None = None
    due_on: date | None = None
    evidence: dict[Text, JsonValue] | None = Field(default=None, max_length=EVIDENCE_MAX)


def condition_shape(row: dict[str, Any]) -> ReturnConditionShape:
    """A requirement's row as the API shows it."""
    return ReturnConditionShape(
        id=row["return_condition_id"], revision=row["revision"], lease_id=str(row["lease_id"]), requirement=row["requirement"],
        status=row["status"], evidence=row["evidence"], due_on=None if row["due_on"] is None else row["due_on"].isoformat(),
        actor=row["actor"], recorded_at=time_of(row["recorded_at"]) or "",
    )  # fmt: skip


@router.get(
    "/leases/{lease_id}/return-conditions", response_model=None,
    responses=answer_list(ReturnConditionShape, examples.RETURN_CONDITION, 404),
)  # fmt: skip
async def list_conditions(
    request: Request, asker: Insider, lease_id: LeaseId, page: PageQuery, dated: DatedQuery,
    status: Annotated[StatusName | None, Query(description="Only those that stand so.")] = None,
) -> Response:  # fmt: skip
    """What must be so at redelivery, in order of its word; as recorded at `known_at` (`valid_at` does not narrow it)."""
    after = decode_cursor(page.cursor, tuple[TextKey])
    async with asker.desk() as conn:
        await lease_row(conn, lease_id, dated.known_us)
        rows = await return_conditions.conditions(
            conn, str(lease_id), dated.known_us, statuses=None if status is None else (status,),
            after=None if after is None else after[0], limit=page.limit + 1,
        )  # fmt: skip
    return page_response(request, ReturnConditionShape, condition_shape, rows, page, "return_condition_id")


@router.post(
    "/leases/{lease_id}/return-conditions", status_code=201, response_model=None,
    responses=answer(ReturnConditionShape, examples.RETURN_CONDITION, 201, 400, 404, 409, 413),
)  # fmt: skip
async def change_condition(
    request: Request, asker: Editor, lease_id: LeaseId, body: ConditionChange, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Add a requirement or say how it stands; each change is a revision. Words of the usual checklist bring their sentence."""
    condition_id = body.id

    async def work(conn: Connection) -> Answer:
        await lease_row(conn, lease_id)
        await reports.hold(conn, str(lease_id))
        found = await return_conditions.conditions(conn, str(lease_id), None, condition_id=condition_id, limit=1)
        old = found[0] if found else None
        requirement = body.requirement or (old["requirement"] if old else CHECKLIST.get(condition_id))
        if requirement is None:
            raise invalid("body", "requirement", "a new requirement has a sentence, or a word of the usual checklist")
        new = return_conditions.NewCondition(
            lease_id=str(lease_id), condition_id=condition_id, requirement=requirement,
            status=body.status or (old["status"] if old else "open"),
            evidence=body.evidence if body.evidence is not None else old["evidence"] if old else {},
            due_on=body.due_on if "due_on" in body.model_fields_set or old is None else old["due_on"], actor=asker.name,
        )  # fmt: skip
        await return_conditions.write(conn, new, 1 if old is None else old["revision"] + 1)
        written = await return_conditions.conditions(conn, str(lease_id), None, condition_id=condition_id, limit=1)
        return Answer(body=condition_shape(written[0]), status=201)

    return await write_once(request, asker, idempotency_key, work)


@router.post(
    "/leases/{lease_id}/return-conditions/usual", response_model=None,
    responses=answer_list(ReturnConditionShape, examples.RETURN_CONDITION, 404, 409, 413),
)  # fmt: skip
async def add_usual(request: Request, asker: Editor, lease_id: LeaseId) -> Response:
    """Add the usual checklist of an aircraft's redelivery; what is there stays as it is, so asked again it changes nothing."""
    async with asker.desk() as conn:
        await lease_row(conn, lease_id)
        await reports.hold(conn, str(lease_id))
        there = await return_conditions.conditions(conn, str(lease_id), None, limit=CONDITIONS_MAX)
        known = {row["return_condition_id"] for row in there}
        for condition_id, requirement in CHECKLIST.items():
            if condition_id not in known:
                new = return_conditions.NewCondition(
                    lease_id=str(lease_id), condition_id=condition_id, requirement=requirement, status="open", evidence={},
                    due_on=None, actor=asker.name,
                )  # fmt: skip
                await return_conditions.write(conn, new, 1)
        rows = await return_conditions.conditions(conn, str(lease_id), None, limit=CONDITIONS_MAX)
    return list_response(request, ReturnConditionShape, [condition_shape(row) for row in rows], None)


@router.get(
    "/leases/{lease_id}/return-conditions/compensation", response_model=None,
    responses=answer(ReturnCompensationShape, examples.RETURN_COMPENSATION, 200, 404, 409),
)  # fmt: skip
async def get_compensation(
    asker: Insider, lease_id: LeaseId, dated: DatedQuery,
    basis: Annotated[Basis | None, Query(description="Instead of the lease's own basis.")] = None,
    direction: Annotated[Direction | None, Query(description="Instead of the lease's own direction.")] = None,
    forecast: Annotated[bool, Query(description="As of the end of the term, at the present rate of use.")] = False,
) -> Response:  # fmt: skip
    """What the life used comes to, each check and each life-limited part by itself: at `valid_at`, or forecast to the end."""
    async with asker.desk() as conn:
        row = await lease_row(conn, lease_id, dated.known_us)
        as_of_us = dated.at_us or now_us()
        terms = readable_terms(row).return_terms or ReturnTerms()
        asset_id = str(row["asset_id"])
        stretches = await billing.installed(conn, [asset_id], as_of_us, as_of_us + 1, dated.known_us)
        wanted = [asset_id, *(each.asset_id for each in stretches if each.parent_id == asset_id)]
        worn = await wear.worn(conn, wanted, as_of_us, dated.known_us)
        conditions = await return_conditions.conditions(
            conn, str(lease_id), dated.known_us, statuses=("open", "failed"), limit=CONDITIONS_MAX
        )
        practice = await dossiers.practice_of(conn, asker.tenant, HOUSE, dated.known_us)
    end_us = row["term_to"] or row["held_to"]
    weighed = Weighed(
        lease_id=str(lease_id), asset_id=asset_id, worn=worn, terms=terms, basis=basis or terms.basis,
        direction=direction or terms.direction, as_of_us=as_of_us, end_us=end_us if forecast else None,
        open_conditions=len(conditions), practice=practice,
    )  # fmt: skip
    return json_response(compensation_shape(weighed))
