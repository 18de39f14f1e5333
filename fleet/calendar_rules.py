"""The rules of the calendar: what of an asset, its leases and their money needs somebody on a day. Pure.

`conditions` says what is true on a day, from a `fleet.obligation.Dossier`; `emissions` makes episodes of it: one fact is one
episode, open while it is true, changed when it grows, closed when it is over, under one id however often the pass runs. An asset
that never sends has its calendar all the same. Severities are those of the contract and of domain.md 5.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec

from fleet import obligation, use
from fleet.covenant_use import breaches
from fleet.geodesy import NM_M
from fleet.instants import HOUR_US
from fleet.lease import MaxUse, MinUse
from fleet.months import add_months
from fleet.obligation import Dossier, LeaseDossier, MonthOfUse, Obligation, ReserveBucket, day_of, start_us
from fleet.practice import Figure, NotDefinedError, Practice

Severity = Literal["info", "warning", "critical"]
VERSION = 1
DAYS_PER_MONTH = Decimal("30.4375")  # mean Gregorian month

FIGURES = (
    Figure(name="calendar.maintenance_warn_d", value=90, source="domain.md 5.4 [D]: maintenance_due, warning 90 d"),
    Figure(name="calendar.survey_warn_d", value=90, source="chosen, DECISIONS 139: a yard is booked as early"),
    Figure(name="calendar.llp_warn_pct", value=10, source="domain.md 5.4 [D]: llp_limit, warning 10 percent of the life left"),
    Figure(name="calendar.insurance_warn_d", value=30, source="chosen, DECISIONS 139: renewals are quoted in the last month"),
    Figure(name="calendar.option_warn_d", value=60, source="chosen, DECISIONS 139: two months to decide on an option"),
    Figure(name="calendar.notice_warn_d", value=30, source="chosen, DECISIONS 139: a month before the last day of a notice"),
    Figure(name="calendar.redelivery_within_d", value=90, source="chosen, DECISIONS 139: the last voyages are fixed then"),
    Figure(name="calendar.checks_within_d", value=30, source="chosen, DECISIONS 139: open checks count from a month before"),
    Figure(name="calendar.speed_vessel_kn", value=14, source="chosen, DECISIONS 139, where the particulars name no speed"),
    Figure(name="calendar.speed_aircraft_kn", value=430, source="chosen, DECISIONS 139, where the particulars name no speed"),
    Figure(name="calendar.shortfall_within_d", value=730, source="chosen, DECISIONS 139: beyond two years a forecast is a guess"),
    Figure(name="calendar.minimum_month_d", value=10, source="chosen, DECISIONS 139: days of a month before it is projected"),
    Figure(name="calendar.minimum_year_d", value=90, source="chosen, DECISIONS 139: days of a year before it is projected"),
    Figure(name="calendar.fuel_gap_d", value=30, source="chosen, DECISIONS 137: a month to explain or to correct a report"),
    Figure(name="calendar.restate_d", value=7, source="chosen, DECISIONS 140: a forecast that moves less is the same forecast"),
)  # fmt: skip
HOUSE = obligation.HOUSE.overlaid((*use.FIGURES, *FIGURES))


class CalendarRule(NamedTuple):
    """A rule of the calendar: its name, its severities, whom it concerns (domain.md 5.4), and what it says in a sentence."""

    name: str
    severities: tuple[Severity, ...]
    owner: str
    says: str


RULES: tuple[CalendarRule, ...] = (
    CalendarRule("maintenance_due", ("warning", "critical"), "technical", "a check, shop visit or other work falls due"),
    CalendarRule("llp_limit", ("warning", "critical"), "technical", "a life-limited part comes to the end of its life"),
    CalendarRule("survey_due", ("warning", "critical"), "technical", "a survey of a ship's certificate falls due"),
    CalendarRule("insurance_expiring", ("warning", "critical"), "insurance", "cover of a lease ends, or has ended"),
    CalendarRule("option_deadline", ("warning",), "asset manager", "an option must be used or lapses"),
    CalendarRule("redelivery_notice", ("warning",), "asset manager", "notice of redelivery is due"),
    CalendarRule("redelivery_risk", ("warning",), "asset manager", "it cannot be back in range in time, or checks are open"),
    CalendarRule("report_overdue", ("warning",), "operations", "the lessee's report of a month is missing"),
    CalendarRule("utilization_mismatch", ("warning",), "finance", "a report is out of tolerance with what was observed"),
    CalendarRule("reserve_shortfall", ("warning",), "finance", "the next event will cost more than its bucket will hold"),
    CalendarRule("minimum_breach", ("warning",), "asset manager", "use is, or will be, below the lease's minimum"),
    CalendarRule("cii_forecast", ("warning", "critical"), "ESG", "the year will end with CII D or E"),
    CalendarRule("fuel_balance_gap", ("warning",), "operations", "a ship's tanks do not add up between two noon reports"),
    CalendarRule("hull_performance", ("warning",), "technical", "a ship is slower for her power than after her last dock"),
)
COVENANT_RULE = "covenant_breach"
"""A rule of `detect` whose clauses on use are judged here, because their periods are the calendar's."""

