"""IMO's carbon intensity indicator (CII) of a ship on any window: attained, required, rating, and where the year will end.

What is computed here is `cii_unadjusted`: none of the corrections of G5 (MEPC.355(78)) is made, and it is never a verified
rating. Intensities are g CO2 per tonne-mile (per GT-mile for the types that are measured in GT), unrounded.

Tables as dated figures, from domain.md 2.7 (four independent transcriptions, compared there): reference lines of G2
(MEPC.353(78)), boundaries of G4 (MEPC.354(78)), reduction factors of G3 (MEPC.338(76), MEPC.400(83)).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from fleet.practice import Figure, NotDefinedError, Practice

LETTERS = "ABCDE"
METHOD = "cii_unadjusted"
CF_G_PER_T = 1_000_000.0  # grams in a tonne
PROJECTION_DAYS = 90
PROJECTION_PARTS = 3


def _line(
    ship_type: str,
    measure: str,
    size: tuple[float, float | None],
    capacity: float | None,
    a: float,
    c: float,
    d: tuple[float, ...],
) -> dict[str, Any]:
    """One row of the reference lines: sizes half-open; `capacity` is the size put into the formula, None the ship's own."""
    size_from, size_below = size
    return {
        "ship_type": ship_type, "measure": measure, "size_from": size_from, "size_below": size_below, "capacity": capacity,
        "a": a, "c": c, "d": list(d),
    }  # fmt: skip


_BULK = (0.86, 0.94, 1.06, 1.18)
_CARGO = (0.83, 0.94, 1.06, 1.19)
_LNG = (0.78, 0.92, 1.10, 1.37)
_VEHICLE = (0.86, 0.94, 1.06, 1.16)
_ROPAX = (0.76, 0.92, 1.14, 1.30)
REFERENCE_LINES = [
    _line("bulk_carrier", "dwt", (279_000, None), 279_000, 4745, 0.622, _BULK),
    _line("bulk_carrier", "dwt", (0, 279_000), None, 4745, 0.622, _BULK),
    _line("gas_carrier", "dwt", (65_000, None), None, 14405e7, 2.071, (0.81, 0.91, 1.12, 1.44)),
    _line("gas_carrier", "dwt", (0, 65_000), None, 8104, 0.639, (0.85, 0.95, 1.06, 1.25)),
    _line("tanker", "dwt", (0, None), None, 5247, 0.610, (0.82, 0.93, 1.08, 1.28)),
    _line("container_ship", "dwt", (0, None), None, 1984, 0.489, (0.83, 0.94, 1.07, 1.19)),
    _line("general_cargo", "dwt", (20_000, None), None, 31948, 0.792, _CARGO),
    _line("general_cargo", "dwt", (0, 20_000), None, 588, 0.3885, _CARGO),
    _line("refrigerated_cargo", "dwt", (0, None), None, 4600, 0.557, (0.78, 0.91, 1.07, 1.20)),
    _line("combination_carrier", "dwt", (0, None), None, 5119, 0.622, (0.87, 0.96, 1.06, 1.14)),
    _line("lng_carrier", "dwt", (100_000, None), None, 9.827, 0.0, (0.89, 0.98, 1.06, 1.13)),
    _line("lng_carrier", "dwt", (65_000, 100_000), None, 14479e10, 2.673, _LNG),
    _line("lng_carrier", "dwt", (0, 65_000), 65_000, 14779e10, 2.673, _LNG),
    _line("roro_vehicle", "gt", (57_700, None), 57_700, 3627, 0.590, _VEHICLE),
    _line("roro_vehicle", "gt", (30_000, 57_700), None, 3627, 0.590, _VEHICLE),
    _line("roro_vehicle", "gt", (0, 30_000), None, 330, 0.329, _VEHICLE),
    _line("roro_cargo", "gt", (0, None), None, 1967, 0.485, (0.76, 0.89, 1.08, 1.27)),
    _line("roro_passenger", "gt", (0, None), None, 2023, 0.460, _ROPAX),
    _line("roro_passenger_hsc", "gt", (0, None), None, 4196, 0.460, _ROPAX),
    _line("cruise_passenger", "gt", (0, None), None, 930, 0.383, (0.87, 0.95, 1.06, 1.16)),
]
REDUCTION_PCT = {2023: 5.0, 2024: 7.0, 2025: 9.0, 2026: 11.0, 2027: 13.625, 2028: 16.25, 2029: 18.875, 2030: 21.5}
SHIP_TYPES: tuple[str, ...] = tuple(dict.fromkeys(row["ship_type"] for row in REFERENCE_LINES))

