"""Rule `route_anomaly`: a ship that keeps to her lanes leaves the waters that she knows."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians

import msgspec

from detect.episodes import Episode
from detect.hull import hull_of
from detect.model import Finding
from detect.plane import near_distance_m
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory, Seen
from fleet.geodesy import NM_M
from fleet.instants import HOUR_US, MINUTE_US

NAME = "route_anomaly"
VERSION = 1
OFF_NM = 5.0  # detection.md S12: least cross-track distance; a cell of waters between makes it 6 at least
LASTING_MIN = 30.0  # detection.md S12
BANDS_PER_DEG = 10  # chosen: cells of 0.1 degrees, 6 nm: her own lanes' spread is in how many of them she has used
COLUMNS_MAX = 360 * BANDS_PER_DEG
COLUMNS = tuple(
    max(3, round(COLUMNS_MAX * cos(radians((band + 0.5) / BANDS_PER_DEG - 90.0)))) for band in range(180 * BANDS_PER_DEG)
)
PASSAGES = 3  # chosen: earlier passages that make waters usual; detection.md S11 asks that a cell has a least count
PASSAGE_US = 6 * HOUR_US  # chosen: who comes again within it is on the same passage
USUAL_MIN = 24 * 60.0  # chosen: so long she must have been under way in usual waters, and in no strange ones, to be judged
NEW_ROUTE_MIN = 24 * 60.0  # chosen: so long in strange waters is another route, not an excursion
CELLS_MAX = 160  # chosen: 960 nm of lane in 1.6 kB
UNDER_WAY_KN = 5.0  # chosen: slower she manoeuvres
STEP_MIN_MAX = 30.0  # chosen: between reports further apart two or more cells are passed unseen; nothing is counted
COUNT_MAX = 15


class RouteMemory(Memory, kw_only=True):
    """The waters that she knows and where she is in them.

    `cells` maps a cell to 16 x hours since 1970 of the last passage + how many passages, at most 15; `cell` is the one she is in
    and `earlier` how many earlier passages it and its neighbours have; `usual_min` adds up her time in usual waters; she is in
    strange ones since `strange_us`, for `strange_min` under way.
    """

    cells: dict[int, int] = msgspec.field(default_factory=dict)
    cell: int = -1
    earlier: int = 0
    last_us: int = 0
    usual_min: float = 0.0
    strange_us: int | None = None
    strange_min: float = 0.0
    episode: Episode | None = None


def at_row(memory: RouteMemory, moment: Moment) -> Sequence[Finding]:
    """Place the minute among the waters known; in a new cell, look at its neighbours and note the passage."""
    seen = None if moment.row is None else moment.row.seen
    if seen is None or seen.lat_deg is None or seen.lon_deg is None or seen.speed_kn is None or seen.speed_kn < UNDER_WAY_KN:
        return NOTHING
    cell = cell_of(seen.lat_deg, seen.lon_deg)
    if cell != memory.cell:
        memory.cell = cell
        memory.earlier = _earlier(memory.cells, seen, seen.time_us)
        _note(memory.cells, cell, seen.time_us)
    elapsed_min = max(0.0, (seen.time_us - memory.last_us) / MINUTE_US)
    memory.last_us = seen.time_us
    if elapsed_min > STEP_MIN_MAX:
        memory.strange_us = None if memory.episode is None else memory.strange_us
        return NOTHING
    if memory.earlier >= PASSAGES:
        memory.usual_min = min(memory.usual_min + elapsed_min, USUAL_MIN)
        memory.strange_us, memory.strange_min = None, 0.0
        return NOTHING if memory.episode is None else (_close(memory, memory.episode, moment, "returned"),)
    if memory.earlier > 0:
        return NOTHING
    return _strange(memory, moment, seen, elapsed_min)


def _strange(memory: RouteMemory, moment: Moment, seen: Seen, elapsed_min: float) -> Sequence[Finding]:
    """A minute in waters where she never was."""
    if memory.strange_us is None:
        memory.strange_us, memory.strange_min = seen.time_us, 0.0
    else:
        memory.strange_min += elapsed_min
    if memory.episode is not None:
        if memory.strange_min < NEW_ROUTE_MIN:
            return NOTHING
        return (_close(memory, memory.episode, moment, "new_route"),)
    if memory.strange_min < moment.setting(NAME, "lasting_min", LASTING_MIN):
        return NOTHING
    is_regular, memory.usual_min = memory.usual_min >= USUAL_MIN, 0.0
    hull = hull_of(moment)
    nearest_m = _nearest_m(memory.cells, seen) if is_regular and not hull.is_working else None
    if nearest_m is None or seen.lat_deg is None:
        return NOTHING
    memory.episode = Episode(
        asset=moment.now.name,
        opened_at_us=memory.strange_us,
        detected_at_us=moment.time_us,
        severity="info",
        evidence={
            "off_lane_nm": round(nearest_m / NM_M, 1),
            "off_lane_limit_nm": OFF_NM,
            "lasted_min": round((seen.time_us - memory.strange_us) / MINUTE_US, 1),
            "lasting_limit_min": LASTING_MIN,
            "earlier_passages_needed": PASSAGES,
            "cells_known": len(memory.cells),
            "kind": hull.kind,
            "sog_kn": seen.speed_kn,
            "cog_deg": seen.course_deg,
            "lat_deg": seen.lat_deg,
            "lon_deg": seen.lon_deg,
        },
    )
    return (memory.episode.finding(moment.state, NAME, VERSION),)


def cell_of(lat_deg: float, lon_deg: float) -> int:
    """The cell of a position: bands of 0.1 degrees of latitude, cut into columns that are as wide at their middle."""
    band = int((lat_deg + 90.0) * BANDS_PER_DEG)
    return _cell(band if band < len(COLUMNS) else band - 1, lon_deg, 0)


def _cell(band: int, lon_deg: float, beside: int) -> int:
    columns = COLUMNS[band]
    return band * COLUMNS_MAX + (int((lon_deg + 180.0) / 360.0 * columns) + beside) % columns


def _earlier(cells: dict[int, int], seen: Seen, time_us: int) -> int:
    """The most earlier passages through the cell of a position or one beside it."""
    lat_deg, lon_deg = seen.lat_deg or 0.0, seen.lon_deg or 0.0
    here = int((lat_deg + 90.0) * BANDS_PER_DEG)
    most = 0
    for band in (here - 1, here, here + 1):
        if 0 <= band < len(COLUMNS):
            for beside in (-1, 0, 1):
                packed = cells.get(_cell(band, lon_deg, beside))
                if packed is not None:
                    is_now = time_us // HOUR_US - (packed >> 4) < PASSAGE_US // HOUR_US
                    most = max(most, (packed & COUNT_MAX) - is_now)
    return most


def _note(cells: dict[int, int], cell: int, time_us: int) -> None:
    """Count a passage, and forget the cell that was least used, longest ago, when there are too many."""
    hour = time_us // HOUR_US
    packed = cells.get(cell, 0)
    count = packed & COUNT_MAX
    if not count or hour - (packed >> 4) >= PASSAGE_US // HOUR_US:
        count = min(count + 1, COUNT_MAX)
    cells[cell] = hour << 4 | count
    if len(cells) > CELLS_MAX:
        del cells[min(cells, key=lambda one: (cells[one] & COUNT_MAX >= PASSAGES, cells[one] >> 4, one))]


def _nearest_m(cells: dict[int, int], seen: Seen) -> float | None:
    """Metres to the middle of the nearest usual cell; None where there is none, or where it is nearer than the limit."""
    nearest_m: float | None = None
    for cell, packed in cells.items():
        if packed & COUNT_MAX >= PASSAGES:
            band, column = divmod(cell, COLUMNS_MAX)
            lat_deg, lon_deg = (band + 0.5) / BANDS_PER_DEG - 90.0, (column + 0.5) * 360.0 / COLUMNS[band] - 180.0
            metres = near_distance_m(lat_deg, lon_deg, seen.lat_deg or 0.0, seen.lon_deg or 0.0, 1e6)
            nearest_m = metres if nearest_m is None else min(nearest_m, metres)
    return nearest_m if nearest_m is not None and nearest_m > OFF_NM * NM_M else None


def _close(memory: RouteMemory, episode: Episode, moment: Moment, how: str) -> Finding:
    memory.episode = None
    episode.evidence["ended"] = how
    return episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us)


RULE = Rule(NAME, VERSION, frozenset({"vessel"}), RouteMemory, at_row=at_row)
