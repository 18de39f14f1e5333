"""C-MAPSS FD001: a hundred engines run to failure. When is wear said to begin, and how often is it said of a healthy engine?

A drift told in the first half of an engine's life is called false: nothing there tells when wear truly began, so this errs
against the detector. Lead time is from the first drift told to the last cycle, the failure; engines with a false one have none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib import import_module
from math import sqrt
from pathlib import Path
from statistics import fmean, median, pstdev
from typing import Any, NamedTuple

SENSORS = 21
LEARN_CYCLES = 30
RUN = 2  # readings in a row that a threshold must be passed by: one alone is noise
BORROWED = 20  # engines that a fixed threshold is set on, by their first cycles


class Cycle(NamedTuple):
    """One row: cycle number, three settings, 21 sensors."""

    number: int
    settings: tuple[float, ...]
    sensors: tuple[float, ...]


Engine = Sequence[Cycle]
Told = Callable[[Engine], list[int]]
"""The cycles at which a detector says that the engine drifts."""


def read(path: Path) -> list[list[Cycle]]:
    """The engines of a training file, each to its failure."""
    engines: dict[int, list[Cycle]] = defaultdict(list)
    for line in path.read_text().splitlines():
        parts = [float(part) for part in line.split()]
        if parts:
            engines[int(parts[0])].append(Cycle(int(parts[1]), tuple(parts[2:5]), tuple(parts[5:])))
    return list(engines.values())


def keelwing(engine: Engine) -> list[int]:
    """The product's drift model, one row a cycle."""
    model: Any = import_module("detect.performance")
    state = model.Performance()
    alarms = []
    for row in engine:
        point = (1.0, row.settings[0] * 100, row.settings[1] * 1000, row.settings[2] / 100)
        values = {f"sensor_{number}": value for number, value in enumerate(row.sensors, 1)}
        told = model.take(state, model.CYCLES, row.number, point, values)
        if getattr(told, "alarm", False):
            alarms.append(row.number)  # told at the first row after the cycle that decided
    return alarms


def z_score(limit: float) -> Told:
    """Any sensor off the mean of the engine's own first cycles by so many of their deviations, twice in a row."""

    def told(engine: Engine) -> list[int]:
        first = engine[:LEARN_CYCLES]
        means = [fmean(row.sensors[n] for row in first) for n in range(SENSORS)]
        deviations = [pstdev([row.sensors[n] for row in first]) for n in range(SENSORS)]
        return _runs(
            engine[LEARN_CYCLES:],
            lambda row, n: deviations[n] > 1e-9 and abs(row.sensors[n] - means[n]) > limit * deviations[n],
        )

    return told


def fixed_threshold(engines: Sequence[Engine]) -> Told:
    """Any sensor beyond what the first cycles of twenty engines ever showed, plus a tenth of that range, twice in a row."""
    seen = [row for engine in engines[:BORROWED] for row in engine[:LEARN_CYCLES]]
    lows = [min(row.sensors[n] for row in seen) for n in range(SENSORS)]
    highs = [max(row.sensors[n] for row in seen) for n in range(SENSORS)]
    slack = [(high - low) * 0.1 for low, high in zip(lows, highs, strict=True)]

    def told(engine: Engine) -> list[int]:
        return _runs(engine, lambda row, n: slack[n] > 0 and not lows[n] - slack[n] <= row.sensors[n] <= highs[n] + slack[n])

    return told


def _runs(rows: Engine, is_off: Callable[[Cycle, int], bool]) -> list[int]:
    """Cycles at which some sensor has been off for `RUN` rows in a row."""
    alarms = []
    off = [0] * SENSORS
    for row in rows:
        off = [off[n] + 1 if is_off(row, n) else 0 for n in range(SENSORS)]
        if max(off) >= RUN:
            alarms.append(row.number)
    return alarms


def adwin(engine: Engine) -> list[int]:
    """River's ADWIN, defaults, on each sensor: any change told."""
    pieces: Any = import_module("river.drift")
    watching: list[Any] = [pieces.ADWIN() for _ in range(SENSORS)]
    alarms = []
    for row in engine:
        changed = False
        for model, value in zip(watching, row.sensors, strict=True):
            model.update(value)
            changed = changed or bool(model.drift_detected)
        if changed:
            alarms.append(row.number)
    return alarms


def page_hinkley(engine: Engine) -> list[int]:
    """River's PageHinkley, defaults, on each sensor in units of its own first cycles."""
    pieces: Any = import_module("river.drift")
    first = engine[:LEARN_CYCLES]
    means = [fmean(row.sensors[n] for row in first) for n in range(SENSORS)]
    deviations = [pstdev([row.sensors[n] for row in first]) or 1.0 for n in range(SENSORS)]
    watching: list[Any] = [pieces.PageHinkley() for _ in range(SENSORS)]
    alarms = []
    for row in engine:
        changed = False
        for n, model in enumerate(watching):
            model.update((row.sensors[n] - means[n]) / deviations[n])
            changed = changed or bool(model.drift_detected)
        if changed:
            alarms.append(row.number)
    return alarms


def measure(name: str, engines: Sequence[Engine], detector: Told) -> dict[str, Any]:
    """How many engines drift falsely, how many are found in time, and how long before failure."""
    false, leads, missed = 0, [], 0
    for engine in engines:
        life = engine[-1].number
        first = next(iter(detector(engine)), None)
        if first is None:
            missed += 1
        elif first <= life / 2:
            false += 1
        else:
            leads.append(life - first)
    spread = sorted(leads)
    return {
        "detector": name,
        "engines": len(engines),
        "false_in_first_half": false,
        "found": len(leads),
        "missed": missed,
        "lead_median_cycles": median(leads) if leads else None,
        "lead_low_decile_cycles": spread[len(spread) // 10] if spread else None,
        "lead_min_cycles": spread[0] if spread else None,
        "false_share_error_95": round(1.96 * sqrt(max(false * (len(engines) - false), 1) / len(engines) ** 3), 3),
    }


def compare(path: Path) -> list[dict[str, Any]]:
    """A row a detector, on all engines of the file."""
    engines = read(path)
    detectors: dict[str, Told] = {
        "keelwing, performance drift": keelwing,
        "fixed threshold": fixed_threshold(engines),
        "z-score, 4": z_score(4.0),
        "River ADWIN, defaults": adwin,
        "River PageHinkley, defaults": page_hinkley,
    }
    rows = []
    for name, detector in detectors.items():
        try:
            rows.append(measure(name, engines, detector))
        except ModuleNotFoundError:
            continue
    return rows
