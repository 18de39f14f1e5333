"""Return conditions: what of each component's life is left at redelivery, and who pays whom for the difference.

`remaining = (limit − used) / limit`, `adjustment = (remaining − reference) × event cost`: positive in the lessee's favour,
negative owed by the lessee. Every component and every life-limited part counts by itself: pooling parts of different lives is a
known drafting error and gives another figure (domain.md 1.4, 1.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from fleet.money import ZERO, cents, total
from fleet.utilization import Driver

Basis = Literal["half_life", "full_life", "mirror"]
Direction = Literal["two_way", "one_way"]

REFERENCES: dict[str, Decimal] = {"half_life": Decimal("0.5"), "full_life": Decimal(1)}
"""Share of life that a component is to have at redelivery (domain.md 1.5); `mirror` takes each component's own at delivery."""

CHECKLIST: dict[str, str] = {
    "fresh_check": "Fresh heavy check, or the agreed clearance period to the next",
    "engine_serviceable": "Engines serviceable, not on watch, without a reduced inspection interval",
    "engine_to_shop_visit": "Each engine with the agreed flight hours and cycles to the next expected shop visit",
    "llp_minimum_cycles": "Each life-limited part with the agreed cycles left",
    "borescope": "Borescope inspection and power run of engines and APU",
    "ad_sb_compliance": "Airworthiness directives and mandatory service bulletins complied with",
    "no_deferred_defects": "No deferred or carried-forward defects",
    "llp_traceability": "Life-limited parts traceable back to birth",
    "records": "Complete records in the agreed form",
    "export_certificate": "Export certificate of airworthiness",
    "deregistration": "De-registration, and release of the IDERA",
}
"""The usual checklist of an aircraft's redelivery (domain.md 1.5 [V, K]); a lease adds, changes and waives."""


class ReturnTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a lease says of compensation at redelivery. `mirror`: share of life at delivery, by `COMPONENT/ITEM` or item."""

    basis: Basis = "half_life"
    direction: Direction = "two_way"
    mirror: dict[str, Decimal] = {}


class LifeUse(msgspec.Struct, frozen=True, kw_only=True):
    """A limit and its use. `component` is what nets inside itself (`engine 1 llp`), `item` the check or the part.

    `limit` and `used` in the driver's unit, `cost` of the event or of a new part; `delivered_remaining` for a mirror.
    """

    component: str
    item: str
    driver: Driver
    limit: Decimal
    used: Decimal
    cost: Decimal
    delivered_remaining: Decimal | None = None


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """One item's share of life left, and the money for its distance to the reference. None is unknown, `reason` says why."""

    component: str
    item: str
    remaining: Decimal
    reference: Decimal | None
    amount: Decimal | None
    reason: str | None = None


def remaining(limit: Decimal, used: Decimal) -> Decimal:
    """Share of life that is left, unrounded; negative once overrun (domain.md 1.5). Raises ValueError without a limit."""
    if limit <= 0:
        raise ValueError("a limit is positive")
    return (limit - used) / limit


def adjustment_amount(left: Decimal, reference: Decimal, cost: Decimal, currency: str = "USD") -> Decimal:
    """(remaining − reference) × event cost, to cents (domain.md 1.5, golden AC12 and AC13)."""
    return cents((left - reference) * cost, currency)


def adjust(use: LifeUse, basis: Basis, currency: str = "USD") -> Adjustment:
    """One component's or one part's adjustment. Under `mirror` one whose share at delivery nobody wrote down is unknown."""
    left = remaining(use.limit, use.used)
    reference = use.delivered_remaining if basis == "mirror" else REFERENCES[basis]
    if reference is None:
        return Adjustment(
            component=use.component, item=use.item, remaining=left, reference=None, amount=None,
            reason="delivery_condition_unknown",
        )  # fmt: skip
    amount = adjustment_amount(left, reference, use.cost, currency)
    return Adjustment(component=use.component, item=use.item, remaining=left, reference=reference, amount=amount)


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What all adjustments come to.

    `by_component` nets the items of one component (an engine's life-limited parts, part by part). `two_way` nets all of them, its
    sign as the adjustments'; `one_way` is what the lessee pays when only what it owes counts, never negative. `unknown` says how
    many items are left out because nobody knows them.
    """

    by_component: dict[str, Decimal]
    two_way: Decimal
    one_way: Decimal
    unknown: int

    def lessee_pays(self, direction: Direction) -> Decimal:
        """What the lessee pays the lessor; negative: the lessor pays (two-way only)."""
        return self.one_way if direction == "one_way" else -self.two_way


def settle(adjustments: Iterable[Adjustment]) -> Settlement:
    """Net adjustments: two-way ("upsy-downsy") and one-way (domain.md 1.5, golden AC12)."""
    each = list(adjustments)
    known = [(one.component, one.amount) for one in each if one.amount is not None]
    by_component: dict[str, Decimal] = {}
    for component, amount in known:
        by_component[component] = by_component.get(component, ZERO) + amount
    owed: Sequence[Decimal] = [-amount for amount in by_component.values() if amount < 0]
    return Settlement(
        by_component=by_component, two_way=total(by_component.values()), one_way=total(owed), unknown=len(each) - len(known)
    )  # fmt: skip
