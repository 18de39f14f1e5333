"""Real recordings: each opens, is of its kind, and gives at least the records and identifiers counted when it was added."""

from __future__ import annotations

import gzip
import itertools
import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from ingest.decode import decode_record
from ingest.recordings import Malformed, UnknownRecording, merge, open_recording

REPOSITORY = Path(__file__).parents[3]
SHARED = Path(os.environ.get("KEELWING_SHARED", REPOSITORY.parent / "shared")) / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real recordings are not here (KEELWING_SHARED)"),
]


class Floor(NamedTuple):
    """What a file must give at least, and exactly how many malformed pieces of which reasons it may have at most."""

    path: str
    kind: str
    telemetry: int
    static: int
    identifiers: int
    malformed_max: int = 0


FLOORS = [
    Floor("ais_aisdb/test_data_201201.nmea", "aivdm", 5, 2, 6, 0),
    Floor("ais_aisdb/test_data_20210701.csv", "csv_exact_earth", 2371, 105, 2301, 1),
    Floor("ais_aisdb/test_data_20211101.nm4", "aivdm", 916, 45, 822, 0),
    Floor("ais_aisdb/test_data_noaa_20230101.csv", "csv_marine_cadastre", 1000, 998, 1000, 0),
    Floor("ais_amsa_risky/ais.txt.gz", "aivdm", 25414, 2133, 2183, 30),
    Floor("ais_amsa_risky/exact-earth-augmented-2.txt", "aivdm", 798, 228, 139, 2),
    Floor("ais_amsa_risky/exact-earth-augmented-3.txt", "aivdm", 2873, 1159, 380, 8),
    Floor("ais_amsa_risky/exact-earth-augmented.txt", "aivdm", 2926, 914, 1007, 0),
    Floor("ais_amsa_risky/exact-earth-with-tag-block.txt", "aivdm", 178, 21, 120, 0),
    Floor("ais_amsa_risky/nmea-timestamped.txt", "aivdm", 99, 0, 84, 0),
    Floor("ais_decoder_fixtures/libais_tagblock.json", "json_gfw", 3, 1, 2, 0),
    Floor("ais_decoder_fixtures/libais_tagblock.nmea", "aivdm", 3, 1, 2, 0),
    Floor("ais_decoder_fixtures/libais_typeexamples.nmea", "aivdm", 5, 2, 6, 0),
    Floor("ais_decoder_fixtures/pyais_gatehouse.nmea", "aivdm", 1, 0, 1, 3),
    Floor("ais_decoder_fixtures/pyais_messages.ais", "aivdm", 0, 0, 0, 6),
    Floor("ais_decoder_fixtures/pyais_mixed.txt", "aivdm", 1, 1, 2, 13),
    Floor("ais_decoder_fixtures/pyais_nmea_data_sample.txt", "aivdm", 0, 0, 0, 784),
    Floor("ais_decoder_fixtures/pyais_sample.ais", "aivdm", 0, 1, 1, 13),
    Floor("ais_decoder_fixtures/pyais_timestamped.ais", "aivdm", 1, 0, 1, 3),
    Floor("ais_dma_abnormal/212123000_drift_1.ais", "aivdm", 2563, 560, 1, 2),
    Floor("ais_dma_abnormal/219165000_ssc_1.ais", "aivdm", 59, 9, 1, 0),
    Floor("ais_dma_abnormal/ais-sample.txt.gz", "aivdm", 24686, 129, 1442, 3),
    Floor("ais_dma_aislib/decode_encode_messages.txt", "aivdm", 0, 0, 0, 463),
    Floor("ais_dma_aislib/replay_dump.txt", "aivdm", 45, 3, 32, 0),
    Floor("ais_dma_aislib/stream_example.txt", "aivdm", 2963, 488, 1719, 24),
    Floor("ais_gfw_gaps/sample_messages.json", "json_gfw", 84, 0, 1, 0),
    Floor("ais_gfw_segment/205316000.csv.gz", "csv_gfw", 732, 0, 1, 0),
    Floor("ais_gfw_segment/224051350.csv.gz", "csv_gfw", 5106, 373, 1, 0),
    Floor("ais_gfw_segment/224108190.csv.gz", "csv_gfw", 592, 0, 1, 0),
    Floor("ais_gfw_segment/338013000.json", "json_gfw", 1253, 0, 1, 0),
    Floor("ais_gfw_segment/431704490.csv.gz", "csv_gfw", 7379, 120, 1, 0),
    Floor("ais_m3_annotation/input/vessel_1_id.csv", "csv_m3", 9427, 0, 1, 0),
    Floor("ais_m3_annotation/input/vessel_2_id.csv", "csv_m3", 3219, 0, 1, 0),
    Floor("ais_m3_annotation/input/vessel_5_id.csv", "csv_m3", 1010, 0, 1, 0),
    Floor("ais_m3_annotation/output/vessel_1_id_annotated.csv", "csv_m3", 9427, 0, 1, 0),
    Floor("ais_m3_annotation/output/vessel_2_id_annotated.csv", "csv_m3", 966, 0, 1, 0),
    Floor("ais_m3_annotation/output/vessel_5_id_annotated.csv", "csv_m3", 273, 0, 1, 0),
    Floor("stonesoup/SolentAIS_20160112_130211.csv", "csv_stonesoup", 18623, 0, 91, 0),
    Floor("adsb_traffic/calibration/ajaccio.json.gz", "state_vectors_json", 2629, 0, 1, 0),
    Floor("adsb_traffic/calibration/bornholm.json.gz", "state_vectors_json", 2572, 0, 1, 0),
    Floor("adsb_traffic/calibration/brussels_ils.json.gz", "state_vectors_json", 1905, 0, 1, 0),
    Floor("adsb_traffic/calibration/brussels_vor.json.gz", "state_vectors_json", 1493, 0, 1, 0),
    Floor("adsb_traffic/calibration/cardiff.json.gz", "state_vectors_json", 2051, 0, 1, 0),
    Floor("adsb_traffic/calibration/funchal.json.gz", "state_vectors_json", 2756, 0, 1, 0),
    Floor("adsb_traffic/calibration/guatemala.json.gz", "state_vectors_json", 1855, 0, 1, 0),
    Floor("adsb_traffic/calibration/kingston.json.gz", "state_vectors_json", 1455, 0, 1, 0),
    Floor("adsb_traffic/calibration/kiruna.json.gz", "state_vectors_json", 1691, 0, 1, 0),
    Floor("adsb_traffic/calibration/kota_kinabalu.json.gz", "state_vectors_json", 919, 0, 1, 0),
    Floor("adsb_traffic/calibration/liege_sprimont.json.gz", "state_vectors_json", 2405, 0, 1, 0),
    Floor("adsb_traffic/calibration/lisbon.json.gz", "state_vectors_json", 2789, 0, 1, 0),
    Floor("adsb_traffic/collections/quickstart_20211007T12.csv.gz", "state_vectors_csv", 90371, 0, 91, 0),
    Floor("adsb_traffic/dump1090/sample_dump1090.bin", "raw_mode_s", 0, 0, 0, 239),
    Floor("adsb_traffic/featured/airbus_tree.json.gz", "state_vectors_json", 5412, 0, 1, 0),
    Floor("adsb_traffic/featured/dreamliner_airfrance.json.gz", "state_vectors_json", 17910, 0, 2, 0),
    Floor("adsb_traffic/featured/elal747.json.gz", "state_vectors_json", 2110, 0, 1, 0),
    Floor("adsb_traffic/featured/kiwi.json.gz", "state_vectors_json", 1491, 0, 1, 0),
    Floor("adsb_traffic/featured/qantas747.json.gz", "state_vectors_json", 1088, 0, 1, 0),
    Floor("adsb_traffic/fr24/2ce4f83f.json", "state_vectors_json", 871, 1, 1, 0),
    Floor("adsb_traffic/fr24/3376ab31.json", "state_vectors_json", 305, 1, 1, 0),
    Floor("adsb_traffic/fr24/34a8254b.json", "state_vectors_json", 1249, 1, 1, 0),
    Floor("adsb_traffic/fr24/372355e5.json", "state_vectors_json", 634, 1, 1, 0),
    Floor("adsb_traffic/noisy/noisy_ground.json.gz", "state_vectors_json", 924, 0, 1, 0),
    Floor("adsb_traffic/noisy/noisy_landing.json.gz", "state_vectors_json", 848, 0, 1, 0),
    Floor("adsb_traffic/noisy/noisy_takeoff.json.gz", "state_vectors_json", 730, 0, 1, 0),
    Floor("adsb_traffic/noisy/noisy_time_issue.json.gz", "state_vectors_json", 8294, 0, 1, 0),
    Floor("adsb_traffic/onground/zurich_airport.json.gz", "state_vectors_json", 17132, 0, 10, 0),
    Floor("adsb_traffic/performance/fuelflow_a320.json.gz", "state_vectors_json", 11808, 0, 1, 0),
    Floor("adsb_traffic/readsb/trace_full_ac671b.json", "state_vectors_json", 2500, 1, 1, 0),
    Floor("adsb_traffic/rs1090/full_flight_short.jsonl.gz", "raw_mode_s", 14708, 0, 1, 0),
    Floor("adsb_traffic/rs1090/tutorial.jsonl.gz", "raw_mode_s", 24915, 0, 10, 0),
]
NOT_RECORDINGS = [
    "README.md", "LABELS.csv", "ais_gfw_gaps/2021-2023-gaps_per_day_with_good_seg2.csv", "ais_gfw_gaps/README.md",
    "ais_m3_annotation/params.json", "ais_m3_annotation/vessel_info.csv", "ais_decoder_fixtures/libais_typeexamples.json",
    "nab/data/realTraffic/speed_7578.csv", "engine_cmapss/RUL_FD001.txt", "geo_gfw_anchorages/WPI_ports.csv",
    "ais_amsa_risky/port-visit-shapefiles/weipa_visit_pl.zip",
]  # fmt: skip


