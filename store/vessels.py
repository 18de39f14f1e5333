"""What a ship's carbon, fuel and hull are judged from: particulars, masters' reports and charters. It writes nothing.

Rows come as dictionaries named as the columns are, instants in microseconds UTC. `known_us` asks what was known then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fleet import noon_report
from fleet.instants import to_datetime
from fleet.noon_report import NoonReport
from store.pool import Connection
from store.queries import load

SQL = load("vessels")
REPORTS_MAX = 100_000  # chosen: five years of noon reports of fifty ships
CHARTERS_MAX = 10_000
Row = dict[str, Any]


async def vessels(
    conn: Connection, asset_ids: Sequence[str] | None, known_us: int | None, *, after: str | None = None, limit: int = 1
) -> list[Row]:  # fmt: skip
    """Ships in order of id: `asset_id`, `name`, `type`, `particulars`; the ones named, or all of the scope."""
    binds = {
        "assets": None if asset_ids is None else list(asset_ids), "known": _moment(known_us), "after": after, "limit": limit
    }  # fmt: skip
    return await _rows(conn, "vessels", binds)


async def reports(
    conn: Connection, asset_ids: Sequence[str], from_us: int, to_us: int, known_us: int | None
) -> dict[str, list[NoonReport]]:  # fmt: skip
    """Masters' reports that meet [from, to), by asset id, a correction after what it corrects.

    What is stored and cannot be read as a report (written by another version) is left out: it speaks for no time.
    """
    binds = {
        "assets": list(asset_ids), "from": _moment(from_us), "to": _moment(to_us), "known": _moment(known_us),
        "limit": REPORTS_MAX,
    }  # fmt: skip
    found: dict[str, list[NoonReport]] = {}
    for row in await _rows(conn, "reports", binds):
        said = noon_report.read(document_of(row))
        if isinstance(said, NoonReport):
            found.setdefault(str(row["asset_id"]), []).append(said)
    return found


def document_of(row: Row) -> dict[str, Any]:
    """A stored report as the JSON object it was given as: its figures with the kind and the UTC span of its row."""
    return {
        **row["figures"], "report_type": row["kind"], "utc_from": to_datetime(row["from_time"]),
        "utc_to": to_datetime(row["to_time"]),
    }  # fmt: skip


async def charters(
    conn: Connection, from_us: int, to_us: int, known_us: int | None, *, asset_ids: Sequence[str] | None = None,
    lease_id: str | None = None, lessee: str | None = None, heads: bool = False,
) -> list[Row]:  # fmt: skip
    """Tenures that meet [from, to), in order of asset and begin, with their paper's `terms` (as JSON) and the lessee's name."""
    binds = {
        "assets": None if asset_ids is None else list(asset_ids), "lease": lease_id, "lessee": lessee, "heads": heads,
        "from": _moment(from_us), "to": _moment(to_us), "known": _moment(known_us), "limit": CHARTERS_MAX,
    }  # fmt: skip
    return await _rows(conn, "charters", binds)


async def _rows(conn: Connection, query: str, binds: dict[str, Any]) -> list[Row]:
    # Never a prepared statement: "NULL means no filter" is folded away only when the planner sees the values.
    return await (await conn.execute(SQL[query], binds, prepare=False)).fetchall()


def _moment(time_us: int | None) -> Any:
    return None if time_us is None else to_datetime(time_us)
