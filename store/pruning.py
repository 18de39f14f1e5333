"""What may be forgotten, and when. Readings, findings and alerts are not here: they are the record."""

from __future__ import annotations

import msgspec

from store.pool import Connection
from store.queries import load

SQL = load("pruning")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of each is kept; all chosen, all to be set by an operator.

    Rejections long enough to mend a device and replay; traffic as a busy sea area has it several times over; pages come back
    within a day; a client repeats a write within a day (Stripe keeps idempotency keys as long); checkpoints as long as late
    readings are judged again (design 5.7); contributions as long as `priors` reads them, and the horizon.
    """

    rejection_days: int = 30
    rejection_bytes_max: int = 256 * 1024 * 1024
    traffic_rows_max: int = 200_000
    live_event_hours: int = 24
    idempotency_hours: int = 24
    horizon_h: int = 72
    prior_days: int = 12


async def prune(conn: Connection, limits: Limits) -> dict[str, int]:
    """Forget what is beyond the limits; returns how many rows of each table went. For the worker's role, now and then."""
    wanted = {
        "rejections": {"days": limits.rejection_days, "bytes_max": limits.rejection_bytes_max},
        "traffic": {"rows_max": limits.traffic_rows_max},
        "live_events": {"hours": limits.live_event_hours},
        "idempotency_keys": {"hours": limits.idempotency_hours},
        "checkpoints": {"horizon_h": limits.horizon_h},
        "prior_contributions": {"days": limits.prior_days},
    }
    gone: dict[str, int] = {}
    for name, binds in wanted.items():
        row = await (await conn.execute(SQL[name], binds)).fetchone()
        gone[name] = 0 if row is None else int(row["count"])
    return gone
