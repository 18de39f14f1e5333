"""The units of systemd in `deploy/systemd`: read as systemd reads them, and judged by `systemd-analyze` where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TypeAlias

UNITS = Path(__file__).resolve().parent / "systemd"
CONFINED = "keelwing-.service.d"
"""The drop-in directory of the prefix: what is in it is said to every `keelwing-*.service` (systemd.unit(5))."""

INSTALLED = "/opt/keelwing/bin"
"""Where the units expect Keelwing's environment."""

EXPOSURE_MAX = 2.0
"""Exposure that `systemd-analyze security` may find, of 10. Chosen: what is left below it a server on a network must have."""

Unit: TypeAlias = "dict[tuple[str, str], list[str]]"
"""Values by (section, key), in order; an empty value forgets those before it (systemd.syntax(7))."""


def read_unit(path: Path) -> Unit:
    """One unit file.

    Raises:
        ValueError: a line that systemd would ignore with a warning.
    """
    found: Unit = {}
    section = ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith(("#", ";")):
            continue
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
            continue
        key, equals, value = line.partition("=")
        if not section or not equals or key != key.strip() or line.endswith("\\"):
            raise ValueError(f"{path.name}:{number}: {line}")
        found.setdefault((section, key), []).append(value.strip())
    return found


def services() -> dict[str, Unit]:
    """Every service by its file's name, with what the drop-in directory says to all of them."""
    common = [read_unit(path) for path in sorted((UNITS / CONFINED).glob("*.conf"))]
    merged: dict[str, Unit] = {}
    for path in sorted(UNITS.glob("*.service")):
        unit = read_unit(path)
        for one in common:
            for key, values in one.items():
                unit[key] = [*unit.get(key, []), *values]
        merged[path.name] = unit
    return merged


def analyze(programs: Path) -> list[str]:
    """What `systemd-analyze` says against the units, with `programs` where they expect Keelwing; nothing when all is well.

    Raises:
        FileNotFoundError: there is no systemd-analyze.
    """
    against: list[str] = []
    with tempfile.TemporaryDirectory(prefix="keelwing-units-") as name:
        copy = Path(name) / "systemd"
        shutil.copytree(UNITS, copy)
        for path in copy.glob("*.service"):
            path.write_text(path.read_text().replace(INSTALLED, str(programs)))
        units = sorted([*copy.glob("*.service"), *copy.glob("*.timer"), *copy.glob("*.target")])
        verified = _run(["systemd-analyze", "verify", "--man=no", *map(str, units)])
        against += [line for line in verified.stderr.splitlines() if str(copy) in line or line.startswith("keelwing")]
        if verified.returncode != 0:
            against.append(f"systemd-analyze verify ended with {verified.returncode}: {verified.stderr}")
        for path in copy.glob("*.service"):
            threshold = f"--threshold={round(EXPOSURE_MAX * 10)}"
            judged = _run(["systemd-analyze", "security", "--offline=true", "--no-pager", threshold, str(path)])
            if judged.returncode != 0:
                against.append("\n".join(judged.stdout.splitlines()[-1:]) or judged.stderr)
    return against


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def check_units(programs: Path) -> list[str]:
    """Judge the units; a line that says what was seen.

    Raises:
        OSError: systemd-analyze has something against them; the text says what.
    """
    count = len(list(UNITS.glob("keelwing*.*")))
    if shutil.which("systemd-analyze") is None:
        return [f"{count} units are there (no systemd-analyze here to judge them; a test has read them)"]
    against = analyze(programs)
    if against:
        raise OSError("systemd-analyze: " + "\n".join(against))
    return [f"systemd-analyze has nothing against {count} units, and finds each service's exposure below {EXPOSURE_MAX:g} of 10"]
