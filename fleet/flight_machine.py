"""Flights out of an aircraft's readings, one by one: the machine behind the rules of `fleet.flight`. Pure.

What it remembers of a reading is kept raw (`Heard`), because the height above the field is known only once the field is. It knows
two phases, `airborne` and `ground`; the calendar's states are these and `unknown`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fleet.aircraft import NAME, AircraftReading
from fleet.flight import (
    QUALITIES,
    FlightLimits,
    Quality,
    Verdict,
    judge_gap,
    limits,
    off_time,
    on_time,
    verdict,
)
from fleet.geodesy import FT_M, KN_MPS, distance_m
from fleet.instants import MINUTE_US, SECOND_US
from fleet.use import (
    UNKNOWN,
    Fact,
    Journey,
    Place,
    UseContext,
    UseMachine,
    UseState,
    begin,
    count,
    extend,
    open_activity,
)

VERSION = 1
METHOD = f"AC-DET-1/{VERSION}"
AIRBORNE, GROUND = "airborne", "ground"


class Heard(msgspec.Struct, frozen=True, array_like=True):
    """One decisive sample, as heard: barometric altitude (geometric for want of it), vertical rate, ground speed, position."""

    time_us: int
    alt_ft: float | None
    rate_fpm: float | None
    gs_kn: float | None
    lat_deg: float | None
    lon_deg: float | None


class Turn(msgspec.Struct, array_like=True):
    """A change to `phase` that is not confirmed yet: its first sample and how many came."""

    phase: str
    first: Heard
    samples: int


class Field(msgspec.Struct, frozen=True, array_like=True):
    """What heights are measured from: elevation in feet (None: no field around) at a position, None for wherever it is.

    `is_heard`: the altitude that this aircraft told on that ground, so that no pressure setting is between (golden AC20); else
    the map's, and a pressure altitude may be a thousand feet off it.
    """

    elevation_ft: float | None
    lat_deg: float | None
    lon_deg: float | None
    is_heard: bool = False


class OpenFlight(msgspec.Struct, array_like=True):
    """The flight under way; changed in place."""

    off_us: int
    quality: Quality
    from_place: str | None = None
    callsign: str | None = None
    distance_m: float = 0.0
    observed_us: int = 0
    sources: dict[str, int] = {}
    ambiguous_us: int = 0
    off_window_us: int | None = None
    is_touch: bool = False


SPEED_BIN_MPS = 10.0  # chosen: a tenth of the ambiguous band's width
SPEED_BINS = 40
SPEED_SAMPLES_MAX = 600  # then all bins are halved: the last ten to twenty hours in the air count
STEADY_US = MINUTE_US  # chosen: what a minute changes is a phase, and a phase that changes is looked at by each reading
LEG_US = 30 * SECOND_US  # chosen: 4 nm in cruise, far above the noise of a position
HEIGHT_WITHIN_M = 30_000.0  # heights are measured from a field at most so far away: an arrival's distance
MOVED_DEG = 0.05  # 3 nm: a field looked up is asked for again after that
OVERHEAD_M = 150.0  # chosen: so low over a field there is no other to go to
NO_FIELD_FT = 15_000.0  # chosen: no field is higher; where none is listed around, heights above it are heights


class FlightState(UseState, kw_only=True):
    """What is remembered of one aircraft: phase, last decisive samples, flight under way, and the bins of its speeds in the air.

    `unseen_us` is the time since the calendar's end that lies in gaps, `legs_m` the distance since then; `steep` the sample of
    no verdict that climbs away first, or sinks to the ground last; `slowest_kn` the least speed since ON; `place` the airport it
    stands at.
    """

    phase: str | None = None
    last_us: int = 0
    unseen_us: int = 0
    legs_m: float = 0.0
    fix_us: int | None = None
    fix_lat_deg: float = 0.0
    fix_lon_deg: float = 0.0
    air: Heard | None = None
    ground: Heard | None = None
    turn: Turn | None = None
    steep: Heard | None = None
    field: Field | None = None
    speeds: list[int] = msgspec.field(default_factory=list)
    flight: OpenFlight | None = None
    last_on_us: int | None = None
    slowest_kn: float | None = None
    place: str | None = None


def new_state() -> FlightState:
    """The memory of an aircraft of which nothing was heard."""
    return FlightState(method=METHOD)


def at_reading(state: FlightState, reading: AircraftReading, context: UseContext, out: list[Fact]) -> None:
    """Take a reading in: see `fleet.use.UseMachine`.

    Most readings change nothing: the calendar is lengthened by them once in `STEADY_US`, and whatever changes looks back to
    there.
    """
    given: FlightLimits = context.limits
    time_us = reading.time_us
    held = state.open
    if held is None:
        begin(state, UNKNOWN, time_us)
        state.last_us = time_us
    elapsed_us = time_us - state.last_us
    state.last_us = time_us
    if elapsed_us > given.gap_us:
        state.unseen_us += elapsed_us
    lat_deg, lon_deg = reading.lat_deg, reading.lon_deg
    if lat_deg is not None and lon_deg is not None and (state.fix_us is None or time_us - state.fix_us >= LEG_US):
        _leg(state, time_us, lat_deg, lon_deg, given)
    gs_kn = reading.gs_kn
    alt_ft = reading.alt_baro_ft
    if alt_ft is None:
        alt_ft = reading.alt_geom_ft
    if reading.on_ground is False and gs_kn is not None and gs_kn >= given.air_gs_kn:
        phase = AIRBORNE
    else:
        decided = _decide(state, reading, alt_ft, context)
        if decided is None:
            _note_steep(state, reading, alt_ft, given)
            return
        phase = AIRBORNE if decided == "air" else GROUND
    heard = Heard(time_us, alt_ft, reading.vertical_rate_fpm, gs_kn, lat_deg, lon_deg)
    if phase != state.phase:
        _turn(state, heard, phase, reading, context, out)
        return
    if state.turn is not None or state.unseen_us or state.steep is not None or held is None or time_us - held.to_us >= STEADY_US:
        _go_on(state, heard, reading, context, out)
    elif phase == AIRBORNE:
        state.air = heard
    else:
        state.ground = heard
        if gs_kn is not None and (state.slowest_kn is None or gs_kn < state.slowest_kn):
            state.slowest_kn = gs_kn


def _decide(state: FlightState, reading: AircraftReading, alt_ft: float | None, context: UseContext) -> Verdict:
    """The verdict of a reading, its height counted from the field. A height alone decides nothing: receivers mix aircraft up."""
    if reading.gs_kn is None and reading.on_ground is not True:
        return None
    agl_ft = None if alt_ft is None else _agl_of(state, reading, alt_ft, context)
    return verdict(reading.on_ground, reading.gs_kn, agl_ft, context.limits)


def _go_on(state: FlightState, heard: Heard, reading: AircraftReading, context: UseContext, out: list[Fact]) -> None:
    """Nothing changed: the calendar goes on in the same phase."""
    state.turn = None
    if state.unseen_us:
        _settle(state, reading.source, out)
    if state.phase == AIRBORNE:
        if not (state.unseen_us and _across_gap(state, heard, reading, context, out)):
            _lengthen(state, AIRBORNE, heard.time_us, reading.source, out)
        state.air, state.steep = heard, None
        if heard.gs_kn is not None:
            _note_speed(state, heard.gs_kn * KN_MPS)
        if state.flight is not None and state.flight.callsign is None:
            state.flight.callsign = reading.callsign
        return
    if state.unseen_us:
        _across_silence(state, heard, reading, context, out)
    else:
        _lengthen(state, GROUND, heard.time_us, reading.source, out)
    state.ground, state.steep = heard, None
    if heard.gs_kn is not None and (state.slowest_kn is None or heard.gs_kn < state.slowest_kn):
        state.slowest_kn = heard.gs_kn
    if heard.alt_ft is not None and reading.alt_baro_ft is not None:
        state.field = Field(heard.alt_ft, heard.lat_deg, heard.lon_deg, is_heard=True)


def _turn(state: FlightState, heard: Heard, phase: str, reading: AircraftReading, context: UseContext, out: list[Fact]) -> None:
    """A sample of the other phase: changes it once three came that span ten seconds (AC-DET-1)."""
    given: FlightLimits = context.limits
    turn = state.turn
    if turn is None or turn.phase != phase:
        turn = state.turn = Turn(phase, heard, 0)
    turn.samples += 1
    if turn.samples < given.confirm_samples or heard.time_us - turn.first.time_us < given.confirm_us:
        return
    state.turn = None
    if phase == AIRBORNE:
        _take_off(state, turn.first, heard, reading, context, out)
    else:
        _land(state, turn.first, heard, reading, context, out)
    state.steep = None


# -- what a change of phase means -------------------------------------------------------------------------------------


def _take_off(
    state: FlightState, first: Heard, now: Heard, reading: AircraftReading, context: UseContext, out: list[Fact]
) -> None:
    """It flies: OFF, the airport left, and the flight that begins."""
    given: FlightLimits = context.limits
    _settle(state, reading.source, out)
    ground = state.ground if state.phase == GROUND else None
    lifted = state.steep if state.steep is not None and state.steep.time_us < first.time_us else first
    place = _departed_from(ground, lifted, context)
    off_us, quality = off_time(
        None if ground is None else ground.time_us, lifted.time_us, _height_ft(state, lifted, place), lifted.rate_fpm, given
    )
    if ground is None and quality == "inferred_gap":
        off_us = lifted.time_us  # it was in the air before we first heard of it; since when, nobody knows
    elif ground is not None and lifted.time_us - ground.time_us > given.gap_us:
        quality = "inferred_gap"
        off_us = max(ground.time_us, min(off_us, lifted.time_us - _flying_us(state, ground, lifted, given)))
    flight = OpenFlight(
        off_us=off_us,
        quality=quality,
        from_place=None if place is None else place.id,
        callsign=reading.callsign,
        off_window_us=None if ground is None else lifted.time_us - ground.time_us,
        is_touch=_is_touch(state, off_us, given),
    )
    _bridge(state, GROUND if ground is not None else UNKNOWN, off_us, AIRBORNE, now.time_us, reading.source, flight, out)
    state.phase, state.flight, state.air, state.place = AIRBORNE, flight, now, None
    out.append(_journey(state, flight, None, None, None))


def _land(state: FlightState, first: Heard, now: Heard, reading: AircraftReading, context: UseContext, out: list[Fact]) -> None:
    """It stands or rolls: ON, the airport reached, and the flight that ends; or the first that is known of it."""
    given: FlightLimits = context.limits
    if state.phase is None or state.air is None:
        place = _near(first, context, given.departure_within_m)
        state.place = None if place is None else place.id
        _bridge(state, UNKNOWN, first.time_us, GROUND, now.time_us, reading.source, None, out)
    else:
        _settle(state, reading.source, out)
        steep = state.steep
        last = steep if steep is not None and state.air.time_us < steep.time_us < first.time_us else state.air
        place = _arrived_at(first, last, context)
        sink_fpm = None if last.rate_fpm is None else -last.rate_fpm
        on_us, quality = on_time(last.time_us, first.time_us, _height_ft(state, last, place), sink_fpm, given)
        if first.time_us - last.time_us > given.gap_us:
            quality = "inferred_gap"
            on_us = min(first.time_us, max(on_us, last.time_us + _flying_us(state, last, first, given)))
        count(state, "cycles", 1)
        state.place = None if place is None else place.id
        _bridge(state, AIRBORNE, on_us, GROUND, now.time_us, reading.source, state.flight, out)
        _end_flight(state, on_us, quality, first.time_us - last.time_us, out)
    state.phase, state.ground, state.slowest_kn = GROUND, now, first.gs_kn


def _across_gap(state: FlightState, heard: Heard, reading: AircraftReading, context: UseContext, out: list[Fact]) -> bool:
    """In the air before a gap and after it: the gap rule; True when it took the calendar on itself."""
    given: FlightLimits = context.limits
    before, flight = state.air, state.flight
    metres = None if before is None else _metres(before, heard)
    if before is None or flight is None or metres is None:
        return False
    gap_us = heard.time_us - before.time_us
    judged = judge_gap(gap_us, metres, _median_mps(state, given), given)
    if judged.verdict == "same_flight":
        return False
    if judged.verdict == "ambiguous":
        flight.ambiguous_us += gap_us
        flight.quality = _weaker(flight.quality, "ambiguous")
        flight.distance_m += state.legs_m
        _extend(state, UNKNOWN, heard.time_us, 0, reading.source, out)
    else:
        _split(state, before, heard, reading, context, out)
    state.air, state.steep = heard, None
    return True


def _split(
    state: FlightState, before: Heard, heard: Heard, reading: AircraftReading, context: UseContext, out: list[Fact]
) -> None:
    """It landed and left again unseen: both ends are inferred from the last and the first sample in the air."""
    given: FlightLimits = context.limits
    arrived, departed = _arrived_at(None, before, context), _departed_from(None, heard, context)
    sink_fpm = None if before.rate_fpm is None else -before.rate_fpm
    on_us, _ = on_time(before.time_us, heard.time_us, _height_ft(state, before, arrived), sink_fpm, given)
    off_us, _ = off_time(before.time_us, heard.time_us, _height_ft(state, heard, departed), heard.rate_fpm, given)
    if on_us > off_us:
        on_us = off_us = (before.time_us + heard.time_us) // 2
    state.legs_m = 0.0
    count(state, "cycles", 1)
    _extend(state, AIRBORNE, on_us, 0, reading.source, out)
    state.place = None if arrived is None else arrived.id
    _end_flight(state, on_us, "inferred_gap", heard.time_us - before.time_us, out)
    state.place = None
    _extend(state, UNKNOWN, off_us, 0, reading.source, out)
    flight = OpenFlight(
        off_us=off_us,
        quality="inferred_gap",
        from_place=None if departed is None else departed.id,
        callsign=reading.callsign,
        off_window_us=heard.time_us - before.time_us,
    )
    _extend(state, AIRBORNE, heard.time_us, 0, reading.source, out)
    state.flight = flight
    out.append(_journey(state, flight, None, None, None))


def _across_silence(state: FlightState, heard: Heard, reading: AircraftReading, context: UseContext, out: list[Fact]) -> None:
    """On the ground before a silence and after it: it stood there, or it flew unseen, or nobody knows."""
    given: FlightLimits = context.limits
    before = state.ground
    if before is None:
        raise RuntimeError("a silence on the ground without a sample before it")
    silent_us = heard.time_us - before.time_us
    metres = _metres(before, heard)
    if metres is not None and metres > given.arrival_within_m:
        _flew_unseen(state, before, heard, reading, context, out)
    elif silent_us > given.ground_gap_us or (metres is not None and metres > given.same_field_m):
        _extend(state, UNKNOWN, heard.time_us, 0, reading.source, out)
    else:  # its transponder was off on the stand; that it stood there is vouched for by where it was found
        covered_us = state.covered_to_us or before.time_us
        seen_us = 0 if metres is None else heard.time_us - covered_us
        _extend(state, GROUND, heard.time_us, seen_us, reading.source, out)


def _flew_unseen(
    state: FlightState, before: Heard, heard: Heard, reading: AircraftReading, context: UseContext, out: list[Fact]
) -> None:
    """It is found on the ground elsewhere: one flight at least, of which both airports are known and no time is."""
    given: FlightLimits = context.limits
    place = _near(heard, context, given.departure_within_m)
    off_us = max(before.time_us, heard.time_us - _flying_us(state, before, heard, given))
    flight = OpenFlight(
        off_us=off_us,
        quality="inferred_gap",
        from_place=state.place,
        distance_m=_metres(before, heard) or 0.0,
        off_window_us=heard.time_us - before.time_us,
    )
    state.legs_m = 0.0
    count(state, "cycles", 1)
    _extend(state, UNKNOWN, heard.time_us, 0, reading.source, out)
    state.flight, state.place, state.slowest_kn = flight, None if place is None else place.id, None
    _end_flight(state, heard.time_us, "inferred_gap", heard.time_us - before.time_us, out)


def _end_flight(state: FlightState, on_us: int, quality: Quality, window_us: int, out: list[Fact]) -> None:
    flight = state.flight
    state.last_on_us, state.flight = on_us, None
    if flight is not None:
        flight.quality = _weaker(flight.quality, quality)
        flight.off_us = min(flight.off_us, on_us)
        out.append(_journey(state, flight, on_us, state.place, window_us))


def _journey(
    state: FlightState, flight: OpenFlight, on_us: int | None, to_place: str | None, on_window_us: int | None
) -> Journey:
    figures: dict[str, Any] = {}
    if flight.callsign is not None:
        figures["callsign"] = flight.callsign
    if flight.off_window_us is not None:
        figures["off_window_s"] = flight.off_window_us / SECOND_US
    if on_window_us is not None:
        figures["on_window_s"] = on_window_us / SECOND_US
    if flight.ambiguous_us:
        figures["ambiguous_gap_s"] = flight.ambiguous_us / SECOND_US
    if flight.is_touch:
        figures["touch_and_go"] = True
    length_us = None if on_us is None else on_us - flight.off_us
    if length_us is not None:
        figures["flight_s"] = length_us / SECOND_US
    return Journey(
        kind="flight",
        started_us=flight.off_us,
        ended_us=on_us,
        from_place=flight.from_place,
        to_place=to_place,
        quality=flight.quality,
        method=state.method,
        coverage=None if length_us is None else min(1.0, flight.observed_us / length_us) if length_us else 1.0,
        distance_m=flight.distance_m,
        observed_us=flight.observed_us,
        cycles=0 if on_us is None else 1,
        sources=dict(flight.sources),
        figures=figures,
    )


def standing(state: FlightState) -> list[Fact]:
    """The flight and the activity under way as they stand."""
    facts = open_activity(state)
    return facts if state.flight is None else [*facts, _journey(state, state.flight, None, None, None)]


def at_end(state: FlightState, context: UseContext) -> list[Fact]:
    """`standing` where a recording ends: a flight last heard on the runway or on final approach has landed, extrapolated."""
    given: FlightLimits = context.limits
    facts, flight, air, turn = open_activity(state), state.flight, state.air, state.turn
    if flight is None or air is None:
        return facts
    steep = state.steep
    last = steep if steep is not None and steep.time_us > air.time_us else air
    first = turn.first if turn is not None and turn.phase == GROUND else None
    place = _arrived_at(first, last, context)
    agl_ft = _height_ft(state, last, place)
    sinks = last.rate_fpm is not None and last.rate_fpm <= -given.rising_fpm
    if place is None or (first is None and (agl_ft is None or agl_ft > given.final_ft or not sinks)):
        return [*facts, _journey(state, flight, None, None, None)]
    sink_fpm = None if last.rate_fpm is None else -last.rate_fpm
    on_us, quality = on_time(last.time_us, None if first is None else first.time_us, agl_ft, sink_fpm, given)
    landed = msgspec.structs.replace(flight, quality=_weaker(flight.quality, quality))
    ended = _journey(state, landed, max(on_us, flight.off_us), place.id, None)
    return [*facts, msgspec.structs.replace(ended, figures={**ended.figures, "landing": "presumed"})]


# -- the calendar -----------------------------------------------------------------------------------------------------


def _lengthen(state: FlightState, name: str, to_us: int, source: str, out: list[Fact]) -> None:
    """The same phase up to an instant; gaps between readings are not observed."""
    held = state.open
    if held is None:
        raise RuntimeError("lengthen before begin")
    seen_us = to_us - held.to_us - state.unseen_us
    flight = state.flight
    if flight is not None:
        flight.distance_m += state.legs_m
        _observe(flight, seen_us, source)
    _extend(state, name, to_us, seen_us, source, out)


def _settle(state: FlightState, source: str, out: list[Fact]) -> None:
    """Lengthen the calendar to the last sample that confirmed the phase: whatever is unseen lies after it."""
    last = state.air if state.phase == AIRBORNE else state.ground
    if state.phase is None or last is None or state.covered_to_us is None or last.time_us <= state.covered_to_us:
        return
    unseen_us, legs_m = state.unseen_us, state.legs_m
    state.unseen_us = 0
    if state.fix_us is not None and state.fix_us > last.time_us:
        state.legs_m = 0.0 if unseen_us else legs_m * (last.time_us - state.covered_to_us) / (state.fix_us - state.covered_to_us)
    left_m = legs_m - state.legs_m
    _lengthen(state, state.phase, last.time_us, source, out)
    state.unseen_us, state.legs_m = unseen_us, left_m


def _extend(state: FlightState, name: str, to_us: int, seen_us: int, source: str, out: list[Fact]) -> None:
    place = state.place if name == GROUND else None
    extend(state, name, to_us, out, distance_m=state.legs_m, observed_us=max(0, seen_us), source=source, place=place)
    state.legs_m, state.unseen_us = 0.0, 0


def _bridge(
    state: FlightState,
    before: str,
    at_us: int,
    after: str,
    to_us: int,
    source: str,
    flight: OpenFlight | None,
    out: list[Fact],
) -> None:
    """One phase up to an instant and another after it; what was observed and flown is divided in proportion to time."""
    covered_us = state.covered_to_us
    if covered_us is None:
        raise RuntimeError("bridge before begin")
    at_us = min(max(at_us, covered_us), to_us)
    total_us = to_us - covered_us
    seen_us = max(0, total_us - state.unseen_us)
    share = (at_us - covered_us) / total_us if total_us else 0.0
    before_us, legs_m = round(seen_us * share), state.legs_m
    state.legs_m = legs_m * share
    if flight is not None:
        _observe(flight, before_us if before == AIRBORNE else seen_us - before_us, source)
        flight.distance_m += legs_m * share if before == AIRBORNE else legs_m * (1.0 - share)
    _extend(state, before, at_us, before_us if before != UNKNOWN else 0, source, out)
    state.legs_m = legs_m * (1.0 - share)
    _extend(state, after, to_us, seen_us - before_us, source, out)


def _observe(flight: OpenFlight, seen_us: int, source: str) -> None:
    if seen_us > 0:
        flight.observed_us += seen_us
        flight.sources[source] = flight.sources.get(source, 0) + seen_us


# -- places, heights, speeds ------------------------------------------------------------------------------------------


def _leg(state: FlightState, time_us: int, lat_deg: float, lon_deg: float, given: FlightLimits) -> None:
    """Add the leg from the last fix; one that is faster than any aircraft is dropped (domain.md 2.5)."""
    if state.fix_us is not None:
        metres = distance_m(state.fix_lat_deg, state.fix_lon_deg, lat_deg, lon_deg)
        if metres <= given.leg_kn_max * KN_MPS * (time_us - state.fix_us) / SECOND_US:
            state.legs_m += metres
    state.fix_us, state.fix_lat_deg, state.fix_lon_deg = time_us, lat_deg, lon_deg


def _agl_of(state: FlightState, reading: AircraftReading, alt_ft: float, context: UseContext) -> float | None:
    """Height above the field of a reading; None where there is nothing to measure it from."""
    if alt_ft >= NO_FIELD_FT:
        return alt_ft
    lat_deg, lon_deg = reading.lat_deg, reading.lon_deg
    if (lat_deg is None or lon_deg is None) and state.fix_us is not None:
        lat_deg, lon_deg = state.fix_lat_deg, state.fix_lon_deg
    field = state.field
    if field is None or not _beside(field, lat_deg, lon_deg):
        if lat_deg is None or lon_deg is None:
            return None
        place = context.places.airport_near(lat_deg, lon_deg, HEIGHT_WITHIN_M)
        field = state.field = Field(None if place is None else place.elevation_ft, lat_deg, lon_deg)
    if field.elevation_ft is None:
        return None
    agl_ft = alt_ft - field.elevation_ft
    slack_ft = context.limits.pressure_slack_ft
    return agl_ft if field.is_heard or agl_ft >= slack_ft else None


def _beside(field: Field, lat_deg: float | None, lon_deg: float | None) -> bool:
    if field.lat_deg is None or field.lon_deg is None or lat_deg is None or lon_deg is None:
        return field.lat_deg is None and lat_deg is None
    return abs(field.lat_deg - lat_deg) <= MOVED_DEG and abs(field.lon_deg - lon_deg) <= MOVED_DEG


def _height_ft(state: FlightState, heard: Heard, place: Place | None) -> float | None:
    """Height of a sample above the field it stands in question for; the altitude heard on that ground comes first."""
    if heard.alt_ft is None:
        return None
    field = state.field
    if field is not None and field.elevation_ft is not None and _beside(field, heard.lat_deg, heard.lon_deg):
        return heard.alt_ft - field.elevation_ft
    return None if place is None or place.elevation_ft is None else heard.alt_ft - place.elevation_ft


def _departed_from(ground: Heard | None, air: Heard, context: UseContext) -> Place | None:
    """The airport left: nearest to where it stood, else to where it was first in the air, not too high (domain.md 1.2)."""
    given: FlightLimits = context.limits
    if ground is not None and ground.lat_deg is not None:
        return _near(ground, context, given.departure_within_m)
    return _below(_near(air, context, given.departure_within_m), air, given.departure_height_m)


def _arrived_at(ground: Heard | None, air: Heard, context: UseContext) -> Place | None:
    """The airport reached: nearest to where it stands, else to where it was last in the air, not too high (domain.md 1.2).

    Nor higher than a glide path to it: from there it went on to another.
    """
    given: FlightLimits = context.limits
    if ground is not None and ground.lat_deg is not None:
        return _near(ground, context, given.departure_within_m)
    place = _below(_near(air, context, given.arrival_within_m), air, given.arrival_height_m)
    if place is None or place.elevation_ft is None or air.alt_ft is None:
        return place
    height_m = (air.alt_ft - place.elevation_ft) * FT_M
    return place if height_m <= max(OVERHEAD_M, given.arrival_slope * place.distance_m) else None


def _near(heard: Heard, context: UseContext, within_m: float) -> Place | None:
    if heard.lat_deg is None or heard.lon_deg is None:
        return None
    return context.places.airport_near(heard.lat_deg, heard.lon_deg, within_m)


def _below(place: Place | None, heard: Heard, height_m: float) -> Place | None:
    """The place, unless the sample was too high above it (unknown heights pass)."""
    if place is None or place.elevation_ft is None or heard.alt_ft is None:
        return place
    return place if (heard.alt_ft - place.elevation_ft) * FT_M < height_m else None


def _metres(one: Heard, other: Heard) -> float | None:
    if one.lat_deg is None or one.lon_deg is None or other.lat_deg is None or other.lon_deg is None:
        return None
    return distance_m(one.lat_deg, one.lon_deg, other.lat_deg, other.lon_deg)


def _flying_us(state: FlightState, one: Heard, other: Heard, given: FlightLimits) -> int:
    """How long the way between two samples takes at the aircraft's median speed."""
    return round((_metres(one, other) or 0.0) / _median_mps(state, given) * SECOND_US)


