"""Where land is: a mask of the world in memory, built of bytes that somebody else read. Pure.

Two grids, rows from the south, columns from −180°: bits of 0.05° (land or water at the cell's centre) and distances to the coast
of 0.2° in steps of 2 km. Lakes of a small-scale map are water, rivers and canals are land. Neighbours: `ingest.survey_land` packs
the bytes, `ingest.land` reads them.
"""

from __future__ import annotations

import lzma
from typing import Any

import numpy as np

MAGIC = b"land\x01"
BIT_DEG = 0.05  # chosen: 5.6 km at the equator; finer tells a quay from the sea no better, and takes four times the bytes
STEP_DEG = 0.2  # chosen: distances are even between cells, so that four times as coarse loses 2 km at worst off a straight coast
STEP_KM = 2.0
FAR_KM = 100.0  # beyond the farthest that a rule asks for (50 nm, detection.md S1b)
_ROWS, _COLUMNS = round(180 / BIT_DEG), round(360 / BIT_DEG)
_STEP_ROWS, _STEP_COLUMNS = round(180 / STEP_DEG), round(360 / STEP_DEG)


class MaskError(ValueError):
    """The bytes are no mask of land."""


class Land:
    """The mask. Build it with `unpack`."""

    __slots__ = ("_bits", "_steps")

    def __init__(self, bits: bytes, steps: bytes) -> None:
        self._bits = bits
        self._steps = steps

    def is_land(self, lat_deg: float, lon_deg: float) -> bool:
        """Whether the cell of 0.05° around a point is land at its centre; degrees, any longitude."""
        row = min(max(int((lat_deg + 90.0) / BIT_DEG), 0), _ROWS - 1)
        index = row * _COLUMNS + int((lon_deg + 180.0) % 360.0 / BIT_DEG) % _COLUMNS
        return bool(self._bits[index >> 3] >> (7 - (index & 7)) & 1)

    def off_coast_km(self, lat_deg: float, lon_deg: float) -> float:
        """Distance to the nearest coast in km: positive on water, negative on land, at most 100 either way.

        Even between the four cells around the point. Good to about 3 km; the sign is that of `is_land`.
        """
        y = min(max((lat_deg + 90.0) / STEP_DEG - 0.5, 0.0), _STEP_ROWS - 1.0)
        x = ((lon_deg + 180.0) / STEP_DEG - 0.5) % _STEP_COLUMNS
        row, column = min(int(y), _STEP_ROWS - 2), int(x) % _STEP_COLUMNS
        north, east = y - row, x - int(x)
        low, up = row * _STEP_COLUMNS, (row + 1) * _STEP_COLUMNS
        beside = (column + 1) % _STEP_COLUMNS
        steps = self._steps
        south_side = steps[low + column] * (1.0 - east) + steps[low + beside] * east
        north_side = steps[up + column] * (1.0 - east) + steps[up + beside] * east
        km = ((south_side * (1.0 - north) + north_side * north) - 128.0) * STEP_KM
        return min(km, 0.0) if self.is_land(lat_deg, lon_deg) else max(km, 0.0)


def pack(is_land: np.ndarray[Any, Any], off_coast_km: np.ndarray[Any, Any]) -> bytes:
    """The bytes of a mask.

    Args:
        is_land: booleans of (3600, 7200).
        off_coast_km: signed distances of (900, 1800); those beyond 100 km are cut.
    """
    steps = np.round(np.clip(off_coast_km, -FAR_KM, FAR_KM) / STEP_KM).astype(np.int8)
    flat = np.diff(np.diff(steps, axis=0, prepend=np.int8(0)), axis=1, prepend=np.int8(0))  # wraps around in eight bits, as meant
    return MAGIC + lzma.compress(np.packbits(is_land).tobytes() + flat.tobytes(), preset=9)


def unpack(packed: bytes) -> Land:
    """The mask of bytes that `pack` made. Raises MaskError for others."""
    if not packed.startswith(MAGIC):
        raise MaskError("no mask of land")
    try:
        plain = lzma.decompress(packed[len(MAGIC) :])
    except lzma.LZMAError as error:
        raise MaskError(str(error)) from None
    cut = _ROWS * _COLUMNS // 8
    if len(plain) != cut + _STEP_ROWS * _STEP_COLUMNS:
        raise MaskError(f"{len(plain)} bytes")
    flat = np.frombuffer(plain, dtype=np.int8, offset=cut).reshape(_STEP_ROWS, _STEP_COLUMNS)
    steps = np.cumsum(np.cumsum(flat, axis=1, dtype=np.int8), axis=0, dtype=np.int8).astype(np.int16) + 128
    return Land(plain[:cut], steps.astype(np.uint8).tobytes())
