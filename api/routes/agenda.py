"""The agenda: every dated obligation of every asset and lease, as one list or as a calendar file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import examples
from api.agenda import agenda_of, calendar_file, with_compensation
from api.documents import answer_list, problem_answers
from api.keys import Asker, Insider
from api.listing import TextKey, decode_cursor, encode_cursor, list_response
from api.parameters import Dated, DatedQuery, ObligationKinds, PageQuery, Text
from api.return_shapes import Weighed
from api.routes.assets import by_asset, now_us
from api.shapes import ObligationShape
from fleet.asset_class import ASSET_CLASSES
from fleet.obligation import Dossier, day_of, start_us
from fleet.practice_book import HOUSE
from store import billing, dossiers, reads, wear
from store.dossiers import Question
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["calendar"])
CALENDAR_TYPE = "text/calendar"
EVENTS_MAX = 5000  # of one calendar file; chosen: more than people read, less than a program refuses
DAYS_MAX = 3650

Days = Annotated[int, Query(ge=1, le=DAYS_MAX, description="Due within so many days; what is overdue is always there.")]
OfKinds = Annotated[ObligationKinds | None, Query(description="Of these kinds.")]
OfAsset = Annotated[UUID | None, Query(description="Of this asset.")]
OfLessee = Annotated[Text | None, Query(max_length=200, description="Of leases of this lessee, by name.")]


@router.get("/agenda", responses=answer_list(ObligationShape, examples.OBLIGATION), response_model=None)
async def list_agenda(
    request: Request, asker: Insider, page: PageQuery, dated: DatedQuery, days: Days = 90, kind: OfKinds = None,
    asset_id: OfAsset = None, lessee: OfLessee = None,
) -> Response:  # fmt: skip
    """What is overdue or due within `days`: notices, options, covers, surveys, checks, reports, redeliveries, planned work.

    `valid_at`: as seen from that day; `known_at`: from what was recorded then.
    """
    after = decode_cursor(page.cursor, tuple[TextKey, TextKey, TextKey])
    found, _ = await _agenda(asker, dated, days, kind, asset_id, lessee)
    keyed = [each for each in found if after is None or (each.due_on, each.asset_id, each.id) > after]
    cursor = None
    if len(keyed) > page.limit:
        last = keyed[page.limit - 1]
        cursor = encode_cursor(last.due_on, last.asset_id, last.id)
    return list_response(request, ObligationShape, keyed[: page.limit], cursor)


_FILE = {
    200: {
        "description": "The agenda as iCalendar (RFC 5545).",
        "content": {CALENDAR_TYPE: {"schema": {"type": "string"}, "example": "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"}},
    },
    **problem_answers(401, 403, 422, 503),
}  # fmt: skip


@router.get("/agenda.ics", responses=_FILE, response_model=None)
async def get_agenda_file(
    asker: Insider, dated: DatedQuery, days: Days = 90, kind: OfKinds = None, asset_id: OfAsset = None, lessee: OfLessee = None
) -> Response:
    """The same as a file for calendar programs: all-day events whose UID stays; the first 5,000 by date."""
    found, on = await _agenda(asker, dated, days, kind, asset_id, lessee)
    headers = {"Content-Disposition": 'inline; filename="agenda.ics"'}
    return Response(calendar_file(found[:EVENTS_MAX], on), 200, headers, CALENDAR_TYPE + "; charset=utf-8")


async def _agenda(
    asker: Asker, dated: Dated, days: int, kinds: tuple[str, ...] | None, asset_id: UUID | None, lessee: str | None
) -> tuple[list[ObligationShape], date]:  # fmt: skip
    """The whole agenda in order of (due_on, asset, id), and the day it is seen from."""
    on = day_of(now_us() if dated.at_us is None else dated.at_us)
    async with asker.desk() as conn:
        practice = await dossiers.practice_of(conn, asker.tenant, HOUSE, dated.known_us)
        question = Question(tenant=asker.tenant, on=on, known_us=dated.known_us, practice=practice)
        every: list[Dossier] = []
        after: str | None = None
        wanted = None if asset_id is None else [str(asset_id)]
        while page := await dossiers.dossiers(conn, question, wanted, after):
            every += page
            after = page[-1].asset_id
        every = await _placed(conn, every, dated)
        shapes = agenda_of(every, on, on + timedelta(days=days + 1), practice)
        kept = [
            each for each in shapes
            if (kinds is None or each.kind in kinds) and (lessee is None or (each.lessee or "").casefold() == lessee.casefold())
        ]  # fmt: skip
        return await _compensated(conn, kept, every, question), on


async def _compensated(
    conn: Connection, items: list[ObligationShape], every: Sequence[Dossier], question: Question
) -> list[ObligationShape]:  # fmt: skip
    """The items, redeliveries with their compensation forecast to the end of the term: three set queries for all of them."""
    ending = {each.lease_id: each.asset_id for each in items if each.kind == "redelivery"}
    if not ending:
        return items
    as_of_us = start_us(question.on)
    assets = sorted(set(ending.values()))
    parts: dict[str, set[str]] = {asset_id: {asset_id} for asset_id in assets}
    for stretch in await billing.installed(conn, assets, as_of_us, as_of_us + 1, question.known_us):
        if stretch.parent_id in parts:
            parts[stretch.parent_id].add(stretch.asset_id)
    worn = await wear.worn(conn, sorted(set().union(*parts.values())), as_of_us, question.known_us)
    leases = {lease.lease_id: lease for each in every for lease in each.leases}

    def weighed(item: ObligationShape) -> Weighed:
        lease = leases[item.lease_id or ""]
        return Weighed(
            lease_id=lease.lease_id, asset_id=item.asset_id, worn=[one for one in worn if one.asset_id in parts[item.asset_id]],
            terms=lease.return_terms, basis=lease.return_terms.basis, direction=lease.return_terms.direction, as_of_us=as_of_us,
            end_us=lease.term_to_us, open_conditions=len(lease.checks), practice=question.practice,
        )  # fmt: skip

    return [with_compensation(each, weighed(each)) if each.kind == "redelivery" else each for each in items]


async def _placed(conn: Connection, every: list[Dossier], dated: Dated) -> list[Dossier]:
    """The dossiers with the last position of assets that must be given back somewhere."""
    bound = [each for each in every if any(lease.return_places for lease in each.leases)]
    said: dict[Any, list[reads.Row]] = {}
    if dated.at_us is None and dated.known_us is None:
        said = by_asset(await reads.latest(conn, [each.asset_id for each in bound]))
    else:
        at_us = now_us() if dated.at_us is None else dated.at_us
        for name in sorted({each.asset_class for each in bound} & set(ASSET_CLASSES)):
            ids = [each.asset_id for each in bound if each.asset_class == name]
            said |= by_asset(await reads.as_of(conn, name, ids, at_us, dated.known_us))
    fixes = {
        str(asset_id): max((row for row in rows if row["position_time"] is not None), key=lambda row: row["position_time"])
        for asset_id, rows in said.items()
        if any(row["position_time"] is not None for row in rows)
    }
    return [
        each if (fix := fixes.get(each.asset_id)) is None
        else msgspec.structs.replace(each, position=(fix["lat_deg"], fix["lon_deg"]), position_us=fix["position_time"])
        for each in every
    ]  # fmt: skip
