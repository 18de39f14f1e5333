"""Silences: one ship alone, a whole feed, a whole sea; and an aircraft that stops talking where others go on."""

from __future__ import annotations

from random import Random

from evaluation.inject.flights import circling, flight, plane
from evaluation.inject.passages import START_MS, passage, ship
from evaluation.inject.sphere import KN_MPS, ahead
from evaluation.inject.track import HOUR_MS, MINUTE_MS, Fault, Track, asset_of, merged


def _convoy(rng: Random, number: int, hours: float, every_s: int = 180) -> list[Track]:
    """Six ships within twenty miles of each other on one course."""
    lead = ship(rng, number)
    first = passage(rng, lead, 0.1, steady=True)
    lat, lon = first[-1]["lat_deg"], first[-1]["lon_deg"]
    out: list[Track] = []
    course_seed = rng.randrange(1 << 30)
    for place in range(6):
        who = ship(rng, number + place)._replace(service_kn=lead.service_kn)
        start = ahead(lat, lon, rng.uniform(0, 360), rng.uniform(3_000, 18_000))
        out.append(passage(Random(course_seed), who, hours, every_s=every_s, start=start, steady=True))
    return out


def dark(rng: Random, number: int) -> Fault:
    """One of six ships is silent for four hours, the others go on."""
    convoy = _convoy(rng, number, 14.0)
    from_ms = START_MS + int(rng.uniform(7, 8) * HOUR_MS)
    until_ms = from_ms + 4 * HOUR_MS
    convoy[0] = _without(convoy[0], from_ms, until_ms)
    return Fault(merged(*convoy), asset_of(convoy[0][0]), from_ms, until_ms)


def feed_down(rng: Random, number: int) -> Fault:
    """All six are silent for five hours: nobody is to be alarmed about any of them."""
    convoy = _convoy(rng, number, 16.0)
    from_ms = START_MS + int(rng.uniform(7, 8) * HOUR_MS)
    until_ms = from_ms + 5 * HOUR_MS
    silent = [_without(track, from_ms, until_ms) for track in convoy]
    return Fault(merged(*silent), asset_of(convoy[0][0]), from_ms, until_ms)


def no_coverage(rng: Random, number: int) -> Fault:
    """Each of six is lost within a quarter of an hour of the others, for eight hours: they left the receiver's range."""
    convoy = _convoy(rng, number, 19.0)
    from_ms = START_MS + int(rng.uniform(7, 8) * HOUR_MS)
    until_ms = from_ms + 8 * HOUR_MS
    silent = [_without(track, from_ms + rng.randrange(15) * MINUTE_MS, until_ms) for track in convoy]
    return Fault(merged(*silent), asset_of(convoy[0][0]), from_ms, until_ms)


def dark_among(rng: Random, whole: Track, value: str, hours: float) -> Fault:
    """One ship of a real sea goes silent under way until the recording ends, at least so many hours before that."""
    own = [row for row in whole if row["value"] == value]
    first_ms, last_ms = own[0]["time"] + 8 * MINUTE_MS, whole[-1]["time"] - int(hours * HOUR_MS)
    moving = [row["time"] for row in own if first_ms <= row["time"] <= last_ms and (row.get("sog_kn") or 0) > 5]
    if not moving:
        raise ValueError("she does not move when she is to fall silent")
    from_ms = rng.choice(moving)
    kept = [row for row in whole if row["value"] != value or row["time"] <= from_ms]
    return Fault(kept, asset_of(own[0]), from_ms, whole[-1]["time"])


def dark_aircraft(rng: Random, number: int) -> Fault:
    """An aircraft stops talking in cruise for good; four others work around where it was, and four around where it was to be."""
    origin, destination = rng.sample(["ESSA", "LEMD", "LIRF", "EKCH", "EGLL"], 2)
    own = flight(rng, plane(rng, number), origin, destination, every_s=20)
    from_ms = own[0]["time"] + int(rng.uniform(42, 48) * MINUTE_MS)
    until_ms = from_ms + 70 * MINUTE_MS
    heard = [row for row in own if row["time"] < from_ms]
    last = heard[-1]
    here = (last["lat_deg"], last["lon_deg"])
    there = ahead(*here, last["track_deg"], last["gs_kn"] * KN_MPS * 600)
    others = [
        circling(rng, plane(rng, number + 1 + place), middle, 150, own[0]["time"])
        for place, middle in enumerate([here] * 4 + [there] * 4)
    ]
    return Fault(merged(heard, *others), asset_of(last), from_ms, until_ms)


def _without(track: Track, from_ms: int, until_ms: int) -> Track:
    return [row for row in track if not from_ms <= row["time"] < until_ms]
