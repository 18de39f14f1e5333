"""Calls, voyages and distances of ships that really sailed, and of simulated ones whose timetable is known."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from fleet.geodesy import NM_M, distance_m
from fleet.instants import DAY_US, MINUTE_US, SECOND_US, from_datetime
from fleet.places import Area, AreaPlaces
from fleet.use import Activity, Fact, Journey, UseContext, used
from fleet.vessel import VesselReading
from fleet.vessel_use import MACHINE, VesselLimits, new_state
from ingest.decode import decode_record
from ingest.recordings import Malformed, merge
from ingest.watch import order_key
from simulators.lanes import PORTS
from simulators.scenario import VesselPlan
from simulators.vessel import Vessel

SHARED = Path(os.environ.get("KEELWING_SHARED", Path(__file__).parents[3] / "shared")) / "data"
START = datetime(2026, 5, 4, tzinfo=UTC)
needs_recordings = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason=f"no recordings in {SHARED} (set KEELWING_SHARED)"),
]


class Sailed:
    """What a ship's readings came to: journeys in order, activities, and her use from the first reading to the last."""

    def __init__(self, readings: Iterable[VesselReading], places: AreaPlaces) -> None:
        context = UseContext(limits=VesselLimits(), places=places)
        state, last_key = new_state(), None
        out: list[Fact] = []
        self.readings: list[VesselReading] = []
        for reading in readings:
            if order_key(reading) != last_key:
                MACHINE.at_reading(state, reading, context, out)
                self.readings.append(reading)
            last_key = order_key(reading)
        facts = [*out, *MACHINE.standing(state)]
        last = {(fact.kind, fact.started_us): fact for fact in facts if isinstance(fact, Journey)}
        self.journeys = sorted(last.values(), key=lambda one: (one.started_us, one.kind))
        self.activities = [fact for fact in facts if isinstance(fact, Activity)]
        self.use = used([], self.activities, self.activities[0].from_us, self.activities[-1].to_us)

    def calls(self, confidence: int = 3) -> list[str]:
        return [one.from_place or "" for one in self.journeys if one.kind == "port_call" and (one.confidence or 0) >= confidence]

    def voyages(self) -> list[Journey]:
        return [one for one in self.journeys if one.kind == "voyage"]

    def possible_m(self) -> float:
        """The plain sum of the legs between all positions, those above 50 kn left out."""
        fixes = [(one.time_us, one.lat_deg, one.lon_deg) for one in self.readings if one.lat_deg is not None]
        total_m = 0.0
        for (a_us, *a), (b_us, *b) in pairwise(fixes):
            metres = distance_m(*a, *b)  # type: ignore[arg-type]
            if b_us > a_us and metres / NM_M / ((b_us - a_us) / (3600 * SECOND_US)) <= 50.0:
                total_m += metres
        return total_m


def covers_its_calendar(sailed: Sailed) -> bool:
    return all(one.to_us == two.from_us for one, two in pairwise(sailed.activities))


def recorded(name: str) -> list[VesselReading]:
    found = []
    for item in merge([SHARED / "ais_gfw_segment" / name]):
        if not isinstance(item, Malformed):
            found += [reading for _, reading in decode_record(item, 2**60).readings if isinstance(reading, VesselReading)]
    return sorted(found, key=order_key)


@pytest.fixture(scope="module")
def anchorages() -> AreaPlaces:
    """Global Fishing Watch's anchorages and the World Port Index, as points."""
    areas = []
    for name in ("anchorage_overrides.csv", "WPI_ports.csv"):
        with (SHARED / "geo_gfw_anchorages" / name).open() as rows:
            areas += [
                Area(id=f"{row['iso3']}:{row['label'].strip()}", kind="port", name=row["label"],
                     lat_deg=float(row["latitude"]), lon_deg=float(row["longitude"]))
                for row in csv.DictReader(rows)
            ]  # fmt: skip
    return AreaPlaces(areas)


