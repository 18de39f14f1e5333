"""Silence: what is a gap and what is not, on both sides of each threshold."""

from __future__ import annotations

from typing import Any

import pytest

from detect.model import Listening, SceneContext
from detect.state import Said
from fleet.area import shape_of
from fleet.area_index import AreaIndex, WatchedArea
from fleet.instants import to_rfc3339

HOUR = 3600.0
HEARD = SceneContext(neighbours_heard=3, neighbours_known=5)


def at_sea(bench: Any, second: float, **more: Any) -> Any:
    return bench.ship(second, lat_deg=50.0, lon_deg=0.0 + second / 3600 * 0.2, sog_kn=8.0, cog_deg=90.0, **more)


def test_silence_of_exactly_6_h_is_not_a_gap(bench: Any) -> None:
    assert bench.run([at_sea(bench, 0), at_sea(bench, 6 * HOUR)]) == []


def test_silence_of_6_h_and_a_second_is_a_gap_though_no_tick_fell_into_it(bench: Any) -> None:
    (gap,) = bench.run([at_sea(bench, 0), at_sea(bench, 6 * HOUR + 1)])
    assert (gap.rule, gap.severity, gap.evidence["verdict"]) == ("gap", "info", "unknown")
    assert (gap.opened_at_us, gap.detected_at_us, gap.closed_at_us) == (
        bench.at(0),
        bench.at(6 * HOUR + 1),
        bench.at(6 * HOUR + 1),
    )


def test_a_tick_opens_and_the_next_reading_closes_the_same_episode(bench: Any) -> None:
    findings = bench.run([at_sea(bench, 0), at_sea(bench, 7 * HOUR)])
    assert [finding.closed_at_us for finding in findings] == [None, bench.at(7 * HOUR)]
    assert len({finding.id for finding in findings}) == 1
    assert {to_rfc3339(finding.detected_at_us) for finding in findings} == {"2023-11-15T04:01:00Z"}
    assert findings[-1].evidence["moved_nm"] == pytest.approx(54.1, abs=0.5)


