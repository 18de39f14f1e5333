"""Whose number it is: MMSI, 24-bit addresses, registrations, N-numbers."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.practice import Figure
from fleet.practice_book import HOUSE
from fleet.registration import (
    country_of_icao24,
    country_of_mmsi,
    country_of_registration,
    icao24_of_n_number,
    mark_and_address_disagree,
    mmsi_kind,
    mmsi_mid,
    n_number_of,
)
from tests.fleet.fix_vectors import vector

DAY = date(2026, 11, 26)


@pytest.mark.parametrize(("icao24", "registration"), vector("ID4_nnumber").items())
def test_an_american_address_stands_for_an_n_number(icao24: str, registration: str | None) -> None:
    assert n_number_of(icao24) == registration


@pytest.mark.parametrize(("icao24", "registration"), [each for each in vector("ID4_nnumber").items() if each[1]])
def test_an_n_number_stands_for_an_american_address(icao24: str, registration: str) -> None:
    assert icao24_of_n_number(registration) == icao24


@settings(max_examples=100)
@given(st.integers(0xA00001, 0xADF7C7))
def test_address_and_n_number_go_both_ways(address: int) -> None:
    registration = n_number_of(f"{address:06x}")
    assert registration is not None
    assert icao24_of_n_number(registration) == f"{address:06x}"


@pytest.mark.parametrize("text", ["N", "N0", "N012", "N1234567", "N12I", "N1ABC", "N1234AB", "G-ABCD", "NABC"])
def test_what_is_no_n_number_has_no_address(text: str) -> None:
    assert icao24_of_n_number(text) is None


@pytest.mark.parametrize(
    ("mmsi", "kind", "mid"),
    [
        ("538001234", "ship", "538"), ("053800123", "group", "538"), ("005380012", "coast", "538"),
        ("111232001", "sar_aircraft", "232"),
        ("992111001", "aid_to_navigation", "211"), ("982111001", "associated_craft", "211"),
        ("970123456", "sart", None), ("972123456", "man_overboard", None), ("974123456", "epirb", None),
        ("823250000", "handheld", "232"), ("123456789", None, None),
        ("800000000", "handheld", None), ("53800123", None, None),
    ],
)  # fmt: skip
def test_an_mmsi_says_what_kind_of_station_it_is(mmsi: str, kind: str | None, mid: str | None) -> None:
    assert mmsi_kind(mmsi) == kind
    assert mmsi_mid(mmsi) == (mid if mid != "232" or kind == "sar_aircraft" else mmsi[1:4])


@pytest.mark.parametrize(
    ("mmsi", "country"),
    [
        ("538001234", "MH"), ("477553000", "HK"), ("371798000", "PA"),
        ("311000000", "BS"), ("310000000", "BM"), ("355000000", "PA"), ("740000000", "FK"), ("775000000", "VE"),
        ("203000000", "AT"), ("299000000", None), ("970123456", None),
    ],
)  # fmt: skip
def test_an_mmsi_carries_the_mid_of_its_country(mmsi: str, country: str | None) -> None:
    assert country_of_mmsi(mmsi, DAY) == country


@pytest.mark.parametrize(
    ("icao24", "country"),
    [
        ("3c6444", "DE"), ("a00001", "US"), ("901000", "CK"), ("505c01", "SK"), ("505801", None), ("4240ec", "GB"),
        ("4d2400", "MT"), ("501c00", "HR"), ("000000", None), ("ffffff", None), ("adf7c8", "US"), ("zzzzzz", None),
    ],
)  # fmt: skip
def test_a_24_bit_address_lies_in_the_block_of_its_state(icao24: str, country: str | None) -> None:
    assert country_of_icao24(icao24, DAY) == country


@pytest.mark.parametrize(
    ("registration", "country"),
    [
        ("N12345", "US"), ("NABC", None), ("G-EUPT", "GB"), ("EI-DVM", "IE"), ("EJ-ABCD", "IE"),
        ("9H-VTA", "MT"), ("D-AIBD", "DE"),
        ("F-GKXS", "FR"), ("PH-BXA", "NL"), ("EC-MXV", "ES"), ("I-DISA", "IT"), ("TC-JRO", "TR"),
        ("VP-BDL", "BM"), ("VQ-BAB", "BM"),
        ("VP-CXX", "KY"), ("T7-ABC", "SM"), ("2-ABCD", "GG"), ("M-ABCD", "IM"), ("B-2447", "CN"),
        ("B-30CJ", "CN"), ("B-KPA", "HK"),
        ("B-MBA", "MO"), ("B-18901", "TW"), ("JA801A", "JP"), ("HL7742", "KR"), ("VT-ANA", "IN"),
        ("9V-SKA", "SG"), ("A6-EDA", "AE"),
        ("A7-BAA", "QA"), ("HZ-AK1", "SA"), ("C-FABC", "CA"), ("PR-GUO", "BR"), ("PT-MUA", "BR"),
        ("XA-ABC", "MX"), ("RA-89001", "RU"),
        ("OM-NGA", "SK"), ("E5-ABC", "CK"), ("GEUPT", None), ("", None),
    ],
)  # fmt: skip
def test_a_registration_begins_with_the_mark_of_its_country(registration: str, country: str | None) -> None:
    assert country_of_registration(registration, DAY) == country


@pytest.mark.parametrize(
    ("registration", "icao24", "disagree"),
    [
        ("VP-BDL", "4240ec", False), ("B-KPA", "780001", False), ("RA-89001", "4240ec", True), ("9H-VTA", "4d2001", False),
        ("EI-DVM", "a00001", True), ("ZZZZ", "a00001", None), ("EI-DVM", "000000", None),
    ],
)  # fmt: skip
def test_a_mark_of_another_state_than_the_address_is_told(registration: str, icao24: str, disagree: bool | None) -> None:
    assert mark_and_address_disagree(registration, icao24, DAY) is disagree


def test_a_tenants_own_table_is_laid_over_the_houses() -> None:
    own = HOUSE.overlaid([Figure(name="registration.country_of_mid", value={"999": "ZZ", "538": "ZZ"}, source="a tenant's")])
    assert country_of_mmsi("538001234", DAY, own) == "ZZ"
    assert country_of_mmsi("538001234", DAY) == "MH"


def test_blocks_of_addresses_do_not_overlap() -> None:
    table: dict[str, str] = HOUSE.figure("registration.country_of_icao24_block", DAY).value
    bounds = sorted((int(block[:6], 16), int(block[7:], 16)) for block in table)
    assert all(first <= last for first, last in bounds)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(bounds))
