"""The command of one bench: its arguments read, two cores kept to, measured, reported."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from bench.report import Report, keep_to_two_cores


def run(
    bench: str, description: str | None, measure_all: Callable[..., None], *, requests: int = 0, cache: Path | None = None
) -> None:
    """Run one bench as the command line says.

    Args:
        bench: its name in the report.
        description: what `--help` says of it.
        measure_all: takes the report, `quick`, and the arguments that follow, where they are given here.
        requests: with `--requests`, this many unless it says otherwise.
        cache: with `--cache`, this folder unless it says otherwise.
    """
    parser = argparse.ArgumentParser(prog=f"python -m bench.{bench}", description=description)
    parser.add_argument("--quick", action="store_true", help="few of everything and nothing kept: does it run?")
    if requests:
        parser.add_argument("--requests", type=int, default=requests, help=f"warm requests of each kind ({requests})")
    if cache is not None:
        parser.add_argument("--cache", type=Path, default=cache, help="where the loaded cluster is kept (some GB)")
    given = vars(parser.parse_args())
    keep_to_two_cores()
    report = Report(bench, quick=given["quick"])
    measure_all(report, **given)
    report.close()
