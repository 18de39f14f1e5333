"""Geodesics, impossible legs, and lines around ±180° and the poles."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import geodesy
from tests.fleet.fix_vectors import vector

lats = st.floats(-89, 89)
lons = st.floats(-180, 179.999)


@pytest.mark.parametrize("name", list(vector("SH9_geodesic")))
def test_distances_and_bearings_on_the_ellipsoid(name: str) -> None:
    golden = vector("SH9_geodesic")[name]
    metres = geodesy.distance_m(*golden["a"], *golden["b"])
    assert metres == pytest.approx(golden["m"], abs=1e-3)
    assert metres / geodesy.NM_M == pytest.approx(golden["nm"], abs=5e-5)
    if name != "over_pole":  # at 89° N over the pole: due north, whichever sign of zero
        assert geodesy.bearing_deg(*golden["a"], *golden["b"]) == pytest.approx(golden["az"] % 360, abs=5e-5)


def test_a_route_is_the_sum_of_its_legs() -> None:
    golden = vector("SH9_route")
    points = [(lat, lon) for lat, lon in golden["points"]]
    assert geodesy.line_length_m(points) / geodesy.NM_M == pytest.approx(golden["nm"], abs=5e-5)
    assert geodesy.line_length_m(points[:1]) == 0


def test_a_leg_no_ship_can_sail_has_an_implied_speed_beyond_the_limit() -> None:
    golden = vector("SH10_jump")
    metres = geodesy.distance_m(*golden["a"], *golden["b"])
    assert metres / geodesy.NM_M == pytest.approx(golden["nm"], abs=5e-5)
    implied_kn = geodesy.implied_speed_kn(metres, golden["dt_s"])
    assert implied_kn == pytest.approx(golden["implied_kn"], abs=5e-4)
    assert (implied_kn > golden["limit_kn"]) is golden["spoof"]


def test_two_places_at_one_instant_need_an_infinite_speed() -> None:
    assert geodesy.implied_speed_kn(1.0, 0.0) == math.inf
    assert geodesy.implied_speed_kn(0.0, 0.0) == 0.0


def test_a_mean_longitude_goes_the_short_way_round() -> None:
    golden = vector("ID9_lonmean")
    assert geodesy.mean_lon_deg(golden["lons"]) == pytest.approx(golden["circular"], abs=1e-9)
    assert geodesy.mean_lon_deg([]) is None
    assert geodesy.mean_lon_deg([0.0, 180.0]) is None


def test_longitudes_are_normalised_with_180_as_minus_180() -> None:
    for lon, expected in vector("ID9_norm").items():
        assert geodesy.normalise_lon_deg(float(lon)) == expected


def test_a_line_over_180_is_cut_where_the_geodesic_crosses() -> None:
    golden = vector("ID10_antimeridian_cut")
    a, b = tuple(golden["a"]), tuple(golden["b"])
    assert geodesy.distance_m(*a, *b) / geodesy.NM_M == pytest.approx(golden["nm"], abs=5e-5)
    lat = geodesy.antimeridian_lat_deg(*a, *b)
    assert lat == pytest.approx(golden["cut_lat_geodesic"], abs=5e-7)
    assert lat != pytest.approx(golden["cut_lat_linear"], abs=1e-3)
    assert geodesy.cut_at_antimeridian([a, b]) == [[a, (lat, 180.0)], [(lat, -180.0), b]]


def test_a_line_that_stays_on_one_side_is_not_cut() -> None:
    line = [(0.0, 10.0), (1.0, 170.0), (2.0, 20.0)]
    assert geodesy.cut_at_antimeridian(line) == [line]
    with pytest.raises(ValueError, match="does not cross"):
        geodesy.antimeridian_lat_deg(0, 10, 0, -10)


def test_a_point_on_180_begins_the_other_side_without_a_second_cut() -> None:
    assert geodesy.cut_at_antimeridian([(1.0, 179.0), (2.0, -180.0), (3.0, -179.0)]) == [
        [(1.0, 179.0), (2.0, 180.0)],
        [(2.0, -180.0), (3.0, -179.0)],
    ]


@given(lats, lons, lats, lons)
@settings(max_examples=80)
def test_pieces_of_a_cut_line_are_as_long_as_the_line(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> None:
    line = [(lat_a, lon_a), (lat_b, lon_b)]
    pieces = geodesy.cut_at_antimeridian(line)
    if abs(lon_a - lon_b) < 179.5 or abs(lon_a - lon_b) > 180.5:
        assert sum(geodesy.line_length_m(piece) for piece in pieces) == pytest.approx(geodesy.line_length_m(line), abs=0.01)
    assert all(abs(b[1] - a[1]) <= 180 for piece in pieces for a, b in pairwise(piece))


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=20), lons)
@settings(max_examples=80)
def test_a_mean_longitude_turns_with_the_earth(offsets: list[float], around: float) -> None:
    here = geodesy.mean_lon_deg(offsets)
    there = geodesy.mean_lon_deg([geodesy.normalise_lon_deg(around + each) for each in offsets])
    assert here is not None
    assert there is not None
    apart = (there - here - around + 180) % 360 - 180
    assert apart == pytest.approx(0, abs=1e-6)
