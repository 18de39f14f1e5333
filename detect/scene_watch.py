"""The scene's rules over buckets of event time: one fix an asset and bucket in, findings between assets out.

Pure and in order: state and bucket decide what is said, so that a cut and a second run say the same. Whose fixes may be compared
(one tenant's and those of the feeds granted to it) is decided by whoever hands them over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from detect import encounter, gnss_interference
from detect.encounter import EncounterMemory, World
from detect.gnss_interference import InterferenceMemory
from detect.model import Finding
from detect.sighting import BUCKET_US, Sighting
from fleet.use import Place

SCHEMA_VERSION = 1
"""Raised whenever a field of a memory changes its meaning; a state of another version begins anew."""

RULES = {encounter.NAME: frozenset({"vessel"}), gnss_interference.NAME: frozenset({"aircraft"})}
"""The rules that are judged here, and by nobody else, with the asset classes that they watch."""


class SceneState(msgspec.Struct, kw_only=True):
    """What the scene of one tenant remembers: all of it plain, so that its MessagePack is its checkpoint."""

    version: int = SCHEMA_VERSION
    encounter: EncounterMemory = msgspec.field(default_factory=EncounterMemory)
    interference: InterferenceMemory = msgspec.field(default_factory=InterferenceMemory)

    @property
    def is_idle(self) -> bool:
        """Whether buckets in which nobody is heard can say nothing: no meeting, no region."""
        return not self.encounter.pairs and not self.interference.regions


class Unmapped:
    """A world of which nothing is known."""

    def places_within(self, lat_deg: float, lon_deg: float, within_m: float, time_us: int) -> Sequence[Place]:
        """No place."""
        del lat_deg, lon_deg, within_m, time_us
        return ()

    def land_distance_m(self, lat_deg: float, lon_deg: float) -> float | None:
        """Not known."""
        del lat_deg, lon_deg
        return None


UNMAPPED = Unmapped()


def watch(state: SceneState, start_us: int, sightings: Iterable[Sighting], world: World = UNMAPPED) -> list[Finding]:
    """Take one bucket in; the findings that it opened, changed or closed, each in the form it then has.

    Args:
        state: updated in place.
        start_us: start of the bucket, a multiple of `BUCKET_US`; later than every bucket before.
        sightings: of [start, start + BUCKET_US), in any order.
        world: places and land.

    Raises:
        ValueError: the bucket does not begin where buckets do (a programmer's error).
    """
    if start_us % BUCKET_US:
        raise ValueError(f"no bucket begins at {start_us}")
    known = list(sightings)
    found = encounter.at_bucket(state.encounter, start_us, known, world)
    return found + gnss_interference.at_bucket(state.interference, start_us + BUCKET_US, known)


def run(
    state: SceneState, from_us: int, until_us: int, buckets: Mapping[int, Sequence[Sighting]], world: World = UNMAPPED
) -> Iterator[tuple[int, list[Finding]]]:
    """Take in the buckets that begin at or after an instant and end by another: (end of the bucket, findings) of each.

    Where nobody was heard and nothing is under way, buckets are left out: they would say and change nothing.

    Args:
        state: updated in place.
        from_us: start of a bucket.
        until_us: how far the clock is.
        buckets: sightings by start of bucket.
        world: places and land.
    """
    start_us = from_us
    while start_us + BUCKET_US <= until_us:
        if start_us not in buckets and state.is_idle:
            later = [known_us for known_us in buckets if known_us > start_us]
            if not later:
                return
            start_us = min(later)
            continue
        yield start_us + BUCKET_US, watch(state, start_us, buckets.get(start_us, ()), world)
        start_us += BUCKET_US


def to_bytes(state: SceneState) -> bytes:
    """The state as bytes."""
    return msgspec.msgpack.encode(state)


def from_bytes(cut: bytes) -> SceneState | None:
    """The state of `to_bytes`, None when another version wrote it. Raises msgspec.DecodeError for other bytes."""
    head = msgspec.msgpack.decode(cut)
    if not isinstance(head, dict) or head.get("version") != SCHEMA_VERSION:
        return None
    return msgspec.msgpack.decode(cut, type=SceneState)
