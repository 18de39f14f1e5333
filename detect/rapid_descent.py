"""Rule `rapid_descent`: an aircraft sinks as fast as in an emergency descent."""

from __future__ import annotations

from collections.abc import Sequence

from detect.episodes import Episode
from detect.model import Finding
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory
from fleet.aircraft import AircraftReading
from fleet.instants import MINUTE_US, SECOND_US

NAME = "rapid_descent"
VERSION = 1
FAST_FPM = -4000.0  # detection.md A8: for 60 s above FL200
FAST_US = 60 * SECOND_US
HIGH_FT = 20_000.0
STEEP_FPM = -6000.0  # detection.md A8: for 20 s at any height; about the rate of an emergency descent (pyModeS)
STEEP_US = 20 * SECOND_US
IMPOSSIBLE_FPM = -10_000.0  # detection.md A3: |vertical rate| beyond this is a fault of the sensor
PROVEN = 0.75  # chosen: the altitude lost must be three quarters of what the rate says, so that no rate alone opens it
BREAK_US = 30 * SECOND_US  # chosen: across a longer silence nobody saw it sink
CALM_FPM = -2000.0  # chosen: an ordinary descent


class DescentMemory(Memory, kw_only=True):
    """The fast descent under way: since when and from what altitude it is fast, and steep; and its episode once it is one."""

    last_us: int = 0
    fast_us: int | None = None
    fast_ft: float = 0.0
    steep_us: int | None = None
    steep_ft: float = 0.0
    episode: Episode | None = None


def at_reading(memory: DescentMemory, moment: Moment) -> Sequence[Finding]:
    """Follow a descent from its first fast reading; open when it lasted and the altitude shows it; close when it is calm."""
    now = moment.now
    rate_fpm = now.vertical_rate_fpm
    if memory.fast_us is None and memory.episode is None and (rate_fpm is None or rate_fpm > FAST_FPM):
        return NOTHING
    reading = moment.reading
    if not isinstance(reading, AircraftReading) or reading.alt_baro_ft is None:
        return NOTHING
    alt_ft, broken = reading.alt_baro_ft, moment.time_us - memory.last_us > BREAK_US
    memory.last_us = moment.time_us
    is_over = rate_fpm is None or not now.airborne or rate_fpm > (FAST_FPM if memory.episode is None else CALM_FPM)
    if is_over or (broken and memory.episode is not None):
        return _end(memory, moment)
    if broken or rate_fpm is None or rate_fpm < IMPOSSIBLE_FPM or memory.fast_us is None:
        memory.fast_us, memory.fast_ft, memory.steep_us = moment.time_us, alt_ft, None
    memory.steep_us, memory.steep_ft = _since(memory, moment.time_us, alt_ft, rate_fpm or 0.0)
    if memory.episode is not None:
        memory.episode.evidence["to_alt_ft"] = min(alt_ft, memory.episode.evidence["to_alt_ft"])
        return NOTHING
    opened = _opened(memory, moment, alt_ft)
    if opened is None:
        return NOTHING
    memory.episode = opened
    return (opened.finding(moment.state, NAME, VERSION),)


def _since(memory: DescentMemory, time_us: int, alt_ft: float, rate_fpm: float) -> tuple[int | None, float]:
    """Since when, and from where, it has been steep."""
    if rate_fpm > STEEP_FPM or rate_fpm < IMPOSSIBLE_FPM:
        return None, 0.0
    return (time_us, alt_ft) if memory.steep_us is None else (memory.steep_us, memory.steep_ft)


def _opened(memory: DescentMemory, moment: Moment, alt_ft: float) -> Episode | None:
    steep_us, fast_us = memory.steep_us, memory.fast_us
    if steep_us is not None and _is_proven(moment.time_us - steep_us, memory.steep_ft - alt_ft, STEEP_US, STEEP_FPM):
        return _episode(moment, steep_us, memory.steep_ft, alt_ft, STEEP_FPM)
    if (
        fast_us is not None
        and alt_ft > HIGH_FT
        and _is_proven(moment.time_us - fast_us, memory.fast_ft - alt_ft, FAST_US, FAST_FPM)
    ):
        return _episode(moment, fast_us, memory.fast_ft, alt_ft, FAST_FPM)
    return None


def _is_proven(lasted_us: int, lost_ft: float, needed_us: int, rate_fpm: float) -> bool:
    return lasted_us >= needed_us and lost_ft >= PROVEN * -rate_fpm * lasted_us / MINUTE_US


def _episode(moment: Moment, since_us: int, from_ft: float, alt_ft: float, limit_fpm: float) -> Episode:
    now, minutes = moment.now, (moment.time_us - since_us) / MINUTE_US
    return Episode(
        asset=now.name,
        opened_at_us=since_us,
        detected_at_us=moment.time_us,
        severity="warning",
        evidence={
            "limit_fpm": limit_fpm,
            "lasted_s": round(minutes * 60.0, 1),
            "mean_rate_fpm": round((alt_ft - from_ft) / minutes),
            "reported_rate_fpm": None if now.vertical_rate_fpm is None else round(now.vertical_rate_fpm),
            "from_alt_ft": from_ft,
            "to_alt_ft": alt_ft,
            "lat_deg": now.lat_deg,
            "lon_deg": now.lon_deg,
        },
    )


def _end(memory: DescentMemory, moment: Moment) -> Sequence[Finding]:
    episode, memory.episode = memory.episode, None
    memory.fast_us = memory.steep_us = None
    return NOTHING if episode is None else (episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us),)


RULE = Rule(NAME, VERSION, frozenset({"aircraft"}), DescentMemory, at_reading)
