"""The budget of models' warnings: the online procedure against worked numbers, the allowance, and what never comes under it."""

from __future__ import annotations

from math import isclose
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.budget import (
    FDR,
    LOOKS,
    WARNINGS_PER_ASSET_MONTH,
    WEALTH,
    WEEK_US,
    Account,
    allowance_of,
    examined,
    gamma,
    is_of_a_model,
    level,
    opened,
    p_of_week,
    p_value_of,
    spent,
    wealth_before,
    week_of,
)
from store.rows import FindingRow
from tests.alerts.fix_findings import finding

MONDAY_US = 1_795_392_000_000_000  # 2026-11-23T00:00:00Z

P_VALUES = [
    2.90e-08, 0.06743, 0.01514, 0.08174, 0.00171, 3.60e-05, 0.79149, 0.27201, 0.28295, 7.59e-08, 0.69274, 0.30443, 0.00136,
    0.72342, 0.54757,
]  # fmt: skip
LEVELS = [
    0.0002675839, 0.0024664457, 0.0005732818, 0.0004872805, 0.0004059066, 0.0003447286, 0.0029745013, 0.0008450114, 0.0007305648,
    0.0006243143, 0.0032185913, 0.0010617227, 0.0009256825, 0.0008019657, 0.0007059610,
]  # fmt: skip
"""The worked example of the R package onlineFDR (LORD, version "++", alpha 0.05, w0 0.005)."""


def model_finding(**fields: Any) -> FindingRow:
    return finding(**({"rule": "channel_anomaly", "score": 8.0, "evidence": {"p_value": 1e-9}} | fields))


def account(**fields: Any) -> Account:
    plain: dict[str, Any] = {"tenant": "acme", "week_us": MONDAY_US, "assets": 3, "rate": 0.05, "allowance": 1.0}
    return Account(**(plain | fields))


def test_levels_are_those_of_the_worked_example() -> None:
    rejections: tuple[int, ...] = ()
    for test, (p_value, expected) in enumerate(zip(P_VALUES, LEVELS, strict=True), 1):
        limit = level(test, rejections, fdr=0.05, wealth=0.005)
        assert isclose(limit, expected, abs_tol=5e-11)
        if p_value <= limit:
            rejections = (*rejections, test)
    assert rejections == (1, 6, 10)


def test_wealth_is_what_was_lent_and_earned_less_what_tests_cost_and_never_runs_out() -> None:
    assert wealth_before(1, ()) == WEALTH
    assert wealth_before(2, ()) == WEALTH - level(1, ())
    assert wealth_before(2, (1,)) == pytest.approx(FDR - level(1, ()))
    assert wealth_before(200, ()) > 0.0
    assert wealth_before(60, (3, 4, 50)) > level(60, (3, 4, 50))


def test_the_shares_of_wealth_sum_to_one_at_most() -> None:
    assert 0.2 < sum(gamma(place) for place in range(1, 5_000)) < 1.0
    assert WEALTH <= FDR


def test_p_values_are_taken_as_stated_and_otherwise_from_a_heavier_tail() -> None:
    assert p_value_of(model_finding()) == 1e-9
    assert p_value_of(model_finding(evidence={})) == pytest.approx(1.2e-5, rel=0.03)
    assert p_value_of(model_finding(evidence={}, score=0.0)) == 1.0
    assert p_value_of(model_finding(evidence={"p_value": 0.0}, score=6.0)) == pytest.approx(2.06e-4, rel=0.01)
    assert p_of_week(1.0) == 1.0
    assert p_of_week(1e-6) == pytest.approx(LOOKS * 1e-6, rel=1e-3)


def test_a_plain_rule_is_no_model() -> None:
    assert not is_of_a_model(finding())
    assert is_of_a_model(model_finding())
    assert is_of_a_model(finding(evidence={"p_value": 0.001}))


def test_a_week_begins_on_monday_and_gives_what_the_fleet_allows() -> None:
    assert week_of(MONDAY_US) == MONDAY_US
    assert week_of(MONDAY_US - 1) == MONDAY_US - WEEK_US
    assert allowance_of(3, WARNINGS_PER_ASSET_MONTH) == 1.0
    assert allowance_of(1000, WARNINGS_PER_ASSET_MONTH) == pytest.approx(50 * 7 / 30.436875)
    assert allowance_of(1000, 0.0) == 0.0


def test_a_new_tenant_of_three_assets_is_told_of_its_first_real_warning() -> None:
    judged, after = examined(opened("acme", MONDAY_US + 5, 3, WARNINGS_PER_ASSET_MONTH, None), 1e-9)
    assert (judged.verdict, judged.test, after.told) == ("told", 1, 1)


def test_one_that_a_healthy_fleet_has_every_week_is_not_told_and_spends_nothing() -> None:
    judged, after = examined(account(), 1e-5)
    assert (judged.verdict, after.told, after.held_back, after.tests, after.rejections) == ("not_significant", 0, 1, 1, ())
    assert judged.p_week > judged.level


def test_beyond_the_allowance_it_waits_and_the_procedure_remembers_it() -> None:
    judged, after = examined(account(told=1), 1e-9)
    assert (judged.verdict, after.told, after.held_back, after.rejections) == ("over_budget", 1, 1, (1,))
    assert spent(after) is None
    week = opened("acme", MONDAY_US + WEEK_US, 3, 0.05, after)
    assert (week.carried, week.tests, week.rejections) == (0.0, 0, ())
    assert spent(week) is not None


def test_a_quiet_time_is_carried_over_once_and_no_more() -> None:
    assert opened("acme", MONDAY_US + WEEK_US, 3, 0.05, account()).carried == 1.0
    assert opened("acme", MONDAY_US + 9 * WEEK_US, 3, 0.05, account(told=1)).carried == 1.0
    assert opened("acme", MONDAY_US + WEEK_US, 3, 0.05, account(carried=1.0)).carried == 1.0
    assert opened("acme", MONDAY_US + 5, 300, 0.05, account()) == account()


@settings(max_examples=25)
@given(st.lists(st.floats(1e-12, 1.0), max_size=40), st.floats(0.0, 12.0))
def test_a_week_never_tells_more_than_it_has(p_values: list[float], allowance: float) -> None:
    week = account(allowance=allowance)
    for p_value in p_values:
        _, week = examined(week, p_value)
    assert week.told <= allowance
    assert week.told + week.held_back == len(p_values)
