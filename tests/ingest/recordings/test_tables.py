"""CSV and JSON layouts, each by a small sample in its exporter's own words."""
# ruff: noqa: E501  an exporter's row is as long as it is

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ingest.recordings import Malformed, open_recording

NOAA = """MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,Cargo,TransceiverClass
219000001,2023-01-11T00:00:00,43.07917,-70.75733,8.8,272.7,270.0,"NORD, STAR",IMO9307839,5LCB4,70,8.0,208.0,30.0,8.0,70.0,A
219000001,2023-01-11T00:01:00,43.08000,-70.75733,102.3,360.0,511.0,"NORD, STAR",IMO9307839,5LCB4,70,15,208.0,30.0,8.0,70.0,A
219000001,2023-01-11T00:02:00,43.08100,-70.75733,8.8,272.7,270.0,"NORD, STAR",IMO9307839,5LCB4,70,8.0,208.0,30.0,9.5,70.0,A
"""
NOAA_2024 = """mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name,imo,call_sign,vessel_type,status,length,width,draft,cargo,transceiver
219000001,2024-01-11 00:00:00,-70.75733,43.07917,8.8,272.7,270,NORD STAR,IMO9307839,5LCB4,70,0,208,30,8.0,70,A
"""
DANISH = """# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,Callsign,Name,Ship type,Cargo type,Width,Length,Type of position fixing device,Draught,Destination,ETA,Data source type,A,B,C,D
01/02/2024 00:00:03,Class A,219000001,56.5,11.25,Under way using engine,-2.5,12.3,35.6,36,9307839,OXAB2,NORD STAR,Cargo,,30,208,GPS,8,AARHUS,02/02/2024 08:00:00,AIS,100,108,15,15
01/02/2024 00:00:04,Base Station,2190067,56.5,11.25,Unknown value,,,,,Unknown,Unknown,,Undefined,,,,Undefined,,,,AIS,,,,
01/02/2024 00:00:05,Class B,219000002,91.000000,0.000000,Unknown value,,0.1,,,Unknown,Unknown,,Undefined,,,,Undefined,,Unknown,,AIS,,,,
"""
EXACT_EARTH = """"MMSI","Message_ID","Time","Millisecond","Vessel_Name","Call_sign","IMO","Ship_Type","Dimension_to_Bow","Dimension_to_stern","Dimension_to_port","Dimension_to_starboard","Draught","Destination","Navigational_status","ROT","SOG","Longitude","Latitude","COG","Heading","UTC_second","ETA_month","ETA_day","ETA_hour","ETA_minute"
"432905000","1","20210701_185151","680","","","","","","","","","","","0","-14.4634","13.6","-103.63687","8.87747666667","314.8","315.0","48","","","",""
"432905000","5","20210701_185200","500","SUN","JXYZ","9307839","80","200","50","10","22","11.4","TOKYO","","","","","","","","","7","14","6","30"
"2320717","4","20210701_185201","500","","","","","","","","","","","","","","1.0","50.0","","","","","","",""
"""
GFW_CSV = """timestamp,mmsi,type,lat,lon,speed,course,heading,status,turn,shipname,callsign,imo,shiptype,draught,destination,tagblock_station,class
2015-01-01T01:53:24.000000Z,224051350,1,-21.5,-96.25,8.5,7.25,511.0,15,,,,,,,,rORBCOMM007,AIS
2015-01-01T01:54:24.000000Z,224051350,5,,,,,,,,BALUEIRO,EHPX,8822404,30,4.6,,rORBCOMM007,AIS
2015-01-01T01:55:24.000000Z,224051350,4,1.0,1.0,,,,,,,,,,,,rORBCOMM007,AIS
"""
STONESOUP = """Time,MMSI,Latitude_degrees,Longitude_degrees,COG_degrees,SOG_knots
2016-01-12 13:02:11.218,235070762,50.75,-1.25,157.8,5.9
"""
M3 = "5 23.48402 37.35515 1722468684\n5 23.48401 37.3551 1722473263\n"
M3_ANNOTATED = "id lon lat t speed heading annotation\n5 23.48402 37.35515 1722468684 0.04590 135.00000 STOP_START;GAP_END\n"
TRAFFIC = """altitude,callsign,groundspeed,icao24,latitude,longitude,onground,squawk,timestamp,track,vertical_rate
20250.0,AFR9455,385.0,398564,48.5,1.25,False,0054,2021-10-07T12:00:01Z,-16.5,-2560.0
"""
OPENSKY = """time,icao24,lat,lon,velocity,heading,vertrate,callsign,onground,alert,spi,squawk,baroaltitude,geoaltitude,lastposupdate,lastcontact
1499105360,4240EC,54.9052,21.9943,225.19,84.89,9.1,UTA394  ,false,false,false,7674,8404.86,8397.24,1499105359.5,1499105360
1499105380,4240EC,54.9052,21.9943,225.19,84.89,9.1,UTA394  ,false,false,false,7674,8404.86,8397.24,1499105359.5,1499105380
"""
NORD_STAR = {"imo": "9307839", "type": "cargo", "length_m": 208.0, "beam_m": 30.0, "draught_m": 8.0}


