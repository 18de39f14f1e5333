"""Rows about ships, from CSV columns or JSON keys: one `VesselLayout` per exporter, all read by one function.

A row gives a `telemetry` record, and a `static` record when its static columns differ from the last ones of that MMSI, or say the
same half an hour later.
Adding a layout is one entry in `VESSEL_LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ingest.recordings import vessel_fields as field
from ingest.recordings.ais_messages import AHEAD_MS_MAX, POSITION_TYPES, USED_TYPES
from ingest.recordings.instants import any_ms, at_second_of_minute, danish_ms, exact_earth_ms, iso_ms, unix_ms
from ingest.recordings.model import Row, Tally

STATIC_AGAIN_MS = 30 * 60 * 1000  # chosen: ships say it every 6 min; rules ask that it was said twice, half an hour apart
STATIC_SEEN_MAX = 200_000  # ships whose last static columns are remembered; chosen: three times the world's fleet

Values = Mapping[str, Any]

_CONVERT: dict[str, Callable[[Any], Any]] = {
    "sog_kn": field.sog_kn,
    "cog_deg": field.angle_deg,
    "heading_deg": field.angle_deg,
    "rot_deg_min": field.rot_deg_min,
    "nav_status": field.nav_status,
    "name": field.text,
    "call_sign": lambda value: field.text(value, 12),
    "imo": field.imo,
    "type": field.ship_type,
    "length_m": lambda value: field.length(value, 1022),
    "beam_m": lambda value: field.length(value, 126),
    "draught_m": field.draught_m,
    "destination": field.text,
    "eta": lambda value: field.text(value, 40),
}
_MOTION = ("sog_kn", "cog_deg", "heading_deg", "rot_deg_min", "nav_status")


class VesselLayout(NamedTuple):
    """How one exporter names things.

    `needs` are the normalised column names that tell the layout; `columns` maps fields of the contract to columns. `time`
    is read by `read_time`; `milliseconds` and `second` name columns that refine it. `message_type` names the AIS type,
    `station` or `receiver` what hints at a satellite; `mobile` the Danish class of station. `dimensions` are
    bow, stern, port, starboard; `eta_parts` month, day, hour, minute.
    """

    name: str
    needs: frozenset[str]
    identifier: str
    time: str
    read_time: Callable[[Any], int | None]
    lat: str
    lon: str
    columns: Mapping[str, str]
    scheme: str = "mmsi"
    source: str = "ais_terrestrial"
    milliseconds: str | None = None
    second: str | None = None
    message_type: str | None = None
    station: str | None = None
    receiver: str | None = None
    mobile: str | None = None
    dimensions: tuple[str, str, str, str] | None = None
    eta_parts: tuple[str, str, str, str] | None = None


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split(","))


_GFW = {
    "sog_kn": "speed", "cog_deg": "course", "heading_deg": "heading", "rot_deg_min": "turn", "nav_status": "status",
    "name": "shipname", "call_sign": "callsign", "imo": "imo", "type": "shiptype", "draught_m": "draught",
    "destination": "destination", "length_m": "length", "beam_m": "width",
}  # fmt: skip

VESSEL_LAYOUTS: tuple[VesselLayout, ...] = (
    VesselLayout(  # United States, coast.noaa.gov/digitalcoast/tools/ais.html; to 2023
        "marine_cadastre", _names("mmsi,basedatetime,lat,lon,sog,cog"), "mmsi", "basedatetime", iso_ms, "lat", "lon",
        {"sog_kn": "sog", "cog_deg": "cog", "heading_deg": "heading", "nav_status": "status", "name": "vesselname",
         "imo": "imo", "call_sign": "callsign", "type": "vesseltype", "length_m": "length", "beam_m": "width",
         "draught_m": "draft"},
    ),
    VesselLayout(  # the same service from 2024 on
        "marine_cadastre", _names("mmsi,base_date_time,longitude,latitude,sog,cog"), "mmsi", "base_date_time", iso_ms,
        "latitude", "longitude",
        {"sog_kn": "sog", "cog_deg": "cog", "heading_deg": "heading", "nav_status": "status", "name": "vessel_name",
         "imo": "imo", "call_sign": "call_sign", "type": "vessel_type", "length_m": "length", "beam_m": "width",
         "draught_m": "draft"},
    ),
    VesselLayout(  # Danish Maritime Authority, web.ais.dk/aisdata
        "dma", _names("timestamp,type of mobile,mmsi,latitude,longitude,sog,cog"), "mmsi", "timestamp", danish_ms,
        "latitude", "longitude",
        {"sog_kn": "sog", "cog_deg": "cog", "heading_deg": "heading", "rot_deg_min": "rot",
         "nav_status": "navigational status", "name": "name", "imo": "imo", "call_sign": "callsign",
         "type": "ship type", "length_m": "length", "beam_m": "width", "draught_m": "draught",
         "destination": "destination", "eta": "eta"},
        mobile="type of mobile",
    ),
    VesselLayout(  # exactEarth's decoded messages, 139 columns; a satellite service
        "exact_earth", _names("mmsi,message_id,time,millisecond,longitude,latitude,sog,cog"), "mmsi", "time",
        exact_earth_ms, "latitude", "longitude",
        {"sog_kn": "sog", "cog_deg": "cog", "heading_deg": "heading", "rot_deg_min": "rot",
         "nav_status": "navigational_status", "name": "vessel_name", "imo": "imo", "call_sign": "call_sign",
         "type": "ship_type", "draught_m": "draught", "destination": "destination"},
        source="ais_satellite", milliseconds="millisecond", second="utc_second", message_type="message_id",
        dimensions=("dimension_to_bow", "dimension_to_stern", "dimension_to_port", "dimension_to_starboard"),
        eta_parts=("eta_month", "eta_day", "eta_hour", "eta_minute"),
    ),
    VesselLayout(  # Global Fishing Watch, gpsdio messages
        "gfw", _names("timestamp,mmsi,type,lat,lon,speed,course"), "mmsi", "timestamp", any_ms, "lat", "lon", _GFW,
        message_type="type", station="tagblock_station",
    ),
    VesselLayout(  # Global Fishing Watch, pipeline messages: gaps and segments
        "gfw", _names("ssvid,timestamp,lat,lon"), "ssvid", "timestamp", any_ms, "lat", "lon", _GFW,
        receiver="receiver_type",
    ),
    VesselLayout(  # Stone Soup's Solent demonstration
        "stonesoup", _names("time,mmsi,latitude_degrees,longitude_degrees"), "mmsi", "time", iso_ms,
        "latitude_degrees", "longitude_degrees", {"cog_deg": "cog_degrees", "sog_kn": "sog_knots"},
    ),
    VesselLayout(  # M3-Archimedes: blank separated, own numbers instead of MMSI; its speeds are derived, so not read
        "m3", _names("id,lon,lat,t"), "id", "t", unix_ms, "lat", "lon", {}, scheme="local",
    ),
)  # fmt: skip


class VesselRows:
    """Turns rows of one layout into records; remembers each ship's last static columns, at most `STATIC_SEEN_MAX`."""

    def __init__(self, layout: VesselLayout, tally: Tally) -> None:
        self._layout = layout
        self._tally = tally
        self._static_seen: dict[str, tuple[Row, int]] = {}
        self._motion = [(name, layout.columns[name]) for name in _MOTION if name in layout.columns]
        self._static = [(name, column) for name, column in layout.columns.items() if name not in _MOTION]

    def convert(self, values: Values) -> list[Row] | str:
        """The records of one row, or the reason why it gives none (`no_identifier`, `bad_time`)."""
        layout = self._layout
        if layout.message_type is not None and self._type_of(values) not in USED_TYPES:
            kind = self._type_of(values)
            self._tally.skip(f"ais_type_{kind}" if kind is not None and 0 <= kind < 64 else "ais_type_other")
            return []
        if layout.mobile is not None and not str(values.get(layout.mobile, "")).startswith("Class"):
            self._tally.skip("not_a_ship")
            return []
        named = values.get(layout.identifier)
        value = field.mmsi(named) if layout.scheme == "mmsi" else field.text(str(named).strip(), 64)
        if value is None or (layout.scheme == "local" and not value.isalnum()):
            return "no_identifier"
        time_ms = self._time_of(values)
        if time_ms is None:
            return "bad_time"
        head: Row = {"class": "vessel", "scheme": layout.scheme, "value": value, "time": time_ms}
        head["source"] = self._source_of(values)
        return self._records(head, values)

    def _records(self, head: Row, values: Values) -> list[Row]:
        layout = self._layout
        telemetry: Row = head | {"stream": "telemetry"}
        known = len(telemetry)
        if layout.message_type is None or self._type_of(values) in POSITION_TYPES:
            field.position(telemetry, values.get(layout.lat), values.get(layout.lon))
            for name, column in self._motion:
                found = _CONVERT[name](values.get(column))
                if found is not None:
                    telemetry[name] = found
        static = self._static_of(head, values)
        if static is None or len(telemetry) > known:
            return [telemetry] if static is None else [static, telemetry]
        return [static]

    def _static_of(self, head: Row, values: Values) -> Row | None:
        said: Row = {}
        for name, column in self._static:
            found = _CONVERT[name](values.get(column))
            if found is not None:
                said[name] = found
        if self._layout.dimensions is not None:
            bow, stern, port, starboard = (field.number(values.get(column)) or 0 for column in self._layout.dimensions)
            field.put(said, length_m=field.length(bow + stern, 1022), beam_m=field.length(port + starboard, 126))
        if self._layout.eta_parts is not None:
            field.put(said, eta=field.eta_text(*(values.get(column) for column in self._layout.eta_parts)))
        before, before_ms = self._static_seen.get(head["value"], (None, 0))
        if not said or (before == said and head["time"] - before_ms < STATIC_AGAIN_MS):
            return None
        self._static_seen.pop(head["value"], None)
        while len(self._static_seen) >= STATIC_SEEN_MAX:
            del self._static_seen[next(iter(self._static_seen))]
        self._static_seen[head["value"]] = (said, head["time"])
        return head | {"stream": "static"} | said

    def _time_of(self, values: Values) -> int | None:
        layout = self._layout
        time_ms = layout.read_time(values.get(layout.time))
        if time_ms is None:
            return None
        if layout.milliseconds is not None:
            time_ms += int(field.ranged(values.get(layout.milliseconds), 0, 1000) or 0)
        if layout.second is not None and self._type_of(values) in POSITION_TYPES:
            second = field.number(values.get(layout.second))
            if second is not None:
                time_ms = at_second_of_minute(time_ms, int(second), ahead_ms_max=AHEAD_MS_MAX)
        return time_ms

    def _type_of(self, values: Values) -> int | None:
        found = field.number(values.get(self._layout.message_type or ""))
        return None if found is None else int(found)

    def _source_of(self, values: Values) -> str:
        layout = self._layout
        station = values.get(layout.station) if layout.station else None
        satellite = isinstance(station, str) and field.satellite_station(station)
        satellite = satellite or bool(layout.receiver and values.get(layout.receiver) == "satellite")
        satellite = satellite or bool(layout.message_type and self._type_of(values) == 27)
        return "ais_satellite" if satellite else layout.source
