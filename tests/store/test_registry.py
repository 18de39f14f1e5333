"""Who owns what, dated twice; which streams speak of it; who may use which feed."""

from typing import Any

import psycopg
import pytest

from fleet.dated import Span
from store import commits, keys, readings, registry
from store.pool import Pool

SHIP = ("mmsi", "244660000")


@pytest.fixture(autouse=True)
async def tenants(pool: Pool) -> None:
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        await registry.create_tenant(conn, "demo", "Demo again")
        await registry.create_tenant(conn, "other", "Other")


async def test_registering_again_is_the_same_asset_with_what_is_new(pool: Pool) -> None:
    async with pool.connection() as conn:
        first = await registry.register_asset(conn, "demo", "vessel", "It", "tanker", [SHIP], {"length_m": 100.0})
        again = await registry.register_asset(conn, "demo", "vessel", "It", "tanker", [SHIP, ("imo", "9074729")])
        theirs = await registry.register_asset(conn, "other", "vessel", "It", "tanker", [SHIP])
        copy = await registry.load(conn)
    assert first == again != theirs
    assert {(one.asset_id, one.scheme) for one in copy.identifiers} == {(first, "mmsi"), (first, "imo"), (theirs, "mmsi")}
    assert {asset.tenant for asset in copy.assets.values()} == {"demo", "other"}


async def test_identifiers_of_two_assets_register_nothing(pool: Pool) -> None:
    async with pool.connection() as conn:
        await registry.register_asset(conn, "demo", "vessel", "One", None, [SHIP])
        await registry.register_asset(conn, "demo", "vessel", "Two", None, [("imo", "9074729")])
        with pytest.raises(registry.IdentifiersOfTwoAssets):
            await registry.register_asset(conn, "demo", "vessel", "Three", None, [SHIP, ("imo", "9074729")])
        assert len((await registry.load(conn)).assets) == 2


async def test_every_change_raises_the_version(pool: Pool) -> None:
    async def version() -> int:
        async with pool.connection() as conn:
            return await registry.version(conn)

    versions = [await version()]
    async with pool.connection() as conn:
        asset_id = await registry.register_asset(conn, "demo", "vessel", "It", None, [SHIP])
    versions.append(await version())
    async with pool.connection() as conn:
        await registry.set_feed(conn, "_", "ais", "live")
    versions.append(await version())
    async with pool.connection() as conn:
        await registry.grant_feed(conn, "ais", "demo", None, None)
    versions.append(await version())
    async with pool.connection() as conn:
        party_id = await registry.create_party(conn, "demo", "Lessee")
        await registry.create_lease(conn, "demo", asset_id, party_id, "dry", 0, None)
    versions.append(await version())
    async with pool.connection() as conn:
        await registry.change_setting(conn, "demo", "gap", "silence_min", 60, None)
    versions.append(await version())
    assert versions == sorted(set(versions))
    async with pool.connection() as conn:
        await registry.resolve_streams(conn, [("demo", "device", "vessel", *SHIP)])
    assert await version() == versions[-1]  # a new stream finds its asset by itself


async def test_a_stream_is_one_number_for_all_who_ask(pool: Pool) -> None:
    wanted = [("demo", "device", "vessel", "mmsi", f"{n:09d}") for n in range(5)]
    async with pool.connection() as conn:
        first = await registry.resolve_streams(conn, wanted[:3])
    async with pool.connection() as conn:
        second = await registry.resolve_streams(conn, wanted)
        assert await registry.attributions(conn, second.values()) == {stream_id: [] for stream_id in second.values()}
    assert {key: second[key] for key in wanted[:3]} == first
    assert len(set(second.values())) == 5


