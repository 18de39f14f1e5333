"""From rows of reserve accounts and their ledger to what the API says of them. Pure: no query, no clock."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from api.money_shapes import AccruedLineShape, ClaimShape, ReserveAccountShape, ReserveEntryShape, ReserveRateShape
from fleet.instants import to_rfc3339
from fleet.maintenance_reserve import AccrualLine, Drawdown
from fleet.money import cents
from fleet.reconciliation import AccountOfMonth, LeaseMonth
from store import reserves

Row = dict[str, Any]


def account_shape(row: Row) -> ReserveAccountShape:
    """An account's row, with its balance and the price in force."""
    balance, terms, currency = reserves.balance_of(row), row["terms"], row["currency"]
    return ReserveAccountShape(
        id=str(row["reserve_account_id"]), lease_id=str(row["lease_id"]), asset_id=str(row["asset_id"]),
        asset_name=row["asset_name"], bucket=row["bucket"], currency=currency,
        driver=None if terms is None else terms["driver"], terms=terms, priced_from=_month(row["valid_from"]),
        priced_to=_month(row["valid_to"]), accrued=_money(balance.accrued), paid_in=_money(balance.paid_in),
        owed=_money(balance.owed), claimed=_money(row["claimed"]), paid_out=_money(balance.paid_out),
        retained=_money(balance.retained), held=_money(balance.held), entries=row["entries"],
        opened_at=to_rfc3339(row["opened_at"]),
        reason={} if terms is not None else dict.fromkeys(("driver", "terms", "priced_from", "priced_to"), "no_rate_in_force"),
    )  # fmt: skip


def rate_shape(account_id: str, row: Row) -> ReserveRateShape:
    """One stretch of an account's price."""
    return ReserveRateShape(
        account_id=account_id, terms=row["terms"], priced_from=_month(row["valid_from"]) or "",
        priced_to=_month(row["valid_to"]), actor=row["actor"], recorded_at=to_rfc3339(row["recorded_at"]),
    )  # fmt: skip


def entry_shape(row: Row) -> ReserveEntryShape:
    """A ledger line; quantity, unit and rate stand in the workings of an accrual."""
    workings = row["workings"]
    return ReserveEntryShape(
        id=str(row["reserve_entry_id"]), lease_id=str(row["lease_id"]), lease_reference=row["lease_reference"],
        lessee=row["lessee_name"], asset_id=str(row["asset_id"]), asset_name=row["asset_name"],
        account_id=str(row["reserve_account_id"]), bucket=row["bucket"], kind=row["kind"], month=_month(row["month"]),
        quantity=_decimal(workings.get("quantity")), unit=workings.get("unit"), rate=_decimal(workings.get("rate")),
        amount=row["amount"], currency=row["currency"], at=to_rfc3339(row["at"]), entered_at=to_rfc3339(row["entered_at"]),
        actor=row["actor"], claim_id=_text(row["claim_id"]), reverses=_text(row["reverses"]), workings=workings,
    )  # fmt: skip


def accrued_shape(
    month: LeaseMonth, account: AccountOfMonth, line: AccrualLine, change: str, booked: Decimal | None, entry_id: int | None,
    basis: str,
) -> AccruedLineShape:  # fmt: skip
    """One account's line of an accrual run."""
    told, seen = month.reported.get(account.asset_id), month.observed.get(account.asset_id)
    reason = {} if line.reason is None else {"amount": line.reason}
    return AccruedLineShape(
        account_id=account.account_id, asset_id=account.asset_id, asset_name=month.names[account.asset_id][1],
        bucket=account.bucket, currency=account.currency, driver=line.driver or None,
        quantity=None if line.quantity is None else round(line.quantity, 6), rate=line.rate, amount=line.amount,
        change=change, booked=booked, entry_id=_text(entry_id),
        taken_from=None if told is None or basis == "observed" else told.taken_from,
        coverage=None if seen is None else seen.coverage, workings=line.workings, reason=reason,
    )  # fmt: skip


def claim_shape(
    row: Row, invoice: Decimal, excluded: Decimal, paid: Drawdown, claim_id: int | None, payout_id: int | None
) -> ClaimShape:  # fmt: skip
    """What a claim came to."""
    return ClaimShape(
        account_id=str(row["reserve_account_id"]), claim_id=_text(claim_id), payout_id=_text(payout_id),
        invoice=cents(invoice, row["currency"]), excluded=cents(excluded, row["currency"]), eligible=paid.eligible,
        lessor_share=round(float(paid.lessor_share), 6), lessor_contribution=paid.lessor_contribution,
        from_bucket=paid.from_bucket, paid=paid.paid, shortfall=paid.shortfall, held_after=_money(paid.balance_after),
        currency=row["currency"],
    )  # fmt: skip


def _money(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _month(day: date | None) -> str | None:
    return None if day is None else f"{day:%Y-%m}"
