"""Covenants on use: a most is passed at once, a least is judged when its period is over and well enough known."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from detect.covenant_use import use_findings
from fleet.calendar_rules import conditions
from fleet.clause import Clause
from fleet.covenant_use import breaches
from fleet.dated import EVER, Span
from fleet.instants import DAY_US, HOUR_US, from_datetime
from fleet.lease import MaxUse, MinUse
from fleet.obligation import Dossier, LeaseDossier, MonthOfUse
from fleet.practice_book import HOUSE
from fleet.use import UseDay

MAY_US = from_datetime(datetime(2026, 5, 1, tzinfo=UTC))


def month(used: str, days: int = 31, coverage: float = 1.0, **reported: str) -> MonthOfUse:
    told = {unit: Decimal(amount) for unit, amount in reported.items()}
    return MonthOfUse(days=days, days_known=days, coverage=coverage, used={"fh": Decimal(used)}, reported=told)


def most(amount: str, per: Any = "month") -> MaxUse:
    return MaxUse(unit="fh", per=per, amount=Decimal(amount))


def least(amount: str, per: Any = "month") -> MinUse:
    return MinUse(unit="fh", per=per, amount=Decimal(amount))


@pytest.mark.parametrize(
    ("demand", "use", "on", "found"),
    [
        (most("100"), month("100"), date(2026, 6, 1), 0),
        (most("100"), month("100.1"), date(2026, 6, 1), 1),
        (most("100"), month("100.1", days=12), date(2026, 5, 13), 1),
        (most("100"), month("90", fh="101"), date(2026, 6, 1), 1),
        (most("100"), month("101", coverage=0.1), date(2026, 6, 1), 1),
        (least("100"), month("100"), date(2026, 6, 1), 0),
        (least("100"), month("99.9"), date(2026, 6, 1), 1),
        (least("100"), month("99.9", days=30), date(2026, 5, 31), 0),
        (least("100"), month("99.9", coverage=0.89), date(2026, 6, 1), 0),
        (least("100"), month("99.9", coverage=0.9), date(2026, 6, 1), 1),
        (least("100"), month("120", coverage=0.1, fh="99"), date(2026, 6, 1), 1),
        (least("62"), month("30", days=15), date(2026, 6, 1), 0),
        (least("62"), month("29.9", days=15), date(2026, 6, 1), 1),
    ],
)
def test_a_month_is_kept_or_not(demand: MinUse | MaxUse, use: MonthOfUse, on: date, found: int) -> None:
    assert len(breaches(demand, {"2026-05": use}, on, HOUSE)) == found


def test_a_year_adds_its_months_up() -> None:
    months = {f"2026-{n:02d}": month("60") for n in range(1, 7)}
    assert [one.used for one in breaches(most("350", "year"), months, date(2026, 7, 1), HOUSE)] == [Decimal(360)]
    assert breaches(most("360", "year"), months, date(2026, 7, 1), HOUSE) == []
    assert breaches(least("500", "year"), months, date(2026, 7, 1), HOUSE) == []


def a_clause(demand: Any, *binds: Span) -> Clause:
    given = {"id": "hours", "subject": "hours", "lease_id": "l", "clause": "9", "severity": "warning"}
    return Clause(demand=demand, binds=binds or (EVER,), **given)  # type: ignore[arg-type]


def days(hours: float, count: int = 31) -> list[UseDay]:
    flown_us = round(hours * HOUR_US)
    return [
        UseDay(
            day_us=MAY_US + n * DAY_US,
            method="test",
            states_us={"airborne": flown_us, "ground": DAY_US - flown_us},
            observed_us=DAY_US,
        )
        for n in range(count)
    ]


def test_over_a_recording_a_most_is_passed_on_its_day_and_over_with_its_month() -> None:
    (found,) = use_findings([a_clause(most("100"))], "a", "icao24:3c6444", days(10.0), date(2026, 6, 1))
    assert (found.rule, found.subject, found.severity) == ("covenant_breach", "hours", "warning")
    assert (found.opened_at_us, found.closed_at_us) == (MAY_US + 11 * DAY_US, MAY_US + 31 * DAY_US)
    assert (found.evidence["used"], found.evidence["limit"], found.evidence["unit"]) == (310.0, 100.0, "fh")
    (running,) = use_findings([a_clause(most("100"))], "a", "icao24:3c6444", days(10.0, 12), date(2026, 5, 13))
    assert running.closed_at_us is None


def test_days_out_of_force_do_not_count() -> None:
    half = Span(MAY_US, MAY_US + 10 * DAY_US)
    assert use_findings([a_clause(most("100"), half)], "a", "icao24:3c6444", days(10.0), date(2026, 6, 1)) == []


def test_a_least_is_a_point_where_its_month_ends() -> None:
    (found,) = use_findings([a_clause(least("400"))], "a", "icao24:3c6444", days(10.0), date(2026, 6, 1))
    assert (found.opened_at_us, found.closed_at_us) == (MAY_US + 31 * DAY_US, MAY_US + 31 * DAY_US)


def test_the_calendar_says_it_of_a_lease_day_by_day() -> None:
    lease = LeaseDossier(
        lease_id="l", reference="R", form="operating", lessee="A", term_from_us=0, term_to_us=None, tenure_from_us=0,
        use_clauses=(a_clause(most("100")), a_clause(least("1"))), months={"2026-05": month("101", days=12)},
    )  # fmt: skip
    dossier = Dossier(asset_id="a", name="icao24:3c6444", asset_class="aircraft", title="A", leases=(lease,))
    (found,) = [one for one in conditions(dossier, date(2026, 5, 13)) if one.rule == "covenant_breach"]
    assert (found.subject, found.severity, found.evidence["what"], found.lease_id) == ("hours", "warning", "use", "l")
