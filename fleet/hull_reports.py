"""How fast a ship is for her power, out of her noon reports: points, and what they say since the last dock.

Neighbours: `hull_performance` has the formulas, `noon_report` the reports, `displacement` the weight. In kn, kW, t, m.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from fleet import displacement, fuel, hull_performance, noon_report
from fleet.carbon import ship_type_of
from fleet.hull_performance import PerformancePoint
from fleet.noon_report import NoonReport
from fleet.practice import Practice

POST_DOCK = timedelta(days=90)
"""The first quarter after a dock is the level that the rest of the interval is held against (chosen; ISO 19030 takes a year)."""
HOUSE = Practice((*hull_performance.FIGURES, *displacement.FIGURES, *fuel.FIGURES))


class HullReference(NamedTuple):
    """The point of a ship's own that others are compared with; None is unknown."""

    speed_kn: float | None
    power_kw: float | None
    displacement_t: float | None
    exponent: float

    @property
    def complete(self) -> bool:
        """Whether an expected speed can be said."""
        return None not in {self.speed_kn, self.power_kw, self.displacement_t}


class HullPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One report's speed against its power. `deviation_pct` is ISO 19030's PV, `faults` say why it is not used."""

    utc_from: datetime
    utc_to: datetime
    speed_kn: float | None
    through_water: bool
    power_kw: float | None
    draught_m: float | None
    displacement_t: float | None
    displacement_method: str | None
    wind_bft: int | None
    slip_pct: float | None
    admiralty_coefficient: float | None
    expected_kn: float | None
    deviation_pct: float | None
    faults: tuple[str, ...]
    confidence: str


class HullSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Mean deviations in percent: of all usable points, of the first quarter after the dock, of the rest less these.

    `maintenance_due`: the last fortnight lies more than 5 points below the first quarter. None with a reason where points lack.
    """

    points_used: int
    mean_deviation_pct: float | None
    post_dock_pct: float | None
    in_service_pct: float | None
    maintenance_due: bool | None
    reason: dict[str, str]


def reference_of(
    particulars: Mapping[str, Any], asset_type: str | None, on: date, practice: Practice = HOUSE
) -> HullReference:  # fmt: skip
    """Out of the particulars `service_speed_kn`, `service_power_kw`, `service_displacement_t` (else that of summer draught).

    `speed_exponent` is the ship's own fit, held within 2.5 and 4; else the figure `fuel.speed_exponent` (3).
    """
    weight = _positive(particulars, "service_displacement_t")
    if weight is None:
        summer_m = _positive(particulars, "summer_draught_m")
        found = displacement.estimate(particulars, summer_m, on, ship_type=ship_type_of(asset_type), practice=practice)
        weight = None if found is None else found.displacement_t
    given = _positive(particulars, "speed_exponent") or practice.number("fuel.speed_exponent", on)
    return HullReference(
        _positive(particulars, "service_speed_kn"),
        _positive(particulars, "service_power_kw"),
        weight,
        min(hull_performance.EXPONENT_MAX, max(hull_performance.EXPONENT_MIN, given)),
    )


