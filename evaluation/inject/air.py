"""What aircraft do: emergency codes, falls, holds, go-arounds, another airport than filed, long stays; a region without GNSS."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from evaluation.inject.flights import AIRPORTS, circling, flight, plane, stay
from evaluation.inject.positions import onset
from evaluation.inject.sphere import KN_MPS, ahead, bearing_deg, distance_m
from evaluation.inject.track import DAY_MS, MINUTE_MS, Fault, Row, Track, asset_of, merged, readings_of

TURN_DEG_S = 3.0  # a standard rate turn


def squawk(rng: Random, track: Track, code: str) -> Fault:
    """An emergency code for two to ten minutes of flight."""
    own = _airborne(track)
    from_ms = onset(rng, own, MINUTE_MS, 3 * MINUTE_MS)
    until_ms = from_ms + rng.randint(2, 10) * MINUTE_MS
    out = [
        row | {"squawk": code} if from_ms <= row["time"] < until_ms and row.get("stream") != "static" else row for row in track
    ]
    at = next(row for row in out if row.get("squawk") == code)
    return Fault(out, asset_of(track[0]), at["time"], until_ms, subject=code)


def _airborne(track: Track) -> Track:
    flying = [row for row in readings_of(track) if row.get("on_ground") is not True and row.get("alt_baro_ft") is not None]
    if len(flying) < 10:
        raise ValueError("nothing flies here")
    return flying


def rapid_descent(rng: Random, track: Track) -> Fault:
    """From cruise down by 6,500 to 8,000 ft a minute for two minutes, then level there until the old way down is reached."""
    flying = _airborne(track)
    low_ms = [row["time"] for row in flying if not 28_000 < row["alt_baro_ft"] < 45_000]
    high = [
        row
        for row in flying
        if row["time"] < flying[-1]["time"] - 5 * MINUTE_MS
        and not any(row["time"] - MINUTE_MS < time_ms < row["time"] + 5 * MINUTE_MS for time_ms in low_ms)
    ]
    if len(high) < 20:
        raise ValueError("no cruise here")
    from_ms = rng.choice(high)["time"]
    start_ft = next(row["alt_baro_ft"] for row in high if row["time"] >= from_ms)
    rate_fpm = rng.uniform(6_500, 8_000)
    out: Track = []
    for row in track:
        if row["time"] < from_ms or row.get("alt_baro_ft") is None:
            out.append(row)
            continue
        fallen_ft = rate_fpm * min(row["time"] - from_ms, 2 * MINUTE_MS) / MINUTE_MS
        level_ft = start_ft - 2 * rate_fpm
        falling = row["time"] - from_ms < 2 * MINUTE_MS
        alt_ft = row["alt_baro_ft"] - fallen_ft if falling else min(row["alt_baro_ft"], level_ft)
        rate = -rate_fpm if falling else (0.0 if alt_ft == level_ft else row.get("vertical_rate_fpm"))
        changed: Row = {
            "alt_baro_ft": round(alt_ft / 25) * 25.0,
            "vertical_rate_fpm": None if rate is None else round(rate / 64) * 64.0,
        }
        if row.get("alt_geom_ft") is not None:
            changed["alt_geom_ft"] = row["alt_geom_ft"] + changed["alt_baro_ft"] - row["alt_baro_ft"]
        out.append({name: value for name, value in (row | changed).items() if value is not None})
    return Fault(out, asset_of(track[0]), from_ms, from_ms + 2 * MINUTE_MS)


def _oval(start: tuple[float, float, float], legs_s: float, turning: int, gs_kn: float) -> list[tuple[float, float, float]]:
    """A racetrack that begins and ends at a place with a track: where it is after each second."""
    lat, lon, course = start
    out = []
    half_s = 180 / TURN_DEG_S
    for second in range(1, int(2 * (legs_s + half_s)) + 1):
        in_turn = second <= half_s or half_s + legs_s < second <= 2 * half_s + legs_s
        course = (course + turning * TURN_DEG_S * in_turn) % 360
        lat, lon = ahead(lat, lon, course, gs_kn * KN_MPS)
        out.append((lat, lon, course))
    return out


def _cadence_ms(track: Track, at_ms: int) -> int:
    near = [row["time"] for row in track if abs(row["time"] - at_ms) < 10 * MINUTE_MS]
    return max(1_000, int(near[-1] - near[0]) // max(1, len(near) - 1))


def holding(rng: Random, track: Track) -> Fault:
    """Four to six rounds of a hold with legs of a minute, then on where it was."""
    flying = [
        row for row in _airborne(track) if row["alt_baro_ft"] > 6_000 and row.get("gs_kn") and row.get("track_deg") is not None
    ]
    if len(flying) < 10:
        raise ValueError("nothing flies high enough to hold")
    at = rng.choice(flying[len(flying) // 3 : -3])
    rounds, turning = rng.randint(4, 6), rng.choice((1, -1))
    gs_kn = min(at["gs_kn"], 250.0)
    flown: list[tuple[float, float, float]] = []
    for _ in range(rounds):
        start = flown[-1] if flown else (at["lat_deg"], at["lon_deg"], at["track_deg"])
        flown += _oval(start, 60, turning, gs_kn)
    every_s = max(1, _cadence_ms(track, at["time"]) // 1000)
    held = [
        _flown(at, at["time"] + second * 1000, *flown[second - 1], gs_kn, at["alt_baro_ft"], 0.0)
        for second in range(every_s, len(flown) + 1, every_s)
    ]
    return _spliced(track, at, held, len(flown))


def _flown(at: Row, time_ms: int, lat: float, lon: float, course: float, gs_kn: float, alt_ft: float, rate: float) -> Row:
    row = {name: value for name, value in at.items() if name not in {"channels", "alt_geom_ft"}}
    told: Row = {"time": time_ms, "lat_deg": round(lat, 6), "lon_deg": round(lon, 6), "track_deg": round(course % 360, 1) % 360}
    return (
        row
        | told
        | {"gs_kn": round(gs_kn, 1), "alt_baro_ft": float(round(alt_ft / 25) * 25), "vertical_rate_fpm": float(round(rate))}
    )


def _spliced(track: Track, at: Row, between: Track, seconds: float) -> Fault:
    """A stretch put in after a reading; all that follows comes so much later."""
    index = track.index(at)
    after = [row | {"time": row["time"] + int(seconds * 1000)} for row in track[index + 1 :]]
    return Fault(track[: index + 1] + between + after, asset_of(at), at["time"], at["time"] + int(seconds * 1000))


def go_around(rng: Random, track: Track, field: tuple[float, float, float]) -> Fault:
    """A climb away at 500 to 1,000 ft over the field, once round, and the same approach again.

    Args:
        rng: all chance comes from it.
        track: a flight that ends on the field.
        field: latitude, longitude and elevation in feet of the field.
    """
    flying = _airborne(track)
    above_ft = rng.uniform(500, 1_000)
    low = next(
        row
        for before, row in reversed(list(pairwise(flying)))
        if above_ft <= row["alt_baro_ft"] - field[2] <= above_ft + 400
        and abs(before["alt_baro_ft"] - row["alt_baro_ft"]) < 400
        and row.get("track_deg") is not None
    )
    from_ms = low["time"]
    again = next(row for row in reversed(flying) if row["time"] <= from_ms - 4 * MINUTE_MS and row.get("track_deg") is not None)
    course = low["track_deg"]
    every_s = max(1, _cadence_ms(track, from_ms) // 1000)
    way = _circuit((low["lat_deg"], low["lon_deg"]), (again["lat_deg"], again["lon_deg"]), course)
    gs_kn, top_ft = 180.0, again["alt_baro_ft"]
    circuit: Track = []
    run_m, length_m = 0.0, sum(distance_m(one, other) for one, other in pairwise(way))
    total_s = length_m / (gs_kn * KN_MPS)
    for second in range(every_s, int(total_s), every_s):
        run_m = gs_kn * KN_MPS * second
        lat, lon, heading = _along(way, run_m)
        climb_ft = min(top_ft, low["alt_baro_ft"] + 2_200 * second / 60)
        rate = 2_200.0 if climb_ft < top_ft else 0.0
        circuit.append(_flown(low, from_ms + second * 1000, lat, lon, heading, gs_kn, climb_ft, rate))
    index, back = track.index(low), track.index(again)
    shift_ms = from_ms + int(total_s * 1000) - again["time"]
    repeat = [row | {"time": row["time"] + shift_ms} for row in track[back:]]
    return Fault(track[: index + 1] + circuit + repeat, asset_of(low), from_ms, from_ms + int(total_s * 1000))


def _circuit(low: tuple[float, float], again: tuple[float, float], course: float) -> list[tuple[float, float]]:
    """Straight on for two minutes' flight, half a turn, back abeam the beginning of the approach, half a turn onto it."""
    radius_m = 2_500.0
    far = ahead(*low, course, 11_000)
    way = [low, far]
    way += _half_turn(far, course, radius_m)
    abeam = ahead(*ahead(*again, course + 180, 2_000), course + 90, 2 * radius_m)
    way += [abeam, *_half_turn(abeam, course + 180, radius_m), again]
    return way


