"""Ships: the fields of their readings, in AIS's words. Ranges and sentinels: ITU-R M.1371-5 tables 48 and 52."""

from __future__ import annotations

from fleet.reading import Field, Reading

NAME = "vessel"
SOG_NOISE_KN = ((51.15, 51.25), (62.95, 63.05), (102.15, 102.25))
"""Speeds that no ship made: detection.md S2 (gpsdio-segment: 51.2, 63.0, 102.3 kn), and 102.2, "102.2 kn or more"."""
FIELDS: tuple[Field, ...] = (
    Field("sog_kn", "number", 0, 102.1, (102.3,), "102.3 = not available", SOG_NOISE_KN),
    Field("cog_deg", "number", 0, 359.999999, (360.0,), "360.0 = not available"),
    Field("heading_deg", "number", 0, 359.999999, (511,), "511 = not available"),
    Field("rot_deg_min", "number", -720, 720, (-731.0,), "±720 = the scale's end; −128 raw = not available"),
    Field("nav_status", "integer", 0, 14, (15,), "15 = not defined"),
    Field("draught_m", "number", 0.1, 25.5, (0,), "0 = not available, 25.5 = 25.5 m or more"),
)


class VesselReading(Reading, frozen=True, kw_only=True):
    """One ship's reading: speed and course over ground, heading, rate of turn, navigational status, draught."""

    sog_kn: float | None = None
    cog_deg: float | None = None
    heading_deg: float | None = None
    rot_deg_min: float | None = None
    nav_status: int | None = None
    draught_m: float | None = None

    @property
    def speed_kn(self) -> float | None:
        """Speed over ground in knots."""
        return self.sog_kn

    @property
    def course_deg(self) -> float | None:
        """Course over ground in degrees true."""
        return self.cog_deg


def is_ship_station(name: str) -> bool:
    """Whether a reading's `scheme:value` can be a ship's: an MMSI that begins with 2 to 7 (ITU-R M.585), any other scheme.

    Coast stations (00), search and rescue aircraft (111), aids to navigation (99) and rescue beacons (97) share AIS with ships.
    """
    return not name.startswith("mmsi:") or "2" <= name[5:6] <= "7"
