"""CPU seconds and memory of processes and of all that they started, read from `/proc`."""

from __future__ import annotations

import os
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def tree(pid: int) -> list[int]:
    """A process and its living descendants; empty when it is gone."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(entry.name))
        if fields is not None:
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid] if _stat(pid) is not None else []
    for one in found:
        found.extend(parents.get(one, []))
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds (user and system) of a process tree so far, ended children that were waited for included."""
    total = 0
    for one in tree(pid):
        fields = _stat(one)
        if fields is not None:
            total += sum(int(word) for word in fields[11:15])  # utime, stime, cutime, cstime: proc(5)
    return total * TICK_S


def rss_bytes(pid: int) -> int:
    """Resident memory of a process tree; pages that its processes share count for each."""
    total = 0
    for one in tree(pid):
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE_BYTES
        except OSError:
            continue
    return total


def _stat(pid: int) -> list[str] | None:
    """The fields of `/proc/PID/stat` from the state on; None when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
