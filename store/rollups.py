"""What a batch of readings adds to hours, days and last words: pure folds and the statement that adds them.

Everything here is a sum of whole numbers, a least or a greatest: any order and any cut of the same readings ends with the
same rows, to the bit. Speeds are summed as whole millionths of a knot for that reason. Hours that begin, or that a late reading
reaches, are marked for `spreads` to close.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from fleet.asset_class import ASSET_CLASSES, AnyReading
from fleet.instants import HOUR_US
from store import arrays
from store.pool import Connection
from store.queries import load
from store.rows import ReadingRow
from store.staging import INSTANT

SQL = load("readings")
UKN_PER_KN = 1_000_000
MARKED_AFTER_S = 3600.0  # so long after its start (wall time) every reading of an hour marks it; `spreads` closes later than that

ROLLUP_COLUMNS = {
    "stream_id": "int8",
    "hour": INSTANT,
    "count": "int4",
    "position_count": "int4",
    "first_time": INSTANT,
    "last_time": INSTANT,
    "speed_count": "int4",
    "speed_min_kn": "float8",
    "speed_max_kn": "float8",
    "speed_sum_ukn": "int8",
}
LATEST_COLUMNS = {
    "latest_stream_id": "int8",
    "time": INSTANT,
    "source": "text",
    "seq": "int8",
    "received_at": INSTANT,
    "position_time": INSTANT,
    "lat_deg": "float8",
    "lon_deg": "float8",
    "alt_baro_ft": "float8",
    "speed_time": INSTANT,
    "speed_kn": "float8",
    "course_deg": "float8",
    "status_time": INSTANT,
    "nav_status": "int4",
    "on_ground": "bool",
    "draught_time": INSTANT,
    "draught_m": "float8",
    "channels_time": INSTANT,
    "channels_source": "text",
    "channels_seq": "int8",
    "channels": "jsonb",
}
Word = tuple[Any, ...]
"""What was said of something and when: the time first, the rest as it lies in its columns. A time of None: nothing was said."""

UNSAID: dict[int, Word] = {length: (None,) * length for length in (2, 3, 4)}
LOW = float("-inf")  # stands for an absent value in a comparison: below every other, as NULLS LAST has it


_FIELDS = {known.reading_type: frozenset(field.name for field in known.fields) for known in ASSET_CLASSES.values()}
"""What readings of a type may say; to ask one for what it has no room for takes longer than all the rest."""


class Rollup:
    """Increments of one stream in one hour, the first reading taken in."""

    __slots__ = ("count", "first_us", "last_us", "position_count", "speed_count", "speed_max_kn", "speed_min_kn", "speed_sum_ukn")

    def __init__(self, reading: AnyReading, time_us: int, speed_kn: float | None) -> None:
        self.count = 1
        self.position_count = 0 if reading.lat_deg is None else 1
        self.first_us = self.last_us = time_us
        self.speed_min_kn = self.speed_max_kn = speed_kn
        self.speed_count, self.speed_sum_ukn = (0, 0) if speed_kn is None else (1, round(speed_kn * UKN_PER_KN))

    def add(self, reading: AnyReading, time_us: int, speed_kn: float | None) -> None:
        """Count one more reading in."""
        self.count += 1
        if reading.lat_deg is not None:
            self.position_count += 1
        self.first_us = min(self.first_us, time_us)
        self.last_us = max(self.last_us, time_us)
        if speed_kn is not None:
            self.speed_count += 1
            self.speed_sum_ukn += round(speed_kn * UKN_PER_KN)
            if self.speed_min_kn is None or speed_kn < self.speed_min_kn:
                self.speed_min_kn = speed_kn
            if self.speed_max_kn is None or speed_kn > self.speed_max_kn:
                self.speed_max_kn = speed_kn


class Latest:
    """The greatest word of each group of one stream, the first reading taken in."""

    __slots__ = ("channels", "draught", "key", "position", "received_us", "speed", "status")

    def __init__(self, row: ReadingRow, reading: AnyReading, time_us: int, speed_kn: float | None) -> None:
        self.received_us = row.received_us
        self.key: Word = (time_us, reading.source, reading.seq)
        self.position = UNSAID[4] if reading.lat_deg is None else _position(reading, time_us)
        self.speed = UNSAID[3] if speed_kn is None else (time_us, speed_kn, reading.course_deg)
        self.status = _status(reading, time_us)
        self.draught = _draught(reading, time_us)
        self.channels = (*self.key, reading.channels) if reading.channels else UNSAID[4]

    def add(self, row: ReadingRow, reading: AnyReading, time_us: int, speed_kn: float | None) -> None:
        """Take one more reading in.

        A word is built only where its time is not behind what is held: given the newest reading first, the others cost little.
        """
        self.received_us = max(self.received_us, row.received_us)
        key = (time_us, reading.source, reading.seq)
        self.key = max(self.key, key)
        if reading.lat_deg is not None and _may_replace(time_us, self.position):
            self.position = _greater(_position(reading, time_us), self.position)
        if speed_kn is not None and _may_replace(time_us, self.speed):
            self.speed = _greater((time_us, speed_kn, reading.course_deg), self.speed)
        if _may_replace(time_us, self.status):
            self.status = _greater(_status(reading, time_us), self.status)
        if _may_replace(time_us, self.draught):
            self.draught = _greater(_draught(reading, time_us), self.draught)
        if reading.channels and (self.channels[0] is None or self.channels[:3] < key):
            self.channels = (*key, reading.channels)


def _position(reading: AnyReading, time_us: int) -> Word:
    return (time_us, reading.lat_deg, reading.lon_deg, _said(reading, "alt_baro_ft"))


def _status(reading: AnyReading, time_us: int) -> Word:
    nav_status, on_ground = _said(reading, "nav_status"), _said(reading, "on_ground")
    return UNSAID[3] if nav_status is None and on_ground is None else (time_us, nav_status, on_ground)


def _draught(reading: AnyReading, time_us: int) -> Word:
    draught_m = _said(reading, "draught_m")
    return UNSAID[2] if draught_m is None else (time_us, draught_m)


def _said(reading: AnyReading, field: str) -> Any:
    return getattr(reading, field) if field in _FIELDS[type(reading)] else None


def _may_replace(time_us: int, held: Word) -> bool:
    return held[0] is None or time_us >= held[0]


def _greater(word: Word, held: Word) -> Word:
    """The later of two words, at one instant that of greater values, absent ones below every other, as in the statement."""
    if word[0] is None or held[0] is None or word[0] > held[0]:
        return held if word[0] is None else word
    return max(word, held, key=lambda one: tuple([LOW if value is None else value for value in one]))


async def add(conn: Connection, rows: Sequence[ReadingRow]) -> None:
    """Add readings that were really inserted to hours, days and last words, in this transaction."""
    rollups: dict[tuple[int, int], Rollup] = {}
    latest: dict[int, Latest] = {}
    for row in reversed(rows):  # they come in about the order of time, so the newest is met first
        reading = cast("AnyReading", row.reading)
        time_us, speed_kn = reading.time_us, reading.speed_kn
        key = (row.stream_id, time_us // HOUR_US * HOUR_US)
        rollup = rollups.get(key)
        if rollup is None:
            rollups[key] = Rollup(reading, time_us, speed_kn)
        else:
            rollup.add(reading, time_us, speed_kn)
        word = latest.get(row.stream_id)
        if word is None:
            latest[row.stream_id] = Latest(row, reading, time_us, speed_kn)
        else:
            word.add(row, reading, time_us, speed_kn)
    if not rollups:
        return
    binds: dict[str, Any] = {"marked_after_s": MARKED_AFTER_S}
    binds |= arrays.columns(ROLLUP_COLUMNS, [_rollup_row(*item) for item in rollups.items()])
    binds |= arrays.columns(LATEST_COLUMNS, [_latest_row(*item) for item in latest.items()])
    await conn.execute(SQL["add"], binds)


def _rollup_row(key: tuple[int, int], rollup: Rollup) -> Word:
    return (
        *key,
        rollup.count,
        rollup.position_count,
        rollup.first_us,
        rollup.last_us,
        rollup.speed_count,
        rollup.speed_min_kn,
        rollup.speed_max_kn,
        rollup.speed_sum_ukn,
    )


def _latest_row(stream_id: int, latest: Latest) -> Word:
    words = (*latest.position, *latest.speed, *latest.status, *latest.draught, *latest.channels)
    return (stream_id, *latest.key, latest.received_us, *words)
