"""From noon reports to how fast a ship is for her power. Pure: reports and particulars in, shapes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from api.carbon import Window
from api.shapes import HullPerformanceShape, HullPointShape, Reasons
from fleet import displacement, hull_performance, noon_report
from fleet.carbon import ship_type_of
from fleet.hull_performance import PerformancePoint
from fleet.instants import DAY_US, from_datetime, to_datetime, to_rfc3339
from fleet.noon_report import NoonReport
from fleet.practice_book import HOUSE
from store.vessels import Row

POINTS_MAX = 400  # chosen: a year of noons, the newest
POST_DOCK_DAYS = 90  # chosen: the first quarter after a dock is the level that the rest of the interval is held against


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


def reference_of(row: Row, window: Window) -> HullReference:
    """Out of the particulars `service_speed_kn`, `service_power_kw`, `service_displacement_t` (else that of summer draught).

    `speed_exponent` is the ship's own fit, held within 2.5 and 4; else the figure `fuel.speed_exponent` (3).
    """
    particulars = row["particulars"]
    on = to_datetime(window.from_us).date()
    weight = _positive(particulars, "service_displacement_t")
    if weight is None:
        found = displacement.estimate(
            particulars, _positive(particulars, "summer_draught_m"), on, ship_type=ship_type_of(row["type"]), practice=HOUSE
        )  # fmt: skip
        weight = None if found is None else found.displacement_t
    given = _positive(particulars, "speed_exponent") or HOUSE.number("fuel.speed_exponent", on)
    return HullReference(
        _positive(particulars, "service_speed_kn"), _positive(particulars, "service_power_kw"), weight,
        min(hull_performance.EXPONENT_MAX, max(hull_performance.EXPONENT_MIN, given)),
    )  # fmt: skip


def _positive(particulars: Mapping[str, Any], name: str) -> float | None:
    value = particulars.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def point_shape(report: NoonReport, row: Row, reference: HullReference) -> HullPointShape:
    """One report's speed and power against the reference, with what speaks against it."""
    on = report.utc_to.date()
    through_water = report.distance_tw_nm is not None
    distance_nm = report.distance_tw_nm if through_water else report.distance_og_nm
    hours = report.hours if report.hours_underway is None else report.hours_underway
    speed = None if distance_nm is None else noon_report.speed_kn(distance_nm, hours)
    draughts = [each for each in (report.draught_fwd_m, report.draught_aft_m) if each is not None]
    draught_m = sum(draughts) / len(draughts) if draughts else None
    weight, method = report.displacement_t, "noon_report"
    if not weight:
        found = displacement.estimate(row["particulars"], draught_m, on, ship_type=ship_type_of(row["type"]), practice=HOUSE)
        weight, method = (None, "") if found is None else (found.displacement_t, found.method)
    judged = hull_performance.judge(
        PerformancePoint(
            day=on, speed_kn=speed or 0.0, through_water=through_water, draught_m=draught_m, wind_bft=report.wind_bft,
            manoeuvring=report.report_type == "in_port", of_report=True, under_way=hours / report.hours,
        ),
        HOUSE,
    )  # fmt: skip
    missing = [
        name for name, value in (("no_speed", speed), ("no_power", report.me_power_kw), ("no_displacement", weight)) if not value
    ]
    coefficient = expected = deviation = None
    if speed and report.me_power_kw and weight:
        coefficient = hull_performance.admiralty_coefficient(weight, speed, report.me_power_kw)
        if reference.speed_kn and reference.power_kw and reference.displacement_t:
            expected = hull_performance.expected_speed_kn(
                report.me_power_kw, weight, reference_speed_kn=reference.speed_kn, reference_power_kw=reference.power_kw,
                reference_displacement_t=reference.displacement_t, exponent=reference.exponent,
            )  # fmt: skip
            deviation = hull_performance.speed_deviation_pct(speed, expected)
    return HullPointShape(
        from_=to_rfc3339(from_datetime(report.utc_from)), to=to_rfc3339(from_datetime(report.utc_to)), speed_kn=speed,
        through_water=through_water, power_kw=report.me_power_kw, draught_m=draught_m, displacement_t=weight or None,
        displacement_method=method or None, wind_bft=report.wind_bft, slip_pct=report.slip_pct, admiralty_coefficient=coefficient,
        expected_kn=expected, deviation_pct=deviation, faults=[*judged.faults, *missing], confidence=judged.confidence,
    )  # fmt: skip


def hull_shape(row: Row, reports: Sequence[NoonReport], window: Window, out_of_dock_us: int | None) -> HullPerformanceShape:
    """Points of a window's reports, newest last, and the indicators of ISO 19030 that they allow (domain.md 2.9)."""
    reference = reference_of(row, window)
    told = noon_report.summed(reports, to_datetime(window.from_us), to_datetime(window.to_us), HOUSE)
    inside = sorted(
        (
            each
            for each in reports
            if window.from_us <= from_datetime(each.utc_from) and from_datetime(each.utc_to) <= window.to_us
        ),
        key=lambda each: each.utc_from,
    )
    points = [(each, point_shape(each, row, reference)) for each in inside]
    used = [(each, shape.deviation_pct) for each, shape in points if not shape.faults and shape.deviation_pct is not None]
    after = [pair for pair in used if out_of_dock_us is not None and from_datetime(pair[0].utc_from) >= out_of_dock_us]
    edge_us = 0 if out_of_dock_us is None else out_of_dock_us + POST_DOCK_DAYS * DAY_US
    first = [percent for each, percent in after if from_datetime(each.utc_from) < edge_us]
    later = [percent for each, percent in after if from_datetime(each.utc_from) >= edge_us]
    reason: Reasons = {}
    if not reference.complete:
        reason["mean_deviation_pct"] = "no_reference_point"
    elif not used:
        reason["mean_deviation_pct"] = "no_usable_point"
    if not first:
        reason |= dict.fromkeys(("post_dock_pct", "in_service_pct", "maintenance_due"), "no_point_after_dock")
    elif not later:
        reason["in_service_pct"] = "no_point_in_service"
    on = to_datetime(window.to_us - 1).date()
    return HullPerformanceShape(
        asset_id=str(row["asset_id"]), from_=to_rfc3339(window.from_us), to=to_rfc3339(window.to_us),
        out_of_dock_at=None if out_of_dock_us is None else to_rfc3339(out_of_dock_us), reference_speed_kn=reference.speed_kn,
        reference_power_kw=reference.power_kw, reference_displacement_t=reference.displacement_t, exponent=reference.exponent,
        points_total=len(points), points_used=len(used),
        mean_deviation_pct=sum(percent for _, percent in used) / len(used) if used else None,
        post_dock_pct=sum(first) / len(first) if first else None,
        in_service_pct=hull_performance.change_points(first, later),
        maintenance_due=(
            hull_performance.maintenance_due(first, [(each.utc_to.date(), percent) for each, percent in after], on, HOUSE)
            if first else None
        ),
        points=[shape for _, shape in points[-POINTS_MAX:]], coverage=told.coverage, method="noon_report",
        sources={"noon_report": told.coverage}, is_estimate=told.coverage < HOUSE.number("carbon.reported_min", on),
        reason=reason,
    )  # fmt: skip
