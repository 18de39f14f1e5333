"""What compares assets: who else was heard near a silent one, and whether its whole feed is down.

Works on the fixes that it is given and never asks for more: whose fixes may be compared (one tenant's and the feeds granted to
it) is decided by whoever hands them over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import ceil, cos, floor, radians, sin
from typing import NamedTuple

import msgspec

from detect.model import Bucket, Fix, SceneContext, SceneResult
from detect.plane import near_distance_m, offset_m
from fleet.geodesy import KN_MPS, destination
from fleet.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US

NEAR_M = 50_000.0  # design 4.6: neighbours within 50 km
HEARD_US = HOUR_US  # design 4.6: heard in that hour
KNOWN_US = DAY_US  # chosen: who was there within a day would be there to be heard
FEED_ASSETS = 5  # design 4.6: a feed is only concluded down when it had carried at least five
FEED_QUIET_US = (
    10 * MINUTE_US
)  # chosen: five assets together are never silent so long on a live AIS or ADS-B feed (domain.md 3.2)
FEED_PREFIX = "feed:"
AHEAD_US = 10 * MINUTE_US  # design 4.6: the silence that makes a gap of an aircraft
AHEAD_CLASS = "aircraft"  # a ship or a train is still near where it was last heard
STILL_M = 1_000.0  # chosen: the width of a marina, a dock basin, a small roadstead
STILL_KN = 0.5  # domain.md 2.3: a stop begins below 0.5 kn
ONWARD_US = 30 * MINUTE_US  # chosen: half of the hour in which neighbours are heard
LOST_M = 20_000.0  # chosen: where one ship leaves the range of a station, others left it within ten miles
ONWARD_KN = 5.0  # domain.md 2.3: slower than this a ship is manoeuvring, not on passage
CELL_DEG = 0.5  # grid of the prefilter; chosen: a little more than 50 km of latitude (0.45 degrees)


def scene(bucket: Bucket, fixes: Sequence[Fix]) -> SceneResult:
    """The context of each subject at the bucket's instant, from the last fix of every asset and of the traffic.

    `fixes` hold at most one fix per asset or traffic name and origin; fixes after the instant are left out. A subject without a
    fix gets the empty context. A feed is down when it said so, or when it is named, at least five assets or traffic were heard on
    it in the hour up to its last reading, that reading is 10 min old or more, and the subject fell silent within that same hour.
    """
    subjects = _last_of(bucket, fixes)
    ahead = {asset_id: place for asset_id, fix in subjects.items() if (place := _ahead(fix)) is not None}
    near = _near((*subjects.values(), *ahead.values()), fixes, bucket.time_us)
    feeds = _feeds({fix.origin for fix in subjects.values()}, fixes, bucket.time_us)
    context: dict[str, SceneContext] = {}
    for asset_id in bucket.subjects:
        fix = subjects.get(asset_id)
        if fix is None:
            context[asset_id] = SceneContext()
            continue
        around = _neighbours(fix, fix, near, bucket.time_us)
        heard = around.heard
        if asset_id in ahead:
            heard = min(heard, _neighbours(fix, ahead[asset_id], near, bucket.time_us).heard)
        context[asset_id] = SceneContext(
            neighbours_heard=heard,
            neighbours_known=around.known,
            neighbours_still=around.still,
            neighbours_behind=around.behind,
            neighbours_lost=around.lost,
            feed_down=_feed_down(fix, bucket, feeds.get(fix.origin)),
        )
    return SceneResult(context=context)


Grid = dict[tuple[int, int], list[Fix]]


def _last_of(bucket: Bucket, fixes: Sequence[Fix]) -> dict[str, Fix]:
    """Each subject's newest fix at or before the instant."""
    asked = set(bucket.subjects)
    last: dict[str, Fix] = {}
    for fix in fixes:
        if fix.asset_id in asked and fix.time_us <= bucket.time_us:
            known = last.get(fix.asset_id)
            if known is None or fix.time_us > known.time_us:
                last[fix.asset_id] = fix
    return last


def _cell(lat_deg: float, lon_deg: float) -> tuple[int, int]:
    return floor(lat_deg / CELL_DEG), floor(lon_deg / CELL_DEG) % int(360 / CELL_DEG)


