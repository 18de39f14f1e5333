"""What one would write first: a silence of six hours, an impossible speed, limits and z-scores of sensors, River as it comes.

Each is a function from records to alarms, and knows no more than the records. They are run over the same tracks and the same
faults as detection. Runs of alarms on one asset and channel become one, as an alert would be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from math import cos, hypot, radians, sqrt
from typing import Any, NamedTuple

GAP_H = 6.0  # Global Fishing Watch's `min_gap_length` (detection.md S1)
SPEED_KN = {"vessel": 50.0, "aircraft": 700.0}
SLIP_NM = 1.0  # two messages of one second may disagree by a clock
LIMIT_SHARE = 0.25
LEARN_ROWS = 60
Z_LIMIT = 4.0
GAUSSIAN_LIMIT = 0.999
TREES_LIMIT = 0.95
QUIET_MS = 3_600_000  # alarms closer than an hour are one


class Alarm(NamedTuple):
    """One alarm: which asset (`scheme:value`), when in unix milliseconds, and on which channel, if on one."""

    asset: str
    time_ms: int
    channel: str | None = None


Records = Iterable[Mapping[str, Any]]
Baseline = Callable[[Records], list[Alarm]]


def _readings(records: Records) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for row in records:
        if row.get("stream") != "static":
            yield f"{row['scheme']}:{row['value']}", row


def gap_rule(records: Records) -> list[Alarm]:
    """Global Fishing Watch's raw gap: more than six hours from one position to the next, or to the end."""
    last: dict[str, int] = {}
    end_ms = 0
    alarms = []
    limit_ms = int(GAP_H * 3_600_000)
    for asset, row in _readings(records):
        end_ms = max(end_ms, row["time"])
        if asset in last and row["time"] - last[asset] > limit_ms:
            alarms.append(Alarm(asset, last[asset] + limit_ms))
        last[asset] = row["time"]
    return alarms + [Alarm(asset, said_ms + limit_ms) for asset, said_ms in last.items() if end_ms - said_ms > limit_ms]


def speed_limit(records: Records) -> list[Alarm]:
    """A fixed threshold: more than 50 kn (an aircraft: 700) from one position to the next."""
    last: dict[str, Mapping[str, Any]] = {}
    alarms = []
    for asset, row in _readings(records):
        if row.get("lat_deg") is None or abs(row["lat_deg"]) > 90 or abs(row["lon_deg"]) > 180:
            continue
        before = last.get(asset)
        if before is not None:
            east = (row["lon_deg"] - before["lon_deg"] + 180) % 360 - 180
            away_nm = 60 * hypot(row["lat_deg"] - before["lat_deg"], east * cos(radians(before["lat_deg"])))
            hours = (row["time"] - before["time"]) / 3_600_000
            if away_nm > SLIP_NM and away_nm > SPEED_KN.get(row["class"], 50.0) * hours:
                alarms.append(Alarm(asset, row["time"]))
        last[asset] = row
    return _merged(alarms)


def _by_channel(records: Records) -> dict[tuple[str, str], list[tuple[int, float]]]:
    values: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for asset, row in _readings(records):
        for channel, value in (row.get("channels") or {}).items():
            values[asset, channel].append((row["time"], value))
    return values


def fixed_limits(records: Records) -> list[Alarm]:
    """A quarter more or less than the mean of a channel's first hour, twice in a row."""
    alarms = []
    for (asset, channel), values in _by_channel(records).items():
        first = [value for _, value in values[:LEARN_ROWS]]
        level = sum(first) / len(first)
        off = 0
        for time_ms, value in values:
            off = off + 1 if abs(value - level) > LIMIT_SHARE * abs(level) else 0
            if off >= 2:
                alarms.append(Alarm(asset, time_ms, channel))
    return _merged(alarms)


def z_score(records: Records) -> list[Alarm]:
    """|z| above four against mean and deviation of all that a channel said before, twice in a row."""
    alarms = []
    for (asset, channel), values in _by_channel(records).items():
        mean, squares, off = 0.0, 0.0, 0
        for count, (time_ms, value) in enumerate(values):
            deviation = sqrt(squares / count) if count else 0.0
            far = count >= LEARN_ROWS and deviation > 0 and abs(value - mean) > Z_LIMIT * deviation
            off = off + 1 if far else 0
            if off >= 2:
                alarms.append(Alarm(asset, time_ms, channel))
            step = value - mean
            mean += step / (count + 1)
            squares += step * (value - mean)
    return _merged(alarms)


def gaussian_scorer(records: Records) -> list[Alarm]:
    """River's GaussianScorer, defaults, on each channel: a score above 0.999 once it scores."""
    pieces: Any = import_module("river.anomaly")
    alarms = []
    for (asset, channel), values in _by_channel(records).items():
        model = pieces.GaussianScorer()
        for time_ms, value in values:
            if model.score_one(None, value) > GAUSSIAN_LIMIT:
                alarms.append(Alarm(asset, time_ms, channel))
            model.learn_one(None, value)
    return _merged(alarms)


def half_space_trees(records: Records) -> list[Alarm]:
    """River's HalfSpaceTrees, defaults, on all channels of an asset scaled by River's MinMaxScaler: a score above 0.95."""
    anomaly: Any = import_module("river.anomaly")
    preprocessing: Any = import_module("river.preprocessing")
    models: dict[str, tuple[Any, Any]] = {}
    alarms = []
    for asset, row in _readings(records):
        channels = row.get("channels")
        if not channels:
            continue
        if asset not in models:
            models[asset] = preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=42)
        scaler, trees = models[asset]
        scaler.learn_one(channels)
        scaled = scaler.transform_one(channels)
        if trees.score_one(scaled) > TREES_LIMIT:
            alarms.append(Alarm(asset, row["time"]))
        trees.learn_one(scaled)
    return _merged(alarms)


def _merged(alarms: list[Alarm]) -> list[Alarm]:
    """The first alarm of each run."""
    last: dict[tuple[str, str | None], int] = {}
    kept = []
    for alarm in sorted(alarms, key=lambda one: one.time_ms):
        key = (alarm.asset, alarm.channel)
        if key not in last or alarm.time_ms - last[key] > QUIET_MS:
            kept.append(alarm)
        last[key] = alarm.time_ms
    return kept


SILENCE: dict[str, Baseline] = {"GFW's gap rule, 6 h": gap_rule}
POSITION: dict[str, Baseline] = {"fixed threshold, implied speed": speed_limit}
SENSOR: dict[str, Baseline] = {
    "fixed threshold, a quarter off": fixed_limits,
    "z-score, 4": z_score,
    "River GaussianScorer, defaults": gaussian_scorer,
    "River HalfSpaceTrees, defaults": half_space_trees,
}
