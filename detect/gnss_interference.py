"""Rule `gnss_interference`: in a region several aircraft at once know their position badly. One finding a region.

Judged over buckets of ten minutes, each with the half hour that ends with it. Only aircraft in the air that report NIC or NACp
count; how a single aircraft is told to be degraded is in `detect.sighting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import cos, floor, radians
from typing import Any

import msgspec

from detect.model import Finding, finding_id
from detect.plane import near_distance_m
from detect.sighting import NAC_P_MIN, NIC_MIN, Sighting
from fleet.geodesy import NM_M
from fleet.instants import MINUTE_US

NAME = "gnss_interference"
VERSION = 1
CELL_DEG = 0.5  # of latitude: detection.md A2, cells of about 55 km
CELL_KM = 55.0
WINDOW_US = 30 * MINUTE_US  # detection.md A2
AIRCRAFT_MIN = 3  # detection.md A2
PERCENT_MIN = 10.0  # detection.md A2: more than 10 % is high
NEVER_WELL_MIN = 4  # chosen: one aircraft in some thirty never reports well; four of them in one cell are the sky's doing
BESIDE_M = 85_000.0  # chosen: centres of cells that touch, at a corner too, lie at most so far apart
JOINED_M = 160_000.0  # chosen: one cell in which nobody happened to fly does not part a region
NAMES_MAX = 50  # named in the evidence; chosen: more than anybody reads
HALF_DIAGONAL_M = 39_500.0  # of a cell of 0.5 degrees


class Heard(msgspec.Struct, kw_only=True, array_like=True):
    """One aircraft in one cell at one instant."""

    key: str
    name: str
    time_us: int
    cell: tuple[int, int]
    degraded: bool
    was_well: bool


class Region(msgspec.Struct, kw_only=True, array_like=True):
    """An open region: the cells that ever were part of it, when each last was, and the aircraft that were degraded there."""

    id: str
    opened_us: int
    detected_us: int
    last_us: int
    cells: list[tuple[int, int]]
    names: dict[str, str]
    said: tuple[int, int] = (0, 0)
    evidence: dict[str, Any] = {}


class InterferenceMemory(msgspec.Struct, kw_only=True):
    """The aircraft of the last half hour and the open regions. Plain, so that it is its own checkpoint."""

    heard: list[Heard] = []
    regions: list[Region] = []


def at_bucket(memory: InterferenceMemory, end_us: int, sightings: Iterable[Sighting]) -> list[Finding]:
    """Take one bucket in: the regions that opened, grew or closed.

    Args:
        memory: updated in place.
        end_us: end of the bucket, when a finding is decided; buckets come in order.
        sightings: of the bucket, in any order, of any class.
    """
    new = [
        Heard(
            key=one.key,
            name=one.name,
            time_us=one.time_us,
            cell=_cell_of(one.lat_deg, one.lon_deg),
            degraded=one.degraded,
            was_well=one.was_well,
        )
        for one in sightings
        if one.asset_class == "aircraft" and one.degraded is not None
    ]
    if not new and not memory.heard and not memory.regions:
        return []
    kept = [one for one in memory.heard if one.time_us > end_us - WINDOW_US]
    memory.heard = kept + sorted(new, key=lambda one: (one.time_us, one.key, one.name))
    cells = _degraded_cells(memory.heard)
    findings: list[Finding] = []
    for group in _together(cells):
        findings += _take(memory, group, cells, end_us)
    findings += _end(memory, end_us)
    return findings


Cells = dict[tuple[int, int], list[Heard]]


def _cell_of(lat_deg: float, lon_deg: float) -> tuple[int, int]:
    row = floor(lat_deg / CELL_DEG)
    return row, floor((lon_deg + 180.0) / 360.0 * _columns(row)) % _columns(row)


def _columns(row: int) -> int:
    """How many cells go around the earth: as wide as they are high, at the middle of their row."""
    return max(1, round(360.0 * cos(radians(min(89.0, abs(row + 0.5) * CELL_DEG))) / CELL_DEG))


def _middle(cell: tuple[int, int]) -> tuple[float, float]:
    row, column = cell
    return (row + 0.5) * CELL_DEG, (column + 0.5) * 360.0 / _columns(row) - 180.0


def _within(one: tuple[int, int], other: tuple[int, int], limit_m: float) -> bool:
    """Whether the middles of two cells lie within a distance of some cells."""
    if abs(one[0] - other[0]) > 3:
        return False
    return near_distance_m(*_middle(one), *_middle(other), 2 * limit_m) <= limit_m


def _degraded_cells(heard: Sequence[Heard]) -> Cells:
    """The cells in which positions are degraded now, each with whom it holds.

    A cell of fewer than three aircraft is judged with those beside it, and goes with a degraded one beside it when most of its
    aircraft are degraded too.
    """
    by_cell: Cells = {}
    for one in heard:
        by_cell.setdefault(one.cell, []).append(one)
    found: Cells = {}
    for cell, own in sorted(by_cell.items()):
        if not any(one.degraded for one in own):
            continue
        judged = own
        if len({one.key for one in own}) < AIRCRAFT_MIN:
            judged = [one for other, them in by_cell.items() if _within(cell, other, BESIDE_M) for one in them]
        if _percent(judged) > PERCENT_MIN:
            found[cell] = own
    edge = {cell: own for cell, own in by_cell.items() if cell not in found and _is_mostly_bad(own)}
    return found | {cell: own for cell, own in edge.items() if any(_within(cell, other, BESIDE_M) for other in found)}


def _is_mostly_bad(heard: Sequence[Heard]) -> bool:
    bad = {one.key for one in heard if one.degraded}
    return 2 * len(bad) > len({one.key for one in heard})


def _percent(heard: Iterable[Heard]) -> float:
    """100 x max(0, bad − 1) / total of distinct aircraft (detection.md A2); 0 of fewer than three.

    An aircraft that never reported well counts for nothing: its equipment may know no better. Unless four or more of them are
    there and make up half of all: then the sky is to blame.
    """
    is_bad: dict[str, bool] = {}
    never_well: set[str] = set()
    for one in heard:
        is_bad[one.key] = is_bad.get(one.key, False) or one.degraded
        if one.degraded and not one.was_well:
            never_well.add(one.key)
    if len(never_well) < NEVER_WELL_MIN or 2 * len(never_well) < len(is_bad):
        is_bad = {key: bad for key, bad in is_bad.items() if key not in never_well}
    if len(is_bad) < AIRCRAFT_MIN:
        return 0.0
    return 100.0 * max(0, sum(is_bad.values()) - 1) / len(is_bad)


def _together(cells: Cells) -> list[list[tuple[int, int]]]:
    """The cells in groups that lie together, in order."""
    left, groups = sorted(cells), list[list[tuple[int, int]]]()
    while left:
        group, ahead = [left[0]], [left.pop(0)]
        while ahead:
            cell = ahead.pop()
            touching = [other for other in left if _within(cell, other, JOINED_M)]
            left = [other for other in left if other not in touching]
            group += touching
            ahead += touching
        groups.append(sorted(group))
    return groups


def _take(memory: InterferenceMemory, group: list[tuple[int, int]], cells: Cells, end_us: int) -> list[Finding]:
    """Let a group of cells open a region, or add it to those it lies beside; of two that it joins the older goes on."""
    bad = [one for cell in group for one in cells[cell] if one.degraded]
    first_us, last_us = min(one.time_us for one in bad), max(one.time_us for one in bad)
    touched = [
        region for region in memory.regions if any(_within(cell, other, JOINED_M) for cell in group for other in region.cells)
    ]
    touched.sort(key=lambda region: (region.opened_us, region.id))
    findings: list[Finding] = []
    if touched:
        region = touched[0]
        for other in touched[1:]:
            memory.regions.remove(other)
            findings.append(_finding(other, closed_us=max(other.last_us, other.opened_us)))
            region.cells, region.names = sorted({*region.cells, *other.cells}), {**other.names, **region.names}
    else:
        region = Region(id=_id_of(group[0]), opened_us=first_us, detected_us=end_us, last_us=last_us, cells=[], names={})
        memory.regions.append(region)
        memory.regions.sort(key=lambda region: (region.opened_us, region.id))
    region.last_us = max(region.last_us, last_us)
    region.cells = sorted({*region.cells, *group})
    region.names = {**{one.key: one.name for one in bad}, **region.names}
    size = (len(region.cells), len(region.names))
    if size != region.said:
        region.said = size
        region.evidence = _evidence(region, [one for cell in group for one in cells[cell]])
        findings.append(_finding(region, None))
    return findings


def _end(memory: InterferenceMemory, end_us: int) -> list[Finding]:
    """Close the regions in which nobody was degraded for half an hour."""
    over = [region for region in memory.regions if end_us - region.last_us >= WINDOW_US]
    memory.regions = [region for region in memory.regions if region not in over]
    return [_finding(region, closed_us=region.last_us) for region in over]


def _id_of(cell: tuple[int, int]) -> str:
    lat_deg, lon_deg = _middle(cell)
    return f"{abs(lat_deg):04.1f}{'N' if lat_deg >= 0 else 'S'}{abs(lon_deg):05.1f}{'E' if lon_deg >= 0 else 'W'}"


def _circle(cells: Sequence[tuple[int, int]]) -> tuple[float, float, float]:
    """(lat, lon, radius in metres) of a circle around whole cells: its middle is that of the two furthest apart."""
    middles = [_middle(cell) for cell in cells]

    def apart_m(of: tuple[float, float], point: tuple[float, float]) -> float:
        return near_distance_m(of[0], of[1], point[0], point[1], 1e6)

    one = max(middles, key=lambda point: (apart_m(middles[0], point), point))
    other = max(middles, key=lambda point: (apart_m(one, point), point))
    east_deg = (other[1] - one[1] + 180.0) % 360.0 - 180.0
    lat_deg, lon_deg = (one[0] + other[0]) / 2.0, (one[1] + east_deg / 2.0 + 180.0) % 360.0 - 180.0
    radius_m = max(apart_m((lat_deg, lon_deg), point) for point in middles)
    return lat_deg, lon_deg, radius_m + HALF_DIAGONAL_M


def _evidence(region: Region, now: Sequence[Heard]) -> dict[str, Any]:
    lat_deg, lon_deg, radius_m = _circle(region.cells)
    return {
        "lat_deg": round(lat_deg, 3),
        "lon_deg": round(lon_deg, 3),
        "radius_nm": round(radius_m / NM_M, 1),
        "aircraft_degraded": len(region.names),
        "aircraft_heard": len({one.key for one in now} | region.names.keys()),
        "degraded_percent": round(_percent(now), 1),
        "cells": len(region.cells),
        "aircraft": sorted(region.names.values())[:NAMES_MAX],
        "cell_km": CELL_KM,
        "window_min": WINDOW_US // MINUTE_US,
        "nic_limit": NIC_MIN,
        "nac_p_limit": NAC_P_MIN,
        "percent_limit": PERCENT_MIN,
        "aircraft_limit": AIRCRAFT_MIN,
    }


def _finding(region: Region, closed_us: int | None) -> Finding:
    asset = f"region:{region.id}"
    return Finding(
        id=finding_id(asset, NAME, None, region.opened_us),
        rule=NAME,
        rule_version=VERSION,
        severity="info",
        asset_id="",
        asset=asset,
        subject=None,
        opened_at_us=region.opened_us,
        closed_at_us=closed_us,
        detected_at_us=region.detected_us,
        score=None,
        evidence=dict(region.evidence),
    )
