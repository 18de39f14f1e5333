"""Fixtures: a native TimescaleDB (Apache edition) out of the folder that `.ci/timescale` makes.

The server runs inside that folder (chroot, so as root), as the folder's own `postgres`, on a port of 127.0.0.1, and its
cluster is gone afterwards. As a command it runs another one on such a server: `python -m tests.fix_timescale pytest …`.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psycopg
import pytest

from keelwing.embedded import process
from keelwing.embedded.postgres import CONFIGURATION, FAST_CONFIGURATION
from tests.fix_postgres import SERVER_VARIABLE, PostgresServer, migrated_template, new_database
from tests.timescale_wasm.serving import WasmAbsentError, WasmTimescale

FOLDER_VARIABLE = "KEELWING_TEST_TIMESCALE"
FOLDER = Path("/var/cache/keelwing/timescale-trixie")
PROGRAMS = "/usr/lib/postgresql/17/bin"  # inside the folder
SETTINGS = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",  # no traffic but to 127.0.0.1
    "dynamic_shared_memory_type": "mmap",  # the folder has no /dev/shm
    "max_worker_processes": "24",  # a scheduler for each database of a test, and the ordinary ones
}


def native_folder() -> Path | None:
    """Where the native TimescaleDB is; None where there is none or it cannot be run from here."""
    folder = Path(os.environ.get(FOLDER_VARIABLE, FOLDER))
    return folder if os.geteuid() == 0 and (folder / ".ready").exists() else None


class NativeTimescale:
    """A server out of the folder, with a new cluster; dies with the thread that started it. A context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = process.free_port()
        self._password = secrets.token_urlsafe(16)
        self._place: Path | None = None
        self._server: process.Child | None = None

    @property
    def url(self) -> str:
        """As the superuser."""
        return f"postgresql://keelwing:{self._password}@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> Self:
        self._place = Path(tempfile.mkdtemp(prefix="keelwing-test-", dir=self.folder / "tmp"))
        try:
            self._start(self._place)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            process.stop(self._server, [(signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0)])
        if self._place is not None:
            shutil.rmtree(self._place)

    def _start(self, place: Path) -> None:
        _, _, uid, gid, *_ = self._account()
        os.chown(place, uid, gid)
        inside = f"/tmp/{place.name}"
        (place / "password").write_text(self._password)
        os.chown(place / "password", uid, gid)
        initdb = ["initdb", "-D", f"{inside}/cluster", "-U", "keelwing", "--pwfile", f"{inside}/password", "--encoding", "UTF8"]
        initdb += ["--auth", "scram-sha-256", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        subprocess.run(self._inside([*initdb, "--no-sync"]), cwd="/", env=self._environment(), check=True, capture_output=True)
        settings = CONFIGURATION | FAST_CONFIGURATION | SETTINGS | {"port": str(self.port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._server = process.spawn(
            self._inside(["postgres", "-D", f"{inside}/cluster", *options]),
            log_path=place / "log",
            cwd=Path("/"),
            env=self._environment(),
        )
        assert process.wait_until(self._answers, 60.0), process.log_tail(place / "log")

    def _inside(self, command: list[str]) -> list[str]:
        """`chroot` clears what kills a child with its parent, for the account changes; so it is asked for behind that."""
        chroot = shutil.which("chroot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or "chroot"
        become = ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=INT"]
        program, *arguments = command
        return [chroot, str(self.folder), *become, f"{PROGRAMS}/{program}", *arguments]

    def _account(self) -> tuple[str, str, int, int]:
        for line in (self.folder / "etc" / "passwd").read_text().splitlines():
            name, password, uid, gid, *_ = line.split(":")
            if name == "postgres":
                return name, password, int(uid), int(gid)
        raise LookupError(f"no account postgres in {self.folder}")

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"}

    def _answers(self) -> bool:
        assert self._server is not None
        assert self._server.poll() is None, "the server ended"
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def has_timescale(url: str) -> bool:
    """Whether the server's TimescaleDB is installed and loaded."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        return (
            connection.execute(
                "SELECT 1 FROM pg_available_extensions, pg_settings"
                " WHERE pg_available_extensions.name = 'timescaledb' AND pg_settings.name = 'timescaledb.disable_load'"
            ).fetchone()
            is not None
        )


@pytest.fixture(scope="session")
def timescale_server() -> Iterator[PostgresServer]:
    """A native TimescaleDB: the server of the session when it is one, else one out of the folder."""
    url = os.environ.get(SERVER_VARIABLE)
    if url is not None and has_timescale(url):
        yield PostgresServer(url, None)
        return
    folder = native_folder()
    if folder is None:
        pytest.skip(f"no native TimescaleDB (as root: .ci/timescale, or {SERVER_VARIABLE})")
    with NativeTimescale(folder) as native:
        yield PostgresServer(native.url, None)


@pytest.fixture(scope="session")
def timescale_template(timescale_server: PostgresServer) -> Iterator[str]:
    """Name of a migrated database with hypertables, to copy."""
    with migrated_template(timescale_server) as name:
        yield name


@pytest.fixture
def timescale_url(timescale_server: PostgresServer, timescale_template: str) -> Iterator[str]:
    """URL of a migrated database with hypertables of this test alone, as the owner."""
    with new_database(timescale_server, template=timescale_template) as url:
        yield url


@pytest.fixture(scope="module")
def wasm_url() -> Iterator[str]:
    """URL of a migrated database with all of TimescaleDB's features, of this file's tests: one connection at a time, no COPY."""
    from store.migrate import migrate

    try:
        with WasmTimescale() as server:
            migrate(server.url)
            yield server.url
    except WasmAbsentError as absent:
        pytest.skip(str(absent))


def main() -> int:
    """Run a command with `KEELWING_TEST_DATABASE_URL` naming a native TimescaleDB; its exit status is ours."""
    folder = native_folder()
    if folder is None:
        print("no native TimescaleDB: run .ci/timescale as root", file=sys.stderr)
        return 2
    with NativeTimescale(folder) as native:
        return subprocess.run(sys.argv[1:], env=os.environ | {SERVER_VARIABLE: native.url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
