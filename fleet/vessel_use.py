"""How a ship is used: her looks to operating states, port calls and voyages. The machine of vessels behind `fleet.use`.

She is looked at once a minute, at the first reading with a position (DECISIONS 123); what lies between two looks is theirs.
Neighbours: `voyage` sails from look to look, `port_call` calls at ports, `operating_state` says what she did; `use` sums up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from fleet import use
from fleet.displacement import laden_ratio
from fleet.instants import HOUR_US, MINUTE_US
from fleet.operating_state import Interval, StateLimits, Surroundings, Timeline, Way, edge, look_at_state
from fleet.port_call import PortCall, PortCallState, PortDistance, PortLimits, look_at_port
from fleet.practice import Practice
from fleet.use import Activity, Fact, Journey, Place, UseContext, UseMachine, UseState
from fleet.vessel import NAME, VesselReading
from fleet.voyage import Draught, Track, Voyage, VoyageLimits, is_voyage_end, sail, type_draught

VERSION = 1
SUMMER_DRAUGHT = "summer_draught_m"
LENGTH = "length_m"  # not of use, but of the rules that leave small craft out
METHOD = f"vessel_use/{VERSION}"
PLACE_KINDS = ("berth", "yard", "anchorage")
"""The areas that name a stay where no port does, the narrowest first."""


class VesselLimits(NamedTuple):
    """Every threshold of the machine, as the book has it on a day.

    `voyage_confidence` is what a voyage asks of a call, `laden_ratio` and `ballast_ratio` of summer draught (domain.md 2.4).
    """

    port: PortLimits = PortLimits()
    state: StateLimits = StateLimits()
    voyage: VoyageLimits = VoyageLimits()
    voyage_confidence: float = 3
    laden_ratio: float = 0.75
    ballast_ratio: float = 0.60


class Passage(msgspec.Struct, kw_only=True, array_like=True):
    """What adds up of a journey that lasts: metres, microseconds watched (all, and by source), legs dropped."""

    distance_m: float = 0.0
    observed_us: int = 0
    dropped: int = 0
    sources: dict[str, int] = {}

    def add(self, other: Passage) -> None:
        """Add what came after."""
        self.distance_m += other.distance_m
        self.observed_us += other.observed_us
        self.dropped += other.dropped
        for source, seen_us in other.sources.items():
            self.sources[source] = self.sources.get(source, 0) + seen_us


class VesselUse(UseState, kw_only=True):
    """What is remembered of a ship between readings.

    `minute` is the last one looked at; `in_call` what the call under way came to, `under_way` the voyage without it; `dropped`
    the legs dropped at looks that were not believed; `told` the call as it was given out last (confidence and port).
    """

    minute: int = -1
    nav_status: int | None = None
    track: Track = msgspec.field(default_factory=Track)
    draught: Draught = msgspec.field(default_factory=Draught)
    ports: PortCallState = msgspec.field(default_factory=PortCallState)
    line: Timeline = msgspec.field(default_factory=Timeline)
    voyage: Voyage | None = None
    in_call: Passage = msgspec.field(default_factory=Passage)
    under_way: Passage = msgspec.field(default_factory=Passage)
    dropped: int = 0
    told: tuple[int, str] | None = None


def new_state() -> VesselUse:
    """The memory of a ship never heard of."""
    return VesselUse(method=METHOD)


def limits(practice: Practice, on: date, asset_type: str | None) -> VesselLimits:
    """The machine's thresholds on a day, for ships of every type. Raises NotDefinedError where one is missing."""
    del asset_type
    return VesselLimits(
        PortLimits.of(practice, on),
        StateLimits.of(practice, on),
        VoyageLimits.of(practice, on),
        practice.number("port_call.voyage_confidence", on),
        practice.number("displacement.laden_ratio", on),
        practice.number("displacement.ballast_ratio", on),
    )


def at_reading(state: VesselUse, reading: VesselReading, context: UseContext, out: list[Fact]) -> None:
    """Take a reading in: see `fleet.use.UseMachine`. Nearly all are within a minute that was looked at, and cost nothing."""
    given: VesselLimits = context.limits
    if reading.draught_m is not None and reading.draught_m != state.draught.typed_m:
        type_draught(state.draught, reading.time_us, reading.draught_m, given.voyage)
    if reading.nav_status is not None:
        state.nav_status = reading.nav_status
    minute = reading.time_us // MINUTE_US
    if minute > state.minute and reading.lat_deg is not None and reading.lon_deg is not None:
        state.minute = minute
        _look(state, reading, reading.lat_deg, reading.lon_deg, context, out)


def standing(state: VesselUse) -> list[Fact]:
    """The call, the voyage and the activities that may still change, as of the last look: see `fleet.use.UseMachine`."""
    found: list[Fact] = []
    call = state.ports.call
    if call is not None:
        found.append(_call_journey(state, call, state.in_call))
    if state.voyage is not None:
        found.append(_voyage_journey(state, state.voyage, state.under_way))
    if state.open is None:
        return found
    onward = _copied(state)
    out: list[Fact] = []
    for interval in edge(state.line):
        _give_out(onward, interval, out)
    found += [fact for fact in out if isinstance(fact, Activity)]
    return found + use.open_activity(onward)


