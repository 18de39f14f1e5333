"""What all readings share, and how a field of a reading is described.

A reading is one statement of one stream about one instant. It is built by `ingest.decode` alone, which has already turned
sentinels into None and bad optional fields into counts; inside the house a field is either right or None.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

FieldKind = Literal["number", "integer", "boolean", "text"]


class Field(NamedTuple):
    """One optional field of a class's reading: its name (unit last), kind and the range it must lie in.

    `low` and `high` are inclusive and in the field's own unit (text: `high` is the greatest length); `sentinels` are
    values that say "not available"; `noise` are ranges (both ends in) that sensors and receivers give in place of a value;
    `source` is where range and sentinels come from.
    """

    name: str
    kind: FieldKind
    low: float = float("-inf")
    high: float = float("inf")
    sentinels: tuple[float, ...] = ()
    source: str = ""
    noise: tuple[tuple[float, float], ...] = ()


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a reading that every asset class has.

    `time_us` is the event time in microseconds; `seq` is the device's counter or, where it gave none, the 63-bit hash of
    the decoded element (`seq_given` tells which), so that (stream, time, source, seq) is the idempotent key;
    `lat_deg` and `lon_deg` are WGS 84, both or neither; `channels` maps a sensor's name (unit last) to its value.
    """

    scheme: str
    value: str
    time_us: int
    seq: int
    seq_given: bool = False
    source: str = "device"
    lat_deg: float | None = None
    lon_deg: float | None = None
    channels: dict[str, float] = {}

    @property
    def name(self) -> str:
        """`scheme:value` as the reading named its asset."""
        return f"{self.scheme}:{self.value}"


class StaticReport(msgspec.Struct, frozen=True, kw_only=True):
    """Identity and voyage fields as the air said them at `time_us`; `particulars` maps field to text or number."""

    asset_class: str
    scheme: str
    value: str
    time_us: int
    source: str = "device"
    particulars: dict[str, str | float] = {}


STATIC_FIELDS: tuple[Field, ...] = (
    Field("name", "text", high=120),
    Field("call_sign", "text", high=12),
    Field("flag", "text", high=3),
    Field("imo", "text", high=7),
    Field("mmsi", "text", high=9),
    Field("registration", "text", high=12),
    Field("icao24", "text", high=6),
    Field("type", "text", high=60),
    Field("length_m", "number", 0, 600, sentinels=(0,), source="ITU-R M.1371-5 table 53: 0 = not available"),
    Field("beam_m", "number", 0, 126, sentinels=(0,), source="ITU-R M.1371-5 table 53: 0 = not available"),
    Field("draught_m", "number", 0, 25.5, sentinels=(0,), source="ITU-R M.1371-5 table 52: 0 = not available"),
    Field("destination", "text", high=120),
    Field("eta", "text", high=40),
)
