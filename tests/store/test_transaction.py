"""The ingester's transaction: what readings add up to is under way while it goes on, and nothing is committed without it."""

from typing import Any

import psycopg
import pytest
from psycopg import errors

from store import commits
from store.pool import Pool
from store.rows import StepBatch
from store.transaction import PostgresStore

REFUSES_TWO = "ALTER TABLE reading_hour ADD CONSTRAINT refuses_two CHECK (count < 2)"


def two_of_an_hour(say: Any) -> StepBatch:
    return StepBatch(readings=[say.ship(1), say.ship(1, 60)])


async def counted(pool: Pool, table: str) -> int:
    async with pool.connection() as conn:
        row = await (await conn.execute(f"SELECT count(*) AS count FROM {table}")).fetchone()
        assert row is not None
        return int(row["count"])


async def test_the_next_word_finds_what_the_readings_add_up_to(pool: Pool, ownership: commits.Ownership, say: Any) -> None:
    async with PostgresStore(pool).transaction() as tx:
        await tx.write(two_of_an_hour(say), await tx.begin(ownership, [0]))
        assert await tx.high_water([1]) == {1: say.NOON_US + 60_000_000}


async def test_what_is_under_way_at_the_end_is_committed_with_the_rest(pool: Pool, ownership: Any, say: Any) -> None:
    async with PostgresStore(pool).transaction() as tx:
        await tx.write(two_of_an_hour(say), await tx.begin(ownership, [0]))
    assert [await counted(pool, table) for table in ("reading_vessel", "reading_hour", "reading_day")] == [2, 1, 1]


async def test_its_failure_at_the_end_is_raised_and_nothing_is_committed(
    pool: Pool, ownership: Any, say: Any, database_url: str
) -> None:
    with psycopg.connect(database_url) as owner:
        owner.execute(REFUSES_TWO)
    with pytest.raises(errors.CheckViolation):
        async with PostgresStore(pool).transaction() as tx:
            await tx.write(two_of_an_hour(say), await tx.begin(ownership, [0]))
    assert [await counted(pool, table) for table in ("reading_vessel", "commits")] == [0, 0]


async def test_its_failure_is_raised_by_the_next_word_as_what_it_is(
    pool: Pool, ownership: Any, say: Any, database_url: str
) -> None:
    with psycopg.connect(database_url) as owner:
        owner.execute(REFUSES_TWO)
    async with PostgresStore(pool).transaction() as tx:
        await tx.write(two_of_an_hour(say), await tx.begin(ownership, [0]))
        with pytest.raises(errors.CheckViolation):
            await tx.registry_version()


async def test_leaving_by_an_exception_takes_it_back_and_leaves_the_connection_fit(pool: Pool, ownership: Any, say: Any) -> None:
    store = PostgresStore(pool)

    async def leave() -> None:
        async with store.transaction() as tx:
            await tx.write(two_of_an_hour(say), await tx.begin(ownership, [0]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await leave()
    assert await counted(pool, "reading_hour") == 0
    async with store.transaction() as tx:
        await tx.write(two_of_an_hour(say), await tx.begin(ownership, [0]))
    assert await counted(pool, "reading_hour") == 1
