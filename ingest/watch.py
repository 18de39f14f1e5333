"""The assets under watch: detector states in memory, in event order, with the ticks they asked for.

State is a cache: it is loaded from a checkpoint and the readings after it, kept while the process lives and dropped when a
batch fails half way. Knows `detect`; knows no table and no packet.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections import deque
from collections.abc import Iterable
from zlib import crc32

import msgspec

from detect.checkpoint import to_checkpoint
from detect.said import hear, says_otherwise
from detect.state import AssetState
from fleet.instants import HOUR_US, MINUTE_US
from fleet.reading import Reading, StaticReport
from fleet.shards import shard_of

OrderKey = tuple[int, str, str, int]
"""Canonical order of one asset's readings: (time_us, scheme:value, source, seq)."""

Clock = str | tuple[str, str]
"""`live`, or (tenant, feed) of a recording."""

Particulars = tuple[tuple[str, float], ...]
"""The numbers of an asset that its use machine asks for, by name."""

RECENT_MAX = 64  # chosen: what two feeds that carry the same messages lie apart, at one reading every few seconds
TAIL_SPAN_US = MINUTE_US  # chosen: what is asked of use until now may be a minute old
REPORTS_MAX = 100  # waiting for a reading of their asset; chosen: ten hours of a ship that says who she is and not where
FIRST_WORD_US = 10 * MINUTE_US  # chosen: what an asset is was known all the same while its first reading overtook the report
CHECKPOINT_SPAN_US = 6 * HOUR_US  # design 5.7: checkpoints are kept one per 6 h of event time


def clock_name(clock: Clock) -> str:
    """A clock in one word: `live`, or TENANT/FEED of a recording."""
    return clock if isinstance(clock, str) else "/".join(clock)


def order_key(reading: Reading) -> OrderKey:
    """Where a reading stands among those of its asset, the same in every run."""
    return (reading.time_us, reading.name, reading.source, reading.seq)


class Checkpoint(msgspec.Struct, frozen=True, array_like=True):
    """A state's bytes with how far the asset has gone: what is stored as one checkpoint."""

    last_key: OrderKey | None
    ticked_us: int
    born_us: int
    state: bytes

    @classmethod
    def read(cls, cut: bytes) -> Checkpoint:
        """The checkpoint of `Watched.cut`. Raises msgspec.DecodeError for other bytes (a fault of the store)."""
        return msgspec.msgpack.decode(cut, type=cls)


class Watched(msgspec.Struct, kw_only=True):
    """One asset and what it has been through.

    `last_key` is the order of the last reading stepped, `ticked_us` the last tick fired, `born_us` the first
    reading; a reading at or before either is late.
    `clock` is `live`, or (tenant, feed) of the recording that carries the asset. `checkpoint_us` is the event time of the last
    checkpoint written and `changed` whether the state moved since; `checkpointed_at_s` counts on the worker's own clock,
    0 before the first of this process; `tail_us` is the event time of the last tail of use written. `reports` are static reports
    that wait for the first reading after them, in order of time. `group` is (tenant, class, type), whose prior the asset shares,
    `shard` the virtual shard that it is stepped and committed in; both follow from the rest.
    """

    asset_id: str
    tenant: str
    asset_class: str
    asset_type: str | None
    state: AssetState
    particulars: Particulars = ()
    last_key: OrderKey | None = None
    ticked_us: int = 0
    born_us: int = 0
    clock: Clock = "live"
    checkpoint_us: int = 0
    checkpointed_at_s: float = 0.0
    changed: bool = False
    tail_us: int = 0
    aliases: dict[str, str] = {}
    reports: list[StaticReport] = []
    recent: deque[OrderKey] = msgspec.field(default_factory=lambda: deque(maxlen=RECENT_MAX))
    group: tuple[str, str, str] = ("", "", "")
    shard: int = 0

    def __post_init__(self) -> None:
        self.group = (self.tenant, self.asset_class, self.asset_type or "")
        self.shard = shard_of(self.asset_id)

    def stored_id(self, finding_id: str) -> str:
        """The id by which an episode is stored: its own, or that of the overlapping one it took the place of (design 4.2)."""
        return self.aliases.get(finding_id, finding_id)

    @property
    def event_us(self) -> int:
        """Event time up to which the state has gone."""
        key, ticked_us = self.last_key, self.ticked_us
        return ticked_us if key is None or key[0] < ticked_us else key[0]

    def take_reports(self, reports: Iterable[StaticReport]) -> int | None:
        """Let static reports wait for the readings after them; the instant from which on one that came too late changes things.

        One that only comes behind by minutes, as the first of its asset, changes nothing worth deriving again.
        """
        late_us: int | None = None
        for report in reports:
            if report.time_us < self.event_us and self._is_late_word(report):
                late_us = report.time_us if late_us is None else min(late_us, report.time_us)
                continue
            insort(self.reports, report, key=lambda one: one.time_us)
        while len(self.reports) > REPORTS_MAX:
            hear(self.state, self.reports.pop(0))
        return late_us

    def _is_late_word(self, report: StaticReport) -> bool:
        if self.state.said is None:
            return self.event_us - report.time_us > FIRST_WORD_US
        return says_otherwise(self.state.said, report)

    def is_late(self, reading: Reading) -> bool:
        """Whether a reading comes behind what was already stepped or ticked."""
        if reading.time_us <= self.ticked_us:
            return True
        return self.last_key is not None and order_key(reading) <= self.last_key

    def wants_checkpoint(self, now_s: float, age_max_s: float) -> bool:
        """Whether the state moved far enough (6 h of event time) or long enough (`age_max_s`) since the last checkpoint.

        A state that came from a checkpoint takes its turn at an instant of its own within `age_max_s`: else a whole fleet would
        write in the seconds after a restart, and again all at once every time.
        """
        if not self.changed:
            return False
        if self.checkpoint_us and not self.checkpointed_at_s:
            self.checkpointed_at_s = now_s - age_max_s * crc32(self.asset_id.encode()) / (1 << 32)
        return self.event_us - self.checkpoint_us >= CHECKPOINT_SPAN_US or now_s - self.checkpointed_at_s >= age_max_s

    def wants_tail(self) -> bool:
        """Whether the activity under way was last written a minute of event time ago."""
        return self.event_us - self.tail_us >= TAIL_SPAN_US

    def cut(self) -> bytes:
        """The state as bytes, with how far it has gone."""
        return msgspec.msgpack.encode(Checkpoint(self.last_key, self.ticked_us, self.born_us, to_checkpoint(self.state)))


