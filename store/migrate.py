"""Brings a database to today's schema: plain SQL in `migrations/`, applied in the order of their numbers by yoyo.

It knows how to run migrations and how to let roles log in; what the tables are is in the SQL. Two processes may start it at
once: the second waits for a server-side lock that dies with its holder, so a killed run never leaves the door shut.
"""

from __future__ import annotations

from contextlib import nullcontext
from importlib.resources import as_file, files
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import yoyo
from psycopg import sql

from store import timescale

LOCK_KEY = 0x6B65656C  # "keel": the advisory lock that one migrating process holds
ROLES = ("keelwing_worker", "keelwing_api")


def migrate(url: str) -> list[str]:
    """Apply every migration that the database lacks, then set up TimescaleDB where the server has it.

    Args:
        url: `postgresql://…` of a role that may create tables and roles (the owner).

    Returns:
        The names of the migrations applied now, oldest first; empty when there was nothing to do.

    Raises:
        psycopg.Error: the database is away or a statement failed; the failing migration left nothing behind.
    """
    backend = yoyo.get_backend(_yoyo_url(url))
    connection: psycopg.Connection[Any] = backend.connection
    # Each migration on the connection that holds the lock, not on one of its own: where that breaks, both end.
    backend.copy = lambda: nullcontext(backend)
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        backend.break_lock()  # ours is the lock that counts: a row in yoyo's own is a killed run's
        with as_file(files("store") / "migrations") as folder:
            pending = backend.to_apply(yoyo.read_migrations(str(folder)))
            names = [str(migration.id) for migration in pending]
            with backend.lock():
                backend.apply_migrations(pending)
        timescale.set_up(connection)
    finally:
        connection.close()
    return names


def set_role_password(url: str, role: str, password: str) -> None:
    """Let `role` (one of `ROLES`) log in with `password`; for the embedded stack, where nobody else would.

    The password is hashed here (SCRAM), so that the server's log never sees it.

    Raises:
        ValueError: another role.
        psycopg.Error: the database is away, or `url`'s role may not alter roles.
    """
    if role not in ROLES:
        raise ValueError(f"{role} is not one of {', '.join(ROLES)}")
    with psycopg.connect(url, autocommit=True) as connection:
        hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(hashed)))


def _yoyo_url(url: str) -> str:
    """Yoyo tells its drivers apart by scheme: `postgresql+psycopg` is psycopg 3."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql+psycopg"))
