"""Stepping: each asset's fresh readings and due ticks through `detect`, in event order, once a batch.

What was stepped cannot be unstepped, so this runs once however often the commit is tried; a failure half way makes the caller
forget the states. Knows `detect` and the contexts; the database is asked only for the scene of a tick.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import msgspec

from detect.drive import stride, walk
from detect.model import Finding
from detect.said import hear
from fleet.instants import DAY_US, HOUR_US
from fleet.reading import Reading
from fleet.use import Fact
from fleet.use_machines import MACHINES
from ingest.contexts import Contexts
from ingest.ports import Transaction
from ingest.priors import hour_of
from ingest.watch import RECENT_MAX, OrderKey, Watch, Watched, clock_name, order_key
from store.rows import ContributionRow, DirtyRow, SceneRow, SightingRow, UseCheckpointRow, UseRow

WEEK_US = (
    7 * DAY_US
)  # a use machine's memory is kept once a week; chosen: a few hundred bytes, and a week steps in a second or two
TURN_READINGS = 200  # readings stepped before others on the event loop have a turn; chosen: some milliseconds


class Judged(msgspec.Struct):
    """What stepping a batch gave: emissions in order, assets made dirty, late readings (by `id`), contributions, scenes, use.

    `sightings` is where assets were seen, for what compares them.
    `use_dirty` are assets whose readings came beyond the horizon: their use alone is derived again. `again` says that ticks may
    fire for a second time, `walked` counts readings since others had a turn.
    """

    findings: list[Finding] = []
    dirty: dict[str, DirtyRow] = {}
    late: set[int] = set()
    contributions: list[ContributionRow] = []
    scenes: list[SceneRow] = []
    sightings: list[SightingRow] = []
    uses: list[UseRow] = []
    use_checkpoints: list[UseCheckpointRow] = []
    use_dirty: dict[str, DirtyRow] = {}
    stepped: set[str] = set()
    asked: set[str] = set()
    again: bool = False
    ticked: set[str] = set()
    walked: int = 0


async def judge(
    tx: Transaction,
    watch: Watch,
    contexts: Contexts,
    fresh: dict[str, list[Reading]],
    until_us: dict[str, int],
    horizon_us: int,
    now_us: Callable[[Watched], int],
) -> Judged:
    """Step a batch.

    Args:
        tx: for scenes, inside the batch's transaction, after its readings were inserted.
        watch: holds every asset named in `fresh` and `until_us`.
        contexts: of this batch.
        fresh: new readings by asset, in any order.
        until_us: by asset, the instant before which its ticks are due.
        horizon_us: how late a reading may be and still be judged again.
        now_us: an asset's clock now, from which lateness is counted.
    """
    judged = Judged()
    assets = watch.assets
    # Hour by hour over all assets: an hour's prior is made of what every asset had learned before that hour.
    by_hour: dict[int, list[tuple[Watched, Sequence[Reading]]]] = {}
    for asset_id in sorted(fresh):
        watched = assets[asset_id]
        for hour_us, of_hour in by_hours(_in_time(judged, watched, fresh[asset_id], horizon_us, now_us)):
            by_hour.setdefault(hour_us, []).append((watched, of_hour))
    for hour_us in sorted(by_hour):
        for watched, of_hour in by_hour[hour_us]:
            judged.findings += await _walk_hour(tx, watched, hour_us, of_hour, contexts, judged)
    for asset_id, before_us in until_us.items():
        if asset_id in assets:
            judged.findings += await walk_asset(tx, assets[asset_id], (), before_us, contexts, judged)
    judged.scenes = contexts.scenes
    return judged


def by_hours(readings: Sequence[Reading]) -> Iterable[tuple[int, Sequence[Reading]]]:
    """Readings in order of time, cut at the hours of event time: the start of each hour and its readings."""
    if not readings:
        return ()
    first_us = hour_of(readings[0].time_us)
    if readings[-1].time_us < first_us + HOUR_US:
        return ((first_us, readings),)
    return [(hour_us, list(hour)) for hour_us, hour in groupby(readings, key=lambda reading: hour_of(reading.time_us))]


def _in_time(
    judged: Judged, watched: Watched, readings: list[Reading], horizon_us: int, now_us: Callable[[Watched], int]
) -> list[Reading]:
    """The readings that may be stepped, in canonical order; late ones mark their asset dirty, or beyond the horizon its use."""
    kept: list[Reading] = []
    last_key, ticked_us, kept_key = watched.last_key, watched.ticked_us, None
    keyed = [(order_key(reading), reading) for reading in readings]
    if len(keyed) > 1:
        keyed.sort(key=itemgetter(0))
    for key, reading in keyed:
        ahead = last_key is None or key > last_key
        if key == kept_key or (not ahead and key in watched.recent):
            continue  # the same words over another stream: stored there, judged once
        if ahead and key[0] > ticked_us:
            kept.append(reading)
            kept_key = key
            continue
        judged.late.add(id(reading))
        is_beyond = now_us(watched) - reading.time_us > horizon_us
        marks = judged.use_dirty if is_beyond else judged.dirty
        known = marks.get(watched.asset_id)
        from_us = reading.time_us if known is None else min(known.from_us, reading.time_us)
        marks[watched.asset_id] = DirtyRow(asset_id=watched.asset_id, shard=watched.shard, from_us=from_us)
    return kept


async def walk_asset(
    tx: Transaction,
    watched: Watched,
    readings: Sequence[Reading],
    until_us: int | None,
    contexts: Contexts,
    judged: Judged,
) -> list[Finding]:
    """Walk one asset over readings (cut at the hours of event time) and ticks; its findings in order.

    The store is asked for the scene of each tick. What the state gives to priors is taken at each hour's end into `judged`.
    """
    findings: list[Finding] = []
    for hour_us, of_hour in by_hours(readings):
        findings += await _walk_hour(tx, watched, hour_us, of_hour, contexts, judged)
    if until_us is not None:
        if watched.group not in contexts.book.loaded:
            await contexts.know_group(tx, watched.group)
        findings += await _walk_with_ticks(tx, watched, (), until_us, contexts, judged)
        watched.changed = True
        judged.stepped.add(watched.asset_id)
    return findings


async def _walk_hour(
    tx: Transaction, watched: Watched, hour_us: int, readings: Sequence[Reading], contexts: Contexts, judged: Judged
) -> list[Finding]:
    """Walk one asset over readings of the hour that starts at `hour_us`."""
    if watched.group not in contexts.book.loaded:
        await contexts.know_group(tx, watched.group)
    judged.walked += len(readings)
    if judged.walked >= TURN_READINGS:
        judged.walked = 0
        await asyncio.sleep(0)  # others may have a turn between
    if watched.last_key is not None and watched.last_key[0] < hour_us:
        _remember_week(watched, watched.last_key, hour_us, judged)
    context, findings = contexts.at_hour(watched, hour_us), []
    for part in told_first(watched, readings) if watched.reports else (readings,):
        stepped, found = stride(watched.state, part, context)
        findings += found
        if stepped < len(part):
            findings += await _walk_with_ticks(tx, watched, part[stepped:], None, contexts, judged)
        _note_walked(watched, part)
    contributions = contexts.book.take(watched, hour_us)
    if contributions:
        judged.contributions += contributions
    if watched.state.facts:
        judged.uses += [use_row(watched, fact) for fact in watched.state.take_facts()]
    if watched.state.sightings:
        _take_sightings(watched, judged)
    judged.stepped.add(watched.asset_id)
    return findings


def told_first(watched: Watched, readings: Sequence[Reading]) -> Iterator[Sequence[Reading]]:
    """Cut readings where a static report stands between them, and let the state hear it before those after it."""
    waiting = watched.reports
    while waiting and readings:
        cut = bisect_left(readings, waiting[0].time_us, key=lambda reading: reading.time_us)
        if cut:
            yield readings[:cut]
            readings = readings[cut:]
        if readings:
            hear(watched.state, waiting.pop(0))
    if readings:
        yield readings


def _take_sightings(watched: Watched, judged: Judged) -> None:
    """Take where the asset was seen since the last time, for the scene of its clock."""
    for sighting in watched.state.take_sightings():
        judged.sightings.append(
            SightingRow(
                tenant=watched.tenant,
                clock=clock_name(watched.clock),
                asset_id=watched.asset_id,
                key=watched.asset_id,
                shard=watched.shard,
                time_us=sighting.time_us,
                noted=msgspec.msgpack.encode(sighting),
            )
        )


def use_row(watched: Watched, fact: Fact) -> UseRow:
    """A fact as a row of its asset's tenant."""
    seen = watched.state.seen
    return UseRow(
        tenant=watched.tenant,
        asset_id=watched.asset_id,
        shard=watched.shard,
        asset="" if seen is None else seen.name,
        fact=fact,
    )


