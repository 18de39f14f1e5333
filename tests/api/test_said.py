"""What the air said of identity, what devices said of themselves, what was made null: shown, and to whom."""

import pytest

from fleet.instants import HOUR_US, to_rfc3339
from fleet.shards import shard_of
from store import registry
from store.pool import open_pool
from store.rows import CountRow, StaticRow, StatusRow, StepBatch
from tests.api.fix_world import LEASE, NOON_US, Asking, World, commit

DEVICE = "imo:9074729"
SAID: dict[str, str | float] = {"name": "RED HERON", "call_sign": "PBHN", "destination": "ROTTERDAM", "draught_m": 9.1}
HOUR = NOON_US // HOUR_US * HOUR_US


@pytest.fixture
async def told(world: World) -> None:
    """The ship's feed reports its identity before, in and after the lease; its device goes off and on; fields are made null."""
    pool = await open_pool(world.url, "keelwing_worker", 2)
    shard = shard_of(world.ship)
    try:
        async with pool.connection() as conn:
            keys = [("alpha", "feed:coast", "vessel", "mmsi", "244660000")]
            (stream,) = (await registry.resolve_streams(conn, keys)).values()
            reports = [
                StaticRow(stream_id=stream, shard=shard, time_us=at, received_us=at, source="ais_terrestrial", particulars=said)
                for at, said in ((LEASE[0] - 1, {**SAID, "name": "OLD"}), (NOON_US, SAID), (LEASE[1], {**SAID, "name": "NEW"}))
            ]
            statuses = [
                StatusRow(tenant=tenant, origin=DEVICE, shard=shard, online=online, received_us=NOON_US + n * HOUR_US)
                for tenant, n, online in (("alpha", 0, True), ("alpha", 1, False), ("alpha", 2, True), ("alpha", 3, True),
                                          ("beta", 4, False))
            ]  # fmt: skip
            counts = [
                CountRow(tenant=tenant, origin=origin, hour_us=hour, received=5, stored=3, duplicate=1, rejected=1, late=1,
                         nulled={"sog_kn:out_of_range": 2, "cog_deg:not_a_number": 1})
                for tenant, origin in (("alpha", DEVICE), ("alpha", "feed:coast"), ("beta", DEVICE))
                for hour in (HOUR, HOUR + HOUR_US)
            ]  # fmt: skip
            batch = StepBatch(statics=reports, statuses=statuses, counts=counts)
            await commit(conn, world, batch, {shard})
    finally:
        await pool.close()


NULLED = [
    {"field": "cog_deg", "reason": "not_a_number", "count": 2},
    {"field": "sog_kn", "reason": "out_of_range", "count": 4},
]


@pytest.mark.usefixtures("told")
async def test_a_feed_tells_what_was_made_null_summed_over_hours(ask: Asking) -> None:
    (feed,) = (await ask("viewer").get("/v1/feeds")).json()["items"]

    assert feed["nulled"] == NULLED
    assert "cog_deg" in (await ask("viewer").get("/v1/feeds", headers={"Accept": "text/csv"})).text


@pytest.mark.usefixtures("told")
async def test_coverage_tells_who_speaks_and_what_became_of_it(ask: Asking, world: World) -> None:
    found = (await ask("viewer").get(f"/v1/assets/{world.ship}/coverage")).json()

    assert (found["first_time"], found["last_time"]) == ("2026-11-20T08:00:00Z", "2026-11-20T16:05:00Z")
    assert (found["readings"], found["positions"]) == (98, 98)
    feed, device = found["origins"]
    assert (feed["origin"], feed["readings"], feed["received"], feed["nulled"]) == ("feed:coast", 49, None, None)
    assert feed["reason"]["nulled"] == "counted_by_feed"
    assert device == {
        "origin": DEVICE, "readings": 49, "positions": 49, "received": 10, "stored": 6, "late": 2, "duplicate": 2, "rejected": 2,
        "nulled": NULLED, "reason": {},
        "device_status": {"identifier": DEVICE, "online": True, "since": to_rfc3339(NOON_US + 2 * HOUR_US)},
    }  # fmt: skip


@pytest.mark.usefixtures("told")
async def test_the_newest_report_is_shown_and_changes_no_name(ask: Asking, world: World) -> None:
    asset = (await ask("viewer").get(f"/v1/assets/{world.ship}")).json()
    life = (await ask("viewer").get(f"/v1/assets/{world.ship}/lifecycle")).json()
    then = (await ask("viewer").get(f"/v1/assets/{world.ship}", params={"valid_at": to_rfc3339(NOON_US + HOUR_US)})).json()

    assert asset["reported"] == life["reported"]
    assert asset["reported"] == {
        "time": to_rfc3339(LEASE[1]), "source": "ais_terrestrial", "identifier": "mmsi:244660000",
        "particulars": {**SAID, "name": "NEW"},
    }  # fmt: skip
    assert (asset["name"], life["name"]) == ("Blue Heron", "Blue Heron")
    assert life["device_status"] == asset["device_status"]
    assert asset["device_status"]["since"] == to_rfc3339(NOON_US + 2 * HOUR_US)
    assert then["reported"]["particulars"] == SAID
    assert then["device_status"] == {"identifier": DEVICE, "online": False, "since": to_rfc3339(NOON_US + HOUR_US)}


async def test_what_was_never_said_is_null_with_its_reason(ask: Asking, world: World) -> None:
    for path in ("", "/lifecycle"):
        found = (await ask("viewer").get(f"/v1/assets/{world.plane}{path}")).json()
        assert (found["reported"], found["device_status"]) == (None, None)
        assert (found["reason"]["reported"], found["reason"]["device_status"]) == ("never_reported", "never_said")


@pytest.mark.usefixtures("told")
async def test_a_lessee_sees_the_identity_reported_inside_its_lease_and_no_counter(ask: Asking, world: World) -> None:
    asset = (await ask("lessee").get(f"/v1/assets/{world.ship}")).json()
    found = (await ask("lessee").get(f"/v1/assets/{world.ship}/coverage")).json()

    assert asset["reported"]["time"] == to_rfc3339(NOON_US)
    assert asset["reported"]["particulars"] == {"name": "RED HERON", "call_sign": "PBHN"}
    assert (asset["device_status"], asset["reason"]["device_status"]) == (None, "not_shared")
    assert (found["origins"], found["reason"]) == (None, {"origins": "not_shared"})
    assert (found["first_time"], found["readings"]) == (to_rfc3339(LEASE[0]), 48)


@pytest.mark.usefixtures("told")
async def test_another_tenant_with_the_same_hull_sees_its_own_words_alone(ask: Asking, world: World) -> None:
    asset = (await ask("beta").get(f"/v1/assets/{world.beta_ship}")).json()
    (device,) = (await ask("beta").get(f"/v1/assets/{world.beta_ship}/coverage")).json()["origins"]

    assert asset["reported"] is None
    assert asset["device_status"] == {"identifier": DEVICE, "online": False, "since": to_rfc3339(NOON_US + 4 * HOUR_US)}
    assert (device["origin"], device["received"], device["nulled"]) == (DEVICE, 10, NULLED)
