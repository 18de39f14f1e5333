"""How an asset was used: its flights, port calls, voyages and runs, and figures of use by day, month or lease."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import examples, lives
from api.documents import answer_list
from api.keys import Anyone
from api.listing import TextKey, TimeKey, decode_cursor, list_response
from api.paging import page_response
from api.parameters import AssetId, DatedQuery, PageQuery, Span, SpanQuery, Text
from api.problem import invalid
from api.routes.assets import now_us, sending_row
from api.shapes import JourneyShape, UsagePeriodShape
from api.states import time_of
from fleet.flight import months
from fleet.geodesy import NM_M
from fleet.instants import DAY_US, HOUR_US, to_datetime, to_rfc3339
from fleet.lease import Terms
from fleet.practice import Practice
from fleet.practice_book import HOUSE
from fleet.use import BILLABLE_COVERAGE
from store import lifecycle, reads, uses
from store.dossiers import practice_of
from store.lifecycle import Told, UseSpan
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["assets"])
Row = dict[str, Any]
Kind = Literal["flight", "port_call", "voyage", "run"]
PERIODS_MAX = 400  # chosen: a year of days, thirty years of months
LEAST_US = -62_135_596_800_000_000  # year 1, where a table's instants begin for Python


class UsagePeriod(msgspec.Struct, frozen=True):
    """One stretch whose use is asked for, how flights over its end count (None: not known), by which name, under which lease."""

    span: UseSpan
    attribution: str | None
    month: str | None = None
    lease_id: str | None = None
    lessee_name: str | None = None


class Counting(NamedTuple):
    """How flights over an edge count: by what was asked, else by the practice of the day in `zone` that ends there."""

    terms: Terms
    practice: Practice
    zone: tzinfo


@router.get("/assets/{asset_id}/journeys", responses=answer_list(JourneyShape, examples.JOURNEY, 404), response_model=None)
async def list_journeys(
    request: Request, asker: Anyone, asset_id: AssetId, span: SpanQuery, page: PageQuery, dated: DatedQuery,
    kind: Annotated[Kind | None, Query(description="Of this kind only.")] = None,
) -> Response:  # fmt: skip
    """Journeys that share an instant with [from, to), in order of their begin; `valid_at` asks for those under way then.

    `known_at` gives each in the revision that was known then. A lessee sees those that lie inside its lease.
    """
    after = decode_cursor(page.cursor, tuple[TimeKey, TextKey])
    async with asker.desk() as conn:
        await sending_row(conn, asset_id, dated)
        which = uses.JourneyFilter(
            asset_id=str(asset_id), kind=kind, from_us=span.from_us, to_us=span.to_us, at_us=dated.at_us, known_us=dated.known_us
        )
        rows = await uses.journeys(conn, which, after, page.limit + 1)
    return page_response(request, JourneyShape, journey_shape, rows, page, "started_at", "journey_id")


def journey_shape(row: Row) -> JourneyShape:
    """A row of `store.uses.journeys` as the API shows it; under 0.90 of coverage it is an estimate (domain.md 0)."""
    is_flight, ended_us = row["kind"] == "flight", row["ended_at"]
    reason: dict[str, str] = {}
    if ended_us is None:
        reason |= dict.fromkeys(("ended_at", "coverage", "is_estimate"), "under_way")
    for place in ("from_place", "to_place"):
        if row[place] is None:
            reason[place.removesuffix("_place")] = "under_way" if ended_us is None and place == "to_place" else "not_found"
    if not is_flight:
        reason |= dict.fromkeys(("flight_h", "block_h", "cycles"), "not_of_kind")
    elif ended_us is None:
        reason |= dict.fromkeys(("flight_h", "cycles"), "under_way")
    block_s = row["figures"].get("block_s")
    if is_flight and block_s is None:
        reason["block_h"] = "out_and_in_not_known"
    if row["confidence"] is None:
        reason["confidence"] = "not_of_kind"
    if row["lease_id"] is None:
        reason["lease_id"] = "no_lease_in_force"
    limit = HOUSE.number(BILLABLE_COVERAGE, to_datetime(row["started_at"]).date())
    coverage = row["coverage"]
    return JourneyShape(
        id=row["journey_id"], revision=row["revision"], kind=row["kind"], asset=row["asset"],
        started_at=to_rfc3339(row["started_at"]), ended_at=time_of(ended_us), from_=row["from_place"], to=row["to_place"],
        quality=row["quality"], confidence=row["confidence"], coverage=coverage,
        is_estimate=None if coverage is None else coverage < limit, method=row["method"],
        flight_h=(ended_us - row["started_at"]) / HOUR_US if is_flight and ended_us is not None else None,
        block_h=None if not is_flight or block_s is None else block_s / 3600.0,
        cycles=row["cycles"] if is_flight and ended_us is not None else None, distance_nm=row["distance_m"] / NM_M,
        sources=row["sources"], figures=row["figures"], lease_id=None if row["lease_id"] is None else str(row["lease_id"]),
        recorded_at=time_of(row["recorded_at"]), reason=reason,
    )  # fmt: skip


@router.get("/assets/{asset_id}/usage", responses=answer_list(UsagePeriodShape, examples.USAGE_PERIOD, 404), response_model=None)
async def get_usage(
    request: Request, asker: Anyone, asset_id: AssetId, span: SpanQuery, dated: DatedQuery,
    by: Annotated[
        Literal["day", "month", "lease"] | None,
        Query(description="Cut at UTC days, at months of `time_zone`, or at leases; none: one period."),
    ] = None,
    time_zone: Annotated[Text, Query(max_length=64, description="IANA name of the zone whose months are meant.")] = "UTC",
    attribution: Annotated[
        Literal["landing", "takeoff", "split"] | None,
        Query(description="Where a flight across an edge belongs; none: as the tenant's practice says (by `lease`: the lease)."),
    ] = None,
) -> Response:  # fmt: skip
    """Use of the asset in [from, to): time in each operating state, distance, and of aircraft flight hours and cycles.

    The states of a period add up to it, `unknown` included, and the periods add up to the whole. Without `from` it begins with
    the first reading, without `to` it ends now (or at `valid_at`). Every period says its coverage; under 0.90 it is an estimate.
    """
    async with asker.desk() as conn:
        row = await sending_row(conn, asset_id, dated)
        told = Told(str(asset_id), now_us() if dated.at_us is None else dated.at_us, dated.known_us)
        from_us, to_us = await _bounds(conn, row, span, told)
        practice = await practice_of(conn, asker.tenant, HOUSE, dated.known_us)
        counting = Counting(Terms(period_attribution=attribution), practice, zone_of(time_zone))
        periods = await _periods(conn, told, from_us, to_us, by, counting, insider=asker.party is None)
        rows = await lifecycle.use_of(conn, told, [period.span for period in periods])
    items = [usage_shape(period, each, row["class"]) for period, each in zip(periods, rows, strict=True)]
    return list_response(request, UsagePeriodShape, items, None)


def zone_of(name: str) -> tzinfo:
    """A time zone by its IANA name. Raises Problem 422 for another word."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid("query", "time_zone", "is no time zone of the IANA database") from None


