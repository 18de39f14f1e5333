"""Which errors say that the world is down (retry), and which that a row cannot be stored (reject)."""

from __future__ import annotations

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout, TooManyRequests

AWAY: tuple[type[Exception], ...] = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, TooManyRequests, OSError)
"""The database is away, overloaded, restarting or out of disk; the same transaction may succeed later.

`OperationalError` covers lost connections, shutdowns, deadlocks, serialisation failures, full disks and cancelled statements
(SQLSTATE classes 08, 40, 53, 55, 57, 58)."""

UNSTORABLE: tuple[type[Exception], ...] = (psycopg.DataError, errors.CheckViolation, errors.NotNullViolation)
"""A value that the tables refuse although the decoder let it pass (SQLSTATE class 22, 23502, 23514): retrying cannot help."""

REFUSED: tuple[type[Exception], ...] = (psycopg.IntegrityError, psycopg.DataError)
"""What somebody asked for contradicts what is there: no such tenant, a key without its party."""
