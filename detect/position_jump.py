"""Rule `position_jump`: a position that the asset cannot have reached, and whether it came back from there."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians, sin

from detect.classes import TRAITS
from detect.episodes import Episode
from detect.model import Finding
from detect.plane import offset_m
from detect.rule import ALL_CLASSES, NOTHING, Moment, Rule, minute_after
from detect.state import Track, Tracks, WakingMemory
from detect.tracks import LONE_FIXES, is_late, is_near, is_twin
from fleet.geodesy import KN_MPS, NM_M
from fleet.instants import HOUR_US, MINUTE_US
from fleet.vessel import is_ship_station

NAME = "position_jump"
VERSION = 5
UNRESOLVED_US = 10 * MINUTE_US  # design 4.6
LATE_S = 7200.0  # chosen: satellites deliver within two hours, and some stations stamp what they get with their own clock
REST_US = HOUR_US  # chosen: jumps that follow each other within an hour are one story, so that a day has 24 at most


class JumpMemory(WakingMemory, kw_only=True):
    """The open episode, the number of the track it left, how many jumps it has had, and how many were told.

    `returned_us` is when positions came back to the old track last, None while they are away.
    """

    home: int = 0
    jumps: int = 0
    told: int = 0
    returned_us: int | None = None
    episode: Episode | None = None


def at_reading(memory: JumpMemory, moment: Moment) -> Sequence[Finding]:
    """Open at a position off the believed track, follow the asset from track to track, close when it has rested on one."""
    tracks, episode = moment.state.tracks, memory.episode
    if episode is None:
        if not tracks.jumped or tracks.home is None or tracks.newest == tracks.home.number:
            return NOTHING
        return _open(memory, moment, tracks, tracks.home)
    if memory.returned_us is not None and moment.time_us - memory.returned_us >= REST_US:
        rested = _close(memory, moment, memory.returned_us, "returned")
        return (*rested, *at_reading(memory, moment))
    if tracks.jumped:
        memory.jumps += 1
    if tracks.home is not None and tracks.home.number != memory.home:
        return _accept(memory, moment, tracks, episode)
    if tracks.newest == memory.home:
        if memory.returned_us is None:
            memory.returned_us = moment.time_us
            memory.wake_at_us = minute_after(moment.time_us + REST_US - 1)
    elif memory.returned_us is not None:
        memory.returned_us = None
        memory.wake_at_us = minute_after(moment.time_us + UNRESOLVED_US - 1)
    return _tell(memory, moment, tracks)


def at_tick(memory: JumpMemory, moment: Moment) -> Sequence[Finding]:
    """Ten minutes after it left: a warning when it has not come back. An hour after it came back: over."""
    memory.wake_at_us = None
    if memory.returned_us is not None:
        return _close(memory, moment, memory.returned_us, "returned")
    return _tell(memory, moment, moment.state.tracks)


def _open(memory: JumpMemory, moment: Moment, tracks: Tracks, home: Track) -> Sequence[Finding]:
    fix = tracks.newest_track()
    if fix is None:
        return NOTHING
    fit = TRAITS[moment.state.asset_class].fit(home, fix)
    memory.home, memory.jumps, memory.told, memory.returned_us = home.number, 1, 1, None
    memory.episode = Episode(
        asset=moment.now.name,
        opened_at_us=moment.time_us,
        detected_at_us=moment.time_us,
        severity="info",
        evidence={
            "distance_nm": round(fit.distance_m / NM_M, 3),
            "limit_nm": round(fit.limit_m / NM_M, 3),
            "implied_speed_kn": round(fit.implied_speed_kn, 1),
            "elapsed_s": (moment.time_us - home.time_us) / 1e6,
            "from_lat_deg": home.lat_deg,
            "from_lon_deg": home.lon_deg,
            "to_lat_deg": fix.lat_deg,
            "to_lon_deg": fix.lon_deg,
            "wrong_clock": _is_wrong_clock(home, fix, fit.limit_m),
            "jumps": 1,
        },
    )
    memory.wake_at_us = minute_after(moment.time_us + UNRESOLVED_US - 1)
    return (memory.episode.finding(moment.state, NAME, VERSION),)


def _is_wrong_clock(home: Track, fix: Track, limit_m: float) -> bool:
    """Whether the place is on the asset's own course, not farther than it comes in two hours: an old message with a new time.

    Four times the distance from the course counts (detection.md S2: gpsdio-segment forgives errors along the track so).
    """
    course_deg = home.course_deg if fix.course_deg is None else fix.course_deg
    if course_deg is None:
        return False
    course = radians(course_deg)
    east_m, north_m = offset_m(home.lat_deg, home.lon_deg, fix.lat_deg, fix.lon_deg)
    along_m = abs(east_m * sin(course) + north_m * cos(course))
    across_m = abs(east_m * cos(course) - north_m * sin(course))
    speed_kn = max(home.speed_kn or 0.0, fix.speed_kn or 0.0)
    return 4.0 * across_m <= limit_m and along_m <= speed_kn * KN_MPS * LATE_S


def _tell(memory: JumpMemory, moment: Moment, tracks: Tracks) -> Sequence[Finding]:
    """A warning once ten minutes have passed away from home with two positions on one track; the count when it has doubled."""
    episode, newest = memory.episode, tracks.newest_track()
    if episode is None or newest is None:
        return NOTHING
    away_us = 0 if tracks.away_us is None else moment.time_us - tracks.away_us
    is_worse = (
        episode.severity == "info" and away_us >= UNRESOLVED_US and _is_serious(tracks, newest, episode, moment.state.asset_class)
    )
    if is_worse:
        episode.severity = "warning"
        episode.evidence["unresolved_min"] = round(away_us / MINUTE_US, 1)
        episode.evidence.update(to_lat_deg=newest.lat_deg, to_lon_deg=newest.lon_deg)
    if not is_worse and memory.jumps < 2 * memory.told:
        return NOTHING
    memory.told = memory.jumps
    episode.evidence["jumps"] = memory.jumps
    return (episode.finding(moment.state, NAME, VERSION),)


def _is_serious(tracks: Tracks, newest: Track, episode: Episode, asset_class: str) -> bool:
    """Whether to be away is worth a warning: both tracks are proved; no clock, no second hull, no return to an older track."""
    home = tracks.home
    if home is None or home.fixes < LONE_FIXES or newest.fixes < 2:
        return False
    if is_twin(newest, home, asset_class) or is_near(newest, home, TRAITS[asset_class]):
        return False
    if is_late(newest) or newest.resumes or (newest.number < home.number and newest.fixes >= LONE_FIXES):
        return False
    return not episode.evidence["wrong_clock"] and is_ship_station(episode.asset)


def _accept(memory: JumpMemory, moment: Moment, tracks: Tracks, episode: Episode) -> Sequence[Finding]:
    """Another track is believed now: because the old one was silent for an hour, or was no more than a position or two."""
    old = next((track for track in tracks.others if track.number == memory.home), None)
    is_lone = old is None or old.fixes < LONE_FIXES or (tracks.home is not None and tracks.home.resumes)
    is_plain = tracks.home is not None and (tracks.home.number < memory.home or is_late(tracks.home))
    if not is_lone and not is_plain and not episode.evidence["wrong_clock"] and is_ship_station(episode.asset):
        episode.severity = "warning"
    return _close(memory, moment, moment.time_us, "disbelieved" if is_lone and episode.severity == "info" else "accepted")


def _close(memory: JumpMemory, moment: Moment, closed_us: int, how: str) -> Sequence[Finding]:
    episode, memory.episode = memory.episode, None
    memory.wake_at_us = memory.returned_us = None
    if episode is None:
        return NOTHING
    episode.evidence["jumps"] = memory.jumps
    episode.evidence["ended"] = how
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=closed_us),)


RULE = Rule(NAME, VERSION, ALL_CLASSES, JumpMemory, at_reading, at_tick)
