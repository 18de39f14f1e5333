"""What the API says, as structs: the wire shapes of the contract and, through msgspec, their JSON schemas.

Unknown is null, and `reason` then names the field and says why (`{"weight": "no_displacement_model"}`). Instants are
RFC 3339 with `Z`. A struct here is a promise to clients: fields are added, never renamed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Severity = Literal["info", "warning", "critical"]
Reasons = dict[str, str]
Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all: immutable, made by name."""


class IdentifierShape(Shape, frozen=True, kw_only=True):
    """What the air or a paper calls an asset, and when; null bounds are open, `valid_to` is exclusive."""

    scheme: str
    value: str
    valid_from: Time | None
    valid_to: Time | None
    recorded_at: Time | None = None
    source: str | None = None
    warning: str | None = None


class InstallationShape(Shape, frozen=True, kw_only=True):
    """A component on its parent, and when; null bounds are open, `valid_to` is exclusive."""

    asset_id: str
    class_: str = msgspec.field(name="class")
    name: str
    type: str | None
    parent_id: str
    parent_name: str
    position: str
    valid_from: Time | None
    valid_to: Time | None
    recorded_at: Time
    source: str


class LeaseShape(Shape, frozen=True, kw_only=True):
    """Who has the asset when. `valid_to` is exclusive; null is open."""

    id: str
    lessee: str
    lessee_name: str
    form: str
    valid_from: Time | None
    valid_to: Time | None
    recorded_at: Time | None = None


class AssetShape(Shape, frozen=True, kw_only=True):
    """An asset of the key's tenant."""

    id: str
    class_: str = msgspec.field(name="class")
    name: str
    type: str | None
    identifiers: list[IdentifierShape]
    stage: str | None
    current_lease: LeaseShape | None
    particulars: dict[str, Any]
    created_at: Time
    reason: Reasons


class ReportedShape(Shape, frozen=True, kw_only=True):
    """The newest identity or voyage report as the air said it, unchecked: it changes nothing of the asset's own names.

    `identifier` is the `scheme:value` that was spoken of; `particulars` are `name`, `call_sign`, `destination` … as reported.
    """

    time: Time
    source: str
    identifier: str
    particulars: dict[str, Any]


class DeviceStatusShape(Shape, frozen=True, kw_only=True):
    """What a device last said of itself; `since` is when (wall time of reception) it began to say so."""

    identifier: str
    online: bool
    since: Time


class AssetDetailShape(AssetShape, frozen=True, kw_only=True):
    """An asset of the key's tenant, with what the air last reported of its identity and whether its device is online."""

    reported: ReportedShape | None
    device_status: DeviceStatusShape | None


class PointShape(Shape, frozen=True, kw_only=True):
    """GeoJSON Point, WGS 84, longitude first."""

    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float]


class SpeedShape(Shape, frozen=True, kw_only=True):
    """Speed over ground; the unit is the class's own (`kn`, or `km/h` for trainsets)."""

    value: float
    unit: str


class AltitudeShape(Shape, frozen=True, kw_only=True):
    """Pressure altitude on 1013.25 hPa."""

    value: float
    unit: Literal["ft"] = "ft"
    datum: Literal["1013.25 hPa"] = "1013.25 hPa"


class WeightShape(Shape, frozen=True, kw_only=True):
    """What a ship weighs at the draught that her crew typed: displacement and deadweight in tonnes.

    `method` is how it was found, best first `hydrostatic_table`, `tpc`, `block_coefficient`, `class_prior`, and `confidence` how
    far that carries (`high`, `medium`, `low`); `loading` is `laden`, `partial` or `ballast` by draught, or `unknown`.
    """

    displacement_t: float
    method: str
    confidence: str
    deadweight_t: float | None
    loading: str
    reason: Reasons = {}


class CoverageShape(Shape, frozen=True, kw_only=True):
    """How well the asset is heard: `quality` is `heard`, `stale` or `silent`; `count_24h` readings in 24 h before `time`."""

    quality: str
    last_heard_at: Time