def _half_turn(at: tuple[float, float], course: float, radius_m: float) -> list[tuple[float, float]]:
    centre = ahead(*at, course + 90, radius_m)
    return [ahead(*centre, course - 90 + angle, radius_m) for angle in range(15, 181, 15)]


def _along(way: list[tuple[float, float]], run_m: float) -> tuple[float, float, float]:
    for one, other in pairwise(way):
        leg_m = distance_m(one, other)
        if run_m <= leg_m and leg_m > 0:
            course = bearing_deg(one, other)
            return (*ahead(*one, course, run_m), course)
        run_m -= leg_m
    return (*way[-1], bearing_deg(way[-2], way[-1]))


def diversion(rng: Random, number: int) -> Fault:
    """A flight that says where it goes and lands elsewhere."""
    origin, said, landed = rng.sample(sorted(AIRPORTS), 3)
    track = flight(rng, plane(rng, number), origin, said, to=landed)
    touch = next(row for row in reversed(track) if row.get("on_ground") is False)
    return Fault(track, asset_of(track[0]), touch["time"], track[-1]["time"])


def diversion_of(track: Track, said: str) -> Fault:
    """A real flight under the pretence that it was to land at another airport."""
    first = readings_of(track)[0]
    report = {"class": "aircraft", "stream": "static", "scheme": first["scheme"], "value": first["value"], "source": "adsb"}
    told = report | {"time": first["time"], "destination": said}
    taxiing = rolled_out(track)
    return Fault([told, *track, *taxiing], asset_of(first), _airborne(track)[-1]["time"], taxiing[-1]["time"])


