"""The lessor's monthly pack: one printable page of an asset and a month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from starlette.responses import Response

from api import lives
from api.agenda import agenda_of
from api.documents import problem_answers
from api.keys import Asker, Insider
from api.packs import AGENDA_D, MonthFacts, month_page
from api.parameters import AssetId, Dated, KnownAt
from api.routes.assets import now_us, sending_row
from api.routes.lifecycle import life_shape, read_life
from api.tracks import Fix
from fleet.instants import from_datetime, to_datetime
from fleet.lease import Terms, stored_terms
from fleet.practice import Practice
from fleet.practice_book import HOUSE
from fleet.reconciliation import LeaseMonth
from store import billing, lifecycle, months, reads
from store.dossiers import Question, dossiers, practice_of
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["assets"])
HTML_TYPE = "text/html"
TRACK_POINTS_MAX = 1500  # chosen: more than the page has dots across
MonthName = Annotated[
    str,
    Path(pattern=r"^(19|20|21)\d\d-(0[1-9]|1[0-2])$", description="A month, as the lease's billing time zone has it: `2026-05`."),
]
PACK: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page that prints on A4 and asks nobody for anything.", "content": {
        HTML_TYPE: {"schema": {"type": "string"}, "example": "<!doctype html>"},
    }},
    **problem_answers(401, 403, 404, 422, 503),
}  # fmt: skip


def bounds_of(month: str, zone: str) -> tuple[int, int]:
    """[from, to) of a month (`2026-05`) in a time zone, in microseconds."""
    first = date.fromisoformat(f"{month}-01")
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    begin, end = (datetime(day.year, day.month, 1, tzinfo=ZoneInfo(zone)) for day in (first, after))
    return from_datetime(begin), from_datetime(end)


@router.get("/assets/{asset_id}/months/{month}/pack", responses=PACK, response_model=None)
async def get_pack(asker: Insider, asset_id: AssetId, month: MonthName, known_at: KnownAt = None) -> Response:
    """The monthly pack of an asset as a printable page, as known at `known_at`.

    Where it was, use observed beside reported, states, journeys, reserves, what is due, alerts and silences. The month begins and
    ends in the billing time zone of the lease in force in its middle; a month that runs is shown up to now.
    """
    async with asker.desk() as conn:
        facts = await facts_of(conn, asker, asset_id, month, known_at)
    name = f"{month}-{asset_id}.html"
    return Response(month_page(facts), 200, {"Content-Disposition": f'inline; filename="{name}"'}, HTML_TYPE + "; charset=utf-8")


async def facts_of(conn: Connection, asker: Asker, asset_id: Any, month: str, known_us: int | None) -> MonthFacts:
    """Everything the page shows. Raises Problem 404, for a component too: its month is told with the asset it sits on."""
    await sending_row(conn, asset_id, Dated(None, known_us))
    asked_us = now_us()
    terms = await _terms(conn, asker, asset_id, month, known_us)
    zone = terms.billing_time_zone
    from_us, to_us = bounds_of(month, zone)
    end_us = max(from_us + 1, min(to_us, asked_us))
    dated = Dated(end_us - 1 if to_us <= asked_us else None, known_us)
    life = await life_shape(conn, asker, asset_id, dated)
    read = await read_life(conn, asker, asset_id, dated)
    told = read.told
    inside = frozenset(
        n for n, row in enumerate(read.tenures)
        if max(row["valid_from"] or from_us, from_us) < min(row["valid_to"] or end_us, end_us)
    )  # fmt: skip
    asset_class = read.asset["class"]
    on = to_datetime(end_us - 1).date()
    practice = await practice_of(conn, asker.tenant, HOUSE, known_us)
    span = lives.use_span(from_us, end_us, terms, practice, ZoneInfo(zone))
    rows = await lifecycle.use_of(conn, told, [span])
    whole = lives.use_shape(rows, asset_class, span.attribution, end_us) if rows[0]["observed_s"] is not None else None
    bounds = months.Month(told.asset_id, from_us, end_us, known_us)
    leases = list(dict.fromkeys(str(read.tenures[n]["lease_id"]) for n in sorted(inside)))
    found = await dossiers(conn, Question(tenant=asker.tenant, on=on, known_us=known_us, practice=practice), [told.asset_id])
    track = await reads.track(conn, told.asset_id, asset_class, reads.Period(from_us, end_us, known_us), TRACK_POINTS_MAX)
    return MonthFacts(
        life=life, from_us=from_us, to_us=to_us, zone=zone, running=asked_us < to_us, asked_us=asked_us, known_us=known_us,
        inside=inside,
        whole=whole, practice=practice, lease_months=await _lease_months(conn, leases, month, known_us, practice),
        reserves=await months.reserves(conn, bounds, leases),
        days=await months.days(conn, bounds), journeys=await months.journeys(conn, bounds),
        fixes=[Fix(row["time"], row["lon_deg"], row["lat_deg"]) for row in track],
        agenda=agenda_of(found, on, on + timedelta(days=AGENDA_D), practice), on=on,
    )  # fmt: skip


async def _lease_months(
    conn: Connection, leases: Sequence[str], month: str, known_us: int | None, practice: Practice
) -> list[LeaseMonth]:  # fmt: skip
    """The month of each lease as it is reconciled and billed."""
    rows = [row for lease_id in leases for row in await billing.leases(conn, lease_id, None, None, known_us)]
    return await billing.months(conn, rows, [date.fromisoformat(f"{month}-01")], known_us, practice)


async def _terms(conn: Connection, asker: Asker, asset_id: Any, month: str, known_us: int | None) -> Terms:
    """The terms of the head lease in force in the middle of the month; a silent paper's where there is none to read."""
    begin_us, end_us = bounds_of(month, "UTC")
    middle_us = (begin_us + end_us) // 2
    read = await read_life(conn, asker, asset_id, Dated(middle_us, known_us))
    for row in read.tenures:
        paper = read.paper_of.get(row["lease_id"])
        if row["head"] and paper is not None and (row["valid_to"] is None or middle_us < row["valid_to"]):
            found = stored_terms(paper["terms"])
            return found if isinstance(found, Terms) else Terms()
    return Terms()
