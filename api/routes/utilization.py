"""Use that is billed: reports of lessees, the same against telemetry with the effect in money, minimum use and excess cycles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from api import money_examples as examples
from api.billing_shapes import charges_shape, reconciliation_shape, report_shape, restated_shape
from api.documents import answer, answer_list
from api.keys import Editor, Insider
from api.lease_rows import lease_month, lease_row, readable_terms, refuse_foreign_asset
from api.listing import RevisionKey, TimeKey, decode_cursor, json_response, list_response
from api.money_shapes import ChargesShape, ReconciliationShape, ReportsWrittenShape, UtilizationReportShape
from api.once import Answer, IdempotencyKey, write_once
from api.paging import next_cursor, page_response
from api.parameters import DatedQuery, Instant, LeaseId, MonthName, PageQuery, Text
from api.problem import Fault, Problem, invalid, pointer_of
from api.routes.assets import now_us
from fleet import monthly_report, noon_report
from fleet.instants import HOUR_US, to_rfc3339
from fleet.practice_book import HOUSE
from fleet.reconciliation import Month
from store import billing, dossiers, restated
from store import utilization_reports as reports
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["money"])
Kind = Literal["monthly", "noon", "departure", "arrival", "in_port"]
Basis = Annotated[Literal["reported", "observed"], Query(description="On whose figures.")]
ITEMS_MAX = 100
FIGURES_MAX = 60


class ReportedItem(BaseModel):
    """What is reported of one serial number; without `asset_id` it is the lease's own asset."""

    model_config = ConfigDict(extra="forbid")

    asset_id: UUID | None = None
    figures: dict[Text, JsonValue] = Field(min_length=1, max_length=FIGURES_MAX)


class NewReports(BaseModel):
    """Reports of one period: `month` for monthly ones, `from` and `to` for a master's; `correction` to replace what stands."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True,
        json_schema_extra={"examples": [{
            "kind": "monthly", "month": "2026-05", "signed_by": "CAMO manager",
            "items": [{"figures": {"flight_h": 312.45, "cycles": 148, "days_in_service": 30}}],
        }]},
    )  # fmt: skip

    kind: Kind = "monthly"
    month: MonthName | None = None
    from_us: Instant | None = Field(default=None, alias="from")
    to_us: Instant | None = Field(default=None, alias="to")
    signed_by: Text | None = Field(default=None, max_length=200)
    received_at: Instant | None = None
    correction: bool = False
    items: list[ReportedItem] = Field(min_length=1, max_length=ITEMS_MAX)


def _refused(faults: Sequence[Fault]) -> Problem:
    return Problem(422, "The request was understood but is not valid.", reason="invalid", errors=faults)


def _period(row: dict[str, Any], body: NewReports) -> tuple[int, int]:
    """The time that is reported on. Raises Problem 422 for a period that is none, or not the lease's."""
    if body.kind != "monthly":
        if body.month is not None or body.from_us is None or body.to_us is None or body.from_us >= body.to_us:
            raise invalid("body", "from", "a master's report has from and to, the later after the earlier, and no month")
        return body.from_us, body.to_us
    if body.month is None or body.from_us is not None or body.to_us is not None:
        raise invalid("body", "month", "a monthly report has a month, and neither from nor to")
    month = _month(row, body.month)
    if month is None:
        raise invalid("body", "month", "the lease did not hold its asset in this month")
    return month.from_us, month.to_us


def _month(row: dict[str, Any], first: date) -> Month | None:
    return billing.month_in_zone(first, readable_terms(row).billing_time_zone, billing.tenures_of(row))


def _document(body: NewReports, n: int, period: tuple[int, int]) -> dict[str, Any]:
    """The figures as they are kept, canonical for a master's report. Raises Problem 422 with a pointer for each fault."""
    given = body.items[n].figures
    found: Any
    if body.kind == "monthly":
        found = monthly_report.read(given, (period[1] - period[0]) / HOUR_US)
        document: dict[str, Any] = given
    else:
        document = {**given, "report_type": body.kind, "utc_from": to_rfc3339(period[0]), "utc_to": to_rfc3339(period[1])}
        found = noon_report.read(document)
    if isinstance(found, list):
        pointer = pointer_of(["items", n, "figures"])
        raise _refused([Fault(part="body", pointer=pointer + each.pointer, detail=each.detail) for each in found])
    return document