OWNERS = {rule.name: rule.owner for rule in RULES} | {COVENANT_RULE: "asset manager"}


class _Timed(NamedTuple):
    """How an obligation becomes a condition: its rule, the figure that says how long before, and when it is critical."""

    rule: str
    warn_figure: str | None
    critical: Literal["when_past", "on_the_day"] | None


_TIMED = {
    "maintenance": _Timed("maintenance_due", "calendar.maintenance_warn_d", "when_past"),
    "planned_maintenance": _Timed("maintenance_due", "calendar.maintenance_warn_d", "when_past"),
    "survey": _Timed("survey_due", "calendar.survey_warn_d", "when_past"),
    "insurance_end": _Timed("insurance_expiring", "calendar.insurance_warn_d", "on_the_day"),
    "extension_option": _Timed("option_deadline", "calendar.option_warn_d", None),
    "purchase_option": _Timed("option_deadline", "calendar.option_warn_d", None),
    "redelivery_notice": _Timed("redelivery_notice", "calendar.notice_warn_d", None),
    "utilization_report": _Timed("report_overdue", None, None),
}


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says is true on a day. `since_us` is from when it is known to be; (`rule`, `subject`) names it.

    `due_on` is the day it turns on, where there is one: a forecast that moves it by little is no other fact.
    """

    rule: str
    subject: str
    severity: Severity
    since_us: int
    evidence: dict[str, Any]
    due_on: date | None = None
    lease_id: str | None = None


def conditions(dossier: Dossier, on: date, practice: Practice = HOUSE) -> list[Condition]:
    """What is true of an asset on a day, one condition a (rule, subject), by rule and subject.

    Args:
        dossier: what is known of it.
        on: the day; a day's conditions are those at its end, so that what ends today is said today.
        practice: figures, a tenant's laid over the house's.
    """
    found: list[Condition] = []
    for one in obligation.obligations(dossier, on, practice):
        found += _timed(one, on, practice)
    for judge in _JUDGES:
        found += judge(dossier, on, practice)
    return sorted({(one.rule, one.subject): one for one in reversed(found)}.values(), key=lambda one: (one.rule, one.subject))


def _condition(rule: str, subject: str, severity: Severity, since: date, evidence: dict[str, Any], **more: Any) -> Condition:
    told = {**evidence, "owner": OWNERS[rule]}
    return Condition(rule=rule, subject=subject, severity=severity, since_us=start_us(since), evidence=told, **more)


def _timed(one: Obligation, on: date, practice: Practice) -> Iterator[Condition]:
    """An obligation whose time has come: from so many days before its day (a report: from the day after it)."""
    timed = _TIMED.get(one.kind)
    if timed is None:
        return
    warn_d = -1 if timed.warn_figure is None else int(practice.number(timed.warn_figure, on))
    since = one.due_on - timedelta(days=warn_d)
    if on < since:
        return
    past = one.due_on < on or (timed.critical == "on_the_day" and one.due_on == on)
    severity: Severity = "critical" if timed.critical is not None and past else "warning"
    evidence = {"due_on": one.due_on.isoformat(), "basis": one.basis, "warn_d": max(0, warn_d), "overdue": past, **one.detail}
    if one.lease_id is not None:
        evidence["lease_id"] = one.lease_id
    yield _condition(
        timed.rule, one.subject, severity, on if one.basis == "forecast" else since, evidence, due_on=one.due_on,
        lease_id=one.lease_id,
    )  # fmt: skip


# -- what no day alone decides ----------------------------------------------------------------------------------------


def _life_limits(dossier: Dossier, on: date, practice: Practice) -> Iterator[Condition]:
    """Parts with little life left, by what was counted and the expected use since; each part on its own, never a pool."""
    warn_pct = Decimal(str(practice.number("calendar.llp_warn_pct", on)))
    for limit in dossier.limits:
        if limit.kind != "life":
            continue
        left_pct = (limit.limit - limit.used) / limit.limit * 100
        if left_pct > warn_pct:
            continue
        subject = " ".join(part for part in (limit.item, limit.serial_no, limit.driver) if part)
        evidence = {
            "item": limit.item, "serial_no": limit.serial_no, "position": limit.position, "driver": limit.driver,
            "limit": str(limit.limit), "counted": str(limit.counted_used), "counted_on": limit.counted_on.isoformat(),
            "left_pct_max": float(warn_pct), "used_up": left_pct <= 0, "is_estimate": limit.used != limit.counted_used,
            "assumption": limit.assumption,
        }  # fmt: skip
        yield _condition("llp_limit", subject, "critical" if left_pct <= 0 else "warning", on, evidence)


def _redelivery(dossier: Dossier, on: date, practice: Practice) -> Iterator[Condition]:
    """Leases whose end is near while the asset is too far from the range, or conditions of return are not met."""
    for lease in dossier.leases:
        if not lease.runs(start_us(on + timedelta(days=1)) - 1) or lease.term_to_us is None:
            continue
        ends_on = day_of(lease.term_to_us)
        if (ends_on - on).days > practice.number("calendar.redelivery_within_d", on):
            continue
        reach = reach_of(dossier, lease, on, practice)
        near = (ends_on - on).days <= practice.number("calendar.checks_within_d", on)
        checks = [one for one in lease.checks if near or (one.due_on is not None and one.due_on < on)]
        late = reach is not None and reach["hours_needed_min"] > reach["hours_left"]
        if not late and not checks:
            continue
        evidence: dict[str, Any] = {
            "lease_id": lease.lease_id, "reference": lease.reference, "redelivery_on": ends_on.isoformat(),
            "out_of_reach": late, "checks_open": [one.requirement for one in checks][:50],
        }  # fmt: skip
        if late and reach is not None:
            evidence |= {"place": reach["place"], "distance_nm": reach["distance_nm"], "speed_kn": reach["speed_kn"]}
        yield _condition("redelivery_risk", f"redelivery of {lease.lease_id}", "warning", on, evidence, lease_id=lease.lease_id)


def reach_of(dossier: Dossier, lease: LeaseDossier, on: date, practice: Practice = HOUSE) -> dict[str, Any] | None:
    """How far the asset is from the nearest place of its range of return, and whether time is left for it.

    The distance is the straight one over the globe: no way there is shorter, so `hours_needed_min` is a lower bound (domain.md
    5.4: distance to range by speed against time left). None where position, range, end or speed is not known.
    """
    if dossier.position is None or not lease.return_places or lease.term_to_us is None:
        return None
    speed_kn = _speed_kn(dossier, on, practice)
    if speed_kn is None:
        return None
    nearest_m, place = min((place.shape.distance_m(*dossier.position), place.name) for place in lease.return_places)
    heard_us = start_us(on) if dossier.position_us is None else dossier.position_us
    return {
        "place": place, "distance_nm": round(nearest_m / NM_M, 1), "speed_kn": speed_kn,
        "hours_needed_min": round(nearest_m / NM_M / speed_kn, 1),
        "hours_left": round((lease.term_to_us - heard_us) / HOUR_US, 1),
    }  # fmt: skip


def _speed_kn(dossier: Dossier, on: date, practice: Practice) -> float | None:
    for name in ("speed_max_kn", "service_speed_kn"):
        value = dossier.particulars.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
    try:
        return practice.number(f"calendar.speed_{dossier.asset_class}_kn", on)
    except NotDefinedError:
        return None


def _mismatches(dossier: Dossier, on: date, practice: Practice) -> Iterator[Condition]:
    """Months of a lease whose report is out of tolerance, as the reconciliation judged them (domain.md 1.3)."""
    del practice
    for lease in dossier.leases:
        for month, evidence in sorted(lease.mismatches.items()):
            told = {**evidence, "lease_id": lease.lease_id, "reference": lease.reference}
            since = min(on, add_months(date.fromisoformat(month + "-01"), 1))
            yield _condition(
                "utilization_mismatch", f"{month} of {lease.lease_id}", "warning", since, told, lease_id=lease.lease_id
            )  # fmt: skip


def _shortfalls(dossier: Dossier, on: date, practice: Practice) -> Iterator[Condition]:
    """Buckets that will hold less than their event costs on the day it falls due, while the lease that pays in still runs."""
    within = practice.number("calendar.shortfall_within_d", on)
    events = {item: (forecast, rows) for item, forecast, rows in obligation.forecasts_by_item(dossier, on)}
    for bucket in dossier.reserves:
        forecast, rows = events.get(bucket.bucket, (None, []))
        cost = next((row for row in rows if row.cost is not None and row.currency == bucket.currency), None)
        if forecast is None or cost is None or cost.cost is None or forecast.governing is None or forecast.governing.on is None:
            continue
        due_on = max(on, forecast.governing.on)
        if (due_on - on).days > within or (bucket.ends_on is not None and bucket.ends_on < due_on):
            continue  # what falls due after the lease is settled at redelivery
        balance = forecast_balance(bucket, on, due_on)
        if cost.cost <= balance:
            continue
        evidence = {
            "lease_id": bucket.lease_id, "bucket": bucket.bucket, "event_on": due_on.isoformat(),
            "cost_amount": str(cost.cost), "currency": bucket.currency,
            "held_amount": str(bucket.held), "forecast_amount": str(balance), "short_amount": str(cost.cost - balance),
            "per_month_amount": None if bucket.per_month is None else str(bucket.per_month),
        }  # fmt: skip
        yield _condition("reserve_shortfall", f"{bucket.bucket} of {bucket.lease_id}", "warning", on, evidence, due_on=due_on)


def forecast_balance(bucket: ReserveBucket, on: date, due_on: date) -> Decimal:
    """What a bucket will hold on a day if it goes on as lately: held, owed, and whole months' accruals (domain.md 5.4)."""
    months = int(Decimal((due_on - on).days) / DAYS_PER_MONTH)
    return bucket.held + max(Decimal(0), bucket.owed) + (bucket.per_month or Decimal(0)) * months


