"""Rule `spoofed_track`: positions that no hull made: circles after a jump, land, a point that stands still, a past track again.

What a jump leads to is looked at once a minute, and only after a jump; stillness and altitudes once a minute; past positions of
ships at each reading, thinned by content so that a track and its repetition are thinned alike. Neighbours: `tracks` says where
positions leapt to, `replay` remembers where the ship has been.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import msgspec

from detect.circle import Circle, fitted
from detect.episodes import Episode
from detect.model import Finding
from detect.plane import near_distance_m
from detect.replay import Replay, remember
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory, Track, Tracks
from detect.tracks import LONE_FIXES
from fleet.aircraft import AircraftReading
from fleet.geodesy import KN_MPS, NM_M, destination, distance_m
from fleet.instants import MINUTE_US, SECOND_US
from fleet.vessel import VesselReading, is_ship_station

NAME = "spoofed_track"
VERSION = 2
CLASSES = frozenset({"vessel", "aircraft"})
LASTING_US = 10 * MINUTE_US  # design 4.6: as long as a jump may be unresolved
ROWS = 3  # chosen: of three minutes none is a glitch
INLAND_KM = 8.0  # the brief's 5 km from any coast, and 3 km that the mask of land may be wrong
POINTS_MAX = 30  # chosen: a circle of thirty points; when they are full every other is dropped
POINTS = 8  # chosen: a circle through fewer is no proof
TURNS = 1.0  # detection.md S3: one full turn
RESIDUAL = 0.15  # detection.md S3: of the radius
AWAY_NM = 50.0  # detection.md S3: from dead reckoning
RADIUS_M = 100.0  # chosen: smaller circles are an anchorage and a receiver's own noise
STILL_US = {
    "vessel": 30 * MINUTE_US,
    "aircraft": 10 * MINUTE_US,
}  # chosen: of real recordings none stood longer than 1 and 6.5 min
STILL_KN = {"vessel": 3.0, "aircraft": 60.0}  # chosen: way that a swinging ship and a taxiing aircraft do not make
STILL_ROWS = 6  # chosen: six reports in half an hour
MOTIONS = {"vessel": 3, "aircraft": 5}  # chosen: a receiver that repeats a message repeats its speed and course too
OFF_FT = 2_000.0  # detection.md A3: geometric against barometric altitude
NIC_MIN = 7  # detection.md A3, A2


class Still(msgspec.Struct, kw_only=True, array_like=True):
    """The position reported minute after minute, since when, in how many rows, with which speeds and courses."""

    lat_deg: float
    lon_deg: float
    since_us: int
    rows: int = 1
    motions: list[tuple[float | None, float | None]] = []


class Leap(msgspec.Struct, kw_only=True, array_like=True):
    """A jump being looked at: from where, to which track, its points, and how long it lies inland.

    A point is a second, and millionths of a degree of latitude and longitude.
    """

    from_us: int
    from_lat_deg: float
    from_lon_deg: float
    from_speed_kn: float | None
    from_course_deg: float | None
    number: int
    points: list[tuple[int, int, int]] = []
    every_s: int = 0
    inland_us: int | None = None
    inland_rows: int = 0
    is_inland_over: bool = False


class SpoofMemory(Memory, kw_only=True):
    """What is watched, and the open episode with the manner that opened it; `off_rows` counts minutes against it."""

    top: int = 0
    leap: Leap | None = None
    still: Still | None = None
    replay: Replay = msgspec.field(default_factory=Replay)
    apart_rows: int = 0
    apart_us: int = 0
    manner: str = ""
    off_rows: int = 0
    circle: Circle | None = None
    episode: Episode | None = None


def at_reading(memory: SpoofMemory, moment: Moment) -> Sequence[Finding]:
    """Of ships: whether the position was reported before, in the same order and at the same intervals."""
    reading = moment.reading
    if not isinstance(reading, VesselReading) or reading.lat_deg is None or reading.lon_deg is None:
        return NOTHING
    replay = memory.replay
    remember(replay, moment.time_us, reading.lat_deg, reading.lon_deg, reading.sog_kn)
    if memory.episode is None:
        if not replay.is_proved:
            return NOTHING
        return _open(memory, moment, "repeated", replay.run_us, replay.evidence())
    if memory.manner == "repeated" and replay.run == 0:
        return _close(memory, moment)
    return NOTHING


def at_row(memory: SpoofMemory, moment: Moment) -> Sequence[Finding]:
    """Once a minute: stillness, altitudes, and what a jump led to."""
    if moment.reading is None or moment.state.tracks.home is None:
        return NOTHING
    return (
        *_still(memory, moment),
        *(_altitudes(memory, moment) if moment.state.asset_class == "aircraft" else NOTHING),
        *_leapt(memory, moment, moment.state.tracks),
    )


def _open(memory: SpoofMemory, moment: Moment, manner: str, opened_us: int, evidence: dict[str, Any]) -> Sequence[Finding]:
    if memory.episode is not None or not is_ship_station(moment.now.name):
        return NOTHING
    memory.manner, memory.off_rows = manner, 0
    memory.episode = Episode(
        asset=moment.now.name,
        opened_at_us=opened_us,
        detected_at_us=moment.time_us,
        severity="warning",
        evidence={"manner": manner, **evidence},
    )
    return (memory.episode.finding(moment.state, NAME, VERSION),)


def _close(memory: SpoofMemory, moment: Moment) -> Sequence[Finding]:
    episode, memory.episode = memory.episode, None
    memory.manner, memory.circle = "", None
    if episode is None:
        return NOTHING
    episode.evidence["lasted_min"] = round((moment.time_us - episode.opened_at_us) / MINUTE_US, 1)
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us),)


def _still(memory: SpoofMemory, moment: Moment) -> Sequence[Finding]:
    """The very same position while speed and course go on changing."""
    reading = moment.reading
    if not isinstance(reading, VesselReading | AircraftReading) or reading.lat_deg is None or reading.lon_deg is None:
        return NOTHING
    still, asset_class, speed_kn = memory.still, moment.state.asset_class, reading.speed_kn
    if speed_kn is None or speed_kn < STILL_KN[asset_class] or (asset_class == "aircraft" and not moment.now.airborne):
        memory.still = None
    elif still is None or still.lat_deg != reading.lat_deg or still.lon_deg != reading.lon_deg:
        memory.still = Still(lat_deg=reading.lat_deg, lon_deg=reading.lon_deg, since_us=moment.time_us)
    else:
        still.rows += 1
        motion = (speed_kn, reading.course_deg)
        if len(still.motions) < MOTIONS[asset_class] and motion not in still.motions:
            still.motions.append(motion)
        lasted_us = moment.time_us - still.since_us
        if lasted_us >= STILL_US[asset_class] and still.rows >= STILL_ROWS and len(still.motions) >= MOTIONS[asset_class]:
            evidence = {
                "lat_deg": still.lat_deg,
                "lon_deg": still.lon_deg,
                "speed_kn": speed_kn,
                "still_min": round(lasted_us / MINUTE_US, 1),
                "limit_min": STILL_US[asset_class] / MINUTE_US,
                "limit_kn": STILL_KN[asset_class],
            }
            return _open(memory, moment, "frozen", still.since_us, evidence)
        return NOTHING
    return _close(memory, moment) if memory.manner == "frozen" else NOTHING


def _altitudes(memory: SpoofMemory, moment: Moment) -> Sequence[Finding]:
    """Geometric and barometric altitude far apart while the aircraft says that it knows its position badly."""
    reading = moment.reading
    if not isinstance(reading, AircraftReading) or reading.nic is None:
        return NOTHING
    if reading.alt_geom_ft is None or reading.alt_baro_ft is None:
        return NOTHING
    apart_ft = abs(reading.alt_geom_ft - reading.alt_baro_ft)
    if apart_ft <= OFF_FT or reading.nic >= NIC_MIN or not moment.now.airborne:
        memory.apart_rows = 0
        if memory.manner != "altitudes":
            return NOTHING
        memory.off_rows += 1
        return _close(memory, moment) if memory.off_rows >= ROWS else NOTHING
    memory.off_rows = 0
    if memory.apart_rows == 0:
        memory.apart_us = moment.time_us
    memory.apart_rows += 1
    if memory.apart_rows < ROWS:
        return NOTHING
    evidence = {
        "alt_geom_ft": reading.alt_geom_ft,
        "alt_baro_ft": reading.alt_baro_ft,
        "apart_ft": round(apart_ft, 1),
        "limit_ft": OFF_FT,
        "nic": reading.nic,
        "lat_deg": moment.now.lat_deg,
        "lon_deg": moment.now.lon_deg,
    }
    return _open(memory, moment, "altitudes", memory.apart_us, evidence)


def _leapt(memory: SpoofMemory, moment: Moment, tracks: Tracks) -> Sequence[Finding]:
    """Follow the track that positions leapt to from a proved one, for as long as they are on it alone."""
    newest, home, leap = tracks.newest_track(), tracks.home, memory.leap
    if newest is None or home is None:
        return NOTHING
    if leap is None:
        if newest.number <= memory.top or newest.fixes < LONE_FIXES:
            return NOTHING
        leap = memory.leap = _begin(tracks, newest)
        memory.top = max(memory.top, newest.number)
        if leap is None:
            return NOTHING
    track = newest if newest.number == leap.number else None
    if track is None or (home is not track and home.heard_us > track.since_us):
        memory.leap = None
        return _close(memory, moment) if memory.manner in {"circle", "on_land"} else NOTHING
    return (*_on_land(memory, moment, leap, track), *_circle(memory, moment, leap, track))


def _begin(tracks: Tracks, newest: Track) -> Leap | None:
    """The leap to a new track, where what was left was a track of three positions or more."""
    left = tracks.home
    if left is not None and left.number == newest.number:
        left = max(tracks.others, key=lambda track: track.heard_us, default=None)
    if left is None or left.fixes < LONE_FIXES:
        return None
    return Leap(
        from_us=left.time_us,
        from_lat_deg=left.lat_deg,
        from_lon_deg=left.lon_deg,
        from_speed_kn=left.speed_kn,
        from_course_deg=left.course_deg,
        number=newest.number,
    )


def _on_land(memory: SpoofMemory, moment: Moment, leap: Leap, track: Track) -> Sequence[Finding]:
    """A ship that was at sea or on a coast, and after a jump far inland."""
    land = moment.context.land
    if land is None or leap.is_inland_over or moment.state.asset_class != "vessel":
        return NOTHING
    off_km = land.off_coast_km(track.lat_deg, track.lon_deg)
    if off_km > -INLAND_KM:
        leap.is_inland_over = True
        return _close(memory, moment) if memory.manner == "on_land" else NOTHING
    if leap.inland_us is None:
        if land.off_coast_km(leap.from_lat_deg, leap.from_lon_deg) <= -INLAND_KM:
            leap.is_inland_over = True
            return NOTHING
        leap.inland_us = track.since_us
    leap.inland_rows += 1
    lasted_us = moment.time_us - leap.inland_us
    if leap.inland_rows < ROWS or lasted_us < LASTING_US:
        return NOTHING
    evidence = {
        "lat_deg": track.lat_deg,
        "lon_deg": track.lon_deg,
        "inland_km": round(-off_km, 1),
        "limit_km": INLAND_KM,
        "inland_min": round(lasted_us / MINUTE_US, 1),
        "from_lat_deg": leap.from_lat_deg,
        "from_lon_deg": leap.from_lon_deg,
    }
    return _open(memory, moment, "on_land", leap.inland_us, evidence)


def _circle(memory: SpoofMemory, moment: Moment, leap: Leap, track: Track) -> Sequence[Finding]:
    """A full turn about a point far from where the asset was to be."""
    if memory.circle is not None and memory.manner == "circle":
        off_m = abs(
            distance_m(memory.circle.lat_deg, memory.circle.lon_deg, track.lat_deg, track.lon_deg) - memory.circle.radius_m
        )
        memory.off_rows = memory.off_rows + 1 if off_m > 0.5 * memory.circle.radius_m else 0
        return _close(memory, moment) if memory.off_rows >= ROWS else NOTHING
    second = track.time_us // SECOND_US
    points = leap.points
    if points and second - points[-1][0] < max(leap.every_s, 1):
        return NOTHING
    points.append((second, round(track.lat_deg * 1e6), round(track.lon_deg * 1e6)))
    if len(points) > POINTS_MAX:
        leap.every_s = max(2 * (points[-1][0] - points[0][0]) // POINTS_MAX, 1)
        leap.points = points = points[::2]
    circle = fitted([(at, lat / 1e6, lon / 1e6) for at, lat, lon in points]) if len(points) >= POINTS else None
    if circle is None or circle.radius_m < RADIUS_M or circle.residual > RESIDUAL or abs(circle.turns) < TURNS:
        return NOTHING
    away_m = _away_m(leap, moment.time_us, circle)
    if away_m <= AWAY_NM * NM_M:
        return NOTHING
    memory.circle = circle
    evidence = {
        "lat_deg": round(circle.lat_deg, 6),
        "lon_deg": round(circle.lon_deg, 6),
        "radius_nm": round(circle.radius_m / NM_M, 3),
        "turns": round(circle.turns, 2),
        "residual": round(circle.residual, 4),
        "residual_limit": RESIDUAL,
        "away_nm": round(away_m / NM_M, 1),
        "away_limit_nm": AWAY_NM,
        "from_lat_deg": leap.from_lat_deg,
        "from_lon_deg": leap.from_lon_deg,
    }
    return _open(memory, moment, "circle", points[0][0] * SECOND_US, evidence)


def _away_m(leap: Leap, time_us: int, circle: Circle) -> float:
    """How far the centre is from where the asset was left, and from where it would be had it gone on: the smaller of both."""
    plain_m = near_distance_m(leap.from_lat_deg, leap.from_lon_deg, circle.lat_deg, circle.lon_deg, inf)
    if leap.from_speed_kn is None or leap.from_course_deg is None:
        return plain_m
    run_m = leap.from_speed_kn * KN_MPS * (time_us - leap.from_us) / SECOND_US
    lat_deg, lon_deg = destination(leap.from_lat_deg, leap.from_lon_deg, leap.from_course_deg, run_m)
    return min(plain_m, distance_m(lat_deg, lon_deg, circle.lat_deg, circle.lon_deg))


RULE = Rule(NAME, VERSION, CLASSES, SpoofMemory, at_reading=at_reading, at_row=at_row)
