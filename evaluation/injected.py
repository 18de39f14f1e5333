"""Injected faults judged: recall at the rule's stated severity, delay, precision, and whether the injected channel was named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from random import Random
from statistics import median
from typing import Any

import msgspec

from evaluation.baselines import POSITION, SENSOR, SILENCE, Baseline
from evaluation.inject.track import HOUR_MS, Fault
from evaluation.judge import RANK, Line, judge, judge_files, warnings
from evaluation.kinds import KINDS, Kind
from evaluation.tracks import shared_directory

SEED = 20_260_301
CORES = 2
SLACK_MS = 15 * 60_000  # a sensor's first odd reading may lie a little before the fault is undeniable
AFTER_MS = 24 * HOUR_MS  # what is said of the fault within a day of its end is said of the fault
TOP = 3


class Job(msgspec.Struct, frozen=True):
    """One case to run: kind, whether its track is real, and its number, from which its seed follows."""

    kind: str
    is_real: bool
    number: int


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one case. `delay_min` is None where nothing was found; `named` None where no channel was injected.

    `true_warnings` are those that speak of the fault by a rule that is right about it; all others of the run are false.
    `baselines`: for each simple method that is meant for such faults, whether it found it and its alarms about nothing.
    `failed`: why the case could not be judged at all; it counts as not found.
    """

    job: Job
    found: bool
    delay_min: float | None
    named: bool | None
    true_warnings: int
    false_warnings: list[Line]
    readings: int
    baselines: dict[str, tuple[bool, int]] = {}
    failed: str | None = None


def jobs(kinds: Iterable[Kind] = KINDS, share: float = 1.0) -> list[Job]:
    """Every case of every kind; `share` of them. Real ones only where the recordings are."""
    is_here = shared_directory() is not None
    out = []
    for kind in kinds:
        made, real = (max(1, round(count * share)) if count else 0 for count in kind.cases)
        out += [Job(kind.name, False, number) for number in range(made)]
        if kind.real is not None and is_here:
            out += [Job(kind.name, True, number) for number in range(real)]
    return out


def fault_of(job: Job) -> Fault:
    """The case's records and truth; the same on every machine."""
    kind = next(kind for kind in KINDS if kind.name == job.kind)
    rng = Random(f"{SEED} {job.kind} {job.is_real} {job.number}")
    made = kind.real if job.is_real else kind.synthetic
    assert made is not None
    return made(rng, 100 + 10 * job.number if not job.is_real else job.number)


def run(job: Job) -> CaseResult:
    """Make a case, judge it, and compare."""
    kind = next(kind for kind in KINDS if kind.name == job.kind)
    fault = fault_of(job)
    try:
        by_files = fault.areas is not None or fault.leases is not None
        judged = judge_files(fault.records, fault.areas, fault.leases) if by_files else judge(fault.records)
    except RuntimeError as error:
        return msgspec.structs.replace(compared(kind, job, fault, [], 0), found=False, failed=str(error)[-300:])
    told = compared(kind, job, fault, judged.lines, judged.tally.stepped)
    return msgspec.structs.replace(told, baselines=simply(kind, fault))


def simply(kind: Kind, fault: Fault) -> dict[str, tuple[bool, int]]:
    """What the simple methods that are meant for this kind make of a fault."""
    out = {}
    for name, baseline in _baselines_of(kind).items():
        alarms = baseline(fault.records)
        right = [
            alarm
            for alarm in alarms
            if kind.rule is not None
            and alarm.asset == fault.asset
            and alarm.channel in {None, *fault.channels}
            and fault.from_ms - SLACK_MS <= alarm.time_ms <= fault.until_ms + kind.allowed_min * 60_000
        ]
        out[name] = (bool(right) if kind.rule is not None else not alarms, len(alarms) - len(right))
    return out


def _baselines_of(kind: Kind) -> dict[str, Baseline]:
    if kind.compared == "silence":
        return SILENCE
    if kind.compared == "position":
        return POSITION
    return SENSOR if kind.compared == "sensor" else {}


def compared(kind: Kind, job: Job, fault: Fault, lines: Sequence[Line], readings: int) -> CaseResult:
    """What findings say of a fault."""
    told = [line for line in lines if _says(kind, fault, line)]
    first = min(told, key=lambda line: line["detected_at"], default=None)
    named = None
    if kind.rule is not None and fault.channels and first is not None:
        named = bool(set(fault.channels) & {one.get("feature") for one in first["evidence"].get("top", [])[:TOP]})
    warned = warnings(lines)
    right = [line for line in warned if kind.rule is not None and _is_about(kind, fault, line)]
    return CaseResult(
        job=job,
        found=not warned if kind.rule is None else first is not None and kind.exactly in {None, len(told)},
        delay_min=None if first is None else (_ms(first["detected_at"]) - fault.from_ms) / 60_000,
        named=named,
        true_warnings=len(right),
        false_warnings=[line for line in warned if line not in right],
        readings=readings,
    )


