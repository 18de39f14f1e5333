"""The world as the scene asks for it: a tenant's places and the land, behind one small protocol."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.land import Land
from fleet.places import AreaPlaces
from fleet.use import Place, Places
from ingest.land import world_land


class SceneWorld:
    """Places of a tenant, and how far the nearest land is (`detect.encounter.World`)."""

    def __init__(self, places: Places, land: Land | None = None) -> None:
        self._places = places if isinstance(places, AreaPlaces) else None
        self._land = land or world_land()

    def places_within(self, lat_deg: float, lon_deg: float, within_m: float, time_us: int) -> Sequence[Place]:
        """Ports, anchorages, berths and yards within a distance, the nearest first."""
        return () if self._places is None else self._places.places_within(lat_deg, lon_deg, within_m, time_us)

    def land_distance_m(self, lat_deg: float, lon_deg: float) -> float | None:
        """Metres to the nearest land, 0 on it; good to 3 km, and at most 100 km."""
        return max(0.0, self._land.off_coast_km(lat_deg, lon_deg)) * 1000.0
