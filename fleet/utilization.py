"""Use as a lease counts it: what is measured, what a lessee reported against what was observed, minimum use, excess cycles.

Hours are flight hours, wheels-off to wheels-on, never block hours (domain.md 1.1). Quantities are Decimal or float as given;
ratios are never rounded here and never averaged: a ratio over months is the ratio of the sums. Unknown is None with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec

from fleet import noon_report, use
from fleet.money import ZERO, cents, exact
from fleet.practice import Figure, Practice

Driver = Literal["fh", "fc", "apuh", "month", "car_km", "door_cycle"]
Verdict = Literal["within", "under_reported", "over_reported", "undecided"]


class DriverTraits(msgspec.Struct, frozen=True):
    """How a driver of cost is counted: the figure of a report that holds it (None: the calendar), and what one of it is."""

    figure: str | None
    unit: str


DRIVERS: dict[str, DriverTraits] = {
    "fh": DriverTraits("flight_h", "flight hour"),
    "fc": DriverTraits("cycles", "flight cycle"),
    "apuh": DriverTraits("apu_h", "APU hour"),
    "month": DriverTraits(None, "calendar month"),
    "car_km": DriverTraits("car_km", "car kilometre"),
    "door_cycle": DriverTraits("door_cycles", "door cycle"),
}
"""What wear is counted by (domain.md 1.4 and 4). Hours and cycles of an engine, an APU or a gear belong to its serial number."""


def _chosen(name: str, value: float, why: str) -> Figure:
    return Figure(name=f"utilization.{name}", value=value, source=why)


FIGURES = (
    _chosen("reconciliation_coverage_min", 0.95, "domain.md 1.3 [D]: below it nobody is told that a report is wrong"),
    _chosen("flight_h_tolerance_pct", 2.0, "domain.md 1.3 [D]"),
    _chosen("flight_h_tolerance_h", 2.0, "domain.md 1.3 [D]"),
    _chosen("cycles_tolerance_pct", 1.0, "domain.md 1.3 [D]"),
    _chosen("cycles_tolerance_count", 1.0, "domain.md 1.3 [D]"),
    _chosen("car_km_tolerance_pct", 1.0, "chosen, DECISIONS 133: both sides read the same odometers"),
    _chosen("car_km_tolerance_km", 10.0, "chosen, DECISIONS 133"),
    _chosen("mismatch_months", 6.0, "chosen, DECISIONS 133: an older month has been invoiced, paid and audited"),
    _chosen("report_due_days", 10.0, "domain.md 5.4 [D]: report_overdue"),
)
"""What people agreed on about reports; a tenant's settings go before."""

HOUSE = Practice((*use.FIGURES, *noon_report.FIGURES, *FIGURES))

TOLERANCES = {
    "flight_h": ("flight_h_tolerance_pct", "flight_h_tolerance_h"),
    "cycles": ("cycles_tolerance_pct", "cycles_tolerance_count"),
    "car_km": ("car_km_tolerance_pct", "car_km_tolerance_km"),
}
"""Measures that are reconciled, each with the names of its relative and its absolute tolerance; a ship's distance has
that of `fleet.noon_report`."""


class MonthOfUse(msgspec.Struct, frozen=True, kw_only=True):
    """Measures of a period; None is unknown, and `reason` says why by the field's name."""

    fh_fc_ratio: Decimal | None
    avg_stage_h: Decimal | None
    daily_h: Decimal | None
    reason: dict[str, str] = {}


def fh_fc_ratio(flight_h: Decimal, cycles: Decimal) -> Decimal | None:
    """Flight hours per flight cycle, unrounded; None where there was no cycle (domain.md 1.3, golden AC5)."""
    return flight_h / cycles if cycles > 0 else None


