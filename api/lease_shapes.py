"""What the API says of parties, leases and milestones. Rules as in `shapes`: unknown is null and `reason` says why.

Money is text of a decimal; instants are RFC 3339 with `Z`; ranges are half-open and null bounds open.
"""

from __future__ import annotations

from typing import Any

import msgspec

from api.shapes import PointShape, Reasons, Shape, Time
from fleet.lease import Terms


class PartyShape(Shape, frozen=True, kw_only=True):
    """A company the tenant deals with. `country` is ISO 3166-1 alpha-2, `lei` ISO 17442."""

    id: str
    name: str
    country: str | None
    lei: str | None
    particulars: dict[str, Any]
    created_at: Time
    reason: Reasons


class PartyControlShape(Shape, frozen=True, kw_only=True):
    """Which company controls a party, and when."""

    id: str
    party: str
    parent: str
    parent_name: str
    valid_from: Time | None
    valid_to: Time | None
    recorded_at: Time
    source: str
    actor: str


class TenureShape(Shape, frozen=True, kw_only=True):
    """Who had an asset under a lease, and when; `valid_to` null while it lasts."""

    lessee: str
    lessee_name: str
    valid_from: Time | None
    valid_to: Time | None
    recorded_at: Time
    revision: int


class LeaseContractShape(Shape, frozen=True, kw_only=True):
    """A lease: the paper at one revision, and where its events have led at `valid_at`.

    `term_from` to `term_to` is what was promised, with options, cut where it ended early; `tenures` is who had the asset. The
    terms, and everything but its own tenure, are not for a lessee.
    """

    id: str
    asset_id: str
    reference: str | None
    form: str
    head: bool
    parent_lease_id: str | None
    phase: str
    lessee: str
    lessee_name: str
    signed_on: str | None
    term_from: Time | None
    term_to: Time | None
    delivered_at: Time | None
    ended_at: Time | None
    tenures: list[TenureShape]
    terms: Terms | None
    revision: int | None
    recorded_at: Time
    actor: str | None
    reason: Reasons


class LeaseEventShape(Shape, frozen=True, kw_only=True):
    """Something that happened to a lease. `superseded_at` is when it was corrected or withdrawn; null: it is believed."""

    id: str
    lease_id: str
    asset_id: str
    kind: str
    at: Time
    evidence: dict[str, Any]
    actor: str
    corrects: str | None
    recorded_at: Time
    superseded_at: Time | None


class LeaseTransitionShape(Shape, frozen=True, kw_only=True):
    """What came of an event: the lease as it stands, the asset's stage, events of other leases that followed, and warnings.

    `restated_months` counts months that were reported or invoiced and are now told anew (`keelwing.utilization.restated.v1`).
    """

    event_id: str | None
    lease: LeaseContractShape
    stage: str | None
    following: list[str]
    warnings: list[str]
    restated_months: int


class LeasePartyShape(Shape, frozen=True, kw_only=True):
    """A party in a role of a lease, and when."""

    id: str
    lease_id: str
    party: str
    party_name: str
    country: str | None
    role: str
    valid_from: Time | None
    valid_to: Time | None
    recorded_at: Time
    source: str
    actor: str


class TerritoryRuleShape(Shape, frozen=True, kw_only=True):
    """Where a lease lets its asset go, over a set of areas; `area_set_version` null: whatever holds at the time.

    One that is not `is_active` is on record and judged by nobody.
    """

    id: str
    lease_id: str
    revision: int
    kind: str
    event_scope: str
    area_set: str
    area_set_version: str | None
    prior_notice_h: float | None
    carve_outs: list[str]
    severity: str | None
    is_active: bool
    valid_from: Time | None
    valid_to: Time | None
    recorded_at: Time
    actor: str


class CovenantShape(Shape, frozen=True, kw_only=True):
    """A clause that can be judged by what is heard; `predicate` is of a closed set, told by its `kind`.

    One that is not `is_active` is on record and judged by nobody until it is switched on; it can be tried.
    """

    id: str
    lease_id: str
    revision: int
    clause: str
    predicate: dict[str, Any]
    severity: str
    is_active: bool
    valid_from: Time | None
    valid_to: Time | None
    recorded_at: Time
    actor: str


