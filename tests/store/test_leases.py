"""Leases in the database: tenure follows the events, nothing is edited, closed months are restated."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from fleet.dated import Span
from fleet.instants import DAY_US, from_datetime, to_datetime
from fleet.lease import Terms, parse_terms
from fleet.lease_phase import Refusal
from store import leases, milestones, registry
from store.pool import Connection, Pool

T0 = from_datetime(datetime(2025, 1, 1, tzinfo=UTC))
PAPERS = {
    "acceptance_certificate": "AC-1", "insurance_certificate": "IC-1", "redelivery_certificate": "RC-1", "title_document": "BOS",
    "novation_agreement": "NA-1",
}  # fmt: skip
NOW_US = from_datetime(datetime(2026, 11, 20, tzinfo=UTC))


def day(n: int) -> int:
    return T0 + n * DAY_US


class Desk:
    """One tenant with an asset and two lessees, and the words of these tests."""

    def __init__(self, conn: Connection) -> None:
        self.conn, self.asset, self.one, self.other = conn, "", "", ""

    async def open(self) -> "Desk":
        await registry.create_tenant(self.conn, "demo", "Demo")
        self.asset = await registry.register_asset(self.conn, "demo", "aircraft", "PH-ABC", None, [("icao24", "4840d6")], {})
        self.one = await registry.create_party(self.conn, "demo", "One Air")
        self.other = await registry.create_party(self.conn, "demo", "Other Air")
        return self

    async def draft(self, begin: int, end: int | None, parent: str | None = None, **terms: Any) -> str:
        parsed = parse_terms(terms)
        assert isinstance(parsed, Terms)
        wanted = leases.NewLease(
            tenant="demo", asset_id=self.asset, form="sublease" if parent else "operating", lessee_party_id=self.one,
            from_us=day(begin), to_us=None if end is None else day(end), terms=parsed, parent_lease_id=parent,
        )  # fmt: skip
        return await leases.draft(self.conn, wanted)

    async def tell(self, lease_id: str, kind: str, n: int, corrects: str | None = None, **evidence: Any) -> Any:
        told = leases.Told(
            lease_id=lease_id, kind=kind, at_us=day(n), evidence={**PAPERS, **evidence}, corrects=corrects, actor="key:x"
        )
        return await leases.record(self.conn, told, NOW_US)

    async def milestone(self, kind: str, n: int, **evidence: Any) -> Any:
        wanted = milestones.NewMilestone(
            asset_id=self.asset, kind=kind, basis="reported", at_us=day(n), evidence={**PAPERS, **evidence}
        )
        return await leases.record_milestone(self.conn, "demo", wanted, NOW_US)

    async def tenures(self, lease_id: str) -> list[tuple[str, Span]]:
        cursor = await self.conn.execute(
            "SELECT lessee_party_id::text AS who, lower(valid) AS since, upper(valid) AS until FROM lease"
            " WHERE lease_id = %s::uuid AND upper_inf(recorded) ORDER BY lower(valid)", [lease_id],
        )  # fmt: skip
        return [(row["who"], Span(row["since"], row["until"])) for row in await cursor.fetchall()]

    async def stage(self) -> str | None:
        row = await (await self.conn.execute("SELECT stage FROM asset WHERE asset_id = %s::uuid", [self.asset])).fetchone()
        assert row is not None
        stage: str | None = row["stage"]
        return stage


async def one(conn: Connection, query: str, *binds: Any) -> Any:
    row = await (await conn.execute(query, binds)).fetchone()
    return None if row is None else next(iter(row.values()))


async def test_a_lease_from_draft_to_its_next_lessee_and_its_end(pool: Pool) -> None:
    async with pool.connection() as conn:
        desk = await Desk(conn).open()
        await desk.milestone("manufacturer_delivery", 1)
        lease = await desk.draft(10, 400)
        assert await desk.stage() == "delivered"
        for kind, n in (("lease_signed", 5), ("lease_delivery", 12)):
            assert not isinstance(await desk.tell(lease, kind, n), Refusal)
        assert await desk.tenures(lease) == [(desk.one, Span(day(12), None))]
        assert await desk.stage() == "on_lease"

        await desk.tell(lease, "novation", 100, lessee_party_id=desk.other)
        assert await desk.tenures(lease) == [(desk.one, Span(day(12), day(100))), (desk.other, Span(day(100), None))]
        parties = await leases.parties(conn, lease, day(150), None, None, 10)
        assert [(row["name"], row["role"]) for row in parties] == [("Other Air", "lessee")]

        await desk.tell(lease, "redelivery", 300)
        assert await desk.tenures(lease) == [(desk.one, Span(day(12), day(100))), (desk.other, Span(day(100), day(300)))]
        assert await desk.stage() == "off_lease"
        assert await one(conn, "SELECT upper(term) AS t FROM lease_contract WHERE upper_inf(recorded)") == day(300)
        refused = await desk.tell(lease, "redelivery", 301)
        assert isinstance(refused, Refusal)
        assert refused.guard == "phase"
        found = await leases.find(conn, leases.LeaseFilter(phases=("redelivered",), party_id=desk.other), None, 10)
        assert [row["lease_id"] for row in found] == [lease]
        earlier = await leases.shown(conn, found, day(50), None)
        assert earlier[0].state.phase == "active"


async def test_a_delivery_corrected_after_redelivery_keeps_both_versions_and_restates_closed_months(pool: Pool) -> None:
    async with pool.connection() as conn:
        desk = await Desk(conn).open()
        lease = await desk.draft(10, 400, billing_time_zone="Europe/Amsterdam")
        await desk.tell(lease, "lease_signed", 5)
        delivered = await desk.tell(lease, "lease_delivery", 35)
        await desk.tell(lease, "redelivery", 300)
        month = "tstzrange('2025-01-31T23:00:00Z', '2025-02-28T23:00:00Z')"  # February in Amsterdam
        await conn.execute(
            "INSERT INTO utilization_report (tenant, lease_id, asset_id, kind, period, figures, received_at) VALUES"
            f" ('demo', %s::uuid, %s::uuid, 'monthly', {month}, '{{}}', now())", [lease, desk.asset],
        )  # fmt: skip
        account = await one(
            conn, "INSERT INTO reserve_account (tenant, lease_id, asset_id, bucket, currency) VALUES"
            " ('demo', %s::uuid, %s::uuid, 'apu', 'EUR') RETURNING reserve_account_id", lease, desk.asset,
        )  # fmt: skip
        await conn.execute(
            "INSERT INTO reserve_entry (tenant, reserve_account_id, kind, month, amount, at)"
            " VALUES ('demo', %s, 'accrual', '2025-02-01', 100, now())", [account],
        )  # fmt: skip
    async with pool.connection() as conn:
        desk.conn = conn
        corrected = await desk.tell(lease, "lease_delivery", 33, corrects=delivered.event_id)

        assert corrected.restated == 1
        assert await desk.tenures(lease) == [(desk.one, Span(day(33), day(300)))]
        body = await one(conn, "SELECT body FROM outbox WHERE type = 'keelwing.utilization.restated.v1'")
        told = body["data"]
        assert told["period"] == {"from": "2025-01-31T23:00:00Z", "to": "2025-02-28T23:00:00Z"}
        assert told["before"]["row"] != told["after"]["row"]
        assert told["before"]["figures"]["tenures"][0]["valid_from"] == "2025-02-05T00:00:00Z"
        assert told["after"]["figures"]["tenures"][0]["valid_from"] == "2025-02-03T00:00:00Z"
        assert told["closed_by"] == ["invoiced", "reported"]
        versions = await one(conn, "SELECT count(*) AS n FROM lease_event WHERE kind = 'lease_delivery'")
        assert versions == 2  # what was believed stays


async def shorten(conn: Connection, until: datetime) -> None:
    """End the head lease's tenure without a word to its sublease."""
    async with conn.transaction():
        await conn.execute("UPDATE lease SET valid = tstzrange(lower(valid), %s) WHERE head", [until])
        await conn.execute("SET CONSTRAINTS ALL IMMEDIATE")


