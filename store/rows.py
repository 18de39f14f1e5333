"""What one commit writes, as plain rows: the words between the pipeline and the tables.

A row names its asset or text `shard_key`-derived `shard` (0..63); the commit turns that into the number every row carries.
Instants are microseconds UTC, as everywhere inside; the tables hold `timestamptz`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fleet.reading import Reading
from fleet.use import Activity, Fact


class ReadingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A reading to keep: in which stream, when it reached us, in which shard it is committed."""

    stream_id: int
    shard: int
    received_us: int
    reading: Reading


class StaticRow(msgspec.Struct, frozen=True, kw_only=True):
    """An identity and voyage report to keep."""

    stream_id: int
    shard: int
    time_us: int
    received_us: int
    source: str
    particulars: dict[str, str | float]


class StatusRow(msgspec.Struct, frozen=True, kw_only=True):
    """A device or feed said `online` or `offline`. `origin` is `feed:NAME`, or `scheme:value` of a device."""

    tenant: str
    origin: str
    shard: int
    online: bool
    received_us: int


class RejectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """Bad input kept as a value: reason code, where in the message (`element` index or None), the raw bytes (bounded)."""

    tenant: str
    shard: int
    topic: str
    element: int | None
    reason: str
    detail: str
    payload: bytes
    received_us: int


class TrafficRow(msgspec.Struct, frozen=True, kw_only=True):
    """The last fix of something on a feed that is no asset of the feed's tenant; `kind` is its type in words, where known."""

    tenant: str
    origin: str
    asset_class: str
    scheme: str
    value: str
    time_us: int
    lat_deg: float
    lon_deg: float
    speed_kn: float | None
    kind: str | None = None


class CountRow(msgspec.Struct, kw_only=True):
    """Counter increments of one origin: received = stored + duplicate + rejected + traffic. Counted up while a batch is routed.

    `tenant` and `origin` (`feed:NAME` or `scheme:value` of a device) name who spoke; `hour_us` is the hour of reception;
    `nulled` counts optional fields made null by `field:reason`, `unknown_fields` those ignored.
    """

    tenant: str
    origin: str
    hour_us: int
    received: int = 0
    stored: int = 0
    late: int = 0
    duplicate: int = 0
    rejected: int = 0
    traffic: int = 0
    static_received: int = 0
    static_duplicate: int = 0
    nulled: dict[str, int] = {}
    unknown_fields: int = 0


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of a finding as `detect` emitted it, or its retraction (`retracted`), for one tenant's asset."""

    finding_id: str
    tenant: str
    asset_id: str
    shard: int
    asset: str
    rule: str
    rule_version: int
    severity: str
    subject: str | None
    opened_us: int
    closed_us: int | None
    detected_us: int
    score: float | None
    evidence: dict[str, Any]
    retracted: bool = False


class DirtyRow(msgspec.Struct, frozen=True, kw_only=True):
    """An asset whose findings must be derived again from an instant on, because a reading came late."""

    asset_id: str
    shard: int
    from_us: int


class CheckpointRow(msgspec.Struct, frozen=True, kw_only=True):
    """Detector state of an asset after stepping everything up to and including `time_us` (bytes of plain numbers)."""

    asset_id: str
    shard: int
    time_us: int
    wake_at_us: int | None
    state: bytes


class ContributionRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one asset adds to its type's prior in one closed hour of event time."""

    asset_id: str
    shard: int
    hour_us: int
    contribution: bytes


class UseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of an asset's use, or its retraction (`retracted`: nothing stands for it any more).

    `asset` is the name by which the readings called it; `journey_id` is given where a journey that was derived again goes on
    under the id of the one it takes the place of, else the store finds or makes it.
    """

    tenant: str
    asset_id: str
    shard: int
    asset: str
    fact: Fact
    retracted: bool = False
    journey_id: str | None = None


class UseTailRow(msgspec.Struct, frozen=True, kw_only=True):
    """The activity of an asset that is not closed yet, as it stands."""

    tenant: str
    asset_id: str
    shard: int
    activity: Activity


class UseCheckpointRow(msgspec.Struct, frozen=True, kw_only=True):
    """A use machine's memory before the readings at and after `at_us`, as bytes of plain numbers; `version` is the machine's."""

    asset_id: str
    shard: int
    at_us: int
    version: int
    state: bytes


class IdentityRunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of static reports of one stream that say the same of who it is: its first, second and last instant."""

    stream_id: int
    shard: int
    first_us: int
    second_us: int | None
    last_us: int
    source: str
    identity: dict[str, Any]


