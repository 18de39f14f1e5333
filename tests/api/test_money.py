"""A leased aircraft's money from the report to the ledger: reserves, reconciliation, claims, redelivery, forecasts."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from ingest.daily_pass import run_pass
from store.pool import open_pool
from tests.api.fix_money import Money, attribute, fly_over_the_end_of_may, furnish, lose_a_flight
from tests.api.fix_world import Asking, World
from tests.fleet.fix_vectors import vector

TABLE = [["1.0", "310"], ["1.5", "245"], ["2.0", "205"], ["2.5", "180"], ["3.0", "165"]]
PARTS = {"fan_booster": ("1200000", 30_000), "core": ("1900000", 20_000), "lpt": ("1100000", 25_000)}
RESTORATION = {"driver": "fh", "ratio_table": TABLE}


async def posted(client: httpx.AsyncClient, path: str, body: Any, status: int = 201) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def got(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def report(client: httpx.AsyncClient, money: Money, flight_h: float, cycles: int = 148, **more: Any) -> Any:
    items = [
        {"figures": {"flight_h": flight_h, "cycles": cycles}},
        {"asset_id": money.apu, "figures": {"apu_h": 187.47}},
    ]
    body = {"kind": "monthly", "month": "2026-05", "items": items, **more}
    return await posted(client, f"/v1/leases/{money.lease}/utilization-reports", body)


async def open_accounts(client: httpx.AsyncClient, money: Money) -> dict[str, str]:
    """Every bucket of the worked month; ids by `asset/bucket`."""
    calendar = vector("AC8_calendar")
    wanted: list[tuple[str, str, dict[str, Any]]] = [
        (money.plane, bucket, {"driver": "month", "event_cost": str(each["cost"]), "interval": str(each["interval_months"])})
        for bucket in ("airframe_6y", "airframe_12y", "landing_gear")
        for each in (calendar[bucket],)
    ]  # fmt: skip
    wanted.append((money.apu, "apu", {"driver": "apuh", "rate": "56"}))
    for engine in money.engines:
        wanted.append((engine, "performance_restoration", RESTORATION))
        wanted += [
            (engine, f"llp_{part}", {"driver": "fc", "stub_factor": "0.90",
                                     "parts": [{"part": part, "list_price": price, "cycle_limit": limit}]})
            for part, (price, limit) in PARTS.items()
        ]  # fmt: skip
    found = {}
    for asset_id, bucket, terms in wanted:
        body = {"asset_id": asset_id, "bucket": bucket, "currency": "USD", "priced_from": "2026-01", "terms": terms}
        made = await posted(client, f"/v1/leases/{money.lease}/reserves", body)
        found[f"{asset_id}/{bucket}"] = made["id"]
    return found


async def accrue(client: httpx.AsyncClient, money: Money, **more: Any) -> Any:
    return await posted(client, f"/v1/leases/{money.lease}/reserves/accruals", {"month": "2026-05", **more}, 200)


async def the_daily_pass(world: World, day: date) -> None:
    pool = await open_pool(world.url, "keelwing_worker", 2)
    try:
        await run_pass(pool, "alpha", day)
    finally:
        await pool.close()


def outbox(world: World) -> Sequence[Any]:
    with psycopg.connect(world.url) as conn:
        return [row[0] for row in conn.execute("SELECT body FROM outbox WHERE type LIKE '%restated%' ORDER BY position")]


async def test_a_month_is_booked_once_and_a_correction_is_restated(ask: Asking, world: World) -> None:
    money, manager = furnish(world), ask("manager")
    await open_accounts(manager, money)
    await report(manager, money, 312.45)

    run = await accrue(manager, money)

    assert run["total"] == {"USD": str(vector("AC9_month_invoice_total"))}
    assert (run["left_out"], {line["change"] for line in run["lines"]}) == (0, {"accrued"})
    engine = next(line for line in run["lines"] if line["bucket"] == "performance_restoration")
    assert (engine["rate"], engine["amount"], engine["taken_from"]) == ("199.44", "62315.03", money.plane)

    again = await accrue(manager, money)
    assert ({line["change"] for line in again["lines"]}, again["revision"]) == ({"unchanged"}, 1)
    assert outbox(world) == []

    before_correction = datetime.now(UTC).isoformat()
    assert (await manager.post(
        f"/v1/leases/{money.lease}/utilization-reports",
        json={"kind": "monthly", "month": "2026-05", "items": [{"figures": {"flight_h": 300, "cycles": 148}}]},
    )).json()["reason"] == "report_exists"  # fmt: skip
    corrected = await report(manager, money, 300.0, correction=True)
    assert [item["revision"] for item in corrected["items"]] == [2, 1]
    assert (corrected["unchanged"], corrected["restated"][0]["closed_by"]) == (1, ["invoiced", "reported"])
    told = outbox(world)
    assert [event["data"]["cause"] for event in told] == ["report_corrected"] * len(told)
    assert told[0]["data"]["before"]["figures"]["flight_h"] == 312.45
    assert told[0]["data"]["after"]["figures"]["flight_h"] == 300
    assert told[0]["data"]["before"]["row"] != told[0]["data"]["after"]["row"]

    account = f"/v1/leases/{money.lease}/reserves/{engine['account_id']}"
    credit = {"amount": "-120.00", "at": "2026-06-12T00:00:00Z", "reason": "Agreed on 10 June", "month": "2026-05"}
    await posted(manager, f"{account}/adjustments", credit)
    adjusted = await accrue(manager, money)
    lines = [line for line in adjusted["lines"] if line["change"] == "adjusted"]
    assert {line["bucket"] for line in lines} == {"performance_restoration"}
    assert all(Decimal(line["booked"]) == Decimal(line["amount"]) - Decimal("62315.03") for line in lines)
    assert outbox(world)[-1]["data"]["cause"] == "accrual_adjusted"

    path = f"/v1/leases/{money.lease}/utilization-reports"
    then = await got(manager, path, known_at=before_correction, asset_id=money.plane)
    assert [item["figures"]["flight_h"] for item in then["items"]] == [312.45]
    assert [item["revision"] for item in (await got(manager, path, superseded=True, asset_id=money.plane))["items"]] == [1, 2]

    answer = await manager.get("/v1/reserve-entries", params={"month": "2026-05"}, headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert sum(Decimal(row["amount"]) for row in rows) == sum(Decimal(line["amount"]) for line in adjusted["lines"]) - 120
    assert {row["lease_reference"] for row in rows} == {"OL-118"}
    assert {row["lessee"] for row in rows} == {"Northern Bulk"}


async def test_use_derived_again_in_a_closed_month_is_restated_once(ask: Asking, world: World) -> None:
    money, manager = furnish(world), ask("manager")
    await open_accounts(manager, money)
    await report(manager, money, 312.45)
    await accrue(manager, money)
    await the_daily_pass(world, date(2026, 6, 20))
    assert outbox(world) == []

    lose_a_flight(world, "f7")
    await the_daily_pass(world, date(2026, 6, 21))
    await the_daily_pass(world, date(2026, 6, 22))

    (told,) = outbox(world)
    assert (told["data"]["cause"], told["data"]["lease_id"]) == ("use_rederived", money.lease)
    before, after = told["data"]["before"], told["data"]["after"]
    assert (before["figures"]["flight_h"], before["figures"]["cycles"]) == (312.45, 148)
    assert (after["figures"]["flight_h"], after["figures"]["cycles"]) == (pytest.approx(312.45 - 7600 / 3600), 147)
    assert before["row"] == f"closed_month/{money.lease}/2026-05/1"


async def test_a_report_below_what_was_flown_shows_its_effect_in_money(ask: Asking, world: World) -> None:
    money, manager = furnish(world), ask("manager")
    await open_accounts(manager, money)
    path = f"/v1/leases/{money.lease}/reconciliation"

    missing = await got(manager, path, month="2026-05")
    assert (missing["status"], missing["comparisons"][0]["reason"]) == ("overdue", "not_reported")
    assert (await got(manager, path, month="2026-05", valid_at="2026-06-05T00:00:00Z"))["status"] == "awaited"

    await report(manager, money, 280.0)
    found = await got(ask("viewer"), path, month="2026-05")
    assert (found["status"], found["is_estimate"]) == ("out_of_tolerance", False)
    assert found["coverage"] == pytest.approx(0.98)
    hours, cycles = found["comparisons"]
    assert (hours["verdict"], hours["observed"], cycles["verdict"]) == ("under_reported", 312.45, "within")
    assert hours["difference_pct"] == pytest.approx(vector("AC23_reconcile")["diff_pct"], rel=1e-4)
    effects = {each["bucket"]: each for each in found["effects"]}
    restoration = effects["performance_restoration"]
    assert (restoration["observed_rate"], restoration["due_on_observed"]) == ("199.44", "62315.03")
    due = Decimal(restoration["due_on_report"])
    assert Decimal(restoration["difference"]) == Decimal("62315.03") - due
    assert found["effect"] == {"USD": str(2 * Decimal(restoration["difference"]))}
    assert effects["apu"]["reason"]["difference"] == "quantity_unknown"

    assert (found["method"], found["sources"]) == (["AC-DET-1/1"], {"adsb": 1.0})

    await the_daily_pass(world, date(2026, 6, 20))
    (mismatch,) = (await got(manager, "/v1/findings", rule="utilization_mismatch"))["items"]
    assert (mismatch["severity"], mismatch["asset_id"]) == ("warning", money.plane)
    assert [each["measure"] for each in mismatch["evidence"]["measures"]] == ["flight_h"]
    assert [each["lease_id"] for each in (await got(manager, "/v1/alerts", rule="utilization_mismatch"))["items"]] == [
        money.lease
    ]

    listed = await got(manager, "/v1/reconciliations", month="2026-05", status="out_of_tolerance")
    assert [each["lease_id"] for each in listed["items"]] == [money.lease]
    assert (await got(manager, "/v1/reconciliations", month="2026-05", status="within"))["items"] == []

    charges = await got(manager, f"/v1/leases/{money.lease}/charges", month="2026-05")
    minimum, excess = charges["items"]
    assert (minimum["actual"], minimum["agreed"], minimum["billable"]) == (280, 350, 350)
    assert (excess["agreed"], excess["amount"]) == (112, "5400.00")  # 280 / 2.5; 36 cycles at 150


async def flown_hours(client: httpx.AsyncClient, money: Money) -> list[float]:
    """Flight hours that are billed as observed, of May and of June."""
    path, found = f"/v1/leases/{money.lease}/charges", []
    for month in ("2026-05", "2026-06"):
        charges = await got(client, path, month=month, basis="observed")
        found.append(next(item["actual"] for item in charges["items"] if item["kind"] == "minimum_use"))
    return found


@pytest.mark.parametrize(
    ("setting", "hours"),
    [(None, [312.45, 3.0]), ("landing", [312.45, 3.0]), ("takeoff", [315.45, 0.0]), ("split", [314.45, 1.0])],
)
async def test_a_flight_over_a_months_end_is_billed_in_the_month_that_the_lessors_setting_names(
    ask: Asking, world: World, setting: str | None, hours: list[float]
) -> None:
    money = furnish(world)
    fly_over_the_end_of_may(world, None)
    if setting is not None:
        attribute(world, setting)

    assert await flown_hours(ask("manager"), money) == pytest.approx(hours)


async def test_a_lease_that_says_where_a_flight_counts_wins_over_the_lessors_setting(ask: Asking, world: World) -> None:
    money = furnish(world)
    fly_over_the_end_of_may(world, "landing")
    attribute(world, "takeoff")

    assert await flown_hours(ask("manager"), money) == pytest.approx([312.45, 3.0])


@pytest.mark.parametrize(
    ("since", "hours"), [("2026-05-31Z", [315.45, 0.0]), ("2026-06-01Z", [312.45, 3.0]), ("2026-06-30Z", [312.45, 3.0])]
)
async def test_a_setting_counts_from_the_month_on_whose_last_day_it_holds_and_no_flight_is_lost_or_billed_twice(
    ask: Asking, world: World, since: str, hours: list[float]
) -> None:
    money = furnish(world)
    fly_over_the_end_of_may(world, None)
    attribute(world, "takeoff", since)

    assert await flown_hours(ask("manager"), money) == pytest.approx(hours)


async def test_reports_are_held_against_the_month_that_the_lessors_setting_names(ask: Asking, world: World) -> None:
    money, manager = furnish(world), ask("manager")
    fly_over_the_end_of_may(world, None)
    attribute(world, "takeoff")
    await open_accounts(manager, money)
    await report(manager, money, 303.0, 149)

    found = await got(manager, f"/v1/leases/{money.lease}/reconciliation", month="2026-05")
    [listed] = (await got(manager, "/v1/reconciliations", month="2026-05"))["items"]
    pack = (await manager.get(f"/v1/assets/{money.plane}/months/2026-05/pack")).text
    await the_daily_pass(world, date(2026, 6, 15))
    alerts = await got(manager, "/v1/alerts", rule="utilization_mismatch")

    assert {one["measure"]: one["observed"] for one in found["comparisons"]} == {"flight_h": 315.45, "cycles": 149}
    assert listed["comparisons"] == found["comparisons"]
    assert "315.4" in pack
    assert [item["subject"] for item in alerts["items"]] == [f"2026-05 of {money.lease}"]
    [may] = await _findings(world)
    assert next(each for each in may["measures"] if each["measure"] == "flight_h")["observed"] == 315.45


async def _findings(world: World) -> list[Any]:
    with psycopg.connect(world.url) as conn:
        return [row[0] for row in conn.execute("SELECT evidence FROM finding WHERE rule = 'utilization_mismatch'")]


async def test_too_little_heard_decides_and_bills_nothing(ask: Asking, world: World) -> None:
    money, manager = furnish(world, observed_share=0.85), ask("manager")
    await open_accounts(manager, money)
    await report(manager, money, 200.0, cycles=90)

    found = await got(manager, f"/v1/leases/{money.lease}/reconciliation", month="2026-05")
    assert (found["status"], found["is_estimate"]) == ("undecided", True)
    assert {each["reason"] for each in found["comparisons"]} == {"coverage_below_minimum"}
    run = await accrue(manager, money, basis="observed")
    by_use = [line for line in run["lines"] if line["driver"] in {"fh", "fc", "apuh"}]
    assert {line["reason"]["amount"] for line in by_use} == {"coverage_below_billable"}
    assert run["left_out"] == len(by_use)


async def test_a_claim_draws_on_its_own_bucket_alone(ask: Asking, world: World) -> None:
    money, manager = furnish(world), ask("manager")
    accounts = await open_accounts(manager, money)
    first, second = (f"/v1/leases/{money.lease}/reserves/{accounts[f'{each}/performance_restoration']}" for each in money.engines)
    golden = vector("AC10_drawdown_simple")
    paid_at = {"at": "2026-06-12T00:00:00Z", "reference": "SWIFT 118"}
    await posted(manager, f"{first}/payments", {"amount": str(golden["balance"]), **paid_at})
    mistaken = await posted(manager, f"{second}/payments", {"amount": "9000000.00", **paid_at})

    claim = {
        "invoice": str(golden["invoice"]), "exclusions": [{"reason": "llp_in_restoration", "amount": str(golden["excluded"])}],
        "at": "2026-07-01T00:00:00Z", "reference": "Shop visit ESN 1",
    }  # fmt: skip
    early = await posted(manager, f"{first}/claims", {**claim, "at": "2026-06-01T00:00:00Z", "dry_run": True})
    assert (early["paid"], early["claim_id"]) == ("0.00", None)
    paid = await posted(manager, f"{first}/claims", claim)
    assert (paid["eligible"], paid["paid"], paid["shortfall"], paid["held_after"]) == (
        "4250000.00", "3912400.00", "337600.00", "0.00",
    )  # fmt: skip
    undone = await posted(
        manager, f"{second}/entries/{mistaken['id']}/reverse", {"at": "2026-07-02T00:00:00Z", "reason": "Wrong account"}
    )  # fmt: skip
    assert (undone["kind"], undone["amount"], undone["reverses"]) == ("payment", "-9000000.00", mistaken["id"])
    twice = await manager.post(
        f"{second}/entries/{mistaken['id']}/reverse", json={"at": "2026-07-02T00:00:00Z", "reason": "Again"}
    )
    assert twice.status_code == 409

    held = {each["id"]: each for each in (await got(manager, f"/v1/leases/{money.lease}/reserves"))["items"]}
    assert [held[account]["held"] for key, account in accounts.items() if key.endswith("restoration")] == ["0.00", "0.00"]
    ledger = await got(manager, f"/v1/leases/{money.lease}/reserves/entries")
    assert [line["kind"] for line in ledger["items"]] == ["payment", "payment", "claim", "payout", "payment"]
    assert ledger["items"][3]["claim_id"] == ledger["items"][2]["id"]
    kept = await manager.post(f"{first}/retain", json={"at": "2026-07-02T00:00:00Z", "reason": "Over"})
    assert (kept.status_code, kept.json()["reason"]) == (409, "lease_running")
    with psycopg.connect(world.url) as conn:
        conn.execute("SET ROLE keelwing_api")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("UPDATE reserve_entry SET amount = 0")


async def test_what_is_left_at_the_end_is_kept_by_an_entry(ask: Asking, world: World) -> None:
    money, manager = furnish(world, held_to=datetime(2026, 7, 1, tzinfo=UTC)), ask("manager")
    body = {"bucket": "airframe_6y", "currency": "USD", "priced_from": "2026-01", "terms": {"driver": "month", "rate": "100"}}
    account = await posted(manager, f"/v1/leases/{money.lease}/reserves", body)
    path = f"/v1/leases/{money.lease}/reserves/{account['id']}"
    await posted(manager, f"{path}/payments", {"amount": "500.00", "at": "2026-06-12T00:00:00Z", "reference": "SWIFT 1"})
    await posted(manager, f"{path}/rates", {"priced_from": "2026-06", "terms": {"driver": "month", "rate": "120"}})

    runs = [
        await posted(manager, f"/v1/leases/{money.lease}/reserves/accruals", {"month": each}, 200)
        for each in ("2026-05", "2026-06")
    ]
    assert [run["total"]["USD"] for run in runs] == ["100.00", "120.00"]
    kept = await posted(manager, f"{path}/retain", {"at": "2026-07-01T00:00:00Z", "reason": "Redelivered"})
    assert (kept["kind"], kept["amount"]) == ("retained_at_end", "500.00")
    after = (await got(manager, f"/v1/leases/{money.lease}/reserves"))["items"][0]
    assert (after["held"], after["owed"], after["retained"]) == ("0.00", "-280.00", "500.00")
    earlier = (await got(manager, f"/v1/leases/{money.lease}/reserves", valid_at="2026-06-30T00:00:00Z"))["items"][0]
    assert (earlier["held"], earlier["terms"]["rate"]) == ("500.00", "120")
    rates = await got(manager, f"{path}/rates")
    assert [(each["priced_from"], each["priced_to"]) for each in rates["items"]] == [("2026-01", "2026-06"), ("2026-06", None)]


async def test_redelivery_is_settled_item_by_item_and_forecast_by_the_earliest_driver(ask: Asking, world: World) -> None:
    money, manager = furnish(world), ask("manager")
    counted = {"counted_at": "2026-06-01T00:00:00Z", "currency": "USD"}
    golden = vector("AC12_half_life")
    rows = {**golden["rows"], "engine1_pr": {**golden["rows"]["engine1_pr"], "driver": "fh"}}
    for asset_id, name, driver in (
        (money.plane, "airframe_6y", "month"), (money.plane, "airframe_12y", "month"), (money.plane, "landing_gear", "month"),
        (money.engines[0], "engine1_pr", "fh"), (money.engines[1], "engine2_pr", "fh"), (money.apu, "apu", "apuh"),
    ):  # fmt: skip
        row = rows[name]
        body = {
            "item": name,
            "kind": "interval",
            "driver": driver,
            "limit": row["limit"],
            "used": row["used"],
            "cost": row["cost"],
        }
        await posted(manager, f"/v1/assets/{asset_id}/life-limits", {**body, **counted})
    for part, (price, limit) in PARTS.items():
        body = {
            "item": part,
            "serial_no": f"SN-{part}",
            "kind": "life",
            "driver": "fc",
            "limit": limit,
            "used": 12_400,
            "cost": price,
        }
        await posted(manager, f"/v1/assets/{money.engines[0]}/life-limits", {**body, **counted})

    path = f"/v1/leases/{money.lease}/return-conditions/compensation"
    settled = await got(manager, path, valid_at="2026-06-01T00:00:00Z")
    total = settled["totals"][0]
    assert (settled["basis"], settled["direction"]) == ("half_life", "one_way")
    assert total["two_way"] == f"{golden['two_way_total']:.2f}"
    assert total["one_way"] == total["lessee_pays"] == f"{golden['one_way_lessee_pays']:.2f}"
    assert total["by_component"]["ESN 1 llp"] == "-119600.00"
    full = await got(manager, path, valid_at="2026-06-01T00:00:00Z", basis="full_life")
    assert next(each["amount"] for each in full["lines"] if each["item"] == "apu") == "-112000.00"

    due = {(each["asset_name"], each["item"]): each for each in (
        await got(manager, f"/v1/assets/{money.plane}/forecasts", valid_at="2026-06-01T00:00:00Z")
    )["items"]}  # fmt: skip
    check = due["PH-XYZ", "airframe_6y"]
    assert (check["governing"], check["on"]) == ("month", "2028-04-01")  # 72 - 50 months on from 1 June 2026
    engine = due["ESN 2", "engine2_pr"]
    assert engine["governing"] == "fh"
    per_day = 312.45 / 31
    assert engine["drivers"][0]["per_day"] == pytest.approx(per_day, rel=1e-4)
    assert engine["days"] == pytest.approx((18_000 - 15_300) / per_day, rel=1e-4)
    assert due["APU 7", "apu"]["reason"]["on"] == "no_driver_gets_there"

    usual = await manager.post(f"/v1/leases/{money.lease}/return-conditions/usual")
    assert len(usual.json()["items"]) == 11
    changed = await posted(
        manager, f"/v1/leases/{money.lease}/return-conditions",
        {"id": "borescope", "status": "met", "evidence": {"document": "BSI 4"}},
    )  # fmt: skip
    assert (changed["revision"], changed["status"], changed["requirement"][:9]) == (2, "met", "Borescope")
    assert (await got(manager, path))["open_conditions"] == 10


async def test_a_masters_reports_are_summed_against_the_track(ask: Asking, world: World) -> None:
    manager = ask("manager")
    path = f"/v1/leases/{world.lease}/utilization-reports"
    for hours, distance_nm, rob_t in (((10, 12), 24.2, 410), ((12, 14), 24.0, 390)):
        noon = {
            "kind": "noon", "from": f"2026-11-20T{hours[0]}:00:00Z", "to": f"2026-11-20T{hours[1]}:00:00Z",
            "items": [{"figures": {"distance_og_nm": distance_nm, "fuel": [{"type": "HFO", "me_t": 6.0, "rob_t": rob_t}]}}],
        }  # fmt: skip
        kept = await posted(manager, path, noon)
    assert kept["items"][0]["figures"]["report_type"] == "noon"
    with psycopg.connect(world.url) as conn:
        conn.execute(
            "INSERT INTO activity (tenant, asset_id, state, started_at, ended_at, distance_m, observed_s, method, commit_no)"
            " VALUES ('alpha', %s, 'at_sea', '2026-11-20T08:00Z', '2026-11-20T16:00Z', 177792, 28800, 'VES/1', 64)",
            (world.ship,),
        )
    found = await got(manager, f"/v1/leases/{world.lease}/reconciliation", month="2026-11")
    assert found["report_coverage"] == 1.0
    (distance,) = found["comparisons"]
    assert (distance["measure"], distance["reported"], distance["observed"], distance["verdict"]) == (
        "distance_nm", 48.2, pytest.approx(48.0), "within",
    )  # fmt: skip
    assert found["reason"]["effect"] == "no_reserve_accounts"
    assert [(gap["type"], gap["gap_t"]) for gap in found["fuel_gaps"]] == [("HFO", 14.0)]  # 410 - 6 - 390


async def test_a_masters_reports_are_held_against_the_hours_they_speak_of(ask: Asking, world: World) -> None:
    manager = ask("manager")
    noon = {
        "kind": "noon", "from": "2026-11-20T10:10:00Z", "to": "2026-11-20T14:00:00Z",
        "items": [{"figures": {"distance_og_nm": 46.0, "fuel": [{"type": "HFO", "me_t": 6.0, "rob_t": 410}]}}],
    }  # fmt: skip
    await posted(manager, f"/v1/leases/{world.lease}/utilization-reports", noon)
    with psycopg.connect(world.url) as conn:
        conn.execute(
            "INSERT INTO activity (tenant, asset_id, state, started_at, ended_at, distance_m, observed_s, method, commit_no)"
            " VALUES ('alpha', %(ship)s, 'at_sea', '2026-11-20T10:00Z', '2026-11-20T10:10Z', 6 * 1852, 600, 'VES/1', 64),"
            " ('alpha', %(ship)s, 'at_sea', '2026-11-20T10:10Z', '2026-11-20T14:00Z', 46 * 1852, 13800, 'VES/1', 64)",
            {"ship": world.ship},
        )
    found = await got(manager, f"/v1/leases/{world.lease}/reconciliation", month="2026-11")
    assert found["report_coverage"] == pytest.approx(230 / 240)
    (distance,) = found["comparisons"]
    assert (distance["observed"], distance["reported"], distance["verdict"]) == (pytest.approx(46.0), 46.0, "within")


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("utilization-reports", {"month": "2026-05", "items": [{"figures": {"flight_h": 900}}]}, "#/items/0/figures/flight_h"),
    ("utilization-reports", {"month": "2025-05", "items": [{"figures": {"flight_h": 1, "cycles": 3}}]}, "#/month"),
    ("utilization-reports", {"kind": "noon", "month": "2026-05", "items": [{"figures": {"remarks": "x"}}]}, "#/from"),
    ("utilization-reports", {"month": "2026-05", "items": [{"asset_id": "SHIP", "figures": {"cycles": 3}}]},
     "#/items/0/asset_id"),
    ("reserves", {"bucket": "llp", "currency": "USD", "priced_from": "2026-01", "terms": {"driver": "fc", "parts": [
        {"part": part, "list_price": "1", "cycle_limit": 1} for part in "ab"]}}, "#/terms/parts"),
    ("reserves", {"bucket": "x", "currency": "KWD", "priced_from": "2026-01", "terms": {"driver": "fh", "rate": "1"}},
     "#/currency"),
    ("reserves", {"bucket": "x", "currency": "USD", "priced_from": "2026-01", "terms": {"driver": "fh", "rate": "x"}},
     "#/terms/rate"),
    ("return-conditions", {"id": "new_paint"}, "#/requirement"),
]  # fmt: skip


async def test_what_cannot_be_is_refused_with_a_pointer(ask: Asking, world: World) -> None:
    money, manager = furnish(world), ask("manager")
    for path, body, pointer in REFUSALS:
        text = json.dumps(body).replace("SHIP", world.ship)

        answer = await manager.post(
            f"/v1/leases/{money.lease}/{path}", content=text, headers={"Content-Type": "application/json"}
        )  # fmt: skip

        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_day_that_another_assets_lease_cuts_is_whole_for_this_one(ask: Asking, world: World) -> None:
    """Nothing is known of the aircraft by the hour, only the sums of its days."""
    furnish(world)
    with psycopg.connect(world.url) as conn:
        contract = conn.execute(
            "INSERT INTO lease_contract (tenant, asset_id, reference, form, signed_on, term) VALUES ('alpha', %s, 'TC-9', 'time',"
            " '2026-05-01', tstzrange('2026-05-20T12:00Z', '2026-06-10Z')) RETURNING lease_id",
            (world.ship,),
        ).fetchone()
        assert contract is not None
        conn.execute(
            "INSERT INTO lease (lease_id, tenant, asset_id, lessee_party_id, form, valid)"
            " VALUES (%s, 'alpha', %s, %s, 'time', tstzrange('2026-05-20T12:00Z', '2026-06-10Z'))",
            (contract[0], world.ship, world.lessee),
        )
    found = {one["lease_reference"]: one for one in (await got(ask("manager"), "/v1/reconciliations", month="2026-05"))["items"]}
    assert found["TC-9"]["from"] == "2026-05-20T12:00:00Z"
    assert found["OL-118"]["coverage"] == pytest.approx(0.98)


async def test_money_is_the_lessors_own(ask: Asking, world: World) -> None:
    money = furnish(world)
    paths = [
        f"/v1/leases/{money.lease}/{each}"
        for each in ("reserves", "utilization-reports", "return-conditions", "reserves/entries")
    ]

    assert {(await ask("lessee").get(path)).status_code for path in paths} == {403}
    assert {(await ask("beta").get(path)).status_code for path in paths} == {404}
    assert (await ask("viewer").post(f"/v1/leases/{money.lease}/reserves/accruals", json={"month": "2026-05"})).status_code == 403
    to_come = f"{datetime.now(UTC) + timedelta(days=32):%Y-%m}"
    running = await ask("manager").post(f"/v1/leases/{money.lease}/reserves/accruals", json={"month": to_come})
    assert (running.status_code, running.json()["reason"]) == (409, "month_not_over")
