"""States restored together: the same as one by one, whatever a page holds, and their checkpoints spread over time."""

from __future__ import annotations

import pytest

from detect.step import initial_state
from ingest import loading, pipeline
from ingest.watch import Watched
from store import registry
from tests.fix_bench import PLANE, SHIP, Bench, at, sailing

OTHER = "keelwing/v1/demo/vessel/imo/9241061/telemetry"


def cuts(bench: Bench) -> dict[str, bytes]:
    return {asset_id: watched.cut() for asset_id, watched in bench.pipeline.watch.assets.items()}


@pytest.mark.parametrize("page", [3, 7, 1000])
async def test_a_restart_restores_a_fleet_exactly_whatever_a_page_holds(
    bench: Bench, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench.pool.connection() as conn:
        await registry.register_asset(conn, "demo", "vessel", "Berta", None, [("imo", "9241061")])
    flying = [at(second, on_ground=False, gs_kn=400, alt_baro_ft=30000) for second in range(0, 60, 10)]
    await bench.send((SHIP, [sailing(0)]), (PLANE, flying[:1]), (OTHER, [sailing(5)]))  # first readings make checkpoints
    await bench.send((SHIP, [sailing(second) for second in range(10, 70, 10)]), (PLANE, flying[1:]), (OTHER, [sailing(15)]))
    before = cuts(bench)
    assert len(before) == 3

    monkeypatch.setattr(loading, "PAGE_READINGS_MAX", page)
    await bench.restart()
    assert sorted(bench.pipeline.behind) == sorted(before)
    while await bench.pipeline.catch_up():
        pass
    assert cuts(bench) == before


async def test_what_a_start_caught_up_with_is_kept_by_the_next_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    flying = [at(second, on_ground=False, gs_kn=400, alt_baro_ft=30000) for second in (0, 10)]
    await bench.send((SHIP, [sailing(0)]), (PLANE, flying[:1]))  # first readings make checkpoints
    await bench.send((SHIP, [sailing(10)]), (PLANE, flying[1:]))
    await bench.restart()
    assert len(bench.pipeline.behind) == 2
    while await bench.pipeline.catch_up():
        pass
    monkeypatch.setattr(pipeline, "DRAIN_AT_ONCE", 1)
    await bench.pipeline.process([], None, drain=True)
    await bench.restart()
    assert bench.pipeline.behind == []


def test_restored_states_write_their_checkpoints_one_after_another() -> None:
    fleet = [
        Watched(
            asset_id=f"asset-{n}",
            tenant="demo",
            asset_class="vessel",
            asset_type=None,
            state=initial_state(f"asset-{n}", "vessel"),
            checkpoint_us=1,
            changed=True,
        )
        for n in range(1000)
    ]
    due = []
    for now_s in range(1000, 1301, 10):
        written = [one for one in fleet if one.wants_checkpoint(now_s, 300.0)]
        for one in written:
            one.checkpointed_at_s, one.changed = now_s, False
        due.append(len(written))
    assert due[0] == 0
    assert sum(due) == 1000
    assert max(due) < 100
