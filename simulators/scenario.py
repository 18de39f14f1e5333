"""Scenarios: which fleets sail and fly, how often they report, and what goes wrong when.

Knows the TOML form and nothing of motion. Neighbours: `world` plays a scenario, `faults` its schedules.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

SCENARIOS_PATH = Path(__file__).with_name("scenarios")

FaultKind = Literal[
    "drop",
    "delay",
    "duplicate",
    "reorder",
    "corrupt",
    "dark",
    "jump",
    "spoofed_circle",
    "identity_change",
    "draught_change",
    "sensor_drift",
    "sensor_spike",
    "sensor_stuck",
    "speed_loss",
    "emergency_squawk",
]


class ScenarioError(ValueError):
    """The scenario cannot be found or its text is wrong; the message says where."""


class Cadence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds between two readings of one asset, live and in the history, and between two static messages."""

    vessel_s: float = 10.0
    aircraft_s: float = 5.0
    trainset_s: float = 10.0
    history_s: float = 60.0
    static_s: float = 360.0  # ITU-R M.1371-5: a ship sends message 5 every six minutes

    def live_s(self, asset_class: str) -> float:
        """Seconds between two live readings of an asset of a class. Raises KeyError for a class without a cadence."""
        return {"vessel": self.vessel_s, "aircraft": self.aircraft_s, "trainset": self.trainset_s}[asset_class]


class VesselPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ship: she sails `ports` (UN/LOCODE) round and round.

    At the start she is on voyage number `leg`: where that passes nearest to `near` (lat, lon), or in the berth with
    `berth_left_min` to stay, or anywhere the seed says.
    """

    tenant: str
    name: str
    type: str
    ports: list[str]
    leg: int = 0
    near: tuple[float, float] | None = None
    berth_left_min: float | None = None


class AircraftPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An aircraft: it flies `airports` (ICAO) round and round.

    At the start it is on flight number `leg`: `flown` (0..1) of the flight done, or on stand with `stand_left_min` to
    stay, or anywhere the seed says.
    """

    tenant: str
    name: str
    type: str
    airports: list[str]
    leg: int = 0
    flown: float | None = None
    stand_left_min: float | None = None


class TrainsetPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trainset: it runs `line` out and back through the day, and is stabled at night."""

    tenant: str
    name: str
    type: str
    line: str


class FaultPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault and its schedule: occurrence n begins `start_s` + n × `every_s` after the world's start.

    It takes the next of `assets` (plan names) in turn; with `under_way` the first of them, in turn, that is under way
    then, and none if none is. `parameters` are the kind's own (see `faults`).
    """

    kind: FaultKind
    assets: list[str]
    start_s: float
    duration_s: float
    every_s: float | None = None
    channel: str | None = None
    under_way: bool = True
    parameters: dict[str, float | str] = {}


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A world to play. `history_h` hours before the start are produced first; `duration_h` is how long a recording is."""

    name: str
    seed: int
    tenants: list[str]
    history_h: float = 0.0
    duration_h: float = 1.0
    cadence: Cadence = Cadence()
    vessels: list[VesselPlan] = []
    aircraft: list[AircraftPlan] = []
    trainsets: list[TrainsetPlan] = []
    faults: list[FaultPlan] = []


def load_scenario(path_or_name: str | Path) -> Scenario:
    """Read a scenario: a path, or the name of one in `simulators/scenarios` (`demo`, `small`, `clean`, `rail`).

    Errors: ScenarioError when there is no such file, the TOML is bad, a field is unknown or a name does not resolve.
    """
    path = Path(path_or_name)
    if not path.suffix:
        path = SCENARIOS_PATH / f"{path_or_name}.toml"
    try:
        scenario = msgspec.toml.decode(path.read_bytes(), type=Scenario)
    except OSError as error:
        raise ScenarioError(f"no scenario at {path}: {error.strerror}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise ScenarioError(f"{path}: {error}") from error
    _check(scenario, path)
    return scenario


def _check(scenario: Scenario, path: Path) -> None:
    plans: list[VesselPlan | AircraftPlan | TrainsetPlan] = [*scenario.vessels, *scenario.aircraft, *scenario.trainsets]
    names = [plan.name for plan in plans]
    if len(set(names)) != len(names):
        raise ScenarioError(f"{path}: two assets share a name")
    if stray := {plan.tenant for plan in plans} - set(scenario.tenants):
        raise ScenarioError(f"{path}: tenants not listed: {sorted(stray)}")
    for fault in scenario.faults:
        unknown = set(fault.assets) - set(names)
        if unknown or not fault.assets:
            raise ScenarioError(f"{path}: fault {fault.kind} names no asset of the scenario: {sorted(unknown)}")
        if fault.every_s is not None and fault.every_s * len(fault.assets) < fault.duration_s:
            raise ScenarioError(f"{path}: fault {fault.kind} would overlap itself on one asset")
