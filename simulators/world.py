"""A world: every simulated asset of a scenario, and what their devices send, as a function of time alone.

Asked for the same span twice it says the same; asked for two adjoining spans it says what it would for both at once. It reads
no clock. Neighbours: `scenario`, `vessel`, `aircraft`, `trainset`, `faults` below; `publish`, `record` and `run` above.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal

from simulators.aircraft import Aircraft
from simulators.element import Element, Simulated, SimulatedAsset, unix_us
from simulators.faults import Faults, Label
from simulators.motion import hash64, uniform
from simulators.rounds import Round
from simulators.scenario import Scenario, ScenarioError
from simulators.trainset import Trainset
from simulators.vessel import Vessel

HISTORY_STATIC_EVERY = 5  # chosen: static messages in the history are five times rarer than live


class World:
    """A scenario under a seed. `start` is when live cadence begins; the history lies before it."""

    def __init__(self, scenario: Scenario, *, seed: int, start: datetime) -> None:
        """Lay out every asset's round.

        Errors: ScenarioError when a port, airport or type is unknown, a hop too short, two assets share a number, or a
        fault makes no sense.
        """
        self.scenario, self.seed, self.start = scenario, seed, start
        self._start_us = unix_us(start)
        things: list[Simulated] = []
        try:
            things += [Vessel(plan, seed=seed, start_us=self._start_us) for plan in scenario.vessels]
            things += [Aircraft(plan, seed=seed, start_us=self._start_us) for plan in scenario.aircraft]
            things += [Trainset(plan, seed=seed, start_us=self._start_us) for plan in scenario.trainsets]
        except (KeyError, ValueError) as error:
            raise ScenarioError(f"scenario {scenario.name}: {error}") from error
        self._things = things
        self._check_numbers()
        fleet = {thing.asset.plan: thing for thing in things}
        self._faults = Faults(scenario.faults, fleet, seed=seed, start_us=self._start_us)
        self._history_us = round(scenario.history_h * 3600e6)

    def _check_numbers(self) -> None:
        seen: dict[tuple[str, str], str] = {}
        for thing in self._things:
            for number in thing.asset.identifiers.items():
                if (other := seen.setdefault(number, thing.asset.plan)) != thing.asset.plan:
                    raise ScenarioError(f"{other} and {thing.asset.plan} share {number[0]} {number[1]}: rename one")

    def assets(self) -> list[SimulatedAsset]:
        """Every asset, in the scenario's order."""
        return [thing.asset for thing in self._things]

    def rounds(self) -> dict[str, Round]:
        """What ships and aircraft do again and again, by plan name: for histories too long to be told reading by reading."""
        return {thing.asset.plan: thing.round() for thing in self._things if isinstance(thing, Vessel | Aircraft)}

    def elements(self, start: datetime, end: datetime, on_label: Callable[[Label], None] | None = None) -> Iterator[Element]:
        """What devices send in [start, end), in order of sending; `on_label` is told the truth about each fault met.

        A reading held back by a fault counts where it is sent. Spans adjoin: elements(a, b) then elements(b, c) equal
        elements(a, c).
        """
        start_us, end_us = unix_us(start), unix_us(end)
        held_us = round(self._faults.hold_max_s * 1e6)
        waiting: list[tuple[int, int, int, Element]] = []
        count = 0
        for element in self._faults.over(self._true(start_us - held_us, end_us), on_label):
            while waiting and waiting[0][0] < element.time_us:
                yield heapq.heappop(waiting)[3]
            if start_us <= element.send_at_us < end_us:
                count += 1
                heapq.heappush(waiting, (element.send_at_us, element.time_us, count, element))
        while waiting:
            yield heapq.heappop(waiting)[3]

    def _true(self, start_us: int, end_us: int) -> Iterator[Element]:
        """Elements as measured, in order of time."""
        streams = [self._instants(i, start_us, end_us) for i in range(len(self._things))]
        for time_us, index, static in heapq.merge(*streams):
            thing = self._things[index]
            asset = thing.asset
            lag = self._faults.lag(asset.plan, time_us)
            body = thing.static(time_us, lag) if static else thing.reading(time_us, lag)
            kind: Literal["static", "telemetry"] = "static" if static else "telemetry"
            yield Element(asset.tenant, asset.asset_class, asset.scheme, asset.value, kind, time_us, body, time_us)

    def _instants(self, index: int, start_us: int, end_us: int) -> Iterator[tuple[int, int, bool]]:
        """When one asset speaks: its telemetry and its static messages, merged."""
        asset = self._things[index].asset
        cadence = self.scenario.cadence
        live_s = cadence.live_s(asset.asset_class)
        phase = uniform(hash64(self.seed, "phase"), asset.value)
        telemetry = self._grid(start_us, end_us, live_s, cadence.history_s, phase)
        static = self._grid(start_us, end_us, cadence.static_s, cadence.static_s * HISTORY_STATIC_EVERY, phase)
        first_us = self._start_us - self._history_us  # every device introduces itself when the world begins
        introduction = [first_us] if start_us <= first_us < end_us else []
        return heapq.merge(
            ((t, index, True) for t in introduction),
            ((t, index, False) for t in telemetry),
            ((t, index, True) for t in static if t != first_us),
        )

    def _grid(self, start_us: int, end_us: int, live_s: float, history_s: float, phase: float) -> Iterator[int]:
        """Instants in [start, end): every history_s before the world's start, every live_s from then on."""
        for begin_us, stop_us, period_s in (
            (start_us, min(end_us, self._start_us), history_s),
            (max(start_us, self._start_us), end_us, live_s),
        ):
            period_us = round(period_s * 1e6)
            zero_us = self._start_us + round(phase * min(live_s, history_s) * 1e3) * 1000
            k = math.ceil((begin_us - zero_us) / period_us)
            time_us = zero_us + k * period_us
            while time_us < stop_us:
                yield time_us
                time_us += period_us
