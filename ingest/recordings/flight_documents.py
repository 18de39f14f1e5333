"""Documents about aircraft that are no tables: OpenSky states, readsb traces and aircraft lists, fr24 playback.

Each is one JSON object (or one object a line); its keys tell which. Each reader takes the decoded object and gives rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from ingest.recordings import flight_fields as field
from ingest.recordings.flight_rows import POSITION_AGE_MS_MAX
from ingest.recordings.instants import any_ms, plausible_ms, unix_ms
from ingest.recordings.model import JSON_FAULTS, Item, Items, Malformed, Progress, Row, Tally, malformed
from ingest.recordings.opening import Source
from ingest.recordings.vessel_fields import number, position, put, text

Document: TypeAlias = Mapping[str, Any]

_OPENSKY_SOURCES = {0: "adsb", 1: "asterix", 2: "mlat", 3: "flarm"}
_STATE_COLUMNS_MIN = 17
_TRACE_COLUMNS_MIN = 7
_TRACE_GEOMETRIC_RATE = 4  # readsb README-json.md: bits of the seventh trace column
_TRACE_GEOMETRIC_ALTITUDE = 8


def is_opensky(document: Document) -> bool:
    """OpenSky's REST answer: `time` and `states`."""
    return isinstance(document.get("states"), list) and "time" in document


def is_trace(document: Document) -> bool:
    """A readsb trace: `icao`, `timestamp` and `trace`."""
    return isinstance(document.get("trace"), list) and "icao" in document and "timestamp" in document


def is_aircraft_list(document: Document) -> bool:
    """An aircraft.json of readsb: `now` and `aircraft`."""
    return isinstance(document.get("aircraft"), list) and "now" in document


def is_playback(document: Document) -> bool:
    """An fr24 playback answer: `result.response.data.flight`."""
    return _flight_of(document) is not None


def opensky_rows(document: Document, tally: Tally) -> Iterator[Row | str]:
    """Rows of OpenSky state vectors, SI units turned; a string is the reason why a state gives none.

    Two layouts are told apart by their last columns: 18 columns with booleans at 15 and 16 is the list of 2017 (alert,
    spi, source), otherwise 15 is spi and 16 the source. Column 7 is barometric and 13 geometric altitude in both
    (domain.md 1.2, golden AC16). `time` is `time_position`; without one, `last_contact` and no position.
    """
    del tally
    for state in document["states"]:
        if not isinstance(state, list) or len(state) < _STATE_COLUMNS_MIN:
            yield "bad_row"
            continue
        address = field.icao24(state[0])
        if address is None:
            yield "no_identifier"
            continue
        placed_ms, heard_ms = unix_ms(state[3]), unix_ms(state[4])
        time_ms = placed_ms if placed_ms is not None else heard_ms
        if time_ms is None:
            yield "bad_time"
            continue
        old_layout = len(state) > _STATE_COLUMNS_MIN and isinstance(state[16], bool)
        told_by = number(state[17] if old_layout else state[16])
        row = _head(address, time_ms, _OPENSKY_SOURCES.get(int(told_by or 0), "adsb"))
        if placed_ms is not None:
            position(row, state[6], state[5])
        put(
            row,
            callsign=field.callsign(state[1]),
            alt_baro_ft=field.feet_from_m(state[7]),
            on_ground=field.flag(state[8]),
            gs_kn=field.knots_from_mps(state[9]),
            track_deg=field.track_deg(state[10]),
            vertical_rate_fpm=field.fpm_from_mps(state[11]),
            alt_geom_ft=field.feet_from_m(state[13]),
            squawk=field.squawk(state[14]),
        )
        yield row


