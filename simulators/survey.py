"""Surveys sea lanes: finds legs over land, and leads a lane around it.

Run as `python -m simulators.survey LAND.json` it writes `lanes.json` anew from `searoute` for every voyage the scenarios
sail; LAND.json is Natural Earth land as topojson (npm `world-atlas`, `land-10m.json`). It knows polygons and lanes, not ships.
Neighbours: `lanes` keeps what this module surveyed, the land test asks it again.
"""

from __future__ import annotations

import heapq
import json
import math
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.affinity
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from simulators.lanes import CANALS, LANES_PATH, PORTS, raw_lane, voyages_sailed
from simulators.motion import GEOD, NM_M, LonLat, turn_deg

PORT_ZONE_NM = 5.0  # contract: within it a chart drawn at 1:10,000,000 cannot tell quay from land
CLEARANCE_DEG = 0.02  # chosen: 1.2 nm off the drawn coast, so that another chart's coast is cleared too
CELL_DEG = 0.02  # chosen: narrower than the Singapore Strait's fairway
CELLS_MAX = 4_000_000  # one search's grid, 4 MB of booleans
KINK_NM, KINK_DEG = 2.0, 75.0  # chosen: a turn of 75 degrees on 0.6 nm needs half a mile of each leg
SHORT_NM = 0.1  # chosen: shorter contact is rounding of the chart


def load_land(path: Path) -> MultiPolygon:
    """Read the polygons of a topojson file's `land` object (quantised arcs, as `world-atlas` writes them).

    Errors: OSError, KeyError or ValueError when the file is not such a topology.
    """
    topology: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    (scale_x, scale_y), (move_x, move_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        steps = np.cumsum(np.asarray(arc, dtype=float), axis=0)
        arcs.append(np.column_stack([steps[:, 0] * scale_x + move_x, steps[:, 1] * scale_y + move_y]))

    def ring(indexes: Sequence[int]) -> np.ndarray[Any, Any]:
        parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in indexes]
        return _unwrapped(np.vstack([parts[0], *(part[1:] for part in parts[1:])]))

    world = box(-180.0, -90.0, 180.0, 90.0)
    parts: list[BaseGeometry] = []
    for geometry in topology["objects"]["land"]["geometries"]:
        rings_of = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for rings in rings_of:
            polygon = Polygon(ring(rings[0]), [ring(hole) for hole in rings[1:]]).buffer(0)
            if world.contains(polygon):
                parts.append(polygon)
                continue
            shifted = (shapely.affinity.translate(polygon, shift_deg) for shift_deg in (-360.0, 0.0, 360.0))
            parts += [shapely.clip_by_rect(one, *world.bounds) for one in shifted]
    return MultiPolygon([p for part in parts for p in getattr(part, "geoms", [part]) if not p.is_empty])


