"""Rows of an imported file written by their natural keys: twice is once.

Each function writes one row and says what became of it; `row_of` lets one row fail without the others, `trial` lets all of them
be tried and nothing stay. Inside a scope (`store.pool.scope`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg

from fleet.instants import from_datetime, to_datetime
from fleet.lease import Lease, UnreadableTerms, stored_terms
from fleet.lease_phase import Refusal
from store import desk, leases, registry, staging
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


async def has_tenant(conn: Connection, tenant: str) -> bool:
    """Whether there is such a tenant in the scope."""
    return await _one(conn, "tenant", {"tenant": tenant}) is not None


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


async def put_lease(
    conn: Connection, tenant: str, actor: str, lease: Lease, identifier: tuple[str, str], delivered_us: int | None,
    redelivered_us: int | None, documents: Mapping[str, str],
) -> Outcome:  # fmt: skip
    """A lease by its reference: drafted, signed, delivered, redelivered, as far as the row goes and it has not happened yet.

    The same guards judge it as one entered by hand. A paper that differs from the one that is there is not laid over it.

    Raises:
        RowRefused: no such asset, party or parent; another paper under that reference; a step that cannot have been.
    """
    asset_id = await _asset_bearing(conn, tenant, identifier)
    lessee = await _one(conn, "party", {"tenant": tenant, "name": lease.lessee})
    if lessee is None:
        raise RowRefused(f"there is no party named {lease.lessee}", "lessee")
    parent = None
    if lease.parent_lease_id is not None:
        parent = (await _lease(conn, tenant, lease.parent_lease_id, "parent_reference"))["lease_id"]
    known = await _one(conn, "lease", {"tenant": tenant, "reference": lease.id})
    outcome: Outcome = "unchanged"
    if known is None:
        lease_id = await leases.draft(
            conn,
            leases.NewLease(
                tenant=tenant, asset_id=asset_id, form=lease.form, lessee_party_id=str(lessee["party_id"]), from_us=lease.from_us,
                to_us=lease.to_us, terms=lease.terms, parent_lease_id=parent, reference=lease.id, actor=actor,
            ),
        )  # fmt: skip
        outcome = "added"
    else:
        lease_id = known["lease_id"]
        same = {
            "asset": known["asset_id"] == asset_id, "form": known["form"] == lease.form,
            "term_from": known["promise_from"] == lease.from_us, "term_to": known["promise_to"] == lease.to_us,
            "terms": stored_terms(known["terms"]) == lease.terms,
        }  # fmt: skip
        for column, holds in same.items():
            if not holds:
                detail = "differs from the lease that is there; papers are changed where the lease is"
                raise RowRefused(detail, None if column == "terms" else column)
    rows = await (await conn.execute(SQL["now"])).fetchall()
    done = await _steps(conn, lease_id, _events_of(lease, delivered_us, redelivered_us, documents), actor, rows[0]["at"])
    return "changed" if outcome == "unchanged" and done else outcome


def _events_of(
    lease: Lease, delivered_us: int | None, redelivered_us: int | None, documents: Mapping[str, str]
) -> list[tuple[str, str, int, dict[str, Any]]]:  # fmt: skip
    """(kind, column, at, evidence) of what a row says happened, in order."""
    found: list[tuple[str, str, int, dict[str, Any]]] = []
    if lease.signed_on is not None:
        signed = datetime(lease.signed_on.year, lease.signed_on.month, lease.signed_on.day, tzinfo=UTC)
        found.append(("lease_signed", "signed_on", from_datetime(signed), {}))
    delivery = {name: documents[name] for name in ("acceptance_certificate", "insurance_certificate") if name in documents}
    if delivered_us is not None:
        found.append(("lease_delivery", "delivered_at", delivered_us, delivery))
    if redelivered_us is not None:
        given = {"redelivery_certificate": documents.get("redelivery_certificate", "")}
        found.append(("redelivery", "redelivered_at", redelivered_us, given))
    return found


async def _steps(
    conn: Connection, lease_id: str, events: Sequence[tuple[str, str, int, dict[str, Any]]], actor: str, at_us: int
) -> int:  # fmt: skip
    """Enter the events that have not happened yet; how many. Raises RowRefused."""
    kinds = [kind for kind, _, _, _ in events]
    rows = await (await conn.execute(SQL["lease_events"], {"lease": lease_id, "kinds": kinds})).fetchall()
    happened = {row["kind"]: row["at"] for row in rows}
    done = 0
    for kind, column, when_us, evidence in events:
        if kind in happened:
            if happened[kind] != when_us:
                raise RowRefused("differs from what is recorded; events are corrected where the lease is", column)
            continue
        told = leases.Told(lease_id=lease_id, kind=kind, at_us=when_us, evidence=evidence, actor=actor)
        entered = await leases.record(conn, told, at_us)
        if isinstance(entered, Refusal):
            raise RowRefused(f"{kind} cannot be: {entered.reason}", column)
        done += 1
    return done


async def put_report(
    conn: Connection, tenant: str, actor: str, reference: str, identifier: tuple[str, str], month: str,
    figures: Mapping[str, Any], signed_by: str | None, received_us: int,
) -> Outcome:  # fmt: skip
    """A monthly report by lease, asset and month, which is the billing zone's.

    Raises:
        RowRefused: no such lease or asset; terms that do not say when months begin; another report of that month is there.
    """
    lease = await _lease(conn, tenant, reference, "lease")
    asset_id = await _asset_bearing(conn, tenant, identifier)
    terms = stored_terms(lease["terms"])
    if isinstance(terms, UnreadableTerms):
        raise RowRefused(f"the terms of the lease cannot be read: {terms.words}", "lease")
    zone = ZoneInfo(terms.billing_time_zone)
    year, number = (int(part) for part in month.split("-"))
    begin = datetime(year, number, 1, tzinfo=zone)
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    binds = {"lease": lease["lease_id"], "asset": asset_id, "from": begin, "to": end}
    known = await _one(conn, "report", binds)
    if known is not None:
        if (known["from_time"], known["to_time"]) != (from_datetime(begin), from_datetime(end)) or known["figures"] != dict(
            figures
        ):
            raise RowRefused("another report of that month is there; reports are corrected where the lease is", "month")
        return "unchanged"
    added = {"tenant": tenant, "figures": staging.json(dict(figures)), "signed_by": signed_by, "actor": actor}
    await conn.execute(SQL["add_report"], {**binds, **added, "received": to_datetime(received_us)})
    return "added"


async def _lease(conn: Connection, tenant: str, reference: str, column: str) -> dict[str, Any]:
    rows = await (await conn.execute(SQL["lease"], {"tenant": tenant, "reference": reference})).fetchall()
    if len(rows) != 1:
        raise RowRefused(f"there {'is no lease' if not rows else 'are several leases'} of reference {reference}", column)
    return rows[0]


async def _asset_bearing(conn: Connection, tenant: str, identifier: tuple[str, str]) -> str:
    scheme, value = identifier
    rows = await (await conn.execute(SQL["asset_bearing"], {"tenant": tenant, "scheme": scheme, "value": value})).fetchall()
    if len(rows) != 1:
        raise RowRefused(f"{'no asset bears' if not rows else 'several assets bear'} {scheme}:{value}", "asset")
    return str(rows[0]["asset_id"])


async def _one(conn: Connection, query: str, binds: Mapping[str, Any]) -> dict[str, Any] | None:
    return await (await conn.execute(SQL[query], binds)).fetchone()
