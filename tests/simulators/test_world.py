"""A world is a function of (scenario, seed, time): the same twice, continued anywhere, and physically consistent."""

from __future__ import annotations

import gzip
import math
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.element import Element, unix_us
from simulators.record import record
from simulators.scenario import Scenario, load_scenario
from simulators.world import World

START = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
START_US = unix_us(START)
HOUR_US = 3_600_000_000
Body = dict[str, Any]

SMALL = load_scenario("small")
CLEAN_WORLD = World(load_scenario("clean"), seed=11, start=START)
WHOLE = World(SMALL, seed=1, start=START)
CLEAN_SHIPS: list[Any] = [t for t in CLEAN_WORLD._things if t.asset.asset_class == "vessel"]
CLEAN_PLANES: list[Any] = [t for t in CLEAN_WORLD._things if t.asset.asset_class == "aircraft"]


def haversine_m(a: Body, b: Body) -> float:
    """Great-circle distance on a sphere; shares no code with the simulator."""
    lat_a, lat_b = math.radians(a["lat_deg"]), math.radians(b["lat_deg"])
    half_lat, half_lon = (lat_b - lat_a) / 2, math.radians(b["lon_deg"] - a["lon_deg"]) / 2
    h = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(h))


def turned_deg(a: float, b: float) -> float:
    return (b - a + 180) % 360 - 180


def spoken(world: World, start: datetime, end: datetime) -> list[Element]:
    return list(world.elements(start, end))


def test_the_same_seed_is_the_same_world(small: World) -> None:
    again = World(SMALL, seed=SMALL.seed, start=START)
    span = (START - timedelta(minutes=5), START + timedelta(minutes=35))
    assert spoken(small, *span) == spoken(again, *span)


def test_another_seed_is_another_world_of_the_same_ships(small: World) -> None:
    other = World(SMALL, seed=SMALL.seed + 1, start=START)
    span = (START, START + timedelta(minutes=1))
    assert [e.body for e in spoken(small, *span)] != [e.body for e in spoken(other, *span)]
    assert [a.identifiers for a in small.assets()] == [a.identifiers for a in other.assets()]


@settings(max_examples=12, deadline=None)
@given(cut_s=st.integers(-600, 3600), length_s=st.integers(0, 900))
def test_a_world_begun_again_anywhere_goes_on(cut_s: int, length_s: int) -> None:
    begin = START + timedelta(seconds=cut_s - length_s)
    cut, end = START + timedelta(seconds=cut_s), START + timedelta(seconds=cut_s + length_s)
    whole = spoken(WHOLE, begin, end)
    restarted = World(SMALL, seed=1, start=START)
    parts = spoken(WHOLE, begin, cut) + spoken(restarted, cut, end)
    assert parts == whole


def test_elements_come_in_order_of_sending_and_within_the_span(small: World) -> None:
    begin, end = START + timedelta(minutes=5), START + timedelta(minutes=45)
    elements = spoken(small, begin, end)
    sent = [e.send_at_us for e in elements]
    assert sent == sorted(sent)
    assert unix_us(begin) <= sent[0] <= sent[-1] < unix_us(end)
    assert any(e.send_at_us > e.time_us for e in elements), "the delayed ones are in it"


@settings(max_examples=300, deadline=None)
@given(ship=st.sampled_from(CLEAN_SHIPS), at_us=st.integers(-24 * HOUR_US, 120 * 24 * HOUR_US))
def test_a_ship_moves_as_she_says(ship: Any, at_us: int) -> None:
    a, b = ship.reading(START_US + at_us), ship.reading(START_US + at_us + 10_000_000)
    said_m = (a["sog_kn"] + b["sog_kn"]) / 2 * 1852 / 3600 * 10
    assert abs(haversine_m(a, b) - said_m) < 14  # noise of two fixes, of two speeds, rounding, the sphere
    if a["sog_kn"] > 4:
        assert abs(turned_deg(a["cog_deg"], a["heading_deg"])) < 6
        turned = (a["rot_deg_min"] + b["rot_deg_min"]) / 12  # a turn may begin or end between the two
        assert abs(turned_deg(a["heading_deg"], b["heading_deg"]) - turned) < 4
    if a["nav_status"] == 5:
        assert a["sog_kn"] == 0
        assert a["channels"]["me_rpm"] == 0
    if a["nav_status"] == 1:
        assert a["sog_kn"] < 1


