"""The servers under a bench: the embedded PostgreSQL as Keelwing runs it (nothing switched off), NATS from the wheel, Mosquitto.

Each run of a contender gets a broker with an empty store and a database of its own. Knows how they start; says nothing to them.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from bench.mosquitto import Mosquitto, mosquitto_program
from keelwing.embedded import process
from keelwing.embedded.nats import EmbeddedNats
from keelwing.embedded.postgres import EmbeddedPostgres

Broker = EmbeddedNats | Mosquitto
"""A broker of one run."""


@contextmanager
def run_directory() -> Iterator[Path]:
    """A directory for a run's packets, gauges and logs, in memory where the system has such a place: the disk is the servers'."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="keelwing-bench-", dir=memory if memory.is_dir() else None) as directory:
        yield Path(directory)


def brokers_there() -> list[str]:
    """The brokers that this machine can run."""
    return ["nats", *(["mosquitto"] if mosquitto_program() else [])]


@contextmanager
def broker_of(name: str) -> Iterator[Broker]:
    """A broker with an empty store, running; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"keelwing-bench-{name}-") as directory:
        broker: Broker = EmbeddedNats(Path(directory)) if name == "nats" else _mosquitto(Path(directory))
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def _mosquitto(directory: Path) -> Mosquitto:
    program = mosquitto_program()
    if program is None:
        raise process.EmbeddedServerError("mosquitto is not installed")
    return Mosquitto(program, directory, autosave_s=5)


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
