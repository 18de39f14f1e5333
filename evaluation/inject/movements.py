"""What ships do that their owners want to hear of: lie still far out, drift, stop dead, meet, load at sea, go slow."""

from __future__ import annotations

from math import pi, sin
from random import Random

from evaluation.inject.passages import START_MS, Ship, passage, ship, static_report
from evaluation.inject.passages import reading as sailing
from evaluation.inject.positions import onset
from evaluation.inject.sphere import KN_MPS, ahead, bearing_deg, distance_m
from evaluation.inject.track import HOUR_MS, MINUTE_MS, Fault, Row, Track, asset_of, first_at, merged

SLOWING_MS = 12 * MINUTE_MS


def pause(
    rng: Random, track: Track, from_ms: int, hours: float, speed_kn: float, every_ms: int = 60_000, across: bool = False
) -> tuple[Track, Track, int]:
    """A stretch of slow going put into a track after twelve minutes of slowing down, and the rest moved and delayed to follow it.

    `across`: the bow points across the way she makes. Returns (before and pause, after, when the pause ends).
    """
    first = first_at(track, from_ms)
    at = track[first]
    from_kn = at.get("sog_kn") or 0.0
    lat, lon, course = at["lat_deg"], at["lon_deg"], at.get("cog_deg") or rng.uniform(0, 360)
    pausing_ms, time_ms = at["time"] + SLOWING_MS, at["time"]
    until_ms = pausing_ms + int(hours * HOUR_MS)
    paused: Track = []
    phase = rng.uniform(0, 2 * pi)
    while time_ms + every_ms < until_ms:
        time_ms += every_ms
        left = max(0.0, (pausing_ms - time_ms) / SLOWING_MS)
        course += rng.gauss(0, 1.0)
        swing = speed_kn * (1 + 0.2 * sin(2 * pi * time_ms / HOUR_MS + phase))
        speed = max(0.02, from_kn * left + swing * (1 - left))
        lat, lon = ahead(lat, lon, course % 360, speed * KN_MPS * every_ms / 1000)
        heading = course + (90 * (1 - left) if left < 0.5 else 0) + rng.gauss(0, 3) if across else course
        said: Row = {"time": time_ms, "lat_deg": round(lat, 6), "lon_deg": round(lon, 6), "sog_kn": round(speed, 1)}
        said |= {"cog_deg": round(course % 360, 1) % 360, "heading_deg": round(heading % 360) % 360}
        paused.append({name: value for name, value in at.items() if name != "channels"} | said)
    start = (at["lat_deg"], at["lon_deg"])
    bearing, run_m = bearing_deg(start, (lat, lon)), distance_m(start, (lat, lon))
    after: Track = []
    for row in track[first + 1 :]:
        moved = row | {"time": row["time"] + until_ms - at["time"]}
        if row.get("lat_deg") is not None:
            to_lat, to_lon = ahead(row["lat_deg"], row["lon_deg"], bearing, run_m)
            moved |= {"lat_deg": round(to_lat, 6), "lon_deg": round(to_lon, 6)}
        after.append(moved)
    return track[: first + 1] + paused, after, until_ms


def _statics(track: Track, from_ms: int, until_ms: int) -> Track:
    """The last static report before an instant, again every hour until another."""
    last = next((row for row in reversed(track) if row.get("stream") == "static" and row["time"] <= from_ms), None)
    if last is None:
        return []
    return [last | {"time": time_ms} for time_ms in range(from_ms + HOUR_MS, until_ms, HOUR_MS)]


def loitering(rng: Random, track: Track) -> Fault:
    """Seven hours at a knot, far from land, then on."""
    from_ms = onset(rng, track, 2 * HOUR_MS, HOUR_MS)
    before, after, until_ms = pause(rng, track, from_ms, 7.0, rng.uniform(0.4, 1.2))
    whole = merged(before, _statics(track, from_ms, until_ms), after)
    return Fault(whole, asset_of(track[0]), until_ms - 7 * HOUR_MS, until_ms)


