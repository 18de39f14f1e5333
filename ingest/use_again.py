"""Use derived again from readings that came beyond the horizon: rules are not judged again for them, use is (design 5.7).

A machine's memory is kept at the start of each week for as long as readings are. From the last one before the late reading the
stored readings are stepped through the machine alone, page by page over several rounds, until the machine remembers at the start
of a later week what is stored of it there: from then on nothing can differ. What was said on the way is laid beside what is
stored, and the differences are written as revisions. Where no week ends the way, it ends with the log, and the checkpoints it
passes take the machine's new memory over.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog

from detect.checkpoint import from_checkpoint
from detect.state import AssetState
from fleet.reading import Reading
from fleet.shards import shard_of
from fleet.use import Journey, Since, UseDay, UseMachine, UseState, undecided_since
from fleet.use_machines import MACHINES
from ingest.judging import WEEK_US, use_row
from ingest.loading import BEGINNING_US, END_US, checkpoint_row, restored, tail_row
from ingest.pipeline import Pipeline
from ingest.ports import Transaction
from ingest.priors import hour_of
from ingest.use_derivation import Passed, UseDerivation
from ingest.use_revisions import since_of, use_differences
from ingest.watch import Checkpoint, OrderKey, Watched, order_key
from store.dirty import Dirty
from store.rows import CheckpointRow, StepBatch, UseCheckpointRow, UseRow, UseTailRow
from store.uses import Key, key_of

log = structlog.get_logger(__name__)
READINGS_MAX = 5000  # stepped in one turn; chosen: some tens of milliseconds of stepping
ASSETS_MAX = 20  # under way at once; chosen: each is a memory and its facts


async def rederive_use_due(pipeline: Pipeline, quiet_us: int) -> int:
    """One turn for one asset whose use is to be derived again, if there is one; how many were finished.

    Between two batches, as `ingest.rederive.rederive_due` is. Raises what that raises.
    """
    waiting = pipeline.use_derivations
    due = await pipeline.patiently(lambda tx: tx.use_dirty_due(pipeline.config.shards, quiet_us, ASSETS_MAX))
    for entry in due:
        held = waiting.get(entry.asset_id)
        if held is not None and held.entry == entry:
            continue
        if held is not None or len(waiting) < ASSETS_MAX:
            waiting.pop(entry.asset_id, None)  # marked again: from the earlier of both instants
            begun = await pipeline.patiently(lambda tx, entry=entry: _begin(pipeline, tx, entry))  # type: ignore[misc]
            if begun is not None:
                waiting[entry.asset_id] = begun
    if not waiting:
        return 0
    asset_id = next(iter(waiting))
    if asset_id in pipeline.derivations:
        return 0  # its checkpoints are being written anew
    derivation = waiting.pop(asset_id)
    is_done, after = await pipeline.patiently(lambda tx: _turn(pipeline, tx, derivation))
    if after is None:
        return 0  # its checkpoints were written anew meanwhile: it is still marked, and begins again
    if not is_done:
        waiting[asset_id] = after  # behind the others
        return 0
    _take_over(pipeline, after)
    log.info("use.rederived", asset_id=asset_id, readings=after.readings, caught_up=after.caught_up_us is not None)
    return 1


async def _begin(pipeline: Pipeline, tx: Transaction, entry: Dirty) -> UseDerivation | None:
    """The machine as it was at the start of the week before the earliest late reading; None: the asset is gone."""
    roster = await pipeline.roster(tx)
    holding = roster.assets.get(entry.asset_id)
    machine = None if holding is None else MACHINES.get(holding.asset_class)
    if holding is None or machine is None:
        await pipeline.number(tx, {shard_of(entry.asset_id)}, None)
        await tx.clear_use_dirty(entry)
        return None
    before = await tx.use_checkpoint_before(entry.asset_id, entry.from_us)
    use = machine.state()
    if before is not None and before.version == machine.version:
        use = msgspec.msgpack.decode(before.state, type=machine.state_type)
    else:
        before = None
    since = undecided_since(machine, use)
    stored = await tx.use_checkpoints_after(entry.asset_id, entry.from_us)
    passed: list[Passed] = []
    cuts = await tx.checkpoints_from(entry.asset_id, entry.from_us)
    for cut in cuts:
        read = Checkpoint.read(cut.state)
        if read.last_key is not None and from_checkpoint(read.state) is not None:
            passed.append(Passed(read.last_key, restored(roster, entry.asset_id, cut.state)))
    return UseDerivation(
        entry=entry,
        holding=holding,
        use=use,
        from_us=BEGINNING_US if before is None else before.at_us,
        since=since,
        journeys=frozenset((entry.asset_id, fact.kind, fact.started_us) for fact in _journeys(machine, use)),
        stored={one.at_us: one for one in stored},
        cuts=frozenset((cut.time_us, cut.state) for cut in cuts),
        passed=passed,
    )


def _journeys(machine: UseMachine, use: UseState) -> list[Journey]:
    return [fact for fact in machine.standing(use) if isinstance(fact, Journey)]


async def _turn(pipeline: Pipeline, tx: Transaction, before: UseDerivation) -> tuple[bool, UseDerivation | None]:
    """Step a page further on a copy; at the end of the way write what differs, in a numbered transaction.

    Returns: whether the end was reached, and how far it is; None where the checkpoints on the way are no longer those it began
    with.
    """
    machine = MACHINES[before.holding.asset_class]
    after = msgspec.structs.replace(
        before,
        use=msgspec.msgpack.decode(msgspec.msgpack.encode(before.use), type=machine.state_type),
        facts=list(before.facts),
        weeks=list(before.weeks),
        passed=list(before.passed),
        renewed=list(before.renewed),
    )
    pipeline.contexts.begin(await pipeline.roster(tx))
    page = await tx.readings_of(
        before.entry.asset_id,
        before.holding.asset_class,
        before.from_us if before.last_key is None else before.last_key[0],
        END_US,
        after=before.last_key,
        limit=READINGS_MAX,
    )
    _step(pipeline, machine, after, [one.reading for one in page])
    if after.caught_up_us is None and len(page) == READINGS_MAX:
        return False, after
    _pass(after, None)
    stored = await tx.checkpoints_from(before.entry.asset_id, before.entry.from_us)
    if not before.cuts <= {(cut.time_us, cut.state) for cut in stored}:
        return False, None
    await _write(pipeline, tx, machine, after)
    return True, after


def _step(pipeline: Pipeline, machine: UseMachine, derivation: UseDerivation, readings: Sequence[Reading]) -> None:
    """Let the machine take readings in, until it remembers at the start of a week what is stored of it there."""
    holding = derivation.holding
    state = AssetState(asset_id=holding.asset_id, asset_class=holding.asset_class, memories={}, use=derivation.use)
    watched = Watched(
        asset_id=holding.asset_id,
        tenant=holding.tenant,
        asset_class=holding.asset_class,
        asset_type=holding.asset_type,
        state=state,
    )
    known = pipeline.watch.assets.get(holding.asset_id)
    watched.clock = "live" if known is None else known.clock
    for reading in readings:
        key = order_key(reading)
        if derivation.last_key is not None and key <= derivation.last_key:
            continue  # the same words over another stream
        if _week_begins(machine, derivation, reading.time_us):
            return
        _pass(derivation, key)
        context = pipeline.contexts.at_hour(watched, hour_of(reading.time_us))
        if context.use is not None:
            machine.at_reading(derivation.use, reading, context.use, state.facts)
        derivation.last_key = key
        derivation.readings += 1
        if state.facts:
            named = [msgspec.structs.replace(use_row(watched, fact), asset=reading.name) for fact in state.take_facts()]
            derivation.facts += named


def _week_begins(machine: UseMachine, derivation: UseDerivation, time_us: int) -> bool:
    """Note what the machine remembers before the first reading of another week; whether that is what is stored there."""
    at_us = time_us // WEEK_US * WEEK_US
    if derivation.last_key is None or derivation.last_key[0] >= at_us:
        return False
    cut, stored = msgspec.msgpack.encode(derivation.use), derivation.stored.get(at_us)
    if at_us > derivation.entry.from_us and stored is not None and (stored.version, stored.state) == (machine.version, cut):
        derivation.caught_up_us = at_us
        return True
    holding = derivation.holding
    derivation.weeks.append(
        UseCheckpointRow(
            asset_id=holding.asset_id, shard=shard_of(holding.asset_id), at_us=at_us, version=machine.version, state=cut
        )
    )
    return False


def _pass(derivation: UseDerivation, key: OrderKey | None) -> None:
    """Give the checkpoints that had gone no further than this the machine's new memory; all of them at the end of the log."""
    if derivation.caught_up_us is not None:
        return  # what lies behind remembers right
    while derivation.passed and (key is None or derivation.passed[0].last_key < key):
        watched = derivation.passed.pop(0).watched
        watched.state.use = msgspec.msgpack.decode(msgspec.msgpack.encode(derivation.use), type=type(derivation.use))
        derivation.renewed.append(checkpoint_row(watched))


