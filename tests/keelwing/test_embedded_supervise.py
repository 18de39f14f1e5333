"""The supervisor: starts in order, restarts what dies, stops everything in time, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from keelwing.embedded import process
from keelwing.embedded.supervise import ChildProcess
from tests.fix_postgres import reachable_directory

REPOSITORY = Path(__file__).parents[2]

PRELUDE = """
import pathlib, sys
from keelwing.embedded.postgres import EmbeddedPostgres
from keelwing.embedded.nats import EmbeddedNats
from keelwing.embedded.supervise import ChildProcess, Supervisor
here = pathlib.Path(sys.argv[1])
seen = here / "seen"

def child(name, script, **more):
    command = ["/bin/sh", "-c", script, "sh", str(seen)]
    return ChildProcess(name, command, log_directory=here / "log", **more)

def steady(name):
    return child(name, f'''trap 'echo {name} stopped >> "$1"; exit 0' TERM
trap 'echo {name} interrupted >> "$1"' INT
echo {name} started >> "$1"; while :; do sleep 0.05; done''', ready=lambda: f"{name} started" in seen.read_text())
"""

TWO_STEADY = """
def compose(stack):
    stack.start(steady("first"))
    stack.start(steady("second"))
sys.exit(Supervisor(here).run(compose))
"""


@pytest.fixture
def here() -> Iterator[Path]:
    """A data directory; nothing may run in it when the test is over."""
    made = reachable_directory("keelwing-test-stack-")
    (made / "seen").touch()
    yield made
    assert process.wait_until(lambda: not processes_of(made), 10.0), "a process was left behind"
    shutil.rmtree(made)


def processes_of(path: Path) -> list[int]:
    return process.processes_with(lambda words: any(str(path) in word for word in words))


def stack(here: Path, script: str) -> "subprocess.Popen[str]":
    """A supervisor in a process group of its own, as a shell makes it."""
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, str(here)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
        process_group=0,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def await_seen(here: Path, text: str, times: int = 1) -> None:
    assert process.wait_until(lambda: (here / "seen").read_text().count(text) >= times, 20.0), text


def postmasters_in(path: Path) -> list[int]:
    return process.processes_with(lambda words: "-D" in words and any(str(path) in word for word in words))


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def lines_seen(here: Path) -> list[str]:
    return (here / "seen").read_text().splitlines()


def test_services_start_in_order_and_ctrl_c_stops_them_in_reverse(here: Path) -> None:
    with stack(here, TWO_STEADY) as running:
        await_seen(here, "second started")
        os.killpg(running.pid, signal.SIGINT)  # what a terminal does: everybody in the foreground group
        output, _ = running.communicate(timeout=10)
    assert running.returncode == 0, output
    assert lines_seen(here) == ["first started", "second started", "second stopped", "first stopped"]


def test_sigterm_stops_too(here: Path) -> None:
    with stack(here, TWO_STEADY) as running:
        await_seen(here, "second started")
        running.terminate()
        running.communicate(timeout=10)
    assert running.returncode == 0
    assert lines_seen(here)[-1] == "first stopped"


def test_a_child_that_does_not_listen_costs_no_more_than_the_time_given(here: Path) -> None:
    script = """
def compose(stack):
    stack.start(steady("first"))
    stack.start(child("deaf", 'trap "" TERM INT; echo deaf started >> "$1"; while :; do sleep 0.05; done'))
sys.exit(Supervisor(here, stop_timeout_s=2).run(compose))
"""
    with stack(here, script) as running:
        await_seen(here, "deaf started")
        asked_s = time.monotonic()
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=10)
        assert time.monotonic() - asked_s < 3.0
    assert running.returncode == 0
    assert lines_seen(here)[-1] == "first stopped"


def test_a_child_that_dies_is_started_again(here: Path) -> None:
    with stack(here, TWO_STEADY) as running:
        await_seen(here, "second started")
        victims = process.processes_with(lambda words: any("trap 'echo first stopped" in word for word in words))
        process.signal_all([pid for pid in victims if pid in processes_of(here)], signal.SIGKILL)
        await_seen(here, "first started", times=2)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=10)
    assert running.returncode == 0


def test_a_child_that_keeps_dying_stops_the_stack_with_a_failure(here: Path) -> None:
    script = """
