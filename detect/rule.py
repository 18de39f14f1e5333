"""What a rule is: a name, a version, a memory and one or two functions. Knows no rule by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from detect.model import Context, Finding
from detect.rows import Row
from detect.state import AssetState, Memory, Seen
from fleet.instants import MINUTE_US
from fleet.reading import Reading

NOTHING: tuple[Finding, ...] = ()
ALL_CLASSES = frozenset({"vessel", "aircraft", "trainset"})


class Moment:
    """One event as the rules see it.

    `time_us` is the event's instant; `reading` is None at a tick; `before` is the motion known before the event (None at the
    first reading), `now` the motion with the reading taken in (at a tick equal to `before`); `row` is the one-minute row that
    this reading closed, or None; `residuals` is what `channel_anomaly` leaves for `behaviour_anomaly` when a row closes.
    """

    __slots__ = ("before", "context", "now", "reading", "residuals", "row", "state", "time_us")

    def __init__(
        self,
        state: AssetState,
        time_us: int,
        context: Context,
        reading: Reading | None,
        before: Seen | None,
        now: Seen,
        row: Row | None,
    ) -> None:
        self.state = state
        self.time_us = time_us
        self.context = context
        self.reading = reading
        self.before = before
        self.now = now
        self.row = row
        self.residuals: dict[str, Residual] = {}

    def setting(self, rule: str, name: str, default: float) -> float:
        """A threshold of a rule: the tenant's dated setting where there is one, else the rule's own default."""
        named = self.context.settings.get(rule)
        return default if named is None else named.get(name, default)


class Residual(NamedTuple):
    """One channel in one closed row against what its operating point predicts; `z` is in standard deviations."""

    z: float
    observed: float
    expected: float


class Rule(NamedTuple):
    """One entry of the registry in `detect.step`.

    `at_reading(memory, moment)` runs for each reading, `at_tick(memory, moment)` when the memory's own `wake_at_us` is due; both
    change the memory in place and return findings. `classes` are the asset classes that the rule watches.
    """

    name: str
    version: int
    classes: frozenset[str]
    memory: type[Memory]
    at_reading: Callable[[Any, Moment], Sequence[Finding]]
    at_tick: Callable[[Any, Moment], Sequence[Finding]] | None = None


def minute_after(time_us: int) -> int:
    """The first whole minute strictly after an instant: where a tick for "longer than" belongs."""
    return (time_us // MINUTE_US + 1) * MINUTE_US
