"""Who an asset is over time: identifiers, names, flags, and components on their parents."""

from __future__ import annotations

from typing import Any

import psycopg

from fleet.instants import HOUR_US, to_rfc3339
from store.pool import open_pool
from store.rows import StepBatch
from tests.api.fix_world import NOON_US, Asking, World, commit, finding_row

NOON = to_rfc3339(NOON_US)
ONE = to_rfc3339(NOON_US + HOUR_US)


async def said(ask: Asking, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = await ask("viewer").get(path, params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_new_number_ends_the_old_one_and_what_was_known_before_stays_readable(ask: Asking, world: World) -> None:
    path = f"/v1/assets/{world.ship}/identifiers"
    (before,) = [each for each in await said(ask, path) if each["scheme"] == "mmsi"]

    made = await ask("manager").post(path, json={"scheme": "mmsi", "value": "538001234", "valid_from": NOON})

    assert made.status_code == 201, made.text
    assert (made.json()["value"], made.json()["source"], made.json()["valid_from"]) == ("538001234", "paper", NOON)
    numbers = [
        (each["value"], each["valid_from"], each["valid_to"]) for each in await said(ask, path) if each["scheme"] == "mmsi"
    ]
    assert numbers == [("244660000", None, NOON), ("538001234", NOON, None)]
    asked = before["recorded_at"]
    assert [each["value"] for each in await said(ask, path, known_at=asked) if each["scheme"] == "mmsi"] == ["244660000"]
    # Streams follow: the feed's stream under the old number is the ship's until noon alone.
    track = (await ask("viewer").get(f"/v1/assets/{world.ship}/track", params={"from": NOON, "to": ONE})).json()
    assert track["properties"]["points_total"] == 6  # the device's, addressed by IMO number
    with psycopg.connect(world.url) as conn:
        marks = conn.execute("SELECT from_time FROM dirty WHERE asset_id = %s", [world.ship]).fetchall()
        spans = conn.execute(
            "SELECT count(*), count(*) FILTER (WHERE upper_inf(recorded)) FROM attribution WHERE asset_id = %s", [world.ship]
        ).fetchone()
    assert [to_rfc3339(round(mark[0].timestamp() * 1e6)) for mark in marks] == [
        to_rfc3339(NOON_US + HOUR_US // 12)  # the first reading that is not hers any more
    ]
    assert spans == (3, 2)


async def test_a_number_that_another_asset_bears_is_a_conflict_until_it_ends_there(ask: Asking, world: World) -> None:
    other = await ask("admin").post(
        "/v1/assets", json={"class": "vessel", "name": "Grey Heron", "identifiers": [{"scheme": "imo", "value": "7625811"}]}
    )
    path = f"/v1/assets/{other.json()['id']}/identifiers"
    wanted = {"scheme": "mmsi", "value": "244660000", "valid_from": NOON}

    refused = await ask("manager").post(path, json=wanted)

    assert refused.status_code == 409
    assert refused.json()["reason"] == "identifier_borne"
    assert world.ship in refused.json()["errors"][0]["detail"]
    ended = await ask("manager").post(
        f"/v1/assets/{world.ship}/identifiers/close", json={"scheme": "mmsi", "value": "244660000", "at": NOON}
    )
    assert ended.status_code == 204
    assert (await ask("manager").post(path, json=wanted)).status_code == 201
    heard = (await ask("viewer").get(f"/v1/assets/{other.json()['id']}/track", params={"from": NOON, "to": ONE})).json()
    assert heard["properties"]["points_total"] == 6  # of the feed, from noon on


async def test_names_and_flags_are_dated_and_the_name_of_today_is_shown(ask: Asking, world: World) -> None:
    path = f"/v1/assets/{world.ship}/identifiers"
    for scheme, value in (("name", "Grey Heron"), ("flag", "MH")):
        assert (await ask("manager").post(path, json={"scheme": scheme, "value": value, "valid_from": NOON})).status_code == 201

    names = [(each["scheme"], each["value"], each["valid_from"], each["valid_to"]) for each in await said(ask, path)]

    assert [each for each in names if each[0] in {"name", "flag"}] == [
        ("flag", "MH", NOON, None), ("name", "Blue Heron", None, NOON), ("name", "Grey Heron", NOON, None),
    ]  # fmt: skip
    assert (await ask("viewer").get(f"/v1/assets/{world.ship}")).json()["name"] == "Grey Heron"
    assert [each["value"] for each in await said(ask, path, valid_at="2026-01-01T00:00:00Z") if each["scheme"] == "name"] == [
        "Blue Heron"
    ]


async def test_a_wrong_value_is_pointed_at(ask: Asking, world: World) -> None:
    path = f"/v1/assets/{world.ship}/identifiers"
    for wanted, pointer in (
        ({"scheme": "flag", "value": "Panama"}, "#/value"),
        ({"scheme": "mmsi", "value": "12"}, "#/value"),
        ({"scheme": "mmsi", "value": "538001234", "valid_from": ONE, "valid_to": NOON}, "#/valid_to"),
    ):
        refused = await ask("manager").post(path, json=wanted)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    closed = await ask("manager").post(f"{path}/close", json={"scheme": "mmsi", "value": "538001234", "at": NOON})
    assert (closed.status_code, closed.json()["reason"]) == (409, "not_borne")
    assert (await ask("viewer").post(path, json={"scheme": "flag", "value": "PA"})).status_code == 403


async def test_what_the_air_says_is_taken_over_with_its_flag(ask: Asking, world: World) -> None:
    path = f"/v1/assets/{world.ship}/identifiers"
    assert (await ask("manager").post(f"{path}/accept", json={})).json()["reason"] == "nothing_to_accept"
    changes = [
        {"field": "mmsi", "recorded": "244660000", "reported": "636012345", "first_reported_at": NOON, "confirmed_at": ONE,
         "recorded_country": "NL", "reported_country": "LR"},
        {"field": "name", "recorded": "Blue Heron", "reported": "GREY HERON", "first_reported_at": ONE, "confirmed_at": None},
    ]  # fmt: skip
    told = finding_row(
        world, finding_id="fnd_identity", rule="identity_changed", closed_us=None, evidence={"changes": changes, "source": "ais"}
    )
    pool = await open_pool(world.url, "keelwing_worker", 2)
    async with pool.connection() as conn:
        await commit(conn, world, StepBatch(findings=[told]), {told.shard})
    await pool.close()

    taken = await ask("manager").post(f"{path}/accept", json={})

    assert taken.status_code == 200, taken.text
    assert taken.json()["finding_id"] == "fnd_identity"
    assert [(each["scheme"], each["value"], each["valid_from"]) for each in taken.json()["identifiers"]] == [
        ("mmsi", "636012345", NOON), ("flag", "LR", NOON), ("name", "GREY HERON", ONE),
    ]  # fmt: skip
    assert {each["source"] for each in taken.json()["identifiers"]} == {"accepted:fnd_identity"}
    assert [each["value"] for each in await said(ask, path, valid_at=ONE) if each["scheme"] == "mmsi"] == ["636012345"]


async def test_an_engine_is_an_asset_that_moves_from_wing_to_wing(ask: Asking, world: World) -> None:
    engine, second = [
        (await ask("admin").post(
            "/v1/assets", json={"class": "engine", "name": f"ESN {esn}", "identifiers": [{"scheme": "msn", "value": esn}]}
        )).json()["id"]
        for esn in ("123456", "654321")
    ]  # fmt: skip
    path = f"/v1/assets/{engine}/installations"
    on_wing = {"parent_id": world.plane, "position": "1", "valid_from": NOON}

    made = await ask("manager").post(path, json=on_wing)

    assert made.status_code == 201, made.text
    assert (made.json()["parent_name"], made.json()["position"]) == ("PH-XYZ", "1")
    taken = await ask("manager").post(f"/v1/assets/{second}/installations", json=on_wing)
    assert (taken.status_code, taken.json()["reason"]) == (409, "position_taken")
    wrong = await ask("manager").post(f"/v1/assets/{world.ship}/installations", json=on_wing)
    assert (wrong.status_code, wrong.json()["reason"]) == (409, "not_a_component")
    assert (await ask("manager").post(f"{path}/remove", json={"at": ONE})).status_code == 204
    assert (
        await ask("manager").post(f"/v1/assets/{second}/installations", json={**on_wing, "valid_from": ONE})
    ).status_code == 201
    assert [each["asset_id"] for each in await said(ask, f"/v1/assets/{world.plane}/installations", valid_at=ONE)] == [second]
    assert [(each["valid_from"], each["valid_to"]) for each in await said(ask, path)] == [(NOON, ONE)]
    # Found by its serial number, never heard, and not on the map.
    (found,) = await said(ask, "/v1/assets", identifier="msn:123456", **{"class": "engine"})
    assert found["id"] == engine
    assert engine not in {each["asset_id"] for each in await said(ask, "/v1/states")}
    assert (await ask("viewer").get(f"/v1/assets/{engine}/state")).json()["reason"]["position"] == "never_heard"
    assert (await ask("viewer").get(f"/v1/assets/{engine}/track")).json()["reason"] == "never_sends"
    assert (await ask("viewer").get(f"/v1/assets/{engine}/lifecycle")).status_code == 200
