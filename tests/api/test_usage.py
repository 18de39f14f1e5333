"""Journeys and usage: what was known when, whose they are, and figures that add up."""

import asyncio
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from fleet.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US, from_datetime, to_rfc3339
from fleet.shards import shard_of
from fleet.use import Activity, Fact, Journey, UseDay
from store import batches, commits, registry
from store.pool import open_pool
from store.rows import StepBatch, UseRow, UseTailRow
from tests.api.fix_money import attribute
from tests.api.fix_world import Asking, World

MAY_US = 1_777_593_600 * SECOND_US  # 2026-05-01T00:00:00Z
OFF_US, ON_US = MAY_US - 80 * MINUTE_US, MAY_US + 70 * MINUTE_US  # golden AC2


def activity(from_us: int, to_us: int, state: str, seen: float = 1.0) -> Activity:
    length_us = to_us - from_us
    return Activity(
        from_us=from_us,
        to_us=to_us,
        state=state,
        method="AC-DET-1/1",
        distance_m=length_us / SECOND_US * 200.0 if state == "airborne" else 0.0,
        observed_us=round(length_us * seen),
        sources={"adsb": round(length_us * seen)},
    )


def flight(on_us: int | None) -> Journey:
    return Journey(
        kind="flight",
        started_us=OFF_US,
        ended_us=on_us,
        from_place="EHAM",
        to_place=None if on_us is None else "LIRF",
        quality="midpoint",
        method="AC-DET-1/1",
        coverage=None if on_us is None else 1.0,
        cycles=0 if on_us is None else 1,
    )


def day(day_us: int, *activities: Activity) -> UseDay:
    return UseDay(
        day_us=day_us,
        method="AC-DET-1/1",
        states_us={
            state: sum(one.to_us - one.from_us for one in activities if one.state == state) for state in ("airborne", "ground")
        },
        distances_m={"airborne": sum(one.distance_m for one in activities)},
        observed_us=sum(one.observed_us for one in activities),
        sources={"adsb": sum(one.observed_us for one in activities)},
    )


APRIL_30 = (activity(MAY_US - DAY_US, OFF_US, "ground"), activity(OFF_US, MAY_US, "airborne"))
MAY_1 = (activity(MAY_US, ON_US, "airborne"), activity(ON_US, MAY_US + DAY_US, "ground", 0.5))
TAIL = activity(MAY_US + DAY_US, MAY_US + DAY_US + 6 * HOUR_US, "ground")


@pytest.fixture
async def flown(world: World) -> World:
    """The aircraft flew over the turn of the month, under the lease of one lessee until midnight and of another after it."""
    pool = await open_pool(world.url, "keelwing_worker", 1)

    async def say(facts: list[Fact], tails: list[UseTailRow]) -> None:
        async with pool.connection() as conn:
            named = {"tenant": "alpha", "asset_id": world.plane, "shard": shard_of(world.plane)}
            rows = [UseRow(asset="icao24:4840d6", fact=fact, **named) for fact in facts]  # type: ignore[arg-type]
            ownership = await commits.claim(conn, range(64), "test")
            numbers = await commits.begin(conn, ownership, {shard_of(world.plane)})
            await batches.write(conn, StepBatch(uses=rows, use_tails=tails), numbers)

    tail = UseTailRow(tenant="alpha", asset_id=world.plane, shard=shard_of(world.plane), activity=TAIL)
    await say([flight(None)], [])
    await asyncio.sleep(0.002)
    await say([*APRIL_30, day(MAY_US - DAY_US, *APRIL_30), flight(ON_US), *MAY_1, day(MAY_US, *MAY_1)], [tail])
    await pool.close()
    owner = await open_pool(world.url, "keelwing_worker", 1)
    async with owner.connection() as conn:
        await conn.execute("RESET ROLE")
        other = await registry.create_party(conn, "alpha", "Southern Air")
        await registry.create_lease(conn, "alpha", world.plane, world.lessee, "operating", MAY_US - 60 * DAY_US, MAY_US)
        await registry.create_lease(conn, "alpha", world.plane, other, "operating", MAY_US, MAY_US + 60 * DAY_US)
    await owner.close()
    return world


