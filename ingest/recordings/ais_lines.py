r"""The dress of AIS sentences: what stands around `!AIVDM,…*hh` in a line and says when and where it was heard.

Known dresses, in order of trust: a `$PGHP` line before the sentence (Gatehouse), an NMEA 4.0 tag block (`\s:…,c:…*hh\`,
`c` in seconds or milliseconds), a unix time after the checksum, a time before the sentence, and last the `$--ZDA` clock of
the same stream. `$PGHP` wins over a unix time behind the sentence because satellite providers put the moment of delivery
there, up to hours after reception; their recordings are sorted by that moment, so that a stamp may also stand a few lines
behind its sentence. Knows nothing of what a sentence carries.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from ingest.recordings.instants import any_ms, civil_ms, unix_ms

STAMP_LINES_MAX = 16  # between a `$PGHP` and its sentence; chosen: 1 in live files, in sorted ones 9 of 10 are nearer
ZDA_LINES_MAX = 5000  # a `$--ZDA` clock is believed this many lines; chosen: it comes each second, lines at < 1000/s
_SENTENCE = re.compile(rb"!..VD[MO],(\d*),(\d*),(\d*),([^,]*),[^,]*,\d*\*([0-9A-Fa-f]{2})")
_LOOKS_LIKE_SENTENCE = re.compile(rb"!..VD[MO],")
_TAG_BLOCK = re.compile(rb"\\([^\\]*)\\")
_PGHP = re.compile(rb"\$PGHP,\d+((?:,\d{1,4}){7}),([^*]*)\*")
_ZDA = re.compile(rb"\$..ZDA,(\d\d)(\d\d)(\d\d)(?:\.(\d{1,3})\d*)?,(\d\d),(\d\d),(\d{4})")
_EPOCH = re.compile(rb"^\d{9,13}(?:\.\d+)?$")


class Heard(NamedTuple):
    """A sentence out of its dress.

    `time_ms` is the receiver's unix time in milliseconds, None when nothing tells it; `station` the receiving station's
    name; `group` what binds the parts of one message (tag-block group, or talker, sequence, channel), None for a single.
    """

    sentence: bytes
    part: int
    parts: int
    time_ms: int | None
    station: str | None
    group: tuple[object, ...] | None


class _Stamp(NamedTuple):
    """A `$PGHP` line: it names its sentence by checksum (the XOR of them for a message in parts).

    `delivered` when a unix time follows it, as satellite providers write.
    """

    time_ms: int | None
    station: str | None
    line_number: int
    checksum: bytes
    delivered: bool


class _Clock(NamedTuple):
    time_ms: int
    line_number: int


class Dress:
    """Reads lines in order; keeps the `$PGHP` stamps around, a pending tag block and the stream's clock.

    Each line is shown twice: to `see` when it comes into sight, to `read` when it is its turn, up to `STAMP_LINES_MAX`
    lines later.
    """

    def __init__(self) -> None:
        self._stamps: deque[_Stamp] = deque()
        self._tags: dict[bytes, bytes] = {}
        self._clock: _Clock | None = None

    def see(self, line: bytes, line_number: int) -> None:
        """Note a stamp; any other line is left for `read`."""
        found = _PGHP.search(line)
        if found is None:
            return
        time_ms = civil_ms([int(part) for part in found[1].split(b",")[1:]])
        tail = found[2].split(b",")
        station = b" ".join(part for part in tail[:-1] if part).decode("latin-1") or None
        delivered = _epoch_in(line[found.end() :]) is not None
        while self._stamps and line_number - self._stamps[0].line_number > 2 * STAMP_LINES_MAX:
            self._stamps.popleft()
        self._stamps.append(_Stamp(time_ms, station, line_number, tail[-1].strip().upper(), delivered))

    def read(self, line: bytes, line_number: int) -> Heard | str | None:
        """One line: a sentence, None for a line that carries none on purpose, or the reason why it is malformed."""
        found = _SENTENCE.search(line)
        if found is None:
            return self._read_other(line, line_number)
        head = line[: found.start()]
        tags = self._tags | _tag_fields(head)
        self._tags = {}
        part, parts = _count(found[2]), _count(found[1])
        behind_ms = _epoch_in(line[found.end() :])
        stamp = self._take_stamp(found[5].upper(), line_number, several=parts > 1, delivered=behind_ms is not None)
        station = stamp.station if stamp else None
        if station is None and (named := tags.get(b"s") or tags.get(b"S")):
            station = named.decode("latin-1")
        time_ms = stamp.time_ms if stamp else None
        if time_ms is None:
            time_ms = self._other_time(tags, behind_ms, head, line_number)
        group = _group(tags, found) if parts > 1 else None
        return Heard(found[0], part, parts, time_ms, station, group)

    def _read_other(self, line: bytes, line_number: int) -> str | None:
        if zda := _ZDA.search(line):
            self._keep_clock(zda, line_number)
            return None
        self._tags = self._tags | _tag_fields(line)
        rest = _TAG_BLOCK.sub(b"", line).strip()
        if _LOOKS_LIKE_SENTENCE.search(rest):
            return "bad_sentence"
        return None if not rest or rest[:1] in b"#$!" else "bad_sentence"

    def _take_stamp(self, checksum: bytes, line_number: int, *, several: bool, delivered: bool) -> _Stamp | None:
        """The stamp of a sentence, used up: the last one before it that names it, for a message in parts the one just before.

        Where sentence and stamp carry their moment of delivery, also the first one behind it that names it.
        """
        while self._stamps and line_number - self._stamps[0].line_number > STAMP_LINES_MAX:
            self._stamps.popleft()
        chosen: _Stamp | None = None
        for stamp in self._stamps:
            ahead = stamp.line_number > line_number
            if ahead and (chosen is not None or not delivered):
                break
            named = stamp.checksum == checksum or (several and stamp.line_number == line_number - 1)
            if named and (not ahead or stamp.delivered):
                chosen = stamp
        if chosen is not None:
            self._stamps.remove(chosen)
        return chosen

    def _keep_clock(self, found: re.Match[bytes], line_number: int) -> None:
        hour, minute, second, fraction, day, month, year = found.groups()
        parts = [int(year), int(month), int(day), int(hour), int(minute), int(second)]
        time_ms = civil_ms([*parts, int((fraction or b"0").ljust(3, b"0"))])
        if time_ms is not None:
            self._clock = _Clock(time_ms, line_number)

    def _other_time(self, tags: dict[bytes, bytes], behind_ms: int | None, head: bytes, line_number: int) -> int | None:
        if (tagged := unix_ms(tags.get(b"c"))) is not None:
            return tagged
        if behind_ms is not None:
            return behind_ms
        before = _TAG_BLOCK.sub(b"", head).decode("latin-1").strip(" ,;\t[]")
        if before and (read := any_ms(before)) is not None:
            return read
        clock = self._clock
        if clock is not None and line_number - clock.line_number <= ZDA_LINES_MAX:
            return clock.time_ms
        return None


def is_sentence(line: bytes) -> bool:
    """Whether a line carries something that looks like an AIS sentence."""
    return _LOOKS_LIKE_SENTENCE.search(line) is not None


def _epoch_in(tail: bytes) -> int | None:
    """The first unix time among the fields behind a checksum."""
    if not tail:
        return None
    found = (unix_ms(part) for part in tail.split(b",") if _EPOCH.match(part))
    return next((time_ms for time_ms in found if time_ms is not None), None)


def _count(digits: bytes) -> int:
    return int(digits) if digits and len(digits) < 3 else 0


def _tag_fields(text: bytes) -> dict[bytes, bytes]:
    """`name:value` pairs of all tag blocks in a text.

    Their own checksum is not asked: the sentence has one, and anonymised recordings carry stale ones.
    """
    fields: dict[bytes, bytes] = {}
    for block in _TAG_BLOCK.findall(text):
        for pair in block.rsplit(b"*", 1)[0].split(b","):
            name, colon, value = pair.partition(b":")
            if colon:
                fields[name.strip()] = value.strip()
    return fields


def _group(tags: dict[bytes, bytes], found: re.Match[bytes]) -> tuple[object, ...]:
    """What the parts of one message share: the tag-block group `part-parts-id` where there is one."""
    grouped = (tags.get(b"g") or b"").split(b"-")
    if len(grouped) == 3 and grouped[1] == found[1]:
        return (b"g", grouped[2], found[3])
    return (found[0][:6], found[3], found[4], found[1])
