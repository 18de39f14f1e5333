"""Ships as the rules see them: when silence is a gap, when a position is a jump, what an operating point is."""

from __future__ import annotations

from math import hypot

from detect.plane import dead_reckoned_error_m, near_distance_m
from detect.state import Seen, Track
from detect.traits import Fit, Silence, Traits
from fleet.geodesy import KN_MPS
from fleet.instants import HOUR_US, MINUTE_US, SECOND_US
from fleet.operating_state import ANCHORED, DRYDOCK, MOORED
from fleet.vessel import NAME, VesselReading
from fleet.vessel_use import VesselUse

AT_SEA_US = 6 * HOUR_US  # design 4.6; detection.md S1 (pipe-gaps min_gap_length)
HEARD_US = 1 * HOUR_US  # design 4.6: where at least three neighbours were heard
PARKED_US = 24 * HOUR_US  # design 4.6: moored or at anchor by nav status
JUMP_KN = 25.0  # detection.md S2: gpsdio-segment max_knots
BUFFER_S = 900.0  # detection.md S2: gpsdio-segment buffer_hours, 0.25 h
UNSAID_KN = 40.0  # detection.md S2b: the fastest that a high-speed craft is taken to be
GUST = 1.25  # chosen: what a speed may rise between two reports
SPEED_MAX_KN = 60.0  # chosen: no ship in service is faster, and a wrong SOG must not excuse a jump
RECKONING_MAX_H = 8.0  # detection.md S2: gpsdio-segment max_hours; beyond it a course says nothing


def observe(before: Seen | None, reading: VesselReading) -> Seen:
    """The motion known after a reading; what the reading does not say stays as last reported."""
    sog_kn, cog_deg, nav_status, draught_m = reading.sog_kn, reading.cog_deg, reading.nav_status, reading.draught_m
    lat_deg, lon_deg, fix_us = reading.lat_deg, reading.lon_deg, reading.time_us
    if before is not None:
        if lat_deg is None or lon_deg is None:
            lat_deg, lon_deg, fix_us = before.lat_deg, before.lon_deg, before.fix_time_us or 0
        sog_kn = before.speed_kn if sog_kn is None else sog_kn
        cog_deg = before.course_deg if cog_deg is None else cog_deg
        nav_status = before.nav_status if nav_status is None else nav_status
        draught_m = before.draught_m if draught_m is None else draught_m
    return Seen(
        time_us=reading.time_us,
        name=reading.name,
        fix_time_us=None if lat_deg is None else fix_us,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        speed_kn=sog_kn,
        course_deg=cog_deg,
        nav_status=nav_status,
        draught_m=draught_m,
    )


LYING = {MOORED: 0.5, DRYDOCK: 0.5, ANCHORED: 1.0}
"""States by polygon in which silence means little, and the speed (kn) below which they are still believed (domain.md 2.3)."""


SEA_SILENCE = Silence(AT_SEA_US, HEARD_US, "at_sea")
MOORED_SILENCE = Silence(PARKED_US, None, "moored", parked=True)
ANCHORED_SILENCE = Silence(PARKED_US, None, "anchored", parked=True)


def silence(seen: Seen, use: VesselUse | None = None) -> Silence:
    """Design 4.6: 24 h moored (nav 5, SOG < 0.5) or at anchor (nav 1, SOG < 1; domain.md 2.3), else 6 h, 1 h with others heard.

    By polygon she is moored or at anchor where her use says so. Low speed alone is no context.
    """
    if seen.speed_kn is not None:
        lies = None if use is None else LYING.get(use.line.state)
        if use is not None and lies is not None and seen.speed_kn < lies:
            return Silence(PARKED_US, None, use.line.state, parked=True)
        if seen.nav_status == 5 and seen.speed_kn < 0.5:
            return MOORED_SILENCE
        if seen.nav_status == 1 and seen.speed_kn < 1.0:
            return ANCHORED_SILENCE
    return SEA_SILENCE


