"""How each asset class's readings lie in their table: columns, their types, and the way from a reading to a row and back.

Derived from `fleet`'s FIELDS, so that a class is described once; a test holds the migrations to it. The only place where SQL
text is put together from names, all of them from `fleet`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, LiteralString, NamedTuple

from fleet.asset_class import ASSET_CLASSES, AnyReading
from fleet.reading import Reading
from store import staging
from store.rows import ReadingRow

TYPES: dict[str, str] = {"number": "float8", "integer": "int4", "boolean": "bool", "text": "text"}
KEY_COLUMNS = {"stream_id": "int8", "time": staging.INSTANT, "source": "text", "seq": "int8"}


class ClassColumns(NamedTuple):
    """One class: its table, its columns with their types in table order, its optional fields, position and these of a reading."""

    table: LiteralString
    columns: Mapping[str, str]
    fields: tuple[str, ...]
    values_of: Callable[[Reading], tuple[Any, ...]]


def row_of(columns: ClassColumns, row: ReadingRow, commit_no: int) -> Sequence[Any]:
    """The values of a reading in the order of `columns.columns`, as COPY wants them."""
    reading = row.reading
    return (
        row.stream_id,
        staging.instant(reading.time_us),
        reading.source,
        reading.seq,
        reading.seq_given,
        staging.instant(row.received_us),
        *columns.values_of(reading),
        staging.json(reading.channels) if reading.channels else None,
        commit_no,
    )


def reading_of(asset_class: str, row: Mapping[str, Any]) -> AnyReading:
    """The reading that a row of its table (joined with its stream's scheme and value) holds, equal to the one stored."""
    reading_type = ASSET_CLASSES[asset_class].reading_type
    return reading_type(
        scheme=row["scheme"],
        value=row["value"],
        time_us=row["time"],
        seq=row["seq"],
        seq_given=row["seq_given"],
        source=row["source"],
        lat_deg=row["lat_deg"],
        lon_deg=row["lon_deg"],
        channels=row["channels"] or {},
        **{field: row[field] for field in COLUMNS[asset_class].fields},
    )


def _columns(asset_class: str) -> ClassColumns:
    fields = ASSET_CLASSES[asset_class].fields
    names = tuple(field.name for field in fields)
    return ClassColumns(
        table=f"reading_{asset_class}",
        columns={
            **KEY_COLUMNS,
            "seq_given": "bool",
            "received_at": staging.INSTANT,
            "lat_deg": "float8",
            "lon_deg": "float8",
            **{field.name: TYPES[field.kind] for field in fields},
            "channels": "jsonb",
            "commit_no": "int8",
        },
        fields=names,
        values_of=operator.attrgetter("lat_deg", "lon_deg", *names),
    )


COLUMNS: dict[str, ClassColumns] = {name: _columns(name) for name in ASSET_CLASSES}
