"""Recordings over the broker end with their ships and aircraft, tracks and findings in the API, as backtest finds them."""

from __future__ import annotations

import json
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any

import pytest

from keelwing.area_files import DEMO_FILE
from tests.fix_stack import Stack, wait_for

COMPARED = ("rule", "severity", "asset", "subject", "opened_at", "closed_at", "score", "evidence", "rule_version")


def comparable(findings: list[dict[str, Any]]) -> list[str]:
    """Findings without id, revision and instant of decision, in an order of their own."""
    return sorted(json.dumps({name: finding[name] for name in COMPARED}, sort_keys=True) for finding in findings)


def replayed_and_backtested(
    stack: Stack, tenant: str, files: list[Path], out: Path
) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """Replay files into a tenant of their own; its key, the API's findings and backtest's over the areas that everybody has."""
    names = [str(path) for path in files]
    done = json.loads(stack.command("replay", *names, "--register", "--tenant", tenant, "--json"))
    assert done["registered"] > 0
    wait_for(
        "every published reading is accounted for",
        lambda: stack.books(tenant, "feed:replay").get("received", 0) >= done["readings"],
        90,
    )
    books = stack.books(tenant, "feed:replay")
    assert books["balanced"], books
    assert books["received"] == done["readings"]
    key = stack.command("key", "create", "--tenant", tenant, "--role", "admin").strip()
    areas = str(files_of("keelwing") / DEMO_FILE)
    stack.command("backtest", *names, "--areas", areas, "--out", str(out))
    expected = [json.loads(line) for line in out.read_text().splitlines()]
    found = wait_for(
        "the API holds backtest's findings",
        lambda: settled(stack.every("/v1/findings", key), expected),
        60,
    )
    return key, found, expected


def settled(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    return found if comparable(found) == comparable(expected) else None


def check_tracks(stack: Stack, key: str, floor: int) -> None:
    """Every asset that has a position has a track that starts where its readings do."""
    assets = stack.every("/v1/assets", key)
    tracks = 0
    for asset in assets[:20]:
        state = stack.get(f"/v1/assets/{asset['id']}/state", key)
        if state["position"] is None:
            continue
        track = stack.get(
            f"/v1/assets/{asset['id']}/track", key, **{"from": "1990-01-01T00:00:00Z", "to": state["time"], "max_points": 500}
        )
        assert track["geometry"] is None or track["geometry"]["type"] in {"LineString", "MultiLineString", "Point"}
        tracks += track["geometry"] is not None
    assert tracks >= floor


@pytest.mark.shared
@pytest.mark.parametrize(
    ("tenant", "names"),
    [
        ("real-ais", ["ais_gfw_segment/224108190.csv.gz", "ais_dma_abnormal/219165000_ssc_1.ais"]),
        ("real-adsb", ["adsb_traffic/featured/airbus_tree.json.gz", "adsb_traffic/calibration/brussels_vor.json.gz"]),
    ],
)
def test_a_real_recording_over_the_broker_ends_as_backtest_finds_it(
    demo_stack: Stack, shared: Path, tmp_path: Path, tenant: str, names: list[str]
) -> None:
    files = [shared / name for name in names]
    key, found, _ = replayed_and_backtested(demo_stack, tenant, files, tmp_path / "findings.ndjson")
    assert found
    check_tracks(demo_stack, key, floor=2)


def test_a_simulated_recording_over_the_broker_ends_as_backtest_finds_it(demo_stack: Stack, tmp_path: Path) -> None:
    recording = tmp_path / "recorded.ndjson.gz"
    demo_stack.command(
        "simulate", "small", "--seed", "3", "--record", str(recording), "--hours", "3", "--start", "2026-03-01T06:00:00"
    )
    key, found, _ = replayed_and_backtested(demo_stack, "recorded", [recording], tmp_path / "findings.ndjson")
    assert found
    assert {asset["class"] for asset in demo_stack.every("/v1/assets", key)} == {"vessel", "aircraft"}
    check_tracks(demo_stack, key, floor=5)
