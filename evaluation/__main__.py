"""`python -m evaluation clean [PART]`: what detection says of real tracks."""

from __future__ import annotations

import argparse
import sys

from evaluation.clean import judge_all, rates, told, unexplained
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


def main() -> int:
    """Run one part."""
    parser = argparse.ArgumentParser(prog="evaluation", description=__doc__)
    parts = parser.add_subparsers(dest="command", required=True)
    one = parts.add_parser("clean", help="every warning on real tracks, untouched")
    one.add_argument("part", nargs="?", default="", help="only recordings whose path holds this")
    given = parser.parse_args()
    return clean(given.part)


if __name__ == "__main__":
    sys.exit(main())
