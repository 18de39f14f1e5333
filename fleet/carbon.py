"""What a ship burnt and sailed in a window, from noon reports where there are some and from telemetry where there are none.

Fuel nobody reported is estimated by the ship's own particulars and makes the whole "indicative"; where the particulars are
missing it is null with a reason. Distance nobody reported is the observed one. Formulas: `fleet.cii`, `fleet.eeoi`, `fleet.fuel`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from fleet import cii, eeoi, fuel, noon_report
from fleet.geodesy import NM_M
from fleet.instants import DAY_US, HOUR_US, to_datetime
from fleet.noon_report import NoonReport
from fleet.practice import Figure, NotDefinedError, Practice
from fleet.use import UNKNOWN, Used

UNDER_WAY = frozenset({"at_sea", "manoeuvring"})
"""Operating states in which the main engine drives; in the others the auxiliaries alone burn."""

PART_US = cii.PROJECTION_DAYS * DAY_US // cii.PROJECTION_PARTS
"""How long each part of the last days is by which a year is seen to its end."""

FIGURES = (
    Figure(
        name="carbon.estimate_fuel", value="HFO",
        source="chosen: what a ship with a scrubber or on residual fuel burns at sea; a ship's own `main_fuel` wins",
    ),
    Figure(
        name="carbon.projection_coverage_min", value=0.5,
        source="chosen: with less than half of the last 90 days known their trend is not the ship's",
    ),
    Figure(name="carbon.reported_min", value=0.90, source="domain.md 0: under 0.90 an estimate, so indicative"),
)  # fmt: skip
HOUSE = Practice((*FIGURES, *cii.FIGURES, *fuel.FIGURES))

TYPE_WORDS = {
    "container": "container_ship", "containership": "container_ship", "bulker": "bulk_carrier", "ore_carrier": "bulk_carrier",
    "oil_tanker": "tanker", "crude_oil_tanker": "tanker", "product_tanker": "tanker", "chemical_tanker": "tanker",
    "lpg_carrier": "gas_carrier", "lpg_tanker": "gas_carrier", "lng_tanker": "lng_carrier", "car_carrier": "roro_vehicle",
    "vehicle_carrier": "roro_vehicle", "pctc": "roro_vehicle", "ro_ro_cargo": "roro_cargo", "ro_ro": "roro_cargo",
    "ro_pax": "roro_passenger", "ferry": "roro_passenger", "reefer": "refrigerated_cargo", "general_cargo_ship": "general_cargo",
    "multi_purpose": "general_cargo", "cruise_ship": "cruise_passenger", "obo_carrier": "combination_carrier",
}  # fmt: skip
"""Words that registers and people use, each with its type of MEPC.353(78)."""


class CarbonShip(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known of a ship: its type of MEPC.353(78) and capacity, and by what its fuel is estimated. None is unknown.

    `capacity` is DWT in tonnes or GT as `measure` says; `service_fuel_t_d` is burnt at `service_speed_kn`, `port_fuel_t_d` when
    not under way.
    """

    ship_type: str | None = None
    measure: str | None = None
    capacity: float | None = None
    gt: float | None = None
    service_speed_kn: float | None = None
    service_fuel_t_d: float | None = None
    port_fuel_t_d: float | None = None
    main_fuel: str | None = None

    @property
    def reason(self) -> str | None:
        """Why there can be no rating: `no_ship_type` or `no_capacity`; None where there can."""
        if self.ship_type is None:
            return "no_ship_type"
        return "no_capacity" if self.capacity is None else None


class FuelUse(msgspec.Struct, frozen=True, kw_only=True):
    """One fuel in a window, in tonnes: as reported, and as estimated for the time without a report."""

    type: str
    reported_t: float
    estimated_t: float


class Carbon(msgspec.Struct, frozen=True, kw_only=True):
    """A window of one ship. `co2_t` and `distance_nm` are of the same time: that which was reported or observed.

    `coverage` is that time over the window (0..1), `reported` the share of the window that reports speak of; `is_indicative` says
    that fuel was not reported for more than a tenth of it, `is_estimate` that coverage is under 0.90.
    """

    co2_t: float | None
    distance_nm: float
    fuel: list[FuelUse]
    coverage: float
    reported: float
    sources: dict[str, float]
    is_indicative: bool
    is_estimate: bool
    reason: dict[str, str]


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """Where a calendar year ends: a band in g CO2 per capacity-mile with the letter of each edge; `required` of that year."""

    year: int
    low: float
    middle: float
    high: float
    low_rating: str | None
    middle_rating: str | None
    high_rating: str | None
    required: float | None
    is_indicative: bool
    coverage: float
    days_observed: int
    reason: str | None = None


