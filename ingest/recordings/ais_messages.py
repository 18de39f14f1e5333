"""What an AIS message says, as records: pyais's objects in, rows of the contract out, sentinels gone.

Position reports (types 1-3, 18, 19, 27) give `telemetry`, static parts (5, 19, 24 A and B) `static`; type 19 gives both.
Every other type is no ship's own report for us and gives nothing.
"""

from __future__ import annotations

from typing import Any

from pyais.messages import AISSentence

from ingest.recordings import vessel_fields as field
from ingest.recordings.instants import at_second_of_minute
from ingest.recordings.model import Row

POSITION_TYPES = frozenset({1, 2, 3, 18, 19, 27})
STATIC_TYPES = frozenset({5, 19, 24})
USED_TYPES = POSITION_TYPES | STATIC_TYPES
AHEAD_MS_MAX = 5_000  # a report cannot be made after it was heard; chosen: slack for a receiver's clock (NTP-less PCs)
_LONG_RANGE = 27
_LONG_RANGE_SOG_KN = 63  # type 27: not available
_CLASS_A = (1, 2, 3)


def rows_of(sentence: AISSentence, received_ms: int, station: str | None) -> list[Row]:
    """Rows of one complete, valid message of a used type.

    Args:
        sentence: the assembled sentence.
        received_ms: the receiver's time, unix milliseconds.
        station: the receiving station's name, if told.

    Returns:
        No, one or two rows; none when the MMSI is 0 or a static part says nothing. `time` of a position is refined by
        its second of the minute (`instants.at_second_of_minute`), of anything else it is the receiver's.

    Raises:
        AISBaseException, ValueError, TypeError: the payload is not what its type says; the caller makes it a value.
    """
    message: Any = sentence.decode()
    kind = sentence.ais_id
    mmsi = field.mmsi(message.mmsi)
    if mmsi is None:
        return []
    satellite = kind == _LONG_RANGE or field.satellite_station(station)
    head: Row = {
        "class": "vessel",
        "scheme": "mmsi",
        "value": mmsi,
        "time": received_ms,
        "source": "ais_satellite" if satellite else "ais_terrestrial",
    }
    rows = []
    if kind in POSITION_TYPES:
        rows.append(_position_row(head, kind, message, sentence))
    if kind in STATIC_TYPES:
        static = _static_row(head, kind, message)
        if static is not None:
            rows.append(static)
    return rows


def _position_row(head: Row, kind: int, message: Any, sentence: AISSentence) -> Row:
    row: Row = head | {"stream": "telemetry"}
    field.position(row, message.lat, message.lon)
    if kind == _LONG_RANGE:
        speed = message.speed
        field.put(
            row,
            sog_kn=None if speed is None or speed >= _LONG_RANGE_SOG_KN else field.sog_kn(speed),
            cog_deg=field.angle_deg(message.course),
            nav_status=field.nav_status(message.status),
        )
        return row
    if message.second is not None:
        row["time"] = at_second_of_minute(head["time"], int(message.second), ahead_ms_max=AHEAD_MS_MAX)
    field.put(
        row,
        sog_kn=field.sog_kn(message.speed),
        cog_deg=field.angle_deg(message.course),
        heading_deg=field.angle_deg(message.heading),
    )
    if kind in _CLASS_A:
        field.put(row, rot_deg_min=_rot(sentence), nav_status=field.nav_status(message.status))
    return row


def _rot(sentence: AISSentence) -> float | None:
    """Rate of turn from its raw bits 42..49: pyais rounds to whole degrees, which loses every slow turn."""
    if len(sentence.bv) < 50:
        return None
    raw = int(sentence.bv.get(42, 8))
    return field.rot_from_raw(raw - 256 if raw > 127 else raw)


def _static_row(head: Row, kind: int, message: Any) -> Row | None:
    row: Row = head | {"stream": "static"}
    known = len(row)
    field.put(
        row,
        name=field.text(getattr(message, "shipname", None)),
        call_sign=field.text(getattr(message, "callsign", None), 12),
        type=field.ship_type(getattr(message, "ship_type", None)),
    )
    # a tender's 24 B carries its mothership's MMSI where the dimensions would be: pyais gives it none
    bow, stern = getattr(message, "to_bow", None), getattr(message, "to_stern", None)
    port, starboard = getattr(message, "to_port", None), getattr(message, "to_starboard", None)
    field.put(
        row,
        length_m=field.length((bow or 0) + (stern or 0), 1022),
        beam_m=field.length((port or 0) + (starboard or 0), 126),
    )
    if kind == 5:
        field.put(
            row,
            imo=field.imo(message.imo),
            draught_m=field.draught_m(message.draught),
            destination=field.text(message.destination),
            eta=field.eta_text(message.month, message.day, message.hour, message.minute),
        )
    return row if len(row) > known else None