async def _write(
    conn: Connection, new: reports.NewReport, n: int, *, correction: bool
) -> tuple[tuple[str, int], dict[str, Any] | None, bool]:  # fmt: skip
    """Keep one report: its id and revision, the row it corrected, and whether anything changed. Raises Problem 409."""
    standing = await reports.standing(conn, new)
    pointer = pointer_of(["items", n])
    if len(standing) > 1:
        fault = Fault(part="body", pointer=pointer, detail="meets several reports of this asset")
        raise Problem(409, "Its period meets several reports.", reason="period_overlaps", errors=[fault])
    old = standing[0] if standing else None
    if old is not None:
        said = (old["figures"], old["signed_by"], old["from_time"], old["to_time"])
        if said == (new.figures, new.signed_by, new.from_us, new.to_us):
            return (str(old["utilization_report_id"]), old["revision"]), None, False
        if not correction:
            fault = Fault(part="body", pointer=pointer, detail=f"report {old['utilization_report_id']} says otherwise")
            raise Problem(409, "This time is reported already; say `correction`.", reason="report_exists", errors=[fault])
    return await reports.write(conn, new, old), old, True


def _restatement(
    new: reports.NewReport, old: dict[str, Any], written: tuple[str, int], month: restated.ClosedMonth, tenant: str, at_us: int
) -> restated.Restatement:  # fmt: skip
    def version(revision: int, figures: dict[str, Any], recorded_us: int | None) -> restated.Version:
        return restated.Version(
            row=f"utilization_report/{written[0]}/{revision}", recorded_us=recorded_us, figures=figures
        )  # fmt: skip

    return restated.Restatement(
        tenant=tenant, lease_id=new.lease_id, asset_id=new.asset_id, cause="report_corrected", month=month,
        before=version(old["revision"], old["figures"], old["recorded_at"]), after=version(written[1], new.figures, at_us),
        revision=written[1], actor=new.actor,
    )  # fmt: skip


