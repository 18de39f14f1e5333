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


class AcceptedShape(Shape, frozen=True, kw_only=True):
    """What was taken over from the air: the finding that said it, and what the asset bears for it now."""

    finding_id: str
    identifiers: list[IdentifierShape]


class AreaShape(Shape, frozen=True, kw_only=True):
    """An area in one version. `geometry` is GeoJSON, cut at 180°, or a Point with `radius_m`; `own` is false for everybody's."""

    id: str
    name: str
    kind: str
    severity: str
    applies_to: list[str]
    area_set: str | None
    issuer: str
    version: str
    geometry: dict[str, Any]
    radius_m: float | None
    bbox: list[float]
    valid_from: Time | None
    valid_to: Time | None
    recorded_at: Time
    source: str
    own: bool


class InsideShape(Shape, frozen=True, kw_only=True):
    """A stretch inside an area; `fixes` counts those that were looked at one by one, 0 where whole hours lay inside."""

    from_: Time = msgspec.field(name="from")
    to: Time
    fixes: int


class PassedSilenceShape(Shape, frozen=True, kw_only=True):
    """A silence in which an asset could have been inside: the speed that takes against the one it is held capable of."""

    from_: Time = msgspec.field(name="from")
    to: Time
    silent_h: float
    last_position: PointShape | None
    next_position: PointShape | None
    last_distance_nm: float | None
    next_distance_nm: float | None
    needed_speed_kn: float
    limit_speed_kn: float


class PresenceShape(Shape, frozen=True, kw_only=True):
    """An asset that was `inside` an area, or of which it is `possible`; the evidence, and how well it was heard meanwhile."""

    asset_id: str
    class_: str = msgspec.field(name="class")
    name: str
    verdict: Literal["inside", "possible"]
    inside: list[InsideShape]
    silences: list[PassedSilenceShape]
    coverage: float
    is_estimate: bool
    method: str
    sources: list[str]
    reason: Reasons


class ImportedShape(Shape, frozen=True, kw_only=True):
    """What an import came to: areas that were new, that replaced what was there, and that were there already."""

    added: int
    replaced: int
    unchanged: int


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


class StayShape(Shape, frozen=True, kw_only=True):
    """Where an asset lay still: a call at a port (`port_call`), or a stretch of a still state.

    The states are `moored`, `anchored`, `drydock` and `drifting` of ships, `ground` of aircraft, `stabled` of trains. `ended_at`
    is null while nothing is known after it, `seen_until` the last that is known of it, `duration_h` the hours up to then.
    `coverage` is observed time by them (0 to 1); under 0.90 `is_estimate` is true. `sources` maps a source to the seconds that it
    watched. Of a call, `confidence` is 4 (entry, exit, and a stop or gap), 3 (one of entry and exit), 2 (neither), 1 (passed
    through), and `quality` `inferred_gap` where it began or ended in a silence, else `observed`.
    """

    asset_id: str
    kind: str
    place: str | None
    started_at: str
    ended_at: str | None
    seen_until: str
    duration_h: float
    confidence: int | None
    quality: str | None
    coverage: float | None
    is_estimate: bool
    method: str
    sources: dict[str, float]
    reason: Reasons = {}


class CarUseShape(Shape, frozen=True, kw_only=True):
    """A car of a trainset, its position in it, and the km that it ran there."""

    asset_id: str
    name: str
    position: str
    car_km: float


class TrainUseShape(Shape, frozen=True, kw_only=True):
    """What a trainset ran in a period, and what was counted meanwhile.

    `train_km` is its odometer's, `car_km` the sum over the cars that were in it, each for its time. `compressor_duty` is the
    compressor's time by time in service (0 to 1). `mdbf_car_km` is car-km between chargeable failures, null without any;
    `mdbf_at_least_car_km` is what it is at least. `coverage` is observed time by the period; under 0.90 `is_estimate` is true.
    `sources` are shares of the observed time.
    """

    asset_id: str
    period_from: str
    period_to: str
    train_km: float
    car_km: float | None
    cars: list[CarUseShape]
    in_service_h: float
    door_cycles: float | None
    door_cycles_per_leaf: float | None
    energy_kwh: float | None
    kwh_per_car_km: float | None
    compressor_duty: float | None
    failures: float | None
    mdbf_car_km: float | None
    mdbf_at_least_car_km: float | None
    coverage: float
    is_estimate: bool
    method: str
    sources: dict[str, float]
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


