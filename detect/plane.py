"""Distances cheap enough for every reading: a flat earth where it is certainly good enough, WGS 84 where it decides."""

from __future__ import annotations

from math import cos, hypot, radians, sin

from detect.state import Track
from fleet.geodesy import KN_MPS, distance_m, normalise_lon_deg
from fleet.instants import SECOND_US

M_PER_DEG = 111_320.0  # one degree along the equator of WGS 84; a degree of latitude is 0 to 0.7 % less


def offset_m(lat_a_deg: float, lon_a_deg: float, lat_b_deg: float, lon_b_deg: float) -> tuple[float, float]:
    """(east, north) in metres from a to b on a plane touching at the mean latitude; the short way round at 180 degrees."""
    lon_deg = lon_b_deg - lon_a_deg
    if not -180.0 <= lon_deg < 180.0:
        lon_deg = normalise_lon_deg(lon_deg)
    return (
        lon_deg * M_PER_DEG * cos(radians((lat_a_deg + lat_b_deg) / 2.0)),
        (lat_b_deg - lat_a_deg) * M_PER_DEG,
    )


def near_distance_m(lat_a_deg: float, lon_a_deg: float, lat_b_deg: float, lon_b_deg: float, limit_m: float) -> float:
    """Distance in metres: on the plane when that is below half the limit, else geodesic on WGS 84.

    The plane is exact to 1 % up to 200 km below latitude 75 degrees; half the limit leaves room for far more than that. Closer to
    the poles, and for more than 200 km, the geodesic is always taken.
    """
    if abs(lat_a_deg) < 75.0:
        east_m, north_m = offset_m(lat_a_deg, lon_a_deg, lat_b_deg, lon_b_deg)
        flat_m = hypot(east_m, north_m)
        if flat_m < limit_m * 0.5 and flat_m < 200_000.0:
            return flat_m
    return distance_m(lat_a_deg, lon_a_deg, lat_b_deg, lon_b_deg)


def dead_reckoned_error_m(start: Track, end: Track, speed_kn: float | None, course_deg: float | None, direction: float) -> float:
    """How far `end` lies from where `start` would be at that time, in metres, moved along a course; direction −1 reckons back.

    Without speed or course the start is taken to have stayed. On the plane: a rank between tracks and a bound, not a position.
    """
    east_m, north_m = offset_m(start.lat_deg, start.lon_deg, end.lat_deg, end.lon_deg)
    if speed_kn is None or course_deg is None:
        return hypot(east_m, north_m)
    run_m = direction * speed_kn * KN_MPS * abs(end.time_us - start.time_us) / SECOND_US
    course = radians(course_deg)
    return hypot(east_m - run_m * sin(course), north_m - run_m * cos(course))
