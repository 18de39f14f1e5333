"""Publishing through a real broker: order, at least once over a broker's death, statuses, arrays."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import msgspec
import pytest

from ingest.wire import ELEMENTS_MAX, MESSAGE_BYTES_MAX
from simulators.element import Element, rfc3339, unix_us
from simulators.labels import read_labels
from simulators.publish import flushed, outgoing, parse_url, publish
from simulators.run import run_scenario
from simulators.scenario import load_scenario
from simulators.world import World

START_US = 1_790_000_000_000_000


def readings(count: int, devices: int = 5) -> list[Element]:
    """Readings of a few devices in turn, each numbered in its `seq`."""
    return [
        Element(
            "demo",
            "vessel",
            "local",
            f"device-{i % devices}",
            "telemetry",
            START_US + i * 1000,
            {"time": rfc3339(START_US + i * 1000), "seq": i},
            START_US + i * 1000,
        )
        for i in range(count)
    ]


class Ear:
    """What a persistent subscriber hears, over any number of connections."""

    def __init__(self, url: str, *, subscribed: bool) -> None:
        self._url, self._subscribed = url, subscribed
        self.heard: list[tuple[str, bytes]] = []
        self.listening = asyncio.Event()
        self._changed = asyncio.Event()

    async def listen(self) -> None:
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(
                    "127.0.0.1", urlsplit(self._url).port or 0, identifier="ear", clean_session=False
                ) as client:
                    # a second SUBSCRIBE makes NATS forget what it has in flight until its ack_wait: order would be lost
                    if not self._subscribed:
                        await client.subscribe("keelwing/v1/demo/#", qos=1)
                        self._subscribed = True
                    self.listening.set()
                    async for message in client.messages:
                        assert isinstance(message.payload, bytes)
                        self.heard.append((str(message.topic), message.payload))
                        self._changed.set()
            await asyncio.sleep(0.05)

    async def until(self, done: Any, timeout_s: float = 30.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not done(self):
                self._changed.clear()
                await self._changed.wait()

    def sequences(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for topic, payload in self.heard:
            if topic.endswith("/telemetry"):
                found[topic].append(msgspec.json.decode(payload)["seq"])
        return found


@contextlib.asynccontextmanager
async def hearing(url: str, *, subscribed: bool = False) -> AsyncIterator[Ear]:
    ear = Ear(url, subscribed=subscribed)
    task = asyncio.create_task(ear.listen())
    await asyncio.wait_for(ear.listening.wait(), 10)
    yield ear
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_every_reading_arrives_in_its_devices_order(nats: Any) -> None:
    async with hearing(nats.url) as ear:
        counters = await publish(readings(500), nats.url)
        await ear.until(lambda e: sum(map(len, e.sequences().values())) >= 500)
    assert counters.readings == 500
    assert counters.resent == 0
    assert ear.sequences() == {f"keelwing/v1/demo/vessel/local/device-{d}/telemetry": list(range(d, 500, 5)) for d in range(5)}


async def test_killing_the_broker_loses_no_reading(nats: Any) -> None:
    count = 4000
    acknowledged = asyncio.Event()
    seen = 0

    def on_acknowledged(_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == count // 4:
            acknowledged.set()

    async with hearing(nats.url):
        pass  # the broker now keeps everything for this session, in the order it came
    sending = asyncio.create_task(publish(readings(count), nats.url, on_acknowledged=on_acknowledged))
    await asyncio.wait_for(acknowledged.wait(), 30)
    nats.kill()
    assert not sending.done()
    await asyncio.to_thread(nats.start)
    counters = await asyncio.wait_for(sending, 60)
    async with hearing(nats.url, subscribed=True) as ear:
        await ear.until(lambda e: len({s for d in e.sequences().values() for s in d}) == count, 60)
    assert counters.connections == 2
    assert counters.resent > 0
    for heard in ear.sequences().values():
        firsts = list(dict.fromkeys(heard))
        assert firsts == sorted(firsts), "a device's readings first arrive in its order"


async def test_a_broker_that_is_away_at_first_is_waited_for(nats: Any) -> None:
    nats.kill()
    sending = asyncio.create_task(publish(readings(20), nats.url))
    await asyncio.to_thread(nats.start)
    assert (await asyncio.wait_for(sending, 30)).readings == 20


async def test_status_and_static_are_retained_and_end_offline(nats: Any, small: World) -> None:
    statics = [e for e in small.elements(small.start, small.start + timedelta(seconds=1)) if e.kind == "static"]
    assert len(statics) == 10
    await publish(statics, nats.url)
    async with hearing(nats.url) as ear:  # comes after the publisher left: hears retained messages alone
        await ear.until(lambda e: len(e.heard) >= 21)
    words = {t: p for t, p in ear.heard if t.endswith("/status")}
    assert words.pop("keelwing/v1/demo/feed/simulator/status") == b"offline"
    assert len(words) == 10
    assert set(words.values()) == {b"offline"}
    names = {msgspec.json.decode(p)["name"] for t, p in ear.heard if t.endswith("/static")}
    assert names == {asset.name for asset in small.assets()}


async def test_a_websocket_serves_as_well(nats: Any) -> None:
    assert (await asyncio.wait_for(publish(readings(50), nats.websocket_url), 30)).readings == 50


async def test_mqtt_5_serves_as_well(mosquitto_broker: Any) -> None:
    counters = await asyncio.wait_for(publish(readings(50), mosquitto_broker.url, protocol=5), 30)
    assert counters.readings == 50


async def test_speed_keeps_the_intervals_of_sending(nats: Any) -> None:
    begun_s = asyncio.get_running_loop().time()
    await publish(readings(200), nats.url, speed=0.5)  # 199 ms of readings
    assert asyncio.get_running_loop().time() - begun_s > 0.39


CRASHING = """
import asyncio, sys
from simulators.element import Element
from simulators.publish import Air, outgoing

