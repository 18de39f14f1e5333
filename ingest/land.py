"""The mask of land that rules are handed, read once from beside this file. What it is made of: `ingest.survey_land`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fleet.land import Land, unpack

LAND_PATH = Path(__file__).with_name("land.bin")


@cache
def world_land() -> Land:
    """The world's land (a fifth of a second, 5 MB). Raises OSError or MaskError when the package is broken."""
    return unpack(LAND_PATH.read_bytes())
