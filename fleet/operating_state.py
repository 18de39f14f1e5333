"""What a ship was doing, as intervals that follow each other without a hole: domain.md 2.3 and 2.6.

A state that needs a dwell (half an hour adrift, two days on the blocks) is known only when it has lasted, and then from its
beginning. So what a dwell may still change is kept back until it is over. Neighbours: `places` says
what a position lies in, `voyage` measures distance, `vessel_use` puts it all together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from fleet.instants import DAY_US, HOUR_US
from fleet.practice import Figure, Practice

_STATES = "domain.md 2.3 (its own proposal, no industry norm: 7.3)"
FIGURES = (
    Figure(name="operating_state.unknown_h", value=6.0, source=_STATES),
    Figure(name="operating_state.drydock_h", value=48.0, source=_STATES),
    Figure(name="operating_state.anchored_h", value=0.5, source=_STATES),
    Figure(name="operating_state.drifting_h", value=0.5, source=_STATES),
    Figure(name="operating_state.moored_h", value=0.5, source="chosen, see DECISIONS 122: a port without berths on the map"),
    Figure(name="operating_state.drydock_kn", value=0.2, source=_STATES),
    Figure(name="operating_state.stopped_kn", value=0.5, source=_STATES),
    Figure(name="operating_state.at_anchor_kn", value=1.0, source=_STATES),
    Figure(name="operating_state.drifting_kn", value=3.0, source=_STATES),
    Figure(name="operating_state.manoeuvring_kn", value=5.0, source=_STATES),
    Figure(name="operating_state.conflict_kn", value=3.0, source=_STATES),
)

UNKNOWN, DRYDOCK, MOORED, ANCHORED, MANOEUVRING, DRIFTING, UNDER_WAY = (
    "unknown", "drydock", "moored", "anchored", "manoeuvring", "drifting", "at_sea",
)  # fmt: skip
STATES = (UNKNOWN, DRYDOCK, MOORED, ANCHORED, MANOEUVRING, DRIFTING, UNDER_WAY)
"""The states in the order in which they win (domain.md 2.3)."""
_RANK = {name: rank for rank, name in enumerate(STATES)}
USE_OF_STATE = {
    UNKNOWN: "unknown", DRYDOCK: "drydock", MOORED: "in_port", ANCHORED: "anchored", MANOEUVRING: "in_port",
    DRIFTING: "drifting", UNDER_WAY: "at_sea",
}  # fmt: skip
"""The six classes of use that a calendar is made of: in port is moored and manoeuvring (domain.md 2.6)."""
NAV_ANCHORED, NAV_MOORED = 1, 5  # ITU-R M.1371-5 table 45


class StateLimits(NamedTuple):
    """Thresholds of the states: hours and knots. Source: `FIGURES`."""

    unknown_h: float = 6.0
    drydock_h: float = 48.0
    anchored_h: float = 0.5
    drifting_h: float = 0.5
    moored_h: float = 0.5
    drydock_kn: float = 0.2
    stopped_kn: float = 0.5
    at_anchor_kn: float = 1.0
    drifting_kn: float = 3.0
    manoeuvring_kn: float = 5.0
    conflict_kn: float = 3.0

    @staticmethod
    def of(practice: Practice, on: date) -> StateLimits:
        """The thresholds that hold on a day. Raises NotDefinedError where one is missing."""
        return StateLimits(*(practice.number(f"operating_state.{name}", on) for name in StateLimits._fields))


class Surroundings(NamedTuple):
    """What a position lies in: each True or False. `port` is a port's area, or its call by `port_call`."""

    port: bool = False
    berth: bool = False
    anchorage: bool = False
    yard: bool = False


class Piece(msgspec.Struct, kw_only=True, array_like=True):
    """A stretch of one state from `start_us` on; it ends where the next one begins.

    `place` is the port she called at in it and `loading` how she was laden, None where not known. `distance_m` is geodesic, over
    ground; `dropped` counts legs that no ship could sail; `conflicts` the looks at which the navigational status contradicted
    the speed; `sources` maps a source of readings to how long it watched, in microseconds.
    """

    start_us: int
    state: str
    place: str | None = None
    loading: str | None = None
    distance_m: float = 0.0
    dropped: int = 0
    conflicts: int = 0
    sources: dict[str, int] = {}

    def takes(self, other: Piece) -> bool:
        """Whether the piece after it says the same of the same day, so that both are one."""
        return (
            self.state == other.state
            and self.place == other.place
            and self.loading == other.loading
            and self.start_us // DAY_US == other.start_us // DAY_US
        )

    def take(self, other: Piece) -> None:
        """Add the piece after it."""
        self.distance_m += other.distance_m
        self.dropped += other.dropped
        self.conflicts += other.conflicts
        for source, seen_us in other.sources.items():
            self.sources[source] = self.sources.get(source, 0) + seen_us


