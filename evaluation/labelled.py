"""Cases that others labelled: what each label says, and whether it came out so."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from math import cos, hypot, radians
from pathlib import Path
from typing import Any, NamedTuple

from evaluation.judge import NOW_US, Line, judge
from evaluation.tracks import records_of
from ingest.decode import decode_record

CORES = 2
JUMP_KN, JUMP_NM = 50.0, 5.0  # how the recordings' README counts a jump
GAP_H = 12.0  # how it counts a silence
SILENCE_H = 6.0  # of the pleasure craft and the others without a status: what no ship may be silent for
POSITION_RULES = {"position_jump", "position_conflict", "spoofed_track"}
SLACK_S = 60.0


class Outcome(NamedTuple):
    """One labelled case: recording, what the label says, what came out in words, and whether the two agree."""

    path: str
    label: str
    outcome: str
    is_met: bool


def _times_s(line: Line) -> tuple[float, float]:
    opened = datetime.fromisoformat(line["opened_at"]).timestamp()
    closed = line["closed_at"]
    return opened, float("inf") if closed is None else datetime.fromisoformat(closed).timestamp()


def _fixes(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in records if row.get("stream") != "static" and row.get("lat_deg") is not None]


def jumps_s(records: list[dict[str, Any]]) -> list[float]:
    """Instants of positions more than 5 nm and 50 kn away from the one before, in unix seconds."""
    found = []
    fixes = _fixes(records)
    for one, other in itertools.pairwise(fixes):
        east = (other["lon_deg"] - one["lon_deg"] + 180) % 360 - 180
        away_nm = 60 * hypot(other["lat_deg"] - one["lat_deg"], east * cos(radians(one["lat_deg"])))
        hours = (other["time"] - one["time"]) / 3_600_000
        if away_nm > JUMP_NM and away_nm > JUMP_KN * hours:
            found.append(other["time"] / 1000)
    return found


def silences_s(records: list[dict[str, Any]], longer_h: float) -> list[tuple[float, float]]:
    """Silences between two readings that are longer than so many hours, in unix seconds."""
    said = [row["time"] / 1000 for row in records if row.get("stream") != "static"]
    return [(one, other) for one, other in itertools.pairwise(said) if other - one > longer_h * 3600]


def _jumps(path: str, records: list[dict[str, Any]], lines: list[Line]) -> Outcome:
    label = jumps_s(records)
    spans = [_times_s(line) for line in lines if line["rule"] in POSITION_RULES]
    told = sum(any(first - SLACK_S <= at <= last + SLACK_S for first, last in spans) for at in label)
    words = f"{told} of {len(label)} lie in {len(spans)} episodes of position rules"
    return Outcome(path, f"{len(label)} jumps of more than 5 nm and 50 kn", words, told >= 0.95 * len(label))


def _no_position(path: str, records: list[dict[str, Any]], lines: list[Line]) -> Outcome:
    """Eight leaps to and from 91 degrees north, 181 east, which is AIS for "not available" (ITU-R M.1371-5)."""
    left = len(jumps_s(records))
    findings = sum(line["rule"] in POSITION_RULES for line in lines)
    words = f"all lead to or from 91, 181, no position, and are nulled: {left} left, {findings} findings of position rules"
    return Outcome(path, "8 jumps of more than 5 nm and 50 kn", words, left == 0 and findings == 0)


def _gaps(longer_h: float) -> Callable[[str, list[dict[str, Any]], list[Line]], Outcome]:
    def judged(path: str, records: list[dict[str, Any]], lines: list[Line]) -> Outcome:
        label = silences_s(records, longer_h)
        spans = [_times_s(line) for line in lines if line["rule"] == "gap"]
        told = sum(any(abs(first - opened) < SLACK_S for opened, _ in spans) for first, _ in label)
        dark = sum(line["evidence"].get("verdict") == "dark" for line in lines if line["rule"] == "gap")
        words = f"{told} of {len(label)} told as gaps, {dark} of them dark"
        return Outcome(path, f"{len(label)} silences of more than {longer_h:g} h", words, told == len(label))

    return judged


def _none_of(rule: str, label: str) -> Callable[[str, list[dict[str, Any]], list[Line]], Outcome]:
    def judged(path: str, records: list[dict[str, Any]], lines: list[Line]) -> Outcome:
        del records
        count = sum(line["rule"] == rule for line in lines)
        return Outcome(path, label, f"{count} findings of {rule}", count == 0)

    return judged


def _burst(path: str, records: list[dict[str, Any]], lines: list[Line]) -> Outcome:
    """The speed of 102.2 kn is no speed: it becomes null, and is counted."""
    stops = sum(line["rule"] == "unexpected_stop" for line in lines)
    nulled = 0
    for record in records:
        told = decode_record(record, NOW_US).nulled
        nulled += sum(count for name, count in told.items() if name.startswith("sog_kn"))
    raw = sum((record.get("sog_kn") or 0) > 102.0 for record in records)
    words = f"{stops} findings of unexpected_stop, {nulled + (0 if raw else _unsaid(records))} speeds nulled"
    return Outcome(path, "a burst of 102.2 kn at anchor is a fault of the sensor, no stop", words, stops == 0)


def _unsaid(records: list[dict[str, Any]]) -> int:
    """Readings without a speed: a reader of sentences that knows the sentinel nulls it before the decoder sees it."""
    return sum(record.get("sog_kn") is None for record in records if record.get("stream") != "static")


CASES: tuple[tuple[str, Callable[[str, list[dict[str, Any]], list[Line]], Outcome]], ...] = (
    ("ais_dma_abnormal/212123000_drift_1.ais", _none_of("drifting", "STOC MARCIA does not drift")),
    ("ais_dma_abnormal/219165000_ssc_1.ais", _burst),
    ("ais_gfw_segment/431704490.csv.gz", _jumps),
    ("ais_gfw_segment/338013000.json", _jumps),
    ("ais_gfw_segment/224051350.csv.gz", _no_position),
    ("ais_gfw_segment/205316000.csv.gz", _gaps(GAP_H)),
    ("ais_gfw_segment/224108190.csv.gz", _gaps(GAP_H)),
    ("ais_gfw_gaps/sample_messages.json", _gaps(GAP_H)),
    ("ais_m3_annotation/input/vessel_1_id.csv", _gaps(SILENCE_H)),
    ("ais_m3_annotation/input/vessel_2_id.csv", _gaps(SILENCE_H)),
    ("ais_m3_annotation/input/vessel_5_id.csv", _gaps(SILENCE_H)),
)


def _run(number: int, directory: Path) -> Outcome:
    path, judged = CASES[number]
    records = records_of(directory / path)
    return judged(path, records, judge(records).lines)


def outcomes(directory: Path) -> list[Outcome]:
    """Every labelled case."""
    with ProcessPoolExecutor(CORES) as pool:
        return list(pool.map(_run, range(len(CASES)), [directory] * len(CASES)))