async def main():
    async with Air(sys.argv[1]) as air:
        await air.send("demo", outgoing(Element("demo", "vessel", "local", "x", "telemetry", 0, {"seq": 0}, 0)))
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_publisher_leaves_its_last_will(nats: Any) -> None:
    def feed_words(ear: Ear) -> list[bytes]:
        return [p for t, p in ear.heard if t == "keelwing/v1/demo/feed/simulator/status"]

    async with hearing(nats.url) as ear:
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", CRASHING, nats.url)
        await ear.until(lambda e: e.sequences())
        assert feed_words(ear) == [b"online"]
        child.kill()
        await child.wait()
        await ear.until(lambda e: len(feed_words(e)) == 2)
    assert feed_words(ear)[1] == b"offline"


@pytest.mark.parametrize(("padding", "arrays"), [(0, 3), (600, 7)])
def test_a_flush_writes_arrays_within_the_wires_limits(padding: int, arrays: int) -> None:
    elements = [e._replace(body=e.body | {"note": "x" * padding}) for e in readings(2500, devices=1)]
    messages = [m for _, m in flushed(elements, 3600.0)]
    assert len(messages) == arrays
    assert all(m.readings <= ELEMENTS_MAX and len(m.payload) <= MESSAGE_BYTES_MAX for m in messages)
    written = [one["seq"] for m in messages for one in msgspec.json.decode(m.payload)]
    assert written == list(range(2500))
    assert [m.readings for m in messages] == [len(msgspec.json.decode(m.payload)) for m in messages]


def test_a_flush_keeps_each_devices_order(small: World) -> None:
    elements = list(small.elements(small.start, small.start + timedelta(minutes=25)))  # before anything is corrupted

    def by_device(payloads: Iterable[tuple[str, bytes]]) -> dict[str, list[str]]:
        times: dict[str, list[str]] = defaultdict(list)
        for device, payload in payloads:
            decoded = msgspec.json.decode(payload)
            for one in decoded if isinstance(decoded, list) else [decoded]:
                times[device].append(one["time"])
        return times

    alone = by_device((outgoing(e).device, outgoing(e).payload) for e in elements)
    assert by_device((m.device, m.payload) for _, m in flushed(elements, 900.0)) == alone


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://a", ("a", 1883, False, "tcp", None, None)),
        ("mqtts://u%40x:p%3Aw@b:99", ("b", 99, True, "tcp", "u@x", "p:w")),
        ("ws://c:8083/path", ("c", 8083, False, "websockets", None, None)),
    ],
)
def test_urls_are_read(url: str, expected: tuple[Any, ...]) -> None:
    broker = parse_url(url)
    assert (broker.host, broker.port, broker.tls, broker.transport, broker.username, broker.password) == expected


@pytest.mark.parametrize("url", ["http://a", "mqtt://", "a:1883", ""])
def test_a_bad_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="broker's URL"):
        parse_url(url)


async def run_until_live(ear: Ear, nats: Any, scenario: Any, **told: Any) -> None:
    """Run a scenario's history, stop it when it is live, and hear it say that it is gone."""
    stop, live = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(
        run_scenario(scenario, url=nats.url, seed=3, stop=stop, on_progress=lambda _: live.set(), **told)
    )
    await asyncio.wait_for(live.wait(), 30)
    stop.set()
    await asyncio.wait_for(running, 10)
    await ear.until(lambda e: e.heard[-1][1] == b"offline")


async def test_a_scenario_runs_its_history_then_live_until_stopped(nats: Any, tmp_path: Path) -> None:
    scenario = msgspec.structs.replace(load_scenario("small"), history_h=0.5)
    start = datetime.now(UTC)
    counts: list[int] = []
    async with hearing(nats.url) as ear:
        await run_until_live(
            ear, nats, scenario, start=start, resume_from=None, labels_path=tmp_path / "labels.ndjson", on_count=counts.append
        )
    times: dict[str, list[str]] = defaultdict(list)
    for topic, payload in ear.heard:
        if topic.endswith("/telemetry"):
            decoded = msgspec.json.decode(payload)
            times[topic] += [one["time"] for one in (decoded if isinstance(decoded, list) else [decoded])]
    assert len(times) == 10
    assert all(each == sorted(each) for each in times.values())
    assert min(map(min, times.values())) < rfc3339(unix_us(start - timedelta(minutes=28)))
    assert max(map(max, times.values())) >= rfc3339(unix_us(start))
    assert counts == sorted(counts)
    assert read_labels(tmp_path / "labels.ndjson") == []  # nothing goes wrong in `small` so early


async def test_a_resumed_scenario_begins_where_it_was_told(nats: Any) -> None:
    scenario = load_scenario("small")
    now = datetime.now(UTC)
    start, resume_from = now - timedelta(hours=2), now - timedelta(minutes=3)
    async with hearing(nats.url) as ear:
        await run_until_live(ear, nats, scenario, start=start, resume_from=resume_from, labels_path=None)
    heard = []
    for topic, payload in ear.heard:
        if topic.endswith("/telemetry"):
            decoded = msgspec.json.decode(payload)
            heard += [(topic, one["time"]) for one in (decoded if isinstance(decoded, list) else [decoded])]
    expected = World(scenario, seed=3, start=start).elements(resume_from, now)
    wanted = {(outgoing(e).topic, e.body["time"]) for e in expected if e.kind == "telemetry"}
    assert wanted <= set(heard)
    assert min(time for _, time in heard) >= rfc3339(unix_us(resume_from) // 1000 * 1000)