class StateShape(Shape, frozen=True, kw_only=True):
    """The last word about an asset. `age_s` counts from `time` to the answer; every part says its own time where it differs."""

    asset_id: str
    time: Time | None
    age_s: float | None
    position: PointShape | None
    position_time: Time | None
    course_deg: float | None
    speed: SpeedShape | None
    altitude: AltitudeShape | None
    draught_m: float | None
    weight: WeightShape | None
    operating_status: str | None
    stage: str | None
    lease: LeaseShape | None
    coverage: CoverageShape | None
    channels: dict[str, float] | None
    reason: Reasons


class FindingShape(Shape, frozen=True, kw_only=True):
    """One line of the contract's findings, with the asset's own key behind it."""

    rule: str
    severity: Severity
    asset: str
    subject: str | None
    opened_at: Time
    closed_at: Time | None
    detected_at: Time
    score: float | None
    evidence: dict[str, Any]
    id: str
    revision: int
    rule_version: int
    asset_id: str | None
    retracted: bool = False


class AlertShape(Shape, frozen=True, kw_only=True):
    """An alert episode. `asset` is `scheme:value` as the readings named it; `lease_id` is the lease it happened under."""

    id: str
    rule: str
    subject: str | None
    severity: Severity
    status: str
    asset_id: str | None
    asset: str | None
    lease_id: str | None
    opened_at: Time
    updated_at: Time
    closed_at: Time | None
    revision: int
    evidence: dict[str, Any]
    reason: Reasons


class AlertRevisionShape(Shape, frozen=True, kw_only=True):
    """One change of an alert: who did it and why; `actor` is `keelwing` or `key:` and the key's id."""

    revision: int
    change: str
    actor: str
    status_before: str | None
    status_after: str | None
    severity_after: str | None
    at: Time
    comment: str | None


class CommentShape(Shape, frozen=True, kw_only=True):
    """Something a person wrote under an alert."""

    id: str
    alert_id: str
    at: Time
    author: str
    text: str


class WebhookShape(Shape, frozen=True, kw_only=True):
    """An endpoint. `secret` is given once, when it is made or rotated; afterwards null with a reason."""

    id: str
    url: str
    description: str
    types: list[str]
    severity_min: Severity | None
    status: Literal["enabled", "disabled"]
    disabled_at: Time | None
    disabled_reason: str | None
    created_at: Time
    previous_secret_until: Time | None
    pending: int
    failed: int
    secret: str | None
    reason: Reasons


class AttemptShape(Shape, frozen=True, kw_only=True):
    """One request to an endpoint; `status_code` is null when no answer came, and `error` says why."""

    id: str
    event_id: str
    event_type: str | None
    attempt: int
    trigger: str
    started_at: Time
    duration_ms: int
    status_code: int | None
    error: str | None
    response_excerpt: str | None
    delivery_state: str | None


class ReplayShape(Shape, frozen=True, kw_only=True):
    """How many things were put in line again; `request_id` names a request that the worker takes up, where there is one."""

    accepted: int
    request_id: str | None = None


class FeedCounts(Shape, frozen=True, kw_only=True):
    """What became of everything received: received = stored + duplicate + rejected + traffic."""

    received: int
    stored: int
    late: int
    duplicate: int
    rejected: int
    traffic: int
    static_received: int
    static_duplicate: int
    unknown_fields: int


class NulledShape(Shape, frozen=True, kw_only=True):
    """How often an optional field came with a value that was made null, by reason; the readings themselves were kept."""

    field: str
    reason_code: str = msgspec.field(name="reason")
    count: int


class OriginShape(Shape, frozen=True, kw_only=True):
    """Who speaks of an asset: `feed:NAME`, or a device by its `scheme:value`.

    `readings` are the asset's own. The counters tell what became of everything a device sent; a feed's are counted for all
    it speaks of and stand with the feed, so they are null here.
    """

    origin: str
    readings: int
    positions: int
    received: int | None
    stored: int | None
    late: int | None
    duplicate: int | None
    rejected: int | None
    nulled: list[NulledShape] | None
    device_status: DeviceStatusShape | None
    reason: Reasons