def test_a_silent_ship_wakes_every_hour_to_ask_for_neighbours(bench: Any, surroundings: Any) -> None:
    around = surroundings()
    bench.run([at_sea(bench, 0)], until=6 * HOUR, around=around)
    assert [(asked - bench.at(0)) // 60_000_000 for asked in around.asked] == [61, 121, 181, 241, 301]


def test_an_hour_with_three_neighbours_heard_is_dark(bench: Any, surroundings: Any) -> None:
    readings = [at_sea(bench, second) for second in (-20, -10, 0)]
    (gap,) = bench.run(readings, until=90 * 60, around=surroundings(scene=lambda _t: HEARD))
    assert (gap.severity, gap.evidence["verdict"], gap.detected_at_us) == ("warning", "dark", bench.at(61 * 60))


def test_an_hour_with_two_neighbours_heard_is_no_gap(bench: Any, surroundings: Any) -> None:
    readings = [at_sea(bench, second) for second in (-20, -10, 0)]
    assert bench.run(readings, until=5 * HOUR, around=surroundings(scene=lambda _t: SceneContext(neighbours_heard=2))) == []


def test_an_asset_that_is_itself_hardly_heard_is_not_dark(bench: Any, surroundings: Any) -> None:
    (gap,) = bench.run([at_sea(bench, 0)], until=8 * HOUR, around=surroundings(scene=lambda _t: HEARD))
    assert (gap.severity, gap.evidence["verdict"], gap.detected_at_us) == ("info", "unknown", bench.at(6 * HOUR + 60))


def test_nobody_heard_where_others_are_known_is_no_coverage(bench: Any, surroundings: Any) -> None:
    (gap,) = bench.run([at_sea(bench, 0)], until=7 * HOUR, around=surroundings(scene=lambda _t: SceneContext(neighbours_known=4)))
    assert (gap.severity, gap.evidence["verdict"]) == ("info", "no_coverage")


def test_a_feed_that_is_down_comes_before_every_other_verdict(bench: Any, surroundings: Any) -> None:
    scene = SceneContext(neighbours_heard=9, neighbours_known=9, feed_down=True)
    readings = [at_sea(bench, second) for second in (-20, -10, 0)]
    (gap,) = bench.run(readings, until=2 * HOUR, around=surroundings(scene=lambda _t: scene))
    assert (gap.severity, gap.evidence["verdict"]) == ("info", "feed_down")


def test_a_gap_becomes_dark_when_others_are_heard_again(bench: Any, surroundings: Any) -> None:
    back_us = bench.at(9 * HOUR)
    around = surroundings(scene=lambda t: HEARD if t >= back_us else SceneContext(neighbours_known=4))
    opened, updated = bench.run([at_sea(bench, second) for second in (-20, -10, 0)], until=12 * HOUR, around=around)
    assert (opened.evidence["verdict"], updated.evidence["verdict"]) == ("no_coverage", "dark")
    assert (opened.id, opened.detected_at_us) == (updated.id, updated.detected_at_us)
    assert (opened.severity, updated.severity) == ("info", "warning")


@pytest.mark.parametrize(("nav_status", "sog_kn"), [(5, 0.4), (1, 0.9)])
def test_moored_or_at_anchor_24_h_are_no_gap_and_a_minute_more_is_parked(bench: Any, nav_status: int, sog_kn: float) -> None:
    def still(second: float) -> Any:
        return bench.ship(second, lat_deg=50.0, lon_deg=0.0, sog_kn=sog_kn, nav_status=nav_status)

    assert bench.run([still(0), still(24 * HOUR)]) == []
    (opened, closed) = bench.run([still(0), still(24 * HOUR + 120)])
    assert (opened.severity, opened.evidence["verdict"]) == ("info", "parked")
    assert closed.closed_at_us == bench.at(24 * HOUR + 120)


@pytest.mark.parametrize(("nav_status", "sog_kn"), [(5, 0.5), (1, 1.0), (None, 0.0), (0, 0.0)])
def test_low_speed_or_status_alone_is_no_context(bench: Any, nav_status: int | None, sog_kn: float) -> None:
    reading = bench.ship(0, lat_deg=50.0, lon_deg=0.0, sog_kn=sog_kn, nav_status=nav_status)
    (gap,) = bench.run([reading], until=7 * HOUR)
    assert gap.evidence["circumstance"] == "at_sea"


def test_time_in_which_we_did_not_listen_is_not_silence(bench: Any, surroundings: Any) -> None:
    deaf = Listening(((bench.at(-HOUR), bench.at(2 * HOUR)), (bench.at(5 * HOUR), bench.at(40 * HOUR))))
    findings = bench.run([at_sea(bench, 0), at_sea(bench, 9 * HOUR)], around=surroundings(listening=deaf))
    assert findings == []
    (gap,) = bench.run([at_sea(bench, 0)], until=12 * HOUR, around=surroundings(listening=deaf))
    assert gap.detected_at_us == bench.at(9 * HOUR + 60)


def test_a_tenant_may_set_the_limit(bench: Any, surroundings: Any) -> None:
    around = surroundings(settings={"gap": {"limit_min": 120.0}})
    (gap,) = bench.run([at_sea(bench, 0)], until=3 * HOUR, around=around)
    assert gap.evidence["limit_min"] == 120.0


def test_a_gap_by_a_tenants_short_limit_ends_with_the_next_reading(bench: Any, surroundings: Any) -> None:
    around = surroundings(settings={"gap": {"limit_min": 5.0}})
    opened, closed = bench.run([airborne(bench, 0), airborne(bench, 420)], around=around)
    assert (opened.detected_at_us, closed.closed_at_us) == (bench.at(360), bench.at(420))


def airborne(bench: Any, second: float, **more: Any) -> Any:
    fields = {"on_ground": False, "gs_kn": 450.0, "track_deg": 90.0, "alt_baro_ft": 36_000.0, "vertical_rate_fpm": 0.0, **more}
    return bench.plane(second, lat_deg=50.0, lon_deg=0.0 + second / 480.0, **fields)


def test_ten_minutes_in_the_air_are_no_gap_and_eleven_are(bench: Any) -> None:
    assert bench.run([airborne(bench, 0), airborne(bench, 600)]) == []
    opened, closed = bench.run([airborne(bench, 0), airborne(bench, 720)])
    assert (opened.severity, opened.detected_at_us, closed.closed_at_us) == ("info", bench.at(660), bench.at(720))


def test_an_aircraft_on_the_ground_has_no_gaps(bench: Any) -> None:
    assert bench.run([airborne(bench, 0, on_ground=True, gs_kn=0.0, alt_baro_ft=None)], until=30 * HOUR) == []


def test_a_dark_aircraft_is_a_warning_after_60_min(bench: Any, surroundings: Any) -> None:
    readings = [airborne(bench, second) for second in (-20, -10, 0)]
    opened, updated = bench.run(readings, until=2 * HOUR, around=surroundings(scene=lambda _t: HEARD))
    assert (opened.severity, opened.evidence["verdict"]) == ("info", "dark")
    assert updated.severity == "warning"
    assert updated.evidence["listened_min"] >= 60.0


def approaching(bench: Any) -> list[Any]:
    return [airborne(bench, s, alt_baro_ft=2_000.0, gs_kn=140.0, vertical_rate_fpm=-700.0) for s in (-20, -10, 0)]


def test_an_aircraft_last_seen_low_and_sinking_is_out_of_sight_and_never_dark(bench: Any, surroundings: Any) -> None:
    (gap,) = bench.run(approaching(bench), until=3 * HOUR, around=surroundings(scene=lambda _t: HEARD))
    assert (gap.severity, gap.evidence["verdict"], gap.evidence["because"]) == ("info", "no_coverage", "below_horizon")


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ({"on_ground": True, "gs_kn": 0.0, "alt_baro_ft": None}, "parked"),
        ({"alt_baro_ft": 1_500.0, "gs_kn": 160.0, "vertical_rate_fpm": 1_800.0}, "parked"),
        ({"alt_baro_ft": 1_500.0, "gs_kn": 160.0, "vertical_rate_fpm": 0.0}, "no_coverage"),
        ({"alt_baro_ft": 12_000.0, "gs_kn": 300.0, "vertical_rate_fpm": 1_800.0}, "no_coverage"),
        ({"on_ground": True, "gs_kn": 0.0, "alt_baro_ft": None, "lat_deg": 50.3}, "no_coverage"),
    ],
)
def test_an_aircraft_is_parked_when_its_return_proves_that_it_had_landed(
    bench: Any, surroundings: Any, found: dict[str, Any], verdict: str
) -> None:
    fields = {"on_ground": False, "track_deg": 90.0, "lat_deg": 50.1, "lon_deg": 0.0, **found}
    readings = [*approaching(bench), bench.plane(5 * HOUR, **fields)]
    gaps = bench.run(readings, around=surroundings(scene=lambda _t: HEARD))
    assert [gap.closed_at_us for gap in gaps] == [None, bench.at(5 * HOUR)]
    assert (gaps[-1].severity, gaps[-1].evidence["verdict"]) == ("info", verdict)


