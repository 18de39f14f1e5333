"""Faults and their labels: what was bent is labelled, what is labelled was bent, and nothing else is touched."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from simulators.element import Element, rfc3339, unix_us
from simulators.faults import DEFAULTS, Label
from simulators.labels import LabelFile, read_labels
from simulators.scenario import FaultKind, FaultPlan, ScenarioError, load_scenario
from simulators.world import World

START = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
SMALL = load_scenario("small")
KINDS = set(get_args(FaultKind))
Key = tuple[str, str, int]


def bent_and_true() -> tuple[list[Element], list[Element], list[Label]]:
    labels: list[Label] = []
    end = START + timedelta(hours=3)
    bent = list(World(SMALL, seed=5, start=START).elements(START, end, labels.append))
    plain = World(msgspec.structs.replace(SMALL, faults=[]), seed=5, start=START)
    return bent, list(plain.elements(START, end)), labels


BENT, TRUE, LABELS = bent_and_true()


def by_key(elements: list[Element]) -> dict[Key, list[Element]]:
    found: dict[Key, list[Element]] = defaultdict(list)
    for element in elements:
        found[element.value, element.kind, element.time_us].append(element)
    return found


def labelled(kind: str) -> Label:
    return next(label for label in LABELS if label.kind == kind)


def within(label: Label, time_us: int, tail_s: float = 0.0) -> bool:
    end = datetime.fromisoformat(label.ended_at) + timedelta(seconds=tail_s)
    return label.started_at <= rfc3339(time_us) < rfc3339(unix_us(end))


def of(label: Label, elements: list[Element], kind: str = "telemetry") -> list[Element]:
    value = label.asset.partition(":")[2]
    return [e for e in elements if e.value == value and e.kind == kind and within(label, e.time_us)]


def test_each_kind_of_fault_is_met_and_labelled_once_an_occurrence() -> None:
    assert {label.kind for label in LABELS} == KINDS
    assert len({(la.asset, la.kind, la.started_at) for la in LABELS}) == len(LABELS)
    assert len(LABELS) == len(SMALL.faults)


def test_whatever_differs_from_the_truth_is_labelled() -> None:
    bent, true = by_key(BENT), by_key(TRUE)
    assert set(bent) <= set(true)
    touched: Counter[tuple[str, str]] = Counter()
    for key, truth in true.items():
        if bent.get(key) == truth:
            continue
        # a ship that lost time makes it up over an hour and a half, hence the tail
        causes = [la for la in LABELS if la.asset.endswith(key[0]) and within(la, key[2], 7200 if la.kind == "speed_loss" else 0)]
        assert causes, key
        for cause in causes:
            touched[cause.asset, cause.kind] += 1
    assert all(touched[la.asset, la.kind] >= 3 for la in LABELS)


def test_a_dark_asset_says_nothing() -> None:
    assert of(labelled("dark"), BENT) == of(labelled("dark"), BENT, "static") == []
    assert len(of(labelled("dark"), TRUE)) == 240


def test_a_jump_is_far_and_lasts() -> None:
    label = labelled("jump")
    for bent, true in zip(of(label, BENT), of(label, TRUE), strict=True):
        north_nm = 60 * (bent.body["lat_deg"] - true.body["lat_deg"])
        east_nm = 60 * (bent.body["lon_deg"] - true.body["lon_deg"]) * math.cos(math.radians(true.body["lat_deg"]))
        assert math.hypot(north_nm, east_nm) > 100
        assert (bent.body["sog_kn"], bent.body["cog_deg"]) == (true.body["sog_kn"], true.body["cog_deg"])
    assert datetime.fromisoformat(label.ended_at) - datetime.fromisoformat(label.started_at) > timedelta(minutes=10)


def test_a_spoofed_circle_goes_round() -> None:
    courses = [e.body["cog_deg"] for e in of(labelled("spoofed_circle"), BENT)]
    turned = sum((b - a) % 360 for a, b in pairwise(courses))
    assert turned > 2 * 360


def test_a_stuck_sensor_says_one_thing_while_the_others_live() -> None:
    bodies = [e.body["channels"] for e in of(labelled("sensor_stuck"), BENT)]
    assert len({b["shaft_power_kw"] for b in bodies}) == 1
    assert len({b["fuel_rate_t_h"] for b in bodies}) > 5


def test_a_drift_grows() -> None:
    label = labelled("sensor_drift")
    ratios = [
        b.body["channels"][str(label.channel)] / t.body["channels"][str(label.channel)]
        for b, t in zip(of(label, BENT), of(label, TRUE), strict=True)
    ]
    assert ratios == sorted(ratios)
    assert ratios[0] == pytest.approx(1, abs=0.02)
    assert ratios[-1] > 1.4


def test_a_speed_loss_slows_the_ship_and_not_her_engine() -> None:
    label = labelled("speed_loss")
    bent, true = of(label, BENT)[30:], of(label, TRUE)[30:]
    assert max(e.body["sog_kn"] for e in bent) < 0.5 * min(e.body["sog_kn"] for e in true)
    for b, t in zip(bent, true, strict=True):
        assert b.body["channels"]["shaft_power_kw"] == pytest.approx(t.body["channels"]["shaft_power_kw"], rel=0.1)


def test_time_lost_is_made_up_without_a_jump() -> None:
    label = labelled("speed_loss")
    value = label.asset.partition(":")[2]
    bent = [e for e in BENT if e.value == value and e.kind == "telemetry"]
    true = [e for e in TRUE if e.value == value and e.kind == "telemetry"]
    assert bent[-1] == true[-1]
    assert max(abs(b.body["sog_kn"] - a.body["sog_kn"]) for a, b in pairwise(bent)) < 1.5


def test_an_emergency_is_squawked_for_its_time() -> None:
    label = labelled("emergency_squawk")
    assert {e.body["squawk"] for e in of(label, BENT)} == {"7700"}
    assert len(of(label, BENT)) == 24


def test_a_draught_changes_at_sea() -> None:
    label = labelled("draught_change")
    for kind in ("telemetry", "static"):
        pairs = zip(of(label, BENT, kind), of(label, TRUE, kind), strict=True)
        assert {round(b.body["draught_m"] - t.body["draught_m"], 1) for b, t in pairs} == {-2.0}
    assert {e.body["nav_status"] for e in of(label, BENT)} == {0}


def test_an_identity_changes_in_static_messages_alone() -> None:
    label = labelled("identity_change")
    statics = of(label, BENT, "static")
    assert len(statics) >= 3
    for bent, true in zip(statics, of(label, TRUE, "static"), strict=True):
        assert bent.body["imo"] == true.body["imo"]
        assert bent.body["name"] == "OCEAN FORTUNE" != true.body["name"]
        assert bent.body["mmsi"][:3] != true.body["mmsi"][:3] or bent.body["mmsi"] != true.body["mmsi"]
    assert of(label, BENT) != []


def test_delivery_faults_change_when_and_how_often_but_not_what() -> None:
    for kind in ("drop", "delay", "duplicate", "reorder"):
        bent, true = of(labelled(kind), BENT), of(labelled(kind), TRUE)
        assert {msgspec.json.encode(e.body) for e in bent} <= {msgspec.json.encode(e.body) for e in true}
    assert len(of(labelled("drop"), BENT)) < len(of(labelled("drop"), TRUE))
    assert len(of(labelled("duplicate"), BENT)) > len(of(labelled("duplicate"), TRUE))
    assert {e.send_at_us - e.time_us for e in of(labelled("delay"), BENT)} == {120_000_000}
    times = [e.time_us for e in of(labelled("reorder"), BENT)]
    assert sorted(times) == [e.time_us for e in of(labelled("reorder"), TRUE)]
    assert times != sorted(times)


def test_a_corrupted_payload_is_not_json() -> None:
    raws = [e.raw for e in BENT if e.raw is not None]
    assert len(raws) >= 2
    for raw in raws:
        with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
            msgspec.json.decode(raw)


def test_labels_are_written_once_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "labels.ndjson"
    for _ in range(2):
        labels = LabelFile(path)
        list(World(SMALL, seed=5, start=START).elements(START, START + timedelta(minutes=20), labels.write))
    written = read_labels(path)
    assert len(written) == len({(la["asset"], la["kind"], la["started_at"]) for la in written}) > 3
    assert set(written[0]) == {"tenant", "asset", "kind", "channel", "started_at", "ended_at", "parameters"}


def test_a_label_cut_short_by_a_crash_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "labels.ndjson"
    LabelFile(path).write(LABELS[0])
    with path.open("ab") as out:
        out.write(b'{"tenant": "de')
    assert len(read_labels(path)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        FaultPlan("jump", ["HARRIER"], 0, 60, parameters={"distance_km": 5.0}),
        FaultPlan("sensor_stuck", ["HARRIER"], 0, 60),
        FaultPlan("speed_loss", ["ALDER STRAIT"], 0, 600, every_s=900),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(fault: FaultPlan) -> None:
    with pytest.raises(ScenarioError, match=fault.kind):
        World(msgspec.structs.replace(SMALL, faults=[fault]), seed=1, start=START)


def test_every_kind_has_its_defaults() -> None:
    assert set(DEFAULTS) == KINDS


@lru_cache(maxsize=4)
def demo_labels(begin_s: float, end_s: float) -> list[Label]:
    labels: list[Label] = []
    scenario = load_scenario("demo")
    world = World(scenario, seed=scenario.seed, start=START)
    for _ in world.elements(START + timedelta(seconds=begin_s), START + timedelta(seconds=end_s), labels.append):
        pass
    return labels


@pytest.mark.parametrize("tenant", ["demo", "harbour"])
def test_the_demo_misbehaves_within_two_minutes(tenant: str) -> None:
    mine = [la for la in demo_labels(0, 120) if la.tenant == tenant]
    kinds: dict[str, list[Any]] = defaultdict(list)
    for label in mine:
        seconds = (datetime.fromisoformat(label.ended_at) - datetime.fromisoformat(label.started_at)).total_seconds()
        kinds[str(label.parameters.get("squawk", label.kind))].append(seconds)
    for kind in ("7700", "7600", "sensor_spike", "sensor_stuck", "sensor_drift", "jump", "spoofed_circle", "speed_loss"):
        assert kinds[kind], kind
    assert kinds["dark"], "dark ones were dark before"
    assert kinds["draught_change"]
    assert max(kinds["7700"]) >= 60
    assert max(kinds["jump"]) > 600
    assert max(kinds["dark"]) >= 3600
    assert min(kinds["sensor_stuck"] + kinds["sensor_drift"] + kinds["sensor_spike"]) >= 180


def test_the_demo_goes_on_misbehaving() -> None:
    counts = Counter((la.tenant, str(la.parameters.get("squawk", la.kind))) for la in demo_labels(600, 4200))
    for tenant in ("demo", "harbour"):
        for kind in ("7700", "7600", "sensor_spike", "jump", "spoofed_circle"):
            assert counts[tenant, kind] >= 2, (tenant, kind)


def test_a_jump_and_a_dark_aircraft_are_under_way_when_the_demo_begins() -> None:
    begun = [la for la in demo_labels(-900, 0) if START > datetime.fromisoformat(la.started_at) >= START - timedelta(minutes=15)]
    for tenant in ("demo", "harbour"):
        assert {la.kind for la in begun if la.tenant == tenant} >= {"jump", "dark"}
        assert any(la.asset.startswith("icao24:") for la in begun if la.tenant == tenant and la.kind == "dark")
