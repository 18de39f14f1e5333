"""Landed elsewhere: what counts as filed, where it stands, and what nobody can say."""

from __future__ import annotations

from typing import Any

import pytest

from detect.model import Context
from detect.said import hear
from fleet.flight_machine import FlightState, Heard, OpenFlight
from fleet.reading import StaticReport
from fleet.use import NOWHERE, Place, UseContext

NAME = "diversion"
FIELDS = {48.0: "EDDM", 51.0: "EDDL", 50.0: "EDDF"}


class ThreeFields:
    """A world of three airports, told by latitude."""

    places_near = NOWHERE.places_near

    def airport_near(self, lat_deg: float, _lon_deg: float, _within_m: float) -> Place | None:
        icao = FIELDS.get(lat_deg)
        return None if icao is None else Place(id=icao, kind="airport", name=icao, distance_m=500.0, elevation_ft=0.0)


class Flown:
    """One aircraft whose flight machine says what it is told to; a reading each minute makes the rule look."""

    def __init__(self, bench: Any, surroundings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("detect.drive.use", lambda *_: None)
        context = Context(use=UseContext(limits=None, places=ThreeFields()))
        self.around = surroundings()
        self.around.at_reading = lambda _asset_id, _reading: context
        self.bench, self.state, self.minute = bench, bench.state("aircraft"), 0
        self.findings: list[Any] = []

    @property
    def use(self) -> FlightState:
        assert isinstance(self.state.use, FlightState)
        return self.state.use

    def say(self, destination: str) -> None:
        hear(
            self.state,
            StaticReport(
                asset_class="aircraft",
                scheme="icao24",
                value="4840d6",
                time_us=self.now_us,
                particulars={"destination": destination},
            ),
        )

    @property
    def now_us(self) -> int:
        at_us: int = self.bench.at(60.0 * self.minute)
        return at_us

    def minutes(self, count: int) -> None:
        for _ in range(count):
            self.minute += 1
            self.findings += self.bench.run([self.bench.plane(60.0 * self.minute)], around=self.around, state=self.state)

    def take_off(self) -> None:
        self.use.flight = OpenFlight(off_us=self.now_us, quality="midpoint", from_place="EDDM")
        self.minutes(2)

    def land(self, lat_deg: float | None) -> None:
        self.use.flight, self.use.last_on_us = None, self.now_us
        self.use.ground = Heard(self.now_us, 0.0, 0.0, 10.0, lat_deg, 11.0)
        self.minutes(2)

    @property
    def found(self) -> list[Any]:
        forms: list[Any] = self.bench.last(self.findings, NAME)
        return forms


@pytest.fixture
def flown(bench: Any, surroundings: Any, monkeypatch: pytest.MonkeyPatch) -> Flown:
    return Flown(bench, surroundings, monkeypatch)


@pytest.mark.parametrize(("lat_deg", "landed"), [(51.0, []), (50.0, ["EDDF"]), (48.0, ["EDDM"]), (10.0, []), (None, [])])
def test_another_airport_than_the_filed_one_is_a_diversion(flown: Flown, lat_deg: float | None, landed: list[str]) -> None:
    flown.minutes(2)
    flown.say("EDDL")
    flown.take_off()
    flown.minutes(30)
    flown.land(lat_deg)
    assert [finding.evidence["landed_airport"] for finding in flown.found] == landed
    for finding in flown.found:
        assert (finding.severity, finding.evidence["filed_airport"]) == ("warning", "EDDL")
        assert finding.evidence["is_return"] == (landed == ["EDDM"])
        assert finding.opened_at_us == finding.closed_at_us


@pytest.mark.parametrize(("late_min", "landed"), [(14, []), (16, ["EDDF"])])
def test_a_plan_may_come_fifteen_minutes_after_take_off_a_later_one_is_an_announcement(
    flown: Flown, late_min: int, landed: list[str]
) -> None:
    flown.minutes(2)
    flown.say("EDDL")
    flown.take_off()
    flown.minutes(late_min - 2)
    flown.say("EDDF")
    flown.minutes(30)
    flown.land(50.0)
    assert [finding.evidence["landed_airport"] for finding in flown.found] == landed
    assert all(finding.evidence["is_announced"] for finding in flown.found)


def test_what_was_said_of_the_flight_before_says_nothing_of_this_one(flown: Flown) -> None:
    flown.minutes(2)
    flown.say("EDDL")
    flown.take_off()
    flown.land(51.0)
    flown.take_off()
    flown.land(50.0)
    assert flown.found == []


@pytest.mark.parametrize("word", ["MUNICH", "MUC", "EDD1", ""])
def test_a_word_that_is_no_icao_code_files_nothing(flown: Flown, word: str) -> None:
    flown.minutes(2)
    flown.say(word)
    flown.take_off()
    flown.land(50.0)
    assert flown.found == []


def test_a_flight_that_was_lost_and_not_seen_to_land_is_none(flown: Flown, bench: Any) -> None:
    flown.minutes(2)
    flown.say("EDDL")
    flown.take_off()
    flown.use.flight = None
    flown.minutes(3)
    assert flown.found == []
