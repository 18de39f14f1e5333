"""What comes due next on an asset and its components, and the limits it is computed from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import money_examples as examples
from api.billing_shapes import number
from api.documents import answer, answer_list
from api.keys import Editor, Insider
from api.listing import NumberKey, decode_cursor, encode_cursor, list_response
from api.money_shapes import DueShape, ForecastShape, LifeLimitShape
from api.once import Answer, IdempotencyKey, write_once
from api.paging import page_response
from api.parameters import AssetId, DatedQuery, Instant, PageQuery, Text
from api.problem import invalid
from api.routes.assets import asset_row, now_us
from api.routes.reserves import Currency, Money
from fleet.forecast import Due, Forecast, WornLimit, forecasts
from fleet.instants import to_datetime, to_rfc3339
from fleet.practice import Practice
from fleet.practice_book import HOUSE
from fleet.utilization import Driver, is_estimate
from store import billing, dossiers, life_limits, wear
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["money"])
Quantity = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=6, examples=["20000"])]


class NewLimit(BaseModel):
    """A limit as it was counted: an interval that comes again, or a life that ends the part. A new count replaces the old one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "item": "core", "serial_no": "HPT-77120", "kind": "life", "driver": "fc", "limit": "20000", "used": "12400",
            "counted_at": "2026-05-01T00:00:00Z", "cost": "1900000.00", "currency": "USD",
        }]},
    )  # fmt: skip

    item: Text = Field(min_length=1, max_length=60)
    serial_no: Text | None = Field(default=None, min_length=1, max_length=60)
    kind: Literal["interval", "life"]
    driver: Driver
    limit: Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=6, examples=["20000"])]
    used: Quantity
    counted_at: Instant
    cost: Money | None = None
    currency: Currency | None = None


def limit_shape(row: dict[str, Any]) -> LifeLimitShape:
    """A limit's row as the API shows it."""
    return LifeLimitShape(
        id=str(row["life_limit_id"]), asset_id=str(row["asset_id"]), asset_name=row["asset_name"], item=row["item"],
        serial_no=row["serial_no"], kind=row["kind"], driver=row["driver"], limit=float(row["limit_value"]),
        used=float(row["used_value"]), counted_at=to_rfc3339(row["counted_at"]), cost=row["cost_amount"],
        currency=row["currency"], recorded_at=to_rfc3339(row["recorded_at"]),
    )  # fmt: skip


def _due(each: WornLimit, one: Due) -> DueShape:
    reason = {} if one.reason is None else {"on": one.reason, "days": one.reason}
    if each.per_day is None and each.driver != "month":
        reason["per_day"] = "rate_unknown"
    if each.driver == "month":
        reason["per_day"] = "by_the_calendar"
    return DueShape(
        driver=each.driver, limit=float(each.limit), used=number(each.used) or 0.0, remaining=number(one.remaining),
        per_day=number(each.per_day), days=number(one.days, 4), on=None if one.on is None else one.on.isoformat(),
        assumption=each.assumption, reason=reason,
    )  # fmt: skip


def forecast_shape(
    group: list[WornLimit], found: Forecast, as_of_us: int, as_of: date, practice: Practice, installed_on: str | None
) -> ForecastShape:  # fmt: skip
    """One item's next event with every driver behind it."""
    first, governing = group[0], found.governing
    coverage = min((each.coverage for each in group if each.coverage is not None), default=None)
    reason = {} if governing is not None else dict.fromkeys(("governing", "on", "days"), "no_driver_gets_there")
    if coverage is None:
        reason["coverage"] = "not_counted_by_what_is_heard"
    if first.cost is None:
        reason["cost"] = "not_given"
    return ForecastShape(
        asset_id=first.asset_id, asset_name=first.asset_name, installed_on=installed_on, position=first.position,
        item=first.item, serial_no=first.serial_no, kind=first.kind, as_of=to_rfc3339(as_of_us),
        governing=None if governing is None else governing.driver,
        on=None if governing is None or governing.on is None else governing.on.isoformat(),
        days=None if governing is None else number(governing.days, 4), overdue=found.overdue,
        drivers=[_due(each, one) for each, one in zip(group, found.drivers, strict=True)], cost=first.cost,
        currency=first.currency, coverage=coverage,
        is_estimate=coverage is not None and is_estimate(coverage, as_of, practice),
        method=sorted({method for each in group for method in each.methods}), reason=reason,
    )  # fmt: skip


