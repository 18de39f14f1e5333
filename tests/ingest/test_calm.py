"""What webhooks hear of a fleet in trouble: one story once, a jammed region and a silent feed in one summary."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import msgspec
import pytest

from fleet.instants import HOUR_US, MINUTE_US
from fleet.obligation import day_of
from fleet.shards import shard_of
from ingest.alerting import raise_alerts
from ingest.daily_pass import run_pass
from store import budgets, commits, findings, registry
from store.rows import FindingRow
from store.transaction import PostgresTransaction
from tests.fix_bench import START_US, Bench


class Fleet:
    """Findings said of assets, as the worker writes them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.at_us = bench.now_us

    async def register(self, asset_class: str, number: int) -> str:
        scheme, value = ("icao24", f"{number:06x}") if asset_class == "aircraft" else ("mmsi", str(244_660_000 + number))
        async with self.bench.pool.connection() as conn:
            return await registry.register_asset(conn, "demo", asset_class, f"It {number}", None, [(scheme, value)])

    async def say(self, *rows: FindingRow) -> None:
        """One transaction with these findings."""
        owned = self.bench.pipeline.owned()
        async with self.bench.pool.connection() as conn:
            numbers = await commits.begin(conn, owned, {row.shard for row in rows})
            written = await findings.write(conn, rows, numbers)
            await raise_alerts(PostgresTransaction(conn), [one.row for one in written], numbers, self.at_us)

    async def told(self) -> Counter[str]:
        """How many events of each type there are."""
        return Counter(row["type"] for row in await self.bench.rows("SELECT type FROM outbox"))

    async def verdicts(self) -> Counter[str]:
        return Counter(row["verdict"] for row in await self.bench.rows("SELECT verdict FROM notice"))


@pytest.fixture
def fleet(bench: Bench) -> Fleet:
    return Fleet(bench)


def said(asset_id: str, rule: str, from_h: float, to_h: float | None = None, **fields: Any) -> FindingRow:
    opened_us = START_US + int(from_h * HOUR_US)
    plain: dict[str, Any] = {
        "finding_id": f"{rule}-{asset_id[:8]}-{from_h}", "tenant": "demo", "asset_id": asset_id, "shard": shard_of(asset_id),
        "asset": f"imo:{asset_id[:7]}", "rule": rule, "rule_version": 1, "severity": "warning", "subject": None,
        "opened_us": opened_us, "closed_us": None if to_h is None else START_US + int(to_h * HOUR_US),
        "detected_us": opened_us + MINUTE_US, "score": None, "evidence": {},
    }  # fmt: skip
    return FindingRow(**(plain | fields))


def closed(row: FindingRow, at_h: float) -> FindingRow:
    return msgspec.structs.replace(row, closed_us=START_US + int(at_h * HOUR_US))


async def test_a_silence_a_jump_and_a_draught_of_one_ship_are_one_event_and_one_incident(fleet: Fleet) -> None:
    ship = await fleet.register("vessel", 1)
    gap = said(ship, "gap", 0)
    await fleet.say(gap)
    await fleet.say(closed(gap, 9), said(ship, "position_jump", 9, 9))
    await fleet.say(said(ship, "draught_change", 0.5, severity="warning"), said(ship, "loitering", 9, 12, severity="info"))
    assert await fleet.told() == {"keelwing.alert.opened.v1": 1, "keelwing.alert.resolved.v1": 1}
    (incident,) = await fleet.bench.rows("SELECT * FROM incident WHERE superseded_by IS NULL")
    assert (incident["rules"], incident["severity"]) == (["draught_change", "gap", "loitering", "position_jump"], "warning")
    alerts = await fleet.bench.rows("SELECT rule, incident_id FROM alert")
    assert {row["incident_id"] for row in alerts} == {incident["incident_id"]}
    assert len(alerts) == 3
    event = (await fleet.bench.rows("SELECT body FROM outbox ORDER BY position"))[0]["body"]
    assert event["data"]["incident_id"] == str(incident["incident_id"])

    await fleet.say(said(ship, "covenant_breach", 9, severity="critical", subject="12(b)"))  # a rise is told again
    assert (await fleet.told())["keelwing.alert.opened.v1"] == 2
    assert await fleet.verdicts() == {"told": 3, "same_incident": 2}


