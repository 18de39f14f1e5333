"""What the API says of use that is billed, of reserves, return conditions and forecasts.

Money is text with two decimals (`"62315.03"`) beside its ISO 4217 code; use is a number with its unit in the name. Unknown is
null, and `reason` says why.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from api.shapes import FuelBalanceShape, Reasons, Shape, Time


class UtilizationReportShape(Shape, frozen=True, kw_only=True):
    """What a lessee or a master reported of one asset; a correction is another revision of the same id."""

    id: str
    revision: int
    lease_id: str
    asset_id: str
    asset_name: str
    kind: str
    from_: Time = msgspec.field(name="from")
    to: Time
    figures: dict[str, Any]
    signed_by: str | None
    received_at: Time
    actor: str
    recorded_at: Time
    superseded_at: Time | None


class RestatedMonthShape(Shape, frozen=True, kw_only=True):
    """A month that was reported or invoiced and turned out otherwise; receivers were told both versions."""

    from_: Time = msgspec.field(name="from")
    to: Time
    closed_by: list[str]


class ReportsWrittenShape(Shape, frozen=True, kw_only=True):
    """The reports as they now stand; `unchanged` counts those that said what was known already."""

    items: list[UtilizationReportShape]
    unchanged: int
    restated: list[RestatedMonthShape]


class ComparisonShape(Shape, frozen=True, kw_only=True):
    """One measure, reported against observed, in the measure's own unit; `reason` says why it is undecided.

    `observed` is of the time that was reported: of the month, or of the hours that a master's noon reports speak of.
    """

    measure: str
    observed: float | None
    reported: float | None
    difference: float | None
    difference_pct: float | None
    tolerance: float | None
    verdict: str
    reason: str | None


class EffectShape(Shape, frozen=True, kw_only=True):
    """One reserve account's month, priced by the report and by what was observed; `difference` is observed less reported."""

    account_id: str
    asset_id: str
    asset_name: str
    bucket: str
    currency: str
    driver: str | None
    reported_quantity: float | None
    observed_quantity: float | None
    reported_rate: Decimal | None
    observed_rate: Decimal | None
    due_on_report: Decimal | None
    due_on_observed: Decimal | None
    difference: Decimal | None
    reason: Reasons


class ReconciliationShape(Shape, frozen=True, kw_only=True):
    """A lease's month: where its report stands, each measure against telemetry, and the effect in money by currency."""

    lease_id: str
    lease_reference: str | None
    lessee: str | None
    asset_id: str
    asset_name: str
    month: str
    from_: Time = msgspec.field(name="from")
    to: Time
    status: str
    coverage: float | None
    report_coverage: float | None
    is_estimate: bool
    method: list[str]
    sources: dict[str, float]
    reports: list[str]
    comparisons: list[ComparisonShape]
    fuel_gaps: list[FuelBalanceShape]
    effects: list[EffectShape]
    effect: dict[str, Decimal]
    reason: Reasons


class ChargeShape(Shape, frozen=True, kw_only=True):
    """Minimum use or excess cycles of a month; quantities in `unit`, `amount` null where the lease names no price."""

    kind: str
    unit: str
    actual: float | None
    agreed: float | None
    billable: float | None
    excess: float | None
    rate: Decimal | None
    amount: Decimal | None
    currency: str | None
    reason: Reasons


class ChargesShape(Shape, frozen=True, kw_only=True):
    """What a lease bills beyond its rent and reserves for a month, on reported or observed use."""

    lease_id: str
    month: str
    from_: Time = msgspec.field(name="from")
    to: Time
    basis: str
    coverage: float | None
    is_estimate: bool
    method: list[str]
    sources: dict[str, float]
    items: list[ChargeShape]
    reason: Reasons


class ReserveAccountShape(Shape, frozen=True, kw_only=True):
    """One bucket of a lease. `owed` is what the lessee has yet to pay in, `held` what a claim may draw on."""

    id: str
    lease_id: str
    asset_id: str
    asset_name: str
    bucket: str
    currency: str
    driver: str | None
    terms: dict[str, Any] | None
    priced_from: str | None
    priced_to: str | None
    accrued: Decimal
    paid_in: Decimal
    owed: Decimal
    claimed: Decimal
    paid_out: Decimal
    retained: Decimal
    held: Decimal
    entries: int
    opened_at: Time
    reason: Reasons


class ReserveRateShape(Shape, frozen=True, kw_only=True):
    """How a bucket is priced in months that begin from one day to before another."""

    account_id: str
    terms: dict[str, Any]
    priced_from: str
    priced_to: str | None
    actor: str
    recorded_at: Time