def drifting(rng: Random, track: Track) -> Fault:
    """Two hours of two knots sideways."""
    from_ms = onset(rng, track, HOUR_MS, HOUR_MS)
    before, after, until_ms = pause(rng, track, from_ms, 2.0, rng.uniform(1.6, 3.0), across=True)
    whole = merged(before, _statics(track, from_ms, until_ms), after)
    return Fault(whole, asset_of(track[0]), until_ms - 2 * HOUR_MS, until_ms)


def sudden_stop(rng: Random, track: Track) -> Fault:
    """From full speed to nothing in ten seconds, and there for an hour, with a reading every ten seconds at first."""
    from_ms = onset(rng, track, HOUR_MS, HOUR_MS)
    fast = [row for row in track if row["time"] >= track[0]["time"] + HOUR_MS and (row.get("sog_kn") or 0) > 7.4]
    if not fast:
        raise ValueError("she is never fast enough to stop suddenly")
    at = min(fast, key=lambda row: abs(row["time"] - from_ms))
    first = track.index(at)
    from_ms = at["time"]
    approach = []
    for seconds in (20, 10):
        lat, lon = ahead(at["lat_deg"], at["lon_deg"], (at["cog_deg"] + 180) % 360, at["sog_kn"] * KN_MPS * seconds)
        approach.append(at | {"time": from_ms - seconds * 1000, "lat_deg": round(lat, 6), "lon_deg": round(lon, 6)})
    before = [row for row in track[:first] if row["time"] < from_ms - 20_000] + approach + [at]
    lat, lon = ahead(at["lat_deg"], at["lon_deg"], at["cog_deg"], 40.0)
    lying = [
        at
        | {
            "time": from_ms + seconds * 1000,
            "lat_deg": round(lat + rng.gauss(0, 2e-5), 6),
            "lon_deg": round(lon + rng.gauss(0, 2e-5), 6),
            "sog_kn": round(abs(rng.gauss(0, 0.15)), 1),
        }
        for seconds in (*range(10, 600, 10), *range(600, 3600, 60))
    ]
    for row in lying:
        row.pop("channels", None)
    return Fault(merged(before, lying, _statics(track, from_ms, from_ms + HOUR_MS)), asset_of(at), from_ms, from_ms + HOUR_MS)


def encounter(rng: Random, track: Track) -> Fault:
    """Another ship comes alongside, two to three hundred metres off, and stays for four hours at less than a knot and a half."""
    from_ms = onset(rng, track, 2 * HOUR_MS, HOUR_MS)
    before, after, until_ms = pause(rng, track, from_ms, 4.0, rng.uniform(0.3, 1.0))
    from_ms = until_ms - 4 * HOUR_MS
    other = ship(rng, rng.randrange(5_000, 9_000))
    beside = rng.uniform(0, 360)
    lying = [row for row in before if row["time"] > from_ms and row.get("stream") != "static"]
    course = rng.uniform(0, 360)
    partner: Track = [static_report(other, from_ms - 2 * HOUR_MS)]
    for minutes in range(-120, 0, 2):
        at = ahead(lying[0]["lat_deg"], lying[0]["lon_deg"], course, -minutes * 60 * 9 * KN_MPS + 250)
        partner.append(_said(other, lying[0], from_ms + minutes * MINUTE_MS, at, 9.0, (course + 180) % 360))
    for row in lying[::2]:
        at = ahead(row["lat_deg"], row["lon_deg"], beside, rng.uniform(200, 300))
        partner.append(_said(other, row, row["time"] + 7_000, at, row["sog_kn"], row["cog_deg"]))
    for minutes in range(2, 120, 2):
        at = ahead(lying[-1]["lat_deg"], lying[-1]["lon_deg"], course, minutes * 60 * 9 * KN_MPS + 250)
        partner.append(_said(other, lying[-1], until_ms + minutes * MINUTE_MS, at, 9.0, course))
    partner += [static_report(other, time_ms) for time_ms in range(from_ms, until_ms, HOUR_MS)]
    whole = merged(before, _statics(track, from_ms, until_ms), after, partner)
    return Fault(whole, asset_of(track[0]), from_ms, until_ms)


