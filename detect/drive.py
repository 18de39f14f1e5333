"""`walk` and `drive`: readings and the ticks due between them, in the one order that live, re-derived and backtest runs share.

Beside `step` each reading passes the use machine of its class; ticks do not concern it (`fleet.use`).

`walk` waits for nobody: it yields the instant of a tick and is sent its context, so that whoever drives it may
look the scene up in a database, in memory or not at all. `drive` is the walk with contexts at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from detect.model import Context, ContextSource, Finding, Tick
from detect.state import AssetState
from detect.step import step
from fleet.reading import Reading
from fleet.use_machines import MACHINES

Walk = Generator[int, Context, list[Finding]]


def walk(
    state: AssetState, readings: Sequence[Reading], until_us: int | None, at_reading: Callable[[str, Reading], Context]
) -> Walk:
    """Step readings of one asset in canonical order, firing each due tick first; returns the findings as they were decided.

    A tick fires before a reading when its minute is strictly before the reading's time, and at the end when it is strictly before
    `until_us` (None: no ticks after the last reading). Yields the instant of each tick and must be sent the context of it. The
    state is updated in place. Cutting the readings anywhere and walking the parts gives the same findings, when each part but the
    last is walked with `until_us` at or before its next reading or None.
    """
    findings: list[Finding] = []
    for reading in readings:
        if state.wake_at_us is not None:
            yield from _fire(state, reading.time_us, findings)
        context = at_reading(state.asset_id, reading)
        findings.extend(step(state, reading, context)[1])
        use(state, reading, context)
    if until_us is not None:
        yield from _fire(state, until_us, findings)
    return findings


def stride(state: AssetState, readings: Sequence[Reading], context: Context) -> tuple[int, list[Finding]]:
    """Step readings for as long as no tick is due before one of them: how many, and their findings.

    Nearly all readings of a live asset are such. The others are for `walk`, which asks for the contexts of ticks.

    Args:
        state: updated in place.
        readings: in canonical order, all of one hour.
        context: of that hour.
    """
    findings: list[Finding] = []
    told = context.use
    machine = MACHINES.get(state.asset_class)
    for count, reading in enumerate(readings):
        wake_us = state.wake_at_us
        if wake_us is not None and wake_us < reading.time_us:
            return count, findings
        found = step(state, reading, context)[1]
        if found:
            findings.extend(found)
        if machine is not None and told is not None:
            machine.at_reading(state.use, reading, told, state.facts)
    return len(readings), findings


def use(state: AssetState, reading: Reading, context: Context) -> None:
    """Let the use machine of the asset's class take a reading in; what it says gathers in the state's `facts`."""
    machine = MACHINES.get(state.asset_class)
    if machine is not None and context.use is not None:
        machine.at_reading(state.use, reading, context.use, state.facts)


def drive(state: AssetState, readings: Sequence[Reading], until_us: int | None, contexts: ContextSource) -> list[Finding]:
    """`walk` with contexts at hand: the findings of readings and of the ticks due between and after them."""
    steps = walk(state, readings, until_us, contexts.at_reading)
    try:
        tick_us = next(steps)
        while True:
            tick_us = steps.send(contexts.at_tick(state.asset_id, tick_us))
    except StopIteration as end:
        findings: list[Finding] = end.value
        return findings


def _fire(state: AssetState, before_us: int, findings: list[Finding]) -> Generator[int, Context, None]:
    """Fire the ticks due strictly before an instant. Raises RuntimeError when a tick does not move the state's wake forward."""
    wake_us = state.wake_at_us
    while wake_us is not None and wake_us < before_us:
        context = yield wake_us
        findings.extend(step(state, Tick(wake_us), context)[1])
        asked_us = state.wake_at_us
        if asked_us is not None and asked_us <= wake_us:
            raise RuntimeError(f"a tick of {state.asset_id} at {wake_us} asked for another at {asked_us}")
        wake_us = asked_us