FIGURES = (
    Figure(
        name="cii.reference_lines", value=REFERENCE_LINES, valid_from=date(2023, 1, 1), version="MEPC.353(78), MEPC.354(78)",
        source="IMO G2 MEPC.353(78) (a, c, capacity) and G4 MEPC.354(78) (d1..d4), by four transcriptions (domain.md 2.7)",
    ),
    *(
        Figure(
            name="cii.reduction_pct", value=percent, valid_from=date(year, 1, 1), valid_to=date(year + 1, 1, 1),
            source="IMO G3 MEPC.338(76)" if year < 2027 else "IMO G3 as amended by MEPC.400(83), April 2025 (domain.md 2.7)",
            version="MEPC.338(76)" if year < 2027 else "MEPC.400(83)",
        )
        for year, percent in REDUCTION_PCT.items()
    ),
    Figure(name="cii.applies_from_gt", value=5000, source="MARPOL Annex VI regulation 28 (domain.md 2.7)"),
)  # fmt: skip
HOUSE = Practice(FIGURES)


class ReferenceLine(NamedTuple):
    """The row that a ship falls under: capacity in the formula (tonnes DWT or GT), a, c, and the four boundary factors d."""

    measure: str
    capacity: float
    a: float
    c: float
    d: tuple[float, float, float, float]


class YearRating(msgspec.Struct, frozen=True, kw_only=True):
    """One figure held against one year. All but `year` and `reason` are null where the year has no reduction factor.

    `boundaries` are the upper ends of A, B, C and D in g CO2 per capacity-mile; `ratio` is attained over required.
    """

    year: int
    reduction_pct: float | None = None
    required: float | None = None
    boundaries: tuple[float, float, float, float] | None = None
    ratio: float | None = None
    rating: str | None = None
    reason: str | None = None


class Share(NamedTuple):
    """CO2 in tonnes and distance in nautical miles of a stretch of time."""

    co2_t: float
    distance_nm: float


class Projection(msgspec.Struct, frozen=True, kw_only=True):
    """Where a year ends if it goes on as the last days did: the middle, and the best and the worst third as a band."""

    low: float
    middle: float
    high: float


def measure_of(ship_type: str) -> str:
    """What a type's capacity is measured in: `dwt` (tonnes) or `gt` (MEPC.353(78)). Raises NotDefinedError for another type."""
    for row in REFERENCE_LINES:
        if row["ship_type"] == ship_type:
            return str(row["measure"])
    raise NotDefinedError(f"no reference line for {ship_type}")


def reference_line(ship_type: str, capacity: float, on: date, practice: Practice = HOUSE) -> ReferenceLine:
    """The row of G2 and G4 for a ship's type and its own DWT or GT (figure `cii.reference_lines`; golden SH2).

    Raises:
        NotDefinedError: no such row on that day.
        ValueError: a capacity that is not above zero.
    """
    if capacity <= 0:
        raise ValueError("capacity must be above zero")
    for row in practice.figure("cii.reference_lines", on).value:
        below = row["size_below"]
        if row["ship_type"] == ship_type and row["size_from"] <= capacity and (below is None or capacity < below):
            in_formula = capacity if row["capacity"] is None else row["capacity"]
            d1, d2, d3, d4 = row["d"]
            return ReferenceLine(row["measure"], float(in_formula), float(row["a"]), float(row["c"]), (d1, d2, d3, d4))
    raise NotDefinedError(f"no reference line for {ship_type} of {capacity}")


def reference(ship_type: str, capacity: float, on: date, practice: Practice = HOUSE) -> float:
    """`a × Capacity^(−c)`, the reference of 2019 (G2, MEPC.353(78); golden SH2, its jumps between size brackets included)."""
    line = reference_line(ship_type, capacity, on, practice)
    return float(line.a * line.capacity ** (-line.c))


def required(ship_type: str, capacity: float, year: int, practice: Practice = HOUSE) -> float:
    """`(1 − Z/100) × reference` of a year (G3; golden SH1, SH2).

    Raises:
        NotDefinedError: the year has no Z. After 2030 there is none, and none is extrapolated.
    """
    on = date(year, 1, 1)
    return (1 - practice.number("cii.reduction_pct", on) / 100) * reference(ship_type, capacity, on, practice)


