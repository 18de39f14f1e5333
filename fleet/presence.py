"""Presence: was an asset in an area, and where nobody heard it, could it have been.

Inside is what fixes say. Between two fixes that lie far apart in time an asset may have gone anywhere whose detour its speed
allows: the places whose distances to both fixes add up to no more than speed times time, an ellipse on the ellipsoid.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import shapely
from pyproj import Geod
from shapely.geometry import box

from fleet.area import Shape
from fleet.geodesy import KN_MPS, NM_M, distance_m
from fleet.instants import HOUR_US, MINUTE_US, SECOND_US
from fleet.practice import Figure, Practice

FIGURES: tuple[Figure, ...] = (
    Figure(name="presence.gap_min", value=60, source="domain.md 3.2: a gap where stations hear everything is one hour"),
    Figure(
        name="presence.vessel_speed_kn",
        value=25.0,
        source="detection.md S2 (gpsdio-segment): no merchant ship is faster for long",
    ),
    Figure(name="presence.aircraft_speed_kn", value=600.0, source="chosen: the fastest airliner with a tail wind"),
    Figure(name="presence.trainset_speed_kn", value=190.0, source="chosen: 350 km/h, the fastest in service"),
)

ESTIMATE_BELOW = 0.90  # domain.md 0, Coverage: under it a figure is an estimate
METHOD = "fixes-and-ellipse/1"
EDGE_DEG = 0.02  # chosen: the edge is looked at every mile or so
EDGE_POINTS_MAX = 1000  # chosen: a millisecond a silence; an edge of 60° is looked at every 4 miles
EDGE_SLACK_M = 2_000.0  # chosen: half the distance between two looks at the edge, and more
_GEOD = Geod(ellps="WGS84")


class Fix(NamedTuple):
    """Where an asset was when: microseconds, degrees on WGS 84."""

    time_us: int
    lat_deg: float
    lon_deg: float


class HourBox(NamedTuple):
    """The box of an asset's positions in the hour that begins at `hour_us`: its least and greatest degrees."""

    hour_us: int
    south_deg: float
    north_deg: float
    west_deg: float
    east_deg: float


class Inside(NamedTuple):
    """A stretch in which every fix lay inside; `fixes` counts those that were looked at, those of whole hours are not."""

    from_us: int
    to_us: int
    fixes: int


class Silence(NamedTuple):
    """A stretch in which nobody heard the asset, between two fixes; None where there was none before or is none yet."""

    from_us: int
    to_us: int
    before: Fix | None
    after: Fix | None


class Reach(NamedTuple):
    """How near a silence comes to an area: metres from both fixes, and the least speed by which it could have been there."""

    before_m: float | None
    after_m: float | None
    needed_kn: float


def gap_us(practice: Practice, on: date) -> int:
    """From which length on not being heard is a silence. Raises NotDefinedError."""
    return int(practice.number("presence.gap_min", on) * MINUTE_US)


def speed_kn(practice: Practice, asset_class: str, on: date) -> float:
    """The speed that an asset of a class is held capable of, knots. Raises NotDefinedError."""
    return practice.number(f"presence.{asset_class}_speed_kn", on)


def settled(shape: Shape, boxes: Iterable[HourBox]) -> tuple[list[int], list[int]]:
    """Hours that lie inside as a whole, between others that do, and hours whose fixes must be looked at; by their beginning.

    The first and the last hour of a stay are looked at, because the hour does not say when in it the asset was first heard.
    """
    inside: dict[int, bool] = {}
    for hour in boxes:
        at = _placed(shape, hour)
        if at is not False:
            inside[hour.hour_us] = inside.get(hour.hour_us, True) and at is True
    whole = [hour for hour, is_inside in inside.items() if is_inside]
    kept = [hour for hour in whole if inside.get(hour - HOUR_US) and inside.get(hour + HOUR_US)]
    return sorted(kept), sorted(inside.keys() - set(kept))


def _placed(shape: Shape, hour: HourBox) -> bool | None:
    """Whether all of an hour's positions lie inside (True) or outside (False); None: its fixes must be looked at."""
    if hour.east_deg - hour.west_deg > 180.0:
        return None  # it crossed 180°, and its box is the rest of the world
    reach = box(hour.west_deg, hour.south_deg, hour.east_deg, hour.north_deg)
    if shapely.covers(shape.geometry, reach):
        return True
    return None if shapely.intersects(shape.geometry, reach) or hour.west_deg <= -180.0 else False


def inside_of(shape: Shape, whole: Iterable[int], fixes: Iterable[Fix], gap_us: int) -> list[Inside]:
    """The stretches inside: of hours that lie inside as a whole and of fixes one by one, joined where less than a gap apart.

    Args:
        shape: the area.
        whole: beginnings of hours that `settled` says.
        fixes: of the other hours, in order of time. A fix outside ends a stretch.
        gap_us: two stretches nearer than this with no fix outside between them are one.
    """
    marks = [(hour_us, hour_us + HOUR_US, 0, True) for hour_us in whole]
    marks += [(fix.time_us, fix.time_us, 1, shape.contains(fix.lat_deg, fix.lon_deg)) for fix in fixes]
    found: list[Inside] = []
    is_open = False
    for from_us, to_us, count, is_inside in sorted(marks):
        if not is_inside:
            is_open = False
        elif is_open and from_us - found[-1].to_us < gap_us:
            found[-1] = Inside(found[-1].from_us, max(found[-1].to_us, to_us), found[-1].fixes + count)
        else:
            found.append(Inside(from_us, to_us, count))
            is_open = True
    return found


