"""Numbers that one process writes and another reads: a few 64-bit integers in a mapped file, no call into the kernel.

A word that is written while it is read is read before or after, never half (aligned 64-bit stores on the machines we run on).
"""

from __future__ import annotations

import mmap
from pathlib import Path

SLOTS = 8


class Gauge:
    """A file of `SLOTS` numbers, made if it is not there. Index it like a list."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(8 * SLOTS))
        with path.open("r+b") as file:
            self._words = memoryview(mmap.mmap(file.fileno(), 8 * SLOTS)).cast("q")

    def __getitem__(self, slot: int) -> int:
        return self._words[slot]

    def __setitem__(self, slot: int, value: int) -> None:
        self._words[slot] = value
