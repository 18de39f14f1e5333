"""Positions that are not where the asset is: leaps, two hulls on one identity, circles, stillness, land, a past track again.

Each takes one asset's track and leaves everything before the fault, and after it, as it was.
"""

from __future__ import annotations

from math import pi
from random import Random

from evaluation.inject.sphere import KN_MPS, NM_M, ahead, bearing_deg
from evaluation.inject.track import HOUR_MS, MINUTE_MS, Fault, Row, Track, asset_of, first_at, merged

INLAND = ((48.4, 2.6), (51.2, 11.0), (53.5, 32.0), (40.0, -4.5), (46.9, 19.3), (39.0, -98.0), (-23.0, 134.0), (55.0, 45.0))
"""Places a hundred kilometres and more from the sea."""


def onset(rng: Random, track: Track, before_ms: int, after_ms: int) -> int:
    """An instant with so much of the track before it and after it. Raises ValueError where the track is too short."""
    first, last = track[0]["time"] + before_ms, track[-1]["time"] - after_ms
    if last < first:
        raise ValueError(f"a track of {(track[-1]['time'] - track[0]['time']) / HOUR_MS:.1f} h is too short")
    return rng.randint(first, last)


def _moved(row: Row, bearing: float, run_m: float) -> Row:
    lat, lon = ahead(row["lat_deg"], row["lon_deg"], bearing, run_m)
    return row | {"lat_deg": round(lat, 6), "lon_deg": round(lon, 6)}


def _shifted(track: Track, from_ms: int, until_ms: int, bearing: float, run_m: float) -> Track:
    return [
        _moved(row, bearing, run_m) if from_ms <= row["time"] < until_ms and row.get("lat_deg") is not None else row
        for row in track
    ]


def teleport_and_return(rng: Random, track: Track) -> Fault:
    """Five minutes somewhere else, sixty to a hundred and fifty miles off, and back."""
    from_ms = onset(rng, track, 25 * MINUTE_MS, 25 * MINUTE_MS)
    from_ms, until_ms = _covering(track, from_ms, 5 * MINUTE_MS, 2)
    return Fault(
        _shifted(track, from_ms, until_ms, rng.uniform(0, 360), rng.uniform(60, 150) * NM_M),
        asset_of(track[0]),
        from_ms,
        until_ms,
    )


def _covering(track: Track, from_ms: int, span_ms: int, readings: int) -> tuple[int, int]:
    """A span that begins at a reading and holds at least so many of them."""
    first = min(first_at(track, from_ms), len(track) - readings - 1)
    from_ms = track[first]["time"]
    return from_ms, max(from_ms + span_ms, track[first + readings]["time"])


def teleport_for_good(rng: Random, track: Track) -> Fault:
    """Fifty minutes somewhere else: after ten of them nobody may think of a slip."""
    from_ms, until_ms = _covering(track, onset(rng, track, 20 * MINUTE_MS, 52 * MINUTE_MS), 50 * MINUTE_MS, 5)
    return Fault(
        _shifted(track, from_ms, until_ms, rng.uniform(0, 360), rng.uniform(60, 150) * NM_M),
        asset_of(track[0]),
        from_ms,
        until_ms,
    )


def two_hulls(rng: Random, track: Track) -> Fault:
    """A second ship under the same number, forty to two hundred miles off on her own course, heard in turns with the first."""
    from_ms = onset(rng, track, 15 * MINUTE_MS, 45 * MINUTE_MS)
    until_ms = min(track[-1]["time"], from_ms + 3 * HOUR_MS)
    first = track[first_at(track, from_ms)]
    lat, lon = ahead(first["lat_deg"], first["lon_deg"], rng.uniform(0, 360), rng.uniform(40, 200) * NM_M)
    course, speed_kn = rng.uniform(0, 360), rng.uniform(9, 14)
    other: Track = []
    time_ms = from_ms + 20_000
    while time_ms < until_ms:
        at = ahead(lat, lon, course, speed_kn * KN_MPS * (time_ms - from_ms) / 1000)
        row = {name: value for name, value in first.items() if name != "channels"}
        other.append(
            row
            | {
                "time": time_ms,
                "lat_deg": round(at[0], 6),
                "lon_deg": round(at[1], 6),
                "sog_kn": round(speed_kn, 1),
                "cog_deg": round(course, 1) % 360,
                "heading_deg": round(course) % 360,
            }
        )
        time_ms += int(rng.uniform(50, 80) * 1000)
    return Fault(merged(track, other), asset_of(first), from_ms, until_ms)


