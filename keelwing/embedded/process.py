"""Processes of ours: start on a leash, stop within a deadline, find what an earlier run left, log, lock.

It knows the operating system; not which server it starts.
"""

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeAlias

Child: TypeAlias = "subprocess.Popen[bytes]"

LEASH = Path(__file__).with_name("leash.py")

LOG_BYTES_MAX = 16 * 1024 * 1024
"""Bound of one log file; a second of the same size is kept. Chosen: weeks of warnings, and small on any disk."""

LOCK_WAIT_S = 0.3
"""How long taking a lock waits for one that is being let go. Chosen: far longer than asking takes, unnoticed by a person."""

POLL_S = 0.05
"""Pause between two looks at a condition outside this process. Chosen: unnoticed by a person, cheap for the machine."""


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot start; the text says why and what to do."""


class DirectoryInUseError(EmbeddedServerError):
    """Another living Keelwing process uses the directory."""


def leashed(
    command: Sequence[str],
    *,
    account_ids: tuple[int, int] = (-1, -1),
    death_signal: signal.Signals = signal.SIGTERM,
) -> list[str]:
    """The command line that runs `command` on a leash held by this process.

    Args:
        command: program (a path) and its arguments.
        account_ids: uid and gid to become, (-1, -1) to stay.
        death_signal: what the kernel sends to the program when the thread that started it ends (`prctl(2)` speaks of the
            thread, so long-lived children are started from a thread that lives as long).
    """
    uid, gid = account_ids
    words = [str(os.getpid()), str(int(death_signal)), str(uid), str(gid)]
    return [sys.executable, "-I", "-S", str(LEASH), *words, *command]


def spawn(
    command: Sequence[str],
    *,
    log_path: Path,
    cwd: Path,
    env: Mapping[str, str],
    account_ids: tuple[int, int] = (-1, -1),
    death_signal: signal.Signals = signal.SIGTERM,
) -> Child:
    """Start a program in a session of its own, output appended to `log_path`, dying with us.

    Raises:
        OSError: the log cannot be opened.
    """
    rotate_log(log_path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    descriptor = os.open(log_path, flags, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - no shell, and the program is ours
            leashed(command, account_ids=account_ids, death_signal=death_signal),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=cwd,
            env=dict(env),
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def stop(process: Child, signals: Sequence[tuple[signal.Signals, float]]) -> int:
    """Ask a child to end with each signal in turn, waiting so many seconds after each, at last SIGKILL its session.

    Returns:
        The exit status, as `subprocess` gives it.
    """
    for number, wait_s in signals:
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(timeout=max(wait_s, 0.0))
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)  # its own children too: it leads a session
    return process.wait()


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Look at a condition until it holds; False when it did not within `timeout_s`."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(POLL_S)
    return True


def processes_with(matches: Callable[[list[str]], bool]) -> list[int]:
    """Ids of the living processes whose command line matches; empty where there is no `/proc`.

    The command line, because it may be read of a process of another account too, where its directory may not.
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it ended while we looked
            continue
        if matches([os.fsdecode(word) for word in words]) and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def rotate_log(path: Path, *, bytes_max: int = 0) -> None:
    """Keep the log's content as `NAME.1` and empty the log, once it is larger than `bytes_max`.

    The file is emptied in place, not renamed: the writer holds it open to append, and goes on at its new end. A line that
    is written between copying and emptying is lost. At most `LOG_BYTES_MAX` bytes are kept.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return
    if size <= bytes_max:
        return
    older = path.with_name(path.name + ".1")
    descriptor = os.open(older, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with path.open("rb") as log, os.fdopen(descriptor, "wb") as kept:
        log.seek(max(size - LOG_BYTES_MAX, 0))
        kept.write(log.read(LOG_BYTES_MAX))
    os.truncate(path, 0)


def log_tail(path: Path, *, lines_max: int = 12) -> str:
    """The last lines of a log, for an error message; empty when there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(path.stat().st_size - 16_384, 0))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines_max:])


def port_is_free(port: int) -> bool:
    """Whether a server could listen on the port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As servers do: a connection of the last run that lingers in TIME_WAIT is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


PORTS = range(15_000, 32_000)
"""Where servers of ours listen. Below 32,768, where Linux begins to give ports to outgoing connections (`ip_local_port_range`):
a port from there may be taken between our look and the server's."""

_given: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now and that we gave to nobody else; another may take it before us.

    Raises:
        EmbeddedServerError: none of a hundred tried is free.
    """
    for _ in range(100):
        port = secrets.choice(PORTS)
        if port not in _given and port_is_free(port):
            _given.add(port)
            return port
    raise EmbeddedServerError(f"no free port between {PORTS.start} and {PORTS.stop}")


def remembered_port(path: Path, wanted: int | None = None) -> int:
    """The port to listen on: the wanted one, else the one in the file while it is free, else a new one, remembered.

    A remembered port lets clients outlive a restart of their server.
    """
    if wanted is not None:
        return wanted
    try:
        port = int(path.read_text())
    except (FileNotFoundError, ValueError):
        port = 0
    if not 0 < port < 65_536 or not port_is_free(port):
        port = free_port()
        path.write_text(f"{port}\n")
    return port


class DirectoryLock:
    """One process at a time in a directory: a `flock(2)` that the kernel releases however the process ends."""

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what
        self._descriptor: int | None = None

    def acquire(self) -> Self:
        """Take the lock; waits `LOCK_WAIT_S`, for a process that only asks (`held_by_other`) holds it a moment.

        Raises:
            DirectoryInUseError: another process holds it.
        """
        if self._descriptor is not None:
            return self
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if not wait_until(lambda: _locked(descriptor), LOCK_WAIT_S):
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise DirectoryInUseError(
                f"{self._what} in {self._path.parent} is in use by another process (id {holder}); "
                "stop it, or choose another directory with KEELWING_DATA_DIR"
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def held_by_other(self) -> bool:
        """Whether another process holds the lock now."""
        if self._descriptor is not None:
            return False
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            return not _locked(descriptor)
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Lock an open file exclusively if nobody else holds it; whether it is ours now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
