"""Who an asset is and what it consists of: identifiers, names and flags over time, components on their parents.

Facts are dated twice. A change closes what was believed of its period and writes what is believed now; streams follow
identifiers, and whatever was derived from them is marked to be derived again (`reattribute` in the database).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.identifiers import BORNE_TOGETHER, DESIGNATIONS
from fleet.instants import to_datetime
from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("identities")
Row = dict[str, Any]


async def bear(
    conn: Connection, asset_id: str, scheme: str, value: str, from_us: int | None, to_us: int | None, *, source: str
) -> None:
    """Believe from now on that an asset bore an identifier, name or flag in [from, to); None is open.

    What it bore of the same scheme in that period ends for it, but for schemes of which it may bear several (`BORNE_TOGETHER`).
    A name of today becomes the one that lists show. Streams follow (`follow`).

    Args:
        conn: inside a scope, or as the worker.
        asset_id: must be there.
        scheme: of `fleet.identifiers.SCHEME_FORMS` or `DESIGNATIONS`.
        value: well-formed; the caller has asked `identity_fault`.
        from_us: inclusive.
        to_us: exclusive.
        source: who says so: `registration`, `paper`, `accepted:FINDING`.

    Raises:
        psycopg.errors.ExclusionViolation: another asset of the tenant bears the identifier in that period (`bearer` asks before).
    """
    binds = {"asset": asset_id, "scheme": scheme, "value": value, "source": source, **_period(from_us, to_us)}
    if scheme in DESIGNATIONS:
        if scheme == "name":
            await conn.execute(SQL["first_name"], {"asset": asset_id})
        await conn.execute(SQL["bear_designation"], binds)
        if scheme == "name":
            await conn.execute(SQL["show_name"], {"asset": asset_id})
    else:
        await conn.execute(SQL["bear_identifier"], {**binds, "alone": scheme not in BORNE_TOGETHER})
    await follow(conn, asset_id, from_us, to_us)


async def end(conn: Connection, asset_id: str, scheme: str, value: str, at_us: int) -> bool:
    """Believe from now on that an asset does not bear this from an instant on; False where it did not anyway."""
    query = "end_designation" if scheme in DESIGNATIONS else "end_identifier"
    binds = {"asset": asset_id, "scheme": scheme, "value": value, "at": to_datetime(at_us)}
    ended = (await _rows(conn, query, binds))[0]
    if not ended["count"]:
        return False
    await follow(conn, asset_id, at_us, None if ended["is_open"] else ended["to_time"])
    return True


async def follow(conn: Connection, asset_id: str, from_us: int | None, to_us: int | None) -> int:
    """Let streams follow the asset's identifiers in a period and mark what is to be derived again; how many beliefs changed."""
    return int((await _rows(conn, "reattribute", {"asset": asset_id, **_period(from_us, to_us)}))[0]["changed"])


async def bearer(conn: Connection, asset_id: str, scheme: str, value: str, from_us: int | None, to_us: int | None) -> str | None:
    """Which other asset of the same tenant and class bears an identifier somewhere in a period; None where none does."""
    found = await _rows(conn, "bearer", {"asset": asset_id, "scheme": scheme, "value": value, **_period(from_us, to_us)})
    return str(found[0]["asset_id"]) if found else None


async def install(
    conn: Connection, asset_id: str, parent_asset_id: str, position: str, from_us: int | None, to_us: int | None, *, source: str
) -> None:
    """Believe from now on that a component sat on a parent in [from, to); where else it was in that period ends.

    Raises:
        psycopg.errors.ExclusionViolation: another component sits in that position then (`occupant` asks before).
    """
    binds = {"asset": asset_id, "parent": parent_asset_id, "position": position, "source": source}
    await conn.execute(SQL["install"], {**binds, **_period(from_us, to_us)})


async def remove(conn: Connection, asset_id: str, at_us: int) -> bool:
    """Believe from now on that a component sits nowhere from an instant on; False where it did not anyway."""
    return bool((await _rows(conn, "remove", {"asset": asset_id, "at": to_datetime(at_us)}))[0]["count"])


async def occupant(
    conn: Connection, asset_id: str, parent_asset_id: str, position: str, from_us: int | None, to_us: int | None
) -> str | None:
    """Which other component sits in a position of a parent somewhere in a period; None where none does."""
    binds = {"asset": asset_id, "parent": parent_asset_id, "position": position, **_period(from_us, to_us)}
    found = await _rows(conn, "occupant", binds)
    return str(found[0]["asset_id"]) if found else None


async def installations(
    conn: Connection, asset_id: str, at_us: int | None, known_us: int | None, after: int | None, limit: int
) -> list[Row]:
    """Where an asset sat and what sat on it, the latest recorded first; all there ever were, or those that held at an instant."""
    binds = {"asset": asset_id, "at": moment(at_us), "known": moment(known_us), "after": after, "limit": limit}
    return await _rows(conn, "installations", binds)


async def _rows(conn: Connection, query: str, binds: Mapping[str, Any]) -> list[Row]:
    return await (await conn.execute(SQL[query], binds)).fetchall()


def _period(from_us: int | None, to_us: int | None) -> dict[str, Any]:
    return {"from": moment(from_us), "to": moment(to_us)}