async def _write(pipeline: Pipeline, tx: Transaction, machine: UseMachine, derivation: UseDerivation) -> None:
    """Lay what was said beside what is stored, write the difference and take the mark away, unless it is a newer one."""
    asset_id, shard = derivation.holding.asset_id, shard_of(derivation.holding.asset_id)
    numbered = await pipeline.number(tx, {shard}, None)
    stored = await tx.current_uses(asset_id, *(derivation.since or since_of(derivation.facts)))
    derived = derivation.facts
    if derivation.caught_up_us is not None:
        until = undecided_since(machine, derivation.use)
        later = frozenset((asset_id, fact.kind, fact.started_us) for fact in _journeys(machine, derivation.use))
        stored = [row for row in stored if _is_said(row, until, later)]
        derived = [row for row in derived if not isinstance(row.fact, Journey) or key_of(row) not in later]
    to_us = END_US if derivation.caught_up_us is None else derivation.caught_up_us - 1
    await tx.drop_use_checkpoints(asset_id, derivation.entry.from_us, to_us)
    batch = StepBatch(
        uses=use_differences(derived, derivation.journeys, stored, shard),
        use_checkpoints=derivation.weeks,
        checkpoints=derivation.renewed,
    )
    if derivation.caught_up_us is None:
        await tx.drop_checkpoints(asset_id, derivation.entry.from_us)  # one written since remembers what it was
        batch.checkpoints += _own_checkpoint(pipeline, derivation)
        if (tail := _tail(derivation)) is not None:
            batch.use_tails = [tail]
    await tx.write(batch, numbered.commit_nos)
    await tx.clear_use_dirty(derivation.entry)


