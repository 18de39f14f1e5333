"""Milestones of assets: what was promised, reported and observed of their lives, shop visits, and the stage they come to.

Only reported events move the axes of `fleet.stage`; `store.leases.record_milestone` enters those, for they may end leases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from fleet.dated import Span
from fleet.instants import to_datetime
from fleet.stage import STATUSES, AssetEvent, History, Life, live, stage_of
from store import staging
from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("milestones")
Row = dict[str, Any]


class ToldOfAsset(msgspec.Struct, frozen=True, kw_only=True):
    """What was told of one asset beside its leases: reported events, stays in shops, whether its day of build is known."""

    events: tuple[AssetEvent, ...] = ()
    maintenance: tuple[Span, ...] = ()
    built: bool = False


class NewMilestone(msgspec.Struct, frozen=True, kw_only=True):
    """An event of an asset: what, on which basis, when, with what evidence; in place of another one, by whom."""

    asset_id: str
    kind: str
    basis: str
    at_us: int
    evidence: dict[str, Any] = {}
    corrects: str | None = None
    actor: str = "keelwing"


class NewMaintenance(msgspec.Struct, frozen=True, kw_only=True):
    """A check, shop visit, dry-docking or survey: planned, done (an open end while it lasts), or both; instants half-open.

    `use_at` holds what the asset had run by then (`flight_h`, `cycles`, `car_km` …, unit last).
    """

    asset_id: str
    kind: str
    planned: Span | None = None
    actual: Span | None = None
    place: str | None = None
    use_at: Mapping[str, Any] = {}
    cost_amount: Decimal | None = None
    currency: str | None = None
    evidence: Mapping[str, Any] = {}
    actor: str = "keelwing"


async def told(conn: Connection, asset_ids: Sequence[str], known_us: int | None = None) -> dict[str, ToldOfAsset]:
    """What was told of assets as believed now or at `known`; every asset asked for is in it."""
    binds = {"assets": list(asset_ids), "known": moment(known_us)}
    events = await _rows(conn, "told", binds)
    in_shop = await _rows(conn, "in_shop", binds)
    built = {row["asset_id"] for row in await _rows(conn, "built", binds)}
    return {
        asset_id: ToldOfAsset(
            events=tuple(
                AssetEvent(event_id=row["asset_event_id"], kind=row["kind"], at_us=row["at"], evidence=row["evidence"])
                for row in events if row["asset_id"] == asset_id
            ),
            maintenance=tuple(Span(row["from_time"], row["to_time"]) for row in in_shop if row["asset_id"] == asset_id),
            built=asset_id in built,
        )
        for asset_id in asset_ids
    }  # fmt: skip


async def open_statuses(
    conn: Connection, asset_ids: Sequence[str], at_us: int, known_us: int | None
) -> dict[str, frozenset[str]]:
    """The statuses (`fleet.stage.STATUSES`) of assets that were open at an instant; assets without one are absent."""
    binds = {"assets": list(asset_ids), "statuses": list(STATUSES), "at": moment(at_us), "known": moment(known_us)}
    found: dict[str, frozenset[str]] = {}
    for row in await _rows(conn, "open_statuses", binds):
        found[row["asset_id"]] = found.get(row["asset_id"], frozenset()) | {row["status"]}
    return found


async def refresh_stage(conn: Connection, asset_id: str, history: History, at_us: int) -> str | None:
    """Derive the stage at an instant (wall time) and keep it with the asset. Returns it."""
    life = live(history, until_us=at_us)
    stage = stage_of(life, history) if isinstance(life, Life) else None
    await conn.execute(SQL["set_stage"], {"asset_id": asset_id, "stage": stage})
    return stage


async def add_event(conn: Connection, tenant: str, event_id: str, wanted: NewMilestone) -> None:
    """Write one event as given."""
    binds = {
        "event_id": event_id, "tenant": tenant, "asset_id": wanted.asset_id, "kind": wanted.kind, "basis": wanted.basis,
        "at": to_datetime(wanted.at_us), "evidence": staging.json(wanted.evidence), "actor": wanted.actor,
        "corrects": wanted.corrects,
    }  # fmt: skip
    await conn.execute(SQL["add_event"], binds)


async def close_events(conn: Connection, event_ids: Iterable[str]) -> None:
    """Believe events of assets no longer."""
    await conn.execute(SQL["close_events"], {"event_ids": list(event_ids)})


async def event(conn: Connection, asset_id: str, event_id: str) -> Row | None:
    """One event of an asset as believed now; None where there is none."""
    rows = await _rows(conn, "event", {"asset_id": asset_id, "event_id": event_id})
    return rows[0] if rows else None


async def events(
    conn: Connection, asset_id: str, at_us: int | None, known_us: int | None, *, basis: str | None, superseded: bool,
    after: tuple[int, str] | None, limit: int,
) -> list[Row]:  # fmt: skip
    """Events of an asset on any basis, earliest first; with `superseded` those too that were corrected."""
    binds = {
        "asset_id": asset_id, "at": moment(at_us), "known": moment(known_us), "basis": basis, "superseded": superseded,
        "after_time": None if after is None else moment(after[0]), "after_id": None if after is None else after[1],
        "limit": limit,
    }  # fmt: skip
    return await _rows(conn, "event_list", binds)


async def add_maintenance(conn: Connection, tenant: str, wanted: NewMaintenance) -> str:
    """Write a shop visit or survey. Returns its id."""
    planned, actual = wanted.planned or Span(None, None), wanted.actual or Span(None, None)
    binds = {
        "tenant": tenant, "asset_id": wanted.asset_id, "kind": wanted.kind, "planned_from": moment(planned.from_us),
        "planned_to": moment(planned.to_us), "actual_from": moment(actual.from_us), "actual_to": moment(actual.to_us),
        "place": wanted.place, "use_at": staging.json(wanted.use_at), "cost_amount": wanted.cost_amount,
        "currency": wanted.currency, "evidence": staging.json(wanted.evidence), "actor": wanted.actor,
    }  # fmt: skip
    return str((await _rows(conn, "add_maintenance", binds))[0]["maintenance_event_id"])


async def close_maintenance(conn: Connection, asset_id: str, maintenance_event_id: str) -> bool:
    """Believe a shop visit no longer, because a corrected one takes its place; False where there is none."""
    binds = {"asset_id": asset_id, "maintenance_event_id": maintenance_event_id}
    return bool(await _rows(conn, "close_maintenance", binds))


async def maintenance(
    conn: Connection, asset_id: str, at_us: int | None, known_us: int | None, *, maintenance_event_id: str | None = None,
    after: tuple[int, str] | None = None, limit: int,
) -> list[Row]:  # fmt: skip
    """Maintenance of an asset by when it began or shall; with `at` what was under way then."""
    binds = {
        "asset_id": asset_id, "at": moment(at_us), "known": moment(known_us), "maintenance_event_id": maintenance_event_id,
        "after_time": None if after is None else moment(after[0]), "after_id": None if after is None else after[1],
        "limit": limit,
    }  # fmt: skip
    return await _rows(conn, "maintenance", binds)


async def _rows(conn: Connection, query: str, binds: Mapping[str, Any]) -> list[Row]:
    return await (await conn.execute(SQL[query], binds)).fetchall()
