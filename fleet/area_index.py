"""Areas that rules watch, by place: which are around a position, and which lie within reach of one or two. Pure.

The world is cut into cells, and what a cell holds is worked out when an asset first comes there and kept: most cells hold nothing
and cost one look into a table; where an area covers a whole cell nothing is computed either; along an edge only the piece of the
area that lies around the cell is asked, and answers as the whole would. Neighbours: `area` is the geometry, `presence` measures
detours; `places` is the same for ports and airports.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from math import cos, floor, radians
from typing import NamedTuple

import msgspec
import shapely
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.strtree import STRtree

from fleet.area import Shape
from fleet.geodesy import NM_M
from fleet.presence import detour_m

WATCHED_KINDS = frozenset({"prohibited", "notify", "watch"})
"""The kinds of area that tell who enters and leaves; the others say where a ship calls (contract 4.2)."""

CELL_DEG = 0.25  # chosen: 15 nm, an hour of a ship and two minutes of an aircraft
MARGIN_NM = 2.0  # around a cell: more than the mile outside an edge at which an area is left (domain.md 3.4)
CLIPPED_BELOW_DEG = 75.0  # chosen: nearer to a pole a cell is too narrow to be cut out of a plane; the whole area is asked there
CELLS_MAX = 200_000  # remembered before all are forgotten; chosen: some 40 MB if each held an area
_COLUMNS = round(360.0 / CELL_DEG)


class WatchedArea(msgspec.Struct, frozen=True, kw_only=True):
    """One area as its import has it, with its shape; in force in [valid_from_us, valid_to_us), None is open.

    `applies_to`: asset classes; empty: all. `area_set` is the list it belongs to, which clauses of leases name.
    """

    id: str
    kind: str
    name: str
    severity: str
    issuer: str
    version: str
    shape: Shape
    area_set: str | None = None
    applies_to: tuple[str, ...] = ()
    valid_from_us: int | None = None
    valid_to_us: int | None = None

    def in_force(self, time_us: int) -> bool:
        """Whether it counts at an instant."""
        return (self.valid_from_us is None or self.valid_from_us <= time_us) and (
            self.valid_to_us is None or time_us < self.valid_to_us
        )

    def is_of(self, area_set: str) -> bool:
        """Whether it belongs to a list; one that names no list is known by its own id and by who issued it."""
        return self.area_set == area_set if self.area_set is not None else area_set in {self.id, self.issuer}

    def concerns(self, asset_class: str) -> bool:
        """Whether it is meant for assets of a class."""
        return not self.applies_to or asset_class in self.applies_to


class Beside(NamedTuple):
    """An area beside a position: `shape` is the piece of it to ask there, None where all around lies inside."""

    area: WatchedArea
    shape: Shape | None

    def contains(self, lat_deg: float, lon_deg: float) -> bool:
        """Whether a position for which this was given lies in the area or on its edge."""
        return self.shape is None or self.shape.contains(lat_deg, lon_deg)


class Reached(NamedTuple):
    """An area that can have been reached, and the nautical miles that it takes."""

    area: WatchedArea
    distance_nm: float


class AreaIndex:
    """The areas that rules watch and clauses name. Made once for a tenant and a version of its areas.

    What a cell holds is remembered between questions and changes no answer.
    """

    def __init__(self, areas: Iterable[WatchedArea]) -> None:
        self.areas = tuple(areas)
        self._tree = STRtree([area.shape.geometry for area in self.areas])
        self._cells: dict[int, tuple[tuple[Beside, ...], tuple[Beside, ...]]] = {}
        self._by_id: dict[str, list[WatchedArea]] = {}
        self._by_set: dict[str, list[WatchedArea]] = {}
        for area in self.areas:
            self._by_id.setdefault(area.id, []).append(area)
            for name in {area.area_set} if area.area_set is not None else {area.id, area.issuer}:
                self._by_set.setdefault(name, []).append(area)

    def beside(self, lat_deg: float, lon_deg: float) -> tuple[Beside, ...]:
        """Every area of `WATCHED_KINDS` that a position may be in or within `MARGIN_NM` of, in force or not; nearly always none.

        Args:
            lat_deg: in [-90, 90].
            lon_deg: in [-180, 180].
        """
        cell = floor(lat_deg / CELL_DEG) * _COLUMNS + floor(lon_deg / CELL_DEG) % _COLUMNS
        found = self._cells.get(cell)
        return (self._lay(cell, lat_deg, lon_deg) if found is None else found)[0]

    def around(self, lat_deg: float, lon_deg: float) -> tuple[Beside, ...]:
        """The same of areas of every kind."""
        cell = floor(lat_deg / CELL_DEG) * _COLUMNS + floor(lon_deg / CELL_DEG) % _COLUMNS
        found = self._cells.get(cell)
        return (self._lay(cell, lat_deg, lon_deg) if found is None else found)[1]

    def named(self, area_id: str, time_us: int) -> WatchedArea | None:
        """The area of an id as it is in force at an instant; None where it is not."""
        return next((area for area in self._by_id.get(area_id, ()) if area.in_force(time_us)), None)

    def of_set(self, area_set: str) -> Sequence[WatchedArea]:
        """The areas that `WatchedArea.is_of` a list, of every version and time."""
        return self._by_set.get(area_set, ())

    def ended_us(self, area_id: str, time_us: int) -> int | None:
        """When the area of an id was last in force before an instant; None where it never was, or is not known."""
        ends = [area.valid_to_us for area in self._by_id.get(area_id, ()) if area.valid_to_us is not None]
        return max((end_us for end_us in ends if end_us <= time_us), default=None)

    def inside(self, lat_deg: float, lon_deg: float, time_us: int, asset_class: str) -> list[WatchedArea]:
        """The areas in force at an instant for assets of a class that hold a position."""
        return [
            one.area
            for one in self.around(lat_deg, lon_deg)
            if one.area.in_force(time_us) and one.area.concerns(asset_class) and one.contains(lat_deg, lon_deg)
        ]

    def reachable(
        self,
        lat_deg: float,
        lon_deg: float,
        radius_nm: float,
        time_us: int,
        asset_class: str,
        kinds: Collection[str] = ("prohibited",),
    ) -> list[Reached]:
        """The areas of some kinds, in force at an instant, that lie within a radius of a position; the nearest first.

        Right to about a mile: edges are looked at every mile or so.
        """
        return self._within([(lat_deg, lon_deg)], radius_nm, time_us, asset_class, kinds)

    def reachable_between(
        self,
        before_deg: tuple[float, float],
        after_deg: tuple[float, float],
        way_nm: float,
        time_us: int,
        asset_class: str,
        kinds: Collection[str] = ("prohibited",),
    ) -> list[Reached]:
        """The same for a way between two positions (latitude, longitude) that is at most so long: the detour over each area.

        An area counts where the distances from both positions to one of its places add up to no more than `way_nm`.
        """
        return self._within([before_deg, after_deg], way_nm, time_us, asset_class, kinds)

    def _within(
        self, ends: list[tuple[float, float]], way_nm: float, time_us: int, asset_class: str, kinds: Collection[str]
    ) -> list[Reached]:
        found: list[Reached] = []
        for area in self.areas:
            if area.kind not in kinds or not area.in_force(time_us) or not area.concerns(asset_class):
                continue
            _, south, _, north = area.shape.bbox
            if any(max(south - lat, lat - north) * 59.0 > way_nm for lat, _ in ends):
                continue  # a degree of latitude is 59.7 nm at its shortest
            away_nm = detour_m(area.shape, ends) / NM_M
            if away_nm <= way_nm:
                found.append(Reached(area, away_nm))
        return sorted(found, key=lambda one: (one.distance_nm, one.area.id))

    def _lay(self, cell: int, lat_deg: float, lon_deg: float) -> tuple[tuple[Beside, ...], tuple[Beside, ...]]:
        """Work out what the cell of a position holds, and remember it."""
        south, west = floor(lat_deg / CELL_DEG) * CELL_DEG, floor(lon_deg / CELL_DEG) * CELL_DEG
        west = (west + 180.0) % 360.0 - 180.0
        if max(abs(south), abs(south + CELL_DEG)) > CLIPPED_BELOW_DEG:
            around = [box(-180.0, max(-90.0, south - 1.0), 180.0, min(90.0, south + CELL_DEG + 1.0))]
            found = tuple(Beside(area, area.shape) for area in self._touching(around))
        else:
            around = _around(south, west)
            core = box(west, south, west + CELL_DEG, south + CELL_DEG)
            found = tuple(_beside(area, core, around) for area in self._touching(around))
        if len(self._cells) >= CELLS_MAX:
            self._cells.clear()
        held = tuple(one for one in found if one.area.kind in WATCHED_KINDS), found
        self._cells[cell] = held
        return held

    def _touching(self, around: list[Polygon]) -> list[WatchedArea]:
        numbers = {int(number) for one in around for number in self._tree.query(one, predicate="intersects")}
        return [self.areas[number] for number in sorted(numbers)]


def _around(south: float, west: float) -> list[Polygon]:
    """A cell with its margin, in one or, over ±180°, two pieces within [-180, 180]."""
    high = MARGIN_NM / 59.0
    wide = high / cos(radians(min(89.0, max(abs(south), abs(south + CELL_DEG)) + high)))
    low, top, left, right = south - high, south + CELL_DEG + high, west - wide, west + CELL_DEG + wide
    pieces = [box(max(-180.0, left), low, min(180.0, right), top)]
    if left < -180.0:
        pieces.append(box(left + 360.0, low, 180.0, top))
    if right > 180.0:
        pieces.append(box(-180.0, low, right - 360.0, top))
    return pieces


def _beside(area: WatchedArea, core: Polygon, around: list[Polygon]) -> Beside:
    if shapely.covers(area.shape.geometry, core):
        return Beside(area, None)
    cut = [part for piece in around for part in _polygons(area.shape.geometry.intersection(piece))]
    return Beside(area, Shape(MultiPolygon(cut))) if cut else Beside(area, area.shape)


def _polygons(geometry: BaseGeometry) -> list[Polygon]:
    if isinstance(geometry, Polygon):
        return [] if geometry.is_empty else [geometry]
    return [part for inner in getattr(geometry, "geoms", ()) for part in _polygons(inner)]
