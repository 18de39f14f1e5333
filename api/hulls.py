"""From a ship's hull points to what is answered about them. Pure: facts in, shapes out."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from api.carbon import Window
from api.shapes import HullPerformanceShape, HullPointShape
from fleet import hull_reports, noon_report
from fleet.hull_reports import HullPoint
from fleet.instants import from_datetime, to_datetime, to_rfc3339
from fleet.noon_report import NoonReport
from fleet.practice_book import HOUSE
from store.vessels import Row

POINTS_MAX = 400  # chosen: a year of noons, the newest


def point_shape(point: HullPoint) -> HullPointShape:
    """A point as the API shows it."""
    known = msgspec.structs.asdict(point)
    begin, end = known.pop("utc_from"), known.pop("utc_to")
    told = {**known, "faults": list(point.faults)}
    return HullPointShape(from_=to_rfc3339(from_datetime(begin)), to=to_rfc3339(from_datetime(end)), **told)


def hull_shape(row: Row, reports: Sequence[NoonReport], window: Window, out_of_dock_us: int | None) -> HullPerformanceShape:
    """Points of the reports that lie inside a window, the newest last, and what they say since the last dock."""
    begin, end = to_datetime(window.from_us), to_datetime(window.to_us)
    on = to_datetime(window.to_us - 1).date()
    reference = hull_reports.reference_of(row["particulars"], row["type"], on, HOUSE)
    inside = [each for each in reports if begin <= each.utc_from and each.utc_to <= end]
    points = hull_reports.points_of(inside, row["particulars"], row["type"], reference, HOUSE)
    docked = None if out_of_dock_us is None else to_datetime(out_of_dock_us)
    found = hull_reports.summary(points, reference, docked, on, HOUSE)
    covered = noon_report.summed(reports, begin, end, HOUSE).coverage
    return HullPerformanceShape(
        asset_id=str(row["asset_id"]), from_=to_rfc3339(window.from_us), to=to_rfc3339(window.to_us),
        out_of_dock_at=None if out_of_dock_us is None else to_rfc3339(out_of_dock_us), reference_speed_kn=reference.speed_kn,
        reference_power_kw=reference.power_kw, reference_displacement_t=reference.displacement_t, exponent=reference.exponent,
        points_total=len(points), points=[point_shape(each) for each in points[-POINTS_MAX:]], coverage=covered,
        method="noon_report", sources={"noon_report": covered},
        is_estimate=covered < HOUSE.number("carbon.reported_min", on), **msgspec.structs.asdict(found),
    )  # fmt: skip