@pytest.mark.parametrize("floor", FLOORS, ids=lambda floor: floor.path)
def test_a_real_recording_gives_what_it_holds(floor: Floor) -> None:
    opened = open_recording(SHARED / floor.path)
    assert opened.kind == floor.kind
    streams: Counter[str] = Counter()
    identifiers = set()
    malformed = 0
    for item in opened.records():
        if isinstance(item, Malformed):
            malformed += 1
        else:
            streams[item["stream"]] += 1
            identifiers.add(item["value"])
    assert streams["telemetry"] >= floor.telemetry
    assert streams["static"] >= floor.static
    assert len(identifiers) >= floor.identifiers
    assert malformed <= floor.malformed_max
    assert opened.position_bytes == opened.size_bytes


@pytest.mark.parametrize("path", NOT_RECORDINGS)
def test_other_files_are_no_recordings(path: str) -> None:
    with pytest.raises(UnknownRecording):
        open_recording(SHARED / path)


def test_ships_and_aircraft_of_several_files_come_in_one_order_of_time() -> None:
    names = ["ais_dma_abnormal/219165000_ssc_1.ais", "adsb_traffic/featured/dreamliner_airfrance.json.gz",
             "ais_amsa_risky/exact-earth-augmented-2.txt"]  # fmt: skip
    times = [item["time"] for item in merge([SHARED / name for name in names]) if not isinstance(item, Malformed)]
    assert len(times) > 19_000
    assert times == sorted(times)


