"""Which track each position belongs to, before any rule looks: one hull, one line of positions.

Under one identity come a receiver's glitches, satellites' delayed messages, spoofed positions and now and then a second hull.
What does not continue the believed track is given to another, and only the track that is followed moves what the rules know of
the asset. Neighbours: `position_jump` and `position_conflict` say what this found; the classes' modules say what fits.
"""

from __future__ import annotations

from itertools import pairwise
from math import hypot, inf
from struct import Struct
from typing import Any

from msgspec.structs import replace

from detect.plane import near_distance_m, offset_m
from detect.state import Track, Tracks
from detect.traits import Traits
from fleet.geodesy import KN_MPS, NM_M
from fleet.instants import HOUR_US, MINUTE_US, SECOND_US

FOLLOWED_US = 10 * MINUTE_US  # design 4.6: a jump is unresolved after ten minutes; from then on the new place is where it is
ACCEPTED_US = HOUR_US  # chosen: an hour at the new place and none at the old one is where the asset is
LONE_FIXES = 3  # chosen: a track of fewer fixes is given up once another has as many and it is silent
TRACKS_MAX = 3  # chosen: two hulls under one number and one more; gpsdio-segment keeps 20 for a whole file
STRAY_US = HOUR_US  # chosen: a position that nothing continued within an hour was noise
KNOWN_US = 6 * HOUR_US  # detection.md S1: shorter silences are no event, so that a track may be silent as long
AIR_STRAY_US = 2 * MINUTE_US  # chosen: in longer an aircraft can have come from anywhere near
AIR_KNOWN_US = 15 * MINUTE_US  # chosen: longer than the ten minutes of silence that are an event in the air (detection.md A1)
RESUMED_US = {"vessel": HOUR_US}  # chosen: so long an earlier fix tells where a ship may be; others come too far in it
KNOWN_FIXES = 3  # chosen: what three positions continue is a track
PATH_US = 10 * MINUTE_US  # chosen: between two points of the path a ship turns little
POINT = Struct("<qii")
"""A point of the path: seconds since 1970, millionths of a degree of latitude and longitude. Packed, for each asset has many."""
PATH_MAX = 18  # chosen: three hours; satellites deliver within two
LATE_M = 2.0 * NM_M  # chosen: what a bend between two points of the path hides
NEAR_M = {"aircraft": 10.0 * NM_M}  # chosen: what a clock a minute wrong makes of a jet, as `position_conflict` has it
TURNLESS_US = 3 * MINUTE_US  # chosen: whose course nobody says has not gone far out of its way in so short a time
TWIN_VISITS = 4  # chosen: positions that came over four times, and went back between, are of two hulls that both sail on
TWIN_FIXES = 5  # chosen: each hull proves itself by five fixes; more than any glitch repeats itself by chance
TWIN_SHARE = {"aircraft": 0.2}  # chosen: wrong zones of CPR repeat themselves, in a few positions of a hundred
TWIN_US = 10 * MINUTE_US  # chosen: as long as a jump may stay unresolved


def place(tracks: Tracks, traits: Traits, reading: Any) -> bool:
    """Give a reading's position to its track; True when the asset's motion follows it (also when it has no position).

    `reading` is of the class that the traits are of.
    A position that is the last one of a track again, at speed, is a receiver repeating itself (detection.md S2): its time is not
    believed.
    """
    lat_deg, lon_deg = reading.lat_deg, reading.lon_deg
    if lat_deg is None or lon_deg is None:
        tracks.jumped = False
        return True
    home = tracks.home
    if home is None:
        tracks.home = home = _begun(tracks, reading, lat_deg, lon_deg)
        tracks.newest = tracks.followed = home.number
        return True
    if tracks.others:
        return _choose(tracks, home, traits, reading, lat_deg, lon_deg)
    tracks.jumped = False
    time_us, speed_kn = reading.time_us, reading.speed_kn
    if lat_deg == home.lat_deg and lon_deg == home.lon_deg and speed_kn is not None and speed_kn > traits.moving_kn:
        home.heard_us = time_us
        return True
    reach_m = traits.reach_m(home, time_us, speed_kn)
    if near_distance_m(home.lat_deg, home.lon_deg, lat_deg, lon_deg, reach_m) > reach_m:
        return _choose(tracks, home, traits, reading, lat_deg, lon_deg)
    tracks.before_us = home.time_us
    tracks.before_lat_deg = home.lat_deg
    tracks.before_lon_deg = home.lon_deg
    home.speed_before_kn = home.speed_kn
    home.time_us = home.heard_us = time_us
    home.lat_deg = lat_deg
    home.lon_deg = lon_deg
    home.speed_kn = speed_kn
    home.course_deg = reading.course_deg
    home.fixes += 1
    if time_us - tracks.path_us >= PATH_US:
        _extend_path(tracks, time_us, lat_deg, lon_deg)
    return True


