"""The store's tables in memory, and every word of a transaction over them, as PostgreSQL answers it.

A transaction sees what is committed and what it wrote itself; nothing of it is seen by others before `commit`. That these words
and those of `store.transaction` say the same is tested by asking both (`test_memory_store.py`).
"""

# ruff: noqa: ARG002  the words take what the port gives them
from __future__ import annotations

import json
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec
from psycopg import errors

from fleet.asset_class import ASSET_CLASSES, AnyReading
from fleet.instants import DAY_US, HOUR_US
from fleet.reading import StaticReport
from fleet.shards import SHARDS, commit_no, shard_of
from fleet.use import Activity, Journey
from store.alerts import StaleAlert
from store.batches import Written
from store.budgets import Fleet
from store.checkpoints import EARLIEST_US, LATEST_US, Checkpoint
from store.clocks import RecordingClock
from store.commits import Fenced, Ownership
from store.desk import PendingReplay
from store.dirty import WAIT_MAX_US, Dirty
from store.findings import FindingRevision, same
from store.identity_runs import reports_in
from store.incidents import IncidentRevision
from store.priors import KEPT_DAYS
from store.pruning import Limits
from store.readings import CanonicalKey, Fix, ReadingKey, StoredReading, key_of
from store.registry import Registry, StreamKey
from store.rows import (
    AlertChangeRow,
    AlertRow,
    BudgetRow,
    CheckpointRow,
    ContributionRow,
    CountRow,
    DirtyRow,
    EventRow,
    FindingRow,
    IdentityRunRow,
    LiveRow,
    MemberRow,
    NoticeRow,
    ReadingRow,
    SceneRow,
    SightingRow,
    StepBatch,
    Stretch,
    UseRow,
)
from store.traffic import TrafficFix
from store.uses import StoredJourney, UseCheckpoint, id_of, revised
from store.uses import key_of as use_key_of
from store.uses import same as says_the_same

WAITING = {"held", "over_budget"}
ACTIVE = {"open", "acknowledged"}
SPAN_US = 6 * HOUR_US
POSTGRES_EPOCH_US = 946_684_800_000_000
UNSTORABLE_SOURCE = "unstorable"  # a reading of this source is refused, as a value that no column takes
Key = Any
NEVER_US = 1 << 62  # stands for infinity
GONE = object()


