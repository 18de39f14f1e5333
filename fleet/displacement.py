"""A ship's draught and what it weighs: laden or in ballast, displacement, deadweight, cargo, by the best method there is.

AIS draught is typed by the crew, meant as the deepest of the voyage, and may be stale (domain.md 2.4); 0 is "not available" and
becomes None before it comes here. Tonnes are metric, lengths metres, density t/m³.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Literal

import msgspec

from fleet.practice import Figure, Practice

SEA_T_M3 = 1.025
FRESH_T_M3 = 1.000
BLOCK_COEFFICIENT_MAX = 0.99  # the formula's own cap (domain.md 2.4 method 3)
TPC_TRUST_M = 2.0  # from summer draught (domain.md 2.4 method 2)

LadenState = Literal["laden", "partial", "ballast", "unknown"]
Method = Literal["hydrostatic_table", "tpc", "block_coefficient", "class_prior"]
CONFIDENCE: dict[str, str] = {
    "hydrostatic_table": "high", "tpc": "medium", "block_coefficient": "medium", "class_prior": "low"
}  # fmt: skip

FIGURES = (
    Figure(name="displacement.laden_ratio", value=0.75, source="domain.md 2.4 [D]: laden from this share of summer draught"),
    Figure(name="displacement.ballast_ratio", value=0.60, source="domain.md 2.4 [D]: in ballast up to this share"),
    Figure(
        name="displacement.class_priors",
        value={
            "bulk_carrier": {"dwt_to_displacement": 0.82, "block_coefficient": 0.84},
            "combination_carrier": {"dwt_to_displacement": 0.82, "block_coefficient": 0.83},
            "tanker": {"dwt_to_displacement": 0.85, "block_coefficient": 0.82},
            "gas_carrier": {"dwt_to_displacement": 0.70, "block_coefficient": 0.74},
            "lng_carrier": {"dwt_to_displacement": 0.70, "block_coefficient": 0.74},
            "container_ship": {"dwt_to_displacement": 0.70, "block_coefficient": 0.65},
            "general_cargo": {"dwt_to_displacement": 0.72, "block_coefficient": 0.74},
            "refrigerated_cargo": {"dwt_to_displacement": 0.55, "block_coefficient": 0.58},
            "roro_cargo": {"dwt_to_displacement": 0.52, "block_coefficient": 0.62},
            "roro_vehicle": {"dwt_to_displacement": 0.52, "block_coefficient": 0.60},
        },
        source="chosen: middles of the ranges that ship design texts give per type, unchecked; confidence low",
    ),
)  # fmt: skip
HOUSE = Practice(FIGURES)


class WeightEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a ship weighs at a draught, in tonnes; `cargo_t` only where the consumables are known; see CONFIDENCE."""

    displacement_t: float
    deadweight_t: float | None
    cargo_t: float | None
    method: Method
    confidence: str


def block_coefficient_of_volume(volume_m3: float, length_m: float, beam_m: float, draught_m: float) -> float:
    """`∇ / (L·B·T)`, the block coefficient of a displaced volume (golden SH4_epa_check, `Cb` of EPA's tool)."""
    if min(volume_m3, length_m, beam_m, draught_m) <= 0:
        raise ValueError("volume and dimensions must be above zero")
    return volume_m3 / (length_m * beam_m * draught_m)


def block_coefficient(draught_m: float, summer_draught_m: float, summer_block_coefficient: float) -> float:
    """Block coefficient at a draught: `min(0.99, 1 − (1 − Cb_s)(T_s/T)^(1/3))` (Riddlesworth; domain.md 2.4; golden SH4).

    May come out below zero at draughts no ship has; `estimate` takes that as unknown. Raises ValueError for a draught ≤ 0.
    """
    if draught_m <= 0 or summer_draught_m <= 0:
        raise ValueError("draughts must be above zero")
    return float(min(BLOCK_COEFFICIENT_MAX, 1 - (1 - summer_block_coefficient) * (summer_draught_m / draught_m) ** (1 / 3)))