class AssetCoverageShape(Shape, frozen=True, kw_only=True):
    """How well an asset is heard, and by whom. `origins` is the tenant's own affair: null for a lessee."""

    asset_id: str
    first_time: Time | None
    last_time: Time | None
    readings: int
    positions: int
    origins: list[OriginShape] | None
    reason: Reasons


class FeedShape(Shape, frozen=True, kw_only=True):
    """A feed: what it last said of itself, when the tenant's assets were last heard on it, its clock and counters.

    `clock_time` is wall time of the answer for a live feed and the largest reading time for a recording. Counters are null
    for a feed of the operator, which other tenants share; so is `nulled`, the optional fields made null, by field and reason.
    """

    name: str
    owner: Literal["tenant", "operator"]
    status: Literal["online", "offline"] | None
    status_at: Time | None
    last_received_at: Time | None
    assets_heard: int
    clock: Literal["live", "recording"]
    clock_time: Time | None
    counts: FeedCounts | None
    nulled: list[NulledShape] | None
    reason: Reasons


class RejectionShape(Shape, frozen=True, kw_only=True):
    """A message, or one element of it, that was no reading. `payload_text` is null where the bytes are no UTF-8."""

    id: str
    topic: str
    element: int | None
    reason_code: str = msgspec.field(name="reason")
    detail: str
    payload_text: str | None
    payload_base64: str
    received_at: Time
    replayed_at: Time | None


class RejectionCountShape(Shape, frozen=True, kw_only=True):
    """Rejections kept, by reason."""

    reason: str
    count: int
    replayed: int
    first_received_at: Time
    last_received_at: Time


class StagePeriodShape(Shape, frozen=True, kw_only=True):
    """A stage of an asset's life and what began it: `because` is the milestone, `basis` how it is known."""

    stage: str
    valid_from: Time | None
    valid_to: Time | None
    because: str
    basis: Literal["contract", "reported", "observed", "registration"]
    source: str
    recorded_at: Time | None


class UseFiguresShape(Shape, frozen=True, kw_only=True):
    """Use inside a stretch. `coverage` is observed time by its length (0 to 1); under 0.90 `is_estimate` is true.

    `state_h` holds hours by operating state, `unknown` included, and adds up to `period_h`. `flight_h` and `cycles` are of
    aircraft, by `attribution` of flights that cross an edge; distances are geodesic. `sources` counts readings by source.
    """

    period_h: float
    state_h: dict[str, float]
    distance_nm: float | None
    laden_nm: float | None
    ballast_nm: float | None
    flight_h: float | None
    cycles: int | None
    attribution: str | None
    coverage: float
    is_estimate: bool
    method: str
    sources: dict[str, float]
    reason: Reasons


class LeasePeriodShape(Shape, frozen=True, kw_only=True):
    """A tenure with the paper behind it and the use inside it; null tenure bounds: not yet delivered, or still running.

    `term_from` and `term_to` are what the contract promises; `days_to_redelivery` counts from the asked instant to `term_to` of a
    tenure in force, negative in holdover.
    """

    lease_id: str
    reference: str | None
    form: str
    head: bool
    parent_lease_id: str | None
    lessee: str | None
    lessee_name: str | None
    signed_on: str | None
    term_from: Time | None
    term_to: Time | None
    valid_from: Time | None
    valid_to: Time | None
    in_force: bool
    days_to_redelivery: float | None
    use: UseFiguresShape | None
    source: str
    recorded_at: Time | None
    reason: Reasons


class SaidShape(Shape, frozen=True, kw_only=True):
    """One instant given for a milestone: by whom, where, and since when we know."""

    at: Time
    source: str
    place: str | None
    movement: str | None
    recorded_at: Time | None


