"""The bare consumer, a reference: paho with manual acknowledgement, doing nothing else. No consumer on paho can be faster.

A process of its own; its gauge says how many messages it acknowledged.
"""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bench.gauge import Gauge
from bench.mosquitto import IN_FLIGHT_MAX

ACKNOWLEDGED, READY = range(2)


def main() -> None:
    """Acknowledge until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--filter", required=True)
    parser.add_argument("--gauge", type=Path, required=True)
    given = parser.parse_args()
    gauge = Gauge(given.gauge)
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id="bench-bare", protocol=paho.MQTTv311, clean_session=False, manual_ack=True
    )
    client.max_inflight_messages_set(IN_FLIGHT_MAX)
    count = 0

    def connected(_client: Any, _userdata: Any, flags: Any, _reason: Any, _properties: Any) -> None:
        if flags.session_present:
            gauge[READY] = 1
        else:
            client.subscribe(given.filter, qos=1)

    def subscribed(*_: Any) -> None:
        gauge[READY] = 1

    def received(_client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        nonlocal count
        client.ack(message.mid, 1)
        count += 1
        gauge[ACKNOWLEDGED] = count

    client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, received
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    client.connect("127.0.0.1", given.port)
    client.loop_start()
    stop.wait()
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main()
