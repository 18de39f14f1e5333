"""`docs/add-a-rule.md` is taken at its word: its blocks, applied to a copy of the repository, make a rule that finds."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "add-a-rule.md"
PLACES_MAX = 5
COPIED = ("detect", "fleet", "docs/rules.md", "tests/detect/conftest.py", "pyproject.toml")
BLOCK = re.compile(r"^```(diff|python) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

SCRIPT = """
import json
from pathlib import Path

import detect
from detect.drive import drive
from detect.model import Context
from detect.step import initial_state
from fleet.instants import MINUTE_US
from fleet.vessel import VesselReading


class Alone:
    def at_reading(self, asset_id, reading):
        return Context()

    def at_tick(self, asset_id, time_us):
        return Context()


readings = [
    VesselReading(scheme="mmsi", value="244660000", time_us=i * MINUTE_US, seq=i, nav_status=5, sog_kn=9.0) for i in range(15)
]
findings = drive(initial_state("asset-1", "vessel"), readings, None, Alone())
found = [(finding.rule, finding.asset, finding.detected_at_us // MINUTE_US) for finding in findings]
print(json.dumps([str(Path(detect.__file__).parent), found]))
"""


class Block(NamedTuple):
    """One fenced block of the page: `diff` is an edit of a file that is there, `python` a new file."""

    kind: str
    path: str
    text: str


def blocks() -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(PAGE.read_text())]


def edit(text: str, diff: str) -> str:
    """Apply a diff without line numbers: each hunk's old lines must be there exactly once."""
    for hunk in re.split(r"^@@\n", diff, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(old) == 1, f"the page edits what is not there (once): {old}"
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the rule needs, with the page's blocks applied."""
    copy = tmp_path_factory.mktemp("extended")
    for name in COPIED:
        source, target = ROOT / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    for block in blocks():
        path = copy / block.path
        assert path.exists() == (block.kind == "diff"), f"{block.path}: a diff edits, a python block makes a file"
        path.write_text(edit(path.read_text(), block.text) if block.kind == "diff" else block.text)
    return copy


def run(copy: Path, *arguments: str) -> str:
    """Run the interpreter in the copy, whose packages come before the installed ones; its standard output."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_rule_touches_at_most_five_places() -> None:
    places = {block.path for block in blocks()}
    assert 0 < len(places) <= PLACES_MAX, places


def test_the_rule_of_the_page_finds_what_it_says(extended: Path) -> None:
    where, found = json.loads(run(extended, "-c", SCRIPT))
    assert where == str(extended / "detect")
    assert ["nav_status_wrong", "mmsi:244660000", 10] in found


def test_the_test_of_the_page_passes(extended: Path) -> None:
    told = run(extended, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/detect/test_nav_status_wrong.py")
    assert re.search(r"\b6 passed\b", told), told


def test_the_code_of_the_page_is_in_the_style_of_the_house(extended: Path) -> None:
    paths = [block.path for block in blocks() if block.path.endswith(".py")]
    run(extended, "-m", "ruff", "check", "--no-cache", *paths)
    run(extended, "-m", "ruff", "format", "--check", "--no-cache", *paths)
