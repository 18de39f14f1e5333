"""GNSS interference: how many aircraft, what share, what a region is; and how one aircraft is told to be degraded."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from detect import scene_watch
from detect.checkpoint import from_checkpoint, to_checkpoint
from detect.model import Finding
from detect.scene_watch import SceneState
from detect.sighting import BUCKET_US, Sighting
from fleet.geodesy import distance_m
from fleet.instants import MINUTE_US
from tests.detect.conftest import Bench

START_US = 1_699_999_200_000_000


def plane(bucket: int, name: str, *, bad: bool | None, lat_deg: float = 54.2, lon_deg: float = 19.7, **more: Any) -> Sighting:
    fields: dict[str, Any] = {"asset_id": f"asset-{name}", "was_well": True, "asset_class": "aircraft", **more}
    return Sighting(
        name=f"icao24:{name}", time_us=START_US + bucket * BUCKET_US + 5, lat_deg=lat_deg, lon_deg=lon_deg, degraded=bad, **fields
    )


def told(buckets: Sequence[Sequence[Sighting]], state: SceneState | None = None) -> list[Finding]:
    state, found = state or SceneState(), list[Finding]()
    for number, sightings in enumerate(buckets):
        found += scene_watch.watch(state, START_US + number * BUCKET_US, sightings)
    return found


def last(findings: Sequence[Finding]) -> list[Finding]:
    return list({finding.id: finding for finding in findings}.values())


def cell(bad: int, well: int, silent: int = 0, **more: Any) -> list[Sighting]:
    flags: list[bool | None] = [True] * bad + [False] * well + [None] * silent
    return [plane(0, f"{number:06x}", bad=flag, **more) for number, flag in enumerate(flags)]


@pytest.mark.parametrize(
    ("sightings", "found"),
    [
        (cell(2, 1), 1),  # 100 x 1/3
        (cell(2, 0), 0),  # fewer than three
        (cell(2, 0, silent=5), 0),  # who says nothing of its position does not count
        (cell(1, 4), 0),  # one alone is its own fault
        (cell(2, 7), 1),  # 11.1 %
        (cell(2, 8), 0),  # 10 % is not more than 10 %
        (cell(3, 0, was_well=False), 0),  # equipment that never knew better
        (cell(4, 4, was_well=False), 1),  # four of them are the sky's doing
        (cell(4, 5, was_well=False), 0),
        (cell(5, 0, asset_class="vessel"), 0),
    ],
)
def test_a_cell_needs_three_aircraft_and_more_than_a_tenth_of_them(sightings: list[Sighting], found: int) -> None:
    assert len(last(told([sightings]))) == found


def test_a_jammed_region_of_thirty_aircraft_is_one_finding_that_grows_and_closes() -> None:
    rng = random.Random(3)
    names = [f"{number:06x}" for number in range(36)]
    home = {name: (54.2 + rng.uniform(-1.2, 1.2), 19.7 + rng.uniform(-2.0, 2.0)) for name in names}
    home |= dict.fromkeys(names[30:], (57.5, 24.0))  # well clear of it

    def bucket(number: int, bad: int) -> list[Sighting]:
        return [
            plane(number, name, bad=at < bad, lat_deg=home[name][0], lon_deg=home[name][1] + 0.02 * number)
            for at, name in enumerate(names)
        ]

    findings = told([bucket(0, 0), bucket(1, 12), bucket(2, 30), bucket(3, 30), *(bucket(n, 0) for n in range(4, 8))])
    (finding,) = last(findings)
    assert (finding.severity, finding.asset_id, finding.subject) == ("info", "", None)
    assert finding.asset.startswith("region:")
    assert finding.opened_at_us == START_US + BUCKET_US + 5
    assert finding.detected_at_us == START_US + 2 * BUCKET_US
    assert finding.closed_at_us == START_US + 3 * BUCKET_US + 5
    assert (finding.evidence["aircraft_degraded"], len(finding.evidence["aircraft"])) == (30, 30)
    centre, radius_m = (finding.evidence["lat_deg"], finding.evidence["lon_deg"]), finding.evidence["radius_nm"] * 1852
    assert all(distance_m(*centre, *home[name]) < radius_m for name in names[:30])
    assert [one.closed_at_us is None for one in findings][-1] is False
    assert all(one.closed_at_us is None for one in findings[:-1])


def test_two_regions_far_apart_are_two_and_what_joins_them_ends_the_younger() -> None:
    far = [plane(0, f"b{n:05x}", bad=True, lon_deg=29.7) for n in range(4)]
    findings = told([cell(4, 0), far, [plane(2, f"c{n:05x}", bad=True, lon_deg=19.7 + 0.8 * n) for n in range(13)]])
    forms = last(findings)
    assert sorted(one.closed_at_us is None for one in forms) == [False, True]
    (standing,) = (one for one in forms if one.closed_at_us is None)
    assert standing.evidence["aircraft_degraded"] == 21


def test_any_order_within_a_bucket_and_any_cut_say_the_same() -> None:
    buckets = [cell(4, 3), cell(5, 2, lat_deg=54.7), cell(1, 6), [], [], cell(3, 3)]
    expected = told(buckets)
    assert told([random.Random(5).sample(bucket, len(bucket)) for bucket in buckets]) == expected
    state, found = SceneState(), list[Finding]()
    for number, bucket in enumerate(buckets):
        found += scene_watch.watch(state, START_US + number * BUCKET_US, bucket)
        restored = scene_watch.from_bytes(scene_watch.to_bytes(state))
        assert restored is not None
        state = restored
    assert found == expected


# -- one aircraft --------------------------------------------------------------------------------------------------------


def sightings_of(bench: Bench, reports: Sequence[dict[str, Any]]) -> list[Sighting]:
    state = bench.state("aircraft")
    flight = {"lat_deg": 54.0, "gs_kn": 440.0, "alt_baro_ft": 35_000.0, "on_ground": False}
    bench.run(
        [bench.plane(60.0 * n, **{**flight, "lon_deg": 19.0 + 0.15 * n, **report}) for n, report in enumerate(reports)],
        state=state,
    )
    return state.take_sightings()


def test_one_fix_a_bucket_and_one_more_where_the_third_degraded_report_falls(bench: Bench) -> None:
    seen = sightings_of(bench, [{"nic": 8}] * 13 + [{"nic": 6}] * 3 + [{"nic": 8}] * 5)
    assert [(one.time_us - bench.at(0)) // MINUTE_US for one in seen] == [0, 10, 15, 20]
    assert [one.degraded for one in seen] == [False, False, True, False]


@pytest.mark.parametrize(
    ("bad", "degraded"),
    [
        ({"nic": 7}, False),
        ({"nic": 6}, True),
        ({"nic": 8, "nac_p": 8}, False),
        ({"nic": 8, "nac_p": 7}, True),
        ({}, False),
        ({"nic": 6, "on_ground": True, "gs_kn": 10.0, "alt_baro_ft": 0.0}, None),
    ],
)
def test_nic_below_7_or_nac_p_below_8_in_the_air_is_degraded(bench: Bench, bad: dict[str, Any], degraded: bool | None) -> None:
    seen = sightings_of(bench, [{"nic": 9}] * 5 + [bad] * 6)
    assert seen[-1].degraded is degraded


def test_who_reports_neither_does_not_count_and_a_position_that_is_missing_is_none(bench: Bench) -> None:
    assert [one.degraded for one in sightings_of(bench, [{}] * 12)] == [None, None]
    assert sightings_of(bench, [{"lat_deg": None, "lon_deg": None}] * 12) == []


def test_what_was_noted_goes_on_over_a_cut(bench: Bench) -> None:
    state, flight = bench.state("aircraft"), {"lat_deg": 54.0, "lon_deg": 19.0, "gs_kn": 440.0, "alt_baro_ft": 35_000.0}
    bench.run([bench.plane(60.0 * n, **flight, nic=8 if n < 5 else 2) for n in range(7)], state=state)
    taken = state.take_sightings()
    restored = from_checkpoint(to_checkpoint(state))
    assert restored is not None
    for one in (state, restored):
        bench.run([bench.plane(60.0 * n, **flight, nic=2) for n in range(7, 12)], state=one)
    assert [(one.time_us - bench.at(0)) // MINUTE_US for one in taken] == [0]
    assert [(one.time_us - bench.at(0)) // MINUTE_US for one in restored.take_sightings()] == [7, 10]
    assert len(state.take_sightings()) == 2