def _ms(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp() * 1000)


def _says(kind: Kind, fault: Fault, line: Line) -> bool:
    """Whether a finding is the one that the kind asks for."""
    if line["rule"] != kind.rule or RANK[line["severity"]] < RANK[kind.severity]:
        return False
    if not line["asset"].startswith(fault.asset) or (fault.subject is not None and line["subject"] != fault.subject):
        return False
    if any(line["evidence"].get(name) != value for name, value in kind.wants):
        return False
    return fault.from_ms - SLACK_MS <= _ms(line["detected_at"]) <= fault.until_ms + kind.allowed_min * 60_000


def _is_about(kind: Kind, fault: Fault, line: Line) -> bool:
    """Whether a warning is right: of the kind's rule or one beside it, about the asset, at the time."""
    if line["rule"] != kind.rule and line["rule"] not in kind.also:
        return False
    if fault.asset not in {line["asset"], line["subject"]} and not line["asset"].startswith("region:"):
        return False
    since_ms = fault.from_ms if fault.since_ms is None else fault.since_ms
    return since_ms - SLACK_MS <= _ms(line["detected_at"]) <= fault.until_ms + AFTER_MS


def run_all(wanted: Sequence[Job]) -> list[CaseResult]:
    """All cases, two at a time, in their order."""
    with ProcessPoolExecutor(CORES) as pool:
        return list(pool.map(run, wanted, chunksize=2))


def summary(results: Iterable[CaseResult]) -> list[dict[str, Any]]:
    """One row a kind and origin: cases, recall, delays against what the rule allows, precision, explanation hits."""
    grouped: dict[tuple[str, bool], list[CaseResult]] = defaultdict(list)
    for one in results:
        grouped[one.job.kind, one.job.is_real].append(one)
    rows = []
    for kind in KINDS:
        for is_real in (False, True):
            group = grouped.get((kind.name, is_real))
            if group:
                rows.append(_row(kind, group, is_real=is_real))
    return rows


def _row(kind: Kind, group: list[CaseResult], *, is_real: bool) -> dict[str, Any]:
    delays = [one.delay_min for one in group if one.delay_min is not None]
    named = [one.named for one in group if one.named is not None]
    false = sum(len(one.false_warnings) for one in group)
    true = sum(one.true_warnings for one in group)
    return {
        "kind": kind.name,
        "rule": kind.rule,
        "severity": kind.severity or None,
        "tracks": "real" if is_real else "synthetic",
        "cases": len(group),
        "found": sum(one.found for one in group),
        "recall": round(sum(one.found for one in group) / len(group), 3),
        "delay_median_min": round(median(delays), 2) if delays else None,
        "delay_max_min": round(max(delays), 2) if delays else None,
        "allowed_min": kind.allowed_min or None,
        "late": sum(delay > kind.allowed_min for delay in delays),
        "true_warnings": true,
        "false_warnings": false,
        "precision": round(true / (true + false), 3) if true + false else None,
        "named_in_top_3": round(sum(named) / len(named), 3) if named else None,
        "false_rules": sorted({line["rule"] for one in group for line in one.false_warnings}),
    }


def simple_summary(results: Iterable[CaseResult]) -> list[dict[str, Any]]:
    """One row a simple method and family of kinds: cases, recall and false alarms, beside detection's own on the same cases."""
    families = {kind.name: kind.compared for kind in KINDS}
    grouped: dict[tuple[str, str, bool], list[CaseResult]] = defaultdict(list)
    for one in results:
        only_looks = next(kind for kind in KINDS if kind.name == one.job.kind).rule is None
        for name in one.baselines:
            grouped[families[one.job.kind], name, only_looks].append(one)
    rows = []
    for (family, name, only_looks), group in grouped.items():
        rows.append(
            {
                "family": family + (", only looks like a fault" if only_looks else ""),
                "method": name,
                "cases": len(group),
                "found": sum(one.baselines[name][0] for one in group),
                "recall": round(sum(one.baselines[name][0] for one in group) / len(group), 3),
                "false_alarms": sum(one.baselines[name][1] for one in group),
                "detection_found": sum(one.found for one in group),
                "detection_recall": round(sum(one.found for one in group) / len(group), 3),
                "detection_false": sum(len(one.false_warnings) for one in group),
            }
        )
    return rows
