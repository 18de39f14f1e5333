"""A cluster that is filled once and kept for later runs; what it was filled with is written beside it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.report import say
from keelwing.embedded.postgres import EmbeddedPostgres

CACHE = Path(__file__).with_name(".cache")
T = TypeVar("T")


@contextmanager
def kept_cluster(
    name: str, prepare: Callable[[EmbeddedPostgres, Path], T], *, quick: bool, cache: Path
) -> Iterator[tuple[EmbeddedPostgres, T]]:  # fmt: skip
    """A running cluster and what it holds, started anew after `prepare` filled it. A quick run keeps nothing.

    Args:
        name: of the cluster's folder in the cache.
        prepare: fills the running cluster, or finds in its folder that an earlier run did.
        quick: in a folder that is thrown away.
        cache: where clusters are kept.
    """
    if quick:
        cache = Path(tempfile.mkdtemp(prefix="keelwing-bench-"))
    directory = cache / name
    for each in (cache, directory):
        each.mkdir(parents=True, exist_ok=True)
        each.chmod(0o755)  # the account that runs the cluster must reach it
    postgres = EmbeddedPostgres(directory / "postgres")
    try:
        with postgres:
            held = prepare(postgres, directory)
        postgres.start()  # anew, so that nothing of the load is in its buffers
        say(f"load average {os.getloadavg()[0]:.1f}")
        yield postgres, held
        say(f"load average {os.getloadavg()[0]:.1f}")
    finally:
        postgres.stop()
        if quick:
            shutil.rmtree(cache)


def filled(described: Path, kind: type[T], load: Callable[[], T]) -> T:
    """What a cluster was filled with: read from the file beside it, or loaded now and written there for this account alone."""
    if not described.exists():
        held = load()
        described.touch(mode=0o600)
        described.write_bytes(msgspec.json.encode(held))
    return msgspec.json.decode(described.read_bytes(), type=kind)