def _copied(state: UseState) -> UseState:
    """The calendar of a state alone, to go on with and to throw away."""
    plain = msgspec.msgpack.encode(UseState(method=state.method, open=state.open, day=state.day))
    return msgspec.msgpack.decode(plain, type=UseState)


def _look(state: VesselUse, reading: VesselReading, lat_deg: float, lon_deg: float, context: UseContext, out: list[Fact]) -> None:
    """One look: where she is, how she got there, what she does, where she calls."""
    given: VesselLimits = context.limits
    time_us, last_us = reading.time_us, state.line.until_us
    leg = sail(state.track, time_us, lat_deg, lon_deg, given.voyage)
    if not leg.believed:
        state.dropped += leg.dropped
        return
    if state.dropped:
        leg = leg._replace(dropped=leg.dropped + state.dropped)
        state.dropped = 0
    silent = last_us is None or time_us - last_us >= given.state.unknown_h * HOUR_US
    sog_kn = _speed_kn(reading.sog_kn, None if silent else leg.implied_kn, given)
    places = context.places.places_near(lat_deg, lon_deg, time_us)
    near = ports_of(places, given.port)
    before = state.ports.call
    ended = look_at_port(state.ports, time_us, near, sog_kn, given.port).ended
    seen_us = 0 if silent or last_us is None else time_us - last_us
    gain = Passage(
        distance_m=leg.distance_m,
        observed_us=seen_us,
        dropped=leg.dropped,
        sources={state.line.source: seen_us} if seen_us else {},
    )
    _count(state, gain, before, ended, given, out)
    _tell_call(state, given, out)
    if state.voyage is not None and state.ports.call is None:
        state.voyage.draught_m = state.draught.believed_m
    if sog_kn is not None and sog_kn < given.state.stopped_kn:
        state.draught.stopped_us = time_us
    here = _surroundings(places, called=state.ports.call is not None)
    loading = _loading(state.draught.believed_m, context.particulars.get(SUMMER_DRAUGHT), given)
    way = Way(leg.distance_m, leg.dropped, _place(state.ports.call, places), loading, reading.source)
    if state.open is None:
        use.begin(state, use.UNKNOWN, time_us)
    for interval in look_at_state(state.line, time_us, here, sog_kn, state.nav_status, way, given.state):
        _give_out(state, interval, out)


def _speed_kn(sog_kn: float | None, implied_kn: float | None, given: VesselLimits) -> float | None:
    """The reported speed; what the leg implies where none is reported, or one that no ship makes."""
    return implied_kn if sog_kn is None or sog_kn > given.voyage.speed_limit_kn else sog_kn


def ports_of(places: Sequence[Place], given: PortLimits) -> list[PortDistance]:
    """The ports among the places beside a position that are nearer than the exit distance, the nearest first.

    Of a port that is an area one is in it or not: inside is 0 km, and the hysteresis of one kilometre counts from its edge
    (domain.md 2.3: areas instead of points where there are some).
    """
    found: list[PortDistance] = []
    for place in places:
        if place.kind != "port":
            continue
        km = place.distance_m / 1000.0
        if place.inside is not None:
            km = 0.0 if place.inside else given.entry_km + max(km, 1e-6)
        if km < given.exit_km:
            found.append(PortDistance(place.id, km))
    return sorted(found, key=lambda port: (port.km, port.port_id))


def _surroundings(places: Sequence[Place], *, called: bool) -> Surroundings:
    if not places:
        return Surroundings(port=called)
    inside = {place.kind for place in places if place.inside}
    return Surroundings(
        port=called or "port" in inside, berth="berth" in inside, anchorage="anchorage" in inside, yard="yard" in inside
    )


def _loading(draught_m: float | None, summer_m: float | None, given: VesselLimits) -> str | None:
    """Laden, partial or in ballast by the believed draught; None where draught or summer draught is not known."""
    ratio = None if summer_m is None else laden_ratio(draught_m, summer_m)
    if ratio is None:
        return None
    return "laden" if ratio >= given.laden_ratio else "ballast" if ratio <= given.ballast_ratio else "partial"


def _place(call: PortCall | None, places: Sequence[Place]) -> str | None:
    """Where a stay is: the port of the call, else the narrowest area around."""
    if call is not None:
        return call.port_id
    inside = [(PLACE_KINDS.index(place.kind), place.id) for place in places if place.inside and place.kind in PLACE_KINDS]
    return min(inside)[1] if inside else None


