"""What runs as a child of this process until it is stopped: a program of ours, or a server out of a wheel."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Self

import structlog

from keelwing.embedded import process
from keelwing.embedded.process import EmbeddedServerError

log = structlog.get_logger(__name__)

TOLD_EVERY_S = 5.0
"""How often a start that lasts says so. Chosen: a person who waits wants to know for what."""


class Service(ABC):
    """What a supervisor can hold: an embedded server or a child process."""

    def __init__(self, name: str, log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self._process: process.Child | None = None

    @property
    def pid(self) -> int | None:
        """Process id, None when it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def alive(self) -> bool:
        """Whether its process runs."""
        return self.pid is not None

    @abstractmethod
    def start(self) -> None:
        """Start, and return when it is ready.

        Raises:
            EmbeddedServerError: it does not become ready; nothing of it runs then.
        """

    @abstractmethod
    def stop(self, timeout_s: float = ...) -> None:
        """Stop within so many seconds; nothing happens when it does not run."""


class EmbeddedServer(Service):
    """A server with a directory of its own; a context manager starts and stops it. `title` is its name for people."""

    def __init__(self, name: str, title: str, directory: Path) -> None:
        self.directory = directory.absolute()
        super().__init__(name, self.directory / f"{name}.log")
        self._title = title

    def kill(self) -> None:
        """End it as a crash would (SIGKILL), for tests of recovery; its lock and its port are kept."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _await(self, answers: Callable[[], bool], timeout_s: float) -> None:
        """Wait until it answers; tells every 5 s that it still waits (recovery after a crash)."""
        started_s = told_s = time.monotonic()
        while True:
            if not self.alive():
                raise EmbeddedServerError(f"{self._title} ended while starting:\n{process.log_tail(self.log_path)}")
            if answers():
                return
            now_s = time.monotonic()
            if now_s - started_s > timeout_s:
                tail = process.log_tail(self.log_path)
                raise EmbeddedServerError(f"{self._title} is not ready after {timeout_s:g} s:\n{tail}")
            if now_s - told_s > TOLD_EVERY_S:
                told_s = now_s
                log.info("server.starting", server=self.name, elapsed_s=round(now_s - started_s), log=str(self.log_path))
            time.sleep(process.POLL_S)
