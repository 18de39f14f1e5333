"""From decoded messages to what each part becomes: a reading of a stream, traffic, a rejection, a count. Pure.

Knows the roster; knows no table. The counts balance by construction: received = stored + duplicate + rejected + traffic, of
which `stored` and `duplicate` are told apart later, where the keys are. Static reports are counted beside it, unless rejected.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from fleet.asset_class import AnyReading, class_of
from fleet.identifiers import identifier_fault
from fleet.instants import HOUR_US
from fleet.reading import StaticReport
from fleet.shards import shard_of
from ingest.decode import Decoded, Rejection
from ingest.roster import Holding, Roster, holder_at
from ingest.watch import Clock
from ingest.wire import OPERATOR_TENANT, DeviceTopic, FeedTopic
from store.rows import CountRow, RejectionRow, StatusRow, TrafficRow

UNREGISTERED = "unregistered"
"""Origin under which what nobody owns is counted: invented names must not grow the table of counts."""

CLAIMED_BY = {"vessel": ("imo",), "aircraft": ("registration",)}
"""By which field of a static report an asset is known when its address is nobody's: the hull's number, the marks as painted."""

FEEDS_MAX = 1000  # feeds a tenant may have; chosen: beyond it a topic is being used as a data field

StreamKey = tuple[str, str, str, str, str]
"""(tenant, origin, class, scheme, value); origin is `device` or `feed:NAME`."""


class Message(msgspec.Struct, frozen=True):
    """One message with its decoding. `topic` is as the broker gave it."""

    topic: str
    decoded: Decoded
    received_us: int


class RoutedReading(msgspec.Struct, frozen=True):
    """A reading that somebody owns: its stream, its counting origin, the clock it came on and the assets it speaks of."""

    reading: AnyReading
    stream: StreamKey
    counted_as: CountKey
    received_us: int
    clock: Clock
    holders: tuple[Holding, ...]


class RoutedStatic(NamedTuple):
    """A static report that somebody owns."""

    report: StaticReport
    stream: StreamKey
    counted_as: CountKey
    received_us: int
    holders: tuple[Holding, ...]


CountKey = tuple[str, str, int]
"""(tenant, origin as counted, hour of reception)."""


class Routed(msgspec.Struct):
    """Everything one batch of messages holds, told apart; `kinds` is what traffic said of its type, by the key of `traffic`."""

    readings: list[RoutedReading] = []
    statics: list[RoutedStatic] = []
    statuses: list[StatusRow] = []
    rejections: list[RejectionRow] = []
    traffic: dict[tuple[str, str, str, str, str], TrafficRow] = {}
    kinds: dict[tuple[str, str, str, str, str], str] = {}
    counts: dict[CountKey, CountRow] = {}
    new_feeds: set[tuple[str, str]] = set()
    clocks: dict[tuple[str, str], int] = {}

    def count(self, key: CountKey) -> CountRow:
        """The count of an origin, made at first use."""
        count = self.counts.get(key)
        if count is None:
            count = self.counts[key] = CountRow(tenant=key[0], origin=key[1], hour_us=key[2])
        return count


def route(messages: list[Message], roster: Roster) -> Routed:
    """Tell apart what a batch of messages holds.

    Args:
        messages: decoded, in the order of arrival.
        roster: whose is what.

    Returns: readings with their assets, the rest as rows, and the greatest reading time of each recording's feed (`clocks`).
    Errors: never raises for any input of `decode`.
    """
    routed = Routed()
    for message in messages:
        _route_message(routed, message, roster)
    return routed


def _route_message(routed: Routed, message: Message, roster: Roster) -> None:
    decoded, topic = message.decoded, message.decoded.topic
    hour_us = message.received_us // HOUR_US * HOUR_US
    if topic is None or topic.tenant not in roster.tenants:
        tenant = tenant_named(message.topic, roster)
        opened = all(rejection.element is not None for rejection in decoded.rejections)
        reason = "unknown_tenant" if topic is not None and opened else None
        _reject_whole(routed, message, tenant, reason, (tenant, UNREGISTERED, hour_us))
        return
    tenant = topic.tenant
    if isinstance(topic, FeedTopic):
        if any(rejection.reason == "malformed_feed" for rejection in decoded.rejections):
            _reject_whole(routed, message, tenant, None, (tenant, UNREGISTERED, hour_us))
            return
        if (tenant, topic.feed) not in roster.clocks and not _admit_feed(routed, tenant, topic.feed, roster):
            _reject_whole(routed, message, tenant, "too_many_feeds", (tenant, UNREGISTERED, hour_us))
            return
        _route_feed(routed, message, topic, roster, (tenant, f"feed:{topic.feed}", hour_us))
        return
    _route_device(routed, message, topic, roster, hour_us)


def tenant_named(topic: str, roster: Roster) -> str:
    """The tenant that a topic of any form names, so that it finds its own mistakes; the operator for a stranger's."""
    parts = topic.split("/", 3)
    return parts[2] if len(parts) > 3 and parts[2] in roster.tenants else OPERATOR_TENANT


