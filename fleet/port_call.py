"""Port calls: when a ship enters, stops in, falls silent in and leaves a port, with hysteresis so that a call does not flap.

The machine is Global Fishing Watch's (pipe-anchorages; domain.md 2.3), one look after another, with a state of a few plain
numbers. It knows no map: which ports are near, and how far, is told to it. Neighbours: `places` answers that, `voyage` joins the
calls to voyages.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple

import msgspec

from fleet.instants import MINUTE_US
from fleet.practice import Figure, Practice

PortEventKind = Literal["port_entry", "port_stop_begin", "port_gap_begin", "port_gap_end", "port_stop_end", "port_exit"]

_GFW = "Global Fishing Watch pipe-anchorages, port visit configuration; domain.md 2.3"
FIGURES = (
    Figure(name="port_call.entry_km", value=3.0, source=_GFW),
    Figure(name="port_call.exit_km", value=4.0, source=_GFW),
    Figure(name="port_call.stop_begin_kn", value=0.2, source=_GFW),
    Figure(name="port_call.stop_end_kn", value=0.5, source=_GFW),
    Figure(name="port_call.gap_min", value=240.0, source=_GFW),
    Figure(name="port_call.voyage_confidence", value=3, source="domain.md 2.3: a voyage is between calls of confidence 3 or 4"),
)
AT_SEA, IN_PORT, STOPPED = 0, 1, 2


class PortLimits(NamedTuple):
    """The machine's thresholds: distances in km, speeds in knots, silence in minutes. Source: `FIGURES`."""

    entry_km: float = 3.0
    exit_km: float = 4.0
    stop_begin_kn: float = 0.2
    stop_end_kn: float = 0.5
    gap_min: float = 240.0

    @staticmethod
    def of(practice: Practice, on: date) -> PortLimits:
        """The thresholds that hold on a day. Raises NotDefinedError where one is missing."""
        return PortLimits(*(practice.number(f"port_call.{name}", on) for name in PortLimits._fields))


class PortDistance(NamedTuple):
    """A port within reach of a look and how far it is: 0 inside its area, else to its edge or its point, in km."""

    port_id: str
    km: float


class PortEvent(NamedTuple):
    """One event of a call, as Global Fishing Watch names them. `time_us` of a gap's begin is the last look plus the limit."""

    time_us: int
    kind: PortEventKind
    port_id: str


class PortCall(msgspec.Struct, kw_only=True, array_like=True):
    """A call as far as it is known; plain fields only, so that it is its own checkpoint.

    `first_us` and `last_us` are the first and the latest look inside. `entry_us` is None when she was there at the first look
    ever, `exit_us` None while she stays. `stopped` and `silent` say whether a stop or a gap was seen in it. `across_gap` says
    that she entered or left unseen, in a silence of at least the limit. `stop_us` is the begin of the first stop.
    """

    port_id: str
    first_us: int
    last_us: int
    entry_us: int | None = None
    exit_us: int | None = None
    stop_us: int | None = None
    stopped: bool = False
    silent: bool = False
    across_gap: bool = False

    @property
    def confidence(self) -> int:
        """4 to 1 by what was seen of the call: `call_confidence`. Of a call that still runs, as of now."""
        return call_confidence(self.entry_us is not None, self.exit_us is not None, self.stopped or self.silent)

    @property
    def started_us(self) -> int:
        """The entry, or the first look inside where no entry was seen."""
        return self.first_us if self.entry_us is None else self.entry_us


class PortCallState(msgspec.Struct, kw_only=True, array_like=True):
    """What is remembered between looks: `phase` (0 at sea, 1 in port, 2 stopped in port), the last look, the call that runs."""

    phase: int = AT_SEA
    last_us: int | None = None
    call: PortCall | None = None


class PortStep(NamedTuple):
    """What one look brought: its events in order, and the call that it ended, or None."""

    events: list[PortEvent]
    ended: PortCall | None


def call_confidence(entered: bool, left: bool, stopped_or_silent: bool) -> int:
    """4 entry, exit and a stop or gap; 3 one of entry and exit and a stop or gap; 2 a stop or gap only; 1 neither.

    Source: Global Fishing Watch, as domain.md 2.3 quotes it. Golden SH11 is a 4.
    """
    if not stopped_or_silent:
        return 1
    return 2 + entered + left


def look_at_port(
    state: PortCallState,
    time_us: int,
    near: Sequence[PortDistance],
    sog_kn: float | None,
    limits: PortLimits = PortLimits(),  # noqa: B008  (a tuple of numbers)
) -> PortStep:
    """Take one look in; the state is updated in place.

    She enters at `entry_km` or nearer, leaves at `exit_km` or farther from the port that the call is of, begins a stop at
    `stop_begin_kn` or slower and ends it at `stop_end_kn` or faster; an unknown speed changes nothing. A silence of `gap_min` or
    more in port is a gap that begins when it has lasted that long. The call is named by the port nearest to its first stop, else
    to its entry. When the next look is already in another port, she left at the last look inside: so that the voyage between
    the two has its time.

    `near` is every port nearer than `exit_km`, the nearest first. Golden SH11. Source: domain.md 2.3.
    """
    events: list[PortEvent] = []
    ended: PortCall | None = None
    last_us, call = state.last_us, state.call
    silent = last_us is not None and time_us - last_us >= limits.gap_min * MINUTE_US
    if call is not None and silent and last_us is not None:
        call.silent = True
        events.append(PortEvent(last_us + round(limits.gap_min * MINUTE_US), "port_gap_begin", call.port_id))
        events.append(PortEvent(time_us, "port_gap_end", call.port_id))
    arrival = near[0] if near and near[0].km <= limits.entry_km else None
    if call is not None and all(port.port_id != call.port_id or port.km >= limits.exit_km for port in near):
        left_us = call.last_us if arrival is not None else time_us
        if state.phase == STOPPED:
            events.append(PortEvent(left_us, "port_stop_end", call.port_id))
        events.append(PortEvent(left_us, "port_exit", call.port_id))
        call.exit_us, call.across_gap = left_us, call.across_gap or silent
        ended, call, state.phase = call, None, AT_SEA
    if call is None and arrival is not None:
        call = PortCall(port_id=arrival.port_id, first_us=time_us, last_us=time_us, across_gap=silent)
        state.phase = IN_PORT
        if last_us is not None:
            call.entry_us = time_us
            events.append(PortEvent(time_us, "port_entry", call.port_id))
    if call is not None:
        call.last_us = time_us
        _stop_or_go(state, call, time_us, near, sog_kn, limits, events)
    state.call, state.last_us = call, time_us
    return PortStep(events, ended)


def _stop_or_go(
    state: PortCallState,
    call: PortCall,
    time_us: int,
    near: Sequence[PortDistance],
    sog_kn: float | None,
    limits: PortLimits,
    events: list[PortEvent],
) -> None:
    """Whether she lies still, with its hysteresis; the first stop names the call."""
    if sog_kn is None:
        return
    if state.phase == IN_PORT and sog_kn <= limits.stop_begin_kn:
        if not call.stopped:
            call.stopped, call.stop_us, call.port_id = True, time_us, near[0].port_id
        state.phase = STOPPED
        events.append(PortEvent(time_us, "port_stop_begin", call.port_id))
    elif state.phase == STOPPED and sog_kn >= limits.stop_end_kn:
        state.phase = IN_PORT
        events.append(PortEvent(time_us, "port_stop_end", call.port_id))