def _minimums(dossier: Dossier, on: date, practice: Practice) -> Iterator[Condition]:
    """Periods whose use stays below the lease's minimum: the last one that is over, and the one under way as it is going."""
    for lease in dossier.leases:
        minimum = lease.minimum
        if minimum is None or lease.tenure_from_us is None:
            continue
        for name, first, following in _periods(minimum.per, on):
            months = [use for month, use in lease.months.items() if first.isoformat()[:7] <= month < following.isoformat()[:7]]
            judged = _use_of_period(minimum.unit, months, on, practice)
            if judged is None:
                continue
            used, basis, days = judged
            days_all = (following - first).days
            days_known, over = sum(use.days_known for use in months), following <= on
            expected = used
            if not over:
                if days_known < practice.number(f"calendar.minimum_{minimum.per}_d", on):
                    continue
                days = min(days_all, (following - max(first, day_of(lease.tenure_from_us))).days)
                expected = used / days_known * days
            wanted = minimum.amount * days / days_all
            if expected >= wanted:
                continue
            evidence = {
                "lease_id": lease.lease_id, "reference": lease.reference, "period": name, "per": minimum.per,
                "driver": minimum.unit, "minimum": _plain(wanted), "used": _plain(used), "basis": basis,
                "is_over": over,
            }  # fmt: skip
            if not over:
                evidence["expected"] = _plain(expected.quantize(Decimal(1)))
            since = following if over else on
            yield _condition(
                "minimum_breach", f"{name} of {lease.lease_id}", "warning", since, evidence, lease_id=lease.lease_id,
                due_on=following,
            )  # fmt: skip


