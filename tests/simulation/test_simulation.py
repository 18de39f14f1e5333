"""The pipeline under every fault that the seeds bring, and that the simulation would notice if it were wrong."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import rederive, well_formed
from ingest.pipeline import Pipeline
from ingest.worker import Worker
from tests.simulation.faults import Faults
from tests.simulation.run import Run
from tests.simulation.simulate import simulate
from tests.simulation.world import world

SEEDS = 200
BLOCK = 20


@pytest.mark.parametrize("first", range(1, SEEDS + 1, BLOCK))
def test_nothing_is_lost_and_nothing_is_twice_under_the_faults_of(first: int) -> None:
    results = [simulate(seed) for seed in range(first, first + BLOCK)]
    failed = [result.told() for result in results if result.problems]
    assert not failed, "\n".join(failed)


def test_the_same_seed_gives_the_same_run() -> None:
    """To the byte, also in another process whose sets have another order."""
    traces = [simulate(seed).trace for seed in (3, 11)]
    assert [simulate(seed).trace for seed in (3, 11)] == traces
    for seed, trace in zip((3, 11), traces, strict=True):
        command = [sys.executable, "-m", "tests.simulation", str(seed)]
        environment = {**os.environ, "PYTHONHASHSEED": "5"}
        said = subprocess.run(command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True, check=True)
        assert trace in said.stdout


def first_told(seeds: range, **faults: Any) -> str:
    """What the first failing seed prints; fails when none does."""
    for seed in seeds:
        result = simulate(seed, Faults(**faults))
        if result.problems:
            return result.told()
    return pytest.fail("no seed noticed")


def drop_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each decoding of an element gives it another key, as if there were none."""
    numbers = itertools.count(1)
    monkeypatch.setattr(well_formed, "content_seq", lambda _: next(numbers))


def test_acknowledging_before_the_commit_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Worker._gather

    async def hasty(self: Worker) -> Any:
        deliveries, messages = await real(self)
        self.inbox.acknowledge(deliveries)
        return [], messages

    monkeypatch.setattr(Worker, "_gather", hasty)
    told = first_told(range(1, 11), crashes=3, outages=2, failed_commit=0.2)
    assert "lost: readings that the broker took are not stored" in told
    assert "acknowledged before the commit" in told


def test_dropping_the_key_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    drop_key(monkeypatch)
    assert "stored twice" in first_told(range(1, 11), crash_at_commit=0.1)


def test_ignoring_the_commit_number_after_a_lost_reply_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipeline asks whether its numbers were committed, and always hears no."""
    real = Pipeline.patiently

    async def forgetful(self: Pipeline, work: Callable[[Any], Awaitable[Any]]) -> Any:
        return await real(self, lambda tx: work(_Forgetful(tx)))

    monkeypatch.setattr(Pipeline, "patiently", forgetful)
    assert "a transaction was applied twice" in first_told(range(1, 11), lost_reply=0.2)


def test_use_that_is_not_derived_again_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> list[Any]:
        return []

    monkeypatch.setattr(rederive, "_use_rows", nothing)
    assert "use differs from the undisturbed run's" in first_told(range(1, 11), held_back=0.3)


class _Forgetful:
    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction

    def __getattr__(self, word: str) -> Any:
        return getattr(self._transaction, word)

    async def is_committed(self, *_: object) -> bool:
        return False


def test_a_failing_seed_prints_the_line_that_repeats_it(monkeypatch: pytest.MonkeyPatch) -> None:
    drop_key(monkeypatch)
    told = first_told(range(1, 11), crash_at_commit=0.1)
    assert told.splitlines()[-1].startswith("repeat it with: .venv/bin/python -m tests.simulation ")


def test_a_wall_clock_set_on_by_an_hour_is_no_silence() -> None:
    """Nobody listened to the hour that it leapt over."""
    seeds = [seed for seed in range(1, 60) if Run(seed, Faults(), world(seed, Faults())).latest_step_s() == 3600.0][:3]
    for seed in seeds:
        result = simulate(seed, Faults(clock_steps=2))
        assert not result.problems, result.told()