def read(tmp_path: Path, content: str, kind: str) -> list[dict[str, Any]]:
    path = tmp_path / "recording.dat"
    path.write_bytes(gzip.compress(content.encode()))
    opened = open_recording(path)
    assert opened.kind == kind
    items = list(opened.records())
    assert not [item for item in items if isinstance(item, Malformed)]
    return [item for item in items if not isinstance(item, Malformed)]


def subset(row: dict[str, Any], **expected: Any) -> None:
    assert {name: row.get(name) for name in expected} == expected


def test_marine_cadastre(tmp_path: Path) -> None:
    found = read(tmp_path, NOAA, "csv_marine_cadastre")
    assert [row["stream"] for row in found] == ["static", "telemetry", "telemetry", "static", "telemetry"]
    subset(found[0], time=1_673_395_200_000, name="NORD, STAR", call_sign="5LCB4", **NORD_STAR)
    subset(found[1], value="219000001", lat_deg=43.07917, lon_deg=-70.75733, sog_kn=8.8, cog_deg=272.7,
           heading_deg=270.0, nav_status=8, source="ais_terrestrial")  # fmt: skip
    assert found[2].keys().isdisjoint({"sog_kn", "cog_deg", "heading_deg", "nav_status"})
    assert found[3]["draught_m"] == 9.5


def test_static_columns_that_stay_the_same_are_said_again_after_half_an_hour(tmp_path: Path) -> None:
    head, first, *_ = NOAA.splitlines()
    rows = [first.replace("00:00:00", at) for at in ("00:00:00", "00:29:59", "00:30:00", "00:59:59", "01:00:00")]
    found = read(tmp_path, "\n".join([head, *rows]), "csv_marine_cadastre")
    assert [row["time"] - 1_673_395_200_000 for row in found if row["stream"] == "static"] == [0, 1_800_000, 3_600_000]


def test_marine_cadastre_from_2024(tmp_path: Path) -> None:
    static, telemetry = read(tmp_path, NOAA_2024, "csv_marine_cadastre")
    subset(static, name="NORD STAR", call_sign="5LCB4", **NORD_STAR)
    subset(telemetry, time=1_704_931_200_000, lat_deg=43.07917, lon_deg=-70.75733, sog_kn=8.8, nav_status=0)


def test_danish_maritime_authority(tmp_path: Path) -> None:
    static, telemetry, class_b = read(tmp_path, DANISH, "csv_dma")
    subset(static, time=1_706_745_603_000, name="NORD STAR", call_sign="OXAB2", destination="AARHUS",
           eta="02/02/2024 08:00:00", **NORD_STAR)  # fmt: skip
    subset(telemetry, lat_deg=56.5, lon_deg=11.25, nav_status=0, rot_deg_min=-2.5, sog_kn=12.3, heading_deg=36.0)
    assert class_b == {
        "class": "vessel", "scheme": "mmsi", "value": "219000002", "stream": "telemetry", "source": "ais_terrestrial",
        "time": 1_706_745_605_000, "sog_kn": 0.1,
    }  # fmt: skip


def test_exact_earth(tmp_path: Path) -> None:
    telemetry, static = read(tmp_path, EXACT_EARTH, "csv_exact_earth")
    subset(telemetry, source="ais_satellite", lat_deg=8.8774767, rot_deg_min=-14.463, nav_status=0)
    assert telemetry["time"] == 1_625_165_508_000  # 18:51:48, by its second of the minute
    subset(static, stream="static", time=1_625_165_520_500, name="SUN", call_sign="JXYZ", imo="9307839", type="tanker",
           length_m=250.0, beam_m=32.0, draught_m=11.4, destination="TOKYO", eta="07-14T06:30")  # fmt: skip


