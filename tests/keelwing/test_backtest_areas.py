"""`backtest --areas`: ships call at the ports of a file, and a file that holds something else is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner

from keelwing.cli import app
from simulators.element import unix_us
from simulators.lanes import PORTS
from simulators.scenario import VesselPlan
from simulators.vessel import Vessel

START_US = unix_us(datetime(2026, 5, 4, tzinfo=UTC))


def ports_file(path: Path, kind: str = "port") -> Path:
    features = [
        {
            "type": "Feature",
            "properties": {"id": code, "name": PORTS[code].name, "kind": kind, "radius_m": 3000},
            "geometry": {"type": "Point", "coordinates": [PORTS[code].lon_deg, PORTS[code].lat_deg]},
        }
        for code in ("GBDVR", "FRCQF")
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def ferry_file(path: Path) -> Path:
    plan = VesselPlan(tenant="t", name="DOVER LINK", type="ro_ro", ports=["GBDVR", "FRCQF"], berth_left_min=20)
    ship = Vessel(plan, seed=7, start_us=START_US)
    lines = [
        {"class": "vessel", "scheme": "imo", "value": "9074729", **ship.reading(START_US + minute * 60_000_000)}
        for minute in range(0, 15 * 60, 5)
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return path


def test_ships_call_at_the_ports_of_a_file(tmp_path: Path) -> None:
    recording, ports = ferry_file(tmp_path / "ferry.ndjson"), ports_file(tmp_path / "ports.geojson")
    wanted = ["backtest", str(recording), "--out", str(tmp_path / "f"), "--journeys", str(tmp_path / "j"), "--areas", str(ports)]
    done = CliRunner().invoke(app, wanted)
    assert done.exit_code == 0, done.output
    journeys = [json.loads(line) for line in (tmp_path / "j").read_text().splitlines()]
    assert [(one["kind"], one["from"], one["to"]) for one in journeys] == [
        ("port_call", "GBDVR", "GBDVR"), ("voyage", "GBDVR", "FRCQF"), ("port_call", "FRCQF", "FRCQF"),
    ]  # fmt: skip


def test_what_is_no_area_is_named_and_nothing_runs(tmp_path: Path) -> None:
    recording, ports = ferry_file(tmp_path / "ferry.ndjson"), ports_file(tmp_path / "ports.geojson", kind="harbour")
    done = CliRunner().invoke(app, ["backtest", str(recording), "--out", str(tmp_path / "f"), "--areas", str(ports)])
    assert done.exit_code != 0
    assert "/features/0/properties/kind" in done.output
    assert not (tmp_path / "f").exists()
