"""The units of systemd, read in Python: commands that exist, credentials that are made, nobody with more than they need."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from deploy.make_secrets import wanted_files
from deploy.units import CONFINED, INSTALLED, UNITS, read_unit, services
from keelwing.cli import app
from keelwing.settings import PREFIX, Settings

CONFINEMENT = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "DynamicUser": "yes",
    "MemoryDenyWriteExecute": "yes",
    "RestrictNamespaces": "yes",
    "SystemCallArchitectures": "native",
}
NAMES = sorted(services())


def one(unit: dict[tuple[str, str], list[str]], key: str, section: str = "Service") -> str:
    """The value of a key that is there once."""
    (value,) = unit[section, key]
    return value


@pytest.mark.parametrize("name", NAMES)
def test_a_service_is_confined_and_bounded(name: str) -> None:
    unit = services()[name]
    assert {key: one(unit, key) for key in CONFINEMENT} == CONFINEMENT
    assert "@system-service" in unit["Service", "SystemCallFilter"]
    assert re.fullmatch(r"\d+[MG]", one(unit, "MemoryMax"))
    assert one(unit, "TasksMax").isdecimal()


@pytest.mark.parametrize("name", NAMES)
def test_a_command_of_keelwing_is_one(name: str) -> None:
    command = shlex.split(one(services()[name], "ExecStart"))
    if command[:2] == ["/bin/sh", "-c"]:
        command = shlex.split(command[2].removeprefix("exec "))
    program, *words = command
    assert Path(program).parent == Path(INSTALLED)
    if Path(program).name != "keelwing":
        assert Path(program).name == "nats-server"
        return
    chosen = typer.main.get_command(app).commands[words[0]]  # type: ignore[attr-defined]
    known = {option for parameter in chosen.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words[1:] if word.startswith("-")} <= known


@pytest.mark.parametrize("name", NAMES)
def test_credentials_are_files_that_the_script_makes_and_settings_that_are_read(name: str) -> None:
    made = wanted_files("127.0.0.1:5432/keelwing", "127.0.0.1:1883", kept={})
    for granted in services()[name].get(("Service", "LoadCredential"), []):
        credential, _, source = granted.partition(":")
        assert source.startswith("/etc/keelwing/")
        if credential.startswith("keelwing_"):
            assert credential.removeprefix("keelwing_") in Settings.model_fields
        if Path(source).parent == Path("/etc/keelwing/secrets"):
            assert Path(source).name in made


def test_each_process_holds_the_same_secrets_as_in_a_container() -> None:
    held = {
        name.removeprefix("keelwing-").removesuffix(".service"): {
            word.partition(":")[0] for word in unit.get(("Service", "LoadCredential"), [])
        }
        for name, unit in services().items()
    }
    assert held["migrate"] == {"keelwing_database_url"}
    assert held["worker"] == {"keelwing_database_worker_url", "keelwing_mqtt_url"}
    assert held["notifier"] == {"keelwing_database_worker_url"}
    assert held["api"] == {"keelwing_database_api_url"}


def test_the_target_wants_what_serves_and_nothing_runs_before_the_migrations() -> None:
    wanted = set(one(read_unit(UNITS / "keelwing.target"), "Wants", "Unit").split())
    assert wanted == {"keelwing-worker.service", "keelwing-notifier.service", "keelwing-api.service"}
    for name in wanted:
        unit = services()[name]
        assert unit["Unit", "Requires"] == ["keelwing-migrate.service"]
        assert "keelwing-migrate.service" in " ".join(unit["Unit", "After"]).split()
        assert one(unit, "Restart") == "always"
        assert one(unit, "PartOf", "Unit") == "keelwing.target"


def test_a_backup_is_made_each_night() -> None:
    timer = read_unit(UNITS / "keelwing-backup.timer")
    assert one(timer, "OnCalendar", "Timer").startswith("*-*-* ")
    assert one(timer, "Persistent", "Timer") == "yes"
    assert one(services()["keelwing-backup.service"], "Type") == "oneshot"


def test_the_backup_unit_makes_a_backup_and_lets_old_ones_go(tmp_path: Path, database_url: str) -> None:
    unit = services()["keelwing-backup.service"]
    kept = tmp_path / "keelwing-backup"
    kept.mkdir()
    for name, days in (("keelwing-old.dump", 20), ("keelwing-new.dump", 3), ("mine.dump", 20)):
        (kept / name).touch()
        then_s = time.time() - days * 86_400
        os.utime(kept / name, (then_s, then_s))
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/keelwing_database_url").write_text(database_url)
    environment = {"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"), "HOME": str(tmp_path)}
    meant = {"%S": str(tmp_path), "%%": "%", "$$": "$"}  # systemd.unit(5), "Specifiers"; systemd.service(5)
    for key in ("ExecStart", "ExecStartPost"):
        said = re.sub(r"%S|%%|\$\$", lambda found: meant[found[0]], one(unit, key))
        command = shlex.split(said.replace(INSTALLED, str(Path(sys.executable).parent)))
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
    names = {path.name for path in kept.iterdir()}
    made = names - {"keelwing-new.dump", "mine.dump"}
    assert len(made) == 1
    assert re.fullmatch(r"keelwing-\d{8}T\d{6}Z\.dump", made.pop())


def test_every_unit_named_in_a_unit_is_there() -> None:
    ours = {path.name for path in UNITS.iterdir()}
    named = {
        word
        for path in (*UNITS.glob("*.service"), *UNITS.glob("*.timer"), *UNITS.glob("*.target"), *UNITS.glob(f"{CONFINED}/*"))
        for word in re.findall(r"\bkeelwing[\w-]*\.(?:service|target|timer)\b", "".join(map(str, read_unit(path).values())))
    }
    assert named <= ours


def test_the_example_of_an_environment_holds_settings_and_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (UNITS / "keelwing.env.example").read_text().splitlines()
    said = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(said) <= {PREFIX + name.upper() for name in Settings.model_fields}
    assert [name for name in said if name.endswith("_URL")] == []
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    Settings()
