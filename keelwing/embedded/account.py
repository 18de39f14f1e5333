"""Who an embedded server runs as.

PostgreSQL refuses to run as root. Then an account that is already there is used; none is created, and no directory that is
not ours is opened for it. This module knows accounts and whether they can reach a path; not what is run.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from keelwing.embedded.process import leashed

ACCOUNTS = ("postgres", "nobody")
"""Unprivileged accounts tried in this order: the distribution's own for PostgreSQL, then the one every Unix has."""


@dataclass(frozen=True)
class Account:
    """A user and group id to run as; -1 stands for whoever we are."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether running as this account means leaving our own."""
        return self.uid >= 0

    @property
    def owner_uid(self) -> int:
        """The user id that owns what this account creates."""
        return self.uid if self.is_other else os.geteuid()


OURSELVES = Account(-1, -1)


def service_account() -> Account:
    """The account for a server that refuses root: ourselves, or as root the first of `ACCOUNTS` that exists.

    Raises:
        RuntimeError: we are root and there is none of them.
    """
    if os.geteuid() != 0:
        return OURSELVES
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise RuntimeError(f"PostgreSQL cannot run as root and none of the accounts {', '.join(ACCOUNTS)} exists")


def can_enter(account: Account, directory: Path) -> bool:
    """Whether the account can make `directory` its working directory.

    Asked of the kernel by trying it, because mode bits alone know nothing of access lists and mounts.
    """
    command = leashed(["/bin/sh", "-c", 'cd "$1"', "sh", str(directory)], account_ids=(account.uid, account.gid))
    return subprocess.run(command, cwd="/", capture_output=True, check=False, timeout=20).returncode == 0  # noqa: S603


def can_run(account: Account, program: Path) -> bool:
    """Whether the account can execute `program` (asked with `--version`)."""
    command = leashed([str(program), "--version"], account_ids=(account.uid, account.gid))
    return subprocess.run(command, cwd="/", capture_output=True, check=False, timeout=20).returncode == 0  # noqa: S603
