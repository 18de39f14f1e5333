"""Off-hire: what was lost under a lease, proposed by what was heard and decided by people, and what the hire is reduced by."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import examples
from api.carbon import Window
from api.documents import answer, answer_list
from api.keys import Asker, Editor, Insider
from api.listing import TextKey, TimeKey, decode_cursor, encode_cursor, list_response
from api.off_hires import Event, Facts, event_shape, events_of, lessee_shapes, rule_of, statement_shape
from api.once import Answer, IdempotencyKey, write_once
from api.parameters import Dated, DatedQuery, Instant, Page, PageQuery, Span, SpanQuery, Text
from api.problem import Fault, Problem, invalid, not_found
from api.routes.assets import now_us
from api.routes.cii import LeaseId
from api.shapes import LesseeDaysShape, OffHireShape, OffHireStatementShape
from fleet.instants import DAY_US, HOUR_US, from_datetime
from store import off_hires, vessels
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["compliance"])
DEFAULT_DAYS = 92  # a quarter
WINDOW_DAYS_MAX = 732
LAY_UP_BACK_US = 14 * DAY_US  # a run of days may have begun before the window
OffHireId = Annotated[UUID, Path(description="Of an event or a candidate, as its list gives it.")]
Status = Annotated[Literal["candidate", "confirmed", "rejected"] | None, Query(description="Only of this status.")]
Lessee = Annotated[Text | None, Query(max_length=200, description="Under lease to this party: its id or name.")]


class NewOffHire(BaseModel):
    """Time lost that a person knows of, confirmed with its recording. `net_loss_h`: of it, the hours really lost."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True,
        json_schema_extra={"examples": [{
            "from": "2026-06-17T04:00:00Z", "to": "2026-06-18T10:00:00Z", "cause": "main engine breakdown",
            "remarks": "Statement of facts of 18 June.",
        }]},
    )  # fmt: skip

    from_: Instant = Field(alias="from")
    to: Instant
    cause: Text = Field(min_length=1, max_length=200)
    net_loss_h: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    remarks: Text | None = Field(default=None, max_length=4000)


