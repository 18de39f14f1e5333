"""The mask of land that ships with the package, and how it is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.land import LAND_PATH, world_land
from ingest.survey_land import distances_km, rastered

LAND = {
    "Paris": (48.85, 2.35),
    "the Congo": (0.0, 20.0),
    "the pole": (-89.9, 10.0),
    "Wrangel": (71.2, -179.6),
    "Chukotka": (67.0, 179.5),
}
WATER = {
    "Biscay": (45.0, -6.0),
    "Null Island": (0.0, 0.0),
    "Lake Michigan": (43.5, -87.0),
    "the Caspian": (42.0, 51.0),
    "180": (0, 180),
}


@pytest.mark.parametrize("place", LAND)
def test_land_is_land(place: str) -> None:
    assert world_land().is_land(*LAND[place])
    assert world_land().off_coast_km(*LAND[place]) < 0.0


@pytest.mark.parametrize("place", WATER)
def test_seas_and_great_lakes_are_water(place: str) -> None:
    assert not world_land().is_land(*WATER[place])
    assert world_land().off_coast_km(*WATER[place]) > 20.0


def test_a_distance_is_that_of_a_chart() -> None:
    assert world_land().off_coast_km(48.0, -8.0) == pytest.approx(100.0, abs=0.1)  # the western approaches: beyond what is kept
    assert world_land().off_coast_km(50.2, -0.5) == pytest.approx(66.0, abs=8.0)  # mid-Channel, between Brighton and Fécamp


def test_the_file_is_small_enough_to_ship() -> None:
    assert LAND_PATH.stat().st_size <= 300_000


def square(west: float, south: float, east: float, north: float) -> np.ndarray:
    return np.array([[west, south], [east, south], [east, north], [west, north], [west, south]], dtype=float)


def test_rings_are_filled_also_over_180_degrees_and_around_the_pole() -> None:
    pole = np.array([[lon, -70.0] for lon in (*range(-180, 180, 10), -180)], dtype=float)
    filled = rastered([square(0, 0, 10, 5), square(2, 1, 4, 3), square(170, 0, -175, 5), pole], 1.0)
    assert filled.sum() == 50 - 4 + 75 + 20 * 360
    assert filled[92, [170 + 180, 359, 0, 4]].all()
    assert not filled[92, [5, 349]].any()


def test_distances_are_to_the_nearest_shore_up_to_what_is_kept() -> None:
    km = distances_km([square(0, 0, 10, 10)], 1.0)
    assert km[90, 180] == pytest.approx(55.6, abs=2.0)
    assert km[100, 180] == pytest.approx(55.6, abs=2.0)
    assert km[0, 0] == pytest.approx(110.0, abs=0.5)