def _admit_feed(routed: Routed, tenant: str, feed: str, roster: Roster) -> bool:
    if (tenant, feed) not in routed.new_feeds:
        known = sum(name == tenant for name, _ in roster.clocks) + sum(name == tenant for name, _ in routed.new_feeds)
        if known >= FEEDS_MAX:
            return False
        routed.new_feeds.add((tenant, feed))
    return True


def _reject_whole(routed: Routed, message: Message, tenant: str, reason: str | None, counted_as: CountKey) -> None:
    """Reject a message as one piece for `reason`, or keep the decoder's own rejections when it had any."""
    count = routed.count(counted_as)
    rejections = message.decoded.rejections
    if reason is not None:
        detail = message.topic[:200]
        rejections = [Rejection(reason=reason, detail=detail, payload=message.decoded.payload)]
        count.received += 1
    else:
        count.received += message.decoded.received
    count.rejected += len(rejections)
    _keep_rejections(routed, message, tenant, rejections)


def _keep_rejections(routed: Routed, message: Message, tenant: str, rejections: list[Rejection]) -> None:
    for rejection in rejections:
        routed.rejections.append(
            RejectionRow(
                tenant=tenant,
                shard=shard_of(tenant),
                topic=message.topic.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:1000],
                element=rejection.element,
                reason=rejection.reason,
                detail=rejection.detail.replace("\x00", "\N{REPLACEMENT CHARACTER}"),
                payload=rejection.payload,
                received_us=message.received_us,
            )
        )


def _begin_count(routed: Routed, message: Message, tenant: str, counted_as: CountKey) -> CountRow:
    decoded, count = message.decoded, routed.count(counted_as)
    if decoded.status is None:
        statics = len(decoded.statics)
        count.received += decoded.received - statics
        count.static_received += statics
    count.unknown_fields += decoded.unknown_fields
    if decoded.nulled or decoded.warnings:
        for name, times in (*decoded.nulled.items(), *decoded.warnings.items()):
            count.nulled[name] = count.nulled.get(name, 0) + times
    if decoded.rejections:
        count.rejected += len(decoded.rejections)
        _keep_rejections(routed, message, tenant, decoded.rejections)
    return count


def _route_feed(routed: Routed, message: Message, topic: FeedTopic, roster: Roster, counted_as: CountKey) -> None:
    tenant, origin = topic.tenant, f"feed:{topic.feed}"
    count = _begin_count(routed, message, tenant, counted_as)
    decoded = message.decoded
    if decoded.status is not None:
        _note_status(routed, message, tenant, origin)
    recorded = (tenant, topic.feed) if roster.is_recording(tenant, topic.feed) else None
    clock: Clock = recorded or "live"
    for _, reading in decoded.readings:
        asset_class = class_of(reading)
        key = (asset_class, reading.scheme, reading.value)
        if recorded is not None:
            routed.clocks[recorded] = max(reading.time_us, routed.clocks.get(recorded, 0))
        holders = roster.holders(tenant, topic.feed, key, reading.time_us)
        if holders:
            stream = (tenant, origin, *key)
            routed.readings.append(RoutedReading(reading, stream, counted_as, message.received_us, clock, holders))
        else:
            count.traffic += 1
            _note_traffic(routed, tenant, origin, asset_class, reading)
    for _, given in decoded.statics:
        report = claimed(given, roster, tenant, topic.feed)
        key = (report.asset_class, report.scheme, report.value)
        holders = roster.holders(tenant, topic.feed, key, report.time_us)
        if holders:
            routed.statics.append(RoutedStatic(report, (tenant, origin, *key), counted_as, message.received_us, holders))
        elif isinstance(kind := report.particulars.get("type"), str):
            routed.kinds[tenant, origin, report.asset_class, report.scheme, report.value] = kind


