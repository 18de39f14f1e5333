"""A file into the database: all of it or nothing, every fault by its row.

It knows no HTTP: the command line imports the same way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from api.imports.columns import KINDS, Kind, kind_of
from api.imports.rows import AssetRow, LeaseRow, PartyRow, ReportRow, read_rows
from api.imports.tables import RowFault, Table, tables_of
from store import imports
from store.pool import Connection

FAULTS_MAX = 1000  # chosen: more than anybody mends before trying again


class TableOutcome(msgspec.Struct, kw_only=True):
    """What became of one table: its kind, and how many of its rows were added, changed, and there already as they are."""

    sheet: str | None
    what: str
    rows: int
    added: int = 0
    changed: int = 0
    unchanged: int = 0


class ImportOutcome(msgspec.Struct, kw_only=True):
    """What became of a file. `applied` is true where it was written; with a fault nothing is."""

    dry_run: bool
    applied: bool = False
    tables: list[TableOutcome] = []
    faults: list[RowFault] = []
    warnings: list[RowFault] = []


async def import_file(
    conn: Connection, tenant: str, actor: str, payload: bytes, *, what: str | None, dry_run: bool
) -> ImportOutcome:  # fmt: skip
    """Read a file and write its rows in the transaction of `conn`; a dry run, or a fault, leaves nothing.

    Args:
        conn: inside the scope of the tenant.
        tenant: whose rows they become.
        actor: who imports, for what is signed.
        payload: the file.
        what: the kind of its tables (`assets` …); None: told by the sheet's name or the columns.
        dry_run: try everything, keep nothing.

    Returns:
        Counts by table, and every fault with its row.
    """
    outcome = ImportOutcome(dry_run=dry_run)
    tables = tables_of(payload)
    good = [each for each in tables if isinstance(each, Table)]
    outcome.faults = [each for each in tables if isinstance(each, RowFault)]
    work = _in_order(good, what, outcome)
    async with imports.trial(conn) as kept:
        for table, kind in work:
            await _write(conn, tenant, actor, table, kind, outcome)
        outcome.applied = not dry_run and not outcome.faults
        kept.keep = outcome.applied
    outcome.faults = outcome.faults[:FAULTS_MAX]
    outcome.warnings = outcome.warnings[:FAULTS_MAX]
    return outcome


def _in_order(tables: list[Table], what: str | None, outcome: ImportOutcome) -> list[tuple[Table, Kind]]:
    """Tables with their kinds, those first that others refer to; a table of no kind is a fault."""
    found: list[tuple[Table, Kind]] = []
    for table in tables:
        kind = KINDS[what] if what is not None else kind_of(table.columns, table.sheet)
        if kind is None:
            detail = f"what it holds cannot be told by its columns; say which of {', '.join(KINDS)}"
            outcome.faults.append(RowFault(sheet=table.sheet, row=1, detail=detail))
        else:
            found.append((table, kind))
    order = list(KINDS)
    return sorted(found, key=lambda pair: order.index(pair[1].what))


async def _write(conn: Connection, tenant: str, actor: str, table: Table, kind: Kind, outcome: ImportOutcome) -> None:
    read = read_rows(table, kind)
    outcome.faults.extend(read.faults)
    outcome.warnings.extend(read.warnings)
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    for number, value in read.values:
        try:
            async with imports.row_of(conn):
                counts[await WRITERS[kind.what](conn, tenant, actor, value)] += 1
        except imports.RowRefused as refused:
            outcome.faults.append(RowFault(sheet=table.sheet, row=number, column=refused.column, detail=str(refused)))
    outcome.tables.append(TableOutcome(sheet=table.sheet, what=kind.what, rows=len(table.rows), **counts))


async def _put_party(conn: Connection, tenant: str, actor: str, row: PartyRow) -> imports.Outcome:
    del actor
    return await imports.put_party(
        conn, tenant, row.name, country=row.country, lei=row.lei, parent=row.parent, parent_from_us=row.parent_from_us
    )  # fmt: skip


async def _put_asset(conn: Connection, tenant: str, actor: str, row: AssetRow) -> imports.Outcome:
    del actor
    return await imports.put_asset(
        conn, tenant, row.asset_class, row.name, row.type, row.identifiers, row.particulars
    )  # fmt: skip


async def _put_lease(conn: Connection, tenant: str, actor: str, row: LeaseRow) -> imports.Outcome:
    assert row.lease is not None  # noqa: S101 - a row without one has a fault
    return await imports.put_lease(
        conn, tenant, actor, row.lease, row.identifier, row.delivered_us, row.redelivered_us, row.documents
    )  # fmt: skip


async def _put_report(conn: Connection, tenant: str, actor: str, row: ReportRow) -> imports.Outcome:
    return await imports.put_report(
        conn, tenant, actor, row.lease, row.identifier, row.month, row.figures, row.signed_by, row.received_us
    )  # fmt: skip


WRITERS: dict[str, Callable[[Connection, str, str, Any], Awaitable[imports.Outcome]]] = {
    "parties": _put_party, "assets": _put_asset, "leases": _put_lease, "reports": _put_report,
}  # fmt: skip
