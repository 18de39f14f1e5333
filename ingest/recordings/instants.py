"""Times as recordings write them, read to integer unix milliseconds; None when a text is no instant.

All are UTC unless they carry an offset. A leap second `:60` is the next second (domain.md 3.4). Knows no clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

EARLIEST_MS = 0  # a recording has no wall clock to compare with: 1970 to 2100 is what a unix number can sanely mean;
LATEST_MS = 4_102_444_800_000  # the contract's own bounds (1990, five minutes ahead) are the ingester's
MILLISECONDS_FROM = 100_000_000_000  # a larger unix number is milliseconds: as seconds it would be the year 5138

_LEAP = re.compile(r"^(.*[ T]\d\d:?\d\d:?)60(\.\d*)?(.*)$")
_DANISH = "%d/%m/%Y %H:%M:%S"
_EXACT_EARTH = "%Y%m%d_%H%M%S"


def plausible_ms(time_ms: float) -> int | None:
    """The instant as an integer when it lies between 1970 and 2100, else None (NaN and infinities too)."""
    return round(time_ms) if EARLIEST_MS <= time_ms < LATEST_MS else None


def unix_ms(value: Any) -> int | None:
    """Unix time in seconds or milliseconds, told apart by size (`MILLISECONDS_FROM`); numbers or their text."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return plausible_ms(number if abs(number) >= MILLISECONDS_FROM else number * 1000.0)


def milliseconds(value: Any) -> int | None:
    """An integer that is milliseconds by contract (`time` of a reading); None for anything else."""
    return plausible_ms(value) if isinstance(value, int) and not isinstance(value, bool) else None


def iso_ms(value: Any, *, offset_required: bool = False) -> int | None:
    """RFC 3339 and its looser kin (blank for `T`, any number of fraction digits, no offset = UTC)."""
    if not isinstance(value, str) or len(value) < 16:
        return None
    text = value.strip()
    leap = _LEAP.match(text)
    try:
        moment = datetime.fromisoformat(f"{leap[1]}59{leap[2] or ''}{leap[3]}" if leap else text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        if offset_required:
            return None
        moment = moment.replace(tzinfo=UTC)
    return _moment_ms(moment, 1000 if leap else 0)


def danish_ms(value: Any) -> int | None:
    """`dd/mm/yyyy HH:MM:SS`, the Danish Maritime Authority's CSV."""
    return _format_ms(value, _DANISH)


def exact_earth_ms(value: Any) -> int | None:
    """`yyyymmdd_HHMMSS`, exactEarth's CSV."""
    return _format_ms(value, _EXACT_EARTH)


def any_ms(value: Any) -> int | None:
    """A unix number or an ISO text: for layouts that write either."""
    found = unix_ms(value)
    return found if found is not None else iso_ms(value)


def civil_ms(parts: list[int]) -> int | None:
    """Year, month, day, hour, minute, second, millisecond; None for a date that does not exist."""
    year, month, day, hour, minute, second, millisecond = parts
    try:
        moment = datetime(year, month, day, hour, minute, second, millisecond * 1000, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return _moment_ms(moment)


def at_second_of_minute(received_ms: int, second: int, *, ahead_ms_max: int) -> int:
    """The instant with that second of the minute that lies nearest to the receiver's time, in whole seconds.

    Of the minutes around, the one for which |t − received| is least (domain.md 3.4, golden ID7). A second of 60 or more
    says there is none. A choice more than `ahead_ms_max` after reception cannot be: either the message came more than
    30 s late, so that the minute is ambiguous, or a clock is wrong; both keep the receiver's time.
    """
    if not 0 <= second < 60:
        return received_ms
    minute_ms = received_ms - received_ms % 60_000
    candidates = (minute_ms + second * 1000 + shift for shift in (-60_000, 0, 60_000))
    best = min(candidates, key=lambda t: abs(t - received_ms))
    return received_ms if best - received_ms > ahead_ms_max or best < 0 else best


def _format_ms(value: Any, form: str) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.strptime(value.strip(), form).replace(tzinfo=UTC)
    except ValueError:
        return None
    return _moment_ms(moment)


def _moment_ms(moment: datetime, extra_ms: int = 0) -> int | None:
    try:
        elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        return None
    return plausible_ms(elapsed // timedelta(milliseconds=1) + extra_ms)
