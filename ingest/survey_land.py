"""Draws the mask of land from Natural Earth: run as `python -m ingest.survey_land LAND.json LAKES.geojson`.

LAND.json is Natural Earth's land 1:10m as topojson (npm `world-atlas`, `land-10m.json`), LAKES.geojson its lakes 1:50m as GeoJSON
(`ne_50m_lakes`); both are in the public domain. Writes `land.bin` beside itself. A tool, run by nobody but who renews the file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from fleet.land import BIT_DEG, FAR_KM, STEP_DEG, pack
from ingest.land import LAND_PATH

Ring = np.ndarray[Any, Any]
EARTH_KM = 6371.0088  # mean radius (IUGG); a distance to a coast drawn at 1:10m needs no ellipsoid
APART_DEG = 0.03  # chosen: between points of the coast that distances are taken to, half a cell
NULL_ISLAND_DEG = 0.1  # Natural Earth draws an island of a metre at 0 N 0 E as a marker


def land_rings(topology: dict[str, Any]) -> list[Ring]:
    """Closed rings of (lon, lat) of a topojson's `land`, quantised arcs put together. Raises KeyError when it is none."""
    (scale_x, scale_y), (move_x, move_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = [np.cumsum(np.asarray(arc, dtype=float), axis=0) * [scale_x, scale_y] + [move_x, move_y] for arc in topology["arcs"]]
    rings: list[Ring] = []
    for geometry in topology["objects"]["land"]["geometries"]:
        for polygon in geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]:
            for indexes in polygon:
                parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in indexes]
                rings.append(np.concatenate([parts[0], *(part[1:] for part in parts[1:])]))
    return [ring for ring in rings if np.abs(ring).max() > NULL_ISLAND_DEG]


def lake_rings(collection: dict[str, Any]) -> list[Ring]:
    """Closed rings of (lon, lat) of a GeoJSON collection of polygons. Raises KeyError when it is none."""
    rings: list[Ring] = []
    for feature in collection["features"]:
        geometry = feature["geometry"]
        polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        rings += [np.asarray(ring, dtype=float)[:, :2] for polygon in polygons for ring in polygon]
    return rings


def rastered(rings: Iterable[Ring], cell_deg: float) -> np.ndarray[Any, Any]:
    """Cells whose centre lies inside an odd number of rings, row by row along each parallel.

    A ring that crosses 180° there and back is closed along it; one that goes around the pole is closed through the south pole.
    """
    rows = round(180 / cell_deg)
    flips = np.zeros((rows, 2 * rows + 1), dtype=np.int64)
    for ring in rings:
        start, end = ring[:-1].copy(), ring[1:].copy()
        over = np.abs(end[:, 0] - start[:, 0]) > 180.0
        side = np.sign(start[over, 0]) * 360.0
        width = end[over, 0] + side - start[over, 0]
        share = (np.sign(start[over, 0]) * 180.0 - start[over, 0]) / np.where(width == 0.0, 1.0, width)
        for lat in start[over, 1] + share * (end[over, 1] - start[over, 1]):
            flips[: int(np.ceil((lat + 90.0) / cell_deg - 0.5)), 0] += 1
        end[over, 0] += side
        first = np.ceil((np.minimum(start[:, 1], end[:, 1]) + 90.0) / cell_deg - 0.5).astype(int)
        count = np.ceil((np.maximum(start[:, 1], end[:, 1]) + 90.0) / cell_deg - 0.5).astype(int) - first
        edge = np.repeat(np.arange(len(start)), count)
        row = first[edge] + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        share = ((row + 0.5) * cell_deg - 90.0 - start[edge, 1]) / (end[edge, 1] - start[edge, 1])
        lon = start[edge, 0] + share * (end[edge, 0] - start[edge, 0])
        lon = np.where(np.abs(lon) > 180.0, lon - np.sign(lon) * 360.0, lon)
        column = np.clip(np.ceil((lon + 180.0) / cell_deg - 0.5).astype(int), 0, 2 * rows)
        np.add.at(flips, (row, column), 1)
    return (np.cumsum(flips, axis=1)[:, :-1] & 1).astype(bool)


def distances_km(rings: Iterable[Ring], cell_deg: float) -> np.ndarray[Any, Any]:
    """Distance from the centre of each cell to the nearest point of any ring, in km; at most a little over `FAR_KM`."""
    shore: list[Ring] = []
    for ring in rings:
        leg = np.diff(ring, axis=0)
        drawn = (np.abs(leg[:, 0]) < 180.0) & ~((np.abs(ring[:-1, 0]) > 179.99) & (np.abs(ring[1:, 0]) > 179.99))
        count = np.where(drawn, np.maximum(1, np.hypot(leg[:, 0], leg[:, 1]) / APART_DEG).astype(int), 0)
        edge = np.repeat(np.arange(len(leg)), count)
        share = (np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)) / np.maximum(np.repeat(count, count), 1)
        shore.append(ring[:-1][edge] + share[:, None] * leg[edge])
    rows = round(180 / cell_deg)
    lats = -90.0 + cell_deg * (np.arange(rows) + 0.5)
    lons = -180.0 + cell_deg * (np.arange(2 * rows) + 0.5)
    grid_lons, grid_lats = np.meshgrid(lons, lats)
    tree = cKDTree(_on_sphere(np.concatenate(shore)))
    cells = _on_sphere(np.column_stack([grid_lons.ravel(), grid_lats.ravel()]))
    chord, _ = tree.query(cells, distance_upper_bound=1.1 * FAR_KM / EARTH_KM)
    km: Ring = EARTH_KM * 2.0 * np.arcsin(np.minimum(chord, 1.1 * FAR_KM / EARTH_KM) / 2.0)
    return km.reshape(rows, 2 * rows)


def _on_sphere(lon_lat: Ring) -> Ring:
    lon, lat = np.radians(lon_lat[:, 0]), np.radians(lon_lat[:, 1])
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def survey(land_path: Path, lakes_path: Path) -> bytes:
    """The packed mask of two files. Raises OSError, KeyError or ValueError when a file is not what it should be."""
    land = land_rings(json.loads(land_path.read_text(encoding="utf-8")))
    lakes = lake_rings(json.loads(lakes_path.read_text(encoding="utf-8")))
    off_km = distances_km([*land, *lakes], STEP_DEG)
    dry = rastered(land, STEP_DEG) & ~rastered(lakes, STEP_DEG)
    return pack(rastered(land, BIT_DEG) & ~rastered(lakes, BIT_DEG), np.where(dry, -off_km, off_km))


if __name__ == "__main__":
    LAND_PATH.write_bytes(survey(Path(sys.argv[1]), Path(sys.argv[2])))
