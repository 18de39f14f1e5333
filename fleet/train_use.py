"""How a trainset is used: running, standing, stabled; train-km, and what its counters count. The machine of trainsets.

Formulas of domain.md 4 first, each by itself; then the machine behind `fleet.use`. Distance is the odometer's, which may be reset
or roll over; car-km follow from who was in the train when. Neighbours: `use` sums up, `trainset` is the reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from fleet import use
from fleet.geodesy import distance_m
from fleet.instants import HOUR_US, MINUTE_US, SECOND_US
from fleet.practice import Figure, Practice
from fleet.trainset import NAME, TrainsetReading
from fleet.use import Activity, Fact, Journey, UseContext, UseMachine, UseState

VERSION = 1
METHOD = f"train_use/{VERSION}"
RUNNING, STANDING, STABLED = "running", "standing", "stabled"
IN_SERVICE = frozenset({RUNNING, STANDING})
"""The states that are time in service; a stabled or unheard train is not."""
COUNTERS = ("door_cycles", "traction_kwh", "regen_kwh", "aux_kwh", "chargeable_failures")
"""Channels that only grow, counted by their steps (domain.md 4: doors, energy, faults)."""
COMPRESSOR = "compressor_on"  # channel: 1 while the compressor runs, 0 while it does not

FIGURES = (
    Figure(name="train_use.unknown_min", value=30.0, source="design 4.6: a trainset that is silent for longer is a gap"),
    Figure(name="train_use.moving_kmh", value=1.0, source="chosen, see DECISIONS 124: above an odometer's noise"),
    Figure(name="train_use.stabled_min", value=60.0, source="chosen, see DECISIONS 124: longer than a turn-back at a terminus"),
    Figure(name="train_use.speed_limit_kmh", value=400.0, source="chosen: above any service speed (350 km/h)"),
)

# -- formulas ---------------------------------------------------------------------------------------------------------


class OdometerStep(NamedTuple):
    """What one step of an odometer means: km run, and how it is known (`step`, `rollover`, `reset`, `jump`)."""

    km: float
    kind: str


def odometer_step(before_km: float, now_km: float, possible_km: float, capacity_km: float | None = None) -> OdometerStep:
    """The km between two values of one odometer.

    Forward is the difference; a leap of more than `possible_km` is a `jump` and counts nothing. Backward is a rollover where the
    odometer's `capacity_km` is known and the way through it is possible, else a reset: it began again at zero, and what it
    shows was run since, if that is possible. Golden RL1. Source: domain.md 4 (monotonic; reset and rollover handled).
    """
    if now_km >= before_km:
        return OdometerStep(now_km - before_km, "step") if now_km - before_km <= possible_km else OdometerStep(0.0, "jump")
    if capacity_km is not None and capacity_km - before_km + now_km <= possible_km:
        return OdometerStep(capacity_km - before_km + now_km, "rollover")
    return OdometerStep(now_km if now_km <= possible_km else 0.0, "reset")


class Membership(NamedTuple):
    """That a car was in a trainset in [from_us, to_us); `to_us` None while it is."""

    car: str
    from_us: int
    to_us: int | None = None


def car_km(stretches: Iterable[tuple[int, int, float]], cars: Iterable[Membership]) -> dict[str, float]:
    """The km of each car: of each stretch (from, to, train-km) the share of time in which the car was in the train.

    The sum over the cars is the train's car-km. Golden RL1. Source: domain.md 4.
    """
    run = list(stretches)
    found: dict[str, float] = {}
    for car, from_us, to_us in cars:
        km = 0.0
        for start_us, end_us, train_km in run:
            shared_us = min(end_us, end_us if to_us is None else to_us) - max(start_us, from_us)
            if shared_us > 0:
                km += train_km * shared_us / (end_us - start_us)
        found[car] = found.get(car, 0.0) + km
    return found


def cycles_per_leaf(door_cycles: float, leaves: int) -> float:
    """Door cycles of one leaf, of all leaves together. Raises ZeroDivisionError for a train without doors. Golden RL1."""
    return door_cycles / leaves


def compressor_duty(on_s: float, in_service_s: float) -> float | None:
    """Share of the time in service in which the compressor ran; None without any service. Golden RL1 (domain.md 4)."""
    return on_s / in_service_s if in_service_s > 0 else None


def energy_per_car_km(energy_kwh: float, run_car_km: float) -> float | None:
    """KWh for each car-km; None where nothing was run. Golden RL1 (domain.md 4)."""
    return energy_kwh / run_car_km if run_car_km > 0 else None


def net_energy_kwh(figures: Mapping[str, float]) -> float | None:
    """Traction and auxiliary energy less what was fed back, of `Used.figures`; None where none was metered."""
    metered = [name for name in ("traction_kwh", "regen_kwh", "aux_kwh") if name in figures]
    if not metered:
        return None
    return figures.get("traction_kwh", 0.0) + figures.get("aux_kwh", 0.0) - figures.get("regen_kwh", 0.0)


class Mdbf(NamedTuple):
    """Mean distance between failures in car-km: the mean, or None with the distance that it is at least."""

    mean_car_km: float | None
    at_least_car_km: float


def mdbf(run_car_km: float, failures: int) -> Mdbf:
    """Car-km by chargeable failures; without any the mean is unknown and at least what was run, never infinite. Golden RL2.

    Raises ValueError for fewer than none.
    """
    if failures < 0:
        raise ValueError("fewer than no failures")
    return Mdbf(run_car_km / failures, run_car_km / failures) if failures else Mdbf(None, run_car_km)


def availability(fit_cars: int, required_cars: int) -> float | None:
    """Cars fit for service at the peak by cars required; None where none are required (domain.md 4)."""
    return fit_cars / required_cars if required_cars else None


# -- the machine ------------------------------------------------------------------------------------------------------


class TrainLimits(NamedTuple):
    """Minutes and km/h. Source: `FIGURES`."""

    unknown_min: float = 30.0
    moving_kmh: float = 1.0
    stabled_min: float = 60.0
    speed_limit_kmh: float = 400.0


class Sums(msgspec.Struct, kw_only=True, array_like=True):
    """What adds up of a stretch or a run: metres, microseconds watched (all and by source), counters by name."""

    distance_m: float = 0.0
    observed_us: int = 0
    sources: dict[str, int] = {}
    figures: dict[str, float] = {}

    def add(self, other: Sums) -> None:
        """Add what came after."""
        self.distance_m += other.distance_m
        self.observed_us += other.observed_us
        for source, seen_us in other.sources.items():
            self.sources[source] = self.sources.get(source, 0) + seen_us
        for name, amount in other.figures.items():
            self.figures[name] = self.figures.get(name, 0.0) + amount


class Run(msgspec.Struct, kw_only=True, array_like=True):
    """A duty as far as it is known: from the first movement after stabling to the standstill that became the next one."""

    started_us: int
    from_station: str | None = None
    to_station: str | None = None
    sums: Sums = msgspec.field(default_factory=Sums)


class TrainUse(UseState, kw_only=True):
    """What is remembered of a trainset between readings.

    `last_us` is the last reading; `moving` what it said; `still_us` since when the train stands and `still` what that came to,
    while nobody knows yet whether it stands or is stabled; `counters` the last value of each.
    """

    last_us: int | None = None
    source: str = ""
    moving: bool = False
    compressor: bool = False
    odometer_km: float | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    station: str | None = None
    still_us: int | None = None
    still: Sums = msgspec.field(default_factory=Sums)
    counters: dict[str, float] = msgspec.field(default_factory=dict)
    run: Run | None = None


def new_state() -> TrainUse:
    """The memory of a trainset never heard of."""
    return TrainUse(method=METHOD)


def limits(practice: Practice, on: date, asset_type: str | None) -> TrainLimits:
    """The machine's thresholds on a day, for trains of every type. Raises NotDefinedError where one is missing."""
    del asset_type
    return TrainLimits(*(practice.number(f"train_use.{name}", on) for name in TrainLimits._fields))


