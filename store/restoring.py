"""A database made ready to take a dump, and brought back to order afterwards: the statements around `pg_restore`.

A dump holds neither roles nor the rights by which migrations, for a moment, hand views and functions to owners that can create
nothing.
`prepare` makes the roles and lends those rights, `finish` takes them back; between the two stands `pg_restore`. With TimescaleDB
the extension is told before and after (docs.timescale.com, "Logical backup with pg_dump and pg_restore").
"""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
from psycopg import sql

LOGIN_ROLES = ("keelwing_worker", "keelwing_api")
VERSION_MIN = 170_000  # pg_restore since 17 sets `transaction_timeout` whatever the server, and 16 refuses it
LENT_ROLES = ("keelwing_view", "keelwing_gate")


class NotEmpty(Exception):  # noqa: N818  said as a person would
    """The database holds tables already: nothing is restored over them."""


class Refused(Exception):  # noqa: N818  said as a person would
    """The server refused a statement, or is away; the text is its first line."""


def prepare(url: str, *, timescale: bool) -> None:
    """Make an empty database ready for `pg_restore` by the owner in `url`.

    Args:
        url: `postgresql://…` of the owner: a superuser, or without TimescaleDB one with CREATEROLE.
        timescale: whether the dump is of a database with TimescaleDB. Its version must be the dump's: make the extension
            beforehand where the server's default is another.

    Raises:
        NotEmpty: there are tables.
        Refused: the server is away, too old, or lacks the extension, or the owner may not make roles.
    """
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            _refuse_tables(connection)
            if connection.info.server_version < VERSION_MIN:
                raise Refused(
                    "PostgreSQL 16 wants its own pg_restore, by hand (docs/backup.md): that of 18 says what 16 does not know"
                )
            for role in (*LOGIN_ROLES, *LENT_ROLES):
                _make_role(connection, role)
            if timescale:
                connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
                connection.execute("SELECT timescaledb_pre_restore()")
            _lend(connection)
    except psycopg.Error as error:
        raise Refused(_first_line(error)) from error


def finish(url: str, *, timescale: bool) -> None:
    """Take back what `prepare` lent, and gather statistics, without which the first queries crawl. Raises Refused."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            if timescale:
                connection.execute("SELECT timescaledb_post_restore()")
            for role in LENT_ROLES:
                connection.execute(sql.SQL("REVOKE CREATE ON SCHEMA public FROM {}").format(sql.Identifier(role)))
            if not _is_superuser(connection):
                for role in LENT_ROLES:
                    connection.execute(_membership(role, inherit="FALSE"))
            connection.execute("ANALYZE")
    except psycopg.Error as error:
        raise Refused(_first_line(error)) from error


def _refuse_tables(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')"
    ).fetchone()
    if row is not None and row[0]:
        raise NotEmpty(f"the database holds {row[0]} tables already")


def _make_role(connection: psycopg.Connection[Any], role: str) -> None:
    """As the first migration makes it: unable to log in, and a member of whom the owner may act as."""
    there = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    if there is None:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    if not _is_superuser(connection):
        connection.execute(_membership(role, inherit="FALSE"))


def _lend(connection: psycopg.Connection[Any]) -> None:
    """While views and functions are made and handed over, their owners may create, and ours may speak for them."""
    for role in LENT_ROLES:
        connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(sql.Identifier(role)))
        if not _is_superuser(connection):
            connection.execute(_membership(role, inherit="TRUE"))


def _membership(role: str, *, inherit: LiteralString) -> sql.Composed:
    return sql.SQL("GRANT {} TO CURRENT_USER WITH SET TRUE, INHERIT " + inherit).format(sql.Identifier(role))


def _is_superuser(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
