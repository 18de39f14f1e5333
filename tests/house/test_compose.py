"""The compose file and the image, held to the settings, the commands and the files they name. No Docker engine is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]

from deploy.as_processes import interpolated
from deploy.make_secrets import PROTOCOLS, compose_choice, make, wanted_files
from keelwing.cli import app
from keelwing.embedded.nats import EmbeddedNats, find_binary
from keelwing.settings import PREFIX, Settings
from tests.house.fix_tree import ROOMS, ROOT, tracked

OUR_IMAGE = "keelwing:"
BROKERS = ("nats", "mosquitto")
SERVING = ("database", *BROKERS, "worker", "notifier", "api", "demo")
PINNED = re.compile(r":\d+\.\d+\.\d+(-[a-z0-9]+)*$")


@pytest.fixture(scope="module")
def written() -> str:
    """The file as it is written."""
    return (ROOT / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def meant(written: str) -> dict[str, Any]:
    """The file as Compose understands it when nothing is set."""
    parsed: dict[str, Any] = yaml.safe_load(interpolated(written, {}))
    return parsed


def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in compose["services"].items() if one["image"].startswith(OUR_IMAGE)}


def granted(service: dict[str, Any]) -> set[str]:
    """The secrets a service may read."""
    return {one if isinstance(one, str) else one["source"] for one in service.get("secrets", [])}


def test_it_runs_every_part_with_one_of_two_brokers(meant: dict[str, Any]) -> None:
    assert set(meant["services"]) == {"database", *BROKERS, "migrate", "worker", "notifier", "api", "demo"}
    profiles = {name: one["profiles"] for name, one in meant["services"].items() if "profiles" in one}
    assert profiles == {"demo": ["demo"], "nats": ["nats"], "mosquitto": ["mosquitto"]}
    assert {compose_choice(broker).splitlines()[0] for broker in PROTOCOLS} == {f"COMPOSE_PROFILES={name}" for name in BROKERS}


def test_commands_are_commands_with_their_options(meant: dict[str, Any]) -> None:
    command = typer.main.get_command(app)
    for name, service in ours(meant).items():
        first, *options = service["command"]
        chosen = command.commands[first]  # type: ignore[attr-defined]
        known = {option for parameter in chosen.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {option for option in options if option.startswith("-")} <= known, name


@pytest.mark.parametrize("broker", BROKERS)
def test_environments_and_secrets_make_settings(
    written: str, broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = dict(line.split("=") for line in compose_choice(broker).splitlines())
    compose = yaml.safe_load(interpolated(written, variables))
    files = wanted_files("database:5432/keelwing", f"{broker}:1883", kept={})
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name, service in ours(compose).items():
        with monkeypatch.context() as patch:
            for variable in known:
                patch.delenv(variable, raising=False)
            directory = tmp_path / name
            directory.mkdir()
            patch.setenv("KEELWING_SECRETS_DIR", str(directory))
            for secret in granted(service):
                (directory / secret).write_text(files[secret])
            assert set(service.get("environment", {})) <= known, name
            for variable, text in service.get("environment", {}).items():
                assert isinstance(text, str), f"{name}: {variable} would be written otherwise than it is read"
                patch.setenv(variable, text)
            settings = Settings()
            assert {secret for secret in granted(service) if getattr(settings, secret.removeprefix("keelwing_")) is None} == set()
            if settings.mqtt_url:
                assert settings.mqtt_url.endswith(f"@{broker}:1883")
                assert settings.mqtt_protocol == PROTOCOLS[broker]


def test_each_service_logs_in_as_the_role_it_needs(meant: dict[str, Any]) -> None:
    owner, worker, api, broker = (f"keelwing_{name}_url" for name in ("database", "database_worker", "database_api", "mqtt"))
    wanted = {
        "migrate": {owner},
        "worker": {worker, broker},
        "notifier": {worker},
        "api": {api},
        "demo": {owner, worker, api, broker},
    }
    assert {name: granted(service) for name, service in ours(meant).items()} == wanted
    files = wanted_files("database:5432/keelwing", "nats:1883", kept={})
    users = {owner: "//keelwing:", worker: "//keelwing_worker:", api: "//keelwing_api:", broker: "//keelwing:"}
    assert {name for name, user in users.items() if user not in files[name]} == set()


def test_passwords_come_from_files_alone(meant: dict[str, Any], written: str, tmp_path: Path) -> None:
    made = make(tmp_path / "secrets", database="database:5432/keelwing", broker="nats:1883", mode=0o444)
    elsewhere = {"broker_password", "database_backup_password", "backup_database_url"}  # for devices, and for units of systemd
    assert {one["file"] for one in meant["secrets"].values()} == {f"secrets/{name}" for name in set(made) - elsewhere}
    assert set(meant["secrets"]) == set().union(*(granted(service) for service in meant["services"].values()))
    for name, service in meant["services"].items():
        for variable, text in service.get("environment", {}).items():
            assert "PASSWORD" not in variable or (variable.endswith("_FILE") and text.startswith("/run/secrets/")), name
            assert "@" not in str(text), f"{name}: {variable}"
    assert set(re.findall(r"\$\{(\w+)", written)) == {"MQTT_PROTOCOL"}
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"/secrets/", "/.env"} <= set(ignored)


def test_images_are_pinned_limits_set_and_ports_open_to_this_host_alone(meant: dict[str, Any]) -> None:
    for name, service in meant["services"].items():
        assert PINNED.search(service["image"]), f"{name}: an image without its version"
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert service["logging"]["options"]["max-size"], f"{name}: a log without bound"
        assert "no-new-privileges:true" in service["security_opt"], name
        if name != "database":  # whose image begins as root and gives itself up
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name


def test_who_serves_says_whether_it_is_well_and_nobody_starts_before_what_it_needs(meant: dict[str, Any]) -> None:
    services = meant["services"]
    for name in SERVING:
        assert {"test", "interval", "timeout", "retries", "start_period"} <= set(services[name]["healthcheck"]), name
    for name in ("worker", "notifier", "api"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    for name in ours(meant):
        assert services[name]["depends_on"]["database"] == {"condition": "service_healthy"}
    for name in ("worker", "demo"):
        for broker in BROKERS:
            assert services[name]["depends_on"][broker] == {"condition": "service_healthy", "required": False}
    volumes = {mount.split(":")[0] for service in services.values() for mount in service.get("volumes", [])}
    assert volumes == set(meant["volumes"])


def test_prometheus_finds_the_ports_that_are_published(meant: dict[str, Any]) -> None:
    said = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    asked = {target for job in said["scrape_configs"] for one in job["static_configs"] for target in one["targets"]}
    published = {port.rpartition(":")[0] for name in ("worker", "notifier", "api") for port in meant["services"][name]["ports"]}
    assert published == asked


def test_configurations_are_files_of_this_repository(meant: dict[str, Any]) -> None:
    assert {one["file"] for one in meant["configs"].values()} <= {str(path) for path in tracked()}
    used = {one["source"] for service in meant["services"].values() for one in service.get("configs", [])}
    assert used == set(meant["configs"])


def test_nats_is_set_up_as_the_embedded_one(tmp_path: Path) -> None:
    content = (ROOT / "deploy/nats/keelwing.conf").read_text()
    said = dict(re.findall(r'^\s*(\w+): "?([^"\n]+?)"?$', content, re.MULTILINE))
    embedded = EmbeddedNats(tmp_path, mqtt_port=1883).configuration()
    for group in (embedded, embedded["jetstream"], embedded["mqtt"]):
        for name, wanted in group.items():
            if name not in {"listen", "store_dir"} and not isinstance(wanted, dict):
                assert said[name] == str(wanted), name
    (tmp_path / "keelwing.conf").write_text(content)
    (tmp_path / "nats_users").write_text(wanted_files("d:1/k", "b:2", kept={})["nats_users"])
    command = [str(find_binary()), "-t", "-c", str(tmp_path / "keelwing.conf"), "--store_dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


def test_mosquitto_is_set_up_as_the_page_on_mqtt_says() -> None:
    block = re.search(r"^```conf\n(.*?)^```$", (ROOT / "docs/mqtt.md").read_text(), re.MULTILINE | re.DOTALL)
    assert block is not None
    said = (ROOT / "deploy/mosquitto/keelwing.conf").read_text().splitlines()
    words = {line.split()[0]: line.split(maxsplit=1)[1] for line in said if line and not line.startswith("#")}
    for line in block[1].splitlines():
        name, value = line.split(maxsplit=1)
        assert name in words, name
        if not value.startswith("/"):
            assert words[name] == value, name


def test_the_roles_are_made_by_a_script_a_shell_can_read(meant: dict[str, Any]) -> None:
    path = ROOT / "deploy/postgres/roles.sh"
    done = subprocess.run([shutil.which("sh") or "sh", "-n", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    script = path.read_text()
    assert {"keelwing_worker", "keelwing_api"} == set(re.findall(r"ALTER ROLE (\w+) LOGIN PASSWORD :'\w+'", script))
    assert set(re.findall(r"/(database_\w+_password)`", script)) <= granted(meant["services"]["database"])


def test_the_image_holds_every_room_and_runs_unprivileged() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE) for word in line.split()}
    assert {f"{room}/" for room in ROOMS} | {"requirements.lock", "pyproject.toml", "README.md", "LICENSE"} <= copied
    names = {str(path) for path in tracked()}
    for source in copied:
        assert source in names or any(name.startswith(source) for name in names), f"{source} is copied and not there"
    assert "--require-hashes --no-deps --wheel-dir /wheels -r requirements.lock" in dockerfile
    assert "pip install --no-index --find-links /wheels keelwing" in dockerfile
    assert re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE)[-1:] == ["keelwing"]
    images = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(images) == 3
    assert [image for image in images if not PINNED.search(image)] == []


def test_what_the_context_leaves_out_is_nothing_the_image_needs() -> None:
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {*ROOMS, "web", "pyproject.toml", "requirements.lock", "README.md", "LICENSE"} <= kept
