"""Maintenance reserves of a lease: accounts and prices, the month's accrual run, payments, claims, and the ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from api import money_examples as examples
from api.accruals import Run, book
from api.documents import answer, answer_list
from api.keys import Editor, Insider
from api.lease_rows import lease_month, lease_row, refuse_foreign_asset
from api.ledger_shapes import account_shape, claim_shape, entry_shape, rate_shape
from api.listing import NumberKey, TextKey, decode_cursor
from api.money_shapes import AccrualRunShape, ClaimShape, ReserveAccountShape, ReserveEntryShape, ReserveRateShape
from api.once import Answer, IdempotencyKey, write_once
from api.paging import page_response
from api.parameters import DatedQuery, Instant, LeaseId, MonthName, PageQuery, Text
from api.problem import Fault, Problem, invalid, not_found, pointer_of
from api.routes.assets import now_us
from fleet.instants import to_datetime
from fleet.maintenance_reserve import EXCLUSIONS, Exclusion, RateTerms, drawdown, lessor_share, terms_faults
from fleet.money import ZERO, is_currency, total
from fleet.practice_book import HOUSE
from store import dossiers, reserves
from store import utilization_reports as reports
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["money"])
AccountId = Annotated[UUID, Path(description="The account's id, as given by the list of reserves.")]
EntryId = Annotated[int, Path(description="The ledger line's number.", ge=1, le=2**63 - 1)]
EntryKindName = Literal["accrual", "payment", "claim", "payout", "adjustment", "retained_at_end"]
EXCLUSIONS_MAX = 50


def _currency(code: str) -> str:
    if not is_currency(code):
        raise ValueError("must be an ISO 4217 code with at most two decimals")
    return code


Money = Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=2, examples=["62315.03"])]
Positive = Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=2, examples=["62315.03"])]
Quantity = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=6, examples=["6200"])]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"]), AfterValidator(_currency)]
Reference = Annotated[Text, Field(min_length=1, max_length=200)]
RATE_EXAMPLE: Any = {
    "driver": "fh", "ratio_table": [["1.0", "310"], ["1.5", "245"], ["2.0", "205"], ["2.5", "180"], ["3.0", "165"]],
    "ratio_mode": "linear", "assumed_ratio": "2.0", "rate_date": "2024-01-01", "escalation_pct": "3",
    "factors": {"derate": "0.97", "environment": "1.05"},
}  # fmt: skip


class Body(BaseModel):
    """Base of the requests here: nothing unknown."""

    model_config = ConfigDict(extra="forbid")


class NewRate(Body):
    """How a bucket is priced in months that begin from `priced_from` on, until before `priced_to`; terms as in docs/money.md."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"priced_from": "2026-01", "terms": RATE_EXAMPLE}]}
    )  # fmt: skip

    priced_from: MonthName
    priced_to: MonthName | None = None
    terms: dict[Text, JsonValue] = Field(min_length=1, max_length=30)


class NewAccount(NewRate):
    """A bucket to open, for the lease's own asset or a component that sits on it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "bucket": "performance_restoration", "currency": "USD", "priced_from": "2026-01", "terms": RATE_EXAMPLE,
        }]},
    )  # fmt: skip

    asset_id: UUID | None = None
    bucket: str = Field(pattern="^[a-z0-9][a-z0-9_]{0,39}$", examples=["performance_restoration"])
    currency: Currency


class AccrualOrder(Body):
    """Which month to book, and on whose figures."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"month": "2026-05", "basis": "reported"}]})

    month: MonthName
    basis: Literal["reported", "observed"] = "reported"


class NewPayment(Body):
    """Money that came in for a bucket."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"amount": "62315.03", "at": "2026-06-12T00:00:00Z", "reference": "SWIFT 118"}]},
    )  # fmt: skip

    amount: Positive
    at: Instant
    reference: Reference


class NewAdjustment(Body):
    """A correction of what is owed, either sign, with its reason."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"amount": "-120.00", "at": "2026-06-12T00:00:00Z", "reason": "Agreed on 10 June."}]},
    )  # fmt: skip

    amount: Decimal = Field(max_digits=16, decimal_places=2)
    at: Instant
    reason: Reference
    month: MonthName | None = None


class ClaimExclusion(Body):
    """A part of the invoice that is not reimbursed."""

    reason: Literal[tuple(EXCLUSIONS)]  # type: ignore[valid-type]
    amount: Money


