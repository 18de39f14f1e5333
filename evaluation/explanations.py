"""What a person found out about each warning on a real track, and the check that none is missing and none is left over.

The list is `explanations.toml`: one entry for a file, an asset and a rule, the instants at which its episodes opened, and the
words. The same words may stand for several episodes of one rule on one asset.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from evaluation.judge import Line

PATH = Path(__file__).parent / "explanations.toml"


class Key(NamedTuple):
    """Which warning: recording, `scheme:value`, rule and when its episode opened (RFC 3339)."""

    path: str
    asset: str
    rule: str
    opened_at: str


def key_of(path: str, line: Line) -> Key:
    """The key of a finding in a recording."""
    return Key(path, line["asset"], line["rule"], line["opened_at"])


def explanations() -> dict[Key, str]:
    """Words by key. Raises ValueError where a key stands twice or the words are missing."""
    told: dict[Key, str] = {}
    for entry in tomllib.loads(PATH.read_text()).get("explanation", []):
        words = str(entry["why"]).strip()
        for opened_at in entry["opened_at"]:
            key = Key(entry["path"], entry["asset"], entry["rule"], opened_at)
            if key in told or not words:
                raise ValueError(f"explained twice or without words: {key}")
            told[key] = words
    return told


def disagreements(found: Iterable[Key], told: Mapping[Key, str], paths: Iterable[str]) -> list[str]:
    """Warnings without an explanation, and explanations (of the recordings that were run) without a warning."""
    seen, run = set(found), set(paths)
    missing = [f"no explanation: {' '.join(key)}" for key in sorted(seen - set(told))]
    left_over = [f"explains nothing: {' '.join(key)}" for key in sorted(set(told) - seen) if key.path in run]
    return missing + left_over
