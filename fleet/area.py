"""Areas: is a place inside, how far outside, and when has an asset entered or left.

A geometry is GeoJSON (RFC 7946): Polygon or MultiPolygon, [lon, lat] in degrees, WGS 84, edges straight in longitude and
latitude, holes allowed, the edge itself inside. Rings may cross ±180°, with longitudes beyond 180 or with a leap back, and may
run around a pole. shapely is the geometry; it computes and does no I/O.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import msgspec
import numpy as np
import shapely
from shapely.affinity import translate
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box, mapping
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient
from shapely.ops import nearest_points, unary_union
from shapely.strtree import STRtree

from fleet.geodesy import NM_M, destination, distance_m
from fleet.instants import MINUTE_US
from fleet.practice import Figure, Practice

FIGURES: tuple[Figure, ...] = (
    Figure(name="area.enter_fixes", value=2, source="domain.md 3.4, geofence hysteresis: enter = 2 fixes"),
    Figure(name="area.enter_after_min", value=10, source="domain.md 3.4, geofence hysteresis: or 1 fix and 10 min inside"),
    Figure(name="area.exit_fixes", value=2, source="domain.md 3.4, geofence hysteresis: exit = 2 fixes outside"),
    Figure(name="area.exit_buffer_nm", value=1.0, source="domain.md 3.4, geofence hysteresis: and a buffer of 1 nm"),
)

VERTICES_MAX = 100_000  # of one geometry; chosen: a coastline in metres, some 2 MB of GeoJSON
CIRCLE_CORNERS = 72  # chosen: one each 5°, whose chords lie 0.1 % of the radius inside the circle
RADIUS_M_MAX = 1_000_000.0  # chosen: beyond it a circle is no place
POLAR_LAT_DEG = 80.0  # chosen: beyond it degrees of longitude are too short for a scaled plane
WORLD = box(-180.0, -90.0, 180.0, 90.0)


class GeometryError(ValueError):
    """A geometry that is none: `pointer` is where in it (JSON pointer without `#`), the text says what."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


class Shape:
    """A geometry ready to be asked. Made by `shape_of`; equal geometries give equal answers on every machine."""

    __slots__ = ("bbox", "geometry", "reaches_north_pole", "reaches_south_pole")

    def __init__(self, geometry: MultiPolygon) -> None:
        self.geometry = geometry
        west, south, east, north = geometry.bounds
        self.bbox = _bbox(geometry, west, south, east, north)
        self.reaches_north_pole = north >= 90.0
        self.reaches_south_pole = south <= -90.0
        shapely.prepare(geometry)

    def contains(self, lat_deg: float, lon_deg: float) -> bool:
        """Whether a place is inside or on the edge; latitude in [−90, 90], any longitude. Golden GEO1."""
        if abs(lat_deg) == 90.0:  # a pole has every longitude
            reaches = self.reaches_north_pole if lat_deg > 0 else self.reaches_south_pole
            return reaches and bool(self.geometry.intersects(LineString([(-180.0, lat_deg), (180.0, lat_deg)])))
        lon = _wrapped(lon_deg)
        if bool(shapely.intersects_xy(self.geometry, lon, lat_deg)):
            return True
        return lon == -180.0 and bool(shapely.intersects_xy(self.geometry, 180.0, lat_deg))

    def distance_m(self, lat_deg: float, lon_deg: float) -> float:
        """Metres from a place to the nearest edge of the area, 0 inside.

        The nearest point is sought in a plane around the place and measured on WGS 84: right to a few in a thousand within some
        ten miles, which is what a buffer asks; farther off it is an estimate from above.
        """
        if self.contains(lat_deg, lon_deg):
            return 0.0
        if abs(lat_deg) > POLAR_LAT_DEG:
            return self._polar_distance_m(lat_deg, lon_deg)
        scale = math.cos(math.radians(lat_deg))
        lon = _wrapped(lon_deg)
        best = math.inf
        for turn in (0.0, 360.0, -360.0):
            if turn and not _may_be_nearer(self.geometry.bounds, lon + turn):
                continue
            here = Point((lon + turn) * scale, lat_deg)
            scaled = shapely.transform(self.geometry, lambda xy: xy * np.array([scale, 1.0]))
            there = nearest_points(scaled, here)[0]
            best = min(best, distance_m(lat_deg, lon, there.y, there.x / scale - turn))
        return best

    def _polar_distance_m(self, lat_deg: float, lon_deg: float) -> float:
        """The same near a pole, in the azimuthal equidistant plane around it, edges cut into pieces of a degree first."""
        sign = math.copysign(1.0, lat_deg)

        def to_plane(xy: Any) -> Any:
            away, angle = 90.0 - sign * xy[:, 1], np.radians(xy[:, 0])
            return np.column_stack([away * np.cos(angle), away * np.sin(angle)])

        plane = shapely.transform(shapely.segmentize(self.geometry, 1.0), to_plane)
        x, y = to_plane(np.array([[lon_deg, lat_deg]]))[0]
        there = nearest_points(shapely.make_valid(plane), Point(x, y))[0]
        away, angle = math.hypot(there.x, there.y), math.degrees(math.atan2(there.y, there.x))
        return distance_m(lat_deg, lon_deg, sign * (90.0 - away), angle)

    def geojson(self) -> dict[str, Any]:
        """The geometry as RFC 7946 has it: longitudes in [−180, 180], cut at ±180°; a Polygon where one suffices.

        The same area gives the same text, whatever corner its rings began at.
        """
        parts = [orient(part) for part in shapely.normalize(self.geometry).geoms]
        found: dict[str, Any] = mapping(parts[0] if len(parts) == 1 else MultiPolygon(parts))
        return {"type": found["type"], "coordinates": _lists(found["coordinates"])}


