"""EEOI, the energy efficiency operational indicator of MEPC.1/Circ.684: CO2 over cargo carried, voyage by voyage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from fleet import fuel
from fleet.practice import Practice


class EeoiVoyage(msgspec.Struct, frozen=True, kw_only=True):
    """One voyage: fuel in tonnes by its name, cargo in tonnes (0 in ballast), miles over ground with that cargo."""

    fuel_t: Mapping[str, float]
    cargo_t: float
    distance_nm: float


class Eeoi(msgspec.Struct, frozen=True, kw_only=True):
    """The indicator with what it is made of. `eeoi_t_per_t_nm` is null where nothing was carried anywhere."""

    co2_t: float
    work_t_nm: float
    eeoi_t_per_t_nm: float | None
    reason: str | None = None


def indicator(voyages: Iterable[EeoiVoyage], on: date, practice: Practice = fuel.HOUSE) -> Eeoi:
    """Tonnes of CO2 per tonne-mile: `ΣΣ FC_ij C_Fj / Σ m_i D_i` (MEPC.1/Circ.684 §3; golden SH3).

    It is a ratio of sums, never a mean of the voyages' ratios: a ballast voyage adds its fuel and no work. `on` is the day whose
    factors are taken. Raises NotDefinedError for a fuel without a factor, ValueError for a figure below zero.
    """
    co2_t = work_t_nm = 0.0
    for voyage in voyages:
        if voyage.cargo_t < 0 or voyage.distance_nm < 0:
            raise ValueError("cargo or distance is below zero")
        co2_t += sum(fuel.co2_t_by_fuel(voyage.fuel_t, on, rule_set="eeoi", practice=practice).values())
        work_t_nm += voyage.cargo_t * voyage.distance_nm
    if work_t_nm == 0:
        return Eeoi(co2_t=co2_t, work_t_nm=0.0, eeoi_t_per_t_nm=None, reason="nothing_carried")
    return Eeoi(co2_t=co2_t, work_t_nm=work_t_nm, eeoi_t_per_t_nm=co2_t / work_t_nm)
