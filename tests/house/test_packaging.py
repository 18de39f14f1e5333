"""The rooms are ours: imported from this repository, provided by nobody else, and locked with what they need."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from typer.testing import CliRunner

from keelwing.cli import app
from tests.house.fix_tree import ROOMS, ROOT

PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_imported_from_this_repository(room: str) -> None:
    module = importlib.import_module(room)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve().is_relative_to(ROOT.resolve())


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_distribution_provides_a_room(room: str) -> None:
    assert set(importlib.metadata.packages_distributions().get(room, ["keelwing"])) == {"keelwing"}


def test_the_distribution_holds_every_room_and_stays_private() -> None:
    described = project()
    assert set(described["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == set(ROOMS)
    assert "Private :: Do Not Upload" in described["project"]["classifiers"]


def test_the_tests_are_no_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_the_lock_covers_what_the_project_names() -> None:
    described = project()["project"]
    wanted = [Requirement(text) for text in (*described["dependencies"], *described["optional-dependencies"]["dev"])]
    locked: dict[str, list[Version]] = {}
    for name, version in PINNED.findall((ROOT / "requirements.lock").read_text()):
        locked.setdefault(canonicalize_name(name), []).append(Version(version))
    unmet = [
        str(one)
        for one in wanted
        if not any(one.specifier.contains(version) for version in locked.get(canonicalize_name(one.name), []))
    ]
    assert unmet == []


def test_every_locked_version_is_held_by_a_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    blocks = re.split(r"\n(?=\S)", lock)
    bare = [block.splitlines()[0] for block in blocks if PINNED.match(block) and "--hash=sha256:" not in block]
    assert bare == []


def test_the_version_is_told_once() -> None:
    version = project()["project"]["version"]
    assert importlib.metadata.version("keelwing") == version
    assert CliRunner().invoke(app, ["--version"]).output == f"keelwing {version}\n"
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
    assert f"image: keelwing:{version}" in (ROOT / "docker-compose.yml").read_text()