def _positive(particulars: Mapping[str, Any], name: str) -> float | None:
    value = particulars.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def point_of(
    report: NoonReport, particulars: Mapping[str, Any], asset_type: str | None, reference: HullReference,
    practice: Practice = HOUSE,
) -> HullPoint:  # fmt: skip
    """One report as a point: speed through water where the log was read, else over ground; weight as told, else by draught."""
    on = report.utc_to.date()
    through_water = report.distance_tw_nm is not None
    distance_nm = report.distance_tw_nm if through_water else report.distance_og_nm
    hours = report.hours if report.hours_underway is None else report.hours_underway
    speed = None if distance_nm is None else noon_report.speed_kn(distance_nm, hours)
    draughts = [each for each in (report.draught_fwd_m, report.draught_aft_m) if each is not None]
    draught_m = sum(draughts) / len(draughts) if draughts else None
    weight, method = report.displacement_t, "noon_report"
    if not weight:
        found = displacement.estimate(particulars, draught_m, on, ship_type=ship_type_of(asset_type), practice=practice)
        weight, method = (None, "") if found is None else (found.displacement_t, found.method)
    judged = hull_performance.judge(
        PerformancePoint(
            day=on, speed_kn=speed or 0.0, through_water=through_water, draught_m=draught_m, wind_bft=report.wind_bft,
            manoeuvring=report.report_type == "in_port", of_report=True, under_way=hours / report.hours,
        ),
        practice,
    )  # fmt: skip
    coefficient, expected = _against(reference, speed, report.me_power_kw, weight)
    wanted = (("no_speed", speed), ("no_power", report.me_power_kw), ("no_displacement", weight))
    return HullPoint(
        utc_from=report.utc_from, utc_to=report.utc_to, speed_kn=speed, through_water=through_water, power_kw=report.me_power_kw,
        draught_m=draught_m, displacement_t=weight or None, displacement_method=method or None, wind_bft=report.wind_bft,
        slip_pct=report.slip_pct, admiralty_coefficient=coefficient, expected_kn=expected,
        deviation_pct=None if expected is None or speed is None else hull_performance.speed_deviation_pct(speed, expected),
        faults=(*judged.faults, *(name for name, value in wanted if not value)), confidence=judged.confidence,
    )  # fmt: skip


def _against(
    reference: HullReference, speed: float | None, power_kw: float | None, weight: float | None
) -> tuple[float | None, float | None]:
    """Admiralty coefficient and expected speed of a point, each None where something of it is missing."""
    if not (speed and power_kw and weight):
        return None, None
    coefficient = hull_performance.admiralty_coefficient(weight, speed, power_kw)
    if not (reference.speed_kn and reference.power_kw and reference.displacement_t):
        return coefficient, None
    return coefficient, hull_performance.expected_speed_kn(
        power_kw, weight, reference_speed_kn=reference.speed_kn, reference_power_kw=reference.power_kw,
        reference_displacement_t=reference.displacement_t, exponent=reference.exponent,
    )  # fmt: skip


def points_of(
    reports: Sequence[NoonReport], particulars: Mapping[str, Any], asset_type: str | None, reference: HullReference,
    practice: Practice = HOUSE,
) -> list[HullPoint]:  # fmt: skip
    """Reports as points, in order."""
    return sorted(
        (point_of(each, particulars, asset_type, reference, practice) for each in reports), key=lambda one: one.utc_from
    )


def summary(
    points: Sequence[HullPoint], reference: HullReference, out_of_dock: datetime | None, on: date, practice: Practice = HOUSE
) -> HullSummary:  # fmt: skip
    """What points say since the last dock (`out_of_dock`, None: not recorded), seen from a day (domain.md 2.9 and 5.4).

    Only points without a fault and with a reference to be held against are used.
    """
    used = [(one, one.deviation_pct) for one in points if not one.faults and one.deviation_pct is not None]
    after = [] if out_of_dock is None else [pair for pair in used if pair[0].utc_from >= out_of_dock]
    first = [percent for one, percent in after if out_of_dock is not None and one.utc_from < out_of_dock + POST_DOCK]
    later = [percent for one, percent in after if out_of_dock is not None and one.utc_from >= out_of_dock + POST_DOCK]
    reason: dict[str, str] = {}
    if not used:
        reason["mean_deviation_pct"] = "no_usable_point" if reference.complete else "no_reference_point"
    if not first:
        reason |= dict.fromkeys(("post_dock_pct", "in_service_pct", "maintenance_due"), "no_point_after_dock")
    elif not later:
        reason["in_service_pct"] = "no_point_in_service"
    lately = [(one.utc_to.date(), percent) for one, percent in after]
    return HullSummary(
        points_used=len(used),
        mean_deviation_pct=sum(percent for _, percent in used) / len(used) if used else None,
        post_dock_pct=sum(first) / len(first) if first else None,
        in_service_pct=hull_performance.change_points(first, later),
        maintenance_due=hull_performance.maintenance_due(first, lately, on, practice) if first else None,
        reason=reason,
    )
