"""The kinds of fault that one sensor can have: each is found and named, and what looks like one is left alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from detect import channel_anomaly
from detect import recent as lately
from detect.joint import Distance, Joint, begin, learn, measure

Fault = Callable[[int, dict[str, float], random.Random], None]
BEGIN = 150  # minutes of health before any fault


def ship(bench: Any, minutes: int, fault: Fault | None = None, seed: int = 1, **motion: object) -> list[Any]:
    """A reading a minute of a ship at sea with four sensors of known scatter; `fault(minute, channels, rng)` may tamper."""
    rng, odd, readings = random.Random(seed), random.Random(seed + 1), []
    for minute in range(minutes):
        channels = {
            "me_exhaust_temp_c": round(310 + rng.gauss(0, 1.2), 1),
            "me_rpm": round(85 + rng.gauss(0, 0.2), 1),
            "me_lube_oil_pressure_bar": round(4.2 + rng.gauss(0, 0.02), 2),
            "vibration_mm_s": round(3.0 + rng.gauss(0, 0.06), 2),
        }
        if fault is not None and minute >= BEGIN:
            fault(minute - BEGIN, channels, odd)
        fields = {"lat_deg": 40.0, "lon_deg": minute / 300.0, "sog_kn": round(14.0 + rng.gauss(0, 0.05), 1), "draught_m": 10.0}
        readings.append(bench.ship(minute * 60.0, **{**fields, **motion}, channels=channels))
    return readings


def step(_minute: int, channels: dict[str, float], _rng: random.Random) -> None:
    channels["me_exhaust_temp_c"] += 12.0


def spikes(_minute: int, channels: dict[str, float], rng: random.Random) -> None:
    if rng.random() < 0.35:
        channels["vibration_mm_s"] += rng.choice([-1, 1]) * 0.8


def noise(_minute: int, channels: dict[str, float], rng: random.Random) -> None:
    channels["me_exhaust_temp_c"] += rng.gauss(0, 4.8)


def ramp(minute: int, channels: dict[str, float], _rng: random.Random) -> None:
    channels["me_lube_oil_pressure_bar"] = round(channels["me_lube_oil_pressure_bar"] - 0.005 * minute, 3)


def stuck(_minute: int, channels: dict[str, float], _rng: random.Random) -> None:
    channels["me_rpm"] = 85.1


def zero(_minute: int, channels: dict[str, float], _rng: random.Random) -> None:
    channels["vibration_mm_s"] = 0.0


def gone(_minute: int, channels: dict[str, float], _rng: random.Random) -> None:
    del channels["vibration_mm_s"]


FAULTS = [
    (step, "me_exhaust_temp_c", {"off"}, 2),
    (spikes, "vibration_mm_s", {"off", "spikes"}, 30),
    (noise, "me_exhaust_temp_c", {"off", "spikes", "noisy"}, 60),
    (ramp, "me_lube_oil_pressure_bar", {"off", "drift"}, 60),
    (stuck, "me_rpm", {"stuck"}, 14),
    (zero, "vibration_mm_s", {"dead"}, 2),
    (gone, "vibration_mm_s", {"dead"}, 7),
]


@pytest.mark.parametrize(("fault", "channel", "kinds", "within_min"), FAULTS, ids=[fault[0].__name__ for fault in FAULTS])
def test_a_fault_is_found_on_its_channel_and_named(
    bench: Any, fault: Fault, channel: str, kinds: set[str], within_min: int
) -> None:
    for seed in range(3):
        findings = bench.run(ship(bench, BEGIN + 75, fault, seed))
        (first, *_) = findings
        assert (first.rule, first.subject, first.severity) == ("channel_anomaly", channel, "warning")
        assert first.evidence["kind"] in kinds
        assert first.evidence["top"][0]["feature"] == channel
        assert bench.at(BEGIN * 60) <= first.opened_at_us <= first.detected_at_us <= bench.at((BEGIN + within_min) * 60)
        assert 0.0 < first.evidence["p_value"] <= 1e-3
        assert {finding.subject for finding in findings} == {channel}


@pytest.mark.parametrize("seed", range(4))
def test_a_healthy_day_has_none(bench: Any, seed: int) -> None:
    assert bench.run(ship(bench, 720, None, seed)) == []


@pytest.mark.parametrize(("repeats", "found"), [(9, 0), (12, 1)])
def test_ten_repeats_of_a_sensor_that_moves_are_stuck_and_fewer_are_chance(bench: Any, repeats: int, found: int) -> None:
    def hung(minute: int, channels: dict[str, float], _rng: random.Random) -> None:
        if minute < repeats:
            channels["vibration_mm_s"] = 3.01

    findings = bench.last(bench.run(ship(bench, BEGIN + 30, hung)), "channel_anomaly")
    assert [(one.evidence["kind"], one.evidence["ended"]) for one in findings] == [("stuck", "returned")] * found


@pytest.mark.parametrize(("step_c", "found"), [(1.0, 0), (0.1, 1)])
def test_a_scale_coarser_than_what_is_measured_repeats_itself_and_is_not_stuck(bench: Any, step_c: float, found: int) -> None:
    rng, readings = random.Random(5), []
    for minute, one in enumerate(ship(bench, 2 * BEGIN + 120)):
        sea_c = 15.0 + rng.gauss(0, 0.35) if minute < 2 * BEGIN else 15.0
        told = round(sea_c / step_c) * step_c
        readings.append(msgspec.structs.replace(one, channels={**one.channels, "jacket_water_temp_c": told}))
    kinds = {one.evidence["kind"] for one in bench.run(readings) if one.subject == "jacket_water_temp_c"}
    assert ("stuck" in kinds) == bool(found)


@pytest.mark.parametrize(("measurements", "found"), [(1, 0), (2, 1)])
def test_a_value_held_until_the_next_measurement_is_one_measurement(bench: Any, measurements: int, found: int) -> None:
    def wild(minute: int, channels: dict[str, float], _rng: random.Random) -> None:
        if BEGIN <= minute < BEGIN + 5 * measurements:
            channels["vibration_mm_s"] += 2.0

    healthy, readings = ship(bench, 3 * BEGIN, wild), []
    for minute, one in enumerate(healthy):
        held = healthy[minute // 5 * 5].channels["vibration_mm_s"]
        readings.append(msgspec.structs.replace(one, channels={**one.channels, "vibration_mm_s": held}))
    found_there = [one for one in bench.last(bench.run(readings), "channel_anomaly") if one.subject == "vibration_mm_s"]
    assert len(found_there) == found


@pytest.mark.parametrize(("rows", "found"), [(4, 0), (6, 1)])
def test_a_channel_that_stays_away_for_five_rows_is_dead_and_comes_back(bench: Any, rows: int, found: int) -> None:
    def away(minute: int, channels: dict[str, float], _rng: random.Random) -> None:
        if minute < rows:
            del channels["me_rpm"]

    findings = bench.last(bench.run(ship(bench, BEGIN + 30, away)), "channel_anomaly")
    assert [(one.evidence["kind"], one.evidence["ended"]) for one in findings] == [("dead", "returned")] * found


def test_a_device_that_loses_most_of_its_sensors_is_no_dead_sensor(bench: Any) -> None:
    def away(_minute: int, channels: dict[str, float], _rng: random.Random) -> None:
        del channels["me_rpm"], channels["vibration_mm_s"]

    assert bench.run(ship(bench, BEGIN + 60, away)) == []


def test_a_channel_that_comes_every_third_row_is_not_dead_in_between(bench: Any) -> None:
    readings = ship(bench, BEGIN + 120)
    for at, reading in enumerate(readings):
        if at % 3:
            del reading.channels["me_rpm"]
    assert bench.run(readings) == []


def test_a_counter_is_no_sensor(bench: Any) -> None:
    readings = ship(bench, 400)
    for at, reading in enumerate(readings):
        reading.channels["running_h"] = 4000.0 + at // 2 * 0.1 + (50.0 if at > 200 else 0.0)
    assert bench.run(readings) == []


def test_without_an_operating_point_nothing_is_judged(bench: Any) -> None:
    assert bench.run(ship(bench, BEGIN + 60, step, sog_kn=None, lat_deg=None, lon_deg=None)) == []
    readings = ship(bench, BEGIN + 60, step)
    silent = {"sog_kn": None, "lat_deg": None, "lon_deg": None}
    assert (
        bench.run([msgspec.structs.replace(one, **silent) if at >= BEGIN - 11 else one for at, one in enumerate(readings)]) == []
    )


def test_in_port_nothing_is_judged(bench: Any) -> None:
    readings = ship(bench, BEGIN + 60, zero)
    assert (
        bench.run([msgspec.structs.replace(one, sog_kn=0.1) if at >= BEGIN - 1 else one for at, one in enumerate(readings)]) == []
    )


def under_way(bench: Any, name: str, value_at: Callable[[int, float], float], minutes: int = 1500) -> list[Any]:
    """A ship whose speed is ordered anew every two hours, and one channel told by the minute and the speed."""
    rng, readings, sog_kn, lon_deg = random.Random(7), [], 12.0, 0.0
    for minute in range(minutes):
        order_kn = 10.0 + (minute // 120 * 7) % 5
        sog_kn += max(-0.12, min(0.12, order_kn - sog_kn))
        lon_deg += sog_kn / 60.0 / 60.0
        fields = {"lat_deg": 0.0, "lon_deg": lon_deg, "sog_kn": round(sog_kn + rng.gauss(0, 0.05), 1), "draught_m": 10.0}
        channels = {name: round(value_at(minute, sog_kn) + rng.gauss(0, 0.2), 2), "me_rpm": round(6.0 * sog_kn, 1)}
        readings.append(bench.ship(minute * 60.0, **fields, channels=channels))
    return readings


@pytest.mark.parametrize(("unit", "found"), [("temp_c", False), ("pressure_bar", True)])
def test_a_temperature_may_come_after_the_load_and_no_other_channel(bench: Any, unit: str, found: bool) -> None:
    """Ten minutes late, as a bearing is warmed by the engine."""
    late = {"kn": 12.0}

    def value(_minute: int, sog_kn: float) -> float:
        late["kn"] += (sog_kn - late["kn"]) / 10.0
        return 40.0 + 0.01 * late["kn"] ** 3

    name = f"bearing_{unit}"
    kinds = {one.evidence["kind"] for one in bench.run(under_way(bench, name, value)) if one.subject == name}
    assert bool(kinds & {"off", "spikes"}) == found


@pytest.mark.parametrize(("off_c", "found"), [(1.5, False), (-12.0, True)])
def test_a_temperature_on_its_way_is_still_judged_beyond_both_loads(bench: Any, off_c: float, found: bool) -> None:
    """Just after ten knots became twelve: between what the two make of it, or colder than either."""
    late = {"kn": 12.0}

    def value(minute: int, sog_kn: float) -> float:
        late["kn"] += (sog_kn - late["kn"]) / 10.0
        return 40.0 + 0.01 * late["kn"] ** 3 + (off_c if minute >= 1342 else 0.0)

    findings = bench.last(bench.run(under_way(bench, "bearing_temp_c", value, 1352)), "channel_anomaly")
    assert [one.subject for one in findings] == ["bearing_temp_c"] * found


@pytest.mark.parametrize(("lasts_min", "found"), [(360, False), (1, True)])
def test_water_that_grows_warmer_along_the_way_is_no_fault_of_its_sensor(bench: Any, lasts_min: int, found: bool) -> None:
    """Eight degrees in six hours are the edge of a current, from one minute to the next they are not."""
    readings = under_way(bench, "seawater_temp_c", lambda minute, _: 18 + 8 * min(1, max(0, minute - 900) / lasts_min))
    findings = bench.last(bench.run(readings), "channel_anomaly")
    assert [one.evidence["kind"] for one in findings] == ["off"] * found


def glitches(*minutes: int) -> Fault:
    def fault(minute: int, channels: dict[str, float], _rng: random.Random) -> None:
        if minute in minutes:
            channels["me_exhaust_temp_c"] = 60_000.0 + minute

    return fault


@pytest.mark.parametrize(
    ("minutes", "found"),
    [
        ((60, 62), 1),  # the first two ever that come so near each other
        ((10, 60, 62), 0),  # of a sensor that glitches now and then
        ((10, 60, 61, 62), 1),
    ],
)
def test_glitches_that_come_together_by_chance_are_no_fault(bench: Any, minutes: tuple[int, ...], found: int) -> None:
    told = bench.last(bench.run(ship(bench, BEGIN + 120, glitches(*minutes))), "channel_anomaly")
    assert len(told) == found


@pytest.mark.parametrize(("wild", "scores", "is_rare"), [(0, 0, True), (1, 300, False), (1, 520, True), (10, 500, False)])
def test_two_of_three_are_no_chance_until_as_many_glitches_were_seen(wild: int, scores: int, is_rare: bool) -> None:
    recent = lately.Recent(wild=wild + 2, moves=scores)
    assert (lately.wild_chance(recent, 2, 3, 2) <= channel_anomaly.GLITCH_CHANCE) == is_rare


@pytest.mark.parametrize("minute", [7, 8, 9, 10, 11, 12])
@pytest.mark.parametrize("value", [0.0, 102.3, 999.0, 65_535.0])
def test_a_glitch_soon_after_a_change_of_speed_is_no_level(bench: Any, minute: int, value: float) -> None:
    def faster(at: int, channels: dict[str, float], _rng: random.Random) -> None:
        channels["me_exhaust_temp_c"] += 60.0
        if at == minute:
            channels["me_exhaust_temp_c"] = value

    readings = ship(bench, BEGIN + 120, faster)
    readings = [msgspec.structs.replace(one, sog_kn=one.sog_kn + 4.0 * (at >= BEGIN)) for at, one in enumerate(readings)]
    assert bench.last(bench.run(readings), "channel_anomaly") == []


@pytest.mark.parametrize("held_min", [5, 30])
def test_values_held_from_one_measurement_to_the_next_teach_nothing_between(bench: Any, held_min: int) -> None:
    rng, held, readings = random.Random(4), {}, []
    for minute in range(2400):
        speed_kn = (14.0 if minute // 330 % 2 else 11.0) + rng.gauss(0, 0.1)
        if minute % held_min == 0:
            held = {"shaft_power_kw": round(3.0 * speed_kn**3 * (1 + rng.gauss(0, 0.02)), 1)}
        fields = {"lat_deg": 40.0, "lon_deg": minute / 300.0, "sog_kn": round(speed_kn, 1), "draught_m": 10.0}
        readings.append(bench.ship(minute * 60.0, **fields, channels=dict(held)))
    assert bench.last(bench.run(readings), "channel_anomaly") == []


def test_channels_that_come_with_a_position_that_is_not_believed_are_not_judged(bench: Any) -> None:
    readings = ship(bench, BEGIN + 60, step)
    away = [
        one if at < BEGIN else msgspec.structs.replace(one, lat_deg=55.0, lon_deg=one.lon_deg) for at, one in enumerate(readings)
    ]
    assert {one.rule for one in bench.run(away[: BEGIN + 9])} == {"position_jump"}
    assert [one.subject for one in bench.last(bench.run(readings[: BEGIN + 9]), "channel_anomaly")] == ["me_exhaust_temp_c"]


def related(rows: int) -> Joint:
    rng, joint = random.Random(2), Joint()
    begin(joint, ["a", "b", "c"])
    for _ in range(rows):
        shared = rng.gauss(0, 1)
        learn(joint, [shared + rng.gauss(0, 0.2) for _ in range(3)])
    return joint


@pytest.mark.parametrize(("values", "is_joint"), [([6.5, 0.0, 0.0], False), ([30.0, 0.0, 0.0], False), ([5.0, -5.0, 0.0], True)])
def test_one_channel_far_off_alone_says_nothing_of_the_others(values: list[float], is_joint: bool) -> None:
    distance = measure(related(400), values)
    assert isinstance(distance, Distance)
    assert distance.z > 6.0
    assert (distance.joint_z >= 6.0) == is_joint