async def test_what_the_told_one_spoke_for_speaks_when_it_is_retracted(fleet: Fleet) -> None:
    ship = await fleet.register("vessel", 1)
    gap = said(ship, "gap", 0)
    await fleet.say(gap)
    await fleet.say(said(ship, "draught_change", 0.5))
    await fleet.say(msgspec.structs.replace(gap, retracted=True))
    rows = await fleet.bench.rows("SELECT type, body -> 'data' ->> 'rule' AS rule FROM outbox ORDER BY position")
    assert [(row["type"].split(".")[2], row["rule"]) for row in rows] == [
        ("opened", "gap"), ("retracted", "gap"), ("opened", "draught_change"),
    ]  # fmt: skip
    history = await fleet.bench.rows("SELECT incident_id, retracted, merged_into FROM incident WHERE superseded_by IS NULL")
    assert sorted(row["retracted"] for row in history) == [False, True]
    (heir,) = [row["incident_id"] for row in history if not row["retracted"]]
    assert [row["merged_into"] for row in history if row["retracted"]] == [heir]
    assert [row["incident_id"] for row in await fleet.bench.rows("SELECT incident_id FROM alert WHERE status = 'open'")] == [heir]


async def test_a_jammed_region_of_thirty_aircraft_is_told_in_one_summary_when_it_is_over(fleet: Fleet) -> None:
    where = {"lat_deg": 54.3, "lon_deg": 19.9, "radius_nm": 60.0, "aircraft": []}
    async with fleet.bench.pool.connection() as conn:
        await conn.execute(
            "INSERT INTO webhook (tenant, url, secret, types) VALUES"
            " ('demo', 'https://example.org', 'whsec_x', ARRAY['keelwing.alert.opened.v1']),"
            " ('demo', 'https://example.org', 'whsec_x', ARRAY['keelwing.alert.resolved.v1'])"
        )
    region = said("", "gnss_interference", 0, asset="region:54.2N019.7E", severity="info", evidence=where, shard=0)
    await fleet.say(region)
    planes = [await fleet.register("aircraft", number) for number in range(1, 31)]
    jumps = [
        said(plane, "position_jump", 0.2, evidence={"from_lat_deg": 54.5, "from_lon_deg": 20.1}, asset=f"icao24:{number:06x}")
        for number, plane in enumerate(planes, 1)
    ]
    for some in (jumps[:7], jumps[7:]):
        await fleet.say(*some)
    assert await fleet.told() == {}
    assert len(await fleet.bench.rows("SELECT 1 FROM alert WHERE status = 'open'")) == 30
    held = await fleet.bench.rows("SELECT why, hold_id FROM notice WHERE verdict = 'held' AND superseded_by IS NULL")
    assert {(row["why"]["because"], row["why"]["about"]) for row in held} == {("region_jammed", "region:54.2N019.7E")}

    await fleet.say(*(closed(one, 0.5) for one in jumps[:10]))  # over before anybody was told
    assert await fleet.told() == {}
    await fleet.say(closed(region, 1.5))
    (event,) = await fleet.bench.rows("SELECT type, body FROM outbox")
    assert event["type"] == "keelwing.hold.released.v1"
    assert (event["body"]["data"]["standing"], event["body"]["data"]["ended"]) == (20, 10)
    assert len(await fleet.bench.rows("SELECT 1 FROM webhook_delivery")) == 1  # to whom openings go, and to nobody else
    await fleet.say(closed(region, 1.5), closed(jumps[20], 2.0))
    assert await fleet.told() == {"keelwing.hold.released.v1": 1, "keelwing.alert.resolved.v1": 1}
    assert await fleet.verdicts() == {"held": 30, "never_told": 10, "released": 20, "told": 1}


async def test_a_silent_feed_is_one_event_and_its_ships_silences_none(fleet: Fleet) -> None:
    from ingest.wire import feed_topic
    from tests.fix_bench import at

    ship = {"class": "vessel", "scheme": "mmsi", "value": "538001234", "lat_deg": 1, "lon_deg": 2}
    await fleet.bench.send((feed_topic("demo", "coast"), [at(0, **ship)]))
    (row,) = await fleet.bench.rows("SELECT asset_id::text FROM identifier WHERE value = '538001234'")
    silent = said("", "feed_silent", 0, asset="feed:coast", shard=0)
    await fleet.say(silent)
    await fleet.say(said(row["asset_id"], "gap", 0))
    assert await fleet.told() == {"keelwing.feed.silent.v1": 1}
    await fleet.say(closed(silent, 5))
    expected = {"keelwing.feed.silent.v1": 1, "keelwing.feed.recovered.v1": 1, "keelwing.hold.released.v1": 1}
    assert await fleet.told() == expected
    await fleet.say(msgspec.structs.replace(silent, closed_us=silent.opened_us + HOUR_US, retracted=True))
    stories = await fleet.bench.rows("SELECT retracted FROM incident WHERE superseded_by IS NULL AND asset = 'feed:coast'")
    assert [row["retracted"] for row in stories] == [True]