class OffHireDecision(BaseModel):
    """A person's word on an event or a candidate; what is not given stays as it was, or as it was heard."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True, json_schema_extra={"examples": [{"cause": "dry-docking", "net_loss_h": 96.5}]}
    )  # fmt: skip

    from_: Instant | None = Field(default=None, alias="from")
    to: Instant | None = None
    cause: Text | None = Field(default=None, min_length=1, max_length=200)
    net_loss_h: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    remarks: Text | None = Field(default=None, max_length=4000)


def window_of(span: Span, dated: Dated) -> Window:
    """[from, to): without `to` up to now or `valid_at`, without `from` a quarter. Raises Problem 422."""
    to_us = span.to_us
    if to_us is None:
        to_us = now_us() if dated.at_us is None else dated.at_us
    from_us = to_us - DEFAULT_DAYS * DAY_US if span.from_us is None else span.from_us
    if from_us >= to_us:
        raise invalid("query", "to", "must be after from")
    if to_us - from_us > WINDOW_DAYS_MAX * DAY_US:
        raise invalid("query", "from", f"must lie at most {WINDOW_DAYS_MAX} days before to")
    return Window(from_us, to_us)


async def facts_of(
    conn: Connection, window: Window, known_us: int | None, *, lease_id: str | None = None, lessee: str | None = None
) -> Facts:  # fmt: skip
    """Tenures, decisions and stops that meet a window: three set queries."""
    tenures = await vessels.charters(conn, *window, known_us, lease_id=lease_id, lessee=lessee)
    leases = sorted({str(row["lease_id"]) for row in tenures})
    assets = sorted({str(row["asset_id"]) for row in tenures if rule_of(row).applies})
    decided = await off_hires.decided(conn, leases, *window, known_us)
    return Facts(tenures, decided, await off_hires.stops(conn, assets, *window, known_us) if assets else {})


async def facts_of_lease(conn: Connection, lease_id: UUID, window: Window, known_us: int | None) -> Facts:
    """As `facts_of` for one lease. Raises Problem 404 where it had no tenure in the window."""
    facts = await facts_of(conn, window, known_us, lease_id=str(lease_id))
    if not facts.tenures:
        raise not_found("lease with a tenure in that period")
    return facts


@router.get("/off-hire", responses=answer_list(OffHireShape, examples.OFF_HIRE), response_model=None)
async def list_off_hire(
    request: Request, asker: Insider, page: PageQuery, span: SpanQuery, dated: DatedQuery, lessee: Lessee = None,
    status: Status = None,
) -> Response:  # fmt: skip
    """Time lost under all leases that meets [from, to), candidates included, by its begin; a quarter if none is given."""
    window = window_of(span, dated)
    async with asker.desk() as conn:
        facts = await facts_of(conn, window, dated.known_us, lessee=lessee)
    return _page(request, events_of(facts, window), page, status)


@router.get("/off-hire/lessees", responses=answer_list(LesseeDaysShape, examples.LESSEE_DAYS), response_model=None)
async def list_lessee_days(
    request: Request, asker: Insider, page: PageQuery, span: SpanQuery, dated: DatedQuery, lessee: Lessee = None
) -> Response:  # fmt: skip
    """Days lost, proposed and laid up in [from, to), by lessee and in order of their name, with the events behind them."""
    window = window_of(span, dated)
    after = decode_cursor(page.cursor, tuple[TextKey, TextKey])
    async with asker.desk() as conn:
        facts = await facts_of(conn, window, dated.known_us, lessee=lessee)
        assets = sorted({str(row["asset_id"]) for row in facts.tenures})
        still = await off_hires.days_still(conn, assets, window.from_us - LAY_UP_BACK_US, window.to_us, dated.known_us)
    found = [each for each in lessee_shapes(facts, still, window) if after is None or (each.lessee_name, each.lessee) > after]
    cursor = None
    if len(found) > page.limit:
        last = found[page.limit - 1]
        cursor = encode_cursor(last.lessee_name, last.lessee)
    return list_response(request, LesseeDaysShape, found[: page.limit], cursor)


@router.get("/leases/{lease_id}/off-hire", responses=answer_list(OffHireShape, examples.OFF_HIRE, 404), response_model=None)
async def list_lease_off_hire(
    request: Request, asker: Insider, lease_id: LeaseId, page: PageQuery, span: SpanQuery, dated: DatedQuery,
    status: Status = None,
) -> Response:  # fmt: skip
    """Time lost under one lease that meets [from, to), candidates included, in order of its begin."""
    window = window_of(span, dated)
    async with asker.desk() as conn:
        facts = await facts_of_lease(conn, lease_id, window, dated.known_us)
    return _page(request, events_of(facts, window), page, status)


def _page(request: Request, events: list[Event], page: Page, status: str | None) -> Response:
    after = decode_cursor(page.cursor, tuple[TimeKey, TextKey])
    kept = [
        each for each in events
        if (status is None or each.status == status)
        and (after is None or (from_datetime(each.lost.started_at), each.off_hire_id) > after)
    ]  # fmt: skip
    cursor = None
    if len(kept) > page.limit:
        last = kept[page.limit - 1]
        cursor = encode_cursor(from_datetime(last.lost.started_at), last.off_hire_id)
    return list_response(request, OffHireShape, [event_shape(each) for each in kept[: page.limit]], cursor)


@router.get(
    "/leases/{lease_id}/off-hire/statement", responses=answer_list(OffHireStatementShape, examples.OFF_HIRE_STATEMENT, 404),
    response_model=None,
)  # fmt: skip
async def list_statements(request: Request, asker: Insider, lease_id: LeaseId, span: SpanQuery, dated: DatedQuery) -> Response:
    """Off-hire of a lease in [from, to) and the hire to deduct, one row a tenure (a novation makes two)."""
    window = window_of(span, dated)
    async with asker.desk() as conn:
        facts = await facts_of_lease(conn, lease_id, window, dated.known_us)
    events = events_of(facts, window)
    shapes = [statement_shape(row, [each for each in events if each.tenure is row], window) for row in facts.tenures]
    return list_response(request, OffHireStatementShape, shapes, None)


@router.post(
    "/leases/{lease_id}/off-hire", status_code=201,
    responses=answer(OffHireShape, examples.OFF_HIRE, 201, 400, 404, 409, 413), response_model=None,
)  # fmt: skip
async def record_off_hire(
    request: Request, asker: Editor, lease_id: LeaseId, body: NewOffHire, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Record time that was lost, confirmed by whoever records it."""
    window = _span_of(body.from_, body.to, body.net_loss_h)

    async def work(conn: Connection) -> Answer:
        await off_hires.hold(conn, str(lease_id))
        tenure = _tenure_around(await facts_of_lease(conn, lease_id, window, None), window)
        evidence = _evidence({}, body.net_loss_h, body.remarks)
        event = await _decide(conn, asker, str(uuid4()), tenure, window, "confirmed", body.cause, evidence)
        return Answer(body=event, status=201, headers={"Location": f"/v1/leases/{lease_id}/off-hire"})

    return await write_once(request, asker, idempotency_key, work)


