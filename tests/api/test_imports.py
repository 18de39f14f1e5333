"""Bulk import: a dry run names every bad row, a real one is all or nothing, and twice is once."""

import io

import openpyxl
import pytest

from api.workbook import XLSX_TYPE, Sheet, workbook
from tests.api.fix_world import Asking, World

PARTIES = "name;country;parent;parent_from\nHolding One;NL;;\nNew Lines;NO;Holding One;2020-01-01\n"
ASSETS = "class,name,type,imo,mmsi,particulars.length_m\nvessel,Grey Tern,tanker,9319466,244660001,228.5\n"


async def names(ask: Asking) -> set[str]:
    return {each["name"] for each in (await ask("viewer").get("/v1/assets")).json()["items"]}


async def test_what_is_imported_is_there_and_twice_is_once(ask: Asking, world: World) -> None:
    for text, rows in ((PARTIES, 2), (ASSETS, 1)):
        tried = (await ask("admin").post("/v1/imports", params={"dry_run": "true"}, content=text)).json()
        first = (await ask("admin").post("/v1/imports", content=text)).json()
        second = (await ask("admin").post("/v1/imports", content=text)).json()
        assert (tried["applied"], tried["tables"][0]["added"], tried["faults"]) == (False, rows, [])
        assert (first["applied"], first["tables"][0]["added"]) == (True, rows)
        assert (second["tables"][0]["added"], second["tables"][0]["changed"], second["tables"][0]["unchanged"]) == (0, 0, rows)

    (tern,) = (await ask("viewer").get("/v1/assets", params={"identifier": "imo:9319466"})).json()["items"]
    assert (tern["name"], tern["particulars"]) == ("Grey Tern", {"length_m": 228.5})
    changed = (await ask("admin").post("/v1/imports", content=ASSETS.replace("Grey Tern", "White Tern"))).json()
    assert changed["tables"][0]["changed"] == 1
    assert "White Tern" in await names(ask)


async def test_a_dry_run_names_every_bad_row_and_a_real_one_writes_none(ask: Asking, world: World) -> None:
    text = (
        "class,name,imo,mmsi\n"
        "vessel,Good,9319466,\n"
        "submarine,No Class,9319478,\n"
        "vessel,,123,\n"
        "vessel,Twice,9319466,\n"
        "vessel,Nothing,,\n"
        "aircraft,Two at once,,244660000\n"
        "vessel,Odd Digit,9074720,\n"
    )
    tried = await ask("admin").post("/v1/imports", params={"dry_run": "true"}, content=text)
    real = await ask("admin").post("/v1/imports", content=text)

    assert tried.status_code == 200
    found = {(fault["row"], fault["column"]) for fault in tried.json()["faults"]}
    assert found == {(3, "class"), (4, "name"), (4, "imo"), (5, "imo"), (6, None)}
    assert tried.json()["warnings"] == [
        {"sheet": None, "row": 8, "column": "imo", "detail": "cannot be a real imo: check_digit"}
    ]  # fmt: skip
    assert (real.status_code, real.json()["reason"]) == (422, "invalid_rows")
    assert "#/3/class" in {error["in"] and error["pointer"] for error in real.json()["errors"]}
    assert await names(ask) == {"Blue Heron", "PH-XYZ"}


async def test_a_row_whose_identifiers_are_borne_by_two_assets_is_named(ask: Asking, world: World) -> None:
    await ask("admin").post("/v1/imports", content=ASSETS)
    text = "class,name,imo,mmsi\nvessel,Mixed,9319466,244660000\n"

    (fault,) = (await ask("admin").post("/v1/imports", params={"dry_run": "true"}, content=text)).json()["faults"]

    assert (fault["row"], fault["detail"].startswith("its identifiers are borne by")) == (2, True)


async def test_a_workbook_is_imported_sheet_by_sheet_in_order(ask: Asking, world: World) -> None:
    book = workbook([
        Sheet("assets", ("class", "name", "imo"), [["vessel", "Grey Tern", 9319466]]),
        Sheet("parties", ("name", "parent"), [["Holding One", None], ["New Lines", "Holding One"]]),
        Sheet("about", ("anything",), [["not read"]]),
    ])  # fmt: skip

    done = (await ask("manager").post("/v1/imports", content=book)).json()

    assert [(table["what"], table["added"]) for table in done["tables"]] == [("parties", 2), ("assets", 1)]


