"""Parties, leases, milestones over HTTP: what can happen, what is refused and why, what a lessee sees, what hangs on a group."""

from typing import Any

import httpx
import psycopg
from psycopg.types.json import Jsonb

from fleet.instants import HOUR_US, to_rfc3339
from tests.api.fix_world import NOON_US, Asking, World

PAPERS = {
    "acceptance_certificate": "AC-1", "redelivery_certificate": "RC-1", "novation_agreement": "NA-1", "title_document": "BOS-1",
}  # fmt: skip
TERMS = {
    "security_deposit": {"amount": "900000", "currency": "USD"}, "insurances_required": ["hull"],
    "redelivery": {"notice_days": {"approximate": [60]}},
}  # fmt: skip


async def made(answer: httpx.Response, status: int = 201) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


class Lessor:
    """The manager of alpha at work on one asset."""

    def __init__(self, ask: Asking, asset: str) -> None:
        self.desk, self.asset = ask("manager"), asset

    async def party(self, name: str) -> str:
        found: str = (await made(await self.desk.post("/v1/parties", json={"name": name, "country": "IE"})))["id"]
        return found

    async def draft(self, lessee: str, begin: str, end: str | None, **more: Any) -> str:
        body = {"asset_id": self.asset, "form": "operating", "lessee": lessee, "term": {"from": begin, "to": end}, **more}
        found: str = (await made(await self.desk.post("/v1/leases", json=body)))["id"]
        return found

    async def tell(self, lease: str, kind: str, at: str, **more: Any) -> httpx.Response:
        body = {"kind": kind, "at": at, "evidence": {**PAPERS, **more.pop("evidence", {})}, **more}
        return await self.desk.post(f"/v1/leases/{lease}/events", json=body)


async def test_a_leases_life_is_told_refused_corrected_and_known_as_it_was(ask: Asking, world: World) -> None:
    lessor = Lessor(ask, world.plane)
    one, other = await lessor.party("One Air"), await lessor.party("Other Air")
    lease = await lessor.draft(one, "2025-03-01T00:00:00Z", "2026-03-01T00:00:00Z", terms=TERMS)
    path = f"/v1/leases/{lease}"

    await made(await lessor.tell(lease, "lease_signed", "2025-02-01T00:00:00Z"))
    uninsured = await made(await lessor.tell(lease, "lease_delivery", "2025-03-02T00:00:00Z"), 409)
    assert (uninsured["reason"], uninsured["guard"]) == ("illegal-transition", "insurance_in_force")
    cover = {"kind": "hull", "insurer": "Harbour Mutual", "agreed_value": "41500000.00", "currency": "USD",
             "cover_from": "2025-01-01T00:00:00Z", "cover_to": "2027-01-01T00:00:00Z"}  # fmt: skip
    await made(await lessor.desk.post(f"{path}/insurances", json=cover))
    delivered = await made(await lessor.tell(lease, "lease_delivery", "2025-03-02T00:00:00Z"))
    assert (delivered["lease"]["phase"], delivered["stage"]) == ("active", "on_lease")

    overlapping = await lessor.draft(other, "2026-01-01T00:00:00Z", None)
    refused = await made(await lessor.tell(overlapping, "lease_signed", "2025-05-01T00:00:00Z"), 409)
    assert refused["guard"] == "no_overlap"
    assert lease in refused["detail"]

    novated = await made(
        await lessor.tell(lease, "novation", "2025-06-01T00:00:00Z", evidence={"lessee_party_id": other})
    )  # fmt: skip
    assert [each["lessee_name"] for each in novated["lease"]["tenures"]] == ["One Air", "Other Air"]
    noticed = await made(await lessor.tell(lease, "redelivery_notice", "2026-02-01T00:00:00Z"))
    assert noticed["warnings"] == ["notice_late"]
    ended = await made(await lessor.tell(lease, "redelivery", "2026-03-01T00:00:00Z"))
    assert (ended["lease"]["phase"], ended["stage"]) == ("redelivered", "off_lease")
    known = ended["lease"]["tenures"][-1]["recorded_at"]

    moved = await made(
        await lessor.tell(lease, "lease_delivery", "2025-02-27T00:00:00Z", corrects=delivered["event_id"])
    )  # fmt: skip
    assert moved["lease"]["delivered_at"] == "2025-02-27T00:00:00Z"
    believed = (await lessor.desk.get(path, params={"known_at": known})).json()
    assert believed["delivered_at"] == "2025-03-02T00:00:00Z"
    assert (await lessor.desk.get(path, params={"valid_at": "2025-04-01T00:00:00Z"})).json()["phase"] == "active"
    state = (await lessor.desk.get(f"/v1/assets/{world.plane}", params={"valid_at": "2025-04-01T00:00:00Z"})).json()
    assert state["stage"] == "on_lease"
    events = (await lessor.desk.get(f"{path}/events", params={"superseded": "true"})).json()["items"]
    assert [each["superseded_at"] is None for each in events if each["kind"] == "lease_delivery"] == [True, False]

    ended_again = await lessor.desk.delete(f"{path}/events/{ended['event_id']}")
    assert ended_again.json()["lease"]["phase"] == "redelivery_notice"
    held = (await lessor.desk.get("/v1/leases", params={"phase": "redelivery_notice", "party": other})).json()["items"]
    assert [each["id"] for each in held] == [lease]
    assert (await lessor.desk.get("/v1/leases", params={"phase": "asleep"})).status_code == 422


