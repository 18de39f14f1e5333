"""How many readings a second are safe: Keelwing beside the obvious ingester and the bare consumer, on the same broker and load.

`live`: the publisher sends while the consumer works, on the same two cores, and is held to a short queue in the broker, so that
what is measured is the rate from publication to commit at which nothing piles up. `drain`: the broker is filled first, then the
consumer starts on what waits for it; the publisher's costs are left out. Contenders take turns; a figure is the median of its
rounds. Warm-up (every asset speaks at least once) is not measured.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple

import msgspec

from bench import load as loads
from bench import publisher
from bench.contenders import Bare, Contender, Keelwing, Obvious, has_processes
from bench.gauge import Gauge
from bench.load import Kind, Load
from bench.prepare import prepare
from bench.processes import cpu_s, rss_bytes
from bench.report import ROOT, Report, Target, keep_to_two_cores, say
from bench.servers import Broker, Database, broker_of, brokers_there, database_server, run_directory
from bench.world import PER_SECOND, Asset, assets

Mode = Literal["live", "drain"]
CONTENDERS = ("bare", "obvious", "keelwing")
RATE_MAX = {"bare": 25_000, "obvious": 8_000, "keelwing": 14_000}  # single readings a second; loads are made this long
FEED_RATE_MAX = {"bare": 150_000, "obvious": 20_000, "keelwing": 26_000}
AHEAD = {"device": 5_000, "feed": 300}
"""Messages published beyond what is safe. Chosen: more than the 2,000 in flight and a batch; of feeds fifteen batches."""
POLL_S = 0.01
DRAINED = 40_000  # single readings queued for `drain`
STALLED_S = 60.0
AGO_S = 5.0  # by how much the last event time lies behind the clock when the load has been sent at its own pace
CHECKPOINTS_AGE_S = 300.0  # Keelwing's default


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one contender: readings a second, and CPU seconds for 1,000 readings by process."""

    rate: float
    seconds: float
    cpu_s: dict[str, float]
    rss_mib: dict[str, float]
    lost: int = 0


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to run: who, on which broker, with which load, for how long, how often."""

    kind: Kind
    broker: str
    mode: Mode = "live"
    contenders: tuple[str, ...] = CONTENDERS
    seconds: float = 10.0
    rounds: int = 3
    reference_seconds: float = 10.0
    fleet: int = 4_000
    channels_share: float = 0.25
    processes: int = 1
    settings: dict[str, str] = {}


def measure(database: Database, wanted: Wanted) -> dict[str, list[Round]]:
    """Run every contender `rounds` times, in turns."""
    found: dict[str, list[Round]] = {name: [] for name in wanted.contenders}
    fleet = assets(wanted.fleet, wanted.channels_share)
    for number in range(wanted.rounds):
        for name in wanted.contenders:
            one = run(database, wanted, name, fleet)
            found[name].append(one)
            cpu = ", ".join(f"{part} {seconds:.3f}" for part, seconds in one.cpu_s.items())
            label = f"{wanted.kind} {wanted.broker} {wanted.mode} {name} {number + 1}/{wanted.rounds}"
            say(f"{label}: {one.rate:,.0f}/s over {one.seconds:.1f} s; CPU s per 1,000: {cpu}; lost {one.lost}")
    return found


def run(database: Database, wanted: Wanted, name: str, fleet: list[Asset]) -> Round:
    """One run of one contender, on a fresh broker and database."""
    with ExitStack() as stack:
        directory = stack.enter_context(run_directory())
        seconds = wanted.seconds if name == "keelwing" else min(wanted.seconds, wanted.reference_seconds)
        wanted = msgspec.structs.replace(wanted, seconds=seconds)
        count = _count(wanted, name, len(fleet))
        span_us = int(loads.span_s(len(fleet), count) * 1e6)
        start_us = time.time_ns() // 1000 - span_us - int(AGO_S * 1e6)
        load = loads.build(directory, wanted.kind, fleet, count, start_us)
        broker = stack.enter_context(broker_of(wanted.broker))
        contender = _contender(stack, database, wanted, name, directory, fleet, start_us)
        stack.callback(contender.stop)
        stage = _Stage(directory, broker, database, contender, load)
        return _live(stage, wanted) if wanted.mode == "live" else _drain(stage)


def _count(wanted: Wanted, name: str, fleet: int) -> int:
    """Readings of a run: the warm-up and as many as the fastest machine thought of would take in the time."""
    if wanted.mode == "drain":
        return int(DRAINED * min(1.0, wanted.seconds / 5))
    rates = RATE_MAX if wanted.kind == "device" else FEED_RATE_MAX
    warm = int(fleet * PER_SECOND * 12)
    most = int(fleet * PER_SECOND * loads.SPAN_S_MAX * 0.9)
    return min(most, warm + int(rates[name] * (wanted.seconds + 1))) // loads.FEED_READINGS * loads.FEED_READINGS


def _contender(
    stack: ExitStack, database: Database, wanted: Wanted, name: str, directory: Path, fleet: list[Asset], start_us: int
) -> Any:
    per_message = 1 if wanted.kind == "device" else loads.FEED_READINGS
    if name == "bare":
        return Bare(directory, wanted.kind, per_message)
    url = stack.enter_context(database.fresh(migrated=name == "keelwing"))
    if name == "obvious":
        return Obvious(directory, wanted.kind, url)
    asyncio.run(prepare(url, fleet, start_us))
    # Event time runs faster here than wall time; as many checkpoints a reading are written as in real time.
    faster = max(1.0, RATE_MAX["keelwing"] / 2 / (len(fleet) * PER_SECOND))
    settings = {"CHECKPOINT_AGE_MAX_S": f"{CHECKPOINTS_AGE_S / faster:.0f}", **wanted.settings}
    return Keelwing(directory, url, processes=wanted.processes, settings=settings)


@contextmanager
def published(
    directory: Path, load: Load, port: int, *, window: int = 500, real_time: bool = False
) -> Iterator[tuple[Gauge, int]]:
    """The publisher as a process: its gauge and its process id; killed afterwards."""
    (directory / "publisher.gauge").unlink(missing_ok=True)  # of a load before this one
    gauge = Gauge(directory / "publisher.gauge")
    words = ["--port", str(port), "--gauge", str(directory / "publisher.gauge"), "--packets", str(load.packets_path)]
    words += ["--index", str(load.index_path), "--window", str(window)]
    words += ["--real-time", str(load.start_us)] if real_time else []
    process = subprocess.Popen([sys.executable, "-m", publisher.__name__, *words], cwd=ROOT)
    try:
        yield gauge, process.pid
        if process.poll() not in {None, 0}:
            raise RuntimeError(f"the publisher ended with status {process.returncode}")
    finally:
        process.kill()
        process.wait()


class _Stage(NamedTuple):
    """Who takes part in one run."""

    directory: Path
    broker: Broker
    database: Database
    contender: Contender
    load: Load

    def pids(self) -> dict[str, int]:
        """The processes that are watched, by part."""
        pids: dict[str, int | None] = {"consumer": self.contender.pid, "broker": self.broker.pid}
        if self.contender.has_database:
            pids["database"] = self.database.pid
        return {name: pid for name, pid in pids.items() if pid is not None}


def _live(stage: _Stage, wanted: Wanted) -> Round:
    contender, broker, load = stage.contender, stage.broker, stage.load
    contender.start(broker.port)
    ahead = AHEAD[wanted.kind]
    with published(stage.directory, load, broker.port, window=min(500, ahead)) as (gauge, publisher_pid):
        watch = _Watch(stage.pids() | {"publisher": publisher_pid})
        done, moved_s = 0, time.monotonic()
        while True:
            before, done = done, contender.safe()
            now_s = time.monotonic()
            gauge[publisher.ALLOWED] = done // load.per_message + ahead
            if done != before:
                moved_s = now_s
                if watch.began is None and done >= load.warm * load.per_message:
                    watch.begin(done, now_s)
                elif watch.began is not None and (now_s - watch.began[1] >= wanted.seconds or done >= load.readings):
                    return watch.end(done, now_s, contender)
            _expect_progress(now_s - moved_s, contender)
            time.sleep(POLL_S)


def _drain(stage: _Stage) -> Round:
    contender, broker, load = stage.contender, stage.broker, stage.load
    contender.start(broker.port)  # so that the broker keeps messages for it
    contender.stop()
    with published(stage.directory, load, broker.port) as (gauge, _):
        gauge[publisher.ALLOWED] = load.messages
        while not gauge[publisher.FINISHED]:
            time.sleep(POLL_S)
    contender.start(broker.port)
    watch = _Watch(stage.pids())
    done, moved_s = contender.safe(), time.monotonic()
    while True:
        before, done = done, contender.safe()
        now_s = time.monotonic()
        if done != before:
            moved_s = now_s
            if watch.began is None:  # at the first commit: a consumer that reads ahead must not have read for nothing
                watch.begin(done, now_s)
            elif done >= load.readings:
                return watch.end(done, now_s, contender)
        _expect_progress(now_s - moved_s, contender)
        time.sleep(POLL_S)


class _Watch:
    """What processes used between the beginning and the end of a measurement."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self._cpu_s: dict[str, float] = {}
        self.began: tuple[int, float] | None = None

    def begin(self, done: int, now_s: float) -> None:
        self.began = (done, now_s)
        self._cpu_s = {name: cpu_s(pid) for name, pid in self._pids.items()}

    def end(self, done: int, now_s: float, contender: Contender) -> Round:
        if self.began is None:
            raise RuntimeError("the load ended within the warm-up")
        first, began_s = self.began
        used = {name: cpu_s(pid) - self._cpu_s[name] for name, pid in self._pids.items()}
        return Round(
            rate=(done - first) / (now_s - began_s),
            seconds=now_s - began_s,
            cpu_s={name: round(seconds / (done - first) * 1000, 4) for name, seconds in used.items()},
            rss_mib={name: round(rss_bytes(pid) / 1024**2) for name, pid in self._pids.items()},
            lost=getattr(contender, "lost", 0),
        )


