"""The next event comes with its earliest driver."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.forecast import Limit, due, next_event
from fleet.months import add_months
from tests.fleet.fix_vectors import vector

TODAY = date(2026, 11, 22)
drivers = st.sampled_from(["fh", "fc", "apuh", "car_km", "door_cycle"])
limits = st.builds(
    Limit, driver=drivers, limit=st.integers(1, 20_000).map(Decimal), used=st.integers(0, 20_000).map(Decimal),
    per_day=st.none() | st.integers(0, 50).map(Decimal),
)  # fmt: skip


def hours(used: Any, per_day: Any, limit: Any = 7500) -> Limit:
    return Limit(driver="fh", limit=Decimal(str(limit)), used=Decimal(str(used)), per_day=per_day and Decimal(str(per_day)))


def months(count: int, since: date | None) -> Limit:
    return Limit(driver="month", limit=Decimal(count), used=Decimal(0), counted_from=since)


def test_hours_that_are_left_last_so_many_days_and_end_on_a_whole_one() -> None:
    golden = vector("AC14_forecast")
    one = due(hours(golden["used_fh"], golden["rate_fh_per_day"], golden["limit_fh"]), TODAY)

    assert float(one.days or 0) == pytest.approx(golden["days"], rel=1e-6)
    assert str(one.on) == golden["date"]


def test_the_calendar_governs_where_it_comes_first() -> None:
    found = next_event([hours(5100, "10.415"), months(72, date(2021, 1, 15))], TODAY)

    assert found.governing is not None
    assert (found.governing.driver, found.governing.on) == ("month", date(2027, 1, 15))
    assert [one.driver for one in found.drivers] == ["fh", "month"]


@pytest.mark.parametrize(
    ("day", "count", "later"),
    [
        (date(2024, 2, 10), 36, date(2027, 2, 10)),
        (date(2024, 8, 31), 6, date(2025, 2, 28)),
        (date(2023, 8, 31), 6, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 12, 31), 0, date(2024, 12, 31)),
    ],
)
def test_months_are_calendar_months_and_clamp_the_day(day: date, count: int, later: date) -> None:
    assert add_months(day, count) == later


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        (hours(100, None), "rate_unknown"),
        (hours(100, 0), "no_use"),
        (hours(100, "0.01"), "beyond_a_century"),
        (months(12, None), "start_unknown"),
    ],
)
def test_a_driver_that_gets_nowhere_says_why(limit: Limit, reason: str) -> None:
    one = due(limit, TODAY)

    assert (one.on, one.days) == (None, None)
    assert one.reason == reason


def test_no_driver_gets_there_then_nothing_governs() -> None:
    assert next_event([hours(100, 0)], TODAY).governing is None


def test_what_is_passed_is_overdue_today_whatever_the_others_say() -> None:
    found = next_event([months(72, date(2021, 1, 15)), hours(7600, 10)], TODAY)

    assert found.overdue
    assert found.governing is not None
    assert found.governing.on == TODAY
    assert found.governing.days == -10
    assert found.governing.remaining == -100


def test_a_check_by_the_calendar_that_was_missed_keeps_its_day() -> None:
    found = next_event([months(12, date(2025, 11, 1))], TODAY)

    assert found.overdue
    assert found.governing is not None
    assert found.governing.on == date(2026, 11, 1)
    assert found.governing.days == -21


@settings(max_examples=80, deadline=None)
@given(each=st.lists(limits, max_size=5))
def test_the_forecast_is_the_earliest_of_its_drivers(each: list[Limit]) -> None:
    found = next_event(each, TODAY)
    days = [one.days for one in found.drivers if one.days is not None]

    assert len(found.drivers) == len(each)
    assert (None if found.governing is None else found.governing.days) == (min(days) if days else None)


@settings(max_examples=60, deadline=None)
@given(used=st.integers(0, 7400), per_day=st.decimals("0.5", "20", places=2))
def test_an_event_is_never_promised_later_than_it_comes(used: int, per_day: Decimal) -> None:
    one = due(hours(used, per_day), TODAY)

    assert one.on is not None
    elapsed = (one.on - TODAY) / timedelta(days=1)
    assert used + Decimal(elapsed) * per_day <= 7500
    assert used + Decimal(elapsed + 1) * per_day > 7500
