"""From limits and their use to compensation at redelivery, as the API says it. Pure: no query, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from api.billing_shapes import number
from api.money_shapes import ReturnCompensationShape, ReturnLineShape, ReturnTotalShape
from fleet.forecast import WornLimit, months_between
from fleet.instants import DAY_US, to_datetime, to_rfc3339
from fleet.money import ZERO
from fleet.practice import Practice
from fleet.return_condition import Adjustment, Basis, Direction, LifeUse, ReturnTerms, adjust, remaining, settle
from fleet.utilization import is_estimate


class Weighed(NamedTuple):
    """What is weighed: limits as of an instant, the lease's terms or what was asked instead, and to when it is forecast."""

    lease_id: str
    asset_id: str
    worn: Sequence[WornLimit]
    terms: ReturnTerms
    basis: Basis
    direction: Direction
    as_of_us: int
    end_us: int | None
    open_conditions: int
    practice: Practice


def compensation_shape(asked: Weighed) -> ReturnCompensationShape:
    """Every item with a price against its reference; of an item with several drivers the one with least life left counts."""
    lines: list[ReturnLineShape] = []
    by_currency: dict[str, list[Adjustment]] = {}
    for group in _items(asked):
        used = [(each, _used(each, asked)) for each in group]
        known = [(each, value) for each, value in used if value is not None]
        governing, value = min(known or [(group[0], group[0].used)], key=lambda pair: remaining(pair[0].limit, pair[1]))
        line, adjustment = _line(governing, value, asked, forecast_known=len(known) == len(used), of=len(group))
        lines.append(line)
        if adjustment is not None and governing.currency is not None:
            by_currency.setdefault(governing.currency, []).append(adjustment)
    coverages = [each.coverage for each in asked.worn if each.coverage is not None]
    coverage = min(coverages, default=None)
    at_us = asked.as_of_us if asked.end_us is None else asked.end_us
    reason = {} if lines else {"lines": "no_life_limits"}
    if coverage is None:
        reason["coverage"] = "nothing_counted_by_use"
    estimated = asked.end_us is not None or (coverage is not None and is_estimate(coverage, _day(asked.as_of_us), asked.practice))
    return ReturnCompensationShape(
        lease_id=asked.lease_id, asset_id=asked.asset_id, as_of=to_rfc3339(at_us), basis=asked.basis,
        direction=asked.direction, lines=lines, totals=[_total(*each, asked) for each in sorted(by_currency.items())],
        unknown=sum(each.amount is None for each in lines), is_estimate=estimated, coverage=coverage,
        method=sorted({method for each in asked.worn for method in each.methods}), open_conditions=asked.open_conditions,
        reason=reason,
    )  # fmt: skip


def _items(asked: Weighed) -> list[list[WornLimit]]:
    groups: dict[tuple[str, str, str], list[WornLimit]] = {}
    for each in asked.worn:
        groups.setdefault(each.key, []).append(each)
    return list(groups.values())


def _used(each: WornLimit, asked: Weighed) -> Decimal | None:
    """Use at the day that is weighed; None where it cannot be forecast to then."""
    if asked.end_us is None or asked.end_us <= asked.as_of_us:
        return each.used
    if each.driver == "month":
        return each.used + months_between(_day(asked.as_of_us), _day(asked.end_us))
    if each.per_day is None:
        return None
    return each.used + each.per_day * (asked.end_us - asked.as_of_us) / DAY_US


def _line(
    each: WornLimit, used: Decimal, asked: Weighed, *, forecast_known: bool, of: int
) -> tuple[ReturnLineShape, Adjustment | None]:  # fmt: skip
    mirror = asked.terms.mirror
    delivered = mirror.get(f"{each.asset_name}/{each.item}", mirror.get(each.item))
    adjustment = None
    reason = {}
    if each.cost is None or each.currency is None:
        reason = {"amount": "cost_unknown"}
    elif not forecast_known:
        reason = {"amount": "rate_unknown"}
    else:
        use = LifeUse(
            component=each.component_key, item=each.serial_no or each.item, driver=each.driver, limit=each.limit, used=used,
            cost=each.cost, delivered_remaining=delivered,
        )  # fmt: skip
        adjustment = adjust(use, asked.basis, each.currency)
        reason = {} if adjustment.reason is None else {"amount": adjustment.reason, "reference": adjustment.reason}
    assumption = each.assumption if of == 1 else f"{each.assumption}; the least of {of} drivers"
    line = ReturnLineShape(
        asset_id=each.asset_id, asset_name=each.asset_name, component=each.component_key, item=each.item,
        serial_no=each.serial_no, driver=each.driver, limit=float(each.limit), used=number(used) or 0.0,
        remaining=number(remaining(each.limit, used)) or 0.0,
        reference=None if adjustment is None else number(adjustment.reference), cost=each.cost, currency=each.currency,
        amount=None if adjustment is None else adjustment.amount, assumption=assumption, reason=reason,
    )  # fmt: skip
    return line, adjustment


def _total(currency: str, adjustments: Sequence[Adjustment], asked: Weighed) -> ReturnTotalShape:
    settled = settle(adjustments)
    return ReturnTotalShape(
        currency=currency, two_way=settled.two_way, one_way=settled.one_way,
        lessee_pays=settled.lessee_pays(asked.direction) + ZERO, by_component=settled.by_component,
    )  # fmt: skip


def _day(time_us: int) -> date:
    return to_datetime(time_us).date()
