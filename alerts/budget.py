"""How many warnings of models reach a person: p-value, level, allowance. Pure.

A model's finding is a test of "this asset is healthy" with a p-value. Two things decide whether its alert is told. First the
level of an online procedure that holds the false discovery rate, LORD++ (Ramdas, Yang, Wainwright, Jordan, "Online control of
the false discovery rate with decaying memory", NeurIPS 2017; the sequence of Javanmard and Montanari, Annals of Statistics
46(2), 2018), begun anew each week of a tenant. Then the week's allowance of warnings, which what passed takes in order of
exposure. Plain rules and critical alerts never come here, and nothing here changes a finding, an alert or a severity.
"""

from __future__ import annotations

from functools import cache
from math import exp, expm1, log, log1p, sqrt
from typing import Literal

import msgspec

from fleet.instants import DAY_US
from store.rows import FindingRow

WARNINGS_PER_ASSET_MONTH = 0.05
"""Warnings of models told over the fleet, for each asset and month, where the tenant has set nothing else (the issue's
default)."""

MONTH_DAYS = 30.436875
"""Mean length of a Gregorian month (146,097 days in 4,800 months)."""

WEEK_US = 7 * DAY_US
EPOCH_US = 4 * DAY_US
"""1970-01-05, a Monday: weeks begin on Mondays 00:00 UTC, as in ISO 8601."""

FLOOR_PER_WEEK = 1.0
"""Least allowance of a week. Chosen: one warning a week is what "a named person must look this week" asks of anybody, and a
fleet of three would otherwise hear of its first failing engine after seven months. Below 87 assets the floor is what counts."""

CARRIED_WEEKS_MAX = 1.0
"""How much of a quiet week is carried over, in allowances of a week. Chosen: a fault that shows in two assets in one week is
told of both; a quiet year does not pay for a flood."""

FDR = 0.1
"""Level of the false discovery rate: of ten told in a week at most one is expected to be false. Chosen: a lessor checks ten
engines for nine that need it."""

WEALTH = FDR / 2
"""Wealth that a week begins with. Chosen: half of the level (Javanmard and Montanari 2018), so that the first test of a small
fleet is held at 0.0027 rather than at a tenth of it."""

LOOKS = 1008
"""Looks that one p-value stands for: a week of stretches of ten minutes. Chosen: a p-value is of one score, scores of
neighbouring minutes are nearly one, and the most extreme of a week is what opens an alert."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's week: what it may spend and has spent.

    `week_us` is the Monday it begins; `assets` how many were counted at its begin; `allowance` what the week gave, `carried`
    what was left of the one before, `told` what was spent. `tests` and `rejections` (their numbers, from 1) are the procedure's
    memory.
    """

    tenant: str
    week_us: int
    assets: int
    rate: float
    allowance: float
    carried: float = 0.0
    told: int = 0
    held_back: int = 0
    tests: int = 0
    rejections: tuple[int, ...] = ()

    @property
    def left(self) -> float:
        """How many warnings may still be told in this week."""
        return self.allowance + self.carried - self.told


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one test: p-value of a look and of the week, its level, the wealth and the allowance left before it."""

    verdict: Literal["told", "not_significant", "over_budget"]
    p_value: float
    p_week: float
    level: float
    wealth: float
    test: int
    left: float


def is_of_a_model(finding: FindingRow) -> bool:
    """Whether a finding is a model's: it has a score, or says how probable it is (design 4.2: null for plain rules)."""
    return finding.score is not None or "p_value" in finding.evidence


def p_value_of(finding: FindingRow) -> float:
    """The chance of a score like this on a healthy asset, as its evidence says, else by a heavier tail than a healthy one has.

    Without `p_value` the score counts as standard deviations of a Laplace distribution, P(|Z| > z) = exp(-z * sqrt 2), whose
    tail lies above the normal one from 1.5 deviations on (chosen: 6 deviations are 2e-4 rather than 2e-9). Always in (0, 1].
    """
    stated = finding.evidence.get("p_value")
    if isinstance(stated, int | float) and not isinstance(stated, bool) and 0.0 < stated <= 1.0:
        return float(stated)
    return min(1.0, max(exp(-abs(finding.score or 0.0) * sqrt(2.0)), 1e-12))


