"""Raw Mode S: frames through rs1090, several kinds of frame combined into one reading.

Position, velocity, altitude, squawk, callsign and quality come in different frames. Each position frame (once its CPR pair is
solved) and each velocity frame gives a reading, which carries the aircraft's other fields as last heard, none older than
`CARRIED_MS_MAX`. A position itself is never carried into a velocity's reading: it would be old under a new time.

Only extended squitters and all-call replies name their sender in clear; the address of other replies is what is left of
their parity, so it counts only for an aircraft that a clear one has confirmed within `CONFIRMED_MS_MAX`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import rs1090

from ingest.recordings import flight_fields as field
from ingest.recordings.mode_s_frames import Frame, Frames, beast_frames, json_frames, text_frames
from ingest.recordings.model import Item, Items, Malformed, Progress, Row, Tally, malformed
from ingest.recordings.opening import Source
from ingest.recordings.vessel_fields import number, position, put

CARRIED_MS_MAX = 10_000  # DO-260B's longest time between two CPR halves of one position; the same for what is carried
CONFIRMED_MS_MAX = 60_000  # chosen: the time after which readsb forgets an aircraft's address
AIRCRAFT_MAX = 20_000  # aircraft remembered at once; chosen: more than are airborne in the world
FRAMES_MAX = 100_000  # frames given to rs1090 at once: it keeps CPR halves only within one call
OVERLAP_FRAMES_MAX = 20_000  # frames repeated at the start of the next call, so that no pair is torn
_SQUITTERS = ("17", "18")
_REPLIES = ("0", "4", "5", "11", "16", "20", "21")
_JOINED = ("08", "61", "62", "65")  # registers that give no reading of their own: callsign, squawk, quality
_RELAYED = {"TISB_FINE": "tisb", "TISB_COARSE": "tisb", "TISB_MANAGE": "tisb", "TISB_ADSB_RELAY": "adsr"}  # of DF 18
_NIC_OF_TYPE_CODE = {  # DO-260B table 2-70 without the supplement bits: the worse of a type code's two
    5: 11, 6: 10, 7: 8, 8: 0, 9: 11, 10: 10, 11: 8, 12: 7, 13: 6, 14: 5, 15: 4, 16: 2, 17: 1, 18: 0, 20: 11, 21: 10, 22: 0,
}  # fmt: skip


class _Aircraft:
    """What one aircraft said last, field by field, with the time of each."""

    def __init__(self) -> None:
        self.confirmed_ms = -CONFIRMED_MS_MAX
        self._known: dict[str, tuple[Any, int]] = {}

    def learn(self, time_ms: int, **said: Any) -> None:
        """Keep what is not None."""
        for name, value in said.items():
            if value is not None:
                self._known[name] = (value, time_ms)

    def fresh(self, time_ms: int) -> Iterator[tuple[str, Any]]:
        """The fields heard within `CARRIED_MS_MAX`."""
        for name, (value, heard_ms) in self._known.items():
            if abs(time_ms - heard_ms) <= CARRIED_MS_MAX:
                yield name, value


class _Combiner:
    """Turns decoded frames, in the order of the file, into readings."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._aircraft: dict[str, _Aircraft] = {}

    def read(self, frame: str, time_ms: int, message: dict[str, Any]) -> Row | None:
        """The reading that one decoded frame gives, None when it only adds to what is known."""
        address = field.icao24(message.get("icao24"))
        if address is None:
            self._tally.skip("no_icao_address")
            return None
        df = str(message.get("df"))
        craft = self._craft(address)
        if df in _SQUITTERS or df == "11":
            craft.confirmed_ms = time_ms
        elif abs(time_ms - craft.confirmed_ms) > CONFIRMED_MS_MAX:
            self._tally.skip("unconfirmed_address")
            return None
        if df not in _SQUITTERS:
            craft.learn(time_ms, alt_baro_ft=field.feet(message.get("altitude")), squawk=_squawk(message))
            self._tally.skip(f"df_{df}" if df in _REPLIES else "df_other")
            return None
        return self._squitter(craft, address, frame, time_ms, message)

    def _squitter(self, craft: _Aircraft, address: str, frame: str, time_ms: int, message: dict[str, Any]) -> Row | None:
        kind = str(message.get("bds"))
        said = _said(kind, frame, message)
        offset_ft = number(message.get("geo_minus_baro")) if kind == "09" else None
        baro_ft = dict(craft.fresh(time_ms)).get("alt_baro_ft") if offset_ft is not None else None
        if offset_ft is not None and baro_ft is not None:
            said["alt_geom_ft"] = field.feet(baro_ft + offset_ft)
        craft.learn(time_ms, **said)
        placed = kind in ("05", "06") and message.get("latitude") is not None
        if not placed and kind != "09":
            reason = f"bds_{kind}" if kind in _JOINED else "bds_other"
            self._tally.skip("no_position_yet" if kind in ("05", "06") else reason)
            return None
        row: Row = {"class": "aircraft", "scheme": "icao24", "value": address, "time": time_ms}
        row["source"] = _RELAYED.get(str(message.get("tisb")), "adsb")
        row["stream"] = "telemetry"
        if placed:
            position(row, message.get("latitude"), message.get("longitude"))
        put(row, **dict(craft.fresh(time_ms)))
        return row

    def _craft(self, address: str) -> _Aircraft:
        craft = self._aircraft.pop(address, None)
        if craft is None:
            craft = _Aircraft()
            while len(self._aircraft) >= AIRCRAFT_MAX:
                del self._aircraft[next(iter(self._aircraft))]
        self._aircraft[address] = craft  # at the end: the first is the one not heard for longest
        return craft


