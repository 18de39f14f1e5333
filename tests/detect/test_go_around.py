"""An approach broken off: how low it came, how it climbed, and what is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from detect.model import Context
from fleet.use import NOWHERE, Place, UseContext

NAME = "go_around"
FIELD_FT = 1500.0


class OneField:
    """A world of one airport, 1,500 ft high, near everything."""

    places_near = NOWHERE.places_near

    def __init__(self, distance_m: float = 5000.0) -> None:
        self.distance_m = distance_m

    def airport_near(self, _lat_deg: float, _lon_deg: float, within_m: float) -> Place | None:
        if self.distance_m > within_m:
            return None
        return Place(id="EDXX", kind="airport", name="Field", distance_m=self.distance_m, elevation_ft=FIELD_FT)


@pytest.fixture
def over_a_field(surroundings: Any) -> Callable[..., Any]:
    def around(distance_m: float = 5000.0) -> Any:
        context = Context(use=UseContext(limits=None, places=OneField(distance_m)))
        told = surroundings()
        told.at_reading = lambda _asset_id, _reading: context
        return told

    return around


@pytest.fixture(autouse=True)
def without_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flight machine wants limits of its own; this rule does not read it."""
    monkeypatch.setattr("detect.drive.use", lambda *_: None)


def approach(bench: Any, lowest_agl_ft: float, climb_fpm: float, climb_s: int, **last: object) -> list[Any]:
    """Down from 6,000 ft over the field at 800 ft/min, a reading every 5 s, then up again."""
    readings, second, alt_ft = [], 0, FIELD_FT + 6000.0
    told = {"lat_deg": 48.0, "lon_deg": 11.0, "gs_kn": 140.0, "on_ground": False}
    while alt_ft > FIELD_FT + lowest_agl_ft:
        readings.append(bench.plane(second, alt_baro_ft=alt_ft, vertical_rate_fpm=-800.0, **told))
        second, alt_ft = second + 5, max(alt_ft - 800.0 / 12.0, FIELD_FT + lowest_agl_ft)
    readings.append(bench.plane(second, alt_baro_ft=alt_ft, vertical_rate_fpm=0.0, **(told | last)))
    readings += [
        bench.plane(second + step_s, alt_baro_ft=alt_ft + climb_fpm * step_s / 60.0, vertical_rate_fpm=climb_fpm, **told)
        for step_s in range(5, climb_s + 6, 5)
    ]
    return readings


@pytest.mark.parametrize(("climb_s", "found"), [(20, 1), (15, 0)])
def test_it_climbs_for_twenty_seconds(bench: Any, over_a_field: Any, climb_s: int, found: int) -> None:
    findings = bench.last(bench.run(approach(bench, 300.0, 2000.0, climb_s), around=over_a_field()), NAME)
    assert len(findings) == found
    for finding in findings:
        assert (finding.severity, finding.evidence["airport"], finding.evidence["lowest_agl_ft"]) == ("info", "EDXX", 300)
        assert finding.opened_at_us == finding.closed_at_us


@pytest.mark.parametrize(("agl_ft", "found"), [(1990.0, 1), (2010.0, 0)])
def test_it_had_come_below_two_thousand_feet_over_the_field(bench: Any, over_a_field: Any, agl_ft: float, found: int) -> None:
    assert len(bench.last(bench.run(approach(bench, agl_ft, 1500.0, 60), around=over_a_field()), NAME)) == found


@pytest.mark.parametrize(("climb_fpm", "found"), [(500.0, 1), (499.0, 0)])
def test_it_climbs_at_500_feet_a_minute(bench: Any, over_a_field: Any, climb_fpm: float, found: int) -> None:
    assert len(bench.last(bench.run(approach(bench, 400.0, climb_fpm, 60), around=over_a_field()), NAME)) == found


def test_wheels_on_the_ground_make_it_a_landing(bench: Any, over_a_field: Any) -> None:
    readings = approach(bench, 0.0, 2000.0, 60, on_ground=True, gs_kn=130.0)
    assert bench.last(bench.run(readings, around=over_a_field()), NAME) == []


def test_a_descent_far_from_any_field_is_no_approach(bench: Any, over_a_field: Any) -> None:
    readings = approach(bench, 300.0, 2000.0, 60)
    assert bench.last(bench.run(readings, around=over_a_field(distance_m=15_000.0)), NAME) == []


def test_a_take_off_is_none(bench: Any, over_a_field: Any) -> None:
    readings = [
        bench.plane(
            second,
            lat_deg=48.0,
            lon_deg=11.0,
            on_ground=False,
            gs_kn=160.0,
            alt_baro_ft=FIELD_FT + 30.0 * second,
            vertical_rate_fpm=1800.0,
        )
        for second in range(0, 200, 5)
    ]
    assert bench.last(bench.run(readings, around=over_a_field()), NAME) == []