def test_sentences_agree_with_another_decoders_word_on_them() -> None:
    """The same four messages decoded by libais, which writes 32-bit floats."""
    fixtures = SHARED / "ais_decoder_fixtures"
    expected = {}
    for line in (fixtures / "libais_tagblock.json").read_text().splitlines():
        said = json.loads(line)
        expected[(str(said["mmsi"]), said["type"] == 5, round(said.get("lat", 0.0), 4))] = said
    found = [item for item in open_recording(fixtures / "libais_tagblock.nmea").records() if not isinstance(item, Malformed)]
    assert len(found) == len(expected) == 4
    for row in found:
        said = expected[(row["value"], row["stream"] == "static", round(row.get("lat_deg", 0.0), 4))]
        for ours, theirs in {"lon_deg": "lon", "sog_kn": "speed", "cog_deg": "course", "heading_deg": "heading",
                             "nav_status": "status", "name": "shipname", "call_sign": "callsign"}.items():  # fmt: skip
            assert row.get(ours) == (
                said[theirs] if isinstance(said.get(theirs), str) else pytest.approx(said.get(theirs), abs=5e-5)
            )
        if row["stream"] == "telemetry":
            assert datetime.fromtimestamp(row["time"] / 1000, UTC).second == said["second"]


def test_raw_frames_give_the_positions_that_their_receiver_computed(tmp_path: Path) -> None:
    theirs = SHARED / "adsb_traffic/rs1090/full_flight_short.jsonl.gz"
    with gzip.open(theirs, "rt") as lines:
        decoded = [json.loads(line) for line in itertools.islice(lines, 15_000)]
    frames = tmp_path / "frames"
    frames.write_text("\n".join(f"{line['timestamp']},{line['frame']}" for line in decoded))
    by_receiver = {line["frame"]: (line["latitude"], line["longitude"]) for line in decoded if "latitude" in line}
    ours = [item for item in open_recording(frames).records() if not isinstance(item, Malformed) and "lat_deg" in item]
    by_time = {round(line["timestamp"] * 1000): by_receiver.get(line["frame"]) for line in decoded if "latitude" in line}
    assert len(ours) > 1_000
    far = [row for row in ours if (place := by_time.get(row["time"])) is not None
           and (abs(row["lat_deg"] - place[0]) > 1e-3 or abs(row["lon_deg"] - place[1]) > 1e-3)]  # fmt: skip
    assert far == []


def test_the_anchored_ships_burst_of_102_knots_is_nulled_and_counted() -> None:
    """LOTUS, 2014-10-05 16:10:08Z: a sensor fault, heard by five stations."""
    decoded = [
        decode_record(item, 1_790_000_000_000_000)
        for item in open_recording(SHARED / "ais_dma_abnormal/219165000_ssc_1.ais").records()
        if not isinstance(item, Malformed)
    ]
    assert sum((Counter(one.nulled) for one in decoded), Counter()) == {"sog_kn:noise": 5}
    assert max(getattr(reading, "sog_kn", None) or 0.0 for one in decoded for _, reading in one.readings) <= 0.2
