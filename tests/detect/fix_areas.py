"""Areas, use and clauses as context for tests of rules that ask where an asset is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from fleet.area import shape_of
from fleet.area_index import AreaIndex, WatchedArea
from fleet.practice_book import HOUSE
from fleet.use import NOWHERE, Places, UseContext
from fleet.use_machines import MACHINES

SQUARE = [(10.0, 50.0), (11.0, 50.0), (11.0, 51.0), (10.0, 51.0)]


def polygon(*rings: Iterable[tuple[float, float]]) -> dict[str, Any]:
    closed = [[*ring] for ring in rings]
    return {"type": "Polygon", "coordinates": [[list(position) for position in (*ring, ring[0])] for ring in closed]}


def area(name: str = "zone", *rings: Iterable[tuple[float, float]], **more: Any) -> WatchedArea:
    given = {"kind": "prohibited", "severity": "warning", "issuer": "tests", "version": "1", **more}
    return WatchedArea(id=name, name=name.title(), shape=shape_of(polygon(*(rings or (SQUARE,)))), **given)


def around(*areas: WatchedArea, **more: Any) -> dict[str, Any]:
    """Fields of a context: these areas, and whatever else."""
    return {"areas": AreaIndex(areas), **more}


def use_of(asset_class: str, places: Places = NOWHERE) -> Callable[[int], UseContext]:
    """What the use machine of a class is told, at any instant."""
    told = UseContext(limits=MACHINES[asset_class].limits(HOUSE, date(2023, 11, 14), None), places=places)
    return lambda _time_us: told