@router.post(
    "/leases/{lease_id}/utilization-reports", status_code=201, response_model=None,
    responses=answer(ReportsWrittenShape, examples.REPORTS_WRITTEN, 201, 400, 404, 409, 413),
)  # fmt: skip
async def create_reports(
    request: Request, asker: Editor, lease_id: LeaseId, body: NewReports, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Keep what was reported of a period; a correction appends a revision and tells receivers where the month was closed."""

    async def work(conn: Connection) -> Answer:
        row = await lease_row(conn, lease_id)
        await reports.hold(conn, str(lease_id))
        period = _period(row, body)
        closed = await restated.closed_months(conn, str(lease_id), *period)
        at_us = now_us()
        ids: list[tuple[str, int]] = []
        told: list[restated.Restatement] = []
        unchanged = 0
        for n, item in enumerate(body.items):
            asset_id = str(item.asset_id or row["asset_id"])
            await refuse_foreign_asset(conn, row, period, asset_id, pointer_of(["items", n, "asset_id"]))
            new = reports.NewReport(
                lease_id=str(lease_id), asset_id=asset_id, kind=body.kind, from_us=period[0], to_us=period[1],
                figures=_document(body, n, period), signed_by=body.signed_by, received_us=body.received_at or at_us,
                actor=asker.name,
            )  # fmt: skip
            written, old, changed = await _write(conn, new, n, correction=body.correction)
            ids.append(written)
            unchanged += not changed
            if old is not None:
                told += [_restatement(new, old, written, month, asker.tenant, at_us) for month in closed]
        which = reports.ReportFilter(lease_ids=(str(lease_id),), report_ids=tuple(each for each, _ in ids))
        rows = {str(each["utilization_report_id"]): each for each in await reports.reports(conn, which, None, ITEMS_MAX)}
        await restated.tell(conn, told, at_us)
        shape = ReportsWrittenShape(
            items=[report_shape(rows[report_id]) for report_id, _ in ids], unchanged=unchanged,
            restated=[restated_shape(month) for month in closed] if told else [],
        )  # fmt: skip
        return Answer(body=shape, status=201)

    return await write_once(request, asker, idempotency_key, work)


@router.get(
    "/leases/{lease_id}/utilization-reports", response_model=None,
    responses=answer_list(UtilizationReportShape, examples.UTILIZATION_REPORT, 404),
)  # fmt: skip
async def list_reports(
    request: Request, asker: Insider, lease_id: LeaseId, page: PageQuery, dated: DatedQuery,
    month: Annotated[MonthName | None, Query(description="Whose period meets this month (UTC).")] = None,
    kind: Annotated[Kind | None, Query(description="Of this kind.")] = None,
    asset_id: Annotated[UUID | None, Query(description="Of this serial number.")] = None,
    superseded: Annotated[bool, Query(description="Every revision, not only the one believed.")] = False,
) -> Response:  # fmt: skip
    """What was reported under a lease, in order of period; as recorded at `known_at`, of periods that hold `valid_at`."""
    after = decode_cursor(page.cursor, tuple[TimeKey, UUID, RevisionKey])
    span = None if month is None else billing.month_in_zone(month, "UTC")
    async with asker.desk() as conn:
        await lease_row(conn, lease_id, dated.known_us)
        which = reports.ReportFilter(
            lease_ids=(str(lease_id),), asset_ids=None if asset_id is None else (str(asset_id),),
            kinds=None if kind is None else (kind,), from_us=None if span is None else span.begin_us,
            to_us=None if span is None else span.end_us, at_us=dated.at_us, known_us=dated.known_us, superseded=superseded,
        )  # fmt: skip
        rows = await reports.reports(conn, which, None if after is None else (after[0], str(after[1]), after[2]), page.limit + 1)
    return page_response(
        request, UtilizationReportShape, report_shape, rows, page, "from_time", "utilization_report_id", "revision"
    )


@router.get(
    "/leases/{lease_id}/reconciliation", response_model=None,
    responses=answer(ReconciliationShape, examples.RECONCILIATION, 200, 404, 409),
)  # fmt: skip
async def get_reconciliation(
    asker: Insider, lease_id: LeaseId, dated: DatedQuery,
    month: Annotated[MonthName, Query(description="Month in the lease's billing zone.")],
) -> Response:  # fmt: skip
    """A month as reported against a month as observed, with tolerance, coverage and the effect in money of each account."""
    async with asker.desk() as conn:
        practice = await dossiers.practice_of(conn, asker.tenant, HOUSE, dated.known_us)
        found = await lease_month(conn, await lease_row(conn, lease_id, dated.known_us), month, practice, dated.known_us)
    return json_response(reconciliation_shape(found, dated.at_us or now_us(), practice))


@router.get(
    "/reconciliations", response_model=None, responses=answer_list(ReconciliationShape, examples.RECONCILIATION)
)  # fmt: skip
async def list_reconciliations(
    request: Request, asker: Insider, page: PageQuery, dated: DatedQuery,
    month: Annotated[MonthName, Query(description="Month in each lease's billing zone.")],
    status: Annotated[
        Literal["not_due", "awaited", "overdue", "within", "out_of_tolerance", "undecided"] | None,
        Query(description="Only months that stand so."),
    ] = None,
) -> Response:  # fmt: skip
    """The same month of every lease that held its asset then: which reports are missing, which are off, and by how much money."""
    after = decode_cursor(page.cursor, tuple[UUID])
    around = billing.month_in_zone(month, "UTC")
    assert around is not None  # noqa: S101 - without tenures a month is whole
    async with asker.desk() as conn:
        rows = await billing.leases(
            conn, None, around.begin_us - 14 * HOUR_US, around.end_us + 14 * HOUR_US, dated.known_us,
            after=str(after[0]) if after else None, limit=page.limit + 1,
        )  # fmt: skip
        practice = await dossiers.practice_of(conn, asker.tenant, HOUSE, dated.known_us)
        found = await billing.months(conn, rows[: page.limit], [month], dated.known_us, practice)
    shapes = [reconciliation_shape(each, dated.at_us or now_us(), practice) for each in found]
    wanted = [each for each in shapes if status is None or each.status == status]
    return list_response(request, ReconciliationShape, wanted, next_cursor(rows, page, "lease_id"))


@router.get("/leases/{lease_id}/charges", response_model=None, responses=answer(ChargesShape, examples.CHARGES, 200, 404, 409))
async def get_charges(
    asker: Insider, lease_id: LeaseId, dated: DatedQuery,
    month: Annotated[MonthName, Query(description="Month in the lease's billing zone.")], basis: Basis = "reported",
) -> Response:  # fmt: skip
    """What a lease bills beyond rent and reserves for a month: use up to its minimum, and cycles beyond its assumed ratio."""
    async with asker.desk() as conn:
        practice = await dossiers.practice_of(conn, asker.tenant, HOUSE, dated.known_us)
        found = await lease_month(conn, await lease_row(conn, lease_id, dated.known_us), month, practice, dated.known_us)
    return json_response(charges_shape(found, basis, practice))
