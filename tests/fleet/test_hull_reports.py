"""Hull performance out of noon reports: what is used, what is not, and when the hull wants cleaning."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from fleet import hull_reports
from fleet.hull_reports import HullReference
from fleet.noon_report import NoonReport

OUT = datetime(2026, 1, 1, tzinfo=UTC)
SHIP = {"service_speed_kn": 13.5, "service_power_kw": 7_800, "service_displacement_t": 88_000}
REFERENCE = hull_reports.reference_of(SHIP, "bulk carrier", OUT.date())


def noon(day: int, speed_kn: float = 13.5, **changed: Any) -> NoonReport:
    start = OUT + timedelta(days=day)
    said: dict[str, Any] = {
        "report_type": "noon", "utc_from": start, "utc_to": start + timedelta(days=1), "distance_tw_nm": 24 * speed_kn,
        "me_power_kw": 7_800.0, "displacement_t": 88_000.0, "wind_bft": 3, "draught_fwd_m": 12.0, "draught_aft_m": 12.2,
        **changed,
    }  # fmt: skip
    return NoonReport(**said)


def summed(reports: list[NoonReport], on_day: int, out: datetime | None = OUT) -> hull_reports.HullSummary:
    points = hull_reports.points_of(reports, SHIP, "bulk carrier", REFERENCE)
    return hull_reports.summary(points, REFERENCE, out, (OUT + timedelta(days=on_day)).date())


def test_a_ship_at_her_reference_point_does_not_deviate() -> None:
    point = hull_reports.point_of(noon(0), SHIP, "bulk carrier", REFERENCE)
    assert point.deviation_pct == pytest.approx(0)
    assert (point.faults, point.confidence, point.displacement_method) == ((), "low", "noon_report")


def test_half_a_knot_less_at_the_same_power_is_so_much_slower() -> None:
    point = hull_reports.point_of(noon(0, 13.0), SHIP, "bulk carrier", REFERENCE)
    assert point.deviation_pct == pytest.approx(100 * (13.0 - 13.5) / 13.5)


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({"wind_bft": 6}, ("rough",)),
        ({"hours_underway": 20.0}, ("not_steady",)),
        ({"me_power_kw": None}, ("no_power",)),
        ({"displacement_t": None}, ("no_displacement",)),
        ({"distance_tw_nm": None}, ("no_speed",)),
        ({"report_type": "in_port"}, ("manoeuvring",)),
    ],
)
def test_what_speaks_against_a_report_is_named_and_it_is_not_used(changed: dict[str, Any], faults: tuple[str, ...]) -> None:
    point = hull_reports.point_of(noon(0, **changed), SHIP, "bulk carrier", REFERENCE)
    assert point.faults == faults
    assert summed([noon(0, **changed)], 5).points_used == 0


def test_weight_is_taken_from_the_draught_where_nobody_reported_it() -> None:
    hull = {**SHIP, "length_m": 225.0, "beam_m": 32.26, "summer_draught_m": 14.45, "block_coefficient": 0.865}
    point = hull_reports.point_of(noon(0, displacement_t=None), hull, "bulk carrier", REFERENCE)
    assert (point.displacement_method, point.faults) == ("block_coefficient", ())


def test_a_hull_that_lost_six_percent_since_the_dock_wants_cleaning() -> None:
    clean, foul = [noon(day) for day in range(60)], [noon(day, 13.5 * 0.94) for day in range(200, 230)]
    found = summed(clean + foul, 230)
    assert found.post_dock_pct == pytest.approx(0)
    assert found.in_service_pct == pytest.approx(-6)
    assert found.maintenance_due is True
    assert summed(clean + [noon(day, 13.5 * 0.96) for day in range(200, 230)], 230).maintenance_due is False


def test_without_a_dock_or_a_reference_nothing_is_due_and_the_reason_is_told() -> None:
    assert summed([noon(0)], 5, out=None).reason["maintenance_due"] == "no_point_after_dock"
    bare = HullReference(None, None, None, 3.0)
    found = hull_reports.summary(hull_reports.points_of([noon(0)], {}, None, bare), bare, OUT, date(2026, 1, 5))
    assert (found.points_used, found.reason["mean_deviation_pct"]) == (0, "no_reference_point")
