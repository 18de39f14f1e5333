"""The portfolio: one row an asset over a period: who has it until when, where it is, how it was used, what is open."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import examples
from api.documents import answer_list
from api.keys import Insider
from api.listing import decode_cursor, list_response
from api.lives import use_shape
from api.paging import next_cursor
from api.parameters import AssetClassName, Dated, DatedQuery, PageQuery, Span, SpanQuery, Text
from api.problem import invalid
from api.routes.assets import now_us, states_of
from api.shapes import OpenAlertsShape, PlanShape, PortfolioLeaseShape, PortfolioShape, StateShape
from api.states import time_of
from fleet.asset_class import ASSET_CLASSES
from fleet.instants import DAY_US, to_datetime
from fleet.months import add_months
from fleet.obligation import LeaseDossier, MonthOfUse, day_of, start_us
from fleet.practice import Practice
from fleet.practice_book import HOUSE
from store import dossiers, portfolio, reads
from store.dossiers import Question

router = APIRouter(prefix="/v1", tags=["calendar"])
SECONDS_PER_DAY = 86_400
PERIOD_DAYS_MAX = 732


def period_of(span: Span, dated: Dated) -> tuple[date, date]:
    """Whole UTC days [from, to): as asked, else the calendar month before the instant that is meant. Raises Problem 422."""
    today = day_of(now_us() if dated.at_us is None else dated.at_us)
    for name, at_us in (("from", span.from_us), ("to", span.to_us)):
        if at_us is not None and at_us % DAY_US:
            raise invalid("query", name, "must be the beginning of a UTC day")
    to_day = today.replace(day=1) if span.to_us is None else day_of(span.to_us)
    from_day = add_months(to_day, -1) if span.from_us is None else day_of(span.from_us)
    if from_day >= to_day:
        raise invalid("query", "to", "must be after from")
    if (to_day - from_day).days > PERIOD_DAYS_MAX:
        raise invalid("query", "from", f"must lie at most {PERIOD_DAYS_MAX} days before to")
    return from_day, to_day


@router.get("/portfolio", responses=answer_list(PortfolioShape, examples.PORTFOLIO), response_model=None)
async def list_portfolio(
    request: Request, asker: Insider, page: PageQuery, dated: DatedQuery, span: SpanQuery,
    asset_class: Annotated[AssetClassName | None, Query(alias="class", description="Of this class; none: all that move.")] = None,
    lessee: Annotated[Text | None, Query(max_length=200, description="Under lease to this party: its id or name.")] = None,
    stage: Annotated[Text | None, Query(max_length=40, description="In this stage: `on_lease`, `off_lease`, …")] = None,
    coverage_below: Annotated[
        float | None, Query(ge=0, le=1, description="Only those of which less was observed: 0.9 is too thin to bill.")
    ] = None,
) -> Response:  # fmt: skip
    """One row an asset, in order of its id: stage, lease, place, use of [from, to) against the plan, coverage, open alerts.

    The period is whole UTC days, last month if none is given. `stage` and `coverage_below` look at the assets of a page, so that
    a page may hold fewer than `limit`; read on while there is a `next_cursor`.
    """
    from_day, to_day = period_of(span, dated)
    after = decode_cursor(page.cursor, tuple[UUID])
    which = reads.AssetFilter(
        asset_class=asset_class, among_classes=tuple(ASSET_CLASSES) if asset_class is None else None, lessee=lessee,
        at_us=dated.at_us, known_us=dated.known_us,
    )  # fmt: skip
    on = day_of(now_us() if dated.at_us is None else dated.at_us)
    async with asker.desk() as conn:
        rows = await reads.assets(conn, which, str(after[0]) if after else None, page.limit + 1)
        kept = rows[: page.limit]
        ids = [str(row["asset_id"]) for row in kept]
        practice = await dossiers.practice_of(conn, asker.tenant, HOUSE, dated.known_us)
        question = Question(tenant=asker.tenant, on=on, known_us=dated.known_us, practice=practice)
        states = {each.asset_id: each for each in await states_of(conn, asker, kept, dated)}
        leases = await dossiers.lease_dossiers(conn, question, ids)
        use = await portfolio.use(conn, ids, from_day, to_day, dated.known_us)
        alerts = await portfolio.alerts(conn, ids)
    shapes = [
        portfolio_shape(
            row, states[str(row["asset_id"])], leases.get(str(row["asset_id"]), []), use.get(str(row["asset_id"])),
            alerts.get(str(row["asset_id"])), (from_day, to_day), on, practice,
        )
        for row in kept
    ]  # fmt: skip
    wanted = [
        each for each in shapes
        if (stage is None or each.stage == stage) and (coverage_below is None or _coverage(each) < coverage_below)
    ]  # fmt: skip
    return list_response(request, PortfolioShape, wanted, next_cursor(rows, page, "asset_id"))


def _coverage(shape: PortfolioShape) -> float:
    """What share of the period was observed; nothing of it where no day is known."""
    return 0.0 if shape.use is None else shape.use.coverage


def portfolio_shape(
    row: reads.Row, state: StateShape, leases: list[LeaseDossier], use: portfolio.Row | None, alerts: portfolio.Row | None,
    period: tuple[date, date], on: date, practice: Practice,
) -> PortfolioShape:  # fmt: skip
    """One asset's row out of what the store said of it."""
    from_day, to_day = period
    lease = next((each for each in leases if each.runs(start_us(on))), None)
    period_s = (to_day - from_day).days * SECONDS_PER_DAY
    figures = None
    if use is not None:
        figures = use_shape([use | {"period_s": period_s}], row["class"], None, start_us(from_day), practice)
    plan = None if lease is None else plan_shape(lease, from_day, to_day)
    reason = {name: why for name, why in state.reason.items() if name in {"position", "operating_status", "stage"}}
    if lease is None:
        reason["lease"] = "no_lease_in_force"
    if figures is None:
        reason["use"] = "no_use_observed"
    if plan is None:
        reason["plan"] = "no_minimum_agreed" if lease is not None else "no_lease_in_force"
    return PortfolioShape(
        asset_id=str(row["asset_id"]), name=row["name"], class_=row["class"], type=row["type"], stage=row["stage"],
        lease=None if lease is None else _lease_shape(lease, on), position=state.position, position_time=state.position_time,
        operating_status=state.operating_status, from_=time_of(start_us(from_day)), to=time_of(start_us(to_day)), use=figures,
        days_known=0 if use is None else use["days"], plan=plan,
        alerts_open=OpenAlertsShape(**{name: 0 if alerts is None else alerts[name] for name in ("critical", "warning")}),
        reason=reason,
    )  # fmt: skip


