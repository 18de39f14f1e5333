"""The places of the world, brought to the use machines: airports from `airportsdata`, which ships with its wheel.

Of its 28,000 those with a code of four letters are taken: the others are private strips of one country, and between a runway and
a strip beside it the nearest would be the wrong one (DECISIONS 120). Seaplane bases and heliports are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import airportsdata

from fleet.airport import Airport, Airports
from fleet.use import Place

ICAO = re.compile(r"[A-Z]{4}")
NO_RUNWAY = re.compile(r"heliport|seaplane", re.IGNORECASE)


@cache
def airports() -> Airports:
    """All airports with an ICAO code, read once (a tenth of a second)."""
    return Airports(
        Airport(
            icao=code,
            name=row["name"],
            lat_deg=row["lat"],
            lon_deg=row["lon"],
            elevation_ft=row["elevation"],
            country=row["country"],
            zone=row["tz"],
        )
        for code, row in airportsdata.load().items()
        if ICAO.fullmatch(code) and not NO_RUNWAY.search(row["name"])
    )


class KnownPlaces:
    """Places as `fleet.use.Places` asks for them: all airports."""

    def airport_near(self, lat_deg: float, lon_deg: float, within_m: float) -> Place | None:
        """The nearest airport within a distance."""
        return airports().nearest(lat_deg, lon_deg, within_m)

    def places_near(self, lat_deg: float, lon_deg: float, time_us: int) -> Sequence[Place]:
        """Ports and areas: none are known here."""
        del lat_deg, lon_deg, time_us
        return ()


KNOWN = KnownPlaces()
