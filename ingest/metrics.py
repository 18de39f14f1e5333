"""Prometheus metrics of one worker: told once a batch, looked at when somebody asks. `docs/metrics.md` says what each means.

Nothing here is touched for a reading. Counters take a committed `Outcome`; gauges are read from the worker's parts at the
moment of the scrape, on the thread that serves it, and each reads one number or takes a lock for one look. Labels are bounded:
rules, severities, reasons and sessions are words of the code, feeds are at most `FEEDS_MAX`.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector

from alerts.budget import MONTH_DAYS, WARNINGS_PER_ASSET_MONTH
from fleet.instants import DAY_US, SECOND_US
from ingest.crew import Crew
from ingest.mqtt import Inbox, Receiver
from ingest.pipeline import Outcome, Pipeline
from ingest.rederive import Rederived
from store import budgets, figures
from store.budgets import Measured
from store.faults import AWAY
from store.figures import Backlog
from store.pool import Pool

SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Chosen: a commit takes milliseconds, a full batch a fraction of a second, and a database that was away minutes."""

FIGURES_EVERY_S = 15.0
"""Time between two looks into the database. Chosen: as often as Prometheus asks by habit."""

LOOK_S_MAX = 5.0
"""Longest wait for a connection to look with. Chosen: one that does not come for so long does not come for the batch either."""

TENANTS_MAX = 100
"""Tenants whose budget of models' warnings is told. Chosen: a lessor's house has a few; the first by name keep their place."""

MEASURED_US = 30 * DAY_US
"""Over which the rate of models' warnings is measured. Chosen: a month, which the budget is counted in."""

FEEDS_MAX = 1000
"""Feeds whose silence is told. Chosen: a tenant may have as many (`docs/mqtt.md`); the first ones heard keep their place."""


