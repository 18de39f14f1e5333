"""Whose is it: identifiers, feeds and grants in memory, asked for every reading without a look at a table.

Pure: built from the registry's rows (`ingest.pipeline` does that whenever the registry's version moves) and asked by
`ingest.routing`. An identifier names an asset of one tenant for a time; a feed of the operator speaks to the tenants that it
is granted to, for dated periods; any other feed or device speaks to its own tenant alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from detect.identity_changed import Record
from detect.model import EMPTY_DOCKET, Docket
from fleet.area_index import AreaIndex, WatchedArea
from fleet.instants import HOUR_US
from fleet.places import Area
from fleet.use import Places
from ingest.places import places_of
from ingest.wire import OPERATOR_TENANT


class Holding(NamedTuple):
    """An asset that an identifier names in [from_us, to_us); open ends are None."""

    tenant: str
    asset_id: str
    asset_class: str
    asset_type: str | None
    from_us: int | None = None
    to_us: int | None = None
    particulars: Mapping[str, float] = {}


class Grant(NamedTuple):
    """A tenant may use a feed of the operator in [from_us, to_us)."""

    feed: str
    tenant: str
    from_us: int | None = None
    to_us: int | None = None


class Threshold(NamedTuple):
    """A number that a rule reads instead of its default, in [from_us, to_us)."""

    tenant: str
    rule: str
    name: str
    value: float
    from_us: int | None = None
    to_us: int | None = None


class Filed(NamedTuple):
    """One thing on file of an asset in [from_us, to_us): a value for a field of its docket.

    A covenant and an adjustment (rule, name, value) add to those that are there; a preset takes the place of an earlier one.
    """

    field: Literal["covenant", "storage_preset", "adjustment"]
    value: Any
    from_us: int | None = None
    to_us: int | None = None

    def covers(self, time_us: int) -> bool:
        """Whether it is on file at an instant."""
        return _covers(self.from_us, self.to_us, time_us)


IdentifierKey = tuple[str, str, str, str]
"""(tenant, class, scheme, value)."""


def docket_of(filed: Iterable[Filed]) -> Docket:
    """The docket that things on file make, in their order; the empty docket itself of nothing."""
    covenants: list[Any] = []
    adjustments: dict[str, dict[str, float]] = {}
    last: dict[str, Any] = {}
    for one in filed:
        if one.field == "covenant":
            covenants.append(one.value)
        elif one.field == "adjustment":
            rule, name, value = one.value
            adjustments.setdefault(rule, {})[name] = value
        else:
            last[one.field] = one.value
    if not covenants and not adjustments and not last:
        return EMPTY_DOCKET
    return Docket(covenants=tuple(covenants), adjustments=adjustments, **last)


def _meets(from_us: int | None, to_us: int | None, begin_us: int, end_us: int) -> bool:
    return (from_us is None or from_us < end_us) and (to_us is None or begin_us < to_us)


def _covers(from_us: int | None, to_us: int | None, time_us: int) -> bool:
    return (from_us is None or from_us <= time_us) and (to_us is None or time_us < to_us)


def holder_at(holdings: Iterable[Holding], time_us: int) -> tuple[Holding, ...]:
    """The one of an identifier's assets that it names at an instant, or none."""
    for holding in holdings:
        if _covers(holding.from_us, holding.to_us, time_us):
            return (holding,)
    return ()


