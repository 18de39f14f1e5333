"""Probes say how far the broker is drained: only those of this process, and nothing else on their topics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from ingest.mqtt import BrokerAddress, Delivery, Inbox
from tests.fix_broker import Broker

TOPICS = ("keelwing/v1/_/probe/worker/probing/telemetry", "keelwing/v1/_/feed/probe-probing/telemetry")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again, for thirty seconds."""
    deadline_s = time.monotonic() + 30
    while not await condition():
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.02)


def delivered(inbox: Inbox, topic: str, payload: bytes) -> Delivery:
    receiver = inbox.sessions["devices"]
    return Delivery(topic=topic, payload=payload, received_us=0, connection=0, mids=[1], receiver=receiver)


async def test_a_probe_of_an_earlier_life_is_no_bad_input_and_moves_no_frontier() -> None:
    """After a crash the broker repeats the probe that was in flight."""
    inbox = Inbox(BrokerAddress(url="mqtt://127.0.0.1:1", client_id="probing"))
    for topic in TOPICS:
        assert inbox.probe_us(delivered(inbox, topic, b'{"probe":1795330800000000}')) == 1_795_330_800_000_000
    assert inbox.frontier_us is None


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"probe":"now"}', b'{"probe":1,"lat_deg":1.0}'])
async def test_anything_else_on_the_topic_of_a_probe_is_input_like_any_other(payload: bytes) -> None:
    inbox = Inbox(BrokerAddress(url="mqtt://127.0.0.1:1", client_id="probing"))
    assert inbox.probe_us(delivered(inbox, TOPICS[0], payload)) is None


@pytest.mark.parametrize("suffix", ["", "-feeds", "-backfill"])
async def test_a_session_left_without_a_subscription_is_subscribed_after_all(broker: Broker, suffix: str) -> None:
    """A worker killed between CONNECT and SUBSCRIBE leaves one; the broker says that the session is there, and sends nothing."""
    client_id = f"orphan{suffix}-{uuid4().hex[:8]}"
    killed = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id + suffix, clean_session=False)
    killed.connect("127.0.0.1", int(broker.url.rsplit(":", 1)[1]))
    killed.loop_start()

    async def connected() -> bool:
        return killed.is_connected()

    await until(connected)
    killed.disconnect()
    killed.loop_stop()
    inbox = Inbox(BrokerAddress(url=broker.url, client_id=client_id))
    inbox.start()
    try:
        topics = {
            "": "keelwing/v1/demo/vessel/imo/9074729/telemetry",
            "-feeds": "keelwing/v1/demo/feed/coast/telemetry",
            "-backfill": "keelwing/v1/demo/vessel/imo/9074729/telemetry/backfill",
        }

        async def subscribed() -> bool:
            if inbox.listening_since_us is not None:
                inbox.probe(time.time_ns() // 1000)
            taken = await inbox.take(100, 0.2)
            for delivery in taken:
                inbox.probe_us(delivery)
            inbox.acknowledge(taken)
            return inbox.is_subscribed

        await until(subscribed)
        async with aiomqtt.Client("127.0.0.1", int(broker.url.rsplit(":", 1)[1])) as device:
            await device.publish(topics[suffix], b"7", qos=1)
        found: list[bytes] = []

        async def came() -> bool:
            found.extend(delivery.payload for delivery in await inbox.take(100, 0.2))
            return b"7" in found

        await until(came)
    finally:
        inbox.stop()
