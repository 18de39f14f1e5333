"""A long log is derived again in slices, and what happens between two of them ends in the same findings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from fleet.instants import HOUR_US, SECOND_US
from ingest import rederive
from ingest.rederive import Rederived, rederive_due
from store import registry
from tests.fix_bench import FEED, SHIP, START_US, Bench, at, bench_on, sailing
from tests.ingest.test_lost_commit import break_first_commit

HOUR_S = 3600
LIVE = [sailing(second) for second in (*range(0, HOUR_S, 60), *range(12 * HOUR_S, 13 * HOUR_S, 60))]
STORED = [sailing(second) for second in range(HOUR_S, 4 * HOUR_S, 60) if second != 2 * HOUR_S] + [
    at(2 * HOUR_S, lat_deg=3.0, lon_deg=5.0, sog_kn=12.0, cog_deg=0.0)  # out of its way, and back
]
BEHIND = len(STORED) + len(LIVE) // 2  # readings after the checkpoint that the silence's first tick left
QUERIES = {
    "findings": "SELECT rule, severity, asset, subject, opened_at, closed_at, score, evidence FROM finding"
    " WHERE superseded_by IS NULL AND NOT retracted ORDER BY rule, asset, opened_at",
    "alerts": "SELECT rule, status, asset, opened_at, closed_at FROM alert WHERE status <> 'retracted' ORDER BY rule, opened_at",
    "scenes": "SELECT at, neighbours_heard, neighbours_known, feed_down FROM scene_context JOIN asset USING (asset_id)"
    " ORDER BY asset.name, at",
    "marks": "SELECT asset_id FROM dirty",
}


@pytest.fixture
def in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two turns of ten readings a round."""
    monkeypatch.setattr(rederive, "PAGE_READINGS_MAX", 10)
    monkeypatch.setattr(rederive, "ROUND_S_MAX", -1.0)


@pytest.fixture
async def undisturbed(second_database_url: str) -> AsyncIterator[Bench]:
    async with bench_on(second_database_url) as bench:
        yield bench


async def form(bench: Bench) -> dict[str, list[dict[str, Any]]]:
    return {name: await bench.rows(query) for name, query in QUERIES.items()}


async def out_of_reach(bench: Bench) -> None:
    """An hour live, a silence that is found, an hour live again; then most of the silence comes from the device's buffer."""
    bench.listen()
    await bench.send((SHIP, LIVE[:60]))
    await bench.send(frontier_us=START_US + 7 * HOUR_US + 1800 * SECOND_US)
    await bench.send((SHIP, LIVE[60:]))
    await bench.send((SHIP, STORED))


async def rounds(bench: Bench, count: int) -> list[Rederived]:
    return [one for _ in range(count) for one in await rederive_due(bench.pipeline, 0)]


