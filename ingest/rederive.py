"""Late readings: an asset's findings derived again from the checkpoint before the earliest of them (design 5.7).

The stored readings are stepped anew, from the last state that none of the late ones could have touched; what comes out is laid
beside what is stored, and the differences are written as revisions: changed, new or retracted, never edited. Runs between two
batches of the pipeline, in rounds of bounded time: a long log is stepped page by page over several rounds, and live batches are
committed between them. The turn that reaches the log's end does the rest in a numbered transaction of its own.
"""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

import msgspec
import structlog

from detect.model import Finding
from detect.standing import standing
from detect.step import RULES
from fleet.reading import Reading
from fleet.shards import shard_of
from fleet.use import Journey, undecided_since
from fleet.use_machines import MACHINES
from ingest.alerting import raise_alerts, row_of
from ingest.derivation import Derivation, Progress
from ingest.echoes import echo_scenes
from ingest.identities import judge_identities
from ingest.judging import use_row, walk_asset
from ingest.loading import BEGINNING_US, END_US, bring_reports, checkpoint_row, restored, tail_row, unstepped
from ingest.pipeline import AlreadyCommitted, Numbered, Pipeline, is_committed
from ingest.ports import Transaction
from ingest.priors import KEPT_US, Group
from ingest.roster import Holding, Roster
from ingest.use_again import rederive_use_due
from ingest.use_revisions import since_of, use_differences
from ingest.watch import CHECKPOINT_SPAN_US, Checkpoint, Watched
from store.dirty import Dirty
from store.findings import FindingRevision
from store.rows import DirtyRow, FindingRow, StepBatch, UseRow
from store.uses import key_of

log = structlog.get_logger(__name__)

ASSETS_PER_ROUND_MAX = 20  # also under way at once; chosen: each is a state, its findings and its checkpoints in memory
ROUND_S_MAX = 0.2  # after which no further turn is begun; chosen: as long as a live reading may wait without anybody noticing
TURNS_MIN = 2  # in a round, so that one under way and a new one have theirs however slow the machine is
DERIVED = frozenset(rule.name for rule in RULES)  # of others' findings nothing is said by readings
PAGE_READINGS_MAX = 500  # stepped in one turn; chosen: some tens of milliseconds of work


class Rederived(msgspec.Struct, frozen=True, kw_only=True):
    """What one asset's re-derivation came to: readings stepped again, revisions written (retractions), alerts opened."""

    asset_id: str
    readings: int = 0
    written: int = 0
    retracted: int = 0
    opened: Counter[str] = msgspec.field(default_factory=Counter)


class _Turn(msgspec.Struct):
    """One turn over its tries: what the last try came to and the numbers it took; a `result` says that it was the last turn."""

    progress: Progress | None = None
    numbered: Numbered | None = None
    result: Rederived | None = None


async def rederive_due(pipeline: Pipeline, quiet_us: int) -> list[Rederived]:
    """A round: derive again the assets that had no further late reading for `quiet_us`; `ROUND_S_MAX` long, or `TURNS_MIN` turns.

    What is not done by then waits in `pipeline.derivations` for the next round. One turn goes to use beyond the horizon. Those
    under way and new ones take turns, a page of readings each, so that neither keeps the other waiting.

    Returns: the assets that were done.

    Raises:
        store.commits.Fenced: another worker owns the asset's shard now.
        TimeoutError: the database stayed away too long.
    """
    await echo_scenes(pipeline, quiet_us)
    due = await pipeline.patiently(lambda tx: tx.dirty_due(pipeline.config.shards, quiet_us, ASSETS_PER_ROUND_MAX))
    begun = [Derivation(entry=entry) for entry in due if entry.asset_id not in pipeline.derivations]
    pairs = zip_longest([*pipeline.derivations.values()], begun)
    waiting = deque(one for pair in pairs for one in pair if one is not None)
    done: list[Rederived] = []
    turns, began_s = 0, pipeline.clock.monotonic_s()
    while waiting and (turns < TURNS_MIN or pipeline.clock.monotonic_s() - began_s <= ROUND_S_MAX):
        derivation = waiting.popleft()
        asset_id = derivation.entry.asset_id
        if asset_id not in pipeline.derivations and len(pipeline.derivations) >= ASSETS_PER_ROUND_MAX:
            continue  # it is still marked
        turns += 1
        result = await _take_turn(pipeline, derivation)
        pipeline.derivations.pop(asset_id, None)
        if result is None:
            pipeline.derivations[asset_id] = derivation  # behind the others
            waiting.append(derivation)
            continue
        done.append(result)
        duration_ms = round(derivation.worked_s * 1000, 1)
        log.info("asset.rederived", **msgspec.structs.asdict(result), turns=derivation.turns, duration_ms=duration_ms)
    for derivation in pipeline.derivations.values():
        await _lay_aside(pipeline, derivation)
    await rederive_use_due(pipeline, quiet_us)
    return done


