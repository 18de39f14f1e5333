"""A lease's month: its bounds, what was reported and observed, and what that comes to."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import monthly_report
from fleet.instants import DAY_US, from_datetime
from fleet.maintenance_reserve import RateTerms
from fleet.reconciliation import (
    AccountOfMonth,
    Month,
    Observation,
    Reported,
    comparisons,
    effects,
    figures_of,
    line_of,
    month_of,
    month_use,
    next_month,
    status_of,
    totals,
)

MAY = date(2026, 5, 1)
DAYS = {"flight_h": Decimal("312.45"), "cycles": Decimal(148)}


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    return from_datetime(datetime(year, month, day, hour, tzinfo=UTC))


def whole(first: date = MAY) -> Month:
    month = month_of(first, UTC)
    assert month is not None
    return month


def account(bucket: str = "apu", terms: RateTerms | None = None, asset_id: str = "a", currency: str = "USD") -> AccountOfMonth:
    return AccountOfMonth(account_id=bucket, asset_id=asset_id, bucket=bucket, currency=currency, terms=terms)


def test_a_month_begins_at_midnight_of_its_billing_zone() -> None:
    month = month_of(MAY, ZoneInfo("Asia/Singapore"))

    assert month is not None
    assert (month.begin_us, month.end_us) == (at(2026, 4, 30, 16), at(2026, 5, 31, 16))
    assert (month.name, month.last) == ("2026-05", date(2026, 5, 31))
    assert month.share == 1


def test_a_month_with_a_change_of_the_clock_is_as_long_as_it_was() -> None:
    march = month_of(date(2026, 3, 1), ZoneInfo("Europe/Amsterdam"))

    assert march is not None
    assert march.end_us - march.begin_us == 31 * DAY_US - DAY_US // 24


def test_a_month_held_in_part_counts_its_part() -> None:
    month = month_of(date(2026, 6, 1), UTC, [(at(2026, 6, 16), None)])

    assert month is not None
    assert (month.from_us, month.to_us, month.share) == (at(2026, 6, 16), at(2026, 7, 1), Decimal("0.5"))
    assert month_of(MAY, UTC, [(at(2026, 6, 16), None)]) is None
    assert month_of(MAY, UTC, []) is None


def test_a_novation_within_the_month_does_not_shorten_it() -> None:
    month = month_of(MAY, UTC, [(at(2026, 1, 1), at(2026, 5, 10)), (at(2026, 5, 10), None)])

    assert month is not None
    assert month.share == 1


def test_a_calendar_bucket_is_charged_for_the_part_that_was_held() -> None:
    half = month_of(date(2026, 6, 1), UTC, [(None, at(2026, 6, 16))])
    assert half is not None

    line = line_of(account("airframe_6y", RateTerms(driver="month", rate=Decimal("101.01"))), None, half)

    assert (line.quantity, line.amount) == (Decimal("0.5"), Decimal("50.51"))


def test_without_a_price_a_line_is_unknown_and_says_so() -> None:
    assert line_of(account(), DAYS, whole()).reason == "no_rate_in_force"


def test_an_effect_prices_both_sides_at_their_own_ratio() -> None:
    table = tuple((Decimal(ratio), Decimal(rate)) for ratio, rate in (("1.5", 245), ("2.0", 205), ("2.5", 180)))
    terms = RateTerms(driver="fh", ratio_table=table)
    reported = {"a": Reported(figures={"flight_h": Decimal(296), "cycles": Decimal(148)}, row_id="r/1")}
    observed = {"a": Observation(figures=DAYS, coverage=1.0)}

    (effect,) = effects([account("performance_restoration", terms)], reported, observed, whole())

    assert effect.reported.rate == 205
    assert effect.observed.amount == Decimal("62315.03")
    assert effect.difference == Decimal("62315.03") - 205 * 296


def test_an_effect_with_an_unknown_side_is_unknown() -> None:
    terms = RateTerms(driver="apuh", rate=Decimal(56))
    reported = {"a": Reported(figures={"apu_h": Decimal(10)}, row_id="r/1")}

    (effect,) = effects([account("apu", terms)], reported, {}, whole())

    assert effect.reported.amount == 560
    assert (effect.observed.reason, effect.difference) == ("quantity_unknown", None)


def test_currencies_are_never_mixed() -> None:
    assert totals([("USD", Decimal(1)), ("EUR", Decimal(2)), ("USD", None), ("USD", Decimal(3))]) == {"USD": 4, "EUR": 2}


def test_the_lesser_coverage_of_reports_and_telemetry_decides() -> None:
    reported = Reported(figures={"distance_nm": Decimal(100)}, row_id="r/1")
    observed = Observation(figures={"distance_nm": Decimal(300)}, coverage=1.0)

    (judged,) = comparisons(reported, observed, MAY, report_coverage=0.5)
    (alone,) = comparisons(reported, observed, MAY)

    assert (judged.verdict, judged.reason) == ("undecided", "coverage_below_minimum")
    assert alone.verdict == "under_reported"


@pytest.mark.parametrize(
    ("received", "now_us", "status"),
    [
        (False, at(2026, 5, 31), "not_due"),
        (False, at(2026, 6, 10, 23), "awaited"),
        (False, at(2026, 6, 11), "overdue"),
        (True, at(2026, 6, 1), "undecided"),
    ],
)
def test_a_report_is_overdue_ten_days_after_its_month(received: bool, now_us: int, status: str) -> None:
    assert status_of([], received=received, month=whole(), now_us=now_us) == status


def test_one_measure_out_of_tolerance_is_enough() -> None:
    observed = Observation(figures=DAYS, coverage=1.0)
    judged = comparisons(Reported(figures={**DAYS, "cycles": Decimal(100)}, row_id="r/1"), observed, MAY)

    assert status_of(judged, received=True, month=whole(), now_us=0) == "out_of_tolerance"
    assert status_of(judged[:1], received=True, month=whole(), now_us=0) == "within"


def test_words_and_truths_of_a_report_are_no_figures() -> None:
    assert figures_of({"flight_h": 1.5, "position": "1", "aog": True, "cycles": 2}) == {"flight_h": Decimal("1.5"), "cycles": 2}


@pytest.mark.parametrize(
    ("figures", "pointer"),
    [
        ({"flight_h": 745, "cycles": 10}, "/flight_h"),
        ({"flight_h": 10, "cycles": 0}, "/cycles"),
        ({"flight_h": 0, "cycles": 3}, "/flight_h"),
        ({"flight_h": -1}, "/flight_h"),
        ({"cycles": 2.5}, "/cycles"),
        ({"flight_time": 10}, ""),
        ({"days_in_service": 20, "days_aog": 12}, "/days_in_service"),
        ({"removals": ["a", ""]}, "/removals/1"),
        ({}, ""),
    ],
)
def test_a_monthly_report_that_cannot_be_is_refused_where_it_is_wrong(figures: dict[str, Any], pointer: str) -> None:
    faults = monthly_report.read(figures, 744)

    assert isinstance(faults, list)
    assert [fault.pointer for fault in faults] == [pointer]


def test_a_monthly_report_keeps_what_it_says_and_no_more() -> None:
    report = monthly_report.read({"flight_h": 744.02, "cycles": 148}, 744)

    assert isinstance(report, monthly_report.MonthlyReport)
    assert (report.cycles, report.apu_h) == (148, None)


@settings(max_examples=60, deadline=None)
@given(
    first=st.dates(date(1999, 1, 1), date(2100, 1, 1)), zone=st.sampled_from(["UTC", "America/New_York", "Pacific/Kiritimati"])
)
def test_months_lie_end_to_end(first: date, zone: str) -> None:
    first = first.replace(day=1)
    one, other = (month_of(each, ZoneInfo(zone)) for each in (first, next_month(first)))

    assert one is not None
    assert other is not None
    assert one.end_us == other.begin_us


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(1, 31 * 24 * 60 - 1))
def test_parts_of_a_month_add_up_to_it(cut: int) -> None:
    edge_us = whole().begin_us + cut * 60_000_000
    parts = [month_of(MAY, UTC, [(None, edge_us)]), month_of(MAY, UTC, [(edge_us, None)])]

    assert sum(month_use(None, part.share).quantities["month"] for part in parts if part is not None) == pytest.approx(1)
