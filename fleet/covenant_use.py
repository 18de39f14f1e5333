"""Covenants on use: at least or at most so much in every calendar month or year, judged from sums of whole days. Pure.

A most is passed as soon as what was observed is more, for more was used than anybody saw. A least is judged when its period is
over, by what was reported or well enough observed, in proportion to the days that the lease covers (as `minimum_breach`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from fleet import use
from fleet.clause import Clause
from fleet.geodesy import NM_M
from fleet.instants import DAY_US, HOUR_US, to_datetime
from fleet.lease import MaxUse, MinUse
from fleet.months import add_months
from fleet.obligation import MonthOfUse, start_us
from fleet.practice import Practice
from fleet.use import UseDay


class UseBreach(msgspec.Struct, frozen=True, kw_only=True):
    """A period whose use a clause does not allow: [first, following), from `since` on; amounts in the clause's unit."""

    period: str
    first: date
    following: date
    since: date
    used: Decimal
    limit: Decimal
    basis: str
    is_over: bool

    def evidence(self, clause: Clause) -> dict[str, Any]:
        """Plain JSON, the unit beside each amount."""
        demand = clause.demand
        unit = demand.unit if isinstance(demand, MinUse | MaxUse) else ""
        return {
            "lease_id": clause.lease_id, "clause": clause.clause, "covenant": clause.id, "predicate": clause.kind, "what": "use",
            "period": self.period, "unit": unit, "used": round(float(self.used), 3), "limit": round(float(self.limit), 3),
            "basis": self.basis, "is_over": self.is_over,
        }  # fmt: skip


def breaches(demand: MinUse | MaxUse, months: Mapping[str, MonthOfUse], on: date, practice: Practice) -> list[UseBreach]:
    """The periods up to a day that a demand does not allow, the earliest first.

    Args:
        demand: of a covenant.
        months: use inside the lease by month (`2026-05`).
        on: the day after the last one that is known.
        practice: for `use.billable_coverage`, under which nobody can say that little was used.
    """
    found = []
    for name, first, following in _periods(demand.per, months):
        own = [month for key, month in months.items() if first.isoformat()[:7] <= key < following.isoformat()[:7]]
        breach = _least(demand, own, name, first, following, on, practice) if isinstance(demand, MinUse) else (
            _most(demand, own, name, first, following, on)
        )  # fmt: skip
        if breach is not None:
            found.append(breach)
    return found


def _periods(per: str, months: Iterable[str]) -> list[tuple[str, date, date]]:
    if per == "month":
        firsts = [date.fromisoformat(month + "-01") for month in sorted(months)]
        return [(first.isoformat()[:7], first, add_months(first, 1)) for first in firsts]
    years = sorted({int(month[:4]) for month in months})
    return [(str(year), date(year, 1, 1), date(year + 1, 1, 1)) for year in years]


def _most(
    demand: MaxUse, months: list[MonthOfUse], name: str, first: date, following: date, on: date
) -> UseBreach | None:  # fmt: skip
    used = sum((month.used.get(demand.unit, Decimal(0)) for month in months), Decimal(0))
    basis = "observed"
    if months and all(demand.unit in month.reported for month in months):
        reported = sum((month.reported[demand.unit] for month in months), Decimal(0))
        used, basis = max((used, "observed"), (reported, "reported"), key=lambda one: one[0])
    if used <= demand.amount:
        return None
    return UseBreach(
        period=name, first=first, following=following, since=min(on, following), used=used, limit=demand.amount, basis=basis,
        is_over=following <= on,
    )  # fmt: skip


def _least(
    demand: MinUse, months: list[MonthOfUse], name: str, first: date, following: date, on: date, practice: Practice
) -> UseBreach | None:  # fmt: skip
    days = sum(month.days for month in months)
    if following > on or not days:
        return None
    if all(demand.unit in month.reported for month in months):
        used, basis = sum((month.reported[demand.unit] for month in months), Decimal(0)), "reported"
    else:
        observed = sum(month.coverage * month.days for month in months) / days
        if any(demand.unit not in month.used for month in months):
            return None
        if observed < practice.number(use.BILLABLE_COVERAGE, on):
            return None
        used, basis = sum((month.used[demand.unit] for month in months), Decimal(0)), "observed"
    wanted = demand.amount * min(days, (following - first).days) / (following - first).days
    if used >= wanted:
        return None
    return UseBreach(
        period=name, first=first, following=following, since=following, used=used, limit=wanted, basis=basis, is_over=True
    )  # fmt: skip


def months_of(days: Iterable[UseDay], clause: Clause) -> dict[str, MonthOfUse]:
    """Use by month of the closed days on which a clause binds throughout, as it was observed."""
    found: dict[str, list[UseDay]] = {}
    for day in days:
        if clause.holds(day.day_us) and clause.holds(day.day_us + DAY_US - 1):
            found.setdefault(to_datetime(day.day_us).date().isoformat()[:7], []).append(day)
    return {month: _month(own) for month, own in sorted(found.items())}


def _month(days: list[UseDay]) -> MonthOfUse:
    def figure(name: str) -> Decimal:
        return Decimal(str(round(sum(day.figures.get(name, 0.0) for day in days), 3)))

    def hours(state: str) -> Decimal:
        return Decimal(str(round(sum(day.states_us.get(state, 0) for day in days) / HOUR_US, 6)))

    metres = sum(sum(day.distances_m.values()) for day in days)
    return MonthOfUse(
        days=len(days), days_known=len(days), coverage=min(1.0, sum(day.observed_us for day in days) / (len(days) * DAY_US)),
        used={
            "fh": hours("airborne"), "fc": figure("cycles"), "nm": Decimal(str(round(metres / NM_M, 3))),
            "at_sea_h": hours("at_sea"), "car_km": figure("car_km"), "door_cycle": figure("door_cycles"),
        },
    )  # fmt: skip


def passed_us(demand: MaxUse, days: Iterable[UseDay], clause: Clause, breach: UseBreach) -> int:
    """The end of the day on which the use of a period passed the amount."""
    total = Decimal(0)
    for day in sorted(days, key=lambda one: one.day_us):
        on = to_datetime(day.day_us).date()
        if not breach.first <= on < breach.following or not months_of([day], clause):
            continue
        total += _month([day]).used.get(demand.unit, Decimal(0))
        if total > demand.amount:
            return start_us(on + timedelta(days=1))
    return start_us(breach.since)
