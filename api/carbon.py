"""From a ship's reports and use to what is answered about its carbon, fuel and hull. Pure: facts in, shapes out.

It knows no query and no clock: windows and `now` are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from api.shapes import (
    AgreedCiiShape,
    CharterCiiShape,
    CiiProjectionShape,
    CiiShape,
    CiiYearShape,
    FleetCiiShape,
    FuelBalanceShape,
    FuelShape,
    FuelSumShape,
    FuelUseShape,
    Reasons,
)
from fleet import carbon, cii, eeoi, noon_report
from fleet.carbon import Carbon, CarbonShip, Outlook
from fleet.geodesy import NM_M
from fleet.instants import from_datetime, to_datetime, to_rfc3339
from fleet.lease import UNREADABLE, AgreedCii, Terms, UnreadableTerms, stored_terms
from fleet.practice import NotDefinedError
from fleet.practice_book import HOUSE
from store.vessels import CarbonFacts

Row = dict[str, Any]


class Window(NamedTuple):
    """A half-open stretch of time in microseconds."""

    from_us: int
    to_us: int


def held_within(row: Row, window: Window) -> Window:
    """The part of a tenure inside a window; the row meets it."""
    begin, end = row["valid_from"], row["valid_to"]
    return Window(
        window.from_us if begin is None else max(window.from_us, begin), window.to_us if end is None else min(window.to_us, end)
    )


def year_shapes(attained: float | None, ship: CarbonShip, window: Window) -> list[CiiYearShape]:
    """A figure held against every calendar year that its window touches; none where the ship's line is not known."""
    if ship.ship_type is None or ship.capacity is None:
        return []
    found = [
        cii.against_year(attained, ship.ship_type, ship.capacity, year, HOUSE)
        for year in carbon.years_of(window.from_us, window.to_us)
    ]
    return [CiiYearShape(**msgspec.structs.asdict(each)) for each in found]


def attained_of(found: Carbon, ship: CarbonShip) -> float | None:
    """The figure of a window; None where fuel, capacity or distance is missing."""
    if found.co2_t is None or ship.capacity is None:
        return None
    return cii.attained(found.co2_t, ship.capacity, found.distance_nm)


def reasons_of(found: Carbon, ship: CarbonShip, attained: float | None) -> Reasons:
    """Why what is null in a window is null."""
    reason: Reasons = dict(found.reason)
    if ship.reason is not None:
        reason["years"] = ship.reason
    if attained is None:
        reason["attained"] = found.reason.get("co2_t") or ship.reason or "not_sailed"
    return reason


def charter_shape(facts: CarbonFacts, row: Row, window: Window, outlook: Outlook | str | None) -> CharterCiiShape:
    """C/P Attained CII of a tenure inside a window (BIMCO CII clause 2022, domain.md 2.7), with what its paper agreed."""
    held = held_within(row, window)
    found = carbon.window(facts.ship, facts.reports, facts.using, *held, HOUSE)
    attained = attained_of(found, facts.ship)
    years = year_shapes(attained, facts.ship, held)
    terms = stored_terms(row["terms"])
    reason = reasons_of(found, facts.ship, attained)
    if isinstance(terms, UnreadableTerms):
        reason["agreed"] = UNREADABLE
    return CharterCiiShape(
        lease_id=str(row["lease_id"]), lessee=str(row["lessee_party_id"]), lessee_name=row["lessee_name"], form=row["form"],
        from_=to_rfc3339(held.from_us), to=to_rfc3339(held.to_us), co2_t=found.co2_t, distance_nm=found.distance_nm,
        attained=attained, years=years,
        agreed=[_agreed(each, attained, years, outlook) for each in (terms.agreed_cii if isinstance(terms, Terms) else ())],
        coverage=found.coverage, is_indicative=found.is_indicative, is_estimate=found.is_estimate, reason=reason,
    )  # fmt: skip


def _agreed(
    agreed: AgreedCii, attained: float | None, years: Sequence[CiiYearShape], outlook: Outlook | str | None
) -> AgreedCiiShape:
    """Whether an agreement is kept so far, and whether the projected year would keep it; null where nobody can say."""
    judged = next((each for each in reversed(years) if agreed.year in {None, each.year}), None)
    ahead = outlook if isinstance(outlook, Outlook) and agreed.year in {None, outlook.year} else None
    return AgreedCiiShape(
        year=agreed.year, attained_max=agreed.attained_max, rating_worst=agreed.rating_worst,
        kept=_kept(agreed, None if judged is None else attained, None if judged is None else judged.rating),
        projected_kept=None if ahead is None else _kept(agreed, ahead.middle, ahead.middle_rating),
    )  # fmt: skip


def _kept(agreed: AgreedCii, attained: float | None, rating: str | None) -> bool | None:
    if agreed.attained_max is not None:
        return None if attained is None else attained <= agreed.attained_max
    return None if rating is None or agreed.rating_worst is None else rating <= agreed.rating_worst


def projection_shape(outlook: Outlook) -> CiiProjectionShape:
    """An outlook as the API shows it."""
    return CiiProjectionShape(
        year=outlook.year, low=outlook.low, middle=outlook.middle, high=outlook.high, low_rating=outlook.low_rating,
        middle_rating=outlook.middle_rating, high_rating=outlook.high_rating, required=outlook.required,
        is_indicative=outlook.is_indicative, coverage=outlook.coverage,
    )  # fmt: skip


