"""Values for the tests of `detect`: a ship, an aircraft, contexts, and a driver with context at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from detect.drive import drive
from detect.model import ALWAYS_LISTENING, EMPTY_DOCKET, Context, Docket, Finding, Listening, SceneContext
from detect.state import AssetState
from detect.step import initial_state
from fleet.aircraft import AircraftReading
from fleet.area_index import AreaIndex
from fleet.instants import SECOND_US
from fleet.reading import Reading
from fleet.use import UseContext
from fleet.vessel import VesselReading

START_US = 1_699_999_200 * SECOND_US  # 2023-11-14T22:00:00Z, a whole hour


@dataclass
class Surroundings:
    """A context source over memory: what scenes say, when we listened, and thresholds."""

    scene: Callable[[int], SceneContext | None] = lambda _time_us: SceneContext()
    listening: Listening = ALWAYS_LISTENING
    settings: dict[str, dict[str, float]] = field(default_factory=dict)
    prior: object = None
    land: Any = None
    asked: list[int] = field(default_factory=list)
    use: Callable[[int], UseContext | None] = lambda _time_us: None
    docket: Docket = EMPTY_DOCKET
    areas: AreaIndex | None = None

    def at(self, time_us: int, scene: SceneContext | None = None) -> Context:
        """The context of an instant."""
        return Context(
            listening=self.listening,
            settings=self.settings,
            prior=self.prior,
            land=self.land,
            use=self.use(time_us),
            docket=self.docket,
            areas=self.areas,
            scene=scene,
        )

    def at_reading(self, _asset_id: str, reading: Reading) -> Context:
        return self.at(reading.time_us)

    def at_tick(self, _asset_id: str, time_us: int) -> Context:
        self.asked.append(time_us)
        return self.at(time_us, self.scene(time_us))


@dataclass
class Bench:
    """One asset on the bench: make readings at seconds from the start, run them, look at the last form of each finding."""

    start_us: int = START_US
    seq: int = 0

    def at(self, second: float) -> int:
        return self.start_us + round(second * SECOND_US)

    def ship(self, second: float, **fields: object) -> VesselReading:
        self.seq += 1
        return VesselReading(scheme="mmsi", value="244660000", time_us=self.at(second), seq=self.seq, **fields)  # type: ignore[arg-type]

    def plane(self, second: float, **fields: object) -> AircraftReading:
        self.seq += 1
        return AircraftReading(scheme="icao24", value="4840d6", time_us=self.at(second), seq=self.seq, **fields)  # type: ignore[arg-type]

    def state(self, asset_class: str = "vessel") -> AssetState:
        return initial_state("asset-1", asset_class)

    def run(
        self,
        readings: Sequence[Reading],
        until: float | None = None,
        around: Surroundings | None = None,
        state: AssetState | None = None,
    ) -> list[Finding]:
        if state is None:
            state = self.state("aircraft" if readings and isinstance(readings[0], AircraftReading) else "vessel")
        return drive(state, readings, None if until is None else self.at(until), around or Surroundings())

    def last(self, findings: Sequence[Finding], rule: str) -> list[Finding]:
        forms = {finding.id: finding for finding in findings if finding.rule == rule}
        return list(forms.values())


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def surroundings() -> type[Surroundings]:
    return Surroundings
