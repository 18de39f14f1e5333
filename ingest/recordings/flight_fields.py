"""One aircraft field at a time: a raw value as text or number becomes a value in the contract's unit, or None.

Constants: 1 ft = 0.3048 m and 1 kn = 1852/3600 m/s exactly (domain.md 0). Never raises.
"""

from __future__ import annotations

import re
from typing import Any

from ingest.recordings.vessel_fields import number, ranged

FOOT_M = 0.3048
KNOT_MPS = 1852 / 3600
_HEX = re.compile(r"[0-9a-f]{6}")
_SQUAWK = re.compile(r"[0-7]{1,4}")


def icao24(value: Any) -> str | None:
    """Six hex digits, lower case; None for anything else (readsb writes `~` before an address that is none)."""
    if not isinstance(value, str):
        return None
    found = value.strip().lower()
    return found if _HEX.fullmatch(found) else None


def callsign(value: Any) -> str | None:
    """Callsign without padding, at most 8 characters."""
    if not isinstance(value, str):
        return None
    found = value.strip().strip("_").strip()
    return None if found.lower() in {"", "nan", "none", "null"} else found[:8]


def squawk(value: Any) -> str | None:
    """Four octal digits, leading zeros restored; a bare `0` is how exporters write "none", `0000` is a code."""
    if isinstance(value, bool) or value is None:
        return None
    found = str(value).strip().removesuffix(".0")
    if found == "0" or not _SQUAWK.fullmatch(found):
        return None
    return found.zfill(4)


def flag(value: Any) -> bool | None:
    """A truth value from JSON, pandas (`True`), or SQL text (`true`, `t`, `1`)."""
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in {"true", "t", "1", "1.0"}:
        return True
    return False if word in {"false", "f", "0", "0.0"} else None


def track_deg(value: Any) -> float | None:
    """Track in [0, 360); some exporters write −180..180."""
    found = number(value)
    return round(found % 360.0, 4) % 360.0 if found is not None and abs(found) <= 360 else None


def feet(value: Any) -> float | None:
    """An altitude already in feet."""
    return ranged(value, -2500, 130_000)


def feet_from_m(value: Any) -> float | None:
    """An altitude in metres as feet, to a hundredth."""
    found = number(value)
    return None if found is None else _rounded(feet(found / FOOT_M), 2)


def knots(value: Any) -> float | None:
    """A speed already in knots."""
    return _rounded(ranged(value, 0, 4086), 3)


def knots_from_mps(value: Any) -> float | None:
    """A speed in metres a second as knots, to a hundredth."""
    found = number(value)
    return None if found is None else _rounded(ranged(found / KNOT_MPS, 0, 4086), 2)


def fpm(value: Any) -> float | None:
    """A vertical rate already in feet a minute."""
    return ranged(value, -32_640, 32_641)


def fpm_from_mps(value: Any) -> float | None:
    """A vertical rate in metres a second as feet a minute, to a tenth."""
    found = number(value)
    return None if found is None else _rounded(fpm(found / FOOT_M * 60), 1)


def level(value: Any, high: int) -> int | None:
    """A whole number from 0 to `high`: NIC, NACp (11) and SIL (3)."""
    found = number(value)
    return int(found) if found is not None and 0 <= found <= high and found == int(found) else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