def _cells_around(fix: Fix) -> Iterable[tuple[int, int]]:
    """Every cell that may hold a point within 50 km: one row up and down, as many columns as the latitude asks for."""
    row, column = _cell(fix.lat_deg, fix.lon_deg)
    columns = int(360 / CELL_DEG)
    narrowest = cos(radians(min(abs(fix.lat_deg) + CELL_DEG, 89.9)))
    reach = min(ceil(0.46 / CELL_DEG / narrowest), columns // 2)
    for north in (-1, 0, 1):
        for east in range(-reach, reach + 1):
            yield row + north, (column + east) % columns


def _ahead(subject: Fix) -> Fix | None:
    """Where an aircraft was to be ten minutes after it was last heard; None when that cannot be said or does not matter.

    Others heard only where it was last heard say no more than that it flew out of the receivers' sight.
    """
    if subject.asset_class != AHEAD_CLASS or subject.speed_kn is None or subject.course_deg is None:
        return None
    run_m = subject.speed_kn * KN_MPS * AHEAD_US / SECOND_US
    lat_deg, lon_deg = destination(subject.lat_deg, subject.lon_deg, subject.course_deg, run_m)
    return msgspec.structs.replace(subject, lat_deg=lat_deg, lon_deg=lon_deg)


def _near(subjects: Iterable[Fix], fixes: Sequence[Fix], time_us: int) -> Grid:
    """The fixes of the last day in cells that some subject asks about: one pass over all fixes, whatever their number."""
    wanted: Grid = {cell: [] for fix in subjects for cell in _cells_around(fix)}
    if not wanted:
        return wanted
    oldest_us = time_us - KNOWN_US
    for fix in fixes:
        if oldest_us < fix.time_us <= time_us:
            cell = wanted.get(_cell(fix.lat_deg, fix.lon_deg))
            if cell is not None:
                cell.append(fix)
    return wanted


class Neighbours(NamedTuple):
    """Distinct others of the subject's class within 50 km of a place, counted as `SceneContext` says."""

    heard: int
    known: int
    still: int
    behind: int
    lost: int


def _neighbours(subject: Fix, place: Fix, grid: Grid, time_us: int) -> Neighbours:
    """Others of the subject's class within 50 km of a place, known within a day.

    Heard are those whose last fix is less than an hour old and lies in the later half of the subject's silence: a satellite that
    heard them all for ten minutes and set has not heard anybody since (chosen: half of it).
    """
    newest: dict[str, Fix] = {}
    for cell in set(_cells_around(place)):
        for fix in grid[cell]:
            if fix.asset_class != subject.asset_class or fix.name == subject.name or fix.asset_id == subject.asset_id is not None:
                continue
            if near_distance_m(place.lat_deg, place.lon_deg, fix.lat_deg, fix.lon_deg, NEAR_M) <= NEAR_M:
                key = fix.asset_id or fix.name
                known = newest.get(key)
                if known is None or fix.time_us > known.time_us:
                    newest[key] = fix
    half_us = subject.time_us + (time_us - subject.time_us) // 2
    heard = [fix for fix in newest.values() if time_us - fix.time_us < HEARD_US and fix.time_us >= half_us]
    still = sum(1 for fix in newest.values() if _lies_beside(place, fix))
    lost = sum(1 for fix in newest.values() if time_us - fix.time_us >= HEARD_US and _was_lost(place, fix))
    return Neighbours(len(heard), len(newest), still, sum(1 for fix in heard if _lies_behind(subject, fix)), lost)


def _lies_beside(place: Fix, fix: Fix) -> bool:
    """Whether another lies still within a kilometre."""
    if fix.speed_kn is None or fix.speed_kn >= STILL_KN:
        return False
    return near_distance_m(place.lat_deg, place.lon_deg, fix.lat_deg, fix.lon_deg, STILL_M) <= STILL_M


def _was_lost(place: Fix, fix: Fix) -> bool:
    """Whether another was heard last near by, and on passage: it too went out of hearing there."""
    if fix.speed_kn is None or fix.speed_kn < ONWARD_KN:
        return False
    return near_distance_m(place.lat_deg, place.lon_deg, fix.lat_deg, fix.lon_deg, LOST_M) <= LOST_M


def _lies_behind(subject: Fix, fix: Fix) -> bool:
    """Whether another lies behind the line square to the subject's course where it was to be half an hour later."""
    speed_kn, course_deg = subject.speed_kn, subject.course_deg
    if subject.asset_class == AHEAD_CLASS or speed_kn is None or speed_kn < ONWARD_KN or course_deg is None:
        return False
    east_m, north_m = offset_m(subject.lat_deg, subject.lon_deg, fix.lat_deg, fix.lon_deg)
    along_m = east_m * sin(radians(course_deg)) + north_m * cos(radians(course_deg))
    return along_m < speed_kn * KN_MPS * ONWARD_US / SECOND_US


def _feeds(origins: set[str], fixes: Sequence[Fix], time_us: int) -> dict[str, tuple[int, int]]:
    """For each named feed asked about: its last reading at or before the instant, and how many were heard in the hour before."""
    carried: dict[str, list[tuple[int, str]]] = defaultdict(list)
    named = {origin for origin in origins if origin.startswith(FEED_PREFIX) and len(origin) > len(FEED_PREFIX)}
    if named:
        for fix in fixes:
            if fix.origin in named and fix.time_us <= time_us:
                carried[fix.origin].append((fix.time_us, fix.name))
    summary: dict[str, tuple[int, int]] = {}
    for origin, heard in carried.items():
        last_us = max(heard)[0]
        summary[origin] = last_us, len({name for heard_us, name in heard if last_us - heard_us < HOUR_US})
    return summary


def _feed_down(subject: Fix, bucket: Bucket, feed: tuple[int, int] | None) -> bool:
    if subject.origin in bucket.offline_feeds:
        return True
    if feed is None:
        return False
    last_us, heard = feed
    quiet = bucket.time_us - last_us >= FEED_QUIET_US
    return quiet and heard >= FEED_ASSETS and last_us - subject.time_us < HOUR_US
