"""Maintenance reserves: rates, lines, the ledger, drawdown."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import maintenance_reserve as reserve
from fleet.maintenance_reserve import Entry, Exclusion, LifeLimitedPart, MonthUse, RateTerms
from tests.fleet.fix_vectors import vector

TABLE = tuple(
    (Decimal(ratio), Decimal(rate)) for ratio, rate in (("1.0", 310), ("1.5", 245), ("2.0", 205), ("2.5", 180), ("3.0", 165))
)
PARTS = (
    LifeLimitedPart(part="fan_booster", list_price=Decimal(1_200_000), cycle_limit=30_000),
    LifeLimitedPart(part="core", list_price=Decimal(1_900_000), cycle_limit=20_000),
    LifeLimitedPart(part="lpt", list_price=Decimal(1_100_000), cycle_limit=25_000),
)
MAY = date(2026, 5, 1)
amounts = st.decimals(min_value=0, max_value=10_000_000, places=2)
buckets = st.sampled_from(["airframe_6y", "landing_gear", "apu", "performance_restoration", "llp_core"])
entries = st.lists(
    st.builds(Entry, bucket=buckets, kind=st.sampled_from(list(reserve._COLUMNS)), amount=amounts), max_size=40
)  # fmt: skip


def number(value: Any) -> Decimal:
    return Decimal(str(value))


def may(**quantities: Any) -> MonthUse:
    golden = vector("AC5_month")
    known = {"fh": number(golden["fh"]), "fc": number(golden["fc"]), "month": Decimal(1)}
    return MonthUse(
        quantities=known | {driver: number(each) for driver, each in quantities.items()},
        ratio_h=number(golden["fh"]), ratio_cycles=number(golden["fc"]),
    )  # fmt: skip


def test_a_restoration_is_priced_by_the_ratio_between_rows_or_by_step() -> None:
    golden = vector("AC5_month")
    linear = reserve.accrue(RateTerms(driver="fh", ratio_table=TABLE), may(), MAY)
    step = reserve.accrue(RateTerms(driver="fh", ratio_table=TABLE, ratio_mode="step"), may(), MAY)

    assert (linear.rate, linear.amount) == (
        number(golden["epr_rate_interpolated"]),
        number(golden["epr_per_engine_interpolated"]),
    )
    assert (step.rate, step.amount) == (number(golden["epr_rate_step"]), number(golden["epr_per_engine_step"]))
    assert 2 * (linear.amount or 0) == number(golden["epr_two_engines_interpolated"])


@pytest.mark.parametrize(
    ("ratio", "linear", "step"),
    [
        ("0.4", "310", "310"), ("1.0", "310", "310"), ("1.25", "277.5", "310"), ("1.5", "245", "245"), ("2.999", "165.03", "180"),
        ("3.0", "165", "165"), ("9", "165", "165"),
    ],
)  # fmt: skip
def test_outside_the_table_its_ends_hold_and_an_edge_belongs_to_the_row_above(ratio: str, linear: str, step: str) -> None:
    assert reserve.table_rate(Decimal(ratio), TABLE, "linear") == Decimal(linear)
    assert reserve.table_rate(Decimal(ratio), TABLE, "step") == Decimal(step)


def test_factors_and_escalation_are_applied_before_the_rate_is_rounded() -> None:
    golden = vector("AC6_severity")
    factors = [number(golden[name]) for name in ("derate_factor", "environment_factor")]

    assert reserve.adjusted_rate(number(golden["base"]), factors, number(golden["escalation"])) == number(golden["rate"])
    terms = RateTerms(
        driver="fh", ratio_table=TABLE, factors=dict(zip(("derate", "environment"), factors, strict=True)),
        rate_date=date(2024, 5, 1), escalation_pct=Decimal(3),
    )  # fmt: skip
    assert reserve.accrue(terms, may(), MAY).rate == number(golden["rate"])


def test_a_half_cent_is_a_half_only_in_decimal() -> None:
    golden, fh = vector("AC6_severity"), vector("AC5_month")["fh"]
    rate = number(golden["rate"])

    # 215.50 × 312.45 is 67,332.975: half-up is a cent more than the file's figure, which comes from 312.45 as a binary fraction
    assert reserve.line_amount(rate, Decimal(fh)) == number(golden["per_engine"])
    assert reserve.line_amount(rate, number(fh)) == Decimal("67332.98")


def test_escalation_grows_at_anniversaries_alone() -> None:
    terms = RateTerms(driver="fh", rate=Decimal(100), rate_date=date(2024, 2, 29), escalation_pct=Decimal(10))
    days = [date(2024, 2, 28), date(2025, 2, 28), date(2025, 3, 1), date(2028, 2, 29)]

    assert [reserve.escalation(terms, day) for day in days] == [1, 1, Decimal("1.1"), Decimal("1.4641")]


def test_an_index_grows_from_the_prices_date_to_the_month() -> None:
    points = tuple(
        reserve.IndexPoint(valid_from=date(year, 1, 1), value=Decimal(value)) for year, value in ((2023, 110), (2025, 121))
    )
    terms = RateTerms(driver="fh", rate=Decimal(100), rate_date=date(2023, 7, 1), escalation_index=points)

    assert [reserve.escalation(terms, date(year, 6, 1)) for year in (2024, 2025)] == [1, Decimal("1.1")]


def test_a_rate_is_never_below_its_floor() -> None:
    terms = RateTerms(driver="fh", rate=Decimal(100), factors={"derate": Decimal("0.5")}, rate_floor=Decimal(60))

    assert reserve.accrue(terms, may(fh=1), MAY).rate == 60


def test_life_limited_parts_cost_their_price_over_their_life() -> None:
    golden = vector("AC7_llp_rate")
    stub = number(golden["stub_factor"])

    assert {part.part: reserve.llp_rate([part]) for part in PARTS} == {
        name: number(rate) for name, rate in golden["parts"].items()
    }
    assert reserve.llp_rate(PARTS) == number(golden["rate_per_fc"])
    rate = reserve.adjusted_rate(reserve.llp_rate(PARTS, stub))
    assert rate == number(golden["rate_with_stub"])
    assert reserve.line_amount(rate, Decimal(148)) == number(golden["month_per_engine"])


def test_calendar_events_cost_their_price_over_their_months() -> None:
    golden = vector("AC8_calendar")
    for bucket in ("airframe_6y", "airframe_12y", "landing_gear"):
        terms = RateTerms(
            driver="month", event_cost=number(golden[bucket]["cost"]), interval=number(golden[bucket]["interval_months"])
        )  # fmt: skip
        assert reserve.accrue(terms, may(), MAY).amount == number(golden[bucket]["rate_per_month"])
    assert float(Decimal(20_000) / 148) == pytest.approx(golden["landing_gear"]["months_if_20000FC_at_148"], rel=1e-6)
    assert reserve.governing_months(Decimal(120), Decimal(20_000), Decimal(148)) == 120
    assert reserve.governing_months(Decimal(120), Decimal(20_000), Decimal(200)) == 100


def test_apu_hours_are_the_apus_own() -> None:
    golden = vector("AC8_apu")

    assert reserve.accrue(RateTerms(driver="apuh", rate=number(golden["rate"])), may(apuh=golden["apuh"]), MAY).amount == number(
        golden["amount"]
    )


def month_lines() -> list[reserve.AccrualLine]:
    calendar, apu = vector("AC8_calendar"), vector("AC8_apu")
    fixed = [
        RateTerms(
            driver="month", event_cost=number(calendar[bucket]["cost"]), interval=number(calendar[bucket]["interval_months"])
        )
        for bucket in ("airframe_6y", "airframe_12y", "landing_gear")
    ]
    restoration = RateTerms(driver="fh", ratio_table=TABLE)
    llp = [RateTerms(driver="fc", parts=(part,), stub_factor=Decimal("0.90")) for part in PARTS]
    engine = [restoration, *llp]
    terms = [*fixed, RateTerms(driver="apuh", rate=number(apu["rate"])), *engine, *engine]
    assert [fault for each in terms for fault in reserve.terms_faults(each)] == []
    return [reserve.accrue(each, may(apuh=apu["apuh"]), MAY) for each in terms]


def test_a_months_lines_add_up_to_the_invoice() -> None:
    assert reserve.month_total(month_lines()) == (number(vector("AC9_month_invoice_total")), 0)


def test_a_line_of_unknown_use_is_null_and_the_sum_says_that_it_is_left_out() -> None:
    line = reserve.accrue(RateTerms(driver="apuh", rate=Decimal(56)), may(), MAY)

    assert (line.amount, line.reason) == (None, "quantity_unknown")
    assert line.rate == 56
    assert reserve.month_total([*month_lines(), line]) == (number(vector("AC9_month_invoice_total")), 1)


def test_without_a_cycle_the_assumed_ratio_is_taken_and_said() -> None:
    parked = MonthUse(quantities={"fh": Decimal(0)}, ratio_h=Decimal(0), ratio_cycles=Decimal(0))
    assumed = reserve.accrue(RateTerms(driver="fh", ratio_table=TABLE, assumed_ratio=Decimal(2)), parked, MAY)

    assert assumed.rate == 205
    assert assumed.amount == 0
    assert assumed.workings["ratio_assumed"] is True
    assert reserve.accrue(RateTerms(driver="fh", ratio_table=TABLE), parked, MAY).reason == "ratio_unknown"


@pytest.mark.parametrize(("driver", "unit"), [("car_km", "car kilometre"), ("door_cycle", "door cycle")])
def test_a_trainsets_drivers_are_reserved_by_the_same_code(driver: Any, unit: str) -> None:
    terms = RateTerms(driver=driver, event_cost=Decimal(180_000), interval=Decimal(600_000))
    line = reserve.accrue(terms, MonthUse(quantities={driver: Decimal("3130.2")}), MAY)

    assert (line.rate, line.amount) == (Decimal("0.30"), Decimal("939.06"))
    assert line.workings["unit"] == unit


@pytest.mark.parametrize(
    ("terms", "member"),
    [
        ({"driver": "fh"}, "rate"),
        ({"driver": "fh", "rate": "1", "parts": [{"part": "a", "list_price": "1", "cycle_limit": 1}]}, "rate"),
        ({"driver": "fc", "parts": [{"part": each, "list_price": "1", "cycle_limit": 1} for each in "ab"]}, "parts"),
        ({"driver": "fh", "ratio_table": [["2", "1"], ["1", "2"]]}, "ratio_table"),
        ({"driver": "fc", "ratio_table": [["1", "2"]]}, "driver"),
        ({"driver": "month", "event_cost": "1"}, "interval"),
        ({"driver": "month", "event_cost": "1", "interval": "0"}, "interval"),
        ({"driver": "fh", "rate": "1", "stub_factor": "0"}, "stub_factor"),
        ({"driver": "fh", "rate": "1", "escalation_pct": "3"}, "rate_date"),
        ({"driver": "fh", "rate": "1", "rate_date": "2020-01-01", "escalation_index": [
            {"valid_from": "2021-01-01", "value": "1"}]}, "escalation_index"),
        ({"driver": "fh", "rate": "1", "factors": {"derate": "-1"}}, "factors"),
        ({"driver": "fh", "rate": "NaN"}, "rate"),
        ({"driver": "fh", "rate": "1e300"}, "rate"),
        ({"driver": "fh", "rate": "1", "rate_date": "2020-01-01", "escalation_pct": "1e9"}, "escalation_pct"),
    ],
)  # fmt: skip
def test_terms_that_cannot_be_used_name_the_member(terms: dict[str, Any], member: str) -> None:
    assert member in [fault.member for fault in reserve.terms_faults(msgspec.convert(terms, RateTerms, strict=False))]


def test_a_claim_is_paid_as_far_as_its_bucket_reaches() -> None:
    golden = vector("AC10_drawdown_simple")
    paid = reserve.drawdown(
        number(golden["invoice"]), [Exclusion(reason="misuse", amount=number(golden["excluded"]))], number(golden["balance"])
    )  # fmt: skip

    assert (paid.eligible, paid.paid, paid.shortfall, paid.balance_after) == tuple(
        golden[name] for name in ("eligible", "paid", "lessee_shortfall", "balance_after")
    )


def test_the_lessor_bears_the_share_of_use_before_delivery() -> None:
    golden = vector("AC11_drawdown_lessor_contribution")
    share = reserve.lessor_share(number(golden["fh_since_last_pr_at_delivery"]), number(golden["fh_at_event"]))
    paid = reserve.drawdown(Decimal(4_250_000), [], Decimal(3_912_400), lessor_share=share)

    assert float(share) == pytest.approx(golden["lessor_share"], rel=1e-5)
    assert paid.lessor_contribution == number(golden["lessor_contribution"])
    assert paid.eligible - paid.lessor_contribution == number(golden["reserve_leg_due"])
    assert (paid.from_bucket, paid.paid) == (number(golden["reserve_paid"]), number(golden["total_paid"]))


def test_more_excluded_than_invoiced_is_refused() -> None:
    with pytest.raises(ValueError, match="more is excluded"):
        reserve.drawdown(Decimal(10), [Exclusion(reason="other", amount=Decimal(11))], Decimal(100))


@settings(max_examples=80, deadline=None)
@given(invoice=amounts, held=amounts, share=st.fractions(0, 1, max_denominator=97))
def test_a_claim_never_takes_more_than_the_bucket_holds_nor_pays_more_than_is_eligible(
    invoice: Decimal, held: Decimal, share: Any
) -> None:
    paid = reserve.drawdown(invoice, [], held, lessor_share=Decimal(share.numerator) / share.denominator)

    assert 0 <= paid.from_bucket <= held
    assert paid.balance_after == held - paid.from_bucket >= 0
    assert paid.paid + paid.shortfall == paid.eligible == invoice
    assert paid.paid == paid.lessor_contribution + paid.from_bucket


@settings(max_examples=80, deadline=None)
@given(entries=entries, bucket=buckets)
def test_buckets_never_fund_each_other(entries: list[Entry], bucket: str) -> None:
    alone = reserve.balances(entry for entry in entries if entry.bucket == bucket)

    assert reserve.balances(entries).get(bucket) == alone.get(bucket)


@settings(max_examples=80, deadline=None)
@given(entries=entries, order=st.randoms(use_true_random=False))
def test_a_balance_is_the_sum_of_entries_in_whatever_order_and_edits_none(entries: list[Entry], order: Any) -> None:
    before = msgspec.json.encode(entries)
    shuffled = list(entries)
    order.shuffle(shuffled)

    assert reserve.balances(shuffled) == reserve.balances(entries)
    assert msgspec.json.encode(entries) == before
    for bucket, balance in reserve.balances(entries).items():
        signed = {"payment": 1, "payout": -1, "retained_at_end": -1}
        assert balance.held == sum(signed.get(each.kind, 0) * each.amount for each in entries if each.bucket == bucket)


@settings(max_examples=60, deadline=None)
@given(low=st.decimals("0.2", "5", places=3), more=st.decimals("0", "3", places=3), mode=st.sampled_from(["linear", "step"]))
def test_longer_sectors_never_cost_more_an_hour(low: Decimal, more: Decimal, mode: Any) -> None:
    assert reserve.table_rate(low + more, TABLE, mode) <= reserve.table_rate(low, TABLE, mode)
