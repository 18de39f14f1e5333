"""The doctor: a healthy stack passes, and each illness has its own line and its own advice."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from bench.mosquitto import Mosquitto, mosquitto_program
from ingest import broker_check
from ingest.mqtt import BrokerAddress
from keelwing.doctor import Check, diagnose
from keelwing.settings import PREFIX, Settings
from tests.fix_broker import Broker
from tests.fix_stack import Stack
from tests.house.fix_tree import ROOT

OF_THE_MACHINE = {"database.commit", "data.space"}
"""Checks that tell how the machine is doing, which is nobody's fault here."""


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of a stack that happens to run: an empty data directory, no settings, a port of nobody."""
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.setenv("KEELWING_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KEELWING_HTTP_PORT", "0")


def by_name(*, probe: bool = False, configuration: Path | None = None) -> dict[str, Check]:
    """The checks by name; the last of those that have one."""
    return {one.check: one for one in diagnose(os.environ, probe=probe, broker_configuration=configuration)}


def test_a_healthy_stack_passes_every_check(demo_stack: Stack) -> None:
    checks = json.loads(demo_stack.command("doctor", "--json"))
    assert [one for one in checks if one["state"] != "ok" and one["check"] not in OF_THE_MACHINE] == []
    assert {
        "settings.values",
        "data.directory",
        "database.reachable",
        "database.login_worker",
        "database.login_api",
        "database.version",
        "database.migrations",
        "database.edition",
        "database.wall",
        "database.durability",
        "database.connections",
        "database.clock",
        "broker.reachable",
        "broker.protocol",
        "broker.message_size",
        "broker.window",
        "broker.queue",
        "broker.durability",
    } <= {one["check"] for one in checks}


@pytest.fixture
def careless_mosquitto() -> Iterator[tuple[Mosquitto, Path]]:
    """Mosquitto as it comes: a listener, and every other setting its default; with its configuration."""
    program = mosquitto_program()
    if program is None:
        pytest.skip("mosquitto is not installed")
    bare = "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
    with tempfile.TemporaryDirectory(prefix="keelwing-test-mosquitto-") as directory:
        broker = Mosquitto(program, Path(directory), autosave_s=1, configuration=bare)
        broker.start()
        yield broker, broker.configuration_path
        broker.stop()


@pytest.mark.mosquitto
def test_mosquitto_as_it_comes_is_warned_of(careless_mosquitto: tuple[Mosquitto, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    broker, configuration = careless_mosquitto
    monkeypatch.setenv("KEELWING_MQTT_URL", broker.url)
    checks = by_name(probe=True, configuration=configuration)
    ill = {name for name, one in checks.items() if name.startswith("broker.") and one.state != "ok"}
    assert ill == {"broker.window", "broker.queue", "broker.durability"}
    assert checks["broker.window"].found.startswith("20 messages in flight, at most 20 a commit, which takes 31 ms")
    assert checks["broker.window"].found.endswith("at most 645 messages/s a session")
    assert "max_inflight_messages" in (checks["broker.window"].advice or "")
    assert "it kept 1,000" in checks["broker.queue"].found
    assert "max_queued_messages 0" in (checks["broker.queue"].advice or "")
    assert "keeps nothing on disk" in checks["broker.durability"].found
    assert "mosquitto version" in checks["broker.reachable"].found
    monkeypatch.setenv("KEELWING_MQTT_PROTOCOL", "5")
    assert by_name(probe=True)["broker.window"].state == "ok"  # with MQTT 5 the worker's own Receive Maximum counts
    assert by_name()["broker.durability"].found == "no client can see whether the broker keeps messages on disk"


def test_a_broker_as_it_should_be_passes_and_nothing_is_left_with_it(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.broker_check.secrets.token_hex", lambda _: "known")
    found = broker_check.examine(BrokerAddress(url=broker.url))
    assert (found.window, found.kept, found.takes_largest, found.refused) == (2000, broker_check.QUEUE_TRIED, True, None)
    assert found.speaks == (("3.1.1",) if broker.name == "nats" else ("3.1.1", "5"))
    present: list[bool] = []
    connected = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="keelwing-doctor-known-c", clean_session=False)

    def on_connect(_client: object, _userdata: object, flags: paho.ConnectFlags, *_: object) -> None:
        present.append(flags.session_present)
        connected.set()

    client.on_connect = on_connect
    parts = urlsplit(broker.url)
    client.connect(parts.hostname or "", parts.port or 0)
    client.loop_start()
    assert connected.wait(10)
    client.disconnect()
    client.loop_stop()
    assert present == [False]


def test_a_configuration_says_what_a_crash_may_cost() -> None:
    nats, mosquitto = ROOT / "deploy/nats/keelwing.conf", ROOT / "deploy/mosquitto/keelwing.conf"
    assert broker_check.read_configuration(nats.read_text()).loses_s == 1
    said = broker_check.read_configuration(mosquitto.read_text())
    assert (said.keeps_on_disk, said.loses_s) == (True, 5)
    assert broker_check.read_configuration("jetstream { store_dir: /x }").loses_s == 120
    assert broker_check.read_configuration("persistence true").loses_s == 1800


def test_a_broker_that_is_not_there_is_an_error_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEELWING_MQTT_URL", "mqtt://someone:hidden@127.0.0.1:9")
    checks = by_name()
    assert checks["broker.reachable"].state == "error"
    assert not any("hidden" in one.found + (one.advice or "") for one in checks.values())


def test_a_wrong_password_is_a_line_and_no_traceback(database_url: str) -> None:
    parts = urlsplit(database_url)
    wrong = urlunsplit(parts._replace(netloc=f"keelwing_api:hidden@{parts.hostname}:{parts.port}"))
    done = subprocess.run(
        [sys.executable, "-m", "keelwing.cli", "doctor", "--no-probe"],
        env={**os.environ, "KEELWING_DATABASE_URL": wrong},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("error")]
    assert "database.reachable" in line
    assert "password authentication failed" in line
    assert "Traceback" not in done.stdout + done.stderr
    assert "hidden" not in done.stdout + done.stderr


def test_warnings_count_when_asked_to() -> None:
    command = [sys.executable, "-m", "keelwing.cli", "doctor", "--json"]
    statuses = [
        subprocess.run([*command, *more], capture_output=True, timeout=60, check=False).returncode for more in ([], ["--strict"])
    ]
    assert statuses == [0, 1]  # there is neither database nor broker


def test_migrations_that_are_missing_or_from_later_are_named(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEELWING_DATABASE_URL", database_url)
    assert by_name()["database.migrations"].state == "ok"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO _yoyo_migration (migration_hash, migration_id) VALUES ('x', '9999_later')")
        assert "9999_later" in by_name()["database.migrations"].found
        connection.execute("DELETE FROM _yoyo_migration WHERE migration_id IN ('9999_later', '0110_dispatch')")
    assert by_name()["database.migrations"].found == "1 are missing, from 0110_dispatch on"


def test_a_database_that_was_never_migrated_says_so(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEELWING_DATABASE_URL", empty_database_url)
    assert by_name()["database.migrations"].advice == "run `keelwing migrate` as the owner"


def test_a_hole_in_the_wall_is_an_error(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEELWING_DATABASE_URL", database_url)
    assert by_name()["database.wall"].state == "ok"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE alert NO FORCE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE party OWNER TO keelwing_api")
    found = by_name()["database.wall"]
    assert found.state == "error"
    assert found.found == "keelwing_api owns 1 tables; alert has no row security"


def test_a_server_that_forgets_is_an_error(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(database_url) as connection:  # the tests' own server runs without fsync, another one may not
        row = connection.execute("SELECT current_setting('fsync')").fetchone()
    monkeypatch.setenv("KEELWING_DATABASE_URL", database_url)
    assert by_name()["database.durability"].state == ("error" if row == ("off",) else "ok")


def test_more_connections_than_there_are_is_an_error(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEELWING_DATABASE_URL", database_url)
    assert by_name()["database.connections"].state == "ok"
    monkeypatch.setenv("KEELWING_DATABASE_POOL_MAX", "200")
    assert by_name()["database.connections"].state == "error"


def test_settings_without_meaning_unknown_or_against_each_other_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEELWING_DATABSE_URL", "x")
    monkeypatch.setenv("KEELWING_WORKER_METRICS_PORT", "9464")
    monkeypatch.setenv("KEELWING_NOTIFIER_METRICS_PORT", "9464")
    checks = by_name()
    assert checks["settings.names"].found == "KEELWING_DATABSE_URL is no setting"
    assert checks["settings.together"].state == "error"
    monkeypatch.setenv("KEELWING_HORIZON_H", "never")
    (only,) = diagnose(os.environ)
    assert only.state == "error"
    assert only.found.startswith("KEELWING_HORIZON_H: ")


def test_keys_that_others_may_read_and_ports_that_are_taken_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    (directory / "demo-keys").write_text("key\n")
    (directory / "demo-keys").chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("KEELWING_HTTP_PORT", str(other.getsockname()[1]))
        checks = by_name()
    assert checks["data.secrets"].state == "warning"
    assert checks["http.port"].state == "warning"
