"""The API behind a real uvicorn on a free port, in a thread with its own loop."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from api.serve import Server, server_of
from api.settings import ApiSettings

START_S = 60.0  # on a machine that has much else to do
DEADLINE_S = 10.0


class Served:
    """A running server: where it is, and how long it took to stop."""

    def __init__(self, settings: ApiSettings) -> None:
        self.server: Server = server_of(settings)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve()), name="served", daemon=True)
        self.url = ""

    def start(self) -> None:
        """Wait until it listens."""
        self.thread.start()
        deadline = time.monotonic() + START_S
        while not self.server.started:
            assert time.monotonic() < deadline, "the server did not start"
            assert self.thread.is_alive(), "the server died"
            time.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> float:
        """Ask it to stop; seconds until it had."""
        began_s = time.monotonic()
        self.server.should_exit = True
        self.thread.join(DEADLINE_S)
        assert not self.thread.is_alive(), "the server did not stop"
        return time.monotonic() - began_s


@contextmanager
def serving(settings: ApiSettings) -> Iterator[Served]:
    """Serve while the block runs."""
    served = Served(settings)
    served.start()
    try:
        yield served
    finally:
        if served.thread.is_alive():
            served.stop()
