"""Whatever the bytes, a file is either of no known kind or gives records and malformed pieces; nothing else is raised."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.recordings import Malformed, UnknownRecording, open_recording
from ingest.recordings.opening import LINE_BYTES_MAX
from ingest.recordings.tables import LAYOUTS

STARTS = [
    b"!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C,1418172113\n",
    b"\\g:1-2-7,c:1428621738*00\\!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C\n",
    b"$PGHP,1,2014,12,10,0,41,53,250,219,,2190047,1,70*00\n!AIVDM,",
    b'{"class":"vessel","scheme":"mmsi","value":"219000001","time":1418172113000}\n',
    b'{"timestamp":1720248189.5,"frame":"8d40621d58c382d690c8ac2863a7"}\n',
    b'{"time":1418172113,"states":[["4240ec",',
    b'{"icao":"ac671b","timestamp":1738703622.6,"trace":[[0,1,2,3,4,5,6,7],',
    b'{"now":1418172113,"aircraft":[{"hex":"ac671b","seen":1}]}\n',
    b'[{"timestamp":1515748470000,"icao24":"39b415","latitude":41.8,"longitude":8.7}',
    b"1720248189.5,8d40621d58c382d690c8ac2863a7\n",
    b"\x1a2\x00\x00\x15\xa8\x87~\r \x00\x0c\xa8\xf7\n\xa7\x1a2",
    b"1 23.5 37.3 1722468684\n",
    b"\x1f\x8b",
    *(",".join(sorted(layout.needs)).encode() + b"\n" for layout in LAYOUTS),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["39b415", "ground"]),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def read_all(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            opened = open_recording(Path(file.name))
        except UnknownRecording:
            return
        for item in opened.records():
            if isinstance(item, Malformed):
                assert item.reason
                assert item.line_number > 0
                assert isinstance(item.raw, bytes)
            else:
                assert isinstance(item["time"], int)
                assert item["stream"] in {"telemetry", "static"}
                assert item["value"]
                assert ("lat_deg" in item) == ("lon_deg" in item) or opened.kind == "ndjson"
                msgspec.msgpack.encode(item) if opened.kind != "ndjson" else msgspec.json.encode(item)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
@example(b"")
@example(b"\n")
@example(b"\xff" * 100)
def test_any_bytes(content: bytes) -> None:
    read_all(content)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=200) | st.text(max_size=100).map(str.encode), st.booleans())
def test_any_bytes_after_a_known_start(start: bytes, rest: bytes, zipped: bool) -> None:
    content = start + rest
    read_all(gzip.compress(content)[: len(content)] if zipped else content)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(STARTS), st.data())
def test_a_known_start_with_bytes_changed(start: bytes, data: st.DataObject) -> None:
    content = bytearray(start * 3)
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read_all(bytes(content))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@given(st.data())
def test_any_values_under_the_names_of_a_layout(data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(LAYOUTS))
    names = sorted({*layout.needs, *layout.columns.values()})
    rows: list[dict[str, Any]] = data.draw(
        st.lists(st.fixed_dictionaries(dict.fromkeys(names, json_values)), min_size=1, max_size=3)
    )
    good_times = data.draw(st.booleans())
    for row in rows:
        if good_times:
            row[layout.time] = 1_515_748_470_000
        if layout.identifier is not None and data.draw(st.booleans()):
            row[layout.identifier] = data.draw(st.sampled_from([219000001, "219000001", "39b415"]))
    read_all(msgspec.json.encode(rows))
    read_all(b"\n".join(msgspec.json.encode(row) for row in rows))
    lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]
    read_all("\n".join(lines).encode("utf-8", "replace"))


@settings(max_examples=100, deadline=None)
@given(json_values, json_values, st.lists(json_values, max_size=20))
def test_any_values_inside_flight_documents(first: Any, second: Any, many: list[Any]) -> None:
    state = ["39b415", *many]
    flight = {"aircraft": {"identification": {"modes": "39b415"}, "model": first}, "track": [second, *many,
              {"timestamp": 1418172113, "altitude": first, "speed": second}]}  # fmt: skip
    frame = {"timestamp": 1418172113, "frame": "8d40621d58c382d690c8ac2863a7", "icao24": "40621d", "df": "17"}
    velocity = frame | {"bds": "09", "geo_minus_baro": first, "groundspeed": second, "tisb": first}
    read_all(msgspec.json.encode(frame | {"bds": "05", "altitude": 38000}) + b"\n" + msgspec.json.encode(velocity))
    documents: list[dict[str, Any]] = [
        {"time": first, "states": [state, second, *many]},
        {"icao": "39b415", "timestamp": 1418172113, "trace": [[1.5, *many], [0, 1, 2, first, 4, 5, second, 7, first], first]},
        {"now": 1418172113, "aircraft": [first, {"hex": "39b415", "seen": first, "seen_pos": second, "alt_baro": first}]},
        {"result": {"response": {"data": {"flight": flight}}}},
        {"class": "vessel", "scheme": "mmsi", "value": "219000001", "time": first, "extra": second},
        frame | {"bds": "05", "altitude": 38000, "latitude": first, "longitude": second},
    ]
    for document in documents:
        read_all(msgspec.json.encode(document))


def test_deep_nesting_is_a_value() -> None:
    read_all(b"[" * 200_000)
    read_all(b'{"class":"vessel","scheme":"mmsi","value":"219000001","time":1}\n' + b'{"a":' * 100_000)


def test_numbers_of_thousands_of_digits_are_values() -> None:
    digits = b"9" * 5000
    read_all(b"$PGHP,1,%b,1,1,1,1,1,1,219,,2190047,1,70*00\n" % digits + STARTS[0])
    read_all(b"\\c:%b*00\\" % digits + STARTS[0])
    read_all(b'[{"timestamp":1515748470000,"icao24":"39b415","latitude":%b,"longitude":8.7,"squawk":%b}]' % (digits, digits))
    read_all(b'{"ssvid":%b,"timestamp":%b,"lat":1,"lon":%b}\n' % (digits, digits, digits))
    read_all(b"ssvid,timestamp,lat,lon\n%b,1515748470,%b,%b\n" % (digits, digits, digits))


def test_an_endless_line_is_passed_over_and_the_rest_is_read(tmp_path: Path) -> None:
    good = b'{"class":"vessel","scheme":"mmsi","value":"219000001","time":1418172113000}\n'
    path = tmp_path / "long"
    path.write_bytes(good + b"x" * (2 * LINE_BYTES_MAX + 5) + b"\n" + good)
    items = list(open_recording(path).records())
    assert [item.reason for item in items if isinstance(item, Malformed)] == ["line_too_long"]
    assert sum(not isinstance(item, Malformed) for item in items) == 2


def test_a_gzip_file_cut_short_gives_what_it_holds_and_says_so(tmp_path: Path) -> None:
    good = b'{"class":"vessel","scheme":"mmsi","value":"%09d","time":1418172113000}\n'
    whole = gzip.compress(b"".join(good % (219_000_000 + n * 7919 % 99991) for n in range(20_000)))
    path = tmp_path / "cut"
    path.write_bytes(whole[: len(whole) // 2])
    items = list(open_recording(path).records())
    assert isinstance(items[-1], Malformed)
    assert items[-1].reason == "truncated_gzip"
    assert len(items) > 1000


def test_an_unknown_content_says_which_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("day,count\n2021-01-01,83509\n")
    with pytest.raises(UnknownRecording, match=r"notes\.csv: content of no known kind, it starts with b'day,count"):
        open_recording(path)
