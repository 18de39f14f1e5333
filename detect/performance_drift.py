"""Rule `performance_drift`: an asset's sensors have slowly moved off what its own first days or flights taught to expect."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detect import performance as model
from detect.classes import TRAITS
from detect.episodes import Episode
from detect.model import Finding
from detect.performance import DAYS, FLIGHTS, Change, Performance, Plan
from detect.rule import ALL_CLASSES, NOTHING, Moment, Rule
from detect.state import Memory, WarmingUp
from fleet import aircraft, trainset, vessel
from fleet.instants import DAY_US, HOUR_US, MINUTE_US

NAME = "performance_drift"
VERSION = 1
PLANS: dict[str, Plan] = {vessel.NAME: DAYS, aircraft.NAME: FLIGHTS, trainset.NAME: DAYS}
SLOT_US = {vessel.NAME: HOUR_US, aircraft.NAME: 2 * MINUTE_US, trainset.NAME: 30 * MINUTE_US}
"""At most one row in each: 24 rows a day or a flight say what its median is. Chosen."""
APART_US = HOUR_US  # chosen: an aircraft that was not seen in cruise for an hour and turns up in cruise is on another flight
CHANNELS_MAX = 4  # chosen: what keeps a checkpoint below 8 KiB (design 5.5)
PERFORMANCE = ("power", "fuel", "egt", "exhaust", "vibration", "torque", "oil", "temp")
"""What tells of hull and engine, in this order, has a place before other channels."""


class DriftMemory(Memory, kw_only=True):
    """What the asset's performance is, the channels followed, the period at hand and when it began, and the open episode."""

    performance: Performance = msgspec.field(default_factory=Performance)
    channels: list[str] = msgspec.field(default_factory=list)
    flights: bool = False
    period: int = 0
    from_us: int = 0
    row_us: int | None = None
    episode: Episode | None = None

    def warm_up(self) -> dict[str, WarmingUp]:
        """Days or flights of learning and reference, once there is a channel to follow; told in those, not in minutes."""
        waiting = model.warm_up(self.performance, FLIGHTS if self.flights else DAYS) if self.channels else None
        return {} if waiting is None else {"": waiting}


def at_row(memory: DriftMemory, moment: Moment) -> Sequence[Finding]:
    """Take the row in, if `channel_anomaly` has judged it sound; decide when it begins another day or flight."""
    row, residuals = moment.row, moment.residuals
    if row is None or not residuals:
        return NOTHING
    asset_class = moment.state.asset_class
    if memory.row_us is not None and row.start_us - memory.row_us < SLOT_US[asset_class]:
        return NOTHING
    plan = PLANS[asset_class]
    memory.flights = plan is FLIGHTS
    period = _period(memory, asset_class, row.start_us)
    if memory.performance.periods == 0:
        memory.channels = sorted({*memory.channels, *residuals}, key=_place)[:CHANNELS_MAX]
    values = {name: residuals[name].observed for name in memory.channels if name in residuals}
    point = TRAITS[asset_class].features(row.seen, row.seen.speed_kn or 0.0)
    told = model.take(memory.performance, plan, period, point, values)
    began_us = memory.from_us
    if period != memory.period or memory.row_us is None:
        memory.period, memory.from_us = period, row.start_us
    memory.row_us = row.start_us
    return _tell(memory, moment, plan, told, began_us) if isinstance(told, Change) else NOTHING


def _place(name: str) -> tuple[int, str]:
    """What tells of performance first, then by name."""
    return next((place for place, word in enumerate(PERFORMANCE) if word in name), len(PERFORMANCE)), name


def _period(memory: DriftMemory, asset_class: str, row_us: int) -> int:
    """The number of the day, or of the flight: another one begins when cruise was not seen for an hour."""
    if asset_class != aircraft.NAME:
        return row_us // DAY_US
    return memory.period + (memory.row_us is not None and row_us - memory.row_us >= APART_US)


def _tell(memory: DriftMemory, moment: Moment, plan: Plan, change: Change, began_us: int) -> tuple[Finding, ...]:
    """Open with the period that decided, close with the one after which the level was back."""
    episode = memory.episode
    if change.alarm and episode is None:
        memory.episode = Episode(
            asset=moment.now.name,
            opened_at_us=began_us,
            detected_at_us=moment.time_us,
            severity="warning",
            score=round(change.z, 3),
            evidence=_evidence(change, plan, memory.performance, moment),
        )
        return (memory.episode.finding(moment.state, NAME, VERSION),)
    if not change.alarm and episode is not None:
        memory.episode = None
        episode.evidence["ended"] = "returned"
        return (episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us),)
    return NOTHING


def _evidence(change: Change, plan: Plan, performance: Performance, moment: Moment) -> dict[str, object]:
    return {
        "top": [
            {
                "feature": off.channel,
                "observed": round(off.observed, 6),
                "expected": round(off.expected, 6),
                "z": round(off.z, 3),
                "change_pct": round(100.0 * off.share, 3),
            }
            for off in change.top
        ],
        "period": "flight" if plan is FLIGHTS else "day",
        "periods": performance.periods,
        "learned_periods": plan.learn_periods,
        "reference_periods": plan.reference_periods,
        "changed_periods_ago": change.period - change.since,
        "open_z": change.open_z,
        "least_change_pct": 100.0 * plan.share_min,
        "p_value": change.p_value,
        "p_method": "normal",
        "p_rows": plan.reference_periods,
        "speed_kn": moment.now.speed_kn,
        "draught_m": moment.now.draught_m,
        "alt_baro_ft": moment.now.alt_ft,
    }


RULE = Rule(NAME, VERSION, ALL_CLASSES, DriftMemory, at_row=at_row)
