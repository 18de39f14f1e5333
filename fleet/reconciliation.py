"""A lease's month: what was reported and observed of each of its serial numbers, and what that comes to in money.

Pure: figures and terms in, lines out. A line's difference is what the observed use would cost more than the reported one, each
priced at its own FH:FC ratio, because that is what an invoice would say (domain.md 1.3, 1.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Literal

import msgspec

from fleet.instants import from_datetime
from fleet.lease import Terms, UnreadableTerms
from fleet.maintenance_reserve import AccrualLine, MonthUse, RateTerms, accrue
from fleet.money import ZERO, exact
from fleet.noon_report import BalanceFinding
from fleet.practice import Practice
from fleet.utilization import DRIVERS, HOUSE, Comparison, compare

Status = Literal["not_due", "awaited", "overdue", "within", "out_of_tolerance", "undecided"]
MEASURES = ("flight_h", "cycles", "car_km", "distance_nm")


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar month of a billing zone, and the part of it that an asset was under lease: [from_us, to_us), UTC.

    `first` is its first day; `share` the part held, by time.
    """

    first: date
    begin_us: int
    end_us: int
    from_us: int
    to_us: int

    @property
    def name(self) -> str:
        """`2026-05`."""
        return f"{self.first:%Y-%m}"

    @property
    def last(self) -> date:
        """Its last day."""
        return next_month(self.first) - timedelta(days=1)

    @property
    def share(self) -> Decimal:
        """Share of the month under lease, by time: the quantity of a calendar driver (chosen, DECISIONS 134)."""
        return Decimal(self.to_us - self.from_us) / (self.end_us - self.begin_us)


def next_month(first: date) -> date:
    """The first day of the following month."""
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def month_of(first: date, zone: tzinfo, held: Iterable[tuple[int | None, int | None]] = ((None, None),)) -> Month | None:
    """A month in a billing zone, cut to when the asset was under lease; None where it was not, in that month.

    Args:
        first: the month's first day.
        zone: of the lease's billing: months begin at its midnight.
        held: tenures, in microseconds UTC, half-open, None open; the hull of their parts inside the month is taken.
    """
    begin_us = from_datetime(datetime(first.year, first.month, 1, tzinfo=zone))
    after = next_month(first)
    end_us = from_datetime(datetime(after.year, after.month, 1, tzinfo=zone))
    parts = [
        (max(begin_us, begin_us if from_us is None else from_us), min(end_us, end_us if to_us is None else to_us))
        for from_us, to_us in held
    ]
    inside = [(from_us, to_us) for from_us, to_us in parts if from_us < to_us]
    if not inside:
        return None
    from_us, to_us = min(each[0] for each in inside), max(each[1] for each in inside)
    return Month(first=first, begin_us=begin_us, end_us=end_us, from_us=from_us, to_us=to_us)


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What telemetry says of an asset in a period. A measure that is absent was not observed; `reason` says why none was.

    `coverage` is observed time by time, `sources` each source's share of it, `methods` the rules behind.
    """

    figures: dict[str, Decimal]
    coverage: float | None
    methods: tuple[str, ...] = ()
    sources: dict[str, float] = {}
    reason: str | None = None


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says of one asset: its figures, the row behind it (`id/revision`), and whose it is where that is another's.

    `taken_from` names the asset whose figures stand in for an engine that was not reported but sat there all the time.
    """

    figures: dict[str, Decimal]
    row_id: str
    taken_from: str | None = None


class AccountOfMonth(msgspec.Struct, frozen=True, kw_only=True):
    """A reserve account as a month needs it; `terms` None: no price holds then."""

    account_id: str
    asset_id: str
    bucket: str
    currency: str
    terms: RateTerms | None


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One account's month, priced twice. `difference` = observed − reported; None where either is unknown."""

    account: AccountOfMonth
    reported: AccrualLine
    observed: AccrualLine
    difference: Decimal | None


def figures_of(document: Mapping[str, Any]) -> dict[str, Decimal]:
    """The numbers of a report by their names, without a float's tail."""
    return {
        name: exact(value) for name, value in document.items() if isinstance(value, int | float) and not isinstance(value, bool)
    }


def month_use(figures: Mapping[str, Decimal] | None, share: Decimal) -> MonthUse:
    """Figures as drivers: what a reserve line is priced by. The calendar is known even where nothing was reported."""
    known = figures or {}
    quantities = {
        driver: known[name] for driver, traits in DRIVERS.items() if (name := traits.figure) in known and name is not None
    }
    return MonthUse(
        quantities={**quantities, "month": share}, ratio_h=known.get("flight_h"), ratio_cycles=known.get("cycles")
    )  # fmt: skip