class ObligationShape(Shape, frozen=True, kw_only=True):
    """Something due on a day (UTC). `id` stays the same while it is owed, also when a forecast moves its day.

    `basis` says what fixes the day: `contract`, `rule`, `plan`, or `forecast` (then `is_estimate`). `days_left` counts from the
    day the agenda is meant at, negative once `overdue`. `detail` holds what is peculiar to the kind, units in the names.
    """

    id: str
    due_on: str
    days_left: int
    overdue: bool
    kind: str
    title: str
    basis: Literal["contract", "forecast", "rule", "plan"]
    is_estimate: bool
    window_from: str | None
    asset_id: str
    asset: str
    asset_name: str
    class_: str = msgspec.field(name="class")
    lease_id: str | None
    reference: str | None
    lessee: str | None
    detail: dict[str, Any]
    reason: Reasons


class PortfolioLeaseShape(Shape, frozen=True, kw_only=True):
    """The lease an asset is under: `term_to` is the end that the paper promises, `days_left` until then, negative in holdover."""

    id: str
    reference: str | None
    form: str
    lessee: str | None
    term_to: Time | None
    days_left: int | None


class PlanShape(Shape, frozen=True, kw_only=True):
    """The least use that the lease asks for in a period, beside what was observed and reported; in the driver's unit.

    `reported` is null where the report of one of the `months` is missing.
    """

    driver: str
    minimum: float
    observed: float
    reported: float | None
    months: int
    months_unreported: int
    reason: Reasons


class OpenAlertsShape(Shape, frozen=True, kw_only=True):
    """Alerts that wait for somebody now, acknowledged ones too."""

    critical: int
    warning: int


class PortfolioShape(Shape, frozen=True, kw_only=True):
    """One asset in one row; `use` is of [from, to), `days_known` how many of its days are known."""

    asset_id: str
    name: str
    class_: str = msgspec.field(name="class")
    type: str | None
    stage: str | None
    lease: PortfolioLeaseShape | None
    position: PointShape | None
    position_time: Time | None
    operating_status: str | None
    from_: Time | None = msgspec.field(name="from")
    to: Time | None
    use: UseFiguresShape | None
    days_known: int
    plan: PlanShape | None
    alerts_open: OpenAlertsShape
    reason: Reasons


class ChangeShape(Shape, frozen=True, kw_only=True):
    """Something recorded at `at`. `key` and `revision` name the row among its `kind`; `detail` says what it holds now."""

    at: Time
    change: Literal["became_known", "restated", "retracted", "changed"]
    kind: str
    key: str
    revision: int
    asset_id: str | None
    asset_name: str | None
    lease_id: str | None
    actor: str
    detail: dict[str, Any]
    reason: Reasons


class AlertShape(Shape, frozen=True, kw_only=True):
    """An alert episode. `asset` is `scheme:value` as the readings named it; `lease_id` is the lease it happened under.

    `incident_id` is the incident that its latest finding belongs to.
    """

    id: str
    rule: str
    subject: str | None
    severity: Severity
    status: str
    asset_id: str | None
    asset: str | None
    lease_id: str | None
    incident_id: str | None
    opened_at: Time
    updated_at: Time
    closed_at: Time | None
    revision: int
    evidence: dict[str, Any]
    reason: Reasons


class IncidentShape(Shape, frozen=True, kw_only=True):
    """Findings of one asset that explain each other, told once at their highest severity.

    `status` is `open` while one of its alerts is, else `over`; `merged` with `merged_into`, or `retracted`. `told_at_severity`
    is the highest severity that webhooks heard, null where they heard nothing. `findings`, `alerts` and `alerts_open` are
    numbers.
    """

    id: str
    revision: int
    status: Literal["open", "over", "merged", "retracted"]
    severity: Severity
    rules: list[str]
    asset_id: str | None
    asset: str
    opened_at: Time
    closed_at: Time | None
    findings: int
    alerts: int
    alerts_open: int
    told_at_severity: Severity | None
    merged_into: str | None
    reason: Reasons


