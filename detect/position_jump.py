"""Rule `position_jump`: a position that the asset cannot have reached, and whether it came back from there."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import msgspec

from detect.classes import TRAITS
from detect.episodes import Episode
from detect.model import Finding
from detect.rule import ALL_CLASSES, NOTHING, Moment, Rule, minute_after
from detect.state import Memory
from detect.traits import Fit, Track
from fleet.geodesy import NM_M
from fleet.instants import DAY_US, MINUTE_US

NAME = "position_jump"
VERSION = 1
UNRESOLVED_US = 10 * MINUTE_US  # design 4.6
ACCEPTED_US = 60 * MINUTE_US  # chosen: an hour at the new place and none at the old one is where the asset is
TRACKS_MAX = 3  # chosen: two hulls under one number and one more; gpsdio-segment keeps 20 for a whole file
TRACK_AGE_MAX_US = 15 * MINUTE_US  # chosen: a second hull is heard again by then; what comes back later has jumped again
EPISODES_MAX = 24  # episodes of one asset that may open in a day of event time; chosen: one an hour says all


class JumpMemory(Memory, kw_only=True):
    """The track believed (`main`), the one jumped to (`suspect`), other tracks seen lately, and the open episode.

    `jumps` counts the positions off every known track that the episode has had so far, `opened` the episodes of `day`.
    """

    main: Track | None = None
    suspect: Track | None = None
    others: list[Track] = msgspec.field(default_factory=list)
    jumps: int = 0
    day: int = 0
    opened: int = 0
    episode: Episode | None = None


def at_reading(memory: JumpMemory, moment: Moment) -> Sequence[Finding]:
    """Give the position to the track that it continues best; one that continues none opens an episode."""
    fix, main = _fix(moment), memory.main
    if fix is None:
        return NOTHING
    traits = TRAITS[moment.state.asset_class]
    if main is None or _repeats(main, fix, traits.moving_kn):
        memory.main = main or fix
        return NOTHING
    if memory.suspect is not None and _repeats(memory.suspect, fix, traits.moving_kn):
        memory.suspect.fixes += 1
        return _unresolved(memory, moment)
    fit = traits.fit(main, fix)
    if memory.suspect is None and not memory.others:  # the common case: one track, continued
        if fit.fits:
            _continue(main, fix)
            return NOTHING
        return _jump(memory, moment, main, fix, fit)
    return _choose(memory, moment, main, fix, fit)


def at_tick(memory: JumpMemory, moment: Moment) -> Sequence[Finding]:
    """Ten minutes after a jump: a warning when it has not come back."""
    memory.wake_at_us = None
    return _unresolved(memory, moment)


def _fix(moment: Moment) -> Track | None:
    """The reading's position with its own motion; None without one. A field it lacks is not filled from older readings."""
    reading = moment.reading
    if reading is None or reading.lat_deg is None or reading.lon_deg is None:
        return None
    speed_kn: float | None = getattr(reading, "speed_kn", None)
    course_deg: float | None = getattr(reading, "course_deg", None)
    return Track(
        time_us=reading.time_us,
        lat_deg=reading.lat_deg,
        lon_deg=reading.lon_deg,
        speed_kn=speed_kn,
        course_deg=course_deg,
        since_us=reading.time_us,
    )


def _repeats(track: Track, fix: Track, moving_kn: float) -> bool:
    """The very same position at speed: a receiver repeating an old one (detection.md S2). Its time must not be believed."""
    same = track.lat_deg == fix.lat_deg and track.lon_deg == fix.lon_deg
    return same and (fix.speed_kn or 0.0) > moving_kn


def _continue(track: Track, fix: Track) -> None:
    track.speed_before_kn = track.speed_kn
    track.time_us = fix.time_us
    track.lat_deg = fix.lat_deg
    track.lon_deg = fix.lon_deg
    track.speed_kn = fix.speed_kn
    track.course_deg = fix.course_deg
    track.fixes += 1


def _choose(memory: JumpMemory, moment: Moment, main: Track, fix: Track, main_fit: Fit) -> Sequence[Finding]:
    """Several tracks are alive: the best fit takes the position."""
    fit = TRAITS[moment.state.asset_class].fit
    memory.others = [track for track in memory.others if fix.time_us - track.time_us <= TRACK_AGE_MAX_US]
    best: Track | None = main if main_fit.fits else None
    best_ratio = main_fit.ratio if main_fit.fits else inf
    for track in (memory.suspect, *memory.others):
        if track is not None:
            other = fit(track, fix)
            if other.fits and other.ratio < best_ratio:
                best, best_ratio = track, other.ratio
    if best is None:
        return _jump(memory, moment, main, fix, main_fit)
    _continue(best, fix)
    if best is main:
        return _returned(memory, moment)
    if best is memory.suspect:
        return _unresolved(memory, moment)
    return _succeed(memory, best)


