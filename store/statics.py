"""Static reports: the newest of each stream, and what assets said of themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from fleet.instants import to_datetime
from fleet.reading import StaticReport
from store.pool import Connection
from store.queries import load

SQL = load("statics")
REPORTS_MAX = 1000  # of one asset at once; chosen: four days of a ship that says it every six minutes


async def newest(conn: Connection, stream_ids: Collection[int]) -> dict[int, int]:
    """Event time (microseconds) of the newest static report of each stream; a stream without one is left out."""
    cursor = await conn.execute(SQL["newest"], {"stream_ids": list(stream_ids)})
    return {row["stream_id"]: row["time"] for row in await cursor.fetchall()}


async def after(conn: Connection, after_us: Mapping[str, int]) -> dict[str, list[StaticReport]]:
    """Reports of assets, each after an instant of its own (microseconds), in order of time.

    Of each stream the newest `REPORTS_MAX`; an asset without any is left out.
    """
    binds = {
        "asset_ids": list(after_us),
        "after": [to_datetime(time_us) for time_us in after_us.values()],
        "reports_max": REPORTS_MAX,
    }
    cursor = await conn.execute(SQL["after"], binds)
    found: dict[str, list[StaticReport]] = {}
    for row in await cursor.fetchall():
        report = StaticReport(
            asset_class=row["class"],
            scheme=row["scheme"],
            value=row["value"],
            time_us=row["time"],
            source=row["source"],
            particulars=row["particulars"],
        )
        found.setdefault(row["asset_id"], []).append(report)
    return found
