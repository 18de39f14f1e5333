"""Aircraft: the fields of their readings, in ADS-B's words. Ranges: RTCA DO-260B; sentinels die in the readers."""

from __future__ import annotations

from fleet.reading import Field, Reading

NAME = "aircraft"
FIELDS: tuple[Field, ...] = (
    Field("on_ground", "boolean"),
    Field("gs_kn", "number", 0, 4086, (), "DO-260B §2.2.3.2.6.1: supersonic velocity's upper end"),
    Field("track_deg", "number", 0, 359.999999, (360.0,), "360 is written 0"),
    Field(
        "alt_baro_ft",
        "number",
        -1500,
        126_750,
        (),
        "DO-260B §2.2.3.2.3.4: −1,000 ft, and 500 ft of slack for low pressure",
    ),
    Field(
        "alt_geom_ft",
        "number",
        -2500,
        130_000,
        (),
        "ellipsoid height; chosen: barometric range and the geoid's 350 ft",
    ),
    Field("vertical_rate_fpm", "number", -32_640, 32_640, (), "DO-260B §2.2.3.2.6.1.12"),
    Field("squawk", "text", high=4, source="four octal digits, leading zeros kept"),
    Field("nic", "integer", 0, 11, (), "DO-260B §2.2.3.2.7.2.6"),
    Field("nac_p", "integer", 0, 11, (), "DO-260B §2.2.3.2.7.2.7"),
    Field("sil", "integer", 0, 3, (), "DO-260B §2.2.3.2.7.2.9"),
    Field("callsign", "text", high=8, source="DO-260B §2.2.3.2.5: eight characters"),
)


class AircraftReading(Reading, frozen=True, kw_only=True):
    """One aircraft's reading: air or ground, speed, track, both altitudes, squawk and position quality."""

    on_ground: bool | None = None
    gs_kn: float | None = None
    track_deg: float | None = None
    alt_baro_ft: float | None = None
    alt_geom_ft: float | None = None
    vertical_rate_fpm: float | None = None
    squawk: str | None = None
    nic: int | None = None
    nac_p: int | None = None
    sil: int | None = None
    callsign: str | None = None

    @property
    def speed_kn(self) -> float | None:
        """Ground speed in knots."""
        return self.gs_kn

    @property
    def course_deg(self) -> float | None:
        """Track over ground in degrees true."""
        return self.track_deg
