"""Areas: inside and outside, over ±180° and around poles, and when one has entered or left."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.area import AreaWatch, GeometryError, Hysteresis, Passage, Placement, ShapeIndex, pass_area, placement_of, shape_of
from fleet.geodesy import NM_M, destination
from fleet.instants import MINUTE_US
from fleet.practice_book import HOUSE
from tests.fleet.fix_vectors import vector

HYSTERESIS = Hysteresis.of(HOUSE, date(2026, 11, 26))


def polygon(*rings: list[tuple[float, float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(position) for position in (*ring, ring[0])] for ring in rings]}


FIJI = polygon([(177.0, -19.0), (-178.0, -19.0), (-178.0, -15.0), (177.0, -15.0)])
ARCTIC = polygon([(0.0, 80.0), (90.0, 80.0), (180.0, 80.0), (-90.0, 80.0)])
SQUARE = polygon([(10.0, 50.0), (11.0, 50.0), (11.0, 51.0), (10.0, 51.0)])


@pytest.mark.parametrize("case", vector("GEO1_listed_area")["tests"])
def test_the_listed_area_of_2023_holds_what_it_should(case: dict[str, Any]) -> None:
    lon, lat = case["lonlat"]
    shape = shape_of(polygon([tuple(position) for position in vector("GEO1_listed_area")["poly_lonlat"]]))
    assert shape.contains(lat, lon) is case["inside"]


def test_a_hole_is_outside_and_its_edge_is_not() -> None:
    shape = shape_of(polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [(4, 4), (6, 4), (6, 6), (4, 6)]))
    assert shape.contains(2, 2)
    assert not shape.contains(5, 5)
    assert shape.contains(4, 5)


@pytest.mark.parametrize("lon", [179.9, 180.0, -180.0, -179.9, 181.0, 540.0])
def test_a_ring_that_leaps_over_180_holds_both_sides(lon: float) -> None:
    assert shape_of(FIJI).contains(-17.0, lon)


@pytest.mark.parametrize("lon", [176.9, -177.9, 0.0, 90.0])
def test_a_ring_that_leaps_over_180_does_not_hold_the_rest_of_the_world(lon: float) -> None:
    assert not shape_of(FIJI).contains(-17.0, lon)


def test_longitudes_beyond_180_mean_the_same_as_a_leap() -> None:
    beyond = shape_of(polygon([(177.0, -19.0), (182.0, -19.0), (182.0, -15.0), (177.0, -15.0)]))
    assert beyond.geojson() == shape_of(FIJI).geojson()


def test_a_ring_over_180_is_given_back_cut_with_a_box_whose_west_is_greater() -> None:
    shape = shape_of(FIJI)
    assert shape.bbox == (177.0, -19.0, -178.0, -15.0)
    assert shape.geojson()["type"] == "MultiPolygon"
    assert all(-180 <= lon <= 180 for part in shape.geojson()["coordinates"] for ring in part for lon, _ in ring)


def test_what_was_given_back_means_the_same() -> None:
    again = shape_of(shape_of(FIJI).geojson())
    assert again.contains(-17.0, 180.0)
    assert again.bbox == shape_of(FIJI).bbox


@pytest.mark.parametrize(
    ("lat", "lon", "inside"), [(85, 45, True), (90, 0, True), (90, 123, True), (79.9, 45, False), (-85, 45, False)]
)
def test_a_ring_around_the_pole_holds_the_pole(lat: float, lon: float, inside: bool) -> None:
    assert shape_of(ARCTIC).contains(lat, lon) is inside
    assert shape_of(ARCTIC).bbox == (-180.0, 80.0, 180.0, 90.0)


def test_a_ring_around_the_other_pole_holds_the_other_pole() -> None:
    shape = shape_of(polygon([(0.0, -70.0), (-90.0, -60.0), (180.0, -70.0), (90.0, -60.0)]))
    assert shape.contains(-90.0, 12.0)
    assert not shape.contains(90.0, 12.0)


def test_a_band_around_the_world_is_read_as_drawn() -> None:
    shape = shape_of(polygon([(-180.0, 66.0), (180.0, 66.0), (180.0, 90.0), (-180.0, 90.0)]))
    assert shape.contains(90.0, 0.0)
    assert shape.contains(70.0, -180.0)
    assert not shape.contains(60.0, 10.0)


def test_an_area_with_a_corner_at_the_pole_holds_the_pole() -> None:
    assert shape_of(polygon([(0.0, 80.0), (20.0, 80.0), (10.0, 90.0)])).contains(90.0, -170.0)


@pytest.mark.parametrize(
    ("geometry", "pointer"),
    [
        ({"type": "LineString", "coordinates": [1, 2]}, "/type"),
        ({"type": "Point", "coordinates": [1, 2]}, "/type"),
        ({"type": "Polygon", "coordinates": []}, "/coordinates"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}, "/coordinates/0"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}, "/coordinates/0"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, "x"], [1, 1], [0, 0]]]}, "/coordinates/0/1"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 91], [1, 1], [0, 0]]]}, "/coordinates/0/1"),
        ({"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [0, 0], [0, 0]]]]}, "/coordinates"),
        ("nothing", "/type"),
    ],
)
def test_what_is_no_area_is_refused_with_its_place(geometry: Any, pointer: str) -> None:
    with pytest.raises(GeometryError) as raised:
        shape_of(geometry)
    assert raised.value.pointer == pointer


@settings(max_examples=60, deadline=None)
@given(st.floats(-85, 85), st.floats(-180, 179.9), st.floats(0, 359), st.floats(0.2, 20))
def test_the_distance_to_a_small_square_is_what_was_gone_away_from_it(lat: float, lon: float, bearing: float, nm: float) -> None:
    shape = shape_of(polygon([(lon, lat), (lon + 1e-6, lat), (lon + 1e-6, lat + 1e-6), (lon, lat + 1e-6)]))
    there = destination(lat, lon, bearing, nm * NM_M)
    assert shape.distance_m(*there) == pytest.approx(nm * NM_M, rel=0.02, abs=1.0)


def test_inside_nothing_lies_between() -> None:
    assert shape_of(SQUARE).distance_m(50.5, 10.5) == 0.0


def test_a_point_with_a_radius_is_a_circle_also_over_180() -> None:
    shape = shape_of({"type": "Point", "coordinates": [179.99, 10.0]}, 3000.0)
    assert shape.contains(10.0, -179.99)
    assert shape.contains(*destination(10.0, 179.99, 45.0, 2980.0))
    assert not shape.contains(*destination(10.0, 179.99, 45.0, 3001.0))


def test_a_circle_over_the_pole_holds_the_pole() -> None:
    assert shape_of({"type": "Point", "coordinates": [10.0, 89.9]}, 50_000.0).contains(90.0, 200.0)


def test_an_index_finds_the_areas_that_hold_a_place() -> None:
    index = ShapeIndex([("fiji", shape_of(FIJI)), ("arctic", shape_of(ARCTIC)), ("square", shape_of(SQUARE))])
    assert index.holding(-17.0, 180.0) == ["fiji"]
    assert index.holding(90.0, 7.0) == ["arctic"]
    assert index.holding(50.5, 10.5) == ["square"]
    assert index.holding(0.0, 0.0) == []


def passages(*fixes: tuple[float, Placement | None]) -> list[Passage]:
    watch = AreaWatch()
    found = [pass_area(watch, HYSTERESIS, int(minute * MINUTE_US), placement) for minute, placement in fixes]
    return [passage for passage in found if passage is not None]


def test_two_fixes_inside_have_entered_at_the_first() -> None:
    assert passages((0, "outside"), (1, "inside"), (2, "inside")) == [Passage("entered", MINUTE_US, 2 * MINUTE_US)]


def test_one_fix_inside_is_not_yet_in() -> None:
    assert passages((1, "inside"), (2, "outside"), (3, "inside"), (4, "buffer")) == []


def test_one_fix_inside_has_entered_after_ten_minutes_of_silence() -> None:
    watch = AreaWatch()
    assert pass_area(watch, HYSTERESIS, MINUTE_US, "inside") is None
    assert watch.wake_at_us(HYSTERESIS) == 11 * MINUTE_US
    assert pass_area(watch, HYSTERESIS, 11 * MINUTE_US, None) == Passage("entered", MINUTE_US, 11 * MINUTE_US)


def test_a_fix_outside_that_comes_too_late_to_contradict_begins_the_way_out() -> None:
    assert passages((1, "inside"), (20, "outside"), (21, "outside")) == [
        Passage("entered", MINUTE_US, 20 * MINUTE_US),
        Passage("exited", 20 * MINUTE_US, 21 * MINUTE_US),
    ]


def test_the_buffer_neither_lets_out_nor_in() -> None:
    assert [each.kind for each in passages(
        (0, "inside"), (1, "inside"), (2, "buffer"), (3, "buffer"), (4, "outside"), (5, "buffer"), (6, "outside"), (7, "outside")
    )] == ["entered", "exited"]  # fmt: skip


def test_a_mile_outside_is_the_buffer() -> None:
    shape = shape_of(SQUARE)
    assert placement_of(shape, HYSTERESIS, *destination(50.5, 11.0, 90.0, 0.99 * NM_M)) == "buffer"
    assert placement_of(shape, HYSTERESIS, *destination(50.5, 11.0, 90.0, 1.02 * NM_M)) == "outside"
    assert placement_of(shape, HYSTERESIS, 50.5, 10.9) == "inside"
