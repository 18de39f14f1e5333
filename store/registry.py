"""Who owns what and what the air calls it: tenants, assets, identifiers, feeds, streams, leases, settings.

`load` gives a copy for memory, `version` (or a notification on `keelwing_registry`) says when it is stale. Streams are not in
the copy: there may be a hundred thousand, and each process knows those it met.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import uuid4

import msgspec
import structlog

from fleet.area_entry import KINDS as AREA_KINDS
from fleet.dated import Span
from fleet.instants import to_datetime
from fleet.lease import Covenant, TermFault, TerritoryRule, parse_covenant, parse_territory_rule
from fleet.shards import shard_of
from fleet.use_machines import PARTICULARS
from store import adjustments, leases, staging
from store.adjustments import AdjustmentEntry
from store.moments import moment
from store.pool import Connection
from store.queries import load as load_queries

SQL = load_queries("registry")
log = structlog.get_logger(__name__)

Clock = Literal["live", "recording"]
StreamKey = tuple[str, str, str, str, str]
"""(tenant, origin, class, scheme, value); origin is `device` or `feed:NAME`."""


class AssetEntry(msgspec.Struct, frozen=True):
    """An asset as the pipeline needs it; `particulars` are the numbers of it that use machines ask for."""

    asset_id: str
    tenant: str
    asset_class: str
    name: str
    asset_type: str | None
    shard: int
    particulars: dict[str, float] = {}


class IdentifierEntry(msgspec.Struct, frozen=True):
    """What an asset is called, and when; a name or a flag too. `accepted_us` is when a person took it from the air, else None."""

    asset_id: str
    tenant: str
    asset_class: str
    scheme: str
    value: str
    valid: Span
    source: str = "registration"
    accepted_us: int | None = None


class GrantEntry(msgspec.Struct, frozen=True):
    """A feed of the operator that a tenant may use, and when."""

    feed: str
    tenant: str
    valid: Span


class LeaseEntry(msgspec.Struct, frozen=True):
    """Who has an asset, and when; `storage_preset` is the paper's word, None where it is silent."""

    lease_id: str
    tenant: str
    asset_id: str
    lessee_party_id: str
    form: str
    valid: Span
    storage_preset: str | None = None


class PaperEntry(msgspec.Struct, frozen=True):
    """What of a lease's paper clauses ask: whether it is the lessor's own or a sublease, and its promised end."""

    lease_id: str
    head: bool
    to_us: int | None


class ClauseEntry(msgspec.Struct, frozen=True):
    """A covenant or territory rule of a lease; its own dates are in `given`."""

    lease_id: str
    given: Covenant | TerritoryRule


class SettingEntry(msgspec.Struct, frozen=True):
    """A choice that detection reads (tenant `_`: every tenant's default), and when it holds."""

    tenant: str
    rule: str
    name: str
    value: Any
    valid: Span


class AreaEntry(msgspec.Struct, frozen=True):
    """An area (tenant `_`: everybody's) and when it is in force; `row_id` names this very record.

    `geometry` is decoded GeoJSON, a Polygon or MultiPolygon, or a Point with `radius_m` around it; `applies_to` are classes.
    """

    row_id: int
    tenant: str
    area_id: str
    name: str
    kind: str
    geometry: Any
    radius_m: float | None
    valid: Span
    severity: str = "info"
    issuer: str = ""
    version: str = ""
    area_set: str | None = None
    applies_to: tuple[str, ...] = ()


class AttributionEntry(msgspec.Struct, frozen=True):
    """An asset that a stream speaks of, and when."""

    stream_id: int
    asset_id: str
    tenant: str
    valid: Span


class Registry(msgspec.Struct, frozen=True):
    """A copy of the registry at one version.

    `feeds` maps (tenant, feed) to its clock, `assets` asset_id to asset; `designations` are names and flags.
    """

    version: int
    tenants: frozenset[str]
    assets: dict[str, AssetEntry]
    identifiers: list[IdentifierEntry]
    feeds: dict[tuple[str, str], Clock]
    grants: list[GrantEntry]
    leases: list[LeaseEntry]
    settings: list[SettingEntry]
    designations: list[IdentifierEntry] = []
    areas: list[AreaEntry] = []
    adjustments: list[AdjustmentEntry] = []
    papers: dict[str, PaperEntry] = {}
    clauses: list[ClauseEntry] = []


class Identifier(NamedTuple):
    """An identifier to register: scheme, value and the period in which it holds (None is open)."""

    scheme: str
    value: str
    from_us: int | None = None
    to_us: int | None = None


class IdentifiersOfTwoAssets(ValueError):  # noqa: N818  said as it is
    """The identifiers of a registration belong to different assets already; nothing was registered."""


async def version(conn: Connection) -> int:
    """The registry's version; grows with every change of what `load` gives, and with a corrected attribution."""
    return int((await _rows(conn, "version"))[0]["version"])