def boundaries(ship_type: str, capacity: float, year: int, practice: Practice = HOUSE) -> tuple[float, float, float, float]:
    """Upper ends of A, B, C and D: `d_i × required` (G4, MEPC.354(78); golden SH1). Raises NotDefinedError as `required`."""
    needed = required(ship_type, capacity, year, practice)
    d1, d2, d3, d4 = reference_line(ship_type, capacity, date(year, 1, 1), practice).d
    return d1 * needed, d2 * needed, d3 * needed, d4 * needed


def attained(co2_t: float, capacity: float, distance_nm: float) -> float | None:
    """`M / W`: grams of CO2 over capacity times distance (G1, MEPC.352(78); golden SH1, SH13). None where nothing was sailed.

    Args:
        co2_t: tonnes of CO2 in the window, at sea and in port.
        capacity: the ship's own DWT in tonnes or GT, never the capped one of the reference line (domain.md 2.7 [K]).
        distance_nm: miles over ground in the window.
    """
    if capacity <= 0 or co2_t < 0 or distance_nm < 0:
        raise ValueError("capacity must be above zero, CO2 and distance not below")
    return None if distance_nm == 0 else co2_t * CF_G_PER_T / (capacity * distance_nm)


def rating(attained_g: float, upper_ends: Sequence[float]) -> str:
    """The letter, unrounded; at a boundary the better one (domain.md 2.7 [D]: G4 does not say). Golden SH1, SH2_rating_edges."""
    return LETTERS[sum(attained_g > end for end in upper_ends)]


def against_year(attained_g: float | None, ship_type: str, capacity: float, year: int, practice: Practice = HOUSE) -> YearRating:
    """A figure of any window held against one year's line; null with reason `not_defined` where the year has none."""
    try:
        needed = required(ship_type, capacity, year, practice)
    except NotDefinedError:
        return YearRating(year=year, reason="not_defined")
    ends = boundaries(ship_type, capacity, year, practice)
    percent = practice.number("cii.reduction_pct", date(year, 1, 1))
    if attained_g is None:
        return YearRating(year=year, reduction_pct=percent, required=needed, boundaries=ends, reason="not_available")
    return YearRating(
        year=year,
        reduction_pct=percent,
        required=needed,
        boundaries=ends,
        ratio=attained_g / needed,
        rating=rating(attained_g, ends),
    )


def projection(
    so_far: Share, lately: Sequence[Share], days_lately: float, days_left: float, capacity: float
) -> Projection | None:
    """Where the year's figure ends, linear in both M and W from the last days (domain.md 2.7 [D]).

    Args:
        so_far: the year to date.
        lately: the last days in equal consecutive parts (three of 30 days), in any order; at least one.
        days_lately: days of all parts together.
        days_left: days from now to the end of the year.
        capacity: the ship's own DWT or GT.

    Returns:
        `middle` goes on as all parts did; `low` and `high` as the part did that ends the year lowest and highest: a band, not a
        forecast with a probability. None where nothing was or would be sailed.
    """
    if not lately or days_lately <= 0 or days_left < 0:
        raise ValueError("parts, and days above zero, are wanted")

    def end(co2_t_d: float, nm_d: float) -> float | None:
        return attained(so_far.co2_t + co2_t_d * days_left, capacity, so_far.distance_nm + nm_d * days_left)

    days_part = days_lately / len(lately)
    ends = [end(part.co2_t / days_part, part.distance_nm / days_part) for part in lately]
    middle = end(sum(part.co2_t for part in lately) / days_lately, sum(part.distance_nm for part in lately) / days_lately)
    sailed = [each for each in ends if each is not None]
    if middle is None or not sailed:
        return None
    return Projection(low=min(*sailed, middle), middle=middle, high=max(*sailed, middle))


def corrective_plan_due(ratings: Sequence[str]) -> bool:
    """Whether SEEMP part III needs a plan of corrective actions: E in the last year, or D in the last three (MARPOL VI reg. 28).

    Args:
        ratings: the letters of consecutive years, the oldest first.
    """
    return ratings[-1:] == ["E"] or (len(ratings) >= 3 and all(each == "D" for each in ratings[-3:]))
