"""Identifier schemes of the contract, their forms and their check digits.

An identifier is what the air or a paper calls an asset (`imo:9074729`); it is never the asset's own key. Source of the
check digits: IMO Res. A.1117(30) (ships), UIC 438-3 / EN 13775 Luhn (wagons); domain.md 3.1 holds worked examples.
"""

from __future__ import annotations

import re

SCHEME_FORMS: dict[str, re.Pattern[str]] = {
    "imo": re.compile(r"[0-9]{7}"),
    "mmsi": re.compile(r"[0-9]{9}"),
    "callsign": re.compile(r"[A-Z0-9]{1,8}"),
    "msn": re.compile(r"[A-Za-z0-9.-]{1,24}"),
    "icao24": re.compile(r"[0-9a-f]{6}"),
    "registration": re.compile(r"[A-Z0-9-]{2,12}"),
    "evn": re.compile(r"[0-9]{12}"),
    "local": re.compile(r"[^/+#\x00]{1,64}"),
}


BORNE_TOGETHER = frozenset({"local"})
"""Schemes of which an asset may bear several at once; of every other one at a time."""

DESIGNATIONS: dict[str, re.Pattern[str]] = {
    "name": re.compile(r"\S(?:[^\x00-\x1f]{0,118}\S)?"),
    "flag": re.compile(r"[A-Z]{2}"),  # ISO 3166-1 alpha-2
}
"""What an asset is called but not addressed by, and its form."""


FIELD_SCHEMES = {
    "imo": "imo", "mmsi": "mmsi", "call_sign": "callsign", "name": "name", "registration": "registration", "icao24": "icao24",
}  # fmt: skip
"""Fields of a static report that say who an asset is, and the scheme under which each is on record."""


def identity_fault(scheme: str, value: str) -> str | None:
    """Why (scheme, value) is neither identifier, name nor flag; None when it is one. See `identifier_fault`."""
    form = DESIGNATIONS.get(scheme)
    if form is None:
        return identifier_fault(scheme, value)
    return None if form.fullmatch(value) else "malformed_identifier"


def identifier_fault(scheme: str, value: str) -> str | None:
    """Why (scheme, value) is no identifier: `unknown_scheme` or `malformed_identifier`; None when it is one."""
    form = SCHEME_FORMS.get(scheme)
    if form is None:
        return "unknown_scheme"
    return None if form.fullmatch(value) else "malformed_identifier"


def check_digit_warning(scheme: str, value: str) -> str | None:
    """A warning (never a rejection) for a well-formed identifier that cannot be a real one.

    Returns `check_digit` when the IMO or EVN check digit does not hold, `placeholder` for values known to be typed in
    place of a number (IMO 0000000 and 1234567, ICAO 000000 and ffffff), else None. Golden vectors ID1 and RL of domain.md.
    """
    if scheme == "imo":
        if value in {"0000000", "1234567"}:
            return "placeholder"
        return None if imo_check_digit(value[:6]) == int(value[6]) else "check_digit"
    if scheme == "evn":
        return None if evn_check_digit(value[:11]) == int(value[11]) else "check_digit"
    if scheme == "icao24" and value in {"000000", "ffffff"}:
        return "placeholder"
    return None


def imo_check_digit(first_six: str) -> int:
    """Check digit of an IMO ship number: weights 7 to 2 on six digits, modulo 10 (IMO Res. A.1117(30); domain.md 3.1)."""
    return sum(int(digit) * weight for digit, weight in zip(first_six, range(7, 1, -1), strict=True)) % 10


def is_imo_number(value: str) -> bool:
    """Whether a text is an IMO ship number by form and check digit; 0000000 passes the arithmetic and is none. Golden ID1.

    A weak test: 7605811 passes as well as 7625811, and 1234567 is a placeholder that passes (`check_digit_warning` says so).
    """
    return (
        SCHEME_FORMS["imo"].fullmatch(value) is not None
        and value.isascii()
        and value != "0000000"
        and imo_check_digit(value[:6]) == int(value[6])
    )


def imo_company_check_digit(first_six: str) -> int:
    """Check digit of an IMO company number: weights 8, 6, 4, 2, 9, 7; (11 − Σ mod 11) mod 10 (domain.md 3.1)."""
    weighted = sum(int(digit) * weight for digit, weight in zip(first_six, (8, 6, 4, 2, 9, 7), strict=True))
    return (11 - weighted % 11) % 10


def is_imo_company_number(value: str) -> bool:
    """Whether a text is an IMO company number by form (seven digits) and check digit. Golden ID2."""
    return re.fullmatch(r"[0-9]{7}", value) is not None and imo_company_check_digit(value[:6]) == int(value[6])


def evn_check_digit(first_eleven: str) -> int:
    """Luhn check digit of a European Vehicle Number: weights 2,1,2… from the left on eleven digits (domain.md 3.1)."""
    total = 0
    for position, digit in enumerate(first_eleven):
        product = int(digit) * (2 if position % 2 == 0 else 1)
        total += product // 10 + product % 10
    return -total % 10
