"""A lessor's papers for the calendar: an aircraft under a lease with everything that falls due, a ship that never sends.

Days count from the day the world is made (UTC); facts are recorded then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from store import registry
from store.pool import Connection

TERMS = {
    "extension_options": [{"period": "P1Y", "notice_by": "+40"}],
    "redelivery": {"notice_days": {"approximate": [60]}, "place_range": {"name": "Rotterdam", "areas": ["NLRTM"]}},
    "min_utilization": {"unit": "fh", "per": "month", "amount": "200"},
    "reserve_terms": [
        {"bucket": "performance_restoration", "component": "1", "currency": "USD", "rate": {"driver": "fh", "rate": "200"}}
    ],
    "insurances_required": ["hull"],
}  # fmt: skip


@dataclass
class Papers:
    """Ids of what the world holds, and the day it was made."""

    today: date
    plane: str = ""
    engine: str = ""
    ship: str = ""
    lease: str = ""
    insurance: str = ""

    def day(self, days: int) -> date:
        """A day so many days from the world's."""
        return self.today + timedelta(days=days)


def _terms(today: date) -> str:
    text = json.dumps(TERMS)
    return text.replace('"+40"', json.dumps((today + timedelta(days=40)).isoformat()))


async def one(conn: Connection, statement: str, **binds: Any) -> Any:
    """The only value of a statement's only row."""
    row = await (await conn.execute(statement, binds)).fetchone()
    assert row is not None
    return next(iter(row.values()))


async def run(conn: Connection, statement: str, **binds: Any) -> None:
    """A statement that gives nothing."""
    await conn.execute(statement, binds)


async def build(conn: Connection, tenant: str = "demo", today: date | None = None) -> Papers:
    """Write the world as the worker; in force since 400 days, its lease ends in 80 days, hull cover in 20."""
    papers = Papers(today=today or datetime.now(UTC).date())
    await registry.create_tenant(conn, tenant, tenant.title())
    papers.plane = await registry.register_asset(
        conn, tenant, "aircraft", "D-AXYZ", "A320-200", [("icao24", "3c6444")], {"speed_max_kn": 450}
    )
    papers.ship = await registry.register_asset(
        conn, tenant, "vessel", "Quiet Heron", "bulk carrier", [("imo", "9321483")],
        {"built_on": "2012-05-01", "certificate_issued_on": papers.day(-100).isoformat(), "ship_type": "bulk_carrier"},
    )  # fmt: skip
    papers.engine = await one(
        conn,
        "INSERT INTO asset (tenant, class, name, shard) VALUES (%(tenant)s, 'engine', 'ESN 123456', 3) RETURNING asset_id::text",
        tenant=tenant,
    )
    about = {"tenant": tenant, "plane": papers.plane, "engine": papers.engine, "from": papers.day(-400), "end": papers.day(80)}
    await run(
        conn,
        "INSERT INTO installation (tenant, asset_id, parent_asset_id, position, valid) VALUES"
        " (%(tenant)s, %(engine)s, %(plane)s, '1', tstzrange(%(from)s, NULL))",
        **about,
    )
    party = await one(
        conn, "INSERT INTO party (tenant, name) VALUES (%(tenant)s, 'Aerolux') RETURNING party_id", **about
    )  # fmt: skip
    papers.lease = await one(
        conn,
        "INSERT INTO lease_contract (tenant, asset_id, reference, form, signed_on, term, terms) VALUES (%(tenant)s, %(plane)s,"
        " 'OL-7', 'operating', %(from)s, tstzrange(%(from)s, %(end)s), %(terms)s) RETURNING lease_id::text",
        terms=_terms(papers.today), **about,
    )  # fmt: skip
    about |= {"lease": papers.lease, "party": party, "soon": papers.day(20)}
    await run(
        conn,
        "INSERT INTO lease (lease_id, tenant, asset_id, lessee_party_id, form, valid) VALUES (%(lease)s, %(tenant)s, %(plane)s,"
        " %(party)s, 'operating', tstzrange(%(from)s, NULL))",
        **about,
    )
    papers.insurance = await one(
        conn,
        "INSERT INTO insurance (tenant, lease_id, kind, insurer, cover) VALUES (%(tenant)s, %(lease)s, 'hull', 'Gard',"
        " tstzrange(%(from)s, %(soon)s)) RETURNING insurance_id::text",
        **about,
    )
    await _limits_and_use(conn, papers, about)
    return papers


