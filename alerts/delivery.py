"""One signed request to one endpoint: what is sent, to which address, and what is read back.

Knows HTTP, signatures and the address guard. Does not know tables or schedules: it is given everything and returns an
`Answer`, whatever the other side does.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from datetime import datetime
from typing import Any

import httpx
import msgspec
from cloudevents.core.formats.json import JSONFormat
from standardwebhooks import Webhook

from alerts.guard import Refused, Resolver, addresses_of, resolve
from alerts.policy import Answer
from fleet.instants import to_datetime

ATTEMPT_TIMEOUT_S = 20.0
"""Time for one attempt, name look-up to last byte read. Standard Webhooks 1.0.0: 15 to 30 s."""

EXCERPT_BYTES_MAX = 2_000
"""Bytes of a response that are read; the connection is closed after them. Chosen: an error page's first lines."""

EXCERPT_CHARS_MAX = 1_000
"""Characters of a response that are kept with the attempt (the table holds 1,024)."""

SECRET_BYTES = (24, 64)
"""Least and most bytes of a signing secret (Standard Webhooks 1.0.0)."""

SECRET_PREFIX = "whsec_"  # noqa: S105  the specification's prefix, not a secret

_HEADERS = {
    "content-type": JSONFormat.CONTENT_TYPE,
    "user-agent": "keelwing",
    "accept": "*/*",
    "accept-encoding": "identity",  # an excerpt is cut, and a cut gzip cannot be read
    "connection": "close",
}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one endpoint. `secrets` are one, or two while the endpoint changes from the old to the new."""

    event_id: str
    url: str
    secrets: tuple[str, ...]
    body: bytes


def encode_event(event: dict[str, Any], sequence: int) -> bytes:
    """The body: a CloudEvents 1.0 object as structured JSON with the endpoint's number of it, `sequence`, added.

    From the same event the same bytes, so that every attempt sends the same; nothing is filled in from a clock.
    """
    return msgspec.json.encode({**event, "sequence": sequence}, order="deterministic")


def sign(event_id: str, timestamp: datetime, body: bytes, secrets: tuple[str, ...]) -> dict[str, str]:
    """The three headers of Standard Webhooks 1.0.0; one signature per secret, newest first, so a receiver may have either.

    Raises:
        ValueError: a secret is not `whsec_` and base64 of 24 to 64 bytes, or the id holds a dot (it would blur what is signed).
    """
    if "." in event_id:
        raise ValueError("a webhook-id must not contain a dot")
    text = body.decode()
    signatures = [Webhook(key_of(secret)).sign(event_id, timestamp, text) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(timestamp.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def key_of(secret: str) -> bytes:
    """The key in a `whsec_` secret. Raises ValueError when it is none; the message does not repeat it."""
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError("a secret begins with whsec_")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:  # binascii.Error, and text beyond ASCII
        raise ValueError("a secret is base64 after whsec_") from None
    if not SECRET_BYTES[0] <= len(key) <= SECRET_BYTES[1]:
        raise ValueError(f"a secret has {SECRET_BYTES[0]} to {SECRET_BYTES[1]} bytes")
    return key


class Sender:
    """Sends messages; an asynchronous context manager that holds the HTTP client.

    The client keeps no connection for later: each goes to an address judged for this very attempt. Proxies from the environment
    are not used, because behind one the judged address would not be the one called.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        timeout_s: float = ATTEMPT_TIMEOUT_S,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._timeout_s = timeout_s
        self._resolver = resolver
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=timeout_s,
            limits=httpx.Limits(max_keepalive_connections=0),
            verify=tls or True,
        )

    async def __aenter__(self) -> Sender:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, message: Message, at_us: int) -> Answer:
        """Sign for the instant `at_us` and send once. Never raises for what the other side, its name or its URL does.

        Code words of `error`: `url_invalid`, `scheme_forbidden`, `secret_invalid`, `name_unknown`, `address_forbidden`,
        `timeout`, `connect_failed`, `broken` (the connection or the protocol broke after it stood).
        """
        try:
            headers = sign(message.event_id, to_datetime(at_us), message.body, message.secrets)
        except ValueError as error:
            return Answer(status_code=None, error="secret_invalid", excerpt=str(error))
        try:
            url = httpx.URL(message.url)
        except (httpx.InvalidURL, UnicodeError) as error:
            return _no_answer("url_invalid", error)
        if not url.host or url.scheme not in {"http", "https"}:
            return Answer(status_code=None, error="url_invalid", excerpt="an absolute http(s) URL is needed")
        if url.scheme == "http" and not self._allow_private:
            return Answer(status_code=None, error="scheme_forbidden", excerpt="only https leaves for the public internet")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._send(url, message.body, headers)
        except TimeoutError:
            return Answer(status_code=None, error="timeout", excerpt=f"no whole answer within {self._timeout_s:g} s")

    async def _send(self, url: httpx.URL, body: bytes, headers: dict[str, str]) -> Answer:
        host = url.raw_host.decode("ascii")
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await addresses_of(host.strip("[]"), port, allow_private=self._allow_private, resolver=self._resolver)
        if isinstance(addresses, Refused):
            return Answer(status_code=None, error=addresses.code, excerpt=addresses.detail[:EXCERPT_CHARS_MAX])
        answer = Answer(status_code=None, error="connect_failed")
        for address in addresses:
            answer = await self._send_to(address, url, body, headers)
            if answer.error != "connect_failed":
                break
        return answer

    async def _send_to(self, address: str, url: httpx.URL, body: bytes, headers: dict[str, str]) -> Answer:
        """Connect to a judged address; the URL's host stays in `Host`, in the TLS greeting and in the certificate's check."""
        try:
            request = self._client.build_request(
                "POST",
                url.copy_with(host=address),
                content=body,
                headers={**_HEADERS, **headers, "host": url.netloc.decode("ascii")},
                extensions={"sni_hostname": url.raw_host.decode("ascii")},
            )
            response = await self._client.send(request, stream=True)
            try:
                excerpt = await _excerpt(response)
            finally:
                await response.aclose()
        except (httpx.InvalidURL, ValueError) as error:  # ValueError: a name that no TLS greeting can carry
            return _no_answer("url_invalid", error)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return _no_answer("connect_failed", error)
        except httpx.TimeoutException as error:
            return _no_answer("timeout", error)
        except httpx.HTTPError as error:
            return _no_answer("broken", error)
        return Answer(status_code=response.status_code, retry_after=response.headers.get("retry-after"), excerpt=excerpt)


async def _excerpt(response: httpx.Response) -> str:
    """The beginning of the body as text; unreadable bytes become U+FFFD, NUL too (PostgreSQL stores none)."""
    raw = b""
    async for chunk in response.aiter_raw():
        raw += chunk[: EXCERPT_BYTES_MAX - len(raw)]
        if len(raw) >= EXCERPT_BYTES_MAX:
            break
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd")[:EXCERPT_CHARS_MAX]


def _no_answer(code: str, error: Exception) -> Answer:
    return Answer(status_code=None, error=code, excerpt=f"{type(error).__name__}: {error}"[:EXCERPT_CHARS_MAX])
