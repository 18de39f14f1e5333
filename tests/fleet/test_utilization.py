"""Use as leases count it: measures, reported against observed, minimum use, excess cycles."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.practice import Figure
from fleet.utilization import (
    HOUSE,
    MinimumUse,
    billable,
    compare,
    excess_cycles,
    is_estimate,
    minimum_for,
    mismatch_evidence,
    month_of_use,
    quantity,
    tolerance,
    unreported_value,
)
from tests.fleet.fix_vectors import vector

MAY = date(2026, 5, 31)
hours = st.decimals(min_value=0, max_value=800, places=2)


def test_a_month_has_its_ratio_stage_and_daily_use() -> None:
    golden = vector("AC5_month")
    month = month_of_use(Decimal(str(golden["fh"])), Decimal(golden["fc"]), golden["days"])

    assert float(month.fh_fc_ratio or 0) == pytest.approx(golden["ratio"], rel=1e-6)
    assert float(month.avg_stage_h or 0) == pytest.approx(golden["avg_stage_h"], rel=1e-6)
    assert float(month.daily_h or 0) == pytest.approx(golden["daily_fh"], rel=1e-6)


def test_without_a_cycle_there_is_no_ratio_and_a_reason() -> None:
    month = month_of_use(Decimal(0), Decimal(0), 30)

    assert month.fh_fc_ratio is None
    assert month.daily_h == 0
    assert month.reason == {"fh_fc_ratio": "no_cycles", "avg_stage_h": "no_cycles"}


def test_less_reported_than_observed_is_under_reported_and_worth_so_much() -> None:
    golden, month = vector("AC23_reconcile"), vector("AC5_month")
    judged = compare(
        "flight_h", Decimal(str(golden["observed_fh"])), Decimal(str(golden["reported_fh"])), golden["coverage"], MAY
    )  # fmt: skip

    assert judged.verdict == "under_reported"
    assert float(judged.difference_pct or 0) == pytest.approx(golden["diff_pct"], rel=1e-5)
    worth = unreported_value(judged, Decimal(str(month["epr_rate_interpolated"])), units=2)
    assert worth == Decimal(str(golden["epr_shortfall_2eng"]))


@pytest.mark.parametrize(
    ("measure", "observed", "reported", "verdict"),
    [
        ("flight_h", "50", "48", "within"),  # 2 h, more than 2 percent
        ("flight_h", "50", "47.99", "under_reported"),
        ("flight_h", "50", "52", "within"),
        ("flight_h", "50", "52.01", "over_reported"),
        ("flight_h", "300", "294", "within"),  # 2 percent, more than 2 h
        ("flight_h", "300", "293.99", "under_reported"),
        ("cycles", "40", "39", "within"),
        ("cycles", "40", "38", "under_reported"),
        ("cycles", "300", "303", "within"),
        ("cycles", "300", "304", "over_reported"),
        ("flight_h", "0", "0", "within"),
    ],
)
def test_exactly_at_the_tolerance_is_within(measure: str, observed: str, reported: str, verdict: str) -> None:
    assert compare(measure, Decimal(observed), Decimal(reported), 1.0, MAY).verdict == verdict


@pytest.mark.parametrize(
    ("observed", "reported", "coverage", "reason"),
    [
        ("300", "100", 0.9499, "coverage_below_minimum"),
        ("300", "100", None, "coverage_unknown"),
        (None, "100", 1.0, "not_observed"),
        ("300", None, 1.0, "not_reported"),
    ],
)
def test_what_is_not_known_well_enough_is_undecided(
    observed: str | None, reported: str | None, coverage: float | None, reason: str
) -> None:
    judged = compare("flight_h", observed and Decimal(observed), reported and Decimal(reported), coverage, MAY)  # type: ignore[arg-type]

    assert (judged.verdict, judged.reason) == ("undecided", reason)


def test_a_measure_without_tolerance_is_undecided() -> None:
    assert compare("apu_h", Decimal(10), Decimal(90), 1.0, MAY).reason == "no_tolerance"


def test_a_tenants_tolerance_lies_over_the_houses() -> None:
    strict = HOUSE.overlaid([Figure(name="utilization.flight_h_tolerance_h", value=0.5, source="lease desk")])

    assert tolerance("flight_h", Decimal(10), MAY, strict) == Decimal("0.5")


def test_coverage_of_exactly_nine_tenths_is_no_estimate() -> None:
    assert [is_estimate(each, MAY) for each in (0.9, 0.8999, None)] == [False, True, True]


def test_a_mismatch_names_the_worst_measure_first() -> None:
    judged = [
        compare("flight_h", Decimal(300), Decimal(290), 1.0, MAY),
        compare("cycles", Decimal(148), Decimal(100), 1.0, MAY),
        compare("car_km", Decimal(10), Decimal(10), 1.0, MAY),
    ]
    evidence = mismatch_evidence(judged, "2026-05")

    assert evidence is not None
    assert [each["measure"] for each in evidence["measures"]] == ["cycles", "flight_h"]
    assert mismatch_evidence(judged[2:], "2026-05") is None


def test_at_least_the_minimum_is_billed() -> None:
    golden = vector("AC21_min_util")

    assert billable(Decimal(golden["actual_fh"]), Decimal(golden["min_fh"])) == golden["billable_fh"]
    assert billable(Decimal(250), Decimal(golden["min_fh"])) == 250


def test_a_minimum_of_a_month_half_held_is_half() -> None:
    assert minimum_for(MinimumUse(unit="fh", amount=Decimal(200)), Decimal("0.5")) == 100
    assert minimum_for(MinimumUse(unit="fh", per="year", amount=Decimal(2400)), Decimal(1)) == 200
    with pytest.raises(ValueError, match="between 0 and 1"):
        minimum_for(MinimumUse(unit="fh", amount=Decimal(200)), Decimal("1.1"))


def test_cycles_beyond_the_assumed_ratio_are_charged() -> None:
    golden = vector("AC22_excess_cycles")
    charge = excess_cycles(
        Decimal(golden["fh"]), Decimal(golden["fc"]), Decimal(str(golden["assumed_ratio"])), Decimal(golden["rate"])
    )  # fmt: skip

    assert float(charge.allowed_cycles) == pytest.approx(golden["allowed_fc"], rel=1e-6)
    assert float(charge.excess_cycles) == pytest.approx(golden["excess_fc"], rel=1e-5)
    assert charge.amount == golden["amount"]


def test_a_reports_figures_are_read_without_a_floats_tail() -> None:
    assert quantity({"flight_h": 312.45}, "fh") == Decimal("312.45")
    assert quantity({"flight_h": 312.45}, "apuh") is None


@settings(max_examples=60, deadline=None)
@given(observed=hours, reported=hours)
def test_too_much_and_too_little_are_mirror_images(observed: Decimal, reported: Decimal) -> None:
    judged = compare("flight_h", observed, reported, 1.0, MAY)
    other = {"under_reported": "over_reported", "over_reported": "under_reported", "within": "within"}
    mirrored = compare("flight_h", observed, 2 * observed - reported, 1.0, MAY)

    assert mirrored.verdict == other[judged.verdict]


@settings(max_examples=60, deadline=None)
@given(flight_h=hours, cycles=st.integers(0, 500), ratio=st.decimals(min_value="0.5", max_value=6, places=2))
def test_excess_cycles_never_cost_less_than_nothing(flight_h: Decimal, cycles: int, ratio: Decimal) -> None:
    charge = excess_cycles(flight_h, Decimal(cycles), ratio, Decimal(150))

    assert charge.amount >= 0
    assert (charge.amount > 0) == (charge.excess_cycles * 150 >= Decimal("0.005"))