async def test_models_speak_within_the_week_and_what_waited_speaks_in_the_next(fleet: Fleet) -> None:
    ships = [await fleet.register("vessel", number) for number in range(1, 6)]
    odd = [
        said(ship, "channel_anomaly", 1, score=9.0, subject="egt_c", evidence={"p_value": 10.0**-power})
        for ship, power in zip(ships, (9, 10, 8, 4, 9), strict=True)
    ]
    await fleet.say(*odd[:4])
    assert await fleet.verdicts() == {"told": 1, "over_budget": 2, "not_significant": 1}
    assert len(await fleet.bench.rows("SELECT 1 FROM alert WHERE status = 'open'")) == 4
    (week,) = await fleet.bench.rows("SELECT * FROM alert_budget")
    assert (week["allowance"], week["told"], week["held_back"], week["tests"], week["rejections"]) == (1.0, 1, 3, 4, [1, 2, 3])
    await fleet.say(said(ships[3], "drifting", 2), said(ships[4], "gap", 2, severity="critical", score=None))
    assert (await fleet.verdicts())["told"] == 3
    fleet.at_us += 8 * 24 * HOUR_US
    await fleet.say(odd[4])
    kept = await fleet.bench.rows("SELECT verdict, why FROM notice WHERE why ? 'p_value' ORDER BY notice_id")
    assert [row["verdict"] for row in kept[:4]] == ["over_budget", "told", "over_budget", "not_significant"]
    assert [(row["verdict"], row["why"]["p_value"]) for row in kept[4:]] == [("told", 1e-9), ("over_budget", 1e-9)]
    assert kept[4]["why"]["because"] == "new_week"
    assert (await fleet.told())["keelwing.alert.opened.v1"] == 4
    fleet.at_us += 8 * 24 * HOUR_US
    for _ in range(2):  # a week in which nothing is decided begins with its first daily pass, once
        await run_pass(fleet.bench.pool, "demo", day_of(fleet.at_us), lambda: fleet.at_us)
        assert (await fleet.told())["keelwing.alert.opened.v1"] == 5
    async with fleet.bench.pool.connection() as conn:
        (measured,) = await budgets.measured(conn, fleet.at_us - 30 * 24 * HOUR_US)
    assert (measured.tenant, measured.assets, measured.told, measured.held_back) == ("demo", 7, 3, 4)


async def test_late_readings_merge_two_stories_and_split_them_again(fleet: Fleet) -> None:
    ship = await fleet.register("vessel", 1)
    await fleet.say(said(ship, "draught_change", 0, 1))
    await fleet.say(said(ship, "position_jump", 12, 12))
    apart = await fleet.bench.rows("SELECT incident_id, rules FROM incident ORDER BY opened_at")
    between = said(ship, "gap", 2, 11)
    await fleet.say(between)
    merged = await fleet.bench.rows("SELECT incident_id, merged_into FROM incident WHERE superseded_by IS NULL AND retracted")
    assert [(row["incident_id"], row["merged_into"]) for row in merged] == [(apart[1]["incident_id"], apart[0]["incident_id"])]
    alerts = await fleet.bench.rows("SELECT DISTINCT incident_id FROM alert")
    assert [row["incident_id"] for row in alerts] == [apart[0]["incident_id"]]
    assert await fleet.verdicts() == {"told": 2, "same_incident": 1}
    await fleet.say(msgspec.structs.replace(between, retracted=True))
    stories = await fleet.bench.rows("SELECT incident_id, rules FROM incident WHERE superseded_by IS NULL ORDER BY opened_at")
    assert stories == apart
    assert await fleet.verdicts() == {"told": 2, "same_incident": 1, "never_told": 1}


async def test_decisions_about_one_budget_wait_for_each_other(fleet: Fleet) -> None:
    ships = [await fleet.register("vessel", number) for number in range(1, 9)]
    one_a_shard = {shard_of(ship): ship for ship in ships}.values()
    odd = [said(ship, "channel_anomaly", 1, score=9.0, evidence={"p_value": 1e-12}) for ship in one_a_shard]
    await asyncio.gather(*(fleet.say(one) for one in odd))
    assert await fleet.verdicts() == {"told": 1, "over_budget": len(odd) - 1}
    (week,) = await fleet.bench.rows("SELECT told, tests FROM alert_budget")
    assert (week["told"], week["tests"]) == (1, len(odd))
