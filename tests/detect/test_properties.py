"""What must hold for every rule: cut anywhere, open and close in turn, one instant in any split, and a bounded state."""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from collections.abc import Sequence
from math import cos, sin
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detect.checkpoint import BYTES_MAX, SCHEMA_VERSION, from_checkpoint, to_checkpoint
from detect.model import Context, Docket, Finding, SceneContext, Tick
from detect.state import AssetState, WakingMemory
from detect.step import RULES, initial_state, step
from fleet.area_index import AreaIndex, WatchedArea
from fleet.clause import Clause
from fleet.dated import EVER
from fleet.lease import AisOn, ProhibitedCountries, TerritoryRule, TradingLimits
from fleet.reading import Reading
from tests.detect.conftest import Bench, Surroundings
from tests.detect.fix_areas import area, use_of

AT_SEA = {"adrift": "drifting", "strikes": "unexpected_stop", "loads": "draught_change", "waits": "loitering"}
ODDITIES = "jump elsewhere twin frozen circle silent spike shift nan same slow nopos moored circling plunging"
ODD = st.sampled_from([*[""] * 6, *ODDITIES.split(), *AT_SEA])
STORIES = st.lists(st.tuples(ODD, st.integers(1, 40)), min_size=1, max_size=8)
RUNS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def ship_story(bench: Bench, story: Sequence[tuple[str, int]], seed: int) -> list[Reading]:
    """Pieces of a ship's life, a minute or less a reading, each odd in its own way; begins with 45 healthy minutes."""
    rng, second, readings = random.Random(seed), 0.0, []
    level = 0.0
    for odd, count in [("", 45), *story]:
        if odd == "silent":
            second += count * 900.0
        level += 40.0 if odd == "shift" else 0.0
        struck_at = second
        for i in range(count):
            second += (
                0.0 if odd == "same" and i % 2 else {"waits": 600.0, "loads": 60.0}.get(odd) or rng.choice([10.0, 60.0, 60.0])
            )
            speed = {"slow": 5.0, "moored": 0.2, "adrift": 3.0, "strikes": 0.2, "waits": 1.0}.get(odd) or 12.0 + rng.gauss(0, 0.2)
            away = 3.0 if odd == "elsewhere" or (odd == "jump" and i % 5 == 0) or (odd == "twin" and i % 2) else 0.0
            temp_c = 300.0 + level + rng.gauss(0, 2) + (90.0 if odd == "spike" else 0.0)
            lat_deg, lon_deg = 40.0 + away, (struck_at if odd in {"strikes", "waits"} else second) / 3600 * 0.2
            if odd == "frozen":
                lat_deg, lon_deg = 40.0, 1.0
            elif odd == "circle":
                lat_deg, lon_deg = 45.0 + 0.02 * sin(i / 3), 0.03 * cos(i / 3)
            position = {} if odd == "nopos" else {"lat_deg": lat_deg, "lon_deg": lon_deg}
            readings.append(
                bench.ship(
                    second,
                    **position,
                    sog_kn=speed,
                    cog_deg=90.0,
                    heading_deg=10.0 if odd == "adrift" else 90.0,
                    draught_m=7.0 if odd == "loads" else 10.0,
                    nav_status=5 if odd == "moored" else 0,
                    channels={
                        "a_c": float("nan") if odd == "nan" else temp_c,
                        "b_bar": 4.0 + rng.gauss(0, 0.1),
                        "c_kw": temp_c * 3 + rng.gauss(0, 5),
                    },
                )
            )
    return list(readings)


def test_each_oddity_at_sea_opens_its_rule() -> None:
    for odd, rule in AT_SEA.items():
        bench = Bench()
        assert bench.last(bench.run(ship_story(bench, [(odd, 40)], seed=1), around=around("vessel")), rule), odd


def plane_story(bench: Bench, story: Sequence[tuple[str, int]], seed: int) -> list[Reading]:
    rng, second, readings = random.Random(seed), 0.0, []
    track_deg, alt_ft = 90.0, 36_000.0
    for odd, count in story:
        if odd == "silent":
            second += count * 120.0
        for i in range(count):
            before, second = second, second + (0.0 if odd == "same" and i % 2 else rng.choice([1.0, 5.0, 30.0]))
            track_deg = (track_deg + 3.0 * (second - before)) % 360.0 if odd == "circling" else 90.0
            alt_ft = max(alt_ft - 100.0 * (second - before), 3000.0) if odd == "plunging" else 36_000.0
            away = 2.0 if odd == "elsewhere" or (odd == "jump" and i % 5 == 0) or (odd == "twin" and i % 2) else 0.0
            squawk = {"spike": "7700", "shift": "7600", "nan": "7500", "slow": None}.get(odd, "1000")
            position = {} if odd == "nopos" else {"lat_deg": 40.0 + away, "lon_deg": second / 480.0 % 180}
            fields = {
                "gs_kn": 450.0,
                "track_deg": track_deg,
                "on_ground": odd == "moored",
                "alt_baro_ft": alt_ft,
                "squawk": squawk,
            }
            readings.append(bench.plane(second, **position, **fields))
    return list(readings)


