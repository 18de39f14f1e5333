"""The labels file: what really was wrong, one NDJSON line for each occurrence of a fault.

Neighbours: `faults` tells, evaluation reads.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ingest.wire import encode_json
from simulators.faults import Label, labelled

SEEN_MAX = 200_000  # keys kept to tell a label written before a restart; beyond it the oldest are forgotten


class LabelFile:
    """Appends labels to a file; an occurrence that is in it already (a world begun again) is not written twice."""

    def __init__(self, path: Path) -> None:
        """Errors: OSError when the file cannot be read or its folder made."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._seen: dict[tuple[str, ...], None] = {}
        path.touch()
        for label in read_labels(path):
            self._seen[_key(label)] = None

    def write(self, label: Label) -> None:
        """Append one label. Errors: OSError."""
        line = labelled(label)
        if (key := _key(line)) in self._seen:
            return
        if len(self._seen) >= SEEN_MAX:
            del self._seen[next(iter(self._seen))]
        self._seen[key] = None
        with self._path.open("ab") as out:
            out.write(encode_json(line) + b"\n")


def read_labels(path: Path) -> list[dict[str, Any]]:
    """Read a labels file; a line cut short by a crash is left out. Errors: OSError."""
    labels: list[dict[str, Any]] = []
    for line in path.read_bytes().splitlines():
        try:
            labels.append(msgspec.json.decode(line, type=dict[str, Any]))
        except msgspec.DecodeError:
            continue
    return labels


def _key(label: dict[str, Any]) -> tuple[str, ...]:
    return label["tenant"], label["asset"], label["kind"], str(label["channel"]), label["started_at"]