# -- what explains a silence among others that are heard


def steaming(bench: Any, *, every: float = 60.0, hours: float = 2.0, **more: Any) -> list[Any]:
    """A ship under way at 8 kn, heard in a rhythm until the beginning."""
    return [at_sea(bench, -second, **more) for second in reversed([every * i for i in range(int(hours * HOUR / every) + 1)])]


def test_a_ship_that_stops_transmitting_among_others_is_dark_and_stays_it_at_her_return(bench: Any, surroundings: Any) -> None:
    readings = [*steaming(bench, draught_m=9.5), at_sea(bench, 6 * HOUR, draught_m=12.0)]
    readings += [at_sea(bench, 6 * HOUR + 120 * i) for i in range(1, 31)]
    gaps = bench.run(readings, around=surroundings(scene=lambda _t: HEARD))
    assert [(gap.severity, gap.closed_at_us) for gap in gaps] == [
        ("warning", None), ("warning", bench.at(6 * HOUR)), ("warning", bench.at(6 * HOUR))
    ]  # fmt: skip
    evidence = gaps[-1].evidence
    assert (evidence["before_per_h"], evidence["after_per_h"]) == (60.0, 30.0)
    assert (evidence["draught_before_m"], evidence["draught_after_m"]) == (9.5, 12.0)
    assert (evidence["silent_h"], evidence["implied_speed_kn"]) == (6.0, pytest.approx(7.7, abs=0.2))
    assert (evidence["reach_semi_major_nm"], evidence["reach_semi_minor_nm"]) == (75.0, pytest.approx(71.3, abs=0.5))


def test_the_draught_of_static_reports_stands_on_both_sides_of_a_gap(bench: Any, surroundings: Any) -> None:
    state = bench.state()
    state.said = Said(time_us=bench.at(-HOUR), draught_m=7.5)
    bench.run(steaming(bench), until=6 * HOUR, around=surroundings(scene=lambda _t: HEARD), state=state)
    state.said = Said(time_us=bench.at(6.5 * HOUR), draught_m=11.0)
    back = [at_sea(bench, 6 * HOUR + 600 * i) for i in range(8)]
    gaps = bench.run(back, around=surroundings(scene=lambda _t: HEARD), state=state)
    assert (gaps[-1].evidence["draught_before_m"], gaps[-1].evidence["draught_after_m"]) == (7.5, 11.0)


