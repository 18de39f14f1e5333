"""Tables: CSV with a header and JSON objects (array, lines, pandas columns), whichever exporter wrote them.

The columns' names choose the layout (`vessel_rows.VESSEL_LAYOUTS`, `flight_rows.FLIGHT_LAYOUTS`); this module knows how
rows lie in a file, not what they mean.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from ingest.recordings.flight_rows import FLIGHT_LAYOUTS, FlightLayout, FlightRows, own_name
from ingest.recordings.model import JSON_FAULTS, Item, Items, Malformed, Progress, Tally, malformed
from ingest.recordings.opening import Source
from ingest.recordings.vessel_rows import VESSEL_LAYOUTS, VesselLayout, VesselRows

Layout: TypeAlias = VesselLayout | FlightLayout
LAYOUTS: tuple[Layout, ...] = (*VESSEL_LAYOUTS, *FLIGHT_LAYOUTS)
M3_HEADER = ["id", "lon", "lat", "t"]
_M3_ROW = re.compile(rb"^\d{1,6} -?\d{1,3}\.\d+ -?\d{1,2}\.\d+ \d{9,10}\b")
_DELIMITERS = (",", ";", "\t")


def normalised(name: str) -> str:
    """A column's name without case, padding, the `#` of a comment header and a byte order mark."""
    return name.strip().lstrip("\ufeff# ").strip().lower()


def layout_of(names: Iterable[str]) -> Layout | None:
    """The first layout whose needed columns are all there."""
    present = {normalised(name) for name in names}
    return next((layout for layout in LAYOUTS if layout.needs <= present), None)


def kind_of(layout: Layout, form: str) -> str:
    """The recording's kind: `state_vectors_csv`, `csv_dma`, `json_gfw`, …; `form` is `csv` or `json`."""
    if isinstance(layout, FlightLayout):
        return f"state_vectors_{form}"
    return f"{form}_{layout.name}"


def header_of(line: bytes) -> tuple[list[str], str] | None:
    """Column names and delimiter when a first line is the header of a known layout (or an M3 row, which has none)."""
    if _M3_ROW.match(line):
        return list(M3_HEADER), " "
    text = line.decode("utf-8", "replace")
    for delimiter in (*_DELIMITERS, " "):
        names = _split(text, delimiter)
        if names is not None and layout_of(names) is not None:
            return [normalised(name) for name in names], delimiter
    return None


def read_csv(source: Source, tally: Tally, progress: Progress | None) -> Items:
    """Items of a CSV, streaming.

    A row with too few columns is `bad_row`: its last number may be cut. Quoted line breaks inside a row are not known.
    """
    converter: VesselRows | FlightRows | None = None
    names: list[str] = []
    delimiter = ","
    for line in source.lines(progress):
        if isinstance(line, Malformed):
            yield line
            continue
        if converter is None:
            if not line.raw.strip():
                continue
            names, delimiter = header_of(line.raw) or ([], delimiter)
            converter = _converter(names, source, tally)
            if converter is None:
                yield malformed("bad_row", line.number, line.raw)
                return
            if not _M3_ROW.match(line.raw):
                continue
        if not line.raw.strip():
            continue
        cells = _split(line.raw.decode("utf-8", "replace"), delimiter)
        if cells is None or len(cells) < len(names):
            yield malformed("bad_row", line.number, line.raw)
            continue
        values = dict(zip(names, cells, strict=False))
        yield from _items(converter.convert(values), line.number, line.raw)


def read_json_lines(source: Source, tally: Tally, progress: Progress | None) -> Items:
    """Items of JSON objects one a line, streaming. The first object that fits a layout chooses it for all."""
    converter: VesselRows | FlightRows | None = None
    for line in source.json_lines(progress):
        if isinstance(line, Malformed):
            yield line
            continue
        element = line.value
        if converter is None and isinstance(element, dict):
            converter = _converter(element, source, tally)
        yield from _row_items(converter, element, line.number)


def read_json_table(source: Source, tally: Tally, progress: Progress | None) -> Items:
    """Items of one JSON document: an array of objects, or pandas' `{column: {index: value}}`. Held in memory whole."""
    raw = source.document(progress)
    if isinstance(raw, Malformed):
        yield raw
        return
    try:
        document = msgspec.json.decode(raw)
    except JSON_FAULTS:
        yield malformed("bad_json", 1, raw)
        return
    del raw
    converter: VesselRows | FlightRows | None = None
    for place, element in enumerate(elements_of(document), 1):
        if converter is None and isinstance(element, dict):
            converter = _converter(element, source, tally)
        yield from _row_items(converter, element, place)


def elements_of(document: Any) -> Iterator[Any]:
    """The rows of a JSON document: an array's elements, or pandas columns turned into rows."""
    if isinstance(document, list):
        yield from document
    elif isinstance(document, dict) and document and all(isinstance(column, dict) for column in document.values()):
        longest = max(document.values(), key=len)
        for index in longest:
            yield {name: column.get(index) for name, column in document.items()}
    else:
        yield document


def _converter(names: Iterable[str], source: Source, tally: Tally) -> VesselRows | FlightRows | None:
    layout = layout_of(names)
    if layout is None:
        return None
    if isinstance(layout, VesselLayout):
        return VesselRows(layout, tally)
    return FlightRows(layout, own_name(source.path.name.split(".", 1)[0]))


def _row_items(converter: VesselRows | FlightRows | None, element: Any, place: int) -> Iterator[Item]:
    if converter is None or not isinstance(element, dict):
        yield malformed("bad_row", place, msgspec.json.encode(element))
        return
    yield from _items(converter.convert(_normalised_keys(element)), place, b"", element)


def _normalised_keys(element: Mapping[str, Any]) -> Mapping[str, Any]:
    if all(name.islower() for name in element):
        return element
    return {normalised(name): value for name, value in element.items()}


def _items(found: list[dict[str, Any]] | str, place: int, raw: bytes, element: Any = None) -> Iterator[Item]:
    if isinstance(found, str):
        yield malformed(found, place, raw or msgspec.json.encode(element))
    else:
        yield from found


def _split(text: str, delimiter: str) -> list[str] | None:
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter), None)
    except csv.Error:
        return None
