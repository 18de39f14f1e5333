"""The words on the wire: topics, limits and how an element is written.

What a device may say is a topic and a payload; this module knows both forms and nothing about what they mean. It imports no
other room, so that simulators can speak it without sharing code with the detectors (their bugs would cancel out).
Reading the words back is `ingest.decode`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

PREFIX = "keelwing/v1"
ELEMENTS_MAX = 1000  # readings in one message, design contract
MESSAGE_BYTES_MAX = 256 * 1024  # design contract; a larger message is one rejection
TOPICS_KEPT_MAX = 100_000  # topics whose reading is remembered; chosen: the world's ships and aircraft in the air, some 40 MB
OPERATOR_TENANT = "_"  # a feed there is stored once and granted to tenants
ASSET_CLASSES = ("vessel", "aircraft", "trainset")
SCHEMES = ("imo", "mmsi", "callsign", "msn", "icao24", "registration", "evn", "local")

StreamKind = Literal["telemetry", "static", "status", "backfill"]
Record = Mapping[str, Any]
"""One line of an NDJSON recording: the reading object plus `class`, `scheme`, `value` and `stream` (`telemetry` or `static`)."""

_json = msgspec.json.Encoder()
_msgpack = msgspec.msgpack.Encoder()


class DeviceTopic(NamedTuple):
    """Topic of one identifier: a device speaks for one asset. All parts are text, `kind` is one of four streams."""

    tenant: str
    asset_class: str
    scheme: str
    value: str
    kind: StreamKind


class FeedTopic(NamedTuple):
    """Topic of a feed: many assets in one message, each element names its own."""

    tenant: str
    feed: str
    kind: StreamKind


def device_topic(tenant: str, asset_class: str, scheme: str, value: str, kind: StreamKind = "telemetry") -> str:
    """Write a device's topic. Parts must hold no `/`, `+` or `#`; they are written as they are."""
    tail = "telemetry/backfill" if kind == "backfill" else kind
    return f"{PREFIX}/{tenant}/{asset_class}/{scheme}/{value}/{tail}"


def feed_topic(tenant: str, feed: str, kind: Literal["telemetry", "static", "status"] = "telemetry") -> str:
    """Write a feed's topic; a feed has no backfill, because its readings carry their own times and lateness is normal there."""
    return f"{PREFIX}/{tenant}/feed/{feed}/{kind}"


@lru_cache(TOPICS_KEPT_MAX)
def parse_topic(topic: str) -> DeviceTopic | FeedTopic | None:
    """Read a topic back; None when it has none of the forms of the contract. Never raises."""
    parts = topic.split("/")
    if parts[:2] != PREFIX.split("/") or not all(parts):
        return None
    kind = _kind(parts)
    if kind is None:
        return None
    rest = parts[2:-2] if kind == "backfill" else parts[2:-1]
    if len(rest) == 3 and rest[1] == "feed" and kind != "backfill":
        return FeedTopic(rest[0], rest[2], kind)
    if len(rest) == 4 and rest[1] != "feed":
        return DeviceTopic(rest[0], rest[1], rest[2], rest[3], kind)
    return None


def _kind(parts: list[str]) -> StreamKind | None:
    if parts[-2:] == ["telemetry", "backfill"]:
        return "backfill"
    if parts[-1] == "telemetry":
        return "telemetry"
    if parts[-1] == "static":
        return "static"
    if parts[-1] == "status":
        return "status"
    return None


def encode_json(elements: Iterable[Record] | Record) -> bytes:
    """Write one element (an object) or several (an array) as JSON."""
    return _json.encode(elements if isinstance(elements, Mapping) else list(elements))


def encode_msgpack(elements: Iterable[Record] | Record) -> bytes:
    """Write one element or several as MessagePack; a map or an array in its first byte tells it from JSON."""
    return _msgpack.encode(elements if isinstance(elements, Mapping) else list(elements))
