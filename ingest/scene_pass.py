"""The pass over scenes: what compares assets, judged for each tenant when a bucket of ten minutes is over.

Beside the worker's loop and over a connection of its own, in one process a tenant and never by shard: it reads what `step` noted
(`store.sightings`), lets `detect.scene_watch` judge bucket after bucket, and writes what is said as findings, alerts and events
in a numbered transaction, with its state. It owns no shard: it takes numbers under whoever owns them, as the daily pass does.
Late sightings mark the scene: it goes back to the hour before them, judges anew, and writes the differences as revisions.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import structlog

from detect.covenant import breach_of_encounter
from detect.encounter import NAME as ENCOUNTER
from detect.encounter import World, near_assets
from detect.model import Finding
from detect.scene_watch import SCHEMA_VERSION, SceneState, watch
from detect.sighting import BUCKET_US, Sighting, bucket_of
from fleet.instants import HOUR_US, MINUTE_US
from ingest.alerting import raise_alerts, row_of
from ingest.registering import roster_of
from ingest.roster import Roster
from ingest.scene_world import SceneWorld
from ingest.watch import Clock, clock_name
from store import commits, findings, registry, sightings, traffic
from store.faults import AWAY
from store.pool import Connection, Pool
from store.rows import FindingRow, SightingRow
from store.sightings import Cut, Scene
from store.transaction import PostgresTransaction

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 5.0  # chosen: a bucket of ten minutes may be judged some seconds after its end
REST_SHARE = 4.0  # rests so many times as long as it worked; chosen: a fifth of a connection's and a processor's time at most
TRAFFIC_AFTER_US = 4 * MINUTE_US  # chosen: a ship at anchor reports every three minutes (ITU-R M.1371-5 table 1)
BUCKETS_MAX = 36  # of a scene that only goes on, in one transaction; chosen: six hours after a long absence
Clocks = Callable[[], Mapping[Clock, int]]
Told = Callable[[Mapping[str, int]], None]
Failed = Callable[[], None]


class Said(msgspec.Struct, frozen=True, array_like=True):
    """A finding in its last form, the end of the bucket that said it, and the id under which it is stored."""

    at_us: int
    finding: Finding
    stored_id: str


class SceneMemory(msgspec.Struct, kw_only=True):
    """A scene between two passes: what `detect` remembers, what was said over the horizon, the hour in which it began.

    `traffic_us` is the last bucket in which traffic was looked at.
    """

    version: int = SCHEMA_VERSION
    state: SceneState = msgspec.field(default_factory=SceneState)
    said: dict[str, Said] = {}
    born_us: int = 0
    traffic_us: int = 0


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass over one scene came to: buckets judged, revisions written, whether it went back, alerts opened."""

    buckets: int = 0
    written: int = 0
    is_again: bool = False
    opened: Counter[str] = msgspec.field(default_factory=Counter)


class Known:
    """What passes remember between them: the roster, read again when the registry moved, and how far each scene's clock was."""

    def __init__(self) -> None:
        self._roster: Roster | None = None
        self._looked: dict[Scene, tuple[int, bool]] = {}

    def is_new(self, scene: Scene, until_us: int, *, marked: bool) -> bool:
        """Whether a scene has anything to do: a mark, another bucket, or the time in it to look at traffic."""
        return marked or self._looked.get(scene) != _look(until_us)

    def note(self, scene: Scene, until_us: int, passed: Passed) -> None:
        """A scene was judged up to an instant, or as far as one transaction goes."""
        if passed.buckets < BUCKETS_MAX:
            self._looked[scene] = _look(until_us)

    async def roster(self, conn: Connection) -> Roster:
        """The roster at the registry's present version."""
        if self._roster is None or self._roster.version != await registry.version(conn):
            self._roster = roster_of(await registry.load(conn))
        return self._roster


