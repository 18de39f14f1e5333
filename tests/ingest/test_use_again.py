"""Use in the database: what came in order, late, beyond the horizon or after a restart ends with the same facts."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.instants import DAY_US, HOUR_US
from ingest import use_again
from ingest.wire import feed_topic
from store import registry
from tests.fix_bench import START_US, Bench

FEED = feed_topic("demo", "history")
DAYS = 20
STANDS = {"A": (50.03, 8.57), "B": (48.69, 9.22)}


def flying(icao24: str, day: int, evening: bool) -> list[dict[str, Any]]:
    """One flight of 40 minutes with a stand before and after it; Frankfurt to Stuttgart in the morning, back over midnight."""
    begins_us = START_US - (DAYS - day) * DAY_US + (16 * HOUR_US + 20 * 60_000_000 if evening else 0)  # 07:00 and 23:20
    (from_lat, from_lon), (to_lat, to_lon) = (STANDS["B"], STANDS["A"]) if evening else (STANDS["A"], STANDS["B"])
    elements = []
    for minute in range(0, 66, 3):
        is_up = 12 < minute < 53
        share = min(1.0, max(0.0, (minute - 12) / 41))
        elements.append(
            {
                "class": "aircraft",
                "scheme": "icao24",
                "value": icao24,
                "time": (begins_us + minute * 60_000_000) // 1000,
                "source": "adsb",
                "lat_deg": round(from_lat + (to_lat - from_lat) * share, 5),
                "lon_deg": round(from_lon + (to_lon - from_lon) * share, 5),
                "on_ground": not is_up,
                "gs_kn": 280.0 if is_up else 5.0,
                **({"alt_baro_ft": 2400.0, "vertical_rate_fpm": 0.0} if is_up else {}),
            }
        )
    return elements


async def facts(bench: Bench, asset_id: str) -> dict[str, list[Any]]:
    """What stands of an asset's use, and the memories kept of it."""
    async with bench.pipeline.store.transaction() as tx:
        rows = await tx.current_uses(asset_id, -(1 << 60), -(1 << 60), -(1 << 60))
        weeks = await tx.use_checkpoints_after(asset_id, -(1 << 60))
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(type(row.fact).__name__, []).append(row.fact)
    return {**found, "weeks": [(one.at_us, one.state) for one in weeks]}


async def settled(bench: Bench) -> None:
    await bench.settle()
    while await bench.rows("SELECT 1 FROM use_dirty"):
        await use_again.rederive_use_due(bench.pipeline, 0)


async def two_aircraft(bench: Bench) -> list[str]:
    async with bench.pool.connection() as conn:
        await registry.set_feed(conn, "demo", "history", "recording")
        return [
            await registry.register_asset(conn, "demo", "aircraft", name, None, [("icao24", icao24)])
            for name, icao24 in (("D-EVEN", "3c0001"), ("D-LATE", "3c0002"))
        ]


@pytest.mark.parametrize("missing", [(3, True), (DAYS - 5, False)], ids=["weeks ago", "in the last week"])
async def test_a_flight_that_comes_beyond_the_horizon_is_told_as_if_it_had_come_in_order(
    bench: Bench, missing: tuple[int, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_again, "READINGS_MAX", 150)  # several turns
    even, late = await two_aircraft(bench)
    for day in range(DAYS):
        for evening in (False, True):
            kept = [] if (day, evening) == missing else flying("3c0002", day, evening)
            await bench.send((FEED, [*flying("3c0001", day, evening), *kept]))
    before = await facts(bench, late)
    assert [one.coverage for one in before["Journey"]].count(0.0) == 1  # it was found elsewhere, so it flew unseen
    outcome = await bench.send((FEED, flying("3c0002", *missing)))
    assert outcome.late == len(flying("3c0002", *missing))
    assert await bench.rows("SELECT 1 FROM dirty") == []  # rules are not judged again
    await settled(bench)
    assert await facts(bench, late) == await facts(bench, even)
    revisions = await bench.rows(
        "SELECT count(*) FILTER (WHERE superseded_by IS NOT NULL) AS gone FROM activity WHERE asset_id = %s", late
    )
    assert 0 < revisions[0]["gone"] < 40  # what lies outside of it was left alone
    # The machine in memory, and the one that a restart loads, go on from the new facts.
    if missing[1]:
        await bench.restart()
        bench.now_us += 1
    for icao24 in ("3c0001", "3c0002"):
        await bench.send((FEED, flying(icao24, DAYS, evening=False)))
    await settled(bench)
    assert await facts(bench, late) == await facts(bench, even)


async def test_a_redelivered_message_writes_nothing_of_use(bench: Bench) -> None:
    even, _ = await two_aircraft(bench)
    message = (FEED, [*flying("3c0001", 0, evening=False), *flying("3c0001", 0, evening=True)])
    await bench.send(message)
    before = await facts(bench, even)
    count = "SELECT (SELECT count(*) FROM journey) + (SELECT count(*) FROM activity) + (SELECT count(*) FROM use_day) AS rows"
    rows = await bench.rows(count)
    await bench.send(message)
    await bench.restart()
    await bench.send(message)
    assert await bench.rows(count) == rows
    assert await facts(bench, even) == before
    (tail,) = await bench.rows("SELECT state, place FROM use_tail WHERE asset_id = %s", even)
    assert tail == {"state": "ground", "place": "EDDF"}