def line_of(account: AccountOfMonth, figures: Mapping[str, Decimal] | None, month: Month) -> AccrualLine:
    """An account's line of a month on given figures; without a price in force its amount is unknown (`no_rate_in_force`)."""
    if account.terms is None:
        return AccrualLine(driver="", quantity=None, rate=None, amount=None, workings={}, reason="no_rate_in_force")
    return accrue(account.terms, month_use(figures, month.share), month.first, account.currency)


def effects(
    accounts: Iterable[AccountOfMonth],
    reported: Mapping[str, Reported],
    observed: Mapping[str, Observation],
    month: Month,
) -> list[Effect]:
    """What each account's month costs by the report and by what was observed; figures by asset id."""
    found = []
    for account in accounts:
        told, seen = reported.get(account.asset_id), observed.get(account.asset_id)
        by_report = line_of(account, None if told is None else told.figures, month)
        by_telemetry = line_of(account, None if seen is None else seen.figures, month)
        known = by_report.amount is not None and by_telemetry.amount is not None
        difference = (by_telemetry.amount or ZERO) - (by_report.amount or ZERO) if known else None
        found.append(Effect(account=account, reported=by_report, observed=by_telemetry, difference=difference))
    return found


def totals(amounts: Iterable[tuple[str, Decimal | None]]) -> dict[str, Decimal]:
    """Sums by currency of (currency, amount); what is unknown is left out, currencies are never mixed."""
    found: dict[str, Decimal] = {}
    for currency, amount in amounts:
        if amount is not None:
            found[currency] = found.get(currency, ZERO) + amount
    return found


def comparisons(
    reported: Reported | None, observed: Observation | None, on: date, practice: Practice = HOUSE,
    report_coverage: float | None = None,
) -> list[Comparison]:  # fmt: skip
    """Each measure that either side has, reported against observed (`fleet.utilization.compare`).

    Where reports cover a part of the period only (noon reports), the lesser of both coverages decides.
    """
    told = {} if reported is None else reported.figures
    seen = {} if observed is None else observed.figures
    coverage = None if observed is None else observed.coverage
    if coverage is not None and report_coverage is not None:
        coverage = min(coverage, report_coverage)
    return [
        compare(measure, seen.get(measure), told.get(measure), coverage, on, practice)
        for measure in MEASURES
        if measure in told or measure in seen
    ]


def status_of(judged: Sequence[Comparison], *, received: bool, month: Month, now_us: int, practice: Practice = HOUSE) -> Status:
    """Where a month's report stands: not due before the month is over, awaited until `report_due_days` after, then overdue.

    Once it is there: out of tolerance if any measure is, within if at least one could be judged, else undecided.
    """
    if not received:
        if now_us < month.end_us:
            return "not_due"
        due_us = month.end_us + int(practice.number("utilization.report_due_days", month.last) * 86_400_000_000)
        return "awaited" if now_us < due_us else "overdue"
    verdicts = {each.verdict for each in judged}
    if verdicts & {"under_reported", "over_reported"}:
        return "out_of_tolerance"
    return "within" if "within" in verdicts else "undecided"


class LeaseMonth(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a lease's month is judged and billed by; figures by asset id, `names` are (class, name) of those assets.

    `report_coverage` is the reported share of the period (noon reports; None: not counted), `fuel_gaps` where their tanks do not
    add up. `observed_when_reported` is what the lease's own asset was observed to do in the time that those reports speak of;
    None where that is all of the period, or nothing was observed in it. `unreadable` says why the lease's terms cannot be read
    (None: they can): the month is then one of UTC, `terms` are a silent paper's, and neither a verdict nor money follows.
    """

    lease_id: str
    reference: str | None
    lessee: str | None
    asset_id: str
    month: Month
    terms: Terms
    accounts: tuple[AccountOfMonth, ...]
    reported: dict[str, Reported]
    observed: dict[str, Observation]
    names: dict[str, tuple[str, str]]
    report_coverage: float | None = None
    observed_when_reported: Observation | None = None
    fuel_gaps: tuple[BalanceFinding, ...] = ()
    unreadable: UnreadableTerms | None = None

    def judged(self, practice: Practice = HOUSE) -> list[Comparison]:
        """The lease's own asset, reported against observed in the same time: a day without a report is not an under-report."""
        if self.unreadable is not None:
            return []
        observed = self.observed_when_reported or self.observed.get(self.asset_id)
        return comparisons(self.reported.get(self.asset_id), observed, self.month.last, practice, self.report_coverage)

    def effects(self) -> list[Effect]:
        """Every account, priced by report and by observation."""
        if self.unreadable is not None:
            return []
        return effects(self.accounts, self.reported, self.observed, self.month)
