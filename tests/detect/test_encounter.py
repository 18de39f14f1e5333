"""Encounters: how near, how slow, how long; who came together; and what is a harbour instead."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest

from detect import scene_watch
from detect.model import Finding
from detect.scene_watch import SceneState
from detect.sighting import BUCKET_US, Sighting
from fleet.geodesy import destination
from fleet.instants import HOUR_US, MINUTE_US
from fleet.use import Place

START_US = 1_699_999_200_000_000  # 2023-11-14T22:00:00Z, a whole hour; a meeting from here straddles midnight


class Waters:
    """A world with land at one distance everywhere and a list of places."""

    def __init__(self, land_m: float | None = 40_000.0, places: Sequence[Place] = ()) -> None:
        self.land_m = land_m
        self.places = places

    def places_within(self, lat_deg: float, lon_deg: float, within_m: float, time_us: int) -> Sequence[Place]:
        del lat_deg, lon_deg, time_us
        return [place for place in self.places if place.distance_m <= within_m]

    def land_distance_m(self, lat_deg: float, lon_deg: float) -> float | None:
        del lat_deg, lon_deg
        return self.land_m


def sighting(bucket: int, name: str, east_m: float, speed_kn: float | None, **more: Any) -> Sighting:
    lat_deg, lon_deg = destination(36.2, 15.0, 90.0, east_m)
    fields: dict[str, Any] = {"asset_id": name, "asset_class": "vessel", "nav_status": 0, **more}
    late_us = fields.pop("late_us", MINUTE_US)
    return Sighting(
        name=f"mmsi:{name}", time_us=START_US + bucket * BUCKET_US + late_us, lat_deg=lat_deg, lon_deg=lon_deg,
        speed_kn=speed_kn, **fields,
    )  # fmt: skip


def ship(name: str, meets: int, stays: int, *, from_east: bool, offset_m: float = 0.0, **more: Any) -> list[Sighting]:
    """A ship that comes in at 12 kn, lies for so many buckets from `meets` on (drifting a little), and leaves."""
    side = 1.0 if from_east else -1.0
    drift_m = more.pop("drift_m", 25.0)
    slow_kn = more.pop("slow_kn", 0.4)
    found = []
    for bucket in range(meets + stays + 12):
        if bucket < meets:
            found.append(sighting(bucket, name, side * (meets - bucket) * 3700.0 + offset_m, 12.0, **more))
        elif bucket < meets + stays:
            found.append(sighting(bucket, name, offset_m + drift_m * (bucket - meets), slow_kn, **more))
        else:
            away_m = drift_m * stays + 3700.0 * (bucket - meets - stays + 1)
            found.append(sighting(bucket, name, offset_m + side * away_m, 12.0, **more))
    return found


def meeting(stays: int = 19, gap_m: float = 120.0, one: dict[str, Any] | None = None, **other: Any) -> list[Sighting]:
    """Two ships that meet in bucket 6 and part three hours later."""
    return [
        *ship("244660001", 6, stays, from_east=False, **(one or {})),
        *ship("538000002", 6, stays, from_east=True, offset_m=gap_m, **other),
    ]


def told(sightings: Iterable[Sighting], world: Waters | None = None, state: SceneState | None = None) -> list[Finding]:
    buckets: dict[int, list[Sighting]] = {}
    for one in sightings:
        buckets.setdefault(one.time_us // BUCKET_US * BUCKET_US, []).append(one)
    end_us = max(buckets) + BUCKET_US
    found: list[Finding] = []
    for _, said in scene_watch.run(state or SceneState(), min(buckets), end_us, buckets, world or Waters()):
        found += said
    return [finding for finding in found if finding.rule == "encounter"]


def last(findings: Iterable[Finding]) -> list[Finding]:
    return list({finding.id: finding for finding in findings}.values())


def test_two_ships_that_meet_lie_together_and_part_are_told_to_both_with_what_was_measured() -> None:
    one, other = last(told(meeting()))
    assert (one.asset_id, one.subject, one.severity) == ("244660001", "mmsi:538000002", "warning")
    assert (other.asset_id, other.subject) == ("538000002", "mmsi:244660001")
    assert one.opened_at_us == START_US + 6 * BUCKET_US  # before midnight; it ends after it
    assert one.closed_at_us == START_US + 24 * BUCKET_US
    assert one.detected_at_us == START_US + 19 * BUCKET_US
    assert one.evidence["lasted_min"] == 180
    assert one.evidence["median_distance_m"] == pytest.approx(120, abs=1)
    assert (one.evidence["median_speed_kn"], one.evidence["meetings"], one.evidence["drifted_m"]) == (0.4, 1, 449)


@pytest.mark.parametrize(
    ("story", "found"),
    [
        (meeting(stays=13), 2),  # two hours from the first contact to the last
        (meeting(stays=12), 0),
        (meeting(gap_m=495.0), 2),
        (meeting(gap_m=505.0), 0),
        (meeting(slow_kn=1.99), 2),
        (meeting(slow_kn=2.0), 0),
    ],
    ids=["2 h", "under 2 h", "495 m", "505 m", "1.99 kn", "2 kn"],
)
def test_each_limit_is_one(story: list[Sighting], found: int) -> None:
    assert len(last(told(story))) == found


@pytest.mark.parametrize(("missing", "found"), [(4, 1), (5, 0)])
def test_nothing_is_made_up_over_an_hour_unheard(missing: int, found: int) -> None:
    story = meeting(stays=16, asset_id="")
    story = [one for one in story if not 12 <= (one.time_us - START_US) // BUCKET_US < 12 + missing]
    assert len(last(told(story))) == found


def test_meetings_less_than_four_hours_apart_are_one_episode_that_goes_on() -> None:
    apart = [sighting(25 + i, "538000002", 6000.0, 5.0) for i in range(6)]
    again = [sighting(31 + i, "538000002", 600.0, 0.3) for i in range(14)]
    lying = [sighting(6 + i, "244660001", 500.0, 0.3, nav_status=1) for i in range(50)]
    came = [one for one in ship("244660001", 6, 1, from_east=False) if one.time_us < START_US + 6 * BUCKET_US]
    first = [one for one in ship("538000002", 6, 19, from_east=True, offset_m=400.0) if one.time_us < START_US + 25 * BUCKET_US]
    findings = [one for one in told([*came, *lying, *first, *apart, *again]) if one.asset_id == "244660001"]
    assert len({one.id for one in findings}) == 1
    assert [one.closed_at_us is None for one in findings] == [True, False, True, False]
    assert findings[-1].evidence["meetings"] == 2


def test_ships_that_drift_together_are_near_each_other_whenever_in_the_bucket_they_are_heard() -> None:
    drift: dict[str, Any] = {"slow_kn": 1.5, "drift_m": 463.0, "course_deg": 90.0}
    together = meeting(one={**drift, "late_us": 0}, **drift, late_us=9 * MINUTE_US)
    as_heard = [
        msgspec.structs.replace(one, lon_deg=destination(one.lat_deg, one.lon_deg, 90.0, 417.0)[1])
        if one.key == "538000002" and one.speed_kn == 1.5
        else one
        for one in together
    ]
    finding = last(told(as_heard))[0]
    assert finding.evidence["median_distance_m"] == pytest.approx(120, abs=2)


HARBOUR = [sighting(i, f"2190000{n}", 1500.0 + 300.0 * n, 0.0, nav_status=None) for n in range(3) for i in range(10)]


@pytest.mark.parametrize(
    "story",
    [
        meeting(kind="tug"),
        meeting(kind="pilot"),
        meeting(kind="law_enforcement"),
        meeting(kind="Bunkering Tanker"),
        meeting(kind="52"),
        meeting(one={"nav_status": 5}, nav_status=5),
        meeting(one={"nav_status": 5}),
        meeting(one={"nav_status": 1}, nav_status=1, gap_m=300.0),
        [one for one in meeting() if one.time_us >= START_US + 6 * BUCKET_US],
        [*meeting(), *HARBOUR],
        [*meeting(), *(sighting(-60 + i, "538000002", 200.0, 0.0) for i in range(10))],
        [*ship("244660001", 6, 19, from_east=True), *ship("538000002", 6, 19, from_east=True, offset_m=90.0)],
        [msgspec.structs.replace(one, name="mmsi:99" + one.name[7:]) for one in meeting()],
    ],
    ids=[
        "tug", "pilot", "patrol", "bunker", "a tug by its code", "both moored", "one moored", "anchored apart",
        "never seen coming", "harbour", "a berth of its own", "came together", "buoy",
    ],
)  # fmt: skip
def test_what_is_no_transfer_between_ships(story: list[Sighting]) -> None:
    assert last(told(story)) == []


PORT = Place(id="p", kind="port", name="P", distance_m=9_900.0)


@pytest.mark.parametrize(
    ("world", "still", "found"),
    [
        (Waters(land_m=4_900.0), False, 0),
        (Waters(land_m=5_100.0), False, 2),
        (Waters(land_m=9_900.0), True, 0),
        (Waters(land_m=10_100.0), True, 2),
        (Waters(land_m=None), True, 0),
        (Waters(land_m=None), False, 2),
        (Waters(places=[PORT]), False, 0),
        (Waters(places=[msgspec.structs.replace(PORT, distance_m=10_100.0)]), False, 2),
    ],
)
def test_near_land_and_places_ships_lie_for_other_reasons(world: Waters, still: bool, found: int) -> None:
    drift: dict[str, Any] = {"drift_m": 0.5} if still else {}
    assert len(last(told(meeting(one=drift, **drift), world))) == found


def test_only_assets_are_told_and_traffic_may_be_whom_they_met() -> None:
    (finding,) = last(told(meeting(asset_id="")))
    assert (finding.asset_id, finding.subject) == ("244660001", "mmsi:538000002")
    assert last(told(meeting(one={"asset_id": ""}, asset_id=""))) == []


def test_any_order_within_buckets_and_any_cut_say_the_same() -> None:
    story = [*meeting(), *ship("244660003", 9, 30, from_east=False, offset_m=-7000.0)]
    expected = told(story)
    assert expected
    shuffled = random.Random(7).sample(story, len(story))
    assert told(shuffled) == expected
    state, found = SceneState(), list[Finding]()
    for bucket in range(45):
        of_bucket = [one for one in shuffled if (one.time_us - START_US) // BUCKET_US == bucket]
        found += scene_watch.watch(state, START_US + bucket * BUCKET_US, of_bucket, Waters())
        restored = scene_watch.from_bytes(scene_watch.to_bytes(state))
        assert restored is not None
        state = restored
    assert found == expected


def test_the_state_forgets_who_left_and_crowds_cost_no_pairs() -> None:
    rng = random.Random(1)
    marina = [(f"21900{n:04d}", rng.uniform(0, 400)) for n in range(300)]
    state = SceneState()
    for bucket in range(12):
        crowd = [sighting(bucket, name, east_m, 0.0) for name, east_m in marina]
        scene_watch.watch(state, START_US + bucket * BUCKET_US, crowd, Waters())
    assert not state.encounter.pairs
    assert sum(map(len, state.encounter.lying.values())) <= 16
    scene_watch.watch(state, START_US + 200 * HOUR_US, [], Waters())
    assert (state.encounter.ships, state.encounter.lying) == ({}, {})
