"""What a fleet costs to hold and to take up again: bytes of a state, a worker with 72,000 assets, its start, and its catch-up.

Nothing is extrapolated: 72,000 assets are registered, each has a warm checkpoint, each speaks over the broker, and the worker is
the command's own process. Catch-up: the worker is killed with SIGKILL under half of the rate that it took the fleet at, started
again at once, and caught up when nothing published is left uncommitted and no asset is left to be loaded.
"""

from __future__ import annotations

import asyncio
import re
import signal
import time
import tracemalloc
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from statistics import mean
from typing import Any, LiteralString

import psycopg

from bench import load as loads
from bench import publisher
from bench.command import run
from bench.contenders import Keelwing
from bench.prepare import prepare
from bench.processes import cpu_s, rss_bytes
from bench.report import Report, Target, say
from bench.servers import Database, broker_of, database_server, run_directory
from bench.throughput import AHEAD, published
from bench.warm import warmed
from bench.world import PER_SECOND, TENANT, Asset, assets
from detect.checkpoint import from_checkpoint, to_checkpoint
from fleet.instants import SECOND_US
from ingest.watch import RECENT_MAX, Watched
from keelwing.embedded.process import free_port

FLEET = 72_000  # the world's 60,000 commercial ships and 12,000 airborne aircraft
CHANNELS_SHARE = 0.25
KIB, GIB = 1024, 1024**3
SPOKEN_S = 25.0  # of event time: two or three readings a ship, 25 an aircraft
SMALLEST = 600
BEFORE_KILL_S, AFTER_KILL_S = 15.0, 75.0
WAIT_S_MAX = 400.0
POLL_S, POLL_COARSE_S = 0.02, 0.25


def measure_all(report: Report, *, quick: bool = False) -> None:
    """States, then the fleet."""
    _states(report)
    with database_server() as database:
        _fleet(report, database, assets(SMALLEST if quick else FLEET, CHANNELS_SHARE))


# -- one state --------------------------------------------------------------------------------------------------------


def _states(report: Report) -> None:
    """Bytes of each course's warm state in memory and as a checkpoint."""
    now_us = time.time_ns() // 1000
    memory: dict[bool, list[int]] = {True: [], False: []}
    cuts: dict[bool, list[int]] = {True: [], False: []}
    watched: list[int] = []
    for asset in assets(600, CHANNELS_SHARE):
        warm = warmed(asset.asset_class, asset.course, now_us, has_channels=asset.has_channels)
        cut = to_checkpoint(warm.state)
        cuts[asset.has_channels].append(len(cut))
        state, size = _sized(from_checkpoint, cut)
        memory[asset.has_channels].append(size)
        watched.append(size + _sized(_watched_of, asset, state, warm.last_key[0])[1])
    everyone = memory[True] + memory[False]
    target = Target(of="value", bound=32, at_most=True)
    report.add("detector state in memory, mean of the mix", mean(everyone) / KIB, "KiB", channels_share=CHANNELS_SHARE)
    report.add("detector state in memory, with channels", mean(memory[True]) / KIB, "KiB")
    report.add("detector state in memory, largest", max(everyone) / KIB, "KiB", target=target)
    report.add("an asset under watch (state, last keys), largest", max(watched) / KIB, "KiB", target=target)
    report.add("checkpoint, mean of the mix", mean(cuts[True] + cuts[False]) / KIB, "KiB", channels_share=CHANNELS_SHARE)
    held = Target(of="value", bound=8, at_most=True)
    report.add("checkpoint, largest", max(cuts[True] + cuts[False]) / KIB, "KiB", target=held)


def _sized(make: Any, *arguments: Any) -> tuple[Any, int]:
    """What a call makes, and the bytes that live on because of it (it leaves no cycles behind)."""
    tracemalloc.start()
    made = make(*arguments)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return made, size


def _watched_of(asset: Asset, state: Any, time_us: int) -> Watched:
    """An asset as the watch holds it after a while: with the keys of its last readings."""
    name = f"{asset.scheme}:{asset.value}"
    made = Watched(asset_id=str(asset.number), tenant=TENANT, asset_class=asset.asset_class, asset_type=None, state=state)
    made.recent.extend((time_us + n * 10_000_000, name, "device", (1 << 62) + n) for n in range(RECENT_MAX))
    return made