def claimed(report: StaticReport, roster: Roster, tenant: str, feed: str) -> StaticReport:
    """A feed's static report as it is, or under the identifier of the asset that it claims to be.

    A ship under a new flag is first heard under a number that nobody registered; her static report still names her hull. It is
    then taken as said of the hull, with the number it came under among its particulars.
    """
    own = (report.asset_class, report.scheme, report.value)
    if roster.holders(tenant, feed, own, report.time_us):
        return report
    for scheme in CLAIMED_BY.get(report.asset_class, ()):
        value = report.particulars.get(scheme)
        if not isinstance(value, str) or identifier_fault(scheme, value) is not None or scheme == report.scheme:
            continue
        if roster.holders(tenant, feed, (report.asset_class, scheme, value), report.time_us):
            particulars = {report.scheme: report.value, **report.particulars}
            return msgspec.structs.replace(report, scheme=scheme, value=value, particulars=particulars)
    return report


def _route_device(routed: Routed, message: Message, topic: DeviceTopic, roster: Roster, hour_us: int) -> None:
    decoded = message.decoded
    tenant, asset_class, scheme, value = key = topic[:4]
    name = f"{scheme}:{value}"
    holdings = roster.holdings(key)
    registered = bool(holder_at(holdings, message.received_us))
    counted_as = (tenant, name if registered else UNREGISTERED, hour_us)
    count = _begin_count(routed, message, tenant, counted_as)
    if decoded.status is not None and registered:
        _note_status(routed, message, tenant, name)
    stream = (tenant, "device", asset_class, scheme, value)
    nobody: list[Rejection] = []
    for index, reading in decoded.readings:
        holders = holder_at(holdings, reading.time_us)
        if holders:
            routed.readings.append(RoutedReading(reading, stream, counted_as, message.received_us, "live", holders))
        else:
            nobody.append(_unregistered(name, index, decoded))
    for index, report in decoded.statics:
        holders = holder_at(holdings, report.time_us)
        if holders:
            routed.statics.append(RoutedStatic(report, stream, counted_as, message.received_us, holders))
        else:
            count.received += 1
            nobody.append(_unregistered(name, index, decoded))
    if nobody:
        count.rejected += len(nobody)
        _keep_rejections(routed, message, tenant, nobody)


def _unregistered(name: str, index: int, decoded: Decoded) -> Rejection:
    return Rejection(
        reason="unregistered_identifier", detail=name, payload=decoded.raw(index), element=index if decoded.received > 1 else None
    )


def _note_status(routed: Routed, message: Message, tenant: str, origin: str) -> None:
    status = message.decoded.status
    if status is not None:
        routed.statuses.append(
            StatusRow(
                tenant=tenant,
                origin=origin,
                shard=shard_of(tenant),
                online=status.online,
                received_us=message.received_us,
            )
        )


def _note_traffic(routed: Routed, tenant: str, origin: str, asset_class: str, reading: AnyReading) -> None:
    if reading.lat_deg is None or reading.lon_deg is None:
        return
    key = (tenant, origin, asset_class, reading.scheme, reading.value)
    known = routed.traffic.get(key)
    if known is None or known.time_us <= reading.time_us:
        routed.traffic[key] = TrafficRow(
            tenant=tenant,
            origin=origin,
            asset_class=asset_class,
            scheme=reading.scheme,
            value=reading.value,
            time_us=reading.time_us,
            lat_deg=reading.lat_deg,
            lon_deg=reading.lon_deg,
            speed_kn=reading.speed_kn,
        )