def may_reach(shape: Shape, silences: Sequence[Silence], speed_kn: float) -> list[Silence]:
    """The silences that may reach an area, by a circle around it: a cheap test that passes more than `reach_of`, never less."""
    if not silences:
        return []
    west, south, east, north = shape.bbox
    lat, lon = (south + north) / 2.0, west + ((east - west) % 360.0 if east != west + 360.0 else 360.0) / 2.0
    edge_lon, edge_lat = _edge(shape)
    _, _, away = _GEOD.inv(np.full(len(edge_lon), lon), np.full(len(edge_lat), lat), edge_lon, edge_lat)
    radius_m = float(away.max()) + EDGE_SLACK_M
    seconds = np.array([(bounds[1] - bounds[0]) / SECOND_US for bounds in map(bounds_of, silences)])
    least_m = np.zeros(len(silences))
    for ends in ([silence.before for silence in silences], [silence.after for silence in silences]):
        known = np.array([fix is not None for fix in ends])
        lats = np.array([lat if fix is None else fix.lat_deg for fix in ends])
        lons = np.array([lon if fix is None else fix.lon_deg for fix in ends])
        _, _, metres = _GEOD.inv(np.full(len(ends), lon), np.full(len(ends), lat), lons, lats)
        least_m += np.where(known, np.maximum(0.0, metres - radius_m), 0.0)
    return [silence for silence, may in zip(silences, least_m <= seconds * speed_kn * KN_MPS, strict=True) if may]


def reach_of(shape: Shape, silence: Silence) -> Reach:
    """How near a silence comes to an area, and the least speed with which the asset could have been there meanwhile.

    The edge is sampled every `EDGE_DEG`; the least sum of the distances (WGS 84) to both fixes over the time between them is the
    speed needed, 0 where one of them lies inside. Without a fix on one side the other's distance alone counts.
    """
    ends = [fix for fix in (silence.before, silence.after) if fix is not None]
    metres = [None if fix is None else shape.distance_m(fix.lat_deg, fix.lon_deg) for fix in (silence.before, silence.after)]
    if not ends or 0.0 in metres:
        return Reach(metres[0], metres[1], 0.0 if ends else math.inf)
    from_us, to_us = bounds_of(silence)
    seconds = max((to_us - from_us) / SECOND_US, 1.0)
    return Reach(metres[0], metres[1], _by_the_edge_m(shape, [(fix.lat_deg, fix.lon_deg) for fix in ends]) / seconds / KN_MPS)


def detour_m(shape: Shape, ends: Sequence[tuple[float, float]]) -> float:
    """The least sum of the distances (metres, WGS 84) from one or two places (latitude, longitude) to a place in the area.

    Of one place it is the distance to the area, 0 inside; of two of which one lies inside, the way between them. The edge is
    sampled every `EDGE_DEG`, so it is right to a mile or so, from above.
    """
    if any(shape.contains(lat, lon) for lat, lon in ends):
        return 0.0 if len(ends) < 2 else distance_m(*ends[0], *ends[1])
    return _by_the_edge_m(shape, ends)


def _by_the_edge_m(shape: Shape, ends: Sequence[tuple[float, float]]) -> float:
    lon, lat = _edge(shape)
    total = np.zeros(len(lon))
    for lat_deg, lon_deg in ends:
        _, _, away = _GEOD.inv(np.full(len(lon), lon_deg), np.full(len(lat), lat_deg), lon, lat)
        total += away
    return float(total.min())


def bounds_of(silence: Silence) -> tuple[int, int]:
    """From the last fix before it to the first after it; where there is none, as far as the silence was looked at."""
    return (
        silence.from_us if silence.before is None else silence.before.time_us,
        silence.to_us if silence.after is None else silence.after.time_us,
    )


def apart_m(one: Fix, other: Fix) -> float:
    """Metres between two fixes on WGS 84."""
    return distance_m(one.lat_deg, one.lon_deg, other.lat_deg, other.lon_deg)


def coverage_of(silences: Iterable[tuple[int, int]], from_us: int, to_us: int) -> float:
    """The share of a period that lies in no silence, 0 to 1; 0 for an empty period."""
    if to_us <= from_us:
        return 0.0
    silent_us = sum(min(end_us, to_us) - max(start_us, from_us) for start_us, end_us in silences)
    return max(0.0, 1.0 - silent_us / (to_us - from_us))


def hours_between(from_us: int, to_us: int) -> float:
    """Hours from one instant to another."""
    return (to_us - from_us) / HOUR_US


def nautical_miles(metres: float | None) -> float | None:
    """Metres as nautical miles; None stays None."""
    return None if metres is None else metres / NM_M


@lru_cache(maxsize=256)
def _edge(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Points along the edge of an area, longitudes and latitudes in degrees."""
    step_deg = EDGE_DEG
    length_deg = shape.geometry.length
    if length_deg / step_deg > EDGE_POINTS_MAX:
        step_deg = length_deg / EDGE_POINTS_MAX
    points = shapely.get_coordinates(shapely.segmentize(shape.geometry, step_deg))
    return points[:, 0], points[:, 1]