def _lease_shape(lease: LeaseDossier, on: date) -> PortfolioLeaseShape:
    ends_on = None if lease.term_to_us is None else to_datetime(lease.term_to_us).date()
    return PortfolioLeaseShape(
        id=lease.lease_id, reference=lease.reference, form=lease.form, lessee=lease.lessee, term_to=time_of(lease.term_to_us),
        days_left=None if ends_on is None else (ends_on - on).days,
    )  # fmt: skip


def plan_shape(lease: LeaseDossier, from_day: date, to_day: date) -> PlanShape | None:
    """The lease's minimum for the whole months of a period beside what was reported and observed in them; None without one."""
    minimum = lease.minimum
    if minimum is None:
        return None
    first, months = from_day.replace(day=1), 0
    reported, observed, wanted = Decimal(0), Decimal(0), Decimal(0)
    missing = 0
    while first < to_day:
        following = add_months(first, 1)
        whole = (following - first).days
        span_days = whole if minimum.per == "month" else (date(first.year + 1, 1, 1) - date(first.year, 1, 1)).days
        wanted += minimum.amount * _days_held(lease, max(first, from_day), min(following, to_day)) / span_days
        use = lease.months.get(first.isoformat()[:7], MonthOfUse(days=whole, days_known=0, coverage=0.0))
        observed += use.used.get(minimum.unit, Decimal(0))
        if minimum.unit in use.reported:
            reported += use.reported[minimum.unit]
        else:
            missing += 1
        first, months = following, months + 1
    return PlanShape(
        driver=minimum.unit, minimum=float(round(wanted, 3)), observed=float(round(observed, 3)),
        reported=None if missing else float(round(reported, 3)), months=months, months_unreported=missing,
        reason={"reported": "not_reported"} if missing else {},
    )  # fmt: skip


def _days_held(lease: LeaseDossier, from_day: date, to_day: date) -> int:
    begun = from_day if lease.tenure_from_us is None else max(from_day, day_of(lease.tenure_from_us))
    ended = to_day if lease.tenure_to_us is None else min(to_day, day_of(lease.tenure_to_us) + timedelta(days=1))
    return max(0, (ended - begun).days)
