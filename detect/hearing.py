"""How an asset was heard: when and how often, by what kind of receiver, and since when it has lain on one spot.

It is what tells a transmitter that was switched off from one that nobody was there to hear. Looked at once in a slot of at least
a minute, because readings every two seconds say no more of it. Knows one asset; who else was heard is the scene's.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec

from detect.plane import offset_m
from detect.state import Seen
from fleet.instants import HOUR_US, MINUTE_US

SLOTS_MAX = 30  # chosen: half an hour of an asset heard each minute, five hours of one heard every ten
WITHIN_US = 6 * HOUR_US  # chosen: what was heard before that says nothing of now
RATE_OVER_US = 10 * MINUTE_US  # chosen: readings of a shorter stretch are a burst and no rate
STILL_KN = 0.5  # domain.md 2.3: a stop begins below 0.5 kn
STILL_M = 30.0  # chosen: a satellite fix at the quay scatters by ten metres and the ship surges; who drifts leaves it in minutes
SATELLITE = "ais_satellite"  # design 4.1: the source of readings that a satellite heard


class Hearing(msgspec.Struct, kw_only=True, array_like=True):
    """What is remembered: the slots in which the asset was heard, oldest first, and how many readings each held.

    `slots_us` are the instants of their first readings. `still_since_us` is since when it has lain within `STILL_M` of
    (`still_lat_deg`, `still_lon_deg`), without speed where one is told, over `still_slots` slots; None while it does not.
    `source` is of the last reading.
    """

    slots_us: list[int] = msgspec.field(default_factory=list)
    readings: list[int] = msgspec.field(default_factory=list)
    source: str = ""
    still_since_us: int | None = None
    still_slots: int = 0
    still_lat_deg: float = 0.0
    still_lon_deg: float = 0.0

    def hear(self, now: Seen, source: str) -> None:
        """Take a reading in."""
        self.source = source
        slots = self.slots_us
        if slots and now.time_us < slots[-1] + MINUTE_US:
            self.readings[-1] += 1
            return
        slots.append(now.time_us)
        self.readings.append(1)
        if len(slots) > SLOTS_MAX:
            del slots[0], self.readings[0]
        self._lie(now)

    def _lie(self, now: Seen) -> None:
        moves = now.speed_kn is not None and now.speed_kn >= STILL_KN  # a feed that says no speed leaves it to the positions
        if now.lat_deg is None or now.lon_deg is None or moves:
            self.still_since_us, self.still_slots = None, 0
            return
        if self.still_since_us is not None:
            east_m, north_m = offset_m(self.still_lat_deg, self.still_lon_deg, now.lat_deg, now.lon_deg)
            if abs(east_m) <= STILL_M and abs(north_m) <= STILL_M:
                self.still_slots += 1
                return
        self.still_since_us, self.still_slots = now.time_us, 1
        self.still_lat_deg, self.still_lon_deg = now.lat_deg, now.lon_deg

    def lay_us(self, last_us: int) -> int:
        """For how long it had lain still when last heard, microseconds; 0 where it did not."""
        return 0 if self.still_since_us is None else last_us - self.still_since_us

    def recent(self) -> int:
        """How many readings the slots of the last six hours before the last one held."""
        if not self.slots_us:
            return 0
        oldest_us = self.slots_us[-1] - WITHIN_US
        return sum(held for slot_us, held in zip(self.slots_us, self.readings, strict=True) if slot_us >= oldest_us)

    def longest_us(self) -> int:
        """The longest silence between two slots of the last six hours that are remembered; 0 where there are not two."""
        if not self.slots_us:
            return 0
        oldest_us = self.slots_us[-1] - WITHIN_US
        kept = [slot_us for slot_us in self.slots_us if slot_us >= oldest_us]
        return max((later - earlier for earlier, later in pairwise(kept)), default=0)

    def per_h(self, last_us: int) -> float | None:
        """Readings an hour over the slots of the last six hours; None where they span less than ten minutes."""
        if not self.slots_us:
            return None
        from_us = next(slot_us for slot_us in self.slots_us if slot_us >= self.slots_us[-1] - WITHIN_US)
        span_us = last_us - from_us
        return None if span_us < RATE_OVER_US else round((self.recent() - 1) * HOUR_US / span_us, 1)