class Interval(NamedTuple):
    """A piece with its end, [piece.start_us, end_us): said once it can change no more (or, at the edge, as of now)."""

    piece: Piece
    end_us: int

    @property
    def observed_us(self) -> int:
        """How much of it was watched: all, or nothing of the unknown."""
        return sum(self.piece.sources.values())


class Way(NamedTuple):
    """What else is told of a look: the way since the last one, where she calls, how she is laden, who says so.

    `distance_m` and `dropped` are of the way since the last look, `place` and `loading` hold from this look on.
    """

    distance_m: float = 0.0
    dropped: int = 0
    place: str | None = None
    loading: str | None = None
    source: str = "device"


class Timeline(msgspec.Struct, kw_only=True, array_like=True):
    """What is remembered: the pieces that can still change, the state of the last look, and since when each dwell lasts.

    `until_us` is the last look, `state`, `conflict`, `place`, `loading` and `source` what it said. `since_us` maps a state that
    needs a dwell to the begin of it. At most `PIECES_MAX` pieces.
    """

    until_us: int | None = None
    state: str = UNKNOWN
    conflict: bool = False
    place: str | None = None
    loading: str | None = None
    source: str = ""
    pieces: list[Piece] = []
    since_us: dict[str, int] = {}


PIECES_MAX = 16
"""A ship in a yard that changes what she says more often than this within two days is not waited for: her oldest piece stands."""


def contradicts(nav_status: int | None, sog_kn: float | None, limits: StateLimits = StateLimits()) -> bool:  # noqa: B008
    """Whether a navigational status denies what the speed says: moored faster than 3 kn (domain.md 2.3, data quality)."""
    return nav_status == NAV_MOORED and sog_kn is not None and sog_kn > limits.conflict_kn


def state_at(here: Surroundings, sog_kn: float | None, nav_status: int | None, limits: StateLimits = StateLimits()) -> str:  # noqa: B008
    """The state of one look where no dwell is asked for: moored, anchored, manoeuvring or at sea; unknown without a speed.

    Status only breaks ties: 5 (moored) and 1 (at anchor) count when she is slow enough for it. Source: domain.md 2.3.
    """
    if sog_kn is None:
        return UNKNOWN
    if sog_kn < limits.stopped_kn and (here.berth or nav_status == NAV_MOORED):
        return MOORED
    if sog_kn < limits.at_anchor_kn and nav_status == NAV_ANCHORED:
        return ANCHORED
    return MANOEUVRING if here.port and sog_kn <= limits.manoeuvring_kn else UNDER_WAY


def _dwelling(here: Surroundings, sog_kn: float | None, limits: StateLimits) -> Iterator[str]:
    """The states that this look would be of, if it lasted."""
    if sog_kn is None:
        return
    if here.yard and sog_kn < limits.drydock_kn:
        yield DRYDOCK
    if sog_kn < limits.stopped_kn:
        if here.anchorage:
            yield ANCHORED
        elif here.port:
            yield MOORED
    if sog_kn < limits.drifting_kn and not (here.port or here.berth or here.anchorage or here.yard):
        yield DRIFTING


def look_at_state(
    line: Timeline,
    time_us: int,
    here: Surroundings,
    sog_kn: float | None,
    nav_status: int | None,
    way: Way = Way(),  # noqa: B008
    limits: StateLimits = StateLimits(),  # noqa: B008
) -> list[Interval]:
    """Take one look in: what can no longer change, in order, end to end; the timeline is updated in place.

    What is seen at a look holds until the next one, or is unknown when that comes `unknown_h` or more later. Pieces are cut at
    UTC midnights, the distance by time, so that days add up. Looks come in order of time. Source: domain.md 2.3.
    """
    last_us = line.until_us
    if last_us is not None and time_us > last_us:
        if time_us - last_us >= limits.unknown_h * HOUR_US:
            line.since_us.clear()
            _extend(line, last_us, time_us, UNKNOWN, way)
        else:
            matured = _matured(line, time_us, limits)
            _extend(line, last_us, time_us, min([line.state, *matured], key=_RANK.__getitem__), way)
            for state in matured:
                _say_again(line, state, line.since_us[state])
    line.until_us = time_us
    line.state = state_at(here, sog_kn, nav_status, limits)
    line.conflict = contradicts(nav_status, sog_kn, limits)
    line.place, line.loading, line.source = way.place, way.loading, way.source
    dwelling = _dwelling(here, sog_kn, limits)
    line.since_us = {state: line.since_us.get(state, time_us) for state in dwelling}
    return _settle(line, limits)


