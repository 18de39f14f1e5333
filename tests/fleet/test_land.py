"""The mask of land: what is packed comes back, and distances go over from one side of the coast to the other."""

from __future__ import annotations

import numpy as np
import pytest

from fleet.land import MAGIC, MaskError, pack, unpack

ROWS, STEP_ROWS = 3600, 900


@pytest.fixture(scope="module")
def packed() -> bytes:
    """Everything east of 10° E up to 20° E is land, at all latitudes but the last one in the north."""
    bits = np.zeros((ROWS, 2 * ROWS), dtype=bool)
    bits[:-1, 3800:4000] = True
    lons = -180.0 + 0.2 * (np.arange(2 * STEP_ROWS) + 0.5)
    km = np.maximum(np.abs(lons - 15.0) - 5.0, -5.0) * 111.2
    return pack(bits, np.tile(km, (STEP_ROWS, 1)))


def test_land_is_told_by_the_cell_of_a_point_and_longitude_goes_around(packed: bytes) -> None:
    land = unpack(packed)
    assert [land.is_land(0.0, lon) for lon in (9.99, 10.01, 19.99, 20.01, 375.0, -345.0)] == [
        False,
        True,
        True,
        False,
        True,
        True,
    ]
    assert (land.is_land(89.9, 15.0), land.is_land(90.0, 15.0), land.is_land(-90.0, 15.0)) == (True, False, True)


def test_distance_is_positive_at_sea_negative_on_land_and_even_between_cells(packed: bytes) -> None:
    land = unpack(packed)
    assert land.off_coast_km(0.0, 9.5) == pytest.approx(55.6, abs=2.0)
    assert land.off_coast_km(0.0, 10.5) == pytest.approx(-55.6, abs=2.0)
    assert land.off_coast_km(0.0, 9.6) == pytest.approx((land.off_coast_km(0.0, 9.5) + land.off_coast_km(0.0, 9.7)) / 2, abs=0.1)
    assert (land.off_coast_km(0.0, -179.99), land.off_coast_km(0.0, 15.0), land.off_coast_km(-90.0, 0.0)) == (
        100.0,
        -100.0,
        100.0,
    )


def test_bytes_that_are_no_mask_are_refused(packed: bytes) -> None:
    for bad in (b"", b"land", MAGIC + b"x", packed[:-20], packed[1:]):
        with pytest.raises(MaskError):
            unpack(bad)
