"""What presence asks of the log: silences of many assets, hours beside an area, and the fixes that decide.

Hours whose box of positions is made answer without a reading; the others are read, in one question a class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from psycopg import sql

from fleet.asset_class import ASSET_CLASSES
from fleet.instants import HOUR_US, to_datetime
from fleet.presence import Fix, HourBox, Silence
from store.pool import Connection
from store.queries import load

SQL = load("presence")
FIXES_MAX = 200_000  # in one question; chosen: a second or two, and a month of ten ships along an edge
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; west > east over 180°."""


async def silences(
    conn: Connection, assets: Sequence[Any], from_us: int, to_us: int, gap_us: int
) -> dict[Any, list[tuple[int | None, int | None]]]:
    """When no stream of an asset was heard for a gap or longer, by asset, in order of time; None where that end is open.

    The first has an open beginning and the last an open end, however short they are; an asset that was not heard at all in the
    period is left out.
    """
    binds = {"assets": list(assets), "gap": timedelta(microseconds=gap_us), **_period(from_us, to_us)}
    found: dict[Any, list[tuple[int | None, int | None]]] = {}
    for row in await _rows(conn, sql.SQL(SQL["silences"]), binds):
        found.setdefault(row["asset_id"], []).append((row["from_time"], row["to_time"]))
    return found


async def boxes(conn: Connection, assets: Sequence[Any], from_us: int, to_us: int, within: Box) -> dict[Any, list[HourBox]]:
    """Hours whose box of positions touches another, by asset."""
    found: dict[Any, list[HourBox]] = {}
    for row in await _rows(conn, sql.SQL(SQL["boxes"]), {"assets": list(assets), **_period(from_us, to_us), **_box(within)}):
        sides = (row["south_deg"], row["north_deg"], row["west_deg"], row["east_deg"])
        found.setdefault(row["asset_id"], []).append(HourBox(row["hour"], *sides))
    return found


async def unclosed(conn: Connection, assets: Sequence[Any], from_us: int, to_us: int) -> dict[Any, list[int]]:
    """Beginnings of hours with positions of which no box is made (yet), by asset."""
    found: dict[Any, list[int]] = {}
    for row in await _rows(conn, sql.SQL(SQL["unclosed"]), {"assets": list(assets), **_period(from_us, to_us)}):
        found.setdefault(row["asset_id"], []).append(row["hour"])
    return found


async def fixes(
    conn: Connection, asset_class: str, hours: Iterable[tuple[Any, int]], from_us: int, to_us: int, within: Box
) -> dict[Any, list[Fix]]:
    """Fixes of assets of one class in hours of [from, to), in order: those within a box and the ones beside them.

    `FIXES_MAX` at most, of the first assets; what follows is missing then.
    """
    stretches = _joined(hours, from_us, to_us)
    if not stretches:
        return {}
    binds = {
        "assets": [asset for asset, _, _ in stretches],
        "from": [to_datetime(first) for _, first, _ in stretches],
        "to": [to_datetime(last) for _, _, last in stretches],
        "limit": FIXES_MAX,
        **_box(within),
    }
    found: dict[Any, list[Fix]] = {}
    for row in await _rows(conn, sql.SQL(SQL["fixes"]).format(view=_view(asset_class)), binds):
        found.setdefault(row["asset_id"], []).append(Fix(row["time"], row["lat_deg"], row["lon_deg"]))
    return found


async def with_ends(
    conn: Connection, asset_class: str, given: Sequence[tuple[Any, int | None, int | None]], from_us: int, to_us: int
) -> list[Silence]:
    """Silences of assets of one class with the fixes around them; an open end is that of the period."""
    if not given:
        return []
    binds = {
        "assets": [asset for asset, _, _ in given],
        "from": [None if first is None else to_datetime(first) for _, first, _ in given],
        "to": [None if last is None else to_datetime(last) for _, _, last in given],
    }
    rows = await _rows(conn, sql.SQL(SQL["ends"]).format(view=_view(asset_class)), binds)
    return [
        Silence(from_us if first is None else first, to_us if last is None else last, _fix(row, "before"), _fix(row, "after"))
        for (_, first, last), row in zip(given, rows, strict=True)
    ]


def _joined(hours: Iterable[tuple[Any, int]], from_us: int, to_us: int) -> list[tuple[Any, int, int]]:
    """Hours of assets as stretches, neighbours joined, cut to the period."""
    found: list[tuple[Any, int, int]] = []
    for asset, hour in sorted(set(hours), key=lambda entry: (str(entry[0]), entry[1])):
        if found and found[-1][0] == asset and found[-1][2] == hour:
            found[-1] = (asset, found[-1][1], hour + HOUR_US)
        else:
            found.append((asset, hour, hour + HOUR_US))
    cut = [(asset, max(first, from_us), min(last, to_us)) for asset, first, last in found]
    return [one for one in cut if one[1] < one[2]]


def _fix(row: dict[str, Any], side: str) -> Fix | None:
    time_us = row[f"{side}_time"]
    return None if time_us is None else Fix(time_us, row[f"{side}_lat_deg"], row[f"{side}_lon_deg"])


def _view(asset_class: str) -> sql.Identifier:
    if asset_class not in ASSET_CLASSES:
        raise KeyError(asset_class)
    return sql.Identifier(f"asset_reading_{asset_class}")


def _period(from_us: int, to_us: int) -> dict[str, Any]:
    return {"from": to_datetime(from_us), "to": to_datetime(to_us)}


def _box(within: Box) -> dict[str, float]:
    west, south, east, north = within
    return {"west": west, "south": south, "east": east, "north": north}


async def _rows(conn: Connection, query: Any, binds: dict[str, Any]) -> list[dict[str, Any]]:
    async with conn.cursor(binary=True) as cursor:  # never prepared: planned for the very assets and hours
        await cursor.execute(query, binds, prepare=False)
        return await cursor.fetchall()
