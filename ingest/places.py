"""The places of the world, brought to the use machines: areas as they are stored or filed, airports from `airportsdata`.

Of its 28,000 those with a code of four letters are taken: the others are private strips of one country, and between a runway and
a strip beside it the nearest would be the wrong one (DECISIONS 120). Seaplane bases and heliports are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import airportsdata

from fleet.airport import Airport, Airports
from fleet.area import point_of, shape_of
from fleet.area_index import WatchedArea
from fleet.places import Area, AreaPlaces
from fleet.use import Place, Places

ICAO = re.compile(r"[A-Z]{4}")
NO_RUNWAY = re.compile(r"heliport|seaplane", re.IGNORECASE)


MISREAD = frozenset((
    "EBAW", "EBBE", "EBBL", "EBBR", "EBBX", "EBCI", "EBCV", "EBDT", "EBFN", "EBFS", "EBKT", "EBLG", "EBMB", "EBOS", "EBSU",
    "EBUL", "EBWE",
))  # fmt: skip
"""Belgian aerodromes whose degrees, minutes and seconds the table has as decimals (Brussels, 50°54'05", is 50.5405 there)."""


def _decimal(misread_deg: float) -> float:
    """Degrees of a number whose decimals are minutes and seconds."""
    degrees, rest = divmod(round(misread_deg * 10_000), 10_000)
    return round(degrees + rest // 100 / 60.0 + rest % 100 / 3600.0, 5)


@cache
def airports() -> Airports:
    """All airports with an ICAO code, read once (a tenth of a second)."""
    return Airports(
        Airport(
            icao=code,
            name=row["name"],
            lat_deg=_decimal(row["lat"]) if code in MISREAD else row["lat"],
            lon_deg=_decimal(row["lon"]) if code in MISREAD else row["lon"],
            elevation_ft=row["elevation"],
            country=row["country"],
            zone=row["tz"],
        )
        for code, row in airportsdata.load().items()
        if ICAO.fullmatch(code) and not NO_RUNWAY.search(row["name"])
    )


def place_area(
    area_id: str,
    kind: str,
    name: str,
    geometry: Any,
    radius_m: float | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
) -> Area:
    """An area as a place, of its GeoJSON geometry: an area, or a Point that without a radius stays a point.

    Raises:
        GeometryError: the geometry is none.
    """
    if isinstance(geometry, dict) and geometry.get("type") == "Point" and radius_m is None:
        lon_deg, lat_deg = point_of(geometry)
        return Area(id=area_id, kind=kind, name=name, lat_deg=lat_deg, lon_deg=lon_deg, valid_from_us=from_us, valid_to_us=to_us)
    shape = shape_of(geometry, radius_m)
    return Area(id=area_id, kind=kind, name=name, shape=shape, valid_from_us=from_us, valid_to_us=to_us)


class Listed(Protocol):
    """What is said of an area beside its place: how grave it is, who issued it in which version, of which list, for whom."""

    @property
    def severity(self) -> str:
        """`info`, `warning` or `critical`."""
        ...

    @property
    def issuer(self) -> str:
        """Who drew it."""
        ...

    @property
    def version(self) -> str:
        """Of its list."""
        ...

    @property
    def area_set(self) -> str | None:
        """The list it belongs to."""
        ...

    @property
    def applies_to(self) -> tuple[str, ...]:
        """Asset classes; empty: all."""
        ...


def watched_area(place: Area, listed: Listed) -> WatchedArea | None:
    """An area for rules and clauses; None for one that is a mere point."""
    if place.shape is None:
        return None
    return WatchedArea(
        id=place.id,
        kind=place.kind,
        name=place.name,
        severity=listed.severity,
        issuer=listed.issuer,
        version=listed.version,
        shape=place.shape,
        area_set=listed.area_set,
        applies_to=listed.applies_to,
        valid_from_us=place.valid_from_us,
        valid_to_us=place.valid_to_us,
    )


def places_of(areas: Sequence[Area]) -> Places:
    """The places that a machine is told of: some areas, and all airports."""
    return AreaPlaces(areas, airport_near)


def airport_near(lat_deg: float, lon_deg: float, within_m: float) -> Place | None:
    """The nearest airport within a distance."""
    return airports().nearest(lat_deg, lon_deg, within_m)


KNOWN = places_of(())
"""The world without areas."""
