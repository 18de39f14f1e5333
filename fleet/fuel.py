"""Fuel: how much CO2 a tonne of it makes, whether the tanks add up, and how much a ship probably burnt where nobody said.

Factors are kept by rule set, because the same fuel has another factor under another rule (domain.md 2.7): `cii` is
MEPC.364(79), `eeoi` is MEPC.1/Circ.684.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from fleet.practice import Figure, NotDefinedError, Practice

RuleSet = Literal["cii", "eeoi"]

FIGURES = (
    Figure(
        name="fuel.cii_co2_t_per_t",
        value={
            "MDO_MGO": 3.206, "LFO": 3.151, "HFO": 3.114, "LPG_propane": 3.000, "LPG_butane": 3.030, "ethane": 2.927,
            "LNG": 2.750, "methanol": 1.375, "ethanol": 1.913,
        },
        source="IMO MEPC.364(79) 2.2.1, factors C_F; two transcriptions that agree (domain.md 2.7)",
        valid_from=date(2023, 1, 1), version="MEPC.364(79)",
    ),
    Figure(
        name="fuel.eeoi_co2_t_per_t",
        value={"MDO_MGO": 3.206, "LFO": 3.15104, "HFO": 3.1144, "LPG_propane": 3.000, "LPG_butane": 3.030, "LNG": 2.750},
        source="IMO MEPC.1/Circ.684, appendix (oils: domain.md 2.7; gases: as in MEPC.364(79), from memory of the circular)",
        version="MEPC.1/Circ.684",
    ),
    Figure(name="fuel.balance_tolerance_ratio", value=0.01, source="domain.md 2.2 [D]: 1 % of what was consumed"),
    Figure(name="fuel.balance_tolerance_t", value=1.0, source="domain.md 2.2 [D]: or one tonne, whichever is more"),
    Figure(name="fuel.speed_exponent", value=3.0, source="domain.md 2.9 [D]: cube law, fit per ship in 2.5 to 4"),
)  # fmt: skip
HOUSE = Practice(FIGURES)
FUELS: tuple[str, ...] = tuple(FIGURES[0].value)
"""The fuels' names: as MEPC.364(79) has them, diesel and gas oil together."""


class FuelBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the tanks add up: `gap_t` is what is missing (positive) or appeared (negative), in tonnes."""

    gap_t: float
    tolerance_t: float

    @property
    def balanced(self) -> bool:
        """Whether the gap is within the tolerance; at the tolerance it is."""
        return abs(self.gap_t) <= self.tolerance_t


def co2_factor_t_per_t(fuel: str, on: date, *, rule_set: RuleSet = "cii", practice: Practice = HOUSE) -> float:
    """Tonnes of CO2 of one tonne of a fuel under a rule set on a day (figures `fuel.cii_co2_t_per_t`, `fuel.eeoi_…`).

    Raises:
        NotDefinedError: that rule set has no factor for this fuel on that day.
    """
    name = f"fuel.{rule_set}_co2_t_per_t"
    factors: Mapping[str, float] = practice.figure(name, on).value
    if fuel not in factors:
        raise NotDefinedError(f"{name} has no factor for {fuel} on {on.isoformat()}")
    return float(factors[fuel])


def co2_t_by_fuel(
    fuel_t: Mapping[str, float], on: date, *, rule_set: RuleSet = "cii", practice: Practice = HOUSE
) -> dict[str, float]:
    """Tonnes of CO2 by fuel: consumption × C_F (MEPC.352(78) 4.1; golden SH1). The sum of the values is M, in tonnes.

    Raises:
        NotDefinedError: a fuel without a factor: it is never left out in silence.
        ValueError: a consumption below zero.
    """
    if any(tonnes < 0 for tonnes in fuel_t.values()):
        raise ValueError("a consumption is below zero")
    return {fuel: tonnes * co2_factor_t_per_t(fuel, on, rule_set=rule_set, practice=practice) for fuel, tonnes in fuel_t.items()}


def balance(
    rob_before_t: float, bunkered_t: float, consumed_t: float, rob_after_t: float, on: date, practice: Practice = HOUSE
) -> FuelBalance:
    """`rob_before + bunkered − consumed − rob_after`, all in tonnes (ROB: remaining on board); zero where the tanks add up.

    The tolerance is 1 % of what was consumed or one tonne, whichever is more (domain.md 2.2 [D], figures
    `fuel.balance_tolerance_ratio` and `fuel.balance_tolerance_t`).
    """
    tolerance_t = max(
        practice.number("fuel.balance_tolerance_ratio", on) * consumed_t, practice.number("fuel.balance_tolerance_t", on)
    )
    return FuelBalance(gap_t=rob_before_t + bunkered_t - consumed_t - rob_after_t, tolerance_t=tolerance_t)


def fuel_t_d_at(speed_kn: float, reference_speed_kn: float, reference_fuel_t_d: float, exponent: float = 3.0) -> float:
    """Fuel in tonnes a day at another speed, by the cube law: `fuel × (V / V_ref) ^ n` (domain.md 2.9; golden SH6).

    Raises:
        ValueError: a reference speed that is not above zero, or a speed below zero.
    """
    if reference_speed_kn <= 0 or speed_kn < 0:
        raise ValueError("speeds must be above zero")
    return float(reference_fuel_t_d * (speed_kn / reference_speed_kn) ** exponent)


def fuel_per_nm_ratio(speed_kn: float, reference_speed_kn: float, exponent: float = 3.0) -> float:
    """Fuel for a mile at one speed over that at another: `(V / V_ref) ^ (n − 1)` (domain.md 2.9; golden SH6)."""
    if reference_speed_kn <= 0 or speed_kn < 0:
        raise ValueError("speeds must be above zero")
    return float((speed_kn / reference_speed_kn) ** (exponent - 1))


def estimated_t(
    distance_nm: float, hours: float, reference_speed_kn: float, reference_fuel_t_d: float, exponent: float = 3.0
) -> float:
    """What a ship probably burnt at sea, in tonnes: the cube law at the mean speed of the stretch, for its hours.

    A mean speed gives the least fuel that could have made the distance in the time (the cube is convex), so it is a lower
    estimate; whoever shows it says "indicative". Zero hours burn nothing.
    """
    if hours <= 0:
        return 0.0
    return fuel_t_d_at(distance_nm / hours, reference_speed_kn, reference_fuel_t_d, exponent) * hours / 24.0