def _unwrapped(ring: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Let a ring that crosses 180° run on past it; close one that goes around the pole (Antarctica) through -90°."""
    lons = np.unwrap(ring[:, 0], period=360.0)
    unwrapped = np.column_stack([lons, ring[:, 1]])
    if abs(lons[-1] - lons[0]) > 180.0:
        unwrapped = np.vstack([unwrapped, [[lons[-1], -90.0], [lons[0], -90.0]]])
    return unwrapped


def disc(lon_deg: float, lat_deg: float, radius_nm: float) -> Polygon:
    """Draw a circle of radius_nm around a point as a polygon of 48 corners."""
    bearings = np.linspace(0, 360, 48, endpoint=False)
    ones = np.ones(48)
    lons, lats, _ = GEOD.fwd(lon_deg * ones, lat_deg * ones, bearings, radius_nm * NM_M * ones)
    return Polygon(zip(lons, lats, strict=True))


def free_water(ports: Iterable[LonLat]) -> BaseGeometry:
    """Zones where contact with drawn land is allowed: canals, and PORT_ZONE_NM around the given ports."""
    return shapely.union_all([*(box(*canal) for canal in CANALS.values()), *(disc(*port, PORT_ZONE_NM) for port in ports)])


def leg_line(a: LonLat, b: LonLat) -> list[LineString]:
    """Draw the geodesic from a to b with a point each 1 nm at most, cut where it passes 180°."""
    _, _, length_m = GEOD.inv(*a, *b)
    count = max(1, math.ceil(length_m / NM_M))
    points = [a, *((lon, lat) for lon, lat in GEOD.npts(*a, *b, count - 1)), b] if count > 1 else [a, b]
    lines: list[list[LonLat]] = [[points[0]]]
    for before, after in pairwise(points):
        if abs(after[0] - before[0]) > 180:
            lines.append([])
        lines[-1].append(after)
    return [LineString(line) for line in lines if len(line) > 1]


def over_land_nm(a: LonLat, b: LonLat, land: BaseGeometry, free: BaseGeometry) -> float:
    """Length of the leg from a to b that lies over land and outside the free zones, nm."""
    total_m = 0.0
    for line in leg_line(a, b):
        west, south, east, north = line.bounds
        near = shapely.clip_by_rect(land, west - 0.01, south - 0.01, east + 0.01, north + 0.01)
        if near.is_empty or not near.intersects(line):
            continue
        total_m += GEOD.geometry_length(line.intersection(near).difference(free))
    return total_m / NM_M


class Sounding:
    """A grid of water around one piece of a lane, on which a way is searched."""

    def __init__(self, points: Sequence[LonLat], land: BaseGeometry, free: BaseGeometry, margin_deg: float) -> None:
        lons, lats = zip(*points, strict=True)
        self.west, self.south = min(lons) - margin_deg, min(lats) - margin_deg
        east, north = max(lons) + margin_deg, max(lats) + margin_deg
        self.columns, self.rows = round((east - self.west) / CELL_DEG), round((north - self.south) / CELL_DEG)
        if self.columns * self.rows > CELLS_MAX:
            raise ValueError(f"the piece {points[0]} to {points[-1]} is too large to search")
        xs = self.west + CELL_DEG * np.arange(self.columns)
        ys = self.south + CELL_DEG * np.arange(self.rows)
        near = shapely.clip_by_rect(land, self.west, self.south, east, north).buffer(CLEARANCE_DEG, quad_segs=2)
        wall = near.difference(free)
        shapely.prepare(wall)
        self.wall = wall
        grid_x, grid_y = np.meshgrid(xs, ys)
        self.blocked = shapely.contains_xy(wall, grid_x, grid_y)

    def cell(self, point: LonLat) -> tuple[int, int]:
        """Row and column of a point."""
        return round((point[1] - self.south) / CELL_DEG), round((point[0] - self.west) / CELL_DEG)

    def point(self, cell: tuple[int, int]) -> LonLat:
        """Centre of a cell."""
        return self.west + cell[1] * CELL_DEG, self.south + cell[0] * CELL_DEG

    def way(self, a: LonLat, b: LonLat) -> list[LonLat]:
        """Shortest way over water from a to b (A*, eight neighbours), pulled taut. Errors: ValueError when there is none."""
        start, goal = self.cell(a), self.cell(b)
        narrow = math.cos(math.radians((a[1] + b[1]) / 2))
        came: dict[tuple[int, int], tuple[int, int]] = {}
        cost = {start: 0.0}
        heap = [(0.0, start)]
        while heap:
            _, here = heapq.heappop(heap)
            if here == goal:
                break
            for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
                there = (here[0] + dr, here[1] + dc)
                if not (0 <= there[0] < self.rows and 0 <= there[1] < self.columns) or self.blocked[there]:
                    continue
                new = cost[here] + math.hypot(dr, dc * narrow)
                if new < cost.get(there, math.inf):
                    cost[there], came[there] = new, here
                    guess = math.hypot(there[0] - goal[0], (there[1] - goal[1]) * narrow)
                    heapq.heappush(heap, (new + guess, there))
        else:
            raise ValueError(f"no water between {a} and {b}")
        cells = [goal]
        while cells[-1] != start:
            cells.append(came[cells[-1]])
        return self.taut([a, *(self.point(cell) for cell in reversed(cells[1:-1])), b])

    def taut(self, points: list[LonLat]) -> list[LonLat]:
        """Drop every point that a straight leg over water makes needless."""
        kept, at = [points[0]], 0
        while at < len(points) - 1:
            far = at + 1
            step = 1
            while far + step < len(points):
                if self.wall.intersects(LineString([points[at], points[far + step]])):
                    if step == 1:
                        break
                    step = max(1, step // 2)
                    continue
                far += step
                step *= 2
            kept.append(points[far])
            at = far
        return kept


def lead_around(points: list[LonLat], land: BaseGeometry, free: BaseGeometry) -> list[LonLat]:
    """Replace each run of legs over land by a way over water. Errors: ValueError when no way is found."""
    bad = [over_land_nm(a, b, land, free) > SHORT_NM for a, b in pairwise(points)]
    result, i = [points[0]], 0
    while i < len(bad):
        if not bad[i]:
            result.append(points[i + 1])
            i += 1
            continue
        last = i
        while last + 1 < len(bad) and (bad[last + 1] or points[last + 1] in _ashore(points, land, free)):
            last += 1
        piece = [result[-1], points[last + 1]]
        for margin_deg in (0.5, 1.5, 4.0):
            try:
                way = Sounding(piece, land, free, margin_deg).way(*piece)
                break
            except ValueError:
                if margin_deg == 4.0:
                    raise
        result += way[1:]
        i = last + 1
    return result


def _ashore(points: list[LonLat], land: BaseGeometry, free: BaseGeometry) -> list[LonLat]:
    return [p for p in points if land.contains(Point(p)) and not free.contains(Point(p))]


def eased(points: list[LonLat], land: BaseGeometry, free: BaseGeometry) -> list[LonLat]:
    """Drop every corner that no ship could turn, where the way without it stays on the water.

    Such are corners on a leg under KINK_NM and turns over KINK_DEG: stitches of the network and of ways led around land.
    """
    kept, i = list(points), 1
    while i < len(kept) - 1:
        before, here, after = kept[i - 1 : i + 2]
        _, back_deg, in_m = GEOD.inv(*before, *here)
        out_deg, _, out_m = GEOD.inv(*here, *after)
        sharp = abs(turn_deg(back_deg + 180.0, out_deg)) > KINK_DEG
        if (sharp or min(in_m, out_m) < KINK_NM * NM_M) and over_land_nm(before, after, land, free) < SHORT_NM:
            del kept[i]
            i = max(1, i - 1)
        else:
            i += 1
    return kept


def main(land_path: str) -> None:
    """Survey every voyage of the scenarios against the given land and write the lanes file."""
    land = load_land(Path(land_path))
    lanes: dict[str, list[list[float]]] = {}
    for origin, destination in voyages_sailed():
        free = free_water([PORTS[origin].lon_lat, PORTS[destination].lon_lat])
        points = raw_lane(origin, destination)
        try:
            points = eased(lead_around(points, land, free), land, free)
        except ValueError as error:
            sys.stderr.write(f"{origin}-{destination}: {error}\n")
            continue
        worst = max(over_land_nm(a, b, land, free) for a, b in pairwise(points))
        sys.stderr.write(f"{origin}-{destination}: {len(points)} points, worst leg {worst:.2f} nm over land\n")
        lanes[f"{origin}-{destination}"] = [[round(lon, 4), round(lat, 4)] for lon, lat in points]
    rows = ",\n".join(f'"{name}": {json.dumps(points, separators=(",", ":"))}' for name, points in lanes.items())
    LANES_PATH.write_text("{\n" + rows + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
