"""A row's text to values of its kind, or its faults. Pure and total.

A fault names its sheet, row and column; a row may have several. Warnings are of the same form and keep nothing out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from api.imports.columns import PARTICULARS, Kind
from api.imports.tables import RowFault, Table, TableRow
from fleet.asset_class import ASSET_CLASSES
from fleet.identifiers import SCHEME_FORMS, check_digit_warning, identifier_fault
from fleet.lease import parse_instant

COUNTRY = re.compile(r"[A-Z]{2}")
LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}")
PARTICULAR = re.compile(r"[a-z][a-z0-9_]{0,63}")
NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,9})?")
NAME_CHARS_MAX = 200
TYPE_CHARS_MAX = 60


class PartyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A party to have: by its name, with what the file says of it."""

    name: str
    country: str | None = None
    lei: str | None = None
    parent: str | None = None
    parent_from_us: int | None = None


class AssetRow(msgspec.Struct, frozen=True, kw_only=True):
    """An asset to have: by its identifiers, with what the file says of it."""

    asset_class: str
    name: str
    type: str | None = None
    identifiers: tuple[tuple[str, str], ...] = ()
    particulars: dict[str, Any] = {}


class Read(NamedTuple):
    """What a table's rows came to: (row number, value) of the good ones, faults, and warnings."""

    values: list[tuple[int, Any]]
    faults: list[RowFault]
    warnings: list[RowFault]


class Cells:
    """One row being read: gives cells by column, gathers faults and warnings."""

    def __init__(self, sheet: str | None, row: TableRow) -> None:
        self.sheet, self.row = sheet, row
        self.faults: list[RowFault] = []
        self.warnings: list[RowFault] = []

    def text(
        self, column: str, chars_max: int = NAME_CHARS_MAX, form: re.Pattern[str] | None = None, says: str = ""
    ) -> str | None:
        """A cell's text, None where it is empty or at fault; `says` what the form asks for."""
        found = self.row.cells.get(column)
        if found is None:
            return None
        if len(found) > chars_max:
            self.fault(column, f"has more than {chars_max} characters")
            return None
        if form is not None and form.fullmatch(found) is None:
            self.fault(column, says)
            return None
        return found

    def instant(self, column: str) -> int | None:
        """Microseconds of a day (00:00 UTC) or an RFC 3339 instant; None where it is empty or at fault."""
        found = self.row.cells.get(column)
        if found is None:
            return None
        time_us = parse_instant(found)
        if time_us is None:
            self.fault(column, "must be a day such as 2026-05-03, or an RFC 3339 instant with an offset")
        return time_us

    def fault(self, column: str | None, detail: str) -> None:
        """Say what is wrong with a cell or the row."""
        self.faults.append(RowFault(sheet=self.sheet, row=self.row.number, column=column, detail=detail))

    def warn(self, column: str, detail: str) -> None:
        """Say what is odd about a cell, and take it."""
        self.warnings.append(RowFault(sheet=self.sheet, row=self.row.number, column=column, detail=detail))


def read_rows(table: Table, kind: Kind) -> Read:
    """Every row of a table as values of its kind; the header is judged first, and where it is at fault no row is read."""
    wrong = [RowFault(sheet=table.sheet, row=1, column=name, detail=f"is no column of {kind.what}")
             for name in table.columns if not kind.knows(name)]  # fmt: skip
    wrong += [
        RowFault(sheet=table.sheet, row=1, column=name, detail="is missing")
        for name, column in kind.columns.items()
        if column.needed and name not in table.columns
    ]
    if wrong:
        return Read([], wrong, [])
    found = Read([], [], [])
    seen: dict[Any, int] = {}
    for row in table.rows:
        cells = Cells(table.sheet, row)
        for name in (name for name, column in kind.columns.items() if column.needed and name not in row.cells):
            cells.fault(name, "is empty")
        value, keys = READERS[kind.what](cells)
        for column, key in keys:
            if key in seen:
                cells.fault(column, f"is that of row {seen[key]} too")
            seen.setdefault(key, row.number)
        found.faults.extend(cells.faults)
        found.warnings.extend(cells.warnings)
        if not cells.faults:
            found.values.append((row.number, value))
    return found


Keys = Iterable[tuple[str, Any]]
"""(column, key) by which a row must be the only one of its table."""


def read_party(cells: Cells) -> tuple[PartyRow, Keys]:
    """A party's row."""
    name = cells.text("name")
    parent = cells.text("parent")
    if parent is not None and parent == name:
        cells.fault("parent", "is the party itself")
    if parent is None and "parent_from" in cells.row.cells:
        cells.fault("parent_from", "goes with a parent")
    party = PartyRow(
        name=name or "", country=cells.text("country", 2, COUNTRY, "must be two letters of ISO 3166-1, such as NL"),
        lei=cells.text("lei", 20, LEI, "must be 18 letters or digits and two check digits (ISO 17442)"), parent=parent,
        parent_from_us=cells.instant("parent_from"),
    )  # fmt: skip
    return party, [("name", name)] if name else []


def read_asset(cells: Cells) -> tuple[AssetRow, Keys]:
    """An asset's row."""
    asset_class = cells.text("class") or ""
    if asset_class and asset_class not in ASSET_CLASSES:
        cells.fault("class", f"must be one of {', '.join(ASSET_CLASSES)}")
    identifiers = []
    for scheme in SCHEME_FORMS:
        value = cells.row.cells.get(scheme)
        if value is None:
            continue
        value = value.lower() if scheme == "icao24" else value
        if identifier_fault(scheme, value) is not None:
            cells.fault(scheme, f"is no {scheme}")
            continue
        if check_digit_warning(scheme, value) is not None:
            cells.warn(scheme, f"cannot be a real {scheme}: {check_digit_warning(scheme, value)}")
        identifiers.append((scheme, value))
    if not identifiers and not cells.faults:
        cells.fault(None, f"has none of {', '.join(SCHEME_FORMS)}")
    row = AssetRow(
        asset_class=asset_class, name=cells.text("name") or "", type=cells.text("type", TYPE_CHARS_MAX),
        identifiers=tuple(identifiers), particulars=_particulars(cells),
    )  # fmt: skip
    return row, [(scheme, (asset_class, scheme, value)) for scheme, value in identifiers]


def _particulars(cells: Cells) -> dict[str, Any]:
    """Columns that begin with `particulars.`, numbers as numbers."""
    found: dict[str, Any] = {}
    for column, text in cells.row.cells.items():
        if not column.startswith(PARTICULARS):
            continue
        name = column.removeprefix(PARTICULARS)
        if PARTICULAR.fullmatch(name) is None:
            cells.fault(column, "must be named in small letters, digits and _")
            continue
        found[name] = (float(text) if "." in text else int(text)) if NUMBER.fullmatch(text) else text
    return found


READERS: dict[str, Callable[[Cells], tuple[Any, Keys]]] = {"parties": read_party, "assets": read_asset}
