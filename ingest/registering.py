"""The registry's rows as the roster that routing asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog

from detect.identity_changed import Record, field_of
from fleet import vessel
from fleet.area import GeometryError
from fleet.area_index import WatchedArea
from fleet.asset_class import ASSET_CLASSES
from fleet.clause import clause_of
from fleet.places import Area
from ingest.places import place_area, watched_area
from ingest.roster import Filed, Grant, Holding, IdentifierKey, Roster, Threshold
from store.registry import AreaEntry, LeaseEntry, Registry

log = structlog.get_logger(__name__)

UNNAMED = "replay"  # source of assets that a recording made: their names are what it said, not what anybody gave them
AREAS_KEPT_MAX = 200_000  # shapes kept between versions of the registry; chosen: every anchorage of the world three times over
_KNOWN_AREAS: dict[int, tuple[AreaEntry, Area | None, WatchedArea | None]] = {}


def roster_of(registry: Registry) -> Roster:
    """Index a copy of the registry. Settings that are no number are left out."""
    holdings: list[tuple[IdentifierKey, Holding]] = []
    for entry in registry.identifiers:
        asset = registry.assets[entry.asset_id]
        if asset.asset_class not in ASSET_CLASSES:
            continue  # an engine never sends
        key = (entry.tenant, entry.asset_class, entry.scheme, entry.value)
        span = (entry.valid.from_us, entry.valid.to_us)
        holdings.append(
            (key, Holding(entry.tenant, entry.asset_id, asset.asset_class, asset.asset_type, *span, asset.particulars))
        )
    return Roster(
        version=registry.version,
        tenants=registry.tenants,
        clocks={feed: str(clock) for feed, clock in registry.feeds.items()},
        holdings=holdings,
        grants=[Grant(entry.feed, entry.tenant, entry.valid.from_us, entry.valid.to_us) for entry in registry.grants],
        settings=_settings(registry),
        records=_records(registry),
        areas=_areas(registry),
        watched=_watched(registry),
        filed=_filed(registry),
    )


def _filed(registry: Registry) -> Iterator[tuple[str, Filed]]:
    """What is on file of single assets.

    When an aircraft counts as stored and which clauses bind, by the lease it is under; thresholds that dismissals have widened,
    in the order in which they were made.
    """
    yield from _clauses(registry)
    for lease in registry.leases:
        if lease.storage_preset is not None:
            yield lease.asset_id, Filed("storage_preset", lease.storage_preset, lease.valid.from_us, lease.valid.to_us)
    for entry in registry.adjustments:
        threshold = (entry.rule, entry.name, entry.value)
        yield entry.asset_id, Filed("adjustment", threshold, entry.valid.from_us, entry.valid.to_us)


def _records(registry: Registry) -> Iterator[tuple[str, Record]]:
    """What is on record of who assets are. Until names are dated, the one that somebody gave a ship stands for all time."""
    named = {entry.asset_id for entry in registry.designations if entry.scheme == "name"}
    for entry in (*registry.identifiers, *registry.designations):
        field = field_of(entry.scheme)
        if field is not None:
            yield entry.asset_id, Record(field, entry.value, entry.valid.from_us, entry.valid.to_us, entry.accepted_us)
        asset = registry.assets[entry.asset_id]
        if entry.asset_id not in named and asset.asset_class == vessel.NAME and entry.source != UNNAMED:
            named.add(entry.asset_id)
            yield entry.asset_id, Record("name", asset.name)


def _areas(registry: Registry) -> dict[str, list[Area]]:
    """Places by tenant; the shape of a record is made once, however often the registry changes."""
    found: dict[str, list[Area]] = {}
    for entry in registry.areas:
        place = _known(entry)[1]
        if place is not None:
            found.setdefault(entry.tenant, []).append(place)
    return found


def _watched(registry: Registry) -> dict[str, list[WatchedArea]]:
    """The areas that rules watch, by tenant."""
    found: dict[str, list[WatchedArea]] = {}
    for entry in registry.areas:
        area = _known(entry)[2]
        if area is not None:
            found.setdefault(entry.tenant, []).append(area)
    return found


def _clauses(registry: Registry) -> Iterator[tuple[str, Filed]]:
    """The clauses of leases, each bound for the tenure that its lease came to."""
    tenures: dict[str, list[LeaseEntry]] = {}
    for entry in registry.leases:
        tenures.setdefault(entry.lease_id, []).append(entry)
    for clause in registry.clauses:
        held = tenures.get(clause.lease_id, [])
        paper = registry.papers.get(clause.lease_id)
        head, term_to_us = (True, None) if paper is None else (paper.head, paper.to_us)
        for asset_id in sorted({entry.asset_id for entry in held}):
            spans = sorted((entry.valid for entry in held if entry.asset_id == asset_id), key=lambda span: span.from_us or 0)
            yield asset_id, Filed("covenant", clause_of(clause.given, clause.lease_id, spans, head=head, term_to_us=term_to_us))


def _known(entry: AreaEntry) -> tuple[AreaEntry, Area | None, WatchedArea | None]:
    """An area as a place and for rules; neither of a geometry that is none, which is nobody's reason to stop."""
    known = _KNOWN_AREAS.get(entry.row_id)
    if known is None or known[0] != entry:
        where = (entry.geometry, entry.radius_m, entry.valid.from_us, entry.valid.to_us)
        try:
            place = place_area(entry.area_id, entry.kind, entry.name, *where)
            known = (entry, place, watched_area(place, entry))
        except GeometryError as error:
            log.warning("area.unreadable", tenant=entry.tenant, area_id=entry.area_id, at=error.pointer, detail=error.detail)
            known = (entry, None, None)
        if len(_KNOWN_AREAS) >= AREAS_KEPT_MAX:
            _KNOWN_AREAS.clear()
        _KNOWN_AREAS[entry.row_id] = known
    return known


def _settings(registry: Registry) -> Iterator[Threshold]:
    for entry in registry.settings:
        value: Any = entry.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield Threshold(entry.tenant, entry.rule, entry.name, float(value), entry.valid.from_us, entry.valid.to_us)
