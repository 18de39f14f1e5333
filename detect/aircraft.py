"""Aircraft as the rules see them: when silence is a gap, when a position is a jump, what an operating point is."""

from __future__ import annotations

from detect.plane import dead_reckoned_error_m, near_distance_m
from detect.state import Seen, Track
from detect.traits import Fit, Silence, Traits
from fleet.aircraft import NAME, AircraftReading
from fleet.geodesy import KN_MPS
from fleet.instants import HOUR_US, MINUTE_US, SECOND_US
from fleet.use import UseState

AIRBORNE_US = 10 * MINUTE_US  # design 4.6; detection.md A1
DARK_WARNING_US = 60 * MINUTE_US  # design 4.6; detection.md A1
RATE_OVER_US = 20 * SECOND_US  # chosen: a step of 100 ft over 20 s is 300 ft/min, below what tells climb from level
SILENT_RATE_US = 120 * SECOND_US  # chosen: a rate over more than two minutes is no rate
LANDING_FT = 5_000.0  # detection.md A6: a landing attempt goes below the field plus 5,000 ft
SLACK_M = 2_000.0  # detection.md A3: pyModeS adds 2 km; readsb's 30 m is for raw frames, not for rows of whole seconds
SLACK_S = 2.0  # chosen: readsb's 0.2 s, and a row's whole second, rounded either way
GAIN_KN_S = 3.0  # detection.md A3: 3 kn a second of age
SPEED_MAX_KN = 2_000.0  # detection.md A3
GUESS_AIR_KN = 900.0  # detection.md A3: no speed known, airborne
JET_KN = 600.0  # chosen: what an airliner makes with the wind; a ground speed is wrong more often than an aircraft is faster


def observe(before: Seen | None, reading: AircraftReading) -> Seen:
    """The motion known after a reading; what the reading does not say stays as last reported."""
    gs_kn, track_deg = reading.gs_kn, reading.track_deg
    alt_ft = reading.alt_baro_ft if reading.alt_baro_ft is not None else reading.alt_geom_ft
    rate_fpm = reading.vertical_rate_fpm
    lat_deg, lon_deg, fix_us = reading.lat_deg, reading.lon_deg, reading.time_us
    airborne = _airborne(reading.on_ground, gs_kn, alt_ft)
    if before is not None:
        if lat_deg is None or lon_deg is None:
            lat_deg, lon_deg, fix_us = before.lat_deg, before.lon_deg, before.fix_time_us or 0
        gs_kn = before.speed_kn if gs_kn is None else gs_kn
        track_deg = before.course_deg if track_deg is None else track_deg
        alt_ft = before.alt_ft if alt_ft is None else alt_ft
        airborne = before.airborne if airborne is None else airborne
    rate_from_us: int = reading.time_us
    rate_from_ft: float | None = alt_ft
    if rate_fpm is None and alt_ft is not None:
        rate_fpm, rate_from_us, rate_from_ft = _measured_rate(before, reading.time_us, alt_ft)
    return Seen(
        time_us=reading.time_us,
        name=reading.name,
        fix_time_us=None if lat_deg is None else fix_us,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        speed_kn=gs_kn,
        course_deg=track_deg,
        airborne=airborne,
        alt_ft=alt_ft,
        vertical_rate_fpm=rate_fpm,
        rate_from_us=rate_from_us,
        rate_from_ft=rate_from_ft,
    )


def _measured_rate(before: Seen | None, time_us: int, alt_ft: float) -> tuple[float | None, int, float]:
    """(feet a minute, from when, from what altitude) for a source that reports no vertical rate: over at least 20 s."""
    if before is None or before.rate_from_ft is None or time_us - before.rate_from_us > SILENT_RATE_US:
        return None, time_us, alt_ft
    elapsed_us = time_us - before.rate_from_us
    if elapsed_us < RATE_OVER_US:
        return before.vertical_rate_fpm, before.rate_from_us, before.rate_from_ft
    return (alt_ft - before.rate_from_ft) * 60.0 * SECOND_US / elapsed_us, time_us, alt_ft


def _airborne(on_ground: bool | None, gs_kn: float | None, alt_ft: float | None) -> bool | None:
    """One reading's word on it, domain.md 1.2 AC-DET-1: a flag against the speed is ignored; without a flag only clear cases."""
    if on_ground is True:
        return None if gs_kn is not None and gs_kn >= 180.0 else False
    if on_ground is False:
        return None if gs_kn is not None and gs_kn <= 50.0 and (alt_ft is None or alt_ft <= 300.0) else True
    if gs_kn is not None and gs_kn >= 100.0 and alt_ft is not None and alt_ft >= 1000.0:
        return True
    return False if gs_kn is not None and gs_kn <= 50.0 and alt_ft is not None and alt_ft <= 300.0 else None


