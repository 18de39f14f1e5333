"""`backtest --leases`: clauses are judged over recordings while their lease is in force, and one can be tried before."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from keelwing.cli import app
from simulators.element import unix_us
from simulators.lanes import PORTS
from simulators.scenario import VesselPlan
from simulators.vessel import Vessel

START_US = unix_us(datetime(2026, 5, 4, tzinfo=UTC))
CALAIS = PORTS["FRCQF"]


def around(code: str, half_deg: float = 0.15) -> list[list[float]]:
    lat, lon = PORTS[code].lat_deg, PORTS[code].lon_deg
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return [[lon + half_deg * east, lat + half_deg * north] for east, north in corners]


def areas_file(path: Path) -> Path:
    """Two ports, and an area around one of them that nobody may call in."""
    ports = [
        {
            "type": "Feature",
            "properties": {"id": code, "name": PORTS[code].name, "kind": "port", "radius_m": 3000},
            "geometry": {"type": "Point", "coordinates": [PORTS[code].lon_deg, PORTS[code].lat_deg]},
        }
        for code in ("GBDVR", "FRCQF")
    ]
    zone = {
        "type": "Feature",
        "properties": {"id": "zone", "name": "Zone", "kind": "prohibited", "area_set": "LIMITS", "applies_to": ["vessel"]},
        "geometry": {"type": "Polygon", "coordinates": [around("FRCQF")]},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [*ports, zone]}))
    return path


def ferry_file(path: Path, silent_from_min: int = 900) -> Path:
    """A seeded ferry from Dover to Calais, fifteen hours; with a silence up to the last reading."""
    ship = Vessel(VesselPlan(tenant="t", name="DOVER LINK", type="ro_ro", ports=["GBDVR", "FRCQF"], berth_left_min=20), seed=7,
                  start_us=START_US)  # fmt: skip
    minutes = [*range(0, silent_from_min, 5), 899]
    lines = [
        {"class": "vessel", "scheme": "imo", "value": "9074729", **ship.reading(START_US + minute * 60_000_000)}
        for minute in minutes
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return path


def leases_file(path: Path, **more: Any) -> Path:
    lease = {
        "id": "lease-1", "asset": "imo:9074729", "form": "bareboat", "lessee": "Harbour Lines",
        "term": {"from": "2026-01-01", "to": "2027-01-01"},
        "territory_rules": [{"id": "excluded", "kind": "prohibited", "area_set": "LIMITS", "event_scope": "port_call"}],
        "covenants": [
            {"id": "ais", "clause": "12(b)", "predicate": {"kind": "ais_on", "silence_h_max": 4}, "is_active": False},
            {"id": "countries", "clause": "6", "predicate": {"kind": "prohibited_countries", "countries": ["FR"]}},
        ],
        **more,
    }  # fmt: skip
    path.write_text(json.dumps([lease]))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("recording")
    return folder, ferry_file(folder / "ferry.ndjson"), areas_file(folder / "areas.geojson")


def run(files: tuple[Path, Path, Path], leases: Path, *more: str) -> list[dict[str, Any]]:
    folder, recording, areas = files
    out = folder / "findings.ndjson"
    wanted = ["backtest", str(recording), "--out", str(out), "--areas", str(areas), "--leases", str(leases), *more]
    done = CliRunner().invoke(app, wanted)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in out.read_text().splitlines()]


def breaches(findings: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((one["subject"], one["severity"]) for one in findings if one["rule"] == "covenant_breach")


def test_clauses_in_force_are_judged_and_say_of_which_lease(files: tuple[Path, Path, Path]) -> None:
    findings = run(files, leases_file(files[0] / "leases.json"))
    assert breaches(findings) == [("countries", "warning"), ("excluded", "critical")]
    (excluded,) = [one for one in findings if one["subject"] == "excluded"]
    about = {name: excluded["evidence"][name] for name in ("lease_id", "covenant", "predicate", "port", "areas")}
    assert about == {
        "lease_id": "lease-1",
        "covenant": "excluded",
        "predicate": "territory_rule",
        "port": "FRCQF",
        "areas": ["zone"],
    }
    calls = {(one["subject"], one["severity"]) for one in findings if one["rule"] == "port_call_prohibited"}
    assert calls == {("zone", "critical"), ("FR", "critical")}
    assert [(one["subject"], one["severity"]) for one in findings if one["rule"] == "area_entered"] == [("zone", "warning")]


def test_a_lease_that_is_over_is_judged_by_nothing(files: tuple[Path, Path, Path]) -> None:
    over = leases_file(files[0] / "over.json", term={"from": "2025-01-01", "to": "2026-05-04"})
    assert breaches(run(files, over)) == []


def test_one_clause_is_tried_alone_switched_on_or_not(files: tuple[Path, Path, Path]) -> None:
    leases = leases_file(files[0] / "leases.json")
    assert breaches(run(files, leases, "--covenant", "excluded")) == [("excluded", "critical")]
    silent = (files[0], ferry_file(files[0] / "silent.ndjson", 45), files[2])
    assert breaches(run(silent, leases, "--covenant", "ais")) == [("ais", "warning")]
    assert breaches(run(silent, leases)) == []


def test_a_covenant_of_no_lease_is_named_and_nothing_runs(files: tuple[Path, Path, Path]) -> None:
    folder, recording, _ = files
    leases = leases_file(folder / "leases.json")
    wanted = ["backtest", str(recording), "--out", str(folder / "never"), "--leases", str(leases), "--covenant", "other"]
    done = CliRunner().invoke(app, wanted)
    assert done.exit_code != 0
    assert "ais, countries, excluded" in done.output
    assert not (folder / "never").exists()


def test_every_fault_of_a_file_of_leases_is_named_with_its_place(files: tuple[Path, Path, Path]) -> None:
    folder, recording, _ = files
    bad = [
        {"id": "a", "asset": "imo:1", "form": "pawn", "lessee": "A", "term": {"from": "2026-01-01"}},
        {"id": "a", "asset": "nobody", "form": "bareboat", "lessee": "A", "term": {"from": "2026-01-01"},
         "covenants": [{"id": "c", "clause": "1", "predicate": {"kind": "obey"}}]},
        {"id": "b", "asset": "nobody", "form": "bareboat", "lessee": "A", "term": {"from": "2026-01-01"}},
    ]  # fmt: skip
    (folder / "bad.json").write_text(json.dumps(bad))
    done = CliRunner().invoke(
        app, ["backtest", str(recording), "--out", str(folder / "never"), "--leases", str(folder / "bad.json")]
    )
    assert done.exit_code != 0
    assert all(place in done.output for place in ("/0/form", "/1/covenants/0/predicate", "/2/asset"))
    assert not (folder / "never").exists()
