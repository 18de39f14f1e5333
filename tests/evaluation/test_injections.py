"""Injected faults are what they say they are, and the same in every run."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from evaluation.inject.sphere import NM_M, ahead, bearing_deg, distance_m
from evaluation.inject.track import Fault, Track, readings_of
from evaluation.injected import Job, compared, fault_of
from evaluation.kinds import KINDS

SLOW = {"hull fouling", "hull clean", "engine wear", "engine sound", "dark ship among others", "jammed region"}


def fault(kind: str, number: int = 0) -> Fault:
    return fault_of(Job(kind, is_real=False, number=number))


def own(made: Fault) -> Track:
    return [row for row in readings_of(made.records) if f"{row['scheme']}:{row['value']}" == made.asset]


def during(made: Fault) -> Track:
    return [row for row in own(made) if made.from_ms <= row["time"] < made.until_ms]


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.name not in SLOW])
def test_records_are_in_the_order_of_time_and_the_fault_lies_among_them(kind: str) -> None:
    made = fault(kind)
    times = [row["time"] for row in made.records]
    assert times == sorted(times)
    assert times[0] < made.from_ms < made.until_ms
    assert made == fault(kind)


def test_a_point_ahead_is_as_far_and_as_bearing_as_asked() -> None:
    there = ahead(51.0, 179.9, 75.0, 100 * NM_M)
    assert distance_m((51.0, 179.9), there) == pytest.approx(100 * NM_M)
    assert bearing_deg((51.0, 179.9), there) == pytest.approx(75.0)
    assert -180 <= there[1] < 180


def test_a_teleport_is_far_and_comes_back() -> None:
    made = fault("teleport and return")
    rows = own(made)
    there = during(made)
    before = [row for row in rows if row["time"] < made.from_ms][-1]
    after = next(row for row in rows if row["time"] >= made.until_ms)
    here = (before["lat_deg"], before["lon_deg"])
    assert len(there) >= 2
    assert all(distance_m(here, (row["lat_deg"], row["lon_deg"])) > 55 * NM_M for row in there)
    assert distance_m(here, (after["lat_deg"], after["lon_deg"])) < 10 * NM_M


def test_two_hulls_are_heard_in_turns() -> None:
    rows = during(fault("two hulls on one identity"))
    far = [distance_m((a["lat_deg"], a["lon_deg"]), (b["lat_deg"], b["lon_deg"])) > 30 * NM_M for a, b in pairwise(rows)]
    assert sum(far) > len(far) / 2


def test_a_frozen_ship_says_that_she_moves() -> None:
    rows = during(fault("frozen position"))
    assert len({(row["lat_deg"], row["lon_deg"]) for row in rows}) == 1
    assert all(row["sog_kn"] > 5 for row in rows)


def test_circles_stay_about_a_centre_at_a_steady_distance() -> None:
    rows = during(fault("circles"))
    lat = sum(row["lat_deg"] for row in rows) / len(rows)
    lon = sum(row["lon_deg"] for row in rows) / len(rows)
    away = [distance_m((lat, lon), (row["lat_deg"], row["lon_deg"])) for row in rows]
    assert max(away) < 1.3 * NM_M
    assert min(away) > 0.3 * NM_M


def test_a_drifting_ship_points_across_the_way_she_makes() -> None:
    rows = during(fault("drifting"))[2:]
    assert all(1.0 <= row["sog_kn"] <= 5.0 for row in rows)
    across = [abs((row["heading_deg"] - row["cog_deg"] + 180) % 360 - 180) for row in rows]
    assert all(60 < angle < 120 for angle in across)


def test_a_sudden_stop_takes_ten_seconds() -> None:
    made = fault("sudden stop")
    rows = own(made)
    at = next(index for index, row in enumerate(rows) if row["time"] == made.from_ms)
    assert rows[at]["sog_kn"] > 7
    assert rows[at + 1]["time"] - rows[at]["time"] <= 30_000
    assert all(row["sog_kn"] < 1 for row in rows[at + 1 :])


def test_partners_of_an_encounter_lie_within_500_metres_for_hours() -> None:
    made = fault("encounter")
    mine = during(made)
    others = [row for row in readings_of(made.records) if f"{row['scheme']}:{row['value']}" != made.asset]
    beside = [
        distance_m((row["lat_deg"], row["lon_deg"]), (near["lat_deg"], near["lon_deg"]))
        for row in others
        if made.from_ms + 120_000 < row["time"] < made.until_ms - 120_000
        for near in [min(mine, key=lambda one: abs(one["time"] - row["time"]))]
    ]
    assert len(beside) > 100
    assert max(beside) < 500


def test_a_draught_changes_by_two_metres_in_readings_and_in_static_reports() -> None:
    made = fault("draught change at sea")
    for stream in (True, False):
        said = [(row["time"], row["draught_m"]) for row in made.records if (row.get("stream") == "static") is stream]
        before = {draught for time_ms, draught in said if time_ms < made.from_ms}
        after = {draught for time_ms, draught in said if time_ms >= made.from_ms}
        assert len(before) == len(after) == 1
        assert abs(before.pop() - after.pop()) >= 2.0


def test_a_rapid_descent_falls_faster_than_6000_feet_a_minute_for_two_minutes() -> None:
    rows = during(fault("rapid descent"))
    fallen = rows[0]["alt_baro_ft"] - rows[-1]["alt_baro_ft"]
    assert fallen / ((rows[-1]["time"] - rows[0]["time"]) / 60_000) > 6_000
    assert (rows[-1]["time"] - rows[0]["time"]) >= 100_000


def test_a_hold_turns_more_than_once_round_and_comes_back_to_where_it_was() -> None:
    made = fault("holding")
    rows = during(made)
    turned = sum((b["track_deg"] - a["track_deg"] + 180) % 360 - 180 for a, b in pairwise(rows))
    assert abs(turned) > 3 * 360
    assert distance_m((rows[0]["lat_deg"], rows[0]["lon_deg"]), (rows[-1]["lat_deg"], rows[-1]["lon_deg"])) < 3 * NM_M


def test_a_go_around_climbs_away_from_below_a_thousand_feet_without_a_leap() -> None:
    made = fault("go-around")
    rows = own(made)
    steps = [
        distance_m((a["lat_deg"], a["lon_deg"]), (b["lat_deg"], b["lon_deg"])) / ((b["time"] - a["time"]) / 1000)
        for a, b in pairwise(rows)
    ]
    assert max(steps) < 280  # metres a second
    assert max(row["alt_baro_ft"] for row in during(made)) - during(made)[0]["alt_baro_ft"] > 300


@pytest.mark.parametrize("kind", ["spike", "step", "drift", "stuck", "dead", "noise"])
def test_a_sensor_fault_touches_one_channel(kind: str) -> None:
    made = fault(f"sensor {kind}")
    rows = during(made)
    (channel,) = made.channels
    values = [row["channels"][channel] for row in rows]
    if kind == "dead":
        assert set(values) == {0.0}
    if kind == "stuck":
        assert len(set(values)) == 1


def test_a_finding_counts_at_its_severity_and_in_its_time_alone() -> None:
    kind = next(one for one in KINDS if one.name == "drifting")
    made = Fault([], "mmsi:1", 1_772_323_200_000, 1_772_323_200_000 + 3_600_000)
    line: dict[str, Any] = {
        "rule": "drifting", "severity": "warning", "asset": "mmsi:1", "subject": None, "evidence": {},
        "detected_at": "2026-03-01T00:12:00Z",
    }  # fmt: skip
    job = Job("drifting", is_real=False, number=0)
    found = compared(kind, job, made, [line], 1)
    assert (found.found, found.delay_min, found.true_warnings, found.false_warnings) == (True, 12.0, 1, [])
    assert not compared(kind, job, made, [line | {"severity": "info"}], 1).found
    late = compared(kind, job, made, [line | {"detected_at": "2026-03-03T00:12:00Z"}], 1)
    assert (late.found, len(late.false_warnings)) == (False, 1)
    assert len(compared(kind, job, made, [line | {"asset": "mmsi:2"}], 1).false_warnings) == 1
