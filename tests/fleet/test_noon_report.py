"""Noon reports: local noon, slip, what contradicts itself, tanks, and sums of a period."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import noon_report
from fleet.noon_report import NoonReport
from tests.fleet.fix_vectors import vector

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def document(day: int = 0, hours: float = 24.0, **changed: Any) -> dict[str, Any]:
    start = NOON + timedelta(days=day)
    return {
        "report_type": "noon", "utc_from": start.isoformat(), "utc_to": (start + timedelta(hours=hours)).isoformat(),
        "distance_og_nm": 12.5 * hours, "hours_underway": hours,
        "fuel": [{"type": "HFO", "me_t": 28.0, "ae_t": 2.0, "rob_t": 970.0 - 30 * day}], **changed,
    }  # fmt: skip


def report(day: int = 0, hours: float = 24.0, **changed: Any) -> NoonReport:
    found = noon_report.read(document(day, hours, **changed))
    assert isinstance(found, NoonReport), found
    return found


def test_a_day_that_crosses_a_zone_has_25_hours() -> None:
    golden = vector("SH8_noon")
    assert noon_report.noon_to_noon_h(offset_before_h=1, offset_after_h=0) == golden["hours"]
    westward = report(hours=25, distance_og_nm=golden["distance_nm"])
    assert westward.hours == golden["hours"]
    assert noon_report.speed_kn(golden["distance_nm"], westward.hours) == golden["speed"]
    assert noon_report.speed_kn(golden["distance_nm"], 24) == pytest.approx(golden["wrong_24h"], abs=5e-5)
    by_engine = noon_report.engine_distance_nm(golden["pitch_m"], golden["rpm"], golden["hours"])
    assert by_engine == pytest.approx(golden["engine_distance_nm"], abs=5e-5)
    assert noon_report.slip_pct(golden["distance_nm"], by_engine) == pytest.approx(golden["slip_pct"], abs=5e-5)


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"utc_to": "2026-06-01T11:00:00Z"}, "/utc_to"),
        ({"utc_to": "2026-06-02T15:00:00Z"}, "/utc_to"),
        ({"utc_from": "2026-06-01T12:00:00"}, "/utc_from"),
        ({"utc_to": "yesterday"}, "/utc_to"),
        ({"lat": 12.0}, "/lon"),
        ({"hours_underway": 24.5}, "/hours_underway"),
        ({"distance_og_nm": 1201.0}, "/distance_og_nm"),
        ({"distance_og_nm": -1.0}, "/distance_og_nm"),
        ({"fuel": [{"type": "coal", "me_t": 3}]}, "/fuel/0/type"),
        ({"fuel": [{"type": "HFO", "me_t": 3}, {"type": "HFO", "me_t": 4}]}, "/fuel/1/type"),
        ({"fuel": [{"type": "HFO", "me_t": -3}]}, "/fuel/0/me_t"),
        ({"wind_bft": 13}, "/wind_bft"),
        ({"imo": "907472"}, "/imo"),
        ({"weather": "fine"}, ""),
    ],
)
def test_what_contradicts_itself_is_refused_where_it_stands(changed: dict[str, Any], pointer: str) -> None:
    found = noon_report.read(document(**changed))
    assert isinstance(found, list)
    assert [fault.pointer for fault in found] == [pointer]


def test_an_arrival_may_be_longer_or_shorter_than_a_day() -> None:
    assert report(hours=40, report_type="arrival", hours_underway=30).hours == 40


def test_tanks_that_do_not_add_up_are_found_between_reports_that_follow_each_other() -> None:
    fuel = [{"type": "HFO", "me_t": 28.0, "ae_t": 2.0, "rob_t": 920.0}]
    found = noon_report.balance_findings([report(1, fuel=fuel), report(0)])
    assert [(each.type, each.gap_t, each.tolerance_t) for each in found] == [("HFO", 20.0, 1.0)]
    assert noon_report.balance_findings([report(0), report(1), report(2)]) == []
    assert noon_report.balance_findings([report(0), report(2, fuel=fuel)]) == []  # a day lies between


def test_bunkers_taken_belong_to_the_balance() -> None:
    fuel = [{"type": "HFO", "me_t": 30.0, "bunkered_t": 500.0, "rob_t": 1_440.0}]
    assert noon_report.balance_findings([report(0), report(1, fuel=fuel)]) == []


def test_a_period_is_summed_with_its_coverage() -> None:
    found = noon_report.summed([report(day) for day in (0, 1, 3)], NOON, NOON + timedelta(days=4))
    assert (found.reports, found.reported_h, found.coverage, found.gap_h) == (3, 72.0, 0.75, 24.0)
    assert (found.distance_og_nm, found.hours_underway) == (900.0, 72.0)
    assert [(line.type, line.consumed_t) for line in found.fuel] == [("HFO", 90.0)]
    assert found.co2_t == pytest.approx(90 * 3.114)


def test_a_report_across_the_edge_counts_with_its_share() -> None:
    found = noon_report.summed([report(0)], NOON + timedelta(hours=6), NOON + timedelta(hours=24))
    assert found.distance_og_nm == pytest.approx(225)
    assert found.fuel[0].consumed_t == pytest.approx(22.5)


def test_a_correction_takes_the_place_of_what_it_corrects() -> None:
    found = noon_report.summed([report(0), report(0, distance_og_nm=310.0)], NOON, NOON + timedelta(days=1))
    assert (found.distance_og_nm, found.overlap_h, found.coverage) == (310.0, 24.0, 1.0)


def test_what_one_report_left_out_is_unknown_and_not_zero() -> None:
    found = noon_report.summed([report(0), report(1, fuel=[], distance_og_nm=None)], NOON, NOON + timedelta(days=2))
    assert (found.distance_og_nm, found.co2_t) == (None, None)
    assert found.fuel[0].consumed_t is None
    assert found.reason == {"distance_og_nm": "not_reported", "co2_t": "not_reported"}
    assert noon_report.summed([], NOON, NOON + timedelta(days=2)).reason["co2_t"] == "no_reports"


@pytest.mark.parametrize(("reported_nm", "differs"), [(950.0, False), (949.0, True), (1050.0, False), (1051.0, True)])
def test_a_distance_is_out_of_tolerance_beyond_five_percent(reported_nm: float, differs: bool) -> None:
    assert noon_report.distance_differs(reported_nm, 1000.0, NOON.date()) is differs


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 26)), max_size=8), st.integers(1, 500))
@settings(max_examples=60)
def test_two_halves_of_a_period_add_up_to_it_and_no_hour_counts_twice(days: list[tuple[int, int]], cut_h: int) -> None:
    reports = [report(day, float(hours)) for day, hours in days]
    end = NOON + timedelta(hours=520)
    cut = NOON + timedelta(hours=cut_h)
    halves = [noon_report.summed(reports, NOON, cut), noon_report.summed(reports, cut, end)]
    whole = noon_report.summed(reports, NOON, end)
    assert sum(half.reported_h for half in halves) == pytest.approx(whole.reported_h)
    assert whole.reported_h + whole.gap_h == pytest.approx(520)
    assert sum(half.distance_og_nm or 0 for half in halves) == pytest.approx(whole.distance_og_nm or 0)
