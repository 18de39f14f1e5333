"""Fuel and EEOI: factors by rule set, tanks that add up, cube law, ratio of sums."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import eeoi, fuel
from fleet.practice import NotDefinedError
from tests.fleet.fix_vectors import vector

DAY = date(2026, 6, 1)
tonnes = st.floats(0, 10_000)


def test_the_eeoi_of_the_circulars_example() -> None:
    golden = vector("SH3_eeoi")
    voyages = [
        eeoi.EeoiVoyage(fuel_t={"HFO": hfo, "LFO": lfo}, cargo_t=cargo, distance_nm=nm)
        for hfo, lfo, cargo, nm in golden["voyages"]
    ]
    found = eeoi.indicator(voyages, DAY)
    assert found.co2_t == pytest.approx(golden["co2_t"], rel=1e-9)
    assert found.work_t_nm == golden["work"]
    assert found.eeoi_t_per_t_nm == pytest.approx(golden["eeoi_t"], rel=1e-9)
    assert (found.eeoi_t_per_t_nm or 0) * 1e6 == pytest.approx(golden["eeoi_1e6"], abs=5e-5)


def test_an_eeoi_is_a_ratio_of_sums_and_no_mean_of_ratios() -> None:
    laden = eeoi.EeoiVoyage(fuel_t={"HFO": 20}, cargo_t=25_000, distance_nm=300)
    heavy = eeoi.EeoiVoyage(fuel_t={"HFO": 10}, cargo_t=1_000, distance_nm=300)
    alone = [eeoi.indicator([each], DAY).eeoi_t_per_t_nm or 0 for each in (laden, heavy)]
    together = eeoi.indicator([laden, heavy], DAY).eeoi_t_per_t_nm
    assert together == pytest.approx(30 * 3.1144 / (25_000 * 300 + 1_000 * 300))
    assert together != pytest.approx(sum(alone) / 2, rel=0.1)


def test_ballast_adds_its_fuel_and_no_work() -> None:
    ballast = eeoi.EeoiVoyage(fuel_t={"HFO": 20}, cargo_t=0, distance_nm=900)
    found = eeoi.indicator([ballast], DAY)
    assert found.co2_t == pytest.approx(62.288)
    assert (found.work_t_nm, found.eeoi_t_per_t_nm, found.reason) == (0, None, "nothing_carried")


def test_the_same_fuel_has_another_factor_under_another_rule_set() -> None:
    assert fuel.co2_factor_t_per_t("HFO", DAY) == 3.114
    assert fuel.co2_factor_t_per_t("HFO", DAY, rule_set="eeoi") == 3.1144


def test_a_fuel_without_a_factor_is_refused_and_not_left_out() -> None:
    with pytest.raises(NotDefinedError):
        fuel.co2_t_by_fuel({"HFO": 10, "methanol": 3}, DAY, rule_set="eeoi")


@pytest.mark.parametrize(
    ("rob_after_t", "balanced"), [(950.0, True), (949.0, True), (951.0, True), (948.99, False), (951.01, False)]
)
def test_tanks_add_up_within_a_tonne_where_one_percent_is_less(rob_after_t: float, balanced: bool) -> None:
    assert fuel.balance(1_000, 0, 50, rob_after_t, DAY).balanced is balanced


def test_tanks_add_up_within_one_percent_of_a_long_passage() -> None:
    assert fuel.balance(1_000, 500, 400, 1_096, DAY).balanced
    assert not fuel.balance(1_000, 500, 400, 1_095.9, DAY).balanced


def test_fuel_goes_with_the_cube_of_speed_and_with_its_square_for_a_mile() -> None:
    golden = vector("SH6_admiralty")
    assert fuel.fuel_t_d_at(13.0, 13.5, 30.0) == pytest.approx(golden["fuel_13_0"], abs=5e-5)
    assert fuel.fuel_per_nm_ratio(13.0, 13.5) == pytest.approx(golden["fuel_per_nm_ratio"], abs=5e-7)


@given(st.lists(st.tuples(st.floats(1, 500), st.floats(1, 100)), min_size=1, max_size=8))
@settings(max_examples=60)
def test_an_estimate_from_a_whole_stretch_is_never_above_that_from_its_parts(legs: list[tuple[float, float]]) -> None:
    whole = fuel.estimated_t(sum(nm for nm, _ in legs), sum(hours for _, hours in legs), 13.5, 30.0)
    parts = sum(fuel.estimated_t(nm, hours, 13.5, 30.0) for nm, hours in legs)
    assert whole <= parts * (1 + 1e-9)


def test_no_time_burns_nothing() -> None:
    assert fuel.estimated_t(0, 0, 13.5, 30.0) == 0


@given(tonnes, tonnes, tonnes)
@settings(max_examples=60)
def test_tanks_that_add_up_have_no_gap(before_t: float, bunkered_t: float, consumed_t: float) -> None:
    after_t = before_t + bunkered_t - consumed_t
    assert fuel.balance(before_t, bunkered_t, consumed_t, after_t, DAY).balanced