def test_global_fishing_watch_csv(tmp_path: Path) -> None:
    telemetry, static = read(tmp_path, GFW_CSV, "csv_gfw")
    subset(telemetry, source="ais_satellite", time=1_420_077_204_000, lat_deg=-21.5, sog_kn=8.5, cog_deg=7.25)
    assert telemetry.keys().isdisjoint({"heading_deg", "nav_status"})
    subset(static, stream="static", name="BALUEIRO", imo="8822404", type="fishing", draught_m=4.6)


@pytest.mark.parametrize("form", ["array", "indented", "an element a line", "lines"])
def test_global_fishing_watch_json(tmp_path: Path, form: str) -> None:
    messages = [
        {"ssvid": "412331104", "msgid": "a", "timestamp": 1704412120.0, "lat": None, "lon": None, "receiver_type": "terrestrial"},
        {"ssvid": 412331104, "msgid": "b", "timestamp": "2024-01-05T00:00:00Z", "lat": 45.5, "lon": 80.5, "speed": 3.5,
         "receiver_type": "satellite"},
    ]  # fmt: skip
    content = {
        "array": json.dumps(messages),
        "indented": json.dumps(messages, indent=4),
        "an element a line": "[\n" + ",\n".join(json.dumps(message) for message in messages) + "\n]",
        "lines": "\n".join(json.dumps(message) for message in messages),
    }[form]
    first, second = read(tmp_path, content, "json_gfw")
    assert (first["time"], first["source"], "lat_deg" in first) == (1_704_412_120_000, "ais_terrestrial", False)
    subset(second, time=1_704_412_800_000, source="ais_satellite", lat_deg=45.5, lon_deg=80.5, sog_kn=3.5)


def test_stone_soup(tmp_path: Path) -> None:
    (row,) = read(tmp_path, STONESOUP, "csv_stonesoup")
    subset(row, value="235070762", time=1_452_603_731_218, lat_deg=50.75, lon_deg=-1.25, cog_deg=157.8, sog_kn=5.9)


@pytest.mark.parametrize("content", [M3, M3_ANNOTATED])
def test_m3_has_identifiers_of_its_own(tmp_path: Path, content: str) -> None:
    row = read(tmp_path, content, "csv_m3")[0]
    subset(row, scheme="local", value="5", time=1_722_468_684_000, lat_deg=37.35515, lon_deg=23.48402)
    assert "sog_kn" not in row


def test_traffic_csv(tmp_path: Path) -> None:
    (row,) = read(tmp_path, TRAFFIC, "state_vectors_csv")
    assert row == {
        "class": "aircraft", "scheme": "icao24", "value": "398564", "stream": "telemetry", "source": "adsb",
        "time": 1_633_608_001_000, "lat_deg": 48.5, "lon_deg": 1.25, "gs_kn": 385.0, "track_deg": 343.5,
        "vertical_rate_fpm": -2560.0, "callsign": "AFR9455", "on_ground": False, "squawk": "0054",
        "alt_baro_ft": 20250.0,
    }  # fmt: skip


@pytest.mark.parametrize("form", ["records", "columns", "lines"])
def test_traffic_json(tmp_path: Path, form: str) -> None:
    rows = [
        {"timestamp": 1515748470000 + 5000 * n, "icao24": "39b415", "latitude": 41.5, "longitude": 8.75, "track": -47,
         "groundspeed": 158, "vertical_rate": 1920, "callsign": "CALIBRA", "altitude": 1000 + n, "geoaltitude": 1100,
         "squawk": "0" if n else "0123"}
        for n in range(2)
    ]  # fmt: skip
    columns = {name: {str(at): row[name] for at, row in enumerate(rows)} for name in rows[0]}
    content = {
        "records": json.dumps(rows),
        "columns": json.dumps(columns),
        "lines": "\n".join(json.dumps(row) for row in rows),
    }[form]
    first, second = read(tmp_path, content, "state_vectors_json")
    subset(first, time=1_515_748_470_000, value="39b415", gs_kn=158.0, track_deg=313.0, alt_baro_ft=1000.0,
           alt_geom_ft=1100.0, squawk="0123", vertical_rate_fpm=1920.0)  # fmt: skip
    assert (second["time"], second["alt_baro_ft"], "squawk" in second) == (1_515_748_475_000, 1001.0, False)


