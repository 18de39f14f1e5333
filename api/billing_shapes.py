"""From rows and figures of a lease's month to what the API says of them. Pure: no query, no clock."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from api.carbon import fuel_balance_shape
from api.money_shapes import (
    ChargeShape,
    ChargesShape,
    ComparisonShape,
    EffectShape,
    ReconciliationShape,
    RestatedMonthShape,
    UtilizationReportShape,
)
from api.states import time_of
from fleet.instants import to_rfc3339
from fleet.lease import UNREADABLE
from fleet.money import cents
from fleet.practice import Practice
from fleet.reconciliation import Effect, LeaseMonth, month_use, status_of, totals
from fleet.utilization import Comparison, billable, excess_cycles, is_estimate, minimum_for
from store.restated import ClosedMonth

Row = dict[str, Any]


def number(value: Decimal | None, digits: int = 6) -> float | None:
    """A quantity as JSON has it; None stays."""
    return None if value is None else round(float(value), digits)


def report_shape(row: Row) -> UtilizationReportShape:
    """A report row as the API shows it."""
    return UtilizationReportShape(
        id=str(row["utilization_report_id"]), revision=row["revision"], lease_id=str(row["lease_id"]),
        asset_id=str(row["asset_id"]), asset_name=row["asset_name"], kind=row["kind"], from_=to_rfc3339(row["from_time"]),
        to=to_rfc3339(row["to_time"]), figures=row["figures"], signed_by=row["signed_by"],
        received_at=to_rfc3339(row["received_at"]), actor=row["actor"], recorded_at=to_rfc3339(row["recorded_at"]),
        superseded_at=time_of(row["superseded_at"]),
    )  # fmt: skip


def restated_shape(month: ClosedMonth) -> RestatedMonthShape:
    """A restated month as the API shows it."""
    return RestatedMonthShape(from_=to_rfc3339(month.from_us), to=to_rfc3339(month.to_us), closed_by=list(month.closed_by))


def _comparison(each: Comparison) -> ComparisonShape:
    return ComparisonShape(
        measure=each.measure, observed=number(each.observed), reported=number(each.reported),
        difference=number(each.difference), difference_pct=number(each.difference_pct), tolerance=number(each.tolerance),
        verdict=each.verdict, reason=each.reason,
    )  # fmt: skip


def _effect(each: Effect, names: dict[str, tuple[str, str]]) -> EffectShape:
    reason = {
        name: why
        for name, why in (("due_on_report", each.reported.reason), ("due_on_observed", each.observed.reason))
        if why is not None
    }
    if each.difference is None:
        reason["difference"] = next(iter(reason.values()), "unknown")
    return EffectShape(
        account_id=each.account.account_id, asset_id=each.account.asset_id, asset_name=names[each.account.asset_id][1],
        bucket=each.account.bucket, currency=each.account.currency, driver=each.reported.driver or None,
        reported_quantity=number(each.reported.quantity), observed_quantity=number(each.observed.quantity),
        reported_rate=each.reported.rate, observed_rate=each.observed.rate, due_on_report=each.reported.amount,
        due_on_observed=each.observed.amount, difference=each.difference, reason=reason,
    )  # fmt: skip


def reconciliation_shape(month: LeaseMonth, now_us: int, practice: Practice) -> ReconciliationShape:
    """A lease's month, reported against observed; the effect is left out of the sum where a side is unknown."""
    judged, effects = month.judged(practice), month.effects()
    own = month.observed.get(month.asset_id)
    told = month.reported.get(month.asset_id)
    reason = {}
    if own is None or own.coverage is None:
        reason["coverage"] = "not_observed" if own is None or own.reason is None else own.reason
    if month.report_coverage is None:
        reason["report_coverage"] = "one_report_for_the_month" if told is not None else "no_report"
    if not month.accounts:
        reason["effect"] = "no_reserve_accounts"
    if month.unreadable is not None:
        reason |= dict.fromkeys(("status", "comparisons", "effects", "effect"), UNREADABLE)
    return ReconciliationShape(
        lease_id=month.lease_id, lease_reference=month.reference, lessee=month.lessee, asset_id=month.asset_id,
        asset_name=month.names[month.asset_id][1], month=month.month.name, from_=to_rfc3339(month.month.from_us),
        to=to_rfc3339(month.month.to_us),
        status="undecided" if month.unreadable is not None
        else status_of(judged, received=told is not None, month=month.month, now_us=now_us, practice=practice),
        coverage=None if own is None else own.coverage, report_coverage=month.report_coverage,
        is_estimate=is_estimate(None if own is None else own.coverage, month.month.last, practice),
        method=[] if own is None else list(own.methods), sources={} if own is None else own.sources,
        reports=sorted({each.row_id for each in month.reported.values()}), comparisons=[_comparison(each) for each in judged],
        fuel_gaps=[fuel_balance_shape(each) for each in month.fuel_gaps],
        effects=[_effect(each, month.names) for each in effects],
        effect=totals((each.account.currency, each.difference) for each in effects), reason=reason,
    )  # fmt: skip