async def test_the_database_holds_one_head_lease_an_instant_and_subleases_in_their_parent(pool: Pool) -> None:
    async with pool.connection() as conn:
        desk = await Desk(conn).open()
        head = await desk.draft(10, 400)
        out_of = await desk.draft(20, 300, parent=head)
        overlapping = await desk.draft(300, 500)
        for lease, kind, n in (
            (head, "lease_signed", 5), (head, "lease_delivery", 12), (out_of, "lease_signed", 15), (out_of, "lease_delivery", 20)
        ):  # fmt: skip
            assert not isinstance(await desk.tell(lease, kind, n), Refusal), kind
        refused = await desk.tell(overlapping, "lease_signed", 50)
        assert isinstance(refused, Refusal)
        assert refused.guard == "no_overlap"
        refused = await desk.tell(head, "redelivery", 200)
        assert isinstance(refused, Refusal)
        assert refused.guard == "subleases_ended"

        with pytest.raises(psycopg.errors.CheckViolation):  # past the guards, the tables themselves refuse
            await shorten(conn, to_datetime(day(100)))

        lost = await desk.milestone("total_loss", 250)
        assert [event.kind for event in lost.following] == ["total_loss", "total_loss"]
        assert {row[1].to_us for lease in (head, out_of) for row in await desk.tenures(lease)} == {day(250)}
        assert await desk.stage() == "total_loss"


async def test_a_withdrawn_event_is_believed_no_longer_and_known_still(pool: Pool) -> None:
    async with pool.connection() as conn:
        desk = await Desk(conn).open()
        lease = await desk.draft(10, 400)
        await desk.tell(lease, "lease_signed", 5)
        await desk.tell(lease, "lease_delivery", 12)
        ended = await desk.tell(lease, "termination_default", 50)
    async with pool.connection() as conn:
        before = await one(conn, "SELECT clock_timestamp() AS at")
    async with pool.connection() as conn:
        desk.conn = conn
        assert not isinstance(await leases.withdraw(conn, "demo", desk.asset, ended.event_id, "key:x", NOW_US), Refusal)
        assert await desk.tenures(lease) == [(desk.one, Span(day(12), None))]
    async with pool.connection() as conn:
        found = [{"lease_id": lease, "asset_id": desk.asset}]
        assert (await leases.shown(conn, found, NOW_US, None))[0].state.phase == "active"
        assert (await leases.shown(conn, found, NOW_US, before))[0].state.phase == "terminated_default"
        assert (await leases.shown(conn, found, NOW_US, before))[0].tenures[0]["valid_to"] == day(50)
