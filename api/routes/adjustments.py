"""Adjustments: thresholds of single assets that dismissals as a false alarm have widened, and how to take them back."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import examples
from api.documents import answer, answer_list
from api.keys import Editor, Insider
from api.listing import NumberKey, decode_cursor
from api.once import Answer, IdempotencyKey, write_once
from api.paging import page_response
from api.parameters import PageQuery, Text
from api.problem import Problem, not_found
from api.shapes import AdjustmentShape
from api.states import time_of
from fleet.instants import to_rfc3339
from store import adjustments
from store.pool import Connection

router = APIRouter(prefix="/v1/adjustments", tags=["alerts"])
AdjustmentId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The adjustment's number.")]


class Withdrawal(BaseModel):
    """Why an adjustment is taken back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "The sensor was faulty after all."}]})

    reason: Text | None = Field(default=None, max_length=2000)


def adjustment_shape(row: adjustments.Row) -> AdjustmentShape:
    """An adjustment row as the API shows it."""
    return AdjustmentShape(
        id=str(row["adjustment_id"]), asset_id=str(row["asset_id"]), rule=row["rule"], name=row["name"], base=row["base"],
        value=row["value"], at_bound=row["at_bound"], alert_id=str(row["alert_id"]), finding_id=row["finding_id"],
        comment=row["reason"], actor=row["actor"], valid_from=to_rfc3339(row["valid_from"]),
        recorded_at=to_rfc3339(row["recorded_at"]), withdrawn_at=time_of(row["withdrawn_at"]), withdrawn_by=row["withdrawn_by"],
        withdrawn_comment=row["withdrawn_reason"],
    )  # fmt: skip


@router.get("", responses=answer_list(AdjustmentShape, examples.ADJUSTMENT), response_model=None)
async def list_adjustments(
    request: Request, asker: Insider, page: PageQuery,
    asset_id: Annotated[UUID | None, Query(description="Of this asset.")] = None,
    alert_id: Annotated[UUID | None, Query(description="That the dismissal of this alert made.")] = None,
    rule: Annotated[Text | None, Query(max_length=64, description="Of this rule.")] = None,
    withdrawn: Annotated[bool, Query(description="Also those that were taken back.")] = False,
) -> Response:  # fmt: skip
    """Thresholds of single assets that dismissals made, the newest first."""
    after = decode_cursor(page.cursor, tuple[NumberKey])
    which = adjustments.AdjustmentFilter(
        asset_id=None if asset_id is None else str(asset_id), alert_id=None if alert_id is None else str(alert_id), rule=rule,
        withdrawn=withdrawn,
    )  # fmt: skip
    async with asker.desk() as conn:
        rows = await adjustments.page(conn, which, after[0] if after else None, page.limit + 1)
    return page_response(request, AdjustmentShape, adjustment_shape, rows, page, "adjustment_id")


@router.post(
    "/{adjustment_id}/withdraw", response_model=None,
    responses=answer(AdjustmentShape, examples.ADJUSTMENT_WITHDRAWN, 200, 400, 404, 409, 413),
)  # fmt: skip
async def withdraw(
    request: Request, asker: Editor, adjustment_id: AdjustmentId, body: Withdrawal | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Take an adjustment back, and those that were made on top of it; the asset is derived again. Twice is 409."""
    reason = None if body is None else body.reason

    async def work(conn: Connection) -> Answer:
        which = adjustments.AdjustmentFilter(adjustment_id=adjustment_id, withdrawn=True)
        rows = await adjustments.page(conn, which, None, 1)
        if not rows:
            raise not_found("adjustment")
        if rows[0]["withdrawn_at"] is not None:
            raise Problem(409, "The adjustment was withdrawn already.", reason="withdrawn")
        await adjustments.withdraw(conn, adjustment_id, asker.name, reason)
        return Answer(body=adjustment_shape((await adjustments.page(conn, which, None, 1))[0]))

    return await write_once(request, asker, idempotency_key, work)