def _use_clauses(dossier: Dossier, on: date, practice: Practice) -> Iterator[Condition]:
    """Covenants on use that the period under way or the one before it does not keep; the later one stands for the clause."""
    for lease in dossier.leases:
        for clause in lease.use_clauses:
            demand = clause.demand
            if not isinstance(demand, MinUse | MaxUse):
                continue
            (_, last, _), (_, _, following) = _periods(demand.per, on)
            found = [one for one in breaches(demand, lease.months, on, practice) if last <= one.first < following]
            kept = [one for one in found if clause.holds(start_us(min(one.following, on)) - 1)]
            if kept:
                told = kept[-1].evidence(clause) | {"reference": lease.reference}
                yield _condition(COVENANT_RULE, clause.subject, clause.severity, kept[-1].since, told, lease_id=lease.lease_id)


def _periods(per: str, on: date) -> list[tuple[str, date, date]]:
    """The period that ended last and the one under way: name, first day, first day after it."""
    if per == "month":
        this = on.replace(day=1)
        return [(day.isoformat()[:7], day, add_months(day, 1)) for day in (add_months(this, -1), this)]
    return [(str(year), date(year, 1, 1), date(year + 1, 1, 1)) for year in (on.year - 1, on.year)]


def _use_of_period(
    driver: str, months: list[MonthOfUse], on: date, practice: Practice
) -> tuple[Decimal, str, int] | None:  # fmt: skip
    """What was used, on whose word, in how many days under lease; None where nobody can say.

    As reported where every month was, else as observed where that is well enough.
    """
    if not months:
        return None
    days = sum(use.days for use in months)
    if all(driver in use.reported for use in months):
        return sum((use.reported[driver] for use in months), Decimal(0)), "reported", days
    if any(driver not in use.used for use in months):
        return None
    observed = sum(use.coverage * use.days for use in months) / max(1, days)
    if observed < practice.number(use.BILLABLE_COVERAGE, on):
        return None
    return sum((use.used[driver] for use in months), Decimal(0)), "observed", days


