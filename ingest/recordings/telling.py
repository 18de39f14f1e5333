"""Which kind a recording is, told by its content: the first `HEAD_BYTES`, and the whole of a JSON document.

The order of the questions matters only where a content could be two things; each answer is a reader of its own module.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import msgspec

from ingest.recordings.ais_lines import is_sentence
from ingest.recordings.aivdm import read_aivdm
from ingest.recordings.flight_documents import (
    document_rows,
    read_flight_document,
    read_flight_document_lines,
)
from ingest.recordings.mode_s import read_beast, read_json_frames, read_text_frames
from ingest.recordings.mode_s_frames import is_beast, is_frame_line, is_frame_object
from ingest.recordings.model import JSON_FAULTS, Items, Malformed, Progress, Tally
from ingest.recordings.ndjson import is_record, read_ndjson
from ingest.recordings.opening import HEAD_BYTES, Source
from ingest.recordings.tables import (
    elements_of,
    header_of,
    kind_of,
    layout_of,
    read_csv,
    read_json_lines,
    read_json_table,
)

LINES_LOOKED_AT_MAX = 400  # chosen: the longest preamble of comments and foreign sentences seen is a tenth of it
JSON_LINES_LOOKED_AT_MAX = 20  # a first line may be broken or of another type
_BOM_BYTES = 3
Read: TypeAlias = Callable[[Source, Tally, "Progress | None"], Items]


class Told(NamedTuple):
    """A kind and the reader for it."""

    kind: str
    read: Read


def tell(source: Source) -> Told | None:
    """The kind of a source, None when no reader knows it. Never raises for any content."""
    head = source.head()
    if is_beast(head):
        return Told("raw_mode_s", read_beast)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] in (b"{", b"["):
        found = _tell_json(source, start)
        if found is not None:
            return found
    return _tell_text(head)


def _tell_text(head: bytes) -> Told | None:
    lines = _whole_lines(head)[:LINES_LOOKED_AT_MAX]
    if any(is_sentence(line) for line in lines):
        return Told("aivdm", read_aivdm)
    found = header_of(lines[0]) if lines else None
    layout = layout_of(found[0]) if found is not None else None
    if layout is not None:
        return Told(kind_of(layout, "csv"), read_csv)
    if any(is_frame_line(line.decode("latin-1")) for line in lines[:20]):
        return Told("raw_mode_s", read_text_frames)
    return None


def _tell_json(source: Source, start: bytes) -> Told | None:
    """JSON lines by the first object that fits, an array by its first element, a document by its whole."""
    for line in _whole_lines(start)[:JSON_LINES_LOOKED_AT_MAX] if start[:1] == b"{" else ():
        element = _decoded(line)
        told = _tell_line(element) if isinstance(element, dict) else None
        if told is not None:
            return told
    element = _first_element(start) if start[:1] == b"[" else None
    if element is None:
        raw = source.document()
        document = None if isinstance(raw, Malformed) else _decoded(raw)
        if document_rows(document) is not None:
            return Told("state_vectors_json", read_flight_document)
        element = next(elements_of(document), None)
    layout = layout_of(element) if isinstance(element, dict) else None
    return None if layout is None else Told(kind_of(layout, "json"), read_json_table)


def _tell_line(element: dict[str, Any]) -> Told | None:
    """The kind of a recording with this object on a line of its own."""
    if is_record(element):
        return Told("ndjson", read_ndjson)
    if is_frame_object(element):
        return Told("raw_mode_s", read_json_frames)
    if document_rows(element) is not None:
        return Told("state_vectors_json", read_flight_document_lines)
    columns = next(elements_of(element), None)
    if columns is not element:  # pandas' columns on one line
        layout = layout_of(columns) if isinstance(columns, dict) else None
        return None if layout is None else Told(kind_of(layout, "json"), read_json_table)
    layout = layout_of(element)
    return None if layout is None else Told(kind_of(layout, "json"), read_json_lines)


def _whole_lines(head: bytes) -> list[bytes]:
    """The lines of the head that are not blank and whose end is in sight."""
    lines = head.split(b"\n")
    if len(head) >= HEAD_BYTES - _BOM_BYTES:
        lines = lines[:-1]
    return [line.rstrip(b"\r") for line in lines if line.strip()]


def _first_element(start: bytes) -> Any:
    """The first element of an array whose end is not in sight; None when it is longer than the head."""
    text = start[1:].lstrip().decode("utf-8", "replace")
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except JSON_FAULTS:
        return None