def reach_m(track: Track, time_us: int, speed_kn: float | None) -> float:
    """How far a ship may be from her last fix: detection.md S2, hypot(25 kn x dt, 25 kn x 0.25 h).

    Instead of the 25 kn a quarter more than the greatest speed that she says, at most 60 kn, where that is more, and 40 kn where
    nobody says any (S2b: high-speed craft).
    """
    said_kn = track.speed_kn
    if said_kn is None or (speed_kn is not None and speed_kn > said_kn):
        said_kn = speed_kn
    kn = UNSAID_KN if said_kn is None else min(max(JUMP_KN, GUST * said_kn), SPEED_MAX_KN)
    return KN_MPS * hypot(kn * (time_us - track.time_us) / SECOND_US, JUMP_KN * BUFFER_S)


def fit(track: Track, fix: Track) -> Fit:
    """How a fix continues a track: detection.md S2, gpsdio-segment's discrepancy test.

    The discrepancy is the mean of the forward and the backward dead-reckoning error, at most four times the distance. A fix is
    off the track when both discrepancy and plain distance exceed `reach_m`. (gpsdio-segment forgives along-track errors too; a
    jump ahead on the own course is a jump here.)
    """
    dt_h = (fix.time_us - track.time_us) / HOUR_US
    limit_m = reach_m(track, fix.time_us, fix.speed_kn)
    distance_m = near_distance_m(track.lat_deg, track.lon_deg, fix.lat_deg, fix.lon_deg, limit_m)
    off_m = distance_m
    if distance_m > 1.0 and dt_h <= RECKONING_MAX_H:
        forward_m = dead_reckoned_error_m(track, fix, track.speed_kn, track.course_deg, 1.0)
        backward_m = dead_reckoned_error_m(fix, track, fix.speed_kn, fix.course_deg, -1.0)
        off_m = min((forward_m + backward_m) / 2.0, 4.0 * distance_m)
    seconds = max((fix.time_us - track.time_us) / SECOND_US, 1.0)
    worst_m = min(off_m, distance_m)
    return Fit(worst_m <= limit_m, off_m, distance_m, limit_m, distance_m / seconds / KN_MPS)


def phase(seen: Seen) -> int:
    """0 stopped, 1 under way or of unknown speed. Chosen: 1 kn, the anchored limit of domain.md 2.3."""
    return int(seen.speed_kn is None or seen.speed_kn >= 1.0)


def features(seen: Seen, speed_kn: float) -> tuple[float, ...]:
    """Operating point: constant, speed in 20 kn, its cube (power goes with the cube), draught in 10 m."""
    s = speed_kn / 20.0
    return (1.0, s, s * s * s, (seen.draught_m or 0.0) / 10.0)


def speed_features(seen: Seen) -> tuple[float, ...]:
    """What a ship's speed under way is judged by: constant, draught in 10 m."""
    return (1.0, (seen.draught_m or 0.0) / 10.0)


def cell(seen: Seen, speed_kn: float) -> int:
    """Speed in steps of 2 kn and draught in steps of 2 m, as one number. Chosen: a step changes power by a third at 14 kn."""
    return int(speed_kn / 2.0) * 16 + int((seen.draught_m or 0.0) / 2.0)


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
    settle_us=5 * MINUTE_US,  # chosen: exhaust temperatures follow a change of load within minutes
    settle_speed_kn=1.5,  # chosen: about a tenth of a cruising speed
    moving_kn=0.5,  # domain.md 2.3: a stop ends at 0.5 kn
    speed_floor_kn=0.5,  # chosen: current and sea make this much by themselves
    dark_warning_us=0,  # design 4.6: a dark ship is a warning at once
    ask_every_us=HOUR_US,
    ask_until_us=72 * HOUR_US,  # chosen: the re-derivation horizon of design 5.7
    reach_kn=25.0,  # detection.md S2, as `presence.vessel_speed_kn`
)
