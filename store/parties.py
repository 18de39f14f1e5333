"""Parties and their corporate groups: who a tenant deals with, who controls whom and when, and what hangs on a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from store import staging
from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("parties")
Row = dict[str, Any]
GROUP_MAX = 500  # chosen: the largest groups of airlines and owners have some hundred companies
LEASES_MAX = 1000


async def find(conn: Connection, q: str | None, known_us: int | None, after: str | None, limit: int) -> list[Row]:
    """Parties in order of id; `q` is a part of the name or the LEI."""
    like = None if q is None else "%" + q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return await _rows(conn, "list", {"party_id": None, "q": like, "known": moment(known_us), "after": after, "limit": limit})


async def get(conn: Connection, party_id: str, known_us: int | None = None) -> Row | None:
    """One party; None where it is not there or not in the scope."""
    rows = await _rows(conn, "list", {"party_id": party_id, "q": None, "known": moment(known_us), "after": None, "limit": 1})
    return rows[0] if rows else None


async def create(
    conn: Connection, tenant: str, name: str, *, country: str | None, lei: str | None, particulars: Mapping[str, Any]
) -> str:
    """A party. Returns its id. Raises psycopg.errors.UniqueViolation where the tenant has one of that name."""
    binds = {"tenant": tenant, "name": name, "country": country, "lei": lei, "particulars": staging.json(particulars)}
    return str((await _rows(conn, "create", binds))[0]["party_id"])


async def change(conn: Connection, party_id: str, given: Mapping[str, Any]) -> None:
    """Change `country`, `lei` and `particulars` as far as they are given (a null one is removed)."""
    binds = {
        "party_id": party_id, "country": given.get("country"), "country_given": "country" in given, "lei": given.get("lei"),
        "lei_given": "lei" in given, "particulars": staging.json(given.get("particulars") or {}),
    }  # fmt: skip
    await conn.execute(SQL["change"], binds)


async def control(
    conn: Connection, tenant: str, party_id: str, parent_party_id: str | None, from_us: int | None, to_us: int | None,
    *, source: str, actor: str,
) -> None:  # fmt: skip
    """Believe from now on that a company controls a party in a period (None: nobody does)."""
    binds = {
        "tenant": tenant, "party_id": party_id, "parent_party_id": parent_party_id, "from": moment(from_us),
        "to": moment(to_us), "source": source, "actor": actor,
    }  # fmt: skip
    await conn.execute(SQL["control"], binds)


async def parents(
    conn: Connection, party_id: str, at_us: int | None, known_us: int | None, after: int | None, limit: int
) -> list[Row]:
    """Which companies control a party; all there ever were, or the one at an instant."""
    binds = {"party_id": party_id, "at": moment(at_us), "known": moment(known_us), "after": after, "limit": limit}
    return await _rows(conn, "parents", binds)


async def group_of(conn: Connection, party_id: str, at_us: int, known_us: int | None) -> list[Row]:
    """A party's corporate group at an instant, the company at its top first; the party alone where nobody controls it."""
    binds = {"party_id": party_id, "at": moment(at_us), "known": moment(known_us), "limit": GROUP_MAX}
    return await _rows(conn, "group_of", binds)


async def leases_of(conn: Connection, party_ids: Sequence[str], at_us: int, known_us: int | None) -> list[Row]:
    """`lease_id` and `asset_id` of the leases in which parties take an asset or answer for who does, at an instant."""
    binds = {"party_ids": list(party_ids), "at": moment(at_us), "known": moment(known_us), "limit": LEASES_MAX}
    return await _rows(conn, "leases_of", binds)


async def reserves_of(conn: Connection, lease_ids: Sequence[str], at_us: int, known_us: int | None) -> list[Row]:
    """Reserve accounts of leases with the sum of their entries by kind; a row without a kind where there is no entry."""
    binds = {"lease_ids": list(lease_ids), "at": moment(at_us), "known": moment(known_us)}
    return await _rows(conn, "reserves_of", binds)


async def _rows(conn: Connection, query: str, binds: Mapping[str, Any]) -> list[Row]:
    return await (await conn.execute(SQL[query], binds)).fetchall()
