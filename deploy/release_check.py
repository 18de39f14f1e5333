#!/usr/bin/env python3
"""Try what will be released as somebody who has nothing but the wheel; `make release-check` runs it once the page is built.

It builds the wheel, looks that everything is inside, installs it into an empty environment as `Dockerfile` does (locked files
held by their hashes, none of the tools), and from there runs `keelwing up` and `keelwing up --demo` in empty directories: the
API is ready, the page and all its files are served, readings are stored, Ctrl-C ends everything, nothing is left running. Then
the units of systemd, where it has `systemd-analyze`, and the compose file's demo as processes. Every line is something that was
seen; the exit status is 0 only when all of it was.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from deploy.make_secrets import PROTOCOLS  # noqa: E402
from deploy.units import check_units  # noqa: E402
from keelwing.embedded import process  # noqa: E402
from keelwing.embedded.place import digest  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
VERSION = PROJECT["project"]["version"]
PAGE = ROOT / "api" / "page"

UP_S_MAX = 120.0
"""How long a stack may take to be up, and the demo to store readings. Chosen: many times what it takes on two busy cores."""

STOP_S_MAX = 15.0
"""How long Ctrl-C may take: the ten seconds that the supervisor gives everything, and a margin for a busy machine."""


class ReleaseError(RuntimeError):
    """Something that is to be released is not as it should be."""


def say(line: str) -> None:
    """A line of the report."""
    print(line, flush=True)


def must(what: str, holds: object) -> None:
    """Report that something holds.

    Raises:
        ReleaseError: it does not.
    """
    if not holds:
        raise ReleaseError(f"not so: {what}")
    say(f"ok: {what}")


def done(command: Sequence[str | Path], *, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Run a command to its end; its output.

    Raises:
        ReleaseError: it failed; the text has its output.
    """
    ran = subprocess.run([str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise ReleaseError(
            f"{' '.join(map(str, command))} ended with {ran.returncode}:\n{ran.stdout[-3000:]}{ran.stderr[-3000:]}"
        )
    return ran.stdout


def build(place: Path) -> Path:
    """Build the wheel from a page that is there, look into it, and see that the image would get the same one."""
    must("the page is built (api/page/index.html)", (PAGE / "index.html").is_file())
    wheel = _wheel_of(ROOT, place / "dist")
    held, wanted = _files_of(wheel), _files_of_rooms()
    odd = sorted(held ^ wanted)[:5]
    if odd:
        say(f"in one of wheel and rooms alone: {', '.join(odd)}")
    must(f"{wheel.name} holds all {len(wanted)} files of the rooms and the page, and no other", not odd)
    context = place / "context"
    for line in re.findall(r"^COPY (?!--from)(.+) \./$|^COPY (\w+/) \w+/$", (ROOT / "Dockerfile").read_text(), re.MULTILINE):
        for word in " ".join(line).split():
            if word.startswith("web/"):
                continue
            copy = shutil.copytree if word.endswith("/") else shutil.copy
            (context / word).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / word, context / word)
    must("what Dockerfile copies makes the same wheel", _files_of(_wheel_of(context, place / "image")) == held)
    return wheel


def _wheel_of(sources: Path, directory: Path) -> Path:
    pip: list[str | Path] = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    done([*pip, "--wheel-dir", directory, "."], cwd=sources)
    (wheel,) = directory.glob("keelwing-*.whl")
    return wheel


def _files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if ".dist-info/" not in name}


def _files_of_rooms() -> set[str]:
    """What belongs into the wheel: what git tracks of the rooms (where this is no work tree, all of them), and the page."""
    page = {str(path.relative_to(ROOT)) for path in PAGE.rglob("*") if path.is_file()}
    try:
        listed = done(["git", "-c", "safe.directory=*", "ls-files", *ROOMS]).splitlines()
    except (ReleaseError, FileNotFoundError):
        listed = [str(path.relative_to(ROOT)) for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix != ".pyc"]
    return {name for name in listed if (ROOT / name).is_file()} | page


