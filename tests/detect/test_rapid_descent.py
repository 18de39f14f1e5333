"""A fast descent: how steep, how long and how far it must be, and what ends it."""

from __future__ import annotations

from typing import Any

import pytest

NAME = "rapid_descent"


def sinking(bench: Any, rate_fpm: float, seconds: int, from_ft: float = 36_000.0, lost: float = 1.0, begin: int = 0) -> list[Any]:
    """A reading a second at a rate; `lost` is the share of it that the altitude shows."""
    return [
        bench.plane(
            begin + second,
            on_ground=False,
            gs_kn=400.0,
            vertical_rate_fpm=rate_fpm,
            alt_baro_ft=from_ft + lost * rate_fpm * second / 60.0,
        )
        for second in range(seconds + 1)
    ]


@pytest.mark.parametrize(
    ("rate_fpm", "seconds", "from_ft", "found"),
    [
        (-4000.0, 60, 36_000.0, 1),
        (-4000.0, 59, 36_000.0, 0),
        (-3999.0, 90, 36_000.0, 0),
        (-4000.0, 60, 24_001.0, 1),
        (-4000.0, 60, 24_000.0, 0),
        (-6000.0, 20, 9000.0, 1),
        (-6000.0, 19, 9000.0, 0),
        (-5999.0, 30, 9000.0, 0),
        (-10_001.0, 70, 36_000.0, 0),
    ],
)
def test_4000_fpm_for_60_s_above_fl200_or_6000_fpm_for_20_s(
    bench: Any, rate_fpm: float, seconds: int, from_ft: float, found: int
) -> None:
    assert len(bench.last(bench.run(sinking(bench, rate_fpm, seconds, from_ft)), NAME)) == found


@pytest.mark.parametrize(("lost", "found"), [(0.75, 1), (0.74, 0), (0.0, 0)])
def test_the_altitude_must_show_three_quarters_of_it(bench: Any, lost: float, found: int) -> None:
    assert len(bench.last(bench.run(sinking(bench, -6000.0, 30, lost=lost)), NAME)) == found


@pytest.mark.parametrize(("silent_s", "found"), [(30, 1), (31, 0)])
def test_across_more_than_30_s_without_a_reading_counting_begins_anew(bench: Any, silent_s: int, found: int) -> None:
    before = sinking(bench, -6000.0, 5)
    after = sinking(bench, -6000.0, 0, from_ft=36_000.0 - 500.0 - 100.0 * silent_s, begin=5 + silent_s)
    assert len(bench.last(bench.run([*before, *after]), NAME)) == found


def test_it_closes_when_it_sinks_slower_than_2000_fpm(bench: Any) -> None:
    calm = sinking(bench, -1999.0, 3, from_ft=31_000.0, begin=61)
    (finding,) = bench.last(bench.run([*sinking(bench, -5000.0, 60), *calm]), NAME)
    assert (finding.opened_at_us, finding.detected_at_us) == (bench.at(0), bench.at(60))
    assert finding.closed_at_us == bench.at(61)
    assert (finding.severity, finding.evidence["mean_rate_fpm"], finding.evidence["to_alt_ft"]) == ("warning", -5000, 31_000.0)


def test_a_source_without_vertical_rates_is_measured(bench: Any) -> None:
    readings = [
        bench.plane(second, on_ground=False, gs_kn=400.0, alt_baro_ft=36_000.0 - 100.0 * second) for second in range(0, 90, 5)
    ]
    (finding,) = bench.last(bench.run(readings), NAME)
    assert finding.evidence["limit_fpm"] == -6000.0
