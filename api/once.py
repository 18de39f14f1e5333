"""Writes that may be asked for twice: the answer of the first is given again, made and kept in one transaction.

Follows draft-ietf-httpapi-idempotency-key-header: the same key with another request is 422, and a key is claimed by inserting
its row, so a second request waits for the first instead of racing it. A request that failed leaves no key behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from fastapi import Header, Request
from starlette.responses import Response

from api.keys import Asker
from api.listing import json_response
from api.parameters import Text
from api.problem import Fault, Problem
from store import desk
from store.pool import Connection

IdempotencyKey = Annotated[
    Text | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=255,
        description="Any text that names this one intention; asked again with it, the first answer is given again.",
    ),
]  # fmt: skip


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a write answers. `kept` is what a repeat is told instead, where the first answer holds a secret."""

    body: Any
    status: int = 200
    headers: dict[str, str] = {}
    kept: Any = None

    def response(self) -> Response:
        """The answer as a response; 204 where there is no body."""
        if self.body is None:
            return Response(None, 204, self.headers)
        return json_response(self.body, self.status, headers=self.headers)


async def write_once(
    request: Request, asker: Asker, key: str | None, work: Callable[[Connection], Awaitable[Answer]]
) -> Response:  # fmt: skip
    """Do a write in one transaction of the asker's scope, at most once for a key.

    Raises:
        Problem: what `work` raises; 422 for a key that was used for another request.
    """
    if key is None:
        async with asker.desk() as conn:
            return (await work(conn)).response()
    digest = await _digest(request, asker)
    async with asker.desk() as conn:
        earlier = await desk.begin_once(conn, key, digest)
        if earlier is not None:
            return _again(earlier, digest)
        answer = await work(conn)
        kept = answer.body if answer.kept is None else answer.kept
        await desk.end_once(
            conn, key, {"status": answer.status, "headers": answer.headers, "body": msgspec.to_builtins(kept)}
        )  # fmt: skip
    return answer.response()


async def _digest(request: Request, asker: Asker) -> bytes:
    parts = (asker.key_id, request.method, request.url.path, request.url.query)
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + await request.body()).digest()


def _again(earlier: dict[str, Any], digest: bytes) -> Response:
    if bytes(earlier["request_hash"]) != digest:
        fault = Fault(part="header", pointer="#/Idempotency-Key", detail="was used for another request")
        raise Problem(422, "This Idempotency-Key belongs to another request.", reason="idempotency_key_reused", errors=[fault])
    kept = earlier["response"]
    headers = {**kept["headers"], "Idempotency-Replayed": "true"}
    return Answer(body=kept["body"], status=kept["status"], headers=headers).response()
