"""The survey clock of a ship's certificates: when bottom, annual, intermediate and renewal surveys fall due.

SOLAS I/10 and the harmonised system of survey and certification (domain.md 2.10). Months are calendar months.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec

from fleet.months import add_months
from fleet.practice import Figure, Practice

FIGURES = (
    Figure(name="survey.bottom_gap_months", value=36, source="SOLAS I/10(a)(v): gap of two bottom inspections (domain.md 2.10)"),
    Figure(name="survey.bottom_count", value=2, source="SOLAS I/10(a)(v): at least two in a certificate (domain.md 2.10)"),
    Figure(name="survey.certificate_months", value=60, source="SOLAS I/14: five years (domain.md 2.10)"),
    Figure(
        name="survey.extended_months", value=90, source="extended interval of 7.5 years, by flag and class alone (domain.md 2.10)"
    ),
    Figure(name="survey.annual_window_months", value=3, source="annual survey ±3 months of the anniversary (domain.md 2.10 [K])"),
    Figure(
        name="survey.dock_from_age_y", value=15, source="bulk carriers and tankers from 15 years should dock (domain.md 2.10)"
    ),
    Figure(name="survey.passenger_months", value=12, source="passenger ships: bottom every year (SOLAS I/7; domain.md 2.10)"),
)
HOUSE = Practice(FIGURES)
PASSENGER_TYPES = frozenset({"roro_passenger", "roro_passenger_hsc", "cruise_passenger"})
DOCKING_TYPES = frozenset({"bulk_carrier", "tanker", "combination_carrier"})

Kind = Literal["bottom", "annual", "intermediate", "renewal"]


class BottomInspection(msgspec.Struct, frozen=True, kw_only=True):
    """A look at the ship's bottom: in dock, or in the water by divers."""

    on: date
    in_water: bool = False


class SurveyDue(msgspec.Struct, frozen=True, kw_only=True):
    """One survey to come: [window_from, window_to) in which it may be done, `due_on` the last good day; `basis` says why then."""

    kind: Kind
    due_on: date
    window_from: date | None
    window_to: date
    in_water_allowed: bool | None
    basis: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What the clock needs of a ship: when its certificate began, when it was built, what it is, and what was done since."""

    issued_on: date
    built_on: date | None
    ship_type: str | None
    bottom: tuple[BottomInspection, ...] = ()
    annual: tuple[date, ...] = ()
    intermediate: date | None = None
    extended: bool = False


def bottom_due(certificate: Certificate, on: date, practice: Practice = HOUSE) -> SurveyDue:
    """The next bottom inspection: the earlier of 36 months after the last and of what the certificate still wants (golden SH14).

    A cargo ship wants two in a certificate of five years, so the second lies at the certificate's end at the latest; a passenger
    ship one a year. Two in the water running are not allowed, nor one for a bulk carrier or tanker from 15 years on; with an
    extended interval, agreed with flag and class, divers may do until 7.5 years after the last docking.
    """
    done = sorted((each for each in certificate.bottom if each.on <= on), key=lambda each: each.on)
    last = done[-1] if done else None
    since = last.on if last else certificate.issued_on
    passenger = certificate.ship_type in PASSENGER_TYPES
    gap = int(practice.number("survey.passenger_months" if passenger else "survey.bottom_gap_months", on))
    due_on = add_months(since, gap)
    basis = (
        f"{gap} months after the last inspection of {since.isoformat()}"
        if last
        else f"{gap} months after the certificate's issue"
    )
    expires = add_months(certificate.issued_on, int(practice.number("survey.certificate_months", on)))
    within = [each for each in done if each.on > certificate.issued_on]
    wanted = int(practice.number("survey.bottom_count", on))
    if not passenger and expires < due_on and len(within) < wanted:
        due_on, basis = expires, f"{wanted} inspections within the certificate that ends on {expires.isoformat()}"
    return SurveyDue(
        kind="bottom", due_on=due_on, window_from=None, window_to=due_on + timedelta(days=1),
        in_water_allowed=_in_water(certificate, done, due_on, practice), basis=basis,
    )  # fmt: skip


def surveys_due(certificate: Certificate, on: date, practice: Practice = HOUSE) -> list[SurveyDue]:
    """What the certificate still wants, the earliest first: bottom, the next annual, intermediate, renewal.

    Annual surveys lie ±3 months around each anniversary; the intermediate takes the place of the second or the third, so its
    window runs from 3 months before the second to 3 months after the third; the renewal lies in the 3 months before the end
    (domain.md 2.10 [K]).
    """
    slack = int(practice.number("survey.annual_window_months", on))
    renewal_on = add_months(certificate.issued_on, int(practice.number("survey.certificate_months", on)))
    found = [
        bottom_due(certificate, on, practice),
        SurveyDue(
            kind="renewal", due_on=renewal_on, window_from=add_months(renewal_on, -slack),
            window_to=renewal_on + timedelta(days=1), in_water_allowed=None, basis="the certificate's end",
        ),
    ]  # fmt: skip
    if certificate.intermediate is None:
        end = add_months(certificate.issued_on, 36 + slack)
        found.append(
            SurveyDue(
                kind="intermediate", due_on=end, window_from=add_months(certificate.issued_on, 24 - slack),
                window_to=end + timedelta(days=1), in_water_allowed=None, basis="the second or third anniversary",
            )
        )  # fmt: skip
    annual = _next_annual(certificate, slack)
    return sorted([*found, *([] if annual is None else [annual])], key=lambda each: (each.due_on, each.kind))


def _next_annual(certificate: Certificate, slack: int) -> SurveyDue | None:
    """The first of the four anniversaries in whose window no annual (or, in its place, intermediate) survey was done."""
    for year in range(1, 5):
        anniversary = add_months(certificate.issued_on, 12 * year)
        opens, closes = add_months(anniversary, -slack), add_months(anniversary, slack)
        done = [*certificate.annual, *([certificate.intermediate] if certificate.intermediate else [])]
        if not any(opens <= day <= closes for day in done):
            return SurveyDue(
                kind="annual", due_on=closes, window_from=opens, window_to=closes + timedelta(days=1), in_water_allowed=None,
                basis=f"anniversary of {anniversary.isoformat()}",
            )  # fmt: skip
    return None


def _in_water(certificate: Certificate, done: Sequence[BottomInspection], due_on: date, practice: Practice) -> bool | None:
    """Whether the next may be in the water; None where what decides it (age, type, last docking) is not known."""
    if certificate.ship_type in PASSENGER_TYPES:
        return True
    if certificate.extended:
        docked = next((each.on for each in reversed(done) if not each.in_water), None)
        months = int(practice.number("survey.extended_months", due_on))
        return None if docked is None else due_on < add_months(docked, months)
    if done and done[-1].in_water:
        return False
    if certificate.ship_type is None or certificate.built_on is None:
        return None
    old = due_on >= add_months(certificate.built_on, 12 * int(practice.number("survey.dock_from_age_y", due_on)))
    return not (certificate.ship_type in DOCKING_TYPES and old)
