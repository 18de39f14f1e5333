"""CII: the worked figures, the jumps between brackets, and what a figure of any window must keep to."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import cii, fuel
from fleet.practice import Figure, NotDefinedError
from tests.fleet.fix_vectors import vector

DAY = date(2026, 1, 1)
BULK_DWT = 81_600
ship_types = st.sampled_from(cii.SHIP_TYPES)
capacities = st.floats(1_000, 500_000)


def close(value: float) -> object:
    return pytest.approx(value, rel=1e-6)


def test_a_year_of_a_bulk_carrier_is_rated_in_every_year_that_has_a_factor() -> None:
    golden = vector("SH1_cii_full")
    parts = fuel.co2_t_by_fuel(golden["fuel_t"], DAY)
    assert parts == {name: close(tonnes) for name, tonnes in golden["co2_parts"].items()}
    attained = cii.attained(sum(parts.values()), golden["dwt"], golden["distance_nm"])
    assert attained == close(golden["attained"])
    assert cii.reference(golden["ship_type"], golden["dwt"], DAY) == close(golden["cii_ref"])
    for year, expected in golden["years"].items():
        judged = cii.against_year(attained, golden["ship_type"], golden["dwt"], int(year))
        assert judged.reduction_pct == expected["Z"]
        assert judged.required == close(expected["required"])
        assert judged.boundaries == tuple(close(end) for end in expected["boundaries"])
        assert judged.ratio == pytest.approx(expected["ratio"], abs=5e-7)
        assert judged.rating == expected["rating"]


@pytest.mark.parametrize("row", vector("SH2_cii_table"), ids=lambda row: f"{row['type']}-{row['capacity']}")
def test_every_row_of_the_reference_lines(row: dict[str, object]) -> None:
    ship_type, capacity = str(row["type"]), float(str(row["capacity"]))
    assert cii.reference(ship_type, capacity, DAY) == close(float(str(row["ref"])))
    for year in (2026, 2027, 2030):
        assert cii.required(ship_type, capacity, year) == close(float(str(row[f"req_{year}"])))
    assert list(cii.reference_line(ship_type, capacity, DAY).d) == row["dd"]


def test_the_reference_jumps_between_brackets_as_the_guideline_has_it() -> None:
    types = {
        "gas": "gas_carrier",
        "general": "general_cargo",
        "lng": "lng_carrier",
        "vehicle": "roro_vehicle",
        "bulk": "bulk_carrier",
    }
    for name, expected in vector("SH2_boundary_jumps").items():
        ship_type, size = types[name.partition("_")[0]], float(name.rpartition("_")[2])
        assert cii.reference(ship_type, size - 1, DAY) == close(expected["below"]), name
        assert cii.reference(ship_type, size, DAY) == close(expected["at"]), name


def test_ratings_on_both_sides_of_every_edge() -> None:
    required = cii.required("bulk_carrier", BULK_DWT, 2026)
    ends = cii.boundaries("bulk_carrier", BULK_DWT, 2026)
    for edge in vector("SH2_rating_edges"):
        assert cii.rating(edge["attained_over_required"] * required, ends) == edge["bulk_rating"]


def test_at_a_boundary_the_better_letter_holds() -> None:
    ends = cii.boundaries("bulk_carrier", BULK_DWT, 2026)
    assert [cii.rating(end, ends) for end in ends] == ["A", "B", "C", "D"]


def test_a_charters_own_window_is_rated() -> None:
    golden = vector("SH13_cp_attained")
    attained = cii.attained(golden["co2_t"], golden["dwt"], golden["nm"])
    assert attained == close(golden["attained"])
    assert cii.against_year(attained, "bulk_carrier", golden["dwt"], 2026).rating == golden["rating_vs_2026"]


@pytest.mark.parametrize("year", [2022, 2031, 2040])
def test_a_year_without_a_factor_is_not_defined_and_never_extrapolated(year: int) -> None:
    assert cii.against_year(3.0, "bulk_carrier", BULK_DWT, year) == cii.YearRating(year=year, reason="not_defined")
    with pytest.raises(NotDefinedError):
        cii.required("bulk_carrier", BULK_DWT, year)


def test_a_tenants_own_figure_lies_over_the_houses() -> None:
    later = cii.HOUSE.overlaid([Figure(name="cii.reduction_pct", value=24, source="made up", valid_from=date(2031, 1, 1))])
    assert cii.against_year(3.0, "bulk_carrier", BULK_DWT, 2031, later).required == close(0.76 * 4.179891)


def test_figures_in_circulation_that_are_wrong_are_not_in_the_table() -> None:
    """domain.md 7.1: exponents without their point, LNG a of 9827, the medium vehicle carriers' a of 2021, Z of 13 for 2027."""
    rows = cii.REFERENCE_LINES
    assert all(row["c"] < 3 for row in rows)
    assert all(row["a"] not in {9827, 5739, 14405.9, 40853} for row in rows)
    assert [cii.REDUCTION_PCT[year] for year in (2027, 2028, 2029, 2030)] == [13.625, 16.25, 18.875, 21.5]
    assert cii.reference_line("roro_vehicle", 57_700, DAY).capacity == 57_700  # capped on GT, not on DWT


