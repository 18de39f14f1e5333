#!/usr/bin/env python3
"""Run what `docker-compose.yml` says without containers: the same commands, environments, secrets and health checks as processes.

    .venv/bin/python deploy/as_processes.py [--broker mosquitto|nats] [--stay]

It reads the compose file, gives each service a directory in place of a file system, with the secrets and configurations it was
granted and nothing else, starts the services in the order of their dependencies, waits until each is well by its own health
check, sends a reading over the broker and reads it back from the API. PostgreSQL comes from the wheel, NATS too; Mosquitto
must be installed. What differs from Compose: ports are free ones of 127.0.0.1, services see the host's files, nothing
limits them, and PostgreSQL has no TimescaleDB.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from deploy.make_secrets import compose_choice, make  # noqa: E402
from keelwing.embedded import process  # noqa: E402
from keelwing.embedded.account import service_account  # noqa: E402
from keelwing.embedded.nats import find_binary  # noqa: E402
from keelwing.embedded.place import find_binaries, find_place  # noqa: E402
from keelwing.embedded.postgres import EmbeddedPostgres  # noqa: E402

VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
CONTAINER_PATH = re.compile(r"(?<![\w.])/(?:run/secrets|tmp|data|etc/nats|mosquitto)\b")
STAND_INS = {
    "nc": "import socket, sys; socket.create_connection((sys.argv[-2], int(sys.argv[-1])), 2)",
    "wget": "import sys, urllib.request as r; r.urlopen(sys.argv[-1], timeout=4)",
}
"""Programs that the images have and a machine may lack, as far as the health checks use them."""

HEALTHY_S_MAX = 120.0
"""How long one service may take. Chosen: the start period and all tries of the slowest health check of the compose file."""

READING = {"class": "vessel", "scheme": "imo", "value": "9074729", "lat_deg": 51.05, "lon_deg": 1.52, "sog_kn": 14.2}


class NotWellError(RuntimeError):
    """A service ended or did not become well; the text has the end of its log."""


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """The compose file's text with its variables, as Compose fills them in.

    Raises:
        KeyError: a variable without a default is not set.
    """
    return VARIABLE.sub(lambda found: variables.get(found[1]) or _default(found), text).replace("$$", "$")


def _default(found: re.Match[str]) -> str:
    if found[2] is None:
        raise KeyError(found[1])
    return found[2]


@dataclass
class Service:
    """One service of the compose file and the process that stands for it."""

    name: str
    said: dict[str, Any]
    root: Path
    child: process.Child | EmbeddedPostgres | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def log_path(self) -> Path:
        """Where its output goes."""
        return self.root / "log"

    @property
    def exit_status(self) -> int | None:
        """Exit status, None while it runs."""
        if isinstance(self.child, EmbeddedPostgres):
            return None if self.child.alive() else 1
        return None if self.child is None else self.child.poll()

    def inside(self, text: str) -> str:
        """A path of the container becomes one below the directory that stands for its file system."""
        return CONTAINER_PATH.sub(lambda found: str(self.root) + found[0], text)


class Composition:
    """The active services, running from `with` to its end. Directories and ports are its own.

    Args:
        directory: where everything is; must not exist yet.
        broker: whose profile is active.
        demo: start the service `demo` and what it depends on, as `docker compose up demo` does, instead of all but it.
        say: gets a line for each service that was started or is well.
    """

    def __init__(
        self, directory: Path, *, broker: str = "mosquitto", demo: bool = False, say: Callable[[str], object] = print
    ) -> None:
        self.directory = directory
        self._demo = demo
        self._say = say
        variables = dict(line.split("=") for line in compose_choice(broker).splitlines())
        self.profiles = set(variables.pop("COMPOSE_PROFILES").split(","))
        self.said: dict[str, Any] = yaml.safe_load(interpolated((ROOT / "docker-compose.yml").read_text(), variables))
        self.ports = {port: process.free_port() for port in (5432, 1883, 8080, 4222, 8222, 9464, 9465)}
        self.services: dict[str, Service] = {}
        self.exit_statuses: dict[str, int] = {}

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.ports[8080]}"

    def __enter__(self) -> Self:
        """Start every active service in order and wait until it is well.

        Raises:
            NotWellError: one is not; the others are stopped again.
        """
        try:
            self._prepare()
            for name in self._order():
                self._start(self.services[name])
            for service in self.services.values():
                self._must_be_well(service)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop in reverse order, each with its grace period; what had ended by itself keeps its exit status."""
        for service in reversed(self.services.values()):
            grace_s = float(str(service.said.get("stop_grace_period", "10s")).removesuffix("s"))
            if isinstance(service.child, EmbeddedPostgres):
                service.child.stop(grace_s)
            elif service.child is not None:
                self.exit_statuses[service.name] = process.stop(service.child, [(signal.SIGTERM, grace_s)])
            service.child = None

    def run(self, service: str, *command: str) -> str:
        """What `docker compose run --rm SERVICE COMMAND…` prints.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        one = self.services[service]
        done = subprocess.run(
            [*self._program(one), *command],
            env=one.environment,
            cwd=one.root,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise NotWellError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _prepare(self) -> None:
        """Secrets as the script for them makes them, with this run's addresses; a directory for each service."""
        make(
            self.directory / "secrets",
            database=f"127.0.0.1:{self.ports[5432]}/keelwing",
            broker=f"127.0.0.1:{self.ports[1883]}",
            mode=0o600,
        )
        programs = self._programs()
        for name, said in self._active().items():
            service = self.services[name] = Service(name, said, self.directory / name)
            for place in ("run/secrets", "tmp", "data", "etc/nats", "mosquitto/data", "mosquitto/config"):
                (service.root / place).mkdir(parents=True)
            self._grant(service)
            service.environment = {
                "PATH": f"{programs}:{os.environ['PATH']}",
                "PYTHONUNBUFFERED": "1",
                "KEELWING_DATA_DIR": str(service.root / "data"),
                "KEELWING_SECRETS_DIR": str(service.root / "run/secrets"),
                **{key: self._moved(service, str(text)) for key, text in said.get("environment", {}).items()},
            }

    def _active(self) -> dict[str, dict[str, Any]]:
        """The services that Compose would start."""
        profiles = self.profiles | ({"demo"} if self._demo else set())
        active = {
            name: said
            for name, said in self.said["services"].items()
            if "profiles" not in said or profiles & set(said["profiles"])
        }
        if not self._demo:
            return active
        wanted = {"demo", *active["demo"]["depends_on"]}
        return {name: said for name, said in active.items() if name in wanted}

    def _programs(self) -> str:
        """Directories that hold what the images would: Keelwing, PostgreSQL's programs, the brokers, and stand-ins."""
        beside = self.directory / "bin"
        beside.mkdir(parents=True)
        for name, text in STAND_INS.items():
            if shutil.which(name) is None:
                (beside / name).write_text(f"#!{sys.executable}\n{text}\n")
                (beside / name).chmod(0o755)
        return ":".join(
            [str(Path(sys.executable).parent), str(find_binary().parent), str(beside), "/usr/sbin", "/usr/local/sbin"]
        )

    def _grant(self, service: Service) -> None:
        """The secrets and configurations that the service names, where it wants them, and no other."""
        for wanted in service.said.get("secrets", []):
            source, target = (
                (wanted, f"/run/secrets/{wanted}") if isinstance(wanted, str) else (wanted["source"], wanted["target"])
            )
            file = self.directory / "secrets" / Path(self.said["secrets"][source]["file"]).name
            shutil.copy(file, service.inside(target))
        for wanted in service.said.get("configs", []):
            text = (ROOT / self.said["configs"][wanted["source"]]["file"]).read_text()
            target = service.root / wanted["target"].lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._moved(service, text))
            if service.name == "mosquitto":
                with target.open("a") as configuration:
                    # On this host only; and an account of its own could not reach a directory of root's.
                    configuration.write("bind_address 127.0.0.1\n" + ("user root\n" if os.geteuid() == 0 else ""))

    def _moved(self, service: Service, text: str) -> str:
        """Text with the container's paths and ports replaced by this run's."""
        text = re.sub(r"\b(1883|8080|4222|8222|9464|9465)\b", lambda found: str(self.ports[int(found[1])]), text)
        return service.inside(text.replace("0.0.0.0", "127.0.0.1"))

    def _order(self) -> list[str]:
        """Services after all they depend on; a dependency that is not active and not required is none."""
        placed: list[str] = []
        while len(placed) < len(self.services):
            ready = [name for name in self.services if name not in placed and self._needs(name) <= set(placed)]
            if not ready:
                raise NotWellError(f"the dependencies of {sorted(set(self.services) - set(placed))} go round in a circle")
            placed += ready
        return placed

    def _needs(self, name: str) -> set[str]:
        wanted: dict[str, dict[str, Any]] = self.services[name].said.get("depends_on", {})
        missing = {one for one, how in wanted.items() if one not in self.services and how.get("required", True)}
        if missing:
            raise NotWellError(f"{name} requires {missing}, which no active profile has")
        return {one for one in wanted if one in self.services}

    def _start(self, service: Service) -> None:
        for name in self._needs(service.name):
            if service.said["depends_on"][name]["condition"] == "service_completed_successfully":
                self._await_end(self.services[name])
            else:
                self._await_well(self.services[name])
        if service.name == "database":
            self._start_database(service)
        else:
            command = [self._moved(service, word) for word in service.said["command"]]
            program = [*self._program(service), *command]
            found = shutil.which(program[0], path=service.environment["PATH"])
            if found is None:
                raise NotWellError(f"{program[0]} is not installed")
            service.child = process.spawn(
                [found, *program[1:]], log_path=service.log_path, cwd=service.root / "data", env=service.environment
            )
        self._say(f"{service.name}: started")

    def _program(self, service: Service) -> list[str]:
        """What an image's entry point puts before a command."""
        if service.said["image"].startswith("keelwing:"):
            return ["keelwing"]
        return ["nats-server"] if service.name == "nats" else []

    def _start_database(self, service: Service) -> None:
        """The wheel's server in place of the image's, set up by the image's variables and the script it would run."""
        place = service.root / "postgres"
        place.mkdir()
        password = Path(service.environment["POSTGRES_PASSWORD_FILE"]).read_text()
        (place / "password").write_text(password)
        server = EmbeddedPostgres(place, port=self.ports[5432], fast=True)
        service.child = server
        server.start()
        account = service_account()
        binaries = find_binaries(account, find_place(place, account))
        service.environment |= {
            "PATH": f"{binaries}:{service.environment['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.ports[5432]),
            "PGPASSWORD": password.strip(),
            "SECRETS_DIRECTORY": str(service.root / "run/secrets"),
        }
        self.make_roles()

    def make_roles(self) -> None:
        """Run the scripts that the image runs once, when it makes the cluster.

        Raises:
            NotWellError: one failed.
        """
        service = self.services["database"]
        for script in sorted((service.root / "docker-entrypoint-initdb.d").iterdir()):
            done = subprocess.run(
                ["sh", str(script)], env=service.environment, capture_output=True, text=True, timeout=60, check=False
            )
            if done.returncode != 0:
                raise NotWellError(f"{script.name}:\n{done.stderr}")

    def is_well(self, service: Service) -> bool:
        """What the service's health check says now; a service without one is well while it runs."""
        checked = service.said.get("healthcheck")
        if checked is None:
            return service.exit_status is None
        kind, *words = checked["test"]
        if kind != "CMD":
            raise NotWellError(f"{service.name}: a health check of kind {kind}")
        command = [self._moved(service, word) for word in words]
        found = shutil.which(command[0], path=service.environment["PATH"])
        if found is None:
            raise NotWellError(f"{command[0]} is not installed")
        asked = subprocess.run([found, *command[1:]], env=service.environment, capture_output=True, timeout=30, check=False)
        return asked.returncode == 0

    def _await_well(self, service: Service) -> None:
        deadline_s = time.monotonic() + HEALTHY_S_MAX
        while not self.is_well(service):
            if service.exit_status is not None or time.monotonic() > deadline_s:
                raise NotWellError(f"{service.name} is not well:\n{process.log_tail(service.log_path)}")
            time.sleep(0.1)

    def _await_end(self, service: Service) -> None:
        if not process.wait_until(lambda: service.exit_status is not None, HEALTHY_S_MAX) or service.exit_status != 0:
            raise NotWellError(f"{service.name} did not complete:\n{process.log_tail(service.log_path)}")

    def _must_be_well(self, service: Service) -> None:
        if service.said.get("restart") == "no":
            self._await_end(service)
        else:
            self._await_well(service)
        self._say(f"{service.name}: well")


