"""The rules of flights, one by one, on the worked figures of the domain."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.flight import ATTRIBUTIONS, Attribution, flown, judge_gap, limits, months, off_time, on_time, oooi, parked, verdict
from fleet.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US, from_datetime
from fleet.practice_book import HOUSE
from tests.fleet.fix_vectors import vector

JET = limits(HOUSE, date(2026, 11, 26), "A320-200")
TURBOPROP = limits(HOUSE, date(2026, 11, 26), "ATR 72-600")


def clock_us(text: str) -> int:
    hours, minutes, seconds = map(int, text.split(":"))
    return ((hours * 60 + minutes) * 60 + seconds) * SECOND_US


def instant_us(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))


def test_block_and_flight_hours_are_told_apart() -> None:
    said = vector("AC1_oooi")
    hours = oooi(*(clock_us(said[name]) for name in ("out", "off", "on", "in_")))
    assert hours.block_h == pytest.approx(said["block_h"], rel=1e-6)
    assert hours.flight_h == pytest.approx(said["flight_h"], rel=1e-6)
    assert hours.cycles == said["cycles"]
    assert oooi(None, 0, HOUR_US, None).block_h is None
    with pytest.raises(ValueError, match="not in order"):
        oooi(10, 5, 20, 30)


@pytest.mark.parametrize("rule", ATTRIBUTIONS)
def test_a_flight_across_the_month_belongs_where_the_lease_says(rule: Attribution) -> None:
    said = vector("AC2_month_boundary")
    flights = [(instant_us(said["off"]), instant_us(said["on"]), 1)]
    for name, from_us, to_us in months(instant_us("2026-04-01T00:00:00Z"), instant_us("2026-06-01T00:00:00Z"), UTC):
        hours, cycles = said[rule][name]
        of_month = flown(flights, from_us, to_us, rule)
        assert of_month.flight_us / HOUR_US == pytest.approx(hours, abs=1e-6)
        assert of_month.cycles == cycles


def test_months_are_those_of_the_billing_time_zone() -> None:
    zone = ZoneInfo("America/New_York")
    found = months(instant_us("2026-03-31T23:30:00Z"), instant_us("2026-04-01T05:00:00Z"), zone)
    assert [name for name, _, _ in found] == ["2026-03", "2026-04"]
    assert found[0][2] == instant_us("2026-04-01T04:00:00Z")
    assert found[0][2] - found[0][1] == 31 * DAY_US - HOUR_US  # daylight saving began


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 100 * HOUR_US), st.integers(0, 20 * HOUR_US)), max_size=8),
    st.lists(st.integers(-HOUR_US, 130 * HOUR_US), min_size=2, max_size=6),
    st.sampled_from(ATTRIBUTIONS),
)
def test_leases_that_follow_each_other_share_all_of_the_use(
    given_flights: list[tuple[int, int]], edges: list[int], rule: Attribution
) -> None:
    flights = [(off_us, off_us + length_us, 1) for off_us, length_us in given_flights]
    edges = sorted(edges)
    whole = flown(flights, edges[0], edges[-1], rule)
    parts = [flown(flights, from_us, to_us, rule) for from_us, to_us in pairwise(edges)]
    assert (sum(part.flight_us for part in parts), sum(part.cycles for part in parts)) == whole


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 100 * HOUR_US), st.integers(0, 20 * HOUR_US)), max_size=8),
    st.lists(st.tuples(st.integers(-HOUR_US, 130 * HOUR_US), st.sampled_from(ATTRIBUTIONS)), min_size=2, max_size=6),
)
def test_periods_that_agree_on_the_edges_they_share_lose_and_double_nothing(
    given_flights: list[tuple[int, int]], given_edges: list[tuple[int, Attribution]]
) -> None:
    flights = [(off_us, off_us + length_us, 1) for off_us, length_us in given_flights]
    edges = sorted(given_edges)
    whole = flown(flights, edges[0][0], edges[-1][0], edges[-1][1], edges[0][1])
    parts = [flown(flights, begin[0], end[0], end[1], begin[1]) for begin, end in pairwise(edges)]
    assert (sum(part.flight_us for part in parts), sum(part.cycles for part in parts)) == whole


def test_the_gap_rule_has_an_ambiguous_band() -> None:
    for said in vector("AC3_gap_rule"):
        judged = judge_gap(said["gap_s"] * SECOND_US, said["dist_m"], said["tau_mps"] * 4, JET)
        assert judged.implied_mps == pytest.approx(said["implied_mps"], abs=5e-5)
        assert judged.verdict == said["ours"]


def test_lift_off_and_touch_down_are_extrapolated_by_height_and_rate() -> None:
    off, on = vector("AC4_extrapolate")["off"], vector("AC4_extrapolate")["on"]
    lifted = off_time(None, clock_us(off["first_air"]), off["agl_ft"], off["vr_fpm"], JET)
    touched = on_time(clock_us(on["last_air"]), None, on["agl_ft"], -on["vr_fpm"], JET)
    assert lifted == (clock_us(off["off"]), "extrapolated")
    assert touched == (clock_us(on["on"]), "extrapolated")


def test_extrapolation_stops_at_three_minutes_and_at_the_other_sample() -> None:
    assert off_time(None, 600 * SECOND_US, 20_000, 2_000, JET) == (420 * SECOND_US, "inferred_gap")
    assert off_time(550 * SECOND_US, 600 * SECOND_US, 4_000, 2_000, JET)[0] == 550 * SECOND_US
    assert on_time(0, 40 * SECOND_US, 700, 700, JET)[0] == 40 * SECOND_US


def test_a_slow_type_flies_at_seventy_knots() -> None:
    assert verdict(False, 80, 100, JET) is None
    assert verdict(False, 80, 100, TURBOPROP) == "air"


def test_without_a_flag_only_clear_cases_are_air() -> None:
    assert verdict(None, 150, 900, JET) is None
    assert verdict(None, 150, 1000, JET) == "air"
    assert verdict(None, 20, None, JET) == "ground"
    assert verdict(None, None, 5000, JET) is None


def test_a_contradicting_ground_flag_is_ignored() -> None:
    assert verdict(True, 450, 35_000, JET) is None
    assert verdict(True, 20, 1_000, JET) is None
    assert verdict(True, 138, 0, JET) == "ground"


def test_parked_counts_from_the_last_landing_by_the_presets_words() -> None:
    said = vector("AC15_parked")
    found = parked(instant_us(said["last_on"]), instant_us(said["as_of"]), "lessor", HOUSE)
    assert found == (said["days"], "parked")
    last_us = instant_us(said["last_on"])
    assert parked(last_us, last_us + 29 * DAY_US, "lessor", HOUSE).status == "idle"
    assert parked(last_us, last_us + 14 * DAY_US, "cirium", HOUSE).status == "stored"
    assert parked(last_us, last_us + 7 * DAY_US - MINUTE_US, "cirium", HOUSE).status == "in_service"
