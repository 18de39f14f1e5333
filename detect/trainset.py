"""Trainsets as the rules see them: when silence is a gap, when a position is a jump, what an operating point is."""

from __future__ import annotations

from detect.plane import near_distance_m
from detect.state import Seen, Track
from detect.traits import Fit, Silence, Traits
from fleet.geodesy import KN_MPS
from fleet.instants import HOUR_US, MINUTE_US, SECOND_US
from fleet.trainset import KMH_PER_KN, NAME, TrainsetReading
from fleet.use import UseState

SILENT_US = 30 * MINUTE_US  # design 4.6
JUMP_KN = 400.0 / KMH_PER_KN  # chosen: above any service speed (350 km/h)
SLACK_M = 2_000.0  # chosen: positions of long trains and of tunnels are coarse


def observe(before: Seen | None, reading: TrainsetReading) -> Seen:
    """The motion known after a reading; what the reading does not say stays as last reported."""
    lat_deg, lon_deg, fix_us, speed_kn = reading.lat_deg, reading.lon_deg, reading.time_us, reading.speed_kn
    if before is not None:
        if lat_deg is None or lon_deg is None:
            lat_deg, lon_deg, fix_us = before.lat_deg, before.lon_deg, before.fix_time_us or 0
        speed_kn = before.speed_kn if speed_kn is None else speed_kn
    return Seen(
        time_us=reading.time_us,
        name=reading.name,
        fix_time_us=None if lat_deg is None else fix_us,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        speed_kn=speed_kn,
    )


def silence(seen: Seen, use: UseState | None = None) -> Silence:
    """Design 4.6: 30 min, wherever it is."""
    del use
    return Silence(SILENT_US, None, "stopped" if (seen.speed_kn or 0.0) < 0.5 else "under_way")


def reach_m(track: Track, time_us: int, _speed_kn: float | None) -> float:
    """How far a train may be from its last fix: 2 km + 400 km/h x dt."""
    return SLACK_M + JUMP_KN * KN_MPS * (time_us - track.time_us) / SECOND_US


def fit(track: Track, fix: Track) -> Fit:
    """How a fix continues a track: within `reach_m` of it."""
    seconds = (fix.time_us - track.time_us) / SECOND_US
    limit_m = reach_m(track, fix.time_us, fix.speed_kn)
    distance_m = near_distance_m(track.lat_deg, track.lon_deg, fix.lat_deg, fix.lon_deg, limit_m)
    return Fit(distance_m <= limit_m, distance_m, distance_m, limit_m, distance_m / max(seconds, 1.0) / KN_MPS)


def phase(seen: Seen) -> int:
    """0 standing, 1 running or of unknown speed."""
    return int(seen.speed_kn is None or seen.speed_kn >= 0.5)


def features(_seen: Seen, speed_kn: float) -> tuple[float, ...]:
    """Operating point: constant, speed in 100 kn, its square (drag)."""
    s = speed_kn / 100.0
    return (1.0, s, s * s)


def speed_features(_seen: Seen) -> tuple[float, ...]:
    """What a running train's speed is judged by: nothing but itself."""
    return (1.0,)


def cell(seen: Seen, speed_kn: float) -> int:
    """Phase and speed in steps of 10 kn, as one number."""
    return phase(seen) * 64 + min(int(speed_kn / 10.0), 63)


TRAITS = Traits(
    name=NAME,
    observe=observe,
    silence=silence,
    fit=fit,
    reach_m=reach_m,
    phase=phase,
    features=features,
    speed_features=speed_features,
    cell=cell,
    settle_us=MINUTE_US,
    settle_speed_kn=20.0,
    moving_kn=1.0,
    speed_floor_kn=10.0,
    dark_warning_us=0,
    ask_every_us=HOUR_US,
    ask_until_us=72 * HOUR_US,
    reach_kn=190.0,  # chosen, as `presence.trainset_speed_kn`
)