def trace_rows(document: Document, tally: Tally) -> Iterator[Row | str]:
    """Rows of a readsb trace (readsb README-json.md): offsets from `timestamp`, feet, knots; then its static record."""
    address = field.icao24(document["icao"])
    start_ms = unix_ms(document["timestamp"])
    if address is None:
        tally.skip("no_icao_address")
        return
    if start_ms is None:
        yield "bad_time"
        return
    static = _aircraft_static(address, start_ms, document)
    if static is not None:
        yield static
    for point in document["trace"]:
        offset_s = number(point[0]) if isinstance(point, list) and len(point) >= _TRACE_COLUMNS_MIN else None
        if offset_s is None:
            yield "bad_row"
            continue
        time_ms = plausible_ms(start_ms + offset_s * 1000)
        yield "bad_time" if time_ms is None else _trace_row(address, time_ms, [*point, *[None] * 8])


def _trace_row(address: str, time_ms: int, point: list[Any]) -> Row:
    details = point[8] if isinstance(point[8], dict) else {}
    bits = int(number(point[6]) or 0)
    geometric = bool(bits & _TRACE_GEOMETRIC_ALTITUDE)
    row = _head(address, time_ms, _readsb_source(point[9] or details.get("type")))
    position(row, point[1], point[2])
    put(
        row,
        on_ground=point[3] == "ground" if point[3] is not None else None,
        alt_baro_ft=None if geometric else field.feet(point[3]),
        gs_kn=field.knots(point[4]),
        track_deg=field.track_deg(point[5]),
        vertical_rate_fpm=field.fpm(point[7]),
    )
    geometric_ft = field.feet(point[10]) if point[10] is not None else field.feet(details.get("alt_geom"))
    put(row, alt_geom_ft=field.feet(point[3]) if geometric and geometric_ft is None else geometric_ft)
    _put_quality(row, details)
    return row


def aircraft_list_rows(document: Document, tally: Tally) -> Iterator[Row | str]:
    """Rows of readsb's aircraft.json: `now` less `seen_pos` (a position) or `seen`; addresses with `~` are skipped."""
    now_ms = any_ms(document["now"])
    if now_ms is None:
        yield "bad_time"
        return
    for craft in document["aircraft"]:
        if not isinstance(craft, dict):
            yield "bad_row"
            continue
        address = field.icao24(craft.get("hex"))
        if address is None:
            tally.skip("no_icao_address")
            continue
        seen_s, placed_s = number(craft.get("seen")) or 0.0, number(craft.get("seen_pos"))
        placed = placed_s is not None and placed_s * 1000 <= POSITION_AGE_MS_MAX
        age_s = placed_s if placed and placed_s is not None else seen_s
        time_ms = plausible_ms(now_ms - age_s * 1000)
        if time_ms is None:
            yield "bad_time"
            continue
        altitude = craft.get("alt_baro")
        row = _head(address, time_ms, _readsb_source(craft.get("type")))
        if placed:
            position(row, craft.get("lat"), craft.get("lon"))
        put(
            row,
            on_ground=altitude == "ground" if altitude is not None else None,
            alt_baro_ft=field.feet(altitude),
            alt_geom_ft=field.feet(craft.get("alt_geom")),
            gs_kn=field.knots(craft.get("gs")),
            track_deg=field.track_deg(craft.get("track")),
            vertical_rate_fpm=field.fpm(craft.get("baro_rate", craft.get("geom_rate"))),
        )
        _put_quality(row, craft)
        yield row


def playback_rows(document: Document, tally: Tally) -> Iterator[Row | str]:
    """Rows of an fr24 playback: an altitude of 0 ft is how it writes "on the ground", a squawk of 0 "none"."""
    flight = _flight_of(document) or {}
    craft = _inside(flight, "aircraft", "identification")
    address = field.icao24(craft.get("modes"))
    if address is None:
        tally.skip("no_icao_address")
        return
    named = field.callsign(_inside(flight, "identification").get("callsign"))
    first = True
    for point in flight["track"]:
        time_ms = unix_ms(point.get("timestamp")) if isinstance(point, dict) else None
        if time_ms is None:
            yield "bad_time"
            continue
        if first:
            first = False
            said = {"r": craft.get("registration"), "t": _inside(flight, "aircraft", "model").get("code")}
            static = _aircraft_static(address, time_ms, said)
            if static is not None:
                yield static
        row = _head(address, time_ms, "adsb")
        position(row, point.get("latitude"), point.get("longitude"))
        height_ft = number(_inside(point, "altitude").get("feet"))
        put(
            row,
            on_ground=height_ft == 0 if height_ft is not None else None,
            alt_baro_ft=field.feet(height_ft) if height_ft else None,
            gs_kn=field.knots(_inside(point, "speed").get("kts")),
            vertical_rate_fpm=field.fpm(_inside(point, "verticalSpeed").get("fpm")),
            track_deg=field.track_deg(point.get("heading")),
            squawk=field.squawk(point.get("squawk")),
            callsign=named,
        )
        yield row


