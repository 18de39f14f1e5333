"""Distances and bearings on WGS 84, by pyproj; longitudes in [−180, 180)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pyproj import Geod

NM_M = 1852.0  # international nautical mile, metres
KN_MPS = NM_M / 3600.0  # one knot in metres a second
FT_M = 0.3048  # international foot, metres

_GEOD = Geod(ellps="WGS84")


def distance_m(lat_a_deg: float, lon_a_deg: float, lat_b_deg: float, lon_b_deg: float) -> float:
    """Geodesic distance in metres between two points on WGS 84 (Karney 2013, through PROJ). Golden SH9."""
    _, _, metres = _GEOD.inv(lon_a_deg, lat_a_deg, lon_b_deg, lat_b_deg)
    return float(metres)


def bearing_deg(lat_a_deg: float, lon_a_deg: float, lat_b_deg: float, lon_b_deg: float) -> float:
    """Initial geodesic bearing from a to b in [0, 360). Of no meaning at a pole or for equal points."""
    forward, _, _ = _GEOD.inv(lon_a_deg, lat_a_deg, lon_b_deg, lat_b_deg)
    return float(forward) % 360.0


def destination(lat_deg: float, lon_deg: float, bearing: float, metres: float) -> tuple[float, float]:
    """The (lat, lon) reached from a point along a geodesic: bearing in degrees, distance in metres."""
    lon, lat, _ = _GEOD.fwd(lon_deg, lat_deg, bearing, metres)
    return float(lat), normalise_lon_deg(float(lon))


def normalise_lon_deg(lon_deg: float) -> float:
    """Longitude in [−180, 180): 180 becomes −180 (domain.md 3.4)."""
    return (lon_deg + 180.0) % 360.0 - 180.0


def line_length_m(points: Sequence[tuple[float, float]]) -> float:
    """Geodesic length in metres of a line through (lat, lon) points, legs summed; 0 for fewer than two. Golden SH9_route."""
    return sum(distance_m(lat_a, lon_a, lat_b, lon_b) for (lat_a, lon_a), (lat_b, lon_b) in pairwise(points))


def implied_speed_kn(metres: float, seconds: float) -> float:
    """The speed over ground, in knots, that a leg needs; infinite for a leg without time, 0 for no leg at all. Golden SH10."""
    if seconds <= 0:
        return math.inf if metres > 0 else 0.0
    return metres / seconds / KN_MPS


def mean_lon_deg(lons_deg: Iterable[float]) -> float | None:
    """Circular mean of longitudes in [−180, 180): of 179.8 and −179.6 it is −179.9 (domain.md 3.4; golden ID9).

    None where there is none, or where they cancel out (0 and 180): then no longitude is their middle.
    """
    angles = [math.radians(lon) for lon in lons_deg]
    east, north = math.fsum(map(math.sin, angles)), math.fsum(map(math.cos, angles))
    if not angles or math.hypot(east, north) < 1e-9 * len(angles):
        return None
    return normalise_lon_deg(math.degrees(math.atan2(east, north)))


def antimeridian_lat_deg(lat_a_deg: float, lon_a_deg: float, lat_b_deg: float, lon_b_deg: float) -> float:
    """Latitude at which the geodesic from a to b crosses 180°. Golden ID10 (a line straight in degrees crosses elsewhere).

    Raises:
        ValueError: it does not: both points lie on one side, or the shorter way between them runs over 0°.
    """
    side_a, side_b = math.copysign(1, lon_a_deg), math.copysign(1, lon_b_deg)
    if side_a == side_b or abs(lon_a_deg - lon_b_deg) <= 180:
        raise ValueError("the line does not cross 180 degrees")
    bearing, metres = (
        bearing_deg(lat_a_deg, lon_a_deg, lat_b_deg, lon_b_deg),
        distance_m(lat_a_deg, lon_a_deg, lat_b_deg, lon_b_deg),
    )
    low, high = 0.0, metres
    lat = lat_a_deg
    for _ in range(60):  # halves 20,000 km down to less than a nanometre
        middle = (low + high) / 2
        lat, lon = destination(lat_a_deg, lon_a_deg, bearing, middle)
        if lon * side_a > 0:
            low = middle
        else:
            high = middle
    return lat


def cut_at_antimeridian(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """A line through (lat, lon) points in pieces of which none crosses 180°, cut where the geodesic does (RFC 7946 §3.1.9).

    Each cut adds a point on either side (±180, same latitude). Points more than 180° of longitude apart went the shorter way.
    """
    pieces: list[list[tuple[float, float]]] = []
    piece: list[tuple[float, float]] = []
    for lat, lon in points:
        if piece and abs(lon - piece[-1][1]) > 180:
            before_lat, before_lon = piece[-1]
            side = math.copysign(180.0, before_lon)
            cut = before_lat if abs(before_lon) == 180 else lat
            if abs(before_lon) != 180 and abs(lon) != 180:
                cut = antimeridian_lat_deg(before_lat, before_lon, lat, lon)
            if before_lon != side:
                piece.append((cut, side))
            pieces.append(piece)
            piece = [] if lon == -side else [(cut, -side)]
        piece.append((lat, lon))
    return [*pieces, piece] if piece else pieces
