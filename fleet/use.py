"""How an asset is used: operating states that cover the calendar, journeys, and the sums of each day. Pure.

A `UseMachine` per asset class takes readings in order and appends facts: `Activity` (what the asset did in [from, to)),
`Journey` (a flight, a port call, a voyage, a run) and `UseDay` (the sums of a closed UTC day). Machines tell `extend` and
`fill_unknown` what the asset did; cutting at midnight and summing up is done here, so that every class adds up the same way.

The calendar is covered exactly: the activities of one asset lie end to end from its first reading to its last, none crosses a
UTC midnight, and `used` fills what lies before, after or between with `unknown`. So the states of any [from, to) sum to its
length, and the parts of an interval sum to the whole (domain.md 2.6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, Protocol

import msgspec

from fleet.instants import DAY_US
from fleet.practice import Figure, Practice

UNKNOWN = "unknown"
BILLABLE_COVERAGE = "use.billable_coverage"

FIGURES: tuple[Figure, ...] = (
    Figure(name=BILLABLE_COVERAGE, value=0.90, source="domain.md 0, coverage: under 0.90 an estimate, not billable [D]"),
)


# -- facts ------------------------------------------------------------------------------------------------------------


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What an asset did in [from_us, to_us), within one UTC day.

    `state` is the operating state (`unknown` where nothing can be said); `method` the rule that says so, with its version;
    `distance_m` geodesic metres made good over the readings' legs, impossible ones dropped; `observed_us` how much of the
    interval was watched closely enough to vouch for the state, and `sources` the same by the readings' source; `figures` what
    else a class counts, unit last in the name (`laden_m`, `car_km`, `cycles`), such as add up; `place` the port or airport it
    was at and `loading` (`laden`, `partial`, `ballast`), None where not known.
    """

    from_us: int
    to_us: int
    state: str
    method: str
    place: str | None = None
    loading: str | None = None
    distance_m: float = 0.0
    observed_us: int = 0
    sources: dict[str, int] = {}
    figures: dict[str, float] = {}


