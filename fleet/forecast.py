"""Forecasts: the day of the next event, by whichever driver gets there first.

A limit in hours or cycles is reached at a rate per day, one in months on its day; the earliest of them is the forecast
(domain.md 1.5, always the earliest of FH, FC, calendar). The day is an input; nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal

import msgspec

from fleet.months import add_months
from fleet.utilization import Driver

DAYS_MAX = 36_525
"""A century: a limit that is further away is not forecast, the use that would reach it will be another."""


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One driver of an event. `limit` and `used` in the driver's unit at the forecast's day, `per_day` the use expected a day.

    For `month`, `used` is not asked: `counted_from` is the day of the last event, and the event is due `limit` months after.
    """

    driver: Driver
    limit: Decimal
    used: Decimal
    per_day: Decimal | None = None
    counted_from: date | None = None


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """When one driver gets there: `days` unrounded from the forecast's day, `on` the day (floored).

    What is passed is due on the forecast's day, its days negative as far as a rate tells. None with a
    `reason`: `no_use`, `rate_unknown`, `start_unknown`, `beyond_a_century`.
    """

    driver: Driver
    remaining: Decimal | None
    days: Decimal | None
    on: date | None
    reason: str | None = None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The next event: the driver that governs, and what every driver says. `governing` None: no driver gets there."""

    governing: Due | None
    drivers: tuple[Due, ...]

    @property
    def overdue(self) -> bool:
        """Whether a limit is passed already."""
        return any(one.remaining is not None and one.remaining < 0 for one in self.drivers)


def days_until(limit: Decimal, used: Decimal, per_day: Decimal) -> Decimal:
    """Days until a limit is reached, unrounded, negative once it is passed (domain.md 1.5, golden AC14); `per_day` > 0."""
    return (limit - used) / per_day


def due(limit: Limit, as_of: date) -> Due:
    """When one driver reaches its limit, seen from a day. The day is floored: an event is never promised later than it comes."""
    if limit.driver == "month":
        return _due_by_calendar(limit, as_of)
    left = limit.limit - limit.used
    if left <= 0:
        return Due(driver=limit.driver, remaining=left, days=left / limit.per_day if limit.per_day else Decimal(0), on=as_of)
    if limit.per_day is None:
        return Due(driver=limit.driver, remaining=left, days=None, on=None, reason="rate_unknown")
    if limit.per_day <= 0:
        return Due(driver=limit.driver, remaining=left, days=None, on=None, reason="no_use")
    days = days_until(limit.limit, limit.used, limit.per_day)
    if days > DAYS_MAX:
        return Due(driver=limit.driver, remaining=left, days=None, on=None, reason="beyond_a_century")
    on = as_of + timedelta(days=int(days.to_integral_value(ROUND_FLOOR)))
    return Due(driver=limit.driver, remaining=left, days=days, on=on)


def _due_by_calendar(limit: Limit, as_of: date) -> Due:
    if limit.counted_from is None:
        return Due(driver="month", remaining=None, days=None, on=None, reason="start_unknown")
    on = add_months(limit.counted_from, int(limit.limit))
    days = Decimal((on - as_of).days)
    return Due(driver="month", remaining=months_between(as_of, on), days=days, on=on)


def months_between(since: date, until: date) -> Decimal:
    """Calendar months between two days, a part of a month by its days; negative when the second is earlier."""
    if until < since:
        return -months_between(until, since)
    whole = (until.year - since.year) * 12 + until.month - since.month
    if add_months(since, whole) > until:
        whole -= 1
    reached = add_months(since, whole)
    span = (add_months(since, whole + 1) - reached).days
    return whole + Decimal((until - reached).days) / span


def next_event(limits: Iterable[Limit], as_of: date) -> Forecast:
    """The earliest of an event's drivers; of equals the one named first. Golden AC14."""
    each = tuple(due(limit, as_of) for limit in limits)
    dated = [one for one in each if one.days is not None]
    return Forecast(governing=min(dated, key=lambda one: one.days or Decimal(0), default=None), drivers=each)


class WornLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit of an asset, a component or a part, and its use as of a day.

    `limit` and `used` in the driver's unit; `counted_on` the day of the last count, `counted_used` what it said, `per_day` the
    use expected a day, None where nobody can say. `assumption` says what both rest on, `coverage` and `methods` how well.
    `component_key` nets life-limited parts of one serial number, and keeps every check for itself.
    """

    asset_id: str
    asset_name: str
    asset_class: str
    position: str | None
    item: str
    serial_no: str | None
    kind: str
    driver: Driver
    limit: Decimal
    used: Decimal
    counted_on: date
    counted_used: Decimal
    per_day: Decimal | None
    cost: Decimal | None
    currency: str | None
    assumption: str
    coverage: float | None = None
    methods: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What comes due together: asset, item, part."""
        return (self.asset_id, self.item, self.serial_no or "")

    @property
    def component_key(self) -> str:
        """`NAME llp` of parts with a life, `NAME ITEM` of checks."""
        return f"{self.asset_name} {'llp' if self.kind == 'life' else self.item}"

    def as_limit(self) -> Limit:
        """As `due` takes it: a limit by the calendar counts what was left on the day of the count."""
        if self.driver == "month":
            return Limit(
                driver="month", limit=self.limit - self.counted_used, used=Decimal(0), counted_from=self.counted_on
            )  # fmt: skip
        return Limit(driver=self.driver, limit=self.limit, used=self.used, per_day=self.per_day)


def forecasts(worn: Iterable[WornLimit], as_of: date) -> list[tuple[list[WornLimit], Forecast]]:
    """The next event of each item, in the order given, with the limits it hangs on; the earliest driver governs."""
    groups: dict[tuple[str, str, str], list[WornLimit]] = {}
    for each in worn:
        groups.setdefault(each.key, []).append(each)
    return [(group, next_event([each.as_limit() for each in group], as_of)) for group in groups.values()]
