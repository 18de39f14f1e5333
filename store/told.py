"""What was told and what was not, as the API reads it: incidents, decisions, weeks of the budget. Inside a scope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("told")
Row = dict[str, Any]


class IncidentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which incidents; `from_us` and `to_us` bound `opened_at`, half-open; `known_us` is when it was known, None now."""

    incident_id: str | None = None
    asset_id: str | None = None
    severities: tuple[str, ...] | None = None
    from_us: int | None = None
    to_us: int | None = None
    known_us: int | None = None
    retracted: bool = False


class NoticeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which decisions; `from_us` and `to_us` bound the wall time of the decision, half-open; `waiting`: those alone that wait."""

    verdicts: tuple[str, ...] | None = None
    waiting: bool = False
    alert_id: str | None = None
    asset_id: str | None = None
    finding_ids: tuple[str, ...] | None = None
    from_us: int | None = None
    to_us: int | None = None


async def incidents(conn: Connection, which: IncidentFilter, after: tuple[int, str] | None, limit: int) -> list[Row]:
    """Incidents, the latest begun first."""
    time_us, incident_id = after or (None, None)
    return await _rows(
        conn,
        "incidents",
        {
            "incident": which.incident_id, "asset": which.asset_id, "severities": _array(which.severities),
            "from": moment(which.from_us), "to": moment(which.to_us), "known": moment(which.known_us),
            "retracted": which.retracted, "after_time": moment(time_us), "after_id": incident_id, "limit": limit,
        },
    )  # fmt: skip


async def findings(conn: Connection, finding_ids: Sequence[str], known_us: int | None = None) -> list[Row]:
    """Findings by their ids, in order of time."""
    return await _rows(conn, "findings", {"finding_ids": list(finding_ids), "known": moment(known_us)})


async def notices(conn: Connection, which: NoticeFilter, after: int | None, limit: int) -> list[Row]:
    """Decisions, the newest first."""
    return await _rows(
        conn,
        "notices",
        {
            "verdicts": _array(which.verdicts), "waiting": which.waiting, "alert": which.alert_id, "asset": which.asset_id,
            "finding_ids": _array(which.finding_ids), "from": moment(which.from_us), "to": moment(which.to_us),
            "after": after, "limit": limit,
        },
    )  # fmt: skip


async def weeks(conn: Connection, after_us: int | None, limit: int) -> list[Row]:
    """Weeks of the models' budget, the newest first."""
    return await _rows(conn, "weeks", {"after_time": moment(after_us), "limit": limit})


def _array(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


async def _rows(conn: Connection, name: str, binds: dict[str, Any]) -> list[Row]:
    cursor = await conn.execute(SQL[name], binds)
    return await cursor.fetchall()
