"""Real clean tracks told otherwise: the same hours seen by a poorer receiver, elsewhere, at another time, with fields left out.

What was no warning before must be none now: no asset did anything. Seeded. The longest recordings are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from math import cos, radians
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from evaluation.clean import CORES
from evaluation.judge import judge, warnings
from evaluation.tracks import Track, records_of, tracks

READINGS_MAX = 6_000  # chosen: the whole table in about a minute
SEED = 20260301
M_PER_DEG = 111_195.0
Row = dict[str, Any]
Change = Callable[[Random, list[Row]], list[Row]]
SPEEDS = ("sog_kn", "gs_kn")
COURSES = ("cog_deg", "track_deg", "heading_deg")
PLAIN = frozenset({"time", "class", "scheme", "value", "stream", "source", "lat_deg", "lon_deg", "alt_baro_ft"})


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One recording under one change: how many readings there were, and its warnings by rule."""

    change: str
    path: str
    readings: int
    warnings: dict[str, int] = {}


def _each(told: Callable[[Random, Row], Row]) -> Change:
    return lambda rng, rows: [row if row.get("stream") == "static" else told(rng, row) for row in rows]


def _later(rng: Random, rows: list[Row]) -> list[Row]:
    del rng
    return [row | {"time": row["time"] - 191 * 3_600_000 - 1_234_567} for row in rows]


def _turned(rng: Random, row: Row) -> Row:
    """In the other hemisphere, north and south turned."""
    del rng
    told = {name: (180.0 - row[name]) % 360.0 for name in COURSES if row.get(name) is not None and row[name] < 360.0}
    return row | told | ({} if row.get("lat_deg") is None else {"lat_deg": -row["lat_deg"]})