@pytest.fixture(scope="module", params=[pytest.param("recorded", marks=needs_recordings), "simulated"])
def trawler_or_ferry(request: pytest.FixtureRequest) -> tuple[Sailed, list[str], float]:
    """A ship, the ports that she called at in order, and her distance in nm, from the file or from the timetable."""
    if request.param == "recorded":
        sailed = Sailed(recorded("205316000.csv.gz"), request.getfixturevalue("anchorages"))
        return sailed, ["BEL:ZEEBRUGGE", "DNK:THYBORON", "DNK:THYBORON", "DNK:THYBORON"], sailed.possible_m() / NM_M
    return ferry()


def ferry() -> tuple[Sailed, list[str], float]:
    """Three days of the Dover ferry, a reading a minute: she is in her berth at first."""
    start_us = from_datetime(START)
    plan = VesselPlan(tenant="t", name="DOVER LINK", type="ro_ro", ports=["GBDVR", "FRCQF"], berth_left_min=20)
    ship = Vessel(plan, seed=7, start_us=start_us)
    readings = []
    for time_us in range(start_us, start_us + 3 * DAY_US, MINUTE_US):
        body = ship.reading(time_us)
        wanted = {name: body[name] for name in ("lat_deg", "lon_deg", "sog_kn", "nav_status", "draught_m")}
        readings.append(VesselReading(scheme="imo", value="9", time_us=time_us, seq=0, **wanted))
    ports = AreaPlaces(
        Area(id=port.locode, kind="port", name=port.name, lat_deg=port.lat_deg, lon_deg=port.lon_deg) for port in PORTS.values()
    )
    moored = [readings[0], *(two for one, two in pairwise(readings) if one.nav_status != 5 and two.nav_status == 5)]
    called = [min(plan.ports, key=lambda code: _away_m(code, one)) for one in moored]
    sailing = [(one, two) for one, two in pairwise(readings) if (two.sog_kn or 0.0) > 0.5]
    track_m = sum(
        distance_m(one.lat_deg or 0.0, one.lon_deg or 0.0, two.lat_deg or 0.0, two.lon_deg or 0.0) for one, two in sailing
    )
    return Sailed(readings, ports), called, track_m / NM_M


def _away_m(locode: str, reading: VesselReading) -> float:
    port = PORTS[locode]
    return distance_m(port.lat_deg, port.lon_deg, reading.lat_deg or 0.0, reading.lon_deg or 0.0)


def test_the_ports_called_at_are_hers_in_order(trawler_or_ferry: tuple[Sailed, list[str], float]) -> None:
    sailed, called, _ = trawler_or_ferry
    assert sailed.calls() == called


def test_voyages_lead_from_each_call_to_the_next(trawler_or_ferry: tuple[Sailed, list[str], float]) -> None:
    sailed, called, _ = trawler_or_ferry
    legs = [(one.from_place, one.to_place) for one in sailed.voyages() if one.to_place is not None]
    assert legs == list(pairwise(called))


def test_her_distance_is_that_of_her_track_and_her_time_is_covered(trawler_or_ferry: tuple[Sailed, list[str], float]) -> None:
    sailed, _, track_nm = trawler_or_ferry
    assert sailed.use.distance_m / NM_M == pytest.approx(track_nm, rel=0.02)
    assert covers_its_calendar(sailed)
    assert sum(sailed.use.states_us.values()) == sailed.use.to_us - sailed.use.from_us


@pytest.mark.parametrize("name", [pytest.param("431704490.csv.gz", marks=needs_recordings)])
def test_two_hulls_under_one_number_leave_legs_dropped_and_no_impossible_mile(name: str, anchorages: AreaPlaces) -> None:
    sailed = Sailed(recorded(name), anchorages)
    assert sailed.use.figures["legs_dropped"] > 100
    assert covers_its_calendar(sailed)
    length_h = (sailed.use.to_us - sailed.use.from_us) / (3600 * SECOND_US)
    assert sailed.use.distance_m / NM_M / length_h < 15.0