@router.post(
    "/leases/{lease_id}/off-hire/{off_hire_id}/confirm",
    responses=answer(OffHireShape, examples.OFF_HIRE, 200, 400, 404, 409, 413), response_model=None,
)  # fmt: skip
async def confirm_off_hire(
    request: Request, asker: Editor, lease_id: LeaseId, off_hire_id: OffHireId, body: OffHireDecision,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Confirm a candidate, or correct an event: what was believed before stays readable with `known_at`."""
    return await _judge(request, asker, lease_id, off_hire_id, body, idempotency_key, "confirmed")


@router.post(
    "/leases/{lease_id}/off-hire/{off_hire_id}/reject",
    responses=answer(OffHireShape, examples.OFF_HIRE, 200, 400, 404, 409, 413), response_model=None,
)  # fmt: skip
async def reject_off_hire(
    request: Request, asker: Editor, lease_id: LeaseId, off_hire_id: OffHireId, body: OffHireDecision,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Reject a candidate or an event: it counts nowhere, and is not proposed again."""
    return await _judge(request, asker, lease_id, off_hire_id, body, idempotency_key, "rejected")


async def _judge(
    request: Request, asker: Asker, lease_id: UUID, off_hire_id: UUID, body: OffHireDecision, key: str | None,
    status: Literal["confirmed", "rejected"],
) -> Response:  # fmt: skip
    async def work(conn: Connection) -> Answer:
        await off_hires.hold(conn, str(lease_id))
        known = await _event(conn, lease_id, off_hire_id)
        from_us = from_datetime(known.lost.started_at) if body.from_ is None else body.from_
        to_us = from_datetime(known.lost.ended_at) if body.to is None else body.to
        net_loss_h = known.lost.net_loss_h if body.net_loss_h is None else body.net_loss_h
        window = _span_of(from_us, to_us, net_loss_h)
        tenure = _tenure_around(await facts_of_lease(conn, lease_id, window, None), window)
        before = {"state": known.state, "source": "activity"} if known.row is None else known.row["evidence"]
        cause = body.cause or (str(known.state) if known.row is None else known.row["reason"])
        evidence = _evidence(before, net_loss_h, body.remarks)
        return Answer(body=await _decide(conn, asker, str(off_hire_id), tenure, window, status, cause, evidence))

    return await write_once(request, asker, key, work)


async def _event(conn: Connection, lease_id: UUID, off_hire_id: UUID) -> Event:
    """The event or candidate of that id, wherever in the lease's time. Raises Problem 404."""
    always = Window(0, now_us())
    tenures = await vessels.charters(conn, *always, None, lease_id=str(lease_id))
    decided = await off_hires.decided(conn, [str(lease_id)], *always, None)
    begins = [row["valid_from"] for row in tenures if row["valid_from"] is not None]
    assets = sorted({str(row["asset_id"]) for row in tenures})
    stops = await off_hires.stops(conn, assets, min(begins, default=always.from_us), always.to_us, None)
    found = [each for each in events_of(Facts(tenures, decided, stops), always) if each.off_hire_id == str(off_hire_id)]
    if not found:
        raise not_found("off-hire event or candidate")
    return found[0]


def _span_of(from_us: int, to_us: int, net_loss_h: float | None) -> Window:
    faults = []
    if to_us <= from_us:
        faults.append(Fault(part="body", pointer="#/to", detail="must be after from"))
    elif net_loss_h is not None and net_loss_h > (to_us - from_us) / HOUR_US:
        faults.append(Fault(part="body", pointer="#/net_loss_h", detail="is more than the time from from to to"))
    if faults:
        raise Problem(422, "The request was understood but is not valid.", reason="invalid", errors=faults)
    return Window(from_us, to_us)


def _tenure_around(facts: Facts, window: Window) -> off_hires.Row:
    """The tenure that holds all of a window, if its lease knows off-hire. Raises Problem 409."""
    for row in facts.tenures:
        begins = row["valid_from"] is None or row["valid_from"] <= window.from_us
        ends = row["valid_to"] is None or window.to_us <= row["valid_to"]
        if begins and ends:
            if not rule_of(row).applies:
                raise Problem(409, f"A lease of form {row['form']} knows no off-hire.", reason="no_off_hire")
            return row
    raise Problem(409, "The lessee did not have the asset for all of that time.", reason="outside_tenure")


def _evidence(before: dict[str, Any], net_loss_h: float | None, remarks: str | None) -> dict[str, Any]:
    added = {"net_loss_h": net_loss_h, "remarks": remarks}
    return {**before, **{name: value for name, value in added.items() if value is not None}}


async def _decide(
    conn: Connection, asker: Asker, off_hire_id: str, tenure: off_hires.Row, window: Window,
    status: Literal["confirmed", "rejected"], cause: str, evidence: dict[str, Any],
) -> OffHireShape:  # fmt: skip
    decision = off_hires.Decision(
        off_hire_id=off_hire_id, lease_id=str(tenure["lease_id"]), asset_id=str(tenure["asset_id"]), from_us=window.from_us,
        to_us=window.to_us, status=status, reason=cause, evidence=evidence, actor=asker.name,
    )  # fmt: skip
    row = await off_hires.decide(conn, decision)
    return event_shape(events_of(Facts([tenure], [row], {}), window)[0])
