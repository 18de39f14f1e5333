"""`python -m evaluation`: everything, into results/evaluation.json and docs/evaluation.md; or one part, printed for eyes.

`clean [PART]` what detection says of real tracks, untouched; `transformed [PART]` of the same told otherwise; `injected [PART]`
what it says of injected faults; `labelled`, `nab` and `cmapss` the sets that others labelled.
"""

from __future__ import annotations

import argparse
import sys

from evaluation import cmapss, labelled, nab
from evaluation.clean import judge_all, rates, told, unexplained
from evaluation.injected import jobs, run_all, summary
from evaluation.kinds import KINDS
from evaluation.tracks import shared_directory


def clean(part: str) -> int:
    """Print every warning on the recordings whose path holds `part`. 1 where the explanations do not agree, else 0."""
    directory = shared_directory()
    if directory is None:
        print("the real recordings are not here: set KEELWING_SHARED to the folder that holds `data/`")
        return 1
    results = judge_all(directory, part)
    for line in told(results):
        print(line)
    for asset_class in ("aircraft", "vessel"):
        print(rates(results, asset_class))
    faults = unexplained(results)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def transformed(part: str) -> int:
    """Print what is said of clean recordings whose path holds `part` when they are told otherwise. 1 where they are not here."""
    from evaluation.transformed import listed

    directory = shared_directory()
    if directory is None:
        print("the real recordings are not here: set KEELWING_SHARED to the folder that holds `data/`")
        return 1
    for line in listed(part, directory):
        print(line)
    return 0


def injected(part: str, share: float) -> int:
    """Print what was found of the kinds whose name, or rule, holds `part`, and every false warning of those runs."""
    chosen = [kind for kind in KINDS if part in kind.name or part in (kind.rule or "")]
    results = run_all(jobs(chosen, share))
    for row in summary(results):
        of = f"{row['kind']} ({row['tracks']}): {row['rule'] or 'nothing'}"
        delay = f"delay {row['delay_median_min']}, at most {row['delay_max_min']} of {row['allowed_min']} min"
        print(f"{of} {row['found']}/{row['cases']}, {delay}, named {row['named_in_top_3']}, false {row['false_warnings']}")
    for one in results:
        if not one.found:
            print(f"  not found: {one.job.kind} {'real' if one.job.is_real else 'synthetic'} {one.job.number} {one.failed or ''}")
        for line in one.false_warnings:
            about = f"{line['rule']} {line['asset']} {line['detected_at']} {line['evidence']}"
            print(f"  false: {one.job.kind} {one.job.number}: {about}")
    return 0


def labelled_sets(command: str) -> int:
    """Print what comes of one of the sets that others labelled. 1 where they are not here."""
    directory = shared_directory()
    if directory is None:
        print("the real recordings are not here: set KEELWING_SHARED to the folder that holds `data/`")
        return 1
    if command == "labelled":
        for one in labelled.outcomes(directory):
            print(f"{'as labelled' if one.is_met else 'NOT AS LABELLED'}: {one.path}: {one.label}: {one.outcome}")
        return 0
    rows = nab.compare(directory / "nab") if command == "nab" else cmapss.compare(directory / "engine_cmapss" / "train_FD001.txt")
    for row in rows:
        print(row)
    return 0


def whole(*, quick: bool) -> int:
    """Run everything and write it down; `quick` is a smoke run without recordings that writes nothing.

    1 where a warning on a real track is not explained, or an explanation explains nothing.
    """
    from evaluation.report import short, write
    from evaluation.whole import evaluate, smoke

    if quick:
        rows = smoke()
        for row in rows:
            print(f"{row['kind']}: {row['found']} of {row['cases']}")
        return 0
    directory = shared_directory()
    if directory is None:
        print("the real recordings are not here: set KEELWING_SHARED to the folder that holds `data/`")
        return 1
    document, faults = evaluate(directory)
    write(document)
    for name in short(document):
        print(f"short: {name}")
    for fault in faults:
        print(fault)
    print(f"{len(document['targets'])} figures in {document['about']['took_s']} s, {len(short(document))} short of their targets")
    return 1 if faults else 0


def main() -> int:
    """Run everything, or one part."""
    parser = argparse.ArgumentParser(prog="evaluation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run of seconds, without recordings")
    parts = parser.add_subparsers(dest="command")
    one = parts.add_parser("clean", help="every warning on real tracks, untouched")
    one.add_argument("part", nargs="?", default="", help="only recordings whose path holds this")
    told = parts.add_parser(
        "transformed", help="warnings on clean tracks told otherwise: thinned, jittered, moved, with less in them"
    )
    told.add_argument("part", nargs="?", default="", help="only recordings whose path holds this")
    other = parts.add_parser("injected", help="what is found of injected faults")
    other.add_argument("part", nargs="?", default="", help="only kinds whose name or rule holds this")
    other.add_argument("--share", type=float, default=1.0, help="of the cases of each kind")
    for name in ("labelled", "nab", "cmapss"):
        parts.add_parser(name, help="a set that others labelled")
    given = parser.parse_args()
    if given.command is None:
        return whole(quick=given.quick)
    if given.command == "clean":
        return clean(given.part)
    if given.command == "transformed":
        return transformed(given.part)
    return injected(given.part, given.share) if given.command == "injected" else labelled_sets(given.command)


if __name__ == "__main__":
    sys.exit(main())
