"""Fixtures: brokers that a test may kill, stop and start again on the same port and store.

NATS from the wheel (MQTT 3.1.1), Mosquitto from the system (3.1.1 and 5). A test that asks for `broker` runs on both.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.mosquitto import Mosquitto, mosquitto_program
from keelwing.embedded.nats import EmbeddedNats

Broker = EmbeddedNats | Mosquitto
"""What a test may start, stop, kill and start again; `url` stays the same."""


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
        broker = Mosquitto(program, Path(directory), autosave_s=1)
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
