"""Stays: where an asset lay still and for how long, calls at ports among them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import examples
from api.documents import answer_list
from api.keys import Anyone
from api.listing import TextKey, TimeKey, decode_cursor
from api.paging import page_response
from api.parameters import STAY_KINDS, YEARS, AssetId, DatedQuery, Duration, PageQuery, SpanQuery, StayKinds
from api.routes.assets import sending_row
from api.shapes import StayShape
from api.states import time_of
from fleet.instants import from_datetime, to_datetime, to_rfc3339
from fleet.practice_book import HOUSE
from fleet.use import BILLABLE_COVERAGE
from store import stays

router = APIRouter(prefix="/v1", tags=["assets"])
EARLIEST_US, LATEST_US = (from_datetime(datetime(year, 1, 1, tzinfo=UTC)) for year in YEARS)


def stay_shape(row: stays.Row, asset_id: str) -> StayShape:
    """A stay row as the API shows it."""
    length_s: float = row["length_s"]
    coverage = min(1.0, row["observed_s"] / length_s) if length_s > 0 else None
    limit = HOUSE.number(BILLABLE_COVERAGE, to_datetime(row["started_at"]).date())
    reason = {}
    if row["place"] is None:
        reason["place"] = "not_known"
    if row["ended_at"] is None:
        reason["ended_at"] = "nothing_known_after"
    if row["kind"] != "port_call":
        reason |= {"confidence": "not_a_call", "quality": "not_a_call"}
    if coverage is None:
        reason["coverage"] = "no_length"
    return StayShape(
        asset_id=asset_id,
        kind=row["kind"],
        place=row["place"],
        started_at=to_rfc3339(row["started_at"]),
        ended_at=time_of(row["ended_at"]),
        seen_until=to_rfc3339(row["seen_until"]),
        duration_h=length_s / 3600.0,
        confidence=row["confidence"],
        quality=row["quality"],
        coverage=coverage,
        is_estimate=coverage is None or coverage < limit,
        method=row["method"],
        sources=row["sources"],
        reason=reason,
    )


@router.get("/assets/{asset_id}/stays", responses=answer_list(StayShape, examples.STAY, 404), response_model=None)
async def list_stays(
    request: Request, asker: Anyone, asset_id: AssetId, page: PageQuery, dated: DatedQuery, span: SpanQuery,
    kind: StayKinds = STAY_KINDS,
    min_confidence: Annotated[int, Query(ge=1, le=4, description="Of calls: 3 and 4 begin and end voyages.")] = 2,
    min_duration: Annotated[Duration | None, Query(description="At least this long, such as P7D for what is parked.")] = None,
) -> Response:  # fmt: skip
    """Stays of an asset that touch [from, to), by their begin: calls at ports, and stretches of a still state.

    A call of confidence 1 passed through without a stop or a gap. `valid_at`: the stays that lasted then.
    """
    after = decode_cursor(page.cursor, tuple[TimeKey, TextKey])
    which = stays.StayFilter(
        asset_id=str(asset_id), kinds=kind, from_us=EARLIEST_US if span.from_us is None else span.from_us,
        to_us=LATEST_US if span.to_us is None else span.to_us, confidence_min=min_confidence,
        length_s=0.0 if min_duration is None else float(min_duration), at_us=dated.at_us, known_us=dated.known_us,
    )  # fmt: skip
    async with asker.desk() as conn:
        await sending_row(conn, asset_id, dated)
        rows = await stays.stays(conn, which, after, page.limit + 1)
    return page_response(request, StayShape, lambda row: stay_shape(row, str(asset_id)), rows, page, "started_at", "kind")
