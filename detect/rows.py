"""One-minute feature rows: what models learn from, closed in event order.

A row is the last value of each channel in one minute of event time. It closes when a reading of a later minute arrives, so that
how often a sensor reports changes neither what is learned nor how fast. (The last value and not the mean: a mean of six readings
is quieter than one reading, and single readings are what is scored.)
"""

from __future__ import annotations

from math import isfinite

import msgspec

from detect.state import OpenRow, Seen
from fleet.instants import MINUTE_US
from fleet.reading import Reading

VALUE_MAX = 1e7
"""Largest magnitude that a channel's value may have to be scored or learned. Chosen: beyond any sensor of a ship, aircraft or
train in the units that the names carry; a 1e9 glitch is no measurement, and one alone ruins a scaler (detection.md 3, trap 5)."""

ROW_CHANNELS_MAX = 64
"""Channels that an open row keeps. Chosen: four times what `channel_anomaly` watches; others are not kept."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A closed minute: its start, the motion at its end and each channel's last value."""

    start_us: int
    seen: Seen
    channels: dict[str, float]


def usable(value: float) -> bool:
    """Whether a channel's value may be scored and learned: finite and within `VALUE_MAX`."""
    return isfinite(value) and -VALUE_MAX <= value <= VALUE_MAX


def close_row(row: OpenRow | None, time_us: int, before: Seen | None) -> Row | None:
    """The closed row when `time_us` lies in a later minute than the open row, else None. `before` is the motion at its end."""
    if row is None or before is None or time_us < row.start_us + MINUTE_US:
        return None
    return Row(start_us=row.start_us, seen=before, channels=row.channels)


def add_to_row(row: OpenRow | None, reading: Reading) -> OpenRow:
    """Take a reading into the row of its minute; a new row when there is none or the minute is over."""
    if row is None or reading.time_us >= row.start_us + MINUTE_US:
        row = OpenRow(start_us=reading.time_us // MINUTE_US * MINUTE_US, channels={})
    channels = row.channels
    for name, value in reading.channels.items():
        if usable(value) and (name in channels or len(channels) < ROW_CHANNELS_MAX):
            channels[name] = value
    return row
