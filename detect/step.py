"""`step`: one event of one asset through every rule, in the order of the registry.

Adding a rule is a module with a `RULE`, an entry in `RULES`, a paragraph in RULES.md, a test and a line in the docs.
Knows no rule's inside, no clock and no table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, NamedTuple

from msgspec.structs import replace

from detect import (
    area_passage,
    behaviour_anomaly,
    channel_anomaly,
    covenant,
    diversion,
    draught_change,
    drifting,
    gap,
    go_around,
    holding,
    landing_prohibited,
    loitering,
    parked_long,
    performance_drift,
    port_call_prohibited,
    position_conflict,
    position_jump,
    rapid_descent,
    route_anomaly,
    speed_anomaly,
    spoofed_track,
    squawk_emergency,
    stored,
    unexpected_stop,
)
from detect.classes import TRAITS
from detect.model import Context, Finding, Tick
from detect.rows import add_to_row, close_row
from detect.rule import NOTHING, Moment, Rule
from detect.sighting import Sighting, degraded, next_due, note_integrity
from detect.state import AssetState, Seen, WakingMemory
from detect.tracks import place
from detect.traits import Traits
from fleet.aircraft import AircraftReading
from fleet.asset_class import ASSET_CLASSES, class_of
from fleet.instants import MINUTE_US
from fleet.reading import Reading
from fleet.use_machines import MACHINES

RULES: tuple[Rule, ...] = (
    gap.RULE,
    position_jump.RULE,
    position_conflict.RULE,
    spoofed_track.RULE,
    squawk_emergency.RULE,
    speed_anomaly.RULE,
    route_anomaly.RULE,
    loitering.RULE,
    drifting.RULE,
    unexpected_stop.RULE,
    draught_change.RULE,
    holding.RULE,
    go_around.RULE,
    rapid_descent.RULE,
    diversion.RULE,
    parked_long.RULE,
    stored.RULE,
    area_passage.RULE_ENTERED,
    area_passage.RULE_EXITED,
    port_call_prohibited.RULE,
    landing_prohibited.RULE,  # after area_entered: it reads which areas an aircraft is above
    covenant.RULE,  # after gap, calls and landings: it reads what they know
    channel_anomaly.RULE,
    behaviour_anomaly.RULE,  # after channel_anomaly: it reads the residuals that one leaves
    performance_drift.RULE,  # as the one before
)
"""Every rule, in the order in which an event passes them."""

_RULES_OF: dict[str, tuple[Rule, ...]] = {name: tuple(rule for rule in RULES if name in rule.classes) for name in TRAITS}

_Visit = tuple[str, Callable[[Any, Moment], Sequence[Finding]]]


class _Way(NamedTuple):
    """What readings of one class pass: `at_row` those that closed a row, each rule's row first, which was before it."""

    traits: Traits
    reading_type: type[Reading]
    at_reading: tuple[_Visit, ...]
    at_row: tuple[_Visit, ...]


def _way(name: str, rules: tuple[Rule, ...]) -> _Way:
    return _Way(
        traits=TRAITS[name],
        reading_type=ASSET_CLASSES[name].reading_type,
        at_reading=tuple((rule.name, rule.at_reading) for rule in rules if rule.at_reading is not None),
        at_row=tuple((rule.name, visit) for rule in rules for visit in (rule.at_row, rule.at_reading) if visit is not None),
    )


_WAYS = {name: _way(name, rules) for name, rules in _RULES_OF.items()}


def initial_state(asset_id: str, asset_class: str) -> AssetState:
    """The state of an asset of which nothing was heard yet. Raises KeyError for an unknown class (a programmer's error)."""
    machine = MACHINES.get(asset_class)
    return AssetState(
        asset_id=asset_id,
        asset_class=asset_class,
        memories={rule.name: rule.memory() for rule in _RULES_OF[asset_class]},
        use=None if machine is None else machine.state(),
    )


