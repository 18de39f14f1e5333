"""Instants as whole microseconds since 1970 UTC, and their RFC 3339 form.

Integers compare, hash and store exactly; floats of seconds do not. Knows no clock: an instant is always given.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def to_datetime(time_us: int) -> datetime:
    """Aware UTC datetime of an instant. Exact to the microsecond; raises OverflowError outside years 1..9999."""
    return _EPOCH + timedelta(microseconds=time_us)


def from_datetime(moment: datetime) -> int:
    """Microseconds of an aware datetime. Raises ValueError for a naive one: a naive time is nobody's time."""
    if moment.tzinfo is None:
        raise ValueError("naive datetime")
    return (moment - _EPOCH) // _TICK


def to_rfc3339(time_us: int) -> str:
    """RFC 3339 with `Z`, without trailing zeros of the fraction (`2026-11-22T07:00:00Z`, `…00.25Z`)."""
    day, rest_us = divmod(time_us, DAY_US)
    seconds, fraction_us = divmod(rest_us, SECOND_US)
    text = f"{_date(day)}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return text + (f".{fraction_us:06d}".rstrip("0") + "Z" if fraction_us else "Z")


@lru_cache(maxsize=4096)  # eleven years of days: a track is hundreds of instants of few days
def _date(day: int) -> str:
    return to_datetime(day * DAY_US).date().isoformat()


def ceil_minute(time_us: int) -> int:
    """The first whole minute at or after an instant."""
    return -(-time_us // MINUTE_US) * MINUTE_US