def circles(rng: Random, track: Track) -> Fault:
    """An hour and a half of circles of half a mile to a mile about a point eighty miles off and more, 20 to 30 minutes each."""
    from_ms = onset(rng, track, 25 * MINUTE_MS, 92 * MINUTE_MS)
    until_ms = from_ms + 90 * MINUTE_MS
    first = track[first_at(track, from_ms)]
    centre = ahead(first["lat_deg"], first["lon_deg"], rng.uniform(0, 360), rng.uniform(80, 300) * NM_M)
    radius_m = rng.uniform(0.5, 1.0) * NM_M
    turn_ms = rng.uniform(20, 30) * MINUTE_MS
    turning = rng.choice((1, -1))
    speed_kn = 2 * pi * radius_m / (turn_ms / 1000) / KN_MPS
    out: Track = []
    for row in track:
        if not from_ms <= row["time"] < until_ms or row.get("lat_deg") is None:
            out.append(row)
            continue
        angle = turning * (row["time"] - from_ms) / turn_ms * 360
        lat, lon = ahead(*centre, angle % 360, radius_m * (1 + rng.gauss(0, 0.01)))
        course = (angle + 90 * turning) % 360
        out.append(row | _motion(row, lat, lon, speed_kn, course))
    return Fault(out, asset_of(first), first["time"], until_ms)


def _motion(row: Row, lat: float, lon: float, speed_kn: float, course: float) -> Row:
    told: Row = {"lat_deg": round(lat, 6), "lon_deg": round(lon, 6)}
    if "sog_kn" in row:
        told["sog_kn"] = round(speed_kn, 1)
    if "cog_deg" in row:
        told["cog_deg"] = round(course, 1) % 360
    if "heading_deg" in row:
        told["heading_deg"] = round(course) % 360
    return told


def frozen(rng: Random, track: Track) -> Fault:
    """An hour and a half at the very same coordinates, under way all the time by her own speed."""
    from_ms = onset(rng, track, 25 * MINUTE_MS, 92 * MINUTE_MS)
    until_ms = from_ms + 90 * MINUTE_MS
    at = track[first_at(track, from_ms)]
    still = {"lat_deg": at["lat_deg"], "lon_deg": at["lon_deg"]}
    out = [row | still if from_ms <= row["time"] < until_ms and row.get("lat_deg") is not None else row for row in track]
    return Fault(out, asset_of(at), at["time"], until_ms)


def on_land(rng: Random, track: Track) -> Fault:
    """An hour of sailing a hundred kilometres from any sea."""
    from_ms, until_ms = _covering(track, onset(rng, track, 25 * MINUTE_MS, 62 * MINUTE_MS), 60 * MINUTE_MS, 6)
    at = track[first_at(track, from_ms)]
    place = rng.choice(INLAND)
    out: Track = []
    for row in track:
        if not from_ms <= row["time"] < until_ms or row.get("lat_deg") is None:
            out.append(row)
            continue
        here, there = (at["lat_deg"], at["lon_deg"]), (row["lat_deg"], row["lon_deg"])
        run_m = 6.0 * KN_MPS * (row["time"] - from_ms) / 1000
        lat, lon = ahead(*place, bearing_deg(here, there) if here != there else 0.0, run_m)
        out.append(row | {"lat_deg": round(lat, 6), "lon_deg": round(lon, 6)})
    return Fault(out, asset_of(at), at["time"], until_ms)


def repeated(rng: Random, track: Track) -> Fault:
    """The last hour or two once more, coordinate by coordinate, as though they were new."""
    span_ms = min(2 * HOUR_MS, int(0.45 * (track[-1]["time"] - track[0]["time"] - 25 * MINUTE_MS)))
    from_ms = onset(rng, track, span_ms + 25 * MINUTE_MS, span_ms)
    until_ms = from_ms + span_ms
    before = [row for row in track if from_ms - span_ms <= row["time"] < from_ms]
    again = [row | {"time": row["time"] + span_ms} for row in before]
    rest = [row for row in track if not from_ms <= row["time"] < until_ms]
    return Fault(merged(rest, again), asset_of(track[0]), from_ms, until_ms)
