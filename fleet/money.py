"""Money: Decimal amounts of an ISO 4217 currency, and the one way they are rounded.

Never a float: 0.1 has no exact one. A rate is rounded to cents half-up, then the line, then lines are summed (domain.md 0); what
lies between (ratios, factors, shares) stays unrounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

CURRENCIES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
    CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
    ISK JMD JPY KES KGS KHR KMF KPW KRW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN
    NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
    SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XDR XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - a list of codes a line each would be a page
)
"""ISO 4217 (2024) codes in which an account may be kept. Those with three decimals (BHD, IQD, JOD, KWD, LYD, OMR, TND) are not:
the ledger holds hundredths."""

WHOLE_UNITS = frozenset(
    """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF
    """.split()  # noqa: SIM905 - a list of codes a line each would be a page
)
"""ISO 4217 codes whose minor unit is the unit itself."""

ZERO = Decimal(0)
_CENT = Decimal("0.01")
_UNIT = Decimal(1)


def is_currency(code: str) -> bool:
    """Whether an account may be kept in it (ISO 4217, at most two decimals)."""
    return code in CURRENCIES


def cents(amount: Decimal, currency: str = "USD") -> Decimal:
    """An amount rounded half-up (away from zero at the half) to the currency's minor unit, with two decimals.

    Hundredths, or whole units where the currency knows no smaller (ISO 4217). Source of the rule: domain.md 0, money. Raises
    ValueError for a code that is no currency here, and decimal.InvalidOperation for a NaN: a programmer's errors both.
    """
    if currency not in CURRENCIES:
        raise ValueError(f"no currency: {currency}")
    step = _UNIT if currency in WHOLE_UNITS else _CENT
    return amount.quantize(step, ROUND_HALF_UP).quantize(_CENT)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Sum of amounts that were rounded already, with two decimals."""
    return sum(amounts, ZERO).quantize(_CENT, ROUND_HALF_UP)


def exact(number: Decimal | float | str) -> Decimal:
    """A figure as a Decimal without a float's tail: 312.45 is 312.45. Raises decimal.InvalidOperation for what is no number."""
    return number if isinstance(number, Decimal) else Decimal(str(number))
