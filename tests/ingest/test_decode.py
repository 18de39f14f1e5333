"""What a message may hold and what becomes of the rest, one behaviour a test."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.aircraft import AircraftReading
from fleet.instants import DAY_US, SECOND_US, from_datetime, to_rfc3339
from fleet.vessel import VesselReading
from ingest.decode import GPS_ROLLOVER_US, Decoded, decode
from ingest.well_formed import SEQ_MAX
from ingest.wire import device_topic, encode_json, encode_msgpack, feed_topic, parse_topic
from tests.fleet.fix_vectors import vector

NOW_US = 1_795_330_800_000_000  # 2026-11-22T07:00:00Z
NOW_MS = NOW_US // 1000
SHIP = device_topic("demo", "vessel", "imo", "9074729")
PLANE = device_topic("demo", "aircraft", "icao24", "3c6444")
FEED = feed_topic("demo", "coast")


def one(topic: str = SHIP, **element: Any) -> Decoded:
    return decode(topic, encode_json({"time": NOW_MS, **element}), NOW_US)


def test_a_full_vessel_reading_keeps_every_field() -> None:
    reading = one(
        seq=17,
        source="ais_terrestrial",
        lat_deg=51.95,
        lon_deg=4.05,
        sog_kn=12.3,
        cog_deg=224.0,
        heading_deg=215,
        rot_deg_min=-3.5,
        nav_status=0,
        draught_m=11.2,
        channels={"me_rpm": 91.5},
    ).readings[0][1]
    assert reading == VesselReading(
        scheme="imo",
        value="9074729",
        time_us=NOW_US,
        seq=17,
        seq_given=True,
        source="ais_terrestrial",
        lat_deg=51.95,
        lon_deg=4.05,
        sog_kn=12.3,
        cog_deg=224.0,
        heading_deg=215.0,
        rot_deg_min=-3.5,
        nav_status=0,
        draught_m=11.2,
        channels={"me_rpm": 91.5},
    )


@pytest.mark.parametrize(
    ("field", "sentinel"),
    [("sog_kn", 102.3), ("cog_deg", 360), ("heading_deg", 511), ("nav_status", 15), ("draught_m", 0)],
)
def test_a_sentinel_becomes_null_and_is_counted(field: str, sentinel: float) -> None:
    decoded = decode(SHIP, encode_json({"time": NOW_MS, field: sentinel}), NOW_US)
    assert getattr(decoded.readings[0][1], field) is None
    assert decoded.nulled == {f"{field}:sentinel": 1}


@pytest.mark.parametrize(
    ("sog_kn", "kept"),
    [
        (51.1, True),
        (51.15, False),
        (51.2, False),
        (51.3, True),
        (62.9, True),
        (63.0, False),
        (63.1, True),
        (102.1, True),
        (102.2, False),
    ],
)
def test_a_speed_that_sensors_give_in_place_of_one_is_noise_and_counted(sog_kn: float, kept: bool) -> None:
    decoded = decode(SHIP, encode_json({"time": NOW_MS, "sog_kn": sog_kn}), NOW_US)
    assert getattr(decoded.readings[0][1], "sog_kn", None) == (sog_kn if kept else None)
    assert decoded.nulled == ({} if kept else {"sog_kn:noise": 1})


def test_a_position_of_sentinels_becomes_null_and_the_reading_stays() -> None:
    decoded = one(lat_deg=91, lon_deg=181, sog_kn=3.0)
    reading = decoded.readings[0][1]
    assert (reading.lat_deg, reading.lon_deg) == (None, None)
    assert decoded.nulled == {"position:sentinel": 1}


def test_a_receiver_that_rolled_over_its_gps_week_is_quarantined() -> None:
    golden = vector("ID8_gps_rollover")
    assert GPS_ROLLOVER_US == golden["seconds"] * SECOND_US == golden["days"] * DAY_US
    assert to_rfc3339(NOW_US - GPS_ROLLOVER_US).startswith(golden["wrong"])
    rolled = one(time=(NOW_US - GPS_ROLLOVER_US) // 1000)
    assert [rejection.reason for rejection in rolled.rejections] == ["gps_week_rollover"]


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ({}, "missing_time"),
        ({"time": None}, "missing_time"),
        ({"time": True}, "bad_time"),
        ({"time": 1.5}, "bad_time"),
        ({"time": "2026-11-22T07:00:00"}, "bad_time"),
        ({"time": "yesterday"}, "bad_time"),
        ({"time": 631_151_999_999}, "time_before_1990"),
        ({"time": NOW_MS + 300_001}, "time_in_future"),
        ({"time": NOW_MS, "lat_deg": 1.0}, "lone_coordinate"),
        ({"time": NOW_MS, "lat_deg": None, "lon_deg": 1.0}, "lone_coordinate"),
    ],
)
def test_only_time_or_a_lone_coordinate_rejects(element: dict[str, Any], reason: str) -> None:
    decoded = decode(SHIP, encode_json(element), NOW_US)
    assert decoded.readings == []
    assert [(rejection.reason, rejection.element) for rejection in decoded.rejections] == [(reason, 0)]


def test_a_reading_exactly_five_minutes_ahead_is_kept() -> None:
    assert decode(SHIP, encode_json({"time": NOW_MS + 300_000}), NOW_US).readings


def test_a_bad_element_rejects_itself_and_not_its_array() -> None:
    payload = b'[{"time":%d},  {"time":"x", "n":1},{"time":%d}]' % (NOW_MS, NOW_MS - 1)
    decoded = decode(SHIP, payload, NOW_US)
    assert [index for index, _ in decoded.readings] == [0, 2]
    assert [(rejection.element, rejection.payload) for rejection in decoded.rejections] == [(1, b'{"time":"x", "n":1}')]
    assert decoded.received == 3


def test_messagepack_says_the_same_as_json() -> None:
    element = {"time": NOW_MS, "lat_deg": 1.5, "lon_deg": -2.5, "channels": {"egt_c": 610.0}}
    from_json, from_msgpack = decode(PLANE, encode_json([element]), NOW_US), decode(PLANE, encode_msgpack([element]), NOW_US)
    assert from_json.readings == from_msgpack.readings
    assert isinstance(from_json.readings[0][1], AircraftReading)


def test_a_leap_second_is_the_next_second() -> None:
    decoded = decode(SHIP, b'{"time":"2016-12-31T23:59:60Z"}', NOW_US)
    assert to_rfc3339(decoded.readings[0][1].time_us) == "2017-01-01T00:00:00Z"


def test_an_offset_is_read_as_the_same_instant() -> None:
    decoded = decode(SHIP, b'{"time":"2026-11-22T09:00:00.25+02:00"}', NOW_US)
    assert decoded.readings[0][1].time_us == NOW_US + 250_000


def test_without_seq_equal_content_has_one_key_and_other_content_another() -> None:
    first, again, other = one(sog_kn=1.0), one(sog_kn=1.0), one(sog_kn=1.1)
    keys = [decoded.readings[0][1].seq for decoded in (first, again, other)]
    assert keys[0] == keys[1] != keys[2]
    assert all(0 <= key <= SEQ_MAX for key in keys)


def test_a_wrong_optional_field_is_null_and_an_unknown_one_ignored() -> None:
    decoded = one(sog_kn="12", nav_status=1.5, wind="NE", channels={"Bad Name": 1, "me_rpm": "x", "ok_c": 1})
    reading = decoded.readings[0][1]
    assert reading.channels == {"ok_c": 1.0}
    assert decoded.nulled == {
        "sog_kn:wrong_type": 1,
        "nav_status:wrong_type": 1,
        "channels:bad_name": 1,
        "me_rpm:not_a_number": 1,
    }
    assert decoded.unknown_fields == 1


def test_a_feed_element_names_its_own_asset_and_is_rejected_without_one() -> None:
    named = {"time": NOW_MS, "class": "vessel", "scheme": "mmsi", "value": "538001234"}
    decoded = decode(FEED, encode_json([named, {"time": NOW_MS}, {**named, "value": "5380"}]), NOW_US)
    assert [reading.name for _, reading in decoded.readings] == ["mmsi:538001234"]
    assert [rejection.reason for rejection in decoded.rejections] == ["missing_identifier", "malformed_identifier"]


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("keelwing/v1/demo/vessel/imo/9074729/noon", "unknown_topic"),
        ("keelwing/v1/demo/zeppelin/imo/9074729/telemetry", "unknown_class"),
        ("keelwing/v1/demo/vessel/hull/9074729/telemetry", "unknown_scheme"),
        ("keelwing/v1/demo/aircraft/icao24/3C6444/telemetry", "malformed_identifier"),
    ],
)
def test_a_topic_outside_the_contract_is_one_rejection(topic: str, reason: str) -> None:
    decoded = decode(topic, encode_json({"time": NOW_MS}), NOW_US)
    assert [rejection.reason for rejection in decoded.rejections] == [reason]
    assert decoded.received == 1


def test_a_failed_check_digit_warns_and_does_not_reject() -> None:
    decoded = decode(device_topic("demo", "vessel", "imo", "9074728"), encode_json({"time": NOW_MS}), NOW_US)
    assert decoded.readings
    assert decoded.warnings == {"imo:check_digit": 1}


def test_more_than_a_thousand_elements_are_one_rejection() -> None:
    decoded = decode(FEED, encode_json([{"time": 1}] * 1001), NOW_US)
    assert [rejection.reason for rejection in decoded.rejections] == ["too_many_elements"]


def test_a_message_over_256_kib_is_one_rejection() -> None:
    decoded = decode(SHIP, b" " * (256 * 1024 + 1), NOW_US)
    assert [rejection.reason for rejection in decoded.rejections] == ["message_too_large"]


def test_static_fields_are_trimmed_and_sentinels_dropped() -> None:
    topic = device_topic("demo", "vessel", "imo", "9074729", "static")
    decoded = decode(topic, encode_json({"time": NOW_MS, "name": " EVER ", "draught_m": 0, "destination": "RTM"}), NOW_US)
    assert decoded.statics[0][1].particulars == {"name": "EVER", "destination": "RTM"}


@pytest.mark.parametrize(("payload", "online"), [(b"online", True), (b"offline", False), (b'"online"', True)])
def test_status_is_one_of_two_words(payload: bytes, online: bool) -> None:
    decoded = decode(device_topic("demo", "vessel", "imo", "9074729", "status"), payload, NOW_US)
    assert decoded.status is not None
    assert decoded.status.online is online


leaves = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=8)
json_values = leaves | st.lists(leaves, max_size=3) | st.dictionaries(st.text(max_size=8), leaves, max_size=3)
field_names = st.sampled_from(
    ["time", "seq", "source", "lat_deg", "lon_deg", "sog_kn", "squawk", "channels", "class", "scheme", "value", "name"]
)
elements = st.dictionaries(field_names, json_values | st.just(NOW_MS) | st.just("2026-11-22T07:00:00Z"), max_size=6)
topics = st.sampled_from(
    [SHIP, PLANE, FEED, f"{SHIP}/backfill", feed_topic("_", "x", "static"), device_topic("t", "vessel", "local", "é", "status")]
)


def all_accounted_for(decoded: Decoded) -> None:
    parts = len(decoded.readings) + len(decoded.statics) + len(decoded.rejections) + (decoded.status is not None)
    assert parts == decoded.received
    for _, reading in decoded.readings:
        assert (reading.lat_deg is None) == (reading.lon_deg is None)
        assert reading.lat_deg is None or -90 <= reading.lat_deg <= 90
        assert reading.lon_deg is None or -180 <= reading.lon_deg < 180
        assert all(math.isfinite(value) for value in reading.channels.values())
        assert 0 <= reading.seq <= SEQ_MAX


@given(st.binary(max_size=300), topics)
def test_any_bytes_give_readings_or_rejections(payload: bytes, topic: str) -> None:
    all_accounted_for(decode(topic, payload, NOW_US))


@given(st.lists(elements, max_size=3), topics, st.booleans())
def test_any_elements_give_readings_or_rejections(batch: list[dict[str, Any]], topic: str, packed: bool) -> None:
    try:
        payload = encode_msgpack(batch) if packed else encode_json(batch)
    except (OverflowError, UnicodeEncodeError, msgspec.MsgspecError):
        payload = repr(batch).encode(errors="replace")
    all_accounted_for(decode(topic, payload, NOW_US))


@given(st.text(max_size=60))
def test_any_topic_under_the_prefix_gives_a_value(rest: str) -> None:
    all_accounted_for(decode(f"keelwing/v1/{rest}", b'{"time":1}', NOW_US))


@given(st.sampled_from(["telemetry", "static", "status", "backfill"]))
def test_topics_are_read_back_as_they_were_written(kind: Any) -> None:
    assert parse_topic(device_topic("t", "vessel", "imo", "1", kind)) == ("t", "vessel", "imo", "1", kind)
    if kind != "backfill":
        assert parse_topic(feed_topic("_", "f", kind)) == ("_", "f", kind)


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_survive_rfc3339(moment: Any) -> None:
    text = to_rfc3339(from_datetime(moment))
    assert from_datetime(datetime.fromisoformat(text)) == from_datetime(moment)
