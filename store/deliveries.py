"""Where each event stands with each endpoint: attempts and outcomes. Who may send what when is `dispatch`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from fleet.instants import to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("deliveries")
State = Literal["pending", "sent", "failed", "exhausted"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event to send to one endpoint: `attempts` made before, `secrets` newest first; `body` has no `sequence`."""

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
