"""Rule `squawk_emergency`: a transponder says 7500, 7600 or 7700, and goes on saying it."""

from __future__ import annotations

from collections.abc import Sequence

from detect.episodes import Episode
from detect.model import Finding, Severity
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory
from fleet.aircraft import AircraftReading
from fleet.instants import SECOND_US

NAME = "squawk_emergency"
VERSION = 1
SEVERITIES: dict[str, Severity] = {"7500": "critical", "7600": "warning", "7700": "critical"}  # design 4.6; domain.md 3.3
MEANINGS = {"7500": "unlawful_interference", "7600": "radio_failure", "7700": "emergency"}  # domain.md 3.3
DECODES = 2  # detection.md A4
LASTING_US = 5 * SECOND_US  # detection.md A4


class SquawkMemory(Memory, kw_only=True):
    """The emergency code being seen: since when, in how many readings of different instants; and its episode once it is one."""

    code: str | None = None
    since_us: int = 0
    last_us: int = 0
    decodes: int = 0
    episode: Episode | None = None


def at_reading(memory: SquawkMemory, moment: Moment) -> Sequence[Finding]:
    """Count an emergency code; open at the second decode or after 5 s without another code; close at another code."""
    reading = moment.reading
    if not isinstance(reading, AircraftReading):
        return NOTHING
    code = reading.squawk
    if code is None and memory.code is None:
        return NOTHING
    if code is not None and code != memory.code:
        return _change(memory, moment, code)
    if code is not None and moment.time_us > memory.last_us:
        memory.decodes += 1
        memory.last_us = moment.time_us
    lasting = moment.time_us - memory.since_us >= LASTING_US
    if memory.code is None or memory.episode is not None or (memory.decodes < DECODES and not lasting):
        return NOTHING
    memory.episode = _open(memory, moment, memory.code, reading)
    return (memory.episode.finding(moment.state, NAME, VERSION),)


def _change(memory: SquawkMemory, moment: Moment, code: str) -> Sequence[Finding]:
    episode, memory.episode = memory.episode, None
    memory.code = code if code in SEVERITIES else None
    memory.since_us = memory.last_us = moment.time_us
    memory.decodes = 1
    if episode is None:
        return NOTHING
    episode.evidence["closed_by_squawk"] = code
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us),)


def _open(memory: SquawkMemory, moment: Moment, code: str, reading: AircraftReading) -> Episode:
    now = moment.now
    return Episode(
        subject=code,
        asset=reading.name,
        opened_at_us=memory.since_us,
        detected_at_us=moment.time_us,
        severity=SEVERITIES[code],
        evidence={
            "squawk": code,
            "meaning": MEANINGS[code],
            "decodes": memory.decodes,
            "lasted_s": (moment.time_us - memory.since_us) / SECOND_US,
            "callsign": reading.callsign,
            "lat_deg": now.lat_deg,
            "lon_deg": now.lon_deg,
            "alt_baro_ft": now.alt_ft,
        },
    )


RULE = Rule(NAME, VERSION, frozenset({"aircraft"}), SquawkMemory, at_reading)