def _said(who: Ship, like: Row, time_ms: int, at: tuple[float, float], speed_kn: float, course: float) -> Row:
    row: Row = {"class": "vessel", "scheme": "mmsi", "value": who.mmsi, "time": time_ms, "source": like["source"]}
    row |= {"lat_deg": round(at[0], 6), "lon_deg": round(at[1], 6), "sog_kn": round(speed_kn, 1), "nav_status": 0}
    return row | {"cog_deg": round(course, 1) % 360, "heading_deg": round(course) % 360, "draught_m": who.draught_m}


def draught_change_at_sea(rng: Random, track: Track) -> Fault:
    """Two to four metres deeper or lighter from one static report to the next, on the high sea."""
    from_ms = onset(rng, track, 4 * HOUR_MS, 5 * HOUR_MS)
    return Fault(_deeper(rng, track, from_ms), asset_of(track[0]), from_ms, from_ms + 5 * HOUR_MS)


def draught_change_across_a_gap(rng: Random, track: Track) -> Fault:
    """Nine hours of silence, and another draught after it."""
    from_ms = onset(rng, track, 4 * HOUR_MS, 14 * HOUR_MS)
    until_ms = from_ms + 9 * HOUR_MS
    heard = [row for row in track if not from_ms <= row["time"] < until_ms]
    return Fault(_deeper(rng, heard, until_ms), asset_of(track[0]), until_ms, until_ms + 5 * HOUR_MS)


def _deeper(rng: Random, track: Track, from_ms: int) -> Track:
    before = next(row["draught_m"] for row in track if row.get("draught_m"))
    by_m = rng.uniform(2, 4) * (1 if before < 9 else rng.choice((1, -1)))
    told = round(before + by_m, 1)
    return [row | {"draught_m": told} if row["time"] >= from_ms and row.get("draught_m") else row for row in track]


def slow_steaming(rng: Random, number: int) -> Fault:
    """Three hours at little more than half of the speed that she kept for a day."""
    who = ship(rng, number)
    first = passage(rng, who, 20.0, steady=True)
    last = first[-1] if first[-1].get("stream") != "static" else first[-2]
    slow = who._replace(service_kn=who.service_kn * rng.uniform(0.5, 0.6))
    second = passage(rng, slow, 4.0, steady=True, start=(last["lat_deg"], last["lon_deg"]), start_ms=last["time"])
    return Fault(merged(first, second), asset_of(last), last["time"], second[-1]["time"])


def off_her_lane(rng: Random, number: int) -> Fault:
    """A ship that plies between two places eighty miles apart goes twenty miles beside her way on the eleventh voyage."""
    who = ship(rng, number)
    here = (rng.uniform(30, 40), rng.uniform(-40, -30))
    course = rng.uniform(0, 360)
    track: Track = [static_report(who, START_MS)]
    time_ms = START_MS
    for voyage in range(11):
        aside_m = 20 * 1852.0 if voyage == 10 else 0.0
        if voyage == 10:
            from_ms = time_ms
        for step in range(125):
            time_ms += 3 * MINUTE_MS
            run_m = (step if voyage % 2 == 0 else 124 - step) * 80 * 1852.0 / 124
            beside_m = aside_m * sin(pi * step / 124) + rng.gauss(0, 300)
            at = ahead(*ahead(*here, course, run_m), course + 90, beside_m)
            track.append(sailing(who, time_ms, *at, 12.9, course + 180 * (voyage % 2), rng))
        heading = course + 180 * (voyage % 2)
        for speed_kn in (10.0, 7.0, 4.0, 2.0, *[0.0] * 60):
            time_ms += 3 * MINUTE_MS
            at = ahead(*at, heading, speed_kn * KN_MPS * 180)
            track.append(sailing(who, time_ms, *at, speed_kn, heading, rng))
    return Fault(track, asset_of(track[0]), from_ms, from_ms + 375 * MINUTE_MS)


def another_identity(rng: Random, track: Track) -> Fault:
    """From one static report to the next she has another name and call sign, and keeps them."""
    said = [row for row in track if row.get("stream") == "static"]
    first = said[rng.randrange(2, len(said) - 2)]
    told = {"name": "OTHER LADY", "call_sign": "9ZZ9"}
    out = [row | told if row.get("stream") == "static" and row["time"] >= first["time"] else row for row in track]
    return Fault(out, asset_of(first), first["time"], track[-1]["time"])
