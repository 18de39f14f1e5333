"""What was decided about telling of alerts, and what holds them: `alerts.telling` decides, this keeps it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fleet.instants import to_datetime
from store import findings, staging
from store.pool import Connection
from store.queries import load
from store.rows import FindingRow, NoticeRow

SQL = load("notices")


async def about(conn: Connection, alert_ids: Collection[str], finding_ids: Collection[str]) -> list[NoticeRow]:
    """Everything decided about alerts, given by their ids or by findings about which something was decided; in order."""
    binds = {"alert_ids": sorted(alert_ids), "finding_ids": sorted(finding_ids)}
    cursor = await conn.execute(SQL["about"], binds)
    return [_notice_of(row) for row in await cursor.fetchall()]


async def held_by(conn: Connection, hold_ids: Collection[str]) -> list[tuple[NoticeRow, bool]]:
    """What findings held, in order, each with whether it still waits."""
    cursor = await conn.execute(SQL["held_by"], {"hold_ids": sorted(hold_ids)})
    return [(_notice_of(row), row["is_waiting"]) for row in await cursor.fetchall()]


async def over_budget(conn: Connection, tenant: str) -> list[NoticeRow]:
    """What waits for a tenant's next week, in order."""
    cursor = await conn.execute(SQL["over_budget"], {"tenant": tenant})
    return [_notice_of(row) for row in await cursor.fetchall()]


async def write(conn: Connection, rows: Sequence[NoticeRow], commit_nos: Mapping[int, int]) -> None:
    """Write decisions in their order; what waited of the same alerts waits no more.

    `commit_nos` are those of this transaction: a decision about an asset of another shard goes under any of them.
    """
    if not rows:
        return
    default = next(iter(commit_nos.values()))
    numbers = [commit_nos.get(row.shard, default) for row in rows]
    await conn.execute(SQL["supersede"], {"alert_id": [row.alert_id for row in rows], "commit_no": numbers})
    binds: dict[str, list[Any]] = {
        "tenant": [row.tenant for row in rows],
        "alert_id": [row.alert_id for row in rows],
        "revision": [row.revision for row in rows],
        "asset_id": [row.asset_id or None for row in rows],
        "asset": [row.asset for row in rows],
        "finding_id": [row.finding_id for row in rows],
        "incident_id": [row.incident_id for row in rows],
        "rule": [row.rule for row in rows],
        "severity": [row.severity for row in rows],
        "kind": [row.kind for row in rows],
        "verdict": [row.verdict for row in rows],
        "event_id": [row.event_id for row in rows],
        "hold_id": [row.hold_id for row in rows],
        "why": [staging.json(row.why) for row in rows],
        "decided_at": [to_datetime(row.decided_us) for row in rows],
        "commit_no": numbers,
    }
    await conn.execute(SQL["insert"], binds)


async def causes(conn: Connection, tenants: Collection[str], rules: Collection[str]) -> list[FindingRow]:
    """Open findings of some rules of some tenants. Nobody closes one before this transaction ends."""
    cursor = await conn.execute(SQL["causes"], {"tenants": sorted(tenants), "rules": sorted(rules)})
    return [findings.revision_of(row).row for row in await cursor.fetchall()]


async def origins(conn: Connection, asset_ids: Collection[str]) -> dict[str, str]:
    """Who spoke last of each asset, `device` or `feed:NAME`; one that was never heard is left out."""
    cursor = await conn.execute(SQL["origins"], {"asset_ids": sorted(asset_ids)})
    return {row["asset_id"]: row["origin"] for row in await cursor.fetchall()}


def _notice_of(row: Mapping[str, Any]) -> NoticeRow:
    return NoticeRow(
        tenant=row["tenant"],
        shard=0,
        alert_id=row["alert_id"],
        revision=row["revision"],
        asset_id=row["asset_id"] or "",
        asset=row["asset"],
        finding_id=row["finding_id"],
        incident_id=row["incident_id"],
        rule=row["rule"],
        severity=row["severity"],
        kind=row["kind"],
        verdict=row["verdict"],
        event_id=row["event_id"],
        hold_id=row["hold_id"],
        why=row["why"],
        decided_us=row["decided_at"],
    )
