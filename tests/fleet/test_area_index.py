"""Areas by place: what a cell says is what the whole area says, over ±180°, in holes and at poles; and what lies within reach."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.area import shape_of
from fleet.area_index import AreaIndex, WatchedArea
from fleet.geodesy import NM_M, destination
from tests.fleet.fix_vectors import vector


def polygon(*rings: list[tuple[float, float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(position) for position in (*ring, ring[0])] for ring in rings]}


def area(name: str, geometry: dict[str, Any], **more: Any) -> WatchedArea:
    given = {"kind": "prohibited", "severity": "warning", "issuer": "tests", "version": "1", **more}
    return WatchedArea(id=name, name=name, shape=shape_of(geometry), **given)


def square(west: float, south: float, side: float = 1.0) -> list[tuple[float, float]]:
    return [(west, south), (west + side, south), (west + side, south + side), (west, south + side)]


HOLED = area(
    "fiji",
    polygon(
        [(177.1, -19.1), (-178.1, -19.1), (-178.1, -15.1), (177.1, -15.1)],
        [(179.6, -17.6), (-179.6, -17.6), (-179.6, -16.6), (179.6, -16.6)],
    ),
)
ARCTIC = area("arctic", polygon([(0.0, 80.0), (90.0, 80.0), (180.0, 80.0), (-90.0, 80.0)]))
LISTED = area("listed", polygon([tuple(position) for position in vector("GEO1_listed_area")["poly_lonlat"]]))
INDEX = AreaIndex([HOLED, ARCTIC, LISTED, area("square", polygon(square(10, 50)))])
NEAR_EDGES = st.one_of(
    st.tuples(st.floats(-19.3, -14.9), st.one_of(st.floats(176.9, 180), st.floats(-180, -177.9))),
    st.tuples(st.floats(70, 90), st.floats(-180, 180)),
    st.tuples(st.floats(-8, 20), st.floats(34, 62)),
    st.tuples(st.floats(49.8, 51.2), st.floats(9.8, 11.2)),
)


@settings(max_examples=200, deadline=None)
@given(NEAR_EDGES)
def test_a_cell_says_of_a_place_what_the_whole_area_says(place: tuple[float, float]) -> None:
    beside = {one.area.id: one for one in INDEX.beside(*place)}
    for known in INDEX.areas:
        one = beside.get(known.id)
        assert (one is not None and one.contains(*place)) is known.shape.contains(*place)
        away_m = known.shape.distance_m(*place)
        if away_m <= NM_M:
            assert one is not None, "the mile outside an edge belongs to what is beside"
            assert one.shape is None or one.shape.distance_m(*place) == pytest.approx(away_m, rel=1e-3, abs=1.0)


@pytest.mark.parametrize("case", vector("GEO1_listed_area")["tests"])
def test_the_listed_area_of_2023_holds_what_it_should(case: dict[str, Any]) -> None:
    lon, lat = case["lonlat"]
    assert [one.id for one in INDEX.inside(lat, lon, 0, "vessel")] == (["listed"] if case["inside"] else [])


@pytest.mark.parametrize(
    ("lat", "lon", "inside"), [(-16, 180, True), (-16, -180, True), (-17, 180, False), (-17, -179.7, False), (-17, -179.5, True)]
)
def test_a_hole_over_180_is_outside(lat: float, lon: float, inside: bool) -> None:
    assert bool(INDEX.inside(lat, lon, 0, "vessel")) is inside


@pytest.mark.parametrize(
    ("time_us", "asset_class", "found"),
    [(9, "vessel", 0), (10, "vessel", 1), (19, "vessel", 1), (20, "vessel", 0), (15, "aircraft", 0)],
)
def test_an_area_counts_in_its_time_and_for_its_classes(time_us: int, asset_class: str, found: int) -> None:
    dated = area("dated", polygon(square(10, 50)), valid_from_us=10, valid_to_us=20, applies_to=("vessel",))
    assert len(AreaIndex([dated]).inside(50.5, 10.5, time_us, asset_class)) == found


def test_far_from_everything_there_is_nothing() -> None:
    assert INDEX.beside(-60.0, -100.0) == ()


@pytest.mark.parametrize(("nm", "found"), [(99.0, True), (103.0, False)])
def test_within_a_radius_lies_what_can_be_sailed_to(nm: float, found: bool) -> None:
    index = AreaIndex([area("square", polygon(square(10, 50)))])
    lat, lon = destination(50.5, 10.0, 270.0, nm * NM_M)
    reached = index.reachable(lat, lon, 101.0, 0, "vessel")
    assert [one.area.id for one in reached] == (["square"] if found else [])
    assert index.reachable(lat, lon, 101.0, 0, "vessel", kinds=("notify",)) == []


def test_between_two_places_lies_what_the_detour_allows() -> None:
    index = AreaIndex([area("square", polygon(square(10, 50)))])
    straight = index.reachable_between((49.0, 9.0), (49.0, 12.0), 130.0, 0, "vessel")  # 118 nm apart, 167 by the area
    assert straight == []
    (over,) = index.reachable_between((49.0, 9.0), (49.0, 12.0), 170.0, 0, "vessel")
    assert over.distance_nm == pytest.approx(167.9, abs=1.0)


def test_from_inside_it_is_reached_without_a_mile() -> None:
    assert INDEX.reachable(50.5, 10.5, 0.0, 0, "vessel")[0].distance_nm == 0.0
