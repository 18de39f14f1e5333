"""What simulated ships and aircraft say, as JSON bytes without their time, so that any number of assets can say it at any time.

A course is ten minutes of one simulated asset after hours of its past. Assets share courses: asset number i sails course
i mod N, a moment later than the one before it. Cadence and mix are the world's (a ship every 10 s, an airborne aircraft every
second, five ships to one aircraft), so that a thousand readings cost what a thousand real ones do. Knows `simulators`.
"""

from __future__ import annotations

from functools import cache
from itertools import count
from typing import NamedTuple

import msgspec

from simulators.aircraft import Aircraft
from simulators.element import Body, Simulated
from simulators.lanes import voyages_sailed
from simulators.scenario import AircraftPlan, VesselPlan
from simulators.vessel import Vessel

TENANT = "bench"
EPOCH_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z; bodies carry no time, so any will do
SPAN_S = 600  # of a course; aircraft that say nothing for longer are silent
HISTORY_MIN = 130  # one reading a minute: more rows than the 120 after which a baseline counts as sure
EVERY_MS = {"vessel": 10_000, "aircraft": 1_000}
CLASSES = ("vessel",) * 5 + ("aircraft",)
PER_SECOND = sum(1000 / EVERY_MS[name] for name in CLASSES) / len(CLASSES)
"""Readings a second of one asset of the mix: a quarter."""
SHIP_TYPES = ("container", "bulk_carrier", "tanker", "product_tanker", "general_cargo", "ro_ro")
AIRCRAFT_TYPES = ("A320", "B738", "A21N", "E190", "A333", "B77W", "B789", "A359")
AIRPORTS = ("EGLL", "WSSS", "ESSA", "LTFM", "KJFK", "RJTT", "OMDB", "SBGR")
SHIPS, AIRCRAFT = 120, 48


class Course(NamedTuple):
    """Ten minutes of one asset: element `n` is said `n` × cadence after the start; bytes from after `{"time":…,` to the end.

    `plain` is without channels, `full` with them; `history` are bodies of the minutes before the start, oldest first.
    """

    asset_class: str
    asset_type: str
    plain: list[bytes]
    full: list[bytes]
    history: list[Body]


class Asset(NamedTuple):
    """One registered asset of the load: number, names, whose course it sails and how many milliseconds after it."""

    number: int
    asset_class: str
    scheme: str
    value: str
    course: int
    phase_ms: int
    has_channels: bool


@cache
def course_of(asset_class: str, number: int) -> Course:
    """Course `number` of a class: of the first simulated asset from there on that is under way at its start and its end."""
    for other in count(number, step=1000):
        thing, kind = _ship(other) if asset_class == "vessel" else _aircraft(other)
        if thing.under_way(EPOCH_US) and thing.under_way(EPOCH_US + SPAN_S * 1_000_000):
            return _course(thing, asset_class, kind)
    raise AssertionError("counting has no end")


def _ship(number: int) -> tuple[Simulated, str]:
    voyages = voyages_sailed()
    kind = SHIP_TYPES[number % len(SHIP_TYPES)]
    plan = VesselPlan(tenant=TENANT, name=f"SHIP {number}", type=kind, ports=list(voyages[number % len(voyages)]))
    return Vessel(plan, seed=1, start_us=EPOCH_US), kind


def _aircraft(number: int) -> tuple[Simulated, str]:
    kind = AIRCRAFT_TYPES[number % len(AIRCRAFT_TYPES)]
    origin = number % len(AIRPORTS)
    destination = (origin + 1 + number // len(AIRPORTS) % (len(AIRPORTS) - 1)) % len(AIRPORTS)
    flown = 0.3 + 0.5 * (number * 0.618 % 1.0)  # hours of flight behind it and before it
    plan = AircraftPlan(
        tenant=TENANT, name=f"AIRCRAFT {number}", type=kind, airports=[AIRPORTS[origin], AIRPORTS[destination]], flown=flown
    )
    return Aircraft(plan, seed=1, start_us=EPOCH_US), kind


def _course(thing: Simulated, asset_class: str, kind: str) -> Course:
    every_us = EVERY_MS[asset_class] * 1000
    bodies = [thing.reading(EPOCH_US + n * every_us) for n in range(SPAN_S * 1_000_000 // every_us + 1)]
    history = [thing.reading(EPOCH_US - minute * 60_000_000) for minute in range(HISTORY_MIN, 0, -1)]
    return Course(
        asset_class,
        kind,
        [_tail(body, with_channels=False) for body in bodies],
        [_tail(body, with_channels=True) for body in bodies],
        [{name: value for name, value in body.items() if name != "time"} for body in history],
    )


def _tail(body: Body, *, with_channels: bool) -> bytes:
    """A reading's JSON after its time."""
    left_out = {"time"} if with_channels else {"time", "channels"}
    return msgspec.json.encode({name: value for name, value in body.items() if name not in left_out})[1:]


def assets(wanted: int, channels_share: float) -> list[Asset]:
    """The first `wanted` assets of the load, `channels_share` (0..1) of them with channels."""
    made: list[Asset] = []
    seen = dict.fromkeys(EVERY_MS, 0)
    for number in range(wanted):
        asset_class = CLASSES[number % len(CLASSES)]
        among = seen[asset_class]
        seen[asset_class] += 1
        has_channels = int((among + 1) * channels_share) > int(among * channels_share)
        ship = asset_class == "vessel"
        scheme, value = ("mmsi", f"{200_000_000 + number}") if ship else ("icao24", f"{0x3C0000 + number:06x}")
        # the golden ratio spreads any number of assets evenly over the cadence
        phase_ms = int(among * 0.6180339887498949 % 1.0 * EVERY_MS[asset_class])
        made.append(Asset(number, asset_class, scheme, value, among % (SHIPS if ship else AIRCRAFT), phase_ms, has_channels))
    return made
