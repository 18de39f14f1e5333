"""A reading's journey through one transaction: every wait of it, in order.

    decode → route → name streams → tell fresh from duplicate → load states → number → insert → judge → write → alerts → commit

One numbered transaction holds a batch; only when it is committed may its messages be acknowledged, rejected elements too.
Judging is done once a batch, the commit is tried until the database takes it (bounded, here and nowhere else). Arithmetic lives
elsewhere: `decode`, `routing`, `judging` and `detect`.
"""

from __future__ import annotations

import operator
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import islice

import msgspec
import structlog

from detect.model import Listening
from fleet.instants import HOUR_US
from fleet.reading import Reading
from fleet.shards import SHARDS, shard_of
from ingest.alerting import Raised, raise_alerts, rows_of
from ingest.contexts import Contexts
from ingest.decode import Decoded, Rejection
from ingest.derivation import Derivation
from ingest.elsewhere import Aside, Elsewhere
from ingest.freshness import Fresh, Freshness
from ingest.identities import Heard, Identities, judge_identities
from ingest.in_question import SceneEchoes
from ingest.judging import Judged, judge
from ingest.loading import END_US, checkpoint_row, load, tail_row
from ingest.patience import Patience
from ingest.ports import Clock, Store, Transaction
from ingest.priors import Group, PriorBook
from ingest.registering import roster_of
from ingest.roster import Roster
from ingest.routing import Message, Routed, route
from ingest.use_derivation import UseDerivation
from ingest.watch import Clock as AssetClock
from ingest.watch import Watch, Watched
from store import commits, faults
from store.rows import CountRow, DirtyRow, StepBatch, TrafficRow, UseTailRow

log = structlog.get_logger(__name__)
DRAIN_AT_ONCE = 2000  # checkpoints in one transaction at the end; chosen: half a second of work
KINDS_MAX = 200_000  # chosen: as much traffic as is kept
ASSETS_MAX = 1_000_000  # assets of one worker
FEED_ORIGIN = "feed:"  # what an origin that is a feed begins with
BIRTH_SPAN_US = 6 * HOUR_US  # chosen: a prior serves an asset's first hours; by then its models have rows of their own


class PipelineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the pipeline may be told. Durations carry their unit.

    `shards` are those it steps; an asset of another shard is stored and left to whoever steps it. `is_part` says that others
    do, at the same time: what they must hear of is then collected in `Pipeline.aside`.
    `retry_s_max`: how long one batch is offered to a database that is away before the worker gives up (nothing of it was
    acknowledged, so the broker keeps it).
    """

    owner: str = "worker"
    shards: tuple[int, ...] = tuple(range(SHARDS))
    horizon_us: int = 72 * HOUR_US
    checkpoint_age_max_s: float = 300.0
    retry_s_max: float = 6 * 3600.0
    is_part: bool = False


class AlreadyCommitted(Exception):  # noqa: N818  said as it is
    """An earlier attempt at this transaction was committed; leaves the transaction at hand to be rolled back."""


class Numbered(msgspec.Struct, frozen=True):
    """The commit numbers one attempt took, by shard, and the mark that tells it from every other (numbers are given again)."""

    commit_nos: dict[int, int]
    attempt: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One committed batch in figures, for the log and the metrics.

    `rejected_by` counts elements by reason, `found` emissions by rule, `opened` alerts by severity, `heard` elements by live
    (tenant, feed).
    """

    messages: int
    received: int
    stored: int
    late: int
    duplicate: int
    rejected: int
    traffic: int
    findings: int
    alerts: int
    attempts: int
    duration_ms: float
    commit_ms: float = 0.0
    rejected_by: Counter[str] = msgspec.field(default_factory=Counter)
    found: Counter[str] = msgspec.field(default_factory=Counter)
    opened: Counter[str] = msgspec.field(default_factory=Counter)
    heard: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)


