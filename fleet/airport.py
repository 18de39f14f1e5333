"""Airports, and the nearest one to a position. Pure: the table is loaded outside and handed in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import cos, floor, radians

import msgspec

from fleet.geodesy import NM_M, distance_m
from fleet.use import Place

CELL_DEG = 0.5  # chosen: 30 nm, so that an arrival's 30 km lie in a cell and its neighbours
DEGREE_M = 60.0 * NM_M  # of latitude, to bound a search; distances themselves are geodesic


class Airport(msgspec.Struct, frozen=True, kw_only=True):
    """One airport: ICAO code, name, reference point on WGS 84, elevation in feet above sea level, ISO 3166 country, IANA zone."""

    icao: str
    name: str
    lat_deg: float
    lon_deg: float
    elevation_ft: float
    country: str = ""
    zone: str = ""


class Airports:
    """A table of airports that finds the nearest to a position, across ±180° and at the poles too."""

    def __init__(self, airports: Iterable[Airport]) -> None:
        self._by_icao: dict[str, Airport] = {}
        self._cells: dict[tuple[int, int], list[Airport]] = defaultdict(list)
        for airport in airports:
            self._by_icao[airport.icao] = airport
            self._cells[_cell(airport.lat_deg, airport.lon_deg)].append(airport)

    def __len__(self) -> int:
        return len(self._by_icao)

    def get(self, icao: str) -> Airport | None:
        """The airport of an ICAO code, None when the table does not hold it."""
        return self._by_icao.get(icao)

    def nearest(self, lat_deg: float, lon_deg: float, within_m: float) -> Place | None:
        """The nearest airport at most `within_m` metres (geodesic) from a position, None when there is none."""
        best: Place | None = None
        for airport in self._around(lat_deg, lon_deg, within_m):
            metres = distance_m(lat_deg, lon_deg, airport.lat_deg, airport.lon_deg)
            if metres <= within_m and (best is None or (metres, airport.icao) < (best.distance_m, best.id)):
                best = Place(
                    id=airport.icao,
                    kind="airport",
                    name=airport.name,
                    distance_m=metres,
                    elevation_ft=airport.elevation_ft,
                    country=airport.country or None,
                )
        return best

    def _around(self, lat_deg: float, lon_deg: float, within_m: float) -> Iterable[Airport]:
        """The airports of the cells that a circle may touch."""
        rows = floor(within_m / DEGREE_M / CELL_DEG) + 1
        row, column = _cell(lat_deg, lon_deg)
        widest = min(89.9, abs(lat_deg) + within_m / DEGREE_M)
        columns = floor(within_m / DEGREE_M / cos(radians(widest)) / CELL_DEG) + 1
        around = round(360.0 / CELL_DEG)
        across = range(around) if 2 * columns + 1 >= around else range(column - columns, column + columns + 1)
        for y in range(row - rows, row + rows + 1):
            for x in across:
                yield from self._cells.get((y, x % around), ())


def _cell(lat_deg: float, lon_deg: float) -> tuple[int, int]:
    return floor(lat_deg / CELL_DEG), floor((lon_deg + 180.0) / CELL_DEG) % round(360.0 / CELL_DEG)
