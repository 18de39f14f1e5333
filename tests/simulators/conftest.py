"""Fixtures: a NATS server with MQTT that a test may kill and start again, and the scenarios' worlds."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keelwing.embedded.process import free_port
from simulators.scenario import load_scenario
from simulators.world import World

START = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


class Nats:
    """A NATS server on a port of its own, its streams on disk."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._websocket_port = free_port()
        self.websocket_url = f"ws://127.0.0.1:{self._websocket_port}"

    def start(self) -> None:
        """Start it and wait until it answers MQTT."""
        configuration = self._directory / "nats.conf"
        configuration.write_text(
            f"server_name: simulators-test\nhost: 127.0.0.1\nport: {free_port()}\n"
            f'jetstream {{ store_dir: "{self._directory / "streams"}" }}\n'
            f"websocket {{ host: 127.0.0.1, port: {self._websocket_port}, no_tls: true }}\n"
            f'mqtt {{ host: 127.0.0.1, port: {self.port}, ack_wait: "2s" }}\n'
        )
        program = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or "nats-server"
        self._process = subprocess.Popen(
            [program, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline_s = time.monotonic() + 15
        while not _answers(self.port):
            assert time.monotonic() < deadline_s, "the broker does not answer"
            assert self._process.poll() is None, "the broker ended"

    def kill(self) -> None:
        """SIGKILL, as a power cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None


def _answers(port: int) -> bool:
    """Whether something accepts an MQTT CONNECT (client id "probe") on the port."""
    connect = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x0a\x00\x05probe"
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5) as link:
        link.sendall(connect)
        return link.recv(4)[:1] == b"\x20"
    return False


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Nats]:
    broker = Nats(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="session")
def small() -> World:
    scenario = load_scenario("small")
    return World(scenario, seed=scenario.seed, start=START)


@pytest.fixture(scope="session")
def clean() -> World:
    scenario = load_scenario("clean")
    return World(scenario, seed=scenario.seed, start=START)


@pytest.fixture(scope="session")
def demo() -> World:
    scenario = load_scenario("demo")
    return World(scenario, seed=scenario.seed, start=START)
