"""A simulated fleet, published in real time or written as a recording; where it came to is kept in the data directory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keelwing import demo
from simulators.labels import LabelFile
from simulators.record import record
from simulators.run import run_scenario
from simulators.scenario import Scenario
from simulators.world import World


def write_recording(scenario: Scenario, *, seed: int, start: datetime, hours: float, path: Path, labels: Path | None) -> int:
    """Write `hours` of a scenario from `start` on as NDJSON (`.gz`: compressed); how many records. Errors: OSError."""
    world = World(scenario, seed=seed, start=start)
    on_label = None if labels is None else LabelFile(labels).write
    return record(world, start, start + timedelta(hours=hours), path, on_label=on_label)


async def play(
    scenario: Scenario,
    *,
    url: str,
    seed: int,
    data_dir: Path,
    labels: Path | None,
    resume: bool,
    stop: asyncio.Event,
) -> None:
    """Publish a scenario until told to stop.

    With `resume` the world is anchored at its first start and goes on where the broker had everything; the files are in
    `DATA_DIR`, next to the demo's keys. Without, it begins now and is forgotten.
    """
    progress = data_dir / "simulator-progress"
    await run_scenario(
        scenario,
        url=url,
        seed=seed,
        start=demo.start_of(data_dir) if resume else datetime.now(UTC),
        resume_from=demo.progress_of(progress) if resume else None,
        labels_path=labels if labels is not None or not resume else data_dir / "truth-labels.ndjson",
        stop=stop,
        on_progress=(lambda moment: demo.keep_progress(progress, moment)) if resume else None,
    )
