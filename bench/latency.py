"""How long from publication to commit, and from the publication that decides to the webhook received, at half load.

Half load is half of the rate at which nothing piles up, measured first, in this run. Assets speak at the world's own cadence in
real time: a reading is published at its event time, so that a late publisher counts as latency too. Every second aircraft squawks
7700 once; the second such reading decides, and a receiver in a process of its own notes when the event came. The references
commit (or acknowledge) the same load.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import numpy as np
import psycopg

from bench import load as loads
from bench import publisher, receiver
from bench.command import run
from bench.contenders import Bare, Contender, Keelwing, Obvious
from bench.load import Load, Times
from bench.prepare import asset_id_of, prepare
from bench.report import ROOT, Report, Target, say
from bench.servers import Broker, Database, broker_of, database_server, run_directory
from bench.throughput import Wanted, measure, published, rates_of
from bench.world import PER_SECOND, TENANT, Asset, assets
from keelwing.embedded.process import free_port

BROKER = "nats"  # the slower of the two to deliver
WARM_S = 15.0  # every asset has spoken and the first commits are behind us
START_IN_S = 2.0  # from the moment the load is ready to its first event time: a publisher starts in less
POLL_S = 0.004
SETTLE_S = 30.0
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
CHANNELS_SHARE = 0.25
MS = 1000.0


class Delays(msgspec.Struct, frozen=True):
    """Milliseconds of each message (or alarm) measured."""

    ms: list[float]

    def at(self, percent: float) -> float:
        """The delay that so many percent do not exceed."""
        return float(np.percentile(self.ms, percent))


class _Event(msgspec.Struct):
    type: str
    data: dict[str, object]


class _Received(msgspec.Struct):
    at_us: int
    event: _Event


def measure_all(report: Report, *, quick: bool = False) -> None:
    """Measure the rate, then the delays at half of it."""
    seconds = 4.0 if quick else 60.0
    with database_server() as database:
        rate = _full_rate(database, quick=quick)
        fleet = assets(round(rate / 2 / PER_SECOND), CHANNELS_SHARE)
        load = f"{len(fleet) * PER_SECOND:,.0f} readings/s"
        say(f"half load: {load} of {len(fleet)} assets")
        reference_seconds = min(seconds, 15.0)
        obvious = _reference(database, fleet, reference_seconds, "obvious")
        bare = _reference(database, fleet, reference_seconds, "bare")
        committed, alarmed, missing = _keelwing(database, fleet, seconds)
    for percent in (50, 99):
        report.add(f"publish to acknowledgement at {load}: bare, p{percent}", bare.at(percent), "ms", messages=len(bare.ms))
        report.add(f"publish to commit at {load}: obvious, p{percent}", obvious.at(percent), "ms", messages=len(obvious.ms))
        reference = ("obvious", obvious.at(percent))
        name = f"publish to commit at {load}: keelwing, p{percent}"
        report.add(name, committed.at(percent), "ms", reference=reference, messages=len(committed.ms))
    for percent in (50, 99, 100):
        target = Target(of="value", bound=1000.0, at_most=True) if percent == 99 else None
        name = f"publish to webhook at {load}: keelwing, p{percent}"
        reference = ("publish to commit", committed.at(percent))
        report.add(
            name, alarmed.at(percent), "ms", reference=reference, target=target, alarms=len(alarmed.ms), alarms_missing=missing
        )


def _full_rate(database: Database, *, quick: bool) -> float:
    wanted = Wanted(
        kind="device",
        broker=BROKER,
        contenders=("keelwing",),
        seconds=1.0 if quick else 8.0,
        rounds=1,
        fleet=240 if quick else 4000,
    )
    return rates_of(measure(database, wanted))["keelwing"]


def _reference(database: Database, fleet: list[Asset], seconds: float, name: str) -> Delays:
    with ExitStack() as stack:
        directory = stack.enter_context(run_directory())
        broker = stack.enter_context(broker_of(BROKER))
        contender: Contender
        if name == "bare":
            contender = Bare(directory, "device", 1)
        else:
            contender = Obvious(directory, "device", stack.enter_context(database.fresh(migrated=False)))
        stack.callback(contender.stop)
        contender.start(broker.port)
        load = _load(directory, fleet, WARM_S / 2 + seconds, {})
        return _delays(load, _watched(directory, broker, contender, load), WARM_S / 2)


def _keelwing(database: Database, fleet: list[Asset], seconds: float) -> tuple[Delays, Delays, int]:
    """Delays to the commit and to the webhook, and how many alarms did not come."""
    with ExitStack() as stack:
        directory = stack.enter_context(run_directory())
        broker = stack.enter_context(broker_of(BROKER))
        url = stack.enter_context(database.fresh(migrated=True))
        asyncio.run(prepare(url, fleet, time.time_ns() // 1000))
        events = directory / "events.ndjson"
        stack.enter_context(_receiving(url, events))
        stack.enter_context(_notifying(url, directory))
        contender = Keelwing(directory, url)
        stack.callback(contender.stop)
        contender.start(broker.port)
        alarms = _alarms(fleet, seconds)
        load = _load(directory, fleet, WARM_S + seconds, alarms)
        _watched(directory, broker, contender, load)
        commits = [(at_us, safe) for safe, at_us in contender.commits]
        if contender.lost:
            say(f"{contender.lost} readings were late, duplicate or refused")
        decided_us = {
            asset_id_of(asset): load.start_us + (asset.phase_ms + (alarms[asset.number] + 1) * 1000) * 1000
            for asset in fleet
            if asset.number in alarms
        }
        arrived_us = _arrivals(events, set(decided_us))
        alarmed = [(arrived_us[one] - decided_us[one]) / MS for one in decided_us if one in arrived_us]
        return _delays(load, commits, WARM_S), Delays(alarmed), len(decided_us) - len(alarmed)


def _alarms(fleet: list[Asset], seconds: float) -> dict[int, int]:
    """From which reading on each alarming aircraft squawks: every second one, spread evenly over the time measured."""
    numbers = [asset.number for asset in fleet if asset.asset_class == "aircraft"][::2]
    return {number: int(WARM_S + (seconds - 3) * place / len(numbers)) for place, number in enumerate(numbers)}


def _load(directory: Path, fleet: list[Asset], seconds: float, alarms: dict[int, int]) -> Load:
    readings = int(len(fleet) * PER_SECOND * seconds)
    building_s = 1.0 + readings / 200_000
    return loads.build(
        directory, "device", fleet, readings, int(time.time_ns() // 1000 + (building_s + START_IN_S) * 1e6), alarms
    )


def _watched(directory: Path, broker: Broker, contender: Contender, load: Load) -> list[tuple[int, int]]:
    """Publish in real time and watch: (wall time in microseconds, readings safe by then), until all are."""
    seen: list[tuple[int, int]] = []
    with published(directory, load, broker.port, real_time=True) as (gauge, _):
        deadline_s = time.monotonic() + load.span_s + START_IN_S + 2 * SETTLE_S
        done = 0
        while done < load.readings and time.monotonic() < deadline_s:
            before, done = done, contender.safe()
            if done != before:
                seen.append((time.time_ns() // 1000, done))
            time.sleep(POLL_S)
        slip_ms = gauge[publisher.SLIP_MS_MAX]
        say(f"{contender.name}: {done} of {load.readings} safe; the publisher was late by {slip_ms} ms at most")
    return seen


def _delays(load: Load, seen: list[tuple[int, int]], warm_s: float) -> Delays:
    """Of each reading after the warm-up: from its event time until it was safe; the broker keeps the order."""
    due_ms = _due_ms(load)
    at_us = np.array([at for at, _ in seen], dtype=np.int64)
    safe = np.array([count for _, count in seen], dtype=np.int64)
    numbers = np.arange(int(np.searchsorted(due_ms, int(warm_s * 1000))), min(len(due_ms), int(safe[-1])))
    when_us = at_us[np.searchsorted(safe, numbers, side="right").clip(max=len(at_us) - 1)]
    return Delays(((when_us - load.start_us - due_ms[numbers] * 1000) / MS).tolist())


def _due_ms(load: Load) -> Times:
    both = np.fromfile(load.index_path, dtype=np.int64)
    return both[load.messages :]


def _arrivals(events: Path, wanted: set[str]) -> dict[str, int]:
    """When the alarm of each asset came; waits for all of them, `SETTLE_S` at most."""
    deadline_s = time.monotonic() + SETTLE_S
    while True:
        came: dict[str, int] = {}
        for line in events.read_bytes().splitlines():
            one = msgspec.json.decode(line, type=_Received)
            if one.event.type == "keelwing.alert.opened.v1" and one.event.data["rule"] == "squawk_emergency":
                came.setdefault(str(one.event.data["asset_id"]), one.at_us)
        if wanted <= came.keys() or time.monotonic() > deadline_s:
            return came
        time.sleep(0.2)


@contextmanager
def _receiving(url: str, events: Path) -> Iterator[None]:
    """A receiver, and a webhook that leads to it."""
    port = free_port()
    events.touch()
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO webhook (tenant, url, severity_min, secret) VALUES (%s, %s, 'critical', %s)",
            (TENANT, f"http://127.0.0.1:{port}/hook", SECRET),
        )
    words = ["-m", receiver.__name__, "--port", str(port), "--out", str(events)]
    with _running(words, {}, events.parent / "receiver.log"):
        yield


@contextmanager
def _notifying(url: str, directory: Path) -> Iterator[None]:
    """The notifier as its command starts it."""
    settings = {
        "KEELWING_DATABASE_URL": url,
        "KEELWING_DATA_DIR": str(directory),
        "KEELWING_WEBHOOK_ALLOW_PRIVATE": "true",
    }
    with _running(["-m", "keelwing.cli", "notifier"], settings, directory / "notifier.log"):
        yield


@contextmanager
def _running(words: list[str], settings: dict[str, str], log_path: Path) -> Iterator[None]:
    with log_path.open("ab") as log:
        process = subprocess.Popen([sys.executable, *words], cwd=ROOT, env={**os.environ, **settings}, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    run("latency", __doc__, measure_all)
