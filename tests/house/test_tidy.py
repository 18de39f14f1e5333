"""What every file keeps to: names, sizes, clocks, docstrings, and nothing that belongs to one machine."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house.fix_tree import ROOMS, ROOT, definitions, texts, tracked, trees

BANNED_WORDS = frozenset({"utils", "util", "common", "helper", "helpers", "manager", "data", "info", "misc"})
FUNCTION_LINES_MAX = 60
FILE_BYTES_MAX = 1024 * 1024
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
CLOCKS = frozenset({("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")})
CLOCK_MODULES = frozenset({"time"})
PLACES = re.compile(r"(?<![\w.~-])/(?:work|home|root|Users|mnt|workspace)/[\w.-]+")
REGISTRIES = re.compile(
    r"https?://[\w.-]*(?:pypi|pythonhosted|npmjs|artifactory|nexus|jfrog)[\w.-]*[^\s\"')]*|--(?:extra-)?index-url"
)
PUBLIC_REGISTRY = "https://registry.npmjs.org/"  # what npm writes into a lock on any machine
SECRETS = re.compile(
    r"\bkw_[A-Za-z0-9_-]{32,}|\bwhsec_[A-Za-z0-9+/]{32,}|-----BEGIN [A-Z ]*PRIVATE KEY|"
    r"\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}"
)
MADE_UP = re.compile(r"(.)\1{7}|^kw_(?:[a-z]+[_-]?)+$|MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw|^whsec_AAECAwQFBg")
"""What only looks like a secret: a run of one character, words, the bytes 0, 1, 2, …, and the example of the
Standard Webhooks specification."""


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    bad = [path for path in tracked() if set(re.split(r"[/._-]", str(path).lower())) & BANNED_WORDS]
    assert bad == []


def test_no_class_or_function_is_called_by_a_word_that_says_nothing() -> None:
    bad = [
        f"{path}:{node.lineno} {node.name}"
        for path in trees((*ROOMS, "bench", "evaluation", "tests"))
        for node in definitions(path)
        if node.name.lower().strip("_") in BANNED_WORDS
    ]
    assert bad == []


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}: {lines} lines"
        for path in trees((*ROOMS, "bench", "evaluation"))
        for node in definitions(path)
        if not isinstance(node, ast.ClassDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_nothing_is_left_unfinished() -> None:
    own = "tests/house/test_tidy.py"
    bad = [
        f"{path}:{number}"
        for path, text in texts().items()
        if str(path) != own and path.name != "package-lock.json"
        for number, line in enumerate(text.splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert bad == []


def test_the_pure_rooms_read_no_clock() -> None:
    bad: list[str] = []
    for path, tree in trees(("fleet", "detect")).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in CLOCKS:
                bad.append(f"{path}:{node.lineno} {node.value.id}.{node.attr}")
            if isinstance(node, ast.Import) and CLOCK_MODULES & {alias.name for alias in node.names}:
                bad.append(f"{path}:{node.lineno} import time")
            if isinstance(node, ast.ImportFrom) and node.module in CLOCK_MODULES:
                bad.append(f"{path}:{node.lineno} from time import")
    assert bad == []


def test_the_pure_rooms_open_no_file_and_draw_no_unseeded_number() -> None:
    bad: list[str] = []
    for path, tree in trees(("fleet", "detect")).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "print", "input"}:
                bad.append(f"{path}:{node.lineno} {node.func.id}")
            if isinstance(node, ast.Import) and {"random", "secrets", "os", "socket"} & {alias.name for alias in node.names}:
                bad.append(f"{path}:{node.lineno} import")
    assert bad == []


@pytest.mark.parametrize("pattern", [PLACES, REGISTRIES], ids=["machine path", "registry address"])
def test_nothing_belongs_to_one_machine(pattern: re.Pattern[str]) -> None:
    bad = [
        f"{path}: {found[0]}"
        for path, text in texts().items()
        if str(path) != "tests/house/test_tidy.py"
        for found in pattern.finditer(text)
        if not (path.name == "package-lock.json" and found[0].startswith(PUBLIC_REGISTRY))
    ]
    assert bad == []


def test_no_file_holds_a_secret() -> None:
    bad = [
        f"{path}: {found[0][:12]}…"
        for path, text in texts().items()
        for found in SECRETS.finditer(text)
        if not MADE_UP.search(found[0])
    ]
    assert bad == []


def test_no_file_is_larger_than_a_mebibyte() -> None:
    assert [path for path in tracked() if (ROOT / path).stat().st_size >= FILE_BYTES_MAX] == []


def test_everything_public_says_what_it_is() -> None:
    bad: list[str] = []
    for path, tree in trees().items():
        if ast.get_docstring(tree) is None:
            bad.append(str(path))
        for node in public(tree.body):
            if ast.get_docstring(node) is None:
                bad.append(f"{path}:{node.lineno} {node.name}")
            if isinstance(node, ast.ClassDef):
                bad += [f"{path}:{one.lineno} {node.name}.{one.name}" for one in public(node.body) if not ast.get_docstring(one)]
    assert bad == []


def public(body: list[ast.stmt]) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    return [
        node
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
