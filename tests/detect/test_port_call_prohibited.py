"""Calls where none may be: stops inside a prohibited area, in its ports and in those of a prohibited country."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from detect.model import Docket, Finding
from fleet.area_index import WatchedArea
from fleet.clause import Clause
from fleet.dated import Span
from fleet.lease import ProhibitedCountries
from fleet.places import Area, AreaPlaces
from tests.detect.conftest import Bench, Surroundings
from tests.detect.fix_areas import area, around, use_of

BERTH = (50.1, 10.1)
PORT = AreaPlaces([Area(id="XAABC", kind="port", name="Harbour", lat_deg=BERTH[0], lon_deg=BERTH[1])])


def countries(*names: str, binds: Span = Span(None, None)) -> Docket:  # noqa: B008  (frozen)
    demand = ProhibitedCountries(countries=names)
    clause = Clause(id="c1", subject="c1", lease_id="l", clause="7", demand=demand, severity="warning", binds=(binds,))
    return Docket(covenants=(clause,))


def call(
    bench: Bench, speeds: Sequence[float | None], *areas: WatchedArea, places: AreaPlaces | None = None, **more: Any
) -> list[Finding]:  # fmt: skip
    """A ship at one place that does these speeds, a minute each."""
    use: dict[str, Any] = {} if places is None else {"use": use_of("vessel", places)}
    readings = [
        bench.ship(60.0 * i, lat_deg=BERTH[0], lon_deg=BERTH[1] + 1e-6 * i, sog_kn=kn) for i, kn in enumerate(speeds)
    ]  # fmt: skip
    found = bench.run(readings, around=Surroundings(**around(*areas), **use, **more))
    return bench.last(found, "port_call_prohibited")


@pytest.mark.parametrize(("minutes", "found"), [(11, 0), (12, 1)])
def test_a_stop_of_ten_minutes_in_a_prohibited_area_is_a_call(bench: Bench, minutes: int, found: int) -> None:
    findings = call(bench, [4.0, *[0.1] * (minutes - 1)], area())
    assert [(one.subject, one.severity, one.opened_at_us) for one in findings] == [("zone", "critical", bench.at(60))] * found


@pytest.mark.parametrize(("speed_kn", "found"), [(0.2, 1), (0.21, 0)])
def test_a_stop_begins_at_two_tenths_of_a_knot(bench: Bench, speed_kn: float, found: int) -> None:
    assert len(call(bench, [4.0, *[speed_kn] * 30], area())) == found


@pytest.mark.parametrize(("speed_kn", "found"), [(0.49, 1), (0.5, 0)])
def test_a_stop_ends_at_half_a_knot(bench: Bench, speed_kn: float, found: int) -> None:
    assert len(call(bench, [0.1] * 6 + [speed_kn] + [0.1] * 6, area())) == found


def test_a_stop_elsewhere_and_in_an_area_of_another_kind_is_none(bench: Bench) -> None:
    assert call(bench, [0.0] * 30, area("far", [(20, 50), (21, 50), (21, 51), (20, 51)]), area("seen", kind="watch")) == []


def test_a_call_says_which_port(bench: Bench) -> None:
    (finding,) = call(bench, [4.0, *[0.0] * 30], area(), places=PORT)
    assert (finding.evidence["port"], finding.evidence["country"], finding.evidence["confidence"]) == ("XAABC", "XA", 2)


@pytest.mark.parametrize(
    ("docket", "found"), [(countries("XA", "XB"), ["XA"]), (countries("XB"), []), (countries("XA", binds=Span(None, 0)), [])]
)
def test_a_port_of_a_country_that_the_lease_prohibits(bench: Bench, docket: Docket, found: list[str]) -> None:
    assert [one.subject for one in call(bench, [4.0, *[0.0] * 30], places=PORT, docket=docket)] == found


def test_it_closes_at_the_second_look_elsewhere_and_opens_once(bench: Bench) -> None:
    away = [(50.1, 9.99 - 0.002 * i) for i in range(6)]
    way = [(0.1, BERTH)] * 20 + [(5.0, BERTH)] * 3 + [(0.1, BERTH)] * 20 + [(5.0, place) for place in away]
    start = [bench.ship(60.0 * i, lat_deg=at[0], lon_deg=at[1], sog_kn=kn) for i, (kn, at) in enumerate(way)]
    findings = bench.last(bench.run(start, around=Surroundings(**around(area()))), "port_call_prohibited")
    assert [(one.opened_at_us, one.closed_at_us) for one in findings] == [(bench.at(60), bench.at(44 * 60))]