def charges_shape(month: LeaseMonth, basis: str, practice: Practice) -> ChargesShape:
    """Minimum use and excess cycles of a month, by the lease's own terms, on one basis."""
    seen, told = month.observed.get(month.asset_id), month.reported.get(month.asset_id)
    figures = (None if told is None else told.figures) if basis == "reported" else (None if seen is None else seen.figures)
    coverage = 1.0 if basis == "reported" and told is not None else None if seen is None else seen.coverage
    items = [each for each in (_minimum(month, figures), _excess(month, figures)) if each is not None]
    reason = {} if items else {"items": "lease_has_no_such_terms"}
    if coverage is None:
        reason["coverage"] = "no_report" if basis == "reported" else "not_observed"
    return ChargesShape(
        lease_id=month.lease_id, month=month.month.name, from_=to_rfc3339(month.month.from_us), to=to_rfc3339(month.month.to_us),
        basis=basis, coverage=coverage, is_estimate=is_estimate(coverage, month.month.last, practice),
        method=["lessee_report"] if basis == "reported" else [] if seen is None else list(seen.methods),
        sources={} if basis == "reported" or seen is None else seen.sources, items=items, reason=reason,
    )  # fmt: skip


def _minimum(month: LeaseMonth, figures: dict[str, Decimal] | None) -> ChargeShape | None:
    term = month.terms.min_utilization
    if term is None:
        return None
    agreed = minimum_for(term, month.month.share)
    actual = month_use(figures, month.month.share).quantities.get(term.unit)
    if term.unit == "nm" and figures is not None:
        actual = figures.get("distance_nm")
    reason = {"rate": "lease_names_no_price", "amount": "lease_names_no_price"}
    if actual is None:
        reason |= dict.fromkeys(("actual", "billable", "excess"), "quantity_unknown")
    billed = None if actual is None else billable(actual, agreed)
    return ChargeShape(
        kind="minimum_use", unit=term.unit, actual=number(actual), agreed=number(agreed), billable=number(billed),
        excess=None if actual is None or billed is None else number(billed - actual), rate=None, amount=None, currency=None,
        reason=reason,
    )  # fmt: skip


def _excess(month: LeaseMonth, figures: dict[str, Decimal] | None) -> ChargeShape | None:
    ratio, price = month.terms.assumed_ratio, month.terms.excess_cycle_rate
    if ratio is None or price is None:
        return None
    hours, cycles = (None if figures is None else figures.get(name) for name in ("flight_h", "cycles"))
    if hours is None or cycles is None:
        return ChargeShape(
            kind="excess_cycles", unit="fc", actual=number(cycles), agreed=None, billable=None, excess=None,
            rate=cents(price.amount, price.currency), amount=None, currency=price.currency,
            reason=dict.fromkeys(("agreed", "billable", "excess", "amount"), "quantity_unknown"),
        )  # fmt: skip
    charge = excess_cycles(hours, cycles, ratio, price.amount, price.currency)
    return ChargeShape(
        kind="excess_cycles", unit="fc", actual=number(cycles), agreed=number(charge.allowed_cycles),
        billable=number(charge.excess_cycles), excess=number(charge.excess_cycles), rate=charge.rate, amount=charge.amount,
        currency=price.currency, reason={},
    )  # fmt: skip
