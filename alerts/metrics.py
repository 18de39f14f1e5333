"""Prometheus metrics of one notifier: told once an attempt. `docs/metrics.md` says what each means.

Labels are the words of `alerts.policy`; endpoints are counted, never named.
"""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from store.figures import Outbox

SECONDS_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""Chosen: a receiver answers within a second or not before the attempt's time-out."""

OUTCOMES = ("sent", "retry", "exhausted", "refused", "unrecorded")
"""The verdicts of `alerts.policy`, and an attempt that was made and could not be recorded."""


class NotifierMetrics:
    """The metrics of one notifier, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._away_since_s: float | None = None
        self.attempts = self._counter("attempts", "Attempts made.", "outcome")
        for outcome in OUTCOMES:
            self.attempts.labels(outcome)  # there from the first scrape on, so that a rate sees the first of a kind
        self.attempt_seconds = Histogram(
            "keelwing_notifier_attempt_seconds", "Duration of an attempt.", buckets=SECONDS_BUCKETS, registry=self.registry
        )
        self.under_way = self._gauge("attempts_under_way", "Attempts under way.")
        self.disabled = self._counter("endpoints_switched_off", "Endpoints disabled after failing too long, or for a 410.")
        self.endpoints = self._gauge("endpoints", "Endpoints.", "state")
        self.outbox_pending = self._gauge("outbox_pending", "Deliveries that wait for an enabled endpoint.")
        self.outbox_age = self._gauge("outbox_age_seconds", "Age of the oldest event that waits for an enabled endpoint.")
        self.outbox_overdue = self._gauge("outbox_overdue_seconds", "How long the delivery due longest is overdue.")
        self.listening = self._gauge("listener_connected", "1 while the LISTEN connection is up.")
        self.refusals = self._counter("database_refusals", "Transactions the database refused.")
        self.away = self._gauge("database_away_seconds", "For how long the database has refused us.")
        self.away.set_function(self._away_s)
        ProcessCollector(registry=self.registry)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"keelwing_notifier_{name}", what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"keelwing_notifier_{name}", what, labels, registry=self.registry)

    def attempted(self, outcome: str, duration_ms: float) -> None:
        """Take over one attempt: its outcome is one of `OUTCOMES`."""
        self.attempts.labels(outcome).inc()
        self.attempt_seconds.observe(duration_ms / 1000)

    def counted(self, outbox: Outbox) -> None:
        """Take over what waits."""
        self.outbox_pending.set(outbox.pending)
        self.outbox_age.set(outbox.age_s)
        self.outbox_overdue.set(outbox.overdue_s)
        self.endpoints.labels("enabled").set(outbox.enabled)
        self.endpoints.labels("disabled").set(outbox.disabled)

    def refused(self) -> None:
        """The database refused a transaction."""
        self.refusals.inc()
        self._away_since_s = self._away_since_s or time.monotonic()

    def answered(self) -> None:
        """The database took a transaction."""
        self._away_since_s = None

    def _away_s(self) -> float:
        since_s = self._away_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s
