"""The pass over scenes on a real database: what it says, that late readings revise it, and that a backtest says the same."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from detect.model import Docket
from detect.sighting import Sighting
from fleet.clause import Clause
from fleet.dated import EVER
from fleet.geodesy import destination
from fleet.instants import HOUR_US, SECOND_US
from fleet.lease import NoSts
from ingest.backtest import Backtest
from ingest.roster import Roster
from ingest.scene_pass import keep_scenes, pass_over
from ingest.wire import feed_topic
from store import registry, sightings
from tests.fix_bench import FEED, START_US, Bench, at

BUCKET_S = 600.0
HORIZON_US = 72 * HOUR_US
MEETS, PARTS, ENDS = 6, 25, 34
TOGETHER_M = 120.0


def where(bucket: float, side: float) -> dict[str, Any]:
    """A ship that comes from one side at 12 kn, drifts beside another for three hours, and leaves as she came."""
    if bucket < MEETS:
        east_m, sog_kn = side * (MEETS - bucket) * 3700.0, 12.0
    elif bucket < PARTS:
        east_m, sog_kn = 25.0 * (bucket - MEETS), 0.4
    else:
        east_m, sog_kn = 25.0 * (PARTS - MEETS) + side * (bucket - PARTS + 1) * 3700.0, 12.0
    lat_deg, lon_deg = destination(36.0, 15.5, 90.0, east_m + (TOGETHER_M if side > 0 else 0.0))
    return {"lat_deg": lat_deg, "lon_deg": lon_deg, "sog_kn": sog_kn, "nav_status": 0}


def ship(bucket: float, value: str, side: float, **more: Any) -> dict[str, Any]:
    named = {"class": "vessel", "scheme": "mmsi", "value": value}
    return {**at(bucket * BUCKET_S + 60), **named, **where(bucket, side), **more}


def plane(bucket: float, number: int, nic: int) -> dict[str, Any]:
    flight = {"lat_deg": 54.2, "lon_deg": 19.3 + number / 20, "gs_kn": 400.0, "alt_baro_ft": 36_000.0, "on_ground": False}
    return {
        **at(bucket * BUCKET_S + 60),
        "class": "aircraft",
        "scheme": "icao24",
        "value": f"3c70{number:02d}",
        "nic": nic,
        **flight,
    }


async def ready(bench: Bench) -> None:
    async with bench.pool.connection() as conn:
        await registry.set_feed(conn, "demo", "coast", "recording")
        await registry.register_asset(conn, "demo", "vessel", "Berta", None, [("mmsi", "538001991")])
        for number in range(4):
            await registry.register_asset(conn, "demo", "aircraft", f"D-{number}", None, [("icao24", f"3c70{number:02d}")])


async def judged(bench: Bench) -> tuple[int, bool]:
    """One pass: revisions written, and whether it went back."""
    done = await pass_over(bench.pool, bench.pipeline.clocks, HORIZON_US)
    return sum(one.written for one in done.values()), any(one.is_again for one in done.values())


async def standing(bench: Bench, rule: str) -> list[dict[str, Any]]:
    query = (
        "SELECT finding_id, revision, asset_id::text, asset, subject, severity, opened_at, closed_at, evidence, retracted"
        " FROM finding WHERE rule = %s AND superseded_by IS NULL ORDER BY asset, opened_at"
    )
    return await bench.rows(query, rule)


NO_TRANSFER = Clause(id="c1", subject="c1", lease_id="lease-1", clause="12", severity="critical", binds=(EVER,), demand=NoSts())


def leased(self: Roster, asset_id: str, hour_us: int) -> Docket:
    """On file of every asset: no transfer from ship to ship."""
    del self, asset_id, hour_us
    return Docket(covenants=(NO_TRANSFER,))


async def test_a_meeting_is_found_revised_by_late_readings_and_taken_back_by_later_ones(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Roster, "docket", leased)
    await ready(bench)
    story = [ship(bucket, value, side) for bucket in range(ENDS) for value, side in (("538001234", -1.0), ("538001991", 1.0))]
    late = [
        one for one in story if one["value"] == "538001991" and 10 <= (one["time"] * 1000 - START_US) // (600 * SECOND_US) < 17
    ]
    for one in story:
        if one not in late:
            await bench.send((FEED, [one]))
    assert await judged(bench) == (0, False)  # an hour and more without her: nothing is made up
    assert await judged(bench) == (0, False)
    await bench.send((FEED, late))
    assert await bench.settle() == 1
    assert await judged(bench) == (4, True)
    assert [row["severity"] for row in await standing(bench, "covenant_breach")] == ["critical"] * 2
    one, other = await standing(bench, "encounter")
    assert (one["asset"], one["subject"], other["asset"]) == ("mmsi:538001234", "mmsi:538001991", "mmsi:538001991")
    assert one["opened_at"] == START_US + MEETS * 600 * SECOND_US
    assert one["closed_at"] == START_US + (PARTS - 1) * 600 * SECOND_US
    assert {row["asset"]: row["evidence"] for row in (one, other)} == backtested(story)
    alerts = await bench.rows("SELECT alert_id::text, status, severity FROM alert WHERE rule = 'encounter'")
    assert [(alert["status"], alert["severity"]) for alert in alerts] == [("resolved", "warning")] * 2
    assert await judged(bench) == (0, False)

    moved = [ship(bucket, "538001991", 1.0) | at(bucket * BUCKET_S) | far(bucket) for bucket in (6, 7)]
    await bench.send((FEED, moved))
    assert await bench.settle() == 1
    assert await judged(bench) == (4, True)
    breaches = await standing(bench, "covenant_breach")
    assert [(row["revision"], row["retracted"]) for row in breaches] == [(2, False)] * 2  # a ship's own derivation left them
    again = await standing(bench, "encounter")
    assert [row["finding_id"] for row in again] == [one["finding_id"], other["finding_id"]]
    assert [(row["opened_at"], row["revision"], row["retracted"]) for row in again] == [
        (START_US + 8 * 600 * SECOND_US, 2, False)
    ] * 2

    apart = [ship(bucket, "538001991", 1.0) | at(bucket * BUCKET_S) | far(bucket) for bucket in range(14, 21)]
    await bench.send((FEED, apart))
    await bench.settle()
    await judged(bench)
    assert [row["retracted"] for row in await standing(bench, "encounter")] == [True, True]
    assert [row["retracted"] for row in await standing(bench, "covenant_breach")] == [True, True]
    statuses = await bench.rows("SELECT status FROM alert WHERE rule = 'encounter'")
    assert [row["status"] for row in statuses] == ["retracted"] * 2
    async with bench.pool.connection() as conn:
        await sightings.mark_tenant(conn, "demo", START_US)
    assert await judged(bench) == (0, True)  # the same again says nothing new


def backtested(story: list[dict[str, Any]]) -> dict[str, Any]:
    """What a backtest of the same records says of encounters, by asset."""
    run = Backtest(START_US + 30 * HOUR_US)
    run.run(story)
    return {one.asset: one.evidence for one in run.findings.values() if one.rule == "encounter"}


def test_a_backtest_ends_a_meeting_after_which_nobody_is_seen() -> None:
    met = [ship(bucket, value, side) for bucket in range(PARTS) for value, side in (("538001234", -1.0), ("538001991", 1.0))]
    nowhere = {"class": "vessel", "scheme": "mmsi", "value": "538001777", "sog_kn": 0.1}
    later = [at(bucket * BUCKET_S) | nowhere for bucket in (PARTS + 1, PARTS + 12)]
    run = Backtest(START_US + 30 * HOUR_US)
    run.run([*met, *later])
    closed_us = {one.closed_at_us for one in run.findings.values() if one.rule == "encounter"}
    assert closed_us == {START_US + (PARTS - 1) * 600 * SECOND_US}


def far(bucket: float) -> dict[str, Any]:
    lat_deg, lon_deg = destination(36.0, 15.5, 0.0, 4000.0)
    return {"lat_deg": lat_deg, "lon_deg": lon_deg + bucket / 10_000}


async def test_a_region_is_told_without_an_asset_and_without_an_alert_as_its_clock_goes_on(bench: Bench) -> None:
    await ready(bench)
    for bucket in range(8):
        nic = 8 if bucket < 2 else 3
        await bench.send((FEED, [plane(bucket + part / 10, number, nic) for part in range(4) for number in range(4)]))
        await judged(bench)
    (region,) = await standing(bench, "gnss_interference")
    assert (region["asset_id"], region["severity"], region["closed_at"]) == (None, "info", None)
    assert region["asset"].startswith("region:")
    assert region["evidence"]["aircraft_degraded"] == 4
    assert await bench.rows("SELECT 1 FROM alert WHERE rule = 'gnss_interference'") == []
    told = await bench.rows(
        "SELECT asset_id, body FROM live_event WHERE kind = 'finding' AND body->>'rule' = 'gnss_interference'"
    )
    assert {row["asset_id"] for row in told} == {None}


async def test_traffic_near_a_ship_is_noted_once_a_bucket_with_its_type(bench: Bench) -> None:
    await ready(bench)
    named = {"class": "vessel", "scheme": "mmsi", "value": "244000001"}
    await bench.send((feed_topic("demo", "coast", "static"), [{**at(0), **named, "type": "tug"}]))
    for bucket in (0.0, 1.0, 1.5):
        near = {**named, **{key: value for key, value in where(bucket, -1.0).items() if key != "nav_status"}}
        await bench.send((FEED, [ship(bucket, "538001234", -1.0), {**at(bucket * BUCKET_S + 60), **near}]))
        await judged(bench)
    rows = await bench.rows("SELECT key, clock, noted FROM sighting WHERE asset_id IS NULL")
    assert [(row["key"], row["clock"]) for row in rows] == [("mmsi:244000001", "demo/coast")]
    assert msgspec.msgpack.decode(rows[0]["noted"], type=Sighting).kind == "tug"


async def test_the_worker_s_task_judges_what_is_marked_by_itself(bench: Bench) -> None:
    await ready(bench)
    for bucket in range(3):
        nic = 3 if bucket else 8
        await bench.send((FEED, [plane(bucket + part / 10, number, nic) for part in range(4) for number in range(4)]))
    done = asyncio.Event()
    failed: list[None] = []
    keeping = asyncio.create_task(
        keep_scenes(bench.pool, lambda: bench.pipeline.clocks, HORIZON_US, lambda _: done.set(), lambda: failed.append(None))
    )
    await asyncio.wait_for(done.wait(), 30)
    keeping.cancel()
    await asyncio.wait([keeping])
    assert failed == []
    assert len(await standing(bench, "gnss_interference")) == 1
    assert await bench.rows("SELECT 1 FROM scene_mark") == []