class _Batch(msgspec.Struct):
    """A batch on its way: what must survive a failed attempt to commit it."""

    messages: Sequence[Message]
    frontier_us: int | None
    drain: bool = False
    elsewhere: Elsewhere | None = None
    recordings: dict[tuple[str, str], int] = {}
    judged: Judged | None = None
    numbered: Numbered | None = None
    attempts: int = 0
    clocks: dict[AssetClock, int] = {}
    counts: Sequence[CountRow] = ()
    fresh: Fresh = msgspec.field(default_factory=Fresh)
    raised: Raised = msgspec.field(default_factory=Raised)
    rejected_by: Counter[str] = msgspec.field(default_factory=Counter)
    heard: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    checkpointed: dict[str, int] = {}
    tailed: dict[str, int] = {}
    in_question: dict[str, int] = {}
    said: dict[tuple[str, str], Heard] = {}


class Pipeline(Patience):
    """The journey and what it keeps in memory between batches. One at a time: `process` is never called twice at once."""

    def __init__(self, store: Store, config: PipelineConfig, clock: Clock) -> None:
        super().__init__(store, clock, config.retry_s_max)
        self.config = config
        self.watch = Watch()
        self.book = PriorBook()
        self.contexts = Contexts(self.book)
        self.ownership: commits.Ownership | None = None
        self.clocks: dict[AssetClock, int] = {}
        self.behind: list[str] = []
        self.aside = Aside()
        self.scene_echoes = SceneEchoes()
        self._scene_high: dict[str, int] = {}
        self._roster: Roster | None = None
        self._freshness = Freshness()
        self._identities = Identities()
        self._kinds: dict[tuple[str, str, str, str, str], str] = {}  # of traffic, by its key
        self.use_derivations: dict[str, UseDerivation] = {}  # of `ingest.use_again`, the longest waiting first
        self.derivations: dict[str, Derivation] = {}  # under way between rounds of `ingest.rederive`, the longest waiting first

    # -- the way in ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Claim the shards and learn which assets wait for a tick."""

        async def claim(tx: Transaction) -> None:
            self.ownership = await tx.claim(self.config.shards, self.config.owner)
            await self._load_wakes(tx)

        await self.patiently(claim)

    async def process(
        self,
        messages: Sequence[Message],
        frontier_us: int | None = None,
        *,
        drain: bool = False,
        elsewhere: Elsewhere | None = None,
    ) -> Outcome:
        """Commit one batch: every reading, rejection and finding of it, or nothing.

        Args:
            messages: decoded, in the order of arrival.
            frontier_us: up to when the broker has nothing left for us; live ticks before it are due. None: none are.
            drain: write a checkpoint of every changed state, because the worker is about to stop; so many in a transaction,
                so that what was written stays when there is no time for the rest.
            elsewhere: of the other parts, when this is one of several.

        Returns: what became of it. When this returns, the messages may be acknowledged.

        Raises:
            commits.Fenced: another worker owns a shard now; this one must stop.
            TimeoutError: the database stayed away longer than `retry_s_max`.
        """
        started_s = self.clock.monotonic_s()
        batch = _Batch(messages=messages, frontier_us=frontier_us, drain=drain, elsewhere=elsewhere)

        async def attempt(tx: Transaction) -> None:
            batch.attempts += 1
            if await is_committed(tx, batch.numbered):
                return
            await self._attempt(tx, batch)

        try:
            await self.patiently(attempt)
        except AlreadyCommitted:
            pass  # an earlier attempt went through although its reply was lost; this one left nothing behind
        except faults.UNSTORABLE as error:
            return await self._one_by_one(batch, error)
        self._keep(batch)
        if drain and len(batch.checkpointed) >= DRAIN_AT_ONCE:
            await self.process([], None, drain=True)
        return self._outcome(batch, started_s)

    # -- one attempt, in order ----------------------------------------------------------------------------------------

    async def number(self, tx: Transaction, shards: Iterable[int], earlier: Numbered | None) -> Numbered:
        """Number this transaction; once the shards are ours alone, ask again whether an earlier attempt was committed.

        Raises:
            AlreadyCommitted: it was: its commit was still under way when this attempt began.
            commits.Fenced: a shard is not ours any more.
        """
        attempt = secrets.randbits(63)
        numbered = Numbered(await self._begin(tx, set(shards), attempt), attempt)
        if await is_committed(tx, earlier):
            raise AlreadyCommitted
        return numbered

    async def _begin(self, tx: Transaction, shards: set[int], attempt: int) -> dict[int, int]:
        """Number the transaction in those shards that are ours, or in one of ours; what is of others goes under one of these.

        (A mark on an asset of another part, say. To lock that part's shard could close a circle of waiting.)
        """
        owned = self.owned()
        numbers = await tx.begin(owned, shards & owned.shards or {min(owned.shards)}, attempt)
        return dict.fromkeys(shards, next(iter(numbers.values()))) | numbers

    async def _attempt(self, tx: Transaction, batch: _Batch) -> None:
        earlier = batch.numbered
        roster = await self.roster(tx)
        self.contexts.begin(roster)
        routed = route(list(batch.messages), roster)
        for tenant, feed in sorted(routed.new_feeds):
            await tx.set_feed(tenant, feed, "live")
        fresh = batch.fresh = await self._freshness.tell(tx, routed)
        batch.clocks = self._clocks_after(batch, routed)
        due = self._due(batch)
        owned, assets = self.owned().shards, self.watch.assets
        touched = {asset_id for asset_id in {*fresh.by_asset, *due} if shard_of(asset_id) in owned}
        await load(tx, self.watch, self.contexts, roster, touched)
        shards = {assets[asset_id].shard for asset_id in touched if asset_id in assets}
        shards |= {row.shard for row in routed.rejections} | {row.shard for row in routed.statuses}
        shards |= {row.shard for row in fresh.rows} | {row.shard for row in fresh.statics}
        shards |= {shard_of(asset_id) for asset_id in fresh.reports}
        numbered = batch.numbered = await self.number(tx, shards or {0}, earlier)
        received = StepBatch(
            readings=fresh.rows,
            statics=fresh.statics,
            identity_runs=fresh.identity_runs,
            statuses=routed.statuses,
            rejections=routed.rejections,
        )
        await tx.write(received, numbered.commit_nos)
        self.contexts.forget_scenes()  # a scene told while states were loaded did not see these readings
        if batch.judged is None:
            batch.judged = await self._judge(tx, batch, fresh, due)
        _mark_unjudged(batch.judged, fresh)
        if batch.judged.late:
            for one in routed.readings:
                routed.counts[one.counted_as].late += id(one.reading) in batch.judged.late
        await self._write_judged(tx, batch, batch.judged, routed, numbered)
        await self._judge_identities(tx, batch, roster, numbered)
        batch.counts = list(routed.counts.values())
        batch.rejected_by = Counter(row.reason for row in routed.rejections)
        batch.heard = _heard(routed, roster)

    async def roster(self, tx: Transaction) -> Roster:
        """The roster at the registry's version of this transaction."""
        version = await tx.registry_version()
        if self._roster is None or self._roster.version != version:
            self._roster = roster_of(await tx.load_registry())
        return self._roster

    def _clocks_after(self, batch: _Batch, routed: Routed) -> dict[AssetClock, int]:
        clocks = dict(self.clocks)
        batch.recordings = routed.clocks
        for feed, time_us in (routed.clocks if batch.elsewhere is None else batch.elsewhere.clocks).items():
            clocks[feed] = max(time_us, clocks.get(feed, 0))
        if batch.frontier_us is not None:
            clocks["live"] = max(batch.frontier_us, clocks.get("live", 0))
        return clocks

    def _due(self, batch: _Batch) -> dict[str, int]:
        """Assets with a tick due on their clock, each with the instant before which its ticks fire."""
        return {asset_id: until_us for clock, until_us in batch.clocks.items() for asset_id in self.watch.due(clock, until_us)}

    async def _judge(self, tx: Transaction, batch: _Batch, fresh: Fresh, due: dict[str, int]) -> Judged:
        wall_us, clocks, assets = self.clock.wall_us(), batch.clocks, self.watch.assets
        in_watch, until_us = {}, {**due}
        for asset_id, given in fresh.by_asset.items():
            watched = assets.get(asset_id)
            if watched is None:
                continue
            in_watch[asset_id] = given
            watched.clock = clock = fresh.clocks[asset_id]
            if clock != "live" and clock in clocks:
                until_us[asset_id] = clocks[clock]
        late_words = self._take_reports(fresh)

        def now_us(watched: Watched) -> int:
            return wall_us if watched.clock == "live" else clocks.get(watched.clock, 0)

        try:
            judged = await judge(tx, self.watch, self.contexts, in_watch, until_us, self.config.horizon_us, now_us)
            judged.asked = set(in_watch)
            for row in late_words:
                mark(judged.dirty, row)
            batch.in_question = self._in_question(in_watch, batch.elsewhere)
            if self.book.changed:
                for group in {assets[asset_id].group for asset_id in judged.stepped}:
                    for row in self.echoes(group).values():
                        mark(judged.dirty, row)
        except BaseException:
            self.watch.forget({*fresh.by_asset, *due})  # half stepped: they are loaded again for the next attempt
            raise
        return judged

    def _take_reports(self, fresh: Fresh) -> list[DirtyRow]:
        """Let the states hear what assets say of themselves before the readings after it; marks where that comes too late."""
        marks: list[DirtyRow] = []
        for asset_id, reports in fresh.reports.items():
            if asset_id in self.watch:
                watched = self.watch[asset_id]
                late_us = watched.take_reports(reports)
                if late_us is not None:
                    marks.append(DirtyRow(asset_id=asset_id, shard=watched.shard, from_us=late_us))
        return marks

    def echoes(self, group: Group) -> dict[str, DirtyRow]:
        """Young assets of a group that were stepped with a prior which a contribution has changed behind them.

        Only an asset's first hours read priors, so only those born within `BIRTH_SPAN_US` of the changed hour are derived again.
        """
        changed_us = self.book.changed.pop(group, None)
        if changed_us is None:
            return {}
        from_us = changed_us + HOUR_US
        rows = {}
        for other in self.watch.assets.values():
            if other.group == group and other.event_us >= from_us and other.born_us > from_us - BIRTH_SPAN_US:
                rows[other.asset_id] = DirtyRow(asset_id=other.asset_id, shard=other.shard, from_us=max(from_us, other.born_us))
        return rows

    def _in_question(self, judged: dict[str, list[Reading]], elsewhere: Elsewhere | None) -> dict[str, int]:
        """By tenant, the instant from which on scenes were told that these readings came too late for; `ingest.echoes` looks."""
        first_us: dict[str, int] = {}
        if elsewhere is not None:
            first_us |= elsewhere.look_again
            for tenant, at_us in elsewhere.told.items():
                self._scene_high[tenant] = max(at_us, self._scene_high.get(tenant, -1))
        high_us, assets = self._scene_high, self.watch.assets
        for asset_id, given in judged.items():
            tenant = assets[asset_id].tenant
            newest_us = high_us.get(tenant, -1)
            for reading in given:
                if reading.time_us <= newest_us:
                    first_us[tenant] = min(reading.time_us, first_us.get(tenant, reading.time_us))
        return {tenant: from_us for tenant, from_us in first_us.items() if from_us <= high_us.get(tenant, -1)}

    async def _write_judged(self, tx: Transaction, batch: _Batch, judged: Judged, routed: Routed, numbered: Numbered) -> None:
        stepped = [self.watch[asset_id] for asset_id in sorted(judged.stepped)]
        due, tails = self._to_checkpoint(batch, judged, stepped), self._tails(batch, judged, stepped)
        missing = {watched.shard for watched in due} | {row.shard for row in judged.dirty.values()}
        missing |= (
            {row.shard for row in judged.contributions}
            | {row.shard for row in tails}
            | {row.shard for row in judged.use_dirty.values()}
        )
        missing -= numbered.commit_nos.keys()
        numbers = numbered.commit_nos
        if missing:
            numbers = dict.fromkeys(missing, next(iter(numbers.values()))) | numbers
            if own := missing & self.owned().shards:
                numbers |= await tx.begin(self.owned(), own, numbered.attempt)
            batch.numbered = Numbered(numbers, numbered.attempt)
        batch.checkpointed = {watched.asset_id: watched.event_us for watched in due}
        rows = rows_of(judged.findings, self.watch)
        written = StepBatch(
            counts=list(routed.counts.values()),
            traffic=self._traffic(routed),  # after the ticks, which ask for what was heard before them
            findings=list({row.finding_id: row for row in rows}.values()),
            dirty=list(judged.dirty.values()),
            checkpoints=[checkpoint_row(watched) for watched in due],
            contributions=judged.contributions,
            uses=judged.uses,
            use_tails=tails,
            use_checkpoints=judged.use_checkpoints,
            use_dirty=list(judged.use_dirty.values()),
        )
        await tx.write(written, numbers)
        await tx.write_scenes(judged.scenes, numbers)
        await tx.write_sightings(judged.sightings, numbers)
        batch.raised = await raise_alerts(tx, rows, numbers, self.clock.wall_us())

    def _traffic(self, routed: Routed) -> list[TrafficRow]:
        """The last fixes of traffic, each with what it last said of its type; what a restart forgets is said again in minutes."""
        if len(self._kinds) > KINDS_MAX:
            self._kinds.clear()
        self._kinds |= routed.kinds
        return [
            row if (kind := self._kinds.get(key)) is None else msgspec.structs.replace(row, kind=kind)
            for key, row in routed.traffic.items()
        ]

    async def _judge_identities(self, tx: Transaction, batch: _Batch, roster: Roster, numbered: Numbered) -> None:
        """Lay what was said of who assets are beside the records."""
        asked, batch.said = await self._identities.in_question(tx, roster, batch.fresh.reports)
        raised = await judge_identities(tx, roster, asked, numbered.commit_nos, self.clock.wall_us())
        batch.raised = Raised(changes=batch.raised.changes + raised.changes, opened=batch.raised.opened + raised.opened)

    def _to_checkpoint(self, batch: _Batch, judged: Judged, stepped: Sequence[Watched]) -> list[Watched]:
        """States to write: of those stepped such as moved far or long enough, or by a tick; when draining, changed ones."""
        if batch.drain:
            return list(islice((watched for watched in self.watch.assets.values() if watched.changed), DRAIN_AT_ONCE))
        now_s, age_max_s = self.clock.monotonic_s(), self.config.checkpoint_age_max_s
        # A tick leaves no reading behind: without a checkpoint a restart would take a reading before it for one in time.
        return [one for one in stepped if one.asset_id in judged.ticked or one.wants_checkpoint(now_s, age_max_s)]

    def _tails(self, batch: _Batch, judged: Judged, stepped: Sequence[Watched]) -> list[UseTailRow]:
        """The activities under way of the assets stepped, each once a minute of event time; all of them when draining."""
        if batch.drain:
            due = [watched for watched in self.watch.assets.values() if watched.tail_us < watched.event_us][:DRAIN_AT_ONCE]
        else:
            told = {row.asset_id for row in judged.uses}  # a tail must not overlap what was closed since
            due = [watched for watched in stepped if watched.wants_tail() or watched.asset_id in told]
        rows = [tail for watched in due if (tail := tail_row(watched)) is not None]
        batch.tailed = {row.asset_id: self.watch[row.asset_id].event_us for row in rows}
        return rows

    # -- after the commit ---------------------------------------------------------------------------------------------

    def _keep(self, batch: _Batch) -> None:
        """Remember what is in the database now, and when each stepped asset wants its next tick."""
        self._freshness.keep(batch.fresh)
        self._identities.keep(batch.said)
        self.clocks = batch.clocks
        now_s = self.clock.monotonic_s()
        for tenant, from_us in batch.in_question.items():
            self.scene_echoes.note(tenant, from_us, now_s)
        for scene_row in batch.judged.scenes if batch.judged is not None else ():
            self._scene_high[scene_row.tenant] = max(scene_row.at_us, self._scene_high.get(scene_row.tenant, -1))
        if self.config.is_part:
            self.aside.clocks |= batch.recordings
            self.aside.note_readings(self.watch, batch.fresh)
            if batch.judged is not None:
                self.aside.note(self.watch, batch.judged)
        assets = self.watch.assets
        for asset_id in batch.judged.stepped if batch.judged is not None else ():
            if asset_id in assets:
                watched = assets[asset_id]
                self.watch.ask(asset_id, watched.state.wake_at_us, watched.clock)
        for asset_id, event_us in batch.tailed.items():
            if asset_id in self.watch:
                self.watch[asset_id].tail_us = event_us
        for asset_id, event_us in batch.checkpointed.items():
            if asset_id in self.watch:
                watched = self.watch[asset_id]
                watched.checkpoint_us, watched.checkpointed_at_s, watched.changed = event_us, now_s, False

    async def _one_by_one(self, batch: _Batch, error: Exception) -> Outcome:
        """A value that the tables refuse: find the message that holds it and keep that one as a rejection."""
        log.error("batch.unstorable", error=str(error)[:300], messages=len(batch.messages))
        if batch.judged is not None:
            self.watch.forget(batch.judged.stepped)  # they were stepped by what was not committed
        if len(batch.messages) > 1:
            outcomes = [await self.process([message], elsewhere=batch.elsewhere) for message in batch.messages]
            # Ticks come after all readings.
            outcomes.append(await self.process([], batch.frontier_us, drain=batch.drain, elsewhere=batch.elsewhere))
            return summed(outcomes)
        if not batch.messages:
            raise error  # nobody's input: a fault of ours
        message = batch.messages[0]
        refused = Rejection(reason="unstorable", detail=str(error)[:200], payload=message.decoded.payload)
        decoded = Decoded(topic=None, payload=message.decoded.payload, rejections=[refused])
        one = msgspec.structs.replace(message, decoded=decoded)
        return await self.process([one], batch.frontier_us, drain=batch.drain, elsewhere=batch.elsewhere)

    def _outcome(self, batch: _Batch, started_s: float) -> Outcome:
        judged, counts = batch.judged or Judged(), batch.counts
        return Outcome(
            messages=len(batch.messages),
            received=sum(count.received for count in counts),
            stored=sum(count.stored for count in counts),
            late=len(judged.late),
            duplicate=sum(count.duplicate for count in counts),
            rejected=sum(count.rejected for count in counts),
            traffic=sum(count.traffic for count in counts),
            findings=len(judged.findings),
            alerts=batch.raised.changes,
            attempts=batch.attempts,
            duration_ms=round((self.clock.monotonic_s() - started_s) * 1000, 2),
            commit_ms=round(self.commit_ms, 2),
            rejected_by=batch.rejected_by,
            found=Counter(finding.rule for finding in judged.findings),
            opened=batch.raised.opened,
            heard=batch.heard,
        )

    def has_due(self, frontier_us: int | None) -> bool:
        """Whether a live asset wants a tick before the frontier."""
        return frontier_us is not None and bool(self.watch.due("live", frontier_us))

    @property
    def assets_in_memory(self) -> int:
        """How many detector states are held."""
        return len(self.watch.assets)

    @property
    def assets_behind(self) -> int:
        """How many assets that moved on before a restart are still to be loaded."""
        return len(self.behind)

    def listen(self, listening: Listening) -> None:
        """Take over when we listened: what ticks from now on are judged by."""
        self.contexts.listen(listening)

    # -- wakes and assets that moved on before a restart --------------------------------------------------------------

    async def _load_wakes(self, tx: Transaction) -> None:
        """Note the ticks that checkpoints ask for, and which assets must be loaded to know theirs."""
        for feed, time_us in (await tx.recording_clocks()).items():
            self.clocks[feed] = time_us
        asked = await tx.wakes(self.config.shards, END_US, ASSETS_MAX)
        origins = await tx.clocks_of([asset_id for asset_id, _ in asked])
        for asset_id, wake_at_us in asked:
            self.watch.ask(asset_id, wake_at_us, origins.get(asset_id, "live"))
        self._scene_high = await tx.newest_scenes()
        for tenant, newest_us in self._scene_high.items():  # what a worker before us had noted died with it
            self.scene_echoes.note(tenant, newest_us - self.config.horizon_us, self.clock.monotonic_s())
        self.behind = await tx.behind(self.config.shards, ASSETS_MAX)

    async def catch_up(self, assets_max: int = 50) -> int:
        """Load some of the assets that were stepped after their last checkpoint; how many are still left."""
        some, self.behind = self.behind[:assets_max], self.behind[assets_max:]
        if some:

            async def work(tx: Transaction) -> None:
                roster = await self.roster(tx)
                self.contexts.begin(roster)
                await load(tx, self.watch, self.contexts, roster, some)

            await self.patiently(work)
        return len(self.behind)

    def owned(self) -> commits.Ownership:
        """What `start` claimed. Raises RuntimeError before it (a programmer's error)."""
        if self.ownership is None:
            raise RuntimeError("process before start")
        return self.ownership