async def usage(ask: Asking, world: World, role: str = "viewer", **query: str) -> list[dict[str, Any]]:
    answer = await ask(role).get(f"/v1/assets/{world.plane}/usage", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_use_is_said_by_day_month_and_lease_and_adds_up(flown: World, ask: Asking) -> None:
    bounds = {"from": to_rfc3339(MAY_US - DAY_US), "to": to_rfc3339(MAY_US + DAY_US + 12 * HOUR_US)}
    (whole,) = await usage(ask, flown, **bounds)
    assert whole["period_h"] == 60
    assert sum(whole["state_h"].values()) == pytest.approx(60)
    assert whole["state_h"]["airborne"] == pytest.approx(2.5)
    assert whole["state_h"]["unknown"] == pytest.approx(6)  # behind the activity that is not closed yet
    assert (whole["flight_h"], whole["cycles"]) == (2.5, 1)
    assert whole["is_estimate"] is True
    assert whole["sources"] == {"adsb": pytest.approx(whole["coverage"] * 60 * 3600)}
    for by, names in (("day", [None] * 3), ("month", ["2026-04", "2026-05"]), ("lease", [None, None])):
        parts = await usage(ask, flown, by=by, **bounds)
        assert [part["month"] for part in parts] == names
        assert parts[0]["period_from"] == bounds["from"]
        assert all(before["period_to"] == after["period_from"] for before, after in pairwise(parts))
        for name in ("period_h", "distance_nm", "flight_h", "cycles"):
            assert sum(part[name] for part in parts) == pytest.approx(whole[name])
    april, may = await usage(ask, flown, by="month", attribution="split", **bounds)
    assert (april["flight_h"], april["cycles"]) == (pytest.approx(1.333333, abs=1e-6), 0)
    assert (may["flight_h"], may["cycles"]) == (pytest.approx(1.166667, abs=1e-6), 1)
    northern, southern = await usage(ask, flown, by="lease", **bounds)
    assert (northern["lessee_name"], northern["cycles"], southern["lessee_name"], southern["cycles"]) == (
        "Northern Bulk",
        0,
        "Southern Air",
        1,
    )
    local = await usage(ask, flown, by="month", time_zone="America/New_York", **bounds)
    assert [part["cycles"] for part in local] == [1, 0]  # it landed on 30 April there
    refused = await ask("viewer").get(f"/v1/assets/{flown.plane}/usage", params={"time_zone": "Mars/Olympus"})
    assert refused.status_code == 422
    assert "time_zone" in str(refused.json()["errors"][0])


async def test_use_that_nobody_says_otherwise_of_counts_flights_as_the_lessor_does(flown: World, ask: Asking) -> None:
    attribute(flown, "takeoff")
    bounds = {"from": to_rfc3339(MAY_US - DAY_US), "to": to_rfc3339(MAY_US + DAY_US + 12 * HOUR_US)}

    by_month = await usage(ask, flown, by="month", **bounds)
    by_lease = await usage(ask, flown, by="lease", **bounds)
    asked = await usage(ask, flown, by="month", attribution="landing", **bounds)
    life = (await ask("viewer").get(f"/v1/assets/{flown.plane}/lifecycle")).json()

    assert [(part["cycles"], part["attribution"]) for part in by_month] == [(1, "takeoff"), (0, "takeoff")]
    assert [(part["cycles"], part["attribution"]) for part in by_lease] == [(1, "takeoff"), (0, "takeoff")]
    assert [(part["cycles"], part["attribution"]) for part in asked] == [(0, "landing"), (1, "landing")]
    assert [period["use"]["cycles"] for period in life["lease_periods"]] == [1, 0]


async def test_a_flight_over_the_midnight_on_which_a_setting_changes_is_counted_once(flown: World, ask: Asking) -> None:
    attribute(flown, "takeoff", "2026-05-01Z")

    bounds = {"from": to_rfc3339(MAY_US - DAY_US), "to": to_rfc3339(MAY_US + DAY_US + 12 * HOUR_US)}
    parts = await usage(ask, flown, by="month", **bounds)

    assert [(part["cycles"], part["flight_h"]) for part in parts] == [(0, 0.0), (1, 2.5)]


async def test_a_flight_is_told_as_it_was_known_and_only_to_whom_it_concerns(flown: World, ask: Asking) -> None:
    path = f"/v1/assets/{flown.plane}/journeys"
    (now,) = (await ask("viewer").get(path)).json()["items"]
    assert (now["revision"], now["from"], now["to"], now["flight_h"], now["cycles"]) == (2, "EHAM", "LIRF", 2.5, 1)
    assert now["reason"]["block_h"] == "out_and_in_not_known"
    before = to_rfc3339(int_of(now["recorded_at"]) - 1)
    asked = [(await ask("viewer").get(path, params={"known_at": before})).json() for _ in range(2)]
    assert asked[0] == asked[1]
    (then,) = asked[0]["items"]
    assert (then["revision"], then["ended_at"], then["flight_h"]) == (1, None, None)
    during = (await ask("viewer").get(path, params={"valid_at": to_rfc3339(MAY_US)})).json()["items"]
    after = (await ask("viewer").get(path, params={"valid_at": to_rfc3339(ON_US)})).json()["items"]
    assert (len(during), len(after)) == (1, 0)
    assert (await ask("lessee").get(path)).json()["items"] == []  # it ended under another's lease
    hidden = await ask("beta").get(path)
    assert hidden.status_code == 404
    csv = await ask("viewer").get(path, headers={"Accept": "text/csv"})
    assert csv.text.splitlines()[0].startswith("id,revision,kind,asset,started_at,ended_at,from,to,quality")


def int_of(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))
