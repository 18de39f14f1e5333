"""NAB's part that is here: the generic channel model beside River's detectors and the best combination known of them.

Every detector has one setting for all files, and one threshold for all files and each profile, as the benchmark wants it.
Figures of a part of the corpus are not comparable with published ones of the whole.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib import import_module
from math import cos, isfinite, pi, sin, sqrt
from pathlib import Path
from typing import Any, NamedTuple

from evaluation.nab_score import PROFILES, Scored, score

LAGS = 8
REFRACTORY_ROWS = 100
CAPS = (3.0, 5.0, 10.0)
CORES = 2


class Series(NamedTuple):
    """One file: name, times in unix seconds, values, and windows as rows."""

    name: str
    times_s: list[float]
    values: list[float]
    windows: list[tuple[int, int]]


Detector = Callable[[Series], list[float]]


def read(directory: Path) -> list[Series]:
    """All series in the folder `nab`, with their windows."""
    windows = json.loads((directory / "labels" / "combined_windows.json").read_text())
    out = []
    for name in sorted(windows):
        with (directory / "data" / name).open() as file:
            rows = [(_seconds(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
        at = {time_s: index for index, (time_s, _) in reversed(list(enumerate(rows)))}
        spans = [(at[_seconds(first)], at[_seconds(last)]) for first, last in windows[name]]
        out.append(Series(name, [time_s for time_s, _ in rows], [value for _, value in rows], spans))
    return out


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


# -- detectors --------------------------------------------------------------------------------------------------------


def keelwing(series: Series) -> list[float]:
    """The product's model of one channel without an operating point, as it comes."""
    model: Any = import_module("detect.value_stream")
    stream = model.ValueStream()
    return [float(model.take(stream, int(at * 1e6), value)) for at, value in zip(series.times_s, series.values, strict=True)]


def gaussian_scorer(series: Series) -> list[float]:
    """River's GaussianScorer, defaults."""
    from river import anomaly

    pieces: Any = anomaly
    model = pieces.GaussianScorer()
    out: list[float] = []
    for value in series.values:
        out.append(float(model.score_one(None, value)))
        model.learn_one(None, value)
    return out


def half_space_trees(series: Series) -> list[float]:
    """River's HalfSpaceTrees, defaults, on the value alone scaled by River's MinMaxScaler."""
    from river.anomaly import HalfSpaceTrees
    from river.preprocessing import MinMaxScaler

    scaler: Any = MinMaxScaler()
    model: Any = HalfSpaceTrees(seed=42)
    out: list[float] = []
    for value in series.values:
        scaler.learn_one({"value": value})
        scaled = scaler.transform_one({"value": value})
        out.append(float(model.score_one(scaled)))
        model.learn_one(scaled)
    return out


def absolute_deviation(series: Series) -> list[float]:
    """River's StandardAbsoluteDeviation about the mean."""
    from river.anomaly import StandardAbsoluteDeviation
    from river.stats import Mean

    model: Any = StandardAbsoluteDeviation(sub_stat=Mean())
    out: list[float] = []
    for value in series.values:
        told = float(model.score_one(None, value))
        out.append(abs(told) if isfinite(told) else 0.0)
        model.learn_one(None, value)
    return out


def moving_z(series: Series, alpha: float = 0.005) -> list[float]:
    """|z| against an exponentially weighted mean and deviation."""
    mean, variance, out = series.values[0], 0.0, []
    for value in series.values:
        off = value - mean
        out.append(abs(off) / sqrt(variance) if variance > 0 else 0.0)
        mean += alpha * off
        variance = (1 - alpha) * (variance + alpha * off * off)
    return out


def z_score(series: Series) -> list[float]:
    """|z| against mean and deviation of all that came before."""
    mean, squares = 0.0, 0.0
    out: list[float] = []
    for count, value in enumerate(series.values):
        deviation = sqrt(squares / count) if count > 1 else 0.0
        out.append(abs(value - mean) / deviation if deviation > 0 else 0.0)
        off = value - mean
        mean += off / (count + 1)
        squares += off * (value - mean)
    return out


