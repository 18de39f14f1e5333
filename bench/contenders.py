"""Keelwing and its two references behind one protocol: start, how many readings are safe, stop.

Each is a process of its own that reads the same broker by the same filter. What counts as safe: for Keelwing and the obvious
ingester a committed row, for the bare consumer an acknowledged message.
"""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from bench import bare, obvious
from bench.gauge import Gauge
from bench.load import Kind
from bench.report import ROOT
from fleet.instants import from_datetime
from ingest.mqtt import DEVICE_FILTER, FEED_FILTER

FILTERS: dict[Kind, str] = {"device": DEVICE_FILTER, "feed": FEED_FILTER}
READY_S_MAX = 120.0
STOP_S_MAX = 20.0


class Contender(Protocol):
    """One consumer of one run."""

    name: str
    has_database: bool

    @property
    def pid(self) -> int:
        """Its process."""

    def start(self, port: int) -> None:
        """Start on the broker of that port; returns when the broker keeps everything for it."""

    def safe(self) -> int:
        """Readings that are safe so far, since it was made."""

    def stop(self) -> None:
        """Ask it to end, and wait."""


class _Process:
    """A child and its end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process. Raises RuntimeError before the start."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    def spawn(self, words: list[str], log: str, environment: dict[str, str] | None = None) -> None:
        """Start a Python process."""
        with (self._directory / log).open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=output, stderr=output
            )

    def await_ready(self, is_ready: object, log: str) -> None:
        """Wait until `is_ready()`. Raises RuntimeError with the end of the log when it ended or does not come."""
        deadline_s = time.monotonic() + READY_S_MAX
        while not is_ready():  # type: ignore[operator]
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError((self._directory / log).read_text()[-3000:])
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, and wait."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _Reference(_Process):
    """A reference: counts in a gauge."""

    has_database = False
    module = ""

    def __init__(self, directory: Path, kind: Kind, per_message: int) -> None:
        super().__init__(directory)
        self._filter = FILTERS[kind]
        self._per_message = per_message
        self._gauge = Gauge(directory / f"{self.module}.gauge")
        self._before = 0

    def arguments(self) -> list[str]:
        """What only this one needs to be told."""
        return []

    def start(self, port: int) -> None:
        """Start on the broker of that port; returns when the broker keeps everything for it."""
        self._gauge[1] = 0
        self._before += self._gauge[0]
        self._gauge[0] = 0
        words = ["-m", self.module, "--port", str(port), "--filter", self._filter]
        words += ["--gauge", str(self._directory / f"{self.module}.gauge"), *self.arguments()]
        self.spawn(words, f"{self.module}.log")
        self.await_ready(lambda: self._gauge[1], f"{self.module}.log")

    def safe(self) -> int:
        """Readings that are safe so far."""
        return (self._before + self._gauge[0]) * self._per_message


class Bare(_Reference):
    """`bench.bare`."""

    name = "bare"
    module = bare.__name__


class Obvious(_Reference):
    """`bench.obvious`, with a database."""

    name = "obvious"
    has_database = True
    module = obvious.__name__

    def __init__(self, directory: Path, kind: Kind, database_url: str) -> None:
        super().__init__(directory, kind, 1)
        self._database_url = database_url

    def arguments(self) -> list[str]:
        """Where its table is."""
        return ["--database", self._database_url]


class _Committed(msgspec.Struct):
    """What we read of a worker's record of a batch."""

    at: datetime
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    traffic: int = 0
    late: int = 0


class Keelwing(_Process):
    """The worker as its command starts it; what it committed is read from its log, a record a batch.

    `lost` counts readings that were not stored as new and in time: in a bench there should be none. `commits` holds, for each
    batch, how many readings were safe with it and when (wall time, microseconds).
    """

    name = "keelwing"
    has_database = True

    def __init__(self, directory: Path, database_url: str, *, processes: int = 1, settings: dict[str, str] | None = None) -> None:
        super().__init__(directory)
        self._processes = processes
        self._environment = {
            "KEELWING_DATABASE_URL": database_url,
            "KEELWING_DATA_DIR": str(directory),
            "KEELWING_MQTT_CLIENT_ID": "bench-keelwing",
            **{f"KEELWING_{name}": value for name, value in (settings or {}).items()},
        }
        self._log = directory / "worker.log"
        self._ready = directory / "worker-ready"
        self._read_to = 0
        self._safe = 0
        self.lost = 0
        self.commits: list[tuple[int, int]] = []

    def start(self, port: int) -> None:
        """Start on the broker of that port; returns when the broker keeps everything for it."""
        self.launch(port)
        self.await_ready(self._ready.exists, self._log.name)

    def launch(self, port: int) -> None:
        """Start on the broker of that port; does not wait."""
        self._ready.unlink(missing_ok=True)
        words = ["-m", "keelwing.cli", "worker", "--ready-file", str(self._ready)]
        if self._processes > 1:
            words += ["--processes", str(self._processes)]
        self.spawn(words, self._log.name, {**self._environment, "KEELWING_MQTT_URL": f"mqtt://127.0.0.1:{port}"})

    def safe(self) -> int:
        """Readings that are committed so far."""
        with self._log.open("rb") as log:
            log.seek(self._read_to)
            lines = log.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._read_to += len(whole)
        for line in whole.splitlines():
            if b'"batch.committed"' in line:
                batch = msgspec.json.decode(line, type=_Committed)
                self._safe += batch.stored
                self.commits.append((self._safe, from_datetime(batch.at)))
                self.lost += batch.duplicate + batch.rejected + batch.traffic + batch.late
        return self._safe

    @property
    def log_tail(self) -> str:
        """The end of its log."""
        return self._log.read_text()[-3000:]


def has_processes() -> bool:
    """Whether the worker's command takes `--processes`."""
    from keelwing.cli import worker

    return "processes" in inspect.signature(worker).parameters
