"""What a number says about the country that gave it: MMSI, ICAO 24-bit addresses, registrations, US N-numbers.

The tables are dated figures (`fleet.registration_tables`); a tenant may lay its own over them. Countries are ISO 3166-1 alpha-2.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from fleet.practice import Practice
from fleet.practice_book import HOUSE

_MMSI_KINDS: tuple[tuple[str, str, int | None], ...] = (
    ("00", "coast", 2),
    ("0", "group", 1),
    ("111", "sar_aircraft", 3),
    ("8", "handheld", 1),
    ("970", "sart", None),
    ("972", "man_overboard", None),
    ("974", "epirb", None),
    ("98", "associated_craft", 2),
    ("99", "aid_to_navigation", 2),
)
"""Beginning, kind and where the MID stands. ITU-R M.585-9 annex 1; domain.md 3.1."""

_SUFFIX_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # no I and no O: they look like digits
_SUFFIXES = 1 + len(_SUFFIX_LETTERS) * (1 + len(_SUFFIX_LETTERS))  # 601: none, one letter, two letters
_PER_FOURTH = 1 + len(_SUFFIX_LETTERS) + 10  # 35: four digits, and a fifth character or none
_PER_THIRD = _SUFFIXES + 10 * _PER_FOURTH  # 951
_PER_SECOND = _SUFFIXES + 10 * _PER_THIRD  # 10,111
_PER_FIRST = _SUFFIXES + 10 * _PER_SECOND  # 101,711
_N_FIRST, _N_COUNT = 0xA00001, 9 * _PER_FIRST
_N_NUMBER = re.compile(r"N([1-9][0-9]{0,4})([A-HJ-NP-Z]{0,2})")


def mmsi_kind(mmsi: str) -> str | None:
    """What kind of station an MMSI belongs to: `ship`, `group`, `coast`, `sar_aircraft`, `aid_to_navigation`, …; else None.

    Nine digits as text. None for a number of no kind, and for a ship's whose first three digits are no MID's (201–775).
    Source: ITU-R M.585-9; domain.md 3.1.
    """
    if len(mmsi) != 9 or not (mmsi.isascii() and mmsi.isdigit()):
        return None
    for beginning, kind, _ in _MMSI_KINDS:
        if mmsi.startswith(beginning):
            return kind
    return "ship" if 201 <= int(mmsi[:3]) <= 775 else None


def mmsi_mid(mmsi: str) -> str | None:
    """The three Maritime Identification Digits of an MMSI, wherever its kind has them; None where it has none (SART, EPIRB)."""
    kind = mmsi_kind(mmsi)
    if kind is None:
        return None
    at = next((at for beginning, _, at in _MMSI_KINDS if mmsi.startswith(beginning)), 0)
    mid = None if at is None else mmsi[at : at + 3]
    return mid if mid is not None and 201 <= int(mid) <= 775 else None


def country_of_mmsi(mmsi: str, on: date, practice: Practice = HOUSE) -> str | None:
    """The country whose MID an MMSI carries, on a day; None for no MID or one given to nobody.

    Golden of domain.md 3.1: 538001234 MH, 477553000 HK, 371798000 PA. Raises NotDefinedError where no table holds on that day.
    """
    mid = mmsi_mid(mmsi)
    table: dict[str, str] = practice.figure("registration.country_of_mid", on).value
    return None if mid is None else table.get(mid)


def country_of_icao24(icao24: str, on: date, practice: Practice = HOUSE) -> str | None:
    """The State in whose block a 24-bit address (six hexadecimal digits) lies, on a day; None outside every block.

    A block serves the State's territories too. Golden of domain.md 3.1: 3c6444 DE, a00001 US. Raises NotDefinedError where no
    table holds on that day.
    """
    if re.fullmatch(r"[0-9a-fA-F]{6}", icao24) is None:
        return None
    address = int(icao24, 16)
    table: dict[str, str] = practice.figure("registration.country_of_icao24_block", on).value
    for block, country in table.items():
        first, last = _bounds(block)
        if first <= address <= last:
            return country
    return None


def country_of_registration(registration: str, on: date, practice: Practice = HOUSE) -> str | None:
    """The country or territory whose mark a registration begins with, on a day; None for no mark that is known.

    Hyphens are part of the mark as painted: `GEUPT` is nobody's, because unhyphenated marks are ambiguous. Raises
    NotDefinedError where no table holds on that day.
    """
    text = registration.strip().upper()
    table: dict[str, str] = practice.figure("registration.country_of_mark", on).value
    return next((country for mark, country in table.items() if _pattern(mark).match(text)), None)


def mark_and_address_disagree(registration: str, icao24: str, on: date, practice: Practice = HOUSE) -> bool | None:
    """Whether a registration and a 24-bit address name two States: a warning, because both change on re-registration.

    A territory counts as the State that registers for it (Bermuda as the United Kingdom). None where either names nobody: unknown
    is no disagreement. domain.md 3.1. Raises NotDefinedError where no table holds on that day.
    """
    marked = country_of_registration(registration, on, practice)
    addressed = country_of_icao24(icao24, on, practice)
    if marked is None or addressed is None:
        return None
    states: dict[str, str] = practice.figure("registration.state_of_territory", on).value
    return states.get(marked, marked) != states.get(addressed, addressed)


def n_number_of(icao24: str) -> str | None:
    """The US registration that an address stands for (`a061d9` is N12345); None outside a00001–adf7c7.

    The map is fixed: 9 first digits of 101,711 addresses each, then per digit 10,111, 951 and 35, suffixes of up to two letters
    first. Golden ID4 of domain.md 3.1.
    """
    if re.fullmatch(r"[0-9a-fA-F]{6}", icao24) is None:
        return None
    at = int(icao24, 16) - _N_FIRST
    if not 0 <= at < _N_COUNT:
        return None
    first, at = divmod(at, _PER_FIRST)
    text = f"N{first + 1}"
    for size in (_PER_SECOND, _PER_THIRD, _PER_FOURTH):
        if at < _SUFFIXES:
            return text + _suffix(at)
        digit, at = divmod(at - _SUFFIXES, size)
        text += str(digit)
    if at == 0:
        return text
    return text + (_SUFFIX_LETTERS[at - 1] if at <= len(_SUFFIX_LETTERS) else str(at - 1 - len(_SUFFIX_LETTERS)))


def icao24_of_n_number(registration: str) -> str | None:
    """The address of a US registration (N12345 is `a061d9`), the inverse of `n_number_of`; None for what is no N-number."""
    found = _N_NUMBER.fullmatch(registration.strip().upper())
    if found is None or len(found[1]) + len(found[2]) > 5:
        return None
    digits, suffix = found[1], found[2]
    at = (int(digits[0]) - 1) * _PER_FIRST
    for digit, size in zip(digits[1:4], (_PER_SECOND, _PER_THIRD, _PER_FOURTH), strict=False):
        at += _SUFFIXES + int(digit) * size
    if len(digits) == 5:
        at += 1 + len(_SUFFIX_LETTERS) + int(digits[4])
    elif len(digits) == 4:
        at += _SUFFIX_LETTERS.index(suffix) + 1 if suffix else 0
    else:
        at += _suffix_place(suffix)
    return f"{_N_FIRST + at:06x}"


def _suffix(place: int) -> str:
    if place == 0:
        return ""
    first, second = divmod(place - 1, len(_SUFFIX_LETTERS) + 1)
    return _SUFFIX_LETTERS[first] + (_SUFFIX_LETTERS[second - 1] if second else "")


def _suffix_place(suffix: str) -> int:
    if not suffix:
        return 0
    place = 1 + _SUFFIX_LETTERS.index(suffix[0]) * (len(_SUFFIX_LETTERS) + 1)
    return place + (1 + _SUFFIX_LETTERS.index(suffix[1]) if len(suffix) > 1 else 0)


@lru_cache(maxsize=1024)  # twice the blocks of the world
def _bounds(block: str) -> tuple[int, int]:
    first, _, last = block.partition("-")
    return int(first, 16), int(last, 16)


@lru_cache(maxsize=1024)  # twice the marks of the world
def _pattern(mark: str) -> re.Pattern[str]:
    return re.compile(mark)