def p_of_week(p_value: float) -> float:
    """The chance that the most extreme of `LOOKS` independent scores is like this: 1 - (1 - p)^n (Šidák 1967)."""
    return 1.0 if p_value >= 1.0 else -expm1(LOOKS * log1p(-p_value))


@cache
def gamma(place: int) -> float:
    """Share of wealth for the test at a place from 1 on; they sum to 1 at most (Javanmard and Montanari 2018, eq. 31)."""
    return 0.07720838 * log(max(place, 2)) / (place * exp(sqrt(log(place))))


def level(test: int, rejections: tuple[int, ...], fdr: float = FDR, wealth: float = WEALTH) -> float:
    """The level of LORD++ for a test, given the tests rejected before it (Ramdas et al. 2017, eq. 8).

    Args:
        test: its number, from 1.
        rejections: numbers of the tests rejected so far, ascending, all below `test`.
        fdr: the level of the false discovery rate.
        wealth: what the procedure began with, at most `fdr`.
    """
    total = wealth * gamma(test)
    if rejections:
        total += (fdr - wealth) * gamma(test - rejections[0])
    return total + fdr * sum(gamma(test - earlier) for earlier in rejections[1:])


def wealth_before(test: int, rejections: tuple[int, ...], fdr: float = FDR, wealth: float = WEALTH) -> float:
    """What LORD++ has left to spend before a test: begun with `wealth`, each test costs its level, each rejection earns `fdr`.

    The first rejection earns `fdr` less what was lent (Ramdas et al. 2017, section 3). Never negative. Arguments as of `level`.
    """
    earned = sum(fdr - wealth if place == 0 else fdr for place in range(len(rejections)))
    spent_so_far = sum(level(one, tuple(each for each in rejections if each < one), fdr, wealth) for one in range(1, test))
    return wealth + earned - spent_so_far


def week_of(at_us: int) -> int:
    """The Monday 00:00 UTC at or before an instant."""
    return (at_us - EPOCH_US) // WEEK_US * WEEK_US + EPOCH_US


def allowance_of(assets: int, rate: float) -> float:
    """Warnings of a week for a fleet at a rate per asset and month; at least `FLOOR_PER_WEEK` unless the rate is 0."""
    return 0.0 if rate <= 0.0 else max(FLOOR_PER_WEEK, rate * assets * 7.0 / MONTH_DAYS)


def opened(tenant: str, at_us: int, assets: int, rate: float, last: Account | None) -> Account:
    """The account of the week of an instant: `last` itself while its week goes on, else a new one with what may be carried."""
    week_us = week_of(at_us)
    if last is not None and last.week_us >= week_us:
        return last
    allowance = allowance_of(assets, rate)
    most = CARRIED_WEEKS_MAX * allowance
    carried = 0.0 if last is None else min(most, max(0.0, last.left))
    if last is not None and week_us - last.week_us > WEEK_US:
        carried = most  # the weeks between had no account, because nobody asked for anything
    return Account(tenant=tenant, week_us=week_us, assets=assets, rate=rate, allowance=allowance, carried=carried)


def examined(account: Account, p_value: float) -> tuple[Judged, Account]:
    """One test on an account: below its level it passes, and is told while a whole warning is left."""
    test = account.tests + 1
    limit, p_week = level(test, account.rejections), p_of_week(p_value)
    passes = p_week <= limit
    verdict: Literal["told", "not_significant", "over_budget"] = "not_significant"
    if passes:
        verdict = "told" if account.left >= 1.0 else "over_budget"
    judged = Judged(
        verdict=verdict,
        p_value=p_value,
        p_week=p_week,
        level=limit,
        wealth=wealth_before(test, account.rejections),
        test=test,
        left=account.left,
    )
    after = msgspec.structs.replace(
        account,
        tests=test,
        rejections=(*account.rejections, test) if passes else account.rejections,
        told=account.told + (verdict == "told"),
        held_back=account.held_back + (verdict != "told"),
    )
    return judged, after


def spent(account: Account) -> Account | None:
    """The account after one that waited is told; None where no whole warning is left. Waiting ones passed their test before."""
    return msgspec.structs.replace(account, told=account.told + 1) if account.left >= 1.0 else None
