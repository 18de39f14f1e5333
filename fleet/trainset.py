"""Trainsets: the fields of their readings. No AIS or ADS-B here: the train's own management system speaks (domain.md 4)."""

from __future__ import annotations

from fleet.reading import Field, Reading

NAME = "trainset"
KMH_PER_KN = 1.852
FIELDS: tuple[Field, ...] = (
    Field("speed_kmh", "number", 0, 700, (), "chosen: above the world record of 603 km/h"),
    Field("odometer_km", "number", 0, 100_000_000),
    Field("line", "text", high=60),
    Field("station", "text", high=60),
)


class TrainsetReading(Reading, frozen=True, kw_only=True):
    """One trainset's reading: speed, odometer, line and station."""

    speed_kmh: float | None = None
    odometer_km: float | None = None
    line: str | None = None
    station: str | None = None

    @property
    def speed_kn(self) -> float | None:
        """Speed in knots, so that all classes compare."""
        return None if self.speed_kmh is None else self.speed_kmh / KMH_PER_KN

    @property
    def course_deg(self) -> float | None:
        """A train reports no course."""
        return None
