"""Where a silent asset can have been: a circle around its last position while it is silent, an ellipse once it is back.

The speed is what no asset of its class exceeds for long, not the asset's own: reach is a bound, never a guess. Prohibited areas
within it are named, where areas are known.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from detect.classes import TRAITS
from detect.model import Severity
from detect.plane import near_distance_m
from detect.rule import Moment
from detect.state import Seen
from fleet.geodesy import KN_MPS, NM_M
from fleet.instants import HOUR_US, SECOND_US

RULE = "gap"
AREAS_MAX = 5  # chosen: the nearest prohibited areas that the evidence names


def reach_kn(moment: Moment) -> float:
    """The speed that the asset is held capable of, knots: the class's (`fleet.presence`), or the setting `reach_kn`."""
    return moment.setting(RULE, "reach_kn", TRAITS[moment.state.asset_class].reach_kn)


def widen(evidence: dict[str, Any], moment: Moment, seen: Seen) -> None:
    """Say how far the asset can have come by this minute, and which prohibited areas lie that near.

    `reach_nm` is the radius of the circle around the last position: speed times time, by the clock.
    """
    if seen.lat_deg is None or seen.lon_deg is None:
        return
    speed_kn = reach_kn(moment)
    radius_nm = speed_kn * (moment.time_us - (seen.fix_time_us or seen.time_us)) / HOUR_US
    evidence.update(reach_kn=speed_kn, reach_nm=round(radius_nm, 1))
    areas = moment.context.areas
    if areas is not None:
        found = areas.reachable(seen.lat_deg, seen.lon_deg, radius_nm, moment.time_us, moment.state.asset_class)
        _name(evidence, found)


def may_decide(moment: Moment, severity: Severity) -> bool:
    """Whether a wider circle may make an open gap worse: a warning of a class whose reach decides, where areas are known.

    Of every other gap the evidence keeps the reach of its last change: looking at areas costs as much as fifty readings.
    """
    return severity == "warning" and TRAITS[moment.state.asset_class].reach_decides and moment.context.areas is not None


def close(evidence: dict[str, Any], moment: Moment, before: Seen, now: Seen) -> float | None:
    """How long the silence lasted, how far the asset came (returned, in metres), and the ellipse in which it stayed.

    Both positions are its foci; its major axis is speed times time. `reach_semi_minor_nm` is 0 where the asset came further than
    that speed allows.
    """
    silent_us = now.time_us - before.time_us
    evidence["silent_h"] = round(silent_us / HOUR_US, 4)
    if before.lat_deg is None or before.lon_deg is None or now.lat_deg is None or now.lon_deg is None:
        return None
    moved_m = near_distance_m(before.lat_deg, before.lon_deg, now.lat_deg, now.lon_deg, 0.0)
    evidence.update(
        moved_nm=round(moved_m / NM_M, 2),
        implied_speed_kn=round(moved_m / max(silent_us / SECOND_US, 1.0) / KN_MPS, 2),
        return_lat_deg=now.lat_deg,
        return_lon_deg=now.lon_deg,
    )
    way_nm = reach_kn(moment) * ((now.fix_time_us or now.time_us) - (before.fix_time_us or before.time_us)) / HOUR_US
    focal_nm = moved_m / NM_M
    evidence["reach_semi_major_nm"] = round(way_nm / 2.0, 1)
    evidence["reach_semi_minor_nm"] = round(sqrt(max(0.0, way_nm**2 - focal_nm**2)) / 2.0, 1)
    areas = moment.context.areas
    if areas is not None:
        ends = (before.lat_deg, before.lon_deg), (now.lat_deg, now.lon_deg)
        _name(evidence, areas.reachable_between(*ends, way_nm, moment.time_us, moment.state.asset_class))
    return moved_m


def _name(evidence: dict[str, Any], found: Any) -> None:
    evidence["prohibited_areas"] = [
        {"area_id": one.area.id, "area_name": one.area.name, "distance_nm": round(one.distance_nm, 1)}
        for one in found[:AREAS_MAX]
    ]
