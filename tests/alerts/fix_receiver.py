"""Fixture: an HTTP server on loopback that answers as the test says and keeps what it was sent."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded

    def verified(self, secret: str = SECRET) -> dict[str, Any]:
        """The event, after the public verifier of Standard Webhooks accepted it."""
        verified: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return verified


class Receiver:
    """Answers every request with `status`, `headers` and `body` as they are then; with `answering` cleared, not at all."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b"thanks"
        self.received: list[Received] = []
        self.answering = asyncio.Event()
        self.answering.set()
        self.port = 0
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [one.event_id for one in self.received]

    async def start(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, host, self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def until(self, condition: Callable[[Receiver], bool], within_s: float = 15.0) -> None:
        """Return once `condition(self)` holds; fails the test when it does not in time."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: condition(self))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            async with self._changed:
                self.received.append(Received(head[0].split(" ")[1], headers, body))
                self._changed.notify_all()
            await self.answering.wait()
            extra = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
            answer = f"HTTP/1.1 {self.status} Word\r\nconnection: close\r\ncontent-length: {len(self.body)}\r\n{extra}\r\n"
            writer.write(answer.encode() + self.body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the sender went away, as a killed one does
        finally:
            self._open.discard(writer)
            writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens on 127.0.0.1 and says 200."""
    made = Receiver()
    await made.start()
    yield made
    made.answering.set()
    await made.close()
