"""Numbered transactions: the fence, the lost reply, and numbers nobody shares."""

import asyncio

import pytest

from fleet.shards import commit_no, shard_of
from store import commits
from store.pool import Pool


async def test_numbers_ascend_within_a_shard_and_name_it(pool: Pool, ownership: commits.Ownership) -> None:
    async with pool.connection() as conn:
        first = await commits.begin(conn, ownership, [3, 61])
    async with pool.connection() as conn:
        second = await commits.begin(conn, ownership, [61])
    assert first == {3: commit_no(3, 1), 61: commit_no(61, 1)}
    assert second == {61: commit_no(61, 2)}


async def test_an_old_owner_is_fenced_and_leaves_nothing(pool: Pool, ownership: commits.Ownership) -> None:
    async with pool.connection() as conn:
        newer = await commits.claim(conn, [7], "another")
    assert newer.epoch > ownership.epoch
    with pytest.raises(commits.Fenced) as fenced:
        async with pool.connection() as conn:
            await commits.begin(conn, ownership, [6, 7])
    assert fenced.value.shards == {7}
    async with pool.connection() as conn:
        assert await commits.begin(conn, newer, [7]) == {7: commit_no(7, 1)}
        assert await commits.begin(conn, ownership, [6]) == {6: commit_no(6, 1)}


async def test_a_claim_waits_for_the_commit_under_way_and_fences_the_next(pool: Pool, ownership: commits.Ownership) -> None:
    async with pool.connection() as writing, pool.connection() as claiming:
        numbers = await commits.begin(writing, ownership, [9])
        claim = asyncio.create_task(commits.claim(claiming, [9], "another"))
        async with pool.connection() as watching:
            async with asyncio.timeout(10):
                while True:
                    cursor = await watching.execute("SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted")
                    row = await cursor.fetchone()
                    await watching.rollback()
                    if row is not None and row["waiting"]:
                        break
        assert not claim.done()
        await writing.commit()
        await claim
        await claiming.commit()
        assert await commits.is_committed(claiming, numbers.values())
        with pytest.raises(commits.Fenced):
            await commits.begin(writing, ownership, [9])
        await writing.rollback()


async def test_a_lost_reply_is_answered_by_the_number(pool: Pool, ownership: commits.Ownership) -> None:
    async with pool.connection() as conn:
        kept = await commits.begin(conn, ownership, [1, 2])
    async with pool.connection() as conn:
        lost = await commits.begin(conn, ownership, [1, 2])
        await conn.rollback()
    async with pool.connection() as conn:
        assert await commits.is_committed(conn, kept.values())
        assert not await commits.is_committed(conn, [commit_no(1, 99)])
        assert not await commits.is_committed(conn, lost.values())


async def test_people_and_the_worker_never_get_one_number(pool: Pool, ownership: commits.Ownership) -> None:
    key = "6a1f0f5e-0000-4000-8000-000000000001"
    shard = shard_of(key)

    async def person() -> int:
        async with pool.connection() as conn:
            return await commits.begin_for(conn, key)

    async def worker() -> int:
        async with pool.connection() as conn:
            return (await commits.begin(conn, ownership, [shard, (shard + 1) % 64]))[shard]

    numbers = await asyncio.gather(*[turn() for turn in [person, worker] * 15])
    assert sorted(numbers) == [commit_no(shard, n) for n in range(1, 31)]