LANDING_SILENCE = Silence(AIRBORNE_US, None, "landing")
AIRBORNE_SILENCE = Silence(AIRBORNE_US, None, "airborne")


def silence(seen: Seen, use: UseState | None = None) -> Silence | None:
    """Design 4.6: 10 min airborne, none on the ground (or while it is not known to fly).

    Last seen below 5,000 ft and not climbing it is probably landing, out of the receivers' sight.
    """
    del use
    if not seen.airborne:
        return None
    low = seen.alt_ft is not None and seen.alt_ft < LANDING_FT
    landing = low and (seen.vertical_rate_fpm or 0.0) <= 500.0
    return LANDING_SILENCE if landing else AIRBORNE_SILENCE


def reach_m(track: Track, time_us: int, speed_kn: float | None) -> float:
    """How far an aircraft may be from its last fix: detection.md A3, readsb's envelope with the slack of pyModeS.

    2 km + speed x (dt + 2 s), where speed is the greatest of the last two and the new ground speed plus 3 kn a second of age, at
    most 2,000 kn and at least 600 kn; without any speed 900 kn.
    """
    seconds = (time_us - track.time_us) / SECOND_US
    said_kn = track.speed_kn
    if said_kn is None or (speed_kn is not None and speed_kn > said_kn):
        said_kn = speed_kn
    before_kn = track.speed_before_kn
    if said_kn is None or (before_kn is not None and before_kn > said_kn):
        said_kn = before_kn
    kn = min(max((GUESS_AIR_KN if said_kn is None else said_kn) + GAIN_KN_S * seconds, JET_KN), SPEED_MAX_KN)
    return SLACK_M + kn * KN_MPS * (seconds + SLACK_S)


def fit(track: Track, fix: Track) -> Fit:
    """How a fix continues a track: within `reach_m` of it. Tracks are ranked by the dead-reckoning error."""
    seconds = (fix.time_us - track.time_us) / SECOND_US
    limit_m = reach_m(track, fix.time_us, fix.speed_kn)
    distance_m = near_distance_m(track.lat_deg, track.lon_deg, fix.lat_deg, fix.lon_deg, limit_m)
    off_m = dead_reckoned_error_m(track, fix, track.speed_kn, track.course_deg, 1.0)
    return Fit(distance_m <= limit_m, off_m, distance_m, limit_m, distance_m / max(seconds, 1.0) / KN_MPS)


def phase(seen: Seen) -> int:
    """0 on the ground, 1 level or not known, 2 climbing, 3 sinking. Chosen: 500 ft/min parts level flight from the rest."""
    if seen.airborne is False:
        return 0
    rate_fpm = seen.vertical_rate_fpm or 0.0
    return 2 if rate_fpm > 500.0 else 3 if rate_fpm < -500.0 else 1


def features(seen: Seen, speed_kn: float) -> tuple[float, ...]:
    """Operating point in cruise: constant, ground speed in 500 kn, altitude in 40,000 ft."""
    return (1.0, speed_kn / 500.0, (seen.alt_ft or 0.0) / 40_000.0)


def speed_features(seen: Seen) -> tuple[float, ...]:
    """What an aircraft's speed in cruise is judged by: constant, altitude in 40,000 ft."""
    return (1.0, (seen.alt_ft or 0.0) / 40_000.0)


def cell(seen: Seen, speed_kn: float) -> int:
    """Phase, altitude in steps of 10,000 ft and speed in steps of 100 kn, as one number."""
    return phase(seen) * 256 + max(int((seen.alt_ft or 0.0) / 10_000.0), 0) * 16 + min(int(speed_kn / 100.0), 15)


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
    settle_us=2 * MINUTE_US,  # chosen: an engine settles faster than its aircraft changes phase
    settle_speed_kn=100.0,  # chosen: within a phase the regression follows the speed
    moving_kn=30.0,  # domain.md 1.2: faster than this it is not taxiing slowly
    speed_floor_kn=20.0,  # chosen: wind alone changes ground speed by this much
    dark_warning_us=DARK_WARNING_US,
    ask_every_us=10 * MINUTE_US,
    ask_until_us=6 * HOUR_US,  # chosen: no aircraft that was in the air is still unheard and airborne much later
    reach_kn=600.0,  # chosen, as `presence.aircraft_speed_kn`
    reach_decides=False,  # chosen: an hour's reach is a continent, and every list of areas has something on it
)
