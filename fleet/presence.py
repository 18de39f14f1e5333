"""Presence: was an asset in an area, and where nobody heard it, could it have been.

Inside is what fixes say. Between two fixes that lie far apart in time an asset may have gone anywhere whose detour its speed
allows: the places whose distances to both fixes add up to no more than speed times time, an ellipse on the ellipsoid.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
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
EDGE_POINTS_MAX = 4000  # chosen: a coastline is looked at more coarsely rather than for seconds
_GEOD = Geod(ellps="WGS84")


class Fix(NamedTuple):
    """Where an asset was when: microseconds, degrees on WGS 84."""

    time_us: int
    lat_deg: float
    lon_deg: float


class HourBox(NamedTuple):
    """What a rollup says of an hour: first and last time heard and the box of its positions in degrees, None while not known."""

    first_us: int
    last_us: int
    south_deg: float | None
    north_deg: float | None
    west_deg: float | None
    east_deg: float | None


class Inside(NamedTuple):
    """A stretch in which every fix lay inside; `fixes` counts those that were looked at one by one, 0 where the hours say it."""

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


def placed(shape: Shape, hour: HourBox) -> bool | None:
    """Whether all of an hour's positions lie inside (True) or outside (False); None: its fixes must be looked at."""
    if hour.south_deg is None or hour.north_deg is None or hour.west_deg is None or hour.east_deg is None:
        return None
    if hour.east_deg - hour.west_deg > 180.0:
        return None  # it crossed 180°, and its box is the rest of the world
    reach = box(hour.west_deg, hour.south_deg, hour.east_deg, hour.north_deg)
    if shapely.covers(shape.geometry, reach):
        return True
    return None if shapely.intersects(shape.geometry, reach) or hour.west_deg <= -180.0 else False


def inside_of(shape: Shape, whole: Iterable[HourBox], fixes: Iterable[Fix], gap_us: int) -> list[Inside]:
    """The stretches inside: of hours that lie inside as a whole and of fixes one by one, joined where less than a gap apart.

    Args:
        shape: the area.
        whole: hours of which `placed` is True.
        fixes: of the other hours, in order of time. A fix outside ends a stretch.
        gap_us: two stretches nearer than this with no fix outside between them are one.
    """
    marks = [(hour.first_us, hour.last_us, 0, True) for hour in whole]
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


def silences_of(hours: Sequence[HourBox], from_us: int, to_us: int, gap_us: int) -> list[tuple[int, int]]:
    """The stretches of [from, to) between what was heard that are a gap long or longer, as (last heard, heard again).

    Args:
        hours: of all streams of one asset, in any order; hours before `from_us` may be among them.
        from_us: of the period.
        to_us: of the period.
        gap_us: from which length on not being heard is a silence.
    """
    found: list[tuple[int, int]] = []
    heard_us = from_us
    for hour in sorted(hours):
        if hour.first_us - heard_us >= gap_us and hour.first_us > from_us:
            found.append((heard_us, min(hour.first_us, to_us)))
        heard_us = max(heard_us, hour.last_us)
    if to_us - heard_us >= gap_us:
        found.append((heard_us, to_us))
    return found


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
    lon, lat = _edge(shape)
    total = np.zeros(len(lon))
    for fix in ends:
        _, _, away = _GEOD.inv(np.full(len(lon), fix.lon_deg), np.full(len(lat), fix.lat_deg), lon, lat)
        total += away
    least_m = float(total.min())
    return Reach(metres[0], metres[1], least_m / seconds / KN_MPS)


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


def _edge(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Points along the edge of an area, longitudes and latitudes in degrees."""
    step_deg = EDGE_DEG
    length_deg = shape.geometry.length
    if length_deg / step_deg > EDGE_POINTS_MAX:
        step_deg = length_deg / EDGE_POINTS_MAX
    points = shapely.get_coordinates(shapely.segmentize(shape.geometry, step_deg))
    return points[:, 0], points[:, 1]