def _cii(dossier: Dossier, on: date, practice: Practice) -> Iterator[Condition]:
    """A ship whose year will end with D or E, by the middle of the band; with the agreed CII of the charters she is under."""
    del practice
    outlook = dossier.cii
    if outlook is None or outlook.rating not in {"D", "E"}:
        return
    agreed = [
        {"lease_id": lease.lease_id, "reference": lease.reference, **agreed}
        for lease in dossier.leases if lease.runs(start_us(on))
        for agreed in lease.agreed_cii if agreed.get("year") in {None, outlook.year}
    ]  # fmt: skip
    evidence = {
        "year": outlook.year, "rating": outlook.rating, "low_rating": outlook.low_rating, "high_rating": outlook.high_rating,
        "attained_g_per_capacity_nm": round(outlook.attained, 3), "required_g_per_capacity_nm": round(outlook.required, 3),
        "is_indicative": outlook.is_indicative, "agreed": agreed, "method": "cii_unadjusted",
    }  # fmt: skip
    severity: Severity = "critical" if outlook.rating == "E" else "warning"
    yield _condition("cii_forecast", str(outlook.year), severity, on, evidence)


def _tanks(dossier: Dossier, on: date, practice: Practice) -> Iterator[Condition]:
    """A fuel that went missing, or appeared, in a noon report of the last 30 days (figure `calendar.fuel_gap_d`); one a fuel."""
    days = practice.number("calendar.fuel_gap_d", on)
    recent = [gap for gap in dossier.fuel_gaps if 0 <= (on - gap.utc_to.date()).days < days]
    for fuel in sorted({gap.type for gap in recent}):
        own = sorted((gap for gap in recent if gap.type == fuel), key=lambda gap: gap.utc_to)
        last = own[-1]
        evidence = {
            "fuel": fuel, "gaps": len(own), "reported_to": last.utc_to.isoformat().replace("+00:00", "Z"),
            "gap_t": round(last.gap_t, 3), "tolerance_t": round(last.tolerance_t, 3), "rob_before_t": last.rob_before_t,
            "bunkered_t": last.bunkered_t, "consumed_t": last.consumed_t, "rob_after_t": last.rob_after_t,
        }  # fmt: skip
        yield _condition("fuel_balance_gap", fuel, "warning", own[0].utc_to.date(), evidence)


