"""Carbon, fuel and hull of ships: one ship's window, one charter's, the fleet's year, what masters reported."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import examples
from api.carbon import Window, charter_shape, cii_shape, fleet_shape, fuel_shape, held_within
from api.documents import answer, answer_list
from api.hulls import hull_shape
from api.keys import Insider
from api.listing import decode_cursor, json_response, list_response
from api.paging import next_cursor
from api.parameters import AssetId, Dated, DatedQuery, PageQuery, Span, SpanQuery
from api.problem import Problem, invalid, not_found
from api.routes.assets import asset_row, now_us
from api.shapes import CharterCiiShape, CiiShape, FleetCiiShape, FuelShape, HullPerformanceShape
from fleet import carbon, cii
from fleet.instants import DAY_US, from_datetime, to_datetime
from store import vessels
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["compliance"])
WINDOW_DAYS_MAX = 5 * 366  # chosen: a certificate's time; a longer one is asked for in parts
LETTERS = tuple(cii.LETTERS)
LeaseId = Annotated[UUID, Path(description="The lease's own key.")]


def year_begin_us(year: int) -> int:
    """The first instant of a calendar year, UTC."""
    return from_datetime(datetime(year, 1, 1, tzinfo=UTC))


def window_of(span: Span, dated: Dated) -> Window:
    """[from, to): `to` is the instant asked for or now, `from` the beginning of the year that it ends. Raises Problem 422."""
    to_us = span.to_us
    if to_us is None:
        to_us = now_us() if dated.at_us is None else dated.at_us
    from_us = year_begin_us(to_datetime(to_us - 1).year) if span.from_us is None else span.from_us
    if from_us >= to_us:
        raise invalid("query", "to", "must be after from")
    if to_us - from_us > WINDOW_DAYS_MAX * DAY_US:
        raise invalid("query", "from", f"must lie at most {WINDOW_DAYS_MAX} days before to")
    return Window(from_us, to_us)


async def vessel_row(conn: Connection, asset_id: Any, dated: Dated) -> vessels.Row:
    """The ship's row. Raises Problem 404 for no asset, 409 for one that is no ship."""
    row = await asset_row(conn, asset_id, dated)
    if row["class"] != "vessel":
        raise Problem(409, "This asset is no ship.", reason="not_a_vessel")
    return row


async def facts_for(
    conn: Connection, ships: Sequence[vessels.Row], window: Window, known_us: int | None, charters: Sequence[vessels.Row]
) -> dict[str, vessels.CarbonFacts]:  # fmt: skip
    """Facts of ships for a window, its charters, and the last days before its end by which the year is seen to its end."""
    parts = [window.to_us - n * carbon.PART_US for n in range(cii.PROJECTION_PARTS + 1)]
    year_us = year_begin_us(to_datetime(window.to_us - 1).year)
    cuts = {str(row["asset_id"]): [*window, *parts, year_us] for row in ships}
    for row in charters:
        cuts[str(row["asset_id"])] += held_within(row, window)
    begin_us = min(window.from_us, year_us, parts[-1])
    return await vessels.carbon_facts(conn, ships, begin_us, window.to_us, known_us, cuts)


@router.get("/assets/{asset_id}/cii", responses=answer(CiiShape, examples.CII, 200, 404, 409), response_model=None)
async def get_cii(asker: Insider, asset_id: AssetId, span: SpanQuery, dated: DatedQuery) -> Response:
    """A ship's carbon intensity over [from, to), by year and by charter, with the projection of the year it ends in.

    Without `from` it is the year to date; without `to` it ends now, or at `valid_at`.
    """
    window = window_of(span, dated)
    async with asker.desk() as conn:
        row = await vessel_row(conn, asset_id, dated)
        charters = await vessels.charters(conn, *window, dated.known_us, asset_ids=[str(asset_id)])
        facts = await facts_for(conn, [row], window, dated.known_us, charters)
    return json_response(cii_shape(str(asset_id), facts[str(asset_id)], window, charters))


@router.get("/assets/{asset_id}/fuel", responses=answer(FuelShape, examples.FUEL, 200, 404, 409), response_model=None)
async def get_fuel(asker: Insider, asset_id: AssetId, span: SpanQuery, dated: DatedQuery) -> Response:
    """What masters reported over [from, to): fuel, distance, and tanks that do not add up; beside the observed distance."""
    window = window_of(span, dated)
    async with asker.desk() as conn:
        row = await vessel_row(conn, asset_id, dated)
        facts = await vessels.carbon_facts(conn, [row], *window, dated.known_us, {str(asset_id): window})
    return json_response(fuel_shape(str(asset_id), facts[str(asset_id)], window))


