"""Rule `diversion`: an aircraft lands elsewhere than where it said it was bound."""

from __future__ import annotations

import re
from collections.abc import Sequence

from detect.episodes import Episode
from detect.model import Finding
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory
from fleet.flight_machine import FlightState
from fleet.instants import MINUTE_US

NAME = "diversion"
VERSION = 1
FILED_US = 15 * MINUTE_US  # chosen: a plan that is sent late is sent while the aircraft still climbs
AT_FIELD_M = 5000.0  # chosen: the reference point of the largest airports lies some 3 km from their far thresholds
ICAO = re.compile(r"[A-Z]{4}")


class DiversionMemory(Memory, kw_only=True):
    """The flight under way: since when, from where, and to where it was filed; when the flight before it ended."""

    off_us: int | None = None
    origin: str | None = None
    filed: str | None = None
    landed_us: int = 0


def at_row(memory: DiversionMemory, moment: Moment) -> Sequence[Finding]:
    """Once a minute: note where a flight is bound; when it has ended, lay beside it where it stands."""
    use = moment.state.use
    if not isinstance(use, FlightState):
        return NOTHING
    flight = use.flight
    if flight is not None:
        if memory.off_us != flight.off_us:
            memory.off_us, memory.filed = flight.off_us, None
        memory.origin = flight.from_place
        if memory.filed is None or moment.time_us - flight.off_us <= FILED_US:
            memory.filed = _bound_for(moment, memory.landed_us) or memory.filed
        return NOTHING
    if memory.off_us is None:
        return NOTHING
    filed, off_us, origin = memory.filed, memory.off_us, memory.origin
    memory.off_us = memory.filed = None
    if use.last_on_us is None or use.last_on_us < off_us:
        return NOTHING  # it was lost, not seen to land
    memory.landed_us = use.last_on_us
    landed_at = _standing_at(use, moment)
    if filed is None or landed_at is None or landed_at == filed:
        return NOTHING
    return (_finding(moment, off_us, use.last_on_us, origin, filed, landed_at),)


def _bound_for(moment: Moment, landed_us: int) -> str | None:
    """The ICAO code it says it is bound for; what was said before the last landing was said of that flight."""
    said = moment.state.said
    if said is None or said.destination is None or said.destination_us is None or said.destination_us <= landed_us:
        return None
    word = said.destination.strip().upper()
    return word if ICAO.fullmatch(word) else None


def _standing_at(use: FlightState, moment: Moment) -> str | None:
    """The airport that it was heard on the ground of."""
    ground, told = use.ground, moment.context.use
    if ground is None or ground.lat_deg is None or ground.lon_deg is None or told is None:
        return None
    place = told.places.airport_near(ground.lat_deg, ground.lon_deg, AT_FIELD_M)
    return None if place is None else place.id


def _finding(moment: Moment, off_us: int, on_us: int, origin: str | None, filed: str, landed_at: str) -> Finding:
    said = moment.state.said
    ground = moment.state.use.ground if isinstance(moment.state.use, FlightState) else None
    episode = Episode(
        asset=moment.now.name,
        opened_at_us=on_us,
        detected_at_us=moment.time_us,
        severity="warning",
        evidence={
            "filed_airport": filed,
            "landed_airport": landed_at,
            "origin_airport": origin,
            "is_return": landed_at == origin,
            "is_announced": said is not None and said.destination is not None and said.destination.strip().upper() == landed_at,
            "flight_h": round((on_us - off_us) / (60 * MINUTE_US), 4),
            "lat_deg": None if ground is None else ground.lat_deg,
            "lon_deg": None if ground is None else ground.lon_deg,
        },
    )
    return episode.finding(moment.state, NAME, VERSION, closed_at_us=on_us)


RULE = Rule(NAME, VERSION, frozenset({"aircraft"}), DiversionMemory, at_row=at_row)
