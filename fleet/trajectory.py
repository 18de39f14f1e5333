"""Alignment of ships and of a portfolio with a decarbonisation trajectory (Poseidon Principles).

The metric is the AER: `cii.attained` with the ship's DWT. The trajectories' values are licensed tables and not kept here: a
tenant gives its own.
"""

from __future__ import annotations

from collections.abc import Iterable


def alignment_delta_pct(attained: float, trajectory: float) -> float:
    """`(x − r) / r × 100`: above zero is WORSE than the trajectory (domain.md 2.10: the sign is ours, [K]; golden SH12).

    Both in the same unit (AER: g CO2 per tonne-mile). Raises ValueError for a trajectory that is not above zero.
    """
    if trajectory <= 0:
        raise ValueError("the trajectory must be above zero")
    return (attained - trajectory) / trajectory * 100


def portfolio_delta_pct(ships: Iterable[tuple[float, float]]) -> float | None:
    """Mean of the ships' deltas, weighted (by debt or by value of the lease); None without weight (golden SH12).

    Args:
        ships: (delta in percent, weight); weights need not sum to one and are not below zero.
    """
    weighed = list(ships)
    if any(weight < 0 for _, weight in weighed):
        raise ValueError("a weight is below zero")
    total = sum(weight for _, weight in weighed)
    return None if total == 0 else sum(delta * weight for delta, weight in weighed) / total
