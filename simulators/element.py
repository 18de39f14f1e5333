"""What leaves a simulated device: elements, and the words every simulated class answers to.

Neighbours: `vessel`, `aircraft` and `trainset` implement `Simulated`, `faults` bends elements, `publish` and `record` send them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

Body = dict[str, Any]
"""A wire reading object, or the fields of a static message."""


class SimulatedAsset(msgspec.Struct, frozen=True):
    """One simulated ship, aircraft or trainset, as a registry would list it.

    `plan` is its name in the scenario, `identifiers` maps scheme to value, `scheme` and `value` address its topics,
    `particulars` are the static fields that do not change with the voyage.
    """

    tenant: str
    asset_class: str
    name: str
    type: str
    identifiers: dict[str, str]
    scheme: str
    value: str
    particulars: Body
    plan: str

    @property
    def label(self) -> str:
        """`scheme:value`, as findings and truth labels name it."""
        return f"{self.scheme}:{self.value}"


class Element(NamedTuple):
    """One reading or static message on its way out.

    `time_us` is when it was measured, `send_at_us` when it leaves the device (unix microseconds); `raw` replaces the
    encoded body where a fault corrupted it.
    """

    tenant: str
    asset_class: str
    scheme: str
    value: str
    kind: Literal["telemetry", "static"]
    time_us: int
    body: Body
    send_at_us: int
    raw: bytes | None = None


class Lag(NamedTuple):
    """By how many seconds a thing is behind its timetable, and how fast it falls behind (seconds per second)."""

    behind_s: float = 0.0
    rate: float = 0.0


NO_LAG = Lag()


class Simulated(Protocol):
    """What the world asks of an asset class. Times are unix microseconds; all answers are pure functions of them."""

    asset: SimulatedAsset

    def reading(self, time_us: int, lag: Lag = NO_LAG) -> Body:
        """The reading its device takes at an instant."""
        ...

    def static(self, time_us: int, lag: Lag = NO_LAG) -> Body:
        """Its identity and voyage fields at an instant."""
        ...

    def under_way(self, time_us: int) -> bool:
        """Whether it is at sea or in flight, clear of port or runway."""
        ...


def rfc3339(time_us: int) -> str:
    """Unix microseconds as RFC 3339 text in UTC with milliseconds."""
    return f"{datetime.fromtimestamp(time_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%S}.{time_us // 1000 % 1000:03d}Z"


def unix_us(instant: datetime) -> int:
    """An aware instant as unix microseconds. Errors: ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its offset from UTC")
    whole = instant.astimezone(UTC).replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000 + instant.microsecond
