"""The log of readings: idempotent by key, equal when read back, and its sums the same in any order."""

import asyncio
import random
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.asset_class import ASSET_CLASSES
from fleet.reading import Reading
from fleet.trainset import TrainsetReading
from store import batches, commits, readings, registry
from store.pool import Pool, open_pool
from store.rows import ReadingRow, StepBatch


async def insert(pool: Pool, ownership: commits.Ownership, rows: list[ReadingRow]) -> list[ReadingRow]:
    async with pool.connection() as conn:
        return await readings.insert(conn, rows, await commits.begin(conn, ownership, {row.shard for row in rows}))


async def rows_of(pool: Pool, query: str) -> list[dict[str, Any]]:
    async with pool.connection() as conn:
        return await (await conn.execute(query)).fetchall()


async def test_two_hulls_of_one_number_in_one_second_are_both_kept(pool: Pool, ownership: Any, say: Any) -> None:
    hulls = [say.ship(1, seq=11, lat_deg=1.0, lon_deg=2.0), say.ship(1, seq=12, lat_deg=50.0, lon_deg=3.0)]
    assert await insert(pool, ownership, hulls) == hulls
    assert len(await rows_of(pool, "SELECT 1 FROM reading_vessel")) == 2


async def test_what_lies_beyond_the_keys_of_several_assets_comes_in_one_answer(pool: Pool, ownership: Any, say: Any) -> None:
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        ids = [
            await registry.register_asset(conn, "demo", "vessel", f"Ship {n}", None, [("mmsi", f"53800000{n}")]) for n in range(4)
        ]
        keys = [("demo", "device", "vessel", "mmsi", f"53800000{n}") for n in range(4)]
        streams = await registry.resolve_streams(conn, keys)
    ids_of = dict(zip(keys, ids, strict=True))
    for key in keys[:3]:
        await insert(pool, ownership, [say.ship(streams[key], second) for second in range(3)])

    async def beyond(after: list[int | None], limit: int = 100) -> dict[str, list[int]]:
        wanted: dict[str, readings.CanonicalKey | None] = {}
        for key, second in zip(keys, after, strict=True):
            row = None if second is None else say.ship(streams[key], second).reading
            name = ":".join(key[3:])
            wanted[ids_of[key]] = None if row is None else (row.time_us, name, row.source, row.seq)
        async with pool.connection() as conn:
            found = await readings.beyond(conn, "vessel", wanted, limit)
        return {one: [(held.reading.time_us - say.NOON_US) // 1_000_000 for held in rows] for one, rows in found.items()}

    assert await beyond([None, 0, 2, None]) == {ids[0]: [0, 1, 2], ids[1]: [1, 2]}
    assert list(await beyond([None] * 4)) == sorted(ids[:3])
    cut = await beyond([None] * 4, limit=4)
    assert list(map(len, cut.values())) == [3, 1]


async def test_one_key_is_one_row_however_often_it_comes(pool: Pool, ownership: Any, say: Any) -> None:
    row = say.ship(1, seq=11, sog_kn=9.0)
    assert await insert(pool, ownership, [row, row]) == [row]
    assert await insert(pool, ownership, [row]) == []
    assert [(hour["count"], hour["speed_sum_ukn"]) for hour in await rows_of(pool, "SELECT * FROM reading_hour")] == [
        (1, 9_000_000)
    ]


async def test_a_duplicate_does_not_cost_its_batch_the_new_ones(pool: Pool, ownership: Any, say: Any) -> None:
    old = [say.ship(1, second) for second in range(5)]
    new = [say.ship(1, second) for second in range(5, 8)] + [say.aircraft(2)]
    await insert(pool, ownership, old)
    assert await insert(pool, ownership, old[2:4] + new) == new
    assert (await rows_of(pool, "SELECT sum(count)::int AS n FROM reading_day"))[0]["n"] == 9


async def test_duplicates_are_told_in_one_question(pool: Pool, ownership: Any, say: Any) -> None:
    rows = [say.ship(1, 0), say.aircraft(2, 0)]
    await insert(pool, ownership, rows)
    known = {readings.key_of(row) for row in rows}
    other = readings.key_of(say.ship(1, 0, source="ais_satellite"))
    async with pool.connection() as conn:
        assert await readings.duplicates(conn, [*known, other]) == known
        assert await readings.high_water(conn, [1, 2, 3]) == {1: say.NOON_US, 2: say.NOON_US}


FULL: dict[str, dict[str, Any]] = {
    "vessel": {"sog_kn": 0.3, "cog_deg": 1.5, "heading_deg": 359.0, "rot_deg_min": -720.0, "nav_status": 5, "draught_m": 8.1},
    "aircraft": {
        "on_ground": False, "gs_kn": 437.73, "track_deg": 84.89, "alt_baro_ft": 27575.0, "alt_geom_ft": 27550.0,
        "vertical_rate_fpm": -64.0, "squawk": "0042", "nic": 8, "nac_p": 10, "sil": 3, "callsign": "UTA394",
    },
    "trainset": {"speed_kmh": 160.1, "odometer_km": 1e6 / 3, "line": "S 1", "station": "Köln Hbf"},
}  # fmt: skip


@pytest.mark.parametrize("asset_class", ASSET_CLASSES)
@pytest.mark.parametrize("full", [True, False])
async def test_a_reading_comes_back_equal(pool: Pool, ownership: Any, say: Any, asset_class: str, full: bool) -> None:
    fields: dict[str, Any] = (
        {**FULL[asset_class], "lat_deg": -0.1, "lon_deg": 1 / 3, "channels": {"egt_c": 0.1, "n1_pct": 101.0}} if full else {}
    )
    reading: Reading = ASSET_CLASSES[asset_class].reading_type(
        scheme="local", value="a b", time_us=say.NOON_US + 1, seq=2**63 - 1, seq_given=full, source="mlat", **fields
    )
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        asset_id = await registry.register_asset(conn, "demo", asset_class, "It", None, [("local", "a b")])
        key = ("demo", "device", asset_class, "local", "a b")
        stream_id = (await registry.resolve_streams(conn, [key]))[key]
    await insert(pool, ownership, [ReadingRow(stream_id=stream_id, shard=0, received_us=say.NOON_US, reading=reading)])
    async with pool.connection() as conn:
        stored = await readings.of_asset(conn, asset_id, asset_class, say.NOON_US, say.NOON_US + 2)
    assert [one.reading for one in stored] == [reading]


async def test_pages_of_an_asset_are_in_canonical_order_and_complete(pool: Pool, ownership: Any, say: Any) -> None:
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        asset_id = await registry.register_asset(conn, "demo", "vessel", "It", None, [("mmsi", say.MMSI), ("imo", "9074729")])
        device, feed = ("demo", "device", "vessel", "imo", "9074729"), ("demo", "feed:ais", "vessel", "mmsi", say.MMSI)
        streams = await registry.resolve_streams(conn, [device, feed])
    rows = [
        say.ship(stream, second, seq=seq, source=source, scheme=key[3], value=key[4])
        for key, stream in streams.items() for second in range(3) for seq in (2, 1) for source in ("b", "B")
    ]  # fmt: skip
    random.Random(4).shuffle(rows)
    await insert(pool, ownership, rows)
    seen: list[readings.StoredReading] = []
    async with pool.connection() as conn:
        while page := await readings.of_asset(
            conn, asset_id, "vessel", say.NOON_US, say.NOON_US + 10**9, after=seen[-1].key if seen else None, limit=5
        ):
            seen += page
    assert [one.key for one in seen] == sorted(one.key for one in seen)
    assert len(seen) == len(rows) == len({(one.stream_id, one.key) for one in seen})


def speeds() -> st.SearchStrategy[float | None]:
    return st.none() | st.floats(0, 102.1, allow_nan=False)


@st.composite
def messages(draw: st.DrawFn) -> list[dict[str, Any]]:
    many = draw(
        st.lists(st.tuples(st.integers(0, 9000), speeds(), speeds(), st.booleans(), st.booleans()), min_size=2, max_size=12)
    )
    return [
        {"seconds": seconds, "seq": seq, "source": "aB"[seq % 2], "sog_kn": sog_kn, "cog_deg": cog_deg,
         "nav_status": 5 if moored else None, "draught_m": sog_kn or None, "channels": {"n1_pct": float(seq)} if moored else {},
         **({"lat_deg": float(seq % 3), "lon_deg": 2.0} if placed else {})}
        for seq, (seconds, sog_kn, cog_deg, moored, placed) in enumerate(many)
    ]  # fmt: skip


async def test_any_order_and_any_cut_end_with_the_same_rollups_and_last_words(
    pool: Pool, ownership: Any, say: Any, database_url: str
) -> None:
    async def end_of(rows: list[ReadingRow], cuts: list[int]) -> list[list[dict[str, Any]]]:
        for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            if rows[start:stop]:
                await insert(pool, ownership, rows[start:stop])
        end = [
            await rows_of(pool, f"SELECT * FROM {table} ORDER BY 1, 2")
            for table in ("reading_hour", "reading_day", "stream_latest")
        ]
        async with pool.connection() as conn:
            await conn.execute("DELETE FROM reading_vessel")
            await conn.execute("DELETE FROM reading_hour")
            await conn.execute("DELETE FROM reading_day")
            await conn.execute("DELETE FROM stream_latest")
        return end

    loop = asyncio.get_running_loop()

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(messages(), st.randoms(use_true_random=False))
    def shuffled(said: list[dict[str, Any]], chance: random.Random) -> None:
        rows = [say.ship(1 + seq % 2, one["seconds"] // 600 * 600, **{k: v for k, v in one.items() if k != "seconds"})
                for seq, one in enumerate(said)]  # fmt: skip
        other = [*rows, *chance.sample(rows, len(rows) // 2)]
        chance.shuffle(other)
        cuts = sorted(chance.sample(range(1, len(other)), min(3, len(other) - 1)))
        once = asyncio.run_coroutine_threadsafe(end_of(rows, []), loop).result(30)
        again = asyncio.run_coroutine_threadsafe(end_of(other, cuts), loop).result(30)
        assert once == again

    await asyncio.to_thread(shuffled)


async def test_registering_late_moves_no_reading_and_shows_them_all(pool: Pool, ownership: Any, say: Any) -> None:
    key = ("demo", "feed:ais", "vessel", "mmsi", say.MMSI)
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        stream_id = (await registry.resolve_streams(conn, [key]))[key]
    await insert(pool, ownership, [say.ship(stream_id, 1, lat_deg=1.0, lon_deg=2.0, sog_kn=3.0)])
    async with pool.connection() as conn:
        asset_id = await registry.register_asset(conn, "demo", "vessel", "It", None, [("mmsi", say.MMSI)])
        assert len(await readings.of_asset(conn, asset_id, "vessel", say.NOON_US, say.NOON_US + 10**7)) == 1
        fixes = await readings.fixes_at(conn, "demo", say.NOON_US + 5 * 10**6, 10**7)
        early = await readings.fixes_at(conn, "demo", say.NOON_US, 10**7)
    assert [(fix.asset_id, fix.asset, fix.lat_deg, fix.speed_kn) for fix in fixes] == [(asset_id, f"mmsi:{say.MMSI}", 1.0, 3.0)]
    assert early == []


async def test_a_corrected_attribution_gives_the_period_to_the_other_asset(pool: Pool, ownership: Any, say: Any) -> None:
    key = ("demo", "feed:ais", "vessel", "mmsi", say.MMSI)
    second_us = 1_000_000
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        first = await registry.register_asset(conn, "demo", "vessel", "First", None, [("mmsi", say.MMSI)])
        other = await registry.register_asset(conn, "demo", "vessel", "Other", None, [("imo", "9074729")])
        stream_id = (await registry.resolve_streams(conn, [key]))[key]
    await insert(pool, ownership, [say.ship(stream_id, second) for second in range(10)])
    async with pool.connection() as conn:
        before = await registry.version(conn)
        await registry.attribute(conn, stream_id, other, say.NOON_US + 3 * second_us, say.NOON_US + 5 * second_us)
        assert await registry.version(conn) > before
        seconds = {
            asset_id: [(one.reading.time_us - say.NOON_US) // second_us
                       for one in await readings.of_asset(conn, asset_id, "vessel", 0, say.NOON_US * 2)]
            for asset_id in (first, other)
        }  # fmt: skip
    assert seconds == {first: [0, 1, 2, 5, 6, 7, 8, 9], other: [3, 4]}


async def test_channels_are_registered_with_the_unit_their_name_ends_in(pool: Pool, ownership: Any, say: Any) -> None:
    named = {"me_exhaust_temp_c": 300.0, "fuel_rate_t_h": 1.0, "vibration_mm_s": 0.1, "mystery": 1.0}
    async with pool.connection() as conn:
        batch = StepBatch(readings=[say.ship(1, channels=named)])
        await batches.write(conn, batch, await commits.begin(conn, ownership, [0]))
    units = {row["name"]: row["unit"] for row in await rows_of(pool, "SELECT name, unit FROM channel")}
    assert units == {"me_exhaust_temp_c": "°C", "fuel_rate_t_h": "t/h", "vibration_mm_s": "mm/s", "mystery": None}


async def test_a_pool_that_cannot_connect_says_so(database_url: str) -> None:
    from psycopg_pool import PoolTimeout

    with pytest.raises(PoolTimeout):
        await open_pool(database_url + "_not_there", "keelwing_worker", 2, wait_s=0.5)


async def test_a_pool_gives_good_connections_after_all_were_cut(pool: Pool, database_url: str) -> None:
    async with pool.connection() as conn, pool.connection():
        await conn.execute("SELECT 1")
    with psycopg.connect(database_url, autocommit=True) as owner:
        cut = owner.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'keelwing_worker'"
            " AND datname = current_database()"
        ).fetchall()
    assert len(cut) >= 2
    async with pool.connection() as conn:
        row = await (await conn.execute("SELECT current_user::text AS me")).fetchone()
    assert row == {"me": "keelwing_worker"}


def test_a_train_is_a_reading_like_any_other() -> None:
    assert TrainsetReading(scheme="evn", value="938054130017", time_us=0, seq=0, speed_kmh=185.2).speed_kn == pytest.approx(100)