class Facts(NamedTuple):
    """What is on file beside the sightings: the world of a tenant, and whose leases say what."""

    world: World
    breaches: Callable[[Finding], list[Finding]]

    @classmethod
    def of(cls, roster: Roster, tenant: str) -> Facts:
        """The facts of a tenant at one version of the registry."""
        areas = roster.areas(tenant)

        def breaches(encounter: Finding) -> list[Finding]:
            docket = roster.docket(encounter.asset_id, encounter.opened_at_us // HOUR_US * HOUR_US)
            return breach_of_encounter(docket.covenants, encounter, areas)

        return cls(SceneWorld(roster.places(tenant)), breaches)


async def keep_scenes(pool: Pool, clocks: Clocks, horizon_us: int, told: Told, failed: Failed) -> None:
    """Judge every scene as its clock goes on, until cancelled; nothing while the database is away.

    Args:
        pool: of the worker's role.
        clocks: up to when everything was received, by clock.
        horizon_us: how far back a scene may be judged again.
        told: called with the alerts that were opened, by severity.
        failed: called for a pass that ended in a fault of ours, which is logged with its trace.
    """
    known = Known()
    while True:
        began_s = time.monotonic()
        try:
            for scene, passed in (await pass_over(pool, clocks(), horizon_us, known)).items():
                told(passed.opened)
                if passed.written or passed.is_again:
                    fields = msgspec.structs.asdict(passed) | {"opened": sum(passed.opened.values())}
                    log.info("scene.judged", tenant=scene[0], clock=scene[1], **fields)
        except AWAY as error:
            log.warning("scene.database_away", error=str(error)[:200])
        except Exception:  # what is wrong with a scene must not stop readings: tried again, and an alert rule tells of it
            log.exception("scene.failed")
            failed()
        await asyncio.sleep(max(LOOK_EVERY_S, REST_SHARE * (time.monotonic() - began_s)))


async def pass_over(pool: Pool, clocks: Mapping[Clock, int], horizon_us: int, known: Known | None = None) -> dict[Scene, Passed]:
    """One look at every scene; what each came to.

    Raises:
        store.faults.AWAY: the database is away; scenes that were committed stay.
    """
    until_us = {clock_name(clock): at_us for clock, at_us in clocks.items()}
    async with pool.connection() as conn:
        scenes = await sightings.scenes(conn)
    known = known or Known()
    wanted = [
        scene
        for scene, marked in scenes.items()
        if scene[1] in until_us and known.is_new(scene, until_us[scene[1]], marked=marked)
    ]
    done: dict[Scene, Passed] = {}
    for scene in wanted:
        async with pool.connection() as conn:
            if await sightings.hold(conn, scene):
                facts = Facts.of(await known.roster(conn), scene[0])
                done[scene] = await _pass(conn, scene, until_us[scene[1]], facts, horizon_us)
        if scene in done:
            known.note(scene, until_us[scene[1]], done[scene])
    return done


def _look(until_us: int) -> tuple[int, bool]:
    """The bucket of an instant, and whether it is time in it to look at traffic."""
    bucket_us = bucket_of(until_us)
    return bucket_us, until_us >= bucket_us + TRAFFIC_AFTER_US


async def _pass(conn: Connection, scene: Scene, until_us: int, facts: Facts, horizon_us: int) -> Passed:
    """Judge the buckets of one scene that are over, from the last state or from the one before what changed."""
    newest = await sightings.newest_cut(conn, scene)
    marked_us = await sightings.take_marks(conn, scene)
    before = None if newest is None else _memory(newest.state)
    memory, from_us = await _beginning(conn, scene, newest, before, marked_us)
    if memory is None:
        return Passed()
    is_again = newest is not None and (before is None or from_us < newest.at_us)
    if is_again:
        await sightings.drop_cuts(conn, scene, from_us)
    if before is None or from_us == memory.born_us:
        await _keep(conn, scene, memory, from_us, horizon_us)  # what changes in its first hour goes back to here
    limit_us = until_us if is_again else min(until_us, from_us + BUCKETS_MAX * BUCKET_US)
    at_us, buckets = await _judge_until(conn, scene, memory, (from_us, limit_us), facts, horizon_us)
    is_looked = await _note_traffic(conn, scene, memory, until_us)
    rows = _differences(scene[0], {} if before is None else before.said, memory, from_us)
    if buckets or is_again or is_looked:
        await _keep(conn, scene, memory, at_us, horizon_us)
    written, opened = await _write(conn, rows)
    return Passed(buckets=buckets, written=written, is_again=is_again, opened=opened)


async def _beginning(
    conn: Connection, scene: Scene, newest: Cut | None, before: SceneMemory | None, marked_us: int | None
) -> tuple[SceneMemory | None, int]:
    """The state to go on from, and the bucket that is next; None when there is nothing to go on from.

    What changed behind the kept states is judged from the oldest of them; what changed before the scene began, anew.
    """
    if newest is None or before is None:
        first_us = marked_us if newest is None else await sightings.next_time(conn, scene, 0)
        return (None, 0) if first_us is None else _born(first_us)
    if marked_us is None or bucket_of(marked_us) >= newest.at_us:
        return _memory(newest.state), newest.at_us
    if marked_us < before.born_us:
        return _born(marked_us)
    cut = await sightings.cut_before(conn, scene, bucket_of(marked_us)) or await sightings.oldest_cut(conn, scene)
    memory = None if cut is None else _memory(cut.state)
    if cut is None or memory is None:
        return _born(before.born_us)
    return memory, cut.at_us


def _born(first_us: int) -> tuple[SceneMemory, int]:
    """A scene that begins with the hour of an instant."""
    hour_us = first_us // HOUR_US * HOUR_US
    return SceneMemory(born_us=hour_us), hour_us


def _memory(state: bytes) -> SceneMemory | None:
    """A scene's memory of its bytes, None when another version wrote it: the scene is then judged anew."""
    plain = zlib.decompress(state)
    if msgspec.msgpack.decode(plain).get("version") != SCHEMA_VERSION:
        return None
    return msgspec.msgpack.decode(plain, type=SceneMemory)


async def _keep(conn: Connection, scene: Scene, memory: SceneMemory, at_us: int, horizon_us: int) -> None:
    """Write the state; what was said and closed before the horizon is forgotten, it is on record."""
    oldest_us = at_us - horizon_us
    memory.said = {
        one_id: said for one_id, said in memory.said.items() if said.at_us >= oldest_us or said.finding.closed_at_us is None
    }
    state = zlib.compress(msgspec.msgpack.encode(memory), 1)
    await sightings.write_cut(conn, scene, Cut(at_us, state), horizon_us)


async def _judge_until(
    conn: Connection, scene: Scene, memory: SceneMemory, span: tuple[int, int], facts: Facts, horizon_us: int
) -> tuple[int, int]:
    """Judge the buckets of [from, to) that are over, keeping a state an hour; the bucket that is next, and how many they were.

    Where nobody was seen and nothing is under way they are leapt over, as `detect.scene_watch.run` does.
    """
    at_us, limit_us = span
    buckets = 0
    while at_us + BUCKET_US <= limit_us:
        if memory.state.is_idle:
            next_us = await sightings.next_time(conn, scene, at_us)
            if next_us is None or bucket_of(next_us) + BUCKET_US > limit_us:
                break
            at_us = bucket_of(next_us)
        await _judge_bucket(conn, scene, memory, at_us, facts)
        at_us, buckets = at_us + BUCKET_US, buckets + 1
        if at_us % HOUR_US == 0:
            await _keep(conn, scene, memory, at_us, horizon_us)
    return at_us, buckets


async def _judge_bucket(conn: Connection, scene: Scene, memory: SceneMemory, start_us: int, facts: Facts) -> None:
    """One bucket, in a thread: of a whole fleet it takes a second, and batches go on meanwhile."""
    noted = await sightings.between(conn, scene, start_us, start_us + BUCKET_US)

    def judge() -> list[Finding]:
        decoder = msgspec.msgpack.Decoder(Sighting)
        found = watch(memory.state, start_us, [decoder.decode(one) for _, one in noted], facts.world)
        return found + [breach for one in found if one.rule == ENCOUNTER for breach in facts.breaches(one)]

    for finding in await asyncio.to_thread(judge):
        known = memory.said.get(finding.id)
        stored_id = finding.id if known is None else known.stored_id
        memory.said[finding.id] = Said(start_us + BUCKET_US, finding, stored_id)


# -- traffic -----------------------------------------------------------------------------------------------------------


async def _note_traffic(conn: Connection, scene: Scene, memory: SceneMemory, until_us: int) -> bool:
    """Once a bucket, note who of the traffic is near the tenant's ships; whether that was done now.

    Only its last fix is kept, so a second run must read what was seen then. Too few are seen rather than too many.
    """
    bucket_us = bucket_of(until_us)
    if memory.traffic_us == bucket_us or until_us < bucket_us + TRAFFIC_AFTER_US or not memory.state.encounter.ships:
        return False
    memory.traffic_us = bucket_us
    heard = await traffic.fixes_at(conn, scene[0], until_us, until_us - bucket_us)
    seen = [_seen(fix) for fix in heard if fix.asset_class == "vessel"]
    near = {one.name: one for one in near_assets(memory.state.encounter, sorted(seen, key=lambda one: one.time_us))}
    await sightings.note_traffic(conn, [_traffic_row(scene, one) for one in near.values()])
    return True


def _seen(fix: traffic.TrafficFix) -> Sighting:
    return Sighting(
        asset_id="",
        name=fix.name,
        asset_class=fix.asset_class,
        time_us=fix.time_us,
        lat_deg=fix.lat_deg,
        lon_deg=fix.lon_deg,
        speed_kn=fix.speed_kn,
        kind=fix.kind,
    )


def _traffic_row(scene: Scene, seen: Sighting) -> SightingRow:
    tenant, clock = scene
    noted = msgspec.msgpack.encode(seen)
    return SightingRow(tenant=tenant, clock=clock, asset_id="", key=seen.name, shard=0, time_us=seen.time_us, noted=noted)


# -- what is written ---------------------------------------------------------------------------------------------------


def _differences(tenant: str, before: Mapping[str, Said], memory: SceneMemory, from_us: int) -> list[FindingRow]:
    """Rows that bring what was said after an instant to what is said now; an episode whose beginning moved keeps its id."""
    gone = {one_id: said for one_id, said in before.items() if said.at_us > from_us and one_id not in memory.said}
    rows: list[FindingRow] = []
    for one_id in sorted(memory.said, key=lambda one_id: (memory.said[one_id].at_us, one_id)):
        said, held = memory.said[one_id], before.get(one_id)
        if held is None:
            twin = next((other for other, lost in sorted(gone.items()) if _overlaps(said.finding, lost.finding)), None)
            stored_id = said.stored_id if twin is None else gone.pop(twin).stored_id
        else:
            stored_id = held.stored_id
        memory.said[one_id] = Said(said.at_us, said.finding, stored_id)
        if held is None or held.finding != said.finding:
            rows.append(row_of(said.finding, tenant, stored_id))
    return rows + [row_of(said.finding, tenant, said.stored_id, retracted=True) for said in gone.values()]


def _overlaps(one: Finding, other: Finding) -> bool:
    if (one.asset_id, one.asset, one.rule, one.subject) != (other.asset_id, other.asset, other.rule, other.subject):
        return False
    return (other.closed_at_us is None or one.opened_at_us <= other.closed_at_us) and (
        one.closed_at_us is None or other.opened_at_us <= one.closed_at_us
    )


async def _write(conn: Connection, rows: Sequence[FindingRow]) -> tuple[int, Counter[str]]:
    """Write findings and what they do to alerts under numbers of their shards; how many revisions, and alerts opened."""
    if not rows:
        return 0, Counter()
    numbers = await commits.begin_unowned(conn, {row.shard for row in rows})
    revisions = await findings.write(conn, rows, numbers)
    raised = await raise_alerts(PostgresTransaction(conn), [one.row for one in revisions], numbers, time.time_ns() // 1000)
    return len(revisions), raised.opened
