"""The cache over the log: states, marks, context, books; and what is forgotten."""

from typing import Any

import pytest

from fleet.instants import HOUR_US
from store import batches, checkpoints, commits, counts, dirty, listening, priors, pruning, registry, scenes
from store.pool import Pool
from store.rows import (
    CheckpointRow,
    ContributionRow,
    CountRow,
    DirtyRow,
    RejectionRow,
    SceneRow,
    StaticRow,
    StatusRow,
    StepBatch,
    TrafficRow,
)


@pytest.fixture
async def asset_id(pool: Pool) -> str:
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        return await registry.register_asset(conn, "demo", "vessel", "It", "tanker", [("mmsi", "244660000")])


async def write(pool: Pool, ownership: commits.Ownership, **rows: Any) -> batches.Written:
    async with pool.connection() as conn:
        return await batches.write(conn, StepBatch(**rows), await commits.begin(conn, ownership, [0]))


async def count(pool: Pool, table: str) -> int:
    async with pool.connection() as conn:
        return len(await (await conn.execute(f"SELECT 1 FROM {table}")).fetchall())


async def test_of_each_six_hours_the_last_state_stays(pool: Pool, ownership: Any, say: Any, asset_id: str) -> None:
    def state(hours: float, wake: float | None) -> CheckpointRow:
        time_us = say.NOON_US + round(hours * HOUR_US)
        wake_at_us = None if wake is None else say.NOON_US + round(wake * HOUR_US)
        return CheckpointRow(asset_id=asset_id, shard=0, time_us=time_us, wake_at_us=wake_at_us, state=str(hours).encode())

    for hours in (0.0, 2.0, 5.5, 6.0, 8.0):
        await write(pool, ownership, checkpoints=[state(hours, hours + 6)])
    async with pool.connection() as conn:
        before = await checkpoints.latest_before(conn, asset_id, say.NOON_US + 6 * HOUR_US)
        newest = (await checkpoints.newest(conn, [asset_id]))[asset_id]
        assert before is not None
        assert (before.state, newest.state) == (b"5.5", b"8.0")
        assert await checkpoints.latest_before(conn, asset_id, say.NOON_US) is None
        assert await checkpoints.due(conn, [0], say.NOON_US + 13 * HOUR_US, 10) == []
        assert await checkpoints.due(conn, [0], say.NOON_US + 14 * HOUR_US, 10) == [(asset_id, say.NOON_US + 14 * HOUR_US)]
        assert await checkpoints.due(conn, [1], say.NOON_US + 14 * HOUR_US, 10) == []
        await checkpoints.drop_from(conn, asset_id, say.NOON_US + 6 * HOUR_US)
        assert (await checkpoints.newest(conn, [asset_id]))[asset_id].state == b"5.5"


async def test_a_mark_waits_for_quiet_and_survives_a_later_one(pool: Pool, ownership: Any, say: Any, asset_id: str) -> None:
    def late(second: int) -> DirtyRow:
        return DirtyRow(asset_id=asset_id, shard=0, from_us=say.NOON_US + second)

    await write(pool, ownership, dirty=[late(9), late(5)])
    async with pool.connection() as conn:
        assert await dirty.due(conn, [0], 3600 * 10**6, 10) == []
        assert await dirty.next_due(conn, [0], 10**6) is not None
        [mark] = await dirty.due(conn, [0], 0, 10)
    assert mark.from_us == say.NOON_US + 5
    await write(pool, ownership, dirty=[late(7)])
    async with pool.connection() as conn:
        assert not await dirty.clear(conn, mark)
        [again] = await dirty.due(conn, [0], 0, 10)
        assert again.from_us == say.NOON_US + 5
        assert await dirty.clear(conn, again)
        assert await dirty.next_due(conn, [0], 10**6) is None