def edge(line: Timeline) -> list[Interval]:
    """What is kept back, as of the last look: it may still be said otherwise."""
    if not line.pieces:
        return []
    ends = [*(piece.start_us for piece in line.pieces[1:]), line.until_us or 0]
    return [Interval(piece, end_us) for piece, end_us in zip(line.pieces, ends, strict=True)]


def _dwell_us(state: str, limits: StateLimits) -> int:
    hours = {
        DRYDOCK: limits.drydock_h, ANCHORED: limits.anchored_h, MOORED: limits.moored_h, DRIFTING: limits.drifting_h,
    }  # fmt: skip
    return round(hours[state] * HOUR_US)


def _matured(line: Timeline, time_us: int, limits: StateLimits) -> list[str]:
    return [state for state, since_us in line.since_us.items() if time_us - since_us >= _dwell_us(state, limits)]


def _extend(line: Timeline, start_us: int, end_us: int, state: str, way: Way) -> None:
    """Add [start, end) to the pieces, cut at midnights, the distance shared by time. Of the unknown only the way is known."""
    unknown, whole_us, from_us = state == UNKNOWN, end_us - start_us, start_us
    while from_us < end_us:
        to_us = min(end_us, (from_us // DAY_US + 1) * DAY_US)
        line.pieces.append(
            Piece(
                start_us=from_us,
                state=state,
                place=None if unknown else line.place,
                loading=line.loading,
                distance_m=way.distance_m * ((to_us - from_us) / whole_us) if way.distance_m else 0.0,
                dropped=way.dropped if from_us == start_us else 0,
                conflicts=int(line.conflict and from_us == start_us),
                sources={} if unknown else {line.source: to_us - from_us},
            )
        )
        from_us = to_us


def _say_again(line: Timeline, state: str, since_us: int) -> None:
    """Give every kept piece since then the state that it turned out to be, unless it is of one that wins over it."""
    for piece in line.pieces:
        if piece.start_us >= since_us and _RANK[piece.state] > _RANK[state]:
            piece.state = state


def _join(pieces: list[Piece], waiting_us: set[int]) -> list[Piece]:
    """Make one of neighbours that say the same, but not across the begin of a dwell that is not over: there it may be cut."""
    said: list[Piece] = []
    for piece in pieces:
        if said and piece.start_us not in waiting_us and said[-1].takes(piece):
            said[-1].take(piece)
        else:
            said.append(piece)
    return said


def _settle(line: Timeline, limits: StateLimits) -> list[Interval]:
    """Let go of what no dwell can change any more: all that ends before the first one that is not over began."""
    if not line.pieces:
        return []
    now_us = line.until_us or 0
    waiting_us = {since for state, since in line.since_us.items() if now_us - since < _dwell_us(state, limits)}
    waits_from_us = min(waiting_us, default=now_us)
    pieces = line.pieces
    if len(pieces) > 1:
        pieces = _join(pieces, waiting_us)
    ends = [*(piece.start_us for piece in pieces[1:]), now_us]
    given = sum(end_us <= waits_from_us for end_us in ends)
    given = max(given, len(pieces) - PIECES_MAX)
    line.pieces = pieces[given:]
    return [Interval(piece, end_us) for piece, end_us in zip(pieces[:given], ends[:given], strict=True)]


def shares(hours: Mapping[str, float]) -> dict[str, tuple[float, float | None]]:
    """Each class of use as a share of the calendar and of known time, (0..1, 0..1); of known time None for the unknown.

    `hours` maps every class to its hours, and they add up to the calendar (domain.md 2.6). Raises ValueError when there is no
    time at all, or less than none of a class. Golden SH7.
    """
    calendar_h = sum(hours.values())
    if calendar_h <= 0 or min(hours.values()) < 0:
        raise ValueError("shares of no time")
    known_h = calendar_h - hours.get(UNKNOWN, 0.0)
    return {
        name: (part_h / calendar_h, None if name == UNKNOWN or known_h == 0 else part_h / known_h)
        for name, part_h in hours.items()
    }
