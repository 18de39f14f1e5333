"""Instants as the driver takes them: what every query of this room binds."""

from __future__ import annotations

from datetime import datetime

from fleet.instants import to_datetime


def moment(time_us: int | None) -> datetime | None:
    """The aware datetime of an instant in microseconds; None, which is NULL, stays None. OverflowError beyond year 9999."""
    return None if time_us is None else to_datetime(time_us)
