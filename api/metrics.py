"""Prometheus metrics of one API process. Not tenant-scoped: they count requests, never rows.

Names (all documented here):
    keelwing_api_requests_total{method, route, status}      requests answered; `route` is the template, `-` for none
    keelwing_api_request_seconds{route}                     time to the last byte; event streams are left out
    keelwing_api_stream_clients                             open event streams
    keelwing_api_stream_dropped_total                       event streams cut because their client was too slow
    keelwing_api_stream_events_total{event}                 events handed to clients
    keelwing_api_listener_connected                         1 while the shared LISTEN connection is up
    process_…                                               what the client library says of any process
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The metrics of one application; a registry of its own, so that two applications in a process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "keelwing_api_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )  # fmt: skip
        self.seconds = Histogram(
            "keelwing_api_request_seconds",
            "Seconds to the last byte.",
            ("route",),
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.stream_clients = Gauge("keelwing_api_stream_clients", "Open event streams.", registry=self.registry)
        self.stream_dropped = Counter(
            "keelwing_api_stream_dropped", "Event streams cut: client too slow.", registry=self.registry
        )
        self.stream_events = Counter(
            "keelwing_api_stream_events", "Events handed to clients.", ("event",), registry=self.registry
        )
        ProcessCollector(registry=self.registry)
        self.listener = Gauge("keelwing_api_listener_connected", "1 while LISTEN is up.", registry=self.registry)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
