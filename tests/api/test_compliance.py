"""Carbon, fuel, hull and off-hire of a ship under charter, from noon reports and what was observed of her."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from fleet import cii
from fleet.geodesy import NM_M
from store.pool import Connection, open_pool
from tests.api.fix_world import Asking, World

JAN = datetime(2026, 1, 1, tzinfo=UTC)
CHARTER = "7d7c2d8e-6d5f-4a58-9a46-3f7c5d0f2a11"
BAREBOAT = "0f5b1d39-6df7-4f5b-8a3e-5f1f2b7c9d22"
PARTICULARS = {
    "dwt_t": 81_600, "gt": 44_000, "service_speed_kn": 13.5, "service_fuel_t_d": 30.0, "port_fuel_t_d": 4.0,
    "service_power_kw": 7_800, "service_displacement_t": 88_000,
}  # fmt: skip
TERMS = {
    "rent": {"amount": "15000.00", "currency": "USD", "frequency": "daily"}, "off_hire_rule": {"basis": "net", "deminimis_h": 24},
    "agreed_cii": [{"year": 2026, "rating_worst": "B"}, {"attained_max": 2.0}],
}  # fmt: skip
REPORTED_DAYS = 100  # from the beginning of the year; then telemetry alone, up to day 200
OBSERVED_DAYS = 200
DOCK = (150, 153)  # days in the yard


def noon(day: int, **changed: Any) -> tuple[datetime, dict[str, Any]]:
    """A day's report: 300 nm on 24 t, the tanks adding up but on the third day."""
    lost = 20.0 if day >= 2 else 0.0
    said: dict[str, Any] = {
        "distance_og_nm": 300.0, "distance_tw_nm": 312.0, "hours_underway": 24.0, "me_power_kw": 7_800.0, "wind_bft": 3,
        "draught_fwd_m": 12.0, "draught_aft_m": 12.4, "displacement_t": 88_000.0, "cargo_t": 70_000.0,
        "fuel": [{"type": "HFO", "me_t": 24.0, "rob_t": 3_000.0 - 24.0 * (day + 1) - lost}],
    }  # fmt: skip
    return JAN + timedelta(days=day), {**said, **changed}


async def prepare(conn: Connection, world: World) -> None:
    """A charter of the ship from January to October, a bareboat of the aircraft, 100 noon reports and 200 observed days."""
    known = {"ship": world.ship, "plane": world.plane, "lessee": world.lessee}
    await conn.execute(
        "UPDATE asset SET particulars = particulars || %(more)s::jsonb WHERE asset_id = %(ship)s",
        {**known, "more": json.dumps(PARTICULARS)},
    )
    await conn.execute(
        "INSERT INTO lease_contract (lease_id, tenant, asset_id, form, signed_on, term, terms) VALUES"
        " (%(lease)s, 'alpha', %(ship)s, 'time_charter', '2025-12-01', '[2026-01-01, 2026-10-01)', %(terms)s::jsonb)",
        {**known, "lease": CHARTER, "terms": json.dumps(TERMS)},
    )
    for lease, asset, form in ((CHARTER, world.ship, "time_charter"), (BAREBOAT, world.plane, "bareboat")):
        await conn.execute(
            "INSERT INTO lease (lease_id, tenant, asset_id, lessee_party_id, form, valid) VALUES"
            " (%(lease)s, 'alpha', %(asset)s, %(lessee)s, %(form)s, '[2026-01-01Z, 2026-10-01Z)')",
            {"lease": lease, "asset": asset, "lessee": world.lessee, "form": form},
        )
    await conn.execute(
        "INSERT INTO maintenance_event (tenant, asset_id, kind, actual) VALUES"
        " ('alpha', %(ship)s, 'drydock', '[2025-12-01Z, 2025-12-15Z)')",
        known,
    )
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO utilization_report (tenant, lease_id, asset_id, kind, period, figures, received_at) VALUES"
            " ('alpha', %s, %s, 'noon', tstzrange(%s::timestamptz, %s::timestamptz), %s, now())",
            [
                (CHARTER, world.ship, at, at + timedelta(days=1), json.dumps(said))
                for at, said in (noon(day) for day in range(REPORTED_DAYS))
            ],
        )
        days = [(day, "drydock" if DOCK[0] <= day < DOCK[1] else "at_sea") for day in range(OBSERVED_DAYS)]
        await cursor.executemany(
            "INSERT INTO use_day (tenant, asset_id, day, state_s, state_m, observed_s, commit_no)"
            " VALUES ('alpha', %s, %s, %s, %s, 86400, 64)",
            [
                (
                    world.ship,
                    (JAN + timedelta(days=day)).date(),
                    json.dumps({state: 86_400}),
                    json.dumps({"at_sea": 288 * NM_M} if state == "at_sea" else {}),
                )
                for day, state in days
            ],
        )
        await cursor.executemany(
            "INSERT INTO activity (tenant, asset_id, state, started_at, ended_at, distance_m, observed_s, method, commit_no)"
            " VALUES ('alpha', %s, %s, %s, %s, %s, 86400, 'test', 64)",
            [
                (world.ship, state, JAN + timedelta(days=day), JAN + timedelta(days=day + 1), 288 * NM_M * (state == "at_sea"))
                for day, state in days
            ],
        )
        await cursor.executemany(
            "INSERT INTO use_day (tenant, asset_id, day, state_s, observed_s, commit_no) VALUES ('alpha', %s, %s, %s, 3600, 64)",
            [(world.plane, date(2026, 6, day), '{"ground": 86400}') for day in range(1, 21)],
        )


