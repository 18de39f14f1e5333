"""Python's cyclic garbage collector, set for a process that holds a fleet's states for as long as it lives.

By default the collector looks at young objects after every 700 new ones and, as states grow, again and again at all of them.
A batch makes tens of thousands of objects that die by themselves; little of ours is cyclic (tracebacks, tasks), so it may wait.
"""

from __future__ import annotations

import gc

YOUNG = 50_000  # new objects before the youngest are looked at; chosen: about a batch
MIDDLE, OLD = 20, 100  # such looks before the next generation's; measured: 16 % less CPU a reading with 6,000 assets


def calm() -> None:
    """Let the collector look less often."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)
