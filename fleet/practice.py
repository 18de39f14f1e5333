"""Figures of practice: the thresholds, factors and tables that people agreed on, each with its dates and its source.

Physics is a constant in code; everything else (rates, limits, reduction factors, what counts as laden) is a `Figure`. A module
that needs some declares them in its own `FIGURES`; a tenant's own, kept as dated settings, are laid over them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of practice.

    `name` is `module.figure` with the unit last (`cii.reduction_pct`); `value` a number, text or a plain table of them; `source`
    the standard, clause or page that says so, or "chosen" and why. It holds in [valid_from, valid_to); None is open.
    `version` is the source's own edition where it has one.
    """

    name: str
    value: Any
    source: str
    valid_from: date | None = None
    valid_to: date | None = None
    version: str = "1"

    def holds(self, on: date) -> bool:
        """Whether it is the figure to take on a day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)


class NotDefinedError(LookupError):
    """No figure of that name holds on that day: the caller says `not_defined`, nobody extrapolates."""


class Practice:
    """Figures to look up by name and day; later ones given win over earlier ones, so that a tenant's lie over the house's."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self._by_name: dict[str, list[Figure]] = {}
        for figure in figures:
            self._by_name.setdefault(figure.name, []).append(figure)

    def figure(self, name: str, on: date) -> Figure:
        """The figure that holds on a day. Raises NotDefinedError where there is none."""
        for figure in reversed(self._by_name.get(name, ())):
            if figure.holds(on):
                return figure
        raise NotDefinedError(f"{name} is not defined on {on.isoformat()}")

    def number(self, name: str, on: date) -> float:
        """A figure's value as a float. Raises NotDefinedError, or TypeError (a programmer's error) where it is no number."""
        value = self.figure(name, on).value
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise TypeError(f"{name} is not a number")
        return float(value)

    def overlaid(self, figures: Iterable[Figure]) -> Practice:
        """The same with others laid over: a tenant's settings over the house's figures."""
        return Practice([*self.all(), *figures])

    def all(self) -> list[Figure]:
        """Every figure, those of one name together, the one that wins last."""
        return [figure for group in self._by_name.values() for figure in group]
