"""Where assets stayed: calls at ports, and stretches of a still state. One set query, inside a scope (`store.pool.scope`)."""

from __future__ import annotations

from typing import Any, NamedTuple

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("stays")
Row = dict[str, Any]


class StayFilter(NamedTuple):
    """Which stays: of an asset, of these kinds, touching [from_us, to_us), lasting at `at_us`, as known at `known_us`.

    `confidence_min` is of calls at ports (1 to 4), `length_s` the shortest to give.
    """

    asset_id: str
    kinds: tuple[str, ...]
    from_us: int
    to_us: int
    confidence_min: int = 1
    length_s: float = 0.0
    at_us: int | None = None
    known_us: int | None = None


async def stays(conn: Connection, which: StayFilter, after: tuple[int, str] | None, limit: int) -> list[Row]:
    """Stays in order of (started_at, kind), after that key.

    Rows hold `kind`, `place`, `started_at`, `ended_at` (None while it lasts), `seen_until`, `length_s` (up to `seen_until`),
    `observed_s`, `distance_m`, `method`, `sources` (seconds by source), `confidence` and `quality` (None but for calls).
    """
    binds = {
        "asset": which.asset_id,
        "kinds": list(which.kinds),
        "from": to_datetime(which.from_us),
        "to": to_datetime(which.to_us),
        "confidence": which.confidence_min,
        "length_s": which.length_s,
        "at": None if which.at_us is None else to_datetime(which.at_us),
        "known": None if which.known_us is None else to_datetime(which.known_us),
        "after_at": None if after is None else to_datetime(after[0]),
        "after_kind": None if after is None else after[1],
        "limit": limit,
    }
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(SQL["stays"], binds, prepare=False)
        return await cursor.fetchall()
