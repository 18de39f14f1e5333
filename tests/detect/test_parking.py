"""Aircraft that stand: parked and stored to the minute, not while nobody sees them, and in service again by flights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detect.checkpoint import from_checkpoint, to_checkpoint
from detect.model import Docket, Finding, Listening
from fleet.instants import DAY_US, to_datetime
from fleet.practice_book import HOUSE
from fleet.use import UseContext
from fleet.use_machines import MACHINES
from tests.detect.conftest import Bench, Surroundings

DAY = 86_400.0
ON_S = 3_600.0  # the first landing, within seconds
RULES = {"parked_long", "stored"}


def use_at(time_us: int) -> UseContext:
    return UseContext(limits=MACHINES["aircraft"].limits(HOUSE, to_datetime(time_us).date(), None))


def around(**more: Any) -> Surroundings:
    return Surroundings(use=use_at, **more)


def flight(bench: Bench, landing_s: float, lat_deg: float = 50.0) -> list[Any]:
    """An hour in the air, a landing, and the roll-out."""
    air = {"on_ground": False, "gs_kn": 250.0, "alt_baro_ft": 9_000.0, "track_deg": 0.0, "vertical_rate_fpm": 0.0}
    readings = [
        bench.plane(landing_s - second, lat_deg=lat_deg - second / 3600, lon_deg=8.0, **air) for second in range(3600, 60, -60)
    ]
    low = {"on_ground": False, "gs_kn": 135.0, "alt_baro_ft": 500.0, "track_deg": 0.0, "vertical_rate_fpm": -700.0}
    readings += [bench.plane(landing_s - second, lat_deg=lat_deg, lon_deg=8.0, **low) for second in (25, 15, 5)]
    return readings + [standing(bench, landing_s + second, lat_deg) for second in (5, 15, 25, 85)]


def standing(bench: Bench, second: float, lat_deg: float = 50.0) -> Any:
    return bench.plane(second, on_ground=True, gs_kn=0.0, lat_deg=lat_deg, lon_deg=8.0)


def stood(bench: Bench, days: float, *, every_d: float = 0.5, from_s: float = ON_S) -> list[Any]:
    return [standing(bench, from_s + every_d * DAY * i) for i in range(1, int(days / every_d) + 1)]


def found(bench: Bench, readings: Sequence[Any], days: float, world: Surroundings | None = None) -> list[Finding]:
    findings = bench.run(readings, until=ON_S + days * DAY, around=world or around(), state=bench.state("aircraft"))
    return [finding for finding in findings if finding.rule in RULES]


def said(findings: Sequence[Finding]) -> list[tuple[str, str, bool]]:
    return [(finding.rule, finding.severity, finding.closed_at_us is None) for finding in findings]


MINUTE_D = 1 / 1440


@pytest.mark.parametrize(
    ("preset", "days", "expected"),
    [
        (None, 7 - MINUTE_D, []),
        (None, 7 + MINUTE_D, [("parked_long", "info", True)]),
        (None, 14 - MINUTE_D, [("parked_long", "info", True)]),
        (None, 14 + MINUTE_D, [("parked_long", "info", True), ("parked_long", "info", False), ("stored", "warning", True)]),
        ("lessor", 30 - MINUTE_D, []),
        ("lessor", 30 + MINUTE_D, [("parked_long", "info", True)]),
        ("lessor", 90 + MINUTE_D, [("parked_long", "info", True), ("parked_long", "info", False), ("stored", "warning", True)]),
    ],
)
def test_an_aircraft_that_stands_is_parked_and_then_stored_by_its_preset_to_the_minute(
    bench: Bench, preset: str | None, days: float, expected: list[tuple[str, str, bool]]
) -> None:
    world = around(docket=Docket(storage_preset=preset))
    findings = found(bench, [*flight(bench, ON_S), *stood(bench, days, every_d=1.0)], days, world)
    assert said(findings) == expected
    for finding in findings:
        assert finding.evidence["preset"] == (preset or "cirium")
        assert finding.opened_at_us == pytest.approx(bench.at(ON_S) + finding.evidence["limit_d"] * DAY_US, abs=10_000_000)
        assert finding.opened_at_us <= finding.detected_at_us < finding.opened_at_us + 60_000_000


@pytest.mark.parametrize(("last_d", "expected"), [(4.1, 1), (3.9, 0)])
def test_without_a_fix_on_the_ground_of_the_last_three_days_nobody_knows(bench: Bench, last_d: float, expected: int) -> None:
    assert len(found(bench, [*flight(bench, ON_S), *stood(bench, last_d, every_d=last_d)], 12)) == expected


def test_a_fix_that_comes_later_tells_of_it_then(bench: Bench) -> None:
    readings = [*flight(bench, ON_S), standing(bench, ON_S + 3.9 * DAY)]
    readings += [standing(bench, ON_S + 8 * DAY + 90 * number) for number in range(3)]
    (parked,) = found(bench, readings, 9)
    assert parked.opened_at_us == pytest.approx(bench.at(ON_S + 7 * DAY), abs=10_000_000)
    assert parked.detected_at_us == bench.at(ON_S + 8 * DAY + 90)
    assert parked.evidence["longest_unseen_h"] == pytest.approx(98.4, abs=0.1)


@pytest.mark.parametrize(("silent_d", "expected"), [(7.9, ["parked_long"]), (8.1, [])])
def test_a_silence_of_more_than_eight_days_begins_the_count_anew(bench: Bench, silent_d: float, expected: list[str]) -> None:
    back_s = ON_S + silent_d * DAY
    readings = [*flight(bench, ON_S), *(standing(bench, back_s + 60 * i) for i in range(5))]
    assert [finding.rule for finding in found(bench, readings, silent_d + 1)] == expected


def test_while_we_did_not_listen_it_may_have_flown(bench: Bench) -> None:
    readings = [*flight(bench, ON_S), *(standing(bench, ON_S + day * DAY) for day in (1, 4, 5, 6, 7, 8))]
    deaf = Listening(((0, bench.at(ON_S + 1.2 * DAY)), (bench.at(ON_S + 3.9 * DAY), bench.at(100 * DAY))))
    assert len(found(bench, readings, 9)) == 1
    assert found(bench, readings, 9, around(listening=deaf)) == []


def test_an_aircraft_silent_since_its_landing_is_unknown_and_not_parked(bench: Bench) -> None:
    assert found(bench, flight(bench, ON_S), 40) == []


def test_where_no_landing_was_heard_it_stands_since_its_first_fix_on_the_ground(bench: Bench) -> None:
    readings = [standing(bench, ON_S + second) for second in (0, 10, 20, 90)] + stood(bench, 8)
    (parked,) = found(bench, readings, 8)
    assert (parked.evidence["last_on"], parked.evidence["standing_since"]) == (None, "2023-11-14T23:00:20Z")


def test_an_aircraft_that_flies_each_week_is_never_parked(bench: Bench) -> None:
    readings: list[Any] = []
    for week in range(3):
        on_s = ON_S + week * 6.9 * DAY
        readings += [*flight(bench, on_s), *stood(bench, 6.5, from_s=on_s)]
    assert found(bench, readings, 20) == []


@pytest.mark.parametrize(("days_between", "ended"), [(3, "in_service"), (4, None)])
def test_it_is_in_service_again_after_flights_on_three_days_of_seven(bench: Bench, days_between: int, ended: str | None) -> None:
    readings = [*flight(bench, ON_S), *stood(bench, 15)]
    for number in range(3):
        on_s = ON_S + (16 + number * days_between) * DAY
        readings += [*flight(bench, on_s), *stood(bench, days_between - 0.5, from_s=on_s)]
    findings = found(bench, readings, 28)
    stored = [finding for finding in findings if finding.rule == "stored"]
    assert stored[-1].evidence.get("ended") == ended
    assert (stored[-1].closed_at_us is None) == (ended is None)
    if ended:
        assert stored[-1].evidence["flown_days"] == 3
        assert stored[-1].closed_at_us == pytest.approx(bench.at(ON_S + 22 * DAY - 3600), abs=1_200_000_000)
    assert [finding.rule for finding in findings if finding.opened_at_us > bench.at(ON_S + 15 * DAY)] == []


def test_a_ferry_flight_leaves_it_stored_and_says_nothing_new(bench: Bench) -> None:
    readings = [*flight(bench, ON_S), *stood(bench, 15)]
    ferry_s = ON_S + 16 * DAY
    readings += [*flight(bench, ferry_s, 51.0), *(standing(bench, ferry_s + DAY * day, 51.0) for day in range(1, 10))]
    assert said(found(bench, readings, 26)) == [
        ("parked_long", "info", True), ("parked_long", "info", False), ("stored", "warning", True)
    ]  # fmt: skip


PIECES = st.lists(st.tuples(st.sampled_from(["stand", "fly", "silent"]), st.integers(1, 9)), min_size=1, max_size=8)


@given(pieces=PIECES, cuts=st.sets(st.integers(1, 400), max_size=4))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_cut_and_restored_it_says_the_same_and_opens_and_closes_in_turn(pieces: list[tuple[str, int]], cuts: set[int]) -> None:
    bench, second = Bench(), ON_S
    readings = flight(bench, second)
    for kind, count in pieces:
        if kind == "stand":
            readings += stood(bench, count, every_d=1.0, from_s=second)
        second += count * DAY
        if kind == "fly":
            readings += flight(bench, second)
    until = (second - ON_S) / DAY + 1
    whole = found(bench, readings, until)
    state, parts, begin = bench.state("aircraft"), [], 0
    for cut in [*sorted(cut for cut in cuts if cut < len(readings)), len(readings)]:
        parts += bench.run(readings[begin:cut], around=around(), state=state)
        state.take_contributions()
        state.take_facts()
        state, begin = from_checkpoint(to_checkpoint(state)) or state, cut
    parts += bench.run([], until=ON_S + until * DAY, around=around(), state=state)
    assert [finding for finding in parts if finding.rule in RULES] == whole
    for rule in RULES:
        is_open = [finding.closed_at_us is None for finding in whole if finding.rule == rule]
        assert is_open == [number % 2 == 0 for number in range(len(is_open))]
