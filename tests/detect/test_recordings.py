"""Real recordings through `decode` and `drive`: clean flights and ships must not warn, known oddities must be seen."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from detect.drive import drive
from detect.model import Bucket, Context, Finding, Fix
from detect.scene import scene
from detect.step import initial_state
from fleet.asset_class import class_of
from fleet.reading import Reading
from ingest.decode import decode_record
from ingest.recordings import Malformed, open_recording

SHARED = Path(os.environ.get("KEELWING_SHARED", Path(__file__).parents[3] / "shared")) / "data"
NOW_US = 1_790_000_000_000_000
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real recordings are not at KEELWING_SHARED"),
]


class Memory:
    """Contexts over everything in one recording, as `backtest` has them."""

    def __init__(self, tracks: dict[str, list[Reading]]) -> None:
        self._fixes = {name: [reading for reading in track if reading.lat_deg is not None] for name, track in tracks.items()}
        self._times = {name: [reading.time_us for reading in track] for name, track in self._fixes.items()}

    def at_reading(self, _asset_id: str, _reading: Reading) -> Context:
        return Context()

    def at_tick(self, asset_id: str, time_us: int) -> Context:
        fixes: list[Fix] = []
        for name, times in self._times.items():
            at = bisect_right(times, time_us)
            if at:
                last = self._fixes[name][at - 1]
                fixes.append(
                    Fix(
                        asset_id=name,
                        name=name,
                        asset_class=class_of(last),
                        origin="recording",
                        time_us=last.time_us,
                        lat_deg=last.lat_deg or 0.0,
                        lon_deg=last.lon_deg or 0.0,
                        speed_kn=getattr(last, "speed_kn", None),
                        course_deg=getattr(last, "course_deg", None),
                    )
                )
        return Context(scene=scene(Bucket(time_us=time_us, subjects=(asset_id,)), fixes).context[asset_id])


def findings_of(path: Path) -> tuple[list[Finding], int]:
    """The last form of every finding in a recording, and how many readings it has."""
    tracks: dict[str, dict[tuple[int, str, int], Reading]] = defaultdict(dict)
    for item in open_recording(path).records():
        if not isinstance(item, Malformed):
            for _, reading in decode_record(item, NOW_US).readings:
                tracks[reading.name][reading.time_us, reading.source, reading.seq] = reading
    ordered = {name: [track[key] for key in sorted(track)] for name, track in tracks.items()}
    memory, until_us = Memory(ordered), max(track[-1].time_us for track in ordered.values())
    forms: dict[str, Finding] = {}
    for name, track in ordered.items():
        found = drive(initial_state(name, class_of(track[0])), track, until_us, memory)
        forms.update((finding.id, finding) for finding in found)
    return list(forms.values()), sum(map(len, ordered.values()))


def warnings(found: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.asset) for finding in found if finding.severity != "info"]


CALIBRATION = sorted((SHARED / "adsb_traffic/calibration").glob("*.json.gz")) if SHARED.is_dir() else []
FEATURED = sorted((SHARED / "adsb_traffic/featured").glob("*.json.gz")) if SHARED.is_dir() else []


@pytest.mark.parametrize("path", [*CALIBRATION, *FEATURED], ids=lambda path: path.name)
def test_clean_flights_have_no_warning(path: Path) -> None:
    found, readings = findings_of(path)
    assert readings > 500
    assert warnings(found) == []


@pytest.mark.parametrize(
    "name",
    [
        "adsb_traffic/performance/fuelflow_a320.json.gz",
        "adsb_traffic/readsb/trace_full_ac671b.json",
        "adsb_traffic/onground/zurich_airport.json.gz",
        "adsb_traffic/noisy/noisy_landing.json.gz",
        "ais_dma_abnormal/212123000_drift_1.ais",
        "ais_m3_annotation/input/vessel_5_id.csv",
        "ais_gfw_segment/224051350.csv.gz",
        "ais_gfw_segment/205316000.csv.gz",
    ],
)
def test_legitimate_but_unusual_tracks_have_no_warning(name: str) -> None:
    found, readings = findings_of(SHARED / name)
    assert readings > 500
    assert warnings(found) == []


def test_every_jump_of_a_month_is_counted_in_a_few_episodes_and_none_of_the_noise_warns() -> None:
    found, readings = findings_of(SHARED / "ais_gfw_segment/431704490.csv.gz")
    jumps = [finding for finding in found if finding.rule == "position_jump"]
    assert readings > 5000
    assert sum(finding.evidence["jumps"] for finding in jumps) == 606
    assert len(jumps) < 200
    assert [warned for warned in warnings(found) if warned[0] in {"position_jump", "position_conflict"}] == []


def test_a_ship_heard_through_two_receivers_with_different_clocks_jumps() -> None:
    found, _ = findings_of(SHARED / "ais_gfw_segment/338013000.json")
    assert sum(finding.evidence["jumps"] for finding in found if finding.rule == "position_jump") >= 21
    assert [finding for finding in found if finding.rule == "position_conflict"] == []


def test_long_gaps_of_one_ship_are_seen() -> None:
    found, _ = findings_of(SHARED / "ais_gfw_segment/224108190.csv.gz")
    gaps = [finding for finding in found if finding.rule == "gap"]
    assert len(gaps) >= 10
    assert {finding.evidence["verdict"] for finding in gaps} <= {"unknown", "parked"}
