"""Numbered, fenced transactions (design 5.4). It knows shards, epochs and numbers; not what is written under them.

The row of a shard in `shard_owner` is its lock, its fence and its counter at once: `begin` locks the rows of all shards of a
batch in order, finds that their epoch is still ours, and takes the next numbers. Whoever claims waits for a commit under way
and fences every later one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from fleet.shards import SHARDS, shard_of
from store.pool import Connection
from store.queries import load

SQL = load("commits")
ALL_SHARDS = range(SHARDS)


class Fenced(RuntimeError):  # noqa: N818  the state we are in, and the word everyone uses
    """Somebody else claimed a shard since: nothing of this transaction may stay, and this worker must stop or claim again."""

    def __init__(self, shards: Collection[int]) -> None:
        super().__init__(f"shards {sorted(shards)} belong to another owner")
        self.shards = frozenset(shards)


class Ownership(msgspec.Struct, frozen=True):
    """What a worker claimed: the shards, and the epoch under which they are its own until the next claim."""

    epoch: int
    shards: frozenset[int]


async def claim(conn: Connection, shards: Iterable[int], owner: str) -> Ownership:
    """Become the owner of `shards` (0..63) from the commit of this transaction on. `owner` is for people: host and process."""
    wanted = sorted(set(shards))
    cursor = await conn.execute(SQL["claim"], {"shards": wanted, "owner": owner})
    rows = await cursor.fetchall()
    if [row["shard"] for row in sorted(rows, key=lambda row: row["shard"])] != wanted:
        raise ValueError(f"no such shards among {wanted}")
    return Ownership(epoch=rows[0]["epoch"], shards=frozenset(wanted))


async def begin(conn: Connection, ownership: Ownership, shards: Iterable[int], attempt: int | None = None) -> dict[int, int]:
    """Number this transaction in each of `shards`; hold on to numbers and mark to ask `is_committed` after a lost reply.

    A number that is rolled back is given again, to whoever asks next. `attempt` tells transactions apart that took the same
    one: draw a new mark (63 bits) for every attempt, and give the same to each `begin` within one.

    Returns:
        The commit number of each shard.

    Raises:
        Fenced: a shard is not ours any more; the transaction must be rolled back.
    """
    wanted = sorted(set(shards))
    cursor = await conn.execute(SQL["begin"], {"shards": wanted, "epoch": ownership.epoch, "attempt": attempt})
    numbers: dict[int, int] = {row["shard"]: row["commit_no"] for row in await cursor.fetchall()}
    if len(numbers) != len(wanted):
        raise Fenced(set(wanted) - set(numbers))
    return numbers


async def begin_for(conn: Connection, key: str) -> int:
    """Number a person's change of the asset (or other thing) `key`; works for the API's role, needs no ownership."""
    cursor = await conn.execute(SQL["begin_for"], {"shard": shard_of(key)})
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101  a function call gives one row
    return int(row["commit_no"])


async def begin_unowned(conn: Connection, shards: Iterable[int]) -> dict[int, int]:
    """Number a transaction in each of `shards` under whoever owns them, for what no owner must do; needs no ownership.

    The shards' rows are locked in the order in which owners lock them.
    """
    numbers: dict[int, int] = {}
    for shard in sorted(set(shards)):
        row = await (await conn.execute(SQL["begin_for"], {"shard": shard})).fetchone()
        assert row is not None  # noqa: S101  a function call gives one row
        numbers[shard] = int(row["commit_no"])
    return numbers


async def is_committed(conn: Connection, commit_nos: Collection[int], attempt: int | None = None) -> bool:
    """Whether the transaction that took these numbers under this mark was committed; asked when its reply was lost."""
    cursor = await conn.execute(SQL["count_committed"], {"commit_nos": list(commit_nos), "attempt": attempt})
    row = await cursor.fetchone()
    return row is not None and row["count"] == len(commit_nos)
