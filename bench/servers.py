"""The servers under a bench: the embedded PostgreSQL as Keelwing runs it (nothing switched off), NATS from the wheel, Mosquitto.

Each run of a contender gets a broker with an empty store and a database of its own. Knows how they start; says nothing to them.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from keelwing.embedded import process
from keelwing.embedded.nats import EmbeddedNats, answers_mqtt
from keelwing.embedded.postgres import EmbeddedPostgres

IN_FLIGHT_MAX = 2000  # of every consumer, as Keelwing's setting has it
MOSQUITTO_PATH = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
MOSQUITTO_CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {directory}/
autosave_interval 5
max_queued_messages 0
max_inflight_messages {in_flight_max}
log_dest stderr
log_type warning
log_type error
user root
"""


class Broker(Protocol):
    """A broker of one run."""

    name: str

    @property
    def port(self) -> int:
        """Its MQTT port on 127.0.0.1."""

    @property
    def pid(self) -> int | None:
        """Its process; None when it does not run."""

    def start(self) -> None:
        """Start; returns when it answers MQTT."""

    def stop(self) -> None:
        """Stop, and wait."""


class Mosquitto:
    """Mosquitto with its queue bounded by nothing, saved every five seconds."""

    name = "mosquitto"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port = process.free_port()
        self._process: process.Child | None = None

    @property
    def pid(self) -> int | None:
        """Its process; None when it does not run."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start; returns when it answers MQTT. Errors: EmbeddedServerError when it does not within 10 s."""
        program = mosquitto_program()
        if program is None:
            raise process.EmbeddedServerError("mosquitto is not installed")
        configuration = self._directory / "mosquitto.conf"
        configuration.write_text(
            MOSQUITTO_CONFIGURATION.format(port=self.port, directory=self._directory, in_flight_max=IN_FLIGHT_MAX)
        )
        log_path = self._directory / "mosquitto.log"
        self._process = process.spawn([program, "-c", str(configuration)], log_path=log_path, cwd=self._directory, env={})
        if not process.wait_until(lambda: answers_mqtt("127.0.0.1", self.port), 10.0):
            raise process.EmbeddedServerError(f"mosquitto does not answer:\n{process.log_tail(log_path)}")

    def stop(self) -> None:
        """Stop, and wait."""
        if self._process is not None:
            process.stop(self._process, [(signal.SIGTERM, 10.0)])
            self._process = None


@contextmanager
def run_directory() -> Iterator[Path]:
    """A directory for a run's packets, gauges and logs, in memory where the system has such a place: the disk is the servers'."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="keelwing-bench-", dir=memory if memory.is_dir() else None) as directory:
        yield Path(directory)


def mosquitto_program() -> str | None:
    """Path of Mosquitto; None when it is not installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=MOSQUITTO_PATH)


def brokers_there() -> list[str]:
    """The brokers that this machine can run."""
    return ["nats", *(["mosquitto"] if mosquitto_program() else [])]


@contextmanager
def broker_of(name: str) -> Iterator[Broker]:
    """A broker with an empty store, running; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"keelwing-bench-{name}-") as directory:
        broker: Broker = EmbeddedNats(Path(directory)) if name == "nats" else Mosquitto(Path(directory))
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


class Database:
    """One PostgreSQL of a bench, and databases on it that come and go. `pid`: its first process, None when it is elsewhere."""

    def __init__(self, url: str, pid: int | None) -> None:
        self.pid = pid
        self._url = url

    @contextmanager
    def fresh(self, *, migrated: bool) -> Iterator[str]:
        """URL of a new database, as its owner; dropped afterwards."""
        name = f"bench_{secrets.token_hex(6)}"
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))
        try:
            if migrated:
                from store.migrate import migrate

                migrate(url)
            yield url
        finally:
            self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            self._execute(sql.SQL("CHECKPOINT"))  # the next one does not pay for this one's pages

    def _execute(self, statement: sql.Composed | sql.SQL) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def database_server() -> Iterator[Database]:
    """The embedded PostgreSQL with its own settings, in a directory that is gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="keelwing-bench-postgres-"))
    directory.chmod(0o755)  # the account it runs as must enter
    server = EmbeddedPostgres(directory)
    try:
        with server:
            yield Database(server.url, server.pid)
    finally:
        elsewhere = directory / "server.txt"
        if elsewhere.exists():
            shutil.rmtree(elsewhere.read_text().splitlines()[0])
        shutil.rmtree(directory)
