"""Distances and bearings on a sphere, for faults of a nautical mile and more. Knows nothing of detection."""

from __future__ import annotations

from math import asin, atan2, cos, degrees, radians, sin, sqrt

RADIUS_M = 6_371_008.8  # the earth's mean radius (IUGG)
NM_M = 1852.0
KN_MPS = NM_M / 3600


def ahead(lat_deg: float, lon_deg: float, course_deg: float, run_m: float) -> tuple[float, float]:
    """Where one comes to who runs so far on that great circle: latitude, longitude in -180..180."""
    angle, lat, course = run_m / RADIUS_M, radians(lat_deg), radians(course_deg)
    to_lat = asin(sin(lat) * cos(angle) + cos(lat) * sin(angle) * cos(course))
    east = atan2(sin(course) * sin(angle) * cos(lat), cos(angle) - sin(lat) * sin(to_lat))
    return degrees(to_lat), (lon_deg + degrees(east) + 540.0) % 360.0 - 180.0


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Haversine distance of two (latitude, longitude)."""
    lat, to_lat = radians(one[0]), radians(other[0])
    half = sin((to_lat - lat) / 2) ** 2 + cos(lat) * cos(to_lat) * sin(radians(other[1] - one[1]) / 2) ** 2
    return 2 * RADIUS_M * asin(min(1.0, sqrt(half)))


def bearing_deg(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Initial bearing of the great circle from one to the other, 0..360."""
    lat, to_lat, east = radians(one[0]), radians(other[0]), radians(other[1] - one[1])
    return degrees(atan2(sin(east) * cos(to_lat), cos(lat) * sin(to_lat) - sin(lat) * cos(to_lat) * cos(east))) % 360.0
