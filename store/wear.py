"""How far limits are used as of an instant, and how fast: the last count, and what was observed or reported since.

Hours and cycles since the count are the observed ones of the asset, or of what the component sat on; APU hours and door cycles
are the reported ones, because nobody hears them. The rate is that of the last 90 days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from fleet import flight
from fleet.forecast import WornLimit, months_between
from fleet.instants import DAY_US, to_datetime
from fleet.money import ZERO
from fleet.reconciliation import Observation, figures_of
from fleet.utilization import DRIVERS, Driver
from store import billing, life_limits, utilization_reports
from store.pool import Connection

Row = dict[str, Any]
LIMITS_MAX = 2000  # chosen: checks and life-limited parts of one aircraft are about a hundred
RATE_DAYS = 90  # chosen, DECISIONS 135: a season's schedule, long enough to even out a week on the ground
REPORTED_DRIVERS = frozenset({"apuh", "door_cycle"})


class _Known(NamedTuple):
    """Rows out of which every limit takes its own."""

    names: Mapping[str, tuple[str, str]]
    stretches: Sequence[billing.Stretch]
    seen: billing.Observed
    reports: Sequence[Row]
    as_of_us: int


async def worn(conn: Connection, asset_ids: Sequence[str], as_of_us: int, known_us: int | None) -> list[WornLimit]:
    """Limits of assets with their use as of an instant, in order of asset and item; five set queries for the lot."""
    rows = await life_limits.limits(conn, asset_ids, known_us, None, LIMITS_MAX)
    if not rows:
        return []
    window_us = as_of_us - RATE_DAYS * DAY_US
    from_us = min(window_us, *(row["counted_at"] for row in rows))
    stretches = await billing.installed(conn, asset_ids, from_us, as_of_us + 1, known_us)
    watched = {str(row["asset_id"]) for row in rows if row["driver"] != "month" and row["driver"] not in REPORTED_DRIVERS}
    wanted = sorted(watched | {each.parent_id for each in stretches if each.asset_id in watched})
    cuts = [window_us, *(row["counted_at"] for row in rows), *(at for each in stretches for at in (each.from_us, each.to_us))]
    seen = await billing.observed(conn, wanted, from_us, as_of_us, known_us, [at for at in cuts if from_us < at < as_of_us])
    reports = await utilization_reports.reports(
        conn,
        utilization_reports.ReportFilter(
            asset_ids=tuple(asset_ids), kinds=("monthly",), from_us=from_us, to_us=as_of_us, known_us=known_us
        ),
        None, LIMITS_MAX,
    )  # fmt: skip
    known = _Known(await billing.classes(conn, wanted), stretches, seen, reports, as_of_us)
    found = [_worn(row, known, window_us) for row in rows]
    return sorted(found, key=lambda each: (each.asset_name, each.item, each.serial_no or "", each.driver))


def _worn(row: Row, known: _Known, window_us: int) -> WornLimit:
    driver: Driver = row["driver"]
    asset_id, counted_us = str(row["asset_id"]), row["counted_at"]
    counted_on, as_of = _day(counted_us), _day(known.as_of_us)
    position = next(
        (each.position for each in known.stretches if each.asset_id == asset_id and each.to_us >= known.as_of_us), None
    )  # fmt: skip
    since, per_day, assumption, seen = ZERO, None, "calendar", None
    if driver == "month":
        since = months_between(counted_on, as_of) if counted_us < known.as_of_us else ZERO
    elif driver in REPORTED_DRIVERS:
        since, per_day, assumption = _by_reports(asset_id, driver, counted_us, known)
    else:
        name = str(DRIVERS[driver].figure)
        seen = _observation(asset_id, row["class"], counted_us, known)
        since = seen.figures.get(name, ZERO)
        per_day = _rate(_observation(asset_id, row["class"], window_us, known), name, asset_id, window_us, known)
        heard = name in seen.figures
        assumption = f"{'observed' if heard else 'nothing observed'} since the count, rate of the last {RATE_DAYS} days"
    return WornLimit(
        asset_id=asset_id, asset_name=row["asset_name"], asset_class=row["class"], position=position, item=row["item"],
        serial_no=row["serial_no"], kind=row["kind"], driver=driver, limit=row["limit_value"], used=row["used_value"] + since,
        counted_on=counted_on, counted_used=row["used_value"], per_day=per_day, cost=row["cost_amount"],
        currency=row["currency"], assumption=assumption, coverage=None if seen is None else seen.coverage or 0.0,
        methods=() if seen is None else seen.methods,
    )  # fmt: skip


def _observation(asset_id: str, asset_class: str, from_us: int, known: _Known) -> Observation:
    """What the asset did from an instant to now, by itself or on what it sat on."""
    if from_us >= known.as_of_us:
        return Observation(figures={}, coverage=1.0)
    own = [
        billing.clipped(each, from_us, known.as_of_us)
        for each in known.stretches
        if each.asset_id == asset_id and each.to_us > from_us and each.from_us < known.as_of_us
    ]
    if not own:
        return billing.observation(known.seen, asset_id, asset_class, from_us, known.as_of_us, _landing)
    classes = {each: known.names[each][0] for each in known.names}
    return billing.component_observation(known.seen, own, classes, from_us, known.as_of_us, _landing)


def _landing(_edge_us: int) -> flight.Attribution:
    """A limit counts landings, whatever a lease agrees on months."""
    return "landing"


def _rate(seen: Observation, name: str, asset_id: str, window_us: int, known: _Known) -> Decimal | None:
    """Use a day in the window, over the days since it was first watched there; None where it was not watched at all."""
    value = seen.figures.get(name)
    if value is None or seen.coverage is None:
        return None
    parents = {each.parent_id for each in known.stretches if each.asset_id == asset_id} or {asset_id}
    days = [day.day_us for parent in parents for day in known.seen.days.get(parent, ()) if day.day_us >= window_us]
    begin_us = max(window_us, min(days, default=window_us))
    return value * DAY_US / (known.as_of_us - begin_us) if begin_us < known.as_of_us else None


def _by_reports(asset_id: str, driver: str, counted_us: int, known: _Known) -> tuple[Decimal, Decimal | None, str]:
    """Use since a count by the reports whose period began after it, a day's use by the latest three, and what was assumed."""
    name = str(DRIVERS[driver].figure)
    told = [
        (row["from_time"], row["to_time"], figures[name])
        for row in known.reports
        if str(row["asset_id"]) == asset_id and name in (figures := figures_of(row["figures"]))
    ]
    since = sum((value for from_us, _, value in told if from_us >= counted_us), ZERO)
    latest = told[-3:]
    length_us = sum(to_us - from_us for from_us, to_us, _ in latest)
    per_day = sum((value for *_, value in latest), ZERO) * DAY_US / length_us if length_us else None
    return since, per_day, f"reported since the count, rate of the latest {len(latest)} reports"


def _day(time_us: int) -> date:
    moment: datetime = to_datetime(time_us)
    return moment.astimezone(UTC).date()