def _expect_progress(waited_s: float, contender: Contender) -> None:
    if waited_s > STALLED_S:
        raise RuntimeError(f"{contender.name} stands still for {waited_s:.0f} s: {getattr(contender, 'log_tail', '')}")


def tell(report: Report, wanted: Wanted, rounds: dict[str, list[Round]], earlier: dict[str, float] | None = None) -> None:
    """Add the figures of one measurement: Keelwing beside each reference, and the references themselves.

    `earlier`: rates of references that were measured before in this run, where this measurement has none.
    """
    rates = (earlier or {}) | rates_of(rounds)
    what = f"{'single readings' if wanted.kind == 'device' else 'feed of 100'}, {wanted.broker}, {wanted.mode}"
    for name, found in rounds.items():
        beside = _beside(found)
        if name != "keelwing":
            report.add(f"{what}: {name}", rates[name], "readings/s", **beside)
            continue
        label = f"{what}: keelwing" + (f", {wanted.processes} processes" if wanted.processes > 1 else "")
        if wanted.kind == "feed":
            target = Target(of="value", bound=12_000)
            report.add(label, rates[name], "readings/s", reference=_reference("obvious", rates), target=target, **beside)
            continue
        for reference, bound in (("bare", 0.5), ("obvious", 1.5)):
            held = Target(of="ratio", bound=bound) if wanted.mode == "live" else None
            if reference in rounds:
                beside["rounds_ratio"] = _ratios(found, rounds[reference])
            report.add(label, rates[name], "readings/s", reference=_reference(reference, rates), target=held, **beside)