def compose(stack):
    stack.start(steady("first"))
    stack.start(child("doomed", 'echo doomed started >> "$1"; echo the reason; exit 3'))
sys.exit(Supervisor(here, restarts_per_minute_max=2).run(compose))
"""
    with stack(here, script) as running:
        output, _ = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "the reason" in output
    assert lines_seen(here).count("doomed started") == 3
    assert lines_seen(here)[-1] == "first stopped"


def test_a_child_that_does_not_become_ready_stops_what_was_started(here: Path) -> None:
    script = """
def compose(stack):
    stack.start(steady("first"))
    stack.start(child("slow", "echo still waiting; sleep 60", ready=lambda: False, ready_timeout_s=0.3))
sys.exit(Supervisor(here).run(compose))
"""
    with stack(here, script) as running:
        output, _ = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "slow is not ready after 0.3 s" in output
    assert "still waiting" in output
    assert lines_seen(here) == ["first started", "first stopped"]


def test_ctrl_c_while_something_starts_is_heard(here: Path) -> None:
    script = """
def compose(stack):
    stack.start(steady("first"))
    stack.start(child("slow", 'echo slow started >> "$1"; sleep 60', ready=lambda: False, ready_timeout_s=60))
sys.exit(Supervisor(here).run(compose))
"""
    with stack(here, script) as running:
        await_seen(here, "slow started")
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=10)
    assert running.returncode == 0
    assert lines_seen(here)[-1] == "first stopped"


def test_two_stacks_do_not_share_a_directory(here: Path) -> None:
    with stack(here, TWO_STEADY) as running:
        await_seen(here, "second started")
        with stack(here, TWO_STEADY) as second:
            output, _ = second.communicate(timeout=10)
        assert second.returncode == 1
        assert f"in use by another process (id {running.pid})" in output
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=10)
    assert running.returncode == 0


def test_a_stack_with_both_servers_goes_on_after_sigkill(here: Path) -> None:
    script = """
def compose(stack):
    database = EmbeddedPostgres(here / "postgres", fast=True)
    broker = EmbeddedNats(here / "nats")
    stack.start(database)
    stack.start(broker)
    (here / f"urls-{len(list(here.glob('urls-*')))}").write_text(f"{database.url} {broker.url}")
    stack.start(steady("worker"))
sys.exit(Supervisor(here).run(compose))
"""
    with stack(here, script) as running:
        await_seen(here, "worker started")
        running.kill()
        running.communicate(timeout=10)
    with stack(here, script) as running:
        await_seen(here, "worker started", times=2)
        url, _ = (here / "urls-1").read_text().split()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        # A server that dies alone comes back at its old address.
        first = postmasters_in(here)
        process.signal_all(first, signal.SIGKILL)
        assert process.wait_until(lambda: postmasters_in(here) not in ([], first) and answers(url), 20.0)
        asked_s = time.monotonic()
        running.send_signal(signal.SIGINT)
        output, _ = running.communicate(timeout=15)
        assert time.monotonic() - asked_s < 10.0
    assert running.returncode == 0, output
    assert (here / "urls-0").read_text() == (here / "urls-1").read_text()


def test_a_log_keeps_its_bound_under_a_writer_that_holds_it_open(tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"a" * 1000)
        process.rotate_log(path, bytes_max=999)
        writer.write(b"b" * 10)
    assert path.read_bytes() == b"b" * 10
    assert path.with_name("some.log.1").read_bytes() == b"a" * 1000
    process.rotate_log(path, bytes_max=10)
    assert path.read_bytes() == b"b" * 10


def test_the_log_of_the_run_before_is_kept_and_no_older_one(tmp_path: Path) -> None:
    for number in range(3):
        child = ChildProcess("said", ["/bin/echo", str(number)], log_directory=tmp_path)
        child.start()
        assert process.wait_until(lambda one=child: not one.alive(), 10.0)  # type: ignore[misc]
        assert child.exit_status == 0
    assert (tmp_path / "said.log").read_text() == "2\n"
    assert (tmp_path / "said.log.1").read_text() == "1\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["said.log", "said.log.1"]