class MilestoneShape(Shape, frozen=True, kw_only=True):
    """A milestone as promised, as reported and as observed. `days_late`: reported less promised; `words`: in one line."""

    kind: str
    lease_id: str | None
    at: Time
    contract: SaidShape | None
    reported: SaidShape | None
    observed: SaidShape | None
    days_late: float | None
    words: str
    reason: Reasons


class MaintenanceShape(Shape, frozen=True, kw_only=True):
    """A check, shop visit, dry-docking or survey, planned and done; `use_at` is the use counted then, money is text."""

    id: str
    kind: str
    planned_from: Time | None
    planned_to: Time | None
    actual_from: Time | None
    actual_to: Time | None
    place: str | None
    use_at: dict[str, Any]
    cost_amount: str | None
    currency: str | None
    source: str
    recorded_at: Time | None


class GapShape(Shape, frozen=True, kw_only=True):
    """A silence that detection looked at, and its verdict (`dark`, `no_coverage`, `feed_down`, `parked`, `unknown`)."""

    id: str
    severity: Severity
    verdict: str | None
    opened_at: Time
    closed_at: Time | None
    source: str
    recorded_at: Time | None


class LifeAlertShape(Shape, frozen=True, kw_only=True):
    """An alert in an asset's life, as it stood at `known_at`."""

    id: str
    rule: str
    subject: str | None
    severity: Severity
    status: str
    lease_id: str | None
    opened_at: Time
    closed_at: Time | None
    source: str
    recorded_at: Time | None


class LifecycleShape(Shape, frozen=True, kw_only=True):
    """An asset's life as it is known: stages, tenures and their use, milestones, maintenance, names, silences, alerts, state.

    `use` is over the whole life, `use_off_lease` what lies in no head tenure. `leases` are the tenures as rows of the lease,
    `lease_periods` the same with paper and use, papers without a tenure included. `gaps` and `alerts` hold the newest;
    `truncated` names the lists that were cut. `streams` counts the sources that speak of the asset.
    """

    asset_id: str
    class_: str = msgspec.field(name="class")
    name: str
    type: str | None
    stage: str | None
    registered_at: Time
    first_heard_at: Time | None
    last_heard_at: Time | None
    streams: int
    valid_at: Time
    known_at: Time | None
    days_to_redelivery: float | None
    stages: list[StagePeriodShape]
    lease_periods: list[LeasePeriodShape]
    milestones: list[MilestoneShape]
    maintenance: list[MaintenanceShape] | None
    identifiers: list[IdentifierShape]
    leases: list[LeaseShape]
    use: UseFiguresShape | None
    use_off_lease: UseFiguresShape | None
    gaps: list[GapShape] | None
    alerts: list[LifeAlertShape] | None
    state: StateShape
    operating_status: str | None
    reported: ReportedShape | None
    device_status: DeviceStatusShape | None
    truncated: list[str]
    reason: Reasons


class ImportFaultShape(Shape, frozen=True, kw_only=True):
    """One thing wrong with an imported file: sheet (null in CSV), row as a spreadsheet numbers it, column, and what."""

    sheet: str | None
    row: int | None
    column: str | None
    detail: str


class ImportTableShape(Shape, frozen=True, kw_only=True):
    """What became of one table of an imported file."""

    sheet: str | None
    what: str
    rows: int
    added: int
    changed: int
    unchanged: int


class ImportShape(Shape, frozen=True, kw_only=True):
    """What became of an imported file. `applied` is true where it was written; counts of a dry run say what would be."""

    dry_run: bool
    applied: bool
    tables: list[ImportTableShape]
    faults: list[ImportFaultShape]
    warnings: list[ImportFaultShape]


class HealthShape(Shape, frozen=True, kw_only=True):
    """Whether the process, or all it needs, is well; `checks` says what was asked and found."""

    status: Literal["ok", "unavailable"]
    version: str
    checks: dict[str, str]
