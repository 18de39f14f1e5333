"""Fixtures: brokers that a test may kill, stop and start again on the same port and store.

NATS from the wheel (MQTT 3.1.1), Mosquitto from the system (3.1.1 and 5). A test that asks for `broker` runs on both.
"""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from keelwing.embedded import process
from keelwing.embedded.nats import EmbeddedNats, answers_mqtt

MOSQUITTO_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where packages put the broker; `sbin` is not on an ordinary user's path."""

MOSQUITTO_CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {directory}/
autosave_interval 1
max_queued_messages 0
max_inflight_messages 2000
log_dest stderr
log_type warning
log_type error
user root
"""


class Broker(Protocol):
    """What a test may do with a broker."""

    name: str

    @property
    def url(self) -> str:
        """`mqtt://127.0.0.1:PORT`, the same after a restart."""

    def start(self) -> None:
        """Start (again); returns when it answers MQTT, at once when it runs."""

    def stop(self) -> None:
        """SIGTERM, and wait."""

    def kill(self) -> None:
        """SIGKILL, and wait."""


class Mosquitto:
    """Debian's Mosquitto with its queue bounded by nothing and saved every second."""

    name = "mosquitto"

    def __init__(self, program: str, directory: Path) -> None:
        self._program = program
        self._directory = directory
        self._port = process.free_port()
        self._process: process.Child | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self._port}"

    @property
    def log_path(self) -> Path:
        return self._directory / "mosquitto.log"

    def start(self) -> None:
        if self._process is not None:
            return
        configuration = self._directory / "mosquitto.conf"
        configuration.write_text(MOSQUITTO_CONFIGURATION.format(port=self._port, directory=self._directory))
        self._process = process.spawn(
            [self._program, "-c", str(configuration)], log_path=self.log_path, cwd=self._directory, env={}
        )
        if not process.wait_until(lambda: answers_mqtt("127.0.0.1", self._port), 10.0):
            raise AssertionError(f"mosquitto does not answer:\n{process.log_tail(self.log_path)}")

    def stop(self) -> None:
        if self._process is not None:
            process.stop(self._process, [(signal.SIGTERM, 5.0)])
            self._process = None

    def kill(self) -> None:
        if self._process is not None:
            process.stop(self._process, [])
            self._process = None


def mosquitto_program() -> str | None:
    """Path of the broker, None when it is not installed."""
    places = [shutil.which("mosquitto"), *(shutil.which("mosquitto", path=place) for place in MOSQUITTO_PLACES)]
    return next((place for place in places if place), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for Mosquitto carries its marker without having to say so."""
    for item in items:
        if "mosquitto_broker" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.mosquitto)


@pytest.fixture(scope="session")
def nats_broker_of_session() -> Iterator[EmbeddedNats]:
    with tempfile.TemporaryDirectory(prefix="keelwing-test-nats-") as directory:
        broker = EmbeddedNats(Path(directory), ack_wait_s=2)
        broker.start()
        yield broker
        broker.stop()


@pytest.fixture(scope="session")
def mosquitto_broker_of_session() -> Iterator[Mosquitto]:
    program = mosquitto_program()
    if program is None:
        pytest.skip("mosquitto is not installed")
    with tempfile.TemporaryDirectory(prefix="keelwing-test-mosquitto-") as directory:
        broker = Mosquitto(program, Path(directory))
        broker.start()
        yield broker
        broker.stop()


@pytest.fixture
def nats_broker(nats_broker_of_session: EmbeddedNats) -> Broker:
    """NATS with `ack_wait` 2 s, running; one server for the session, so a test takes topics and client ids of its own."""
    nats_broker_of_session.start()
    return nats_broker_of_session


@pytest.fixture
def mosquitto_broker(mosquitto_broker_of_session: Mosquitto) -> Broker:
    """Mosquitto, running; one server for the session, so a test takes topics and client ids of its own."""
    mosquitto_broker_of_session.start()
    return mosquitto_broker_of_session


@pytest.fixture(params=["nats", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each broker in turn."""
    found: Broker = request.getfixturevalue(f"{request.param}_broker")
    return found
