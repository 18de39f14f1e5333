"""The quick way for an element in which nothing is wrong: one typed conversion in place of a look at each field.

An element that fits its class's type to the letter (every field of its kind and in its range, no sentinel, no unknown field)
becomes a reading here; any other is left to `ingest.decode`, which says what is wrong with it. Both ways give the same reading,
and a property test holds them to that. Knows `fleet`'s fields; counts nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from math import isfinite
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from fleet.asset_class import ASSET_CLASSES, AnyReading, AssetClass
from fleet.reading import Field

CHANNELS_MAX = 256  # chosen: five times the sensors of the best instrumented engine feed; bounds one reading
NAME_CHARS_MAX = 64
SEQ_MAX = (1 << 63) - 1

_TEXT = r"\A[!-~]([ -~]*[!-~])?\Z"  # printable ASCII without blanks at its ends: what a look at each character would keep
_PATTERNS = {"squawk": r"\A[0-7]{4}\Z"}
_CHANNEL_NAME = re.compile(r"[a-z0-9_]{1,64}")
_canonical = msgspec.json.Encoder(order="deterministic")


@lru_cache(10_000)  # as many sensor names as the store registers
def is_channel_name(name: str) -> bool:
    """Whether a sensor may be called so: 1 to 64 of a-z, 0-9 and _ (contract)."""
    return _CHANNEL_NAME.fullmatch(name) is not None


def content_seq(content: object) -> int:
    """63-bit hash (BLAKE2b, first 8 bytes, sign bit cleared) that stands in for a missing `seq` (design 5.3)."""
    digest = blake2b(_canonical.encode(content), digest_size=8).digest()
    return int.from_bytes(digest) & SEQ_MAX


def well_formed(
    asset_class: AssetClass, scheme: str, value: str, time_us: int, element: dict[str, Any], *, addressed: bool
) -> AnyReading | None:
    """The reading of an element in which every field is right; None when one is not, which says nothing about which.

    Args:
        asset_class: of the address.
        scheme: of the address, judged already.
        value: likewise.
        time_us: instant of the element, judged already.
        element: as JSON or MessagePack gave it.
        addressed: whether the element carries `class`, `scheme` and `value` (on a feed) or must not (on a device's topic).
    """
    try:
        said = msgspec.structs.asdict(msgspec.convert(element, _ELEMENTS[asset_class.name, addressed]))
    except msgspec.ValidationError:
        return None
    channels: dict[str, float] = said["channels"]
    if (said["lat_deg"] is None) != (said["lon_deg"] is None):
        return None
    if channels and not (all(map(is_channel_name, channels)) and all(map(isfinite, channels.values()))):
        return None
    for name, ranges in _NOISE[asset_class.name]:
        value_given = said[name]
        if value_given is not None and any(low <= value_given <= high for low, high in ranges):
            return None
    for name in _ADDRESS if addressed else ("time",):
        del said[name]
    said["seq_given"] = said["seq"] is not None
    if not said["seq_given"]:
        fields = {name: said[name] for name in _NAMES[asset_class.name] if said[name] is not None}
        where = (said["lat_deg"], said["lon_deg"])
        said["seq"] = content_seq((asset_class.name, scheme, value, time_us, said["source"], *where, fields, channels))
    return asset_class.reading_type(scheme=scheme, value=value, time_us=time_us, **said)


def _type_of(field: Field) -> Any:
    """The type whose values `ingest.decode` keeps as they are. A sentinel inside the range would slip through: none is."""
    if any(field.low <= sentinel <= field.high for sentinel in field.sentinels):
        raise ValueError(f"{field.name}: a sentinel lies within the range")
    if field.kind == "boolean":
        return bool | None
    if field.kind == "text":
        pattern = _PATTERNS.get(field.name, _TEXT)
        return Annotated[str, Meta(min_length=1, max_length=int(field.high), pattern=pattern)] | None
    if field.kind == "integer":
        return Annotated[int, Meta(ge=int(field.low), le=int(field.high))] | None
    return Annotated[float, Meta(ge=field.low, le=field.high)] | None


def _element_type(asset_class: AssetClass, *, addressed: bool) -> type[msgspec.Struct]:
    header: list[Any] = [
        ("time", int | str),
        ("seq", Annotated[int, Meta(ge=0, le=SEQ_MAX)] | None, None),
        ("source", Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX, pattern=_TEXT)], "device"),
        ("lat_deg", Annotated[float, Meta(ge=-90, le=90)] | None, None),
        ("lon_deg", Annotated[float, Meta(ge=-180, lt=180)] | None, None),
        ("channels", Annotated[dict[str, float], Meta(max_length=CHANNELS_MAX)], msgspec.field(default_factory=dict)),
    ]
    if addressed:
        header += [("class_", str, ""), ("scheme", str, ""), ("value", str, ""), ("stream", str, "")]
    fields: list[Any] = [(field.name, _type_of(field), None) for field in asset_class.fields]
    name = f"{asset_class.name.capitalize()}Element"
    return msgspec.defstruct(name, header + fields, rename={"class_": "class"}, forbid_unknown_fields=True, kw_only=True)


_ADDRESS = ("time", "class_", "scheme", "value", "stream")
_NAMES = {name: tuple(field.name for field in entry.fields) for name, entry in ASSET_CLASSES.items()}
_NOISE = {
    name: tuple((field.name, field.noise) for field in entry.fields if field.noise) for name, entry in ASSET_CLASSES.items()
}
_ELEMENTS = {
    (name, addressed): _element_type(entry, addressed=addressed)
    for name, entry in ASSET_CLASSES.items()
    for addressed in (True, False)
}
