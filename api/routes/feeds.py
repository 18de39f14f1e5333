"""Feeds: who speaks, when last, what became of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import examples
from api.documents import answer_list
from api.keys import Insider
from api.listing import TextKey, decode_cursor
from api.paging import page_response
from api.parameters import PageQuery
from api.routes.assets import now_us
from api.shapes import FeedCounts, FeedShape
from api.states import nulled_shapes, time_of
from fleet.instants import to_rfc3339
from store import reads

router = APIRouter(prefix="/v1/feeds", tags=["feeds"])
COUNTS = tuple(FeedCounts.__struct_fields__)


def feed_shape(row: reads.Row, answered_us: int) -> FeedShape:
    """A feed row as the API shows it."""
    shared = row["tenant"] == "_"
    status = None if row["online"] is None else ("online" if row["online"] else "offline")
    clock_us = answered_us if row["clock"] == "live" else row["clock_time"]
    reason = {}
    if status is None:
        reason["status"] = "never_said"
    if row["last_received_at"] is None:
        reason["last_received_at"] = "no_asset_heard"
    if clock_us is None:
        reason["clock_time"] = "no_asset_heard"
    if shared:
        reason |= {"counts": "shared_with_others", "nulled": "shared_with_others"}
    return FeedShape(
        name=row["feed"],
        owner="operator" if shared else "tenant",
        status=status,  # type: ignore[arg-type]
        status_at=time_of(row["said_at"]),
        last_received_at=time_of(row["last_received_at"]),
        assets_heard=row["assets"] or 0,
        clock=row["clock"],
        clock_time=None if clock_us is None else to_rfc3339(clock_us),
        counts=None if shared else FeedCounts(**{name: row[name] for name in COUNTS}),
        nulled=None if shared else nulled_shapes(row["nulled"]),
        reason=reason,
    )


@router.get("", responses=answer_list(FeedShape, examples.FEED), response_model=None)
async def list_feeds(request: Request, asker: Insider, page: PageQuery) -> Response:
    """The tenant's feeds and those of the operator granted to it: liveness, clock, counters."""
    after = decode_cursor(page.cursor, tuple[TextKey, TextKey])
    async with asker.desk() as conn:
        rows = await reads.feeds(conn, after, page.limit + 1)
    return page_response(request, FeedShape, lambda row: feed_shape(row, now_us()), rows, page, "tenant", "feed")