async def load(conn: Connection) -> Registry:
    """A copy of everything but streams, at least as new as its version says.

    All of one snapshot when the transaction is repeatable read.
    """
    number = await version(conn)
    return Registry(
        version=number,
        tenants=frozenset([row["tenant"] for row in await _rows(conn, "tenants")]),
        assets={
            row["asset_id"]: AssetEntry(
                row["asset_id"], row["tenant"], row["class"], row["name"], row["type"], row["shard"], row["particulars"] or {}
            )
            for row in await _rows(conn, "assets", {"particulars": sorted(PARTICULARS)})
        },
        identifiers=[_identifier(row) for row in await _rows(conn, "identifiers")],
        feeds={(row["tenant"], row["feed"]): row["clock"] for row in await _rows(conn, "feeds")},
        grants=[GrantEntry(row["feed"], row["tenant"], _span(row)) for row in await _rows(conn, "grants")],
        leases=[
            LeaseEntry(
                row["lease_id"],
                row["tenant"],
                row["asset_id"],
                row["lessee_party_id"],
                row["form"],
                _span(row),
                row["storage_preset"],
            )
            for row in await _rows(conn, "leases")
        ],
        settings=[
            SettingEntry(row["tenant"], row["rule"], row["name"], row["value"], _span(row))
            for row in await _rows(conn, "settings")
        ],
        designations=[_identifier(row) for row in await _rows(conn, "designations")],
        areas=[_area(row) for row in await _rows(conn, "areas", {"kinds": sorted(AREA_KINDS)})],
        adjustments=await adjustments.believed(conn),
        papers={row["lease_id"]: PaperEntry(row["lease_id"], row["head"], row["to_time"]) for row in await _rows(conn, "papers")},
        clauses=[entry for row in await _rows(conn, "clauses") if (entry := _clause(row)) is not None],
    )


def _clause(row: Mapping[str, Any]) -> ClauseEntry | None:
    """A clause as it was put; None for one that this version cannot read, which nobody can judge then."""
    parse = parse_covenant if row["kind"] == "covenant" else parse_territory_rule
    given = parse(row["said"])
    if isinstance(given, TermFault):
        log.warning("clause.unreadable", lease_id=row["lease_id"], at=given.pointer, detail=given.detail)
        return None
    dates = {"valid_from": _date(row["from_time"]), "valid_to": _date(row["to_time"])}
    return ClauseEntry(row["lease_id"], msgspec.structs.replace(given, **dates))


def _date(time_us: int | None) -> datetime | None:
    return None if time_us is None else to_datetime(time_us)


def _area(row: Mapping[str, Any]) -> AreaEntry:
    where = (row["kind"], row["geometry"], row["radius_m"])
    listed = {name: row[name] for name in ("severity", "issuer", "version", "area_set")}
    applies_to = tuple(row["applies_to"])
    return AreaEntry(
        row["area_row_id"], row["tenant"], row["area_id"], row["name"], *where, _span(row), applies_to=applies_to, **listed
    )


def _identifier(row: Mapping[str, Any]) -> IdentifierEntry:
    return IdentifierEntry(
        row["asset_id"], row["tenant"], row["class"], row["scheme"], row["value"], _span(row), row["source"], row["accepted_time"]
    )


async def resolve_streams(conn: Connection, wanted: Collection[StreamKey]) -> dict[StreamKey, int]:
    """The number of each stream; a new one is made, and tied to the assets that bear its identifier.

    Commit soon: another transaction that wants the same new stream waits for this one.
    """
    found = await _streams(conn, "find_streams", wanted)
    missing = sorted(set(wanted) - set(found))
    if missing:
        added = await _streams(conn, "add_streams", missing)
        if added:
            await conn.execute(SQL["attribute_known"], {"stream_ids": list(added.values()), "asset_id": None})
        found |= added
        if len(added) < len(missing):  # made by another transaction since we looked
            found |= await _streams(conn, "find_streams", [key for key in missing if key not in added])
    return found


async def attributions(conn: Connection, stream_ids: Collection[int]) -> dict[int, list[AttributionEntry]]:
    """The assets that each stream speaks of, as believed now; a stream of traffic has an empty list."""
    entries: dict[int, list[AttributionEntry]] = {stream_id: [] for stream_id in stream_ids}
    for row in await _rows(conn, "attributions", {"stream_ids": list(stream_ids)}):
        entry = AttributionEntry(row["stream_id"], row["asset_id"], row["tenant"], _span(row))
        entries[entry.stream_id].append(entry)
    return entries


async def attribute(conn: Connection, stream_id: int, asset_id: str, from_us: int | None, to_us: int | None) -> None:
    """Correct it: in [from, to) the stream spoke of this asset. Other beliefs of the asset's tenant about that period end."""
    binds = {"stream_id": stream_id, "asset_id": asset_id, "from": moment(from_us), "to": moment(to_us)}
    await conn.execute(SQL["attribute"], binds)
    await conn.execute("NOTIFY keelwing_registry")


