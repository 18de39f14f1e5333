"""An asset's life in one answer: milestones by basis, use inside each tenure, two clocks, the lessee's share, CSV and XLSX."""

import csv
import io

import openpyxl
import pytest

from tests.api.fix_life import Life
from tests.api.fix_world import Asking, World

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
    assert (told["maintenance"], told["alerts"], told["gaps"], told["use_off_lease"]) == (None, None, None, None)
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
        "Life", "Asset", "State", "Stages", "Leases", "Milestones", "Maintenance", "Identifiers", "Gaps", "Alerts",
    ]  # fmt: skip
    facts = {row[0].value: row[1] for row in book["Asset"].iter_rows()}
    assert (facts["name"].value, facts["name"].data_type) == ('=HYPERLINK("x")', "s")
    assert facts["type"].value == "bulkcarrier"
    assert book["Leases"].max_row == 3
