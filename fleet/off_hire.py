"""Off-hire: time for which a charterer owes no hire. Purely contractual; telemetry only proposes, a person confirms.

Domain.md 2.6. Money is Decimal: the daily hire is rounded to cents, then the deduction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from fleet.money import cents
from fleet.practice import Figure, Practice

Basis = Literal["net", "period"]
FIGURES = (
    Figure(
        name="off_hire.candidate_h",
        value={"drydock": 24.0, "drifting": 12.0, "anchored": 120.0, "moored": 240.0},
        source="chosen: a day in dock, half a day adrift, five days at anchor; domain.md 5.4 asks after 10 days stationary",
    ),
    Figure(name="off_hire.lay_up_d", value=14, source="design 4.6: stored from 14 days on (preset cirium)"),
    Figure(
        name="off_hire.join_gap_h", value=6.0,
        source="chosen: the silence after which a state is unknown (domain.md 2.3); shorter gaps do not end a stop",
    ),
)  # fmt: skip
HOUSE = Practice(FIGURES)


class LostTime(msgspec.Struct, frozen=True, kw_only=True):
    """One confirmed event. `net_loss_h` is the time really lost, which a person gives; None: all of [started_at, ended_at)."""

    started_at: datetime
    ended_at: datetime
    net_loss_h: float | None = None


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of one operating state of `operating_state.STATES`."""

    state: str
    started_at: datetime
    ended_at: datetime


class OffHire(msgspec.Struct, frozen=True, kw_only=True):
    """Off-hire of a period, in hours; `utilization` is on-hire over calendar time, a ratio; `deduction` null without a hire."""

    lost_h: float
    off_hire_h: float
    on_hire_h: float
    utilization: float
    deduction: Decimal | None
    reason: str | None = None


def lost_h(event: LostTime, basis: Basis) -> float:
    """Hours lost by an event under a rule: `period` counts all of it, `net` what a person found lost, at most all."""
    length_h = (event.ended_at - event.started_at) / timedelta(hours=1)
    if basis == "period" or event.net_loss_h is None:
        return length_h
    return min(event.net_loss_h, length_h)


def counted_h(events: Iterable[LostTime], basis: Basis, deminimis_h: float) -> float:
    """Hours that count, all events together: an event counts whole once it passes the de-minimis, else not at all (golden SH7).

    18 h and 30 h with 24 h: 30 h (not 6, not 48). An event of exactly the de-minimis has not passed it.
    """
    return sum(hours for event in events if (hours := lost_h(event, basis)) > deminimis_h)


def of_period(
    events: Sequence[LostTime], period_from: datetime, period_to: datetime,
    *, basis: Basis, deminimis_h: float, daily_hire: Decimal | None, currency: str = "USD", applies: bool = True,
) -> OffHire:  # fmt: skip
    """Off-hire of [period_from, period_to) under a charter's rule, with the hire to deduct (golden SH7).

    An event that crosses an edge is judged whole against the de-minimis and counts with its share inside, so that the months of
    an event add up to it. Events that overlap are joined first: an hour is lost once.

    Args:
        events: confirmed ones, any order.
        period_from: inclusive.
        period_to: exclusive.
        basis: `net` loss of time or `period`.
        deminimis_h: hours that must be passed before anything counts.
        daily_hire: money a day, None if unknown: `deduction` is then null with reason `no_hire`.
        currency: of the hire.
        applies: False where the lease knows no off-hire, as a bareboat charter: nothing counts, reason `not_applicable`.

    Returns:
        Hours, and money to cents half up: the daily hire rounded, then `hours / 24 × hire` rounded.
    """
    if period_to <= period_from:
        raise ValueError("the period ends before it begins")
    calendar_h = (period_to - period_from) / timedelta(hours=1)
    if not applies:
        return OffHire(lost_h=0.0, off_hire_h=0.0, on_hire_h=calendar_h, utilization=1.0, deduction=None, reason="not_applicable")
    all_h = counts_h = 0.0
    for event in _joined(events):
        length_h = lost_h(event, "period")
        inside = min(event.ended_at, period_to) - max(event.started_at, period_from)
        share = max(0.0, inside / timedelta(hours=1)) / length_h if length_h else 0.0
        all_h += lost_h(event, basis) * share
        counts_h += counted_h([event], basis, deminimis_h) * share
    deduction = None
    if daily_hire is not None:
        hours = Decimal(repr(round(counts_h, 9)))  # hours are measured to the microsecond, no finer
        deduction = cents(hours / 24 * cents(daily_hire, currency), currency)
    return OffHire(
        lost_h=all_h, off_hire_h=counts_h, on_hire_h=calendar_h - counts_h, utilization=(calendar_h - counts_h) / calendar_h,
        deduction=deduction, reason=None if daily_hire is not None else "no_hire",
    )  # fmt: skip


def _joined(events: Sequence[LostTime]) -> list[LostTime]:
    """Events without overlaps, in order; of joined ones the losses add up, and never to more than they last together."""
    found: list[LostTime] = []
    for event in sorted(events, key=lambda each: (each.started_at, each.ended_at)):
        if found and event.started_at < found[-1].ended_at:
            last = found.pop()
            whole = LostTime(started_at=last.started_at, ended_at=max(last.ended_at, event.ended_at))
            net_h = min(lost_h(last, "net") + lost_h(event, "net"), lost_h(whole, "period"))
            event = msgspec.structs.replace(whole, net_loss_h=net_h)  # noqa: PLW2901 - the joined one goes on as the event
        found.append(event)
    return found


def lay_up_days(still: Iterable[date], on: date, practice: Practice = HOUSE) -> list[date]:
    """Of the days on which an asset never moved, those that lie in a run of 14 or more, in order (figure `off_hire.lay_up_d`).

    A day on which it was not watched is not among the given ones and ends a run: not seen is not laid up.
    """
    least = int(practice.number("off_hire.lay_up_d", on))
    runs: list[list[date]] = []
    for day in sorted(set(still)):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return [day for run in runs if len(run) >= least for day in run]


def candidates(stretches: Iterable[Stretch], on: date, practice: Practice = HOUSE) -> list[Stretch]:
    """Stretches that look like lost time, for a person to confirm or to reject: long docks, drifts and stops.

    Stretches of one state that follow each other within six hours, with nothing but `unknown` between, are one; a silence alone
    proposes nothing, because not seen is not stopped. Figures `off_hire.candidate_h`, `off_hire.join_gap_h`.

    Args:
        stretches: of one asset, any order.
        on: the day whose figures are taken.
        practice: the figures.
    """
    least_h = practice.figure("off_hire.candidate_h", on).value
    join = timedelta(hours=practice.number("off_hire.join_gap_h", on))
    runs: list[Stretch] = []
    for each in sorted(stretches, key=lambda stretch: stretch.started_at):
        if each.state == "unknown" or each.ended_at <= each.started_at:
            continue
        last = runs[-1] if runs else None
        if last is not None and last.state == each.state and each.started_at - last.ended_at <= join:
            runs[-1] = msgspec.structs.replace(last, ended_at=max(last.ended_at, each.ended_at))
        else:
            runs.append(each)
    return [
        run for run in runs
        if run.state in least_h and (run.ended_at - run.started_at) / timedelta(hours=1) >= least_h[run.state]
    ]  # fmt: skip
