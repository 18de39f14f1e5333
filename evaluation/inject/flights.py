"""Flights made from nothing: take-off, climb, cruise, descent and landing between two real airports."""

from __future__ import annotations

from math import degrees
from random import Random
from typing import NamedTuple

from evaluation.inject.engines import aircraft_channels
from evaluation.inject.sphere import KN_MPS, NM_M, ahead, bearing_deg, distance_m
from evaluation.inject.track import Row, Track

START_MS = 1_772_323_200_000  # 2026-03-01T00:00:00Z
AIRPORTS: dict[str, tuple[float, float, float]] = {
    "EGLL": (51.4706, -0.4619, 83),
    "LFPG": (49.0128, 2.55, 392),
    "EDDF": (50.0264, 8.5431, 364),
    "LEMD": (40.4719, -3.5626, 1998),
    "LIRF": (41.8045, 12.2508, 13),
    "EHAM": (52.3086, 4.7639, -11),
    "ESSA": (59.6519, 17.9186, 137),
    "LSZH": (47.4647, 8.5492, 1416),
    "LFBO": (43.6291, 1.3638, 499),
    "LFML": (43.4393, 5.2214, 74),
    "EKCH": (55.6179, 12.656, 17),
    "LOWW": (48.1103, 16.5697, 600),
}
"""Latitude, longitude and elevation in feet, as published; the runway is taken to point along the flight."""
CLIMB_FPM = 2000.0
PATH_FT_NM = 318.0  # three degrees
CRUISE_KN, LIFT_OFF_KN, TOUCH_KN = 440.0, 150.0, 135.0


class Plane(NamedTuple):
    """Who flies."""

    icao24: str
    callsign: str


def plane(rng: Random, number: int) -> Plane:
    """An aircraft under a made-up address."""
    return Plane(f"{0x3C0000 + number * 97 % 0x3FFFF:06x}", f"TST{rng.randrange(100, 999)}")


def reading(
    who: Plane, time_ms: int, place: tuple[float, float], alt_ft: float, gs_kn: float, track_deg: float, rate_fpm: float
) -> Row:
    """One reading of an aircraft with good position quality."""
    return {
        "class": "aircraft",
        "scheme": "icao24",
        "value": who.icao24,
        "time": time_ms,
        "source": "adsb",
        "lat_deg": round(place[0], 6),
        "lon_deg": round(place[1], 6),
        "gs_kn": round(gs_kn, 1),
        "track_deg": round(track_deg % 360, 1) % 360,
        "alt_baro_ft": float(round(alt_ft / 25) * 25),
        "vertical_rate_fpm": float(round(rate_fpm / 64) * 64),
        "on_ground": False,
        "squawk": "2000",
        "callsign": who.callsign,
        "nic": 8,
        "nac_p": 9,
        "sil": 3,
    }


