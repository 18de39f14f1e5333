"""Reserve accounts, their prices and their ledger. The ledger is append-only: an entry is answered, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from fleet.maintenance_reserve import Balance
from store import staging
from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("reserves")
Row = dict[str, Any]


class AccountFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which accounts, with sums of entries up to `at_us` as known at `known_us`.

    Each with the price of months that begin on `priced_on` (None: the latest price).
    """

    lease_ids: tuple[str, ...] | None = None
    account_id: str | None = None
    at_us: int | None = None
    known_us: int | None = None
    priced_on: date | None = None


class EntryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which ledger lines: of leases, an account, kinds, the month they are for; effective up to `at_us`, known at `known_us`."""

    lease_ids: tuple[str, ...] | None = None
    account_id: str | None = None
    kinds: tuple[str, ...] | None = None
    month: date | None = None
    at_us: int | None = None
    known_us: int | None = None


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry to append; `at_us` is when it takes effect, `workings` how its amount came about."""

    account_id: str
    kind: str
    amount: Decimal
    at_us: int
    actor: str
    month: date | None = None
    workings: dict[str, Any] = {}
    reverses: int | None = None
    claim_id: int | None = None


class ClosedMonth(msgspec.Struct, frozen=True, kw_only=True):
    """A month as it was closed: of [from_us, to_us), on reported or observed figures."""

    lease_id: str
    month: date
    revision: int
    from_us: int
    to_us: int
    basis: str
    figures: dict[str, Any]
    actor: str


async def accounts(
    conn: Connection, which: AccountFilter, after: tuple[str, str, str] | None, limit: int
) -> list[Row]:  # fmt: skip
    """Accounts in order of (lease, asset, bucket)."""
    lease_id, asset_id, bucket = after or (None, None, None)
    binds = {
        "leases": None if which.lease_ids is None else list(which.lease_ids), "account": which.account_id,
        "at": moment(which.at_us), "known": moment(which.known_us), "priced_on": which.priced_on,
        "after_lease": lease_id, "after_asset": asset_id, "after_bucket": bucket, "limit": limit,
    }  # fmt: skip
    return await (await conn.execute(SQL["accounts"], binds)).fetchall()


def balance_of(row: Row) -> Balance:
    """The balance that an account's row sums up to."""
    return Balance(accrued=row["accrued"], paid_in=row["paid_in"], paid_out=row["paid_out"], retained=row["retained"])


async def open_account(conn: Connection, lease_id: str, asset_id: str, bucket: str, currency: str) -> str:
    """An account of a lease; returns its id. A second one of the same bucket and asset is a `Conflict`."""
    binds = {"lease": lease_id, "asset": asset_id, "bucket": bucket, "currency": currency}
    row = await (await conn.execute(SQL["open_account"], binds)).fetchone()
    assert row is not None  # noqa: S101 - an insert that does not fail returns its row
    return str(row["reserve_account_id"])


async def set_rate(
    conn: Connection, account_id: str, terms: Any, from_day: date, to_day: date | None, actor: str
) -> None:  # fmt: skip
    """Months whose first day lies in [from_day, to_day) are priced so; what was believed stays answerable."""
    binds = {"account": account_id, "terms": staging.json(terms), "from": from_day, "to": to_day, "actor": actor}
    await conn.execute(SQL["set_rate"], binds)


async def rates(
    conn: Connection, account_id: str, on: date | None, known_us: int | None, after: date | None, limit: int
) -> list[Row]:  # fmt: skip
    """An account's prices in order of when they begin."""
    binds = {"account": account_id, "on": on, "known": moment(known_us), "after": after, "limit": limit}
    return await (await conn.execute(SQL["rates"], binds)).fetchall()


async def add_entry(conn: Connection, new: NewEntry) -> int:
    """Append an entry; returns its number."""
    binds = {
        "account": new.account_id, "kind": new.kind, "month": new.month, "amount": new.amount,
        "workings": staging.json(new.workings), "reverses": new.reverses, "claim": new.claim_id, "actor": new.actor,
        "at": moment(new.at_us),
    }  # fmt: skip
    row = await (await conn.execute(SQL["add_entry"], binds)).fetchone()
    assert row is not None  # noqa: S101 - an insert that does not fail returns its row
    return int(row["reserve_entry_id"])


async def entries(conn: Connection, which: EntryFilter, after: int | None, limit: int) -> list[Row]:
    """Ledger lines in the order they were entered, with the names an accounting system books by."""
    binds = {
        "leases": None if which.lease_ids is None else list(which.lease_ids), "account": which.account_id,
        "kinds": None if which.kinds is None else list(which.kinds), "month": which.month, "at": moment(which.at_us),
        "known": moment(which.known_us), "after": after, "limit": limit,
    }  # fmt: skip
    return await (await conn.execute(SQL["entries"], binds)).fetchall()


async def accrued(conn: Connection, lease_id: str, month: date) -> dict[str, Decimal]:
    """What runs charged each account of a lease for a month so far; an account not yet charged is absent.

    What a person adjusted is not among it: an agreed credit stays, whatever is booked again.
    """
    rows = await (await conn.execute(SQL["accrued"], {"lease": lease_id, "month": month})).fetchall()
    return {str(row["reserve_account_id"]): row["amount"] for row in rows if row["accrual_id"] is not None}


async def closed(
    conn: Connection, lease_id: str, month: date | None = None, from_us: int | None = None, to_us: int | None = None
) -> Sequence[ClosedMonth]:  # fmt: skip
    """Months of a lease that were closed and meet [from, to), each as it was last closed."""
    binds = {"lease": lease_id, "month": month, "from": moment(from_us), "to": moment(to_us)}
    return [
        ClosedMonth(
            lease_id=str(row["lease_id"]), month=row["month"], revision=row["revision"], from_us=row["from_time"],
            to_us=row["to_time"], basis=row["basis"], figures=row["figures"], actor=row["actor"],
        )
        for row in await (await conn.execute(SQL["closed"], binds)).fetchall()
    ]  # fmt: skip


async def close_month(conn: Connection, new: ClosedMonth) -> None:
    """Keep what a month was closed on; closed again, it is another revision."""
    binds = {
        "lease": new.lease_id, "month": new.month, "revision": new.revision, "from": moment(new.from_us),
        "to": moment(new.to_us), "basis": new.basis, "figures": staging.json(new.figures), "actor": new.actor,
    }  # fmt: skip
    await conn.execute(SQL["close_month"], binds)
