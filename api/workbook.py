"""Tables as XLSX. Pure: sheets in, bytes out.

Cells are text, numbers, or JSON for what is itself an object; text is never a formula, whatever it begins with: names come
from the air. Instants stay RFC 3339 text with their `Z`, because a spreadsheet's own dates know no zone.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CELL_CHARS_MAX = 32_767  # ECMA-376: what one cell may hold
TITLE_CHARS_MAX = 31
WIDTHS = (10, 48)  # narrowest and widest column, in characters; chosen


class Sheet(NamedTuple):
    """One sheet: its title, its columns' names, its rows."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


def sheet_of(title: str, shape: type[msgspec.Struct], items: Iterable[Any]) -> Sheet:
    """A list of a shape as a sheet, one column a field."""
    fields = msgspec.structs.fields(shape)
    rows = ([getattr(item, field.name) for field in fields] for item in items)
    return Sheet(title, [field.encode_name for field in fields], rows)


def workbook(sheets: Iterable[Sheet]) -> bytes:
    """The sheets as one XLSX file, header rows bold and frozen."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        page = book.create_sheet(sheet.title[:TITLE_CHARS_MAX])
        page.freeze_panes = "A2"
        for number, name in enumerate(sheet.columns, 1):
            page.column_dimensions[get_column_letter(number)].width = min(max(len(name) + 2, WIDTHS[0]), WIDTHS[1])
        page.append([_cell(page, name, bold=True) for name in sheet.columns])
        for row in sheet.rows:
            page.append([_cell(page, value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(page: Any, value: Any, *, bold: bool = False) -> Any:
    if value is None or isinstance(value, (int, float)):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    cell = WriteOnlyCell(page, ILLEGAL_CHARACTERS_RE.sub("", text)[:CELL_CHARS_MAX])
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
