"""The exact interval of a count, against values printed in tables."""

from __future__ import annotations

import pytest

from evaluation.poisson import limits


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904), (20, 12.2165, 30.8884)],
)
def test_limits_are_garwoods(count: int, low: float, high: float) -> None:
    assert limits(count) == pytest.approx((low, high), abs=1e-4)


def test_a_negative_count_is_a_programmers_error() -> None:
    with pytest.raises(ValueError, match="-1"):
        limits(-1)