async def test_an_assets_milestones_move_its_stage_and_a_total_loss_ends_its_lease(ask: Asking, world: World) -> None:
    lessor = Lessor(ask, world.plane)
    path = f"/v1/assets/{world.plane}/events"

    async def told(kind: str, at: str, basis: str = "reported", status: int = 201, **evidence: str) -> Any:
        body = {"kind": kind, "basis": basis, "at": at, "evidence": evidence}
        return await made(await lessor.desk.post(path, json=body), status)

    assert (await told("manufacturer_delivery", "2024-06-01T00:00:00Z", "contract"))["stage"] is None
    assert (await told("order_placed", "2023-01-01T00:00:00Z"))["stage"] == "ordered"
    early = await told("manufacturer_delivery", "2024-06-03T00:00:00Z", status=409, title_document="BOS-1")
    assert (early["guard"], early["errors"][0]["pointer"]) == ("phase", "#/kind")
    await told("assembly_started", "2024-01-01T00:00:00Z")
    undated = await told("completed", "2024-05-01T00:00:00Z", status=409)
    assert (undated["guard"], undated["errors"][0]["pointer"]) == ("built_on", "#/evidence")
    await told("completed", "2024-05-01T00:00:00Z", built_on="2024-05-01")
    assert (await told("manufacturer_delivery", "2024-06-03T00:00:00Z", title_document="BOS-1"))["ownership_phase"] == "owned"
    shop = await lessor.desk.post(
        f"/v1/assets/{world.plane}/maintenance", json={"kind": "airframe_6y", "actual_from": "2024-06-05T00:00:00Z"}
    )  # fmt: skip
    assert shop.status_code == 201
    state = (await lessor.desk.get(f"/v1/assets/{world.plane}/state")).json()
    assert (state["stage"], state["operating_status"]) == ("in_maintenance", "in_maintenance")
    done = {"kind": "airframe_6y", "actual_from": "2024-06-05T00:00:00Z", "actual_to": "2024-06-20T00:00:00Z",
            "cost": "850000.00", "currency": "USD", "corrects": shop.json()["id"]}  # fmt: skip
    assert (await made(await lessor.desk.post(f"/v1/assets/{world.plane}/maintenance", json=done)))["cost"] == "850000.00"
    assert (await lessor.desk.get(f"/v1/assets/{world.plane}")).json()["stage"] == "delivered"

    lease = await lessor.draft(await lessor.party("One Air"), "2024-07-01T00:00:00Z", None)
    certified = {"insurance_certificate": "IC-1"}
    for kind, at in (("lease_signed", "2024-06-30T00:00:00Z"), ("lease_delivery", "2024-07-01T00:00:00Z")):
        await made(await lessor.tell(lease, kind, at, evidence=certified))
    assert (await told("scrapped", "2025-01-01T00:00:00Z", status=409))["guard"] == "lease_active"
    lost = await told("total_loss", "2025-02-01T00:00:00Z")
    assert (lost["stage"], lost["following"]) == ("total_loss", [f"total_loss of lease {lease}"])
    assert (await lessor.desk.get(f"/v1/leases/{lease}")).json()["phase"] == "total_loss_terminated"
    found = await lessor.desk.delete(f"{path}/{lost['event_id']}")
    assert found.json()["stage"] == "on_lease"
    assert (await lessor.desk.get(f"/v1/leases/{lease}")).json()["phase"] == "active"


