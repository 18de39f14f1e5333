"""Facts dated twice: `valid` is when one is true in the world, `recorded` when it was believed. Nothing is edited.

A correction closes `recorded` of what was believed and adds a row beside it, so that any past answer can be given again
(domain.md 5.3). Intervals are half-open; instants are microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol, TypeVar

import msgspec


class Span(msgspec.Struct, frozen=True):
    """A half-open stretch of time in microseconds; None is open."""

    from_us: int | None
    to_us: int | None

    def holds(self, time_us: int) -> bool:
        """Whether an instant lies in it."""
        return (self.from_us is None or self.from_us <= time_us) and (self.to_us is None or time_us < self.to_us)

    def overlaps(self, other: Span) -> bool:
        """Whether the two share an instant."""
        return _begins_before_end(self, other) and _begins_before_end(other, self)

    def within(self, other: Span) -> bool:
        """Whether every instant of it lies in the other."""
        begins = other.from_us is None or (self.from_us is not None and self.from_us >= other.from_us)
        return begins and (other.to_us is None or (self.to_us is not None and self.to_us <= other.to_us))


EVER = Span(None, None)
"""All of time."""


def _begins_before_end(one: Span, other: Span) -> bool:
    return one.from_us is None or other.to_us is None or one.from_us < other.to_us


class TwiceDated(Protocol):
    """What can be picked: a row with its two ranges."""

    @property
    def valid(self) -> Span:
        """When it is true in the world."""

    @property
    def recorded(self) -> Span:
        """When it was believed."""


RowT = TypeVar("RowT", bound=TwiceDated)


def picked(rows: Iterable[RowT], valid_at_us: int, known_at_us: int) -> list[RowT]:
    """The rows that were believed at `known_at` to be true at `valid_at`, in the order given (domain.md 5.3, golden LC1).

    Both instants are microseconds UTC. Of the versions of one fact at most one is among them, however often it was corrected.
    """
    return [row for row in rows if row.valid.holds(valid_at_us) and row.recorded.holds(known_at_us)]


def differences(before: Sequence[Span], after: Sequence[Span]) -> list[Span]:
    """The stretches that lie in one of two sets of spans and not in the other, in order, joined where they touch.

    What a correction of a tenure touches: only there may a figure be another. Spans of one set do not overlap.
    """
    low, high = -(2**63), 2**63
    bounds = sorted(
        {bound for span in (*before, *after) for bound in (
            low if span.from_us is None else span.from_us, high if span.to_us is None else span.to_us)}
    )  # fmt: skip
    found: list[tuple[int, int]] = []
    for begin, end in pairwise(bounds):
        if any(span.holds(begin) for span in before) != any(span.holds(begin) for span in after):
            if found and found[-1][1] == begin:
                found[-1] = (found[-1][0], end)
            else:
                found.append((begin, end))
    return [Span(None if begin == low else begin, None if end == high else end) for begin, end in found]
