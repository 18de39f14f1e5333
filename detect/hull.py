"""A ship's hull as the movement rules ask for it: how long, of what kind, and whether she lies in a port. Decides nothing."""

from __future__ import annotations

from typing import NamedTuple

from detect.rule import Moment
from detect.state import Seen
from fleet.geodesy import NM_M

LENGTH = "length_m"
WORKING = frozenset({
    "anti", "diving", "dredging", "fishing", "law", "military", "pilot", "pleasure", "port", "sailing", "sar", "search", "towing",
    "tug", "yacht", *(str(code) for code in (30, 31, 32, 33, 34, 35, 36, 37, 50, 51, 52, 53, 54, 55)),
})  # fmt: skip
"""Words in kinds whose trade it is to stop, turn and lie across their course, and their codes (ITU-R M.1371-5 table 53):
`DriftAnalysis.java` of AisAbnormal leaves special craft, towing and small craft out."""
FAST = frozenset({"high", "hsc", "wing", *(str(code) for code in (*range(20, 30), *range(40, 50)))})
"""Words and codes of high-speed craft and of wings in ground effect."""
AT_WORK = frozenset({3, 7, 8, 11, 12})
"""Navigational statuses of a ship that moves otherwise on purpose: restricted in her ability to manoeuvre (cables, dredging,
dynamic positioning), fishing, sailing, towing astern, pushing or towing alongside (ITU-R M.1371-5 table 48)."""
MOORED = 5
LYING = frozenset({1, MOORED})
"""At anchor and moored, by navigational status."""
COAST_M = 20.0 * NM_M
"""From here on it is the open sea: 20 nautical miles off the coast (detection.md S5)."""
HARBOUR = frozenset({"port", "berth", "yard", "anchorage"})
PORT_M = 3000.0  # domain.md 2.3: a port visit begins 3 km off a port known as a point


class Hull(NamedTuple):
    """Length over all in metres and the kind in words or as a code; None where neither static reports nor the registry tell."""

    length_m: float | None
    kind: str | None

    @property
    def is_working(self) -> bool:
        """Whether her kind is one that moves otherwise on purpose."""
        return self.kind is not None and not WORKING.isdisjoint(self.kind.split("_"))

    @property
    def is_fast(self) -> bool:
        """Whether her kind is a high-speed craft."""
        return self.kind is not None and not FAST.isdisjoint(self.kind.split("_"))


def hull_of(moment: Moment) -> Hull:
    """The hull as she last declared it in a static report, else as registered."""
    said, told = moment.state.said, moment.context.use
    length_m, kind = (None, None) if said is None else (said.length_m, said.type)
    if told is not None:
        length_m = told.particulars.get(LENGTH) if length_m is None else length_m
        kind = told.asset_type if kind is None else kind
    return Hull(length_m, kind)


def in_harbour(moment: Moment) -> bool:
    """Whether the position lies in a port, berth, yard or anchorage, or within 3 km of one known as a point."""
    return any(
        place.kind in HARBOUR and (place.inside or (place.inside is None and place.distance_m <= PORT_M))
        for place in moment.places()
    )


def lies(seen: Seen) -> bool:
    """Whether she says that she is moored (below 0.5 kn) or at anchor (below 1 kn): domain.md 2.3, nav status."""
    if seen.nav_status not in LYING or seen.speed_kn is None:
        return False
    return seen.speed_kn < (0.5 if seen.nav_status == MOORED else 1.0)


def off_coast_m(moment: Moment, seen: Seen) -> float | None:
    """How far the nearest coast is, in metres, negative on land; None where no land is known or no position."""
    land = moment.context.land
    if land is None or seen.lat_deg is None or seen.lon_deg is None:
        return None
    return float(land.off_coast_km(seen.lat_deg, seen.lon_deg) * 1000.0)
