"""What can be found out about a database before anything relies on it: for `keelwing doctor`. Reads; changes nothing.

It knows what to ask. What an answer means for this Keelwing is judged by whoever asked.
"""

from __future__ import annotations

import time
from importlib.resources import files

import msgspec
import psycopg
from psycopg.rows import dict_row

from store.queries import load

SQL = load("diagnosis")
CONNECT_S_MAX = 5  # chosen: a database across an ocean answers in a tenth of it
COMMITS_TRIED = 5
VERSION_MIN = 160_000

ROLES = ("keelwing_worker", "keelwing_api", "keelwing_view", "keelwing_gate")


class Unreachable(Exception):  # noqa: N818  said as a person would
    """No connection, or not for us; the text is the server's first line."""


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """One of our roles as the server has it: `owns` counts tables, `passes_wall` is superuser or BYPASSRLS."""

    name: str
    owns: int
    passes_wall: bool
    can_log_in: bool


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Who one URL logs in as, where, and whether `role` may be taken on (None: none was asked for)."""

    user: str
    server: str
    database: str
    passes_wall: bool
    may_act: bool | None
    may_create_roles: bool


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """One server and database.

    `version` as PostgreSQL counts (180001). `edition` is `timescale`, `apache`, or None; `available` whether an extension that is
    not created yet could be. `clock_ahead_s`: the server's clock against ours, give or take half of `round_trip_ms`. `commit_ms`:
    the median of a few commits that wait for the disk as settings say. `unwalled`: tables the API may touch without row security.
    `pending` and `unknown`: migrations this version has and the database lacks, and the reverse; both None where no list of them
    can be read.
    """

    version: int
    version_text: str
    edition: str | None
    edition_version: str | None
    available: bool
    clock_ahead_s: float
    round_trip_ms: float
    commit_ms: float
    connections_max: int
    connections_now: int
    fsync: bool
    synchronous_commit: str
    full_page_writes: bool
    database_bytes: int
    roles: tuple[Role, ...]
    unwalled: tuple[str, ...]
    pending: tuple[str, ...] | None
    unknown: tuple[str, ...] | None


def log_in(url: str, role: str | None = None) -> Login:
    """Log in with a URL and see who that is, and whether it may act as `role`. Raises Unreachable."""
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_S_MAX, row_factory=dict_row) as connection:
            row = connection.execute(SQL["login"], {"role": role}).fetchone()
    except psycopg.Error as error:
        raise Unreachable(_first_line(error)) from error
    if row is None:
        raise Unreachable("no answer")
    return Login(**row)


def examine(url: str) -> Database:
    """Ask everything of one database. Raises Unreachable."""
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_S_MAX, autocommit=True, row_factory=dict_row) as connection:
            if connection.info.server_version < VERSION_MIN:
                raise Unreachable(f"PostgreSQL {connection.info.server_version // 10_000}: 16 to 18 are needed")
            connection.execute("SET statement_timeout = '20s'")
            began_s, asked_s = time.monotonic(), time.time()
            clock = connection.execute(SQL["clock"]).fetchone()
            round_trip_s = time.monotonic() - began_s
            row = connection.execute(SQL["server"]).fetchone()
            roles = connection.execute(SQL["roles"], {"names": list(ROLES)}).fetchall()
            unwalled = [one["name"] for one in connection.execute(SQL["unwalled"]).fetchall()]
            applied = _applied(connection)
            commit_ms = _commit_ms(connection)
    except psycopg.Error as error:
        raise Unreachable(_first_line(error)) from error
    if clock is None or row is None:
        raise Unreachable("no answer")
    packaged = sorted(
        path.name.removesuffix(".sql") for path in (files("store") / "migrations").iterdir() if path.name.endswith(".sql")
    )
    return Database(
        **row,
        clock_ahead_s=round(clock["unix_s"] - (asked_s + round_trip_s / 2), 3),
        round_trip_ms=round(round_trip_s * 1000, 1),
        commit_ms=commit_ms,
        roles=tuple(Role(**one) for one in roles),
        unwalled=tuple(unwalled),
        pending=None if applied is None else tuple(name for name in packaged if name not in applied),
        unknown=None if applied is None else tuple(sorted(applied - set(packaged))),
    )


def _applied(connection: psycopg.Connection[dict[str, object]]) -> set[str] | None:
    """Migrations the database has; None when it was never migrated, or when this log-in may not see the list."""
    readable = connection.execute(SQL["has_list"]).fetchone()
    if readable is None or not readable["readable"]:
        return None
    return {str(row["migration_id"]) for row in connection.execute(SQL["applied"]).fetchall()}


def _commit_ms(connection: psycopg.Connection[dict[str, object]]) -> float:
    """Time of a commit that writes next to nothing: a message into the log of changes that nobody reads."""
    took_s = []
    for _ in range(COMMITS_TRIED):
        began_s = time.monotonic()
        connection.execute(SQL["write"])
        took_s.append(time.monotonic() - began_s)
    return round(sorted(took_s)[COMMITS_TRIED // 2] * 1000, 1)


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
