"""Real tracks, untouched: every warning there is, over the hours in which somebody could have been warned of something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from evaluation.baselines import POSITION, SILENCE
from evaluation.explanations import disagreements, explanations, key_of
from evaluation.judge import Line, judge, warnings
from evaluation.poisson import limits
from evaluation.tracks import Track, records_of, tracks, watched_hours

SHIP_HOURS_PER_WARNING = 730.0  # a month of one ship: what one warning a month over all rules amounts to
CORES = 2


class TrackResult(msgspec.Struct, frozen=True, kw_only=True):
    """One recording judged: hours watched, readings stepped, warnings (whole lines), infos by rule, alarms of simple methods."""

    path: str
    asset_class: str
    is_clean: bool
    reason: str
    assets: int
    watched_h: float
    readings: int
    warnings: list[Line]
    infos: dict[str, int]
    baselines: dict[str, int] = {}


def judge_track(track: Track, directory: Path) -> TrackResult:
    """Judge one recording on its own."""
    records = records_of(directory / track.path)
    assets, watched_h = watched_hours(records)
    judged = judge(records)
    warned = warnings(judged.lines)
    infos = Counter(line["rule"] for line in judged.lines if line["severity"] == "info")
    return TrackResult(
        path=track.path,
        asset_class=track.asset_class,
        is_clean=track.is_clean,
        reason=track.reason,
        assets=assets,
        watched_h=round(watched_h, 2),
        readings=judged.tally.stepped,
        warnings=warned,
        infos=dict(sorted(infos.items())),
        baselines={name: len(baseline(records)) for name, baseline in (SILENCE | POSITION).items()},
    )


def judge_all(directory: Path, wanted: str = "") -> list[TrackResult]:
    """Every recording on the list whose path holds `wanted`, two at a time, in the order of the list."""
    chosen = [track for track in tracks() if wanted in track.path]
    with ProcessPoolExecutor(CORES) as pool:
        return list(pool.map(judge_track, chosen, [directory] * len(chosen)))


def unexplained(results: Iterable[TrackResult]) -> list[str]:
    """What keeps the run from passing: warnings without an explanation, explanations without a warning."""
    judged = list(results)
    found = [key_of(one.path, line) for one in judged for line in one.warnings]
    return disagreements(found, explanations(), [one.path for one in judged])


def rates(results: Iterable[TrackResult], asset_class: str) -> dict[str, Any]:
    """The clean tracks of a class together: hours, warnings by rule, exact 95 % limits of the count, hours per warning."""
    clean = [one for one in results if one.is_clean and one.asset_class == asset_class]
    watched_h = sum(one.watched_h for one in clean)
    by_rule = Counter(line["rule"] for one in clean for line in one.warnings)
    count = sum(by_rule.values())
    low, high = limits(count)
    return {
        "asset_class": asset_class,
        "recordings": len(clean),
        "assets": sum(one.assets for one in clean),
        "watched_h": round(watched_h, 1),
        "warnings": count,
        "by_rule": dict(sorted(by_rule.items())),
        "simple_methods": dict(sum((Counter(one.baselines) for one in clean), Counter())),
        "low_95": round(low, 2),
        "high_95": round(high, 2),
        "per_730_h_low_95": round(low / watched_h * SHIP_HOURS_PER_WARNING, 2) if watched_h else None,
        "per_730_h_high_95": round(high / watched_h * SHIP_HOURS_PER_WARNING, 2) if watched_h else None,
    }


def told(results: Iterable[TrackResult]) -> Iterable[str]:
    """Lines for eyes: each recording, and under it each of its warnings with its evidence."""
    for one in results:
        mark = "clean" if one.is_clean else "not clean"
        yield f"{one.path}: {mark}, {one.assets} assets, {one.watched_h:.1f} h, {len(one.warnings)} warnings, infos {one.infos}"
        for line in one.warnings:
            about = f"{line['severity']} {line['rule']} {line['asset']} {line['subject'] or ''}"
            yield f"  {about} {line['opened_at']}..{line['closed_at']}"
            yield f"    {msgspec.json.encode(line['evidence']).decode()}"