class NoticeShape(Shape, frozen=True, kw_only=True):
    """What was decided about telling webhooks of one change of an alert.

    `verdict`: `told`; `same_incident` (its incident was told at this severity or above); `held` (a region or a feed explains it:
    `hold_finding_id`), later `released` in a summary or `let_go`; `not_significant` and `over_budget` (the budget of models);
    `never_told` (the end of what nobody was told of). `waits`: it may still be told. `why` names the reason and its numbers.
    """

    id: str
    alert_id: str
    revision: int
    change: str
    rule: str
    severity: Severity
    asset_id: str | None
    asset: str
    finding_id: str
    incident_id: str | None
    verdict: str
    waits: bool
    why: dict[str, Any]
    hold_finding_id: str | None
    event_id: str | None
    decided_at: Time


class IncidentStoryShape(Shape, frozen=True, kw_only=True):
    """An incident whole: its findings in order of time, its alerts, and the decisions about telling of it in their order."""

    incident: IncidentShape
    findings: list[FindingShape]
    alerts: list[AlertShape]
    notices: list[NoticeShape]


class BudgetWeekShape(Shape, frozen=True, kw_only=True):
    """A tenant's week of models' warnings: what it may tell (`allowance`, `carried`), told and held back.

    `tests` are the hypotheses tested in the week, `passed` those that passed. `measured_per_asset_month` is what was told over
    the last 30 days, to be held against `warnings_per_asset_month`; null with no assets.
    """

    week: Time
    assets: int
    warnings_per_asset_month: float
    allowance: float
    carried: float
    told: int
    held_back: int
    left: float
    tests: int
    passed: int
    measured_per_asset_month: float | None
    reason: Reasons


class AlertRevisionShape(Shape, frozen=True, kw_only=True):
    """One change of an alert: who did it and why; `actor` is `keelwing` or `key:` and a key's id; `kind` a dismissal's reason."""

    revision: int
    change: str
    actor: str
    status_before: str | None
    status_after: str | None
    severity_after: str | None
    at: Time
    comment: str | None
    kind: str | None = None


class AdjustmentShape(Shape, frozen=True, kw_only=True):
    """A threshold of one asset that a dismissal as a false alarm has widened: `value` in place of `base`, from `valid_from` on.

    `name` is the rule's setting with its unit; `at_bound`: no further dismissal widens it. Null `withdrawn_at`: it is in force.
    """

    id: str
    asset_id: str
    rule: str
    name: str
    base: float
    value: float
    at_bound: bool
    alert_id: str
    finding_id: str
    comment: str | None
    actor: str
    valid_from: Time
    recorded_at: Time
    withdrawn_at: Time | None
    withdrawn_by: str | None
    withdrawn_comment: str | None


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
    aircraft, by `attribution` of flights that cross an edge; distances are geodesic. `sources` holds observed seconds by
    source, `figures` what else a class counts (`car_km`, `door_cycles`).
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
    figures: dict[str, float]
    reason: Reasons


class UsagePeriodShape(UseFiguresShape, frozen=True, kw_only=True):
    """Use of an asset in [`period_from`, `period_to`): one of the periods that were asked for, by its month or lease."""

    period_from: Time
    period_to: Time
    month: str | None
    lease_id: str | None
    lessee_name: str | None


class JourneyShape(Shape, frozen=True, kw_only=True):
    """One flight, port call, voyage or run. `from` and `to` are an airport's ICAO code or a port's id.

    `quality` says how its ends were found (of a flight `midpoint`, `extrapolated`, `inferred_gap`, `ambiguous`: then ask for the
    lessee's report); `coverage` is observed time by its length, under 0.90 `is_estimate` is true. `flight_h` is ON - OFF,
    `block_h` IN - OUT. `figures` holds what else its kind has, unit last. `recorded_at` is when this revision was committed.
    """

    id: str
    revision: int
    kind: str
    asset: str
    started_at: Time
    ended_at: Time | None
    from_: str | None = msgspec.field(name="from")
    to: str | None
    quality: str | None
    confidence: int | None
    coverage: float | None
    is_estimate: bool | None
    method: str
    flight_h: float | None
    block_h: float | None
    cycles: int | None
    distance_nm: float
    sources: dict[str, float]
    figures: dict[str, Any]
    lease_id: str | None
    recorded_at: Time | None
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
    installations: list[InstallationShape] | None
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