class UseDay(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of the activities of one closed UTC day that starts at `day_us`.

    `states_us` and `distances_m` are by operating state; the states sum to a day but for the asset's first one.
    """

    day_us: int
    method: str
    states_us: dict[str, int] = {}
    distances_m: dict[str, float] = {}
    observed_us: int = 0
    sources: dict[str, int] = {}
    figures: dict[str, float] = {}


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """One flight, port call, voyage or run (of a train); `kind`, `started_us` name it within its asset.

    `ended_us` is None while it lasts; emitted again when anything of it changes, and the last emission stands. `from_place`
    and `to_place` are an airport's ICAO code or a port's id, None when not known; `quality` says how its ends were found (of a
    flight `midpoint`, `extrapolated` or `inferred_gap`, the weaker of both ends), `confidence` (of a port
    call, 1 to 4) how well it is founded; `coverage` is
    observed time over its length, None while it lasts; `cycles` its flight cycles; `figures` a JSON object, unit in each name.
    """

    kind: str
    started_us: int
    ended_us: int | None = None
    from_place: str | None = None
    to_place: str | None = None
    quality: str
    confidence: int | None = None
    method: str
    coverage: float | None = None
    distance_m: float = 0.0
    observed_us: int = 0
    cycles: int = 0
    sources: dict[str, int] = {}
    figures: dict[str, Any] = {}


Fact = Activity | UseDay | Journey


# -- machines ---------------------------------------------------------------------------------------------------------


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place beside a position: its id (ICAO code, port id, area id), kind and name, and how far it is.

    `kind` is `airport`, `port`, `anchorage`, `berth`, `yard` or another kind of area; `inside` says whether the position lies in
    its polygon (None: it is a point); `elevation_ft` is of airports; `country` (ISO 3166-1 alpha-2) of airports, and of ports
    that bear a UN/LOCODE.
    """

    id: str
    kind: str
    name: str
    distance_m: float
    inside: bool | None = None
    elevation_ft: float | None = None
    country: str | None = None


class Places(Protocol):
    """The places of the world as one tenant knows them, dated; looked up, never changed by whoever asks."""

    def airport_near(self, lat_deg: float, lon_deg: float, within_m: float) -> Place | None:
        """The nearest airport within a distance, None when there is none."""
        ...

    def places_near(self, lat_deg: float, lon_deg: float, time_us: int) -> Sequence[Place]:
        """Ports, anchorages, berths, yards and other areas at or beside a position, in force at an instant; the nearest first."""
        ...


class Nowhere:
    """A world without places: what machines are given where none were loaded."""

    def airport_near(self, lat_deg: float, lon_deg: float, within_m: float) -> Place | None:
        """No airport."""
        del lat_deg, lon_deg, within_m
        return None

    def places_near(self, lat_deg: float, lon_deg: float, time_us: int) -> Sequence[Place]:
        """No place."""
        del lat_deg, lon_deg, time_us
        return ()


NOWHERE = Nowhere()


class UseContext(msgspec.Struct, frozen=True, kw_only=True):
    """Dated facts beside a reading: the places around, and the limits in force.

    `limits` is what `UseMachine.limits` made of the book for that day; `asset_type` is the registry's word (`A320-200`), None
    when not known; `particulars` are the numbers that `UseMachine.particulars` names, as far as the registry holds them.
    """

    limits: Any
    places: Places = NOWHERE
    asset_type: str | None = None
    particulars: Mapping[str, float] = {}


class OpenActivity(msgspec.Struct, kw_only=True, array_like=True):
    """The activity under way, as `Activity`; changed in place."""

    from_us: int
    to_us: int
    state: str
    place: str | None = None
    loading: str | None = None
    distance_m: float = 0.0
    observed_us: int = 0
    sources: dict[str, int] = {}
    figures: dict[str, float] = {}


class OpenDay(msgspec.Struct, kw_only=True, array_like=True):
    """The sums of the closed activities of the day under way, as `UseDay`; changed in place."""

    day_us: int
    states_us: dict[str, int] = {}
    distances_m: dict[str, float] = {}
    observed_us: int = 0
    sources: dict[str, int] = {}
    figures: dict[str, float] = {}


class UseState(msgspec.Struct, kw_only=True):
    """What every machine remembers of one asset, plain numbers and words; a machine adds its own fields in a subclass.

    Its MessagePack is its checkpoint, so keep it below a kilobyte. `method` is written into every fact.
    """

    method: str
    open: OpenActivity | None = None
    day: OpenDay | None = None

    @property
    def covered_to_us(self) -> int | None:
        """Up to when the calendar is covered; None before the first `extend`."""
        return None if self.open is None else self.open.to_us


class UseMachine(NamedTuple):
    """One asset class as use sees it.

    `state()` is the empty memory of an asset; `at_reading(state, reading, context, out)` takes one reading in (never older than
    the last) and appends the facts that it closed, changing the state in place; what it does depends on these arguments alone,
    so that cutting the readings anywhere gives the same facts. `standing(state)` is what holds as of now and is not closed: the
    journey and the activity under way. `limits(practice, day, asset_type)` makes of the book what `UseContext.limits` carries.
    No machine asks for ticks: what a silence meant is said by the reading that ends it, and until then `used` calls it unknown.
    `at_end(state, context)` is `standing` where a recording ends and nothing more will come (None: the same). See
    `undecided_since` for what a machine promises of the facts to come. `particulars` names the numbers of the asset that it asks
    for.
    """

    name: str
    version: int
    state: Callable[[], UseState]
    state_type: type[UseState]
    at_reading: Callable[[Any, Any, UseContext, list[Fact]], None]
    standing: Callable[[Any], list[Fact]]
    limits: Callable[[Practice, date, str | None], Any]
    at_end: Callable[[Any, UseContext], list[Fact]] | None = None
    particulars: tuple[str, ...] = ()


class Since(NamedTuple):
    """From when on facts are not said yet: journeys, activities and days that begin at or after these instants."""

    journeys_us: int
    activities_us: int
    days_us: int


def undecided_since(machine: UseMachine, state: UseState) -> Since | None:
    """What a state has not said yet: no fact that it will still say begins before these instants. None: it has said nothing.

    A journey begins at the end of the calendar so far at the earliest, or it is one under way that `standing` gives.
    """
    held, day = state.open, state.day
    if held is None or day is None:
        return None
    starts = [fact.started_us for fact in machine.standing(state) if isinstance(fact, Journey)]
    return Since(min([held.to_us, *starts]), held.from_us, day.day_us)


def extend(
    state: UseState,
    name: str,
    to_us: int,
    out: list[Fact],
    *,
    distance_m: float = 0.0,
    observed_us: int = 0,
    source: str = "",
    figures: Mapping[str, float] | None = None,
    place: str | None = None,
    loading: str | None = None,
) -> None:
    """Say what the asset did from where the calendar is covered up to `to_us`; closes activities and days on the way.

    Nothing happens when `to_us` is not later than that. Distance, observed time and figures of a stretch that crosses midnight
    are split in proportion to time. A stretch of the same state, place and loading lengthens the activity under way.

    Args:
        state: changed in place.
        name: the operating state of the stretch.
        to_us: the end of the stretch.
        out: takes the facts that are closed.
        distance_m: metres made good in it.
        observed_us: how much of it was watched.
        source: whose readings watched it.
        figures: what else is counted of it, such as adds up.
        place: the port or airport it was at.
        loading: `laden`, `partial` or `ballast`.

    Raises:
        RuntimeError: `begin` was not called (a programmer's error).
    """
    held = state.open
    if held is None:
        raise RuntimeError("extend before begin")
    if to_us <= held.to_us:
        return
    if held.state != name or held.place != place or held.loading != loading:
        if held.to_us > held.from_us:
            held = _close(state, held, out)
        held.state, held.place, held.loading = name, place, loading
    while (midnight_us := (held.from_us // DAY_US + 1) * DAY_US) <= to_us:
        share = (midnight_us - held.to_us) / (to_us - held.to_us)
        seen_us = round(observed_us * share)
        part = None if figures is None else {key: value * share for key, value in figures.items()}
        _add(held, midnight_us, distance_m * share, seen_us, source, part)
        distance_m -= distance_m * share
        observed_us -= seen_us
        if figures is not None and part is not None:
            figures = {key: value - part[key] for key, value in figures.items()}
        held = _close(state, held, out)
        if to_us == midnight_us:
            return
    _add(held, to_us, distance_m, observed_us, source, figures)


def begin(state: UseState, name: str, from_us: int) -> None:
    """Begin the calendar at the asset's first reading; nothing is known of the time before."""
    state.open = OpenActivity(from_us=from_us, to_us=from_us, state=name)
    state.day = OpenDay(day_us=from_us // DAY_US * DAY_US)


def fill_unknown(state: UseState, to_us: int, out: list[Fact]) -> None:
    """Cover the calendar up to an instant with `unknown`: nobody can say what the asset did."""
    extend(state, UNKNOWN, to_us, out)


def count(state: UseState, key: str, amount: float) -> None:
    """Add to a sum of the activity under way. Raises RuntimeError before `begin` (a programmer's error)."""
    if state.open is None:
        raise RuntimeError("count before begin")
    state.open.figures[key] = state.open.figures.get(key, 0.0) + amount


def open_activity(state: UseState) -> list[Fact]:
    """The activity under way as it stands, for `UseMachine.standing`; empty while there is none."""
    held = state.open
    return [] if held is None or held.to_us == held.from_us else [_activity(state, held)]


def _add(
    held: OpenActivity, to_us: int, distance_m: float, observed_us: int, source: str, figures: Mapping[str, float] | None
) -> None:
    held.to_us = to_us
    held.distance_m += distance_m
    if observed_us:
        held.observed_us += observed_us
        held.sources[source] = held.sources.get(source, 0) + observed_us
    if figures:
        for key, value in figures.items():
            held.figures[key] = held.figures.get(key, 0.0) + value


def _activity(state: UseState, held: OpenActivity) -> Activity:
    return Activity(
        from_us=held.from_us,
        to_us=held.to_us,
        state=held.state,
        method=state.method,
        place=held.place,
        loading=held.loading,
        distance_m=held.distance_m,
        observed_us=held.observed_us,
        sources=dict(held.sources),
        figures=dict(held.figures),
    )


def _close(state: UseState, held: OpenActivity, out: list[Fact]) -> OpenActivity:
    """Close the activity under way, and its day when it ends there; begin the next one, so far the same."""
    out.append(_activity(state, held))
    day = state.day
    if day is None:
        raise RuntimeError("close before begin")
    add_to_day(day, held)
    if held.to_us == day.day_us + DAY_US:
        out.append(
            UseDay(
                day_us=day.day_us,
                method=state.method,
                states_us=day.states_us,
                distances_m=day.distances_m,
                observed_us=day.observed_us,
                sources=day.sources,
                figures=day.figures,
            )
        )
        state.day = OpenDay(day_us=held.to_us)
    state.open = OpenActivity(from_us=held.to_us, to_us=held.to_us, state=held.state, place=held.place, loading=held.loading)
    return state.open


def add_to_day(day: OpenDay, held: OpenActivity | Activity) -> None:
    """Add an activity to the sums of its day."""
    day.states_us[held.state] = day.states_us.get(held.state, 0) + held.to_us - held.from_us
    if held.distance_m:
        day.distances_m[held.state] = day.distances_m.get(held.state, 0.0) + held.distance_m
    day.observed_us += held.observed_us
    for source, seen_us in held.sources.items():
        day.sources[source] = day.sources.get(source, 0) + seen_us
    for key, value in held.figures.items():
        day.figures[key] = day.figures.get(key, 0.0) + value


# -- use over any interval --------------------------------------------------------------------------------------------


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """The use of an asset in [from_us, to_us): what its activities there come to.

    `states_us` sum to the length exactly, `unknown` included. `coverage` is observed time over the length (1 of an empty one);
    `methods` and `sources` (seconds of observation in microseconds, by source) say what it rests on.
    """

    from_us: int
    to_us: int
    states_us: dict[str, int]
    distances_m: dict[str, float]
    observed_us: int
    sources: dict[str, int]
    figures: dict[str, float]
    methods: tuple[str, ...]

    @property
    def coverage(self) -> float:
        """Observed time over the length, 0..1; 1 of an empty interval, in which nothing was missed."""
        length_us = self.to_us - self.from_us
        return self.observed_us / length_us if length_us > 0 else 1.0

    @property
    def distance_m(self) -> float:
        """Metres made good in all states."""
        return sum(self.distances_m.values())

    def is_estimate(self, billable_coverage: float) -> bool:
        """Whether it is an estimate: coverage under the figure `use.billable_coverage` (0.90, domain.md 0)."""
        return self.coverage < billable_coverage

    def source_shares(self) -> dict[str, float]:
        """The source mix: each source's share of the observed time; empty when nothing was observed."""
        return {source: seen_us / self.observed_us for source, seen_us in sorted(self.sources.items()) if self.observed_us}


def clipped(activity: Activity, from_us: int, to_us: int) -> Activity | None:
    """The part of an activity in [from_us, to_us), in proportion to time; None when they do not meet.

    Cut by what has accrued up to each edge, so that the parts of an activity that is cut anywhere sum to it.
    """
    start_us, end_us = max(from_us, activity.from_us), min(to_us, activity.to_us)
    if start_us >= end_us:
        return None
    if start_us == activity.from_us and end_us == activity.to_us:
        return activity
    length_us = activity.to_us - activity.from_us
    begin_us, done_us = start_us - activity.from_us, end_us - activity.from_us

    def whole(amount: int) -> int:
        return amount * done_us // length_us - amount * begin_us // length_us

    def part(amount: float) -> float:
        return amount * done_us / length_us - amount * begin_us / length_us

    return Activity(
        from_us=start_us,
        to_us=end_us,
        state=activity.state,
        method=activity.method,
        place=activity.place,
        loading=activity.loading,
        distance_m=part(activity.distance_m),
        observed_us=whole(activity.observed_us),
        sources={source: whole(seen_us) for source, seen_us in activity.sources.items()},
        figures={key: part(value) for key, value in activity.figures.items()},
    )


def used(days: Iterable[UseDay], activities: Iterable[Activity], from_us: int, to_us: int) -> Used:
    """The use of one asset in [from_us, to_us).

    Args:
        days: closed days; those that lie wholly inside are taken, others passed over.
        activities: of the days that are not taken; such as lie in a taken day are passed over, so that nothing counts twice.
        from_us: begin.
        to_us: end; an instant not after `from_us` gives an empty use.
    """
    total = OpenDay(day_us=from_us)
    methods: set[str] = set()
    taken: set[int] = set()
    for day in days:
        if day.day_us < from_us or day.day_us + DAY_US > to_us or day.day_us in taken:
            continue
        taken.add(day.day_us)
        methods.add(day.method)
        _add_day(total, day)
    for activity in activities:
        if activity.from_us // DAY_US * DAY_US in taken:
            continue
        part = clipped(activity, from_us, to_us)
        if part is not None:
            methods.add(part.method)
            add_to_day(total, part)
    missing_us = max(0, to_us - from_us) - sum(total.states_us.values())
    if missing_us:
        total.states_us[UNKNOWN] = total.states_us.get(UNKNOWN, 0) + missing_us
    return Used(
        from_us=from_us,
        to_us=max(from_us, to_us),
        states_us=total.states_us,
        distances_m=total.distances_m,
        observed_us=total.observed_us,
        sources=total.sources,
        figures=total.figures,
        methods=tuple(sorted(methods)),
    )


def _add_day(total: OpenDay, day: UseDay) -> None:
    for state, length_us in day.states_us.items():
        total.states_us[state] = total.states_us.get(state, 0) + length_us
    for state, metres in day.distances_m.items():
        total.distances_m[state] = total.distances_m.get(state, 0.0) + metres
    total.observed_us += day.observed_us
    for source, seen_us in day.sources.items():
        total.sources[source] = total.sources.get(source, 0) + seen_us
    for key, value in day.figures.items():
        total.figures[key] = total.figures.get(key, 0.0) + value
