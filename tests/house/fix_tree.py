"""What the house tests look at: the repository's tracked files, and the syntax trees of its Python."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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
def trees(rooms: tuple[str, ...] = ROOMS) -> dict[Path, ast.Module]:
    """The syntax tree of each tracked Python file of some rooms."""
    return {path: ast.parse(text) for path, text in texts().items() if path.suffix == ".py" and path.parts[0] in rooms}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a tree, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
