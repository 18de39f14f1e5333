"""Lanes keep to the water, ships and numbers are plausible, and the demo's fleet is what it should be."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from simulators.identity import AIRCRAFT_STATES, aircraft_state, icao24, imo_number, mmsi, registration, ship_flag
from simulators.lanes import LANES_PATH, PORTS, lane, raw_lane, voyages_sailed
from simulators.motion import NM_M, Way
from simulators.scenario import ScenarioError, load_scenario
from simulators.survey import free_water, leg_line, load_land, over_land_nm
from simulators.vessel import TURN_RADIUS_M, _speed_zones
from simulators.world import World

ATLAS = Path(__file__).parents[2] / "web" / "node_modules" / "world-atlas"


def test_every_voyage_of_the_scenarios_is_kept() -> None:
    kept = set(voyages_sailed())
    for name in ("demo", "small", "clean"):
        for plan in load_scenario(name).vessels:
            for a, b in pairwise([*plan.ports, plan.ports[0]]):
                assert (a, b) in kept or (b, a) in kept, plan.name
    assert LANES_PATH.stat().st_size < 300_000


@pytest.mark.parametrize("land_file", ["land-50m.json", "land-10m.json"])
def test_no_leg_leads_over_land(land_file: str) -> None:
    if not (ATLAS / land_file).exists():
        pytest.skip("world-atlas is not installed (npm ci in web/)")
    land = load_land(ATLAS / land_file)
    shapely.prepare(land)
    for origin, destination in voyages_sailed():
        free = free_water([PORTS[origin].lon_lat, PORTS[destination].lon_lat])
        for a, b in pairwise(lane(origin, destination)):
            assert over_land_nm(a, b, land, free) < 2.0, (origin, destination, a, b)


def test_a_leg_over_land_would_be_seen() -> None:
    britain = shapely.box(-3, 51, 1, 54)
    assert over_land_nm((-4, 52), (2, 52), britain, shapely.Point()) == pytest.approx(
        4 * 60 * math.cos(math.radians(52)), rel=0.01
    )
    assert over_land_nm((-4, 50), (2, 50), britain, shapely.Point()) == 0


def test_a_leg_over_the_date_line_is_cut_in_two() -> None:
    assert [line.bounds[0] > 0 for line in leg_line((179.9, 40), (-179.9, 41))] == [True, False]


def test_lanes_begin_and_end_in_the_berth_in_both_directions() -> None:
    for origin, destination in voyages_sailed():
        there, back = lane(origin, destination), lane(destination, origin)
        assert there == back[::-1]
        for point, port in ((there[0], origin), (there[-1], destination)):
            assert point == pytest.approx(PORTS[port].lon_lat, abs=1e-4)


def test_a_kept_lane_is_hardly_longer_than_the_network_says() -> None:
    for origin, destination in voyages_sailed():
        kept_m = Way(lane(origin, destination), TURN_RADIUS_M).length_m
        raw_m = Way(raw_lane(origin, destination), TURN_RADIUS_M).length_m
        assert 0.9 * raw_m < kept_m < 1.15 * raw_m + 20 * NM_M, (origin, destination)


def test_rounded_corners_turn_gently_and_stay_near_the_lane() -> None:
    points = lane("NLRTM", "SGSIN")
    way = Way(points, TURN_RADIUS_M)
    fixes = [way.at(k * 200.0) for k in range(int(way.length_m / 200))]
    assert max(abs((b.bearing_deg - a.bearing_deg + 180) % 360 - 180) for a, b in pairwise(fixes)) < 12
    sailed = shapely.LineString([fix[:2] for fix in fixes])
    assert max(sailed.distance(shapely.Point(point)) for point in points[:-1]) < 0.02


@given(st.text(min_size=1, max_size=20))
def test_numbers_pass_their_check(name: str) -> None:
    imo = imo_number(name)
    assert len(imo) == 7
    assert sum(int(digit) * (7 - i) for i, digit in enumerate(imo[:6])) % 10 == int(imo[6])
    number = mmsi(name, ship_flag(name))
    assert len(number) == 9
    assert 201 <= int(number[:3]) <= 775
    state = aircraft_state(name)
    address = icao24(name, state)
    assert address == address.lower()
    assert len(address) == 6
    assert state.block < int(address, 16) < state.block + state.size
    assert registration(name, state).startswith(state.mark.partition("@")[0])


def test_blocks_of_addresses_do_not_overlap() -> None:
    edges = sorted((s.block, s.block + s.size) for s in AIRCRAFT_STATES if s.country != "BM")  # Bermuda's lies in the UK's
    assert all(a[1] <= b[0] for a, b in pairwise(edges))


def test_the_demo_has_two_lessors_with_ships_aircraft_and_a_train_each(demo: World) -> None:
    counts = Counter((a.tenant, a.asset_class) for a in demo.assets())
    assert counts["demo", "vessel"] + counts["harbour", "vessel"] >= 40
    assert counts["demo", "aircraft"] + counts["harbour", "aircraft"] >= 20
    assert min(counts[tenant, name] for tenant in ("demo", "harbour") for name in ("vessel", "aircraft")) >= 10
    assert counts["demo", "trainset"] == counts["harbour", "trainset"] == 1
    assert len({a.value for a in demo.assets()}) == len(demo.assets())


def test_each_lessor_has_ships_near_each_other_and_ships_far_away(demo: World) -> None:
    start_us = round(demo.start.timestamp() * 1e6)
    for tenant in ("demo", "harbour"):
        places = [
            (b["lat_deg"], b["lon_deg"])
            for t in demo._things
            if t.asset.tenant == tenant and t.asset.asset_class == "vessel"
            for b in [t.reading(start_us)]
        ]
        close = max(sum(math.dist(p, q) < 0.4 for q in places) for p in places)
        assert close >= 6
        assert len({(int(lat // 30), int(lon // 60)) for lat, lon in places}) >= 7


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = 3", "str"),
        ('name = "x"\nseed = 1\ntenants = []\nhistory_hours = 3', "history_hours"),
        ('name = "x"\nseed = 1\ntenants = ["a"]\nvessels = [{tenant="b", name="n", type="tanker", ports=["NLRTM"]}]', "tenants"),
        ("= broken", "broken|Invalid"),
    ],
)
def test_a_bad_scenario_says_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=complaint):
        load_scenario(path)


def test_an_unknown_scenario_is_said_to_be_missing() -> None:
    with pytest.raises(ScenarioError, match="no scenario at"):
        load_scenario("atlantis")


@pytest.mark.parametrize("ports", [("NLRTM", "SGSIN"), ("SGSIN", "NLRTM"), ("USNYC", "CNYSA")])
def test_canals_are_found_as_by_looking_at_every_mile(ports: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    way = Way(lane(*ports), TURN_RADIUS_M)
    found = _speed_zones(way, 8.0)
    monkeypatch.setattr("simulators.vessel._away_m", lambda _point: 0.0)
    assert found == _speed_zones(way, 8.0)
    assert len(found) > 3