def _count(
    state: VesselUse, gain: Passage, before: PortCall | None, ended: PortCall | None, given: VesselLimits, out: list[Fact]
) -> None:
    """Add the way since the last look to the call or to the voyage, and close the call that ended."""
    if before is None:
        state.under_way.add(gain)
    elif ended is None or ended.exit_us == state.ports.last_us:
        state.in_call.add(gain)
        gain = Passage()
    if ended is not None:
        out.append(_call_journey(state, ended, state.in_call))
        _end_voyage(state, ended, given, out)
        state.told = None
        if ended.confidence >= given.voyage_confidence and ended.exit_us is not None:
            state.voyage = Voyage(
                from_port_id=ended.port_id,
                started_us=ended.exit_us,
                across_gap=ended.across_gap,
                draught_m=state.draught.believed_m,
            )
            state.under_way = gain
            out.append(_voyage_journey(state, state.voyage, state.under_way))
        else:
            state.under_way.add(state.in_call)
            state.under_way.add(gain)
        state.in_call = Passage()


def _tell_call(state: VesselUse, given: VesselLimits, out: list[Fact]) -> None:
    """Give the call under way out when it is new or better known, and end the voyage that it ends."""
    call = state.ports.call
    if call is None or state.told == (call.confidence, call.port_id):
        return
    if state.told is None:
        state.in_call = Passage()
    state.told = (call.confidence, call.port_id)
    out.append(_call_journey(state, call, state.in_call))
    _end_voyage(state, call, given, out)


def _end_voyage(state: VesselUse, call: PortCall, given: VesselLimits, out: list[Fact]) -> None:
    """Close the voyage under way at a call's entry, where the call is one that ends it."""
    if state.voyage is None or not is_voyage_end(call, given.voyage_confidence):
        return
    across_gap = state.voyage.across_gap or call.across_gap
    ended = msgspec.structs.replace(state.voyage, ended_us=call.entry_us, to_port_id=call.port_id, across_gap=across_gap)
    out.append(_voyage_journey(state, ended, state.under_way))
    state.voyage = None


def _call_journey(state: VesselUse, call: PortCall, passage: Passage) -> Journey:
    length_us = None if call.exit_us is None else call.exit_us - call.started_us
    return Journey(
        kind="port_call",
        started_us=call.started_us,
        ended_us=call.exit_us,
        from_place=call.port_id,
        to_place=call.port_id,
        quality=_quality(across_gap=call.across_gap),
        confidence=call.confidence,
        method=state.method,
        coverage=_coverage(passage.observed_us, length_us),
        distance_m=passage.distance_m,
        observed_us=passage.observed_us,
        sources=dict(passage.sources),
        figures={
            "entry_seen": call.entry_us is not None,
            "stopped": call.stopped,
            "silent": call.silent,
            "legs_dropped": passage.dropped,
        },
    )


def _voyage_journey(state: VesselUse, voyage: Voyage, passage: Passage) -> Journey:
    length_us = None if voyage.ended_us is None else voyage.ended_us - voyage.started_us
    return Journey(
        kind="voyage",
        started_us=voyage.started_us,
        ended_us=voyage.ended_us,
        from_place=voyage.from_port_id,
        to_place=voyage.to_port_id,
        quality=_quality(across_gap=voyage.across_gap),
        method=state.method,
        coverage=_coverage(passage.observed_us, length_us),
        distance_m=passage.distance_m,
        observed_us=passage.observed_us,
        sources=dict(passage.sources),
        figures={"draught_m": voyage.draught_m, "legs_dropped": passage.dropped},
    )


def _quality(*, across_gap: bool) -> str:
    return "inferred_gap" if across_gap else "observed"


def _coverage(observed_us: int, length_us: int | None) -> float | None:
    if length_us is None:
        return None
    return min(1.0, observed_us / length_us) if length_us > 0 else 1.0


def _give_out(state: UseState, interval: Interval, out: list[Fact]) -> None:
    """Say one interval to `use`, the time of each source after the other: their sums are what counts, not their order."""
    piece, end_us = interval
    figures = {
        name: float(amount) for name, amount in (("legs_dropped", piece.dropped), ("status_conflicts", piece.conflicts)) if amount
    }
    if piece.loading in {"laden", "ballast"} and piece.distance_m:
        figures[f"{piece.loading}_m"] = piece.distance_m
    at_us, left_m = piece.start_us, piece.distance_m
    watched = sorted(piece.sources.items()) or [("", 0)]
    for index, (source, seen_us) in enumerate(watched):
        last = index == len(watched) - 1
        to_us = end_us if last else at_us + seen_us
        part_m = left_m if last else piece.distance_m * (seen_us / (end_us - piece.start_us))
        use.extend(
            state,
            piece.state,
            to_us,
            out,
            distance_m=part_m,
            observed_us=seen_us,
            source=source,
            figures=figures if last else None,
            place=piece.place,
            loading=piece.loading,
        )
        at_us, left_m = to_us, left_m - part_m


MACHINE = UseMachine(
    name=NAME,
    version=VERSION,
    state=new_state,
    state_type=VesselUse,
    at_reading=at_reading,
    standing=standing,
    limits=limits,
    particulars=(SUMMER_DRAUGHT, LENGTH),
)
