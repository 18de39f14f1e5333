"""Draught, laden or ballast, and weight by the best method there is."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import displacement
from tests.fleet.fix_vectors import vector

DAY = date(2026, 6, 1)
GOLDEN = vector("SH4_displacement")
HULL = {"length_m": 225.0, "beam_m": 32.26, "summer_draught_m": 14.45, "block_coefficient": 0.865, "lightship_t": 11_900.0}


@pytest.mark.parametrize("draught", list(GOLDEN["rows"]))
def test_displacement_by_the_block_coefficient(draught: str) -> None:
    expected, draught_m = GOLDEN["rows"][draught], float(draught)
    coefficient = displacement.block_coefficient(draught_m, GOLDEN["Ts"], GOLDEN["Cb"])
    assert coefficient == pytest.approx(expected["cb"], abs=5e-7)
    mass_t = displacement.displacement_t(GOLDEN["L"], GOLDEN["B"], draught_m, coefficient)
    assert mass_t == pytest.approx(expected["disp_t"], abs=0.05)
    assert mass_t - GOLDEN["LWT"] == pytest.approx(expected["dwt_t"], abs=0.05)


def test_deadweight_by_tonnes_per_centimetre() -> None:
    tpc = displacement.tpc_t_cm(225.0, 32.26, 0.92)
    assert tpc == pytest.approx(GOLDEN["TPC"], abs=5e-5)
    summer_t = 92_993.96 - 11_900.0
    assert displacement.deadweight_by_tpc_t(12.0, 14.45, summer_t, tpc) == pytest.approx(GOLDEN["dwt_tpc_12"], abs=0.1)
    assert displacement.deadweight_by_tpc_t(6.8, 14.45, summer_t, tpc) == pytest.approx(GOLDEN["dwt_tpc_6_8"], abs=0.1)


def test_the_two_figures_of_epas_tool() -> None:
    golden = vector("SH4_epa_check")
    assert displacement.block_coefficient_of_volume(80_097, 218.75, 32.25, 13.6) == pytest.approx(golden["expected_cb"], abs=5e-8)
    assert displacement.block_coefficient(12.48, 13.57, 0.82) == pytest.approx(golden["expected"], abs=5e-8)


@pytest.mark.parametrize("row", vector("SH5_laden"), ids=lambda row: f"{row['T']} m")
def test_laden_partial_ballast_and_unknown(row: dict[str, Any]) -> None:
    ratio = displacement.laden_ratio(row["T"], 14.45)
    assert ratio == (None if row["ratio"] is None else pytest.approx(row["ratio"], abs=5e-5))
    assert displacement.laden_state(row["T"], 14.45, DAY) == row["state"]


def test_no_draught_is_unknown_and_never_ballast() -> None:
    assert displacement.laden_state(None, 14.45, DAY) == "unknown"
    assert displacement.estimate(HULL, None, DAY) is None
    assert displacement.estimate(HULL, 0.0, DAY) is None


def test_the_best_method_that_the_particulars_allow_is_taken() -> None:
    table = [[6.0, 36_000.0], [10.0, 63_000.0], [14.45, 93_000.0]]
    full = {**HULL, "dwt_t": 81_094.0, "waterplane_coefficient": 0.92, "hydrostatic_table": table}
    assert displacement.estimate(full, 13.0, DAY).method == "hydrostatic_table"  # type: ignore[union-attr]
    del full["hydrostatic_table"]
    assert displacement.estimate(full, 13.0, DAY).method == "tpc"  # type: ignore[union-attr]
    assert displacement.estimate(full, 9.0, DAY).method == "block_coefficient"  # type: ignore[union-attr]
    del full["block_coefficient"]
    by_class = displacement.estimate(full, 9.0, DAY, ship_type="bulk_carrier")
    assert by_class is not None
    assert (by_class.method, by_class.confidence) == ("class_prior", "low")
    assert displacement.estimate(full, 9.0, DAY, ship_type="yacht") is None


def test_cargo_is_null_until_fuel_ballast_and_stores_are_known() -> None:
    found = displacement.estimate(HULL, 12.0, DAY)
    assert found is not None
    assert found.deadweight_t == pytest.approx(64_556.8, abs=0.05)
    assert found.cargo_t is None
    known = displacement.estimate(HULL, 12.0, DAY, consumables_t=2_500.0)
    assert known is not None
    assert known.cargo_t == pytest.approx(62_056.8, abs=0.05)


def test_a_table_is_interpolated_corrected_and_never_left() -> None:
    table = [(6.0, 36_000.0), (10.0, 64_000.0)]
    assert displacement.table_displacement_t(table, 8.0) == 50_000
    assert displacement.table_displacement_t(table, 8.0, 1.0) == pytest.approx(50_000 / 1.025)
    trimmed = displacement.table_displacement_t(table, 8.0, trim_m=2.0, lcf_aft_m=4.0, length_m=200.0)
    assert trimmed == pytest.approx(50_000 + 0.04 * 7_000)
    assert displacement.table_displacement_t(table, 10.5) is None


@pytest.mark.parametrize("broken", [{"length_m": "225"}, {"beam_m": None}, {"block_coefficient": True}, {"summer_draught_m": 0}])
def test_particulars_that_are_no_numbers_give_no_weight(broken: dict[str, object]) -> None:
    assert displacement.estimate({**HULL, **broken}, 9.0, DAY) is None


@given(st.floats(5, 14), st.floats(0.01, 0.45))
@settings(max_examples=60)
def test_a_deeper_ship_is_heavier(draught_m: float, more_m: float) -> None:
    light, heavy = (displacement.estimate(HULL, each, DAY) for each in (draught_m, draught_m + more_m))
    assert light is not None
    assert heavy is not None
    assert heavy.displacement_t > light.displacement_t
