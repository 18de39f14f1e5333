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


class Element(msgspec.Struct, kw_only=True):
    """What an element of any class carries; each class adds its own fields to it."""

    time: int | str


@lru_cache(10_000)  # as many sensor names as the store registers
def is_channel_name(name: str) -> bool:
    """Whether a sensor may be called so: 1 to 64 of a-z, 0-9 and _ (contract)."""
    return _CHANNEL_NAME.fullmatch(name) is not None


@lru_cache(1_000)  # a device says the same ones every time; chosen: more makes of engine room than sail
def _are_channel_names(names: tuple[str, ...]) -> bool:
    return all(map(is_channel_name, names))


def content_seq(content: object) -> int:
    """63-bit hash (BLAKE2b, first 8 bytes, sign bit cleared) that stands in for a missing `seq` (design 5.3)."""
    digest = blake2b(_canonical.encode(content), digest_size=8).digest()
    return int.from_bytes(digest) & SEQ_MAX


def element_of(asset_class: str, given: dict[str, Any], *, addressed: bool) -> Element | None:
    """An element in which every field is of its kind and in its range; None when one is not, which says nothing about which.

    Args:
        asset_class: of the address.
        given: as JSON or MessagePack gave it.
        addressed: whether the element carries `class`, `scheme` and `value` (on a feed) or must not (on a device's topic).
    """
    try:
        return msgspec.convert(given, _ELEMENTS[asset_class, addressed])
    except msgspec.ValidationError:
        return None


def lone_element(asset_class: str, payload: bytes) -> Element | None:
    """`element_of` for the one element of a device's message, read from its bytes; None also for an array and for other bytes."""
    of_json, of_msgpack = _LONE[asset_class]
    try:
        return of_msgpack.decode(payload) if payload[:1] >= b"\x80" else of_json.decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError):
        return None


def reading_of(asset_class: AssetClass, scheme: str, value: str, time_us: int, element: Element) -> AnyReading | None:
    """The reading of an element; None where fields that are right one by one do not go together, or are noise.

    Args:
        asset_class: of the address.
        scheme: of the address, judged already.
        value: likewise.
        time_us: instant of the element, judged already.
        element: of that class.
    """
    said: dict[str, Any] = msgspec.to_builtins(element)  # only what was said
    del said["time"]
    if "class" in said:
        for name in _ADDRESS:
            said.pop(name, None)
    lat_deg, lon_deg = said.pop("lat_deg", None), said.pop("lon_deg", None)
    if (lat_deg is None) != (lon_deg is None):
        return None
    channels: dict[str, float] = said.pop("channels", None) or {}
    if channels and not (_are_channel_names(tuple(channels)) and isfinite(sum(channels.values()))):
        return None
    for name, ranges in _NOISE[asset_class.name]:
        figure = said.get(name)
        if figure is not None and any(low <= figure <= high for low, high in ranges):
            return None
    source, seq = said.pop("source", "device"), said.pop("seq", None)
    return assembled(asset_class, (scheme, value), time_us, source, seq, (lat_deg, lon_deg), said, channels)


def assembled(
    asset_class: AssetClass,
    address: tuple[str, str],
    time_us: int,
    source: str,
    seq: int | None,
    position: tuple[float | None, float | None],
    fields: dict[str, Any],
    channels: dict[str, float],
) -> AnyReading:
    """The reading of parts that were judged; where none was given its `seq` is that of its content.

    Args:
        asset_class: which type of reading.
        address: scheme and value.
        time_us: instant of the element.
        source: who says so.
        seq: as given, or None.
        position: latitude and longitude in degrees, both or neither.
        fields: of the class, such as were said.
        channels: sensors by name.
    """
    (scheme, value), (lat_deg, lon_deg) = address, position
    given_seq = seq is not None
    if seq is None:
        seq = content_seq((asset_class.name, scheme, value, time_us, source, lat_deg, lon_deg, fields, channels))
    return asset_class.reading_type(
        scheme=scheme,
        value=value,
        time_us=time_us,
        seq=seq,
        seq_given=given_seq,
        source=source,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        channels=channels,
        **fields,
    )


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


def _element_type(asset_class: AssetClass, *, addressed: bool) -> type[Element]:
    header: list[Any] = [
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
    made: type[Element] = msgspec.defstruct(  # type: ignore[assignment]  # of `Element`, its only base
        name,
        header + fields,
        bases=(Element,),
        rename={"class_": "class"},
        forbid_unknown_fields=True,
        omit_defaults=True,
        kw_only=True,
    )
    return made


_ADDRESS = ("class", "scheme", "value", "stream")
_NOISE = {
    name: tuple((field.name, field.noise) for field in entry.fields if field.noise) for name, entry in ASSET_CLASSES.items()
}
_ELEMENTS = {
    (name, addressed): _element_type(entry, addressed=addressed)
    for name, entry in ASSET_CLASSES.items()
    for addressed in (True, False)
}
_LONE = {
    name: (msgspec.json.Decoder(_ELEMENTS[name, False]), msgspec.msgpack.Decoder(_ELEMENTS[name, False]))
    for name in ASSET_CLASSES
}
