"""Areas and leases laid around tracks: entered, left, skirted, called at, landed in, flown over; and clauses of a lease broken.

Areas are GeoJSON features, leases objects, as files of `backtest` hold them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

from evaluation.inject.flights import AIRPORTS, flight, plane
from evaluation.inject.movements import encounter, pause
from evaluation.inject.passages import passage, ship
from evaluation.inject.positions import onset
from evaluation.inject.silences import dark
from evaluation.inject.sphere import NM_M, ahead, distance_m
from evaluation.inject.track import HOUR_MS, MINUTE_MS, Fault, Row, Track, asset_of, first_at, merged, readings_of

SET = "evaluation"


def around(middle: tuple[float, float], radius_m: float, name: str, kind: str, **said: object) -> dict[str, Any]:
    """A circle of 48 corners as a feature."""
    corners = [ahead(*middle, angle, radius_m) for angle in [*(n * 7.5 for n in range(48)), 0.0]]
    rings = [[[round(lon, 6), round(lat, 6)] for lat, lon in corners]]
    told = {"id": name, "name": name.title(), "kind": kind, "area_set": SET, "issuer": "evaluation", "version": "1"}
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": rings}, "properties": told | said}


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    """Features as a file."""
    return {"type": "FeatureCollection", "features": list(features)}


def lease(
    asset: str, from_ms: int, to_ms: int, *covenants: dict[str, Any], rules: tuple[dict[str, Any], ...] = ()
) -> dict[str, Any]:
    """A lease in force from a day before an instant to a day after another."""
    day_ms = 24 * HOUR_MS
    term = {"from": _rfc3339(from_ms - day_ms), "to": _rfc3339(to_ms + day_ms)}
    paper = {"id": "lease-1", "asset": asset, "form": "bareboat", "lessee": "Lessee", "lessor": "Lessor", "term": term}
    return paper | {"covenants": list(covenants), "territory_rules": list(rules)}


def _rfc3339(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _place(row: Row) -> tuple[float, float]:
    return row["lat_deg"], row["lon_deg"]


def _inside(track: Track, middle: tuple[float, float], radius_m: float) -> Track:
    return [row for row in readings_of(track) if row.get("lat_deg") is not None and distance_m(_place(row), middle) < radius_m]


def entered(rng: Random, track: Track, kind: str) -> Fault:
    """An area of ten miles about a place that she sails through."""
    own = readings_of(track)
    at = own[first_at(own, onset(rng, own, 70 * MINUTE_MS, 70 * MINUTE_MS))]
    radius_m = min(rng.uniform(7, 10) * NM_M, 0.6 * distance_m(_place(own[0]), _place(at)))
    rows = _inside(track, _place(at), radius_m)
    area = around(_place(at), radius_m, "zone-1", kind)
    return Fault(track, asset_of(at), rows[0]["time"], rows[-1]["time"], subject="zone-1", areas=collection(area))


def left(rng: Random, track: Track) -> Fault:
    """The same area, and the way out of it."""
    made = entered(rng, track, "prohibited")
    after = [row["time"] for row in readings_of(track) if row["time"] > made.until_ms]
    return made._replace(since_ms=made.from_ms, from_ms=made.until_ms, until_ms=after[min(len(after) - 1, 30)])


def passed_by(rng: Random, track: Track) -> Fault:
    """A prohibited area whose edge lies three miles and more off her way."""
    own = readings_of(track)
    at = own[first_at(own, onset(rng, own, 90 * MINUTE_MS, 90 * MINUTE_MS))]
    middle = ahead(*_place(at), at["cog_deg"] + 90, 12 * NM_M)
    nearest_m = min(distance_m(_place(row), middle) for row in readings_of(track))
    area = around(middle, nearest_m - 3 * NM_M, "zone-1", "prohibited")
    return Fault(track, asset_of(at), at["time"], track[-1]["time"], areas=collection(area))


def along_the_edge(rng: Random, number: int) -> Fault:
    """Three hours along a boundary, a third of a mile to either side of it in turns; then far inside, then out."""
    who = ship(rng, number)
    track = passage(rng, who, 9.0, steady=True, start=(rng.uniform(-5, 5), rng.uniform(-30, -20)))
    rows = readings_of(track)
    begin, end = rows[len(rows) // 3], rows[2 * len(rows) // 3]
    out: Track = []
    for index, row in enumerate(track):
        if row.get("stream") != "static" and begin["time"] <= row["time"] < end["time"]:
            lat, lon = ahead(*_place(row), row["cog_deg"] + 90, 0.33 * NM_M * (1 if index // 5 % 2 else -1))
            out.append(row | {"lat_deg": round(lat, 6), "lon_deg": round(lon, 6)})
        else:
            out.append(row)
    course = begin["cog_deg"]
    corners = [_place(begin), _place(end)]
    corners += [ahead(*_place(end), course + 90, 40 * NM_M), ahead(*_place(begin), course + 90, 40 * NM_M), corners[0]]
    area = around(_place(begin), 1.0, "zone-1", "prohibited")
    area["geometry"] = {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in corners]]}
    return Fault(out, asset_of(begin), begin["time"], end["time"] + 30 * MINUTE_MS, subject="zone-1", areas=collection(area))


def called_at(rng: Random, track: Track) -> Fault:
    """A stop of five hours inside a prohibited area."""
    from_ms = onset(rng, readings_of(track), 90 * MINUTE_MS, 30 * MINUTE_MS)
    before, after, until_ms = pause(rng, readings_of(track), from_ms, 5.0, 0.02)
    stopped_ms = until_ms - 5 * HOUR_MS
    whole = merged([row | {"sog_kn": 0.0} if row["time"] > stopped_ms else row for row in before], after)
    middle = _place(before[-1])
    inside = _inside(whole, middle, 5 * NM_M)
    area = around(middle, 5 * NM_M, "zone-1", "prohibited")
    return Fault(
        whole,
        asset_of(whole[0]),
        stopped_ms,
        until_ms,
        subject="zone-1",
        areas=collection(area),
        since_ms=inside[0]["time"],
    )


def _flown(rng: Random, number: int, *, codes: bool = False) -> tuple[Track, str]:
    origin, destination = rng.sample(sorted(AIRPORTS), 2)
    track = flight(rng, plane(rng, number), origin, destination, every_s=10)
    if codes:
        end_ms = track[-1]["time"]
        track = [
            row | {"squawk": "7700"} if row.get("on_ground") is False and end_ms - row["time"] < 35 * MINUTE_MS else row
            for row in track
        ]
    return track, destination


def landed_in(rng: Random, number: int, *, mayday: bool = False) -> Fault:
    """A landing at an airport inside a prohibited area; `mayday`: with 7700 set on the way down."""
    track, destination = _flown(rng, number, codes=mayday)
    area = around(AIRPORTS[destination][:2], 25 * NM_M, "zone-1", "prohibited")
    down = next(row for row in reversed(track) if row.get("on_ground") is False)
    since_ms = down["time"] - 40 * MINUTE_MS
    return Fault(
        track, asset_of(track[-1]), down["time"], track[-1]["time"], subject="zone-1", areas=collection(area), since_ms=since_ms
    )


def flown_over(rng: Random, number: int) -> Fault:
    """A prohibited area half way under a flight that goes on to somewhere else."""
    track, _ = _flown(rng, number)
    flying = [row for row in track if row.get("on_ground") is False]
    at = flying[len(flying) // 2]
    area = around(_place(at), 20 * NM_M, "zone-1", "prohibited")
    rows = _inside(track, _place(at), 20 * NM_M)
    return Fault(track, asset_of(at), rows[0]["time"], rows[-1]["time"], areas=collection(area))


def out_of_limits(rng: Random, track: Track, *, in_force: bool = True) -> Fault:
    """She leaves the waters that her lease allows; `in_force` False: a lease that was over before she sailed."""
    rows = readings_of(track)
    start = _place(rows[0])
    far_m = distance_m(start, _place(rows[-1]))
    radius_m = far_m * rng.uniform(0.5, 0.7)
    out = next(row for row in rows if distance_m(start, _place(row)) > radius_m)
    asset = asset_of(rows[0])
    clause = {"id": "limits", "clause": "7(a)", "predicate": {"kind": "trading_limits", "area_set": SET}}
    first_ms, last_ms = rows[0]["time"], rows[-1]["time"]
    if not in_force:
        first_ms, last_ms = first_ms - 100 * 24 * HOUR_MS, first_ms - 50 * 24 * HOUR_MS
    return Fault(
        track,
        asset,
        out["time"],
        rows[-1]["time"],
        subject="limits" if in_force else None,
        areas=collection(around(start, radius_m, "waters", "watch")),
        leases=[lease(asset, first_ms, last_ms, clause)],
    )


def not_on_the_air(rng: Random, number: int) -> Fault:
    """A ship that is dark for four hours under a lease that allows two."""
    made = dark(rng, number)
    clause = {"id": "ais", "clause": "9(c)", "predicate": {"kind": "ais_on", "silence_h_max": 2}}
    return made._replace(subject="ais", leases=[lease(made.asset, made.records[0]["time"], made.records[-1]["time"], clause)])


def transferred(rng: Random, track: Track) -> Fault:
    """An encounter under a lease that allows no transfer from ship to ship."""
    made = encounter(rng, track)
    clause = {"id": "sts", "clause": "12", "predicate": {"kind": "no_sts"}}
    return made._replace(subject="sts", leases=[lease(made.asset, made.records[0]["time"], made.records[-1]["time"], clause)])


def called_in_a_country(rng: Random, track: Track) -> Fault:
    """A stop of five hours in a port of a country that the lease prohibits."""
    made = called_at(rng, track)
    middle = _place(next(row for row in readings_of(made.records) if row["time"] >= made.until_ms - HOUR_MS))
    port = around(middle, 3_000, "RUZZZ", "port")
    clause = {"id": "countries", "clause": "7(b)", "predicate": {"kind": "prohibited_countries", "countries": ["RU"]}}
    return made._replace(
        subject="countries",
        areas=collection(port),
        leases=[lease(made.asset, made.records[0]["time"], made.records[-1]["time"], clause)],
    )


def used_too_much(rng: Random, number: int) -> Fault:
    """Two days at sea under a lease that allows 20 hours a month."""
    who = ship(rng, number)
    track = passage(rng, who, 48.0, every_s=300)
    asset = f"mmsi:{who.mmsi}"
    use = {"kind": "max_use", "unit": "at_sea_h", "per": "month", "amount": "20"}
    clause = {"id": "most", "clause": "5", "predicate": use}
    first_ms = track[0]["time"]
    leases = [lease(asset, first_ms, track[-1]["time"], clause)]
    return Fault(track, asset, first_ms + 20 * HOUR_MS, track[-1]["time"], subject="most", leases=leases)


def used_too_little(rng: Random, number: int) -> Fault:
    """A month at sea, and two days of the next, under a lease that asks for thirty thousand miles a month."""
    who = ship(rng, number)
    track = passage(rng, who, 33 * 24.0, every_s=1800, steady=True, start=(rng.uniform(-2, 2), rng.uniform(-150, -140)))
    asset = f"mmsi:{who.mmsi}"
    use = {"kind": "min_use", "unit": "nm", "per": "month", "amount": "30000"}
    clause = {"id": "least", "clause": "5", "predicate": use}
    first_ms = track[0]["time"]
    leases = [lease(asset, first_ms, track[-1]["time"], clause)]
    return Fault(track, asset, first_ms + 31 * 24 * HOUR_MS, track[-1]["time"], subject="least", leases=leases)


def too_far_away(rng: Random, number: int) -> Fault:
    """A lease that ends in two days, on the other side of the world from where she is to be handed back."""
    who = ship(rng, number)
    track = passage(rng, who, 12.0)
    asset, first = f"mmsi:{who.mmsi}", readings_of(track)[0]
    away = (-first["lat_deg"] * 0.5, (first["lon_deg"] + 330.0) % 360.0 - 180.0)
    place = {"name": "somewhere else", "areas": ["range-1"]}
    clause = {"id": "back", "clause": "15", "predicate": {"kind": "redelivery_range", "place_range": place}}
    leases = [lease(asset, first["time"], track[-1]["time"] + 24 * HOUR_MS, clause)]
    areas = collection(around(away, 50 * NM_M, "range-1", "port"))
    return Fault(track, asset, track[0]["time"] + 1000, track[-1]["time"], subject="back", areas=areas, leases=leases)
