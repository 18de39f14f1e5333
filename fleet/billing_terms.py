"""What of a lease's terms its months are billed by; the rest of the paper is not looked at here.

Names are those of the lease's terms (domain.md 5.1). What the paper is silent about has the house's default.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from fleet.return_condition import ReturnTerms
from fleet.utilization import MinimumUse


class CyclePrice(msgspec.Struct, frozen=True, kw_only=True):
    """Price of a cycle beyond what the hours allow."""

    amount: Decimal
    currency: str


class BillingTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms that a month is billed by.

    `period_attribution`: where a flight over a month's end counts (domain.md 1.1; `landing` [D]). `billing_time_zone`: the IANA
    zone in which months begin. `assumed_ratio`: FH per FC that the rent assumes. `return_terms`: compensation at redelivery.
    """

    period_attribution: Literal["landing", "takeoff", "split"] | None = None
    billing_time_zone: str = "UTC"
    min_utilization: MinimumUse | None = None
    assumed_ratio: Decimal | None = None
    excess_cycle_rate: CyclePrice | None = None
    return_terms: ReturnTerms | None = None

    @property
    def attribution(self) -> Literal["landing", "takeoff", "split"]:
        """The rule that holds."""
        return self.period_attribution or "landing"


def billing_terms(terms: Mapping[str, Any]) -> BillingTerms:
    """Out of a lease's terms as they are stored. Raises msgspec.ValidationError for terms that nobody checked."""
    return msgspec.convert(terms, BillingTerms, strict=False)
