"""Rows about aircraft, from CSV columns or JSON keys: one `FlightLayout` per exporter, all read by one function.

Adding a layout is one entry in `FLIGHT_LAYOUTS`. A state vector repeats an aircraft's last position while it hears other
messages; one older than `POSITION_AGE_MS_MAX` is left out of the record, where the row tells its age.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ingest.recordings import flight_fields as field
from ingest.recordings.instants import any_ms
from ingest.recordings.model import Row
from ingest.recordings.vessel_fields import number, position, text

POSITION_AGE_MS_MAX = 15_000  # OpenSky's own rule: no position when none was heard for 15 s (domain.md 1.2)

_NAMED: dict[str, Callable[[Any], Any]] = {
    "on_ground": field.flag,
    "squawk": field.squawk,
    "callsign": field.callsign,
    "track_deg": field.track_deg,
    "nic": lambda value: field.level(value, 11),
    "nac_p": lambda value: field.level(value, 11),
    "sil": lambda value: field.level(value, 3),
}
_AVIATION = {
    "gs_kn": field.knots,
    "alt_baro_ft": field.feet,
    "alt_geom_ft": field.feet,
    "vertical_rate_fpm": field.fpm,
}
_METRIC = {
    "gs_kn": field.knots_from_mps,
    "alt_baro_ft": field.feet_from_m,
    "alt_geom_ft": field.feet_from_m,
    "vertical_rate_fpm": field.fpm_from_mps,
}


class FlightLayout(NamedTuple):
    """How one exporter names things; `units` converts what has units, `channels` maps sensor names to columns.

    Without an `identifier` column the recording is of one aircraft, and its file's name stands in (scheme `local`).
    """

    name: str
    needs: frozenset[str]
    time: str
    columns: Mapping[str, str]
    identifier: str | None = "icao24"
    lat: str = "latitude"
    lon: str = "longitude"
    units: Mapping[str, Callable[[Any], Any]] = _AVIATION
    position_time: str | None = None
    source: str = "adsb"
    channels: Mapping[str, str] = {}


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split(","))


FLIGHT_LAYOUTS: tuple[FlightLayout, ...] = (
    FlightLayout(  # OpenSky's historical database and its CSV samples; SI units
        "opensky", _names("time,icao24,lat,lon,velocity,vertrate,baroaltitude"), "time",
        {"gs_kn": "velocity", "track_deg": "heading", "vertical_rate_fpm": "vertrate", "callsign": "callsign",
         "on_ground": "onground", "squawk": "squawk", "alt_baro_ft": "baroaltitude", "alt_geom_ft": "geoaltitude"},
        lat="lat", lon="lon", units=_METRIC, position_time="lastposupdate",
    ),
    FlightLayout(  # the `traffic` library's data frames
        "traffic", _names("timestamp,icao24,latitude,longitude"), "timestamp",
        {"gs_kn": "groundspeed", "track_deg": "track", "vertical_rate_fpm": "vertical_rate", "callsign": "callsign",
         "on_ground": "onground", "squawk": "squawk", "alt_baro_ft": "altitude", "alt_geom_ft": "geoaltitude",
         "nic": "nic", "nac_p": "nac_p", "sil": "sil"},
        position_time="last_position",
    ),
    FlightLayout(  # `traffic`'s fuel-flow sample: one aircraft's quick access recorder, kg/h and kg
        "quick_access_recorder", _names("timestamp,groundspeed,altitude,fuelflow"), "timestamp",
        {"gs_kn": "groundspeed", "track_deg": "track", "alt_baro_ft": "altitude"}, identifier=None, source="device",
        channels={"fuel_flow_kg_h": "fuelflow", "weight_kg": "weight", "cas_kn": "cas", "pitch_deg": "pitch",
                  "roll_deg": "roll", "vertical_acceleration_g": "vertical_acceleration"},
    ),
)  # fmt: skip


class FlightRows:
    """Turns rows of one layout into records; `own_name` is what a recording without identifiers is called."""

    def __init__(self, layout: FlightLayout, own_name: str) -> None:
        self._layout = layout
        self._own_name = own_name
        self._columns = [(name, column, (_NAMED.get(name) or layout.units[name])) for name, column in layout.columns.items()]

    def convert(self, values: Mapping[str, Any]) -> list[Row] | str:
        """The record of one row, or the reason why it gives none (`no_identifier`, `bad_time`)."""
        layout = self._layout
        if layout.identifier is None:
            scheme, value = "local", self._own_name
        else:
            found = field.icao24(values.get(layout.identifier))
            if found is None:
                return "no_identifier"
            scheme, value = "icao24", found
        time_ms = any_ms(values.get(layout.time))
        if time_ms is None:
            return "bad_time"
        row: Row = {"class": "aircraft", "scheme": scheme, "value": value, "time": time_ms, "source": layout.source}
        row["stream"] = "telemetry"
        placed = any_ms(values.get(layout.position_time)) if layout.position_time else None
        if placed is None or time_ms - placed <= POSITION_AGE_MS_MAX:
            position(row, values.get(layout.lat), values.get(layout.lon))
        for name, column, convert in self._columns:
            found = convert(values.get(column))
            if found is not None:
                row[name] = found
        sensed = {name: number(values.get(column)) for name, column in layout.channels.items()}
        channels = {name: reading for name, reading in sensed.items() if reading is not None}
        if channels:
            row["channels"] = channels
        return [row]


def own_name(stem: str) -> str:
    """A file's name as an identifier of scheme `local`: what the contract forbids in one is written `_`."""
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in stem)
    return text(plain, 64) or "recording"
