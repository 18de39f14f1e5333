"""Clauses of leases through the pipeline: an area and a lease in the database, a breach with its alert, and none out of force."""

from __future__ import annotations

from typing import Any

from fleet.area_entry import entries_of_geojson
from fleet.instants import HOUR_US
from fleet.lease import Covenant, NoSts, Severity, TradingLimits
from store import areas, clauses, registry
from tests.fix_bench import FEED, SHIP, START_US, Bench, at
from tests.ingest.test_scene_pass import ENDS, judged, ready, ship, standing

ZONE = {
    "type": "Feature",
    "properties": {"id": "zone", "name": "Zone", "kind": "prohibited", "area_set": "LIMITS", "issuer": "us", "version": "7"},
    "geometry": {"type": "Polygon", "coordinates": [[[3.0, 52.0], [3.2, 52.0], [3.2, 52.4], [3.0, 52.4], [3.0, 52.0]]]},
}


def limits(severity: Severity, *, is_active: bool = True) -> Covenant:
    demand = TradingLimits(area_set="LIMITS", inside=False)
    return Covenant(id="limits", clause="5(b)", predicate=demand, severity=severity, is_active=is_active)


async def prepare(bench: Bench, lease_to_us: int) -> tuple[str, str]:
    """A lease of the ship until an instant, with a covenant to stay out of the zone, and the zone. Returns ship and lease."""
    (ship,) = await bench.rows("SELECT asset_id::text FROM asset WHERE class = 'vessel'")
    async with bench.pool.connection() as conn:
        entries, faults = entries_of_geojson(ZONE)
        assert faults == []
        await areas.import_areas(conn, "demo", entries, source="test")
        party = await registry.create_party(conn, "demo", "Harbour Lines")
        lease = await registry.create_lease(
            conn, "demo", ship["asset_id"], party, "bareboat", START_US - 24 * HOUR_US, lease_to_us
        )
        await clauses.put_covenant(conn, "demo", lease, limits("critical"), "test")
    return ship["asset_id"], lease


async def sail(bench: Bench, from_min: float, *longitudes: float) -> None:
    """A ship at nine knots or so, a reading every ten minutes."""
    bench.now_us = START_US + 20 * HOUR_US
    way = [at(60.0 * from_min + 600.0 * i, lat_deg=52.2, lon_deg=lon, sog_kn=9.0) for i, lon in enumerate(longitudes)]
    await bench.send((SHIP, way))


async def told(bench: Bench) -> list[tuple[Any, ...]]:
    rows = await bench.rows(
        "SELECT rule, subject, severity, closed_at, evidence ->> 'ended' AS ended FROM finding WHERE superseded_by IS NULL"
        " AND NOT retracted AND (rule LIKE 'area_%%' OR rule = 'covenant_breach') ORDER BY rule, opened_at"
    )
    return [tuple(row.values()) for row in rows]


async def test_a_ship_in_a_forbidden_area_breaches_her_lease_until_that_ends(bench: Bench) -> None:
    ends_us = START_US + 2 * HOUR_US
    _, lease = await prepare(bench, ends_us)
    await sail(bench, 0, 2.95, 2.99, 3.03, 3.07, 3.11)
    assert await told(bench) == [
        ("area_entered", "zone", "warning", None, None), ("covenant_breach", "limits", "critical", None, None),
    ]  # fmt: skip
    (breach,) = await bench.rows(
        "SELECT finding.evidence, lease_id::text FROM finding JOIN alert USING (tenant, rule)"
        " WHERE rule = 'covenant_breach' AND superseded_by IS NULL"
    )
    assert (breach["lease_id"], breach["evidence"]["lease_id"], breach["evidence"]["clause"]) == (lease, lease, "5(b)")

    await sail(bench, 130, 3.11, 3.10, 3.09)
    assert await told(bench) == [
        ("area_entered", "zone", "warning", None, None), ("covenant_breach", "limits", "critical", ends_us, "clause_over"),
    ]  # fmt: skip
    await sail(bench, 170, 3.05, 3.01, 2.97, 2.93, 2.89, 2.93, 2.97, 3.01, 3.05)
    assert [row[0] for row in await told(bench)] == ["area_entered", "area_entered", "area_exited", "covenant_breach"]


async def test_a_clause_that_is_switched_off_is_judged_no_more_and_again_when_it_is_switched_on(bench: Bench) -> None:
    _, lease = await prepare(bench, START_US + 48 * HOUR_US)
    async with bench.pool.connection() as conn:
        await clauses.put_covenant(conn, "demo", lease, limits("warning", is_active=False), "test")
    await sail(bench, 0, 2.95, 2.99, 3.03, 3.07)
    assert [row[0] for row in await told(bench)] == ["area_entered"]
    async with bench.pool.connection() as conn:
        await clauses.put_covenant(conn, "demo", lease, limits("warning"), "test")
    await sail(bench, 40, 3.11, 3.13, 3.15)
    assert [row[:3] for row in await told(bench)] == [
        ("area_entered", "zone", "warning"),
        ("covenant_breach", "limits", "warning"),
    ]


async def test_a_meeting_breaches_a_lease_that_allows_no_transfer_and_late_readings_leave_it(bench: Bench) -> None:
    await ready(bench)
    (berta,) = await bench.rows("SELECT asset_id::text FROM asset WHERE name = 'Berta'")
    async with bench.pool.connection() as conn:
        party = await registry.create_party(conn, "demo", "Harbour Lines")
        lease = await registry.create_lease(conn, "demo", berta["asset_id"], party, "bareboat", START_US - HOUR_US, None)
        await clauses.put_covenant(conn, "demo", lease, Covenant(id="sts", clause="9", predicate=NoSts()), "test")
    story = [ship(bucket, value, side) for bucket in range(ENDS) for value, side in (("538001234", -1.0), ("538001991", 1.0))]
    late = [story.pop(5)]
    for one in story:
        await bench.send((FEED, [one]))
    assert await judged(bench) == (3, False)
    await bench.send((FEED, late))
    assert await bench.settle() == 1
    (breach,) = await standing(bench, "covenant_breach")
    assert (breach["asset"], breach["subject"], breach["severity"], breach["retracted"]) == (
        "mmsi:538001991",
        "sts",
        "warning",
        False,
    )
    assert (breach["evidence"]["counterpart"], breach["evidence"]["lease_id"]) == ("mmsi:538001234", lease)