def at_reading(state: TrainUse, reading: TrainsetReading, context: UseContext, out: list[Fact]) -> None:
    """Take a reading in: see `fleet.use.UseMachine`. What a reading says holds until the next one."""
    given: TrainLimits = context.limits
    time_us, last_us = reading.time_us, state.last_us
    if last_us is None:
        use.begin(state, use.UNKNOWN, time_us)
        _remember(state, reading, given)
        return
    silent = time_us - last_us > given.unknown_min * MINUTE_US
    gain = _gain(state, reading, time_us - last_us, given, silent=silent)
    if silent:
        _settle_still(state, last_us, out)
        _end_run(state, last_us, out)
        use.extend(state, use.UNKNOWN, time_us, out, distance_m=gain.distance_m, figures=gain.figures)
    elif state.moving:
        _run_on(state, last_us, gain)
        _say(state, RUNNING, time_us, gain, out)
    else:
        _stand(state, last_us, time_us, gain, given, out)
    moved = state.still_us is not None and _is_moving(state, reading, given)
    if moved:
        _settle_still(state, time_us, out)
    _remember(state, reading, given)


def standing(state: TrainUse) -> list[Fact]:
    """The run and the activity under way, and the stretch of which nobody knows yet what it is: see `fleet.use.UseMachine`."""
    found: list[Fact] = [] if state.run is None else [_journey(state, state.run, None)]
    if state.open is None:
        return found
    if state.still_us is None or state.last_us is None:
        return found + use.open_activity(state)
    onward = msgspec.msgpack.decode(
        msgspec.msgpack.encode(UseState(method=state.method, open=state.open, day=state.day)), type=UseState
    )
    out: list[Fact] = []
    _say(onward, STANDING, state.last_us, state.still, out)
    return found + [fact for fact in out if isinstance(fact, Activity)] + use.open_activity(onward)


