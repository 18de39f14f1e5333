"""Mode S frames out of their files: text lines with times, rs1090's JSON lines, AVR and Beast captures without.

Gives (time, frame, decoded-already) per frame; what frames say is `mode_s`. Beast and AVR carry a receiver's tick counter
(12 MHz, or nanoseconds of an undated day) and no date: their frames have no time, which is said of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from ingest.recordings.instants import any_ms
from ingest.recordings.model import Malformed, Progress, malformed
from ingest.recordings.opening import Source

_HEX = r"[0-9a-fA-F]{28}|[0-9a-fA-F]{14}"
_TIME = r"\d{4}-\d\d-\d\d[ T][0-9:.]+(?:Z|[+-]\d\d:?\d\d)?|\d{9,13}(?:\.\d+)?"
_TIMED = re.compile(rf'^\s*"?({_TIME})"?\s*[,;\t ]\s*"?[*@]?({_HEX});?"?\s*$')
_TIMED_LAST = re.compile(rf'^\s*"?[*@]?({_HEX});?"?\s*[,;\t ]\s*"?({_TIME})"?\s*$')
_AVR = re.compile(rf"^\s*(?:\*|@[0-9a-fA-F]{{12}})({_HEX});\s*$")
_HEADER = re.compile(r"^[A-Za-z_]+[,;\t ][A-Za-z_]+$")
_FRAME = re.compile(_HEX)
_BEAST_LENGTHS = {0x31: 2, 0x32: 7, 0x33: 14, 0x34: 14}  # Mode A/C, Mode S short and long, status
_BEAST_ESCAPE = 0x1A
_BEAST_HEAD_BYTES = 7  # six of the tick counter, one of the signal level


class Frame(NamedTuple):
    """A frame in lower-case hex with its unix time in milliseconds; `decoded` is rs1090's word on it where the file has it."""

    number: int
    time_ms: int
    hex: str
    decoded: dict[str, Any] | None


Frames: TypeAlias = Iterator["Frame | Malformed"]


def is_frame_line(line: str) -> bool:
    """Whether a text line is a frame with or without a time."""
    return bool(_TIMED.match(line) or _TIMED_LAST.match(line) or _AVR.match(line))


def is_frame_object(element: dict[str, Any]) -> bool:
    """Whether a JSON object is a frame as rs1090 and jet1090 write it."""
    frame = element.get("frame")
    return isinstance(frame, str) and "timestamp" in element and bool(_FRAME.fullmatch(frame))


def is_beast(head: bytes) -> bool:
    """Whether binary content starts with two Beast messages, one after the other."""
    first = next(_beast_messages(head), None)
    if first is None or not first[0]:
        return False
    return len(head) == first[1] or (head[first[1]] == _BEAST_ESCAPE and head[first[1] + 1 : first[1] + 2] in b"1234")


def text_frames(source: Source, progress: Progress | None) -> Frames:
    """Frames of text lines; a header of words is passed over."""
    for line in source.lines(progress):
        if isinstance(line, Malformed):
            yield line
            continue
        text = line.raw.decode("latin-1")
        if not text.strip() or text.startswith("#") or (line.number == 1 and _HEADER.match(text)):
            continue
        if timed := _TIMED.match(text):
            written, frame = timed[1], timed[2]
        elif timed := _TIMED_LAST.match(text):
            frame, written = timed[1], timed[2]
        else:
            yield malformed("no_time" if _AVR.match(text) else "bad_frame", line.number, line.raw)
            continue
        time_ms = any_ms(written)
        if time_ms is None:
            yield malformed("bad_time", line.number, line.raw)
        else:
            yield Frame(line.number, time_ms, frame.lower(), None)


def json_frames(source: Source, progress: Progress | None) -> Frames:
    """Frames of rs1090's JSON lines; a line that names its `df` is decoded already, by a receiver that knew its place."""
    for line in source.json_lines(progress, dict[str, Any]):
        if isinstance(line, Malformed):
            yield line
            continue
        element = line.value
        if not is_frame_object(element):
            yield malformed("bad_frame", line.number, line.raw)
            continue
        time_ms = any_ms(element["timestamp"])
        if time_ms is None:
            yield malformed("bad_time", line.number, line.raw)
            continue
        yield Frame(line.number, time_ms, element["frame"].lower(), element if "df" in element else None)


def beast_frames(source: Source, progress: Progress | None) -> Frames:
    """One `Malformed('no_time')` for each Mode S message of a Beast capture, `bad_frame` for a damaged one."""
    raw = source.document(progress)
    if isinstance(raw, Malformed):
        yield raw
        return
    for place, (whole, end, message) in enumerate(_beast_messages(raw), 1):
        yield malformed("no_time" if whole else "bad_frame", place, message or raw[end - 1 : end])


def _beast_messages(raw: bytes) -> Iterator[tuple[bool, int, bytes]]:
    """(whole?, where it ends, its bytes without escapes) of each Beast message; `<1a>` in a message is doubled."""
    at = raw.find(_BEAST_ESCAPE)
    while 0 <= at < len(raw) - 1:
        length = _BEAST_LENGTHS.get(raw[at + 1])
        if length is None:
            at = raw.find(_BEAST_ESCAPE, at + 2)
            continue
        message = bytearray()
        end = at + 2
        while end < len(raw) and len(message) < _BEAST_HEAD_BYTES + length:
            if raw[end] == _BEAST_ESCAPE:
                if raw[end + 1 : end + 2] != b"\x1a":
                    break
                end += 1
            message.append(raw[end])
            end += 1
        yield len(message) == _BEAST_HEAD_BYTES + length, end, bytes(message)
        at = raw.find(_BEAST_ESCAPE, end)