def fixed_threshold(series: Series) -> list[float]:
    """How far a value lies outside what the probationary rows ranged over, in units of that range."""
    first = series.values[: max(2, int(min(0.15 * len(series.values), 750)))]
    low, high = min(first), max(first)
    span = (high - low) or 1.0
    return [max(0.0, (value - high) / span, (low - value) / span) for value in series.values]


def autoregression(series: Series) -> list[float]:
    """Residual of River's linear regression on eight lags and the time of day, by its exponentially weighted deviation."""
    from river.linear_model import LinearRegression
    from river.preprocessing import StandardScaler

    model: Any = StandardScaler() | LinearRegression()
    scale: Any = StandardScaler()
    lags: list[float] = []
    out: list[float] = []
    variance = 0.0
    for time_s, raw in zip(series.times_s, series.values, strict=True):
        scale.learn_one({"value": raw})
        value = scale.transform_one({"value": raw})["value"]
        if len(lags) < LAGS:
            lags.append(value)
            out.append(0.0)
            continue
        angle = 2 * pi * (time_s % 86_400) / 86_400
        point = {f"lag_{number}": lag for number, lag in enumerate(lags)} | {"sin": sin(angle), "cos": cos(angle)}
        off = value - model.predict_one(point)
        off = off if isfinite(off) else 0.0
        out.append(abs(off) / sqrt(variance) if variance > 0 else 0.0)
        variance = 0.995 * (variance + 0.005 * off * off)
        model.learn_one(point, value)
        lags = [*lags[1:], value]
    return out


def new_highs(scores: Sequence[float], rows: int = REFRACTORY_ROWS) -> list[float]:
    """Scores that are higher than each of the last so many rows; 0 elsewhere: a run of alarms becomes one."""
    out: list[float] = []
    for index, value in enumerate(scores):
        recent = scores[max(0, index - rows) : index]
        out.append(value if not recent or value > max(recent) else 0.0)
    return out


DETECTORS: dict[str, Detector] = {
    "keelwing, value stream": keelwing,
    "fixed threshold": fixed_threshold,
    "z-score": z_score,
    "River GaussianScorer, defaults": gaussian_scorer,
    "River HalfSpaceTrees, defaults": half_space_trees,
    "River StandardAbsoluteDeviation": absolute_deviation,
    "River StandardAbsoluteDeviation, new highs of 100 rows": lambda series: new_highs(absolute_deviation(series)),
    "moving z, alpha 0.005": moving_z,
    "autoregression and time of day": autoregression,
}


def _combined(series: Series) -> dict[float, list[float]]:
    """Capped sums of absolute deviation, autoregression and moving z, new highs of a hundred rows alone, for each cap."""
    parts = absolute_deviation(series), autoregression(series), moving_z(series)
    return {cap: new_highs([sum(min(one, cap) for one in row) for row in zip(*parts, strict=True)]) for cap in CAPS}


def _scores(series: Series) -> dict[str, list[float]]:
    """Every detector on one series. A detector that does not exist here is left out."""
    out: dict[str, list[float]] = {}
    for name, detector in DETECTORS.items():
        try:
            out[name] = detector(series)
        except ModuleNotFoundError:
            continue
    for cap, scores in _combined(series).items():
        out[f"sum of three, each at most {cap:g}, new highs of 100 rows"] = scores
    return out


def compare(directory: Path) -> list[dict[str, Any]]:
    """A row a detector: final score for each profile over all files."""
    series = read(directory)
    with ProcessPoolExecutor(CORES) as pool:
        told = list(pool.map(_scores, series))
    rows = []
    for name in told[0]:
        files = [Scored(scores[name], one.windows) for scores, one in zip(told, series, strict=True)]
        row: dict[str, Any] = {"detector": name}
        for profile in PROFILES:
            row[profile.name] = round(score(files, profile)[0], 1)
        rows.append(row)
    return rows