def shape_of(geometry: Any, radius_m: float | None = None) -> Shape:
    """A GeoJSON geometry as a `Shape`.

    Args:
        geometry: a decoded Polygon or MultiPolygon, or with `radius_m` a Point. An edge that leaps more than 180° of longitude is
            read as crossing ±180° the short way (nobody draws the long one); one of exactly 360° is read as drawn. A ring that
            comes around to where it began 360° further holds the pole nearer to its mean latitude.
        radius_m: of a Point, metres; the circle around it is a ring of `CIRCLE_CORNERS` geodesic rays.

    Raises:
        GeometryError: it is none of these, has too many vertices, a ring of fewer than four positions or one that is not closed,
            a coordinate that is no number or out of range, or polygons that no area is left of.
    """
    if isinstance(geometry, dict) and geometry.get("type") == "Point" and radius_m is not None:
        return Shape(_circle(_position(geometry.get("coordinates"), "/coordinates"), radius_m))
    if not isinstance(geometry, dict) or geometry.get("type") not in {"Polygon", "MultiPolygon"}:
        raise GeometryError("/type", "a Polygon or a MultiPolygon is wanted")
    given = geometry.get("coordinates")
    if not isinstance(given, list | tuple) or not given:
        raise GeometryError("/coordinates", "an array of rings is wanted")
    polygons = [given] if geometry["type"] == "Polygon" else given
    parts: list[BaseGeometry] = []
    left = VERTICES_MAX
    for number, rings in enumerate(polygons):
        at = "/coordinates" if geometry["type"] == "Polygon" else f"/coordinates/{number}"
        if not isinstance(rings, list | tuple) or not rings:
            raise GeometryError(at, "an array of rings is wanted")
        read = [_ring(ring, f"{at}/{place}") for place, ring in enumerate(rings)]
        left -= sum(map(len, read))
        if left < 0:
            raise GeometryError(at, f"more than {VERTICES_MAX} positions")
        outside = _within_world(read[0])
        for hole in read[1:]:
            outside = outside.difference(_within_world(hole))
        parts.append(outside)
    merged = unary_union([part for whole in parts for part in _polygons(whole)])
    kept = MultiPolygon(list(_polygons(merged)))
    if kept.is_empty:
        raise GeometryError("/coordinates", "no area is left of it")
    return Shape(kept)


def point_of(geometry: Any) -> tuple[float, float]:
    """(longitude, latitude) of a decoded GeoJSON Point, in degrees. Raises GeometryError where it is none."""
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        raise GeometryError("/type", "a Point is wanted")
    lon_deg, lat_deg = _position(geometry.get("coordinates"), "/coordinates")
    return _wrapped(lon_deg), lat_deg


