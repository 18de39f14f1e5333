"""Silence: what is a gap and what is not, on both sides of each threshold."""

from __future__ import annotations

from typing import Any

import pytest

from detect.model import Listening, SceneContext
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


def test_an_aircraft_last_seen_low_and_sinking_has_landed(bench: Any, surroundings: Any) -> None:
    readings = [airborne(bench, s, alt_baro_ft=2_000.0, gs_kn=140.0, vertical_rate_fpm=-700.0) for s in (-20, -10, 0)]
    (gap,) = bench.run(readings, until=3 * HOUR, around=surroundings(scene=lambda _t: HEARD))
    assert (gap.severity, gap.evidence["verdict"]) == ("info", "parked")