async def test_terms_and_clauses_are_revised_and_pointed_at_when_wrong(ask: Asking, world: World) -> None:
    lessor = Lessor(ask, world.plane)
    lessee = await lessor.party("One Air")
    lease = await lessor.draft(lessee, "2025-03-01T00:00:00Z", "2026-03-01T00:00:00Z", terms=TERMS)
    path = f"/v1/leases/{lease}"

    changed = await lessor.desk.patch(path, json={"terms": {"assumed_ratio": "1.5", "insurances_required": None}})
    assert (changed.json()["revision"], changed.json()["terms"]["assumed_ratio"]) == (2, "1.5")
    assert changed.json()["terms"]["security_deposit"]["amount"] == "900000"
    wrong = await lessor.desk.patch(path, json={"terms": {"rent": {"amount": "x", "currency": "USD"}}})
    assert wrong.json()["errors"][0]["pointer"] == "#/terms/rent/amount"
    body = {"asset_id": world.plane, "form": "operating", "lessee": world.plane, "term": {"from": "2025-03-01T00:00:00Z"}}
    assert (await lessor.desk.post("/v1/leases", json=body)).json()["errors"][0]["pointer"] == "#/lessee"

    covenant = {"id": "ais", "clause": "12(b)", "predicate": {"kind": "ais_on", "silence_h_max": 6}}
    await made(await lessor.desk.post(f"{path}/covenants", json=covenant))
    stricter = {**covenant, "predicate": {"kind": "ais_on", "silence_h_max": 3}}
    assert (await made(await lessor.desk.post(f"{path}/covenants", json=stricter)))["revision"] == 2
    unknown = await lessor.desk.post(f"{path}/covenants", json={**covenant, "predicate": {"kind": "be_nice"}})
    assert unknown.json()["errors"][0]["pointer"] == "#/predicate/kind"
    rule = {"id": "out", "kind": "prohibited", "area_set": "JWLA-032", "valid_from": "2026-01-01T00:00:00Z"}
    await made(await lessor.desk.post(f"{path}/territory-rules", json=rule))
    early = {"valid_at": "2025-12-01T00:00:00Z"}
    assert (await lessor.desk.get(f"{path}/territory-rules", params=early)).json()["items"] == []
    await made(await lessor.desk.post(f"{path}/parties", json={"party": world.lessee, "role": "guarantor"}))
    roles = (await lessor.desk.get(f"{path}/parties")).json()["items"]
    assert {(each["party_name"], each["role"]) for each in roles} == {("One Air", "lessee"), ("Northern Bulk", "guarantor")}


async def test_a_lessee_sees_its_tenure_and_nothing_of_the_paper(ask: Asking, world: World) -> None:
    leases = (await ask("lessee").get("/v1/leases")).json()["items"]

    assert [(each["id"], each["terms"], each["reason"]["terms"]) for each in leases] == [(world.lease, None, "not_shared")]
    assert (await ask("lessee").get(f"/v1/leases/{world.lease}")).json()["phase"] in {"signed", "active", "redelivered"}
    for path in ("events", "parties", "covenants", "insurances", "territory-rules"):
        assert (await ask("lessee").get(f"/v1/leases/{world.lease}/{path}")).status_code == 403
    assert (await ask("beta").get(f"/v1/leases/{world.lease}")).status_code == 404
    assert (await ask("beta").get("/v1/leases")).json()["items"] == []
    told = {"kind": "default_notice", "at": to_rfc3339(NOON_US), "evidence": {}}
    assert (await ask("beta").post(f"/v1/leases/{world.lease}/events", json=told)).status_code == 404
    assert (await ask("viewer").post(f"/v1/leases/{world.lease}/events", json=told)).status_code == 403


