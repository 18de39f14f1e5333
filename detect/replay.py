"""Whether a ship's positions were all reported before, in the same order and at the same intervals: a track played again.

Positions are thinned by what they are, not by when they came: of a track and of its repetition the same ones are kept, whatever
the shift. The finer the stream the fewer are kept, so that the memory holds three hours in some fifty positions. Of a ship heard
seldom older ones lie there too, and say nothing: a position that comes again after more than three hours is new.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fleet.geodesy import NM_M, distance_m
from fleet.instants import MINUTE_US, SECOND_US

KEPT_MAX = 48  # chosen: sixteen positions an hour
SECOND_BITS = 33  # of a kept position's number: seconds until the year 2242
SECONDS = (1 << SECOND_BITS) - 1
KEPT_S = 3 * 3600  # chosen: as long as the path that `tracks` remembers; a checkpoint must stay small
MOVING_KN = 3.0  # chosen: at berth or anchor the same positions come again by themselves
SHIFT_S = 600  # chosen: earlier repeats are receivers'
SAME_S = 2  # chosen: whole seconds, rounded either way
RUN = 6  # chosen: six positions, none of them new
LASTING_US = 15 * MINUTE_US  # chosen: longer than a backlog of messages takes to come in
APART_NM = 1.0  # chosen: from first to last; a ferry at her berth has not sailed


class Replay(msgspec.Struct, kw_only=True, array_like=True):
    """Kept positions, each its hash and the second of its report in one number; of the present run length, shift, beginning."""

    kept: list[int] = msgspec.field(default_factory=list)
    every: int = 1
    run: int = 0
    shift_s: int = 0
    run_us: int = 0
    run_lat_deg: float = 0.0
    run_lon_deg: float = 0.0
    time_us: int = 0
    lat_deg: float = 0.0
    lon_deg: float = 0.0

    @property
    def is_proved(self) -> bool:
        """Whether the present run is long enough, in positions, time and way."""
        return self.run >= RUN and self.time_us - self.run_us >= LASTING_US and self._way_m() >= APART_NM * NM_M

    def evidence(self) -> dict[str, Any]:
        """What the run says, with units."""
        return {
            "repeated_positions": self.run,
            "positions_min": RUN,
            "shift_min": round(self.shift_s / 60.0, 2),
            "way_nm": round(self._way_m() / NM_M, 2),
            "from_lat_deg": self.run_lat_deg,
            "from_lon_deg": self.run_lon_deg,
            "lat_deg": self.lat_deg,
            "lon_deg": self.lon_deg,
        }

    def _way_m(self) -> float:
        return distance_m(self.run_lat_deg, self.run_lon_deg, self.lat_deg, self.lon_deg)


def remember(replay: Replay, time_us: int, lat_deg: float, lon_deg: float, speed_kn: float | None) -> None:
    """Take a position in: it continues a run, or ends it and is kept. Nearly all are passed over by their hash."""
    if speed_kn is None or speed_kn < MOVING_KN:
        return
    key = (int(lat_deg * 1e6) * 73_856_093 ^ int(lon_deg * 1e6) * 19_349_663) & 0x7FFF_FFFF
    if key >> 8 & (replay.every - 1):
        return
    second, kept = time_us // SECOND_US, replay.kept
    before = next((one for one in kept if one >> SECOND_BITS == key), None)
    shift_s = KEPT_S + 1 if before is None else second - (before & SECONDS)
    if before is None or shift_s > KEPT_S:
        replay.run = 0
        if before is not None:
            kept.remove(before)
        _keep(replay, key, second)
        return
    if shift_s < SHIFT_S:
        return
    kept[kept.index(before)] = key << SECOND_BITS | second  # played a third time it is told by its second
    if replay.run == 0 or abs(shift_s - replay.shift_s) > SAME_S:
        replay.run, replay.shift_s, replay.run_us = 0, shift_s, time_us
        replay.run_lat_deg, replay.run_lon_deg = lat_deg, lon_deg
    replay.run += 1
    replay.time_us, replay.lat_deg, replay.lon_deg = time_us, lat_deg, lon_deg


def _keep(replay: Replay, key: int, second: int) -> None:
    """Keep a position; when they are too many within three hours every other is dropped, by its hash."""
    kept = replay.kept
    if len(kept) >= KEPT_MAX:
        kept = [one for one in kept if second - (one & SECONDS) <= KEPT_S]
        if len(kept) >= KEPT_MAX:
            replay.every *= 2
            kept = [one for one in kept if not one >> SECOND_BITS + 8 & (replay.every - 1)]
        elif len(kept) < KEPT_MAX // 4 and replay.every > 1:
            replay.every //= 2
        replay.kept = kept
    if not key >> 8 & (replay.every - 1):
        kept.append(key << SECOND_BITS | second)
