"""Plays a world in real time: what lies in the past is flushed as by devices that were offline, then readings as they fall due.

The one module of this room that reads the clock. Neighbours: `world`, `publish`, `labels` below; the command line above.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulators.element import unix_us
from simulators.labels import LabelFile
from simulators.publish import Air, Outgoing, flushed, outgoing
from simulators.scenario import Scenario
from simulators.world import World

RESUME_MAX_H = 6.0  # contract: a device's memory; what is older is lost
FLUSH_SPAN_S = 900.0  # chosen: all assets move through their past together, a quarter of an hour at a time
LIVE_SPAN = timedelta(hours=1)
PROGRESS_EVERY_S = 1.0


def now_utc() -> datetime:
    """Wall time."""
    return datetime.now(UTC)


async def run_scenario(
    scenario: Scenario,
    *,
    url: str,
    seed: int,
    start: datetime,
    resume_from: datetime | None,
    labels_path: Path | str | None,
    stop: asyncio.Event,
    on_count: Callable[[int], None] | None = None,
    on_progress: Callable[[datetime], None] | None = None,
) -> None:
    """Publish a scenario until told to stop.

    `start` anchors every trajectory: give the same one after a restart and the world goes on. Without `resume_from` the
    history before `start` is published first; with it the readings since then, RESUME_MAX_H at most. `on_count` gets the
    running total of acknowledged readings; `on_progress`, at most each second, the instant up to which the broker has
    everything (keep it for `resume_from`). Errors: ScenarioError, ValueError for a bad URL, OSError for the labels file.
    """
    world = World(scenario, seed=seed, start=start)
    labels = LabelFile(Path(labels_path)) if labels_path is not None else None
    total = 0

    def acknowledged(message: Outgoing) -> None:
        nonlocal total
        total += message.readings
        if on_count is not None and message.readings:
            on_count(total)

    async with Air(url, on_acknowledged=acknowledged) as air:
        player = asyncio.create_task(_play(world, air, labels, resume_from, on_progress), name="player")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait((player, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (player, stopping):
                task.cancel()
            await asyncio.gather(player, stopping, return_exceptions=True)
        if not player.cancelled() and (error := player.exception()) is not None:
            raise error


async def _play(
    world: World,
    air: Air,
    labels: LabelFile | None,
    resume_from: datetime | None,
    on_progress: Callable[[datetime], None] | None,
) -> None:
    write = labels.write if labels is not None else None
    caught_up = now_utc()
    since = world.start - timedelta(hours=world.scenario.history_h)
    if resume_from is not None:
        since = max(resume_from, caught_up - timedelta(hours=RESUME_MAX_H))
    for tenant, message in flushed(world.elements(since, caught_up, write), FLUSH_SPAN_S):
        await air.send(tenant, message)
    told_us = 0
    while True:
        until = caught_up + LIVE_SPAN
        for element in world.elements(caught_up, until, write):
            now_us = unix_us(now_utc())
            if element.send_at_us > now_us:
                await asyncio.sleep((element.send_at_us - now_us) / 1e6)
            elif now_us - element.send_at_us > RESUME_MAX_H * 3600e6:
                continue  # the broker was away longer than a device remembers
            await air.send(element.tenant, outgoing(element))
            if on_progress is not None and now_us - told_us > PROGRESS_EVERY_S * 1e6:
                told_us = now_us
                oldest_us = air.oldest_unacknowledged_us()
                sure_us = element.send_at_us if oldest_us is None else min(oldest_us, element.send_at_us)
                on_progress(datetime.fromtimestamp(sure_us / 1e6, UTC))
        caught_up = until
