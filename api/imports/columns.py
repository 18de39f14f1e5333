"""What each kind of table may hold: its columns, which of them must be there, and an example row for the template."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fleet.identifiers import SCHEME_FORMS
from fleet.lease import FORMS, Terms

PARTICULARS = "particulars."
FIGURES = "figures."
TERMS = frozenset(Terms.__struct_fields__)


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
        "class": Column("vessel, aircraft, trainset; or a component: engine, apu, landing_gear, car", True, "vessel"),
        "name": Column("what the tenant calls it", True, "Blue Heron"),
        "type": Column("maker's or trade's type", False, "bulk carrier"),
        **{scheme: Column(f"its {scheme}; one identifier at least", False, text) for scheme, text in _SCHEMES.items()},
        f"{PARTICULARS}length_m": Column("any particular: number or text, unit last in the name", False, "225"),
    },
)  # fmt: skip
LEASES = Kind(
    what="leases", told_by=("form", "term_from"), prefixes=tuple(f"{name}." for name in sorted(TERMS)),
    columns={
        "reference": Column("the contract's own number; the lease's key within the tenant", True, "NB-2026-01"),
        "asset": Column("scheme:value that the asset bears", True, "imo:9074729"),
        "form": Column(", ".join(FORMS), True, "bareboat"),
        "lessee": Column("name of the party that signed", True, "Northern Bulk"),
        "parent_reference": Column("of a sublease: the contract's number it is out of", False, ""),
        "term_from": Column("first day or instant that the paper promises", True, "2026-01-01"),
        "term_to": Column("end that the paper promises, not included; empty: none", False, "2031-01-01"),
        "signed_on": Column("day of signature; empty: a draft", False, "2025-11-03"),
        "delivered_at": Column("when the lessee took it, a day or an instant", False, "2026-01-02T10:00:00Z"),
        "acceptance_certificate": Column("document of the delivery; goes with delivered_at", False, "AC-17"),
        "insurance_certificate": Column("document of the cover at delivery; goes with delivered_at", False, "IC-4"),
        "redelivered_at": Column("when it came back, a day or an instant", False, ""),
        "redelivery_certificate": Column("document of the redelivery; goes with redelivered_at", False, ""),
        **dict.fromkeys(sorted(TERMS), Column("a term of the lease: text, or JSON where it has parts", False, "")),
        "period_attribution": Column("landing, takeoff or split", False, "landing"),
        "rent.amount": Column("parts of terms by their path, lists by number: extension_options.0.period", False, "350000.00"),
        "rent.currency": Column("ISO 4217", False, "USD"),
    },
)  # fmt: skip
REPORTS = Kind(
    what="reports", told_by=("month",), prefixes=(FIGURES,),
    columns={
        "lease": Column("the lease's reference", True, "NB-2026-01"),
        "asset": Column("scheme:value of the asset it speaks of: the leased one, an engine …", True, "imo:9074729"),
        "month": Column("YYYY-MM, as the lease's billing time zone has it", True, "2026-05"),
        "signed_by": Column("who signed it", False, "J. Smit"),
        "received_at": Column("when we had it, a day or an instant", True, "2026-06-05"),
        "flight_h": Column("flight hours, lift-off to touch-down", False, ""),
        "cycles": Column("flight cycles", False, ""),
        "distance_nm": Column("nautical miles over ground", False, "6200.5"),
        f"{FIGURES}fuel_t": Column("any other figure of the report, unit last in the name", False, "540.2"),
    },
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.what: kind for kind in (PARTIES, ASSETS, LEASES, REPORTS)}
"""In the order in which the sheets of one workbook are imported: who and what first, then what refers to them."""


def kind_of(columns: Iterable[str], sheet: str | None) -> Kind | None:
    """The kind of a table: that of its sheet's name, else the one whose own columns it has; None where nothing says so."""
    if sheet is not None and sheet.strip().lower() in KINDS:
        return KINDS[sheet.strip().lower()]
    there = set(columns)
    found = [kind for kind in KINDS.values() if there & set(kind.told_by)]
    return found[0] if len(found) == 1 else None
