"""AIS sentences: the golden vectors of the domain, sentinels, parts, clocks and bad input."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from pyais import encode_dict

from ingest.recordings import Malformed, Recording, open_recording
from ingest.recordings.instants import at_second_of_minute, iso_ms
from tests.fleet.fix_vectors import vector

MOORED, TURNING = vector("ID5_ais")
ID5_FIRST, ID5_SECOND = MOORED["line"], TURNING["line"]
ID6 = vector("ID6_ais_all_sentinel")["line"]
PART_1 = "!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C"
PART_2 = "!AIVDM,2,2,1,A,88888888880,2*25"
NOON_MS = 1_795_348_800_000  # 2026-11-22T12:00:00Z


def recording(tmp_path: Path, *lines: str) -> Recording:
    path = tmp_path / "anything.bin"
    path.write_text("\n".join(lines) + "\n", encoding="latin-1")
    return open_recording(path)


def rows(tmp_path: Path, *lines: str) -> list[dict[str, Any]]:
    items = list(recording(tmp_path, *lines).records())
    assert not [item for item in items if isinstance(item, Malformed)]
    return [item for item in items if not isinstance(item, Malformed)]


def faults(tmp_path: Path, *lines: str) -> list[Malformed]:
    return [item for item in recording(tmp_path, *lines).records() if isinstance(item, Malformed)]


def sentences(seq_id: int | None = None, **message: Any) -> list[str]:
    return list(encode_dict(message, sentence_type="VDM", seq_id=seq_id))


def with_raw_turn(raw: int) -> str:
    """ID6's report with other bits 42..49: the rate of turn as a class A transponder sends it."""
    fields = ID6.split("*", 1)[0].split(",")
    bits = "".join(f"{code - 48 - (8 if code > 87 else 0):06b}" for code in fields[5].encode())
    bits = bits[:42] + f"{raw & 0xFF:08b}" + bits[50:]
    codes = (int(bits[at : at + 6], 2) for at in range(0, len(bits), 6))
    fields[5] = "".join(chr(code + 48 + (8 if code > 39 else 0)) for code in codes)
    body = ",".join(fields)[1:]
    return f"!{body}*{checksum(body):02X}"


def checksum(body: str) -> int:
    return reduce(lambda total, letter: total ^ ord(letter), body, 0)


def with_suffix(line: str, epoch: int) -> str:
    return f"{line},{epoch}"