class NewClaim(Body):
    """A claim after an event. With both uses the lessor bears the share before delivery; `dry_run` computes and books nothing."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "invoice": "4600000.00", "exclusions": [{"reason": "llp_in_restoration", "amount": "350000.00"}],
            "at": "2026-06-12T00:00:00Z", "reference": "Shop visit ESN 123456",
        }]},
    )  # fmt: skip

    invoice: Positive
    exclusions: list[ClaimExclusion] = Field(default=[], max_length=EXCLUSIONS_MAX)
    at: Instant
    reference: Reference
    use_before_delivery: Quantity | None = None
    use_at_event: Quantity | None = None
    dry_run: bool = False


class Statement(Body):
    """Why something is done, and when it takes effect."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"at": "2026-06-12T00:00:00Z", "reason": "Redelivered, clause 9.4."}]}
    )  # fmt: skip

    at: Instant
    reason: Reference


def _refused(name: str, detail: str) -> Problem:
    fault = Fault(part="body", pointer=name, detail=detail)
    return Problem(422, "The request was understood but is not valid.", reason="invalid", errors=[fault])


def _rate_terms(body: NewRate) -> dict[str, Any]:
    """The terms as they are kept. Raises Problem 422 with a pointer for each fault."""
    if body.priced_to is not None and body.priced_to <= body.priced_from:
        raise invalid("body", "priced_to", "must be after priced_from")
    try:
        terms = msgspec.convert(body.terms, RateTerms, strict=False)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$")
        pointer = place.rstrip("`").replace("[", ".").replace("]", "").replace(".", "/")
        raise _refused("#/terms" + pointer, text) from None
    faults = [Fault(part="body", pointer=pointer_of(["terms", each.member]), detail=each.detail) for each in terms_faults(terms)]
    if faults:
        raise Problem(422, "The request was understood but is not valid.", reason="invalid", errors=faults)
    found: dict[str, Any] = msgspec.to_builtins(terms)
    return {name: value for name, value in found.items() if value is not None and value != {}}


async def _account(conn: Connection, lease_id: UUID, account_id: Any, at_us: int | None = None) -> dict[str, Any]:
    """The account's row. Raises Problem 404 unless it is the lease's."""
    which = reserves.AccountFilter(lease_ids=(str(lease_id),), account_id=str(account_id), at_us=at_us)
    rows = await reserves.accounts(conn, which, None, 1)
    if not rows:
        raise not_found("reserve account")
    return rows[0]


@router.get(
    "/leases/{lease_id}/reserves", response_model=None, responses=answer_list(ReserveAccountShape, examples.RESERVE_ACCOUNT, 404)
)  # fmt: skip
async def list_accounts(
    request: Request, asker: Insider, lease_id: LeaseId, page: PageQuery, dated: DatedQuery
) -> Response:  # fmt: skip
    """Accounts of a lease with what is owed and held: entries effective up to `valid_at`, as entered up to `known_at`."""
    after = decode_cursor(page.cursor, tuple[UUID, TextKey])
    async with asker.desk() as conn:
        await lease_row(conn, lease_id, dated.known_us)
        priced = None if dated.at_us is None else to_datetime(dated.at_us).date()
        which = reserves.AccountFilter(
            lease_ids=(str(lease_id),), at_us=dated.at_us, known_us=dated.known_us, priced_on=priced
        )  # fmt: skip
        key = None if after is None else (str(lease_id), str(after[0]), after[1])
        rows = await reserves.accounts(conn, which, key, page.limit + 1)
    return page_response(request, ReserveAccountShape, account_shape, rows, page, "asset_id", "bucket")