def _hull(dossier: Dossier, on: date, practice: Practice) -> Iterator[Condition]:
    """A hull whose last fortnight lies more than 5 points below the quarter after its dock (`fleet.hull_reports`)."""
    del practice
    found = dossier.hull
    if found is None or not found.maintenance_due or found.post_dock_pct is None:
        return
    evidence = {
        "post_dock_pct": round(found.post_dock_pct, 2), "points": found.points_used, "confidence": "low", "method": "noon_report",
    }  # fmt: skip
    yield _condition("hull_performance", "hull", "warning", on, evidence)


_JUDGES: tuple[Callable[[Dossier, date, Practice], Iterator[Condition]], ...] = (
    _life_limits, _redelivery, _mismatches, _shortfalls, _minimums, _use_clauses, _cii, _tanks, _hull,
)  # fmt: skip


def _plain(value: Decimal) -> float:
    return round(float(value), 3)


# -- episodes ---------------------------------------------------------------------------------------------------------


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An episode of a calendar rule as it is stored: open, and what it said last."""

    finding_id: str
    rule: str
    subject: str
    asset: str
    severity: str
    opened_us: int
    evidence: dict[str, Any]


class Emission(msgspec.Struct, frozen=True, kw_only=True):
    """What an episode is now. `finding_id` None: it opens, and its id follows from asset, rule, subject and `opened_us`."""

    rule: str
    subject: str
    severity: str
    opened_us: int
    closed_us: int | None
    evidence: dict[str, Any]
    finding_id: str | None = None
    asset: str | None = None


def emissions(
    found: Iterable[Condition], standing: Iterable[Standing], known_us: int, on: date, practice: Practice = HOUSE
) -> list[Emission]:
    """Bring the open episodes of one asset to what is true now; an episode that says the same again is among them unchanged.

    An open episode keeps its id and its begin. One that is not true any more closes at `known_us`, the instant at which that was
    known. What moves by less than `calendar.restate_d` keeps the words it had.
    """
    held = {(one.rule, one.subject): one for one in standing}
    told: list[Emission] = []
    for condition in found:
        before = held.pop((condition.rule, condition.subject), None)
        evidence = condition.evidence
        if before is not None and before.severity == condition.severity and _says_the_same(before, condition, on, practice):
            evidence = before.evidence
        told.append(
            Emission(
                rule=condition.rule, subject=condition.subject, severity=condition.severity,
                opened_us=min(condition.since_us, known_us) if before is None else before.opened_us, closed_us=None,
                evidence=evidence, finding_id=None if before is None else before.finding_id,
                asset=None if before is None else before.asset,
            )
        )  # fmt: skip
    return told + [
        Emission(
            rule=over.rule, subject=over.subject, severity=over.severity, opened_us=over.opened_us,
            closed_us=max(known_us, over.opened_us + 1), evidence=over.evidence, finding_id=over.finding_id, asset=over.asset,
        )
        for over in held.values()
    ]  # fmt: skip


def _says_the_same(before: Standing, condition: Condition, on: date, practice: Practice) -> bool:
    """Whether two statements differ by a forecast's daily movement alone."""
    was, now = before.evidence, condition.evidence
    moved = {name for name in {*was, *now} if was.get(name) != now.get(name)}
    if not moved:
        return True
    restate_d = practice.number("calendar.restate_d", on)
    days = [(was.get(name), now.get(name)) for name in ("due_on", "event_on")]
    far = any(_apart_d(one, other) >= restate_d for one, other in days if one != other)
    return not far and moved <= _MOVING and _close(was, now, moved)


_MOVING = frozenset({
    "due_on", "drivers", "event_on", "held_amount", "forecast_amount", "short_amount", "per_month_amount", "expected", "used",
    "distance_nm", "attained_g_per_capacity_nm", "low_rating", "high_rating", "counted", "counted_on", "assumption",
})  # fmt: skip
"""Members of evidence that move from day to day while the fact stays the same."""

RESTATE_SHARE = 0.05  # chosen: an amount that moved by a twentieth is worth telling


def _close(before: Mapping[str, Any], now: Mapping[str, Any], moved: Iterable[str]) -> bool:
    for name in moved:
        one, other = _number(before.get(name)), _number(now.get(name))
        if one is not None and other is not None and abs(other - one) > RESTATE_SHARE * max(abs(one), abs(other)):
            return False
    return True


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _apart_d(one: Any, other: Any) -> float:
    try:
        return abs((date.fromisoformat(str(one)) - date.fromisoformat(str(other))).days)
    except ValueError:
        return float("inf")