def test_golden_id5_moored_ship(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, with_suffix(ID5_FIRST, NOON_MS // 1000))
    assert row == {
        "class": "vessel", "scheme": "mmsi", "value": str(MOORED["mmsi"]), "stream": "telemetry", "source": "ais_terrestrial",
        "time": NOON_MS,  # its second, 15, is 15 s ahead: more than a receiver can be wrong
        "lat_deg": MOORED["lat"], "lon_deg": MOORED["lon"], "sog_kn": MOORED["sog_raw"] / 10, "cog_deg": MOORED["cog_raw"] / 10,
        "heading_deg": MOORED["hdg"], "rot_deg_min": 0.0, "nav_status": MOORED["status"],
    }  # fmt: skip


def test_golden_id5_turning_faster_than_the_scale_has_no_rate_of_turn(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, with_suffix(ID5_SECOND, NOON_MS))
    assert row["value"] == str(TURNING["mmsi"])
    assert (row["lat_deg"], row["lon_deg"]) == (TURNING["lat"], TURNING["lon"])
    assert (row["sog_kn"], row["cog_deg"]) == (TURNING["sog_raw"] / 10, TURNING["cog_raw"] / 10)
    assert (row["heading_deg"], row["nav_status"]) == (TURNING["hdg"], TURNING["status"])
    assert "rot_deg_min" not in row


def test_golden_id6_every_sentinel_is_absent(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, with_suffix(ID6, NOON_MS))
    assert row == {
        "class": "vessel", "scheme": "mmsi", "value": str(vector("ID6_ais_all_sentinel")["mmsi"]), "stream": "telemetry",
        "source": "ais_terrestrial", "time": NOON_MS,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("received", "second", "expected"),
    [
        *((f"{row['rx']}Z", row["sec"], f"{row['t']}Z") for row in vector("ID7_ais_time")),
        ("2026-11-22T07:00:00Z", 20, "2026-11-22T07:00:00Z"),  # 40 s late or 20 s early: ambiguous
    ],
)
def test_golden_id7_second_of_minute(received: str, second: int, expected: str) -> None:
    received_ms, expected_ms = iso_ms(received), iso_ms(expected)
    assert received_ms is not None
    assert at_second_of_minute(received_ms, second, ahead_ms_max=5000) == expected_ms


def test_second_of_minute_refines_the_time_of_a_position(tmp_path: Path) -> None:
    line = sentences(type=1, mmsi=219000001, lat=55.0, lon=11.0, second=58, speed=1.0)[0]
    (row,) = rows(tmp_path, with_suffix(line, NOON_MS + 2500))
    assert row["time"] == NOON_MS - 2000


@pytest.mark.parametrize(("raw", "rot_deg_min"), [(0, 0.0), (2, 0.179), (-12, -6.428), (126, 708.709), (-126, -708.709)])
def test_rate_of_turn_keeps_its_sign_and_small_values(tmp_path: Path, raw: int, rot_deg_min: float) -> None:
    line = with_raw_turn(raw)
    (row,) = rows(tmp_path, with_suffix(line, NOON_MS))
    assert row["rot_deg_min"] == rot_deg_min


@pytest.mark.parametrize("raw", [-128, 127, -127])
def test_rate_of_turn_beyond_its_scale_is_absent(tmp_path: Path, raw: int) -> None:
    (row,) = rows(tmp_path, with_suffix(with_raw_turn(raw), NOON_MS))
    assert "rot_deg_min" not in row


@pytest.mark.parametrize(
    ("message", "absent"),
    [
        ({"type": 18, "speed": 102.3}, "sog_kn"),
        ({"type": 18, "course": 360.0}, "cog_deg"),
        ({"type": 18, "heading": 511}, "heading_deg"),
        ({"type": 18, "lat": 91.0}, "lat_deg"),
        ({"type": 18, "lon": 181.0}, "lon_deg"),
        ({"type": 27, "speed": 63}, "sog_kn"),
        ({"type": 27, "course": 511}, "cog_deg"),
        ({"type": 1, "status": 15}, "nav_status"),
        ({"type": 5, "draught": 0}, "draught_m"),
        ({"type": 5, "imo": 0}, "imo"),
        ({"type": 5, "month": 0, "day": 0, "hour": 24, "minute": 60}, "eta"),
        ({"type": 5, "ship_type": 0}, "type"),
        ({"type": 5, "to_bow": 0, "to_stern": 0}, "length_m"),
    ],
)
def test_a_sentinel_is_absent(tmp_path: Path, message: dict[str, Any], absent: str) -> None:
    whole: dict[str, Any] = {"mmsi": 219000001, "lat": 55.0, "lon": 11.0, "speed": 5.0, "course": 10.0, "heading": 12,
             "second": 60, "shipname": "SOME SHIP"} | message  # fmt: skip
    (row,) = rows(tmp_path, *(with_suffix(line, NOON_MS) for line in sentences(**whole)))
    assert absent not in row
    assert ("lat_deg" in row) == ("lon_deg" in row)


def test_a_voyage_message_of_two_parts_is_a_static_record(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, rf"\g:1-2-7,s:rNORD,c:1428621738*00\{PART_1}", rf"\g:2-2-7*00\{PART_2}")
    assert row == {
        "class": "vessel", "scheme": "mmsi", "value": "351759000", "stream": "static", "source": "ais_terrestrial",
        "time": 1_428_621_738_000, "name": "EVER DIADEM", "call_sign": "3FOF8", "imo": "9134270", "type": "cargo",
        "length_m": 295.0, "beam_m": 32.0, "draught_m": 12.2, "destination": "NEW YORK", "eta": "05-15T14:00",
    }  # fmt: skip


def test_interleaved_parts_find_each_other(tmp_path: Path) -> None:
    other = sentences(type=5, mmsi=219000001, shipname="OTHER", callsign="OX1", destination="AARHUS", seq_id=3)
    assert len(other) == 2
    lines = [other[0], PART_1, other[1], PART_2]
    found = rows(tmp_path, *(with_suffix(line, NOON_MS) for line in lines))
    assert [row["name"] for row in found] == ["OTHER", "EVER DIADEM"]


def test_a_message_without_its_rest_is_told(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, with_suffix(PART_1, NOON_MS), with_suffix(ID5_FIRST, NOON_MS))
    assert (fault.reason, fault.line_number) == ("incomplete_parts", 1)


def test_class_b_static_parts_and_extended_position(tmp_path: Path) -> None:
    lines = [
        *sentences(type=24, mmsi=219000001, partno=0, shipname="LITTLE ONE"),
        *sentences(type=24, mmsi=219000001, partno=1, callsign="XP1", ship_type=36, to_bow=8, to_stern=4, to_port=2,
                   to_starboard=2),
        *sentences(type=19, mmsi=219000002, lat=55.5, lon=12.5, speed=4.0, second=60, shipname="BOTH", ship_type=37),
    ]  # fmt: skip
    found = rows(tmp_path, *(with_suffix(line, NOON_MS) for line in lines))
    assert [(row["stream"], row["value"]) for row in found] == [
        ("static", "219000001"), ("static", "219000001"), ("telemetry", "219000002"), ("static", "219000002"),
    ]  # fmt: skip
    assert found[0]["name"] == "LITTLE ONE"
    assert (found[1]["call_sign"], found[1]["type"], found[1]["length_m"]) == ("XP1", "sailing", 12.0)
    assert (found[2]["lat_deg"], found[3]["name"], found[3]["type"]) == (55.5, "BOTH", "pleasure")


def test_a_tender_gets_no_dimensions_from_its_mothership(tmp_path: Path) -> None:
    lines = sentences(type=24, mmsi=982190001, partno=1, callsign="XP1", mothership_mmsi=219000009)
    (row,) = rows(tmp_path, *(with_suffix(line, NOON_MS) for line in lines))
    assert "length_m" not in row


def test_stations_that_are_no_ships_are_counted(tmp_path: Path) -> None:
    lines = [*sentences(type=4, mmsi=2190001), *sentences(type=21, mmsi=992190001), *sentences(type=9, mmsi=111219001)]
    opened = recording(tmp_path, *lines)
    assert list(opened.records()) == []
    assert opened.skipped == {"ais_type_4": 1, "ais_type_21": 1, "ais_type_9": 1}


def test_long_range_and_satellite_stations_are_satellite(tmp_path: Path) -> None:
    long_range = sentences(type=27, mmsi=219000001, lat=1.0, lon=2.0, speed=9, course=100)[0]
    found = rows(tmp_path, with_suffix(long_range, NOON_MS), rf"\s:rORBCOMM104,c:1418172113*00\{ID6}",
                 rf"\s:r003669945,c:1418172113*00\{ID6}")  # fmt: skip
    assert [row["source"] for row in found] == ["ais_satellite", "ais_satellite", "ais_terrestrial"]


@pytest.mark.parametrize(
    ("lines", "expected_ms"),
    [
        ([rf"\c:1418172113*00\{ID6}"], 1_418_172_113_000),
        ([rf"\c:1418172113250*00\{ID6}"], 1_418_172_113_250),
        ([f"{ID6},1418172113"], 1_418_172_113_000),
        ([f"{ID6},1418172113250"], 1_418_172_113_250),
        ([f"{ID6},d-109,S2105,t050056.00,T56.1,r003669946,1418172113,1418170000"], 1_418_172_113_000),
        ([f"2014-12-10T00:41:53Z {ID6}"], 1_418_172_113_000),
        ([f"2014-12-10 00:41:53.250, {ID6}"], 1_418_172_113_250),
        ([f"1418172113 {ID6}"], 1_418_172_113_000),
        (["$PGHP,1,2014,12,10,0,41,53,250,219,,2190047,1,70*00", ID6], 1_418_172_113_250),
        (["$PGHP,1,2014,12,10,0,41,53,250,219,,2190047,1,70*00", f"{ID6},1418179999"], 1_418_172_113_250),
        (["$GPZDA,004153.25,10,12,2014,,*00", ID6], 1_418_172_113_250),
        ([r"\c:1418172113*00" + "\\", ID6], 1_418_172_113_000),
    ],
)
def test_a_time_is_found_in_every_dress(tmp_path: Path, lines: list[str], expected_ms: int) -> None:
    (row,) = rows(tmp_path, *lines)
    assert row["time"] == expected_ms


def test_a_stamp_counts_for_the_sentence_whose_checksum_it_names(tmp_path: Path) -> None:
    stamp = "$PGHP,1,2014,12,10,0,41,53,250,219,,2190047,1,5C*00"
    (fault,) = faults(tmp_path, stamp, ID6)
    assert fault.reason == "no_time"
    combined = f"{0x1C ^ 0x25:02X}"
    (row,) = rows(tmp_path, f"$PGHP,1,2014,12,10,0,41,53,250,219,,2190047,1,{combined}*00", PART_1, PART_2)
    assert (row["name"], row["time"]) == ("EVER DIADEM", 1_418_172_113_250)


def test_a_stamp_behind_its_sentence_counts_where_both_carry_their_delivery(tmp_path: Path) -> None:
    stamp = "$PGHP,1,2014,12,10,0,41,53,250,316,2,316000002,1AIS_S,70*00"
    (row,) = rows(tmp_path, with_suffix(ID6, 1418179999), "# between", with_suffix(stamp, 1418179999))
    assert (row["time"], row["source"]) == (1_418_172_113_250, "ais_satellite")
    (row,) = rows(tmp_path, with_suffix(ID6, 1418179999), "# between", stamp)
    assert row["time"] == 1_418_179_999_000
    (row,) = rows(tmp_path, with_suffix(ID6, 1418179999), *["# between"] * 16, with_suffix(stamp, 1418179999))
    assert row["time"] == 1_418_179_999_000


def test_a_recording_without_any_clock_gives_no_time_for_each_message(tmp_path: Path) -> None:
    found = faults(tmp_path, ID5_FIRST, "# a comment", "", ID5_SECOND, PART_1, PART_2)
    assert [fault.reason for fault in found] == ["no_time"] * 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5D,1418172113", "checksum"),
        ("!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,013", "bad_sentence"),
        ("!AIVDM,0,1,,B,16UK7Fi0?w4tQF0l4Q@>401v1PS;,0*0F", "bad_sentence"),
        ("not a sentence", "bad_sentence"),
    ],
)
def test_a_bad_line_is_a_value(tmp_path: Path, line: str, reason: str) -> None:
    found = faults(tmp_path, with_suffix(ID5_FIRST, NOON_MS), line)
    assert [(fault.reason, fault.line_number, fault.raw) for fault in found] == [(reason, 2, line.encode())]


def test_foreign_talkers_and_own_ship_sentences_are_read(tmp_path: Path) -> None:
    for dress in ("!BSVDM", "!ABVDM", "!AIVDO", "!SAVDM"):
        body = ID6.replace("!AIVDM", dress).rsplit("*", 1)[0][1:]
        (row,) = rows(tmp_path, f"!{body}*{checksum(body):02X},{NOON_MS}")
        assert row["value"] == "538001234"