@pytest.mark.parametrize(("source", "verdict"), [("ais_terrestrial", "dark"), ("ais_satellite", "no_coverage")])
def test_a_satellite_is_expected_to_be_away_for_an_hour(bench: Any, surroundings: Any, source: str, verdict: str) -> None:
    readings = steaming(bench, source=source)
    (gap,) = bench.run(readings, until=3 * HOUR, around=surroundings(scene=lambda _t: HEARD))
    assert (gap.evidence["verdict"], gap.evidence["limit_min"]) == (verdict, 60.0)


def test_after_six_hours_a_satellite_explains_nothing_either(bench: Any, surroundings: Any) -> None:
    gaps = bench.run(steaming(bench, source="ais_satellite"), until=7 * HOUR, around=surroundings(scene=lambda _t: HEARD))
    assert [(gap.evidence["verdict"], gap.severity) for gap in gaps] == [("no_coverage", "info"), ("dark", "warning")]
    assert gaps[-1].evidence["listened_min"] == 361.0


@pytest.mark.parametrize(("minutes", "verdict"), [(15, "dark"), (16, "unknown")])
def test_who_was_once_missed_for_a_quarter_of_the_silence_is_not_dark(
    bench: Any, surroundings: Any, minutes: int, verdict: str
) -> None:
    readings = [*(at_sea(bench, -minutes * 60 - 60 * i) for i in (30, 20, 10, 0)), at_sea(bench, 0)]
    gaps = bench.run(readings, until=1.5 * HOUR, around=surroundings(scene=lambda _t: HEARD))
    assert [gap.evidence["verdict"] for gap in gaps] == [verdict]


@pytest.mark.parametrize(
    ("heard", "behind", "lost", "verdict"),
    [
        (5, 5, 2, "no_coverage"),
        (5, 4, 2, "dark"),
        (4, 4, 2, "dark"),
        (4, 4, 3, "no_coverage"),
        (3, 3, 3, "dark"),
        (3, 3, 4, "no_coverage"),
        (3, 2, 5, "dark"),
        (5, 5, 1, "dark"),
        (6, 6, 1, "dark"),
        (9, 9, 3, "no_coverage"),
    ],
)
def test_a_ship_that_left_all_others_behind_where_more_were_lost_is_at_the_edge_of_range(
    bench: Any, surroundings: Any, heard: int, behind: int, lost: int, verdict: str
) -> None:
    scene = SceneContext(neighbours_heard=heard, neighbours_known=9, neighbours_behind=behind, neighbours_lost=lost)
    (gap,) = bench.run(steaming(bench), until=1.5 * HOUR, around=surroundings(scene=lambda _t: scene))
    assert gap.evidence["verdict"] == verdict


def lying(bench: Any, seconds: list[float], *, spread_deg: float = 0.0, sog_kn: float | None = 0.0) -> list[Any]:
    """A small craft without a nav status that lies at a berth."""
    return [
        bench.ship(second, lat_deg=50.8 + spread_deg * (i % 2), lon_deg=-1.1, sog_kn=sog_kn, cog_deg=0.0)
        for i, second in enumerate(seconds)
    ]


@pytest.mark.parametrize(
    ("minutes", "still", "spread_deg", "sog_kn", "verdict"),
    [
        (10, 0, 0.0, 0.0, "parked"),
        (9, 0, 0.0, 0.0, "dark"),
        (1, 3, 0.0, 0.0, "parked"),
        (1, 2, 0.0, 0.0, "dark"),
        (30, 2, 0.0, 0.5, "dark"),
        (30, 2, 0.0002, 0.0, "parked"),
        (30, 2, 0.0003, 0.0, "dark"),
        (10, 0, 0.0, None, "parked"),
        (30, 2, 0.0003, None, "dark"),
        (30, 3, 0.001, 2.9, "parked"),
        (30, 3, 0.001, 3.0, "dark"),
    ],
)
def test_who_lay_still_or_was_berthing_among_moored_ones_is_not_dark(
    bench: Any, surroundings: Any, minutes: int, still: int, spread_deg: float, sog_kn: float | None, verdict: str
) -> None:
    scene = SceneContext(neighbours_heard=9, neighbours_known=9, neighbours_still=still)
    readings = lying(bench, [60.0 * i - 60 * minutes for i in range(minutes + 1)], spread_deg=spread_deg, sog_kn=sog_kn)
    readings = [readings[0], *readings] if minutes < 3 else readings
    (gap,) = bench.run(readings, until=1.5 * HOUR, around=surroundings(scene=lambda _t: scene))
    assert (gap.evidence["verdict"], gap.evidence["circumstance"]) == (verdict, "at_sea")