@router.post(
    "/leases/{lease_id}/reserves", status_code=201, response_model=None,
    responses=answer(ReserveAccountShape, examples.RESERVE_ACCOUNT, 201, 400, 404, 409, 413),
)  # fmt: skip
async def open_account(
    request: Request, asker: Editor, lease_id: LeaseId, body: NewAccount, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Open a bucket with its price. Each life-limited part has a bucket of its own; buckets cannot fund each other."""
    terms = _rate_terms(body)

    async def work(conn: Connection) -> Answer:
        row = await lease_row(conn, lease_id)
        asset_id = str(body.asset_id or row["asset_id"])
        span = (row["held_from"] or row["term_from"] or 0, row["held_to"] or row["term_to"] or 2**52)
        await refuse_foreign_asset(conn, row, span, asset_id, "#/asset_id")
        account_id = await reserves.open_account(conn, str(lease_id), asset_id, body.bucket, body.currency)
        await reserves.set_rate(conn, account_id, terms, body.priced_from, body.priced_to, asker.name)
        made = account_shape(await _account(conn, lease_id, account_id))
        return Answer(body=made, status=201, headers={"Location": f"/v1/leases/{lease_id}/reserves"})

    return await write_once(request, asker, idempotency_key, work)


@router.get(
    "/leases/{lease_id}/reserves/{account_id}/rates", response_model=None,
    responses=answer_list(ReserveRateShape, examples.RESERVE_RATE, 404),
)  # fmt: skip
async def list_rates(
    request: Request, asker: Insider, lease_id: LeaseId, account_id: AccountId, page: PageQuery, dated: DatedQuery
) -> Response:  # fmt: skip
    """How a bucket was, is and will be priced, in order of when it begins."""
    after = decode_cursor(page.cursor, tuple[date])
    async with asker.desk() as conn:
        await _account(conn, lease_id, account_id)
        on = None if dated.at_us is None else to_datetime(dated.at_us).date()
        rows = await reserves.rates(
            conn, str(account_id), on, dated.known_us, None if after is None else after[0], page.limit + 1
        )  # fmt: skip
    return page_response(request, ReserveRateShape, lambda row: rate_shape(str(account_id), row), rows, page, "valid_from")


@router.post(
    "/leases/{lease_id}/reserves/{account_id}/rates", status_code=201, response_model=None,
    responses=answer(ReserveAccountShape, examples.RESERVE_ACCOUNT, 201, 400, 404, 409, 413),
)  # fmt: skip
async def change_rate(
    request: Request, asker: Editor, lease_id: LeaseId, account_id: AccountId, body: NewRate,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Price a bucket differently from a month on. Months booked already stay as they are until they are booked again."""
    terms = _rate_terms(body)

    async def work(conn: Connection) -> Answer:
        await _account(conn, lease_id, account_id)
        await reports.hold(conn, str(lease_id))
        await reserves.set_rate(conn, str(account_id), terms, body.priced_from, body.priced_to, asker.name)
        return Answer(body=account_shape(await _account(conn, lease_id, account_id)), status=201)

    return await write_once(request, asker, idempotency_key, work)


@router.post(
    "/leases/{lease_id}/reserves/accruals", response_model=None,
    responses=answer(AccrualRunShape, examples.ACCRUAL_RUN, 200, 400, 404, 409, 413),
)  # fmt: skip
async def accrue_month(
    request: Request, asker: Editor, lease_id: LeaseId, body: AccrualOrder, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Book a month in arrears. Booked again it adds what changed since as adjustments, and tells receivers of it."""

    async def work(conn: Connection) -> Answer:
        row = await lease_row(conn, lease_id)
        await reports.hold(conn, str(lease_id))
        practice = await dossiers.practice_of(conn, asker.tenant, HOUSE)
        month = await lease_month(conn, row, body.month, practice, part="body")
        if now_us() < month.month.to_us:
            raise Problem(409, "The month is not over: reserves are booked in arrears.", reason="month_not_over")
        run = Run(month, body.basis, asker.tenant, asker.name, now_us(), practice)
        return Answer(body=await book(conn, run))

    return await write_once(request, asker, idempotency_key, work)


async def _added(conn: Connection, new: reserves.NewEntry) -> Answer:
    """Append an entry and answer with its ledger line."""
    entry_id = await reserves.add_entry(conn, new)
    rows = await reserves.entries(conn, reserves.EntryFilter(account_id=new.account_id), entry_id - 1, 1)
    return Answer(body=entry_shape(rows[0]), status=201)


async def _enter(
    request: Request, asker: Editor, lease_id: UUID, new: reserves.NewEntry, idempotency_key: str | None
) -> Response:  # fmt: skip
    """Append an entry that needs nothing but its bucket."""

    async def work(conn: Connection) -> Answer:
        await _account(conn, lease_id, UUID(new.account_id))
        await reports.hold(conn, str(lease_id))
        return await _added(conn, new)

    return await write_once(request, asker, idempotency_key, work)


@router.post(
    "/leases/{lease_id}/reserves/{account_id}/payments", status_code=201, response_model=None,
    responses=answer(ReserveEntryShape, examples.RESERVE_ENTRY, 201, 400, 404, 409, 413),
)  # fmt: skip
async def add_payment(
    request: Request, asker: Editor, lease_id: LeaseId, account_id: AccountId, body: NewPayment,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Money that came in for a bucket: it is held there, and less is owed."""
    new = reserves.NewEntry(
        account_id=str(account_id), kind="payment", amount=body.amount, at_us=body.at, actor=asker.name,
        workings={"reference": body.reference},
    )  # fmt: skip
    return await _enter(request, asker, lease_id, new, idempotency_key)


@router.post(
    "/leases/{lease_id}/reserves/{account_id}/adjustments", status_code=201, response_model=None,
    responses=answer(ReserveEntryShape, examples.RESERVE_ENTRY, 201, 400, 404, 409, 413),
)  # fmt: skip
async def add_adjustment(
    request: Request, asker: Editor, lease_id: LeaseId, account_id: AccountId, body: NewAdjustment,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Correct what is owed by an entry of its own, for a `month` or none; it stays whatever is booked again."""
    if body.amount == ZERO:
        raise invalid("body", "amount", "is nothing")
    new = reserves.NewEntry(
        account_id=str(account_id), kind="adjustment", amount=body.amount, at_us=body.at, actor=asker.name,
        month=body.month, workings={"reason": body.reason},
    )  # fmt: skip
    return await _enter(request, asker, lease_id, new, idempotency_key)


@router.post(
    "/leases/{lease_id}/reserves/{account_id}/claims", status_code=201, response_model=None,
    responses=answer(ClaimShape, examples.CLAIM, 201, 400, 404, 409, 413),
)  # fmt: skip
async def add_claim(
    request: Request, asker: Editor, lease_id: LeaseId, account_id: AccountId, body: NewClaim,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Reimburse an event out of its own bucket, as far as it holds; claim and payout are two lines of the ledger."""
    excluded = total(each.amount for each in body.exclusions)
    if excluded > body.invoice:
        raise invalid("body", "exclusions", "are more than the invoice")
    share = _share(body)

    async def work(conn: Connection) -> Answer:
        await lease_row(conn, lease_id)
        await reports.hold(conn, str(lease_id))
        then, row = await _account(conn, lease_id, account_id, body.at), await _account(conn, lease_id, account_id)
        held = min(reserves.balance_of(then).held, reserves.balance_of(row).held)
        exclusions = [Exclusion(reason=each.reason, amount=each.amount) for each in body.exclusions]
        paid = drawdown(body.invoice, exclusions, held, lessor_share=share, currency=row["currency"])
        if body.dry_run:
            return Answer(body=claim_shape(row, body.invoice, excluded, paid, None, None), status=201)
        workings = {
            "reference": body.reference, "invoice": str(body.invoice),
            "exclusions": [{"reason": each.reason, "amount": str(each.amount)} for each in body.exclusions],
            "lessor_share": str(share), "lessor_contribution": str(paid.lessor_contribution), "shortfall": str(paid.shortfall),
        }  # fmt: skip
        claim = reserves.NewEntry(
            account_id=str(account_id), kind="claim", amount=paid.eligible, at_us=body.at, actor=asker.name, workings=workings
        )  # fmt: skip
        claim_id = await reserves.add_entry(conn, claim)
        payout = msgspec.structs.replace(claim, kind="payout", amount=paid.from_bucket, claim_id=claim_id)
        payout_id = await reserves.add_entry(conn, payout)
        return Answer(body=claim_shape(row, body.invoice, excluded, paid, claim_id, payout_id), status=201)

    return await write_once(request, asker, idempotency_key, work)


def _share(body: NewClaim) -> Decimal:
    """The lessor's share of a claim; 0 without such a clause. Raises Problem 422."""
    if (body.use_before_delivery is None) != (body.use_at_event is None):
        raise invalid("body", "use_at_event", "goes with use_before_delivery")
    if body.use_before_delivery is None or body.use_at_event is None:
        return ZERO
    if not body.use_at_event > 0 or body.use_before_delivery > body.use_at_event:
        raise invalid("body", "use_before_delivery", "is a part of use_at_event, which is not zero")
    return lessor_share(body.use_before_delivery, body.use_at_event)


@router.post(
    "/leases/{lease_id}/reserves/{account_id}/retain", status_code=201, response_model=None,
    responses=answer(ReserveEntryShape, examples.RESERVE_ENTRY, 201, 400, 404, 409, 413),
)  # fmt: skip
async def retain(
    request: Request, asker: Editor, lease_id: LeaseId, account_id: AccountId, body: Statement,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Keep what a bucket still holds when the lease is over (the usual term); refused while the lease runs."""

    async def work(conn: Connection) -> Answer:
        lease = await lease_row(conn, lease_id)
        await reports.hold(conn, str(lease_id))
        row = await _account(conn, lease_id, account_id)
        if lease["held_to"] is None or lease["held_to"] > body.at:
            raise Problem(409, "The lease is not over then.", reason="lease_running")
        held = reserves.balance_of(row).held
        if held <= ZERO:
            raise Problem(409, "The bucket holds nothing.", reason="nothing_held")
        new = reserves.NewEntry(
            account_id=str(account_id), kind="retained_at_end", amount=held, at_us=body.at, actor=asker.name,
            workings={"reason": body.reason},
        )  # fmt: skip
        return await _added(conn, new)

    return await write_once(request, asker, idempotency_key, work)


@router.post(
    "/leases/{lease_id}/reserves/{account_id}/entries/{entry_id}/reverse", status_code=201, response_model=None,
    responses=answer(ReserveEntryShape, examples.RESERVE_ENTRY, 201, 400, 404, 409, 413),
)  # fmt: skip
async def reverse(
    request: Request, asker: Editor, lease_id: LeaseId, account_id: AccountId, entry_id: EntryId, body: Statement,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Take back a line that was entered by mistake, by a line that undoes it; once. An accrual is booked again instead."""

    async def work(conn: Connection) -> Answer:
        await _account(conn, lease_id, account_id)
        await reports.hold(conn, str(lease_id))
        rows = await reserves.entries(conn, reserves.EntryFilter(account_id=str(account_id)), entry_id - 1, 1)
        if not rows or rows[0]["reserve_entry_id"] != entry_id:
            raise not_found("ledger line")
        line = rows[0]
        if line["kind"] == "accrual" or line["reverses"] is not None:
            raise Problem(409, "An accrual is booked again, and a reversal stands.", reason="not_reversible")
        new = reserves.NewEntry(
            account_id=str(account_id), kind=line["kind"], amount=-line["amount"], at_us=body.at, actor=asker.name,
            month=line["month"], workings={**line["workings"], "reason": body.reason}, reverses=entry_id,
        )  # fmt: skip
        return await _added(conn, new)

    return await write_once(request, asker, idempotency_key, work)


async def _ledger(
    request: Request, asker: Insider, page: PageQuery, which: reserves.EntryFilter, lease_id: UUID | None
) -> Response:  # fmt: skip
    after = decode_cursor(page.cursor, tuple[NumberKey])
    async with asker.desk() as conn:
        if lease_id is not None:
            await lease_row(conn, lease_id)
        rows = await reserves.entries(conn, which, None if after is None else after[0], page.limit + 1)
    return page_response(request, ReserveEntryShape, entry_shape, rows, page, "reserve_entry_id")


Kinds = Annotated[EntryKindName | None, Query(description="Only lines of this kind.")]
OfMonth = Annotated[MonthName | None, Query(description="Only lines for this month.")]


@router.get(
    "/leases/{lease_id}/reserves/entries", response_model=None,
    responses=answer_list(ReserveEntryShape, examples.RESERVE_ENTRY, 404),
)  # fmt: skip
async def list_entries(
    request: Request, asker: Insider, lease_id: LeaseId, page: PageQuery, dated: DatedQuery,
    month: OfMonth = None, kind: Kinds = None,
    account_id: Annotated[UUID | None, Query(description="Only lines of this account.")] = None,
) -> Response:  # fmt: skip
    """The ledger of a lease in the order it was entered; effective up to `valid_at`, as entered up to `known_at`."""
    which = reserves.EntryFilter(
        lease_ids=(str(lease_id),), account_id=None if account_id is None else str(account_id),
        kinds=None if kind is None else (kind,), month=month, at_us=dated.at_us, known_us=dated.known_us,
    )  # fmt: skip
    return await _ledger(request, asker, page, which, lease_id)


@router.get("/reserve-entries", response_model=None, responses=answer_list(ReserveEntryShape, examples.RESERVE_ENTRY))
async def list_all_entries(
    request: Request, asker: Insider, page: PageQuery, dated: DatedQuery, month: OfMonth = None, kind: Kinds = None
) -> Response:  # fmt: skip
    """Ledger lines of all leases: with `month` and `Accept: text/csv`, the file for the accounting system."""
    which = reserves.EntryFilter(
        kinds=None if kind is None else (kind,), month=month, at_us=dated.at_us, known_us=dated.known_us
    )  # fmt: skip
    return await _ledger(request, asker, page, which, None)
