"""What the house tests look at: the repository's tracked files, and the syntax trees of its Python."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_BODIES = ("body", "orelse", "finalbody")
ROOMS = ("fleet", "detect", "ingest", "store", "alerts", "api", "simulators", "keelwing")


@cache
def tracked() -> tuple[Path, ...]:
    """Every tracked file that is there, relative to the root; skips where this is no work tree of git."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("not a work tree of git")
    paths = [Path(name) for name in done.stdout.split("\0") if name]
    return tuple(path for path in paths if (ROOT / path).is_file())


@cache
def texts() -> dict[Path, str]:
    """The tracked files that are text."""
    found: dict[Path, str] = {}
    for path in tracked():
        try:
            found[path] = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue
    return found


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a tracked Python file, parsed once."""
    return ast.parse(texts()[path])


def trees(rooms: tuple[str, ...] = ROOMS) -> dict[Path, ast.Module]:
    """The syntax tree of each tracked Python file of some rooms."""
    return {path: tree_of(path) for path in texts() if path.suffix == ".py" and path.parts[0] in rooms}


@cache
def definitions(path: Path) -> tuple[Definition, ...]:
    """Every function and class of a tracked Python file, nested ones too: they stand in bodies, so expressions are not walked."""
    found: list[Definition] = []
    waiting: list[ast.stmt] = list(tree_of(path).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Definition):
            found.append(node)
        waiting += [one for name in _BODIES for one in getattr(node, name, ()) if isinstance(one, ast.stmt)]
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            waiting += part.body
    return tuple(found)
