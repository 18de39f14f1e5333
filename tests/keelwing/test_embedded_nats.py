"""The embedded broker: what it acknowledged survives its death, and it does not survive ours."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from keelwing.embedded import process
from keelwing.embedded.nats import EmbeddedNats, answers_mqtt, running_url

REPOSITORY = Path(__file__).parents[2]

RUN_AND_TELL = """
import json, pathlib, sys
from keelwing.embedded.nats import EmbeddedNats
broker = EmbeddedNats(pathlib.Path(sys.argv[1]))
broker.start()
print(json.dumps({"url": broker.url, "pid": broker.pid}), flush=True)
sys.stdin.read()
"""


class Client:
    """An MQTT client with a durable session and what it received."""

    def __init__(self, url: str, client_id: str) -> None:
        address = urlsplit(url)
        assert address.hostname is not None
        assert address.port is not None
        self.received: list[bytes] = []
        self._acknowledged = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
        self._client.on_message = lambda _client, _userdata, message: self.received.append(bytes(message.payload))
        self._client.on_subscribe = lambda *_: self._acknowledged.set()
        self._client.connect(address.hostname, address.port)
        self._client.loop_start()

    def subscribe(self, topic: str) -> None:
        self._client.subscribe(topic, qos=1)
        assert self._acknowledged.wait(10)

    def publish(self, topic: str, *payloads: bytes) -> None:
        for sent in [self._client.publish(topic, payload, qos=1) for payload in payloads]:
            sent.wait_for_publish(10)
            assert sent.is_published()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def test_what_was_acknowledged_survives_sigkill_of_the_broker(tmp_path: Path) -> None:
    payloads = [b"%d" % number for number in range(200)]
    with EmbeddedNats(tmp_path) as broker:
        listener = Client(broker.url, "listener")
        listener.subscribe("kept/#")
        listener.close()
        device = Client(broker.url, "device")
        device.publish("kept/a", *payloads)
        broker.kill()
        device.close()
        url = broker.url
        broker.start()
        assert broker.url == url
        listener = Client(broker.url, "listener")
        try:
            assert process.wait_until(lambda: len(listener.received) >= len(payloads), 10.0)
        finally:
            listener.close()
        assert sorted(set(listener.received)) == sorted(payloads)


def test_a_payload_above_our_own_limit_still_arrives(tmp_path: Path) -> None:
    # So that it is rejected and counted by us and not dropped by the broker.
    with EmbeddedNats(tmp_path) as broker:
        client = Client(broker.url, "large")
        try:
            client.subscribe("large")
            client.publish("large", b"x" * 512 * 1024)
            assert process.wait_until(lambda: [len(one) for one in client.received] == [512 * 1024], 10.0)
        finally:
            client.close()


def test_after_sigkill_of_the_parent_nothing_stays_and_the_next_start_keeps_the_port(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUN_AND_TELL, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
    ) as other:
        assert other.stdout is not None
        told = json.loads(other.stdout.readline())
        with pytest.raises(process.DirectoryInUseError):
            EmbeddedNats(tmp_path).start()
        assert running_url(tmp_path) == told["url"]
        other.send_signal(signal.SIGKILL)

    def gone() -> bool:
        return not process.processes_with(lambda words: any(str(tmp_path) in word for word in words))

    assert process.wait_until(gone, 10.0)
    assert running_url(tmp_path) is None
    with EmbeddedNats(tmp_path) as broker:
        assert broker.url == told["url"]


def test_a_configuration_it_refuses_is_told_with_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(process.EmbeddedServerError, match="65535"):
        EmbeddedNats(tmp_path, max_ack_pending=70_000).start()


def test_a_port_that_accepts_and_says_nothing_is_no_broker() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not answers_mqtt("127.0.0.1", silent.getsockname()[1], timeout_s=0.1)
