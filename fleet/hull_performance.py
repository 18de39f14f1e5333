"""Hull and propeller: what power and speed say of fouling, and which points may be believed.

Speeds are through water where there is a log; over ground is taken with low confidence, for the current is in it (domain.md 2.9).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Literal

import msgspec

from fleet.practice import Figure, Practice

EXPONENT_MIN, EXPONENT_MAX = 2.5, 4.0  # per-ship fits of the speed-power law (domain.md 2.9)

FIGURES = (
    Figure(name="hull_performance.steady_kn", value=0.5, source="domain.md 2.9 [D]: speed within ±0.5 kn for an hour"),
    Figure(name="hull_performance.steady_h", value=1.0, source="domain.md 2.9 [D]: speed within ±0.5 kn for an hour"),
    Figure(
        name="hull_performance.under_way_min", value=0.95,
        source="chosen: a noon report with more than an hour of stopping is no passage at one speed",
    ),
    Figure(name="hull_performance.wind_bft_max", value=4, source="domain.md 2.9 [D]: Beaufort 4 at most"),
    Figure(
        name="hull_performance.depth_to_draught_min", value=3.0,
        source="chosen: domain.md 2.9 says 'depth adequate'; shallow water is felt below about three draughts",
    ),
    Figure(name="hull_performance.trigger_pct", value=5.0, source="domain.md 5.4 [D]: more than 5 % below post-dock"),
    Figure(name="hull_performance.trigger_days", value=14, source="domain.md 5.4 [D]: over 14 days"),
)  # fmt: skip
HOUSE = Practice(FIGURES)


class PerformancePoint(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch. None is unknown; `speed_kn` is through water if `through_water`, else over ground.

    `of_report` marks the mean of a master's report: nobody knows how steady it was, so that it is asked instead which share of
    its hours she was under way (`under_way`, 0..1), and believed less.
    """

    day: date
    speed_kn: float
    through_water: bool
    draught_m: float | None = None
    speed_spread_kn: float | None = None
    steady_h: float | None = None
    wind_bft: int | None = None
    depth_m: float | None = None
    manoeuvring: bool = False
    of_report: bool = False
    under_way: float | None = None


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a point may be used, why not, and how far it is to be believed (`high` or `low`)."""

    faults: tuple[str, ...]
    confidence: Literal["high", "low"]

    @property
    def usable(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.faults


def admiralty_coefficient(displacement_t: float, speed_kn: float, power_kw: float) -> float:
    """`C = Δ^(2/3) V³ / P`: tonnes, knots, kilowatts at the shaft; falls with fouling (domain.md 2.9; golden SH6)."""
    if min(displacement_t, speed_kn, power_kw) <= 0:
        raise ValueError("displacement, speed and power must be above zero")
    return float(displacement_t ** (2 / 3) * speed_kn**3 / power_kw)


def power_increase_pct(power_before_kw: float, power_after_kw: float) -> float:
    """How much more power the same speed and displacement want, in percent (golden SH6)."""
    return (power_after_kw / power_before_kw - 1) * 100


def speed_for_same_power_kn(speed_kn: float, power_before_kw: float, power_after_kw: float, exponent: float = 3.0) -> float:
    """The speed that the earlier power still gives: `V (P0/P1)^(1/n)` (golden SH6)."""
    return float(speed_kn * (power_before_kw / power_after_kw) ** (1 / exponent))


def equivalent_speed_loss_pct(power_before_kw: float, power_after_kw: float, exponent: float = 3.0) -> float:
    """The speed lost at the same power, in percent: `100 (1 − (P0/P1)^(1/n))` (golden SH6)."""
    return 100 * (1 - speed_for_same_power_kn(1.0, power_before_kw, power_after_kw, exponent))


def speed_deviation_pct(measured_kn: float, expected_kn: float) -> float:
    """ISO 19030's `PV = 100 (V_measured − V_expected) / V_expected`; below zero is slower than expected (SH6_iso19030)."""
    if expected_kn <= 0:
        raise ValueError("the expected speed must be above zero")
    return 100 * (measured_kn - expected_kn) / expected_kn