def _across_the_line(rng: Random, rows: list[Row]) -> list[Row]:
    """About the antimeridian."""
    del rng
    known = sorted(row["lon_deg"] for row in rows if row.get("lon_deg") is not None)
    by_deg = 180.0 - known[len(known) // 2]
    return [
        row if row.get("lon_deg") is None else row | {"lon_deg": (row["lon_deg"] + by_deg + 180.0) % 360.0 - 180.0}
        for row in rows
    ]


def _lost(share: float) -> Change:
    return lambda rng, rows: [row for row in rows if rng.random() >= share]


def _every(least_ms: int) -> Change:
    def thinned(rng: Random, rows: list[Row]) -> list[Row]:
        del rng
        last_ms: dict[str, int] = {}
        kept = []
        for row in rows:
            if row.get("stream") == "static" or row["time"] - last_ms.get(row["value"], -least_ms) >= least_ms:
                kept.append(row)
                if row.get("stream") != "static":
                    last_ms[row["value"]] = row["time"]
        return kept

    return thinned


def _passes(heard_ms: int, of_ms: int) -> Change:
    return lambda _, rows: [row for row in rows if row["time"] % of_ms < heard_ms]


def _stamped(step_ms: int) -> Change:
    return lambda _, rows: [row | {"time": row["time"] // step_ms * step_ms} for row in rows]


def _jittered(most_ms: int, share: float = 1.0) -> Change:
    return _each(lambda rng, row: row | {"time": row["time"] + rng.randint(0, most_ms)} if rng.random() < share else row)


def _scattered(metres: float) -> Change:
    def told(rng: Random, row: Row) -> Row:
        if row.get("lat_deg") is None:
            return row
        north_deg, east_deg = rng.gauss(0, metres) / M_PER_DEG, rng.gauss(0, metres) / M_PER_DEG
        east_deg /= max(0.1, cos(radians(row["lat_deg"])))
        return row | {"lat_deg": row["lat_deg"] + north_deg, "lon_deg": row["lon_deg"] + east_deg}

    return _each(told)


def _rounded(places: int) -> Change:
    return _each(
        lambda _, row: row | {name: round(row[name], places) for name in ("lat_deg", "lon_deg") if row.get(name) is not None}
    )


def _whole(rng: Random, row: Row) -> Row:
    """Speeds and courses without decimals."""
    del rng
    return row | {name: float(round(row[name])) for name in (*SPEEDS, *COURSES) if row.get(name) is not None}


def _twice(rng: Random, rows: list[Row]) -> list[Row]:
    """A second receiver whose clock is a second or so late."""
    return rows + [row | {"time": row["time"] + rng.randint(500, 5000)} for row in rows if rng.random() < 0.3]


def _bare(rng: Random, row: Row) -> Row:
    """Position, altitude and speed, nothing else."""
    del rng
    return {name: value for name, value in row.items() if name in PLAIN or name in SPEEDS}


def _patchy(rng: Random, row: Row) -> Row:
    return {name: value for name, value in row.items() if name in PLAIN or rng.random() < 0.7}


def _joined(*changes: Change) -> Change:
    def told(rng: Random, rows: list[Row]) -> list[Row]:
        for change in changes:
            rows = sorted(change(rng, rows), key=lambda row: row["time"])
        return rows

    return told


MINUTE_MS = 60_000
CHANGES: dict[str, Change] = {
    "eight days earlier, at an odd second": _later,
    "in the other hemisphere": _each(_turned),
    "about the antimeridian": _across_the_line,
    "80 % lost": _lost(0.8),
    "a reading in 3 min": _every(3 * MINUTE_MS),
    "a reading in 15 min": _every(15 * MINUTE_MS),
    "heard for 10 min of 100": _passes(10 * MINUTE_MS, 100 * MINUTE_MS),
    "times of whole minutes": _stamped(MINUTE_MS),
    "times up to 10 s late": _jittered(10_000),
    "one in twenty up to a minute late": _jittered(MINUTE_MS, 0.05),
    "positions scattered by 50 m": _scattered(50.0),
    "positions to 3 decimals": _rounded(3),
    "speeds and courses whole": _each(_whole),
    "a second receiver": _twice,
    "positions and speeds alone": _each(_bare),
    "a third of the fields missing": _each(_patchy),
    "a poor receiver": _joined(_lost(0.5), _jittered(3000), _twice, _scattered(10.0)),
    "a table of minutes": _joined(_every(MINUTE_MS), _stamped(MINUTE_MS), _rounded(4), _each(_whole), _each(_bare)),
}


def judge_track(track: Track, directory: Path) -> list[Outcome]:
    """One recording under every change; none where it is too long."""
    records = records_of(directory / track.path)
    if len(records) > READINGS_MAX:
        return []
    outcomes = []
    for name, change in CHANGES.items():
        told = sorted(change(Random(f"{SEED} {name} {track.path}"), records), key=lambda row: row["time"])
        judged = judge(told)
        counted = Counter(line["rule"] for line in warnings(judged.lines))
        outcomes.append(
            Outcome(change=name, path=track.path, readings=judged.tally.stepped, warnings=dict(sorted(counted.items())))
        )
    return outcomes


def judge_all(directory: Path, wanted: str = "") -> list[Outcome]:
    """Every clean recording on the list whose path holds `wanted`, two at a time."""
    chosen = [track for track in tracks() if track.is_clean and wanted in track.path]
    with ProcessPoolExecutor(CORES) as pool:
        return [one for found in pool.map(judge_track, chosen, [directory] * len(chosen)) for one in found]


def summary(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """A row for each change: recordings, readings, warnings by rule, and where."""
    told = list(outcomes)
    rows = []
    for name in CHANGES:
        of = [one for one in told if one.change == name]
        rows.append(
            {
                "change": name,
                "recordings": len(of),
                "readings": sum(one.readings for one in of),
                "warnings": sum(sum(one.warnings.values()) for one in of),
                "where": [
                    f"{one.path}: {', '.join(f'{rule} {n}' for rule, n in one.warnings.items())}" for one in of if one.warnings
                ],
            }
        )
    return rows


def listed(wanted: str, directory: Path) -> Iterable[str]:
    """Lines for eyes."""
    for row in summary(judge_all(directory, wanted)):
        yield f"{row['change']}: {row['recordings']} recordings, {row['readings']} readings, {row['warnings']} warnings"
        yield from (f"  {where}" for where in row["where"])