class Tables:
    """What is committed. `readings` has an index by stream, in order of time; everything else is a dictionary by key."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.named: dict[str, dict[Key, Any]] = {"feed": dict(registry.feeds)}
        self.by_stream: dict[int, list[tuple[tuple[int, str, int], StoredReading]]] = {}
        self.owners = dict.fromkeys(range(SHARDS), (0, 0))
        self.epochs = 0

    def table(self, name: str) -> dict[Key, Any]:
        return self.named.setdefault(name, {})


class Words:
    """One transaction's view of the tables, and its words."""

    def __init__(self, tables: Tables, now_us: int) -> None:
        self._tables = tables
        self._own: dict[str, dict[Key, Any]] = {}
        self._log: list[tuple[str, Key, Any]] = []
        self._new: dict[int, list[tuple[tuple[int, str, int], StoredReading]]] = {}
        self._owners: dict[int, tuple[int, int]] = {}
        self.now_us = now_us
        self.counted: list[CountRow] = []

    # -- rows

    def _rows(self, name: str) -> dict[Key, Any]:
        own = self._own.get(name)
        return self._tables.table(name) if own is None else own

    def _put(self, name: str, key: Key, row: Any) -> None:
        own = self._own.get(name)
        if own is None:
            own = self._own[name] = dict(self._tables.table(name))
        self._log.append((name, key, row))
        if row is GONE:
            own.pop(key, None)
        else:
            own[key] = row

    @property
    def has_written(self) -> bool:
        """Whether a commit would change anything."""
        return bool(self._log or self._owners)

    def commit(self) -> None:
        """Make everything of this transaction seen, at once."""
        for name, key, row in self._log:
            table = self._tables.table(name)
            if row is GONE:
                table.pop(key, None)
            else:
                table[key] = row
        for stream_id, rows in self._new.items():
            for row in rows:
                insort(self._tables.by_stream.setdefault(stream_id, []), row, key=lambda held: held[0])
        self._tables.owners |= self._owners

    # -- numbers and fences

    def claim(self, shards: Iterable[int], owner: str) -> Ownership:
        wanted = sorted(set(shards))
        self._tables.epochs += 1  # a sequence: what was taken is taken, committed or not
        self._owners |= {shard: (self._tables.epochs, self._tables.owners[shard][1]) for shard in wanted}
        return Ownership(epoch=self._tables.epochs, shards=frozenset(wanted))

    def begin(self, ownership: Ownership, shards: Iterable[int], attempt: int) -> dict[int, int]:
        wanted, numbers = sorted(set(shards)), dict[int, int]()
        for shard in wanted:
            epoch, n = self._owners.get(shard, self._tables.owners[shard])
            if epoch == ownership.epoch:
                self._owners[shard] = (epoch, n + 1)
                numbers[shard] = commit_no(shard, n + 1)
                self._put("commit", numbers[shard], (shard, epoch, n + 1, attempt))
        if len(numbers) != len(wanted):
            raise Fenced(set(wanted) - set(numbers))
        return numbers

    def is_committed(self, commit_nos: Collection[int], attempt: int) -> bool:
        held = [self._rows("commit").get(number) for number in set(commit_nos)]
        return sum(1 for one in held if one is not None and one[3] == attempt) == len(commit_nos)

    def write(self, batch: StepBatch, commit_nos: Mapping[int, int]) -> Written:
        inserted = self._insert_readings(batch.readings, commit_nos)
        for static in batch.statics:
            key = (static.stream_id, static.time_us, static.source, json.dumps(static.particulars, sort_keys=True))
            if key not in self._rows("static"):
                self._put("static", key, static)
        for run in batch.identity_runs:
            self._put("identity_run", (run.stream_id, run.first_us), run)
        for status in batch.statuses:
            self._put("status", len(self._rows("status")) + 1, status)
        for rejection in batch.rejections:
            self._put("rejection", len(self._rows("rejection")) + 1, rejection)
        for seen in batch.traffic:
            name = (seen.tenant, seen.origin, seen.asset_class, seen.scheme, seen.value)
            held = self._rows("traffic").get(name)
            if held is None or _traffic_order(seen) > _traffic_order(held):
                kind = seen.kind or (None if held is None else held.kind)
                self._put("traffic", name, msgspec.structs.replace(seen, kind=kind))
        self._count(batch.counts)
        revisions = self._write_findings(batch.findings, commit_nos)
        self._mark(batch.dirty)
        self._write_checkpoints(batch.checkpoints)
        self._write_contributions(batch.contributions)
        self._write_uses(batch)
        return Written(inserted, revisions)

    # -- the registry and its streams

    def registry_version(self) -> int:
        return self._tables.registry.version + int(self._rows("version").get("bumps", 0))

    def load_registry(self) -> Registry:
        return msgspec.structs.replace(self._tables.registry, version=self.registry_version(), feeds=dict(self._rows("feed")))

    def set_feed(self, tenant: str, feed: str, clock: Any) -> None:
        self._put("feed", (tenant, feed), clock)
        self._put("version", "bumps", self._rows("version").get("bumps", 0) + 1)

    def resolve_streams(self, wanted: Collection[StreamKey]) -> dict[StreamKey, int]:
        for key in sorted(set(wanted) - self._rows("stream").keys()):
            stream_id = len(self._rows("stream")) + 1
            self._put("stream", key, stream_id)
            self._put("stream_key", stream_id, key)
            tenant, _, asset_class, scheme, value = key
            for entry in self._tables.registry.identifiers:
                if (entry.tenant, entry.asset_class, entry.scheme, entry.value) == (tenant, asset_class, scheme, value):
                    streams = self._rows("attributed").get(entry.asset_id, ())
                    self._put("attributed", entry.asset_id, (*streams, stream_id))
        return {key: self._rows("stream")[key] for key in set(wanted)}

    def _streams_of(self, asset_id: str) -> tuple[int, ...]:
        return cast("tuple[int, ...]", self._rows("attributed").get(asset_id, ()))

    def _feed_of(self, stream_id: int) -> RecordingClock | None:
        """The recording that carries a stream, None for a live one."""
        tenant, origin, *_ = self._rows("stream_key")[stream_id]
        feed = (tenant, origin.removeprefix("feed:"))
        return feed if origin.startswith("feed:") and self._rows("feed").get(feed) == "recording" else None

    # -- the log of readings

    def _insert_readings(self, rows: Sequence[ReadingRow], commit_nos: Mapping[int, int]) -> list[ReadingRow]:
        first: dict[ReadingKey, ReadingRow] = {}
        for row in rows:
            first.setdefault(key_of(row), row)
        inserted: list[ReadingRow] = []
        for asset_class in ASSET_CLASSES:
            for key, row in first.items():
                if key[0] == asset_class and key not in self._rows("reading"):
                    self._insert_reading(key, row, commit_nos[row.shard])
                    inserted.append(row)
        return inserted

    def _insert_reading(self, key: ReadingKey, row: ReadingRow, number: int) -> None:
        reading = cast("AnyReading", row.reading)
        if reading.source == UNSTORABLE_SOURCE:
            raise errors.NumericValueOutOfRange("value out of range")
        stored = StoredReading(row.stream_id, reading, row.received_us, number)
        self._put("reading", key, stored)
        insort(self._new.setdefault(row.stream_id, []), ((key[2], key[3], key[4]), stored), key=lambda held: held[0])
        self._put("high", row.stream_id, max(reading.time_us, self._rows("high").get(row.stream_id, reading.time_us)))
        hour = (row.stream_id, reading.time_us // HOUR_US * HOUR_US)
        self._put("hour", hour, raised(self._rows("hour").get(hour), reading))

    def _in_order(self, stream_id: int) -> Iterator[list[tuple[tuple[int, str, int], StoredReading]]]:
        for held in (self._tables.by_stream.get(stream_id), self._new.get(stream_id)):
            if held:
                yield held

    def high_water(self, stream_ids: Collection[int]) -> dict[int, int]:
        high = self._rows("high")
        return {stream_id: high[stream_id] for stream_id in stream_ids if stream_id in high}

    def duplicates(self, keys: Collection[ReadingKey]) -> set[ReadingKey]:
        return {key for key in keys if key in self._rows("reading")}

    def readings_of(
        self,
        asset_id: str,
        asset_class: str,
        from_us: int,
        to_us: int,
        *,
        after: CanonicalKey | None = None,
        limit: int = 50_000,
    ) -> list[StoredReading]:
        found: list[StoredReading] = []
        for stream_id in self._streams_of(asset_id):
            for held in self._in_order(stream_id):
                start = bisect_left(held, (from_us, "", -1), key=lambda one: one[0])
                stop = bisect_left(held, (to_us, "", -1), key=lambda one: one[0])
                found += [stored for _, stored in held[start:stop] if after is None or stored.key > after]
        return sorted(found, key=lambda stored: stored.key)[:limit]

    def readings_beyond(
        self, asset_class: str, keys: Mapping[str, CanonicalKey | None], limit: int
    ) -> dict[str, list[StoredReading]]:
        beyond = {
            asset_id: self.readings_of(asset_id, asset_class, EARLIEST_US if key is None else key[0], LATEST_US, after=key)
            for asset_id, key in keys.items()
        }
        found: dict[str, list[StoredReading]] = {}
        for asset_id in sorted(beyond):
            page = beyond[asset_id][: limit - sum(map(len, found.values()))]
            if page:
                found[asset_id] = page
        return found

    def fixes_at(self, tenant: str, at_us: int, window_us: int) -> list[Fix]:
        fixes: list[Fix] = []
        for asset in self._tables.registry.assets.values():
            if asset.tenant != tenant:
                continue
            last: tuple[CanonicalKey, StoredReading] | None = None
            for stream_id in self._streams_of(asset.asset_id):
                for held in self._in_order(stream_id):
                    stop = bisect_right(held, (at_us, "\U0010ffff", 1 << 63), key=lambda one: one[0])
                    for _, stored in reversed(held[:stop]):
                        if stored.reading.time_us <= at_us - window_us:
                            break
                        if stored.reading.lat_deg is not None:
                            last = max(last, (stored.key, stored)) if last and last[0] != stored.key else (stored.key, stored)
                            break
            if last is not None:
                fixes.append(self._fix(asset.asset_id, asset.asset_class, last[1]))
        return fixes

    def _fix(self, asset_id: str, asset_class: str, stored: StoredReading) -> Fix:
        reading = cast("AnyReading", stored.reading)
        tenant, origin, *_ = self._rows("stream_key")[stored.stream_id]
        return Fix(
            asset_id=asset_id,
            asset_class=asset_class,
            asset=reading.name,
            tenant=tenant,
            origin=origin,
            time_us=reading.time_us,
            lat_deg=reading.lat_deg or 0.0,
            lon_deg=reading.lon_deg or 0.0,
            speed_kn=reading.speed_kn,
            course_deg=reading.course_deg,
        )

    def newest_statics(self, stream_ids: Collection[int]) -> dict[int, int]:
        newest: dict[int, int] = {}
        for stream_id, time_us, *_ in self._rows("static"):
            if stream_id in stream_ids:
                newest[stream_id] = max(time_us, newest.get(stream_id, time_us))
        return newest

    def last_identity_runs(self, stream_ids: Collection[int]) -> dict[int, IdentityRunRow]:
        found: dict[int, IdentityRunRow] = {}
        for (stream_id, first_us), run in self._rows("identity_run").items():
            if stream_id in stream_ids and (stream_id not in found or found[stream_id].first_us < first_us):
                found[stream_id] = msgspec.structs.replace(run, shard=0)
        return found

    def statics_after(self, after_us: Mapping[str, int]) -> dict[str, list[StaticReport]]:
        found: dict[str, list[StaticReport]] = {}
        for asset_id, known_us in after_us.items():
            for stream_id, time_us, source, text in self._rows("static"):
                if stream_id in self._streams_of(asset_id) and time_us > known_us:
                    _, _, asset_class, scheme, value = self._rows("stream_key")[stream_id]
                    report = StaticReport(
                        asset_class=asset_class,
                        scheme=scheme,
                        value=value,
                        time_us=time_us,
                        source=source,
                        particulars=json.loads(text),
                    )
                    found.setdefault(asset_id, []).append(report)
        return {asset_id: sorted(reports, key=lambda one: one.time_us) for asset_id, reports in found.items()}

    def identity_reports(self, asset_ids: Collection[str]) -> dict[str, list[StaticReport]]:
        found: dict[str, list[StaticReport]] = {}
        for asset_id in sorted(asset_ids):
            runs = [run for run in self._rows("identity_run").values() if run.stream_id in self._streams_of(asset_id)]
            for run in sorted(runs, key=lambda run: (run.first_us, *self._rows("stream_key")[run.stream_id][3:])):
                _, _, asset_class, scheme, value = self._rows("stream_key")[run.stream_id]
                times = (run.first_us, run.second_us, run.last_us)
                found.setdefault(asset_id, []).extend(reports_in(asset_class, scheme, value, run.source, run.identity, times))
        return {asset_id: sorted(reports, key=lambda one: one.time_us) for asset_id, reports in found.items()}

    # -- states and clocks

    def _checkpoints(self, asset_id: str) -> dict[int, Checkpoint]:
        return cast("dict[int, Checkpoint]", self._rows("checkpoint").get(asset_id, {}))

    def newest_checkpoints(self, asset_ids: Collection[str]) -> dict[str, Checkpoint]:
        held = {asset_id: self._checkpoints(asset_id) for asset_id in asset_ids}
        return {asset_id: cuts[max(cuts)] for asset_id, cuts in held.items() if cuts}

    def checkpoint_before(self, asset_id: str, at_us: int) -> Checkpoint | None:
        before = {time_us: cut for time_us, cut in self._checkpoints(asset_id).items() if time_us < at_us}
        return before[max(before)] if before else None

    def checkpoints_from(self, asset_id: str, from_us: int) -> list[Checkpoint]:
        return [cut for time_us, cut in sorted(self._checkpoints(asset_id).items()) if time_us >= from_us]

    def drop_checkpoints(self, asset_id: str, from_us: int) -> None:
        kept = {time_us: cut for time_us, cut in self._checkpoints(asset_id).items() if time_us < from_us}
        self._put("checkpoint", asset_id, kept)

    def _write_checkpoints(self, rows: Sequence[CheckpointRow]) -> None:
        for row in rows:
            cut = Checkpoint(row.asset_id, row.time_us, row.wake_at_us, row.state)
            self._put("checkpoint", row.asset_id, {**self._checkpoints(row.asset_id), row.time_us: cut})
        for asset_id in {row.asset_id for row in rows}:
            last = {(time_us - POSTGRES_EPOCH_US) // SPAN_US: time_us for time_us in sorted(self._checkpoints(asset_id))}
            newest_us = max(last.values())
            cuts = {time_us: self._checkpoints(asset_id)[time_us] for time_us in last.values()}
            settled = {
                time_us: cut if time_us == newest_us else msgspec.structs.replace(cut, wake_at_us=None)
                for time_us, cut in cuts.items()
            }
            self._put("checkpoint", asset_id, settled)

    def wakes(self, shards: Iterable[int], until_us: int, limit: int) -> list[tuple[str, int]]:
        assets = self._tables.registry.assets
        owned = [asset_id for asset_id in self._rows("checkpoint") if assets[asset_id].shard in set(shards)]
        asked = [(asset_id, cut.wake_at_us) for asset_id in owned for cut in self._checkpoints(asset_id).values()]
        due = [(asset_id, wake_us) for asset_id, wake_us in asked if wake_us is not None and wake_us <= until_us]
        return sorted(due, key=lambda one: (one[1], one[0]))[:limit]

    def recording_clocks(self) -> dict[RecordingClock, int]:
        clocks: dict[RecordingClock, int] = {}
        for stream_id, high_us in self._rows("high").items():
            feed = self._feed_of(stream_id)
            if feed is not None:
                clocks[feed] = max(high_us, clocks.get(feed, high_us))
        return clocks

    def clocks_of(self, asset_ids: Collection[str]) -> dict[str, RecordingClock]:
        clocks: dict[str, RecordingClock] = {}
        for asset_id in asset_ids:
            spoke = [(-self._rows("high")[one], one) for one in self._streams_of(asset_id) if one in self._rows("high")]
            feed = self._feed_of(min(spoke)[1]) if spoke else None
            if feed is not None:
                clocks[asset_id] = feed
        return clocks

    def behind(self, shards: Collection[int], limit: int) -> list[str]:
        found: list[tuple[int, str]] = []
        for asset in self._tables.registry.assets.values():
            high = [self._rows("high")[one] for one in self._streams_of(asset.asset_id) if one in self._rows("high")]
            if asset.shard in shards and high and max(high) > max(self._checkpoints(asset.asset_id), default=-1):
                found.append((max(high), asset.asset_id))
        return [asset_id for _, asset_id in sorted(found)][:limit]

    # -- dated facts beside the readings

    def _write_contributions(self, rows: Sequence[ContributionRow]) -> None:
        for row in rows:
            self._put("contribution", (row.hour_us, row.asset_id), row.contribution)

    def contributions_of(self, tenant: str, asset_class: str, asset_type: str | None) -> list[bytes]:
        group = (tenant, asset_class, asset_type or "")
        assets = self._tables.registry.assets
        given = {
            key: share
            for key, share in self._rows("contribution").items()
            if (assets[key[1]].tenant, assets[key[1]].asset_class, assets[key[1]].asset_type or "") == group
        }
        oldest_us = max((hour_us for hour_us, _ in given), default=0) - KEPT_DAYS * DAY_US
        return [given[key] for key in sorted(given) if key[0] >= oldest_us]

    def offline_feeds(self, tenant: str, at_us: int) -> set[tuple[str, str]]:
        latest: dict[tuple[str, str], tuple[int, int, bool]] = {}
        for number, status in self._rows("status").items():
            if status.tenant == tenant and status.origin.startswith("feed:") and status.received_us <= at_us:
                said = (status.received_us, number, status.online)
                latest[tenant, status.origin] = max(said, latest.get((tenant, status.origin), said))
        return {origin for origin, (_, _, online) in latest.items() if not online}

    def traffic_at(self, tenant: str, at_us: int, window_us: int) -> list[TrafficFix]:
        return [
            TrafficFix(
                tenant=row.tenant,
                origin=row.origin,
                asset_class=row.asset_class,
                name=f"{row.scheme}:{row.value}",
                time_us=row.time_us,
                lat_deg=row.lat_deg,
                lon_deg=row.lon_deg,
                speed_kn=row.speed_kn,
                kind=row.kind,
            )
            for row in self._rows("traffic").values()
            if row.tenant == tenant and at_us - window_us < row.time_us <= at_us
        ]

    def has_traffic(self, tenant: str) -> bool:
        return any(row.tenant == tenant for row in self._rows("traffic").values())

    def write_scenes(self, rows: Sequence[SceneRow], commit_nos: Mapping[int, int]) -> None:
        for row in rows:
            self._put("scene", (row.asset_id, row.at_us), row)

    def scenes_at(self, asset_id: str, from_us: int, to_us: int) -> list[SceneRow]:
        told = [row for row in self._rows("scene").values() if row.asset_id == asset_id and from_us <= row.at_us < to_us]
        return sorted(told, key=lambda row: row.at_us)

    def scenes_of_tenant(self, tenant: str, from_us: int, limit: int) -> list[SceneRow]:
        told = [row for row in self._rows("scene").values() if row.tenant == tenant and row.at_us >= from_us]
        return sorted(told, key=lambda row: (-row.at_us, row.asset_id))[:limit]

    def newest_scenes(self) -> dict[str, int]:
        newest: dict[str, int] = {}
        for row in self._rows("scene").values():
            newest[row.tenant] = max(row.at_us, newest.get(row.tenant, row.at_us))
        return newest

    def write_sightings(self, rows: Sequence[SightingRow], commit_nos: Mapping[int, int]) -> None:
        last = {(row.tenant, row.clock, row.time_us, row.key): row for row in rows}
        self._mark_scenes(key for key, row in last.items() if self._note(key, row))

    def replace_sightings(self, asset_id: str, after_us: int, rows: Sequence[SightingRow], commit_nos: Mapping[int, int]) -> None:
        held = {key for key, row in self._rows("sighting").items() if row.asset_id == asset_id and row.time_us > after_us}
        wanted = {(row.tenant, row.clock, row.time_us, row.key): row for row in rows if row.time_us > after_us}
        for key in held - wanted.keys():
            self._put("sighting", key, GONE)
        self._mark_scenes(held - wanted.keys())
        self._mark_scenes([key for key, row in wanted.items() if self._note(key, row)])

    def _note(self, key: tuple[str, str, int, str], row: SightingRow) -> bool:
        """Keep a sighting; whether it says something new."""
        before = self._rows("sighting").get(key)
        if before is not None and before.noted == row.noted:
            return False
        self._put("sighting", key, row)
        return True

    def _mark_scenes(self, keys: Iterable[tuple[str, str, int, str]]) -> None:
        first: dict[tuple[str, str], int] = {}
        for tenant, clock, time_us, _ in keys:
            first[tenant, clock] = min(time_us, first.get((tenant, clock), time_us))
        for scene, time_us in first.items():
            self._put("scene_mark", len(self._rows("scene_mark")) + 1, (*scene, time_us))

    def listened(self, tenant: str, origin: str, from_us: int, to_us: int) -> list[tuple[int, int]]:
        spans = self._rows("listening").get((tenant, origin), ())
        return [span for span in spans if span[0] < to_us and span[1] > from_us]

    def extend_listening(self, tenant: str, origin: str, from_us: int, to_us: int, gap_max_us: int) -> None:
        if to_us <= from_us:
            return
        spans = self._rows("listening").get((tenant, origin), ())
        touched = [span for span in spans if span[0] <= to_us + gap_max_us and span[1] >= from_us - gap_max_us]
        whole = (min([from_us, *[span[0] for span in touched]]), max([to_us, *[span[1] for span in touched]]))
        self._put("listening", (tenant, origin), tuple(sorted([span for span in spans if span not in touched] + [whole])))

    # -- deriving again

    def _mark(self, rows: Sequence[DirtyRow]) -> None:
        for row in rows:
            from_us, _, first_us, begun_us = self._rows("dirty").get(row.asset_id, (row.from_us, 0, self.now_us, NEVER_US))
            self._put("dirty", row.asset_id, (min(from_us, row.from_us), self.now_us, first_us, begun_us))

    def dirty_due(self, shards: Iterable[int], quiet_us: int, limit: int) -> list[Dirty]:
        assets, owned = self._tables.registry.assets, set(shards)
        due = [
            Dirty(asset_id, min(from_us, begun_us), marked_us)
            for asset_id, (from_us, marked_us, first_us, begun_us) in self._rows("dirty").items()
            if assets[asset_id].shard in owned and (marked_us <= self.now_us - quiet_us or first_us <= self.now_us - WAIT_MAX_US)
        ]
        return sorted(due, key=lambda one: (one.marked_us, one.asset_id))[:limit]

    def begin_dirty(self, dirty: Dirty) -> bool:
        held = self._rows("dirty").get(dirty.asset_id)
        if held is None or held[1] != dirty.marked_us:
            return False
        from_us, marked_us, first_us, begun_us = held
        self._put("dirty", dirty.asset_id, (NEVER_US, marked_us, first_us, min(from_us, begun_us)))
        return True

    def narrow_dirty(self, asset_id: str) -> None:
        held = self._rows("dirty").get(asset_id)
        if held is not None and held[0] < NEVER_US:
            self._put("dirty", asset_id, (held[0], held[1], held[1], NEVER_US))

    def clear_dirty(self, dirty: Dirty) -> bool:
        held = self._rows("dirty").get(dirty.asset_id)
        if held is None or held[1] != dirty.marked_us:
            return False
        self._put("dirty", dirty.asset_id, GONE)
        return True

    def _write_findings(self, rows: Sequence[FindingRow], commit_nos: Mapping[int, int]) -> list[FindingRevision]:
        written: list[FindingRevision] = []
        for row in rows:
            held: FindingRevision | None = self._rows("finding").get(row.finding_id)
            if row.retracted if held is None else same(row, held.row):
                continue
            evidence = msgspec.json.decode(msgspec.json.encode(row.evidence))
            kept = FindingRevision(
                msgspec.structs.replace(row, evidence=evidence),
                1 if held is None else held.revision + 1,
                commit_nos[row.shard],
            )
            self._put("finding", row.finding_id, kept)
            self._put("finding_revision", (row.finding_id, kept.revision), kept)
            written.append(FindingRevision(row, kept.revision, kept.commit_no, None if held is None else held.row))
        return written

    def current_findings(self, asset_id: str, from_us: int) -> list[FindingRevision]:
        found = [
            held
            for held in self._rows("finding").values()
            if held.row.asset_id == asset_id
            and not held.row.retracted
            and (held.row.closed_us is None or held.row.closed_us >= from_us or held.row.detected_us >= from_us)
        ]
        return sorted(
            found,
            key=lambda one: (one.row.detected_us, one.row.asset, one.row.rule, one.row.subject or "", one.row.finding_id),
        )

    def aliases_of(self, asset_ids: Collection[str]) -> dict[str, dict[str, str]]:
        return {asset_id: dict(self._rows("alias")[asset_id]) for asset_id in asset_ids if asset_id in self._rows("alias")}

    def write_aliases(self, asset_id: str, renamed: Mapping[str, str]) -> None:
        if renamed:
            self._put("alias", asset_id, {**self._rows("alias").get(asset_id, {}), **renamed})

    # -- use

    def _write_uses(self, batch: StepBatch) -> None:
        last = {(type(row.fact), use_key_of(row)): row for row in batch.uses}
        journeys = [row for row in last.values() if isinstance(row.fact, Journey)]
        ids = {row.journey_id for row in journeys} | {id_of(row, attempt) for row in journeys for attempt in (0, 1)}
        keys = {use_key_of(row) for row in journeys}
        held = [one for one in self._rows("journey").values() if one.row.journey_id in ids or use_key_of(one.row) in keys]
        for row, revision, _ in revised(journeys, held):
            plain = msgspec.structs.replace(row, shard=0)
            self._put("journey", row.journey_id, StoredJourney(plain, revision))
            self._put("journey_revision", (row.journey_id, revision), plain)
        for (kind, key), row in last.items():
            if kind is Journey:
                continue
            table = "activity" if kind is Activity else "use_day"
            before = self._rows(table).get(key)
            if row.retracted:
                if before is not None:
                    self._put(table, key, GONE)
            elif before is None or not says_the_same(row, before):
                self._put(table, key, msgspec.structs.replace(row, shard=0, asset=""))
        for tail in batch.use_tails:
            self._put("use_tail", tail.asset_id, tail)
        for cut in batch.use_checkpoints:
            self._put("use_checkpoint", (cut.asset_id, cut.at_us), UseCheckpoint(cut.at_us, cut.version, cut.state))
        for marked in batch.use_dirty:
            known = self._rows("use_dirty").get(marked.asset_id)
            from_us = marked.from_us if known is None else min(marked.from_us, known.from_us)
            self._put("use_dirty", marked.asset_id, Dirty(marked.asset_id, from_us, self.now_us))

    def current_uses(self, asset_id: str, journeys_us: int, activities_us: int, days_us: int) -> list[UseRow]:
        journeys = [
            one.row
            for one in self._rows("journey").values()
            if one.row.asset_id == asset_id and not one.row.retracted and use_key_of(one.row)[2] >= journeys_us
        ]
        found = sorted(journeys, key=lambda row: (use_key_of(row)[2], use_key_of(row)[1]))
        for table, from_us in (("activity", activities_us), ("use_day", days_us // DAY_US * DAY_US)):
            of_asset = [row for (owner, _, at_us), row in self._rows(table).items() if owner == asset_id and at_us >= from_us]
            found += sorted(of_asset, key=lambda row: use_key_of(row)[2])
        return found

    def _use_checkpoints(self, asset_id: str) -> list[UseCheckpoint]:
        return [cut for (owner, _), cut in sorted(self._rows("use_checkpoint").items()) if owner == asset_id]

    def use_checkpoint_before(self, asset_id: str, at_us: int) -> UseCheckpoint | None:
        return next((cut for cut in reversed(self._use_checkpoints(asset_id)) if cut.at_us <= at_us), None)

    def use_checkpoints_after(self, asset_id: str, at_us: int) -> list[UseCheckpoint]:
        return [cut for cut in self._use_checkpoints(asset_id) if cut.at_us > at_us]

    def drop_use_checkpoints(self, asset_id: str, from_us: int, to_us: int) -> None:
        for cut in self._use_checkpoints(asset_id):
            if from_us < cut.at_us <= to_us:
                self._put("use_checkpoint", (asset_id, cut.at_us), GONE)

    def use_dirty_due(self, shards: Iterable[int], quiet_us: int, limit: int) -> list[Dirty]:
        marks = [one for one in self._rows("use_dirty").values() if one.marked_us <= self.now_us - quiet_us]
        wanted = set(shards)
        return sorted((one for one in marks if shard_of(one.asset_id) in wanted), key=lambda one: (one.marked_us, one.asset_id))[
            :limit
        ]

    def clear_use_dirty(self, dirty: Dirty) -> bool:
        if self._rows("use_dirty").get(dirty.asset_id) != dirty:
            return False
        self._put("use_dirty", dirty.asset_id, GONE)
        return True

    # -- alerts

    def open_alerts(self, findings: Sequence[FindingRow]) -> list[AlertRow]:
        keys = {(row.tenant, row.asset_id or row.asset, row.rule, row.subject) for row in findings}
        ids = {row.finding_id for row in findings}
        found = [
            alert
            for alert in self._rows("alert").values()
            if (_about(alert) in keys and alert.status in ACTIVE) or ids & set(alert.finding_ids)
        ]
        return sorted(found, key=lambda alert: alert.alert_id)

    def alerts_of(self, alert_ids: Collection[str]) -> list[AlertRow]:
        held = self._rows("alert")
        return [held[alert_id] for alert_id in sorted(set(alert_ids)) if alert_id in held]

    def write_alerts(self, changes: Iterable[AlertChangeRow], commit_nos: Mapping[int, int]) -> None:
        for change in changes:
            alert = change.alert
            held = self._rows("alert").get(alert.alert_id)
            if alert.revision == 1 and held is not None:
                raise errors.UniqueViolation(f"alert {alert.alert_id} is there already")
            if alert.revision != 1 and (held is None or held.revision != alert.revision - 1):
                raise StaleAlert(f"{alert.alert_id} is not at revision {alert.revision - 1}")
            others = [one for one in self._rows("alert").values() if one.alert_id != alert.alert_id and one.status in ACTIVE]
            if alert.status in ACTIVE and _about(alert) in [_about(one) for one in others]:
                raise errors.UniqueViolation("alert_one_open")
            self._put("alert", alert.alert_id, alert)
            self._put("alert_history", (alert.alert_id, alert.revision), change)

    def lease_at(self, asset_id: str, at_us: int) -> str | None:
        return next(
            (one.lease_id for one in self._tables.registry.leases if one.asset_id == asset_id and one.valid.holds(at_us)), None
        )

    def insert_events(self, rows: Sequence[EventRow]) -> None:
        for row in rows:
            if row.event_id not in self._rows("outbox"):
                self._put("outbox", row.event_id, row)

    def insert_live(self, rows: Sequence[LiveRow]) -> None:
        for row in rows:
            self._put("live", len(self._rows("live")) + 1, row)

    # -- what is told of them

    def incidents_around(
        self, stretches: Sequence[Stretch], finding_ids: Collection[str], incident_ids: Collection[str]
    ) -> list[IncidentRevision]:
        wanted = set(finding_ids)
        found = [
            held
            for held in self._rows("incident").values()
            if held.row.incident_id in incident_ids
            or (
                not held.row.retracted and (wanted & set(held.row.finding_ids) or any(_meets(one, held.row) for one in stretches))
            )
        ]
        return sorted(found, key=lambda held: held.row.incident_id)

    def members_around(
        self, stretches: Sequence[Stretch], rules: Collection[str], finding_ids: Collection[str]
    ) -> list[MemberRow]:
        found = [
            held.row
            for held in self._rows("finding").values()
            if not held.row.retracted
            and (
                held.row.finding_id in finding_ids or (held.row.rule in rules and any(_meets(one, held.row) for one in stretches))
            )
        ]
        names = MemberRow.__struct_fields__
        return [
            MemberRow(**{name: getattr(row, name) for name in names})
            for row in sorted(found, key=lambda row: (row.opened_us, row.finding_id))
        ]

    def write_incidents(self, rows: Sequence[IncidentRevision], commit_nos: Mapping[int, int]) -> None:
        for one in rows:
            kept = IncidentRevision(msgspec.structs.replace(one.row, shard=0), one.revision)
            self._put("incident", one.row.incident_id, kept)
            self._put("incident_revision", (one.row.incident_id, one.revision), kept)

    def assign_incidents(self, moved: Mapping[str, str]) -> None:
        for alert in list(self._rows("alert").values()):
            incident_id = moved.get(alert.finding_ids[-1])
            if incident_id is not None and incident_id != alert.incident_id:
                self._put("alert", alert.alert_id, msgspec.structs.replace(alert, incident_id=incident_id))

    def notices_about(self, alert_ids: Collection[str], finding_ids: Collection[str]) -> list[NoticeRow]:
        notices = [one for one, _ in self._rows("notice").values()]
        wanted = {*alert_ids, *(one.alert_id for one in notices if one.finding_id in finding_ids)}
        return [one for one in notices if one.alert_id in wanted]

    def held_by(self, hold_ids: Collection[str]) -> list[tuple[NoticeRow, bool]]:
        return [(one, waits) for one, waits in self._rows("notice").values() if one.hold_id in hold_ids and one.verdict == "held"]

    def over_budget(self, tenant: str) -> list[NoticeRow]:
        held = self._rows("notice").values()
        return [one for one, waits in held if waits and one.verdict == "over_budget" and one.tenant == tenant]

    def write_notices(self, rows: Sequence[NoticeRow], commit_nos: Mapping[int, int]) -> None:
        decided = {row.alert_id for row in rows}
        for number, (one, waits) in list(self._rows("notice").items()):
            if waits and one.alert_id in decided:
                self._put("notice", number, (one, False))
        known = {(one.alert_id, one.revision, one.verdict) for one, _ in self._rows("notice").values()}
        for row in rows:
            if (row.alert_id, row.revision, row.verdict) not in known:
                kept = msgspec.structs.replace(row, shard=0, why=msgspec.json.decode(msgspec.json.encode(row.why)))
                self._put("notice", len(self._rows("notice")) + 1, (kept, row.verdict in WAITING))

    def causes_of_holds(self, tenants: Collection[str], rules: Collection[str]) -> list[FindingRow]:
        rows = [held.row for held in self._rows("finding").values()]
        found = [
            row for row in rows if row.tenant in tenants and row.rule in rules and row.closed_us is None and not row.retracted
        ]
        return sorted(found, key=lambda row: row.finding_id)

    def origins_of(self, asset_ids: Collection[str]) -> dict[str, str]:
        high = self._rows("high")
        last = {
            asset_id: max(((high[one], -one) for one in self._streams_of(asset_id) if one in high), default=None)
            for asset_id in asset_ids
        }
        return {asset_id: self._rows("stream_key")[-one[1]][1] for asset_id, one in last.items() if one is not None}

    def hold_budget(self, tenant: str) -> BudgetRow | None:
        weeks = [row for row in self._rows("budget").values() if row.tenant == tenant]
        return max(weeks, key=lambda row: row.week_us, default=None)

    def fleet_of(self, tenant: str, at_us: int) -> Fleet:
        assets = self._tables.registry.assets.values()
        return Fleet(sum(one.tenant == tenant and one.asset_class in ASSET_CLASSES for one in assets), None)

    def write_budget(self, row: BudgetRow) -> None:
        self._put("budget", (row.tenant, row.week_us), row)

    def exposures_of(self, asset_ids: Collection[str], at_us: int) -> dict[str, tuple[bool, float]]:
        return {asset_id: (self.lease_at(asset_id, at_us) is not None, 0.0) for asset_id in asset_ids}

    # -- housekeeping

    def _count(self, rows: Sequence[CountRow]) -> None:
        for row in rows:
            self.counted.append(row)
            key = (row.tenant, row.origin, row.hour_us)
            held = self._rows("count").get(key)
            fields = ("received", "stored", "late", "duplicate", "rejected", "traffic", "static_received", "static_duplicate")
            sums = {name: getattr(row, name) + (0 if held is None else getattr(held, name)) for name in fields}
            self._put("count", key, msgspec.structs.replace(row, **sums))

    def pending_replays(self, limit: int) -> list[PendingReplay]:
        return []  # nobody asks for one in a simulation

    def newest_rejection(self) -> int:
        return max(self._rows("rejection"), default=0)

    def replayable(self, request: PendingReplay, after_id: int, limit: int) -> list[dict[str, Any]]:
        raise NotImplementedError("nobody asks for a replay in a simulation")

    def finish_replay(self, request_id: int, rejection_ids: Sequence[int]) -> None:
        raise NotImplementedError("nobody asks for a replay in a simulation")

    def prune(self, limits: Limits) -> dict[str, int]:
        names = ("rejections", "traffic", "live_events", "idempotency_keys", "checkpoints", "prior_contributions")
        return dict.fromkeys(names, 0)  # everything in a simulation is of today


def raised(held: tuple[Any, ...] | None, reading: AnyReading) -> tuple[Any, ...]:
    """An hour's rollup with one reading more: count, positions, first, last, speeds, least, greatest, sum in millionths."""
    count, positions, first_us, last_us, speeds, low, high, total = held or (
        0,
        0,
        reading.time_us,
        reading.time_us,
        0,
        None,
        None,
        0,
    )
    if reading.speed_kn is not None:
        speeds, total = speeds + 1, total + round(reading.speed_kn * 1_000_000)
        low = reading.speed_kn if low is None else min(low, reading.speed_kn)
        high = reading.speed_kn if high is None else max(high, reading.speed_kn)
    return (
        count + 1,
        positions + (reading.lat_deg is not None),
        min(first_us, reading.time_us),
        max(last_us, reading.time_us),
        speeds,
        low,
        high,
        total,
    )


def _meets(stretch: Stretch, row: Any) -> bool:
    """Whether a finding or an incident of the stretch's asset reaches into it."""
    if row.asset_id != stretch.asset_id or row.opened_us > stretch.to_us:
        return False
    return row.closed_us is None or bool(row.closed_us >= stretch.from_us)


def _about(alert: AlertRow) -> tuple[str, str, str, str | None]:
    return (alert.tenant, alert.asset_id or alert.asset, alert.rule, alert.subject)


def _traffic_order(row: Any) -> tuple[float, ...]:
    return (row.time_us, row.lat_deg, row.lon_deg, float("-inf") if row.speed_kn is None else row.speed_kn)
