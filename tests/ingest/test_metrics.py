"""The worker's metrics beside the books, and the gauges that tell what a worker holds."""

from __future__ import annotations

from ingest.metrics import FEEDS_MAX, WorkerMetrics
from ingest.wire import device_topic, feed_topic
from store import counts, figures
from tests.fix_bench import FEED, SHIP, Bench, at, sailing


def value(metrics: WorkerMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"keelwing_worker_{name}", labels)


async def test_what_is_counted_is_what_the_books_say(bench: Bench) -> None:
    metrics = WorkerMetrics()
    bench.listen()
    traffic = {"class": "vessel", "scheme": "imo", "value": "7625811", **at(5, lat_deg=1.0, lon_deg=2.0)}
    sent = [
        (SHIP, [sailing(number * 10) for number in range(40)]),
        (SHIP, sailing(10)),
        (SHIP, {"sog_kn": 3}),
        (device_topic("demo", "vessel", "imo", "9999993"), sailing(1)),
        (FEED, [traffic, {**traffic, "value": 5}]),
    ]
    for topic, body in sent:
        metrics.committed(await bench.send((topic, body)), 2_000_000)
    async with bench.pool.connection() as conn:
        rows = await counts.reconcile(conn)
    for name in ("stored", "duplicate", "rejected", "traffic"):
        assert value(metrics, "readings_total", outcome=name) == sum(getattr(row, name) for row in rows) > 0
    assert value(metrics, "readings_received_total") == sum(row.received for row in rows)
    assert value(metrics, "rejections_total", reason="missing_time") == 1
    assert value(metrics, "rejections_total", reason="unregistered_identifier") == 1
    assert value(metrics, "batch_seconds_count") == len(sent)
    assert value(metrics, "commit_seconds_sum") != 0
    assert value(metrics, "lag_seconds_sum") == 2 * len(sent)
    silence = value(metrics, "feed_silence_seconds", tenant="demo", feed="coast")
    assert silence is not None
    assert silence < 60
    metrics.committed(await bench.send((feed_topic("demo", "quiet", "status"), b"online")), 0)
    assert value(metrics, "feed_silence_seconds", tenant="demo", feed="quiet") is None  # it is there and never spoke of anything


async def test_alerts_and_findings_are_counted_by_their_word(bench: Bench) -> None:
    metrics = WorkerMetrics()
    bench.listen()
    plane = device_topic("demo", "aircraft", "icao24", "3c6444")
    squawking = [at(second, squawk="7700", lat_deg=50.0, lon_deg=8.0, gs_kn=400, on_ground=False) for second in range(10)]
    metrics.committed(await bench.send((plane, squawking)), None)
    assert value(metrics, "findings_total", rule="squawk_emergency") == 1
    assert value(metrics, "alerts_opened_total", severity="critical") == 1
    assert value(metrics, "alerts_opened_total", severity="warning") == 0


async def test_a_feed_is_as_silent_after_a_restart_as_before(bench: Bench) -> None:
    bench.listen()
    await bench.send((FEED, [{"class": "vessel", "scheme": "imo", "value": "9074729", **sailing(0)}]))
    async with bench.pool.connection() as conn:
        heard = await figures.feeds_heard(conn)
        await conn.execute("UPDATE feed SET clock = 'recording'")
        assert await figures.feeds_heard(conn) == {}
    metrics = WorkerMetrics()
    metrics.heard_before({feed: heard_us - 3_600_000_000 for feed, heard_us in heard.items()})
    silence = value(metrics, "feed_silence_seconds", tenant="demo", feed="coast")
    assert silence is not None
    assert silence > 3600


def test_the_number_of_feeds_told_is_bounded() -> None:
    metrics = WorkerMetrics()
    metrics.heard_before({("demo", f"feed{number}"): 0 for number in range(FEEDS_MAX)})
    assert value(metrics, "feeds_full") == 0
    metrics.heard_before({("demo", "one too many"): 0})
    assert value(metrics, "feeds_full") == 1
    assert value(metrics, "feed_silence_seconds", tenant="demo", feed="one too many") is None
