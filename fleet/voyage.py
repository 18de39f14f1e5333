"""Voyages: the way between two calls, how far it was and how deep she lay. Neighbours: `port_call` below, `vessel_use` above.

Distance is the sum of geodesic legs between looks; a leg that no ship could sail is dropped and counted, and a position off the
track is believed only when she stays there (domain.md 2.5).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import msgspec

from fleet.geodesy import KN_MPS, NM_M, distance_m
from fleet.instants import HOUR_US, SECOND_US
from fleet.port_call import PortCall
from fleet.practice import Figure, Practice

FIGURES = (
    Figure(name="voyage.speed_limit_kn", value=50.0, source="domain.md 2.5 (its own proposal), SH10"),
    Figure(name="voyage.noise_m", value=50.0, source="chosen, see DECISIONS 123: five times a GNSS receiver's error"),
    Figure(name="voyage.believed_looks", value=3, source="chosen, see DECISIONS 123"),
    Figure(name="voyage.draught_step_m", value=0.5, source="domain.md 2.4"),
    Figure(
        name="voyage.draught_near_stop_h", value=12.0, source="chosen, see DECISIONS 123: crews type it before or after sailing"
    ),
)


class VoyageLimits(NamedTuple):
    """Knots, metres, looks, metres of draught, hours. Source: `FIGURES`."""

    speed_limit_kn: float = 50.0
    noise_m: float = 50.0
    believed_looks: float = 3
    draught_step_m: float = 0.5
    draught_near_stop_h: float = 12.0

    @staticmethod
    def of(practice: Practice, on: date) -> VoyageLimits:
        """The thresholds that hold on a day. Raises NotDefinedError where one is missing."""
        return VoyageLimits(*(practice.number(f"voyage.{name}", on) for name in VoyageLimits._fields))


class Track(msgspec.Struct, kw_only=True, array_like=True):
    """Where she was last believed to be, and where she was last said to be instead.

    `from_us` is the last look on the track, `lat_deg` and `lon_deg` the place that distance is measured from. The `off_…` fields
    are of the newest look off the track, `off_looks` how many in a row continue it.
    """

    from_us: int | None = None
    lat_deg: float = 0.0
    lon_deg: float = 0.0
    off_us: int = 0
    off_lat_deg: float = 0.0
    off_lon_deg: float = 0.0
    off_looks: int = 0


class Leg(NamedTuple):
    """What one look added: metres over ground, legs dropped, whether the position is believed, and the implied speed in knots.

    `implied_kn` is None at the first look.
    """

    distance_m: float
    dropped: int
    believed: bool
    implied_kn: float | None


def sail(track: Track, time_us: int, lat_deg: float, lon_deg: float, limits: VoyageLimits = VoyageLimits()) -> Leg:  # noqa: B008
    """Take one position in; the track is updated in place.

    A way shorter than `noise_m` is not counted until it has added up to that, so that a ship at a berth sails nowhere. A leg
    faster than `speed_limit_kn` is dropped: the position is off the track. When `believed_looks` positions in a row continue each
    other there, and not the old track, she is there: the track goes on from that place and the way to it stays dropped.
    Golden SH10. Source: domain.md 2.5.
    """
    if track.from_us is None:
        track.from_us, track.lat_deg, track.lon_deg = time_us, lat_deg, lon_deg
        return Leg(0.0, 0, True, None)
    way_m = distance_m(track.lat_deg, track.lon_deg, lat_deg, lon_deg)
    implied_kn = _speed_kn(way_m, time_us - track.from_us)
    if track.off_looks:
        off_m = distance_m(track.off_lat_deg, track.off_lon_deg, lat_deg, lon_deg)
        if off_m < way_m and _speed_kn(off_m, time_us - track.off_us) <= limits.speed_limit_kn:
            track.off_looks += 1
            return _off(track, time_us, lat_deg, lon_deg, implied_kn, 0, limits)
    if implied_kn > limits.speed_limit_kn and way_m >= limits.noise_m:
        track.off_looks = 1
        return _off(track, time_us, lat_deg, lon_deg, implied_kn, 1, limits)
    track.from_us, track.off_looks = time_us, 0
    if way_m < limits.noise_m:
        return Leg(0.0, 0, True, implied_kn)
    track.lat_deg, track.lon_deg = lat_deg, lon_deg
    return Leg(way_m, 0, True, implied_kn)


def _off(
    track: Track, time_us: int, lat_deg: float, lon_deg: float, implied_kn: float, dropped: int, limits: VoyageLimits
) -> Leg:
    track.off_us, track.off_lat_deg, track.off_lon_deg = time_us, lat_deg, lon_deg
    if track.off_looks < limits.believed_looks:
        return Leg(0.0, dropped, False, implied_kn)
    track.from_us, track.lat_deg, track.lon_deg, track.off_looks = time_us, lat_deg, lon_deg, 0
    return Leg(0.0, dropped, True, implied_kn)


def _speed_kn(way_m: float, elapsed_us: int) -> float:
    return way_m / max(elapsed_us / SECOND_US, 1.0) / KN_MPS


class Draught(msgspec.Struct, kw_only=True, array_like=True):
    """The draught that is believed, and what was typed last; metres. `refused` counts changes that came far from any stop."""

    believed_m: float | None = None
    typed_m: float | None = None
    stopped_us: int | None = None
    refused: int = 0


def type_draught(draught: Draught, time_us: int, typed_m: float, limits: VoyageLimits = VoyageLimits()) -> bool:  # noqa: B008
    """Take in what the crew typed; whether the believed draught changed.

    The first one is believed; later ones only when they differ by `draught_step_m` or more and a stop was at most
    `draught_near_stop_h` ago (`draught.stopped_us`). The same value again is no news. Source: domain.md 2.4.
    """
    if typed_m == draught.typed_m:
        return False
    draught.typed_m = typed_m
    if draught.believed_m is None:
        draught.believed_m = typed_m
        return True
    if abs(typed_m - draught.believed_m) < limits.draught_step_m:
        return False
    if draught.stopped_us is None or time_us - draught.stopped_us > limits.draught_near_stop_h * HOUR_US:
        draught.refused += 1
        return False
    draught.believed_m = typed_m
    return True


class Voyage(msgspec.Struct, kw_only=True, array_like=True):
    """A voyage as far as it is known; plain fields only.

    From the exit of a call of confidence 3 or more to the entry of the next; `ended_us` and `to_port_id` are None while she is
    under way. `observed_us` is the time in which she was heard (no silence of 6 h or more); `draught_m` the draught believed
    when she was last at sea on it, None when never typed.
    """

    from_port_id: str
    started_us: int
    ended_us: int | None = None
    to_port_id: str | None = None
    distance_m: float = 0.0
    observed_us: int = 0
    dropped: int = 0
    draught_m: float | None = None
    across_gap: bool = False


def is_voyage_end(call: PortCall, confidence_min: float = 3) -> bool:
    """Whether a call ends one voyage and begins the next: it was entered, and its confidence is 3 or more (domain.md 2.3)."""
    return call.entry_us is not None and call.confidence >= confidence_min


class Loading(NamedTuple):
    """Distance sailed in each loading state in nm, and the share in ballast of laden and ballast together (None without any)."""

    laden_nm: float
    ballast_nm: float
    partial_nm: float
    unknown_nm: float
    ballast_ratio: float | None


def loading(legs: Iterable[tuple[float, str]]) -> Loading:
    """Sum (distance in metres, loading state) by state; `ballast_ratio` = ballast / (laden + ballast).

    The states are `laden`, `ballast`, `partial`, `unknown` (domain.md 2.4). Raises KeyError for another (a programmer's error).
    Golden SH7.
    """
    sums_m = {"laden": 0.0, "ballast": 0.0, "partial": 0.0, "unknown": 0.0}
    for way_m, state in legs:
        sums_m[state] += way_m
    either_m = sums_m["laden"] + sums_m["ballast"]
    ratio = sums_m["ballast"] / either_m if either_m else None
    laden_nm, ballast_nm, partial_nm, unknown_nm = (sums_m[name] / NM_M for name in ("laden", "ballast", "partial", "unknown"))
    return Loading(laden_nm, ballast_nm, partial_nm, unknown_nm, ratio)
