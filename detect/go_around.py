"""Rule `go_around`: an aircraft on approach climbs away instead of landing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detect.episodes import Episode
from detect.model import Finding
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory
from fleet.geodesy import NM_M
from fleet.instants import MINUTE_US, SECOND_US

NAME = "go_around"
VERSION = 1
LOW_FT = 2000.0  # detection.md A6: below this over the field on approach
CLIMB_FPM = 500.0  # detection.md A6
CLIMB_US = 20 * SECOND_US  # detection.md A6
CLIMBED_FT = 300.0  # chosen: nearly twice what 20 s at 500 ft/min gain, above gusts and the steps of a coarse altitude
SUNK_FT = 1000.0  # chosen: who has come down less in ten minutes was not on approach
SUNK_MIN = 10
WATCH_FT = 3000.0  # chosen: from here on each reading is looked at
LEAVE_FT = 5000.0  # traffic's landing attempt ends above the field + 5,000 ft (detection.md A6)
NEAR_M = 8.0 * NM_M  # chosen: on a slope of three degrees 2,000 ft are 6.3 nm from the threshold
HIGHEST_FT = 16_000.0  # no field is higher than 14,500 ft
FORGET_US = 10 * MINUTE_US  # chosen: later than that a climb has nothing to do with the approach


class Approach(msgspec.Struct, kw_only=True, array_like=True):
    """An approach: to which field and how high that is, the lowest point so far, and since when it climbs again."""

    icao: str
    elevation_ft: float
    lowest_us: int
    lowest_ft: float
    lat_deg: float | None
    lon_deg: float | None
    climb_us: int | None = None


class GoAroundMemory(Memory, kw_only=True):
    """Altitudes of the last minutes, the newest last, and the approach under way."""

    alts_ft: list[float] = msgspec.field(default_factory=list)
    approach: Approach | None = None


def at_row(memory: GoAroundMemory, moment: Moment) -> Sequence[Finding]:
    """Once a minute: an aircraft that came down a thousand feet and is low near a field is on approach to it."""
    seen = moment.row.seen if moment.row is not None else None
    if seen is None or not seen.airborne or seen.alt_ft is None or seen.alt_ft > HIGHEST_FT:
        memory.alts_ft = []
        return NOTHING
    memory.alts_ft = [*memory.alts_ft[1 - SUNK_MIN :], seen.alt_ft]
    told = moment.context.use
    if memory.approach is not None or max(memory.alts_ft) - seen.alt_ft < SUNK_FT or told is None or seen.lat_deg is None:
        return NOTHING
    if seen.vertical_rate_fpm is not None and seen.vertical_rate_fpm >= 0.0:
        return NOTHING
    field = told.places.airport_near(seen.lat_deg, seen.lon_deg or 0.0, NEAR_M)
    if field is None or field.elevation_ft is None or seen.alt_ft - field.elevation_ft > WATCH_FT:
        return NOTHING
    memory.approach = Approach(
        icao=field.id,
        elevation_ft=field.elevation_ft,
        lowest_us=seen.time_us,
        lowest_ft=seen.alt_ft,
        lat_deg=seen.lat_deg,
        lon_deg=seen.lon_deg,
    )
    return NOTHING


def at_reading(memory: GoAroundMemory, moment: Moment) -> Sequence[Finding]:
    """On approach: follow the lowest point; a climb from it that lasts is a go-around, ground under the wheels is none."""
    approach = memory.approach
    if approach is None:
        return NOTHING
    now = moment.now
    is_over = not now.airborne or moment.time_us - approach.lowest_us > FORGET_US
    if is_over or now.alt_ft is None or now.alt_ft - approach.elevation_ft > LEAVE_FT:
        memory.approach, memory.alts_ft = None, []
        return NOTHING
    if now.alt_ft <= approach.lowest_ft:
        approach.lowest_us, approach.lowest_ft, approach.climb_us = moment.time_us, now.alt_ft, None
        approach.lat_deg, approach.lon_deg = now.lat_deg, now.lon_deg
        return NOTHING
    if now.vertical_rate_fpm is None or now.vertical_rate_fpm < CLIMB_FPM:
        approach.climb_us = None
        return NOTHING
    if approach.climb_us is None:
        approach.climb_us = moment.time_us
    is_climbing = moment.time_us - approach.climb_us >= CLIMB_US and now.alt_ft - approach.lowest_ft >= CLIMBED_FT
    if not is_climbing or approach.lowest_ft - approach.elevation_ft >= LOW_FT:
        return NOTHING
    memory.approach, memory.alts_ft = None, []
    return (_finding(approach, moment, now.alt_ft),)


def _finding(approach: Approach, moment: Moment, alt_ft: float) -> Finding:
    episode = Episode(
        asset=moment.now.name,
        opened_at_us=approach.lowest_us,
        detected_at_us=moment.time_us,
        severity="info",
        evidence={
            "airport": approach.icao,
            "lowest_agl_ft": round(approach.lowest_ft - approach.elevation_ft),
            "lowest_alt_ft": approach.lowest_ft,
            "climbed_ft": round(alt_ft - approach.lowest_ft),
            "climb_fpm": round(moment.now.vertical_rate_fpm or 0.0),
            "lat_deg": approach.lat_deg,
            "lon_deg": approach.lon_deg,
        },
    )
    return episode.finding(moment.state, NAME, VERSION, closed_at_us=approach.lowest_us)


RULE = Rule(NAME, VERSION, frozenset({"aircraft"}), GoAroundMemory, at_reading, at_row=at_row)
