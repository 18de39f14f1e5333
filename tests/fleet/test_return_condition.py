"""Compensation at redelivery: per component and per part, two-way and one-way, half-life, full life and mirror."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.return_condition import LifeUse, adjust, adjustment_amount, remaining, settle
from tests.fleet.fix_vectors import vector

PARTS = {"fan_booster": (1_200_000, 30_000), "core": (1_900_000, 20_000), "lpt": (1_100_000, 25_000)}
UNITS = {"airframe_6y": "month", "airframe_12y": "month", "landing_gear": "month", "apu": "apuh"}
uses = st.lists(
    st.builds(
        LifeUse,
        component=st.sampled_from(["airframe", "engine 1", "engine 2"]), item=st.text(max_size=5), driver=st.just("fh"),
        limit=st.integers(1, 20_000).map(Decimal), used=st.integers(0, 25_000).map(Decimal),
        cost=st.decimals(0, 5_000_000, places=2),
    ),
    max_size=12,
)  # fmt: skip


def number(value: Any) -> Decimal:
    return Decimal(str(value))


def component(name: str) -> LifeUse:
    row = vector("AC12_half_life")["rows"][name]
    driver: Any = UNITS.get(name, "fh")
    return LifeUse(
        component=name, item=name, driver=driver, limit=number(row["limit"]), used=number(row["used"]), cost=number(row["cost"])
    )  # fmt: skip


def engine_parts() -> list[LifeUse]:
    return [
        LifeUse(component="engine1_llp", item=part, driver="fc", limit=Decimal(limit), used=Decimal(12_400), cost=Decimal(price))
        for part, (price, limit) in PARTS.items()
    ]


COMPONENTS = ("airframe_6y", "airframe_12y", "landing_gear", "engine1_pr", "engine2_pr", "apu")


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_is_settled_against_half_and_against_full_life(name: str) -> None:
    row, use = vector("AC12_half_life")["rows"][name], component(name)

    assert float(remaining(use.limit, use.used)) == pytest.approx(row["remaining"], rel=1e-5)
    assert adjust(use, "half_life").amount == number(row["adj_half"])
    assert adjust(use, "full_life").amount == number(row["adj_full"])


def test_life_limited_parts_are_settled_part_by_part_and_never_as_a_pool() -> None:
    row = vector("AC12_half_life")["rows"]["engine1_llp"]
    each = [adjust(use, "half_life") for use in engine_parts()]

    assert {one.item: one.amount for one in each} == {part: number(amount) for part, amount in row["parts"].items()}
    settled = settle(each).by_component["engine1_llp"]
    assert settled == number(row["adj_half"])
    assert settled != number(row["wrong_pooled"])


def test_two_way_nets_both_signs_and_one_way_counts_what_the_lessee_owes() -> None:
    golden = vector("AC12_half_life")
    settled = settle([adjust(use, "half_life") for use in [*map(component, COMPONENTS), *engine_parts()]])

    assert settled.two_way == number(golden["two_way_total"])
    assert settled.one_way == number(golden["one_way_lessee_pays"])
    assert settled.lessee_pays("two_way") == -number(golden["two_way_total"])
    assert settled.lessee_pays("one_way") == number(golden["one_way_lessee_pays"])


def test_mirror_compares_with_the_share_at_delivery() -> None:
    golden = vector("AC13_mirror")
    amount = adjustment_amount(
        number(golden["redelivery_remaining"]), number(golden["delivery_remaining"]), number(golden["cost"])
    )  # fmt: skip

    assert amount == number(golden["adj"])


def test_mirror_without_the_share_at_delivery_is_unknown_and_left_out_by_name() -> None:
    one = adjust(component("apu"), "mirror")
    settled = settle([one, adjust(component("landing_gear"), "half_life")])

    assert (one.amount, one.reason) == (None, "delivery_condition_unknown")
    assert settled.two_way == 40_000
    assert settled.unknown == 1


def test_an_overrun_limit_costs_more_than_the_whole_event() -> None:
    overrun = LifeUse(component="apu", item="apu", driver="apuh", limit=Decimal(100), used=Decimal(110), cost=Decimal(1000))

    assert adjust(overrun, "full_life").amount == -1100


@settings(max_examples=80, deadline=None)
@given(uses=uses)
def test_two_way_is_the_sum_and_one_way_never_asks_less(uses: list[LifeUse]) -> None:
    each = [adjust(use, "half_life") for use in uses]
    settled = settle(each)

    assert settled.two_way == sum((one.amount or 0 for one in each), Decimal(0))
    assert settled.one_way >= max(Decimal(0), settled.lessee_pays("two_way"))


@settings(max_examples=60, deadline=None)
@given(uses=uses)
def test_full_life_asks_of_the_lessee_what_half_life_asks_and_more(uses: list[LifeUse]) -> None:
    half, full = (settle([adjust(use, basis) for use in uses]) for basis in ("half_life", "full_life"))

    assert full.lessee_pays("two_way") >= half.lessee_pays("two_way")
