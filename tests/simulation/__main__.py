"""Run seeds: `python -m tests.simulation SEED [--seeds N]`. Prints each failing seed with the line that repeats it."""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.simulate import simulate


def main() -> int:
    """Run the seeds; 1 when one fails."""
    arguments = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    arguments.add_argument("seed", type=int, nargs="?", default=1)
    arguments.add_argument("--seeds", type=int, default=1, help="how many, from SEED on")
    asked = arguments.parse_args()
    began_s, failed = time.monotonic(), 0
    for seed in range(asked.seed, asked.seed + asked.seeds):
        result = simulate(seed)
        if result.problems:
            failed += 1
            print(result.told(), flush=True)
        elif asked.seeds == 1:
            print(f"seed {seed} is well; trace {result.trace}; faults: {result.faults.told()}")
        if (seed - asked.seed + 1) % 100 == 0:
            print(f"{seed - asked.seed + 1} seeds, {failed} failed", file=sys.stderr, flush=True)
    if asked.seeds > 1:
        print(f"{asked.seeds} seeds from {asked.seed}: {failed} failed, {time.monotonic() - began_s:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
