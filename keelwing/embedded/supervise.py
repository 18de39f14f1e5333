"""Starts a stack in order, keeps it running, stops it in reverse within seconds.

It knows services: things with a name that start, live and stop. It does not know which ones a stack has; that is `keelwing up`.

How it ends: Ctrl-C, SIGTERM and SIGHUP stop everything in an orderly way (children have sessions of their own, so the terminal's
Ctrl-C reaches the supervisor alone); SIGKILL cannot be caught, and then the kernel ends the children (`leash`). A child that
ends by itself is started again, a bounded number of times a minute; after that the stack stops and says so by its exit status.
"""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Self

import structlog

from keelwing.embedded import process
from keelwing.embedded.process import EmbeddedServerError
from keelwing.embedded.service import Service

log = structlog.get_logger(__name__)

STOP_TIMEOUT_S = 10.0
"""How long stopping everything may take: what a person waits before pulling the plug, and what `docker stop` grants."""

STOP_RESERVE_S = 1.0
"""What each service that is stopped later keeps of that time. Chosen: a database and a broker at rest end in 0.1 s."""

RESTARTS_PER_MINUTE_MAX = 5
"""Restarts of one service within a minute. Chosen: enough for a passing cause, few enough that a lasting one is seen."""

BACKOFF_FIRST_S = 0.2
BACKOFF_LAST_S = 5.0
"""Pause before a restart, doubled from the first to the last."""

WATCH_S = 0.1
"""Pause between two looks at the services. Chosen: unnoticed by a person, cheap for the machine."""


