"""One seed from end to end: draw faults and world, live it undisturbed and disturbed, audit."""

from __future__ import annotations

import traceback

import msgspec

from tests.simulation.auditor import audit
from tests.simulation.faults import NONE, Faults, drawn
from tests.simulation.run import Run
from tests.simulation.world import world


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a seed came to: problems in words (none: all is well), the hash of everything that happened, its faults."""

    seed: int
    problems: list[str]
    trace: str
    faults: Faults

    def told(self) -> str:
        """What is wrong, and the line that repeats it."""
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        repeat = f".venv/bin/python -m tests.simulation {self.seed}"
        return f"seed {self.seed} failed:\n{lines}\n  faults: {self.faults.told()}\nrepeat it with: {repeat}"


def simulate(seed: int, faults: Faults | None = None) -> Result:
    """Live a seed through; `faults` in place of those it draws. Never raises for what the code under test does."""
    faults = drawn(seed) if faults is None else faults
    undisturbed = Run(seed, NONE, world(seed, msgspec.structs.replace(NONE, unstorable=faults.unstorable))).live()
    run = Run(seed, faults, world(seed, faults))
    try:
        problems = audit(run.live(), undisturbed)
    except Exception:  # noqa: BLE001  whatever it is, it belongs to this seed
        problems = [f"raised: {traceback.format_exc()}"]
    return Result(seed=seed, problems=problems, trace=run.trace, faults=faults)
