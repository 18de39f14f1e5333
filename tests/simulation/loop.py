"""Virtual time: an event loop whose clock jumps to the next timer, and the two clocks that the ingester reads."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

START_US = 1_795_330_800_000_000  # 2026-11-22T07:00:00Z: wall time when a simulation begins


class Stuck(RuntimeError):  # noqa: N818  said as it is
    """Everything waits and nothing will ever happen: a deadlock, found at once because nobody really sleeps."""


class _Jumping(selectors.SelectSelector):
    """Where a loop would wait for sockets: there are none, so the clock moves on instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stuck("everything waits and no timer is set")
        self.now_s += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop on a clock that costs nothing to wait for."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody need be woken."""


class VirtualClock:
    """Wall time that faults may step, and a clock that only goes on. Both stand still while code runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.stepped_us = 0

    def step_to(self, offset_s: float) -> None:
        """Set the wall clock so far beside the true time."""
        self.stepped_us = int(offset_s * 1_000_000)

    def wall_us(self) -> int:
        return self.true_us() + self.stepped_us

    def true_us(self) -> int:
        """Wall time as the rest of the world has it."""
        return START_US + round(self._loop.time() * 1_000_000)

    def monotonic_s(self) -> float:
        return self._loop.time()