def _remember_week(watched: Watched, before: OrderKey, hour_us: int, judged: Judged) -> None:
    """Before the first reading of another week: keep what the machine remembers, for what comes beyond the horizon."""
    machine, at_us = MACHINES.get(watched.asset_class), hour_us // WEEK_US * WEEK_US
    if machine is None or before[0] >= at_us:
        return
    judged.use_checkpoints.append(
        UseCheckpointRow(
            asset_id=watched.asset_id,
            shard=watched.shard,
            at_us=at_us,
            version=machine.version,
            state=msgspec.msgpack.encode(watched.state.use),
        )
    )


def _note_walked(watched: Watched, readings: Sequence[Reading]) -> None:
    """The asset has come as far as the last of these readings."""
    watched.recent.extend(map(order_key, readings[-RECENT_MAX:]))
    watched.last_key = watched.recent[-1]
    watched.born_us = watched.born_us or readings[0].time_us
    watched.changed = True


async def _walk_with_ticks(
    tx: Transaction,
    watched: Watched,
    readings: Sequence[Reading],
    until_us: int | None,
    contexts: Contexts,
    judged: Judged,
) -> list[Finding]:
    steps = walk(watched.state, readings, until_us, contexts.at_reading(watched))
    try:
        tick_us = next(steps)
        while True:
            watched.ticked_us = max(watched.ticked_us, tick_us)
            judged.ticked.add(watched.asset_id)
            tick_us = steps.send(await contexts.at_tick(tx, watched, tick_us, again=judged.again))
    except StopIteration as end:
        findings: list[Finding] = end.value
        return findings
