"""Ships at sea made from nothing: a course that bends now and then, a speed set every few hours, weather and noise on both."""

from __future__ import annotations

from math import cos, pi, sin
from random import Random
from typing import NamedTuple

from evaluation.inject.engines import ship_channels
from evaluation.inject.sphere import KN_MPS, ahead
from evaluation.inject.track import HOUR_MS, Row, Track

START_MS = 1_772_323_200_000  # 2026-03-01T00:00:00Z
SEAS = (
    (43.0, -32.0), (36.0, -45.0), (28.0, -38.0), (-12.0, -22.0), (-30.0, -10.0), (-25.0, 75.0), (-8.0, 80.0), (35.0, 165.0),
    (42.0, -160.0), (15.0, -140.0), (-20.0, -110.0), (5.0, -120.0),
)  # fmt: skip
"""Open water, hundreds of miles from any land, as (latitude, longitude)."""


class Ship(NamedTuple):
    """Who sails: number, size and how she is loaded."""

    mmsi: str
    imo: str
    name: str
    length_m: float
    draught_m: float
    service_kn: float


def ship(rng: Random, number: int) -> Ship:
    """A merchant ship of some size under a made-up number."""
    return Ship(
        mmsi=f"{rng.choice((219, 244, 311, 477, 538, 636))}{100_000 + number * 37 % 800_000:06d}",
        imo=_imo(9_100_000 // 10 + number * 13 % 40_000),
        name=f"TEST SHIP {number}",
        length_m=rng.choice((140.0, 180.0, 229.0, 300.0)),
        draught_m=round(rng.uniform(7.0, 14.0), 1),
        service_kn=rng.uniform(11.0, 15.0),
    )


def _imo(six: int) -> str:
    digits = f"{six:06d}"
    return digits + str(sum(int(digit) * weight for digit, weight in zip(digits, range(7, 1, -1), strict=True)) % 10)


def static_report(who: Ship, time_ms: int, **changed: object) -> Row:
    """What she says of herself."""
    said = {
        "class": "vessel",
        "stream": "static",
        "scheme": "mmsi",
        "value": who.mmsi,
        "time": time_ms,
        "source": "ais_terrestrial",
        "name": who.name,
        "call_sign": f"T{who.mmsi[-5:]}",
        "imo": who.imo,
        "type": "70",
        "length_m": who.length_m,
        "beam_m": 30.0,
        "draught_m": who.draught_m,
        "destination": "ROTTERDAM",
    }
    return said | changed


def passage(
    rng: Random,
    who: Ship,
    hours: float,
    *,
    every_s: int = 60,
    start: tuple[float, float] | None = None,
    start_ms: int = START_MS,
    steady: bool = False,
    channels: bool = False,
) -> Track:
    """A passage on open water with static reports every hour.

    Args:
        rng: all chance comes from it.
        who: the ship.
        hours: how long.
        every_s: seconds between readings, give or take a few.
        start: where; by default one of `SEAS`, anywhere within two degrees.
        start_ms: when.
        steady: one course and one speed all the way.
        channels: whether engine and sensors report.
    """
    lat, lon = start if start is not None else _somewhere(rng)
    course, ordered = rng.uniform(0, 360), who.service_kn
    track: Track = [static_report(who, start_ms)]
    time_ms, end_ms, speed, sway = start_ms, start_ms + int(hours * HOUR_MS), ordered, 0.0
    leg_ms = start_ms + int(rng.uniform(2, 4) * HOUR_MS)
    static_ms = start_ms + HOUR_MS
    phase = rng.uniform(0, 2 * pi)
    while time_ms < end_ms:
        step_s = every_s * rng.uniform(0.9, 1.1)
        time_ms += int(step_s * 1000)
        if time_ms >= leg_ms and not steady:
            leg_ms += int(rng.uniform(2, 4) * HOUR_MS)
            course = (course + rng.uniform(-15, 15)) % 360
            ordered = who.service_kn * rng.uniform(0.88, 1.06)
        swell = 0.25 * sin(2 * pi * time_ms / (5 * HOUR_MS) + phase)
        speed += (ordered + swell - speed) * min(1.0, step_s / 600) + rng.gauss(0, 0.03)
        sway = 0.9 * sway + rng.gauss(0, 0.3)
        lat, lon = ahead(lat, lon, course + sway, speed * KN_MPS * step_s)
        row = reading(who, time_ms, lat, lon, speed, course + sway, rng)
        if channels:
            row["channels"] = ship_channels(rng, speed, who.draught_m, time_ms)
        track.append(row)
        if time_ms >= static_ms:
            track.append(static_report(who, time_ms + 1))
            static_ms += HOUR_MS
    return track


def _somewhere(rng: Random) -> tuple[float, float]:
    lat, lon = rng.choice(SEAS)
    return lat + rng.uniform(-2, 2), lon + rng.uniform(-2, 2)


def reading(who: Ship, time_ms: int, lat: float, lon: float, speed_kn: float, course_deg: float, rng: Random) -> Row:
    """One reading of a ship under way, with the noise of a good receiver."""
    north, east = rng.gauss(0, 5e-5), rng.gauss(0, 5e-5) / max(0.2, cos(lat * pi / 180))
    return {
        "class": "vessel",
        "scheme": "mmsi",
        "value": who.mmsi,
        "time": time_ms,
        "source": "ais_terrestrial",
        "lat_deg": round(lat + north, 6),
        "lon_deg": round(lon + east, 6),
        "sog_kn": round(max(0.0, speed_kn + rng.gauss(0, 0.05)), 1),
        "cog_deg": round((course_deg + rng.gauss(0, 0.5)) % 360, 1) % 360,
        "heading_deg": round((course_deg + rng.gauss(0, 0.7)) % 360) % 360,
        "nav_status": 0,
        "draught_m": who.draught_m,
    }