async def test_what_is_marked_while_an_asset_is_derived_stays_marked_for_itself(
    pool: Pool, ownership: Any, say: Any, asset_id: str
) -> None:
    def late(second: int) -> DirtyRow:
        return DirtyRow(asset_id=asset_id, shard=0, from_us=say.NOON_US + second)

    await write(pool, ownership, dirty=[late(5)])
    async with pool.connection() as conn:
        [mark] = await dirty.due(conn, [0], 0, 10)
        assert await dirty.begin(conn, mark)
        assert await dirty.due(conn, [0], 0, 10) == [mark], "one that dies half way leaves the whole"
    await write(pool, ownership, dirty=[late(9)])
    async with pool.connection() as conn:
        [both] = await dirty.due(conn, [0], 0, 10)
        assert both.from_us == say.NOON_US + 5
        assert not await dirty.begin(conn, mark)
        assert not await dirty.clear(conn, mark)
        await dirty.narrow(conn, asset_id)
        [left] = await dirty.due(conn, [0], 0, 10)
        assert left.from_us == say.NOON_US + 9
        assert await dirty.clear(conn, left)


async def test_listening_is_extended_in_place_and_gaps_stay(pool: Pool, say: Any) -> None:
    second_us = 10**6
    noon_us = say.NOON_US
    async with pool.connection() as conn:
        for start, stop in ((0, 10), (10, 20), (21, 30), (60, 70), (65, 66), (40, 41)):
            await listening.extend(
                conn, "demo", "feed:ais", noon_us + start * second_us, noon_us + stop * second_us, 2 * second_us
            )
        found = await listening.during(conn, "demo", "feed:ais", noon_us, noon_us + 100 * second_us)
        assert [((a - noon_us) // second_us, (b - noon_us) // second_us) for a, b in found] == [(0, 30), (40, 41), (60, 70)]
        assert await listening.during(conn, "demo", "feed:other", 0, noon_us * 2) == []


async def test_context_and_contributions_are_replaced_when_derived_again(
    pool: Pool, ownership: Any, say: Any, asset_id: str
) -> None:
    def scene(heard: int) -> SceneRow:
        return SceneRow(tenant="demo", asset_id=asset_id, shard=0, at_us=say.NOON_US, neighbours_heard=heard,
                        neighbours_known=4, feed_down=False)  # fmt: skip

    def share(hour: int, what: bytes) -> ContributionRow:
        return ContributionRow(asset_id=asset_id, shard=0, hour_us=say.NOON_US + hour * HOUR_US, contribution=what)

    async with pool.connection() as conn:
        numbers = await commits.begin(conn, ownership, [0])
        await scenes.write(conn, [scene(1), scene(3)], numbers)
        await scenes.write(conn, [scene(2)], numbers)
        assert await scenes.at(conn, asset_id, say.NOON_US, say.NOON_US + 1) == [scene(2)]
        await priors.write(conn, [share(1, b"one"), share(2, b"two"), share(1, b"uno"), share(-24 * 9, b"old")], numbers)
        assert await priors.of_group(conn, "demo", "vessel", "tanker") == [b"uno", b"two"]
        assert await priors.of_group(conn, "demo", "vessel", None) == []


async def test_the_books_balance_and_show_what_is_missing(pool: Pool, ownership: Any, say: Any) -> None:
    device, feed = ("demo", "device", "vessel", "mmsi", say.MMSI), ("demo", "feed:ais", "vessel", "mmsi", say.MMSI)
    async with pool.connection() as conn:
        streams = await registry.resolve_streams(conn, [device, feed])
    hour_us = say.NOON_US // HOUR_US * HOUR_US
    known = {"tenant": "demo", "hour_us": hour_us}
    await write(
        pool, ownership,
        readings=[say.ship(streams[device], 1), say.ship(streams[feed], 1), say.ship(streams[feed], 2)],
        counts=[
            CountRow(**known, origin=f"mmsi:{say.MMSI}", received=1, stored=1),
            CountRow(**known, origin="feed:ais", received=3, stored=1, traffic=2, nulled={"sog_kn:sentinel": 2}),
            CountRow(**known, origin="feed:ais", received=1, stored=1, late=1, nulled={"sog_kn:sentinel": 1, "a:b:c": 1}),
        ],
    )  # fmt: skip
    async with pool.connection() as conn:
        books = {book.origin: book for book in await counts.reconcile(conn)}
        assert all(book.is_balanced for book in books.values())
        assert (books["feed:ais"].received, books["feed:ais"].held, books["feed:ais"].late) == (4, 2, 1)
        cursor = await conn.execute("SELECT field, reason, count FROM ingest_nulled ORDER BY field")
        assert [tuple(row.values()) for row in await cursor.fetchall()] == [("a", "b:c", 1), ("sog_kn", "sentinel", 3)]
        await conn.execute("DELETE FROM reading_vessel WHERE stream_id = %s", (streams[device],))
        assert [book.origin for book in await counts.reconcile(conn) if not book.is_balanced] == [f"mmsi:{say.MMSI}"]


async def test_bad_input_of_any_bytes_is_kept(pool: Pool, ownership: Any, say: Any) -> None:
    rejection = RejectionRow(
        tenant="a\0b", shard=0, topic="keelwing/\ud800/x", element=None, reason="malformed", detail="\0",
        payload=bytes(range(256)), received_us=say.NOON_US,
    )  # fmt: skip
    await write(pool, ownership, rejections=[rejection])
    async with pool.connection() as conn:
        row = await (await conn.execute("SELECT payload, tenant FROM rejection")).fetchone()
    assert row == {"payload": bytes(range(256)), "tenant": "a�b"}


async def test_statics_statuses_and_traffic_are_kept_once(pool: Pool, ownership: Any, say: Any) -> None:
    def static(name: str) -> StaticRow:
        return StaticRow(stream_id=1, shard=0, time_us=say.NOON_US, received_us=say.NOON_US, source="device",
                         particulars={"name": name, "length_m": 100.5})  # fmt: skip

    def fix(second: int, lat_deg: float) -> TrafficRow:
        return TrafficRow(tenant="demo", origin="feed:ais", asset_class="vessel", scheme="mmsi", value="1",
                          time_us=say.NOON_US + second, lat_deg=lat_deg, lon_deg=0.0, speed_kn=None)  # fmt: skip

    online = StatusRow(tenant="demo", origin="feed:ais", shard=0, online=True, received_us=say.NOON_US)
    await write(pool, ownership, statics=[static("A"), static("B")], statuses=[online], traffic=[fix(5, 1.0), fix(9, 2.0)])
    await write(pool, ownership, statics=[static("A")], traffic=[fix(7, 3.0), fix(9, 1.0)])
    assert (await count(pool, "static_report"), await count(pool, "status_report")) == (2, 1)
    async with pool.connection() as conn:
        rows = await (await conn.execute("SELECT time, lat_deg FROM traffic")).fetchall()
    assert rows == [{"time": say.NOON_US + 9, "lat_deg": 2.0}]


async def test_what_is_beyond_its_limits_goes_and_the_newest_stays(pool: Pool, ownership: Any, say: Any, asset_id: str) -> None:
    def bad(size: int) -> RejectionRow:
        return RejectionRow(tenant="demo", shard=0, topic="t", element=None, reason="r", detail="", payload=b"x" * size,
                            received_us=say.NOON_US)  # fmt: skip

    fixes = [
        TrafficRow(tenant="demo", origin="feed:ais", asset_class="vessel", scheme="mmsi", value=str(n), time_us=say.NOON_US + n,
                   lat_deg=0.0, lon_deg=0.0, speed_kn=None) for n in range(5)
    ]  # fmt: skip
    states = [
        CheckpointRow(asset_id=asset_id, shard=0, time_us=say.NOON_US + day * 24 * HOUR_US, wake_at_us=None, state=b"s")
        for day in range(8)
    ]
    await write(pool, ownership, rejections=[bad(10), bad(1000), bad(1000)], traffic=fixes, checkpoints=states)
    forever = 365 * 1000
    async with pool.connection() as conn:
        gone = await pruning.prune(
            conn, pruning.Limits(rejection_days=forever, rejection_bytes_max=1500, traffic_rows_max=2, horizon_h=72)
        )
        cursor = await conn.execute("SELECT value FROM traffic ORDER BY value")
        kept = [row["value"] for row in await cursor.fetchall()]
    assert gone == {
        "rejections": 2, "traffic": 3, "live_events": 0, "idempotency_keys": 0, "checkpoints": 3, "prior_contributions": 0,
    }  # fmt: skip
    assert kept == ["3", "4"]