class Roster:
    """What the registry held at one version.

    Args:
        version: the registry's counter.
        tenants: all tenants' names.
        clocks: `live` or `recording` by (tenant, feed).
        holdings: by identifier.
        grants: of the operator's feeds.
        settings: thresholds of tenants (`_` for every tenant), dated.
        records: what is on record of who each asset is, by asset, dated.
        areas: ports and other places by tenant (`_`: everybody's).
        watched: areas that rules watch, by tenant (`_`: everybody's).
        filed: what is on file of single assets, by asset, dated.
    """

    def __init__(
        self,
        *,
        version: int,
        tenants: Iterable[str],
        clocks: dict[tuple[str, str], str],
        holdings: Iterable[tuple[IdentifierKey, Holding]],
        grants: Iterable[Grant] = (),
        settings: Iterable[Threshold] = (),
        records: Iterable[tuple[str, Record]] = (),
        areas: Mapping[str, Sequence[Area]] | None = None,
        watched: Mapping[str, Sequence[WatchedArea]] | None = None,
        filed: Iterable[tuple[str, Filed]] = (),
    ) -> None:
        self.version = version
        self.tenants = frozenset(tenants)
        self.clocks = clocks
        self._holdings: dict[IdentifierKey, list[Holding]] = defaultdict(list)
        self.assets: dict[str, Holding] = {}
        for key, holding in holdings:
            self._holdings[key].append(holding)
            self.assets[holding.asset_id] = holding
        self._grants: dict[str, list[Grant]] = defaultdict(list)
        for grant in grants:
            self._grants[grant.feed].append(grant)
        self._settings: dict[str, list[Threshold]] = defaultdict(list)
        for threshold in settings:
            self._settings[threshold.tenant].append(threshold)
        self._records: dict[str, list[Record]] = defaultdict(list)
        for asset_id, record in records:
            self._records[asset_id].append(record)
        self._filed: dict[str, list[Filed]] = {}
        for asset_id, one in filed:
            self._filed.setdefault(asset_id, []).append(one)
        self._areas = areas or {}
        self._places: dict[str, Places] = {}
        self._watched = watched or {}
        self._indexes: dict[str, AreaIndex | None] = {}

    def records(self, asset_id: str) -> Sequence[Record]:
        """What is on record of who an asset is."""
        return self._records.get(asset_id, ())

    def holders(self, tenant: str, feed: str | None, key: tuple[str, str, str], time_us: int) -> tuple[Holding, ...]:
        """The assets, at most one a tenant, that a reading of (class, scheme, value) at an instant speaks of.

        Args:
            tenant: of the topic.
            feed: name of the feed, None for a device.
            key: class, scheme and value as the reading named it.
            time_us: event time.
        """
        if tenant != OPERATOR_TENANT:
            return self._of(tenant, key, time_us)
        if feed is None:
            return ()
        found: list[Holding] = []
        for grant in self._grants.get(feed, ()):
            if _covers(grant.from_us, grant.to_us, time_us):
                found.extend(self._of(grant.tenant, key, time_us))
        return tuple(found)

    def holdings(self, key: IdentifierKey) -> Sequence[Holding]:
        """The assets of its tenant that an identifier names, each for its time; none of the operator, who has no devices."""
        return self._holdings.get(key, ()) if key[0] != OPERATOR_TENANT else ()

    def _of(self, tenant: str, key: tuple[str, str, str], time_us: int) -> tuple[Holding, ...]:
        return holder_at(self._holdings.get((tenant, *key), ()), time_us)

    def is_recording(self, tenant: str, feed: str | None) -> bool:
        """Whether a feed's clock is that of a recording; devices and unknown feeds are live."""
        return feed is not None and self.clocks.get((tenant, feed)) == "recording"

    def places(self, tenant: str) -> Places:
        """The places of the world as a tenant knows them: its own areas and everybody's, and all airports."""
        found = self._places.get(tenant)
        if found is None:
            own = (*self._areas.get(OPERATOR_TENANT, ()), *self._areas.get(tenant, ()))
            found = self._places[tenant] = places_of(own)
        return found

    def areas(self, tenant: str) -> AreaIndex | None:
        """The areas that rules watch for a tenant: its own, and everybody's but such as bear the id of one of its own."""
        if tenant not in self._indexes:
            own = self._watched.get(tenant, ())
            ids = {area.id for area in own}
            others = () if tenant == OPERATOR_TENANT else self._watched.get(OPERATOR_TENANT, ())
            known = [*own, *(area for area in others if area.id not in ids)]
            self._indexes[tenant] = AreaIndex(known) if known else None
        return self._indexes[tenant]

    def has_file(self, asset_id: str) -> bool:
        """Whether anything was ever put on file of an asset."""
        return asset_id in self._filed

    def docket(self, asset_id: str, hour_us: int) -> Docket:
        """What is on file of an asset in the hour that begins at an instant; the empty docket itself where nothing is.

        Covenants that are in force in a part of the hour are among them: they bear their own dates.
        """
        filed = self._filed.get(asset_id)
        if filed is None:
            return EMPTY_DOCKET
        return docket_of([one for one in filed if _meets(one.from_us, one.to_us, hour_us, hour_us + HOUR_US)])

    def settings(self, tenant: str, at_us: int) -> dict[str, dict[str, float]]:
        """Thresholds in force for a tenant at an instant: the operator's defaults with the tenant's own over them."""
        merged: dict[str, dict[str, float]] = {}
        for threshold in (*self._settings[OPERATOR_TENANT], *self._settings[tenant]):
            if _covers(threshold.from_us, threshold.to_us, at_us):
                merged.setdefault(threshold.rule, {})[threshold.name] = threshold.value
        return merged
