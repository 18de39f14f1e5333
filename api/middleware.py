"""What every answer gets, whatever made it: bounded body, security headers, a count. Plain ASGI, nothing of the routes."""

from __future__ import annotations

import time
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.problem import problem_response

# The page's own needs: MapLibre draws tiles from blobs in a worker and sets styles; nothing leaves the host.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Envelope:
    """Adds security headers and `Cache-Control: no-store` on `/v1`, and counts the request.

    Args:
        app: the application within.
        metrics: where to count.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's own
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began_s = time.perf_counter()
        status = 500

        async def finish(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _harden(MutableHeaders(scope=message), scope["path"])
            await send(message)

        try:
            await self.app(scope, receive, finish)
        finally:
            route = getattr(scope.get("route"), "path", "-")
            method = scope["method"] if scope["method"] in METHODS else "OTHER"
            self.metrics.requests.labels(method, route, str(status)).inc()
            if route != "/v1/stream":
                self.metrics.seconds.labels(route).observe(time.perf_counter() - began_s)


def _harden(headers: MutableHeaders, path: str) -> None:
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "geolocation=(), camera=(), microphone=()")
    if path.startswith("/v1"):
        headers["Cache-Control"] = "no-store"


class BodyBound:
    """Ends a request with 413 when its body is larger than `bytes_max`, said in advance or found on the way.

    `by_path` gives single paths a bound of their own.
    """

    def __init__(self, app: ASGIApp, bytes_max: int, by_path: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.bytes_max = bytes_max
        self.by_path = dict(by_path or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's own
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        bytes_max = self.by_path.get(scope["path"], self.bytes_max)
        told = Headers(scope=scope).get("content-length", "0")
        if told.isdecimal() and int(told) > bytes_max:
            detail = f"The body is larger than {bytes_max} bytes."
            await problem_response(413, detail, scope["path"], reason="content_too_large")(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > bytes_max:
                raise HTTPException(413, f"The body is larger than {bytes_max} bytes.")
            return message

        await self.app(scope, counted, send)
