"""Incidents as append-only revisions: which findings were told as one, and since when that was believed.

What belongs together is decided by `alerts.incident`; this keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from fleet.instants import to_datetime
from store import staging
from store.pool import Connection
from store.queries import load
from store.rows import IncidentRow, MemberRow, Stretch

SQL = load("incidents")


class IncidentRevision(msgspec.Struct, frozen=True):
    """An incident as one commit left it."""

    row: IncidentRow
    revision: int


async def around(
    conn: Connection, stretches: Sequence[Stretch], finding_ids: Collection[str], incident_ids: Collection[str]
) -> list[IncidentRevision]:
    """Incidents as they stand: of assets in a time each, those that hold one of the findings, and those of the ids.

    The latter also when they are retracted, so that one that comes back goes on with its revisions.
    """
    binds = _stretches(stretches) | {"finding_ids": sorted(finding_ids), "incident_ids": sorted(incident_ids)}
    cursor = await conn.execute(SQL["around"], binds)
    return [IncidentRevision(_incident_of(row), row["revision"]) for row in await cursor.fetchall()]


async def members(
    conn: Connection, stretches: Sequence[Stretch], rules: Collection[str], finding_ids: Collection[str]
) -> list[MemberRow]:
    """Findings as they stand: those of some rules, of assets in a time each, and some by their ids; in order of time."""
    binds = _stretches(stretches) | {"rules": sorted(rules), "finding_ids": sorted(finding_ids)}
    cursor = await conn.execute(SQL["members"], binds)
    return [
        MemberRow(
            finding_id=row["finding_id"], tenant=row["tenant"], asset_id=row["asset_id"] or "", asset=row["asset"],
            rule=row["rule"], severity=row["severity"], opened_us=row["opened_at"], closed_us=row["closed_at"],
        )
        for row in await cursor.fetchall()
    ]  # fmt: skip


async def write(conn: Connection, rows: Sequence[IncidentRevision], commit_nos: Mapping[int, int]) -> None:
    """Write revisions, each the next of its incident (1 for a new one); one an incident.

    `commit_nos` are those of this transaction: what is of another shard goes under any of them.
    """
    if not rows:
        return
    default = next(iter(commit_nos.values()))
    numbers = [commit_nos.get(one.row.shard, default) for one in rows]
    await conn.execute(SQL["supersede"], {"incident_id": [one.row.incident_id for one in rows], "commit_no": numbers})
    binds: dict[str, list[Any]] = {
        "incident_id": [one.row.incident_id for one in rows],
        "revision": [one.revision for one in rows],
        "tenant": [one.row.tenant for one in rows],
        "asset_id": [one.row.asset_id or None for one in rows],
        "asset": [one.row.asset for one in rows],
        "severity": [one.row.severity for one in rows],
        "rules": [staging.json(list(one.row.rules)) for one in rows],
        "opened_at": [to_datetime(one.row.opened_us) for one in rows],
        "closed_at": [None if one.row.closed_us is None else to_datetime(one.row.closed_us) for one in rows],
        "finding_ids": [staging.json(list(one.row.finding_ids)) for one in rows],
        "retracted": [one.row.retracted for one in rows],
        "merged_into": [one.row.merged_into for one in rows],
        "commit_no": numbers,
    }
    await conn.execute(SQL["insert"], binds)


async def assign(conn: Connection, moved: Mapping[str, str]) -> None:
    """Let alerts follow their latest finding into another incident: incident by finding."""
    if moved:
        await conn.execute(SQL["assign"], {"finding_id": list(moved), "incident_id": list(moved.values())})


def _stretches(stretches: Sequence[Stretch]) -> dict[str, list[Any]]:
    return {
        "asset_id": [one.asset_id for one in stretches],
        "from": [to_datetime(one.from_us) for one in stretches],
        "to": [to_datetime(one.to_us) for one in stretches],
    }


def _incident_of(row: Mapping[str, Any]) -> IncidentRow:
    return IncidentRow(
        incident_id=row["incident_id"],
        tenant=row["tenant"],
        shard=0,
        asset_id=row["asset_id"] or "",
        asset=row["asset"],
        severity=row["severity"],
        rules=tuple(row["rules"]),
        opened_us=row["opened_at"],
        closed_us=row["closed_at"],
        finding_ids=tuple(row["finding_ids"]),
        retracted=row["retracted"],
        merged_into=row["merged_into"],
    )
