"""Turns of a notifier: which deliveries it may make now, when it must look again, how it ends one.

`deliveries` has the rows and the plain steps; here are those of a notifier that shares its places fairly between endpoints,
gives back what it cannot finish, and disables an endpoint aloud. When to try again and what an answer means is
`alerts.policy`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fleet.instants import to_datetime
from store import deliveries, outbox
from store.deliveries import Attempt, Delivery, Outcome
from store.pool import Connection
from store.queries import load
from store.rows import EventRow

SQL = load("dispatch")

CHANNEL = "keelwing_outbox"
"""Notified whenever an event came into the outbox (migration 0005)."""

DISABLED_TYPE = "keelwing.webhook.disabled.v1"
"""CloudEvents type of the event that tells a tenant's other endpoints that one was disabled; its subject is `webhook/{id}`."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries to make now, and the seconds until another becomes due or a claim lapses (None: none waits)."""

    deliveries: list[Delivery]
    due_in_s: float | None


async def claim(conn: Connection, limit: int, lease_s: float, per_endpoint_max: int) -> Turn:
    """Claim at most `limit` due deliveries for `lease_s` seconds, at most `per_endpoint_max` of one endpoint under way at once.

    Commit before sending them. Who is killed with them in hand gives them back when the lease runs out.
    """
    claimed: list[Delivery] = []
    if limit > 0:
        cursor = await conn.execute(SQL["claim"], {"limit": limit, "lease_s": lease_s, "per_endpoint_max": per_endpoint_max})
        claimed = [_delivery_of(row) for row in await cursor.fetchall()]
    row = await (await conn.execute(SQL["due_in"])).fetchone()
    return Turn(deliveries=claimed, due_in_s=None if row is None else row["due_in_s"])


async def release(conn: Connection, given: list[Delivery]) -> None:
    """Give claims back for which no attempt was recorded."""
    ids = {"webhook_ids": [one.webhook_id for one in given], "event_ids": [one.event_id for one in given]}
    await conn.execute(SQL["release"], ids)


async def failing_since(conn: Connection, delivery: Delivery, grace_began_us: int) -> int | None:
    """When the endpoint's first recorded failure since its last success began (microseconds); None when there is none.

    What it failed before it was last disabled does not count against it again. `grace_began_us` is the instant before which a
    first failure would disable the endpoint.
    """
    asked = {
        "webhook_id": delivery.webhook_id,
        "tenant": delivery.tenant,
        "grace_began_at": to_datetime(grace_began_us),
        "disabled_type": DISABLED_TYPE,
        "subject": f"webhook/{delivery.webhook_id}",
    }
    row = await (await conn.execute(SQL["failing_since"], asked)).fetchone()
    return None if row is None else row["failing_since"]


async def finish(conn: Connection, attempt: Attempt, outcome: Outcome, disabled: EventRow | None) -> bool:
    """Record an attempt and what follows, and tell the tenant's other endpoints when one is disabled by it.

    Nothing is recorded when the endpoint was deleted meanwhile: its deliveries went with it.

    Args:
        conn: in a transaction.
        attempt: the request that was made.
        outcome: what follows from it.
        disabled: the event that says so, given when `outcome.disable_reason` is.

    Returns:
        Whether this call disabled the endpoint.
    """
    key = {"webhook_id": attempt.webhook_id, "event_id": attempt.event_id}
    row = await (await conn.execute(SQL["lock"], key)).fetchone()
    if row is None:
        return False
    await deliveries.record(conn, attempt, outcome)
    if disabled is None or not row["enabled"]:
        return False
    await outbox.insert(conn, [disabled])
    return True


def _delivery_of(row: dict[str, Any]) -> Delivery:
    return Delivery(
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
