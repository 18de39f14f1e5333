"""What people change through the API, and the requests it leaves for the worker. All inside a scope, but for the last part.

It knows rows and rights, not roles of keys or HTTP. Alerts are written by `store.alerts`; their steps are decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("desk")
Row = dict[str, Any]


class ReplayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which rejected messages to give to the broker again; a None does not filter, times are of reception."""

    reason: str | None = None
    rejection_ids: tuple[int, ...] | None = None
    from_us: int | None = None
    to_us: int | None = None


class PendingReplay(msgspec.Struct, frozen=True, kw_only=True):
    """A request that the worker took up; it is its own until the transaction ends."""

    request_id: int
    tenant: str
    wanted: ReplayRequest


async def change_asset(
    conn: Connection, asset_id: str, *, name: str | None, asset_type: str | None, type_given: bool, particulars: dict[str, Any]
) -> None:
    """Rename, retype, or merge particulars (a null one is removed, RFC 7396)."""
    wanted = {"name": name, "type": asset_type, "type_given": type_given, "particulars": Jsonb(particulars), "asset": asset_id}
    await conn.execute(SQL["change_asset"], wanted)


async def add_comment(conn: Connection, alert_id: str, author: str, comment: str) -> Row | None:
    """A comment under an alert; None where there is no such alert."""
    return await _one(conn, "add_comment", {"alert": alert_id, "author": author, "comment": comment})


async def create_webhook(
    conn: Connection, *, url: str, description: str, types: Sequence[str], severity_min: str | None, secret: str
) -> str:
    """An endpoint of the scope's tenant; returns its id."""
    wanted = {"url": url, "description": description, "types": list(types), "severity_min": severity_min, "secret": secret}
    row = await _one(conn, "create_webhook", wanted)
    assert row is not None  # noqa: S101 - an insert that does not fail returns its row
    return str(row["webhook_id"])


async def change_webhook(
    conn: Connection, webhook_id: str, *, url: str | None, description: str | None, types: Sequence[str] | None,
    severity_min: str | None, severity_given: bool, enabled: bool | None,
) -> None:  # fmt: skip
    """Change what is given; None leaves alone. `enabled` false stops new deliveries, true starts them and forgets why not."""
    wanted = {
        "url": url, "description": description, "types": None if types is None else list(types), "enabled": enabled,
        "severity_min": severity_min, "severity_given": severity_given, "webhook": webhook_id,
    }  # fmt: skip
    await conn.execute(SQL["change_webhook"], wanted)


async def delete_webhook(conn: Connection, webhook_id: str) -> bool:
    """Remove an endpoint with its deliveries and attempts; False where there was none."""
    return await _one(conn, "delete_webhook", {"webhook": webhook_id}) is not None


async def rotate_secret(conn: Connection, webhook_id: str, secret: str, keep: timedelta) -> bool:
    """Give an endpoint a new secret; the old one signs beside it for `keep`. False where there is no such endpoint."""
    row = await _one(conn, "rotate_secret", {"webhook": webhook_id, "secret": secret, "keep": keep})
    return row is not None and bool(row["rotate_webhook_secret"])


async def replay_deliveries(
    conn: Connection, webhook_id: str, event_id: str | None, from_us: int | None, to_us: int | None
) -> int:  # fmt: skip
    """Put one event, or all that ended badly in a period of event time, in line again; how many."""
    wanted = {"webhook": webhook_id, "event": event_id, "from": moment(from_us), "to": moment(to_us)}
    row = await _one(conn, "replay_deliveries", wanted)
    return 0 if row is None else int(row["count"])


async def request_rejection_replay(conn: Connection, wanted: ReplayRequest, asked_by: str) -> tuple[int, int]:
    """Leave a request for the worker; returns its id and how many rejections it covers now."""
    filters = _replay_filters(wanted)
    request = await _one(conn, "request_rejection_replay", {**filters, "by": asked_by})
    covered = await _one(conn, "count_replayable", filters)
    assert request is not None and covered is not None  # noqa: S101, PT018 - both always return a row
    return int(request["rejection_replay_id"]), int(covered["count"])


async def pending_replays(conn: Connection, limit: int) -> list[PendingReplay]:
    """Requests nobody works on, oldest first, held until the transaction ends. For the worker."""
    rows = await (await conn.execute(SQL["pending_replays"], {"limit": limit})).fetchall()
    return [
        PendingReplay(
            request_id=row["rejection_replay_id"],
            tenant=row["tenant"],
            wanted=ReplayRequest(
                reason=row["reason"],
                rejection_ids=None if row["rejection_ids"] is None else tuple(row["rejection_ids"]),
                from_us=row["from_time"],
                to_us=row["to_time"],
            ),
        )
        for row in rows
    ]


async def replayable(conn: Connection, request: PendingReplay, after: int, limit: int) -> list[Row]:
    """`rejection_id`, `topic` and `payload` of the messages a request covers, in order of id after one. For the worker."""
    wanted = {"tenant": request.tenant, "after": after, "limit": limit, **_replay_filters(request.wanted)}
    return await (await conn.execute(SQL["replayable"], wanted)).fetchall()


async def newest_rejection(conn: Connection) -> int:
    """Id of the newest rejection, 0 when there is none. For the worker: a replay ends here."""
    row = await _one(conn, "newest_rejection", {})
    return 0 if row is None else int(row["rejection_id"])


async def finish_replay(conn: Connection, request_id: int, rejection_ids: Sequence[int]) -> None:
    """Say that these were given to the broker and the request is done. For the worker."""
    await conn.execute(SQL["mark_replayed"], {"rejections": list(rejection_ids)})
    await conn.execute(SQL["finish_replay"], {"request": request_id, "count": len(rejection_ids)})


async def begin_once(conn: Connection, key: str, request_hash: bytes) -> Row | None:
    """Claim an Idempotency-Key; None when it is ours, else the row of who was first (`request_hash`, `response`)."""
    if await _one(conn, "idempotency_begin", {"key": key, "hash": request_hash}) is not None:
        return None
    return await _one(conn, "idempotency_answer", {"key": key})


async def end_once(conn: Connection, key: str, response: dict[str, Any]) -> None:
    """Keep the answer of a claimed key, in the transaction that made it true."""
    await conn.execute(SQL["idempotency_end"], {"key": key, "response": Jsonb(response)})


async def _one(conn: Connection, query: str, wanted: dict[str, Any]) -> Row | None:
    return await (await conn.execute(SQL[query], wanted)).fetchone()


def _replay_filters(wanted: ReplayRequest) -> dict[str, Any]:
    return {
        "reason": wanted.reason,
        "rejections": None if wanted.rejection_ids is None else list(wanted.rejection_ids),
        "from": moment(wanted.from_us),
        "to": moment(wanted.to_us),
    }
