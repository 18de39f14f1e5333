"""Tracks as GeoJSON and MF-JSON. Pure: fixes in, documents out.

A line that crosses the antimeridian is cut there into a MultiLineString (RFC 7946 §3.1.9). The cut's latitude and time are
interpolated along the shorter way, straight in degrees: exact enough for drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from fleet.instants import to_rfc3339


class Fix(NamedTuple):
    """A position at an instant, degrees WGS 84."""

    time_us: int
    lon_deg: float
    lat_deg: float


def cut_at_antimeridian(fixes: Sequence[Fix]) -> list[list[Fix]]:
    """The track in pieces of which none crosses 180°; a crossing adds one fix on each side of the cut.

    Two fixes more than 180° of longitude apart are taken to have gone the shorter way (RFC 7946 §3.1.9).
    """
    pieces: list[list[Fix]] = []
    piece: list[Fix] = []
    for fix in fixes:
        if piece and abs(fix.lon_deg - piece[-1].lon_deg) > 180:
            before = piece[-1]
            side = 180.0 if before.lon_deg > 0 else -180.0
            lat_deg, time_us = _crossing(before, fix, side)
            if before.lon_deg != side:
                piece.append(Fix(time_us, side, lat_deg))
            pieces.append(piece)
            piece = [] if fix.lon_deg == -side else [Fix(time_us, -side, lat_deg)]
        piece.append(fix)
    if piece:
        pieces.append(piece)
    return pieces


def _crossing(before: Fix, after: Fix, side: float) -> tuple[float, int]:
    unwrapped = after.lon_deg + (360.0 if side > 0 else -360.0)
    part = (side - before.lon_deg) / (unwrapped - before.lon_deg)
    lat_deg = before.lat_deg + part * (after.lat_deg - before.lat_deg)
    return lat_deg, before.time_us + round(part * (after.time_us - before.time_us))


def geometry(pieces: Sequence[Sequence[Fix]]) -> tuple[dict[str, Any] | None, Any]:
    """(geometry, times) of a cut track: the times have the nesting of the coordinates."""
    lines = [[(fix.lon_deg, fix.lat_deg) for fix in piece] for piece in pieces]
    times = [[to_rfc3339(fix.time_us) for fix in piece] for piece in pieces]
    if not lines:
        return None, []
    if len(lines) == 1 and len(lines[0]) == 1:
        return {"type": "Point", "coordinates": lines[0][0]}, times[0]
    lines = [line if len(line) > 1 else line * 2 for line in lines]  # a line has two positions at least (§3.1.4)
    times = [time if len(time) > 1 else time * 2 for time in times]
    if len(lines) == 1:
        return {"type": "LineString", "coordinates": lines[0]}, times[0]
    return {"type": "MultiLineString", "coordinates": lines}, times


def feature(asset_id: str, fixes: Sequence[Fix], total: int, from_us: int | None, to_us: int | None) -> dict[str, Any]:
    """A GeoJSON Feature (RFC 7946). `points_total` counts the fixes before thinning; `times` belong to the coordinates."""
    shape, times = geometry(cut_at_antimeridian(fixes))
    reason = {"geometry": "no_position_in_period"} if shape is None else {}
    return {
        "type": "Feature",
        "id": asset_id,
        "geometry": shape,
        "properties": _properties(asset_id, fixes, total, from_us, to_us) | {"times": times, "reason": reason},
    }


def moving_feature(asset_id: str, fixes: Sequence[Fix], total: int, from_us: int | None, to_us: int | None) -> dict[str, Any]:
    """A Feature of OGC Moving Features JSON (19-045r3): a MovingPoint, its instants unique and ascending.

    Its schema wants two instants at least; with fewer `temporalGeometry` is null and `reason` says so. Coordinates are as heard:
    the standard knows no cut, its reader takes the shorter way.
    """
    unique = list({fix.time_us: fix for fix in reversed(fixes)}.values())[::-1]
    moving, reason = None, {"temporalGeometry": "fewer_than_two_instants"}
    if len(unique) > 1:
        reason = {}
        moving = {
            "type": "MovingPoint",
            "datetimes": [to_rfc3339(fix.time_us) for fix in unique],
            "coordinates": [(fix.lon_deg, fix.lat_deg) for fix in unique],
            "interpolation": "Linear",
        }
    return {
        "type": "Feature",
        "id": asset_id,
        "crs": {"type": "Name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
        "trs": {"type": "Name", "properties": {"name": "urn:ogc:data:time:iso8601"}},
        "temporalGeometry": moving,
        "properties": _properties(asset_id, unique, total, from_us, to_us) | {"reason": reason},
    }


def _properties(asset_id: str, fixes: Sequence[Fix], total: int, from_us: int | None, to_us: int | None) -> dict[str, Any]:
    return {
        "asset_id": asset_id,
        "from": None if from_us is None else to_rfc3339(from_us),
        "to": None if to_us is None else to_rfc3339(to_us),
        "points": len(fixes),
        "points_total": total,
    }
