"""Bytes to values, pure and total: any topic and any payload become readings, reports or rejections, never an exception.

Sentinels and wrong optional fields die here: inside the house a field is either right or None. What becomes None is counted
by field and reason; what rejects is one element, not its array. Knows the words (`ingest.wire`) and the vocabulary (`fleet`);
does not know whose stream it is (`ingest.roster`) nor whether it came before.
"""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from fleet.asset_class import ASSET_CLASSES, AnyReading, AssetClass
from fleet.identifiers import check_digit_warning, identifier_fault
from fleet.instants import DAY_US, MINUTE_US, SECOND_US, from_datetime
from fleet.reading import STATIC_FIELDS, Field, StaticReport
from ingest.well_formed import (
    CHANNELS_MAX,
    NAME_CHARS_MAX,
    SEQ_MAX,
    assembled,
    element_of,
    is_channel_name,
    lone_element,
    reading_of,
)
from ingest.wire import ELEMENTS_MAX, MESSAGE_BYTES_MAX, TOPICS_KEPT_MAX, DeviceTopic, FeedTopic, parse_topic

FUTURE_US_MAX = 5 * MINUTE_US  # design 4.1: a clock further ahead is wrong, not early
EARLIEST_US = 631_152_000 * SECOND_US  # 1990-01-01: before it no tracked device measured anything (design 4.1)
GPS_ROLLOVER_US = 619_315_200 * SECOND_US  # 1,024 weeks (IS-GPS-200); a rolled receiver is that far behind
GPS_ROLLOVER_SLACK_US = 2 * DAY_US  # domain.md 3.4: a rolled clock is right but for the weeks

_SQUAWK = re.compile(r"[0-7]{4}")
_LEAP_SECOND = re.compile(r"^(.*T\d\d:\d\d):60(.*)$", re.IGNORECASE)
_ADDRESS_FIELDS = frozenset({"class", "scheme", "value", "stream"})
_HEADER_FIELDS = frozenset({"time", "seq", "source", "lat_deg", "lon_deg", "channels"}) | _ADDRESS_FIELDS
_RANGES: dict[str, dict[str, Field]] = {
    name: {field.name: field for field in entry.fields} for name, entry in ASSET_CLASSES.items()
}
_STATIC_RANGES = {field.name: field for field in STATIC_FIELDS}
_known_fault = lru_cache(200_000)(identifier_fault)  # three times the world's ships and airborne aircraft, as `traffic_max`
_known_warning = lru_cache(200_000)(check_digit_warning)


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Bad input as a value: a reason code, a detail for people, the raw bytes, and which element of the message it was."""

    reason: str
    detail: str
    payload: bytes
    element: int | None = None


class Status(msgspec.Struct, frozen=True):
    """A device or feed said that it is online, or its last will said that it is not."""

    online: bool


class Decoded(msgspec.Struct, kw_only=True):
    """What one message held. `received` counts its elements (1 for a message that could not be opened).

    `readings` and `statics` carry the index of their element; `nulled` counts optional fields made None by `field:reason`;
    `warnings` counts failed check digits of the addressing identifier by `scheme:warning`.
    """

    topic: DeviceTopic | FeedTopic | None
    payload: bytes = b""
    received: int = 1
    readings: list[tuple[int, AnyReading]] = []
    statics: list[tuple[int, StaticReport]] = []
    status: Status | None = None
    rejections: list[Rejection] = []
    nulled: dict[str, int] = {}
    unknown_fields: int = 0
    warnings: dict[str, int] = {}

    def raw(self, index: int) -> bytes:
        """The bytes of one element as they came, for a rejection that is found out later."""
        return _raw_element(self.payload, index)


class _RefusedError(Exception):
    """Carries a reason out of one element's decoding; never leaves this module."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def decode(topic: str, payload: bytes, now_us: int) -> Decoded:
    """Decode one message.

    Args:
        topic: as the broker gave it.
        payload: JSON, or MessagePack where the first byte says so (0x80 and above cannot begin JSON).
        now_us: wall time, for the check of times in the future and of GPS week rollovers.

    Returns: readings, static reports or a status, and a rejection with its reason for each element that is none of them.
    Errors: never raises (property test with arbitrary bytes and topics).
    """
    parsed, refusal, warning = _address_in(topic)
    decoded = Decoded(topic=parsed, payload=payload[:MESSAGE_BYTES_MAX])
    try:
        if parsed is None:
            raise _RefusedError("unknown_topic", topic[:200])
        if refusal is not None:
            raise _RefusedError(*refusal)
        if len(payload) > MESSAGE_BYTES_MAX:
            raise _RefusedError("message_too_large", f"{len(payload)} bytes")
        if parsed.kind == "status":
            decoded.status = _status(payload)
            return decoded
        if _decode_lone(decoded, parsed, payload, now_us):
            if warning is not None:
                _count(decoded.warnings, warning)
            return decoded
        elements = _elements(payload)
    except _RefusedError as bad:
        decoded.rejections.append(Rejection(reason=bad.reason, detail=bad.detail, payload=payload[:MESSAGE_BYTES_MAX]))
        return decoded
    decoded.received = len(elements)
    for index, element in enumerate(elements):
        try:
            _decode_element(decoded, parsed, index, element, now_us)
        except _RefusedError as bad:
            raw = _raw_element(payload, index)
            decoded.rejections.append(Rejection(reason=bad.reason, detail=bad.detail, payload=raw, element=index))
    return decoded


