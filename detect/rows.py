"""One-minute feature rows: what models learn from, closed in event order.

A row is the plain mean of what was reported in one minute of event time. It closes when a reading of a later minute arrives, so
that the order of arrival within a minute, and how often a sensor reports, do not change what is learned.
"""

from __future__ import annotations

from math import isfinite

import msgspec

from detect.state import OpenRow, Seen
from fleet.instants import MINUTE_US
from fleet.reading import Reading

VALUE_MAX = 1e7
"""Largest magnitude that a channel's value may have to enter a row. Chosen: 10,000,000 is beyond any sensor of a ship, aircraft
or train in the units that the channel names carry; a 1e9 glitch is no measurement and must not move a mean."""

ROW_CHANNELS_MAX = 64
"""Channels that one open row keeps. Chosen: four times what `channel_anomaly` watches; more are not summed."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A closed minute: its start, the motion at its end, the mean speed (knots, or None) and each channel's mean."""

    start_us: int
    seen: Seen
    speed_kn: float | None
    channels: dict[str, float]


def usable(value: float) -> bool:
    """Whether a channel's value may be scored and learned: finite and within `VALUE_MAX`."""
    return isfinite(value) and -VALUE_MAX <= value <= VALUE_MAX


def close_row(row: OpenRow | None, time_us: int, before: Seen | None) -> Row | None:
    """The closed row when `time_us` lies in a later minute than the open row, else None. `before` is the motion at its end."""
    if row is None or before is None or time_us < row.start_us + MINUTE_US:
        return None
    return Row(
        start_us=row.start_us,
        seen=before,
        speed_kn=row.speed_sum / row.speed_n if row.speed_n else None,
        channels={name: total / n for name, (total, n) in row.channels.items()},
    )


def add_to_row(row: OpenRow | None, reading: Reading, speed_kn: float | None) -> OpenRow:
    """Take a reading into the row of its minute; a new row when there is none or the minute is over."""
    minute_us = reading.time_us // MINUTE_US * MINUTE_US
    if row is None or row.start_us != minute_us:
        row = OpenRow(start_us=minute_us)
    row.n += 1
    if speed_kn is not None and isfinite(speed_kn):
        row.speed_sum += speed_kn
        row.speed_n += 1
    for name, value in reading.channels.items():
        if not usable(value):
            continue
        known = row.channels.get(name)
        if known is not None:
            row.channels[name] = (known[0] + value, known[1] + 1)
        elif len(row.channels) < ROW_CHANNELS_MAX:
            row.channels[name] = (value, 1)
    return row
