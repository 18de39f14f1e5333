"""What each kind of table may hold: its columns, which of them must be there, and an example row for the template."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fleet.identifiers import SCHEME_FORMS

PARTICULARS = "particulars."


class Column(msgspec.Struct, frozen=True):
    """One column: what it says, whether a row must have it, an example."""

    says: str
    needed: bool
    example: str


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of table. `prefixes` begin further columns; `told_by` are columns no other kind has."""

    what: str
    columns: dict[str, Column]
    told_by: tuple[str, ...]
    prefixes: tuple[str, ...] = ()

    def knows(self, column: str) -> bool:
        """Whether a table of this kind may have such a column."""
        return column in self.columns or any(column == each.rstrip(".") or column.startswith(each) for each in self.prefixes)


_SCHEMES = {
    "imo": "9074729", "mmsi": "244660000", "callsign": "PBHN", "msn": "", "icao24": "", "registration": "", "evn": "",
    "local": "",
}  # fmt: skip
assert _SCHEMES.keys() == SCHEME_FORMS.keys()  # noqa: S101 - a new scheme is a new column

PARTIES = Kind(
    what="parties", told_by=("lei", "parent"),
    columns={
        "name": Column("legal name; the party's own key within the tenant", True, "Northern Bulk"),
        "country": Column("ISO 3166-1 alpha-2 of its seat", False, "NL"),
        "lei": Column("ISO 17442, 20 characters", False, "724500VKKSH9QOLTFR81"),
        "parent": Column("legal name of the company that controls it", False, "Northern Holding"),
        "parent_from": Column("since when it does, a day or an instant; empty: always", False, "2019-04-01"),
    },
)  # fmt: skip
ASSETS = Kind(
    what="assets", told_by=("class",), prefixes=(PARTICULARS,),
    columns={
        "class": Column("vessel, aircraft, trainset", True, "vessel"),
        "name": Column("what the tenant calls it", True, "Blue Heron"),
        "type": Column("maker's or trade's type", False, "bulk carrier"),
        **{scheme: Column(f"its {scheme}; one identifier at least", False, text) for scheme, text in _SCHEMES.items()},
        f"{PARTICULARS}length_m": Column("any particular: number or text, unit last in the name", False, "225"),
    },
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.what: kind for kind in (PARTIES, ASSETS)}
"""In the order in which the sheets of one workbook are imported: who and what first, then what refers to them."""


def kind_of(columns: Iterable[str], sheet: str | None) -> Kind | None:
    """The kind of a table: that of its sheet's name, else the one whose own columns it has; None where nothing says so."""
    if sheet is not None and sheet.strip().lower() in KINDS:
        return KINDS[sheet.strip().lower()]
    there = set(columns)
    found = [kind for kind in KINDS.values() if there & set(kind.told_by)]
    return found[0] if len(found) == 1 else None
