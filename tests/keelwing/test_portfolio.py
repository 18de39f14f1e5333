"""The demo's past: lives that add up, papers that the rules of leases accept, figures that agree with each other."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from fleet import cii, utilization
from fleet.lease import Terms, parse_terms
from keelwing.portfolio import billing, heard, stories
from keelwing.portfolio.lives import DAY_S
from keelwing.portfolio.loading import fleet_of
from keelwing.portfolio.paper import Held, papers, party_names
from simulators.scenario import load_scenario
from simulators.world import World

START = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
SEED = 7


@pytest.fixture(scope="module")
def fleet() -> list[Held]:
    world = World(load_scenario("demo"), seed=SEED, start=START)
    return fleet_of(world, {asset.plan: asset.plan for asset in world.assets()}, SEED, world.scenario.history_h)


@pytest.fixture(scope="module")
def rows(fleet: list[Held]) -> dict[str, list[dict[str, object]]]:
    return papers(fleet, {name: name for name in party_names()}, START, SEED)


def of(fleet: list[Held], plan: str) -> Held:
    return next(held for held in fleet if held.plan == plan)


def test_there_are_sixty_assets_and_ten_years(fleet: list[Held]) -> None:
    assert len(fleet) == 60
    assert max(held.story.acquired_d for held in fleet) > 9.9 * stories.YEAR_D


def test_states_of_every_whole_day_sum_to_it_and_distance_is_that_of_the_journeys(fleet: list[Held]) -> None:
    for held in fleet:
        midnights_s = heard.midnights(held, START)
        found = heard.day_sums(held, midnights_s)
        assert np.allclose(found.state_s.sum(axis=0), DAY_S, atol=1e-3), held.plan
        journeys = held.life.journeys()
        inside = (journeys.leaves_s >= midnights_s[0]) & (journeys.arrives_s <= midnights_s[-1])
        metres = sum(held.life.round.hops[hop].length_m for hop in journeys.hop[inside])
        assert metres <= float(found.distance_m.sum()) + 1.0
        assert np.allclose(found.distance_m, found.laden_m + found.ballast_m, atol=0.01)


def activities_of(held: Held, start: datetime, cuts_s: tuple[float, ...] = ()) -> list[list[str]]:
    clock = heard.Clock(start, heard.months_before(start, stories.YEARS))
    lines = heard.activities(held, clock, heard.midnights(held, start), cuts_s).splitlines()
    return sorted((line.split("\t") for line in lines), key=lambda fields: fields[3])


@pytest.mark.parametrize("start", [START, datetime(2026, 11, 26, 21, 5, 37, tzinfo=UTC)])
def test_activities_follow_each_other_whenever_the_demo_is_started(start: datetime) -> None:
    """Started at 21:05:37, one of them begins 54 microseconds after a midnight."""
    world = World(load_scenario("demo"), seed=SEED, start=start)
    for held in fleet_of(world, {asset.plan: asset.plan for asset in world.assets()}, SEED, world.scenario.history_h):
        lines = activities_of(held, start)
        assert all(line[3] < line[4] for line in lines), held.plan
        assert all(before[4] == after[3] for before, after in pairwise(lines)), held.plan


def test_two_leases_that_change_on_one_day_cut_it_once(fleet: list[Held]) -> None:
    cut_s = -700.3 * DAY_S
    held = of(fleet, stories.IDLE)
    assert activities_of(held, START, (cut_s, cut_s + 60.0)) == activities_of(held, START, (cut_s,)) != activities_of(held, START)


def test_an_asset_lies_still_while_it_is_laid_up(fleet: list[Held]) -> None:
    held = of(fleet, stories.IDLE)
    pause = next(one for one in held.life.pauses if one.kind == "layup")
    looks = held.life.look(np.linspace(pause.from_s, pause.to_s - 1, 50))
    assert pause.to_s - pause.from_s == pytest.approx(105 * DAY_S)
    assert float(np.ptp(looks.lat_deg)) < 1e-6
    assert not looks.speed_kn.any()


def test_the_last_position_of_the_past_is_where_the_live_fleet_begins(fleet: list[Held]) -> None:
    world = World(load_scenario("demo"), seed=SEED, start=START)
    held = of(fleet, "ALDER STRAIT")
    looks = held.life.look(np.array([held.life.until_s]))
    at = START + timedelta(seconds=held.life.until_s)
    said = next(
        element for element in world.elements(at, at + timedelta(minutes=3))
        if element.value == held.life.asset.value and element.kind == "telemetry"
    )  # fmt: skip
    assert abs(float(said.body["lat_deg"]) - looks.lat_deg[0]) < 0.05


def test_every_term_of_every_lease_is_one(rows: dict[str, list[dict[str, object]]]) -> None:
    for row in rows["lease_contract"]:
        assert isinstance(parse_terms(json.loads(str(row["terms"]))), Terms)


def test_months_of_reports_are_what_was_flown_but_for_the_stories_of_may(fleet: list[Held]) -> None:
    rows: dict[str, list[dict[str, object]]] = {}
    components = billing.components_of(fleet, START)
    for plan in (stories.UNDER_REPORTED, stories.REPORT_MISSING):
        billing.aircraft_rows(rows, of(fleet, plan), components, START, SEED)
    told = {(row["asset_id"], str(row["period"])[1:8]): json.loads(str(row["figures"])) for row in rows["utilization_report"]}
    assert (stories.REPORT_MISSING, "2026-05") not in told
    assert (stories.REPORT_MISSING, "2026-06") in told
    held = of(fleet, stories.UNDER_REPORTED)
    months = billing.months_of(held, START, billing.leases_of(held, START)[-1][1], None)
    flown = {month.begin.strftime("%Y-%m"): float(month.flight_h) for month in months}
    assert told[stories.UNDER_REPORTED, "2026-05"]["flight_h"] == pytest.approx(0.896 * flown["2026-05"], abs=0.01)
    assert told[stories.UNDER_REPORTED, "2026-06"]["flight_h"] == flown["2026-06"]


def held_at(start: datetime, plan: str) -> Held:
    """One asset of the demo as it is when first started at an instant."""
    demo = load_scenario("demo")
    vessels = [one for one in demo.vessels if one.name == plan]
    aircraft = [one for one in demo.aircraft if one.name == plan]
    alone = msgspec.structs.replace(demo, vessels=vessels, aircraft=aircraft, trainsets=[], faults=[])
    (held,) = fleet_of(World(alone, seed=SEED, start=start), {plan: plan}, SEED, demo.history_h)
    return held


@pytest.mark.parametrize("since_june", [timedelta(days=4, hours=6), timedelta(days=9), timedelta(days=14, hours=6)])
def test_may_is_told_of_when_its_reports_were_due(since_june: timedelta) -> None:
    start = datetime(2027, 6, 1, tzinfo=UTC) + since_june
    may = (start - timedelta(days=stories.days_ago(start, 5, 1))).year
    due = datetime(may, 6, 1, tzinfo=UTC) + timedelta(days=utilization.HOUSE.number("utilization.report_due_days", start.date()))
    assert due <= start
    told = {}
    for plan in (stories.UNDER_REPORTED, stories.REPORT_MISSING):
        rows: dict[str, list[dict[str, object]]] = {}
        held = held_at(start, plan)
        billing.aircraft_rows(rows, held, billing.components_of([held], start), start, SEED)
        told[plan] = {str(row["period"])[1:8] for row in rows["utilization_report"]}
    assert f"{may}-05" in told[stories.UNDER_REPORTED]
    assert f"{may}-05" not in told[stories.REPORT_MISSING]


@pytest.mark.parametrize(
    "day", ["2026-12-31T23:59Z", "2027-01-01T00:01Z", "2027-02-15T01:00Z", "2028-02-29T10:00Z", "2030-12-31T12:00Z"]
)  # fmt: skip
def test_the_rated_ship_is_a_then_b_then_c_whenever_the_demo_is_started(day: str) -> None:
    start = datetime.fromisoformat(day)
    held, rows = held_at(start, stories.RATED), dict[str, list[dict[str, object]]]()
    billing.ship_rows(rows, held, start)
    co2_t, miles = defaultdict[int, float](float), defaultdict[int, float](float)
    for row in rows["utilization_report"]:
        figures = json.loads(str(row["figures"]))
        year = int(figures["utc_from"][:4])
        co2_t[year] += sum((fuel["me_t"] + fuel["ae_t"]) * billing.HFO_CF for fuel in figures["fuel"])
        miles[year] += figures["distance_og_nm"]
    capacity, last = billing.capacity_of(held), stories.rated_year(start)
    attained = {year: cii.attained(co2_t[year], capacity, miles[year]) for year in range(last - 2, last + 1)}
    letters = [cii.against_year(one, "bulk_carrier", capacity, year).rating for year, one in attained.items()]
    assert letters == ["A", "B", "C"]
    assert min(str(row["period"])[1:11] for row in rows["utilization_report"]) <= f"{last - 2}-01-01"


def test_the_engine_of_the_story_sat_on_two_wings(fleet: list[Held]) -> None:
    engine = next(one for one in billing.components_of(fleet, START) if one.serial == stories.ENGINE_ESN)
    assert [(plan, position) for plan, position, _, _ in engine.sat] == [(stories.ENGINE_FROM, "1"), (stories.ENGINE_TO, "2")]
    seated = [
        (plan, position) for one in billing.components_of(fleet, START) for plan, position, _, end in one.sat if end is None
    ]
    assert len(seated) == len(set(seated))


@pytest.mark.parametrize(("minute", "is_whole"), [(0, True), (20, False)])
def test_a_month_is_whole_from_its_midnight_on(minute: int, is_whole: bool) -> None:
    begin, end = datetime(2026, 3, 1, 0, minute, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    assert billing.Month(begin, end, Decimal(0), 0).is_whole is is_whole
