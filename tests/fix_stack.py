"""A whole Keelwing as processes, started by its own command, and the few things tests say to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fix_postgres import reachable_directory

START_S_MAX = 120.0
TEST_S_MAX = 360.0
"""How long a test of a whole Keelwing may take: its start and what it waits for have deadlines of their own, which add up."""


def wait_for(what: str, condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    """The first true answer of a condition; fails, saying what was waited for, when the deadline passes."""
    deadline_s = time.monotonic() + timeout_s
    pause = 0.02
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline_s:
            pytest.fail(f"{what}: not within {timeout_s:g} s")
        time.sleep(pause)  # the pause of a poll, bounded by the deadline above
        pause = min(pause * 1.5, 0.5)


class Stack:
    """One `keelwing up`: its URL, keys, environment and output."""

    def __init__(self, directory: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.directory = directory
        self.output_path = directory / "up.log"
        self.environment = {
            **os.environ,
            "KEELWING_DATA_DIR": str(directory / "data"),
            "KEELWING_HTTP_PORT": "0",
            "KEELWING_WEBHOOK_ALLOW_PRIVATE": "true",
            **(environment or {}),
        }
        self._arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it says that it is up."""
        with self.output_path.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "keelwing.cli", "up", *self._arguments],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_for("the stack says that it is up", self._is_up, START_S_MAX)
        except BaseException:  # what did not come up in time would run on beside the tests that follow
            self._give_up()
            raise

    def _give_up(self) -> None:
        try:
            self.interrupt()
        except subprocess.TimeoutExpired:
            self.kill()

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.output
        return "Ctrl-C stops everything" in self.output

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self.output_path.read_text()

    @property
    def url(self) -> str:
        """Where the API and the page are."""
        line = next(line for line in self.output.splitlines() if "Keelwing is up" in line)
        return next(word for word in line.split() if word.startswith("http://")).rstrip("/")

    @property
    def keys(self) -> list[str]:
        """The demo tenants' keys, in the order printed."""
        return [line for line in self.output.splitlines() if line.startswith("kw_")]

    def interrupt(self, timeout_s: float = 15.0) -> tuple[int, float]:
        """Ctrl-C; the exit status and how many seconds it took."""
        assert self.process is not None
        begun_s = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout_s), time.monotonic() - begun_s

    def kill(self) -> None:
        """SIGKILL to the supervisor, as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def command(self, *arguments: str, status: int | None = 0) -> str:
        """Run another `keelwing` command beside it; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "keelwing.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def get(self, path: str, key: str, **parameters: Any) -> Any:
        """The JSON answer of a GET."""
        answer = httpx.get(f"{self.url}{path}", params=parameters, headers={"Authorization": f"Bearer {key}"}, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def every(self, path: str, key: str, **parameters: Any) -> list[Any]:
        """All items of a list, page by page."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            page = self.get(path, key, limit=1000, **parameters, **({} if cursor is None else {"cursor": cursor}))
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    def books(self, tenant: str, origin: str) -> dict[str, Any]:
        """The balance of one origin; empty while nothing was received."""
        rows = json.loads(self.command("reconcile", "--json", status=None))
        return next((row for row in rows if (row["tenant"], row["origin"]) == (tenant, origin)), {})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of the demo starts it; the others come last, when it has lived for as long as they want."""
    for item in items:
        if {"demo_stack", "stack_directory"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(TEST_S_MAX))
    of_demo = [item for item in items if "demo_stack" in getattr(item, "fixturenames", ())][1:]
    items[:] = [item for item in items if item not in of_demo] + of_demo


@pytest.fixture(scope="session")
def demo_stack() -> Iterator[Stack]:
    """`keelwing up --demo`, one for the session."""
    directory = reachable_directory("keelwing-test-stack-")
    try:
        stack = Stack(directory, "--demo")
        stack.start()
        try:
            yield stack
        finally:
            stack.interrupt()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def stack_directory() -> Iterator[Path]:
    """A directory for a stack of one test alone; gone with it."""
    directory = reachable_directory("keelwing-test-stack-")
    yield directory
    shutil.rmtree(directory, ignore_errors=True)