@router.get(
    "/assets/{asset_id}/forecasts", response_model=None, responses=answer_list(ForecastShape, examples.FORECAST, 404)
)  # fmt: skip
async def list_forecasts(
    request: Request, asker: Insider, asset_id: AssetId, page: PageQuery, dated: DatedQuery,
    components: Annotated[bool, Query(description="Of the components that sit on it too.")] = True,
) -> Response:  # fmt: skip
    """The next event of each check and each life-limited part, the soonest first, by the earliest of hours, cycles and calendar.

    Seen from `valid_at`; a page is cut by how many were shown before it.
    """
    after = decode_cursor(page.cursor, tuple[NumberKey])
    shown_before = 0 if after is None else max(0, after[0])
    async with asker.desk() as conn:
        row = await asset_row(conn, asset_id, dated)
        as_of_us = dated.at_us or now_us()
        wanted = [str(asset_id)]
        stretches = await billing.installed(conn, wanted, as_of_us, as_of_us + 1, dated.known_us)
        on = {each.asset_id: row["name"] for each in stretches if each.parent_id == str(asset_id)}
        for each in stretches:
            if each.asset_id == str(asset_id):
                on[each.asset_id] = (await asset_row(conn, each.parent_id, dated))["name"]
        if components:
            wanted += [each.asset_id for each in stretches if each.parent_id == str(asset_id)]
        worn = await wear.worn(conn, wanted, as_of_us, dated.known_us)
        practice = await dossiers.practice_of(conn, asker.tenant, HOUSE, dated.known_us)
    as_of = to_datetime(as_of_us).date()
    shapes = [
        forecast_shape(group, found, as_of_us, as_of, practice, on.get(group[0].asset_id))
        for group, found in forecasts(worn, as_of)
    ]
    shapes.sort(key=lambda one: (one.days is None, one.days or 0.0, one.asset_name, one.item, one.serial_no or ""))
    until = shown_before + page.limit
    return list_response(
        request, ForecastShape, shapes[shown_before:until], encode_cursor(until) if len(shapes) > until else None
    )  # fmt: skip


@router.get(
    "/assets/{asset_id}/life-limits", response_model=None, responses=answer_list(LifeLimitShape, examples.LIFE_LIMIT, 404)
)  # fmt: skip
async def list_limits(
    request: Request, asker: Insider, asset_id: AssetId, page: PageQuery, dated: DatedQuery
) -> Response:  # fmt: skip
    """Intervals and lives of one asset as they were last counted; as recorded at `known_at` (`valid_at` does not narrow it)."""
    after = decode_cursor(page.cursor, tuple[NumberKey])
    async with asker.desk() as conn:
        await asset_row(conn, asset_id, dated)
        rows = await life_limits.limits(
            conn, [str(asset_id)], dated.known_us, None if after is None else after[0], page.limit + 1
        )  # fmt: skip
    return page_response(request, LifeLimitShape, limit_shape, rows, page, "life_limit_id")


@router.post(
    "/assets/{asset_id}/life-limits", status_code=201, response_model=None,
    responses=answer(LifeLimitShape, examples.LIFE_LIMIT, 201, 400, 404, 409, 413),
)  # fmt: skip
async def count_limit(
    request: Request, asker: Editor, asset_id: AssetId, body: NewLimit, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Keep a limit and how much of it is used; a count of the same item, part and driver replaces the one that stood."""
    if (body.cost is None) != (body.currency is None):
        raise invalid("body", "currency", "goes with cost")

    async def work(conn: Connection) -> Answer:
        await asset_row(conn, asset_id)
        new = life_limits.NewLimit(
            asset_id=str(asset_id), item=body.item, serial_no=body.serial_no, kind=body.kind, driver=body.driver,
            limit_value=body.limit, used_value=body.used, counted_us=body.counted_at, cost_amount=body.cost,
            currency=body.currency,
        )  # fmt: skip
        limit_id = await life_limits.write(conn, new)
        rows = await life_limits.limits(conn, [str(asset_id)], None, limit_id - 1, 1)
        return Answer(body=limit_shape(rows[0]), status=201)

    return await write_once(request, asker, idempotency_key, work)