def _is_moving(state: TrainUse, reading: TrainsetReading, given: TrainLimits) -> bool:
    """By the speed; without one by the odometer since the last reading."""
    if reading.speed_kmh is not None:
        return reading.speed_kmh >= given.moving_kmh
    if reading.odometer_km is None or state.odometer_km is None or state.last_us is None:
        return False
    hours = max((reading.time_us - state.last_us) / HOUR_US, 1e-9)
    return (reading.odometer_km - state.odometer_km) / hours >= given.moving_kmh


def _remember(state: TrainUse, reading: TrainsetReading, given: TrainLimits) -> None:
    state.moving = _is_moving(state, reading, given)
    state.last_us, state.source = reading.time_us, reading.source
    if reading.odometer_km is not None:
        state.odometer_km = reading.odometer_km
    if reading.lat_deg is not None and reading.lon_deg is not None:
        state.lat_deg, state.lon_deg = reading.lat_deg, reading.lon_deg
    if reading.station is not None:
        state.station = reading.station
    if COMPRESSOR in reading.channels:
        state.compressor = reading.channels[COMPRESSOR] >= 0.5
    for name in COUNTERS:
        if name in reading.channels:
            state.counters[name] = reading.channels[name]


def _gain(state: TrainUse, reading: TrainsetReading, elapsed_us: int, given: TrainLimits, *, silent: bool) -> Sums:
    """What the way since the last reading came to: km by the odometer, else by position; the counters' steps."""
    sums = Sums()
    possible_km = given.speed_limit_kmh * elapsed_us / HOUR_US + 1.0  # an odometer is read to the km by some
    if reading.odometer_km is not None and state.odometer_km is not None:
        step = odometer_step(state.odometer_km, reading.odometer_km, possible_km)
        sums.distance_m = step.km * 1000.0
        if step.kind != "step":
            sums.figures[f"odometer_{step.kind}s"] = 1.0
    elif None not in (state.lat_deg, state.lon_deg, reading.lat_deg, reading.lon_deg):
        way_m = distance_m(state.lat_deg or 0.0, state.lon_deg or 0.0, reading.lat_deg or 0.0, reading.lon_deg or 0.0)
        sums.distance_m = way_m if state.moving and way_m <= possible_km * 1000.0 else 0.0
    if sums.distance_m:
        sums.figures["train_km"] = sums.distance_m / 1000.0
    for name in COUNTERS:
        now = reading.channels.get(name)
        before = state.counters.get(name)
        if now is not None and before is not None and now != before:
            sums.figures[name] = now - before if now > before else now  # a counter that fell began again at zero
    if not silent:
        sums.observed_us, sums.sources = elapsed_us, {state.source: elapsed_us}
        if state.compressor:
            sums.figures["compressor_on_s"] = elapsed_us / SECOND_US
    return sums


