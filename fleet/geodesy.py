"""Distances and bearings on WGS 84, by pyproj; longitudes in [−180, 180)."""

from __future__ import annotations

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