def is_twin(track: Track, home: Track, asset_class: str) -> bool:
    """Whether a track and the believed one are of two hulls: both went on while positions went to and fro between them."""
    return (
        track.visits >= TWIN_VISITS
        and track.fixes - track.late_fixes >= TWIN_FIXES
        and not is_late(track)
        and home.fixes - track.home_fixes >= TWIN_FIXES
        and track.fixes >= TWIN_SHARE.get(asset_class, 0.0) * (home.fixes - track.home_fixes)
        and track.heard_us - track.since_us >= TWIN_US
    )


def is_near(track: Track, home: Track, traits: Traits) -> bool:
    """Whether a track lies so near where the believed one is, or would be by now, that a wrong clock explains it."""
    near_m = NEAR_M.get(traits.name)
    if near_m is None:
        return False
    found = traits.fit(home, track)
    off_m = min(found.off_m, found.distance_m)
    elapsed_us = track.time_us - home.time_us
    if home.course_deg is None and home.speed_kn is not None and 0 < elapsed_us <= TURNLESS_US:
        off_m = min(off_m, abs(found.distance_m - home.speed_kn * KN_MPS * elapsed_us / SECOND_US))
    return off_m <= near_m


def silence_us(asset_class: str) -> int:
    """How long one of two hulls may be silent before it is gone."""
    return AIR_KNOWN_US if asset_class == "aircraft" else KNOWN_US


def is_late(track: Track) -> bool:
    """Whether most of a track lies where the believed one was in the last hours: old messages under a new time."""
    return 2 * track.late_fixes > track.fixes


