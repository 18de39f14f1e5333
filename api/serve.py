"""The API as a process: uvicorn around the application, stopping in bounded time even with streams open."""

from __future__ import annotations

import gc
import signal
import socket
from contextlib import suppress

import uvicorn

from api.app import create_app
from api.live import LiveHub
from api.settings import ApiSettings
from api.trials import Trial

BACKLOG = 512
STARTUP_FAILED = 3  # uvicorn's own exit status for it


class Server(uvicorn.Server):
    """Uvicorn, which ends the event streams as soon as a stop was asked for, so that it need not wait for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams, then what uvicorn does: let requests finish, at most `timeout_graceful_shutdown`."""
        if self._hub is not None:
            self._hub.stop()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop, ten times a second: also when the live hub ended by a fault of ours."""
        return await super().on_tick(counter) or self.fault is not None

    @property
    def fault(self) -> BaseException | None:
        """What ended a task beside the requests, a programmer's error; None while all is well."""
        return None if self._hub is None else self._hub.fault

    @property
    def _hub(self) -> LiveHub | None:
        return getattr(getattr(self.config.app, "state", None), "hub", None)


def server_of(settings: ApiSettings, trial: Trial | None = None) -> Server:
    """A server that is not started; for who runs it in a loop of their own (`await server.serve()`)."""
    config = uvicorn.Config(
        create_app(settings, trial),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        lifespan="on",
        backlog=BACKLOG,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(settings.stop_s)),
        timeout_keep_alive=20,
    )
    return Server(config)


def run(settings: ApiSettings, trial: Trial | None = None) -> None:
    """Serve until SIGINT or SIGTERM; returns within `settings.stop_s` and a second, streams open or not.

    Must be called in the main thread, for signals go there.

    Raises:
        SystemExit: the application did not start (the database did not come, the port is taken); the log says why.
        Exception: a programmer's error in a task beside the requests.
    """
    server = server_of(settings, trial)
    # What is there now stays to the end: routes, shapes, models. Else the collector looks at all of it for every large answer.
    gc.collect()
    gc.freeze()
    # Uvicorn stops cleanly and then raises the signal again; for a caller that goes on afterwards it has been answered.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with suppress(KeyboardInterrupt):
            server.run()
    finally:
        signal.signal(signal.SIGTERM, before)
    if not server.started:
        raise SystemExit(STARTUP_FAILED)
    if server.fault is not None:
        raise server.fault