async def is_committed(tx: Transaction, earlier: Numbered | None) -> bool:
    """Whether an earlier attempt went through although its reply was lost; False where none came to take numbers."""
    return earlier is not None and await tx.is_committed({*earlier.commit_nos.values()}, earlier.attempt)


def _mark_unjudged(judged: Judged, fresh: Fresh) -> None:
    """Assets that came onto the roster between two attempts were not judged with the batch: they are derived again."""
    for asset_id in fresh.by_asset.keys() - judged.asked:
        from_us = min(reading.time_us for reading in fresh.by_asset[asset_id])
        mark(judged.dirty, DirtyRow(asset_id=asset_id, shard=shard_of(asset_id), from_us=from_us))


def mark(marks: dict[str, DirtyRow], row: DirtyRow) -> None:
    """Mark an asset to be derived again; of two marks the earlier instant stays."""
    known = marks.get(row.asset_id)
    if known is None or row.from_us < known.from_us:
        marks[row.asset_id] = row


def _heard(routed: Routed, roster: Roster) -> Counter[tuple[str, str]]:
    """How many elements each live feed sent, those of static reports too."""
    heard: Counter[tuple[str, str]] = Counter()
    for (tenant, origin, _), count in routed.counts.items():
        if not origin.startswith(FEED_ORIGIN):
            continue
        feed, elements = origin.removeprefix(FEED_ORIGIN), count.received + count.static_received
        if elements and not roster.is_recording(tenant, feed):
            heard[tenant, feed] += elements
    return heard


def summed(outcomes: Sequence[Outcome]) -> Outcome:
    """The figures of several committed batches together."""
    names = Outcome.__struct_fields__
    return Outcome(**{name: reduce(operator.add, (getattr(outcome, name) for outcome in outcomes)) for name in names})
