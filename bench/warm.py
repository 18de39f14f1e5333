"""Detector states that have two hours of their course behind them, so that a bench meets models that score, not cold ones.

Steps each course's history through `detect` as the pipeline would, and gives every asset of the course a copy under its own name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import msgspec

from bench.world import TENANT, Asset, course_of
from detect.checkpoint import to_checkpoint
from detect.drive import drive
from detect.model import Context, SceneContext
from detect.state import AssetState
from detect.step import initial_state
from fleet.reading import Reading
from fleet.shards import shard_of
from ingest.decode import decode
from ingest.watch import Checkpoint, OrderKey, order_key
from ingest.wire import device_topic, encode_json
from store.rows import CheckpointRow

PLAIN_MINUTES = 5  # of history for an asset without channels: nothing learns from them


class Warm(msgspec.Struct, frozen=True):
    """A stepped state, the key of its last reading and the time of its first."""

    state: AssetState
    last_key: OrderKey
    born_us: int


class _Contexts:
    """Contexts of a fleet in which nothing is remarkable."""

    def at_reading(self, _asset_id: str, _reading: Reading) -> Context:
        return Context()

    def at_tick(self, _asset_id: str, _time_us: int) -> Context:
        return Context(scene=SceneContext())


@cache
def warmed(asset_class: str, number: int, start_us: int, *, has_channels: bool) -> Warm:
    """The state of a course's asset at an instant, its history behind it."""
    course = course_of(asset_class, number)
    scheme, value = ("mmsi", "200000000") if asset_class == "vessel" else ("icao24", "3c0000")
    minutes = len(course.history) if has_channels else PLAIN_MINUTES
    elements = []
    for minute in range(minutes, 0, -1):
        body = dict(course.history[-minute])
        if not has_channels:
            del body["channels"]
        elements.append({"time": start_us // 1000 - minute * 60_000, **body})
    decoded = decode(device_topic(TENANT, asset_class, scheme, value), encode_json(elements), start_us)
    readings = [reading for _, reading in decoded.readings]
    if len(readings) != minutes:
        raise RuntimeError(f"{minutes - len(readings)} readings of a course's history were rejected")
    state = initial_state("00000000-0000-0000-0000-000000000000", asset_class)
    drive(state, readings, None, _Contexts())
    state.take_contributions()
    return Warm(state, order_key(readings[-1]), readings[0].time_us)


def checkpoints_of(assets: list[Asset], ids: list[str], start_us: int) -> Iterator[CheckpointRow]:
    """The checkpoint of every asset as of an instant."""
    for asset, asset_id in zip(assets, ids, strict=True):
        warm = warmed(asset.asset_class, asset.course, start_us, has_channels=asset.has_channels)
        state, name = warm.state, f"{asset.scheme}:{asset.value}"
        state.asset_id = asset_id
        if state.seen is not None:
            state.seen = msgspec.structs.replace(state.seen, name=name)
        last_key = (warm.last_key[0], name, *warm.last_key[2:])
        cut = msgspec.msgpack.encode(Checkpoint(last_key, 0, warm.born_us, to_checkpoint(state)))
        yield CheckpointRow(
            asset_id=asset_id, shard=shard_of(asset_id), time_us=last_key[0], wake_at_us=state.wake_at_us, state=cut
        )