class StepBatch(msgspec.Struct, kw_only=True):
    """Everything one transaction writes but alerts and outbox, which depend on what is open there (`alerts.lifecycle`)."""

    readings: list[ReadingRow] = []
    statics: list[StaticRow] = []
    statuses: list[StatusRow] = []
    rejections: list[RejectionRow] = []
    traffic: list[TrafficRow] = []
    counts: list[CountRow] = []
    findings: list[FindingRow] = []
    dirty: list[DirtyRow] = []
    checkpoints: list[CheckpointRow] = []
    contributions: list[ContributionRow] = []
    uses: list[UseRow] = []
    use_tails: list[UseTailRow] = []
    use_checkpoints: list[UseCheckpointRow] = []
    use_dirty: list[DirtyRow] = []
    identity_runs: list[IdentityRunRow] = []


class SceneRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the scene of the bucket that begins at `at_us` told one asset's step."""

    tenant: str
    asset_id: str
    shard: int
    at_us: int
    neighbours_heard: int
    neighbours_known: int
    feed_down: bool
    neighbours_still: int = 0
    neighbours_behind: int = 0
    neighbours_lost: int = 0


class SightingRow(msgspec.Struct, frozen=True, kw_only=True):
    """What `step` noted of where an asset was, as bytes that `detect` reads; `key` is its id, or `scheme:value` of traffic.

    `clock` is `live`, or TENANT/FEED of the recording whose clock it is on; `asset_id` is "" for traffic.
    """

    tenant: str
    clock: str
    asset_id: str
    key: str
    shard: int
    time_us: int
    noted: bytes


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as it stands, field for field what `alerts.lifecycle` calls an alert; `asset_id` is "" for a feed or region."""

    alert_id: str
    tenant: str
    asset_id: str
    asset: str
    lease_id: str | None
    rule: str
    subject: str | None
    severity: str
    status: str
    opened_us: int
    updated_us: int
    closed_us: int | None
    revision: int
    evidence: dict[str, Any]
    finding_ids: tuple[str, ...]
    incident_id: str | None = None


class AlertChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an alert: the alert after it, what kind of change, who made it (`keelwing` or a key id) and why.

    `reason_kind` is a dismissal's reason in a word (`alerts.verdict`).
    """

    alert: AlertRow
    shard: int
    change: str
    actor: str
    reason: str | None = None
    before_status: str | None = None
    before_severity: str | None = None
    reason_kind: str | None = None


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event for the outbox: `body` is the whole CloudEvents object but for the endpoint's `sequence`."""

    event_id: str
    tenant: str
    type: str
    subject: str | None
    severity: str | None
    time_us: int
    body: dict[str, Any]
    commit_no: int | None = None


class LiveRow(msgspec.Struct, frozen=True, kw_only=True):
    """A finding or alert for the open pages of a tenant; `asset_id` is "" for a feed or region."""

    tenant: str
    kind: str
    asset_id: str
    body: dict[str, Any]


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A time of one asset's life, both ends included."""

    asset_id: str
    from_us: int
    to_us: int


class MemberRow(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as it stands, as far as incidents are concerned; `asset_id` is "" for a feed or region."""

    finding_id: str
    tenant: str
    asset_id: str
    asset: str
    rule: str
    severity: str
    opened_us: int
    closed_us: int | None


class IncidentRow(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of one asset that are told as one, in order of time; `retracted` when nothing serious is left of them.

    `merged_into` names the incident that took them over. `closed_us` is None while one of them is open.
    """

    incident_id: str
    tenant: str
    shard: int
    asset_id: str
    asset: str
    severity: str
    rules: tuple[str, ...]
    opened_us: int
    closed_us: int | None
    finding_ids: tuple[str, ...]
    retracted: bool = False
    merged_into: str | None = None


class NoticeRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about telling of one revision of an alert (`alerts.telling.Notice`), with whose alert it is."""

    tenant: str
    shard: int
    alert_id: str
    revision: int
    asset_id: str
    asset: str
    finding_id: str
    incident_id: str | None
    rule: str
    severity: str
    kind: str
    verdict: str
    decided_us: int
    event_id: str | None = None
    hold_id: str | None = None
    why: dict[str, Any] = {}


class BudgetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's week of models' warnings, field for field what `alerts.budget` calls an account."""

    tenant: str
    week_us: int
    assets: int
    rate: float
    allowance: float
    carried: float
    told: int
    held_back: int
    tests: int
    rejections: tuple[int, ...]