def parked(rng: Random, number: int, days: float) -> Fault:
    """A flight, and then so many days on the ground where it landed."""
    origin, landed = rng.sample(sorted(AIRPORTS), 2)
    track = flight(rng, plane(rng, number), origin, landed, every_s=20)
    down = next(row for row in reversed(track) if row.get("on_ground") is False)
    return Fault(track + stay(track[-1], days), asset_of(down), down["time"], down["time"] + int(days * DAY_MS))


def rolled_out(track: Track) -> Track:
    """Half a minute more to the runway, a roll of a minute and half an hour of taxiing, after the last reading of an approach."""
    rows = readings_of(track)
    last = rows[-1] | {"alt_baro_ft": next(row["alt_baro_ft"] for row in reversed(rows) if row.get("alt_baro_ft") is not None)}
    at, course, gs_kn = (last["lat_deg"], last["lon_deg"]), last.get("track_deg") or 0.0, last.get("gs_kn") or 130.0
    out: Track = []
    for second in range(4, 1_800, 4):
        gs_kn = gs_kn if second <= 30 else max(8.0, gs_kn - 10)
        if second < 120:
            at = ahead(*at, course, gs_kn * KN_MPS * 4)
        row = _flown(last, last["time"] + second * 1000, *at, course, gs_kn, last["alt_baro_ft"], 0.0)
        out.append(row | {"on_ground": second > 30})
    return out


def parked_after(track: Track, days: float) -> Fault:
    """A real landing, and then so many days where it ended."""
    taxiing = rolled_out(track)
    last = taxiing[-1]
    return Fault(track + taxiing + stay(last, days), asset_of(last), last["time"], last["time"] + int(days * DAY_MS))


def jammed_region(rng: Random, number: int, aircraft: int = 30) -> Fault:
    """So many aircraft within 25 miles of a point lose their position quality for half an hour, and get it back."""
    centre = (rng.uniform(40, 58), rng.uniform(-5, 25))
    start_ms = 1_772_323_200_000 + rng.randrange(24) * 60 * MINUTE_MS
    from_ms, until_ms = start_ms + 40 * MINUTE_MS, start_ms + 70 * MINUTE_MS
    tracks = [circling(rng, plane(rng, number + place), centre, 100, start_ms) for place in range(aircraft)]
    whole = merged(*tracks)
    return Fault(degraded(whole, from_ms, until_ms), "region:", from_ms, until_ms)


def degraded(track: Track, from_ms: int, until_ms: int) -> Track:
    """Every aircraft of a track without position quality for a while, and with good quality before and after."""
    out: Track = []
    for row in track:
        if row.get("stream") == "static" or row.get("lat_deg") is None:
            out.append(row)
        elif from_ms <= row["time"] < until_ms:
            out.append(row | {"nic": 0, "nac_p": 0})
        else:
            out.append(row | {"nic": row.get("nic") or 8, "nac_p": row.get("nac_p") or 9})
    return out