Rows: TypeAlias = Callable[[Document, Tally], Iterator[Row | str]]
FLIGHT_DOCUMENTS: tuple[tuple[Callable[[Document], bool], Rows], ...] = (
    (is_opensky, opensky_rows),
    (is_trace, trace_rows),
    (is_aircraft_list, aircraft_list_rows),
    (is_playback, playback_rows),
)


def document_rows(document: Any) -> Rows | None:
    """The reader of a decoded document, None when it is of no known kind."""
    if not isinstance(document, dict):
        return None
    return next((rows for fits, rows in FLIGHT_DOCUMENTS if fits(document)), None)


def read_flight_document(source: Source, tally: Tally, progress: Progress | None) -> Items:
    """Items of one document in one file, held in memory whole."""
    raw = source.document(progress)
    if isinstance(raw, Malformed):
        yield raw
        return
    yield from _document_items(raw, 1, tally)


def read_flight_document_lines(source: Source, tally: Tally, progress: Progress | None) -> Items:
    """Items of one document a line (a poller's log), streaming."""
    for line in source.lines(progress):
        if isinstance(line, Malformed):
            yield line
        elif line.raw.strip():
            yield from _document_items(line.raw, line.number, tally)


def _document_items(raw: bytes, place: int, tally: Tally) -> Iterator[Item]:
    try:
        document = msgspec.json.decode(raw)
    except JSON_FAULTS:
        yield malformed("bad_json", place, raw)
        return
    rows = document_rows(document)
    if rows is None:
        yield malformed("bad_row", place, raw)
        return
    for row in rows(document, tally):
        yield malformed(row, place, raw) if isinstance(row, str) else row


def _head(address: str, time_ms: int, source: str) -> Row:
    return {"class": "aircraft", "scheme": "icao24", "value": address, "time": time_ms, "source": source,
            "stream": "telemetry"}  # fmt: skip


def _aircraft_static(address: str, time_ms: int, said: Document) -> Row | None:
    row = _head(address, time_ms, "adsb") | {"stream": "static"}
    known = len(row)
    put(row, registration=text(said.get("r"), 12), type=text(said.get("t"), 60))
    return row if len(row) > known else None


def _put_quality(row: Row, said: Document) -> None:
    put(
        row,
        callsign=field.callsign(said.get("flight")),
        squawk=field.squawk(said.get("squawk")),
        nic=field.level(said.get("nic"), 11),
        nac_p=field.level(said.get("nac_p"), 11),
        sil=field.level(said.get("sil"), 3),
    )


def _readsb_source(named: Any) -> str:
    """`adsb`, `mlat`, `tisb`, `adsr`, `adsc`, `mode_s`: readsb's `type` without its address qualifier."""
    word = named.split("_", 1)[0] if isinstance(named, str) else ""
    return {"mlat": "mlat", "tisb": "tisb", "adsr": "adsr", "adsc": "adsc", "mode": "mode_s"}.get(word, "adsb")


def _flight_of(document: Document) -> Document | None:
    flight = _inside(document, "result", "response", "data", "flight")
    return flight if isinstance(flight.get("track"), list) else None


def _inside(document: Any, *names: str) -> dict[str, Any]:
    """The object under a path of keys; an empty one when anything on the way is none."""
    found = document
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
