"""Keys of the API: 256 random bits each, so a plain SHA-256 keeps them (there is nothing to guess); never stored themselves."""

from __future__ import annotations

from hashlib import sha256
from secrets import token_urlsafe
from typing import Literal

import msgspec

from store.pool import Connection
from store.queries import load

SQL = load("keys")
Role = Literal["admin", "manager", "viewer", "lessee"]
KEY_BYTES = 32


class Caller(msgspec.Struct, frozen=True):
    """Who asks: what `pool.scope` needs (tenant, party) and what the role may do is the API's to say."""

    key_id: str
    tenant: str
    role: Role
    party_id: str | None


async def create(conn: Connection, tenant: str, role: Role, party_id: str | None = None) -> str:
    """A new key (`kw_` and 43 of `[A-Za-z0-9_-]`); this is the only time it is seen.

    A lessee's key needs its party, no other has one.

    Raises:
        psycopg.errors.ForeignKeyViolation: no such tenant, or no such party of it.
        psycopg.errors.CheckViolation: a lessee without a party, or a party without a lessee.
    """
    key = "kw_" + token_urlsafe(KEY_BYTES)
    await conn.execute(SQL["create"], {"tenant": tenant, "role": role, "party_id": party_id, "key_hash": _hash(key)})
    return key


async def revoke(conn: Connection, key: str) -> bool:
    """Let nobody in with this key any more; False when nobody was."""
    return (await conn.execute(SQL["revoke"], {"key_hash": _hash(key)})).rowcount == 1


async def authenticate(conn: Connection, key: str) -> Caller | None:
    """Who a key belongs to; None for an unknown or revoked one. The one question the API's role may ask without a scope."""
    cursor = await conn.execute(SQL["authenticate"], {"key_hash": _hash(key)})
    row = await cursor.fetchone()
    return None if row is None else Caller(row["key_id"], row["tenant"], row["role"], row["party_id"])


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()
