"""A life in the database of a test: papers, milestones, days of use, journeys and a dry-docking of alpha's ship.

The paper promises delivery on 3 May 2026 and redelivery on 1 Jan 2027; she left the yard on 1 May and was delivered on 2 May at
06:00; the first lessee's tenure ends in the middle of 20 May, when the second one's begins. Beside it, use by day from 1 May on.
"""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.api.fix_world import World

MAY = datetime(2026, 5, 1, tzinfo=UTC)
DELIVERED = datetime(2026, 5, 2, 6, tzinfo=UTC)
HANDED_ON = datetime(2026, 5, 20, 12, tzinfo=UTC)
DAYS = 31
HOUR_M = 1852.0 * 10  # ten knots


class Life:
    """Ids of what was written."""

    def __init__(self, first_lease: str, second_lease: str, second_party: str) -> None:
        self.first_lease, self.second_lease, self.second_party = first_lease, second_lease, second_party


def write_life(url: str, world: World) -> Life:
    """Write the life as the worker would."""
    first, second = str(uuid4()), str(uuid4())
    with psycopg.connect(url) as conn:
        conn.execute("SET ROLE keelwing_worker")
        for table in ("lease_event", "lease_party", "lease_contract", "lease"):
            conn.execute(f"DELETE FROM {table} WHERE lease_id = %s", [world.lease])
        made = conn.execute(
            "INSERT INTO party (tenant, name) VALUES ('alpha', 'Second Line') RETURNING party_id::text"
        ).fetchone()
        assert made is not None
        party = made[0]
        for lease_id, reference, lessee, start, end in (
            (first, "NB-1", world.lessee, DELIVERED, HANDED_ON), (second, "SL-1", party, HANDED_ON, None),
        ):  # fmt: skip
            term = (
                (datetime(2026, 5, 3, tzinfo=UTC), HANDED_ON)
                if lease_id == first
                else (HANDED_ON, datetime(2027, 1, 1, tzinfo=UTC))
            )
            conn.execute(
                "INSERT INTO lease_contract (lease_id, tenant, asset_id, reference, form, signed_on, term)"
                " VALUES (%s, 'alpha', %s, %s, 'bareboat', '2026-01-05', tstzrange(%s, %s))",
                [lease_id, world.ship, reference, *term],
            )
            conn.execute(
                "INSERT INTO lease (lease_id, tenant, asset_id, lessee_party_id, form, valid)"
                " VALUES (%s, 'alpha', %s, %s, 'bareboat', tstzrange(%s, %s))",
                [lease_id, world.ship, lessee, start, end],
            )
        for kind, basis, at in (
            ("order_placed", "reported", datetime(2024, 2, 1, tzinfo=UTC)),
            ("keel_laid", "reported", datetime(2025, 3, 1, tzinfo=UTC)),
            ("completed", "reported", datetime(2026, 4, 20, tzinfo=UTC)),
            ("manufacturer_delivery", "contract", datetime(2026, 5, 3, tzinfo=UTC)),
            ("manufacturer_delivery", "reported", DELIVERED),
            ("departed_yard", "observed", MAY + timedelta(hours=18)),
        ):  # fmt: skip
            conn.execute(
                "INSERT INTO asset_event (tenant, asset_id, kind, basis, at, actor) VALUES ('alpha', %s, %s, %s, %s, 'paper')",
                [world.ship, kind, basis, at],
            )
        conn.execute(
            "INSERT INTO lease_event (tenant, lease_id, asset_id, kind, at, actor)"
            " VALUES ('alpha', %s, %s, 'lease_delivery', %s, 'paper')",
            [first, world.ship, DELIVERED],
        )
        conn.execute(
            "INSERT INTO maintenance_event (tenant, asset_id, kind, actual, place, cost_amount, currency) VALUES"
            " ('alpha', %s, 'drydock', tstzrange('2026-05-25', '2026-05-27', '[)'), 'SGSIN', 1250000.50, 'USD')",
            [world.ship],
        )
        row = conn.execute("SELECT max(commit_no) FROM commits").fetchone()
        assert row is not None
        use_of_may(conn, world.ship, row[0])
    return Life(first, second, party)


def use_of_may(conn: psycopg.Connection, ship: str, commit_no: int) -> None:
    """Moored in the yard until 18:00 of 1 May, then under way, laden, at ten knots; each day observed for 23 of 24 hours."""
    sailed = MAY + timedelta(hours=18)
    conn.execute(
        "INSERT INTO journey (journey_id, revision, tenant, asset_id, asset, kind, started_at, from_place, quality,"
        " method, commit_no)"
        " VALUES ('voyage-1', 1, 'alpha', %s, 'imo:9074729', 'voyage', %s, 'CNSHA', 'confirmed', 'voyage v1', %s)",
        [ship, sailed, commit_no],
    )
    for n in range(DAYS):
        start = MAY + timedelta(days=n)
        moored_s = 18 * 3600 if n == 0 else 0
        way_s = 86_400 - moored_s
        pieces = [("under_way", max(start, sailed), start + timedelta(days=1), way_s)]
        pieces += [("moored", start, sailed, moored_s)] if moored_s else []
        for state, begins, ends, seconds in pieces:
            distance_m = HOUR_M * seconds / 3600 if state == "under_way" else 0.0
            conn.execute(
                "INSERT INTO activity (tenant, asset_id, state, started_at, ended_at, distance_m, observed_s, loading,"
                " method, commit_no)"
                " VALUES ('alpha', %s, %s, %s, %s, %s, %s, 'laden', 'voyage v1', %s)",
                [ship, state, begins, ends, distance_m, seconds * 23 / 24, commit_no],
            )
        states = {"under_way": way_s} | ({"moored": moored_s} if moored_s else {})
        conn.execute(
            "INSERT INTO use_day (tenant, asset_id, day, state_s, state_m, distance_m, laden_m, observed_s, sources, commit_no)"
            " VALUES ('alpha', %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [ship, date(2026, 5, 1) + timedelta(days=n), Jsonb(states), Jsonb({"under_way": HOUR_M * way_s / 3600}),
             HOUR_M * way_s / 3600, HOUR_M * way_s / 3600,
             86_400 * 23 / 24, Jsonb({"ais_terrestrial": 86_400 * 23 / 24}), commit_no],
        )  # fmt: skip


@pytest.fixture
def life(world: World) -> Life:
    """The life, written into this test's world."""
    return write_life(world.url, world)
