"""Landings where none may be: each row of domain.md 1.6's table, in both directions."""

from __future__ import annotations

from typing import Any

import pytest

from detect.model import Docket, Finding
from fleet.area_index import WatchedArea
from fleet.clause import Clause
from fleet.dated import EVER
from fleet.instants import HOUR_US
from fleet.lease import ProhibitedCountries
from fleet.places import AreaPlaces
from fleet.use import Place
from tests.detect.conftest import Bench, Surroundings
from tests.detect.fix_areas import area, around, use_of

FIELD = (50.5, 10.5)


def airfield(lat_deg: float, lon_deg: float, within_m: float) -> Place | None:
    del within_m
    near = abs(lat_deg - FIELD[0]) < 0.3 and abs(lon_deg - FIELD[1]) < 0.3
    return Place(id="XXAA", kind="airport", name="Field", distance_m=900.0, elevation_ft=0.0, country="XA") if near else None


def approach(bench: Bench, *, lands: bool = True, mayday_min: float | None = None) -> list[Any]:
    """Half an hour in the air down to the field, and five minutes of rolling; 7700 so long before the touch-down, if at all."""
    readings, down = [], 1800.0
    for i in range(180):
        second = 10.0 * i
        squawk = "7700" if mayday_min is not None and abs(down - mayday_min * 60.0 - second) <= 5.0 else "2000"
        readings.append(bench.plane(
            second, lat_deg=FIELD[0], lon_deg=FIELD[1] - (down - second) * 0.0008, on_ground=False, squawk=squawk,
            gs_kn=140.0 + (down - second) * 0.1, alt_baro_ft=(down - second) * 12.0, vertical_rate_fpm=-720.0,
        ))  # fmt: skip
    fields = {"lat_deg": FIELD[0], "lon_deg": FIELD[1], "on_ground": True, "gs_kn": 20.0, "squawk": "2000", "alt_baro_ft": 0.0}
    return readings + [bench.plane(down + 10.0 * i, **fields) for i in range(30)] if lands else readings


def fly(bench: Bench, readings: list[Any], *areas: WatchedArea, until: float | None = None, **more: Any) -> list[Finding]:
    use = use_of("aircraft", AreaPlaces([], airfield))
    return bench.run(readings, until=until, around=Surroundings(**around(*areas), use=use, **more))


def landings(bench: Bench, findings: list[Finding]) -> list[Finding]:
    return bench.last(findings, "landing_prohibited")


def test_a_landing_in_a_prohibited_area_is_critical(bench: Bench) -> None:
    (finding,) = landings(bench, fly(bench, approach(bench), area()))
    assert (finding.subject, finding.severity, finding.opened_at_us) == ("zone", "critical", finding.closed_at_us)
    assert finding.opened_at_us == pytest.approx(bench.at(1795), abs=10_000_000)
    evidence = finding.evidence
    assert (evidence["possible"], evidence["airport"], evidence["force_majeure_candidate"]) == (False, "XXAA", False)


def test_an_aircraft_that_lands_did_not_fly_over(bench: Bench) -> None:
    (entered,) = bench.last(fly(bench, approach(bench), area()), "area_entered")
    assert (entered.severity, entered.evidence["overflight"]) == ("warning", False)


@pytest.mark.parametrize(("mayday_min", "candidate"), [(20.0, True), (29.9, True), (None, False)])
def test_force_majeure_is_told_and_is_no_less_grave(bench: Bench, mayday_min: float | None, candidate: bool) -> None:
    (finding,) = landings(bench, fly(bench, approach(bench, mayday_min=mayday_min), area()))
    assert (finding.severity, finding.evidence["force_majeure_candidate"]) == ("critical", candidate)


@pytest.mark.parametrize(("minutes", "candidate"), [(59.0, True), (61.0, False)])
def test_a_mayday_counts_for_an_hour(bench: Bench, minutes: float, candidate: bool) -> None:
    call = bench.plane(1795.0 - 60.0 * minutes, lat_deg=50.5, lon_deg=6.0, on_ground=False, gs_kn=300.0, squawk="7700")
    (finding,) = landings(bench, fly(bench, [call, *approach(bench)], area()))
    assert finding.evidence["force_majeure_candidate"] is candidate


def test_a_landing_outside_and_in_an_area_of_another_kind_is_none(bench: Bench) -> None:
    far = area("far", [(20, 50), (21, 50), (21, 51), (20, 51)])
    assert landings(bench, fly(bench, approach(bench), far, area(kind="notify"))) == []


@pytest.mark.parametrize(("country", "found"), [("XA", ["XA"]), ("XB", [])])
def test_a_landing_in_a_country_that_the_lease_prohibits(bench: Bench, country: str, found: list[str]) -> None:
    demand = ProhibitedCountries(countries=(country,))
    clause = Clause(id="c1", subject="c1", lease_id="l", clause="7", demand=demand, severity="warning", binds=(EVER,))
    findings = fly(bench, approach(bench), docket=Docket(covenants=(clause,)))
    assert [one.subject for one in landings(bench, findings)] == found


@pytest.mark.parametrize(("hours", "found"), [(5.9, 0), (6.1, 1)])
def test_last_heard_in_the_air_there_it_may_have_landed_after_six_hours(bench: Bench, hours: float, found: int) -> None:
    findings = landings(bench, fly(bench, approach(bench, lands=False), area(), until=1790.0 + hours * 3600.0))
    assert [(one.severity, one.evidence["possible"], one.opened_at_us) for one in findings] == [
        ("warning", True, bench.at(1790))
    ] * found


def test_heard_again_a_possible_landing_is_over(bench: Bench) -> None:
    again = bench.plane(1790.0 + 7 * 3600.0, lat_deg=50.5, lon_deg=10.5, on_ground=True, gs_kn=0.0)
    (finding,) = landings(bench, fly(bench, [*approach(bench, lands=False), again], area()))
    assert (finding.closed_at_us, finding.evidence["heard_again"]) == (again.time_us, "on_ground")
    assert again.time_us - finding.opened_at_us == 7 * HOUR_US
