"""Rejections: messages that were no readings, their counts, and giving them to the broker again."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import examples
from api.documents import answer, answer_list
from api.keys import Editor, Insider
from api.listing import NumberKey, decode_cursor, list_response
from api.once import Answer, IdempotencyKey, write_once
from api.paging import page_response
from api.parameters import Instant, PageQuery, SpanQuery, Text
from api.shapes import RejectionCountShape, RejectionShape, ReplayShape
from api.states import time_of
from fleet.instants import to_rfc3339
from store import desk, reads
from store.pool import Connection

router = APIRouter(prefix="/v1/rejections", tags=["feeds"])
IDS_MAX = 1000
RejectionId = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}$", examples=["31"])]


class RejectionReplay(BaseModel):
    """Which rejections: by id, by reason, by time of reception; what is absent does not filter."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True, json_schema_extra={"examples": [{"reason": "missing_time"}]}
    )  # fmt: skip

    ids: list[RejectionId] | None = Field(default=None, min_length=1, max_length=IDS_MAX)
    reason: Text | None = Field(default=None, max_length=64)
    from_us: Instant | None = Field(default=None, alias="from")
    to_us: Instant | None = Field(default=None, alias="to")


def rejection_shape(row: reads.Row) -> RejectionShape:
    """A rejection row as the API shows it; the payload always as base64, as text too where it is UTF-8."""
    payload = bytes(row["payload"])
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = None
    return RejectionShape(
        id=str(row["rejection_id"]),
        topic=row["topic"],
        element=row["element"],
        reason_code=row["reason"],
        detail=row["detail"],
        payload_text=text,
        payload_base64=base64.b64encode(payload).decode(),
        received_at=to_rfc3339(row["received_at"]),
        replayed_at=time_of(row["replayed_at"]),
    )


@router.get("", responses=answer_list(RejectionShape, examples.REJECTION), response_model=None)
async def list_rejections(
    request: Request, asker: Insider, page: PageQuery, span: SpanQuery,
    reason: Annotated[Text | None, Query(max_length=64, description="For this reason.")] = None,
) -> Response:  # fmt: skip
    """Rejections received in [from, to), newest first; kept for a bounded time and size."""
    after = decode_cursor(page.cursor, tuple[NumberKey])
    async with asker.desk() as conn:
        rows = await reads.rejections(conn, reason, span.from_us, span.to_us, after[0] if after else None, page.limit + 1)
    return page_response(request, RejectionShape, rejection_shape, rows, page, "rejection_id")


@router.get("/counts", responses=answer_list(RejectionCountShape, examples.REJECTION_COUNT), response_model=None)
async def count_rejections(request: Request, asker: Insider, span: SpanQuery) -> Response:
    """Rejections kept and received in [from, to), by reason."""
    async with asker.desk() as conn:
        rows = await reads.rejection_counts(conn, span.from_us, span.to_us)
    shapes = [
        RejectionCountShape(
            reason=row["reason"], count=row["count"], replayed=row["replayed_count"],
            first_received_at=to_rfc3339(row["first_received_at"]), last_received_at=to_rfc3339(row["last_received_at"]),
        )
        for row in rows
    ]  # fmt: skip
    return list_response(request, RejectionCountShape, shapes, None)


@router.post("/replay", status_code=202, responses=answer(ReplayShape, examples.REPLAY, 202, 400, 409, 413), response_model=None)
async def replay(request: Request, asker: Editor, body: RejectionReplay, idempotency_key: IdempotencyKey = None) -> Response:
    """Ask that rejected messages be given to the broker again, on their own topics; the worker takes the request up."""
    wanted = desk.ReplayRequest(
        reason=body.reason, rejection_ids=None if body.ids is None else tuple(int(each) for each in body.ids),
        from_us=body.from_us, to_us=body.to_us,
    )  # fmt: skip

    async def work(conn: Connection) -> Answer:
        request_id, covered = await desk.request_rejection_replay(conn, wanted, asker.name)
        return Answer(body=ReplayShape(accepted=covered, request_id=str(request_id)), status=202)

    return await write_once(request, asker, idempotency_key, work)
