"""Flights of real recordings have their OFF and ON within 30 s and their airports; the seeded twin flies simulated ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fleet.instants import MINUTE_US, SECOND_US, from_datetime
from fleet.use import Journey
from ingest.backtest import Backtest, journey_lines
from ingest.recordings import merge
from simulators.aircraft import Aircraft
from simulators.scenario import AircraftPlan

SHARED = Path(os.environ.get("KEELWING_SHARED", Path(__file__).parents[3] / "shared")) / "data" / "adsb_traffic"
NOW_US = 1_800_000_000 * SECOND_US
WITHIN_S = 30.0


class Flown(NamedTuple):
    """A flight of a recording as its rows show it: OFF and ON read off altitude and flag by eye, None where not heard."""

    file: str
    asset: str
    off: str | None
    on: str | None
    origin: str | None
    destination: str | None


FLOWN = [
    Flown("calibration/ajaccio.json.gz", "icao24:39b415", None, "2018-01-12T12:50:30Z", "LFKJ", "LFKJ"),
    Flown("calibration/bornholm.json.gz", "icao24:4ab179", None, "2018-11-26T13:12:34Z", "EKRN", "EKRN"),
    Flown("calibration/brussels_ils.json.gz", "icao24:39b415", "2018-12-08T13:07:57Z", "2018-12-08T15:40:36Z", "EBBR", "EBBR"),
    Flown("calibration/brussels_vor.json.gz", "icao24:39b415", None, "2018-12-08T11:08:55Z", "EBBR", "EBBR"),
    Flown("calibration/cardiff.json.gz", "icao24:4076f1", "2019-02-15T09:25:22Z", None, "EGFF", "EGFF"),
    Flown("calibration/funchal.json.gz", "icao24:4070f4", "2018-11-23T09:44:07Z", None, "LPMA", "LPMA"),
    Flown("calibration/kota_kinabalu.json.gz", "icao24:750093", None, "2017-03-08T02:46:43Z", "WBKK", "WBKK"),
    Flown("calibration/liege_sprimont.json.gz", "icao24:39b415", "2019-04-27T08:25:52Z", None, "EBBR", "EBLG"),
    Flown("featured/airbus_tree.json.gz", "icao24:3807fa", None, None, "EDHI", "EDHI"),
    Flown("featured/dreamliner_airfrance.json.gz", "icao24:39c424", None, None, "LFPG", "LFPG"),
    Flown("featured/elal747.json.gz", "icao24:738043", "2019-11-03T10:10:43Z", "2019-11-03T15:07:58Z", "LIRF", "LLBG"),
    Flown("featured/kiwi.json.gz", "icao24:c820d1", "2021-05-15T00:10:26Z", "2021-05-15T02:52:45Z", "NZCH", "NZCH"),
    Flown("featured/qantas747.json.gz", "icao24:7c4779", "2020-07-22T05:28:38Z", None, "YSSY", None),
    Flown("fr24/2ce4f83f.json", "icao24:ae503d", None, "14:43:40", "WMSA", "RCSS"),
    Flown("fr24/3376ab31.json", "icao24:8467d8", None, "08:47:11", "RJCC", "RJTT"),
    Flown("fr24/34a8254b.json", "icao24:4b1901", "11:04:30", "21:40:50", "LSZH", "MMUN"),
    Flown("fr24/372355e5.json", "icao24:4baac6", "08:02:14", "11:16:57", "LTFM", "ENGM"),
    Flown("noisy/noisy_takeoff.json.gz", "icao24:3946e4", "17:39:47", None, "LSZH", None),
    Flown("noisy/noisy_landing.json.gz", "icao24:3c664e", None, None, None, "LSZH"),
    Flown("noisy/noisy_time_issue.json.gz", "icao24:4b1815", None, None, "LPPR", "LSZH"),
    Flown("readsb/trace_full_ac671b.json", "icao24:ac671b", None, "01:12:23", None, "KMSP"),
]


ZURICH = [
    ("0083c3", "LSZH"),
    ("4d20cd", "LSZH"),
    ("4b18b8", "LSZH"),
    ("c01074", None),
    ("4b1614", None),
    ("4b160e", "LSZH"),
    ("4690e2", None),
]


def told(path: Path) -> list[dict[str, Any]]:
    run = Backtest(NOW_US)
    run.run(merge([path], lambda *_: None))
    return list(journey_lines(run.journeys.values()))


def apart_s(said: str | None, seen: str) -> float:
    """Seconds between what was found and what the rows show (a time of day, or an instant)."""
    assert said is not None
    found = datetime.fromisoformat(said)
    shown = datetime.fromisoformat(seen) if "T" in seen else datetime.fromisoformat(f"{said[:10]}T{seen}+00:00")
    return abs((found - shown).total_seconds())


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real recordings are not here (KEELWING_SHARED)")
@pytest.mark.parametrize("flown", FLOWN, ids=lambda flown: Path(flown.file).name.split(".")[0])
def test_a_recorded_flight_has_its_ends_and_its_airports(flown: Flown) -> None:
    first = next(line for line in told(SHARED / flown.file) if line["asset"] == flown.asset)
    assert (first["from"], first["to"]) == (flown.origin, flown.destination)
    for found, seen in ((first["started_at"], flown.off), (first["ended_at"], flown.on)):
        if seen is not None:
            assert apart_s(found, seen) <= WITHIN_S


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real recordings are not here (KEELWING_SHARED)")
def test_what_taxies_at_zurich_does_not_fly() -> None:
    """Other aircraft's altitudes among their rows are no flights; who comes, leaves, or comes back does fly."""
    assert [line["from"] for line in told(SHARED / "noisy" / "noisy_ground.json.gz")] == ["LSZH"]  # at the end
    flown = told(SHARED / "onground" / "zurich_airport.json.gz")
    assert [(line["asset"].removeprefix("icao24:"), line["to"]) for line in flown] == ZURICH


