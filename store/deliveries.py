"""Where each event stands with each endpoint: claims that outlive nobody, attempts, outcomes. Sends nothing itself."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("deliveries")
State = Literal["pending", "sent", "failed", "exhausted"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event to send to one endpoint: `attempts` made before, `secrets` to sign with, newest first. `body` lacks `sequence`."""

    event_id: str
    webhook_id: str
    tenant: str
    sequence: int
    attempts: int
    url: str
    secrets: tuple[str, ...]
    time_us: int
    body: dict[str, Any]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was made: `attempt` counts from 1, `status_code` is None when no answer came and `error` says why."""

    event_id: str
    webhook_id: str
    tenant: str
    attempt: int
    started_us: int
    duration_ms: int
    status_code: int | None = None
    error: str | None = None
    response_excerpt: str | None = None
    trigger: Literal["schedule", "replay", "test"] = "schedule"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from it: the delivery's state, when to try again (pending), why to switch the endpoint off (410), or None."""

    state: State
    next_attempt_us: int | None = None
    disable_reason: str | None = None


async def claim(conn: Connection, limit: int, lease_s: float) -> list[Delivery]:
    """Take at most `limit` due deliveries for `lease_s` seconds, oldest due first; commit before sending them.

    Who is killed with them in hand gives them back when the lease runs out; then a receiver may get one twice, under one id.
    """
    cursor = await conn.execute(SQL["claim"], {"limit": limit, "lease_s": lease_s})
    rows = await cursor.fetchall()
    return [
        Delivery(
            event_id=row["event_id"],
            webhook_id=row["webhook_id"],
            tenant=row["tenant"],
            sequence=row["sequence"],
            attempts=row["attempts"],
            url=row["url"],
            secrets=(row["secret"],) if row["secret_previous"] is None else (row["secret"], row["secret_previous"]),
            time_us=row["time"],
            body=row["body"],
        )
        for row in sorted(rows, key=lambda row: (row["webhook_id"], row["sequence"]))
    ]


async def next_due(conn: Connection) -> int | None:
    """When there will be something to claim (microseconds), None while nothing is pending."""
    row = await (await conn.execute(SQL["next_due"])).fetchone()
    return None if row is None else row["time"]


async def record(conn: Connection, attempt: Attempt, outcome: Outcome) -> None:
    """Keep an attempt and what follows from it, in one transaction; the claim ends. Excerpts are cut to 1,024 characters."""
    made = msgspec.structs.asdict(attempt)
    made["started_at"] = to_datetime(made.pop("started_us"))
    made["response_excerpt"] = None if attempt.response_excerpt is None else attempt.response_excerpt[:1024].replace("\0", "")
    await conn.execute(SQL["remember"], made)
    binds = {
        "webhook_id": attempt.webhook_id,
        "event_id": attempt.event_id,
        "attempt": attempt.attempt,
        "state": outcome.state,
        "next_attempt_at": None if outcome.next_attempt_us is None else to_datetime(outcome.next_attempt_us),
    }
    await conn.execute(SQL["settle"], binds)
    if outcome.disable_reason is not None:
        await conn.execute(SQL["disable"], {"webhook_id": attempt.webhook_id, "reason": outcome.disable_reason})
