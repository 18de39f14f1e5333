"""What a count over hours can carry: the exact 95 % interval of a Poisson rate.

Source: Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936): for n events the limits of the mean are
half the 2.5 % quantile of chi-squared with 2n degrees of freedom and half the 97.5 % quantile with 2n + 2. They are found here
from the Poisson sums themselves, which is the same thing and needs no table.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, lgamma, log

TAIL = 0.025  # on either side: 95 % in all
STEPS = 200  # of bisection: far below the last figure printed


def at_most(count: int, mean: float) -> float:
    """Probability that a Poisson variable of this mean is `count` or less."""
    if count < 0:
        return 0.0
    if mean <= 0.0:
        return 1.0
    return min(1.0, sum(exp(n * log(mean) - mean - lgamma(n + 1)) for n in range(count + 1)))


def limits(count: int) -> tuple[float, float]:
    """The exact 95 % limits of the mean number of events of which `count` were seen. Raises ValueError below 0."""
    if count < 0:
        raise ValueError(f"a count of {count}")
    low = 0.0 if count == 0 else _root(lambda mean: 1.0 - at_most(count - 1, mean) - TAIL, count)
    return low, _root(lambda mean: TAIL - at_most(count, mean), count)


def _root(rising: Callable[[float], float], count: int) -> float:
    """Where a function that rises with the mean crosses zero."""
    low, high = 0.0, 10.0 + 4.0 * count
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2
