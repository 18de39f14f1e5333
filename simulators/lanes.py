"""Sea lanes between real ports.

Knows where berths lie, which box a canal fills, and the way from port to port: `lanes.json` holds lanes that `survey` led
around land and that are checked by test; any other pair is asked of `searoute`, whose lines cut corners. Knows no ships.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from simulators.motion import LonLat

LANES_PATH = Path(__file__).with_name("lanes.json")
LANES_CACHE_MAX = 512  # lanes asked of searoute in one process; a lane is a few kB


class Port(NamedTuple):
    """A berth: UN/LOCODE, name as a destination field has it, WGS 84 degrees."""

    locode: str
    name: str
    lat_deg: float
    lon_deg: float

    @property
    def lon_lat(self) -> LonLat:
        """Position in the order geodesy asks for."""
        return self.lon_deg, self.lat_deg


_PORTS = (
    Port("NLRTM", "ROTTERDAM", 51.962, 4.040),
    Port("BEZEE", "ZEEBRUGGE", 51.347, 3.205),
    Port("GBFXT", "FELIXSTOWE", 51.948, 1.317),
    Port("GBDVR", "DOVER", 51.118, 1.333),
    Port("FRCQF", "CALAIS", 50.972, 1.860),
    Port("FRLEH", "LE HAVRE", 49.470, 0.140),
    Port("SEGOT", "GOTHENBURG", 57.688, 11.810),
    Port("PLGDN", "GDANSK", 54.385, 18.700),
    Port("PTSIE", "SINES", 37.942, -8.872),
    Port("ESALG", "ALGECIRAS", 36.130, -5.428),
    Port("ITGOA", "GENOA", 44.400, 8.905),
    Port("GRPIR", "PIRAEUS", 37.938, 23.600),
    Port("SAJED", "JEDDAH", 21.470, 39.150),
    Port("AEFJR", "FUJAIRAH", 25.185, 56.380),
    Port("SARTA", "RAS TANURA", 26.650, 50.170),
    Port("QARLF", "RAS LAFFAN", 25.920, 51.600),
    Port("INNSA", "NHAVA SHEVA", 18.945, 72.940),
    Port("LKCMB", "COLOMBO", 6.950, 79.840),
    Port("SGSIN", "SINGAPORE", 1.262, 103.800),
    Port("MYPKG", "PORT KLANG", 3.000, 101.350),
    Port("TWKHH", "KAOHSIUNG", 22.560, 120.300),
    Port("CNYSA", "YANGSHAN", 30.620, 122.080),
    Port("CNTAO", "QINGDAO", 36.040, 120.220),
    Port("KRPUS", "BUSAN", 35.095, 129.060),
    Port("JPYOK", "YOKOHAMA", 35.435, 139.680),
    Port("USLAX", "LOS ANGELES", 33.735, -118.260),
    Port("USOAK", "OAKLAND", 37.800, -122.340),
    Port("USHOU", "GALVESTON", 29.310, -94.790),
    Port("USNYC", "NEW YORK", 40.670, -74.050),
    Port("USORF", "NORFOLK", 36.930, -76.330),
    Port("CAHAL", "HALIFAX", 44.650, -63.565),
    Port("PAONX", "COLON", 9.370, -79.890),
    Port("BRSSZ", "SANTOS", -23.960, -46.310),
    Port("BRTUB", "TUBARAO", -20.290, -40.240),
    Port("CLVAP", "VALPARAISO", -33.030, -71.625),
    Port("PECLL", "CALLAO", -12.045, -77.150),
    Port("ZACPT", "CAPE TOWN", -33.905, 18.430),
    Port("ZARCB", "RICHARDS BAY", -28.800, 32.060),
    Port("GHTEM", "TEMA", 5.630, 0.010),
    Port("AUPHE", "PORT HEDLAND", -20.310, 118.575),
    Port("AUNTL", "NEWCASTLE", -32.910, 151.785),
    Port("NZAKL", "AUCKLAND", -36.840, 174.780),
)
PORTS = {port.locode: port for port in _PORTS}

CANALS: dict[str, tuple[float, float, float, float]] = {
    "suez": (32.15, 29.88, 32.70, 31.35),
    "panama": (-80.05, 8.80, -79.45, 9.45),
}
"""West, south, east, north of the boxes in which a lane may cross drawn land, degrees."""

_VOYAGES = (
    "NLRTM-SGSIN SGSIN-CNYSA NLRTM-USNYC FRLEH-USORF GBFXT-SEGOT SEGOT-PLGDN BEZEE-PTSIE NLRTM-BRTUB GBFXT-FRLEH",
    "NLRTM-ESALG GBDVR-FRCQF FRLEH-NLRTM ESALG-ITGOA ITGOA-SAJED GRPIR-SAJED SAJED-INNSA AEFJR-SGSIN SARTA-KRPUS",
    "QARLF-JPYOK INNSA-LKCMB LKCMB-SGSIN SGSIN-MYPKG SGSIN-TWKHH CNYSA-KRPUS CNYSA-JPYOK JPYOK-USLAX KRPUS-USOAK",
    "CNYSA-AUPHE CNTAO-AUNTL AUNTL-NZAKL USHOU-NLRTM USHOU-PAONX PAONX-USNYC USNYC-CAHAL BRSSZ-ZACPT BRTUB-CNTAO",
    "CLVAP-PECLL ZARCB-SGSIN GHTEM-ESALG ZACPT-GHTEM PECLL-PAONX MYPKG-INNSA SARTA-INNSA ZARCB-INNSA",
)


def voyages_sailed() -> list[tuple[str, str]]:
    """Port pairs whose lanes are surveyed and kept, each in one direction."""
    return [(pair[:5], pair[6:]) for row in _VOYAGES for pair in row.split()]


@lru_cache(maxsize=LANES_CACHE_MAX)
def _searoute(origin: str, destination: str) -> tuple[LonLat, ...]:
    import searoute  # its network takes half a second to load and most runs sail kept lanes alone

    a, b = PORTS[origin].lon_lat, PORTS[destination].lon_lat
    feature = searoute.searoute(list(a), list(b), units="naut")
    line = [(_wrap_deg(lon), lat) for lon, lat in feature["geometry"]["coordinates"]]
    points = [a, *line, b]
    return tuple(p for i, p in enumerate(points) if i == 0 or p != points[i - 1])


def _wrap_deg(lon_deg: float) -> float:
    return (lon_deg + 180.0) % 360.0 - 180.0


def raw_lane(origin: str, destination: str) -> list[LonLat]:
    """Ask searoute for the way between two ports, berth to berth. Errors: KeyError for an unknown port."""
    return list(_searoute(origin, destination))


@lru_cache(maxsize=1)
def _kept() -> dict[str, list[LonLat]]:
    lanes: dict[str, list[list[float]]] = json.loads(LANES_PATH.read_text(encoding="utf-8"))
    return {name: [(lon, lat) for lon, lat in points] for name, points in lanes.items()}


def lane(origin: str, destination: str) -> list[LonLat]:
    """Way from berth to berth, as corner points joined by geodesics.

    A kept lane serves both directions. Errors: KeyError for an unknown port.
    """
    kept = _kept()
    if (name := f"{origin}-{destination}") in kept:
        return list(kept[name])
    if (name := f"{destination}-{origin}") in kept:
        return kept[name][::-1]
    return raw_lane(origin, destination)
