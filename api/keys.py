"""Who asks: bearer keys, their roles, and the walled transaction a request works in.

A key belongs to one tenant and has one role; its scope is set on every transaction from what the database says of the key
in that request, so a revoked key is refused at once. The key itself is compared by its SHA-256 only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import msgspec
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.problem import Problem
from store import keys as store_keys
from store.pool import Connection, Pool
from store.walled import unscoped, walled

Role = Literal["admin", "manager", "viewer", "lessee"]
ALL: tuple[Role, ...] = ("admin", "manager", "viewer", "lessee")
INTERNAL: tuple[Role, ...] = ("admin", "manager", "viewer")
EDITORS: tuple[Role, ...] = ("admin", "manager")
ADMINS: tuple[Role, ...] = ("admin",)

_bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="A key of Keelwing: `kw_` and at least 32 characters.", bearerFormat="kw_…"
)


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """The key behind a request. `party` is a lessee's; `name` is what revisions and comments are signed with."""

    key_id: str
    tenant: str
    role: Role
    party: str | None
    pool: Pool

    @property
    def name(self) -> str:
        """`key:` and the key's id: a key is a person's or a program's, and its secret part is nobody's business."""
        return f"key:{self.key_id}"

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[Connection]:
        """A transaction in this key's scope; see `store.walled.walled` for what it raises."""
        async with walled(self.pool, self.tenant, self.party) as conn:
            yield conn


def _unauthorized(detail: str, *, presented: bool) -> Problem:
    challenge = 'Bearer realm="keelwing"' + (', error="invalid_token"' if presented else "")  # RFC 6750 §3
    return Problem(401, detail, reason="unauthorized", headers={"WWW-Authenticate": challenge})


async def _asker(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Asker:  # fmt: skip
    if credentials is None:
        raise _unauthorized("Send a key as `Authorization: Bearer kw_…`.", presented=False)
    pool: Pool = request.app.state.pool()
    text = credentials.credentials
    if not text.startswith("kw_") or len(text) > 200 or not text.isascii():
        raise _unauthorized("That is no key of Keelwing.", presented=True)
    async with unscoped(pool) as conn:
        caller = await store_keys.authenticate(conn, text)
    if caller is None:
        raise _unauthorized("This key is unknown or was revoked.", presented=True)
    return Asker(key_id=str(caller.key_id), tenant=caller.tenant, role=caller.role, party=caller.party_id, pool=pool)


def asker_with(*roles: Role) -> Callable[[Asker], Awaitable[Asker]]:
    """A dependency that gives the asker if its role is one of `roles`, else ends with 403."""

    async def check(asker: Annotated[Asker, Depends(_asker)]) -> Asker:
        if asker.role not in roles:
            detail = f"A key with role {asker.role} may not do this; it takes one of {', '.join(roles)}."
            raise Problem(403, detail, reason="forbidden")
        return asker

    return check


Anyone = Annotated[Asker, Depends(asker_with(*ALL))]
Insider = Annotated[Asker, Depends(asker_with(*INTERNAL))]
Editor = Annotated[Asker, Depends(asker_with(*EDITORS))]
Admin = Annotated[Asker, Depends(asker_with(*ADMINS))]
