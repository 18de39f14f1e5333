"""The real recordings: where they lie, which class they hold, and whether a track in them counts as clean, with the reason.

The list is `tracks.toml`, written by hand; a recording that is not on it is a fault of the list. Knows no rule.
"""

from __future__ import annotations

import os
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ingest.recordings import Malformed, merge

HERE = Path(__file__).parent
UNCOUNTED_MS = {"vessel": 6 * 3_600_000, "aircraft": 600_000}
"""A silence longer than what the class may be silent for at sea or in the air is no watched time."""


class Track(NamedTuple):
    """One recording: `path` under the recordings' directory, `asset_class`, `is_clean`, and why it is or is not."""

    path: str
    asset_class: Literal["vessel", "aircraft"]
    is_clean: bool
    reason: str


def shared_directory() -> Path | None:
    """Where the recordings are (`KEELWING_SHARED`, else beside the project), or None where they are not."""
    directory = Path(os.environ.get("KEELWING_SHARED", HERE.parents[1] / "shared")) / "data"
    return directory if directory.is_dir() else None


def tracks() -> list[Track]:
    """Every recording on the list, in the order of the list."""
    listed = tomllib.loads((HERE / "tracks.toml").read_text())["track"]
    return [Track(one["path"], one["class"], one["clean"], one["reason"]) for one in listed]


def unlisted(directory: Path) -> list[str]:
    """Files in the folders of the list that are neither on it nor among those that hold no track."""
    told = tomllib.loads((HERE / "tracks.toml").read_text())
    known = {one["path"] for one in told["track"]} | set(told["no_track"]["paths"])
    folders = sorted({Path(path).parts[0] for path in known})
    there = [path for folder in folders for path in (directory / folder).rglob("*") if path.is_file()]
    names = sorted(str(path.relative_to(directory)) for path in there)
    skipped = tuple(told["no_track"]["folders"])
    return [name for name in names if name not in known and not name.startswith(skipped) and not name.endswith("README.md")]


def records_of(path: Path) -> list[dict[str, Any]]:
    """Every record of a recording as a plain mapping, in the order of time; malformed pieces are left out."""
    return [dict(item) for item in merge([path]) if not isinstance(item, Malformed)]


def watched_hours(records: Iterable[Mapping[str, Any]]) -> tuple[int, float]:
    """Assets heard, and hours between their successive readings, all assets together.

    Silences longer than `UNCOUNTED_MS` do not count: nobody can be warned of in an hour in which nothing was said.
    """
    last_ms: dict[tuple[str, str], int] = {}
    watched_ms: dict[str, int] = defaultdict(int)
    for record in records:
        time_ms = record.get("time")
        if record.get("stream") == "static" or not isinstance(time_ms, int):
            continue
        key = (record["scheme"], record["value"])
        before_ms = last_ms.get(key)
        if before_ms is not None and time_ms - before_ms <= UNCOUNTED_MS.get(record["class"], 0):
            watched_ms[record["class"]] += time_ms - before_ms
        last_ms[key] = time_ms
    return len(last_ms), sum(watched_ms.values()) / 3_600_000