async def test_a_lessee_missed_its_rent_and_one_call_says_all_there_is_with_its_group(ask: Asking, world: World) -> None:
    lessor = Lessor(ask, world.plane)
    top, sister = await lessor.party("Northern Holding"), await lessor.party("Northern Air")
    for child in (sister, world.lessee):
        assert (await lessor.desk.post(f"/v1/parties/{child}/control", json={"parent": top})).status_code == 200
    circle = await lessor.desk.post(f"/v1/parties/{top}/control", json={"parent": sister})
    assert circle.json()["errors"][0]["pointer"] == "#/parent"
    lease = await lessor.draft(sister, "2025-03-01T00:00:00Z", "2027-03-01T00:00:00Z", terms=TERMS)
    for kind, at in (("lease_signed", "2025-02-01T00:00:00Z"), ("lease_delivery", "2025-03-02T00:00:00Z")):
        await made(await lessor.tell(lease, kind, at, evidence={"insurance_certificate": "IC-1"}))
    reserve(world, lease)
    cover = {"kind": "war", "insurer": "Harbour Mutual", "cover_from": "2025-01-01T00:00:00Z", "cover_to": "2027-01-01T00:00:00Z"}
    await made(await lessor.desk.post(f"/v1/leases/{lease}/insurances", json=cover))

    noon = {"valid_at": to_rfc3339(NOON_US + HOUR_US)}
    found = (await lessor.desk.get(f"/v1/parties/{world.lessee}/exposure", params=noon)).json()

    assert [each["name"] for each in found["group"]] == ["Northern Holding", "Northern Air", "Northern Bulk"]
    assert {(each["asset_id"], each["lessee_name"], each["phase"]) for each in found["assets"]} == {
        (world.plane, "Northern Air", "active"), (world.ship, "Northern Bulk", "active"),
    }  # fmt: skip
    assert all(each["position"] for each in found["assets"])
    assert [each["id"] for each in found["leases_ending"]] == [world.lease, lease]
    assert found["totals"] == [
        {"currency": "USD", "reserves_held": "70000.00", "reserves_owed": "30000.00", "deposits": "900000.00"}
    ]
    assert [each["kind"] for each in found["insurances"]] == ["war"]
    before = {"valid_at": "2025-01-01T00:00:00Z"}
    assert (await lessor.desk.get(f"/v1/parties/{world.lessee}/exposure", params=before)).json()["assets"] == []


def reserve(world: World, lease: str) -> None:
    """A reserve account with a month owed and most of it paid."""
    with psycopg.connect(world.url) as conn:
        conn.execute("SET ROLE keelwing_worker")
        row = conn.execute(
            "INSERT INTO reserve_account (tenant, lease_id, asset_id, bucket, currency)"
            " VALUES ('alpha', %s, %s, 'apu', 'USD') RETURNING reserve_account_id", [lease, world.plane],
        ).fetchone()  # fmt: skip
        assert row is not None
        for kind, month, amount in (("accrual", "2025-04-01", 100000), ("payment", None, 70000)):
            conn.execute(
                "INSERT INTO reserve_entry (tenant, reserve_account_id, kind, month, amount, at)"
                " VALUES ('alpha', %s, %s, %s, %s, '2025-05-01')", [row[0], kind, month, amount],
            )  # fmt: skip


async def test_a_silent_paper_is_held_to_the_lessors_own_setting_and_what_was_delivered_stays_delivered(
    ask: Asking, world: World
) -> None:
    lessor = Lessor(ask, world.plane)
    party = await lessor.party("One Air")
    lease = await lessor.draft(party, "2025-03-01T00:00:00Z", "2026-03-01T00:00:00Z")
    await made(await lessor.tell(lease, "lease_signed", "2025-02-01T00:00:00Z"))
    require(world, ["hull", "war"])
    cover = {"insurer": "Harbour Mutual", "agreed_value": "41500000.00", "currency": "USD",
             "cover_from": "2025-01-01T00:00:00Z", "cover_to": "2027-01-01T00:00:00Z"}  # fmt: skip
    await made(await lessor.desk.post(f"/v1/leases/{lease}/insurances", json={"kind": "hull", **cover}))

    uncovered = await made(await lessor.tell(lease, "lease_delivery", "2025-03-02T00:00:00Z"), 409)
    assert (uncovered["guard"], "war" in uncovered["detail"]) == ("insurance_in_force", True)

    await made(await lessor.desk.post(f"/v1/leases/{lease}/insurances", json={"kind": "war", **cover}))
    await made(await lessor.tell(lease, "lease_delivery", "2025-03-02T00:00:00Z"))
    require(world, ["hull", "war", "liability"])
    noticed = await made(await lessor.tell(lease, "redelivery_notice", "2025-11-01T00:00:00Z"))
    assert noticed["lease"]["phase"] == "redelivery_notice"


def require(world: World, kinds: list[str]) -> None:
    """Set which covers lessor alpha asks for where a paper is silent."""
    with psycopg.connect(world.url) as conn:
        conn.execute("DELETE FROM setting WHERE tenant = 'alpha' AND name = 'lease.insurances_required'")
        conn.execute(
            "INSERT INTO setting (tenant, rule, name, value, valid)"
            " VALUES ('alpha', 'practice', 'lease.insurances_required', %s, tstzrange(NULL, NULL))",
            (Jsonb(kinds),),
        )