Using = Callable[[int, int], Used]
"""The use of the ship in [from_us, to_us), as `fleet.use.used` gives it."""


def ship_of(asset_type: str | None, particulars: Mapping[str, Any]) -> CarbonShip:
    """A ship's figures out of its registered type and particulars; text that is no known type is none.

    Reads `ship_type` (else the asset's type: "bulk carrier" is `bulk_carrier`), `dwt_t`, `gt`, `service_speed_kn`,
    `service_fuel_t_d`, `port_fuel_t_d`, `main_fuel`.
    """
    ship_type = ship_type_of(particulars.get("ship_type")) or ship_type_of(asset_type)
    measure = None if ship_type is None else cii.measure_of(ship_type)
    fuel_name = particulars.get("main_fuel")
    return CarbonShip(
        ship_type=ship_type,
        measure=measure,
        capacity=None if measure is None else _positive(particulars.get("dwt_t" if measure == "dwt" else "gt")),
        gt=_positive(particulars.get("gt")),
        service_speed_kn=_positive(particulars.get("service_speed_kn")),
        service_fuel_t_d=_positive(particulars.get("service_fuel_t_d")),
        port_fuel_t_d=_positive(particulars.get("port_fuel_t_d")),
        main_fuel=fuel_name if fuel_name in fuel.FUELS else None,
    )


def ship_type_of(said: Any) -> str | None:
    """The type of MEPC.353(78) that a word means ("Bulk carrier", "PCTC"); None for one that is none."""
    if not isinstance(said, str):
        return None
    word = re.sub(r"[^a-z0-9]+", "_", said.lower()).strip("_")
    word = TYPE_WORDS.get(word, word)
    return word if word in cii.SHIP_TYPES else None