def install(wheel: Path, place: Path) -> Path:
    """Install the wheel into an empty environment, as the image does; the environment's programs."""
    locked = place / "wheels"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "wheel", "--quiet", "--require-hashes", "--no-deps"]
    done([*pip, "--wheel-dir", locked, "-r", ROOT / "requirements.lock"])
    venv.create(place / "venv", with_pip=True)
    programs = place / "venv" / "bin"
    done([programs / "python", "-m", "pip", "install", "--quiet", "--no-index", "--find-links", locked, wheel])
    done([programs / "python", "-m", "pip", "check"])
    names = {one["name"] for one in json.loads(done([programs / "python", "-m", "pip", "list", "--format", "json"]))}
    must(f"{len(names)} packages are installed from locked files, none of the tools", not names & {"pytest", "mypy", "ruff"})
    shutil.rmtree(locked)
    elsewhere = done([programs / "python", "-c", "import api, store; print(api.__file__, store.__file__)"], cwd=place).split()
    must("the rooms are imported from the environment", all(Path(one).is_relative_to(place / "venv") for one in elsewhere))
    must(f"keelwing --version says {VERSION}", done([programs / "keelwing", "--version"]) == f"keelwing {VERSION}\n")
    return programs


class Up:
    """One `keelwing up` from the wheel, in a directory of its own, with no setting but a free port."""

    def __init__(self, programs: Path, directory: Path, *options: str) -> None:
        self.directory = directory
        self.directory.mkdir()
        self._keelwing = programs / "keelwing"
        self._port = process.free_port()
        self._environment = {"PATH": os.environ["PATH"], "KEELWING_HTTP_PORT": str(self._port)}
        self._output = directory.with_suffix(".log")
        with self._output.open("wb") as output:
            self._child = subprocess.Popen(
                [self._keelwing, "up", *options],
                cwd=directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._output.read_text()

    def wait_for(self, what: str, condition: Callable[[], Any]) -> Any:
        """The first true answer of a condition.

        Raises:
            ReleaseError: it ended, or the answer did not come in time.
        """
        deadline_s = time.monotonic() + UP_S_MAX
        while not (answer := condition()):
            if self._child.poll() is not None or time.monotonic() > deadline_s:
                raise ReleaseError(f"{what}: it did not come\n{self.output[-3000:]}")
            time.sleep(0.1)
        return answer

    def get(self, path: str, key: str | None = None) -> bytes:
        """The body of an answer with status 200.

        Raises:
            ReleaseError: it has another.
        """
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                body: bytes = answer.read()
        except urllib.error.HTTPError as error:
            raise ReleaseError(f"GET {path}: {error.code}") from error
        return body

    def command(self, *words: str) -> str:
        """Another command beside it."""
        return done([self._keelwing, *words], cwd=self.directory, env=self._environment)

    def left(self) -> list[int]:
        """Processes that run in its directory, PostgreSQL's own by the name of their cluster."""
        cluster = f"keelwing-{digest(self.directory / 'data/postgres')}"
        place = str(self.directory)
        return process.processes_with(lambda words: any(place in word or cluster in word for word in words))

    def interrupt(self) -> None:
        """Ctrl-C, as a terminal sends it, and look that everything ended well.

        Raises:
            ReleaseError: it did not.
        """
        must(f"{len(self.left())} processes run", len(self.left()) > 3)
        begun_s = time.monotonic()
        os.killpg(self._child.pid, signal.SIGINT)
        try:
            status = self._child.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            raise ReleaseError(f"it runs {STOP_S_MAX:g} s after Ctrl-C\n{self.output[-3000:]}") from None
        must(f"Ctrl-C ended it in {time.monotonic() - begun_s:.1f} s with exit status 0", status == 0)
        must("no process is left", process.wait_until(lambda: not self.left(), 2.0))

    def end(self) -> None:
        """Whatever happened: nothing goes on, and nothing that lies outside the directory stays."""
        if self._child.poll() is None:
            self._child.kill()  # the kernel ends its children (keelwing/embedded/leash.py)
            self._child.wait()
        elsewhere = self.directory / "data/postgres/server.txt"
        if elsewhere.exists():
            shutil.rmtree(elsewhere.read_text().splitlines()[0], ignore_errors=True)


@contextmanager
def up(programs: Path, directory: Path, *options: str) -> Iterator[Up]:
    """A stack that is up, and ended afterwards."""
    begun_s = time.monotonic()
    stack = Up(programs, directory, *options)
    try:
        stack.wait_for("keelwing up", lambda: "Ctrl-C stops everything" in stack.output)
        say(f"ok: keelwing {' '.join(['up', *options])} in an empty directory is up after {time.monotonic() - begun_s:.1f} s")
        yield stack
    finally:
        stack.end()


def try_plain(programs: Path, directory: Path) -> None:
    """`keelwing up`: ready, and the page with everything it asks for."""
    with up(programs, directory) as stack:
        must("/readyz answers", json.loads(stack.get("/readyz")))
        page = stack.get("/").decode()
        named = [urljoin("/", name) for name in re.findall(r'(?:src|href)="([^":#]+)"', page)]
        must("the page is served and names its files", "<html" in page and any(name.endswith(".js") for name in named))
        built = {f"/{path.relative_to(PAGE)}": path.read_bytes() for path in PAGE.rglob("*") if path.is_file()}
        built["/"] = built.pop("/index.html")
        served = {name: stack.get(name) for name in built.keys() | set(named)}
        same = served == built
        must(f"all {len(served)} files of the page are served as they were built", same)
        must("/openapi.json describes the API", json.loads(stack.get("/openapi.json"))["paths"])
        key = stack.command("key", "create", "--tenant", "acme", "--role", "admin").strip()
        must("a key that was made opens /v1/assets", json.loads(stack.get("/v1/assets", key))["items"] == [])
        stack.interrupt()


def try_demo(programs: Path, directory: Path) -> None:
    """`keelwing up --demo`: a fleet whose readings are stored and seen."""
    with up(programs, directory, "--demo") as stack:
        key = next(line for line in stack.output.splitlines() if line.startswith("kw_"))
        assets = json.loads(stack.get("/v1/assets?limit=1000", key))["items"]
        must(f"the demo's first tenant has {len(assets)} assets", assets)

        def seen() -> int:
            states = (json.loads(stack.get(f"/v1/assets/{asset['id']}/state", key)) for asset in assets[:20])
            return sum(state["position"] is not None for state in states)

        must(f"{stack.wait_for('positions', seen)} of the first {len(assets[:20])} have a position", True)
        stored = stack.wait_for("a line of counters", lambda: re.search(r"readings/s +([1-9][\d,]*) stored", stack.output))
        must(f"the line of counters tells of readings ({stored[1]} stored)", stored)
        stack.interrupt()


def try_compose(place: Path) -> None:
    """The compose file as Compose understands it, where it is installed; and what it would run for the demo, as processes."""
    programs = (["docker", "compose"], ["docker-compose"])
    compose = next((words for words in programs if shutil.which(words[0]) and _is_compose_2(words)), None)
    if compose is None:
        say("no Docker Compose 2 here to read the compose file (a test has read it)")
    else:
        for broker in PROTOCOLS:
            read_by_compose(compose, place / f"compose-{broker}", broker)
    lines = done([sys.executable, ROOT / "deploy/as_processes.py", "--broker", "nats", "--demo"]).splitlines()
    must("the compose file's demo runs as processes and is well by its own check", "demo: well" in lines)


def read_by_compose(compose: list[str], place: Path, broker: str) -> None:
    """What Compose itself says of the file with the secrets and the choice of a broker that the script makes; needs no engine."""
    place.mkdir()
    shutil.copytree(ROOT / "deploy", place / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("docker-compose.yml", "Dockerfile"):
        shutil.copy(ROOT / name, place)
    done([sys.executable, place / "deploy/make_secrets.py", "--broker", broker])
    services = set(done([*compose, "config", "--services"], cwd=place).split())
    wanted = {"database", broker, "migrate", "worker", "notifier", "api"}
    must(f"Compose reads the file and starts {', '.join(sorted(wanted))}", services == wanted)


def _is_compose_2(words: list[str]) -> bool:
    asked = subprocess.run([*words, "version", "--short"], capture_output=True, text=True, check=False)
    return asked.returncode == 0 and re.match(r"v?([2-9]|\d\d)\.", asked.stdout) is not None


def main() -> None:
    """Check all of it; exit status 1 with the reason at the first that fails."""
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keelwing-release-") as name:
        place = Path(name)
        place.chmod(0o755)  # as root PostgreSQL runs as another account, and is to stay in here
        try:
            programs = install(build(place), place)
            try_plain(programs, place / "plain")
            try_demo(programs, place / "demo")
            for line in check_units(programs):
                say(f"ok: {line}")
            try_compose(place)
        except (ReleaseError, OSError) as error:
            sys.exit(f"release-check failed: {error}")
    say(f"release-check: everything holds, after {time.monotonic() - begun_s:.0f} s")


if __name__ == "__main__":
    main()
