"""The named queries: blocks of `sql/NOUN.sql` that begin with `-- name: WORD`. It knows files, not connections."""

from __future__ import annotations

from importlib.resources import files
from typing import LiteralString

MARK = "-- name: "


def load(noun: str) -> dict[str, LiteralString]:
    """The queries of `sql/NOUN.sql` by name, each with its description line and `%(name)s` placeholders.

    The files ship with the package and hold no input of anybody: their text is as literal as one in the code.

    Raises:
        FileNotFoundError: no such file.
        ValueError: two queries of one name.
    """
    text = (files("store") / "sql" / f"{noun}.sql").read_text(encoding="utf-8")
    queries: dict[str, LiteralString] = {}
    for block in text.split(MARK)[1:]:
        name, _, query = block.partition("\n")
        if name in queries:
            raise ValueError(f"two queries named {name} in {noun}.sql")
        queries[name] = query.strip()
    return queries
