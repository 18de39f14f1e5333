"""Places beside a position: points and areas, near and out of reach, across ±180° and near a pole, dated."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.area import shape_of
from fleet.geodesy import destination, distance_m
from fleet.places import POINT_REACH_M, Area, AreaPlaces


def box(west: float, south: float, east: float, north: float) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]}


def test_inside_comes_before_beside_and_what_is_no_stay_is_left_out() -> None:
    places = AreaPlaces(
        [
            Area(id="P", kind="port", name="Port", shape=shape_of(box(3.9, 51.9, 4.2, 52.0))),
            Area(id="B", kind="berth", name="Berth", shape=shape_of(box(4.0, 51.94, 4.01, 51.95))),
            Area(id="Q", kind="port", name="Next", lat_deg=51.96, lon_deg=4.03),
            Area(id="W", kind="watch", name="Rule's", shape=shape_of(box(3.0, 51.0, 5.0, 53.0))),
        ]
    )
    found = places.places_near(51.945, 4.005, 0)
    assert [(place.id, place.inside) for place in found] == [("B", True), ("P", True), ("Q", None)]
    assert found[2].distance_m == distance_m(51.945, 4.005, 51.96, 4.03)


def test_beside_a_port_s_edge_it_is_told_how_far_and_beyond_a_mile_it_is_out_of_reach() -> None:
    places = AreaPlaces([Area(id="P", kind="port", name="Port", shape=shape_of(box(3.9, 51.9, 4.2, 52.0)))])
    lat_deg, lon_deg = destination(52.0, 4.0, 0.0, 1000.0)
    (beside,) = places.places_near(lat_deg, lon_deg, 0)
    assert beside.inside is False
    assert beside.distance_m == pytest.approx(1000.0, rel=0.01)
    assert places.places_near(*destination(52.0, 4.0, 0.0, 2000.0), 0) == []


def test_an_area_counts_while_it_is_in_force() -> None:
    places = AreaPlaces([Area(id="P", kind="port", name="Port", lat_deg=1.0, lon_deg=1.0, valid_from_us=10, valid_to_us=20)])
    assert [len(places.places_near(1.0, 1.0, time_us)) for time_us in (9, 10, 19, 20)] == [0, 1, 1, 0]


def test_an_area_as_wide_as_an_ocean_is_found_too() -> None:
    places = AreaPlaces([Area(id="W", kind="anchorage", name="Wide", shape=shape_of(box(-80.0, -60.0, 80.0, 60.0)))])
    assert [place.id for place in places.places_near(0.0, 0.0, 0)] == ["W"]


@settings(max_examples=100, deadline=None)
@given(st.floats(-89.9, 89.9), st.floats(-180, 179.99), st.floats(0, 359.9), st.floats(0, 8000))
def test_a_point_is_found_within_its_reach_wherever_on_earth(lat: float, lon: float, heading_deg: float, metres: float) -> None:
    places = AreaPlaces([Area(id="P", kind="port", name="P", lat_deg=lat, lon_deg=lon)])
    here = destination(lat, lon, heading_deg, metres)
    assert bool(places.places_near(*here, 0)) == (distance_m(*here, lat, lon) <= POINT_REACH_M)


@pytest.mark.parametrize(("metres", "found"), [(9_900.0, ["N", "P"]), (10_100.0, [])])
def test_within_a_distance_of_ones_own_choice_edges_and_points_are_found_across_180_degrees(
    metres: float, found: list[str]
) -> None:
    places = AreaPlaces(
        [
            Area(id="P", kind="anchorage", name="Roads", shape=shape_of(box(179.8, 51.9, 179.9, 52.0))),
            Area(id="N", kind="port", name="Next", lat_deg=51.95, lon_deg=179.9),
        ]
    )
    lat_deg, lon_deg = destination(51.95, 179.9, 90.0, metres)
    assert lon_deg < 0 or lon_deg > 179.9
    assert sorted(place.id for place in places.places_within(lat_deg, lon_deg, 10_000.0, 0)) == found
    assert places.places_within(51.95, 179.85, 10_000.0, 0)[0].distance_m == 0.0
