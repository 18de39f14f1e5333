"""Rule `port_call_prohibited`: a ship calls where she may not, in a prohibited area or in a port of a prohibited country."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from detect.episodes import Episode
from detect.model import Finding
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory, Seen
from fleet.area_index import WatchedArea
from fleet.instants import MINUTE_US, to_rfc3339
from fleet.lease import ProhibitedCountries
from fleet.places import country_of_port
from fleet.vessel_use import VesselUse

NAME = "port_call_prohibited"
VERSION = 1
STOP_BEGIN_KN = 0.2  # domain.md 2.3: a stop begins
STOP_END_KN = 0.5  # domain.md 2.3: a stop ends
STOP_MIN = 10.0  # chosen: as long as a fix inside an area must stand (domain.md 3.4); one wrong speed in passing is no call
LEFT_LOOKS = 2  # chosen: as many looks elsewhere as fixes say that an area was left (domain.md 3.4)


class Call(NamedTuple):
    """A stop or a silence in port, as the port-call machine has it, or a bare stop outside every known port.

    `since_us` is its begin, `port_id` and `country` those of the port (None: not known), `confidence` the machine's.
    """

    since_us: int
    port_id: str | None
    country: str | None
    confidence: int | None


class PortCallMemory(Memory, kw_only=True):
    """Since when the ship lies still, and the calls that are open: by area id or country, with looks elsewhere since."""

    stopped_us: int | None = None
    episodes: dict[str, Episode] = msgspec.field(default_factory=dict)
    away: dict[str, int] = msgspec.field(default_factory=dict)


def at_row(memory: PortCallMemory, moment: Moment) -> Sequence[Finding]:
    """Look once a minute whether she calls, and where."""
    _stop_or_go(memory, moment)
    areas, countries = moment.context.areas, prohibited_countries(moment)
    if areas is None and not countries and not memory.episodes:
        return NOTHING
    now = moment.now
    if now.fix_time_us != moment.time_us or now.lat_deg is None or now.lon_deg is None:
        return NOTHING
    inside = [
        area
        for area in ([] if areas is None else areas.inside(now.lat_deg, now.lon_deg, moment.time_us, "vessel"))
        if area.kind == "prohibited"
    ]
    call = call_of(moment, memory.stopped_us)
    found: list[Finding] = []
    where: dict[str, WatchedArea | None] = {area.id: area for area in inside}
    if call is not None and call.country is not None and call.country in countries:
        where[call.country] = None
    for subject in list(memory.episodes):
        found += _follow(memory, moment, subject, here=subject in where)
    if call is not None:
        for subject, area in where.items():
            if subject not in memory.episodes:
                found.append(_open(memory, moment, now, call, subject, area))
            else:
                found += berthed(memory.episodes[subject], call, moment, NAME, VERSION)
    return found


def _stop_or_go(memory: PortCallMemory, moment: Moment) -> None:
    speed_kn = moment.now.speed_kn
    if speed_kn is None:
        return
    if speed_kn >= STOP_END_KN:
        memory.stopped_us = None
    elif speed_kn <= STOP_BEGIN_KN and memory.stopped_us is None:
        memory.stopped_us = moment.time_us


def call_of(moment: Moment, stopped_us: int | None) -> Call | None:
    """The call that the ship makes now: the machine's, once it saw a stop or a silence in it; else a stop of ten minutes."""
    use = moment.state.use
    call = use.ports.call if isinstance(use, VesselUse) else None
    lasting = stopped_us is not None and moment.time_us - stopped_us >= moment.setting(NAME, "stop_min", STOP_MIN) * MINUTE_US
    if call is not None and call.silent:
        return Call(call.stop_us or call.started_us, call.port_id, country_of_port(call.port_id), call.confidence)
    if stopped_us is None or not lasting:
        return None
    if call is not None:
        return Call(call.stop_us or stopped_us, call.port_id, country_of_port(call.port_id), call.confidence)
    return Call(stopped_us, None, None, None)


def berthed(episode: Episode, call: Call, moment: Moment, rule: str, version: int) -> Sequence[Finding]:
    """What is added when a ship that stopped in the roads calls at a port that is known: the port, once."""
    if call.port_id is None or episode.evidence.get("port") is not None:
        return NOTHING
    episode.evidence |= {"port": call.port_id, "country": call.country, "confidence": call.confidence}
    return (episode.finding(moment.state, rule, version),)


def prohibited_countries(moment: Moment) -> frozenset[str]:
    """The countries that clauses in force at the instant prohibit."""
    return frozenset(
        country
        for clause in moment.docket.covenants
        if isinstance(clause.demand, ProhibitedCountries) and clause.holds(moment.time_us)
        for country in clause.demand.countries
    )


def _open(
    memory: PortCallMemory, moment: Moment, now: Seen, call: Call, subject: str, area: WatchedArea | None
) -> Finding:  # fmt: skip
    evidence: dict[str, Any] = {
        "stopped_at": to_rfc3339(call.since_us), "port": call.port_id, "country": call.country, "confidence": call.confidence,
        "lat_deg": now.lat_deg, "lon_deg": now.lon_deg, "sog_kn": now.speed_kn, "nav_status": now.nav_status,
        "stop_begin_kn": STOP_BEGIN_KN, "stop_end_kn": STOP_END_KN, "stop_min": moment.setting(NAME, "stop_min", STOP_MIN),
    }  # fmt: skip
    if area is not None:
        evidence |= {"area_name": area.name, "area_set": area.area_set, "issuer": area.issuer, "area_version": area.version}
    episode = Episode(
        subject=subject, asset=now.name, opened_at_us=call.since_us, detected_at_us=moment.time_us, severity="critical",
        evidence=evidence,
    )  # fmt: skip
    memory.episodes[subject], memory.away[subject] = episode, 0
    return episode.finding(moment.state, NAME, VERSION)


def _follow(memory: PortCallMemory, moment: Moment, subject: str, *, here: bool) -> Sequence[Finding]:
    """Close a call after two looks elsewhere; while a country's call is only shifting berth, she is still there."""
    call = moment.state.use.ports.call if isinstance(moment.state.use, VesselUse) else None
    if here or (call is not None and country_of_port(call.port_id) == subject):
        memory.away[subject] = 0
        return NOTHING
    memory.away[subject] += 1
    if memory.away[subject] < LEFT_LOOKS:
        return NOTHING
    del memory.away[subject]
    episode = memory.episodes.pop(subject)
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us),)


RULE = Rule(NAME, VERSION, frozenset({"vessel"}), PortCallMemory, at_row=at_row)
