"""Off-hire: the de-minimis is all or nothing, months of an event add up to it, telemetry proposes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import off_hire
from fleet.off_hire import LostTime, Stretch
from tests.fleet.fix_vectors import vector

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def lost(day: int, hours: float, net_h: float | None = None) -> LostTime:
    start = JUNE + timedelta(days=day - 1)
    return LostTime(started_at=start, ended_at=start + hours * HOUR, net_loss_h=net_h)


def of_june(events: list[LostTime], **changed: object) -> off_hire.OffHire:
    rule: dict[str, object] = {
        "basis": "net",
        "deminimis_h": 24,
        "daily_hire": Decimal(15_000),
        **changed,
    }
    return off_hire.of_period(events, JUNE, JULY, **rule)  # type: ignore[arg-type]


def test_a_month_of_a_ship_with_its_off_hire() -> None:
    golden = vector("SH7_util")
    events = [lost(date.fromisoformat(day).day, hours) for day, hours in golden["offhire_events"]]
    found = of_june(events, deminimis_h=golden["deminimis_h"])
    assert (found.off_hire_h, found.on_hire_h, found.lost_h) == (golden["offhire_h"], golden["on_hire_h"], 48.0)
    assert found.utilization * 100 == pytest.approx(golden["commercial_util_pct"], abs=5e-5)
    assert found.deduction == Decimal("18750.00") == Decimal(str(golden["hire_deduction"])).quantize(Decimal("0.01"))


@pytest.mark.parametrize(("hours", "counted"), [(23.9, 0.0), (24.0, 0.0), (24.1, 24.1), (48.0, 48.0)])
def test_once_the_de_minimis_is_passed_all_of_it_counts(hours: float, counted: float) -> None:
    assert off_hire.counted_h([lost(3, hours)], "net", 24) == pytest.approx(counted)


def test_net_counts_what_was_lost_and_period_all_of_it() -> None:
    half_speed = lost(3, 60, net_h=30)
    assert of_june([half_speed]).off_hire_h == pytest.approx(30)
    assert of_june([half_speed], basis="period").off_hire_h == pytest.approx(60)


def test_a_bareboat_charterer_pays_on() -> None:
    found = of_june([lost(3, 200)], applies=False)
    assert (found.off_hire_h, found.deduction, found.reason) == (0.0, None, "not_applicable")


def test_a_deduction_without_a_hire_is_unknown_and_not_zero() -> None:
    found = of_june([lost(3, 30)], daily_hire=None)
    assert (found.deduction, found.reason, found.off_hire_h) == (None, "no_hire", 30.0)


def test_an_hour_is_lost_once() -> None:
    assert of_june([lost(3, 30), lost(4, 30)], basis="period").off_hire_h == pytest.approx(54)


def test_the_rate_is_rounded_before_the_line() -> None:
    assert of_june([lost(3, 36)], daily_hire=Decimal("1000.005")).deduction == Decimal("1500.02")


@given(
    st.lists(st.tuples(st.integers(0, 1400), st.integers(1, 200)), max_size=6),
    st.integers(1, 1439),
    st.sampled_from(["net", "period"]),
)
@settings(max_examples=80)
def test_the_parts_of_a_period_add_up_to_it(spans: list[tuple[int, int]], cut_h: int, basis: off_hire.Basis) -> None:
    events = [LostTime(started_at=JUNE + start * HOUR, ended_at=JUNE + (start + length) * HOUR) for start, length in spans]

    def counted(from_h: int, to_h: int) -> float:
        return off_hire.of_period(
            events, JUNE + from_h * HOUR, JUNE + to_h * HOUR, basis=basis, deminimis_h=24, daily_hire=None
        ).off_hire_h

    assert counted(0, cut_h) + counted(cut_h, 1440) == pytest.approx(counted(0, 1440), abs=1e-6)
    assert 0 <= counted(0, 1440) <= 1440 + 1e-6


def stretch(state: str, from_h: float, to_h: float) -> Stretch:
    return Stretch(state=state, started_at=JUNE + from_h * HOUR, ended_at=JUNE + to_h * HOUR)


def test_docks_drifts_and_long_stops_are_proposed_and_silence_is_not() -> None:
    stretches = [
        stretch("at_sea", 0, 100), stretch("drifting", 100, 113), stretch("at_sea", 113, 120), stretch("moored", 120, 168),
        stretch("unknown", 168, 468), stretch("drydock", 468, 600), stretch("drifting", 600, 605),
    ]  # fmt: skip
    assert off_hire.candidates(stretches, date(2026, 6, 30)) == [stretches[1], stretches[5]]


def test_a_short_silence_does_not_end_a_stop() -> None:
    parts = [stretch("drifting", 0, 7), stretch("unknown", 7, 12), stretch("drifting", 12, 18)]
    assert off_hire.candidates(parts, date(2026, 6, 30)) == [stretch("drifting", 0, 18)]
    assert off_hire.candidates([parts[0], stretch("unknown", 7, 14), stretch("drifting", 14, 20)], date(2026, 6, 30)) == []


def test_a_lay_up_is_a_fortnight_without_moving_and_a_day_unseen_ends_it() -> None:
    june = [date(2026, 6, day) for day in range(1, 31)]
    assert off_hire.lay_up_days(june[:14], date(2026, 6, 30)) == june[:14]
    assert off_hire.lay_up_days(june[:13], date(2026, 6, 30)) == []
    assert off_hire.lay_up_days(june[:13] + june[14:], date(2026, 6, 30)) == june[14:]
