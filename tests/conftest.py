"""What every test may ask for: a database, brokers, a network that breaks, a whole stack; and what may be skipped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = [
    "tests.fix_postgres",
    "tests.fix_timescale",
    "tests.fix_broker",
    "tests.fix_proxy",
    "tests.fix_stack",
    "tests.fix_bench",
]

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

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


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """With several processes: a file stays together; what wants the machine, in one process."""

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.partition("::")[0])
        return "whole-machine" if path.parts[1] in WHOLE_MACHINE else str(path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What wants the machine comes first: it is the longest of all."""
    items.sort(key=lambda item: item.path.relative_to(Path(__file__).parent).parts[0] not in WHOLE_MACHINE)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Share tests out over processes by file. (Groups by mark are lost: xdist writes them where pytest 9 no longer looks.)"""
    return ByFile(config, log)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """With KEELWING_STRICT_SKIPS, remember each skip but those of absent shared recordings; of all processes, in the first."""
    if report.skipped and not hasattr(report, "wasxfail") and "shared" not in report.keywords:
        _skipped_but_due.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run for what was skipped although the machine should have had it."""
    if os.environ.get(STRICT_SKIPS) and _skipped_but_due and session.exitstatus == 0:
        print("\nskipped, but due here:", *_skipped_but_due, sep="\n  ")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