def _circle(centre: tuple[float, float], radius_m: float) -> MultiPolygon:
    if not 0.0 < radius_m <= RADIUS_M_MAX:
        raise GeometryError("/radius_m", f"a radius lies in 0..{RADIUS_M_MAX:.0f} m")
    lon, lat = centre
    rays = [destination(lat, lon, 360.0 * ray / CIRCLE_CORNERS, radius_m) for ray in range(CIRCLE_CORNERS)]
    corners = [[lon_deg, lat_deg] for lat_deg, lon_deg in rays]
    return MultiPolygon(list(_polygons(_within_world(_ring([*corners, corners[0]], "/coordinates")))))


def _ring(given: Any, at: str) -> list[tuple[float, float]]:
    """A ring's positions, longitudes unrolled so that no edge leaps."""
    if not isinstance(given, list | tuple) or len(given) < 4:
        raise GeometryError(at, "a ring has four positions or more")
    ring: list[tuple[float, float]] = []
    turns = 0.0
    for place, position in enumerate(given):
        lon, lat = _position(position, f"{at}/{place}")
        if ring:
            leap = lon + turns - ring[-1][0]
            if abs(leap) > 180.0 and abs(leap) != 360.0:
                turns -= math.copysign(360.0, leap)
        ring.append((lon + turns, lat))
    if _wrapped(ring[0][0]) != _wrapped(ring[-1][0]) or ring[0][1] != ring[-1][1]:
        raise GeometryError(at, "a ring ends where it begins")
    return ring


def _position(given: Any, at: str) -> tuple[float, float]:
    if not isinstance(given, list | tuple) or len(given) < 2:
        raise GeometryError(at, "a position is [lon, lat]")
    lon, lat = given[0], given[1]
    for number in (lon, lat):
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise GeometryError(at, "a position is two numbers")
    if abs(lat) > 90.0 or abs(lon) > 540.0:
        raise GeometryError(at, "latitude lies in -90..90, longitude in -540..540")
    return float(lon), float(lat)


def _within_world(ring: Sequence[tuple[float, float]]) -> BaseGeometry:
    """A ring's inside, cut at ±180° and brought into [−180, 180]; one that runs around a pole is closed over the pole."""
    around = ring[-1][0] - ring[0][0]
    if abs(around) >= 360.0:
        pole = math.copysign(90.0, sum(lat for _, lat in ring))
        ring = [*ring, (ring[-1][0], pole), (ring[0][0], pole), ring[0]]
    whole = shapely.make_valid(Polygon(ring))
    pieces = []
    for turn in range(-4, 5):
        piece = whole.intersection(box(-180.0 + 360.0 * turn, -90.0, 180.0 + 360.0 * turn, 90.0))
        pieces += [translate(part, -360.0 * turn) for part in _polygons(piece)]
    return unary_union(pieces)


def _polygons(geometry: BaseGeometry) -> Iterator[Polygon]:
    """The polygons of a geometry; the points and lines that cutting leaves behind are no area."""
    if isinstance(geometry, Polygon):
        if geometry.area > 0.0:
            yield geometry
    elif hasattr(geometry, "geoms"):
        for part in geometry.geoms:
            yield from _polygons(part)


def _bbox(geometry: MultiPolygon, west: float, south: float, east: float, north: float) -> tuple[float, float, float, float]:
    """West, south, east, north; west > east where that is the smaller box over ±180° (RFC 7946 §5.2)."""
    if west > -180.0 or east < 180.0 or north >= 90.0 or south <= -90.0:
        return (-180.0, south, 180.0, north) if north >= 90.0 or south <= -90.0 else (west, south, east, north)
    spans = sorted((part.bounds[0], part.bounds[2]) for part in geometry.geoms)
    reach, gap = spans[0][1], (0.0, -180.0, 180.0)
    for first, last in spans[1:]:
        if first - reach > gap[0]:
            gap = (first - reach, reach, first)
        reach = max(reach, last)
    return (-180.0, south, 180.0, north) if gap[0] == 0.0 else (gap[2], south, gap[1], north)


def _wrapped(lon_deg: float) -> float:
    return (lon_deg + 180.0) % 360.0 - 180.0 if not -180.0 <= lon_deg < 180.0 else lon_deg


def _may_be_nearer(bounds: tuple[float, float, float, float], lon_deg: float) -> bool:
    return bounds[0] - 180.0 < lon_deg < bounds[2] + 180.0


def _lists(coordinates: Any) -> Any:
    return [_lists(inner) for inner in coordinates] if isinstance(coordinates, tuple | list) else coordinates


Named = TypeVar("Named")


