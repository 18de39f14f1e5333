"""Real clean tracks that faults are put into: single ships and aircraft, chosen from clean recordings by plain criteria."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

from evaluation.inject.sphere import KN_MPS, bearing_deg, distance_m
from evaluation.inject.track import HOUR_MS, MINUTE_MS, Row, Track
from evaluation.tracks import records_of, shared_directory

SHIP_FILES = ("ais_dma_abnormal/212123000_drift_1.ais", "ais_m3_annotation/input/vessel_1_id.csv")
SEA_FILE = "stonesoup/SolentAIS_20160112_130211.csv"
SKY_FILE = "adsb_traffic/collections/quickstart_20211007T12.csv.gz"
FLIGHT_FILES = (
    "adsb_traffic/fr24/2ce4f83f.json",
    "adsb_traffic/fr24/34a8254b.json",
    "adsb_traffic/fr24/372355e5.json",
    "adsb_traffic/featured/dreamliner_airfrance.json.gz",
    "adsb_traffic/featured/elal747.json.gz",
    "adsb_traffic/featured/qantas747.json.gz",
    "adsb_traffic/featured/kiwi.json.gz",
)
LONGEST_STEP_MS = {"vessel": 20 * MINUTE_MS, "aircraft": 5 * MINUTE_MS}


def _split(records: Track) -> list[Track]:
    """The tracks of a recording, asset by asset, static reports among them."""
    by_asset: dict[str, Track] = defaultdict(list)
    for row in records:
        by_asset[row["value"]].append(row)
    return list(by_asset.values())


def _read(path: str) -> Track:
    directory = shared_directory()
    if directory is None:
        raise FileNotFoundError(path)
    return records_of(Path(directory) / path)


@cache
def sea() -> Track:
    """Everything heard in the Solent."""
    return _read(SEA_FILE)


@cache
def sky() -> Track:
    """Everything heard around Paris."""
    return _read(SKY_FILE)


class Leg(NamedTuple):
    """Some hours of one ship under way, and what came before them."""

    history: Track
    moving: Track


@cache
def legs() -> tuple[Leg, ...]:
    """Two hours and more of one ship at more than 3 kn, without a silence of twenty minutes, and the two days before."""
    found = []
    for path in SHIP_FILES:
        for track in _split(_read(path)):
            told = _with_motion(track)
            for moving in _under_way(told):
                if _span_ms(moving) > 2.4 * HOUR_MS:
                    from_ms = moving[0]["time"]
                    history = [row for row in told if from_ms - 48 * HOUR_MS <= row["time"] < from_ms]
                    found.append(Leg(_thinned(history, 55_000), _thinned(moving, 25_000)))
    return tuple(found)


def _with_motion(track: Track) -> Track:
    """Speed and course from one position to the next, where the recording holds positions alone."""
    out: Track = []
    before: Row | None = None
    for row in track:
        told = row
        if before is not None and row.get("sog_kn") is None and row.get("lat_deg") is not None and row["time"] > before["time"]:
            one, other = (before["lat_deg"], before["lon_deg"]), (row["lat_deg"], row["lon_deg"])
            speed_kn = distance_m(one, other) / (row["time"] - before["time"]) * 1000 / KN_MPS
            told = row | {"sog_kn": round(min(speed_kn, 60.0), 1)}
            if speed_kn > 0.5:
                told |= {"cog_deg": round(bearing_deg(one, other), 1) % 360}
        if row.get("lat_deg") is not None:
            before = row
        out.append(told)
    return out


def _under_way(track: Track) -> list[Track]:
    """Stretches in which every stated speed is above 3 kn."""
    parts: list[Track] = [[]]
    for part in _unbroken(track, LONGEST_STEP_MS["vessel"]):
        parts.append([])
        for row in part:
            if row.get("stream") != "static" and (row.get("sog_kn") or 0.0) <= 3.0:
                parts.append([])
            elif row.get("stream") != "static":
                parts[-1].append(row)
    return [part for part in parts if part]


@cache
def crossings() -> tuple[Track, ...]:
    """Ships of the Solent that move for an hour and more and are heard to the end."""
    end_ms = sea()[-1]["time"]
    return tuple(
        track
        for track in _split(sea())
        if len(track) > 150 and _moves(track) and _span_ms(track) > 65 * MINUTE_MS and end_ms - track[-1]["time"] < 3 * MINUTE_MS
    )


@cache
def flights() -> tuple[Track, ...]:
    """Whole flights, unbroken."""
    found: list[Track] = []
    for path in FLIGHT_FILES:
        for track in _split(_read(path)):
            found += [_thinned(part, 5_000) for part in _unbroken(track, LONGEST_STEP_MS["aircraft"]) if _span_ms(part) > HOUR_MS]
    return tuple(found)


@cache
def overflights() -> tuple[Track, ...]:
    """Aircraft of the hour around Paris that are heard for twelve minutes and more without a break."""
    found: list[Track] = []
    for track in _split(sky()):
        found += [_thinned(part, 4_000) for part in _unbroken(track, MINUTE_MS) if _span_ms(part) > 12 * MINUTE_MS]
    return tuple(found)


@cache
def landings() -> tuple[Track, ...]:
    """Aircraft of that hour that come down from more than 9,000 ft and end on or just above a runway of Paris."""
    return tuple(track for track in overflights() if _lands(track))


def _lands(track: Track) -> bool:
    heights = [row["alt_baro_ft"] for row in track if row.get("alt_baro_ft") is not None]
    return bool(heights) and heights[-1] < 400 and max(heights) > 9_000


def steady_instants(track: Track, before_ms: int, after_ms: int) -> list[int]:
    """Instants with steady cruise so long before and after them: level within 600 ft, or within 3 kn under way.

    There is a reading a minute, on the mean.
    """
    is_ship = track[-1]["class"] == "vessel"
    said = [
        (row["time"], row.get("sog_kn") if is_ship else row.get("alt_baro_ft")) for row in track if row.get("stream") != "static"
    ]
    known = [(time_ms, value) for time_ms, value in said if value is not None]
    found = []
    for time_ms in range(track[0]["time"] + before_ms, track[-1]["time"] - after_ms, 5 * MINUTE_MS):
        around = [value for at_ms, value in known if time_ms - before_ms <= at_ms < time_ms + after_ms]
        if (
            len(around) > 20
            and max(around) - min(around) <= (3.0 if is_ship else 600.0)
            and min(around) > (6 if is_ship else 15_000)
        ):
            found.append(time_ms)
    return found


def _span_ms(track: Track) -> int:
    return int(track[-1]["time"] - track[0]["time"])


def _unbroken(track: Track, longest_ms: int) -> list[Track]:
    """A track cut where it was silent for longer."""
    parts: list[Track] = []
    for row in track:
        if row.get("lat_deg") is None and row.get("stream") != "static":
            continue
        if not parts or row["time"] - parts[-1][-1]["time"] > longest_ms:
            parts.append([])
        parts[-1].append(row)
    return parts


def _moves(track: Track) -> bool:
    speeds = [row["sog_kn"] for row in track if row.get("sog_kn") is not None]
    return bool(speeds) and sum(speed > 5 for speed in speeds) > 0.6 * len(speeds)


def _thinned(track: Track, every_ms: int) -> Track:
    """At most one reading in so many milliseconds; nothing else is changed."""
    kept: Track = []
    for row in track:
        if not kept or row.get("stream") == "static" or row["time"] - kept[-1]["time"] >= every_ms:
            kept.append(row)
    return kept
