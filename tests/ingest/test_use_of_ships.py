"""A ship's use through the pipeline: her ports from the map, her loading from her hull, and what a late reading changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from fleet.instants import DAY_US, HOUR_US, SECOND_US
from fleet.vessel import VesselReading
from store import stays
from store.pool import scope
from tests.fix_bench import SHIP, START_US, Bench, at
from tests.fleet.fix_ships import after, lying, sailing

ROTTERDAM, THERE = (51.96, 4.04), (53.2, 4.5)
AREA = (
    "INSERT INTO area (tenant, area_id, name, kind, issuer, version, severity, geometry, radius_m, west_deg, south_deg, east_deg,"
    " north_deg) VALUES (%s, %s, %s, 'port', 'test', '1', 'info', %s, 3000, 0, 0, 0, 0)"
)

VOYAGE = (
    "SELECT coverage, figures, revision FROM journey WHERE kind = 'voyage' AND to_place = 'PLATFORM' AND superseded_by IS NULL"
)


def round_of() -> list[VesselReading]:
    """In port, out laden, two hours stopped in another, and an hour back in ballast; every ten minutes."""
    stay = lying(ROTTERDAM, START_US, 6, nav_status=5, draught_m=14.2)
    out = sailing(ROTTERDAM, THERE, after(stay), 9.0, nav_status=0, draught_m=14.2)
    there = lying(THERE, after(out), 4, nav_status=5, draught_m=6.8)
    return [*stay, *out, *there, *sailing(THERE, ROTTERDAM, after(there), 14.0, nav_status=0, draught_m=6.8)[:18]]


def body_of(reading: VesselReading) -> dict[str, Any]:
    names = ("lat_deg", "lon_deg", "sog_kn", "nav_status", "draught_m")
    return at((reading.time_us - START_US) / SECOND_US, **{name: getattr(reading, name) for name in names})


async def send(bench: Bench, readings: Sequence[VesselReading]) -> None:
    await bench.send((SHIP, [body_of(reading) for reading in readings]))


async def journeys(bench: Bench) -> list[tuple[Any, ...]]:
    rows = await bench.rows(
        "SELECT kind, from_place, to_place, confidence, distance_m, started_at, ended_at FROM journey"
        " WHERE superseded_by IS NULL AND NOT retracted ORDER BY started_at, kind"
    )
    return [tuple(row.values()) for row in rows]


async def prepare(bench: Bench) -> str:
    bench.now_us = START_US + 2 * DAY_US
    await bench.rows("UPDATE asset SET particulars = '{\"summer_draught_m\": 14.45}' WHERE class = 'vessel' RETURNING 1")
    for tenant, area, lat_lon in (("_", "NLRTM", ROTTERDAM), ("demo", "PLATFORM", THERE)):
        point = f'{{"type": "Point", "coordinates": [{lat_lon[1]}, {lat_lon[0]}]}}'
        await bench.rows(f"{AREA} RETURNING 1", tenant, area, area, point)
    return str((await bench.rows("SELECT asset_id FROM asset WHERE class = 'vessel'"))[0]["asset_id"])


async def test_a_round_is_told_as_it_happens_and_again_when_readings_come_late(bench: Bench) -> None:
    ship = await prepare(bench)
    readings = round_of()
    voyage_from = next(i for i, one in enumerate(readings) if one.nav_status == 0)
    late = readings[voyage_from + 3 : voyage_from + 43]  # of six hours and a half
    await send(bench, readings[: voyage_from + 3])
    await send(bench, readings[voyage_from + 43 :])
    told = await journeys(bench)
    assert [row[:4] for row in told] == [
        ("port_call", "NLRTM", "NLRTM", 3), ("voyage", "NLRTM", "PLATFORM", None), ("port_call", "PLATFORM", "PLATFORM", 4),
        ("voyage", "PLATFORM", None, None),
    ]  # fmt: skip
    (voyage,) = await bench.rows(VOYAGE)
    assert voyage["figures"]["draught_m"] == 14.2
    assert voyage["coverage"] < 0.5

    await send(bench, late)
    await bench.settle()
    again = await journeys(bench)
    assert [row[:4] for row in again] == [row[:4] for row in told]
    (voyage,) = await bench.rows(VOYAGE)
    assert (voyage["coverage"], voyage["revision"] > 1) == (1.0, True)
    (day,) = await bench.rows("SELECT * FROM use_day WHERE superseded_by IS NULL")
    assert sum(day["state_s"].values()) == 17 * 3600  # from the first reading at 07:00 to midnight
    assert "unknown" not in day["state_s"]
    assert day["laden_m"] + day["ballast_m"] == pytest.approx(day["distance_m"], abs=1e-3)
    assert day["laden_m"] > 100_000

    async with bench.pool.connection() as conn:
        await scope(conn, "demo", None)
        which = stays.StayFilter(ship, ("port_call", "moored"), START_US, START_US + DAY_US, confidence_min=3)
        found = await stays.stays(conn, which, None, 10)
    assert [(row["kind"], row["place"]) for row in found] == [
        ("moored", "NLRTM"), ("port_call", "NLRTM"), ("port_call", "PLATFORM"), ("moored", "PLATFORM"),
    ]  # fmt: skip
    assert found[0]["length_s"] == 6 * 3600
    assert found[0]["sources"] == {"device": 6 * 3600.0}
    assert found[3]["ended_at"] - found[3]["started_at"] == 4 * HOUR_US
