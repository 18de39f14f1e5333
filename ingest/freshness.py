"""New, or a duplicate: each routed reading and static report against what is stored and what came before it in the batch.

A stream's high-water mark (greatest event time stored) tells most readings without a question: above it nothing can be a
duplicate. What lies at or below is asked for by key, in one query a batch. Marks and stream numbers are kept between batches,
but only what was committed is kept.
"""

from __future__ import annotations

import msgspec

from fleet.asset_class import class_of
from fleet.reading import Reading, StaticReport
from fleet.shards import shard_of
from ingest.ports import Transaction
from ingest.routing import Routed, RoutedReading, RoutedStatic, StreamKey
from store.identity_runs import extended
from store.readings import ReadingKey
from store.rows import IdentityRunRow, ReadingRow, StaticRow

KNOWN_STREAMS_MAX = 1_000_000  # numbers and marks kept; chosen: thirteen streams for each of 72,000 assets


class Fresh(msgspec.Struct):
    """What is new in a batch, and the marks as they will be once it is committed.

    `rows`, `statics` and `identity_runs` are to be stored; `by_asset` holds each asset's new readings, `reports` its new static
    reports; `streams`, `high` and `static_high` are numbers and marks (microseconds; -1: nothing stored) of the streams in the
    batch, `runs` the newest stretches of those with static reports.
    """

    rows: list[ReadingRow] = []
    statics: list[StaticRow] = []
    by_asset: dict[str, list[Reading]] = {}
    streams: dict[StreamKey, int] = {}
    high: dict[int, int] = {}
    static_high: dict[int, int] = {}
    reports: dict[str, list[StaticReport]] = {}
    runs: dict[int, IdentityRunRow] = {}
    identity_runs: list[IdentityRunRow] = []


class Freshness:
    """Numbers and high-water marks of the streams met so far. Bounded: beyond `KNOWN_STREAMS_MAX` it begins anew."""

    def __init__(self) -> None:
        self._streams: dict[StreamKey, int] = {}
        self._high: dict[int, int] = {}
        self._static_high: dict[int, int] = {}
        self._runs: dict[int, IdentityRunRow] = {}

    async def tell(self, tx: Transaction, routed: Routed) -> Fresh:
        """Tell what is new, and count it and the duplicates in `routed`. Nothing is kept before `keep`.

        Args:
            tx: inside the batch's transaction; streams met for the first time are made there.
            routed: the batch.
        """
        fresh = Fresh()
        await self._name_streams(tx, routed, fresh)
        await self._look_up_marks(tx, routed, fresh)
        await self._tell_readings(tx, routed, fresh)
        self._tell_statics(routed, fresh)
        await self._gather_statics(tx, fresh)
        return fresh

    def keep(self, fresh: Fresh) -> None:
        """Remember the numbers and marks of a batch that is committed now."""
        if len(self._streams) > KNOWN_STREAMS_MAX:
            self._streams.clear()
            self._high.clear()
            self._static_high.clear()
            self._runs.clear()
        self._streams |= fresh.streams
        self._high |= fresh.high
        self._static_high |= fresh.static_high
        self._runs |= fresh.runs

    async def _name_streams(self, tx: Transaction, routed: Routed, fresh: Fresh) -> None:
        wanted = {reading.stream for reading in routed.readings} | {static.stream for static in routed.statics}
        fresh.streams = {key: self._streams[key] for key in wanted if key in self._streams}
        missing = wanted - fresh.streams.keys()
        if missing:
            fresh.streams |= await tx.resolve_streams(missing)

    async def _look_up_marks(self, tx: Transaction, routed: Routed, fresh: Fresh) -> None:
        ids = {fresh.streams[reading.stream] for reading in routed.readings}
        fresh.high = {stream_id: self._high.get(stream_id, -1) for stream_id in ids}
        if unknown := ids - self._high.keys():
            fresh.high |= await tx.high_water(unknown)
        ids = {fresh.streams[static.stream] for static in routed.statics}
        fresh.static_high = {stream_id: self._static_high.get(stream_id, -1) for stream_id in ids}
        if unknown := ids - self._static_high.keys():
            fresh.static_high |= await tx.newest_statics(unknown)

    async def _tell_readings(self, tx: Transaction, routed: Routed, fresh: Fresh) -> None:
        high, streams = fresh.high, fresh.streams
        keyed = [(_key(streams[reading.stream], reading), reading) for reading in routed.readings]
        below = [key for key, _ in keyed if key[2] <= high[key[1]]]
        seen = await tx.duplicates(below) if below else set()
        for key, reading in keyed:
            count = routed.counts[reading.counted_as]
            if key in seen:
                count.duplicate += 1
                continue
            seen.add(key)
            count.stored += 1
            _take(fresh, key[1], reading)

    def _tell_statics(self, routed: Routed, fresh: Fresh) -> None:
        """A static report no newer than the last known of its stream is a duplicate: brokers retain and repeat it."""
        for static in sorted(routed.statics, key=lambda static: static.report.time_us):
            stream_id = fresh.streams[static.stream]
            if static.report.time_us <= fresh.static_high[stream_id]:
                routed.count(static.counted_as).static_duplicate += 1
                continue
            fresh.static_high[stream_id] = static.report.time_us
            fresh.statics.append(_static_row(static, stream_id))
            for holding in static.holders:
                fresh.reports.setdefault(holding.asset_id, []).append(static.report)

    async def _gather_statics(self, tx: Transaction, fresh: Fresh) -> None:
        """Stretches of reports that say the same of who somebody is, extended by the new ones."""
        ids = {row.stream_id for row in fresh.statics}
        held = {stream_id: self._runs[stream_id] for stream_id in ids if stream_id in self._runs}
        if unknown := ids - held.keys():
            held |= await tx.last_identity_runs(unknown)
        fresh.identity_runs = extended(held, fresh.statics)
        fresh.runs = {run.stream_id: run for run in fresh.identity_runs}


def _key(stream_id: int, routed: RoutedReading) -> ReadingKey:
    reading = routed.reading
    return (class_of(reading), stream_id, reading.time_us, reading.source, reading.seq)


def _take(fresh: Fresh, stream_id: int, routed: RoutedReading) -> None:
    reading, holders = routed.reading, routed.holders
    first = holders[0].asset_id if len(holders) == 1 else min(holding.asset_id for holding in holders)
    row = ReadingRow(stream_id=stream_id, shard=shard_of(first), received_us=routed.received_us, reading=reading)
    fresh.rows.append(row)
    fresh.high[stream_id] = max(fresh.high[stream_id], reading.time_us)
    for holding in holders:
        fresh.by_asset.setdefault(holding.asset_id, []).append(reading)


def _static_row(static: RoutedStatic, stream_id: int) -> StaticRow:
    first = min(holding.asset_id for holding in static.holders)
    return StaticRow(
        stream_id=stream_id,
        shard=shard_of(first),
        time_us=static.report.time_us,
        received_us=static.received_us,
        source=static.report.source,
        particulars=static.report.particulars,
    )