def _run_on(state: TrainUse, from_us: int, gain: Sums) -> None:
    """Begin a run where there is none, and add to it."""
    if state.run is None:
        state.run = Run(started_us=from_us, from_station=state.station)
    state.run.to_station = state.station
    state.run.sums.add(gain)


def _stand(state: TrainUse, last_us: int, time_us: int, gain: Sums, given: TrainLimits, out: list[Fact]) -> None:
    """It stood: kept back until it is known whether that was a stop or stabling."""
    if state.still_us is None:
        held = state.open
        if held is not None and held.state == STABLED and held.to_us == last_us:
            _say(state, STABLED, time_us, gain, out)
            return
        state.still_us, state.still = last_us, Sums()
    state.still.add(gain)
    if time_us - state.still_us >= given.stabled_min * MINUTE_US:
        _end_run(state, state.still_us, out)
        _say(state, STABLED, time_us, state.still, out)
        state.still_us, state.still = None, Sums()


def _settle_still(state: TrainUse, time_us: int, out: list[Fact]) -> None:
    """A standstill that ended before it became stabling was a stop, and part of the run."""
    if state.still_us is None:
        return
    if state.run is not None:
        state.run.sums.add(state.still)
    _say(state, STANDING, time_us, state.still, out)
    state.still_us, state.still = None, Sums()


def _end_run(state: TrainUse, ended_us: int, out: list[Fact]) -> None:
    if state.run is not None:
        state.run.to_station = state.station
        out.append(_journey(state, state.run, ended_us))
        state.run = None


def _say(state: UseState, name: str, to_us: int, sums: Sums, out: list[Fact]) -> None:
    """Say a stretch to `use`, each source's time after the other: their sums are what counts, not their order."""
    watched = sorted(sums.sources.items()) or [("", 0)]
    at_us, left_m = state.covered_to_us or 0, sums.distance_m
    for index, (source, seen_us) in enumerate(watched):
        last = index == len(watched) - 1
        end_us = to_us if last else at_us + seen_us
        part_m = left_m if last else 0.0
        figures = sums.figures if last else None
        use.extend(state, name, end_us, out, distance_m=part_m, observed_us=seen_us, source=source, figures=figures)
        at_us, left_m = end_us, left_m - part_m


def _journey(state: TrainUse, run: Run, ended_us: int | None) -> Journey:
    length_us = None if ended_us is None else ended_us - run.started_us
    return Journey(
        kind="run",
        started_us=run.started_us,
        ended_us=ended_us,
        from_place=run.from_station,
        to_place=run.to_station,
        quality="observed",
        method=state.method,
        coverage=None if not length_us else min(1.0, run.sums.observed_us / length_us),
        distance_m=run.sums.distance_m,
        observed_us=run.sums.observed_us,
        sources=dict(run.sums.sources),
        figures=dict(run.sums.figures),
    )


MACHINE = UseMachine(
    name=NAME,
    version=VERSION,
    state=new_state,
    state_type=TrainUse,
    at_reading=at_reading,
    standing=standing,
    limits=limits,
)