_RECORDED = {kind: FeedTopic("_", "recording", kind) for kind in ("telemetry", "static")}


def decode_record(record: dict[str, Any], now_us: int) -> Decoded:
    """Decode one record of a recording exactly as if a feed had published it.

    Args:
        record: as `ingest.wire.Record`; its `stream` says `telemetry` (default) or `static`.
        now_us: wall time, as for `decode`.

    Returns: one reading, one static report or one rejection. Errors: never raises.
    """
    topic = _RECORDED.get(record.get("stream") or "telemetry", _RECORDED["telemetry"])
    decoded = Decoded(topic=topic)
    try:
        _decode_element(decoded, topic, 0, record, now_us)
    except _RefusedError as bad:
        raw = repr(record)[:1000].encode()
        decoded.rejections.append(Rejection(reason=bad.reason, detail=bad.detail, payload=raw, element=0))
    return decoded


def _count(counts: dict[str, int], what: str) -> None:
    counts[what] = counts.get(what, 0) + 1


class _Address(NamedTuple):
    """What a topic names, why nothing under it is taken (reason and detail), and a failed check digit as `scheme:warning`."""

    topic: DeviceTopic | FeedTopic | None
    refusal: tuple[str, str] | None = None
    warning: str | None = None


@lru_cache(TOPICS_KEPT_MAX)
def _address_in(topic: str) -> _Address:
    parsed = parse_topic(topic)
    if parsed is None:
        return _Address(None)
    if isinstance(parsed, FeedTopic):
        is_bad = len(parsed.feed) > NAME_CHARS_MAX or "\x00" in parsed.feed
        return _Address(parsed, ("malformed_feed", parsed.feed[:200]) if is_bad else None)
    if parsed.asset_class not in ASSET_CLASSES:
        return _Address(parsed, ("unknown_class", parsed.asset_class[:200]))
    fault, name = identifier_fault(parsed.scheme, parsed.value), f"{parsed.scheme}:{parsed.value}"
    if fault is not None:
        return _Address(parsed, (fault, name[:200]))
    warning = check_digit_warning(parsed.scheme, parsed.value)
    return _Address(parsed, warning=None if warning is None else f"{parsed.scheme}:{warning}")


def _status(payload: bytes) -> Status:
    word = payload.strip().strip(b'"')
    if word not in {b"online", b"offline"}:
        raise _RefusedError("bad_status", repr(payload[:40]))
    return Status(word == b"online")


def _elements(payload: bytes) -> list[Any]:
    try:
        body = msgspec.msgpack.decode(payload) if payload[:1] >= b"\x80" else msgspec.json.decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError) as error:
        body = _lenient(payload)
        if body is None:
            raise _RefusedError("unparsable", str(error)[:200]) from None
    if not isinstance(body, list):
        return [body]
    if not body:
        raise _RefusedError("empty_array")
    if len(body) > ELEMENTS_MAX:
        raise _RefusedError("too_many_elements", str(len(body)))
    return body


