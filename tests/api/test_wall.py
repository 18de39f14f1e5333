"""Attempts to climb the wall: another tenant's ids, a lessee outside its lease, a key that was revoked."""

import psycopg
import pytest

from fleet.instants import HOUR_US, to_rfc3339
from tests.api.fix_world import LEASE, NOON_US, Asking, World

SUBRESOURCES = ["", "/state", "/track", "/telemetry", "/telemetry?bucket=PT1H", "/lifecycle", "/identifiers", "/coverage"]
INTERNAL = ["/v1/findings", "/v1/alerts", "/v1/webhooks", "/v1/feeds", "/v1/rejections", "/v1/rejections/counts"]


@pytest.mark.parametrize("path", SUBRESOURCES)
@pytest.mark.asyncio(loop_scope="session")
async def test_another_tenants_asset_is_not_there(look: Asking, path: str) -> None:
    theirs = await look("beta").get(f"/v1/assets/{look.world.ship}{path}")
    nobodys = await look("beta").get(f"/v1/assets/00000000-0000-4000-8000-000000000000{path}")

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["detail"] == nobodys.json()["detail"]


async def test_another_tenants_things_are_in_no_list_and_under_no_id(ask: Asking, world: World) -> None:
    assert [each["id"] for each in (await ask("beta").get("/v1/assets")).json()["items"]] == [world.beta_ship]
    assert [each["asset_id"] for each in (await ask("beta").get("/v1/states")).json()["items"]] == [world.beta_ship]
    for path in INTERNAL:
        assert (await ask("beta").get(path)).json()["items"] == []
    assert (await ask("beta").get("/v1/findings", params={"asset_id": world.ship})).json()["items"] == []
    assert (await ask("beta").get(f"/v1/findings/{world.finding}")).status_code == 404
    assert (await ask("beta").get(f"/v1/alerts/{world.alert}")).status_code == 404
    for step in ("acknowledge", "resolve", "dismiss"):
        assert (await ask("beta").post(f"/v1/alerts/{world.alert}/{step}", json={"reason": "x"})).status_code == 404
    assert (await ask("beta").post(f"/v1/alerts/{world.alert}/comments", json={"text": "x"})).status_code == 404
    assert (await ask("beta").patch(f"/v1/assets/{world.ship}", json={"name": "mine"})).status_code == 404
    assert (await ask("admin").get(f"/v1/alerts/{world.alert}")).json()["revision"] == 1


async def test_another_tenants_webhook_cannot_be_touched(ask: Asking) -> None:
    made = (await ask("admin").post("/v1/webhooks", json={"url": "https://example.com/a"})).json()
    path = f"/v1/webhooks/{made['id']}"

    assert (await ask("beta").get(path)).status_code == 404
    assert (await ask("beta").patch(path, json={"status": "disabled"})).status_code == 404
    assert (await ask("beta").post(f"{path}/rotate")).status_code == 404
    assert (await ask("beta").get(f"{path}/attempts")).status_code == 404
    assert (await ask("beta").post(f"{path}/replay", json={"event_id": "evt_00000000"})).status_code == 404
    assert (await ask("beta").delete(path)).status_code == 404
    assert (await ask("admin").get(path)).json()["status"] == "enabled"


@pytest.mark.parametrize("path", [*INTERNAL, "/v1/findings/x", "/v1/alerts/00000000-0000-4000-8000-000000000000"])
@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_internal_is_closed_to_a_lessee(look: Asking, path: str) -> None:
    assert (await look("lessee").get(path)).status_code == 403


async def test_a_lessee_sees_its_asset_alone(ask: Asking, world: World) -> None:
    assets = (await ask("lessee").get("/v1/assets")).json()["items"]

    assert [each["id"] for each in assets] == [world.ship]
    assert (await ask("lessee").get(f"/v1/assets/{world.plane}")).status_code == 404
    assert (await ask("lessee").post("/v1/assets", json={})).status_code == 403
    assert (await ask("lessee").patch(f"/v1/assets/{world.ship}", json={"name": "x"})).status_code == 403


async def test_a_lessee_sees_no_fix_outside_its_lease(ask: Asking, world: World) -> None:
    wide = {"from": to_rfc3339(NOON_US - 12 * HOUR_US), "to": to_rfc3339(NOON_US + 12 * HOUR_US), "limit": "1000"}
    inside = (to_rfc3339(LEASE[0]), to_rfc3339(LEASE[1]))

    times = (await ask("lessee").get(f"/v1/assets/{world.ship}/track", params=wide)).json()["properties"]["times"]
    rows = (await ask("lessee").get(f"/v1/assets/{world.ship}/telemetry", params=wide)).json()["items"]

    assert times[0] == inside[0]
    assert max(times) < inside[1]
    assert {row["time"] for row in rows} == set(times)
    assert all("me_exhaust_temp_c" not in row and "draught_m" not in row for row in rows)


async def test_a_lessees_buckets_at_the_edge_hold_its_readings_alone(ask: Asking, world: World) -> None:
    wide = {"from": to_rfc3339(NOON_US - 12 * HOUR_US), "to": to_rfc3339(NOON_US + 12 * HOUR_US)}

    rows = (
        await ask("lessee").get(f"/v1/assets/{world.ship}/telemetry", params={**wide, "bucket": "PT3H", "fields": "sog_kn"})
    ).json()["items"]

    assert [(row["time"][11:16], row["readings"]["count"]) for row in rows] == [
        ("09:00", 24),
        ("12:00", 24),
    ]  # two hours of each: 10:00-14:00


async def test_a_lessees_state_is_the_last_inside_its_lease(ask: Asking, world: World) -> None:
    state = (await ask("lessee").get(f"/v1/assets/{world.ship}/state", params={"valid_at": "2026-11-20T18:00:00Z"})).json()

    assert state["time"] < to_rfc3339(LEASE[1])
    assert state["time"] == "2026-11-20T13:55:00Z"
    assert (state["weight"], state["draught_m"], state["channels"]) == (None, None, None)
    assert state["reason"]["weight"] == state["reason"]["channels"] == "not_shared"
    assert state["lease"] is None


async def test_a_lessee_may_not_ask_for_sensors(ask: Asking, world: World) -> None:
    answer = await ask("lessee").get(f"/v1/assets/{world.ship}/telemetry", params={"fields": "me_exhaust_temp_c"})

    assert answer.status_code == 403


async def test_a_revoked_key_is_refused_at_once(ask: Asking, world: World) -> None:
    assert (await ask("viewer").get("/v1/assets")).status_code == 200
    with psycopg.connect(world.url) as conn:
        conn.execute("SET ROLE keelwing_worker")
        conn.execute("UPDATE api_key SET revoked_at = now() WHERE role = 'viewer'")

    answer = await ask("viewer").get("/v1/assets")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_use_of_a_key_is_noted(ask: Asking, world: World) -> None:
    await ask("manager").get("/v1/assets")

    with psycopg.connect(world.url) as conn:
        conn.execute("SET ROLE keelwing_worker")
        used = conn.execute("SELECT last_used_at IS NOT NULL FROM api_key WHERE role = 'manager'").fetchone()
    assert used == (True,)