async def _lay_aside(pipeline: Pipeline, derivation: Derivation) -> None:
    """Before batches are committed: keep what they mark apart, else the whole way would have to be gone again for it."""
    derivation.told = 0 if derivation.progress is None else len(derivation.progress.judged.scenes)
    if derivation.is_apart:
        return

    async def work(tx: Transaction) -> None:
        await pipeline.number(tx, {shard_of(derivation.entry.asset_id)}, None)  # only an owner may
        derivation.is_apart = await tx.begin_dirty(derivation.entry)

    await pipeline.patiently(work)


async def _take_turn(pipeline: Pipeline, derivation: Derivation) -> Rederived | None:
    """Step a page further; what all of it came to, if the log's end was reached."""
    started_s = pipeline.clock.monotonic_s()
    turn = _Turn()

    async def work(tx: Transaction) -> None:
        if await is_committed(tx, turn.numbered):
            return
        await _try_turn(pipeline, tx, derivation, turn)

    with contextlib.suppress(AlreadyCommitted):
        await pipeline.patiently(work)
    derivation.turns += 1
    derivation.worked_s += pipeline.clock.monotonic_s() - started_s
    derivation.progress = turn.progress
    if turn.result is None or turn.progress is None:
        return turn.result
    watched, judged = turn.progress.watched, turn.progress.judged
    pipeline.watch.add(watched)
    if pipeline.config.is_part:
        pipeline.aside.note(pipeline.watch, judged)
    return turn.result


async def _try_turn(pipeline: Pipeline, tx: Transaction, derivation: Derivation, turn: _Turn) -> None:
    entry, before = derivation.entry, derivation.progress
    roster = await pipeline.roster(tx)
    holding = roster.assets.get(entry.asset_id)
    if holding is None:
        if before is not None:
            derivation.give_back(pipeline.book, before.watched.group)
        await tx.clear_dirty(entry)
        turn.progress, turn.result = None, Rederived(asset_id=entry.asset_id)
        return
    pipeline.contexts.begin(roster)
    if before is not None and before.holding != holding:
        derivation.give_back(pipeline.book, before.watched.group)
        before, derivation.changed_us = None, None  # another type, say: from the beginning
    if before is None:
        progress = await _from_checkpoint(tx, roster, holding, entry)
    else:
        progress = before.copied(roster)
    watched = progress.watched
    await bring_reports(tx, [watched])
    until_us = await _ticked_until(pipeline, tx, watched)
    with _changes_apart(pipeline, derivation, watched.group):
        is_end = await _step_page(pipeline, tx, progress)
        if is_end:
            await _step(pipeline, tx, progress, (), until_us)
            if derivation.turns:
                _share_again(pipeline, progress)
    progress.judged.scenes += pipeline.contexts.scenes
    result = await _write(pipeline, tx, derivation, progress, turn) if is_end else None
    turn.progress, turn.result = progress, result


def _share_again(pipeline: Pipeline, progress: Progress) -> None:
    """Say the shares of earlier turns once more: a state that was loaded between them may have put its own in their place."""
    last = {row.hour_us: row for row in progress.judged.contributions}
    kept_us = max(last, default=0) - KEPT_US
    for hour_us, row in last.items():
        if hour_us >= kept_us:
            pipeline.book.hear(progress.watched.group, row.contribution)


async def _from_checkpoint(tx: Transaction, roster: Roster, holding: Holding, entry: Dirty) -> Progress:
    """The asset as it was before the earliest late reading."""
    before = await tx.checkpoint_before(entry.asset_id, entry.from_us)
    watched = restored(roster, entry.asset_id, None if before is None else before.state)
    machine, use = MACHINES.get(watched.asset_class), watched.state.use
    under_way = [] if machine is None or use is None else [one for one in machine.standing(use) if isinstance(one, Journey)]
    return Progress(
        holding=holding,
        watched=watched,
        since_us=watched.event_us if watched.last_key is not None else BEGINNING_US,
        derived={finding.id: finding for finding in standing(watched.state)},
        use_since=None if machine is None or use is None else undecided_since(machine, use),
        journeys=frozenset(key_of(use_row(watched, journey)) for journey in under_way),
    )