class ShapeIndex(Generic[Named]):
    """Many areas, asked which hold a place: a tree of boxes first, then the shapes."""

    def __init__(self, areas: Iterable[tuple[Named, Shape]]) -> None:
        self._areas = list(areas)
        self._tree = STRtree([shape.geometry for _, shape in self._areas])

    def holding(self, lat_deg: float, lon_deg: float) -> list[Named]:
        """The areas that a place is in, in the order given."""
        places = [_wrapped(lon_deg)] + ([180.0] if _wrapped(lon_deg) == -180.0 else [])
        if abs(lat_deg) == 90.0:
            return [name for name, shape in self._areas if shape.contains(lat_deg, lon_deg)]
        found = {int(number) for lon in places for number in self._tree.query(Point(lon, lat_deg))}
        return [self._areas[number][0] for number in sorted(found) if self._areas[number][1].contains(lat_deg, lon_deg)]


class Hysteresis(NamedTuple):
    """How sure one must be: fixes and minutes to have entered, fixes and nautical miles to have left (domain.md 3.4)."""

    enter_fixes: int
    enter_after_us: int
    exit_fixes: int
    exit_buffer_m: float

    @classmethod
    def of(cls, practice: Practice, on: date) -> Hysteresis:
        """As the figures `area.…` have it on a day. Raises NotDefinedError where one does not hold then."""
        return cls(
            enter_fixes=int(practice.number("area.enter_fixes", on)),
            enter_after_us=int(practice.number("area.enter_after_min", on) * MINUTE_US),
            exit_fixes=int(practice.number("area.exit_fixes", on)),
            exit_buffer_m=practice.number("area.exit_buffer_nm", on) * NM_M,
        )


Placement = Literal["inside", "buffer", "outside"]


class Passage(msgspec.Struct, frozen=True):
    """An area was entered or left: `at_us` is the first fix that said so, `decided_us` the one or the tick that confirmed it."""

    kind: Literal["entered", "exited"]
    at_us: int
    decided_us: int


class AreaWatch(msgspec.Struct, kw_only=True):
    """What is remembered of one asset and one area, as plain numbers: inside or not, and the fixes that speak against it."""

    inside: bool = False
    since_us: int | None = None
    fixes: int = 0

    def wake_at_us(self, hysteresis: Hysteresis) -> int | None:
        """When a single fix inside will have lasted long enough, or None."""
        return None if self.inside or self.since_us is None else self.since_us + hysteresis.enter_after_us


def placement_of(shape: Shape, hysteresis: Hysteresis, lat_deg: float, lon_deg: float) -> Placement:
    """Inside, within the buffer around, or outside of both."""
    if shape.contains(lat_deg, lon_deg):
        return "inside"
    return "buffer" if shape.distance_m(lat_deg, lon_deg) <= hysteresis.exit_buffer_m else "outside"


def pass_area(watch: AreaWatch, hysteresis: Hysteresis, time_us: int, placement: Placement | None) -> Passage | None:
    """Take a fix (or a tick: None) in; the passage that it confirms. Updates `watch` in place.

    Entered by `enter_fixes` fixes inside in a row, or by one that nothing contradicted for `enter_after_us`; left by `exit_fixes`
    fixes in a row outside of area and buffer. A fix in the buffer confirms neither and starts both over. Fixes and ticks come in
    order of time. domain.md 3.4.
    """
    if not watch.inside and watch.since_us is not None and time_us - watch.since_us >= hysteresis.enter_after_us:
        return _confirm(watch, "entered", time_us, placement)
    if placement is None:
        return None
    against = placement == ("outside" if watch.inside else "inside")
    if not against:
        watch.since_us, watch.fixes = None, 0
        return None
    watch.since_us = time_us if watch.since_us is None else watch.since_us
    watch.fixes += 1
    wanted = hysteresis.exit_fixes if watch.inside else hysteresis.enter_fixes
    return _confirm(watch, "exited" if watch.inside else "entered", time_us, None) if watch.fixes >= wanted else None


def _confirm(watch: AreaWatch, kind: Literal["entered", "exited"], time_us: int, placement: Placement | None) -> Passage:
    passage = Passage(kind, watch.since_us if watch.since_us is not None else time_us, time_us)
    outside_now = kind == "entered" and placement == "outside"  # the fix that came too late to contradict begins the way out
    watch.inside = kind == "entered"
    watch.since_us, watch.fixes = (time_us, 1) if outside_now else (None, 0)
    return passage
