"""Hull performance: power and speed, which points count, when a cleaning is due."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import hull_performance
from fleet.hull_performance import PerformancePoint
from tests.fleet.fix_vectors import vector

DAY = date(2026, 6, 1)
GOOD = PerformancePoint(
    day=DAY, speed_kn=13.5, through_water=True, draught_m=12.0, speed_spread_kn=0.3, steady_h=2.0, wind_bft=3, depth_m=200.0
)


def test_the_admiralty_coefficient_falls_with_fouling() -> None:
    golden = vector("SH6_admiralty")
    before, after = (hull_performance.admiralty_coefficient(golden["disp"], golden["V"], golden[power]) for power in ("P0", "P1"))
    assert [before, after] == pytest.approx([golden["C0"], golden["C1"]], abs=5e-5)
    assert after / before == pytest.approx(golden["ratio"], abs=5e-7)
    increase = hull_performance.power_increase_pct(golden["P0"], golden["P1"])
    loss = hull_performance.equivalent_speed_loss_pct(golden["P0"], golden["P1"])
    assert increase == pytest.approx(golden["power_increase_pct"], abs=5e-5)
    assert loss == pytest.approx(golden["equiv_speed_loss_pct"], abs=5e-5)
    same = hull_performance.speed_for_same_power_kn(golden["V"], golden["P0"], golden["P1"])
    assert same == pytest.approx(golden["speed_for_same_power"], abs=5e-5)


def test_a_slower_ship_than_expected_deviates_below_zero() -> None:
    golden = vector("SH6_iso19030")
    found = hull_performance.speed_deviation_pct(golden["measured"], golden["expected_speed"])
    assert found == pytest.approx(golden["pv_pct"], abs=5e-5)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"draught_m": None}, "no_draught"),
        ({"manoeuvring": True}, "manoeuvring"),
        ({"speed_spread_kn": 0.51}, "not_steady"),
        ({"steady_h": 0.9}, "not_steady"),
        ({"speed_spread_kn": None}, "steadiness_unknown"),
        ({"wind_bft": 5}, "rough"),
        ({"wind_bft": None}, "wind_unknown"),
        ({"depth_m": 20.0}, "shallow"),
    ],
)
def test_what_speaks_against_a_point_is_named(change: dict[str, object], fault: str) -> None:
    assert hull_performance.judge(msgspec.structs.replace(GOOD, **change)).faults == (fault,)


def test_a_steady_calm_deep_point_counts_and_a_speed_over_ground_with_low_confidence() -> None:
    assert hull_performance.judge(GOOD) == hull_performance.Judged(faults=(), confidence="high")
    over_ground = hull_performance.judge(msgspec.structs.replace(GOOD, through_water=False))
    assert (over_ground.usable, over_ground.confidence) == (True, "low")


@given(st.floats(2.5, 4.0), st.floats(1.0, 20.0))
@settings(max_examples=50)
def test_the_exponent_of_a_clean_law_is_found(exponent: float, factor: float) -> None:
    points = [(speed, factor * speed**exponent) for speed in (10.0, 11.5, 13.0, 14.0)]
    assert hull_performance.fitted_exponent(points) == pytest.approx(exponent, rel=1e-9)


def test_an_exponent_is_held_within_its_range_and_wants_three_speeds() -> None:
    assert hull_performance.fitted_exponent([(10, 100), (11, 101), (12, 102)]) == 2.5
    assert hull_performance.fitted_exponent([(10, 100), (10, 110), (12, 170)]) is None


@pytest.mark.parametrize(("lately_pct", "due"), [(-6.2, True), (-5.9, False)])
def test_cleaning_is_due_when_speed_fell_by_more_than_five_percent_over_a_fortnight(lately_pct: float, due: bool) -> None:
    old = (DAY - timedelta(days=20), -20.0)
    lately = [old, *((DAY - timedelta(days=n), lately_pct) for n in range(5))]
    assert hull_performance.maintenance_due([-1.0, -1.0], lately, DAY) is due


def test_nothing_is_due_without_points() -> None:
    assert not hull_performance.maintenance_due([], [(DAY, -30.0)], DAY)
    assert hull_performance.change_points([], [1.0]) is None


def test_a_days_mean_counts_when_she_was_under_way_all_day_and_is_believed_less() -> None:
    mean = msgspec.structs.replace(GOOD, speed_spread_kn=None, steady_h=None, of_report=True, under_way=1.0)
    assert hull_performance.judge(mean) == hull_performance.Judged(faults=(), confidence="low")
    assert hull_performance.judge(msgspec.structs.replace(mean, under_way=0.9)).faults == ("not_steady",)


@given(st.floats(2_000, 12_000), st.floats(30_000, 100_000), st.floats(2.5, 4.0))
@settings(max_examples=60)
def test_the_expected_speed_keeps_the_admiralty_law(power_kw: float, displacement_t: float, exponent: float) -> None:
    speed = hull_performance.expected_speed_kn(
        power_kw,
        displacement_t,
        reference_speed_kn=13.5,
        reference_power_kw=7_800,
        reference_displacement_t=88_000,
        exponent=exponent,
    )
    assert displacement_t ** (2 / 3) * speed**exponent / power_kw == pytest.approx(88_000 ** (2 / 3) * 13.5**exponent / 7_800)
