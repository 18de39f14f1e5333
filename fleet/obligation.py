"""What is due, by when, and why: every dated obligation of an asset and of the leases it is under. Pure.

A `Dossier` holds what is known of one asset on one day: its limits, works, use, leases with their covers, options, reports and
reserves. `obligations` lists what follows from it; `fleet.calendar_rules` says which of it needs somebody now. Days are UTC days;
an end that is given as an instant falls due on the day it lies in. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from hashlib import blake2b
from math import floor
from typing import Any, Literal

import msgspec

from fleet import survey, utilization
from fleet.area import Shape
from fleet.carbon import ship_type_of
from fleet.clause import Clause
from fleet.forecast import Forecast, WornLimit, forecasts
from fleet.hull_reports import HullSummary
from fleet.instants import DAY_US, to_datetime
from fleet.months import add_months
from fleet.noon_report import BalanceFinding
from fleet.practice import Figure, Practice
from fleet.return_condition import ReturnTerms
from fleet.survey import BottomInspection, Certificate, surveys_due
from fleet.utilization import MinimumUse

Basis = Literal["contract", "forecast", "rule", "plan"]

FIGURES = (
    Figure(
        name="calendar.reports_back_months", value=12,
        source="chosen, DECISIONS 139: a report that is missing for a year is a matter for the lawyer, not for a calendar",
    ),
)  # fmt: skip
HOUSE = Practice((*survey.FIGURES, *utilization.FIGURES, *FIGURES))

KINDS: dict[str, str] = {
    "lease_terms": "terms of a lease that cannot be read are to be written again",
    "delivery": "delivery to the lessee that the contract promises",
    "redelivery": "end of the lease's term",
    "redelivery_notice": "last day to give notice of redelivery",
    "extension_option": "last day to use an option to extend",
    "purchase_option": "last day to use an option to buy",
    "insurance_end": "last cover of a kind ends",
    "utilization_report": "the lessee's report of a month",
    "return_condition": "a condition of return is to be met",
    "maintenance": "the next check, overhaul or other event of a limit, by the driver that gets there first",
    "planned_maintenance": "a visit to a shop or yard that is planned",
    "life_limit": "end of a part's life",
    "survey": "a survey of a ship's certificate",
}
"""What can be due, in the words of the agenda."""

SURVEY_EVENTS = {
    "drydock": "bottom", "bottom_inspection": "bottom", "in_water_survey": "bottom", "annual_survey": "annual",
    "intermediate_survey": "intermediate", "renewal_survey": "renewal", "special_survey": "renewal",
}  # fmt: skip
"""Kinds of maintenance events that a ship's survey clock counts, each with the survey it is."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A check, shop visit, docking or survey: planned for [from, to), done in [from, to); None where it is neither."""

    id: str
    kind: str
    planned_from: date | None = None
    planned_to: date | None = None
    done_from: date | None = None
    done_to: date | None = None
    in_water: bool = False


class MonthOfUse(msgspec.Struct, frozen=True, kw_only=True):
    """Use of a month, or of what of it lies inside a lease, by driver; `coverage` observed time by its time, 0 to 1.

    `days` are those of the month inside the lease, `days_known` those with a row of use.
    """

    days: int
    days_known: int
    coverage: float
    used: dict[str, Decimal] = {}
    reported: dict[str, Decimal] = {}


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """An insurance cover in [from_us, to_us); None is open."""

    kind: str
    insurer: str
    from_us: int | None
    to_us: int | None


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """A right that lapses: to extend or to buy, by `notice_by`."""

    kind: Literal["extension_option", "purchase_option"]
    number: int
    notice_by: date
    exercised: bool = False
    detail: dict[str, Any] = {}


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice of redelivery that the contract asks for so many days before (`approximate`, `definite`)."""

    kind: str
    days: int


class ReturnPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place of the range in which the asset is to be given back."""

    name: str
    shape: Shape


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A condition of return that is not met: `open` or `failed`."""

    id: str
    requirement: str
    status: str
    due_on: date | None = None


class ReserveBucket(msgspec.Struct, frozen=True, kw_only=True):
    """One account of reserves that saves for one event of this asset: what it holds, what a month added lately.

    `ends_on` is the last day of the term of the lease that pays in, None where it has none.
    """

    bucket: str
    lease_id: str
    ends_on: date | None = None
    currency: str
    held: Decimal
    owed: Decimal
    per_month: Decimal | None


class LeaseDossier(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one lease of the asset on the day.

    `tenure_*` is when the lessee has the asset (None: not delivered; open end: it runs), `term_*` what the paper promises;
    `reports_monthly` whether the lessee owes one a month, `reported` the months (`2026-05`) it sent; `mismatches` what the
    reconciliation says of months that are out of tolerance; `months` the use inside the lease by UTC month; `use_clauses` are
    covenants on it. `unreadable` says why the lease's terms cannot be read (None: they can); nothing here is from them then.
    """

    lease_id: str
    reference: str | None
    form: str
    lessee: str | None
    term_from_us: int | None
    term_to_us: int | None
    signed: bool = True
    tenure_from_us: int | None = None
    tenure_to_us: int | None = None
    options: tuple[Option, ...] = ()
    notices: tuple[Notice, ...] = ()
    notice_given_on: date | None = None
    return_places: tuple[ReturnPlace, ...] = ()
    covers: tuple[Cover, ...] = ()
    covers_required: tuple[str, ...] = ()
    reports_monthly: bool = False
    reported: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    minimum: MinimumUse | None = None
    use_clauses: tuple[Clause, ...] = ()
    months: dict[str, MonthOfUse] = {}
    mismatches: dict[str, dict[str, Any]] = {}
    agreed_cii: tuple[dict[str, Any], ...] = ()
    return_terms: ReturnTerms = ReturnTerms()
    unreadable: str | None = None

    def runs(self, at_us: int) -> bool:
        """Whether the lessee has the asset at an instant."""
        begun = self.tenure_from_us is not None and self.tenure_from_us <= at_us
        return begun and (self.tenure_to_us is None or at_us < self.tenure_to_us)


class CiiOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """Where a ship's carbon intensity ends the year: the middle with its band, each with its letter; see `fleet.cii`."""

    year: int
    attained: float
    rating: str
    low: float
    low_rating: str
    high: float
    high_rating: str
    required: float
    is_indicative: bool
    coverage: float | None = None


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one asset on one day. `name` is its `scheme:value`, `limits` its own with their use as of the day.

    Of a component the use is that of the asset it sits on. `position` is (lat, lon) in degrees with the instant it was heard.
    `fuel_gaps` are noon reports of late after which a ship's tanks do not add up; `hull` how fast she is since her last dock.
    """

    asset_id: str
    name: str
    asset_class: str
    title: str
    particulars: dict[str, Any] = {}
    type: str | None = None
    limits: tuple[WornLimit, ...] = ()
    works: tuple[Work, ...] = ()
    leases: tuple[LeaseDossier, ...] = ()
    reserves: tuple[ReserveBucket, ...] = ()
    position: tuple[float, float] | None = None
    position_us: int | None = None
    cii: CiiOutlook | None = None
    fuel_gaps: tuple[BalanceFinding, ...] = ()
    hull: HullSummary | None = None


class Obligation(msgspec.Struct, frozen=True, kw_only=True):
    """Something due on a day. `basis` says what fixes the day: the contract, a rule, a plan, or a forecast that use may move.

    `subject` tells it from others of its kind; `window_from` is the first day it may be done, where there is one; `detail` is
    plain JSON with the unit in each name.
    """

    kind: str
    subject: str
    due_on: date
    basis: Basis
    lease_id: str | None = None
    window_from: date | None = None
    detail: dict[str, Any] = {}

    def id(self, asset_id: str) -> str:
        """32 hex digits that stay the same while the obligation does, also when its day moves."""
        return blake2b(f"{asset_id}\x1f{self.kind}\x1f{self.subject}".encode(), digest_size=16).hexdigest()


def obligations(dossier: Dossier, on: date, practice: Practice = HOUSE) -> list[Obligation]:
    """Everything that is owed and not done, overdue or to come, the earliest first.

    Args:
        dossier: what is known of the asset on that day.
        on: the day.
        practice: figures, a tenant's laid over the house's.
    """
    found = [*_of_asset(dossier, on, practice)]
    for lease in dossier.leases:
        found += _of_lease(lease, on, practice)
    return sorted(found, key=lambda one: (one.due_on, one.kind, one.subject))


def day_of(time_us: int) -> date:
    """The UTC day of an instant."""
    return to_datetime(time_us).date()


def start_us(day: date) -> int:
    """The first instant of a UTC day, in microseconds."""
    return (day - date(1970, 1, 1)).days * DAY_US


# -- of the asset -----------------------------------------------------------------------------------------------------


def _of_asset(dossier: Dossier, on: date, practice: Practice) -> Iterator[Obligation]:
    for item, forecast, rows in forecasts_by_item(dossier, on):
        if forecast.governing is None or forecast.governing.on is None:
            continue
        kind = "life_limit" if rows[0].kind == "life" else "maintenance"
        drivers = [
            {"driver": one.driver, "due_on": None if one.on is None else one.on.isoformat(), "reason": one.reason}
            for one in forecast.drivers
        ]
        due_on = _due_on(forecast, rows, on)
        yield Obligation(
            kind=kind, subject=item, due_on=due_on, basis="rule" if forecast.governing.driver == "month" else "forecast",
            detail={"item": item, "position": rows[0].position, "governing_driver": forecast.governing.driver, "drivers": drivers,
                "assumption": rows[0].assumption, **_cost(rows)},
        )  # fmt: skip
    for work in dossier.works:
        if work.done_from is None and work.planned_from is not None:
            yield Obligation(
                kind="planned_maintenance", subject=f"{work.kind} {work.planned_from.isoformat()}", due_on=work.planned_from,
                basis="plan", detail={"work": work.kind, "planned_to": _iso(work.planned_to), "maintenance_event_id": work.id},
            )  # fmt: skip
    if dossier.asset_class == "vessel":
        yield from _surveys(dossier, on, practice)


def forecasts_by_item(dossier: Dossier, on: date) -> Iterator[tuple[str, Forecast, list[WornLimit]]]:
    """Each item of the asset with limits (`hpt_disk S1`), its next event by the earliest driver, and the limits behind it."""
    for rows, forecast in forecasts(dossier.limits, on):
        first = rows[0]
        yield first.item if first.serial_no is None else f"{first.item} {first.serial_no}", forecast, rows


def _due_on(forecast: Forecast, rows: Sequence[WornLimit], on: date) -> date:
    """The day of the governing driver. Of a limit that use has passed it is the day it was passed, as far as a rate tells."""
    governing = forecast.governing
    if governing is None or governing.on is None:
        raise ValueError("nothing governs")
    if governing.driver == "month" or governing.remaining is None or governing.remaining > 0:
        return governing.on
    if governing.days:
        return on + timedelta(days=floor(governing.days))
    return max(row.counted_on for row in rows if row.driver == governing.driver)


def _cost(rows: Sequence[WornLimit]) -> dict[str, Any]:
    cost = next((row for row in rows if row.cost is not None), None)
    return {} if cost is None else {"cost_amount": str(cost.cost), "currency": cost.currency}


def _surveys(dossier: Dossier, on: date, practice: Practice) -> Iterator[Obligation]:
    certificate = certificate_of(dossier, on)
    if certificate is None:
        return
    for one in surveys_due(certificate, on, practice):
        yield Obligation(
            kind="survey", subject=f"{one.kind} {one.due_on.year}" if one.kind == "annual" else one.kind, due_on=one.due_on,
            basis="rule", window_from=one.window_from,
            detail={"survey": one.kind, "basis": one.basis, "in_water_allowed": one.in_water_allowed},
        )  # fmt: skip


def certificate_of(dossier: Dossier, on: date) -> Certificate | None:
    """What the survey clock needs of a ship: its works, and the dates among its particulars. None where no begin is known.

    The certificate begins with the last renewal survey, else on `certificate_issued_on`; a building date is no such begin, for a
    ship has had surveys that nobody told us of.
    """
    done: dict[str, list[Work]] = {}
    for work in dossier.works:
        survey, end = SURVEY_EVENTS.get(work.kind), work.done_to or work.done_from
        if survey is not None and end is not None and end <= on:
            done.setdefault(survey, []).append(work)
    ends = {name: sorted(_end(work) for work in works) for name, works in done.items()}
    built_on = _day(dossier.particulars.get("built_on"))
    renewed = ends.get("renewal")
    issued_on = renewed[-1] if renewed else _day(dossier.particulars.get("certificate_issued_on"))
    if issued_on is None:
        return None
    bottoms = [*done.get("bottom", ()), *done.get("renewal", ())]
    intermediate = [day for day in ends.get("intermediate", ()) if day > issued_on]
    ship_type = ship_type_of(dossier.particulars.get("ship_type")) or ship_type_of(dossier.type)
    return Certificate(
        issued_on=issued_on, built_on=built_on,
        ship_type=ship_type,
        bottom=tuple(
            BottomInspection(on=_end(work), in_water=work.in_water or work.kind == "in_water_survey")
            for work in sorted(bottoms, key=_end)
        ),
        annual=tuple(day for day in ends.get("annual", ()) if day > issued_on),
        intermediate=intermediate[-1] if intermediate else None,
        extended=bool(dossier.particulars.get("extended_dry_docking")),
    )  # fmt: skip


def _end(work: Work) -> date:
    end = work.done_to or work.done_from
    if end is None:
        raise ValueError("was not done")
    return end


def _day(value: Any) -> date | None:
    try:
        return None if value is None else date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


# -- of a lease -------------------------------------------------------------------------------------------------------


def _of_lease(lease: LeaseDossier, on: date, practice: Practice) -> Iterator[Obligation]:
    """What a lease still asks for; one that ended asks for its last reports alone."""
    midnight_us = start_us(on)
    ended = lease.tenure_to_us is not None and lease.tenure_to_us <= midnight_us
    if lease.tenure_from_us is not None:
        yield from _reports(lease, on, practice)
    if not lease.signed or ended:
        return
    about = {"reference": lease.reference, "lessee": lease.lessee}
    if lease.unreadable is not None:
        yield _for(lease, "lease_terms", "lease_terms", on, {**about, "faults": lease.unreadable})
    if lease.tenure_from_us is None:
        if lease.term_from_us is not None:
            yield _for(lease, "delivery", "delivery", day_of(lease.term_from_us), about)
        return
    yield from _covers(lease, on, about)
    if lease.term_to_us is not None:
        yield from _end_of_term(lease, day_of(lease.term_to_us), about)
    for option in lease.options:
        if not option.exercised and option.notice_by >= on:
            yield _for(
                lease, option.kind, f"{option.kind} {option.number}", option.notice_by, {**about, **option.detail}
            )  # fmt: skip
    for check in lease.checks:
        if check.due_on is not None:
            detail = {**about, "requirement": check.requirement, "status": check.status}
            yield _for(lease, "return_condition", f"return_condition {check.id}", check.due_on, detail)


def _for(lease: LeaseDossier, kind: str, what: str, due_on: date, detail: dict[str, Any]) -> Obligation:
    return Obligation(
        kind=kind, subject=f"{what} of {lease.lease_id}", due_on=due_on, basis="contract", lease_id=lease.lease_id, detail=detail
    )  # fmt: skip


def _end_of_term(lease: LeaseDossier, ends_on: date, about: dict[str, Any]) -> Iterator[Obligation]:
    detail = {**about, "places": [place.name for place in lease.return_places], "checks_open": len(lease.checks)}
    yield _for(lease, "redelivery", "redelivery", ends_on, detail)
    if lease.notice_given_on is None:
        for notice in lease.notices:
            due_on = ends_on - timedelta(days=notice.days)
            told = {**about, "notice": notice.kind, "notice_days": notice.days, "redelivery_on": ends_on.isoformat()}
            yield _for(lease, "redelivery_notice", f"{notice.kind} redelivery_notice", due_on, told)


def _covers(lease: LeaseDossier, on: date, about: dict[str, Any]) -> Iterator[Obligation]:
    """When cover of each kind ends without another that goes on; what is asked for and was never there ended at delivery."""
    kinds = sorted({cover.kind for cover in lease.covers} | set(lease.covers_required))
    for kind in kinds:
        ends_us = covered_to_us([cover for cover in lease.covers if cover.kind == kind], lease.tenure_from_us or 0, start_us(on))
        if ends_us is None:
            continue
        last = max(
            (cover for cover in lease.covers if cover.kind == kind and cover.to_us is not None and cover.to_us <= ends_us),
            key=lambda cover: cover.to_us or 0, default=None,
        )  # fmt: skip
        detail = {**about, "cover": kind, "insurer": None if last is None else last.insurer}
        yield _for(lease, "insurance_end", f"{kind} cover", day_of(ends_us), detail)


def covered_to_us(covers: Iterable[Cover], since_us: int, at_us: int) -> int | None:
    """Until when covers of one kind reach without a hole, seen from an instant; None: for ever.

    Where none is in force then, it is when the last one ended, at the earliest `since_us`.
    """
    known = sorted(covers, key=lambda cover: cover.from_us or -(1 << 62))
    begun = [cover for cover in known if cover.from_us is None or cover.from_us <= at_us]
    reached_us = max((at_us if cover.to_us is None else cover.to_us for cover in begun), default=since_us)
    if any(cover.to_us is None for cover in begun):
        return None
    if reached_us <= at_us:
        return max(since_us, reached_us)
    for cover in known:
        if cover.from_us is None or cover.from_us > reached_us:
            continue
        if cover.to_us is None:
            return None
        reached_us = max(reached_us, cover.to_us)
    return reached_us


def _reports(lease: LeaseDossier, on: date, practice: Practice) -> Iterator[Obligation]:
    """The reports of months that ended, and of the month under way; due ten days after the month's end, the tenth included."""
    if not lease.reports_monthly or lease.tenure_from_us is None:
        return
    back = int(practice.number("calendar.reports_back_months", on))
    days = int(practice.number("utilization.report_due_days", on))
    last_us = start_us(on) if lease.tenure_to_us is None else min(start_us(on), lease.tenure_to_us - 1)
    first, last = day_of(lease.tenure_from_us).replace(day=1), day_of(last_us).replace(day=1)
    month = max(first, add_months(on.replace(day=1), -back))
    while month <= last:
        name, following = month.isoformat()[:7], add_months(month, 1)
        if name not in lease.reported:
            detail = {"reference": lease.reference, "lessee": lease.lessee, "month": name}
            yield _for(
                lease, "utilization_report", f"utilization_report {name}", following + timedelta(days=days - 1), detail
            )  # fmt: skip
        month = following


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
