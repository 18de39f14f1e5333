"""What static reports say of who an asset is, laid beside the records: from the message to the alert and back."""

from __future__ import annotations

from typing import Any

from fleet.instants import HOUR_US, SECOND_US
from ingest.wire import device_topic, feed_topic
from store import identities
from tests.fix_bench import FEED, SHIP, START_US, Bench, at, sailing

STATIC = device_topic("demo", "vessel", "imo", "9074729", "static")
FEED_STATIC = feed_topic("demo", "coast", "static")
CURRENT = "SELECT * FROM finding WHERE rule = 'identity_changed' AND superseded_by IS NULL ORDER BY opened_at"


async def ship_of(bench: Bench) -> str:
    (row,) = await bench.rows("SELECT asset_id::text FROM asset WHERE class = 'vessel'")
    return str(row["asset_id"])


async def findings(bench: Bench) -> list[tuple[Any, ...]]:
    return [(row["severity"], row["closed_at"], row["retracted"], row["revision"]) for row in await bench.rows(CURRENT)]


async def test_a_new_name_is_info_then_a_warning_whatever_restarts_between(bench: Bench) -> None:
    await bench.send((STATIC, at(0, name="ANNA")), (STATIC, at(360, name="BERTA")))
    assert await findings(bench) == [("info", None, False, 1)]
    assert await bench.rows("SELECT 1 FROM alert") == []

    await bench.restart()
    outcome = await bench.send((STATIC, at(720, name="BERTA")), (STATIC, at(720, name="BERTA")))

    assert outcome.opened == {"warning": 1}
    assert await findings(bench) == [("warning", None, False, 2)]
    for second in (1080, 1440, 1800):  # nothing new is said, and nothing is written
        await bench.send((STATIC, at(second, name="BERTA")))
    assert await findings(bench) == [("warning", None, False, 2)]
    runs = await bench.rows("SELECT * FROM identity_run ORDER BY first_time")
    assert [(run["identity"]["name"], run["last_time"] - START_US) for run in runs] == [("ANNA", 0), ("BERTA", 1800 * SECOND_US)]
    # Readings that come late derive the ship again; what was reported is judged as before.
    await bench.send((SHIP, [sailing(4000)]), (SHIP, [sailing(10)]))
    await bench.send((SHIP, [sailing(5)]))
    await bench.settle()
    assert await findings(bench) == [("warning", None, False, 2)]
    # The old name again, twice.
    await bench.send((STATIC, [at(2160, name="ANNA"), at(2520, name="ANNA")]))
    assert await findings(bench) == [("warning", START_US + 2520 * SECOND_US, False, 3)]
    assert [row["status"] for row in await bench.rows("SELECT status FROM alert")] == ["resolved"]


async def test_a_ship_under_a_new_flag_is_known_by_her_hull_and_accepted(bench: Bench) -> None:
    ship = await ship_of(bench)
    stranger = {"class": "vessel", "scheme": "mmsi", "value": "636012345"}
    said = [at(second, **stranger, imo="9074729", name="ANNA", call_sign="A8XX1") for second in (0, 360)]
    outcome = await bench.send((FEED_STATIC, said), (FEED, at(10, **stranger, lat_deg=1, lon_deg=2)))
    assert outcome.traffic == 1
    (found,) = await bench.rows(CURRENT)
    assert [(each["field"], each["reported"]) for each in found["evidence"]["changes"]] == [("mmsi", "636012345")]
    assert found["evidence"]["changes"][0]["reported_country"] == "LR"

    async with bench.pool.connection() as conn:
        source = f"accepted:{found['finding_id']}"
        await identities.bear(conn, ship, "mmsi", "636012345", START_US, None, source=source)
    bench.now_us += HOUR_US
    assert await bench.settle() == 1

    (closed,) = await bench.rows(CURRENT)
    assert (closed["evidence"]["ended"], closed["severity"], closed["retracted"]) == ("accepted", "warning", False)
    assert [row["status"] for row in await bench.rows("SELECT status FROM alert")] == ["resolved"]
    outcome = await bench.send(
        (FEED, at(720, **stranger, lat_deg=1, lon_deg=2)), (FEED_STATIC, at(730, **stranger, imo="9074729"))
    )
    assert (outcome.traffic, outcome.stored) == (0, 1)
    held = await bench.rows("SELECT 1 FROM attribution WHERE asset_id = %s AND upper_inf(recorded) AND valid @> now()", ship)
    assert len(held) == 2  # the hull's and the new number's
    assert len(await bench.rows(CURRENT)) == 1


async def test_papers_that_say_the_same_take_the_finding_back(bench: Bench) -> None:
    ship = await ship_of(bench)
    await bench.send((STATIC, [at(0, name="BERTA"), at(360, name="BERTA")]))
    assert [row["status"] for row in await bench.rows("SELECT status FROM alert")] == ["open"]

    async with bench.pool.connection() as conn:
        await identities.bear(conn, ship, "name", "Berta", START_US - HOUR_US, None, source="paper")
    await bench.settle()

    assert [row["retracted"] for row in await bench.rows(CURRENT)] == [True]
    assert [row["status"] for row in await bench.rows("SELECT status FROM alert")] == ["retracted"]
    assert [row["name"] for row in await bench.rows("SELECT name FROM asset WHERE asset_id = %s", ship)] == ["Berta"]