def displacement_t(length_m: float, beam_m: float, draught_m: float, coefficient: float, density_t_m3: float = SEA_T_M3) -> float:
    """Displacement `Δ = L·B·T·Cb(T)·ρ` in tonnes (domain.md 2.4; golden SH4)."""
    return length_m * beam_m * draught_m * coefficient * density_t_m3


def tpc_t_cm(length_m: float, beam_m: float, waterplane_coefficient: float, density_t_m3: float = SEA_T_M3) -> float:
    """Tonnes to sink a ship by a centimetre: `L·B·Cw·ρ / 100` (domain.md 2.4; golden SH4)."""
    return length_m * beam_m * waterplane_coefficient * density_t_m3 / 100.0


def deadweight_by_tpc_t(draught_m: float, summer_draught_m: float, summer_deadweight_t: float, tpc: float) -> float:
    """`DWT(T) = DWT_s − 100·TPC·(T_s − T)`, straight: trusted within two metres of summer draught (domain.md 2.4; golden SH4)."""
    return summer_deadweight_t - 100.0 * tpc * (summer_draught_m - draught_m)


def table_displacement_t(
    table: Sequence[tuple[float, float]], mean_draught_m: float, density_t_m3: float = SEA_T_M3,
    *, trim_m: float = 0.0, lcf_aft_m: float = 0.0, length_m: float | None = None,
) -> float | None:  # fmt: skip
    """Displacement read from a hydrostatic table, corrected for trim and water density (domain.md 2.4 method 1).

    Args:
        table: (draught in metres, displacement in tonnes in sea water of 1.025), ascending.
        mean_draught_m: mean of the draughts read.
        density_t_m3: of the water she floats in; displacement goes with it.
        trim_m: draught aft minus forward; by the stern is positive.
        lcf_aft_m: centre of flotation, metres aft of midships; first trim correction: a layer of `trim × LCF / L`.
        length_m: between perpendiculars; without it the trim is left uncorrected.

    Returns:
        Tonnes, or None outside the table: it is not extrapolated.
    """
    draught_m = mean_draught_m
    if length_m:
        draught_m += trim_m * lcf_aft_m / length_m
    for (low_m, low_t), (high_m, high_t) in pairwise(table):
        if low_m <= draught_m <= high_m and high_m > low_m:
            part = (draught_m - low_m) / (high_m - low_m)
            return (low_t + part * (high_t - low_t)) * density_t_m3 / SEA_T_M3
    return None


def laden_ratio(draught_m: float | None, summer_draught_m: float) -> float | None:
    """Draught as a share of summer draught; None where the draught is 0 or unknown (golden SH5)."""
    return draught_m / summer_draught_m if draught_m and summer_draught_m > 0 else None


def laden_state(draught_m: float | None, summer_draught_m: float, on: date, practice: Practice = HOUSE) -> LadenState:
    """Laden, partial or in ballast by `T / T_summer`; unknown without a draught, never ballast (domain.md 2.4; golden SH5).

    Figures `displacement.laden_ratio` (≥) and `displacement.ballast_ratio` (≤).
    """
    ratio = laden_ratio(draught_m, summer_draught_m)
    if ratio is None:
        return "unknown"
    if ratio >= practice.number("displacement.laden_ratio", on):
        return "laden"
    return "ballast" if ratio <= practice.number("displacement.ballast_ratio", on) else "partial"