def _note_speed(state: FlightState, mps: float) -> None:
    """Count a speed in the air, once a minute, in bins that forget what is long past."""
    speeds = state.speeds
    if not speeds:
        speeds = state.speeds = [0] * SPEED_BINS
    speeds[min(int(mps / SPEED_BIN_MPS), SPEED_BINS - 1)] += 1
    if sum(speeds) >= SPEED_SAMPLES_MAX:
        state.speeds = [seen // 2 for seen in speeds]


def _median_mps(state: FlightState, given: FlightLimits) -> float:
    """The median of the aircraft's speeds in the air; the figure's while fewer than ten minutes of them are known."""
    total = sum(state.speeds)
    if total < 10:
        return given.median_mps
    seen = 0
    for place, samples in enumerate(state.speeds):
        seen += samples
        if 2 * seen >= total:
            return (place + 0.5) * SPEED_BIN_MPS
    return given.median_mps


def _note_steep(state: FlightState, reading: AircraftReading, alt_ft: float | None, given: FlightLimits) -> None:
    """A sample that decides nothing may still say that it climbs away or sinks: it narrows when the phase changed."""
    rate_fpm, gs_kn = reading.vertical_rate_fpm, reading.gs_kn
    if reading.on_ground is True or gs_kn is None or gs_kn <= given.ground_gs_kn or rate_fpm is None:
        return
    if state.phase == AIRBORNE:
        if rate_fpm <= -given.rising_fpm:
            state.steep = Heard(reading.time_us, alt_ft, rate_fpm, gs_kn, reading.lat_deg, reading.lon_deg)
    elif rate_fpm < given.rising_fpm:
        state.steep = None
    elif state.steep is None:
        state.steep = Heard(reading.time_us, alt_ft, rate_fpm, gs_kn, reading.lat_deg, reading.lon_deg)


def _is_touch(state: FlightState, off_us: int, given: FlightLimits) -> bool:
    """Whether the landing before was a touch-and-go: up again at once, never slowed to a taxi."""
    return (
        state.last_on_us is not None
        and off_us - state.last_on_us <= given.touch_us
        and (state.slowest_kn is None or state.slowest_kn > given.ground_gs_kn)
    )


def _weaker(one: Quality, other: Quality) -> Quality:
    return max(one, other, key=QUALITIES.index)


MACHINE = UseMachine(
    name=NAME,
    version=VERSION,
    state=new_state,
    state_type=FlightState,
    at_reading=at_reading,
    standing=standing,
    limits=limits,
    at_end=at_end,
)