class FuelUseShape(Shape, frozen=True, kw_only=True):
    """One fuel of a window in tonnes: as masters reported it, and as it is estimated for the time without a report."""

    type: str
    reported_t: float
    estimated_t: float


class CiiYearShape(Shape, frozen=True, kw_only=True):
    """A figure held against one calendar year. `boundaries` are the upper ends of A, B, C and D; `ratio` attained over required.

    All but the year are null with `reason` `not_defined` where the year has no reduction factor.
    """

    year: int
    reduction_pct: float | None
    required: float | None
    boundaries: tuple[float, float, float, float] | None
    ratio: float | None
    rating: str | None
    reason: str | None


class CiiProjectionShape(Shape, frozen=True, kw_only=True):
    """Where the calendar year ends if it goes on as the last 90 days did; as a band, by the best and the worst 30 of them."""

    year: int
    low: float
    middle: float
    high: float
    low_rating: str | None
    middle_rating: str | None
    high_rating: str | None
    required: float | None
    is_indicative: bool
    coverage: float


class AgreedCiiShape(Shape, frozen=True, kw_only=True):
    """What a charter agrees for a year (null: every year), and whether what was attained keeps it; null where that is unknown."""

    year: int | None
    attained_max: float | None
    rating_worst: str | None
    kept: bool | None
    projected_kept: bool | None


class CharterCiiShape(Shape, frozen=True, kw_only=True):
    """C/P Attained CII (BIMCO 2022): from delivery or the window's beginning to redelivery or its end, with what was agreed."""

    lease_id: str
    lessee: str
    lessee_name: str
    form: str
    from_: Time = msgspec.field(name="from")
    to: Time
    co2_t: float | None
    distance_nm: float
    attained: float | None
    years: list[CiiYearShape]
    agreed: list[AgreedCiiShape]
    coverage: float
    is_indicative: bool
    is_estimate: bool
    reason: Reasons


class CiiShape(Shape, frozen=True, kw_only=True):
    """A ship's carbon intensity over a window, unadjusted: g CO2 per capacity-mile. No verified rating.

    `capacity` is DWT in tonnes or GT as `measure` says; `is_indicative` says that fuel was not reported for more than a tenth of
    the window. `sources` are shares of it: `noon_report`, `telemetry`, `unknown`. `projection` is of the year that the window
    ends in. `eeoi_t_per_t_nm` is by the cargo of the masters' reports (MEPC.1/Circ.684).
    """

    asset_id: str
    from_: Time = msgspec.field(name="from")
    to: Time
    method: str
    ship_type: str | None
    measure: str | None
    capacity: float | None
    applies: bool | None
    co2_t: float | None
    fuel: list[FuelUseShape]
    distance_nm: float
    attained: float | None
    years: list[CiiYearShape]
    projection: CiiProjectionShape | None
    charters: list[CharterCiiShape]
    eeoi_t_per_t_nm: float | None
    coverage: float
    reported: float
    sources: dict[str, float]
    is_indicative: bool
    is_estimate: bool
    reason: Reasons


class FleetCiiShape(Shape, frozen=True, kw_only=True):
    """A ship's calendar year: attained so far with its letter, where it ends as a band, and what its charters agreed."""

    asset_id: str
    name: str
    type: str | None
    year: int
    method: str
    co2_t: float | None
    distance_nm: float
    attained: float | None
    rating: str | None
    required: float | None
    low: float | None
    low_rating: str | None
    middle: float | None
    middle_rating: str | None
    high: float | None
    high_rating: str | None
    charters: list[CharterCiiShape]
    coverage: float
    is_indicative: bool
    is_estimate: bool
    reason: Reasons


class FuelBalanceShape(Shape, frozen=True, kw_only=True):
    """Tanks that do not add up at the end of a report: `gap_t` is missing (above zero) or appeared (below)."""

    type: str
    at: Time
    gap_t: float
    tolerance_t: float
    rob_before_t: float
    bunkered_t: float
    consumed_t: float
    rob_after_t: float


class FuelSumShape(Shape, frozen=True, kw_only=True):
    """One fuel in tonnes; `consumed_t` is null with `reason` where a report of the period did not say."""

    type: str
    consumed_t: float | None
    bunkered_t: float
    reason: str | None