class WorkerMetrics:
    """The metrics of one worker, in a registry of their own. `disk` is the directory whose free space is told."""

    def __init__(self, disk: Path | None = None) -> None:
        self.registry = CollectorRegistry()
        self._heard_s: dict[tuple[str, str], float] = {}
        self._away_since_s: float | None = None
        self._inbox: Inbox | None = None
        self._pipeline: Pipeline | Crew | None = None
        self._build_counters()
        self._build_histograms()
        self._build_gauges()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        if disk is not None:
            self._gauge("disk_free_bytes", "Free bytes where the data directory is.").set_function(lambda: _free_bytes(disk))

    def _counter(self, name: str, what: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"keelwing_worker_{name}", what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(f"keelwing_worker_{name}", what, labels, registry=self.registry)

    def _seconds(self, name: str, what: str) -> Histogram:
        return Histogram(f"keelwing_worker_{name}", what, buckets=SECONDS_BUCKETS, registry=self.registry)

    def _build_counters(self) -> None:
        self.messages = self._counter("messages", "Messages of committed batches.")
        self.received = self._counter("readings_received", "Readings of committed batches.")
        self.readings = self._counter("readings", "What became of them.", ("outcome",))
        self.late = self._counter("readings_late", "Stored readings behind what their asset was judged up to.")
        self.rejections = self._counter("rejections", "Rejected elements.", ("reason",))
        self.findings = self._counter("findings", "Findings said by rules in batches.", ("rule",))
        self.alerts_opened = self._counter("alerts_opened", "Alerts opened.", ("severity",))
        self.attempts = self._counter("commit_attempts", "Attempts it took to commit the batches.")
        self.daily_passes = self._counter("daily_passes", "Passes over a lessor's calendar.")
        self.beside_failures = self._counter("beside_failures", "Faults of ours beside the loop.", ("task",))
        self.rederivations = self._counter("rederivations", "Assets derived again after late readings.")
        for outcome in ("stored", "duplicate", "rejected", "traffic"):
            self.readings.labels(outcome)  # there from the first scrape on, so that a rate sees the first of a kind
        self.rejections.labels("unstorable")
        for task in ("calendar", "feeds", "scenes"):
            self.beside_failures.labels(task)
        for severity in ("warning", "critical"):
            self.alerts_opened.labels(severity)

    def _build_histograms(self) -> None:
        self.batch_seconds = self._seconds("batch_seconds", "From a batch's begin to its commit, retries included.")
        self.commit_seconds = self._seconds("commit_seconds", "COMMIT alone.")
        self.lag_seconds = self._seconds("lag_seconds", "From reception to commit, of each batch's oldest message.")

    def _build_gauges(self) -> None:
        self.waiting = self._gauge("messages_waiting", "Messages received and in no batch yet.")
        self.oldest = self._gauge("oldest_held_seconds", "Age of the oldest message held.")
        self.in_flight = self._gauge("in_flight_messages", "Messages held unacknowledged.", ("session",))
        self.in_flight_bytes = self._gauge("in_flight_bytes", "Bytes held unacknowledged.", ("session",))
        self.in_flight_limit = self._gauge("in_flight_limit_messages", "KEELWING_MQTT_IN_FLIGHT_MAX.")
        self.connected = self._gauge("broker_connected", "1 while the session is subscribed.", ("session",))
        self.listening = self._gauge("listening", "1 while every live session is connected.")
        self.frontier = self._gauge("frontier_age_seconds", "How far behind now the broker is drained.")
        self.assets = self._gauge("assets_in_memory", "Detector states in memory.")
        self.behind = self._gauge("assets_behind", "Assets to catch up after a restart.")
        self.dirty = self._gauge("assets_dirty", "Assets that wait to be derived again.")
        self.away = self._gauge("database_away_seconds", "For how long the database has refused us.")
        self.away.set_function(self._away_s)
        self.database_bytes = self._gauge("database_bytes", "Size of the database.")
        self.model_warnings = self._gauge("model_warnings_per_asset_month", "Told in 30 days.", ("tenant",))
        self.model_warnings_limit = self._gauge("model_warnings_limit_per_asset_month", "Their budget.", ("tenant",))
        self.model_warnings_held_back = self._gauge("model_warnings_held_back", "Held back in 30 days.", ("tenant",))
        self.feeds_full = self._gauge("feeds_full", "1 when more feeds are heard than are told of.")

    def watch(self, inbox: Inbox, pipeline: Pipeline | Crew, in_flight_max: int) -> None:
        """Read the gauges from these parts from now on."""
        self.waiting.set_function(lambda: len(inbox))
        self.oldest.set_function(lambda: _oldest_s(inbox))
        self.in_flight_limit.set(in_flight_max)
        self.listening.set_function(lambda: inbox.listening_since_us is not None)
        self.frontier.set_function(lambda: _age_s(inbox.frontier_us))
        self.assets.set_function(lambda: pipeline.assets_in_memory)
        self.behind.set_function(lambda: pipeline.assets_behind)
        for name, session in inbox.sessions.items():
            self.in_flight.labels(name).set_function(partial(_held_messages, session))
            self.in_flight_bytes.labels(name).set_function(partial(_held_bytes, session))
            self.connected.labels(name).set_function(partial(_is_connected, session))
        self._inbox, self._pipeline = inbox, pipeline

    def committed(self, outcome: Outcome, lag_us: int | None) -> None:
        """Take over one batch; `lag_us` is the age of its oldest message, None for a batch that held none."""
        self.messages.inc(outcome.messages)
        self.received.inc(outcome.received)
        for name in ("stored", "duplicate", "rejected", "traffic"):
            self.readings.labels(name).inc(getattr(outcome, name))
        self.late.inc(outcome.late)
        self.attempts.inc(outcome.attempts)
        _add(self.rejections, outcome.rejected_by)
        _add(self.findings, outcome.found)
        _add(self.alerts_opened, outcome.opened)
        self.batch_seconds.observe(outcome.duration_ms / 1000)
        self.commit_seconds.observe(outcome.commit_ms / 1000)
        if lag_us is not None:
            self.lag_seconds.observe(max(lag_us, 0) / SECOND_US)
        now_s = time.time()
        for feed in outcome.heard:
            self._hear(feed, now_s)

    def rederived(self, done: Iterable[Rederived]) -> None:
        """Take over the assets that were derived again."""
        for one in done:
            self.rederivations.inc()
            _add(self.alerts_opened, one.opened)

    def passed(self, opened: Mapping[str, int]) -> None:
        """Take over a pass of a lessor's calendar: the alerts it opened, by severity."""
        self.daily_passes.inc()
        _add(self.alerts_opened, opened)

    def looked(self, opened: Mapping[str, int]) -> None:
        """Take over a look at the feeds: the alerts it opened, by severity."""
        _add(self.alerts_opened, opened)

    def failed(self, task: str) -> Callable[[], None]:
        """What a task beside the loop calls for each turn that ended in a fault of ours."""
        return self.beside_failures.labels(task).inc

    def compared(self, opened: Mapping[str, int]) -> None:
        """Take over a pass over a scene: the alerts it opened, by severity."""
        _add(self.alerts_opened, opened)

    def counted(self, backlog: Backlog) -> None:
        """Take over what only the database knows."""
        self._away_since_s = None
        self.dirty.set(backlog.dirty)
        self.database_bytes.set(backlog.database_bytes)

    def measured(self, tenants: Sequence[Measured]) -> None:
        """Take over what became of warnings of models, by tenant, over `MEASURED_US`."""
        for one in tenants[:TENANTS_MAX]:
            rate = one.told / one.assets * MONTH_DAYS / (MEASURED_US / DAY_US) if one.assets else 0.0
            self.model_warnings.labels(one.tenant).set(rate)
            self.model_warnings_limit.labels(one.tenant).set(WARNINGS_PER_ASSET_MONTH if one.rate is None else one.rate)
            self.model_warnings_held_back.labels(one.tenant).set(one.held_back)

    def looked_in_vain(self) -> None:
        """The database did not answer the look."""
        self._away_since_s = self._away_since_s or time.monotonic()

    def _away_s(self) -> float:
        since = [self._away_since_s, None if self._pipeline is None else self._pipeline.away_since_s]
        return max((time.monotonic() - one_s for one_s in since if one_s is not None), default=0.0)

    def heard_before(self, feeds: Mapping[tuple[str, str], int]) -> None:
        """When (microseconds of wall time) each live feed was heard before this worker started."""
        for feed, heard_us in feeds.items():
            self._hear(feed, heard_us / SECOND_US)

    def _hear(self, feed: tuple[str, str], at_s: float) -> None:
        if feed in self._heard_s or len(self._heard_s) < FEEDS_MAX:
            self._heard_s[feed] = max(at_s, self._heard_s.get(feed, at_s))
        else:
            self.feeds_full.set(1)

    def collect(self) -> Iterable[Metric]:
        """Seconds of silence of each feed as of now, and what the worker's parts count by themselves."""
        silence = GaugeMetricFamily(
            "keelwing_worker_feed_silence_seconds", "Seconds since a live feed was heard.", labels=("tenant", "feed")
        )
        now_s = time.time()
        for (tenant, feed), at_s in list(self._heard_s.items()):
            silence.add_metric((tenant, feed), max(now_s - at_s, 0.0))
        yield silence
        connections = CounterMetricFamily(
            "keelwing_worker_broker_connections", "Connections the broker accepted.", labels=("session",)
        )
        for name, session in () if self._inbox is None else self._inbox.sessions.items():
            connections.add_metric((name,), session.connections)
        yield connections
        refusals = 0 if self._pipeline is None else self._pipeline.refusals
        yield CounterMetricFamily("keelwing_worker_database_refusals", "Transactions the database refused.", refusals)


async def follow_database(pool: Pool, metrics: WorkerMetrics) -> None:
    """Tell the metrics what only the database knows, every `FIGURES_EVERY_S` until cancelled, and whether it is away.

    A step process that waits for the database tells nobody; this looks for it.
    """
    heard_before = False
    while True:
        try:
            async with pool.connection(timeout=LOOK_S_MAX) as conn:
                if not heard_before:
                    metrics.heard_before(await figures.feeds_heard(conn))
                    heard_before = True
                metrics.counted(await figures.backlog(conn))
                metrics.measured(await budgets.measured(conn, time.time_ns() // 1000 - MEASURED_US))
        except AWAY:
            metrics.looked_in_vain()
        await asyncio.sleep(FIGURES_EVERY_S)


def _held_messages(session: Receiver) -> float:
    return session.held[0]


def _held_bytes(session: Receiver) -> float:
    return session.held[1]


def _is_connected(session: Receiver) -> float:
    return session.connected_since_us is not None


def _add(counter: Counter, counts: Mapping[str, int]) -> None:
    for word, count in counts.items():
        counter.labels(word).inc(count)


def _age_s(at_us: int | None) -> float:
    """Seconds since an instant of wall time; NaN when there is none, which no comparison of an alert rule takes for small."""
    return float("nan") if at_us is None else max(time.time() - at_us / SECOND_US, 0.0)


def _oldest_s(inbox: Inbox) -> float:
    oldest = [held[2] for held in (session.held for session in inbox.sessions.values()) if held[2] is not None]
    return _age_s(min(oldest)) if oldest else 0.0


def _free_bytes(directory: Path) -> float:
    try:
        return float(shutil.disk_usage(directory).free)
    except OSError:
        return float("nan")
