"""What the ingester needs of the world: a store, a broker's mailbox, a clock. Everything it does passes through these three.

The worker hands in PostgreSQL (`store.transaction`), paho (`ingest.mqtt`) and the machine's clocks; whoever hands in others
runs the same code over them. Shapes only; what a word of a transaction means is said where `store` defines it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from fleet.reading import StaticReport
from store.batches import Written
from store.budgets import Fleet
from store.checkpoints import Checkpoint
from store.clocks import RecordingClock
from store.commits import Ownership
from store.desk import PendingReplay, Row
from store.dirty import Dirty
from store.findings import FindingRevision
from store.incidents import IncidentRevision
from store.pruning import Limits
from store.readings import CanonicalKey, Fix, ReadingKey, StoredReading
from store.registry import Clock as FeedClock
from store.registry import Registry, StreamKey
from store.rows import (
    AlertChangeRow,
    AlertRow,
    BudgetRow,
    EventRow,
    FindingRow,
    IdentityRunRow,
    LiveRow,
    MemberRow,
    NoticeRow,
    SceneRow,
    SightingRow,
    StepBatch,
    Stretch,
    UseRow,
)
from store.traffic import TrafficFix
from store.uses import UseCheckpoint


class Transaction(Protocol):
    """Everything asked and written inside one transaction: all of it is committed together, or nothing."""

    # -- numbers and fences

    async def claim(self, shards: Iterable[int], owner: str) -> Ownership:
        """Own shards from the commit on."""

    async def begin(self, ownership: Ownership, shards: Iterable[int], attempt: int) -> dict[int, int]:
        """Number this transaction in each shard; raises `Fenced`."""

    async def is_committed(self, commit_nos: Collection[int], attempt: int) -> bool:
        """Whether an earlier transaction went through."""

    async def write(self, batch: StepBatch, commit_nos: Mapping[int, int]) -> Written:
        """Write a batch's rows."""

    # -- the registry and its streams

    async def registry_version(self) -> int:
        """Grows with every change of the registry."""

    async def load_registry(self) -> Registry:
        """A copy of the registry."""

    async def set_feed(self, tenant: str, feed: str, clock: FeedClock) -> None:
        """Make a feed known."""

    async def resolve_streams(self, wanted: Collection[StreamKey]) -> dict[StreamKey, int]:
        """Numbers of streams, new ones made."""

    # -- the log of readings

    async def high_water(self, stream_ids: Collection[int]) -> dict[int, int]:
        """Greatest event time stored of each stream."""

    async def duplicates(self, keys: Collection[ReadingKey]) -> set[ReadingKey]:
        """Which keys are stored already."""

    async def readings_of(
        self,
        asset_id: str,
        asset_class: str,
        from_us: int,
        to_us: int,
        *,
        after: CanonicalKey | None = None,
        limit: int = ...,
    ) -> list[StoredReading]:
        """An asset's readings of [from, to) in canonical order, a page of them."""

    async def readings_beyond(
        self, asset_class: str, keys: Mapping[str, CanonicalKey | None], limit: int
    ) -> dict[str, list[StoredReading]]:
        """Several assets' readings, each beyond a key of its own, by asset; of `limit` in all the last asset's may be cut."""

    async def fixes_at(self, tenant: str, at_us: int, window_us: int) -> list[Fix]:
        """Last position of each of a tenant's assets as of an instant."""

    async def newest_statics(self, stream_ids: Collection[int]) -> dict[int, int]:
        """Event time of the newest static report of each stream."""

    async def statics_after(self, after_us: Mapping[str, int]) -> dict[str, list[StaticReport]]:
        """Static reports of assets, each after an instant of its own, in order of time; of many the newest."""

    async def last_identity_runs(self, stream_ids: Collection[int]) -> dict[int, IdentityRunRow]:
        """The newest stretch of each stream's static reports that say the same of who it is."""

    async def identity_reports(self, asset_ids: Collection[str]) -> dict[str, list[StaticReport]]:
        """What was said of who assets are, thinned, in order of time."""

    # -- states and clocks

    async def newest_checkpoints(self, asset_ids: Collection[str]) -> dict[str, Checkpoint]:
        """Each asset's state as it stands."""

    async def checkpoint_before(self, asset_id: str, at_us: int) -> Checkpoint | None:
        """The newest state that stepped nothing at or after an instant."""

    async def checkpoints_from(self, asset_id: str, from_us: int) -> list[Checkpoint]:
        """The states that stepped something at or after an instant, in order."""

    async def drop_checkpoints(self, asset_id: str, from_us: int) -> None:
        """Forget states at and after an instant."""

    async def wakes(self, shards: Iterable[int], until_us: int, limit: int) -> list[tuple[str, int]]:
        """(asset, instant) of the ticks that checkpoints ask for."""

    async def recording_clocks(self) -> dict[RecordingClock, int]:
        """Where each recording's clock stands."""

    async def clocks_of(self, asset_ids: Collection[str]) -> dict[str, RecordingClock]:
        """The recording that spoke last of each asset."""

    async def behind(self, shards: Collection[int], limit: int) -> list[str]:
        """Assets with readings after their newest checkpoint."""

    # -- dated facts beside the readings

    async def contributions_of(self, tenant: str, asset_class: str, asset_type: str | None) -> list[bytes]:
        """What a group of assets gave to its prior."""

    async def offline_feeds(self, tenant: str, at_us: int) -> set[tuple[str, str]]:
        """Feeds that last said `offline`."""

    async def traffic_at(self, tenant: str, at_us: int, window_us: int) -> list[TrafficFix]:
        """Last fixes of the traffic around."""

    async def has_traffic(self, tenant: str) -> bool:
        """Whether any traffic is known."""

    async def write_scenes(self, rows: Sequence[SceneRow], commit_nos: Mapping[int, int]) -> None:
        """Keep what assets were told at their ticks."""

    async def scenes_at(self, asset_id: str, from_us: int, to_us: int) -> list[SceneRow]:
        """What an asset was told in [from, to)."""

    async def scenes_of_tenant(self, tenant: str, from_us: int, limit: int) -> list[SceneRow]:
        """What a tenant's assets were told from an instant on, newest first."""

    async def newest_scenes(self) -> dict[str, int]:
        """The newest instant told of, by tenant."""

    async def write_sightings(self, rows: Sequence[SightingRow], commit_nos: Mapping[int, int]) -> None:
        """Keep where assets were seen, and mark their scenes."""

    async def replace_sightings(
        self, asset_id: str, after_us: int, rows: Sequence[SightingRow], commit_nos: Mapping[int, int]
    ) -> None:
        """Let where an asset was seen after an instant be these rows, and mark the scenes of what differs."""

    async def listened(self, tenant: str, origin: str, from_us: int, to_us: int) -> list[tuple[int, int]]:
        """When we listened to an origin."""

    async def extend_listening(self, tenant: str, origin: str, from_us: int, to_us: int, gap_max_us: int) -> None:
        """Note that we listened."""

    # -- deriving again

    async def dirty_due(self, shards: Iterable[int], quiet_us: int, limit: int) -> list[Dirty]:
        """Assets to derive again now."""

    async def begin_dirty(self, dirty: Dirty) -> bool:
        """Keep what marks the asset from now on apart from this mark; False: it is a newer one already."""

    async def clear_dirty(self, dirty: Dirty) -> bool:
        """Take a mark away, unless it is a newer one."""

    async def narrow_dirty(self, asset_id: str) -> None:
        """Of an asset's marks leave those set since `begin_dirty`."""

    async def current_findings(self, asset_id: str, from_us: int) -> list[FindingRevision]:
        """An asset's findings that reach into the time from an instant on."""

    async def aliases_of(self, asset_ids: Collection[str]) -> dict[str, dict[str, str]]:
        """Stored id by derived id, by asset."""

    async def write_aliases(self, asset_id: str, renamed: Mapping[str, str]) -> None:
        """Remember under which stored ids derived ones go on."""

    # -- use

    async def current_uses(self, asset_id: str, journeys_us: int, activities_us: int, days_us: int) -> list[UseRow]:
        """What stands of an asset's use from an instant each on."""

    async def use_checkpoint_before(self, asset_id: str, at_us: int) -> UseCheckpoint | None:
        """The newest memory of its machine that took in nothing at or after an instant."""

    async def use_checkpoints_after(self, asset_id: str, at_us: int) -> list[UseCheckpoint]:
        """Its machine's memories after an instant."""

    async def drop_use_checkpoints(self, asset_id: str, from_us: int, to_us: int) -> None:
        """Forget its machine's memories after an instant, up to another."""

    async def use_dirty_due(self, shards: Iterable[int], quiet_us: int, limit: int) -> list[Dirty]:
        """Assets whose use alone is to be derived again now."""

    async def clear_use_dirty(self, dirty: Dirty) -> bool:
        """Take such a mark away, unless it is a newer one."""

    # -- alerts

    async def open_alerts(self, findings: Sequence[FindingRow]) -> list[AlertRow]:
        """Alerts that findings may concern, locked."""

    async def alerts_of(self, alert_ids: Collection[str]) -> list[AlertRow]:
        """Alerts by their ids, locked."""

    async def write_alerts(self, changes: Iterable[AlertChangeRow], commit_nos: Mapping[int, int]) -> None:
        """Write changes of alerts in their order."""

    async def lease_at(self, asset_id: str, at_us: int) -> str | None:
        """The head lease in force."""

    async def insert_events(self, rows: Sequence[EventRow]) -> None:
        """Put events into the outbox."""

    async def insert_live(self, rows: Sequence[LiveRow]) -> None:
        """Tell open pages."""

    # -- what is told of them

    async def incidents_around(
        self, stretches: Sequence[Stretch], finding_ids: Collection[str], incident_ids: Collection[str]
    ) -> list[IncidentRevision]:
        """Incidents of assets in a time each, those that hold a finding, and those of some ids."""

    async def members_around(
        self, stretches: Sequence[Stretch], rules: Collection[str], finding_ids: Collection[str]
    ) -> list[MemberRow]:
        """Findings that may share an incident."""

    async def write_incidents(self, rows: Sequence[IncidentRevision], commit_nos: Mapping[int, int]) -> None:
        """Write revisions of incidents."""

    async def assign_incidents(self, moved: Mapping[str, str]) -> None:
        """Let alerts follow their latest finding into another incident."""

    async def notices_about(self, alert_ids: Collection[str], finding_ids: Collection[str]) -> list[NoticeRow]:
        """What was decided about alerts, in order."""

    async def held_by(self, hold_ids: Collection[str]) -> list[tuple[NoticeRow, bool]]:
        """What findings held, each with whether it still waits."""

    async def over_budget(self, tenant: str) -> list[NoticeRow]:
        """What waits for a tenant's next week."""

    async def write_notices(self, rows: Sequence[NoticeRow], commit_nos: Mapping[int, int]) -> None:
        """Write decisions."""

    async def causes_of_holds(self, tenants: Collection[str], rules: Collection[str]) -> list[FindingRow]:
        """Open findings that may hold others; they stay open until the transaction ends."""

    async def origins_of(self, asset_ids: Collection[str]) -> dict[str, str]:
        """Who spoke last of each asset."""

    async def hold_budget(self, tenant: str) -> BudgetRow | None:
        """A tenant's newest week, locked."""

    async def fleet_of(self, tenant: str, at_us: int) -> Fleet:
        """What a tenant's allowance is made of."""

    async def write_budget(self, row: BudgetRow) -> None:
        """Write a week as it stands."""

    async def exposures_of(self, asset_ids: Collection[str], at_us: int) -> dict[str, tuple[bool, float]]:
        """Whether each asset is on lease, and the agreed value of its hull."""

    # -- housekeeping

    async def pending_replays(self, limit: int) -> list[PendingReplay]:
        """Requests to give rejected messages another try."""

    async def newest_rejection(self) -> int:
        """Id of the newest rejection."""

    async def replayable(self, request: PendingReplay, after_id: int, limit: int) -> list[Row]:
        """A page of the rejected messages that a request asks for."""

    async def finish_replay(self, request_id: int, rejection_ids: Sequence[int]) -> None:
        """Close a request."""

    async def prune(self, limits: Limits) -> dict[str, int]:
        """Forget what is beyond the limits."""


