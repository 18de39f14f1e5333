"""Areas as people exchange them: GeoJSON features with the contract's properties, and lists of ports in CSV, read into entries.

Pure: text or decoded JSON in, entries or faults out. Neighbours: `area` reads the geometry; `store.areas` keeps entries.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from fleet.area import GeometryError, Shape, shape_of
from fleet.asset_class import ASSET_CLASSES
from fleet.instants import from_datetime

KINDS = ("port", "anchorage", "berth", "yard", "prohibited", "notify", "watch")
"""What an area may be (contract 4.2)."""

SEVERITIES = ("info", "warning", "critical")
PORT_RADIUS_M = 3_000.0  # domain.md 2.3: a port call begins 3.0 km from the point
ENTRIES_MAX = 20_000  # of one file; chosen: all ports of the World Port Index five times over
_UNLOCODE_PLACE = re.compile(r"(\d{2})(\d{2})([NS]) (\d{3})(\d{2})([EW])")  # degrees and minutes, as UN/LOCODE writes them


class AreaEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One area as imported: its words, its geometry as RFC 7946 has it (or a Point with `radius_m`), its bounding box in degrees.

    `west_deg` > `east_deg` crosses 180°. In force in [valid_from_us, valid_to_us); None is open. `applies_to`: asset classes;
    empty: all.
    """

    area_id: str
    name: str
    kind: str
    issuer: str
    version: str
    severity: str
    geometry: dict[str, Any]
    west_deg: float
    south_deg: float
    east_deg: float
    north_deg: float
    radius_m: float | None = None
    area_set: str | None = None
    applies_to: tuple[str, ...] = ()
    valid_from_us: int | None = None
    valid_to_us: int | None = None

    @property
    def shape(self) -> Shape:
        """The geometry, ready to be asked."""
        return shape_of(self.geometry, self.radius_m)


class EntryFault(NamedTuple):
    """What is wrong with one entry: a JSON pointer into the document (or `line N`), and a sentence."""

    pointer: str
    detail: str


class Defaults(NamedTuple):
    """What is taken where a file does not say: who issued it, which version, which kind, which list, from when on."""

    issuer: str | None = None
    version: str | None = None
    kind: str | None = None
    area_set: str | None = None
    valid_from_us: int | None = None


NO_DEFAULTS = Defaults()


class _BadEntryError(Exception):
    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = EntryFault(pointer, detail)


def entries_of_geojson(document: Any, defaults: Defaults = NO_DEFAULTS) -> tuple[list[AreaEntry], list[EntryFault]]:
    """The areas of a FeatureCollection or a Feature, and a fault for each that is none.

    Properties: `id` (or the feature's own), `name`, `kind`, `issuer`, `version`, `severity` (default warning for `prohibited` and
    `notify`, else info), `applies_to`, `area_set`, `valid_from`, `valid_to`, `radius_m`. Two of one id must not overlap in time.
    """
    if isinstance(document, dict) and document.get("type") == "Feature":
        features, prefix = [document], ""
    elif (
        isinstance(document, dict) and document.get("type") == "FeatureCollection" and isinstance(document.get("features"), list)
    ):
        features, prefix = document["features"], "/features/{}"
    else:
        return [], [EntryFault("", "a FeatureCollection or a Feature is wanted")]
    if len(features) > ENTRIES_MAX:
        return [], [EntryFault("/features", f"more than {ENTRIES_MAX} features")]
    entries: list[AreaEntry] = []
    faults: list[EntryFault] = []
    for number, feature in enumerate(features):
        at = prefix.format(number)
        try:
            entry = _entry_of(feature, at, defaults)
        except _BadEntryError as error:
            faults.append(error.fault)
            continue
        if any(one.area_id == entry.area_id and _overlap(one, entry) for one in entries[-1000:]):
            faults.append(EntryFault(f"{at}/properties/id", "named twice for the same time"))
        else:
            entries.append(entry)
    return entries, faults