class FuelShape(Shape, frozen=True, kw_only=True):
    """What masters reported over a period, beside what was observed.

    `coverage` is reported time over the period's; `overlap_h` was told twice and counted once. `distance_differs` compares the
    reported distance with the observed one where both cover nine tenths of the period, else it is null.
    """

    asset_id: str
    from_: Time = msgspec.field(name="from")
    to: Time
    reports: int
    reported_h: float
    gap_h: float
    overlap_h: float
    distance_og_nm: float | None
    observed_distance_nm: float
    observed_coverage: float
    distance_differs: bool | None
    hours_underway: float | None
    fuel: list[FuelSumShape]
    co2_t: float | None
    balance: list[FuelBalanceShape]
    coverage: float
    method: str
    sources: dict[str, float]
    is_estimate: bool
    reason: Reasons


class HullPointShape(Shape, frozen=True, kw_only=True):
    """One report's speed and power. `deviation_pct` is ISO 19030's PV; `faults` say why a point is not used."""

    from_: Time = msgspec.field(name="from")
    to: Time
    speed_kn: float | None
    through_water: bool
    power_kw: float | None
    draught_m: float | None
    displacement_t: float | None
    displacement_method: str | None
    wind_bft: int | None
    slip_pct: float | None
    admiralty_coefficient: float | None
    expected_kn: float | None
    deviation_pct: float | None
    faults: list[str]
    confidence: str


class HullPerformanceShape(Shape, frozen=True, kw_only=True):
    """How fast a ship is for her power against her reference point, from noon reports; `points` are the newest.

    `in_service_pct` is the mean deviation since the last dock less that of the first 90 days after it; `maintenance_due` says
    that the last fortnight lies more than 5 percentage points below these. Null with a `reason` where points or particulars lack.
    """

    asset_id: str
    from_: Time = msgspec.field(name="from")
    to: Time
    out_of_dock_at: Time | None
    reference_speed_kn: float | None
    reference_power_kw: float | None
    reference_displacement_t: float | None
    exponent: float
    points_total: int
    points_used: int
    mean_deviation_pct: float | None
    post_dock_pct: float | None
    in_service_pct: float | None
    maintenance_due: bool | None
    points: list[HullPointShape]
    coverage: float
    method: str
    sources: dict[str, float]
    is_estimate: bool
    reason: Reasons


class OffHireShape(Shape, frozen=True, kw_only=True):
    """Time lost to the charterer: a `candidate` as heard, or what a person `confirmed` or `rejected`.

    `lost_h` is what counts as lost by the lease's rule (net or period); `counts_h` is what is left of it by the de-minimis: all
    or nothing, null for what is not confirmed or where the lease has no rule. `cause` is a person's word, or a candidate's state.
    """

    id: str
    revision: int | None
    lease_id: str
    asset_id: str
    lessee: str
    lessee_name: str
    status: Literal["candidate", "confirmed", "rejected"]
    cause: str
    from_: Time = msgspec.field(name="from")
    to: Time
    lost_h: float
    counts_h: float | None
    net_loss_h: float | None
    evidence: dict[str, Any]
    actor: str | None
    recorded_at: Time | None
    reason: Reasons


class OffHireStatementShape(Shape, frozen=True, kw_only=True):
    """Off-hire of a period of a lease with the hire to deduct. Money is text; candidates are counted, never deducted."""

    lease_id: str
    asset_id: str
    from_: Time = msgspec.field(name="from")
    to: Time
    basis: str | None
    deminimis_h: float | None
    lost_h: float
    off_hire_h: float | None
    on_hire_h: float | None
    utilization: float | None
    daily_hire: str | None
    currency: str | None
    deduction: str | None
    confirmed: int
    candidates: int
    events: list[OffHireShape]
    method: str
    reason: Reasons


class LesseeDaysShape(Shape, frozen=True, kw_only=True):
    """Days that a lessee's assets lost or lay up in a period: confirmed, proposed, and laid up, with the events behind them.

    `lay_up_d` are whole UTC days in runs of 14 or more on which an asset was watched and never on its way.
    """

    lessee: str
    lessee_name: str
    leases: int
    assets: int
    off_hire_d: float
    candidate_d: float
    lay_up_d: int
    deductions: dict[str, str]
    events: list[OffHireShape]
    reason: Reasons