def _is_said(row: UseRow, until: Since | None, later: frozenset[Key]) -> bool:
    """Whether a stored fact was said before the machine had caught up; what came after is the same by either way."""
    if until is None:
        return False
    key = key_of(row)
    if isinstance(row.fact, Journey):
        return key not in later and key[2] < until.journeys_us
    return key[2] < (until.days_us if isinstance(row.fact, UseDay) else until.activities_us)


def _tail(derivation: UseDerivation) -> UseTailRow | None:
    holding = derivation.holding
    state = AssetState(asset_id=holding.asset_id, asset_class=holding.asset_class, memories={}, use=derivation.use)
    watched = Watched(
        asset_id=holding.asset_id, tenant=holding.tenant, asset_class=holding.asset_class, asset_type=None, state=state
    )
    return tail_row(watched)


def _own_checkpoint(pipeline: Pipeline, derivation: UseDerivation) -> list[CheckpointRow]:
    """The asset in memory as it will go on, so that a restart begins there."""
    watched = pipeline.watch.assets.get(derivation.holding.asset_id)
    if watched is None or watched.last_key is None:
        return []
    held, watched.state.use = watched.state.use, derivation.use
    row = checkpoint_row(watched)
    watched.state.use = held  # until it is committed
    return [row]


def _take_over(pipeline: Pipeline, derivation: UseDerivation) -> None:
    """The asset in memory goes on with the new memory, if the way led to the end of the log."""
    watched = pipeline.watch.assets.get(derivation.holding.asset_id)
    if watched is not None and derivation.caught_up_us is None:
        watched.state.use = derivation.use
        watched.changed = True