def test_a_ship_that_did_not_sail_has_no_figure() -> None:
    assert cii.attained(100.0, BULK_DWT, 0.0) is None
    assert cii.against_year(None, "bulk_carrier", BULK_DWT, 2026).reason == "not_available"


def test_a_reference_takes_the_capped_capacity_and_the_attained_the_ships_own() -> None:
    assert cii.reference("bulk_carrier", 400_000, DAY) == cii.reference("bulk_carrier", 279_000, DAY)
    assert cii.attained(1.0, 400_000, 100.0) == pytest.approx(1e6 / (400_000 * 100))


@given(ship_types, capacities, st.floats(0.01, 50))
@settings(max_examples=100)
def test_a_worse_figure_never_gets_a_better_letter(ship_type: str, capacity: float, attained: float) -> None:
    ends = cii.boundaries(ship_type, capacity, 2026)
    assert list(ends) == sorted(ends)
    assert cii.rating(attained * 1.01, ends) >= cii.rating(attained, ends)


@given(ship_types, capacities, st.floats(0.01, 50))
@settings(max_examples=100)
def test_the_same_figure_is_never_better_rated_in_a_later_year(ship_type: str, capacity: float, attained: float) -> None:
    letters = [cii.against_year(attained, ship_type, capacity, year).rating or "" for year in range(2023, 2031)]
    assert letters == sorted(letters)


def test_every_capacity_has_one_row() -> None:
    for ship_type in cii.SHIP_TYPES:
        rows = sorted((row for row in cii.REFERENCE_LINES if row["ship_type"] == ship_type), key=lambda row: row["size_from"])
        assert rows[0]["size_from"] == 0
        assert [row["size_below"] for row in rows] == [*(row["size_from"] for row in rows[1:]), None]


shares = st.builds(cii.Share, st.floats(0, 5_000), st.floats(0, 10_000))


@given(shares, st.lists(shares, min_size=3, max_size=3), st.floats(0, 365))
@settings(max_examples=100)
def test_a_projection_lies_in_its_band_and_ends_where_the_year_does(
    so_far: cii.Share, lately: list[cii.Share], days_left: float
) -> None:
    found = cii.projection(so_far, lately, 90, days_left, BULK_DWT)
    if found is None:
        assert so_far.distance_nm == 0
        return
    assert found.low <= found.middle <= found.high
    if days_left == 0:
        assert found.low == found.high == cii.attained(*(so_far.co2_t, BULK_DWT, so_far.distance_nm))


def test_a_steady_ship_is_projected_without_a_band() -> None:
    month = cii.Share(co2_t=1_200, distance_nm=4_500)
    found = cii.projection(cii.Share(co2_t=7_200, distance_nm=27_000), [month] * 3, 90, 185, BULK_DWT)
    assert found is not None
    assert found.low == pytest.approx(found.high)
    assert found.middle == pytest.approx(cii.attained(1_200, BULK_DWT, 4_500))


@pytest.mark.parametrize(
    ("ratings", "due"),
    [(["A", "E"], True), (["D", "D", "D"], True), (["D", "C", "D", "D"], False), (["E", "A"], False), ([], False)],
)
def test_a_plan_is_due_after_one_e_or_three_d(ratings: list[str], due: bool) -> None:
    assert cii.corrective_plan_due(ratings) is due
