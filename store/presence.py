"""What presence asks of the log: hours of many assets, fixes of one in some stretches, and the fixes around its silences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from psycopg import sql

from fleet.asset_class import ASSET_CLASSES
from fleet.instants import to_datetime
from fleet.presence import Fix, HourBox, Silence
from store.pool import Connection
from store.queries import load

SQL = load("presence")
FIXES_MAX = 100_000  # of one asset in one question; chosen: eleven days of a reading every ten seconds along an edge
LOOKBACK = timedelta(days=30)  # chosen: where an asset was a month ago says nothing of where it is


async def hours(conn: Connection, assets: Sequence[Any], from_us: int, to_us: int) -> dict[Any, list[HourBox]]:
    """What the rollups hold of assets in [from, to), by asset, in any order; an asset that was not heard is left out."""
    binds = {"assets": list(assets), "from": to_datetime(from_us), "to": to_datetime(to_us)}
    found: dict[Any, list[HourBox]] = {}
    for row in await (await conn.execute(SQL["hours"], binds)).fetchall():
        found.setdefault(row["asset_id"], []).append(
            HourBox(
                row["first_time"], row["last_time"], row["south_deg"], row["north_deg"], row["west_deg"], row["east_deg"]
            )
        )  # fmt: skip
    return found


async def fixes(conn: Connection, asset_id: Any, asset_class: str, stretches: Sequence[tuple[int, int]]) -> list[Fix]:
    """An asset's fixes in stretches (both ends included), in order of time; `FIXES_MAX` at most, the earliest."""
    if not stretches:
        return []
    query = sql.SQL(SQL["fixes"]).format(view=_view(asset_class))
    rows = await (await conn.execute(query, {"asset": asset_id, "limit": FIXES_MAX, **_arrays(stretches)})).fetchall()
    return [Fix(row["time"], row["lat_deg"], row["lon_deg"]) for row in rows]


async def silences(conn: Connection, asset_id: Any, asset_class: str, stretches: Sequence[tuple[int, int]]) -> list[Silence]:
    """Silences with the last fix before and the first after each, looked for `LOOKBACK` far."""
    if not stretches:
        return []
    query = sql.SQL(SQL["ends"]).format(view=_view(asset_class))
    rows = await (await conn.execute(query, {"asset": asset_id, "lookback": LOOKBACK, **_arrays(stretches)})).fetchall()
    return [
        Silence(from_us, to_us, _fix(row, "before"), _fix(row, "after"))
        for (from_us, to_us), row in zip(stretches, rows, strict=True)
    ]


def _fix(row: dict[str, Any], side: str) -> Fix | None:
    time_us = row[f"{side}_time"]
    return None if time_us is None else Fix(time_us, row[f"{side}_lat_deg"], row[f"{side}_lon_deg"])


def _view(asset_class: str) -> sql.Identifier:
    if asset_class not in ASSET_CLASSES:
        raise KeyError(asset_class)
    return sql.Identifier(f"asset_reading_{asset_class}")


def _arrays(stretches: Sequence[tuple[int, int]]) -> dict[str, Any]:
    return {"from": [to_datetime(from_us) for from_us, _ in stretches], "to": [to_datetime(to_us) for _, to_us in stretches]}
