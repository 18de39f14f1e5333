"""Late readings: an asset's findings derived again from the checkpoint before the earliest of them (design 5.7).

The stored readings are stepped anew, from the last state that none of the late ones could have touched; what comes out is laid
beside what is stored, and the differences are written as revisions: changed, new or retracted, never edited. Runs between two
batches of the pipeline, as a numbered transaction of its own, so that nothing is stepped beside it.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import structlog

from detect.model import Finding
from detect.standing import standing
from fleet.reading import Reading
from ingest.alerting import raise_alerts, row_of
from ingest.echoes import echo_scenes
from ingest.judging import Judged, walk_asset
from ingest.loading import BEGINNING_US, checkpoint_row, pages_after, restored
from ingest.pipeline import AlreadyCommitted, Numbered, Pipeline, is_committed
from ingest.ports import Transaction
from ingest.watch import CHECKPOINT_SPAN_US, Checkpoint, Watched
from store.dirty import Dirty
from store.findings import FindingRevision
from store.rows import CheckpointRow, DirtyRow, FindingRow, StepBatch

log = structlog.get_logger(__name__)

ASSETS_PER_ROUND_MAX = 20
ROUND_S_MAX = 0.5  # after which no further asset is begun; chosen: live batches wait a second at the most


class Rederived(msgspec.Struct, frozen=True, kw_only=True):
    """What one asset's re-derivation came to: readings stepped again, revisions written (retractions), alerts opened."""

    asset_id: str
    readings: int = 0
    written: int = 0
    retracted: int = 0
    opened: Counter[str] = msgspec.field(default_factory=Counter)


class _Attempt(msgspec.Struct):
    """One derivation over its tries: the asset as it comes out, the numbers of the last try, whom it touched in any of them.

    `judged` is what the last try gave and was told.
    """

    watched: Watched | None = None
    judged: Judged = msgspec.field(default_factory=Judged)
    numbered: Numbered | None = None
    echoes: dict[str, DirtyRow] = {}
    result: Rederived | None = None


async def rederive_due(pipeline: Pipeline, quiet_us: int) -> list[Rederived]:
    """Derive again the assets that had no further late reading for `quiet_us`; at most `ASSETS_PER_ROUND_MAX` a call."""
    await echo_scenes(pipeline, quiet_us)
    due = await pipeline.patiently(lambda tx: tx.dirty_due(pipeline.config.shards, quiet_us, ASSETS_PER_ROUND_MAX))
    done: list[Rederived] = []
    began_s = pipeline.clock.monotonic_s()
    for entry in due:
        started_s = pipeline.clock.monotonic_s()
        if started_s - began_s > ROUND_S_MAX:
            break  # the others are still marked and come in the next round
        result = await _rederive(pipeline, entry)
        done.append(result)
        duration_ms = round((pipeline.clock.monotonic_s() - started_s) * 1000, 1)
        log.info("asset.rederived", **msgspec.structs.asdict(result), duration_ms=duration_ms)
    return done


async def _rederive(pipeline: Pipeline, entry: Dirty) -> Rederived:
    attempt = _Attempt()

    async def work(tx: Transaction) -> None:
        if await is_committed(tx, attempt.numbered):
            return
        await _derive_and_write(pipeline, tx, entry, attempt)

    with contextlib.suppress(AlreadyCommitted):
        await pipeline.patiently(work)
    if attempt.watched is not None:
        pipeline.watch.add(attempt.watched)
        if pipeline.config.is_part:
            pipeline.aside.note(pipeline.watch, attempt.judged)
    return attempt.result or Rederived(asset_id=entry.asset_id)


async def _derive_and_write(pipeline: Pipeline, tx: Transaction, entry: Dirty, attempt: _Attempt) -> None:
    earlier = attempt.numbered
    roster = await pipeline.roster(tx)
    if entry.asset_id not in roster.assets:
        await tx.clear_dirty(entry)
        return
    pipeline.contexts.begin(roster)
    before = await tx.checkpoint_before(entry.asset_id, entry.from_us)
    watched = restored(roster, entry.asset_id, None if before is None else before.state)
    until_us = await _ticked_until(pipeline, tx, watched)
    watched.aliases = (await tx.aliases_of([entry.asset_id])).get(entry.asset_id, {})
    since_us = watched.event_us if watched.last_key is not None else BEGINNING_US
    derived, judged, cuts, count = await _derive(pipeline, tx, watched, until_us)
    stored = [one for one in await tx.current_findings(entry.asset_id, since_us) if _in_question(one, since_us, derived, watched)]
    rows, renamed = differences(watched, derived.values(), [one.row for one in stored])
    attempt.echoes |= pipeline.echoes(watched.group)  # said once, however often this is tried
    judged.dirty |= attempt.echoes
    judged.dirty.pop(entry.asset_id, None)
    shards = {watched.shard} | {row.shard for row in judged.dirty.values()}
    attempt.numbered = await pipeline.number(tx, shards, earlier)
    numbers = attempt.numbered.commit_nos
    await tx.clear_dirty(entry)
    await tx.write_aliases(entry.asset_id, renamed)
    await tx.drop_checkpoints(entry.asset_id, entry.from_us)
    batch = StepBatch(findings=rows, checkpoints=cuts, contributions=judged.contributions, dirty=list(judged.dirty.values()))
    written = await tx.write(batch, numbers)
    await tx.write_scenes(pipeline.contexts.scenes, numbers)
    judged.scenes = pipeline.contexts.scenes
    attempt.judged = judged
    changed = [revision.row for revision in written.findings]
    raised = await raise_alerts(tx, changed, numbers, pipeline.clock.wall_us())
    watched.checkpoint_us, watched.checkpointed_at_s, watched.changed = watched.event_us, pipeline.clock.monotonic_s(), False
    attempt.watched = watched
    retracted = sum(row.retracted for row in changed)
    attempt.result = Rederived(
        asset_id=entry.asset_id, readings=count, written=len(changed), retracted=retracted, opened=raised.opened
    )


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


async def _derive(
    pipeline: Pipeline, tx: Transaction, watched: Watched, until_us: int | None
) -> tuple[dict[str, Finding], Judged, list[CheckpointRow], int]:
    """Step everything stored after the state: each episode's last form, contributions, checkpoints on the way, readings."""
    derived = {finding.id: finding for finding in standing(watched.state)}
    judged, cuts, count = Judged(again=True), dict[int, CheckpointRow](), 0
    async for page in pages_after(tx, watched):
        for part in _spans(page):
            emitted = await walk_asset(tx, watched, part, None, pipeline.contexts, judged)
            derived |= {finding.id: finding for finding in emitted}
            cuts[watched.event_us // CHECKPOINT_SPAN_US] = checkpoint_row(watched)
        count += len(page)
    emitted = await walk_asset(tx, watched, (), until_us, pipeline.contexts, judged)
    derived |= {finding.id: finding for finding in emitted}
    if watched.last_key is not None:
        cuts[watched.event_us // CHECKPOINT_SPAN_US] = checkpoint_row(watched)
    return derived, judged, list(cuts.values()), count


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
    """Whether a stored finding was decided by what is derived again; one decided and closed before is not."""
    row = stored.row
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