def flight(
    rng: Random,
    who: Plane,
    origin: str,
    destination: str,
    *,
    every_s: int = 10,
    start_ms: int = START_MS,
    cruise_ft: float = 36_000.0,
    channels: bool = False,
    wear: float = 0.0,
    to: str | None = None,
) -> Track:
    """A whole flight on the great circle, ten minutes on the ground at either end.

    Args:
        rng: all chance comes from it.
        who: the aircraft.
        origin: where it takes off.
        destination: where it says that it goes.
        every_s: seconds between readings.
        start_ms: when the first reading is.
        cruise_ft: how high it goes, if it is far enough.
        channels: whether its engine reports.
        wear: of that engine.
        to: where it lands, if elsewhere than it said.
    """
    at, end = AIRPORTS[origin][:2], AIRPORTS[to or destination][:2]
    ground_ft, end_ft = AIRPORTS[origin][2], AIRPORTS[to or destination][2]
    course = bearing_deg(at, end)
    track: Track = [_static(who, start_ms, destination)]
    time_ms = _on_ground(rng, who, track, at, ground_ft, course, start_ms, every_s)
    alt_ft, gs_kn = ground_ft, LIFT_OFF_KN
    cruise = min(cruise_ft, 8000 + distance_m(at, end) / NM_M * 90)
    while (left_m := distance_m(at, end)) > 900:
        above_ft = alt_ft - end_ft
        going_down = left_m / NM_M <= above_ft / PATH_FT_NM
        aim_kn = _speed_at(above_ft if going_down else alt_ft - ground_ft, TOUCH_KN if going_down else LIFT_OFF_KN)
        gs_kn += max(-2.0, min(2.5, aim_kn + rng.gauss(0, 2) - gs_kn)) * every_s / 3
        ran_m = min(gs_kn * KN_MPS * every_s, left_m)
        rate = 0.0
        if going_down:
            rate = -above_ft / (left_m / (gs_kn * KN_MPS) / 60)
        elif alt_ft < cruise:
            rate = min(CLIMB_FPM, (cruise - alt_ft) * 60 / every_s)
        at = ahead(*at, bearing_deg(at, end), ran_m)
        alt_ft += rate * every_s / 60
        time_ms += every_s * 1000
        row = reading(who, time_ms, at, alt_ft, gs_kn, bearing_deg(at, end) if left_m > 2000 else course, rate)
        if channels:
            row["channels"] = aircraft_channels(rng, gs_kn, alt_ft, wear)
        track.append(row)
        course = row["track_deg"]
    _on_ground(rng, who, track, end, end_ft, course, time_ms, every_s)
    return track


def _speed_at(above_ft: float, low_kn: float) -> float:
    return min(CRUISE_KN, low_kn + above_ft * 0.0125)


def _static(who: Plane, time_ms: int, destination: str) -> Row:
    return {
        "class": "aircraft", "stream": "static", "scheme": "icao24", "value": who.icao24, "time": time_ms, "source": "adsb",
        "type": "A320", "destination": destination,
    }  # fmt: skip


def _on_ground(
    rng: Random, who: Plane, track: Track, at: tuple[float, float], alt_ft: float, course: float, time_ms: int, every_s: int
) -> int:
    """Ten minutes of taxiing within a few hundred metres; returns the instant of the last reading."""
    for step in range(600 // every_s):
        time_ms += every_s * 1000
        place = ahead(*at, course, 300.0 * (step / (600 / every_s) - 1))
        row = reading(who, time_ms, place, alt_ft, rng.uniform(2, 18), course, 0.0)
        row["on_ground"] = True
        track.append(row)
    return time_ms


def stay(last: Row, days: float, every_h: float = 6.0) -> Track:
    """An aircraft that stands where its last reading was, and is heard there now and then."""
    still = {name: value for name, value in last.items() if name not in {"channels", "squawk", "alt_geom_ft"}}
    still |= {"on_ground": True, "gs_kn": 0.0, "vertical_rate_fpm": 0.0}
    return [still | {"time": last["time"] + int(step * every_h * 3_600_000)} for step in range(1, int(days * 24 / every_h) + 1)]


def circling(rng: Random, who: Plane, middle: tuple[float, float], minutes: int, start_ms: int) -> Track:
    """An aircraft that works around a point at some height, 6 to 13 miles from a place within 12 miles of it."""
    centre = ahead(*middle, rng.uniform(0, 360), rng.uniform(0, 12) * 1852)
    radius_m, angle, alt_ft = rng.uniform(6, 13) * 1852, rng.uniform(0, 360), rng.uniform(20_000, 38_000)
    gs_kn = 300.0
    track: Track = []
    for step in range(minutes * 3):
        time_ms = start_ms + step * 20_000 + rng.randrange(5_000)
        turned = (angle + degrees((time_ms - start_ms) / 1000 * gs_kn * KN_MPS / radius_m)) % 360
        track.append(reading(who, time_ms, ahead(*centre, turned, radius_m), alt_ft, gs_kn, turned + 90, 0.0))
    return track
