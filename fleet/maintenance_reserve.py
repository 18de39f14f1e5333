"""Maintenance reserves: what a lessee pays each month for the next event of each part, and what it may claim once it is done.

A rate is the expected cost of an event over its expected interval. Every bucket (a check, a gear, an APU, an engine's
restoration, ONE life-limited part of one engine) is an account of its own: buckets never fund each other, and parts of different
lives are no pool (domain.md 1.4). Money is Decimal: the rate is rounded to cents, then the line, then lines are summed. The same
code serves trainsets, whose drivers are car kilometres, door cycles and months (domain.md 4).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

import msgspec

from fleet.money import ZERO, cents, total
from fleet.utilization import DRIVERS, Driver, fh_fc_ratio

RatioMode = Literal["step", "linear"]
EntryKind = Literal["accrual", "payment", "claim", "payout", "adjustment", "retained_at_end"]
RatioTable = tuple[tuple[Decimal, Decimal], ...]
TABLE_ROWS_MAX = 50
FACTORS_MAX = 20
FIGURE_MAX = Decimal(10) ** 12  # chosen: a price or interval beyond it is a typing error
FACTOR_MAX = Decimal(100)  # chosen, as above
ESCALATION_PCT_MAX = Decimal(100)  # chosen, as above
AMOUNT_MAX = Decimal(10) ** 16  # what the ledger's numeric(18, 2) holds
ONE = Decimal(1)

EXCLUSIONS = {
    "foreign_object": "damage by a foreign object",
    "misuse": "misuse, neglect or an accident",
    "llp_in_restoration": "life-limited parts inside an engine restoration's invoice",
    "quick_engine_change": "parts of the quick-engine-change kit",
    "modification": "modifications and upgrades",
    "transport": "transport, insurance and handling",
    "late_claim": "claimed after the time the lease allows",
    "other": "excluded by the lease for another reason",
}
"""Why a line of an invoice is not reimbursed (domain.md 1.4, usual exclusions [K]); the lease decides which apply."""


class LifeLimitedPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part with a hard life: `list_price` of a new one, `cycle_limit` in flight cycles."""

    part: str
    list_price: Decimal
    cycle_limit: int


class IndexPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A published index's value from a day on."""

    valid_from: date
    value: Decimal


class RateTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one bucket's rate comes about. One of four bases: `rate`, `ratio_table`, `parts`, or `event_cost` with `interval`.

    Attributes:
        driver: what the rate is per: fh, fc, apuh, month, car_km, door_cycle.
        rate: a price per driver unit.
        ratio_table: rows (FH per FC, price per driver unit), ratios ascending; clamped outside.
        ratio_mode: `linear` between rows, or `step`: the row of the highest ratio not above.
        assumed_ratio: the ratio taken where a month has no cycle.
        parts: life-limited parts whose price over life is summed (driver fc).
        stub_factor: share of a part's life that can actually be used, 0 < f ≤ 1.
        event_cost: expected cost of the event, with `interval` in driver units.
        factors: severity factors by name (`derate`, `environment`, `age`), multiplied.
        rate_date: day the price is of; escalation counts whole years from it.
        escalation_pct: fixed escalation a year, compounded.
        escalation_index: or an index: its value at the month over its value at `rate_date`.
        rate_floor: the rate is never below, after factors and escalation.
    """

    driver: Driver
    rate: Decimal | None = None
    ratio_table: RatioTable | None = None
    ratio_mode: RatioMode = "linear"
    assumed_ratio: Decimal | None = None
    parts: tuple[LifeLimitedPart, ...] | None = None
    stub_factor: Decimal = ONE
    event_cost: Decimal | None = None
    interval: Decimal | None = None
    factors: dict[str, Decimal] = {}
    rate_date: date | None = None
    escalation_pct: Decimal | None = None
    escalation_index: tuple[IndexPoint, ...] | None = None
    rate_floor: Decimal | None = None


class TermsFault(msgspec.Struct, frozen=True):
    """What is wrong with terms: the member, and a sentence."""

    member: str
    detail: str


def terms_faults(terms: RateTerms) -> list[TermsFault]:
    """Everything wrong with terms beyond their types; empty where they can be used for an account of its own."""
    bases = {
        "rate": terms.rate, "ratio_table": terms.ratio_table, "parts": terms.parts, "event_cost": terms.event_cost
    }  # fmt: skip
    faults = _figure_faults(terms)
    if faults:
        return faults
    given = [name for name, value in bases.items() if value is not None]
    faults = [] if len(given) == 1 else [TermsFault("rate", f"give exactly one of {', '.join(bases)}")]
    checks = (
        (terms.rate is not None and terms.rate < 0, "rate", "is negative"),
        (terms.rate_floor is not None and terms.rate_floor < 0, "rate_floor", "is negative"),
        (not 0 < terms.stub_factor <= 1, "stub_factor", "is above 0 and at most 1"),
        (any(factor <= 0 for factor in terms.factors.values()), "factors", "are positive"),
        (terms.assumed_ratio is not None and terms.assumed_ratio <= 0, "assumed_ratio", "is positive"),
        ((terms.event_cost is None) != (terms.interval is None), "interval", "goes with event_cost"),
        (terms.interval is not None and terms.interval <= 0, "interval", "is positive"),
        (terms.event_cost is not None and terms.event_cost < 0, "event_cost", "is negative"),
        (terms.parts is not None and terms.driver != "fc", "driver", "of life-limited parts is fc"),
        (terms.ratio_table is not None and terms.driver != "fh", "driver", "of a ratio table is fh"),
        (None not in {terms.escalation_pct, terms.escalation_index}, "escalation_index", "or a percentage, not both"),
        (_escalates(terms) and terms.rate_date is None, "rate_date", "escalation counts from it"),
        (_index_begins_late(terms), "escalation_index", "has no value at rate_date"),
    )
    faults += [TermsFault(member, detail) for wrong, member, detail in checks if wrong]
    return faults + _table_faults(terms.ratio_table) + _part_faults(terms.parts)


def _figure_faults(terms: RateTerms) -> list[TermsFault]:
    """Numbers that are none, or beyond what a price can be: nothing else can be said of them."""
    table = [figure for row in terms.ratio_table or () for figure in row]
    index = [point.value for point in terms.escalation_index or ()]
    figures: dict[str, list[Decimal]] = {
        "rate": [terms.rate or ZERO], "ratio_table": table, "parts": [part.list_price for part in terms.parts or ()],
        "event_cost": [terms.event_cost or ZERO], "interval": [terms.interval or ONE], "stub_factor": [terms.stub_factor],
        "assumed_ratio": [terms.assumed_ratio or ONE], "rate_floor": [terms.rate_floor or ZERO], "escalation_index": index,
    }  # fmt: skip
    bounded = {**dict.fromkeys(figures, FIGURE_MAX), "factors": FACTOR_MAX, "escalation_pct": ESCALATION_PCT_MAX}
    figures |= {"factors": list(terms.factors.values()), "escalation_pct": [terms.escalation_pct or ZERO]}
    faults = [
        TermsFault(member, f"is a number, of at most {bounded[member]:f}")
        for member, values in figures.items()
        if not all(value.is_finite() and abs(value) <= bounded[member] for value in values)
    ]
    if any(value <= 0 for value in index if value.is_finite()):
        faults.append(TermsFault("escalation_index", "has positive values"))
    if len(terms.factors) > FACTORS_MAX:
        faults.append(TermsFault("factors", f"are {FACTORS_MAX} at most"))
    if terms.escalation_pct is not None and terms.escalation_pct.is_finite() and terms.escalation_pct <= -ESCALATION_PCT_MAX:
        faults.append(TermsFault("escalation_pct", "leaves nothing of the price"))
    return faults


def _escalates(terms: RateTerms) -> bool:
    return terms.escalation_pct is not None or terms.escalation_index is not None


def _index_begins_late(terms: RateTerms) -> bool:
    points, base = terms.escalation_index, terms.rate_date
    return points is not None and base is not None and all(point.valid_from > base for point in points)


def _table_faults(table: RatioTable | None) -> list[TermsFault]:
    if table is None:
        return []
    rising = all(one[0] < other[0] for one, other in pairwise(table))
    sound = 0 < len(table) <= TABLE_ROWS_MAX and rising and all(ratio > 0 and rate >= 0 for ratio, rate in table)
    return [] if sound else [TermsFault("ratio_table", f"has 1 to {TABLE_ROWS_MAX} rows, ratios ascending, nothing negative")]


def _part_faults(parts: Sequence[LifeLimitedPart] | None) -> list[TermsFault]:
    if parts is None:
        return []
    if len(parts) != 1:
        return [TermsFault("parts", "hold one part: each has an account of its own, parts with different lives are no pool")]
    sound = parts[0].cycle_limit > 0 and parts[0].list_price >= 0
    return [] if sound else [TermsFault("parts", "have a positive cycle_limit and a list_price that is not negative")]


def table_rate(ratio: Decimal, table: RatioTable, mode: RatioMode) -> Decimal:
    """The unrounded price at an FH:FC ratio (domain.md 1.4, golden AC5); outside the table its first or last price.

    `linear` interpolates between rows, `step` takes the row of the highest ratio that is not above. `table` is ascending and not
    empty (see `terms_faults`).
    """
    if ratio <= table[0][0]:
        return table[0][1]
    for (low, low_rate), (high, high_rate) in pairwise(table):
        if ratio < high:
            return low_rate if mode == "step" else low_rate + (high_rate - low_rate) * (ratio - low) / (high - low)
    return table[-1][1]


def whole_years(since: date, on: date) -> int:
    """Anniversaries passed from a day to another, never negative; that of 29 February is 1 March in a common year."""
    years = on.year - since.year - ((on.month, on.day) < (since.month, since.day))
    return max(0, years)


def escalation(terms: RateTerms, on: date) -> Decimal:
    """Factor from the price's own date to a day: (1 + pct)^whole years, or the index's growth (domain.md 1.4). 1 without either.

    An index counts from its last value at or before each of the two days.
    """
    if terms.rate_date is None or on <= terms.rate_date:
        return ONE
    if terms.escalation_pct is not None:
        return (1 + terms.escalation_pct / 100) ** whole_years(terms.rate_date, on)
    if terms.escalation_index is not None:
        return _index_at(terms.escalation_index, on) / _index_at(terms.escalation_index, terms.rate_date)
    return ONE


def _index_at(points: Sequence[IndexPoint], on: date) -> Decimal:
    held = [point for point in points if point.valid_from <= on]
    return max(held, key=lambda point: point.valid_from).value


def adjusted_rate(
    base: Decimal, factors: Iterable[Decimal] = (), grown: Decimal = ONE, floor: Decimal | None = None, currency: str = "USD"
) -> Decimal:  # fmt: skip
    """Rate to cents: base × severity factors × escalation, not below the floor (domain.md 1.4, golden AC6)."""
    rate = base * grown
    for factor in factors:
        rate *= factor
    return cents(rate if floor is None else max(rate, floor), currency)


def llp_rate(parts: Iterable[LifeLimitedPart], stub_factor: Decimal = ONE) -> Decimal:
    """Unrounded price per flight cycle of life-limited parts: Σ list price / cycle limit, over the usable share of life.

    domain.md 1.4, golden AC7. Of several parts it is the sum of their rates, for a lease that states one rate an engine; the
    money is still kept part by part.
    """
    return sum((part.list_price / part.cycle_limit for part in parts), ZERO) / stub_factor


def interval_rate(event_cost: Decimal, interval: Decimal) -> Decimal:
    """Unrounded price per driver unit of an event that comes every so many of them (domain.md 1.4, golden AC8)."""
    return event_cost / interval


def governing_months(interval_months: Decimal, limit: Decimal | None = None, use_per_month: Decimal | None = None) -> Decimal:
    """Months until an event that is due by the calendar or by use, whichever is first (landing gear; domain.md 1.4, golden AC8).

    `limit` and `use_per_month` in the same unit (flight cycles); without either, or without use, the calendar governs.
    """
    if limit is None or not use_per_month:
        return interval_months
    return min(interval_months, limit / use_per_month)


def line_amount(rate: Decimal, quantity: Decimal, currency: str = "USD") -> Decimal:
    """Line of an invoice: a rate that is rounded already times the use, to cents (domain.md 1.4)."""
    return cents(rate * quantity, currency)


class MonthUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one account's asset did in a month, by driver; a driver that is absent is unknown.

    `ratio_h` and `ratio_cycles` give the FH:FC ratio, which may be the airframe's or of several months' sums.
    """

    quantities: dict[str, Decimal]
    ratio_h: Decimal | None = None
    ratio_cycles: Decimal | None = None


class AccrualLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a month: rate × quantity, and how the rate came about. `amount` None: unknown, `reason` says why.

    Reasons: `quantity_unknown`, `ratio_unknown`, `no_rate_in_force`, `beyond_the_ledger` (more than it can hold). `workings`
    holds base, ratio, mode, factors, escalation and floor, as text.
    """

    driver: str
    quantity: Decimal | None
    rate: Decimal | None
    amount: Decimal | None
    workings: dict[str, Any]
    reason: str | None = None


def accrue(terms: RateTerms, use: MonthUse, on: date, currency: str = "USD") -> AccrualLine:
    """The line of one bucket for one month (domain.md 1.4, golden AC5 to AC9).

    Args:
        terms: how the rate comes about; without faults (`terms_faults`).
        use: of the bucket's own asset: an engine's hours are those of its serial number.
        on: the first day of the month, to which prices are escalated.
        currency: ISO 4217, of the account.
    """
    quantity = use.quantities.get(terms.driver)
    workings: dict[str, Any] = {"driver": terms.driver, "unit": DRIVERS[terms.driver].unit}
    base = _base(terms, use, workings)
    if base is None:
        return AccrualLine(
            driver=terms.driver, quantity=quantity, rate=None, amount=None, workings=workings, reason="ratio_unknown"
        )  # fmt: skip
    grown = escalation(terms, on)
    if base * grown * math.prod(terms.factors.values()) * max(ONE, quantity or ONE) >= AMOUNT_MAX:
        return AccrualLine(
            driver=terms.driver, quantity=quantity, rate=None, amount=None, workings=workings, reason="beyond_the_ledger"
        )  # fmt: skip
    rate = adjusted_rate(base, terms.factors.values(), grown, terms.rate_floor, currency)
    workings |= {"base_rate": str(base), "factors": {name: str(factor) for name, factor in terms.factors.items()}}
    workings |= {"escalation": str(grown), "rate_floor": None if terms.rate_floor is None else str(terms.rate_floor)}
    if quantity is None:
        return AccrualLine(
            driver=terms.driver, quantity=None, rate=rate, amount=None, workings=workings, reason="quantity_unknown"
        )  # fmt: skip
    amount = line_amount(rate, quantity, currency)
    return AccrualLine(driver=terms.driver, quantity=quantity, rate=rate, amount=amount, workings=workings)


def _base(terms: RateTerms, use: MonthUse, workings: dict[str, Any]) -> Decimal | None:
    """Unrounded base price, None where it hangs on a ratio that nobody knows."""
    if terms.ratio_table is not None:
        ratio = None
        if use.ratio_h is not None and use.ratio_cycles is not None:
            ratio = fh_fc_ratio(use.ratio_h, use.ratio_cycles)
        taken = terms.assumed_ratio if ratio is None else ratio
        if taken is None:
            return None
        workings |= {"fh_fc_ratio": str(taken), "ratio_mode": terms.ratio_mode, "ratio_assumed": ratio is None}
        return table_rate(taken, terms.ratio_table, terms.ratio_mode)
    if terms.parts is not None:
        workings["stub_factor"] = str(terms.stub_factor)
        return llp_rate(terms.parts, terms.stub_factor)
    if terms.event_cost is not None and terms.interval is not None:
        workings |= {"event_cost": str(terms.event_cost), "interval": str(terms.interval)}
        return interval_rate(terms.event_cost, terms.interval)
    if terms.rate is None:
        raise ValueError("terms without a basis: see terms_faults")
    return terms.rate


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the append-only ledger; nothing is edited or removed. Only adjustments and reversals may be negative.

    - accrual: the lessee owes it; payment: it was received and is held.
    - adjustment: of what is owed, either sign: a month was restated.
    - claim: what the lessee asked for after an event, eligible or not; moves nothing by itself.
    - payout: reimbursed out of what is held; retained_at_end: what the lessor keeps when the lease ends.
    """

    bucket: str
    kind: EntryKind
    amount: Decimal


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket after all its entries.

    `owed` = accruals + adjustments − payments, what the lessee has yet to pay (negative: paid ahead); `held` = payments −
    payouts − retained, what a claim may draw on; `accrued`, `paid_in`, `paid_out` and `retained` are sums.
    """

    accrued: Decimal = ZERO
    paid_in: Decimal = ZERO
    paid_out: Decimal = ZERO
    retained: Decimal = ZERO

    @property
    def owed(self) -> Decimal:
        """What the lessee has yet to pay in."""
        return self.accrued - self.paid_in

    @property
    def held(self) -> Decimal:
        """What a claim may draw on."""
        return self.paid_in - self.paid_out - self.retained


_COLUMNS: dict[str, str | None] = {
    "accrual": "accrued", "adjustment": "accrued", "payment": "paid_in", "claim": None, "payout": "paid_out",
    "retained_at_end": "retained",
}  # fmt: skip


def balances(entries: Iterable[Entry]) -> dict[str, Balance]:
    """Balance of each bucket, from its own entries alone, in any order of them."""
    found: dict[str, dict[str, Decimal]] = {}
    for entry in entries:
        sums = found.setdefault(entry.bucket, {})
        column = _COLUMNS[entry.kind]
        if column is not None:
            sums[column] = sums.get(column, ZERO) + entry.amount
    return {bucket: Balance(**sums) for bucket, sums in found.items()}


class Exclusion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of an invoice that is not reimbursed: why (`EXCLUSIONS`) and how much."""

    reason: str
    amount: Decimal


