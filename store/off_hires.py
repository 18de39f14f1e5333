"""Off-hire: what people decided of a lease's lost time, every revision, and the stops from which it is proposed.

A candidate is not stored: it is computed from what was heard whenever it is asked for, and its id is made of the lease, the state
and its begin, so that a decision about it is found again. A decision closes what was decided before and appends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

import msgspec

from fleet import off_hire
from fleet.instants import DAY_US, to_datetime
from fleet.off_hire import Stretch
from fleet.practice import Practice
from store import staging
from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("off_hires")
LOOKBACK = timedelta(days=366)  # chosen: a longer stop is a lay-up, and its begin is then that of the year
ROWS_MAX = 200_000  # chosen: two years of stops of fifty ships, cut at midnight
CANDIDATES = UUID("3b2a0f7e-0c5e-5d0b-9d0e-6a8f1c5e7d21")
"""Namespace of the candidates' ids (RFC 9562, version 5)."""
MOVING = ("at_sea", "manoeuvring", "drifting", "airborne", "running")
"""States in which an asset is on its way or at least not laid up."""
Row = dict[str, Any]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided: that [from_us, to_us) was lost, or was not. `evidence` holds `net_loss_h`, state, remarks."""

    off_hire_id: str
    lease_id: str
    asset_id: str
    from_us: int
    to_us: int
    status: Literal["confirmed", "rejected"]
    reason: str
    evidence: dict[str, Any]
    actor: str


async def decided(
    conn: Connection, lease_ids: Sequence[str], from_us: int, to_us: int, known_us: int | None, off_hire_id: str | None = None
) -> list[Row]:  # fmt: skip
    """Decisions of leases that meet [from, to), in order of their begin."""
    binds = {
        "leases": list(lease_ids), "off_hire": off_hire_id, "from": to_datetime(from_us), "to": to_datetime(to_us),
        "known": moment(known_us), "limit": ROWS_MAX,
    }  # fmt: skip
    return await _rows(conn, "decided", binds)


async def stops(
    conn: Connection, asset_ids: Sequence[str], from_us: int, to_us: int, known_us: int | None,
    practice: Practice = off_hire.HOUSE,
) -> dict[str, list[Stretch]]:  # fmt: skip
    """Runs of states that may be time lost and meet [from, to), by asset id, in order.

    They are followed back a year before the beginning, so that a stop keeps its begin whatever is asked for.
    """
    on = to_datetime(from_us).date()
    least_h: dict[str, float] = practice.figure("off_hire.candidate_h", on).value
    binds = {
        "assets": list(asset_ids), "states": sorted(least_h), "least": timedelta(hours=min(least_h.values())),
        "silence": timedelta(hours=practice.number("off_hire.join_gap_h", on)), "from": to_datetime(from_us) - LOOKBACK,
        "to": to_datetime(to_us), "known": moment(known_us), "limit": ROWS_MAX,
    }  # fmt: skip
    found: dict[str, list[Stretch]] = {}
    for row in await _rows(conn, "stops", binds):
        if row["ended_at"] > from_us:
            stretch = Stretch(
                state=row["state"], started_at=to_datetime(row["started_at"]), ended_at=to_datetime(row["ended_at"])
            )
            found.setdefault(str(row["asset_id"]), []).append(stretch)
    return found


async def days_still(
    conn: Connection, asset_ids: Sequence[str], from_us: int, to_us: int, known_us: int | None
) -> dict[str, list[date]]:  # fmt: skip
    """UTC days wholly inside [from, to) on which an asset was watched and never on its way, by asset id, in order."""
    binds = {
        "assets": list(asset_ids), "moving": list(MOVING), "from_day": to_datetime(-(-from_us // DAY_US) * DAY_US).date(),
        "to_day": to_datetime(to_us // DAY_US * DAY_US).date(), "known": moment(known_us), "limit": ROWS_MAX,
    }  # fmt: skip
    found: dict[str, list[date]] = {}
    for row in await _rows(conn, "days_still", binds):
        found.setdefault(str(row["asset_id"]), []).append(row["day"])
    return found


def candidate_id(lease_id: str, state: str, started_at: datetime) -> str:
    """The id of a candidate: the same whenever the same stop is proposed, however long it lasts meanwhile."""
    return str(uuid5(CANDIDATES, f"{lease_id} {state} {started_at.isoformat()}"))


async def hold(conn: Connection, lease_id: str) -> None:
    """Let nobody else decide on this lease's off-hire until the transaction ends."""
    await conn.execute(SQL["hold"], {"lease": lease_id})


async def decide(conn: Connection, decision: Decision) -> Row:
    """Append a decision, closing what was decided of the same id; returns its row."""
    closed = await (await conn.execute(SQL["close"], {"off_hire": decision.off_hire_id})).fetchone()
    binds = {
        "off_hire": decision.off_hire_id, "revision": 1 if closed is None else closed["revision"] + 1, "lease": decision.lease_id,
        "asset": decision.asset_id, "from": to_datetime(decision.from_us), "to": to_datetime(decision.to_us),
        "status": decision.status, "reason": decision.reason, "evidence": staging.json(decision.evidence),
        "actor": decision.actor,
    }  # fmt: skip
    row = await (await conn.execute(SQL["insert"], binds)).fetchone()
    assert row is not None  # noqa: S101 - an insert that does not fail returns its row
    return row


async def _rows(conn: Connection, query: str, binds: dict[str, Any]) -> list[Row]:
    # Never a prepared statement: "NULL means no filter" is folded away only when the planner sees the values.
    return await (await conn.execute(SQL[query], binds, prepare=False)).fetchall()
