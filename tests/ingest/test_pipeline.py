"""The journey through one transaction, against a real database."""

from __future__ import annotations

from detect.model import Listening
from fleet.instants import HOUR_US, SECOND_US
from ingest.wire import device_topic, feed_topic
from store import counts, registry
from tests.fix_bench import FEED, PLANE, SHIP, START_US, Bench, at, sailing


async def test_a_reading_is_stored_once_however_often_it_comes(bench: Bench) -> None:
    await bench.send((SHIP, sailing(0)))
    outcome = await bench.send((SHIP, sailing(0)), (SHIP, sailing(0)), (SHIP, sailing(10)))
    assert (outcome.received, outcome.stored, outcome.duplicate) == (3, 1, 2)
    assert len(await bench.rows("SELECT 1 FROM reading_vessel")) == 2


async def test_two_hulls_of_one_mmsi_in_one_second_are_both_stored(bench: Bench) -> None:
    topic = device_topic("demo", "vessel", "mmsi", "538001234")
    here, there = at(0, lat_deg=1.0, lon_deg=1.0), at(0, lat_deg=50.0, lon_deg=1.0)
    await bench.send((topic, here))
    await bench.send((topic, there))
    assert len(await bench.rows("SELECT 1 FROM reading_vessel")) == 2


async def test_what_came_in_balances_with_what_became_of_it(bench: Bench) -> None:
    someone = {"class": "vessel", "scheme": "mmsi", "value": "111111111", "lat_deg": 1, "lon_deg": 2}
    mine = {"class": "vessel", "scheme": "mmsi", "value": "538001234"}
    unknown = device_topic("demo", "vessel", "imo", "7625811")
    outcome = await bench.send(
        (SHIP, [sailing(0), {"time": "x"}, sailing(0)]),
        (FEED, [at(0, **someone), at(0, **mine), 7]),
        (unknown, sailing(0)),
        ("keelwing/v1/nobody/vessel/imo/9074729/telemetry", sailing(0)),
        (SHIP, b"\xff\xff"),
    )
    assert (outcome.received, outcome.stored, outcome.duplicate, outcome.rejected, outcome.traffic) == (9, 2, 1, 5, 1)
    async with bench.pool.connection() as conn:
        balances = await counts.reconcile(conn)
    assert all(balance.is_balanced for balance in balances)
    assert sum(balance.received for balance in balances) == 9
    reasons = sorted(row["reason"] for row in await bench.rows("SELECT reason FROM rejection"))
    assert reasons == ["bad_time", "not_an_object", "unknown_tenant", "unparsable", "unregistered_identifier"]


async def test_an_emergency_squawk_opens_an_alert_and_an_event_in_the_same_commit(bench: Bench) -> None:
    calm = [at(second, on_ground=False, gs_kn=400, alt_baro_ft=30000, squawk="1000") for second in (0, 5)]
    alarm = [at(second, on_ground=False, gs_kn=400, alt_baro_ft=30000, squawk="7700") for second in (10, 15, 20)]
    outcome = await bench.send((PLANE, calm + alarm))
    assert outcome.alerts == 1
    alert = (await bench.rows("SELECT * FROM alert"))[0]
    assert (alert["rule"], alert["severity"], alert["status"], alert["subject"]) == (
        "squawk_emergency",
        "critical",
        "open",
        "7700",
    )
    event = (await bench.rows("SELECT * FROM outbox"))[0]
    assert event["type"] == "keelwing.alert.opened.v1"
    numbers = await bench.rows(
        "SELECT commit_no FROM finding UNION SELECT commit_no FROM alert UNION SELECT commit_no FROM outbox"
    )
    assert len(numbers) == 1