def entries_of_csv(text: str, defaults: Defaults = NO_DEFAULTS) -> tuple[list[AreaEntry], list[EntryFault]]:
    """The ports of a CSV, told by its columns, and a fault for each line that is none.

    UN/LOCODE's: `Country`, `Location`, `Name`, `Coordinates` (only function 1, ports). The World Port Index's: `Main Port Name`,
    `Latitude`, `Longitude`, with `UN/LOCODE` or `World Port Index Number`. Each is a point with a radius of `PORT_RADIUS_M`.
    Ports without coordinates are left out: most of UN/LOCODE's have none.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    names = {name.strip().lower() for name in rows.fieldnames or ()}
    if {"country", "location", "coordinates"} <= names:
        read, issuer = _unlocode_port, "UNECE"
    elif {"main port name", "latitude", "longitude"} <= names:
        read, issuer = _index_port, "NGA"
    else:
        return [], [EntryFault("line 1", "neither UN/LOCODE's nor the World Port Index's columns")]
    filled = defaults._replace(issuer=defaults.issuer or issuer, version=defaults.version or "1", kind=defaults.kind or "port")
    entries: dict[str, AreaEntry] = {}
    faults: list[EntryFault] = []
    for line, row in enumerate(rows, 2):
        if len(entries) >= ENTRIES_MAX:
            faults.append(EntryFault(f"line {line}", f"more than {ENTRIES_MAX} ports"))
            break
        try:
            found = read(
                {str(name).strip().lower(): (value or "").strip() for name, value in row.items() if name}, f"line {line}"
            )
            if found is not None:
                entry = _entry_of(found, f"line {line}", filled)
                entries.setdefault(entry.area_id, entry)
        except _BadEntryError as error:
            faults.append(error.fault)
    return list(entries.values()), faults


def _unlocode_port(row: Mapping[str, str], at: str) -> dict[str, Any] | None:
    if not row["location"] or not row["coordinates"] or (row.get("function") and "1" not in row["function"]):
        return None
    place = _UNLOCODE_PLACE.fullmatch(row["coordinates"])
    if place is None:
        raise _BadEntryError(at, f"{row['coordinates']!r} is no place such as 5155N 00430E")
    lat = (int(place[1]) + int(place[2]) / 60) * (1 if place[3] == "N" else -1)
    lon = (int(place[4]) + int(place[5]) / 60) * (1 if place[6] == "E" else -1)
    name = row.get("namewodiacritics") or row.get("name") or row["location"]
    return _port(row["country"] + row["location"], name, round(lon, 6), round(lat, 6))


def _index_port(row: Mapping[str, str], at: str) -> dict[str, Any] | None:
    try:
        lat, lon = float(row["latitude"]), float(row["longitude"])
    except ValueError:
        raise _BadEntryError(at, "latitude and longitude are numbers of degrees") from None
    code = row.get("un/locode", "").replace(" ", "") or "WPI-" + row.get("world port index number", "").split(".")[0]
    if code == "WPI-":
        raise _BadEntryError(at, "neither a UN/LOCODE nor a World Port Index number")
    return _port(code, row["main port name"], lon, lat)


def _port(code: str, name: str, lon: float, lat: float) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {"id": code, "name": name, "radius_m": PORT_RADIUS_M, "applies_to": ["vessel"]},
    }


def _entry_of(feature: Any, at: str, defaults: Defaults) -> AreaEntry:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise _BadEntryError(at, "a Feature is wanted")
    said = feature.get("properties") or {}
    if not isinstance(said, dict):
        raise _BadEntryError(f"{at}/properties", "an object is wanted")
    own_id = feature.get("id")
    area_id = _text(said, "id", at, 64, own_id if isinstance(own_id, str) else None)
    kind = _text(said, "kind", at, 20, defaults.kind)
    severity = _text(said, "severity", at, 20, "warning" if kind in {"prohibited", "notify"} else "info")
    for name, value, known in (("kind", kind, KINDS), ("severity", severity, SEVERITIES)):
        if value not in known:
            raise _BadEntryError(f"{at}/properties/{name}", f"must be one of {', '.join(known)}")
    from_us, to_us = _instant(said, "valid_from", at, defaults.valid_from_us), _instant(said, "valid_to", at, None)
    if from_us is not None and to_us is not None and from_us >= to_us:
        raise _BadEntryError(f"{at}/properties/valid_to", "valid_from must be before valid_to")
    geometry, radius_m = feature.get("geometry"), said.get("radius_m")
    is_point = isinstance(geometry, dict) and geometry.get("type") == "Point"
    if is_point and radius_m is None:
        radius_m = PORT_RADIUS_M
    if radius_m is not None and (isinstance(radius_m, bool) or not isinstance(radius_m, int | float)):
        raise _BadEntryError(f"{at}/properties/radius_m", "metres are a number")
    try:
        shape = shape_of(geometry, radius_m)
    except GeometryError as error:
        place = "/properties" if error.pointer == "/radius_m" else "/geometry"
        raise _BadEntryError(f"{at}{place}{error.pointer}", error.detail) from None
    point = {"type": "Point", "coordinates": list(geometry["coordinates"][:2])} if is_point and geometry else None
    west, south, east, north = shape.bbox
    return AreaEntry(
        area_id=area_id,
        name=_text(said, "name", at, 200, area_id),
        kind=kind,
        issuer=_text(said, "issuer", at, 200, defaults.issuer),
        version=_text(said, "version", at, 60, defaults.version),
        severity=severity,
        geometry=point or shape.geojson(),
        radius_m=float(radius_m) if is_point and radius_m is not None else None,
        west_deg=west,
        south_deg=south,
        east_deg=east,
        north_deg=north,
        area_set=_text(said, "area_set", at, 100, defaults.area_set, optional=True) or None,
        applies_to=_classes(said, at),
        valid_from_us=from_us,
        valid_to_us=to_us,
    )


def _text(
    said: Mapping[str, Any], name: str, at: str, chars_max: int, default: str | None, *, optional: bool = False
) -> str:  # fmt: skip
    value = said.get(name)
    value = default if value is None else str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if value is None and optional:
        return ""
    if not isinstance(value, str) or not 1 <= len(value) <= chars_max or not value.isprintable():
        raise _BadEntryError(f"{at}/properties/{name}", f"a text of 1 to {chars_max} characters is wanted")
    return value


def _classes(said: Mapping[str, Any], at: str) -> tuple[str, ...]:
    given = said.get("applies_to") or []
    if not isinstance(given, list) or any(name not in ASSET_CLASSES for name in given):
        raise _BadEntryError(f"{at}/properties/applies_to", f"a list of {', '.join(ASSET_CLASSES)} is wanted")
    return tuple(sorted(set(given)))


def _instant(said: Mapping[str, Any], name: str, at: str, default: int | None) -> int | None:
    value = said.get(name)
    if value is None:
        return default
    try:
        return from_datetime(msgspec.convert(value, datetime))
    except (msgspec.ValidationError, ValueError, OverflowError):
        raise _BadEntryError(f"{at}/properties/{name}", "an RFC 3339 date-time with an offset is wanted") from None


def _overlap(one: AreaEntry, other: AreaEntry) -> bool:
    def ends_before(first: AreaEntry, second: AreaEntry) -> bool:
        return first.valid_to_us is not None and second.valid_from_us is not None and first.valid_to_us <= second.valid_from_us

    return not ends_before(one, other) and not ends_before(other, one)
