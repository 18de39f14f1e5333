"""Areas: imported, read, ended. An import closes what it replaces in its period, so that every version stays readable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from fleet.area_entry import AreaEntry
from fleet.instants import to_datetime
from store import staging
from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("areas")
Row = dict[str, Any]
AT_ONCE = 500  # entries of one statement; chosen: some megabytes of coastline


class Imported(NamedTuple):
    """What an import came to: areas that were new, that replaced what was there, and that were there already."""

    added: int
    replaced: int
    unchanged: int


class AreaFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which areas; `bbox` is west, south, east, north in degrees, west > east over 180°."""

    area_id: str | None = None
    kinds: tuple[str, ...] | None = None
    area_set: str | None = None
    text: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    at_us: int | None = None
    known_us: int | None = None


async def import_areas(conn: Connection, tenant: str, entries: Sequence[AreaEntry], *, source: str) -> Imported:
    """Believe from now on that these areas are in force in their periods; the same again is nothing new.

    Args:
        conn: inside a scope of the tenant, or as the worker.
        tenant: whose areas; `_`: everybody's.
        entries: no two of one id overlap in time.
        source: the file, or who sent it.
    """
    given = fresh = replaced = 0
    for first in range(0, len(entries), AT_ONCE):
        some = entries[first : first + AT_ONCE]
        row = await (await conn.execute(SQL["import"], {"tenant": tenant, "source": source, **_binds(some)})).fetchone()
        assert row is not None  # noqa: S101 - an aggregate gives one row
        given, fresh, replaced = given + row["given"], fresh + row["fresh"], replaced + row["replaced"]
    return Imported(added=fresh - replaced, replaced=replaced, unchanged=given - fresh)


async def end(conn: Connection, tenant: str, area_id: str, at_us: int) -> bool:
    """Believe from now on that an area is not in force from an instant on; False where it was not anyway."""
    row = await (await conn.execute(SQL["end"], {"tenant": tenant, "area_id": area_id, "at": to_datetime(at_us)})).fetchone()
    return row is not None and row["count"] > 0


async def areas(conn: Connection, which: AreaFilter, after: tuple[str, int] | None, limit: int) -> list[Row]:
    """Areas of the scope's tenant and everybody's, by id; rows as in the table, with `valid_from` and `valid_to`."""
    west, south, east, north = which.bbox or (None, None, None, None)
    after_id, after_row = after or (None, None)
    binds = {
        "area_id": which.area_id,
        "kinds": None if which.kinds is None else list(which.kinds),
        "area_set": which.area_set,
        "q": None if which.text is None else f"%{which.text}%",
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "at": moment(which.at_us),
        "known": moment(which.known_us),
        "after_id": after_id,
        "after_row": after_row,
        "limit": limit,
    }
    async with conn.cursor() as cursor:  # never prepared: filters that are NULL are folded away when the planner sees the values
        await cursor.execute(SQL["areas"], binds, prepare=False)
        return await cursor.fetchall()


def _binds(entries: Sequence[AreaEntry]) -> dict[str, list[Any]]:
    return {
        "area_id": [entry.area_id for entry in entries],
        "area_set": [entry.area_set for entry in entries],
        "name": [entry.name for entry in entries],
        "kind": [entry.kind for entry in entries],
        "classes": [staging.json(list(entry.applies_to)) for entry in entries],
        "issuer": [entry.issuer for entry in entries],
        "version": [entry.version for entry in entries],
        "severity": [entry.severity for entry in entries],
        "geometry": [staging.json(entry.geometry) for entry in entries],
        "radius_m": [entry.radius_m for entry in entries],
        "west": [entry.west_deg for entry in entries],
        "south": [entry.south_deg for entry in entries],
        "east": [entry.east_deg for entry in entries],
        "north": [entry.north_deg for entry in entries],
        "from": [moment(entry.valid_from_us) for entry in entries],
        "to": [moment(entry.valid_to_us) for entry in entries],
    }