def month_of_use(flight_h: Decimal, cycles: Decimal, days: int) -> MonthOfUse:
    """Ratio, average stage and daily use of a period of whole calendar days (domain.md 1.3, golden AC5).

    `daily_h` counts calendar days, not days flown. Raises ValueError for a period without days.
    """
    if days < 1:
        raise ValueError("a period has at least one day")
    ratio = fh_fc_ratio(flight_h, cycles)
    reason = {} if ratio is not None else {"fh_fc_ratio": "no_cycles", "avg_stage_h": "no_cycles"}
    return MonthOfUse(fh_fc_ratio=ratio, avg_stage_h=ratio, daily_h=flight_h / days, reason=reason)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One measure, reported against observed.

    `difference` = reported − observed, `difference_pct` of the observed (None where that is zero), `tolerance` in the measure's
    unit. `verdict` is `undecided` where `reason` says so (`coverage_below_minimum`, `coverage_unknown`, `not_observed`,
    `not_reported`, `no_tolerance`).
    """

    measure: str
    observed: Decimal | None
    reported: Decimal | None
    difference: Decimal | None
    difference_pct: Decimal | None
    tolerance: Decimal | None
    coverage: float | None
    verdict: Verdict
    reason: str | None = None


def tolerance(measure: str, observed: Decimal, on: date, practice: Practice = HOUSE) -> Decimal | None:
    """How far a report may be off: the larger of a share of the observed and an absolute amount; None for a measure without one.

    FH max(2 percent, 2.0 h), FC max(1 percent, 1) (domain.md 1.3 [D]), car-km as `FIGURES` has it, a ship's distance as
    `fleet.noon_report.distance_tolerance_nm`.
    """
    if measure == "distance_nm":
        return exact(noon_report.distance_tolerance_nm(float(observed), on, practice))
    names = TOLERANCES.get(measure)
    if names is None:
        return None
    share_pct, absolute = (exact(practice.number(f"utilization.{name}", on)) for name in names)
    return max(abs(observed) * share_pct / 100, absolute)


def compare(
    measure: str, observed: Decimal | None, reported: Decimal | None, coverage: float | None, on: date, practice: Practice = HOUSE
) -> Comparison:  # fmt: skip
    """Judge one reported figure by the observed one (domain.md 1.3 [D], golden AC23). Exactly at the tolerance is within.

    Args:
        measure: `flight_h`, `cycles`, `distance_nm`, `car_km`; another has no tolerance and stays undecided.
        observed: what telemetry says, None where nothing was observed.
        reported: what the lessee says, None where it does not.
        coverage: observed time by time of the period, 0 to 1; below `utilization.reconciliation_coverage_min` nothing is decided.
        on: the day whose figures of practice hold: the last of the period.
        practice: figures, a tenant's laid over the house's.
    """
    difference = None if observed is None or reported is None else reported - observed
    allowed = None if observed is None else tolerance(measure, observed, on, practice)
    reason = _undecided(observed, reported, coverage, practice.number("utilization.reconciliation_coverage_min", on))
    if reason is None and allowed is None:
        reason = "no_tolerance"
    verdict: Verdict = "undecided"
    if reason is None and difference is not None and allowed is not None:
        verdict = "within" if abs(difference) <= allowed else "under_reported" if difference < 0 else "over_reported"
    return Comparison(
        measure=measure, observed=observed, reported=reported, difference=difference,
        difference_pct=None if difference is None or not observed else difference / observed * 100,
        tolerance=allowed, coverage=coverage, verdict=verdict, reason=reason,
    )  # fmt: skip


def _undecided(observed: Decimal | None, reported: Decimal | None, coverage: float | None, coverage_min: float) -> str | None:
    if reported is None:
        return "not_reported"
    if observed is None:
        return "not_observed"
    if coverage is None:
        return "coverage_unknown"
    return "coverage_below_minimum" if coverage < coverage_min else None


def is_estimate(coverage: float | None, on: date, practice: Practice = HOUSE) -> bool:
    """Whether a figure of this coverage is an estimate and not billable: below the billable one, or unknown (domain.md 0)."""
    return coverage is None or coverage < practice.number(use.BILLABLE_COVERAGE, on)


def mismatch_evidence(comparisons: Sequence[Comparison], month: str) -> dict[str, Any] | None:
    """What `utilization_mismatch` says of a month (`2026-05`) with a measure out of tolerance; None where there is none.

    Plain numbers, the worst measure first by its difference in tolerances.
    """
    out = [each for each in comparisons if each.verdict in {"under_reported", "over_reported"}]
    if not out:
        return None

    def in_tolerances(each: Comparison) -> Decimal:
        return abs(each.difference or ZERO) / each.tolerance if each.tolerance else ZERO

    return {
        "month": month,
        "measures": [
            {
                "measure": each.measure, "verdict": each.verdict, "observed": _number(each.observed),
                "reported": _number(each.reported), "difference": _number(each.difference),
                "difference_pct": _number(each.difference_pct), "tolerance": _number(each.tolerance), "coverage": each.coverage,
            }
            for each in sorted(out, key=in_tolerances, reverse=True)
        ],
    }  # fmt: skip


def _number(value: Decimal | None) -> float | None:
    return None if value is None else round(float(value), 6)


def unreported_value(comparison: Comparison, rate: Decimal, units: int = 1, currency: str = "USD") -> Decimal | None:
    """What the unreported use is worth at a rate: rounded per unit (engine), then times the units (golden AC23).

    Positive where too little was reported, negative where too much; None where either side is unknown.
    """
    return None if comparison.difference is None else cents(-comparison.difference * rate, currency) * units


class MinimumUse(msgspec.Struct, frozen=True, kw_only=True):
    """The least use a lease bills (domain.md 5.1 `min_utilization`): `amount` of `unit`, per calendar month or year.

    `unit` is a driver, `nm` or `at_sea_h`.
    """

    unit: str
    per: Literal["month", "year"] = "month"
    amount: Decimal


def billable(actual: Decimal, minimum: Decimal) -> Decimal:
    """Use that is billed: the larger of actual and minimum (domain.md 1.3 [K], golden AC21)."""
    return max(actual, minimum)


def minimum_for(term: MinimumUse, share: Decimal) -> Decimal:
    """The minimum of a month of which `share` was under lease; a year's is spread over twelve months (chosen, DECISIONS 134).

    Raises ValueError for a share that is none.
    """
    if not 0 <= share <= 1:
        raise ValueError("a share lies between 0 and 1")
    return (term.amount if term.per == "month" else term.amount / 12) * share


class ExcessCycles(msgspec.Struct, frozen=True, kw_only=True):
    """Cycles beyond what the hours allow, and what they cost; quantities unrounded, the amount to cents."""

    allowed_cycles: Decimal
    excess_cycles: Decimal
    rate: Decimal
    amount: Decimal


def excess_cycles(
    flight_h: Decimal, cycles: Decimal, assumed_ratio: Decimal, rate: Decimal, currency: str = "USD"
) -> ExcessCycles:  # fmt: skip
    """Charge for short sectors: max(0, FC − FH / assumed ratio) × rate (domain.md 1.3: our model [K], golden AC22).

    Raises ValueError for a ratio that is not positive.
    """
    if assumed_ratio <= 0:
        raise ValueError("an assumed ratio is positive")
    allowed = flight_h / assumed_ratio
    excess = max(ZERO, cycles - allowed)
    rounded = cents(rate, currency)
    return ExcessCycles(allowed_cycles=allowed, excess_cycles=excess, rate=rounded, amount=cents(excess * rounded, currency))


def quantity(figures: Mapping[str, Any], driver: str) -> Decimal | None:
    """What a report's figures hold of a driver; None where they do not. Raises KeyError for the calendar or no driver."""
    name = DRIVERS[driver].figure
    if name is None:
        raise KeyError(driver)
    value = figures.get(name)
    return None if value is None else exact(value)