@pytest.mark.parametrize(("moved_deg", "verdict", "severity"), [(0.0017, "parked", "info"), (0.0019, "dark", "warning")])
def test_a_dark_ship_that_never_moved_was_moored_and_is_no_warning_any_more(
    bench: Any, surroundings: Any, moved_deg: float, verdict: str, severity: str
) -> None:
    readings = [*lying(bench, [-120.0, -60.0, 0.0]), bench.ship(5 * HOUR, lat_deg=50.8 + moved_deg, lon_deg=-1.1, sog_kn=0.1)]
    opened, closed = bench.run(readings, around=surroundings(scene=lambda _t: HEARD))
    assert (opened.severity, opened.evidence["verdict"]) == ("warning", "dark")
    assert (closed.severity, closed.evidence["verdict"], closed.id) == (severity, verdict, opened.id)


def test_others_that_come_back_must_be_heard_for_an_hour_before_the_asset_is_dark(bench: Any, surroundings: Any) -> None:
    back_us = bench.at(5 * HOUR)
    for quiet in (SceneContext(neighbours_known=9), SceneContext(neighbours_heard=9, neighbours_known=9, feed_down=True)):
        around = surroundings(scene=lambda t, quiet=quiet: HEARD if t >= back_us else quiet)
        gaps = bench.run(steaming(bench), until=7.5 * HOUR, around=around)
        assert [gap.evidence["verdict"] for gap in gaps if gap.severity == "warning"] == ["dark"]
        assert gaps[-1].evidence["listened_min"] == 361.0


def test_where_an_outage_ends_and_ships_return_one_by_one_none_of_them_is_dark(bench: Any, surroundings: Any) -> None:
    back_us = bench.at(5 * HOUR)
    around = surroundings(scene=lambda t: HEARD if t >= back_us else SceneContext(neighbours_known=9))
    gaps = bench.run([*steaming(bench), at_sea(bench, 5.7 * HOUR)], around=around)
    assert {gap.severity for gap in gaps} <= {"info"}


# -- prohibited areas in reach


def prohibited(**more: Any) -> AreaIndex:
    square = {"type": "Polygon", "coordinates": [[[3.0, 49.5], [4.0, 49.5], [4.0, 50.5], [3.0, 50.5], [3.0, 49.5]]]}
    fields = {"id": "p1", "kind": "prohibited", "name": "No go", "severity": "critical", "issuer": "x", "version": "1", **more}
    return AreaIndex([WatchedArea(shape=shape_of(square), **fields)])


def test_a_dark_ship_is_critical_once_a_prohibited_area_is_in_reach(bench: Any, surroundings: Any) -> None:
    around = surroundings(scene=lambda _t: HEARD, areas=prohibited())
    gaps = bench.run(steaming(bench), until=8 * HOUR, around=around)
    assert [gap.severity for gap in gaps] == ["warning", "critical"]
    assert (gaps[-1].evidence["prohibited_areas"][0]["area_id"], gaps[-1].evidence["reach_kn"]) == ("p1", 25.0)
    assert gaps[-1].evidence["reach_nm"] >= gaps[-1].evidence["prohibited_areas"][0]["distance_nm"] == pytest.approx(115.5, 0.01)


@pytest.mark.parametrize(("lon_deg", "severity"), [(2.2, "critical"), (0.1, "warning")])
def test_at_her_return_the_ellipse_decides_whether_the_area_was_in_reach(
    bench: Any, surroundings: Any, lon_deg: float, severity: str
) -> None:
    around = surroundings(scene=lambda _t: HEARD, areas=prohibited())
    returned = bench.ship(6 * HOUR, lat_deg=50.0, lon_deg=lon_deg, sog_kn=8.0, cog_deg=90.0)
    gaps = bench.run([*steaming(bench), returned], around=around)
    assert (gaps[0].severity, gaps[-2].severity, gaps[-1].severity) == ("warning", "critical", severity)


def test_an_aircraft_is_not_critical_for_what_an_hours_flight_reaches(bench: Any, surroundings: Any) -> None:
    readings = [airborne(bench, second) for second in (-20, -10, 0)]
    gaps = bench.run(readings, until=3 * HOUR, around=surroundings(scene=lambda _t: HEARD, areas=prohibited()))
    assert {gap.severity for gap in gaps} == {"info", "warning"}
    assert gaps[-1].evidence["prohibited_areas"]
