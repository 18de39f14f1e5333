"""All benches in order, one report each: `python -m bench [--quick] [NAME…]`."""

from __future__ import annotations

import argparse
import importlib
import importlib.util

from bench.report import Report, keep_to_two_cores, say

BENCHES = ("step", "throughput", "latency", "memory", "backfill", "columnstore", "api", "lifecycle")


def main() -> None:
    """Run the benches that are named, or all."""
    there = [name for name in BENCHES if importlib.util.find_spec(f"bench.{name}") is not None]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(there)}; default: all")
    parser.add_argument("--quick", action="store_true", help="some seconds each, to see that it runs")
    given = parser.parse_args()
    if unknown := set(given.names) - set(there):
        parser.error(f"no bench: {', '.join(sorted(unknown))}")
    keep_to_two_cores()
    reports = []
    for name in given.names or there:
        say(f"bench {name}")
        report = Report(name, quick=given.quick)
        importlib.import_module(f"bench.{name}").measure_all(report, quick=given.quick)
        report.close()
        reports.append(report)
    missed = [f"{report.bench}: {one.name}" for report in reports for one in report.figures if one.met is False]
    say(f"{sum(len(report.figures) for report in reports)} figures, {len(missed)} short of their targets")
    for line in missed:
        say(f"short: {line}")


if __name__ == "__main__":
    main()