# -- a fleet ----------------------------------------------------------------------------------------------------------


class _Shop:
    """One fleet, its database, its broker and its worker, and what the benches below ask of them."""

    def __init__(self, stack: ExitStack, database: Database, fleet: list[Asset]) -> None:
        self.fleet = fleet
        self.of = f"{len(fleet):,} assets"
        self.directory = stack.enter_context(run_directory())
        self.broker = stack.enter_context(broker_of("nats"))
        self.url = stack.enter_context(database.fresh(migrated=True))
        self._metrics_port = free_port()
        self.worker = Keelwing(self.directory, self.url, settings={"WORKER_METRICS_PORT": str(self._metrics_port)})
        stack.callback(self.worker.stop)

    def first_commit_s(self, start_us: int) -> float:
        """Start the worker on a message that waits; seconds from the start of its process to the commit (the next line acks)."""
        load = loads.build(self.directory, "feed", self.fleet[:SMALLEST], loads.FEED_READINGS, start_us)
        with published(self.directory, load, self.broker.port) as (gauge, _):
            gauge[publisher.ALLOWED] = load.messages
            until(lambda: bool(gauge[publisher.FINISHED]))
        return self.launched_s()

    def launched_s(self) -> float:
        """Start the worker; seconds from the start of its process to its first commit that held a message."""
        self.worker.safe()
        known = len(self.worker.commits)
        began_us = time.time_ns() // 1000
        self.worker.launch(self.broker.port)
        until(lambda: self.worker.safe() >= 0 and len(self.worker.commits) > known, worker=self.worker)
        return (self.worker.commits[known][1] - began_us) / SECOND_US

    def behind(self) -> int | None:
        """Assets that the worker has still to load after its start, as its metrics say; None while it gives none."""
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self._metrics_port}/metrics", timeout=5) as answer:
            found = re.search(rb"^keelwing_worker_assets_behind (\S+)$", answer.read(), re.MULTILINE)
            return None if found is None else int(float(found[1]))
        return None

    def ask(self, statement: LiteralString) -> int:
        """One number from the database."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(statement).fetchone()
        return 0 if row is None or row[0] is None else int(row[0])

    def stored(self) -> int:
        """Readings that are committed."""
        return self.ask("SELECT sum(stored) FROM ingest_count")


def _fleet(report: Report, database: Database, fleet: list[Asset]) -> None:
    with ExitStack() as stack:
        shop = _Shop(stack, database, fleet)
        began_s = time.monotonic()
        start_us = time.time_ns() // 1000
        asyncio.run(prepare(shop.url, fleet, start_us))
        say(f"{shop.of} registered with checkpoints in {time.monotonic() - began_s:.0f} s")
        shop.worker.start(shop.broker.port)  # so that the broker keeps messages for it
        shop.worker.stop()
        target = Target(of="value", bound=10, at_most=True)
        took_s = shop.first_commit_s(start_us)
        report.add(f"start to first acknowledgement, {shop.of}, all in checkpoints", took_s, "s", target=target)
        rate = _spoken(report, shop, start_us + SECOND_US)
        shop.worker.stop(signal.SIGKILL)
        took_s = shop.first_commit_s(time.time_ns() // 1000)
        report.add(f"start to first acknowledgement, {shop.of}, all moved on, after SIGKILL", took_s, "s", target=target)
        began_s = time.monotonic()
        until(lambda: shop.behind() == 0)
        report.add(f"all of them loaded again, {shop.of}, without load", took_s + time.monotonic() - began_s, "s")
        _catch_up(report, shop, rate / 2)


def _spoken(report: Report, shop: _Shop, start_us: int) -> float:
    """Let every asset speak; the memory of the worker then, and the rate at which it took them."""
    load = loads.build(shop.directory, "feed", shop.fleet, int(len(shop.fleet) * PER_SECOND * SPOKEN_S), start_us)
    before, began_s, began_cpu_s = shop.stored(), time.monotonic(), cpu_s(shop.worker.pid)
    with published(shop.directory, load, shop.broker.port, window=AHEAD["feed"]) as (gauge, _):
        first, done = shop.worker.safe(), 0
        while done < load.readings:
            done = shop.worker.safe() - first
            gauge[publisher.ALLOWED] = done // load.per_message + AHEAD["feed"]
            expect_within(WAIT_S_MAX, began_s, shop.worker)
            time.sleep(POLL_S)
    took_s, used_s = time.monotonic() - began_s, cpu_s(shop.worker.pid) - began_cpu_s
    stored = shop.stored() - before
    rss = rss_bytes(shop.worker.pid)
    beside: dict[str, Any] = {"readings": stored, "readings_per_s": round(stored / took_s)}
    beside["cpu_s_per_1000"] = {"consumer": round(used_s / stored * 1000, 4)}
    target = Target(of="value", bound=8, at_most=True)
    report.add(f"worker's memory with {shop.of}", rss / GIB, "GiB", target=target, **beside)
    report.add(f"worker's memory an asset with {shop.of}", rss / len(shop.fleet) / KIB, "KiB")
    return stored / took_s


def _catch_up(report: Report, shop: _Shop, rate: float) -> None:
    """SIGKILL under half load, a start at once, and how long until nothing is left of it."""
    speaking = shop.fleet[: max(SMALLEST, min(len(shop.fleet), round(rate / PER_SECOND)))]
    rate = len(speaking) * PER_SECOND
    readings = int(rate * (BEFORE_KILL_S + AFTER_KILL_S)) // loads.FEED_READINGS * loads.FEED_READINGS
    start_us = time.time_ns() // 1000 + int((2.0 + readings / 200_000) * SECOND_US)
    load = loads.build(shop.directory, "feed", speaking, readings, start_us)
    before = shop.stored()
    at = f"{rate:,.0f} readings/s of {len(speaking):,} of {shop.of}"
    with published(shop.directory, load, shop.broker.port, real_time=True) as (gauge, _):
        until(lambda: time.time_ns() // 1000 > start_us + BEFORE_KILL_S * SECOND_US)
        shop.worker.stop(signal.SIGKILL)
        killed_s = time.monotonic()
        report.add(f"SIGKILL at {at}: first acknowledgement after the start", shop.launched_s(), "s")
        until(lambda: gauge[publisher.ACKNOWLEDGED] * load.per_message - (shop.stored() - before) <= rate, POLL_COARSE_S)
        report.add(f"SIGKILL at {at}: all but a second's readings committed", time.monotonic() - killed_s, "s")
        until(lambda: shop.behind() == 0, POLL_COARSE_S)
        report.add(f"SIGKILL at {at}: every asset loaded again", time.monotonic() - killed_s, "s")
        until(lambda: shop.ask("SELECT count(*) FROM dirty") == 0, POLL_COARSE_S)
        report.add(f"SIGKILL at {at}: what came late derived again", time.monotonic() - killed_s, "s")
        until(lambda: bool(gauge[publisher.FINISHED]), POLL_COARSE_S)
    until(lambda: shop.stored() - before >= load.readings, POLL_COARSE_S)
    report.add(f"SIGKILL at {at}: readings stored of those published", (shop.stored() - before) / load.readings, "share")


def until(condition: Callable[[], bool], pause_s: float = POLL_S, worker: Keelwing | None = None) -> None:
    """Wait for a condition. Raises TimeoutError after `WAIT_S_MAX`, with the end of the worker's log."""
    deadline_s = time.monotonic() + WAIT_S_MAX
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {WAIT_S_MAX:.0f} s: {'' if worker is None else worker.log_tail}")
        time.sleep(pause_s)


def expect_within(seconds: float, began_s: float, worker: Keelwing) -> None:
    """Raise TimeoutError with the end of the worker's log once so many seconds are over."""
    if time.monotonic() - began_s > seconds:
        raise TimeoutError(worker.log_tail)


if __name__ == "__main__":
    run("memory", __doc__, measure_all)
