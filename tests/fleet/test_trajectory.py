"""Poseidon: above zero is worse, a portfolio is a weighted mean."""

import pytest

from fleet import trajectory
from tests.fleet.fix_vectors import vector


def test_a_ship_above_its_trajectory_is_worse_and_positive() -> None:
    golden = vector("SH12_poseidon")
    assert trajectory.alignment_delta_pct(golden["x"], golden["r"]) == pytest.approx(golden["delta_pct"], abs=5e-5)


def test_a_portfolio_is_weighted() -> None:
    golden = vector("SH12_poseidon")["portfolio"]
    ships = list(zip(golden["d"], golden["w"], strict=True))
    assert trajectory.portfolio_delta_pct(ships) == pytest.approx(golden["total"], abs=1e-9)
    assert trajectory.portfolio_delta_pct([(delta, 5 * weight) for delta, weight in ships]) == pytest.approx(golden["total"])


def test_a_portfolio_without_weight_has_no_delta() -> None:
    assert trajectory.portfolio_delta_pct([(5.0, 0.0)]) is None
