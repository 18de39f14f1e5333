"""Puts the demo's past into a database that nothing was committed to yet. All of it in one transaction, or none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from detect.step import initial_state
from fleet.shards import SHARDS, commit_no
from ingest.loading import checkpoint_row
from ingest.watch import Watched
from keelwing.area_files import demo_entries
from keelwing.portfolio import heard, stories
from keelwing.portfolio.billing import aircraft_rows, component_rows, components_of, particulars_of, ship_rows
from keelwing.portfolio.heard import Clock, months_before
from keelwing.portfolio.lives import DAY_S, Life
from keelwing.portfolio.paper import TENANT, Held, papers, party_names
from keelwing.portfolio.stories import story_of
from simulators.world import World
from store import areas, checkpoints, history, leases, registry
from store.pool import Connection, Pool

TABLES = (
    "asset", "identifier", "installation", "party_group", "lease_contract", "lease", "lease_party", "lease_event", "asset_event",
    "maintenance_event", "insurance", "territory_rule", "covenant", "return_condition", "off_hire", "utilization_report",
    "reserve_account", "reserve_rate", "reserve_entry", "life_limit",
)  # fmt: skip
"""In this order, so that what is referred to is there."""


class Loaded(NamedTuple):
    """How much was put in."""

    assets: int
    readings: int
    journeys: int
    days: int


def fleet_of(world: World, ids: dict[str, str], seed: int, history_h: float) -> list[Held]:
    """The lives of the tenant's assets, up to where the live fleet's own history begins. `ids` maps plan names to keys."""
    rounds = world.rounds()
    until_s = -history_h * 3600.0
    found = []
    for asset in world.assets():
        if asset.tenant == TENANT and asset.plan in rounds:
            story = story_of(asset, seed, world.start)
            life = Life(asset, rounds[asset.plan], -story.acquired_d * DAY_S, story.pauses, until_s)
            found.append(Held(ids[asset.plan], life, story))
    return found


async def load(pool: Pool, world: World, ids: dict[str, str], seed: int, say: Callable[[str], None]) -> Loaded | None:
    """Write ten years of the demo's fleet; None where something was committed already, and then nothing is written."""
    async with pool.connection() as conn:
        if not await history.is_untouched(conn):
            return None
        fleet = fleet_of(world, ids, seed, world.scenario.history_h)
        say(f"demo: writing ten years of {len(fleet)} assets")
        clock = Clock(world.start, months_before(world.start, stories.YEARS))
        await history.number(conn, clock.months)
        parties = {}
        for name, country in party_names().items():
            parties[name] = await registry.create_party(conn, TENANT, name)
            await history.seat_party(conn, parties[name], country)
        await areas.import_areas(conn, TENANT, demo_entries(), source="demo")
        await _write_papers(conn, fleet, parties, world.start, seed)
        loaded = await _write_heard(conn, fleet, clock)
        await _settle(conn, fleet, clock)
        for held in fleet:
            await leases.refresh_stage(conn, held.asset_id)
    return loaded


async def _write_papers(conn: Connection, fleet: list[Held], parties: dict[str, str], start: datetime, seed: int) -> None:
    rows = papers(fleet, parties, start, seed)
    components = components_of(fleet, start)
    component_rows(rows, components, {held.plan: held.asset_id for held in fleet}, start)
    for held in fleet:
        await history.describe(conn, held.asset_id, particulars_of(held, start))
        if held.life.asset.asset_class == "aircraft":
            aircraft_rows(rows, held, components, start, seed)
        else:
            ship_rows(rows, held, start)
    until = rows.pop("identifier_end", [])
    await history.end_identifiers(conn, until)
    for table in TABLES:
        await history.insert_rows(conn, table, rows.pop(table, []))
    if rows:
        raise RuntimeError(f"rows for no table: {', '.join(rows)}")


class _Texts(NamedTuple):
    """One asset's rows as text, made beside the database's work on the one before."""

    readings: str
    journeys: str
    days: str
    activities: str


def _texts(held: Held, stream_id: int, clock: Clock) -> _Texts:
    midnights_s = heard.midnights(held, clock.start)
    told_d = {days for one in held.story.tenancies for days in (one.delivered_d, one.ended_d, one.novated_d)}
    cuts_s = tuple(sorted(-days * DAY_S for days in told_d if days is not None))
    found = heard.day_sums(held, midnights_s)
    return _Texts(
        heard.readings(held, stream_id, clock), heard.journeys(held, clock), heard.days(held, clock, found, midnights_s),
        heard.activities(held, clock, midnights_s, cuts_s),
    )  # fmt: skip


async def _write_heard(conn: Connection, fleet: list[Held], clock: Clock) -> Loaded:
    keys = [(TENANT, "device", one.life.asset.asset_class, one.life.asset.scheme, one.life.asset.value) for one in fleet]
    streams = await registry.resolve_streams(conn, keys)
    counts = [0, 0, 0]
    coming = asyncio.create_task(asyncio.to_thread(_texts, fleet[0], streams[keys[0]], clock))
    for n, held in enumerate(fleet):
        texts = await coming
        if n + 1 < len(fleet):
            coming = asyncio.create_task(asyncio.to_thread(_texts, fleet[n + 1], streams[keys[n + 1]], clock))
        if held.life.asset.asset_class == "vessel":
            await history.copy_text(conn, "reading_vessel", heard.VESSEL, [texts.readings])
        else:
            await history.copy_text(conn, "reading_aircraft", heard.AIRCRAFT, [texts.readings])
        await history.insert_text(conn, "journey", heard.JOURNEY, [texts.journeys])
        await history.insert_text(conn, "use_day", heard.DAY, [texts.days])
        await history.insert_text(conn, "activity", heard.ACTIVITY, [texts.activities])
        counts = [a + text.count("\n") for a, text in zip(counts, texts[:3], strict=True)]
    await history.sum_up(conn)
    return Loaded(len(fleet), *counts)


async def _settle(conn: Connection, fleet: list[Held], clock: Clock) -> None:
    """A checkpoint of each asset at its last reading: the worker goes on from there and does not step the past."""
    rows = []
    for held in fleet:
        asset = held.life.asset
        last = await history.last_reading(conn, TENANT, f"{asset.scheme}:{asset.value}")
        if last is None:
            continue
        watched = Watched(
            asset_id=held.asset_id, tenant=TENANT, asset_class=asset.asset_class, asset_type=asset.type,
            state=initial_state(held.asset_id, asset.asset_class),
        )  # fmt: skip
        watched.last_key, watched.born_us = last, last[0]
        rows.append(checkpoint_row(watched))
    n = len(clock.months)
    await checkpoints.write(conn, rows, {shard: commit_no(shard, n) for shard in range(SHARDS)})