PLAN = AircraftPlan(tenant="t", name="PH-SIM", type="A320", airports=["EHAM", "EDDM", "LEMD"], stand_left_min=10.0)
START_US = from_datetime(datetime(2026, 11, 26, 22, tzinfo=UTC))
HOURS = 5


class Simulated(NamedTuple):
    """What the simulated aircraft did, to the second, and what was said of it."""

    truth: list[tuple[int, int]]
    rows: list[dict[str, Any]]


@pytest.fixture(scope="module", params=[7, 11])
def simulated(request: pytest.FixtureRequest) -> Simulated:
    aircraft = Aircraft(PLAN, seed=request.param, start_us=START_US)
    rows, changes, flies = [], [], False
    for second in range(0, HOURS * 3600, 2):
        time_us = START_US + second * SECOND_US
        row = aircraft.reading(time_us)
        if row["on_ground"] is flies:
            flies = not flies
            changes.append(time_us - SECOND_US)
        if second % 10 == 0:
            rows.append({"class": "aircraft", "scheme": "icao24", "value": "4840d6", "stream": "telemetry", **row})
    pairs = list(zip(changes[::2], changes[1::2], strict=False))
    return Simulated(pairs, rows)


def without_flag(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {name: value for name, value in row.items() if name != "on_ground"}


def unheard_when_low(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A receiver behind a hill: nothing that moves fast below 2,000 ft pressure altitude."""
    return (row for row in rows if row["gs_kn"] < 50 or row["alt_baro_ft"] > 3000)


@pytest.mark.parametrize(("heard", "within_s"), [(list, 10.0), (without_flag, 30.0), (unheard_when_low, 75.0)])
def test_a_simulated_flight_has_its_ends_and_its_airports(simulated: Simulated, heard: Any, within_s: float) -> None:
    run = Backtest(NOW_US)
    run.run(iter(heard(simulated.rows)))
    flights: list[Journey] = [journey for _, journey in run.journeys.values() if journey.ended_us is not None]
    assert [(one.from_place, one.to_place) for one in flights[:2]] == [("EHAM", "EDDM"), ("EDDM", "LEMD")][: len(flights[:2])]
    assert len(flights) >= len(simulated.truth) >= 1
    for one, (off_us, on_us) in zip(flights, simulated.truth, strict=False):
        assert one.ended_us is not None
        assert abs(one.started_us - off_us) <= within_s * SECOND_US
        assert abs(one.ended_us - on_us) <= within_s * SECOND_US
        assert one.distance_m > 400_000
        assert one.ended_us - one.started_us > 50 * MINUTE_US
