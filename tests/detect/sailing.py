"""A ship's track for the tests of movement rules: legs of speed, course and heading, a reading every so many seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import cos, radians
from random import Random
from typing import Any

from detect.said import hear
from fleet.geodesy import KN_MPS
from fleet.reading import StaticReport
from fleet.vessel import VesselReading
from tests.detect.conftest import Surroundings

M_PER_DEG = 60.0 * 1852.0
Leg = tuple[float, dict[str, Any]]
"""How many minutes, and what holds in them: `sog_kn`, `cog_deg`, `heading_deg` and any other field of a reading."""


class Track:
    """A ship at sea that is sailed leg by leg; remembers where and when she is."""

    def __init__(self, bench: Any, every_s: float = 60.0, lat_deg: float = 40.0, lon_deg: float = -30.0, seed: int = 0) -> None:
        self.bench, self.every_s, self.lat_deg, self.lon_deg = bench, every_s, lat_deg, lon_deg
        self.second = 0.0
        self.rng = Random(seed)
        self.readings: list[VesselReading] = []

    def sail(
        self,
        minutes: float,
        *,
        sog_kn: float | Callable[[float], float],
        cog_deg: float = 90.0,
        heading_deg: float | str | None = "ahead",
        noise: float = 0.0,
        moves: bool = True,
        **fields: Any,
    ) -> Track:
        """Go on for some minutes. `sog_kn` may be a function of the minutes gone; `noise` scales what the sensors add.

        `moves` False: she stays where she is whatever she says.
        """
        count = round(minutes * 60.0 / self.every_s)
        for i in range(count):
            speed_kn = sog_kn(i * self.every_s / 60.0) if callable(sog_kn) else sog_kn
            if moves:
                metres = speed_kn * KN_MPS * self.every_s
                self.lat_deg += metres * cos(radians(cog_deg)) / M_PER_DEG
                self.lon_deg += metres * cos(radians(cog_deg - 90.0)) / M_PER_DEG / cos(radians(self.lat_deg))
            self.second += self.every_s
            heading = cog_deg if heading_deg == "ahead" else heading_deg
            said = {
                "sog_kn": round(max(0.0, speed_kn + self.rng.gauss(0.0, 0.1 * noise)), 1),
                "cog_deg": round((cog_deg + self.rng.gauss(0.0, 4.0 * noise)) % 360.0, 1),
                "heading_deg": None
                if not isinstance(heading, float | int)
                else round(heading + self.rng.gauss(0, 3 * noise)) % 360,
                "nav_status": 0,
                "lat_deg": round(self.lat_deg + self.rng.gauss(0.0, noise * 5.0 / M_PER_DEG), 6),
                "lon_deg": round(self.lon_deg + self.rng.gauss(0.0, noise * 5.0 / M_PER_DEG), 6),
            }
            self.readings.append(self.bench.ship(self.second, **(said | fields)))
        return self

    def silent(self, minutes: float, sog_kn: float = 0.0, cog_deg: float = 90.0) -> Track:
        """Nothing is heard for some minutes, in which she goes on at a speed."""
        metres = sog_kn * KN_MPS * minutes * 60.0
        self.lat_deg += metres * cos(radians(cog_deg)) / M_PER_DEG
        self.lon_deg += metres * cos(radians(cog_deg - 90.0)) / M_PER_DEG / cos(radians(self.lat_deg))
        self.second += minutes * 60.0
        return self


def last(
    bench: Any,
    readings: Sequence[VesselReading],
    rule: str,
    said: dict[str, Any] | None = None,
    around: Surroundings | None = None,
) -> list[Any]:
    """What a rule said of a track, each finding in its last form; `said` are particulars of a static report before it."""
    state = bench.state()
    if said is not None:
        hear(state, report(bench, 0.0, **said))
    return list(bench.last(bench.run(readings, state=state, around=around), rule))


def report(bench: Any, second: float, **said: Any) -> StaticReport:
    """A static report of the bench's ship."""
    return StaticReport(asset_class="vessel", scheme="mmsi", value="244660000", time_us=bench.at(second), particulars=said)
