"""Clauses of leases: what breaches each predicate, on both sides of its edge, and that nothing is judged out of force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from detect.covenant import breach_of_encounter
from detect.model import Docket, Finding, SceneContext
from fleet.area_index import AreaIndex
from fleet.clause import Clause, clause_of, clauses_of, tried
from fleet.dated import EVER, Span
from fleet.geodesy import NM_M, destination
from fleet.instants import from_datetime
from fleet.lease import (
    AisOn,
    Covenant,
    Lease,
    NoSts,
    PlaceRange,
    ProhibitedCountries,
    RedeliveryRange,
    TerritoryRule,
    TradingLimits,
    parse_lease,
)
from fleet.places import Area, AreaPlaces
from tests.detect.conftest import Bench, Surroundings
from tests.detect.fix_areas import area, around, use_of
from tests.detect.test_landing_prohibited import approach, fly

EDGE_IN, EDGE_OUT = destination(50.5, 10.0, 90.0, 0.5 * NM_M), destination(50.5, 10.0, 270.0, 1.03 * NM_M)
SET = area("zone", kind="watch", area_set="LIMITS")


def clause(demand: Any, severity: Any = "warning", binds: Span = EVER, **more: Any) -> Clause:
    given = {"id": "c1", "subject": "c1", "lease_id": "lease-1", "clause": "7(a)", "severity": severity, "binds": (binds,)}
    return Clause(demand=demand, **{**given, **more})


def sail(bench: Bench, places: Sequence[tuple[float, float]], one: Clause, *areas: Any, step_s: float = 60.0) -> list[Finding]:
    readings = [bench.ship(step_s * i, lat_deg=lat, lon_deg=lon, sog_kn=10.0) for i, (lat, lon) in enumerate(places)]
    surroundings = Surroundings(**around(*areas), docket=Docket(covenants=(one,)), use=use_of("vessel"))
    return [found for found in bench.run(readings, around=surroundings) if found.rule == "covenant_breach"]


def test_a_ship_that_leaves_her_trading_limits_breaches_until_she_is_back(bench: Bench) -> None:
    way = [*[EDGE_IN] * 3, *[EDGE_OUT] * 3, *[EDGE_IN] * 3]
    (first, last) = sail(bench, way, clause(TradingLimits(area_set="LIMITS"), severity="critical"), SET)
    assert (first.subject, first.severity, first.opened_at_us) == ("c1", "critical", bench.at(180))
    assert (last.closed_at_us, last.evidence["ended"]) == (bench.at(360), "returned")
    assert (first.evidence["lease_id"], first.evidence["clause"], first.evidence["predicate"]) == (
        "lease-1",
        "7(a)",
        "trading_limits",
    )
    assert first.evidence["distance_outside_nm"] == pytest.approx(1.03, abs=0.01)


@pytest.mark.parametrize(
    ("way", "demand", "found"),
    [
        ([*[EDGE_IN] * 3, EDGE_OUT, *[EDGE_IN] * 3], TradingLimits(area_set="LIMITS"), 0),
        ([EDGE_OUT] * 4, TradingLimits(area_set="LIMITS"), 1),
        ([EDGE_OUT] * 4, TradingLimits(area_set="OTHERS"), 0),
        ([EDGE_OUT] * 4, TradingLimits(area_set="LIMITS", version="2"), 0),
        ([EDGE_IN] * 4, TradingLimits(area_set="LIMITS", inside=False), 1),
        ([EDGE_OUT] * 4, TradingLimits(area_set="LIMITS", inside=False), 0),
        ([EDGE_IN] * 4, TerritoryRule(id="t", kind="prohibited", area_set="LIMITS"), 1),
        ([EDGE_IN] * 4, TerritoryRule(id="t", kind="permitted", area_set="LIMITS"), 0),
        ([EDGE_OUT] * 4, TerritoryRule(id="t", kind="permitted", area_set="LIMITS"), 1),
        ([EDGE_IN] * 4, TerritoryRule(id="t", kind="notify", area_set="LIMITS", prior_notice_h=48), 1),
        ([EDGE_IN] * 4, TerritoryRule(id="t", kind="prohibited", area_set="LIMITS", event_scope="ownership"), 0),
        ([EDGE_IN] * 4, TerritoryRule(id="t", kind="prohibited", area_set="LIMITS", event_scope="overflight"), 0),
    ],
)
def test_where_a_ship_may_be(bench: Bench, way: Sequence[tuple[float, float]], demand: Any, found: int) -> None:
    assert len({one.id for one in sail(bench, way, clause(demand), SET)}) == found


def test_only_while_the_clause_binds_and_over_at_its_end(bench: Bench) -> None:
    binds = Span(bench.at(300), bench.at(900))
    found = sail(bench, [EDGE_OUT] * 30, clause(TradingLimits(area_set="LIMITS"), binds=binds), SET)
    assert [(one.opened_at_us, one.closed_at_us) for one in found] == [(bench.at(300), None), (bench.at(300), bench.at(900))]
    assert found[-1].evidence["ended"] == "clause_over"
    assert sail(Bench(), [EDGE_OUT] * 30, clause(TradingLimits(area_set="LIMITS"), binds=Span(None, 0)), SET) == []


@pytest.mark.parametrize(
    ("scope", "carve_outs", "found"),
    [
        ("any_presence", (), 1),
        ("any_presence", ("overflight",), 0),
        ("overflight", (), 1),
        ("landing", (), 0),
        ("port_call", (), 0),
    ],
)
def test_flying_over_is_presence_unless_it_is_carved_out(bench: Bench, scope: Any, carve_outs: Any, found: int) -> None:
    rule = TerritoryRule(id="t", kind="prohibited", area_set="LIMITS", event_scope=scope, carve_outs=carve_outs)
    fields = {"gs_kn": 450.0, "on_ground": False, "alt_baro_ft": 36_000.0, "lat_deg": 50.5}
    readings = [bench.plane(60.0 * i, lon_deg=9.0 + 0.19 * i, **fields) for i in range(16)]
    told = bench.run(readings, around=Surroundings(**around(SET), docket=Docket(covenants=(clause(rule),))))
    assert len(bench.last(told, "covenant_breach")) == found


@pytest.mark.parametrize(
    ("demand", "mayday_min", "told"),
    [
        (TerritoryRule(id="t", kind="prohibited", area_set="LIMITS", event_scope="landing"), None, ("critical", False)),
        (TerritoryRule(id="t", kind="permitted", area_set="LIMITS", event_scope="landing"), None, None),
        (TerritoryRule(id="t", kind="prohibited", area_set="LIMITS", event_scope="landing"), 20.0, ("critical", True)),
        (
            TerritoryRule(
                id="t", kind="prohibited", area_set="LIMITS", event_scope="landing", carve_outs=("force_majeure",)
            ), 20.0, ("info", True),
        ),
        (ProhibitedCountries(countries=("XA",)), None, ("critical", False)),
        (ProhibitedCountries(countries=("XB",)), None, None),
    ],
)  # fmt: skip
def test_where_an_aircraft_may_land(bench: Bench, demand: Any, mayday_min: float | None, told: Any) -> None:
    docket = Docket(covenants=(clause(demand, severity="critical"),))
    found = bench.last(fly(bench, approach(bench, mayday_min=mayday_min), SET, docket=docket), "covenant_breach")
    assert [(one.severity, one.evidence["force_majeure_candidate"]) for one in found] == ([] if told is None else [told])


@pytest.mark.parametrize(
    ("demand", "found"),
    [
        (TerritoryRule(id="t", kind="prohibited", area_set="LIMITS", event_scope="port_call"), 1),
        (TerritoryRule(id="t", kind="permitted", area_set="LIMITS", event_scope="port_call"), 0),
        (ProhibitedCountries(countries=("XA",)), 1),
        (ProhibitedCountries(countries=("XB",)), 0),
    ],
)
def test_where_a_ship_may_call(bench: Bench, demand: Any, found: int) -> None:
    port = AreaPlaces([Area(id="XAABC", kind="port", name="Harbour", lat_deg=50.1, lon_deg=10.1)])
    readings = [bench.ship(60.0 * i, lat_deg=50.1, lon_deg=10.1 + 1e-6 * i, sog_kn=0.1) for i in range(20)]
    surroundings = Surroundings(**around(SET), docket=Docket(covenants=(clause(demand),)), use=use_of("vessel", port))
    assert len(bench.last(bench.run(readings, around=surroundings), "covenant_breach")) == found


@pytest.mark.parametrize(("country", "found"), [("NL", ["flag"]), ("DE", [])])
def test_whose_flag_a_ship_may_fly(bench: Bench, country: str, found: list[str]) -> None:
    told = sail(bench, [EDGE_OUT] * 5, clause(ProhibitedCountries(countries=(country,))))
    assert [one.evidence["what"] for one in told] == found


def silent(bench: Bench, hours: float, scene: SceneContext | None, **more: Any) -> list[Finding]:
    """A ship that is heard for an hour and then not, up to the end."""
    readings = [bench.ship(60.0 * i, lat_deg=50.0, lon_deg=8.0 + 0.004 * i, sog_kn=9.0, cog_deg=90.0) for i in range(60)]
    readings += [bench.ship(second, **fields) for second, fields in more.get("after", ())]
    around_it = Surroundings(scene=lambda _: scene, docket=Docket(covenants=(clause(AisOn(silence_h_max=8.0)),)))
    found = bench.run(readings, until=None if readings[-1].time_us > bench.at(3600) else 3540 + 3600 * hours, around=around_it)
    return [one for one in found if one.rule == "covenant_breach"]


@pytest.mark.parametrize(
    ("hours", "scene", "found"),
    [
        (8.0, SceneContext(), 0),
        (8.1, SceneContext(), 1),
        (8.1, SceneContext(neighbours_heard=4, neighbours_known=4), 1),
        (20.0, SceneContext(neighbours_heard=0, neighbours_known=4), 0),
        (20.0, SceneContext(feed_down=True), 0),
    ],
)
def test_silent_for_longer_than_the_clause_allows(bench: Bench, hours: float, scene: SceneContext, found: int) -> None:
    told = silent(bench, hours, scene)
    assert [(one.opened_at_us, one.evidence["silence_h_max"]) for one in told] == [(bench.at(3540), 8.0)] * found


def test_a_silence_is_over_when_she_is_heard_again(bench: Bench) -> None:
    back = (3540 + 9.5 * 3600, {"lat_deg": 50.0, "lon_deg": 9.5, "sog_kn": 9.0})
    opened, closed = silent(bench, 0.0, SceneContext(neighbours_heard=4, neighbours_known=4), after=[back])
    assert (opened.closed_at_us, closed.closed_at_us, closed.evidence["silent_h"]) == (None, bench.at(back[0]), 9.5)


def test_the_range_of_return_is_out_of_reach_near_the_end_of_the_term(bench: Bench) -> None:
    demand = RedeliveryRange(place_range=PlaceRange(name="Zone", areas=("zone",)))
    place = destination(50.5, 10.0, 270.0, 140.0 * NM_M)
    for hours, found in ((10.5, 0), (9.5, 1)):  # 140 nm at 14 kn are ten hours
        one = clause(demand, term_to_us=bench.at(hours * 3600))
        assert len(sail(bench, [place] * 5, one, SET)) == found


def encounter(severity: Any = "warning", lat_deg: float = 50.5) -> Finding:
    return Finding(
        id="e", rule="encounter", rule_version=1, severity=severity, asset_id="a", asset="mmsi:1", subject="mmsi:2",
        opened_at_us=10, closed_at_us=20, detected_at_us=15, score=None,
        evidence={"lat_deg": lat_deg, "lon_deg": 10.5, "lasted_min": 130},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("demand", "met", "binds", "found"),
    [
        (NoSts(), encounter(), EVER, 1),
        (NoSts(area_set="LIMITS"), encounter(), EVER, 0),
        (NoSts(area_set="LIMITS"), encounter(lat_deg=52.0), EVER, 1),
        (NoSts(), encounter(severity="info"), EVER, 0),
        (NoSts(), encounter(), Span(11, None), 0),
        (AisOn(silence_h_max=6), encounter(), EVER, 0),
    ],
)
def test_ships_that_meet_where_no_transfer_is_allowed(demand: Any, met: Finding, binds: Span, found: int) -> None:
    told = breach_of_encounter([clause(demand, binds=binds)], met, AreaIndex([SET]))
    assert [(one.rule, one.subject, one.closed_at_us, one.evidence["counterpart"]) for one in told] == [
        ("covenant_breach", "c1", 20, "mmsi:2")
    ] * found


def a_lease(**more: Any) -> Lease:
    covenant = {"id": "ais", "clause": "12(b)", "predicate": {"kind": "ais_on", "silence_h_max": 6}, **more}
    lease = parse_lease({
        "id": "l1", "asset": "mmsi:1", "form": "bareboat", "lessee": "A", "term": {"from": "2026-01-01", "to": "2027-01-01"},
        "covenants": [covenant],
    })  # fmt: skip
    assert isinstance(lease, Lease), lease
    return lease


@pytest.mark.parametrize(
    ("more", "bound"),
    [
        ({}, ("2026-01-01", "2027-01-01")),
        ({"valid_from": "2026-06-01T00:00:00Z"}, ("2026-06-01", "2027-01-01")),
        ({"valid_to": "2025-06-01T00:00:00Z"}, None),
        ({"is_active": False}, None),
    ],
)
def test_a_clause_of_a_file_binds_while_lease_and_clause_hold_and_it_is_switched_on(more: dict[str, Any], bound: Any) -> None:
    from datetime import UTC, datetime

    def us(day: str) -> int:
        return from_datetime(datetime.fromisoformat(day).replace(tzinfo=UTC))

    (one,) = clauses_of(a_lease(**more))
    assert one.binds == (() if bound is None else (Span(us(bound[0]), us(bound[1])),))


def test_what_is_tried_binds_as_long_as_its_lease() -> None:
    covenant = Covenant(id="c", clause="1", predicate=AisOn(silence_h_max=6), is_active=False)
    held = (Span(0, 10), Span(20, None))
    assert tried(covenant, "l", held).binds == held
    assert clause_of(covenant, "l", held).binds == ()
    assert tried(covenant, "l", held, head=False).subject == "l/c"
