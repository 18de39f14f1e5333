"""The survey clock: calendar months, two bottoms in a certificate, who may be looked at by divers."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import survey
from fleet.months import add_months
from fleet.survey import BottomInspection, Certificate
from tests.fleet.fix_vectors import vector

TANKER = Certificate(issued_on=date(2023, 3, 1), built_on=date(2018, 3, 1), ship_type="tanker")
DOCKED = BottomInspection(on=date(2022, 2, 1))
days = st.dates(date(1990, 1, 1), date(2060, 12, 31))


def test_a_bottom_is_due_36_calendar_months_after_the_last() -> None:
    golden = vector("SH14_bottom_survey")
    last = date.fromisoformat(golden["last"])
    ship = msgspec.structs.replace(TANKER, bottom=(BottomInspection(on=last),))
    assert survey.bottom_due(ship, date(2026, 1, 1)).due_on == date.fromisoformat(golden["due_36m"])
    assert add_months(date(2024, 8, 31), 6) == date.fromisoformat(golden["eom"])


@given(days, st.integers(-120, 120))
@settings(max_examples=100)
def test_months_are_calendar_months_and_the_day_never_runs_over(day: date, months: int) -> None:
    found = add_months(day, months)
    assert (found.year - day.year) * 12 + found.month - day.month == months
    assert found.day == day.day or (found.day < day.day and (found + timedelta(days=1)).day == 1)


def test_a_leap_day_is_held_within_february() -> None:
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert add_months(date(2024, 2, 29), 48) == date(2028, 2, 29)


def test_the_second_bottom_lies_within_the_certificate() -> None:
    late = msgspec.structs.replace(TANKER, bottom=(BottomInspection(on=date(2025, 9, 1)),))
    due = survey.bottom_due(late, date(2026, 1, 1))
    assert due.due_on == date(2028, 3, 1)
    assert due.basis.startswith("2 inspections within the certificate")


def test_a_passenger_ship_shows_its_bottom_every_year() -> None:
    ferry = Certificate(
        issued_on=date(2024, 5, 1), built_on=date(2000, 1, 1), ship_type="roro_passenger",
        bottom=(BottomInspection(on=date(2025, 5, 10)),),
    )  # fmt: skip
    assert survey.bottom_due(ferry, date(2026, 1, 1)).due_on == date(2026, 5, 10)


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({"bottom": (BottomInspection(on=date(2024, 2, 10)),)}, True),
        ({"bottom": (BottomInspection(on=date(2024, 2, 10), in_water=True),)}, False),
        ({"built_on": date(2010, 1, 1)}, False),
        ({"built_on": date(2010, 1, 1), "ship_type": "container_ship"}, True),
        ({"built_on": None}, None),
        ({"extended": True, "bottom": (DOCKED, BottomInspection(on=date(2024, 2, 10), in_water=True))}, True),
        ({"extended": True, "bottom": (BottomInspection(on=date(2024, 2, 10), in_water=True),)}, None),
    ],
)  # fmt: skip
def test_who_may_be_looked_at_by_divers(change: dict[str, object], allowed: bool | None) -> None:
    assert survey.bottom_due(msgspec.structs.replace(TANKER, **change), date(2026, 1, 1)).in_water_allowed is allowed


def test_a_certificate_lists_what_it_still_wants_the_earliest_first() -> None:
    ship = msgspec.structs.replace(TANKER, bottom=(BottomInspection(on=date(2024, 2, 10)),), annual=(date(2024, 3, 5),))
    found = survey.surveys_due(ship, date(2025, 1, 1))
    assert [(each.kind, each.due_on) for each in found] == [
        ("annual", date(2025, 6, 1)),
        ("intermediate", date(2026, 6, 1)),
        ("bottom", date(2027, 2, 10)),
        ("renewal", date(2028, 3, 1)),
    ]
    assert found[0].window_from == date(2024, 12, 1)
    assert found[1].window_from == date(2024, 12, 1)


def test_an_intermediate_survey_stands_for_the_annual_one_of_that_year() -> None:
    ship = msgspec.structs.replace(TANKER, annual=(date(2024, 3, 5),), intermediate=date(2025, 4, 1))
    kinds = {each.kind: each.due_on for each in survey.surveys_due(ship, date(2025, 5, 1))}
    assert "intermediate" not in kinds
    assert kinds["annual"] == date(2026, 6, 1)
