"""What a batch of readings adds to hours, days and last words: pure folds and the statements that add them.

Everything here is a sum of whole numbers, a least or a greatest: any order and any cut of the same readings ends with the
same rows, to the bit. Speeds are summed as whole millionths of a knot for that reason. Hours that begin, or that a late reading
reaches, are marked for `spreads` to close.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from fleet.asset_class import AnyReading
from fleet.instants import HOUR_US
from store import staging
from store.pool import Connection
from store.queries import load
from store.rows import ReadingRow

SQL = load("readings")
UKN_PER_KN = 1_000_000
MARKED_AFTER_S = 3600.0  # so long after its start (wall time) every reading of an hour marks it; `spreads` closes later than that

ROLLUP_COLUMNS = {
    "stream_id": "int8",
    "hour": staging.INSTANT,
    "count": "int8",
    "position_count": "int8",
    "first_time": staging.INSTANT,
    "last_time": staging.INSTANT,
    "speed_count": "int8",
    "speed_min_kn": "float8",
    "speed_max_kn": "float8",
    "speed_sum_ukn": "int8",
}
LATEST_COLUMNS = {
    "stream_id": "int8",
    "time": staging.INSTANT,
    "source": "text",
    "seq": "int8",
    "received_at": staging.INSTANT,
    "position_time": staging.INSTANT,
    "lat_deg": "float8",
    "lon_deg": "float8",
    "alt_baro_ft": "float8",
    "speed_time": staging.INSTANT,
    "speed_kn": "float8",
    "course_deg": "float8",
    "status_time": staging.INSTANT,
    "nav_status": "int4",
    "on_ground": "bool",
    "draught_time": staging.INSTANT,
    "draught_m": "float8",
    "channels_time": staging.INSTANT,
    "channels_source": "text",
    "channels_seq": "int8",
    "channels": "jsonb",
}
Word = tuple[Any, ...]
NOTHING: dict[int, Word] = {length: (None,) * length for length in (2, 3, 4)}
EARLIEST: Word = (-(1 << 62),)  # below every word of a reading
LOW = float("-inf")  # stands for an absent value in a comparison: below every other, as NULLS LAST has it


class Rollup:
    """Increments of one stream in one hour."""

    __slots__ = ("count", "first_us", "last_us", "position_count", "speed_count", "speed_max_kn", "speed_min_kn", "speed_sum_ukn")

    def __init__(self, time_us: int) -> None:
        self.count = self.position_count = self.speed_count = self.speed_sum_ukn = 0
        self.first_us = self.last_us = time_us
        self.speed_min_kn: float | None = None
        self.speed_max_kn: float | None = None

    def add(self, reading: AnyReading, time_us: int, speed_kn: float | None) -> None:
        """Count one reading in."""
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
    """The greatest word of each group of one stream. The first element of a word is its time."""

    __slots__ = ("channels", "draught", "key", "position", "received_us", "speed", "status")

    def __init__(self) -> None:
        self.key: Word = EARLIEST
        self.received_us = 0
        self.position: Word = EARLIEST
        self.speed: Word = EARLIEST
        self.status: Word = EARLIEST
        self.draught: Word = EARLIEST
        self.channels: Word = EARLIEST

    def add(self, row: ReadingRow, reading: AnyReading, time_us: int, speed_kn: float | None) -> None:
        """Take one reading in; an absent value counts below every other, as in the statement that merges.

        A word is built only where its time is not behind what is held: given the newest reading first, the others cost little.
        """
        self.received_us = max(self.received_us, row.received_us)
        key = (time_us, reading.source, reading.seq)
        self.key = max(self.key, key)
        if reading.lat_deg is not None and time_us >= self.position[0]:
            word: Word = (time_us, reading.lat_deg, reading.lon_deg, _low(getattr(reading, "alt_baro_ft", None)))
            self.position = max(self.position, word)
        if speed_kn is not None and time_us >= self.speed[0]:
            self.speed = max(self.speed, (time_us, speed_kn, _low(reading.course_deg)))
        if time_us >= self.status[0]:
            nav_status, on_ground = getattr(reading, "nav_status", None), getattr(reading, "on_ground", None)
            if nav_status is not None or on_ground is not None:
                self.status = max(self.status, (time_us, _low(nav_status), _low(on_ground)))
        if time_us >= self.draught[0]:
            draught_m = getattr(reading, "draught_m", None)
            if draught_m is not None:
                self.draught = max(self.draught, (time_us, draught_m))
        if reading.channels and self.channels[:3] < key:
            self.channels = (*key, staging.json(reading.channels))


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
            rollup = rollups[key] = Rollup(time_us)
        rollup.add(reading, time_us, speed_kn)
        word = latest.get(row.stream_id)
        if word is None:
            word = latest[row.stream_id] = Latest()
        word.add(row, reading, time_us, speed_kn)
    if not rollups:
        return
    await staging.copy_rows(conn, "staged_rollup", ROLLUP_COLUMNS, (_rollup_row(*item) for item in rollups.items()))
    await conn.execute(SQL["add_hours"], {"marked_after_s": MARKED_AFTER_S})
    await conn.execute(SQL["add_days"])
    await conn.execute("TRUNCATE staged_rollup")
    await staging.copy_rows(conn, "staged_latest", LATEST_COLUMNS, (_latest_row(*item) for item in latest.items()))
    await conn.execute(SQL["raise_latest"])
    await conn.execute("TRUNCATE staged_latest")


def _rollup_row(key: tuple[int, int], rollup: Rollup) -> Word:
    stream_id, hour_us = key
    return (
        stream_id,
        staging.instant(hour_us),
        rollup.count,
        rollup.position_count,
        staging.instant(rollup.first_us),
        staging.instant(rollup.last_us),
        rollup.speed_count,
        rollup.speed_min_kn,
        rollup.speed_max_kn,
        rollup.speed_sum_ukn,
    )


def _latest_row(stream_id: int, latest: Latest) -> Word:
    time_us, source, seq = latest.key
    return (
        stream_id,
        staging.instant(time_us),
        source,
        seq,
        staging.instant(latest.received_us),
        *_word(latest.position, 4),
        *_word(latest.speed, 3),
        *_word(latest.status, 3),
        *_word(latest.draught, 2),
        *_word(latest.channels, 4),
    )


def _word(word: Word, length: int) -> Word:
    """A word as columns: its time as COPY wants it, absent values as NULL; all NULL when nothing was said."""
    if word is EARLIEST:
        return NOTHING[length]
    if LOW in word:
        return (staging.instant(word[0]), *[None if value == LOW else value for value in word[1:]])
    return (staging.instant(word[0]), *word[1:])


def _low(value: Any) -> Any:
    return LOW if value is None else value
