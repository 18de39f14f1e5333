"""The dated facts beside a reading: when we listened, what the fleet taught, what a scene saw. In memory for one batch.

`step` is pure, so what it reads besides readings is looked up here, once per asset type and hour or per silent asset and tick.
Knows `store` for scenes and contributions; decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from detect.model import ALWAYS_LISTENING, EMPTY_DOCKET, Bucket, Context, Fix, Listening, SceneContext
from detect.scene import scene
from fleet.instants import DAY_US, HOUR_US
from fleet.reading import Reading
from ingest.land import world_land
from ingest.places import KNOWN
from ingest.ports import Transaction
from ingest.priors import Group, PriorBook
from ingest.roster import Roster
from ingest.use_contexts import use_context
from ingest.watch import Particulars, Watched
from ingest.wire import OPERATOR_TENANT
from store.rows import SceneRow

SCENE_WINDOW_US = DAY_US  # `SceneContext.neighbours_known` looks back 24 h
SCENES_MAX = 500  # looked at again after late readings in one batch; chosen: half a second of queries
CONTEXTS_MAX = 10_000  # cached (tenant, type, hour, particulars, asset with a docket); chosen: a week of hours for sixty types


class Contexts:
    """Contexts of one worker. `begin` is called with each version of the roster; scenes are asked inside a transaction."""

    def __init__(self, book: PriorBook) -> None:
        self.book = book
        self.listening = Listening(())
        self._roster: Roster | None = None
        self._cache: dict[tuple[Group, int, bool, Particulars, str | None], Context] = {}
        self._fixes: dict[tuple[str, int], list[Fix]] = {}
        self.scenes: list[SceneRow] = []

    def begin(self, roster: Roster) -> None:
        """Take the roster of this batch and forget the scenes of the last."""
        if self._roster is not roster:
            self._roster = roster
            self._cache.clear()
        self._fixes.clear()
        self.scenes = []

    def forget_scenes(self) -> None:
        """Forget the fixes of this batch's instants: readings were inserted since they were asked for."""
        self._fixes.clear()

    def listen(self, listening: Listening) -> None:
        """Take the listening intervals known now."""
        if listening != self.listening:
            self.listening = listening
            self._cache.clear()

    async def know_group(self, tx: Transaction, group: Group) -> None:
        """Bring a group's stored contributions into memory, once."""
        if group not in self.book.loaded:
            for packed in await tx.contributions_of(*group):
                self.book.read(group, packed)
            self.book.loaded.add(group)

    def at_reading(self, watched: Watched) -> Callable[[str, Reading], Context]:
        """The function that `walk` asks for the context of each reading of one asset."""

        def context(_asset_id: str, reading: Reading) -> Context:
            return self._context(watched, reading.time_us)

        return context

    def at_hour(self, watched: Watched, time_us: int) -> Context:
        """The context of every reading of one asset in the hour of an instant."""
        return self._context(watched, time_us)

    async def at_tick(self, tx: Transaction, watched: Watched, tick_us: int, *, again: bool) -> Context:
        """Context of a tick, with the scene of that instant; keeps what the scene said in `scenes`, to be written.

        `again`: the tick fired before, and traffic that was heard then may have moved on.
        """
        said = await self._scene(tx, watched.tenant, watched.asset_id, tick_us)
        if again:
            said = await self._as_told(tx, watched, tick_us, said)
        self.scenes.append(
            SceneRow(
                tenant=watched.tenant,
                asset_id=watched.asset_id,
                shard=watched.shard,
                at_us=tick_us,
                **msgspec.structs.asdict(said),
            )
        )
        plain = self._context(watched, tick_us)
        return msgspec.structs.replace(plain, scene=said)

    async def _scene(self, tx: Transaction, tenant: str, asset_id: str, at_us: int) -> SceneContext:
        key = (tenant, at_us)
        if key not in self._fixes:
            self._fixes[key] = await self._fixes_at(tx, tenant, at_us)
        offline = await tx.offline_feeds(tenant, at_us)
        down = frozenset(self._origin(*feed) for feed in offline)
        bucket = Bucket(time_us=at_us, subjects=(asset_id,), offline_feeds=down)
        return scene(bucket, self._fixes[key]).context.get(asset_id, SceneContext())

    async def _as_told(self, tx: Transaction, watched: Watched, tick_us: int, said: SceneContext) -> SceneContext:
        """The scene as it was told, where traffic may have taken part: only its last fix is kept, so it cannot be asked again.

        Late readings of assets can only add to what was told; without traffic the scene is told anew.
        """
        told = await tx.scenes_at(watched.asset_id, tick_us, tick_us + 1)
        if not told or not await tx.has_traffic(watched.tenant):
            return said
        return SceneContext(
            neighbours_heard=max(said.neighbours_heard, told[0].neighbours_heard),
            neighbours_known=max(said.neighbours_known, told[0].neighbours_known),
            neighbours_still=max(said.neighbours_still, told[0].neighbours_still),
            neighbours_behind=max(said.neighbours_behind, told[0].neighbours_behind),
            neighbours_lost=max(said.neighbours_lost, told[0].neighbours_lost),
            feed_down=said.feed_down and told[0].feed_down,
        )

    async def _fixes_at(self, tx: Transaction, tenant: str, at_us: int) -> list[Fix]:
        """The last fix of each asset and of the traffic around, as of an instant; never another tenant's."""
        found = [
            Fix(
                asset_id=fix.asset_id,
                name=fix.asset,
                asset_class=fix.asset_class,
                origin=self._origin(fix.tenant, fix.origin),
                time_us=fix.time_us,
                lat_deg=fix.lat_deg,
                lon_deg=fix.lon_deg,
                speed_kn=fix.speed_kn,
                course_deg=fix.course_deg,
            )
            for fix in await tx.fixes_at(tenant, at_us, SCENE_WINDOW_US)
        ]
        return found + [
            Fix(
                asset_id=None,
                name=fix.name,
                asset_class=fix.asset_class,
                origin=self._origin(fix.tenant, fix.origin),
                time_us=fix.time_us,
                lat_deg=fix.lat_deg,
                lon_deg=fix.lon_deg,
                speed_kn=fix.speed_kn,
            )
            for fix in await tx.traffic_at(tenant, at_us, SCENE_WINDOW_US)
        ]

    def _origin(self, tenant: str, origin: str) -> str:
        """The origin as a scene knows it: `recording` for a recording's feed, `feed:_/NAME` for one of the operator.

        A recording is one unnamed feed, never concluded down (design 4.6); a tenant's own feed may bear the operator's name.
        """
        if not origin.startswith("feed:"):
            return origin
        feed = origin.removeprefix("feed:")
        if self._roster is not None and self._roster.is_recording(tenant, feed):
            return "recording"
        return f"feed:_/{feed}" if tenant == OPERATOR_TENANT else origin

    def _context(self, watched: Watched, time_us: int) -> Context:
        group = watched.group
        hour_us = time_us // HOUR_US * HOUR_US
        recorded = watched.clock != "live"
        filed_of = watched.asset_id if self._roster is not None and self._roster.has_file(watched.asset_id) else None
        key = (group, hour_us, recorded, watched.particulars, filed_of)
        context = self._cache.get(key)
        prior = self.book.prior_at(group, hour_us)
        if context is None or context.prior is not prior:
            if len(self._cache) >= CONTEXTS_MAX:
                self._cache.clear()
            settings = {} if self._roster is None else self._roster.settings(watched.tenant, hour_us)
            places = KNOWN if self._roster is None else self._roster.places(watched.tenant)
            context = Context(
                listening=ALWAYS_LISTENING if recorded else self.listening,
                prior=prior,
                settings=settings,
                use=use_context(watched.asset_class, watched.asset_type, time_us, settings, places, dict(watched.particulars)),
                docket=EMPTY_DOCKET if self._roster is None else self._roster.docket(watched.asset_id, hour_us),
                areas=None if self._roster is None else self._roster.areas(watched.tenant),
                land=world_land(),
            )
            self._cache[key] = context
        return context

    async def changed_scenes(self, tx: Transaction, tenant: str, from_us: int) -> list[SceneRow]:
        """Scenes told at ticks from an instant on that would be told otherwise now; at most `SCENES_MAX` are looked at."""
        self._fixes.clear()
        changed: list[SceneRow] = []
        for told in await tx.scenes_of_tenant(tenant, from_us, SCENES_MAX):
            said = await self._scene(tx, tenant, told.asset_id, told.at_us)
            if said.neighbours_heard < told.neighbours_heard and await tx.has_traffic(tenant):
                continue  # traffic moved on since; what was told stands
            if said != _told(told):
                changed.append(told)
        return changed

    async def told_otherwise(self, tx: Transaction, watched: Watched, scenes: Sequence[SceneRow]) -> list[SceneRow]:
        """Of an asset's scenes, told and written, those that would be told otherwise now; the last `SCENES_MAX` are looked at."""
        self._fixes.clear()
        changed: list[SceneRow] = []
        for told in scenes[-SCENES_MAX:]:
            said = await self._as_told(tx, watched, told.at_us, await self._scene(tx, told.tenant, told.asset_id, told.at_us))
            if said != _told(told):
                changed.append(told)
        return changed


def _told(row: SceneRow) -> SceneContext:
    """What a stored scene said."""
    return SceneContext(**{name: getattr(row, name) for name in SceneContext.__struct_fields__})
