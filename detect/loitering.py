"""Rule `loitering`: a ship that stays about one place on the open sea, hour after hour."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from detect.episodes import Episode
from detect.hull import AT_WORK, COAST_M, hull_of, in_harbour, lies, off_coast_m
from detect.model import Finding
from detect.plane import near_distance_m, offset_m
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory, Seen
from fleet.geodesy import KN_MPS, NM_M
from fleet.instants import HOUR_US, SECOND_US

NAME = "loitering"
VERSION = 1
SPEED_KN = 2.0  # detection.md S5: average of an hour, by positions
BLOCK_US = HOUR_US  # detection.md S5: consecutive hours
LASTING_US = 4 * HOUR_US  # detection.md S5: reports of carriers
BREAK_KN = 6.0  # chosen: three times the average; who goes this fast has somewhere to go
SILENCE_US = 6 * HOUR_US  # design 4.6: the silence that is a gap at sea; what she did in it is not known


class LoiterMemory(Memory, kw_only=True):
    """The hour under way and the hours before it that were slow.

    The hour began at `block_us`; `way_m` is the way made good in it so far, up to `last_us`, `lat_deg`, `lon_deg`. The slow hours
    began at `since_us`, at `from_lat_deg`, `from_lon_deg`, and add up to `total_m`; `radius_m` is how far off she has been at the
    end of an hour.
    """

    block_us: int | None = None
    last_us: int = 0
    lat_deg: float = 0.0
    lon_deg: float = 0.0
    way_m: float = 0.0
    since_us: int = 0
    from_lat_deg: float = 0.0
    from_lon_deg: float = 0.0
    total_m: float = 0.0
    radius_m: float = 0.0
    episode: Episode | None = None


def at_row(memory: LoiterMemory, moment: Moment) -> Sequence[Finding]:
    """Add a minute to the hour under way; at its end it joins the slow hours or ends them."""
    seen = None if moment.row is None else moment.row.seen
    if seen is None or seen.lat_deg is None or seen.lon_deg is None or seen.fix_time_us is None:
        return NOTHING
    speed_kn = seen.speed_kn
    if memory.block_us is None:
        if speed_kn is None or speed_kn < SPEED_KN:
            _begin(memory, seen, seen.fix_time_us, seen.lat_deg, seen.lon_deg)
        return NOTHING
    if seen.fix_time_us <= memory.last_us:
        return NOTHING
    is_broken = (speed_kn is not None and speed_kn >= BREAK_KN) or seen.fix_time_us - memory.last_us > SILENCE_US
    if is_broken or lies(seen) or seen.nav_status in AT_WORK:
        return _end(memory, moment, memory.block_us)
    limit_m = 60.0 * KN_MPS * (seen.fix_time_us - memory.last_us) / SECOND_US
    memory.way_m += near_distance_m(memory.lat_deg, memory.lon_deg, seen.lat_deg, seen.lon_deg, limit_m)
    memory.last_us, memory.lat_deg, memory.lon_deg = seen.fix_time_us, seen.lat_deg, seen.lon_deg
    if memory.last_us - memory.block_us < BLOCK_US:
        return NOTHING
    return _close_block(memory, moment, memory.block_us)


def _begin(memory: LoiterMemory, seen: Seen, time_us: int, lat_deg: float, lon_deg: float) -> None:
    if lies(seen) or seen.nav_status in AT_WORK:
        return
    memory.block_us = memory.since_us = memory.last_us = time_us
    memory.lat_deg, memory.lon_deg = memory.from_lat_deg, memory.from_lon_deg = lat_deg, lon_deg
    memory.way_m = memory.total_m = memory.radius_m = 0.0


def _close_block(memory: LoiterMemory, moment: Moment, block_us: int) -> Sequence[Finding]:
    """An hour is over: fast, it ends what was; slow, it lengthens that, and four hours of it are told."""
    elapsed_s = (memory.last_us - block_us) / SECOND_US
    if memory.way_m / elapsed_s >= moment.setting(NAME, "speed_kn", SPEED_KN) * KN_MPS:
        return _end(memory, moment, block_us)
    memory.total_m += memory.way_m
    memory.block_us, memory.way_m = memory.last_us, 0.0
    memory.radius_m = max(
        memory.radius_m, hypot(*offset_m(memory.from_lat_deg, memory.from_lon_deg, memory.lat_deg, memory.lon_deg))
    )
    lasted_us = memory.last_us - memory.since_us
    if memory.episode is not None or lasted_us < LASTING_US:
        return NOTHING
    coast_m = off_coast_m(moment, moment.now)
    hull = hull_of(moment)
    if coast_m is None or coast_m <= COAST_M or hull.is_working or in_harbour(moment):
        return NOTHING
    memory.episode = Episode(
        asset=moment.now.name,
        opened_at_us=memory.since_us,
        detected_at_us=moment.time_us,
        severity="info",
        evidence={
            **_figures(memory, memory.last_us),
            "speed_limit_kn": SPEED_KN,
            "lasting_limit_h": LASTING_US / HOUR_US,
            "off_coast_nm": round(coast_m / NM_M, 1),
            "off_coast_limit_nm": COAST_M / NM_M,
            "nav_status": moment.now.nav_status,
            "kind": hull.kind,
            "lat_deg": memory.from_lat_deg,
            "lon_deg": memory.from_lon_deg,
        },
    )
    return (memory.episode.finding(moment.state, NAME, VERSION),)


def _figures(memory: LoiterMemory, to_us: int) -> dict[str, float]:
    lasted_us = max(1, to_us - memory.since_us)
    return {
        "average_speed_kn": round(memory.total_m / (lasted_us / SECOND_US) / KN_MPS, 2),
        "lasted_h": round(lasted_us / HOUR_US, 2),
        "radius_nm": round(memory.radius_m / NM_M, 2),
    }


def _end(memory: LoiterMemory, moment: Moment, end_us: int) -> Sequence[Finding]:
    """The slow hours are over, at the end of the last of them."""
    memory.block_us = None
    episode, memory.episode = memory.episode, None
    if episode is None:
        return NOTHING
    episode.evidence |= _figures(memory, end_us)
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=end_us),)


RULE = Rule(NAME, VERSION, frozenset({"vessel"}), LoiterMemory, at_row=at_row)