class Drawdown(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim comes to. `from_bucket` leaves the account; `lessor_contribution` is the lessor's own money.

    `paid` is their sum, `shortfall` what of the eligible cost stays with the lessee, `balance_after` what the bucket then holds.
    `lessor_share` is unrounded.
    """

    eligible: Decimal
    lessor_share: Decimal
    lessor_contribution: Decimal
    from_bucket: Decimal
    paid: Decimal
    shortfall: Decimal
    balance_after: Decimal


def drawdown(
    invoice: Decimal, exclusions: Iterable[Exclusion], held: Decimal, *, lessor_share: Decimal = ZERO, currency: str = "USD"
) -> Drawdown:  # fmt: skip
    """What a lessee gets when the event was done, out of the event's own bucket (domain.md 1.4, golden AC10 and AC11).

    eligible = invoice − excluded; paid = eligible × share + min(eligible × (1 − share), held).

    Args:
        invoice: the shop's invoice.
        exclusions: what of it is not reimbursed.
        held: what the bucket holds at the event; a negative counts as nothing.
        lessor_share: of the event's use, the share before delivery (`lessor_share`); 0 without such a clause.
        currency: ISO 4217.

    Raises:
        ValueError: more excluded than invoiced, or a share outside 0 to 1.
    """
    excluded = total(each.amount for each in exclusions)
    eligible = cents(invoice, currency) - excluded
    if eligible < 0:
        raise ValueError("more is excluded than was invoiced")
    if not 0 <= lessor_share <= 1:
        raise ValueError("a share lies between 0 and 1")
    contribution = cents(eligible * lessor_share, currency)
    from_bucket = min(eligible - contribution, max(held, ZERO))
    paid = contribution + from_bucket
    return Drawdown(
        eligible=eligible, lessor_share=lessor_share, lessor_contribution=contribution, from_bucket=from_bucket, paid=paid,
        shortfall=eligible - paid, balance_after=held - from_bucket,
    )  # fmt: skip


def lessor_share(use_before_delivery: Decimal, use_at_event: Decimal) -> Decimal:
    """Share of an event that the lessor bears, because so much of its use was before delivery (domain.md 1.4 [K], golden AC11).

    Both since the last such event, in the driver's unit. Raises ValueError where more was used before than in all.
    """
    if not 0 <= use_before_delivery <= use_at_event or use_at_event == 0:
        raise ValueError("use before delivery is a part of the use at the event")
    return use_before_delivery / use_at_event


def month_total(lines: Mapping[str, AccrualLine] | Iterable[AccrualLine]) -> tuple[Decimal, int]:
    """Sum of a month's known lines, and how many are unknown (golden AC9): a sum that leaves some out must say so."""
    each = list(lines.values()) if isinstance(lines, Mapping) else list(lines)
    known = [line.amount for line in each if line.amount is not None]
    return total(known), len(each) - len(known)
