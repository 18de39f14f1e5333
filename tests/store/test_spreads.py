"""Closed hours: buckets made of them say what readings say, whoever asks, whatever came late; so do tracks picked by rollups."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from fleet.instants import DAY_US, HOUR_US, MINUTE_US
from fleet.shards import shard_of
from store import batches, commits, reads, registry, spreads
from store.pool import Pool, open_pool, scope
from store.reads import Period
from store.rows import StepBatch

FIELDS = ("lat_deg", "sog_kn", "nav_status", "draught_m", "rot_deg_min")
CHANNELS = ("me_exhaust_temp_c", "rpm", "never_heard")
EVERYTHING_KNOWN_US = 4_000_000_000_000_000  # a `known_at` in the far future: no rollup answers it, all readings do


class World(NamedTuple):
    """A ship heard by its device and a feed for four days, attributed and leased with edges inside hours."""

    pool: Pool
    asset_id: str
    party_id: str
    api: Pool
    rows: list[Any]
    since_us: int

    @asynccontextmanager
    async def asking(self, party_id: str | None) -> AsyncIterator[Any]:
        async with self.api.connection() as conn:
            await scope(conn, "demo", party_id)
            yield conn


async def write(pool: Pool, ownership: commits.Ownership, rows: list[Any]) -> None:
    async with pool.connection() as conn:
        await batches.write(conn, StepBatch(readings=rows), await commits.begin(conn, ownership, {row.shard for row in rows}))


async def close_all(pool: Pool) -> int:
    closed = 0
    while True:
        async with pool.connection() as conn:
            done = await spreads.close_hours(conn, quiet_s=0.0)
        closed += done
        if not done:
            return closed


def said(say: Any, streams: dict[str, int], shard: int, since_us: int, count: int, chance: random.Random) -> list[Any]:
    """Readings at random over four days, thick and thin, with every part missing now and then."""
    rows = []
    for seq in range(count):
        at_us = since_us + int(chance.betavariate(0.7, 1.1) * 4 * DAY_US)
        known = {
            "lat_deg": chance.uniform(-60, 60), "lon_deg": chance.uniform(-180, 180), "sog_kn": chance.uniform(0, 20),
            "nav_status": chance.randrange(9), "draught_m": 8.1,
            "channels": {"me_exhaust_temp_c": chance.gauss(340, 9), "rpm": 80.0},
        }  # fmt: skip
        for part in chance.sample(sorted(known), chance.randrange(4)):
            del known[part]
        if "lat_deg" not in known or "lon_deg" not in known:
            known = {name: value for name, value in known.items() if name not in {"lat_deg", "lon_deg"}}
        name = chance.choice(sorted(streams))
        rows.append(say.ship(streams[name], (at_us - say.NOON_US) / 1e6, seq=seq, shard=shard, source=name, **known))
    return rows


@pytest.fixture
async def world(pool: Pool, ownership: commits.Ownership, database_url: str, say: Any) -> AsyncIterator[World]:
    since_us = say.NOON_US - 5 * HOUR_US
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        await registry.set_feed(conn, "demo", "coast", "live")
        names = [
            registry.Identifier("mmsi", say.MMSI, since_us + 30 * MINUTE_US, since_us + 3 * DAY_US + 17 * MINUTE_US),
            registry.Identifier("local", "ship", None, None),
        ]
        asset_id = await registry.register_asset(conn, "demo", "vessel", "It", None, names)
        party_id = await registry.create_party(conn, "demo", "Lessee")
        for from_us, to_us in ((10 * HOUR_US + 1, 40 * HOUR_US + 7 * MINUTE_US), (50 * HOUR_US, 75 * HOUR_US + 1)):
            await registry.create_lease(conn, "demo", asset_id, party_id, "dry", since_us + from_us, since_us + to_us)
        keys = {
            "device": ("demo", "device", "vessel", "mmsi", say.MMSI),
            "feed": ("demo", "feed:coast", "vessel", "local", "ship"),
        }
        found = await registry.resolve_streams(conn, list(keys.values()))
    shard = shard_of(asset_id)
    rows = said(say, {name: found[key] for name, key in keys.items()}, shard, since_us, 1200, random.Random(5))
    await write(pool, ownership, rows[:900])
    await close_all(pool)
    await write(pool, ownership, rows[900:1100])  # late: they overtake what was closed
    api = await open_pool(database_url, "keelwing_api", 2)
    yield World(pool, asset_id, party_id, api, rows, since_us)
    await api.close()


def periods(world: World, chance: random.Random, count: int) -> list[Period]:
    """Any two instants; whole hours now and then."""
    found = []
    for _ in range(count):
        from_us, to_us = sorted(world.since_us + chance.randrange(-HOUR_US, 4 * DAY_US + HOUR_US) for _ in range(2))
        found.append(
            Period(from_us, to_us) if chance.random() < 0.7 else Period(from_us // HOUR_US * HOUR_US, to_us // HOUR_US * HOUR_US)
        )
    return found


async def buckets(conn: Any, world: World, period: Period, bucket_s: int, channels: tuple[str, ...]) -> list[dict[str, Any]]:
    """All pages of a question."""
    rows: list[dict[str, Any]] = []
    while True:
        after_us = rows[-1]["time"] if rows else None
        page = await reads.telemetry_buckets(conn, world.asset_id, "vessel", period, FIELDS, channels, bucket_s, after_us, 20)
        rows += page
        if len(page) < 20:
            return rows


def close_to(row: dict[str, Any]) -> dict[str, Any]:
    """Sums of floats differ in their last digits by the order they were added in."""
    return {
        name: pytest.approx(value, rel=1e-9) if isinstance(value, list) and value[0] else value for name, value in row.items()
    }


@pytest.mark.parametrize("all_closed", [True, False], ids=["all closed", "overtaken hours among them"])
@pytest.mark.parametrize("lessee", [False, True], ids=["insider", "lessee"])
async def test_buckets_of_closed_hours_say_what_the_readings_say(world: World, lessee: bool, all_closed: bool) -> None:
    chance = random.Random(11)
    if all_closed:
        assert await close_all(world.pool) > 0
    answered = 0
    async with world.asking(world.party_id if lessee else None) as conn:
        for period in periods(world, chance, 12):
            bucket_s = chance.choice([3600, 4 * 3600, 86_400])
            quick = await buckets(conn, world, period, bucket_s, CHANNELS)
            slow = await buckets(conn, world, period._replace(known_us=EVERYTHING_KNOWN_US), bucket_s, CHANNELS)
            assert quick == [close_to(row) for row in slow]
            assert not lessee or all(row["c0"][0] == 0 for row in quick)  # sensors are not shared
            answered += len(quick)
    assert answered > 50


async def test_buckets_read_only_what_is_not_closed(world: World) -> None:
    await close_all(world.pool)
    async with world.pool.connection() as conn:
        await conn.execute("DELETE FROM reading_vessel")
    period = Period(world.since_us // DAY_US * DAY_US + DAY_US, world.since_us // DAY_US * DAY_US + 2 * DAY_US)
    async with world.asking(None) as conn:
        rows = await buckets(conn, world, period, 3600, ())
    assert sum(row["count"] for row in rows) == sum(
        1 for row in world.rows[:1100] if period.from_us <= row.reading.time_us < period.to_us
    )


async def test_a_late_reading_opens_its_hour_until_it_is_closed_again(world: World, ownership: commits.Ownership) -> None:
    await close_all(world.pool)
    hours = {(row.stream_id, row.reading.time_us // HOUR_US) for row in world.rows[1100:]}
    await write(world.pool, ownership, world.rows[1100:])
    async with world.pool.connection() as conn:
        assert await spreads.close_hours(conn) == 0  # marked a moment ago: more may be on their way
    assert await close_all(world.pool) == len(hours)
    assert await close_all(world.pool) == 0


async def test_an_hour_that_is_not_over_stays_open(pool: Pool, ownership: Any, say: Any) -> None:
    async with pool.connection() as conn:
        row = await (await conn.execute("SELECT now() AS now")).fetchone()
    assert row is not None
    now = say.ship(1, (row["now"] - say.NOON_US) / 1e6, sog_kn=1.0)
    await write(pool, ownership, [now])
    assert await close_all(pool) == 0


@pytest.mark.parametrize("lessee", [False, True], ids=["insider", "lessee"])
async def test_a_picked_track_has_the_count_the_ends_and_the_evenness_of_a_read_one(
    world: World, lessee: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "FIXES_READ_MAX", 0)
    monkeypatch.setattr(reads, "READS_A_PROBE", 1)
    chance = random.Random(3)
    picked_some = 0
    async with world.asking(world.party_id if lessee else None) as conn:
        for period in periods(world, chance, 15):
            points_max = chance.choice([2, 3, 10, 40])
            every = await reads.track(conn, world.asset_id, "vessel", period._replace(known_us=EVERYTHING_KNOWN_US), 100_000)
            few = await reads.track(conn, world.asset_id, "vessel", period, points_max)
            assert {row["total"] for row in few} <= {len(every)}
            assert bool(few) == bool(every)
            places = [(row["time"], row["lon_deg"], row["lat_deg"]) for row in every]
            given = [(row["time"], row["lon_deg"], row["lat_deg"]) for row in few]
            assert given == [place for place in places if place in set(given)]
            assert given[:1] + given[-1:] == places[:1] + places[-1:]
            assert len(given) <= points_max
            assert len(given) >= min(len(every), points_max / 2)
            if len(every) > points_max:
                picked_some += 1
    assert picked_some > 5


@pytest.mark.parametrize("points_max", [2, 3, 7, 100])
def test_instants_leave_room_for_the_last_fix(points_max: int) -> None:
    counts = [{"count": n, "first_time": 1000 * n, "last_time": 1000 * n + 500} for n in (1, 3, 90, 400)]
    instants = reads.evenly(counts, 494, points_max)
    assert instants == sorted(instants)
    assert points_max / 2 <= len(instants) <= points_max - 1
    assert instants[0] == 1000