class ReserveEntryShape(Shape, frozen=True, kw_only=True):
    """One line of the ledger, with the names an accounting system books by; `quantity` in `unit`, `rate` per unit."""

    id: str
    lease_id: str
    lease_reference: str | None
    lessee: str | None
    asset_id: str
    asset_name: str
    account_id: str
    bucket: str
    kind: str
    month: str | None
    quantity: Decimal | None
    unit: str | None
    rate: Decimal | None
    amount: Decimal
    currency: str
    at: Time
    entered_at: Time
    actor: str
    claim_id: str | None
    reverses: str | None
    workings: dict[str, Any]


class AccruedLineShape(Shape, frozen=True, kw_only=True):
    """One account's line of a month: `change` is `accrued`, `adjusted` (by `booked`), `unchanged` or `left_out` with a reason."""

    account_id: str
    asset_id: str
    asset_name: str
    bucket: str
    currency: str
    driver: str | None
    quantity: Decimal | None
    rate: Decimal | None
    amount: Decimal | None
    change: str
    booked: Decimal | None
    entry_id: str | None
    taken_from: str | None
    coverage: float | None
    workings: dict[str, Any]
    reason: Reasons


class AccrualRunShape(Shape, frozen=True, kw_only=True):
    """A month's lines after an accrual run; asked again it books nothing but what changed. `total` by currency."""

    lease_id: str
    month: str
    from_: Time = msgspec.field(name="from")
    to: Time
    basis: str
    revision: int
    lines: list[AccruedLineShape]
    total: dict[str, Decimal]
    left_out: int
    restated: list[RestatedMonthShape]


class ClaimShape(Shape, frozen=True, kw_only=True):
    """What a claim comes to: `from_bucket` leaves the account, `lessor_contribution` is the lessor's own money."""

    account_id: str
    claim_id: str | None
    payout_id: str | None
    invoice: Decimal
    excluded: Decimal
    eligible: Decimal
    lessor_share: float
    lessor_contribution: Decimal
    from_bucket: Decimal
    paid: Decimal
    shortfall: Decimal
    held_after: Decimal
    currency: str


class ReturnConditionShape(Shape, frozen=True, kw_only=True):
    """One requirement of redelivery and whether it is met; `evidence` names the documents, `due_on` a day."""

    id: str
    revision: int
    lease_id: str
    requirement: str
    status: str
    evidence: dict[str, Any]
    due_on: str | None
    actor: str
    recorded_at: Time


class ReturnLineShape(Shape, frozen=True, kw_only=True):
    """One item's share of life left at a day, against its reference; `amount` negative: the lessee owes it."""

    asset_id: str
    asset_name: str
    component: str
    item: str
    serial_no: str | None
    driver: str
    limit: float
    used: float
    remaining: float
    reference: float | None
    cost: Decimal | None
    currency: str | None
    amount: Decimal | None
    assumption: str
    reason: Reasons


class ReturnTotalShape(Shape, frozen=True, kw_only=True):
    """What the lines of one currency come to: `lessee_pays` by the lease's direction, negative: the lessor pays."""

    currency: str
    two_way: Decimal
    one_way: Decimal
    lessee_pays: Decimal
    by_component: dict[str, Decimal]


class ReturnCompensationShape(Shape, frozen=True, kw_only=True):
    """Compensation at redelivery, item by item and never pooled, as of a day; `unknown` items are left out of the totals."""

    lease_id: str
    asset_id: str
    as_of: Time
    basis: str
    direction: str
    lines: list[ReturnLineShape]
    totals: list[ReturnTotalShape]
    unknown: int
    is_estimate: bool
    coverage: float | None
    method: list[str]
    open_conditions: int
    reason: Reasons


class LifeLimitShape(Shape, frozen=True, kw_only=True):
    """An interval or a life, in its driver's unit, and how much of it was used when it was counted."""

    id: str
    asset_id: str
    asset_name: str
    item: str
    serial_no: str | None
    kind: str
    driver: str
    limit: float
    used: float
    counted_at: Time
    cost: Decimal | None
    currency: str | None
    recorded_at: Time


class DueShape(Shape, frozen=True, kw_only=True):
    """When one driver gets to its limit: `per_day` is the use assumed, `days` from the forecast's day, `on` a day."""

    driver: str
    limit: float
    used: float
    remaining: float | None
    per_day: float | None
    days: float | None
    on: str | None
    assumption: str
    reason: Reasons


class ForecastShape(Shape, frozen=True, kw_only=True):
    """The next event of an item, by the earliest of its drivers; `on` null: no driver gets there, and `reason` says why.

    `installed_on` is the asset that it sits on in `position`, both null for what sits on none.
    """

    asset_id: str
    asset_name: str
    installed_on: str | None
    position: str | None
    item: str
    serial_no: str | None
    kind: str
    as_of: Time
    governing: str | None
    on: str | None
    days: float | None
    overdue: bool
    drivers: list[DueShape]
    cost: Decimal | None
    currency: str | None
    coverage: float | None
    is_estimate: bool
    method: list[str]
    reason: Reasons