@pytest.fixture
async def chartered(ask: Asking, world: World) -> Asking:
    """As `ask`, with the charter, the reports and the use."""
    pool = await open_pool(world.url, "keelwing_worker", 1)
    async with pool.connection() as conn:
        await prepare(conn, world)
    await pool.close()
    return ask


def instant(day: int, hour: int = 0) -> str:
    return (JAN + timedelta(days=day, hours=hour)).isoformat().replace("+00:00", "Z")


async def test_a_year_is_rated_from_reports_and_telemetry_and_held_against_its_charter(chartered: Asking, world: World) -> None:
    asked = {"from": instant(0), "to": instant(OBSERVED_DAYS)}
    got = (await chartered("viewer").get(f"/v1/assets/{world.ship}/cii", params=asked)).json()

    sailed_d, docked_d = OBSERVED_DAYS - REPORTED_DAYS - 3, 3
    fuel_t = 100 * 24 + sailed_d * 30 * (12 / 13.5) ** 3 + docked_d * 4.0
    assert got["co2_t"] == pytest.approx(fuel_t * 3.114)
    assert got["distance_nm"] == pytest.approx(100 * 300 + sailed_d * 288)
    attained = cii.attained(got["co2_t"], 81_600, got["distance_nm"])
    assert got["attained"] == pytest.approx(attained)
    assert [(one["year"], one["rating"]) for one in got["years"]] == [
        (2026, cii.against_year(attained, "bulk_carrier", 81_600, 2026).rating)
    ]
    assert (got["method"], got["is_indicative"], got["is_estimate"]) == ("cii_unadjusted", True, False)
    assert got["sources"] == {"noon_report": 0.5, "telemetry": pytest.approx(0.5), "unknown": pytest.approx(0.0)}
    assert got["projection"]["low"] <= got["projection"]["middle"] <= got["projection"]["high"]
    assert got["eeoi_t_per_t_nm"] == pytest.approx(24 * 3.1144 / (70_000 * 300))
    (charter,) = got["charters"]
    assert charter["lease_id"] == CHARTER
    assert charter["attained"] == pytest.approx(attained)
    assert [(one["year"], one["kept"]) for one in charter["agreed"]] == [(2026, True), (None, False)]


async def test_a_window_of_reports_alone_is_neither_indicative_nor_an_estimate(chartered: Asking, world: World) -> None:
    asked = {"from": instant(10, 6), "to": instant(20, 18)}
    got = (await chartered("viewer").get(f"/v1/assets/{world.ship}/cii", params=asked)).json()
    assert (got["coverage"], got["is_indicative"], got["is_estimate"]) == (1.0, False, False)
    assert got["attained"] == pytest.approx(24 * 3.114e6 / (81_600 * 300))


