"""Rows of an imported file written by their natural keys: twice is once.

Each function writes one row and says what became of it; `row_of` lets one row fail without the others, `trial` lets all of them
be tried and nothing stay. Inside a scope (`store.pool.scope`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import psycopg

from fleet.instants import to_datetime
from store import desk, registry
from store.pool import Connection
from store.queries import load
from store.walled import REFUSED, Conflict, UnfitValue

SQL = load("imports")
Outcome = Literal["added", "changed", "unchanged"]


class RowRefused(ValueError):  # noqa: N818 - said as it is
    """A row that cannot be written; its text is for the person who sent it, `column` names the cell where one is to blame."""

    def __init__(self, detail: str, column: str | None = None) -> None:
        super().__init__(detail)
        self.column = column


class Trial:
    """Whether what was tried is to stay; it does not unless somebody says so."""

    keep = False


@asynccontextmanager
async def trial(conn: Connection) -> AsyncIterator[Trial]:
    """What happens inside stays only where the block set `keep`."""
    found = Trial()
    async with conn.transaction() as transaction:
        yield found
        if not found.keep:
            raise psycopg.Rollback(transaction)


@asynccontextmanager
async def row_of(conn: Connection) -> AsyncIterator[None]:
    """One row: constraints are judged at its end, and when it fails only it is undone.

    Raises:
        RowRefused: by the block, or for what the database refuses.
    """
    try:
        async with conn.transaction():
            yield
            await conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except (psycopg.errors.UniqueViolation, psycopg.errors.ExclusionViolation, psycopg.errors.CheckViolation) as error:
        raise RowRefused(f"contradicts what is there already ({error.diag.constraint_name})") from error
    except REFUSED as error:
        raise RowRefused("holds a value that cannot be stored") from error
    except (Conflict, UnfitValue) as error:
        raise RowRefused("contradicts what is there already") from error


async def put_party(
    conn: Connection,
    tenant: str,
    name: str,
    *,
    country: str | None,
    lei: str | None,
    parent: str | None,
    parent_from_us: int | None,
) -> Outcome:
    """A party by its name; a None leaves alone what is known. Another parent follows from `parent_from_us` on (None: always).

    Raises:
        RowRefused: there is no party of the parent's name.
    """
    known = await _one(conn, "party", {"tenant": tenant, "name": name})
    particulars = {"country": country, "lei": lei}
    outcome: Outcome = "unchanged"
    if known is None:
        made = await _one(conn, "add_party", {"tenant": tenant, "name": name, **particulars})
        assert made is not None  # noqa: S101 - an insert that does not fail returns its row
        known, outcome = {"party_id": made["party_id"], "parent": None, "parent_from": None}, "added"
    elif any(value is not None and value != known[column] for column, value in particulars.items()):
        await conn.execute(SQL["change_party"], {"party": known["party_id"], **particulars})
        outcome = "changed"
    if parent is None or (known["parent"], known["parent_from"]) == (parent, parent_from_us):
        return outcome
    above = await _one(conn, "party", {"tenant": tenant, "name": parent})
    if above is None:
        raise RowRefused(f"there is no party named {parent}", "parent")
    since = None if parent_from_us is None else to_datetime(parent_from_us)
    binds = {"tenant": tenant, "party": known["party_id"], "parent": above["party_id"], "from": since}
    await conn.execute(SQL["close_parent"], binds)
    await conn.execute(SQL["add_parent"], binds)
    return "added" if outcome == "added" else "changed"


async def put_asset(
    conn: Connection, tenant: str, asset_class: str, name: str, asset_type: str | None,
    identifiers: Sequence[tuple[str, str]], particulars: Mapping[str, Any],
) -> Outcome:  # fmt: skip
    """An asset by its identifiers: what it lacks is added, name, type and the particulars given follow the file.

    Raises:
        RowRefused: the identifiers belong to two assets.
    """
    pairs = {"scheme": [scheme for scheme, _ in identifiers], "value": [value for _, value in identifiers]}
    rows = await (await conn.execute(SQL["bearers"], {"tenant": tenant, "class": asset_class, **pairs})).fetchall()
    if len(rows) > 1:
        raise RowRefused("its identifiers are borne by " + " and ".join(str(row["asset_id"]) for row in rows))
    missing = {f"{scheme}:{value}" for scheme, value in identifiers} - set(rows[0]["identifiers"] if rows else ())
    if not rows or missing:
        try:
            await registry.register_asset(conn, tenant, asset_class, name, asset_type, identifiers, particulars, source="import")
        except registry.IdentifiersOfTwoAssets as error:
            raise RowRefused(f"its identifiers are borne by {error}") from error
    if not rows:
        return "added"
    row = rows[0]
    differs = row["name"] != name or (asset_type is not None and row["type"] != asset_type)
    differs |= any(row["particulars"].get(key) != value for key, value in particulars.items())
    if differs:
        await desk.change_asset(
            conn, str(row["asset_id"]), name=name, asset_type=asset_type, type_given=asset_type is not None,
            particulars=dict(particulars),
        )  # fmt: skip
    return "changed" if differs or missing else "unchanged"


async def _one(conn: Connection, query: str, binds: Mapping[str, Any]) -> dict[str, Any] | None:
    return await (await conn.execute(SQL[query], binds)).fetchone()
