"""Who else was heard, and whether a whole feed is down."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from detect.model import Bucket, Fix, SceneContext
from detect.scene import scene
from fleet.geodesy import destination
from fleet.instants import HOUR_US, MINUTE_US

NOW_US = 1_700_000_000_000_000 // MINUTE_US * MINUTE_US


def fix(name: str, minutes_ago: float, km: float = 0.0, **more: Any) -> Fix:
    lat_deg, lon_deg = destination(60.0, 179.9, 90.0, km * 1000)
    fields: dict[str, Any] = {"asset_class": "vessel", "origin": "feed:ais", "lat_deg": lat_deg, "lon_deg": lon_deg, **more}
    return Fix(asset_id=fields.pop("asset_id", None), name=name, time_us=NOW_US - round(minutes_ago * MINUTE_US), **fields)


def look(*others: Fix, ago: float = 61.0, offline: frozenset[str] = frozenset(), **more: Any) -> SceneContext:
    subject = fix("mmsi:1", ago, asset_id="ship", **more)
    return scene(Bucket(time_us=NOW_US, subjects=("ship",), offline_feeds=offline), [subject, *others]).context["ship"]


def test_neighbours_are_counted_to_50_km_also_across_the_antimeridian() -> None:
    seen = look(fix("mmsi:2", 5, km=49.9), fix("mmsi:3", 5, km=50.1), fix("mmsi:4", 5, km=20))
    assert (seen.neighbours_heard, seen.neighbours_known) == (2, 2)


def test_heard_is_less_than_an_hour_ago_and_known_less_than_a_day() -> None:
    seen = look(fix("mmsi:2", 59.9), fix("mmsi:3", 60), fix("mmsi:4", 1439), fix("mmsi:5", 1440), ago=400)
    assert (seen.neighbours_heard, seen.neighbours_known) == (1, 3)


def test_a_satellite_that_has_set_heard_nobody_since() -> None:
    assert look(*(fix(f"mmsi:{i}", 59) for i in range(2, 9))).neighbours_heard == 0
    assert look(*(fix(f"mmsi:{i}", 30) for i in range(2, 9))).neighbours_heard == 7


def test_only_others_of_the_same_class_count_and_each_once() -> None:
    others = [
        fix("mmsi:2", 5),
        fix("mmsi:2", 6, origin="feed:other"),
        fix("icao24:4840d6", 5, asset_class="aircraft"),
        fix("mmsi:1", 5),
    ]
    assert look(*others).neighbours_heard == 1


def test_fixes_after_the_instant_do_not_exist_yet() -> None:
    assert look(fix("mmsi:2", -1)).neighbours_known == 0


def test_an_aircraft_flying_out_of_sight_has_nobody_ahead() -> None:
    plane: dict[str, Any] = {"asset_class": "aircraft", "speed_kn": 450.0, "course_deg": 90.0}
    here = [fix(f"icao24:{i}", 1, km=5, asset_class="aircraft") for i in range(4)]
    ahead = [fix(f"icao24:1{i}", 1, km=139, asset_class="aircraft") for i in range(3)]
    assert look(*here, ago=11, **plane).neighbours_heard == 0
    assert look(*here, *ahead, ago=11, **plane).neighbours_heard == 3


def test_others_that_lie_still_are_counted_to_a_kilometre() -> None:
    others = [fix("mmsi:2", 600, km=0.99, speed_kn=0.4), fix("mmsi:3", 5, km=1.01, speed_kn=0.0)]
    others += [fix("mmsi:4", 5, km=0.5, speed_kn=0.5), fix("mmsi:5", 5, km=0.5), fix("mmsi:6", 5, km=0.0, speed_kn=0.0)]
    assert look(*others).neighbours_still == 2


def test_others_that_went_out_of_hearing_near_by_on_passage_are_counted() -> None:
    others = [fix("mmsi:2", 60, km=19.9, speed_kn=5.0), fix("mmsi:3", 59, km=1.0, speed_kn=9.0)]
    others += [fix("mmsi:4", 90, km=20.1, speed_kn=9.0), fix("mmsi:5", 90, km=1.0, speed_kn=4.9), fix("mmsi:6", 90, km=1.0)]
    assert look(*others).neighbours_lost == 1


def test_others_heard_behind_where_a_ship_was_to_be_in_half_an_hour_are_counted() -> None:
    ahead: dict[str, Any] = {"speed_kn": 12.0, "course_deg": 90.0}
    others = [fix("mmsi:2", 5, km=11.0), fix("mmsi:3", 5, km=11.2), fix("mmsi:4", 5, km=-20.0), fix("mmsi:5", 300, km=-20.0)]
    assert look(*others, **ahead).neighbours_behind == 2
    assert look(*others, **ahead | {"course_deg": 270.0}).neighbours_behind == 2
    assert look(*others, **ahead | {"speed_kn": 4.9}).neighbours_behind == 0
    assert look(*others, **ahead | {"course_deg": None}).neighbours_behind == 0


@pytest.mark.parametrize(("others", "quiet_min", "down"), [(4, 10, True), (3, 10, False), (4, 9, False)])
def test_a_feed_is_down_when_five_were_heard_and_all_are_quiet_for_ten_minutes(others: int, quiet_min: float, down: bool) -> None:
    heard = [fix(f"mmsi:{i + 2}", quiet_min + i, km=4000) for i in range(others)]
    assert look(*heard, ago=30).feed_down is down


def test_a_feed_that_went_down_long_after_the_ship_fell_silent_explains_nothing() -> None:
    heard = [fix(f"mmsi:{i + 2}", 15, km=4000) for i in range(9)]
    assert look(*heard, ago=74).feed_down is True
    assert look(*heard, ago=75).feed_down is False


@pytest.mark.parametrize("origin", ["device", "feed:", "recording"])
def test_an_unnamed_feed_is_never_concluded_down(origin: str) -> None:
    assert look(*(fix(f"mmsi:{i}", 20, origin=origin) for i in range(2, 12)), ago=30, origin=origin).feed_down is False


def test_a_feed_that_said_offline_is_down() -> None:
    assert look(offline=frozenset({"feed:ais"})).feed_down is True


def test_a_subject_without_a_fix_has_an_empty_context() -> None:
    assert scene(Bucket(time_us=NOW_US, subjects=("ghost",)), []).context == {"ghost": SceneContext()}


def test_a_few_subjects_among_72_000_fixes_take_well_under_a_second() -> None:
    rng = random.Random(7)
    fixes = [
        Fix(
            asset_id=f"a{i}",
            name=f"mmsi:{i}",
            asset_class="vessel",
            origin="feed:ais",
            time_us=NOW_US - rng.randrange(4 * HOUR_US),
            lat_deg=rng.uniform(-80, 80),
            lon_deg=rng.uniform(-180, 180),
        )
        for i in range(72_000)
    ]
    began = time.perf_counter()
    result = scene(Bucket(time_us=NOW_US, subjects=tuple(f"a{i}" for i in range(20))), fixes)
    assert time.perf_counter() - began < 2.0
    assert len(result.context) == 20
