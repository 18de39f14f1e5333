"""The compose file's services as processes: well by their own checks, and a reading goes all the way through."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator

import psycopg
import pytest

from bench.mosquitto import mosquitto_program
from deploy.as_processes import Composition, send_and_read_back
from tests.fix_postgres import reachable_directory

pytestmark = pytest.mark.mosquitto

NOT_AUTHORISED = 5
"""Return code of CONNACK (MQTT 3.1.1, 3.2.2.3)."""


@pytest.fixture(scope="module")
def composition() -> Iterator[Composition]:
    """Everything the file starts with Mosquitto, running."""
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    place = reachable_directory("keelwing-test-composition-")
    try:
        running = Composition(place / "run", broker="mosquitto")
        with running:
            yield running
    finally:
        shutil.rmtree(place)
    ended = {name: status for name, status in running.exit_statuses.items() if status != 0}
    assert ended == {}, "not every service ended in good order"


def test_a_reading_goes_from_the_broker_to_the_api(composition: Composition) -> None:
    state = send_and_read_back(composition)
    assert state["position"]["coordinates"] == [1.52, 51.05]


def test_the_broker_asks_for_a_password(composition: Composition) -> None:
    body = b"\x00\x04MQTT\x04\x02\x00\x05\x00\x07nobody1"
    with socket.create_connection(("127.0.0.1", composition.ports[1883]), timeout=10) as connection:
        connection.sendall(bytes([0x10, len(body)]) + body)
        assert connection.recv(4)[3] == NOT_AUTHORISED


def test_each_service_holds_its_own_secrets_alone(composition: Composition) -> None:
    held = {
        name: {path.name for path in (service.root / "run/secrets").iterdir()}
        for name, service in composition.services.items()
        if name in {"worker", "notifier", "api"}
    }
    assert held == {
        "worker": {"keelwing_database_worker_url", "keelwing_mqtt_url"},
        "notifier": {"keelwing_database_worker_url"},
        "api": {"keelwing_database_api_url"},
    }


def test_the_api_cannot_read_what_is_behind_the_wall(composition: Composition) -> None:
    url = (composition.services["api"].root / "run/secrets/keelwing_database_api_url").read_text().strip()
    with psycopg.connect(url, connect_timeout=10) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT count(*) FROM reading_vessel")


def test_the_script_of_the_roles_may_run_again(composition: Composition) -> None:
    """That is how a password is changed."""
    composition.make_roles()
    assert composition.is_well(composition.services["api"])