def _said(kind: str, frame: str, message: dict[str, Any]) -> dict[str, Any]:
    """The fields of one extended squitter, by its register (BDS); none for a register that is not read."""
    type_code = int(frame[8:10], 16) >> 3 if len(frame) == 28 else -1
    said: dict[str, Any] = {}
    if kind == "08":
        said = {"callsign": field.callsign(message.get("callsign"))}
    elif kind == "61":
        said = {"squawk": _squawk(message)}
    elif kind in ("62", "65"):
        said = {"nac_p": field.level(message.get("NACp"), 11), "sil": field.level(message.get("SIL"), 3)}
    elif kind == "05":
        geometric = message.get("source") == "GNSS"
        height_ft = field.feet(message.get("altitude"))
        said = {"on_ground": False, "alt_geom_ft" if geometric else "alt_baro_ft": height_ft}
        said["nic"] = _NIC_OF_TYPE_CODE.get(type_code)
    elif kind in ("06", "09"):
        said["gs_kn"] = field.knots(message.get("groundspeed"))
        said["track_deg"] = field.track_deg(message.get("track"))
        if kind == "06":
            said |= {"on_ground": True, "nic": _NIC_OF_TYPE_CODE.get(type_code)}
        else:
            said["vertical_rate_fpm"] = field.fpm(message.get("vertical_rate"))
    return said


def _squawk(message: dict[str, Any]) -> str | None:
    return field.squawk(message.get("squawk"))


def _decoded(frames: Frames) -> Iterator[tuple[Frame, dict[str, Any] | None] | Malformed]:
    """Each frame with rs1090's word on it, None where its parity or form is wrong; at most `FRAMES_MAX` are held."""
    held: list[Frame] = []
    overlap: list[Frame] = []
    for frame in frames:
        if isinstance(frame, Malformed):
            yield frame
        elif frame.decoded is not None:
            yield frame, frame.decoded
        else:
            held.append(frame)
            if len(held) >= FRAMES_MAX:
                yield from _through_rs1090(overlap, held)
                since_ms = held[-1].time_ms - CARRIED_MS_MAX
                overlap = [kept for kept in held[-OVERLAP_FRAMES_MAX:] if kept.time_ms >= since_ms]
                held = []
    yield from _through_rs1090(overlap, held)


def _through_rs1090(overlap: list[Frame], held: list[Frame]) -> Iterator[tuple[Frame, dict[str, Any] | None]]:
    """Frames and what rs1090 makes of them; it leaves out what it rejects, so the two lists are walked together."""
    if not held:
        return
    given = [*overlap, *held]
    found = rs1090.decode([frame.hex for frame in given], [frame.time_ms / 1000 for frame in given])
    messages = cast("list[dict[str, Any]]", found)
    at = 0
    for place, frame in enumerate(given):
        message = None
        if at < len(messages) and messages[at]["frame"] == frame.hex:
            message = messages[at]
            at += 1
        if place >= len(overlap):
            yield frame, message


def _read(frames: Frames, tally: Tally) -> Iterator[Item]:
    combiner = _Combiner(tally)
    for found in _decoded(frames):
        if isinstance(found, Malformed):
            yield found
            continue
        frame, message = found
        if message is None:
            yield malformed("bad_frame", frame.number, frame.hex.encode())
            continue
        row = combiner.read(frame.hex, frame.time_ms, message)
        if row is not None:
            yield row


def reader(frames_of: Callable[[Source, Progress | None], Frames]) -> Callable[..., Items]:
    """A reader of recordings over one way of storing frames."""

    def read(source: Source, tally: Tally, progress: Progress | None) -> Items:
        return _read(frames_of(source, progress), tally)

    return read


read_text_frames = reader(text_frames)
read_json_frames = reader(json_frames)
read_beast = reader(beast_frames)
