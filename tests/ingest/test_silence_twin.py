"""A seeded strait of ships through a backtest: who is switched off under way is dark, who lies in a marina is not."""

from __future__ import annotations

import random
from itertools import groupby
from math import cos, radians, sin
from operator import attrgetter

import pytest

from detect.model import Finding
from fleet.geodesy import KN_MPS
from fleet.vessel import VesselReading
from ingest.backtest import Backtest

NOW_US, START_US = 1_790_000_000_000_000, 1_700_000_400_000_000
HOURS = 10
Span = tuple[float, float]
NEVER: Span = (0.0, 0.0)


def sailing(rng: random.Random, mmsi: int, cadence_s: float, kn: float, silent: Span) -> list[VesselReading]:
    """A ship that goes to and fro (at 0 kn: lies still), silent between two hours."""
    lat_deg, lon_deg, course_deg = 50.0 + rng.uniform(-0.2, 0.2), 1.0 + rng.uniform(-0.3, 0.3), rng.uniform(0, 360)
    readings: list[VesselReading] = []
    second = rng.uniform(0, cadence_s)
    while second < HOURS * 3600:
        if not (49.75 < lat_deg < 50.25 and 0.6 < lon_deg < 1.4):
            course_deg = (course_deg + 180.0) % 360.0
        step_m = kn * KN_MPS * cadence_s
        lat_deg += step_m * cos(radians(course_deg)) / 111_320
        lon_deg += step_m * sin(radians(course_deg)) / 71_000
        if not silent[0] * 3600 < second < silent[1] * 3600:
            readings.append(
                VesselReading(
                    scheme="mmsi", value=str(mmsi), time_us=START_US + int(second * 1e6), seq=len(readings),
                    lat_deg=lat_deg + rng.gauss(0, 3e-5), lon_deg=lon_deg + rng.gauss(0, 3e-5), sog_kn=kn, cog_deg=course_deg,
                    source="ais_terrestrial",
                )
            )  # fmt: skip
        second += cadence_s * rng.choice([1, 1, 1, 2])
    return readings


def gaps(seed: int, dark: Span = NEVER, berthed: Span = NEVER, outage: Span = NEVER) -> list[Finding]:
    """Eight ships under way, of which the first goes dark, and four in a marina, of which the last is switched off."""
    rng = random.Random(seed)
    readings: list[VesselReading] = []
    for number in range(12):
        under_way, silent = number < 8, {0: dark, 11: berthed}.get(number, NEVER)
        kn = rng.uniform(6, 15) if under_way else 0.0
        readings += sailing(rng, 244_000_000 + number, rng.choice([60, 60, 180]), kn, silent if silent != NEVER else outage)
    run = Backtest(NOW_US)
    for _, together in groupby(sorted(readings, key=attrgetter("time_us", "value")), key=attrgetter("time_us")):
        run._take(list(together))
    run.finish()
    return [finding for finding in run.findings.values() if finding.rule == "gap"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hours", [1.2, 6.0])
def test_who_is_switched_off_under_way_is_dark_and_nobody_else(seed: int, hours: float) -> None:
    begin = random.Random(seed).uniform(1.0, HOURS - hours - 1.0)
    found = gaps(seed, dark=(begin, begin + hours), berthed=(1.0, HOURS))
    assert [(gap.asset, gap.severity) for gap in found if gap.severity != "info"] == [("mmsi:244000000", "warning")]
    (dark,) = [gap for gap in found if gap.asset == "mmsi:244000000"]
    assert dark.evidence["silent_h"] == pytest.approx(hours, abs=0.25)
    assert dark.detected_at_us - dark.opened_at_us <= 2 * 60 * 60_000_000
    assert {gap.evidence["verdict"] for gap in found if gap.asset == "mmsi:244000011"} == {"parked"}


def test_an_outage_of_everybody_is_nobodys_silence() -> None:
    assert {gap.severity for gap in gaps(3, outage=(3.0, 5.0))} <= {"info"}
