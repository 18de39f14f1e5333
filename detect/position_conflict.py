"""Rule `position_conflict`: two hulls, or two devices that do not agree, under one identity at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from detect.classes import TRAITS
from detect.episodes import Episode
from detect.model import Finding
from detect.rule import ALL_CLASSES, NOTHING, Moment, Rule, minute_after
from detect.state import Track, WakingMemory
from detect.tracks import TWIN_FIXES, TWIN_US, is_twin, silence_us
from fleet.geodesy import KN_MPS, NM_M, distance_m
from fleet.instants import MINUTE_US, SECOND_US
from fleet.vessel import is_ship_station

NAME = "position_conflict"
VERSION = 2
APART_NM = {
    "aircraft": 10.0,
    "trainset": 5.0,
}  # chosen: what a clock a minute wrong makes of a jet; of a ship the fit asks 6.25 nm

LATE = {"vessel": (7200.0, 20.0), "aircraft": (180.0, 480.0)}
"""By class how many seconds messages may be late, and the knots where nobody says a speed. Chosen: satellites deliver within two
hours, feeds of aircraft within three minutes; most are slower."""
DENSE_US = 60 * MINUTE_US  # chosen: old messages come now and then, a second hull all the time
DENSE_VISITS = 8  # chosen: every few minutes of that hour
MIRROR_DEG = 0.25  # chosen: what the fit of a ship allows within a quarter of an hour, 6.25 nm, and a longitude's degrees at 65°


class ConflictMemory(WakingMemory, kw_only=True):
    """The open conflict: the numbers of the believed track and of the other, and when each was heard last."""

    own: int = 0
    other: int = 0
    own_us: int = 0
    other_us: int = 0
    episode: Episode | None = None


def at_reading(memory: ConflictMemory, moment: Moment) -> Sequence[Finding]:
    """Open when another track has proved itself beside the believed one; close when either was silent for six hours."""
    tracks = moment.state.tracks
    if memory.episode is not None:
        gone = _gone(memory, moment)
        _hear(memory, moment)
        return gone
    if not tracks.jumped or tracks.home is None:
        return NOTHING
    newest, home = tracks.newest_track(), tracks.home
    twin = _twin(tracks.others) if newest is home else newest
    if (
        twin is None
        or not is_twin(twin, home, moment.state.asset_class)
        or _is_mirrored(home, twin)
        or not is_ship_station(home.name)
    ):
        return NOTHING
    apart_m = distance_m(home.lat_deg, home.lon_deg, twin.lat_deg, twin.lon_deg)
    if apart_m < APART_NM.get(moment.state.asset_class, 0.0) * NM_M or not _is_certain(moment, home, twin, apart_m):
        return NOTHING
    return _open(memory, moment, home, twin, apart_m)


def at_tick(memory: ConflictMemory, moment: Moment) -> Sequence[Finding]:
    """Six hours after one side was heard last: it is over."""
    memory.wake_at_us = None
    return _gone(memory, moment)


def _twin(others: Sequence[Track]) -> Track | None:
    return max(others, key=lambda track: (track.heard_us, track.number), default=None)


def _is_mirrored(home: Track, twin: Track) -> bool:
    """Whether one place is the other with the sign of latitude or longitude turned: one flipped bit of AIS, not another hull."""
    turned_lat = home.lat_deg * twin.lat_deg < 0.0
    turned_lon = home.lon_deg * twin.lon_deg < 0.0
    lat_deg = -twin.lat_deg if turned_lat else twin.lat_deg
    lon_deg = -twin.lon_deg if turned_lon else twin.lon_deg
    off = max(abs(lat_deg - home.lat_deg), abs(lon_deg - home.lon_deg))
    return (turned_lat or turned_lon) and off < MIRROR_DEG


def _is_certain(moment: Moment, home: Track, twin: Track, apart_m: float) -> bool:
    """Whether old messages cannot explain both places: they are farther apart than the way of the time that messages are late.

    Of ships nearer ones are certain too when they take turns all the time.
    """
    late = LATE.get(moment.state.asset_class)
    if late is None:
        return True
    seconds, unsaid_kn = late
    speeds = [track.speed_kn for track in (home, twin) if track.speed_kn is not None]
    seconds += abs(home.time_us - twin.time_us) / SECOND_US
    if apart_m > max(speeds, default=unsaid_kn) * KN_MPS * seconds:
        return True
    is_dense = moment.time_us - twin.since_us <= DENSE_US and twin.visits >= DENSE_VISITS
    return is_dense and moment.state.asset_class == "vessel"


def _open(memory: ConflictMemory, moment: Moment, home: Track, twin: Track, apart_m: float) -> Sequence[Finding]:
    fit = TRAITS[moment.state.asset_class].fit(*sorted((home, twin), key=lambda track: track.time_us))
    memory.own, memory.other = home.number, twin.number
    memory.own_us, memory.other_us = home.heard_us, twin.heard_us
    memory.wake_at_us = minute_after(min(home.heard_us, twin.heard_us) + silence_us(moment.state.asset_class) - 1)
    memory.episode = Episode(
        asset=moment.now.name,
        opened_at_us=twin.since_us,
        detected_at_us=moment.time_us,
        severity="warning",
        evidence={
            **_side("own", home, home.fixes - twin.home_fixes),
            **_side("other", twin, twin.fixes),
            "distance_nm": round(apart_m / NM_M, 2),
            "implied_speed_kn": round(apart_m / max(abs(home.time_us - twin.time_us) / SECOND_US, 1.0) / KN_MPS, 1),
            "limit_nm": round(fit.limit_m / NM_M, 2),
            "crossings": twin.visits,
            "together_min": round((moment.time_us - twin.since_us) / MINUTE_US, 1),
            "fixes_each_min": TWIN_FIXES,
            "together_each_min": TWIN_US / MINUTE_US,
        },
    )
    return (memory.episode.finding(moment.state, NAME, VERSION),)


def _side(side: str, track: Track, fixes: int) -> dict[str, Any]:
    return {
        f"{side}_lat_deg": track.lat_deg,
        f"{side}_lon_deg": track.lon_deg,
        f"{side}_fixes": fixes,
        f"{side}_speed_kn": track.speed_kn,
        f"{side}_name": track.name,
        f"{side}_source": track.source,
    }


def _hear(memory: ConflictMemory, moment: Moment) -> None:
    """Which side spoke. Positions of a third count for neither."""
    newest = moment.state.tracks.newest
    if moment.reading is None or moment.reading.lat_deg is None or memory.episode is None:
        return
    if newest == memory.own:
        memory.own_us = moment.time_us
    elif newest == memory.other:
        memory.other_us = moment.time_us
    memory.wake_at_us = minute_after(min(memory.own_us, memory.other_us) + silence_us(moment.state.asset_class) - 1)


def _gone(memory: ConflictMemory, moment: Moment) -> Sequence[Finding]:
    """Close when a side has been silent for six hours: at the instant it was heard last."""
    episode, silent_us = memory.episode, min(memory.own_us, memory.other_us)
    if episode is None or moment.time_us - silent_us < silence_us(moment.state.asset_class):
        if episode is not None:
            memory.wake_at_us = minute_after(silent_us + silence_us(moment.state.asset_class) - 1)
        return NOTHING
    memory.episode = None
    memory.wake_at_us = None
    episode.evidence["silent_side"] = "own" if memory.own_us <= memory.other_us else "other"
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=max(silent_us, episode.opened_at_us)),)


RULE = Rule(NAME, VERSION, ALL_CLASSES, ConflictMemory, at_reading, at_tick)
