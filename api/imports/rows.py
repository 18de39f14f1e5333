"""A row's text to values of its kind, or its faults. Pure and total.

A fault names its sheet, row and column; a row may have several. Warnings are of the same form and keep nothing out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from api.imports.columns import FIGURES, PARTICULARS, TERMS, Kind
from api.imports.tables import RowFault, Table, TableRow
from fleet.asset_class import ASSET_CLASSES
from fleet.component import COMPONENT_CLASSES
from fleet.identifiers import SCHEME_FORMS, check_digit_warning, identifier_fault
from fleet.lease import Lease, parse_instant, parse_lease

COUNTRY = re.compile(r"[A-Z]{2}")
LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}")
PARTICULAR = re.compile(r"[a-z][a-z0-9_]{0,63}")
NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,9})?")
MONTH = re.compile(r"(19|20|21)\d\d-(0[1-9]|1[0-2])")
DOCUMENTS = ("acceptance_certificate", "insurance_certificate", "redelivery_certificate")
FIGURE_COLUMNS = frozenset({"flight_h", "cycles", "distance_nm"})
LEASE_NEEDED = frozenset({"reference", "asset", "form", "lessee", "term_from"})
# Parts of terms that are counted: text of digits becomes a number there, and nowhere else (a reference may be digits).
WHOLE_NUMBERS = frozenset({"year", "wind_bft_max"})
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


class LeaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A lease to have: its paper, and when and by which documents it was delivered and redelivered."""

    lease: Lease | None
    identifier: tuple[str, str]
    delivered_us: int | None = None
    redelivered_us: int | None = None
    documents: dict[str, str] = {}


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """A monthly report to have, by lease, asset and month."""

    lease: str
    identifier: tuple[str, str]
    month: str
    signed_by: str | None
    received_us: int
    figures: dict[str, Any]


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
    if asset_class and asset_class not in {*ASSET_CLASSES, *COMPONENT_CLASSES}:
        cells.fault("class", f"must be one of {', '.join((*ASSET_CLASSES, *COMPONENT_CLASSES))}")
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


def read_lease(cells: Cells) -> tuple[LeaseRow | None, Keys]:
    """A lease's row: the paper by the parser of leases in files, and the events that made it a tenure."""
    given = {name: text for name, text in cells.row.cells.items() if name.partition(".")[0] in TERMS}
    terms = _nested(cells, given)
    texts = cells.row.cells
    lease = parse_lease({
        "id": texts.get("reference"), "asset": texts.get("asset"), "form": texts.get("form"), "lessee": texts.get("lessee"),
        "parent_lease_id": texts.get("parent_reference"), "signed_on": texts.get("signed_on"),
        "term": {"from": texts.get("term_from"), "to": texts.get("term_to")}, **terms,
    })  # fmt: skip
    if not isinstance(lease, Lease):
        for fault in lease:
            column = _column_of(fault.pointer)
            if column in texts or column not in LEASE_NEEDED:  # an empty cell that must not be is a fault already
                cells.fault(column, fault.detail)
    row = LeaseRow(
        lease=lease if isinstance(lease, Lease) else None, identifier=_identifier(cells, "asset"),
        delivered_us=cells.instant("delivered_at"), redelivered_us=cells.instant("redelivered_at"),
        documents={name: texts[name] for name in DOCUMENTS if name in texts},
    )  # fmt: skip
    for at, needed in (("delivered_at", DOCUMENTS[:2]), ("redelivered_at", DOCUMENTS[2:])):
        for name in needed:
            if (at in texts) != (name in texts):
                cells.fault(name, f"goes with {at}")
    if row.delivered_us is not None and "signed_on" not in texts:
        cells.fault("signed_on", "goes before delivered_at")
    if row.redelivered_us is not None and (row.delivered_us is None or row.redelivered_us < row.delivered_us):
        cells.fault("redelivered_at", "must not be before delivered_at")
    reference = texts.get("reference")
    return row, [("reference", reference)] if reference else []


def read_report(cells: Cells) -> tuple[ReportRow, Keys]:
    """A monthly report's row."""
    figures: dict[str, Any] = {}
    for column, text in cells.row.cells.items():
        if column in FIGURE_COLUMNS or column.startswith(FIGURES):
            name = column.removeprefix(FIGURES)
            if PARTICULAR.fullmatch(name) is None:
                cells.fault(column, "must be named in small letters, digits and _")
            elif NUMBER.fullmatch(text) is None or text.startswith("-"):
                cells.fault(column, "must be a number that is not negative, with a point")
            else:
                figures[name] = float(text) if "." in text else int(text)
    if not figures and not cells.faults:
        cells.fault(None, "reports no figure")
    row = ReportRow(
        lease=cells.text("lease") or "", identifier=_identifier(cells, "asset"),
        month=cells.text("month", 7, MONTH, "must be a month such as 2026-05") or "", signed_by=cells.text("signed_by"),
        received_us=cells.instant("received_at") or 0, figures=figures,
    )  # fmt: skip
    return row, [("month", (row.lease, row.identifier, row.month))]


def _identifier(cells: Cells, column: str) -> tuple[str, str]:
    """`scheme:value` of a cell."""
    text = cells.row.cells.get(column, "")
    scheme, _, value = text.partition(":")
    if text and identifier_fault(scheme, value) is not None:
        cells.fault(column, "must be scheme:value, such as imo:9074729")
    return scheme, value


def _nested(cells: Cells, given: dict[str, str]) -> dict[str, Any]:
    """Terms out of columns named by path: `redelivery.window.to`, `extension_options.0.period`; a cell of JSON is taken as it is.

    Numbers under a name of digits alone make lists; what is asked for twice is a fault.
    """
    tree: dict[str, Any] = {}
    for column, text in sorted(given.items()):
        value: Any = text
        if text[:1] in "[{":
            try:
                value = msgspec.json.decode(text)
            except msgspec.DecodeError:
                cells.fault(column, "is no JSON")
                continue
        elif text in {"true", "false"}:
            value = text == "true"
        elif column.rpartition(".")[2] in WHOLE_NUMBERS and text.isdecimal():
            value = int(text)
        steps, node = column.split("."), tree
        for step in steps[:-1]:
            node = node.setdefault(step, {}) if isinstance(node, dict) else {}
        if not isinstance(node, dict) or steps[-1] in node:
            cells.fault(column, "is given in another column too")
            continue
        node[steps[-1]] = value
    found: dict[str, Any] = _listed(tree)
    return found


def _listed(node: Any) -> Any:
    """Objects whose names are 0, 1, 2 … as lists."""
    if not isinstance(node, dict):
        return node
    inner = {name: _listed(value) for name, value in node.items()}
    if inner and set(inner) == {str(n) for n in range(len(inner))}:
        return [inner[str(n)] for n in range(len(inner))]
    return inner


def _column_of(pointer: str) -> str:
    """The column that a JSON pointer of a lease speaks of."""
    path = ".".join(pointer.strip("/").split("/"))
    return {"id": "reference", "term.from": "term_from", "term.to": "term_to", "parent_lease_id": "parent_reference"}.get(
        path, path
    )


READERS: dict[str, Callable[[Cells], tuple[Any, Keys]]] = {
    "parties": read_party, "assets": read_asset, "leases": read_lease, "reports": read_report,
}  # fmt: skip
