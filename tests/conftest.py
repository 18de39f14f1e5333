"""What every test may ask for: a database, brokers, a network that breaks, a whole stack; and what may be skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = [
    "tests.fix_postgres",
    "tests.fix_timescale",
    "tests.fix_broker",
    "tests.fix_proxy",
    "tests.fix_stack",
    "tests.fix_bench",
]

STRICT_SKIPS = "KEELWING_STRICT_SKIPS"
WHOLE_MACHINE = ("browser", "faults", "integration")
"""Folders whose tests start many processes and look at the clock: never two of them at once."""
_skipped_but_due: list[str] = []


def shared_directory() -> Path:
    """Where the real recordings are, if they are."""
    return Path(os.environ.get("KEELWING_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The real recordings' directory; skips, visibly, where there is none."""
    directory = shared_directory() / "data"
    if not directory.is_dir():
        pytest.skip("no shared recordings (KEELWING_SHARED)")
    return directory


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in a hook of the same name
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several processes (`-n 3 --dist loadgroup`): a file stays together; what wants the machine, in one process."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        item.add_marker(pytest.mark.xdist_group("whole-machine" if folder in WHOLE_MACHINE else str(item.path)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """With KEELWING_STRICT_SKIPS, remember each skip but those of absent shared recordings; of all processes, in the first."""
    if report.skipped and not hasattr(report, "wasxfail") and "shared" not in report.keywords:
        _skipped_but_due.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run for what was skipped although the machine should have had it."""
    if os.environ.get(STRICT_SKIPS) and _skipped_but_due and session.exitstatus == 0:
        print("\nskipped, but due here:", *_skipped_but_due, sep="\n  ")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
