"""Raw Mode S: the golden frames of "The 1090 Megahertz Riddle", combination of frames, captures without a clock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.recordings import Malformed, Recording, mode_s, open_recording

CALLSIGN = "8D4840D6202CC371C32CE0576098"
EVEN = "8D40621D58C382D690C8AC2863A7"
ODD = "8D40621D58C386435CC412692AD6"
VELOCITY = "8D485020994409940838175B284F"
QUALITY = "8d40621df800000000593243a2cf"  # operational status of version 2: NACp 9, SIL 3
T = 1_720_248_189


def opened(tmp_path: Path, *lines: str) -> Recording:
    path = tmp_path / "frames"
    path.write_text("\n".join(lines) + "\n")
    found = open_recording(path)
    assert found.kind == "raw_mode_s"
    return found


def rows(tmp_path: Path, *lines: str) -> list[dict[str, Any]]:
    items = list(opened(tmp_path, *lines).records())
    assert not [item for item in items if isinstance(item, Malformed)]
    return [item for item in items if not isinstance(item, Malformed)]


def test_golden_pair_gives_the_position_of_its_later_half(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, f"{T},{ODD}", f"{T + 1}.25,{EVEN}")
    assert row == {
        "class": "aircraft", "scheme": "icao24", "value": "40621d", "stream": "telemetry", "source": "adsb",
        "time": T * 1000 + 1250, "lat_deg": pytest.approx(52.257202, abs=1e-6), "lon_deg": pytest.approx(3.919373, abs=1e-6),
        "on_ground": False, "alt_baro_ft": 38000.0, "nic": 8,
    }  # fmt: skip


def test_halves_too_far_apart_give_no_position(tmp_path: Path) -> None:
    found = opened(tmp_path, f"{T},{ODD}", f"{T + 60},{EVEN}")
    assert list(found.records()) == []
    assert found.skipped == {"no_position_yet": 2}


def test_golden_callsign_is_carried_into_a_velocity(tmp_path: Path) -> None:
    assert rows(tmp_path, f"{T},{CALLSIGN}") == []
    line = {"timestamp": T + 2, "frame": CALLSIGN.lower(), "df": "17", "icao24": "4840d6", "bds": "09", "groundspeed": 159.2,
            "track": 182.88, "vertical_rate": -832}  # fmt: skip
    first = {"timestamp": T, "frame": CALLSIGN.lower(), "df": "17", "icao24": "4840d6", "bds": "08", "callsign": "KLM1023"}
    (row,) = rows(tmp_path, json.dumps(first), json.dumps(line))
    assert (row["callsign"], row["gs_kn"], row["vertical_rate_fpm"]) == ("KLM1023", 159.2, -832.0)
    (row,) = rows(tmp_path, json.dumps(first), json.dumps(line | {"timestamp": T + 11}))
    assert "callsign" not in row


def test_quality_and_altitude_join_a_position_but_a_position_joins_no_velocity(tmp_path: Path) -> None:
    frames = [f"{T},{QUALITY}", f"{T},{ODD}", f"{T + 1},{EVEN}"]
    (row,) = rows(tmp_path, *frames)
    assert (row["nac_p"], row["sil"], row["alt_baro_ft"]) == (9, 3, 38000.0)
    (row,) = rows(tmp_path, f"{T},{VELOCITY}")
    assert (row["value"], row["gs_kn"], row["vertical_rate_fpm"]) == ("485020", 159.201, -832.0)
    assert "lat_deg" not in row


def test_a_velocitys_height_difference_makes_a_geometric_altitude(tmp_path: Path) -> None:
    height = {"timestamp": T, "frame": EVEN.lower(), "df": "17", "icao24": "40621d", "bds": "05", "altitude": 38000}
    velocity = {"timestamp": T + 1, "frame": EVEN.lower(), "df": "17", "icao24": "40621d", "bds": "09", "geo_minus_baro": 275}
    (row,) = rows(tmp_path, json.dumps(height), json.dumps(velocity))
    assert (row["alt_baro_ft"], row["alt_geom_ft"]) == (38000.0, 38275.0)
    (row,) = rows(tmp_path, json.dumps(velocity))
    assert "alt_geom_ft" not in row


def test_a_reply_counts_only_for_an_address_heard_in_clear(tmp_path: Path) -> None:
    squawk = "2928080069049eed86cbc9970493"
    lines = [
        {"timestamp": T, "frame": squawk, "df": "5", "icao24": "393322", "squawk": "1000"},
        {"timestamp": T + 1, "frame": CALLSIGN.lower(), "df": "11", "icao24": "393322"},
        {"timestamp": T + 2, "frame": squawk, "df": "5", "icao24": "393322", "squawk": "7700"},
        {"timestamp": T + 3, "frame": CALLSIGN.lower(), "df": "17", "icao24": "393322", "bds": "09", "groundspeed": 9.0},
    ]
    found = opened(tmp_path, *(json.dumps(line) for line in lines))
    (row,) = found.records()
    assert not isinstance(row, Malformed)
    assert row["squawk"] == "7700"
    assert found.skipped == {"unconfirmed_address": 1, "df_11": 1, "df_5": 1}


@pytest.mark.parametrize(
    "line",
    [
        f"{T},{VELOCITY}",
        f"{T}000;*{VELOCITY};",
        f"2024-07-06T06:43:09Z\t{VELOCITY.lower()}",
        f"{VELOCITY},{T}.0",
        f'"{T}","{VELOCITY}"',
    ],
)
def test_times_and_frames_in_several_forms(tmp_path: Path, line: str) -> None:
    (row,) = rows(tmp_path, "timestamp,rawmsg", line)
    assert (row["time"], row["value"]) == (T * 1000, "485020")


def test_bad_parity_and_junk_are_values(tmp_path: Path) -> None:
    items = list(opened(tmp_path, f"{T},{VELOCITY}", f"{T},{VELOCITY[:-1]}0", "junk").records())
    assert [(item.reason, item.line_number) for item in items if isinstance(item, Malformed)] == [
        ("bad_frame", 3),
        ("bad_frame", 2),
    ]
    assert len(items) == 3


def test_a_pair_is_not_torn_between_two_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mode_s, "FRAMES_MAX", 1)
    (row,) = rows(tmp_path, f"{T},{ODD}", f"{T + 1},{EVEN}")
    assert row["lat_deg"] == pytest.approx(52.257202, abs=1e-6)


def test_captures_without_a_clock_say_so(tmp_path: Path) -> None:
    items = list(opened(tmp_path, f"*{VELOCITY};", f"@00000000ABCD{EVEN};").records())
    assert [item.reason for item in items if isinstance(item, Malformed)] == ["no_time", "no_time"]
    message = b"\x1a3" + b"\x00\x00\x1a\x1a\x00\x01\x02" + b"\x40" + bytes.fromhex(EVEN)
    path = tmp_path / "beast"
    path.write_bytes(message * 3 + message[:9])
    found = open_recording(path)
    assert found.kind == "raw_mode_s"
    reasons = [item.reason for item in found.records() if isinstance(item, Malformed)]
    assert reasons == ["no_time", "no_time", "no_time", "bad_frame"]
