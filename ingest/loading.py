"""States from the store: a checkpoint and the readings after it, stepped again. State is a cache, the readings are the log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec
import structlog

from detect.checkpoint import from_checkpoint
from detect.state import AssetState
from detect.step import initial_state
from fleet.reading import Reading
from fleet.use import Activity
from fleet.use_machines import MACHINES
from ingest.contexts import Contexts
from ingest.judging import Judged, walk_asset
from ingest.ports import Transaction
from ingest.roster import Roster
from ingest.watch import Checkpoint, Watch, Watched, order_key
from store.readings import StoredReading
from store.rows import CheckpointRow, UseTailRow

log = structlog.get_logger(__name__)

PAGE_READINGS_MAX = 20_000  # readings in memory at once while a state is rebuilt; chosen: two days of a ship every 10 s
ASSETS_AT_ONCE = 500  # restored by one query; chosen: a batch of 2,000 readings brings about as many after a restart
BEGINNING_US = -(1 << 50)  # before every instant that a table can hold
END_US = 1 << 53


async def load(tx: Transaction, watch: Watch, contexts: Contexts, roster: Roster, asset_ids: Iterable[str]) -> None:
    """Bring assets under watch that are not yet: newest checkpoint, then every stored reading after it.

    Their findings were committed with those readings and are not told again. Assets that the roster does not know are left out.
    """
    held = watch.assets
    wanted = [asset_id for asset_id in asset_ids if asset_id not in held and asset_id in roster.assets]
    if not wanted:
        return
    newest = await tx.newest_checkpoints(wanted)
    origins = await tx.clocks_of(wanted)
    known = await tx.aliases_of(wanted)
    by_class: dict[str, list[Watched]] = defaultdict(list)
    for asset_id in wanted:
        checkpoint = newest.get(asset_id)
        watched = restored(roster, asset_id, None if checkpoint is None else checkpoint.state)
        watched.clock = origins.get(asset_id, "live")
        watched.aliases = known.get(asset_id, {})
        by_class[watched.asset_class].append(watched)
    for given in by_class.values():
        await bring_reports(tx, given)
        for first in range(0, len(given), ASSETS_AT_ONCE):
            some = given[first : first + ASSETS_AT_ONCE]
            async for watched, page in pages_together(tx, some):
                await walk_asset(tx, watched, page, None, contexts, Judged(again=True))
            for watched in some:  # one that was stepped has moved since its checkpoint: the next one spares the next start that
                watch.add(watched)


async def bring_reports(tx: Transaction, some: Sequence[Watched]) -> None:
    """Let the static reports that the states have not heard wait for the readings after them."""
    heard_us = {one.asset_id: BEGINNING_US if one.state.said is None else one.state.said.time_us for one in some}
    found = await tx.statics_after(heard_us)
    for watched in some:
        watched.reports = found.get(watched.asset_id, [])


def restored(roster: Roster, asset_id: str, cut: bytes | None) -> Watched:
    """An asset as its checkpoint has it, or as one of which nothing was heard (also when another schema wrote the bytes)."""
    holding = roster.assets[asset_id]
    checkpoint = None if cut is None else Checkpoint.read(cut)
    state = None if checkpoint is None else _state_of(asset_id, checkpoint.state)
    watched = Watched(
        asset_id=asset_id,
        tenant=holding.tenant,
        asset_class=holding.asset_class,
        asset_type=holding.asset_type,
        particulars=tuple(sorted(holding.particulars.items())),
        state=state or initial_state(asset_id, holding.asset_class),
    )
    if checkpoint is not None and state is not None:
        watched.last_key, watched.ticked_us = checkpoint.last_key, checkpoint.ticked_us
        watched.born_us = checkpoint.born_us
        watched.checkpoint_us = watched.event_us
    return watched


def _state_of(asset_id: str, cut: bytes) -> AssetState | None:
    """The state in a checkpoint; None when it cannot be read, because the readings are the log and can be stepped again."""
    try:
        return from_checkpoint(cut)
    except msgspec.ValidationError as error:
        log.warning("checkpoint.unreadable", asset_id=asset_id, error=str(error))
        return None


async def pages_together(tx: Transaction, some: Sequence[Watched]) -> AsyncIterator[tuple[Watched, list[Reading]]]:
    """The stored readings of assets of one class that their states have not stepped, each asset's in canonical order, in pages.

    One query for all of them, as most have few or none; an asset of which there are more than a page comes page by page. A
    page is to be stepped before the next is asked for.
    """
    found = await tx.readings_beyond(some[0].asset_class, {one.asset_id: one.last_key for one in some}, PAGE_READINGS_MAX)
    is_whole = sum(map(len, found.values())) < PAGE_READINGS_MAX
    cut_at = "" if is_whole else max(found)
    for watched in some:
        if is_whole or watched.asset_id < cut_at:
            if page := unstepped(watched, found.get(watched.asset_id, ())):
                yield watched, page
            continue
        async for page in pages_after(tx, watched):
            yield watched, page


async def pages_after(tx: Transaction, watched: Watched) -> AsyncIterator[list[Reading]]:
    """The stored readings of an asset that its state has not stepped, in canonical order, page by page."""
    from_us = BEGINNING_US if watched.last_key is None else watched.last_key[0]
    after = None
    while True:
        page = await tx.readings_of(watched.asset_id, watched.asset_class, from_us, END_US, after=after, limit=PAGE_READINGS_MAX)
        if fresh := unstepped(watched, page):
            yield fresh
        if len(page) < PAGE_READINGS_MAX:
            return
        after = page[-1].key


def unstepped(watched: Watched, page: Iterable[StoredReading]) -> list[Reading]:
    """Those beyond the state; the same words over another stream have the same key and are stepped once."""
    skip = watched.last_key
    fresh: list[Reading] = []
    for stored in page:
        if skip is None or order_key(stored.reading) > skip:
            fresh.append(stored.reading)
            skip = order_key(stored.reading)
    return fresh


def checkpoint_row(watched: Watched) -> CheckpointRow:
    """The checkpoint of an asset as it stands now."""
    return CheckpointRow(
        asset_id=watched.asset_id,
        shard=watched.shard,
        time_us=watched.event_us,
        wake_at_us=watched.state.wake_at_us,
        state=watched.cut(),
    )


def tail_row(watched: Watched) -> UseTailRow | None:
    """The asset's activity under way as it stands now; None where there is none."""
    machine = MACHINES.get(watched.asset_class)
    if machine is None or watched.state.use is None:
        return None
    held = next((fact for fact in machine.standing(watched.state.use) if isinstance(fact, Activity)), None)
    if held is None:
        return None
    return UseTailRow(tenant=watched.tenant, asset_id=watched.asset_id, shard=watched.shard, activity=held)
