"""A recording over MQTT: its records on a feed topic, in order of time, as fast as told.

The feed is declared first, on a recording's clock, and with `--register` every identifier in the files becomes an asset; then the
records go out in arrays over one connection, each acknowledged by the broker before the end is reported.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from fleet.identifiers import identifier_fault
from ingest.recordings import merge, rebase
from ingest.recordings.model import Item, Malformed, Progress, Row
from ingest.wire import MESSAGE_BYTES_MAX, encode_json, feed_topic
from simulators.publish import Outgoing, Publisher
from store import registry
from store.pool import open_pool

PACED_SPAN_S = 0.5
ELEMENTS_PER_MESSAGE = 200  # chosen: some 40 kB, a sixth of what a message may hold


class Replayed(msgspec.Struct, kw_only=True):
    """What was published: records by stream, what could not be read, assets registered now."""

    readings: int = 0
    statics: int = 0
    malformed: int = 0
    registered: int = 0


async def register_identifiers(database_url: str, tenant: str, paths: Sequence[Path], progress: Progress | None) -> int:
    """Make every identifier of the files an asset of a tenant (which is made too); how many there are now."""
    found: dict[tuple[str, str, str], str] = {}
    for item in merge(paths, progress):
        if isinstance(item, Malformed):
            continue
        key = (str(item["class"]), str(item["scheme"]), str(item["value"]))
        if identifier_fault(key[1], key[2]) is None:
            name = item.get("name") if item.get("stream") == "static" else None
            found[key] = str(name) if name else found.get(key, "")
    pool = await open_pool(database_url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            await registry.create_tenant(conn, tenant, tenant)
            for (asset_class, scheme, value), name in found.items():
                label = name or f"{scheme}:{value}"
                await registry.register_asset(conn, tenant, asset_class, label, None, [(scheme, value)], source="replay")
    finally:
        await pool.close()
    return len(found)


async def declare_feed(database_url: str, tenant: str, feed: str) -> None:
    """Say before the first record that a feed lives on a recording's clock. Makes the tenant if need be."""
    pool = await open_pool(database_url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            await registry.create_tenant(conn, tenant, tenant)
            await registry.set_feed(conn, tenant, feed, "recording")
    finally:
        await pool.close()


async def publish_recording(
    paths: Sequence[Path],
    *,
    url: str,
    tenant: str,
    feed: str,
    speed: float | None,
    shift_to_us: int | None,
    progress: Progress | None,
    on_sent: Callable[[int], None] | None = None,
) -> Replayed:
    """Publish recordings on a feed's topics.

    Args:
        paths: the files, merged in order of time.
        url: the broker.
        tenant: whose feed.
        feed: its name.
        speed: how many times faster than they were recorded; None: as fast as the broker takes them.
        shift_to_us: shift everything so that the last record is at this instant; None: leave times as they are.
        progress: of reading the files.
        on_sent: called with the number of records sent so far.

    Raises:
        UnknownRecording: a file of no known kind.
        ValueError: a URL of no known scheme.
    """
    done = Replayed()
    items: Iterable[Item] = merge(paths, progress)
    if shift_to_us is not None:
        items = rebase(items, shift_to_us)
    async with Publisher(url, tenant=tenant, feed=feed) as publisher:
        begun_s, first_ms = time.monotonic(), None
        # At a pace, a message holds what falls into half a second of it; as fast as it goes, as much as fits.
        span_ms = None if speed is None else PACED_SPAN_S * 1000 * speed
        for kind, rows in _grouped(items, done, span_ms):
            if speed is not None:
                first_ms = rows[0]["time"] if first_ms is None else first_ms
                due_s = begun_s + (rows[-1]["time"] - first_ms) / 1000 / speed
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            await publisher.send(_message(tenant, feed, kind, rows))
            if on_sent is not None:
                on_sent(done.readings + done.statics)
        await publisher.settled()
    return done


def _grouped(items: Iterable[Item], done: Replayed, span_ms: float | None) -> Iterator[tuple[str, list[Row]]]:
    """Runs of records of one stream, each small enough for a message and within `span_ms` of recorded time (None: any)."""
    kind, rows, size_bytes = "", list[Row](), 0
    for item in items:
        if isinstance(item, Malformed):
            done.malformed += 1
            continue
        row_kind = "static" if item.get("stream") == "static" else "telemetry"
        row = {name: value for name, value in item.items() if name != "stream"}
        row_bytes = len(encode_json(row)) + 1
        full = len(rows) >= ELEMENTS_PER_MESSAGE or size_bytes + row_bytes > MESSAGE_BYTES_MAX - 2
        apart = bool(rows) and span_ms is not None and row["time"] - rows[0]["time"] > span_ms
        if rows and (row_kind != kind or full or apart):
            yield kind, rows
            rows, size_bytes = [], 0
        kind = row_kind
        rows.append(row)
        size_bytes += row_bytes
        done.statics += row_kind == "static"
        done.readings += row_kind == "telemetry"
    if rows:
        yield kind, rows


def _message(tenant: str, feed: str, kind: str, rows: list[Row]) -> Outgoing:
    topic = feed_topic(tenant, feed, "static" if kind == "static" else "telemetry")
    return Outgoing(topic, encode_json(rows), retain=False, readings=len(rows), send_at_us=rows[-1]["time"] * 1000, device="")
