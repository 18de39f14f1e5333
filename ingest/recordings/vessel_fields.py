"""One vessel field at a time: a raw value as text or number becomes a value in the contract's unit, or None.

Shared by AIS sentences, CSV layouts and JSON rows. Sentinels and ranges: ITU-R M.1371-5 tables 48, 52 and 53, as
collected in domain.md 3.2. Never raises.
"""

from __future__ import annotations

import math
import re
from typing import Any

from ingest.recordings.model import Row

ROT_SCALE = 4.733  # ITU-R M.1371-5 table 48: raw = 4.733 × √(deg/min)
SOG_UNUSABLE_KN = 102.3  # 1023 = not available; 1022, "102.2 kn or more", is said of a speed, and counted where it is nulled
_NOT_TEXT = {"", "none", "null", "nan", "unknown", "undefined", "unknown value", "n/a"}
_SATELLITE = re.compile(r"ORBCOMM|AIS_S|SPIRE|^r?EV\d", re.IGNORECASE)
_STATUS_WORDS = {
    "under way using engine": 0, "at anchor": 1, "not under command": 2, "restricted manoeuverability": 3,
    "restricted maneuverability": 3, "constrained by her draught": 4, "moored": 5, "aground": 6,
    "engaged in fishing": 7, "under way sailing": 8, "ais-sart (active)": 14,
}  # fmt: skip
_TYPE_TENS = {
    2: "wing_in_ground", 4: "high_speed_craft", 6: "passenger", 7: "cargo", 8: "tanker", 9: "other",
}  # fmt: skip
_TYPE_CODES = {
    30: "fishing", 31: "towing", 32: "towing", 33: "dredging", 34: "diving", 35: "military", 36: "sailing",
    37: "pleasure", 50: "pilot", 51: "search_and_rescue", 52: "tug", 53: "port_tender", 54: "anti_pollution",
    55: "law_enforcement", 58: "medical", 59: "noncombatant",
}  # fmt: skip


def number(value: Any) -> float | None:
    """A finite number from a number or its text, else None."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def ranged(value: Any, low: float, high: float) -> float | None:
    """A number in [low, high), rounded to what its sensor can resolve (six digits), else None."""
    found = number(value)
    return round(found, 6) if found is not None and low <= found < high else None


def text(value: Any, length_max: int = 120) -> str | None:
    """Text without padding; None for blanks, AIS's `@` fill and the words that exporters write for nothing."""
    if not isinstance(value, str):
        return None
    found = value.split("@", 1)[0].strip()
    return None if found.lower() in _NOT_TEXT else found[:length_max]


def mmsi(value: Any) -> str | None:
    """Nine digits as text, leading zeros kept (coast and group stations have them); None for 0 or no number."""
    found = number(value)
    if found is None or not 0 < found < 1e9 or found != int(found):
        return None
    return f"{int(found):09d}"


def imo(value: Any) -> str | None:
    """Seven digits as text, with or without `IMO` before them; 0 is not available."""
    if isinstance(value, str):
        value = value.upper().removeprefix("IMO").strip()
    found = number(value)
    return str(int(found)) if found is not None and 1_000_000 <= found < 10_000_000 else None


def sog_kn(value: Any) -> float | None:
    """Speed over ground in knots."""
    return ranged(value, 0.0, SOG_UNUSABLE_KN - 1e-6)


def angle_deg(value: Any) -> float | None:
    """Course or heading in [0, 360): 360.0 and 511 are not available."""
    return ranged(value, 0.0, 360.0)


def rot_from_raw(raw: float | None) -> float | None:
    """Rate of turn in degrees a minute, port negative: (raw / 4.733)² with raw's sign.

    −128 is not available; ±127 says only "faster than 5° in 30 s", not how fast, so it is None too.
    """
    if raw is None or not -126 <= raw <= 126:
        return None
    return round(math.copysign((raw / ROT_SCALE) ** 2, raw), 3) + 0.0


def rot_deg_min(value: Any) -> float | None:
    """Rate of turn already in degrees a minute; ±720 and beyond (the raw scale's end and its sentinels) are None."""
    found = number(value)
    return round(found, 3) if found is not None and abs(found) < (127 / ROT_SCALE) ** 2 - 1e-6 else None


def nav_status(value: Any) -> int | None:
    """AIS navigational status 0..14 from its number or the Danish authority's words; 15 is not defined."""
    if isinstance(value, str) and value.strip().lower() in _STATUS_WORDS:
        return _STATUS_WORDS[value.strip().lower()]
    found = number(value)
    return int(found) if found is not None and 0 <= found <= 14 and found == int(found) else None


def length(value: Any, metres_max: float) -> float | None:
    """A dimension in metres; 0 is not available."""
    found = number(value)
    return round(found, 1) if found is not None and 0 < found <= metres_max else None


def draught_m(value: Any) -> float | None:
    """Draught in metres; 0 is not available, 25.5 is 25.5 or more."""
    return length(value, 25.5)


def position(row: Row, lat: Any, lon: Any) -> None:
    """Put both coordinates into the row, or neither: 91 and 181 are not available, 180 is written −180."""
    lat_deg = number(lat)
    lon_deg = number(lon)
    if lat_deg is None or lon_deg is None or abs(lat_deg) > 90 or abs(lon_deg) > 180:
        return
    row["lat_deg"] = round(lat_deg, 7)
    row["lon_deg"] = round(lon_deg, 7) if lon_deg < 180 else -180.0


def ship_type(value: Any) -> str | None:
    """Ship type in words: AIS code 0..99 by ITU-R M.1371-5 table 53's groups, or the exporter's own word in snake case."""
    found = number(value)
    if found is None:
        word = text(value, 60)
        return None if word is None else re.sub(r"\W+", "_", word.lower()).strip("_") or None
    code = int(found)
    return _TYPE_CODES.get(code) or _TYPE_TENS.get(code // 10)


def satellite_station(station: str | None) -> bool:
    """Whether a receiving station's name is a satellite's. Chosen: the names of the constellations in known recordings."""
    return station is not None and _SATELLITE.search(station) is not None


def eta_text(month: Any, day: Any, hour: Any, minute: Any) -> str | None:
    """`MM-DDTHH:MM`, or `MM-DD` when the hour is 24; AIS gives no year. None when month or day is 0."""
    parts = [number(part) for part in (month, day, hour, minute)]
    whole = [0 if part is None else int(part) for part in parts]
    if not (1 <= whole[0] <= 12 and 1 <= whole[1] <= 31):
        return None
    date = f"{whole[0]:02d}-{whole[1]:02d}"
    if parts[2] is None or not 0 <= whole[2] < 24:
        return date
    return f"{date}T{whole[2]:02d}:{whole[3] if 0 <= whole[3] < 60 else 0:02d}"


def put(row: Row, **fields: Any) -> None:
    """Set the fields that are known; an unknown one stays absent."""
    row.update((name, value) for name, value in fields.items() if value is not None)
