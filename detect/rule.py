"""What a rule is: a name, a version, a memory and one or two functions. Knows no rule by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from detect.model import Context, Docket, Finding
from detect.rows import Row
from detect.state import AssetState, Memory, Seen
from fleet.instants import MINUTE_US
from fleet.reading import Reading
from fleet.use import Place

NOTHING: tuple[Finding, ...] = ()
ALL_CLASSES = frozenset({"vessel", "aircraft", "trainset"})


class Moment(msgspec.Struct, eq=False):
    """One event as the rules see it.

    `time_us` is the event's instant; `reading` is None at a tick; `before` is the motion known before the event (None at the
    first reading), `now` the motion with the reading taken in (at a tick equal to `before`); `row` is the one-minute row that
    this reading closed, or None; `residuals` is what `channel_anomaly` leaves for the rules after it when a row closes.
    """

    state: AssetState
    time_us: int
    context: Context
    reading: Reading | None
    before: Seen | None
    now: Seen
    row: Row | None
    residuals: dict[str, Residual] = {}
    _places: Sequence[Place] | None = None

    @property
    def docket(self) -> Docket:
        """What is on file of this asset alone."""
        return self.context.docket

    def setting(self, rule: str, name: str, default: float) -> float:
        """A threshold of a rule: as adjusted for this asset, else the tenant's dated setting, else the rule's own default."""
        adjusted = self.context.docket.adjustments.get(rule)
        if adjusted is not None and name in adjusted:
            return adjusted[name]
        named = self.context.settings.get(rule)
        return default if named is None else named.get(name, default)

    def places(self) -> Sequence[Place]:
        """Ports, anchorages, berths and yards around the position known now, the nearest first; none where none are known.

        Asked of the world once an event, whoever asks: a look costs as much as a plain rule.
        """
        found = self._places
        if found is None:
            told, now = self.context.use, self.now
            if told is None or now.lat_deg is None or now.lon_deg is None:
                found = ()
            else:
                found = told.places.places_near(now.lat_deg, now.lon_deg, self.time_us)
            self._places = found
        return found


class Residual(NamedTuple):
    """One channel in one closed row against what its operating point predicts; `z` is in standard deviations.

    `said` is True while `channel_anomaly` holds an episode of the channel open.
    """

    z: float
    observed: float
    expected: float
    said: bool = False


class Rule(NamedTuple):
    """One entry of the registry in `detect.step`.

    `at_reading(memory, moment)` runs for each reading; `at_row(memory, moment)` for a reading that closed a one-minute row, with
    `moment.row` at hand: the place for whatever need not see every reading; `at_tick(memory, moment)` when the `wake_at_us` of
    the memory, which is a `WakingMemory` then, is due. All change the memory in place and return findings. `classes` are the
    asset classes that the rule watches.
    """

    name: str
    version: int
    classes: frozenset[str]
    memory: type[Memory]
    at_reading: Callable[[Any, Moment], Sequence[Finding]] | None = None
    at_tick: Callable[[Any, Moment], Sequence[Finding]] | None = None
    at_row: Callable[[Any, Moment], Sequence[Finding]] | None = None


def minute_after(time_us: int) -> int:
    """The first whole minute strictly after an instant: where a tick for "longer than" belongs."""
    return (time_us // MINUTE_US + 1) * MINUTE_US