def estimate(
    particulars: Mapping[str, Any], draught_m: float | None, on: date,
    *, ship_type: str | None = None, consumables_t: float | None = None, practice: Practice = HOUSE,
) -> WeightEstimate | None:  # fmt: skip
    """What a ship weighs at a draught, by the best method its particulars allow (domain.md 2.4: table, TPC, block, class, none).

    Args:
        particulars: of the asset: `length_m`, `beam_m`, `summer_draught_m`, `block_coefficient` (at summer draught),
            `lightship_t`, `dwt_t`, `tpc_t_cm` or `waterplane_coefficient`, `hydrostatic_table` (list of [draught_m,
            displacement_t]). Any may lack.
        draught_m: in metres; None or 0 is unknown and nothing is estimated.
        on: the day whose figures are taken.
        ship_type: as in `cii.SHIP_TYPES`; for the class prior.
        consumables_t: fuel, ballast and stores aboard; cargo is deadweight less these, and null without them.
        practice: the figures.

    Returns:
        The estimate, or None where no method applies.
    """
    if not draught_m or draught_m < 0:
        return None
    hull = {name: number for name, value in particulars.items() if (number := _number(value)) is not None}
    for method, found in (
        ("hydrostatic_table", _by_table(particulars, draught_m)),
        ("tpc", _by_tpc(hull, draught_m)),
        ("block_coefficient", _by_block(hull, draught_m)),
        ("class_prior", _by_class(hull, draught_m, ship_type, on, practice)),
    ):
        if found is not None:
            return _weighed(method, found, hull, consumables_t)
    return None


def _weighed(method: str, mass_t: float, hull: Mapping[str, float], consumables_t: float | None) -> WeightEstimate:
    lightship_t = hull.get("lightship_t")
    deadweight_t = None if lightship_t is None else max(0.0, mass_t - lightship_t)
    cargo_t = None if deadweight_t is None or consumables_t is None else max(0.0, deadweight_t - consumables_t)
    return WeightEstimate(
        displacement_t=mass_t, deadweight_t=deadweight_t, cargo_t=cargo_t, method=method, confidence=CONFIDENCE[method]  # type: ignore[arg-type]
    )  # fmt: skip


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def _by_table(particulars: Mapping[str, Any], draught_m: float) -> float | None:
    rows = particulars.get("hydrostatic_table")
    if not isinstance(rows, list | tuple):
        return None
    pairs = [(_number(row[0]), _number(row[1])) for row in rows if isinstance(row, list | tuple) and len(row) == 2]
    table = sorted((low, high) for low, high in pairs if low is not None and high is not None)
    return table_displacement_t(table, draught_m)


def _by_tpc(hull: Mapping[str, float], draught_m: float) -> float | None:
    summer_m, dwt_t, lightship_t = (hull.get(name) for name in ("summer_draught_m", "dwt_t", "lightship_t"))
    if summer_m is None or dwt_t is None or lightship_t is None or abs(summer_m - draught_m) > TPC_TRUST_M:
        return None
    tpc = hull.get("tpc_t_cm")
    if tpc is None:
        sizes = [hull.get(name) for name in ("length_m", "beam_m", "waterplane_coefficient")]
        length_m, beam_m, waterplane = sizes
        if length_m is None or beam_m is None or waterplane is None:
            return None
        tpc = tpc_t_cm(length_m, beam_m, waterplane)
    return lightship_t + deadweight_by_tpc_t(draught_m, summer_m, dwt_t, tpc)


def _by_block(hull: Mapping[str, float], draught_m: float) -> float | None:
    length_m, beam_m, summer_m, summer_cb = (
        hull.get(name) for name in ("length_m", "beam_m", "summer_draught_m", "block_coefficient")
    )
    if length_m is None or beam_m is None or summer_m is None or summer_cb is None:
        return None
    coefficient = block_coefficient(draught_m, summer_m, summer_cb)
    return displacement_t(length_m, beam_m, draught_m, coefficient) if coefficient > 0 else None


def _by_class(
    hull: Mapping[str, float], draught_m: float, ship_type: str | None, on: date, practice: Practice
) -> float | None:  # fmt: skip
    """Of the type's usual share of deadweight in displacement, brought to the draught by the type's usual block coefficient."""
    priors = practice.figure("displacement.class_priors", on).value
    summer_m, dwt_t = hull.get("summer_draught_m"), hull.get("dwt_t")
    if ship_type not in priors or summer_m is None or dwt_t is None:
        return None
    prior = priors[ship_type]
    coefficient = block_coefficient(draught_m, summer_m, prior["block_coefficient"])
    if coefficient <= 0:
        return None
    summer_t = dwt_t / prior["dwt_to_displacement"]
    return float(summer_t * draught_m / summer_m * coefficient / prior["block_coefficient"])