class ChildProcess(Service):
    """One program of ours as a service.

    Args:
        name: of the service and its log.
        command: program (a path) and arguments.
        log_directory: where `NAME.log` is written; the log of the run before is kept as `NAME.log.1`.
        env: its whole environment; None for ours.
        ready: looked at until it is true; None when a running process is enough.
        ready_timeout_s: how long that may take.
        death_signal: what it gets when the supervisor dies. SIGKILL: the supervisor's death is a crash, every part of
            Keelwing survives a crash, and a child that drains for a dead stack would stand in the way of the next one.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log_directory: Path,
        env: Mapping[str, str] | None = None,
        ready: Callable[[], bool] | None = None,
        ready_timeout_s: float = 60.0,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        super().__init__(name, log_directory.absolute() / f"{name}.log")
        self._command = list(command)
        self._env = dict(os.environ if env is None else env)
        self._ready = ready
        self._ready_timeout_s = ready_timeout_s
        self._death_signal = death_signal

    @property
    def exit_status(self) -> int | None:
        """Exit status of the last run (negative: the signal), None while it runs."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start the program and wait until it is ready.

        Raises:
            EmbeddedServerError: it ended or was not ready in time; the text carries the end of its log.
        """
        if self.alive():
            return
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self._process = process.spawn(
            self._command, log_path=self.log_path, cwd=Path.cwd(), env=self._env, death_signal=self._death_signal
        )
        try:
            self._await_ready()
        except BaseException:
            self.stop(timeout_s=2.0)
            raise

    def stop(self, timeout_s: float = 5.0) -> None:
        """Stop with SIGTERM, after `timeout_s` with SIGKILL, its own children included."""
        if self._process is not None:
            process.stop(self._process, [(signal.SIGTERM, timeout_s)])

    def _await_ready(self) -> None:
        if self._ready is None:
            return
        ready = self._ready
        came = process.wait_until(lambda: not self.alive() or ready(), self._ready_timeout_s)
        if not came or not self.alive():
            why = f"is not ready after {self._ready_timeout_s:g} s" if self.alive() else "ended while starting"
            raise EmbeddedServerError(f"{self.name} {why}:\n{process.log_tail(self.log_path)}")


class Supervisor:
    """Holds the services of one stack in one data directory.

    Use: `Supervisor(data_dir).run(compose, on_tick=…)`, where `compose(supervisor)` calls `start` for one service after the
    other and does what must happen in between (migrations).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        stop_timeout_s: float = STOP_TIMEOUT_S,
        restarts_per_minute_max: int = RESTARTS_PER_MINUTE_MAX,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.log_directory = self.data_dir / "log"
        self._stop_timeout_s = stop_timeout_s
        self._restarts_per_minute_max = restarts_per_minute_max
        self._services: list[Service] = []
        self._deaths_s: dict[str, deque[float]] = {}
        self._restart_at_s: dict[str, float] = {}
        self._stop_asked = False
        self._interruptible = False

    def start(self, service: Service) -> None:
        """Start a service, wait until it is ready, and hold it from now on.

        Raises:
            EmbeddedServerError: it does not become ready.
        """
        log.info("stack.starting", service=service.name)
        started_s = time.monotonic()
        service.start()
        self._services.append(service)
        log.info("stack.started", service=service.name, took_s=round(time.monotonic() - started_s, 2))

    def run(
        self,
        compose: Callable[[Self], None],
        *,
        on_tick: Callable[[], None] | None = None,
        tick_s: float = 5.0,
    ) -> int:
        """Take the directory, start, watch until asked to stop, stop everything. From the main thread only.

        Args:
            compose: starts the services in order.
            on_tick: called every `tick_s` seconds while the stack runs (counters to print).
            tick_s: seconds between two calls.

        Returns:
            Exit status: 0 when asked to stop, 1 when a service could not be kept running.

        Raises:
            DirectoryInUseError: another stack runs in this data directory.
            EmbeddedServerError: a service did not become ready at the start; everything is stopped by then.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        lock = process.DirectoryLock(self.data_dir / "lock", "A Keelwing stack").acquire()
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup(1) asks
            numbers.append(signal.SIGHUP)
        former = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            self._interruptibly(lambda: compose(self))
            return self._watch(on_tick, tick_s)
        except KeyboardInterrupt:
            return 0
        finally:
            self._interruptible = False
            self._stop_all()
            for number, handler in former.items():
                signal.signal(number, handler)
            lock.release()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is Python's
        """Remember that we are asked to stop; while something starts, interrupt it. Stopping itself goes on undisturbed."""
        self._stop_asked = True
        if self._interruptible:
            self._interruptible = False
            raise KeyboardInterrupt

    def _interruptibly(self, action: Callable[[], None]) -> None:
        self._interruptible = True
        try:
            action()
        finally:
            self._interruptible = False
        if self._stop_asked:
            raise KeyboardInterrupt

    def _watch(self, on_tick: Callable[[], None] | None, tick_s: float) -> int:
        next_tick_s = time.monotonic() + tick_s
        while not self._stop_asked:
            for service in self._services:
                if not self._look_after(service):
                    return 1
                process.rotate_log(service.log_path, bytes_max=process.LOG_BYTES_MAX)
            now_s = time.monotonic()
            if on_tick is not None and now_s >= next_tick_s:
                next_tick_s = now_s + tick_s
                on_tick()
            time.sleep(WATCH_S)
        return 0

    def _look_after(self, service: Service) -> bool:
        """See to one service; False when it died too often."""
        restart_at_s = self._restart_at_s.get(service.name)
        now_s = time.monotonic()
        if restart_at_s is None:
            return service.alive() or self._plan_restart(service, now_s)
        if now_s < restart_at_s:
            return True
        del self._restart_at_s[service.name]
        log.info("stack.restarting", service=service.name)
        try:
            self._interruptibly(service.start)
        except (EmbeddedServerError, subprocess.TimeoutExpired) as error:
            log.warning("stack.restart_failed", service=service.name, error=str(error))
            return self._plan_restart(service, time.monotonic())
        return True

    def _plan_restart(self, service: Service, now_s: float) -> bool:
        deaths_s = self._deaths_s.setdefault(service.name, deque(maxlen=self._restarts_per_minute_max + 1))
        while deaths_s and now_s - deaths_s[0] > 60.0:
            deaths_s.popleft()
        deaths_s.append(now_s)
        tail = process.log_tail(service.log_path, lines_max=5)
        if len(deaths_s) > self._restarts_per_minute_max:
            log.error("stack.gives_up", service=service.name, deaths_in_a_minute=len(deaths_s), log_tail=tail)
            return False
        wait_s = min(BACKOFF_FIRST_S * 2 ** (len(deaths_s) - 1), BACKOFF_LAST_S)
        self._restart_at_s[service.name] = now_s + wait_s
        log.warning("stack.died", service=service.name, restart_in_s=wait_s, log=str(service.log_path), log_tail=tail)
        return True

    def _stop_all(self) -> None:
        """Stop in reverse order, all together within the time; who comes later keeps a share."""
        deadline_s = time.monotonic() + self._stop_timeout_s
        while self._services:
            service = self._services.pop()
            left_s = deadline_s - time.monotonic() - STOP_RESERVE_S * len(self._services)
            started_s = time.monotonic()
            service.stop(max(left_s, STOP_RESERVE_S / 2))
            log.info("stack.stopped", service=service.name, took_s=round(time.monotonic() - started_s, 2))
