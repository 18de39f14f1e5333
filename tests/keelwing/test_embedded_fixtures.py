"""The fixtures other tests stand on: databases per test, brokers that come back, a network that breaks."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from keelwing.embedded.nats import answers_mqtt
from tests.fix_broker import Broker
from tests.fix_postgres import PostgresServer
from tests.fix_proxy import TcpProxy
from tests.fix_stack import Stack, wait_for


def test_a_copied_database_holds_what_its_template_held_and_is_its_own(postgres_server: PostgresServer) -> None:
    template = postgres_server.create_database("fixture_template")
    try:
        with psycopg.connect(template) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        copy = postgres_server.create_database("fixture_copy", template="fixture_template")
        with psycopg.connect(copy) as connection:
            connection.execute("INSERT INTO kept VALUES (1)")
            # Dropped under an open connection: FORCE, because a failed test leaves connections behind.
            connection.commit()
            postgres_server.drop_database("fixture_copy")
        with psycopg.connect(template) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    finally:
        postgres_server.drop_database("fixture_template")


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_broker_comes_back_on_its_port(broker: Broker, how: str) -> None:
    address = urlsplit(broker.url)
    assert address.hostname is not None
    assert address.port is not None
    getattr(broker, how)()
    assert not answers_mqtt(address.hostname, address.port)
    broker.start()
    assert urlsplit(broker.url).port == address.port
    assert answers_mqtt(address.hostname, address.port)


def test_a_proxy_passes_is_deaf_is_cut_and_passes_again(proxy: Callable[[str, int], TcpProxy], nats_broker: Broker) -> None:
    address = urlsplit(nats_broker.url)
    assert address.port is not None
    between = proxy("127.0.0.1", address.port)
    assert answers_mqtt(between.host, between.port)
    between.deaf()
    assert not answers_mqtt(between.host, between.port, timeout_s=0.2)
    between.cut()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((between.host, between.port), timeout=1).close()
    between.restore()
    assert answers_mqtt(between.host, between.port)


def test_a_deaf_proxy_keeps_an_open_connection_and_a_cut_one_does_not(
    proxy: Callable[[str, int], TcpProxy],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        between = proxy("127.0.0.1", server.getsockname()[1])
        with socket.create_connection((between.host, between.port), timeout=2) as client:
            far, _ = server.accept()
            with far:
                far.settimeout(0.2)
                between.deaf()
                client.sendall(b"held")
                with pytest.raises(TimeoutError):
                    far.recv(16)
                between.restore()
                far.settimeout(2)
                assert far.recv(16) == b"held"
                between.cut()
                with pytest.raises(ConnectionResetError):
                    client.recv(16)


def test_a_test_gets_a_migrated_database_of_its_own(database_url: str, template_database: str) -> None:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT current_database(), to_regclass('commits')::text").fetchone()
    assert row is not None
    assert row[0] != template_database
    assert row[1] is not None


def test_a_stack_that_does_not_come_up_in_time_does_not_run_on(stack_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fix_stack.START_S_MAX", 0.5)
    stack = Stack(stack_directory)
    with pytest.raises(pytest.fail.Exception):
        stack.start()
    assert stack.process is not None
    assert stack.process.poll() is not None

    def is_gone() -> bool:  # what made the cluster may be at its own cleaning up still
        shutil.rmtree(stack_directory, ignore_errors=True)
        return not stack_directory.exists()

    wait_for("nobody writes there any more", is_gone)
