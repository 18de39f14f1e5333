"""The store in memory answers as PostgreSQL does: transactions of simulated runs, played to a real server, word by word."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from ingest.ports import Transaction
from store import counts, registry
from store.dirty import Dirty
from store.pool import Connection, open_pool
from store.registry import Registry
from store.transaction import PostgresTransaction
from tests.simulation.faults import Faults
from tests.simulation.run import Run
from tests.simulation.tables import Words
from tests.simulation.world import FLEET, world

FAULTS = Faults(lost_reply=0.1, late_commit=0.1, failed_commit=0.1, crashes=2, duplicate=0.1, reorder=0.1, held_back=0.2)
SAME_SIZE = {
    "commits": "commit",
    "dirty": "dirty",
    "identity_run": "identity_run",
    "live_event": "live",
    "rejection": "rejection",
    "scene_context": "scene",
    "scene_mark": "scene_mark",
    "sighting": "sighting",
    "static_report": "static",
    "status_report": "status",
    "traffic": "traffic",
    "use_checkpoint": "use_checkpoint",
    "use_dirty": "use_dirty",
    "use_tail": "use_tail",
}
UNPLAYED = {"prune"}  # reads the server's own clock
Call = tuple[str, tuple[Any, ...], dict[str, Any], Any]


def test_every_word_of_the_port_is_there_with_the_same_arguments() -> None:
    words = {name: word for name, word in vars(Transaction).items() if inspect.isfunction(word) and not name.startswith("_")}
    for name, word in words.items():
        assert list(inspect.signature(word).parameters) == list(inspect.signature(getattr(Words, name)).parameters), name


class Server:
    """A real server that is asked what the tables in memory were asked."""

    def __init__(self) -> None:
        self.ownership: Any = None
        self.marked: dict[Dirty, Dirty] = {}

    async def play(self, conn: Connection, calls: list[Call]) -> None:
        """One transaction, each answer compared with that of the memory."""
        transaction = PostgresTransaction(conn)
        for word, arguments, named, said in calls:
            if word not in UNPLAYED:
                answer = await getattr(transaction, word)(*self._translated(word, arguments), **named)
                self._remember(word, said, answer)
                self._compare(word, arguments, said, answer)

    def _translated(self, word: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The same arguments with the server's own epochs and instants of marking."""
        if word == "begin":
            return (self.ownership, *arguments[1:])
        if word == "dirty_due":
            return (arguments[0], 0, 1000)
        if word in {"begin_dirty", "clear_dirty", "clear_use_dirty"}:
            return (self.marked.get(arguments[0], arguments[0]),)
        return arguments

    def _remember(self, word: str, said: Any, answer: Any) -> None:
        if word == "claim":
            self.ownership = answer
        if word == "dirty_due":
            by_id = {one.asset_id: one for one in answer}
            self.marked |= {one: by_id[one.asset_id] for one in said if one.asset_id in by_id}

    def _compare(self, word: str, arguments: tuple[Any, ...], said: Any, answer: Any) -> None:
        if word in {"claim", "registry_version"}:
            return  # epochs and versions only grow; by how much is not part of the port
        if word == "dirty_due":  # quiet is counted on each store's own clock
            assert {(one.asset_id, one.from_us) for one in said} <= {(one.asset_id, one.from_us) for one in answer}
            return
        assert plain(word, answer) == plain(word, said), f"{word}{arguments}"


def plain(word: str, answer: Any) -> Any:
    """An answer without what the port leaves open: the order of rows where none is promised, the registry's version."""
    if word == "current_uses":
        return [(type(one.fact).__name__, one.fact, one.retracted, one.journey_id) for one in answer]
    if word in {"fixes_at", "traffic_at", "behind"}:
        return sorted(answer, key=repr)
    if word == "load_registry":
        return (answer.tenants, answer.assets, answer.feeds, sorted(map(repr, answer.identifiers)))
    if word == "write":
        return (
            sorted(map(repr, answer.readings)),
            [(one.row, one.revision, one.commit_no) for one in answer.findings],
        )
    return answer


async def registered(conn: Connection) -> Registry:
    """The fleet of the simulated world in a real database."""
    await registry.create_tenant(conn, "demo", "Demo")
    await registry.set_feed(conn, "demo", "coast", "recording")
    for asset_class, name, scheme, value in FLEET:
        await registry.register_asset(conn, "demo", asset_class, name, None, [(scheme, value)])
    return await registry.load(conn)


async def rows(conn: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await (await conn.execute(query)).fetchall()]


@pytest.mark.parametrize("seed", [3, 8])
async def test_postgresql_gives_the_same_answers(database_url: str, seed: int) -> None:
    pool = await open_pool(database_url, "keelwing_worker", 2)
    async with pool.connection() as conn:
        known = await registered(conn)
    run = Run(seed, FAULTS, world(seed, FAULTS, known), recorded=True)
    await asyncio.to_thread(run.live)
    server = Server()
    for calls in run.database.calls or []:
        async with pool.connection() as conn:
            await server.play(conn, calls)
    async with pool.connection() as conn:
        await compare_tables(conn, run)
    await pool.close()


async def compare_tables(conn: Connection, run: Run) -> None:
    """Everything that was written lies there as it does in memory."""
    tables = run.tables
    assert all(balance.is_balanced for balance in await counts.reconcile(conn))
    hours = await rows(
        conn,
        "SELECT stream_id, hour, count, position_count, first_time, last_time, speed_count, speed_min_kn, speed_max_kn,"
        " speed_sum_ukn FROM reading_hour",
    )
    assert {(row[0], row[1]): row[2:] for row in hours} == tables.table("hour")
    names = ("received", "stored", "late", "duplicate", "rejected", "traffic")
    received = await rows(conn, f"SELECT tenant, origin, hour, {', '.join(names)} FROM ingest_count")
    assert {row[:3]: row[3:] for row in received} == {
        key: tuple(getattr(row, name) for name in names) for key, row in tables.table("count").items()
    }
    found = await rows(conn, "SELECT finding_id, revision, commit_no, retracted, superseded_by IS NULL FROM finding")
    newest = {held.row.finding_id: held.revision for held in tables.table("finding").values()}
    assert set(found) == {
        (held.row.finding_id, held.revision, held.commit_no, held.row.retracted, newest[held.row.finding_id] == held.revision)
        for held in tables.table("finding_revision").values()
    }
    flights = await rows(conn, "SELECT journey_id, revision, retracted, superseded_by IS NULL FROM journey")
    standing = {one.row.journey_id: one.revision for one in tables.table("journey").values()}
    assert set(flights) == {
        (journey_id, revision, row.retracted, standing[journey_id] == revision)
        for (journey_id, revision), row in tables.table("journey_revision").items()
    }
    for name in ("activity", "use_day"):
        assert await rows(conn, f"SELECT count(*) FROM {name} WHERE superseded_by IS NULL") == [(len(tables.table(name)),)]
    alerts = await rows(conn, "SELECT alert_id::text, revision, status, severity FROM alert")
    assert set(alerts) == {(one.alert_id, one.revision, one.status, one.severity) for one in tables.table("alert").values()}
    events = await rows(conn, "SELECT event_id FROM outbox")
    assert {row[0] for row in events} == tables.table("outbox").keys()
    for table, name in SAME_SIZE.items():
        assert await rows(conn, f"SELECT count(*) FROM {table}") == [(len(tables.table(name)),)], table
