"""Our own recordings: one reading a line, as `simulate --record` writes them and `ingest.wire` speaks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.recordings.instants import iso_ms, milliseconds
from ingest.recordings.model import Item, Items, Malformed, Progress, Tally, malformed
from ingest.recordings.opening import Source

_STREAMS = ("telemetry", "static")


def is_record(element: Mapping[str, Any]) -> bool:
    """Whether an object names an asset as a record does."""
    return {"class", "scheme", "value"} <= element.keys()


def read_ndjson(source: Source, tally: Tally, progress: Progress | None) -> Items:
    """Items of an NDJSON recording, streaming.

    Only what replay itself needs is looked at (who, when, which stream); all other fields go through as they are, for
    `ingest.decode` to judge.
    """
    del tally
    for line in source.json_lines(progress):
        yield line if isinstance(line, Malformed) else _item(line.value, line.number, line.raw)


def _item(element: Any, line_number: int, raw: bytes) -> Item:
    if not isinstance(element, dict):
        return malformed("bad_json", line_number, raw)
    if not all(isinstance(element.get(name), str) and element[name] for name in ("class", "scheme", "value")):
        return malformed("no_identifier", line_number, raw)
    if element.setdefault("stream", "telemetry") not in _STREAMS:
        return malformed("bad_row", line_number, raw)
    written = element.get("time")
    time_ms = milliseconds(written) if isinstance(written, int) else iso_ms(written, offset_required=True)
    if time_ms is None:
        return malformed("no_time" if written is None else "bad_time", line_number, raw)
    element["time"] = time_ms
    return element
