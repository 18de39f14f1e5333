"""Which of mine were, or could have been, in this polygon drawn now: one call, with the evidence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleet.instants import HOUR_US, MINUTE_US, to_rfc3339
from fleet.shards import shard_of
from store import registry, spreads
from store.pool import open_pool
from store.rows import ReadingRow, StepBatch
from tests.api.fix_world import NOON_US, Asking, World, commit, ship_reading

LAST_US = NOON_US + 4 * HOUR_US + 5 * MINUTE_US  # the feed's last word, at 4.3083° east


def box(west: float, east: float, south: float = 51.9, north: float = 52.0) -> str:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


async def asked(ask: Asking, area: str, to_us: int, **params: Any) -> list[dict[str, Any]]:
    wanted = {"area": area, "from": to_rfc3339(NOON_US - 4 * HOUR_US), "to": to_rfc3339(to_us), "class": "vessel", **params}
    answer = await ask("viewer").get("/v1/presence", params=wanted)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_who_was_inside_and_who_could_have_been(ask: Asking, world: World) -> None:
    until_us = LAST_US + 10 * MINUTE_US

    for _ in range(2):  # by readings alone, then with the hours closed
        (inside,) = await asked(ask, box(3.85, 3.951), until_us)
        assert (inside["asset_id"], inside["verdict"], inside["name"]) == (world.ship, "inside", "Blue Heron")
        (stretch,) = inside["inside"]
        # Of both streams: every fix from 11:30 to 12:30.
        assert (stretch["from"], stretch["to"]) == (to_rfc3339(NOON_US - 30 * MINUTE_US), to_rfc3339(NOON_US + 30 * MINUTE_US))
        assert inside["silences"] == []
        pool = await open_pool(world.url, "keelwing_worker", 2)
        async with pool.connection() as conn:
            await spreads.close_hours(conn, quiet_s=0.0)
        await pool.close()

    # Half a degree of longitude on, some nineteen miles: too far in half an hour, near enough in an hour.
    beyond = box(4.82, 4.9)
    assert await asked(ask, beyond, LAST_US + 30 * MINUTE_US) == []
    (possible,) = await asked(ask, beyond, LAST_US + 60 * MINUTE_US)
    assert (possible["asset_id"], possible["verdict"], possible["inside"]) == (world.ship, "possible", [])
    (silence,) = possible["silences"]
    assert (silence["from"], silence["silent_h"], silence["next_position"]) == (to_rfc3339(LAST_US), 1.0, None)
    assert 18 < silence["needed_speed_kn"] < 20 < silence["limit_speed_kn"]
    assert possible["coverage"] < 1
    # By class, by an area's id, posted, and not for a lessee.
    (plane,) = await asked(ask, box(3.85, 3.951), until_us, **{"class": "aircraft"})
    assert (plane["asset_id"], plane["verdict"]) == (world.plane, "possible")  # forty miles off at noon, and silent since
    feature = {"type": "Feature", "id": "line", "geometry": json.loads(box(3.85, 3.951)),
               "properties": {"kind": "watch", "issuer": "lessor", "version": "1"}}  # fmt: skip
    assert (await ask("manager").post("/v1/areas", json={"type": "FeatureCollection", "features": [feature]})).status_code == 200
    assert [each["verdict"] for each in await asked(ask, "line", until_us)] == ["inside"]
    question = {"area": json.loads(box(3.85, 3.951)), "from": to_rfc3339(NOON_US), "to": to_rfc3339(until_us),
                "class": "vessel"}  # fmt: skip
    assert [each["verdict"] for each in (await ask("viewer").post("/v1/presence", json=question)).json()["items"]] == ["inside"]
    assert (await ask("lessee").post("/v1/presence", json=question)).status_code == 403
    wrong = await ask("viewer").post("/v1/presence", json={**question, "area": {"type": "Point", "coordinates": [1, 2]}})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/area/type")
    assert (await ask("viewer").get("/v1/presence", params={"area": "nowhere", "from": question["from"]})).status_code == 404


async def hear(world: World, times_us: list[int]) -> None:
    """Commit more readings of alpha's ship."""
    pool = await open_pool(world.url, "keelwing_worker", 2)
    async with pool.connection() as conn:
        key = ("alpha", "device", "vessel", "imo", "9074729")
        stream_id = (await registry.resolve_streams(conn, [key]))[key]
        rows = [
            ReadingRow(stream_id=stream_id, shard=shard_of(world.ship), received_us=time_us, reading=ship_reading(time_us))
            for time_us in times_us
        ]
        await commit(conn, world, StepBatch(readings=rows), {shard_of(world.ship)})
    await pool.close()


async def test_of_more_silences_than_are_listed_the_longest_are(
    ask: Asking, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hear(world, [NOON_US + hours * HOUR_US for hours in (6, 10, 13)])  # after silences of two hours, four and three
    monkeypatch.setattr("api.routes.presence.EVIDENCE_MAX", 2)

    (found,) = await asked(ask, box(3.85, 5.3), NOON_US + 13 * HOUR_US + MINUTE_US)

    assert [round(one["silent_h"]) for one in found["silences"]] == [4, 3]
    assert len(found["inside"]) == 2
    assert found["reason"] == {"inside": "more_than_are_listed", "silences": "the_longest_of_more"}