@settings(max_examples=300, deadline=None)
@given(plane=st.sampled_from(CLEAN_PLANES), at_us=st.integers(-24 * HOUR_US, 60 * 24 * HOUR_US))
def test_an_aircraft_moves_as_it_says(plane: Any, at_us: int) -> None:
    a, b = plane.reading(START_US + at_us), plane.reading(START_US + at_us + 5_000_000)
    said_m = (a["gs_kn"] + b["gs_kn"]) / 2 * 1852 / 3600 * 5
    assert abs(haversine_m(a, b) - said_m) < 0.0057 * said_m + 20
    said_ft = (a["vertical_rate_fpm"] + b["vertical_rate_fpm"]) / 2 / 12
    assert abs(b["alt_baro_ft"] - a["alt_baro_ft"] - said_ft) < 130  # altitude in 25 ft, rate smoothed over 16 s
    assert abs(a["alt_geom_ft"] - a["alt_baro_ft"]) < 1200
    if a["on_ground"]:
        assert a["gs_kn"] < 160
        assert a["alt_baro_ft"] < 1000 + 2000
    else:
        assert a["gs_kn"] > 120
        assert a["channels"]["n1_pct"] > 30


def test_a_turn_at_sea_is_smooth() -> None:
    ship = CLEAN_SHIPS[0]
    headings = [ship.reading(START_US + k * 10_000_000)["heading_deg"] for k in range(8640)]
    steps = [abs(turned_deg(a, b)) for a, b in pairwise(headings)]
    assert max(steps) < 6
    assert sum(steps) > 60, "a day in the Channel has turns"


def test_draught_changes_in_the_berth_alone() -> None:
    changes = 0
    for ship in CLEAN_SHIPS:
        before = ship.reading(START_US)
        for k in range(1, 60 * 24 * 3):
            now = ship.reading(START_US + k * 20 * 60_000_000)
            if now["draught_m"] != before["draught_m"]:
                changes += 1
                assert now["nav_status"] == before["nav_status"] == 5
            before = now
    assert changes > 20


def test_some_wait_at_anchor_and_swing() -> None:
    ship = next(s for s in CLEAN_SHIPS if any(k.phase == "anchored" for leg in s._legs for k in leg.timetable.knots))
    day = [ship.reading(START_US + k * HOUR_US) for k in range(24 * 90)]
    first = next(k for k, reading in enumerate(day) if reading["nav_status"] == 1)
    stay = []
    for k in range(60 * 24):
        reading = ship.reading(START_US + first * HOUR_US + k * 60_000_000)
        if reading["nav_status"] != 1:
            break
        stay.append(reading)
    assert len(stay) > 180
    assert max(haversine_m(stay[0], r) for r in stay) < 320
    assert max(abs(turned_deg(stay[0]["heading_deg"], r["heading_deg"])) for r in stay) > 20
    assert max(r["sog_kn"] for r in stay) < 1
    assert {r["draught_m"] for r in stay} == {stay[0]["draught_m"]}
    assert {r["channels"]["shaft_power_kw"] for r in stay} == {0.0}


def test_power_follows_speed_and_draught() -> None:
    tanker = next(s for s in CLEAN_SHIPS if s.asset.type == "tanker")
    at_sea: dict[bool, list[tuple[float, float]]] = defaultdict(list)
    for k in range(24 * 60):
        reading = tanker.reading(START_US + k * HOUR_US)
        if reading["sog_kn"] > 12:
            laden = reading["draught_m"] > 12
            at_sea[laden].append((reading["channels"]["shaft_power_kw"], reading["channels"]["fuel_rate_t_h"]))
    mean = {laden: [sum(column) / len(column) for column in zip(*rows, strict=True)] for laden, rows in at_sea.items()}
    assert mean[True][0] > 1.3 * mean[False][0]
    assert mean[True][1] > 1.2 * mean[False][1]


