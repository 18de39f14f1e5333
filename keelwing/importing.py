"""`keelwing import`: files into the database the same way the API takes them, each whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from api.imports.columns import KINDS
from api.imports.run import import_file
from api.settings import ApiSettings
from store import imports
from store.pool import open_pool
from store.walled import Conflict, walled

ACTOR = "keelwing import"


async def import_all(url: str, tenant: str, files: Sequence[Path], what: str | None, *, dry_run: bool) -> list[dict[str, Any]]:
    """Import files one after the other, as the tenant; a file with a fault leaves nothing and does not stop the next.

    Args:
        url: the database.
        tenant: whose rows they become.
        files: CSV or XLSX.
        what: the kind of their tables; None: told by content.
        dry_run: keep nothing.

    Returns:
        For each file its `file` name and what became of it, as the API answers.

    Raises:
        SystemExit: there is no such tenant, or no such kind.
    """
    if what is not None and what not in KINDS:
        raise SystemExit(f"--what is one of {', '.join(KINDS)}")
    found: list[dict[str, Any]] = []
    pool = await open_pool(url, "keelwing_api", 2)
    bytes_max = ApiSettings(database_url=url).import_bytes_max
    try:
        for file in files:
            if file.stat().st_size > bytes_max:
                fault = {"sheet": None, "row": None, "column": None, "detail": f"is larger than {bytes_max} bytes"}
                found.append({"file": str(file), "dry_run": dry_run, "applied": False, "tables": [], "faults": [fault],
                              "warnings": []})  # fmt: skip
                continue
            try:
                async with walled(pool, tenant, None) as conn:
                    if not await imports.has_tenant(conn, tenant):
                        raise SystemExit(f"no tenant {tenant}: see `keelwing tenant`")
                    outcome = await import_file(conn, tenant, ACTOR, file.read_bytes(), what=what, dry_run=dry_run)
                found.append({"file": str(file), **msgspec.to_builtins(outcome)})
            except Conflict as conflict:
                fault = {"sheet": None, "row": None, "column": None, "detail": f"contradicts what is there ({conflict})"}
                found.append({"file": str(file), "dry_run": dry_run, "applied": False, "tables": [], "faults": [fault],
                              "warnings": []})  # fmt: skip
    finally:
        await pool.close()
    return found


def lines_of(outcome: dict[str, Any]) -> Iterator[str]:
    """What became of a file, a line for each table, fault and warning."""
    done = "would be" if outcome["dry_run"] or not outcome["applied"] else "were"
    for table in outcome["tables"]:
        counts = ", ".join(f"{table[name]} {done} {words}" for name, words in (("added", "added"), ("changed", "changed")))
        yield f"{outcome['file']}: {table['what']}, {table['rows']} rows: {counts}, {table['unchanged']} there already"
    for word, rows in (("fault", outcome["faults"]), ("warning", outcome["warnings"])):
        for row in rows:
            where = ", ".join(f"{name} {row[name]}" for name in ("sheet", "row", "column") if row[name] is not None)
            yield f"{outcome['file']}: {word}{': ' + where if where else ''}: {row['detail']}"
    if outcome["faults"]:
        yield f"{outcome['file']}: nothing was written"
