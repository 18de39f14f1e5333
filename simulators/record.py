"""Writes what a world sends as a recording: one NDJSON line each, as `replay` and `backtest` read them.

Neighbours: `world` gives elements; `labels` keeps the truth about them.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from ingest.wire import encode_json
from simulators.element import Element
from simulators.faults import Label
from simulators.world import World


def recording_line(element: Element) -> bytes:
    """One line without its end: the reading plus `class`, `scheme`, `value`, `stream`; a corrupted payload as it is."""
    if element.raw is not None:
        return element.raw.replace(b"\n", b" ").replace(b"\r", b" ")
    address = {
        "class": element.asset_class,
        "scheme": element.scheme,
        "value": element.value,
        "stream": element.kind,
    }
    return encode_json({**address, **element.body})


def write_recording(elements: Iterable[Element], path: Path) -> int:
    """Write elements to path (`.gz`: compressed, without a date inside) and return their count. Errors: OSError."""
    count = 0
    with path.open("wb") as plain:
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=plain, mtime=0) if path.suffix == ".gz" else None
        out = cast("BinaryIO", packed or plain)
        for element in elements:
            out.write(recording_line(element) + b"\n")
            count += 1
        if packed is not None:
            packed.close()
    return count


def record(world: World, start: datetime, end: datetime, path: Path, *, on_label: Callable[[Label], None] | None = None) -> int:
    """Record what a world sends in [start, end); returns the count of lines. Errors: OSError."""
    return write_recording(world.elements(start, end, on_label), path)