async def test_a_cii_is_of_ships_of_years_that_have_a_factor_and_of_the_lessors_people(chartered: Asking, world: World) -> None:
    later = {"from": "2031-01-01T00:00:00Z", "to": "2031-02-01T00:00:00Z"}
    got = (await chartered("viewer").get(f"/v1/assets/{world.ship}/cii", params=later)).json()
    assert got["years"][0] | {"reason": "not_defined", "rating": None} == got["years"][0]
    assert (got["attained"], got["reason"]["attained"], got["reason"]["projection"]) == (None, "not_sailed", "too_thin")
    assert (await chartered("viewer").get(f"/v1/assets/{world.plane}/cii")).json()["reason"] == "not_a_vessel"
    assert (await chartered("lessee").get(f"/v1/assets/{world.ship}/cii")).status_code == 403
    assert (await chartered("beta").get(f"/v1/assets/{world.ship}/cii")).status_code == 404
    unknown = {"from": instant(0), "to": instant(10), "known_at": "2025-01-01T00:00:00Z"}
    assert (await chartered("viewer").get(f"/v1/assets/{world.ship}/cii", params=unknown)).status_code == 404
    too_long = {"from": "1950-01-01T00:00:00Z", "to": instant(0)}
    assert (await chartered("viewer").get(f"/v1/assets/{world.ship}/cii", params=too_long)).status_code == 422


async def test_the_fleet_lists_who_may_end_the_year_with_a_letter_and_each_charter_its_own_figure(chartered: Asking) -> None:
    asked = {"year": "2026", "valid_at": instant(OBSERVED_DAYS)}
    (row,) = (await chartered("viewer").get("/v1/cii", params=asked)).json()["items"]
    assert row["name"] == "Blue Heron"
    assert row["low_rating"] <= row["middle_rating"] <= row["high_rating"]
    assert [one["lease_id"] for one in row["charters"]] == [CHARTER]
    assert (await chartered("viewer").get("/v1/cii", params={**asked, "rating": "D,E"})).json()["items"] == []
    table = await chartered("viewer").get("/v1/cii", params=asked, headers={"Accept": "text/csv"})
    assert table.text.splitlines()[0].startswith("asset_id,name,type,year,method,co2_t")
    window = {"from": instant(50), "to": instant(60)}
    (charter,) = (await chartered("viewer").get(f"/v1/leases/{CHARTER}/cii", params=window)).json()["items"]
    assert charter["attained"] == pytest.approx(24 * 3.114e6 / (81_600 * 300))
    assert (await chartered("viewer").get("/v1/cii", params={"rating": "F"})).status_code == 422


async def test_fuel_that_went_missing_is_found_and_speed_is_held_against_power(chartered: Asking, world: World) -> None:
    asked = {"from": instant(0), "to": instant(30)}
    fuel = (await chartered("viewer").get(f"/v1/assets/{world.ship}/fuel", params=asked)).json()
    assert [(one["type"], one["gap_t"], one["at"]) for one in fuel["balance"]] == [("HFO", 20.0, instant(3))]
    assert (fuel["fuel"][0]["consumed_t"], fuel["distance_og_nm"], fuel["coverage"]) == (720.0, 9_000.0, 1.0)
    assert fuel["observed_distance_nm"] == pytest.approx(30 * 288)
    assert fuel["distance_differs"] is False
    hull = (await chartered("viewer").get(f"/v1/assets/{world.ship}/hull-performance", params=asked)).json()
    assert (hull["points_total"], hull["points_used"], hull["out_of_dock_at"]) == (30, 30, "2025-12-15T00:00:00Z")
    assert hull["mean_deviation_pct"] == pytest.approx(100 * (13.0 - 13.5) / 13.5)
    assert hull["points"][0]["admiralty_coefficient"] == pytest.approx(88_000 ** (2 / 3) * 13.0**3 / 7_800)
    assert hull["maintenance_due"] is False


