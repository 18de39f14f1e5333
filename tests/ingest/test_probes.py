"""Probes say how far the broker is drained: only those of this process, and nothing else on their topics."""

from __future__ import annotations

import pytest

from ingest.mqtt import BrokerAddress, Delivery, Inbox

TOPICS = ("keelwing/v1/_/probe/worker/probing/telemetry", "keelwing/v1/_/feed/probe-probing/telemetry")


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