def step(state: AssetState, event: Reading | Tick, context: Context) -> tuple[AssetState, tuple[Finding, ...]]:
    """Take one event in: the state after it and the findings that it opened, changed or closed.

    The state given is updated in place and returned: keep no other use of it, cut it with `detect.checkpoint` to go back. The
    result depends on state, event and context alone. Readings of one asset come in order of (time, source, seq); several at one
    instant may come. Raises ValueError when an event is older than the state (a late reading is re-derived, not stepped) or when
    the reading is of another class: programmer's errors both.
    """
    before = state.seen
    if before is not None and event.time_us < before.time_us:
        raise ValueError(f"event at {event.time_us} is older than the state of {state.asset_id} at {before.time_us}")
    if isinstance(event, Tick):
        return state, _tick(state, event, context)
    way = _WAYS[state.asset_class]
    if type(event) is not way.reading_type:
        raise ValueError(f"a reading of a {class_of(event)} for {state.asset_id}, a {state.asset_class}")
    traits = way.traits
    own = place(state.tracks, traits, event)
    now = traits.observe(before, event) if own or before is None else replace(before, time_us=event.time_us)
    if before is None and state.said is not None and now.draught_m is None:
        now = replace(now, draught_m=state.said.draught_m)
    time_us, open_row = event.time_us, state.row
    is_over = open_row is None or time_us >= open_row.start_us + MINUTE_US
    row = close_row(open_row, time_us, before) if is_over else None
    moment = Moment(state, time_us, context, event, before, now, row)
    state.seen, state.seq = now, event.seq
    _settle(state, traits, now)
    if not own and event.channels:
        state.settled_since_us = time_us  # its speed is not known: the position that it came with is not believed
    sighted = state.sighted
    is_less_sure = isinstance(event, AircraftReading) and note_integrity(sighted, event)
    if time_us >= sighted.due_us or is_less_sure:
        _sight(state, event, now)
    findings: list[Finding] = []
    memories = state.memories
    for name, visit in way.at_reading if row is None else way.at_row:
        found = visit(memories[name], moment)
        if found:
            findings.extend(found)
    if is_over or event.channels:
        state.row = add_to_row(open_row, event)
    state.note_wake()
    return state, tuple(findings) if findings else NOTHING


def _tick(state: AssetState, tick: Tick, context: Context) -> tuple[Finding, ...]:
    """Each rule whose own minute has come. A rule without `at_tick` never asks for one."""
    if state.seen is None:
        return NOTHING
    moment = Moment(state, tick.time_us, context, None, state.seen, state.seen, None)
    findings: list[Finding] = []
    for rule in _RULES_OF[state.asset_class]:
        memory = state.memories[rule.name]
        if rule.at_tick is None or not isinstance(memory, WakingMemory) or memory.wake_at_us is None:
            continue
        if memory.wake_at_us <= tick.time_us:
            findings.extend(rule.at_tick(memory, moment))
    state.note_wake()
    return tuple(findings)


def _sight(state: AssetState, reading: Reading, now: Seen) -> None:
    """Note an accepted fix for the scene: the first of a bucket, or the first after an aircraft's position became degraded."""
    sighted = state.sighted
    if now.fix_time_us != reading.time_us or now.lat_deg is None or now.lon_deg is None:
        return
    is_degraded = degraded(sighted, now.airborne) if state.asset_class == "aircraft" else None
    next_due(sighted, reading, is_degraded)
    state.sightings.append(
        Sighting(
            asset_id=state.asset_id,
            name=now.name,
            asset_class=state.asset_class,
            time_us=reading.time_us,
            lat_deg=now.lat_deg,
            lon_deg=now.lon_deg,
            speed_kn=now.speed_kn,
            course_deg=now.course_deg,
            nav_status=now.nav_status,
            degraded=is_degraded,
            was_well=sighted.was_well,
            kind=None if state.said is None else state.said.type,
        )
    )


def _settle(state: AssetState, traits: Traits, now: Seen) -> None:
    """Follow since when phase and speed are steady: models do not judge an asset that is changing what it does."""
    phase = traits.phase(now)
    speed_kn = now.speed_kn if now.speed_kn is not None and isfinite(now.speed_kn) else 0.0
    at_kn = state.settled_speed_kn
    if at_kn is None or phase != state.settled_phase or abs(speed_kn - at_kn) > traits.settle_speed_kn:
        state.settled_since_us = now.time_us
        state.settled_speed_kn = speed_kn
        state.settled_phase = phase
