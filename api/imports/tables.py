"""Bytes of a file to tables of text: CSV and XLSX, told by content. Pure and total: what cannot be read is a `RowFault`.

Everything is bounded before it is unpacked: bytes, unpacked bytes of a workbook, rows, columns, characters of a cell.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

import msgspec
import openpyxl

ROWS_MAX = 1000  # chosen: 6 ms an asset, 35 ms a lease on a busy machine, and other registrations wait meanwhile
COLUMNS_MAX = 200
CELL_CHARS_MAX = 4000
UNPACKED_BYTES_MAX = 64 * 1024 * 1024  # chosen: a thousand times what so many rows of text need
ZIP_ENTRIES_MAX = 1000
SHEETS_MAX = 8
ABOUT = "about"  # a sheet of a workbook that speaks of the others and is not read
XLSX_STARTS = b"PK\x03\x04"


class RowFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with a file: in which sheet, row (as spreadsheets number them), column, and what."""

    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    detail: str


class TableRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row: its number in the file, and the text of its cells by column; empty cells are absent."""

    number: int
    cells: dict[str, str]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table of a file: its sheet (None in CSV), its columns in order, its rows without the empty ones."""

    sheet: str | None
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


def tables_of(payload: bytes) -> list[Table] | list[RowFault]:
    """The tables of a file: each sheet of a workbook that holds something, or the one of a CSV; else what is wrong with it."""
    if payload.startswith(XLSX_STARTS):
        return _workbook_tables(payload)
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [RowFault(detail="is neither XLSX nor CSV in UTF-8")]
    if "\x00" in text:
        return [RowFault(detail="is neither XLSX nor CSV in UTF-8")]
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)  # spreadsheets of half of Europe write semicolons
    try:
        found = _table(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return [RowFault(detail=f"is no CSV: {error}")]
    return found if isinstance(found, list) else [found]


def _workbook_tables(payload: bytes) -> list[Table] | list[RowFault]:
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
        if len(entries) > ZIP_ENTRIES_MAX or unpacked > UNPACKED_BYTES_MAX:
            return [RowFault(detail=f"unpacks to more than {UNPACKED_BYTES_MAX} bytes")]
        book = openpyxl.load_workbook(io.BytesIO(payload), read_only=True, data_only=True)
    except Exception:  # noqa: BLE001 - a damaged workbook raises whatever its parts raise
        return [RowFault(detail="is no XLSX workbook that can be read")]
    try:
        if len(book.worksheets) > SHEETS_MAX:
            return [RowFault(detail=f"holds more than {SHEETS_MAX} sheets")]
        pages = [
            (page.title, list(page.iter_rows(max_row=ROWS_MAX + 2, max_col=COLUMNS_MAX + 1, values_only=True)))
            for page in book.worksheets
            if page.title.strip().lower() != ABOUT
        ]
    except Exception:  # noqa: BLE001 - as above: rows are parsed as they are asked for
        return [RowFault(detail="is no XLSX workbook that can be read")]
    finally:
        book.close()
    found: list[Table] = []
    faults: list[RowFault] = []
    for title, lines in pages:
        table = _table(title, lines)
        if isinstance(table, Table):
            found.append(table)
        elif table != [_empty(title)]:
            faults += table
    return faults or found or [RowFault(detail="holds no table")]


def _empty(sheet: str | None) -> RowFault:
    return RowFault(sheet=sheet, detail="holds no header row")


def _table(sheet: str | None, lines: Iterable[Iterable[Any]]) -> Table | list[RowFault]:
    """A table out of lines of cells; the first line that holds something is the header."""
    columns: list[str] | None = None
    rows: list[TableRow] = []
    faults: list[RowFault] = []
    for number, line in enumerate(lines, 1):
        cells = [_text(value) for value in line]
        if not any(cells):
            continue
        if columns is None:
            columns = [cell.lower() for cell in cells]
            while columns and not columns[-1]:
                columns.pop()
            faults += _header_faults(sheet, number, columns)
            continue
        if len(rows) >= ROWS_MAX:
            faults.append(RowFault(sheet=sheet, row=number, detail=f"more than {ROWS_MAX} rows in one table"))
            break
        faults += [
            RowFault(sheet=sheet, row=number, column=columns[n] if n < len(columns) else None,
                     detail=f"has more than {CELL_CHARS_MAX} characters")
            for n, cell in enumerate(cells)
            if len(cell) > CELL_CHARS_MAX
        ]  # fmt: skip
        if any(cells[len(columns) :]):
            faults.append(RowFault(sheet=sheet, row=number, detail="has more cells than the header has columns"))
        named = {name: cell for name, cell in zip(columns, cells, strict=False) if cell}
        rows.append(TableRow(number=number, cells=named))
    if columns is None:
        return [_empty(sheet)]
    return faults or Table(sheet=sheet, columns=tuple(columns), rows=tuple(rows))


def _header_faults(sheet: str | None, number: int, columns: list[str]) -> list[RowFault]:
    if len(columns) > COLUMNS_MAX:
        return [RowFault(sheet=sheet, row=number, detail=f"more than {COLUMNS_MAX} columns")]
    faults = [RowFault(sheet=sheet, row=number, detail="a column without a name")] if "" in columns else []
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    return faults + [RowFault(sheet=sheet, row=number, column=name, detail="named twice") for name in twice]


def _text(value: Any) -> str:
    """A cell's text as it would stand in CSV: dates as ISO 8601, whole numbers without a fraction."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # a workbook keeps 9074729 as 9074729.0
        return str(int(value))
    if isinstance(value, datetime):
        midnight = value.time() == time() and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).strip()