def expected_speed_kn(
    power_kw: float, displacement_t: float, *, reference_speed_kn: float, reference_power_kw: float,
    reference_displacement_t: float, exponent: float = 3.0,
) -> float:  # fmt: skip
    """The speed a clean hull makes of a power at a displacement: the Admiralty law brought from the ship's reference point.

    `V_ref (P/P_ref)^(1/n) (Δ_ref/Δ)^(2/(3n))`, which leaves `Δ^(2/3) V^n / P` as it is (domain.md 2.9). Knots, kW, tonnes.
    """
    power_ratio, weight_ratio = power_kw / reference_power_kw, reference_displacement_t / displacement_t
    return float(reference_speed_kn * power_ratio ** (1 / exponent) * weight_ratio ** (2 / (3 * exponent)))


def fitted_exponent(points: Sequence[tuple[float, float]]) -> float | None:
    """The exponent n of `P ~ V^n` of one ship: least squares of log power on log speed, held within 2.5 to 4 (domain.md 2.9).

    Args:
        points: (speed in knots, power in kilowatts) at like displacement; at least three with different speeds, else None.
    """
    logs = [(math.log(speed), math.log(power)) for speed, power in points if speed > 0 and power > 0]
    if len({speed for speed, _ in logs}) < 3:
        return None
    mean_v = sum(v for v, _ in logs) / len(logs)
    mean_p = sum(p for _, p in logs) / len(logs)
    spread = sum((v - mean_v) ** 2 for v, _ in logs)
    slope = sum((v - mean_v) * (p - mean_p) for v, p in logs) / spread
    return min(EXPONENT_MAX, max(EXPONENT_MIN, slope))


def judge(point: PerformancePoint, practice: Practice = HOUSE) -> Judged:
    """Whether a point may enter a comparison: steady, calm, deep, not manoeuvring, draught known (domain.md 2.9 [D]).

    Faults: `no_draught`, `manoeuvring`, `not_steady`, `rough`, `shallow`, `steadiness_unknown`, `wind_unknown`. An unknown depth
    is no fault but makes the confidence low, and so do a speed over ground and the mean of a report.
    """
    on = point.day
    faults = []
    if not point.draught_m:
        faults.append("no_draught")
    if point.manoeuvring:
        faults.append("manoeuvring")
    if point.of_report:
        if (point.under_way or 0.0) < practice.number("hull_performance.under_way_min", on):
            faults.append("not_steady")
    elif point.speed_spread_kn is None or point.steady_h is None:
        faults.append("steadiness_unknown")
    elif point.speed_spread_kn > practice.number("hull_performance.steady_kn", on) or point.steady_h < practice.number(
        "hull_performance.steady_h", on
    ):
        faults.append("not_steady")
    if point.wind_bft is None:
        faults.append("wind_unknown")
    elif point.wind_bft > practice.number("hull_performance.wind_bft_max", on):
        faults.append("rough")
    shallow_m = practice.number("hull_performance.depth_to_draught_min", on) * (point.draught_m or 0.0)
    if point.depth_m is not None and point.depth_m < shallow_m:
        faults.append("shallow")
    sure = point.through_water and point.depth_m is not None and not point.of_report
    return Judged(faults=tuple(faults), confidence="high" if sure else "low")


def change_points(before_pct: Sequence[float], after_pct: Sequence[float]) -> float | None:
    """Mean deviation of one period less that of another, in percentage points; None where one is empty.

    The four indicators of ISO 19030 are this with other periods (domain.md 2.9): dry-dock performance (after earlier dockings,
    after this one), in-service performance (after this docking, the rest of the interval), maintenance trigger (after this
    docking, lately), maintenance effect (before an event, after it).
    """
    if not before_pct or not after_pct:
        return None
    return sum(after_pct) / len(after_pct) - sum(before_pct) / len(before_pct)


def maintenance_due(
    post_dock_pct: Sequence[float], lately: Sequence[tuple[date, float]], on: date, practice: Practice = HOUSE
) -> bool:
    """Whether speed has fallen by more than 5 % of the post-dock level over the last 14 days (domain.md 5.4 `hull_performance`).

    Args:
        post_dock_pct: deviations (`speed_deviation_pct`) of usable points after the last docking.
        lately: (day, deviation) of usable points.
        on: today.
        practice: figures `hull_performance.trigger_pct` and `…trigger_days`.
    """
    days = practice.number("hull_performance.trigger_days", on)
    recent = [percent for day, percent in lately if 0 <= (on - day).days < days]
    change = change_points(post_dock_pct, recent)
    return change is not None and change < -practice.number("hull_performance.trigger_pct", on)
