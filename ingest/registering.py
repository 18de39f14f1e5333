"""The registry's rows as the roster that routing asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fleet.asset_class import ASSET_CLASSES
from ingest.roster import Grant, Holding, IdentifierKey, Roster, Threshold
from store.registry import Registry


def roster_of(registry: Registry) -> Roster:
    """Index a copy of the registry. Settings that are no number are left out."""
    holdings: list[tuple[IdentifierKey, Holding]] = []
    for entry in registry.identifiers:
        asset = registry.assets[entry.asset_id]
        if asset.asset_class not in ASSET_CLASSES:
            continue  # an engine never sends
        key = (entry.tenant, entry.asset_class, entry.scheme, entry.value)
        span = (entry.valid.from_us, entry.valid.to_us)
        holdings.append((key, Holding(entry.tenant, entry.asset_id, asset.asset_class, asset.asset_type, *span)))
    return Roster(
        version=registry.version,
        tenants=registry.tenants,
        clocks={feed: str(clock) for feed, clock in registry.feeds.items()},
        holdings=holdings,
        grants=[Grant(entry.feed, entry.tenant, entry.valid.from_us, entry.valid.to_us) for entry in registry.grants],
        settings=_settings(registry),
    )


def _settings(registry: Registry) -> Iterator[Threshold]:
    for entry in registry.settings:
        value: Any = entry.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield Threshold(entry.tenant, entry.rule, entry.name, float(value), entry.valid.from_us, entry.valid.to_us)
