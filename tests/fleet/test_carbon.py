"""A window of a ship: reported where reported, estimated where observed, null with a reason where neither can be."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import carbon, cii
from fleet.carbon import CarbonShip
from fleet.geodesy import NM_M
from fleet.instants import DAY_US, HOUR_US, from_datetime
from fleet.noon_report import FuelLine, NoonReport
from fleet.use import Activity, used

JAN = datetime(2026, 1, 1, tzinfo=UTC)
JAN_US = from_datetime(JAN)
SHIP = CarbonShip(
    ship_type="bulk_carrier", measure="dwt", capacity=81_600, service_speed_kn=13.5, service_fuel_t_d=30.0, port_fuel_t_d=4.0
)


def noon(day: int, burnt_t: float = 24.0, nm: float = 300.0, cargo_t: float | None = None) -> NoonReport:
    start = JAN + timedelta(days=day)
    return NoonReport(
        report_type="noon", utc_from=start, utc_to=start + timedelta(days=1), distance_og_nm=nm, cargo_t=cargo_t,
        fuel=[FuelLine(type="HFO", me_t=burnt_t)],
    )  # fmt: skip


def at_sea(days: int, speed_kn: float = 12.0) -> carbon.Using:
    return using(
        Activity(
            from_us=JAN_US + day * DAY_US, to_us=JAN_US + (day + 1) * DAY_US, state="at_sea", method="m",
            distance_m=24 * speed_kn * NM_M, observed_us=DAY_US,
        )
        for day in range(days)
    )  # fmt: skip


def using(activities: object) -> carbon.Using:
    held = list(activities)  # type: ignore[call-overload]
    return lambda from_us, to_us: used([], held, from_us, to_us)


def window(ship: CarbonShip, reports: list[NoonReport], use: carbon.Using, days: int) -> carbon.Carbon:
    return carbon.window(ship, reports, use, JAN_US, JAN_US + days * DAY_US)


def test_a_reported_window_is_no_estimate_and_not_indicative() -> None:
    found = window(SHIP, [noon(day) for day in range(10)], at_sea(10), 10)
    assert found.co2_t == pytest.approx(240 * 3.114)
    assert (found.distance_nm, found.coverage, found.reported) == (3_000, 1.0, 1.0)
    assert (found.is_indicative, found.is_estimate) == (False, False)


def test_fuel_nobody_reported_is_estimated_by_the_cube_law_and_indicative() -> None:
    found = window(SHIP, [], at_sea(10), 10)
    assert found.distance_nm == pytest.approx(2_880)
    assert found.co2_t == pytest.approx(10 * 30 * (12 / 13.5) ** 3 * 3.114)
    assert (found.is_indicative, found.is_estimate, found.coverage) == (True, False, 1.0)
    assert [(line.type, line.reported_t) for line in found.fuel] == [("HFO", 0.0)]


def test_reports_speak_for_their_days_and_telemetry_for_the_others() -> None:
    found = window(SHIP, [noon(0), noon(1)], at_sea(4), 4)
    assert found.distance_nm == pytest.approx(2 * 300 + 2 * 288)
    assert found.fuel[0].reported_t == 48
    assert found.fuel[0].estimated_t == pytest.approx(2 * 30 * (12 / 13.5) ** 3)
    assert found.sources == {"noon_report": 0.5, "telemetry": 0.5, "unknown": 0.0}


@pytest.mark.parametrize(
    ("change", "reason"), [({"service_fuel_t_d": None}, "fuel_not_reported"), ({"port_fuel_t_d": None}, "port_fuel_not_known")]
)
def test_without_particulars_unreported_fuel_is_null_with_a_reason(change: dict[str, None], reason: str) -> None:
    moored = Activity(from_us=JAN_US, to_us=JAN_US + DAY_US, state="moored", method="m", observed_us=DAY_US)
    found = window(msgspec.structs.replace(SHIP, **change), [], using([moored]), 1)
    assert (found.co2_t, found.reason) == (None, {"co2_t": reason})


def test_a_silence_adds_neither_fuel_nor_distance_and_makes_an_estimate() -> None:
    found = window(SHIP, [], at_sea(6), 10)
    assert (found.coverage, found.is_estimate) == (0.6, True)
    assert found.sources["unknown"] == pytest.approx(0.4)
    whole, part = (cii.attained(each.co2_t or 0, 81_600, each.distance_nm) for each in (found, window(SHIP, [], at_sea(6), 6)))
    assert whole == pytest.approx(part)


def test_a_report_without_fuel_leaves_its_day_to_telemetry() -> None:
    bare = msgspec.structs.replace(noon(0), fuel=[])
    assert window(SHIP, [bare], at_sea(1), 1) == window(SHIP, [], at_sea(1), 1)


@pytest.mark.parametrize(
    ("said", "found"),
    [("Bulk carrier", "bulk_carrier"), ("PCTC", "roro_vehicle"), ("crude oil tanker", "tanker"), ("Yacht", None), (None, None)],
)
def test_the_registers_words_are_read_as_types_of_the_guideline(said: str | None, found: str | None) -> None:
    assert carbon.ship_type_of(said) == found


def test_a_vehicle_carrier_is_measured_in_gt_and_a_bulk_carrier_in_dwt() -> None:
    assert carbon.ship_of("PCTC", {"gt": 75_000, "dwt_t": 20_000}).capacity == 75_000
    assert carbon.ship_of("bulk carrier", {"gt": 44_000, "dwt_t": 81_600}).capacity == 81_600
    assert carbon.ship_of("bulk carrier", {"gt": 44_000}).reason == "no_capacity"
    assert carbon.ship_of("sloop", {"dwt_t": 3}).reason == "no_ship_type"
    assert carbon.ship_of("bulk carrier", {"dwt_t": "81600", "main_fuel": "coal"}).main_fuel is None


def test_a_year_is_seen_to_its_end_from_the_last_ninety_days() -> None:
    found = carbon.outlook(SHIP, [noon(day) for day in range(200)], at_sea(200), JAN_US + 200 * DAY_US)
    assert isinstance(found, carbon.Outlook)
    assert (found.year, found.is_indicative, found.coverage, found.days_observed) == (2026, False, 1.0, 200)
    assert found.low == pytest.approx(found.high)
    assert found.middle == pytest.approx(cii.attained(24 * 3.114, 81_600, 300))
    assert (found.low_rating, found.middle_rating, found.high_rating) == ("A", "A", "A")


@pytest.mark.parametrize(
    ("ship", "days", "reason"),
    [
        (SHIP, 30, "too_thin"),
        (msgspec.structs.replace(SHIP, capacity=None), 200, "no_capacity"),
        (msgspec.structs.replace(SHIP, service_fuel_t_d=None), 200, "fuel_not_reported"),
    ],
)
def test_a_year_that_cannot_be_foreseen_says_why(ship: CarbonShip, days: int, reason: str) -> None:
    assert carbon.outlook(ship, [], at_sea(days), JAN_US + 200 * DAY_US) == reason


def test_a_year_after_the_last_factor_has_a_band_and_no_letter() -> None:
    begin_us = from_datetime(datetime(2031, 1, 1, tzinfo=UTC))
    moved = [msgspec.structs.replace(noon(day), utc_from=at, utc_to=at + timedelta(days=1))
             for day in range(-91, 50) for at in [datetime(2031, 1, 1, tzinfo=UTC) + timedelta(days=day)]]  # fmt: skip
    found = carbon.outlook(SHIP, moved, using([]), begin_us + 50 * DAY_US)
    assert isinstance(found, carbon.Outlook)
    assert (found.middle_rating, found.required, found.reason) == (None, None, "not_defined")


def test_years_of_a_window_are_half_open() -> None:
    assert list(carbon.years_of(JAN_US, JAN_US + 365 * DAY_US)) == [2026]
    assert list(carbon.years_of(JAN_US - 1, JAN_US + 365 * DAY_US + 1)) == [2025, 2026, 2027]


def test_an_eeoi_of_reports_needs_the_cargo_of_each() -> None:
    assert carbon.voyages_of([]) == "no_reports"
    assert carbon.voyages_of([noon(0, cargo_t=70_000.0), noon(1)]) == "cargo_not_reported"
    assert len(carbon.voyages_of([noon(0, cargo_t=70_000.0), noon(1, cargo_t=0.0)])) == 2


@given(st.lists(st.integers(0, 29), unique=True, max_size=20), st.integers(1, 29 * 24))
@settings(max_examples=40, deadline=None)
def test_two_windows_add_up_to_the_one_of_both(days: list[int], cut_h: int) -> None:
    reports = [noon(day, nm=280.0 + day) for day in days]
    cut_us = JAN_US + cut_h * HOUR_US
    whole = window(SHIP, reports, at_sea(30), 30)
    halves = [
        carbon.window(SHIP, reports, at_sea(30), JAN_US, cut_us),
        carbon.window(SHIP, reports, at_sea(30), cut_us, JAN_US + 30 * DAY_US),
    ]
    assert sum(half.distance_nm for half in halves) == pytest.approx(whole.distance_nm)
    assert sum(half.co2_t or 0 for half in halves) == pytest.approx(whole.co2_t)