async def same_as(undisturbed: Bench, *extra: tuple[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What the same messages come to when nothing is between them."""
    await out_of_reach(undisturbed)
    for one in extra:
        await undisturbed.send(one)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rederive, "PAGE_READINGS_MAX", 1000)
        await undisturbed.settle()
    said = await form(undisturbed)
    assert {finding["rule"] for finding in said["findings"]} == {"gap", "position_jump"}
    assert said["marks"] == []
    return said


async def test_a_long_derivation_lets_live_readings_through(bench: Bench, undisturbed: Bench, in_slices: None) -> None:
    await out_of_reach(bench)
    done: list[Rederived] = []
    live: list[tuple[str, Any]] = []
    while not done:
        done = await rounds(bench, 1)
        live.append((SHIP, [sailing(13 * HOUR_S + 60 * len(live))]))
        assert (await bench.send(live[-1])).stored == 1
    assert len(live) > 5, "the rounds were as long as the whole log"
    assert done[0].readings == BEHIND + len(live) - 1, "a live reading committed between was not stepped"
    assert bench.pipeline.derivations == {}
    await bench.settle()
    assert await form(bench) == await same_as(undisturbed, *live)


async def test_a_derivation_killed_half_way_is_done_by_the_next_worker(bench: Bench, undisturbed: Bench, in_slices: None) -> None:
    await out_of_reach(bench)
    assert await rounds(bench, 3) == []
    more = (SHIP, [sailing(13 * HOUR_S)])
    await bench.send(more)
    await bench.restart()
    bench.listen()
    await bench.settle()
    assert await form(bench) == await same_as(undisturbed, more)


@pytest.mark.parametrize("late_s", [int(2.5 * HOUR_S) + 30, int(12.5 * HOUR_S) + 30, HOUR_S // 2 + 30])
async def test_a_reading_that_comes_late_half_way_counts(bench: Bench, undisturbed: Bench, in_slices: None, late_s: int) -> None:
    """Behind what was stepped again, before it, and before where it began."""
    more = (SHIP, [at(late_s, lat_deg=-3.0, lon_deg=5.0, sog_kn=12.0, cog_deg=0.0)])
    await out_of_reach(bench)
    assert await rounds(bench, 7) == []
    assert (await bench.send(more)).late == 1
    await bench.settle()
    assert await form(bench) == await same_as(undisturbed, more)


async def test_a_mark_set_half_way_costs_no_more_than_its_own_part(bench: Bench, in_slices: None) -> None:
    """A feed that is always a little late would have the whole log stepped again for each of its readings."""
    await out_of_reach(bench)
    await rounds(bench, 2)
    assert (await bench.send((SHIP, [sailing(12.5 * HOUR_S + 30)]))).late == 1
    done: list[Rederived] = []
    while bench.pipeline.derivations or await bench.rows("SELECT 1 FROM dirty"):
        done += await rounds(bench, 1)
    whole, rest = [one.readings for one in done]
    assert whole == BEHIND + 1
    assert rest <= len(LIVE) // 2 + 1


async def test_a_last_turn_whose_commit_failed_steps_nothing_twice(
    bench: Bench, undisturbed: Bench, in_slices: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await out_of_reach(bench)
    assert await rounds(bench, 3) == []
    said = break_first_commit(bench, monkeypatch)
    monkeypatch.setattr(rederive, "PAGE_READINGS_MAX", 1000)
    [done] = await rounds(bench, 1)
    assert (said, done.readings) == (["broken"], BEHIND)
    await bench.settle()
    assert await form(bench) == await same_as(undisturbed)


async def test_a_short_derivation_does_not_wait_for_a_long_one(bench: Bench, in_slices: None) -> None:
    async with bench.pool.connection() as conn:
        await registry.register_asset(conn, "demo", "vessel", "Short", None, [("mmsi", "538009999")])
    await out_of_reach(bench)
    assert await rounds(bench, 1) == []
    other = {"class": "vessel", "scheme": "mmsi", "value": "538009999"}
    for second in (0, 600, 300):
        await bench.send((FEED, [{**sailing(second), **other}]))
    assert len(await rounds(bench, 1)) == 1
    assert len(bench.pipeline.derivations) == 1


async def neighbours(bench: Bench) -> None:
    async with bench.pool.connection() as conn:
        await registry.set_feed(conn, "demo", "coast", "recording")
        for number in range(1, 4):
            await registry.register_asset(conn, "demo", "vessel", f"N{number}", None, [("mmsi", f"53800199{number}")])


async def test_neighbours_that_come_between_two_turns_change_the_verdict_of_a_silence(bench: Bench, in_slices: None) -> None:
    """The derivation was told who else was heard, and nobody has read of it yet when that turns out to be wrong."""

    def element(second: float, mmsi: str = "538001234", **fields: Any) -> dict[str, Any]:
        return {**sailing(second), "class": "vessel", "scheme": "mmsi", "value": mmsi, **fields}

    await neighbours(bench)
    await bench.send((FEED, [element(second) for second in range(8 * HOUR_S, 10 * HOUR_S, 60)]))
    await bench.send((FEED, [element(second) for second in (0, 600, 1200)]))
    assert await rounds(bench, 2) == []
    [derivation] = bench.pipeline.derivations.values()
    assert derivation.progress is not None
    assert derivation.progress.judged.scenes
    assert await bench.rows("SELECT 1 FROM scene_context") == []
    near = [
        element(second, f"53800199{number}", lat_deg=0.1, lon_deg=5.0 + number / 100)
        for second in range(0, 3 * HOUR_S, 600)
        for number in (1, 2, 3)
    ]
    await bench.send((FEED, near))
    await bench.settle()
    gaps = await bench.rows(
        "SELECT evidence FROM finding JOIN asset USING (asset_id)"
        " WHERE superseded_by IS NULL AND NOT retracted AND rule = 'gap' AND asset.name = 'Anna'"
    )
    assert [gap["evidence"]["verdict"] for gap in gaps] == ["dark"]
