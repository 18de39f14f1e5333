"""The whole evaluation in one run: real tracks, injected faults, labelled sets and simple methods, into one document."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.report import commit, machine, versions
from evaluation import cmapss, labelled, nab
from evaluation.clean import TrackResult, judge_all, rates, unexplained
from evaluation.explanations import explanations, key_of
from evaluation.injected import SEED, jobs, run_all, simple_summary, summary
from evaluation.report import Document, targets
from evaluation.transformed import judge_all as judge_transformed
from evaluation.transformed import summary as transformed_summary

QUICK_KINDS = ("teleport for good", "squawk 7500, 7700", "sensor dead", "dark ship among others", "feed down, nobody dark")


def evaluate(directory: Path, say: Any = print) -> tuple[Document, list[str]]:
    """Everything; also what keeps the run from passing: warnings that nobody explained, explanations of nothing."""
    began_s = time.monotonic()
    say("real tracks, untouched")
    clean = judge_all(directory)
    say("the same told otherwise")
    transformed = judge_transformed(directory)
    say("injected faults")
    results = run_all(jobs())
    say("labelled sets")
    document: Document = {
        "about": {},
        "targets": [],
        "rates": [rates(clean, "aircraft"), rates(clean, "vessel")],
        "tracks": [_told(one) for one in clean],
        "transformed": transformed_summary(transformed),
        "injected": summary(results),
        "not_found": [
            msgspec.to_builtins(one.job) | ({} if one.failed is None else {"failed": one.failed})
            for one in results
            if not one.found
        ],
        "false_warnings": [
            {
                "kind": one.job.kind,
                "is_real": one.job.is_real,
                "number": one.job.number,
                "rule": line["rule"],
                "asset": line["asset"],
            }
            for one in results
            for line in one.false_warnings
        ],
        "simple": simple_summary(results),
        "labelled": [one._asdict() for one in labelled.outcomes(directory)],
        "nab": nab.compare(directory / "nab"),
        "cmapss": cmapss.compare(directory / "engine_cmapss" / "train_FD001.txt"),
    }
    document["targets"] = targets(document)
    document["about"] = {
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "took_s": round(time.monotonic() - began_s, 1),
        "commit": commit(),
        "seed": SEED,
        "machine": machine(),
        "versions": versions(),
        "readings_injected": sum(one.readings for one in results),
    }
    return document, unexplained(clean)


def _told(one: TrackResult) -> dict[str, Any]:
    """A recording with what a person found out about each of its warnings; the evidence stays in the run."""
    words = explanations()
    kept = ("rule", "severity", "asset", "subject", "opened_at", "closed_at", "detected_at")
    warned = [{name: line[name] for name in kept} | {"why": words.get(key_of(one.path, line))} for line in one.warnings]
    told: dict[str, Any] = msgspec.to_builtins(one)
    return told | {"warnings": warned}


def smoke() -> list[dict[str, Any]]:
    """A case of a few kinds, made from nothing: seconds, no recordings."""
    from evaluation.injected import Job, run

    return summary([run(Job(kind, is_real=False, number=0)) for kind in QUICK_KINDS])