def test_a_flight_has_its_phases_in_order() -> None:
    plane = next(p for p in CLEAN_PLANES if p.asset.plan == "HOBBY")
    airborne = [plane.reading(START_US + k * 5_000_000) for k in range(4 * 720)]
    ground = [r["on_ground"] for r in airborne]
    off = ground.index(False)
    on = ground.index(True, off)
    assert set(ground[off:on]) == {False}
    assert 300 < off * 5 < 1500, "pushes back within four minutes, then taxies"
    assert max(r["alt_baro_ft"] for r in airborne) == 35_000
    assert max(r["channels"]["n1_pct"] for r in airborne[off - 8 : off + 8]) > 90
    assert {r["gs_kn"] for r in airborne[on + 240 : on + 250]} == {0.0}
    assert airborne[off]["callsign"] != airborne[-1]["callsign"], "the way back has its own flight number"


def test_history_goes_over_into_live_without_a_seam(demo: World) -> None:
    tracks: dict[str, list[Element]] = defaultdict(list)
    plain = World(msgspec.structs.replace(demo.scenario, faults=[]), seed=1, start=START)
    for element in plain.elements(START - timedelta(minutes=3), START + timedelta(minutes=1)):
        if element.kind == "telemetry":
            tracks[element.value].append(element)
    assert len(tracks) == len(demo.assets())
    for track in tracks.values():
        steps_s = [(b.time_us - a.time_us) / 1e6 for a, b in pairwise(track)]
        assert max(steps_s) == 60
        assert steps_s[-1] in (5, 10)
        for a, b in pairwise(track):
            if "speed_kmh" in a.body:
                continue  # stopped and ran again within a minute; its odometer is held to its speed in test_trainset
            if "gs_kn" in a.body and (abs(a.body["gs_kn"] - b.body["gs_kn"]) > 20 or a.body["on_ground"]):
                continue  # taxied around corners, or changed speed within a minute: the mean of the ends says too little
            speed = "gs_kn" if "gs_kn" in a.body else "sog_kn"
            said_m = (a.body[speed] + b.body[speed]) / 2 * 1852 / 3600 * (b.time_us - a.time_us) / 1e6
            assert abs(haversine_m(a.body, b.body) - said_m) < 0.01 * said_m + 60


def test_every_reading_carries_engine_channels_and_every_device_its_static(demo: World) -> None:
    elements = spoken(demo, START - timedelta(hours=3), START - timedelta(hours=2, minutes=30))
    statics = {e.value for e in elements if e.kind == "static"}
    assert statics == {a.value for a in demo.assets()}
    for element in elements:
        if element.kind == "telemetry":
            assert len(element.body["channels"]) >= 6
            assert all(math.isfinite(v) for v in element.body["channels"].values())
        elif element.asset_class == "trainset":
            assert {"time", "name", "type", "length_m"} <= set(element.body)
        else:
            assert {"time", "name", "flag", "type", "destination"} <= set(element.body)


def test_a_recording_is_what_the_world_says(small: World, tmp_path: Path) -> None:
    end = START + timedelta(minutes=32)
    count = record(small, START, end, tmp_path / "a.ndjson")
    assert record(small, START, end, tmp_path / "b.ndjson.gz") == count
    lines = (tmp_path / "a.ndjson").read_bytes().splitlines()
    assert gzip.decompress((tmp_path / "b.ndjson.gz").read_bytes()).splitlines() == lines
    elements = spoken(small, START, end)
    assert len(lines) == count == len(elements)
    kinds: Counter[str] = Counter()
    for line, element in zip(lines, elements, strict=True):
        if element.raw is not None:
            kinds["corrupt"] += 1
            continue
        row = msgspec.json.decode(line)
        assert (row.pop("class"), row.pop("scheme"), row.pop("value")) == (element.asset_class, element.scheme, element.value)
        kinds[row.pop("stream")] += 1
        assert row == element.body
    assert set(kinds) == {"telemetry", "static", "corrupt"}


def test_a_naive_instant_is_refused(small: World) -> None:
    with pytest.raises(ValueError, match="offset"):
        list(small.elements(datetime(2026, 1, 1), START))  # noqa: DTZ001


def test_small_is_small() -> None:
    scenario: Scenario = SMALL
    assert (len(scenario.vessels), len(scenario.aircraft), scenario.duration_h) == (6, 4, 1)
