"""What goes between the receiver and its step processes: parts of messages, orders and reports, as MessagePack.

A message of a device goes whole to the process that steps its asset; a feed's message is split by element. What belongs to
nobody (traffic, rejections, statuses, counts of nulled fields) goes to the process that owns the tenant's shard. Nothing is
judged here and no table is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from fleet.asset_class import ASSET_CLASSES, AnyReading, class_of
from fleet.reading import StaticReport
from fleet.shards import shard_of
from ingest.decode import Decoded, Rejection, Status
from ingest.priors import Group
from ingest.roster import Roster
from ingest.routing import Message, claimed, tenant_named
from ingest.wire import DeviceTopic, FeedTopic, parse_topic


class Parcel(msgspec.Struct, array_like=True):
    """A message, or the part of it that one process takes.

    `readings` holds, by class, the elements' places in the message and, packed, the readings themselves.
    """

    topic: str
    payload: bytes
    received_us: int
    received: int
    readings: dict[str, tuple[list[int], msgspec.Raw]]
    statics: list[tuple[int, StaticReport]] = []
    online: bool | None = None
    rejections: list[Rejection] = []
    nulled: dict[str, int] = {}
    unknown_fields: int = 0
    warnings: dict[str, int] = {}


class Order(msgspec.Struct, array_like=True):
    """One round for one process: its parcels, the frontier, and what it must know of the others (`ingest.elsewhere`).

    `listening` is None where it is as it was; `contributions` are other processes' shares of priors.
    """

    parcels: list[Parcel] = []
    frontier_us: int | None = None
    listening: tuple[tuple[int, int], ...] | None = None
    clocks: list[tuple[str, str, int]] = []
    told: dict[str, int] = {}
    look_again: dict[str, int] = {}
    contributions: list[tuple[Group, bytes]] = []
    drain: bool = False


class Failure(msgspec.Struct, array_like=True):
    """Why a process cannot go on: `fenced` (with the shards), `away` (the database, beyond the bound) or `broken`."""

    kind: str
    detail: str
    shards: list[int] = []


class Report(msgspec.Struct, array_like=True):
    """What became of a round. `outcome` holds the fields of `pipeline.Outcome`, `heard` apart because its keys are pairs.

    `wake_us` is the first live tick wanted; `in_question` counts tenants whose scenes wait to be looked at; `rederived` holds the
    fields of each `Rederived` since the last report; the rest is what the others must hear of, and gauges.
    """

    outcome: dict[str, Any] = {}
    heard: list[tuple[tuple[str, str], int]] = []
    clocks: list[tuple[str, str, int]] = []
    told: dict[str, int] = {}
    earliest: dict[str, int] = {}
    contributions: list[tuple[Group, bytes]] = []
    wake_us: int | None = None
    assets: int = 0
    behind: int = 0
    in_question: int = 0
    rederived: list[dict[str, Any]] = []
    failure: Failure | None = None


_pack = msgspec.msgpack.Encoder()
_order = msgspec.msgpack.Decoder(Order)
_report = msgspec.msgpack.Decoder(Report)
_list: Any = list
_readings: dict[str, msgspec.msgpack.Decoder[list[AnyReading]]] = {
    name: msgspec.msgpack.Decoder(_list[entry.reading_type]) for name, entry in ASSET_CLASSES.items()
}


def pack(value: Order | Report) -> bytes:
    """An order or a report as bytes."""
    return _pack.encode(value)


def read_order(packed: bytes) -> Order:
    """The order in these bytes. Raises msgspec.DecodeError for others (a programmer's error)."""
    return _order.decode(packed)


def read_report(packed: bytes) -> Report:
    """The report in these bytes. Raises msgspec.DecodeError for others (a programmer's error)."""
    return _report.decode(packed)


class _Part:
    """The elements of one message that one process takes."""

    __slots__ = ("readings", "statics")

    def __init__(self) -> None:
        self.readings: dict[str, tuple[list[int], list[AnyReading]]] = {}
        self.statics: list[tuple[int, StaticReport]] = []

    def add(self, index: int, reading: AnyReading) -> None:
        name = class_of(reading)
        known = self.readings.get(name)
        if known is None:
            known = self.readings[name] = ([], [])
        known[0].append(index)
        known[1].append(reading)


def split(messages: Iterable[Message], roster: Roster, processes: int) -> list[list[Parcel]]:
    """Each process's parcels, in the order of the messages; shard s is stepped by process s modulo `processes`."""
    parcels: list[list[Parcel]] = [[] for _ in range(processes)]
    for message in messages:
        for process, parcel in _parts(message, roster, processes):
            parcels[process].append(parcel)
    return parcels


def _parts(message: Message, roster: Roster, processes: int) -> list[tuple[int, Parcel]]:
    decoded = message.decoded
    home = shard_of(tenant_named(message.topic, roster)) % processes
    if not isinstance(decoded.topic, FeedTopic):
        part = _Part()
        for index, reading in decoded.readings:
            part.add(index, reading)
        part.statics = decoded.statics
        process = _process_of_device(message, decoded.topic, roster, processes, home)
        return [(process, _parcel(message, part, decoded.received, rest=True))]
    parts: dict[int, _Part] = {home: _Part()}
    tenant, feed = decoded.topic.tenant, decoded.topic.feed
    for index, reading in decoded.readings:
        key = (class_of(reading), reading.scheme, reading.value)
        process = _process_of(roster, tenant, feed, key, reading.time_us, processes, home)
        parts.setdefault(process, _Part()).add(index, reading)
    for index, given in decoded.statics:
        report = claimed(given, roster, tenant, feed)
        key = (report.asset_class, report.scheme, report.value)
        process = _process_of(roster, tenant, feed, key, report.time_us, processes, home)
        parts.setdefault(process, _Part()).statics.append((index, report))
    away = sum(_elements(part) for process, part in parts.items() if process != home)
    parcels = [(process, _parcel(message, part, _elements(part))) for process, part in parts.items() if process != home]
    rest = decoded.received - away
    if rest or decoded.nulled or decoded.unknown_fields or decoded.warnings:
        parcels.append((home, _parcel(message, parts[home], rest, rest=True)))
    return parcels


def _elements(part: _Part) -> int:
    return sum(len(indexes) for indexes, _ in part.readings.values()) + len(part.statics)


def _process_of_device(message: Message, topic: DeviceTopic | None, roster: Roster, processes: int, home: int) -> int:
    if topic is None:
        return home
    key = (topic.asset_class, topic.scheme, topic.value)
    readings = message.decoded.readings
    at_us = readings[0][1].time_us if readings else message.received_us
    return _process_of(roster, topic.tenant, None, key, at_us, processes, home)


def _process_of(
    roster: Roster, tenant: str, feed: str | None, key: tuple[str, str, str], at_us: int, processes: int, home: int
) -> int:
    """The process of the asset that stores it: the first by id, as `ingest.freshness` has it."""
    holders = roster.holders(tenant, feed, key, at_us)
    return shard_of(min(holding.asset_id for holding in holders)) % processes if holders else home


def _parcel(message: Message, part: _Part, received: int, *, rest: bool = False) -> Parcel:
    decoded = message.decoded
    parcel = Parcel(
        topic=message.topic,
        payload=decoded.payload,
        received_us=message.received_us,
        received=received,
        readings={name: (places, msgspec.Raw(_pack.encode(readings))) for name, (places, readings) in part.readings.items()},
        statics=part.statics,
    )
    if rest:
        parcel.online = None if decoded.status is None else decoded.status.online
        parcel.rejections, parcel.unknown_fields = decoded.rejections, decoded.unknown_fields
        parcel.nulled, parcel.warnings = decoded.nulled, decoded.warnings
    return parcel


def unpacked(parcels: Sequence[Parcel]) -> list[Message]:
    """The parcels as messages, each as if it alone had been received and decoded."""
    return [_message(parcel) for parcel in parcels]


def _message(parcel: Parcel) -> Message:
    readings: list[tuple[int, AnyReading]] = []
    for name, (places, packed) in parcel.readings.items():
        readings += zip(places, _readings[name].decode(packed), strict=True)
    decoded = Decoded(
        topic=parse_topic(parcel.topic),
        payload=parcel.payload,
        received=parcel.received,
        readings=readings,
        statics=parcel.statics,
        status=None if parcel.online is None else Status(parcel.online),
        rejections=parcel.rejections,
        nulled=parcel.nulled,
        unknown_fields=parcel.unknown_fields,
        warnings=parcel.warnings,
    )
    return Message(parcel.topic, decoded, parcel.received_us)
