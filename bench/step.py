"""What detection itself costs: `detect.step` with every rule and model on, its ticks, and the scene, for 1,000 to 72,000 assets.

States are warm copies of the load's courses. Readings are stepped in the order of event time over the whole fleet, for a minute:
each asset closes one row, as one a minute does anywhere, and memory is as cold as it is in a fleet of that size. Times are of the
thread's CPU, so that a busy machine moves them little.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterator
from statistics import mean
from typing import NamedTuple

import msgspec

from bench.report import Report, Target
from bench.warm import warmed
from bench.world import PER_SECOND, TENANT, Asset, assets, course_of
from detect.checkpoint import from_checkpoint, to_checkpoint
from detect.model import Bucket, Context, Fix, SceneContext, Tick
from detect.scene import scene
from detect.scene_watch import SceneState, watch
from detect.sighting import BUCKET_US, Sighting
from detect.state import AssetState
from detect.step import step
from fleet.area import shape_of
from fleet.area_index import AreaIndex, WatchedArea
from fleet.asset_class import AnyReading
from ingest.decode import decode
from ingest.land import world_land
from ingest.places import KNOWN
from ingest.use_contexts import use_context
from ingest.wire import device_topic

FLEETS = (1_000, 10_000, 72_000)
CHANNELS_SHARE = 0.25
EVENT_S = 60  # of event time: six readings of a ship, sixty of an aircraft, one closed row of each
START_US = 1_767_225_600_000_000
CHUNK = 5_000  # readings made, then stepped: making them is not measured
SILENT_H = 78  # six hours to a ship's gap and seventy-two of asking after it
TICKED = 24  # assets that fall silent
SILENT_SHARE = 0.01  # of a fleet is silent and asked after once an hour; chosen: ships beyond receivers, and more than we saw
KIB = 1024
Said = tuple[AnyReading, ...]


class Fleet(NamedTuple):
    """States by asset, what each asset says (without its time), and the contexts of its class."""

    assets: list[Asset]
    states: list[AssetState]
    says: list[Said]
    contexts: dict[str, Context]


def measure_all(report: Report, *, quick: bool = False) -> None:
    """A reading in fleets of three sizes, a tick, a scene, a state; then a reading with its share of all of them."""
    sizes = (240, 960) if quick else FLEETS
    first_us, tick_us = 0.0, 0.0
    for size in sizes:
        fleet = _fleet(size)
        mean_us = _steps(report, fleet, first_us)
        if not first_us:
            first_us = mean_us
            tick_us, ticks = _ticks(fleet)
            report.add("a tick of a silent asset, mean", tick_us, "µs", ticks=ticks)
            _sizes(report, fleet)
        _whole(report, fleet, mean_us, tick_us)
        del fleet
        gc.collect()


def _steps(report: Report, fleet: Fleet, first_us: float) -> float:
    """What one reading costs in a fleet; returns the mean in microseconds."""
    taken = _step_all(fleet)
    ordered = sorted(taken)
    of, mean_us = f"{len(fleet.assets):,} assets", mean(taken) / 1000
    reference = (f"{FLEETS[0]:,} assets", first_us) if first_us else None
    report.add(f"step, {of}, mean", mean_us, "µs a reading", reference=reference, readings=len(taken))
    report.add(f"step, {of}, p50", ordered[len(ordered) // 2] / 1000, "µs")
    highest = Target(of="value", bound=1000, at_most=True)
    report.add(f"step, {of}, p99", ordered[len(ordered) * 99 // 100] / 1000, "µs", target=highest)
    report.add(f"step, {of}, largest", ordered[-1] / 1000, "µs")
    return mean_us


def _whole(report: Report, fleet: Fleet, mean_us: float, tick_us: float) -> None:
    """A reading with its share of buckets and of ticks, each of which asks who was heard."""
    of = f"{len(fleet.assets):,} assets"
    compare_us, ask_us = _compare(fleet), _ask(fleet)
    report.add(f"scene, {of}, a bucket", compare_us, "µs an asset")
    report.add(f"scene, {of}, asked at a tick", ask_us, "µs")
    per_bucket = BUCKET_US / 1e6 * PER_SECOND
    per_tick = 3600 * PER_SECOND / SILENT_SHARE
    whole_us = mean_us + compare_us / per_bucket + (tick_us + ask_us) / per_tick
    target = Target(of="value", bound=35, at_most=True)
    report.add(f"step with its share of ticks and scene, {of}", whole_us, "µs a reading", target=target)


def _fleet(size: int) -> Fleet:
    fleet = assets(size, CHANNELS_SHARE)
    states = []
    for asset in fleet:
        warm = warmed(asset.asset_class, asset.course, START_US, has_channels=asset.has_channels)
        state = from_checkpoint(to_checkpoint(warm.state))
        assert state is not None
        state.asset_id = f"{asset.asset_class}/{asset.scheme}:{asset.value}"
        states.append(state)
    contexts = {
        name: Context(use=use_context(name, None, START_US, {}, KNOWN), areas=AreaIndex(_areas()), land=world_land())
        for name in sorted({one.asset_class for one in fleet})
    }
    return Fleet(fleet, states, [_says(asset) for asset in fleet], contexts)


def _areas() -> list[WatchedArea]:
    """Sixty squares of a degree over the world, one in three prohibited."""
    found = []
    for number in range(60):
        lat, lon = -54.0 + number // 10 * 18.0, -180.0 + number % 10 * 36.0
        ring = [[lon, lat], [lon + 1, lat], [lon + 1, lat + 1], [lon, lat + 1], [lon, lat]]
        kind = ("prohibited", "watch", "notify")[number % 3]
        shape = shape_of({"type": "Polygon", "coordinates": [ring]})
        found.append(
            WatchedArea(id=f"area-{number}", kind=kind, name="", severity="info", issuer="bench", version="1", shape=shape)
        )
    return found


_decoded: dict[tuple[str, int, bool], Said] = {}


def _says(asset: Asset) -> Said:
    """Ten minutes of a course as readings; their times are those of the course's own start."""
    key = (asset.asset_class, asset.course, asset.has_channels)
    if key not in _decoded:
        course = course_of(asset.asset_class, asset.course)
        bodies = course.full if asset.has_channels else course.plain
        readings: list[AnyReading] = []
        topic = device_topic(TENANT, asset.asset_class, asset.scheme, asset.value)
        for number, body in enumerate(bodies):
            payload = b'{"time":%d,' % (START_US // 1000 + number) + body
            readings += [reading for _, reading in decode(topic, payload, START_US).readings]
        if len(readings) != len(bodies):
            raise RuntimeError(f"{len(bodies) - len(readings)} readings of a course were rejected")
        _decoded[key] = tuple(readings)
    return _decoded[key]


def _readings(fleet: Fleet) -> Iterator[tuple[int, AnyReading]]:
    """Which asset says what, in the order of event time over the fleet."""
    every_ms = {"vessel": 10_000, "aircraft": 1_000}
    for second in range(EVENT_S):
        due: list[tuple[int, int, int]] = []
        for asset in fleet.assets:
            every = every_ms[asset.asset_class]
            nth = -(-(second * 1000 - asset.phase_ms) // every)
            at_ms = nth * every + asset.phase_ms
            if nth >= 0 and at_ms < (second + 1) * 1000:
                due.append((at_ms, asset.number, nth))
        for at_ms, number, nth in sorted(due):
            body = fleet.says[number][nth]
            yield number, msgspec.structs.replace(body, time_us=START_US + at_ms * 1000, seq=nth)


def _step_all(fleet: Fleet) -> list[int]:
    """Nanoseconds of each reading's step."""
    taken: list[int] = []
    chunk: list[tuple[AssetState, AnyReading, Context]] = []
    for number, reading in _readings(fleet):
        chunk.append((fleet.states[number], reading, fleet.contexts[fleet.assets[number].asset_class]))
        if len(chunk) == CHUNK:
            _step_chunk(chunk, taken)
            chunk = []
    _step_chunk(chunk, taken)
    return taken


def _step_chunk(chunk: list[tuple[AssetState, AnyReading, Context]], taken: list[int]) -> None:
    clock = time.thread_time_ns
    for state, reading, context in chunk:
        began = clock()
        step(state, reading, context)
        taken.append(clock() - began)


def _ticks(fleet: Fleet) -> tuple[float, int]:
    """Microseconds of one tick, the mean over assets silent for as long as anybody asks, and how many ticks that were."""
    until_us = START_US + SILENT_H * 3_600_000_000
    spent_ns = count = 0
    for asset, warm in zip(fleet.assets[:TICKED], fleet.states, strict=False):
        state = from_checkpoint(to_checkpoint(warm))
        assert state is not None
        context = msgspec.structs.replace(fleet.contexts[asset.asset_class], scene=SceneContext(neighbours_known=5))
        while (wake_us := state.wake_at_us) is not None and wake_us < until_us:
            began = time.thread_time_ns()
            step(state, Tick(wake_us), context)
            spent_ns += time.thread_time_ns() - began
            count += 1
    return spent_ns / 1000 / max(count, 1), count


def _places(fleet: Fleet) -> list[tuple[Asset, AssetState, float, float]]:
    """Where each asset is compared, spread over the world between the latitudes where ships and aircraft are.

    Assets that share a course would lie at one point: each is moved by a stretch of its own.
    """
    found = []
    for asset, state in zip(fleet.assets, fleet.states, strict=True):
        seen = state.seen
        if seen is not None and seen.lat_deg is not None and seen.lon_deg is not None:
            lat_deg = max(-75.0, min(75.0, seen.lat_deg + asset.number * 0.6180339887 % 1.0 * 40.0 - 20.0))
            lon_deg = (seen.lon_deg + asset.number * 0.7548776662 % 1.0 * 360.0 + 180.0) % 360.0 - 180.0
            found.append((asset, state, lat_deg, lon_deg))
    return found


def _compare(fleet: Fleet) -> float:
    """Microseconds an asset of one bucket of the scene, a second bucket, so that there is something to go on from."""
    places, memory = _places(fleet), SceneState()
    spent_ns = 0
    for number in range(2):
        start_us = START_US + number * BUCKET_US
        sightings = [
            Sighting(
                asset_id=state.asset_id,
                name=f"{asset.scheme}:{asset.value}",
                asset_class=asset.asset_class,
                time_us=start_us + asset.phase_ms * 1000,
                lat_deg=lat_deg,
                lon_deg=lon_deg,
                speed_kn=None if state.seen is None else state.seen.speed_kn,
                course_deg=None if state.seen is None else state.seen.course_deg,
                degraded=False if asset.asset_class == "aircraft" else None,
                was_well=True,
            )
            for asset, state, lat_deg, lon_deg in places
        ]
        began = time.thread_time_ns()
        watch(memory, start_us, sightings)
        spent_ns = time.thread_time_ns() - began
    return spent_ns / 1000 / len(places)


def _ask(fleet: Fleet) -> float:
    """Microseconds of asking who was heard around one silent asset, among the last fixes of all: what its tick is told."""
    at_us = START_US + BUCKET_US
    fixes = [
        Fix(
            asset_id=state.asset_id,
            name=f"{asset.scheme}:{asset.value}",
            asset_class=asset.asset_class,
            origin="device",
            time_us=at_us - asset.phase_ms * 1000,
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            speed_kn=None if state.seen is None else state.seen.speed_kn,
            course_deg=None if state.seen is None else state.seen.course_deg,
        )
        for asset, state, lat_deg, lon_deg in _places(fleet)
    ]
    began = time.thread_time_ns()
    for fix in fixes[:10]:
        scene(Bucket(time_us=at_us, subjects=(fix.asset_id or "",)), fixes)
    return (time.thread_time_ns() - began) / 1000 / 10


def _sizes(report: Report, fleet: Fleet) -> None:
    """Bytes of each state after its readings, in memory and as a checkpoint."""
    held, cuts = [], []
    for state in fleet.states[:600]:
        state.take_contributions()
        state.take_facts()
        cut = to_checkpoint(state)
        cuts.append(len(cut))
        tracemalloc.start()
        again = from_checkpoint(cut)
        held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        del again
    report.add("state, mean", mean(held) / KIB, "KiB")
    report.add("state, largest", max(held) / KIB, "KiB", target=Target(of="value", bound=32, at_most=True))
    report.add("checkpoint, largest", max(cuts) / KIB, "KiB", target=Target(of="value", bound=8, at_most=True))