def cii_shape(asset_id: str, facts: CarbonFacts, window: Window, charters: Iterable[Row]) -> CiiShape:
    """All about one ship's window: its own figure, the years', each charter's, and where the year of its end goes."""
    ship = facts.ship
    found = carbon.window(ship, facts.reports, facts.using, *window, HOUSE)
    attained = attained_of(found, ship)
    outlook = carbon.outlook(ship, facts.reports, facts.using, window.to_us, HOUSE)
    reason = reasons_of(found, ship, attained)
    projection = None
    if isinstance(outlook, Outlook):
        projection = projection_shape(outlook)
    else:
        reason["projection"] = outlook
    work, no_work = _eeoi(facts, window)
    if no_work is not None:
        reason["eeoi_t_per_t_nm"] = no_work
    if ship.gt is None:
        reason["applies"] = "no_gt"
    return CiiShape(
        asset_id=asset_id, from_=to_rfc3339(window.from_us), to=to_rfc3339(window.to_us), method=cii.METHOD,
        ship_type=ship.ship_type, measure=ship.measure, capacity=ship.capacity,
        applies=None if ship.gt is None else ship.gt >= HOUSE.number("cii.applies_from_gt", to_datetime(window.from_us).date()),
        co2_t=found.co2_t, fuel=[FuelUseShape(**msgspec.structs.asdict(each)) for each in found.fuel],
        distance_nm=found.distance_nm, attained=attained, years=year_shapes(attained, ship, window), projection=projection,
        charters=[charter_shape(facts, row, window, outlook) for row in charters], eeoi_t_per_t_nm=work,
        coverage=found.coverage, reported=found.reported, sources=found.sources, is_indicative=found.is_indicative,
        is_estimate=found.is_estimate, reason=reason,
    )  # fmt: skip


def _eeoi(facts: CarbonFacts, window: Window) -> tuple[float | None, str | None]:
    """EEOI of the reports that lie wholly inside a window, or why there is none."""
    inside = [
        each for each in facts.reports
        if from_datetime(each.utc_from) >= window.from_us and from_datetime(each.utc_to) <= window.to_us
    ]  # fmt: skip
    voyages = carbon.voyages_of(inside)
    if isinstance(voyages, str):
        return None, voyages
    try:
        found = eeoi.indicator(voyages, to_datetime(window.from_us).date(), HOUSE)
    except NotDefinedError:
        return None, "not_defined"
    return found.eeoi_t_per_t_nm, found.reason


def fleet_shape(row: Row, facts: CarbonFacts, window: Window, charters: Iterable[Row]) -> FleetCiiShape:
    """One ship's calendar year up to the end of the window, as a row of the fleet's list."""
    found = carbon.window(facts.ship, facts.reports, facts.using, *window, HOUSE)
    attained = attained_of(found, facts.ship)
    years = year_shapes(attained, facts.ship, window)
    outlook = carbon.outlook(facts.ship, facts.reports, facts.using, window.to_us, HOUSE, found)
    ahead = outlook if isinstance(outlook, Outlook) else None
    reason = reasons_of(found, facts.ship, attained)
    if isinstance(outlook, str):
        reason["middle"] = outlook
    return FleetCiiShape(
        asset_id=str(row["asset_id"]), name=row["name"], type=row["type"], year=to_datetime(window.from_us).year,
        method=cii.METHOD, co2_t=found.co2_t, distance_nm=found.distance_nm, attained=attained,
        rating=years[0].rating if years else None, required=years[0].required if years else None,
        low=None if ahead is None else ahead.low, low_rating=None if ahead is None else ahead.low_rating,
        middle=None if ahead is None else ahead.middle, middle_rating=None if ahead is None else ahead.middle_rating,
        high=None if ahead is None else ahead.high, high_rating=None if ahead is None else ahead.high_rating,
        charters=[charter_shape(facts, each, window, outlook) for each in charters], coverage=found.coverage,
        is_indicative=found.is_indicative, is_estimate=found.is_estimate, reason=reason,
    )  # fmt: skip


def fuel_shape(asset_id: str, facts: CarbonFacts, window: Window) -> FuelShape:
    """What the masters reported of a period: fuel, distance, tanks that do not add up, beside the observed distance."""
    told = noon_report.summed(facts.reports, to_datetime(window.from_us), to_datetime(window.to_us), HOUSE)
    seen = facts.using(*window)
    observed_nm = seen.distance_m / NM_M
    on = to_datetime(window.from_us).date()
    enough = HOUSE.number("carbon.reported_min", on)
    comparable = told.distance_og_nm is not None and min(told.coverage, seen.coverage) >= enough
    inside = [each for each in facts.reports if window.from_us < from_datetime(each.utc_to) <= window.to_us]
    reason = dict(told.reason)
    if not comparable:
        reason["distance_differs"] = "not_covered"
    return FuelShape(
        asset_id=asset_id, from_=to_rfc3339(window.from_us), to=to_rfc3339(window.to_us), reports=told.reports,
        reported_h=told.reported_h, gap_h=told.gap_h, overlap_h=told.overlap_h, distance_og_nm=told.distance_og_nm,
        observed_distance_nm=observed_nm, observed_coverage=seen.coverage,
        distance_differs=noon_report.distance_differs(told.distance_og_nm or 0.0, observed_nm, on, HOUSE) if comparable else None,
        hours_underway=told.hours_underway,
        fuel=[FuelSumShape(**msgspec.structs.asdict(line)) for line in told.fuel], co2_t=told.co2_t,
        balance=[fuel_balance_shape(each) for each in noon_report.balance_findings(inside, HOUSE)],
        coverage=told.coverage, method="noon_report",
        sources={"noon_report": told.coverage}, is_estimate=told.coverage < enough, reason=reason,
    )  # fmt: skip


def fuel_balance_shape(found: noon_report.BalanceFinding) -> FuelBalanceShape:
    """Two reports whose tanks do not add up, as the API shows it."""
    known = msgspec.structs.asdict(found)
    return FuelBalanceShape(at=to_rfc3339(from_datetime(known.pop("utc_to"))), **known)
