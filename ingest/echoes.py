"""What late readings change for others: scenes that would be told otherwise now, looked at once for many batches.

A late reading may lie in a scene that was told at somebody's tick. To look at each such scene again costs a query, and a
device that sends three days of stored readings is late with every batch. So a batch only notes from when on a tenant's scenes
are in question; after a short quiet they are looked at together, and whoever was told something else is marked to be derived
again. What is noted is in memory alone: a new worker begins by looking at everything within the horizon.
"""

from __future__ import annotations

from fleet.instants import SECOND_US
from ingest.pipeline import Pipeline, mark
from ingest.ports import Transaction
from store.rows import DirtyRow, StepBatch


async def echo_scenes(pipeline: Pipeline, quiet_us: int) -> int:
    """Look at the scenes in question again and mark the assets that were told something else; how many were.

    To be called between two batches. A mark is idempotent, so a lost reply costs nothing.
    """
    marked = 0
    for tenant, from_us in pipeline.scene_echoes.due(pipeline.clock.monotonic_s(), quiet_us / SECOND_US):

        async def look(tx: Transaction, tenant: str = tenant, from_us: int = from_us) -> int:
            pipeline.contexts.begin(await pipeline.roster(tx))
            changed = await pipeline.contexts.changed_scenes(tx, tenant, from_us)
            marks: dict[str, DirtyRow] = {}
            for row in changed:
                mark(marks, DirtyRow(asset_id=row.asset_id, shard=row.shard, from_us=row.at_us))
            if marks:
                numbered = await pipeline.number(tx, {row.shard for row in marks.values()}, None)
                await tx.write(StepBatch(dirty=list(marks.values())), numbered.commit_nos)
            return len(marks)

        marked += await pipeline.patiently(look)
        pipeline.scene_echoes.done(tenant)
    return marked