class BreachShape(Shape, frozen=True, kw_only=True):
    """What a clause would have raised: a finding `covenant_breach` that was not written."""

    rule: str
    severity: str
    asset: str
    subject: str | None
    opened_at: Time
    closed_at: Time | None
    detected_at: Time
    evidence: dict[str, Any]


class TrialShape(Shape, frozen=True, kw_only=True):
    """A clause over the stored readings of [from, to), as though it had been switched on while its lease was in force.

    `readings` counts those that were judged; nothing was written.
    """

    lease_id: str
    clause_id: str
    predicate: str
    from_: Time = msgspec.field(name="from")
    to: Time
    readings: int
    breaches: list[BreachShape]


class InsuranceShape(Shape, frozen=True, kw_only=True):
    """Cover of a lease in [cover_from, cover_to)."""

    id: str
    lease_id: str
    revision: int
    kind: str
    insurer: str
    agreed_value: str | None
    currency: str | None
    cover_from: Time | None
    cover_to: Time | None
    area_set: str | None
    cancellation_notice_days: int | None
    loss_payee: str | None
    certificates: list[Any]
    recorded_at: Time
    actor: str
    reason: Reasons


class AssetEventShape(Shape, frozen=True, kw_only=True):
    """A milestone of an asset, on the basis of a contract (promised), a report (told) or an observation (seen)."""

    id: str
    asset_id: str
    kind: str
    basis: str
    at: Time
    evidence: dict[str, Any]
    actor: str
    corrects: str | None
    recorded_at: Time
    superseded_at: Time | None


class AssetTransitionShape(Shape, frozen=True, kw_only=True):
    """What came of a milestone: the asset's stage, its ownership phase, and events of leases that followed."""

    event_id: str | None
    asset_id: str
    stage: str | None
    ownership_phase: str | None
    following: list[str]
    restated_months: int
    reason: Reasons


class MaintenanceShape(Shape, frozen=True, kw_only=True):
    """A check, shop visit, dry-docking or survey, planned and done; `actual_to` null while it lasts."""

    id: str
    asset_id: str
    kind: str
    planned_from: Time | None
    planned_to: Time | None
    actual_from: Time | None
    actual_to: Time | None
    place: str | None
    use_at: dict[str, Any]
    cost: str | None
    currency: str | None
    evidence: dict[str, Any]
    recorded_at: Time
    actor: str
    reason: Reasons


class ExposedAssetShape(Shape, frozen=True, kw_only=True):
    """An asset that somebody of the group has or is bound to take, and where it is."""

    asset_id: str
    name: str
    class_: str = msgspec.field(name="class")
    stage: str | None
    lease_id: str
    phase: str
    lessee: str
    lessee_name: str
    form: str
    held_since: Time | None
    term_to: Time | None
    days_to_term_end: float | None
    position: PointShape | None
    position_time: Time | None
    operating_status: str | None
    reason: Reasons


class ReserveHeldShape(Shape, frozen=True, kw_only=True):
    """One reserve account of a lease: what is held against its event, and what the lessee owes."""

    account_id: str
    lease_id: str
    asset_id: str
    asset_name: str
    bucket: str
    currency: str
    held: str
    owed: str


class DepositHeldShape(Shape, frozen=True, kw_only=True):
    """Security held for a lease."""

    lease_id: str
    amount: str
    currency: str
    held_as: str
    expires_on: str | None


class ExposureTotalShape(Shape, frozen=True, kw_only=True):
    """Sums of one currency; currencies are never added up."""

    currency: str
    reserves_held: str
    reserves_owed: str
    deposits: str


class ExposureShape(Shape, frozen=True, kw_only=True):
    """Everything a tenant has with a party and its corporate group at an instant.

    `leases_ending` are the leases that bind the group, by where their term ends, soonest first. `complete` is false where a
    list was cut at its greatest length, or the terms of a lease cannot be read and may name a deposit.
    """

    party: PartyShape
    as_of: Time
    known_at: Time | None
    group: list[PartyShape]
    assets: list[ExposedAssetShape]
    leases_ending: list[LeaseContractShape]
    reserves: list[ReserveHeldShape]
    deposits: list[DepositHeldShape]
    totals: list[ExposureTotalShape]
    insurances: list[InsuranceShape]
    complete: bool