async def _limits_and_use(conn: Connection, papers: Papers, about: dict[str, Any]) -> None:
    """An engine with 300 h to its restoration at 10 h a day, a disk with 500 cycles of 20,000, reports but for the last month.

    Observed are whole months: of one in which a day was missed, the report would be too high.
    """
    about = {**about, "since": papers.day(-120).replace(day=1)}
    await run(
        conn,
        "INSERT INTO life_limit (tenant, asset_id, item, serial_no, kind, driver, limit_value, used_value, counted_at,"
        " cost_amount, currency) VALUES"
        " (%(tenant)s, %(engine)s, 'performance_restoration', NULL, 'interval', 'fh', 7500, 7200, %(today)s, 4250000, 'USD'),"
        " (%(tenant)s, %(engine)s, 'hpt_disk', 'S1', 'life', 'fc', 20000, 19500, %(today)s, NULL, NULL)",
        **about, today=papers.today,
    )  # fmt: skip
    await run(
        conn,
        "INSERT INTO use_day (tenant, asset_id, day, state_s, flight_s, cycles, observed_s, commit_no)"
        " SELECT %(tenant)s, %(plane)s, day::date, '{\"airborne\": 36000, \"ground\": 50400}', 36000, 5, 86000, 64"
        " FROM generate_series(%(since)s::date, %(today)s::date - 1, interval '1 day') AS day",
        **about, today=papers.today,
    )  # fmt: skip
    await run(
        conn,
        "INSERT INTO journey (journey_id, revision, tenant, asset_id, asset, kind, started_at, ended_at, method, cycles, figures,"
        " commit_no) SELECT 'flight-' || day::date || n, 1, %(tenant)s, %(plane)s, 'icao24:3c6444', 'flight',"
        " day + n * interval '4 hours', day + n * interval '4 hours' + interval '2 hours', 'test', 1, '{\"cycles\": 1}', 64"
        " FROM generate_series(%(since)s::date, %(today)s::date - 1, interval '1 day') AS day, generate_series(0, 4) AS n",
        **about, today=papers.today,
    )  # fmt: skip
    await run(
        conn,
        "INSERT INTO utilization_report (tenant, lease_id, asset_id, kind, period, figures, received_at)"
        " SELECT %(tenant)s, %(lease)s, %(plane)s, 'monthly', tstzrange(month, month + interval '1 month'),"
        " jsonb_build_object('flight_h', 10 * length, 'cycles', 5 * length), now()"
        " FROM generate_series(date_trunc('month', %(today)s::timestamptz) - interval '15 months',"
        " date_trunc('month', %(today)s::timestamptz) - interval '3 months', interval '1 month') AS month,"
        " LATERAL (SELECT (extract(epoch FROM month + interval '1 month' - month) / 86400)::int AS length) AS days",
        **about, today=papers.today,
    )  # fmt: skip
    await run(
        conn,
        "INSERT INTO reserve_account (tenant, lease_id, asset_id, bucket, currency)"
        " VALUES (%(tenant)s, %(lease)s, %(engine)s, 'performance_restoration', 'USD')",
        **about,
    )
    await run(
        conn,
        "INSERT INTO return_condition (return_condition_id, tenant, lease_id, requirement, status, due_on)"
        " VALUES ('borescope', %(tenant)s, %(lease)s, 'borescope of both engines', 'open', %(due)s)",
        **about, due=papers.day(-3),
    )  # fmt: skip
    await run(
        conn,
        "INSERT INTO maintenance_event (tenant, asset_id, kind, planned) VALUES"
        " (%(tenant)s, %(ship)s, 'drydock', tstzrange(%(dock)s, %(undock)s))",
        **about, ship=papers.ship, dock=papers.day(60), undock=papers.day(75),
    )  # fmt: skip
