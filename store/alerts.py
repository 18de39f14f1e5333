"""Alerts as they stand and how they came to: the rows; what opens and closes one is decided by `alerts.lifecycle`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fleet.instants import to_datetime, to_rfc3339
from store import staging
from store.pool import Connection
from store.queries import load
from store.rows import AlertChangeRow, AlertRow, FindingRow

SQL = load("alerts")


class StaleAlert(RuntimeError):  # noqa: N818  said as it is
    """An alert is not at the revision that the change was made from; read it again and decide anew."""


async def open_for(conn: Connection, findings: Sequence[FindingRow]) -> list[AlertRow]:
    """The active alert of each finding's (tenant, asset, rule, subject), and any alert that holds one of the findings; locked."""
    if not findings:
        return []
    binds = {
        "tenant": [row.tenant for row in findings],
        "about": [row.asset_id or row.asset for row in findings],
        "rule": [row.rule for row in findings],
        "subject": [row.subject for row in findings],
        "finding_ids": [row.finding_id for row in findings],
    }
    cursor = await conn.execute(SQL["open_for"], binds)
    return [_alert_of(row) for row in await cursor.fetchall()]


async def get(conn: Connection, alert_id: str, *, lock: bool = False) -> AlertRow | None:
    """One alert within the scope, or None; with `lock` nobody else changes it until this transaction ends."""
    cursor = await conn.execute(SQL["get_locked" if lock else "get"], {"alert_id": alert_id})
    row = await cursor.fetchone()
    return None if row is None else _alert_of(row)


async def by_id(conn: Connection, alert_ids: Collection[str]) -> list[AlertRow]:
    """Alerts by their ids, locked, in order of id; those that are not there are left out."""
    cursor = await conn.execute(SQL["by_id"], {"alert_ids": sorted(alert_ids)})
    return [_alert_of(row) for row in await cursor.fetchall()]


async def write(conn: Connection, changes: Iterable[AlertChangeRow], commit_nos: Mapping[int, int]) -> None:
    """Write changes in their order: the alert as it then stands, and a line of its history for each.

    Raises:
        StaleAlert: an alert changed since it was read (read it with `open_for` or `get(lock=True)`).
        psycopg.errors.UniqueViolation: a second active alert of one key; a fault of the caller.
    """
    for change in changes:
        alert, commit_no = change.alert, commit_nos[change.shard]
        binds = {**_binds(alert), "commit_no": commit_no}
        if alert.revision == 1:
            await conn.execute(SQL["open"], binds)
        elif (await conn.execute(SQL["change"], {**binds, "revision_before": alert.revision - 1})).rowcount != 1:
            raise StaleAlert(f"{alert.alert_id} is not at revision {alert.revision - 1}")
        about = {
            "alert_id": alert.alert_id,
            "revision": alert.revision,
            "tenant": alert.tenant,
            "change": change.change,
            "actor": change.actor,
            "reason": change.reason,
            "reason_kind": change.reason_kind,
            "before": None if change.before_status is None else staging.json(_before(change)),
            "after": staging.json(_json_of(alert)),
            "commit_no": commit_no,
        }
        await conn.execute(SQL["remember"], about)


def _before(change: AlertChangeRow) -> dict[str, str | None]:
    return {"status": change.before_status, "severity": change.before_severity}


def _binds(alert: AlertRow) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "tenant": alert.tenant,
        "asset_id": alert.asset_id or None,
        "asset": alert.asset,
        "lease_id": alert.lease_id,
        "rule": alert.rule,
        "subject": alert.subject,
        "severity": alert.severity,
        "status": alert.status,
        "opened_at": to_datetime(alert.opened_us),
        "updated_at": to_datetime(alert.updated_us),
        "closed_at": None if alert.closed_us is None else to_datetime(alert.closed_us),
        "revision": alert.revision,
        "evidence": staging.json(alert.evidence),
        "finding_ids": list(alert.finding_ids),
        "incident_id": alert.incident_id,
    }


def _json_of(alert: AlertRow) -> dict[str, Any]:
    """The alert as its history keeps it: instants in RFC 3339."""
    plain = msgspec.to_builtins(alert)
    for name in ("opened", "updated", "closed"):
        time_us = plain.pop(f"{name}_us")
        plain[f"{name}_at"] = None if time_us is None else to_rfc3339(time_us)
    return dict(plain)


def _alert_of(row: Mapping[str, Any]) -> AlertRow:
    return AlertRow(
        alert_id=row["alert_id"],
        tenant=row["tenant"],
        asset_id=row["asset_id"] or "",
        asset=row["asset"],
        lease_id=row["lease_id"],
        rule=row["rule"],
        subject=row["subject"],
        severity=row["severity"],
        status=row["status"],
        opened_us=row["opened_at"],
        updated_us=row["updated_at"],
        closed_us=row["closed_at"],
        revision=row["revision"],
        evidence=row["evidence"],
        finding_ids=tuple(row["finding_ids"]),
        incident_id=row["incident_id"],
    )
