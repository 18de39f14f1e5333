"""What a track is here, and what a case of an injected fault says of itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

Row = dict[str, Any]
Track = list[Row]
"""Readings (and static reports) in the order of time."""

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Fault(NamedTuple):
    """A track with one fault in it, or with something that looks like one.

    `records` in the order of time; `asset` is `scheme:value` of the one concerned (or the beginning of a region's name),
    `from_ms` and `until_ms` when the fault holds; `channels` the sensors it is in; `subject` what a finding must be about, where
    the fault says so; `areas` is a GeoJSON FeatureCollection and `leases` an array, both as files of `backtest` hold them;
    `since_ms`: from when on other things are true of it that belong to the fault (an area entered, before the port call in it).
    """

    records: Track
    asset: str
    from_ms: int
    until_ms: int
    channels: tuple[str, ...] = ()
    subject: str | None = None
    areas: dict[str, Any] | None = None
    leases: list[dict[str, Any]] | None = None
    since_ms: int | None = None


def asset_of(row: Row) -> str:
    """`scheme:value` of a reading."""
    return f"{row['scheme']}:{row['value']}"


def readings_of(track: Iterable[Row]) -> Track:
    """The readings of a track, without its static reports."""
    return [row for row in track if row.get("stream") != "static"]


def merged(*tracks: Iterable[Row]) -> Track:
    """Several tracks in one order of time."""
    return sorted((row for track in tracks for row in track), key=lambda row: row["time"])


def first_at(track: Track, time_ms: int) -> int:
    """Index of the first reading at or after an instant; the length where there is none."""
    return next((index for index, row in enumerate(track) if row["time"] >= time_ms), len(track))
