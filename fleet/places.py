"""The places of the world as one tenant knows them: ports, anchorages, berths and yards beside a position, and airports.

Areas lie in a grid of cells, so that a ship on the open sea costs one look into a table. Neighbours: `area` knows inside and how
far outside, `airport` the airports; `vessel_use` and `flight` ask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from math import ceil, cos, floor, radians

import msgspec

from fleet.area import Shape
from fleet.geodesy import NM_M, distance_m
from fleet.use import Place

CELL_DEG = 0.25  # chosen: 15 nm, a port and its roads in one or two cells
DEGREE_M = 60.0 * NM_M  # of latitude, to bound a search; distances themselves are geodesic
POINT_REACH_M = 5_000.0  # beyond the 4 km at which a call ends (domain.md 2.3)
EDGE_REACH_M = 1_500.0  # beyond the 1 km outside a port's edge at which a call ends
KINDS = frozenset({"port", "anchorage", "berth", "yard"})
"""The kinds of area that say what a stay is; the others are for rules."""
CELLS_MAX = 20_000  # of one area; one that is wider is asked everywhere

AirportNear = Callable[[float, float, float], Place | None]


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """One area as a place: id, kind and name, its shape or (None) its point on WGS 84, and when it is in force.

    In [valid_from_us, valid_to_us), None is open.
    """

    id: str
    kind: str
    name: str
    shape: Shape | None = None
    lat_deg: float = 0.0
    lon_deg: float = 0.0
    valid_from_us: int | None = None
    valid_to_us: int | None = None

    def in_force(self, time_us: int) -> bool:
        """Whether it counts at an instant."""
        return (self.valid_from_us is None or self.valid_from_us <= time_us) and (
            self.valid_to_us is None or time_us < self.valid_to_us
        )


_UNLOCODE = re.compile(r"[A-Z]{2}[A-Z2-9]{3}")


def country_of_port(port_id: str) -> str | None:
    """The country (ISO 3166-1 alpha-2) of a port that bears a UN/LOCODE; None for any other id."""
    return port_id[:2] if _UNLOCODE.fullmatch(port_id) else None


def no_airport(lat_deg: float, lon_deg: float, within_m: float) -> Place | None:
    """For a world of ships: no airport anywhere."""
    del lat_deg, lon_deg, within_m
    return None


class AreaPlaces:
    """Areas and airports as `fleet.use.Places`. Made once for a tenant and a version of its areas; never changed."""

    def __init__(self, areas: Iterable[Area], airport_near: AirportNear = no_airport) -> None:
        """Lay the areas into cells; kinds other than `KINDS` are left out."""
        self.airport_near = airport_near
        self._cells: dict[tuple[int, int], list[Area]] = {}
        self._wide: list[Area] = []
        for area in areas:
            if area.kind in KINDS:
                self._lay(area)

    def places_near(self, lat_deg: float, lon_deg: float, time_us: int) -> Sequence[Place]:
        """The areas that a position is in, ports up to 5 km from a point or 1.5 km from an edge, the nearest first."""
        areas = self._cells.get((floor(lat_deg / CELL_DEG), floor((lon_deg + 180.0) / CELL_DEG) % _AROUND), ())
        if not areas and not self._wide:
            return ()
        found = [
            place
            for area in (*areas, *self._wide)
            if area.in_force(time_us) and (place := _beside(area, lat_deg, lon_deg)) is not None
        ]
        return sorted(found, key=lambda place: (place.distance_m, place.kind, place.id))

    def places_within(self, lat_deg: float, lon_deg: float, within_m: float, time_us: int) -> list[Place]:
        """The areas within a distance in metres of a position, the nearest first; for the few who ask further than `places_near`.

        Distances are to an area's edge (0 inside) or its point.
        """
        reach_deg = within_m / DEGREE_M
        side_deg = reach_deg / max(0.01, cos(radians(min(89.0, abs(lat_deg) + reach_deg))))
        first, last = floor((lon_deg - side_deg + 180.0) / CELL_DEG), floor((lon_deg + side_deg + 180.0) / CELL_DEG)
        known = {id(area): area for area in self._wide}
        for row in range(floor((lat_deg - reach_deg) / CELL_DEG), floor((lat_deg + reach_deg) / CELL_DEG) + 1):
            for column in range(first, min(last, first + _AROUND - 1) + 1):
                known |= {id(area): area for area in self._cells.get((row, column % _AROUND), ())}
        found = [
            Place(id=area.id, kind=area.kind, name=area.name, distance_m=metres)
            for area in known.values()
            if area.in_force(time_us) and (metres := _metres_to(area, lat_deg, lon_deg)) <= within_m
        ]
        return sorted(found, key=lambda place: (place.distance_m, place.kind, place.id))

    def _lay(self, area: Area) -> None:
        if area.shape is None:
            west, south, east, north, reach_m = area.lon_deg, area.lat_deg, area.lon_deg, area.lat_deg, POINT_REACH_M
        else:
            (west, south, east, north), reach_m = area.shape.bbox, EDGE_REACH_M
        low, high = max(-90.0, south - reach_m / DEGREE_M), min(90.0, north + reach_m / DEGREE_M)
        widest = min(89.9, max(abs(low), abs(high)))
        side_deg = reach_m / DEGREE_M / cos(radians(widest))
        span_deg = ((east - west) % 360.0 if east != west + 360.0 else 360.0) + 2 * side_deg
        rows = range(floor(low / CELL_DEG), floor(high / CELL_DEG) + 1)
        first = floor((west - side_deg + 180.0) / CELL_DEG)
        columns = min(_AROUND, ceil(span_deg / CELL_DEG) + 1)
        if len(rows) * columns > CELLS_MAX:
            self._wide.append(area)
            return
        for row in rows:
            for column in range(first, first + columns):
                self._cells.setdefault((row, column % _AROUND), []).append(area)


_AROUND = round(360.0 / CELL_DEG)


def _metres_to(area: Area, lat_deg: float, lon_deg: float) -> float:
    if area.shape is None:
        return distance_m(lat_deg, lon_deg, area.lat_deg, area.lon_deg)
    return 0.0 if area.shape.contains(lat_deg, lon_deg) else area.shape.distance_m(lat_deg, lon_deg)


def _beside(area: Area, lat_deg: float, lon_deg: float) -> Place | None:
    """An area as the place beside a position; None where it is out of reach."""
    if area.shape is None:
        metres = distance_m(lat_deg, lon_deg, area.lat_deg, area.lon_deg)
        if metres > POINT_REACH_M:
            return None
        return Place(id=area.id, kind=area.kind, name=area.name, distance_m=metres, country=_country(area))
    if area.shape.contains(lat_deg, lon_deg):
        return Place(id=area.id, kind=area.kind, name=area.name, distance_m=0.0, inside=True, country=_country(area))
    if area.kind != "port":
        return None
    metres = area.shape.distance_m(lat_deg, lon_deg)
    if metres > EDGE_REACH_M:
        return None
    return Place(id=area.id, kind=area.kind, name=area.name, distance_m=metres, inside=False, country=_country(area))


def _country(area: Area) -> str | None:
    return country_of_port(area.id) if area.kind == "port" else None