def _jump(memory: JumpMemory, moment: Moment, main: Track, fix: Track, fit: Fit) -> Sequence[Finding]:
    """A position on no known track: opens the episode, or moves the suspect of the one that is open."""
    if memory.episode is not None:
        if memory.suspect is not None:
            _keep(memory, memory.suspect)
        memory.suspect = fix
        memory.jumps += 1
        return _unresolved(memory, moment)
    day = moment.time_us // DAY_US
    memory.opened = memory.opened + 1 if day == memory.day else 1
    memory.day = day
    if memory.opened > EPISODES_MAX:
        _keep(memory, fix)
        return NOTHING
    memory.suspect = fix
    memory.jumps = 1
    memory.episode = Episode(
        asset=moment.now.name,
        opened_at_us=fix.time_us,
        detected_at_us=moment.time_us,
        severity="info",
        evidence={
            "distance_nm": round(fit.distance_m / NM_M, 3),
            "limit_nm": round(fit.limit_m / NM_M, 3),
            "implied_speed_kn": round(fit.implied_speed_kn, 1),
            "elapsed_s": (fix.time_us - main.time_us) / 1e6,
            "from_lat_deg": main.lat_deg,
            "from_lon_deg": main.lon_deg,
            "to_lat_deg": fix.lat_deg,
            "to_lon_deg": fix.lon_deg,
            "jumps": 1,
        },
    )
    memory.wake_at_us = minute_after(fix.time_us + UNRESOLVED_US - 1)
    return (memory.episode.finding(moment.state, NAME, VERSION),)


def _returned(memory: JumpMemory, moment: Moment) -> Sequence[Finding]:
    """Back on the believed track: the episode ends, the place jumped to is remembered so that it does not open another."""
    if memory.suspect is not None:
        _keep(memory, memory.suspect)
        memory.suspect = None
    return _close(memory, moment, "returned")


def _unresolved(memory: JumpMemory, moment: Moment) -> Sequence[Finding]:
    """A warning ten minutes after the jump; an hour after it the new track is believed."""
    episode, suspect = memory.episode, memory.suspect
    if episode is None or suspect is None or suspect.fixes < 2:
        return NOTHING
    since_us = moment.time_us - episode.opened_at_us
    if since_us >= ACCEPTED_US and moment.reading is not None:
        main = memory.main
        memory.main, memory.suspect = suspect, None
        if main is not None:
            _keep(memory, main)
        episode.severity = "warning"
        return _close(memory, moment, "accepted")
    if since_us >= UNRESOLVED_US and episode.severity == "info":
        episode.severity = "warning"
        episode.evidence["jumps"] = memory.jumps
        episode.evidence["unresolved_min"] = round(since_us / MINUTE_US, 1)
        return (episode.finding(moment.state, NAME, VERSION),)
    return NOTHING


def _succeed(memory: JumpMemory, track: Track) -> Sequence[Finding]:
    """A track known from before goes on alone for an hour: it is believed from now on, without another episode."""
    main = memory.main
    if main is not None and memory.episode is None and track.time_us - main.time_us >= ACCEPTED_US:
        memory.others = [other for other in memory.others if other is not track]
        memory.main = track
        _keep(memory, main)
    return NOTHING


def _close(memory: JumpMemory, moment: Moment, how: str) -> Sequence[Finding]:
    episode, memory.episode = memory.episode, None
    memory.wake_at_us = None
    if episode is None:
        return NOTHING
    episode.evidence["jumps"] = memory.jumps
    episode.evidence["ended"] = how
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us),)


def _keep(memory: JumpMemory, track: Track) -> None:
    """Remember a track; past the bound the one heard longest ago is forgotten."""
    memory.others.append(track)
    if len(memory.others) > TRACKS_MAX:
        memory.others.remove(min(memory.others, key=lambda other: other.time_us))


RULE = Rule(NAME, VERSION, ALL_CLASSES, JumpMemory, at_reading, at_tick)