def _lenient(payload: bytes) -> Any:
    """JSON with numbers that JSON does not have (NaN, Infinity, 1e999), as Python's own encoder writes; None if it is none.

    Such a number becomes null in its element, so that one of them does not cost the whole array.
    """
    if payload[:1] >= b"\x80":
        return None
    try:
        return json.loads(payload, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def _raw_element(payload: bytes, index: int) -> bytes:
    decoder = msgspec.msgpack.decode if payload[:1] >= b"\x80" else msgspec.json.decode
    try:
        return bytes(decoder(payload, type=list[msgspec.Raw])[index])
    except msgspec.MsgspecError:  # a lone element, not an array; or numbers that only `_lenient` reads
        return payload


def _decode_lone(decoded: Decoded, topic: DeviceTopic | FeedTopic, payload: bytes, now_us: int) -> bool:
    """The quick way for the one reading of a device's message; False, and nothing done, where anything is not as it should be."""
    if isinstance(topic, FeedTopic) or topic.kind == "static":
        return False
    element = lone_element(topic.asset_class, payload)
    if element is None:
        return False
    try:
        time_us = _time_us(element.time, now_us)
    except _RefusedError:
        return False
    reading = reading_of(ASSET_CLASSES[topic.asset_class], topic.scheme, topic.value, time_us, element)
    if reading is None:
        return False
    decoded.readings.append((0, reading))
    return True


def _decode_element(decoded: Decoded, topic: DeviceTopic | FeedTopic, index: int, element: object, now_us: int) -> None:
    if not isinstance(element, dict):
        raise _RefusedError("not_an_object", type(element).__name__)
    asset_class, scheme, value = _address(topic, element)
    time_us = _time_us(element.get("time"), now_us)
    warning = _known_warning(scheme, value)
    if warning is not None:
        _count(decoded.warnings, f"{scheme}:{warning}")
    if topic.kind == "static":
        decoded.statics.append((index, _static(decoded, asset_class, scheme, value, time_us, element)))
        return
    entry = ASSET_CLASSES[asset_class]
    right = element_of(asset_class, element, addressed=isinstance(topic, FeedTopic))
    reading = None if right is None else reading_of(entry, scheme, value, time_us, right)
    if reading is None:
        reading = _reading(decoded, entry, scheme, value, time_us, element)
    decoded.readings.append((index, reading))


def _address(topic: DeviceTopic | FeedTopic, element: dict[str, Any]) -> tuple[str, str, str]:
    if isinstance(topic, DeviceTopic):
        return topic.asset_class, topic.scheme, topic.value
    asset_class, scheme, value = element.get("class"), element.get("scheme"), element.get("value")
    if not (isinstance(asset_class, str) and isinstance(scheme, str) and isinstance(value, str)):
        raise _RefusedError("missing_identifier")
    if asset_class not in ASSET_CLASSES:
        raise _RefusedError("unknown_class", asset_class[:200])
    fault = _known_fault(scheme, value)
    if fault is not None or not value.isprintable():
        raise _RefusedError(fault or "malformed_identifier", ascii(f"{scheme}:{value}")[:200])
    return asset_class, scheme, value


def _time_us(given: object, now_us: int) -> int:
    """Instant of an element. Source of the bounds: design 4.1; of `:60` as the next second: domain.md 3.4."""
    if given is None:
        raise _RefusedError("missing_time")
    if isinstance(given, int) and not isinstance(given, bool):
        time_us = given * 1000
    elif isinstance(given, str):
        time_us = _rfc3339_us(given)
    else:
        raise _RefusedError("bad_time", repr(given)[:80])
    if time_us < EARLIEST_US:
        raise _RefusedError("time_before_1990", str(given)[:80])
    if time_us > now_us + FUTURE_US_MAX:
        raise _RefusedError("time_in_future", str(given)[:80])
    if abs(now_us - time_us - GPS_ROLLOVER_US) < GPS_ROLLOVER_SLACK_US:
        raise _RefusedError("gps_week_rollover", str(given)[:80])
    return time_us


def _rfc3339_us(text: str) -> int:
    leap = _LEAP_SECOND.match(text)
    try:
        moment = msgspec.convert(f"{leap[1]}:59{leap[2]}" if leap else text, datetime)
        if moment.tzinfo is None:
            raise _RefusedError("bad_time", f"{text[:80]}: no offset")
        return from_datetime(moment) + (SECOND_US if leap else 0)
    except (msgspec.ValidationError, ValueError, OverflowError):
        raise _RefusedError("bad_time", text[:80]) from None


def _reading(
    decoded: Decoded, asset_class: AssetClass, scheme: str, value: str, time_us: int, element: dict[str, Any]
) -> AnyReading:
    ranges = _RANGES[asset_class.name]
    position = _position(decoded, element)
    fields: dict[str, Any] = {}
    for name, given in element.items():
        field = ranges.get(name)
        if field is not None:
            if given is not None:
                kept = _field(decoded, field, given)
                if kept is not None:
                    fields[name] = kept
        elif name not in _HEADER_FIELDS or (name in _ADDRESS_FIELDS and isinstance(decoded.topic, DeviceTopic)):
            decoded.unknown_fields += 1
    channels = _channels(decoded, element["channels"]) if element.get("channels") is not None else {}
    source = _source(decoded, element)
    seq = _seq(decoded, element.get("seq"))
    return assembled(asset_class, (scheme, value), time_us, source, seq, position, fields, channels)


def _position(decoded: Decoded, element: dict[str, Any]) -> tuple[float | None, float | None]:
    lat, lon = element.get("lat_deg"), element.get("lon_deg")
    if (lat is None) != (lon is None):
        raise _RefusedError("lone_coordinate", "lat_deg" if lon is None else "lon_deg")
    if lat is None or lon is None:
        return None, None
    lat_deg, lon_deg = _number(lat), _number(lon)
    if lat_deg is None or lon_deg is None:
        _count(decoded.nulled, "position:not_a_number")
        return None, None
    if lat_deg == 91 or lon_deg == 181:
        _count(decoded.nulled, "position:sentinel")
        return None, None
    if abs(lat_deg) > 90 or abs(lon_deg) > 180:
        _count(decoded.nulled, "position:out_of_range")
        return None, None
    return lat_deg, -180.0 if lon_deg == 180 else lon_deg


def _number(given: object) -> float | None:
    """A finite float of a JSON number; None for anything else, bool and integers beyond a float's reach included."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    try:
        number = float(given)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _field(decoded: Decoded, field: Field, given: object) -> float | int | bool | str | None:
    """One optional field in its kind and range, or None with the reason counted."""
    kept: float | int | bool | str | None = None
    reason = "wrong_type"
    if field.kind == "boolean":
        kept = given if isinstance(given, bool) else None
    elif field.kind == "text":
        if isinstance(given, str):
            kept, reason = _text(field, given)
            if reason == "empty":
                return None
    else:
        number = _number(given)
        if number is not None:
            kept, reason = _ranged(field, number)
    if kept is None:
        _count(decoded.nulled, f"{field.name}:{reason}")
    return kept


def _ranged(field: Field, number: float) -> tuple[float | int | None, str]:
    if field.name == "track_deg" and number == 360:
        return 0.0, ""  # due north is written both ways; 360 is no sentinel in ADS-B
    if number in field.sentinels:
        return None, "sentinel"
    if any(low <= number <= high for low, high in field.noise):
        return None, "noise"
    if not field.low <= number <= field.high:
        return None, "out_of_range"
    if field.kind == "integer":
        return (int(number), "") if number == int(number) else (None, "wrong_type")
    return number, ""


def _text(field: Field, given: str) -> tuple[str | None, str]:
    kept = given.strip()
    if not kept:
        return None, "empty"
    if len(kept) > field.high:
        return None, "too_long"
    if "\x00" in kept or not kept.isprintable():
        return None, "unprintable"
    if field.name == "squawk" and not _SQUAWK.fullmatch(kept):
        return None, "out_of_range"
    if field.name == "icao24":
        kept = kept.lower()
    return kept, ""


def _channels(decoded: Decoded, given: object) -> dict[str, float]:
    if not isinstance(given, dict):
        _count(decoded.nulled, "channels:wrong_type")
        return {}
    kept: dict[str, float] = {}
    for name, raw in given.items():
        if raw is None:
            continue
        number = _number(raw)
        if not isinstance(name, str) or not is_channel_name(name):
            _count(decoded.nulled, "channels:bad_name")
        elif number is None:
            _count(decoded.nulled, f"{name}:not_a_number")
        elif len(kept) >= CHANNELS_MAX:
            _count(decoded.nulled, "channels:too_many")
        else:
            kept[name] = number
    return kept


def _source(decoded: Decoded, element: dict[str, Any]) -> str:
    given = element.get("source")
    if given is None:
        return "device"
    if isinstance(given, str) and 0 < len(given) <= NAME_CHARS_MAX and given.isprintable():
        return given
    _count(decoded.nulled, "source:wrong_type")
    return "device"


def _seq(decoded: Decoded, given: object) -> int | None:
    if given is None:
        return None
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= SEQ_MAX:
        return given
    _count(decoded.nulled, "seq:out_of_range")
    return None


def _static(decoded: Decoded, asset_class: str, scheme: str, value: str, time_us: int, element: dict[str, Any]) -> StaticReport:
    particulars: dict[str, str | float] = {}
    for name, given in element.items():
        field = _STATIC_RANGES.get(name)
        if field is None:
            decoded.unknown_fields += name not in _HEADER_FIELDS
            continue
        if given is None:
            continue
        kept = _field(decoded, field, given)
        if kept is not None:
            particulars[name] = kept
    return StaticReport(
        asset_class=asset_class,
        scheme=scheme,
        value=value,
        time_us=time_us,
        source=_source(decoded, element),
        particulars=particulars,
    )
