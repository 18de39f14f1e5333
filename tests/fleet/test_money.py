"""Money: one way of rounding, and currencies."""

from decimal import Decimal

import pytest

from fleet.money import CURRENCIES, WHOLE_UNITS, cents, exact, is_currency, total


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.005", "0.01"), ("0.004999", "0.00"), ("-0.005", "-0.01"), ("199.4426", "199.44"), ("62315.028", "62315.03")],
)
def test_the_half_is_rounded_away_from_zero(amount: str, rounded: str) -> None:
    assert str(cents(Decimal(amount))) == rounded


def test_a_currency_without_a_smaller_coin_is_rounded_to_its_unit() -> None:
    assert str(cents(Decimal("1234.5"), "JPY")) == "1235.00"


def test_what_is_no_currency_is_a_programmers_error() -> None:
    assert not is_currency("KWD")  # three decimals do not fit the ledger
    with pytest.raises(ValueError, match="no currency"):
        cents(Decimal(1), "KWD")


def test_codes_are_three_capitals_and_whole_units_are_among_them() -> None:
    assert all(len(code) == 3 and code.isupper() for code in CURRENCIES)
    assert WHOLE_UNITS <= CURRENCIES


def test_a_float_becomes_what_it_was_written_as() -> None:
    assert exact(0.1) == Decimal("0.1")
    assert str(total([exact(0.1)] * 3)) == "0.30"
