"""Numbers that ships, companies and wagons bear: what their check digits say."""

from __future__ import annotations

import pytest

from fleet.identifiers import check_digit_warning, evn_check_digit, imo_check_digit, is_imo_company_number, is_imo_number
from tests.fleet.fix_vectors import vector


@pytest.mark.parametrize(("number", "holds"), vector("ID1_imo").items())
def test_an_imo_number_is_one_by_its_form_and_check_digit(number: str, holds: bool) -> None:
    assert is_imo_number(number) is holds


def test_seven_zeros_pass_the_arithmetic_and_are_no_imo_number() -> None:
    assert (imo_check_digit("000000") == 0) is vector("ID1_imo_zero_arith")
    assert not is_imo_number("0000000")


@pytest.mark.parametrize("number", ["0000000", "1234567"])
def test_what_is_typed_in_place_of_an_imo_number_is_a_warning(number: str) -> None:
    assert check_digit_warning("imo", number) == "placeholder"


@pytest.mark.parametrize(("number", "holds"), vector("ID2_imo_company").items())
def test_an_imo_company_number_is_one_by_its_check_digit(number: str, holds: bool) -> None:
    assert is_imo_company_number(number) is holds


@pytest.mark.parametrize(("number", "holds"), vector("ID3_evn").items())
def test_a_vehicle_number_is_one_by_its_check_digit(number: str, holds: bool) -> None:
    assert (evn_check_digit(number[:11]) == int(number[11])) is holds
    assert (check_digit_warning("evn", number) is None) is holds