async def test_a_late_reading_retracts_the_silence_it_fills(bench: Bench) -> None:
    bench.pipeline.contexts.listen(Listening(((0, bench.now_us),)))
    await bench.send((SHIP, [sailing(0), sailing(60)]))
    await bench.send((SHIP, sailing(8 * 3600)))
    gaps = await bench.rows("SELECT * FROM finding WHERE superseded_by IS NULL")
    assert [(gap["rule"], gap["retracted"]) for gap in gaps] == [("gap", False)]
    await bench.send((SHIP, [sailing(hour * 1800) for hour in range(1, 16)]))
    assert await bench.settle() >= 1
    gaps = await bench.rows("SELECT * FROM finding WHERE superseded_by IS NULL")
    assert [(gap["rule"], gap["retracted"], gap["revision"]) for gap in gaps] == [("gap", True, 2)]


async def test_time_in_which_we_did_not_listen_is_no_silence(bench: Bench) -> None:
    await bench.send((SHIP, sailing(0)))
    await bench.send((SHIP, sailing(8 * 3600)))
    assert await bench.rows("SELECT 1 FROM finding") == []


async def test_a_silent_ship_is_found_by_the_clock_alone(bench: Bench) -> None:
    bench.pipeline.contexts.listen(Listening(((0, bench.now_us),)))
    await bench.send((SHIP, sailing(0)))
    await bench.send(frontier_us=START_US + 5 * HOUR_US)
    assert await bench.rows("SELECT 1 FROM finding") == []
    await bench.send(frontier_us=START_US + 7 * HOUR_US)
    gaps = await bench.rows("SELECT rule, closed_at FROM finding")
    assert [(gap["rule"], gap["closed_at"]) for gap in gaps] == [("gap", None)]


async def test_an_operators_feed_is_stored_once_and_speaks_to_every_tenant_it_is_granted_to(bench: Bench) -> None:
    async with bench.pool.connection() as conn:
        await registry.create_tenant(conn, "other", "Other")
        await registry.create_tenant(conn, "third", "Third")
        for tenant in ("other", "third"):
            await registry.register_asset(conn, tenant, "vessel", "Anna too", None, [("mmsi", "538001234")])
        await registry.set_feed(conn, "_", "satellite", "live")
        await registry.grant_feed(conn, "satellite", "demo", None, None)
        await registry.grant_feed(conn, "satellite", "other", START_US, None)
    mine = {"class": "vessel", "scheme": "mmsi", "value": "538001234", "lat_deg": 1, "lon_deg": 2}
    outcome = await bench.send((feed_topic("_", "satellite"), [at(-60, **mine), at(60, **mine)]))
    assert outcome.stored == 2
    assert len(await bench.rows("SELECT 1 FROM reading_vessel")) == 2
    holders = await bench.rows(
        "SELECT asset.tenant, count(*) FROM reading_vessel r"
        " JOIN attribution a ON a.stream_id = r.stream_id AND a.valid @> r.time JOIN asset USING (asset_id) GROUP BY 1 ORDER BY 1"
    )
    assert [(row["tenant"], row["count"]) for row in holders] == [("demo", 2), ("other", 1)]


async def test_a_ship_whose_neighbours_are_heard_went_dark_after_an_hour(bench: Bench) -> None:
    """Three strangers on the same feed are traffic: no asset of ours, but heard where ours is not."""
    bench.pipeline.contexts.listen(Listening(((0, bench.now_us),)))
    place = {"lat_deg": 36.0, "lon_deg": -5.5, "sog_kn": 10.0, "nav_status": 0, "class": "vessel", "scheme": "mmsi"}
    ours = [at(second, **{**place, "value": "538001234"}) for second in range(0, 1800, 300)]
    strangers = [at(5000, **{**place, "value": f"11111111{number}"}) for number in range(4)]
    await bench.send((FEED, ours))
    outcome = await bench.send((FEED, strangers))
    assert outcome.traffic == 4
    await bench.send(frontier_us=START_US + 5500 * SECOND_US)
    gaps = await bench.rows("SELECT severity, evidence FROM finding WHERE rule = 'gap'")
    assert [(gap["severity"], gap["evidence"]["verdict"]) for gap in gaps] == [("warning", "dark")]
