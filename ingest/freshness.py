"""New, or a duplicate: each routed reading and static report against what is stored and what came before it in the batch.

A stream's high-water mark (greatest event time stored) tells most readings without a question: above it nothing can be a
duplicate. What lies at or below is asked for by key, in one query a batch. Marks and stream numbers are kept between batches,
but only what was committed is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from fleet.asset_class import class_of
from fleet.reading import Reading, StaticReport
from fleet.shards import shard_of
from ingest.ports import Transaction
from ingest.routing import Routed, RoutedReading, RoutedStatic, StreamKey
from ingest.watch import Clock
from store.identity_runs import extended
from store.readings import ReadingKey
from store.rows import IdentityRunRow, ReadingRow, StaticRow

KNOWN_STREAMS_MAX = 1_000_000  # numbers and marks kept; chosen: thirteen streams for each of 72,000 assets


class Fresh(msgspec.Struct):
    """What is new in a batch, and the marks as they will be once it is committed.

    `rows`, `statics` and `identity_runs` are to be stored; `by_asset` holds each asset's new readings, `clocks` the clock of
    whoever spoke last of it, `reports` its new static reports; `streams` are numbers of streams met for the first time; `high`
    and `static_high` are the marks (microseconds; -1: nothing stored) of the streams in the batch, `runs` the newest stretches of
    those with static reports.
    """

    rows: list[ReadingRow] = []
    statics: list[StaticRow] = []
    by_asset: dict[str, list[Reading]] = {}
    clocks: dict[str, Clock] = {}
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
        await self._tell_readings(tx, routed, fresh)
        await self._tell_statics(tx, routed, fresh)
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

    async def _numbers(self, tx: Transaction, streams: Sequence[StreamKey], fresh: Fresh) -> list[int]:
        """The number of each stream, in their order; those met for the first time are made, and noted in `fresh`."""
        known = self._streams
        missing = {stream for stream in streams if stream not in known and stream not in fresh.streams}
        if missing:
            fresh.streams |= await tx.resolve_streams(missing)
        return [known[stream] if stream in known else fresh.streams[stream] for stream in streams]

    async def _tell_readings(self, tx: Transaction, routed: Routed, fresh: Fresh) -> None:
        """A reading above its stream's mark is new, and needs no key where it is the only one of its stream."""
        ids = await self._numbers(tx, [one.stream for one in routed.readings], fresh)
        times = Counter(ids)
        high = fresh.high = {stream_id: self._high.get(stream_id, -1) for stream_id in times}
        if unknown := times.keys() - self._high.keys():
            high |= await tx.high_water(unknown)
        numbered = list(zip(ids, routed.readings, strict=True))
        below = [_key(stream_id, one) for stream_id, one in numbered if one.reading.time_us <= high[stream_id]]
        seen = await tx.duplicates(below) if below else set()
        for stream_id, one in numbered:
            count = routed.counts[one.counted_as]
            if times[stream_id] > 1 or one.reading.time_us <= high[stream_id]:
                key = _key(stream_id, one)
                if key in seen:
                    count.duplicate += 1
                    continue
                seen.add(key)
            count.stored += 1
            _take(fresh, stream_id, one)

    async def _tell_statics(self, tx: Transaction, routed: Routed, fresh: Fresh) -> None:
        """A static report no newer than the last known of its stream is a duplicate: brokers retain and repeat it."""
        if not routed.statics:
            return
        statics = sorted(routed.statics, key=lambda static: static.report.time_us)
        ids = await self._numbers(tx, [static.stream for static in statics], fresh)
        fresh.static_high = {stream_id: self._static_high.get(stream_id, -1) for stream_id in ids}
        if unknown := fresh.static_high.keys() - self._static_high.keys():
            fresh.static_high |= await tx.newest_statics(unknown)
        for stream_id, static in zip(ids, statics, strict=True):
            if static.report.time_us <= fresh.static_high[stream_id]:
                routed.count(static.counted_as).static_duplicate += 1
                continue
            fresh.static_high[stream_id] = static.report.time_us
            fresh.statics.append(_static_row(static, stream_id))
            for holding in static.holders:
                fresh.reports.setdefault(holding.asset_id, []).append(static.report)

    async def _gather_statics(self, tx: Transaction, fresh: Fresh) -> None:
        """Stretches of reports that say the same of who somebody is, extended by the new ones."""
        if not fresh.statics:
            return
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
        asset_id = holding.asset_id
        given = fresh.by_asset.get(asset_id)
        if given is None:
            fresh.by_asset[asset_id] = [reading]
        else:
            given.append(reading)
        fresh.clocks[asset_id] = routed.clock


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
