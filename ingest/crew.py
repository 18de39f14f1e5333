"""The receiver's side of several step processes: one round at a time, split by shard, done when all have committed.

To the worker it looks like the pipeline that steps by itself. A round's messages are acknowledged when every process has
committed its part, and live and recorded clocks reach the processes only with the round after, so a tick fires when every
process has stepped what came before it (DECISIONS 85).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import structlog

from detect.model import Listening
from fleet.shards import SHARDS
from ingest.channel import Channel
from ingest.parcels import Order, Parcel, Report, pack, read_report, split
from ingest.patience import Patience
from ingest.pipeline import Outcome, summed
from ingest.ports import Clock, Store, Transaction
from ingest.rederive import Rederived
from ingest.registering import roster_of
from ingest.roster import Roster
from ingest.routing import Message
from ingest.step_process import StepConfig
from ingest.watch import Clock as AssetClock
from store import commits

log = structlog.get_logger(__name__)

Spawn = Callable[[socket.socket], "subprocess.Popen[bytes]"]
"""Starts a step process that serves the given end of a socket pair."""

END_S_MAX = 5.0  # a drained process ends by itself within; then it is killed
PROCESSES_MAX = 16  # chosen: four shards a process at the least


class StepProcessEndedError(RuntimeError):
    """A step process ended by itself: the worker ends too, and whoever supervises it starts all of them again."""


class Crew(Patience):
    """N step processes behind the words of a pipeline; what they need no word for they do by themselves.

    `process` is never called twice at once. Between two rounds it keeps what each must hear of the others with the next.
    """

    def __init__(self, store: Store, config: StepConfig, clock: Clock, processes: int, spawn: Spawn) -> None:
        if not 1 <= processes <= PROCESSES_MAX:
            raise ValueError(f"{processes} step processes: 1 to {PROCESSES_MAX}")
        super().__init__(store, clock, config.pipeline.retry_s_max)
        self._config, self._processes, self._spawn = config, processes, spawn
        self._running: list[subprocess.Popen[bytes]] = []
        self._channels: list[Channel] = []
        self._reports: list[Report] = [Report() for _ in range(processes)]
        self._roster: Roster | None = None
        self._heard: list[tuple[tuple[int, int], ...]] = [()] * processes  # what each was last told of our listening
        self._listening: tuple[tuple[int, int], ...] = ()
        self._clocks: dict[tuple[str, str], int] = {}
        self._frontier_us: int | None = None
        self._told: dict[str, int] = {}
        self._look_again: dict[str, int] = {}
        self._owed = False  # whether something is to be said that no message waits for
        self._rederived: list[Rederived] = []

    async def start(self) -> None:
        """Start the processes and wait until each has claimed its shards. Raises as `process`."""
        for process in range(self._processes):
            near, far = socket.socketpair()
            self._running.append(self._spawn(far))
            far.close()
            channel = await Channel.over(near)
            self._channels.append(channel)
            shards = tuple(range(process, SHARDS, self._processes))
            pipeline = msgspec.structs.replace(self._config.pipeline, shards=shards, is_part=True)
            await channel.send(msgspec.msgpack.encode(msgspec.structs.replace(self._config, pipeline=pipeline)))
        self._take_over(await asyncio.gather(*(self._receive(process) for process in range(self._processes))))
        self._clocks = await self.patiently(lambda tx: tx.recording_clocks())

    async def process(self, messages: Sequence[Message], frontier_us: int | None = None, *, drain: bool = False) -> Outcome:
        """One round: as `Pipeline.process`, all parts committed when it returns.

        Raises:
            commits.Fenced: another worker owns a shard now.
            TimeoutError: the database stayed away too long for one of them.
            StepProcessEndedError: one of them is gone.
        """
        started_s = self.clock.monotonic_s()
        roster = await self.patiently(self._roster_now)
        parcels = split(messages, roster, self._processes)
        before_us, self._frontier_us = self._frontier_us, frontier_us if frontier_us is not None else self._frontier_us
        # What comes with this round is not stepped everywhere before a tick of this round may fire somewhere.
        due_us = frontier_us if not messages else before_us
        orders = [self._order(process, parcels[process], due_us, drain=drain) for process in range(self._processes)]
        self._look_again, self._owed = {}, False
        reports = await asyncio.gather(*(self._ask(process, order) for process, order in enumerate(orders)))
        self._take_over(reports)
        outcome = summed([_outcome(report) for report in reports])
        took_ms = round((self.clock.monotonic_s() - started_s) * 1000, 2)
        attempts, commit_ms = (max(report.outcome[name] for report in reports) for name in ("attempts", "commit_ms"))
        return msgspec.structs.replace(
            outcome, messages=len(messages), duration_ms=took_ms, attempts=attempts, commit_ms=commit_ms
        )

    def has_due(self, frontier_us: int | None) -> bool:
        """Whether an asset may want a tick before the frontier, or a process is still to hear of another."""
        if self._owed or any(report.in_question for report in self._reports):
            return True
        wakes = [report.wake_us for report in self._reports if report.wake_us is not None]
        return frontier_us is not None and bool(wakes) and min(wakes) < frontier_us

    def listen(self, listening: Listening) -> None:
        """Take over when we listened; the processes hear of it with the next round."""
        self._listening = listening.intervals

    def take_rederived(self) -> list[Rederived]:
        """The assets that the processes derived again since the last call."""
        done, self._rederived = self._rederived, []
        return done

    @property
    def clocks(self) -> dict[AssetClock, int]:
        """Up to when everything was received, by clock; what was of the last round alone may still be committed."""
        clocks: dict[AssetClock, int] = dict(self._clocks.items())
        if self._frontier_us is not None:
            clocks["live"] = self._frontier_us
        return clocks

    @property
    def assets_in_memory(self) -> int:
        """How many detector states all processes hold."""
        return sum(report.assets for report in self._reports)

    @property
    def assets_behind(self) -> int:
        """How many assets that moved on before a restart are still to be loaded."""
        return sum(report.behind for report in self._reports)

    async def end(self) -> None:
        """End the processes: they leave when their channel closes, and are killed after `END_S_MAX`."""
        for channel in self._channels:
            channel.close()
        for running in self._running:
            try:
                await asyncio.to_thread(running.wait, END_S_MAX)
            except subprocess.TimeoutExpired:
                running.kill()  # in the middle of a commit or not: nothing was acknowledged
                await asyncio.to_thread(running.wait)

    async def _roster_now(self, tx: Transaction) -> Roster:
        version = await tx.registry_version()
        if self._roster is None or self._roster.version != version:
            self._roster = roster_of(await tx.load_registry())
        return self._roster

    def _order(self, process: int, parcels: list[Parcel], frontier_us: int | None, *, drain: bool) -> Order:
        order = Order(
            parcels=parcels,
            frontier_us=frontier_us,
            clocks=[(*feed, time_us) for feed, time_us in self._clocks.items()],
            told=self._told,
            look_again=self._look_again if process == 0 else {},
            contributions=[
                share for other, report in enumerate(self._reports) if other != process for share in report.contributions
            ],
            drain=drain,
        )
        if self._heard[process] != self._listening:
            order.listening = self._heard[process] = self._listening
        return order

    async def _ask(self, process: int, order: Order) -> Report:
        with contextlib.suppress(ConnectionError):  # its last report, or the end of the channel, says why
            await self._channels[process].send(pack(order))
        return await self._receive(process)

    async def _receive(self, process: int) -> Report:
        frame = await self._channels[process].receive()
        if frame is None:
            raise StepProcessEndedError(f"step process {process} ended by itself")
        report = read_report(frame)
        if report.failure is None:
            return report
        if report.failure.kind == "fenced":
            raise commits.Fenced(report.failure.shards)
        raise TimeoutError(report.failure.detail)

    def _take_over(self, reports: Sequence[Report]) -> None:
        """Keep what the processes must hear of one another with the next round, and whether that is worth a round of its own."""
        self._reports = list(reports)
        for report in reports:
            self._rederived += [Rederived(**one) for one in report.rederived]
            for tenant, feed, time_us in report.clocks:
                if time_us > self._clocks.get((tenant, feed), -1):
                    self._clocks[tenant, feed] = time_us
                    self._owed = True
            for tenant, at_us in report.told.items():
                self._told[tenant] = max(at_us, self._told.get(tenant, at_us))
        for teller in reports:
            for tenant, at_us in teller.told.items():
                # A scene told in this round did not see what another process committed beside it.
                beside = [report.earliest[tenant] for report in reports if report is not teller and tenant in report.earliest]
                if beside and min(beside) <= at_us:
                    self._look_again[tenant] = min(*beside, self._look_again.get(tenant, at_us))
                    self._owed = True
        self._owed = self._owed or any(report.contributions for report in reports)


def _outcome(report: Report) -> Outcome:
    fields: dict[str, Any] = {
        name: Counter(value) if isinstance(value, dict) else value for name, value in report.outcome.items()
    }
    return Outcome(**fields, heard=Counter(dict(report.heard)))
