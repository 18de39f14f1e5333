"""The store as the ingester uses it: one transaction with everything that may be asked and written inside it.

Every word is a function of this room's modules with the connection filled in; what a word takes, gives and raises is said
there. The ingester knows the list as `ingest.ports.Transaction`, for which this is PostgreSQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from store import (
    alerts,
    aliases,
    batches,
    budgets,
    checkpoints,
    clocks,
    commits,
    desk,
    dirty,
    findings,
    identity_runs,
    incidents,
    leases,
    listening,
    live,
    notices,
    outbox,
    priors,
    pruning,
    readings,
    registry,
    scenes,
    sightings,
    statics,
    statuses,
    traffic,
    uses,
)
from store.pool import Connection, Pool
from store.rows import StepBatch

P = ParamSpec("P")
T = TypeVar("T")

WAIT_S = 2.0  # for a connection, then the database is said to be away; chosen: so that it is known in seconds


class _On(Generic[P, T]):
    """A function of a connection as a method of the transaction that holds it."""

    def __init__(self, function: Callable[Concatenate[Connection, P], Coroutine[Any, Any, T]]) -> None:
        self._function = function

    @overload
    def __get__(self, transaction: None, owner: object) -> Self: ...
    @overload
    def __get__(self, transaction: PostgresTransaction, owner: object) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, transaction: PostgresTransaction | None, owner: object) -> Self | Callable[P, Coroutine[Any, Any, T]]:
        return self if transaction is None else partial(transaction.run, self._function)


class PostgresTransaction:
    """One transaction of a connection of the worker's role.

    One statement may be under way whose answer nobody waits for. The next word waits for it, and hears of its failure.
    """

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self._under_way: asyncio.Task[None] | None = None

    async def run(self, function: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a function of the connection gives, when nothing is under way any more."""
        await self.settle()
        return await function(self.conn, *args, **kwargs)

    async def write(self, batch: StepBatch, commit_nos: Mapping[int, int]) -> batches.Written:
        """`batches.write`, back when the readings are stored and what they add up to is under way."""
        return await self.run(partial(batches.write, begin=self._begin), batch, commit_nos)

    async def settle(self) -> None:
        """Wait for what is under way; its failure is raised here."""
        if self._under_way is not None:
            under_way, self._under_way = self._under_way, None
            await under_way

    async def abandon(self) -> None:
        """End what is under way, whatever comes of it: the transaction is to be rolled back."""
        if self._under_way is not None:
            under_way, self._under_way = self._under_way, None
            under_way.cancel()
            await asyncio.gather(under_way, return_exceptions=True)

    async def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._under_way = asyncio.create_task(work)
        await asyncio.sleep(0)  # it runs now, up to where it waits for the server

    claim = _On(commits.claim)
    begin = _On(commits.begin)
    is_committed = _On(commits.is_committed)

    registry_version = _On(registry.version)
    load_registry = _On(registry.load)
    set_feed = _On(registry.set_feed)
    resolve_streams = _On(registry.resolve_streams)

    high_water = _On(readings.high_water)
    duplicates = _On(readings.duplicates)
    readings_of = _On(readings.of_asset)
    readings_beyond = _On(readings.beyond)
    fixes_at = _On(readings.fixes_at)
    newest_statics = _On(statics.newest)
    statics_after = _On(statics.after)
    last_identity_runs = _On(identity_runs.last)
    identity_reports = _On(identity_runs.reports_of)

    newest_checkpoints = _On(checkpoints.newest)
    checkpoint_before = _On(checkpoints.latest_before)
    checkpoints_from = _On(checkpoints.since)
    drop_checkpoints = _On(checkpoints.drop_from)
    wakes = _On(checkpoints.due)
    recording_clocks = _On(clocks.recordings)
    clocks_of = _On(clocks.of_assets)
    behind = _On(clocks.behind)

    contributions_of = _On(priors.of_group)
    offline_feeds = _On(statuses.offline_feeds)
    traffic_at = _On(traffic.fixes_at)
    has_traffic = _On(traffic.is_known)
    write_scenes = _On(scenes.write)
    scenes_at = _On(scenes.at)
    scenes_of_tenant = _On(scenes.of_tenant)
    newest_scenes = _On(scenes.newest)
    write_sightings = _On(sightings.write)
    replace_sightings = _On(sightings.replace)
    listened = _On(listening.during)
    extend_listening = _On(listening.extend)

    dirty_due = _On(dirty.due)
    begin_dirty = _On(dirty.begin)
    clear_dirty = _On(dirty.clear)
    narrow_dirty = _On(dirty.narrow)
    current_findings = _On(findings.current)
    aliases_of = _On(aliases.of_assets)
    write_aliases = _On(aliases.write)

    current_uses = _On(uses.current)
    use_checkpoint_before = _On(uses.checkpoint_before)
    use_checkpoints_after = _On(uses.checkpoints_after)
    drop_use_checkpoints = _On(uses.drop_checkpoints)
    use_dirty_due = _On(uses.due)
    clear_use_dirty = _On(uses.clear)

    open_alerts = _On(alerts.open_for)
    alerts_of = _On(alerts.by_id)
    write_alerts = _On(alerts.write)
    incidents_around = _On(incidents.around)
    members_around = _On(incidents.members)
    write_incidents = _On(incidents.write)
    assign_incidents = _On(incidents.assign)
    notices_about = _On(notices.about)
    held_by = _On(notices.held_by)
    over_budget = _On(notices.over_budget)
    write_notices = _On(notices.write)
    causes_of_holds = _On(notices.causes)
    origins_of = _On(notices.origins)
    hold_budget = _On(budgets.hold)
    fleet_of = _On(budgets.fleet)
    write_budget = _On(budgets.write)
    exposures_of = _On(budgets.exposures)
    lease_at = _On(leases.at)
    insert_events = _On(outbox.insert)
    insert_live = _On(live.insert)

    pending_replays = _On(desk.pending_replays)
    newest_rejection = _On(desk.newest_rejection)
    replayable = _On(desk.replayable)
    finish_replay = _On(desk.finish_replay)
    prune = _On(pruning.prune)


class PostgresStore:
    """Transactions on a pool's connections, one at a time each."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresTransaction]:
        """A transaction that is committed at the end of the block, or rolled back when an exception leaves it.

        Raises:
            store.faults.AWAY: no connection, or it was lost; after a lost reply the transaction may have been committed.
        """
        async with self._pool.connection(WAIT_S) as conn:
            transaction = PostgresTransaction(conn)
            try:
                yield transaction
                await transaction.settle()
            finally:
                await transaction.abandon()
