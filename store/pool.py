"""Connections: bounded pools that reconnect, and the scope of one API transaction.

Connections made here read every `timestamptz` as whole microseconds UTC (as the rest of the house counts) and every JSON
value by msgspec. They know no query.
"""

from __future__ import annotations

import struct
import time
from typing import Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow, dict_row
from psycopg.types.datetime import TimestamptzBinaryLoader, TimestamptzLoader
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from fleet.instants import from_datetime
from store import arrays, staging

Connection: TypeAlias = AsyncConnection[DictRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]
Role = Literal["keelwing_worker", "keelwing_api"]

_INT8 = struct.Struct("!q")
_INFINITE_US = 2**63 - 1
INTERNAL = "*"  # the party setting of a tenant's own people; the wall opens to no other word
STATEMENT_TIMEOUT_S = {"keelwing_worker": 120, "keelwing_api": 30}
IDLE_IN_TRANSACTION_S = 60  # a worker that died with its machine gives its shards back after this long
CONNECTION = {
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 30,  # seconds: with the next two, a server that vanished is noticed within a minute
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds that sent bytes may stay unacknowledged
}
"""libpq's parameters of a connection; all chosen, against hosts that go away without a word."""

RECONNECT_S_MAX = 4.0
"""How long one series of attempts to connect, each after twice the pause of the last, may go on before a new one begins at once.
Chosen: psycopg_pool's own five minutes let the pause grow to as long as the database was away."""

CONNECTION_WAIT_S = {"keelwing_worker": 10.0, "keelwing_api": 30.0}
"""How long a caller waits for a connection. The worker asks again, which begins a new series; a request has nobody who would."""


async def open_pool(url: str, role: Role, size_max: int, *, wait_s: float = 30.0) -> Pool:
    """A pool of at most `size_max` connections acting as `role`, tested on the way out, reconnecting by itself.

    With `url` of the role itself the wall stands by log-in; with the owner's `url` each connection takes the role by
    `SET ROLE`, which keeps mistakes out but not somebody who can run any SQL.

    Args:
        url: `postgresql://…`.
        role: whose rights the connections have.
        size_max: connections at most; who asks beyond it waits.
        wait_s: how long to wait for the first connection.

    Raises:
        psycopg_pool.PoolTimeout: no connection within `wait_s`; nothing is left open.
    """
    deadline_s = time.monotonic() + wait_s
    while True:
        pool = _closed_pool(url, role, size_max)
        try:
            await pool.open(wait=True, timeout=max(0.1, min(RECONNECT_S_MAX, deadline_s - time.monotonic())))
        except BaseException as error:
            await pool.close()
            if not isinstance(error, PoolTimeout) or time.monotonic() >= deadline_s:
                raise
        else:
            return pool


def _closed_pool(url: str, role: Role, size_max: int) -> Pool:
    async def configure(connection: Connection) -> None:
        await _configure(connection, role)

    return AsyncConnectionPool(
        url,
        connection_class=AsyncConnection[DictRow],
        kwargs={"row_factory": dict_row, "application_name": role, **CONNECTION},
        configure=configure,
        check=AsyncConnectionPool.check_connection,
        min_size=min(2, size_max),
        max_size=size_max,
        timeout=CONNECTION_WAIT_S[role],
        reconnect_timeout=RECONNECT_S_MAX,
        open=False,
        name=role,
    )


async def scope(connection: Connection, tenant: str, party: UUID | str | None) -> None:
    """Say, for the rest of this transaction, whose rows may be seen: a tenant's, or one lessee's share of them.

    Args:
        connection: of role `keelwing_api`, inside a transaction.
        tenant: the key's tenant.
        party: the key's party; None for the tenant's own people.
    """
    await connection.execute(
        "SELECT set_config('keelwing.tenant', %s, true), set_config('keelwing.party', %s, true)",
        (tenant, INTERNAL if party is None else str(party)),
    )


class _MicrosecondsLoader(TimestamptzLoader):
    def load(self, data: Any) -> int:  # type: ignore[override]
        return from_datetime(super().load(data))


class _MicrosecondsBinaryLoader(TimestamptzBinaryLoader):
    """The wire has what we count, from another beginning; only an infinity goes through the driver, which refuses it."""

    def load(self, data: Any) -> int:  # type: ignore[override]
        since_2000_us: int = _INT8.unpack(data)[0]
        if -_INFINITE_US < since_2000_us < _INFINITE_US:
            return since_2000_us + staging.POSTGRES_EPOCH_US
        return from_datetime(super().load(data))


async def _configure(connection: Connection, role: Role) -> None:
    connection.adapters.register_loader("timestamptz", _MicrosecondsLoader)
    connection.adapters.register_loader("timestamptz", _MicrosecondsBinaryLoader)
    arrays.register(connection.adapters)
    set_json_dumps(msgspec.json.encode, connection)
    set_json_loads(msgspec.json.decode, connection)
    await connection.set_autocommit(True)
    await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    await connection.execute("SET TIME ZONE 'UTC'")
    await connection.execute("SET client_min_messages TO warning")
    # No statement of ours runs long enough to gain by being compiled; where the planner overrates one, compiling takes longer.
    await connection.execute("SET jit TO off")
    await connection.execute(
        "SELECT set_config('statement_timeout', %s, false), set_config('idle_in_transaction_session_timeout', %s, false)",
        (f"{STATEMENT_TIMEOUT_S[role]}s", f"{IDLE_IN_TRANSACTION_S}s"),
    )
    await connection.set_autocommit(False)