@contextlib.contextmanager
def _changes_apart(pipeline: Pipeline, derivation: Derivation, group: Group) -> Iterator[None]:
    """Keep what stepping changes in priors with the derivation: a batch between two turns would mark the asset itself for it."""
    held_us = pipeline.book.changed.pop(group, None)
    try:
        yield
    finally:
        derivation.absorb(pipeline.book, group)
        if held_us is not None:
            pipeline.book.changed[group] = held_us


async def _step_page(pipeline: Pipeline, tx: Transaction, progress: Progress) -> bool:
    """Step the next readings of the log, as many as a page holds; whether they were the last."""
    watched, after = progress.watched, progress.watched.last_key
    from_us = BEGINNING_US if after is None else after[0]
    page = await tx.readings_of(watched.asset_id, watched.asset_class, from_us, END_US, after=after, limit=PAGE_READINGS_MAX)
    for part in _spans(unstepped(watched, page)):
        await _step(pipeline, tx, progress, part, None)
        progress.readings += len(part)
    return len(page) < PAGE_READINGS_MAX


async def _step(
    pipeline: Pipeline, tx: Transaction, progress: Progress, readings: Sequence[Reading], until_us: int | None
) -> None:
    """Step readings or ticks: each episode's last form, contributions, a checkpoint."""
    watched = progress.watched
    emitted = await walk_asset(tx, watched, readings, until_us, pipeline.contexts, progress.judged)
    progress.derived |= {finding.id: finding for finding in emitted}
    if watched.last_key is not None:
        progress.cuts[watched.event_us // CHECKPOINT_SPAN_US] = checkpoint_row(watched)


async def _write(pipeline: Pipeline, tx: Transaction, derivation: Derivation, progress: Progress, turn: _Turn) -> Rederived:
    """Lay what was derived beside what is stored, write the difference and take the mark away, unless it is a newer one."""
    entry, watched, judged, since_us = derivation.entry, progress.watched, progress.judged, progress.since_us
    derived = progress.derived
    watched.aliases = (await tx.aliases_of([entry.asset_id])).get(entry.asset_id, {})
    stored = [one for one in await tx.current_findings(entry.asset_id, since_us) if _in_question(one, since_us, derived, watched)]
    rows, renamed = differences(watched, derived.values(), [one.row for one in stored])
    derivation.absorb(pipeline.book, watched.group)
    derivation.give_back(pipeline.book, watched.group)
    judged.dirty = {asset_id: row for asset_id, row in pipeline.echoes(watched.group).items() if asset_id != entry.asset_id}
    turn.numbered = await pipeline.number(tx, {watched.shard} | {row.shard for row in judged.dirty.values()}, turn.numbered)
    numbers = turn.numbered.commit_nos
    if not await tx.clear_dirty(entry) and derivation.is_apart:
        await tx.narrow_dirty(entry.asset_id)
    await tx.write_aliases(entry.asset_id, renamed)
    await tx.drop_checkpoints(entry.asset_id, entry.from_us)
    await tx.drop_use_checkpoints(entry.asset_id, entry.from_us, END_US)
    tail = tail_row(watched)
    batch = StepBatch(
        findings=rows,
        checkpoints=list(progress.cuts.values()),
        contributions=judged.contributions,
        dirty=list(judged.dirty.values()),
        uses=await _use_rows(tx, progress),
        use_tails=[] if tail is None else [tail],
        use_checkpoints=judged.use_checkpoints,
    )
    written = await tx.write(batch, numbers)
    await tx.write_scenes(judged.scenes, numbers)
    await tx.replace_sightings(entry.asset_id, since_us, judged.sightings, numbers)
    # Batches committed since the earlier rounds may hold readings that their scenes did not see.
    otherwise = await pipeline.contexts.told_otherwise(tx, watched, judged.scenes[: derivation.told])
    if otherwise:
        again = DirtyRow(asset_id=entry.asset_id, shard=watched.shard, from_us=min(row.at_us for row in otherwise))
        await tx.write(StepBatch(dirty=[again]), numbers)
    changed = [revision.row for revision in written.findings]
    raised = await raise_alerts(tx, changed, numbers, pipeline.clock.wall_us())
    await judge_identities(tx, await pipeline.roster(tx), [entry.asset_id], numbers, pipeline.clock.wall_us())
    watched.checkpoint_us, watched.checkpointed_at_s, watched.changed = watched.event_us, pipeline.clock.monotonic_s(), False
    return Rederived(
        asset_id=entry.asset_id,
        readings=progress.readings,
        written=len(changed),
        retracted=sum(row.retracted for row in changed),
        opened=raised.opened,
    )


async def _use_rows(tx: Transaction, progress: Progress) -> list[UseRow]:
    """What of the asset's use is to be written, so that what is stored is what was derived."""
    derived = progress.judged.uses
    since = progress.use_since or since_of(derived)
    stored = await tx.current_uses(progress.watched.asset_id, *since)
    return use_differences(derived, progress.journeys, stored, progress.watched.shard)


async def _ticked_until(pipeline: Pipeline, tx: Transaction, watched: Watched) -> int | None:
    """Set the asset's clock, and say before which instant its ticks are due: at least those that fired already.

    After a restart the live frontier is not known before the first probe has come back, nor a recording's clock before its next
    reading; a silence that was found before must not end for that.
    """
    known = pipeline.watch.assets.get(watched.asset_id)
    if known is not None:
        watched.clock, ticked_us = known.clock, known.ticked_us
    else:
        watched.clock = (await tx.clocks_of([watched.asset_id])).get(watched.asset_id, "live")
        newest = (await tx.newest_checkpoints([watched.asset_id])).get(watched.asset_id)
        ticked_us = 0 if newest is None else Checkpoint.read(newest.state).ticked_us
    clock_us = pipeline.clocks.get(watched.clock, 0)
    return max(clock_us, ticked_us + 1) if clock_us or ticked_us else None


def _spans(readings: Sequence[Reading]) -> Iterator[list[Reading]]:
    """Cut readings where a checkpoint is due, every 6 h of event time."""
    part: list[Reading] = []
    for reading in readings:
        if part and reading.time_us // CHECKPOINT_SPAN_US != part[0].time_us // CHECKPOINT_SPAN_US:
            yield part
            part = []
        part.append(reading)
    if part:
        yield part


def _in_question(stored: FindingRevision, since_us: int, derived: dict[str, Finding], watched: Watched) -> bool:
    """Whether a stored finding was decided by what is derived again; one decided and closed before, or by a calendar, is not."""
    row = stored.row
    if row.rule not in DERIVED or "encounter_id" in row.evidence or row.evidence.get("what") == "use":
        return False
    return row.detected_us > since_us or row.finding_id in {watched.stored_id(finding_id) for finding_id in derived}


def differences(
    watched: Watched, derived: Iterable[Finding], stored: Sequence[FindingRow]
) -> tuple[list[FindingRow], dict[str, str]]:
    """Rows that bring the stored findings to the derived ones, and the derived ids that live on under a stored one.

    A derived episode that overlaps a stored one of the same rule and subject keeps the stored id (design 4.2); a stored one that
    nothing stands for any more is retracted. Rows that say nothing new are left to the store to drop.
    """
    by_id = {row.finding_id: row for row in stored}
    derived = sorted(derived, key=lambda finding: (finding.opened_at_us, finding.id))
    renamed = _own_again(watched, {finding.id for finding in derived})
    claimed = {finding.id: renamed.get(finding.id, watched.stored_id(finding.id)) for finding in derived}
    unclaimed = {row_id: row for row_id, row in by_id.items() if row_id not in claimed.values()}
    rows: list[FindingRow] = []
    for finding in derived:
        stored_id = claimed[finding.id]
        if stored_id not in by_id:
            twin = next((row for row in unclaimed.values() if _overlaps(finding, row)), None)
            if twin is not None:
                stored_id = renamed[finding.id] = twin.finding_id
                del unclaimed[twin.finding_id]
        rows.append(row_of(finding, watched.tenant, stored_id))
    rows += [msgspec.structs.replace(row, retracted=True) for row in unclaimed.values()]
    watched.aliases = watched.aliases | renamed
    return rows, renamed


def _own_again(watched: Watched, derived_ids: set[str]) -> dict[str, str]:
    """Derived ids whose alias is derived now itself, or claimed by another: they go on under their own id."""
    own: dict[str, str] = {}
    claimed: set[str] = set()
    for derived_id in sorted(derived_ids):
        stored_id = watched.stored_id(derived_id)
        if stored_id != derived_id and (stored_id in derived_ids or stored_id in claimed):
            own[derived_id] = derived_id
        claimed.add(stored_id)
    return own


def _overlaps(finding: Finding, row: FindingRow) -> bool:
    if (finding.rule, finding.subject) != (row.rule, row.subject):
        return False
    end_us, row_end_us = finding.closed_at_us, row.closed_us
    return (row_end_us is None or finding.opened_at_us <= row_end_us) and (end_us is None or row.opened_us <= end_us)