@pytest.mark.parametrize("what", ["parties", "assets", "leases", "reports"])
async def test_a_template_can_be_sent_back_as_it_is(ask: Asking, world: World, what: str) -> None:
    for media in ("text/csv", XLSX_TYPE):
        template = await ask("viewer").get(f"/v1/imports/templates/{what}", headers={"Accept": media})
        tried = (await ask("admin").post("/v1/imports", params={"dry_run": "true"}, content=template.content)).json()
        assert template.headers["content-type"].startswith(media)
        assert [table["what"] for table in tried["tables"]] == [what]
        allowed = ("no party named Northern Holding", "no lease of reference NB-2026-01", "promises part of that time")
        assert all(fault["detail"].endswith(allowed) for fault in tried["faults"])


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "holds no header row"), (b"\xff\xfe\x00", "is neither XLSX nor CSV in UTF-8"), (b"PK\x03\x04junk", "is no XLSX"),
        (b"a,a\n1,2\n", "named twice"), (b"colour\nred\n", "what it holds cannot be told"),
        (b"class,name,imo\n" + b"vessel,x,9319466\n" * 1001, "more than 1000 rows"),
    ],
)  # fmt: skip
async def test_a_file_that_cannot_be_read_says_why(ask: Asking, world: World, content: bytes, detail: str) -> None:
    tried = await ask("admin").post("/v1/imports", params={"dry_run": "true"}, content=content)

    assert tried.status_code == 200
    assert any(detail in fault["detail"] for fault in tried.json()["faults"])


async def test_who_may_not_write_may_not_import(ask: Asking, world: World) -> None:
    for role in ("viewer", "lessee"):
        assert (await ask(role).post("/v1/imports", content=ASSETS)).status_code == 403


async def test_a_workbook_of_the_template_says_what_its_columns_mean(ask: Asking, world: World) -> None:
    template = await ask("viewer").get("/v1/imports/templates/assets", headers={"Accept": XLSX_TYPE})

    book = openpyxl.load_workbook(io.BytesIO(template.content))
    assert book.sheetnames == ["assets", "about"]


LEASES = (
    "reference,asset,form,lessee,term_from,term_to,signed_on,delivered_at,acceptance_certificate,"
    "insurance_certificate,"
    "redelivered_at,redelivery_certificate,period_attribution,billing_time_zone,rent.amount,rent.currency,"
    "extension_options.0.period,extension_options.0.notice_by\n"
    "L-1,icao24:4840d6,operating,Northern Bulk,2024-01-01,2026-01-01,2023-11-03,2024-01-02T10:00:00Z,AC-1,IC-1,"
    "2025-12-20,RC-1,takeoff,Asia/Tokyo,350000.00,USD,P1Y,2025-06-01\n"
    "L-2,icao24:4840d6,operating,Northern Bulk,2026-02-01,2029-02-01,2026-01-10,2026-02-03,AC-2,IC-2,,,,,,,,\n"
)
REPORTS = "lease,asset,month,received_at,flight_h,cycles\nL-1,icao24:4840d6,2024-05,2024-06-04,312.45,148\n"


async def test_leases_are_imported_through_the_same_guards_with_their_terms_and_events(ask: Asking, world: World) -> None:
    tried = (await ask("admin").post("/v1/imports", params={"dry_run": "true"}, content=LEASES)).json()
    done = (await ask("admin").post("/v1/imports", content=LEASES)).json()
    again = (await ask("admin").post("/v1/imports", content=LEASES)).json()
    reports = [(await ask("admin").post("/v1/imports", content=REPORTS)).json()["tables"][0] for _ in range(2)]

    assert (tried["faults"], tried["tables"][0]["added"], done["tables"][0]["added"]) == ([], 2, 2)
    assert again["tables"][0]["unchanged"] == 2
    assert [(each["added"], each["unchanged"]) for each in reports] == [(1, 0), (0, 1)]
    life = (await ask("viewer").get(f"/v1/assets/{world.plane}/lifecycle")).json()
    first, second = life["lease_periods"]
    assert (first["reference"], first["valid_from"], first["valid_to"]) == ("L-1", "2024-01-02T10:00:00Z", "2025-12-20T00:00:00Z")
    assert (second["in_force"], life["stage"]) == (True, "on_lease")
    assert first["use"] is None or first["use"]["attribution"] == "takeoff"


async def test_a_lease_that_cannot_have_been_is_named_by_row_and_reason(ask: Asking, world: World) -> None:
    await ask("admin").post("/v1/imports", content=LEASES)
    head, first, second = LEASES.splitlines()
    rows = [
        head,
        first.replace("L-1", "L-3").replace("2024-01-01", "2024-06-01"),  # overlaps L-1
        second.replace("2026-02-03", "2026-02-04"),  # another delivery than the recorded one
        second.replace("L-2", "L-4").replace("Northern Bulk", "Nobody Lines"),
        first.replace("L-1", "L-5").replace("350000.00", "much").replace("Asia/Tokyo", "Mars"),
        second.replace("L-2", "L-6").replace("AC-2", ""),
        second.replace("L-2", "L-7").replace("operating", "charter").replace("4840d6", "4840d7"),
    ]

    faults = (await ask("admin").post("/v1/imports", params={"dry_run": "true"}, content="\n".join(rows))).json()["faults"]

    found = {(fault["row"], fault["column"]) for fault in faults}
    assert {
        (2, "signed_on"),
        (3, "delivered_at"),
        (4, "lessee"),
        (5, "rent.amount"),
        (6, "acceptance_certificate"),
        (7, "form"),
    } <= found
    reasons = {fault["row"]: fault["detail"] for fault in faults}
    assert "promises part of that time" in reasons[2]
    assert reasons[4] == "there is no party named Nobody Lines"
