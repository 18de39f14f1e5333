"""Rule `holding`: an aircraft flies circles or racetracks over one place."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detect.episodes import Episode
from detect.model import Finding
from detect.plane import near_distance_m
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory
from fleet.aircraft import AircraftReading
from fleet.geodesy import NM_M
from fleet.instants import MINUTE_US, SECOND_US

NAME = "holding"
VERSION = 1
TURN_DEG = 360.0  # detection.md A5: one full turn to the same side
WITHIN_US = 12 * MINUTE_US  # detection.md A5
NEAR_M = 15.0 * NM_M  # detection.md A5
LOWEST_FT = 2000.0  # chosen: below it circles are flown around an aerodrome, which is no holding
SLOWEST_KN = 100.0  # chosen: gliders and helicopters circle below it
LEAST_US = 4 * SECOND_US  # chosen: a track of a second ago differs by noise as much as by turning
MOST_US = 45 * SECOND_US  # chosen: at three degrees a second, the standard rate, more than half a turn may lie in a longer gap
STRAIGHT_US = 6 * MINUTE_US  # chosen: a racetrack with legs of a minute turns one and a half times in it
STRAIGHT_DEG = 180.0  # chosen: half a turn in that time is a vector or an approach

Sample = tuple[int, float, float, float]
"""Once a minute: instant, degrees turned since the beginning (right is positive), latitude, longitude."""


class HoldingMemory(Memory, kw_only=True):
    """Degrees turned so far, where the last track was taken, a sample for each of the last minutes, and the open episode."""

    last_us: int = 0
    track_deg: float = 0.0
    turned_deg: float = 0.0
    samples: list[Sample] = msgspec.field(default_factory=list)
    episode: Episode | None = None


def at_reading(memory: HoldingMemory, moment: Moment) -> Sequence[Finding]:
    """Add up how far the track turned since the last one taken."""
    reading, apart_us = moment.reading, moment.time_us - memory.last_us
    if apart_us < LEAST_US or not isinstance(reading, AircraftReading) or reading.track_deg is None:
        return NOTHING
    track_deg = reading.track_deg
    if apart_us <= MOST_US:
        memory.turned_deg += (track_deg - memory.track_deg + 180.0) % 360.0 - 180.0
    else:
        memory.samples, memory.turned_deg = [], 0.0  # what it turned meanwhile nobody saw
    memory.last_us, memory.track_deg = moment.time_us, track_deg
    return NOTHING


def at_row(memory: HoldingMemory, moment: Moment) -> Sequence[Finding]:
    """Once a minute: open at a full turn within twelve minutes and fifteen miles, close after six minutes nearly straight."""
    row = moment.row
    seen = None if row is None else row.seen
    if seen is None or seen.lat_deg is None or seen.lon_deg is None or not _may_hold(seen.airborne, seen.speed_kn, seen.alt_ft):
        memory.samples = []
        return _end(memory, moment)
    here = (seen.time_us, memory.turned_deg, seen.lat_deg, seen.lon_deg)
    memory.samples = [one for one in memory.samples if here[0] - one[0] <= WITHIN_US] + [here]
    if memory.episode is not None:
        return _follow(memory, memory.episode, moment, here)
    for start in reversed(memory.samples[:-1]):
        if abs(here[1] - start[1]) >= TURN_DEG:
            apart_m = near_distance_m(start[2], start[3], here[2], here[3], NEAR_M)
            if apart_m >= NEAR_M:
                return NOTHING
            memory.episode = _open(moment, start, here, apart_m)
            return (memory.episode.finding(moment.state, NAME, VERSION),)
    return NOTHING


def _may_hold(airborne: bool | None, gs_kn: float | None, alt_ft: float | None) -> bool:
    return bool(airborne) and gs_kn is not None and gs_kn >= SLOWEST_KN and alt_ft is not None and alt_ft >= LOWEST_FT


def _open(moment: Moment, start: Sample, here: Sample, apart_m: float) -> Episode:
    seen = moment.row.seen if moment.row is not None else moment.now
    return Episode(
        asset=moment.now.name,
        opened_at_us=start[0],
        detected_at_us=moment.time_us,
        severity="info",
        evidence={
            "side": "right" if here[1] > start[1] else "left",
            "turned_deg": round(abs(here[1] - start[1])),
            "within_min": round((here[0] - start[0]) / MINUTE_US, 1),
            "apart_nm": round(apart_m / NM_M, 2),
            "alt_baro_ft": seen.alt_ft,
            "gs_kn": seen.speed_kn,
            "lat_deg": here[2],
            "lon_deg": here[3],
            "begun_turned_deg": round(start[1], 1),
        },
    )


def _follow(memory: HoldingMemory, episode: Episode, moment: Moment, here: Sample) -> Sequence[Finding]:
    episode.evidence["turned_deg"] = max(
        episode.evidence["turned_deg"], round(abs(here[1] - episode.evidence["begun_turned_deg"]))
    )
    past = [one for one in memory.samples if here[0] - one[0] >= STRAIGHT_US]
    if past and abs(here[1] - past[-1][1]) < STRAIGHT_DEG:
        return _end(memory, moment)
    return NOTHING


def _end(memory: HoldingMemory, moment: Moment) -> Sequence[Finding]:
    episode, memory.episode = memory.episode, None
    if episode is None:
        return NOTHING
    memory.samples = []
    episode.evidence["lasted_min"] = round((moment.time_us - episode.opened_at_us) / MINUTE_US, 1)
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us),)


RULE = Rule(NAME, VERSION, frozenset({"aircraft"}), HoldingMemory, at_reading, at_row=at_row)
