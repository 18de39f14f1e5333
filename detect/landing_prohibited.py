"""Rule `landing_prohibited`: an aircraft lands where it may not, or was last heard in the air there and may have.

Overflight is told apart by `area_entered`, force majeure by a squawk of 7700 in the hour before (domain.md 1.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from detect.area_passage import ENTERED, AreaMemory
from detect.episodes import Episode
from detect.model import Finding
from detect.port_call_prohibited import prohibited_countries
from detect.rule import NOTHING, Moment, Rule, minute_after
from detect.state import Seen, WakingMemory
from fleet.aircraft import AircraftReading
from fleet.area_index import WatchedArea
from fleet.flight_machine import FlightState
from fleet.instants import HOUR_US, MINUTE_US, to_rfc3339

NAME = "landing_prohibited"
VERSION = 1
MAYDAY = "7700"
FORCE_MAJEURE_US = 60 * MINUTE_US  # domain.md 1.6: 7700 in the last 60 min
POSSIBLE_US = 6 * HOUR_US  # domain.md 1.6: last airborne fix in the area, then a gap of 6 h or more
AIRPORT_WITHIN_M = 30_000.0  # domain.md 1.2: an arrival's airport lies at most so far away


class Landing(NamedTuple):
    """An ON event: when, where (degrees), at which airport and in which country, and 7700 how many minutes before, if at all.

    One that was not `seen` is inferred from a gap between two fixes in the air.
    """

    on_us: int
    lat_deg: float
    lon_deg: float
    airport: str | None
    country: str | None
    mayday_before_min: float | None
    seen: bool


class LandingMemory(WakingMemory, kw_only=True):
    """The last ON event that was looked at and what is known of it, the last 7700, and possible landings that are open."""

    on_us: int | None = None
    landing: Landing | None = None
    mayday_us: int | None = None
    episodes: dict[str, Episode] = msgspec.field(default_factory=dict)


def at_reading(memory: LandingMemory, moment: Moment) -> Sequence[Finding]:
    """Look whether the use machine has told of a new ON event, and forget a possible landing: it is heard again."""
    reading, use = moment.reading, moment.state.use
    if isinstance(reading, AircraftReading) and reading.squawk == MAYDAY:
        memory.mayday_us = moment.time_us
    found: Sequence[Finding] = _heard_again(memory, moment) if memory.episodes else NOTHING
    if isinstance(use, FlightState) and use.last_on_us != memory.on_us:
        memory.on_us, memory.landing = use.last_on_us, _landing(memory, moment, use)
        if memory.landing is not None:
            found = [*found, *_judge(moment, memory.landing)]
    passages = moment.state.memories.get(ENTERED)
    if isinstance(passages, AreaMemory) and passages.episodes and _aloft_in(moment, passages):
        memory.wake_at_us = minute_after(moment.context.listening.reached_at_us(moment.time_us, POSSIBLE_US) - 1)
    elif memory.wake_at_us is not None:
        memory.wake_at_us = None
    return found


def at_tick(memory: LandingMemory, moment: Moment) -> Sequence[Finding]:
    """Six hours of listening after the last fix in the air above a prohibited area: it may have come down there."""
    memory.wake_at_us = None
    seen, passages = moment.now, moment.state.memories.get(ENTERED)
    listened_us = moment.context.listening.listened_us(seen.time_us, moment.time_us)
    if listened_us < POSSIBLE_US:
        memory.wake_at_us = minute_after(moment.context.listening.reached_at_us(moment.time_us, POSSIBLE_US - listened_us) - 1)
        return NOTHING
    if not isinstance(passages, AreaMemory):
        return NOTHING
    found: list[Finding] = []
    for area in _aloft_in(moment, passages):
        episode = Episode(
            subject=area.id, asset=seen.name, opened_at_us=seen.time_us, detected_at_us=moment.time_us, severity="warning",
            evidence={
                "possible": True, **_about(area), "last_lat_deg": seen.lat_deg, "last_lon_deg": seen.lon_deg,
                "last_alt_baro_ft": seen.alt_ft, "last_vertical_rate_fpm": seen.vertical_rate_fpm,
                "silent_h": round(listened_us / HOUR_US, 2), "silent_min_h": POSSIBLE_US / HOUR_US,
                "force_majeure_candidate": _mayday_before_min(memory, seen.time_us) is not None,
            },
        )  # fmt: skip
        memory.episodes[area.id] = episode
        found.append(episode.finding(moment.state, NAME, VERSION))
    return found


def _aloft_in(moment: Moment, passages: AreaMemory) -> list[WatchedArea]:
    """The prohibited areas that the asset has entered and is in the air above, as last heard."""
    areas = moment.context.areas
    if areas is None or moment.now.airborne is not True:
        return []
    known = [areas.named(area_id, moment.time_us) for area_id in passages.episodes if passages.watches[area_id].since_us is None]
    return [area for area in known if area is not None and area.kind == "prohibited"]


def _heard_again(memory: LandingMemory, moment: Moment) -> Sequence[Finding]:
    found = []
    for episode in memory.episodes.values():
        episode.evidence["heard_again"] = "airborne" if moment.now.airborne else "on_ground"
        episode.evidence["silent_h"] = round((moment.time_us - episode.opened_at_us) / HOUR_US, 2)
        found.append(episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us))
    memory.episodes = {}
    return found


def _landing(memory: LandingMemory, moment: Moment, use: FlightState) -> Landing | None:
    """The ON event that the machine tells of; None where no position says where it was."""
    at = use.ground if use.phase == "ground" and use.ground is not None and use.ground.lat_deg is not None else use.air
    if use.last_on_us is None or at is None or at.lat_deg is None or at.lon_deg is None:
        return None
    told = moment.context.use
    airport = None if told is None else told.places.airport_near(at.lat_deg, at.lon_deg, AIRPORT_WITHIN_M)
    return Landing(
        on_us=use.last_on_us, lat_deg=at.lat_deg, lon_deg=at.lon_deg, airport=None if airport is None else airport.id,
        country=None if airport is None else airport.country, mayday_before_min=_mayday_before_min(memory, use.last_on_us),
        seen=use.phase == "ground",
    )  # fmt: skip


def _mayday_before_min(memory: LandingMemory, on_us: int) -> float | None:
    """Minutes from the last 7700 to a touch-down, 0 for one after it; None where it was longer ago than counts."""
    if memory.mayday_us is None or on_us - memory.mayday_us > FORCE_MAJEURE_US:
        return None
    return round(max(0, on_us - memory.mayday_us) / MINUTE_US, 2)


def _judge(moment: Moment, landing: Landing) -> Sequence[Finding]:
    areas, now = moment.context.areas, moment.now
    inside = [] if areas is None else areas.inside(landing.lat_deg, landing.lon_deg, landing.on_us, "aircraft")
    where: dict[str, dict[str, Any]] = {area.id: _about(area) for area in inside if area.kind == "prohibited"}
    if landing.country is not None and landing.country in prohibited_countries(moment):
        where[landing.country] = {"country": landing.country}
    return [_point(moment, now, landing, subject, about) for subject, about in where.items()]


def _point(moment: Moment, now: Seen, landing: Landing, subject: str, about: dict[str, Any]) -> Finding:
    episode = Episode(
        subject=subject, asset=now.name, opened_at_us=landing.on_us, detected_at_us=moment.time_us,
        severity="critical" if landing.seen else "warning",
        evidence={
            "possible": not landing.seen, **about, "on_at": to_rfc3339(landing.on_us), "airport": landing.airport,
            "lat_deg": landing.lat_deg, "lon_deg": landing.lon_deg, "mayday_before_min": landing.mayday_before_min,
            "mayday_within_min": FORCE_MAJEURE_US / MINUTE_US,
            "force_majeure_candidate": landing.mayday_before_min is not None,
        },
    )  # fmt: skip
    return episode.finding(moment.state, NAME, VERSION, closed_at_us=landing.on_us)


def _about(area: WatchedArea) -> dict[str, Any]:
    return {"area_name": area.name, "area_set": area.area_set, "issuer": area.issuer, "area_version": area.version}


RULE = Rule(NAME, VERSION, frozenset({"aircraft"}), LandingMemory, at_reading, at_tick)