async def _bounds(conn: Connection, asset: Row, span: Span, told: Told) -> tuple[int, int]:
    to_us = told.at_us if span.to_us is None else min(span.to_us, told.at_us)
    from_us = span.from_us
    if from_us is None:
        from_us = await uses.first_use_us(conn, told.asset_id)
        heard_us = (await reads.heard(conn, told.asset_id, asset["class"]))["first_time"]
        from_us = min((each for each in (from_us, heard_us) if each is not None), default=to_us)
    return max(from_us, LEAST_US), to_us


async def _periods(
    conn: Connection, told: Told, from_us: int, to_us: int, by: str | None, counting: Counting, *, insider: bool
) -> list[UsagePeriod]:
    """The stretches of [from, to), end to end. Raises Problem 422 for more than `PERIODS_MAX`."""
    if from_us >= to_us:
        return []
    cuts: list[tuple[str | None, int, int]] = [(None, from_us, to_us)]
    if by == "day":
        first = from_us // DAY_US
        if to_us // DAY_US - first > PERIODS_MAX:
            raise invalid("query", "by", f"makes more than {PERIODS_MAX} periods")
        cuts = [(None, day * DAY_US, (day + 1) * DAY_US) for day in range(first, -(-to_us // DAY_US))]
    elif by == "month":
        if to_us - from_us > PERIODS_MAX * 31 * DAY_US:
            raise invalid("query", "by", f"makes more than {PERIODS_MAX} periods")
        cuts = list(months(from_us, to_us, counting.zone))
    elif by == "lease":
        return await _by_lease(conn, told, from_us, to_us, counting.practice, insider=insider)
    return [
        UsagePeriod(span, span.attribution, month=name)
        for name, start_us, end_us in cuts
        for span in (lives.use_span(max(start_us, from_us), min(end_us, to_us), *counting),)
    ]


async def _by_lease(
    conn: Connection, told: Told, from_us: int, to_us: int, practice: Practice, *, insider: bool
) -> list[UsagePeriod]:  # fmt: skip
    """Head tenures inside [from, to) and the stretches between them; to a lessee its own tenures alone."""
    tenures = [row for row in await lifecycle.tenures(conn, told) if row["head"] or not insider]
    papers = {row["lease_id"]: row for row in await lifecycle.contracts(conn, told)}
    found: list[UsagePeriod] = []
    for span in lives.spans_of(tenures, papers, from_us if insider else None, told.at_us, practice):
        start_us, end_us = max(span.use.from_us, from_us), min(span.use.to_us, to_us)
        if start_us >= end_us:
            continue
        tenure = None if span.tenure is None else tenures[span.tenure]
        found.append(
            UsagePeriod(
                span.use._replace(from_us=start_us, to_us=end_us),
                span.attribution,
                lease_id=None if tenure is None else str(tenure["lease_id"]),
                lessee_name=None if tenure is None else tenure["lessee_name"],
            )
        )
    return sorted(found, key=lambda period: period.span.from_us)


def usage_shape(period: UsagePeriod, row: Row, asset_class: str) -> UsagePeriodShape:
    """One period's figures, as `api.lives.use_shape` says them."""
    figures = lives.use_shape([row], asset_class, period.attribution, period.span.to_us)
    if figures is None:
        raise RuntimeError("a period without a row of use")
    said = {name: getattr(figures, name) for name in figures.__struct_fields__}
    reason = dict(figures.reason)
    for name in ("month", "lease_id", "lessee_name"):
        if getattr(period, name) is None:
            reason[name] = "not_asked" if name == "month" or period.lease_id is None else "not_known"
    return UsagePeriodShape(
        **{
            **said,
            "period_from": to_rfc3339(period.span.from_us),
            "period_to": to_rfc3339(period.span.to_us),
            "month": period.month,
            "lease_id": period.lease_id,
            "lessee_name": period.lessee_name,
            "reason": reason,
        }
    )
