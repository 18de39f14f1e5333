"""Ships for the machine: courses as readings, ports as points and areas, and what a run of the machine comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from fleet.geodesy import KN_MPS, bearing_deg, destination, distance_m
from fleet.instants import MINUTE_US, SECOND_US, from_datetime
from fleet.use import Activity, Fact, Journey, Place, UseContext
from fleet.vessel import VesselReading
from fleet.vessel_use import MACHINE, VesselLimits, VesselUse, new_state

START_US = from_datetime(datetime(2026, 5, 1, 6, tzinfo=UTC))


class Harbours:
    """Ports as points (id to lat, lon), and round areas (id, kind, lat, lon, radius in metres)."""

    def __init__(
        self, points: dict[str, tuple[float, float]], areas: Sequence[tuple[str, str, float, float, float]] = ()
    ) -> None:
        self._points, self._areas = points, areas

    def airport_near(self, lat_deg: float, lon_deg: float, within_m: float) -> Place | None:
        del lat_deg, lon_deg, within_m
        return None

    def places_near(self, lat_deg: float, lon_deg: float, time_us: int) -> Sequence[Place]:
        del time_us
        ways = [(port, distance_m(lat_deg, lon_deg, *at)) for port, at in self._points.items()]
        found = [Place(id=port, kind="port", name=port, distance_m=metres) for port, metres in ways]
        for name, kind, lat, lon, radius_m in self._areas:
            metres = max(0.0, distance_m(lat_deg, lon_deg, lat, lon) - radius_m)
            found.append(Place(id=name, kind=kind, name=name, distance_m=metres, inside=metres == 0.0))
        return [place for place in found if place.distance_m < 5000.0 or place.inside]


def reading(time_us: int, lat_deg: float, lon_deg: float, sog_kn: float | None, **other: Any) -> VesselReading:
    """One reading of the ship of these tests."""
    return VesselReading(
        scheme="imo", value="9074729", time_us=time_us, seq=0, lat_deg=lat_deg, lon_deg=lon_deg, sog_kn=sog_kn, **other,
    )  # fmt: skip


def lying(
    at: tuple[float, float], from_us: int, hours: float, every_s: float = 600, sog_kn: float = 0.0, **other: Any
) -> list[VesselReading]:
    """She stays at a place."""
    count = int(hours * 3600 / every_s)
    return [reading(from_us + round(i * every_s * SECOND_US), *at, sog_kn, **other) for i in range(count)]


def sailing(
    start: tuple[float, float], end: tuple[float, float], from_us: int, sog_kn: float, every_s: float = 600, **other: Any
) -> list[VesselReading]:
    """She sails a geodesic from one place to another at a steady speed."""
    metres = distance_m(*start, *end)
    found = []
    for i in range(int(metres / (sog_kn * KN_MPS) / every_s) + 1):
        run_m = i * every_s * sog_kn * KN_MPS
        lat_deg, lon_deg = destination(*start, bearing_deg(*start, *end), run_m)
        found.append(reading(from_us + round(i * every_s * SECOND_US), lat_deg, lon_deg, sog_kn, **other))
    return found


def after(readings: Sequence[VesselReading], minutes: float = 10) -> int:
    """The instant some minutes after the last of these readings."""
    return readings[-1].time_us + round(minutes * MINUTE_US)


def run(
    readings: Iterable[VesselReading], places: Harbours, cut_at: Sequence[int] = (), given: VesselLimits | None = None
) -> tuple[list[Fact], VesselUse]:
    """The facts of a run and the state after it; at the numbered readings the state goes through its checkpoint."""
    context = UseContext(limits=given or VesselLimits(), places=places)
    state, out = new_state(), list[Fact]()
    for index, one in enumerate(readings):
        if index in cut_at:
            state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=VesselUse)
        MACHINE.at_reading(state, one, context, out)
    return out, state


def journeys(facts: Iterable[Fact], state: VesselUse) -> list[Journey]:
    """The last form of each journey, by begin."""
    last = {(fact.kind, fact.started_us): fact for fact in (*facts, *MACHINE.standing(state)) if isinstance(fact, Journey)}
    return sorted(last.values(), key=lambda one: (one.started_us, one.kind))


def activities(facts: Iterable[Fact], state: VesselUse) -> list[Activity]:
    """Every activity, those given out and those still kept back, in order."""
    given_out = [fact for fact in facts if isinstance(fact, Activity)]
    kept = [fact for fact in MACHINE.standing(state) if isinstance(fact, Activity)]
    return [*given_out, *kept]
