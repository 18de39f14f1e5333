"""The world as the scene asks for it: a tenant's places and the land, behind one small protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fleet.places import AreaPlaces
from fleet.use import Place, Places

LandDistance = Callable[[float, float], float | None]


class SceneWorld:
    """Places of a tenant, and how far the nearest land is where somebody knows (`detect.encounter.World`)."""

    def __init__(self, places: Places, land_distance_m: LandDistance | None = None) -> None:
        self._places = places if isinstance(places, AreaPlaces) else None
        self._land_distance_m = land_distance_m

    def places_within(self, lat_deg: float, lon_deg: float, within_m: float, time_us: int) -> Sequence[Place]:
        """Ports, anchorages, berths and yards within a distance, the nearest first."""
        return () if self._places is None else self._places.places_within(lat_deg, lon_deg, within_m, time_us)

    def land_distance_m(self, lat_deg: float, lon_deg: float) -> float | None:
        """Metres to the nearest land; None where nobody knows."""
        return None if self._land_distance_m is None else self._land_distance_m(lat_deg, lon_deg)