def _positive(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def window(
    ship: CarbonShip, reports: Sequence[NoonReport], using: Using, from_us: int, to_us: int, practice: Practice = HOUSE
) -> Carbon:  # fmt: skip
    """What a ship burnt and sailed in [from_us, to_us).

    Reports that say both fuel and distance speak for their time. For the time between them distance is the observed one, and
    fuel the cube law at the observed mean speed under way plus `port_fuel_t_d` for the rest; time that was neither reported nor
    observed adds nothing to either, so that the ratio stays one of the same time.

    Args:
        ship: see `ship_of`.
        reports: of this ship, corrections after what they correct.
        using: its use in any part of the window.
        from_us: inclusive.
        to_us: exclusive.
        practice: figures of `carbon`, `fuel`.
    """
    start, end = to_datetime(from_us), to_datetime(to_us)
    on = start.date()
    complete = [report for report in reports if noon_report.is_complete(report)]
    told = noon_report.summed(complete, start, end, practice)
    burnt = {line.type: line.consumed_t or 0.0 for line in told.fuel}
    seen = [using(_us(a), _us(b)) for a, b in noon_report.gaps(complete, start, end)]
    seen_us = sum(each.observed_us for each in seen)
    period_us = to_us - from_us
    guess, reason = _estimated(ship, seen, on, practice)
    reported = told.reported_h * HOUR_US / period_us
    factors_missing = False
    co2_t = None
    if reason is None:
        try:
            co2_t = sum(fuel.co2_t_by_fuel(_added(burnt, guess), on, practice=practice).values())
        except NotDefinedError:
            factors_missing = True
    coverage = min(1.0, reported + seen_us / period_us)
    missing = {"co2_t": "not_defined"} if factors_missing else {} if reason is None else {"co2_t": reason}
    return Carbon(
        co2_t=co2_t,
        distance_nm=(told.distance_og_nm or 0.0) + sum(each.distance_m for each in seen) / NM_M,
        fuel=[
            FuelUse(type=name, reported_t=burnt.get(name, 0.0), estimated_t=guess.get(name, 0.0))
            for name in sorted({*burnt, *guess})
        ],
        coverage=coverage,
        reported=min(1.0, reported),
        sources={"noon_report": min(1.0, reported), "telemetry": seen_us / period_us, UNKNOWN: 1.0 - coverage},
        is_indicative=reported < practice.number("carbon.reported_min", on),
        is_estimate=coverage < practice.number("carbon.reported_min", on),
        reason=missing,
    )


def _us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _added(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {*one, *other}}


def _estimated(
    ship: CarbonShip, seen: Sequence[Used], on: date, practice: Practice
) -> tuple[dict[str, float], str | None]:  # fmt: skip
    """Tonnes by fuel for the time without reports, or why there is no estimate; nothing to estimate is no reason."""
    known_us: Counter[str] = Counter()
    for each in seen:
        known_us.update({state: length for state, length in each.states_us.items() if state != UNKNOWN})
    if not any(known_us.values()):
        return {}, None
    if ship.service_speed_kn is None or ship.service_fuel_t_d is None:
        return {}, "fuel_not_reported"
    way_h = sum(length for state, length in known_us.items() if state in UNDER_WAY) / HOUR_US
    rest_h = sum(known_us.values()) / HOUR_US - way_h
    if rest_h > 0 and ship.port_fuel_t_d is None:
        return {}, "port_fuel_not_known"
    way_nm = sum(metres for each in seen for state, metres in each.distances_m.items() if state in UNDER_WAY) / NM_M
    exponent = practice.number("fuel.speed_exponent", on)
    tonnes = fuel.estimated_t(way_nm, way_h, ship.service_speed_kn, ship.service_fuel_t_d, exponent)
    tonnes += (ship.port_fuel_t_d or 0.0) * rest_h / 24.0
    return {ship.main_fuel or str(practice.figure("carbon.estimate_fuel", on).value): tonnes}, None


def years_of(from_us: int, to_us: int) -> range:
    """The calendar years (UTC) that [from_us, to_us) touches."""
    return range(to_datetime(from_us).year, to_datetime(to_us - 1).year + 1)


def outlook(
    ship: CarbonShip, reports: Sequence[NoonReport], using: Using, at_us: int, practice: Practice = HOUSE,
    so_far: Carbon | None = None,
) -> Outlook | str:  # fmt: skip
    """Where the calendar year of an instant ends for a ship: the year to date, going on as the last 90 days (domain.md 2.7 [D]).

    `so_far` is the window of the year up to the instant, for who has it already.

    Returns:
        The band, or why there is none: `no_ship_type`, `no_capacity`, what `window` says of missing fuel, `too_thin` where less
        than half of the last 90 days is known, `not_sailed`.
    """
    if ship.reason is not None or ship.capacity is None:
        return ship.reason or "no_capacity"
    year = to_datetime(at_us - 1).year
    begin_us, end_us = (_us(datetime(each, 1, 1, tzinfo=UTC)) for each in (year, year + 1))
    part_us = cii.PROJECTION_DAYS * DAY_US // cii.PROJECTION_PARTS
    lately = [
        window(ship, reports, using, at_us - (n + 1) * part_us, at_us - n * part_us, practice)
        for n in range(cii.PROJECTION_PARTS)
    ]
    so_far = window(ship, reports, using, begin_us, at_us, practice) if so_far is None else so_far
    thin = sum(part.coverage for part in lately) / len(lately)
    if thin < practice.number("carbon.projection_coverage_min", to_datetime(at_us - 1).date()):
        return "too_thin"
    for part in (so_far, *lately):
        if part.co2_t is None:
            return part.reason["co2_t"]
    band = cii.projection(
        cii.Share(so_far.co2_t or 0.0, so_far.distance_nm),
        [cii.Share(part.co2_t or 0.0, part.distance_nm) for part in lately],
        cii.PROJECTION_DAYS, (end_us - at_us) / DAY_US, ship.capacity,
    )  # fmt: skip
    if band is None:
        return "not_sailed"
    judged = [
        cii.against_year(g, ship.ship_type or "", ship.capacity, year, practice) for g in (band.low, band.middle, band.high)
    ]
    return Outlook(
        year=year, low=band.low, middle=band.middle, high=band.high,
        low_rating=judged[0].rating, middle_rating=judged[1].rating, high_rating=judged[2].rating, required=judged[1].required,
        is_indicative=any(part.is_indicative for part in (so_far, *lately)), coverage=so_far.coverage,
        days_observed=round((at_us - begin_us) * so_far.coverage / DAY_US), reason=judged[1].reason,
    )  # fmt: skip


def voyages_of(reports: Sequence[NoonReport]) -> list[eeoi.EeoiVoyage] | str:
    """Reports as voyages for an EEOI, or why there can be none: `no_reports`, `cargo_not_reported`, `fuel_not_reported`.

    A report in port without a distance carries its fuel and no work.
    """
    if not reports:
        return "no_reports"
    if any(not report.fuel or any(line.consumed_t is None for line in report.fuel) for report in reports):
        return "fuel_not_reported"
    if any(report.cargo_t is None for report in reports):
        return "cargo_not_reported"
    return [
        eeoi.EeoiVoyage(
            fuel_t={line.type: line.consumed_t or 0.0 for line in report.fuel}, cargo_t=report.cargo_t or 0.0,
            distance_nm=report.distance_og_nm or 0.0,
        )
        for report in reports
    ]  # fmt: skip