async def create_tenant(conn: Connection, tenant: str, name: str) -> None:
    """A tenant; nothing happens when it is there."""
    await conn.execute(SQL["create_tenant"], {"tenant": tenant, "name": name})


async def create_party(conn: Connection, tenant: str, name: str) -> str:
    """The id of a tenant's party of that name, made if need be."""
    return str((await _rows(conn, "create_party", {"tenant": tenant, "name": name}))[0]["party_id"])


async def register_asset(
    conn: Connection,
    tenant: str,
    asset_class: str,
    name: str,
    asset_type: str | None,
    identifiers: Iterable[Identifier | tuple[str, str]],
    particulars: Mapping[str, Any] | None = None,
    *,
    source: str = "registration",
) -> str:
    """The asset of a tenant that bears these identifiers: the one that bears any of them already, else a new one.

    Identifiers it did not have are added; the streams that speak of them, past readings included, become its own. Name, type
    and particulars of an asset that is there are left as they are.

    Returns:
        The asset's id.

    Raises:
        IdentifiersOfTwoAssets: they name two assets already.
    """
    wanted = [Identifier(*identifier) for identifier in identifiers]
    names = {"scheme": [one.scheme for one in wanted], "value": [one.value for one in wanted]}
    await conn.execute(SQL["lock_tenant"], {"tenant": tenant})
    held = await _rows(conn, "bearers", {"tenant": tenant, "class": asset_class, **names})
    bearers = {row["asset_id"] for row in held}
    if len(bearers) > 1:
        raise IdentifiersOfTwoAssets(", ".join(sorted(bearers)))
    asset_id = bearers.pop() if bearers else str(uuid4())
    owner = {"asset_id": asset_id, "tenant": tenant, "class": asset_class}
    if not held:
        about = {"name": name, "type": asset_type, "particulars": staging.json(particulars or {}), "shard": shard_of(asset_id)}
        await conn.execute(SQL["add_asset"], {**owner, **about})
    known = {(row["scheme"], row["value"]) for row in held}
    new = [one for one in wanted if (one.scheme, one.value) not in known]
    if new:
        binds = {
            "scheme": [one.scheme for one in new],
            "value": [one.value for one in new],
            "from": [moment(one.from_us) for one in new],
            "to": [moment(one.to_us) for one in new],
        }
        await conn.execute(SQL["add_identifiers"], {**owner, **binds, "source": source})
        await conn.execute(SQL["attribute_known"], {"stream_ids": None, "asset_id": asset_id})
    return asset_id


async def set_feed(conn: Connection, tenant: str, feed: str, clock: Clock) -> None:
    """A feed of a tenant (`_`: the operator's) with its clock."""
    await conn.execute(SQL["set_feed"], {"tenant": tenant, "feed": feed, "clock": clock})


async def grant_feed(conn: Connection, feed: str, tenant: str, from_us: int | None, to_us: int | None) -> None:
    """Let a tenant use a feed of the operator in a period; what the feed said then of its assets becomes theirs to see."""
    binds = {"feed": feed, "tenant": tenant, "from": moment(from_us), "to": moment(to_us)}
    await conn.execute(SQL["grant_feed"], binds)
    await conn.execute(SQL["attribute_feed"], {"feed": feed})


async def create_lease(
    conn: Connection, tenant: str, asset_id: str, party_id: str, form: str, from_us: int | None, to_us: int | None
) -> str:
    """A head lease whose tenure is known, delivered at `from` and handed back at `to` (None: it lasts). Returns its id.

    With a beginning it is written as its paper and its events have it, so that what happens next can be told of it.

    Raises:
        psycopg.errors.ExclusionViolation: another head lease of the asset overlaps.
    """
    binds = {"tenant": tenant, "asset_id": asset_id, "party_id": party_id, "form": form}
    rows = await _rows(conn, "create_lease", {**binds, "from": moment(from_us), "to": moment(to_us)})
    await leases.refresh_stage(conn, asset_id)
    return str(rows[0]["lease_id"])


async def change_setting(conn: Connection, tenant: str, rule: str, name: str, value: Any, from_us: int | None) -> None:
    """Give a setting another value from an instant on (None: for all time); what was believed before stays on record."""
    binds = {"tenant": tenant, "rule": rule, "name": name, "value": staging.json(value), "from": moment(from_us)}
    await conn.execute(SQL["change_setting"], binds)


async def _streams(conn: Connection, query: str, wanted: Collection[StreamKey]) -> dict[StreamKey, int]:
    keys = ("tenant", "origin", "class", "scheme", "value")
    binds = {name: [key[index] for key in wanted] for index, name in enumerate(keys)}
    rows = await _rows(conn, query, binds)
    return {(row["tenant"], row["origin"], row["class"], row["scheme"], row["value"]): row["stream_id"] for row in rows}


async def _rows(conn: Connection, query: str, binds: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    return await (await conn.execute(SQL[query], binds)).fetchall()


def _span(row: Mapping[str, Any]) -> Span:
    return Span(row["from_time"], row["to_time"])
