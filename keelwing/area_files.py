"""Files of areas into the database: GeoJSON, UN/LOCODE and World Port Index in CSV, told by content; and the demo's own set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from fleet.area_entry import AreaEntry, Defaults, EntryFault, entries_of_csv, entries_of_geojson
from store import areas, registry
from store.areas import Imported
from store.pool import open_pool

DEMO_FILE = "demo_areas.geojson"
FILE_BYTES_MAX = 64 * 1024 * 1024  # chosen: the World Port Index is 2 MB, a nation's coastline some 20


def read_areas(paths: Sequence[Path], defaults: Defaults) -> tuple[list[AreaEntry], list[EntryFault]]:
    """The areas of files and what is wrong with the others. Raises OSError for a file that cannot be read."""
    entries: list[AreaEntry] = []
    faults: list[EntryFault] = []
    for path in paths:
        found, wrong = _read(path, defaults)
        entries += found
        faults += [EntryFault(f"{path}: {fault.pointer or '/'}", fault.detail) for fault in wrong]
    return entries, faults


def _read(path: Path, defaults: Defaults) -> tuple[list[AreaEntry], list[EntryFault]]:
    if path.stat().st_size > FILE_BYTES_MAX:
        return [], [EntryFault("", f"more than {FILE_BYTES_MAX} bytes")]
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # UN/LOCODE is published so
    if text.lstrip()[:1] != "{":
        return entries_of_csv(text, defaults)
    try:
        return entries_of_geojson(json.loads(text), defaults)
    except ValueError as error:
        return [], [EntryFault("", f"no JSON: {error}")]


def demo_entries() -> list[AreaEntry]:
    """The areas authored for the demo: the ports of its lanes, their roads, and invented limits."""
    entries, faults = entries_of_geojson(json.loads((files("keelwing") / DEMO_FILE).read_text(encoding="utf-8")))
    if faults:
        raise ValueError(faults[0])
    return entries


async def import_entries(database_url: str, tenant: str, entries: Sequence[AreaEntry], *, source: str) -> Imported:
    """Import areas of a tenant (`_`: everybody's), which is made if need be, in one transaction."""
    pool = await open_pool(database_url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            if tenant != "_":
                await registry.create_tenant(conn, tenant, tenant)
            return await areas.import_areas(conn, tenant, entries, source=source)
    finally:
        await pool.close()