def rates_of(rounds: dict[str, list[Round]]) -> dict[str, float]:
    """The median rate of each contender."""
    return {name: median(one.rate for one in found) for name, found in rounds.items()}


def _reference(name: str, rates: dict[str, float]) -> tuple[str, float] | None:
    return (name, rates[name]) if name in rates else None


def _ratios(found: list[Round], reference: list[Round]) -> list[float]:
    return [round(one.rate / other.rate, 3) for one, other in zip(found, reference, strict=True)]


def _beside(found: list[Round]) -> dict[str, Any]:
    parts = found[0].cpu_s
    return {
        "rounds_per_s": [round(one.rate) for one in found],
        "cpu_s_per_1000": {name: round(median(one.cpu_s[name] for one in found), 4) for name in parts},
        "rss_mib": found[-1].rss_mib,
        "lost": sum(one.lost for one in found),
    }


def plans(*, quick: bool) -> Iterator[Wanted]:
    """What the bench measures, in order."""
    if quick:
        yield Wanted(kind="device", broker="nats", seconds=0.5, rounds=1, fleet=120)
        return
    for broker in brokers_there():
        yield Wanted(kind="device", broker=broker)
    for broker in brokers_there():
        yield Wanted(kind="device", broker=broker, mode="drain", rounds=1, fleet=2_000)
    feed = Wanted(kind="feed", broker="nats", seconds=60.0, reference_seconds=5.0, rounds=1, fleet=24_000, channels_share=0.1)
    yield feed
    if has_processes():
        yield msgspec.structs.replace(feed, contenders=("keelwing",), processes=2)


def measure_all(report: Report, *, quick: bool = False) -> None:
    """Every plan into a report."""
    with database_server() as database:
        rates: dict[tuple[str, str, str], dict[str, float]] = {}
        for wanted in plans(quick=quick):
            rounds = measure(database, wanted)
            tell(report, wanted, rounds, rates.get((wanted.kind, wanted.broker, wanted.mode)))
            rates[wanted.kind, wanted.broker, wanted.mode] = rates_of(rounds)


def main() -> None:
    """Run the bench, or one measurement of it for whoever tunes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some seconds, to see that it runs")
    parser.add_argument("--load", choices=("device", "feed"), help="measure this alone; the rest of the options refine it")
    parser.add_argument("--broker", choices=("nats", "mosquitto"), default="nats")
    parser.add_argument("--mode", choices=("live", "drain"), default="live")
    parser.add_argument("--contender", action="append", choices=CONTENDERS)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--fleet", type=int)
    parser.add_argument("--channels", type=float, help="share of assets with channels, 0 to 1")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the worker, without prefix"
    )
    given = parser.parse_args()
    keep_to_two_cores()
    if given.load is None:
        report = Report("throughput", quick=given.quick)
        measure_all(report, quick=given.quick)
        report.close()
        return
    feed = given.load == "feed"
    wanted = Wanted(
        kind=given.load,
        broker=given.broker,
        mode=given.mode,
        contenders=tuple(given.contender or ["keelwing"]),
        seconds=given.seconds,
        rounds=given.rounds,
        fleet=given.fleet or (24_000 if feed else 4_000),
        channels_share=(0.1 if feed else 0.25) if given.channels is None else given.channels,
        processes=given.processes,
        settings=dict(one.split("=", 1) for one in given.set),
    )
    report = Report("throughput", quick=True)
    with database_server() as database:
        tell(report, wanted, measure(database, wanted))
    report.close()


if __name__ == "__main__":
    main()