async def test_a_dry_docking_is_proposed_decided_and_deducted(chartered: Asking, world: World) -> None:
    manager, path = chartered("manager"), f"/v1/leases/{CHARTER}/off-hire"
    asked = {"from": instant(140), "to": instant(170)}
    (seen,) = (await manager.get(path, params=asked)).json()["items"]
    assert (seen["status"], seen["cause"], seen["from"], seen["lost_h"]) == ("candidate", "drydock", instant(150), 72.0)
    before = (await manager.get(f"{path}/statement", params=asked)).json()["items"][0]
    assert (before["off_hire_h"], before["deduction"], before["candidates"]) == (0.0, "0.00", 1)

    body = {"cause": "dry-docking", "net_loss_h": 30}
    once = {"Idempotency-Key": "dock"}
    made = await manager.post(f"{path}/{seen['id']}/confirm", json=body, headers=once)
    assert (made.status_code, made.json()["counts_h"], made.json()["revision"]) == (200, 30.0, 1)
    assert (await manager.post(f"{path}/{seen['id']}/confirm", json=body, headers=once)).json() == made.json()
    after = (await manager.get(f"{path}/statement", params=asked)).json()["items"][0]
    assert (after["off_hire_h"], after["on_hire_h"], after["deduction"]) == (30.0, 690.0, "18750.00")
    assert (after["daily_hire"], after["currency"], after["candidates"]) == ("15000.00", "USD", 0)

    corrected = await manager.post(f"{path}/{seen['id']}/confirm", json={"net_loss_h": 24})
    assert (corrected.json()["revision"], corrected.json()["cause"], corrected.json()["counts_h"]) == (2, "dry-docking", 0.0)
    then = {**asked, "known_at": made.json()["recorded_at"]}
    assert (await manager.get(path, params=then)).json()["items"][0]["counts_h"] == 30.0
    rejected = await manager.post(f"{path}/{seen['id']}/reject", json={})
    assert rejected.json()["status"] == "rejected"
    assert (await manager.get(path, params={**asked, "status": "candidate"})).json()["items"] == []


async def test_lost_time_is_recorded_within_a_tenure_that_knows_off_hire(chartered: Asking, world: World) -> None:
    manager, path = chartered("manager"), f"/v1/leases/{CHARTER}/off-hire"
    lost = {"from": instant(20), "to": instant(21, 6), "cause": "main engine breakdown"}
    made = await manager.post(path, json=lost)
    assert (made.status_code, made.json()["counts_h"], made.json()["actor"][:4]) == (201, 30.0, "key:")
    for change, status in (({"to": instant(20)}, 422), ({"net_loss_h": 31}, 422), ({"to": instant(300)}, 409)):
        assert (await manager.post(path, json={**lost, **change})).status_code == status
    bareboat = await manager.post(f"/v1/leases/{BAREBOAT}/off-hire", json=lost)
    assert (bareboat.status_code, bareboat.json()["reason"]) == (409, "no_off_hire")
    assert (await manager.post(f"{path}/{world.ship}/confirm", json={})).status_code == 404
    assert (await chartered("viewer").post(path, json=lost)).status_code == 403
    assert (await chartered("lessee").get(path)).status_code == 403


async def test_lost_and_laid_up_days_are_told_by_lessee(chartered: Asking, world: World) -> None:
    manager = chartered("manager")
    await manager.post(f"/v1/leases/{CHARTER}/off-hire", json={"from": instant(160), "to": instant(161, 6), "cause": "engine"})
    asked = {"from": "2026-04-01T00:00:00Z", "to": "2026-07-01T00:00:00Z"}
    (row,) = (await manager.get("/v1/off-hire/lessees", params=asked)).json()["items"]
    assert (row["lessee_name"], row["assets"], row["off_hire_d"], row["candidate_d"]) == ("Northern Bulk", 2, 1.25, 3.0)
    assert (row["lay_up_d"], row["deductions"], len(row["events"])) == (20, {"USD": "18750.00"}, 2)
    found = (await manager.get("/v1/off-hire", params={**asked, "limit": "1"})).json()
    rest = (await manager.get("/v1/off-hire", params={**asked, "limit": "1", "cursor": found["next_cursor"]})).json()
    assert [one["status"] for one in (*found["items"], *rest["items"])] == ["candidate", "confirmed"]
    assert (await manager.get("/v1/off-hire", params={**asked, "lessee": "Nobody"})).json()["items"] == []