class Store(Protocol):
    """Where everything is kept."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction around a block; an exception rolls it back. Raises `store.faults.AWAY`, and then it may have happened."""


class Held(Protocol):
    """One message in hand, not yet acknowledged."""

    @property
    def topic(self) -> str:
        """Where it was published."""

    @property
    def payload(self) -> bytes:
        """What it says."""

    @property
    def received_us(self) -> int:
        """When it reached us, wall time in microseconds."""


class Mailbox(Protocol):
    """The broker's side: sessions at QoS 1, and probes that say how far they have been drained (`ingest.mqtt.Inbox`)."""

    def start(self) -> None:
        """Connect."""

    def stop(self) -> None:
        """Disconnect."""

    def __len__(self) -> int: ...

    async def take(self, count_max: int, wait_s: float) -> Sequence[Held]:
        """Messages for one batch; none after `wait_s` of silence."""

    def acknowledge(self, deliveries: Sequence[Held]) -> None:
        """Tell the broker that messages which `take` gave are safe."""

    @property
    def is_subscribed(self) -> bool:
        """Whether the broker keeps every subscription for us."""

    @property
    def listening_since_us(self) -> int | None:
        """Since when every live session is connected; None while one is not."""

    @property
    def may_miss(self) -> bool:
        """Whether messages were let pass that come again later."""

    @property
    def resumed(self) -> bool:
        """Whether what was in flight at an earlier session's end may still come again."""

    @property
    def frontier_us(self) -> int | None:
        """Up to when the broker has nothing left for us."""

    def probe(self, now_us: int) -> None:
        """Send a probe over every live session."""

    def probe_us(self, delivery: Held) -> int | None:
        """When a delivery was sent, if it is a probe of ours."""


class Clock(Protocol):
    """The two clocks: one that people set, one that only goes on."""

    def wall_us(self) -> int:
        """Wall time in microseconds since 1970; may step."""

    def monotonic_s(self) -> float:
        """Seconds since some instant; never goes back."""


class SystemClock:
    """The clocks of this machine."""

    def wall_us(self) -> int:
        """Wall time in microseconds since 1970."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Seconds since the machine started, or thereabouts."""
        return time.monotonic()