def _extend_path(tracks: Tracks, time_us: int, lat_deg: float, lon_deg: float) -> None:
    tracks.path_us = time_us
    kept = tracks.path[-POINT.size * (PATH_MAX - 1) :]
    tracks.path = kept + POINT.pack(time_us // SECOND_US, int(lat_deg * 1e6), int(lon_deg * 1e6))


def _is_on_path(tracks: Tracks, fix: Track) -> bool:
    """Whether a position lies within two miles of where the believed track was in the last three hours."""
    oldest_s = fix.time_us // SECOND_US - PATH_MAX * PATH_US // SECOND_US
    places = [(lat / 1e6, lon / 1e6) for second, lat, lon in POINT.iter_unpack(tracks.path) if second >= oldest_s]
    off = [offset_m(fix.lat_deg, fix.lon_deg, lat_deg, lon_deg) for lat_deg, lon_deg in places]
    if len(off) == 1:
        return hypot(*off[0]) <= LATE_M
    for (from_e, from_n), (to_e, to_n) in pairwise(off):
        east, north = to_e - from_e, to_n - from_n
        length2 = east * east + north * north
        share = 0.0 if length2 == 0.0 else min(max(-(from_e * east + from_n * north) / length2, 0.0), 1.0)
        if hypot(from_e + share * east, from_n + share * north) <= LATE_M:
            return True
    return False


def _begun(tracks: Tracks, reading: Any, lat_deg: float, lon_deg: float) -> Track:
    tracks.given += 1
    return Track(
        time_us=reading.time_us,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        speed_kn=reading.speed_kn,
        course_deg=reading.course_deg,
        since_us=reading.time_us,
        number=tracks.given,
        heard_us=reading.time_us,
        home_fixes=0 if tracks.home is None else tracks.home.fixes,
        name=reading.name,
        source=reading.source,
    )


def _choose(tracks: Tracks, home: Track, traits: Traits, reading: Any, lat_deg: float, lon_deg: float) -> bool:
    """Several tracks may be alive: the best fit takes the position, or it begins another."""
    time_us = reading.time_us
    tracks.others = [track for track in tracks.others if time_us - track.heard_us <= _kept_us(track, traits.name)]
    fix = _begun(tracks, reading, lat_deg, lon_deg)
    best: Track | None = None
    best_m, is_repeat, fits_home = inf, False, False
    for track in (home, *tracks.others):
        if track.lat_deg == lat_deg and track.lon_deg == lon_deg and (fix.speed_kn or 0.0) > traits.moving_kn:
            best, is_repeat = track, True
            break
        found = traits.fit(track, fix)
        if track is home:
            fits_home = found.fits
        elif fits_home and traits.name not in NEAR_M and _is_left(track, home):
            continue
        if found.fits and found.off_m < best_m:
            best, best_m = track, found.off_m
    if best is not None and best is not home and fits_home and not is_repeat and is_near(best, home, traits):
        tracks.others.remove(best)  # the two have met: they were one hull, and a clock was wrong
        best = home
    if best is None:
        best = fix
        fix.resumes = _resumes(tracks, home, traits, fix)
        _keep(tracks, fix)
    else:
        tracks.given -= 1
        if best is home and not is_repeat:
            tracks.before_us, tracks.before_lat_deg, tracks.before_lon_deg = home.time_us, home.lat_deg, home.lon_deg
        _continue(best, fix, is_repeat=is_repeat)
    if best is home:
        if not is_repeat and time_us - tracks.path_us >= PATH_US:
            _extend_path(tracks, time_us, lat_deg, lon_deg)
    elif _is_on_path(tracks, fix):
        best.late_fixes += 1
    tracks.jumped = best.number != tracks.newest
    tracks.newest = best.number
    best.visits += tracks.jumped
    return _follow(tracks, home, best, time_us, traits.name)


def _is_left(track: Track, home: Track) -> bool:
    """Whether a track is a stray, or was left long ago: who passes by it is still on the believed one."""
    return track.fixes < KNOWN_FIXES or home.heard_us - track.heard_us >= FOLLOWED_US


def _resumes(tracks: Tracks, home: Track, traits: Traits, fix: Track) -> bool:
    """Whether a fix off the believed track continues the fix before its last: that one was old, under a new time.

    detection.md S2: gpsdio-segment looks back over a segment's last fixes for the same reason.
    """
    if not tracks.before_us or fix.time_us - tracks.before_us > RESUMED_US.get(traits.name, 0):
        return False
    before = replace(
        home,
        time_us=tracks.before_us,
        lat_deg=tracks.before_lat_deg,
        lon_deg=tracks.before_lon_deg,
        speed_kn=home.speed_before_kn,
        course_deg=None,
    )
    return traits.fit(before, fix).fits


def _kept_us(track: Track, asset_class: str) -> int:
    if asset_class == "aircraft":
        return AIR_KNOWN_US if track.fixes >= KNOWN_FIXES else AIR_STRAY_US
    return KNOWN_US if track.fixes >= KNOWN_FIXES else STRAY_US


def _continue(track: Track, fix: Track, *, is_repeat: bool) -> None:
    track.fixes += 1
    track.heard_us = fix.time_us
    track.name, track.source = fix.name, fix.source
    if is_repeat:
        return
    track.speed_before_kn = track.speed_kn
    track.time_us, track.lat_deg, track.lon_deg = fix.time_us, fix.lat_deg, fix.lon_deg
    track.speed_kn, track.course_deg = fix.speed_kn, fix.course_deg


def _keep(tracks: Tracks, track: Track) -> None:
    """Remember a track; past the bound the one of the fewest fixes is forgotten, of two the one heard longest ago."""
    tracks.others.append(track)
    if len(tracks.others) > TRACKS_MAX:
        tracks.others.remove(min(tracks.others[:-1], key=lambda other: (other.fixes, other.heard_us)))


def _follow(tracks: Tracks, home: Track, taken: Track, time_us: int, asset_class: str) -> bool:
    """Which track is the asset's now. The believed one is, unless it was silent and another went on alone.

    Silent for ten minutes the other is followed, for an hour it is believed; where both are hulls that sail on (the silence of
    one must be told before the other takes its place), or the other is old messages, for six hours; a track of a position or two
    at once, and one whose last position alone stands against the other.
    """
    if taken is home:
        tracks.away_us = None
        tracks.followed = home.number
        return True
    if tracks.away_us is None:
        tracks.away_us = time_us
    silent_us = time_us - home.heard_us
    is_lone = taken.fixes >= LONE_FIXES and (home.fixes < LONE_FIXES or (taken.resumes and home.heard_us < taken.since_us))
    if taken.fixes >= 2 or is_lone:
        is_doubtful = is_twin(taken, home, asset_class) or is_late(taken)
        if is_lone or silent_us >= (silence_us(asset_class) if is_doubtful else ACCEPTED_US):
            _believe(tracks, home, taken)
        elif silent_us >= FOLLOWED_US and not is_doubtful:
            tracks.followed = taken.number
    return taken.number == tracks.followed


def _believe(tracks: Tracks, home: Track, track: Track) -> None:
    """From now on this is the asset's track, and what was is one of the others."""
    tracks.others = [other for other in tracks.others if other is not track]
    tracks.home = track
    tracks.followed = track.number
    tracks.away_us = None
    tracks.before_us, home.resumes = 0, False
    for other in (*tracks.others, home):
        other.visits = 0
        other.home_fixes = track.fixes
    _keep(tracks, home)
