"""An asset's life in one answer: milestones by basis, use inside each tenure, two clocks, the lessee's share, CSV and XLSX."""

import csv
import io
from datetime import UTC, datetime

import openpyxl
import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.api.fix_life import Life
from tests.api.fix_world import Asking, World
from tests.fleet.fix_vectors import vector

JUNE = {"valid_at": "2026-06-01T00:00:00Z"}


async def test_a_life_is_told_from_order_to_the_lease_in_force(ask: Asking, world: World, life: Life) -> None:
    told = (await ask("viewer").get(f"/v1/assets/{world.ship}/lifecycle", params=JUNE)).json()

    assert [stage["stage"] for stage in told["stages"]] == [
        "ordered", "under_construction", "built", "on_lease", "in_maintenance", "on_lease",
    ]  # fmt: skip
    assert all(one["valid_to"] == other["valid_from"] for one, other in zip(told["stages"], told["stages"][1:], strict=False))
    delivery = next(
        each for each in told["milestones"] if each["lease_id"] == life.first_lease and each["kind"] == "lease_delivery"
    )
    assert delivery["words"] == "contract says delivered 3 May 2026; reported 2 May 2026; departed CNSHA 1 May 2026"
    built = next(each for each in told["milestones"] if each["kind"] == "manufacturer_delivery")
    assert built["words"] == "contract says delivered by the maker 3 May 2026; reported 2 May 2026; departed the yard 1 May 2026"
    assert (delivery["days_late"], delivery["observed"]["at"]) == (-0.75, "2026-05-01T18:00:00Z")
    first, second = told["lease_periods"]
    assert (first["reference"], first["lessee_name"], first["in_force"]) == ("NB-1", "Northern Bulk", False)
    assert (second["reference"], second["in_force"], second["days_to_redelivery"]) == ("SL-1", True, 214.0)
    assert told["days_to_redelivery"] == 214.0
    assert told["maintenance"][0]["cost_amount"] == "1250000.50"
    assert {name for name, part in told.items() if part is None} == set(told["reason"])


async def test_use_inside_the_tenures_sums_to_use_of_the_asset(ask: Asking, world: World, life: Life) -> None:
    told = (await ask("viewer").get(f"/v1/assets/{world.ship}/lifecycle", params=JUNE)).json()

    first, second = (each["use"] for each in told["lease_periods"])
    assert first["period_h"] == 18 * 24 + 6  # 2 May 06:00 to 20 May 12:00
    assert first["distance_nm"] == pytest.approx(first["period_h"] * 10)
    assert second["period_h"] == 11 * 24 + 12
    assert second["laden_nm"] == pytest.approx(second["period_h"] * 10)
    for use in (first, second):
        assert use["coverage"] == pytest.approx(23 / 24)
        assert sum(use["state_h"].values()) == pytest.approx(use["period_h"])
    assert told["use"]["distance_nm"] == pytest.approx(first["distance_nm"] + second["distance_nm"])
    assert (first["is_estimate"], first["flight_h"], first["reason"]["flight_h"]) == (False, None, "not_of_class")


async def test_a_life_known_before_it_was_written_has_no_lease(ask: Asking, world: World, life: Life) -> None:
    known = (await ask("viewer").get(f"/v1/assets/{world.ship}/lifecycle")).json()["identifiers"][0]["recorded_at"]

    told = (await ask("viewer").get(f"/v1/assets/{world.ship}/lifecycle", params={**JUNE, "known_at": known})).json()

    assert (told["lease_periods"], told["milestones"], told["stages"], told["use"]) == ([], [], [], None)
    assert told["reason"]["use"] == "never_heard"


async def test_a_lessee_sees_its_own_tenure_and_nothing_of_the_paper(ask: Asking, world: World, life: Life) -> None:
    told = (await ask("lessee").get(f"/v1/assets/{world.ship}/lifecycle", params=JUNE)).json()

    (own,) = told["lease_periods"]
    assert (own["lease_id"], own["reference"], own["reason"]["reference"]) == (life.first_lease, None, "not_shared")
    assert own["use"]["distance_nm"] == pytest.approx(17 * 24 * 10)  # its whole days; what crosses an edge is not its own to see
    assert own["use"]["state_h"]["unknown"] == pytest.approx(30)
    assert [stage["stage"] for stage in told["stages"]] == ["on_lease"]
    assert (told["maintenance"], told["installations"], told["alerts"], told["gaps"]) == (None, None, None, None)
    assert told["reason"]["alerts"] == "not_shared"
    assert life.second_lease not in str(told)


async def test_a_life_as_csv_is_one_table_in_order(ask: Asking, world: World, life: Life) -> None:
    answer = await ask("viewer").get(f"/v1/assets/{world.ship}/lifecycle", params=JUNE, headers={"Accept": "text/csv"})

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert [row["from"] for row in rows] == sorted(row["from"] for row in rows)
    assert {row["section"] for row in rows} >= {"stage", "lease", "milestone", "maintenance", "identifier"}
    assert any(row["what"] == "drydock" and row["words"] == "done SGSIN" for row in rows)


