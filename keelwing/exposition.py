"""The small HTTP server by which a worker and a notifier say how they are: `/metrics` for Prometheus, `/healthz` for liveness.

It knows a registry and a port, not what is counted. It answers on a thread of its own, one request after the other, so that a
process that is busy still answers; `/healthz` is 200 while the event loop turns and 503 when it has not for `PULSE_S_MAX`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import structlog
from prometheus_client import CollectorRegistry, make_wsgi_app

log = structlog.get_logger(__name__)

PULSE_EVERY_S = 1.0
PULSE_S_MAX = 60.0  # chosen: no batch holds the loop for a second, so a minute without a turn is a process that hangs
REQUEST_S_MAX = 5.0  # chosen: who asks sends its line at once; the next one waits for no other
REFRESH_S = 0.2  # how long ending may take at most

Start = Callable[..., Any]


class NotExposedError(RuntimeError):
    """The port is taken, or the address is not ours; the text says which."""


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_S_MAX

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name in the standard library
        """Nothing: a scrape every few seconds is no news."""


class Pulse:
    """Whether an event loop turns: it beats once a second while it does."""

    def __init__(self) -> None:
        self._last_s = time.monotonic()

    async def beat(self) -> None:
        """Beat until cancelled."""
        while True:
            self._last_s = time.monotonic()
            await asyncio.sleep(PULSE_EVERY_S)

    def is_beating(self) -> bool:
        """Whether the last beat is recent; may be asked on any thread."""
        return time.monotonic() - self._last_s < PULSE_S_MAX


@contextmanager
def exposed(registry: CollectorRegistry, host: str, port: int, is_well: Callable[[], bool]) -> Iterator[int]:
    """Serve until the block ends; gives the port, which is another one when `port` is 0.

    Raises:
        NotExposedError: nobody can listen there.
    """
    metrics = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return metrics(environ, start)  # type: ignore[no-any-return]
        well = is_well()
        status, words = ("200 OK", b"ok\n") if well else ("503 Service Unavailable", b"the event loop does not turn\n")
        if path != "/healthz":
            status, words = "404 Not Found", b"/metrics, /healthz\n"
        start(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(words)))])
        return [words]

    try:
        server = make_server(host, port, answer, handler_class=_Handler)
    except OSError as error:
        raise NotExposedError(f"no metrics on port {port} of {host}: {error.strerror or error}") from error
    thread = threading.Thread(target=server.serve_forever, args=(REFRESH_S,), name="exposition", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def while_exposed(work: Coroutine[Any, Any, None], registry: CollectorRegistry, host: str, port: int | None) -> None:
    """Do the work with its metrics served on a port, or without when there is none. Raises what `work` and `exposed` do."""
    if port is None:
        await work
        return
    pulse = Pulse()
    try:
        with exposed(registry, host, port, pulse.is_beating) as bound:
            log.info("metrics.exposed", host=host, port=bound)
            beating = asyncio.create_task(pulse.beat(), name="pulse")
            try:
                await work
            finally:
                beating.cancel()
    finally:
        work.close()  # it never began when the port was taken
