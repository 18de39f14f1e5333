"""Who enters and leaves an area: how sure one must be, along boundaries, in holes, over ±180°, and while areas come and go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.model import Docket, Finding
from fleet.area_index import WatchedArea
from fleet.clause import Clause
from fleet.dated import EVER, Span
from fleet.geodesy import NM_M, destination
from fleet.lease import TerritoryRule
from tests.detect.conftest import Bench, Surroundings
from tests.detect.fix_areas import area, around

INSIDE = destination(50.5, 10.0, 90.0, 0.5 * NM_M)
BUFFER = destination(50.5, 10.0, 270.0, 0.97 * NM_M)
OUTSIDE = destination(50.5, 10.0, 270.0, 1.03 * NM_M)
Way = Sequence[tuple[float, tuple[float, float] | None]]


def sail(bench: Bench, way: Way, *areas: WatchedArea, until: float | None = None, **more: Any) -> list[Finding]:
    """A ship at minutes and places; None is a reading without one."""
    readings = [
        bench.ship(minute * 60.0, **({} if at is None else {"lat_deg": at[0], "lon_deg": at[1]}), sog_kn=12.0)
        for minute, at in way
    ]
    found = bench.run(readings, until=None if until is None else until * 60.0, around=Surroundings(**around(*areas, **more)))
    return [one for one in found if one.rule.startswith("area_")]


def passages(bench: Bench, findings: Sequence[Finding]) -> list[tuple[str, float, float | None]]:
    """Each passage in its last form: rule, opened and closed in minutes from the start."""
    found = [*bench.last(findings, "area_entered"), *bench.last(findings, "area_exited")]

    def minute(time_us: int | None) -> float | None:
        return None if time_us is None else (time_us - bench.start_us) / 60e6

    return [(one.rule, minute(one.opened_at_us) or 0.0, minute(one.closed_at_us)) for one in found]


def test_two_fixes_inside_have_entered_at_the_first(bench: Bench) -> None:
    findings = sail(bench, [(0, OUTSIDE), (1, INSIDE), (2, INSIDE)], area())
    assert passages(bench, findings) == [("area_entered", 1.0, None)]
    (entered,) = findings
    assert (entered.subject, entered.severity, entered.detected_at_us) == ("zone", "warning", bench.at(120))
    assert (entered.evidence["how"], entered.evidence["unheard_before_min"]) == ("crossed", 1.0)


@pytest.mark.parametrize("way", [
    [(0, OUTSIDE), (1, INSIDE)],
    [(0, OUTSIDE), (1, INSIDE), (1, INSIDE)],  # the same instant said twice is one fix
    [(0, OUTSIDE), (1, INSIDE), (2, None), (3, OUTSIDE), (4, INSIDE)],
])  # fmt: skip
def test_one_fix_inside_has_not_entered(bench: Bench, way: Way) -> None:
    assert sail(bench, way, area()) == []


@pytest.mark.parametrize(("until", "found"), [(11.0, 0), (11.1, 1)])
def test_one_fix_inside_has_entered_after_ten_minutes_of_silence(bench: Bench, until: float, found: int) -> None:
    findings = sail(bench, [(0, OUTSIDE), (1, INSIDE)], area(), until=until)
    assert [(one.opened_at_us, one.detected_at_us) for one in findings] == [(bench.at(60), bench.at(660))] * found


@pytest.mark.parametrize(("where", "left"), [(BUFFER, False), (OUTSIDE, True)])
def test_a_mile_outside_is_not_left_yet(bench: Bench, where: tuple[float, float], left: bool) -> None:
    way = [(0, INSIDE), (1, INSIDE), (2, where), (3, where)]
    expected = [("area_entered", 0.0, 2.0), ("area_exited", 2.0, 2.0)] if left else [("area_entered", 0.0, None)]
    assert passages(bench, sail(bench, way, area())) == expected


def test_one_fix_outside_has_not_left(bench: Bench) -> None:
    assert passages(bench, sail(bench, [(0, INSIDE), (1, INSIDE), (2, OUTSIDE), (3, INSIDE)], area())) == [
        ("area_entered", 0.0, None)
    ]


def test_a_boundary_jitter_is_one_entry_and_one_exit(bench: Bench) -> None:
    jitter = [(minute, (50.5, 10.0 + (0.004 if minute % 3 else -0.004))) for minute in range(1, 240)]
    found = passages(bench, sail(bench, [(0, OUTSIDE), *jitter, (240, OUTSIDE), (241, OUTSIDE)], area()))
    assert [rule for rule, _, _ in found] == ["area_entered", "area_exited"]


def test_an_exit_has_the_severity_of_its_area_and_says_how_long_she_was_in(bench: Bench) -> None:
    way = [(0, INSIDE), (1, INSIDE), (90, OUTSIDE), (91, OUTSIDE)]
    findings = sail(bench, way, area(severity="critical", kind="watch"))
    (left,) = bench.last(findings, "area_exited")
    (entered,) = bench.last(findings, "area_entered")
    assert (left.severity, entered.severity) == ("critical", "critical")
    assert (left.evidence["inside_h"], entered.evidence["ended"]) == (1.5, "exited")


@pytest.mark.parametrize("more", [{"kind": "port"}, {"applies_to": ("aircraft",)}, {"valid_to_us": 0}])
def test_an_area_of_another_kind_class_or_time_is_none(bench: Bench, more: dict[str, Any]) -> None:
    assert sail(bench, [(0, INSIDE), (1, INSIDE), (2, INSIDE)], area(**more)) == []


def test_a_hole_over_180_is_left_into_and_entered_from(bench: Bench) -> None:
    lines = (
        [(177.0, -19.0), (-178.0, -19.0), (-178.0, -15.0), (177.0, -15.0)],
        [(179.5, -17.5), (-179.5, -17.5), (-179.5, -16.5), (179.5, -16.5)],
    )
    longitudes = [176.9, 177.5, 178.5, 179.7, 179.99, -179.99, -179.7, -179.2, -178.5, -177.5, -177.0]
    way = [(300.0 * place, (-17.0, lon)) for place, lon in enumerate(longitudes)]
    found = passages(bench, sail(bench, way, area("fiji", *lines)))
    assert found == [
        ("area_entered", 300.0, 900.0),
        ("area_entered", 2100.0, 2700.0),
        ("area_exited", 900.0, 900.0),
        ("area_exited", 2700.0, 2700.0),
    ]  # fmt: skip


def test_an_area_that_begins_around_a_ship_is_entered_and_one_that_ends_is_not_left(bench: Bench) -> None:
    dated = area(valid_from_us=bench.at(600), valid_to_us=bench.at(1200))
    findings = sail(bench, [(minute, INSIDE) for minute in range(30)], dated)
    assert passages(bench, findings) == [("area_entered", 10.0, 20.0)]
    (entered,) = bench.last(findings, "area_entered")
    assert (entered.evidence["how"], entered.evidence["ended"]) == ("area_began", "area_over")


def test_a_new_version_of_an_area_is_the_same_area(bench: Bench) -> None:
    old, new = area(valid_to_us=bench.at(600)), area(valid_from_us=bench.at(600), version="2")
    assert passages(bench, sail(bench, [(minute, INSIDE) for minute in range(30)], old, new)) == [("area_entered", 0.0, None)]


def test_areas_that_are_withdrawn_close_what_is_open(bench: Bench) -> None:
    state = bench.state()
    bench.run([bench.ship(0, lat_deg=50.5, lon_deg=10.5), bench.ship(60, lat_deg=50.5, lon_deg=10.5)], state=state,
              around=Surroundings(**around(area())))  # fmt: skip
    (closed,) = bench.run([bench.ship(120, lat_deg=50.5, lon_deg=10.5)], state=state)
    assert (closed.rule, closed.closed_at_us, closed.evidence["ended"]) == ("area_entered", bench.at(120), "area_over")


def fly(bench: Bench, *areas: WatchedArea, **more: Any) -> list[Finding]:
    fields = {"gs_kn": 450.0, "on_ground": False, "alt_baro_ft": 36_000.0, "lat_deg": 50.5}
    readings = [bench.plane(30.0 * i, lon_deg=9.5 + 0.1 * i, **fields, **more.get("reading", {})) for i in range(30)]
    docket = {"docket": more["docket"]} if "docket" in more else {}
    return bench.run(readings, around=Surroundings(**around(*areas, **docket)))


@pytest.mark.parametrize(
    ("listed", "severity"),
    [({}, "info"), ({"severity": "critical"}, "critical"), ({"kind": "notify"}, "warning")],
)
def test_flying_over_a_prohibited_area_is_worth_recording(bench: Bench, listed: dict[str, Any], severity: str) -> None:
    found = fly(bench, area(**listed))
    assert {(one.rule, one.severity) for one in found} == {("area_entered", severity), ("area_exited", severity)}
    assert all(one.evidence["overflight"] for one in found)


@pytest.mark.parametrize(
    ("scope", "carve_outs", "binds", "severity"),
    [
        ("overflight", (), EVER, "critical"),
        ("any_presence", (), EVER, "critical"),
        ("any_presence", ("overflight",), EVER, "info"),
        ("landing", (), EVER, "info"),
        ("overflight", (), Span(None, 0), "info"),
    ],
)
def test_a_lease_may_ban_flying_over(
    bench: Bench, scope: Any, carve_outs: tuple[Any, ...], binds: Span, severity: str
) -> None:  # fmt: skip
    rule = TerritoryRule(id="t1", kind="prohibited", event_scope=scope, area_set="EXCLUDED", carve_outs=carve_outs)
    ban = Clause(id="t1", subject="t1", lease_id="l", clause="t1", demand=rule, severity="critical", binds=(binds,))
    found = [one for one in fly(bench, area(area_set="EXCLUDED"), docket=Docket(covenants=(ban,))) if one.rule == "area_entered"]
    assert {one.severity for one in found} == {severity}


@pytest.mark.parametrize(("nic", "source", "found"), [(5, "adsb", 0), (6, "adsb", 1), (5, "mlat", 1), (None, "adsb", 1)])
def test_a_vague_position_draws_no_line(bench: Bench, nic: int | None, source: str, found: int) -> None:
    readings = fly(bench, area(), reading={"nic": nic, "source": source})
    assert len(bench.last(readings, "area_entered")) == found


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([INSIDE, OUTSIDE, BUFFER, None]), st.sampled_from([0, 1, 2, 11])), max_size=40))
def test_entries_and_exits_take_turns(steps: list[tuple[tuple[float, float] | None, int]]) -> None:
    bench, minute, way = Bench(), 0.0, []
    for where, gap in steps:
        minute += gap
        way.append((minute, where))
    findings = sail(bench, way, area(), until=minute + 30)
    opened = {one.id: one for one in findings if one.rule == "area_entered"}
    exits = [one for one in findings if one.rule == "area_exited"]
    assert [one.closed_at_us for one in opened.values() if one.closed_at_us is not None] == [one.opened_at_us for one in exits]
    assert sum(one.closed_at_us is None for one in opened.values()) <= 1