class Watch:
    """All assets in memory and, per clock, a heap of their wakes. Bounded by the number of registered assets."""

    def __init__(self) -> None:
        self.assets: dict[str, Watched] = {}
        self._heaps: dict[Clock, list[tuple[int, str]]] = {}
        self._wakes: dict[str, tuple[int, Clock]] = {}
        self._entries: dict[tuple[Clock, str], int] = {}

    def __contains__(self, asset_id: str) -> bool:
        return asset_id in self.assets

    def __getitem__(self, asset_id: str) -> Watched:
        return self.assets[asset_id]

    def add(self, watched: Watched) -> None:
        """Take an asset in (again)."""
        self.assets[watched.asset_id] = watched
        self.ask(watched.asset_id, watched.state.wake_at_us, watched.clock)

    def forget(self, asset_ids: Iterable[str]) -> None:
        """Drop states; they are loaded again when needed. Their wakes stay, so that a silent asset is not forgotten."""
        for asset_id in asset_ids:
            self.assets.pop(asset_id, None)

    def ask(self, asset_id: str, wake_at_us: int | None, clock: Clock) -> None:
        """Note when, on which clock, an asset wants its next tick (None: never)."""
        if wake_at_us is None:
            self._wakes.pop(asset_id, None)
            return
        asked = (wake_at_us, clock)
        if self._wakes.get(asset_id) == asked:
            return  # as before: its entry is there
        self._wakes[asset_id] = asked
        self._push(clock, asset_id, wake_at_us)

    def _push(self, clock: Clock, asset_id: str, wake_at_us: int) -> None:
        """One entry an asset and clock, at or before its wake: a wake that moves on costs nothing until the entry comes up."""
        entry_us = self._entries.get((clock, asset_id))
        if entry_us is None or wake_at_us < entry_us:
            self._entries[clock, asset_id] = wake_at_us
            heapq.heappush(self._heaps.setdefault(clock, []), (wake_at_us, asset_id))

    def next_wake_us(self, clock: Clock) -> int | None:
        """An instant at or before the first wake on a clock; None when nobody asks for one."""
        heap = self._heaps.get(clock)
        return heap[0][0] if heap else None

    def due(self, clock: Clock, before_us: int) -> list[str]:
        """Assets on a clock whose wake lies strictly before an instant; each stays due until `ask` says otherwise."""
        heap = self._heaps.get(clock, [])
        found: list[str] = []
        again: list[tuple[int, str]] = []
        while heap and heap[0][0] < before_us:
            entry_us, asset_id = heapq.heappop(heap)
            if self._entries.get((clock, asset_id)) != entry_us:
                continue  # an earlier entry took its place
            del self._entries[clock, asset_id]
            wake_us, wake_clock = self._wakes.get(asset_id, (None, clock))
            if wake_us is None or wake_clock != clock:
                continue
            again.append((wake_us, asset_id))
            if wake_us < before_us:
                found.append(asset_id)
        for wake_us, asset_id in again:
            self._push(clock, asset_id, wake_us)
        return found