def test_opensky_csv_is_turned_from_si_and_leaves_stale_positions_out(tmp_path: Path) -> None:
    fresh, stale = read(tmp_path, OPENSKY, "state_vectors_csv")
    subset(fresh, value="4240ec", time=1_499_105_360_000, lat_deg=54.9052, lon_deg=21.9943, gs_kn=437.73,
           track_deg=84.89, vertical_rate_fpm=1791.3, callsign="UTA394", on_ground=False, squawk="7674",
           alt_baro_ft=27575.0, alt_geom_ft=27550.0)  # fmt: skip
    assert "lat_deg" not in stale
    assert stale["gs_kn"] == 437.73


def test_a_quick_access_recorder_is_named_by_its_file(tmp_path: Path) -> None:
    columns = {"timestamp": {"602": 1311427389000}, "altitude": {"602": 232.0}, "groundspeed": {"602": 169},
               "track": {"602": -108.25}, "CAS": {"602": 164.875}, "weight": {"602": 69454.0}, "fuelflow": {"602": 7625.5}}  # fmt: skip
    (row,) = read(tmp_path, json.dumps(columns), "state_vectors_json")
    subset(row, scheme="local", value="recording", source="device", gs_kn=169.0, track_deg=251.75, alt_baro_ft=232.0,
           channels={"fuel_flow_kg_h": 7625.5, "weight_kg": 69454.0, "cas_kn": 164.875})  # fmt: skip


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0,2016-01-12 13:02:11", "bad_row"),
        ("2016-01-12 13:02:11.218,235070762,50.75,-1.25,157.8", "bad_row"),
        ("yesterday,235070762,50.75,-1.25,157.8,5.9", "bad_time"),
        ("2016-01-12 13:02:11.218,ship,50.75,-1.25,157.8,5.9", "no_identifier"),
    ],
)
def test_a_bad_row_is_a_value_and_the_next_is_read(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "x"
    header, good = STONESOUP.splitlines()
    path.write_text("\n".join([header, line, good]))
    fault, row = open_recording(path).records()
    assert fault == Malformed(reason, 2, line.encode())
    assert not isinstance(row, Malformed)


def test_own_recordings_keep_every_field_and_get_their_time_in_milliseconds(tmp_path: Path) -> None:
    lines = [
        {"class": "vessel", "scheme": "imo", "value": "9307839", "time": "2026-11-22T08:00:00.25+01:00", "sog_kn": 3, "new": [1]},
        {"class": "vessel", "scheme": "imo", "value": "9307839", "time": 1795330800250, "stream": "static", "name": "A"},
        {"class": "aircraft", "scheme": "icao24", "value": "39b415", "time": "2016-12-31T23:59:60Z"},
    ]  # fmt: skip
    found = read(tmp_path, "\n".join(json.dumps(line) for line in lines), "ndjson")
    assert [row["time"] for row in found] == [1_795_330_800_250, 1_795_330_800_250, 1_483_228_800_000]
    assert [row["stream"] for row in found] == ["telemetry", "static", "telemetry"]
    assert found[0]["new"] == [1]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"time": "2026-11-22T08:00:00"}, "bad_time"),
        ({"time": 1795330800.25}, "bad_time"),
        ({"time": True}, "bad_time"),
        ({}, "no_time"),
        ({"time": 1795330800250, "value": 9307839}, "no_identifier"),
        ({"time": 1795330800250, "stream": "status"}, "bad_row"),
    ],
)
def test_an_own_line_without_who_or_when_is_a_value(tmp_path: Path, fields: dict[str, Any], reason: str) -> None:
    good = {"class": "vessel", "scheme": "imo", "value": "9307839", "time": 1795330800250}
    bad = {name: value for name, value in good.items() if name != "time"} | fields
    path = tmp_path / "x"
    path.write_text(json.dumps(good) + "\n\n" + json.dumps(bad))
    _row, fault = open_recording(path).records()
    assert fault == Malformed(reason, 3, json.dumps(bad).encode())
