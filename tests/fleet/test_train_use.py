"""Trainsets in use: the golden day, odometers that reset and roll over, cars that change trains, stops and stabling."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from fleet.practice_book import HOUSE
from fleet.train_use import (
    MACHINE,
    Mdbf,
    Membership,
    TrainLimits,
    TrainUse,
    availability,
    car_km,
    compressor_duty,
    cycles_per_leaf,
    energy_per_car_km,
    mdbf,
    net_energy_kwh,
    new_state,
    odometer_step,
)
from fleet.trainset import TrainsetReading
from fleet.use import Activity, Fact, Journey, UseContext, UseDay, used
from simulators.element import unix_us
from simulators.scenario import TrainsetPlan
from simulators.trainset import Trainset
from tests.fleet.fix_vectors import vector

START_US = 20_575 * DAY_US + 4 * HOUR_US
CONTEXT = UseContext(limits=TrainLimits())


def test_the_golden_day_of_six_cars() -> None:
    golden = vector("RL1")
    begin_km, end_km = golden["odo_km"]
    km = odometer_step(begin_km, end_km, 1000.0).km
    assert km == pytest.approx(golden["train_km"], rel=1e-6)
    cars = car_km([(0, DAY_US, km)], [Membership(f"car {n}", 0) for n in range(golden["cars"])])
    assert sum(cars.values()) == pytest.approx(golden["car_km"], rel=1e-6)
    assert cycles_per_leaf(golden["door_cycles"], golden["doors"]) == golden["cycles_per_door"]
    assert compressor_duty(golden["compressor_on_s"], golden["in_service_s"]) == pytest.approx(golden["duty"], rel=1e-6)
    assert energy_per_car_km(golden["energy_kwh"], golden["car_km"]) == pytest.approx(golden["kwh_per_car_km"], rel=1e-6)


def test_the_golden_distance_between_failures_and_none_without_failures() -> None:
    golden = vector("RL2_mdbf")
    assert mdbf(golden["car_km"], golden["failures"]) == Mdbf(golden["mdbf"], golden["mdbf"])
    assert mdbf(golden["car_km"], 0) == Mdbf(None, golden["car_km"])
    with pytest.raises(ValueError, match="failures"):
        mdbf(1.0, -1)


@pytest.mark.parametrize(
    ("before_km", "now_km", "capacity_km", "step"),
    [
        (100.0, 103.5, None, (3.5, "step")),
        (100.0, 100.0, None, (0.0, "step")),
        (100.0, 900.0, None, (0.0, "jump")),
        (999_998.0, 1.5, 1_000_000.0, (3.5, "rollover")),
        (999_998.0, 1.5, None, (1.5, "reset")),
        (500.0, 480.0, None, (0.0, "reset")),
    ],
)
def test_an_odometer_goes_on_rolls_over_or_begins_again(
    before_km: float, now_km: float, capacity_km: float | None, step: tuple[float, str]
) -> None:
    assert odometer_step(before_km, now_km, 10.0, capacity_km) == step


def test_a_car_that_changes_trains_takes_the_km_of_its_time_in_each() -> None:
    first = car_km([(0, 100, 50.0)], [Membership("7", 0, 40), Membership("8", 0), Membership("9", 200)])
    second = car_km([(0, 100, 80.0)], [Membership("7", 40)])
    assert first == {"7": 20.0, "8": 50.0, "9": 0.0}
    assert second == {"7": 48.0}


def test_shares_of_nothing_are_unknown_and_not_zero() -> None:
    assert compressor_duty(0.0, 0.0) is None
    assert energy_per_car_km(12.0, 0.0) is None
    assert net_energy_kwh({"train_km": 1.0}) is None
    assert availability(5, 0) is None
    assert availability(19, 20) == 0.95


def test_net_energy_is_what_was_taken_less_what_was_fed_back() -> None:
    assert net_energy_kwh({"traction_kwh": 900.0, "aux_kwh": 100.0, "regen_kwh": 250.0}) == 750.0


def reading(
    minute: float, speed_kmh: float | None, odometer_km: float | None, station: str | None = None, **channels: float
) -> Any:
    return TrainsetReading(
        scheme="local", value="T1", time_us=START_US + round(minute * MINUTE_US), seq=0, speed_kmh=speed_kmh,
        odometer_km=odometer_km, station=station, channels=channels,
    )  # fmt: skip


def run(readings: list[TrainsetReading], cut_at: set[int] | None = None) -> tuple[list[Fact], TrainUse]:
    state, out = new_state(), list[Fact]()
    for index, one in enumerate(readings):
        if cut_at and index in cut_at:
            state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=TrainUse)
        MACHINE.at_reading(state, one, CONTEXT, out)
    return out, state


def activities(facts: list[Fact], state: TrainUse) -> list[Activity]:
    return [fact for fact in (*facts, *MACHINE.standing(state)) if isinstance(fact, Activity)]


def duty() -> list[TrainsetReading]:
    """Out of the depot, a stop of 20 minutes on the way, back to another one, and two hours of night."""
    km, found = 1000.0, []
    for minute in range(0, 241, 5):
        running = 0 <= minute < 55 or 75 <= minute < 120
        where = "Depot" if minute == 0 else "Yard" if minute >= 120 else None
        found.append(
            reading(
                minute,
                60.0 if running else 0.0,
                km,
                where,
                door_cycles=minute * 2.0,
                traction_kwh=km * 3,
                compressor_on=minute % 2,
            )
        )
        km += 5.0 if running else 0.0
    return found


def test_a_duty_is_one_run_with_its_stop_inside_and_the_night_is_stabled() -> None:
    facts, state = run(duty())
    (journey,) = [fact for fact in facts if isinstance(fact, Journey)]
    assert (journey.kind, journey.from_place, journey.to_place) == ("run", "Depot", "Yard")
    assert (journey.started_us, journey.ended_us) == (START_US, START_US + 120 * MINUTE_US)
    assert journey.figures["train_km"] == pytest.approx(100.0)
    assert journey.coverage == 1.0
    assert [(one.state, (one.to_us - one.from_us) // MINUTE_US) for one in activities(facts, state)] == [
        ("running", 55), ("standing", 20), ("running", 45), ("stabled", 120),
    ]  # fmt: skip


def test_counters_and_compressor_add_up_over_states() -> None:
    facts, state = run(duty())
    done = activities(facts, state)
    total = used([], done, START_US, START_US + 240 * MINUTE_US)
    assert total.figures["door_cycles"] == pytest.approx(480.0)
    assert total.figures["train_km"] == pytest.approx(100.0)
    assert total.figures["traction_kwh"] == pytest.approx(300.0)
    assert total.figures["compressor_on_s"] == pytest.approx(240 * 60 / 2)


def test_half_an_hour_of_silence_is_in_service_and_more_is_unknown_but_its_km_count() -> None:
    just, state = run([reading(0, 60, 0.0), reading(30, 60, 30.0)])
    assert [one.state for one in activities(just, state)] == ["running"]
    more, state = run([reading(0, 60, 0.0), reading(31, 60, 31.0)])
    (unknown,) = activities(more, state)
    assert (unknown.state, unknown.observed_us, unknown.figures["train_km"]) == ("unknown", 0, 31.0)


def test_a_reset_and_a_replaced_counter_never_take_back_what_was_run() -> None:
    facts, state = run(
        [reading(0, 60, 500.0, door_cycles=90), reading(5, 60, 505.0, door_cycles=94), reading(10, 60, 3.0, door_cycles=2)]
    )
    total = used([], activities(facts, state), START_US, START_US + 10 * MINUTE_US)
    assert (total.figures["train_km"], total.figures["door_cycles"]) == (8.0, 6.0)
    assert total.figures["odometer_resets"] == 1.0


def test_the_machine_s_limits_are_the_house_s_figures() -> None:
    assert MACHINE.limits(HOUSE, date(2026, 11, 22), None) == TrainLimits()


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 90 * 60), st.sampled_from([0.0, 0.5, 40.0, 120.0, None]), st.floats(0, 40), st.integers(0, 30)),
        min_size=2,
        max_size=60,
    ),
    st.sets(st.integers(0, 60), max_size=5),
)
def test_facts_do_not_depend_on_the_cut_and_cover_the_time(steps: list[tuple[int, Any, float, int]], cuts: set[int]) -> None:
    second, km, doors, readings = 0, 10.0, 0, []
    for elapsed_s, speed_kmh, gained_km, cycles in steps:
        second, km, doors = second + elapsed_s, km + gained_km * elapsed_s / 3600, doors + cycles
        readings.append(reading(second / 60, speed_kmh, km, door_cycles=doors))
    facts, state = run(readings)
    again, resumed = run(readings, cuts)
    assert again == facts
    assert resumed == state
    done = activities(facts, state)
    assert all(one.to_us == two.from_us for one, two in pairwise(done))
    begin_us, end_us = readings[0].time_us, readings[-1].time_us
    days = [fact for fact in facts if isinstance(fact, UseDay)]
    total = used(days, done, begin_us, end_us)
    assert sum(total.states_us.values()) == end_us - begin_us
    assert total.figures.get("train_km", 0.0) == pytest.approx(km - readings[0].odometer_km, abs=1e-6)
    assert total.figures.get("door_cycles", 0.0) == pytest.approx(doors - steps[0][3])


def test_a_simulated_day_is_one_run_and_its_sums_are_the_train_s_own_counters() -> None:
    day_us = unix_us(datetime(2026, 5, 4, tzinfo=UTC))
    train = Trainset(TrainsetPlan(tenant="demo", name="ET 4711", type="emu_6", line="S1"), seed=7, start_us=day_us)
    bodies = [train.reading(day_us + second * SECOND_US) for second in range(0, 86_401, 30)]
    readings = [
        TrainsetReading(
            scheme="local", value="T1", time_us=day_us + 30 * SECOND_US * index, seq=0, speed_kmh=body["speed_kmh"],
            odometer_km=body["odometer_km"], station=body.get("station"), channels=body["channels"],
        )
        for index, body in enumerate(bodies)
    ]  # fmt: skip
    facts, state = run(readings)
    (journey,) = [fact for fact in facts if isinstance(fact, Journey)]
    total = used([], activities(facts, state), day_us, day_us + DAY_US)
    first, last = bodies[0], bodies[-1]
    assert total.figures["train_km"] == pytest.approx(last["odometer_km"] - first["odometer_km"], abs=1e-6)
    assert total.figures["door_cycles"] == last["channels"]["door_cycles"] - first["channels"]["door_cycles"]
    assert journey.figures["train_km"] == pytest.approx(total.figures["train_km"], abs=0.1)
    assert set(total.states_us) == {"running", "standing", "stabled"}
    assert total.states_us["stabled"] > 5 * HOUR_US
    serving_s = (total.states_us["running"] + total.states_us["standing"]) / SECOND_US
    assert compressor_duty(total.figures["compressor_on_s"], serving_s) == pytest.approx(0.06, abs=0.02)
