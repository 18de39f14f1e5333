"""OpenSky states, readsb traces and aircraft lists, fr24 playback: golden row AC16 and small samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.recordings import Malformed, Recording, open_recording
from tests.fleet.fix_vectors import vector

GOLDEN = vector("AC16_opensky_row")
AC16: list[Any] = GOLDEN["row"]


def opened(tmp_path: Path, document: Any) -> Recording:
    path = tmp_path / "document"
    path.write_text(json.dumps(document))
    found = open_recording(path)
    assert found.kind == "state_vectors_json"
    return found


def rows(tmp_path: Path, document: Any) -> list[dict[str, Any]]:
    items = list(opened(tmp_path, document).records())
    assert not [item for item in items if isinstance(item, Malformed)]
    return [item for item in items if not isinstance(item, Malformed)]


def test_golden_ac16(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, {"time": 1499105362, "states": [AC16]})
    assert row == {
        "class": "aircraft", "scheme": "icao24", "value": "4240ec", "stream": "telemetry", "source": "adsb",
        "time": 1_499_105_360_000, "lat_deg": 54.9052, "lon_deg": 21.9943, "callsign": "UTA394", "alt_baro_ft": GOLDEN["baro_ft"],
        "alt_geom_ft": GOLDEN["geo_ft"], "on_ground": False, "gs_kn": GOLDEN["gs_kt"], "track_deg": 84.89,
        "vertical_rate_fpm": GOLDEN["vr_fpm"],
        "squawk": "7674",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tail", "source"),
    [
        ([False, 2], "mlat"),
        ([False, 2, 4], "mlat"),
        ([False, False, 2], "mlat"),
        ([True, True, 0], "adsb"),
        ([False, 3], "flarm"),
    ],
)
def test_both_opensky_layouts_tell_their_source(tmp_path: Path, tail: list[Any], source: str) -> None:
    (row,) = rows(tmp_path, {"time": 1499105362, "states": [[*AC16[:15], *tail]]})
    assert row["source"] == source


def test_an_opensky_state_without_position_has_the_time_of_its_last_contact(tmp_path: Path) -> None:
    state = [*AC16]
    state[3], state[4] = None, 1499105400
    (row,) = rows(tmp_path, {"time": 1499105402, "states": [state]})
    assert row["time"] == 1_499_105_400_000
    assert "lat_deg" not in row


def test_a_log_of_opensky_answers_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("\n".join(json.dumps({"time": 1, "states": [AC16]}) for _ in range(3)))
    assert len(list(open_recording(path).records())) == 3


def test_bad_opensky_states_are_values(tmp_path: Path) -> None:
    states = [AC16[:10], ["nohex", *AC16[1:]], [*AC16[:3], None, None, *AC16[5:]], AC16]
    items = list(opened(tmp_path, {"time": 1499105362, "states": states}).records())
    assert [item.reason for item in items if isinstance(item, Malformed)] == ["bad_row", "no_identifier", "bad_time"]
    assert len(items) == 4


def test_readsb_trace(tmp_path: Path) -> None:
    details = {"flight": "DAL1812 ", "squawk": "4637", "nic": 8, "nac_p": 10, "sil": 3}
    trace = [
        [0.5, 16.5, -88.25, 32000, 478.6, 327.8, 0, -64, details, "adsb_icao", 33825, 32, 280, 0.0],
        [9.25, 16.75, -88.5, "ground", 7.5, None, 0, None, None, "mlat", None, None, None, None],
        [10.25, 16.75, -88.5, 31900, 478.6, 327.8, 8, None, None, "adsb_icao"],
    ]
    static, first, second, third = rows(
        tmp_path, {"icao": "AC671B", "r": "N899DN", "t": "B739", "timestamp": 1738703622.5, "trace": trace}
    )
    assert (static["stream"], static["registration"], static["type"]) == ("static", "N899DN", "B739")
    assert first == {
        "class": "aircraft", "scheme": "icao24", "value": "ac671b", "stream": "telemetry", "source": "adsb",
        "time": 1_738_703_623_000, "lat_deg": 16.5, "lon_deg": -88.25, "on_ground": False, "alt_baro_ft": 32000.0,
        "alt_geom_ft": 33825.0, "gs_kn": 478.6, "track_deg": 327.8, "vertical_rate_fpm": -64.0, "callsign": "DAL1812",
        "squawk": "4637", "nic": 8, "nac_p": 10, "sil": 3,
    }  # fmt: skip
    assert (second["on_ground"], second["source"], "alt_baro_ft" in second) == (True, "mlat", False)
    assert (third["alt_geom_ft"], "alt_baro_ft" in third) == (31900.0, False)


def test_readsb_aircraft_list(tmp_path: Path) -> None:
    document = {"now": 1738703622.5, "messages": 5, "aircraft": [
        {"hex": "ac671b", "type": "adsb_icao", "flight": "DAL1812 ", "alt_baro": 32000, "alt_geom": 33825, "gs": 478.6,
         "track": 327.8, "baro_rate": -64, "squawk": "4637", "lat": 16.5, "lon": -88.25, "nic": 8, "nac_p": 10, "sil": 3,
         "seen": 0.1, "seen_pos": 2.5},
        {"hex": "ac671c", "type": "mlat", "alt_baro": "ground", "lat": 16.5, "lon": -88.25, "seen": 1.5, "seen_pos": 60.0},
        {"hex": "~2b2b2b", "lat": 1.0, "lon": 1.0, "seen": 0},
    ]}  # fmt: skip
    recording = opened(tmp_path, document)
    first, second = recording.records()
    assert not isinstance(first, Malformed)
    assert not isinstance(second, Malformed)
    assert (first["time"], first["lat_deg"], first["sil"], first["callsign"]) == (1_738_703_620_000, 16.5, 3, "DAL1812")
    assert (second["time"], second["on_ground"], second["source"]) == (1_738_703_621_000, True, "mlat")
    assert "lat_deg" not in second
    assert recording.skipped == {"no_icao_address": 1}


def test_fr24_playback(tmp_path: Path) -> None:
    def point(at: int, feet: int, squawk: str) -> dict[str, Any]:
        return {"latitude": 3.5, "longitude": 101.5, "altitude": {"feet": feet, "meters": 0}, "speed": {"kts": 23},
                "verticalSpeed": {"fpm": -192}, "heading": 329, "squawk": squawk, "timestamp": at, "ems": None}  # fmt: skip

    flight = {
        "identification": {"id": "2ce4f83f", "callsign": "SPAR19"},
        "aircraft": {"model": {"code": "B737"}, "identification": {"modes": "AE503D", "registration": "09-0540"}},
        "track": [point(1659425766, 0, "2127"), point(1659425796, 900, "0")],
    }
    static, ground, air = rows(tmp_path, {"result": {"response": {"data": {"flight": flight}}}})
    assert (static["registration"], static["type"], static["value"]) == ("09-0540", "B737", "ae503d")
    assert (ground["on_ground"], "alt_baro_ft" in ground, ground["squawk"]) == (True, False, "2127")
    assert (air["on_ground"], air["alt_baro_ft"], "squawk" in air) == (False, 900.0, False)
    assert (air["time"], air["gs_kn"], air["vertical_rate_fpm"], air["callsign"]) == (1_659_425_796_000, 23.0, -192.0, "SPAR19")