@router.get(
    "/assets/{asset_id}/hull-performance", responses=answer(HullPerformanceShape, examples.HULL, 200, 404, 409),
    response_model=None,
)  # fmt: skip
async def get_hull_performance(asker: Insider, asset_id: AssetId, span: SpanQuery, dated: DatedQuery) -> Response:
    """Speed against power from the noon reports of [from, to), against the ship's own reference point and its last dock."""
    window = window_of(span, dated)
    async with asker.desk() as conn:
        row = await vessel_row(conn, asset_id, dated)
        told = await vessels.reports(conn, [str(asset_id)], *window, dated.known_us)
        docked = await vessels.out_of_dock(conn, [str(asset_id)], window.to_us, dated.known_us)
    return json_response(hull_shape(row, told.get(str(asset_id), []), window, docked.get(str(asset_id))))


@router.get(
    "/leases/{lease_id}/cii", responses=answer_list(CharterCiiShape, examples.CHARTER_CII, 404), response_model=None
)  # fmt: skip
async def list_charter_cii(request: Request, asker: Insider, lease_id: LeaseId, span: SpanQuery, dated: DatedQuery) -> Response:
    """C/P Attained CII of a lease over [from, to), one row a tenure (a novation makes two), with what was agreed.

    It counts from delivery or the beginning of the window (of the year, if none is given), as BIMCO's clause of 2022 does.
    """
    window = window_of(span, dated)
    async with asker.desk() as conn:
        rows = await vessels.charters(conn, *window, dated.known_us, lease_id=str(lease_id))
        ships = await vessels.vessels(
            conn, sorted({str(row["asset_id"]) for row in rows}), dated.known_us, limit=vessels.CHARTERS_MAX
        )  # fmt: skip
        if not ships:
            raise not_found("charter of a ship in that period")
        facts = await facts_for(conn, ships, window, dated.known_us, rows)
    shapes = []
    for row in rows:
        found = facts[str(row["asset_id"])]
        outlook = carbon.outlook(found.ship, found.reports, found.using, window.to_us)
        shapes.append(charter_shape(found, row, window, outlook))
    return list_response(request, CharterCiiShape, shapes, None)


@router.get("/cii", responses=answer_list(FleetCiiShape, examples.FLEET_CII), response_model=None)
async def list_fleet_cii(
    request: Request, asker: Insider, page: PageQuery, dated: DatedQuery,
    year: Annotated[int | None, Query(ge=2019, le=2100, description="Calendar year; none: the one that runs.")] = None,
    rating: Annotated[
        list[str] | None, Query(max_length=5, description="Only ships whose year may end with one of these letters.")
    ] = None,
) -> Response:  # fmt: skip
    """Every ship's year: attained so far (or up to `valid_at`), where it ends as a band, what its charters agreed; by asset id.

    A ship may end with a letter if it lies between the band's edges. The filter looks at the ships of a page, so that a page may
    hold fewer than `limit`.
    """
    wanted = _letters(rating)
    after = decode_cursor(page.cursor, tuple[UUID])
    end_us = now_us() if dated.at_us is None else dated.at_us
    of_year = to_datetime(end_us - 1).year if year is None else year
    window = Window(year_begin_us(of_year), min(end_us, year_begin_us(of_year + 1)))
    if window.to_us <= window.from_us:
        raise invalid("query", "year", "has not begun")
    async with asker.desk() as conn:
        rows = await vessels.vessels(conn, None, dated.known_us, after=str(after[0]) if after else None, limit=page.limit + 1)
        ships = rows[: page.limit]
        ids = [str(row["asset_id"]) for row in ships]
        charters = await vessels.charters(conn, *window, dated.known_us, asset_ids=ids, heads=True)
        facts = await facts_for(conn, ships, window, dated.known_us, charters)

    def computed() -> list[FleetCiiShape]:
        return [
            fleet_shape(row, facts[str(row["asset_id"])], window, [one for one in charters if one["asset_id"] == row["asset_id"]])
            for row in ships
        ]

    shapes = await asyncio.to_thread(computed)  # 15 ms a ship with a year of reports: others are answered meanwhile
    kept = [each for each in shapes if not wanted or _may_end_with(each, wanted)]
    return list_response(request, FleetCiiShape, kept, next_cursor(rows, page, "asset_id"))


def _letters(given: Sequence[str] | None) -> frozenset[str]:
    """The letters of `rating=D,E` or `rating=D&rating=E`. Raises Problem 422."""
    found = frozenset(part.strip().upper() for each in given or () for part in each.split(",") if part.strip())
    if not found <= frozenset(LETTERS):
        raise invalid("query", "rating", f"must be letters of {', '.join(LETTERS)}")
    return found


def _may_end_with(shape: FleetCiiShape, wanted: frozenset[str]) -> bool:
    if shape.low_rating is None or shape.high_rating is None:
        return False
    return any(shape.low_rating <= letter <= shape.high_rating for letter in wanted)
