"""The quick ways of decoding say what the careful way says, for every element."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet.asset_class import ASSET_CLASSES
from fleet.reading import Field
from ingest.decode import Decoded, decode
from ingest.wire import device_topic, encode_json, encode_msgpack, feed_topic

NOW_US = 1_795_330_800_000_000  # 2026-11-22T07:00:00Z
NOW_MS = NOW_US // 1000
ADDRESS = {"vessel": ("imo", "9074729"), "aircraft": ("icao24", "3c6444"), "trainset": ("evn", "918061450013")}
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, "", " x ", "\n", "é", 0, -1, 15, 91, 181, 360, 511, 102.3, 1e300, 5.0, [], {}]
)
CHANNELS = st.dictionaries(
    st.sampled_from(["me_rpm", "egt_c", "BAD", "a" * 64, "a" * 65, ""]), st.floats() | st.integers() | ODD, max_size=3
)


def values(field: Field) -> st.SearchStrategy[Any]:
    """Mostly what a device says, sometimes what none should."""
    if field.kind == "boolean":
        return st.booleans() | ODD
    if field.kind == "text":
        return st.sampled_from(["7700", "1200", "KLM12", "9999", "A B", " A", "A" * 61, "é"]) | ODD
    low, high = max(field.low, -1e9), min(field.high, 1e9)
    if field.kind == "integer":
        return st.integers(int(low), int(high)) | ODD
    edges = [field.low, field.high, *field.sentinels, *(edge for ends in field.noise for edge in ends)]
    return st.floats(low, high) | st.integers(int(low) + 1, int(high)) | st.sampled_from(edges) | ODD


@st.composite
def elements(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    asset_class = draw(st.sampled_from(sorted(ASSET_CLASSES)))
    optional: dict[str, st.SearchStrategy[Any]] = {field.name: values(field) for field in ASSET_CLASSES[asset_class].fields}
    optional |= {
        "seq": st.integers(-1, 1 << 64) | ODD,
        "source": st.sampled_from(["adsb", "device", "x" * 65]) | ODD,
        "channels": CHANNELS | ODD,
        "lat_deg": st.floats(-91, 91) | ODD,
        "lon_deg": st.floats(-181, 181) | ODD,
        "stranger": ODD,
    }
    time = draw(st.sampled_from([NOW_MS, float(NOW_MS), 0, None, "2026-11-22T07:00:00Z", "2026-11-22T06:59:60.25+00:00"]))
    return asset_class, {"time": time, **draw(st.fixed_dictionaries({}, optional=optional))}


def told(decoded: Decoded) -> tuple[Any, ...]:
    """Everything that decoding says, with the kinds of numbers (12 and 12.0 are equal, and not the same)."""
    return (
        decoded.received,
        repr(decoded.readings),
        decoded.rejections,
        decoded.nulled,
        decoded.unknown_fields,
        decoded.warnings,
    )


@settings(max_examples=400, deadline=None)
@given(elements(), st.booleans(), st.booleans(), st.booleans())
@example(("vessel", {"time": NOW_MS, "lat_deg": 1, "lon_deg": 2, "sog_kn": 12, "nav_status": 0}), False, False, False)
@example(("vessel", {"time": NOW_MS, "lat_deg": 1, "lon_deg": 2, "sog_kn": 12, "nav_status": 0}), False, False, True)
@example(("vessel", {"time": float(NOW_MS), "seq": 5.0}), False, False, True)
def test_the_quick_ways_and_the_careful_way_say_the_same(
    said: tuple[str, dict[str, Any]], on_feed: bool, packed: bool, alone: bool
) -> None:
    asset_class, element = said
    scheme, value = ADDRESS[asset_class]
    topic = device_topic("demo", asset_class, scheme, value)
    if on_feed:
        topic = feed_topic("demo", "coast")
        element = {**element, "class": asset_class, "scheme": scheme, "value": value}
    body = element if alone else [element]
    try:
        payload = encode_msgpack(body) if packed else encode_json(body)
    except OverflowError:
        payload = encode_json(body)
    quick = decode(topic, payload, NOW_US)
    with patch("ingest.decode.element_of", return_value=None), patch("ingest.decode.lone_element", return_value=None):
        careful = decode(topic, payload, NOW_US)
    assert told(quick) == told(careful)