def send_and_read_back(composition: Composition) -> dict[str, Any]:
    """Publish a reading over the broker with the worker's own secrets; the asset's state from the API once it is there.

    Raises:
        NotWellError: it is not there in time.
    """
    key = composition.run("worker", "key", "create", "--tenant", "acme", "--role", "admin").strip()
    recording = composition.directory / "reading.ndjson"
    recording.write_text(json.dumps({**READING, "time": datetime.now(UTC).isoformat()}) + "\n")
    composition.run("worker", "replay", str(recording), "--register", "--tenant", "acme")

    def ask(path: str) -> Any:
        request = urllib.request.Request(composition.url + path, headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    (asset,) = ask(f"/v1/assets?identifier=imo:{READING['value']}")["items"]
    state: dict[str, Any] = {}

    def arrived() -> bool:
        state.update(ask(f"/v1/assets/{asset['id']}/state"))
        return state.get("position") is not None

    if not process.wait_until(arrived, 30.0):
        raise NotWellError(f"the reading did not arrive:\n{process.log_tail(composition.services['worker'].log_path)}")
    return state


def _print(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    """Run it, say what is well, send a reading through."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--broker", choices=("mosquitto", "nats"), default="mosquitto")
    asked.add_argument("--demo", action="store_true", help="the demo in place of worker, notifier and API; sends no reading")
    asked.add_argument("--stay", action="store_true", help="go on until Ctrl-C")
    wanted = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="keelwing-composition-") as place:
        Path(place).chmod(0o755)  # PostgreSQL may run as another account
        try:
            running = Composition(Path(place) / "run", broker=wanted.broker, demo=wanted.demo, say=_print)
            with running as composition:
                if not wanted.demo:
                    state = send_and_read_back(composition)
                    _print(f"a reading went through: {state['position']} at {state['time']}")
                if wanted.stay:
                    _print(f"{composition.url} until Ctrl-C")
                    signal.sigwait({signal.SIGINT, signal.SIGTERM})
        except NotWellError as error:
            sys.exit(str(error))
    print(f"stopped: {composition.exit_statuses}")


if __name__ == "__main__":
    main()