async def test_a_feed_of_the_operator_speaks_to_tenants_while_granted(pool: Pool, say: Any) -> None:
    key = ("_", "feed:ais", "vessel", *SHIP)
    async with pool.connection() as conn:
        mine = await registry.register_asset(conn, "demo", "vessel", "It", None, [SHIP])
        await registry.register_asset(conn, "other", "vessel", "It", None, [SHIP])
        await registry.set_feed(conn, "_", "ais", "live")
        stream_id = (await registry.resolve_streams(conn, [key]))[key]
        assert await registry.attributions(conn, [stream_id]) == {stream_id: []}
        await registry.grant_feed(conn, "ais", "demo", say.NOON_US, say.NOON_US + 10**6)
        [entry] = (await registry.attributions(conn, [stream_id]))[stream_id]
    assert (entry.asset_id, entry.tenant, entry.valid) == (mine, "demo", Span(say.NOON_US, say.NOON_US + 10**6))


async def test_a_device_speaks_of_its_own_tenants_asset_alone(pool: Pool) -> None:
    key = ("other", "device", "vessel", *SHIP)
    async with pool.connection() as conn:
        await registry.register_asset(conn, "demo", "vessel", "It", None, [SHIP])
        stream_id = (await registry.resolve_streams(conn, [key]))[key]
        assert await registry.attributions(conn, [stream_id]) == {stream_id: []}


async def test_a_setting_changes_from_an_instant_and_keeps_its_past(pool: Pool, say: Any) -> None:
    async with pool.connection() as conn:
        await registry.change_setting(conn, "_", "gap", "silence_min", 360, None)
        await registry.change_setting(conn, "_", "gap", "silence_min", 300, say.NOON_US)
    async with pool.connection() as conn:
        await registry.change_setting(conn, "_", "gap", "silence_min", 240, say.NOON_US)
        now = {(one.value, one.valid) for one in (await registry.load(conn)).settings}
        cursor = await conn.execute("SELECT count(*) AS n FROM setting")
        row = await cursor.fetchone()
    assert now == {(360, Span(None, say.NOON_US)), (240, Span(say.NOON_US, None))}
    assert row is not None
    assert row["n"] == 4


async def test_an_asset_has_one_head_lease_at_a_time(pool: Pool, say: Any) -> None:
    async with pool.connection() as conn:
        asset_id = await registry.register_asset(conn, "demo", "vessel", "It", None, [SHIP])
        party_id = await registry.create_party(conn, "demo", "Lessee")
        assert await registry.create_party(conn, "demo", "Lessee") == party_id
        await registry.create_lease(conn, "demo", asset_id, party_id, "dry", 0, say.NOON_US)
        await registry.create_lease(conn, "demo", asset_id, party_id, "dry", say.NOON_US, None)
    with pytest.raises(psycopg.errors.ExclusionViolation):
        async with pool.connection() as conn:
            await registry.create_lease(conn, "demo", asset_id, party_id, "dry", say.NOON_US + 5, None)


async def test_a_recordings_clock_is_its_last_reading(pool: Pool, ownership: commits.Ownership, say: Any) -> None:
    key = ("demo", "feed:replay", "vessel", *SHIP)
    async with pool.connection() as conn:
        stream_id = (await registry.resolve_streams(conn, [key]))[key]
        rows = [say.ship(stream_id, 5), say.ship(stream_id, 3)]
        await readings.insert(conn, rows, await commits.begin(conn, ownership, [0]))
        assert await readings.feed_clock(conn, "demo", "feed:replay") == say.NOON_US + 5_000_000
        assert await readings.feed_clock(conn, "demo", "feed:other") is None


async def test_a_key_lets_in_until_it_is_revoked(pool: Pool) -> None:
    async with pool.connection() as conn:
        key = await keys.create(conn, "demo", "admin")
        caller = await keys.authenticate(conn, key)
        assert caller is not None
        assert (caller.tenant, caller.role, caller.party_id) == ("demo", "admin", None)
        assert await keys.authenticate(conn, key + "x") is None
        assert await keys.revoke(conn, key)
        assert await keys.authenticate(conn, key) is None
        assert not await keys.revoke(conn, key)
    with pytest.raises(psycopg.errors.CheckViolation):
        async with pool.connection() as conn:
            await keys.create(conn, "demo", "lessee")