async def test_a_life_as_a_workbook_holds_a_sheet_for_each_list_and_no_formula(ask: Asking, world: World, life: Life) -> None:
    await ask("admin").patch(f"/v1/assets/{world.ship}", json={"name": '=HYPERLINK("x")', "type": "bulk\x0bcarrier"})
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    answer = await ask("viewer").get(f"/v1/assets/{world.ship}/lifecycle", params=JUNE, headers={"Accept": media})

    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert answer.headers["content-type"] == media
    assert book.sheetnames == [
        "Life", "Asset", "State", "Stages", "Leases", "Milestones", "Maintenance", "Identifiers", "Installations", "Gaps",
        "Alerts",
    ]  # fmt: skip
    facts = {row[0].value: row[1] for row in book["Asset"].iter_rows()}
    assert (facts["name"].value, facts["name"].data_type) == ('=HYPERLINK("x")', "s")
    assert facts["type"].value == "bulkcarrier"
    assert book["Leases"].max_row == 3


async def test_a_flight_over_the_edge_of_a_tenure_counts_where_its_lease_says_and_once_in_all(ask: Asking, world: World) -> None:
    """Golden AC2 at the edge between two tenures instead of two months: 2.5 FH, take-off in the first, landing in the second."""
    golden = vector("AC2_month_boundary")
    off, on = (datetime.fromisoformat(golden[name]) for name in ("off", "on"))
    edge = datetime(2026, 5, 1, tzinfo=UTC)
    with psycopg.connect(world.url) as conn:
        conn.execute("SET ROLE keelwing_worker")
        for n, (start, end) in enumerate(((datetime(2026, 1, 1, tzinfo=UTC), edge), (edge, None))):
            conn.execute(
                "INSERT INTO lease_contract (lease_id, tenant, asset_id, form, term, terms) VALUES (%s, 'alpha', %s, 'operating',"
                " tstzrange(%s, '2030-01-01'), '{}')",
                [f"00000000-0000-4000-8000-00000000000{n}", world.plane, start],
            )
            conn.execute(
                "INSERT INTO lease (lease_id, tenant, asset_id, lessee_party_id, form, valid)"
                " VALUES (%s, 'alpha', %s, %s, 'operating', tstzrange(%s, %s))",
                [f"00000000-0000-4000-8000-00000000000{n}", world.plane, world.lessee, start, end],
            )
        conn.execute(
            "INSERT INTO journey (journey_id, revision, tenant, asset_id, asset, kind, started_at, ended_at, method, commit_no)"
            " SELECT 'flight-1', 1, 'alpha', %s, 'icao24:4840d6', 'flight', %s, %s, 'AC-DET-1', max(commit_no) FROM commits",
            [world.plane, off, on],
        )
    for attribution in ("landing", "takeoff", "split"):
        april, may = golden[attribution]["2026-04"], golden[attribution]["2026-05"]
        with psycopg.connect(world.url) as conn:
            conn.execute("SET ROLE keelwing_worker")
            conn.execute("UPDATE lease_contract SET terms = %s", [Jsonb({"period_attribution": attribution})])
        told = (await ask("viewer").get(f"/v1/assets/{world.plane}/lifecycle", params=JUNE)).json()
        first, second = (each["use"] for each in told["lease_periods"])
        assert (first["flight_h"], first["cycles"]) == (pytest.approx(april[0], abs=1e-6), april[1])
        assert (second["flight_h"], second["cycles"]) == (pytest.approx(may[0], abs=1e-6), may[1])
        assert (told["use"]["flight_h"], told["use"]["cycles"]) == (pytest.approx(2.5), 1)


async def test_an_engine_has_a_life_of_its_own_with_the_wings_it_sat_on(ask: Asking, world: World) -> None:
    made = await ask("admin").post(
        "/v1/assets", json={"class": "engine", "name": "ESN 123456", "identifiers": [{"scheme": "msn", "value": "123456"}]}
    )
    engine = made.json()["id"]
    sat = {"parent_id": world.plane, "position": "1", "valid_from": "2025-01-01T00:00:00Z"}
    assert (await ask("admin").post(f"/v1/assets/{engine}/installations", json=sat)).status_code == 201

    told = (await ask("viewer").get(f"/v1/assets/{engine}/lifecycle")).json()
    on_the_wing = (await ask("viewer").get(f"/v1/assets/{world.plane}/lifecycle")).json()["installations"]

    assert [(each["parent_name"], each["position"]) for each in told["installations"]] == [("PH-XYZ", "1")]
    assert [each["name"] for each in on_the_wing] == ["ESN 123456"]
    assert (told["first_heard_at"], told["reason"]["use"]) == (None, "never_heard")
