"""The accrual run of one month: what each bucket is charged, booked once; what changes later is an adjustment, never an edit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from api.billing_shapes import restated_shape
from api.ledger_shapes import accrued_shape
from api.money_shapes import AccrualRunShape, AccruedLineShape
from fleet.instants import to_rfc3339
from fleet.maintenance_reserve import AccrualLine
from fleet.money import ZERO
from fleet.practice import Practice
from fleet.reconciliation import AccountOfMonth, LeaseMonth, line_of, totals
from fleet.utilization import is_estimate
from store import reserves, restated
from store.pool import Connection

LINES_MAX = 1000


class Run(NamedTuple):
    """One run: the month of a lease, on whose figures, who asked and when."""

    month: LeaseMonth
    basis: str
    tenant: str
    actor: str
    at_us: int
    practice: Practice


def priced(run: Run, account: AccountOfMonth) -> AccrualLine:
    """An account's line on the run's figures; observed use of too little coverage is an estimate and is not billed."""
    month = run.month
    if run.basis == "reported":
        told = month.reported.get(account.asset_id)
        return _named(line_of(account, None if told is None else told.figures, month.month), "not_reported", told is None)
    seen = month.observed.get(account.asset_id)
    line = line_of(account, None if seen is None else seen.figures, month.month)
    if line.driver != "month" and is_estimate(None if seen is None else seen.coverage, month.month.last, run.practice):
        return AccrualLine(
            driver=line.driver, quantity=line.quantity, rate=line.rate, amount=None, workings=line.workings,
            reason="coverage_below_billable",
        )  # fmt: skip
    return line


def _named(line: AccrualLine, why: str, absent: bool) -> AccrualLine:
    """The same line; where its use is unknown because nothing was reported, it says so."""
    if not absent or line.reason != "quantity_unknown":
        return line
    return AccrualLine(
        driver=line.driver, quantity=None, rate=line.rate, amount=None, workings=line.workings, reason=why
    )  # fmt: skip


async def book(conn: Connection, run: Run) -> AccrualRunShape:
    """Book what is not booked yet, inside a transaction that holds the lease; asked again it books only what changed."""
    month = run.month
    already = await reserves.accrued(conn, month.lease_id, month.month.first)
    before = next(iter(await reserves.closed(conn, month.lease_id, month.month.first)), None)
    lines: list[AccruedLineShape] = []
    for account in month.accounts:
        line = priced(run, account)
        change, booked = _change(line, already.get(account.account_id))
        entry_id = None if booked is None else await _enter(conn, run, account, line, change, booked)
        lines.append(accrued_shape(month, account, line, change, booked, entry_id, run.basis))
    adjusted = any(each.change == "adjusted" for each in lines)
    revision = 0 if before is None else before.revision
    told: list[restated.ClosedMonth] = []
    if any(each.booked is not None for each in lines):
        revision += 1
        closed = _closed(run, lines, revision)
        await reserves.close_month(conn, closed)
        if adjusted:
            told = await restated.closed_months(conn, month.lease_id, month.month.from_us, month.month.to_us)
            await _tell(conn, run, told, before, closed)
    return AccrualRunShape(
        lease_id=month.lease_id, month=month.month.name, from_=to_rfc3339(month.month.from_us), to=to_rfc3339(month.month.to_us),
        basis=run.basis, revision=revision, lines=lines, total=totals((each.currency, each.amount) for each in lines),
        left_out=sum(each.amount is None for each in lines), restated=[restated_shape(each) for each in told],
    )  # fmt: skip


def _change(line: AccrualLine, already: Decimal | None) -> tuple[str, Decimal | None]:
    """What a line does to the ledger: its word, and what is booked."""
    if line.amount is None:
        return "left_out", None
    if already is None:
        return "accrued", line.amount
    difference = line.amount - already
    return ("unchanged", None) if difference == ZERO else ("adjusted", difference)


async def _enter(
    conn: Connection, run: Run, account: AccountOfMonth, line: AccrualLine, change: str, booked: Decimal
) -> int:  # fmt: skip
    told = run.month.reported.get(account.asset_id)
    workings: dict[str, Any] = {
        **line.workings, "quantity": str(line.quantity), "rate": str(line.rate), "line_amount": str(line.amount),
        "basis": run.basis,
    }  # fmt: skip
    if run.basis == "reported" and told is not None:
        workings |= {"report": told.row_id, "taken_from": told.taken_from}
    new = reserves.NewEntry(
        account_id=account.account_id, kind="accrual" if change == "accrued" else "adjustment", amount=booked,
        at_us=run.month.month.to_us, actor=run.actor, month=run.month.month.first, workings=workings,
    )  # fmt: skip
    return await reserves.add_entry(conn, new)


def _closed(run: Run, lines: list[AccruedLineShape], revision: int) -> reserves.ClosedMonth:
    figures = {
        "lines": [
            {
                "account_id": each.account_id, "bucket": each.bucket, "asset_id": each.asset_id, "currency": each.currency,
                "quantity": _text(each.quantity), "rate": _text(each.rate), "amount": _text(each.amount),
                "entry_id": each.entry_id,
            }
            for each in lines[:LINES_MAX]
        ],
        "total": _texts(totals((each.currency, each.amount) for each in lines)),
    }  # fmt: skip
    return reserves.ClosedMonth(
        lease_id=run.month.lease_id, month=run.month.month.first, revision=revision, from_us=run.month.month.from_us,
        to_us=run.month.month.to_us, basis=run.basis, figures=figures, actor=run.actor,
    )  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: str(amount) for currency, amount in amounts.items()}


async def _tell(
    conn: Connection, run: Run, months: list[restated.ClosedMonth], before: reserves.ClosedMonth | None,
    after: reserves.ClosedMonth,
) -> None:  # fmt: skip
    def version(closed: reserves.ClosedMonth | None) -> restated.Version:
        if closed is None:
            return restated.Version(row=None, recorded_us=None, figures=None)
        row = f"closed_month/{closed.lease_id}/{closed.month.isoformat()}/{closed.revision}"
        return restated.Version(row=row, recorded_us=None, figures={"total": closed.figures["total"]})

    told = [
        restated.Restatement(
            tenant=run.tenant, lease_id=run.month.lease_id, asset_id=run.month.asset_id, cause="accrual_adjusted", month=month,
            before=version(before), after=version(after), revision=after.revision, actor=run.actor,
        )
        for month in months
    ]  # fmt: skip
    await restated.tell(conn, told, run.at_us)
