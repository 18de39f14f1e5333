"""The files with passwords: made once, readable by whom they are for, and understood by the servers."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.make_secrets import make
from tests.house.fix_tree import ROOT


def made_in(directory: Path, mode: int = 0o444) -> dict[str, str]:
    make(directory, database="database:5432/keelwing", broker="nats:1883", mode=mode)
    return {path.name: path.read_text().strip() for path in directory.iterdir()}


def test_passwords_are_made_once(tmp_path: Path) -> None:
    first = made_in(tmp_path / "secrets")
    assert made_in(tmp_path / "secrets") == first
    words = {text for name, text in first.items() if name.endswith("_password")}
    assert len(words) == 5
    assert all(len(word) == 32 for word in words)
    assert first["database_owner_password"] in first["keelwing_database_url"]
    assert first["broker_password"] in first["nats_users"]
    assert first["broker_password"] not in first["mosquitto_passwords"]


def test_a_password_that_was_taken_away_is_made_again_and_no_other(tmp_path: Path) -> None:
    first = made_in(tmp_path / "secrets")
    for name in ("database_api_password", "keelwing_database_api_url"):
        (tmp_path / "secrets" / name).unlink()
    again = made_in(tmp_path / "secrets")
    assert {name for name in first if first[name] != again[name]} == {"database_api_password", "keelwing_database_api_url"}
    assert again["database_api_password"] in again["keelwing_database_api_url"]


def test_going_over_to_the_other_broker_keeps_its_password(tmp_path: Path) -> None:
    first = made_in(tmp_path / "secrets")
    (tmp_path / "secrets/keelwing_mqtt_url").unlink()
    made = make(tmp_path / "secrets", database="database:5432/keelwing", broker="mosquitto:1883", mode=0o444)
    assert made == ["keelwing_mqtt_url"]
    url = (tmp_path / "secrets/keelwing_mqtt_url").read_text().strip()
    assert url == first["keelwing_mqtt_url"].replace("@nats:", "@mosquitto:")


@pytest.mark.parametrize("mode", [0o444, 0o600])
def test_only_the_owner_can_enter(tmp_path: Path, mode: int) -> None:
    made_in(tmp_path / "secrets", mode)
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "secrets").iterdir()} == {mode}


def test_the_script_needs_nothing_but_python(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", str(ROOT / "deploy/make_secrets.py"), str(tmp_path / "secrets"), "--private"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "keelwing_mqtt_url" in done.stdout
