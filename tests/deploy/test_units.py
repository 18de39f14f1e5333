"""The units of systemd, read in Python: commands that exist, credentials that are made, nobody with more than they need."""

from __future__ import annotations

import re
import shlex
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
    program, *words = shlex.split(one(services()[name], "ExecStart"))
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
            assert Path(source).name == credential
            assert credential in made


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
