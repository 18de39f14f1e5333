"""The compose file, held to the settings and the commands it names. There need not be a Docker engine for it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]

from keelwing.cli import app
from keelwing.embedded.nats import EmbeddedNats, find_binary
from keelwing.settings import PREFIX, Settings
from tests.house.fix_tree import ROOMS, ROOT, tracked

VARIABLE = re.compile(r"\$\{(\w+):\?[^}]+\}")
OUR_IMAGE = "keelwing:"
SERVING = ("database", "broker", "worker", "api", "demo")


def interpolated(text: str) -> str:
    """As Compose does it, with every required variable set to its own name in lower case."""
    return VARIABLE.sub(lambda found: found[1].lower(), text).replace("$$", "$")


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    """The file as it is written."""
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return parsed


@pytest.fixture(scope="module")
def meant() -> dict[str, Any]:
    """The file as Compose understands it."""
    parsed: dict[str, Any] = yaml.safe_load(interpolated((ROOT / "docker-compose.yml").read_text()))
    return parsed


def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in compose["services"].items() if one["image"].startswith(OUR_IMAGE)}


def test_it_runs_every_part(meant: dict[str, Any]) -> None:
    assert set(meant["services"]) == {"database", "broker", "migrate", "worker", "notifier", "api", "demo"}
    assert [name for name, one in meant["services"].items() if "profiles" in one] == ["demo"]


def test_commands_are_commands_with_their_options(meant: dict[str, Any]) -> None:
    command = typer.main.get_command(app)
    for name, service in ours(meant).items():
        first, *options = service["command"]
        chosen = command.commands[first]  # type: ignore[attr-defined]
        known = {option for parameter in chosen.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {option for option in options if option.startswith("-")} <= known, name


def test_environments_make_settings(meant: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name, service in ours(meant).items():
        with monkeypatch.context() as patch:
            for variable in known:
                patch.delenv(variable, raising=False)
            assert set(service["environment"]) <= known, name
            for variable, text in service["environment"].items():
                assert isinstance(text, str), f"{name}: {variable} would be written otherwise than it is read"
                patch.setenv(variable, text)
            Settings()


def test_each_service_logs_in_as_the_role_it_needs(meant: dict[str, Any]) -> None:
    owner, worker, api = (f"{PREFIX}DATABASE_{name}URL" for name in ("", "WORKER_", "API_"))
    wanted = {"migrate": {owner}, "worker": {worker}, "notifier": {worker}, "api": {api}, "demo": {owner, worker, api}}
    users = {owner: "//keelwing:", worker: "//keelwing_worker:", api: "//keelwing_api:"}
    for name, service in ours(meant).items():
        urls = {variable: text for variable, text in service["environment"].items() if "DATABASE" in variable}
        assert set(urls) == wanted[name]
        for variable, url in urls.items():
            assert users[variable] in url
            assert url.endswith("@database:5432/keelwing")


def test_no_password_is_written_down(written: dict[str, Any]) -> None:
    for service in written["services"].values():
        for variable, text in service.get("environment", {}).items():
            if "PASSWORD" in variable:
                assert VARIABLE.fullmatch(text)
            if "://" in text:
                assert re.search(r"//[a-z_]+:\$\{\w+:\?", text), variable
    assert re.search(r'password: "\$\{BROKER_PASSWORD:\?', written["configs"]["broker"]["content"])


def test_images_are_pinned_limits_set_and_ports_open_to_this_host_alone(meant: dict[str, Any]) -> None:
    for name, service in meant["services"].items():
        assert re.search(r":\d+\.\d+\.\d+", service["image"]), f"{name}: an image without its version"
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory"} <= set(limits), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_who_serves_says_whether_it_is_well_and_nobody_starts_before_what_it_needs(meant: dict[str, Any]) -> None:
    services = meant["services"]
    assert all("healthcheck" in services[name] for name in SERVING)
    for name in ("worker", "notifier", "api"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    for name in ours(meant):
        assert services[name]["depends_on"]["database"] == {"condition": "service_healthy"}
    for name in ("worker", "demo"):
        assert services[name]["depends_on"]["broker"] == {"condition": "service_healthy"}
    volumes = {mount.split(":")[0] for service in services.values() for mount in service.get("volumes", [])}
    assert volumes == set(meant["volumes"])


def test_the_broker_is_set_up_as_the_embedded_one(meant: dict[str, Any], tmp_path: Path) -> None:
    content = meant["configs"]["broker"]["content"]
    said = dict(re.findall(r'^\s*(\w+): "?([^"\n]+?)"?$', content, re.MULTILINE))
    embedded = EmbeddedNats(tmp_path, mqtt_port=1883).configuration()
    for group in (embedded, embedded["jetstream"], embedded["mqtt"]):
        for name, wanted in group.items():
            if name not in {"listen", "store_dir"} and not isinstance(wanted, dict):
                assert said[name] == str(wanted), name
    path = tmp_path / "nats.conf"
    path.write_text(content.replace("/data", str(tmp_path)))
    done = subprocess.run([str(find_binary()), "-t", "-c", str(path)], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


def test_the_roles_are_made_by_a_script_a_shell_can_read(meant: dict[str, Any]) -> None:
    script = meant["configs"]["roles"]["content"]
    done = subprocess.run([shutil.which("sh") or "sh", "-n"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {"keelwing_worker", "keelwing_api"} == set(re.findall(r"CREATE ROLE (\w+) LOGIN", script))
    assert set(re.findall(r"\$(\w+_PASSWORD)", script)) <= set(meant["services"]["database"]["environment"])


def test_the_image_holds_every_room_and_runs_unprivileged() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE) for word in line.split()}
    assert {f"{room}/" for room in ROOMS} | {"requirements.lock", "pyproject.toml"} <= copied
    names = {str(path) for path in tracked()}
    for source in copied:
        assert source in names or any(name.startswith(source) for name in names), f"{source} is copied and not there"
    assert "--require-hashes -r requirements.lock" in dockerfile
    assert re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE)[-1:] == ["keelwing"]
    assert re.search(r"^FROM python:3\.\d+-slim", dockerfile, re.MULTILINE)


def test_what_the_context_leaves_out_is_nothing_the_image_needs() -> None:
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {*ROOMS, "web", "pyproject.toml", "requirements.lock", "README.md", "LICENSE"} <= kept
