"""States from the store: a checkpoint and the readings after it, stepped again. State is a cache, the readings are the log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import msgspec
import structlog

from detect.checkpoint import from_checkpoint
from detect.state import AssetState
from detect.step import initial_state
from fleet.reading import Reading
from ingest.contexts import Contexts
from ingest.judging import Judged, walk_asset
from ingest.ports import Transaction
from ingest.roster import Roster
from ingest.watch import Checkpoint, Watch, Watched, order_key
from store.rows import CheckpointRow

log = structlog.get_logger(__name__)

PAGE_READINGS_MAX = 20_000  # readings in memory at once while a state is rebuilt; chosen: two days of a ship every 10 s
BEGINNING_US = -(1 << 50)  # before every instant that a table can hold
END_US = 1 << 53


async def load(tx: Transaction, watch: Watch, contexts: Contexts, roster: Roster, asset_ids: Iterable[str]) -> None:
    """Bring assets under watch that are not yet: newest checkpoint, then every stored reading after it.

    Their findings were committed with those readings and are not told again. Assets that the roster does not know are left out.
    """
    wanted = [asset_id for asset_id in asset_ids if asset_id not in watch and asset_id in roster.assets]
    if not wanted:
        return
    newest = await tx.newest_checkpoints(wanted)
    origins = await tx.clocks_of(wanted)
    known = await tx.aliases_of(wanted)
    for asset_id in wanted:
        checkpoint = newest.get(asset_id)
        watched = restored(roster, asset_id, None if checkpoint is None else checkpoint.state)
        watched.clock = origins.get(asset_id, "live")
        watched.aliases = known.get(asset_id, {})
        async for page in pages_after(tx, watched):
            await walk_asset(tx, watched, page, None, contexts, Judged(again=True))
        watched.changed = False
        watch.add(watched)


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


async def pages_after(tx: Transaction, watched: Watched) -> AsyncIterator[list[Reading]]:
    """The stored readings of an asset that its state has not stepped, in canonical order, page by page."""
    skip = watched.last_key
    from_us = BEGINNING_US if skip is None else skip[0]
    after = None
    while True:
        page = await tx.readings_of(watched.asset_id, watched.asset_class, from_us, END_US, after=after, limit=PAGE_READINGS_MAX)
        fresh: list[Reading] = []
        for stored in page:  # the same words over another stream have the same key and are stepped once
            if skip is None or order_key(stored.reading) > skip:
                fresh.append(stored.reading)
                skip = order_key(stored.reading)
        if fresh:
            yield fresh
        if len(page) < PAGE_READINGS_MAX:
            return
        after = page[-1].key


def checkpoint_row(watched: Watched) -> CheckpointRow:
    """The checkpoint of an asset as it stands now."""
    return CheckpointRow(
        asset_id=watched.asset_id,
        shard=watched.shard,
        time_us=watched.event_us,
        wake_at_us=watched.state.wake_at_us,
        state=watched.cut(),
    )
