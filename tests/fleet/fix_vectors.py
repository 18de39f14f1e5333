"""The worked figures of the domain, by id, as `tests/vectors/golden_vectors.json` holds them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent.parent / "vectors" / "golden_vectors.json"


@cache
def _all() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(VECTORS.read_text())
    return found


def vector(name: str) -> Any:
    """One vector by its id (`AC5_month`). Raises KeyError for one that the file does not hold."""
    return _all()[name]


def vector_ids() -> list[str]:
    """Every id of the file but `_meta`."""
    return [name for name in _all() if not name.startswith("_")]