class OpenSea:
    """A world without land."""

    def off_coast_km(self, _lat_deg: float, _lon_deg: float) -> float:
        return 100.0


def strip(name: str, west: float, east: float, **more: Any) -> WatchedArea:
    """An area across the way of both stories."""
    return area(name, [(west, 39.0), (east, 39.0), (east, 44.0), (west, 44.0)], **more)


AREAS = AreaIndex([
    strip("first", 0.02, 0.1, area_set="A"), strip("second", 0.09, 0.3, kind="notify", area_set="B"), strip("far", 2.0, 20.0),
])  # fmt: skip
DEMANDS: tuple[Any, ...] = (
    TradingLimits(area_set="B"), TradingLimits(area_set="A", inside=False), AisOn(silence_h_max=2),
    ProhibitedCountries(countries=("NL",)), TerritoryRule(id="calls", kind="prohibited", event_scope="port_call", area_set="A"),
    TerritoryRule(id="flies", kind="prohibited", event_scope="overflight", area_set="A"),
)  # fmt: skip
CLAUSES = tuple(
    Clause(id=f"c{n}", subject=f"c{n}", lease_id="l", clause=f"{n}", demand=demand, severity="warning", binds=(EVER,))
    for n, demand in enumerate(DEMANDS)
)


def around(asset_class: str) -> Surroundings:
    return Surroundings(
        scene=lambda time_us: SceneContext(neighbours_heard=time_us // 60_000_000 % 5, neighbours_known=4),
        land=OpenSea(),
        areas=AREAS,
        use=use_of(asset_class),
        docket=Docket(covenants=CLAUSES),
    )


def story_of(asset_class: str, story: Sequence[tuple[str, int]], seed: int) -> tuple[Bench, list[Reading]]:
    bench = Bench()
    return bench, (ship_story if asset_class == "vessel" else plane_story)(bench, story, seed)


@pytest.mark.parametrize("asset_class", ["vessel", "aircraft"])
@given(story=STORIES, seed=st.integers(0, 999), cuts=st.sets(st.integers(1, 300), max_size=6))
@RUNS
def test_cut_and_restored_anywhere_it_goes_on_the_same(
    asset_class: str, story: list[tuple[str, int]], seed: int, cuts: set[int]
) -> None:
    bench, readings = story_of(asset_class, story, seed)
    end = (readings[-1].time_us - bench.start_us) / 1e6 + 12 * 3600
    whole_state = bench.state(asset_class)
    whole = bench.run(readings, until=end, around=around(asset_class), state=whole_state)
    state, parts, seen, begin = bench.state(asset_class), [], [], 0
    for cut in [*sorted(cut for cut in cuts if cut < len(readings)), len(readings)]:
        parts += bench.run(readings[begin:cut], around=around(asset_class), state=state)
        state.take_contributions()
        seen += state.take_sightings()
        state.take_facts()
        restored = from_checkpoint(to_checkpoint(state))
        assert restored == state
        state, begin = restored, cut
    parts += bench.run([], until=end, around=around(asset_class), state=state)
    assert (parts, seen) == (whole, whole_state.take_sightings())
    whole_state.take_contributions()
    whole_state.take_facts()
    assert state == whole_state


@pytest.mark.parametrize("asset_class", ["vessel", "aircraft"])
@given(story=STORIES, seed=st.integers(0, 999))
@RUNS
def test_episodes_open_and_close_in_turn(asset_class: str, story: list[tuple[str, int]], seed: int) -> None:
    bench, readings = story_of(asset_class, story, seed)
    end = (readings[-1].time_us - bench.start_us) / 1e6 + 12 * 3600
    findings = bench.run(readings, until=end, around=around(asset_class))
    ranks = {"info": 0, "warning": 1, "critical": 2}
    told: dict[tuple[str, str | None], list[Finding]] = defaultdict(list)
    closed: dict[str, int] = {}
    for finding in findings:
        told[finding.rule, finding.subject].append(finding)
    for row in told.values():
        current: Finding | None = None
        for finding in row:
            assert finding.opened_at_us <= finding.detected_at_us
            assert finding.closed_at_us is None or finding.closed_at_us >= finding.opened_at_us
            if finding.rule == "gap" and finding.id in closed:
                assert finding.closed_at_us == closed[finding.id], "what is told after the end is not that it ended otherwise"
                continue
            if current is not None:
                assert finding.id == current.id, "a second episode opened while one was open"
                assert finding.detected_at_us == current.detected_at_us
                # a return may prove that it stood, or was not within reach of anything
                is_return = finding.rule in {"gap", "covenant_breach"}
                assert ranks[finding.severity] >= ranks[current.severity] or finding.closed_at_us is None or is_return
            if finding.closed_at_us is not None:
                assert finding.id not in closed
                closed[finding.id] = finding.closed_at_us
            current = None if finding.closed_at_us is not None else finding


def watched_by_all(channels: int, name_length: int = 24) -> AssetState:
    bench, rng = Bench(), random.Random(1)
    names = [f"sensor_{i}_".ljust(name_length - 2, "x") + "_c" for i in range(channels)]
    state = initial_state("0190d6a5-7c3e-7a4e-9f5b-2f6f1f0e9a11", "aircraft")
    for minute in range(200):
        fields: dict[str, Any] = {"gs_kn": 440 + rng.gauss(0, 3), "alt_baro_ft": 36_000 + rng.gauss(0, 40), "on_ground": False}
        position = {"lat_deg": 40.0 + rng.gauss(0, 1e-3), "lon_deg": minute / 8.0}
        values = {name: 100 * i + rng.gauss(0, 1) + (2000 if minute > 195 else 0) for i, name in enumerate(names)}
        bench.run([bench.plane(minute * 60, **position, **fields, channels=values)], state=state)
    return state


@pytest.mark.parametrize(("channels", "name_length"), [(12, 24), (12, 64), (40, 24)])
def test_a_checkpoint_is_at_most_8_kib_with_every_channel_alarming(channels: int, name_length: int) -> None:
    state = watched_by_all(channels, name_length)
    memory: Any = state.memories["channel_anomaly"]
    assert sum(watched.episode is not None for watched in memory.channels.values()) >= 12
    assert len(to_checkpoint(state)) <= BYTES_MAX
    state.take_contributions()
    state.take_sightings()
    assert from_checkpoint(to_checkpoint(state)) == state


def test_a_checkpoint_of_another_version_is_rebuilt() -> None:
    cut = to_checkpoint(initial_state("a", "vessel"))
    whole = msgspec.msgpack.decode(zlib.decompress(cut) if cut[:1] == b"\x78" else cut)
    assert whole[0] == SCHEMA_VERSION
    assert from_checkpoint(msgspec.msgpack.encode([SCHEMA_VERSION + 1, *whole[1:]])) is None


def test_a_rule_added_since_the_checkpoint_begins_empty() -> None:
    state = initial_state("a", "vessel")
    del state.memories["gap"]
    restored = from_checkpoint(to_checkpoint(state))
    assert restored is not None
    assert restored.memories["gap"] == next(rule.memory() for rule in RULES if rule.name == "gap")


def test_readings_at_one_instant_may_come_and_an_older_one_is_refused() -> None:
    bench = Bench()
    state = bench.state()
    bench.run([bench.ship(60, sog_kn=1.0), bench.ship(60, sog_kn=2.0)], state=state)
    assert state.last_key == (bench.at(60), 2)
    with pytest.raises(ValueError, match="older"):
        step(state, bench.ship(59), Context())
    with pytest.raises(ValueError, match="aircraft"):
        step(state, bench.plane(61), Context())


def test_a_tick_before_any_reading_says_nothing() -> None:
    state = initial_state("a", "trainset")
    assert step(state, Tick(0), Context())[1] == ()
    assert (state.wake_at_us, state.last_fix, state.last_key) == (None, None, None)


def test_rules_have_distinct_names_and_a_paragraph_each() -> None:
    from pathlib import Path

    import detect

    text = (Path(detect.__file__).parent / "RULES.md").read_text()
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert [name for name in names if f"\n## {name}\n" not in text] == []


def test_a_rule_that_ticks_remembers_when_and_no_other_does() -> None:
    """A tick that no waking memory asks for would never come, and nobody would notice."""
    assert [rule.name for rule in RULES if rule.at_tick is not None] == [
        rule.name for rule in RULES if isinstance(rule.memory(), WakingMemory)
    ]
