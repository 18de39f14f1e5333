"""A commit that failed, a commit whose reply was lost, and numbers that somebody else took in between."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import psycopg
import pytest

from ingest.rederive import rederive_due
from store import commits, counts
from store.pool import Connection
from tests.fix_bench import SHIP, Bench, at, sailing

Meanwhile = Callable[[Connection], Awaitable[None]]


def break_first_commit(bench: Bench, monkeypatch: pytest.MonkeyPatch, meanwhile: Meanwhile | None = None) -> list[str]:
    """The connection of the next numbered transaction breaks before its commit; then something happens. Says what did."""
    real, said = bench.pool.connection, list[str]()

    @contextlib.asynccontextmanager
    async def connection(*arguments: Any) -> AsyncIterator[Connection]:
        async with real(*arguments) as conn:
            yield conn
            row = await (await conn.execute("SELECT count(*) FROM commits WHERE xmin = pg_current_xact_id()::xid")).fetchone()
            if said or not row or not row["count"]:
                return
            await conn.rollback()
            said.append("broken")
        async with real(*arguments) as conn:
            if meanwhile is not None:
                await meanwhile(conn)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(bench.pool, "connection", connection)
    return said


async def held(bench: Bench) -> tuple[int, int, bool]:
    """Readings in the table, received by the counts, and whether the books balance."""
    async with bench.pool.connection() as conn:
        balances = await counts.reconcile(conn)
    readings = await bench.rows("SELECT count(*) FROM reading_vessel")
    return readings[0]["count"], sum(balance.received for balance in balances), all(one.is_balanced for one in balances)


async def test_a_batch_whose_commit_failed_is_committed_by_the_next_attempt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second attempt takes the numbers that the first gave back, and must not take its own rows for the first's."""
    said = break_first_commit(bench, monkeypatch)
    outcome = await bench.send((SHIP, [sailing(0), sailing(100)]))
    assert (said, outcome.attempts) == (["broken"], 2)
    assert await held(bench) == (2, 2, True)


async def test_a_persons_change_with_the_number_of_a_failed_commit_is_not_taken_for_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody acknowledges an alert of the same asset between two attempts, and gets the number that the first gave back."""
    asset_id = (await bench.rows("SELECT asset_id::text FROM asset WHERE name = 'Anna'"))[0]["asset_id"]

    async def change(conn: Connection) -> None:
        await commits.begin_for(conn, asset_id)

    break_first_commit(bench, monkeypatch, change)
    await bench.send((SHIP, [sailing(0), sailing(100)]))
    assert await held(bench) == (2, 2, True)


async def test_a_replaced_worker_does_not_take_its_successors_commit_for_its_own(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def replace(conn: Connection) -> None:
        ownership = await commits.claim(conn, range(64), "successor")
        await commits.begin(conn, ownership, range(64))

    break_first_commit(bench, monkeypatch, replace)
    with pytest.raises(commits.Fenced):
        await bench.send((SHIP, [sailing(0)]))


async def test_a_derivation_whose_commit_failed_is_committed_by_the_next_attempt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.send((SHIP, [sailing(0), sailing(600)]))
    await bench.send((SHIP, [at(300, lat_deg=3.0, lon_deg=5.0, sog_kn=12.0, cog_deg=0.0)]))
    said = break_first_commit(bench, monkeypatch)
    assert len(await rederive_due(bench.pipeline, 0)) == 1
    assert said == ["broken"]
    assert await bench.rows("SELECT 1 FROM dirty") == []
    assert [row["rule"] for row in await bench.rows("SELECT rule FROM finding")] == ["position_jump"]
