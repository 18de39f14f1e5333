"""What goes wrong: bends the stream of elements and writes down the truth about it.

A fault is a pure function of (schedule, seed, instant), so that a restarted world is as wrong as it was. Kinds and their
parameters, with defaults, are in `DEFAULTS`. Knows how a reading is written and nothing of how it would be judged.
Neighbours: `scenario` has the schedules, `world` the stream, `labels` the file of truths.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ingest.wire import encode_json
from simulators.element import NO_LAG, Body, Element, Lag, Simulated, rfc3339
from simulators.identity import mmsi, ship_call_sign, ship_flag
from simulators.motion import GEOD, KN_MPS, NM_M, Knot, Timetable, hash64, uniform
from simulators.scenario import FaultPlan, ScenarioError

RECOVERY_GAIN = 0.08  # chosen: a master makes up lost time at up to 8 % more than service speed
RAMP_S = 120.0  # chosen: an engine's slow-down programme
CACHE_MAX = 1024  # resolved occurrences kept per schedule

DEFAULTS: dict[str, dict[str, float | str]] = {
    "drop": {"probability": 0.3},
    "delay": {"delay_s": 120.0},
    "duplicate": {"probability": 0.3},
    "reorder": {"window_s": 60.0},
    "corrupt": {"probability": 0.2},
    "dark": {},
    "jump": {"distance_nm": 180.0, "bearing_deg": 225.0},
    "spoofed_circle": {"distance_nm": 90.0, "bearing_deg": 135.0, "radius_m": 500.0, "speed_kn": 18.0},
    "identity_change": {"alias": "OCEAN FORTUNE"},
    "draught_change": {"delta_m": -2.0},
    "sensor_drift": {"share_per_min": 0.06},
    "sensor_spike": {"factor": 1.8, "probability": 0.35},
    "sensor_stuck": {},
    "speed_loss": {"keep": 0.4},
    "emergency_squawk": {"squawk": "7700"},
}
_HOLDS = {"delay": "delay_s", "reorder": "window_s"}


class Occurrence(NamedTuple):
    """One time a fault strikes one asset. `end_us` is when it is over, `tail_us` when its last trace is (lost time made up)."""

    schedule: int
    number: int
    kind: str
    plan: str
    channel: str | None
    start_us: int
    end_us: int
    tail_us: int
    parameters: Mapping[str, float | str]

    def number_of(self, name: str) -> float:
        """A parameter as a number."""
        return float(self.parameters[name])


class Schedule:
    """The occurrences of one fault plan."""

    def __init__(self, index: int, plan: FaultPlan, start_us: int, fleet: Mapping[str, Simulated]) -> None:
        """Errors: ScenarioError for an unknown parameter, a missing channel or occurrences that collide on one asset."""
        self.index, self.plan = index, plan
        if unknown := set(plan.parameters) - set(DEFAULTS[plan.kind]):
            raise ScenarioError(f"fault {plan.kind} has no parameter {sorted(unknown)}")
        if plan.kind.startswith("sensor_") and plan.channel is None:
            raise ScenarioError(f"fault {plan.kind} needs a channel")
        self.parameters = {**DEFAULTS[plan.kind], **plan.parameters}
        self._fleet = fleet
        self._first_us = start_us + round(plan.start_s * 1e6)
        self._every_us = round(plan.every_s * 1e6) if plan.every_s is not None else None
        self._length_us = round(plan.duration_s * 1e6)
        self.lag_curve = _lag_curve(plan.duration_s, float(self.parameters["keep"])) if plan.kind == "speed_loss" else None
        lasting_s = plan.duration_s if self.lag_curve is None else self.lag_curve.duration_s
        self._tail_us = round(lasting_s * 1e6)
        if self._every_us is not None and self._every_us * len(plan.assets) < self._tail_us:
            raise ScenarioError(f"fault {plan.kind} would meet its own traces on one asset")
        self._known: dict[int, Occurrence | None] = {}

    def at(self, plan_name: str, time_us: int) -> Occurrence | None:
        """The occurrence that touches an asset at an instant, its tail included."""
        since_us = time_us - self._first_us
        if since_us < 0:
            return None
        if self._every_us is None:
            numbers = range(1)
        else:
            numbers = range(max(0, (since_us - self._tail_us) // self._every_us), since_us // self._every_us + 1)
        for number in numbers:
            found = self._occurrence(number)
            if found is not None and found.plan == plan_name and found.start_us <= time_us < found.tail_us:
                return found
        return None

    def _occurrence(self, number: int) -> Occurrence | None:
        if number not in self._known:
            if len(self._known) >= CACHE_MAX:
                self._known.clear()
            self._known[number] = self._resolve(number)
        return self._known[number]

    def _resolve(self, number: int) -> Occurrence | None:
        start_us = self._first_us + number * (self._every_us or 0)
        assets = self.plan.assets
        turn = assets[number % len(assets) :] + assets[: number % len(assets)]
        if self._every_us is not None and self._tail_us > self._every_us:
            turn = turn[:1]  # a stand-in could still be under the last occurrence
        end_us = start_us + self._length_us
        for name in turn:
            thing = self._fleet[name]
            if self.plan.under_way and not (thing.under_way(start_us) and thing.under_way(min(end_us, start_us + 600_000_000))):
                continue
            tail_us = start_us + self._tail_us
            return Occurrence(
                self.index, number, self.plan.kind, name, self.plan.channel, start_us, end_us, tail_us, self.parameters
            )
        return None


def _lag_curve(duration_s: float, keep: float) -> Timetable:
    """How a ship falls behind while slow and makes it up afterwards: `speed` is the rate of lag, `distance` the lag.

    Down and up in RAMP_S; the lag's integral over the whole is zero, so that nothing of an occurrence outlives its tail.
    """
    lost, gain = 1.0 - keep, RECOVERY_GAIN
    behind_s = lost * (duration_s - RAMP_S / 2) + (lost - gain) * RAMP_S / 2 - gain * RAMP_S / 2
    steady_s = behind_s / gain
    t = duration_s
    return Timetable(
        [
            Knot(0.0, 0.0),
            Knot(RAMP_S, lost),
            Knot(t, lost),
            Knot(t + RAMP_S, -gain),
            Knot(t + RAMP_S + steady_s, -gain),
            Knot(t + 2 * RAMP_S + steady_s, 0.0),
        ]
    )


class Label(NamedTuple):
    """The truth about one occurrence, as written to the labels file."""

    tenant: str
    asset: str
    kind: str
    channel: str | None
    started_at: str
    ended_at: str
    parameters: Mapping[str, float | str]


class Faults:
    """All schedules of a world, as a decorator over its stream of elements."""

    def __init__(self, plans: list[FaultPlan], fleet: Mapping[str, Simulated], *, seed: int, start_us: int) -> None:
        """Errors: ScenarioError when a plan makes no sense."""
        self._seed, self._fleet = hash64(seed, "faults"), fleet
        schedules = [Schedule(i, plan, start_us, fleet) for i, plan in enumerate(plans)]
        self._schedules = schedules
        self._touching: dict[str, list[Schedule]] = {name: [s for s in schedules if name in s.plan.assets] for name in fleet}
        self._plan_of = {(f.asset.tenant, f.asset.value): name for name, f in fleet.items()}
        self.hold_max_s = max((float(s.parameters[_HOLDS[s.plan.kind]]) for s in schedules if s.plan.kind in _HOLDS), default=0.0)

    def lag(self, plan_name: str, time_us: int) -> Lag:
        """By how much an asset is behind its timetable."""
        for schedule in self._touching[plan_name]:
            if schedule.lag_curve is None:
                continue
            if (found := schedule.at(plan_name, time_us)) is not None:
                moment = schedule.lag_curve.at((time_us - found.start_us) / 1e6)
                return Lag(moment.distance_m, moment.speed_mps)
        return NO_LAG

    def over(self, elements: Iterator[Element], on_label: Callable[[Label], None] | None = None) -> Iterator[Element]:
        """Bend a stream of elements; `on_label` is told of each occurrence when it first touches one."""
        told: dict[int, int] = {}
        for element in elements:
            name = self._plan_of[element.tenant, element.value]
            bent = [element]
            for schedule in self._touching[name]:
                found = schedule.at(name, element.time_us)
                if found is None or element.time_us >= found.end_us:
                    continue
                before = bent
                bent = [copy for one in before for copy in self._bend(one, found)]
                touched = bent is not before and (bent != before or found.kind == "speed_loss")
                if on_label is not None and touched and told.get(_key(found, schedule)) != found.number:
                    told[_key(found, schedule)] = found.number
                    on_label(self.label(found))
                if not bent:
                    break
            yield from bent

    def label(self, found: Occurrence) -> Label:
        """The truth about an occurrence."""
        asset = self._fleet[found.plan].asset
        return Label(
            asset.tenant,
            asset.label,
            found.kind,
            found.channel,
            rfc3339(found.start_us),
            rfc3339(found.end_us),
            found.parameters,
        )

    def _bend(self, element: Element, found: Occurrence) -> list[Element]:
        kind = found.kind
        if kind in _DELIVERY:
            chance = uniform(self._seed, found.schedule, element.value, element.time_us, element.kind)
            return _DELIVERY[kind](element, found, chance)
        if element.kind == "static":
            bent = _bend_static(element.body, found)
        elif kind == "sensor_stuck":
            bent = self._stuck(element.body, found)
        elif kind in _READING:
            bent = _READING[kind](element.body, found, element.time_us, self._seed)
        else:
            bent = element.body
        return [element if bent is element.body else element._replace(body=bent)]

    def _stuck(self, body: Body, found: Occurrence) -> Body:
        truth = self._fleet[found.plan].reading(found.start_us, self.lag(found.plan, found.start_us))
        return _with_channel(body, str(found.channel), truth["channels"][found.channel])


def _key(found: Occurrence, schedule: Schedule) -> int:
    """Occurrences of one schedule that may be under way together have different keys; their number is bounded."""
    return found.schedule * 10_000 + schedule.plan.assets.index(found.plan)


def _with_channel(body: Body, channel: str, value: float) -> Body:
    return {**body, "channels": {**body["channels"], channel: value}}


def _jump(body: Body, found: Occurrence, time_us: int, seed: int) -> Body:
    del time_us, seed
    lon_deg, lat_deg, _ = GEOD.fwd(
        body["lon_deg"], body["lat_deg"], found.number_of("bearing_deg"), found.number_of("distance_nm") * NM_M
    )
    return {**body, "lon_deg": round(lon_deg, 6), "lat_deg": round(lat_deg, 6)}


def _spoofed_circle(body: Body, found: Occurrence, time_us: int, seed: int) -> Body:
    """The receiver believes it circles a far point: position and course over ground go round, the gyro does not."""
    del seed
    centre = _jump(body, found, time_us, 0)
    radius_m, speed_mps = found.number_of("radius_m"), found.number_of("speed_kn") * KN_MPS
    age_s = (time_us - found.start_us) / 1e6
    angle_deg = math.degrees(speed_mps * age_s / radius_m) % 360.0
    lon_deg, lat_deg, _ = GEOD.fwd(centre["lon_deg"], centre["lat_deg"], angle_deg, radius_m)
    bent = {**body, "lon_deg": round(lon_deg, 6), "lat_deg": round(lat_deg, 6)}
    course = round((angle_deg + 90.0) % 360.0, 1) % 360.0
    if "sog_kn" in body:
        return bent | {"sog_kn": round(found.number_of("speed_kn"), 1), "cog_deg": course}
    return bent | {"gs_kn": round(found.number_of("speed_kn"), 1), "track_deg": course}


def _draught_change(body: Body, found: Occurrence, time_us: int, seed: int) -> Body:
    del time_us, seed
    return {**body, "draught_m": round(max(1.0, body["draught_m"] + found.number_of("delta_m")), 1)}


def _sensor_drift(body: Body, found: Occurrence, time_us: int, seed: int) -> Body:
    del seed
    channel = str(found.channel)
    grown = 1.0 + found.number_of("share_per_min") * (time_us - found.start_us) / 60e6
    return _with_channel(body, channel, round(body["channels"][channel] * grown, 3))


def _sensor_spike(body: Body, found: Occurrence, time_us: int, seed: int) -> Body:
    channel = str(found.channel)
    # the first reading always spikes: an occurrence that never shows would be a false label
    if time_us - found.start_us > 15e6 and uniform(seed, "spike", time_us) >= found.number_of("probability"):
        return body
    return _with_channel(body, channel, round(body["channels"][channel] * found.number_of("factor"), 3))


def _emergency_squawk(body: Body, found: Occurrence, time_us: int, seed: int) -> Body:
    del time_us, seed
    return {**body, "squawk": str(found.parameters["squawk"])}


def _speed_loss(body: Body, found: Occurrence, time_us: int, seed: int) -> Body:
    """The loss itself is in the trajectory (`Faults.lag`); an equal copy marks the reading as touched."""
    del found, time_us, seed
    return dict(body)


_READING: dict[str, Callable[[Body, Occurrence, int, int], Body]] = {
    "jump": _jump,
    "spoofed_circle": _spoofed_circle,
    "draught_change": _draught_change,
    "sensor_drift": _sensor_drift,
    "sensor_spike": _sensor_spike,
    "emergency_squawk": _emergency_squawk,
    "speed_loss": _speed_loss,
}


def _bend_static(body: Body, found: Occurrence) -> Body:
    if found.kind == "draught_change" and "draught_m" in body:
        return _draught_change(body, found, 0, 0)
    if found.kind == "identity_change":
        alias = str(found.parameters["alias"])
        if "mmsi" not in body:
            return {**body, "name": alias, "registration": f"T7-{alias[:3]}"}
        flag = ship_flag(alias)
        return {
            **body,
            "name": alias,
            "flag": flag.country,
            "mmsi": mmsi(alias, flag),
            "call_sign": ship_call_sign(alias, flag),
        }
    return body


def _drop(element: Element, found: Occurrence, chance: float) -> list[Element]:
    return [] if chance < found.number_of("probability") else [element]


def _dark(element: Element, found: Occurrence, chance: float) -> list[Element]:
    del element, found, chance
    return []


def _delay(element: Element, found: Occurrence, chance: float) -> list[Element]:
    del chance
    return [element._replace(send_at_us=element.send_at_us + round(found.number_of("delay_s") * 1e6))]


def _reorder(element: Element, found: Occurrence, chance: float) -> list[Element]:
    return [element._replace(send_at_us=element.send_at_us + round(chance * found.number_of("window_s") * 1e6))]


def _duplicate(element: Element, found: Occurrence, chance: float) -> list[Element]:
    return [element, element] if chance < found.number_of("probability") else [element]


def _corrupt(element: Element, found: Occurrence, chance: float) -> list[Element]:
    """Cut the payload short or turn one byte over, as a bad modem does."""
    if chance >= found.number_of("probability"):
        return [element]
    payload = bytearray(encode_json(element.body))
    bits = int(chance * 2**40)
    position = bits % len(payload)
    if bits & 1:
        return [element._replace(raw=bytes(payload[: max(1, position)]))]
    payload[position] ^= 0x80  # never ASCII, so never again valid JSON by accident
    return [element._replace(raw=bytes(payload))]


_DELIVERY: dict[str, Callable[[Element, Occurrence, float], list[Element]]] = {
    "drop": _drop,
    "dark": _dark,
    "delay": _delay,
    "reorder": _reorder,
    "duplicate": _duplicate,
    "corrupt": _corrupt,
}


def labelled(label: Label) -> dict[str, Any]:
    """A label as the object of one NDJSON line."""
    return label._asdict()
