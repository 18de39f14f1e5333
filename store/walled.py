"""One transaction of the API: scoped to a tenant (and lessee), and failing in two words the API understands.

It knows psycopg's errors so that the API need not. It retries nothing: the client does, and writes carry an Idempotency-Key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import AsyncConnection, sql

from store.faults import AWAY, UNSTORABLE
from store.pool import Connection, Pool, scope

REFUSED: tuple[type[Exception], ...] = (*UNSTORABLE, psycopg.errors.ProgramLimitExceeded, UnicodeEncodeError)
BETWEEN_ROWS = frozenset({"sublease_within_parent"})  # check constraints that hold one row against others
WAIT_S = 5.0  # chosen: a person waits this long for a free connection, then is told to come back


class DatabaseAway(RuntimeError):  # noqa: N818 - said as a person would
    """The database cannot be reached, is too busy, or gave up on a statement; asking again later may work."""


class UnfitValue(ValueError):  # noqa: N818 - said as a person would
    """A value that passed the API's checks cannot be stored (a NUL in text, a number out of range)."""


class Conflict(ValueError):  # noqa: N818 - said as a person would
    """The change contradicts a row that is there: a unique or exclusion constraint. `constraint` is its name."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


@asynccontextmanager
async def walled(pool: Pool, tenant: str, party: str | None) -> AsyncIterator[Connection]:
    """A transaction that sees one tenant's rows, or a lessee's share of them; committed when the block ends well.

    Args:
        pool: of role `keelwing_api`.
        tenant: the key's tenant.
        party: the key's party; None for the tenant's own people.

    Raises:
        DatabaseAway: no connection, a lost one, or a statement that took too long; nothing was written, unless the loss hit
            the commit itself (the outcome is then unknown).
        UnfitValue: a value the database refuses.
        Conflict: a constraint between rows.
    """
    try:
        async with pool.connection(timeout=WAIT_S) as conn:
            await scope(conn, tenant, party)
            yield conn
    except AWAY as error:
        raise DatabaseAway(str(error)) from error
    except (psycopg.errors.UniqueViolation, psycopg.errors.ExclusionViolation) as error:
        raise Conflict(error.diag.constraint_name or "") from error
    except psycopg.errors.CheckViolation as error:
        if error.diag.constraint_name not in BETWEEN_ROWS:
            raise UnfitValue(str(error).splitlines()[0]) from error
        raise Conflict(error.diag.constraint_name or "") from error
    except REFUSED as error:
        raise UnfitValue(str(error).splitlines()[0]) from error


@asynccontextmanager
async def unscoped(pool: Pool) -> AsyncIterator[Connection]:
    """A transaction without a scope: it sees no tenant's row. For the key check and for readiness. Raises DatabaseAway."""
    try:
        async with pool.connection(timeout=WAIT_S) as conn:
            yield conn
    except AWAY as error:
        raise DatabaseAway(str(error)) from error


async def listen(url: str, channels: tuple[str, ...], wait_s: float) -> AsyncIterator[str]:
    """Names of channels as notifications come, and an empty text once listening began; ends only by DatabaseAway.

    One connection of its own, outside any pool and transaction, because a listener never gives it back. An empty text is
    also given whenever `wait_s` passed without a notification, so that the caller looks at its own clock.
    """
    try:
        async with await AsyncConnection.connect(
            url, autocommit=True, connect_timeout=10, application_name="keelwing_live"
        ) as conn:
            for channel in channels:
                await conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            while True:
                yield ""
                async for notification in conn.notifies(timeout=wait_s):
                    yield notification.channel
    except AWAY as error:
        raise DatabaseAway(str(error)) from error
